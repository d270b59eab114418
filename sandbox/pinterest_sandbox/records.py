"""Entities as the API prints them: a specimen of the schema with the world's facts laid over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox import specimens
from pinterest_sandbox.calendar import unix_seconds, utc_text
from pinterest_sandbox.chance import Draws
from pinterest_sandbox.kinds import ads as ads_kinds
from pinterest_sandbox.kinds import billing, boards, leads
from pinterest_sandbox.names import name_of, sentence, slug
from pinterest_sandbox.world import CHILDREN_WITHIN, CREATIVE_TYPES, VIDEO_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinterest_sandbox.collection import Member
    from pinterest_sandbox.world import AdAccount, Board, Entities, User

SUMMARY_STATUSES: Final[Mapping[str, str]] = {
    "ACTIVE": "RUNNING",
    "PAUSED": "PAUSED",
    "ARCHIVED": "ARCHIVED",
    "DRAFT": "DRAFT",
    "DELETED_DRAFT": "DELETED_DRAFT",
}
_OBJECTIVES = ("AWARENESS", "CONSIDERATION", "WEB_CONVERSION", "CATALOG_SALES", "VIDEO_COMPLETION")
_COUNTRIES = ("US", "DE", "JP", "GB", "BR")
_OTHERS_PINS = 640_000_000_000_000_000
_HOSTS = ("shop.example.com", "WWW.example.com", "example.org", "blog.example.org:8443")
_IMAGE_SIZES = (("150x150", 150), ("400x300", 300), ("600x", 600), ("1200x", 1200))
_BORN = 735_000
"""A day in 2013: before it nobody had an account here."""


def ad_account(account: AdAccount) -> dict[str, Any]:
    """An ad account."""
    world = account.world
    draws = Draws(world.seed, "ad account", account.number)
    made = specimens.record("AdAccount", draws)
    created = unix_seconds(_BORN + draws.below(3000), draws.below(86_400))
    made.update(
        id=account.id,
        name=name_of(draws, account.number * 3, odd=world.size.odd_names, nul=False),
        owner={"id": account.owner.id, "username": account.owner.username},
        country=_COUNTRIES[account.number % len(_COUNTRIES)],
        currency=account.currency,
        permissions=account.permissions,
        created_time=created,
        updated_time=created + draws.below(10**7),
    )
    return made


def campaign(account: AdAccount, number: int, today: int) -> dict[str, Any]:
    """A campaign."""
    made, _ = _entity("CampaignResponse", account.campaigns, number, today)
    objective = campaign_objective(account, number)
    daily, lifetime = campaign_caps(account, number)
    made.update(
        objective_type=objective,
        type="campaign",
        start_time=made["created_time"],
        daily_spend_cap=daily,
        lifetime_spend_cap=lifetime,
        is_campaign_budget_optimization=daily is not None or lifetime is not None,
        order_line_id=billing.order_line_id(account, number),
    )
    made["end_time"] = campaign_end(account, number)
    return made


def ad_group(
    account: AdAccount, number: int, today: int, *, interest_names: bool = False
) -> dict[str, Any]:
    """An ad group; its targeted interests by name instead of id when asked."""
    groups = account.ad_groups
    made, draws = _entity("AdGroupResponse", groups, number, today)
    made.update(
        campaign_id=str(account.campaigns.ids[groups.parent[number]]),
        type="adgroup",
        billable_event=draws.one_of(("CLICKTHROUGH", "IMPRESSION", "VIDEO_V_50_MRC")),
        budget_type=ad_group_budget_type(account, number),
        budget_in_micro_currency=ad_group_budget(account, number),
        bid_multiplier=ad_group_bid_multiplier(account, number),
    )
    made["start_time"], made["end_time"] = ad_group_times(account, number)
    made.setdefault("conversion_learning_mode_type", None)
    promotion = applied_promotion(account, number)
    made["promotion_id"] = promotion
    if "promotion_ids" in made:
        made["promotion_ids"] = [promotion] if promotion else None
    if made.get("targeting_template_ids"):
        made["targeting_template_ids"] = account.all(ads_kinds.TARGETING_TEMPLATES).ids[:1]
    interests = made.get("targeting_spec", {}).get("INTEREST")
    if interests and interest_names:
        made["targeting_spec"]["INTEREST"] = [f"Interest {text[-4:]}" for text in interests]
    return made


def ad(account: AdAccount, number: int, today: int) -> dict[str, Any]:
    """An ad."""
    ads = account.ads
    made, draws = _entity("AdResponse", ads, number, today)
    group = int(ads.parent[number])
    review = draws.one_of(("APPROVED",) * 7 + ("PENDING", "REJECTED", "OTHER"))
    made.update(
        ad_group_id=str(account.ad_groups.ids[group]),
        campaign_id=str(account.campaigns.ids[account.ad_groups.parent[group]]),
        pin_id=account.pin_id(number),
        type="pinpromotion",
        creative_type=creative_type(account, number),
        review_status=review,
        summary_status=ad_summary_status(ads.status(number, today)),
        rejected_reasons=["LANDING_PAGE", "CLICKBAIT"] if review == "REJECTED" else [],
        rejection_labels=["Landing page does not work"] if review == "REJECTED" else [],
        destination_url=f"https://shop.example.com/{slug(made['name'])}?ad={number}",
    )
    if made.get("lead_form_id"):
        made["lead_form_id"] = draws.one_of((None, *account.all(leads.LEAD_FORMS).ids))
    if made["creative_type"] != "QUIZ":
        made["quiz_pin_data"] = None
    if made["creative_type"] != "CAROUSEL":
        for name in ("android_deep_links", "destination_urls", "ios_deep_links"):
            made[f"carousel_{name}"] = None
    return made


def ad_summary_status(status: str) -> str:
    """The status of an ad as reports and summaries have it."""
    return "APPROVED" if status == "ACTIVE" else SUMMARY_STATUSES[status]


def entity_name(entities: Entities, number: int) -> str:
    """The name of a campaign, ad group or ad."""
    size = entities.account.world.size
    draws = Draws(int(entities.words[number]), "name")
    return name_of(draws, number, odd=size.odd_names, nul=size.nul)


def campaign_brand_label(number: int) -> str | None:
    """The brand that a campaign is labelled with, if any."""
    return f"Brand {number % 3}" if number % 4 else None


def campaign_custom_label(number: int) -> str | None:
    """The label of the advertiser's own that a campaign has, if any."""
    return f"label {number}" if number % 3 == 0 else None


