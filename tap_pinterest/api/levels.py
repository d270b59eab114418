"""The levels of ads reports; one record holds everything that Pinterest has at a level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tap_pinterest.api.periods import ASYNCHRONOUS, SYNCHRONOUS, ReportLimits

ID_FILTERS = ("campaign_ids", "ad_group_ids", "ad_ids", "product_group_ids")
"""Settings that narrow ads reports, and fields of an order."""


class Entity(NamedTuple):
    """The columns of an entity in reports, without its metrics."""

    ids: tuple[str, ...] = ()
    """Ids of the entity: in every row, even if they are not selected."""
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """All columns of the entity."""
        return frozenset((*self.ids, *self.texts, *self.numbers))


AD_ACCOUNT = Entity(ids=("AD_ACCOUNT_ID",), texts=("ADVERTISER_ID", "ADVERTISER_NAME"))
CAMPAIGN = Entity(
    ids=("CAMPAIGN_ID",),
    texts=(
        *("CAMPAIGN", "CAMPAIGN_NAME", "CAMPAIGN_BRAND_LABEL", "CAMPAIGN_CUSTOM_LABELS"),
        "CAMPAIGN_BOOKING_REFERENCE",
        *("CAMPAIGN_STATUS", "CAMPAIGN_ENTITY_STATUS", "CAMPAIGN_MANAGED_STATUS"),
        *("CAMPAIGN_OBJECTIVE_TYPE", "CAMPAIGN_BUDGET_OPTIMIZATION"),
        *("IS_PREMIERE_CAMPAIGN", "IS_CATALOG_CREATIVE_CAMPAIGN"),
        *("ORDER_LINE_ID", "ORDER_LINE_NAME", "SPEND_ORDER_LINE_ID"),
        "SPEND_ORDER_LINE_PAID_TYPE",
    ),
    numbers=("CAMPAIGN_DAILY_SPEND_CAP", "CAMPAIGN_LIFETIME_SPEND_CAP"),
)
AD_GROUP = Entity(
    ids=("AD_GROUP_ID",),
    texts=(
        *("AD_GROUP_NAME", "AD_GROUP_STATUS", "AD_GROUP_ENTITY_STATUS"),
        *("AD_GROUP_BUDGET_TYPE", "AD_GROUP_OPTIMIZATION", "PROMO_ID", "PROMO_NAME"),
    ),
    numbers=("AD_GROUP_BUDGET_IN_LOCAL_CURRENCY", "AD_GROUP_BID_MULTIPLIER"),
)
AD = Entity(
    ids=("AD_ID",),
    texts=(
        *("AD_NAME", "AD_STATUS", "PIN_PROMOTION_ID", "PIN_PROMOTION_NAME"),
        "PIN_PROMOTION_STATUS",
    ),
)
PIN = Entity(ids=("PIN_ID",))
PRODUCT_GROUP = Entity(ids=("PRODUCT_GROUP_ID",), texts=("PRODUCT_GROUP_STATUS",))
PRODUCT_GROUP_AD = Entity(
    texts=(
        *("PRODUCT_GROUP_AD_IMAGE_TAG", "PRODUCT_GROUP_AD_VIDEO_TAG"),
        "PROMOTED_CATALOG_PRODUCT_GROUP_SELECTED_IMAGE_TAG",
    )
)
PRODUCT_ITEM = Entity(
    ids=("PRODUCT_ITEM_ID",),
    texts=(
        *("PRODUCT_ITEM_NAME", "PRODUCT_ITEM_BRAND", "PRODUCT_ITEM_DESCRIPTION"),
        *("PRODUCT_ITEM_PRICE", "PRODUCT_ITEM_SALE_PRICE", "PRODUCT_ITEM_CURRENCY"),
        *("PRODUCT_ITEM_PRODUCT_TYPE", "PRODUCT_ITEM_PRODUCT_CATEGORY"),
        *("PRODUCT_ITEM_PRODUCT_URL", "PRODUCT_ITEM_PIN_URL", "PRODUCT_ITEM_IMAGE_URL"),
        "STANDARD_AD_FEED_ITEM_ID",
    ),
)
PINNER_LIST = Entity(texts=("PINNER_LIST_NAME",))
CONVERSION_PRODUCT = Entity(
    texts=(
        *("CONVERSION_PRODUCT_BRAND", "CONVERSION_PRODUCT_CATEGORY", "CONVERSION_PRODUCT_ID"),
        "CONVERSION_PRODUCT_ID_GROUP",
    ),
)


@dataclass(frozen=True)
class Level:
    """A level of ads reports: the entities of its rows, and the ways to read them.

    Attributes:
        name: The level in the names of our streams.
        plural: The entities of its rows, in words.
        own_id: The column with the id of the entity.
        other_ids: Other names that rows may have for this column.
        adds_up: Whether the numbers of all rows add up to the numbers of the ad account.
        entities: The entities that a row belongs to, parents first. Attributes of other entities
            have no single value in a row, so the level does not offer them: a campaign's row has no
            ad name. Several ads may promote one Pin, and several campaigns one item.
        filters: Settings that choose the entities with rows. Other filters name entities below the
            level, and change the numbers of a row: only an order can name them.
        id_parameter: The parameter that takes ids.
        within: The parameter that names the common parent of all ids in a call; empty if the ids of
            a call may have several parents.
        path: Path of the synchronous calls; empty if the level has none.
        targeting_path: Path of the synchronous calls for a breakdown.
        report: The level in the order of an asynchronous report; empty if the level has none.
        targeting_report: The level in the order of a breakdown.
        own_types: Targeting types that only asynchronous reports of this level have.
        call_limits: The limits of a synchronous call.
        report_limits: The limits of an asynchronous report.
        refused_keys: Filters that an order must not have.
        refused_columns: Columns that an order must not name.
    """

    name: str
    plural: str
    own_id: str
    entities: tuple[Entity, ...]
    adds_up: bool = False
    other_ids: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    id_parameter: str = ""
    within: str = ""
    path: str = ""
    targeting_path: str = ""
    report: str = ""
    targeting_report: str = ""
    own_types: tuple[str, ...] = ()
    call_limits: ReportLimits = SYNCHRONOUS
    report_limits: ReportLimits = ASYNCHRONOUS
    refused_keys: tuple[str, ...] = ()
    refused_columns: frozenset[str] = frozenset()

    @property
    def singular(self) -> str:
        """An entity of its rows, in words."""
        return self.name.replace("_", " ")

    @property
    def ids(self) -> tuple[str, ...]:
        """The id columns, parents first: they are in every row of the level's reports."""
        return tuple(name for entity in self.entities for name in entity.ids)

    @property
    def other_filters(self) -> tuple[str, ...]:
        """Filters that only an order can name."""
        return tuple(name for name in ID_FILTERS if name not in self.filters)

    @property
    def is_listed(self) -> bool:
        """Whether a row is about an entity in the ad account, not about the account itself."""
        return self.own_id not in AD_ACCOUNT.ids

    def has(self, entity: Entity | None) -> bool:
        """Whether a row has the attributes of an entity; `None`, of metrics, is in each row."""
        return entity is None or entity in self.entities


