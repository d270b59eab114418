"""The SQL of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_postgres_fast.duckdb.columns import LISTED
from target_postgres_fast.rows import DELETED_AT, OF_THE_LOAD, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_STAGE = "_sdc_batch"
STAGE = f"temp.main.{_STAGE}"
"""A table for one batch; it ends with its cursor."""

CSV_OPTIONS = f"""
    auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', new_line = '\\n',
    nullstr = 'null', allow_quoted_nulls = false, max_line_size = {512 << 20}
"""
"""With these options, JSON's texts without escapes, numbers and null are already fields."""

_IS_THE_TABLE = """
    database_name = current_database()
    AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?)
"""
"""DuckDB ignores upper and lower case."""
COLUMNS = f"SELECT column_name, data_type, comment FROM duckdb_columns() WHERE {_IS_THE_TABLE}"  # noqa: S608 - no input
COMMENT = f"SELECT comment FROM duckdb_tables() WHERE {_IS_THE_TABLE}"  # noqa: S608 - no input
KEY = f"""
    SELECT constraint_column_names FROM duckdb_constraints()
     WHERE constraint_type = 'PRIMARY KEY' AND {_IS_THE_TABLE}
"""  # noqa: S608 - no input


_IS_OLDER = f"coalesce({VERSION}, -1) < ?"


def name(*parts: str) -> str:
    """A name in quotation marks, after the names of its schema and database."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def create_schema(database: str, schema: str) -> str:
    """The schema of a table."""
    return f"CREATE SCHEMA IF NOT EXISTS {name(database, schema)}"


def create(table: str, columns: Mapping[str, str], keys: Sequence[str]) -> str:
    """A table with its key."""
    parts = [f"{name(column)} {kind}" for column, kind in columns.items()]
    key = [f"PRIMARY KEY ({_list(keys)})"] if keys else []
    return f"CREATE TABLE {table} ({', '.join(parts + key)})"


def add_column(table: str, column: str, kind: str) -> str:
    """A new column."""
    return f"ALTER TABLE {table} ADD COLUMN {name(column)} {kind}"


def widen(table: str, column: str, kind: str) -> str:
    """Another type for a column."""
    return f"ALTER TABLE {table} ALTER COLUMN {name(column)} TYPE {kind}"


def lost(table: str, column: str, there: str, kind: str) -> str:
    """The query for how many values another type would change."""
    back = f"TRY_CAST(CAST({name(column)} AS {kind}) AS {there})"
    return f"SELECT count(*) FROM {table} WHERE {name(column)} IS DISTINCT FROM {back}"  # noqa: S608 - names are quoted


def comment(table: str, column: str | None, text: str) -> str:
    """The comment on a column, or on the table under None."""
    on = f"TABLE {table}" if column is None else f"COLUMN {table}.{name(column)}"
    return f"COMMENT ON {on} IS {literal(text)}"


def rows(file: str, types: Mapping[str, str]) -> str:
    """The query for the rows in a file of CSV, with these columns in this order."""
    values = (_value(at, column, kind) for at, (column, kind) in enumerate(types.items()))
    fields = ", ".join(f"field_{at}: 'VARCHAR'" for at in range(len(types)))
    return f"""
        SELECT {", ".join(values)}
          FROM read_csv({literal(file)}, columns = {{{fields}}}, {CSV_OPTIONS})
    """  # noqa: S608 - names are quoted


def _value(at: int, column: str, kind: str) -> str:
    value = f"field_{at}"
    if kind.endswith(LISTED):
        value = f"CAST({value} AS JSON)"
    return f"CAST({value} AS {kind}) AS {name(column)}"


def stage(query: str) -> str:
    """Keep rows in the table for a batch."""
    return f"CREATE TEMPORARY TABLE {_STAGE} AS {query}"


def update(table: str, names: Sequence[str], keys: Sequence[str]) -> str:
    """Update the rows that differ."""
    if not (differs := _differs(names, keys)):
        return "SELECT 0"
    values = [each for each in names if each not in keys]
    assignments = ", ".join(f"{name(each)} = {name('new', each)}" for each in values)
    return f"UPDATE {table} AS old SET {assignments} FROM {STAGE} AS new WHERE {differs}"  # noqa: S608 - names are quoted


def count_changes(table: str, names: Sequence[str], keys: Sequence[str]) -> str:
    """Count the rows of the batch that change a row, or several with one key."""
    differs = _differs(names, keys) or "false"
    return f"SELECT count(*) FROM {STAGE} AS new WHERE EXISTS (FROM {table} AS old WHERE {differs})"  # noqa: S608 - names are quoted


def _differs(names: Sequence[str], keys: Sequence[str]) -> str | None:
    compared = [each for each in names if each not in {*keys, *OF_THE_LOAD}]
    if not compared:
        return None
    old, new = (", ".join(name(of, each) for each in compared) for of in ("old", "new"))
    return f"{_same_key(keys)} AND ({old}) IS DISTINCT FROM ({new})"


def insert_new(table: str, names: Sequence[str], keys: Sequence[str]) -> str:
    """Insert the rows whose key is new."""
    new = f"SELECT {_list(names)} FROM {STAGE} AS new"  # noqa: S608 - names are quoted
    return insert(
        table, names, f"{new} WHERE NOT EXISTS (FROM {table} AS old WHERE {_same_key(keys)})"
    )


def insert(table: str, names: Sequence[str], query: str) -> str:
    """Insert rows."""
    return f"INSERT INTO {table} ({_list(names)}) {query}"


def delete_older(table: str) -> str:
    """Delete the rows before a version."""
    return f"DELETE FROM {table} WHERE {_IS_OLDER}"  # noqa: S608 - names are quoted


def mark_older(table: str) -> str:
    """Say of the rows before a version that they are deleted."""
    return f"UPDATE {table} SET {DELETED_AT} = now() WHERE {DELETED_AT} IS NULL AND {_IS_OLDER}"  # noqa: S608 - names are quoted


def _same_key(keys: Sequence[str]) -> str:
    return " AND ".join(f"{name('old', each)} = {name('new', each)}" for each in keys)


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(name, names))