def campaign_objective(account: AdAccount, number: int) -> str:
    """The objective of a campaign."""
    return Draws(int(account.campaigns.words[number]), "objective").one_of(_OBJECTIVES)


def campaign_caps(account: AdAccount, number: int) -> tuple[int | None, int | None]:
    """A campaign's daily and lifetime spend caps in micro-currency; at most one is set."""
    draws = Draws(int(account.campaigns.words[number]), "caps")
    cap = (1 + draws.below(500)) * 1_000_000
    return draws.one_of(((cap, None), (None, cap * 30), (None, None)))


def campaign_end(account: AdAccount, number: int) -> int | None:
    """When a campaign is to end: never, or after all that belongs to it began and was delivered."""
    campaigns = account.campaigns
    draws = Draws(int(campaigns.words[number]), "end")
    if draws.chance(0.3):
        return None
    last = max(int(campaigns.paused[number]), int(campaigns.created[number]) + CHILDREN_WITHIN)
    return unix_seconds(last + 1 + draws.below(30))


def ad_group_times(account: AdAccount, number: int) -> tuple[int, int | None]:
    """When an ad group starts and is to end; both within its campaign's time."""
    groups, campaigns = account.ad_groups, account.campaigns
    campaign = int(groups.parent[number])
    start = max(_created_time(groups, number), _created_time(campaigns, campaign))
    draws = Draws(int(groups.words[number]), "end")
    if draws.chance(0.3):
        return start, None
    last = max(int(groups.paused[number]), int(groups.created[number]))
    end = unix_seconds(last + 1 + draws.below(14))
    return start, min(end, campaign_end(account, campaign) or end)


def _created_time(entities: Entities, number: int) -> int:
    return unix_seconds(int(entities.created[number]), int(entities.created_second[number]))


def ad_group_budget(account: AdAccount, number: int) -> int | None:
    """An ad group's budget in micro-currency; none where the campaign's is spread."""
    draws = Draws(int(account.ad_groups.words[number]), "budget")
    return (1 + draws.below(200)) * 1_000_000 if draws.chance(0.8) else None


