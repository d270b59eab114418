"""Reads everything that the page shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from tap_pinterest.page import changes, log, models, tables
from tap_pinterest.page.changes import Changed, RestatedDay
from tap_pinterest.page.log import LastRun
from tap_pinterest.page.models import Models
from tap_pinterest.page.tables import AnyConnection, TableFacts, Tables
from tap_pinterest.page.totals import (
    MEASURES,
    REPORTS,
    Measure,
    Numbers,
    Total,
    numbers_in,
    numbers_of,
)

PARTS: Mapping[str, str] = {
    "Campaigns": "campaign_id",
    "Ad accounts": "ad_account_id",
    "Rows that the newest load changed": tables.LOAD,
}
"""Parts of the page, each with the column of the report that it needs."""


class NothingLoadedError(Exception):
    """The schema has no tables; the text says which schemas have some."""


class Ads(NamedTuple):
    """The numbers of the ads.

    Attributes:
        is_compared: Whether the copy has the same numbers.
        known_days: The totals of each campaign, without days that the copy does not have.
    """

    report: str
    measures: tuple[Measure, ...]
    is_compared: bool
    by_day: Sequence[Total]
    by_campaign: Sequence[Total]
    by_account: Sequence[Total]
    known_days: Sequence[Total]


class Contents(NamedTuple):
    """The contents of the page.

    Attributes:
        ads: The numbers of the ads; `None` if no table has them.
        complete: The newest day that Pinterest has finished counting.
        restated: By day, the rows that the newest load changed; `None` if that is unknown.
        last_run: The last run in the log; `None` if there is no log.
        missing: Sentences about parts that the page cannot show.
    """

    schema: str
    copy: str | None
    ads: Ads | None
    names: Mapping[str, str]
    complete: date | None
    restated: Sequence[RestatedDay] | None
    tables: Sequence[TableFacts]
    changed: Sequence[Changed]
    last_run: LastRun | None
    models: Models
    missing: Sequence[str]

    @classmethod
    def read(
        cls, connection: AnyConnection, schema: str, *, days: int, copy: str | None = None
    ) -> Contents:
        """Read a schema.

        Args:
            connection: The connection to the database.
            schema: The schema with the tables.
            days: The number of days to show, up to the newest.
            copy: A schema with older tables to compare with.

        Raises:
            NothingLoadedError: The schema or the copy has no tables.
        """
        loaded = _loaded(connection, schema)
        older = _loaded(connection, copy) if copy else None
        report = numbers_in(loaded)
        ads = _ads(report, older, days) if report else None
        changed, not_compared = changes.since(loaded, older) if older else ([], [])
        return cls(
            schema=schema,
            copy=copy,
            ads=ads,
            names=_names(loaded),
            complete=_complete_day(loaded),
            restated=changes.restated(loaded, report.report, days) if report else None,
            tables=[tables.facts(loaded, name) for name in loaded.columns],
            changed=changed,
            last_run=log.last_run(loaded),
            models=models.models(connection, schema, days),
            missing=[*_missing(loaded, report, ads, copy), *not_compared],
        )


def _loaded(connection: AnyConnection, schema: str) -> Tables:
    found = Tables.of(connection, schema)
    if not found.columns:
        others = ", ".join(tables.schemas_with(connection, REPORTS))
        hint = f"; these schemas have some: {others}" if others else ""
        message = f"the schema {schema} has no tables that this user may read{hint}"
        raise NothingLoadedError(message)
    return found


def _ads(report: Numbers, older: Tables | None, days: int) -> Ads | None:
    copy = _same_numbers(report, older) if older else None
    known_to = copy.last_day if copy else None
    last = max(filter(None, (report.last_day, known_to)), default=None)
    if last is None:
        return None
    first = last - timedelta(days - 1)
    nothing = (Decimal(0),) * len(report.measures)

    def by(of: str, until: date = last) -> list[Total]:
        if not report.has(of):
            return []
        now = report.totals(of, first, until)
        before = copy.totals(of, first, last) if copy and copy.has(of) else {}
        keys = sorted({*now, *before}, key=lambda key: (str(key[0]), key[1]))
        return [Total(*key, now.get(key, nothing), before.get(key)) for key in keys]

    return Ads(
        report.report,
        report.measures,
        copy is not None,
        by_day=by("date"),
        by_campaign=by("campaign_id"),
        by_account=by("ad_account_id"),
        known_days=by("campaign_id", known_to) if known_to else (),
    )


def _same_numbers(report: Numbers, older: Tables) -> Numbers | None:
    """The numbers of the report in the copy; `None` if the copy has other numbers."""
    found = numbers_of(older, report.report)
    return found if found and found.measures == report.measures else None


def _names(loaded: Tables) -> dict[str, str]:
    """The names of campaigns and ad accounts by id; no campaign has the id of an ad account."""
    names: dict[str, str] = {}
    for table in ("ad_accounts", "campaigns"):
        if loaded.has(table, "id", "name"):
            query = "SELECT id::text, name FROM {table} WHERE name <> ''"
            names |= dict(loaded.query(query, table=loaded.identifier(table)))
    return names


def _complete_day(loaded: Tables) -> date | None:
    ready = ("conversion_metrics_ready", "non_conversion_metrics_ready")
    if not loaded.has("metrics_ready_state", "date", *ready):
        return None
    ((day,),) = loaded.query(
        "SELECT max(date::date) FROM {table}"
        " WHERE conversion_metrics_ready::boolean AND non_conversion_metrics_ready::boolean",
        table=loaded.identifier("metrics_ready_state"),
    )
    found: date | None = day
    return found


def _missing(
    loaded: Tables, report: Numbers | None, ads: Ads | None, copy: str | None
) -> Iterator[str]:
    """A sentence for each part that the tables cannot fill."""
    if report is None:
        yield (
            f"Numbers of ads: none of the tables {', '.join(REPORTS)} has a column of the page,"
            " such as spend_in_dollar. With column_names: display the columns have other names."
        )
    else:
        if ads is None:
            yield f"Numbers of ads: {report.report} has no rows."
        yield from _missing_numbers(loaded, report)
    if not loaded.has("metrics_ready_state"):
        yield "The newest complete day: there is no table metrics_ready_state."
    yield from log.missing(loaded)
    if copy and ads and not ads.is_compared:
        yield f"The change since {copy}: there, {ads.report} is missing or lacks columns."


def _missing_numbers(loaded: Tables, report: Numbers) -> Iterator[str]:
    for measure in MEASURES:
        if measure not in report.measures:
            has_it = any(map(report.has, measure.columns))
            lacks = f"{report.report} has no column {' or '.join(measure.columns)}"
            reason = f"no column says the currency of {report.report}" if has_it else lacks
            yield f"{measure.title}: {reason}."
    yield from report.faults()
    for part, column in PARTS.items():
        if not report.has(column):
            yield f"{part}: {report.report} has no column {column}."
    if not loaded.has("campaigns", "id", "name") and report.has("campaign_id"):
        yield "Names of campaigns: there is no table campaigns with id and name."
