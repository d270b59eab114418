"""`target-postgres-fast` against the stock target: the same rows, sooner, and fewer writes."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import random
import signal
import subprocess
import sys
import textwrap
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from singer_sdk.exceptions import InvalidJSONSchema, InvalidRecord
from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.target_base import Target
from target_postgres.target import TargetPostgres

from both_targets import Database, listen, record, schema, state, text
from loader_cases import ADS, EVERY_KIND, REFUSED, VALUES, loading
from loading import database
from scripts.processes import command, running
from singer_pipes import lines
from target_postgres_fast import reader as reader_module
from target_postgres_fast import target as target_module
from target_postgres_fast.errors import UnusableError
from target_postgres_fast.postgres.connector import FastPostgresConnector
from target_postgres_fast.postgres.target import TargetPostgresFast
from target_postgres_fast.reader import LineReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, str]]:
    with database() as found:
        yield found


@pytest.fixture
def db(server: tuple[str, str]) -> Iterator[Database]:
    db = Database(*server)
    yield db
    db.close()


def states(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    "more", [{}, {"add_record_metadata": False}, {"batch_size_rows": 30}], ids=str
)
def test_values_of_every_kind_are_those_of_the_stock_target(
    db: Database, more: dict[str, Any]
) -> None:
    records = [
        record(id=f"{name} {at}", **{name: value})
        for name, values in VALUES.items()
        for at, value in enumerate((None, *values))
    ]
    messages = [schema(EVERY_KIND), record(id="first"), *records, record(id="last")]

    db.load_both(messages, **more)

    assert len(db.tables()["ads"][1]) == len(records) + 2


def test_escaped_and_unescaped_json_load_the_same(db: Database) -> None:
    lines = [
        r'{"type":"RECORD","stream":"ads","record":{"id":"1"}}',
        r'{"type":"RECORD","stream":"ads","record":{"id":"2","name":"\u00e9\ud83d\ude00\/\b\f"}}',
        r'{"record":{"name":"é","id":"3","more":[1,{"a":"}"}]},"stream":"ads","type":"RECORD"}',
        r' { "type" : "RECORD" , "stream":"ads", "record" : { "id" : "4" , "spend" : 1.50 } } ',
        r'{"type":"RECORD","stream":"ads","record":{"id":"5","spend":1E2,"clicks":-0}}',
        r'{"type":"RECORD","stream":"ads","record":{"id":"6","spend":NaN}}',
        r'{"type":"RECORD","stream":"ads","record":{"id":"7","spend":-Infinity}}',
        r'{"type":"RECORD","stream":"ads","record":{"id":"8","name":"a","name":"b"}}',
        r'{"type":"RECORD","stream":"ads","record":{"id":"9","clicks":"\u0031\u0032"}}',
        r'{"type":"RECORD","stream":"ads","record":{"id":"10","spend":"\u0031.5"}}',
    ]
    db.load_both(text([ADS]) + "\n".join(lines))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *REFUSED,
        ("text", "a\0b"),
        ("object", {"a": "\0"}),
        ("integer", [1, 2]),
        ("day", "yesterday"),
        ("moment", "10000-01-01T00:00:00"),
        ("hex", "xyz"),
    ],
    ids=str,
)
def test_the_loader_refuses_the_records_that_the_stock_target_refuses(
    db: Database, name: str, value: Any
) -> None:
    odd = record(**{"id": "1", name: value})
    messages = [schema(EVERY_KIND), record(id="0"), odd]
    settings = {"interpret_content_encoding": True}
    with pytest.raises(Exception) as stock:  # noqa: PT011 - which one it is, the other shows
        db.load_with_stock(messages, **settings)

    with pytest.raises(Exception) as ours:  # noqa: PT011 - see above
        db.load(messages, **settings)

    if "psycopg" not in str(ours.type):
        raised = ours.value.__cause__ if ours.type is InvalidRecord else ours.value
        assert type(raised) in {stock.type, stock.value.__cause__.__class__}
    assert db.tables()["ads"][1] == []


def test_a_number_is_exact_as_with_the_inserts_of_the_stock_target(db: Database) -> None:
    numbers = (
        "1",
        "1.50",
        "1e2",
        "0.1000000000000000055511151231257827",
        "1" * 400,
        "1E-30",
        "-0.0",
    )
    line = '{{"type":"RECORD","stream":"ads","record":{{"id":"{}","spend":{}}}}}'
    written = text([ADS]) + "\n".join(line.format(*each) for each in enumerate(numbers))
    for load in (db.load, db.load_with_stock):
        load(written, use_copy=False)

    ours, stock = (
        db.execute("SELECT id, spend::text FROM {}.ads ORDER BY id", name)
        for name in (db.schema, f"{db.schema}_stock")
    )
    assert ours == stock


def test_a_record_without_its_key_is_refused(db: Database) -> None:
    with pytest.raises(Exception, match="missing one or more key_properties"):
        db.load([ADS, record(id="1"), record(name="nameless")])


def test_the_last_record_of_a_key_wins(db: Database) -> None:
    rows = [record(id=str(at % 3), clicks=at) for at in range(10)]
    db.load_both([ADS, *rows])

    assert {row[2] for row in db.tables()["ads"][1]} == {"7", "8", "9"}


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        (
            {"type": "string", "format": "date-time"},
            ("2026-11-24T06:00:00Z", "2026-11-24T06:00:00+02:00", "2026-11-24 06:00:00.0000009"),
        ),
        ("object", ({"a": 1, "b": 2.0}, {"b": 2.0, "a": 1})),
    ],
    ids=str,
)
def test_the_last_record_of_a_time_or_an_object_wins_however_it_is_written(
    db: Database, kind: Any, spellings: tuple[Any, ...]
) -> None:
    keyed = schema({"id": kind, "clicks": "integer"})
    orders = [[*spellings, spellings[at]] for at in range(len(spellings))]
    for at, order in enumerate(orders):
        rows = [record(id=key, clicks=100 * at + clicks) for clicks, key in enumerate(order)]

        db.load([keyed, *rows])

        query = "SELECT clicks FROM {}.ads"
        assert db.execute(query, db.schema) == [(100 * at + len(order) - 1,)]


def test_a_key_that_goes_back_to_its_old_values_in_one_batch_keeps_them(db: Database) -> None:
    dated = schema({"id": EVERY_KIND["day"], "clicks": "integer"})
    old = record(id="2026-11-24", clicks=1)
    db.load([dated, old])

    db.load([dated, record(id="20261124", clicks=2), old])

    assert db.execute("SELECT clicks FROM {}.ads", db.schema) == [(1,)]


def test_numbers_that_are_written_differently_are_one_key(db: Database) -> None:
    numbered = schema(
        {"id": "number", "day": EVERY_KIND["day"], "clicks": "integer"}, ["id", "day"]
    )
    days = ("2026-11-24", "20261124")
    rows = [record(id=number, day=day, clicks=1) for number in (1, 1.0, 10, 1e1) for day in days]

    db.load_both([numbered, record(id=3, day=days[0]), *rows])

    assert len(db.tables()["ads"][1]) == 3


def test_numbers_that_differ_in_their_last_digit_are_two_keys(db: Database) -> None:
    numbered = schema({"id": "number", "clicks": "integer"})
    rows = [record(id=10**40 + number, clicks=number) for number in (0, 1, 2, 1)]

    db.load([numbered, *rows])

    assert len(db.tables()["ads"][1]) == 3


@pytest.mark.parametrize("place", ["stream", "column"])
def test_a_name_that_postgresql_would_cut_off_is_refused_with_its_length(
    db: Database, place: str
) -> None:
    name = "ü" * 32
    message = {**ADS, "stream": name} if place == "stream" else schema({"id": "string", name: {}})

    with pytest.raises(UnusableError, match=f"The name {name} has 64 bytes.* only 63 of a name"):
        db.load([message])

    db.load([schema({"id": "string", name[1:]: {}})])


def test_a_key_that_its_schema_lacks_is_refused_with_its_stream(db: Database) -> None:
    with pytest.raises(InvalidJSONSchema, match="The schema of ads lacks its key day"):
        db.load([{**ADS, "key_properties": ["id", "day"]}])


@pytest.mark.parametrize("there", ["money", "inet", "macaddr", "bit(3)", "tstzrange"])
def test_a_column_of_a_type_that_fits_no_stream_is_refused_by_name(
    db: Database, there: str
) -> None:
    db.execute("CREATE SCHEMA {}", db.schema)
    db.execute(f"CREATE TABLE {{}}.ads (id text PRIMARY KEY, spend {there})", db.schema)
    ads = schema({"id": "string", "spend": "number"})

    with pytest.raises(NotImplementedError) as refused:
        db.load([ads, record(id="1", spend=1.5)], add_record_metadata=False)

    line = TargetPostgresFast.database_fault(refused.value)
    assert line is not None
    assert f"the column spend is {there}, and values of numeric are to come" in line
    assert "set default_target_schema" in line


@pytest.mark.parametrize(
    ("kind", "there", "value"),
    [
        (EVERY_KIND["moment"], "date", "2026-11-24T06:00:00Z"),
        (EVERY_KIND["moment"], "time without time zone", "2026-11-24T06:00:00Z"),
        (EVERY_KIND["moment"], "timestamp(0) without time zone", "2026-11-24T06:00:00.5Z"),
        ("number", "numeric(10,2)", 1.125),
        ("number", "real", 123456789.5),
        ("number", "double precision", 1.5),
        ("integer", "interval", 7),
    ],
    ids=str,
)
def test_a_column_that_may_round_its_values_is_named(
    db: Database, caplog: pytest.LogCaptureFixture, kind: Any, there: str, value: Any
) -> None:
    db.execute("CREATE SCHEMA {}", db.schema)
    db.execute(f"CREATE TABLE {{}}.ads (id varchar(9) PRIMARY KEY, odd {there})", db.schema)

    db.load([schema({"id": "string", "odd": kind}), record(id="1", odd=value)])

    (said,) = [each for each in caplog.messages if "round them" in each]
    assert said.startswith(f"In the table ads, the column odd is {there}, and values of ")
    assert "column id" not in said


def test_two_streams_with_one_table_are_named(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    streams = ("north-ads", "south-ads")
    messages = [
        message
        for stream in streams
        for message in ({**ADS, "stream": stream}, record(stream, id=stream))
    ]

    db.load([*messages, *messages])

    (said,) = [each for each in caplog.messages if "one table" in each]
    assert "The streams north-ads and south-ads load into one table, ads" in said
    assert [row[0] for row in db.tables()["ads"][1]] == [*streams]


@pytest.mark.parametrize("made", ["_sdc_table_version", "_sdc_sequence", "_sdc_extracted_at"])
def test_a_key_may_have_columns_that_the_target_makes(
    db: Database, caplog: pytest.LogCaptureFixture, made: str
) -> None:
    caplog.set_level(logging.INFO)
    keyed = {**ADS, "key_properties": ["id", made]}
    rows = [{**record(id=str(at % 2), clicks=at), "version": at % 4} for at in range(9)]

    for _ in range(2):
        # Records of one millisecond could have one key.
        db.load_both([keyed, *rows[: 9 if made == "_sdc_table_version" else 2]])

    arrived = 9 if made == "_sdc_table_version" else 2
    counts = summaries(caplog)
    assert [each["arrived"] for each in counts] == [arrived, arrived]
    assert counts[0]["new"] == len(db.tables()["ads"][1]) - counts[1]["new"]


def summaries(caplog: pytest.LogCaptureFixture) -> list[dict[str, int]]:
    """The counts of ads in each load."""
    begin = "Load summary: "
    lines = [each.removeprefix(begin) for each in caplog.messages if each.startswith(begin)]
    return [json.loads(each)["tables"]["ads"] for each in lines]


def test_a_pooler_finds_no_prepared_statement(db: Database) -> None:
    connector = FastPostgresConnector(db.config())
    seen: list[Any] = []
    for _ in range(10):
        with connector.transaction() as cursor:
            seen += cursor.execute("SELECT name FROM pg_prepared_statements").fetchall()
    connector._engine.dispose()

    assert seen == []


def test_a_table_is_made_and_changed_over_one_connection(db: Database) -> None:
    role = f"{db.schema}_single"
    wider = schema({**ADS["schema"]["properties"], "pins": "integer"})
    ((name,),) = db.execute("SELECT current_database()")
    db.execute("CREATE ROLE {} LOGIN PASSWORD 'x' CONNECTION LIMIT 1", role)
    try:
        db.execute("GRANT CREATE ON DATABASE {} TO {}", name, role)
        url = f"postgresql://{role}:x@{db.url.partition('@')[2]}"
        db.load([ADS, wider, record(id="1", pins=2)], sqlalchemy_url=url)

        assert db.execute("SELECT pins FROM {}.ads", db.schema) == [(2,)]
    finally:
        db.execute("DROP OWNED BY {}; DROP ROLE {}", role, role)


def test_a_column_may_have_any_name(db: Database) -> None:
    name = 'a "quoted" \\ %s name'
    rows = [record(**{"id": str(at), name: at}) for at in range(3)]

    for _ in range(2):
        db.load([schema({"id": "string", name: "integer"}), *rows])

    assert [row[1] for row in db.tables()["ads"][1]] == ["0", "1", "2"]


def test_a_second_load_of_the_same_rows_writes_none(db: Database) -> None:
    rows = [record(id=str(at), name="a", clicks=at, spend=at / 7) for at in range(100)]
    db.load([ADS, *rows])
    before = versions(db)

    db.load([ADS, *rows])

    assert versions(db) == before
    changed = record(id="5", name="b", clicks=5, spend=5 / 7)
    db.load([ADS, *rows[:5], changed, *rows[6:]])
    after = versions(db)
    assert {key for key in after if after[key] != before[key]} == {"5"}


def versions(db: Database) -> dict[str, tuple[str, str, str]]:
    """Of each row, where it is and which transactions have made and locked it."""
    rows = db.execute("SELECT id, ctid::text, xmin::text, xmax::text FROM {}.ads", db.schema)
    return {key: tuple(version) for key, *version in rows}


def test_any_difference_is_written(db: Database) -> None:
    differences: list[tuple[str, Any, Any]] = [
        ("number", 1.5, 1.25),
        ("text", "a", None),
        ("text", "a", "A"),
        ("text", "a", "a "),
        ("text", None, ""),
        ("object", None, {}),
        ("object", {"a": 1}, {"a": 1.0}),
        ("texts", ["a"], ["a", None]),
        ("truth", None, False),
        ("moment", "2026-11-24T06:00:00Z", "2026-11-24T06:00:00.000001Z"),
    ]
    for turn in (1, 2):
        rows = [record(id=str(at), **{case[0]: case[turn]}) for at, case in enumerate(differences)]
        db.load_both([schema(EVERY_KIND), record(id="first"), *rows])


def test_any_text_comes_through_however_its_json_is_written(db: Database) -> None:
    draw = random.Random(7)  # noqa: S311 - the same texts each time
    letters = [
        *map(chr, range(1, 256)),
        *'\\",\n\r' * 20,
        "\u2028",
        "\ud7ff",
        "\uffff",
        "😀",
        "{",
        "}",
    ]
    texts = ["".join(draw.choices(letters, k=draw.randrange(12))) for _ in range(2000)]
    written = [ADS, record(id="first")]
    for at, each in enumerate(texts):
        written.append(record(id=str(at), name=each))
    escaped, plain = text(written), lines(written).decode()

    for messages in (plain, escaped):
        db.load(messages)
        query = "SELECT id, name FROM {}.ads WHERE id <> 'first' ORDER BY id::int"
        assert [name for _, name in db.execute(query, db.schema)] == texts


def test_fields_that_a_record_leaves_out_become_null(db: Database) -> None:
    db.load_both([ADS, record(id="1", name="a", clicks=1)])
    db.load_both([ADS, record(id="0"), record(id="1", clicks=1)])


def test_a_table_without_a_key_only_grows(db: Database) -> None:
    keyless = schema({"id": "string", "clicks": "integer"}, [])
    rows = [record(id="1", clicks=1)] * 3
    for _ in range(2):
        db.load_both([keyless, *rows], batch_size_rows=2)
    assert len(db.tables()["ads"][1]) == 6


def test_a_column_that_comes_in_mid_stream_is_added(db: Database) -> None:
    wider = schema({**ADS["schema"]["properties"], "pins": "integer", "day": EVERY_KIND["day"]})
    db.load_both(
        [
            ADS,
            record(id="1", clicks=1),
            record(id="2"),
            wider,
            record(id="1", pins=4),
            record(id="3"),
        ]
    )


@pytest.mark.parametrize("stream", ["ads", "public.ads", "50 % of ads"])
@pytest.mark.parametrize("named", [True, False], ids=["schema", "no schema"])
def test_a_column_of_any_name_is_added_to_the_table_of_its_stream(
    db: Database, stream: str, *, named: bool
) -> None:
    settings: dict[str, Any] = {} if named else {"default_target_schema": ""}
    place = db.schema if named else "public"
    name = "50%s of a.b"
    narrow, wide = (
        schema(each, stream=stream) for each in ({"id": "string"}, {"id": "string", name: {}})
    )
    try:
        for clicks in ("1", "2"):
            rows = [record(stream, id="1"), record(stream, **{"id": "2", name: clicks})]
            db.load([narrow, rows[0], wide, rows[1]], **settings)

        query = "SELECT id, {} FROM {}.{} ORDER BY id"
        assert db.execute(query, name, place, stream) == [("1", None), ("2", "2")]
    finally:
        db.execute("DROP TABLE IF EXISTS {}.{}", place, stream)


def test_a_column_whose_type_changes_is_refused_as_the_stock_target_does(db: Database) -> None:
    changed = schema({**ADS["schema"]["properties"], "clicks": "string"})
    for load in (db.load, db.load_with_stock):
        with pytest.raises(NotImplementedError, match="Altering columns"):
            load([ADS, record(id="1"), changed, record(id="2")])


@pytest.mark.parametrize("index", ["", ", UNIQUE (id, clicks)"])
@pytest.mark.parametrize("size", [2, 100])
def test_a_table_without_a_unique_index_on_its_key_gets_the_same_rows(
    db: Database, index: str, size: int
) -> None:
    columns = f"id text, name text, clicks bigint, spend numeric{index}"
    for name in (db.schema, f"{db.schema}_stock"):
        db.execute("CREATE SCHEMA {}", name)
        db.execute(f"CREATE TABLE {{}}.ads ({columns})", name)
    rows = [record(id=str(at % 3), clicks=at) for at in range(10)]
    for _ in range(2):
        db.load_both([ADS, *rows], batch_size_rows=size)


def test_a_wider_column_of_a_table_that_is_there_keeps_its_type(db: Database) -> None:
    table = """
        CREATE TABLE {}.ads (
            id varchar PRIMARY KEY, name varchar, clicks bigint, spend numeric, ours int DEFAULT 5
        )
    """
    for name in (db.schema, f"{db.schema}_stock"):
        db.execute("CREATE SCHEMA {}", name)
        db.execute(table, name)
    db.load_both([ADS, record(id="1", name="a"), record(id="2", name="b", spend=1.5)])


@pytest.mark.parametrize(
    "settings",
    [
        {"validate_records": True},
        {"use_copy": False},
        {"flattening_enabled": True, "flattening_max_depth": 2},
        {"stream_maps": {"ads": {"name": "name.upper() if name else None", "length": "1"}}},
        {"stream_maps": {"ads": {"__alias__": "adverts"}}},
        {"stream_maps": {"*": {"__filter__": "clicks > 1"}}},
        {"sanitize_null_text_characters": True},
        {"interpret_content_encoding": True},
    ],
    ids=str,
)
def test_settings_work_as_in_the_stock_target(db: Database, settings: dict[str, Any]) -> None:
    sanitized = settings.get("sanitize_null_text_characters")
    wide = schema(
        {
            **ADS["schema"]["properties"],
            "more": {"type": ["null", "object"], "properties": {"deep": {"type": "string"}}},
            "list": EVERY_KIND["texts"],
            "hex": EVERY_KIND["hex"],
        }
    )
    rows = [
        record(
            id=str(at),
            name="a\0b" if sanitized else "ab",
            clicks=at,
            more={"deep": "x\0" if sanitized else "x"},
            list=["a\0"] if sanitized else ["a"],
            hex="00ff",
        )
        for at in range(5)
    ]
    db.load_both([wide, *rows], **settings)


def test_a_nul_is_replaced_at_any_depth_if_the_setting_says_so(db: Database) -> None:
    deep = {"a": [{"b\0": "x\0"}, ["\0"]]}
    rows = [record(id=str(at), object=deep, objects=[deep]) for at in range(2)]

    db.load([schema(EVERY_KIND), *rows], sanitize_null_text_characters=True)

    found = db.execute("SELECT object, objects FROM {}.ads", db.schema)
    replaced = json.loads(json.dumps(deep).replace("\\u0000", "\\ufffd"))
    assert found == [(replaced, [replaced])] * 2


def test_a_url_of_another_driver_is_one_of_the_same_database(db: Database) -> None:
    db.load([ADS, record(id="1")], sqlalchemy_url=db.url.replace("+psycopg", ""))

    assert len(db.tables()["ads"][1]) == 1


@pytest.mark.parametrize("hard_delete", [False, True])
def test_rows_of_older_versions_are_deleted(db: Database, *, hard_delete: bool) -> None:
    settings = {"activate_version": True, "hard_delete": hard_delete}

    def version(number: int, *ids: str) -> list[dict[str, Any]]:
        rows = [{**record(id=each, clicks=1), "version": number} for each in ids]
        activate = {"type": "ACTIVATE_VERSION", "stream": "ads", "version": number}
        return [ADS, *rows, activate]

    for messages in (version(1, "a", "b", "c"), version(2, "a", "c"), version(3, "a", "b")):
        for load in (db.load_with_stock, db.load):
            load(messages, **settings)
        assert alive(db, db.schema) == alive(db, f"{db.schema}_stock")
    assert alive(db, db.schema) == [("a", "3", True), ("b", "3", True)] + (
        [] if hard_delete else [("c", "2", False)]
    )


def test_the_time_of_a_deletion_is_in_utc_in_any_time_zone(db: Database) -> None:
    url = f"{db.url}?options=-ctimezone%3DAmerica/New_York"
    activate = {"type": "ACTIVATE_VERSION", "stream": "ads", "version": 2}
    db.load([ADS, record(id="1"), activate], sqlalchemy_url=url, activate_version=True)

    query = "SELECT now() AT TIME ZONE 'UTC' - _sdc_deleted_at < interval '1 hour' FROM {}.ads"
    assert db.execute(query, db.schema) == [(True,)]


def alive(db: Database, name: str) -> list[tuple[str, str, bool]]:
    query = "SELECT id, _sdc_table_version::text, _sdc_deleted_at IS NULL FROM {}.ads ORDER BY id"
    return db.execute(query, name)


def test_a_record_says_when_it_was_deleted(db: Database) -> None:
    rows = [record(id="0"), record(id="1", _sdc_deleted_at="2026-11-24T06:00:00Z")]
    db.load_both([ADS, *rows])
    db.load_both([ADS, record(id="0"), record(id="1")])


def test_times_of_the_load_are_there_and_stay_those_of_the_last_change(db: Database) -> None:
    columns = ("_sdc_extracted_at", "_sdc_received_at", "_sdc_batched_at")
    numbers = ("_sdc_sequence", "_sdc_sync_started_at")
    query = f"SELECT {', '.join((*columns, *numbers))} FROM {{}}.ads ORDER BY id"  # noqa: S608
    db.load([ADS, record(id="1", name="a"), record(id="2")])
    loaded = db.execute(query, db.schema)
    for extracted, received, batched, sequence, started in loaded:
        assert extracted.isoformat() == "2026-11-24T06:00:00.123456"
        assert 0 <= (received - batched).total_seconds() < 60
        assert started <= sequence

    db.load([ADS, record(id="1", name="b"), record(id="2")])

    (first, second), (changed, unchanged) = loaded, db.execute(query, db.schema)
    assert unchanged == second
    assert changed[1] > first[1]


def test_a_state_comes_after_each_commit_and_never_before_its_records(
    db: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = schema({"id": "string"}, stream="pins")
    messages = [ADS, others, state(at=0)]
    for at in range(10):
        messages += [record(id=str(at)), record("pins", id=str(at)), state(at=at + 1)]
    seen: list[tuple[int, int]] = []

    def write(target: Target, value: dict[str, Any]) -> None:
        for table in ("ads", "pins"):
            ((rows,),) = db.execute("SELECT count(*) FROM {}.{}", db.schema, table)
            seen.append((value["at"], rows))
        emit(target, value)

    emit = Target._write_state_message
    monkeypatch.setattr(Target, "_write_state_message", write)

    db.load(messages, batch_size_rows=4)

    assert len(seen) == 10
    assert all(rows >= at for at, rows in seen)
    assert states(capsys) == [{"at": at} for at in (0, 3, 6, 7, 10)]


def test_a_record_that_has_waited_is_committed_with_the_next_message(
    db: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_module, "COMMIT_SECONDS", 0)
    # Fewer bytes than a message.
    monkeypatch.setattr(reader_module, "CHUNK", 30)

    db.load([ADS, record(id="1"), state(at=1), record(id="2"), state(at=2)])

    assert states(capsys) == [{"at": 1}, {"at": 2}]


def test_a_line_that_is_no_message_ends_the_load_behind_the_last_commit(
    db: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [ADS, record(id="1"), record(id="2"), state(at=2), record(id="3"), state(at=3)]
    with pytest.raises(Exception, match="Unable to parse"):
        db.load(text(good) + '{"type": "RECO\n' + text([state(at=4)]), batch_size_rows=2)

    rows = len(db.tables()["ads"][1])
    assert all(value["at"] <= rows for value in states(capsys))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"type":"RECORD","stream":"ads","record":{"id":"3","name":%s}}', "nested"),
        ('{"type":"RECORD","stream":"ads","record":{"id":"3","name":"x","more":%s}}', "nested"),
        ('{"type":"RECORD","stream":"ads","record":{"id":"3"},"more":%s}', "nested"),
        ('{"type":"STATE","value":%s}', "nested"),
        ('{"type":"SCHEMA","stream":"pins","key_properties":[],"schema":%s}', "nested"),
        ('{"type":"RECO', "Unable to parse"),
        ('{"type":"RECORD","stream":"ads","record":{"id":"\udcff"}}', "UTF-8"),
        ("[1, 2]", "object"),
        ('{"type":"RECORD","stream":"ads","record":[1]}', "got `array` - at `$.record`"),
        ('{"type":"RECORD","record":{"id":"3"}}', "it names no stream"),
        ('{"type":"RECORD","stream":"ads"}', "missing required field `record`"),
        ('{"type":"SCHEMA","stream":"ads","schema":null}', "got `null` - at `$.schema`"),
        ('{"type":"SCHEMA","stream":"ads","schema":{}}', "required field `properties`"),
        ('{"type":"SCHEMA","stream":"ads","schema":{"properties":null}}', "`$.schema.properties`"),
        ('{"type":"SCHEMA","stream":"ads","schema":{"properties":{"id":null}}}', "got `null`"),
        (
            '{"type":"SCHEMA","stream":"ads","key_properties":"id","schema":{"properties":{}}}',
            "got `str` - at `$.key_properties`",
        ),
        ('{"type":"ACTIVATE_VERSION","stream":"ads","version":null}', "at `$.version`"),
        ('{"type":"ACTIVATE_VERSION","stream":"ads"}', "missing required field `version`"),
        ('{"type":"BATCH","stream":"ads","encoding":null,"manifest":[]}', "at `$.encoding`"),
        ('{"type":"BATCH","stream":"ads","encoding":{"format":"jsonl"}}', "field `manifest`"),
        ('{"type":"UPSERT","stream":"ads"}', "a message of the type UPSERT is unknown"),
        ('{"type":"STATE","value":1e99999999999999999999}', "Unable to parse"),
        ('{"type":"RECORD","stream":"ads","record":{"id":1e99999999999999999999}}', "Unable"),
        ('{"type":"RECORD","stream":"ads","record":{"id":"3","any":%d}}', "digits"),
        ("", "Unable to parse"),
    ],
    ids=str,
)
def test_a_line_that_cannot_be_read_is_refused_by_its_number(
    db: Database, line: str, reason: str
) -> None:
    broken = line.replace("%s", '{"properties":' * 100_000 + "{}" + "}" * 100_000)
    broken = broken.replace("%d", "1" * 5000)
    anything = schema({**ADS["schema"]["properties"], "any": {}})
    good = text([anything, record(id="1"), record(id="2")])
    lines = f"{good}{broken}\n".encode(errors="surrogateescape")

    target = TargetPostgresFast(config=db.config())
    with pytest.raises(InvalidInputLine, match="line 4 of the input") as refused:
        target.listen(io.TextIOWrapper(io.BytesIO(lines)))

    target.writer.close()
    target.target_connector._engine.dispose()
    assert reason in str(refused.value)
    assert len(str(refused.value)) < 500


def test_after_a_batch_that_fails_no_later_one_is_written_and_no_state(
    db: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    messages = [ADS, record(id="1"), state(at=1), record(id="2", clicks="x"), state(at=2)]
    more = [each for at in range(3, 9) for each in (record(id=str(at)), state(at=at))]

    with pytest.raises(psycopg.Error, match="bigint"):
        db.load([*messages, *more], batch_size_rows=1)

    assert [row[0] for row in db.tables()["ads"][1]] == ["1"]
    assert states(capsys) == [{"at": 1}]


def test_a_start_does_not_import_rarely_used_modules(db: Database, tmp_path: Path) -> None:
    program = """
        import sys
        from target_postgres_fast import lean
        with lean.imports():
            import target_postgres_fast.postgres.target
            from singer_sdk.helpers._batch import UPath
            from target_postgres.connector import paramiko
        assert not {"joblib", "numpy", "paramiko", "upath", "jsonpath_ng"} & {*sys.modules}
        assert UPath("/a/b").name == "b"
        assert issubclass(paramiko.RSAKey, paramiko.PKey)
        import joblib, jsonpath_ng.ext
        assert joblib.Parallel(n_jobs=1)(joblib.delayed(abs)(each) for each in (-1, 2)) == [1, 2]
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
    file = tmp_path / "records"
    file.write_text('{"id": "1"}\n', encoding="utf-8")
    batch = {"type": "BATCH", "stream": "ads", "encoding": {"format": "jsonl"}}
    with loading(db, tmp_path) as process:
        process.communicate(text([ADS, {**batch, "manifest": [file.as_uri()]}]))

    assert process.returncode == 0
    assert len(db.tables()["ads"][1]) == 1


