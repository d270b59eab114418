"""The days that a run reads of a report, and the calls and reports that read them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.api import targeting
from tap_pinterest.api.periods import (
    ASYNCHRONOUS,
    ASYNCHRONOUS_HOURS,
    HOURS,
    ONE_DAY,
    REPORT_ROWS,
    SYNCHRONOUS,
    SYNCHRONOUS_HOURS,
    DateRange,
    Slice,
    cut,
    first_day,
    last_day,
    merged,
    slices,
)
from tap_pinterest.http.errors import DaysError
from tap_pinterest.reading.calls import Expected
from tap_pinterest.singer.state import Progress
from tap_pinterest.streams.ads import AdGroups
from tap_pinterest.streams.bases.level_stream import LevelStream
from tap_pinterest.streams.bases.ordering import POLLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from tap_pinterest.api.periods import ReportLimits
    from tap_pinterest.singer.state import ReportRange

MOST_CALLS = 100
"""A range of an account that takes more synchronous calls is asked for as reports."""
VALUES_OF_A_TYPE = 10
"""Rows for each entity and period that a targeting type is expected to have."""
SETTLED_HOURS_AFTER = 2
"""Days after which hours, which have no conversions, do not change any more."""


@dataclass(frozen=True)
class Part:
    """What one call or one report reads."""

    slice: Slice
    asynchronous: bool = False


@dataclass
class Reading:
    """What a run reads of a report in one context.

    Attributes:
        progress: How far earlier runs have come.
        range: The days that this one wants.
        ranges: Those of them that it reads.
        entities: What is reported on, each with its parents' ids.
        parts: The calls and reports that read it, in order.
    """

    progress: Progress
    range: ReportRange
    ranges: Sequence[DateRange]
    entities: Mapping[str, tuple[str, ...]]
    parts: Sequence[Part]


class PlannedStream(LevelStream):
    """A report that knows, before the first call, all that it will ask for."""

    _readings: dict[str, Reading]
    """What is read of each ad account, until that is done."""
    _without_reports: set[str]
    """Ad accounts that have refused this report asynchronously."""

    @override
    def ranges(self, context: Context | None) -> Sequence[DateRange]:
        return self.reading(context or {}).ranges

    @override
    def expected(self, context: Context | None) -> Iterator[Expected]:
        parts = self.reading(context or {}).parts
        reports = sum(part.asynchronous for part in parts)
        if reports:
            yield from self.operation.expected(reports)
        if calls := len(parts) - reports:
            yield Expected(api.operation(f"GET {self.path}").category, calls)

    @property
    @override
    def lists(self) -> Iterator[str]:
        if self.entities:
            yield self.entities.path
            yield from (parent.path for parent in self.entities.parents())
        elif self.settings.filters:
            yield AdGroups.path

    def reading(self, context: Mapping[str, Any]) -> Reading:
        """What is read of a context in this run; the same until the context is read to its end."""
        ad_account_id = context["ad_account_id"]
        if ad_account_id not in self._readings:
            self._readings[ad_account_id] = self._planned(context)
        return self._readings[ad_account_id]

    def _planned(self, context: Mapping[str, Any]) -> Reading:
        ad_account_id = context["ad_account_id"]
        may_report = self._may_report(ad_account_id)
        wanted = self.run.ranges.of(
            self,
            days_back=self._limits(asynchronous=may_report).days_back,
            lookback_days=self._lookback_days,
            granularity=self.granularity,
            what=self._what_is_kept(may_report=may_report),
        )
        if self.granularity == "TOTAL":
            progress, ranges = Progress(), [wanted.days]
        else:
            progress = Progress.of(self.remembered.of(context) or {})
            ranges = wanted.to_read(progress, self.fingerprint)
        entities = self._entities(ad_account_id)
        parts = [
            part
            for dates in ranges
            if dates.start <= dates.end
            for part in self._cut(ad_account_id, entities, dates, may_report=may_report)
        ]
        # What Pinterest takes a while to prepare is ordered first.
        parts.sort(key=lambda part: not part.asynchronous)
        return Reading(progress, wanted, ranges, entities, parts)

    @property
    def _lookback_days(self) -> int:
        if self.granularity == "HOUR" and self.settings.lookback_days is None:
            return SETTLED_HOURS_AFTER
        return self.settings.attribution_lookback

    def _limits(self, *, asynchronous: bool) -> ReportLimits:
        if self.granularity == "HOUR":
            return ASYNCHRONOUS_HOURS if asynchronous else SYNCHRONOUS_HOURS
        return self.level.report_limits if asynchronous else self.level.call_limits

    def _what_is_kept(self, *, may_report: bool) -> str:
        if self.granularity == "HOUR":
            return "reports by hour"
        if may_report and self.level.report_limits != ASYNCHRONOUS:
            return f"reports of {self.level.plural}"
        return "these reports" if may_report else "reports that are read synchronously"

    def _may_report(self, ad_account_id: str) -> bool:
        """Whether asynchronous reports are an option."""
        if self.only_asynchronous:
            return True
        if not self.report_level or self.settings.report_transport == "sync":
            return False
        return ad_account_id not in self._without_reports and self.run.offers_reports(ad_account_id)

    def _cut(
        self,
        ad_account_id: str,
        entities: Mapping[str, tuple[str, ...]],
        dates: DateRange,
        *,
        may_report: bool,
    ) -> list[Part]:
        """The parts that read a range of days, synchronous, asynchronous or both."""
        if not may_report:
            return self._calls(ad_account_id, entities, dates, self.types)
        self._warn_of_synchronous_types(dates)
        reports = self._reports(ad_account_id, entities, dates)
        if self.only_asynchronous:
            return reports
        near, far = self._near_and_far(dates)
        calls = self._calls(ad_account_id, entities, near, self.types) if near else []
        older = self._reports(ad_account_id, entities, far) if far else []
        if self.settings.access_tier == "trial":
            cheaper = len(calls) + (1 + POLLS) * len(older) <= (1 + POLLS) * len(reports)
        else:
            cheaper = len(calls) <= MOST_CALLS
        if near and cheaper:
            return older + calls
        others = [name for name in self.types if name not in targeting.asynchronous(self.level)]
        if near and others:
            return reports + self._calls(ad_account_id, entities, near, others)
        return reports

    def _near_and_far(self, dates: DateRange) -> tuple[DateRange | None, DateRange | None]:
        """The periods within reach of synchronous calls, and those before them."""
        days_back = self._limits(asynchronous=False).days_back
        reach = self.clock.today - ONE_DAY * days_back
        if dates.start >= reach:
            return dates, None
        if self.granularity == "TOTAL" or dates.end < reach:
            return None, dates
        start = first_day(reach, self.granularity)
        if start < reach:
            start = last_day(reach, self.granularity) + ONE_DAY
        far = DateRange(dates.start, start - ONE_DAY)
        return (DateRange(start, dates.end) if start <= dates.end else None), far

    def _calls(
        self,
        ad_account_id: str,
        entities: Mapping[str, tuple[str, ...]],
        dates: DateRange,
        types: Sequence[str],
    ) -> list[Part]:
        """The synchronous calls for a range of days."""
        limits = self._limits(asynchronous=False)
        self._refuse_long_total(dates, limits)
        types = [name for name in types if name in targeting.synchronous(self.level)]
        groups = targeting.groups(types, targeting.most_in_a_call(self.level)) if types else [()]
        return [
            Part(replace(each, within=within))
            for group in groups
            for within, listed in self._batches(entities)
            for each in slices(
                dates,
                listed,
                rows=self.settings.slice_rows,
                max_ids=self._ids_in_a_call(ad_account_id, listed, group),
                max_days=limits.days,
                types=group,
                granularity=self.granularity,
            )
        ]

    def _batches(
        self, entities: Mapping[str, tuple[str, ...]]
    ) -> Iterable[tuple[str, Sequence[str]]]:
        """Ids that may share a call, with the id of what they are in if the call names it."""
        if not (self.level.within and self.entities):
            return [("", list(entities))]
        fields = (self.entities.id_field, *self.entities.parent_fields)
        of = itemgetter(fields.index(self.level.within), fields.index(self.level.own_id.lower()))
        found: dict[str, dict[str, None]] = {}
        for within, own in map(of, entities.values()):
            if within and own:
                found.setdefault(within, {})[own] = None
        return [(within, list(ids)) for within, ids in found.items()]

    def _reports(
        self, ad_account_id: str, entities: Mapping[str, tuple[str, ...]], dates: DateRange
    ) -> list[Part]:
        """The asynchronous reports for a range of days.

        A report needs no ids; with filters in force it gets those that they leave.
        """
        limits = self._limits(asynchronous=True)
        self._refuse_long_total(dates, limits)
        groups = self.groups_of_types()
        if self.broken_down and not any(groups):
            return []
        listed = self._filtered(ad_account_id, entities)
        parts = []
        for group in groups:
            rows = REPORT_ROWS // (VALUES_OF_A_TYPE if group else 1)
            if listed is None:
                hours = HOURS if self.granularity == "HOUR" else 1
                of_a_period = max(len(entities), 1) * hours * max(len(group), 1)
                longest = max((cut(dates, 1, self.granularity)), key=lambda each: each.days).days
                days = min(limits.days, max(rows // of_a_period, 1) * longest)
                pieces = cut(dates, days, self.granularity)
                found = [Slice(each, (), group, self.granularity) for each in pieces]
            else:
                found = slices(
                    dates,
                    listed,
                    rows=rows,
                    max_ids=limits.ids,
                    max_days=limits.days,
                    types=group,
                    granularity=self.granularity,
                )
            parts += [Part(each, asynchronous=True) for each in found]
        return parts

    def _filtered(
        self, ad_account_id: str, entities: Mapping[str, tuple[str, ...]]
    ) -> Sequence[str] | None:
        """Ids that filters leave; `None` where they leave all."""
        if not self.settings.filters or not self.report_id_parameter:
            return None
        if self.entities is not None:
            return list(entities)
        return list(self.inventory.entities(AdGroups, self.settings, ad_account_id))

    def _refuse_long_total(self, dates: DateRange, limits: ReportLimits) -> None:
        if self.granularity == "TOTAL" and dates.days > limits.days:
            msg = (
                f"{self.name}: a total of {dates} is of {dates.days} days, and Pinterest adds up "
                f"{limits.days} at most; give another start_date or end_date"
            )
            raise DaysError(msg)

    def _warn_of_synchronous_types(self, dates: DateRange) -> None:
        of_reports = {name for group in self.groups_of_types() for name in group}
        others = [name for name in self.types if name not in of_reports]
        near = None if self.only_asynchronous else self._near_and_far(dates)[0]
        if others and (near is None or near.start > dates.start):
            since = f"from {near.start} on only" if near else "not at all"
            self.run.warn_once(
                f"{self.name}: asynchronous reports do not break down by {' and '.join(others)}; "
                f"of {dates} these are read {since}"
            )

    def _ids_in_a_call(
        self, ad_account_id: str, ids: Sequence[str], types: Sequence[str] = ()
    ) -> int:
        """As many ids as the parameter takes and the URL has room for."""
        if not self.level.id_parameter:
            return 1
        today = self.clock.today
        within = "9" * 18 if self.level.within else ""
        example = Slice(DateRange(today, today), (), tuple(types), within=within)
        query = self._query(example)
        rest = self.run.client.url(self.path, ids={"ad_account_id": ad_account_id}, query=query)
        each = len(f"&{self.level.id_parameter}=") + max(map(len, ids), default=0)
        most = api.operation(f"GET {self.path}").parameters[self.level.id_parameter].max_items
        return max(min((SYNCHRONOUS.url_bytes - len(rest)) // each, most or SYNCHRONOUS.ids), 1)

    def _entities(self, ad_account_id: str) -> Mapping[str, tuple[str, ...]]:
        if not self.level.is_listed:
            return {ad_account_id: ()}
        if self.entities is None:
            return {}
        return self.inventory.entities(self.entities, self.settings, ad_account_id)

    def _note_ranges(self, reading: Reading) -> None:
        for asynchronous in (True, False):
            dates = [
                part.slice.dates for part in reading.parts if part.asynchronous is asynchronous
            ]
            for each in merged(dates):
                self.summary.ranges[f"{each} (async)" if asynchronous else str(each)] += 1
