"""Turns records into rows for a bulk load, with as little change to their JSON as possible.

A row is a line of fields with commas between them. The columns of a back end turn the JSON of a
value into a field. A value of another kind than its column is decoded first.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import chain
from time import time as now
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast

import msgspec
from msgspec import Raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    Check = Callable[[bytes], bool]
    Field = Callable[[Raw], bytes]
    Normal = Callable[[bytes], bytes | None]

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
"""Metadata that differ with each load; a row that differs only in these has not changed."""
METADATA = (*OF_THE_LOAD, DELETED_AT, VERSION)

NULL = b"null"
"""The field of a missing value."""
BETWEEN = b"\0"
"""Separates the values of a key."""

_CACHED = 4096
_TRUTHS = (b"true", b"false", NULL)
decode_text = msgspec.json.Decoder(str).decode


class UnusualValueError(ValueError):
    """A value of another kind than its column."""


class Line(NamedTuple):
    """A record as fields, and its key."""

    key: bytes
    text: bytes
    has_sure_key: bool = True
    """Whether equal keys have equal bytes here; if not, the database must compare the keys."""


class Column(Protocol):
    """A column of a table."""

    def check(self) -> Check | None:
        """A function that checks whether the JSON of values, joined by commas, is already fields.

        Columns with the same check share one call. If it fails, each value is converted alone.
        """
        return None

    def field(self) -> Field | None:
        """The function that turns a value's JSON into a field; `None` if the JSON is the field."""

    def field_with_escapes(self) -> Field:
        """The function for JSON that may contain a backslash."""

    def of_value(self, value: Any) -> bytes:  # noqa: ANN401 - any JSON
        """The field of a decoded value."""


class RowFormat:
    """Turns the records of one stream into lines."""

    def __init__(
        self,
        stream: str,
        columns: Mapping[str, Column],
        keys: Mapping[str, Normal],
        started_at: int,
    ) -> None:
        """Prepare each column once.

        Args:
            stream: Name of the stream.
            columns: The columns by name, metadata included.
            keys: The key columns, each with a function that gives equal values equal fields, and
                `None` for a field that only the database can compare; empty if the table only
                grows.
            started_at: The start of the load, in Unix milliseconds.
        """
        by_check: dict[Check | None, list[str]] = defaultdict(list)
        for name, column in columns.items():
            if name not in METADATA:
                by_check[column.check()].append(name)
        alone = by_check.pop(None, [])
        own = [*alone, *chain(*by_check.values())]
        self._has_metadata = len(own) < len(columns)
        self._columns = columns
        self.names = [*own, *(METADATA if self._has_metadata else ())]
        """Names of the columns, in the order of a line's fields."""
        self._alone = len(alone)
        self._fields = [
            (at, field) for at, name in enumerate(alone) if (field := columns[name].field())
        ]
        self._every_field = [
            (at, columns[name].field_with_escapes()) for at, name in enumerate(alone)
        ]
        self._groups = list(_groups(by_check, columns, self._alone))
        self._keys = [(self.names.index(name), normal) for name, normal in keys.items()]
        self._decoder = partial(_decoder, stream, own, {*keys}, deleted=self._has_metadata)
        self._decode: Callable[[bytes], Any] = _refuse
        self._expected: set[str] = set()
        self._expect({*own})
        self._started_at = started_at
        self._sequence = 0
        self._received_at = b""
        self._timestamp = cast("Field", self._has_metadata and columns[EXTRACTED_AT].field())

    def from_message(self, line: bytes, batched_at: bytes) -> Line | None:
        """A line from a RECORD of this stream.

        `None` is for another message, for unusual values, and for a field without a column.
        """
        try:
            message = self._decode(line)
            values = msgspec.structs.astuple(message.record)
            fields = [*values[: self._alone]]
            for at, field in self._every_field if b"\\" in line else self._fields:
                fields[at] = field(fields[at])
            fields += [group.fields_of(values) for group in self._groups]
            if self._has_metadata:
                fields.append(self._metadata(message, values[-1], batched_at))
        except (ArithmeticError, ValueError):
            return None
        return self._line(fields)

    def from_record(self, record: Mapping[str, Any]) -> Line:
        """A line from a record as the SDK decodes it."""
        self._expect({*METADATA, *(name for name in record if record[name] is not None)})
        values = [self._columns[name].of_value(record.get(name)) for name in self.names]
        return self._line(values)

    def _expect(self, names: set[str]) -> None:
        """Take messages with these fields too; the SDK has logged which of them have no column."""
        if names <= self._expected:
            return
        self._expected |= names
        try:
            self._decode = self._decoder(self._expected)
        except ValueError:
            # msgspec cannot use some names, such as a name with a quotation mark.
            self._decode = _refuse

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
            self._received_at = b'"%b"' % str(datetime.fromtimestamp(received, UTC)).encode()
        return b"%b,%b,%b,%d,%d,%b,%b" % (
            self._timestamp(message.time_extracted),
            self._received_at,
            batched_at,
            sequence,
            self._started_at,
            self._timestamp(deleted_at),
            bytes(message.version),
        )


