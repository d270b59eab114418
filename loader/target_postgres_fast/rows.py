"""Records as lines of CSV for COPY, made from their JSON with as little change as possible.

A JSON text without escapes is already a CSV field, and so are numbers, truth values and `null`, if
COPY's NULL is set to it. Only texts with escapes, dates and nested values must be decoded. A value
of another kind than its column goes through the stock target's conversion.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from time import time as now
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import msgspec
from msgspec import Raw
from singer_sdk.helpers._typing import get_datelike_property_type
from singer_sdk.singerlib.json import deserialize_json
from sqlalchemy import types
from sqlalchemy.dialects.postgresql import JSONB

from target_postgres_fast.keys import BETWEEN, normal_form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.types import TypeEngine

    Field = Callable[[Raw], bytes]

DELETED_AT = "_sdc_deleted_at"
VERSION = "_sdc_table_version"
EXTRACTED_AT = "_sdc_extracted_at"
OF_THE_LOAD = (
    EXTRACTED_AT,
    "_sdc_received_at",
    "_sdc_batched_at",
    "_sdc_sequence",
    "_sdc_sync_started_at",
)
"""Metadata that differ with each load; a difference only in these does not change a row."""
METADATA = (*OF_THE_LOAD, DELETED_AT, VERSION)

_NULL = Raw(b"null")
_CACHED = 4096
_PARSERS: Mapping[str, tuple[type[TypeEngine[Any]], Callable[[str], date | time]]] = {
    "date": (types.DATE, date.fromisoformat),
    "date-time": (types.TIMESTAMP, datetime.fromisoformat),
    "time": (types.TIME, time.fromisoformat),
}
_TRUTHS = (b"true", b"false", b"null")
_decode_text = msgspec.json.Decoder(str).decode


class UnusualValueError(Exception):
    """A value of another kind than its column, for the stock target's conversion."""


class Line(NamedTuple):
    """A record in the form for COPY, and its key."""

    key: bytes
    text: bytes
    has_sure_key: bool = True
    """Whether the keys of two lines differ when their key values do. If not, PostgreSQL decides."""


class RowFormat:
    """Turns the records of one stream into lines."""

    def __init__(
        self,
        stream: str,
        columns: Mapping[str, Column],
        keys: Mapping[str, str],
        started_at: int,
    ) -> None:
        """Prepare each column once.

        Args:
            stream: Name of the stream.
            columns: The columns by name, metadata included.
            keys: The key columns with their types in the table; empty if the table only grows.
            started_at: When the load began, in Unix milliseconds.
        """
        own = [name for name in columns if name not in METADATA]
        self._has_metadata = len(own) < len(columns)
        self._columns = columns
        self.names = [*own, *(METADATA if self._has_metadata else ())]
        """Names of the columns, in the order of a line's fields."""
        self._fields = [
            (at, field) for at, name in enumerate(own) if (field := columns[name].field())
        ]
        self._every_field = [(at, columns[name].field() or _number) for at, name in enumerate(own)]
        self._keys = [(self.names.index(name), normal_form(kind)) for name, kind in keys.items()]
        try:
            self._decode = _decoder(stream, own, [*keys], deleted=self._has_metadata)
        except ValueError:
            # A name that msgspec cannot use, such as one with a quotation mark in it.
            self._decode = _refuse
        self._started_at = started_at
        self._sequence = 0
        self._received_at = b""
        self._timestamp = _dated(datetime.fromisoformat)

    def from_message(self, line: bytes, batched_at: bytes) -> Line | None:
        """A line from a RECORD of this stream; none if it is another message or is unusual."""
        try:
            message = self._decode(line)
            values = list(msgspec.structs.astuple(message.record))
            for at, field in self._every_field if b"\\" in line else self._fields:
                values[at] = field(values[at])
            if self._has_metadata:
                values[-1] = self._metadata(message, values[-1], batched_at)
        except (msgspec.DecodeError, UnusualValueError):
            return None
        return self._line(values)

    def from_record(self, record: Mapping[str, Any]) -> Line:
        """A line from a record in the stock target's form."""
        values = [self._columns[name].stock(record.get(name)) for name in self.names]
        return self._line(values)

    def _line(self, values: Sequence[Any]) -> Line:
        text = b",".join(values)
        keys = [normal(bytes(values[at])) for at, normal in self._keys]
        if None in keys:
            written = BETWEEN.join([bytes(values[at]) for at, _ in self._keys])
            return Line(written, text, has_sure_key=False)
        return Line(BETWEEN.join(cast("list[bytes]", keys)), text)

    def _metadata(self, message: Any, deleted_at: Raw, batched_at: bytes) -> bytes:  # noqa: ANN401 - a class made at run time
        """The fields of `METADATA`, filled as the SDK does."""
        received = now()
        sequence = round(received * 1000)
        if sequence != self._sequence:
            self._sequence = sequence
            self._received_at = str(datetime.fromtimestamp(received, UTC)).encode()
        return b"%b,%b,%b,%d,%d,%b,%b" % (
            self._timestamp(message.time_extracted),
            self._received_at,
            batched_at,
            sequence,
            self._started_at,
            self._timestamp(deleted_at),
            bytes(message.version),
        )


