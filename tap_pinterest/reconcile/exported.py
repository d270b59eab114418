"""Compares an export of Ads Manager with Pinterest, and proves why numbers differ."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tap_pinterest.api.columns import is_conversion, offered_columns
from tap_pinterest.api.levels import Ordered
from tap_pinterest.api.periods import DAY, ONE_DAY, periods
from tap_pinterest.config import Settings
from tap_pinterest.config.effects import REFUSED_WINDOWS
from tap_pinterest.http.errors import PART_ERRORS
from tap_pinterest.layouts.tables import ATTRIBUTION
from tap_pinterest.reading.pages import Item
from tap_pinterest.reconcile.export import Export, Line
from tap_pinterest.reconcile.findings import (
    KINDS,
    NO_SUM,
    NOTHING,
    REPORT_TIME,
    RESTATED,
    TIME_ZONE,
    WINDOWS,
    Cause,
    Cells,
    Finding,
    Place,
    added_up,
    adds_up,
    looking_for_causes,
)
from tap_pinterest.reconcile.fresh import Detail, Fresh
from tap_pinterest.reconcile.loaded import left_out
from tap_pinterest.reconcile.restated import settled_on
from tap_pinterest.streams.analytics import report_at

OFFERED_WINDOWS = (
    *((days, days, days) for days in (1, 7, 14, 30, 60)),
    *((days, days, 1) for days in (30, 7, 14, 60)),
)
"""Windows for clicks, engagements and views that Ads Manager offers."""
WINDOW_SETTINGS = [name for name in ATTRIBUTION if name.endswith("_window_days")]
REPORT_TIMES = ("TIME_OF_AD_ACTION", "TIME_OF_CONVERSION")


def compared(export: Export, fresh: Fresh) -> list[Finding]:
    """A finding for each column of the file."""
    lines = export.of(fresh.ad_account_id, fresh.days)
    here = added_up(line.values for line in lines)
    cells = Counter(label for line in lines for label in line.values)
    totals = fresh.totals(fresh.settings, sorted(filter(adds_up, {*export.metrics.values()})))
    findings = [
        Finding(
            export.name,
            fresh.ad_account_id,
            name,
            here=here.get(label, NOTHING),
            pinterest=totals.get(name, NOTHING),
            tolerance=export.rounding.get(label, NOTHING) * cells[label],
            obstacle=fresh.obstacle(name) if adds_up(name) else NO_SUM,
        )
        for label, name in export.metrics.items()
    ]
    # Nothing explains numbers of a file without rows: it is about other ad accounts or days.
    different = [each for each in findings if lines and each.outcome == "differs"]
    with looking_for_causes(different):
        _Search(export, fresh, lines, findings).explain(different)
    return findings


@dataclass(frozen=True)
class _Search:
    """Looks for the cause of a difference: Pinterest's number with that cause must fit exactly."""

    export: Export
    fresh: Fresh
    lines: Sequence[Line]
    findings: Sequence[Finding]

    def explain(self, different: Sequence[Finding]) -> None:
        """Try one cause after the other, and keep the first that fits."""
        for attempt in (self._kinds, self._entities, self._shapes, self._restated):
            for finding, cause in attempt([each for each in different if not each.causes]):
                finding.causes.append(cause)

    def _kinds(self, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Cause]]:
        """Findings whose number counts the same actions in another kind: paid, earned or both."""
        kinds = {each.metric: list(others(each.metric)) for each in findings}
        wanted = sorted({*itertools.chain.from_iterable(kinds.values())})
        totals = self.fresh.totals(self.fresh.settings, wanted) if wanted else {}
        for finding in findings:
            for name in kinds[finding.metric]:
                if totals.get(name) and _fits(finding, totals[name]):
                    text = f"the export has {name.lower()}, not {finding.metric.lower()}"
                    yield finding, Cause(KINDS, finding.difference, text)
                    break

    def _entities(self, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Cause]]:
        """Findings that entities without a row in the export explain."""
        found = self._absent(self.fresh.settings) if findings else {}
        absent = {entity for entity, _ in found} - self._named
        if not (absent and self._named):
            return
        shown = {str(self._items[each].get("status")) for each in self._named}
        cause = left_out(absent, self._items, shown)
        left = [numbers for (entity, _), numbers in found.items() if entity in absent]
        for each in findings:
            amount = sum((numbers[each.metric] for numbers in left), NOTHING)
            if cause and amount and _fits(each, each.pinterest - amount):
                yield each, Cause(cause[0], each.difference, cause[1])

    def _shapes(self, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Cause]]:
        """Findings whose number Pinterest gives with other settings."""
        for name, text, settings in variants(self.fresh.settings):
            # A file has one set of settings. So also the numbers that are equal must fit.
            asked = [
                each
                for each in self.findings
                # Attribution changes conversions only; the time zone changes every metric.
                if not (each.causes or each.obstacle)
                and (name == TIME_ZONE or is_conversion(each.metric))
            ]
            explained = [each for each in findings if each in asked]
            if not explained:
                continue
            try:
                totals = self.fresh.totals(settings, [each.metric for each in asked])
            except PART_ERRORS:
                continue
            is_same = all(_fits(each, totals.get(each.metric, NOTHING)) for each in asked)
            if is_same and not any(self._lost(each.metric, settings) for each in explained):
                yield from ((each, Cause(name, each.difference, text)) for each in explained)
                return

    def _restated(self, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Cause]]:
        """Findings of an export that was made before the numbers of any of its days had settled.

        An export that lacks an entity or a day has lost rows, whatever Pinterest has changed. If
        an entity has several rows on a day, nobody knows how many there should be. An export that
        is older than its days has the wrong date.
        """
        made_on = self.export.made_on
        days = {line.day for line in self.lines}
        past = {each.start for each in periods(self.fresh.days, DAY) if each.start < made_on}
        is_whole = None in days or past <= days
        # Elsewhere it may already be the next day.
        newest = max(filter(None, days), default=self.fresh.days.start)
        is_too_old = made_on + ONE_DAY < newest
        if is_too_old or not is_whole or max(self._rows.values()) > 1:
            return
        for each in findings:
            first = settled_on(each.metric, self.fresh.days.start, self.fresh.settings)
            is_early = made_on < first and each.here < each.pinterest
            if is_early and not self._lost(each.metric, self.fresh.settings):
                text = f"the export is of {made_on}, and no day had settled before {first}"
                yield each, Cause(RESTATED, each.difference, text)

    @functools.cached_property
    def _items(self) -> Mapping[str, Item]:
        """The entities of the export's level that Pinterest lists, by id."""
        detail = self._detail
        return self.fresh.items(detail.entities) if detail and detail.entities else {}

    @functools.cached_property
    def _detail(self) -> Detail | None:
        """The detail of the file; `None` if its rows are of ad accounts."""
        level = self.export.level
        if not level:
            return None
        granularity = "DAY" if any(line.day for line in self.lines) else "TOTAL"
        entities = report_at(Ordered(level, is_broken_down=False)).entities
        return Detail(level, entities, granularity)

    @functools.cached_property
    def _named(self) -> set[str]:
        """The ids of the entities that have a row."""
        names = {line.entity for line in self.lines}
        return {entity for entity in self._items if self._called(entity) in names}

    def _called(self, entity: str) -> str:
        """The name of an entity in the file."""
        item = self._items.get(entity, {})
        return entity if self.export.by_id else str(item.get("name")).strip()

    @functools.cached_property
    def _rows(self) -> Counter[Place]:
        """The number of rows by the name of the entity, and by day if the file has days."""
        return Counter((line.entity, line.day) for line in self.lines)

    def _lost(self, metric: str, settings: Settings) -> bool:
        """Whether Pinterest has numbers where the file has no row."""
        return any(numbers[metric] for numbers in self._absent(settings).values())

    def _absent(self, settings: Settings) -> Cells:
        """Pinterest's numbers of the entities, by day if the file has days, that have no row."""
        if not self._detail:
            return {}
        metrics = [each.metric for each in self.findings if each.outcome == "differs"]
        found = self.fresh.cells(self._detail, self.fresh.days, settings, metrics)
        # Entities may share a name.
        wanted = Counter((self._called(entity), day) for entity, day in found)
        lacking = wanted - self._rows
        return {
            place: each
            for place, each in found.items()
            if (self._called(place[0]), place[1]) in lacking
        }


