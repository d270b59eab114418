"""Thirty daily runs leave what one full read on the last day brings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import Sandbox, WorldSize
from singer_run import run, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from singer_run import Run

FIRST = date(2026, 10, 20)
DAY = timedelta(days=1)
WORLD = WorldSize(accounts=2, empty_accounts=1, campaigns=2, ad_groups=3, ads=5, boards=1, pins=2)
COLUMNS = ["SPEND_IN_MICRO_DOLLAR", "TOTAL_IMPRESSION", "TOTAL_CHECKOUT", "TOTAL_CONVERSIONS"]
KEYS = {
    "ad_account_analytics": ("ad_account_id", "date"),
    "ad_analytics": ("ad_id", "date"),
    "campaign_analytics_week": ("campaign_id", "date"),
}
SIXTY = {f"{action}_window_days": 60 for action in ("click", "engagement", "view")}
RUNS = 30
KILLED_ON = 14


def no_change(_: int) -> Mapping[str, Any]:
    return {}


def sixty(_: int) -> Mapping[str, Any]:
    return SIXTY


def changed_on_the_way(day: int) -> Mapping[str, Any]:
    return SIXTY if day >= KILLED_ON else {}


def written(table: dict[tuple[str, ...], dict[str, Any]], result: Run) -> int:
    """Upsert a run's records; how many of them share their key with another of the run."""
    repeated = 0
    for stream, key in KEYS.items():
        seen = set()
        for record in result.records(stream):
            place = (stream, *(record[name] for name in key))
            repeated += place in seen
            seen.add(place)
            table[place] = record
    return repeated


@pytest.mark.parametrize(
    ("settings_of", "killed"),
    [
        pytest.param(sixty, False, id="windows of sixty days"),
        pytest.param(no_change, True, id="a run killed in the middle"),
        pytest.param(changed_on_the_way, True, id="windows changed and a run killed"),
    ],
)
def test_thirty_daily_runs_equal_one_full_read(
    settings_of: Callable[[int], Mapping[str, Any]], *, killed: bool
) -> None:
    table: dict[tuple[str, ...], dict[str, Any]] = {}
    state: dict[str, Any] = {}
    with Sandbox(seed=9, today=FIRST, size=WORLD, access_tier="unlimited") as sandbox:
        config = settings(sandbox, report_columns=COLUMNS, granularities=["DAY", "WEEK"])
        for day in range(RUNS):
            if killed and day == KILLED_ON:
                sandbox.fail("*/analytics", status=400, after=2, times=None)
            result = run({**config, **settings_of(day)}, *KEYS, state=state)
            assert bool(result.code) == (killed and day == KILLED_ON)
            assert written(table, result) == 0
            sandbox.heal()
            state = result.state
            sandbox.today += DAY
        sandbox.today -= DAY
        truth: dict[tuple[str, ...], dict[str, Any]] = {}
        full = run({**config, **settings_of(RUNS - 1)}, *KEYS)
        assert written(truth, full) == 0

    assert len(truth) > 100
    assert {place: table.get(place) for place in truth} == truth
