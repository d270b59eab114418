"""Reads the cells of an export: numbers, days and ids, in the formats of spreadsheets."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from tap_pinterest import api

DATES = ("%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d")
ORDERS: Mapping[str, str] = {"month first": "%m/%d/%Y", "day first": "%d/%m/%Y"}
"""The orders of month and day between slashes."""
NONE = frozenset({"", "-", "--", "\N{EN DASH}", "\N{EM DASH}", "n/a", "null"})
TOTALS = frozenset(
    {
        *("total", "totals", "grand total", "grand totals", "overall", "overall total"),
        *("sum", "summary"),
    }
)
MARKS = (".", ",")
"""The decimal marks."""

_SIGN = r"[$\xa2-\xa5\u0e3f\u20a0-\u20cf]"
_BRACKETS = re.compile(r"\s*\(([^)]*)\)\s*$")
_TIME = re.compile(r"[T ]\d\d?:\d\d.*$")
_CELL = re.compile(r"(\()?([^\d,'()]*)(\d(?:[\d.,' ]*\d)?)([^\d.,'()]*)(\))?")
_BEFORE = re.compile(rf"(?:[^\W\d_]{{1,3}}\.? ?)?{_SIGN}?")
_AFTER = frozenset({"", "%", "kr", "z\u0142", "K\u010d", "Ft", "lei"})
_BODY: Mapping[str, re.Pattern[str]] = {
    ".": re.compile(
        r"(?:\d+|(?!0)\d{1,3}([ ',])\d{3}(?:\1\d{3})*|(?!0)\d{1,2}(?:,\d\d)+,\d{3})(?:\.\d+)?"
    ),
    ",": re.compile(r"(?:\d+|(?!0)\d{1,3}([ '.])\d{3}(?:\1\d{3})*)(?:,\d+)?"),
}


class CellError(Exception):
    """A cell cannot be read, or could mean two things; the text says why."""


def key(label: str) -> str:
    """The label of a metric in lower case, without a currency at its end.

    Example: `Spend (USD)` is `spend`, and `Total conversions (Checkout)` keeps its event.
    """
    found = _BRACKETS.search(label)
    return _plain(label[: found.start()] if found and _is_currency(found[1]) else label)


def place(label: str) -> str:
    """The label of a column that names an account, a day or an entity, without its brackets."""
    return _plain(_BRACKETS.sub("", label))


def is_total(text: str) -> bool:
    """Whether a cell marks its row as totals."""
    return place(text).rstrip(":") in TOTALS


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _is_currency(text: str) -> bool:
    return bool(re.fullmatch(_SIGN, text)) or text in api.enum("NullableCurrency")


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


@functools.cache
def days(text: str) -> Mapping[str, date]:
    """The possible days of a cell, by the order of month and day; none if the cell is empty.

    Example: 11/09/2026 is 2026-11-09 with the month first, and 2026-09-11 with the day first.

    Raises:
        CellError: The cell is no date.
    """
    if not text:
        return {}
    bare = _TIME.sub("", text)
    found = {order: day for order, form in ORDERS.items() if (day := _day(bare, (form, *DATES)))}
    if not found:
        msg = f"{text!r} is no date; allowed: YYYY-MM-DD, MM/DD/YYYY, DD/MM/YYYY, DD.MM.YYYY"
        raise CellError(msg)
    return found


def _day(text: str, forms: tuple[str, ...]) -> date | None:
    for form in forms:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day, not a moment
        except ValueError:
            continue
    return None


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
    is_plain = _BEFORE.fullmatch(before) and (after in _AFTER or _is_currency(after))
    if not is_plain or len(signs) > 1 or bool(opened) != bool(closed):
        raise _no_number(text)
    return signs == "-", body


def _no_number(text: str) -> CellError:
    return CellError(f"{text!r} is no number")
