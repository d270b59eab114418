"""Reports on an ad account and its entities, by day, hour, week or month, or as a total."""

from __future__ import annotations

from tap_pinterest.api.levels import LEVELS
from tap_pinterest.streams.ads import AdGroups, Ads, Campaigns, ProductGroupPromotions
from tap_pinterest.streams.bases.level import LevelReport


class AdAccountAnalytics(LevelReport):
    """Metrics of an ad account on one day."""

    name = "ad_account_analytics"
    level = LEVELS["ad_account"]


class CampaignAnalytics(LevelReport):
    """Metrics of a campaign on one day."""

    name = "campaign_analytics"
    level = LEVELS["campaign"]
    entities = Campaigns


class AdGroupAnalytics(LevelReport):
    """Metrics of an ad group on one day."""

    name = "ad_group_analytics"
    level = LEVELS["ad_group"]
    entities = AdGroups


class AdAnalytics(LevelReport):
    """Metrics of an ad on one day."""

    name = "ad_analytics"
    level = LEVELS["ad"]
    entities = Ads


class ProductGroupAnalytics(LevelReport):
    """Metrics of a product group promotion on one day."""

    name = "product_group_analytics"
    group = "products"
    level = LEVELS["product_group"]
    entities = ProductGroupPromotions


class ProductItemAnalytics(LevelReport):
    """Metrics of an item of a catalog on one day, as an asynchronous report."""

    name = "product_item_analytics"
    group = "products"
    level = LEVELS["product_item"]
    narrowed_by = AdGroups


class KeywordAnalytics(LevelReport):
    """Metrics of a keyword on one day, as an asynchronous report."""

    name = "keyword_analytics"
    group = "keywords"
    level = LEVELS["keyword"]
    narrowed_by = AdGroups


class AdPinAnalytics(LevelReport):
    """Metrics of a Pin in a campaign on one day: of all ads that promote it there.

    Asynchronous reports do not have this level. So the report reaches 90 days back, and it lacks
    the columns that only asynchronous reports have.
    """

    name = "ad_pin_analytics"
    group = "targeting"
    level = LEVELS["ad_pin"]
    entities = Ads


class AdAccountTargetingAnalytics(LevelReport):
    """Metrics of an ad account on one day, for one value of a targeting type."""

    name = "ad_account_targeting_analytics"
    group = "targeting"
    level = LEVELS["ad_account"]
    broken_down = True


class CampaignTargetingAnalytics(LevelReport):
    """Metrics of a campaign on one day, for one value of a targeting type."""

    name = "campaign_targeting_analytics"
    group = "targeting"
    level = LEVELS["campaign"]
    broken_down = True
    entities = Campaigns


class AdGroupTargetingAnalytics(LevelReport):
    """Metrics of an ad group on one day, for one value of a targeting type."""

    name = "ad_group_targeting_analytics"
    group = "targeting"
    level = LEVELS["ad_group"]
    broken_down = True
    entities = AdGroups


class AdTargetingAnalytics(LevelReport):
    """Metrics of an ad on one day, for one value of a targeting type."""

    name = "ad_targeting_analytics"
    group = "targeting"
    level = LEVELS["ad"]
    broken_down = True
    entities = Ads


class ProductGroupTargetingAnalytics(LevelReport):
    """Metrics of a product group promotion on one day, for one value of a targeting type."""

    name = "product_group_targeting_analytics"
    group = "products"
    level = LEVELS["product_group"]
    broken_down = True
    entities = ProductGroupPromotions


class ProductItemTargetingAnalytics(LevelReport):
    """Metrics of an item of a catalog on one day, for one value of a targeting type."""

    name = "product_item_targeting_analytics"
    group = "products"
    level = LEVELS["product_item"]
    narrowed_by = AdGroups
    broken_down = True
