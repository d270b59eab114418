"""Catalogs, their feeds, the processing results of each feed, and product groups."""

# ruff: noqa: ARG001  every `details` is called with the same three arguments
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox.calendar import utc_text
from pinterest_sandbox.collection import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinterest_sandbox.chance import Draws
    from pinterest_sandbox.collection import Details, Member
    from pinterest_sandbox.world import User

    OfUser = Member[User]
    OfCatalog = Member[OfUser]
    OfFeed = Member[OfCatalog]
    OfResult = Member[OfFeed]

RETAIL, HOTEL, CREATIVE_ASSETS = TYPES = ("RETAIL", "HOTEL", "CREATIVE_ASSETS")
REPORT_TYPES: Final = ("FEED_INGESTION_ISSUES", "DISTRIBUTION_ISSUES")

_ALL_LABELS: Final = frozenset(f"custom_label_{number}" for number in range(5))
_GOOGLE: Final = frozenset(f"google_product_category_{number}" for number in range(7))
FILTER_VALUES: Final[Mapping[str, frozenset[str] | None]] = {
    RETAIL: None,
    HOTEL: _ALL_LABELS | {"brand"},
    CREATIVE_ASSETS: _ALL_LABELS | _GOOGLE | {"media_type"},
}
"""The filter values of each type of catalog; None means all."""
_COUNTS: Final[Mapping[str, frozenset[str]]] = {
    RETAIL: frozenset({"in_stock", "out_of_stock", "preorder", "videos"}),
    HOTEL: frozenset(),
    CREATIVE_ASSETS: frozenset({"videos", "images", "app_links"}),
}
_METADATA: Final[Mapping[str, frozenset[str]]] = {
    RETAIL: frozenset(
        {"availability", "currency", "item_group_id", "item_id", "price", "sale_price"}
    ),
    HOTEL: frozenset({"hotel_id"}),
    CREATIVE_ASSETS: frozenset({"creative_assets_id", "visibility"}),
}
_USUAL: Final[Mapping[str, Any]] = {
    "availability": "IN_STOCK",
    "currency": "EUR",
    "price": 9.99,
    "visibility": "VISIBLE",
}
_NOT_OF_FEED: Final[Mapping[str, frozenset[str]]] = {
    RETAIL: frozenset({"catalog_id"}),
    HOTEL: frozenset({"default_availability", "default_country"}),
    CREATIVE_ASSETS: frozenset({"default_availability"}),
}
_RETAIL_GROUP: Final = frozenset({"country", "feed_id", "is_featured", "locale", "status", "type"})
_NOT_OF_GROUP: Final[Mapping[str, frozenset[str]]] = {
    RETAIL: frozenset(),
    HOTEL: _RETAIL_GROUP - {"type"},
    CREATIVE_ASSETS: _RETAIL_GROUP,
}
_LABEL_FILTERS: Final = frozenset(label.upper() for label in _ALL_LABELS) | {"TITLE_KEYWORDS"}
_OTHER_FILTERS: Final[Mapping[str, frozenset[str]]] = {
    HOTEL: _LABEL_FILTERS | {"PRICE", "HOTEL_ID", "BRAND", "COUNTRY"},
    CREATIVE_ASSETS: (
        _LABEL_FILTERS
        | {label.upper() for label in _GOOGLE}
        | {"CREATIVE_ASSETS_ID", "MEDIA_TYPE", "LINK"}
    ),
}
_NOT_RETAIL: Final = frozenset({"PRICE", "HOTEL_ID", "COUNTRY", "CREATIVE_ASSETS_ID", "LINK"})
_HOTEL_TYPES: Final = ("MERCHANT_CREATED", "ALL_LISTINGS")
_MOST_ISSUES: Final = 4


def type_of(catalog: OfUser) -> str:
    """The type of a catalog."""
    return TYPES[catalog.number % len(TYPES)]


