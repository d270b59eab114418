"""A connection to DuckDB for the queries that PostgreSQL answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection
    from psycopg.sql import Composable


class Rows(list[Any]):
    """The rows of a query."""

    def fetchall(self) -> Rows:
        """All of them."""
        return self


class DuckdbConnection:
    """A connection to DuckDB that takes the queries of psycopg."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(self, query: str | Composable, values: Sequence[object] | None = None) -> Rows:
        """The rows of a query."""
        text = query if isinstance(query, str) else query.as_string(None)
        cursor = self._connection.execute(text.replace("%s", "?"), values)
        return Rows(cursor.fetchall())
