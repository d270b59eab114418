"""The tables of a schema, and their columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, TypeAlias

from psycopg import Connection, sql
from psycopg.sql import Composable

from tap_pinterest.page.duckdb import DuckdbConnection

AnyConnection: TypeAlias = Connection[Any] | DuckdbConnection

LOADED_AT = "_sdc_extracted_at"
"""When a run read a row; our loader does not write it in a row that has not changed."""
LOAD = "_sdc_sync_started_at"
"""The start of the load that wrote a row; each load has its own."""

DELETED_AT = "_sdc_deleted_at"
"""When a loader marked a row as deleted."""

_COLUMNS = """
    SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position),
           array_agg(lower(data_type)::text ORDER BY ordinal_position)
      FROM information_schema.columns
     WHERE table_schema = %s
     GROUP BY table_name
     ORDER BY table_name
"""
_SCHEMAS = """
    SELECT DISTINCT table_schema FROM information_schema.columns
     WHERE table_name = ANY(%s) AND column_name = 'date'
     ORDER BY 1
"""
_KEY = """
    SELECT attname::text
      FROM pg_index, unnest(indkey) WITH ORDINALITY AS part (number, place), pg_attribute
     WHERE indrelid = {name}::regclass AND indisprimary
       AND attrelid = indrelid AND attnum = number
     ORDER BY place
"""
_KEY_IN_DUCKDB = """
    SELECT unnest(constraint_column_names) FROM duckdb_constraints()
     WHERE constraint_type = 'PRIMARY KEY' AND schema_name = {schema} AND table_name = {table}
"""


class Tables(NamedTuple):
    """The tables of one schema that the user may read.

    Attributes:
        columns: The type of each column, by table and by column.
    """

    connection: AnyConnection
    schema: str
    columns: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, connection: AnyConnection, schema: str) -> Tables:
        """The tables of a schema; none if the schema does not exist."""
        rows = connection.execute(_COLUMNS, [schema]).fetchall()
        found = {name: dict(zip(columns, types, strict=True)) for name, columns, types in rows}
        return cls(connection, schema, found)

    def has(self, table: str, *columns: str) -> bool:
        """Whether a table exists and has all of these columns."""
        return table in self.columns and {*columns} <= self.columns[table].keys()

    def identifier(self, table: str) -> Composable:
        """The name of a table for a query."""
        return sql.Identifier(self.schema, table)

    def rows(self, table: str) -> Composable:
        """The rows of a table for a query, which must name them; deleted rows do not count."""
        name = self.identifier(table)
        if not self.has(table, DELETED_AT):
            return name
        deleted_at = sql.Identifier(DELETED_AT)
        return sql.SQL("(SELECT * FROM {} WHERE {} IS NULL)").format(name, deleted_at)

    def key(self, table: str) -> list[str]:
        """The columns of a table's primary key, in their order."""
        of = _KEY_IN_DUCKDB if isinstance(self.connection, DuckdbConnection) else _KEY
        name = self.identifier(table).as_string(None)
        rows = self.query(of, name=name, schema=self.schema, table=table)
        return [column for (column,) in rows]

    def query(self, text: str, **parts: Composable | str | date | None) -> list[Any]:
        """The rows of a query.

        Args:
            text: The query, with the names of its parts in braces.
            parts: SQL and values to put in place of the names.
        """
        values = {
            name: part if isinstance(part, sql.Composable) else sql.Literal(part)
            for name, part in parts.items()
        }
        return self.connection.execute(sql.SQL(text).format(**values)).fetchall()


class TableFacts(NamedTuple):
    """The size and the age of a table.

    Attributes:
        newest_day: Its newest `date`, if it has that column.
        loaded_at: When its newest row was read (UTC); `None` if the target does not write it.
    """

    name: str
    rows: int
    newest_day: date | None
    loaded_at: datetime | None


def facts(tables: Tables, name: str) -> TableFacts:
    """The facts about a table."""
    # A table of somebody else may have other values in a column of the same name.
    day, loaded_at = (
        sql.Identifier(column)
        if tables.columns[name].get(column, "").startswith(("date", "timestamp"))
        else sql.SQL("NULL::timestamp")
        for column in ("date", LOADED_AT)
    )
    ((rows, newest_day, newest_at),) = tables.query(
        "SELECT count(*), max({day})::date, max({loaded_at}) FROM {rows} AS loaded",
        day=day,
        loaded_at=loaded_at,
        rows=tables.rows(name),
    )
    return TableFacts(name, rows, newest_day, newest_at)


def schemas_with(connection: AnyConnection, tables: Iterable[str]) -> list[str]:
    """The schemas that have one of these tables, with a column `date`."""
    rows = connection.execute(_SCHEMAS, [list(tables)]).fetchall()
    return [name for (name,) in rows]
