"""Reads the API's times and days: texts, or numbers since 1970 in one of several units."""

from __future__ import annotations

import functools
import re
from datetime import UTC, date, datetime
from typing import Any

UNITS = (1, 1000, 1_000_000)
"""The number of seconds, milliseconds and microseconds in a second."""
LATEST_SECOND = 253_402_300_799
"""The last second of the year 9999, the last year of an ISO date-time."""
USUAL_YEARS = range(2009, 2101)
"""Years in which an object on Pinterest can have been made."""
USUAL_SECONDS = range(1_230_768_000, 4_133_980_800)
"""The same years, in seconds since 1970."""
NOTHING = frozenset({0, -1})
"""Numbers that mean: no time."""

_WHEN_MADE = re.compile(
    r"(^|_)(creat|updat|modif|verif|accept|sent|shared|fired|complet|process|upload|submit|chang)"
)


def says_when_made(name: str) -> bool:
    """Whether a field of this name has the time when something was made, changed or done.

    Such a time is in the `USUAL_YEARS`; a start, an end or an expiry may be in other years.
    """
    return bool(_WHEN_MADE.search(name.rpartition(".")[2]))


def seconds_of(count: float) -> int:
    """The seconds since 1970 of a number that counts seconds, milliseconds or microseconds.

    The units differ by a factor of 1,000, so only one of them gives one of the `USUAL_YEARS`. If
    none does, the number counts in the first of these units in which it is not too large.

    Raises:
        OverflowError: The number is too large for each unit.
        ValueError: The number is negative.
    """
    if count < 0:
        raise ValueError
    readings = [int(count // unit) for unit in UNITS]
    for seconds in readings:
        if seconds in USUAL_SECONDS:
            return seconds
    for seconds in readings:
        if seconds <= LATEST_SECOND:
            return seconds
    raise OverflowError


def instant(value: str | float, *, when_made: bool) -> str | None:
    """A time as ISO date-time in UTC; an empty text and the API's "none" as null.

    Args:
        value: An ISO date-time, or a number that counts from 1970, which may be a text.
        when_made: Whether it is the time when something was made.

    Raises:
        ValueError: It is not a time, or something was made outside the `USUAL_YEARS`.
        OverflowError: It is beyond the year 9999.
    """
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        value = int(value)
    if isinstance(value, str):
        if not value:
            return None
        moment = datetime.fromisoformat(value)
    else:
        if value in NOTHING:
            return None
        moment = datetime.fromtimestamp(seconds_of(value), UTC)
    if moment.tzinfo is not None and moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    if when_made and moment.year not in USUAL_YEARS:
        raise ValueError
    return _text(moment)


def instant_of(seconds: float) -> str:
    """Unix seconds as ISO date-time in UTC."""
    return _text(datetime.fromtimestamp(seconds, UTC))


def _text(moment: datetime) -> str:
    return moment.isoformat()[:19] + "Z"


@functools.lru_cache
def day(value: Any, *, when_made: bool = False) -> str | None:  # noqa: ANN401
    """A day as YYYY-MM-DD, also from a date-time; an empty text as null.

    Raises:
        TypeError: It is not a text, or is longer than a date-time.
        ValueError: It is not a day, or something was made outside the `USUAL_YEARS`.
    """
    if value.__class__ is not str or value[10:11] not in {"", "T", " "}:
        raise TypeError
    if not value:
        return None
    found = date.fromisoformat(value[:10])
    if when_made and found.year not in USUAL_YEARS:
        raise ValueError
    return found.isoformat()
