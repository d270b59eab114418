from __future__ import annotations

import json
import logging
import time
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from faulty_world import config_of, tiny, truth, upsert
from pinterest_sandbox import Sandbox, WorldSize
from singer_run import PatientClock, run
from singer_run import settings as tap_settings
from tap_pinterest.api.periods import GRANULARITIES, DateRange
from tap_pinterest.run import ranges
from tap_pinterest.singer import sdk
from tap_pinterest.singer.coverage import Interval
from tap_pinterest.singer.state import (
    Partitions,
    Progress,
    ReportRange,
    contexts_by_stream,
    fingerprint,
)
from tap_pinterest.singer.state import size as state_size
from tap_pinterest.singer.state_checks import StateError, checked, refuse_future
from tap_pinterest.singer.updates import Update, UpdatesProgress
from tap_pinterest.streams.bases.days import ReportStream
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faulty_world import Tables
    from singer_run import Run

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


def test_days_that_were_read_are_restated_also_before_a_later_start_date() -> None:
    late = replace(RANGE, wanted=DateRange(TODAY - 5 * DAY, YESTERDAY))

    assert late.to_read(READ, "aaaaaaaa") == [DateRange(TODAY - 34 * DAY, YESTERDAY)]


def test_the_lookback_does_not_go_before_the_first_day_that_was_read() -> None:
    progress = replace(READ, covered_from=TODAY - 5 * DAY)
    late = replace(RANGE, wanted=DateRange(TODAY - 4 * DAY, YESTERDAY))

    assert late.to_read(progress, "aaaaaaaa") == [DateRange(TODAY - 5 * DAY, YESTERDAY)]


def test_after_an_outage_that_is_longer_than_a_relative_start_date_the_gap_is_read() -> None:
    progress = Progress(TODAY - 60 * DAY, TODAY - 65 * DAY, "aaaaaaaa")
    relative = replace(RANGE, wanted=DateRange(TODAY - 5 * DAY, YESTERDAY), lookback_days=0)

    assert relative.to_read(progress, "aaaaaaaa") == [DateRange(TODAY - 60 * DAY, YESTERDAY)]


def test_an_earlier_end_date_ends_the_restatement_of_later_days() -> None:
    early = replace(RANGE, wanted=DateRange(REACH, TODAY - 20 * DAY))

    assert early.to_read(READ, "aaaaaaaa") == [DateRange(TODAY - 34 * DAY, TODAY - 20 * DAY)]
    assert early.after(READ, "aaaaaaaa").bookmark == READ.bookmark


def test_a_backfill_after_the_end_date_leaves_no_gap_before_it() -> None:
    days = DateRange(TODAY - 10 * DAY, TODAY - 8 * DAY)
    progress = Progress(TODAY - 60 * DAY, TODAY - 65 * DAY, "aaaaaaaa")
    ended = DateRange(TODAY - 65 * DAY, TODAY - 60 * DAY)
    filling = replace(RANGE, wanted=ended, backfill=days, lookback_days=0)

    assert filling.to_read(progress, "aaaaaaaa") == [DateRange(TODAY - 60 * DAY, days.end)]


def test_days_out_of_reach_keep_their_settings_until_the_reach_grows() -> None:
    progress = replace(READ, covered_from=TODAY - 200 * DAY)
    assert RANGE.out_of_reach(progress, "bbbbbbbb") == [DateRange(TODAY - 200 * DAY, REACH - DAY)]

    changed = RANGE.after(progress, "bbbbbbbb")

    assert RANGE.out_of_reach(changed, "bbbbbbbb") == []
    further = replace(RANGE, earliest=TODAY - 914 * DAY)
    assert further.to_read(changed, "bbbbbbbb")[0] == DateRange(TODAY - 200 * DAY, REACH - DAY)


def test_a_backfill_is_read_again_with_new_settings() -> None:
    days = DateRange(TODAY - 80 * DAY, TODAY - 70 * DAY)
    progress = replace(READ, covered_from=TODAY - 40 * DAY)
    late = replace(RANGE, wanted=DateRange(TODAY - 40 * DAY, YESTERDAY))
    done = replace(late, backfill=days).after(progress, "aaaaaaaa")

    assert late.to_read(done, "bbbbbbbb") == [days, DateRange(TODAY - 40 * DAY, YESTERDAY)]


