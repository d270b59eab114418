"""The columns of reports that describe an entity and what it belongs to, instead of counting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from pinterest_sandbox import children, records
from pinterest_sandbox.kinds import billing
from pinterest_sandbox.kinds.ads import promotion_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinterest_sandbox.children import Child, Children
    from pinterest_sandbox.world import AdAccount

Attributes: TypeAlias = "dict[str, Any]"
"""By column; None where there is no value. Ids come as text and as numbers in one payload, as
Pinterest's own examples have them."""

_FIRST_PROMOTION = 7_834_020_000_000


def of_ad_account(account: AdAccount, number: int, today: int) -> Attributes:  # noqa: ARG001
    """The attributes of an account."""
    return {
        "AD_ACCOUNT_ID": account.id,
        "ADVERTISER_ID": int(account.id),
        "ADVERTISER_NAME": f"Advertiser {account.number + 1}",
    }


def of_campaign(account: AdAccount, number: int, today: int) -> Attributes:
    """The attributes of a campaign and its account."""
    campaigns = account.campaigns
    daily, lifetime = records.campaign_caps(account, number)
    order_line = billing.order_line_id(account, number)
    return {
        **of_ad_account(account, 0, today),
        "CAMPAIGN": int(campaigns.ids[number]),
        "CAMPAIGN_ID": int(campaigns.ids[number]),
        "CAMPAIGN_NAME": records.entity_name(campaigns, number),
        "CAMPAIGN_ENTITY_STATUS": campaigns.status(number, today),
        "CAMPAIGN_STATUS": records.SUMMARY_STATUSES[campaigns.status(number, today)],
        "CAMPAIGN_MANAGED_STATUS": "SELF_MANAGED",
        "CAMPAIGN_CUSTOM_LABELS": records.campaign_custom_label(number),
        "CAMPAIGN_OBJECTIVE_TYPE": records.campaign_objective(account, number),
        "CAMPAIGN_DAILY_SPEND_CAP": daily,
        "CAMPAIGN_LIFETIME_SPEND_CAP": lifetime,
        "CAMPAIGN_BUDGET_OPTIMIZATION": str(daily is not None or lifetime is not None),
        "CAMPAIGN_BRAND_LABEL": records.campaign_brand_label(number),
        "IS_PREMIERE_CAMPAIGN": str(number % 9 == 1),
        "IS_CATALOG_CREATIVE_CAMPAIGN": str(number % 7 == 1),
        "ORDER_LINE_ID": order_line,
        "SPEND_ORDER_LINE_ID": order_line,
        "ORDER_LINE_NAME": billing.order_line_name(account, order_line) if order_line else None,
    }


def of_ad_group(account: AdAccount, number: int, today: int) -> Attributes:
    """The attributes of an ad group and all above it."""
    groups = account.ad_groups
    budget = records.ad_group_budget(account, number)
    return {
        **of_campaign(account, int(groups.parent[number]), today),
        "AD_GROUP_ID": str(groups.ids[number]),
        "AD_GROUP_NAME": records.entity_name(groups, number),
        "AD_GROUP_ENTITY_STATUS": groups.status(number, today),
        "AD_GROUP_STATUS": records.SUMMARY_STATUSES[groups.status(number, today)],
        "AD_GROUP_BUDGET_TYPE": records.ad_group_budget_type(account, number),
        "AD_GROUP_BUDGET_IN_LOCAL_CURRENCY": None if budget is None else budget / 1_000_000,
        "AD_GROUP_BID_MULTIPLIER": records.ad_group_bid_multiplier(account, number),
        "AD_GROUP_OPTIMIZATION": "PIN_CLICK",
    }


