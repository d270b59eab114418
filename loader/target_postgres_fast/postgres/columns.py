"""Values as fields of CSV for COPY.

A JSON text without escapes is already a CSV field, and so are numbers, truth values and `null`, if
COPY's option NULL is `null`. Only texts with escapes, dates and nested values must be decoded. The
stock target converts a value of another kind than its column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import psycopg
from singer_sdk.helpers._typing import get_datelike_property_type
from singer_sdk.singerlib.json import deserialize_json
from sqlalchemy import types
from sqlalchemy.dialects.postgresql import JSONB
from typing_extensions import override

from target_postgres_fast.errors import first_line
from target_postgres_fast.rows import NULL, Column, UnusualValueError, decode_text, parsed_by, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from msgspec import Raw
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

    from target_postgres_fast.rows import Field

_PARSERS: Mapping[str, tuple[type[TypeEngine[Any]], Callable[[str], date | time]]] = {
    "date": (types.DATE, date.fromisoformat),
    "date-time": (types.TIMESTAMP, datetime.fromisoformat),
    "time": (types.TIME, time.fromisoformat),
}


def type_name(kind: TypeEngine[Any], dialect: Dialect) -> str:
    """The name of a type, as PostgreSQL writes it."""
    name = kind.compile(dialect).lower()
    return name.replace("decimal", "numeric").replace("varchar", "character varying")


_EXACT = re.compile(
    r"(character varying|character|citext)(\(\d+\))?|text|boolean|uuid|jsonb?|numeric"
    r"|smallint|integer|bigint|timestamp with(out)? time zone"
)


def is_inexact(kind: str) -> bool:
    """Whether a column may round a value or cut a part off, where others keep or refuse it.

    Args:
        kind: Type of the column, as PostgreSQL writes it.
    """
    return not _EXACT.fullmatch(kind)


@dataclass(frozen=True)
class PostgresColumn(Column):
    """A column of a table, with the conversions that the stock target uses for its values."""

    name: str
    """Its name, after that of its stream."""
    schema: Mapping[str, Any]
    kind: TypeEngine[Any]
    process: Callable[[Any], Any] | None
    """SQLAlchemy's conversion of a value."""
    sanitize: Callable[[Any], Any]
    """The stock target's conversion, before it."""
    dump: Callable[[Any], bytes | None]
    """Psycopg's conversion, after it."""

    @override
    def of_value(self, value: Any) -> bytes:
        try:
            return self._converted(value)
        except (TypeError, ValueError, psycopg.Error) as error:
            message = f"{self.name}: {first_line(str(error))}; the value is {value!r}"
            raise psycopg.DataError(first_line(message)) from error

    def _converted(self, value: Any) -> bytes:  # noqa: ANN401 - any JSON
        value = self.sanitize(value)
        if self.process:
            value = self.process(value)
        if value is None:
            return NULL
        dumped = self.dump(value)
        return NULL if dumped is None else _quoted(dumped)

    @override
    def field(self) -> Field | None:
        if dated := get_datelike_property_type(dict(self.schema)):
            expected, parse = _PARSERS[dated]
            return parsed_by(parse) if isinstance(self.kind, expected) else _nothing_but_null
        if isinstance(self.kind, (types.Integer, types.Numeric)):
            return None
        if isinstance(self.kind, types.Boolean):
            return truth
        if isinstance(self.kind, types.String):
            return _text
        if isinstance(self.kind, JSONB):
            return _json
        return self._by_the_stock_target

    @override
    def field_with_escapes(self) -> Field:
        return self.field() or _number

    def _by_the_stock_target(self, raw: Raw) -> bytes:
        return self.of_value(deserialize_json(bytes(raw)))


def _text(raw: Raw) -> bytes:
    field = bytes(raw)
    if field[:1] != b'"' and field != NULL:
        raise UnusualValueError
    if b"\\" not in field:
        return field
    text = decode_text(field)
    if "\0" in text:
        raise UnusualValueError
    return _quoted(text.encode())


def _number(raw: Raw) -> bytes:
    # A number as a text, with escapes in it.
    field = bytes(raw)
    return _quoted(decode_text(field).encode()) if b"\\" in field else field


def _json(raw: Raw) -> bytes:
    # The stock target writes JSON's null, too.
    field = bytes(raw)
    if b"\\u0000" in field:
        raise UnusualValueError
    return _quoted(field)


def _nothing_but_null(raw: Raw) -> bytes:
    if bytes(raw) != NULL:
        raise UnusualValueError
    return NULL


def _quoted(text: bytes) -> bytes:
    return b'"%b"' % text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
