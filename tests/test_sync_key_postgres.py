"""`__sync_key` and Daasity's tables in PostgreSQL: what SQL computes from what was loaded."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from loading import database
from pinterest_sandbox import Sandbox, WorldSize
from singer_pipes import Loaded, lines, map_pinterest
from singer_run import run, settings
from tap_pinterest.layouts.daasity import SYNC_KEY_FIELDS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

DAY_1 = date(2026, 11, 20)
DAY_2 = DAY_1 + timedelta(days=1)
WORLD = WorldSize(accounts=3, empty_accounts=1, campaigns=2, ad_groups=3, ads=6, boards=2, pins=4)
ATTRIBUTION = {
    "click_window_days": 30,
    "engagement_window_days": 30,
    "view_window_days": 1,
    "conversion_report_time": "TIME_OF_AD_ACTION",
}


@dataclass(frozen=True)
class Loads:
    """Tables of one way to load, and what was written into them, day by day."""

    target: Loaded
    days: Sequence[Sequence[Mapping[str, Any]]]

    def written(self, table: str, day: int) -> list[Mapping[str, Any]]:
        return [
            message["record"]
            for message in self.days[day]
            if message["type"] == "RECORD" and message["stream"] == table
        ]

    def keys(self, table: str) -> list[str]:
        (keys,) = {
            tuple(message["key_properties"])
            for message in self.days[-1]
            if message["type"] == "SCHEMA" and message["stream"] == table
        }
        return list(keys)


@contextmanager
def two_days(folder: Path, **config: Any) -> Iterator[Loads]:
    """A fresh load, and the next day's into the same tables."""
    with database() as (url, schema), Sandbox(seed=7, today=DAY_1, size=WORLD) as sandbox:
        target = Loaded(url, schema)
        start = (DAY_1 - timedelta(days=7)).isoformat()
        full = settings(sandbox, start_date=start, **config)
        full["token_file"] = str(folder / "tokens.json")
        first = run(full)
        target.load(lines(first.messages))
        sandbox.today = DAY_2
        second = run(full, state=first.state)
        target.load(lines(second.messages))
        yield Loads(target, (first.messages, second.messages))


@pytest.fixture(scope="module")
def pinterest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loads]:
    with two_days(tmp_path_factory.mktemp("pinterest")) as loads:
        yield loads


@pytest.fixture(scope="module")
def daasity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loads]:
    with two_days(tmp_path_factory.mktemp("daasity"), layout="daasity") as loads:
        yield loads


def test_sql_computes_the_same_key_for_every_row(pinterest: Loads) -> None:
    tables = pinterest.target.tables()
    assert len(tables) >= 14
    for table in tables:
        fields = SYNC_KEY_FIELDS.get(table) or pinterest.keys(table)
        assert pinterest.target.unlike_sql(table, fields) == []
        assert pinterest.target.query("SELECT * FROM {} LIMIT 1", table)


def test_daasitys_tables_have_their_columns_in_order(daasity: Loads) -> None:
    assert daasity.target.tables() == {
        name: [*table.columns, "__sync_key"] for name, table in TABLES.items()
    }


@pytest.mark.parametrize("table", TABLES)
def test_sql_computes_the_same_keys_for_daasitys_tables(daasity: Loads, table: str) -> None:
    fields = TABLES[table].sync_key_fields or TABLES[table].key
    assert daasity.target.unlike_sql(table, fields) == []


@pytest.mark.parametrize("table", TABLES)
def test_daasitys_rows_are_there_once_each_after_the_second_day(daasity: Loads, table: str) -> None:
    key = TABLES[table].key
    for day in (0, 1):
        written = [tuple(record[name] for name in key) for record in daasity.written(table, day)]
        assert len(set(written)) == len(written) > 0
    ever = {
        tuple(record[name] for name in key)
        for day in (0, 1)
        for record in daasity.written(table, day)
    }
    rows = daasity.target.query("SELECT * FROM {}", table)
    assert len(rows) == len(ever)
    assert {tuple(str(row[name]) for name in key) for row in rows} == ever
    assert len({row["__sync_key"] for row in rows}) == len(rows)


def test_daasitys_metrics_of_the_account_grow_by_a_row_a_day(daasity: Loads) -> None:
    days = daasity.target.query("SELECT metric_date FROM {} ORDER BY 1", "account_metrics")
    assert [row["metric_date"] for row in days] == [DAY_1, DAY_2]


