"""Proves that Pinterest may have changed a number after the tables were read."""

from __future__ import annotations

import functools
import itertools
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

    def explains(self, metric: str, day: date, row: Row | None) -> bool:
        """Whether a day was read before its numbers had settled, and no other table objects.

        A loader may keep the time of a row that has not changed, so the log of runs counts too. A
        day that is neither in a row nor in the log has not been read.
        """
        read_at = row.read_at if row else self._own(day).read_at
        read_on = [read_at.date()] if read_at else []
        if complete := [as_of for days, as_of in self._reads if days.start <= day <= days.end]:
            read_on.append(max(complete) + timedelta(days=SETTLING_DAYS))
        was_early = bool(read_on) and max(read_on) < settled_on(metric, day, self.fresh.settings)
        return was_early and not self._is_contradicted(metric, day)

    def _is_contradicted(self, metric: str, day: date) -> bool:
        """Whether another table shows that the rows of a day are wrong or lost."""
        own, there = self._own(day), self._there(metric, day)
        here = own.totals.get(metric, NOTHING)
        left_out = self._there(metric, day, self.missing)
        if abs(here + left_out - there) <= tolerance(metric, max(own.rows, 1)):
            return False
        others = {
            table.stream.question.level.name: sums[day]
            for table, sums in self.loaded.items()
            if table is not self.table and day in sums and _has_number(sums[day], metric)
        }
        if not own.rows:
            return any(each.totals[metric] for each in others.values())
        if self._is_up_to_date(metric, there, others.values(), own.read_at):
            return True
        then = {
            level: each for level, each in others.items() if _is_one_run(own.read_at, each.read_at)
        }
        return not self.missing and self._is_outvoted(metric, own, then)

    def _is_outvoted(self, metric: str, own: Sums, then: Mapping[str, Sums]) -> bool:
        """Whether two levels of the same run agree on another number.

        If statuses are filtered, one of the two must be the ad account, which lacks no entity.
        """
        for pair in itertools.combinations(then, 2):
            one, other = (then[level] for level in pair)
            is_same = _is_same(metric, one, other) and not _is_same(metric, one, own)
            if is_same and (ACCOUNT in pair or not self.fresh.entity_statuses):
                return True
        return False

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

    def _own(self, day: date) -> Sums:
        return self.loaded[self.table].get(day, together(()))

    @functools.cached_property
    def _reads(self) -> list[tuple[DateRange, date]]:
        """The days that runs have read, according to the log of runs."""
        return self.table.tables.reads(self.table.name, self.fresh.ad_account_id)


def _has_number(sums: Sums, metric: str) -> bool:
    return metric in sums.totals and sums.totals[metric].is_finite()


def _is_same(metric: str, one: Sums, other: Sums) -> bool:
    difference = abs(one.totals[metric] - other.totals[metric])
    return difference <= tolerance(metric, max(one.rows, other.rows))


def _is_one_run(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= ONE_RUN


def settled_on(metric: str, day: date, settings: Settings) -> date:
    """The day from which on a day's numbers no longer change."""
    after = settings.attribution_lookback + 1 if is_conversion(metric) else 0
    return day + timedelta(days=after + SETTLING_DAYS)
