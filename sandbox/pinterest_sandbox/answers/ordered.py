"""Asynchronous reports: a client orders one, polls it, and downloads it when it is finished."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from pinterest_sandbox import api, bodies, children, files, records, reports
from pinterest_sandbox.answers import asked
from pinterest_sandbox.columns import COLUMNS
from pinterest_sandbox.kinds.ads import REPORT_TEMPLATES, promotion_status
from pinterest_sandbox.numbers import ACTIONS
from pinterest_sandbox.refusals import not_found, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.children import Child
    from pinterest_sandbox.orders import Download
    from pinterest_sandbox.reports import Table
    from pinterest_sandbox.world import AdAccount, Entities

    Wanted = NDArray[np.bool_]

ORDER: Final = "POST /ad_accounts/{ad_account_id}/reports"
DAYS_BACK: Final = 914
DAYS_WIDE: Final = 186
ITEM_DAYS_BACK: Final = 92
ITEM_DAYS_WIDE: Final = 31
_TARGETING: Final = "_TARGETING"


class Level(NamedTuple):
    """A level of ordered reports."""

    name: str
    """In `attributes.LEVELS`."""
    id_column: str


LEVELS: Final[Mapping[str, Level]] = {
    "ADVERTISER": Level("ad_account", "ADVERTISER_ID"),
    "CAMPAIGN": Level("campaign", "CAMPAIGN_ID"),
    "AD_GROUP": Level("ad_group", "AD_GROUP_ID"),
    "PIN_PROMOTION": Level("ad", "PIN_PROMOTION_ID"),
    "KEYWORD": Level("keyword", "KEYWORD_ID"),
    "PRODUCT_GROUP": Level("product_group", "PRODUCT_GROUP_ID"),
    "PRODUCT_ITEM": Level("product_item", "PRODUCT_ITEM_ID"),
}
"""Levels whose name ends in `_TARGETING` are the same, broken down."""
_LABELS: Final[Mapping[str, Callable[[int], str | None]]] = {
    "campaign_brand_label": records.campaign_brand_label,
    "campaign_custom_label": records.campaign_custom_label,
}
"""Filters by a label of campaigns, and what label each of these has."""
ONLY_OF_LEVEL: Final = {
    "AUDIENCE_MULTIPLIER": "CAMPAIGN_TARGETING",
    "MEDIA_TYPE": "PRODUCT_ITEM_TARGETING",
}
OF_ADS: Final = frozenset(
    f"{entity}_{fact}" for entity in ("AD", "PIN_PROMOTION") for fact in ("ID", "NAME", "STATUS")
)
"""Columns that reports of product items do not have."""
_CUSTOM_EVENT: Final = "ADE_"


def create(call: Call) -> Any:  # noqa: ANN401  the truth is rows
    """Orders a report."""
    account = call.readable_ad_account()
    check(call)
    make = maker(call, account)
    if call.truth:
        return make().rows()
    order = call.orders.create(_owner(account), download(call, account, make), call.fate)
    return {"report_status": "IN_PROGRESS", "token": order.token, "message": ""}


def status(call: Call) -> dict[str, Any]:
    """The status of a report, and the link to its download."""
    return progress(call, _owner(call.readable_ad_account()))


def create_from_template(call: Call) -> Any:  # noqa: ANN401  the truth is rows
    """Orders the report of a template, of its own period unless another is asked for."""
    account = call.readable_ad_account()
    template = account.all(REPORT_TEMPLATES).get(call.values["template_id"])
    if template is None:
        raise not_found(404, "report template")
    answer = create(
        msgspec.structs.replace(call, values=call.values | _of_template(template.record(), call))
    )
    if call.truth:
        return answer
    return {"template_id": template.id, **answer}


def progress(call: Call, owner: str) -> dict[str, Any]:
    """The status of an owner's report, by its token."""
    order = call.orders.find(call.values["token"], owner)
    found = call.orders.poll(order) if order else "DOES_NOT_EXIST"
    if order is None or found != "FINISHED":
        return {"report_status": found, "url": None, "size": None}
    return {
        "report_status": found,
        "url": call.orders.link(order, call.host),
        "size": len(call.orders.download(order).body),
    }


