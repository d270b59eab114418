"""Reports, as Singer messages and as requests."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from conftest import TODAY
from pinterest_sandbox import Sandbox, WorldSize
from singer_run import run, settings
from tap_pinterest.http.patience import ATTEMPTS
from tap_pinterest.records.sync_key import sync_key

if TYPE_CHECKING:
    from datetime import date

    from singer_run import Run

REPORTS = ("ad_account_analytics", "campaign_analytics", "ad_group_analytics", "ad_analytics")
IDS = {
    "ad_account_analytics": "ad_account_id",
    "campaign_analytics": "campaign_id",
    "ad_group_analytics": "ad_group_id",
    "ad_analytics": "ad_id",
}
DAY = timedelta(days=1)


def report_calls(sandbox: Sandbox) -> list[dict[str, list[str]]]:
    """Query parameters of the report calls, each with all its values."""
    calls = []
    for request in sandbox.requests:
        if request.path.endswith("/analytics"):
            query: dict[str, list[str]] = {}
            for name, value in request.query:
                query.setdefault(name, []).append(value)
            calls.append(query)
    return calls


def days(result: Run, stream: str) -> set[str]:
    return {record["date"] for record in result.records(stream)}


@pytest.mark.parametrize("stream", REPORTS)
def test_no_two_records_share_a_key(sandbox: Sandbox, stream: str) -> None:
    records = run(settings(sandbox), stream).records(stream)
    keys = Counter((record[IDS[stream]], record["date"]) for record in records)

    assert len(keys) > 20
    assert set(keys.values()) == {1}


def test_a_first_run_reads_ninety_days_up_to_yesterday(sandbox: Sandbox) -> None:
    result = run(settings(sandbox), "ad_account_analytics")

    read = days(result, "ad_account_analytics")
    assert min(read) == (sandbox.today - 90 * DAY).isoformat()
    assert max(read) == (sandbox.today - DAY).isoformat()


def test_every_record_has_every_selected_column_and_null_where_nothing_was_sent(
    sandbox: Sandbox,
) -> None:
    result = run(settings(sandbox), "ad_analytics", without=["ad_analytics.ctr"])
    (schema,) = (m for m in result.messages if m["type"] == "SCHEMA")
    records = result.records("ad_analytics")

    assert all(set(record) == set(schema["schema"]["properties"]) for record in records)
    assert "ctr" not in schema["schema"]["properties"]
    assert any(record["total_checkout"] is None for record in records)


def test_only_the_selected_columns_are_asked_for(sandbox: Sandbox) -> None:
    config = settings(sandbox, report_columns=["SPEND_IN_DOLLAR", "CTR", "CAMPAIGN_NAME"])
    run(config, "campaign_analytics", without=["campaign_analytics.ctr"])

    assert {call["columns"][0] for call in report_calls(sandbox)} == {
        "SPEND_IN_DOLLAR,CAMPAIGN_NAME"
    }


def test_columns_of_the_sync_key_are_read_even_if_deselected(sandbox: Sandbox) -> None:
    config = settings(sandbox, report_columns=["CTR"])
    everything = run(config, "ad_analytics").records("ad_analytics")
    unselected = [f"ad_analytics.{name}" for name in ("campaign_id", "pin_id", "ctr")]
    less = run(config, "ad_analytics", without=unselected).records("ad_analytics")

    assert [r["__sync_key"] for r in less] == [r["__sync_key"] for r in everything]
    assert report_calls(sandbox)[-1]["columns"] == ["CAMPAIGN_ID,AD_GROUP_ID,PIN_ID"]


def test_parents_that_a_row_lacks_are_filled_from_the_list_of_ads(sandbox: Sandbox) -> None:
    ads = {ad["id"]: ad for ad in run(settings(sandbox), "ads").records("ads")}
    records = run(settings(sandbox), "ad_analytics").records("ad_analytics")
    fields = ("ad_account_id", "ad_group_id", "ad_id", "campaign_id", "pin_id", "date")

    for record in records:
        ad = ads[record["ad_id"]]
        assert record["campaign_id"] == ad["campaign_id"]
        assert record["ad_group_id"] == ad["ad_group_id"]
        assert record["pin_id"] == ad["pin_id"]
        assert record["__sync_key"] == sync_key(record, fields)


def test_a_record_says_its_currency_and_the_attribution_settings_in_force(
    sandbox: Sandbox,
) -> None:
    config = settings(sandbox, click_window_days=7, view_window_days=0)
    currencies = {a["id"]: a["currency"] for a in run(config, "ad_accounts").records("ad_accounts")}
    records = run(config, "campaign_analytics").records("campaign_analytics")

    assert len({record["currency"] for record in records}) == 2
    for record in records:
        assert record["currency"] == currencies[record["ad_account_id"]]
        assert record["click_window_days"] == 7
        assert record["engagement_window_days"] == 30
        assert record["view_window_days"] == 0
        assert record["conversion_report_time"] == "TIME_OF_AD_ACTION"
    assert {call["view_window_days"][0] for call in report_calls(sandbox)} == {"0"}


def test_archived_ads_are_in_the_report(sandbox: Sandbox) -> None:
    ads = run(settings(sandbox), "ads").records("ads")
    archived = {ad["id"] for ad in ads if ad["status"] == "ARCHIVED"}
    reported = {r["ad_id"] for r in run(settings(sandbox), "ad_analytics").records("ad_analytics")}

    assert archived & reported


@pytest.mark.parametrize("column", ["spend_in_micro_dollar", "total_impression", "total_checkout"])
def test_additive_columns_agree_over_all_levels_per_account_and_day(
    sandbox: Sandbox, column: str
) -> None:
    result = run(settings(sandbox), *REPORTS)
    totals = []
    for stream in REPORTS:
        sums: Counter[tuple[str, str]] = Counter()
        for record in result.records(stream):
            sums[record["ad_account_id"], record["date"]] += round(record[column] or 0)
        totals.append(+sums)

    assert totals[0]
    assert totals[1] == totals[2] == totals[3] == totals[0]


def test_ids_are_text_and_whole_numbers_are_integers(sandbox: Sandbox) -> None:
    for record in run(settings(sandbox), "ad_analytics").records("ad_analytics"):
        ids = [value for name, value in record.items() if name.endswith("_id")]
        assert all(isinstance(value, str) for value in ids)
        assert not any(isinstance(v, float) and v.is_integer() for v in record.values())


def test_the_second_day_reads_the_lookback_and_moves_the_bookmark(sandbox: Sandbox) -> None:
    first = run(settings(sandbox), "campaign_analytics")
    sandbox.today += DAY
    second = run(settings(sandbox), "campaign_analytics", state=first.state)

    bookmark = sandbox.today - 3 * DAY  # conversions are ready two days later
    assert min(days(second, "campaign_analytics")) == (bookmark - 32 * DAY).isoformat()
    account = second.records("campaign_analytics")[0]["ad_account_id"]
    assert first.partition("campaign_analytics", account)["replication_key_value"] == str(bookmark)
    assert second.partition("campaign_analytics", account) == {
        "context": {"ad_account_id": account},
        "replication_key": "date",
        "replication_key_value": str(bookmark + DAY),
        "covered_from": str(sandbox.today - 91 * DAY),
        "settings": first.partition("campaign_analytics", account)["settings"],
    }


def loaded(*runs: Run, stream: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of a table after these runs, upserted by key.

    Without the entities' status, which Pinterest tells as of the call, not as of the row's day.
    """
    return {
        (record[IDS[stream]], record["date"]): {
            name: value for name, value in record.items() if not name.endswith("_entity_status")
        }
        for result in runs
        for record in result.records(stream)
    }


