"""Answers as Pinterest was seen to send them, each form with its switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conftest import Client

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


def _metrics(client: Client) -> set[str]:
    found = client.sandbox.truth(KEYWORDS, **ASKED)
    return {name for _, record in found for name in record.get("metrics", {})}


def _names(client: Client, key: str) -> set[str]:
    records: list[Any] = [record for _, record in client.sandbox.truth(key)]
    return {name for record in records for name in record}
