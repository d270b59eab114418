"""Proves that Pinterest may have changed a number after the tables were read."""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_pinterest.api.columns import is_conversion
from tap_pinterest.config.schema import SETTLING_DAYS
from tap_pinterest.reconcile.findings import NOTHING, tolerance
from tap_pinterest.reconcile.tables import OfDay

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date, datetime
    from decimal import Decimal

    from tap_pinterest.api.periods import DateRange
    from tap_pinterest.config import Settings
    from tap_pinterest.reconcile.findings import Cells, Place
    from tap_pinterest.reconcile.fresh import Fresh
    from tap_pinterest.reconcile.tables import Row, Table

ACCOUNT = "ad_account"
ONE_RUN = timedelta(hours=1)
"""The time in which a run reads the levels of an ad account one after the other."""


@dataclass(frozen=True)
class Restating:
    """Decides for each day of a table whether Pinterest may have changed its numbers since.

    Attributes:
        others: The tables of the other levels.
        rows: The rows of the table.
        now: The rows that Pinterest has now.
        missing: The entities that have no row in the table.
    """

    table: Table
    others: Sequence[Table]
    fresh: Fresh
    rows: Mapping[Place, Row]
    now: Cells
    missing: Collection[str]
    _known: dict[str, list[tuple[str, Mapping[date, OfDay]]]] = field(default_factory=dict)

    def explains(self, metric: str, day: date, row: Row | None) -> bool:
        """Whether a day was read before its numbers had settled, and no other table objects.

        A loader may keep the time of a row that has not changed, so the log of runs counts too. A
        day that is neither in a row nor in the log has not been read.
        """
        read_at = row.read_at if row else self._read_at(day)
        read_on = [read_at.date()] if read_at else []
        if complete := [as_of for days, as_of in self._reads if days.start <= day <= days.end]:
            read_on.append(max(complete) + timedelta(days=SETTLING_DAYS))
        was_early = bool(read_on) and max(read_on) < settled_on(metric, day, self.fresh.settings)
        return was_early and not self._is_contradicted(metric, day)

    def _is_contradicted(self, metric: str, day: date) -> bool:
        """Whether another table shows that the rows of a day are wrong or lost."""
        rows, there = self._of_day.get(day, []), self._there(metric, day)
        here = sum((each.values[metric] for each in rows), NOTHING)
        left_out = self._there(metric, day, self.missing)
        tolerated = tolerance(metric, max(len(rows), 1))
        if abs(here + left_out - there) <= tolerated:
            return False
        others = {name: found for name, each in self._by_day(metric) if (found := each.get(day))}
        if not rows:
            return any(each.total for each in others.values())
        read_at = self._read_at(day)
        if self._is_up_to_date(metric, there, others.values(), read_at):
            return True
        then = {name: each for name, each in others.items() if _is_one_run(read_at, each.read_at)}
        return not self.missing and self._is_outvoted(metric, OfDay(here, len(rows), read_at), then)

    def _is_outvoted(self, metric: str, own: OfDay, then: Mapping[str, OfDay]) -> bool:
        """Whether two levels of the same run agree on another number.

        If statuses are filtered, one of the two must be the ad account, which lacks no entity.
        """
        for pair in itertools.combinations(then, 2):
            one, other = (then[level] for level in pair)
            tolerated = tolerance(metric, max(own.rows, one.rows, other.rows))
            is_same = abs(one.total - other.total) <= tolerated < abs(own.total - one.total)
            if is_same and (ACCOUNT in pair or not self.fresh.entity_statuses):
                return True
        return False

    def _is_up_to_date(
        self, metric: str, there: Decimal, others: Iterable[OfDay], read_at: datetime | None
    ) -> bool:
        """Whether another table, read no later, has the number that Pinterest has now."""
        return any(
            abs(each.total - there) <= tolerance(metric, each.rows)
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

    def _read_at(self, day: date) -> datetime | None:
        """The time at which the latest row of a day was read."""
        times = (row.read_at for row in self._of_day.get(day, []) if row.read_at)
        return max(times, default=None)

    @functools.cached_property
    def _of_day(self) -> Mapping[date | None, list[Row]]:
        found: dict[date | None, list[Row]] = defaultdict(list)
        for (_, day), row in self.rows.items():
            found[day].append(row)
        return found

    @functools.cached_property
    def _reads(self) -> list[tuple[DateRange, date]]:
        """The days that runs have read, according to the log of runs."""
        return self.table.tables.reads(self.table.name, self.fresh.ad_account_id)

    def _by_day(self, metric: str) -> list[tuple[str, Mapping[date, OfDay]]]:
        """The sums of a metric by day in each table of another level, with the level's name."""
        if metric not in self._known:
            fresh = self.fresh
            self._known[metric] = [
                (
                    each.stream.question.level.name,
                    each.by_day(fresh.ad_account_id, fresh.days, metric),
                )
                for each in self.others
                if metric in each.metrics
            ]
        return self._known[metric]


def _is_one_run(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= ONE_RUN


def settled_on(metric: str, day: date, settings: Settings) -> date:
    """The day from which on a day's numbers no longer change."""
    after = settings.attribution_lookback + 1 if is_conversion(metric) else 0
    return day + timedelta(days=after + SETTLING_DAYS)
