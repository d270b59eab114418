"""Proves that Pinterest may have changed a number after the tables were read."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from tap_pinterest.api.columns import is_conversion
from tap_pinterest.api.levels import Level
from tap_pinterest.api.periods import DAY, periods
from tap_pinterest.config import Settings
from tap_pinterest.config.schema import SETTLING_DAYS
from tap_pinterest.reconcile.findings import NOTHING, Cells, Totals, added_up, tolerance
from tap_pinterest.reconcile.fresh import Fresh
from tap_pinterest.reconcile.tables import Row, Sums, Table, together

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
        own = self.loaded[self.table].get(day, NO_ROWS)
        here, there = (each.get(metric, NOTHING) for each in (own.totals, self._there[day]))
        left_out = self._left_out[day].get(metric, NOTHING)
        if abs(here + left_out - there) <= tolerance(metric, max(own.rows, 1)):
            return True
        others = {
            table.stream.question.level: sums[day]
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
        read_on = max(read_at.date() if read_at else date.min, self._logged.get(day, date.min))
        return date.min < read_on < settled_on(metric, day, self.fresh.settings)

    def _has_all_entities(self, level: Level) -> bool:
        """Whether a level's rows must add up to those of this table.

        If statuses are filtered, only the ad account lacks no entity.
        """
        return not (self.fresh.entity_statuses and (level.is_listed or self.missing))

    def _is_up_to_date(
        self, metric: str, there: Decimal, others: Iterable[Sums], read_at: datetime | None
    ) -> bool:
        """Whether another table, read no later, has the number that Pinterest has now."""
        return any(
            abs(each.totals[metric] - there) <= tolerance(metric, each.rows)
            and not (read_at and each.read_at and each.read_at > read_at + ONE_RUN)
            for each in others
        )

    @functools.cached_property
    def _there(self) -> Mapping[date | None, Totals]:
        """Pinterest's numbers by day."""
        return _by_day(self.now)

    @functools.cached_property
    def _left_out(self) -> Mapping[date | None, Totals]:
        """Pinterest's numbers by day of the entities that have no row."""
        return _by_day(
            {place: each for place, each in self.now.items() if place[0] in self.missing}
        )

    @functools.cached_property
    def _logged(self) -> Mapping[date, date]:
        """The day on which a run last read a day, according to the log of runs."""
        reads = self.table.tables.reads(self.table.name, self.fresh.ad_account_id)
        found = {}
        for day in (each.start for each in periods(self.fresh.days, DAY)):
            if complete := [as_of for days, as_of in reads if days.start <= day <= days.end]:
                found[day] = max(complete) + timedelta(days=SETTLING_DAYS)
        return found


def _by_day(cells: Cells) -> Mapping[date | None, Totals]:
    found = defaultdict(list)
    for (_, day), numbers in cells.items():
        found[day].append(numbers)
    return defaultdict(dict, {day: added_up(parts) for day, parts in found.items()})


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
