"""Ad accounts, campaigns, ad groups, ads, and the settings that belong to them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_pinterest.config import Settings
from tap_pinterest.reading.calls import Batches, Each, Either, Expected, Once, Setting, Source
from tap_pinterest.reading.owners import AD_ACCOUNTS
from tap_pinterest.reading.pages import Item
from tap_pinterest.streams.bases.dataset import DatasetStream, SnapshotStream
from tap_pinterest.streams.bases.stream import PinterestStream

ENTITY_STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED")


class AdAccounts(PinterestStream):
    """Ad accounts the token can read, limited by `ad_account_ids`."""

    name = "ad_accounts"
    path = AD_ACCOUNTS
    primary_keys = ("id",)

    @override
    def expected(self, context: Context | None) -> Iterator[Expected]:
        _ = self.inventory.owners.ad_accounts
        return iter(())

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        for item in self.inventory.owners.ad_accounts.values():
            yield self.finished(self.convert(item))
            self.summary.read()
        self.run.fail_for_unreadable(self.name, self.inventory.owners.unreadable)


class AdsEntityStream(DatasetStream):
    """Entities of an ad account, also archived entities.

    Reports name the ids of entities. Without the ids of archived entities, their spend would be
    missing from the reports.
    """

    query = MappingProxyType({"order": "ASCENDING"})

    @classmethod
    @override
    def parameters(cls, settings: Settings) -> Mapping[str, Any]:
        return {"entity_statuses": settings.entity_statuses or ENTITY_STATUSES, **cls.query}

    @classmethod
    @override
    def shows_all(cls, settings: Settings) -> bool:
        # If the list shows only some statuses, an entity that changes its status is not removed.
        asked = settings.entity_statuses or ENTITY_STATUSES
        return {*ENTITY_STATUSES} <= {*asked} and super().shows_all(settings)


class Campaigns(AdsEntityStream):
    """Campaigns of an ad account; caps and budgets are in micro-currency."""

    name = "campaigns"
    path = "/ad_accounts/{ad_account_id}/campaigns"
    id_filters = MappingProxyType({"campaign_ids": "id"})


class AdGroups(AdsEntityStream):
    """Ad groups of an ad account; bids and budgets are in micro-currency."""

    name = "ad_groups"
    path = "/ad_accounts/{ad_account_id}/ad_groups"
    parent_fields = ("campaign_id",)
    id_filters = MappingProxyType({"ad_group_ids": "id", "campaign_ids": "campaign_id"})


class Ads(AdsEntityStream):
    """Ads of an ad account: each promotes a Pin."""

    name = "ads"
    path = "/ad_accounts/{ad_account_id}/ads"
    parent_fields = ("campaign_id", "ad_group_id", "pin_id")
    id_filters = MappingProxyType(
        {"ad_ids": "id", "ad_group_ids": "ad_group_id", "campaign_ids": "campaign_id"}
    )


class ProductGroupPromotions(AdsEntityStream):
    """Product groups that an ad group promotes; bids are in micro-currency."""

    name = "product_group_promotions"
    path = "/ad_accounts/{ad_account_id}/product_group_promotions"
    group = "products"
    per = (Each(AdGroups, ad_group_id="id"),)
    id_filters = MappingProxyType({"product_group_ids": "id"})

    @functools.cached_property
    @override
    def missing_ids(self) -> set[str]:
        return self.named(self.settings)

    @classmethod
    @override
    def sources(cls, settings: Settings) -> Sequence[Source]:
        # A call takes ids of promotions or of ad groups. Only ad groups lead to campaigns.
        if settings.product_group_ids and not (settings.campaign_ids or settings.ad_group_ids):
            return (Batches(Setting("product_group_ids", "product_group_promotion_ids")),)
        return cls.per


class Promotions(DatasetStream):
    """Promotions of a shop: discounts and codes that ads can show."""

    name = "promotions"
    path = "/ad_accounts/{ad_account_id}/promotions"
    group = "products"
    primary_keys = ("ad_account_id", "id")


class PromotionAppliedAdGroups(DatasetStream):
    """Ad groups that a promotion applies to. Unverified: known from API 5.28 only."""

    name = "promotion_applied_ad_groups"
    path = "/ad_accounts/{ad_account_id}/promotion_applied_entities"
    group = "beta"
    primary_keys = ("promotion_id", "id")
    per = (Each(Promotions, promotion_ids="id"),)
    columns = MappingProxyType({"promotion_ids": "promotion_id"})


class AdGroupDynamicTitlesStatus(DatasetStream):
    """The progress of an ad group's generated titles. Unverified: known from API 5.28 only."""

    name = "ad_group_dynamic_titles_status"
    path = "/ad_accounts/{ad_account_id}/ad_groups/{ad_group_id}/dynamic_titles/status"
    group = "beta"
    primary_keys = ("ad_group_id",)
    per = (Each(AdGroups, ad_group_id="id"),)


class Schedules(DatasetStream):
    """Planned changes of campaigns. Unverified: known from API 5.28 only."""

    name = "schedules"
    path = "/ad_accounts/{ad_account_id}/schedules"
    group = "beta"
    primary_keys = ("schedule_id",)
    per = (Batches(Each(Campaigns, campaign_id="id"), "entity_ids"),)


class Keywords(DatasetStream):
    """Keywords of ad groups, and negative keywords of campaigns and of the ad account itself."""

    name = "keywords"
    path = "/ad_accounts/{ad_account_id}/keywords"
    group = "keywords"
    # The parameter that takes many ad groups at once is in beta.
    per = (Either(Once(), Each(Campaigns, campaign_id="id"), Each(AdGroups, ad_group_id="id")),)


class KeywordMetrics(SnapshotStream):
    """How often a keyword is searched for in a country, as a range such as 5M+."""

    name = "keyword_metrics"
    path = "/ad_accounts/{ad_account_id}/keywords/metrics"
    group = "keywords"
    primary_keys = ("ad_account_id", "country_code", "keyword", "date")
    per = (Setting("countries", "country_code"), Batches(Setting("keywords", "keywords")))


class Labels(DatasetStream):
    """Labels of campaigns. In closed beta."""

    name = "labels"
    path = "/ad_accounts/{ad_account_id}/labels"
    group = "beta"
    primary_keys = ("ad_account_id", "id")
    query = MappingProxyType({"entity_statuses": ("ACTIVE", "ARCHIVED")})
    inside = "labels"
    left_out = frozenset({"errors"})

    @classmethod
    @override
    def unpacked(cls, item: Any) -> Iterable[Item]:
        # Since 5.28 an item is a label, and no longer a list of labels.
        return super().unpacked(item) if "labels" in item else (item,)


class TargetingTemplates(DatasetStream):
    """Saved targeting that ad groups can start from."""

    name = "targeting_templates"
    path = "/ad_accounts/{ad_account_id}/targeting_templates"
    group = "targeting"


class ReportTemplates(DatasetStream):
    """Saved reports of an ad account: their columns, filters and dates, not their numbers."""

    name = "report_templates"
    path = "/ad_accounts/{ad_account_id}/templates"
    group = "resources"
    parent_fields = (
        "report_format",
        "is_deleted",
        "date_range.absolute_date_range.start_date",
    )
