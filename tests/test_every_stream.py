"""Every stream of every group, through the main job into PostgreSQL, on two successive days.

The stock target loads the messages of the same job, beside ours: the tables may not differ.
"""

from __future__ import annotations

import functools
import json
import shlex
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

import forked_programs
from both_targets import new_database
from loading import column_types, main_job, rows_by_table, same
from pinterest_sandbox import Sandbox, WorldSize
from scripts.processes import ROOT
from singer_run import EVERYTHING
from tap_pinterest.streams import STREAM_TYPES
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from loading import Row
    from tap_pinterest.streams.bases.stream import PinterestStream

DAY_1 = date(2026, 11, 20)
WORLD = WorldSize(accounts=2, empty_accounts=1, campaigns=2, ad_groups=3, ads=6, boards=2, pins=4)
STREAMS = sorted({*(each.name for each in STREAM_TYPES), "sync_log"})
OUR_LOADER = "    executable: target-postgres-fast\n"
TYPES = {
    "array": "ARRAY",
    "boolean": "boolean",
    "integer": "bigint",
    "number": "numeric",
    "object": "jsonb",
    "string": "text",
    "date": "date",
    "date-time": "timestamp without time zone",
}


@functools.cache
def tap() -> TapPinterest:
    return TapPinterest(
        config={"stream_groups": ["all"]}, validate_config=False, setup_mapper=False
    )


@functools.cache
def catalog() -> Mapping[str, Any]:
    """The entry of each stream."""
    return {entry["tap_stream_id"]: entry for entry in tap().catalog_dict["streams"]}


@dataclass(frozen=True)
class Loaded:
    """The tables in PostgreSQL after two days, and the messages of the tap on each day.

    Attributes:
        tables: The rows of each table.
        types: PostgreSQL's type of each column, by table and column.
        days: The records of each day, by stream.
        statuses: All that Pinterest has answered with.
        other_keys: Rows of each stream whose key SQL makes otherwise.
        ours: Columns, keys and rows of each table.
        stock: The same, as the stock target has made them of the same messages.
    """

    tables: Mapping[str, list[Row]]
    types: Mapping[tuple[str, str], str]
    days: tuple[Mapping[str, list[Row]], ...]
    statuses: set[int]
    other_keys: Mapping[str, int]
    ours: Mapping[str, Any]
    stock: Mapping[str, Any]

    def records(self, stream: str) -> dict[tuple[Any, ...], Row]:
        """The newest record of each key."""
        keys = catalog()[stream]["key_properties"]
        return {
            tuple(record[key] for key in keys): record
            for day in self.days
            for record in day.get(stream, ())
        }


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    folder = tmp_path_factory.mktemp("every_stream")
    with (
        new_database() as loads,
        Sandbox(
            seed=7,
            today=DAY_1,
            size=WORLD,
            access_tier="unlimited",
            report_seconds=(0.0, 0.0),
        ) as sandbox,
        psycopg.connect(
            loads.url.replace("+psycopg", ""), row_factory=dict_row, autocommit=True
        ) as db,
    ):
        messages = project_that_keeps_the_messages(folder)
        more = {**EVERYTHING, "usernames": sandbox.world.user.username}
        job = main_job(folder, sandbox, loads.url, loads.schema, **more)
        days = []
        for _ in range(2):
            job.run()
            days.append(messages.read_text(encoding="utf-8"))
            messages.unlink()
            sandbox.today += timedelta(days=1)
        # The last record of a key stays, as if each day were loaded alone.
        loads.load_with_stock("".join(days))
        yield Loaded(
            rows_by_table(db, loads.schema),
            column_types(db, loads.schema),
            tuple(map(records_by_stream, days)),
            {request.status for request in sandbox.requests},
            {stream: keys_that_sql_makes_otherwise(db, loads.schema, stream) for stream in STREAMS},
            loads.tables(),
            loads.tables(f"{loads.schema}_stock"),
        )


