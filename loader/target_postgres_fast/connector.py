"""The connection to PostgreSQL: the stock one, always with psycopg 3."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from target_postgres.connector import PostgresConnector
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psycopg import Cursor

LOCKS = 0x54504746
"""Namespace of our advisory locks."""
OTHER_DRIVERS = ("postgres", "postgresql", "postgresql+psycopg2")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class FastPostgresConnector(PostgresConnector):
    """The stock connector, but with psycopg 3 whatever the URL says: COPY needs it."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Prepare to connect.

        Args:
            config: Settings of the target.
        """
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        super().__init__(config)
        if self.ssh_tunnel:
            # The stock one exits at once with code 1. The target's handler commits first, and
            # the tunnel closes at exit either way.
            for number, handler in handlers.items():
                signal.signal(number, handler)

    @override
    def get_sqlalchemy_url(self, config: Mapping[str, Any]) -> str:
        url = make_url(super().get_sqlalchemy_url(config))
        if url.drivername in OTHER_DRIVERS:
            url = url.set(drivername="postgresql+psycopg")
        return url.render_as_string(hide_password=False)

    @contextmanager
    def transaction(self) -> Iterator[Cursor[Any]]:
        """A cursor, and a commit at the end of the block."""
        with self._connect() as connection, connection.begin():
            yield cast("Cursor[Any]", connection.connection.cursor())

    @contextmanager
    def one_at_a_time(self, name: str) -> Iterator[None]:
        """Let no other loader into a block of the same name, in this database."""
        lock = sa.text("SELECT pg_advisory_xact_lock(:locks, hashtext(:name))")
        with self._connect() as connection, connection.begin():
            connection.execute(lock, {"locks": LOCKS, "name": name})
            yield

    @property
    def dialect(self) -> sa.Dialect:
        """SQLAlchemy's dialect of the database and the driver."""
        return self._engine.dialect
