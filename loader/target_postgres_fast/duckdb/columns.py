"""Types of columns in DuckDB, and values as texts of CSV that DuckDB casts to these types."""

from __future__ import annotations

import json
import logging
import math
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from duckdb import ConversionException
from msgspec import Raw
from singer_sdk.singerlib.json import serialize_json
from typing_extensions import override

from target_postgres_fast.errors import first_line
from target_postgres_fast.rows import NULL, Column, UnusualValueError, decode_text, parsed_by, truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_postgres_fast.rows import Check, Field

LISTED = "[]"
"""The end of the type of a list."""
MOST_DIGITS = 17
"""More significant digits than these are not all kept by a DOUBLE."""

_SCALARS = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
_MOMENT = "TIMESTAMP WITH TIME ZONE"
_FORMATS = {"date": "DATE", "date-time": _MOMENT, "time": "TIME", "uuid": "UUID"}
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE")
"""Each holds the values of those before it."""
_WHOLE = re.compile(rb'"?\s*\+?(-?\d+)\s*"?').fullmatch
_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1
"""The whole numbers of a BIGINT."""
_MAY_EXCEED = re.compile(rb"\d{19}").search
_TRUTHS = {b"1": b"true", b"0": b"false"}
_BEGINS_NUMBER = frozenset(b"-0123456789")
_IN_WHOLE_NUMBERS = b"-0123456789,nul"
_IN_NUMBERS = b".e" + _IN_WHOLE_NUMBERS
_MAY_BE_TOO_LARGE = re.compile(rb"e[^-]").search
_IS_LONG = re.compile(
    rb",-?(?:0\.0*[1-9]\d{%d}|[1-9](?:\d{%d}|[.\d]{%d}))"
    % (MOST_DIGITS, MOST_DIGITS, MOST_DIGITS + 1)
).search
"""Finds a number with more digits; zeros before the first one do not count."""
_logger = logging.getLogger("target-duckdb.columns")
_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def column_type(schema: Mapping[str, Any]) -> str:
    """The type for the values of a property."""
    if any_of := schema.get("anyOf") or schema.get("oneOf"):
        kinds = {column_type(each) for each in any_of if each.get("type") != "null"}
        return kinds.pop() if len(kinds) == 1 else "JSON"
    named = schema.get("type", ())
    types = ({named} if isinstance(named, str) else {*named}) - {"null"}
    match sorted(types):
        case ["string"]:
            return _FORMATS.get(schema.get("format", ""), "VARCHAR")
        case ["integer", "number"]:
            return "DOUBLE"
        case ["array"]:
            return _list_type(schema.get("items"))
        case [only]:
            return _SCALARS.get(only, "JSON")
    return "VARCHAR" if types and types <= _SCALARS.keys() else "JSON"


def _list_type(items: object) -> str:
    if not isinstance(items, dict):
        return "JSON"
    return column_type({"type": items.get("type", ())}) + LISTED


def type_for_both(there: str, wanted: str) -> str | None:
    """The type for the values of an existing column and for new ones; none if there is none."""
    if there in {wanted, "VARCHAR"} or (there, wanted) == ("TIMESTAMP", _MOMENT):
        return there
    if there in _NUMBERS and wanted in _NUMBERS:
        return max(there, wanted, key=_NUMBERS.index)
    scalars = {*_NUMBERS, *_SCALARS.values(), *_FORMATS.values()}
    return "VARCHAR" if wanted == "VARCHAR" and there in scalars else None


