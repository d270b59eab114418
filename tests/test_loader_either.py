"""Our loader behaves in the same way in either database."""

from __future__ import annotations

import gzip
import json
import logging
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import RecordsWithoutSchemaException

import forked_programs
from both_targets import Database, record, schema, state, text
from duck import DuckDatabase
from loader_cases import ADS, EVERY_KIND, loading, summary
from loading import database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Either = Database | DuckDatabase


@pytest.fixture(scope="module")
def postgres() -> Iterator[tuple[str, str]]:
    with database() as found:
        yield found


@pytest.fixture(params=["postgresql", "duckdb"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Either]:
    if request.param == "duckdb":
        yield DuckDatabase(tmp_path / "warehouse.duckdb")
        return
    db = Database(*request.getfixturevalue("postgres"))
    yield db
    db.close()


def test_a_second_load_of_the_same_rows_writes_none(
    db: Either, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = [
        record(id=str(at), text="a", number=at / 7, object={"b": [1.10], "a": at}, texts=["é"])
        for at in range(100)
    ]
    db.load([schema(EVERY_KIND), *rows])
    before = db.rows()
    caplog.clear()

    # Neither another first record nor other spaces in the JSON make a difference.
    db.load([schema(EVERY_KIND), *reversed(rows)])

    assert db.rows() == before
    assert summary(caplog)["ads"] == {
        **dict.fromkeys(("arrived", "unchanged"), 100),
        **dict.fromkeys(("new", "changed", "repeated"), 0),
    }


def test_new_changed_unchanged_and_repeated_rows_are_counted(
    db: Either, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = [record(id=str(at), name="a", clicks=at) for at in range(10)]
    db.load([ADS, *rows], batch_size_rows=4)
    before = {row["id"]: row["_sdc_batched_at"] for row in db.rows()}
    caplog.clear()
    changed = [record(id="3", clicks=7), record(id="4", clicks=None), record(id="10", clicks=1)]

    db.load([ADS, *rows[:3], *changed, *rows[5:], record(id="10", clicks=1)])

    counts = {"arrived": 12, "new": 1, "changed": 2, "unchanged": 8, "repeated": 1}
    assert summary(caplog) == {"ads": counts}
    assert "Loaded ads: 1 new, 2 changed, 8 unchanged, 1 repeated" in caplog.messages
    assert "Loaded 1 tables: 1 new, 2 changed, 8 unchanged, 1 repeated" in caplog.messages
    after = {row["id"]: row["_sdc_batched_at"] for row in db.rows()}
    assert {key for key in after if after[key] != before.get(key)} == {"3", "4", "10"}


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        ("string", ("é", "e")),
        ("integer", (7, "7", " 7 ", "+7", "007")),
        ("number", (0, -0.0, "0.00", "-0", "0e5")),
        ("boolean", (True, 1)),
        (EVERY_KIND["day"], ("2026-11-24", "20261124", "2026-W48-2")),
        (EVERY_KIND["clock"], ("06:00", "06:00:00")),
        (
            EVERY_KIND["uuid"],
            ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}"),
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 100])
def test_the_last_record_of_a_key_wins_however_the_key_is_written(
    db: Either, kind: Any, spellings: tuple[Any, ...], size: int
) -> None:
    keyed = schema({"id": kind, "clicks": "integer"})
    orders = [[*spellings, spellings[at]] for at in range(len(spellings))]
    for at, order in enumerate(orders):
        rows = [record(id=key, clicks=100 * at + clicks) for clicks, key in enumerate(order)]

        db.load([keyed, *rows], batch_size_rows=size)

        assert db.differences([keyed, *rows]) == []


def test_rows_are_counted_by_their_keys_in_a_table_with_repeated_keys(
    db: Either, caplog: pytest.LogCaptureFixture
) -> None:
    """As somebody else made the table: with no key, and a row twice."""
    caplog.set_level(logging.INFO)
    db.load([{**ADS, "key_properties": []}, *[record(id=each, clicks=1) for each in "aab"]])
    caplog.clear()

    db.load([ADS, record(id="a", clicks=2), record(id="b", clicks=1), record(id="c")])

    counts = {"arrived": 3, "new": 1, "changed": 1, "unchanged": 1, "repeated": 0}
    assert summary(caplog) == {"ads": counts}
    assert sorted(str(row["clicks"]) for row in db.rows()) == ["1", "2", "2", "None"]


@pytest.mark.parametrize("at", [0, 1])
def test_a_text_that_is_no_date_ends_the_load_in_one_line_with_its_column(
    db: Either, tmp_path: Path, at: int
) -> None:
    rows = [record(id="1"), record(id="2")]
    rows.insert(at, record(id="0", day="yesterday"))
    keyed = schema({"id": "string", "day": EVERY_KIND["day"]})

    line = only_line(db, tmp_path, [keyed, *rows])

    assert "day" in line
    assert "yesterday" in line


def test_a_batch_file_that_is_missing_is_named_in_one_line(db: Either, tmp_path: Path) -> None:
    file = tmp_path / "none.jsonl"
    batch = {"encoding": {"format": "jsonl"}, "manifest": [file.as_uri()]}

    line = only_line(db, tmp_path, [ADS, {"type": "BATCH", "stream": "ads", **batch}])

    assert f"No such file or directory: '{file}'" in line


@pytest.mark.parametrize("name", ["a\0b", "\ud800", ""], ids=ascii)
@pytest.mark.parametrize("place", ["stream", "column"])
def test_a_name_that_no_database_can_store_is_one_line(
    db: Either, tmp_path: Path, name: str, place: str
) -> None:
    odd = {**ADS, "stream": name} if place == "stream" else schema({"id": "string", name: {}})

    line = only_line(db, tmp_path, [odd])

    assert line.endswith(f"No table and no column can have the name {name!a}.")


@pytest.mark.parametrize("described", [{"anyOf": [None]}, {"type": [["string"]]}], ids=str)
def test_a_schema_of_another_form_is_one_line_with_its_column(
    db: Either, tmp_path: Path, described: dict[str, Any]
) -> None:
    line = only_line(db, tmp_path, [schema({"id": "string", "odd": described})])

    assert "The schema of ads.odd cannot be read: " in line


@pytest.mark.parametrize(
    ("content", "encoding", "said"),
    [
        (b"{}", {"compression": "gzip"}, "Not a gzipped file"),
        (gzip.compress(b"{}" * 99)[:-9], {"compression": "gzip"}, "Compressed file ended"),
        (b'{"id": ', {}, "A BATCH file of ads cannot be read: Expecting value"),
        (b'"\xff"', {}, "A BATCH file of ads cannot be read: "),
        (b"[1]", {}, "A BATCH file of ads cannot be read: "),
        (b"", {"format": "avro"}, "Unsupported batch encoding format: avro"),
    ],
    ids=["no gzip", "half a file", "half a record", "no UTF-8", "no object", "format"],
)
def test_a_batch_file_that_cannot_be_read_is_one_line(
    db: Either, tmp_path: Path, content: bytes, encoding: dict[str, str], said: str
) -> None:
    file = tmp_path / "records"
    file.write_bytes(content)
    batch = {"encoding": {"format": "jsonl", **encoding}, "manifest": [file.as_uri()]}

    line = only_line(db, tmp_path, [ADS, {"type": "BATCH", "stream": "ads", **batch}])

    assert said in line
    assert "Altering columns" not in line


def only_line(db: Either, folder: Path, messages: list[dict[str, Any]]) -> str:
    """The line of a command that ends with code 1."""
    config = folder / "config.json"
    config.write_text(json.dumps(db.config()))
    ended = subprocess.run(
        [forked_programs.folder() / db.command, "--config", str(config)],
        input=text(messages),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    (line,) = [each for each in ended.stderr.splitlines() if " INFO " not in each]
    return line


def test_a_table_without_a_key_only_grows(db: Either) -> None:
    rows = [record(id="1", clicks=1)] * 3
    for _ in range(2):
        db.load([schema({"id": "string", "clicks": "integer"}, []), *rows], batch_size_rows=2)

    assert len(db.rows()) == 6


def test_a_table_of_nothing_but_its_key_is_loaded_too(db: Either) -> None:
    for _ in range(2):
        db.load([schema({"id": "string"}), record(id="1"), record(id="2")])

    assert [row["id"] for row in db.rows()] == ["1", "2"]


def test_a_column_that_comes_in_mid_stream_is_added(db: Either) -> None:
    wider = schema({**ADS["schema"]["properties"], "pins": "integer", "day": EVERY_KIND["day"]})
    messages = [
        *(ADS, record(id="1", clicks=1), record(id="2")),
        *(wider, record(id="1", pins=4), record(id="3")),
    ]
    db.load(messages, batch_size_rows=1)

    assert db.differences(messages) == []


@pytest.mark.parametrize("kind", ["RECORD", "ACTIVATE_VERSION", "BATCH"])
def test_a_message_before_the_schema_of_its_stream_is_refused_with_the_stream(
    db: Either, kind: str
) -> None:
    message = {
        **record("pins"),
        "type": kind,
        "version": 1,
        "encoding": {"format": "jsonl"},
        "manifest": [],
    }

    with pytest.raises(RecordsWithoutSchemaException, match="stream 'pins'"):
        db.load([ADS, message])


@pytest.mark.parametrize("hard_delete", [False, True])
def test_rows_of_older_versions_are_deleted(db: Either, *, hard_delete: bool) -> None:
    def version(number: int, *ids: str) -> list[dict[str, Any]]:
        rows = [{**record(id=each, clicks=1), "version": number} for each in ids]
        return [ADS, *rows, {"type": "ACTIVATE_VERSION", "stream": "ads", "version": number}]

    for messages in (version(1, "a", "b", "c"), version(2, "a", "c"), version(3, "a", "b")):
        db.load(messages, activate_version=True, hard_delete=hard_delete)

    found = {row["id"]: (row["_sdc_table_version"], row["_sdc_deleted_at"]) for row in db.rows()}
    assert {key: (number, at is None) for key, (number, at) in found.items()} == {
        "a": (3, True),
        "b": (3, True),
        **({} if hard_delete else {"c": (2, False)}),
    }


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_an_end_in_the_middle_leaves_no_state_ahead_of_the_rows(
    db: Either, tmp_path: Path, how: signal.Signals
) -> None:
    with loading(db, tmp_path, batch_size_rows=10) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(text([ADS]))
        for at in range(1, 26):
            process.stdin.write(text([record(id=str(at)), state(at=at)]))
            process.stdin.flush()
        first = process.stdout.readline()

        process.send_signal(how)
        written = [first, *process.stdout]
        code = process.wait()
        process.stdin.close()

    assert code == (128 + how if how is signal.SIGTERM else -how)
    rows = len(db.rows())
    last = json.loads(written[-1])["at"]
    assert 9 <= last <= rows
    if how is signal.SIGTERM:
        # What had come in was committed, with the state that it had come to.
        assert rows - last <= 1
