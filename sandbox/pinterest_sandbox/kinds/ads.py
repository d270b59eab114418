"""Records that belong to ad accounts, campaigns and ad groups besides ads."""

# ruff: noqa: ARG001  every `details` is called with the same three arguments
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pinterest_sandbox.calendar import unix_seconds
from pinterest_sandbox.collection import Kind
from pinterest_sandbox.kinds import catalogs

if TYPE_CHECKING:
    from pinterest_sandbox.chance import Draws
    from pinterest_sandbox.collection import Details, Member, Owner
    from pinterest_sandbox.world import AdAccount, Entity

    OfAccount: TypeAlias = "Member[AdAccount]"

_WORDS: Final = (
    "tiny kitchen",
    "balcony garden",
    "capsule wardrobe",
    "sourdough starter",
    "hochzeitsdeko 💐",
    "غرفة نوم",
    "road trip snacks",
    "50% off",
)
_NEGATIVE: Final = ("EXACT_NEGATIVE", "PHRASE_NEGATIVE")
_MATCH_TYPES: Final = ("BROAD", "PHRASE", "EXACT", *_NEGATIVE)
STATUSES: Final = ("ACTIVE", "ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT")
DAY_SECONDS: Final = 86_400


def per_account(account: AdAccount) -> int:
    """Number of records of a kind in an ad account; none if the account is empty."""
    return 0 if account.empty else account.world.size.account_records


def _some(owner: Owner, most: int) -> int:
    """A number from none to the most, which depends on the owner."""
    return (sum(part for part in owner.parts if isinstance(part, int)) + 1) % (most + 1)


def _keyword(keyword: Member[Any], made: dict[str, Any], draws: Draws) -> Details:
    owner = keyword.owner
    kind = owner.parts[-2]
    allowed = _MATCH_TYPES if kind == "ad group" else _NEGATIVE
    parents = {"ad account": "ADVERTISER", "campaign": "CAMPAIGN", "ad group": "AD_GROUP"}
    return {
        "bid": None,
        "match_type": draws.one_of(allowed),
        "value": f"{draws.one_of(_WORDS)} {keyword.number + 1}",
        "parent_id": owner.id,
        "parent_type": parents[str(kind)],
        "type": "KEYWORD",
        "archived": made.get("archived", False),
    }


def promotion_status(promotion: Member[Entity]) -> str:
    """The status of a product group promotion."""
    return STATUSES[(promotion.number + promotion.owner.number) % len(STATUSES)]


def promoted_groups(account: AdAccount) -> list[Member[Entity]]:
    """The product group promotions of all ad groups of an account, drafts too."""
    return account.once(_promoted_groups)


def _promoted_groups(account: AdAccount) -> list[Member[Entity]]:
    groups = map(account.ad_groups.owner, range(account.ad_groups.count))
    return [each for group in groups for each in group.all(PRODUCT_GROUP_PROMOTIONS)]


def _promoted_group(promotion: Member[Entity], made: dict[str, Any], draws: Draws) -> Details:
    groups = [
        group
        for catalog in promotion.owner.account.owner.all(catalogs.CATALOGS)
        for group in catalog.all(catalogs.PRODUCT_GROUPS)
    ]
    group = draws.one_of(groups) if groups else None
    return {
        "ad_group_id": promotion.owner.id,
        "status": promotion_status(promotion),
        "creative_type": draws.one_of(("SHOPPING", "COLLECTION", "CAROUSEL")),
        "catalog_product_group_id": group.id if group else None,
        "catalog_product_group_name": group.label if group else None,
        "definition": "*/brand='odd \"quotes\"'" if "definition" in made else None,
    }


