"""Reports of all levels and granularities, as Singer messages and as requests."""

from __future__ import annotations

import copy
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from singer_sdk.exceptions import ConfigValidationError

from conftest import SMALL, TODAY
from pinterest_sandbox import Sandbox
from singer_run import Messages, PatientTap, catalog_of, run, settings
from tap_pinterest.api import targeting
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from singer_run import Run
    from tap_pinterest.streams.bases.report import AdsReport

DAY = timedelta(days=1)
COLUMNS = ["SPEND_IN_MICRO_DOLLAR", "TOTAL_IMPRESSION", "TOTAL_CHECKOUT"]
GROUPS = ["ads", "products", "keywords", "targeting"]
TARGETING = (
    *("ad_account_targeting_analytics", "campaign_targeting_analytics"),
    *("ad_group_targeting_analytics", "ad_targeting_analytics"),
)


def config_of(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    return settings(sandbox, stream_groups=GROUPS, report_columns=COLUMNS, **more)


def calls_of(sandbox: Sandbox, ending: str) -> list[dict[str, list[str]]]:
    """Query parameters of the calls to an operation, each with all its values."""
    calls = []
    for request in sandbox.requests:
        if (request.operation or "").endswith(ending):
            query: dict[str, list[str]] = {}
            for name, value in request.query:
                query.setdefault(name, []).append(value)
            calls.append(query)
    return calls


def sums(result: Run, stream: str, *names: str, column: str) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for record in result.records(stream):
        found[tuple(record[name] for name in names)] += round(record[column] or 0)
    return +found


def keys_are_unique(result: Run, stream: str) -> bool:
    keys = result.tap.streams[stream].primary_keys
    found = [tuple(record[key] for key in keys) for record in result.records(stream)]
    assert found
    return len(found) == len(set(found)) and None not in {each for key in found for each in key}


def test_each_granularity_but_days_gives_streams_of_its_own() -> None:
    config = {"stream_groups": GROUPS, "granularities": ["DAY", "HOUR", "WEEK", "MONTH", "TOTAL"]}
    streams = TapPinterest(config=config, validate_config=False).streams

    assert streams["ad_analytics"].primary_keys == ("ad_id", "date")
    assert streams["ad_analytics_hour"].primary_keys == ("ad_id", "date", "hour")
    assert streams["ad_analytics_week"].primary_keys == ("ad_id", "date")
    assert streams["ad_targeting_analytics_total"].primary_keys == (
        *("ad_id", "targeting_type", "targeting_value", "start_date", "date"),
    )
    assert streams["ad_pin_analytics_hour"].primary_keys == (
        *("campaign_id", "pin_id", "date", "hour"),
    )
    assert streams["campaign_analytics_total"].replication_method == "FULL_TABLE"
    assert streams["campaign_analytics_month"].replication_method == "INCREMENTAL"


@pytest.mark.parametrize("stream", [*TARGETING, "product_group_analytics", "ad_pin_analytics"])
def test_no_two_records_of_a_level_share_a_key(sandbox: Sandbox, stream: str) -> None:
    result = run(config_of(sandbox, start_date="3 days ago"), stream)

    assert result.code == 0
    assert keys_are_unique(result, stream)


def test_every_type_of_a_breakdown_adds_up_to_the_level_itself(sandbox: Sandbox) -> None:
    config = config_of(sandbox, start_date="3 days ago", targeting_types="GENDER,APPTYPE")
    result = run(config, "campaign_targeting_analytics", "campaign_analytics")

    whole = sums(result, "campaign_analytics", "campaign_id", "date", column="total_impression")
    broken_down = sums(
        *(result, "campaign_targeting_analytics", "targeting_type", "campaign_id", "date"),
        column="total_impression",
    )
    assert {key[0] for key in broken_down} == {"GENDER", "APPTYPE"}
    for kind in ("GENDER", "APPTYPE"):
        of_type = {key[1:]: value for key, value in broken_down.items() if key[0] == kind}
        assert of_type == whole


@pytest.mark.parametrize("stream", TARGETING)
def test_all_types_that_are_not_in_beta_are_asked_for_at_once(
    sandbox: Sandbox, stream: str
) -> None:
    run(config_of(sandbox, start_date="yesterday"), stream)
    path = TapPinterest(config=config_of(sandbox), validate_config=False).streams[stream].path  # type: ignore[attr-defined]
    calls = calls_of(sandbox, path)

    assert {len(call["targeting_types"]) for call in calls} == {1}
    for call in calls:
        types = call["targeting_types"][0].split(",")
        assert not set(targeting.BETA) & set(types)
        assert len(types) >= 12


def test_a_targeting_value_is_text_and_never_missing(sandbox: Sandbox) -> None:
    result = run(config_of(sandbox, start_date="yesterday"), "ad_account_targeting_analytics")
    values = [record["targeting_value"] for record in result.records(TARGETING[0])]

    assert values
    assert all(isinstance(value, str) for value in values)


@pytest.mark.parametrize("body", [{}, {"data": None}], ids=["no list", "null"])
def test_a_breakdown_without_a_list_has_no_rows(sandbox: Sandbox, body: dict[str, Any]) -> None:
    # The description and the published client say that `data` need not be there.
    sandbox.fail("*/campaigns/targeting_analytics", status=200, body=body, times=None)

    result = run(config_of(sandbox, start_date="yesterday"), "campaign_targeting_analytics")

    assert result.code == 0
    assert not result.records("campaign_targeting_analytics")
    assert result.state["bookmarks"]["campaign_targeting_analytics"]["partitions"]


@pytest.mark.parametrize(
    "body",
    [{"code": 500, "message": "Broken."}, {"data": 7}],
    ids=["an error", "another shape"],
)
def test_another_answer_is_no_breakdown_without_rows(
    sandbox: Sandbox, body: dict[str, Any]
) -> None:
    sandbox.fail("*/campaigns/targeting_analytics", status=200, body=body, times=None)

    result = run(config_of(sandbox, start_date="yesterday"), "campaign_targeting_analytics")

    assert result.code == 1


def test_a_type_in_beta_that_is_refused_does_not_take_the_others_with_it(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    types = "GENDER,AGE_BUCKET_AND_GENDER,CREATIVE_ENHANCEMENTS"
    config = config_of(sandbox, start_date="yesterday", targeting_types=types)
    result = run(config, "ad_group_targeting_analytics")
    calls = calls_of(sandbox, "/ad_groups/targeting_analytics")

    assert result.code == 0
    asked = {call["targeting_types"][0] for call in calls}
    assert asked == {"GENDER", "AGE_BUCKET_AND_GENDER", "CREATIVE_ENHANCEMENTS"}
    read = {record["targeting_type"] for record in result.records("ad_group_targeting_analytics")}
    assert "GENDER" in read
    for refused in asked - read:
        assert f"{refused} is in beta and refused" in caplog.text
    assert asked - read


def test_a_type_in_beta_may_be_refused_as_a_wrong_value(sandbox: Sandbox) -> None:
    sandbox.fail(
        "*/campaigns/targeting_analytics",
        query={"targeting_types": "AGE_BUCKET_AND_GENDER"},
        status=400,
        times=None,
    )
    types = "AGE_BUCKET_AND_GENDER,GENDER"
    config = config_of(sandbox, start_date="yesterday", targeting_types=types)
    result = run(config, "campaign_targeting_analytics")

    assert result.code == 0
    found = {each["targeting_type"] for each in result.records("campaign_targeting_analytics")}
    assert found == {"GENDER"}


@pytest.mark.parametrize("transport", ["sync", "async"])
def test_a_type_that_is_refused_is_asked_for_once_in_an_ad_account(
    sandbox: Sandbox, transport: str
) -> None:
    config = config_of(
        sandbox,
        # Several calls, and several reports.
        start_date="80 days ago" if transport == "sync" else "400 days ago",
        slice_rows=30,
        targeting_types="AGE_BUCKET_AND_GENDER",
        report_transport=transport,
        max_requests_in_flight=1,
    )
    result = run(config, "ad_account_targeting_analytics")
    refused = Counter(each.ad_account_id for each in sandbox.requests if each.status == 401)

    assert result.code == 0
    assert refused == dict.fromkeys(refused, 1)
    assert len(refused) == 3


def test_a_type_in_beta_is_a_report_of_its_own_and_refused_alone(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    types = "AGE_BUCKET_AND_GENDER,GENDER,AGE_BUCKET"
    config = config_of(
        sandbox, start_date="yesterday", targeting_types=types, report_transport="async"
    )
    result = run(config, "campaign_targeting_analytics")
    asked = {
        (tuple(each.body["targeting_types"]), each.status)
        for each in sandbox.requests
        if each.path.endswith("/reports") and each.body
    }

    assert result.code == 0
    assert asked == {(("AGE_BUCKET_AND_GENDER",), 401), (("GENDER", "AGE_BUCKET"), 201)}
    found = {each["targeting_type"] for each in result.records("campaign_targeting_analytics")}
    assert found == {"GENDER", "AGE_BUCKET"}
    assert "AGE_BUCKET_AND_GENDER is in beta and refused" in caplog.text


def test_a_type_that_a_level_does_not_have_is_passed_over(sandbox: Sandbox) -> None:
    config = config_of(sandbox, start_date="yesterday", targeting_types=["QUIZ_RESULT", "GENDER"])
    result = run(config, *TARGETING)

    assert result.code == 0
    asked = {
        (request.operation, value)
        for request in sandbox.requests
        for name, value in request.query
        if name == "targeting_types"
    }
    assert {value for path, value in asked if "/ads/" in str(path)} == {"GENDER,QUIZ_RESULT"}
    assert {value for path, value in asked if "/ads/" not in str(path)} == {"GENDER"}


def test_pins_of_ads_are_asked_for_campaign_by_campaign(sandbox: Sandbox) -> None:
    result = run(config_of(sandbox, start_date="yesterday"), "ad_pin_analytics", "ads")
    pins: dict[str, set[str]] = {}
    for ad in result.records("ads"):
        pins.setdefault(ad["campaign_id"], set()).add(ad["pin_id"])
    calls = calls_of(sandbox, "{ad_account_id}/pins/analytics")

    assert {call["campaign_id"][0]: set(call["pin_ids"]) for call in calls} == pins
    assert all(r["pin_id"] in pins[r["campaign_id"]] for r in result.records("ad_pin_analytics"))


def test_a_row_of_a_pin_that_does_not_say_its_campaign_is_of_the_one_asked_for(
    sandbox: Sandbox,
) -> None:
    row = {"PIN_ID": "1", "DATE": str(sandbox.today - DAY), "TOTAL_IMPRESSION": 5}
    sandbox.fail("*/pins/analytics", status=200, body=[row], times=None)
    result = run(config_of(sandbox, start_date="yesterday"), "ad_pin_analytics")
    records = result.records("ad_pin_analytics")

    calls = calls_of(sandbox, "{ad_account_id}/pins/analytics")
    assert keys_are_unique(result, "ad_pin_analytics")
    assert {each["campaign_id"] for each in records} == {call["campaign_id"][0] for call in calls}
    assert len(records) > 1


def test_hours_reach_eight_days_back_three_a_call_and_have_no_conversions(
    sandbox: Sandbox,
) -> None:
    config = config_of(sandbox, granularities=["HOUR"])
    result = run(config, "ad_account_analytics_hour")
    records = result.records("ad_account_analytics_hour")

    assert keys_are_unique(result, "ad_account_analytics_hour")
    assert {record["hour"] for record in records} == set(range(24))
    calls = calls_of(sandbox, "{ad_account_id}/analytics")
    assert {call["columns"][0] for call in calls} == {"SPEND_IN_MICRO_DOLLAR,TOTAL_IMPRESSION"}
    spans = [
        date.fromisoformat(call["end_date"][0]) - date.fromisoformat(call["start_date"][0])
        for call in calls
    ]
    assert max(spans) == 2 * DAY
    assert min(call["start_date"][0] for call in calls) == str(sandbox.today - 8 * DAY)


def test_the_next_run_reads_two_days_of_hours_again_since_they_have_no_conversions(
    sandbox: Sandbox,
) -> None:
    config = config_of(sandbox, granularities=["HOUR"], start_date="8 days ago")
    first = run(config, "ad_account_analytics_hour")
    sandbox.today += DAY
    sandbox.requests.clear()
    run(config, "ad_account_analytics_hour", state=first.state)
    account = first.records("ad_account_analytics_hour")[0]["ad_account_id"]
    bookmark = first.partition("ad_account_analytics_hour", account)["replication_key_value"]

    calls = calls_of(sandbox, "{ad_account_id}/analytics")
    again = date.fromisoformat(bookmark) - 2 * DAY
    assert min(call["start_date"][0] for call in calls) == str(again)


def test_the_hours_of_a_day_add_up_to_it(sandbox: Sandbox) -> None:
    config = config_of(sandbox, start_date="3 days ago", granularities=["HOUR", "DAY"])
    result = run(config, "campaign_analytics_hour", "campaign_analytics")
    by_hour, by_day = (
        sums(result, stream, "campaign_id", "date", column="total_impression")
        for stream in ("campaign_analytics_hour", "campaign_analytics")
    )

    assert by_hour == by_day != Counter()


@pytest.mark.parametrize(
    "row",
    [
        {"DATE": "2026-11-19T07:00:00"},
        {"DATE": "2026-11-19 07:00:00"},
        {"DATE": "2026-11-19T07:00:00Z"},
        {"DATE": "2026-11-19T09:00:00+02:00"},
        {"DATE": "2026-11-19", "HOUR": 7},
        {"DATE": "2026-11-19", "hour": "7"},
    ],
    ids=str,
)
def test_an_hour_is_read_wherever_a_row_has_it(sandbox: Sandbox, row: dict[str, Any]) -> None:
    row = {"AD_ACCOUNT_ID": "1", "TOTAL_IMPRESSION": 5, **row}
    sandbox.fail("*/analytics", status=200, body=[row], times=None)
    config = config_of(sandbox, granularities=["HOUR"], start_date="yesterday")
    result = run(config, "ad_account_analytics_hour")

    assert result.code == 0
    read = {(each["date"], each["hour"]) for each in result.records("ad_account_analytics_hour")}
    assert read == {("2026-11-19", 7)}


def test_a_row_without_an_hour_fails_and_the_error_lists_its_columns(sandbox: Sandbox) -> None:
    row = {"AD_ACCOUNT_ID": "1", "DATE": "2026-11-19", "TOTAL_IMPRESSION": 5}
    sandbox.fail("*/analytics", status=200, body=[row], times=None)
    config = config_of(sandbox, granularities=["HOUR"], start_date="yesterday")
    result = run(config, "ad_account_analytics_hour")

    assert result.code == 1
    failures = result.tap.run.summary.of("ad_account_analytics_hour").failures
    assert "has no hour; it has: AD_ACCOUNT_ID, DATE, TOTAL_IMPRESSION" in next(
        iter(failures.values())
    )


@pytest.mark.parametrize(
    ("granularity", "first", "last"),
    [("WEEK", "2026-08-17", "2026-11-16"), ("MONTH", "2026-08-01", "2026-11-01")],
)
def test_periods_begin_on_their_first_day_and_the_running_one_is_not_bookmarked(
    sandbox: Sandbox, granularity: str, first: str, last: str
) -> None:
    stream = f"ad_account_analytics_{granularity.lower()}"
    config = config_of(sandbox, granularities=[granularity])
    result = run(config, stream)
    records = result.records(stream)
    account = records[0]["ad_account_id"]
    dates = sorted({record["date"] for record in records})
    partition = result.partition(stream, account)

    assert (dates[0], dates[-1]) == (first, last)
    assert {r["date_end"] for r in records if r["date"] == last} == {str(sandbox.today - DAY)}
    assert partition["replication_key_value"] == dates[-2]
    assert partition["covered_from"] == first
    for call in calls_of(sandbox, "{ad_account_id}/analytics"):
        assert call["start_date"][0] in dates


def test_a_row_dated_within_its_week_is_written_with_one_warning(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        {"AD_ACCOUNT_ID": "1", "DATE": day, "TOTAL_IMPRESSION": 5}
        for day in ("2026-11-10", "2026-11-17")
    ]
    sandbox.fail("*/analytics", status=200, body=rows, times=None)
    config = config_of(sandbox, granularities=["WEEK"], start_date="2026-11-02")
    result = run(config, "ad_account_analytics_week")

    assert result.code == 0
    written = {
        (each["date"], each["date_end"], each["total_impression"])
        for each in result.records("ad_account_analytics_week")
    }
    assert written == {("2026-11-10", "2026-11-15", 5), ("2026-11-17", "2026-11-19", 5)}
    assert caplog.text.count("is dated 2026-11-10, which is not the first day of a period") == 1


def test_a_week_that_begins_before_the_first_day_asked_for_fails(sandbox: Sandbox) -> None:
    # Its numbers lack the days before, and would replace those of the whole week.
    rows = [{"AD_ACCOUNT_ID": "1", "DATE": "2026-11-01", "TOTAL_IMPRESSION": 5}]
    sandbox.fail("*/analytics", status=200, body=rows, times=None)
    config = config_of(sandbox, granularities=["WEEK"], start_date="2026-11-02")

    result = run(config, "ad_account_analytics_week")

    reasons = str(result.tap.run.summary.of("ad_account_analytics_week").failures)
    assert result.code == 1
    assert not result.records("ad_account_analytics_week")
    assert "dated 2026-11-01, before the first day asked for, 2026-11-02" in reasons


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "backwards"])
def test_weeks_that_begin_on_sunday_with_a_part_dated_on_the_first_day_asked_for_fail(
    sandbox: Sandbox, order: int
) -> None:
    # Written, the six days from Monday on would stand beside the whole weeks, in each run others.
    rows = [
        {"AD_ACCOUNT_ID": "1", "DATE": day, "TOTAL_IMPRESSION": 5}
        for day in ("2026-11-02", "2026-11-08", "2026-11-15")
    ]
    sandbox.fail("*/analytics", status=200, body=rows[::order], times=None)
    config = config_of(sandbox, granularities=["WEEK"], start_date="2026-11-02")

    result = run(config, "ad_account_analytics_week")

    reasons = result.tap.run.summary.of("ad_account_analytics_week").failures
    assert result.code == 1
    assert "ad_account_analytics_week" not in result.state.get("bookmarks", {})
    assert len(reasons) == len(sandbox.world.ad_accounts)
    assert "and others on the first day of a period: Pinterest's WEEK begins" in str(reasons)


def test_weeks_that_are_all_dated_on_their_last_day_are_written(sandbox: Sandbox) -> None:
    # Today is a Monday: the row of the running week is dated on its first day, its last so far.
    sandbox.today = date(2026, 11, 16)
    rows = [
        {"AD_ACCOUNT_ID": "1", "DATE": day, "TOTAL_IMPRESSION": 5}
        for day in ("2026-11-08", "2026-11-15", "2026-11-16")
    ]
    sandbox.fail("*/analytics", status=200, body=rows, times=None)
    dates = {"start_date": "2026-11-02", "end_date": "today"}
    result = run(config_of(sandbox, granularities=["WEEK"], **dates), "ad_account_analytics_week")

    assert result.code == 0
    assert {each["date"] for each in result.records("ad_account_analytics_week")} == {
        each["DATE"] for each in rows
    }


def test_a_row_without_its_week_fails_with_a_clear_message(sandbox: Sandbox) -> None:
    row = {"AD_ACCOUNT_ID": "1", "TOTAL_IMPRESSION": 5}
    sandbox.fail("*/analytics", status=200, body=[row], times=None)
    result = run(config_of(sandbox, granularities=["WEEK"]), "ad_account_analytics_week")

    failures = result.tap.run.summary.of("ad_account_analytics_week").failures
    assert len(failures) == len(sandbox.world.ad_accounts)
    for failure in failures.values():
        assert "a record has no date, which is part of its key" in failure
    assert result.code == 1


@pytest.mark.parametrize(
    ("granularity", "first"), [("WEEK", "2026-08-24"), ("MONTH", "2026-09-01")]
)
def test_a_first_period_that_is_not_wholly_in_reach_is_left_out(
    sandbox: Sandbox, granularity: str, first: str
) -> None:
    stream = f"ad_account_analytics_{granularity.lower()}"
    config = config_of(sandbox, granularities=[granularity], report_transport="sync")
    result = run(config, stream)
    (account, *_) = (each["ad_account_id"] for each in result.records(stream))

    assert min(record["date"] for record in result.records(stream)) == first
    assert result.partition(stream, account)["covered_from"] == first
    asked = calls_of(sandbox, "{ad_account_id}/analytics")
    assert min(call["start_date"][0] for call in asked) == first


def test_weeks_add_up_to_their_days(sandbox: Sandbox) -> None:
    config = config_of(sandbox, start_date="2026-11-02", granularities=["DAY", "WEEK"])
    result = run(config, "ad_group_analytics_week", "ad_group_analytics")
    weeks = sums(
        result, "ad_group_analytics_week", "ad_group_id", "date", column="spend_in_micro_dollar"
    )
    days: Counter[Any] = Counter()
    for record in result.records("ad_group_analytics"):
        day = date.fromisoformat(record["date"])
        monday = str(day - DAY * day.weekday())
        days[record["ad_group_id"], monday] += record["spend_in_micro_dollar"] or 0

    assert weeks == +days != Counter()


def test_a_total_covers_exactly_the_wanted_days_and_has_no_bookmark(
    sandbox: Sandbox,
) -> None:
    config = config_of(sandbox, start_date="2026-11-02", end_date="2026-11-08")
    config["granularities"] = ["TOTAL", "DAY"]
    result = run(config, "campaign_analytics_total", "campaign_analytics")
    records = result.records("campaign_analytics_total")

    assert {(r["start_date"], r["date"]) for r in records} == {("2026-11-02", "2026-11-08")}
    assert sums(
        result, "campaign_analytics_total", "campaign_id", column="total_impression"
    ) == sums(result, "campaign_analytics", "campaign_id", column="total_impression")
    assert "partitions" not in result.state["bookmarks"]["campaign_analytics_total"]
    assert len(run(config, "campaign_analytics_total", state=result.state).messages) > 1


@pytest.mark.parametrize("transport", ["sync", "async"])
def test_a_refusal_shows_pinterests_words_and_the_columns(sandbox: Sandbox, transport: str) -> None:
    windows = {"click_window_days": 1, "engagement_window_days": 30, "view_window_days": 1}
    config = config_of(sandbox, start_date="yesterday", report_transport=transport, **windows)
    result = run(config, "campaign_analytics")

    assert result.code == 1
    failures = result.tap.run.summary.of("campaign_analytics").failures
    assert failures
    for failure in failures.values():
        assert "400 (code 1) The combination of attribution windows is not supported" in failure
        assert all(name in failure.partition("; the columns were ")[2] for name in COLUMNS)


NOT_AVAILABLE = "Columns LEADS, TOTAL_CHECKOUT are not available."
NOT_LISTED = (
    "Parameter 'columns' (value TOTAL_CHECKOUT) is not one of SPEND_IN_MICRO_DOLLAR, CTR.",
    "Parameter 'columns' (value LEADS) is not one of SPEND_IN_MICRO_DOLLAR, CTR.",
)


def refuse_columns(sandbox: Sandbox, account: str, transport: str) -> None:
    """Two columns are refused for an ad account, in the words of calls or of orders."""
    path, method = f"/ad_accounts/{account}/campaigns/analytics", "GET"
    if transport == "async":
        path, method = f"/ad_accounts/{account}/reports", "POST"
    for message in (NOT_AVAILABLE,) if transport == "async" else NOT_LISTED:
        body = {"code": 1, "message": message}
        sandbox.fail(path, method=method, status=400, times=1, body=body)


def rows_of(result: Run, account: str) -> list[dict[str, Any]]:
    return [r for r in result.records("campaign_analytics") if r["ad_account_id"] == account]


@pytest.mark.parametrize("transport", ["sync", "async"])
def test_columns_that_pinterest_refuses_are_null_and_the_others_arrive(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, transport: str
) -> None:
    config = settings(sandbox, start_date="yesterday", report_transport=transport)
    whole = run(config, "campaign_analytics")
    account = whole.records("campaign_analytics")[0]["ad_account_id"]
    refuse_columns(sandbox, account, transport)
    result = run(config, "campaign_analytics")

    assert result.code == 0
    missing = {"leads": None, "total_checkout": None}
    assert rows_of(result, account) == [row | missing for row in rows_of(whole, account)]
    assert any(row["total_checkout"] for row in rows_of(whole, account))
    assert len(result.records("campaign_analytics")) == len(whole.records("campaign_analytics"))
    warned = [text for text in caplog.messages if "Pinterest refuses" in text]
    assert all(f"campaign_analytics of ad account {account}" in text for text in warned)
    assert all(any(name in text for text in warned) for name in ("LEADS", "TOTAL_CHECKOUT"))


@pytest.mark.parametrize("transport", ["sync", "async"])
def test_columns_that_the_config_names_and_pinterest_refuses_fail_the_run_after_the_rows(
    sandbox: Sandbox, transport: str
) -> None:
    config = config_of(sandbox, start_date="yesterday", report_transport=transport)
    config["report_columns"] = ["SPEND_IN_MICRO_DOLLAR", "TOTAL_CHECKOUT", "LEADS"]
    account = run(config, "campaign_analytics").records("campaign_analytics")[0]["ad_account_id"]
    refuse_columns(sandbox, account, transport)
    result = run(config, "campaign_analytics")

    assert result.code == 1
    failures = result.tap.run.summary.of("campaign_analytics").failures
    assert list(failures) == [account]
    assert "Pinterest refuses LEADS, TOTAL_CHECKOUT, which the config names" in failures[account]
    rows = rows_of(result, account)
    assert any(row["spend_in_micro_dollar"] for row in rows)
    assert {row["total_checkout"] for row in rows} == {None}
    partitions = result.state["bookmarks"]["campaign_analytics"]["partitions"]
    read = {each["context"]["ad_account_id"] for each in partitions if len(each) > 1}
    assert read
    assert account not in read


def test_a_refusal_that_repeats_all_columns_refuses_those_that_are_not_allowed(
    sandbox: Sandbox,
) -> None:
    message = f"Parameter 'columns' (value {COLUMNS}) is not one of {', '.join(COLUMNS[:2])}."
    body = {"code": 1, "message": message}
    sandbox.fail("*/campaigns/analytics", status=400, times=1, body=body)
    result = run(config_of(sandbox, start_date="yesterday"), "campaign_analytics")

    (failure,) = result.tap.run.summary.of("campaign_analytics").failures.values()
    assert "Pinterest refuses TOTAL_CHECKOUT, which the config names" in failure


def test_a_refusal_of_all_columns_is_a_failure_in_pinterests_words(sandbox: Sandbox) -> None:
    message = f"Columns {', '.join(COLUMNS)} are not available."
    sandbox.fail("*/campaigns/analytics", status=400, times=None, body={"message": message})
    result = run(config_of(sandbox, start_date="yesterday"), "campaign_analytics")

    assert result.code == 1
    failures = result.tap.run.summary.of("campaign_analytics").failures
    assert failures
    for failure in failures.values():
        assert "are not available. [" in failure or "are not available.;" in failure
        assert "; the columns were" in failure


def test_an_error_names_the_first_25_columns_and_counts_the_others(sandbox: Sandbox) -> None:
    sandbox.fail("*/campaigns/analytics", status=400, times=None)
    config = settings(sandbox, start_date="yesterday")
    failures = run(config, "campaign_analytics").tap.run.summary.of("campaign_analytics").failures
    asked = calls_of(sandbox, "/campaigns/analytics")[0]["columns"][0].split(",")

    assert failures
    for failure in failures.values():
        assert f"{', '.join(asked[:25])} and {len(asked) - 25} others" in failure


def test_a_total_from_before_the_reach_of_calls_is_one_report(sandbox: Sandbox) -> None:
    config = config_of(sandbox, granularities=["TOTAL"], start_date="120 days ago")
    result = run(config, "campaign_analytics_total")
    asked = [each.body for each in sandbox.requests if each.path.endswith("/reports") and each.body]
    periods = {(each["start_date"], each["end_date"]) for each in asked}

    first, last = str(sandbox.today - 120 * DAY), str(sandbox.today - DAY)
    assert periods == {(first, last)}
    assert {
        (each["start_date"], each["date"]) for each in result.records(result.streams("RECORD")[0])
    } == {(first, last)}
    assert not calls_of(sandbox, "/campaigns/analytics")


def test_attribution_types_are_sent_only_when_set_and_as_a_report_where_calls_do_not_take_them(
    sandbox: Sandbox,
) -> None:
    plain = config_of(sandbox, start_date="yesterday")
    streams = ("ad_account_analytics", "ad_account_targeting_analytics")
    run(plain, *streams)
    assert not any(
        {"attribution_types", "reporting_timezone"} & dict(r.query).keys() for r in sandbox.requests
    )

    sandbox.requests.clear()
    result = run(plain | {"attribution_types": "HOUSEHOLD"}, *streams)
    sent = {
        request.operation: (dict(request.query) | (request.body or {})).get("attribution_types")
        for request in sandbox.requests
        if request.path.endswith("analytics") or request.method == "POST"
    }
    assert sent == {
        "POST /oauth/token": None,
        "POST /ad_accounts/{ad_account_id}/reports": ["HOUSEHOLD"],
        "GET /ad_accounts/{ad_account_id}/targeting_analytics": "HOUSEHOLD",
    }
    for stream in streams:
        assert {each["attribution_types"] for each in result.records(stream)} == {"HOUSEHOLD"}


def test_pins_of_ads_have_no_columns_that_only_asynchronous_reports_have(sandbox: Sandbox) -> None:
    names = ["CAMPAIGN_STATUS", "CAMPAIGN_NAME", "TOTAL_IMPRESSION"]
    config = {**config_of(sandbox, start_date="yesterday"), "report_columns": names}
    result = run(config, "ad_pin_analytics")
    (record, *_) = result.records("ad_pin_analytics")

    assert record["campaign_name"]
    assert "campaign_status" not in record


def test_a_setting_that_a_report_does_not_take_is_named(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"attribution_types": ["HOUSEHOLD"], "reporting_timezone": "AD_ACCOUNT_TIME_ZONE"}
    config = config_of(sandbox, start_date="yesterday", **given)
    result = run(config, "ad_pin_analytics")
    warnings = [each.message for each in caplog.records if "is read without" in each.message]

    assert result.code == 0
    assert result.records("ad_pin_analytics")
    assert sorted(warnings) == [
        f"ad_pin_analytics is read without {name}: Pinterest does not take it here."
        for name in sorted(given)
    ]


def test_days_of_a_type_that_reports_lack_are_read_once_calls_are_allowed(
    sandbox: Sandbox,
) -> None:
    types = {"targeting_types": ["QUIZ_RESULT", "GENDER"], "start_date": "60 days ago"}
    first = run(config_of(sandbox, report_transport="async", **types), "ad_targeting_analytics")
    config = config_of(sandbox, report_transport="auto", **types)
    second = run(config, "ad_targeting_analytics", state=first.state)
    full = run(config, "ad_targeting_analytics").records("ad_targeting_analytics")

    found = {record["targeting_type"] for record in first.records("ad_targeting_analytics")}
    assert found == {"GENDER"}
    assert {record["targeting_type"] for record in full} == {"GENDER", "QUIZ_RESULT"}
    assert second.records("ad_targeting_analytics") == full


ADDED = [
    *(("campaign_analytics", name) for name in ("ad_account_id", "currency", "click_window_days")),
    ("campaign_analytics_week", "date_end"),
    ("user_account_analytics", "data_status"),
    ("pin_analytics", "user_id"),
]
"""Reports, each with a column that is no metric and part of no key."""


@pytest.mark.parametrize(("stream", "column"), ADDED)
def test_a_column_that_was_deselected_is_read_for_all_days_once_it_is_selected(
    sandbox: Sandbox, stream: str, column: str
) -> None:
    groups = {"stream_groups": ["ads", "organic", "boards"], "granularities": ["DAY", "WEEK"]}
    config = settings(sandbox, start_date="60 days ago", **groups)
    first = run(config, stream, without=[f"{stream}.{column}"])
    second = run(config, stream, state=first.state)

    assert not any(column in record for record in first.records(stream))
    assert second.records(stream) == run(config, stream).records(stream)


def test_a_column_that_an_old_catalog_lacks_is_read_for_all_days_with_a_new_one(
    sandbox: Sandbox,
) -> None:
    config = settings(sandbox, start_date="60 days ago")
    new = catalog_of(config, ["campaign_analytics"])
    old = copy.deepcopy(new)
    for entry in old["streams"]:
        entry["schema"]["properties"].pop("spend_in_dollar", None)
    writer = Messages()
    assert PatientTap(config=config, catalog=old, message_writer=writer).sync() == 0
    state = next(each["value"] for each in writer.read[::-1] if each["type"] == "STATE")
    second = run(config, "campaign_analytics", state=state)

    full = run(config, "campaign_analytics").records("campaign_analytics")
    assert second.records("campaign_analytics") == full


def fingerprint(stream: str = "ad_targeting_analytics", /, **more: Any) -> str:
    config = {"stream_groups": GROUPS, "report_columns": COLUMNS, **more}
    tap = TapPinterest(config=config, validate_config=False)
    return cast("AdsReport", tap.streams[stream]).fingerprint


@pytest.mark.parametrize(
    "more",
    [
        *({f"{each}_window_days": 60} for each in ("click", "engagement", "view")),
        {"view_window_days": 0},
        {"conversion_report_time": "TIME_OF_CONVERSION"},
        {"attribution_types": ["HOUSEHOLD"]},
        {"reporting_timezone": "AD_ACCOUNT_TIME_ZONE"},
        {"targeting_types": ["GENDER"]},
        {"entity_statuses": ["ACTIVE"]},
        *({f"{each}_ids": ["1"]} for each in ("campaign", "ad_group", "ad", "product_group")),
        {"report_columns": [*COLUMNS, "CTR"]},
        {"report_columns": COLUMNS[:2]},
        {"sync_key": False},
        {"sync_key_separator": "|"},
    ],
    ids=str,
)
def test_every_setting_that_shapes_the_rows_is_in_the_fingerprint(more: dict[str, Any]) -> None:
    assert fingerprint(**more) != fingerprint()


@pytest.mark.parametrize(
    "more",
    [
        {"start_date": "9 days ago", "end_date": "2 days ago", "lookback_days": 3},
        {"report_transport": "sync", "slice_rows": 1, "access_tier": "trial"},
        {"granularities": ["WEEK", "DAY"], "max_requests_in_flight": 1},
        {"stream_groups": "all", "ad_account_ids": ["1"]},
        {"report_columns": COLUMNS[::-1]},
    ],
    ids=str,
)
def test_settings_that_do_not_shape_rows_are_not_in_the_fingerprint(more: dict[str, Any]) -> None:
    assert fingerprint(**more) == fingerprint()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("campaign_ids", ["1", "2"]),
        ("entity_statuses", ["ACTIVE", "PAUSED"]),
        ("targeting_types", ["GENDER", "APPTYPE"]),
        ("attribution_types", ["INDIVIDUAL", "HOUSEHOLD"]),
    ],
)
def test_the_order_of_a_list_is_not_in_the_fingerprint(name: str, values: list[str]) -> None:
    assert fingerprint(**{name: values}) == fingerprint(**{name: values[::-1]})


