"""Product groups, Pins and hours: parts of what ads did."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pinterest_sandbox import Style, WorldSize, api
from pinterest_sandbox.columns import COLUMNS, Count, Money
from pinterest_sandbox.numbers import Cells, View, is_conversion
from pinterest_sandbox.parts import Hours, Some
from pinterest_sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conftest import Client

ALL_STATUSES = ["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT"]
OFFERED = api.operation("GET /ad_accounts/{ad_account_id}/ads/analytics").parameters["columns"]
ADDITIVE = [name for name in OFFERED.allowed if isinstance(COLUMNS.get(name), Count | Money)]
OF_CONVERSIONS = [
    name
    for name in OFFERED.allowed
    if name in COLUMNS and any(map(is_conversion, getattr(COLUMNS[name], "terms", ())))
]
MONTH = {"start_date": "2026-10-20", "end_date": "2026-11-19", "granularity": "DAY"}
LAST_HOURS = {"start_date": "2026-11-17", "end_date": "2026-11-20", "granularity": "HOUR"}
LEVELS = {"campaigns": "campaign_ids", "ad_groups": "ad_group_ids", "ads": "ad_ids"}


def _ids(client: Client, account: str, level: str) -> list[str]:
    listed = client.everything(f"{account}/{level}", entity_statuses=ALL_STATUSES)
    return [each["id"] for each in listed]


def _promotions(client: Client, account: str) -> list[dict[str, Any]]:
    return [
        promotion
        for group in _ids(client, account, "ad_groups")
        for promotion in client.everything(
            f"{account}/product_group_promotions", ad_group_id=group, entity_statuses=ALL_STATUSES
        )
    ]


def _sums(rows: Iterable[dict[str, Any]], *key: str) -> dict[Any, float]:
    sums: dict[Any, float] = defaultdict(float)
    for row in rows:
        for name, value in row.items():
            if name in ADDITIVE:
                sums[(*(row[part] for part in key), name)] += value
    return sums


def test_product_groups_add_up_to_the_ad_groups_that_have_any(client: Client, account: str) -> None:
    promotions = _promotions(client, account)
    columns = ",".join([*ADDITIVE, "AD_GROUP_ID"])
    groups = {each["ad_group_id"] for each in promotions if "DRAFT" not in each["status"]}

    parts = client.get(
        f"{account}/product_groups/analytics",
        product_group_ids=[each["id"] for each in promotions],
        columns=columns,
        **MONTH,
    )
    wholes = client.get(
        f"{account}/ad_groups/analytics", ad_group_ids=sorted(groups), columns=columns, **MONTH
    )

    of_group = {row["AD_GROUP_ID"] for row in parts}
    assert len({row["PRODUCT_GROUP_ID"] for row in parts}) > len(of_group) > 1
    assert _sums(parts, "AD_GROUP_ID", "DATE") == pytest.approx(
        _sums(wholes, "AD_GROUP_ID", "DATE"), rel=1e-9
    )


def test_product_groups_have_the_id_of_their_promotion_and_one_row_a_day(
    client: Client, account: str
) -> None:
    promotions = {each["id"]: each for each in _promotions(client, account)}

    rows = client.get(
        f"{account}/product_groups/analytics",
        product_group_ids=list(promotions),
        columns="PAID_IMPRESSION,AD_GROUP_ID",
        **MONTH,
    )

    assert len({(row["PRODUCT_GROUP_ID"], row["DATE"]) for row in rows}) == len(rows) > 0
    assert all(list(row)[:2] == ["PRODUCT_GROUP_ID", "DATE"] for row in rows)
    for row in rows:
        assert promotions[row["PRODUCT_GROUP_ID"]]["ad_group_id"] == row["AD_GROUP_ID"]


def test_a_few_product_groups_have_the_numbers_they_have_among_all(
    client: Client, account: str
) -> None:
    ids = [each["id"] for each in _promotions(client, account)]
    query = {"columns": "SPEND_IN_DOLLAR", **MONTH}
    path = f"{account}/product_groups/analytics"

    everything = client.get(path, product_group_ids=ids, **query)
    some = client.get(path, product_group_ids=ids[3:5], **query)

    assert some == [row for row in everything if row["PRODUCT_GROUP_ID"] in ids[3:5]] != []


def test_product_groups_of_others_are_refused(client: Client, account: str) -> None:
    query = {"product_group_ids": "123", "columns": "SPEND_IN_DOLLAR", **MONTH}

    assert client.refused(f"{account}/product_groups/analytics", **query)[0] == 400


def test_pins_have_the_numbers_of_their_ads_in_the_campaign(client: Client, account: str) -> None:
    columns = ",".join([*ADDITIVE, "CAMPAIGN_ID", "PIN_ID"])
    ads = client.get(
        f"{account}/ads/analytics", ad_ids=_ids(client, account, "ads"), columns=columns, **MONTH
    )
    campaign = ads[0]["CAMPAIGN_ID"]
    of_campaign = [row for row in ads if row["CAMPAIGN_ID"] == campaign]
    pins = sorted({row["PIN_ID"] for row in ads})

    rows = client.get(
        f"{account}/pins/analytics",
        campaign_id=str(campaign),
        pin_ids=pins[:100],
        columns=columns,
        **MONTH,
    )

    assert len({(row["PIN_ID"], row["DATE"]) for row in rows}) == len(rows) > 0
    assert {row["PIN_ID"] for row in rows} == {row["PIN_ID"] for row in of_campaign}
    assert _sums(rows, "PIN_ID", "DATE") == pytest.approx(
        _sums(of_campaign, "PIN_ID", "DATE"), rel=1e-9
    )


@pytest.mark.parametrize("missing", ["campaign_id", "pin_ids"])
def test_pins_need_a_campaign_and_ids(client: Client, account: str, missing: str) -> None:
    query = {"campaign_id": _ids(client, account, "campaigns")[0], "pin_ids": "1"}
    del query[missing]

    status, code, message = client.refused(
        f"{account}/pins/analytics", columns="SPEND_IN_DOLLAR", **query, **MONTH
    )

    assert (status, code) == (400, 1)
    assert missing in message


@pytest.mark.parametrize("level", ["ad_account", *LEVELS])
def test_hours_add_up_to_their_day_without_conversions(
    client: Client, account: str, level: str
) -> None:
    query: dict[str, Any] = {"columns": ",".join(ADDITIVE)}
    path = f"{account}/analytics"
    if level in LEVELS:
        query[LEVELS[level]] = _ids(client, account, level)
        path = f"{account}/{level}/analytics"

    days = client.get(path, **query, **(LAST_HOURS | {"granularity": "DAY"}))
    hours = client.get(path, **query, **LAST_HOURS)

    per_day = {
        key: value for key, value in _sums(days, "DATE").items() if key[1] not in OF_CONVERSIONS
    }
    for row in hours:
        row["DATE"] = row["DATE"][:10]
    assert _sums(hours, "DATE") == pytest.approx(per_day, rel=1e-9)


def test_the_date_of_a_row_has_its_hour_and_future_hours_have_no_rows(
    client: Client, account: str
) -> None:
    rows = client.get(f"{account}/analytics", columns="PAID_IMPRESSION", **LAST_HOURS)

    dates = [row["DATE"] for row in rows]
    assert dates == sorted(set(dates))
    assert dates[0] == "2026-11-17T00:00:00"
    assert dates[-1] == "2026-11-20T10:00:00"
    assert len(dates) == 3 * 24 + 11


@pytest.mark.parametrize("style", ["space", "column"])
def test_hours_can_have_other_forms(serve: Callable[..., Client], style: Any) -> None:
    client = serve(style=Style(hours=style), size=WorldSize(ads=5))
    account = client.sandbox.world.ad_accounts[0].id

    rows = client.get(f"/ad_accounts/{account}/analytics", columns="PAID_IMPRESSION", **LAST_HOURS)

    moments = [(row["DATE"], row.get("HOUR")) for row in rows]
    if style == "space":
        assert ("2026-11-18 05:00:00", None) in moments
    else:
        assert ("2026-11-18", 5) in moments


def test_a_part_grows_with_the_whole_and_loses_nothing() -> None:
    world = World(1, WorldSize(ads=4), date(2026, 11, 20))
    account = world.ad_accounts[0]
    days = np.arange(world.anchor - 3, world.anchor)
    cells = Cells(account, np.arange(4), days, View(world.anchor))
    division = Hours(account.ads.count).divided(cells)
    cell = np.arange(12)
    wholes = [0, 1, 50, 95, 96, 97, 1000, 12_345_678]

    parts = [np.zeros((24, 12), np.int64) for _ in wholes]
    for whole, hours in zip(wholes, parts, strict=True):
        some = Some(cell, np.full(12, whole), np.zeros(12, np.int64))
        for part in division.parts("impression_1", some):
            hours[part.buckets, part.places] += part.amounts

    for whole, of_whole in zip(wholes, parts, strict=True):
        assert (of_whole.sum(axis=0) == whole).all()
    for smaller, larger in itertools.pairwise(parts):
        assert (smaller <= larger).all()
