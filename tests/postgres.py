"""A PostgreSQL for tests, and what is in it."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from scripts.embedded_postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def database() -> Iterator[tuple[str, str]]:
    """A PostgreSQL and a schema of our own in it, gone afterwards."""
    schema = f"tap_pinterest_test_{uuid.uuid4().hex[:12]}"
    if url := os.environ.get("TAP_PINTEREST_TEST_DATABASE_URL"):
        try:
            yield url, schema
        finally:
            with psycopg.connect(url.replace("+psycopg", "")) as connection:
                drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))
                connection.execute(drop)
    else:
        with EmbeddedPostgres() as server:
            yield server.url, schema