def test_two_processes_that_start_at_once_on_missing_tables_and_load_equal_keys(
    db: Database, tmp_path: Path
) -> None:
    streams = [f"stream_{number}" for number in range(6)]
    schemas = [schema({"id": "string", "name": "string"}, stream=stream) for stream in streams]
    batches = [
        [record(stream, id=str(at), name=name) for at in range(200)]
        for name in ("a", "b")
        for stream in streams
    ]
    config = tmp_path / "config.json"
    config.write_text(json.dumps(db.config(batch_size_rows=200, add_record_metadata=False)))
    arguments = (command("target-postgres-fast"), "--config", str(config))
    pipe = subprocess.PIPE
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                running(*arguments, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
            )
            for _ in range(2)
        ]

        def tell(*texts: str) -> None:
            for process, messages in zip(processes, texts, strict=True):
                assert process.stdin is not None
                process.stdin.write(messages)
                process.stdin.flush()

        tell(*[text([state(at="start")])] * 2)
        for process in processes:
            # Both are there, and wait for what comes.
            assert process.stdout is not None
            assert process.stdout.readline()
        tell(*[text(schemas)] * 2)
        for batch in batches:
            tell(text(batch), text(reversed(batch)))
        codes = [process.communicate() and process.returncode for process in processes]

    assert codes == [0, 0]
    assert {name: rows for name, (_, rows) in db.tables().items()} == {
        stream: [(str(at), "b") for at in sorted(map(str, range(200)))] for stream in streams
    }


