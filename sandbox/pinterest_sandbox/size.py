"""The size of a world: the number of its records, and the share of odd ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pinterest_sandbox.options import Option


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else tuple(value.split(","))


@dataclass(frozen=True, kw_only=True)
class WorldSize:
    """The number of records, and the share of odd ones."""

    accounts: Annotated[int, Option("ad accounts, the empty ones included")] = 3
    empty_accounts: Annotated[
        int, Option("how many of them, the last, have no campaigns; never the first")
    ] = 1
    powerless_accounts: Annotated[
        int, Option("how many accounts give the token a finance role only")
    ] = 0
    campaigns: Annotated[int, Option("campaigns per ad account")] = 6
    ad_groups: Annotated[int, Option("ad groups per ad account")] = 14
    ads: Annotated[int, Option("ads per ad account")] = 40
    boards: Annotated[int, Option("boards per user")] = 8
    pins: Annotated[int, Option("Pins per user")] = 60
    keywords: Annotated[int, Option("keywords per ad group, campaign and ad account, at most")] = 3
    product_group_promotions: Annotated[
        int, Option("product group promotions per ad group, at most")
    ] = 2
    account_records: Annotated[int, Option("of every other dataset, records per ad account")] = 4
    sections: Annotated[int, Option("sections per board, at most")] = 3
    guest_pins: Annotated[
        int, Option("Pins of others on each board that is shared with a user")
    ] = 4
    media: Annotated[int, Option("uploads per user")] = 5
    followers: Annotated[int, Option("followers per user")] = 30
    following: Annotated[int, Option("whom and which boards a user follows")] = 12
    catalogs: Annotated[
        int, Option("catalogs per user, one of each type in turn; without, 409")
    ] = 3
    feeds: Annotated[int, Option("feeds per catalog")] = 2
    processing_results: Annotated[int, Option("processing results per feed")] = 3
    item_issues: Annotated[int, Option("items with issues per processing result, at most")] = 5
    product_groups: Annotated[int, Option("product groups per catalog")] = 5
    products: Annotated[int, Option("products per product group, at most")] = 8
    members: Annotated[int, Option("members, partners, invitations and such per business")] = 5
    days: Annotated[int, Option("days of history before the world's first today")] = 200
    archived_share: Annotated[float, Option("share of archived ads; smaller above them")] = 0.2
    paused_share: Annotated[float, Option("share of paused ads; smaller above them")] = 0.15
    draft_share: Annotated[
        float, Option("share of draft ads, without numbers; smaller above them")
    ] = 0.05
    video_share: Annotated[float, Option("share of ads with a video")] = 0.25
    idle_share: Annotated[
        float, Option("share of an ad's days without delivery, so without a row")
    ] = 0.12
    zero_share: Annotated[float, Option("share of an ad's days whose row holds no numbers")] = 0.015
    currencies: Annotated[
        tuple[str, ...],
        Option("in turn, one per account", type=_names, metavar="NAME,NAME..."),
    ] = ("USD", "EUR", "JPY", "GBP", "BRL")
    odd_names: Annotated[
        bool, Option("names with emoji, right-to-left text, quotes, line breaks, 256 characters")
    ] = True
    nul: Annotated[
        bool, Option("a NUL in the name of the first campaign, ad group and ad of each account")
    ] = False
