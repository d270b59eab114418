"""The loaded tables of reports: their sums, their rows, and when the rows were read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import dict_row

from tap_pinterest.api.periods import DateRange
from tap_pinterest.reconcile.findings import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import psycopg

    from tap_pinterest.config import Settings
    from tap_pinterest.reconcile.findings import Place, Totals

SHAPING = (
    *("click_window_days", "engagement_window_days", "view_window_days"),
    *("conversion_report_time", "attribution_types", "reporting_timezone"),
)
"""Columns with the settings that a row was read with."""
READ_AT = "_sdc_extracted_at"
LOG = "sync_log"

Shape = tuple[tuple[str, Any], ...]
"""The settings of a row, as pairs of a name and a value; those that its table does not tell are
left out."""


@dataclass(frozen=True)
class Table:
    """A table of a report by day.

    Attributes:
        metrics: The columns of its metrics that add up, by the API's name.
    """

    name: str
    id_column: str
    account_column: str
    date_column: str
    metrics: Mapping[str, str]
    columns: frozenset[str]


@dataclass(frozen=True)
class Sums:
    """The sums of a table for one ad account.

    Attributes:
        shapes: The sets of settings that the rows were read with.
    """

    rows: int
    totals: Totals
    shapes: frozenset[Shape]


@dataclass(frozen=True)
class Row:
    """The numbers of an entity on one day.

    Attributes:
        shape: The settings that it was read with.
        read_at: When it was read; `None` if the table does not tell.
    """

    place: Place
    shape: Shape
    read_at: datetime | None
    values: Totals


@dataclass(frozen=True)
class OfDay:
    """What a table has of a metric on one day.

    Attributes:
        read_at: When the latest row was read; `None` if the table does not tell.
    """

    total: Decimal
    rows: int
    read_at: datetime | None


class Tables:
    """The tables of one schema."""

    def __init__(self, connection: psycopg.Connection[Any], schema: str) -> None:
        self._connection = connection
        self._schema = schema

    def columns(self, table: str) -> frozenset[str]:
        """The columns of a table; none if there is no such table.

        The information schema would hide what the role may not read.
        """
        query = (
            "SELECT attname FROM pg_attribute"
            " JOIN pg_class ON pg_class.oid = attrelid"
            " JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE nspname = %s AND relname = %s AND attnum > 0 AND NOT attisdropped"
            " AND relkind = ANY('{r,p,v,m,f}')"
        )
        rows = self._connection.execute(query, [self._schema, table]).fetchall()
        return frozenset(name for (name,) in rows)

    def sums(self, table: Table, ad_account_id: str, days: DateRange) -> Sums:
        """The sums of all metrics over some days."""
        shaping = [name for name in SHAPING if name in table.columns]
        summed = [
            sql.SQL("sum({}::numeric) AS {}").format(sql.Identifier(column), sql.Identifier(name))
            for name, column in table.metrics.items()
        ]
        shape = [sql.Identifier(name) for name in shaping]
        found = self._select(table, ad_account_id, days, [*shape, _COUNT, *summed], shape)
        totals = {
            name: sum((each[name] or NOTHING for each in found), NOTHING) for name in table.metrics
        }
        shapes = frozenset(_shape(each, shaping) for each in found if each["rows"])
        return Sums(sum(each["rows"] for each in found), totals, shapes)

    def rows(
        self, table: Table, ad_account_id: str, days: DateRange, metrics: Sequence[str]
    ) -> Iterator[Row]:
        """The rows of some days, with some of the metrics."""
        shaping = [name for name in SHAPING if name in table.columns]
        columns: list[sql.Composable] = [sql.Identifier(name) for name in shaping]
        columns += [
            sql.SQL("{}::numeric AS {}").format(
                sql.Identifier(table.metrics[name]), sql.Identifier(name)
            )
            for name in metrics
        ]
        columns += [
            sql.SQL("{}::text AS entity").format(sql.Identifier(table.id_column)),
            sql.SQL("{}::date AS day").format(sql.Identifier(table.date_column)),
            sql.SQL("{} AS read_at").format(_read_at(table)),
        ]
        for each in self._select(table, ad_account_id, days, columns):
            values = {name: each[name] or NOTHING for name in metrics}
            place = (each["entity"], each["day"])
            yield Row(place, _shape(each, shaping), each["read_at"], values)

    def by_day(
        self, table: Table, ad_account_id: str, days: DateRange, metric: str
    ) -> dict[date, OfDay]:
        """The sums of one metric, day by day."""
        day = sql.SQL("{}::date").format(sql.Identifier(table.date_column))
        column = sql.Identifier(table.metrics[metric])
        columns = [
            sql.SQL("{} AS day").format(day),
            sql.SQL("coalesce(sum({}::numeric), 0) AS total").format(column),
            sql.SQL("max({}) AS read_at").format(_read_at(table)),
        ]
        found = self._select(table, ad_account_id, days, [*columns, _COUNT], [day])
        return {each.pop("day"): OfDay(**each) for each in found}

    def reads(self, table: str, ad_account_id: str) -> list[tuple[DateRange, date]]:
        """The days that runs have read, each range with the last day that was complete then.

        The log of runs says so; without one there is no range.
        """
        if not self.columns(LOG):
            return []
        query = sql.SQL(
            "SELECT ranges, complete_to::date FROM {} WHERE stream = %s AND ad_account_id = %s"
            " AND result = 'complete' AND ranges IS NOT NULL AND complete_to IS NOT NULL"
        ).format(sql.Identifier(self._schema, LOG))
        rows = self._connection.execute(query, [table, ad_account_id]).fetchall()
        return [
            (DateRange(*map(date.fromisoformat, each.split(".."))), complete_to)
            for ranges, complete_to in rows
            for each in ranges.split(", ")
        ]

    def _select(
        self,
        table: Table,
        ad_account_id: str,
        days: DateRange,
        columns: Sequence[sql.Composable],
        group_by: Sequence[sql.Composable] = (),
    ) -> list[dict[str, Any]]:
        comma = sql.SQL(", ")
        query = sql.SQL("SELECT {} FROM {} WHERE {} = %s AND {}::date BETWEEN %s AND %s").format(
            comma.join(columns),
            sql.Identifier(self._schema, table.name),
            sql.Identifier(table.account_column),
            sql.Identifier(table.date_column),
        )
        if group_by:
            query += sql.SQL(" GROUP BY ") + comma.join(group_by)
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, [ad_account_id, days.start, days.end]).fetchall()


_COUNT = sql.SQL("count(*) AS rows")


def told_by(error: psycopg.Error) -> str:
    """What the database says of an error, in one line."""
    return " ".join((error.diag.message_primary or str(error)).split())


def in_settings(shape: Shape, settings: Settings) -> Settings:
    """The settings that a row was read with; settings without a column are those of now."""
    return dataclasses.replace(settings, **dict(shape))


def _shape(row: Mapping[str, Any], names: Sequence[str]) -> Shape:
    # The tap writes these two columns only if they are set.
    unset = {"attribution_types": (), "reporting_timezone": None}
    told = {name: _setting(name, row[name]) for name in names}
    return tuple((unset | told).items())


def _setting(name: str, value: Any) -> Any:  # noqa: ANN401 - a setting of any kind
    if name == "attribution_types":
        return tuple(value.split(",")) if value else ()
    return int(value) if isinstance(value, Decimal) else value


def _read_at(table: Table) -> sql.Composable:
    name = READ_AT if READ_AT in table.columns else None
    return sql.SQL("{}::timestamptz").format(sql.Identifier(name) if name else sql.NULL)
