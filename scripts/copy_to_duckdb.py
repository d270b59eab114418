"""Copy a schema of a PostgreSQL into a DuckDB file.

It runs in the environment of dbt, which has the drivers of both.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import psycopg2

TYPES = {
    "ARRAY": "JSON",
    "jsonb": "JSON",
    "numeric": "DECIMAL(38, 9)",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
}
"""DuckDB's types where the names differ."""


OPTIONS = (
    "auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"',"
    " allow_quoted_nulls = false, max_line_size = 20000000, parallel = false"
)


def copy(url: str, schema: str, file: str) -> None:
    """Copy all tables, in place of those that the file has."""
    with psycopg2.connect(url) as source, source.cursor() as cursor, duckdb.connect(file) as made:
        made.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        for (table,) in cursor.fetchall():
            _copy_table(cursor, made, schema, table)


def _copy_table(cursor: Any, made: Any, schema: str, table: str) -> None:  # noqa: ANN401 - drivers without types
    cursor.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        [schema, table],
    )
    types = {name: TYPES.get(kind, kind) for name, kind in cursor.fetchall()}
    listed = ", ".join(
        f'to_json("{name}")' if kind == "JSON" else f'"{name}"' for name, kind in types.items()
    )
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.csv"
        select = f'SELECT {listed} FROM "{schema}"."{table}"'
        with rows.open("wb") as written:
            cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT csv)", written)
        columns = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in types.items()) + "}"
        made.execute(
            f'CREATE OR REPLACE TABLE "{schema}"."{table}" AS SELECT * FROM read_csv('
            f"'{rows}', columns = {columns}, {OPTIONS})"
        )


if __name__ == "__main__":
    copy(*sys.argv[1:])
