from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pinterest_sandbox import WorldSize, api
from pinterest_sandbox.attributes import of_ad
from pinterest_sandbox.columns import COLUMNS, Count, Money
from pinterest_sandbox.numbers import Cells, View
from pinterest_sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conftest import Client

ALL_STATUSES = ["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT"]
OPERATION = "GET /ad_accounts/{ad_account_id}/ads/analytics"
OFFERED = api.operation(OPERATION).parameters["columns"].allowed
ADDITIVE = [name for name in OFFERED if isinstance(COLUMNS.get(name), Count | Money)]
LEVELS = {"campaigns": "CAMPAIGN_ID", "ad_groups": "AD_GROUP_ID", "ads": "AD_ID"}
RANGE = {"start_date": "2026-10-05", "end_date": "2026-11-20", "granularity": "DAY"}


def _rows(
    client: Client, account: str, level: str, columns: Iterable[str], **how: Any
) -> list[dict[str, Any]]:
    query: dict[str, Any] = {**RANGE, "columns": ",".join(columns), **how}
    if level == "analytics":
        rows: list[dict[str, Any]] = client.get(f"{account}/analytics", **query)
        return rows
    listed = client.everything(f"{account}/{level}", entity_statuses=ALL_STATUSES)
    id_parameter = level.removesuffix("s") + "_ids"
    query[id_parameter] = [each["id"] for each in listed]
    rows = client.get(f"{account}/{level}/analytics", **query)
    return rows  # noqa: RET504  typed here


def _per_day(rows: list[dict[str, Any]], columns: Iterable[str]) -> dict[tuple[str, str], float]:
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for row in rows:
        for name in columns:
            if name in row:
                sums[row["DATE"], name] += row[name]
    return sums


def test_every_column_that_is_offered_is_answered(client: Client) -> None:
    attributes = of_ad(client.sandbox.world.ad_accounts[0], 0, client.sandbox.today.toordinal())

    assert set(OFFERED) == set(OFFERED) & (COLUMNS.keys() | attributes.keys())


@pytest.mark.parametrize("report_time", ["TIME_OF_AD_ACTION", "TIME_OF_CONVERSION"])
@pytest.mark.parametrize("level", LEVELS)
def test_additive_columns_agree_with_the_account(
    client: Client, account: str, level: str, report_time: str
) -> None:
    how = {"conversion_report_time": report_time}

    of_account = _per_day(_rows(client, account, "analytics", ADDITIVE, **how), ADDITIVE)
    of_level = _per_day(_rows(client, account, level, ADDITIVE, **how), ADDITIVE)

    for place in of_account.keys() | of_level.keys():
        if place[1] != "TOTAL_IMPRESSION_USER":
            assert of_level[place] == pytest.approx(of_account[place], rel=1e-9)


@pytest.mark.parametrize("granularity", ["WEEK", "MONTH", "TOTAL"])
def test_longer_periods_are_sums_of_days(client: Client, account: str, granularity: str) -> None:
    columns = [name for name in ADDITIVE if "USER" not in name]

    days = _rows(client, account, "ads", columns)
    periods = _rows(client, account, "ads", columns, granularity=granularity)

    for name in columns:
        assert sum(row.get(name, 0) for row in periods) == pytest.approx(
            sum(row.get(name, 0) for row in days), rel=1e-9
        )


def test_weeks_are_dated_by_their_monday_and_months_by_their_first(
    client: Client, account: str
) -> None:
    how = {"start_date": "2026-10-29", "end_date": "2026-11-10"}

    weeks = _rows(client, account, "analytics", ["PAID_IMPRESSION"], granularity="WEEK", **how)
    months = _rows(client, account, "analytics", ["PAID_IMPRESSION"], granularity="MONTH", **how)
    total = _rows(client, account, "analytics", ["PAID_IMPRESSION"], granularity="TOTAL", **how)

    assert [row["DATE"] for row in weeks] == ["2026-10-26", "2026-11-02", "2026-11-09"]
    assert [row["DATE"] for row in months] == ["2026-10-01", "2026-11-01"]
    assert [set(row) for row in total] == [{"AD_ACCOUNT_ID", "PAID_IMPRESSION"}]


def test_no_two_rows_share_entity_and_date(client: Client, account: str) -> None:
    for level, key in LEVELS.items():
        rows = _rows(client, account, level, ["SPEND_IN_DOLLAR"])
        assert len({(row[key], row["DATE"]) for row in rows}) == len(rows) > 0


def test_archived_ads_keep_what_they_spent(client: Client, account: str) -> None:
    archived = client.everything(f"{account}/ads", entity_statuses="ARCHIVED")

    rows = client.get(
        f"{account}/ads/analytics",
        ad_ids=[ad["id"] for ad in archived],
        columns="SPEND_IN_DOLLAR",
        **RANGE,
    )

    assert sum(row.get("SPEND_IN_DOLLAR", 0) for row in rows) > 0


