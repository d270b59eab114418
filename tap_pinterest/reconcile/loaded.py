"""Compares a loaded table with Pinterest, and proves why numbers differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from tap_pinterest.api.periods import DateRange, merged
from tap_pinterest.reconcile.findings import (
    ARCHIVED,
    FILTERED,
    LEVELS_DIFFER,
    NOTHING,
    REPORT_TIME,
    RESTATED,
    TIME_ZONE,
    WINDOWS,
    Cause,
    Finding,
    looking_for_causes,
    settles_late,
    tolerance,
)
from tap_pinterest.reconcile.fresh import Detail
from tap_pinterest.reconcile.restated import Restating
from tap_pinterest.reconcile.tables import in_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from tap_pinterest.config import Settings
    from tap_pinterest.reading.pages import Item
    from tap_pinterest.reconcile.findings import Cells, Place, Totals
    from tap_pinterest.reconcile.fresh import Fresh
    from tap_pinterest.reconcile.tables import Row, Shape, Table, Tables
    from tap_pinterest.streams.bases.report import AdsReport

MOST_EXAMPLES = 5
"""Rows that a finding names."""
_CAUSE_OF = {"conversion_report_time": REPORT_TIME, "reporting_timezone": TIME_ZONE}
_ZONES = (None, "PINTEREST_TIME_ZONE")


@dataclass(frozen=True)
class LoadedTable:
    """A table, the stream that wrote it, and where it is."""

    table: Table
    stream: AdsReport
    tables: Tables

    def compared(
        self,
        fresh: Fresh,
        totals: Totals,
        ad_account_id: str,
        days: DateRange,
        others: Sequence[Table],
    ) -> list[Finding]:
        """A finding for each metric of the table; its causes must agree with the other tables."""
        sums = self.tables.sums(self.table, ad_account_id, days)
        findings = [
            Finding(
                self.table.name,
                ad_account_id,
                name,
                here=sums.totals[name],
                pinterest=totals.get(name, NOTHING),
                tolerance=tolerance(name, max(sums.rows, 1)),
                obstacle=fresh.obstacle(ad_account_id, name),
            )
            for name in self.table.metrics
        ]
        if different := [each for each in findings if each.outcome == "differs"]:
            with looking_for_causes(different, psycopg.Error):
                _Search(self, fresh, ad_account_id, days, sums.shapes, others).explain(different)
        return findings


@dataclass(frozen=True)
class _Search:
    """The search for the causes of differences, row by row."""

    loaded: LoadedTable
    fresh: Fresh
    ad_account_id: str
    days: DateRange
    shapes: frozenset[Shape]
    others: Sequence[Table]

    def explain(self, findings: Sequence[Finding]) -> None:
        """Find the causes: read Pinterest's numbers of now with the settings of the rows."""
        metrics = [each.metric for each in findings]
        rows = {
            row.place: row
            for row in self.loaded.tables.rows(
                self.loaded.table, self.ad_account_id, self.days, metrics
            )
        }
        now = self._now(rows, metrics)
        missing = {entity for entity, _ in now} - {entity for entity, _ in rows}
        wanted = {*self.fresh.entity_statuses}
        items = self._items() if missing and wanted else {}
        cause = left_out(missing, items, wanted) if wanted else None
        restating = self._restating(rows, now, missing)
        for finding in findings:
            self._shaped_otherwise(finding, now)
            self._left_out(finding, now, missing, cause)
            self._changed(finding, restating)

    def _restating(self, rows: Mapping[Place, Row], now: Cells, missing: set[str]) -> Restating:
        table, settings = self.loaded.table, self.fresh.settings
        others = [each for each in self.others if each is not table]
        place = (self.loaded.tables, table, others, self.ad_account_id, self.days)
        return Restating(*place, settings, rows, now, missing)

    def _now(self, rows: Mapping[Place, Row], metrics: Sequence[str]) -> Cells:
        """The rows that Pinterest has now, each asked for with the settings of the table's row."""
        stream = self.loaded.stream
        found: dict[Place, Totals] = {}
        detail = Detail(stream.question.level, stream.entities, "DAY")
        counts: dict[date | None, Counter[Shape]] = defaultdict(Counter)
        for (_, day), row in rows.items():
            counts[day][row.shape] += 1
        # A row that Pinterest no longer returns keeps older settings.
        shape_of_day = {day: shapes.most_common(1)[0][0] for day, shapes in counts.items()}
        only = next(iter(self.shapes), ()) if len(self.shapes) <= 1 else ()
        wanted = defaultdict(list)
        for day in _each_day(self.days):
            wanted[shape_of_day.get(day, only)].append(DateRange(day, day))
        for shape, ranges in wanted.items():
            settings = in_settings(shape, self.fresh.settings)
            for days in merged(ranges):
                found |= self.fresh.cells(self.ad_account_id, detail, days, settings, metrics)
        return found

    def _items(self) -> Mapping[str, Item]:
        entities = self.loaded.stream.entities
        return self.fresh.items(self.ad_account_id, entities) if entities else {}

    def _shaped_otherwise(self, finding: Finding, now: Cells) -> None:
        """The part of a difference that other settings make."""
        name = finding.metric
        amount = sum((each[name] for each in now.values()), NOTHING) - finding.pinterest
        if abs(amount) <= finding.tolerance:
            return
        different = {
            each: told
            for each, told in _differing(self.shapes, self.fresh.settings)
            # Attribution changes conversions only; the days change everything.
            if settles_late(name) or each == "reporting_timezone"
        }
        if not different:
            text = "its rows of this level add up to another number than those of the account"
            finding.causes.append(Cause(LEVELS_DIFFER, amount, text))
            return
        names = dict.fromkeys(_CAUSE_OF.get(each, WINDOWS) for each in different)
        text = "; ".join(different.values())
        finding.causes.append(Cause(" and ".join(names), amount, text))

    def _left_out(
        self, finding: Finding, now: Cells, missing: set[str], cause: tuple[str, str] | None
    ) -> None:
        """The part of a difference that comes from entities without a row in the table."""
        left = (each[finding.metric] for (entity, _), each in now.items() if entity in missing)
        amount = -sum(left, NOTHING)
        if abs(amount) <= finding.tolerance:
            return
        if cause:
            name, text = cause
            finding.causes.append(Cause(name, amount, text))
        else:
            some = sorted(missing)[:MOST_EXAMPLES]
            finding.examples += [f"there is no row of {entity}" for entity in some]

    def _changed(self, finding: Finding, restating: Restating) -> None:
        """The part of a difference that comes from rows whose numbers Pinterest has changed."""
        rows, now = restating.rows, restating.now
        restated, days = NOTHING, set()
        for place in sorted({*rows, *now}, key=str):
            entity, day = place
            here = rows[place].values[finding.metric] if place in rows else NOTHING
            there = now.get(place, {}).get(finding.metric, NOTHING)
            is_equal = abs(here - there) <= tolerance(finding.metric, 1)
            if is_equal or entity in restating.missing or day is None:
                continue
            if restating.explains(finding.metric, day, rows.get(place)):
                restated += here - there
                days.add(day)
            else:
                _note(finding, place, here, there)
        if days:
            text = f"{_named(days)} had not settled when last read"
            finding.causes.append(Cause(RESTATED, restated, text))


