"""Keys of rows, so that two records of one key in a batch become one row."""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, DecimalException
from typing import TYPE_CHECKING

from target_postgres_fast.rows import NULL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_postgres_fast.rows import Normal

_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_TRUTHS = {b"true": b"t", b'"t"': b"t", b"false": b"f", b'"f"': b"f"}
_NUMBER = re.compile(rb'"?(-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,9})?)"?').fullmatch


def normal_form(kind: str) -> Normal:
    """A function from a field to a key: equal values of the type have equal keys.

    Args:
        kind: Type of the column, as PostgreSQL writes it.

    Returns:
        The function. It returns None for a field that only PostgreSQL can compare, such as `" 7 "`
        for a number.
    """
    return _NORMAL_FORMS.get(kind, _unsure)


def _unsure(_: bytes) -> bytes | None:
    return None


def _text(field: bytes) -> bytes | None:
    if field[:1] == b'"':
        return field[1:-1]
    return None if field == NULL else field


def _matching(pattern: bytes, ignored: bytes = b"") -> Normal:
    match = re.compile(b'"?(%b)%b"?' % (pattern, ignored)).fullmatch

    def normal(field: bytes) -> bytes | None:
        return found[1] if (found := match(field)) else None

    return normal


def _number(field: bytes) -> bytes | None:
    found = _NUMBER(field)
    if not found:
        return None
    try:
        number = Decimal(found[1].decode()).normalize(_EXACT)
    except DecimalException:
        return None
    return str(number).encode() if number else b"0"


_TIME = rb"\d\d:\d\d:\d\d(?:\.\d{6})?"
# PostgreSQL ignores the offset if the type has no time zone.
_OFFSET = rb"(?:[+-]\d\d:\d\d(?::\d\d(?:\.\d{6})?)?)?"
_INTEGER = _matching(rb"0|-?[1-9]\d{0,18}")
_NORMAL_FORMS: Mapping[str, Normal] = {
    "text": _text,
    "character varying": _text,
    "smallint": _INTEGER,
    "integer": _INTEGER,
    "bigint": _INTEGER,
    "numeric": _number,
    "boolean": _TRUTHS.get,
    "date": _matching(rb"\d{4}-\d\d-\d\d"),
    "timestamp without time zone": _matching(rb"\d{4}-\d\d-\d\d " + _TIME, _OFFSET),
    "time without time zone": _matching(_TIME, _OFFSET),
    "uuid": _matching(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}
"""Types whose values are equal if their texts are. Other texts depend on more than the type."""
