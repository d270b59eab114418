"""A PostgreSQL whose users lack one right each."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

from scripts.embedded_postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "pass@word/%"
"""The password of all users: each character of it that a URL takes for its own must be encoded."""
WRITTEN = quote(PASSWORD, safe="")

ROLES = f"""
    CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}';
    CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}';
    CREATE ROLE owner LOGIN PASSWORD '{PASSWORD}';
    CREATE ROLE outside LOGIN PASSWORD '{PASSWORD}';
    ALTER ROLE reader SET default_transaction_read_only = on;
    GRANT CREATE ON DATABASE postgres TO reader;
    GRANT CREATE ON DATABASE postgres TO owner;
    CREATE SCHEMA closed;
    CREATE SCHEMA seen;
    GRANT USAGE ON SCHEMA seen TO plain;
"""
DATABASES = (
    "CREATE DATABASE narrow",
    "REVOKE TEMPORARY ON DATABASE narrow FROM PUBLIC",
    "GRANT CREATE ON DATABASE narrow TO owner",
    "CREATE DATABASE crowded OWNER owner",
)
ACCESS = """
host all postgres,plain,reader,owner,nobody 127.0.0.1/32 scram-sha-256
hostssl all outside 127.0.0.1/32 scram-sha-256
"""


@contextmanager
def guarded_postgres() -> Iterator[EmbeddedPostgres]:
    """The server.

    `narrow` takes no temporary tables, `crowded` has no room, `outside` must come with TLS, and the
    schemas `closed` and `seen` are somebody else's.
    """
    with EmbeddedPostgres() as server:
        with psycopg.connect(server.psql_url, autocommit=True) as connection:
            connection.execute(ROLES)
            for statement in DATABASES:
                connection.execute(statement)
            (server.data / "pg_hba.conf").write_text(ACCESS, encoding="utf-8")
            connection.execute("SELECT pg_reload_conf()")
        yield server


def url_of(server: EmbeddedPostgres, user: str, database: str = "postgres") -> str:
    """The address of a database for a user."""
    return f"postgresql://{user}:{WRITTEN}@127.0.0.1:{server.port}/{database}"


def fill_the_disk(server: EmbeddedPostgres) -> None:
    """Let the file of a table in `crowded` be the device that is always full.

    Each system has its own way to make a small disk, and most of them need an administrator.
    """
    with psycopg.connect(server.psql_url, dbname="crowded", autocommit=True) as connection:
        connection.execute("SET ROLE owner; CREATE SCHEMA pinterest")
        connection.execute("CREATE TABLE pinterest.ad_accounts (id text PRIMARY KEY)")
        found = connection.execute("SELECT pg_relation_filepath('pinterest.ad_accounts')")
        ((path,),) = found.fetchall()
    file = server.data / path
    file.unlink()
    file.symlink_to("/dev/full")
