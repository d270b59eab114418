"""The databases that the demo can load: a PostgreSQL of its own, or a file of DuckDB."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
from psycopg import sql

from scripts.embedded_postgres import EmbeddedPostgres
from tap_pinterest.page.duckdb import DuckdbConnection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from psycopg import Connection

SCHEMA = "pinterest"


class DemoDatabase(ABC):
    """An empty database.

    Attributes:
        name: The name of its kind.
        loader: The loader of `meltano.yml` for it.
    """

    name: str
    loader: str

    @abstractmethod
    def __init__(self, stack: ExitStack, folder: Path) -> None:
        """Make the database; the end of the stack removes it."""

    @property
    @abstractmethod
    def place(self) -> str:
        """The address of the database, without secrets."""

    @property
    @abstractmethod
    def settings(self) -> Mapping[str, str]:
        """The variables with its address, for the loader."""

    @property
    @abstractmethod
    def client(self) -> str:
        """The command that opens the database for the user."""

    @abstractmethod
    @contextmanager
    def connection(self) -> Iterator[Connection[Any] | DuckdbConnection]:
        """A connection; the loader must have none at the same time."""

    def keep_copy(self, schema: str) -> None:
        """Copy every table to a schema of its own, to compare with later."""
        names = sql.SQL("SELECT table_name FROM information_schema.tables WHERE table_schema = {}")
        copy = sql.SQL("CREATE TABLE {} AS SELECT * FROM {}")
        with self.connection() as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
            for (name,) in connection.execute(names.format(SCHEMA)).fetchall():
                tables = (sql.Identifier(each, name) for each in (schema, SCHEMA))
                connection.execute(copy.format(*tables))


class DemoPostgres(DemoDatabase):
    """A PostgreSQL server of its own."""

    name = "PostgreSQL"
    loader = "target-postgres"

    def __init__(self, stack: ExitStack, folder: Path) -> None:  # noqa: ARG002 - it has its own folder
        self._server = stack.enter_context(EmbeddedPostgres())

    @property
    def place(self) -> str:
        """Its address."""
        return f"127.0.0.1:{self._server.port}"

    @property
    def settings(self) -> Mapping[str, str]:
        """Its URL."""
        return {"TARGET_POSTGRES_SQLALCHEMY_URL": self._server.url}

    @property
    def client(self) -> str:
        """PostgreSQL's own client."""
        return f"psql '{self._server.psql_url}'"

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        """A connection that commits each statement."""
        with psycopg.connect(self._server.psql_url, autocommit=True) as connection:
            yield connection


class DemoDuckdb(DemoDatabase):
    """A file of DuckDB: it needs no server."""

    name = "DuckDB"
    loader = "target-duckdb"

    def __init__(self, stack: ExitStack, folder: Path) -> None:  # noqa: ARG002 - the folder ends with it
        """Name the file; the loader makes it."""
        self._file = folder / "warehouse.duckdb"

    @property
    def place(self) -> str:
        """The file."""
        return str(self._file)

    @property
    def settings(self) -> Mapping[str, str]:
        """The file."""
        return {"TARGET_DUCKDB_PATH": self.place}

    @property
    def client(self) -> str:
        """DuckDB's own client, which is not installed with its library."""
        return f"duckdb {self.place}"

    @contextmanager
    def connection(self) -> Iterator[DuckdbConnection]:
        """A connection; the loader can connect again when it is closed."""
        with duckdb.connect(self.place) as connection:
            yield DuckdbConnection(connection)


DATABASES: Mapping[str, type[DemoDatabase]] = {"postgres": DemoPostgres, "duckdb": DemoDuckdb}
