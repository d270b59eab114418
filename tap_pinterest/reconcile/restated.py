"""Proves that Pinterest may have changed a number after the tables were read."""

from __future__ import annotations

import functools
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_pinterest.config.schema import SETTLING_DAYS
from tap_pinterest.reconcile.findings import NOTHING, settles_late, tolerance

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date, datetime
    from decimal import Decimal

    from tap_pinterest.api.periods import DateRange
    from tap_pinterest.config import Settings
    from tap_pinterest.reconcile.findings import Cells, Place
    from tap_pinterest.reconcile.tables import OfDay, Row, Table, Tables

ACCOUNT = "ad_account"
ONE_RUN = timedelta(hours=1)
"""The time in which a run reads the levels of an ad account one after the other."""


@dataclass(frozen=True)
class Restating:
    """What the tables tell about the times at which a table's days were read.

    Attributes:
        others: The tables of the other levels.
        rows: The rows of the table.
        now: The rows that Pinterest has now.
        missing: The entities that have no row in the table.
    """

    tables: Tables
    table: Table
    others: Sequence[Table]
    ad_account_id: str
    days: DateRange
    settings: Settings
    rows: Mapping[Place, Row]
    now: Cells
    missing: Collection[str]

    def explains(self, metric: str, day: date, row: Row | None) -> bool:
        """Whether a day was read before its numbers had settled, and no other table objects.

        A loader may keep the time of a row that has not changed; the log of runs knows better. A
        day that neither a row nor the log knows has not been read.
        """
        settled = settled_on(metric, day, self.settings)
        read_at = row.read_at if row else self._read_at(day)
        read_on = [read_at.date()] if read_at else []
        complete = [as_of for days, as_of in self._reads if days.start <= day <= days.end]
        if complete:
            read_on.append(max(complete) + timedelta(days=SETTLING_DAYS))
        was_early = bool(read_on) and max(read_on) < settled
        return was_early and not self._is_contradicted(metric, day)

    def _is_contradicted(self, metric: str, day: date) -> bool:
        """Whether another table shows that the rows of a day are wrong or lost."""
        rows, there = self._of_day.get(day, []), self._there(metric, day)
        here = sum((each.values[metric] for each in rows), NOTHING)
        left_out, may_differ = self._there(metric, day, self.missing), max(len(rows), 1)
        if abs(here + left_out - there) <= tolerance(metric, may_differ):
            return False
        others = {name: found for name, each in self._by_day(metric) if (found := each.get(day))}
        if not rows:
            return any(each.total for each in others.values())
        read_at = self._read_at(day)
        then = {name: each for name, each in others.items() if _is_one_run(read_at, each.read_at)}
        return self._is_up_to_date(metric, there, others.values(), read_at) or (
            not self.missing and _disagrees(here, then, tolerance(metric, may_differ))
        )

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
        """Pinterest's number of a day, of all entities or of some."""
        found = (
            numbers.get(metric, NOTHING)
            for (entity, on), numbers in self.now.items()
            if on == day and (entities is None or entity in entities)
        )
        return sum(found, NOTHING)

    def _read_at(self, day: date) -> datetime | None:
        """When the latest row of a day was read."""
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
        """The days that runs have read, as the log of runs has them."""
        return self.tables.reads(self.table.name, self.ad_account_id)

    @functools.cached_property
    def _known(self) -> dict[str, list[tuple[str, Mapping[date, OfDay]]]]:
        return {}

    def _by_day(self, metric: str) -> list[tuple[str, Mapping[date, OfDay]]]:
        """What the tables of the other levels have of a metric, day by day."""
        if metric not in self._known:
            self._known[metric] = [
                (
                    ACCOUNT if each.id_column == each.account_column else each.name,
                    self.tables.by_day(each, self.ad_account_id, self.days, metric),
                )
                for each in self.others
                if metric in each.metrics
            ]
        return self._known[metric]


def _is_one_run(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= ONE_RUN


def _disagrees(here: Decimal, others: Mapping[str, OfDay], tolerated: Decimal) -> bool:
    """Whether the ad account, which no filter narrows, and one more level have another number."""
    account = others.get(ACCOUNT)
    if not account or abs(here - account.total) <= tolerated:
        return False
    return any(
        name != ACCOUNT and abs(each.total - account.total) <= tolerated
        for name, each in others.items()
    )


def settled_on(metric: str, day: date, settings: Settings) -> date:
    """The day from which on a day's numbers no longer change."""
    after = settings.attribution_lookback + 1 if settles_late(metric) else 0
    return day + timedelta(days=after + SETTLING_DAYS)
