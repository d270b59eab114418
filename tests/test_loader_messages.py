"""The texts of our target: comments on tables and columns, progress, counts, short errors."""

from __future__ import annotations

import io
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors
from singer_sdk.plugin_base import _ConfigInput

from both_targets import new_database, record, schema, text
from loader_cases import EVERY_KIND, summary
from singer_pipes import lines
from singer_run import run, settings
from target_postgres_fast.batch import Written
from target_postgres_fast.loaded import QUIET_SECONDS, Loaded
from target_postgres_fast.postgres.connector import FastPostgresConnector
from target_postgres_fast.postgres.faults import Address, connecting, loading
from target_postgres_fast.postgres.table import Table
from target_postgres_fast.postgres.target import TargetPostgresFast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from both_targets import Database
    from pinterest_sandbox import Sandbox

COMMENTS = """
    SELECT attname::text, col_description(attrelid, attnum)
      FROM pg_attribute WHERE attrelid = '{}.ads'::regclass AND attnum > 0 ORDER BY attnum
"""


@pytest.fixture
def db() -> Iterator[Database]:
    with new_database() as db:
        yield db


def described(table: str, **columns: str) -> dict[str, Any]:
    """A SCHEMA with descriptions."""
    kinds = {name: {"type": ["null", "string"], "description": columns[name]} for name in columns}
    made = schema({"id": "string", "plain": "string", **kinds})
    made["schema"]["description"] = table
    return made


def comments(db: Database) -> dict[str, str | None]:
    of_columns: dict[str, str | None] = dict(db.execute(COMMENTS, db.schema))
    ((of_table,),) = db.execute("SELECT obj_description('{}.ads'::regclass)", db.schema)
    return {"": of_table, **of_columns}


def test_descriptions_become_comments_on_the_table_and_its_columns(db: Database) -> None:
    odd = 'It\'s "50 %", {really}; a \\ and é\0\ud83d'
    db.load([described("Ads of an account.", name="Name of the ad.", odd=odd), record(id="1")])

    found = comments(db)
    assert found[""] == "Ads of an account."
    assert found["name"] == "Name of the ad."
    assert found["odd"] == re.sub("[\0\ud83d]", "\ufffd", odd)
    assert found["plain"] is None
    assert all(found[name] for name in found if name.startswith("_sdc_"))


def test_each_table_and_column_that_the_tap_fills_explains_itself(
    db: Database, sandbox: Sandbox
) -> None:
    db.load(lines(run(settings(sandbox, start_date="3 days ago")).messages).decode())

    without = db.execute(
        """
        SELECT relname::text, attname::text
          FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
         WHERE relnamespace = '{}'::regnamespace AND relkind = 'r' AND attnum > 0
           AND (col_description(attrelid, attnum) IS NULL
                OR obj_description(attrelid, 'pg_class') IS NULL)
        """,
        db.schema,
    )
    assert without == []
    assert "ad_analytics" in db.tables()


def test_only_comments_whose_text_has_changed_are_written(db: Database) -> None:
    query = "SELECT objsubid, xmin::text FROM pg_description WHERE objoid = '{}.ads'::regclass"
    db.load([described("Ads.", name="Name.", clicks="Clicks.")])
    db.execute("COMMENT ON COLUMN {}.ads.plain IS 'Mine.'", db.schema)
    before = set(db.execute(query, db.schema))

    db.load([described("Ads.", name="Name of the ad.", clicks="Clicks.")])

    assert len(set(db.execute(query, db.schema)) - before) == 1
    assert {"Name of the ad.", "Clicks.", "Mine."} < {*comments(db).values()}


def test_a_column_that_comes_in_mid_stream_gets_its_comment(db: Database) -> None:
    db.load([described("Ads."), record(id="1"), described("Ads.", late="Late."), record(id="2")])

    assert comments(db)["late"] == "Late."


def test_the_catalog_is_asked_once_for_each_schema_message(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Table] = []
    create = Table.__init__

    def created(table: Table, *args: Any) -> None:
        asked.append(table)
        create(table, *args)

    monkeypatch.setattr(Table, "__init__", created)

    db.load([described("Ads."), *[record(id=str(at)) for at in range(9)]], batch_size_rows=2)

    assert len(asked) == 1


