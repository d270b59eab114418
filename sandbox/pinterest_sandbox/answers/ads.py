"""Ad accounts, campaigns, ad groups, ads, and what belongs to them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from pinterest_sandbox import records, specimens
from pinterest_sandbox.answers.entities import of, where
from pinterest_sandbox.chance import Draws
from pinterest_sandbox.kinds import ads as kinds
from pinterest_sandbox.paging import Listing
from pinterest_sandbox.refusals import not_found, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.collection import Member, Owner
    from pinterest_sandbox.world import AdAccount, Entities, Entity


def ad_accounts(call: Call) -> Listing[Any]:
    """The accounts of the token's user; those shared with it unless they are not wanted."""
    shared = call.values["include_shared_accounts"]
    accounts = [account for account in call.world.ad_accounts if shared or not account.shared]
    return Listing(accounts, records.ad_account)


def ad_account(call: Call) -> dict[str, Any]:
    """One account."""
    return records.ad_account(call.ad_account())


def campaign(call: Call) -> dict[str, Any]:
    """One campaign, whatever its status."""
    account = call.readable_ad_account()
    number = _number(call, account.campaigns, "campaign_id")
    return records.campaign(account, number, call.today)


def ad_group(call: Call) -> dict[str, Any]:
    """One ad group, whatever its status."""
    account = call.readable_ad_account()
    number = _number(call, account.ad_groups, "ad_group_id")
    return records.ad_group(account, number, call.today)


def ad(call: Call) -> dict[str, Any]:
    """One ad, whatever its status."""
    account = call.readable_ad_account()
    return records.ad(account, _number(call, account.ads, "ad_id"), call.today)


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


def keywords(call: Call) -> Listing[Any]:
    """Keywords of ad groups, of a campaign, or, without either, of the ad account itself."""
    account = call.readable_ad_account()
    values = call.values
    _one_kind_of_id(call, "campaign_id", "ad_group_id", "ad_group_ids")
    owners: list[Owner] = [account]
    if values["campaign_id"]:
        numbers = account.campaigns.numbers_of([values["campaign_id"]])
        owners = [account.campaigns.owner(number) for number in numbers]
    elif values["ad_group_id"] or values["ad_group_ids"]:
        numbers = account.ad_groups.numbers_of(values["ad_group_ids"] or [values["ad_group_id"]])
        owners = [account.ad_groups.owner(number) for number in numbers]
    found = (
        [] if account.empty else [word for owner in owners for word in owner.all(kinds.KEYWORDS)]
    )
    if not values["match_types"]:
        return of(found)
    return where(found, match_type=set(values["match_types"]))


def keyword_metrics(call: Call) -> dict[str, Any]:
    """How often a country searches for keywords; rare keywords are left out."""
    call.readable_ad_account()
    country = call.values["country_code"]
    volumes = ("0-1K", "10K-50K", "1M+", "5M+")
    rows = []
    for keyword in dict.fromkeys(call.values["keywords"]):
        draws = Draws(call.world.seed, "keyword metrics", country, keyword)
        if draws.chance(0.8):
            volume = {"KEYWORD_QUERY_VOLUME": draws.one_of(volumes)}
            rows.append({"keyword": keyword, "metrics": volume})
    return {"data": rows}


def product_group_promotions(call: Call) -> Listing[Any]:
    """Promotions by their own ids, or else by the ids of their ad groups."""
    account = call.readable_ad_account()
    values = call.values
    if values["product_group_promotion_ids"]:
        wanted = set(values["product_group_promotion_ids"])
        found = [each for each in kinds.promoted_groups(account) if each.id in wanted]
    elif values["ad_group_id"]:
        numbers = account.ad_groups.numbers_of([values["ad_group_id"]])
        found = [each for number in numbers for each in _promoted_groups(account, number)]
    else:
        refuse("Include either ad_group_id or product_group_promotion_ids.")
    return where(call.in_order(found), status=set(values["entity_statuses"]))


def product_group_promotion(call: Call) -> dict[str, Any]:
    """One promotion."""
    wanted = call.values["product_group_promotion_id"]
    for promotion in kinds.promoted_groups(call.readable_ad_account()):
        if promotion.id == wanted:
            return promotion.record()
    raise not_found(404, "product group promotion")


