"""Which days and ids a report call asks for: pure functions over dates and id lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from tap_pinterest.api.batches import batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

ONE_DAY = timedelta(days=1)
HOURS = 24

Granularity: TypeAlias = Literal["DAY", "HOUR", "WEEK", "MONTH", "TOTAL"]

_LONGEST = {"HOUR": 1, "DAY": 1, "WEEK": 7, "MONTH": 31}
"""Most days in a period."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class ReportLimits:
    """What one report call may ask for.

    Attributes:
        days_back: How many days before today the first day may be.
        days: Days in one call, both ends included.
        ids: Ids in one call.
        url_bytes: Length of the whole URL; 0 where the ids are in a body.
    """

    days_back: int
    days: int
    ids: int
    url_bytes: int = 0


SYNCHRONOUS = ReportLimits(days_back=90, days=90, ids=250, url_bytes=7_500)
SYNCHRONOUS_HOURS = replace(SYNCHRONOUS, days_back=8, days=3)
ASYNCHRONOUS = ReportLimits(days_back=914, days=186, ids=500)
ASYNCHRONOUS_HOURS = replace(ASYNCHRONOUS, days_back=8, days=3)
ORGANIC = ReportLimits(days_back=90, days=91, ids=100, url_bytes=7_500)
REPORT_ROWS = 100_000
"""Rows that one asynchronous report is cut to hold, as far as one can tell."""


@dataclass(frozen=True, order=True)
class DateRange:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days these are."""
        return (self.end - self.start).days + 1

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters of a call that asks for these days."""
        return {"start_date": self.start.isoformat(), "end_date": self.end.isoformat()}

    def __str__(self) -> str:
        """`2026-01-01..2026-01-31`."""
        return f"{self.start}..{self.end}"


@dataclass(frozen=True)
class Slice:
    """What one report call asks for.

    Attributes:
        dates: The days, whole periods of the granularity.
        ids: The entities; none at ad account level, and where all are asked for.
        types: The targeting types; none but for breakdowns.
        granularity: How long a period is.
        within: The campaign that the entities are in, where a call names it.
    """

    dates: DateRange
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    granularity: Granularity = "DAY"
    within: str = ""

    @property
    def rows(self) -> int:
        """Ids times periods times targeting types: the most rows there are without breakdowns."""
        count = len(periods(self.dates, self.granularity))
        hours = HOURS if self.granularity == "HOUR" else 1
        return count * hours * max(len(self.ids), 1) * max(len(self.types), 1)

    def halves(self) -> tuple[Slice, Slice] | None:
        """The slice in two, by ids if it has several, else by periods; `None` for a single one."""
        if (middle := len(self.ids) // 2) > 0:
            return replace(self, ids=self.ids[:middle]), replace(self, ids=self.ids[middle:])
        return self.shorter()

    def shorter(self) -> tuple[Slice, Slice] | None:
        """The slice in two by periods, else by targeting types; `None` for a single one."""
        whole = periods(self.dates, self.granularity)
        if (middle := len(whole) // 2) > 0:
            first = DateRange(self.dates.start, whole[middle - 1].end)
            last = DateRange(whole[middle].start, self.dates.end)
            return replace(self, dates=first), replace(self, dates=last)
        if (middle := len(self.types) // 2) > 0:
            return replace(self, types=self.types[:middle]), replace(
                self, types=self.types[middle:]
            )
        return None


def first_day(day: date, granularity: Granularity) -> date:
    """The first day of the period that a day is in: of a week its Monday."""
    if granularity == "WEEK":
        return day - ONE_DAY * day.weekday()
    return day.replace(day=1) if granularity == "MONTH" else day


def last_day(day: date, granularity: Granularity) -> date:
    """The last day of the period that a day is in."""
    if granularity not in {"WEEK", "MONTH"}:
        return day
    beyond = first_day(day, granularity) + ONE_DAY * _LONGEST[granularity]
    return first_day(beyond, granularity) - ONE_DAY


def periods(dates: DateRange, granularity: Granularity) -> list[DateRange]:
    """The periods of a range; the last one ends with it, and a total is one."""
    if granularity == "TOTAL":
        return [dates]
    found = []
    day = dates.start
    while day <= dates.end:
        end = min(last_day(day, granularity), dates.end)
        found.append(DateRange(day, end))
        day = end + ONE_DAY
    return found


def merged(ranges: Iterable[DateRange]) -> list[DateRange]:
    """The same days as ranges that are sorted, apart from each other, and not empty."""
    result: list[DateRange] = []
    for each in sorted(ranges):
        if each.start > each.end:
            continue
        if result and each.start <= result[-1].end + ONE_DAY:
            result[-1] = DateRange(result[-1].start, max(result[-1].end, each.end))
        else:
            result.append(each)
    return result


def cut(dates: DateRange, days: int, granularity: Granularity = "DAY") -> list[DateRange]:
    """The range in as few pieces of at most so many days as possible, of nearly equal length.

    Each piece is of whole periods; a period is never cut.
    """
    whole = periods(dates, granularity)
    most = max(days // _LONGEST.get(granularity, dates.days), 1)
    return [DateRange(part[0].start, part[-1].end) for part in evenly(whole, most)]


def evenly(parts: Sequence[_T], most: int) -> list[Sequence[_T]]:
    """The parts in order, in as few groups of at most so many as possible, of nearly equal size."""
    groups = -(-len(parts) // most)
    ends = [len(parts) * group // groups for group in range(groups + 1)]
    return [parts[start:end] for start, end in pairwise(ends)]


def slices(  # noqa: PLR0913 - the dimensions of a report, and their limits
    dates: DateRange,
    ids: Sequence[str],
    *,
    rows: int,
    max_ids: int,
    max_days: int,
    types: Sequence[str] = (),
    granularity: Granularity = "DAY",
) -> list[Slice]:
    """The slices that read these days of these ids in the fewest calls.

    Of two shapes with as many calls, the one with more ids a call wins: it has fewer days, so
    that what a failed call costs to repeat is newer data.

    Args:
        dates: The days to read, whole periods.
        ids: The entities to read; none of them is no slice.
        rows: Most ids times periods times types in a slice.
        max_ids: Most ids in a slice.
        max_days: Most days in a slice.
        types: Targeting types that all slices ask for.
        granularity: How long a period is.
    """
    if not ids:
        return []
    longest = _LONGEST.get(granularity, dates.days)
    hours = HOURS if granularity == "HOUR" else 1
    count = len(periods(dates, granularity))
    most = max(max_days // longest, 1)
    room = max(rows // (hours * max(len(types), 1)), 1)

    def calls(size: int) -> int:
        return -(-len(ids) // size) * -(-count // min(most, max(room // size, 1)))

    sizes = range(1, min(max_ids, room, len(ids)) + 1)
    size = min(sizes, key=lambda size: (calls(size), -size))
    days = min(most, max(room // size, 1)) * longest
    return [
        Slice(piece, batch, tuple(types), granularity)
        for batch in batches(ids, size)
        for piece in cut(dates, days, granularity)
    ]