def only(facts: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """The members that have one of the names."""
    return {name: value for name, value in facts.items() if name in names}


def _drop(made: dict[str, Any], names: frozenset[str]) -> None:
    for name in names:
        made.pop(name, None)


def _catalog(catalog: OfUser, made: dict[str, Any], draws: Draws) -> Details:
    return {"catalog_type": type_of(catalog)}


def _feed(feed: OfCatalog, made: dict[str, Any], draws: Draws) -> Details:
    catalog = feed.owner
    made.update(catalog_id=catalog.id, default_country=draws.one_of(("US", "SE", "JP")))
    _drop(made, _NOT_OF_FEED[type_of(catalog)])
    return {
        "catalog_type": type_of(catalog),
        "default_locale": draws.one_of(("en-US", "de-DE", "ar-AE")),
        "location": f"https://feeds.example.com/{feed.id}.tsv",
        "credentials": (
            {"username": "shop", "password": "made-up-password-that-must-not-leave-the-tap"}
            if made["credentials"]
            else None
        ),
    }


def _issue(issue: OfResult, made: dict[str, Any], draws: Draws) -> Details:
    """An item with a few of all possible issues."""
    for name in ("errors", "warnings"):
        issues = sorted(made[name])
        begin = draws.below(len(issues))
        made[name] = {code: made[name][code] for code in issues[begin : begin + _MOST_ISSUES]}
    return {"item_number": issue.number * 7, "item_id": made["item_id"] and f"sku-{issue.id}"}


def _product_group(group: OfCatalog, made: dict[str, Any], draws: Draws) -> Details:
    catalog = group.owner
    kind = type_of(catalog)
    _drop(made, _NOT_OF_GROUP[kind])
    feeds = catalog.all(FEEDS).ids
    if made.get("feed_id"):
        made["feed_id"] = draws.one_of((None, *feeds))
    if kind == HOTEL:
        made["type"] = draws.one_of(_HOTEL_TYPES)
    elif kind == RETAIL and made.get("type") in (None, *_HOTEL_TYPES):
        made["type"] = "ALL_PRODUCTS"
    if group.number % 2:
        # The text says seconds, the example counts milliseconds.
        made.update(
            {name: made[name] * 1000 for name in ("created_at", "updated_at") if name in made}
        )
    return {
        "catalog_id": catalog.id,
        "catalog_type": kind,
        "name": group.label,
        "filters": _filters(kind, made["filters"], draws, group.number),
    }


def _filters(
    kind: str, filters: Mapping[str, list[dict[str, Any]]], draws: Draws, number: int
) -> dict[str, Any]:
    """Any of some conditions or all of them; each condition is one."""
    word = ("any_of", "all_of")[number % 2]
    conditions = []
    for clause in filters.get(word) or ():
        allowed = sorted(
            name for name, value in clause.items() if value is not None and _fits(kind, name)
        )
        if allowed:
            name = draws.one_of(allowed)
            conditions.append({name: clause[name]})
    return {word: conditions}


def _fits(kind: str, name: str) -> bool:
    return name not in _NOT_RETAIL if kind == RETAIL else name in _OTHER_FILTERS[kind]


def counts(group: OfCatalog, made: dict[str, Any]) -> dict[str, Any]:
    """How many products a group has, by their state."""
    kind = type_of(group.owner)
    parts = {name: made.get(name) or 0 for name in sorted(_COUNTS[kind])}
    return {"catalog_type": kind, "total": sum(parts.values()) or 17, **parts}


def metadata(catalog: OfUser, made: dict[str, Any], product_id: str) -> dict[str, Any]:
    """The metadata of a product."""
    names = _METADATA[type_of(catalog)]
    own = {**dict.fromkeys(names), **only(made, names)}
    for name in names & _USUAL.keys():
        own[name] = own[name] or _USUAL[name]
    for name in ("item_id", "hotel_id", "creative_assets_id"):
        if name in own:
            own[name] = f"{name[:2]}-{product_id}"
    return own


def _statistic(issue: Member[Any], made: dict[str, Any], draws: Draws) -> Details:
    owner = issue.owner
    catalog = owner if owner.kind is CATALOGS else owner.owner
    if owner.kind is CATALOGS:
        _drop(made, frozenset({"severity"}))
    else:
        _drop(made, frozenset({"ineligible_for_ads", "ineligible_for_organic"}))
    code = 100 + issue.number * 3
    return {
        "report_type": REPORT_TYPES[owner.kind is CATALOGS],
        "catalog_id": catalog.id,
        "code": code,
        "code_label": f"ISSUE_{code}",
        "occurrences": 1 + draws.below(500),
    }


def _store(store: OfCatalog, made: dict[str, Any], draws: Draws) -> Details:
    return {
        "store_code": f"store-{store.number + 1}",
        "latitude": -89.5 + draws.below(179),
        "longitude": -179.5 + draws.below(359),
    }


def _result(result: OfFeed, made: dict[str, Any], draws: Draws) -> Details:
    day = (result.world.anchor - 719_163 - result.number) * 86_400
    return {"created_at": utc_text(day), "updated_at": utc_text(day + draws.below(3_600))}


CATALOGS: Final[Kind[User]] = Kind(
    "catalog", "Catalog", lambda user: user.world.size.catalogs, _catalog
)
FEEDS: Final[Kind[OfUser]] = Kind(
    "feed", "CatalogsFeed", lambda catalog: catalog.world.size.feeds, _feed
)
PROCESSING_RESULTS: Final[Kind[OfCatalog]] = Kind(
    "processing result",
    "CatalogsFeedProcessingResult",
    lambda feed: feed.world.size.processing_results,
    _result,
)
ITEM_ISSUES: Final[Kind[OfFeed]] = Kind(
    "item issue",
    "CatalogsItemValidationIssues",
    lambda result: (result.number + 1) % (result.world.size.item_issues + 1),
    _issue,
    id_field="",
)
PRODUCT_GROUPS: Final[Kind[OfUser]] = Kind(
    "product group",
    "CatalogsVerticalProductGroup",
    lambda catalog: catalog.world.size.product_groups,
    _product_group,
)
STATISTICS: Final[Kind[Any]] = Kind(
    "issue statistic", "CatalogsReportStats", lambda owner: 1 + owner.number % 3, _statistic
)
LOCAL_STORES: Final[Kind[OfUser]] = Kind(
    "local store", "LocalStore", lambda catalog: catalog.number % 3 * 2, _store
)