@pytest.mark.parametrize("stream", REPORTS)
def test_after_five_days_the_table_equals_one_full_read(sandbox: Sandbox, stream: str) -> None:
    runs = [run(settings(sandbox), stream)]
    for _ in range(4):
        sandbox.today += DAY
        runs.append(run(settings(sandbox), stream, state=runs[-1].state))

    table = loaded(*runs, stream=stream)
    truth = loaded(run(settings(sandbox), stream), stream=stream)
    assert {key: table[key] for key in truth} == truth
    assert any(loaded(runs[0], stream=stream).get(key, row) != row for key, row in truth.items())


def test_an_account_without_rows_is_read_to_the_end_and_remembered(sandbox: Sandbox) -> None:
    result = run(settings(sandbox), "ad_analytics")
    accounts = {
        partition["context"]["ad_account_id"]
        for partition in result.state["bookmarks"]["ad_analytics"]["partitions"]
    }
    with_rows = {record["ad_account_id"] for record in result.records("ad_analytics")}

    assert len(accounts) == 3
    assert len(with_rows) == 2


def test_a_new_account_is_read_from_the_start_date_the_others_from_their_bookmark(
    sandbox: Sandbox,
) -> None:
    first = run(settings(sandbox), "ad_account_analytics")
    new = first.records("ad_account_analytics")[0]["ad_account_id"]
    state = first.state
    partitions = state["bookmarks"]["ad_account_analytics"]["partitions"]
    partitions[:] = [p for p in partitions if p["context"]["ad_account_id"] != new]

    second = run(settings(sandbox), "ad_account_analytics", state=state)

    read: Counter[str] = Counter()
    for call in sandbox.requests:
        if call.path.endswith("/analytics"):
            read[call.ad_account_id or ""] += 1
    first_days = {
        account: min(
            (
                r["date"]
                for r in second.records("ad_account_analytics")
                if r["ad_account_id"] == account
            ),
        )
        for account in {r["ad_account_id"] for r in second.records("ad_account_analytics")}
    }
    assert first_days.pop(new) == str(sandbox.today - 90 * DAY)
    assert set(first_days.values()) == {str(sandbox.today - 34 * DAY)}


