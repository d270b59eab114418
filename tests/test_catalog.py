"""What users see: the catalog, stream by stream."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tap_pinterest.daasity import SYNC_KEY_FIELDS
from tap_pinterest.streams import STREAM_TYPES
from tap_pinterest.streams.base import PinterestStream
from tap_pinterest.tap import TapPinterest

SNAPSHOTS = Path(__file__).parent / "__snapshots__"
CATALOG = {
    entry["tap_stream_id"]: entry
    for entry in TapPinterest(
        config={"stream_groups": ["all"], "report_columns": "all"}, validate_config=False
    ).catalog_dict["streams"]
}


@pytest.mark.parametrize("stream", sorted(CATALOG))
def test_the_catalog_entry_is_the_one_in_its_snapshot(stream: str) -> None:
    snapshot = SNAPSHOTS / f"{stream}.json"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(json.dumps(CATALOG[stream], indent=1) + "\n")
    assert json.loads(json.dumps(CATALOG[stream])) == json.loads(snapshot.read_text()), (
        "the catalog has changed: look at the difference, then UPDATE_SNAPSHOTS=1 pytest "
        "tests/test_catalog.py, and tell users in CHANGELOG.md"
    )


def test_no_snapshot_is_left_of_a_stream_that_is_gone() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == set(CATALOG)


def test_every_stream_class_is_in_the_contents_page() -> None:
    def leaves(base: type[PinterestStream]) -> set[type[PinterestStream]]:
        below = base.__subclasses__()
        named = {base} if "name" in vars(base) else set()
        return named.union(*map(leaves, below))

    assert leaves(PinterestStream) == set(STREAM_TYPES)  # type: ignore[type-abstract]


@pytest.mark.parametrize("stream", sorted(CATALOG))
def test_keys_and_what_the_sync_key_is_made_of_are_always_selected(stream: str) -> None:
    entry = CATALOG[stream]
    inclusion = {
        item["breadcrumb"][1]: item["metadata"]["inclusion"]
        for item in entry["metadata"]
        if len(item["breadcrumb"]) == 2
    }
    needed = {*entry["key_properties"], *SYNC_KEY_FIELDS.get(stream, ()), "__sync_key"}

    assert {name for name, value in inclusion.items() if value == "automatic"} == needed


@pytest.mark.parametrize("stream", sorted(CATALOG))
def test_only_key_properties_are_never_null(stream: str) -> None:
    entry = CATALOG[stream]
    never_null = {
        name
        for name, schema in entry["schema"]["properties"].items()
        if "null" not in schema["type"]
    }

    assert never_null == set(entry["key_properties"])


@pytest.mark.parametrize("stream", sorted(CATALOG))
def test_identifiers_fit_into_postgresql(stream: str) -> None:
    names = [stream, *CATALOG[stream]["schema"]["properties"]]

    assert all(len(name.encode()) <= 63 for name in names)
    assert len({name.lower() for name in names}) == len(names)


def test_what_has_a_date_in_its_key_and_nothing_else_is_incremental_on_it() -> None:
    incremental = {
        name: entry["replication_key"]
        for name, entry in CATALOG.items()
        if entry["replication_method"] == "INCREMENTAL"
    }

    assert incremental == {
        name: "date" for name, entry in CATALOG.items() if "date" in entry["key_properties"]
    }


def test_default_groups_list_what_needs_no_call_for_each_entity() -> None:
    default = TapPinterest(config={}, validate_config=False).streams

    assert set(default) == {
        *("ad_accounts", "campaigns", "ad_groups", "ads"),
        *("ad_account_analytics", "campaign_analytics", "ad_group_analytics", "ad_analytics"),
        *("metrics_ready_state", "delivery_metrics"),
        *("user_account", "user_account_metrics", "user_account_analytics", "boards", "pins"),
    }


def test_one_group_lists_its_own_streams_only() -> None:
    organic = TapPinterest(config={"stream_groups": "organic"}, validate_config=False).streams

    assert set(organic) == {
        *("user_account", "user_account_metrics", "user_account_analytics", "boards", "pins")
    }


def test_report_columns_that_are_listed_are_the_only_ones_in_the_catalog() -> None:
    config = {"report_columns": ["SPEND_IN_DOLLAR", "ad_name"]}
    streams = TapPinterest(config=config, validate_config=False).streams

    assert list(streams["campaign_analytics"].schema["properties"]) == [
        "campaign_id",
        "date",
        "ad_account_id",
        "currency",
        "click_window_days",
        "engagement_window_days",
        "view_window_days",
        "conversion_report_time",
        "spend_in_dollar",
        "__sync_key",
    ]
    assert "ad_name" in streams["ad_analytics"].schema["properties"]


def test_without_the_sync_key_no_stream_has_its_column() -> None:
    streams = TapPinterest(config={"sync_key": False}, validate_config=False).streams

    assert not any("__sync_key" in each.schema["properties"] for each in streams.values())
