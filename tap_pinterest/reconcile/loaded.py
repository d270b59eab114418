"""Compares a loaded table with Pinterest, and proves why numbers differ."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import psycopg

from tap_pinterest.api.columns import is_conversion
from tap_pinterest.api.periods import DAY, DateRange, merged, periods
from tap_pinterest.config import Settings
from tap_pinterest.reading.pages import Item
from tap_pinterest.reconcile.findings import (
    ARCHIVED,
    FILTERED,
    LEVELS_DIFFER,
    NO_NUMBER,
    NOTHING,
    REPORT_TIME,
    RESTATED,
    TIME_ZONE,
    WINDOWS,
    Cause,
    Cells,
    Finding,
    Place,
    Totals,
    looking_for_causes,
    tolerance,
)
from tap_pinterest.reconcile.fresh import Detail, Fresh
from tap_pinterest.reconcile.restated import Restating
from tap_pinterest.reconcile.tables import Row, Shape, Sums, Table, together

MOST_EXAMPLES = 5
"""Rows that a finding names."""
UNSURE = (
    "had not settled when last read, and no other table shows that no row is wrong or lost: run the"
    " tap and compare again"
)
_CAUSE_OF = {"conversion_report_time": REPORT_TIME, "reporting_timezone": TIME_ZONE}
_ZONES = (None, "PINTEREST_TIME_ZONE")


def compared(
    table: Table, fresh: Fresh, totals: Totals, loaded: Mapping[Table, Mapping[date, Sums]]
) -> list[Finding]:
    """A finding for each metric of the table.

    Args:
        table: The table.
        fresh: Asks Pinterest.
        totals: Pinterest's numbers of the ad account.
        loaded: The sums by day of this table, and of the others, which may contradict a cause.
    """
    sums = together(loaded[table].values())
    findings = [
        Finding(
            table.name,
            fresh.ad_account_id,
            name,
            here=(here := sums.totals.get(name, NOTHING)),
            pinterest=totals.get(name, NOTHING),
            tolerance=tolerance(name, max(sums.rows, 1)),
            obstacle=fresh.obstacle(name) or ("" if here.is_finite() else NO_NUMBER),
        )
        for name in table.metrics
    ]
    if different := [each for each in findings if each.outcome == "differs"]:
        with looking_for_causes(different, psycopg.Error):
            _Search(table, fresh, sums, loaded).explain(different)
    return findings


@dataclass(frozen=True)
class _Search:
    """The search for the causes of differences, row by row."""

    table: Table
    fresh: Fresh
    sums: Sums
    loaded: Mapping[Table, Mapping[date, Sums]]

    def explain(self, findings: Sequence[Finding]) -> None:
        """Compare each row with Pinterest's number of today, read with the settings of the row."""
        metrics = [each.metric for each in findings]
        rows = self.table.rows(self.fresh.ad_account_id, self.fresh.days, metrics)
        now = self._now(rows, metrics)
        missing = {entity for entity, _ in now} - {entity for entity, _ in rows}
        wanted = {*self.fresh.entity_statuses}
        entities = self.table.stream.entities
        items = self.fresh.items(entities) if missing and wanted and entities else {}
        cause = left_out(missing, items, wanted) if wanted else None
        restating = Restating(self.table, self.loaded, self.fresh, now, missing)
        repeated = self.sums.rows - len(rows)
        for finding in findings:
            self._shaped_otherwise(finding, now)
            self._left_out(finding, now, missing, cause)
            self._changed(finding, rows, restating)
            if repeated:
                finding.examples.append(f"{repeated:,} rows repeat the entity and day of another")

    def _now(self, rows: Mapping[Place, Row], metrics: Sequence[str]) -> Cells:
        """The rows that Pinterest has now, each read with the settings of the table's row."""
        stream = self.table.stream
        found: dict[Place, Totals] = {}
        detail = Detail(stream.question.level, stream.entities, "DAY")
        counts: dict[date | None, Counter[Shape]] = defaultdict(Counter)
        for (_, day), row in rows.items():
            counts[day][row.shape] += 1
        # A row that Pinterest no longer returns keeps older settings.
        shape_of_day = {day: shapes.most_common(1)[0][0] for day, shapes in counts.items()}
        only = next(iter(self.sums.shapes), ()) if len(self.sums.shapes) <= 1 else ()
        wanted = defaultdict(list)
        for each in periods(self.fresh.days, DAY):
            wanted[shape_of_day.get(each.start, only)].append(each)
        for shape, ranges in wanted.items():
            # A setting without a value in the rows has its present value.
            settings = dataclasses.replace(self.fresh.settings, **dict(shape))
            for days in merged(ranges):
                found |= self.fresh.cells(detail, days, settings, metrics)
        return found

    def _shaped_otherwise(self, finding: Finding, now: Cells) -> None:
        """Explain the part of a difference that comes from other settings."""
        metric = finding.metric
        amount = sum((each[metric] for each in now.values()), NOTHING) - finding.pinterest
        if abs(amount) <= finding.tolerance:
            return
        different = {
            name: text
            for name, text in _differing(self.sums.shapes, self.fresh.settings)
            # Attribution changes conversions only; the time zone changes every metric.
            if is_conversion(metric) or name == "reporting_timezone"
        }
        names = dict.fromkeys(_CAUSE_OF.get(each, WINDOWS) for each in different)
        cause = " and ".join(names) or LEVELS_DIFFER
        text = "; ".join(different.values()) or (
            "Pinterest's rows of this level do not add up to its rows of the ad account"
        )
        finding.causes.append(Cause(cause, amount, text))

    def _left_out(
        self, finding: Finding, now: Cells, missing: set[str], cause: tuple[str, str] | None
    ) -> None:
        """Explain the part of a difference that comes from entities without a row in the table."""
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

    def _changed(self, finding: Finding, rows: Mapping[Place, Row], restating: Restating) -> None:
        """Explain the part of a difference that comes from rows that Pinterest has restated."""
        now, metric = restating.now, finding.metric
        tolerated = tolerance(metric, 1)
        restated, days, unsure = NOTHING, set(), set()
        for place in sorted({*rows, *now}, key=str):
            entity, day = place
            here = rows[place].values[metric] if place in rows else NOTHING
            there = now[place].get(metric, NOTHING) if place in now else NOTHING
            is_equal = abs(here - there) <= tolerated
            if is_equal or entity in restating.missing or day is None:
                continue
            is_restated = restating.explains(metric, day, rows.get(place))
            if is_restated:
                restated += here - there
                days.add(day)
            else:
                _note(finding, place, here, there)
            if is_restated is None:
                unsure.add(day)
        if days:
            text = f"{_named(days)} had not settled when last read"
            finding.causes.append(Cause(RESTATED, restated, text))
        if unsure:
            finding.examples.append(f"{_named(unsure)} {UNSURE}")


