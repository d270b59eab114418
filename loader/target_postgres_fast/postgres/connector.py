"""The connection to PostgreSQL: the stock connection, always with psycopg 3."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from target_postgres.connector import PostgresConnector
from typing_extensions import override

from target_postgres_fast.errors import UnusableError, first_line
from target_postgres_fast.postgres import faults, readiness
from target_postgres_fast.postgres.faults import Address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psycopg import Cursor
    from singer_sdk.sql.connector import FullyQualifiedName

LOCKS = 0x54504746
"""Namespace of our advisory locks."""
SETTINGS = (
    "SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 6;"
    "SET array_nulls = on; SET quote_all_identifiers = off"
)
"""With keepalives the server notices within two minutes that the loader's machine is gone.

It then ends the transaction. By default it takes over two hours, and until then the locks of the
transaction would stop the next load. A role may have other values for the last two settings: nulls
in lists would become the text NULL, and types would have other names.
"""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class FastPostgresConnector(PostgresConnector):
    """The stock connector, but always with psycopg 3: COPY needs it."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Prepare to connect.

        Args:
            config: Settings of the target.
        """
        self._exclusive: sa.Connection | None = None
        self.streams: dict[tuple[str | None, str], str] = {}
        """The stream of each table of this load, by schema and name."""
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        try:
            super().__init__(config)
        except Exception as error:
            if isinstance(error, UnusableError) or not config.get("ssh_tunnel", {}).get("enable"):
                raise
            # Paramiko, the key or the network; before the tunnel, nothing else can fail.
            message = faults.NO_TUNNEL.format(message=first_line(str(error)))
            raise UnusableError(message) from error
        if self.ssh_tunnel:
            # The stock handler exits at once with code 1. The target's handler commits first, and
            # the tunnel closes at exit in both cases.
            for number, handler in handlers.items():
                signal.signal(number, handler)

    @override
    def get_sqlalchemy_url(self, config: Mapping[str, Any]) -> str:
        text = super().get_sqlalchemy_url(config)
        faults.require_postgresql(str(text))
        try:
            url = make_url(text.strip() if isinstance(text, str) else text)
        except (ValueError, ArgumentError):
            # The text of the error can contain a part of the password.
            raise UnusableError(faults.NO_URL) from None
        url = url.set(drivername="postgresql+psycopg")
        defaults = {name: value for name, value in faults.OPTIONS.items() if name not in url.query}
        url = url.update_query_dict(defaults)
        return url.render_as_string(hide_password=False)

    @override
    def create_engine(self) -> sa.Engine:
        engine = super().create_engine()
        sa.event.listen(engine, "connect", _configure)
        return engine

    def check(self, schema: str | None) -> None:
        """Connect, and check the user's rights.

        Raises:
            UnusableError: No table could be loaded into the database.
        """
        url = make_url(self.sqlalchemy_url)
        address = Address(url.host, url.port, url.database, url.username)
        try:
            with self.transaction() as cursor:
                readiness.check(cursor, schema)
        except DBAPIError as error:
            cause = error.orig if isinstance(error.orig, Exception) else error
            raise faults.connecting(cause, address) from error
        except psycopg.Error as error:
            raise faults.connecting(error, address) from error

    @contextmanager
    def transaction(self) -> Iterator[Cursor[Any]]:
        """A cursor, and a commit at the end of the block."""
        with self._connect() as connection, connection.begin():
            yield cast("Cursor[Any]", connection.connection.cursor())

    @contextmanager
    def one_at_a_time(self, name: str) -> Iterator[sa.Connection]:
        """A transaction during which no other loader has one of this name, in this database."""
        lock = sa.text("SELECT pg_advisory_xact_lock(:locks, hashtext(:name))")
        with self._connect() as connection, connection.begin():
            connection.execute(lock, {"locks": LOCKS, "name": name})
            self._exclusive = connection
            try:
                yield connection
            finally:
                self._exclusive = None

    @override
    def table_exists(self, full_table_name: str | FullyQualifiedName) -> bool:
        # With a second connection, loaders could wait in a circle for those of a pooler.
        _, schema, table = self.parse_full_table_name(full_table_name)
        return sa.inspect(self._exclusive or self._engine).has_table(table or "", schema)

    @property
    def dialect(self) -> sa.Dialect:
        """SQLAlchemy's dialect of the database and the driver."""
        return self._engine.dialect


def _configure(connection: psycopg.Connection[Any], _record: object) -> None:
    # A pooler may give each transaction another server connection, which does not have the
    # statements that were prepared in the one before.
    connection.prepare_threshold = None
    try:
        connection.execute(SETTINGS)
        connection.commit()
    except psycopg.Error:
        # A database that only speaks PostgreSQL's protocol may not have these settings.
        connection.rollback()
