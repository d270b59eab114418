"""Rows and records that share a key: exact repeats, parts of one row, and what differs."""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
import tempfile
from typing import IO, TYPE_CHECKING, Any

import msgspec
import pytest

from faulty_world import config_of, tiny
from singer_run import run
from tap_pinterest.http.errors import TooLargeError, UnreadableAnswerError
from tap_pinterest.reports import download
from tap_pinterest.reports.download import rows_of_report
from tap_pinterest.reports.rows import added_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinterest_sandbox import Sandbox

REPORT = "campaign_targeting_analytics"
COLUMNS = ["SPEND_IN_DOLLAR", "TOTAL_IMPRESSION", "CTR", "TOTAL_IMPRESSION_USER", "CAMPAIGN_NAME"]
KEY = ("campaign_id", "targeting_type", "targeting_value", "date")


@pytest.fixture
def world() -> Iterator[Sandbox]:
    with tiny() as sandbox:
        yield sandbox


def campaign(world: Sandbox) -> tuple[str, str]:
    """A campaign, and its ad account."""
    parameters, item = next(iter(world.truth("GET /ad_accounts/{ad_account_id}/campaigns")))
    return item["id"], parameters["ad_account_id"]


def breakdown(world: Sandbox, *rows: dict[str, Any]) -> None:
    """Answer calls for a breakdown of one ad account with these rows."""
    campaign_id, account = campaign(world)
    data = [
        {
            "targeting_type": "GENDER",
            "targeting_value": "female",
            "metrics": {"CAMPAIGN_ID": campaign_id, "DATE": "2026-11-15", **row},
        }
        for row in rows
    ]
    path = f"/ad_accounts/{account}/campaigns/targeting_analytics"
    world.fail(path, status=200, body={"data": data}, times=None)


def config(world: Sandbox, **more: Any) -> dict[str, Any]:
    _, account = campaign(world)
    usual = {"stream_groups": ["ads", "targeting"], "targeting_types": ["GENDER"]}
    return config_of(
        world,
        report_columns=COLUMNS,
        ad_account_ids=[account],
        report_transport="sync",
        **usual,
        **more,
    )