def test_a_run_that_is_cut_short_while_it_rewrites_leaves_its_days_to_the_next_one() -> None:
    during = RANGE.before_rewriting(READ, "bbbbbbbb")

    assert during.bookmark == READ.bookmark
    assert RANGE.to_read(during, "aaaaaaaa") == [RANGE.wanted]
    assert RANGE.before_rewriting(READ, "aaaaaaaa") is READ


def test_an_earlier_start_date_reads_the_days_that_are_missing_and_no_more() -> None:
    progress = replace(READ, covered_from=TODAY - 50 * DAY)

    assert RANGE.to_read(progress, "aaaaaaaa") == [
        DateRange(REACH, TODAY - 51 * DAY),
        DateRange(TODAY - 34 * DAY, YESTERDAY),
    ]
    assert RANGE.after(progress, "aaaaaaaa").covered_from == REACH


def test_after_a_change_of_settings_the_covered_days_in_reach_are_read_again() -> None:
    progress = replace(READ, covered_from=TODAY - 200 * DAY)
    late = replace(RANGE, wanted=DateRange(TODAY - 5 * DAY, YESTERDAY))

    assert late.to_read(progress, "bbbbbbbb") == [DateRange(REACH, YESTERDAY)]
    assert late.after(progress, "bbbbbbbb").settings == "bbbbbbbb"


def test_a_state_may_name_the_first_of_all_days() -> None:
    progress = replace(READ, bookmark=date.min, covered_from=date.min)

    assert RANGE.to_read(progress, "aaaaaaaa") == [RANGE.wanted]
    assert RANGE.after(progress, "aaaaaaaa").covered_from == REACH


def test_a_backfill_is_read_once() -> None:
    days = DateRange(TODAY - 80 * DAY, TODAY - 70 * DAY)
    filling = replace(RANGE, backfill=days)

    assert filling.to_read(READ, "aaaaaaaa")[0] == days
    done = filling.after(READ, "aaaaaaaa")
    assert done.backfilled == f"{days.start}/{days.end}"
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


def test_while_no_day_is_known_to_be_complete_a_backfill_is_not_done() -> None:
    days = DateRange(TODAY - 8 * DAY, TODAY - 6 * DAY)
    late = replace(RANGE, wanted=DateRange(YESTERDAY, YESTERDAY), backfill=days)

    after = replace(late, complete_to=None).after(Progress(), "aaaaaaaa")

    assert late.to_read(after, "aaaaaaaa") == [days, late.wanted]


def test_days_that_were_rewritten_while_none_was_complete_are_no_longer_as_before() -> None:
    after = replace(RANGE, complete_to=None).after(READ, "bbbbbbbb")

    assert RANGE.to_read(after, "aaaaaaaa") == [RANGE.wanted]


def test_only_whole_periods_are_read_of_a_backfill() -> None:
    days = DateRange(date(2026, 9, 9), date(2026, 9, 10))
    weeks = replace(RANGE, granularity=GRANULARITIES["WEEK"], backfill=days)

    assert weeks.to_read(READ, "aaaaaaaa")[0] == DateRange(date(2026, 9, 7), date(2026, 9, 13))


def test_the_last_period_ends_with_the_end_date() -> None:
    days = DateRange(REACH, date(2026, 11, 11))
    weeks = replace(RANGE, granularity=GRANULARITIES["WEEK"], wanted=days)

    assert weeks.to_read(Progress(), "aaaaaaaa") == [
        DateRange(date(2026, 8, 24), date(2026, 11, 11))
    ]
    assert weeks.after(Progress(), "aaaaaaaa").bookmark == date(2026, 11, 2)


def test_days_that_are_marked_as_outdated_do_not_make_others_final() -> None:
    january = Interval(date(2026, 1, 1), date(2026, 1, 31), "aaaaaaaa", date(2026, 2, 2))
    later = replace(READ, covered_from=date(2026, 2, 1), earlier=(january,))
    marked = later.outdated(DateRange(date(2026, 9, 1), date(2026, 9, 2)), GRANULARITIES["DAY"])

    assert january in marked.earlier


def test_a_range_without_a_complete_day_leaves_the_bookmark_where_it_is() -> None:
    newest = replace(RANGE, wanted=DateRange(YESTERDAY, YESTERDAY))

    first = newest.after(Progress(), "aaaaaaaa")
    assert first.bookmark is None
    assert list(map(str, first.earlier)) == ["2026-11-19/2026-11-19/aaaaaaaa/2026-11-18"]
    assert newest.after(READ, "aaaaaaaa") == READ


