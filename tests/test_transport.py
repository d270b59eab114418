"""Asynchronous reports: ordered, polled and downloaded, and the same rows as synchronous calls."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pinterest_sandbox import Sandbox, WorldSize
from singer_run import PatientClock, run, settings
from tap_pinterest.api import targeting
from tap_pinterest.api.levels import LEVELS
from tap_pinterest.api.periods import GRANULARITIES
from tap_pinterest.http import transport
from tap_pinterest.records.sync_key import sync_key
from tap_pinterest.reports.ordering import MOST_CREATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinterest_sandbox.requests_log import LoggedRequest
    from singer_run import Run

TODAY = date(2026, 11, 20)
DAY = timedelta(days=1)
CREATE = "POST /ad_accounts/{ad_account_id}/reports"
POLL = "GET /ad_accounts/{ad_account_id}/reports"
DEFAULT = ("ad_account_analytics", "campaign_analytics", "ad_group_analytics", "ad_analytics")
COLUMNS = ["SPEND_IN_MICRO_DOLLAR", "TOTAL_IMPRESSION", "TOTAL_CHECKOUT", "CAMPAIGN_NAME"]
KEY_OF_A_BREAKDOWN = ("campaign_id", "targeting_type", "targeting_value", "date")
GROUPS = ["ads", "products", "keywords", "targeting"]
WORLD = WorldSize(accounts=2, empty_accounts=1, campaigns=3, ad_groups=5, ads=9, boards=1, pins=3)


class SharedClock(PatientClock):
    """A patient clock whose waits pass in the sandbox too."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = sandbox

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._sandbox.wait(seconds)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Without quotas: a test's clock does not wait for those of the sandbox."""
    with Sandbox(seed=9, today=TODAY, size=WORLD, access_tier="unlimited") as sandbox:
        yield sandbox


def config_of(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    config = {"stream_groups": GROUPS, "report_columns": COLUMNS, **more}
    return settings(sandbox, **config)


def asynchronous(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    return config_of(sandbox, report_transport="async", **more)


def requests_of(sandbox: Sandbox, operation: str) -> list[LoggedRequest]:
    return [each for each in sandbox.requests if each.operation == operation]


def report_requests(sandbox: Sandbox) -> list[LoggedRequest]:
    """Calls for numbers, and orders of reports."""
    return [
        each
        for each in sandbox.requests
        if each.path.endswith("analytics") or each.operation == CREATE
    ]


def numbers(record: dict[str, Any]) -> bool:
    metrics = ("spend_in_micro_dollar", "total_impression", "total_checkout")
    return any(record.get(name) for name in metrics)


def rows(result: Run, stream: str) -> dict[str, dict[str, Any]]:
    """The records that have numbers, by their `__sync_key`."""
    return {each["__sync_key"]: each for each in result.records(stream) if numbers(each)}


@pytest.mark.parametrize(
    "stream", [*DEFAULT, "product_group_analytics", "campaign_targeting_analytics"]
)
def test_both_transports_bring_the_same_records(sandbox: Sandbox, stream: str) -> None:
    more = {"start_date": "30 days ago", "targeting_types": "GENDER,APPTYPE,LOCATION"}
    one_way = run(config_of(sandbox, report_transport="sync", **more), stream)
    other_way = run(asynchronous(sandbox, **more), stream)

    assert rows(one_way, stream)
    assert rows(other_way, stream) == rows(one_way, stream)
    assert requests_of(sandbox, CREATE)
    assert other_way.tap.run.summary.of(stream).unknown == {}


def test_the_sync_key_does_not_change_with_the_transport_when_rows_lack_parents(
    sandbox: Sandbox,
) -> None:
    ads = {ad["id"]: ad for ad in run(config_of(sandbox), "ads").records("ads")}
    ad_id, ad = next(iter(ads.items()))
    row = {"DATE": "2026-11-19", "SPEND_IN_MICRO_DOLLAR": 5}
    config = config_of(sandbox, start_date="yesterday", ad_account_ids=ad["ad_account_id"])
    sandbox.fail("*/ads/analytics", status=200, body=[{"AD_ID": ad_id, **row}])
    (one,) = run(config, "ad_analytics").records("ad_analytics")
    sandbox.fail("/downloads/*", status=200, body={"1": [{"PIN_PROMOTION_ID": int(ad_id), **row}]})
    (other,) = run(config | {"report_transport": "async"}, "ad_analytics").records("ad_analytics")

    fields = ("ad_account_id", "ad_group_id", "ad_id", "campaign_id", "pin_id", "date")
    assert one == other
    assert one["__sync_key"] == sync_key(one, fields)
    assert one["campaign_id"] == ad["campaign_id"]


@pytest.mark.parametrize("stream", ["keyword_analytics", "product_item_analytics"])
def test_levels_that_only_reports_have_come_with_their_own_ids(
    sandbox: Sandbox, stream: str
) -> None:
    result = run(config_of(sandbox, start_date="40 days ago"), stream)
    records = result.records(stream)
    key = stream.replace("analytics", "id")

    assert result.code == 0
    assert len(records) > 20
    assert len({(each[key], each["date"]) for each in records}) == len(records)


def test_a_row_without_an_id_fails_and_the_error_lists_its_columns(sandbox: Sandbox) -> None:
    sandbox.fail("/downloads/*", status=200, body=[{"DATE": "2026-11-19", "TERM": "x"}], times=None)
    result = run(config_of(sandbox, start_date="yesterday"), "keyword_analytics")
    failures = result.tap.run.summary.of("keyword_analytics").failures

    assert result.code == 1
    assert "has no keyword_id; it has: DATE, TERM" in next(iter(failures.values()))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([{"CAMPAIGN_ID": 626700000001}], id="an array, ids as numbers"),
        pytest.param({"a": [{"CAMPAIGN_ID": "626700000001"}], "b": []}, id="arrays in an object"),
        pytest.param('[{"CAMPAIGN_ID": "6267", "CAMPAIGN_NAME": "\\ud800 \\u0000"}]', id="damaged"),
    ],
)
def test_both_layouts_of_a_download_are_read(sandbox: Sandbox, body: Any) -> None:
    text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
    text = text.replace('"CAMPAIGN_ID"', '"DATE": "2026-11-19", "CAMPAIGN_ID"')
    sandbox.fail("/downloads/*", status=200, body=text, times=None)
    result = run(asynchronous(sandbox, start_date="yesterday"), "campaign_analytics")

    assert result.code == 0
    assert {each["date"] for each in result.records("campaign_analytics")} == {"2026-11-19"}
    assert all(isinstance(r["campaign_id"], str) for r in result.records("campaign_analytics"))


