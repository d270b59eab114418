"""Answers as Pinterest was seen to send them, each form with its switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from pinterest_sandbox import Style
from pinterest_sandbox import server as server_module

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from conftest import Client
    from pinterest_sandbox.refusals import ClosedStatus, RefusalName
    from pinterest_sandbox.style import TimeStyle

ACCOUNT = "/ad_accounts/{ad_account_id}"
LIVE: Mapping[str, set[str]] = {
    f"GET {ACCOUNT}/ad_groups": {
        "enabled_catalog_expansion",
        "is_automated_campaign",
        "is_creative_expansion",
    },
    f"GET {ACCOUNT}/audiences": {"is_ctv_enabled"},
    f"GET {ACCOUNT}/campaigns": {"ext_features"},
    f"GET {ACCOUNT}/targeting_templates": {"placement_traffic_type"},
    "GET /pins": {"is_removable", "product_tags"},
    "GET /pins/{pin_id}": {"is_removable", "product_tags"},
}
KEYWORDS = f"GET {ACCOUNT}/keywords/metrics"
STATISTICS = {
    "parameters[catalog_type]": "RETAIL",
    "parameters[report][report_type]": "FEED_INGESTION_ISSUES",
    "parameters[report][feed_id]": "1",
}
ASKED = {"country_code": "US", "keywords": ["shoes", "coffee"]}


@pytest.mark.parametrize("key", LIVE)
def test_records_have_the_fields_that_only_live_answers_have(
    serve: Callable[..., Client], key: str
) -> None:
    fields = LIVE[key]

    assert fields <= _names(serve(), key)
    assert not fields & _names(serve(style=Style(fields="described")), key)


def test_keyword_metrics_have_their_value_under_a_name_in_upper_case(
    serve: Callable[..., Client],
) -> None:
    live, described = serve(), serve(style=Style(fields="described"))

    assert _metrics(live) == {"KEYWORD_QUERY_VOLUME"}
    assert _metrics(described) == {"keyword_query_volume"}


@pytest.mark.parametrize(
    ("name", "status", "code", "words"),
    [
        ("code 12", 400, 12, "Something went wrong"),
        ("something went wrong", 400, 1, "Something went wrong"),
        ("last 90 days", 400, 1, "You can only get data from the last 90 days."),
        ("consumer type", 401, 3, "Your application consumer type is not supported"),
        ("restricted feature", 401, 3, "does not have access to this restricted feature."),
        ("no catalog", 409, 4182, "Can't access this feature without an existing catalog"),
        ("no endpoint", 404, 11, "API method not found"),
        ("grant invalid", 401, 283, "The authorization grant is invalid"),
        ("cannot perform", 403, 2625, "Sorry, you cannot perform this action"),
        ("rate limited", 429, 8, "You have exceeded your rate limit."),
    ],
)
def test_a_refusal_that_was_seen_can_be_played_by_name(
    serve: Callable[..., Client], name: RefusalName, status: int, code: int, words: str
) -> None:
    client = serve()
    client.sandbox.fail("/boards", kind="refusal", refusal=name)

    refused = client.refused("/boards")

    assert refused[:2] == (status, code)
    assert words in refused[2]
    assert client.get("/boards")


def test_a_played_refusal_can_have_another_status_and_no_headers_of_limits(
    serve: Callable[..., Client],
) -> None:
    client = serve(access_tier="standard")
    client.sandbox.fail("/boards", kind="refusal", refusal="restricted feature", status=403)
    client.sandbox.fail("/pins", kind="refusal", refusal="rate limited")

    assert client.refused("/boards")[0] == 403
    answer = client.ask("/pins")
    assert answer.status_code == 429
    assert not [name for name in answer.headers if name.lower().startswith("x-ratelimit")]


def test_the_control_endpoint_plays_refusals(serve: Callable[..., Client]) -> None:
    client = serve()
    fault = {"path": "/boards", "kind": "refusal", "refusal": "consumer type"}

    requests.post(f"{client.sandbox.control_url}/faults", json=fault, timeout=30)

    assert client.refused("/boards")[:2] == (401, 3)


def test_some_calls_are_refused_by_mistake_and_answered_the_next_time(
    serve: Callable[..., Client],
) -> None:
    client = serve(hiccups=0.3)
    period = {"start_date": "2026-11-01", "end_date": "2026-11-02"}

    answers = [client.ask("/user_account/analytics", **period) for _ in range(60)]

    refused = {answer.json()["code"] for answer in answers if answer.status_code == 400}
    assert refused == {1, 12}
    assert 30 < [answer.status_code for answer in answers].count(200) < 60


@pytest.mark.parametrize(("closed", "code"), [(401, 3), (403, 29)])
def test_a_feature_that_the_app_was_not_given_is_refused_with_either_status(
    serve: Callable[..., Client], closed: ClosedStatus, code: int
) -> None:
    client = serve(withheld=["GET /integrations"], style=Style(closed=closed))

    assert client.refused("/integrations")[:2] == (closed, code)


def test_a_path_in_a_closed_beta_is_not_there(serve: Callable[..., Client]) -> None:
    client = serve(absent=["GET /catalogs/reports/stats"])

    assert client.refused("/catalogs/reports/stats", **STATISTICS)[:2] == (404, 11)
    assert client.get("/catalogs")


def test_a_column_that_is_not_available_is_named_with_those_that_are(
    serve: Callable[..., Client],
) -> None:
    client = serve(unavailable=["TOTAL_ENGAGEMENT", "SAVE"])
    account = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}"
    period = {"start_date": "2026-11-01", "end_date": "2026-11-02"}
    columns = "SPEND_IN_DOLLAR,TOTAL_ENGAGEMENT"

    status, code, text = client.refused(
        f"{account}/analytics", columns=columns, granularity="DAY", **period
    )

    assert (status, code) == (400, 1)
    assert text.startswith("Parameter 'columns' (value TOTAL_ENGAGEMENT) is not one of ")
    offered = set(text.partition(" is not one of ")[2].rstrip(".").split(", "))
    assert {"ENGAGEMENT_1", "TOTAL_ENGAGEMENT"} & offered == {"ENGAGEMENT_1"}
    metrics = client.refused("/user_account/analytics", metric_types="SAVE", **period)[2]
    assert metrics.startswith("Parameter 'metric_types' (value SAVE) is not one of ")
    metric = "SPEND_IN_DOLLAR"
    assert client.get(f"{account}/analytics", columns=metric, granularity="DAY", **period)


def test_columns_of_an_ordered_report_that_are_not_available_are_named_together(
    serve: Callable[..., Client],
) -> None:
    client = serve(unavailable=["TOTAL_ENGAGEMENT", "LEADS"])
    account = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}"
    order = {
        "start_date": "2026-11-01",
        "end_date": "2026-11-02",
        "granularity": "DAY",
        "columns": ["LEADS", "SPEND_IN_DOLLAR", "TOTAL_ENGAGEMENT"],
        "level": "CAMPAIGN",
    }

    answer = client.post(f"{account}/reports", order)

    assert answer.status_code == 400
    assert answer.json() == {"message": "Columns LEADS, TOTAL_ENGAGEMENT are not available."}


def test_an_account_can_have_columns_that_nobody_describes(serve: Callable[..., Client]) -> None:
    more = ["SHARES", "SHARES_VALUE_IN_MICRO_DOLLAR", "SHARE_RATE"]
    client = serve(columns=more)
    account = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}"
    period = {"start_date": "2026-11-01", "end_date": "2026-11-09", "granularity": "TOTAL"}

    names = {each["name"] for each in client.get("/resources/delivery_metrics")["items"]}
    rows = client.get(f"{account}/analytics", columns=",".join(more), **period)
    report = client.report(f"{account}/reports", **period, columns=more, level="ADVERTISER")

    assert set(more) <= names
    assert set(more) <= rows[0].keys()
    assert all(rows[0][name] > 0 for name in more)
    ordered = next(iter(report.values())) if isinstance(report, dict) else report
    assert {name: ordered[0][name] for name in more} == {name: rows[0][name] for name in more}
    assert serve().refused(f"{account}/analytics", columns="SHARES", **period)[0] == 400


@pytest.mark.parametrize("created", [200, 201])
def test_an_order_is_answered_with_either_status(
    serve: Callable[..., Client], created: Literal[200, 201]
) -> None:
    client = serve(style=Style(created=created))
    account = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}"
    order = {
        "start_date": "2026-11-01",
        "end_date": "2026-11-02",
        "granularity": "DAY",
        "columns": ["SPEND_IN_DOLLAR"],
        "level": "CAMPAIGN",
    }

    assert client.post(f"{account}/reports", order).status_code == created


def test_own_pins_that_were_saved_again_can_have_numbers(serve: Callable[..., Client]) -> None:
    refused, counted = serve(style=Style(saved_pins="refused")), serve()
    user = counted.sandbox.world.user
    saved = user.pin_ids[user.saved_pins.index(True)]
    query = {
        "start_date": "2026-11-01",
        "end_date": "2026-11-02",
        "metric_types": "IMPRESSION",
    }

    assert refused.refused(f"/pins/{saved}/analytics", **query)[0] == 403
    assert counted.get(f"/pins/{saved}/analytics", **query)["all"]["daily_metrics"]


@pytest.mark.parametrize(
    ("times", "least"),
    [("seconds", 10**8), ("milliseconds", 10**11), ("microseconds", 10**14)],
)
@pytest.mark.parametrize(
    "key",
    [
        f"GET {ACCOUNT}/campaigns",
        f"GET {ACCOUNT}/leads/subscriptions",
        "GET /businesses/{business_id}/members",
        "GET /integrations",
    ],
)
def test_times_can_all_be_in_one_unit(
    serve: Callable[..., Client], key: str, times: TimeStyle, least: int
) -> None:
    client = serve(style=Style(times=times))

    found = {record.get("created_time") for _, record in client.sandbox.truth(key)} - {None}

    assert found
    assert all(least <= moment < least * 1000 for moment in found)


def test_every_form_has_its_switch_on_the_command_line() -> None:
    context = server_module.main.make_context(
        "pinterest-sandbox",
        [
            *("--rate-headers", "plain", "--fields", "described", "--times", "seconds"),
            *("--saved-pins", "refused", "--closed", "403", "--created", "200"),
            *("--absent", "GET /pins", "--unavailable", "SAVE", "--hiccups", "0.1"),
            *("--fault", '{"kind": "refusal", "refusal": "consumer type"}'),
        ],
    )
    options = context.params

    assert options["faults"][0].refusal == "consumer type"
    assert (options["closed"], options["created"], options["hiccups"]) == (403, 200, 0.1)
    assert {*Style.__struct_fields__} <= options.keys()


def _metrics(client: Client) -> set[str]:
    found = client.sandbox.truth(KEYWORDS, **ASKED)
    return {name for _, record in found for name in record.get("metrics", {})}


def _names(client: Client, key: str) -> set[str]:
    records: list[Any] = [record for _, record in client.sandbox.truth(key)]
    return {name for record in records for name in record}
