"""Every record of a small world, held against the models of the published client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import api

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client

ALL_STATUSES = ["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT"]
LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "GET /ad_accounts": ("AdAccount", {}),
    "GET /ad_accounts/{ad_account_id}/campaigns": ("Campaign", {"entity_statuses": ALL_STATUSES}),
    "GET /ad_accounts/{ad_account_id}/ad_groups": ("AdGroup", {"entity_statuses": ALL_STATUSES}),
    "GET /ad_accounts/{ad_account_id}/ads": ("Ad", {"entity_statuses": ALL_STATUSES}),
    "GET /boards": ("Board", {}),
    "GET /pins": ("Pin", {"pin_metrics": "true", "include_protected_pins": "true"}),
}
ANALYTICS = {
    "analytics": ("AdAccountAnalyticsItems", None),
    "campaigns/analytics": ("CampaignsAnalyticsMetrics", "campaign_ids"),
    "ad_groups/analytics": ("AdGroupsAnalyticsMetrics", "ad_group_ids"),
    "ads/analytics": ("AdsAnalytics", "ad_ids"),
}


def _records(client: Client, key: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    path = key.removeprefix("GET ")
    if "{ad_account_id}" not in path:
        return client.everything(path, **query)
    accounts = [account.id for account in client.sandbox.world.ad_accounts]
    return [
        record
        for account in accounts
        for record in client.everything(path.format(ad_account_id=account), **query)
    ]


@pytest.mark.parametrize("key", LISTS)
def test_every_record_is_one_of_the_published_model(client: Client, models: Any, key: str) -> None:
    name, query = LISTS[key]
    records = _records(client, key, query)

    assert records
    for record in records:
        getattr(models, name).from_dict(record)


@pytest.mark.parametrize("key", LISTS)
def test_every_documented_property_is_on_some_record_with_a_value(client: Client, key: str) -> None:
    _, query = LISTS[key]
    record = api.operation(key).record
    assert record
    documented = set(record["properties"])

    found: set[str] = set()
    for item in _records(client, key, query):
        found.update(name for name, value in item.items() if value is not None)

    assert documented - found == set()


@pytest.mark.parametrize("key", LISTS)
def test_no_record_has_a_property_that_is_not_documented(client: Client, key: str) -> None:
    _, query = LISTS[key]
    record = api.operation(key).record
    assert record
    documented = set(record["properties"])

    for item in _records(client, key, query):
        assert set(item) <= documented


def test_a_user_account_is_one_of_the_published_model(client: Client, models: Any) -> None:
    account = client.get("/user_account")

    assert models.Account.from_dict(account).id == client.sandbox.world.user.id
    assert set(account) <= set(api.schema("Account")["properties"])


def test_an_ad_account_by_id_is_the_one_of_the_list(client: Client) -> None:
    for listed in client.everything("/ad_accounts"):
        assert client.get(f"/ad_accounts/{listed['id']}") == listed


@pytest.mark.parametrize("level", ANALYTICS)
def test_every_row_is_one_of_the_published_model(
    client: Client, models: Any, account: str, level: str
) -> None:
    name, id_parameter = ANALYTICS[level]
    query: dict[str, Any] = {
        "start_date": "2026-11-10",
        "end_date": "2026-11-20",
        "granularity": "DAY",
        "columns": "SPEND_IN_DOLLAR,TOTAL_CHECKOUT",
    }
    if id_parameter:
        listed = client.everything(
            f"{account}/{level.split('/', maxsplit=1)[0]}", entity_statuses=ALL_STATUSES
        )
        query[id_parameter] = [entity["id"] for entity in listed]

    rows = client.get(f"{account}/{level}", **query)

    assert rows
    for row in rows:
        getattr(models, name).from_dict(row)


def test_the_ready_state_is_one_of_the_published_model(client: Client, models: Any) -> None:
    models.BookClosed.from_dict(client.get("/resources/metrics_ready_state", date="2026-11-18"))


def test_the_token_answer_is_one_of_the_published_model(
    serve: Callable[..., Client], models: Any
) -> None:
    client = serve()
    form = {
        "grant_type": "refresh_token",
        "refresh_token": client.sandbox.credentials["refresh_token"],
    }

    answer = client.post_form(form).json()

    models.OauthAccessToken.from_dict(answer)
