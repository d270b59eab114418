"""Ad accounts, campaigns, ad groups and ads."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from pinterest_sandbox import records
from pinterest_sandbox.paging import Listing
from pinterest_sandbox.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.world import Entities

_DESCENDING = "DESCENDING"


def ad_accounts(call: Call) -> Listing[Any]:
    """The accounts of the token's user; those shared with it unless they are not wanted."""
    shared = call.values["include_shared_accounts"]
    accounts = [account for account in call.world.ad_accounts if shared or not account.shared]
    return Listing(accounts, records.ad_account)


def ad_account(call: Call) -> dict[str, Any]:
    """One account."""
    return records.ad_account(call.ad_account())


def campaigns(call: Call) -> Listing[Any]:
    """Campaigns by status and id."""
    account = call.readable_ad_account()
    entities = account.campaigns
    numbers = np.arange(entities.count)
    if call.values["campaign_ids"]:
        numbers = np.array(entities.numbers_of(call.values["campaign_ids"]), np.int64)
    return _listing(call, entities, numbers, functools.partial(records.campaign, account))


def ad_groups(call: Call) -> Listing[Any]:
    """Ad groups by status and by the id of a campaign or their own."""
    account = call.readable_ad_account()
    _one_kind_of_id(call, "campaign_ids", "ad_group_ids")
    entities = account.ad_groups
    numbers = np.arange(entities.count)
    if call.values["campaign_ids"]:
        parents = account.campaigns.numbers_of(call.values["campaign_ids"])
        numbers = np.flatnonzero(np.isin(entities.parent, parents))
    elif call.values["ad_group_ids"]:
        numbers = np.array(entities.numbers_of(call.values["ad_group_ids"]), np.int64)
    record = functools.partial(
        records.ad_group, account, interest_names=call.values["translate_interests_to_names"]
    )
    return _listing(call, entities, numbers, record)


def ads(call: Call) -> Listing[Any]:
    """Ads by status and by the id of a campaign, an ad group or their own."""
    account = call.readable_ad_account()
    _one_kind_of_id(call, "campaign_ids", "ad_group_ids", "ad_ids")
    entities = account.ads
    numbers = np.arange(entities.count)
    if call.values["campaign_ids"]:
        parents = account.campaigns.numbers_of(call.values["campaign_ids"])
        numbers = np.flatnonzero(np.isin(account.campaign_of_ad, parents))
    elif call.values["ad_group_ids"]:
        parents = account.ad_groups.numbers_of(call.values["ad_group_ids"])
        numbers = np.flatnonzero(np.isin(entities.parent, parents))
    elif call.values["ad_ids"]:
        numbers = np.array(entities.numbers_of(call.values["ad_ids"]), np.int64)
    return _listing(call, entities, numbers, functools.partial(records.ad, account))


def _one_kind_of_id(call: Call, *names: str) -> None:
    given = [name for name in names if call.values[name]]
    if len(given) > 1:
        refuse(f"Provide only one of {', '.join(names)}, not {' and '.join(given)}.")


def _listing(
    call: Call,
    entities: Entities,
    numbers: NDArray[np.int64],
    record: Callable[..., dict[str, Any]],
) -> Listing[Any]:
    selected = entities.selected(call.today, call.values["entity_statuses"])
    found = numbers[selected[numbers]].tolist()
    if call.values["order"] == _DESCENDING:
        found.reverse()
    return Listing(found, lambda number: record(number, today=call.today))
