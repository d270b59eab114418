"""The operations that the sandbox answers, grouped as the API groups them: the contents page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pinterest_sandbox.answers import ads, analytics, organic, resources

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinterest_sandbox.calls import Call

Answer: TypeAlias = "Callable[[Call], Any]"
"""From a call to what the API says: a `Listing` where it answers in pages, else the body itself."""

_ACCOUNT = "/ad_accounts/{ad_account_id}"

ANSWERS: Mapping[str, Answer] = {
    "GET /ad_accounts": ads.ad_accounts,
    f"GET {_ACCOUNT}": ads.ad_account,
    f"GET {_ACCOUNT}/campaigns": ads.campaigns,
    f"GET {_ACCOUNT}/ad_groups": ads.ad_groups,
    f"GET {_ACCOUNT}/ads": ads.ads,
    f"GET {_ACCOUNT}/analytics": analytics.ad_account,
    f"GET {_ACCOUNT}/campaigns/analytics": analytics.campaigns,
    f"GET {_ACCOUNT}/ad_groups/analytics": analytics.ad_groups,
    f"GET {_ACCOUNT}/ads/analytics": analytics.ads,
    "GET /resources/delivery_metrics": resources.delivery_metrics,
    "GET /resources/metrics_ready_state": resources.metrics_ready_state,
    "GET /user_account": organic.user_account,
    "GET /boards": organic.boards,
    "GET /pins": organic.pins,
}
"""`POST /oauth/token` is not among them: it is asked before there is a token."""
