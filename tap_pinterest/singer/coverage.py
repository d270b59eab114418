"""Intervals of days of a report that earlier runs have read; pure functions over dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from tap_pinterest.api.periods import DateRange, merged

MIXED = "mixed"
"""Stands for the settings of days whose rows may come from two different settings."""
GIVEN_UP = "!"
"""End of the settings of days that are outdated and out of reach, once a run has warned of them."""


@dataclass(frozen=True, order=True)
class Interval:
    """Days that were read with the same settings.

    Attributes:
        settings: Fingerprint of the settings, or `MIXED`.
        as_of: The last complete day when these days were read. Their numbers are final if they
            lie more than the lookback before it.
    """

    start: date
    end: date
    settings: str
    as_of: date

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read an interval from the state, such as `2026-01-01/2026-03-31/1a2b3c4d/2026-11-18`.

        Raises:
            ValueError: The text has another form.
        """
        start, end, settings, as_of = text.split("/")
        day = date.fromisoformat
        return cls(day(start), day(end), settings, day(as_of))

    def __str__(self) -> str:
        """The form in the state."""
        return f"{self.start}/{self.end}/{self.settings}/{self.as_of}"

    def is_final(self, lookback_days: int) -> bool:
        """Whether the numbers of all its days are final."""
        return self.end < before(self.as_of, lookback_days)

    def stale(self, settings: str, lookback_days: int) -> DateRange:
        """The days to read again; an empty range if there are none."""
        if self.settings != settings:
            return DateRange(self.start, self.end)
        return DateRange(max(self.start, before(self.as_of, lookback_days)), self.end)


def missing(known: Sequence[Interval], wanted: DateRange) -> list[DateRange]:
    """The wanted days that lie in no interval."""
    covered = merged(DateRange(each.start, each.end) for each in known)
    edges = [
        DateRange(date.min, before(wanted.start, 1)),
        *(each for each in covered if each.end >= wanted.start and each.start <= wanted.end),
        DateRange(after(wanted.end, 1), date.max),
    ]
    gaps = (
        DateRange(after(left.end, 1), before(right.start, 1)) for left, right in pairwise(edges)
    )
    return [each for each in gaps if each.start <= each.end]


def painted(
    known: Iterable[Interval], over: Iterable[Interval], lookback_days: int
) -> list[Interval]:
    """The intervals, with newer ones replacing parts of older ones, and equal neighbours joined."""
    layers = list(known)
    for new in over:
        layers = [piece for each in layers for piece in _without(each, new)] + [new]
    return _joined(sorted(layers), lookback_days)


def _without(interval: Interval, other: Interval) -> Iterable[Interval]:
    """The parts of an interval outside another one."""
    if other.start > interval.end or other.end < interval.start:
        return (interval,)
    pieces = []
    if interval.start < other.start:
        pieces.append(replace(interval, end=before(other.start, 1)))
    if other.end < interval.end:
        pieces.append(replace(interval, start=after(other.end, 1)))
    return pieces


def _joined(intervals: Sequence[Interval], lookback_days: int) -> list[Interval]:
    result: list[Interval] = []
    for each in intervals:
        if result and _may_join(result[-1], each, lookback_days):
            newest = max(result[-1].as_of, each.as_of)
            as_of = newest if each.is_final(lookback_days) else each.as_of
            result[-1] = replace(result[-1], end=each.end, as_of=as_of)
        else:
            result.append(each)
    return result


def _may_join(left: Interval, right: Interval, lookback_days: int) -> bool:
    if left.settings != right.settings or after(left.end, 1) != right.start:
        return False
    return left.as_of == right.as_of or left.is_final(lookback_days)


def before(day: date, days: int) -> date:
    """The day some days earlier, or `date.min`: a state may name days near it."""
    return day - timedelta(days=min(days, (day - date.min).days))


def after(day: date, days: int) -> date:
    """The day some days later, or `date.max`."""
    return day + timedelta(days=min(days, (date.max - day).days))
