"""Reads messages as lines of bytes, and gives plain records to their sink undecoded."""

from __future__ import annotations

import io
import select
import sys
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import msgspec
from singer_sdk.singerlib.encoding.simple import SimpleSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.singerlib.json import deserialize_json
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import IO

    Take = Callable[[bytes], bool]

CHUNK = 1 << 20
SHOWN = 200
"""Bytes of an unreadable line that its error shows."""


NOT_UTF8 = "it is not UTF-8"
NO_MESSAGE = "it is not an object with a type"
NO_STREAM = "it names no stream"
UNKNOWN = "a message of the type {} is unknown"
TOO_DEEP = "it is nested too deeply"


class _Properties(msgspec.Struct):
    properties: dict[str, dict[str, Any]]


class _Schema(msgspec.Struct):
    schema: _Properties
    key_properties: list[str] | None = None


class _Record(msgspec.Struct):
    record: dict[str, Any]


class _ActivateVersion(msgspec.Struct):
    version: int


class _Encoding(msgspec.Struct):
    format: str
    compression: str | None = None


class _Batch(msgspec.Struct):
    encoding: _Encoding
    manifest: list[str]


_FORMS: Mapping[str, type[msgspec.Struct]] = {
    "SCHEMA": _Schema,
    "RECORD": _Record,
    "ACTIVATE_VERSION": _ActivateVersion,
    "BATCH": _Batch,
}
"""The parts that a message of a type must have, with their types."""


class _Head(msgspec.Struct):
    """The type and the stream of a message."""

    type: str | None = None
    stream: str | None = None


_head = msgspec.json.Decoder(_Head).decode


class Stopped(BaseException):
    """Ends the wait for input."""


class UnreadableError(Exception):
    """A line is not a Singer message; the text says why."""


class LineReader(SimpleSingerReader):
    """Reads lines until the end of the input, or until `stop`.

    A message that no sink takes undecoded is decoded and goes to the SDK's handler.
    """

    def __init__(self) -> None:
        super().__init__()
        self.direct: Callable[[str], Take | None] = lambda _: None
        """Returns the function that takes lines of a stream's records, or `None`."""
        self.before_lines: Callable[[], None] = lambda: None
        """Called before the first line is read."""
        self.after_lines: Callable[[], None] = lambda: None
        """Called when all lines that have arrived are handled, and again while no line arrives."""
        self.after_all: Callable[[], None] = lambda: None
        """Called after the last line, also after an error; not if the process must end at once."""
        self.idle_seconds = 1.0
        self.is_complete = False
        """Whether the input has been read to its end."""
        self._is_stopped = False
        self._waits = False

    def stop(self) -> None:
        """Read only the lines that have already arrived."""
        self._is_stopped = True
        if self._waits:
            raise Stopped

    @override
    def process_lines(
        self,
        file_input: IO[Any] | None,
        callbacks: Mapping[str, Callable[[dict[str, Any]], None]],
    ) -> Counter[str]:
        self.before_lines()
        read: Counter[str] = Counter()
        source = _bytes_of(file_input or sys.stdin)
        _widen(source)
        try:
            self._process(source, callbacks, read)
        except Exception:
            self.after_all()
            raise
        self.after_all()
        return read

    def _process(
        self,
        source: BinaryIO,
        callbacks: Mapping[str, Callable[[dict[str, Any]], None]],
        read: Counter[str],
    ) -> None:
        take: Take | None = None
        for lines in self._lines(source):
            for line in lines:
                try:
                    if not line.isascii():
                        _require_utf8(line)
                    if take and take(line):
                        read["RECORD"] += 1
                        continue
                    take = self._taker(line)
                    if take and take(line):
                        read["RECORD"] += 1
                        continue
                    read[self._decoded(line, callbacks)] += 1
                    take = None
                except (RecursionError, UnreadableError) as error:
                    raise _refusal(line, read.total() + 1, error) from None
            self.after_lines()

    def _taker(self, line: bytes) -> Take | None:
        try:
            head = _head(line)
        except msgspec.DecodeError:
            return None
        return self.direct(head.stream) if head.type == "RECORD" and head.stream else None

    def _decoded(
        self, line: bytes, callbacks: Mapping[str, Callable[[dict[str, Any]], None]]
    ) -> str:
        """Hand a message to the SDK's handler, and return its type."""
        message = _message(line)
        kind: str = message["type"]
        if kind not in callbacks:
            raise UnreadableError(UNKNOWN.format(kind))
        callbacks[kind](message)
        return kind

    def _lines(self, source: BinaryIO) -> Iterator[list[bytes]]:
        """Lines without their ends, in lists of all lines that have arrived."""
        begun: list[bytes] = []
        while chunk := self._chunk(source):
            first, *others = chunk.split(b"\n")
            begun.append(first)
            if others:
                yield [b"".join(begun), *others[:-1]]
                begun = others[-1:]
        if self._is_stopped:
            return
        self.is_complete = True
        if rest := b"".join(begun):
            yield [rest]

    def _chunk(self, source: BinaryIO) -> bytes:
        """The bytes that have arrived; empty at the end, and after `stop`."""
        self._waits = True
        try:
            while not self._is_stopped:
                if _has_more(source, self.idle_seconds):
                    return source.read1(CHUNK)  # type: ignore[attr-defined, no-any-return]
                self._waits = False
                self.after_lines()
                self._waits = True
        except Stopped:
            pass
        finally:
            self._waits = False
        return b""


def _require_utf8(line: bytes) -> None:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError(NOT_UTF8) from error


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = deserialize_json(line)
    except (ArithmeticError, ValueError) as error:
        # This includes a number that is too large for Python.
        raise UnreadableError(str(error)) from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise UnreadableError(NO_MESSAGE)
    if message["type"] != "STATE" and not isinstance(message.get("stream"), str):
        raise UnreadableError(NO_STREAM)
    if form := _FORMS.get(message["type"]):
        try:
            msgspec.convert(message, form)
        except msgspec.ValidationError as error:
            raise UnreadableError(str(error)) from error
    return message


def _refusal(line: bytes, number: int, error: Exception) -> InvalidInputLine:
    reason = TOO_DEEP if isinstance(error, RecursionError) else str(error)
    begin = line[:SHOWN].decode(errors="replace") + ("..." if len(line) > SHOWN else "")
    return InvalidInputLine(f"Unable to parse line {number} of the input: {reason}: {begin}")


def _bytes_of(source: IO[Any]) -> BinaryIO:
    """The bytes of a text file or a binary file."""
    if binary := getattr(source, "buffer", None):
        return cast("BinaryIO", binary)
    content = source.read()
    return io.BytesIO(content.encode() if isinstance(content, str) else content)


def _widen(source: BinaryIO) -> None:
    """Enlarge the pipe, so that the writing process wakes less often."""
    # Only Linux has this call.
    with suppress(ImportError, AttributeError, OSError):
        import fcntl  # noqa: PLC0415 - not on Windows

        fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, CHUNK)


def _has_more(source: BinaryIO, seconds: float) -> bool:
    """Whether the source can be read at once, without a wait."""
    try:
        readable, _, _ = select.select([source], [], [], seconds)
    except (OSError, ValueError):
        # The source is no file of the system, or the system is Windows.
        return True
    return bool(readable)
