"""Organic reports, as Singer messages and as requests."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import Sandbox, WorldSize
from pinterest_sandbox.style import Style
from singer_run import run, settings
from tap_pinterest import api
from tap_pinterest.api.periods import ORGANIC
from tap_pinterest.streams import pins
from tap_pinterest.streams.pins import (
    ALL_METRICS,
    MOST_REFUSED_IN_A_ROW,
    STANDARD_METRICS,
    VIDEO_METRICS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_run import Run

TODAY = date(2026, 11, 20)
DAY = timedelta(days=1)
WORLD = WorldSize(accounts=3, empty_accounts=1, campaigns=1, ad_groups=1, ads=1, boards=3, pins=24)
BULK, SINGLE = "GET /pins/analytics", "GET /pins/{pin_id}/analytics"
PINS, USERS = "pin_analytics", "user_account_analytics"
TOP, TOP_VIDEO = "user_account_top_pin_analytics", "user_account_top_video_pin_analytics"
NOT_AUTHORISED = {"code": 7, "message": "Not authorized to access board or Pin."}
KEYS = {
    PINS: ("pin_id", "app_type", "date"),
    USERS: ("user_id", "split_field", "split_value", "date"),
}


@pytest.fixture
def pinterest() -> Iterator[Sandbox]:
    """A world with Pins enough, and no quotas."""
    with Sandbox(seed=7, today=TODAY, size=WORLD, access_tier="unlimited") as sandbox:
        yield sandbox


@pytest.fixture
def without_beta() -> Iterator[Sandbox]:
    """The same for an app that may not ask for many Pins at once."""
    with Sandbox(
        seed=7, today=TODAY, size=WORLD, access_tier="unlimited", withheld=[BULK]
    ) as sandbox:
        yield sandbox


def config(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    return settings(sandbox, stream_groups=["organic", "boards"], **more)


def calls(sandbox: Sandbox, operation: str) -> list[dict[str, Any]]:
    """The parameters of the calls of an operation."""
    found = []
    for request in sandbox.requests:
        if request.operation == operation:
            query: dict[str, list[str]] = defaultdict(list)
            for name, value in request.query:
                query[name].append(value)
            found.append({name: v[0] if len(v) == 1 else v for name, v in query.items()})
    return found


def by_key(*runs: Run, stream: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rows of a table after these runs, upserted by key."""
    return {
        tuple(record[name] for name in KEYS[stream]): record
        for each in runs
        for record in each.records(stream)
    }


def own_pins(sandbox: Sandbox) -> list[str]:
    """Pins of the user that the token sees, saved ones included."""
    return [pin["id"] for _, pin in sandbox.truth("GET /pins")]


def saved_pins(sandbox: Sandbox) -> set[str]:
    """Those of them that were saved from others."""
    return {pin["id"] for _, pin in sandbox.truth("GET /pins") if pin["parent_pin_id"]}


def days(first: date, last: date) -> list[str]:
    return [str(first + DAY * n) for n in range((last - first).days + 1)]


def test_pins_on_protected_boards_are_read_as_others(pinterest: Sandbox) -> None:
    """All Pins of the truth, and some of them only because protected boards are asked for."""
    result = run(config(pinterest), "pins")

    protected = {pin["id"] for _, pin in pinterest.truth("GET /pins")} - {
        pin["id"] for _, pin in pinterest.truth("GET /pins", include_protected_pins=False)
    }
    assert protected
    assert protected <= {record["id"] for record in result.records("pins")}


def test_a_users_report_is_one_call_for_ninety_days_and_each_split(pinterest: Sandbox) -> None:
    result = run(config(pinterest, user_split_fields="NO_SPLIT,APP_TYPE,SOURCE"), USERS)

    asked = calls(pinterest, "GET /user_account/analytics")
    assert result.code == 0
    assert sorted(each["split_field"] for each in asked) == ["APP_TYPE", "NO_SPLIT", "SOURCE"]
    assert {(each["start_date"], each["end_date"]) for each in asked} == {
        (str(TODAY - 90 * DAY), str(TODAY - DAY))
    }
    assert Counter(
        (record["split_field"], record["split_value"]) for record in result.records(USERS)
    ) == {
        ("NO_SPLIT", "all"): 90,
        **{("APP_TYPE", each): 90 for each in ("MOBILE", "TABLET", "WEB")},
        **{("SOURCE", each): 90 for each in ("YOUR_PINS", "OTHER_PINS")},
    }


def test_today_is_read_in_the_same_call_when_it_is_wanted(pinterest: Sandbox) -> None:
    result = run(config(pinterest, end_date="today"), USERS)

    assert len(calls(pinterest, "GET /user_account/analytics")) == 1
    assert [record["date"] for record in result.records(USERS)] == days(TODAY - 90 * DAY, TODAY)