def test_a_gap_that_the_api_no_longer_reaches_ends_the_covered_range() -> None:
    long_ago = Progress(TODAY - 200 * DAY, TODAY - 300 * DAY, "aaaaaaaa")

    assert RANGE.to_read(long_ago, "aaaaaaaa") == [RANGE.wanted]
    assert RANGE.after(long_ago, "aaaaaaaa").covered_from == REACH


def test_a_range_before_the_reach_of_the_api_is_neither_read_nor_remembered() -> None:
    past = replace(RANGE, wanted=DateRange(REACH, REACH - 10 * DAY))

    assert past.to_read(Progress(), "aaaaaaaa") == []
    assert past.after(Progress(), "aaaaaaaa") == Progress()


def test_progress_is_the_same_after_writing_and_reading_the_state() -> None:
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
        pytest.param({"access_token": "pina_1"}, "it has no bookmarks", id="a config"),
        pytest.param({"tap_pinterest": {"state_version": 2}}, "newer tap-pinterest", id="newer"),
        pytest.param({"tap_pinterest": {"state_version": "1"}}, "whole number", id="no version"),
        pytest.param({"tap_pinterest": {"state_version": True}}, "whole number", id="a boolean"),
        pytest.param({"tap_pinterest": None}, "whole number", id="nothing said by the tap"),
        pytest.param(
            {"tap_pinterest": {"state_version": 1, "column_names": {"a": "x", "b": "x"}}},
            "one name for two columns",
            id="two columns of one name",
        ),
        pytest.param({"type": "STATE", "value": {"bookmarks": {}}}, "its value", id="a message"),
        pytest.param({"singer_state": {"bookmarks": {}}}, "its singer_state", id="of Meltano"),
    ],
)
def test_a_state_that_cannot_be_used_is_refused_with_the_reason(state: Any, reason: str) -> None:
    with pytest.raises(StateError, match=reason):
        checked(state)


def test_streams_and_accounts_that_the_tap_does_not_know_are_kept() -> None:
    state = {"bookmarks": {"leads": {"x": 1}, "ads": {"partitions": [{"context": {"id": "9"}}]}}}

    assert checked(state) == state


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        pytest.param({"bookmarks": {"x": {"replication_key_value": "soon"}}}, "date", id="a day"),
        pytest.param({"bookmarks": {"x": {"settings": 5}}}, "not a text", id="a fingerprint"),
        pytest.param({"bookmarks": {"x": {"earlier": 5}}}, "no list of ranges", id="a number"),
        pytest.param({"bookmarks": {"x": {"earlier": ["x/y"]}}}, "no list of", id="odd ranges"),
        pytest.param({"bookmarks": {"x": {"progress_markers": []}}}, "no.* object", id="markers"),
        pytest.param({"bookmarks": {"x": {"pending": "687"}}}, "not a list", id="a pending ad"),
        pytest.param({"bookmarks": {"x": {"list_read": 5}}}, "not a text", id="a list's time"),
        pytest.param({"bookmarks": {"x": {"ahead": ["687"]}}}, "not an object", id="ads ahead"),
        pytest.param(
            {"bookmarks": {"x": {"partitions": [{"context": {"ad_account_id": ["1"]}}]}}},
            "no context",
            id="a list of ids",
        ),
    ],
)
def test_a_state_edited_wrongly_by_hand_is_refused(state: Any, reason: str) -> None:
    with pytest.raises(StateError, match=reason):
        checked(state)


@pytest.mark.parametrize("key", ["replication_key_value", "covered_from"])
def test_days_that_have_not_come_yet_are_refused(key: str) -> None:
    partition = {"context": {"ad_account_id": "1"}, key: "2026-11-21"}
    state = {"bookmarks": {"ads": {"partitions": [partition]}, "other": {key: "2030-01-01"}}}

    with pytest.raises(StateError, match=r"ads names 2026-11-21, and today is 2026-11-20"):
        refuse_future(state, ["ads", "unknown"], TODAY)
    refuse_future(state, ["ads"], TODAY + DAY)


