"""Each choice in the menus of Domo's connector is a setting here, and reaches Pinterest."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pinterest_sandbox import Sandbox, WorldSize
from singer_run import run, settings
from tap_pinterest.streams import STREAM_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_run import Run

TODAY = date(2026, 11, 20)
WORLD = WorldSize(accounts=3, empty_accounts=0, campaigns=3, ad_groups=4, ads=6, boards=3, pins=9)
ACCOUNT = "GET /ad_accounts/{ad_account_id}"
ACCOUNT_REPORT = f"{ACCOUNT}/analytics"
USER_REPORT = "GET /user_account/analytics"
TOP_PINS = "GET /user_account/analytics/top_pins"


@pytest.fixture(scope="module")
def pinterest() -> Iterator[Sandbox]:
    with Sandbox(seed=7, today=TODAY, size=WORLD, access_tier="unlimited") as sandbox:
        yield sandbox


class Choice(NamedTuple):
    """One row of a menu: the settings, the streams, and the calls that they lead to.

    A text in braces stands for an id of the made-up world.
    """

    menu: str
    config: dict[str, Any]
    stream: str
    operation: str
    sent: dict[str, Any]


def ids(sandbox: Sandbox) -> dict[str, str]:
    """Ids of the first ad account, of what is in it, and of the user's first board."""
    account = sandbox.world.ad_accounts[0]
    return {
        "account": account.id,
        "campaign": str(account.campaigns.ids[0]),
        "ad_group": str(account.ad_groups.ids[0]),
        "ad": str(account.ads.ids[0]),
        "board": sandbox.world.user.board_ids[0],
    }


def filled(value: Any, names: dict[str, str]) -> Any:
    """A value with its ids."""
    if isinstance(value, str):
        return value.format(**names)
    if isinstance(value, list):
        return [filled(each, names) for each in value]
    return value


def read(sandbox: Sandbox, choice: Choice) -> tuple[Run, list[dict[str, Any]]]:
    """The run of a choice, and what the calls of its operation have said, paths included."""
    names = ids(sandbox)
    chosen = {name: filled(value, names) for name, value in choice.config.items()}
    sandbox.requests.clear()
    groups = {str(vars(each)["name"]): each.group for each in STREAM_TYPES}
    of_day = re.sub(r"_(hour|week|month|total)$", "", choice.stream)
    result = run(settings(sandbox, stream_groups=[groups[of_day]], **chosen), choice.stream)
    asked = []
    for request in sandbox.requests:
        if request.operation == choice.operation:
            query: dict[str, list[str]] = defaultdict(list)
            for name, value in request.query:
                query[name].append(value)
            asked.append({**query, "path": [request.path]})
    return result, asked


def days(start: str, end: str) -> dict[str, str]:
    return {"start_date": start, "end_date": end}


