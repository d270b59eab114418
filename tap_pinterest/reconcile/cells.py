"""Reads the cells of an export: numbers, days and ids, in the formats of spreadsheets."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

DATES = ("%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d")
NONE = frozenset({"", "-", "--", "\N{EN DASH}", "\N{EM DASH}", "n/a", "null"})
TOTALS = frozenset(
    {
        *("total", "totals", "grand total", "grand totals", "overall", "overall total"),
        *("sum", "summary"),
    }
)
MARKS = (".", ",")
"""The decimal marks."""

_UNIT = re.compile(r"\s*\([^)]*\)\s*$")
_SIGN = r"[$\xa2-\xa5\u0e3f\u20a0-\u20cf]"
_CELL = re.compile(r"(\()?([^\d,'()]*)(\d(?:[\d.,' ]*\d)?)([^\d.,'()]*)(\))?")
_BEFORE = re.compile(rf"(?:[^\W\d_]{{1,3}}\.? ?)?{_SIGN}?")
_AFTER = re.compile(rf"|%|{_SIGN}|[A-Z]{{3}}|kr|z\u0142|K\u010d|Ft|lei")
_NO_CURRENCIES = frozenset({"MIO", "MRD", "BIO", "TSD", "MLN", "BLN", "MIL", "MLD"})
_BODY: Mapping[str, re.Pattern[str]] = {
    ".": re.compile(
        r"(?:\d+|(?!0)\d{1,3}([ ',])\d{3}(?:\1\d{3})*|(?!0)\d{1,2}(?:,\d\d)+,\d{3})(?:\.\d+)?"
    ),
    ",": re.compile(r"(?:\d+|(?!0)\d{1,3}([ '.])\d{3}(?:\1\d{3})*)(?:,\d+)?"),
}


class CellError(Exception):
    """A cell cannot be read, or could mean two things; the text says why."""


def key(label: str) -> str:
    """A label without its unit, in lower case."""
    return " ".join(_UNIT.sub("", label.strip().lower()).split())


def is_total(text: str) -> bool:
    """Whether a cell marks its row as totals."""
    return key(text).rstrip(":") in TOTALS


def identifier(text: str) -> str:
    """The id of a cell, without the marks that keep a spreadsheet from changing it.

    Raises:
        CellError: The cell is no id.
    """
    bare = re.sub(r'^=?"(.*)"$', r"\1", text.strip()).lstrip("'")
    if bare and not re.fullmatch("[0-9]+", bare):
        msg = f"{text!r} is no id; a spreadsheet may have shortened it"
        raise CellError(msg)
    return bare


def day(text: str) -> date | None:
    """The day of a cell; `None` if the cell is empty or marks totals.

    Raises:
        CellError: The cell is no date.
    """
    text = text.strip()
    if text.lower() in NONE or is_total(text):
        return None
    for form in DATES:
        try:
            return datetime.strptime(text[:10], form).date()  # noqa: DTZ007 - a day, not a moment
        except ValueError:
            continue
    msg = f"{text!r} is no date; allowed: YYYY-MM-DD, MM/DD/YYYY, DD.MM.YYYY"
    raise CellError(msg)


def readings(text: str, *, is_whole: bool) -> Mapping[str, Decimal]:
    """The possible numbers of a cell, by decimal mark; none if the cell is empty.

    Example: 1,234 is 1234 with the mark "." and 1.234 with the mark ",".

    Args:
        text: The cell.
        is_whole: Whether the metric has no fractions.

    Raises:
        CellError: The cell is no number.
    """
    if text.strip().lower() in NONE:
        return {}
    is_negative, body = _parts(text)
    found = {
        mark: Decimal(re.sub(rf"[^\d{mark}]", "", body).replace(mark, ".")) * (-1) ** is_negative
        for mark in MARKS
        if _BODY[mark].fullmatch(body)
    }
    if not found:
        raise _no_number(text)
    whole = {mark: value for mark, value in found.items() if value == value.to_integral_value()}
    return (is_whole and whole) or found


def _parts(text: str) -> tuple[bool, str]:
    """Whether a number is negative, and its digits with the marks between them."""
    plain = " ".join(text.replace("\N{MINUS SIGN}", "-").replace("\u2019", "'").split())
    found = _CELL.fullmatch(plain)
    if not found:
        raise _no_number(text)
    opened, before, body, after, closed = found.groups()
    signs = re.sub(r"[^-+]", "", before + after) + "-" * bool(opened)
    before, after = (re.sub(r"[-+]", "", each).strip() for each in (before, after))
    is_plain = _BEFORE.fullmatch(before) and _AFTER.fullmatch(after)
    if not is_plain or after in _NO_CURRENCIES or len(signs) > 1 or bool(opened) != bool(closed):
        raise _no_number(text)
    return signs == "-", body


def _no_number(text: str) -> CellError:
    return CellError(f"{text!r} is no number")