class DuckdbColumn(Column):
    """A column of a table; equal values have equal fields."""

    def __init__(self, name: str, kind: str, *, is_key: bool) -> None:
        """Choose how to write values.

        Args:
            name: Name of the column, after that of its stream.
            kind: The type of its values.
            is_key: Whether it belongs to the key.
        """
        self._name = name
        self._kind = kind
        self._is_key = is_key
        self._has_warned = False

    @override
    def check(self) -> Check | None:
        # Equal numbers of a key need equal fields, so each is looked at.
        return None if self._is_key else _CHECKS.get(self._kind)

    @override
    def field(self) -> Field | None:
        return None if self.check() else self._field

    @override
    def field_with_escapes(self) -> Field:
        return self._field

    @override
    def of_value(self, value: Any) -> bytes:
        try:
            if isinstance(value, float) and self._kind in {"DOUBLE", "VARCHAR"}:
                # It may be NaN, or infinite.
                value = str(value)
            return self._field(Raw(_as_json(value)))
        except (ArithmeticError, ValueError) as error:
            message = f"{self._name} is a {self._kind}, and cannot be {value!r}"
            raise ConversionException(first_line(message)) from error

    @cached_property
    def _field(self) -> Field:
        fields: Mapping[str, Field] = {
            "VARCHAR": _text,
            "DOUBLE": self._exact_number if self._is_key else self._number,
            "BOOLEAN": _truth,
            "DATE": parsed_by(date.fromisoformat),
            "TIME": parsed_by(_clock),
            "UUID": parsed_by(UUID),
            _MOMENT: parsed_by(_moment),
            f"BIGINT{LISTED}": _whole_numbers,
        }
        if self._kind in _NUMBERS[:-1]:
            return _whole
        return fields.get(self._kind, _json)

    def _number(self, raw: Raw) -> bytes:
        field = bytes(raw)
        is_short = len(field) <= MOST_DIGITS or _digits(field) <= MOST_DIGITS
        # An exponent can make it too large.
        if is_short and field[0] in _BEGINS_NUMBER and b"e" not in field and b"E" not in field:
            return field
        return field if field == NULL else self._checked(field)

    def _exact_number(self, raw: Raw) -> bytes:
        field = bytes(raw)
        # So that 0 and -0.0 are one key.
        return field if field == NULL else b'"%r"' % (float(self._checked(field)[1:-1]) + 0.0)

    def _checked(self, field: bytes) -> bytes:
        """A number that a DOUBLE may not hold; a warning if it has too many digits."""
        text = decode_text(field) if field[:1] == b'"' else field.decode()
        try:
            number = float(text)
        except ValueError:
            raise UnusualValueError from None
        if math.isinf(number) and text.strip("+- ").lower() not in {"inf", "infinity"}:
            raise UnusualValueError
        digits = re.sub(r"[eE].*|\D", "", text).strip("0")
        if len(digits) > MOST_DIGITS and not self._has_warned:
            self._has_warned = True
            _logger.warning(
                "%s has a number with more than %s digits: %s. A DOUBLE rounds it.",
                *(self._name, MOST_DIGITS, text),
            )
        return b'"%b"' % text.strip().encode()


def _digits(field: bytes) -> int:
    """How many digits of a number count, at most."""
    return len(field.lstrip(b"-0.").replace(b".", b""))


def _are_whole(values: bytes) -> bool:
    """Whether all are null or whole numbers of JSON that are not too large."""
    return not (values.translate(None, _IN_WHOLE_NUMBERS) or _MAY_EXCEED(values))


def _are_exact(values: bytes) -> bool:
    """Whether all are null or numbers that a DOUBLE holds with each digit."""
    return not (
        values.translate(None, _IN_NUMBERS) or _MAY_BE_TOO_LARGE(values) or _IS_LONG(b"," + values)
    )


_CHECKS: Mapping[str, Check] = {
    **dict.fromkeys(_NUMBERS[:-1], _are_whole),
    "DOUBLE": _are_exact,
}


def _as_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    # The SDK would write null for a number in an object that is none.
    json.dumps(value, allow_nan=False, default=str)
    return serialize_json(value).encode()


def _truth(raw: Raw) -> bytes:
    return _TRUTHS.get(bytes(raw)) or truth(raw)


def _text(raw: Raw) -> bytes:
    field = bytes(raw)
    if field[:1] == b'"':
        return _quoted(decode_text(field).encode()) if b"\\" in field else field
    if field[:1] in b"{[":
        raise UnusualValueError
    return field if field == NULL else _quoted(_encode(_decode(field)))


def _whole(raw: Raw) -> bytes:
    field = bytes(raw)
    if field == NULL:
        return field
    if b"\\" in field:
        field = decode_text(field).encode()
    if not (found := _WHOLE(field)):
        raise UnusualValueError
    return str(_in_range(int(found[1]))).encode()


def _in_range(number: int) -> int:
    if not _SMALLEST <= number <= _LARGEST:
        raise UnusualValueError
    return number


def _json(raw: Raw) -> bytes:
    """A JSON text, always written in the same way."""
    field = bytes(raw)
    return field if field == NULL else _quoted(_encode(_decode(field)))


def _quoted(text: bytes) -> bytes:
    return b'"%b"' % text.replace(b'"', b'""')


def _whole_numbers(raw: Raw) -> bytes:
    # DuckDB would round others.
    values = _decode(raw)
    for each in values or ():
        if type(each) is int:
            _in_range(each)
        elif each is not None:
            raise UnusualValueError
    return _json(raw)


def _clock(text: str) -> time:
    return time.fromisoformat(text).replace(tzinfo=None)


def _moment(text: str) -> datetime:
    """A time in UTC; one without an offset is in UTC already."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
