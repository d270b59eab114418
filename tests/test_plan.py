"""The plan counts the cost of a run before it starts, from the parts that it reads."""

from __future__ import annotations

import copy
import json
import subprocess
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest

import forked_programs
from conftest import TODAY
from pinterest_sandbox import Sandbox, Style, WorldSize
from singer_run import Messages, PatientTap, catalog_of, run, settings
from tap_pinterest import api
from tap_pinterest.commands.plan import described
from tap_pinterest.reports.ordering import POLLS
from tap_pinterest.run.cost import Plan, StreamPlan, plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from pinterest_sandbox.requests_log import LoggedRequest

REPORTS = ("ad_account_analytics", "campaign_analytics", "ad_group_analytics", "ad_analytics")
TINY = WorldSize(accounts=2, empty_accounts=1, campaigns=2, ad_groups=3, ads=4, boards=2, pins=3)
LARGE = WorldSize(accounts=1, empty_accounts=0, campaigns=20, ad_groups=120, ads=1000)


ALL: dict[str, Any] = {
    "stream_groups": ["all"],
    "start_date": "4 days ago",
    "report_columns": ["SPEND_IN_DOLLAR", "TOTAL_CHECKOUT"],
    "terms": ["garden"],
    "countries": ["US"],
    "trend_regions": ["US"],
    "custom_reports": [{"name": "mine", "level": "CAMPAIGN", "columns": ["SPEND_IN_DOLLAR"]}],
}
POLL = "GET /ad_accounts/{ad_account_id}/reports"
TOKEN = "POST /oauth/token"

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "the default groups": {},
    "owners": {"organic_accounts": "both", "stream_groups": "organic,boards"},
    "displayed names": {"column_names": "display"},
    "reports": {"stream_groups": "ads,keywords", "report_transport": "async"},
    "the Daasity layout": {"layout": "daasity"},
}


def planned(config: Mapping[str, Any], *streams: str, state: dict[str, Any] | None = None) -> Plan:
    """The plan, for which no message may be written."""
    messages = Messages()
    tap = PatientTap(
        config=dict(config),
        state=copy.deepcopy(state),
        catalog=catalog_of(config, streams) if streams else None,
        message_writer=messages,
    )
    try:
        return plan(tap.run)
    finally:
        tap.run.close()
        assert messages.read == []


def poll_of(creation: str) -> str:
    own = creation.replace("POST", "GET")
    return own if own in api.operations() else POLL


def calls_in(requests: Sequence[LoggedRequest]) -> Counter[str]:
    """Calls by category, with as many polls for each report as a plan expects."""
    ordered = [each for each in requests if each.method == "POST" and each.operation != TOKEN]
    polls = [poll_of(str(each.operation)) for each in ordered for _ in range(POLLS)]
    others = [
        str(each.category)
        for each in requests
        if each.category and each.operation not in {TOKEN, *polls}
    ]
    return Counter([*others, *(api.operation(each).category for each in polls)])


@pytest.mark.parametrize(("tier", "most"), [("standard", 30), ("trial", 10)])
def test_a_thousand_ads_with_the_default_columns_take_few_calls(tier: str, most: int) -> None:
    with Sandbox(seed=7, today=TODAY, size=LARGE, access_tier="unlimited") as sandbox:
        config = settings(sandbox, start_date="89 days ago", access_tier=tier)
        counted = planned(config, *REPORTS)

    assert 4 <= counted.calls["ads_analytics"] <= most
    assert sum(counted.calls.values()) == counted.calls["ads_analytics"]


@pytest.mark.parametrize(
    ("stream", "reports"), [("ad_analytics", 2), ("ad_targeting_analytics", 2 * 19 + 8)]
)
def test_a_report_is_cut_to_about_a_hundred_thousand_rows(stream: str, reports: int) -> None:
    """A hundred days of a thousand ads; two of five types with ten values, five of two types."""
    with Sandbox(seed=7, today=TODAY, size=LARGE, access_tier="unlimited") as sandbox:
        config = settings(
            sandbox,
            start_date="185 days ago" if stream == "ad_analytics" else "38 days ago",
            report_transport="async",
            stream_groups=["ads", "targeting"],
        )
        counted = planned(config, stream)

    assert counted.calls["ads_analytics"] == reports * (1 + POLLS)


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


