"""Every stream of every group, through the main job into PostgreSQL, on two successive days."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from loading import column_types, database, main_job, rows_by_table, same
from pinterest_sandbox import Sandbox, WorldSize
from singer_run import EVERYTHING, run, settings
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from loading import Row
    from singer_run import Run
    from tap_pinterest.streams.bases.stream import PinterestStream

DAY_1 = date(2026, 11, 20)
WORLD = WorldSize(accounts=2, empty_accounts=1, campaigns=2, ad_groups=3, ads=6, boards=2, pins=4)
CATALOG: Mapping[str, Any] = {
    entry["tap_stream_id"]: entry
    for entry in TapPinterest(
        config={"stream_groups": ["all"]}, validate_config=False
    ).catalog_dict["streams"]
}
HASHED = {
    name: cast("PinterestStream", stream).hashed_fields
    for name, stream in TapPinterest(
        config={"stream_groups": ["all"]}, validate_config=False
    ).streams.items()
}
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


@dataclass(frozen=True)
class Loaded:
    """What PostgreSQL holds after two days, and what the tap wrote on each of them."""

    tables: Mapping[str, list[Row]]
    types: Mapping[tuple[str, str], str]
    days: tuple[Run, Run]
    statuses: set[int]
    other_keys: Mapping[str, int]

    def records(self, stream: str) -> dict[tuple[Any, ...], Row]:
        """The newest record of each key."""
        keys = CATALOG[stream]["key_properties"]
        return {
            tuple(record[key] for key in keys): record
            for day in self.days
            for record in day.records(stream)
        }


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    folder = tmp_path_factory.mktemp("every_stream")
    with (
        database() as (url, schema),
        Sandbox(
            seed=7,
            today=DAY_1,
            size=WORLD,
            access_tier="unlimited",
            report_seconds=(0.0, 0.0),
        ) as sandbox,
        psycopg.connect(url.replace("+psycopg", ""), row_factory=dict_row, autocommit=True) as db,
    ):
        job = main_job(folder, sandbox, url, schema, **EVERYTHING)
        config = settings(sandbox, **EVERYTHING)
        job.run()
        first = run(config)
        sandbox.today += timedelta(days=1)
        job.run()
        second = run(config, state=first.state)
        statuses = {request.status for request in sandbox.requests}
        yield Loaded(
            rows_by_table(db, schema),
            column_types(db, schema),
            (first, second),
            statuses,
            {stream: keys_that_sql_makes_otherwise(db, schema, stream) for stream in CATALOG},
        )


def keys_that_sql_makes_otherwise(db: psycopg.Connection[Row], schema: str, stream: str) -> int:
    """How many rows have another `__sync_key` than the MD5 of their key fields' texts."""
    texts = [
        sql.SQL("coalesce({}::text, '')").format(sql.Identifier(name)) for name in HASHED[stream]
    ]
    query = sql.SQL("SELECT count(*) AS rows FROM {} WHERE __sync_key IS DISTINCT FROM md5({})")
    table = sql.Identifier(schema, stream)
    (found,) = db.execute(query.format(table, sql.SQL(" || ").join(texts))).fetchall()
    return int(found["rows"])


def test_pinterest_refused_no_request_as_wrong(loaded: Loaded) -> None:
    assert loaded.statuses <= {200, 201, 401, 403, 404, 409}
    assert [day.code for day in loaded.days] == [0, 0]


def test_every_stream_has_its_table_also_without_records(loaded: Loaded) -> None:
    assert set(loaded.tables) == set(CATALOG)


def test_almost_every_stream_has_records(loaded: Loaded) -> None:
    empty = {stream for stream in CATALOG if not loaded.tables[stream]}

    assert len(empty) <= 3, empty


@pytest.mark.parametrize("stream", sorted({*CATALOG} - {"sync_log"}))
def test_every_record_is_there_once_with_all_its_values(loaded: Loaded, stream: str) -> None:
    keys = CATALOG[stream]["key_properties"]
    records = loaded.records(stream)
    rows = {tuple(_text(row[key]) for key in keys): row for row in loaded.tables[stream]}

    assert len(rows) == len(loaded.tables[stream]) == len(records)
    for key, record in records.items():
        row = rows[tuple(_text(value) for value in key)]
        different = {name for name, value in record.items() if not _same(row[name], value)}
        assert different == set()


@pytest.mark.parametrize("stream", sorted(CATALOG))
def test_no_key_comes_twice_in_a_run(loaded: Loaded, stream: str) -> None:
    for day in loaded.days:
        keys = [
            tuple(record[key] for key in CATALOG[stream]["key_properties"])
            for record in day.records(stream)
        ]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("stream", sorted(CATALOG))
def test_sql_over_the_loaded_columns_makes_the_same_sync_keys(loaded: Loaded, stream: str) -> None:
    assert loaded.other_keys[stream] == 0


@pytest.mark.parametrize("stream", sorted(CATALOG))
def test_every_column_has_the_type_of_its_property(loaded: Loaded, stream: str) -> None:
    for name, schema in CATALOG[stream]["schema"]["properties"].items():
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