def test_daasitys_rows_are_as_many_as_the_entities(daasity: Loads, pinterest: Loads) -> None:
    def count(loads: Loads, table: str) -> int:
        (row,) = loads.target.query("SELECT count(*) AS n FROM {}", table)
        return int(row["n"])

    for table in ("ad_accounts", "ad_analytics", "ad_groups", "ads", "campaigns"):
        assert count(daasity, table) == count(pinterest, table)
    assert count(daasity, "account") == count(pinterest, "user_account")
    names = pinterest.target.query("SELECT DISTINCT name FROM {}", "delivery_metrics")
    assert count(daasity, "delivery_metrics") == len(names)


def test_the_mapper_process_makes_the_same_tables(
    daasity: Loads, pinterest: Loads, tmp_path: Path
) -> None:
    with database() as (url, schema):
        target = Loaded(url, schema)
        for messages in pinterest.days:
            done = map_pinterest(tmp_path, lines(messages), layout="daasity", **ATTRIBUTION)
            assert done.returncode == 0, done.stderr
            target.load(done.stdout)

        assert target.tables() == daasity.target.tables()
        for table in TABLES:
            query = "SELECT * FROM {} ORDER BY __sync_key"
            assert target.query(query, table) == daasity.target.query(query, table)


ANY_TAP = {
    "type": "SCHEMA",
    "stream": "anything",
    "schema": {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "number": {"type": ["integer", "null"]},
            "flag": {"type": ["boolean", "null"]},
            "day": {"type": ["string", "null"], "format": "date"},
            "text": {"type": ["string", "null"]},
        },
    },
    "key_properties": ["id"],
}
FIELDS = ["text", "number", "id", "flag", "day", "text"]
VALUES: Sequence[tuple[object, object, object, object]] = (
    (None, None, None, None),
    (0, False, "2026-02-28", ""),
    (-7, True, "1999-12-31", "été 🌲"),
    (9_007_199_254_740_993, None, "2026-11-20", "a|b\\'\"\n\t"),
    (1, True, None, "x" * 100_000),
    (12, None, None, "3"),
    (1, None, None, "23"),
)


@pytest.mark.parametrize("separator", ["", "|", " \u2013 "])
def test_sql_computes_the_same_keys_as_the_mapper_for_any_tap(
    tmp_path: Path, separator: str
) -> None:
    names = ("number", "flag", "day", "text")
    records = [
        {"id": str(index), **dict(zip(names, row, strict=True))} for index, row in enumerate(VALUES)
    ]
    # Absent is like null.
    records.append({"id": "absent"})
    messages = [
        ANY_TAP,
        *({"type": "RECORD", "stream": "anything", "record": record} for record in records),
    ]
    config = {"sync_key_fields": {"anything": FIELDS}, "sync_key_separator": separator}

    done = map_pinterest(tmp_path, lines(messages), **config)

    assert done.returncode == 0, done.stderr
    with database() as (url, schema):
        target = Loaded(url, schema)
        target.load(done.stdout)
        assert target.unlike_sql("anything", FIELDS, separator) == []
        assert len(target.query("SELECT * FROM {}", "anything")) == len(records)


def test_a_column_and_a_stream_that_are_selected_later_appear() -> None:
    with database() as (url, schema), Sandbox(seed=7, today=DAY_1, size=WORLD) as sandbox:
        target = Loaded(url, schema)
        config = settings(sandbox, start_date="5 days ago")
        without = ["campaign_analytics.ctr", "campaign_analytics.spend_in_dollar"]
        streams = ("campaigns", "campaign_analytics")
        first = run(config, *streams, without=without)
        target.load(lines(first.messages))
        before = target.query("SELECT * FROM {} ORDER BY __sync_key", "campaign_analytics")

        second = run(config, *streams, "boards", state=first.state)
        target.load(lines(second.messages))

        after = target.query("SELECT * FROM {} ORDER BY __sync_key", "campaign_analytics")
        assert [row | old for row, old in zip(after, before, strict=True)] == after
        assert any(row["spend_in_dollar"] for row in after)
        assert "spend_in_dollar" not in before[0]
        assert target.query("SELECT * FROM {}", "boards")
