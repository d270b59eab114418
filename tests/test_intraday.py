"""Several runs a day: with `restate: daily` a further run reads only what is new."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from conftest import TODAY
from singer_run import PatientClock, PatientTap, catalog_of, run, settings
from tap_pinterest.run.cost import plan

if TYPE_CHECKING:
    from pinterest_sandbox import Sandbox
    from singer_run import Run

REPORTS = ("ad_account_analytics", "campaign_analytics", "ad_group_analytics", "ad_analytics")
LISTS = ("campaigns", "ad_groups", "ads", "boards", "pins", "delivery_metrics")
STREAMS = ("ad_accounts", *LISTS, *REPORTS, "user_account_analytics", "user_account_metrics")
YESTERDAY, BEFORE = (str(TODAY - timedelta(days=days)) for days in (1, 2))
HOUR = 3600


class LaterClock(PatientClock):
    """A clock that is some hours later than the machine's."""

    def __init__(self, hours: float) -> None:
        super().__init__()
        self._ahead = hours * HOUR


class MidnightClock(PatientClock):
    """A clock that passes midnight after Pinterest's first answer."""

    def hear(self, date_header: str | None) -> None:
        super().hear(date_header)
        self._ahead = 12.5 * HOUR


def config(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    return settings(sandbox, **{"start_date": "40 days ago", "restate": "daily", **more})


def read(sandbox: Sandbox, before: Run | None = None, hours: float = 0, **more: Any) -> Run:
    """A run that goes on from another; its requests are the only ones in the log."""
    sandbox.requests.clear()
    state = before.state if before else None
    result = run(config(sandbox, **more), *STREAMS, state=state, clock=LaterClock(hours))
    assert result.code == 0
    return result


def days(result: Run, stream: str) -> list[str]:
    return sorted({each["date"] for each in result.records(stream)})


def calls(sandbox: Sandbox, end: str) -> int:
    return sum(str(each.operation).endswith(end) for each in sandbox.requests)


def test_a_further_run_of_the_day_reads_only_what_was_not_complete(sandbox: Sandbox) -> None:
    first = read(sandbox, slice_rows=50)
    calls_before, rows_before = len(sandbox.requests), len(first.streams("RECORD"))
    second = read(sandbox, first, slice_rows=50)

    assert {day for stream in REPORTS for day in days(second, stream)} == {YESTERDAY}
    assert not {*LISTS, "user_account_metrics"} & {*second.streams("RECORD")}
    assert len(second.streams("RECORD")) * 10 < rows_before
    assert len(sandbox.requests) * 2 < calls_before
    # One call for each level and ad account that has entities, and one for the user.
    assert calls(sandbox, "analytics") == 3 + 3 * 2 + 1
    assert calls(sandbox, "/boards") + calls(sandbox, "/pins") == 0


def test_a_day_that_becomes_complete_later_does_not_bring_the_lookback_again(
    sandbox: Sandbox,
) -> None:
    first = read(sandbox)
    ready = {"conversion_metrics_ready": True, "non_conversion_metrics_ready": True}
    sandbox.fail("/resources/metrics_ready_state", status=200, body=ready, times=None)
    second = read(sandbox, first)
    third = read(sandbox, second)

    assert {day for stream in REPORTS for day in days(second, stream)} == {YESTERDAY}
    assert {day for stream in REPORTS for day in days(third, stream)} == set()


def test_the_first_run_of_the_next_day_reads_the_lookback_and_all_lists(sandbox: Sandbox) -> None:
    second = read(sandbox, read(sandbox))
    sandbox.today += timedelta(days=1)
    third = read(sandbox, second, hours=24)
    always = run(config(sandbox, restate="always"), *STREAMS, state=second.state)

    for stream in STREAMS:
        assert third.records(stream) == always.records(stream), stream
    assert len(days(third, "ad_account_analytics")) > 30


def test_by_default_each_run_reads_the_lookback_and_keeps_no_further_state(
    sandbox: Sandbox,
) -> None:
    first = read(sandbox, restate="always")
    second = read(sandbox, first, restate="always")

    assert len(days(second, "campaign_analytics")) > 30
    assert second.records("campaigns") == first.records("campaigns")
    assert "restated" not in str(second.state)
    assert "list_read" not in str(second.state)


def test_the_state_of_a_day_has_one_note_a_stream_or_partition(sandbox: Sandbox) -> None:
    state = read(sandbox, read(sandbox)).state["bookmarks"]

    notes = {part["restated"] for part in state["ad_analytics"]["partitions"]}
    assert notes == {f"{TODAY}/{BEFORE}"}
    assert {*state["campaigns"]} == {"list_read"}
    assert len(state["campaigns"]["list_read"]) < 20


@pytest.mark.parametrize(
    ("more", "streams"),
    [
        ({"click_window_days": 7}, REPORTS),
        ({"entity_statuses": ["ACTIVE"]}, (*REPORTS, "campaigns", "ads")),
        ({"entities_max_age_hours": 0}, LISTS),
        ({"extra_fields": False}, LISTS),
    ],
    ids=["windows", "statuses", "age", "columns"],
)
def test_changed_settings_are_read_at_once(
    sandbox: Sandbox, more: dict[str, Any], streams: tuple[str, ...]
) -> None:
    changed = read(sandbox, read(sandbox), **more)
    fresh = read(sandbox, **more)

    for stream in streams:
        assert len(changed.records(stream)) >= len(fresh.records(stream)) > 0, stream


def test_lists_are_read_again_when_they_are_old_enough(sandbox: Sandbox) -> None:
    first = read(sandbox, entities_max_age_hours=3)
    young = read(sandbox, first, hours=2.9, entities_max_age_hours=3)
    old = read(sandbox, young, hours=3.1, entities_max_age_hours=3)

    assert young.records("ads") == []
    assert old.records("ads") == first.records("ads")


def test_a_run_over_midnight_leaves_the_next_day_to_the_next_run(sandbox: Sandbox) -> None:
    more, stream = {"entities_max_age_hours": 24}, "user_account_metrics"
    first = run(config(sandbox, **more), stream, clock=MidnightClock())
    sandbox.today += timedelta(days=1)
    second = run(config(sandbox, **more), stream, state=first.state, clock=LaterClock(18))

    assert days(first, stream) == [str(TODAY)]
    assert days(second, stream) == [str(TODAY + timedelta(days=1))]


def test_a_board_that_the_config_names_and_no_list_has_fails_each_run(sandbox: Sandbox) -> None:
    first = run(config(sandbox, board_ids=["1"]), "boards")
    second = run(config(sandbox, board_ids=["1"]), "boards", state=first.state)

    assert (first.code, second.code) == (1, 1)


def test_a_list_that_failed_for_an_account_is_read_again(sandbox: Sandbox) -> None:
    path = "/ad_accounts/*/campaigns"
    sandbox.fail(path, status=500, times=None)
    streams = ("campaigns", "ad_groups")
    failed = run(config(sandbox), *streams)
    sandbox.heal()
    again = run(config(sandbox), *streams, state=failed.state)

    assert failed.code == 1
    assert again.records("campaigns")
    assert again.records("ad_groups") == []


def test_a_new_ad_account_is_read_at_once(sandbox: Sandbox) -> None:
    new = read(sandbox).records("ad_analytics")[0]["ad_account_id"]
    first = read(sandbox, exclude_ad_account_ids=[new])
    second = read(sandbox, first)

    for stream in ("campaigns", "ad_analytics"):
        assert new in {each["ad_account_id"] for each in second.records(stream)}


def test_the_log_says_why_a_list_was_left_out(sandbox: Sandbox) -> None:
    first = run(config(sandbox), "boards", "sync_log")
    second = run(config(sandbox), "boards", "sync_log", state=first.state)

    (row,) = second.records("sync_log")
    assert (row["result"], row["calls"], row["failed"]) == ("skipped", 0, False)
    assert "entities_max_age_hours" in row["reason"]


def test_the_plan_counts_the_calls_of_a_further_run(sandbox: Sandbox) -> None:
    first = read(sandbox)
    asked = config(sandbox)
    tap = PatientTap(config=asked, state=first.state, catalog=catalog_of(asked, STREAMS))
    planned = plan(tap.run)
    tap.run.close()
    read(sandbox, first)
    made = [each for each in sandbox.requests if "oauth" not in str(each.operation)]

    assert planned.total == len(made)
