from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tap_pinterest.slices import DateRange
from tap_pinterest.state import Progress, ReportRange, StateError, checked, fingerprint

TODAY = date(2026, 11, 20)
DAY = timedelta(days=1)
YESTERDAY = TODAY - DAY
REACH = TODAY - 90 * DAY
RANGE = ReportRange(
    wanted=DateRange(REACH, YESTERDAY),
    earliest=REACH,
    lookback_days=32,
    complete_to=TODAY - 2 * DAY,
)
READ = Progress(bookmark=TODAY - 2 * DAY, covered_from=REACH, settings="aaaaaaaa")


def test_a_first_run_reads_all_that_is_wanted() -> None:
    assert RANGE.to_read(Progress(), "aaaaaaaa") == [RANGE.wanted]


def test_a_later_run_reads_from_the_bookmark_less_the_lookback() -> None:
    assert RANGE.to_read(READ, "aaaaaaaa") == [DateRange(TODAY - 34 * DAY, YESTERDAY)]


def test_without_lookback_the_bookmarks_day_is_read_again() -> None:
    assert replace(RANGE, lookback_days=0).to_read(READ, "aaaaaaaa") == [
        DateRange(TODAY - 2 * DAY, YESTERDAY)
    ]


def test_the_lookback_does_not_go_before_the_start_date() -> None:
    late = replace(RANGE, wanted=DateRange(TODAY - 5 * DAY, YESTERDAY))

    assert late.to_read(READ, "aaaaaaaa") == [DateRange(TODAY - 5 * DAY, YESTERDAY)]


def test_an_earlier_start_date_reads_the_days_that_are_missing_and_no_more() -> None:
    progress = replace(READ, covered_from=TODAY - 50 * DAY)

    assert RANGE.to_read(progress, "aaaaaaaa") == [
        DateRange(REACH, TODAY - 51 * DAY),
        DateRange(TODAY - 34 * DAY, YESTERDAY),
    ]
    assert RANGE.after(progress, "aaaaaaaa").covered_from == REACH


def test_other_settings_read_the_covered_range_again_as_far_as_the_api_reaches() -> None:
    progress = replace(READ, covered_from=TODAY - 200 * DAY)
    late = replace(RANGE, wanted=DateRange(TODAY - 5 * DAY, YESTERDAY))

    assert late.to_read(progress, "bbbbbbbb") == [DateRange(REACH, YESTERDAY)]
    assert late.after(progress, "bbbbbbbb").settings == "bbbbbbbb"


def test_a_backfill_is_read_once() -> None:
    name = f"{TODAY - 80 * DAY}/{TODAY - 70 * DAY}"
    days = DateRange(TODAY - 80 * DAY, TODAY - 70 * DAY)
    filling = replace(RANGE, backfill=days, backfill_name=name)

    assert filling.to_read(READ, "aaaaaaaa")[0] == days
    done = filling.after(READ, "aaaaaaaa")
    assert done.backfilled == name
    assert days not in filling.to_read(done, "aaaaaaaa")


def test_the_bookmark_stops_at_the_last_complete_day() -> None:
    assert RANGE.after(Progress(), "aaaaaaaa").bookmark == TODAY - 2 * DAY


def test_the_bookmark_never_moves_back() -> None:
    ahead = replace(READ, bookmark=YESTERDAY)
    early = replace(RANGE, wanted=DateRange(REACH, TODAY - 40 * DAY))

    assert RANGE.after(ahead, "aaaaaaaa").bookmark == YESTERDAY
    assert early.after(ahead, "aaaaaaaa").bookmark == YESTERDAY


def test_while_no_day_is_known_to_be_complete_the_bookmark_stays() -> None:
    unknown = replace(RANGE, complete_to=None)

    assert unknown.after(Progress(), "aaaaaaaa").bookmark is None
    assert unknown.after(READ, "aaaaaaaa").bookmark == READ.bookmark


def test_a_gap_that_the_api_no_longer_reaches_ends_the_covered_range() -> None:
    long_ago = Progress(TODAY - 200 * DAY, TODAY - 300 * DAY, "aaaaaaaa")

    assert RANGE.to_read(long_ago, "aaaaaaaa") == [RANGE.wanted]
    assert RANGE.after(long_ago, "aaaaaaaa").covered_from == REACH


def test_a_range_that_lies_before_the_reach_reads_nothing_and_remembers_nothing() -> None:
    past = replace(RANGE, wanted=DateRange(REACH, REACH - 10 * DAY))

    assert past.to_read(Progress(), "aaaaaaaa") == []
    assert past.after(Progress(), "aaaaaaaa") == Progress()


def test_progress_comes_back_from_the_state_as_it_went_in() -> None:
    partition: dict[str, Any] = {"context": {"ad_account_id": "1"}}
    READ.write_to(partition, "date")

    assert partition == {
        "context": {"ad_account_id": "1"},
        "replication_key": "date",
        "replication_key_value": "2026-11-18",
        "covered_from": "2026-08-22",
        "settings": "aaaaaaaa",
    }
    assert Progress.of(partition) == READ


def test_the_fingerprint_does_not_depend_on_the_order_of_names() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 0})
    assert len(fingerprint({})) == 8


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        pytest.param([], "not a JSON object", id="a list"),
        pytest.param({"bookmarks": []}, "bookmarks is not an object", id="bookmarks a list"),
        pytest.param({"bookmarks": {"ads": 1}}, "no list of partitions", id="stream a number"),
        pytest.param(
            {"bookmarks": {"ads": {"partitions": {}}}}, "no list of partitions", id="no list"
        ),
        pytest.param(
            {"bookmarks": {"ads": {"partitions": [{"x": 1}]}}}, "no context", id="no context"
        ),
        pytest.param(
            {"bookmarks": {"ads": {"partitions": [{"context": {"a": 1}}] * 2}}},
            "two partitions",
            id="the same context twice",
        ),
        pytest.param(
            {"bookmarks": {"x": {"partitions": [{"context": {}, "covered_from": "soon"}]}}},
            "not a date",
            id="not a date",
        ),
        pytest.param({"tap_pinterest": {"state_version": 2}}, "newer tap-pinterest", id="newer"),
        pytest.param({"tap_pinterest": {"state_version": "1"}}, "whole number", id="no version"),
    ],
)
def test_a_state_that_cannot_be_used_is_refused_with_the_reason(state: Any, reason: str) -> None:
    with pytest.raises(StateError, match=reason):
        checked(state)


def test_streams_and_accounts_that_the_tap_does_not_know_are_kept() -> None:
    state = {"bookmarks": {"leads": {"x": 1}, "ads": {"partitions": [{"context": {"id": "9"}}]}}}

    assert checked(state) == state
