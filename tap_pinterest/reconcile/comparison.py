"""Compares the tables of a schema, and an export if there is one, with Pinterest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime

import psycopg

from tap_pinterest.api.naming import in_words, listed, of_context
from tap_pinterest.api.periods import DAY, DateRange
from tap_pinterest.config.database import plain_url
from tap_pinterest.http.errors import PART_ERRORS
from tap_pinterest.reading.owners import Owners
from tap_pinterest.reconcile import export, exported, loaded, store
from tap_pinterest.reconcile.export import Export
from tap_pinterest.reconcile.findings import NO_NUMBER, NO_SUM, Finding, Report
from tap_pinterest.reconcile.fresh import Fresh
from tap_pinterest.reconcile.request import Request, RequestError
from tap_pinterest.reconcile.tables import Sums, Table, Tables, in_one_line
from tap_pinterest.records import display_names
from tap_pinterest.run.run import Run
from tap_pinterest.streams.bases.report import AdsReport

MOST_NAMED = 5
"""Columns of a table that a note names."""


class Comparison:
    """Compares ad accounts over some days."""

    def __init__(
        self, run: Run, days: DateRange, tables: Tables | None, exported: Export | None
    ) -> None:
        self._run = run
        self._exported = exported
        self._report = Report(days)
        self._missing: list[Table] = []
        self._tables = list(self._present(tables)) if tables else []
        if exported:
            self._report.notes += _passed_over(exported)

    def of(self, ad_account_ids: Sequence[str]) -> Report:
        """The findings for some ad accounts."""
        report = self._report
        for ad_account_id in ad_account_ids:
            try:
                self._compare(Fresh(self._run, ad_account_id, report.days))
            except PART_ERRORS as error:
                report.cut_short(f"{in_words(ad_account_id)} cannot be compared: {error}")
        return report

    def _compare(self, fresh: Fresh) -> None:
        report, ad_account_id, file = self._report, fresh.ad_account_id, self._exported
        of_account = of_context(ad_account_id)
        metrics = sorted({name for table in self._tables for name in table.metrics})
        totals = fresh.totals(fresh.settings, metrics) if metrics else {}
        sums: dict[Table, Mapping[date, Sums]] = {}
        for table in self._tables:
            with self._reading(f"{table.name}{of_account}"):
                sums[table] = table.by_day(ad_account_id, report.days)
        for table in self._tables:
            found = loaded.compared(table, fresh, totals, sums) if table in sums else []
            for each in found:
                if each.obstacle == NO_NUMBER:
                    name = each.metric.lower()
                    report.cut_short(f"{table.name}{of_account}, {name}: {NO_NUMBER}")
            report.findings += found
            report.findings += [
                Finding(table.name, ad_account_id, name, obstacle=NO_SUM)
                for name in table.without_sum
            ]
        for table in self._missing:
            self._look_for_lost_rows(table, ad_account_id)
        if file:
            if not file.of(ad_account_id, report.days):
                report.notes.append(f"{file.name} has no row{of_account}, {report.days}")
            report.findings += exported.compared(file, fresh)

    def _look_for_lost_rows(self, missing: Table, ad_account_id: str) -> None:
        """Note it if runs have filled a missing table: its rows can no longer be compared."""
        days = self._report.days
        with self._reading(f"the log of {missing.name}, which is missing,"):
            reads = missing.tables.reads(missing.name, ad_account_id)
            if any(read.start <= days.end and days.start <= read.end for read, _ in reads):
                known = f"sync_log has its days{of_context(ad_account_id)}"
                self._report.cut_short(f"{missing.name} is missing, and {known}")

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Note it if the database refuses a reading."""
        try:
            yield
        except psycopg.Error as error:
            self._report.cut_short(f"{what} cannot be read: {in_one_line(error)}")

    def _present(self, tables: Tables) -> Iterator[Table]:
        """The tables that can be compared; the report notes tables that are missing."""
        for stream in self._run.sdk_tap.streams.values():
            if not (isinstance(stream, AdsReport) and _is_compared(stream)):
                continue
            table = Table(tables, stream, tables.columns(stream.name))
            if not table.columns:
                self._report.notes.append(f"there is no table {table.name}")
                self._missing.append(table)
                continue
            if table.lacking:
                lacking = listed(table.lacking, MOST_NAMED)
                self._report.notes.append(f"{table.name} has no column {lacking}")
            yield table