def download(
    call: Call, account: AdAccount, make: Callable[[], files.Ordered]
) -> Callable[[], Download]:
    """A function that makes the file, in the format and layout of the request."""
    style, form = call.settings.style.layout, call.values.get("report_format")
    grouped = style == "object" or (style == "by account" and account.number % 2 == 0)
    return lambda: make().as_csv() if form == "CSV" else make().as_json(grouped=grouped)


def _owner(account: AdAccount) -> str:
    return f"reports of {account.id}"


def _of_template(template: Mapping[str, Any], call: Call) -> dict[str, Any]:
    """The body that orders the same."""
    level = template.get("report_level", "ADVERTISER")
    start, end = _dates_of(template["date_range"], date.fromordinal(call.today))
    values = {
        **bodies.defaults(api.operation(ORDER).body or {}),
        "level": level,
        "columns": template["columns"],
        # The description does not say how a template names them.
        "targeting_types": ["GENDER", "COUNTRY"] if level.endswith(_TARGETING) else None,
        "granularity": template.get("granularity", "TOTAL"),
        "start_date": start,
        "end_date": end,
        "report_format": template.get("report_format", "JSON"),
        "conversion_report_time": template.get("conversion_report_time_type"),
        **{f"{action}_window_days": template[f"{action}_window_days"] for action in ACTIONS},
    }
    for name in ("start_date", "end_date", "granularity"):
        values[name] = call.values[name] or values[name]
    return values


def _dates_of(date_range: Mapping[str, Any], today: date) -> tuple[date, date]:
    """The first and last day of an absolute, relative or dynamic range."""
    if absolute := date_range.get("absolute_date_range"):
        first, last = (
            datetime.fromtimestamp(absolute[f"{name}_date"], UTC).date()
            for name in ("start", "end")
        )
        return first, last
    if relative := date_range.get("relative_date_range"):
        first, last = (
            today - timedelta(days=relative[f"{name}_days_in_past"]) for name in ("start", "end")
        )
        return first, last
    return today.replace(day=1), today


def check(call: Call) -> None:
    """Lets a body pass that keeps the rules that the description states in words."""
    values = call.values
    level, types = values["level"], values["targeting_types"]
    of_items = level.startswith("PRODUCT_ITEM")
    if of_items:
        asked.check_period(call, ITEM_DAYS_BACK, ITEM_DAYS_WIDE)
        _check_items(values)
    else:
        asked.check_period(call, DAYS_BACK, DAYS_WIDE)
    if not values["columns"]:
        refuse("At least one column is needed.")
    if types and not level.endswith(_TARGETING):
        refuse(f"targeting_types requires level to be a value ending in {_TARGETING}.")
    if level.endswith(_TARGETING) and not types:
        refuse(f"Level {level} needs targeting_types.")
    for name in types or ():
        if ONLY_OF_LEVEL.get(name, level) != level:
            refuse(f"Targeting type {name} is only available in level {ONLY_OF_LEVEL[name]}.")
    hourly = values["granularity"] == "HOUR"
    for name in ("start_hour", "end_hour"):
        if values[name] is not None and not hourly:
            refuse(f"{name} needs granularity HOUR.")


def _check_items(values: Mapping[str, Any]) -> None:
    for name in ("ad_ids", "ad_statuses"):
        if values[name]:
            refuse(f"{name} is not supported for reports of product items.")
    of_ads = sorted(OF_ADS.intersection(values["columns"]))
    if of_ads:
        refuse(f"Column {of_ads[0]} is not supported for reports of product items.")


