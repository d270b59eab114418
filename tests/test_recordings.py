"""Answers of the live API, each played through its stream: nothing of them is lost.

The recordings are not part of the repository, and the tests skip where they are not at hand.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from singer_run import run
from tap_pinterest import api
from tap_pinterest.records.conform import singer_name
from tap_pinterest.streams import STREAM_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


REAL = Path(__file__).resolve().parent.parent.parent / "shared" / "real"
ACCOUNT = "/ad_accounts/{ad_account_id}"

CONFIG: Mapping[str, Any] = {
    "access_token": "pina_recorded",
    "token_file": "",
    "stream_groups": ["all"],
    "max_requests_in_flight": 1,
    "report_transport": "sync",
    "start_date": "8 days ago",
    "terms": ["coffee", "sport"],
    "trend_regions": ["US"],
    "product_categories": ["ARTWORK"],
    "usernames": ["someone"],
}
ONE_OF_A_LIST = {
    f"{ACCOUNT}": "/ad_accounts",
    f"{ACCOUNT}/audiences/{{audience_id}}": f"{ACCOUNT}/audiences",
    f"{ACCOUNT}/campaigns/{{campaign_id}}": f"{ACCOUNT}/campaigns",
    f"{ACCOUNT}/promotions/{{promotion_id}}": f"{ACCOUNT}/promotions",
    "/pins/{pin_id}": "/pins",
    "/search/boards": "/boards",
}
"""Operations that answer one record, or some, of a list that a stream reads."""
WITHOUT_STREAM = {
    "/media/{media_id}": "The state of an upload: the stream media_uploads lists them."
}
"""Operations that no stream reads, each with the reason."""
PARENTS: Mapping[str, Any] = {
    "/ad_accounts": {"items": [{"id": "570712381356"}], "bookmark": None},
    "/user_account": {"id": "2", "username": "someone", "account_type": "BUSINESS"},
    "/boards": {"items": [{"id": "3"}], "bookmark": None},
    "/boards/{board_id}/sections": {"items": [{"id": "4"}], "bookmark": None},
    "/pins": {"items": [{"id": "5"}], "bookmark": None},
    f"{ACCOUNT}/campaigns": {"items": [{"id": "6", "status": "ACTIVE"}], "bookmark": None},
    f"{ACCOUNT}/ad_groups": {"items": [{"id": "7", "campaign_id": "6"}], "bookmark": None},
    "/resources/metrics_ready_state": {
        "conversion_metrics_ready": True,
        "non_conversion_metrics_ready": True,
    },
}
"""Answers to calls that a stream makes before its own."""
EMPTY: Mapping[str | None, Any] = {
    "list": {"items": []},
    "items": {"items": []},
    "array": [],
    "data": {"data": []},
}
INNER = {
    "/pins/{pin_id}/product_tags": "product_tags",
    "/trends/keywords/{region}/top/{trend_type}": "trends",
    "/trends/topics/featured": "trends",
}
"""Where the members of a field are the records."""


class Recording(NamedTuple):
    """One recorded call."""

    path: str
    status: int
    response: Any
    day: str


def recording(file: Path) -> Recording | None:
    """The recorded call in a file; `None` if the file holds no call."""
    found = json.loads(file.read_text("utf-8"))
    if not isinstance(found, dict) or "request" not in found:
        return None
    path = found["request"]["path"].removeprefix("/v5")
    return Recording(path, found["status"], found["response"], found["recorded"])


FILES = sorted(REAL.glob("*.json")) if REAL.is_dir() else []
RECORDINGS = {file.stem: found for file in FILES if (found := recording(file))}
PATHS = [
    *(key.removeprefix("GET ") for key in api.operations() if key.startswith("GET ")),
    *WITHOUT_STREAM,
]
pytestmark = pytest.mark.skipif(not RECORDINGS, reason="the recorded answers are not here")


def described(path: str) -> str:
    """The path of the description that a called path is one of."""
    matching = [each for each in PATHS if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path)]
    return min(matching, key=lambda each: each.count("{"))


def streams_of(path: str) -> list[str]:
    path = ONE_OF_A_LIST.get(path, path)
    return [str(vars(each)["name"]) for each in STREAM_TYPES if each.path == path]


class Played:
    """A Pinterest that gives one recorded answer once, and to other calls the least there is."""

    def __init__(self, path: str, recorded: Recording) -> None:
        self.path = ONE_OF_A_LIST.get(path, path)
        self.recorded = recorded
        self.times: Counter[str] = Counter()

    def answer(self, path: str) -> tuple[int, Any]:
        operation = api.operation(f"GET {path}")
        self.times[path] += 1
        if path != self.path:
            return 200, PARENTS.get(path, EMPTY.get(operation.shape, {}))
        if self.times[path] > 1 and operation.shape in EMPTY and self.recorded.status == 200:
            return 200, EMPTY[operation.shape]
        response = self.recorded.response
        if operation.shape == "list" and "items" not in response and "message" not in response:
            response = {"items": [response], "bookmark": None}
        return self.recorded.status, response


class Pinterest(ThreadingHTTPServer):
    """A server that answers as what is played does."""

    played: Played

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v5"


@pytest.fixture(scope="module")
def pinterest() -> Iterator[Pinterest]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = described(urlsplit(self.path).path.removeprefix("/v5"))
            status, answer = server.played.answer(path)
            body = json.dumps(answer).encode()
            self.send_response_only(status)
            self.send_header("Date", server.played.recorded.day)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = Pinterest(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def items_of(path: str, recorded: Recording) -> list[Any]:
    """The records that an answer holds."""
    if recorded.status != 200:
        return []
    response = recorded.response
    if path in UNPACKED:
        return list(UNPACKED[path](response))
    if path.startswith("/user_account/analytics/"):
        response = response["pins"]
    if isinstance(response, dict):
        response = response.get("items", response)
    items = response if isinstance(response, list) else [response]
    inner = INNER.get(path)
    if inner is None:
        return items
    return [
        {**{key: value for key, value in item.items() if key != inner}, **part}
        for item in items
        for part in item[inner]
    ]


def days(response: Any) -> Iterator[Any]:
    for day in response["all"]["daily_metrics"]:
        yield {name: day[name] for name in ("date", "data_status")}


def related_terms(response: Any) -> Iterator[Any]:
    outer = {name: response[name] for name in ("id", "related_term_count")}
    for each in response["related_terms_list"]:
        for term in each["related_terms"]:
            yield {**outer, "input_term": each["term"], "term": term}


UNPACKED: Mapping[str, Callable[[Any], Iterable[Any]]] = {
    "/user_account/analytics": days,
    "/terms/suggested": lambda response: [{"term": each} for each in response],
    "/terms/related": related_terms,
    f"{ACCOUNT}/conversion_tags/ocpm_eligible": lambda response: response.values(),
}
"""Answers of a shape of their own."""


def arrived(value: Any, stored: Any) -> bool:
    """Whether a value is there as what it is: a time may have become an ISO date-time."""
    if isinstance(value, dict):
        return isinstance(stored, dict) and all(
            key in stored and arrived(member, stored[key]) for key, member in value.items()
        )
    if isinstance(value, list):
        return (
            isinstance(stored, list)
            and len(value) == len(stored)
            and all(map(arrived, value, stored))
        )
    if value == stored and type(value) is type(stored):
        return True
    if isinstance(stored, str) and isinstance(value, int):
        return stored == f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return isinstance(stored, str) and isinstance(value, str) and stored == f"{value[:19]}Z"


RENAMED = {("audiences", "ad_account_id"): "owner_ad_account_id"}
SHOWN_OTHERWISE = {
    *("user_account_metrics", "domain_top_pins"),
    *("pin_metrics_daily", "board_counts_daily", "conversion_eqs_components"),
}
"""Streams that make other records of an answer which another stream writes whole."""
PLAYABLE = [name for name, each in RECORDINGS.items() if described(each.path) not in WITHOUT_STREAM]


def test_every_recording_is_of_an_operation_that_a_stream_reads_or_says_why_not() -> None:
    without = {path for each in RECORDINGS.values() if not streams_of(path := described(each.path))}
    assert without == set(WITHOUT_STREAM)


@pytest.mark.parametrize("name", PLAYABLE)
def test_every_value_of_a_recorded_answer_arrives_and_nothing_reads_like_a_fault(
    name: str, pinterest: Pinterest, caplog: pytest.LogCaptureFixture
) -> None:
    path = described(RECORDINGS[name].path)
    pinterest.played = Played(path, RECORDINGS[name])
    with caplog.at_level(logging.INFO):
        ended = run({**CONFIG, "api_url": pinterest.url}, *streams_of(path))

    warnings = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert warnings == []
    assert ended.code == 0
    sent = items_of(path, RECORDINGS[name])
    for stream in set(streams_of(path)) - SHOWN_OTHERWISE:
        records = ended.records(stream)
        assert len(records) >= len(sent)
        for item, record in zip(sent, records, strict=False):
            extra = record.get("extra_fields") or {}
            for field, value in item.items():
                column = RENAMED.get((stream, field), singer_name(field))
                assert arrived(value, record.get(column, extra.get(field, ...))), (stream, field)
