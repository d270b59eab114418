"""Proves that Pinterest may have changed a number after the tables were read."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from tap_pinterest.api.columns import is_conversion
from tap_pinterest.api.periods import DateRange
from tap_pinterest.config import Settings
from tap_pinterest.config.schema import SETTLING_DAYS
from tap_pinterest.reconcile.findings import NOTHING, Cells, tolerance
from tap_pinterest.reconcile.fresh import Fresh
from tap_pinterest.reconcile.tables import Row, Sums, Table, together

ACCOUNT = "ad_account"
ONE_RUN = timedelta(hours=1)
"""The time in which a run reads the levels of an ad account one after the other."""
NO_ROWS = together(())


@dataclass(frozen=True)
class Restating:
    """Decides for each day of a table whether Pinterest may have changed its numbers since.

    Attributes:
        loaded: The sums by day of this table, and of those of the other levels.
        now: The rows that Pinterest has now.
        missing: The entities that have no row in the table.
    """

    table: Table
    loaded: Mapping[Table, Mapping[date, Sums]]
    fresh: Fresh
    now: Cells
    missing: Collection[str]

    def explains(self, metric: str, day: date, row: Row | None) -> bool | None:
        """Whether Pinterest has changed a number since; `None` if the row may be wrong or lost.

        That is certain if the day was read before its numbers had settled, and another level that
        the same run has read has the same sum, so that no row is wrong or lost. Without another
        level, a row that is there is enough.
        """
        if not self._was_early(metric, day, row):
            return False
        own, there = self.loaded[self.table].get(day, NO_ROWS), self._there(metric, day)
        number = own.totals.get(metric, NOTHING) + self._there(metric, day, self.missing)
        if abs(number - there) <= tolerance(metric, max(own.rows, 1)):
            return True
        others = {
            table.stream.question.level.name: sums[day]
            for table, sums in self.loaded.items()
            if table is not self.table and day in sums and _has_number(sums[day], metric)
        }
        if self._is_up_to_date(metric, there, others.values(), own.read_at):
            return False
        then = {level: each for level, each in others.items() if _is_one_run(own, each)}
        if any(_is_same(metric, own, each) for each in then.values()):
            return True
        return None if row is None or any(map(self._has_all_entities, then)) else True

    def _was_early(self, metric: str, day: date, row: Row | None) -> bool:
        """Whether a day was last read before its numbers had settled.

        A loader may keep the time of a row that has not changed, so the log of runs counts too. A
        day that is neither in a row nor in the log has not been read.
        """
        read_at = row.read_at if row else self.loaded[self.table].get(day, NO_ROWS).read_at
        read_on = [read_at.date()] if read_at else []
        if complete := [as_of for days, as_of in self._reads if days.start <= day <= days.end]:
            read_on.append(max(complete) + timedelta(days=SETTLING_DAYS))
        return bool(read_on) and max(read_on) < settled_on(metric, day, self.fresh.settings)

    def _has_all_entities(self, level: str) -> bool:
        """Whether a level's rows must add up to those of this table.

        If statuses are filtered, only the ad account lacks no entity.
        """
        return not self.fresh.entity_statuses or (level == ACCOUNT and not self.missing)

    def _is_up_to_date(
        self, metric: str, there: Decimal, others: Iterable[Sums], read_at: datetime | None
    ) -> bool:
        """Whether another table, read no later, has the number that Pinterest has now."""
        return any(
            abs(each.totals[metric] - there) <= tolerance(metric, each.rows)
            and not (read_at and each.read_at and each.read_at > read_at + ONE_RUN)
            for each in others
        )

    def _there(self, metric: str, day: date, entities: Collection[str] | None = None) -> Decimal:
        """Pinterest's number of a day, for some entities or for all."""
        found = (
            numbers.get(metric, NOTHING)
            for (entity, on), numbers in self.now.items()
            if on == day and (entities is None or entity in entities)
        )
        return sum(found, NOTHING)

    @functools.cached_property
    def _reads(self) -> list[tuple[DateRange, date]]:
        """The days that runs have read, according to the log of runs."""
        return self.table.tables.reads(self.table.name, self.fresh.ad_account_id)


def _has_number(sums: Sums, metric: str) -> bool:
    return metric in sums.totals and sums.totals[metric].is_finite()


def _is_same(metric: str, one: Sums, other: Sums) -> bool:
    difference = abs(one.totals[metric] - other.totals[metric])
    return difference <= tolerance(metric, max(one.rows, other.rows))


def _is_one_run(one: Sums, other: Sums) -> bool:
    times = [each.read_at for each in (one, other) if each.read_at]
    return len(times) > 1 and max(times) - min(times) <= ONE_RUN


def settled_on(metric: str, day: date, settings: Settings) -> date:
    """The day from which on a day's numbers no longer change."""
    after = settings.attribution_lookback + 1 if is_conversion(metric) else 0
    return day + timedelta(days=after + SETTLING_DAYS)