@pytest.mark.parametrize(
    ("tier", "more"),
    [
        pytest.param("standard", ALL, id="all groups"),
        *(pytest.param("standard", more, id=name) for name, more in VARIANTS.items()),
        # The tier changes how ads reports are cut, and nothing else that is planned.
        *(
            pytest.param("trial", VARIANTS[name], id=f"{name}, trial")
            for name in ("the default groups", "reports")
        ),
    ],
)
def test_a_first_a_second_and_a_backfilling_run_make_the_calls_that_were_planned(
    tier: str, more: Mapping[str, Any]
) -> None:
    # A plan counts the first page of a list: more can only be known by reading it.
    style = Style(last_page="full")
    with Sandbox(seed=7, size=TINY, today=TODAY, access_tier="unlimited", style=style) as sandbox:
        first = settings(sandbox, access_tier=tier, **more)
        backfill = {"start_date": "2026-05-29", "end_date": "2026-05-31"}
        state = None
        totals = []
        for config in (first, first, first | {"backfill": backfill}):
            counted = planned(config, state=state)
            before = len(sandbox.requests)
            result = run(config, state=state)
            state = result.state
            totals.append(counted.total)

            assert result.code == 0
            assert counted.all_calls == calls_in(sandbox.requests[before:])
            assert all(not each.faults for each in counted.streams)

    assert totals[1] <= totals[0]
    assert totals[1] <= totals[2]


def test_a_list_of_several_pages_is_counted_as_at_least_one(sandbox: Sandbox) -> None:
    counted = planned(settings(sandbox), "boards", "user_account")

    boards, user = counted.streams
    assert (boards.total, boards.precision) == (1, "at least")
    assert (user.total, user.precision) == (1, "")
    assert counted.precision == "at least"


def test_a_list_that_ends_with_an_empty_page_is_counted_as_at_least_one_call(
    sandbox: Sandbox,
) -> None:
    config = settings(sandbox)
    (pins,) = planned(config, "pins").streams
    before = len(sandbox.requests)
    run(config, "pins")

    # Only the last page shows whether an empty one follows, and a plan does not read this list.
    assert (pins.total, pins.precision) == (1, "at least")
    assert calls_in(sandbox.requests[before:]).total() > pins.total


def test_pins_one_by_one_are_counted_as_the_most_that_there_can_be(sandbox: Sandbox) -> None:
    config = settings(sandbox, stream_groups="boards")
    (counted,) = planned(config, "pin_analytics").streams
    sandbox.fail("/pins/analytics", status=403, times=None)
    before = len(sandbox.requests)
    run(config, "pin_analytics")

    one_by_one = "GET /pins/{pin_id}/analytics"
    made = [each for each in sandbox.requests[before:] if each.operation == one_by_one]
    assert counted.most == len(made)
    assert counted.calls.total() < counted.most


def test_a_refused_list_is_named_and_the_rest_is_counted(sandbox: Sandbox) -> None:
    account = sandbox.world.ad_accounts[0].id
    sandbox.fail(f"/ad_accounts/{account}/ads", status=403, times=None)

    counted = planned(settings(sandbox), "ad_analytics", "campaign_analytics")

    by_name = {each.stream: each for each in counted.streams}
    assert set(by_name["ad_analytics"].faults) == {account}
    assert by_name["ad_analytics"].contexts == 2
    assert by_name["campaign_analytics"].contexts == 3
    assert counted.precision == "at least"
    (line,) = (each for each in described(counted, "") if each.startswith("Not counted: "))
    assert line.startswith(f"Not counted: ad_analytics of ad account {account}: GET ")


def test_a_wrong_ad_account_id_is_one_line(sandbox: Sandbox) -> None:
    counted = planned(settings(sandbox, ad_account_ids="123", stream_groups="ads"))

    (line,) = (each for each in described(counted, "") if each.startswith("Not counted: "))
    assert "campaigns, ad_creatives of ad account 123: ad_account_ids names it" in line
    assert sandbox.world.ad_accounts[0].id in line


