"""How each stream went for each ad account and user: the value that a run ends with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from faulty_world import FORBIDDEN
from simulated import simulate
from singer_run import PatientClock, run, settings
from tap_pinterest.api.naming import context_of, name_of

if TYPE_CHECKING:
    from pinterest_sandbox import Sandbox
    from singer_run import Run
    from tap_pinterest.run.outcome import Outcome

REPORT = "campaign_analytics"


def accounts(sandbox: Sandbox) -> list[str]:
    return [each.id for each in sandbox.world.ad_accounts]


def outcomes(result: Run, stream: str) -> list[Outcome]:
    """The outcomes of a stream in a run that is over."""
    return [each for each in result.tap.run.conclude() if each.stream == stream]


def of(result: Run, stream: str, account: str) -> Outcome:
    (found,) = (each for each in outcomes(result, stream) if each.ad_account_id == account)
    return found


@pytest.mark.parametrize("context", [None, {"ad_account_id": "5497"}, {"user_id": "12"}])
def test_the_name_of_a_context_leads_back_to_it(context: dict[str, str] | None) -> None:
    assert context_of(name_of(context)) == context


def test_a_complete_report_says_its_days_rows_calls_and_the_last_complete_day(
    sandbox: Sandbox,
) -> None:
    days = {"start_date": "9 days ago", "end_date": "yesterday"}
    result = run(settings(sandbox, **days), REPORT, "ad_accounts")

    found = outcomes(result, REPORT)
    assert [each.ad_account_id for each in found] == accounts(sandbox)
    for each in found:
        partition = result.partition(REPORT, each.ad_account_id or "")
        rows = [
            record
            for record in result.records(REPORT)
            if record["ad_account_id"] == each.ad_account_id
        ]
        asked = [
            request
            for request in sandbox.requests
            # No other stream of the run has the list of campaigns.
            if request.path.startswith(f"/ad_accounts/{each.ad_account_id}/campaigns")
        ]
        assert (each.result, each.reason, each.has_failed) == ("complete", "", False)
        assert {dates.start for dates in each.ranges} <= {sandbox.today - timedelta(days=9)}
        assert {dates.days for dates in each.ranges} <= {9}
        assert each.rows == len(rows)
        assert each.calls == len(asked)
        assert len(asked) == 1 + len(each.ranges)
        assert each.complete_to == date.fromisoformat(partition["replication_key_value"])
        assert each.started
        assert each.ended
        assert each.started <= each.ended
    assert all(
        sum(amounts) > 0 for amounts in zip(*((e.rows, e.calls) for e in found), strict=True)
    )
    (listed,) = outcomes(result, "ad_accounts")
    assert (listed.ad_account_id, listed.user_id) == (None, None)
    assert (listed.rows, listed.ranges, listed.complete_to) == (len(found), (), None)


def test_the_accounts_of_a_stream_have_its_calls_between_them(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = accounts(sandbox)
    wait: dict[str, Any] = {"status": 429, "headers": {"x-ratelimit-reset": "7"}, "times": 2}
    sandbox.fail(f"/ad_accounts/{first}/campaigns/analytics", **wait)

    result = run(settings(sandbox), REPORT, "campaigns", clock=simulate(monkeypatch))

    found, part = outcomes(result, REPORT), result.tap.run.summary.streams[REPORT]
    assert sum(each.calls for each in found) == part.tally.calls
    assert [each.retries for each in found] == [2, *[0] * (len(found) - 1)]
    assert of(result, REPORT, first).seconds_waited >= 14


def test_a_failed_account_keeps_its_day_and_says_why(sandbox: Sandbox) -> None:
    first, *others = accounts(sandbox)
    before = run(settings(sandbox), REPORT)
    sandbox.today += timedelta(days=1)
    sandbox.fail(f"/ad_accounts/{first}/campaigns/analytics", status=500, times=None)

    result = run(settings(sandbox), REPORT, state=before.state)

    failed = of(result, REPORT, first)
    assert (failed.result, failed.has_failed, failed.rows) == ("failed", True, 0)
    assert "500" in failed.reason
    assert failed.complete_to == of(before, REPORT, first).complete_to
    for each in others:
        assert of(result, REPORT, each).result == "complete"
        assert of(result, REPORT, each).complete_to > failed.complete_to  # type: ignore[operator]


def test_an_account_that_may_not_be_read_is_skipped_and_fails_nothing(sandbox: Sandbox) -> None:
    first, *others = accounts(sandbox)
    sandbox.fail(f"/ad_accounts/{first}/campaigns", **FORBIDDEN)

    result = run(settings(sandbox), "campaigns")

    skipped = of(result, "campaigns", first)
    assert (skipped.result, skipped.has_failed) == ("skipped", False)
    assert "No access." in skipped.reason
    assert {of(result, "campaigns", each).result for each in others} == {"complete"}


def test_a_failure_of_a_whole_stream_is_the_outcome_of_each_account(sandbox: Sandbox) -> None:
    sandbox.fail("/resources/metrics_ready_state", status=500, times=None)

    result = run(settings(sandbox, start_date="3 days ago"), REPORT)

    found = outcomes(result, REPORT)
    assert len(found) == len(sandbox.world.ad_accounts)
    assert sum(each.rows for each in found) == len(result.records(REPORT)) > 0
    for each in found:
        assert (each.result, each.has_failed) == ("partial", True)
        assert "no day is remembered as complete" in each.reason


def test_streams_that_a_run_did_not_reach_name_the_cause_of_its_end(sandbox: Sandbox) -> None:
    def stop(message: dict[str, Any]) -> None:
        if message["type"] == "RECORD" and message["stream"] == "ad_groups":
            clock.interrupted_by = 15

    clock = PatientClock()
    result = run(
        settings(sandbox),
        "ad_accounts",
        "ad_groups",
        "campaigns",
        "pins",
        on_message=stop,
        clock=clock,
    )

    assert outcomes(result, "ad_accounts")[0].result == "complete"
    first, *others = outcomes(result, "ad_groups")
    assert (first.result, first.rows) == ("partial", 1)
    assert {(each.result, each.started) for each in others} == {("failed", None)}
    campaigns, pins = outcomes(result, "campaigns"), outcomes(result, "pins")
    assert {each.ad_account_id for each in campaigns} == {*accounts(sandbox)}
    for each in (*campaigns, *pins):
        assert (each.result, each.started, each.has_failed) == ("failed", None, True)
        assert each.reason == "the run ended before it was read: stopped by a signal"


def test_a_stream_without_its_setting_is_skipped_with_the_settings_name(sandbox: Sandbox) -> None:
    result = run(settings(sandbox, stream_groups="trends"), "related_terms")

    (found,) = outcomes(result, "related_terms")
    assert (found.result, found.reason, found.calls) == ("skipped", "set terms", 0)


def test_a_user_has_an_outcome_too(sandbox: Sandbox) -> None:
    result = run(settings(sandbox, start_date="5 days ago"), "user_account_analytics")

    (found,) = outcomes(result, "user_account_analytics")
    assert found.user_id == result.records("user_account_analytics")[0]["user_id"]
    assert found.ad_account_id is None
    assert found.calls > 0


def test_a_week_is_complete_to_its_last_day(sandbox: Sandbox) -> None:
    config = settings(sandbox, granularities="WEEK", start_date="30 days ago")
    result = run(config, "campaign_analytics_week")

    for each in outcomes(result, "campaign_analytics_week"):
        assert each.complete_to
        assert each.complete_to.weekday() == 6
