"""The main job into a PostgreSQL, and what is in its tables afterwards."""

from __future__ import annotations

import functools
import os
import uuid
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

import forked_programs
from scripts.embedded_postgres import EmbeddedPostgres
from scripts.main_job import LOADER, MainJob
from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg import Connection

    from pinterest_sandbox import Sandbox

Row = dict[str, Any]
SERVERS = ExitStack()
"""The server that tests of this process share; `conftest.py` ends it after the last one."""


@contextmanager
def database() -> Iterator[tuple[str, str]]:
    """A database and the name of a schema in it; what begins with that name is gone afterwards."""
    schema = f"tap_pinterest_test_{uuid.uuid4().hex[:12]}"
    if url := os.environ.get("TAP_PINTEREST_TEST_DATABASE_URL"):
        try:
            yield url, schema
        finally:
            with psycopg.connect(url.replace("+psycopg", "")) as connection:
                made = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)"
                for (name,) in connection.execute(made, [schema]).fetchall():
                    drop = sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name))
                    connection.execute(drop)
    else:
        # A database is made in a moment, a server in seconds.
        with psycopg.connect(_server().psql_url, autocommit=True) as connection:
            name = sql.Identifier(schema)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
            try:
                yield f"{_server().url.removesuffix('/postgres')}/{schema}", schema
            finally:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@functools.cache
def _server() -> EmbeddedPostgres:
    return SERVERS.enter_context(EmbeddedPostgres())


def main_job(
    folder: Path, sandbox: Sandbox, url: str, schema: str, *, loader: str = LOADER, **more: str
) -> MainJob:
    """The main job from a sandbox into a schema; `more` are settings of the tap.

    It is that of the `meltano.yml` in the folder if there is one, and else the project's own.
    """
    secrets = ("client_id", "client_secret", "refresh_token")
    settings = {
        **{f"TAP_PINTEREST_{name.upper()}": sandbox.credentials[name] for name in secrets},
        "TAP_PINTEREST_API_URL": sandbox.url,
        **{f"TAP_PINTEREST_{name.upper()}": value for name, value in more.items()},
        "TAP_PINTEREST_TOKEN_FILE": str(folder / "tokens.json"),
        "TARGET_POSTGRES_SQLALCHEMY_URL": url,
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
    }
    project = folder if (folder / "meltano.yml").exists() else ROOT
    log, programs = folder / "log", forked_programs.folder()
    return MainJob(folder, settings, log=log, loader=loader, project=project, programs=programs)


def rows_by_table(db: Connection[Row], schema: str) -> dict[str, list[Row]]:
    """All rows of all tables."""
    tables = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
    names = [row["tablename"] for row in tables]
    select = sql.SQL("SELECT * FROM {}")
    return {
        name: db.execute(select.format(sql.Identifier(schema, name))).fetchall() for name in names
    }


def column_types(db: Connection[Row], schema: str) -> dict[tuple[str, str], str]:
    """PostgreSQL's type of each column, by table and column."""
    query = """
        SELECT table_name, column_name, data_type
          FROM information_schema.columns WHERE table_schema = %s
    """
    return {
        (row["table_name"], row["column_name"]): row["data_type"]
        for row in db.execute(query, [schema])
    }


def same(loaded: object, sent: object) -> bool:
    """Whether PostgreSQL holds what Pinterest sent."""
    if isinstance(loaded, datetime):
        return loaded.replace(tzinfo=UTC).timestamp() == as_timestamp(sent)
    if isinstance(loaded, Decimal) and isinstance(sent, (int, float)):
        return float(loaded) == float(sent)
    if isinstance(loaded, date):
        return loaded.isoformat() == sent
    if isinstance(loaded, str):
        return loaded == str(sent)
    return loaded == sent


def as_timestamp(sent: object) -> float:
    """Whole Unix seconds of a time as Pinterest sends it, or as the tap writes it."""
    if isinstance(sent, str):
        moment = datetime.fromisoformat(sent).replace(microsecond=0)
        return moment.replace(tzinfo=UTC).timestamp()
    assert isinstance(sent, int)
    return sent
