"""Catalogs, feeds and their processing results, product groups and products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox import records, specimens
from pinterest_sandbox.answers.entities import of, where
from pinterest_sandbox.chance import Draws
from pinterest_sandbox.files import table_of
from pinterest_sandbox.kinds import catalogs as kinds
from pinterest_sandbox.kinds import products as of_products
from pinterest_sandbox.paging import Listing
from pinterest_sandbox.refusals import (
    Refusal,
    merchant_refused,
    no_catalog,
    not_found,
    not_implemented,
    not_permitted,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.collection import Member
    from pinterest_sandbox.kinds.catalogs import OfCatalog, OfFeed, OfUser

ROLES: Final = frozenset({"OWNER", "ADMIN", "CATALOGS_MANAGER"})
_FEED, _GROUP, _RESULT = 4161, 4180, 4184
_VALUES: Final = "CatalogsAvailableFilterValues"


def catalogs(call: Call) -> Listing[Any]:
    """Catalogs of a user."""
    return of(_catalogs(call))


def feeds(call: Call) -> Listing[Any]:
    """Feeds of all catalogs or of one."""
    return of(list(_feeds(call, call.values["catalog_id"])))


def feed(call: Call) -> dict[str, Any]:
    """One feed."""
    return _feed(call, call.values["feed_id"]).record()


def processing_results(call: Call) -> dict[str, Any]:
    """The first page of a feed's results: for now, the API has no other."""
    results = _feed(call, call.values["feed_id"]).all(kinds.PROCESSING_RESULTS).members
    page = results[: call.values["page_size"]]
    return {"items": [result.record() for result in page], "bookmark": None}


def item_issues(call: Call) -> Listing[Any]:
    """Items with issues, by their number or by the issue."""
    numbers, issue = call.values["item_numbers"], call.values["item_validation_issue"]
    if numbers and issue:
        raise not_implemented()
    found = list(_result(call).all(kinds.ITEM_ISSUES))
    if numbers:
        return where(found, item_number={int(number) for number in numbers})
    made = [item.record() for item in found]
    if issue:
        made = [item for item in made if issue in item["errors"] or issue in item["warnings"]]
    return Listing(made, dict)


def product_groups(call: Call) -> Listing[Any]:
    """Product groups by id, feed and catalog."""
    _need_approval(call)
    _need_catalog(call)
    values = call.values
    if values["feed_id"]:
        _feed(call, values["feed_id"])
    return where(
        list(_groups(call)),
        id={str(number) for number in values["id"]} if values["id"] else None,
        catalog_id={values["catalog_id"]} if values["catalog_id"] else None,
        feed_id={values["feed_id"]} if values["feed_id"] else None,
    )


def product_group(call: Call) -> dict[str, Any]:
    """One product group."""
    _need_approval(call)
    return _group(call).record()


def product_counts(call: Call) -> dict[str, Any]:
    """How many products a group has."""
    group = _group(call)
    schema = "CatalogsProductGroupProductCountsVertical"
    return kinds.counts(group, specimens.record(schema, group.draws("counts")))


def products(call: Call) -> Listing[Any]:
    """Product Pins of a group."""

    def made(product: Member[OfCatalog]) -> dict[str, Any]:
        record = product.record()
        if call.values["pin_metrics"]:
            records.add_pin_metrics(record["pin"], product.draws("metrics"), call.today)
        return record

    return Listing(list(_group(call).all(of_products.PRODUCTS)), made)


def filter_values(call: Call) -> dict[str, Any]:
    """Filter values of the items of a catalog; a retail feed has a country and a language."""
    _need_approval(call)
    _need_catalog(call)
    catalog, values = _catalog(call, call.values["catalog_id"]), call.values
    kind, parts = kinds.type_of(catalog), list[str]()
    if kind == kinds.RETAIL:
        if values["feed_id"]:
            _feed(call, values["feed_id"])
        parts = [values[name] or "" for name in ("feed_id", "country", "language")]
    made = specimens.record(_VALUES, Draws(call.world.seed, *catalog.parts, *parts))
    wanted = kinds.FILTER_VALUES[kind]
    found = made["filter_values"]
    return {
        "catalog_type": kind,
        "filter_values": found if wanted is None else kinds.only(found, wanted),
    }


def report_stats(call: Call) -> Listing[Any]:
    """How often each issue occurs, in a feed's last processing or in a catalog's distribution."""
    asked = call.values["parameters"]
    report = asked.get("report", {})
    kind = report.get("report_type")
    if kind is None or "catalog_type" not in asked:
        refuse("Missing required parameter: 'parameters[report][report_type]' or its catalog_type.")
    owner: Member[Any]
    if kind == "FEED_INGESTION_ISSUES":
        owner = _feed(call, _needed(report, "feed_id"))
        catalog = owner.owner
    else:
        owner = catalog = _catalog(call, _needed(report, "catalog_id"))
    if asked["catalog_type"] != kinds.type_of(catalog):
        refuse("parameters[catalog_type] is not the type of the catalog.")
    return of(list(owner.all(kinds.STATISTICS)))