def test_the_settings_are_those_of_the_stock_target() -> None:
    ours, stock = (cls._get_about_info() for cls in (TargetPostgresFast, TargetPostgres))

    assert (ours.settings, ours.capabilities) == (stock.settings, stock.capabilities)
    assert ours.env_var_prefix == stock.env_var_prefix


def test_records_of_batch_files_are_loaded_too(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "records.gz"
    with gzip.open(file, "wt", encoding="utf-8") as written:
        written.writelines(json.dumps({"id": str(at % 5), "clicks": at}) + "\n" for at in range(9))
    batch = {
        "type": "BATCH",
        "stream": "ads",
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "manifest": [file.as_uri()],
    }

    db.load_both([ADS, batch, record(id="1", name="later")])


@pytest.mark.parametrize("metadata", [True, False])
def test_each_field_that_the_schema_lacks_is_logged_once(
    db: Database, caplog: pytest.LogCaptureFixture, *, metadata: bool
) -> None:
    others: list[dict[str, Any]] = [
        {"early": 1},
        {},
        {"late": None, "name": "a"},
        {"late": 1},
        {"late": 2, "early": 2, 'a "quoted" one': 1},
        {"late": 3, "_sdc_deleted_at": None},
    ]
    rows = [record(id=str(at), **each) for at, each in enumerate(others)]
    db.load_both([ADS, *rows], add_record_metadata=metadata)

    for name in ("early", "late", 'a "quoted" one'):
        said = f"No schema for record field '{name}'"
        assert caplog.text.count(said) == 2, name  # one of each target


def test_a_signal_during_a_commit_ends_a_wait_for_a_silent_tap() -> None:
    source, sink = os.pipe()
    reader = LineReader()
    reader.idle_seconds = 0
    committed: list[None] = []

    def commit() -> None:
        assert not committed, "it waits on"
        committed.append(None)
        reader.stop()

    reader.after_lines = commit
    with os.fdopen(source) as file:
        read = reader.process_lines(file, {})
    os.close(sink)

    assert read.total() == 0
    assert not reader.is_complete


def test_the_reader_commits_while_it_waits_for_input() -> None:
    source, sink = os.pipe()
    os.write(sink, b'{"type": "STATE", "value"')
    reader = LineReader()
    reader.idle_seconds = 0

    def finish() -> None:
        reader.after_lines = lambda: None
        os.write(sink, b": 5}\n")
        os.close(sink)

    reader.after_lines = finish
    read: list[dict[str, Any]] = []
    with os.fdopen(source) as file:
        reader.process_lines(file, {"STATE": read.append})

    assert read == [{"type": "STATE", "value": 5}]


@pytest.mark.parametrize(
    ("how", "begun"),
    [(signal.SIGTERM, ""), (signal.SIGINT, '{"type": "STATE", "value": {"at')],
    ids=["SIGTERM between lines", "SIGINT in a line"],
)
def test_a_signal_before_the_end_of_the_input_is_the_exit_code(
    db: Database, tmp_path: Path, how: signal.Signals, begun: str
) -> None:
    with loading(db, tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(text([state(at=0)]))
        process.stdin.flush()
        assert process.stdout.readline()
        process.stdin.write(text([ADS, record(id="1"), state(at=1)]) + begun)
        process.stdin.flush()
        process.send_signal(how)
        assert process.wait() == 128 + how
        process.stdin.close()


def test_a_second_signal_ends_a_load_that_waits_for_a_lock(db: Database, tmp_path: Path) -> None:
    db.load([ADS, record(id="1")])
    locks = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{}.ads'::regclass"
    with (
        psycopg.connect(db.url.replace("+psycopg", "")) as other,
        loading(db, tmp_path, batch_size_rows=1) as process,
    ):
        assert process.stdin is not None
        # What a SCHEMA asks of the table goes on beside this lock; what a batch asks waits.
        other.execute(f"LOCK TABLE {db.schema}.ads IN SHARE MODE")
        process.stdin.write(text([ADS, record(id="2"), record(id="3")]))
        process.stdin.flush()
        while db.execute(locks, db.schema) == [(0,)]:
            pass
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.send_signal(signal.SIGTERM)

        assert process.wait() == 128 + signal.SIGTERM
        process.stdin.close()


def test_a_signal_after_the_end_of_the_input_changes_nothing(db: Database) -> None:
    target = TargetPostgresFast(config=db.config())

    def drained() -> None:
        signal.raise_signal(signal.SIGTERM)
        TargetPostgresFast.process_endofpipe(target)

    target.process_endofpipe = drained  # type: ignore[method-assign]
    listen(target, [ADS, record(id="1")])

    assert len(db.tables()["ads"][1]) == 1


def test_the_server_and_the_loader_soon_notice_that_the_other_machine_is_gone(
    server: tuple[str, str],
) -> None:
    url, _ = server
    connector = FastPostgresConnector({"sqlalchemy_url": url})

    with connector.transaction() as cursor:
        shown = cursor.execute("SHOW tcp_keepalives_idle").fetchone()
        ours = cursor.connection.info.get_parameters()["keepalives_idle"]
    connector._engine.dispose()

    # On a Unix socket there is nothing to notice.
    assert shown in {("60",), ("0",)}
    assert ours == "60"


def test_a_connection_that_ends_while_the_tap_is_silent_does_no_harm(
    db: Database, tmp_path: Path
) -> None:
    """As after a time limit for idle sessions, or a restart of the server."""
    with loading(db, tmp_path, batch_size_rows=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for at in (1, 2):
            process.stdin.write(text([ADS, record(id=str(at)), state(at=at)]))
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"at": at}
            assert db.execute(TERMINATE)
        process.stdin.close()
        assert process.wait() == 0

    assert [row[0] for row in db.tables()["ads"][1]] == ["1", "2"]


def test_a_connection_that_ends_in_a_batch_leaves_the_state_before_it(
    db: Database, tmp_path: Path
) -> None:
    with loading(db, tmp_path, batch_size_rows=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(text([ADS, record(id="1"), state(at=1)]))
        process.stdin.flush()
        written = [process.stdout.readline()]
        with psycopg.connect(db.url.replace("+psycopg", "")) as other:
            table = sql.Identifier(db.schema, "ads")
            other.execute(sql.SQL("LOCK TABLE {}").format(table))
            process.stdin.write(text([record(id="2"), state(at=2)]))
            process.stdin.flush()
            while not db.execute(f"{TERMINATE} AND wait_event_type = 'Lock'"):
                assert process.poll() is None
        process.stdin.close()
        written += process.stdout
        assert process.wait() == 1

    assert [json.loads(line) for line in written] == [{"at": 1}]
    assert [row[0] for row in db.tables()["ads"][1]] == ["1"]


TERMINATE = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND backend_type = 'client backend'
"""


@pytest.mark.parametrize(
    "setting",
    [
        *("standard_conforming_strings=off", "datestyle=German", "datestyle=SQL, DMY"),
        *("timezone=Asia/Kathmandu", "intervalstyle=sql_standard", "array_nulls=off"),
        *("extra_float_digits=-15", "bytea_output=escape", "search_path=", "row_security=off"),
        *("default_transaction_isolation=serializable", "quote_all_identifiers=on"),
        *("client_encoding=LATIN1", "transform_null_equals=on", "escape_string_warning=on"),
    ],
)
def test_no_setting_of_a_role_changes_what_is_loaded(db: Database, setting: str) -> None:
    records = [
        record(id=f"{name} {at}", **{name: value})
        for name, values in VALUES.items()
        for at, value in enumerate((None, *values))
    ]
    messages = [schema(EVERY_KIND), *records]
    role = f"{db.schema}_set"
    ((name,),) = db.execute("SELECT current_database()")
    db.execute("CREATE ROLE {} LOGIN PASSWORD 'x'", role)
    try:
        db.execute("GRANT CREATE ON DATABASE {} TO {}", name, role)
        guc, _, value = setting.partition("=")
        db.execute(f"ALTER ROLE {{}} SET {guc} = '{value}'", role)
        url = f"postgresql://{role}:x@{db.url.partition('@')[2]}"
        db.load(messages, default_target_schema=f"{db.schema}_stock")
        db.load(messages, sqlalchemy_url=url)
        db.load(messages, sqlalchemy_url=url)

        db.assert_same()
    finally:
        db.execute("DROP OWNED BY {}; DROP ROLE {}", role, role)