class _Group(NamedTuple):
    """Neighbouring columns whose values are checked together."""

    check: Check
    place: slice
    fields: Sequence[Field]

    def fields_of(self, record: Sequence[Raw]) -> bytes:
        """The fields of these columns, with commas between them."""
        values = record[self.place]
        joined = b",".join(values)
        if self.check(joined):
            return joined
        return b",".join(field(raw) for field, raw in zip(self.fields, values, strict=True))


def _groups(
    by_check: Mapping[Any, Sequence[str]], columns: Mapping[str, Column], start: int
) -> Iterator[_Group]:
    for check, names in by_check.items():
        place = slice(start, start := start + len(names))
        yield _Group(check, place, [columns[name].field_with_escapes() for name in names])


def _refuse(_: bytes) -> Any:  # noqa: ANN401 - it gives nothing
    raise UnusualValueError


def truth(raw: Raw) -> bytes:
    """The field of true or false.

    Raises:
        UnusualValueError: It is something else.
    """
    field = bytes(raw)
    if field not in _TRUTHS:
        raise UnusualValueError
    return field


def parsed_by(parse: Callable[[str], object]) -> Field:
    """The function for the field of a text that Python parses, such as a date."""

    @lru_cache(_CACHED)
    def parsed(field: bytes) -> bytes:
        if field == NULL:
            return field
        try:
            return b'"%b"' % str(parse(decode_text(field))).encode()
        except (ValueError, OverflowError) as error:
            raise UnusualValueError from error

    return lambda raw: parsed(bytes(raw))


def _decoder(
    stream: str,
    own: Sequence[str],
    keys: AbstractSet[str],
    expected: AbstractSet[str],
    *,
    deleted: bool,
) -> Callable[[bytes], Any]:
    """A decoder of a stream's RECORD messages that leaves the values undecoded.

    It refuses a record without its keys, and one with a field that is not expected.
    """
    last = [DELETED_AT] if deleted else []
    names = [*own, *(expected - {*own, *last}), *last]
    defaults = [msgspec.NODEFAULT if name in keys else Raw(NULL) for name in names]
    record = msgspec.defstruct(
        "Record",
        [
            (f"field_{at}", Raw, msgspec.field(name=name, default=default))
            for at, (name, default) in enumerate(zip(names, defaults, strict=True))
        ],
        kw_only=True,
        forbid_unknown_fields=True,
    )
    literal = cast("Any", Literal)
    message = msgspec.defstruct(
        "Message",
        [
            ("type", literal["RECORD"]),
            ("stream", literal[stream]),
            ("record", record),
            ("version", Raw, Raw(NULL)),
            ("time_extracted", Raw, Raw(NULL)),
        ],
    )
    return msgspec.json.Decoder(message).decode
