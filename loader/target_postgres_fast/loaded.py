"""Counts the progress of a load, and its changes in each table."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger

    from target_postgres_fast.batch import Written

QUIET_SECONDS = 30
"""Seconds between two lines of progress in a log file."""
WATCHED_SECONDS = 5
"""Seconds between two lines of progress at a terminal."""


@dataclass
class TableCounts:
    """Rows of one table.

    Attributes:
        arrived: Records read for the table.
        new: Rows inserted.
        changed: Rows updated.
        unchanged: Rows that existed and did not differ.
        repeated: Records that a later record with the same key replaced.
    """

    arrived: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0

    def add(self, arrived: int, written: Written) -> None:
        """Count a batch."""
        self.arrived += arrived
        self.new += written.new
        self.changed += written.changed
        self.unchanged += written.unchanged
        self.repeated += arrived - sum(written)

    def __str__(self) -> str:
        """All counts as words."""
        counts = f"{self.new:,} new, {self.changed:,} changed, {self.unchanged:,} unchanged"
        return f"{counts}, {self.repeated:,} repeated" if self.repeated else counts


class Loaded:
    """The counts of all tables."""

    def __init__(self, logger: Logger, clock: Callable[[], float] = monotonic) -> None:
        self._logger = logger
        self.tables: dict[str, TableCounts] = {}
        self._clock = clock
        self._started_at = self._told_at = clock()
        self._is_watched = sys.stderr is not None and sys.stderr.isatty()
        self._interval = WATCHED_SECONDS if self._is_watched else QUIET_SECONDS

    def of(self, table: str) -> TableCounts:
        """The counts of one table."""
        return self.tables.setdefault(table, TableCounts())

    def tell_progress(self, table: str, waiting: int) -> None:
        """Log the progress of a table, unless the last such line is recent.

        Args:
            table: The name of the table.
            waiting: Records that have arrived and are not committed yet.
        """
        if self._clock() - self._told_at < self._interval:
            return
        self._told_at = self._clock()
        counts = self.of(table)
        arrived = counts.arrived + waiting
        self._logger.info("Loading %s: %s rows arrived, %s", table, f"{arrived:,}", str(counts))

    def tell_total(self) -> None:
        """Log a line for each table that got rows, and a line for all tables.

        If there is no terminal, programs get the same counts in a line of JSON.
        """
        total = TableCounts()
        for table, counts in self.tables.items():
            if counts.arrived:
                self._logger.info("Loaded %s: %s", table, str(counts))
            for name, count in asdict(counts).items():
                setattr(total, name, getattr(total, name) + count)
        self._logger.info("Loaded %s tables: %s", len(self.tables), str(total))
        if self._is_watched:
            return
        facts = {
            "tables": {name: asdict(counts) for name, counts in self.tables.items()},
            "seconds": round(self._clock() - self._started_at, 1),
        }
        self._logger.info("Load summary: %s", json.dumps(facts, separators=(",", ":")))
