"""The loader alone with a PostgreSQL that it cannot use, or with an unusual address of one.

`test_wrong_setups.py` has the wrong set-ups of PostgreSQL through Meltano.
"""

from __future__ import annotations

import json
import logging
import os
import re
import string
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest
from meltano.core.logging.parsers import SingerSDKLogParser
from meltano.core.plugin.singer.base import _get_sdk_logging
from psycopg import sql
from sqlalchemy.engine import make_url

import forked_programs
from documents import text_of
from guarded_postgres import WRITTEN, guarded_postgres, url_of
from scripts.loader_messages import patterns
from tap_pinterest.config.database import plain_url
from target_postgres_fast import start
from target_postgres_fast.postgres import start as postgres_start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.embedded_postgres import EmbeddedPostgres

ONE_AD = (
    b'{"type":"SCHEMA","stream":"ads","key_properties":["id"],'
    b'"schema":{"properties":{"id":{"type":"string"}}}}\n'
    b'{"type":"RECORD","stream":"ads","record":{"id":"1"}}\n'
)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with guarded_postgres() as server:
        yield server


def test_a_fault_before_the_start_is_an_error_in_meltanos_log_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    logs = tmp_path / "logs.json"
    structured = {"()": "singer_sdk.logging.StructuredFormatter"}
    logs.write_text(json.dumps(_get_sdk_logging(level="INFO", formatter=structured)))

    monkeypatch.setenv("SINGER_SDK_LOG_CONFIG", str(logs))

    ended = run_target(tmp_path, b"")

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
    url = f" {url_of(server, 'owner').replace('postgresql', scheme, 1)}\n"
    ended = run_target(tmp_path, ONE_AD, sqlalchemy_url=url, default_target_schema="pinterest")

    assert ended.returncode == 0, ended.stderr
    assert "Loaded ads: " in ended.stderr
    assert not [line for line in ended.stderr.splitlines() if "WARN" in line or "ERROR" in line]
    assert WRITTEN not in ended.stderr