def ad_group_budget_type(account: AdAccount, number: int) -> str:
    """The budget type of an ad group."""
    if ad_group_budget(account, number) is None:
        return "CBO_ADGROUP"
    return Draws(int(account.ad_groups.words[number]), "budget type").one_of(("DAILY", "LIFETIME"))


def applied_promotion(account: AdAccount, number: int) -> str | None:
    """The promotion that an ad group shows, if any."""
    promotions = account.all(ads_kinds.PROMOTIONS).ids
    return promotions[number % len(promotions)] if promotions and number % 3 == 0 else None


def ad_group_bid_multiplier(account: AdAccount, number: int) -> float | None:
    """The factor by which an ad group bids more or less."""
    draws = Draws(int(account.ad_groups.words[number]), "multiplier")
    return draws.one_of((None, 1, 1.5, 0.75))


def creative_type(account: AdAccount, number: int) -> str:
    """The format of an ad."""
    draws = Draws(int(account.ads.words[number]), "creative")
    return draws.one_of(VIDEO_TYPES if account.video_ads[number] else CREATIVE_TYPES)


def user_account(user: User, today: int) -> dict[str, Any]:
    """A user with the counts of the day."""
    world = user.world
    draws = Draws(world.seed, "user account", user.number)
    made = specimens.record("Account", draws)
    age = max(0, today - world.began)
    made.update(
        id=user.id,
        username=user.username,
        account_type="BUSINESS",
        about=sentence(draws),
        board_count=world.size.boards,
        pin_count=world.size.pins,
        follower_count=1000 + draws.below(5000) + age * 3 + today % 5,
        following_count=50 + draws.below(300),
        monthly_views=20_000 + draws.below(10**5) + age * 40 + today % 7 * 900,
    )
    if user.number % 2 == 0:
        # A business that has told little of itself.
        made.update(about="", website_url="", business_name=user.username)
    return made


def board(user: User, number: int) -> dict[str, Any]:
    """A board; every fifth belongs to somebody else who shares it."""
    world = user.world
    owner = user.board(number)
    draws = Draws(world.seed, "board", user.number, number)
    made = specimens.record("Board", draws)
    created = unix_seconds(_BORN + draws.below(2500), draws.below(86_400))
    made.update(
        id=owner.id,
        name=name_of(draws, number, odd=world.size.odd_names, nul=False),
        privacy=owner.privacy,
        owner={"username": owner.owner_name},
        collaborator_count=1 + draws.below(5) if owner.shared else 0,
        pin_count=user.pins_on_board[number] + len(owner.all(boards.GUEST_PINS)),
        created_at=utc_text(created),
        board_pins_modified_at=utc_text(created + draws.below(10**8)),
        is_ads_only=number % 7 == 3,  # noqa: PLR2004  some
    )
    if number % 4 == 3:  # noqa: PLR2004  some
        made["description"] = ""
    if number % 2:
        made["board_pins_modified_at"] += f".{draws.below(10**6):06}"
    return made


def pin(user: User, number: int, today: int, *, metrics: bool = False) -> dict[str, Any]:
    """A Pin of a user; its 90-day and lifetime numbers when asked."""
    draws = Draws(user.world.seed, "pin", user.number, number)
    kind = user.pin_kinds[number]
    made = _pin(user, draws, kind, number)
    board = user.board(user.board_of_pin[number]) if user.board_ids else None
    made.update(
        id=user.pin_ids[number],
        board_id=board.id if board else None,
        board_section_id=boards.section_of(board, number) if board else None,
        board_owner={"username": board.owner_name if board else user.username},
        is_owner=True,
        created_at=utc_text(unix_seconds(int(user.pin_created[number]), draws.below(86_400))),
        has_been_promoted=user.promoted_pins[number],
        parent_pin_id=str(_OTHERS_PINS + draws.below(10**15)) if user.saved_pins[number] else None,
    )
    if board is None:
        del made["board_id"]
    if made.get("link"):
        made["link"] = f"https://{_HOSTS[number % len(_HOSTS)]}/{number}?utm_source=pin"
    if metrics:
        add_pin_metrics(made, draws, today)
    return made


