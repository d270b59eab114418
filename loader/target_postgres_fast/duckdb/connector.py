"""The connection to DuckDB."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import duckdb

from target_postgres_fast.duckdb import faults
from target_postgres_fast.duckdb.faults import Address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from duckdb import DuckDBPyConnection

OF_FILES: dict[str, str | bool | int | float | list[str]] = {"checkpoint_threshold": "256MB"}
"""A checkpoint rewrites the newest rows; with the usual 16 MB there is one every few batches."""


class DuckdbConnector:
    """An open database; each transaction has a cursor of its own."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Prepare to connect.

        Args:
            config: Settings of the target.

        Raises:
            UnusableError: They name no database.
        """
        self._address = Address.of(config)
        self._streams: dict[tuple[str, str], str] = {}

    def check(self) -> None:
        """Open the database.

        Raises:
            UnusableError: It cannot be opened for writing.
        """
        try:
            with self.transaction():
                pass
        except duckdb.Error as error:
            raise faults.connecting(error, self._address) from error

    def claim(self, schema: str, table: str, stream: str) -> None:
        """Let a stream have a table of its own.

        Raises:
            NotImplementedError: Another stream of this load has it.
        """
        other = self._streams.setdefault((schema.lower(), table.lower()), stream)
        if other != stream:
            message = (
                f"The streams {other} and {stream} would be one table: DuckDB ignores upper and"
                " lower case. Give one of them another name, with __alias__ in stream_maps."
            )
            raise NotImplementedError(message)

    @contextmanager
    def transaction(self) -> Iterator[DuckDBPyConnection]:
        """A cursor, and a commit at the end of the block."""
        with self._connection.cursor() as cursor:
            cursor.begin()
            yield cursor
            cursor.commit()

    @cached_property
    def database(self) -> str:
        """The name of the database, which tables need if their schema has the same name."""
        ((name,),) = self._connection.execute("SELECT current_database()").fetchall()
        return str(name)

    def close(self) -> None:
        """Let other programs open the file."""
        self._connection.close()

    @cached_property
    def _connection(self) -> DuckDBPyConnection:
        path, token = self._address
        if not self._address.is_at_motherduck:
            return duckdb.connect(path, config=OF_FILES)
        return duckdb.connect(path, config={"motherduck_token": token} if token else {})
