"""The summary of a run: for each stream its rows, calls, failures and skipped parts."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from tap_pinterest.reading.contexts import of_context
from tap_pinterest.records.conform import UnknownCounts
from tap_pinterest.singer.process import is_watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_pinterest.clock import Clock

WIDE = 110
"""Characters of a terminal that has room for the days as well."""

_logger = logging.getLogger("tap-pinterest.summary")


@dataclass
class StreamSummary:
    """The results of one stream in this run.

    Attributes:
        contexts: Ad accounts read to the end; 1 for a stream without ad accounts.
        unasked: Contexts that needed no call, because there was nothing to ask for.
        rows: Records written.
        calls: Calls to the stream's own operation, retries included.
        retries: Calls that had to be made again.
        seconds: How long it took.
        seconds_waited: How long its calls waited for quota, or before they were made again; several
            may wait at once.
        planned: Ad accounts that are to be read.
        ranges: Days read, as `2026-01-01..2026-01-31`, each with how many accounts.
        failures: Errors, by ad account (an empty text for none).
        skipped: Why something was left out, by ad account.
        duplicates: Records left out because the same one had come.
        added_up: Rows that Pinterest sent in parts, and that were added up.
        unknowns: Fields, values and types that the schema does not know.
        keeps_extra_fields: Whether records keep unknown fields.
    """

    contexts: int = 0
    unasked: int = 0
    rows: int = 0
    calls: int = 0
    retries: int = 0
    seconds: float = 0.0
    seconds_waited: float = 0.0
    planned: int = 0
    duplicates: int = 0
    added_up: int = 0
    ranges: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    unknowns: UnknownCounts = field(default_factory=UnknownCounts)
    keeps_extra_fields: bool = False

    def read(self, *, asked: bool) -> None:
        """Count a context that has been read to its end."""
        self.contexts += 1
        self.unasked += not asked

    @property
    def answered(self) -> int:
        """Ad accounts that were asked, and have answered."""
        return self.contexts - self.unasked

    def as_json(self) -> dict[str, Any]:
        """The summary without empty parts."""
        facts = {
            "accounts": self.contexts,
            "rows": self.rows,
            "calls": self.calls,
            "retries": self.retries,
            "seconds": round(self.seconds, 1),
            "seconds_waited": round(self.seconds_waited, 1),
            "duplicates": self.duplicates,
            "added_up": self.added_up,
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
        self.is_cut_short = False
        """Whether the run has ended before everything was read."""
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
        """Whether something that must arrive did not."""
        return self.is_cut_short or any(part.failures for part in self.streams.values())

    def tell(self) -> None:
        """Write one JSON line, and before it a table if stderr is a terminal."""
        for line in self._remarks():
            _logger.warning("%s", line)
        for line in self._news():
            _logger.info("%s", line)
        if is_watched():
            self._print_table()
        facts = {
            "streams": {name: part.as_json() for name, part in self.streams.items()},
            "seconds_waited": round(self.seconds_waited, 1),
            "failed": self.failed,
        }
        _logger.info("Summary: %s", msgspec.json.encode(facts).decode())

    def _remarks(self) -> Iterator[str]:
        for name, part in self.streams.items():
            for account, reason in part.failures.items():
                yield f"FAILED {name}{of_context(account)}: {reason}"
            for account, reason in part.skipped.items():
                yield f"Skipped {name}{of_context(account)}: {reason}"

    def _news(self) -> Iterator[str]:
        """Fields and values from Pinterest that the tap does not know yet."""
        for name, part in self.streams.items():
            if part.unknown:
                listed = ", ".join(f"{what} ({count})" for what, count in part.unknown.items())
                kept = "; the column extra_fields has the fields" if part.keeps_extra_fields else ""
                yield f"New from Pinterest in {name}: {listed}{kept}"

    def _print_table(self) -> None:
        # rich takes a while to import, and a run on a pipe never needs it.
        from rich.box import SIMPLE_HEAD  # noqa: PLC0415
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        table = Table(box=SIMPLE_HEAD, collapse_padding=True)
        table.add_column("Stream", no_wrap=True)
        for heading in ("Accounts", "Rows", "Calls", "Retries", "Waited", "Took"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("Outcome", no_wrap=True)
        console = Console(stderr=True)
        if with_days := console.width >= WIDE:
            table.add_column("Days", overflow="fold")
        for name, part in self.streams.items():
            days = ", ".join(part.ranges)
            numbers = (part.contexts, part.rows, part.calls, part.retries)
            times = (part.seconds_waited, part.seconds)
            cells = (*(f"{each:,}" for each in numbers), *(f"{each:,.0f} s" for each in times))
            table.add_row(name, *cells, _outcome(part), *([days] if with_days else []))
        console.print(table)


def _outcome(part: StreamSummary) -> str:
    if part.failures:
        return f"[red]{len(part.failures)} failed[/red]"
    return f"[yellow]{len(part.skipped)} skipped[/yellow]" if part.skipped else "[green]ok[/green]"
