"""Reports: metrics of an ad account and what is in it, by day, hour, week, month or in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_pinterest.api.levels import LEVELS
from tap_pinterest.streams.ads import AdGroups, Ads, Campaigns, ProductGroupPromotions
from tap_pinterest.streams.bases.analytics_stream import AnalyticsStream
from tap_pinterest.streams.bases.ordering import REPORTS

if TYPE_CHECKING:
    from collections.abc import Mapping


class AdAccountAnalytics(AnalyticsStream):
    """Metrics of an ad account on one day.

    Source: GET /ad_accounts/{ad_account_id}/analytics.
    """

    name = "ad_account_analytics"
    path = "/ad_accounts/{ad_account_id}/analytics"
    level = LEVELS["ad_account"]
    primary_keys = ("ad_account_id", "date")


class CampaignAnalytics(AnalyticsStream):
    """Metrics of a campaign on one day.

    Source: GET /ad_accounts/{ad_account_id}/campaigns/analytics.
    """

    name = "campaign_analytics"
    path = "/ad_accounts/{ad_account_id}/campaigns/analytics"
    level = LEVELS["campaign"]
    primary_keys = ("campaign_id", "date")
    entities = Campaigns


class AdGroupAnalytics(AnalyticsStream):
    """Metrics of an ad group on one day.

    Source: GET /ad_accounts/{ad_account_id}/ad_groups/analytics.
    """

    name = "ad_group_analytics"
    path = "/ad_accounts/{ad_account_id}/ad_groups/analytics"
    level = LEVELS["ad_group"]
    primary_keys = ("ad_group_id", "date")
    entities = AdGroups


class AdAnalytics(AnalyticsStream):
    """Metrics of an ad on one day.

    Source: GET /ad_accounts/{ad_account_id}/ads/analytics.
    """

    name = "ad_analytics"
    path = "/ad_accounts/{ad_account_id}/ads/analytics"
    level = LEVELS["ad"]
    primary_keys = ("ad_id", "date")
    entities = Ads


class ProductGroupAnalytics(AnalyticsStream):
    """Metrics of a product group promotion on one day.

    Source: GET /ad_accounts/{ad_account_id}/product_groups/analytics.
    """

    name = "product_group_analytics"
    path = "/ad_accounts/{ad_account_id}/product_groups/analytics"
    group = "products"
    level = LEVELS["product_group"]
    primary_keys = ("product_group_id", "date")
    entities = ProductGroupPromotions


class ProductItemAnalytics(AnalyticsStream):
    """Metrics of an item of a catalog on one day, as an asynchronous report.

    Source: POST /ad_accounts/{ad_account_id}/reports, level PRODUCT_ITEM.
    """

    name = "product_item_analytics"
    path = REPORTS
    group = "products"
    level = LEVELS["product_item"]
    primary_keys = ("product_item_id", "date")


class KeywordAnalytics(AnalyticsStream):
    """Metrics of a keyword on one day, as an asynchronous report.

    Source: POST /ad_accounts/{ad_account_id}/reports, level KEYWORD.
    """

    name = "keyword_analytics"
    path = REPORTS
    group = "keywords"
    level = LEVELS["keyword"]
    primary_keys = ("keyword_id", "date")


class AdPinAnalytics(AnalyticsStream):
    """Metrics of a Pin in a campaign on one day: of all ads that promote it there.

    Asynchronous reports do not have them: 90 days are kept, and columns that only such reports have
    are left out.
    Source: GET /ad_accounts/{ad_account_id}/pins/analytics.
    """

    name = "ad_pin_analytics"
    path = "/ad_accounts/{ad_account_id}/pins/analytics"
    group = "targeting"
    level = LEVELS["ad_pin"]
    primary_keys = ("campaign_id", "pin_id", "date")
    entities = Ads


class TargetingAnalyticsStream(AnalyticsStream):
    """Metrics broken down by targeting type: never add up rows of different types."""

    group = "targeting"
    broken_down = True
    dimensions = ("TARGETING_TYPE", "TARGETING_VALUE")


class AdAccountTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of an ad account on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/targeting_analytics.
    """

    name = "ad_account_targeting_analytics"
    path = "/ad_accounts/{ad_account_id}/targeting_analytics"
    level = LEVELS["ad_account"]
    primary_keys = ("ad_account_id", "targeting_type", "targeting_value", "date")


class CampaignTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of a campaign on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/campaigns/targeting_analytics.
    """

    name = "campaign_targeting_analytics"
    path = "/ad_accounts/{ad_account_id}/campaigns/targeting_analytics"
    level = LEVELS["campaign"]
    primary_keys = ("campaign_id", "targeting_type", "targeting_value", "date")
    entities = Campaigns


class AdGroupTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of an ad group on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/ad_groups/targeting_analytics.
    """

    name = "ad_group_targeting_analytics"
    path = "/ad_accounts/{ad_account_id}/ad_groups/targeting_analytics"
    level = LEVELS["ad_group"]
    primary_keys = ("ad_group_id", "targeting_type", "targeting_value", "date")
    entities = AdGroups


class AdTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of an ad on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/ads/targeting_analytics.
    """

    name = "ad_targeting_analytics"
    path = "/ad_accounts/{ad_account_id}/ads/targeting_analytics"
    level = LEVELS["ad"]
    primary_keys = ("ad_id", "targeting_type", "targeting_value", "date")
    entities = Ads


class ProductGroupTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of a product group promotion on one day, for one value of a targeting type.

    Source: POST /ad_accounts/{ad_account_id}/reports, level PRODUCT_GROUP_TARGETING.
    """

    name = "product_group_targeting_analytics"
    path = REPORTS
    group = "products"
    level = LEVELS["product_group"]
    primary_keys = ("product_group_id", "targeting_type", "targeting_value", "date")
    entities = ProductGroupPromotions


class ProductItemTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of an item of a catalog on one day, for one value of a targeting type.

    Source: POST /ad_accounts/{ad_account_id}/reports, level PRODUCT_ITEM_TARGETING.
    """

    name = "product_item_targeting_analytics"
    path = REPORTS
    group = "products"
    level = LEVELS["product_item"]
    primary_keys = ("product_item_id", "targeting_type", "targeting_value", "date")


BY_LEVEL: Mapping[str, type[AnalyticsStream]] = {
    each.level.targeting_report if each.broken_down else each.level.report: each
    for each in (
        *(AdAccountAnalytics, CampaignAnalytics, AdGroupAnalytics, AdAnalytics),
        *(ProductGroupAnalytics, ProductItemAnalytics, KeywordAnalytics),
        *(AdAccountTargetingAnalytics, CampaignTargetingAnalytics, AdGroupTargetingAnalytics),
        *(AdTargetingAnalytics, ProductGroupTargetingAnalytics, ProductItemTargetingAnalytics),
    )
}
"""The reports that the config may define others like, by level as the API names it."""