def _passed_over(found: Export) -> list[str]:
    """Sentences about columns and lines of a file that are not compared."""
    unknown = [f"{each} is no metric that Pinterest displays" for each in found.unknown]
    totals = [f"line {each} has totals and does not count" for each in found.totals]
    return [f"{found.name}: {each}" for each in (*unknown, *totals)]


def _is_compared(stream: AdsReport) -> bool:
    question = stream.question
    plain = not (question.dimensions or question.custom) and question.granularity == DAY
    return plain and question.level.adds_up


def compared(run: Run, request: Request) -> Report:
    """Compare as a user asks, and store the findings if the user wants that.

    Raises:
        RequestError: The request cannot be fulfilled.
    """
    request.check()
    file = _export(run, request)
    owners = run.inventory.owners
    ad_account_ids = request.ad_account_ids(owners.ad_account_ids)
    if file:
        _check_accounts(file, request, ad_account_ids)
    days = request.days(run.clock.today)
    with _tables(request) as tables:
        try:
            comparison = Comparison(run, days, tables, file)
        except psycopg.Error as error:
            message = f"--database: the tables cannot be listed: {in_one_line(error)}"
            raise RequestError(message) from None
        report = comparison.of(ad_account_ids)
        for note in () if request.accounts else _left_out(owners):
            report.cut_short(note)
        if tables and request.store:
            _keep(tables, request.store, report)
    return report


def _left_out(owners: Owners) -> Iterator[str]:
    """Sentences about ad accounts that the config wants and that cannot be read."""
    for ad_account_id, error in owners.unreadable.items():
        yield f"{in_words(ad_account_id)} cannot be compared: {error}"
    if owners.cut_short:
        yield f"Pinterest lists only some of the ad accounts: {owners.cut_short}"


def _check_accounts(file: Export, request: Request, ad_account_ids: Sequence[str]) -> None:
    """Refuse a file of unknown ad accounts.

    Raises:
        RequestError: It names none, or one that would be left out.
    """
    if not file.accounts and len(ad_account_ids) > 1:
        message = f"{file.name} names no ad account: name it with --account."
        raise RequestError(message)
    others = sorted(file.accounts - {*ad_account_ids})
    if others and not request.accounts:
        message = (
            f"{file.name} has rows of ad accounts that the config does not read, such as"
            f" {others[0]}: name the ad accounts to compare with --account. If the id is wrong, a"
            " spreadsheet has rounded it."
        )
        raise RequestError(message)


def _keep(tables: Tables, name: str, report: Report) -> None:
    """Store the findings; a refusal becomes a note, so that the findings are still shown."""
    try:
        store.keep(tables, name, report, datetime.now(tz=UTC))
    except psycopg.Error as error:
        report.is_stored = False
        reason = in_one_line(error)
        report.notes.append(f"--store: the results are not in {tables.schema}.{name}: {reason}")


def _export(run: Run, request: Request) -> Export | None:
    if request.export is None:
        return None
    displayed = display_names.displayed_names(display_names.listed_metrics(run.client))
    return export.read(request.export, displayed, request.exported_on)


@contextmanager
def _tables(request: Request) -> Iterator[Tables | None]:
    """The tables to compare; `None` if the user names no database."""
    if not request.database:
        yield None
        return
    try:
        # In a transaction, the queries after a failed one would fail too.
        connection = psycopg.connect(plain_url(request.database), autocommit=True)
        # The days of the API are in UTC, and so are the loader's times.
        connection.execute("SET TIME ZONE 'UTC'")
    except ValueError as error:
        message = f"--database: {error}"
        raise RequestError(message) from None
    except psycopg.Error as error:
        # libpq's message does not repeat the password.
        message = f"--database: there is no connection: {in_one_line(error)}"
        raise RequestError(message) from None
    with closing(connection):
        yield Tables(connection, request.schema)