def test_drafts_have_no_rows(client: Client, account: str) -> None:
    drafts = client.everything(f"{account}/ads", entity_statuses=["DRAFT", "DELETED_DRAFT"])

    assert (
        client.get(
            f"{account}/ads/analytics",
            ad_ids=[ad["id"] for ad in drafts],
            columns="SPEND_IN_DOLLAR",
            **RANGE,
        )
        == []
    )


def test_some_rows_hold_nothing_but_their_key(client: Client, account: str) -> None:
    rows = _rows(client, account, "ads", [name for name in OFFERED if name in COLUMNS])

    assert {"AD_ID", "DATE"} in [set(row) for row in rows]


def test_a_value_is_never_zero_or_null(client: Client, account: str) -> None:
    for row in _rows(client, account, "ads", OFFERED):
        for name, value in row.items():
            assert value is not None
            assert value != 0 or name not in COLUMNS


def test_ids_come_as_text_and_as_numbers(client: Client, account: str) -> None:
    columns = ["AD_ID", "AD_GROUP_ID", "CAMPAIGN_ID", "AD_ACCOUNT_ID", "PIN_ID"]

    row = _rows(client, account, "ads", columns)[0]

    assert isinstance(row["AD_ID"], str)
    assert isinstance(row["CAMPAIGN_ID"], int)
    ad = client.get(f"{account}/ads", ad_ids=row["AD_ID"], entity_statuses=ALL_STATUSES)["items"][0]
    assert {name: str(row[name]) for name in columns} == {
        "AD_ID": ad["id"],
        "AD_GROUP_ID": ad["ad_group_id"],
        "CAMPAIGN_ID": ad["campaign_id"],
        "AD_ACCOUNT_ID": ad["ad_account_id"],
        "PIN_ID": ad["pin_id"],
    }


def test_attributes_of_lower_levels_are_not_on_higher_ones(client: Client, account: str) -> None:
    rows = _rows(client, account, "campaigns", ["AD_ID", "CAMPAIGN_NAME", "SPEND_IN_DOLLAR"])

    assert all("AD_ID" not in row and row["CAMPAIGN_NAME"] for row in rows)


def test_names_are_those_of_the_entities(client: Client, account: str) -> None:
    names = {
        each["id"]: each["name"]
        for each in client.everything(f"{account}/campaigns", entity_statuses=ALL_STATUSES)
    }

    for row in _rows(client, account, "ads", ["CAMPAIGN_ID", "CAMPAIGN_NAME"]):
        assert row["CAMPAIGN_NAME"] == names[str(row["CAMPAIGN_ID"])]


def test_ratios_are_computed_from_sums(client: Client, account: str) -> None:
    columns = ["CTR", "CLICKTHROUGH_1", "IMPRESSION_1", "CPM_IN_DOLLAR", "SPEND_IN_DOLLAR"]

    for row in _rows(client, account, "campaigns", columns):
        if "CTR" in row:
            assert row["CTR"] == pytest.approx(row["CLICKTHROUGH_1"] / row["IMPRESSION_1"])
        if "CPM_IN_DOLLAR" in row:
            assert row["CPM_IN_DOLLAR"] == pytest.approx(
                row["SPEND_IN_DOLLAR"] * 1000 / row["IMPRESSION_1"]
            )


def test_ads_can_be_asked_for_by_campaigns_and_pins(client: Client, account: str) -> None:
    everything = _rows(client, account, "ads", ["CAMPAIGN_ID", "PIN_ID"])
    campaign, pin = str(everything[0]["CAMPAIGN_ID"]), everything[0]["PIN_ID"]
    expected = {
        row["AD_ID"]
        for row in everything
        if (str(row["CAMPAIGN_ID"]), row["PIN_ID"]) == (campaign, pin)
    }

    rows = client.get(
        f"{account}/ads/analytics",
        campaign_ids=campaign,
        pin_ids=pin,
        columns="SPEND_IN_DOLLAR",
        **RANGE,
    )

    assert {row["AD_ID"] for row in rows} == expected


def test_some_amounts_have_a_fraction_of_a_micro_unit() -> None:
    today = date(2026, 11, 20)
    account = World(1, WorldSize(ads=400), today).ad_accounts[0]
    days = np.arange(today.toordinal() - 60, today.toordinal())
    cells = Cells(account, np.arange(400), days, View(today.toordinal()))

    values = COLUMNS["SPEND_IN_MICRO_DOLLAR"].values({"spend": cells["spend"].ravel()})

    fractions = [value for value in values if isinstance(value, float)]
    assert 0 < len(fractions) < len(values) / 100


def test_rows_begin_with_id_and_date_and_follow_the_columns(client: Client, account: str) -> None:
    columns = ["SPEND_IN_DOLLAR", "CAMPAIGN_NAME", "PAID_IMPRESSION"]

    row = max(_rows(client, account, "ads", columns), key=len)

    assert list(row) == ["AD_ID", "DATE", *columns]