def create_report(call: Call) -> Any:  # noqa: ANN401  the truth is rows
    """Orders a report on a catalog; the same one again on the same day."""
    _need_catalog(call)
    kind, asked = call.values["catalog_type"], call.values["report"]
    if asked["report_type"] == "FEED_INGESTION_ISSUES":
        feed = _feed(call, _needed(asked, "feed_id"))
        catalog: Member[Any] = feed.owner
        results = feed.all(kinds.PROCESSING_RESULTS)
        wanted = asked.get("processing_result_id")
        result = results.get(wanted) if wanted else next(reversed(results.members), None)
        if result is None:
            raise not_found(_RESULT, "processing result")
        rows = _issues(result)
    else:
        wanted = asked.get("catalog_id")
        catalog = _catalog(call, wanted) if wanted else _catalogs(call)[0]
        rows = _items(catalog) if asked["report_type"] == "ALL_ITEMS" else _statistics(catalog)
    if kind != kinds.type_of(catalog):
        refuse("catalog_type is not the type of the catalog.")
    if call.truth:
        return rows
    order = call.orders.create_once_a_day(
        (kind, *sorted((name, value) for name, value in asked.items() if value)),
        _owner(call),
        lambda: table_of(rows),
        call.fate,
    )
    return {"token": order.token}


def report(call: Call) -> dict[str, Any]:
    """The status of a report on a catalog; an expired report counts as never ordered."""
    _need_catalog(call)
    order = call.orders.find(call.values["token"], _owner(call))
    found = call.orders.poll(order) if order else None
    if order is None or found not in {"FINISHED", "IN_PROGRESS"}:
        raise Refusal(400, 1104, "The token you provided is not valid or has expired.")
    if found == "IN_PROGRESS":
        return {"report_status": found, "url": None, "size": None}
    url = call.orders.link(order, call.host)
    return {"report_status": found, "url": url, "size": len(call.orders.download(order).body)}


def _owner(call: Call) -> str:
    return f"catalogs of {call.user().id}"


def _issues(result: OfFeed) -> list[dict[str, Any]]:
    """A row for each issue of each item."""
    return [
        {
            "item_number": item["item_number"],
            "item_id": item["item_id"],
            "severity": severity,
            "issue": code,
        }
        for item in (each.record() for each in result.all(kinds.ITEM_ISSUES))
        for severity, found in (("ERROR", item["errors"]), ("WARNING", item["warnings"]))
        for code in sorted(found)
    ]


def _statistics(catalog: Member[Any]) -> list[dict[str, Any]]:
    return [
        {
            name: value
            for name, value in each.record().items()
            if not isinstance(value, (dict, list))
        }
        for each in catalog.all(kinds.STATISTICS)
    ]


def _items(catalog: Member[Any]) -> list[dict[str, Any]]:
    """A row for each product of each group."""
    return [
        {"product_group_id": group.id, "pin_id": product.id}
        for group in catalog.all(kinds.PRODUCT_GROUPS)
        for product in group.all(of_products.PRODUCTS)
    ]


def local_stores(call: Call) -> Listing[Any]:
    """Shops of a catalog."""
    wanted = call.values["ids"]
    stores = list(_catalog(call, call.values["catalog_id"]).all(kinds.LOCAL_STORES))
    return of([store for store in stores if not wanted or store.id in wanted])


def _needed(report: dict[str, Any], name: str) -> str:
    value = report.get(name)
    if not value:
        refuse(f"Missing required parameter: 'parameters[report][{name}]'.")
    return str(value)


def _catalogs(call: Call) -> list[OfUser]:
    if not call.acts_as(ROLES):
        refused = not_permitted()
        raise Refusal(401, refused.code, refused.message)
    return call.user().all(kinds.CATALOGS).members


def _catalog(call: Call, catalog_id: str) -> OfUser:
    for catalog in _catalogs(call):
        if catalog.id == catalog_id:
            return catalog
    raise not_found(678, "catalog")


def _feeds(call: Call, catalog_id: str | None = None) -> Iterator[OfCatalog]:
    for catalog in _catalogs(call):
        if catalog_id in (None, catalog.id):
            yield from catalog.all(kinds.FEEDS)


def _feed(call: Call, feed_id: str) -> OfCatalog:
    for feed in _feeds(call):
        if feed.id == feed_id:
            return feed
    raise not_found(_FEED, "catalogs feed")


def _result(call: Call) -> OfFeed:
    for feed in _feeds(call):
        found = feed.all(kinds.PROCESSING_RESULTS).get(call.values["processing_result_id"])
        if found is not None:
            return found
    raise not_found(_RESULT, "processing result")


def _groups(call: Call) -> Iterator[OfCatalog]:
    for catalog in _catalogs(call):
        yield from catalog.all(kinds.PRODUCT_GROUPS)


def _group(call: Call) -> OfCatalog:
    _need_catalog(call)
    for group in _groups(call):
        if group.id == call.values["product_group_id"]:
            return group
    raise not_found(_GROUP, "catalogs product group")


def _need_catalog(call: Call) -> None:
    if not _catalogs(call):
        raise no_catalog()


def _need_approval(call: Call) -> None:
    if call.settings.merchant != "approved":
        raise merchant_refused(call.settings.merchant)
