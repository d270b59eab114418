"""Finds names that the user may mean, by spelling or by meaning."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

MOST = 3
"""Names that a message suggests."""
LEAST = 3
"""Fewest characters of a name that is searched for inside other names."""
NEAR = 0.6
"""Likeness from which a name counts as a misspelling of another; 1 is equal."""

_MEANT: Mapping[tuple[str, ...], tuple[str, ...]] = {
    # Columns of reports, by the words of Ads Manager and of other platforms.
    ("COST", "COSTS", "SPENT", "AMOUNT_SPENT", "TOTAL_SPEND"): ("SPEND_IN_DOLLAR",),
    ("IMPRESSIONS", "VIEWS"): ("PAID_IMPRESSION", "TOTAL_IMPRESSION"),
    ("CLICKS", "PIN_CLICKS"): ("TOTAL_CLICKTHROUGH", "CLICKTHROUGH_1"),
    ("OUTBOUND_CLICKS", "LINK_CLICKS"): ("OUTBOUND_CLICK_1",),
    ("SAVE", "SAVES", "REPINS"): ("REPIN_1",),
    ("ENGAGEMENTS",): ("TOTAL_ENGAGEMENT",),
    ("CONVERSIONS", "RESULTS"): ("TOTAL_CONVERSIONS",),
    ("CHECKOUTS", "PURCHASE", "PURCHASES", "ORDERS", "SALES"): ("TOTAL_CHECKOUT",),
    ("REVENUE", "CONVERSION_VALUE", "ORDER_VALUE", "PURCHASE_VALUE"): (
        "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR",
    ),
    ("ROAS", "RETURN_ON_AD_SPEND"): ("CHECKOUT_ROAS",),
    ("CPM",): ("ECPM_IN_MICRO_DOLLAR", "CPM_IN_DOLLAR"),
    ("CPC",): ("ECPC_IN_DOLLAR",),
    ("CPA",): ("WEB_CHECKOUT_COST_PER_ACTION",),
    ("REACH", "UNIQUE_USERS"): ("TOTAL_IMPRESSION_USER",),
    ("FREQUENCY",): ("TOTAL_IMPRESSION_FREQUENCY",),
    ("VIDEO_VIEWS",): ("TOTAL_VIDEO_MRC_VIEWS", "VIDEO_MRC_VIEWS_2"),
    # Levels of reports.
    ("ACCOUNT", "AD_ACCOUNT"): ("ADVERTISER",),
    ("AD", "ADS", "PIN", "PROMOTED_PIN"): ("PIN_PROMOTION",),
    ("ADGROUP", "ADSET", "AD_SET"): ("AD_GROUP", "ad_groups"),
    ("PRODUCT", "ITEM"): ("PRODUCT_ITEM",),
    ("AD_TARGETING",): ("PIN_PROMOTION_TARGETING",),
    ("AD_ACCOUNT_TARGETING",): ("ADVERTISER_TARGETING",),
    # Targeting types.
    ("AGE", "AGES"): ("AGE_BUCKET",),
    ("DEVICE", "PLATFORM"): ("APPTYPE",),
    ("DMA", "METRO", "CITY", "STATE"): ("LOCATION", "REGION", "GEO"),
    ("SEX",): ("GENDER",),
    # Periods.
    ("DAILY", "DATE"): ("DAY",),
    ("HOURLY",): ("HOUR",),
    ("WEEKLY",): ("WEEK",),
    ("MONTHLY",): ("MONTH",),
    ("ALL_TIME", "LIFETIME", "SUM"): ("TOTAL",),
    # Groups of streams.
    ("ANALYTICS", "CAMPAIGN", "CAMPAIGNS", "REPORTS"): ("ads",),
    ("BREAKDOWNS", "DEMOGRAPHICS"): ("targeting",),
    ("PINS", "PROFILE", "USER"): ("organic", "boards"),
    ("SHOPPING", "FEEDS"): ("catalogs", "products"),
    ("INVOICES", "PAYMENTS"): ("billing",),
    ("FOLLOWERS", "PEOPLE"): ("personal",),
    # Statuses.
    ("ENABLED", "LIVE", "ON", "RUNNING"): ("ACTIVE",),
    ("DISABLED", "OFF", "STOPPED"): ("PAUSED",),
    ("DELETED", "REMOVED"): ("ARCHIVED",),
}
_BY_WORD: Mapping[str, Sequence[str]] = {
    word: names for words, names in _MEANT.items() for word in words
}
_SAME: Mapping[str, str] = {
    **dict.fromkeys(("REPORT", "REPORTS", "INSIGHTS", "STATS", "PERFORMANCE"), "ANALYTICS"),
    **dict.fromkeys(("ADGROUP", "ADGROUPS"), "AD_GROUP"),
}
"""Words for which our names have another word."""


def names_near(name: str, known: Iterable[str], *, first: Sequence[str] = ()) -> list[str]:
    """Up to `MOST` names that the user may mean, the most likely first.

    Args:
        name: A name that is not among the known ones.
        known: The names that exist; upper and lower case make no difference.
        first: Names that come before other names of the same likeness.
    """
    by_upper = {each.upper(): each for each in known}
    upper = name.upper().strip().replace("-", "_").replace(" ", "_")
    found = dict.fromkeys(each for each in _candidates(upper, by_upper, first) if each in by_upper)
    return [by_upper[each] for each in found][:MOST]


def hint(name: object, known: Iterable[str], *, first: Sequence[str] = ()) -> str:
    """A question with the names that the user may mean, after a semicolon; empty without names."""
    near = names_near(str(name), known, first=first)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _candidates(name: str, known: Iterable[str], first: Sequence[str]) -> Iterator[str]:
    """Names of the same meaning, then of the same beginning, then of like spelling, then others."""
    stem = name.removesuffix("S")
    yield name
    yield stem
    yield from (each.upper() for each in _BY_WORD.get(name, ()))
    yield from sorted(
        (each for each in known if each.startswith(f"{stem}_")),
        key=lambda each: (each not in first, "_MICRO_" in each, len(each)),
    )
    words = "_".join(_SAME.get(word, word) for word in name.split("_"))
    yield from difflib.get_close_matches(words, known, n=MOST, cutoff=NEAR)
    yield from (each for each in known if len(stem) >= LEAST and stem in each)
