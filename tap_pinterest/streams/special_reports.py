"""Reports whose rows the description does not lay down: those of saved templates."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from singer_sdk.exceptions import SkippableAPIError
from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.bodies import decoder
from tap_pinterest.calls import Call, Expected, Scope
from tap_pinterest.read_ahead import Task, with_pauses
from tap_pinterest.slices import ASYNCHRONOUS
from tap_pinterest.state import Progress
from tap_pinterest.streams.ads import ReportTemplates
from tap_pinterest.streams.base import AdAccountStream, Refusals
from tap_pinterest.streams.reports import POLLS, REPORTS, Operation, Order, Reports, upper_case

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping
    from typing import TypeAlias

    from singer_sdk.helpers.types import Context

    _Steps: TypeAlias = Generator[float, None, "_Answered"]

OF_TEMPLATE = Operation(create="/ad_accounts/{ad_account_id}/templates/{template_id}/reports")

FIRST_DAY = "date_range.absolute_date_range.start_date"

_TEXT = {"type": "string"}
_decode_row = decoder(dict[str, Any])


class _Answered(NamedTuple):
    """The rows of a template's report, or why there are none."""

    call: Call
    rows: Iterable[bytes]
    refusal: SkippableAPIError | None = None


class TemplateReports(AdAccountStream):
    """Rows of an ad account's saved reports, as they are on the day of the run. In beta.

    Period, granularity and columns are the template's own. `date` is the day of the run (UTC),
    `row` the row's place in the report, from 1; `values` holds the row, by the columns' names in
    capitals. In a template whose format is CSV all values are texts.
    Source: POST /ad_accounts/{ad_account_id}/templates/{template_id}/reports.
    """

    name = "template_reports"
    path = REPORTS
    group = "beta"
    primary_keys = ("ad_account_id", "template_id", "date", "row")
    replication_key = "date"

    @functools.cached_property
    @override
    def facts(self) -> Mapping[str, Any]:
        """The facts of a record; which columns a row has is up to the template."""
        return {
            "properties": {
                "ad_account_id": _TEXT,
                "template_id": _TEXT,
                "date": {"type": "string", "format": "date"},
                "row": {"type": "integer"},
                "values": {"type": "object"},
            }
        }

    @property
    @override
    def lists(self) -> Iterator[str]:
        yield ReportTemplates.path

    @override
    def expected(self, context: Context | None) -> Iterator[Expected]:
        reports = len(self._templates(context, Refusals()))
        yield Expected(api.operation(f"POST {OF_TEMPLATE.create}").category, reports)
        polled = api.operation(f"GET {OF_TEMPLATE.poll}").category
        yield Expected(polled, reports * POLLS, precision="about")

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        refusals = Refusals()
        tasks = [
            Task(with_pauses(self._ordered(order))) for order in self._templates(context, refusals)
        ]
        for call, rows, refusal in self.tap.read_ahead.in_order(tasks):
            if refusal:
                refusals.refused(call, refusal)
                continue
            refusals.answered()
            yield from self.finished_once(self._records(call, rows))
        refusals.raise_if_nothing_was_read()
        if refusals:
            self.tap.left_out(self, context, refusals)
        else:
            self.remember(context, Progress(bookmark=self.clock.today))
        self.summary.read(asked=refusals.is_answered)

    def _templates(self, context: Context | None, refusals: Refusals) -> list[Order]:
        """What orders the reports of the templates in reach that are not deleted."""
        scope = Scope(self.inventory, self.settings, context, refusals)
        templates = self.inventory.rows(ReportTemplates.listing(self.settings), scope, {})
        orders, too_old = [], []
        for each in templates:
            ids = {**(context or {}), "template_id": each["id"]}
            if each["is_deleted"] == "True":
                continue
            if self._is_out_of_reach(each[FIRST_DAY]):
                too_old.append(each["id"])
                continue
            is_csv = each["report_format"] == "CSV"
            orders.append(Order(ids, body=None, operation=OF_TEMPLATE, is_csv=is_csv))
        if too_old:
            self.logger.warning(
                "%s leaves out saved reports that begin more than %s days back: %s",
                self.name,
                ASYNCHRONOUS.days_back,
                ", ".join(too_old),
            )
        return orders

    def _is_out_of_reach(self, seconds: str) -> bool:
        """Whether a fixed first day, in Unix seconds, is before all that can be asked."""
        if not seconds:
            return False
        first = datetime.fromtimestamp(float(seconds), UTC).date()
        return (self.clock.today - first).days > ASYNCHRONOUS.days_back

    def _ordered(self, order: Order) -> _Steps:
        call = Call(OF_TEMPLATE.create, order.ids, columns=order.ids)
        try:
            return _Answered(call, (yield from self._reports.read(order)))
        except SkippableAPIError as refusal:
            return _Answered(call, (), refusal)

    @functools.cached_property
    def _reports(self) -> Reports:
        return Reports(self.tap.client, self.clock, self.settings.max_wait_seconds, self.name)

    def _records(self, call: Call, rows: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        same = {**call.columns, "date": self.clock.today.isoformat()}
        for number, row in enumerate(rows, 1):
            yield self.convert({**same, "row": number, "values": upper_case(_decode_row(row))})
