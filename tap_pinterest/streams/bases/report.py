"""An ads report as a stream: plans its question, reads and writes the rows, keeps the state."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from singer_sdk.exceptions import FatalAPIError, SkippableAPIError
from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.api import targeting
from tap_pinterest.api.columns import column
from tap_pinterest.api.naming import in_words, name_of
from tap_pinterest.api.periods import DateRange, merged
from tap_pinterest.http.errors import PART_ERRORS
from tap_pinterest.layouts.daasity import SYNC_KEY_FIELDS
from tap_pinterest.layouts.tables import Table
from tap_pinterest.reading.call import Call
from tap_pinterest.reading.calls import Expected
from tap_pinterest.reading.parts import Parts
from tap_pinterest.reading.tasks import LEAST_BYTES, Task, with_pauses
from tap_pinterest.reports.ordering import Operation, Ordering
from tap_pinterest.reports.plan import Entities, Part, plan, unread
from tap_pinterest.reports.question import Question
from tap_pinterest.reports.reader import Answered, Reader, Steps
from tap_pinterest.reports.rows import Rows, added_up
from tap_pinterest.run.run import Run
from tap_pinterest.singer import state
from tap_pinterest.singer.state import Progress, ReportRange
from tap_pinterest.streams.bases.dataset import DatasetStream
from tap_pinterest.streams.bases.days import ReportStream
from tap_pinterest.streams.bases.stream import TaskStream

BYTES_PER_VALUE = 28
"""Expected size of a value in a synchronous answer."""


@dataclass(frozen=True)
class Reading:
    """The reading of a report in one context, planned before its first call.

    Attributes:
        progress: The progress of earlier runs.
        range: The days that the config asks for.
        ranges: The days that this run reads.
        lists: The outcomes of the calls that list the entities.
        parts: The calls and reports that read the days, in order.
    """

    progress: Progress
    range: ReportRange
    ranges: Sequence[DateRange]
    entities: Entities
    lists: Parts
    parts: Sequence[Part]


class AdsReport(TaskStream, ReportStream):
    """Metrics of the entities of one level, in the account's currency.

    A record also says the currency of its amounts and the attribution settings in force. Metrics
    without a value are null: Pinterest sends none, which is not the same as zero.

    Attributes:
        entities: The stream that lists the entities of the level; `None` for the ad account, and
            for entities that Pinterest does not list.
        narrowed_by: The stream whose ids an order names if filters are set and `entities` is
            `None`.
    """

    entities: type[DatasetStream] | None = None
    narrowed_by: ClassVar[type[DatasetStream] | None] = None
    operation: ClassVar[Operation] = Operation()
    rows_type: ClassVar[type[Rows]] = Rows
    question: Question

    def __init__(self, run: Run, question: Question) -> None:
        self.question = question
        self.custom = question.custom
        self.settings = question.settings
        self.natural_keys = question.keys
        self.facts = question.facts
        self.period = question.granularity.name
        super().__init__(run, name=question.name)
        if self.table is None:
            self.primary_keys = self.natural_keys
        if question.granularity.is_total:
            self.replication_key = None  # type: ignore[assignment]
        self._readings: dict[str, Reading] = {}
        self._without_reports: set[str] = set()

    @functools.cached_property
    @override
    def category(self) -> str:
        return api.operation(f"GET {self.question.path or self.path}").category

    @override
    def own_schema(self) -> dict[str, Any]:
        return self.question.with_columns_beside(super().own_schema())

    @functools.cached_property
    @override
    def table(self) -> Table | None:
        if not self.settings.column_names.are_displayed:
            return super().table
        names = self.run.column_names
        return Table(
            name=self.name,
            source=self.name,
            columns={names.get(name, name): name for name in self.own_schema()["properties"]},
            key=tuple(self.natural_keys),
            sync_key_fields=SYNC_KEY_FIELDS.get(self.name, ()),
            closed=False,
        )

    @functools.cached_property
    @override
    def fingerprint(self) -> str:
        return self.question.fingerprint(self.column)

    @functools.cached_property
    def rows_of(self) -> Rows:
        """Makes rows into records."""
        return self.rows_type(self.question, self.convert)

    @functools.cached_property
    def reader(self) -> Reader:
        """Reads the parts of the plan."""
        client = self.run.client
        ordering = Ordering(client, self.clock, self.settings, self.name, self.operation)
        return Reader(self.question, client, ordering, self.run.warn_once)

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        question = self.question
        if question.dimensions and not question.types:
            types = ", ".join(self.settings.targeting_types)
            log = self.run.warn_once if question.custom else self.logger.info
            log(f"{self.name} reads nothing: its level has none of the targeting_types ({types})")
            return []
        if question.left_out:
            self.run.warn_once(
                f"{self.name}: report_columns all leaves out {question.left_out} of the columns "
                "that Pinterest lists, because a call has no room for them; name columns, or set "
                "report_transport to async"
            )
        for name in question.not_sent:
            self.run.warn_once(
                f"{self.name} is read without {name}: Pinterest does not take it here."
            )
        return super().partitions

    @property
    @override
    def lists(self) -> Iterator[str]:
        if self.entities:
            yield self.entities.path
            yield from (parent.path for parent in self.entities.parents())
        elif self.narrowed_by and self.settings.filters:
            yield self.narrowed_by.path

    @override
    def ranges(self, context: Context | None) -> Sequence[DateRange]:
        return self.reading(context or {}).ranges

    @override
    def expected(self, context: Context | None) -> Iterator[Expected]:
        reading = self.reading(context or {})
        parts = reading.parts
        reports = sum(part.asynchronous for part in parts)
        if reports:
            yield from self.operation.expected(reports)
        if calls := len(parts) - reports:
            yield Expected(self.category, calls)
        reading.lists.raise_if_any_failed()

    def reading(self, context: Mapping[str, Any]) -> Reading:
        """The reading of a context: it stays the same until the context is read to its end."""
        ad_account_id = context["ad_account_id"]
        if ad_account_id not in self._readings:
            self._readings[ad_account_id] = self._planned(context)
        return self._readings[ad_account_id]

    def _planned(self, context: Mapping[str, Any]) -> Reading:
        question, today = self.question, self.clock.today
        may_report = self._may_report(context["ad_account_id"])
        wanted = self.run.ranges.of(
            self,
            days_back=question.limits(today, asynchronous=may_report).days_back,
            lookback_days=question.lookback_days,
            kind=question.kind(asynchronous=may_report),
            granularity=question.granularity,
        )
        if question.granularity.is_total:
            progress, ranges = Progress(), [wanted.days]
            self.warn(progress, wanted)
        else:
            progress = self.progress(context, wanted)
            ranges = wanted.to_read(progress, self.fingerprint)
        lists = Parts()
        entities = self._entities(context["ad_account_id"], ranges, lists)
        for warning in unread(question, ranges, may_report=may_report, today=today):
            self.run.warn_once(warning)
        parts = plan(question, entities, ranges, may_report=may_report, today=today)
        return Reading(progress, wanted, ranges, entities, lists, parts)

    def _may_report(self, ad_account_id: str) -> bool:
        """Whether asynchronous reports are an option."""
        question = self.question
        if question.only_asynchronous:
            return True
        if not question.order_level or self.settings.report_transport == "sync":
            return False
        return ad_account_id not in self._without_reports and self.run.offers_reports(ad_account_id)

    def _entities(self, ad_account_id: str, ranges: Sequence[DateRange], lists: Parts) -> Entities:
        """The entities of the report, with the ids that an order names if filters are set.

        `lists` gets the errors of lists that cannot be read to their end.

        Raises:
            SkippableAPIError: Pinterest refuses all lists.
        """
        listing = self.entities or self.narrowed_by
        is_narrowed = bool(self.settings.filters and self.question.level.id_parameter)
        if not self.question.level.is_listed:
            return Entities(ad_account_id, {ad_account_id: ()})
        is_needed = self.entities or (is_narrowed and any(each.days > 0 for each in ranges))
        if listing is None or not is_needed:
            return Entities(ad_account_id)
        found = self.inventory.entities(listing, self.settings, ad_account_id, lists)
        if not found:
            lists.raise_if_nothing_was_read()
        return Entities(
            ad_account_id,
            rows=found if self.entities else {},
            fields=(listing.id_field, *listing.parent_fields),
            named=list(found) if is_narrowed else None,
        )

    @override
    def tasks(self, context: Context) -> Iterator[Task[Answered]]:
        ad_account_id = context["ad_account_id"]
        self._readings.pop(ad_account_id, None)
        begun = self._begun(ad_account_id, self.reading(context))
        reading = self.reading(context)
        self._note_ranges(context, reading)
        for part in reading.parts:
            steps = begun.pop(part, None) or self.reader.steps(ad_account_id, part)
            values = part.slice.rows * len(self.question.wanted)
            size = LEAST_BYTES if part.asynchronous else values * BYTES_PER_VALUE
            yield Task(with_pauses(steps), size)

    def _begun(self, ad_account_id: str, reading: Reading) -> dict[Part, Steps]:
        """The first asynchronous report, once Pinterest has accepted its order; empty without one.

        If Pinterest refuses reports, synchronous calls read the days within their reach.

        Raises:
            SkippableAPIError: All reports are refused, and synchronous calls cannot replace them.
        """
        first = next((part for part in reading.parts if part.asynchronous), None)
        if first is None:
            return {}
        steps = self.reader.steps(ad_account_id, first)
        order, for_all = functools.partial(_begin, steps), self._is_open_to_all(first)
        try:
            if self.operation == Operation():
                pause = self.run.grants.ask(ad_account_id, order, for_all=for_all)
            else:
                pause = order()
        except StopIteration as end:
            return {first: _ended(end.value)}
        except SkippableAPIError as refusal:
            if self.run.grants.refusal(ad_account_id) or not self.question.only_asynchronous:
                return self._do_without_reports(ad_account_id, refusal)
            return {first: _ended(Answered.failed(first, refusal))}
        return {first: _resumed(pause, steps)}

    def _is_open_to_all(self, part: Part) -> bool:
        """Whether a report asks only for columns and types that Pinterest gives to every app."""
        in_beta = {*part.slice.types} & {*targeting.BETA}
        return not (self.question.custom or self.question.sent_if_set or in_beta)

    def _do_without_reports(
        self, ad_account_id: str, refusal: SkippableAPIError
    ) -> dict[Part, Steps]:
        """Read an ad account with synchronous calls only, and say so once.

        Raises:
            SkippableAPIError: Only asynchronous reports have the numbers.
        """
        if self.question.only_asynchronous:
            raise refusal
        self._without_reports.add(ad_account_id)
        self._readings.pop(ad_account_id)
        whose = "" if self.run.grants.refusal(ad_account_id) else f"{self.name} of "
        self.run.warn_of_refused_reports(f"{whose}{in_words(ad_account_id)} ({refusal})")
        return {}

    def _note_ranges(self, context: Context, reading: Reading) -> None:
        for asynchronous in (True, False):
            dates = [
                part.slice.dates for part in reading.parts if part.asynchronous is asynchronous
            ]
            for each in merged(dates):
                self.summary.of(name_of(context)).note(each, asynchronous=asynchronous)

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        if context is None:
            return
        parts = Parts()
        for place, answered in enumerate(self.answers(context)):
            if place == 0:
                reading = self.reading(context)
                self.begin_rewriting(context, reading.progress, reading.range)
            yield from self._records_of(context, answered, parts)
            if parts.are_all_refused:
                break
        reading = self.reading(context)
        self._judge(context, parts, reading.lists)
        self.summary.read(asked=bool(reading.parts))
        self._fail_for_refused_columns(context["ad_account_id"])
        if not (reading.lists.refused_calls or parts.refused_calls):
            self._remember(context)

    def _records_of(
        self, context: Mapping[str, Any], answered: Answered, parts: Parts
    ) -> Iterator[dict[str, Any]]:
        """The records of one call or report. If they cannot be made, it fails alone.

        A part that has a key twice is read again: to keep all rows for a comparison would cost
        memory in every run.
        """
        twice: set[object] = set()
        for part, error in answered.failures:
            parts.add_error(self._call(context, part), error)
        if answered.was_read:
            parts.answered()
        try:
            yield from self.first_of_each_key(self._converted(context, answered), twice)
            if twice:
                yield from self._read_again(context, answered.part, twice)
        except PART_ERRORS as error:
            parts.failed(self._call(context, answered.part), error)

    def _call(self, context: Mapping[str, Any], part: Part) -> Call:
        """A part of the plan as a call, with the days and ids that messages name."""
        named = self.question.named(part.slice)
        return Call(self.question.path or self.path, dict(context), query=named, part=named)

    def _judge(self, context: Mapping[str, Any], parts: Parts, lists: Parts) -> None:
        """Report the parts of a context that were refused or failed.

        Raises:
            SkippableAPIError: All calls were refused.
            FatalAPIError: Some calls failed, or some lists of entities.
        """
        parts.raise_if_nothing_was_read()
        self.log_unnamed(context, parts)
        if lists.refused_calls:
            self.run.access_policy.left_out(self, context, lists)
        if parts.refusal:
            self.run.failed(self.name, context, type(parts.refusal)(parts.refusals_in_words))
        parts.include_failures(lists)
        parts.raise_if_any_failed()

    def _fail_for_refused_columns(self, ad_account_id: str) -> None:
        """Fail if Pinterest refuses a column of the config; the bookmark stays where it is."""
        refused = self.reader.refused_columns(ad_account_id)
        if named := sorted(refused & self.question.named_columns):
            msg = (
                f"Pinterest refuses {', '.join(named)}, which the config names; rows are written "
                "without them, and each run reads them again until Pinterest has the columns or "
                "the config no longer names them"
            )
            raise FatalAPIError(msg)

    def first_of_each_key(
        self, records: Iterable[dict[str, Any]], twice: set[object]
    ) -> Iterator[dict[str, Any]]:
        """The first record of each key, finished; `twice` gets the keys that come again."""
        seen: set[object] = set()
        key_of = self.key_of
        for record in records:
            key = key_of(record)
            if key in seen:
                twice.add(key)
                continue
            seen.add(key)
            yield record if None not in key else self.finished(record)

    def _converted(
        self, context: Mapping[str, Any], answered: Answered
    ) -> Iterator[dict[str, Any]]:
        reading = self.reading(context)
        account = self.inventory.owners.ad_accounts.get(context["ad_account_id"], {})
        currency = account.get("currency")
        return self.rows_of.records(answered, reading.entities, currency, reading.range.days.end)

    def _read_again(
        self, context: Mapping[str, Any], part: Part, twice: Collection[object]
    ) -> Iterator[dict[str, Any]]:
        """The records of keys that a part has twice: without repeats, and with parts added up.

        Raises:
            FatalAPIError: Two rows without a breakdown differ.
        """
        rows: dict[object, list[dict[str, Any]]] = {}
        again = self.run.read_ahead.run(
            functools.partial(self.reader.read, context["ad_account_id"], part, self.clock)
        )
        for record in self._converted(context, again):
            if (key := self.key_of(record)) in twice:
                rows.setdefault(key, []).append(record)
        for found in rows.values():
            different = [row for i, row in enumerate(found) if row not in found[:i]]
            self.summary.duplicates += len(found) - len(different)
            if len(different) > 1:
                yield self.finished(self._added_up(different))

    def _added_up(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """One record of different rows with the same key."""
        if not self.question.dimensions:
            self._fail_for_two(rows)
        self.summary.added_up += 1
        names = self.question.facts["properties"]
        metrics = {name.lower() for name in names if column(name).kind == "metric"}
        return added_up(rows, metrics - {*self.natural_keys})

    def _remember(self, context: Mapping[str, Any]) -> None:
        """Write the progress of a context, and the names of its columns, into the state."""
        reading = self._readings.pop(context["ad_account_id"])
        self.missing_ids.difference_update(reading.entities.rows)
        if self.settings.column_names.are_displayed:
            named = self.run.column_names
            fields = (name.lower() for name in self.question.columns)
            names = {field: named[field] for field in fields if field in named}
            state.keep_column_names(self.run.memory, names)
        if not self.question.granularity.is_total:
            self.remember(context, reading.range.after(reading.progress, self.fingerprint))

    @functools.cached_property
    @override
    def missing_ids(self) -> set[str]:
        # With several filters, an entity that the config names may pass only one of them.
        alone = self.entities and len(self.settings.filters) == 1
        return self.entities.named(self.settings) if self.entities and alone else set()


def _begin(steps: Steps) -> float:
    """Take the first step, and return the seconds to wait.

    Raises:
        SkippableAPIError: Pinterest refuses the report.
        StopIteration: The report is read without more steps.
    """
    try:
        return next(steps)
    except StopIteration as end:
        answered: Answered = end.value
        if answered.refusal:
            raise answered.refusal from None
        raise


def _resumed(pause: float, steps: Steps) -> Steps:
    """The remaining steps, with the pause that the first step has returned."""
    yield pause
    return (yield from steps)


def _ended(answered: Answered) -> Steps:
    """No more steps: the result is there."""
    yield from ()
    return answered