@pytest.mark.parametrize(
    "more",
    [
        {"campaign_statuses": ["RUNNING"]},
        {
            "metrics_filters": [
                {"field": "TOTAL_IMPRESSION", "operator": "LESS_THAN", "values": [9]}
            ]
        },
        {"combine_targeting_types": True},
        {"columns": ["CTR"]},
        {"ad_ids": ["1"]},
    ],
    ids=str,
)
def test_settings_that_shape_a_custom_report_are_in_its_fingerprint(more: dict[str, Any]) -> None:
    report = {"name": "own", "level": "CAMPAIGN_TARGETING", "targeting_types": ["GENDER"]}

    def of_report(**more: Any) -> str:
        return fingerprint("own", custom_reports=[report | more])

    assert of_report(**more) != of_report()


@pytest.mark.parametrize("more", [{"level": "ADVERTISER"}, {"granularity": "WEEK"}], ids=str)
def test_level_and_granularity_of_a_custom_report_are_in_its_fingerprint(
    more: dict[str, Any],
) -> None:
    report = {"name": "own", "level": "CAMPAIGN", "columns": ["SPEND_IN_DOLLAR"]}
    one, other = (fingerprint("own", custom_reports=[each]) for each in (report, report | more))

    assert one != other


@pytest.mark.parametrize(
    ("stream", "member", "values"),
    [
        ("mmm_report", "countries", ["US", "CA"]),
        ("brand_category_sku_report", "campaign_objective_types", ["AWARENESS", "WEB_CONVERSION"]),
    ],
)
def test_the_order_of_a_list_of_a_report_in_beta_is_not_in_its_fingerprint(
    stream: str, member: str, values: list[str]
) -> None:
    one, other = (
        fingerprint(stream, stream_groups="beta", **{stream: {member: each}})
        for each in (values, values[::-1])
    )

    assert one == other != fingerprint(stream, stream_groups="beta")


