"""The last run in the table `sync_log`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from tap_pinterest.page.charts import day_name
from tap_pinterest.page.tables import Tables

TABLE = "sync_log"
COLUMNS = (
    *("run_id", "run_started_at", "stream", "ad_account_id", "user_id"),
    *("result", "failed", "reason"),
)
ARRIVED = "complete"
"""The result of a part whose data all arrived."""


class Part(NamedTuple):
    """A stream that lacks data of one ad account or user.

    Attributes:
        of: The ad account or the user; empty for a stream that is read once for the token.
        result: Whether any data arrived, and whether the part fails the run.
    """

    stream: str
    of: str
    result: str
    reason: str


class LastRun(NamedTuple):
    """The last run in the log.

    Attributes:
        parts: The number of parts; a part is a stream of one ad account or user.
        failed: The number of parts that failed the run.
        incomplete: The parts that lack data; parts that failed the run come first.
    """

    started_at: datetime
    parts: int
    failed: int
    incomplete: Sequence[Part]

    @property
    def sentence(self) -> str:
        """The run in a sentence."""
        started = f"{day_name(self.started_at, year=True)}, {self.started_at:%H:%M} UTC"
        if not self.incomplete:
            return f"Started {started}. All {self.parts:,} parts are complete."
        return f"Started {started}. Of {self.parts:,} parts these are not complete:"


def last_run(tables: Tables) -> LastRun | None:
    """The run that started last."""
    if not tables.has(TABLE, *COLUMNS):
        return None
    rows = tables.query(
        """
        SELECT run_started_at::timestamp, coalesce(failed::boolean, false), stream,
               coalesce(nullif(ad_account_id, ''), user_id, ''), result, coalesce(reason, '')
          FROM {log}
         WHERE run_id = (
                SELECT run_id FROM {log} WHERE run_started_at IS NOT NULL
                 ORDER BY run_started_at DESC LIMIT 1
               )
         ORDER BY 2 DESC, stream, 4
        """,
        log=tables.identifier(TABLE),
    )
    if not rows:
        return None
    parts = [
        Part(stream, of, f"{result}, fails the run" if failed else result, reason)
        for _, failed, stream, of, result, reason in rows
        if failed or result != ARRIVED
    ]
    return LastRun(rows[0][0], len(rows), sum(failed for _, failed, *_ in rows), parts)


def missing(tables: Tables) -> Iterator[str]:
    """A sentence if the log cannot be shown."""
    lacking = [column for column in COLUMNS if not tables.has(TABLE, column)]
    if TABLE not in tables.columns:
        yield f"The last run: there is no table {TABLE}."
    elif lacking:
        yield f"The last run: {TABLE} has no column {', '.join(lacking)}."