def test_a_users_records_equal_pinterests_answers(pinterest: Sandbox) -> None:
    result = run(config(pinterest, start_date="20 days ago"), USERS)

    fixed = {"start_date": TODAY - 20 * DAY, "end_date": TODAY - DAY, "split_field": "NO_SPLIT"}
    ((_, answer),) = pinterest.truth("GET /user_account/analytics", **fixed)
    expected = {day["date"]: day for day in answer["all"]["daily_metrics"]}
    records = result.records(USERS)
    assert {record["date"] for record in records} == set(expected)
    for record in records:
        day = expected[record["date"]]
        assert record["user_id"] == pinterest.world.user.id
        assert record["data_status"] == day["data_status"]
        metrics = {
            name.upper(): value
            for name, value in record.items()
            if name not in {*KEYS[USERS], "data_status", "__sync_key"} and value is not None
        }
        assert metrics == day["metrics"]


def test_a_day_that_is_not_ready_is_not_bookmarked(pinterest: Sandbox) -> None:
    result = run(config(pinterest), USERS, PINS)

    status = {record["date"]: record["data_status"] for record in result.records(USERS)}
    assert [status[str(TODAY - n * DAY)] for n in (3, 2, 1)] == ["READY", "ESTIMATE", "PROCESSING"]
    for stream in (USERS, PINS):
        (partition,) = result.state["bookmarks"][stream]["partitions"]
        assert partition["context"] == {"user_id": pinterest.world.user.id}
        assert partition["replication_key_value"] == str(TODAY - 3 * DAY)
        assert partition["covered_from"] == str(TODAY - 90 * DAY)


@pytest.mark.parametrize(("more", "lookback"), [({}, 14), ({"lookback_days": 3}, 3)])
def test_the_next_run_reads_fourteen_days_before_the_bookmark_again(
    pinterest: Sandbox, more: dict[str, Any], lookback: int
) -> None:
    first = run(config(pinterest, **more), USERS)
    pinterest.today += DAY
    second = run(config(pinterest, **more), USERS, state=first.state)

    read = [record["date"] for record in second.records(USERS)]
    assert read == days(TODAY - (3 + lookback) * DAY, TODAY)


@pytest.mark.parametrize("stream", [USERS, PINS])
def test_after_five_days_the_table_equals_one_full_read(pinterest: Sandbox, stream: str) -> None:
    more = config(pinterest, user_split_fields="NO_SPLIT,PIN_FORMAT")
    runs = [run(more, stream)]
    for _ in range(4):
        pinterest.today += DAY
        runs.append(run(more, stream, state=runs[-1].state))

    table, full = by_key(*runs, stream=stream), by_key(run(more, stream), stream=stream)
    assert {key: table[key] for key in full} == full
    assert any(by_key(runs[0], stream=stream).get(key, row) != row for key, row in full.items())


