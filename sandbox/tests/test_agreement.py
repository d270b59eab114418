"""All levels, both transports, all windows: the same numbers, which grow in the same way."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import Sandbox, WorldSize, api
from pinterest_sandbox.answers.ordered import ORDER
from pinterest_sandbox.columns import COLUMNS, Count, Money
from pinterest_sandbox.settings import Readiness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conftest import Client

TODAY = date(2026, 11, 20)
YEAR = 365 * 86_400
SIZE = WorldSize(accounts=2, empty_accounts=0, ads=30, ad_groups=9, campaigns=4)
GET = "GET /ad_accounts/{ad_account_id}"
COLUMNS_ASKED = [
    name
    for name in api.columns(ordered=False)
    if isinstance(COLUMNS.get(name), Count | Money) and name in api.columns(ordered=True)
][::2]
WINDOWS = {f"{action}_window_days": 60 for action in ("click", "engagement", "view")}
CONVERSIONS = [name for name in COLUMNS_ASKED if "CHECKOUT" in name or "SIGNUP" in name]


def _period(today: date, days: int = 65) -> dict[str, Any]:
    return {
        "start_date": today - timedelta(days=days),
        "end_date": today - timedelta(days=1),
        "granularity": "DAY",
        "columns": COLUMNS_ASKED,
    }


def _sums(found: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> dict[Any, float]:
    """Per account, day and column; of targeting, per type too."""
    sums: dict[Any, float] = defaultdict(float)
    for values, record in found:
        row = record.get("metrics", record)
        for name in row.keys() & set(COLUMNS_ASKED):
            kind = record.get("targeting_type", "")
            sums[values["ad_account_id"], row["DATE"], kind, name] += row[name]
    return sums


@pytest.mark.parametrize("windows", [{}, WINDOWS], ids=["default windows", "60/60/60"])
def test_all_levels_and_transports_agree_per_account_and_day(windows: dict[str, int]) -> None:
    sandbox = Sandbox(seed=5, today=TODAY, size=SIZE)
    asked = {**_period(TODAY), **windows}

    whole = _sums(sandbox.truth(f"{GET}/analytics", **asked))

    assert len({account for account, *_ in whole}) == 2
    for level in ("campaigns", "ad_groups", "ads", "pins"):
        found = _sums(sandbox.truth(f"{GET}/{level}/analytics", **asked))
        assert found == pytest.approx(whole, rel=1e-9), level
    for level in ("ADVERTISER", "CAMPAIGN", "AD_GROUP", "PIN_PROMOTION"):
        found = _sums(sandbox.truth(ORDER, **asked, level=level))
        assert found == pytest.approx(whole, rel=1e-9), level
    for level in ("", "/campaigns", "/ad_groups", "/ads"):
        found = _sums(
            sandbox.truth(f"{GET}{level}/targeting_analytics", **asked, targeting_types=["GENDER"])
        )
        expected = {(*key[:2], "GENDER", key[3]): value for key, value in whole.items()}
        assert found == pytest.approx(expected, rel=1e-9), level


@pytest.mark.parametrize(("windows", "days"), [({}, 30), (WINDOWS, 60)], ids=["default", "60"])
@pytest.mark.parametrize("ordered", [False, True], ids=["asked", "ordered"])
def test_conversions_grow_until_their_window_has_passed_and_never_shrink(
    *, ordered: bool, windows: dict[str, int], days: int
) -> None:
    sandbox = Sandbox(seed=5, today=TODAY, size=SIZE, access_seconds=YEAR)
    day = TODAY - timedelta(days=1)
    asked = {
        **windows,
        "ad_account_id": sandbox.world.ad_accounts[0].id,
        "start_date": day,
        "end_date": day,
        "granularity": "DAY",
        "columns": CONVERSIONS,
    }
    ages = (1, 2, 5, days - 1, days, days + 1, days + 20)
    seen: list[dict[Any, float]] = []
    for age in ages:
        sandbox.today = day + timedelta(days=age)
        found = (
            sandbox.truth(ORDER, **asked, level="CAMPAIGN_TARGETING", targeting_types=["COUNTRY"])
            if ordered
            else sandbox.truth(f"{GET}/campaigns/analytics", **asked)
        )
        seen.append(
            {
                (str(row["CAMPAIGN_ID"]), row.get("TARGETING_VALUE"), name): row[name]
                for _, row in found
                for name in row.keys() & set(CONVERSIONS)
            }
        )

    for earlier, later in itertools.pairwise(seen):
        assert all(value <= later[key] for key, value in earlier.items())
    assert seen[1] != seen[2] != seen[3]
    assert seen[4] == seen[5] == seen[6] != {}


def test_days_that_are_not_ready_have_a_part_of_their_numbers(serve: Callable[..., Client]) -> None:
    client = serve(readiness=Readiness(delivery_days=3, conversion_days=4), size=SIZE)
    sandbox = client.sandbox
    day = TODAY - timedelta(days=2)
    asked = {
        "start_date": day,
        "end_date": day,
        "granularity": "DAY",
        "columns": ["PAID_IMPRESSION", "TOTAL_CHECKOUT"],
        "level": "ADVERTISER",
    }
    ready = client.get("/resources/metrics_ready_state", date=day)

    ((_, before), *_) = sandbox.truth(ORDER, **asked)
    sandbox.today += timedelta(days=3)
    ((_, after), *_) = sandbox.truth(ORDER, **asked)

    assert ready == {"conversion_metrics_ready": False, "non_conversion_metrics_ready": False}
    assert before["PAID_IMPRESSION"] < after["PAID_IMPRESSION"]
    assert before["TOTAL_CHECKOUT"] < after["TOTAL_CHECKOUT"]


def test_the_truth_of_reports_has_no_limits_of_length() -> None:
    sandbox = Sandbox(seed=5, today=TODAY, size=WorldSize(ads=20, days=600, accounts=1))
    asked: dict[str, Any] = {"granularity": "DAY", "columns": ["PAID_IMPRESSION"]}
    whole = list(
        sandbox.truth(
            ORDER, **asked, level="CAMPAIGN", start_date="2025-06-01", end_date="2026-11-19"
        )
    )
    parts = [
        pair
        for first, last in (("2025-06-01", "2026-02-28"), ("2026-03-01", "2026-11-19"))
        for pair in sandbox.truth(ORDER, **asked, level="CAMPAIGN", start_date=first, end_date=last)
    ]

    key = "CAMPAIGN_ID", "DATE"
    by_key = [
        {tuple(str(row[name]) for name in key): row for _, row in found} for found in (whole, parts)
    ]
    assert by_key[0] == by_key[1]
    assert len(by_key[0]) == len(whole) > 500
