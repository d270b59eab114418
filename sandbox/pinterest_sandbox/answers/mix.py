"""Marketing-mix reports, and reports of the brands, categories and SKUs that people bought."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pinterest_sandbox import api, bodies, files, reports
from pinterest_sandbox.answers import asked, ordered
from pinterest_sandbox.refusals import rate_limited, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.reports import Table
    from pinterest_sandbox.world import AdAccount

MMM_A_MINUTE: Final = 5
_YEAR: Final = 366
_WEEK: Final = 7
_FIRST_OF_PRODUCTS: Final = date(2024, 3, 17)
_FIRST_OF_BRANDS: Final = date(2025, 4, 2)
_SKU_GROUP: Final = "PRODUCT_SKU_GROUP"
_DIMENSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "PRODUCT_BRAND": ("CONVERSION_PRODUCT_BRAND",),
    "PRODUCT_CATEGORY": ("CONVERSION_PRODUCT_CATEGORY",),
    "PRODUCT_BRAND_AND_CATEGORY": ("CONVERSION_PRODUCT_BRAND", "CONVERSION_PRODUCT_CATEGORY"),
    "PRODUCT_SKU": ("CONVERSION_PRODUCT_ID",),
    _SKU_GROUP: ("CONVERSION_PRODUCT_ID_GROUP",),
}
_DEFAULT_OBJECTIVES: Final = ("CONSIDERATION", "AWARENESS", "WEB_CONVERSION", "VIDEO_COMPLETION")


def create(call: Call) -> Any:  # noqa: ANN401  the truth is rows
    """Orders a marketing-mix report: five a minute for an account."""
    account = call.readable_ad_account()
    call = _as_ordered(call)
    asked.check_period(call, ordered.DAYS_BACK, ordered.DAYS_WIDE)
    make = ordered.maker(call, account)
    if call.values["countries"]:
        make = _of_countries(make, frozenset(call.values["countries"]))
    if call.truth:
        return make().rows()
    if call.orders.count_recent(_owner(account), seconds=60) >= MMM_A_MINUTE:
        raise rate_limited()
    order = call.orders.create(_owner(account), ordered.download(call, account, make), call.fate)
    created = {"report_status": "IN_PROGRESS", "token": order.token, "message": ""}
    if call.settings.style.mmm == "flat":
        return {**created, "url": None, "size": None, "status": "success"}
    return {"code": 0, "status": "success", "data": {**created, "status": "success"}}


def status(call: Call) -> dict[str, Any]:
    """The status of a marketing-mix report."""
    found = ordered.progress(call, _owner(call.readable_ad_account()))
    if call.settings.style.mmm == "flat":
        return {**found, "token": call.values["token"], "message": "", "status": "success"}
    return {"code": 0, "status": "success", "message": "", "data": found}


def create_of_products(call: Call) -> Any:  # noqa: ANN401  the truth is rows
    """Orders a report of brands, categories or SKUs."""
    account = call.readable_ad_account()
    call = _as_ordered(call)
    _check_products(call)
    make = _maker(call, account)
    if call.truth:
        return make().rows()
    owner = _owner_of_products(account)
    order = call.orders.create(owner, ordered.download(call, account, make), call.fate)
    return {"report_status": "IN_PROGRESS", "token": order.token, "message": ""}


def status_of_products(call: Call) -> dict[str, Any]:
    """The status of a report of brands, categories or SKUs."""
    return ordered.progress(call, _owner_of_products(call.readable_ad_account()))


def _owner(account: AdAccount) -> str:
    return f"marketing mix of {account.id}"


def _owner_of_products(account: AdAccount) -> str:
    return f"products of {account.id}"


def _as_ordered(call: Call) -> Call:
    """The call with the default of each other value that an order can have."""
    others = bodies.defaults(api.operation(ordered.ORDER).body or {})
    return msgspec.structs.replace(call, values=others | call.values)


def _of_countries(
    make: Callable[[], files.Ordered], countries: frozenset[str]
) -> Callable[[], files.Ordered]:
    """Leaves out the rows of other countries, if the rows have a country."""

    def only() -> files.Ordered:
        made = make()
        type_name, value_name = list(made.columns)[:2]
        return made.where(lambda row: row[type_name] != "COUNTRY" or row[value_name] in countries)

    return only


def _check_products(call: Call) -> None:
    values = call.values
    start, end = values["start_date"], values["end_date"]
    asked.check_period(call, (date.fromordinal(call.today) - _FIRST_OF_PRODUCTS).days, _YEAR)
    if (end - start).days + 1 < _WEEK:
        refuse("The period must be of 7 days at least.")
    of_brands = values["conversion_product_attribution_type"] == "BRAND_ATTRIBUTION"
    if of_brands and start < _FIRST_OF_BRANDS:
        refuse("With BRAND_ATTRIBUTION start_date must be after 2025-04-01.")
    for name, level in (("campaign_ids", "CAMPAIGN"), ("ad_group_ids", "AD_GROUP")):
        if values[name] and values["level"] != level:
            refuse(f"{name} is only supported when the level is {level}.")
    if bool(values["product_sku_ids"]) != (values["conversion_product_breakdown"] == _SKU_GROUP):
        refuse(f"product_sku_ids go with the breakdown {_SKU_GROUP}, and only with it.")
    if not values["columns"]:
        refuse("At least one column is needed.")


def _maker(call: Call, account: AdAccount) -> Callable[[], files.Ordered]:
    values = call.values
    values["campaign_objective_types"] = values["campaign_objective_types"] or _DEFAULT_OBJECTIVES
    breakdown = values["conversion_product_breakdown"]
    level = ordered.LEVELS[values["level"]]
    report = reports.Report(
        account=account,
        level=level.name,
        entities=ordered.entities(account, level.name, values),
        columns=tuple(dict.fromkeys(values["columns"])),
        granularity=values["granularity"],
        start=values["start_date"],
        end=values["end_date"],
        view=asked.view(call),
        more=call.settings.columns,
        breakdowns=(("PRODUCT_SKU" if breakdown == _SKU_GROUP else breakdown,),),
        only=ordered.wanted_ads(account, values, call.today),
        id_as=level.id_column,
    )

    def make() -> files.Ordered:
        (table,) = reports.tables(report, call.totals)
        table = _with_dimensions(table, breakdown, values)
        return files.ordered(
            [(None, table)], level.id_column, targeting_names=("", ""), by_date=False
        )

    return make


def _with_dimensions(table: Table, breakdown: str, values: Mapping[str, Any]) -> Table:
    """Adds the columns of products that were asked for."""
    names = _DIMENSIONS[breakdown]
    found = [each if isinstance(each, tuple) else (each,) for each in table.targeting]
    if breakdown == _SKU_GROUP:
        skus = values["product_sku_ids"]
        table = _added_up(table, [sku in skus for (sku,) in found])
        found = [(",".join(skus),)] * len(next(iter(table.columns.values())))
    columns = dict(table.columns)
    for place, name in enumerate(names):
        if name in values["columns"]:
            columns[name] = [each[place] for each in found]
    return msgspec.structs.replace(table, columns=columns, targeting=[])


def _added_up(table: Table, kept: list[bool]) -> Table:
    """One row for those of each entity and period that are kept."""
    names = list(table.columns)
    metrics = [names.index(name) for name in table.metrics]
    rows: dict[tuple[Any, ...], list[Any]] = {}
    for row, wanted in zip(zip(*table.columns.values(), strict=True), kept, strict=True):
        if not wanted:
            continue
        key = tuple(value for place, value in enumerate(row) if place not in metrics)
        known = rows.setdefault(key, [*row])
        if known != [*row]:
            for place in metrics:
                both = [each for each in (known[place], row[place]) if each is not msgspec.UNSET]
                known[place] = sum(both) if both else msgspec.UNSET
    columns = dict(zip(names, map(list, zip(*rows.values(), strict=True)), strict=False))
    return msgspec.structs.replace(table, columns={name: columns.get(name, []) for name in names})