def test_a_breakdown_row_that_comes_in_two_parts_is_added_up(
    world: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first = {"SPEND_IN_DOLLAR": 33.49, "TOTAL_IMPRESSION": 10, "CTR": 0.1, "CAMPAIGN_NAME": "a"}
    second = {"SPEND_IN_DOLLAR": 100.45, "TOTAL_IMPRESSION": 30, "CTR": 0.2, "CAMPAIGN_NAME": "a"}
    breakdown(world, first, second)

    result = run(config(world), REPORT)

    last = {tuple(row[name] for name in KEY): row for row in result.records(REPORT)}
    (row,) = last.values()
    assert row["spend_in_dollar"] == pytest.approx(133.94)
    assert row["total_impression"] == 40
    assert row["ctr"] is None
    assert row["campaign_name"] == "a"
    assert result.code == 0
    assert result.tap.run.summary.of(REPORT).added_up == 1
    assert '"added_up":1' in caplog.text.replace(" ", "")


def test_an_exact_repeat_of_a_breakdown_row_is_dropped(world: Sandbox) -> None:
    row = {"SPEND_IN_DOLLAR": 33.49, "TOTAL_IMPRESSION": 10}
    breakdown(world, row, row)

    result = run(config(world), REPORT)

    assert [each["spend_in_dollar"] for each in result.records(REPORT)] == [33.49]
    assert result.tap.run.summary.of(REPORT).duplicates == 1


def test_two_rows_without_a_breakdown_that_differ_fail_their_account_by_key_and_column(
    world: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    campaign_id, account = campaign(world)
    rows = [
        {"CAMPAIGN_ID": campaign_id, "DATE": "2026-11-15", "SPEND_IN_DOLLAR": spend}
        for spend in (1.5, 2.5)
    ]
    path = f"/ad_accounts/{account}/campaigns/analytics"
    world.fail(path, status=200, body=rows, times=None)

    result = run(config(world), "campaign_analytics", "campaigns")

    assert result.code == 1
    (line,) = (each for each in caplog.messages if each.startswith("FAILED campaign_analytics"))
    assert f"campaign_id {campaign_id}, date 2026-11-15" in line
    assert "they differ in spend_in_dollar" in line
    assert result.records("campaigns")
    assert "campaign_analytics" not in json.dumps(result.state.get("bookmarks", {}))


def test_two_organic_rows_that_differ_fail_by_key_and_column_and_hide_no_other_split(
    world: Sandbox,
) -> None:
    days = [
        {"date": "2026-11-15", "data_status": "READY", "metrics": {"IMPRESSION": 1, "SAVE": save}}
        for save in (2, 2, 3)
    ]
    split = {"split_field": "APP_TYPE"}
    body = {"MOBILE": {"daily_metrics": days}}
    path = "/user_account/analytics"
    world.fail(path, status=200, body=body, query=split, times=None)

    result = run(config_of(world, user_split_fields="APP_TYPE,NO_SPLIT"), "user_account_analytics")

    part = result.tap.run.summary.of("user_account_analytics")
    (reason,) = part.failures.values()
    assert result.code == 1
    assert (
        "split_field APP_TYPE, split_value MOBILE, date 2026-11-15; they differ in save" in reason
    )
    splits = [row["split_field"] for row in result.records("user_account_analytics")]
    assert splits.count("NO_SPLIT") > 5
    assert part.duplicates == 1


def test_two_rows_of_one_answer_without_pages_cannot_have_changed_so_they_fail(
    world: Sandbox,
) -> None:
    items = [
        {"name": "SPEND_IN_DOLLAR", "category": "ADS", "definition": each, "display_name": "Spend"}
        for each in ("Spend in dollars", "Spend in dollars", "Spend")
    ]
    sync = {"report_type": "SYNC"}
    path = "/resources/delivery_metrics"
    world.fail(path, status=200, body={"items": items}, query=sync, times=None)

    result = run(config_of(world), "delivery_metrics")

    (reason,) = result.tap.run.summary.of("delivery_metrics").failures.values()
    assert result.code == 1
    assert (
        "name SPEND_IN_DOLLAR, category ADS, report_type SYNC; they differ in definition" in reason
    )
    assert {row["report_type"] for row in result.records("delivery_metrics")} == {"SYNC", "ASYNC"}


def test_a_pin_that_is_listed_twice_has_one_rank(world: Sandbox) -> None:
    pins = [
        {"id": pin_id, "link": "https://a.example/", "pin_metrics": {"90d": {"save": saves}}}
        for pin_id, saves in (("1", 5), ("2", 4), ("1", 3))
    ]
    world.fail("/pins", status=200, body={"items": pins, "bookmark": None}, times=None)

    result = run(config_of(world, stream_groups="all"), "domain_top_pins")

    ranks = {
        row["pin_id"]: (row["rank"], row["value"]) for row in result.records("domain_top_pins")
    }
    assert result.code == 0
    assert ranks == {"2": (1, 4), "1": (2, 3)}


def test_an_entity_that_changes_while_its_list_is_read_is_written_again(world: Sandbox) -> None:
    campaign_id, account = campaign(world)
    items = [{"id": campaign_id, "ad_account_id": account, "name": each} for each in "aab"]
    path = f"/ad_accounts/{account}/campaigns"
    world.fail(path, status=200, body={"items": items, "bookmark": None}, times=None)

    result = run(config(world), "campaigns")

    assert [each["name"] for each in result.records("campaigns")] == ["a", "b"]
    assert result.tap.run.summary.of("campaigns").duplicates == 1
    assert result.code == 0


def test_two_items_of_one_page_that_differ_fail_unless_the_key_is_their_own_id(
    world: Sandbox,
) -> None:
    items = [
        {"code": 101, "occurrences": 5, "ineligible_for_ads": ads, "ineligible_for_organic": True}
        for ads in (True, True, False)
    ]
    world.fail("/catalogs/reports/stats", status=200, body={"items": items}, times=None)

    result = run(config_of(world, stream_groups="all"), "catalogs_report_stats")

    part = result.tap.run.summary.of("catalogs_report_stats")
    (reason,) = part.failures.values()
    assert result.code == 1
    assert "code 101" in reason
    assert "they differ in ineligible_for_ads" in reason


def test_reach_and_ratios_of_parts_have_no_sum() -> None:
    parts: list[dict[str, Any]] = [
        {"ctr": 0.5, "total_impression_user": 3, "spend_in_dollar": None, "campaign_name": "a"},
        {"ctr": 0.5, "total_impression_user": 4, "spend_in_dollar": 2.0, "campaign_name": "b"},
    ]

    assert added_up(parts, {"ctr", "total_impression_user", "spend_in_dollar"}) == {
        "ctr": 0.5,
        "total_impression_user": None,
        "spend_in_dollar": 2.0,
        "campaign_name": "b",
    }


def test_a_finished_report_without_a_link_is_asked_again_and_then_created_again(
    world: Sandbox,
) -> None:
    row, *_ = run(config_of(world), "campaign_analytics").records("campaign_analytics")
    account = {"ad_account_ids": [row["ad_account_id"]], "report_transport": "async"}
    world.requests.clear()
    body = {"report_status": "FINISHED", "url": None, "size": 10}
    world.fail("*/reports", method="GET", status=200, body=body, times=4)

    result = run(config_of(world, **account), "campaign_analytics")

    created = [each for each in world.requests if each.method == "POST" and "/reports" in each.path]
    assert result.code == 0
    assert result.records("campaign_analytics")
    assert len(created) == 2


def test_a_report_that_never_has_a_link_is_a_failure_in_plain_words(world: Sandbox) -> None:
    row, *_ = run(config_of(world), "campaign_analytics").records("campaign_analytics")
    account = {"ad_account_ids": [row["ad_account_id"]], "report_transport": "async"}
    body = {"report_status": "FINISHED", "url": None, "size": 10, "message": "Done."}
    world.fail("*/reports", method="GET", status=200, body=body, times=None)

    result = run(config_of(world, **account), "campaign_analytics")

    (reason,) = result.tap.run.summary.of("campaign_analytics").failures.values()
    assert "a report is FINISHED: Done., and has no link, 3 times in a row" in reason


def file_of(content: bytes) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - `rows_of_report` closes it
    file.write(content)
    return file


def test_a_report_that_is_packed_with_gzip_is_read_whatever_its_headers_say() -> None:
    packed = gzip.compress(b'[{"A":1},{"A":2}]')

    assert [msgspec.json.decode(row) for row in rows_of_report(file_of(packed), "it")] == [
        {"A": 1},
        {"A": 2},
    ]
    with pytest.raises(UnreadableAnswerError, match="it cannot be unpacked"):
        rows_of_report(file_of(packed[:-9]), "it")


def test_a_packed_report_that_unpacks_to_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(download, "MAX_BODY_BYTES", 1000)

    with pytest.raises(TooLargeError, match="larger than 1,000 bytes"):
        rows_of_report(file_of(gzip.compress(b" " * 2000)), "it")


def test_an_empty_report_is_one_only_if_its_size_is_said_to_be_0() -> None:
    assert list(rows_of_report(file_of(b""), "it", size=0)) == []
    with pytest.raises(UnreadableAnswerError, match="it is empty"):
        rows_of_report(file_of(b""), "it")


def test_fields_longer_than_131072_characters_are_read() -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["A"], ["x" * 200_000]])

    (row,) = rows_of_report(file_of(text.getvalue().encode()), "it", is_csv=True)

    assert msgspec.json.decode(row) == {"A": "x" * 200_000}


def test_two_columns_of_a_table_with_one_name_keep_their_values() -> None:
    table = b"Date,Conversions,CTR,conversions\n2026-11-15,5,0.1,7\n"

    (row,) = rows_of_report(file_of(table), "it", is_csv=True)

    assert msgspec.json.decode(row) == {
        "Date": "2026-11-15",
        "Conversions": "5",
        "CTR": "0.1",
        "conversions (2)": "7",
    }
