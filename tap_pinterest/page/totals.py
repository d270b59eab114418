"""The numbers of the ads by day, campaign and ad account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg import sql
from psycopg.sql import Composable

from tap_pinterest.page.tables import Tables

REPORTS = ("campaign_analytics", "ad_group_analytics", "ad_analytics", "ad_account_analytics")
"""The reports that have the numbers; the page reads the first that has rows."""

Values = tuple[Decimal, ...]
"""One value for each measure."""


class Measure(NamedTuple):
    """A number that the page shows, such as spend.

    Attributes:
        columns: The columns with the number; the first that has a value in a row is read.
        is_money: Whether the page shows each currency on its own.
    """

    title: str
    columns: tuple[str, ...]
    is_money: bool = False


MEASURES = (
    Measure("Spend", ("spend_in_dollar", "spend_in_micro_dollar"), is_money=True),
    Measure("Paid impressions", ("paid_impression", "impression_1")),
    Measure("Paid Pin clicks", ("clickthrough_1",)),
    Measure("Conversions", ("total_conversions",)),
)


class Total(NamedTuple):
    """The measures of a day, a campaign or an ad account.

    Attributes:
        of: The day or the id.
        before: The values in the copy; `None` if the copy has none.
    """

    of: Any
    currency: str
    now: Values
    before: Values | None = None


class Numbers(NamedTuple):
    """The report that the page reads its numbers from."""

    tables: Tables
    report: str
    measures: tuple[Measure, ...]

    def has(self, column: str) -> bool:
        """Whether the report has a column."""
        return self.tables.has(self.report, column)

    @property
    def last_day(self) -> date | None:
        """The newest day that the report has."""
        query = "SELECT max(date::date) FROM {rows} AS report"
        ((day,),) = self.tables.query(query, rows=self.tables.rows(self.report))
        found: date | None = day
        return found

    def totals(self, of: str, first: date, last: date) -> dict[tuple[Any, str], Values]:
        """The values of these days, by the values of a column and by currency."""
        currency, join = self._currency
        rows = self.tables.query(
            """
            SELECT {of} AS "of", coalesce({currency}, '') AS currency, {sums}
              FROM {rows} AS report {join}
             WHERE report.date::date BETWEEN {first} AND {last}
             GROUP BY 1, 2
             ORDER BY 1, 2
            """,
            of=sql.SQL("report.{}::{}").format(
                sql.Identifier(of), sql.SQL("date" if of == "date" else "text")
            ),
            currency=currency,
            sums=sql.SQL(", ").join(map(self._sum, self.measures)),
            rows=self.tables.rows(self.report),
            join=join,
            first=first,
            last=last,
        )
        return {(key, currency): tuple(values) for key, currency, *values in rows}

    @property
    def _currency(self) -> tuple[Composable, Composable]:
        """The currency of a row, and the join that it needs."""
        if self.has("currency"):
            return sql.Identifier("report", "currency"), sql.SQL("")
        if not _is_in_accounts(self.tables, self.report):
            return sql.SQL("NULL::text"), sql.SQL("")
        # A target that only adds rows has several rows of an ad account.
        join = sql.SQL(
            "LEFT JOIN (SELECT id, max(currency) AS currency FROM {} GROUP BY id) AS accounts"
            " ON accounts.id = report.ad_account_id"
        ).format(self.tables.identifier("ad_accounts"))
        return sql.Identifier("accounts", "currency"), join

    def faults(self) -> Iterator[str]:
        """Sentences about rows that do not count, or that count more than once."""
        count = sql.SQL("count(*) FILTER (WHERE {0} - {0} <> 0)")
        counts = [count.format(self._amount(each)) for each in self.measures]
        query, rows = "SELECT {counts} FROM {rows} AS report", self.tables.rows(self.report)
        (found,) = self.tables.query(query, counts=sql.SQL(", ").join(counts), rows=rows)
        for measure, number in zip(self.measures, found, strict=True):
            if number:
                yield f"{measure.title}: {number:,} rows of {self.report} have NaN or Infinity."
        own_id = self.report.replace("analytics", "id")
        # A target that only adds rows makes no key.
        if self.has(own_id) and not self.tables.key(self.report):
            query = "SELECT count(*) - count(DISTINCT (date::date, {id})) FROM {rows} AS report"
            ((repeated,),) = self.tables.query(query, id=sql.Identifier(own_id), rows=rows)
            if repeated:
                has = f"{self.report} has {repeated:,} rows"
                yield f"Numbers of ads: {has} with {own_id} and date of another; they count, too."

    def _sum(self, measure: Measure) -> Composable:
        # Only NaN and Infinity, minus themselves, are not 0.
        return sql.SQL(
            "CAST(coalesce(sum({0}) FILTER (WHERE {0} - {0} = 0), 0) AS numeric(38, 6))"
        ).format(self._amount(measure))

    def _amount(self, measure: Measure) -> Composable:
        amounts = [
            sql.SQL("report.{} / {}.0").format(
                sql.Identifier(column), sql.Literal(1_000_000 if "_micro_" in column else 1)
            )
            for column in filter(self.has, measure.columns)
        ]
        return sql.SQL("coalesce({})").format(sql.SQL(", ").join(amounts))


def numbers_in(tables: Tables) -> Numbers | None:
    """The report to read, if the schema has one with numbers: the first that has rows."""
    found = [each for report in REPORTS if (each := numbers_of(tables, report))]
    return next((each for each in found if each.last_day), next(iter(found), None))


def numbers_of(tables: Tables, report: str) -> Numbers | None:
    """A report, if it has a number of the page."""
    measures = tuple(each for each in MEASURES if _has(tables, report, each))
    return Numbers(tables, report, measures) if measures else None


def _has(tables: Tables, report: str, measure: Measure) -> bool:
    if measure.is_money and not (tables.has(report, "currency") or _is_in_accounts(tables, report)):
        return False
    return any(tables.has(report, "date", column) for column in measure.columns)


def _is_in_accounts(tables: Tables, report: str) -> bool:
    """Whether the table of ad accounts has the currency of the report's rows."""
    return tables.has(report, "ad_account_id") and tables.has("ad_accounts", "id", "currency")


def merged(totals: Iterable[Total]) -> list[Total]:
    """One total of all currencies for each day, campaign or account; not for money."""
    found = defaultdict(list)
    for each in totals:
        found[each.of].append(each)
    return [
        Total(
            of,
            "",
            _sum(each.now for each in alike),
            _sum(each.before for each in alike if each.before) or None,
        )
        for of, alike in found.items()
    ]


def _sum(values: Iterable[Values]) -> Values:
    return tuple(sum(each, Decimal(0)) for each in zip(*values, strict=True))
