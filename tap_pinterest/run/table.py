"""Tables for a person to read, and the table at the end of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from tap_pinterest.api.naming import listed
from tap_pinterest.api.periods import merged
from tap_pinterest.run.outcome import Outcome

HEADINGS = ("Stream", "Accounts", "Rows", "Calls", "Took", "Days", "Result")
ALIGNED_RIGHT = frozenset({"Accounts", "Rows", "Calls", "Took"})
MOST_RANGES = 2


def lines(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """A line of headings, and a line for each stream that was read, or read in part."""
    rows = [
        _cells(stream, list(alike)) for stream, alike in groupby(outcomes, attrgetter("stream"))
    ]
    read = [row for row in rows if row]
    if not read:
        return
    yield from aligned([HEADINGS, *read], ALIGNED_RIGHT)


def aligned(table: Sequence[Sequence[str]], right: Collection[str]) -> Iterator[str]:
    """The rows of a table as lines; columns under these headings are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(
            cell.rjust(width) if heading in right else cell.ljust(width)
            for heading, width, cell in zip(table[0], widths, row, strict=True)
        ).rstrip()


def _cells(stream: str, alike: Sequence[Outcome]) -> tuple[str, ...]:
    """The cells of a stream; no cells if nothing of it was read."""
    read = [each for each in alike if each.result in {"complete", "partial"}]
    if not read:
        return ()
    named = [each for each in alike if each.ad_account_id or each.user_id]
    accounts = f"{len(read):,} of {len(alike):,}" if named else ""
    seconds = sum(
        (each.ended - each.started).total_seconds() for each in alike if each.started and each.ended
    )
    return (
        stream,
        accounts,
        f"{sum(each.rows for each in alike):,}",
        f"{sum(each.calls for each in alike):,}",
        f"{seconds:,.0f} s",
        _days(alike),
        _result(alike),
    )


def _days(alike: Sequence[Outcome]) -> str:
    ranges = merged(dates for each in alike for dates in each.ranges)
    return listed([*map(str, ranges)], MOST_RANGES)


def _result(alike: Sequence[Outcome]) -> str:
    """How many of them are not complete, the worst first."""
    failed = sum(each.has_failed for each in alike)
    left_out = sum(bool(each.reason) for each in alike) - failed
    if not (failed or left_out):
        return "complete"
    words = (f"{failed} failed" if failed else "", f"{left_out} skipped" if left_out else "")
    return ", ".join(filter(None, words))