def test_minutes_are_those_of_the_slowest_category() -> None:
    organic = StreamPlan("a", calls=Counter(org_analytics=120))
    ads = StreamPlan("b", calls=Counter(ads_read=1500))

    assert Plan((organic, ads), Counter()).minutes == 1
    assert Plan((ads,), Counter(org_read=500, trends_read=4000)).minutes == 66
    spread = Counter(dict.fromkeys(("ads_read", "org_read"), 900))
    assert Plan((), spread).minutes == pytest.approx(17 / 60)
    assert Plan((), Counter()).minutes == 0
    assert [Plan((), Counter(ads_read=calls)).trial_days for calls in (0, 1000, 1001)] == [0, 1, 2]


def plan_command(
    tmp_path: Path, config: dict[str, Any], *arguments: str, **files: Any
) -> subprocess.CompletedProcess[str]:
    command = [str(forked_programs.folder() / "tap-pinterest-plan")]
    for name, content in {"config": config, **files}.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(content))
        command += [f"--{name}", str(path)]
    command += arguments
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_writes_a_table_for_people(sandbox: Sandbox, tmp_path: Path) -> None:
    result = plan_command(tmp_path, settings(sandbox), catalog=catalog_of({}, ["ad_analytics"]))

    lines = result.stdout.splitlines()
    assert result.returncode == 0
    assert lines[0].split() == ["Stream", "Accounts", "Calls", "Days"]
    assert lines[1].split() == ["ad_analytics", "3", "2", "2026-08-22..2026-11-19"]
    assert "of these calls, to list ids; a run makes them again." in result.stdout
    assert lines[-1] == "The 1,000 calls of a trial day suffice."
    assert not any(line.startswith("{") for line in lines)


def test_the_command_writes_one_json_object_and_takes_a_state(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    config = settings(sandbox, start_date="2026-11-01")
    state = run(config, "ad_analytics").state
    catalog = catalog_of(config, ["ad_analytics"])
    first = json.loads(plan_command(tmp_path, config, "--json", catalog=catalog).stdout)
    later = plan_command(
        tmp_path, config | {"lookback_days": 3}, "--json", catalog=catalog, state=state
    )
    second = json.loads(later.stdout)

    assert first["streams"]["ad_analytics"]["ranges"] == {"2026-11-01..2026-11-19": 3}
    assert list(second["streams"]) == ["ad_analytics"]
    assert list(second["streams"]["ad_analytics"]["ranges"]) != ["2026-11-01..2026-11-19"]
    assert second["calls"] == sum(second["calls_by_category"].values())
    assert second["trial_day_suffices"] is True


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        pytest.param({}, "access_token", id="no credentials"),
        pytest.param({"access_token": "t", "colour": "red"}, "colour: ", id="unknown"),
    ],
)
def test_a_bad_config_is_one_line_for_each_fault(
    tmp_path: Path, config: dict[str, Any], fault: str
) -> None:
    result = plan_command(tmp_path, config)

    faults = [line for line in result.stderr.splitlines() if "ERROR" in line and fault in line]
    assert result.returncode == 1
    assert result.stdout == ""
    assert len(faults) == 1
    assert "Traceback" not in result.stderr


def test_a_token_that_is_refused_ends_the_command_in_one_line(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    config = {"api_url": sandbox.url, "token_file": "", "access_token": "pina_wrong"}
    result = plan_command(tmp_path, config)

    assert result.returncode == 1
    assert result.stdout == ""
    assert "Nothing can be counted: Pinterest refuses the access token" in result.stderr
    assert "Traceback" not in result.stderr


def test_settings_may_come_from_the_environment(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in settings(sandbox, stream_groups="ads").items():
        monkeypatch.setenv(f"TAP_PINTEREST_{name.upper()}", value)
    command = [str(forked_programs.folder() / "tap-pinterest-plan"), "--config", "ENV", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)

    assert set(json.loads(result.stdout)["streams"]) >= {"ads", "ad_analytics"}


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
