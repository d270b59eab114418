"""Reports on an ad account and its entities, by day, hour, week or month, or as a total."""

from __future__ import annotations

from tap_pinterest.api.levels import LEVELS
from tap_pinterest.reports.ordering import REPORTS
from tap_pinterest.streams.ads import AdGroups, Ads, Campaigns, ProductGroupPromotions
from tap_pinterest.streams.bases.level import LevelReport


class AdAccountAnalytics(LevelReport):
    """Metrics of an ad account on one day.

    Source: GET /ad_accounts/{ad_account_id}/analytics.
    """

    name = "ad_account_analytics"
    level = LEVELS["ad_account"]
    path = level.path


class CampaignAnalytics(LevelReport):
    """Metrics of a campaign on one day.

    Source: GET /ad_accounts/{ad_account_id}/campaigns/analytics.
    """

    name = "campaign_analytics"
    level = LEVELS["campaign"]
    path = level.path
    entities = Campaigns


class AdGroupAnalytics(LevelReport):
    """Metrics of an ad group on one day.

    Source: GET /ad_accounts/{ad_account_id}/ad_groups/analytics.
    """

    name = "ad_group_analytics"
    level = LEVELS["ad_group"]
    path = level.path
    entities = AdGroups


class AdAnalytics(LevelReport):
    """Metrics of an ad on one day.

    Source: GET /ad_accounts/{ad_account_id}/ads/analytics.
    """

    name = "ad_analytics"
    level = LEVELS["ad"]
    path = level.path
    entities = Ads


class ProductGroupAnalytics(LevelReport):
    """Metrics of a product group promotion on one day.

    Source: GET /ad_accounts/{ad_account_id}/product_groups/analytics.
    """

    name = "product_group_analytics"
    group = "products"
    level = LEVELS["product_group"]
    path = level.path
    entities = ProductGroupPromotions


class ProductItemAnalytics(LevelReport):
    """Metrics of an item of a catalog on one day, as an asynchronous report.

    Source: POST /ad_accounts/{ad_account_id}/reports, level PRODUCT_ITEM.
    """

    name = "product_item_analytics"
    group = "products"
    level = LEVELS["product_item"]
    path = REPORTS
    narrowed_by = AdGroups


class KeywordAnalytics(LevelReport):
    """Metrics of a keyword on one day, as an asynchronous report.

    Source: POST /ad_accounts/{ad_account_id}/reports, level KEYWORD.
    """

    name = "keyword_analytics"
    group = "keywords"
    level = LEVELS["keyword"]
    path = REPORTS
    narrowed_by = AdGroups


class AdPinAnalytics(LevelReport):
    """Metrics of a Pin in a campaign on one day: of all ads that promote it there.

    Asynchronous reports do not have this level. So the report reaches 90 days back, and it lacks
    the columns that only asynchronous reports have.
    Source: GET /ad_accounts/{ad_account_id}/pins/analytics.
    """

    name = "ad_pin_analytics"
    group = "targeting"
    level = LEVELS["ad_pin"]
    path = level.path
    entities = Ads


class AdAccountTargetingAnalytics(LevelReport):
    """Metrics of an ad account on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/targeting_analytics.
    """

    name = "ad_account_targeting_analytics"
    group = "targeting"
    level = LEVELS["ad_account"]
    path = level.targeting_path
    broken_down = True


class CampaignTargetingAnalytics(LevelReport):
    """Metrics of a campaign on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/campaigns/targeting_analytics.
    """

    name = "campaign_targeting_analytics"
    group = "targeting"
    level = LEVELS["campaign"]
    path = level.targeting_path
    broken_down = True
    entities = Campaigns


class AdGroupTargetingAnalytics(LevelReport):
    """Metrics of an ad group on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/ad_groups/targeting_analytics.
    """

    name = "ad_group_targeting_analytics"
    group = "targeting"
    level = LEVELS["ad_group"]
    path = level.targeting_path
    broken_down = True
    entities = AdGroups


class AdTargetingAnalytics(LevelReport):
    """Metrics of an ad on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/ads/targeting_analytics.
    """

    name = "ad_targeting_analytics"
    group = "targeting"
    level = LEVELS["ad"]
    path = level.targeting_path
    broken_down = True
    entities = Ads


class ProductGroupTargetingAnalytics(LevelReport):
    """Metrics of a product group promotion on one day, for one value of a targeting type.

    Source: POST /ad_accounts/{ad_account_id}/reports, level PRODUCT_GROUP_TARGETING.
    """

    name = "product_group_targeting_analytics"
    group = "products"
    level = LEVELS["product_group"]
    path = REPORTS
    broken_down = True
    entities = ProductGroupPromotions


class ProductItemTargetingAnalytics(LevelReport):
    """Metrics of an item of a catalog on one day, for one value of a targeting type.

    Source: POST /ad_accounts/{ad_account_id}/reports, level PRODUCT_ITEM_TARGETING.
    """

    name = "product_item_targeting_analytics"
    group = "products"
    level = LEVELS["product_item"]
    path = REPORTS
    narrowed_by = AdGroups
    broken_down = True
