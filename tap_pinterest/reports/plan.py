"""The plan of an ads report: the calls and the reports that read its days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from operator import itemgetter

from tap_pinterest import api
from tap_pinterest.api.periods import ONE_DAY, DateRange, ReportLimits, Slice, cut, slices
from tap_pinterest.http.errors import DaysError
from tap_pinterest.http.urls import path_with, query_string
from tap_pinterest.reports.ordering import POLLS
from tap_pinterest.reports.question import Question

MOST_CALLS = 100
"""Most synchronous calls for a range of an account; if it takes more, reports read it."""
REPORT_ROWS = 100_000
"""Most rows that we expect in an asynchronous report."""
VALUES_OF_A_TYPE = 10
"""Rows that we expect of a targeting type for each entity and period."""
_AN_ID = "9" * 18


@dataclass(frozen=True)
class Part:
    """The part of a report that one synchronous call or one asynchronous report reads."""

    slice: Slice
    asynchronous: bool = False


@dataclass(frozen=True)
class Entities:
    """The entities of an ad account that a report is about.

    Attributes:
        rows: The id and the parents' ids of each entity, by id.
        fields: Names of these ids, in the order of a row.
        named: The ids that an order names; `None` if the order is for all entities.
    """

    ad_account_id: str
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fields: Sequence[str] = ("id",)
    named: Sequence[str] | None = None

    def batches(self, question: Question) -> Iterator[tuple[str, Sequence[str]]]:
        """The ids that may share a call, each list with the id of the parent that a call names."""
        level = question.level
        if not level.within:
            yield "", list(self.rows)
            return
        ids_of = itemgetter(
            self.fields.index(level.within), self.fields.index(level.own_id.lower())
        )
        found: dict[str, dict[str, None]] = {}
        for within, own in map(ids_of, self.rows.values()):
            if within and own:
                found.setdefault(within, {})[own] = None
        for within, ids in found.items():
            yield within, list(ids)


def plan(
    question: Question,
    entities: Entities,
    ranges: Sequence[DateRange],
    *,
    may_report: bool,
    today: date,
) -> list[Part]:
    """The calls and reports that read the days; asynchronous reports take long, so they come first.

    Raises:
        DaysError: The range is too long for a total.
    """
    planning = _Planning(question, entities, today)
    parts = [
        part
        for dates in ranges
        if dates.days > 0
        for part in (
            planning.mixed(dates) if may_report else planning.calls(dates, question.types_of_calls)
        )
    ]
    return sorted(parts, key=lambda part: not part.asynchronous)


def unread(
    question: Question, ranges: Sequence[DateRange], *, may_report: bool, today: date
) -> Iterator[str]:
    """A warning for each range with targeting types that no call or report can read."""
    known = question.types_of_reports if may_report else question.types_of_calls
    others = " and ".join(name for name in question.types if name not in known)
    for dates in (each for each in ranges if others and each.days > 0):
        if not may_report:
            yield (
                f"{question.name}: synchronous calls do not break down by {others}; for {dates} "
                "they are not read"
            )
            continue
        near = None if question.only_asynchronous else near_and_far(question, dates, today)[0]
        if near is None or near.start > dates.start:
            since = f"from {near.start} on only" if near else "not at all"
            yield (
                f"{question.name}: asynchronous reports do not break down by {others}; for {dates} "
                f"they are read {since}"
            )


def near_and_far(
    question: Question, dates: DateRange, today: date
) -> tuple[DateRange | None, DateRange | None]:
    """The periods that synchronous calls reach, and the periods before them."""
    granularity = question.granularity
    reach = today - ONE_DAY * question.limits(today, asynchronous=False).days_back
    if dates.start >= reach:
        return dates, None
    if granularity.is_total or dates.end < reach:
        return None, dates
    start = granularity.first_day(reach)
    if start < reach:
        start = granularity.last_day(reach) + ONE_DAY
    far = DateRange(dates.start, start - ONE_DAY)
    return (DateRange(start, dates.end) if start <= dates.end else None), far


@dataclass(frozen=True)
class _Planning:
    """The plan of one ad account."""

    question: Question
    entities: Entities
    today: date

    def mixed(self, dates: DateRange) -> list[Part]:
        """The parts that read the days: calls or reports, whichever cost less."""
        question = self.question
        reports = self.reports(dates, question.types_of_reports)
        if question.only_asynchronous:
            return reports
        near, far = near_and_far(question, dates, self.today)
        if near is None or (question.dimensions and not question.types_of_calls):
            return reports
        calls = self.calls(near, question.types_of_calls)
        only_reports = [each for each in question.types if each not in question.types_of_calls]
        others = self.reports(near, only_reports) if calls and only_reports else []
        others += self.reports(far, question.types_of_reports) if far else []
        if self._is_cheaper(len(calls), len(others), len(reports)):
            return others + calls
        only_calls = [each for each in question.types if each not in question.types_of_reports]
        return reports + (self.calls(near, only_calls) if only_calls else [])

    def _is_cheaper(self, calls: int, others: int, reports: int) -> bool:
        """Whether calls, and reports beside them, cost less than reports of everything."""
        if self.question.settings.access_tier == "trial":
            return calls + (1 + POLLS) * others <= (1 + POLLS) * reports
        return calls <= MOST_CALLS

    def calls(self, dates: DateRange, types: Sequence[str]) -> list[Part]:
        """The synchronous calls that read the days."""
        question = self.question
        limits = question.limits(self.today, asynchronous=False)
        self._refuse_long_total(dates, limits)
        return [
            Part(replace(each, within=within))
            for group in question.in_calls(types)
            for within, ids in self.entities.batches(question)
            for each in slices(
                dates,
                ids,
                rows=question.settings.slice_rows,
                max_ids=self._ids_in_a_call(ids, group, limits),
                max_days=limits.days,
                types=group,
                granularity=question.granularity,
            )
        ]

    def _ids_in_a_call(
        self, ids: Sequence[str], types: tuple[str, ...], limits: ReportLimits
    ) -> int:
        """The number of ids that the parameter allows and that fit in the URL."""
        level, path = self.question.level, self.question.path
        if not level.id_parameter:
            return 1
        within = _AN_ID if level.within else ""
        day = DateRange(self.today, self.today)
        query = self.question.query(Slice(day, types=types, within=within))
        operation = api.operation(f"GET {path}")
        rest = (
            self.question.settings.api_url
            + path_with(path, {"ad_account_id": self.entities.ad_account_id})
            + query_string(operation, query)
        )
        each = len(f"&{level.id_parameter}=") + max(map(len, ids), default=0)
        most = operation.parameters[level.id_parameter].max_items or limits.ids
        return max(min((limits.url_bytes - len(rest)) // each, most), 1)

    def reports(self, dates: DateRange, types: Sequence[str]) -> list[Part]:
        """The asynchronous reports that read the days."""
        question, entities = self.question, self.entities
        self._refuse_long_total(dates, question.limits(self.today, asynchronous=True))
        if question.settings.filters and not entities.rows and entities.named is None:
            # This order cannot name ids, and no row would pass the filters.
            return []
        return [
            Part(each, asynchronous=True)
            for group in question.in_reports(types)
            for each in self._slices_of_reports(dates, group)
        ]

    def _slices_of_reports(self, dates: DateRange, types: tuple[str, ...]) -> list[Slice]:
        """The slices of the reports with these types; with ids only if filters are set."""
        limits = self.question.limits(self.today, asynchronous=True)
        granularity, named = self.question.granularity, self.entities.named
        rows = REPORT_ROWS // (VALUES_OF_A_TYPE if types else 1)
        if named is None:
            of_a_period = max(len(self.entities.rows), 1) * granularity.rows * max(len(types), 1)
            longest = max((cut(dates, 1, granularity)), key=lambda each: each.days).days
            days = min(limits.days, max(rows // of_a_period, 1) * longest)
            return [Slice(each, (), types, granularity) for each in cut(dates, days, granularity)]
        return slices(
            dates,
            named,
            rows=rows,
            max_ids=limits.ids,
            max_days=limits.days,
            types=types,
            granularity=granularity,
        )

    def _refuse_long_total(self, dates: DateRange, limits: ReportLimits) -> None:
        if self.question.granularity.is_total and dates.days > limits.days:
            msg = (
                f"{self.question.name}: a total of {dates} has {dates.days} days, and Pinterest "
                f"adds up at most {limits.days}; give another start_date or end_date"
            )
            raise DaysError(msg)