def _promotion(promotion: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    if made.get("promotion_code"):
        made["promotion_code"] = f"SAVE{draws.below(90)}"
    return {
        "status": draws.one_of(STATUSES),
        "promotion_title": promotion.label,
        "platform_type": draws.one_of(("DEFAULT", "PINTEREST", "SHOPIFY")),
    }


def _label(label: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    """One label, as since 5.28; or a list of labels with errors, as before."""
    campaigns = label.owner.campaigns
    status = "ARCHIVED" if label.number % 3 == 2 else "ACTIVE"  # noqa: PLR2004  some
    facts = {
        "id": label.id,
        "label_type": ("BRAND", "CUSTOM")[label.number // 2 % 2],
        "status": status,
        "value": label.label,
    }
    parent = str(campaigns.ids[label.number % campaigns.count])
    nested = {**facts, "parent_id": parent, "parent_type": "CAMPAIGN"}
    made.clear()
    return {"errors": [], "labels": [nested]} if label.number % 2 else facts


def _template(template: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    return {
        "status": "DELETED" if template.number % 3 == 2 else "ACTIVE",  # noqa: PLR2004  some
        "keywords": [
            {"match_type": draws.one_of(_MATCH_TYPES), "value": draws.one_of(_WORDS)}
            for _ in range(draws.below(3))
        ],
    }


def _report_template(template: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    """One of the three kinds of date range, in turn."""
    ranges: tuple[Details, ...] = (
        {
            "absolute_date_range": {
                "start_date": unix_seconds(739_000),
                "end_date": unix_seconds(739_030),
                "type": "ABSOLUTE",
            }
        },
        {"dynamic_date_range": {"range": "MONTH_TO_DATE", "type": "DYNAMIC"}},
        {
            "relative_date_range": {
                "start_days_in_past": 30,
                "end_days_in_past": 1,
                "type": "RELATIVE",
            }
        },
    )
    return {
        "ad_account_ids": [template.owner.id],
        "user_id": template.owner.world.user.id,
        "date_range": ranges[template.number % len(ranges)],
        "click_window_days": 30,
        "engagement_window_days": 30,
        "view_window_days": 1,
        "columns": ["SPEND_IN_DOLLAR", "IMPRESSION_1"],
    }


def _schedule(schedule: Member[Entity], made: dict[str, Any], draws: Draws) -> Details:
    percent = schedule.number % 2 == 0
    return {
        "entity_id": schedule.owner.id,
        "entity_type": "CAMPAIGN",
        "schedule_type": "CAMPAIGN_BUDGET_CHANGE",
        "schedule_action": "INCREASE_BY_PERCENT" if percent else "INCREASE_BY_VALUE",
        "delta_value": str(5 + draws.below(40)) if percent else str(10**6 * (1 + draws.below(9))),
    }


def _preview(preview: Member[Entity], made: dict[str, Any], draws: Draws) -> Details:
    account = preview.owner.account
    return {
        "uuid": f"{draws.below(16**8):08x}-{draws.below(16**4):04x}-4{draws.below(16**3):03x}",
        "ad_group_id": preview.owner.id,
        "client_id": 1_480_000 + draws.below(1000),
        "expires_at": (unix_seconds(account.world.anchor) + DAY_SECONDS) * 1000,
        "pin_id": int(account.owner.pin_ids[0]) if account.owner.pin_ids else 1,
        "user_id": int(account.owner.id),
        "url": f"https://www.example.com/ad-preview/{preview.id}/",
    }


def _few_keywords(owner: Owner) -> int:
    return _some(owner, owner.world.size.keywords)


def _few_promoted_groups(group: Entity) -> int:
    return _some(group, group.world.size.product_group_promotions)


KEYWORDS: Final[Kind[Any]] = Kind("keyword", "Keyword", _few_keywords, _keyword)
PRODUCT_GROUP_PROMOTIONS: Final[Kind[Entity]] = Kind(
    "product group promotion", "ProductGroupPromotion", _few_promoted_groups, _promoted_group
)
PROMOTIONS: Final[Kind[AdAccount]] = Kind("promotion", "PromotionResponse", per_account, _promotion)
LABELS: Final[Kind[AdAccount]] = Kind("label", "LabelsResponse", per_account, _label)
TARGETING_TEMPLATES: Final[Kind[AdAccount]] = Kind(
    "targeting template", "TargetingTemplateGetResponseData", per_account, _template
)
REPORT_TEMPLATES: Final[Kind[AdAccount]] = Kind(
    "report template", "TemplateResponse", per_account, _report_template
)
SCHEDULES: Final[Kind[Entity]] = Kind(
    "schedule", "Schedule", lambda campaign: _some(campaign, 2), _schedule, id_field="schedule_id"
)
PREVIEWS: Final[Kind[Entity]] = Kind(
    "preview", "CampaignAdPreview", lambda group: _some(group, 2), _preview, id_field=""
)
