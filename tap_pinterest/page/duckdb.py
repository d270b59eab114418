"""A connection to DuckDB that takes the queries for PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection
    from psycopg.sql import Composable


class DuckdbConnection(NamedTuple):
    """A connection to DuckDB with the interface of psycopg."""

    connection: DuckDBPyConnection

    def execute(
        self, query: str | Composable, values: Sequence[object] | None = None
    ) -> DuckDBPyConnection:
        """Run a query; `fetchall` of the result has its rows."""
        text = query if isinstance(query, str) else query.as_string(None)
        return self.connection.execute(text.replace("%s", "?"), values)
