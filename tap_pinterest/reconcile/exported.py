"""Compares an export of Ads Manager with Pinterest, and proves why numbers differ."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_pinterest.api.columns import is_conversion, offered_columns
from tap_pinterest.api.levels import LEVELS
from tap_pinterest.config.effects import REFUSED_WINDOWS
from tap_pinterest.http.errors import PART_ERRORS
from tap_pinterest.reconcile.export import sums
from tap_pinterest.reconcile.findings import (
    KINDS,
    NO_SUM,
    NOTHING,
    REPORT_TIME,
    RESTATED,
    TIME_ZONE,
    WINDOWS,
    Cause,
    Finding,
    adds_up,
    looking_for_causes,
)
from tap_pinterest.reconcile.fresh import Detail
from tap_pinterest.reconcile.loaded import left_out
from tap_pinterest.reconcile.restated import settled_on
from tap_pinterest.streams.ads import AdGroups, Ads, Campaigns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from tap_pinterest.config import Settings
    from tap_pinterest.reconcile.export import Export, Line
    from tap_pinterest.reconcile.fresh import Fresh
    from tap_pinterest.streams.bases.dataset import DatasetStream

ENTITIES: Mapping[str, type[DatasetStream]] = {
    "campaign": Campaigns,
    "ad_group": AdGroups,
    "ad": Ads,
}
SAME_WINDOWS = (1, 7, 14, 30, 60)
"""Windows that Ads Manager offers for clicks, engagements and views alike."""
MORE_WINDOWS = ((30, 30, 1), (7, 7, 1), (14, 14, 1), (60, 60, 1))
WINDOW_SETTINGS = ("click_window_days", "engagement_window_days", "view_window_days")
REPORT_TIMES = ("TIME_OF_AD_ACTION", "TIME_OF_CONVERSION")


def compared(export: Export, fresh: Fresh) -> list[Finding]:
    """A finding for each column of the file."""
    lines = export.of(fresh.ad_account_id, fresh.days)
    here, units = sums(lines, "values"), sums(lines, "units")
    totals = fresh.totals(fresh.settings, sorted(filter(adds_up, {*export.metrics.values()})))
    findings = [
        Finding(
            export.name,
            fresh.ad_account_id,
            name,
            here=here.get(label, NOTHING),
            pinterest=totals.get(name, NOTHING),
            tolerance=units.get(label, NOTHING),
            obstacle=fresh.obstacle(name) if adds_up(name) else NO_SUM,
        )
        for label, name in export.metrics.items()
    ]
    different = [each for each in findings if each.outcome == "differs"]
    with looking_for_causes(different):
        _Search(export, fresh, lines).explain(different)
    return findings


@dataclass(frozen=True)
class _Search:
    """Looks for the cause of a difference: Pinterest's number with that cause must fit exactly."""

    export: Export
    fresh: Fresh
    lines: Sequence[Line]

    def explain(self, findings: Iterable[Finding]) -> None:
        """Try one cause after the other, and keep the first that fits."""
        left = list(findings)
        for attempt in (self._kinds, self._entities, self._shapes, self._restated):
            for finding, cause in attempt([each for each in left if not each.causes]):
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

    def _shapes(self, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Cause]]:
        """Findings whose number Pinterest gives with other settings."""
        left = list(findings)
        for name, text, settings in variants(self.fresh.settings):
            # Attribution changes conversions only; the time zone changes every metric.
            asked = [each for each in left if name == TIME_ZONE or is_conversion(each.metric)]
            if not asked:
                continue
            try:
                totals = self.fresh.totals(settings, [each.metric for each in asked])
            except PART_ERRORS:
                continue
            if all(_fits(each, totals.get(each.metric, NOTHING)) for each in asked):
                for each in asked:
                    left.remove(each)
                    yield each, Cause(name, each.difference, text)

    def _entities(self, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Cause]]:
        """Findings that entities without a row in the export explain."""
        level = self.export.level
        if not (level and findings):
            return
        items = self.fresh.items(ENTITIES[level])
        field = "id" if self.export.by_id else "name"
        names = {line.entity for line in self.lines}
        listed = {key for key, item in items.items() if str(item.get(field)).strip() in names}
        metrics = [each.metric for each in findings]
        detail = Detail(LEVELS[level], ENTITIES[level], "TOTAL")
        cells = self.fresh.cells(detail, self.fresh.days, self.fresh.settings, metrics)
        missing = {entity for entity, _ in cells} - listed
        shown = {str(items[each].get("status")) for each in listed}
        cause = left_out(missing, items, shown) if missing and shown else None
        if cause is None:
            return
        for each in findings:
            left = (found[each.metric] for (entity, _), found in cells.items() if entity in missing)
            amount = sum(left, NOTHING)
            if amount and _fits(each, each.pinterest - amount):
                name, text = cause
                yield each, Cause(name, each.difference, text)

    def _restated(self, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Cause]]:
        """Findings of an export that was made before the numbers of any of its days had settled."""
        made_on = self.export.made_on
        for each in findings:
            first = settled_on(each.metric, self.fresh.days.start, self.fresh.settings)
            if made_on < first and each.here < each.pinterest:
                text = f"the export is of {made_on}, and no day had settled before {first}"
                yield each, Cause(RESTATED, each.difference, text)


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
    for each in (*((days, days, days) for days in SAME_WINDOWS), *MORE_WINDOWS):
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