@dataclass(frozen=True)
class Column:
    """A column of a table, with the stock target's way to write its values."""

    schema: Mapping[str, Any]
    kind: TypeEngine[Any]
    process: Callable[[Any], Any] | None
    """SQLAlchemy's part in writing a value."""
    sanitize: Callable[[Any], Any]
    """The stock target's."""
    dump: Callable[[Any], bytes | None]
    """Psycopg's."""

    def stock(self, value: Any) -> bytes:  # noqa: ANN401 - any JSON
        """The field that the stock target would write."""
        value = self.sanitize(value)
        if self.process:
            value = self.process(value)
        if value is None:
            return b"null"
        dumped = self.dump(value)
        return b"null" if dumped is None else _quoted(dumped)

    def field(self) -> Field | None:
        """The function that turns a value's JSON into a field; none if the JSON is the field."""
        if dated := get_datelike_property_type(dict(self.schema)):
            expected, parse = _PARSERS[dated]
            return _dated(parse) if isinstance(self.kind, expected) else _nothing_but_null
        if isinstance(self.kind, (types.Integer, types.Numeric)):
            return None
        if isinstance(self.kind, types.Boolean):
            return _truth
        if isinstance(self.kind, types.String):
            return _text
        if isinstance(self.kind, JSONB):
            return _json
        return self._by_the_stock_target

    def _by_the_stock_target(self, raw: Raw) -> bytes:
        return self.stock(deserialize_json(bytes(raw)))


def _text(raw: Raw) -> bytes:
    field = bytes(raw)
    if field[:1] != b'"' and field != b"null":
        raise UnusualValueError
    if b"\\" not in field:
        return field
    text = _decode_text(field)
    if "\0" in text:
        raise UnusualValueError
    return _quoted(text.encode())


def _number(raw: Raw) -> bytes:
    # A number as a text, with escapes in it.
    field = bytes(raw)
    return _quoted(_decode_text(field).encode()) if b"\\" in field else field


def _truth(raw: Raw) -> bytes:
    field = bytes(raw)
    if field not in _TRUTHS:
        raise UnusualValueError
    return field


def _json(raw: Raw) -> bytes:
    # The stock target writes JSON's null, too.
    field = bytes(raw)
    if b"\\u0000" in field:
        raise UnusualValueError
    return _quoted(field)


def _refuse(_: bytes) -> Any:  # noqa: ANN401 - it gives nothing
    raise UnusualValueError


def _nothing_but_null(raw: Raw) -> bytes:
    if bytes(raw) != b"null":
        raise UnusualValueError
    return b"null"


def _dated(parse: Callable[[str], date | time]) -> Field:
    """The field of a date or a time; the stock target takes only forms that Python can parse."""

    @lru_cache(_CACHED)
    def parsed(field: bytes) -> bytes:
        if field == b"null":
            return field
        try:
            return str(parse(_decode_text(field))).encode()
        except ValueError as error:
            raise UnusualValueError from error

    return lambda raw: parsed(bytes(raw))


def _quoted(text: bytes) -> bytes:
    return b'"%b"' % text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _decoder(
    stream: str, names: Sequence[str], keys: Sequence[str], *, deleted: bool
) -> Callable[[bytes], Any]:
    """A decoder of a stream's RECORD messages that leaves the values undecoded."""
    names = [*names, DELETED_AT] if deleted else names
    record = msgspec.defstruct(
        "Record",
        [
            (f"field_{at}", Raw, msgspec.field(name=name))
            if name in keys
            else (f"field_{at}", Raw, msgspec.field(name=name, default=_NULL))
            for at, name in enumerate(names)
        ],
        kw_only=True,
    )
    literal = cast("Any", Literal)
    message = msgspec.defstruct(
        "Message",
        [
            ("type", literal["RECORD"]),
            ("stream", literal[stream]),
            ("record", record),
            ("version", Raw, _NULL),
            ("time_extracted", Raw, _NULL),
        ],
    )
    return msgspec.json.Decoder(message).decode