def test_a_large_state_is_checked_in_no_time() -> None:
    partitions = [{"context": {"ad_account_id": str(number)}} for number in range(20_000)]
    started = time.process_time()

    checked({"bookmarks": {"ads": {"partitions": partitions}}})

    assert time.process_time() - started < 2


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.dates().map(str),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=4,
)
KEYS = (
    *("context", "replication_key_value", "covered_from", "settings", "backfilled"),
    *("partitions", "as_of", "earlier", "restated", "last_id", "pending", "ahead"),
)
ENTRIES = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4)
PARTITIONS = st.builds(
    lambda entry, context: {**entry, "context": context},
    ENTRIES,
    JSON | st.dictionaries(st.just("ad_account_id"), JSON),
)
STREAM_STATES = ENTRIES | st.fixed_dictionaries({"partitions": st.lists(PARTITIONS | JSON)})
NAMES = st.sampled_from(["campaign_analytics", "metrics_ready_state"]) | st.text(max_size=9)
STATES = JSON | st.dictionaries(
    st.sampled_from(["bookmarks", "tap_pinterest"]) | st.text(max_size=9),
    JSON
    | st.dictionaries(NAMES, STREAM_STATES | JSON, max_size=3)
    | st.fixed_dictionaries({"state_version": JSON}),
    max_size=3,
)


@settings(max_examples=1000, derandomize=True, deadline=None, database=None)
@given(state=STATES)
def test_any_state_is_refused_with_a_reason_or_can_be_used(state: Any) -> None:
    try:
        usable = checked(state)
    except StateError:
        return
    contexts_by_stream(usable)
    with suppress(StateError):
        refuse_future(usable, usable.get("bookmarks", {}), TODAY)
    for of_stream in usable.get("bookmarks", {}).values():
        for entry in (of_stream, *of_stream.get("partitions", ())):
            progress = Progress.of(entry)
            assert isinstance(RANGE.to_read(progress, "aaaaaaaa"), list)
            RANGE.after(progress, "aaaaaaaa")
            updates = UpdatesProgress.of(entry)
            ad = Update("2026-11-20T10:00:00Z", "687")
            assert updates.is_left(ad) in {True, False}
            updates.after([ad], [ad], {ad.id}, "2026-11-20T11:00:00Z")


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with tiny() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def tables(world: Sandbox) -> Tables:
    return truth(world, "campaign_analytics", "boards")


DAYS = st.sampled_from(["2026-11-19", "2026-10-01", "2020-01-01", "0001-01-01", "2026-11-20", None])
OLD_ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "replication_key": st.sampled_from(["date", "updated_time", None]),
        "replication_key_value": DAYS,
        "covered_from": DAYS,
        "settings": st.sampled_from(["", "aaaaaaaa", None]),
        "backfilled": st.sampled_from(["2026-01-01/2026-02-01", "x", None]),
        "starting_replication_value": st.sampled_from(["2026-11-01", 7, None]),
        "progress_markers": st.sampled_from([{}, {"replication_key_value": "x"}, []]),
    },
)


@settings(
    max_examples=60,
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    entries=st.lists(OLD_ENTRIES, min_size=4, max_size=4),
    more=st.sampled_from([{}, {"x": 1}, {"tap_pinterest": {"state_version": 1}}]),
)
def test_from_any_accepted_state_a_run_reads_all_days_that_may_have_changed(
    world: Sandbox,
    tables: Tables,
    caplog: pytest.LogCaptureFixture,
    entries: list[dict[str, Any]],
    more: dict[str, Any],
) -> None:
    caplog.clear()
    accounts = [each["id"] for _, each in world.truth("GET /ad_accounts")]
    partitions = [
        {**entry, "context": {"ad_account_id": each}}
        for entry, each in zip(entries, [*accounts, "1"], strict=False)
    ]
    bookmarks = {"campaign_analytics": {"partitions": partitions}, "boards": entries[-1]}
    state = {**more, "bookmarks": bookmarks}
    try:
        checked(state)
    except StateError:
        with pytest.raises(StateError):
            run(
                config_of(world, exclude_ad_account_ids="1"),
                "campaign_analytics",
                "boards",
                state=state,
            )
        return

    result = run(
        config_of(world, exclude_ad_account_ids="1"), "campaign_analytics", "boards", state=state
    )

    assert "Traceback" not in caplog.text
    assert result.code == 0
    arrived = upsert({}, result.messages)
    # The lookback is longer than what the config wants; other settings may want more.
    assert all(rows.items() <= arrived[name].items() for name, rows in tables.items())
    assert "from None" not in caplog.text
    for each in result.state["bookmarks"]["campaign_analytics"]["partitions"]:
        if each["context"]["ad_account_id"] in accounts:
            assert each["replication_key_value"] >= "2026-11-17"