def test_a_table_that_fits_is_not_asked_for_more_than_its_types(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"interpret_content_encoding": True}
    db.load([schema(EVERY_KIND), record(id="1")], **settings)

    def prepare(*_: object) -> None:
        pytest.fail("the stock check reads the catalog many times")

    monkeypatch.setattr(FastPostgresConnector, "prepare_table", prepare)
    db.load([schema(EVERY_KIND), record(id="2")], **settings)

    assert len(db.rows()) == 2


def test_comments_are_left_alone_by_a_user_who_is_not_the_owner(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    db.load([described("Ads."), record(id="1")])
    role = f"{db.schema}_other"
    db.execute("CREATE ROLE {} LOGIN SUPERUSER PASSWORD 'x'", role)
    try:
        db.execute("GRANT USAGE ON SCHEMA {} TO {}", db.schema, role)
        db.execute("GRANT ALL ON {}.ads TO {}", db.schema, role)
        db.execute("ALTER ROLE {} NOSUPERUSER", role)
        address = db.url.partition("@")[2]
        url = f"postgresql://{role}:x@{address}"
        db.load([described("Other."), record(id="2")], sqlalchemy_url=url)
    finally:
        db.execute("DROP OWNED BY {}; DROP ROLE {}", role, role)

    assert comments(db)[""] == "Ads."
    assert "only its owner" in caplog.text
    assert len(db.tables()["ads"][1]) == 2


def test_a_table_without_a_unique_index_is_counted_too(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    db.execute("CREATE SCHEMA {}", db.schema)
    db.execute("CREATE TABLE {}.ads (id text, clicks bigint)", db.schema)
    db.execute("INSERT INTO {}.ads VALUES ('1', 1), ('2', 2)", db.schema)
    ads = schema({"id": "string", "clicks": "integer"})
    rows = [record(id="1", clicks=1), record(id="2", clicks=3), record(id="3", clicks=3)]

    db.load([ads, *rows, rows[2]], add_record_metadata=False)

    counts = {"arrived": 4, "new": 1, "changed": 1, "unchanged": 1, "repeated": 1}
    assert summary(caplog) == {"ads": counts}


def test_a_partitioned_table_is_counted_too(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    db.execute("CREATE SCHEMA {}", db.schema)
    db.execute(
        "CREATE TABLE {}.ads (id text PRIMARY KEY, clicks bigint) PARTITION BY HASH (id)", db.schema
    )
    for at in range(2):
        part = f"CREATE TABLE {{}}.p{at} PARTITION OF {{}}.ads FOR VALUES WITH (MODULUS 2,"
        db.execute(f"{part} REMAINDER {at})", db.schema, db.schema)
    ads = schema({"id": "string", "clicks": "integer"})
    rows = [record(id=str(at), clicks=at) for at in range(9)]
    db.load([ads, *rows], add_record_metadata=False)
    caplog.clear()

    db.load([ads, *rows[:4], *[record(id=str(at), clicks=9) for at in range(4, 10)]])

    counts = {"arrived": 10, "new": 1, "changed": 5, "unchanged": 4, "repeated": 0}
    assert summary(caplog) == {"ads": counts}


@pytest.mark.parametrize("is_watched", [False, True], ids=["a log", "a terminal"])
def test_the_line_of_json_is_for_programs(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, *, is_watched: bool
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_watched)
    loaded = Loaded(logging.getLogger())
    loaded.of("ads").add(2, Written(new=2))

    loaded.tell_total()

    *people, last = caplog.messages
    assert last.startswith("Loaded 1 tables: 2 new" if is_watched else "Load summary: {")
    assert people[0].startswith("Loaded ads: 2 new")


def test_progress_is_logged_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    now = 0.0
    loaded = Loaded(logging.getLogger(), clock=lambda: now)
    for second in range(QUIET_SECONDS * 2 + 1):
        now = float(second)
        loaded.of("ads").add(1000, Written(new=900, unchanged=100))
        loaded.tell_progress("ads", 50)

    assert caplog.messages == [
        "Loading ads: 31,050 rows arrived, 27,900 new, 0 changed, 3,100 unchanged",
        "Loading ads: 61,050 rows arrived, 54,900 new, 0 changed, 6,100 unchanged",
    ]


def test_a_message_about_the_database_has_no_statement_in_it(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    columns = {f"column_{at}": "integer" for at in range(80)}
    messages = [schema({"id": "string", **columns}), record(id="1", column_5="x" * 5000)]
    config = db.config()

    with pytest.raises(SystemExit) as ended:
        run_command(config, text([*messages, messages[1]]))

    assert ended.value.code == 1
    (said,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    line = said.getMessage()
    assert "column_5" in line
    assert not {"INSERT", "COPY ", "column_6"} & set(line.replace("COPY ads", "").split())
    assert len(line) < 1500
    assert said.exc_info is None


NO_NUL = "PostgreSQL cannot store a NUL in a text: .* Set sanitize_null_text_characters to true"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("text", "a\0b", rf"{NO_NUL}.* goes on from there"),
        ("object", {"a": ["\0"]}, rf"{NO_NUL}.* goes on from there"),
        ("text", "\ud800", r"ads\.text: .* the value is '.ud800'.* ends in the same way until"),
        ("hex", "xyz", r"ads\.hex: Invalid hexadecimal string: .*xyz"),
        ("texts", [1, "a"], r"ads\.texts: .*mixed types.* the value is \[1, 'a'\]"),
        ("integer", "x", "COPY _sdc_batch_of_ads, line 2, column integer.* ends in the same way"),
        ("object", {"a": "\ud800"}, "column object.* ends in the same way until"),
        ("id", None, "A record has no value for a column that must have one: .*id"),
    ],
    ids=str,
)
def test_a_value_that_is_refused_is_one_line_with_its_stream_and_its_column(
    db: Database, name: str, value: Any, said: str
) -> None:
    settings = {"interpret_content_encoding": True}
    db.load([schema(EVERY_KIND), record(id="0")], **settings)
    odd = record(**{"id": "2", name: value})

    with pytest.raises(psycopg.Error) as refused:
        db.load([schema(EVERY_KIND), record(id="1"), odd], **settings)

    line = TargetPostgresFast.database_fault(refused.value)
    assert line is not None
    assert re.search(said, line), line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.QueryCanceled("statement timeout"), "SET statement_timeout = 0"),
        (errors.AdminShutdown("terminating connection"), "The connection to PostgreSQL was lost"),
        (errors.IdleInTransactionSessionTimeout("terminating"), "The connection to PostgreSQL was"),
        (errors.FeatureNotSupported("ON CONFLICT with a rule"), "ends in the same way until"),
        (errors.UndefinedColumn("column does not exist"), "the next run goes on from there"),
        (errors.UntranslatableCharacter("no equivalent in LATIN1"), "ENCODING 'UTF8'"),
        (errors.ProgramLimitExceeded("index row size 3000"), "ends in the same way until"),
        (errors.DeadlockDetected("deadlock detected"), "the next run goes on from there"),
    ],
    ids=str,
)
def test_an_error_of_the_database_says_whether_the_next_run_helps(
    error: psycopg.Error, said: str
) -> None:
    assert said in loading(error)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.QueryCanceled("statement timeout"), "SET statement_timeout = 0"),
        (errors.IdleSessionTimeout("idle-session timeout"), "The connection to PostgreSQL was"),
        (errors.TransactionTimeout("transaction timeout"), "The connection to PostgreSQL was"),
        (psycopg.OperationalError('role "me" is not permitted to log in'), "ALTER ROLE me LOGIN"),
        (psycopg.OperationalError("connection timeout expired"), "a firewall between here and"),
    ],
    ids=str,
)
def test_a_limit_of_a_user_is_no_server_that_does_not_answer(
    error: psycopg.Error, said: str
) -> None:
    line = str(connecting(error, Address("db.example.com", 5432, "x", "me")))

    assert said in line
    assert ("firewall" in line) == ("expired" in str(error))


def run_command(config: dict[str, Any], messages: str) -> None:
    """Our target as a command would run it, in this process."""
    TargetPostgresFast.invoke(config=_ConfigInput(config=config), file_input=io.StringIO(messages))