def left_out(
    missing: set[str], items: Mapping[str, Item], wanted: Collection[str]
) -> tuple[str, str] | None:
    """The cause of missing entities, and its proof; `None` if their statuses are no reason.

    Args:
        missing: The ids of the entities without a row.
        items: All entities that Pinterest lists, by id.
        wanted: The statuses that are read or shown.
    """
    statuses = {str(items[each].get("status")) for each in missing if each in items}
    if not missing <= items.keys() or statuses & {*wanted}:
        return None
    name = ARCHIVED if statuses == {"ARCHIVED"} else FILTERED
    return name, f"it has none of the {len(missing):,} that are {' or '.join(sorted(statuses))}"


def _differing(shapes: Iterable[Shape], settings: Settings) -> Iterator[tuple[str, str]]:
    """Each setting of a row that differs from the setting in force, with a sentence about it."""
    for shape in sorted(shapes, key=str):
        for name, value in shape:
            now = getattr(settings, name)
            zones = name == "reporting_timezone" and value in _ZONES and now in _ZONES
            if value != now and not zones:
                yield name, f"{name} is {value} in the rows, and {now} in the settings"


def _named(days: Iterable[date]) -> str:
    return ", ".join(map(str, merged(DateRange(day, day) for day in days)))


def _note(finding: Finding, place: Place, here: Decimal, there: Decimal) -> None:
    if len(finding.examples) < MOST_EXAMPLES:
        entity, day = place
        finding.examples.append(f"{entity} on {day}: {here:f} here, {there:f} at Pinterest")
