"""Writes Singer messages as lines of JSON, and records faster than the SDK does."""

from __future__ import annotations

import dataclasses
import sys
from time import monotonic
from typing import Any

import msgspec
from singer_sdk.contrib.msgspec import MsgSpecWriter, serialize_jsonl
from singer_sdk.helpers._util import utc_now
from singer_sdk.helpers.types import Record
from singer_sdk.singerlib.encoding.simple import Message
from typing_extensions import override

STAMP_SECONDS = 0.001
"""Seconds in which records share one `time_extracted`, because it takes long to format."""
LINES_BYTES = 64 * 1024
"""Bytes of records that are written at once: as much as a pipe takes."""
_encode_into = msgspec.json.Encoder().encode_into


class _RecordMessage(msgspec.Struct, tag_field="type", tag="RECORD", gc=False):
    """A RECORD message; it is faster to write than a dict."""

    stream: str
    record: Record
    time_extracted: str


class LineWriter(MsgSpecWriter):
    """Writes messages as lines of JSON, and records without making messages first."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = bytearray()
        self._stamp = ""
        self._stamped_at = -STAMP_SECONDS

    def write_record(self, stream: str, record: Record) -> None:
        """Add the RECORD line of a record to the buffer, and write the buffer when it is full."""
        if (now := monotonic()) >= self._stamped_at + STAMP_SECONDS:
            self._stamped_at = now
            self._stamp = utc_now().isoformat().replace("+00:00", "Z")
        lines = self._lines
        end = len(lines)
        try:
            _encode_into(_RecordMessage(stream, record, self._stamp), lines, -1)
        except Exception:
            del lines[end:]
            raise
        lines += b"\n"
        if len(lines) >= LINES_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the records in the buffer."""
        lines, self._lines = self._lines, bytearray()
        out = sys.stdout.buffer
        out.write(lines)
        out.flush()

    @override
    def serialize_message(self, message: Message) -> bytearray:
        return serialize_jsonl(members(message))

    @override
    def write_message(self, message: Message) -> None:
        if self._lines:
            self.flush()
        super().write_message(message)


def members(message: Message) -> dict[str, Any]:
    """The members of a message. The SDK's version copies all columns and partitions first."""
    found = {each.name: getattr(message, each.name) for each in dataclasses.fields(message)}
    return {name: value for name, value in found.items() if value is not None}
