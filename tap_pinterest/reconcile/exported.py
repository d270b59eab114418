"""Compares an export of Ads Manager with Pinterest, and proves why numbers differ."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_pinterest.api import columns
from tap_pinterest.api.levels import LEVELS
from tap_pinterest.config.effects import REFUSED_WINDOWS
from tap_pinterest.reading.parts import PART_ERRORS
from tap_pinterest.reconcile import export
from tap_pinterest.reconcile.findings import (
    KINDS,
    NOTHING,
    REPORT_TIME,
    RESTATED,
    TIME_ZONE,
    WINDOWS,
    Cause,
    Finding,
    adds_up,
    looking_for_causes,
    settles_late,
)
from tap_pinterest.reconcile.fresh import Detail
from tap_pinterest.reconcile.loaded import left_out
from tap_pinterest.reconcile.restated import settled_on
from tap_pinterest.streams.ads import AdGroups, Ads, Campaigns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from tap_pinterest.api.periods import DateRange
    from tap_pinterest.config import Settings
    from tap_pinterest.reconcile.export import Export, Line
    from tap_pinterest.reconcile.findings import Totals
    from tap_pinterest.reconcile.fresh import Fresh
    from tap_pinterest.streams.bases.dataset import DatasetStream

ENTITIES: Mapping[str, type[DatasetStream]] = {
    "campaign": Campaigns,
    "ad_group": AdGroups,
    "ad": Ads,
}
SAME_WINDOWS = (1, 7, 14, 30, 60)
"""Windows of Ads Manager, the same for clicks, engagements and views."""
MORE_WINDOWS = ((30, 30, 1), (7, 7, 1), (14, 14, 1), (60, 60, 1))
REPORT_TIMES = ("TIME_OF_AD_ACTION", "TIME_OF_CONVERSION")


@dataclass(frozen=True)
class ExportedTable:
    """An export, and the day on which somebody made it.

    Attributes:
        made_on: The day; `None` if nobody says.
    """

    export: Export
    made_on: date | None

    def lines(self, ad_account_id: str, days: DateRange) -> list[Line]:
        """The rows of an ad account on some days."""
        return [
            line
            for line in self.export.of(ad_account_id)
            if line.day is None or days.start <= line.day <= days.end
        ]

    def compared(self, fresh: Fresh, ad_account_id: str, days: DateRange) -> list[Finding]:
        """A finding for each column of the file."""
        lines = self.lines(ad_account_id, days)
        here, units = export.sums(lines, "values"), export.sums(lines, "units")
        metrics = sorted({*self.export.metrics.values()})
        totals = fresh.totals(
            ad_account_id, days, fresh.settings, [name for name in metrics if adds_up(name)]
        )
        findings = []
        for label, name in self.export.metrics.items():
            finding = Finding(self.export.name, ad_account_id, name)
            finding.obstacle = fresh.obstacle(ad_account_id, name)
            if adds_up(name):
                finding.here = here.get(label, NOTHING)
                finding.tolerance = units.get(label, NOTHING)
                finding.pinterest = totals.get(name, NOTHING)
            else:
                finding.obstacle = "it does not add up over rows"
            findings.append(finding)
        different = [each for each in findings if each.outcome == "differs"]
        with looking_for_causes(different):
            _Search(self, fresh, ad_account_id, days, lines).explain(different)
        return findings


@dataclass(frozen=True)
class _Search:
    """The search for the causes of differences: each is asked for, and has to fit exactly."""

    exported: ExportedTable
    fresh: Fresh
    ad_account_id: str
    days: DateRange
    lines: Sequence[Line]

    def explain(self, findings: Iterable[Finding]) -> None:
        """Try one cause after the other, and keep the first that fits."""
        left = list(findings)
        for attempt in (self._kinds, self._entities, self._shapes, self._restated):
            for finding, cause in attempt([each for each in left if not each.causes]):
                finding.causes.append(cause)

    def _kinds(self, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Cause]]:
        """Findings whose number is that of the same actions, but paid, earned or both."""
        kinds = {each.metric: list(others(each.metric)) for each in findings}
        wanted = sorted({*itertools.chain.from_iterable(kinds.values())})
        totals = self._totals(self.fresh.settings, wanted) if wanted else {}
        for finding in findings:
            for name in kinds[finding.metric]:
                if totals.get(name) and _fits(finding, totals[name]):
                    text = f"the export has {name.lower()}, not {finding.metric.lower()}"
                    yield finding, Cause(KINDS, finding.difference, text)
                    break

    def _shapes(self, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Cause]]:
        """Findings whose number Pinterest gives with other settings."""
        left = list(findings)
        for name, text, settings in variants(self.fresh.settings):
            late_only = name != TIME_ZONE
            asked = [each for each in left if not late_only or settles_late(each.metric)]
            if not asked:
                continue
            try:
                totals = self._totals(settings, [each.metric for each in asked])
            except PART_ERRORS:
                continue
            if all(_fits(each, totals.get(each.metric, NOTHING)) for each in asked):
                for each in asked:
                    left.remove(each)
                    yield each, Cause(name, each.difference, text)

    def _entities(self, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Cause]]:
        """Findings that entities without a row in the export explain."""
        level = self.exported.export.level
        if not (level and findings):
            return
        items = self.fresh.items(self.ad_account_id, ENTITIES[level])
        field = "id" if self.exported.export.by_id else "name"
        names = {line.entity for line in self.lines}
        listed = {key for key, item in items.items() if str(item.get(field)).strip() in names}
        metrics = [each.metric for each in findings]
        detail = Detail(LEVELS[level], ENTITIES[level], "TOTAL")
        settings = self.fresh.settings
        cells = self.fresh.cells(self.ad_account_id, detail, self.days, settings, metrics)
        missing = {entity for entity, _ in cells} - listed
        shown = {str(items[each].get("status")) for each in listed}
        cause = left_out(missing, items, shown) if missing and shown else None
        for each in findings if cause else ():
            name, text = cause or ("", "")
            amount = -sum(
                (found[each.metric] for place, found in cells.items() if place[0] in missing),
                NOTHING,
            )
            if amount and _fits(each, each.pinterest + amount):
                yield each, Cause(name, each.difference, text)

    def _restated(self, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Cause]]:
        """Findings of an export that was made before the numbers of any of its days had settled."""
        made_on = self.exported.made_on
        for each in findings:
            first = settled_on(each.metric, self.days.start, self.fresh.settings)
            if made_on and made_on < first and each.here < each.pinterest:
                text = f"the export is of {made_on}, and no day had settled before {first}"
                yield each, Cause(RESTATED, each.difference, text)

    def _totals(self, settings: Settings, metrics: Sequence[str]) -> Totals:
        return self.fresh.totals(self.ad_account_id, self.days, settings, metrics)


def _fits(finding: Finding, number: Decimal) -> bool:
    return abs(finding.here - number) <= finding.tolerance


def others(metric: str) -> Iterator[str]:
    """The same actions in another kind: paid, earned, or both."""
    known = columns.offered_columns(newer=True)
    bare = metric.removeprefix("TOTAL_").removeprefix("PAID_").removesuffix("_1").removesuffix("_2")
    for name in (f"{bare}_1", f"{bare}_2", f"TOTAL_{bare}"):
        if name != metric and name in known:
            yield name


def variants(settings: Settings) -> Iterator[tuple[str, str, Settings]]:
    """Settings that somebody may have chosen in Ads Manager, each with its cause and a text."""
    time = next(each for each in REPORT_TIMES if each != settings.conversion_report_time)
    other_time = dataclasses.replace(settings, conversion_report_time=time)
    text = f"conversion_report_time is {time} in the export"
    yield REPORT_TIME, text, other_time
    here = (settings.click_window_days, settings.engagement_window_days, settings.view_window_days)
    for each in (*((days, days, days) for days in SAME_WINDOWS), *MORE_WINDOWS):
        if each == here or each in REFUSED_WINDOWS:
            continue
        windows: dict[str, Any] = dict(zip(_WINDOWS, each, strict=True))
        text = f"the windows are {'/'.join(map(str, each))} in the export"
        yield WINDOWS, text, dataclasses.replace(settings, **windows)
        text += f", and conversion_report_time is {time}"
        yield f"{WINDOWS} and {REPORT_TIME}", text, dataclasses.replace(other_time, **windows)
    if settings.reporting_timezone != "AD_ACCOUNT_TIME_ZONE":
        zoned = dataclasses.replace(settings, reporting_timezone="AD_ACCOUNT_TIME_ZONE")
        yield TIME_ZONE, "the days of the export are in the ad account's time zone", zoned


_WINDOWS = ("click_window_days", "engagement_window_days", "view_window_days")
