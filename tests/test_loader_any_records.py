"""Random sequences of records: our targets lose nothing of them, in any database.

PostgreSQL: the tables are those that the stock target leaves. It gets the records one by one,
because in a batch it fails on two spellings of one key. DuckDB: each key has its last record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk.singerlib.json import deserialize_json

from both_targets import new_database, schema, text
from duck import DuckDatabase
from last_records import last_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from both_targets import Database

KINDS: dict[str, Any] = {
    "text": "string",
    "whole": "integer",
    "number": "number",
    "truth": "boolean",
    "day": {"type": ["null", "string"], "format": "date"},
    "moment": {"type": ["null", "string"], "format": "date-time"},
    "clock": {"type": ["null", "string"], "format": "time"},
    "uuid": {"type": ["null", "string"], "format": "uuid"},
    "object": {"type": ["null", "object"], "properties": {}},
    "texts": {"type": ["null", "array"], "items": {"type": "string"}},
    "anything": {},
}
# As they stand in a message: few values, each in several spellings.
SPELLINGS: dict[str, Sequence[str]] = {
    "text": [
        '"a"',
        r'"\u0061"',
        '"b,c"',
        r'"\"\\"',
        '""',
        '"null"',
        '"é"',
        r'"\u00e9"',
        "7",
        "1.50",
    ],
    "whole": ["7", '"7"', '" 7 "', r'"\u0037"', "-0", "0", '"-0"', "9223372036854775807"],
    "number": [
        "1",
        "1.0",
        "1.50",
        "1.5e0",
        '"1.5"',
        r'"\u0031.5"',
        "-0.0",
        "0",
        '"NaN"',
        "100",
        "1E2",
    ],
    "truth": ["true", "false", "1", "0"],
    "day": ['"2026-11-24"', '"20261124"', '"2026-W48-2"', r'"\u0032026-11-24"', '"0001-01-01"'],
    "moment": [
        *('"2026-11-24T06:00:00Z"', '"2026-11-24T06:00:00+02:00"', '"2026-11-24 06:00:00.0000004"'),
        *('"2026-11-24T06:00:00.5Z"', '"20261124T060000.500"', '"2026-11-24"'),
    ],
    "clock": ['"06:00"', '"06:00:00"', '"06:00:00+01:00"', '"06:00:00.5"'],
    "uuid": [
        *('"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"', '"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"'),
        '"{a0eebc999c0b4ef8bb6d6bb9bd380a11}"',
    ],
    "object": ['{"a":1}', '{ "a" : 1 }', r'{"\u0061":1}', '{"a":1.0}', "{}"],
    "texts": ["[]", '["a"]', r'["\u0061", null]'],
    "anything": ['"a"', "7", "true", '{"a":[1]}'],
}
KEYS = ("text", "whole", "number", "truth", "day", "moment", "clock", "uuid")


@dataclass(frozen=True)
class Load:
    """The lines of one load, and how large its batches are."""

    lines: Sequence[str]
    batch_size: int


@st.composite
def loads(draw: st.DrawFn) -> list[Load]:
    """Loads into one table, with columns that may come later."""
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True))
    columns = list(keys)
    made = []
    for _ in range(draw(st.integers(1, 2))):
        lines = [_schema(columns, keys)]
        for _ in range(draw(st.integers(1, 9))):
            if draw(st.integers(0, 3)) == 0 and len(columns) < len(KINDS):
                others = [name for name in KINDS if name not in columns]
                columns.append(draw(st.sampled_from(others)))
                lines.append(_schema(columns, keys))
            lines.append(draw(records(columns, keys)))
        made.append(Load(lines, draw(st.integers(1, 6))))
    return made


@st.composite
def records(draw: st.DrawFn, columns: Sequence[str], keys: Sequence[str]) -> str:
    """A RECORD line: its key, and some of its other columns in any order."""
    others = [name for name in columns if name not in keys]
    named = draw(
        st.permutations([*keys, *draw(st.sets(st.sampled_from(others)) if others else st.just(()))])
    )
    fields = []
    for name in named:
        values = SPELLINGS[name] if name in keys else [*SPELLINGS[name], "null"]
        fields.append(f'"{name}": {draw(st.sampled_from(values))}')
    return f'{{"type": "RECORD", "stream": "ads", "record": {{{", ".join(fields)}}}}}\n'


def _schema(columns: Sequence[str], keys: Sequence[str]) -> str:
    return text([schema({name: KINDS[name] for name in columns}, keys)])


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    with new_database() as db:
        yield db


@settings(max_examples=15)
@given(loads())
def test_any_records_load_as_with_the_stock_target(db: Database, loads: list[Load]) -> None:
    for name in (db.schema, f"{db.schema}_stock"):
        db.execute("DROP SCHEMA IF EXISTS {} CASCADE", name)

    for load in loads:
        lines = "".join(load.lines)
        db.load_with_stock(lines, batch_size_rows=1)
        db.load(lines, batch_size_rows=load.batch_size)

    db.assert_same()


@settings(max_examples=25)
@given(loads())
def test_any_records_load_into_duckdb_as_the_last_record_of_each_key(loads: list[Load]) -> None:
    with TemporaryDirectory() as folder:
        db = DuckDatabase(Path(folder) / "warehouse.duckdb")
        for load in loads:
            db.load("".join(load.lines), batch_size_rows=load.batch_size)
        lines = "".join(line for load in loads for line in load.lines).splitlines()

        expected = last_records(map(deserialize_json, lines))

        assert expected["ads"].differences(db.rows()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_spelling_is_json(kind: str) -> None:
    assert [json.loads(each) for each in SPELLINGS[kind]]
