"""The last run in the table `sync_log`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_pinterest.page.charts import day_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from tap_pinterest.page.tables import Tables

TABLE = "sync_log"
COLUMNS = ("run_id", "started_at", "stream", "account_id", "result", "reason")
ARRIVED = "complete"
"""The result of a stream that has arrived whole."""


class Part(NamedTuple):
    """A stream of one ad account or user that has not arrived whole."""

    stream: str
    account: str
    result: str
    reason: str


class LastRun(NamedTuple):
    """The last run in the log.

    Attributes:
        started_at: When it began.
        parts: How many streams and accounts it has read or tried to read.
        failures: Those that have not arrived whole.
    """

    started_at: datetime
    parts: int
    failures: Sequence[Part]

    @property
    def told(self) -> str:
        """The run in a sentence."""
        started = f"{day_name(self.started_at, year=True)}, {self.started_at:%H:%M} UTC"
        if not self.failures:
            return f"Started {started}; all of its {self.parts:,} parts arrived."
        return f"Started {started}; of its {self.parts:,} parts these did not arrive whole:"


def last_run(tables: Tables) -> LastRun | None:
    """The run that started last."""
    if not tables.has(TABLE, *COLUMNS):
        return None
    rows = tables.query(
        """
        SELECT started_at, stream, account_id, result, reason FROM {log}
         WHERE run_id = (SELECT run_id FROM {log} ORDER BY started_at DESC LIMIT 1)
         ORDER BY stream, account_id
        """,
        log=tables.identifier(TABLE),
    )
    if not rows:
        return None
    parts = [Part(*(text or "" for text in each)) for _, *each in rows]
    failures = [each for each in parts if each.result != ARRIVED]
    return LastRun(min(row[0] for row in rows), len(rows), failures)


def missing(tables: Tables) -> Iterator[str]:
    """A sentence if the log cannot be shown."""
    lacking = [column for column in COLUMNS if not tables.has(TABLE, column)]
    if TABLE not in tables.columns:
        yield f"What failed last: there is no table {TABLE}."
    elif lacking:
        yield f"What failed last: {TABLE} has no column {', '.join(lacking)}."
