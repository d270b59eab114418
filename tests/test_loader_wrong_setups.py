"""Wrong set-ups of PostgreSQL, as a new user has them: one line each, and no traceback."""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest
from meltano.core.logging.parsers import SingerSDKLogParser
from meltano.core.plugin.singer.base import _get_sdk_logging
from psycopg import sql

from documents import text_of
from loading import lines_of_failing, main_job
from scripts.embedded_postgres import EmbeddedPostgres
from scripts.loader_messages import DATABASE, HOST, OWN_WORDS, PORT, SCHEMA, USER, by_time
from scripts.processes import command
from target_postgres_fast import start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pinterest_sandbox import Sandbox

PAGE = text_of("docs/postgresql.md")
PASSWORD = "pass@word/%"

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
ACCESS = """
host all postgres,plain,reader,owner 127.0.0.1/32 scram-sha-256
hostssl all outside 127.0.0.1/32 scram-sha-256
"""
FULL_DISK = """
    CREATE FUNCTION full_disk() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'could not extend file "base/5/16384": No space left on device'
              USING ERRCODE = 'disk_full';
    END $$;
    CREATE EVENT TRIGGER full_disk ON ddl_command_start WHEN TAG IN ('CREATE TABLE')
        EXECUTE FUNCTION full_disk();
"""


@dataclass(frozen=True)
class SetUp:
    """A set-up that is wrong, and what has to be said about it."""

    url: str
    says: str
    schema: str = "pinterest"


SET_UPS = {
    "no server": SetUp(
        "postgresql://plain:{password}@127.0.0.1:{closed}/postgres", "No PostgreSQL"
    ),
    "wrong password": SetUp("postgresql://plain:wrong@{host}/postgres", "password of user plain"),
    "no such database": SetUp("{plain}/pinterest", "no database pinterest"),
    "TLS demanded": SetUp("postgresql://outside:{password}@{host}/postgres", "demands TLS"),
    "no permission": SetUp("{plain}/postgres", "CREATE SCHEMA", "not_there"),
    "read-only": SetUp("postgresql://reader:{password}@{host}/postgres", "read-only"),
    "no address": SetUp("", "sqlalchemy_url"),
    "unknown host": SetUp("postgresql://plain:x@nowhere.invalid/postgres", "nowhere.invalid"),
    "no TLS there": SetUp("{plain}/postgres?sslmode=require", "demands TLS"),
    "another database": SetUp("mysql://plain:x@{host}/postgres", "loads into PostgreSQL"),
    "no URL": SetUp("host=127.0.0.1 user=plain password=topsecret", "is not the URL"),
    "a password with an @": SetUp("postgresql://plain:top@secret:x@{host}/postgres", "PostgreSQL"),
    "an unknown option": SetUp("{plain}/postgres?pgbouncer=true", "pgbouncer"),
    "a schema that is closed": SetUp("{plain}/postgres", "GRANT USAGE, CREATE", "closed"),
    "a schema to look at": SetUp("{plain}/postgres", "GRANT CREATE ON SCHEMA", "seen"),
}
THROUGH_MELTANO = ("no server", "wrong password", "no permission")
"""Meltano adds the same to all: one of each kind, since each takes seconds to start."""


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres() as server:
        with psycopg.connect(server.psql_url, autocommit=True) as connection:
            connection.execute(ROLES)
            (server._folder / "data" / "pg_hba.conf").write_text(ACCESS, encoding="utf-8")
            connection.execute("SELECT pg_reload_conf()")
        yield server


def url_of(set_up: SetUp, server: EmbeddedPostgres) -> str:
    password, host = quote(PASSWORD, safe=""), f"127.0.0.1:{server.port}"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return set_up.url.format(
            plain=f"postgresql://plain:{password}@{host}",
            password=password,
            host=host,
            closed=taken.getsockname()[1],
        )


@pytest.mark.parametrize("name", THROUGH_MELTANO)
def test_meltano_run_names_the_cause_in_one_line(
    sandbox: Sandbox, server: EmbeddedPostgres, tmp_path: Path, name: str
) -> None:
    set_up = SET_UPS[name]
    job = main_job(tmp_path, sandbox, url_of(set_up, server), set_up.schema)

    said = lines_of_failing(job, "tap-pinterest", "target-postgres")

    assert len([line for line in said if set_up.says in line]) == 1, said