def labels(call: Call) -> Listing[Any]:
    """Labels by status, type, campaign and their own id."""
    account = call.readable_ad_account()
    values = call.values

    def is_wanted(record: dict[str, Any]) -> bool:
        label = record["labels"][0] if "labels" in record else record
        campaigns, own = values["campaign_ids"], values["label_ids"]
        return (
            label["status"] in values["entity_statuses"]
            and label["label_type"] in values["label_types"]
            and (not campaigns or label.get("parent_id") in campaigns)
            and (not own or label["id"] in own)
        )

    found = [label.record() for label in account.all(kinds.LABELS)]
    return Listing([record for record in found if is_wanted(record)], dict)


def targeting_templates(call: Call) -> Listing[Any]:
    """Templates whose name has a text in it; their size when asked for."""
    search = (call.values["search_query"] or "").lower()
    found = []
    for template in call.in_order(call.readable_ad_account().all(kinds.TARGETING_TEMPLATES)):
        record = template.record()
        if not call.values["include_sizing"]:
            record.pop("sizing", None)
        if search in (record.get("name") or "").lower():
            found.append(record)
    return Listing(found, dict)


def schedules(call: Call) -> Listing[Any]:
    """Schedules of campaigns."""
    account, values = call.readable_ad_account(), call.values
    found = [
        schedule
        for number in account.campaigns.numbers_of(values["entity_ids"])
        for schedule in account.campaigns.owner(number).all(kinds.SCHEDULES)
    ]
    return where(
        call.in_order(found),
        schedule_status=set(values["schedule_statuses"]) if values["schedule_statuses"] else None,
        schedule_type={values["schedule_type"]} if values["schedule_type"] else None,
    )


def previews(call: Call) -> list[dict[str, Any]]:
    """Previews of the ads of ad groups."""
    account = call.readable_ad_account()
    return [
        preview.record()
        for number in account.ad_groups.numbers_of(call.values["ad_group_ids"])
        for preview in account.ad_groups.owner(number).all(kinds.PREVIEWS)
    ]


def promotion_applied_entities(call: Call) -> Listing[Any]:
    """Ad groups that show one of some promotions."""
    account = call.readable_ad_account()
    wanted = set(call.values["promotion_ids"])
    numbers = [
        number
        for number in range(account.ad_groups.count)
        if records.applied_promotion(account, number) in wanted
    ]
    return Listing(
        call.in_order(numbers), lambda number: records.ad_group(account, number, call.today)
    )


def dynamic_titles_status(call: Call) -> dict[str, Any]:
    """The status of the titles that are made for an ad group's products."""
    return _of_ad_group(call, "DynamicTitlesGetStatus")


def dynamic_titles_csv(call: Call) -> dict[str, Any]:
    """The link to these titles; refused until they are made."""
    if not dynamic_titles_status(call).get("is_ready"):
        refuse("The titles have not been generated yet.")
    return _of_ad_group(call, "DynamicTitlesDownloadCSV")


def dynamic_titles_upload(call: Call) -> dict[str, Any]:
    """The link to which a client would send reviewed titles."""
    return _of_ad_group(call, "DynamicTitlesUploadURL")


def _of_ad_group(call: Call, schema: str) -> dict[str, Any]:
    account = call.readable_ad_account()
    group = account.ad_groups.owner(_number(call, account.ad_groups, "ad_group_id"))
    return specimens.record(schema, Draws(call.world.seed, *group.parts, schema))


def _promoted_groups(account: AdAccount, ad_group: int) -> Iterable[Member[Entity]]:
    return account.ad_groups.owner(ad_group).all(kinds.PRODUCT_GROUP_PROMOTIONS)


def _number(call: Call, entities: Entities, parameter: str) -> int:
    numbers = entities.numbers_of([call.values[parameter]])
    if not numbers or entities.created[numbers[0]] > call.today:
        raise not_found(404, entities.kind)
    return numbers[0]


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
    found = call.in_order(numbers[selected[numbers]].tolist())
    return Listing(found, lambda number: record(number, today=call.today))
