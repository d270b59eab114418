"""The size of a world: the number of its records, and the share of odd ones."""

from __future__ import annotations

from dataclasses import dataclass, field


def _knob(default: int, help_text: str) -> int:
    value: int = field(default=default, metadata={"help": help_text})
    return value


def _share(default: float, help_text: str) -> float:
    value: float = field(default=default, metadata={"help": help_text})
    return value


@dataclass(frozen=True, kw_only=True)
class WorldSize:
    """The number of records, and the share of odd ones."""

    accounts: int = _knob(3, "ad accounts, the empty ones included")
    empty_accounts: int = _knob(1, "how many of them, the last, have no campaigns; never the first")
    powerless_accounts: int = _knob(0, "how many accounts give the token a finance role only")
    campaigns: int = _knob(6, "campaigns per ad account")
    ad_groups: int = _knob(14, "ad groups per ad account")
    ads: int = _knob(40, "ads per ad account")
    boards: int = _knob(8, "boards per user")
    pins: int = _knob(60, "Pins per user")
    keywords: int = _knob(3, "keywords per ad group, campaign and ad account, at most")
    product_group_promotions: int = _knob(2, "product group promotions per ad group, at most")
    account_records: int = _knob(4, "of every other dataset, records per ad account")
    sections: int = _knob(3, "sections per board, at most")
    guest_pins: int = _knob(4, "Pins of others on each board that is shared with a user")
    media: int = _knob(5, "uploads per user")
    followers: int = _knob(30, "followers per user")
    following: int = _knob(12, "whom and which boards a user follows")
    catalogs: int = _knob(3, "catalogs per user, one of each type in turn; without, 409")
    feeds: int = _knob(2, "feeds per catalog")
    processing_results: int = _knob(3, "processing results per feed")
    item_issues: int = _knob(5, "items with issues per processing result, at most")
    product_groups: int = _knob(5, "product groups per catalog")
    products: int = _knob(8, "products per product group, at most")
    members: int = _knob(5, "members, partners, invitations and such per business")
    days: int = _knob(200, "days of history before the world's first today")
    archived_share: float = _share(0.2, "share of archived ads; smaller above them")
    paused_share: float = _share(0.15, "share of paused ads; smaller above them")
    draft_share: float = _share(0.05, "share of draft ads, without numbers; smaller above them")
    video_share: float = _share(0.25, "share of ads with a video")
    idle_share: float = _share(0.12, "share of an ad's days without delivery, so without a row")
    zero_share: float = _share(0.015, "share of an ad's days whose row holds no numbers")
    currencies: tuple[str, ...] = ("USD", "EUR", "JPY", "GBP", "BRL")
    """In turn, one per account."""
    odd_names: bool = True
    """Names with emoji, right-to-left text, quotes, line breaks, 256 characters."""
    nul: bool = False
    """A NUL in the name of the first campaign, ad group and ad of each account."""
