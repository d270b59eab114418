"""Synchronous analytics of ad accounts and of all below them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pinterest_sandbox import children, reports
from pinterest_sandbox.answers import asked
from pinterest_sandbox.attributes import LEVELS
from pinterest_sandbox.kinds.ads import promoted_groups
from pinterest_sandbox.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.world import AdAccount, Entities

DAYS_BACK: Final = 90
DAYS_WIDE: Final = 90
_ALWAYS_SENT: Final = ("AD_GROUP_ID",)
"""Ids that targeting rows always have, as in the description's example."""


def ad_account(call: Call) -> list[Any]:
    """One row per day of the account."""
    return _rows(call, call.readable_ad_account(), "ad_account", [0])


def campaigns(call: Call) -> list[Any]:
    """One row per campaign and day."""
    account = call.readable_ad_account()
    numbers = _numbers(account.campaigns, "campaign_ids", call)
    return _rows(call, account, "campaign", numbers)


def ad_groups(call: Call) -> list[Any]:
    """One row per ad group and day."""
    account = call.readable_ad_account()
    numbers = _numbers(account.ad_groups, "ad_group_ids", call)
    return _rows(call, account, "ad_group", numbers)


def ads(call: Call) -> list[Any]:
    """One row per ad and day; the ads by their id, or by campaigns and Pins together."""
    account = call.readable_ad_account()
    ad_ids, campaign_ids, pin_ids = (
        call.values[name] for name in ("ad_ids", "campaign_ids", "pin_ids")
    )
    if ad_ids and not campaign_ids and not pin_ids:
        return _rows(call, account, "ad", _numbers(account.ads, "ad_ids", call))
    if ad_ids or not campaign_ids or not pin_ids:
        refuse("The request must contain either ad_ids or both campaign_ids and pin_ids.")
    pins = set(pin_ids)
    numbers = [
        ad
        for campaign in _numbers(account.campaigns, "campaign_ids", call)
        for ad in reports.ads_of(account, "campaign", campaign).tolist()
        if account.pin_id(ad) in pins
    ]
    return _rows(call, account, "ad", numbers)


def pins(call: Call) -> list[Any]:
    """One row per Pin and day, of what it did in one campaign; other Pins have none."""
    account = call.readable_ad_account()
    campaigns = account.campaigns.numbers_of([call.values["campaign_id"]])
    if not campaigns:
        refuse(f"campaign_id is not of ad account {account.id}.")
    entities = [(campaigns[0], pin_id) for pin_id in dict.fromkeys(call.values["pin_ids"])]
    return _rows(call, account, "pin", entities)


def product_groups(call: Call) -> list[Any]:
    """One row per product group and day."""
    account = call.readable_ad_account()
    ids = set(call.values["product_group_ids"])
    foreign = ids - {promotion.id for promotion in promoted_groups(account)}
    if foreign:
        refuse(f"{min(foreign)} in product_group_ids is not of ad account {account.id}.")
    return _rows(call, account, "product_group", children.product_groups(account).numbers_of(ids))


def ad_account_targeting(call: Call) -> dict[str, Any]:
    """The numbers of the account by targeting."""
    return _targeted(call, call.readable_ad_account(), "ad_account", [0])


def campaign_targeting(call: Call) -> dict[str, Any]:
    """The numbers of campaigns by targeting."""
    account = call.readable_ad_account()
    numbers = _numbers(account.campaigns, "campaign_ids", call)
    return _targeted(call, account, "campaign", numbers)


def ad_group_targeting(call: Call) -> dict[str, Any]:
    """The numbers of ad groups by targeting."""
    account = call.readable_ad_account()
    numbers = _numbers(account.ad_groups, "ad_group_ids", call)
    return _targeted(call, account, "ad_group", numbers)


def ad_targeting(call: Call) -> dict[str, Any]:
    """The numbers of ads by targeting."""
    account = call.readable_ad_account()
    return _targeted(call, account, "ad", _numbers(account.ads, "ad_ids", call))


def _rows(call: Call, account: AdAccount, level: str, entities: Sequence[Any]) -> list[Any]:
    return reports.rows(_report(call, account, level, entities), call.totals)


def _targeted(call: Call, account: AdAccount, level: str, numbers: Sequence[int]) -> dict[str, Any]:
    """The rows of each type, one type after the other unless they are to be sorted."""
    types = tuple((name,) for name in dict.fromkeys(call.values["targeting_types"]))
    report = _report(call, account, level, numbers, types)
    found: list[dict[str, Any]] = []
    id_column = LEVELS[level].id_column
    for (name,), table in zip(types, reports.tables(report, call.totals), strict=True):
        if id_column not in (*_ALWAYS_SENT, *report.columns):
            del table.columns[id_column]
        found.extend(
            {"targeting_type": name, "metrics": row}
            if value is msgspec.UNSET
            else {"targeting_type": name, "targeting_value": value, "metrics": row}
            for value, row in zip(table.targeting, table.rows(), strict=True)
        )
    for column in reversed(call.values.get("sort_columns") or ()):
        found.sort(
            key=lambda each: getattr(each["metrics"], column, None) or 0,
            reverse=not call.values["sort_ascending"],
        )
    return {"data": found}


def _report(
    call: Call,
    account: AdAccount,
    level: str,
    entities: Sequence[Any],
    breakdowns: tuple[tuple[str, ...], ...] = (),
) -> reports.Report:
    values = call.values
    asked.check_period(call, DAYS_BACK, DAYS_WIDE)
    return reports.Report(
        account=account,
        level=level,
        entities=entities,
        columns=tuple(dict.fromkeys(values["columns"])),
        granularity=values["granularity"],
        start=values["start_date"],
        end=values["end_date"],
        view=asked.view(call),
        more=call.settings.columns,
        hours=call.settings.style.hours,
        breakdowns=breakdowns,
    )


def _numbers(entities: Entities, parameter: str, call: Call) -> list[int]:
    ids = set(call.values[parameter])
    numbers = entities.numbers_of(ids)
    if len(numbers) < len(ids):
        own = {str(entities.ids[number]) for number in numbers}
        refuse(f"{min(ids - own)} in {parameter} is not of ad account {entities.account.id}.")
    return numbers