CHOICES = [
    Choice("Report", {}, "campaigns", f"{ACCOUNT}/campaigns", {}),
    Choice(
        "Board",
        {"board_ids": ["{board}"]},
        "board_pins",
        "GET /boards/{board_id}/pins",
        {"path": "/boards/{board}/pins"},
    ),
    Choice(
        "Advertiser",
        {"ad_account_ids": ["{account}"]},
        "campaigns",
        f"{ACCOUNT}/campaigns",
        {"path": "/ad_accounts/{account}/campaigns"},
    ),
    Choice(
        "Select Health Type: lookback",
        {"conversion_quality": {"lookback_period": ["14d"]}},
        "conversion_eqs",
        f"{ACCOUNT}/conversion_eqs",
        {"lookback_period": "14d"},
    ),
    Choice(
        "Select Health Type: source",
        {"conversion_quality": {"source_platform": ["WEB"], "ingestion_source": ["TAG"]}},
        "conversion_eqs",
        f"{ACCOUNT}/conversion_eqs",
        {"source_platform": "WEB", "ingestion_source": "TAG"},
    ),
    Choice(
        "Object Type",
        {"ad_account_ids": ["{account}"]},
        "ad_group_analytics",
        f"{ACCOUNT}/ad_groups/analytics",
        {"path": "/ad_accounts/{account}/ad_groups/analytics"},
    ),
    Choice("Select All or Some: all", {}, "ads", f"{ACCOUNT}/ads", {"ad_ids": None}),
    Choice(
        "Select All or Some: some",
        {"ad_account_ids": ["{account}"], "ad_ids": ["{ad}"]},
        "ads",
        f"{ACCOUNT}/ads",
        {"ad_ids": "{ad}"},
    ),
    *(
        Choice(
            f"Granularity: {each}",
            {"granularities": ["DAY", each], **days("5 days ago", "2 days ago")},
            "ad_account_analytics" + ("" if each == "DAY" else f"_{each.lower()}"),
            ACCOUNT_REPORT,
            {"granularity": each},
        )
        for each in ("DAY", "HOUR", "TOTAL")
    ),
    *(
        Choice(
            f"Granularity: {each}",
            {"granularities": [each]},
            f"ad_account_analytics_{each.lower()}",
            ACCOUNT_REPORT,
            {"granularity": each},
        )
        for each in ("WEEK", "MONTH")
    ),
    *(
        Choice(
            f"Conversion Report Time: {each}",
            {"conversion_report_time": each},
            "ad_account_analytics",
            ACCOUNT_REPORT,
            {"conversion_report_time": each},
        )
        for each in ("TIME_OF_AD_ACTION", "TIME_OF_CONVERSION")
    ),
    *(
        Choice(
            f"{window} Window Days",
            {f"{window.lower()}_window_days": 7},
            "ad_account_analytics",
            ACCOUNT_REPORT,
            {f"{window.lower()}_window_days": "7"},
        )
        for window in ("View", "Engagement", "Click")
    ),
    Choice(
        "Select Display Names As Column Names",
        {"column_names": "display"},
        "ad_account_analytics",
        "GET /resources/delivery_metrics",
        {},
    ),
    Choice(
        "Domain: named",
        {"domains": ["example.com"]},
        "domain_top_pins",
        "GET /pins",
        {"pin_metrics": "true"},
    ),
    Choice(
        "Domain: claimed",
        {"from_claimed_content": "CLAIMED"},
        "user_account_top_pin_analytics",
        TOP_PINS,
        {"from_claimed_content": "CLAIMED"},
    ),
    Choice(
        "Aggregation: the days of a user",
        days("9 days ago", "2 days ago"),
        "user_account_analytics",
        USER_REPORT,
        days("2026-11-11", "2026-11-18"),
    ),
    Choice(
        "Aggregation: a range as one",
        {"top_pins_days": 7},
        "user_account_top_pin_analytics",
        TOP_PINS,
        days("2026-11-13", "2026-11-19"),
    ),
    Choice(
        "Entity Status",
        {"entity_statuses": ["PAUSED"]},
        "campaigns",
        f"{ACCOUNT}/campaigns",
        {"entity_statuses": "PAUSED"},
    ),
    Choice(
        "Campaign Ids",
        {"ad_account_ids": ["{account}"], "campaign_ids": ["{campaign}"]},
        "campaign_analytics",
        f"{ACCOUNT}/campaigns/analytics",
        {"campaign_ids": "{campaign}"},
    ),
    Choice(
        "Ad Group Ids",
        {"ad_account_ids": ["{account}"], "ad_group_ids": ["{ad_group}"]},
        "ad_group_analytics",
        f"{ACCOUNT}/ad_groups/analytics",
        {"ad_group_ids": "{ad_group}"},
    ),
    Choice(
        "Pin Promotion Ids",
        {"ad_account_ids": ["{account}"], "ad_ids": ["{ad}"]},
        "ad_analytics",
        f"{ACCOUNT}/ads/analytics",
        {"ad_ids": "{ad}"},
    ),
    *(
        Choice(
            f"Include All Advertisers: {shared}",
            {"include_shared_accounts": shared},
            "ad_accounts",
            "GET /ad_accounts",
            {"include_shared_accounts": str(shared).lower()},
        )
        for shared in (True, False)
    ),
    *(
        Choice(f"{menu}: {start} to {end}", days(start, end), stream, operation, days(*sent))
        for menu, start, end, sent in (
            ("Duration, a single date", "2026-11-02", "2026-11-02", ("2026-11-02", "2026-11-02")),
            ("Report Date, relative", "yesterday", "yesterday", ("2026-11-19", "2026-11-19")),
            ("Days Back", "7 days ago", "today", ("2026-11-13", "2026-11-20")),
            ("Start Date, End Date", "2026-10-01", "2026-10-31", ("2026-10-01", "2026-10-31")),
            (
                "Days Back to Start and End",
                "30 days ago",
                "5 days ago",
                ("2026-10-21", "2026-11-15"),
            ),
            (
                "Start Date by its time",
                "2026-10-01T12:00:00Z",
                "yesterday",
                ("2026-10-01", "2026-11-19"),
            ),
        )
        for stream, operation in (
            ("ad_account_analytics", ACCOUNT_REPORT),
            ("user_account_analytics", USER_REPORT),
        )
    ),
    *(
        Choice(
            f"Organic: {name}", {name: value}, "user_account_analytics", USER_REPORT, {name: value}
        )
        for name, value in (
            ("app_types", "MOBILE"),
            ("content_type", "PAID"),
            ("pin_format", "ADS_VIDEO"),
            ("source", "OTHER_PINS"),
            ("from_claimed_content", "OTHER"),
        )
    ),
]