def test_the_order_of_a_list_of_a_custom_report_is_not_in_its_fingerprint() -> None:
    statuses = ["RUNNING", "PAUSED"]
    report = {"name": "own", "level": "CAMPAIGN"}
    one, other = (
        fingerprint("own", custom_reports=[{**report, "campaign_statuses": each}])
        for each in (statuses, statuses[::-1])
    )

    assert one == other


def test_a_column_that_only_pinterest_has_heard_of_is_read_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Sandbox(seed=7, today=TODAY, size=SMALL, columns=["SHARES"]) as sandbox:
        config = config_of(sandbox, start_date="yesterday")
        config["report_columns"] = ["SPEND_IN_MICRO_DOLLAR", "shares"]
        config["custom_reports"] = [{"name": "mine", "level": "CAMPAIGN", "columns": ["SHARES"]}]
        result = run(config | {"stream_groups": ["ads"]})
        asked = [each.operation for each in sandbox.requests]

    assert result.code == 0
    assert asked[:3].count("GET /resources/delivery_metrics") == 2
    for stream in ("campaign_analytics", "mine"):
        assert any(record["shares"] for record in result.records(stream))
    assert "report_columns: SHARES is newer than this version of the tap" in caplog.text
    assert "custom_reports.mine.columns: SHARES is newer" in caplog.text


