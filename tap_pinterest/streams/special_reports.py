"""Reports of saved templates and reports on catalogs, whose rows are written unchanged."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, NamedTuple, TypeAlias

from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_pinterest.api.periods import ASYNCHRONOUS
from tap_pinterest.http.answers import decode_object
from tap_pinterest.http.errors import PART_ERRORS, InvalidRequestError, NotOfferedError
from tap_pinterest.reading.call import Call
from tap_pinterest.reading.calls import Expected, Scope
from tap_pinterest.reading.parts import Parts, Tried
from tap_pinterest.reading.tasks import Task, with_pauses
from tap_pinterest.records.instants import instant
from tap_pinterest.reports.ordering import REPORTS, Operation, Order, Ordering
from tap_pinterest.reports.rows import upper_case
from tap_pinterest.singer.state import Progress
from tap_pinterest.streams.ads import ReportTemplates
from tap_pinterest.streams.bases.stream import TaskStream
from tap_pinterest.streams.catalogs import ReportParameters

CATALOGS_REPORTS = "/catalogs/reports"
FIRST_DAY = "date_range.absolute_date_range.start_date"


class Wanted(NamedTuple):
    """A report to read, and the columns that the tap adds to its rows."""

    order: Order
    columns: Mapping[str, str]


Rows: TypeAlias = "Iterable[bytes]"


class NumberedReportStream(TaskStream):
    """Rows of reports as they are on the day of the run.

    Pinterest's description names no key. The place of a row in its report identifies the row.
    """

    operation: ClassVar[Operation]
    group = "beta"
    replication_key = "date"

    @functools.cached_property
    @override
    def facts(self) -> Mapping[str, Any]:
        """The facts of a record; the columns of a row depend on the report."""
        *ids, _, _ = self.natural_keys
        return {
            "properties": {
                **{name: {"type": "string"} for name in ids},
                "date": {"type": "string", "format": "date"},
                "row": {"type": "integer"},
                "values": {"type": "object"},
            }
        }

    def wanted(self, context: Context | None, parts: Parts) -> Iterable[Wanted]:
        """The reports of a context; `parts` gets the errors of lists that cannot be read."""
        raise NotImplementedError

    @override
    def expected(self, context: Context | None) -> Iterator[Expected]:
        parts = Parts()
        yield from self.operation.expected(sum(1 for _ in self.wanted(context, parts)))
        parts.raise_if_any_failed()

    @override
    def tasks(self, context: Context | None) -> Iterator[Task[Tried[Rows]]]:
        parts = self.outcomes_of_lists[self.turn(context)] = Parts()
        for each in list(self.wanted(context, parts)):
            yield Task(with_pauses(self.ordered(each)))

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        parts = Parts()
        for call, rows in parts.answers(self.answers(context)):
            yield from self.records_of_call(call, self._records(call, rows), parts)
        parts.include(self.outcomes_of_lists.pop(self.turn(context)))
        progress = Progress(bookmark=self.clock.today)
        self.conclude(context, parts, progress, asked=parts.is_answered)

    def ordered(self, wanted: Wanted) -> Generator[float, None, Tried[Rows]]:
        """The steps that read a report."""
        client, call = self.run.client, self._call(wanted)
        ordering = Ordering(client, self.clock, self.settings, self.name, self.operation)
        try:
            return Tried(call, (yield from ordering.read(wanted.order)))
        except PART_ERRORS as error:
            return Tried(call, error=error)

    def _call(self, wanted: Wanted) -> Call:
        order, columns = wanted
        part = {name: value for name, value in columns.items() if value and name != "ad_account_id"}
        return Call(
            self.operation.create, dict(order.ids), query=columns, columns=columns, part=part
        )

    def _records(self, call: Call, rows: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        same = {**call.columns, "date": self.clock.today.isoformat()}
        for number, row in enumerate(rows, 1):
            yield self.convert({**same, "row": number, "values": upper_case(decode_object(row))})


class TemplateReports(NumberedReportStream):
    """Rows of an ad account's saved reports, as they are on the day of the run. In beta.

    Period, granularity and columns are the template's own. `date` is the day of the run (UTC),
    `row` the row's place in the report, from 1; `values` holds the row, by the columns' names in
    capitals. In a template whose format is CSV all values are texts.
    """

    name = "template_reports"
    path = REPORTS
    operation = Operation(create="/ad_accounts/{ad_account_id}/templates/{template_id}/reports")
    primary_keys = ("ad_account_id", "template_id", "date", "row")

    @property
    @override
    def lists(self) -> Iterator[str]:
        yield ReportTemplates.path

    @override
    def wanted(self, context: Context | None, parts: Parts) -> Sequence[Wanted]:
        """The reports of the templates in reach that are not deleted."""
        scope = Scope(self.inventory, self.settings, context, parts)
        templates = self.inventory.rows(ReportTemplates.listing(self.settings), scope, {})
        found, too_old = [], []
        for each in templates:
            if each["is_deleted"] == "True":
                continue
            first = _day(each[FIRST_DAY])
            if first and (self.clock.today - first).days > ASYNCHRONOUS.days_back:
                too_old.append(each["id"])
                continue
            ids = {**(context or {}), "template_id": each["id"]}
            is_csv = each["report_format"] == "CSV" or None
            order = Order(ids, body=None, is_csv=is_csv)
            found.append(Wanted(order, ids))
        if too_old:
            self.logger.warning(
                "%s leaves out saved reports that begin more than %s days back: %s",
                self.name,
                ASYNCHRONOUS.days_back,
                ", ".join(too_old),
            )
        return found

    @override
    def ordered(self, wanted: Wanted) -> Generator[float, None, Tried[Rows]]:
        """The steps that read a report. A report that Pinterest cannot make fails alone."""
        tried = yield from super().ordered(wanted)
        if isinstance(tried.error, InvalidRequestError):
            return replace(tried, error=NotOfferedError(str(tried.error)))
        return tried


def _day(text: str) -> date | None:
    """The day of a time in any unit since 1970, or in ISO's form; `None` if it is neither.

    The description says only that a first day is a number.
    """
    with suppress(OverflowError, ValueError):
        is_number = text.replace(".", "", 1).isdecimal()
        moment = instant(float(text) if is_number else text, when_made=False)
        return date.fromisoformat(moment[:10]) if moment else None
    return None


class CatalogsReport(NumberedReportStream):
    """Rows of the reports on catalogs and feeds, as they are on the day of the run.

    There is one report of each catalog or feed for each of the `report_types`. A second order on
    the same day gives the same report. `feed_id` is empty in a report on a catalog, `catalog_id` if
    Pinterest does not name the catalog of a feed. `row` is the row's place in the report, from 1;
    `values` holds the row, by the columns' names in capitals. The description does not define the
    rows: key and columns are unverified.
    """

    name = "catalogs_report"
    path = CATALOGS_REPORTS
    operation = Operation(create=CATALOGS_REPORTS, poll=CATALOGS_REPORTS)
    primary_keys = ("catalog_id", "report_type", "feed_id", "date", "row")

    @functools.cached_property
    def parameters(self) -> ReportParameters:
        """The parameters of the reports."""
        return ReportParameters(*self.settings.catalogs_report["report_types"])

    @property
    @override
    def lists(self) -> Iterator[str]:
        return (parent.path for parent in self.parameters.parents)

    @override
    def wanted(self, context: Context | None, parts: Parts) -> Iterator[Wanted]:
        scope = Scope(self.inventory, self.settings, context, parts)
        account = self.contexts.parameters(context, self.inventory.owners)
        for row in self.parameters.rows(self.path, scope):
            order = Order(account, body=row["parameters"], query=account, is_csv=None)
            yield Wanted(order, {name: row.get(name, "") for name in self.parameters.columns})