def test_host_port_and_user_are_checked_like_a_url(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    address = {"host": "127.0.0.1", "port": server.port, "user": "plain", "database": "postgres"}
    ended = run_target(tmp_path, b"", **address, password="wrong")

    assert ended.returncode == 1
    assert "password of user plain" in ended.stderr.splitlines()[-1]


def test_an_address_in_parts_needs_a_database_too(tmp_path: Path) -> None:
    ended = run_target(tmp_path, b"", host="127.0.0.1", user="plain", password="x")

    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "No database is named. Set sqlalchemy_url" in line


def test_a_tunnel_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    tunnel = {"enable": True, "host": "127.0.0.1", "username": "me", "private_key": "no key"}
    url = "postgresql://me:x@db.example.com:5432/x"

    ended = run_target(tmp_path, b"", sqlalchemy_url=url, ssh_tunnel=tunnel)

    assert ended.returncode == 1
    *_, line = ended.stderr.splitlines()
    assert "The SSH tunnel cannot be opened: Could not determine the key type" in line
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("sign", [*string.punctuation, "é", " "])
def test_the_first_check_reads_an_address_as_the_target_does(sign: str) -> None:
    written = f"postgresql://me:12{sign}34@db.example.com:5433/x?sslmode=require&options=-cx%3D1"
    encoded = written.replace(f"12{sign}", f"12{quote(sign, safe='')}")

    for url in (encoded, written) if sign != "@" else (encoded,):
        if "%34" in url:
            continue  # the letter 4
        options, address = postgres_start._options(url)
        theirs = make_url(url).translate_connect_args(username="user", database="dbname")
        assert {name: options[name] for name in theirs} == theirs
        assert options["password"] == f"12{sign}34"
        assert (options["sslmode"], options["options"]) == ("require", "-cx=1")
        assert address == ("db.example.com", 5433, "x", "me")


@pytest.mark.parametrize("rest", ["me:pass@word@host/x", "me:@pass@word@host/x"])
def test_a_password_with_an_at_sign_is_refused_and_not_shown(tmp_path: Path, rest: str) -> None:
    for more in ({}, {"ssl_enable": False}):
        ended = run_target(tmp_path, b"", sqlalchemy_url=f"postgresql://{rest}", **more)

        assert ended.returncode == 1
        assert "in user and password @ is written %40" in ended.stderr.splitlines()[-1]
        assert "word" not in ended.stderr.replace("password", "")


def test_a_misspelt_setting_is_refused_with_the_one_that_is_meant(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url = url_of(server, "owner")
    ended = run_target(tmp_path, b"", sqlalchemy_url=url, default_target_shema="pinterest")

    assert ended.returncode == 1
    *_, last = ended.stderr.splitlines()
    assert last.endswith(
        "default_target_shema: there is no such setting; did you mean default_target_schema?"
    )


def test_a_misspelt_variable_is_refused_and_those_of_others_are_left_alone(
    server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for others in ("STOCK_DEFAULT_TARGET_SCHEMA", "PORT_5432_TCP", "SERVICE_HOST", "LOGLEVEL"):
        monkeypatch.setenv(f"TARGET_POSTGRES_{others}", "info")
    settings = {"sqlalchemy_url": url_of(server, "owner"), "default_target_schema": "pinterest"}

    assert run_target(tmp_path, b"", **settings).returncode == 0

    monkeypatch.setenv("TARGET_POSTGRES_DEFAULT_SCHEMA", "shop")
    ended = run_target(tmp_path, b"", **settings)

    assert ended.returncode == 1
    *_, last = ended.stderr.splitlines()
    assert last.endswith(
        "TARGET_POSTGRES_DEFAULT_SCHEMA: there is no such setting;"
        " did you mean TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA?"
    )


def test_a_setting_that_nobody_reads_is_named(
    server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_POSTGRES_USE_COPY", "true")
    monkeypatch.setenv("TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA", "pinterest")
    monkeypatch.setenv("TARGET_POSTGRES_PORT", "tcp://10.0.0.1:5432")
    settings = {"sqlalchemy_url": url_of(server, "owner"), "default_target_schema": "pinterest"}

    ended = run_target(tmp_path, b"", **settings, parallel=True)

    assert ended.returncode == 0
    warnings = [
        line.partition("WARNING")[2] for line in ended.stderr.splitlines() if "WARN" in line
    ]
    assert [re.split(r"[| ]+", line)[2] for line in warnings] == [
        "parallel",
        "TARGET_POSTGRES_USE_COPY",
    ]
    assert all("has no effect: " in line for line in warnings)


def test_an_empty_schema_is_named_as_one_that_nobody_has_chosen(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    ended = run_target(
        tmp_path, b"", sqlalchemy_url=url_of(server, "owner"), default_target_schema=""
    )

    assert ended.returncode == 0
    (warning,) = (line for line in ended.stderr.splitlines() if "WARN" in line)
    assert "default_target_schema is empty, so the tables go to the schema that" in warning


def test_a_user_who_may_only_write_into_tables_that_are_there_loads_them(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    with psycopg.connect(server.psql_url, autocommit=True) as connection:
        connection.execute(
            "CREATE SCHEMA given; CREATE TABLE given.ads (id text PRIMARY KEY);"
            "GRANT USAGE ON SCHEMA given TO plain; GRANT ALL ON given.ads TO plain"
        )
    url = url_of(server, "plain")
    settings = {"default_target_schema": "given", "add_record_metadata": False}
    ended = run_target(tmp_path, ONE_AD, sqlalchemy_url=url, activate_version=False, **settings)

    assert ended.returncode == 0, ended.stderr


OTHERS = {
    "another type": ("TABLE {0}.ads (id text PRIMARY KEY, day bigint)", "Altering columns"),
    "another key": (
        "TABLE {0}.ads (id text PRIMARY KEY)",
        "A table has another key than its stream",
    ),
    "a column that must be filled": (
        "TABLE {0}.ads (id text, day text, note text NOT NULL, PRIMARY KEY (id, day))",
        'A record has no value for a column that must have one: null value in column "note"',
    ),
    "a view": ("VIEW {0}.ads AS SELECT 1 AS id", "ads is not a table"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_table_of_another_program_or_an_older_version_is_one_line_with_the_ways_out(
    server: EmbeddedPostgres, tmp_path: Path, name: str
) -> None:
    schema = f"has {name}"
    statement, reason = OTHERS[name]
    with psycopg.connect(server.psql_url, autocommit=True) as connection:
        create = f"CREATE SCHEMA {{0}}; CREATE {statement}"
        connection.execute(sql.SQL(create).format(sql.Identifier(schema)))
    text = {"type": "string"}
    head = {"type": "SCHEMA", "stream": "ads", "key_properties": ["id", "day"]}
    messages = [
        {**head, "schema": {"properties": {"id": text, "day": text}}},
        *({"type": "RECORD", "stream": "ads", "record": {"id": "1", "day": day}} for day in "ab"),
    ]
    lines = "\n".join(map(json.dumps, messages)).encode()
    settings = {"sqlalchemy_url": server.url, "default_target_schema": schema}
    ended = run_target(tmp_path, lines, **settings)

    *before, last = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert len(before) <= 2, before
    assert reason in last
    assert "set default_target_schema" in last
    assert "Failing row" not in last
    assert [each for each in patterns() if re.search(f"{each}$", last)], last


ENCODED = {
    "LATIN1": (1, "The database cannot store a text: ", "CREATE DATABASE name ENCODING 'UTF8'"),
    "SQL_ASCII": (0,),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_a_database_that_is_not_utf_8_loads_or_says_in_one_line_which_one_would(
    server: EmbeddedPostgres, tmp_path: Path, encoding: str
) -> None:
    with psycopg.connect(server.psql_url, autocommit=True) as connection:
        create = "CREATE DATABASE {} ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        names = sql.Identifier(f"in_{encoding}"), sql.Literal(encoding)
        connection.execute(sql.SQL(create).format(*names))
    url = f"{server.url.removesuffix('/postgres')}/in_{encoding}"
    name = "Été “à la plage” \U0001f3d6"
    text = {"type": "string", "description": name}
    messages = [
        {"type": "SCHEMA", "stream": "ads", "key_properties": ["id"]}
        | {"schema": {"properties": {"id": {"type": "string"}, "name": text}}},
        {"type": "RECORD", "stream": "ads", "record": {"id": "1", "name": name}},
    ]
    lines = "\n".join(map(json.dumps, messages)).encode()
    ended = run_target(tmp_path, lines, sqlalchemy_url=url, default_target_schema="pinterest")

    code, *texts = ENCODED[encoding]
    assert ended.returncode == code, ended.stderr
    assert len(ended.stderr.splitlines()) <= 5, ended.stderr
    assert all(str(each) in ended.stderr.splitlines()[-1] for each in texts), ended.stderr
    if not texts:
        with psycopg.connect(plain_url(url), client_encoding="UTF8") as connection:
            assert connection.execute("SELECT name FROM pinterest.ads").fetchall() == [(name,)]


def test_the_page_about_upgrading_quotes_what_the_loader_says_of_a_key_and_a_type() -> None:
    page = text_of("docs/upgrading.md")
    for text in ("A table has another key than its stream", "Altering columns is not supported."):
        assert f"`{text}`" in page
        assert [each for each in patterns() if re.escape(text) in each]


def run_target(folder: Path, messages: bytes, **config: Any) -> subprocess.CompletedProcess[str]:
    """Our target as a command, to its end."""
    file = folder / "config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    return subprocess.run(
        [forked_programs.folder() / "target-postgres-fast", "--config", str(file)],
        input=messages.decode(),
        capture_output=True,
        text=True,
        check=False,
    )