def maker(call: Call, account: AdAccount) -> Callable[[], files.Ordered]:
    """A function that makes the report later, from the world as it is now."""
    values = call.values
    level = LEVELS[values["level"].removesuffix(_TARGETING)]
    types: tuple[str, ...] = tuple(dict.fromkeys(values["targeting_types"] or ()))
    breakdowns = (types,) if values["combine_targeting_types"] else tuple((name,) for name in types)
    filters = values["metrics_filters"] or ()
    columns = dict.fromkeys(values["columns"])
    events = _custom_events(values)
    report = reports.Report(
        account=account,
        level=level.name,
        entities=entities(account, level.name, values),
        columns=tuple({**columns, **dict.fromkeys(each["field"] for each in filters), **events}),
        granularity=values["granularity"],
        start=values["start_date"],
        end=values["end_date"],
        view=asked.view(call),
        more=call.settings.columns,
        hours=call.settings.style.hours,
        breakdowns=breakdowns if types else (),
        only=wanted_ads(account, values, call.today),
        id_as=level.id_column,
    )

    def make() -> files.Ordered:
        tables = [
            _named(_filtered(table, values), columns, level.id_column, events)
            for table in reports.tables(report, call.totals)
        ]
        names: list[str | None] = ["_AND_".join(each) for each in breakdowns] if types else [None]
        return files.ordered(
            list(zip(names, tables, strict=True)),
            level.id_column,
            targeting_names=_targeting_names(account),
            by_date=values["primary_sort"] == "BY_DATE",
        )

    return make


def _targeting_names(account: AdAccount) -> tuple[str, str]:
    """In capitals for one account, in small letters for the next: the description has neither."""
    if account.number % 2:
        return "targeting_type", "targeting_value"
    return "TARGETING_TYPE", "TARGETING_VALUE"


def entities(account: AdAccount, level: str, values: Mapping[str, Any]) -> Sequence[int]:
    """The running numbers of all that have rows of a level."""
    if level == "ad_account":
        return [0]
    if level == "product_group":
        return _wanted_children(children.product_groups(account).members, values)
    if level == "product_item":
        items = children.product_items(account).members
        wanted = _wanted_children(items, values)
        ids = values["product_item_ids"]
        return [number for number in wanted if not ids or items[number].id in ids]
    if level == "keyword":
        return range(len(children.keywords(account).members))
    found: Entities = getattr(account, f"{level}s")
    return range(found.count)


def _wanted_children(children: Sequence[Child], values: Mapping[str, Any]) -> list[int]:
    """The numbers of those that belong to some product groups."""
    ids, statuses = values["product_group_ids"], values["product_group_statuses"]
    return [
        number
        for number, child in enumerate(children)
        if (not ids or child.of.id in ids)
        and (not statuses or records.SUMMARY_STATUSES[promotion_status(child.of)] in statuses)
    ]


def wanted_ads(account: AdAccount, values: Mapping[str, Any], today: int) -> Wanted | None:
    """Which ads pass all filters; `None` if no filter is set."""
    campaigns, groups, ads = account.campaigns, account.ad_groups, account.ads
    of_campaigns: list[Wanted] = []
    of_groups: list[Wanted] = []
    of_ads: list[Wanted] = []
    for found, entities, name in (
        (of_campaigns, campaigns, "campaign"),
        (of_groups, groups, "ad_group"),
        (of_ads, ads, "ad"),
    ):
        if values[f"{name}_ids"]:
            found.append(_those(entities, values[f"{name}_ids"]))
        if values[f"{name}_statuses"]:
            found.append(_with_status(entities, values[f"{name}_statuses"], today))
    if values["campaign_objective_types"]:
        wanted = values["campaign_objective_types"]
        of_campaigns.append(
            _which(campaigns, lambda number: records.campaign_objective(account, number) in wanted)
        )
    for name, label_of in _LABELS.items():
        if values[name]:
            having = (
                number for number in range(campaigns.count) if label_of(number) == values[name]
            )
            of_campaigns.append(_which(campaigns, frozenset(having).__contains__))
    if values["product_group_ids"] or values["product_group_statuses"]:
        found_groups = children.product_groups(account).members
        owners = {found_groups[number].group for number in _wanted_children(found_groups, values)}
        of_groups.append(_which(groups, owners.__contains__))
    masks = [
        *(mask[account.campaign_of_ad] for mask in of_campaigns),
        *(mask[ads.parent] for mask in of_groups),
        *of_ads,
    ]
    return np.all(masks, axis=0) if masks else None


