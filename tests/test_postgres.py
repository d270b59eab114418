"""The main job end to end: two successive days through Meltano into a real PostgreSQL."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import requests
from psycopg.rows import dict_row

from loading import Row, column_types, database, main_job, rows_by_table, same
from pinterest_sandbox import Sandbox, WorldSize
from tap_pinterest.api.columns import columns_for
from tap_pinterest.api.levels import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


DAY_1 = date(2026, 11, 20)
DAY_2 = date(2026, 11, 21)
START = DAY_1 - timedelta(days=40)
# The longest of the default windows, and two days.
LOOKBACK = timedelta(days=32)
WORLD = WorldSize(accounts=2, campaigns=2, ad_groups=3, ads=6, boards=2, pins=6)
PAGE_SIZE = 250

ENTITIES = ("ad_accounts", "campaigns", "ad_groups", "ads", "boards", "pins")
REPORTS: Mapping[str, tuple[str, str, str]] = {
    "ad_account_analytics": ("ad_account", "/analytics", ""),
    "campaign_analytics": ("campaign", "/campaigns/analytics", "campaign_ids"),
    "ad_group_analytics": ("ad_group", "/ad_groups/analytics", "ad_group_ids"),
    "ad_analytics": ("ad", "/ads/analytics", "ad_ids"),
}
LISTED_ENTITIES = {"campaign": "campaigns", "ad_group": "ad_groups", "ad": "ads"}

Rows = dict[tuple[str, ...], Row]


@dataclass(frozen=True)
class Pinterest:
    """The answers of the sandbox, read without the tap."""

    url: str
    token: str

    def get(self, path: str, **parameters: Any) -> Any:
        """One answer."""
        answer = requests.get(
            self.url + path,
            params=parameters,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
        )
        assert answer.ok, answer.text
        return answer.json()

    def listed(self, path: str, **parameters: Any) -> list[Row]:
        """The items of all pages."""
        items: list[Row] = []
        bookmark: str | None = None
        while True:
            page = self.get(path, page_size=PAGE_SIZE, bookmark=bookmark, **parameters)
            items += page["items"]
            if not (bookmark := page.get("bookmark")):
                return items

    def everything(self, today: date) -> tuple[dict[str, Rows], dict[str, Rows]]:
        """All entities and all rows of reports up to the day before."""
        entities = {name: self.entities(name) for name in ENTITIES}
        end = today - timedelta(days=1)
        return entities, {name: self.report(name, START, end) for name in REPORTS}

    def entities(self, name: str) -> Rows:
        """All entities of a kind, by id."""
        if name == "pins":
            items = self.listed("/pins", include_protected_pins="true", pin_metrics="true")
        elif name in {"ad_accounts", "boards"}:
            items = self.listed(f"/{name}")
        else:
            statuses = ["ACTIVE", "PAUSED", "ARCHIVED"]
            items = [
                item
                for account in self.listed("/ad_accounts")
                for item in self.listed(
                    f"/ad_accounts/{account['id']}/{name}", entity_statuses=statuses
                )
            ]
        return {(item["id"],): item for item in items}

    def report(self, stream: str, start: date, end: date) -> Rows:
        """The rows of a report, by the entity's id and the day."""
        level, path, id_parameter = REPORTS[stream]
        id_column = f"{level}_id".upper()
        rows: Rows = {}
        for account in self.listed("/ad_accounts"):
            base = f"/ad_accounts/{account['id']}"
            ids = self._ids(base, level)
            if ids or not id_parameter:
                answer = self.get(
                    base + path,
                    start_date=start,
                    end_date=end,
                    granularity="DAY",
                    columns=",".join(columns_for(LEVELS[level], "default")),
                    **({id_parameter: ids} if id_parameter else {}),
                )
                for row in answer:
                    rows[str(row.get(id_column, account["id"])), row["DATE"]] = row
        return rows

    def _ids(self, base: str, level: str) -> list[str]:
        if level not in LISTED_ENTITIES:
            return []
        statuses = ["ACTIVE", "PAUSED", "ARCHIVED"]
        items = self.listed(f"{base}/{LISTED_ENTITIES[level]}", entity_statuses=statuses)
        return [item["id"] for item in items]


