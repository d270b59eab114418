"""The loaded tables of reports: their sums, their rows, and when the rows were read."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tap_pinterest.api.columns import column
from tap_pinterest.api.periods import DateRange
from tap_pinterest.layouts.tables import ATTRIBUTION
from tap_pinterest.reconcile.findings import NOTHING, Place, Totals, added_up, adds_up
from tap_pinterest.streams.bases.report import AdsReport

SHAPING = {**ATTRIBUTION, "attribution_types": "string", "reporting_timezone": "string"}
"""Columns with the settings that a row was read with, and their types."""
READ_AT = "_sdc_extracted_at"
DELETED_AT = "_sdc_deleted_at"
"""When a loader marked a row as deleted; such a row does not count."""
LOG = "sync_log"
NAN = Decimal("NaN")

Shape = tuple[tuple[str, Any], ...]
"""The settings that a row was read with, by name; only settings that have a column."""


class Sums(NamedTuple):
    """The sums of some rows of a table.

    Attributes:
        shapes: The sets of settings that the rows were read with.
        read_at: The time at which the latest row was read; `None` if there is no column for it.
    """

    rows: int
    totals: Totals
    shapes: frozenset[Shape]
    read_at: datetime | None


class Row(NamedTuple):
    """The numbers of an entity on one day.

    Attributes:
        read_at: The time of the reading; `None` if the table has no column for it.
    """

    shape: Shape
    read_at: datetime | None
    values: Totals


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
            (DateRange(*map(date.fromisoformat, ends)), complete_to)
            for ranges, complete_to in rows
            for ends in re.findall(r"([\d-]{10})\.\.([\d-]{10})", ranges)
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
        return {name: here for name, here in self._named(adds=True) if here in self.columns}

    @property
    def lacking(self) -> list[str]:
        """The columns of metrics that add up and that the table does not have."""
        return [here for _, here in self._named(adds=True) if here not in self.columns]

    @property
    def without_sum(self) -> list[str]:
        """The metrics of the table that do not add up over rows."""
        return [name for name, here in self._named(adds=False) if here in self.columns]

    def _named(self, *, adds: bool) -> Iterator[tuple[str, str]]:
        """The metrics that add up, or the others, each with its column."""
        for name in self.stream.question.columns:
            if column(name).kind == "metric" and adds_up(name) is adds:
                yield name, self.stream.column(name.lower())

    def by_day(self, ad_account_id: str, days: DateRange) -> Mapping[date, Sums]:
        """The sums of all metrics, for each day that has rows."""
        summed = [
            sql.SQL("coalesce(sum({}::numeric), 0) AS {}").format(
                sql.Identifier(here), sql.Identifier(name)
            )
            for name, here in self.metrics.items()
        ]
        count, read_at = sql.SQL("count(*) AS rows"), sql.SQL("max({}) AS read_at")
        keys = [self._day, *self._shape_columns]
        columns = [*keys, count, read_at.format(self._read_at), *summed]
        found = defaultdict(list)
        for row in self._select(ad_account_id, days, columns, len(keys)):
            # Infinity and -Infinity have no sum either.
            totals = {name: row[name] if row[name].is_finite() else NAN for name in self.metrics}
            sums = Sums(row["rows"], totals, frozenset({_shape(row)}), row["read_at"])
            found[row["day"]].append(sums)
        return {day: together(parts) for day, parts in found.items()}

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
            self._day,
            sql.SQL("{} AS read_at").format(self._read_at),
        ]
        return {
            (each["entity"], each["day"]): Row(
                _shape(each), each["read_at"], {name: each[name] or NOTHING for name in metrics}
            )
            for each in self._select(ad_account_id, days, columns)
        }

    def _select(
        self,
        ad_account_id: str,
        days: DateRange,
        columns: Iterable[sql.Composable],
        keys: int = 0,
    ) -> list[dict[str, Any]]:
        """The rows of some days, or one row for each combination of the first `keys` columns."""
        query = sql.SQL("SELECT {} FROM {} WHERE {} = %s AND {}::date BETWEEN %s AND %s").format(
            sql.SQL(", ").join(columns),
            sql.Identifier(self.tables.schema, self.name),
            self._column("ad_account_id"),
            self._column("date"),
        )
        if DELETED_AT in self.columns:
            query += sql.SQL(" AND {} IS NULL").format(sql.Identifier(DELETED_AT))
        if keys:
            query += sql.SQL(" GROUP BY {}").format(sql.SQL(", ").join(range(1, keys + 1)))
        with self.tables.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, [ad_account_id, days.start, days.end]).fetchall()

    def _column(self, name: str) -> sql.Identifier:
        return sql.Identifier(self.stream.column(name.lower()))

    @property
    def _day(self) -> sql.Composable:
        return sql.SQL("{}::date AS day").format(self._column("date"))

    @property
    def _shape_columns(self) -> list[sql.Composable]:
        return [
            # Some loaders write windows as numbers with fractions, and lists as JSON.
            sql.SQL("{0}::integer AS {0}" if kind == "integer" else "{0}::text AS {0}").format(
                sql.Identifier(name)
            )
            for name, kind in SHAPING.items()
            if name in self.columns
        ]

    @property
    def _read_at(self) -> sql.Composable:
        name = sql.Identifier(READ_AT) if READ_AT in self.columns else sql.NULL
        return sql.SQL("{}::timestamptz").format(name)


def together(parts: Collection[Sums]) -> Sums:
    """The sums of all rows of some parts."""
    return Sums(
        sum(each.rows for each in parts),
        added_up(each.totals for each in parts),
        frozenset(shape for each in parts for shape in each.shapes),
        max((each.read_at for each in parts if each.read_at), default=None),
    )


def in_one_line(error: psycopg.Error) -> str:
    """The database's message, in one line."""
    return " ".join((error.diag.message_primary or str(error)).split())


def _shape(row: Mapping[str, Any]) -> Shape:
    # The tap writes these two columns only if they are set. Rows may be older than any column.
    types = tuple(re.findall(r"\w+", row.get("attribution_types") or ""))
    found = {name: row[name] for name in SHAPING if row.get(name) is not None}
    return tuple(({"reporting_timezone": None} | found | {"attribution_types": types}).items())
