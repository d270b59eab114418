"""The file of an asynchronous report, which is never whole in memory."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import mmap
import os
import re
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

import msgspec

from tap_pinterest.http.answers import Key, as_key, decoder
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.errors import TooLargeError, UnreadableAnswerError
from tap_pinterest.http.transport import MAX_BODY_BYTES

_GZIP = b"\x1f\x8b"
_A_PIECE = 1 << 20
_A_BEGINNING = 64
"""Bytes by which a table is distinguished from JSON."""
_NO_NAMES = re.compile(r"\s*[<{\[]|.*[\x00-\x08\x0b\x0c\x0e-\x1f]|[^,]*\ufffd[^,]*\Z", re.DOTALL)
"""The beginning of a web page or of JSON, or bytes that no text has."""
_SHAPE: Any = dict[Key, list[msgspec.Raw]] | list[msgspec.Raw]
_decode = msgspec.json.Decoder(_SHAPE, dec_hook=as_key).decode
_mend_and_decode = decoder(_SHAPE)


def rows_of_report(
    file: IO[bytes],
    what: str,
    *,
    is_csv: bool | None = False,
    size: object = None,
    may_be_cut: bool = False,
) -> Iterator[bytes]:
    """The rows of a report in a temporary file: an array, arrays in an object, or a table.

    JSON is mapped into memory, not read. A table is first written to a file of JSON. So memory
    never holds a copy of the rows, however large the file is. The file is closed here.

    Args:
        file: The file.
        what: The report, as errors name it.
        is_csv: Whether the file is a table; `None` if its first bytes must show it.
        size: The size of the report, as Pinterest says.
        may_be_cut: Whether the server did not say how long the file is.

    Raises:
        TooLargeError: It is larger than `MAX_BODY_BYTES` unpacked.
        UnreadableAnswerError: The file is not a report.
    """
    with file, _unpacked(file, what) as readable:
        # The rows stay mapped when the file is closed.
        if length := readable.seek(0, os.SEEK_END):
            is_csv = _looks_like_a_table(readable) if is_csv is None else is_csv
            # JSON and gzip have an end of their own.
            if is_csv and may_be_cut and readable is file:
                _check_end(file, length, size, what)
            return taken(_rows_of_table(readable, what) if is_csv else _rows(readable, what))
    if size == 0:
        return iter(())
    msg = f"{what} is empty"
    raise UnreadableAnswerError(msg)


def taken(rows: list[msgspec.Raw]) -> Iterator[bytes]:
    """The rows in order; the list is empty at the end."""
    # Each row keeps the whole body in memory, so a row is dropped as soon as it is written.
    rows.reverse()
    while rows:
        yield bytes(rows.pop())


@contextmanager
def _unpacked(file: IO[bytes], what: str) -> Iterator[IO[bytes]]:
    """The file itself, or its content if it is packed with gzip, whatever the headers say.

    Raises:
        TooLargeError: It is larger than `MAX_BODY_BYTES` unpacked.
        UnreadableAnswerError: It is damaged.
    """
    file.seek(0)
    if file.read(len(_GZIP)) != _GZIP:
        yield file
        return
    file.seek(0)
    with tempfile.TemporaryFile() as unpacked:
        try:
            with file, gzip.GzipFile(fileobj=file) as packed:
                _copy(packed, unpacked, what)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            msg = f"{what} cannot be unpacked: {error}"
            raise UnreadableAnswerError(msg) from None
        yield unpacked


def _copy(packed: gzip.GzipFile, unpacked: IO[bytes], what: str) -> None:
    while piece := packed.read(_A_PIECE):
        unpacked.write(piece)
        if unpacked.tell() > MAX_BODY_BYTES:
            msg = f"{what} is larger than {MAX_BODY_BYTES:,} bytes"
            raise TooLargeError(msg)


def downloaded(
    client: PinterestClient, url: str, what: str, *, is_csv: bool | None, size: object
) -> Iterator[bytes]:
    """The rows behind a link; `what` names the report in errors.

    Raises:
        LinkExpiredError: The link is no longer valid.
        UnreadableAnswerError: The file is not a report.
    """
    with tempfile.TemporaryFile() as file:
        has_length = client.downloads.write(url, file, what)
        return rows_of_report(file, what, is_csv=is_csv, size=size, may_be_cut=not has_length)


def _check_end(file: IO[bytes], length: int, size: object, what: str) -> None:
    """Refuse a table that ends in the middle of a line, or before the size that Pinterest says."""
    file.seek(-1, os.SEEK_END)
    if file.read(1) not in b"\r\n" or (isinstance(size, (int, float)) and size > length):
        msg = f"{what} may be cut: the connection ended after {length:,} bytes"
        raise UnreadableAnswerError(msg)


def _looks_like_a_table(file: IO[bytes]) -> bool:
    file.seek(0)
    return file.read(_A_BEGINNING).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["}


def _rows(file: IO[bytes], what: str) -> list[msgspec.Raw]:
    text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _flat(_decode(cast("bytes", text)))
    # The fault may be a forbidden character: then a copy without it can be read.
    try:
        return _flat(_mend_and_decode(text[:]))
    except UnreadableAnswerError as error:
        msg = f"{what} cannot be read: {error}"
        raise UnreadableAnswerError(msg) from None


def _rows_of_table(file: IO[bytes], what: str) -> list[msgspec.Raw]:
    """The rows of a table as JSON, which is a mapped file as well; all values are texts."""
    file.seek(0)
    with (
        io.TextIOWrapper(file, "utf-8-sig", "replace", newline="") as text,
        tempfile.TemporaryFile() as copy,
    ):
        # Some descriptions are longer than the limit of the module, 131,072 characters.
        csv.field_size_limit(min(sys.maxsize, MAX_BODY_BYTES))
        table = csv.reader(text, strict=True)
        before = b"["
        try:
            names = next(table, [])
            if _NO_NAMES.match(",".join(names)):
                msg = f"{what} cannot be read: it is a web page, JSON or no text, and no table"
                raise UnreadableAnswerError(msg)
            names = _distinct(names)
            for row in filter(None, table):
                copy.write(before + msgspec.json.encode(dict(zip(names, row, strict=True))))
                before = b","
        except (csv.Error, ValueError) as error:
            msg = f"{what} cannot be read: line {table.line_num}: {error}"
            raise UnreadableAnswerError(msg) from None
        if before == b"[" and len(names) == 1 and names[0].strip():
            msg = f"{what} cannot be read: it is a line of text, and no table"
            raise UnreadableAnswerError(msg)
        copy.write(b"[]" if before == b"[" else b"]")
        copy.flush()
        return _rows(copy, what)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names of a table's columns; a name that comes again is counted, in whatever case."""
    times: Counter[str] = Counter()
    distinct = []
    for name in names:
        times[name.upper()] += 1
        again = times[name.upper()]
        distinct.append(f"{name} ({again})" if again > 1 else name)
    return distinct


def _flat(found: dict[Key, list[msgspec.Raw]] | list[msgspec.Raw]) -> list[msgspec.Raw]:
    if isinstance(found, dict):
        return list(itertools.chain.from_iterable(found.values()))
    return found