def test_a_full_disk_is_one_line_and_the_tap_ends_quietly(
    sandbox: Sandbox, server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url = url_of(SetUp("postgresql://owner:{password}@{host}/postgres", ""), server)
    job = main_job(tmp_path, sandbox, url, "pinterest")
    with psycopg.connect(server.psql_url, autocommit=True) as connection:
        connection.execute(FULL_DISK)
        try:
            said = lines_of_failing(job, "target-postgres")
        finally:
            connection.execute("DROP EVENT TRIGGER full_disk; DROP FUNCTION full_disk()")

    assert len([line for line in said if "No space left" in line]) == 1, said
    assert not [line for line in said if re.search(r"\[(warning|error) *\] tap-", line)]


@pytest.mark.parametrize("name", SET_UPS)
def test_the_command_says_in_one_line_what_is_wrong(
    server: EmbeddedPostgres, tmp_path: Path, name: str
) -> None:
    set_up = SET_UPS[name]
    url = url_of(set_up, server)
    ended = run_target(tmp_path, b"", sqlalchemy_url=url, default_target_schema=set_up.schema)

    *before, last = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert set_up.says in last
    assert [each for each in documented() if re.search(f"{each}$", last)], last
    assert len(before) <= 3, before
    assert not re.search(f"{PASSWORD}|{quote(PASSWORD)}|topsecret|top@|secret:", ended.stderr)


def test_a_fault_before_the_start_is_an_error_in_meltanos_log_too(tmp_path: Path) -> None:
    logs = tmp_path / "logs.json"
    structured = {"()": "singer_sdk.logging.StructuredFormatter"}
    logs.write_text(json.dumps(_get_sdk_logging(level="INFO", formatter=structured)))

    ended = run_target(tmp_path, b"", environment={"SINGER_SDK_LOG_CONFIG": str(logs)})

    (line,) = ended.stderr.splitlines()
    record = SingerSDKLogParser().parse(line)
    assert record is not None
    assert record.level == logging.ERROR
    assert record.message.startswith("No database is named. Set sqlalchemy_url")


@pytest.mark.parametrize(
    ("written", "is_silent"),
    [(b"", True), (b"{", False)],
    ids=["a tap that failed before its first byte", "a tap that works"],
)
def test_an_error_of_the_database_waits_until_the_tap_has_begun(
    monkeypatch: pytest.MonkeyPatch, written: bytes, *, is_silent: bool
) -> None:
    ours, theirs = os.pipe()
    has_something = start._has_something

    def tap_comes_to_its_end(descriptor: int, seconds: float) -> bool:
        if not seconds:
            assert not has_something(descriptor, 0)
            os.write(theirs, written)
            os.close(theirs)
            return False
        return has_something(descriptor, seconds)

    monkeypatch.setattr(start, "_has_something", tap_comes_to_its_end)

    assert start._ends_without_a_byte(ours) is is_silent
    os.close(ours)


@pytest.mark.parametrize(
    "scheme",
    ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg"],
)
def test_any_name_of_a_driver_is_taken(
    server: EmbeddedPostgres, tmp_path: Path, scheme: str
) -> None:
    url = url_of(SetUp(f" {scheme}://owner:{{password}}@{{host}}/postgres\n", ""), server)
    ended = run_target(tmp_path, b"", sqlalchemy_url=url, default_target_schema="pinterest")

    assert ended.returncode == 0, ended.stderr


def test_settings_in_place_of_a_url_are_checked_too(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    address = {"host": "127.0.0.1", "port": server.port, "user": "plain", "database": "postgres"}
    ended = run_target(tmp_path, b"", **address, password="wrong")

    assert ended.returncode == 1
    assert "password of user plain" in ended.stderr.splitlines()[-1]


def test_a_user_who_may_only_write_into_tables_that_are_there_loads_them(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    with psycopg.connect(server.psql_url, autocommit=True) as connection:
        connection.execute(
            "CREATE SCHEMA given; CREATE TABLE given.ads (id text PRIMARY KEY);"
            "GRANT USAGE ON SCHEMA given TO plain; GRANT ALL ON given.ads TO plain"
        )
    url = url_of(SetUp("{plain}/postgres", ""), server)
    messages = (
        b'{"type":"SCHEMA","stream":"ads","key_properties":["id"],'
        b'"schema":{"properties":{"id":{"type":"string"}}}}\n'
        b'{"type":"RECORD","stream":"ads","record":{"id":"1"}}\n'
    )
    settings = {"default_target_schema": "given", "add_record_metadata": False}
    ended = run_target(tmp_path, messages, sqlalchemy_url=url, activate_version=False, **settings)

    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("key", "kind", "told"),
    [
        (["id"], "string", ["Altering columns is not supported."]),
        (
            ["id", "day"],
            "integer",
            ["has no unique index on", "duplicate key value violates unique constraint"],
        ),
    ],
    ids=["another type", "another key"],
)
def test_a_table_with_another_key_or_type_is_refused_as_the_page_about_upgrading_says(
    server: EmbeddedPostgres, tmp_path: Path, key: list[str], kind: str, told: list[str]
) -> None:
    schema = f"upgraded_{kind}"
    with psycopg.connect(server.psql_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL(
                "CREATE SCHEMA {0}; CREATE TABLE {0}.ads (id text PRIMARY KEY, day text, n bigint)"
            ).format(sql.Identifier(schema))
        )
    properties = {"id": {"type": "string"}, "day": {"type": "string"}, "n": {"type": kind}}
    records = [{"id": "1", "day": day, "n": "x" if kind == "string" else 1} for day in "ab"]
    messages = [
        {
            "type": "SCHEMA",
            "stream": "ads",
            "key_properties": key,
            "schema": {"properties": properties},
        },
        *({"type": "RECORD", "stream": "ads", "record": each} for each in records),
    ]
    lines = "\n".join(map(json.dumps, messages)).encode()
    settings = {"sqlalchemy_url": server.url, "default_target_schema": schema}
    ended = run_target(tmp_path, lines, **settings)

    assert ended.returncode == 1
    for text in told:
        assert text in ended.stderr
        assert f"`{text}`" in text_of("docs/upgrading.md")


def documented() -> Iterator[str]:
    """The messages that the page about PostgreSQL quotes, as patterns for any database."""
    varying = rf"{re.escape(HOST)}|{PORT}|{DATABASE}|{USER}|{SCHEMA}|mysql|{OWN_WORDS}"
    for message in itertools.chain(*by_time().values()):
        assert f"- `{message}`" in PAGE
        yield ".+".join(map(re.escape, re.split(varying, message)))


def run_target(
    folder: Path, messages: bytes, environment: Mapping[str, str] | None = None, **config: Any
) -> subprocess.CompletedProcess[str]:
    """Our target as a command, to its end."""
    file = folder / "config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    return subprocess.run(
        [command("target-postgres-fast"), "--config", str(file)],
        env={**os.environ, **(environment or {})},
        input=messages.decode(),
        capture_output=True,
        text=True,
        check=False,
    )
