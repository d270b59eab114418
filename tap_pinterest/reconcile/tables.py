"""The loaded tables of reports: their sums, their rows, and when the rows were read."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import sql
from psycopg.rows import dict_row

from tap_pinterest.api.columns import column
from tap_pinterest.api.periods import DateRange
from tap_pinterest.reconcile.findings import NOTHING, adds_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    import psycopg

    from tap_pinterest.reconcile.findings import Place, Totals
    from tap_pinterest.streams.bases.report import AdsReport

SHAPING = (
    *("click_window_days", "engagement_window_days", "view_window_days"),
    *("conversion_report_time", "attribution_types", "reporting_timezone"),
)
"""Columns with the settings that a row was read with."""
READ_AT = "_sdc_extracted_at"
LOG = "sync_log"

Shape = tuple[tuple[str, Any], ...]
"""The settings that a row was read with, by name; only settings that have a column."""


class Sums(NamedTuple):
    """The sums of a table for one ad account.

    Attributes:
        shapes: The sets of settings that the rows were read with.
    """

    rows: int
    totals: Totals
    shapes: frozenset[Shape]


class Row(NamedTuple):
    """The numbers of an entity on one day.

    Attributes:
        read_at: The time of the reading; `None` if the table has no column for it.
    """

    place: Place
    shape: Shape
    read_at: datetime | None
    values: Totals


class OfDay(NamedTuple):
    """The sum of a metric on one day.

    Attributes:
        read_at: The time at which the latest row was read; `None` if there is no column for it.
    """

    total: Decimal
    rows: int
    read_at: datetime | None


class Tables(NamedTuple):
    """The tables of one schema."""

    connection: psycopg.Connection[Any]
    schema: str

    def columns(self, table: str) -> frozenset[str]:
        """The columns of a table; none if there is no such table.

        The information schema would hide columns that the role may not read.
        """
        query = (
            "SELECT attname FROM pg_attribute"
            " JOIN pg_class ON pg_class.oid = attrelid"
            " JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE nspname = %s AND relname = %s AND attnum > 0 AND NOT attisdropped"
            " AND relkind = ANY('{r,p,v,m,f}')"
        )
        rows = self.connection.execute(query, [self.schema, table]).fetchall()
        return frozenset(name for (name,) in rows)

    def reads(self, table: str, ad_account_id: str) -> list[tuple[DateRange, date]]:
        """The days that runs have read, each range with the last day that was complete then.

        They are in the log of runs; without a log there is no range.
        """
        if not self.columns(LOG):
            return []
        query = sql.SQL(
            "SELECT ranges, complete_to::date FROM {} WHERE stream = %s AND ad_account_id = %s"
            " AND result = 'complete' AND ranges IS NOT NULL AND complete_to IS NOT NULL"
        ).format(sql.Identifier(self.schema, LOG))
        rows = self.connection.execute(query, [table, ad_account_id]).fetchall()
        return [
            (DateRange(*map(date.fromisoformat, each.split(".."))), complete_to)
            for ranges, complete_to in rows
            for each in ranges.split(", ")
        ]


@dataclass(frozen=True)
class Table:
    """The table of a report by day, and the stream that wrote it."""

    tables: Tables
    stream: AdsReport
    columns: frozenset[str]

    @property
    def name(self) -> str:
        """The name of the stream, which is also the table's."""
        return self.stream.name

    @functools.cached_property
    def metrics(self) -> Mapping[str, str]:
        """The columns of the metrics that add up, by the API's name."""
        return {name: column for name, column in self._metrics() if column in self.columns}

    @property
    def lacking(self) -> list[str]:
        """The columns of metrics that add up and that the table does not have."""
        return [column for _, column in self._metrics() if column not in self.columns]

    @property
    def without_sum(self) -> list[str]:
        """The metrics of the table that do not add up over rows."""
        return [
            name
            for name in self.stream.question.columns
            if column(name).kind == "metric"
            and not adds_up(name)
            and self.stream.column(name.lower()) in self.columns
        ]

    def _metrics(self) -> Iterator[tuple[str, str]]:
        for name in self.stream.question.columns:
            if column(name).kind == "metric" and adds_up(name):
                yield name, self.stream.column(name.lower())

    def sums(self, ad_account_id: str, days: DateRange) -> Sums:
        """The sums of all metrics over some days."""
        summed = [
            sql.SQL("sum({}::numeric) AS {}").format(sql.Identifier(column), sql.Identifier(name))
            for name, column in self.metrics.items()
        ]
        shape = self._shape_columns
        found = self._select(ad_account_id, days, [*shape, _COUNT, *summed], shape)
        totals = {
            name: sum((row[name] or NOTHING for row in found), NOTHING) for name in self.metrics
        }
        shapes = frozenset(_shape(row) for row in found if row["rows"])
        return Sums(sum(row["rows"] for row in found), totals, shapes)

    def rows(self, ad_account_id: str, days: DateRange, metrics: Sequence[str]) -> dict[Place, Row]:
        """The rows of some days, with some of the metrics."""
        columns = [
            *self._shape_columns,
            *(
                sql.SQL("{}::numeric AS {}").format(
                    sql.Identifier(self.metrics[name]), sql.Identifier(name)
                )
                for name in metrics
            ),
            sql.SQL("{}::text AS entity").format(self._column(self.stream.question.level.own_id)),
            sql.SQL("{}::date AS day").format(self._column("date")),
            sql.SQL("{} AS read_at").format(self._read_at),
        ]
        rows = {}
        for each in self._select(ad_account_id, days, columns):
            place = (each["entity"], each["day"])
            values = {name: each[name] or NOTHING for name in metrics}
            rows[place] = Row(place, _shape(each), each["read_at"], values)
        return rows

    def by_day(self, ad_account_id: str, days: DateRange, metric: str) -> dict[date, OfDay]:
        """The sums of one metric, day by day."""
        day = sql.SQL("{}::date").format(self._column("date"))
        total = sql.Identifier(self.metrics[metric])
        columns = [
            sql.SQL("{} AS day").format(day),
            sql.SQL("coalesce(sum({}::numeric), 0) AS total").format(total),
            sql.SQL("max({}) AS read_at").format(self._read_at),
        ]
        found = self._select(ad_account_id, days, [*columns, _COUNT], [day])
        return {each.pop("day"): OfDay(**each) for each in found}

    def _select(
        self,
        ad_account_id: str,
        days: DateRange,
        columns: Iterable[sql.Composable],
        group_by: Sequence[sql.Composable] = (),
    ) -> list[dict[str, Any]]:
        query = sql.SQL("SELECT {} FROM {} WHERE {} = %s AND {}::date BETWEEN %s AND %s").format(
            sql.SQL(", ").join(columns),
            sql.Identifier(self.tables.schema, self.name),
            self._column("ad_account_id"),
            self._column("date"),
        )
        if group_by:
            query += sql.SQL(" GROUP BY ") + sql.SQL(", ").join(group_by)
        with self.tables.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, [ad_account_id, days.start, days.end]).fetchall()

    def _column(self, name: str) -> sql.Identifier:
        return sql.Identifier(self.stream.column(name.lower()))

    @property
    def _shape_columns(self) -> list[sql.Composable]:
        return [sql.Identifier(name) for name in SHAPING if name in self.columns]

    @property
    def _read_at(self) -> sql.Composable:
        name = sql.Identifier(READ_AT) if READ_AT in self.columns else sql.NULL
        return sql.SQL("{}::timestamptz").format(name)


_COUNT = sql.SQL("count(*) AS rows")


def in_one_line(error: psycopg.Error) -> str:
    """The database's message, in one line."""
    return " ".join((error.diag.message_primary or str(error)).split())


def _shape(row: Mapping[str, Any]) -> Shape:
    # The tap writes these two columns only if they are set. Rows may be older than any column.
    unset = {"attribution_types": (), "reporting_timezone": None}
    found = {name: _setting(name, row[name]) for name in SHAPING if row.get(name) is not None}
    return tuple((unset | found).items())


def _setting(name: str, value: Any) -> Any:  # noqa: ANN401 - a setting of any kind
    if name == "attribution_types":
        return tuple(filter(None, value.split(",")))
    return int(value) if isinstance(value, Decimal) else value
