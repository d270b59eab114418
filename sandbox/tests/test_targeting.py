"""Targeting types: each divides the same numbers in its own way."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import api
from pinterest_sandbox.access import BETA_PARAMETERS
from pinterest_sandbox.columns import COLUMNS, Count, Money
from pinterest_sandbox.targeting import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conftest import Client

ALL_STATUSES = ["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT"]
OFFERED = api.operation("GET /ad_accounts/{ad_account_id}/ads/analytics").parameters["columns"]
ADDITIVE = [name for name in OFFERED.allowed if isinstance(COLUMNS.get(name), Count | Money)][::3]
"""Enough of them: every type of every level is broken down."""
DAYS = {"start_date": "2026-11-10", "end_date": "2026-11-19", "granularity": "DAY"}
LEVELS = {
    "": ("", "AD_ACCOUNT_ID"),
    "campaigns": ("campaign_ids", "CAMPAIGN_ID"),
    "ad_groups": ("ad_group_ids", "AD_GROUP_ID"),
    "ads": ("ad_ids", "AD_ID"),
}
BETA = {"AGE_BUCKET_AND_GENDER", "CREATIVE_ENHANCEMENTS"}


def _types(level: str) -> list[str]:
    key = f"GET /ad_accounts/{{ad_account_id}}/{level}/targeting_analytics".replace("//", "/")
    allowed = api.operation(key).parameters["targeting_types"].allowed
    return [name for name in allowed if name not in BETA]


def _query(client: Client, account: str, level: str) -> dict[str, Any]:
    if not level:
        return dict(DAYS)
    listed = client.everything(f"{account}/{level}", entity_statuses=ALL_STATUSES)
    return {**DAYS, LEVELS[level][0]: [each["id"] for each in listed]}


def _targeted(
    client: Client, account: str, level: str, types: Iterable[str], columns: Iterable[str]
) -> list[dict[str, Any]]:
    path = f"{account}/{level}/targeting_analytics".replace("//", "/")
    query = _query(client, account, level)
    answer = client.get(path, targeting_types=",".join(types), columns=",".join(columns), **query)
    assert set(answer) == {"data"}
    rows: list[dict[str, Any]] = answer["data"]
    return rows


@pytest.mark.parametrize("level", LEVELS)
def test_each_type_adds_up_to_the_untargeted_numbers_or_to_a_part_of_them(
    client: Client, account: str, level: str
) -> None:
    id_column = LEVELS[level][1]
    path = f"{account}/{level}/analytics".replace("//", "/")
    columns = [id_column, *ADDITIVE]
    types = _types(level)[:14]

    sums: dict[str, dict[Any, float]] = {name: defaultdict(float) for name in types}
    for row in _targeted(client, account, level, types, columns):
        metrics = row["metrics"]
        for name in metrics.keys() & set(ADDITIVE):
            place = (str(metrics[id_column]), metrics["DATE"], name)
            sums[row["targeting_type"]][place] += metrics[name]
    whole = {
        (str(row[id_column]), row["DATE"], name): row[name]
        for row in client.get(path, columns=",".join(columns), **_query(client, account, level))
        for name in row.keys() & set(ADDITIVE)
    }

    for name, of_type in sums.items():
        if TYPES[name].part:
            assert all(value <= whole[place] * (1 + 1e-9) for place, value in of_type.items())
            assert 0 < sum(of_type.values()) < sum(whole.values())
        else:
            assert of_type == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_no_two_rows_share_entity_type_value_and_date(
    client: Client, account: str, level: str
) -> None:
    id_column = LEVELS[level][1]

    rows = _targeted(client, account, level, _types(level)[:14], [id_column, "PAID_IMPRESSION"])

    keys = {
        (
            row["targeting_type"],
            str(row.get("targeting_value", "")),
            row["metrics"]["DATE"],
            str(row["metrics"][id_column]),
        )
        for row in rows
    }
    assert len(keys) == len(rows) > 0


def test_values_are_text_and_numbers_and_sometimes_missing(client: Client, account: str) -> None:
    rows = _targeted(client, account, "", _types(""), ["PAID_IMPRESSION"])

    kinds = {type(row.get("targeting_value")) for row in rows}
    assert kinds == {str, int, type(None)}
    assert any("targeting_value" not in row for row in rows)
    location = {row["targeting_value"] for row in rows if row["targeting_type"] == "LOCATION"}
    assert {500, "602"} <= location


def test_a_row_has_the_id_of_its_level_if_asked_for_and_always_of_ad_groups(
    client: Client, account: str
) -> None:
    campaigns = _targeted(client, account, "campaigns", ["GENDER"], ["PAID_IMPRESSION"])
    groups = _targeted(client, account, "ad_groups", ["GENDER"], ["PAID_IMPRESSION"])

    assert not any("CAMPAIGN_ID" in row["metrics"] for row in campaigns)
    assert all("AD_GROUP_ID" in row["metrics"] for row in groups)


def test_levels_agree_on_each_value(client: Client, account: str) -> None:
    def per_value(level: str) -> dict[Any, float]:
        sums: dict[Any, float] = defaultdict(float)
        for row in _targeted(client, account, level, ["AGE_BUCKET"], ["PAID_IMPRESSION"]):
            sums[row["targeting_value"]] += row["metrics"].get("PAID_IMPRESSION", 0)
        return sums

    assert per_value("") == per_value("campaigns") == per_value("ads") != {}


def test_more_types_than_a_call_may_have_are_refused(client: Client, account: str) -> None:
    types = [*_types("campaigns"), "AGE_BUCKET_AND_GENDER"]
    assert len(types) == 15

    status, code, message = client.refused(
        f"{account}/campaigns/targeting_analytics",
        targeting_types=",".join(types),
        columns="PAID_IMPRESSION",
        **_query(client, account, "campaigns"),
    )

    assert (status, code) == (400, 1)
    assert "at most 14" in message


def test_a_type_of_another_level_is_refused(client: Client, account: str) -> None:
    query = {"targeting_types": "CREATIVE_TYPE", "columns": "PAID_IMPRESSION", **DAYS}

    assert client.refused(f"{account}/targeting_analytics", **query)[0] == 400


def test_a_type_in_beta_takes_the_whole_call_with_it(serve: Callable[..., Client]) -> None:
    closed = serve()
    opened = serve(withheld=set(BETA_PARAMETERS) - {"targeting_types=AGE_BUCKET_AND_GENDER"})
    path = f"/ad_accounts/{closed.sandbox.world.ad_accounts[0].id}/targeting_analytics"
    query = {
        "targeting_types": "GENDER,AGE_BUCKET_AND_GENDER",
        "columns": "PAID_IMPRESSION",
        **DAYS,
    }

    assert closed.refused(path, **query)[:2] == (401, 3)
    rows = opened.get(path, **query)["data"]
    assert {row["targeting_type"] for row in rows} == {"GENDER", "AGE_BUCKET_AND_GENDER"}


def test_periods_hold_for_targeting_too(client: Client, account: str) -> None:
    query = {"targeting_types": "GENDER", "columns": "PAID_IMPRESSION"}
    path = f"{account}/targeting_analytics"

    total = client.get(path, **query, **(DAYS | {"granularity": "TOTAL"}))["data"]
    weeks = client.get(path, **query, **(DAYS | {"granularity": "WEEK"}))["data"]
    hours = client.get(
        path, **query, **(DAYS | {"granularity": "HOUR", "start_date": "2026-11-18"})
    )["data"]

    assert all("DATE" not in row["metrics"] for row in total)
    assert {row["metrics"]["DATE"] for row in weeks} == {"2026-11-09", "2026-11-16"}
    assert {row["metrics"]["DATE"][10:] for row in hours} == {f"T{at:02}:00:00" for at in range(24)}


def test_rows_come_in_the_order_asked_for(client: Client, account: str) -> None:
    query = _query(client, account, "ads") | {
        "targeting_types": "GENDER,COUNTRY",
        "columns": "PAID_IMPRESSION",
        "sort_columns": "PAID_IMPRESSION",
    }
    path = f"{account}/ads/targeting_analytics"

    def values(*, ascending: bool) -> list[int]:
        rows = client.get(path, **query, sort_ascending=str(ascending).lower())["data"]
        return [row["metrics"].get("PAID_IMPRESSION", 0) for row in rows]

    assert values(ascending=True) == sorted(values(ascending=True))
    assert values(ascending=False) == sorted(values(ascending=True), reverse=True)
