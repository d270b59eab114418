"""Counts the rows that the newest load has changed, and the rows that differ from a copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from psycopg import sql

from tap_pinterest.page.tables import LOAD, Tables


class RestatedDay(NamedTuple):
    """The rows of a day that an earlier load had loaded.

    Attributes:
        changed: The rows that the newest load has changed or added.
    """

    day: date
    rows: int
    changed: int


class Changed(NamedTuple):
    """The numbers of rows of a table and its copy."""

    table: str
    before: int
    after: int
    added: int
    restated: int


def restated(tables: Tables, report: str, days: int) -> list[RestatedDay] | None:
    """The rows that the newest load changed, for the last days that an earlier load had loaded.

    The newest load is the last that changed any row of the report. The result is `None` without the
    column `LOAD`, which distinguishes loads.
    """
    if not tables.has(report, LOAD, "date"):
        return None
    rows = tables.query(
        """
        WITH loaded AS NOT MATERIALIZED (
                 SELECT date::date AS day, {load} AS load FROM {rows} AS report
             ),
             newest AS (SELECT max(load) AS newest FROM loaded),
             known AS (SELECT max(day) AS last FROM loaded, newest WHERE load < newest)
        SELECT day, count(*), count(*) FILTER (WHERE load = newest)
          FROM loaded, newest, known
         WHERE day <= last AND day > last - {days}::integer
         GROUP BY 1
         ORDER BY 1
        """,
        load=sql.Identifier(LOAD),
        rows=tables.rows(report),
        days=sql.Literal(days),
    )
    return [RestatedDay(*row) for row in rows]


def since(tables: Tables, copy: Tables) -> tuple[list[Changed], list[str]]:
    """Compare every table that has a key with its copy; all rows are new if there is no copy.

    The second list has a sentence for each table that cannot be compared.
    """
    changed, missing = [], []
    for name in tables.columns:
        key = tables.key(name)
        if name in copy.columns and not copy.has(name, *key):
            missing.append(f"{name} beside {copy.schema}: the copy lacks a column of the key.")
        elif key:
            changed.append(_changed(tables, copy, name, key))
    return changed, missing


def _changed(tables: Tables, copy: Tables, name: str, key: Sequence[str]) -> Changed:
    if name not in copy.columns:
        ((rows,),) = tables.query("SELECT count(*) FROM {new} AS new", new=tables.rows(name))
        return Changed(name, 0, rows, rows, 0)
    types = (tables.columns[name], copy.columns[name])
    (row,) = tables.query(
        """
        SELECT (SELECT count(*) FROM {old} AS old),
               count(*),
               count(*) FILTER (WHERE old.{first} IS NULL),
               count(*) FILTER (WHERE old.{first} IS NOT NULL AND ({differ}))
          FROM {new} AS new LEFT JOIN {old} AS old ON {same}
        """,
        old=copy.rows(name),
        new=tables.rows(name),
        first=sql.Identifier(key[0]),
        same=sql.SQL(" AND ").join(_compared("=", each, *types) for each in key),
        differ=sql.SQL(" OR ").join(
            # Columns of the loader do not count.
            _compared("IS DISTINCT FROM", each, *types)
            for each in types[0]
            if not each.startswith("_sdc_")
        ),
    )
    return Changed(name, *row)


def _compared(
    operator: str, column: str, new: Mapping[str, str], old: Mapping[str, str]
) -> sql.Composed:
    """A comparison of a column with that of the copy, which may have another type or lack it."""
    if column not in old:
        return sql.SQL("new.{} IS NOT NULL").format(sql.Identifier(column))
    is_same = new[column] == old[column]
    text = "new.{0} {1} old.{0}" if is_same else "new.{0}::text {1} old.{0}::text"
    return sql.SQL(text).format(sql.Identifier(column), sql.SQL(operator))
