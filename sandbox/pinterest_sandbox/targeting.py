"""Numbers by targeting type: each type divides the same numbers in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from pinterest_sandbox.kinds.audiences import AUDIENCES
from pinterest_sandbox.parts import Parting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinterest_sandbox.world import AdAccount

_MOST_VALUES: Final = 4
"""How many values of a type one ad has, at most."""


class Values(msgspec.Struct, frozen=True):
    """The values of a targeting type, as text and numbers; None means that a row has none."""

    values: tuple[Any, ...] | Callable[[AdAccount], tuple[Any, ...]]
    part: bool = False
    """Whether a part of what an ad did has no value, and so no row."""

    def of(self, account: AdAccount) -> tuple[Any, ...]:
        """The values in an ad account."""
        return self.values(account) if callable(self.values) else self.values


def _audiences(account: AdAccount) -> tuple[Any, ...]:
    return (None, *map(int, account.all(AUDIENCES).ids))


_GENDERS: Final = ("female", "male", "unspecified")
_AGES: Final = ("18-24", "25-34", "35-44", "45-49", "50-54", "55-64", "65+", "unknown")

TYPES: Final[Mapping[str, Values]] = {
    "KEYWORD": Values(
        ("tiny kitchen", "Tiny Kitchen", "hochzeitsdeko 💐", "غرفة نوم", "50% off, today"),
        part=True,
    ),
    "APPTYPE": Values(("iphone", "android_mobile", "web", "ipad", "web_mobile")),
    "GENDER": Values(_GENDERS),
    "LOCATION": Values((500, 501, "602", 803, "807", "US")),
    "PLACEMENT": Values(("BROWSE", "SEARCH", None)),
    "COUNTRY": Values(("US", "GB", "DE", "FR", "JP", "BR")),
    "TARGETED_INTEREST": Values(("Home decor", "DIY & crafts", "Women's fashion", 955147773988)),
    "PINNER_INTEREST": Values((958862518603, "Food and drinks", "👟 Running", "Weddings")),
    "AUDIENCE_INCLUDE": Values(_audiences, part=True),
    "GEO": Values(("US:94102", "US:10001", "DE:10115", "GB:EC1A")),
    "AGE_BUCKET": Values(_AGES),
    "REGION": Values(("US-CA", "US-NY", "DE-BE", "BR-SP")),
    "AGE_BUCKET_AND_GENDER": Values(
        tuple(f"{age}&{gender}" for age in _AGES for gender in _GENDERS)
    ),
    "CREATIVE_TYPE": Values(("REGULAR", "VIDEO", "SHOPPING", "CAROUSEL")),
    "AUDIENCE_MULTIPLIER": Values(_audiences, part=True),
    "CREATIVE_ENHANCEMENTS": Values(("IMAGE_BACKGROUND", "TEXT_OVERLAY"), part=True),
    "QUIZ_RESULT": Values(("Minimalist", "Maximalist", 3), part=True),
    "MEDIA_TYPE": Values(("IMAGE", "VIDEO")),
    "LOCAL_ADS_STORE_CODE": Values((1001, "1002", "st-7"), part=True),
}


_BRANDS: Final = ("Acme", "Ünique", "No brand")
_CATEGORIES: Final = ("Home & Garden", "Apparel", "Toys")
OF_PRODUCTS: Final[Mapping[str, Values]] = {
    "PRODUCT_BRAND": Values(_BRANDS, part=True),
    "PRODUCT_CATEGORY": Values(_CATEGORIES, part=True),
    "PRODUCT_BRAND_AND_CATEGORY": Values(
        tuple((brand, category) for brand in _BRANDS for category in _CATEGORIES), part=True
    ),
    "PRODUCT_SKU": Values(tuple(f"sku{number}" for number in range(1, 8)), part=True),
}
"""The values of each breakdown of the products that led to conversions."""


def values_of(account: AdAccount, name: str) -> tuple[Any, ...]:
    """The values of a targeting type or a breakdown of products, in an account."""
    return _ALL[name].of(account)


def parting(account: AdAccount, name: str) -> Parting:
    """How a targeting type or a breakdown of products divides the actions of each ad."""
    kind = _ALL[name]
    values = len(kind.of(account))
    most = min(_MOST_VALUES, values)
    ads = account.ads
    counts = 1 + (ads.draw(f"{name} values") * most).astype(np.int64)
    first = (ads.draw(f"{name} first") * values).astype(np.int64)
    buckets = (first[:, None] + np.arange(most)) % max(1, values)
    if kind.part:
        counts += 1
        buckets = np.concatenate([np.full((ads.count, 1), -1), buckets], axis=1)
    return Parting(name, counts, buckets, values)


_ALL: Final = {**TYPES, **OF_PRODUCTS}