@dataclass(frozen=True)
class Day:
    """The tables after a run, and what Pinterest said then."""

    tables: Mapping[str, list[Row]]
    state: Mapping[str, Any]
    entities: Mapping[str, Rows]
    reports: Mapping[str, Rows]

    def loaded(self, table: str) -> Rows:
        """The rows of a table by its entity's id, and by the day if it is a report."""
        if table in REPORTS:
            id_column = f"{REPORTS[table][0]}_id"
            return {(row[id_column], row["date"].isoformat()): row for row in self.tables[table]}
        return {(row["id"],): row for row in self.tables[table]}

    def read_up_to(self, table: str) -> date:
        """The last day that a report counts as complete, the same for all accounts here."""
        partitions = self.state["singer_state"]["bookmarks"][table]["partitions"]
        (day,) = {partition["replication_key_value"] for partition in partitions}
        return date.fromisoformat(day)


@dataclass(frozen=True)
class TwoDays:
    """The main job on two successive days, the second from the state of the first."""

    first: Day
    second: Day
    types: Mapping[tuple[str, str], str]
    statuses: set[int]
    log: str


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoDays]:
    folder = tmp_path_factory.mktemp("two_days")
    with (
        database() as (url, schema),
        Sandbox(seed=7, today=DAY_1, size=WORLD) as sandbox,
        psycopg.connect(url.replace("+psycopg", ""), row_factory=dict_row, autocommit=True) as db,
    ):
        pinterest = Pinterest(sandbox.url, sandbox.credentials["access_token"])
        job = main_job(folder, sandbox, url, schema, start_date=START.isoformat())
        job.run()
        first = Day(rows_by_table(db, schema), job.state(), *pinterest.everything(DAY_1))
        sandbox.today = DAY_2
        job.run()
        second = Day(rows_by_table(db, schema), job.state(), *pinterest.everything(DAY_2))
        statuses = {request.status for request in sandbox.requests}
        log = job.log.read_text(encoding="utf-8")
        yield TwoDays(first, second, column_types(db, schema), statuses, log)


def values(row: Row) -> Row:
    """A row without the columns that the target adds."""
    return {name: value for name, value in row.items() if not name.startswith("_sdc_")}


def differences(loaded: Rows, sent: Rows) -> list[str]:
    """Values of the sent records, nested ones apart, that the loaded rows do not have."""
    return [
        f"{key} {name}: loaded {loaded[key][name.lower()]!r}, sent {value!r}"
        for key, record in sent.items()
        for name, value in record.items()
        if not isinstance(value, (dict, list)) and not same(loaded[key][name.lower()], value)
    ]


def test_without_a_selection_the_default_streams_arrive_and_nothing_else(two_days: TwoDays) -> None:
    others = {
        *("metrics_ready_state", "delivery_metrics", "sync_log"),
        *("user_account", "user_account_metrics", "user_account_analytics"),
        *("board_counts_daily", "pin_metrics_daily", "ad_creatives"),
    }
    assert set(two_days.first.tables) == {*ENTITIES, *REPORTS, *others}


def test_pinterest_refused_none_of_the_requests(two_days: TwoDays) -> None:
    assert two_days.statuses == {200}


@pytest.mark.parametrize("table", ENTITIES)
def test_every_entity_is_there_once_after_each_day(two_days: TwoDays, table: str) -> None:
    for loaded in (two_days.first, two_days.second):
        assert len(loaded.tables[table]) == len(loaded.entities[table]) > 0
        assert loaded.loaded(table).keys() == loaded.entities[table].keys()


@pytest.mark.parametrize("table", ENTITIES)
def test_entities_are_as_pinterest_sent_them(two_days: TwoDays, table: str) -> None:
    for loaded in (two_days.first, two_days.second):
        assert differences(loaded.loaded(table), loaded.entities[table]) == []


