"""What is advertised: campaigns, their ad groups, and the ads in them."""

from __future__ import annotations

from types import MappingProxyType

from tap_pinterest.streams.base import AdAccountStream, ListStream


class AdsEntityStream(AdAccountStream, ListStream):
    """Entities of an ad account, archived ones included.

    Without the archived ones, what they have spent would be missing from the reports, which are
    asked for by id.
    """

    group = "ads"
    primary_keys = ("id",)
    query = MappingProxyType(
        {"entity_statuses": ("ACTIVE", "PAUSED", "ARCHIVED"), "order": "ASCENDING"}
    )


class Campaigns(AdsEntityStream):
    """Campaigns of an ad account; caps and budgets are in micro-currency.

    Source: GET /ad_accounts/{ad_account_id}/campaigns.
    """

    name = "campaigns"
    path = "/ad_accounts/{ad_account_id}/campaigns"


class AdGroups(AdsEntityStream):
    """Ad groups of an ad account; bids and budgets are in micro-currency.

    Source: GET /ad_accounts/{ad_account_id}/ad_groups.
    """

    name = "ad_groups"
    path = "/ad_accounts/{ad_account_id}/ad_groups"
    parent_fields = ("campaign_id",)


class Ads(AdsEntityStream):
    """Ads of an ad account: each promotes a Pin.

    Source: GET /ad_accounts/{ad_account_id}/ads.
    """

    name = "ads"
    path = "/ad_accounts/{ad_account_id}/ads"
    parent_fields = ("campaign_id", "ad_group_id", "pin_id")
