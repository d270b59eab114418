"""The plan of an ads report: which calls and which reports read its days, from a few values."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tap_pinterest.api.columns import AccountColumns, live_columns
from tap_pinterest.api.levels import LEVELS
from tap_pinterest.api.periods import GRANULARITIES, DateRange
from tap_pinterest.config import Settings
from tap_pinterest.http.errors import DaysError
from tap_pinterest.reports.plan import Entities, Part, plan, unread
from tap_pinterest.reports.question import TARGETING, Question

TODAY = date(2026, 11, 20)
ACCOUNT = "549700000001"


def question(level: str = "ad", granularity: str = "DAY", **config: Any) -> Question:
    settings = Settings.from_config({"access_token": "pina", **config})
    dimensions = TARGETING if "targeting_types" in config else ()
    return Question("asked", LEVELS[level], GRANULARITIES[granularity], settings, dimensions)


def last(days: int, *, until: date = TODAY) -> DateRange:
    return DateRange(until - timedelta(days=days - 1), until)


def entities(count: int, named: list[str] | None = None) -> Entities:
    rows = {str(number): (str(number),) for number in range(count)}
    return Entities(ACCOUNT, rows, named=named)


def planned(
    asked: Question, *ranges: DateRange, count: int = 10, may_report: bool = True
) -> list[Part]:
    return plan(asked, entities(count), ranges, may_report=may_report, today=TODAY)


def days_of(parts: list[Part], *, asynchronous: bool) -> int:
    return sum(each.slice.dates.days for each in parts if each.asynchronous is asynchronous)


def test_a_call_names_no_more_columns_than_a_url_has_room_for() -> None:
    listed = AccountColumns(frozenset(live_columns()), frozenset(live_columns()))

    by_calls = replace(question(report_columns="all"), account=listed)
    by_orders = replace(question(report_columns="all", report_transport="async"), account=listed)

    assert len(",".join(by_calls.columns)) <= 5_500
    assert by_calls.left_out > 0
    assert by_orders.left_out == 0
    assert len(by_orders.columns) == len(by_calls.columns) + by_calls.left_out


def test_days_in_reach_of_calls_are_read_by_calls() -> None:
    (part,) = planned(question(), last(30))

    assert part == Part(part.slice)
    assert (part.slice.dates, len(part.slice.ids)) == (last(30), 10)


def test_older_days_are_ordered_as_reports_before_the_calls() -> None:
    parts = planned(question(), last(300))

    assert [each.asynchronous for each in parts] == sorted(
        (each.asynchronous for each in parts), reverse=True
    )
    assert days_of(parts, asynchronous=False) == 91
    assert days_of(parts, asynchronous=True) == 300 - 91


def test_a_range_of_more_calls_than_are_cheap_comes_as_reports() -> None:
    parts = planned(question(), last(60), count=20_000)

    assert all(each.asynchronous for each in parts)
    assert days_of(parts, asynchronous=True) == 60


def test_the_plan_counts_the_calls_of_a_report_for_a_trial_app() -> None:
    few = planned(question(access_tier="trial"), last(60), count=100)
    many = planned(question(access_tier="trial"), last(60), count=3_000)

    assert [each.asynchronous for each in few] == [False]
    assert all(each.asynchronous for each in many)


def test_without_reports_calls_read_the_days_within_their_reach() -> None:
    parts = planned(question(), last(60), count=20_000, may_report=False)

    assert not any(each.asynchronous for each in parts)


def test_an_ad_account_without_entities_takes_no_call() -> None:
    assert planned(question(), last(30), count=0) == []


def test_ranges_without_days_take_no_call() -> None:
    assert planned(question(), DateRange(TODAY, TODAY - timedelta(days=1))) == []


def test_an_order_names_the_ids_that_filters_leave_and_no_more_than_it_takes() -> None:
    asked = question(campaign_ids=["1"], report_transport="async")
    ids = [str(number) for number in range(1_200)]
    parts = plan(asked, entities(1_200, ids), [last(1)], may_report=True, today=TODAY)

    assert [len(each.slice.ids) for each in parts] == [500, 500, 200]


def test_filters_that_leave_nothing_leave_no_order_that_would_read_everything() -> None:
    asked = question("product_item", campaign_ids=["1"])
    without = Entities(ACCOUNT)

    assert plan(asked, without, [last(5)], may_report=True, today=TODAY) == []


def test_ids_of_one_call_are_in_one_campaign_where_it_names_that() -> None:
    fields = ("id", "campaign_id", "ad_group_id", "pin_id")
    rows = {
        "1": ("1", "10", "100", "7"),
        "2": ("2", "10", "100", "8"),
        "3": ("3", "11", "101", "7"),
        "4": ("4", "", "102", "9"),
    }
    asked = question("ad_pin")
    parts = plan(asked, Entities(ACCOUNT, rows, fields), [last(5)], may_report=False, today=TODAY)

    assert [(each.slice.within, each.slice.ids) for each in parts] == [
        ("10", ("7", "8")),
        ("11", ("7",)),
    ]
    assert asked.query(parts[0].slice)["campaign_id"] == "10"


def test_types_that_calls_do_not_have_are_ordered_for_the_same_days() -> None:
    asked = question("campaign", targeting_types=["GENDER", "LOCAL_ADS_STORE_CODE"])
    report, call = planned(asked, last(30))

    assert (report.asynchronous, report.slice.types) == (True, ("LOCAL_ADS_STORE_CODE",))
    assert (call.asynchronous, call.slice.types) == (False, ("GENDER",))
    assert report.slice.dates == call.slice.dates == last(30)


def test_types_that_only_reports_have_take_no_call() -> None:
    asked = question("campaign", targeting_types=["LOCAL_ADS_STORE_CODE"])
    parts = planned(asked, last(30))

    assert [each.asynchronous for each in parts] == [True]
    assert planned(asked, last(30), may_report=False) == []


def test_types_that_reports_do_not_have_are_called_for() -> None:
    asked = question("campaign", targeting_types=["GENDER", "CREATIVE_TYPE"])
    report, *calls = planned(asked, last(60), count=20_000)

    assert (report.asynchronous, report.slice.types) == (True, ("GENDER",))
    assert {each.slice.types for each in calls if not each.asynchronous} == {("CREATIVE_TYPE",)}


@pytest.mark.parametrize(
    ("types", "days", "may_report", "ends"),
    [
        (["GENDER"], 300, True, []),
        (["CREATIVE_TYPE"], 30, True, []),
        (["CREATIVE_TYPE"], 300, True, ["from 2026-08-22 on only"]),
        (["GENDER", "LOCAL_ADS_STORE_CODE"], 30, False, ["they are not read"]),
        (["LOCAL_ADS_STORE_CODE"], 300, True, []),
    ],
)
def test_a_type_that_is_not_read_is_named(
    types: list[str], days: int, ends: list[str], *, may_report: bool
) -> None:
    asked = question("campaign", targeting_types=types)
    said = list(unread(asked, [last(days)], may_report=may_report, today=TODAY))

    assert len(said) == len(ends)
    assert all(text.endswith(end) for text, end in zip(said, ends, strict=True))


def test_a_type_in_beta_is_alone_in_its_call() -> None:
    types = ["GENDER", "AGE_BUCKET", "AGE_BUCKET_AND_GENDER"]
    parts = planned(question("ad_group", targeting_types=types), last(3))

    assert [each.slice.types for each in parts] == [
        ("GENDER", "AGE_BUCKET"),
        ("AGE_BUCKET_AND_GENDER",),
    ]


def test_calls_by_hour_have_three_days_at_most() -> None:
    parts = planned(question(granularity="HOUR"), last(8))

    assert [each.slice.dates.days for each in parts] == [2, 3, 3]


def test_a_total_of_more_days_than_pinterest_adds_up_is_refused() -> None:
    with pytest.raises(DaysError, match=r"a total of .* has 100 days"):
        planned(question(granularity="TOTAL"), last(100), may_report=False)


def test_weeks_are_cut_where_a_week_begins() -> None:
    monday = date(2026, 1, 5)
    parts = planned(question(granularity="WEEK"), DateRange(monday, TODAY))

    assert {each.slice.dates.start.weekday() for each in parts} == {0}
    assert days_of(parts, asynchronous=True) + days_of(parts, asynchronous=False) == (
        (TODAY - monday).days + 1
    )


def test_a_call_has_as_many_ids_as_its_address_has_room_for() -> None:
    long_ids = {str(number).zfill(18): () for number in range(300)}
    columns = {"report_columns": "all"}
    asked = question("ad", **columns)
    rows = Entities(ACCOUNT, {each: (each,) for each in long_ids})
    few, *_ = plan(asked, rows, [last(1)], may_report=False, today=TODAY)
    (many, *_) = plan(
        question(report_columns=["CTR"]), rows, [last(1)], may_report=False, today=TODAY
    )

    assert len(few.slice.ids) < 200 < len(many.slice.ids) <= 250