@pytest.mark.parametrize(
    "choice", CHOICES, ids=[f"{each.menu} ({each.stream})" for each in CHOICES]
)
def test_a_choice_is_a_setting_that_reaches_pinterest(pinterest: Sandbox, choice: Choice) -> None:
    result, asked = read(pinterest, choice)

    assert result.code == 0
    assert {each.status for each in pinterest.requests} <= {200, 201}
    assert asked
    names = ids(pinterest)
    for name, value in choice.sent.items():
        wanted = None if value is None else [filled(value, names)]
        assert {tuple(each.get(name) or ()) for each in asked} == {tuple(wanted or ())}, name


def test_credentials_are_settings() -> None:
    with Sandbox(seed=7, today=TODAY, size=WORLD, access_tier="unlimited") as sandbox:
        refreshed = run(settings(sandbox), "ad_accounts")
        token = sandbox.credentials["access_token"]
        given = run({"api_url": sandbox.url, "access_token": token}, "ad_accounts")
        asked = [each.operation for each in sandbox.requests]

    assert (refreshed.code, given.code) == (0, 0)
    assert asked == ["POST /oauth/token", "GET /ad_accounts", "GET /ad_accounts"]


def test_a_report_is_read_alone(pinterest: Sandbox) -> None:
    choice = Choice("Report", {}, "delivery_metrics", "GET /resources/delivery_metrics", {})
    result, _ = read(pinterest, choice)

    assert set(result.streams("RECORD")) == {"delivery_metrics"}
    assert {each.operation for each in pinterest.requests} == {
        *("POST /oauth/token", "GET /resources/delivery_metrics")
    }


def test_product_group_ids_narrow_their_report(pinterest: Sandbox) -> None:
    everything = run(settings(pinterest, stream_groups="products"), "product_group_analytics")
    some = everything.records("product_group_analytics")[0]
    wanted = some["product_group_id"]
    config = settings(
        pinterest,
        stream_groups="products",
        ad_account_ids=[some["ad_account_id"]],
        product_group_ids=[wanted],
    )
    pinterest.requests.clear()
    result = run(config, "product_group_promotions", "product_group_analytics")
    asked = [
        dict(each.query)["product_group_ids"]
        for each in pinterest.requests
        if each.operation == f"{ACCOUNT}/product_groups/analytics"
    ]

    assert [record["id"] for record in result.records("product_group_promotions")] == [wanted]
    narrowed = result.records("product_group_analytics")
    assert {record["product_group_id"] for record in narrowed} == {wanted}
    assert asked == [wanted]


def test_several_filters_leave_only_entities_that_pass_all_of_them(
    pinterest: Sandbox,
) -> None:
    both = ("product_group_promotions", "ad_groups")
    everything = run(settings(pinterest, stream_groups="products,ads"), *both)
    campaigns = {each["id"]: each["campaign_id"] for each in everything.records("ad_groups")}
    one, *others = everything.records("product_group_promotions")
    campaign = campaigns[one["ad_group_id"]]
    other = next(each for each in others if campaigns[each["ad_group_id"]] != campaign)
    filters = {"product_group_ids": [one["id"], other["id"]], "campaign_ids": [campaign]}
    config = settings(pinterest, stream_groups="products,ads", **filters)
    result = run(config, "product_group_analytics")

    assert result.code == 0
    found = {each["product_group_id"] for each in result.records("product_group_analytics")}
    assert found <= {one["id"]}
    asked = [dict(each.query).get("product_group_ids") for each in pinterest.requests]
    assert asked.count(one["id"]) == 1
    assert other["id"] not in asked


@pytest.mark.parametrize(
    ("stream", "ids"),
    [
        ("ad_group_analytics", "ad_group_ids"),
        ("ad_pin_analytics", "ad_ids"),
        ("product_group_promotions", "product_group_ids"),
        ("product_group_analytics", "product_group_ids"),
    ],
)
def test_an_id_that_does_not_exist_fails_the_run_for_every_stream(
    pinterest: Sandbox, stream: str, ids: str
) -> None:
    result = run(settings(pinterest, stream_groups="all", **{ids: ["999"]}), stream)

    assert result.code == 1
    assert result.tap.run.summary.of(stream).failures == {
        "": "the config names 999, which Pinterest does not list"
    }


def test_ids_that_different_filters_leave_out_fail_nothing(pinterest: Sandbox) -> None:
    names = ids(pinterest)
    filters = {"ad_ids": [names["ad"]], "entity_statuses": ["DRAFT"]}
    result = run(settings(pinterest, **filters), "ad_analytics")

    assert result.code == 0
    assert result.records("ad_analytics") == []


def test_all_advertisers_but_some_are_read(pinterest: Sandbox) -> None:
    everything = run(settings(pinterest), "ad_accounts", "ad_account_analytics")
    one, *others = [each["id"] for each in everything.records("ad_accounts")]
    config = settings(pinterest, exclude_ad_account_ids=[one])
    result = run(config, "ad_accounts", "ad_account_analytics")

    assert [each["id"] for each in result.records("ad_accounts")] == others
    assert {each["ad_account_id"] for each in result.records("ad_account_analytics")} == {*others}
