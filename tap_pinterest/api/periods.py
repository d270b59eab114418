"""Divides days and ids into report calls: pure functions over dates and id lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import TypeVar

from tap_pinterest.api.batches import batches

ONE_DAY = timedelta(days=1)

_T = TypeVar("_T")


@dataclass(frozen=True)
class ReportLimits:
    """The limits of one report call.

    Attributes:
        days_back: The first day may be at most this many days before today.
        days: Days in one call, both ends included.
        ids: Ids in one call.
        url_bytes: Length of the whole URL; 0 if the ids are in a body.
    """

    days_back: int
    days: int
    ids: int
    url_bytes: int = 0


SYNCHRONOUS = ReportLimits(days_back=90, days=90, ids=250, url_bytes=7_500)
ASYNCHRONOUS = ReportLimits(days_back=914, days=186, ids=500)
ORGANIC = ReportLimits(days_back=90, days=91, ids=100, url_bytes=7_500)


def _itself(day: date) -> date:
    return day


def _monday(day: date) -> date:
    return day - ONE_DAY * day.weekday()


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


@dataclass(frozen=True)
class Granularity:
    """The length of the periods in a report.

    Attributes:
        name: The name in the API.
        longest: Most days in a period; `None` if all days together are one period.
        keys: Key properties that identify the period of a row.
        rows: Rows of an entity in a period.
        first_day: The first day of the period that a day is in.
        days_back: Earliest first day, as days before today, if it is later than for others.
        days: Most days in a call or report, if they are fewer than for others.
        settled_after: Days after which numbers no longer change; `None` if that depends on the
            attribution windows.
        has_conversions: Whether its periods count conversions.
        kind: A name for such reports, if Pinterest keeps them for a shorter time.
    """

    name: str
    longest: int | None = 1
    keys: tuple[str, ...] = ("date",)
    rows: int = 1
    first_day: Callable[[date], date] = _itself
    days_back: int | None = None
    days: int | None = None
    settled_after: int | None = None
    has_conversions: bool = True
    kind: str = ""

    @property
    def is_total(self) -> bool:
        """Whether all days together are one period."""
        return self.longest is None

    @property
    def is_longer(self) -> bool:
        """Whether a period has several days; its first day is then the date of the row."""
        return (self.longest or 1) > 1

    def __str__(self) -> str:
        """`DAY`."""
        return self.name

    def last_day(self, day: date) -> date:
        """The last day of the period that a day is in."""
        if not self.is_longer:
            return day
        return self.first_day(self.first_day(day) + ONE_DAY * (self.longest or 1)) - ONE_DAY

    def limited(self, limits: ReportLimits) -> ReportLimits:
        """The limits of a report with such periods."""
        return replace(
            limits,
            days_back=min(limits.days_back, self.days_back or limits.days_back),
            days=min(limits.days, self.days or limits.days),
        )


DAY = Granularity("DAY")
GRANULARITIES: Mapping[str, Granularity] = {
    each.name: each
    for each in (
        DAY,
        Granularity(
            "HOUR",
            keys=("date", "hour"),
            rows=24,
            days_back=8,
            days=3,
            settled_after=2,
            has_conversions=False,
            kind="reports by hour",
        ),
        Granularity("WEEK", longest=7, first_day=_monday),
        Granularity("MONTH", longest=31, first_day=_first_of_month),
        Granularity("TOTAL", longest=None, keys=("start_date", "date")),
    )
}
"""All granularities, by their names in the API; a stream of days has the plain name."""


@dataclass(frozen=True, order=True)
class DateRange:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """The number of days."""
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
    """The days, ids and types that one report call asks for.

    Attributes:
        dates: The days, whole periods of the granularity.
        ids: The entities; empty at ad account level, and if the call asks for all.
        types: The targeting types; empty without a breakdown.
        within: The campaign of the entities, if a call names it.
    """

    dates: DateRange
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    granularity: Granularity = DAY
    within: str = ""

    @property
    def rows(self) -> int:
        """Ids times periods times targeting types: the most rows without a breakdown."""
        count = len(periods(self.dates, self.granularity))
        return count * self.granularity.rows * max(len(self.ids), 1) * max(len(self.types), 1)

    def halves(self) -> tuple[Slice, Slice] | None:
        """Two halves, by ids if there are several, else by periods; `None` if neither works."""
        if (middle := len(self.ids) // 2) > 0:
            return replace(self, ids=self.ids[:middle]), replace(self, ids=self.ids[middle:])
        return self.shorter()

    def shorter(self) -> tuple[Slice, Slice] | None:
        """Two halves, by periods, else by targeting types; `None` if neither works."""
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


def periods(dates: DateRange, granularity: Granularity) -> list[DateRange]:
    """The periods of a range; the last period ends with the range, and a total is one period."""
    if granularity.is_total:
        return [dates]
    found = []
    day = dates.start
    while day <= dates.end:
        end = min(granularity.last_day(day), dates.end)
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


def cut(dates: DateRange, days: int, granularity: Granularity = DAY) -> list[DateRange]:
    """Cut a range into the fewest pieces that have at most `days` days, of nearly equal length.

    Each piece has whole periods.
    """
    whole = periods(dates, granularity)
    most = max(days // (granularity.longest or dates.days), 1)
    return [DateRange(part[0].start, part[-1].end) for part in evenly(whole, most)]


def evenly(parts: Sequence[_T], most: int) -> list[Sequence[_T]]:
    """Put the parts, in order, into the fewest groups of at most `most`, of nearly equal size."""
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
    granularity: Granularity = DAY,
) -> list[Slice]:
    """The slices that read these days of these ids in the fewest calls.

    Of two shapes with the same number of calls, the shape with more ids and fewer days in a call
    wins, because a failed call then repeats newer data.

    Args:
        dates: The days to read, whole periods.
        ids: The entities to read; without ids there is no slice.
        rows: Most ids times periods times types in a slice.
        max_ids: Most ids in a slice.
        max_days: Most days in a slice.
        types: Targeting types that all slices ask for.
        granularity: How long the periods are.
    """
    if not ids:
        return []
    longest = granularity.longest or dates.days
    count = len(periods(dates, granularity))
    most = max(max_days // longest, 1)
    room = max(rows // (granularity.rows * max(len(types), 1)), 1)

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