def test_a_changed_split_reads_covered_days_again_with_one_warning(
    pinterest: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    first = run(config(pinterest), USERS)
    second = run(config(pinterest, user_split_fields="NO_SPLIT,SOURCE"), USERS, state=first.state)

    found = Counter(record["split_value"] for record in second.records(USERS))
    assert found == {"all": 90, "YOUR_PINS": 90, "OTHER_PINS": 90}
    assert caplog.text.count("settings have changed since the last run") == 1


def test_a_backfill_is_read_once(pinterest: Sandbox) -> None:
    backfill = {"start_date": "2026-09-01", "end_date": "2026-09-03"}
    more = config(pinterest, start_date="10 days ago", backfill=backfill)
    first = run(more, USERS)
    second = run(more, USERS, state=first.state)

    september = days(date(2026, 9, 1), date(2026, 9, 3))
    assert {record["date"] for record in first.records(USERS)} >= set(september)
    assert not {record["date"] for record in second.records(USERS)} & set(september)


@pytest.mark.parametrize(
    ("stream", "operation"), [(USERS, "GET /user_account/analytics"), (PINS, BULK)]
)
def test_an_earlier_start_date_reads_the_days_in_between_once(
    pinterest: Sandbox, stream: str, operation: str
) -> None:
    first = run(config(pinterest, start_date="20 days ago"), stream)
    early = config(pinterest, start_date="60 days ago")
    pinterest.requests.clear()
    second = run(early, stream, state=first.state)
    asked = {(each["start_date"], each["end_date"]) for each in calls(pinterest, operation)}
    pinterest.requests.clear()
    third = run(early, stream, state=second.state)
    again = {(each["start_date"], each["end_date"]) for each in calls(pinterest, operation)}

    lookback = (str(TODAY - 17 * DAY), str(TODAY - DAY))
    assert asked == {(str(TODAY - 60 * DAY), str(TODAY - 21 * DAY)), lookback}
    assert again == {lookback}
    (partition,) = second.state["bookmarks"][stream]["partitions"]
    assert partition["covered_from"] == str(TODAY - 60 * DAY)
    assert partition["replication_key_value"] == str(TODAY - 3 * DAY)
    assert third.state == second.state
    assert len(by_key(second, stream=stream)) == len(second.records(stream))
    assert by_key(first, second, stream=stream) == by_key(run(early, stream), stream=stream)


@pytest.mark.parametrize("stream", [USERS, PINS])
def test_a_new_user_is_read_from_the_start_date_and_the_others_from_their_bookmark(
    pinterest: Sandbox, stream: str
) -> None:
    first = run(config(pinterest), stream)
    token = pinterest.world.user.id
    second = run(config(pinterest, organic_accounts="both"), stream, state=first.state)

    earliest: dict[str, str] = {}
    for record in second.records(stream):
        user_id = record["user_id"]
        earliest[user_id] = min(earliest.get(user_id, record["date"]), record["date"])
    others = {account.owner.id for account in pinterest.world.ad_accounts} - {token}
    assert earliest == {token: str(TODAY - 17 * DAY)} | dict.fromkeys(others, str(TODAY - 90 * DAY))
    partitions = second.state["bookmarks"][stream]["partitions"]
    assert {each["context"]["user_id"] for each in partitions} == {token, *others}
    assert {each["covered_from"] for each in partitions} == {str(TODAY - 90 * DAY)}
    assert len(by_key(second, stream=stream)) == len(second.records(stream))


@pytest.mark.parametrize(
    ("stream", "operation"), [(USERS, "GET /user_account/analytics"), (PINS, BULK)]
)
def test_a_user_without_rows_is_read_to_the_end_and_remembered(
    pinterest: Sandbox, stream: str, operation: str
) -> None:
    pinterest.fail(operation=operation, status=200, body={}, times=None)
    first = run(config(pinterest, end_date="today"), stream)
    pinterest.heal()
    pinterest.today += DAY
    pinterest.requests.clear()
    second = run(config(pinterest), stream, state=first.state)

    assert first.code == 0
    assert first.records(stream) == []
    (partition,) = first.state["bookmarks"][stream]["partitions"]
    assert partition["replication_key_value"] == str(TODAY - DAY)
    assert partition["covered_from"] == str(TODAY - 90 * DAY)
    assert {each["start_date"] for each in calls(pinterest, operation)} == {str(TODAY - 15 * DAY)}
    assert second.records(stream)


def test_days_of_one_user_that_are_not_final_do_not_hold_another_back(pinterest: Sandbox) -> None:
    token = pinterest.world.user.id
    (other, through), *_ = (
        (each.owner.id, each.id) for each in pinterest.world.ad_accounts if each.owner.id != token
    )
    day = {"date": str(TODAY - DAY), "data_status": "READY", "metrics": {"SAVE": 1}}
    pinterest.fail(
        operation="GET /user_account/analytics",
        query={"ad_account_id": through},
        status=200,
        body={"all": {"daily_metrics": [day]}},
        times=None,
    )
    result = run(config(pinterest, organic_accounts="both"), USERS)

    bookmarks = {
        each["context"]["user_id"]: each["replication_key_value"]
        for each in result.state["bookmarks"][USERS]["partitions"]
    }
    assert bookmarks[token] == str(TODAY - 3 * DAY)
    assert bookmarks[other] == str(TODAY - DAY)


def test_a_user_without_pins_takes_no_call_for_them_and_is_remembered() -> None:
    size = WorldSize(accounts=1, empty_accounts=0, campaigns=1, ad_groups=1, ads=1, pins=0)
    with Sandbox(seed=7, today=TODAY, size=size, access_tier="unlimited") as pinterest:
        result = run(config(pinterest), PINS)
        asked = [each for each in pinterest.requests if each.operation in {BULK, SINGLE}]

    assert (result.code, asked) == (0, [])
    (partition,) = result.state["bookmarks"][PINS]["partitions"]
    assert partition["covered_from"] == str(TODAY - 90 * DAY)


def test_each_user_has_a_bookmark_and_is_asked_for_through_an_ad_account(
    pinterest: Sandbox,
) -> None:
    result = run(config(pinterest, organic_accounts="both"), USERS, PINS)

    owners = {account.owner.id: account.id for account in pinterest.world.ad_accounts}
    token = pinterest.world.user.id
    for stream in (USERS, PINS):
        partitions = result.state["bookmarks"][stream]["partitions"]
        assert {each["context"]["user_id"] for each in partitions} == set(owners)
        assert {record["user_id"] for record in result.records(stream)} == set(owners)
    asked = calls(pinterest, "GET /user_account/analytics")
    assert Counter(each.get("ad_account_id") for each in asked) == Counter(
        None if user == token else account for user, account in owners.items()
    )


def test_only_metrics_that_are_selected_are_asked_for(pinterest: Sandbox) -> None:
    left_out = [f"{USERS}.{name.lower()}" for name in ("SAVE", "SAVE_RATE", "ENGAGEMENT_RATE")]
    run(config(pinterest), USERS, without=left_out)

    (asked,) = calls(pinterest, "GET /user_account/analytics")
    assert asked["metric_types"].split(",") == [
        *("ENGAGEMENT", "IMPRESSION", "OUTBOUND_CLICK", "OUTBOUND_CLICK_RATE"),
        *("PIN_CLICK", "PIN_CLICK_RATE"),
    ]


def test_a_users_report_is_left_out_with_client_credentials_which_it_is_not_offered_for(
    pinterest: Sandbox,
) -> None:
    more = config(pinterest, refresh_token="", auth_method="client_credentials")
    result = run(more, USERS, TOP, PINS)

    assert result.code == 0
    (reason,) = result.tap.run.summary.streams[USERS].skipped.values()
    assert "Pinterest does not offer it with auth_method client_credentials" in reason
    assert result.records(TOP)
    assert result.records(PINS)


def test_pins_are_read_by_the_hundred_videos_apart(pinterest: Sandbox) -> None:
    result = run(config(pinterest), PINS)

    asked = calls(pinterest, BULK)
    assert result.code == 0
    assert {each["metric_types"] for each in asked} == {
        ",".join(STANDARD_METRICS),
        ",".join(ALL_METRICS),
    }
    assert len(asked) == 4
    assert not calls(pinterest, SINGLE)
    assert Counter(record["pin_id"] for record in result.records(PINS)) == dict.fromkeys(
        own_pins(pinterest), 90
    )


def test_metrics_of_pins_are_those_of_the_description_less_the_lifetime_ones() -> None:
    for operation in (BULK, SINGLE):
        offered = api.operation(operation).parameters["metric_types"].allowed
        lifetime = {"TOTAL_COMMENTS", "TOTAL_REACTIONS"}
        assert {*STANDARD_METRICS, *VIDEO_METRICS} == set(offered) - lifetime


def test_pins_one_by_one_have_the_same_records_as_pins_by_the_hundred(
    pinterest: Sandbox, without_beta: Sandbox
) -> None:
    many = run(config(pinterest), PINS)
    single = run(config(without_beta), PINS)

    assert single.code == 0
    assert by_key(single, stream=PINS) == by_key(many, stream=PINS)
    asked = [each.path for each in without_beta.requests if each.operation == SINGLE]
    assert Counter(asked) == {f"/pins/{pin}/analytics": 1 for pin in own_pins(without_beta)}
    assert len(calls(without_beta, BULK)) == 2


def test_a_split_by_app_is_the_same_with_three_calls_for_many_as_with_one_for_each(
    pinterest: Sandbox, without_beta: Sandbox
) -> None:
    more: dict[str, Any] = {"pin_split_field": "APP_TYPE", "start_date": "9 days ago"}
    many = run(config(pinterest, **more), PINS)
    single = run(config(without_beta, **more), PINS)

    assert by_key(single, stream=PINS) == by_key(many, stream=PINS)
    found = Counter(record["app_type"] for record in many.records(PINS))
    expected = len(own_pins(pinterest)) * 9
    assert found == dict.fromkeys(("MOBILE", "TABLET", "WEB"), expected)
    asked = Counter(each["app_types"] for each in calls(pinterest, BULK))
    assert asked == {"MOBILE": 4, "TABLET": 4, "WEB": 4}


def test_ten_thousand_pins_are_a_hundred_calls_and_those_of_their_list() -> None:
    size = WorldSize(accounts=1, empty_accounts=0, boards=1, pins=10_000, ads=1)
    with Sandbox(seed=7, today=TODAY, size=size, access_tier="unlimited") as sandbox:
        result = run(config(sandbox, start_date="2 days ago"), PINS)
        asked = calls(sandbox, BULK)
        own = len(own_pins(sandbox))

    assert result.code == 0
    assert sum(len(each["pin_ids"]) for each in asked) == own
    assert len(asked) <= -(-own // 100) + 3
    assert len(result.records(PINS)) == own * 2


def test_pins_one_by_one_keep_within_sixty_calls_a_minute() -> None:
    size = WorldSize(accounts=1, empty_accounts=0, boards=1, pins=300, ads=1)
    with Sandbox(seed=7, today=TODAY, size=size, withheld=[BULK], access_tier="unlimited") as each:
        result = run(config(each, start_date="2 days ago", max_requests_in_flight=1), PINS)
        asked = len(calls(each, SINGLE)) + len(calls(each, BULK))

    assert result.code == 0
    assert asked > 180
    minutes = sum(result.clock.waits) / 60  # type: ignore[attr-defined]
    assert round(minutes) == (asked - 1) // 60


def test_pins_that_are_refused_do_not_take_the_others_along(pinterest: Sandbox) -> None:
    gone, hidden = own_pins(pinterest)[3:5]
    for pin_id, status in ((gone, 404), (hidden, 401)):
        how: dict[str, Any] = {"status": status, "body": NOT_AUTHORISED, "times": None}
        pinterest.fail("/pins/analytics", query={"pin_ids": pin_id}, **how)

    result = run(config(pinterest), PINS)

    assert result.code == 0
    read = {record["pin_id"] for record in result.records(PINS)}
    assert read == set(own_pins(pinterest)) - {gone, hidden}
    (reason,) = result.tap.run.summary.streams[PINS].skipped.values()
    assert gone in reason
    assert hidden in reason
    assert len(calls(pinterest, BULK)) < 30


def test_a_pin_that_makes_a_call_invalid_does_not_take_the_others_along(
    pinterest: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first call shows that the app may ask for many Pins at once.
    monkeypatch.setattr(pins, "ORGANIC", replace(ORGANIC, ids=8))
    whole = by_key(run(config(pinterest, max_requests_in_flight=1), PINS), stream=PINS)
    first, *_, last = (each["pin_ids"] for each in calls(pinterest, BULK))
    invalid = last[len(last) // 2]
    body = {"code": 1, "message": "Invalid multi_pins analytics parameters."}
    pinterest.fail("/pins/analytics", query={"pin_ids": invalid}, status=400, body=body, times=None)

    result = run(config(pinterest, max_requests_in_flight=1), PINS)

    assert invalid not in first
    assert by_key(result, stream=PINS) == {
        key: row for key, row in whole.items() if row["pin_id"] != invalid
    }
    (reason,) = result.tap.run.summary.of(PINS).failures.values()
    assert invalid in reason
    assert not [pin_id for pin_id in last if pin_id != invalid and pin_id in reason]


def test_saved_pins_are_asked_for_and_those_that_are_refused_cost_the_others_nothing(
    pinterest: Sandbox,
) -> None:
    saved = saved_pins(pinterest)
    with_all = run(config(pinterest), PINS)
    with Sandbox(seed=7, today=TODAY, size=WORLD, style=Style(saved_pins="refused")) as other:
        result = run(config(other), PINS)
        read = {record["pin_id"] for record in result.records(PINS)}
        originals = {*own_pins(other)} - saved_pins(other)
        many = [ids for each in calls(other, BULK) if isinstance(ids := each["pin_ids"], list)]

    assert saved
    assert saved <= {record["pin_id"] for record in with_all.records(PINS)}
    assert result.code == 0
    assert read == originals
    (reason,) = result.tap.run.summary.streams[PINS].skipped.values()
    assert "Not authorized" in reason
    assert any(originals.issuperset(each) for each in many)
    assert all(originals.issuperset(each) or originals.isdisjoint(each) for each in many)
    (partition,) = result.state["bookmarks"][PINS]["partitions"]
    assert "pending" not in partition


def refuse(sandbox: Sandbox, *pins: str) -> None:
    """Refuse each call that names one of these Pins."""
    for pin_id in pins:
        how: dict[str, Any] = {"status": 401, "body": NOT_AUTHORISED, "times": None}
        sandbox.fail("/pins/analytics", query={"pin_ids": pin_id}, **how)
        sandbox.fail(f"/pins/{pin_id}/analytics", **how)


def originals(sandbox: Sandbox) -> list[str]:
    """Own Pins that were not saved from others."""
    saved = saved_pins(sandbox)
    return [pin_id for pin_id in own_pins(sandbox) if pin_id not in saved]


def pending(result: Run) -> list[str]:
    """The Pins that the state leaves to the next run."""
    (partition,) = result.state["bookmarks"][PINS]["partitions"]
    found: list[str] = partition.get("pending", [])
    return found


def test_the_next_run_reads_all_days_of_an_own_pin_that_was_refused(pinterest: Sandbox) -> None:
    refused, *_ = originals(pinterest)
    refuse(pinterest, refused)
    first = run(config(pinterest), PINS)
    pinterest.heal()
    pinterest.today += DAY
    second = run(config(pinterest), PINS, state=first.state)
    full = by_key(run(config(pinterest), PINS), stream=PINS)
    table = by_key(first, second, stream=PINS)

    assert first.code == second.code == 0
    assert {key: table[key] for key in full} == full
    assert pending(first) == [refused]
    assert pending(second) == []
    others = {each["date"] for each in second.records(PINS) if each["pin_id"] != refused}
    assert min(others) == str(TODAY - 17 * DAY)


def test_a_pin_that_is_refused_for_good_costs_the_others_no_calls_and_no_days(
    pinterest: Sandbox,
) -> None:
    refused = originals(pinterest)[:2]
    refuse(pinterest, *refused)
    first = run(config(pinterest), PINS)
    pinterest.today += DAY
    pinterest.requests.clear()
    second = run(config(pinterest), PINS, state=first.state)

    assert pending(first) == pending(second) == refused
    assert str(second.tap.run.summary.of(PINS).skipped).count(refused[1]) == 1
    assert {each["date"] for each in second.records(PINS)} == {*days(TODAY - 17 * DAY, TODAY)}
    asked = [each["pin_ids"] for each in calls(pinterest, BULK)]
    assert all({*ids} <= {*refused} or not {*ids} & {*refused} for ids in asked)
    assert len(asked) == 4 + 2


def test_a_refused_pin_stays_pending_while_restate_daily_reads_nothing(pinterest: Sandbox) -> None:
    refused, *_ = originals(pinterest)
    refuse(pinterest, refused)
    more = config(pinterest, restate="daily", end_date="5 days ago")
    first = run(more, PINS)
    pinterest.requests.clear()
    second = run(more, PINS, state=first.state)

    assert calls(pinterest, BULK) == []
    assert pending(first) == pending(second) == [refused]


def test_the_bookmark_stays_if_more_pins_are_refused_than_the_state_has_room_for(
    pinterest: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_pinterest.streams.pins.MOST_PENDING", 1)
    refuse(pinterest, *originals(pinterest)[:2])
    result = run(config(pinterest), PINS)

    assert result.code == 0
    assert result.records(PINS)
    assert "partitions" not in result.state.get("bookmarks", {}).get(PINS, {})


def test_videos_have_follows_and_profile_visits_too(pinterest: Sandbox) -> None:
    records = run(config(pinterest), PINS).records(PINS)
    videos = [each for each in records if each["video_start"]]

    assert any(each["user_follow"] for each in videos)
    assert any(each["profile_visit"] for each in videos)


@pytest.mark.parametrize("operation", [BULK, SINGLE])
def test_videos_are_read_without_follows_where_pinterest_refuses_these(
    pinterest: Sandbox, without_beta: Sandbox, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox = pinterest if operation == BULK else without_beta
    whole = by_key(run(config(sandbox), PINS), stream=PINS)
    body = {"code": 1, "message": "Parameter 'metric_types' (value USER_FOLLOW) is not one of SAVE"}
    query = {"metric_types": ",".join(ALL_METRICS)}
    sandbox.fail(operation=operation, query=query, status=400, body=body, times=None)
    sandbox.requests.clear()
    result = run(config(sandbox, max_requests_in_flight=1), PINS)

    missing = dict.fromkeys(("user_follow", "profile_visit"))
    assert result.code == 0
    assert by_key(result, stream=PINS) == {
        key: row | missing if row["video_start"] is not None else row for key, row in whole.items()
    }
    assert "Pinterest refuses USER_FOLLOW, PROFILE_VISIT beside the metrics" in caplog.text
    refused = [each for each in sandbox.requests if each.status == 400]
    assert 0 < len(refused) <= MOST_REFUSED_IN_A_ROW


def test_when_every_pin_is_refused_nothing_is_remembered() -> None:
    size = WorldSize(accounts=1, empty_accounts=0, campaigns=1, ad_groups=1, ads=1, pins=4)
    with Sandbox(seed=7, today=TODAY, size=size, access_tier="unlimited") as pinterest:
        pinterest.fail(operation=BULK, status=403, times=None)
        pinterest.fail(operation=SINGLE, status=403, times=None)
        result = run(config(pinterest), PINS)

    assert result.records(PINS) == []
    assert result.tap.run.summary.of(PINS).skipped
    assert "partitions" not in result.state.get("bookmarks", {}).get(PINS, {})


@pytest.mark.parametrize("count", [1, 3])
def test_a_pin_that_the_config_names_must_arrive(pinterest: Sandbox, count: int) -> None:
    wanted = own_pins(pinterest)[:count]
    refuse(pinterest, wanted[0])

    result = run(config(pinterest, pin_ids=wanted), PINS)

    assert result.code == 1
    assert {record["pin_id"] for record in result.records(PINS)} == set(wanted[1:])
    assert PINS not in result.state.get("bookmarks", {})
    (reason,) = result.tap.run.summary.streams[PINS].failures.values()
    assert wanted[0] in reason


@pytest.mark.parametrize("fault", [{"status": 413}, {"kind": "hang"}], ids=str)
def test_a_call_for_many_that_is_too_large_or_too_slow_is_made_in_halves(
    pinterest: Sandbox, fault: dict[str, Any]
) -> None:
    whole = run(config(pinterest, request_timeout=2), PINS)
    pinterest.fail("/pins/analytics", times=2, **fault)
    halved = run(config(pinterest, request_timeout=2), PINS)

    assert halved.code == 0
    assert by_key(halved, stream=PINS) == by_key(whole, stream=PINS)


def test_pins_of_a_board_only(pinterest: Sandbox) -> None:
    board = pinterest.world.user.board_ids[0]
    result = run(config(pinterest, board_ids=[board]), PINS, "pins")

    on_board = {pin["id"] for pin in result.records("pins")}
    assert {record["pin_id"] for record in result.records(PINS)} == on_board


def test_the_list_of_pins_is_read_once_for_all_who_need_it(pinterest: Sandbox) -> None:
    result = run(config(pinterest), "pins", PINS, "domain_top_pins")

    pages = [call.get("bookmark") for call in calls(pinterest, "GET /pins")]
    assert len(pages) == len(set(pages)) > 0
    assert all(result.records(each) for each in ("pins", PINS, "domain_top_pins"))


@pytest.mark.parametrize(("stream", "path"), [(TOP, "top_pins"), (TOP_VIDEO, "top_video_pins")])
def test_top_pins_are_fifty_by_each_metric_over_one_range(
    pinterest: Sandbox, stream: str, path: str
) -> None:
    result = run(config(pinterest), stream)

    operation = f"GET /user_account/analytics/{path}"
    sorts = api.operation(operation).parameters["sort_by"].allowed
    asked = calls(pinterest, operation)
    assert sorted(each["sort_by"] for each in asked) == sorted(sorts)
    assert {each["num_of_pins"] for each in asked} == {"50"}
    records = result.records(stream)
    assert {(record["start_date"], record["date"]) for record in records} == {
        (str(TODAY - 30 * DAY), str(TODAY - DAY))
    }
    for sort_by in sorts:
        ranked = [record for record in records if record["sort_by"] == sort_by]
        values = [record[sort_by.lower()] for record in ranked]
        assert values == sorted(values, reverse=True)
        assert [record["rank"] for record in ranked] == list(range(1, len(ranked) + 1))
    (partition,) = result.state["bookmarks"][stream]["partitions"]
    assert partition["replication_key_value"] == str(TODAY - DAY)


def test_top_pins_by_some_metrics_over_fewer_days(pinterest: Sandbox) -> None:
    more = config(pinterest, top_pins_sort_by="SAVE,VIDEO_START,PIN_CLICK", top_pins_days=7)
    result = run(more, TOP, TOP_VIDEO)

    found = {
        stream: {record["sort_by"] for record in result.records(stream)}
        for stream in (TOP, TOP_VIDEO)
    }
    assert found == {TOP: {"SAVE", "PIN_CLICK"}, TOP_VIDEO: {"SAVE", "VIDEO_START"}}
    assert {record["start_date"] for record in result.records(TOP)} == {str(TODAY - 7 * DAY)}


def test_top_pins_of_days_that_pinterest_no_longer_has_are_not_asked_for(
    pinterest: Sandbox,
) -> None:
    result = run(config(pinterest, start_date="0001-01-01", end_date="0001-01-02"), TOP)

    assert (result.code, result.records(TOP)) == (0, [])
    assert calls(pinterest, "GET /user_account/analytics/top_pins") == []


def test_top_pins_of_a_domain_are_ranked_by_clicks_and_by_saves(pinterest: Sandbox) -> None:
    result = run(config(pinterest, domains=["Example.com", "example.org"]), "domain_top_pins")

    how = {"pin_metrics": True}
    pins = {pin["id"]: pin for _, pin in pinterest.truth("GET /pins", **how)}
    hosts = {"example.com": ("shop.", "WWW."), "example.org": ("blog.", "//example.org")}
    records = result.records("domain_top_pins")
    for domain, marks in hosts.items():
        linked = {i for i, pin in pins.items() if any(m in (pin.get("link") or "") for m in marks)}
        for sort, number in (("CLICKS", "clickthrough"), ("SAVES", "save")):
            ranked = [r for r in records if (r["domain"], r["sort"]) == (domain, sort)]
            values = [pins[r["pin_id"]]["pin_metrics"]["90d"][number] for r in ranked]
            assert {r["pin_id"] for r in ranked} == linked
            assert [r["value"] for r in ranked] == values == sorted(values, reverse=True)
            assert [r["rank"] for r in ranked] == list(range(1, len(ranked) + 1))
    assert {record["date"] for record in records} == {str(TODAY)}
    assert {record["domain"] for record in records} == set(hosts)


def test_top_pins_of_a_domain_are_the_users_own_and_of_the_host_itself(
    pinterest: Sandbox,
) -> None:
    of_host = {"link": "https://example.com/a", "pin_metrics": {"90d": {"save": 3}}}
    pins = [
        {"id": "1", "is_owner": True, **of_host},
        {"id": "2", "is_owner": False, **of_host},
        {"id": "3", "is_owner": True, **of_host, "link": "https://notexample.com/a"},
    ]
    pinterest.fail(operation="GET /pins", status=200, body={"items": pins, "bookmark": None})
    records = run(config(pinterest, domains="example.com"), "domain_top_pins").records(
        "domain_top_pins"
    )

    assert [(each["pin_id"], each["sort"], each["value"]) for each in records] == [
        ("1", "SAVES", 3)
    ]


def test_a_day_whose_metrics_are_no_object_fails_with_a_clear_message(sandbox: Sandbox) -> None:
    days = [{"date": "2026-11-18", "data_status": "READY", "metrics": [1]}]
    answer = {"all": {"daily_metrics": days}}
    sandbox.fail("/user_account/analytics", status=200, body=answer, times=None)

    result = run(settings(sandbox), "user_account_analytics")

    (failure,) = result.tap.run.summary.of("user_account_analytics").failures.values()
    assert "the metrics of a day of all have another shape" in failure


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": {"message": "Sorry."}}, 1),
        ({"all": {}}, 0),
        ({"all": {"daily_metrics": None}}, 0),
        ({"all": {"summary_metrics": {}}, "date_availability": {"is_realtime": False}}, 0),
    ],
    ids=["an error", "nothing", "no days", "more beside the parts"],
)
def test_an_answer_without_days_counts_only_if_it_has_the_form_of_one(
    sandbox: Sandbox, body: dict[str, Any], code: int
) -> None:
    sandbox.fail("/user_account/analytics", status=200, body=body, times=None)
    result = run(settings(sandbox, start_date="yesterday"), "user_account_analytics")

    assert result.code == code
    assert not result.records("user_account_analytics")
    assert ("user_account_analytics" in result.state.get("bookmarks", {})) is (code == 0)


def test_an_invalid_answer_does_not_count_as_no_top_pins(sandbox: Sandbox) -> None:
    error = {"code": 7, "message": "No."}
    sandbox.fail("/user_account/analytics/top_pins", status=200, body=error, times=None)

    result = run(settings(sandbox, stream_groups="boards"), "user_account_top_pin_analytics")

    (failure,) = result.tap.run.summary.of("user_account_top_pin_analytics").failures.values()
    assert "it has no known field" in failure


def test_pins_are_ranked_also_if_numbers_are_sent_as_texts(sandbox: Sandbox) -> None:
    counted = {"9": "9", "10": "10", "8": 8, "0": "0"}
    pins = [
        {"id": pin, "link": "https://example.com/", "pin_metrics": {"90d": {"save": saves}}}
        for pin, saves in counted.items()
    ]
    sandbox.fail("/pins", status=200, body={"items": pins}, times=None)

    result = run(settings(sandbox, stream_groups="boards"), "domain_top_pins")

    ranked = [(each["pin_id"], each["value"]) for each in result.records("domain_top_pins")]
    assert ranked == [("10", 10), ("9", 9), ("8", 8)]


def test_without_the_setting_each_host_is_a_domain(pinterest: Sandbox) -> None:
    records = run(config(pinterest), "domain_top_pins").records("domain_top_pins")

    assert {record["domain"] for record in records} == {
        *("shop.example.com", "www.example.com", "example.org", "blog.example.org")
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("app_types", "MOBILE"),
        ("content_type", "ORGANIC"),
        ("pin_format", "ORGANIC_IMAGE"),
        ("source", "YOUR_PINS"),
        ("from_claimed_content", "CLAIMED"),
    ],
)
def test_a_filter_is_a_parameter_of_all_organic_reports_that_have_it(
    pinterest: Sandbox, name: str, value: str
) -> None:
    whole = run(config(pinterest), USERS, TOP)
    pinterest.requests.clear()
    part = run(config(pinterest, **{name: value}), USERS, TOP, PINS)

    for operation in ("GET /user_account/analytics", "GET /user_account/analytics/top_pins", BULK):
        has_it = name in api.operation(operation).parameters
        asked = {each.get(name) for each in calls(pinterest, operation)}
        assert asked == {value if has_it else None}
    impressions = [
        sum(record["impression"] or 0 for record in each.records(USERS)) for each in (whole, part)
    ]
    assert impressions[0] > impressions[1] > 0


def test_pins_of_one_kind_of_app_carry_its_name(pinterest: Sandbox) -> None:
    result = run(config(pinterest, app_types="WEB"), PINS)

    assert {record["app_type"] for record in result.records(PINS)} == {"WEB"}