def other_pin(user: User, draws: Draws, pin_id: str, number: int) -> dict[str, Any]:
    """A Pin that is not in a user's list: of a guest on a board, or made of a product."""
    made = _pin(user, draws, draws.one_of(CREATIVE_TYPES), number)
    made.update(id=pin_id, parent_pin_id=None)
    return made


def guest_pin(
    board: Board, guest: Member[Board], today: int, *, metrics: bool = False
) -> dict[str, Any]:
    """A Pin of somebody else on a board that is shared."""
    draws = guest.draws("pin")
    made = other_pin(board.user, draws, guest.id, guest.number)
    made.update(
        board_id=board.id,
        board_section_id=boards.section_of(board, guest.number),
        board_owner={"username": board.owner_name},
        is_owner=False,
    )
    if metrics:
        add_pin_metrics(made, draws, today)
    return made


def add_pin_metrics(made: dict[str, Any], draws: Draws, today: int) -> None:
    """The 90-day and lifetime numbers of a Pin."""
    impressions = draws.below(50_000) + today % 10
    recent = {
        "pin_click": impressions // 20,
        "impression": impressions,
        "clickthrough": impressions // 60,
        "save": impressions // 90,
    }
    lifetime = {name: count * 3 for name, count in recent.items()}
    made["pin_metrics"] = {
        "90d": recent,
        "lifetime_metrics": {**lifetime, "reaction": 9, "comment": 2},
    }


def _pin(user: User, draws: Draws, kind: str, number: int) -> dict[str, Any]:
    made = specimens.record("Pin", draws)
    made.update(
        pin_metrics=None,
        title=name_of(draws, number, odd=user.world.size.odd_names, nul=False)[:100],
        created_at=utc_text(unix_seconds(_BORN + draws.below(4500), draws.below(86_400))),
        creative_type=kind,
        media=media(draws, kind, number),
    )
    return made


def _entity(
    schema: str, entities: Entities, number: int, today: int
) -> tuple[dict[str, Any], Draws]:
    draws = Draws(int(entities.words[number]))
    made = specimens.record(schema, draws)
    status = entities.status(number, today)
    created = _created_time(entities, number)
    changed = entities.changed(number, today)
    made.update(
        id=str(entities.ids[number]),
        ad_account_id=entities.account.id,
        name=entity_name(entities, number),
        status=status,
        summary_status=SUMMARY_STATUSES[status],
        created_time=created,
        updated_time=max(created, unix_seconds(changed, draws.below(86_400))),
    )
    return made, draws


def media(draws: Draws, kind: str, number: int) -> dict[str, Any]:
    """The media of a Pin of a kind."""
    if kind in VIDEO_TYPES:
        return {"media_type": "video", "images": _images(draws), **_video(draws)}
    if kind == "CAROUSEL":
        items = [_image_item(draws) for _ in range(2 + draws.below(3))]
        return {"media_type": "multiple_images", "items": items}
    if kind == "IDEA":
        if number % 2:
            items = [{"item_type": "video", **_video(draws)} for _ in range(1 + draws.below(3))]
            return {"media_type": "multiple_videos", "items": items}
        mixed = [_image_item(draws), {"item_type": "video", **_video(draws)}]
        return {"media_type": "multiple_mixed", "items": mixed}
    return {"media_type": "image", "images": _images(draws)}


def _images(draws: Draws) -> dict[str, Any]:
    number = draws.below(10**9)
    return {
        name: {"width": width, "height": width, "url": f"https://i.pinimg.com/{name}/{number}.jpg"}
        for name, width in _IMAGE_SIZES
    }


def _image_item(draws: Draws) -> dict[str, Any]:
    return {
        "item_type": "image",
        "title": sentence(draws),
        "description": sentence(draws) if draws.chance(0.5) else None,
        "link": "https://shop.example.com/" if draws.chance(0.5) else None,
        "images": _images(draws),
    }


def _video(draws: Draws) -> dict[str, Any]:
    number = draws.below(10**9)
    ready = draws.chance(0.8)
    return {
        "cover_image_url": f"https://i.pinimg.com/videos/{number}.jpg",
        "video_url": f"https://v.pinimg.com/{number}.mp4" if draws.chance(0.5) else None,
        "duration": 1000.0 * (5 + draws.below(60)) if ready else None,
        "height": 1920 if ready else None,
        "width": 1080 if ready else None,
    }