def project_that_keeps_the_messages(folder: Path) -> Path:
    """Our project, whose loader writes all that the tap tells it into a file too."""
    messages, loader = folder / "messages.jsonl", folder / "loader"
    target = shlex.quote(str(forked_programs.folder() / "target-postgres-fast"))
    loader.write_text(f'#!/bin/sh\ntee {shlex.quote(str(messages))} | {target} "$@"\n')
    loader.chmod(0o700)
    before, line, after = (ROOT / "meltano.yml").read_text("utf-8").partition(OUR_LOADER)
    assert line
    (folder / "meltano.yml").write_text(f"{before}    executable: {loader}\n{after}", "utf-8")
    return messages


def records_by_stream(written: str) -> Mapping[str, list[Row]]:
    records: dict[str, list[Row]] = {}
    for message in map(json.loads, written.splitlines()):
        if message["type"] == "RECORD":
            records.setdefault(message["stream"], []).append(message["record"])
    return records


def keys_that_sql_makes_otherwise(db: psycopg.Connection[Row], schema: str, stream: str) -> int:
    """How many rows have another `__sync_key` than the MD5 of their key fields' texts."""
    fields = cast("PinterestStream", tap().streams[stream]).hashed_fields
    texts = [sql.SQL("coalesce({}::text, '')").format(sql.Identifier(name)) for name in fields]
    query = sql.SQL("SELECT count(*) AS rows FROM {} WHERE __sync_key IS DISTINCT FROM md5({})")
    table = sql.Identifier(schema, stream)
    (found,) = db.execute(query.format(table, sql.SQL(" || ").join(texts))).fetchall()
    return int(found["rows"])


def test_pinterest_refused_no_request_as_wrong(loaded: Loaded) -> None:
    assert loaded.statuses <= {200, 201, 401, 403, 404, 409}


def test_every_stream_has_its_table_also_without_records(loaded: Loaded) -> None:
    assert set(loaded.tables) == set(catalog())


def test_every_stream_has_records(loaded: Loaded) -> None:
    assert [stream for stream in STREAMS if not loaded.tables[stream]] == []


@pytest.mark.parametrize("stream", sorted({*STREAMS} - {"sync_log"}))
def test_every_record_is_there_once_with_all_its_values(loaded: Loaded, stream: str) -> None:
    keys = catalog()[stream]["key_properties"]
    records = loaded.records(stream)
    rows = {tuple(_text(row[key]) for key in keys): row for row in loaded.tables[stream]}

    assert len(rows) == len(loaded.tables[stream]) == len(records)
    for key, record in records.items():
        row = rows[tuple(_text(value) for value in key)]
        different = {name for name, value in record.items() if not _same(row[name], value)}
        assert different == set()


@pytest.mark.parametrize("stream", STREAMS)
def test_no_key_comes_twice_in_a_run(loaded: Loaded, stream: str) -> None:
    for day in loaded.days:
        keys = [
            tuple(record[key] for key in catalog()[stream]["key_properties"])
            for record in day.get(stream, ())
        ]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("stream", STREAMS)
def test_a_table_is_that_of_the_stock_target(loaded: Loaded, stream: str) -> None:
    assert loaded.ours[stream] == loaded.stock[stream]


def test_the_stock_target_makes_no_other_table(loaded: Loaded) -> None:
    assert loaded.ours.keys() == loaded.stock.keys() == set(catalog())


@pytest.mark.parametrize("stream", STREAMS)
def test_sql_over_the_loaded_columns_makes_the_same_sync_keys(loaded: Loaded, stream: str) -> None:
    assert loaded.other_keys[stream] == 0


@pytest.mark.parametrize("stream", STREAMS)
def test_every_column_has_the_type_of_its_property(loaded: Loaded, stream: str) -> None:
    for name, schema in catalog()[stream]["schema"]["properties"].items():
        kinds = [kind for kind in schema["type"] if kind != "null"]
        if len(kinds) > 1:
            continue
        assert loaded.types[stream, name] == TYPES[schema.get("format", kinds[0])], name
        if name == "id" or name.endswith("_id"):
            assert loaded.types[stream, name] == "text"


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _same(stored: Any, written: Any) -> bool:
    if isinstance(written, (dict, list)):
        return bool(json.loads(json.dumps(stored, default=float)) == written)
    return same(stored, written)
