"""The sandbox refuses each request that the description refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from pinterest_sandbox import WorldSize

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client

REPORT = {
    "start_date": "2026-11-10",
    "end_date": "2026-11-19",
    "granularity": "DAY",
    "columns": "SPEND_IN_DOLLAR",
}


def test_an_unknown_path_is_404(client: Client) -> None:
    status, _, message = client.refused("/campaigns")

    assert (status, message) == (404, "Resource not found.")


def test_a_path_with_a_slash_too_many_is_404(client: Client) -> None:
    assert client.refused("/boards/")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "HEAD"])
def test_a_known_path_with_another_method_is_405(client: Client, method: str) -> None:
    answer = requests.request(method, client.sandbox.url + "/boards", timeout=10)

    assert answer.status_code == 405


def test_an_operation_that_is_not_served_says_so(client: Client) -> None:
    assert client.refused("/catalogs/items/batch/1")[0] == 501


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"page_size": 0}, "page_size"),
        ({"page_size": 251}, "page_size"),
        ({"page_size": "ten"}, "page_size"),
        ({"page_size": ["1", "2"]}, "2 times"),
        ({"page_size": ""}, "page_size"),
        ({"since": "yesterday"}, "Unknown parameter"),
        ({"order": "UP"}, "order"),
        ({"entity_statuses": "ACTIVE,PAUSED"}, "repeating"),
        ({"entity_statuses": ["ACTIVE", "GONE"]}, "entity_statuses"),
        ({"campaign_ids": "C123"}, "campaign_ids"),
        ({"campaign_ids": ["1"] * 251}, "at most 250"),
        ({"campaign_ids": "1" * 19}, "campaign_ids"),
        ({"bookmark": "abc"}, "bookmark"),
        ({"bookmark": "Zm9yZ2Vk"}, "bookmark"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_list_refuses_what_the_description_does(
    client: Client, account: str, query: dict[str, Any], word: str
) -> None:
    status, code, message = client.refused(f"{account}/campaigns", **query)

    assert (status, code) == (400, 1)
    assert word in message


def test_a_boolean_is_true_or_false_and_nothing_else(client: Client) -> None:
    assert client.refused("/ad_accounts", include_shared_accounts="True")[0] == 400


def test_an_ad_account_id_with_letters_is_400(client: Client) -> None:
    assert client.refused("/ad_accounts/abc/campaigns")[0] == 400


def test_an_unknown_ad_account_is_404(client: Client) -> None:
    assert client.refused("/ad_accounts/5/campaigns")[0] == 404


def test_an_ad_account_of_somebody_else_is_403(client: Client) -> None:
    foreign = client.sandbox.world.foreign_account_id

    assert client.refused(f"/ad_accounts/{foreign}/campaigns")[:2] == (403, 29)
    assert client.refused("/boards", ad_account_id=foreign)[:2] == (403, 29)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("ad_groups", ["campaign_ids", "ad_group_ids"]),
        ("ads", ["campaign_ids", "ad_ids"]),
        ("ads", ["ad_group_ids", "ad_ids"]),
    ],
)
def test_only_one_kind_of_id_filters_a_list(
    client: Client, account: str, path: str, names: list[str]
) -> None:
    status, _, message = client.refused(f"{account}/{path}", **dict.fromkeys(names, "1"))

    assert status == 400
    assert "only one" in message


@pytest.mark.parametrize("missing", REPORT)
def test_a_report_needs_its_parameters(client: Client, account: str, missing: str) -> None:
    query = {name: value for name, value in REPORT.items() if name != missing}

    status, _, message = client.refused(f"{account}/analytics", **query)

    assert status == 400
    assert missing in message


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"start_date": "2026-08-21"}, "90 days back"),
        ({"start_date": "2026-11-20", "end_date": "2026-11-19"}, "before"),
        ({"end_date": "2026-11-21"}, "after today"),
        ({"start_date": "10/11/2026"}, "YYYY-MM-DD"),
        ({"start_date": "2026-02-30"}, "YYYY-MM-DD"),
        ({"start_date": "20261110"}, "YYYY-MM-DD"),
        ({"granularity": "WEEKLY"}, "granularity"),
        ({"columns": "SPEND"}, "columns"),
        ({"columns": ["SPEND_IN_DOLLAR", "CTR"]}, "joined with commas"),
        ({"columns": ""}, "columns"),
        ({"columns": "spend_in_dollar"}, "columns"),
        ({"click_window_days": 2}, "click_window_days"),
        ({"conversion_report_time": "NOW"}, "conversion_report_time"),
        ({"granularity": "HOUR"}, "8 days back"),
        ({"granularity": "HOUR", "start_date": "2026-11-14"}, "3 days past"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_report_refuses_what_the_description_does(
    client: Client, account: str, change: dict[str, Any], word: str
) -> None:
    status, code, message = client.refused(f"{account}/analytics", **(REPORT | change))

    assert (status, code) == (400, 1)
    assert word in message


def test_the_90th_day_back_is_still_answered(client: Client, account: str) -> None:
    first = client.sandbox.today - timedelta(days=90)

    rows = client.get(
        f"{account}/analytics", **(REPORT | {"start_date": first, "end_date": "2026-11-19"})
    )

    assert rows[0]["DATE"] == first.isoformat()


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("2026-11-12", "2026-11-12", 200),
        ("2026-11-17", "2026-11-20", 200),
        ("2026-11-11", "2026-11-12", 400),
        ("2026-11-16", "2026-11-20", 400),
    ],
)
def test_an_hourly_report_begins_eight_days_back_and_is_three_days_wide(
    client: Client, account: str, start: str, end: str, status: int
) -> None:
    query = REPORT | {"granularity": "HOUR", "start_date": start, "end_date": end}

    assert client.ask(f"{account}/analytics", **query).status_code == status


def test_some_combinations_of_windows_are_refused_by_name(client: Client, account: str) -> None:
    query = REPORT | {"click_window_days": 14, "engagement_window_days": 1, "view_window_days": 60}

    status, _, message = client.refused(f"{account}/analytics", **query)

    assert status == 400
    assert "click_window_days 14, engagement_window_days 1, view_window_days 60" in message


@pytest.mark.parametrize("feature", ["reporting_timezone", "aggregate_report_rows"])
def test_beta_features_are_refused(client: Client, account: str, feature: str) -> None:
    value = {"reporting_timezone": "PINTEREST_TIME_ZONE", "aggregate_report_rows": "true"}[feature]
    campaign = client.get(f"{account}/campaigns")["items"][0]["id"]

    refused = client.refused(
        f"{account}/campaigns/analytics", campaign_ids=campaign, **REPORT, **{feature: value}
    )

    assert refused[:2] == (401, 3)


@pytest.mark.parametrize(
    "ids",
    [
        {},
        {"campaign_ids": "1"},
        {"pin_ids": "1"},
        {"ad_ids": "1", "pin_ids": "1"},
        {"ad_ids": "1", "campaign_ids": "1", "pin_ids": "1"},
    ],
    ids=lambda value: "+".join(value) or "none",
)
def test_ad_reports_need_ads_or_campaigns_with_pins(
    client: Client, account: str, ids: dict[str, str]
) -> None:
    status, _, message = client.refused(f"{account}/ads/analytics", **REPORT, **ids)

    assert status == 400
    assert "either ad_ids or both campaign_ids and pin_ids" in message


def test_a_report_on_ids_of_another_account_is_400(client: Client, account: str) -> None:
    other = client.sandbox.world.ad_accounts[1]
    stranger = client.get(f"/ad_accounts/{other.id}/ads")["items"][0]["id"]

    status, _, message = client.refused(f"{account}/ads/analytics", ad_ids=stranger, **REPORT)

    assert status == 400
    assert stranger in message


def test_an_account_with_a_finance_role_only_shows_no_ads(serve: Callable[..., Client]) -> None:
    client = serve(size=WorldSize(accounts=2, empty_accounts=0, powerless_accounts=1))
    powerless = client.sandbox.world.ad_accounts[1]

    assert client.get(f"/ad_accounts/{powerless.id}")["permissions"] == ["FINANCE_VIEW"]
    assert client.refused(f"/ad_accounts/{powerless.id}/ads")[:2] == (403, 29)
    assert client.refused(f"/ad_accounts/{powerless.id}/analytics", **REPORT)[:2] == (403, 29)
