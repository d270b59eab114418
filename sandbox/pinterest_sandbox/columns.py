"""The columns of reports: which facts each is a sum or a ratio of, and how its value is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
import numpy as np

from pinterest_sandbox.numbers import (
    ACTIONS,
    CENTS,
    CHANNELS,
    CONVERSIONS,
    DEVICES,
    SHOWCASE,
    VALUED,
    VIDEO_STEPS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

Sums: TypeAlias = "Mapping[str, NDArray[np.int64]]"
Terms: TypeAlias = "tuple[str, ...]"

MICRO: Final = 1_000_000
_MILLE: Final = 1000

PAID, EARNED = "_1", "_2"
BOTH = (PAID, EARNED)
CHECKOUTS = ("web_checkout", "inapp_checkout", "offline_checkout")


class Count(msgspec.Struct, frozen=True):
    """The sum of some facts: a whole number."""

    terms: Terms
    times: int = 1

    def values(self, sums: Sums) -> list[Any]:
        """One value per row; absent where it is zero."""
        counted = total(sums, self.terms) * self.times
        return [value or msgspec.UNSET for value in counted.tolist()]


class Money(msgspec.Struct, frozen=True):
    """The sum of some amounts, in micro-currency (now and then with a fraction) or in currency."""

    terms: Terms
    micro: bool = True

    def values(self, sums: Sums) -> list[Any]:
        """One value per row; absent where it is zero."""
        cents = total(sums, self.terms)
        if not self.micro:
            return [value or msgspec.UNSET for value in (cents / (CENTS * MICRO)).tolist()]
        whole = (cents // CENTS).tolist()
        for row in np.flatnonzero(cents % CENTS).tolist():
            whole[row] = int(cents[row]) / CENTS
        return [value or msgspec.UNSET for value in whole]


class Ratio(msgspec.Struct, frozen=True):
    """A sum over another sum; absent where either is zero."""

    terms: Terms
    over: Terms
    scale: float = 1.0
    whole: bool = False
    """Whether the API rounds it to a whole number."""

    def values(self, sums: Sums) -> list[Any]:
        """One value per row."""
        below = total(sums, self.over)
        above = total(sums, self.terms) * self.scale
        ratio = np.where(below > 0, above / np.maximum(below, 1), 0.0)
        found = np.rint(ratio).astype(np.int64) if self.whole else ratio
        return [value or msgspec.UNSET for value in found.tolist()]


class Reach(msgspec.Struct, frozen=True):
    """People who saw an ad: fewer than the sum over ads and days, since people come back."""

    over_people: bool = False
    """Impressions per person instead."""

    def values(self, sums: Sums) -> list[Any]:
        """One value per row; absent where it is zero."""
        seen = total(sums, _IMPRESSIONS)
        people = np.ceil(sums["users"] ** _RETURNING)
        if not self.over_people:
            return [value or msgspec.UNSET for value in people.astype(np.int64).tolist()]
        frequency = np.where(people > 0, seen / np.maximum(people, 1), 0.0)
        return [value or msgspec.UNSET for value in frequency.tolist()]


Column: TypeAlias = Count | Money | Ratio | Reach

_RETURNING = 0.97


def total(sums: Sums, terms: Iterable[str]) -> NDArray[np.int64]:
    """The sum of some facts."""
    first, *others = terms
    added = sums[first]
    for term in others:
        added = added + sums[term]
    return added


def facts_of(columns: Iterable[Column]) -> list[str]:
    """The facts that some columns are made of, each once."""
    needed: dict[str, None] = {}
    for column in columns:
        if isinstance(column, Reach):
            needed.update(dict.fromkeys((*_IMPRESSIONS, "users")))
            continue
        needed.update(dict.fromkeys(column.terms))
        if isinstance(column, Ratio):
            needed.update(dict.fromkeys(column.over))
    return list(needed)


def _both(fact: str) -> Terms:
    return tuple(fact + suffix for suffix in BOTH)


def _events(kinds: Iterable[str], actions: Iterable[str] = ACTIONS) -> Terms:
    return tuple(f"{kind}:{action}" for kind in kinds for action in actions)


def _worth(kinds: Iterable[str], actions: Iterable[str] = ACTIONS) -> Terms:
    return tuple(f"{kind}=value:{action}" for kind in kinds for action in actions)


def alike(name: str) -> Column:
    """A metric that nobody describes: the end of its name decides its kind."""
    if name.endswith("_IN_MICRO_DOLLAR"):
        return Money(("spend",))
    if name.endswith(("_RATE", "_ROAS", "_COST_PER_ACTION")):
        return Ratio(_both("engagement"), _both("impression"))
    return Count(_both("engagement"))


_IMPRESSIONS = _both("impression")
_CLICKS = _both("clickthrough")
_ENGAGEMENTS = _both("engagement")
_SPEND = ("spend",)
_PAID_SPEND = ("paid_spend",)
_PER_DOLLAR = 1 / (CENTS * MICRO)
_PER_MICRO = 1 / CENTS


_PAID: Final = ("impression_1",)
_DELIVERY: Final[Mapping[str, Column]] = {
    "SPEND_IN_MICRO_DOLLAR": Money(_SPEND),
    "SPEND_IN_DOLLAR": Money(_SPEND, micro=False),
    "PAID_IMPRESSION": Count(_PAID),
    "IMPRESSION_1_GROSS": Count(("impression_1_gross",)),
    "CLICKTHROUGH_1_GROSS": Count(("clickthrough_1_gross",)),
    "TOTAL_CLICKTHROUGH": Count(_CLICKS),
    "TOTAL_IMPRESSION": Count(_IMPRESSIONS),
    "TOTAL_IMPRESSION_USER": Reach(),
    "TOTAL_IMPRESSION_FREQUENCY": Reach(over_people=True),
    "TOTAL_ENGAGEMENT": Count(_ENGAGEMENTS),
    "TOTAL_WEB_SESSIONS": Count(_both("web_sessions")),
    "TOTAL_IDEA_PIN_PRODUCT_TAG_VISIT": Count(_both("idea_pin_product_tag_visit")),
    "TOTAL_COLLECTION_PIN_ITEM_IMPRESSION": Count(_both("collection_pin_item_impression")),
    "TOTAL_COLLECTION_PIN_ITEM_CLICKTHROUGH": Count(_both("collection_pin_item_clickthrough")),
    "CPC_IN_MICRO_DOLLAR": Ratio(_SPEND, ("clickthrough_1",), _PER_MICRO, whole=True),
    "ECPC_IN_MICRO_DOLLAR": Ratio(_SPEND, _CLICKS, _PER_MICRO, whole=True),
    "ECPC_IN_DOLLAR": Ratio(_SPEND, _CLICKS, _PER_DOLLAR),
    "CPM_IN_MICRO_DOLLAR": Ratio(_SPEND, _PAID, _PER_MICRO * _MILLE, whole=True),
    "CPM_IN_DOLLAR": Ratio(_SPEND, _PAID, _PER_DOLLAR * _MILLE),
    "ECPM_IN_MICRO_DOLLAR": Ratio(_SPEND, _IMPRESSIONS, _PER_MICRO * _MILLE, whole=True),
    "ECPE_IN_DOLLAR": Ratio(_SPEND, _ENGAGEMENTS, _PER_DOLLAR),
    "COST_PER_OUTBOUND_CLICK_IN_DOLLAR": Ratio(_SPEND, _both("outbound_click"), _PER_DOLLAR),
    "COST_PER_OUTBOUND_CLICK_IN_DOLLAR_1": Ratio(_SPEND, ("outbound_click_1",), _PER_DOLLAR),
    "CTR": Ratio(("clickthrough_1",), _PAID),
    "CTR_2": Ratio(("clickthrough_2",), ("impression_2",)),
    "ECTR": Ratio(_CLICKS, _IMPRESSIONS),
    "OUTBOUND_CTR_1": Ratio(("outbound_click_1",), _PAID),
    "ENGAGEMENT_RATE": Ratio(("engagement_1",), _PAID),
    "EENGAGEMENT_RATE": Ratio(_ENGAGEMENTS, _IMPRESSIONS),
    "REPIN_RATE": Ratio(("repin_1",), _PAID),
    "TOTAL_REPIN_RATE": Ratio(_both("repin"), _IMPRESSIONS),
    "LEADS": Count(("leads",)),
    "COST_PER_LEAD": Ratio(_SPEND, ("leads",), _PER_DOLLAR),
    "QUIZ_COMPLETED": Count(("quiz_completed",)),
    "QUIZ_PIN_RESULT_OPEN": Count(("quiz_pin_result_open",)),
    "QUIZ_COMPLETION_RATE": Ratio(("quiz_completed",), ("quiz_started",)),
    "SHOWCASE_AVERAGE_SUBPAGE_CLOSEUP_PER_SESSION": Ratio(
        ("showcase_subpage_closeup",), ("showcase_session",)
    ),
}


def _delivery() -> dict[str, Column]:
    table = dict(_DELIVERY)
    for fact in (
        "impression",
        "clickthrough",
        "outbound_click",
        "repin",
        "engagement",
        "web_sessions",
        "idea_pin_product_tag_visit",
        "collection_pin_item_impression",
        "collection_pin_item_clickthrough",
    ):
        for suffix in BOTH:
            table[fact.upper() + suffix] = Count((fact + suffix,))
    for fact in SHOWCASE:
        table[fact.upper()] = Count((fact,))
    return table


_VIDEO_NAMES: Final = {
    "video_p0": "P0_COMBINED",
    "video_3sec": "3SEC_VIEWS",
    "video_mrc": "MRC_VIEWS",
    "video_p25": "P25_COMBINED",
    "video_p50": "P50_COMBINED",
    "video_p75": "P75_COMBINED",
    "video_15sec": "15SEC_UNIQUE_VIEWS",
    "video_p95": "P95_COMBINED",
    "video_p100": "P100_COMPLETE",
}


def _video() -> dict[str, Column]:
    spend, starts = ("video_spend",), _both("video_p0")
    table: dict[str, Column] = {
        "PAID_VIDEO_VIEWABLE_RATE": Ratio(("video_mrc_1",), ("impression_1",)),
        "VIDEO_LENGTH": Ratio(("video_length_seconds",), starts),
        "VIDEO_SPEND_IN_DOLLAR": Money(spend, micro=False),
        "ECPV_IN_DOLLAR": Ratio(spend, _both("video_mrc"), _PER_DOLLAR),
        "ECPCV_IN_DOLLAR": Ratio(spend, _both("video_p100"), _PER_DOLLAR),
        "ECPCV_P95_IN_DOLLAR": Ratio(spend, _both("video_p95"), _PER_DOLLAR),
        "TOTAL_VIDEO_AVG_WATCHTIME_IN_SECOND": Ratio(_both("watch_milliseconds"), starts, 0.001),
    }
    for step in VIDEO_STEPS:
        name = _VIDEO_NAMES[step]
        table[f"TOTAL_VIDEO_{name}"] = Count(_both(step))
        for suffix in BOTH:
            table[f"VIDEO_{name}{suffix}"] = Count((step + suffix,))
    return table


def _conversions() -> dict[str, Column]:
    table: dict[str, Column] = {
        "TOTAL_CONVERSIONS": Count(_events(CONVERSIONS)),
        "TOTAL_OFFLINE_CHECKOUT": Count(_events(["offline_checkout"])),
        "CHECKOUT_ROAS": Ratio(_worth(CHECKOUTS), _SPEND),
        "WEB_CHECKOUT_ROAS": Ratio(_worth(["web_checkout"]), _SPEND),
        "CUSTOM_ROAS": Ratio(_worth(["custom"]), _SPEND),
        "PAGE_VISIT_ROAS": Ratio(_worth(["web_checkout"], ["click"]), _SPEND),
        "PAGE_VISIT_COST_PER_ACTION": Ratio(_SPEND, _events(["page_visit"]), _PER_DOLLAR),
        "WEB_CHECKOUT_COST_PER_ACTION": Ratio(_SPEND, _events(["web_checkout"]), _PER_DOLLAR),
        "INAPP_CHECKOUT_COST_PER_ACTION": Ratio(_SPEND, _events(["inapp_checkout"]), _PER_DOLLAR),
    }
    installs = _events(["inapp_app_install"])
    table |= {
        "INAPP_SKAN_APP_INSTALL": Count(installs),
        "INAPP_SKAN_ASSISTED_APP_INSTALL": Count(_events(["inapp_app_install"], ["view"])),
        "INAPP_SKAN_APP_INSTALL_COST_PER_ACTION": Ratio(_SPEND, installs, _PER_DOLLAR),
        "INAPP_SKAN_APP_INSTALL_CONVERSION_RATE": Ratio(installs, _IMPRESSIONS),
    }
    kinds: dict[str, tuple[str, ...]] = {kind.upper(): (kind,) for kind in CONVERSIONS}
    kinds["CHECKOUT"] = CHECKOUTS
    for name, of_kind in kinds.items():
        worth = all(kind in VALUED for kind in of_kind)
        table[f"TOTAL_{name}"] = Count(_events(of_kind))
        table[f"TOTAL_{name}_CONVERSION_RATE"] = Ratio(_events(of_kind), _IMPRESSIONS)
        if worth:
            table[f"TOTAL_{name}_VALUE_IN_MICRO_DOLLAR"] = Money(_worth(of_kind))
        for action in ACTIONS:
            split = _split_name(name, action)
            table[split] = Count(_events(of_kind, [action]))
            if worth:
                table[f"{split}_VALUE_IN_MICRO_DOLLAR"] = Money(_worth(of_kind, [action]))
    return table


def _split_name(name: str, action: str) -> str:
    """`TOTAL_CLICK_SIGNUP`, but `TOTAL_WEB_CLICK_CHECKOUT`."""
    place, _, event = name.partition("_")
    if event == "CHECKOUT":
        return f"TOTAL_{place}_{action.upper()}_{event}"
    return f"TOTAL_{action.upper()}_{name}"


def _quantities() -> dict[str, Column]:
    """Quantities: people buy two of each thing."""
    table: dict[str, Column] = {
        "TOTAL_CONVERSIONS_QUANTITY": Count(_events(CONVERSIONS), times=2),
        "TOTAL_CONVERSIONS_VALUE_IN_MICRO_DOLLAR": Money(_worth(VALUED)),
    }
    for name, kinds in _EVENTS.items():
        table[f"TOTAL_{name}_QUANTITY"] = Count(_events(kinds), times=2)
        for action in ACTIONS:
            table[f"TOTAL_{action.upper()}_{name}_QUANTITY"] = Count(
                _events(kinds, [action]), times=2
            )
    return table


def _by_channel() -> dict[str, Column]:
    """Conversions on the web, in apps, offline; checkouts of each are counted by themselves."""
    table: dict[str, Column] = {}
    kinds = {
        (channel, name): tuple(f"{kind}@{channel}" for kind in of_name)
        for channel in CHANNELS
        for name, of_name in _EVENTS.items()
    }
    for place in ("web", "inapp", "offline"):
        kinds[place, "CHECKOUT"] = (f"{place}_checkout",)
    kinds["inapp", "APP_INSTALL"] = ("inapp_app_install",)
    for (channel, name), of_name in kinds.items():
        place, worth = channel.upper(), _worth(of_name)
        table[f"TOTAL_{place}_{name}"] = Count(_events(of_name))
        table[f"TOTAL_{place}_{name}_VALUE_IN_MICRO_DOLLAR"] = Money(worth)
        table[f"{place}_{name}_ROAS"] = Ratio(worth, _SPEND)
        table[f"{place}_{name}_COST_PER_ACTION"] = Ratio(_SPEND, _events(of_name), _PER_DOLLAR)
        for action in ACTIONS:
            split = f"TOTAL_{place}_{action.upper()}_{name}"
            table[split] = Count(_events(of_name, [action]))
            table[f"{split}_VALUE_IN_MICRO_DOLLAR"] = Money(_worth(of_name, [action]))
    return table


def _by_device() -> dict[str, Column]:
    """Columns by the device of the action and the device of the conversion."""
    return {
        f"TOTAL_{name}_{first}_ACTION_TO_{then}_CONVERSION".upper(): Count(
            _events(f"{kind}@{first}_to_{then}" for kind in kinds)
        )
        for name, kinds in _EVENTS.items()
        for first in DEVICES
        for then in DEVICES
    }


def _of_products() -> dict[str, Column]:
    """Columns of products that people bought or looked at."""
    table: dict[str, Column] = {}
    kinds = {
        **_EVENTS,
        **{name: (kind,) for name, kind in _LIKE.items()},
        "": tuple(kind for kind in VALUED if kind not in CHECKOUTS),
    }
    for name, of_name in kinds.items():
        for channel in ("", *CHANNELS):
            own = tuple(f"{kind}@{channel}" for kind in of_name) if channel else of_name
            middle = "".join(f"_{part}" for part in (channel.upper(), name) if part)
            column = f"TOTAL{middle}_CONVERSION_PRODUCT"
            table[f"{column}_QUANTITY"] = Count(_events(own))
            for currency in ("VALUE", "VALUE_IN_USD"):
                table[f"{column}_{currency}"] = Money(_worth(own), micro=False)
    return table


def _asynchronous() -> dict[str, Column]:
    video = ("video_spend",)
    table: dict[str, Column] = {
        "ADS_CREDIT_SPEND_IN_MICRO_DOLLAR": Money(("ads_credit",)),
        "ADS_CREDIT_SPEND_IN_DOLLAR": Money(("ads_credit",), micro=False),
        "ADVERTISER_PAID_SPEND_IN_DOLLAR": Money(_PAID_SPEND, micro=False),
        "ADVERTISER_PAID_ECPC_IN_DOLLAR": Ratio(_PAID_SPEND, _CLICKS, _PER_DOLLAR),
        "ADVERTISER_PAID_ECPM_IN_DOLLAR": Ratio(_PAID_SPEND, _IMPRESSIONS, _PER_DOLLAR * _MILLE),
        "OUTBOUND_CTR": Ratio(_both("outbound_click"), _IMPRESSIONS),
        "COST_PER_OUTBOUND_CLICK": Ratio(_SPEND, _both("outbound_click"), _PER_DOLLAR),
        "ONSITE_CHECKOUTS_1": Count(_events(["web_checkout@pinterest"])),
        "APP_INSTALL_COST_PER_ACTION": Ratio(_SPEND, _events(["app_install"]), _PER_DOLLAR),
        "CPV_IN_MICRO_DOLLAR": Ratio(video, ("video_mrc_1",), _PER_MICRO, whole=True),
        "CPCV_IN_MICRO_DOLLAR": Ratio(video, ("video_p100_1",), _PER_MICRO, whole=True),
        "CPCV_P95_IN_MICRO_DOLLAR": Ratio(video, ("video_p95_1",), _PER_MICRO, whole=True),
        "TOTAL_DESTINATION_VIEWS": Count(("destination_views",)),
    }
    for suffix in BOTH:
        table[f"VIDEO_AVG_WATCHTIME_IN_SECOND{suffix}"] = Ratio(
            (f"watch_milliseconds{suffix}",), (f"video_p0{suffix}",), 0.001
        )
    for way in ("forward", "backward"):
        name = f"IDEA_PIN_PAGE_{way.upper()}"
        table[f"TOTAL_{name}"] = Count(_both(f"page_{way}"))
        for suffix in BOTH:
            table[name + suffix] = Count((f"page_{way}{suffix}",))
    return table


_EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    kind.upper(): (kind,) for kind in VALUED if not kind.startswith(("inapp", "web", "offline"))
} | {"CHECKOUT": CHECKOUTS}
"""Names of conversion events with the kinds that they stand for."""
_LIKE: Final[Mapping[str, str]] = {
    "ADD_PAYMENT_INFO": "add_to_cart",
    "ADD_TO_WISHLIST": "add_to_cart",
    "INITIATE_CHECKOUT": "add_to_cart",
    "SUBSCRIBE": "signup",
    "VIEW_CONTENT": "view_category",
}
"""Events that only products have, each with the kind that it is counted like."""

COLUMNS: Final[Mapping[str, Column]] = {
    **_quantities(),
    **_by_channel(),
    **_by_device(),
    **_of_products(),
    **_asynchronous(),
    **_delivery(),
    **_video(),
    **_conversions(),
}
"""Every metric by its name; attributes of the entities are not among them."""