def left_out(
    missing: set[str], items: Mapping[str, Item], wanted: Collection[str]
) -> tuple[str, str] | None:
    """The cause of missing entities, and its proof; `None` if their statuses are no reason.

    Args:
        missing: The entities that are not there.
        items: All entities, as Pinterest lists them.
        wanted: The statuses that are read or shown.
    """
    statuses = {str(items[each].get("status")) for each in missing if each in items}
    if not missing <= items.keys() or statuses & {*wanted}:
        return None
    name = ARCHIVED if statuses == {"ARCHIVED"} else FILTERED
    return name, f"it has none of the {len(missing):,} that are {' or '.join(sorted(statuses))}"


def _differing(shapes: Iterable[Shape], settings: Settings) -> Iterator[tuple[str, str]]:
    """The settings of rows that are not those in force, with a sentence about each."""
    for shape in shapes:
        for name, value in shape:
            now = getattr(settings, name)
            zones = name == "reporting_timezone" and value in _ZONES and now in _ZONES
            if value != now and not zones:
                yield name, f"{name} is {value} in the rows, and {now} in the settings"


def _note(finding: Finding, place: Place, here: Decimal, there: Decimal) -> None:
    if len(finding.examples) < MOST_EXAMPLES:
        entity, day = place
        finding.examples.append(f"{entity} on {day}: {here:f} here, {there:f} at Pinterest")


def _each_day(days: DateRange) -> Iterator[date]:
    return (days.start + timedelta(days=number) for number in range(days.days))


def _named(days: Iterable[date]) -> str:
    return ", ".join(map(str, merged(DateRange(day, day) for day in days)))
