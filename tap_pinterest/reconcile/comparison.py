"""One comparison: the tables of a schema, an export if there is one, and Pinterest."""

from __future__ import annotations

from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg

from tap_pinterest.api.columns import column
from tap_pinterest.api.periods import DAY
from tap_pinterest.config.database import plain_url
from tap_pinterest.reading.parts import PART_ERRORS
from tap_pinterest.reconcile import export, store
from tap_pinterest.reconcile.exported import ExportedTable
from tap_pinterest.reconcile.findings import NOTHING, SPEND, Finding, Report, adds_up
from tap_pinterest.reconcile.fresh import Fresh
from tap_pinterest.reconcile.loaded import LoadedTable
from tap_pinterest.reconcile.request import RequestError
from tap_pinterest.reconcile.tables import Table, Tables, told_by
from tap_pinterest.records import display_names
from tap_pinterest.streams.bases.report import AdsReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_pinterest.api.periods import DateRange
    from tap_pinterest.reconcile.findings import Totals
    from tap_pinterest.reconcile.request import Request
    from tap_pinterest.run.run import Run


class Comparison:
    """Compares ad accounts over some days."""

    def __init__(
        self, run: Run, days: DateRange, tables: Tables | None, exported: ExportedTable | None
    ) -> None:
        self._run = run
        self._fresh = Fresh(run)
        self._exported = exported
        self._report = Report(days)
        self._missing: dict[str, Tables] = {}
        self._loaded = list(self._tables(tables)) if tables else []
        if exported:
            self._report.notes += _passed_over(exported.export)

    def of(self, ad_account_ids: Sequence[str]) -> Report:
        """The findings for some ad accounts."""
        report = self._report
        for ad_account_id in ad_account_ids:
            try:
                self._compare(ad_account_id)
            except PART_ERRORS as error:
                report.cut_short(f"ad account {ad_account_id} cannot be compared: {error}")
        return report

    def _compare(self, ad_account_id: str) -> None:
        report = self._report
        metrics = sorted({name for each in self._loaded for name in each.table.metrics})
        totals: Totals = {}
        if metrics:
            totals = self._fresh.totals(ad_account_id, report.days, self._fresh.settings, metrics)
        for each in self._loaded:
            with self._reading(f"{each.table.name} of ad account {ad_account_id}"):
                report.findings += self._of_table(each, totals, ad_account_id)
            report.findings += _not_comparable(each, ad_account_id)
        self._look_for_lost_tables(ad_account_id)
        if self._exported:
            if not self._exported.lines(ad_account_id, report.days):
                name = self._exported.export.name
                report.notes.append(
                    f"{name} has no row of ad account {ad_account_id}, {report.days}"
                )
            report.findings += self._exported.compared(self._fresh, ad_account_id, report.days)

    def _of_table(
        self, loaded: LoadedTable, totals: Totals, ad_account_id: str
    ) -> Sequence[Finding]:
        tables = [each.table for each in self._loaded]
        return loaded.compared(self._fresh, totals, ad_account_id, self._report.days, tables)

    def _look_for_lost_tables(self, ad_account_id: str) -> None:
        """Say which missing tables runs have filled: nobody can compare their rows any more."""
        days = self._report.days
        for name, tables in self._missing.items():
            with self._reading(f"the log of {name}, which is missing,"):
                reads = tables.reads(name, ad_account_id)
                if any(read.start <= days.end and days.start <= read.end for read, _ in reads):
                    self._report.cut_short(
                        f"{name} is missing, and sync_log has its days of ad account"
                        f" {ad_account_id}"
                    )

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Say in the report if the database does not let us read something."""
        try:
            yield
        except psycopg.Error as error:
            self._report.cut_short(f"{what} cannot be read: {told_by(error)}")

    def _tables(self, tables: Tables) -> Iterator[LoadedTable]:
        """The tables that can be compared; the report names those that are missing."""
        for stream in self._run.sdk_tap.streams.values():
            if not (isinstance(stream, AdsReport) and _is_compared(stream)):
                continue
            columns = tables.columns(stream.name)
            if not columns:
                self._report.notes.append(f"there is no table {stream.name}")
                self._missing[stream.name] = tables
                continue
            names = {name: stream.column(name.lower()) for name in stream.question.columns}
            metrics = {
                name: found
                for name, found in names.items()
                if found in columns and column(name).kind == "metric" and adds_up(name)
            }
            table = Table(
                stream.name,
                stream.column(stream.question.level.own_id.lower()),
                stream.column("ad_account_id"),
                stream.column("date"),
                metrics,
                columns,
            )
            if not SPEND & metrics.keys():
                self._report.notes.append(f"{stream.name} has no column of spend")
            yield LoadedTable(table, stream, tables)


def _passed_over(found: export.Export) -> list[str]:
    """What a file has and nobody compares, in sentences."""
    unknown = [f"{each} is no metric that Pinterest displays" for each in found.unknown]
    totals = [f"line {each} has totals and does not count" for each in found.totals]
    return [f"{found.name}: {each}" for each in (*unknown, *totals)]


def _is_compared(stream: AdsReport) -> bool:
    question = stream.question
    plain = not (question.dimensions or question.custom) and question.granularity == DAY
    return plain and question.level.adds_up


def _not_comparable(loaded: LoadedTable, ad_account_id: str) -> Iterator[Finding]:
    """The metrics of a table whose rows have no sum."""
    stream = loaded.stream
    for name in stream.question.columns:
        is_metric = column(name).kind == "metric" and not adds_up(name)
        if is_metric and stream.column(name.lower()) in loaded.table.columns:
            obstacle = "it does not add up over rows"
            yield Finding(loaded.table.name, ad_account_id, name, NOTHING, obstacle=obstacle)


def compared(run: Run, request: Request) -> Report:
    """The findings that a user asks for; they are stored if the user wants that.

    Raises:
        RequestError: The request cannot be fulfilled.
    """
    request.check()
    exported = _exported(run, request)
    ad_account_ids = request.ad_account_ids(run.inventory.ad_account_ids)
    if exported and not exported.export.names_accounts and len(ad_account_ids) > 1:
        message = f"{exported.export.name} names no ad account: name it with --account."
        raise RequestError(message)
    days = request.days(run.clock.today)
    if not request.database:
        return Comparison(run, days, None, exported).of(ad_account_ids)
    with closing(_connected(request.database)) as connection:
        tables = Tables(connection, request.schema)
        try:
            comparison = Comparison(run, days, tables, exported)
        except psycopg.Error as error:
            message = f"--database: the tables cannot be listed: {told_by(error)}"
            raise RequestError(message) from None
        report = comparison.of(ad_account_ids)
        if request.store:
            _keep(connection, request.schema, request.store, report)
    return report


def _keep(connection: psycopg.Connection[Any], schema: str, name: str, report: Report) -> None:
    """Store the findings; a refusal must not lose them, so it is a note."""
    try:
        store.keep(connection, schema, name, report, datetime.now(tz=UTC))
    except psycopg.Error as error:
        report.is_stored = False
        report.notes.append(f"--store: the results are not in {schema}.{name}: {told_by(error)}")


def _exported(run: Run, request: Request) -> ExportedTable | None:
    path = request.export
    if path is None:
        return None
    displayed = display_names.displayed_names(display_names.listed_metrics(run.client))
    try:
        found = export.read(path, displayed)
    except export.ExportError as error:
        message = f"--export: {error}."
        raise RequestError(message) from None
    made_on = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date()
    return ExportedTable(found, request.exported_on or made_on)


def _connected(url: str) -> psycopg.Connection[Any]:
    """A connection to a database, whichever driver its URL names."""
    try:
        # A query that fails must not take the next ones with it.
        return psycopg.connect(plain_url(url), autocommit=True)
    except ValueError as error:
        message = f"--database: {error}"
        raise RequestError(message) from None
    except psycopg.Error as error:
        # libpq's message does not repeat the password.
        told = " ".join(str(error).split())
        message = f"--database: there is no connection: {told}"
        raise RequestError(message) from None