_REPORTED = (
    Level(
        name="ad_account",
        plural="ad accounts",
        own_id="AD_ACCOUNT_ID",
        adds_up=True,
        other_ids=("ADVERTISER_ID",),
        entities=(AD_ACCOUNT,),
        path="/ad_accounts/{ad_account_id}/analytics",
        targeting_path="/ad_accounts/{ad_account_id}/targeting_analytics",
        report="ADVERTISER",
        targeting_report="ADVERTISER_TARGETING",
    ),
    Level(
        name="campaign",
        plural="campaigns",
        own_id="CAMPAIGN_ID",
        adds_up=True,
        entities=(AD_ACCOUNT, CAMPAIGN),
        filters=("campaign_ids",),
        id_parameter="campaign_ids",
        path="/ad_accounts/{ad_account_id}/campaigns/analytics",
        targeting_path="/ad_accounts/{ad_account_id}/campaigns/targeting_analytics",
        report="CAMPAIGN",
        targeting_report="CAMPAIGN_TARGETING",
        own_types=("AUDIENCE_MULTIPLIER",),
    ),
    Level(
        name="ad_group",
        plural="ad groups",
        own_id="AD_GROUP_ID",
        adds_up=True,
        entities=(AD_ACCOUNT, CAMPAIGN, AD_GROUP),
        filters=("campaign_ids", "ad_group_ids"),
        id_parameter="ad_group_ids",
        path="/ad_accounts/{ad_account_id}/ad_groups/analytics",
        targeting_path="/ad_accounts/{ad_account_id}/ad_groups/targeting_analytics",
        report="AD_GROUP",
        targeting_report="AD_GROUP_TARGETING",
    ),
    Level(
        name="ad",
        plural="ads",
        own_id="AD_ID",
        adds_up=True,
        other_ids=("PIN_PROMOTION_ID",),
        entities=(AD_ACCOUNT, CAMPAIGN, AD_GROUP, AD, PIN, PRODUCT_GROUP_AD),
        filters=("campaign_ids", "ad_group_ids", "ad_ids"),
        id_parameter="ad_ids",
        path="/ad_accounts/{ad_account_id}/ads/analytics",
        targeting_path="/ad_accounts/{ad_account_id}/ads/targeting_analytics",
        report="PIN_PROMOTION",
        targeting_report="PIN_PROMOTION_TARGETING",
    ),
    Level(
        name="keyword",
        plural="keywords",
        own_id="KEYWORD_ID",
        other_ids=("ID",),
        entities=(AD_ACCOUNT, CAMPAIGN, AD_GROUP, Entity(ids=("KEYWORD_ID",))),
        filters=("campaign_ids", "ad_group_ids"),
        id_parameter="ad_group_ids",
        report="KEYWORD",
    ),
    Level(
        name="product_group",
        plural="product groups",
        own_id="PRODUCT_GROUP_ID",
        other_ids=("PRODUCT_GROUP_PROMOTION_ID",),
        entities=(AD_ACCOUNT, CAMPAIGN, AD_GROUP, PRODUCT_GROUP, PRODUCT_GROUP_AD),
        filters=("campaign_ids", "ad_group_ids", "product_group_ids"),
        id_parameter="product_group_ids",
        path="/ad_accounts/{ad_account_id}/product_groups/analytics",
        report="PRODUCT_GROUP",
        targeting_report="PRODUCT_GROUP_TARGETING",
    ),
    Level(
        name="product_item",
        plural="product items",
        own_id="PRODUCT_ITEM_ID",
        other_ids=("ITEM_ID", "ID"),
        entities=(AD_ACCOUNT, PRODUCT_ITEM),
        filters=("campaign_ids", "ad_group_ids"),
        id_parameter="ad_group_ids",
        report="PRODUCT_ITEM",
        targeting_report="PRODUCT_ITEM_TARGETING",
        own_types=("MEDIA_TYPE",),
        report_limits=ReportLimits(days_back=92, days=31, ids=500),
        refused_keys=("ad_ids", "ad_statuses"),
        refused_columns=AD.columns | PIN.columns,
    ),
    Level(
        name="ad_pin",
        plural="Pins in ads",
        own_id="PIN_ID",
        entities=(AD_ACCOUNT, CAMPAIGN, PIN),
        filters=("campaign_ids", "ad_group_ids", "ad_ids"),
        id_parameter="pin_ids",
        within="campaign_id",
        path="/ad_accounts/{ad_account_id}/pins/analytics",
    ),
)
LEVELS: Mapping[str, Level] = {level.name: level for level in _REPORTED}
"""All levels of ads reports, by name."""


class Ordered(NamedTuple):
    """A level under its name in an order."""

    level: Level
    is_broken_down: bool


def ordered() -> Mapping[str, Ordered]:
    """The levels by their names in orders; a level may have a second name for its breakdown."""
    found = {}
    for level in LEVELS.values():
        found[level.report] = Ordered(level, is_broken_down=False)
        found[level.targeting_report] = Ordered(level, is_broken_down=True)
    found.pop("", None)
    return found


def exported() -> list[Level]:
    """The levels of exports, the lowest first: entities whose rows add up to the ad account's."""
    found = [each for each in LEVELS.values() if each.adds_up and each.is_listed]
    return sorted(found, key=lambda each: len(each.ids), reverse=True)


def entities() -> tuple[Entity, ...]:
    """All entities with columns in reports, also entities that no level has."""
    of_levels = dict.fromkeys(entity for level in LEVELS.values() for entity in level.entities)
    return (*of_levels, PINNER_LIST, CONVERSION_PRODUCT)
