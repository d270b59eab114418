"""The catalog that users see, stream by stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from singer_run import Messages, PatientTap, catalog_of, run, settings
from snapshots import SNAPSHOTS, compact, compared, entry_of, in_full, shown
from tap_pinterest.layouts.daasity import SYNC_KEY_FIELDS
from tap_pinterest.streams import STREAM_TYPES
from tap_pinterest.streams.bases.stream import PinterestStream
from tap_pinterest.tap import WRITTEN_LAST, TapPinterest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinterest_sandbox import Sandbox


def entries(**config: Any) -> dict[str, dict[str, Any]]:
    """The catalog of a config by stream, as its reader has it."""
    tap = TapPinterest(config=config, validate_config=False)
    return {entry["stream"]: entry for entry in json.loads(json.dumps(tap.catalog_dict))["streams"]}


CATALOG = entries(stream_groups=["all"], report_columns="all", removed_items=True)
TABLES = entries(layout="daasity")
GROUPS = {each.name: each.group for each in (*STREAM_TYPES, *WRITTEN_LAST)}
HAS_CHANGED = (
    "the catalog has changed: look at the difference, then UPDATE_SNAPSHOTS=1 pytest "
    "tests/test_catalog.py, and tell users in CHANGELOG.md"
)


@pytest.mark.parametrize("stream", sorted(CATALOG))
def test_the_catalog_entry_is_the_one_in_its_snapshot(stream: str) -> None:
    now, before = compared(f"{stream}.txt", shown(CATALOG[stream], GROUPS[stream]))

    assert now == before, HAS_CHANGED


@pytest.mark.parametrize("table", sorted(TABLES))
def test_the_catalog_entry_of_a_table_is_the_one_in_its_snapshot(table: str) -> None:
    now, before = compared(f"daasity/{table}.txt", shown(TABLES[table]))

    assert now == before, HAS_CHANGED


@pytest.mark.parametrize("stream", ["campaigns", "campaign_analytics"])
def test_the_full_catalog_entry_is_the_one_in_its_snapshot(stream: str) -> None:
    now, before = compared(f"full/{stream}.json", in_full(entries()[stream]))

    assert now == before, HAS_CHANGED


@pytest.mark.parametrize(
    "entry",
    [pytest.param(entry, id=entry["stream"]) for entry in (*CATALOG.values(), *TABLES.values())],
)
def test_the_rest_of_a_catalog_entry_follows_from_its_snapshot(
    entry: dict[str, Any],
) -> None:
    assert entry_of(entry["stream"], shown(entry)) == compact(entry)


def test_every_snapshot_belongs_to_a_stream_or_a_table() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.txt")} == set(CATALOG)
    assert {path.stem for path in SNAPSHOTS.glob("daasity/*")} == set(TABLES)


def test_every_stream_class_is_in_the_contents_page() -> None:
    def leaves(base: type[PinterestStream]) -> set[type[PinterestStream]]:
        below = base.__subclasses__()
        # Other tests may have made classes of their own.
        is_ours = base.__module__.startswith("tap_pinterest.")
        named = {base} if is_ours and "name" in vars(base) else set()
        return named.union(*map(leaves, below))

    assert leaves(PinterestStream) == {*STREAM_TYPES, *WRITTEN_LAST}  # type: ignore[type-abstract]


@pytest.mark.parametrize("stream", sorted(CATALOG))
def test_keys_and_fields_of_the_sync_key_are_always_selected(stream: str) -> None:
    entry = CATALOG[stream]
    inclusion = {
        item["breadcrumb"][1]: item["metadata"]["inclusion"]
        for item in entry["metadata"]
        if len(item["breadcrumb"]) == 2
    }
    needed = {*entry["key_properties"], *SYNC_KEY_FIELDS.get(stream, ()), "__sync_key"}
    needed |= {entry["replication_key"]} if entry.get("replication_key") else set()

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


def test_only_creatives_and_streams_with_a_date_in_their_key_are_incremental() -> None:
    incremental = {
        name: entry["replication_key"]
        for name, entry in CATALOG.items()
        if entry["replication_method"] == "INCREMENTAL"
    }

    assert incremental == {
        **{name: "date" for name, entry in CATALOG.items() if "date" in entry["key_properties"]},
        "ad_creatives": "updated_time",
    }


def test_default_groups_list_what_needs_no_call_for_each_entity() -> None:
    default = TapPinterest(config={}, validate_config=False).streams

    assert set(default) == {
        *("ad_accounts", "campaigns", "ad_groups", "ads"),
        *("ad_account_analytics", "campaign_analytics", "ad_group_analytics", "ad_analytics"),
        *("metrics_ready_state", "delivery_metrics"),
        *("user_account", "user_account_metrics", "user_account_analytics", "boards", "pins"),
        "sync_log",
        *("board_counts_daily", "pin_metrics_daily", "ad_creatives"),
    }


def test_one_group_lists_its_own_streams_only() -> None:
    config = {"stream_groups": "organic", "sync_log": False}
    organic = TapPinterest(config=config, validate_config=False).streams

    assert set(organic) == {
        *("user_account", "user_account_metrics", "user_account_analytics", "boards", "pins"),
        *("board_counts_daily", "pin_metrics_daily"),
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


def without_metadata_of_columns(entry: dict[str, Any]) -> None:
    entry["metadata"] = [each for each in entry["metadata"] if not each["breadcrumb"]]


def with_nothing_but_deselection(entry: dict[str, Any]) -> None:
    for each in entry["metadata"]:
        each["metadata"] = {"selected": not each["breadcrumb"]}


def without_metadata_of_the_stream(entry: dict[str, Any]) -> None:
    if is_chosen(entry):
        entry["metadata"] = [each for each in entry["metadata"] if each["breadcrumb"]]


def without_metadata(entry: dict[str, Any]) -> None:
    if is_chosen(entry):
        del entry["metadata"]


def is_chosen(entry: dict[str, Any]) -> bool:
    return any(not e["breadcrumb"] and e["metadata"]["selected"] for e in entry["metadata"])


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(without_metadata, id="no metadata"),
        pytest.param(without_metadata_of_columns, id="no metadata of columns"),
        pytest.param(without_metadata_of_the_stream, id="no metadata of the stream"),
        pytest.param(with_nothing_but_deselection, id="keys deselected"),
        pytest.param(lambda entry: entry.update(key_properties=[]), id="no keys"),
        pytest.param(lambda entry: entry.update(key_properties=["x"]), id="other keys"),
        pytest.param(lambda entry: entry.update(replication_key="x"), id="another replication key"),
        pytest.param(lambda entry: entry.update(schema={}), id="no schema"),
        pytest.param(
            lambda entry: entry["schema"].update(properties={"name": {"type": ["string", "null"]}}),
            id="the schema of another version",
        ),
        pytest.param(lambda entry: entry.update(stream="x"), id="another name"),
    ],
)
def test_key_columns_are_written_even_if_an_edited_catalog_lacks_them(
    sandbox: Sandbox, edit: Callable[[dict[str, Any]], None]
) -> None:
    config = settings(sandbox, start_date="2026-11-17")
    names = ("campaign_analytics", "campaigns")
    whole = run(config, *names)
    catalog = catalog_of(config, names)
    for entry in catalog["streams"]:
        edit(entry)
    writer = Messages()

    assert PatientTap(config=config, catalog=catalog, message_writer=writer).sync() == 0

    schemas = {each["stream"]: each for each in writer.read if each["type"] == "SCHEMA"}
    for name in names:
        keys = (*CATALOG[name]["key_properties"], "__sync_key")
        written = (each for each in writer.read if each["type"] == "RECORD")
        records = [each["record"] for each in written if each["stream"] == name]
        assert schemas[name]["key_properties"] == list(CATALOG[name]["key_properties"])
        assert set(keys) <= set(schemas[name]["schema"]["properties"])
        assert set(records[0]) <= set(schemas[name]["schema"]["properties"])
        assert [[record[key] for key in keys] for record in records] == [
            [record[key] for key in keys] for record in whole.records(name)
        ]


def test_a_selected_stream_that_the_config_does_not_list_is_named(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    wide = settings(sandbox, stream_groups="all", granularities="DAY,WEEK")
    catalog = catalog_of(wide, ("boards", "audiences", "ad_analytics_week"))

    tap = PatientTap(config=settings(sandbox), catalog=catalog, message_writer=Messages())

    assert tap.sync() == 0
    named = "selects ad_analytics_week (of ads), audiences (of audiences), which the config"
    assert named in caplog.text
