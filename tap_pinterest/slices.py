"""Which days and ids a report call asks for: pure functions over dates and id lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ReportLimits:
    """What one report call may ask for.

    Attributes:
        days_back: How many days before today the first day may be.
        days: Days in one call, both ends included.
        ids: Ids in one call.
        url_bytes: Length of the whole URL.
    """

    days_back: int
    days: int
    ids: int
    url_bytes: int


SYNCHRONOUS = ReportLimits(days_back=90, days=90, ids=250, url_bytes=7_500)


@dataclass(frozen=True, order=True)
class DateRange:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days these are."""
        return (self.end - self.start).days + 1

    def __str__(self) -> str:
        """`2026-01-01..2026-01-31`."""
        return f"{self.start}..{self.end}"


@dataclass(frozen=True)
class Slice:
    """What one report call asks for: a range of days, and ids (none at ad account level)."""

    dates: DateRange
    ids: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Most rows that can come back."""
        return self.dates.days * max(len(self.ids), 1)

    def halves(self) -> tuple[Slice, Slice] | None:
        """The slice in two, by ids if it has several, else by days; `None` for a single row."""
        if (middle := len(self.ids) // 2) > 0:
            return Slice(self.dates, self.ids[:middle]), Slice(self.dates, self.ids[middle:])
        if self.dates.days == 1:
            return None
        last = self.dates.start + ONE_DAY * (self.dates.days // 2 - 1)
        return (
            Slice(DateRange(self.dates.start, last), self.ids),
            Slice(DateRange(last + ONE_DAY, self.dates.end), self.ids),
        )


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


def cut(dates: DateRange, days: int) -> list[DateRange]:
    """The range in as few pieces of at most so many days as possible, of nearly equal length."""
    pieces = -(-dates.days // days)
    starts = [dates.start + ONE_DAY * (dates.days * piece // pieces) for piece in range(pieces)]
    ends = [start - ONE_DAY for start in starts[1:]] + [dates.end]
    return [DateRange(start, end) for start, end in zip(starts, ends, strict=True)]


def batches(ids: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    """The ids in order, in as few batches of at most `size` as possible."""
    for start in range(0, len(ids), size):
        yield tuple(ids[start : start + size])


def slices(
    dates: DateRange, ids: Sequence[str], *, rows: int, max_ids: int, max_days: int
) -> list[Slice]:
    """The slices that read these days of these ids in the fewest calls.

    Of two shapes with as many calls, the one with more ids a call wins: it has fewer days, so
    that what a failed call costs to repeat is newer data.

    Args:
        dates: The days to read.
        ids: The entities to read; none of them is no slice.
        rows: Most ids times days in a slice.
        max_ids: Most ids in a slice.
        max_days: Most days in a slice.
    """
    if not ids:
        return []

    def calls(size: int) -> int:
        days = min(max_days, max(rows // size, 1))
        return -(-len(ids) // size) * -(-dates.days // days)

    size = min(range(1, min(max_ids, rows, len(ids)) + 1), key=lambda size: (calls(size), -size))
    days = min(max_days, max(rows // size, 1))
    return [Slice(piece, batch) for batch in batches(ids, size) for piece in cut(dates, days)]
