"""Names of columns and streams that the config makes, and what the catalog says of streams."""

from __future__ import annotations

import functools
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft4Validator, Draft7Validator, Draft202012Validator
from singer_sdk.exceptions import ConfigValidationError

from faulty_world import upsert
from singer_run import Messages, PatientTap, catalog_of, run, settings
from tap_pinterest import config
from tap_pinterest.singer.process import catalog_in
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from pinterest_sandbox import Sandbox

ALL: dict[str, Any] = {"stream_groups": ["all"], "report_columns": "all"}
EVENT = {"custom_event_metrics_type": "TOTAL_CONVERSIONS"}


def faults(error: ConfigValidationError) -> str:
    return "\n".join([str(error), *error.errors])


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_flattened_columns_fit_into_a_database(depth: int) -> None:
    flattened = {**ALL, "flattening_enabled": True, "flattening_max_depth": depth}
    tap = TapPinterest(config=flattened, validate_config=False)
    for maps in tap.mapper.stream_maps.values():
        names = list(maps[0].transformed_schema["properties"])
        assert max(len(name.encode()) for name in names) <= 63
        assert len({name.lower() for name in names}) == len(names)


@functools.cache
def entries() -> list[dict[str, Any]]:
    """All entries of the catalog, with all columns."""
    tap = TapPinterest(config=ALL, validate_config=False, setup_mapper=False)
    return list(tap.catalog_dict["streams"])


@pytest.mark.parametrize("draft", [Draft4Validator, Draft7Validator, Draft202012Validator])
def test_strict_readers_accept_every_schema(draft: type[Draft7Validator]) -> None:
    """Keys are properties, and each property names its type."""
    for entry in entries():
        schema, keys = entry["schema"], entry["key_properties"]
        draft.check_schema(schema)
        assert keys, entry["stream"]
        assert {*keys} <= {*schema["properties"]}
        for name in (entry["stream"], *schema["properties"]):
            assert len(name.encode()) <= 63
        for property_ in schema["properties"].values():
            assert {"type", "anyOf"} & {*property_}


def test_flattened_columns_that_a_database_would_cut_are_refused() -> None:
    flattened = {**ALL, "flattening_enabled": True, "flattening_max_depth": 3}
    with pytest.raises(ConfigValidationError) as refused:
        TapPinterest(config={**flattened, "flattening_max_key_length": 255}, validate_config=False)
    assert "allowed: names of at most 63 bytes" in faults(refused.value)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("checkout of the very long name that somebody has once given it", "at most 63 bytes"),
        ("\u00fcberpr\u00fcfung " * 4, "at most 63 bytes"),
        ("", "not one of Pinterest's own"),
    ],
)
def test_an_event_whose_column_would_be_too_long_or_taken_is_refused(
    name: str, allowed: str
) -> None:
    event = {**EVENT, "custom_event_name": name} if name else OWN_NAME
    report = {"name": "mine", "level": "CAMPAIGN", "custom_conversion_event_metrics": [event]}
    assert any(allowed in each for each in config.problems({"custom_reports": [report]}))


OWN_NAME = {"custom_event_metrics_type": "TOTAL", "custom_event_name": "conversions"}


def test_two_columns_that_differ_in_case_only_are_refused() -> None:
    maps = {"boards": {"Name": "name"}}
    with pytest.raises(ConfigValidationError) as refused:
        TapPinterest(config={"stream_maps": maps}, validate_config=False)
    assert "differ by more than upper and lower case" in faults(refused.value)


@pytest.mark.parametrize("pattern", ["pins", "pin*", "*s"])
def test_stream_maps_pass_over_streams_that_are_not_selected(
    sandbox: Sandbox, pattern: str
) -> None:
    given = settings(sandbox)
    catalog = catalog_of(given, ["boards"])
    maps = {pattern: {"__key_properties__": ["no_such"], "id": "id"}}
    if pattern == "*s":
        maps = {pattern: {"loaded_by": "'us'"}}
    writer = Messages()
    tap = PatientTap(config={**given, "stream_maps": maps}, catalog=catalog, message_writer=writer)
    tap.sync()

    records = [each for each in writer.read if each["type"] == "RECORD"]
    assert {each["stream"] for each in records} == {"boards"}
    assert {each["record"].get("loaded_by") for each in records} == {
        "us" if pattern == "*s" else None
    }


def test_a_report_that_the_catalog_wants_whole_is_read_whole_on_every_run(
    sandbox: Sandbox,
) -> None:
    given = settings(sandbox, start_date="30 days ago", lookback_days=2)
    streams = ("campaign_analytics", "user_account_analytics")
    first = run(given, *streams)

    messages = read_whole(given, *streams, state=first.state)

    for stream in streams:
        again = [row for name, row in rows_of(messages) if name == stream]
        assert {each["date"] for each in again} == {each["date"] for each in first.records(stream)}
        assert len(again) == len(first.records(stream))


def test_days_that_a_whole_reading_has_begun_to_rewrite_are_read_by_the_next_run(
    sandbox: Sandbox,
) -> None:
    given = settings(sandbox, start_date="30 days ago", lookback_days=0, slice_rows=20)
    first = run(given, "campaign_analytics")
    account = first.records("campaign_analytics")[0]["ad_account_id"]
    path = f"/ad_accounts/{account}/campaigns/analytics"
    sandbox.fail(path, status=400, after=2, times=None)
    other = {**given, "click_window_days": 7}
    broken = read_whole(other, "campaign_analytics", state=first.state)
    sandbox.heal()
    (*_, state) = (each["value"] for each in broken if each["type"] == "STATE")
    last = run(given, "campaign_analytics", state=state)

    assert {row["click_window_days"] for _, row in rows_of(broken)} == {7}
    tables = upsert(upsert(upsert({}, first.messages), broken), last.messages)
    assert tables == upsert({}, first.messages)


def rows_of(messages: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [(each["stream"], each["record"]) for each in messages if each["type"] == "RECORD"]


def read_whole(given: dict[str, Any], *streams: str, state: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a run whose catalog wants the streams to be read whole."""
    catalog = catalog_of(given, streams)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["replication-method"] = "FULL_TABLE"
    read, writer = catalog_in(io.StringIO(json.dumps(catalog))), Messages()
    tap = PatientTap(config=given, state=state, catalog=read, message_writer=writer)
    tap.sync()
    return writer.read


def test_an_empty_text_in_a_key_can_be_another_text(sandbox: Sandbox) -> None:
    given = settings(sandbox, stream_groups="targeting", start_date="3 days ago")
    plain = run(given, "campaign_targeting_analytics").records("campaign_targeting_analytics")
    assert plain
    tap = PatientTap(config={**given, "empty_key_value": "(none)"})
    stream = tap.streams["campaign_targeting_analytics"]
    rows = [{**plain[0], "targeting_value": ""}, plain[1]]
    filled = list(stream.arranged(rows))  # type: ignore[attr-defined]
    assert [each["targeting_value"] for each in filled] == ["(none)", plain[1]["targeting_value"]]