def test_an_unknown_column_is_refused_before_the_first_row(sandbox: Sandbox) -> None:
    config = config_of(sandbox)
    config["report_columns"] = ["SPENT_IN_DOLLAR"]
    report = {"name": "mine", "level": "CAMPAIGN", "columns": ["TOTAL_CHECKOUTS"]}
    with pytest.raises(ConfigValidationError) as refused:
        run(config | {"custom_reports": [report]})

    first, second = refused.value.errors
    assert first.startswith("report_columns: SPENT_IN_DOLLAR is no column; did you mean SPEND_IN_")
    assert second.startswith("custom_reports.mine.columns: TOTAL_CHECKOUTS is no column; did you")


def test_all_columns_have_the_live_ones_that_pinterest_lists() -> None:
    live = ["CPW_IN_DOLLAR", "ADE_ROAS"]
    with Sandbox(seed=7, today=TODAY, size=SMALL, columns=[*live, "SHARES"]) as sandbox:
        config = config_of(sandbox, start_date="yesterday")
        result = run(config | {"report_columns": "all", "stream_groups": ["ads"]})

    assert result.code == 0
    assert any(record["cpw_in_dollar"] for record in result.records("campaign_analytics"))
    assert "ade_roas" in result.records("campaign_analytics")[0]
    assert "shares" not in result.records("campaign_analytics")[0]


def test_columns_are_not_looked_up_where_descriptions_have_them_all(sandbox: Sandbox) -> None:
    run(config_of(sandbox, start_date="yesterday"), "campaign_analytics")

    assert not calls_of(sandbox, "/resources/delivery_metrics")


def test_all_columns_are_those_of_the_description_where_pinterest_does_not_list_them(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.fail("/resources/delivery_metrics", status=403, times=None)
    config = config_of(sandbox, start_date="yesterday")
    result = run(config | {"report_columns": "all", "stream_groups": ["ads"]})

    assert result.code == 0
    assert result.records("campaign_analytics")
    assert "newer than this version of the tap are not looked up" in caplog.text


def test_a_live_column_needs_no_credentials_to_be_known() -> None:
    config = {"report_columns": ["CTR", "CPW_IN_DOLLAR"]}
    streams = TapPinterest(config=config, validate_config=False).streams

    assert "cpw_in_dollar" in streams["campaign_analytics"].schema["properties"]
