"""What a run will cost is counted before it, from the parts that it reads."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest

from pinterest_sandbox import Sandbox, WorldSize
from singer_run import Messages, PatientTap, catalog_of, run, settings
from tap_pinterest.plan import plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tap_pinterest.plan import Plan

REPORTS = ("ad_account_analytics", "campaign_analytics", "ad_group_analytics", "ad_analytics")
LARGE = WorldSize(accounts=1, empty_accounts=0, campaigns=20, ad_groups=120, ads=1000)


def planned(config: Mapping[str, Any], *streams: str) -> Plan:
    tap = PatientTap(
        config=dict(config), catalog=catalog_of(config, streams), message_writer=Messages()
    )
    try:
        return plan(tap)
    finally:
        tap.close()


@pytest.mark.parametrize(("tier", "most"), [("standard", 30), ("trial", 10)])
def test_a_thousand_ads_with_the_default_columns_take_few_calls(tier: str, most: int) -> None:
    with Sandbox(seed=7, size=LARGE, access_tier="unlimited") as sandbox:
        config = settings(sandbox, start_date="89 days ago", access_tier=tier)
        counted = planned(config, *REPORTS)

    assert 4 <= counted.calls["ads_analytics"] <= most
    assert sum(counted.calls.values()) == counted.calls["ads_analytics"]


def test_the_run_makes_the_report_calls_that_were_planned(sandbox: Sandbox) -> None:
    config = settings(sandbox, slice_rows=50, start_date="20 days ago")
    counted = planned(config, *REPORTS)
    before = len(sandbox.requests)
    run(config, *REPORTS)
    made = Counter(
        each.category for each in sandbox.requests[before:] if each.path.endswith("/analytics")
    )

    assert dict(counted.calls) == dict(made)
    assert {each.stream: each.contexts for each in counted.streams} == dict.fromkeys(REPORTS, 3)


def test_planning_asks_for_no_report(sandbox: Sandbox) -> None:
    planned(settings(sandbox, start_date="400 days ago"), *REPORTS)

    assert not [
        each for each in sandbox.requests if "nalytics" in each.path or "report" in each.path
    ]


def test_a_trial_run_that_needs_more_than_a_days_calls_says_so_before_it_starts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    size = WorldSize(accounts=1, empty_accounts=0, campaigns=2, ad_groups=4, ads=30)
    with Sandbox(seed=7, size=size, today=date(2026, 11, 20), access_tier="unlimited") as sandbox:
        config = settings(sandbox, start_date="40 days ago", access_tier="trial", slice_rows=1)
        config["report_transport"] = "sync"
        sandbox.fail("*/ads/analytics", status=403, times=None)
        run(config, "ad_analytics")
        assert "This run needs about 1,124 calls" in caplog.text
        assert "ad_analytics 1,120" in caplog.text
        caplog.clear()
        run(config | {"start_date": "yesterday"}, "ad_analytics")
        assert "This run needs" not in caplog.text
