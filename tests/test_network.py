"""Answers that no good server sends, byte by byte: proxies, gateways and networks send them."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from contextlib import contextmanager, suppress
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from singer_run import PatientClock, client_at
from tap_pinterest.http.answers import decoder
from tap_pinterest.http.errors import UnreadableAnswerError
from tap_pinterest.reports.download import downloaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BOARDS = "/boards"
BODY = b'{"items": [{"id": "1"}], "bookmark": null}'
as_object = decoder(dict[str, Any])


def answer(body: bytes = BODY, status: str = "200 OK", *headers: str) -> bytes:
    """A good answer on the wire."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def chunked(*pieces: bytes) -> bytes:
    """An answer in pieces, without the end."""
    sent = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + sent


def packed(body: bytes) -> bytes:
    return answer(body, "200 OK", "Content-Encoding: gzip")


@contextmanager
def server(*connections: Sequence[bytes], heard: list[bytes] | None = None) -> Iterator[str]:
    """A server on this machine: for each connection in order, its answers; then it closes."""
    requests = [] if heard is None else heard

    def serve(listener: socket.socket) -> None:
        for answers in connections:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                for each in answers:
                    if not (request := connection.recv(65_536)):
                        break
                    requests.append(request)
                    connection.sendall(each)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


BROKEN = {
    "HTTP/1.0 without a length, cut": b"HTTP/1.0 200 OK\r\n\r\n" + BODY[:20],
    "chunks without an end": chunked(BODY[:20]),
    "a chunk that is cut": chunked(BODY)[:-10],
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n" + BODY[:9],
    "two lengths": answer(BODY, "200 OK", "Content-Length: 3"),
    "a header without an end": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000,
    "too many headers": answer(BODY, "200 OK", *("x: y",) * 200),
    "half a gzip": packed(gzip.compress(BODY)[:-12]),
    "a gzip with a wrong checksum": packed(gzip.compress(BODY)[:-8] + b"12345678"),
    "a gzip that is none": packed(BODY),
    "an encoding that nobody asked for": answer(b"\x8b\x00", "200 OK", "Content-Encoding: br"),
    "a part": answer(BODY[:20], "206 Partial Content"),
    "no content": answer(b"", "204 No Content"),
    "an interim answer": b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_is_not_whole_is_asked_for_again(broken: bytes) -> None:
    # An answer that follows on the first connection belongs to the first request.
    late = answer(b'{"items": [], "bookmark": null}')
    with server([broken, late] if b"103" in broken else [broken], [answer()]) as url:
        client = client_at(url, PatientClock(), "pina_1")

        assert client.get(BOARDS, as_object)["items"] == [{"id": "1"}]
        client.close()


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n" + BODY, id="HTTP/1.0 without a length"),
        pytest.param(chunked(BODY[:9], BODY[9:]) + b"0\r\n\r\n", id="chunks"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(), id="100 before it"),
        pytest.param(packed(gzip.compress(BODY[:9]) + gzip.compress(BODY[9:])), id="two gzips"),
        pytest.param(b"HTTP/1.1 200 \r\n\r\n" + BODY, id="no reason and no header"),
    ],
)
def test_an_odd_answer_that_is_whole_is_read(whole: bytes) -> None:
    with server([whole]) as url:
        client = client_at(url, PatientClock(), "pina_1")

        assert client.get(BOARDS, as_object)["items"] == [{"id": "1"}]
        client.close()


def test_a_cookie_is_not_sent_back() -> None:
    heard: list[bytes] = []
    baking = answer(BODY, "200 OK", "Set-Cookie: AWSALB=1; Path=/")
    with server([baking, baking], [baking, baking], heard=heard) as url:
        client = client_at(url, PatientClock(), "pina_1")
        for _ in range(2):
            client.get(BOARDS, as_object)
        for _ in range(2):
            client.downloads.write(url, BytesIO(), "the report")
        client.close()

    assert len(heard) == 4
    assert not [each for each in heard if b"AWSALB" in each]


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(answer(b"Sorry", "502 Bad Gateway", "Date: {}"), id="a gateway"),
        pytest.param(answer(b"Sign in", "200 OK", "Date: {}"), id="a page to sign in"),
    ],
)
@pytest.mark.parametrize("year", ["1999", "2099"])
def test_today_is_not_taken_from_an_answer_that_is_not_pinterests(first: bytes, year: str) -> None:
    wrong = first.replace(b"{}", f"Wed, 10 Feb {year} 10:00:00 GMT".encode())
    right = answer(BODY, "200 OK", "Date: Fri, 20 Nov 2026 10:00:00 GMT")
    clock = PatientClock()
    with server([wrong, right]) as url:
        client = client_at(url, clock, "pina_1")
        client.get(BOARDS, as_object)
        client.close()

    assert clock.today == date(2026, 11, 20)


DATED = {"date": "Fri, 20 Nov 2026 12:00:00 GMT", "retry-after": "Fri, 20 Nov 2026 12:00:31 GMT"}


@pytest.mark.parametrize("status", [408, 429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"retry-after": "31"}, 31, id="seconds"),
        pytest.param(DATED, 31, id="a moment"),
        pytest.param({"retry-after": "31", "x-ratelimit-reset": "31"}, 31, id="beside the quota"),
    ],
)
def test_a_wait_that_a_server_names_is_kept(
    status: int, headers: dict[str, str], seconds: int
) -> None:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    clock = PatientClock()
    with server([answer(b"", f"{status} Later", *lines), answer()]) as url:
        client = client_at(url, clock, "pina_1")
        client.get(BOARDS, as_object)
        client.close()

    assert seconds <= sum(clock.waits) < seconds + 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "header",
    [
        *("0", "-5", "soon", "9" * 5_000, "1795000000", "", "Fri, 20 Nov 2026 12:00:31 GMT"),
        "Fri, 20 Nov 2026 12:00:31 -0000",
    ],
)
def test_a_retry_after_that_says_nothing_is_none(status: int, header: str) -> None:
    clock = PatientClock()
    with server([answer(b"", f"{status} Later", f"Retry-After: {header}"), answer()]) as url:
        client = client_at(url, clock, "pina_1")
        client.get(BOARDS, as_object)
        client.close()

    assert sum(clock.waits) <= 4