def _fits(finding: Finding, number: Decimal) -> bool:
    return abs(finding.here - number) <= finding.tolerance


def others(metric: str) -> Iterator[str]:
    """The same actions in another kind: paid, earned, or both."""
    known = offered_columns(newer=True)
    bare = metric.removeprefix("TOTAL_").removeprefix("PAID_").removesuffix("_1").removesuffix("_2")
    for name in (f"{bare}_1", f"{bare}_2", f"TOTAL_{bare}"):
        if name != metric and name in known:
            yield name


def variants(settings: Settings) -> Iterator[tuple[str, str, Settings]]:
    """Settings that Ads Manager may have used, each with the name of a cause and its proof."""
    time = next(each for each in REPORT_TIMES if each != settings.conversion_report_time)
    other_time = dataclasses.replace(settings, conversion_report_time=time)
    text = f"conversion_report_time is {time} in the export"
    yield REPORT_TIME, text, other_time
    here = tuple(getattr(settings, name) for name in WINDOW_SETTINGS)
    for each in OFFERED_WINDOWS:
        if each == here or each in REFUSED_WINDOWS:
            continue
        windows: dict[str, Any] = dict(zip(WINDOW_SETTINGS, each, strict=True))
        text = f"the windows are {'/'.join(map(str, each))} in the export"
        yield WINDOWS, text, dataclasses.replace(settings, **windows)
        text += f", and conversion_report_time is {time}"
        yield f"{WINDOWS} and {REPORT_TIME}", text, dataclasses.replace(other_time, **windows)
    if settings.reporting_timezone != "AD_ACCOUNT_TIME_ZONE":
        zoned = dataclasses.replace(settings, reporting_timezone="AD_ACCOUNT_TIME_ZONE")
        yield TIME_ZONE, "the days of the export are in the ad account's time zone", zoned