@pytest.mark.parametrize("table", REPORTS)
def test_every_row_of_a_report_is_there_once_after_each_day(two_days: TwoDays, table: str) -> None:
    for loaded in (two_days.first, two_days.second):
        assert len(loaded.tables[table]) == len(loaded.reports[table]) > 0
        assert loaded.loaded(table).keys() == loaded.reports[table].keys()


@pytest.mark.parametrize("table", REPORTS)
def test_reports_hold_pinterests_numbers_of_that_day(two_days: TwoDays, table: str) -> None:
    for loaded in (two_days.first, two_days.second):
        assert differences(loaded.loaded(table), loaded.reports[table]) == []


@pytest.mark.parametrize("table", REPORTS)
def test_a_field_that_pinterest_leaves_out_is_null(two_days: TwoDays, table: str) -> None:
    second = two_days.second
    level = REPORTS[table][0]
    for key, row in second.loaded(table).items():
        sent = {name.lower() for name in second.reports[table][key]}
        absent = {column.lower() for column in columns_for(LEVELS[level], "default")} - sent
        absent -= {"ad_account_id", "campaign_id", "ad_group_id", "ad_id"}
        assert [column for column in absent if row[column] is not None] == []


@pytest.mark.parametrize("table", REPORTS)
def test_day_two_adds_its_day_and_restates_the_days_before(two_days: TwoDays, table: str) -> None:
    before, after = two_days.first.loaded(table), two_days.second.loaded(table)
    assert before.keys() < after.keys()
    assert {day for _, day in after.keys() - before.keys()} == {DAY_1.isoformat()}
    restated = {key for key in before if values(before[key]) != values(after[key])}
    assert restated
    assert restated < before.keys()


@pytest.mark.parametrize("table", REPORTS)
def test_day_two_writes_only_rows_that_pinterest_has_restated(
    two_days: TwoDays, table: str
) -> None:
    before, after = two_days.first.loaded(table), two_days.second.loaded(table)
    start = (two_days.first.read_up_to(table) - LOOKBACK).isoformat()
    written = {key for key in before if before[key] != after[key]}
    assert written == {key for key in before if values(before[key]) != values(after[key])}
    assert written <= {key for key in before if key[1] >= start}


def test_each_table_has_the_columns_types_and_key_of_its_stream(two_days: TwoDays) -> None:
    types = two_days.types
    for (table, column), data_type in types.items():
        if column == "id" or column.endswith("_id"):
            assert data_type == "text", (table, column)
        if column == "date":
            assert data_type == "date", (table, column)
        if column == "__sync_key":
            assert data_type == "text", (table, column)
    for table, (level, _, _) in REPORTS.items():
        assert types[table, f"{level}_id"] == "text"
        assert types[table, "spend_in_dollar"] == "numeric"
        assert types[table, "total_conversions"] == "numeric"
        assert types[table, "click_window_days"] == "bigint"
    assert types["campaigns", "created_time"].startswith("timestamp")
    assert types["campaigns", "is_campaign_budget_optimization"] == "boolean"
    assert types["campaigns", "tracking_urls"] == "jsonb"


def test_the_state_says_from_when_to_when_each_account_was_read(two_days: TwoDays) -> None:
    accounts = {account for (account,) in two_days.second.entities["ad_accounts"]}
    for table in REPORTS:
        partitions = two_days.second.state["singer_state"]["bookmarks"][table]["partitions"]
        assert {part["context"]["ad_account_id"] for part in partitions} == accounts
        assert {part["covered_from"] for part in partitions} == {START.isoformat()}
        assert two_days.first.read_up_to(table) < two_days.second.read_up_to(table) < DAY_2


def test_meltano_logs_the_summary_in_one_piece_and_with_its_level(two_days: TwoDays) -> None:
    summaries = [line for line in two_days.log.splitlines() if "Summary: {" in line]
    assert len(summaries) == 2
    for line in summaries:
        assert re.search(r"\[info *\] tap-pinterest +Summary", line)
        assert json.loads(line.partition("Summary: ")[2])["failed"] is False