def test_a_download_waits_as_long_as_its_server_says() -> None:
    clock = PatientClock()
    with server([answer(b"", "503 Slow Down", "Retry-After: 9")], [answer(b"[1]")]) as url:
        client = client_at(url, clock, "pina_1")
        client.downloads.write(url, BytesIO(), "the report")
        client.close()

    assert clock.waits == [9.0]


def test_a_link_stays_hidden_where_a_header_is_malformed(caplog: pytest.LogCaptureFixture) -> None:
    with server([b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n[1]"]) as url:
        client = client_at(url, PatientClock(), "pina_1")
        file = BytesIO()
        client.downloads.write(f"{url}/report?X-Signature=s3cret", file, "the report")
        client.close()

    assert file.getvalue() == b"[1]"
    assert "s3cret" not in caplog.text


TABLE = gzip.compress(b"a,b\r\n" * 1_000)


def test_half_a_packed_table_is_never_taken_for_the_whole() -> None:
    with server([packed(TABLE[:-12])], [packed(TABLE)]) as url:
        client = client_at(url, PatientClock(), "pina_1")
        how: dict[str, Any] = {"is_csv": True, "size": None}

        with pytest.raises(UnreadableAnswerError, match="the report cannot be unpacked"):
            downloaded(client, url, "the report", **how)
        assert len(list(downloaded(client, url, "the report", **how))) == 999
        client.close()


ENDLESS = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(ENDLESS + b"a,b\r\n1,2\r\n3,4", id="no length"),
        pytest.param(ENDLESS.replace(b"1.1", b"1.0") + b"a,b\n1,23", id="HTTP/1.0"),
        pytest.param(ENDLESS + b"a,b", id="the names"),
        pytest.param(ENDLESS + b"a,b\r\n1,2\r\n", id="the end of a line, before its size"),
    ],
)
def test_a_table_without_a_length_that_ends_early_may_be_cut(table: bytes) -> None:
    with server([table]) as url:
        client = client_at(url, PatientClock(), "pina_1")

        with pytest.raises(UnreadableAnswerError, match="may be cut"):
            downloaded(client, url, "the report", is_csv=True, size=11)
        client.close()


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(answer(b"a,b\r\n1,2"), id="a length"),
        pytest.param(chunked(b"a,b\r\n", b"1,2") + b"0\r\n\r\n", id="chunks"),
        pytest.param(ENDLESS + b"a,b\r\n1,2\r\n", id="the end of a line"),
        pytest.param(ENDLESS + gzip.compress(b"a,b\r\n1,2"), id="gzip"),
    ],
)
def test_a_table_whose_end_is_known_is_read(table: bytes) -> None:
    with server([table]) as url:
        client = client_at(url, PatientClock(), "pina_1")

        rows = downloaded(client, url, "the report", is_csv=True, size=10)
        assert list(rows) == [b'{"a":"1","b":"2"}']
        client.close()


@pytest.mark.parametrize(
    ("encodings", "body"),
    [
        pytest.param("gzip,aws-chunked", gzip.compress(b"[1]"), id="as storage names them"),
        pytest.param("aws-chunked", b"[1]", id="not packed"),
        pytest.param("GZIP", gzip.compress(b"[1]"), id="capitals"),
        pytest.param("gzip, gzip", gzip.compress(gzip.compress(b"[1]")), id="packed twice"),
        pytest.param("deflate", zlib.compress(b"[1]"), id="deflate"),
    ],
)
def test_a_report_is_read_however_its_download_is_encoded(encodings: str, body: bytes) -> None:
    with server([answer(body, "200 OK", f"Content-Encoding: {encodings}")]) as url:
        client = client_at(url, PatientClock(), "pina_1")

        rows = downloaded(client, url, "the report", is_csv=False, size=None)
        assert list(rows) == [b"1"]
        client.close()


NO_TABLES = {
    "a page": b"<html>Sorry</html>",
    "an error": b'{"code": 7, "message": "No."}',
    "JSON": b"[]",
    "a sentence": b"upstream connect error\n",
    "bytes of an unknown encoding": zlib.compress(b"a,b\r\n" * 1_000),
    "UTF-16": "a,b\r\n".encode("utf-16"),
    "an archive": b"PK\x03\x04\x14\x00\x08\x00,\x00",
}


@pytest.mark.parametrize("page", NO_TABLES.values(), ids=NO_TABLES)
def test_what_is_no_table_is_not_taken_for_one_without_rows(page: bytes) -> None:
    with server([answer(page)]) as url:
        client = client_at(url, PatientClock(), "pina_1")

        with pytest.raises(UnreadableAnswerError, match="no table"):
            downloaded(client, url, "the report", is_csv=True, size=None)
        client.close()


def test_a_download_is_asked_for_again_after_an_interim_answer() -> None:
    with server([b"HTTP/1.1 103 Early Hints\r\n\r\n", answer(b"[2]")], [answer(b"[1]")]) as url:
        client = client_at(url, PatientClock(), "pina_1")
        file = BytesIO()
        client.downloads.write(url, file, "the report")
        client.close()

    assert file.getvalue() == b"[1]"