@pytest.mark.parametrize(
    "fault", [{"kind": "empty"}, {"kind": "html"}, {"status": 200, "body": "{}x"}], ids=str
)
def test_a_finished_report_that_cannot_be_read_is_a_failure(
    sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    sandbox.fail("/downloads/*", times=None, **fault)
    result = run(asynchronous(sandbox, start_date="yesterday"), "campaign_analytics")

    assert result.code == 1
    assert result.records("campaign_analytics") == []
    assert "partitions" not in result.state.get("bookmarks", {}).get("campaign_analytics", {})


def test_a_download_gets_no_token_and_its_link_is_not_shown(
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    caplog.set_level("DEBUG")
    sandbox.fail("/downloads/*", status=403, body="<Error/>")
    sandbox.fail("/downloads/*", kind="reset")
    result = run(asynchronous(sandbox, start_date="yesterday"), "campaign_analytics")

    assert result.code == 0
    assert result.records("campaign_analytics")
    assert "asking for a new link" in caplog.text
    assert "X-Signature" not in caplog.text


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_an_expired_link_is_asked_for_again(sandbox: Sandbox, status: int) -> None:
    sandbox.fail("/downloads/*", status=status, body="<Error/>", times=2)
    result = run(asynchronous(sandbox, start_date="yesterday"), "ad_account_analytics")

    assert result.code == 0
    assert result.records("ad_account_analytics")
    created = requests_of(sandbox, CREATE)
    assert len(created) == len({each.path for each in created})


def test_a_download_that_drips_in_too_slowly_is_tried_again(sandbox: Sandbox) -> None:
    sandbox.fail("/downloads/*", kind="slow", seconds=4)
    config = asynchronous(sandbox, start_date="yesterday", request_timeout=1)
    result = run(config, "ad_account_analytics")

    downloads = [each for each in sandbox.requests if each.path.startswith("/downloads/")]
    assert result.code == 0
    assert len(downloads) == len(requests_of(sandbox, CREATE)) + 1


def test_a_report_that_a_poll_does_not_find_is_created_again(sandbox: Sandbox) -> None:
    body = {"code": 404, "message": "Report not found."}
    sandbox.fail("*/reports", method="GET", status=404, body=body)
    config = asynchronous(sandbox, start_date="yesterday")
    result = run(config, "campaign_analytics")
    created = requests_of(sandbox, CREATE)

    assert result.code == 0
    assert result.records("campaign_analytics")
    assert len(created) == len({each.path for each in created}) + 1

    sandbox.fail("*/reports", method="GET", status=404, body=body, times=None)
    result = run(config, "campaign_analytics")
    reasons = str(result.tap.run.summary.of("campaign_analytics").failures)
    assert result.code == 1
    assert "Report not found." in reasons
    assert "3 times in a row" in reasons


@pytest.mark.parametrize("status", ["EXPIRED", "FAILED", "CANCELLED", "DOES_NOT_EXIST"])
def test_a_report_that_comes_to_nothing_is_created_again_and_then_a_failure(
    sandbox: Sandbox, status: str
) -> None:
    config = asynchronous(sandbox, start_date="yesterday", max_requests_in_flight=1)
    sandbox.fail("*/reports", kind="report", method="POST", report_status=status, polls=0)
    healed = run(config, "ad_account_analytics")
    sandbox.fail("*/reports", kind="report", method="POST", report_status=status, times=None)
    broken = run(config, "ad_account_analytics")

    assert healed.code == 0
    assert healed.records("ad_account_analytics")
    assert broken.code == 1
    failures = broken.tap.run.summary.of("ad_account_analytics").failures
    assert failures
    for failure in failures.values():
        assert f"a report is {status}" in failure
        assert f"{MOST_CREATIONS} times" in failure


def test_a_report_that_is_too_large_is_read_in_halves(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = asynchronous(sandbox, start_date="120 days ago")
    whole = run(config, "ad_analytics")
    sandbox.requests.clear()
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 50_000)
    halved = run(config, "ad_analytics")
    periods = sorted(
        (each.ad_account_id, each.body["start_date"], each.body["end_date"])
        for each in requests_of(sandbox, CREATE)
    )

    assert (whole.code, halved.code) == (0, 0)
    assert rows(halved, "ad_analytics") == rows(whole, "ad_analytics") != {}
    assert len(halved.records("ad_analytics")) == len(whole.records("ad_analytics"))
    assert halved.state == whole.state
    assert len(periods) == len(set(periods)) > 6


@pytest.mark.parametrize("status", [413, 414])
def test_an_order_that_is_refused_for_its_size_is_placed_in_halves(
    sandbox: Sandbox, status: int
) -> None:
    config = asynchronous(sandbox, start_date="7 days ago", max_requests_in_flight=1)
    whole = run(config, "campaign_analytics")
    sandbox.fail("*/reports", method="POST", status=status)
    sandbox.requests.clear()
    halved = run(config, "campaign_analytics")
    first = [
        (each.status, each.body["start_date"], each.body["end_date"])
        for each in requests_of(sandbox, CREATE)
    ][:3]

    assert first == [
        (status, "2026-11-13", "2026-11-19"),
        (201, "2026-11-13", "2026-11-15"),
        (201, "2026-11-16", "2026-11-19"),
    ]
    assert rows(halved, "campaign_analytics") == rows(whole, "campaign_analytics") != {}


def test_pinterests_words_about_an_order_are_shown_in_one_line(sandbox: Sandbox) -> None:
    said = {"report_status": "FAILED", "message": f"No.\n{'x' * 9_000}"}
    sandbox.fail("*/reports", method="POST", status=200, body=said, times=None)
    result = run(asynchronous(sandbox, start_date="yesterday"), "ad_account_analytics")

    failures = result.tap.run.summary.of("ad_account_analytics").failures
    assert failures
    for failure in failures.values():
        assert "no token for a report (FAILED: No. xxx" in failure
        assert len(failure) < 1_000
    assert result.code == 1


def test_a_single_day_that_is_too_large_ends_in_a_clear_error(sandbox: Sandbox) -> None:
    sandbox.fail("*/reports", method="POST", status=413, times=None)
    result = run(asynchronous(sandbox, start_date="8 days ago"), "campaign_analytics")
    failures = result.tap.run.summary.of("campaign_analytics").failures

    assert result.code == 1
    assert len(failures) == 2
    for failure in failures.values():
        assert "413" in failure
        assert "only the days 2026-11-12..2026-11-12: select fewer columns" in failure
    assert not result.records("campaign_analytics")
    assert "partitions" not in result.state.get("bookmarks", {}).get("campaign_analytics", {})
    # Of eight days, four, two, one and one more; and so for each account.
    assert len(requests_of(sandbox, CREATE)) == 2 * 5


def test_a_day_of_named_entities_that_is_too_large_is_read_in_halves_of_them(
    sandbox: Sandbox,
) -> None:
    ads = run(config_of(sandbox), "ads").records("ads")
    some = [each["id"] for each in ads if each["ad_account_id"] == ads[0]["ad_account_id"]][:3]
    config = asynchronous(
        sandbox,
        start_date="yesterday",
        ad_account_ids=ads[0]["ad_account_id"],
        ad_ids=some,
        max_requests_in_flight=1,
    )
    whole = run(config, "ad_analytics")
    sandbox.fail("*/reports", method="POST", status=413)
    sandbox.requests.clear()
    halved = run(config, "ad_analytics")
    asked = [each.body["ad_ids"] for each in requests_of(sandbox, CREATE)]

    assert [len(each) for each in asked] == [3, 1, 2]
    assert sorted(asked[1] + asked[2]) == sorted(some)
    assert halved.records("ad_analytics") == whole.records("ad_analytics")


def test_types_that_are_one_breakdown_are_never_halved(sandbox: Sandbox) -> None:
    report = {
        "name": "pairs",
        "level": "ADVERTISER_TARGETING",
        "targeting_types": ["GENDER", "COUNTRY"],
        "combine_targeting_types": True,
    }
    sandbox.fail("*/reports", method="POST", status=413, times=None)
    result = run(config_of(sandbox, custom_reports=[report], start_date="2 days ago"), "pairs")
    asked = requests_of(sandbox, CREATE)

    assert result.code == 1
    assert {tuple(each.body["targeting_types"]) for each in asked} == {("GENDER", "COUNTRY")}
    assert len(asked) == 2 * 3


@pytest.mark.parametrize("transport", ["sync", "async"])
def test_the_time_zone_of_reports_is_sent_when_it_is_set_and_not_otherwise(transport: str) -> None:
    streams = (*DEFAULT, "campaign_targeting_analytics")
    with Sandbox(seed=9, today=TODAY, size=WORLD, access_tier="unlimited", withheld=()) as sandbox:
        config = config_of(sandbox, start_date="yesterday", report_transport=transport)
        plain = run(config, *streams)
        before = [dict(each.query) | (each.body or {}) for each in report_requests(sandbox)]
        sandbox.requests.clear()
        zoned = run(config | {"reporting_timezone": "AD_ACCOUNT_TIME_ZONE"}, *streams)
        after = [dict(each.query) | (each.body or {}) for each in report_requests(sandbox)]

    assert (plain.code, zoned.code) == (0, 0)
    assert len(before) == len(after) >= len(streams)
    assert not any("reporting_timezone" in each for each in before)
    assert {each.get("reporting_timezone") for each in after} == {"AD_ACCOUNT_TIME_ZONE"}
    for stream in streams:
        zones = {each["reporting_timezone"] for each in zoned.records(stream)}
        assert zones == {"AD_ACCOUNT_TIME_ZONE"}
        assert all("reporting_timezone" not in each for each in plain.records(stream))


def test_an_answer_that_asks_for_patience_is_waited_for(sandbox: Sandbox) -> None:
    body = {"code": 1, "message": "Too many reports. Retry after 17 seconds."}
    sandbox.fail("*/reports", method="POST", status=400, body=body)
    result = run(asynchronous(sandbox, start_date="yesterday"), "ad_account_analytics")

    assert result.code == 0
    assert 17.0 in result.clock.waits  # type: ignore[attr-defined]


@pytest.mark.parametrize(("tier", "most"), [("standard", 33), ("trial", 6)])
def test_a_report_that_is_never_finished_is_a_failure_after_few_polls(
    sandbox: Sandbox, tier: str, most: int
) -> None:
    sandbox.fail("*/reports", kind="report", method="POST", polls=10_000, times=None)
    config = asynchronous(sandbox, start_date="yesterday", access_tier=tier)
    result = run(config, "ad_account_analytics")
    polls = Counter(dict(each.query)["token"] for each in requests_of(sandbox, POLL))

    assert result.code == 1
    failures = result.tap.run.summary.of("ad_account_analytics").failures
    assert len(failures) == len(polls) > 1
    assert all("a report is IN_PROGRESS after 3600 s" in each for each in failures.values())
    assert set(polls.values()) == {most}


def test_several_reports_are_under_way_at_once(sandbox: Sandbox) -> None:
    run(asynchronous(sandbox, start_date="600 days ago"), "ad_account_analytics")
    order = [each.operation for each in sandbox.requests if each.operation in {CREATE, POLL}]

    assert order[:4].count(CREATE) == 4


def test_days_out_of_reach_of_calls_come_as_reports_and_the_rest_as_calls(
    sandbox: Sandbox,
) -> None:
    result = run(config_of(sandbox, start_date="200 days ago"), "ad_account_analytics")
    account = result.records("ad_account_analytics")[0]["ad_account_id"]
    of_account = [
        date.fromisoformat(each["date"])
        for each in result.records("ad_account_analytics")
        if each["ad_account_id"] == account
    ]
    calls = requests_of(sandbox, "GET /ad_accounts/{ad_account_id}/analytics")

    assert {dict(each.query)["start_date"] for each in calls} == {str(TODAY - 90 * DAY)}
    assert len(requests_of(sandbox, CREATE)) == 2
    assert len(of_account) == len(set(of_account))
    assert min(of_account) < TODAY - 90 * DAY
    partition = result.partition("ad_account_analytics", account)
    assert partition["covered_from"] == str(TODAY - 200 * DAY)
    ranges = set(result.tap.run.summary.of("ad_account_analytics").ranges)
    assert ranges == {"2026-05-04..2026-08-21 (async)", "2026-08-22..2026-11-19"}


@pytest.mark.parametrize(("first", "calls", "reports"), [("50", 100, 0), ("51", 0, 1)])
def test_a_range_of_more_than_a_hundred_calls_comes_as_reports(
    sandbox: Sandbox, first: str, calls: int, reports: int
) -> None:
    ads = run(config_of(sandbox), "ads").records("ads")
    config = config_of(
        sandbox,
        start_date=f"{first} days ago",
        slice_rows=1,
        ad_account_ids=ads[0]["ad_account_id"],
        ad_ids=[each["id"] for each in ads if each["ad_account_id"] == ads[0]["ad_account_id"]][:2],
    )
    run(config, "ad_analytics")

    assert len(requests_of(sandbox, "GET /ad_accounts/{ad_account_id}/ads/analytics")) == calls
    assert len(requests_of(sandbox, CREATE)) == reports


@pytest.mark.parametrize(("days", "calls", "reports"), [(60, 4, 0), (61, 0, 1)])
def test_a_trial_run_takes_the_way_with_fewer_calls(
    sandbox: Sandbox, days: int, calls: int, reports: int
) -> None:
    """Calls of fifteen days, or a report and its three polls."""
    account = run(config_of(sandbox), "ad_accounts").records("ad_accounts")[0]["id"]
    config = config_of(
        sandbox,
        start_date=f"{days} days ago",
        slice_rows=15,
        ad_account_ids=account,
        access_tier="trial",
    )
    run(config, "ad_account_analytics")

    assert len(requests_of(sandbox, "GET /ad_accounts/{ad_account_id}/analytics")) == calls
    assert len(requests_of(sandbox, CREATE)) == reports


def test_breakdowns_that_only_calls_have_are_read_by_calls_beside_the_reports(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    ads = run(config_of(sandbox), "ads").records("ads")
    config = config_of(
        sandbox,
        start_date="52 days ago",
        slice_rows=2,
        ad_account_ids=ads[0]["ad_account_id"],
        campaign_ids=[*{each["campaign_id"] for each in ads}][:2],
        targeting_types=["GENDER", "CREATIVE_TYPE"],
    )
    result = run(config, "campaign_targeting_analytics")
    called = requests_of(sandbox, "GET /ad_accounts/{ad_account_id}/campaigns/targeting_analytics")
    records = result.records("campaign_targeting_analytics")
    keys = Counter(tuple(each[key] for key in KEY_OF_A_BREAKDOWN) for each in records)

    assert {tuple(each.body["targeting_types"]) for each in requests_of(sandbox, CREATE)} == {
        ("GENDER",)
    }
    assert {dict(each.query)["targeting_types"] for each in called} == {"CREATIVE_TYPE"}
    assert {each["targeting_type"] for each in records} == {"GENDER", "CREATIVE_TYPE"}
    assert set(keys.values()) == {1}
    assert "do not break down" not in caplog.text


@pytest.mark.parametrize(
    ("more", "since"),
    [
        ({"start_date": "100 days ago"}, f"from {TODAY - 90 * DAY} on only"),
        ({"start_date": "100 days ago", "end_date": "95 days ago"}, "not at all"),
        ({"start_date": "90 days ago"}, None),
    ],
    ids=str,
)
def test_types_that_reports_lack_are_named_for_days_that_only_reports_reach(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, more: dict[str, str], since: str | None
) -> None:
    config = config_of(sandbox, targeting_types=["GENDER", "CREATIVE_TYPE"], **more)
    result = run(config, "campaign_targeting_analytics")

    assert result.code == 0
    warning = "asynchronous reports do not break down by CREATIVE_TYPE; for "
    assert caplog.text.count(warning) == (since is not None)
    assert since is None or f"they are read {since}" in caplog.text


@pytest.mark.parametrize("granularity", ["WEEK", "MONTH"])
def test_periods_of_both_transports_are_whole_and_each_comes_once(
    sandbox: Sandbox, granularity: str
) -> None:
    account = run(config_of(sandbox), "ad_accounts").records("ad_accounts")[0]["id"]
    stream = f"ad_account_analytics_{granularity.lower()}"
    config = config_of(
        sandbox,
        start_date="300 days ago",
        ad_account_ids=account,
        granularities=["DAY", granularity],
    )
    sandbox.requests.clear()
    result = run(config, stream, "ad_account_analytics")
    impressions: Counter[str] = Counter()
    for each in result.records("ad_account_analytics"):
        start = GRANULARITIES[granularity].first_day(date.fromisoformat(each["date"]))
        impressions[str(start)] += each["total_impression"] or 0
    found = {each["date"]: each["total_impression"] for each in result.records(stream)}
    asked = [
        (dict(each.query) | (each.body or {}))
        for each in report_requests(sandbox)
        if granularity
        in {dict(each.query).get("granularity"), (each.body or {}).get("granularity")}
    ]

    assert len(result.records(stream)) == len(found) > 5
    # The first period is not wholly in the days read, but is wholly in reach.
    assert {start: found[start] for start in sorted(found)[1:]} == {
        start: impressions[start] for start in sorted(impressions)[1:]
    }
    assert {len(each["start_date"]) for each in asked} == {10}
    assert len(asked) > 2
    starts = {date.fromisoformat(each["start_date"]) for each in asked}
    assert starts == {*map(GRANULARITIES[granularity].first_day, starts)}


def test_a_breakdown_comes_as_reports_of_five_types(sandbox: Sandbox) -> None:
    result = run(asynchronous(sandbox, start_date="yesterday"), "ad_account_targeting_analytics")
    asked = [each.body["targeting_types"] for each in requests_of(sandbox, CREATE)]

    assert result.code == 0
    assert {len(each) for each in asked} == {5, 2}
    assert Counter(name for each in asked for name in each) == dict.fromkeys(
        targeting.chosen(LEVELS["ad_account"], ()),
        len({each.path for each in requests_of(sandbox, CREATE)}),
    )


def test_types_that_only_reports_have_are_ordered_beside_the_calls(sandbox: Sandbox) -> None:
    types = ["GENDER", "LOCAL_ADS_STORE_CODE"]
    config = config_of(sandbox, targeting_types=types, start_date="yesterday")
    result = run(config, "campaign_targeting_analytics")
    records = result.records("campaign_targeting_analytics")
    orders = requests_of(sandbox, CREATE)

    assert result.code == 0
    assert {each["targeting_type"] for each in records} == {*types}
    assert {tuple(each.body["targeting_types"]) for each in orders} == {("LOCAL_ADS_STORE_CODE",)}


def test_types_that_calls_do_not_have_are_named_where_there_are_only_calls(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    types = ["GENDER", "LOCAL_ADS_STORE_CODE"]
    config = config_of(sandbox, targeting_types=types, report_transport="sync")
    result = run(config, "campaign_targeting_analytics")
    records = result.records("campaign_targeting_analytics")

    assert result.code == 0
    assert {each["targeting_type"] for each in records} == {"GENDER"}
    assert "synchronous calls do not break down by LOCAL_ADS_STORE_CODE" in caplog.text


def test_a_report_of_named_entities_has_five_hundred_of_them_at_most() -> None:
    size = WorldSize(accounts=1, empty_accounts=0, campaigns=2, ad_groups=20, ads=580)
    with Sandbox(seed=7, today=TODAY, size=size, access_tier="unlimited") as sandbox:
        plain = config_of(sandbox)
        ads = {each["id"]: each["campaign_id"] for each in run(plain, "ads").records("ads")}
        config = plain | {"report_transport": "async", "campaign_ids": [*{*ads.values()}]}
        result = run(config | {"start_date": "yesterday"}, "ad_analytics")
        asked = [each.body["ad_ids"] for each in requests_of(sandbox, CREATE)]

    assert result.code == 0
    assert sorted(map(len, asked)) == [len(ads) - 500, 500]
    assert {each for ids in asked for each in ids} == ads.keys()


def test_product_items_reach_ninety_two_days_back_thirty_one_a_report(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    result = run(config_of(sandbox, start_date="earliest"), "product_item_analytics")
    periods = sorted(
        {(each.body["start_date"], each.body["end_date"]) for each in requests_of(sandbox, CREATE)}
    )

    assert result.code == 0
    assert (periods[0][0], periods[-1][1]) == (str(TODAY - 92 * DAY), str(TODAY - DAY))
    assert len(periods) == 3
    assert "product items" not in caplog.text
    run(config_of(sandbox, start_date="100 days ago"), "product_item_analytics")
    warning = "Pinterest keeps 92 days for reports of product items"
    assert f"{warning}: there are data from {TODAY - 92 * DAY} on" in caplog.text


@pytest.mark.parametrize("stream", ["campaign_analytics", "campaign_targeting_analytics"])
@pytest.mark.parametrize(("transport", "days", "most"), [("sync", 91, 90), ("async", 187, 186)])
def test_a_total_of_more_days_than_pinterest_adds_up_is_named_before_it_is_asked_for(
    sandbox: Sandbox, transport: str, days: int, most: int, stream: str
) -> None:
    config = config_of(
        sandbox,
        granularities=["TOTAL"],
        report_transport=transport,
        start_date=f"{days} days ago",
        end_date="today" if transport == "sync" else "yesterday",
    )
    result = run(config, f"{stream}_total")

    part = result.tap.run.summary.of(f"{stream}_total")
    by_default = stream == "campaign_analytics"
    assert result.code == 1  # nothing else could be read
    (reason, *_) = (part.failures if by_default else part.skipped).values()
    assert reason.endswith(f"adds up at most {most}; give another start_date or end_date")
    assert not report_requests(sandbox)


def test_history_of_914_days_takes_few_reports_without_gap_or_overlap() -> None:
    size = WorldSize(accounts=1, empty_accounts=0, campaigns=10, ad_groups=40, ads=200)
    with Sandbox(
        seed=7, today=TODAY, size=size, access_tier="unlimited", report_seconds=(4.0, 100.0)
    ) as sandbox:
        config = config_of(sandbox, start_date="earliest", report_columns=["TOTAL_IMPRESSION"])
        result = run(config, "ad_analytics", clock=SharedClock(sandbox))
        created = requests_of(sandbox, CREATE)
        polls = Counter(dict(each.query)["token"] for each in requests_of(sandbox, POLL))
    ranges = result.tap.run.summary.of("ad_analytics").ranges
    records = result.records("ad_analytics")
    partition = result.state["bookmarks"]["ad_analytics"]["partitions"][0]

    assert result.code == 0
    assert len(polls) == len(created) <= 12
    assert max(polls.values()) == 3
    periods = sorted((each.body["start_date"], each.body["end_date"]) for each in created)
    assert (periods[0][0], periods[-1][1]) == ("2024-05-20", "2026-08-21")
    assert all(
        date.fromisoformat(later) - date.fromisoformat(earlier) == DAY
        for (_, earlier), (later, _) in pairwise(periods)
    )
    assert set(ranges) == {"2024-05-20..2026-08-21 (async)", "2026-08-22..2026-11-19"}
    keys = Counter((each["ad_id"], each["date"]) for each in records)
    assert set(keys.values()) == {1}
    days = {date.fromisoformat(each["date"]) for each in records}
    assert len(days) == (max(days) - min(days)).days + 1
    assert partition["covered_from"] == "2024-05-20"


def test_where_reports_are_refused_calls_read_the_days_in_reach_with_one_warning(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = {"code": 29, "message": "You are not permitted to access that resource."}
    sandbox.fail("*/reports", method="POST", status=403, body=refusal, times=None)
    result = run(config_of(sandbox, start_date="200 days ago"), *DEFAULT)

    assert result.code == 0
    for stream in DEFAULT:
        for partition in result.state["bookmarks"][stream]["partitions"]:
            assert partition["covered_from"] == str(TODAY - 90 * DAY)
    warned = [r.getMessage() for r in caplog.records if "refuses asynchronous" in r.getMessage()]
    assert len(warned) == 2
    assert all(f"have data from {TODAY - 90 * DAY} on" in each for each in warned)


def test_an_ad_account_that_refuses_reports_is_asked_once_a_run() -> None:
    refusal = {"code": 29, "message": "You are not permitted to access that resource."}
    levels = ("ad_account_analytics", "campaign_analytics")
    streams = (
        *(f"{level}{period}" for level in levels for period in ("", "_week", "_month")),
        *("ad_account_targeting_analytics", "keyword_analytics"),
    )
    # The answer takes long enough for other streams to have begun, which need no list before.
    with Sandbox(seed=9, today=TODAY, size=WORLD, access_tier="unlimited", latency=0.05) as sandbox:
        sandbox.fail("*/reports", method="POST", status=403, body=refusal, times=None)
        granularities = ["DAY", "WEEK", "MONTH"]
        config = config_of(sandbox, start_date="200 days ago", granularities=granularities)
        result = run(config, *streams)
        asked = Counter(each.ad_account_id for each in requests_of(sandbox, CREATE))
        accounts = [each["id"] for _, each in sandbox.truth("GET /ad_accounts")]

    assert asked == dict.fromkeys(accounts, 1)
    assert all(result.records(each) for each in streams if each != "keyword_analytics")
    assert "29" in next(iter(result.tap.run.summary.of("keyword_analytics").skipped.values()))


def test_a_report_refused_for_its_own_settings_does_not_affect_others(
    sandbox: Sandbox,
) -> None:
    plain = {"level": "CAMPAIGN", "columns": ["TOTAL_IMPRESSION"]}
    zoned = plain | {"name": "in_our_zone", "reporting_timezone": "AD_ACCOUNT_TIME_ZONE"}
    config = config_of(
        sandbox,
        start_date="200 days ago",
        custom_reports=[zoned, plain | {"name": "plain"}],
        max_requests_in_flight=1,
    )
    result = run(config, "in_our_zone", "plain")

    refused, *granted = requests_of(sandbox, CREATE)
    assert (refused.status, refused.body["reporting_timezone"]) == (401, "AD_ACCOUNT_TIME_ZONE")
    assert {each.status for each in granted if "reporting_timezone" not in each.body} == {201}
    assert min(each["date"] for each in result.records("plain")) < "2026-08-22"
    assert result.tap.run.summary.of("in_our_zone").failures


def test_a_report_of_the_config_that_is_refused_by_itself_is_read_by_calls(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = {"code": 29, "message": "You are not permitted to access that resource."}
    sandbox.fail("*/reports", method="POST", status=403, body=refusal, times=None)
    mine = {"name": "mine", "level": "CAMPAIGN", "columns": ["TOTAL_IMPRESSION"]}
    result = run(config_of(sandbox, start_date="200 days ago", custom_reports=[mine]), "mine")

    asked = Counter(each.ad_account_id for each in requests_of(sandbox, CREATE))
    assert result.code == 0
    assert min(each["date"] for each in result.records("mine")) == str(TODAY - 90 * DAY)
    assert set(asked.values()) == {1}
    assert "refuses asynchronous reports with mine of ad account" in caplog.text


def test_client_credentials_read_synchronously(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    credentials = {"refresh_token": "", "auth_method": "client_credentials"}
    config = config_of(sandbox, start_date="200 days ago", **credentials)
    result = run(config, "campaign_analytics", "ad_account_analytics")

    assert result.code == 0
    assert result.records("campaign_analytics")
    assert result.records("ad_account_analytics")
    assert not requests_of(sandbox, CREATE)
    assert caplog.text.count("refuses asynchronous reports with auth_method") == 1


def test_a_column_that_only_reports_have_makes_the_report_asynchronous(sandbox: Sandbox) -> None:
    config = config_of(sandbox, start_date="yesterday", report_columns="CAMPAIGN_STATUS,CTR")
    result = run(config, "campaign_analytics", "ad_account_analytics")

    assert {each.operation for each in sandbox.requests if "nalytics" in str(each.operation)} == {
        "GET /ad_accounts/{ad_account_id}/analytics"
    }
    records = result.records("campaign_analytics")
    assert records
    assert all(each["campaign_status"] for each in records)


@pytest.mark.parametrize("status", ["ARCHIVED", "PAUSED"])
def test_a_status_narrows_reports_as_it_narrows_calls(sandbox: Sandbox, status: str) -> None:
    ads = run(config_of(sandbox), "ads").records("ads")
    some = {"entity_statuses": [status]}
    one_way = run(config_of(sandbox, **some), "ad_analytics")
    other_way = run(asynchronous(sandbox, **some), "ad_analytics")

    of_status = {each["id"] for each in ads if each["status"] == status}
    assert {each["ad_id"] for each in one_way.records("ad_analytics")} <= of_status
    assert rows(other_way, "ad_analytics") == rows(one_way, "ad_analytics") != {}


def test_filters_narrow_reports_as_they_narrow_calls(sandbox: Sandbox) -> None:
    some = run(config_of(sandbox), "keyword_analytics").records("keyword_analytics")[0]
    filters = {"campaign_ids": some["campaign_id"], "start_date": "30 days ago"}
    streams = ("ad_analytics", "keyword_analytics")
    one_way = run(config_of(sandbox, **filters), *streams)
    other_way = run(asynchronous(sandbox, **filters), *streams)

    assert rows(other_way, "ad_analytics") == rows(one_way, "ad_analytics") != {}
    keywords = one_way.records("keyword_analytics")
    assert {each["campaign_id"] for each in keywords} == {some["campaign_id"]}


def test_archived_ads_are_in_reports(sandbox: Sandbox) -> None:
    ads = run(config_of(sandbox), "ads").records("ads")
    archived = {each["id"] for each in ads if each["status"] == "ARCHIVED"}
    result = run(asynchronous(sandbox), *DEFAULT)
    reported = {each["ad_id"] for each in result.records("ad_analytics")}
    totals = []
    for stream in DEFAULT:
        spent: Counter[tuple[str, str]] = Counter()
        for each in result.records(stream):
            spent[each["ad_account_id"], each["date"]] += each["spend_in_micro_dollar"] or 0
        totals.append(+spent)

    assert archived & reported
    assert totals[0] == totals[1] == totals[2] == totals[3] != Counter()


@pytest.mark.parametrize(("tier", "most"), [("standard", 30), ("trial", 10)])
def test_a_thousand_ads_and_all_four_levels_take_few_calls(tier: str, most: int) -> None:
    size = WorldSize(accounts=1, empty_accounts=0, campaigns=20, ad_groups=120, ads=1000)
    with Sandbox(seed=7, today=TODAY, size=size, access_tier="unlimited") as sandbox:
        config = config_of(sandbox, start_date="89 days ago", access_tier=tier)
        result = run(config, *DEFAULT)
        operations = Counter(each.operation for each in sandbox.requests)
    calls = sum(count for name, count in operations.items() if "/analytics" in str(name))
    reports = operations[CREATE] + operations[POLL]

    assert result.code == 0
    assert calls + reports <= most
    assert len({each["ad_id"] for each in result.records("ad_analytics")}) > 500
