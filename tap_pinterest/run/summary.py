"""The results of a run while it goes on: by stream, and by ad account or user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tap_pinterest.api.periods import DateRange
from tap_pinterest.clock import Clock
from tap_pinterest.http.tally import Tally
from tap_pinterest.records.strays import UnknownCounts


@dataclass(slots=True)
class ContextSummary:
    """The results of a stream for one ad account or user, or for the token alone.

    Attributes:
        started: When its reading began, in Unix seconds; 0 if it has not.
        ended: When its reading ended; 0 if it has not.
        is_read: Whether it was read to its end.
        rows: Records written.
        ranges: Days asked for, each range with whether asynchronous reports have it.
        tally: The cost of its calls; known once the run is over.
        complete_to: The last day of complete numbers; known once the run is over.
        left: Entities whose calls are left to later runs.
    """

    started: float = 0.0
    ended: float = 0.0
    is_read: bool = False
    rows: int = 0
    ranges: list[tuple[DateRange, bool]] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    complete_to: date | None = None
    left: int = 0

    def note(self, dates: DateRange, *, asynchronous: bool = False) -> None:
        """Take note of days that are asked for."""
        self.ranges.append((dates, asynchronous))


@dataclass
class StreamSummary:
    """The results of one stream in this run.

    Attributes:
        parts: Its results by the name of the context, as `name_of` gives it.
        current: The part that is being read.
        contexts: Ad accounts read to the end; 1 for a stream without ad accounts.
        unasked: Contexts that needed no call, because there was nothing to ask for.
        nothing: Why it has no context at all.
        tally: The cost of its calls; several may have waited at once.
        failures: Errors, by ad account (an empty text for none).
        skipped: Why something was left out, by ad account.
        duplicates: Records left out because they repeat an earlier one.
        added_up: Rows that Pinterest sent in parts, and that the tap added up.
        unknowns: Fields, values and types that the schema does not know.
        keeps_extra_fields: Whether records keep unknown fields.
    """

    parts: dict[str, ContextSummary] = field(default_factory=dict)
    current: ContextSummary = field(default_factory=ContextSummary)
    contexts: int = 0
    unasked: int = 0
    nothing: str = ""
    seconds: float = 0.0
    tally: Tally = field(default_factory=Tally)
    duplicates: int = 0
    added_up: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    unknowns: UnknownCounts = field(default_factory=UnknownCounts)
    keeps_extra_fields: bool = False

    def of(self, context: str) -> ContextSummary:
        """The part of one ad account or user."""
        return self.parts.setdefault(context, ContextSummary())

    @contextmanager
    def reading(self, context: str, clock: Clock) -> Iterator[None]:
        """Take note of a context while it is being read."""
        part = self.current = self.of(context)
        part.started = clock.now()
        try:
            yield
        finally:
            part.ended = clock.now()

    def miss(self, context: str, reason: str, *, has_failed: bool) -> None:
        """Add the reason why data of a context are missing: a failure, or they were skipped."""
        reasons = self.failures if has_failed else self.skipped
        reasons[context] = "; ".join(filter(None, (reasons.get(context), reason)))

    def read(self, *, asked: bool = True) -> None:
        """Count a context that has been read to its end."""
        self.contexts += 1
        self.unasked += not asked
        self.current.is_read = True

    def add(self, tally: Tally) -> None:
        """Add the cost of calls that belong to no single account or user to the first part."""
        if tally.calls:
            first = next(iter((*self.parts, *self.failures, *self.skipped)), "")
            self.of(first).tally += tally

    @property
    def rows(self) -> int:
        """Records written."""
        return sum(part.rows for part in self.parts.values())

    @property
    def left(self) -> int:
        """Entities whose calls are left to later runs."""
        return sum(part.left for part in self.parts.values())

    @property
    def ranges(self) -> Counter[str]:
        """Days read, as `2026-01-01..2026-01-31`, each with how many accounts."""
        return Counter(
            f"{dates} (async)" if asynchronous else str(dates)
            for part in self.parts.values()
            for dates, asynchronous in part.ranges
        )

    @property
    def answered(self) -> int:
        """Ad accounts that were asked, and have answered."""
        return self.contexts - self.unasked

    def as_json(self) -> dict[str, Any]:
        """The summary without empty parts."""
        facts = {
            "accounts": self.contexts,
            "rows": self.rows,
            "calls": self.tally.calls,
            "retries": self.tally.retries,
            "seconds": round(self.seconds, 1),
            "seconds_waited": round(self.tally.seconds_waited, 1),
            "duplicates": self.duplicates,
            "added_up": self.added_up,
            "left": self.left,
            "ranges": dict(self.ranges),
            "failures": self.failures,
            "skipped": self.skipped,
            "unknown": self.unknown,
        }
        return {name: value for name, value in facts.items() if value or name == "rows"}

    @property
    def unknown(self) -> dict[str, int]:
        """Fields, enum values and types that the schema does not know, with their counts."""
        return {
            **self.unknowns.fields,
            **{f"{name}={value}": n for (name, value), n in self.unknowns.values.items()},
            **{f"{name} as {kind}": n for (name, kind), n in self.unknowns.misfits.items()},
        }


class Summary:
    """Collects the results of all streams."""

    def __init__(self) -> None:
        self.streams: dict[str, StreamSummary] = {}
        self.seconds_waited = 0.0
        self.ended_by = ""
        """Why the run has ended before everything was read; empty if it has not."""
        self.current: str | None = None
        """The stream that is being read."""
        self.when_read: Callable[[str], None] = lambda _: None
        """Called with each stream after it was read, also after a failure."""

    @contextmanager
    def reading(self, stream: str, clock: Clock) -> Iterator[None]:
        """Measure the time that a stream takes, and show it as the current one."""
        part, started = self.of(stream), clock.monotonic()
        self.current = stream
        try:
            yield
        finally:
            part.seconds += clock.monotonic() - started
            self.current = None
            self.when_read(stream)

    def of(self, stream: str) -> StreamSummary:
        """The part of one stream."""
        if stream not in self.streams:
            self.streams[stream] = StreamSummary()
        return self.streams[stream]

    @property
    def failed(self) -> bool:
        """Whether the run failed: required data is missing, or the run ended early."""
        return bool(self.ended_by) or any(part.failures for part in self.streams.values())

    def as_json(self) -> dict[str, Any]:
        """The summary for programs."""
        return {
            "streams": {name: part.as_json() for name, part in self.streams.items()},
            "seconds_waited": round(self.seconds_waited, 1),
            "failed": self.failed,
        }