def test_other_attribution_windows_read_the_covered_range_again_with_one_warning(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    first = run(settings(sandbox), "ad_account_analytics")
    config = settings(sandbox, click_window_days=60)
    second = run(config, "ad_account_analytics", state=first.state)

    assert min(days(second, "ad_account_analytics")) == str(sandbox.today - 90 * DAY)
    assert caplog.text.count("settings have changed since the last run") == 1
    third = run(config, "ad_account_analytics", state=second.state)
    assert min(days(third, "ad_account_analytics")) == str(sandbox.today - (2 + 62) * DAY)


def test_an_earlier_start_date_reads_only_the_days_that_are_missing(sandbox: Sandbox) -> None:
    late = settings(sandbox, start_date="10 days ago")
    first = run(late, "ad_account_analytics")
    early = settings(sandbox, start_date="20 days ago", lookback_days=0)
    second = run(early, "ad_account_analytics", state=first.state)

    today = sandbox.today
    expected = [today - back * DAY for back in range(20, 10, -1)] + [today - 2 * DAY, today - DAY]
    assert sorted(days(second, "ad_account_analytics")) == [str(day) for day in expected]


def test_a_backfill_is_read_once(sandbox: Sandbox) -> None:
    config = settings(sandbox, start_date="5 days ago", lookback_days=0)
    first = run(config, "ad_account_analytics")
    backfill = {"start_date": "60 days ago", "end_date": "58 days ago"}
    filled = run(config | {"backfill": backfill}, "ad_account_analytics", state=first.state)
    again = run(config | {"backfill": backfill}, "ad_account_analytics", state=filled.state)

    old = {str(sandbox.today - back * DAY) for back in (58, 59, 60)}
    assert old <= days(filled, "ad_account_analytics")
    assert not old & days(again, "ad_account_analytics")


@pytest.mark.parametrize(("transport", "reach"), [("sync", 90), ("auto", 914)])
def test_a_start_date_out_of_reach_is_moved_with_one_warning_on_the_first_run_only(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, transport: str, reach: int
) -> None:
    config = settings(sandbox, start_date="2023-01-01", report_transport=transport)
    first = run(config, "ad_account_analytics")

    assert caplog.text.count(f"there are data from {sandbox.today - reach * DAY} on") == 1
    caplog.clear()
    run(config, "ad_account_analytics", state=first.state)
    assert "there are data from" not in caplog.text


def test_an_earlier_start_date_out_of_reach_is_moved_with_a_warning_on_a_later_run_too(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    first = run(settings(sandbox, start_date="10 days ago"), "ad_account_analytics")
    config = settings(sandbox, start_date="2023-01-01")
    told = "start_date is 2023-01-01, and Pinterest keeps 914 days for these reports: there are"
    second = run(config, "ad_account_analytics", state=first.state)

    assert caplog.text.count(told) == 1
    caplog.clear()
    sandbox.today += DAY
    run(config, "ad_account_analytics", state=second.state)
    assert told not in caplog.text


@pytest.mark.parametrize("has_state", [True, False])
def test_a_backfill_out_of_reach_is_cut_with_a_warning_until_it_is_read(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, *, has_state: bool
) -> None:
    config = settings(sandbox, start_date="5 days ago")
    before = run(config, "ad_account_analytics").state if has_state else None
    config["backfill"] = {"start_date": "2023-01-01", "end_date": str(sandbox.today - 900 * DAY)}
    told = "backfill.start_date is 2023-01-01, and Pinterest keeps 914 days for these reports"
    filled = run(config, "ad_account_analytics", state=before)

    assert caplog.text.count(told) == 1
    ranges = filled.tap.run.summary.of("ad_account_analytics").ranges
    assert f"{sandbox.today - 914 * DAY}..{sandbox.today - 900 * DAY} (async)" in ranges
    caplog.clear()
    run(config, "ad_account_analytics", state=filled.state)
    assert told not in caplog.text


def test_days_of_a_backfill_that_have_not_come_yet_are_read_when_they_come(
    sandbox: Sandbox,
) -> None:
    today = sandbox.today
    first, last = str(today - 9 * DAY), str(today - 5 * DAY)
    config = settings(sandbox, start_date=first, end_date=last, lookback_days=0)
    config["backfill"] = {"start_date": str(today - DAY), "end_date": str(today + DAY)}
    read, state = set[str](), None
    for _ in range(3):
        result = run(config, "ad_account_analytics", state=state)
        read |= days(result, "ad_account_analytics")
        state = result.state
        sandbox.today += DAY

    assert str(today + DAY) in read


def test_no_day_is_bookmarked_before_it_is_ready_and_readiness_is_asked_three_times_at_most(
    sandbox: Sandbox,
) -> None:
    not_ready = {"conversion_metrics_ready": False, "non_conversion_metrics_ready": True}
    sandbox.fail("/resources/metrics_ready_state", status=200, body=not_ready, times=None)

    result = run(settings(sandbox), "ad_account_analytics", "campaign_analytics")

    asked = [each for each in sandbox.requests if each.path == "/resources/metrics_ready_state"]
    assert result.code == 0
    assert len(asked) == 3
    for stream in ("ad_account_analytics", "campaign_analytics"):
        for partition in result.state["bookmarks"][stream]["partitions"]:
            assert "replication_key_value" not in partition


@pytest.mark.parametrize("status", [400, 500])
def test_rows_arrive_without_an_answer_about_complete_days(sandbox: Sandbox, status: int) -> None:
    before = run(settings(sandbox), "campaign_analytics")
    sandbox.today += DAY
    truth = run(settings(sandbox), "campaign_analytics", state=before.state)
    sandbox.requests.clear()
    sandbox.fail("/resources/metrics_ready_state", status=status, times=None)

    result = run(settings(sandbox), "campaign_analytics", "boards", state=before.state)

    asked = [each for each in sandbox.requests if each.path == "/resources/metrics_ready_state"]
    failures = result.tap.run.summary.of("campaign_analytics").failures
    assert result.code == 1
    assert list(failures) == [""]
    assert f"GET /resources/metrics_ready_state: {status}" in failures[""]
    assert len(asked) == (1 if status == 400 else ATTEMPTS)
    assert result.records("campaign_analytics") == truth.records("campaign_analytics")
    was, now = (each.state["bookmarks"]["campaign_analytics"] for each in (before, result))
    assert was == now


def test_readiness_that_is_refused_is_not_asked_for_again(sandbox: Sandbox) -> None:
    sandbox.fail("/resources/metrics_ready_state", status=403, times=None)

    result = run(settings(sandbox), "ad_account_analytics", "campaign_analytics")

    asked = [each for each in sandbox.requests if each.path == "/resources/metrics_ready_state"]
    assert result.code == 0
    assert len(asked) == 1


@pytest.mark.parametrize("kind", ["conversion_metrics_ready", "non_conversion_metrics_ready"])
def test_a_day_with_only_one_kind_of_metrics_ready_is_not_complete(
    sandbox: Sandbox, kind: str
) -> None:
    state = {"conversion_metrics_ready": False, "non_conversion_metrics_ready": False, kind: True}
    sandbox.fail("/resources/metrics_ready_state", status=200, body=state, times=None)

    result = run(settings(sandbox), "ad_account_analytics")

    assert result.records("ad_account_analytics")
    for partition in result.state["bookmarks"]["ad_account_analytics"]["partitions"]:
        assert "replication_key_value" not in partition


def test_where_readiness_may_not_be_asked_two_whole_days_are_waited_for(sandbox: Sandbox) -> None:
    config = settings(sandbox, refresh_token="", auth_method="client_credentials")
    result = run(config, "ad_account_analytics")

    account = result.records("ad_account_analytics")[0]["ad_account_id"]
    bookmark = result.partition("ad_account_analytics", account)["replication_key_value"]
    assert bookmark == str(sandbox.today - 3 * DAY)


def test_ids_go_in_batches_that_fit_into_a_call_and_its_url() -> None:
    size = WorldSize(accounts=1, empty_accounts=0, campaigns=4, ad_groups=20, ads=700)
    with Sandbox(seed=5, today=TODAY, size=size) as sandbox:
        result = run(settings(sandbox, start_date="4 days ago"), "ad_analytics")
        urls = [len(f"{sandbox.url}{r.path}?{r.query_string}") for r in sandbox.requests]
        calls = report_calls(sandbox)

    assert result.code == 0
    assert max(urls) <= 7500
    assert max(len(call["ad_ids"]) for call in calls) <= 250
    listed = [ad for call in calls for ad in call["ad_ids"]]
    assert len(listed) == len(set(listed))


def test_calls_are_as_few_as_pages_and_slices_allow() -> None:
    size = WorldSize(accounts=2, empty_accounts=0, campaigns=20, ad_groups=60, ads=300)
    with Sandbox(seed=5, today=TODAY, size=size) as sandbox:
        result = run(settings(sandbox, report_columns=["SPEND_IN_DOLLAR"]))
        calls = Counter(each.operation for each in sandbox.requests)

    account = "GET /ad_accounts/{ad_account_id}"
    assert result.code == 0
    # One for each Pin that ads promote and no list has.
    assert calls.pop("GET /pins/{pin_id}") <= len(result.records("ad_creatives"))
    assert {name: calls[name] for name in calls if "/analytics" not in (name or "")} == {
        "POST /oauth/token": 1,
        "GET /ad_accounts": 1,
        f"{account}/campaigns": 2,
        f"{account}/ad_groups": 2,
        f"{account}/ads": 4,
        "GET /resources/metrics_ready_state": 3,
        "GET /resources/delivery_metrics": 2,
        "GET /user_account": 1,
        "GET /boards": 1,
        # Its last page is empty.
        "GET /pins": 2,
    }
    assert calls[f"{account}/analytics"] == 2
    assert calls[f"{account}/campaigns/analytics"] == 2
    assert calls[f"{account}/ad_groups/analytics"] <= 2 * 2
    assert calls[f"{account}/ads/analytics"] <= 2 * 6


@pytest.mark.parametrize("fault", [{"status": 413}, {"status": 414}, {"kind": "hang"}], ids=str)
def test_a_slice_that_is_too_large_or_too_slow_is_read_in_halves(
    sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    whole = run(settings(sandbox), "campaign_analytics")
    sandbox.requests.clear()
    sandbox.fail("*/campaigns/analytics", times=2, **fault)

    halved = run(settings(sandbox, request_timeout=1), "campaign_analytics")

    assert halved.code == 0
    assert halved.records("campaign_analytics") == whole.records("campaign_analytics")


def test_no_call_is_one_that_the_sandbox_refuses(sandbox: Sandbox) -> None:
    run(settings(sandbox))

    assert {each.status for each in sandbox.requests} == {200}


@pytest.mark.parametrize("end_date", ["today", "2027-01-31"])
def test_an_end_date_after_yesterday_reads_today_but_does_not_bookmark_it(
    sandbox: Sandbox, end_date: str
) -> None:
    result = run(settings(sandbox, end_date=end_date), "ad_account_analytics")
    asked = [
        dict(each.query)["date"]
        for each in sandbox.requests
        if each.path == "/resources/metrics_ready_state"
    ]
    account = result.records("ad_account_analytics")[0]["ad_account_id"]

    assert max(days(result, "ad_account_analytics")) == str(sandbox.today)
    bookmark = result.partition("ad_account_analytics", account)["replication_key_value"]
    assert bookmark < str(sandbox.today)
    assert max(asked) == str(sandbox.today - DAY)


def test_ready_states_are_one_record_a_day_and_go_on_where_the_last_complete_day_was(
    sandbox: Sandbox,
) -> None:
    def by_day(result: Run) -> dict[date, tuple[bool, bool]]:
        return {
            record["date"]: (
                record["conversion_metrics_ready"],
                record["non_conversion_metrics_ready"],
            )
            for record in result.records("metrics_ready_state")
        }

    first = run(settings(sandbox), "metrics_ready_state", "ad_accounts")
    sandbox.today += 2 * DAY
    second = run(settings(sandbox), "metrics_ready_state", "ad_accounts", state=first.state)

    today = sandbox.today
    assert list(by_day(first)) == [str(today - back * DAY) for back in (5, 4, 3)]
    assert by_day(first)[str(today - 3 * DAY)] == (False, True)  # type: ignore[index]
    assert list(by_day(second)) == [str(today - back * DAY) for back in (3, 2, 1)]
    assert by_day(second)[str(today - 3 * DAY)] == (True, True)  # type: ignore[index]