def of_ad(account: AdAccount, number: int, today: int) -> Attributes:
    """The attributes of an ad and all above it."""
    ads = account.ads
    promoted = number % 5 == 0
    return {
        **of_ad_group(account, int(ads.parent[number]), today),
        "AD_ID": str(ads.ids[number]),
        "AD_NAME": records.entity_name(ads, number),
        "AD_STATUS": records.ad_summary_status(ads.status(number, today)),
        "PIN_PROMOTION_ID": int(ads.ids[number]),
        "PIN_PROMOTION_NAME": records.entity_name(ads, number),
        "PIN_PROMOTION_STATUS": records.ad_summary_status(ads.status(number, today)),
        "PIN_ID": account.pin_id(number),
        "PROMO_ID": str(_FIRST_PROMOTION + number) if promoted else None,
        "PROMO_NAME": f"Promotion {number}" if promoted else None,
        # Of product group ads, which these are not.
        "PRODUCT_GROUP_AD_IMAGE_TAG": None,
        "PRODUCT_GROUP_AD_VIDEO_TAG": None,
    }


def of_pin(account: AdAccount, entity: tuple[int, str], today: int) -> Attributes:
    """The attributes of a Pin in a campaign and all above it."""
    campaign, pin_id = entity
    return {**of_campaign(account, campaign, today), "PIN_ID": pin_id}


def of_product_group(account: AdAccount, number: int, today: int) -> Attributes:
    """The attributes of a product group and all above it."""
    child = children.product_groups(account).members[number]
    return _of_promotion(account, child, today)


def of_product_item(account: AdAccount, number: int, today: int) -> Attributes:
    """The attributes of an item of a product group and all above it."""
    child = children.product_items(account).members[number]
    price = 10 + number % 90
    return {
        **_of_promotion(account, child, today),
        "PRODUCT_ITEM_ID": child.id,
        "PRODUCT_ITEM_NAME": f"Item {number + 1}",
        "PRODUCT_ITEM_IMAGE_URL": f"https://images.example.com/{child.id}.jpg",
        "PRODUCT_ITEM_PRICE": f"{price}.90",
        "PRODUCT_ITEM_SALE_PRICE": f"{price - 5}.90" if number % 3 == 0 else None,
        "PRODUCT_ITEM_CURRENCY": account.currency,
        "PRODUCT_ITEM_PRODUCT_URL": f"https://shop.example.com/items/{child.id}",
        "PRODUCT_ITEM_PIN_URL": f"https://www.pinterest.com/pin/{child.id}/",
        "PRODUCT_ITEM_BRAND": f"Brand {number % 4}",
        "PRODUCT_ITEM_DESCRIPTION": 'A thing, with "quotes",\nin two lines' if number % 2 else None,
        "PRODUCT_ITEM_PRODUCT_TYPE": "Home > Kitchen",
        "PRODUCT_ITEM_PRODUCT_CATEGORY": "Home & Garden",
    }


def of_keyword(account: AdAccount, number: int, today: int) -> Attributes:
    """The attributes of a keyword and all above it."""
    child = children.keywords(account).members[number]
    return {**of_ad_group(account, child.group, today), "KEYWORD_ID": child.id}


def _of_promotion(account: AdAccount, child: Child, today: int) -> Attributes:
    status = promotion_status(child.of)
    return {
        **of_ad_group(account, child.group, today),
        "PRODUCT_GROUP_ID": child.of.id,
        "PRODUCT_GROUP_STATUS": records.SUMMARY_STATUSES[status],
    }


class Level(msgspec.Struct, frozen=True):
    """A level: the id, the attributes and the entities of its rows."""

    id_column: str
    """In every row, always as text."""
    describe: Callable[[AdAccount, Any, int], Attributes]
    children: Callable[[AdAccount], Children] | None = None
    """For levels below ads: the children that divide the ads' numbers."""


LEVELS: Final[Mapping[str, Level]] = {
    "ad_account": Level("AD_ACCOUNT_ID", of_ad_account),
    "campaign": Level("CAMPAIGN_ID", of_campaign),
    "ad_group": Level("AD_GROUP_ID", of_ad_group),
    "ad": Level("AD_ID", of_ad),
    "pin": Level("PIN_ID", of_pin),
    "product_group": Level("PRODUCT_GROUP_ID", of_product_group, children.product_groups),
    "product_item": Level("PRODUCT_ITEM_ID", of_product_item, children.product_items),
    "keyword": Level("KEYWORD_ID", of_keyword, children.keywords),
}