def _those(entities: Entities, ids: Collection[str]) -> Wanted:
    mask = np.zeros(entities.count, np.bool_)
    mask[entities.numbers_of(ids)] = True
    return mask


def _with_status(entities: Entities, statuses: Collection[str], today: int) -> Wanted:
    summary = (
        records.ad_summary_status if entities.kind == "ad" else records.SUMMARY_STATUSES.__getitem__
    )
    return _which(entities, lambda number: summary(entities.status(number, today)) in statuses)


def _which(entities: Entities, wanted: Callable[[int], bool]) -> Wanted:
    return np.fromiter(map(wanted, range(entities.count)), np.bool_, entities.count)


def _custom_events(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Columns with the requested metrics of an advertiser's own events, and their names."""
    names: dict[str, list[str]] = {}
    for each in values["custom_conversion_event_metrics"] or ():
        kind = each["custom_event_metrics_type"]
        column = _custom_column(kind)
        names.setdefault(column, []).append(f"{kind}_{each['custom_event_name']}")
    return names


def _custom_column(kind: str) -> str:
    """The column of all custom events together; of those that have none, how many there are."""
    own = kind.removeprefix(_CUSTOM_EVENT)
    amount = "_VALUE_IN_MICRO_DOLLAR"
    head, tail = (own.removesuffix(amount), amount) if own.endswith(amount) else (own, "")
    for column in (
        f"{head.removesuffix('_CONVERSIONS')}_CUSTOM{tail}",
        own.replace("ROAS", "CUSTOM_ROAS").replace("COST_PER", "CUSTOM_COST_PER"),
    ):
        if column in COLUMNS:
            return column
    return "TOTAL_CUSTOM"


def _filtered(table: Table, values: Mapping[str, Any]) -> Table:
    """The rows that pass the filters on metrics, and those of the hours asked for."""
    hourly = (values["start_hour"], values["end_hour"]) != (None, None)
    if not values["metrics_filters"] and not hourly:
        return table
    columns = table.columns
    kept = list(range(len(next(iter(columns.values())))))
    for each in values["metrics_filters"] or ():
        amounts = [0 if value is msgspec.UNSET else value for value in columns[each["field"]]]
        less = each["operator"] == "LESS_THAN"
        kept = [
            row
            for row in kept
            if all(
                (amounts[row] < limit) if less else (amounts[row] > limit)
                for limit in each["values"]
            )
        ]
    if hourly:
        hours = columns.get("HOUR") or [int(text[11:13]) for text in columns["DATE"]]
        kept = [row for row in kept if _within_hours(columns["DATE"][row][:10], hours[row], values)]
    return msgspec.structs.replace(
        table,
        columns={name: [each[row] for row in kept] for name, each in columns.items()},
        targeting=[table.targeting[row] for row in kept],
    )


def _within_hours(day: str, hour: int, values: Mapping[str, Any]) -> bool:
    """Whether an hour is between the first hour of the first day and the last of the last day."""
    first, end = values["start_hour"], values["end_hour"]
    if first is not None and day == values["start_date"].isoformat() and hour < first:
        return False
    return end is None or day != values["end_date"].isoformat() or hour < end


def _named(
    table: Table, asked_for: Collection[str], id_column: str, events: Mapping[str, Sequence[str]]
) -> Table:
    """A table with the requested columns; columns of own events have the events' names."""
    always = {id_column, "DATE", "HOUR"}
    columns = {
        name: values
        for name, values in table.columns.items()
        if name in always or name in asked_for
    }
    for column, names in events.items():
        columns.update(dict.fromkeys(names, table.columns.get(column, [])))
    metrics = [name for name in table.metrics if name in columns]
    for names in events.values():
        metrics.extend(names)
    return msgspec.structs.replace(table, columns=columns, metrics=metrics)