def test_a_state_of_the_future_is_refused_before_anything_is_written(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    before = run(tap_settings(sandbox), "campaign_analytics")
    state = before.state
    state["bookmarks"]["campaign_analytics"]["partitions"][0]["replication_key_value"] = (
        "2199-01-01"
    )

    result = run(tap_settings(sandbox), "boards", "campaign_analytics", state=state)

    (line,) = (each for each in caplog.records if each.levelno >= logging.ERROR)
    assert "from the future" in line.getMessage()
    assert result.code == 1
    assert result.messages == [{"type": "STATE", "value": state}]


def test_pinterests_clock_decides_which_days_are_in_the_future(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    before = run(tap_settings(sandbox), "campaign_analytics")
    sandbox.today -= 10 * DAY

    result = run(tap_settings(sandbox), "boards", "campaign_analytics", state=before.state)

    assert "from the future" in caplog.text
    assert result.code == 1
    assert result.records("campaign_analytics") == []
    assert (
        result.state["bookmarks"]["campaign_analytics"]
        == before.state["bookmarks"]["campaign_analytics"]
    )


ALL_REPORTS: dict[str, Any] = {
    "stream_groups": ["ads", "organic", "boards", "targeting", "products", "keywords"],
    "granularities": ["DAY", "HOUR", "WEEK", "MONTH", "TOTAL"],
    "targeting_types": ["GENDER"],
    "start_date": "80 days ago",
    "backfill": {"start_date": "2026-09-25", "end_date": "2026-11-19"},
    "report_columns": ["SPEND_IN_DOLLAR"],
    "custom_reports": [
        {"name": "x" * 50, "level": "CAMPAIGN"},
        {"name": "by_month", "level": "AD_GROUP_TARGETING", "granularity": "MONTH"},
        {"name": "asynchronous", "level": "KEYWORD", "columns": ["SPEND_IN_DOLLAR"]},
    ],
}
LONGEST_ID = 18


@pytest.fixture(scope="module")
def all_reports() -> Iterator[Run]:
    """A run of all there are, for which a state of ten partitions is a large one."""
    size = WorldSize(accounts=2, empty_accounts=1, campaigns=1, ad_groups=1, ads=1, boards=1)
    with (
        Sandbox(seed=2, today=TODAY, size=size, access_tier="unlimited") as sandbox,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sdk, "SMALL_STATE", 10)
        config = tap_settings(sandbox, **ALL_REPORTS)
        streams = TapPinterest(config=config).streams.values()
        yield run(config, *(each.name for each in streams if isinstance(each, ReportStream)))


def test_a_partition_takes_at_most_250_bytes_whatever_the_report(all_reports: Run) -> None:
    assert all_reports.code == 0
    bookmarks = all_reports.state["bookmarks"]
    reports = {name for name in all_reports.streams("SCHEMA") if not name.endswith("_total")}
    assert len(reports) > 50
    assert set(bookmarks) == reports | {name for name in bookmarks if name.endswith("_total")}
    for name in reports:
        assert bookmarks[name]["partitions"]
        for partition in bookmarks[name]["partitions"]:
            (whose,) = partition["context"].values()
            length = len(json.dumps(partition)) + LONGEST_ID - len(whose)
            assert {"replication_key_value", "covered_from", "settings", "backfilled"} <= set(
                partition
            )
            assert length <= 250


def test_a_large_state_waits_for_twice_as_many_records(all_reports: Run) -> None:
    records, heavy = 0, 0
    for message in all_reports.messages[:-1]:
        if message["type"] == "RECORD":
            records += 1
        elif message["type"] == "STATE":
            partitions = state_size(message["value"])
            assert partitions <= max(10, records / 2)
            heavy += partitions > 10
            records = 0
    assert heavy
    assert len(all_reports.states) < len(all_reports.streams("SCHEMA"))


def test_states_of_five_hundred_accounts_with_all_reports_do_not_dominate_the_output(
    all_reports: Run,
) -> None:
    size = WorldSize(accounts=500, empty_accounts=499, campaigns=1, ad_groups=1, ads=1, days=30)
    with Sandbox(seed=2, today=TODAY, size=size, access_tier="unlimited") as sandbox:
        config = tap_settings(sandbox, start_date="7 days ago", report_columns=["SPEND_IN_DOLLAR"])
        accounts = [each["id"] for _, each in sandbox.truth("GET /ad_accounts")]
        by_day = {
            stream: of_stream["partitions"][0]
            for stream, of_stream in all_reports.state["bookmarks"].items()
            if not stream.endswith(("_hour", "_week", "_month", "_total", "ad_account_analytics"))
        }
        state = {
            "bookmarks": {
                stream: {
                    "partitions": [{**one, "context": {"ad_account_id": each}} for each in accounts]
                }
                for stream, one in by_day.items()
            }
        }
        clock = SlowClock()
        result = run(config, "ad_account_analytics", state=state, clock=clock)

    assert result.code == 0
    assert len(result.state["bookmarks"]["ad_account_analytics"]["partitions"]) == 500
    assert state_size(result.state) >= 9_000
    # The first and the last, and one each twenty minutes.
    assert clock.seconds > 1_500
    assert len(result.states) <= clock.seconds / 1_200 + 2


def test_the_state_is_checked_for_future_days_once_a_run(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[date] = []
    monkeypatch.setattr(ranges, "refuse_future", lambda *_: looked.append(TODAY))

    assert run(tap_settings(sandbox), "ad_account_analytics", "campaign_analytics").code == 0

    assert len(looked) == 2  # by this machine's clock, then by Pinterest's


def test_a_run_ends_with_its_state_also_if_its_last_list_changes_none(sandbox: Sandbox) -> None:
    config = tap_settings(sandbox, start_date="5 days ago")
    first = run(config, "ad_analytics", "boards")

    second = run(config, "ad_analytics", "boards", state=first.state)

    assert first.streams("RECORD")[-1] == second.streams("RECORD")[-1] == "boards"
    assert first.messages[-1]["type"] == second.messages[-1]["type"] == "STATE"


@pytest.mark.parametrize("context", ["ad_account_id", "user_id"])
def test_a_partition_with_every_member_takes_at_most_250_bytes(context: str) -> None:
    state: dict[str, Any] = {}
    partition = Partitions(state, "user_account_top_video_pin_analytics").made({context: "9" * 20})

    replace(READ, backfilled=f"{REACH}/{TODAY}").write_to(partition, "date")

    assert len(partition) == 6
    assert len(json.dumps(partition)) <= 250


def test_the_order_of_names_in_a_context_does_not_matter() -> None:
    first, second = {"context": {"a": "1", "b": "2"}}, {"context": {"a": "2", "b": "1"}}
    state: dict[str, Any] = {"bookmarks": {"x": {"partitions": [first, second]}}}
    partitions = Partitions(state, "x")

    assert partitions.of({"b": "2", "a": "1"}) is first
    assert partitions.made({"b": "1", "a": "2"}) is second
    assert partitions.of({"a": "1"}) is None
    assert partitions.made({"a": "1"}) is partitions.made({"a": "1"})
    assert state["bookmarks"]["x"]["partitions"] == [first, second, {"context": {"a": "1"}}]


def test_a_pending_ad_whose_id_has_become_a_number_is_still_pending() -> None:
    by_hand = {
        "replication_key_value": "2026-11-20T10:00:00Z",
        "last_id": 688,
        "pending": [687],
        "ahead": {"689": "2026-11-20T11:00:00Z"},
    }
    progress = UpdatesProgress.of(by_hand)

    assert progress.is_left(Update("2026-11-19T10:00:00Z", "687"))
    assert not progress.is_left(Update("2026-11-20T10:00:00Z", "688"))
    assert not progress.is_left(Update("2026-11-20T11:00:00Z", "689"))


def test_updates_of_which_none_was_read_go_back_to_no_day() -> None:
    assert UpdatesProgress(pending=("687",)).back_to(TODAY).last is None


def test_a_partition_whose_ids_have_become_numbers_is_found() -> None:
    by_hand = {"context": {"ad_account_id": 549700000901}}
    state: dict[str, Any] = {"bookmarks": {"x": {"partitions": [by_hand]}}}

    assert Partitions(state, "x").of({"ad_account_id": "549700000901"}) is by_hand
    state["bookmarks"]["x"]["partitions"].append({"context": {"ad_account_id": "549700000901"}})
    with pytest.raises(StateError, match="two partitions"):
        checked(state)


class SlowClock(PatientClock):
    """A clock that a second passes on whenever somebody looks at it."""

    seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds
