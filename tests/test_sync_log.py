"""The log of runs: a row for each stream and account, whatever becomes of the run."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from both_targets import new_database
from conftest import TODAY
from documents import blocks
from singer_pipes import lines
from singer_run import Messages, PatientClock, PatientTap, run, settings
from tap_pinterest.config import CONFIG_SCHEMA
from tap_pinterest.run.cost import plan
from tap_pinterest.streams.about_the_run import NO_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from both_targets import Database
    from pinterest_sandbox import Sandbox
    from singer_run import Run

LOG = "sync_log"
STREAMS = ("campaigns", "campaign_analytics", "user_account")
SELECTED = (*STREAMS, LOG)


def rows(result: Run) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of the log by stream and account."""
    return {(each["stream"], each["account_id"]): each for each in result.records(LOG)}


def config(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    return settings(sandbox, start_date="10 days ago", **more)


def test_each_stream_and_account_has_a_row(sandbox: Sandbox) -> None:
    result = run(config(sandbox), *SELECTED)
    log = rows(result)
    of_account = sorted({account for _, account in log} - {NO_ACCOUNT})

    assert result.code == 0
    assert len(of_account) == 3
    assert log.keys() == {
        ("user_account", NO_ACCOUNT),
        *((name, each) for name in STREAMS[:2] for each in of_account),
    }
    assert {row["result"] for row in log.values()} == {"complete"}
    assert {row["reason"] for row in log.values()} == {None}
    assert len({row["run_id"] for row in log.values()}) == 1
    for (name, account), row in log.items():
        own = [each.get("ad_account_id", NO_ACCOUNT) for each in result.records(name)]
        assert row["rows"] == own.count(account)
        assert row["run_started_at"] <= row["started_at"] <= row["ended_at"]
    report = log["campaign_analytics", of_account[0]]
    assert report["start_date"] == str(TODAY - timedelta(days=10))
    assert report["end_date"] == str(TODAY - timedelta(days=1))
    assert report["complete_to"] == str(TODAY - timedelta(days=2))
    assert log["campaigns", of_account[0]]["complete_to"] is None


def test_the_log_comes_last_and_the_state_after_it(sandbox: Sandbox) -> None:
    result = run(config(sandbox), *SELECTED)
    kinds = [(each["type"], each.get("stream")) for each in result.messages]
    first = kinds.index(("SCHEMA", LOG))

    assert {stream for _, stream in kinds[first:]} == {LOG, None}
    assert kinds[-1] == ("STATE", None)
    assert LOG not in result.state["bookmarks"]
    assert f'"{LOG}"' not in json.dumps(result.tap.run.summary.as_json())


def test_the_log_is_on_by_default_and_can_be_switched_off(sandbox: Sandbox) -> None:
    groups = {"stream_groups": ["organic"]}
    on = run(config(sandbox, sync_log=True, **groups))
    off = run(config(sandbox, sync_log=False, **groups))

    assert CONFIG_SCHEMA["properties"][LOG]["default"] is True
    assert on.records(LOG)
    assert LOG in on.tap.streams
    assert off.records(LOG) == []
    assert LOG not in off.tap.streams


def test_a_catalog_that_does_not_select_the_log_goes_without(sandbox: Sandbox) -> None:
    result = run(config(sandbox), *STREAMS)

    assert result.code == 0
    assert LOG not in result.streams("SCHEMA") + result.streams("RECORD")


def test_the_tables_of_daasity_have_no_log(sandbox: Sandbox) -> None:
    result = run(config(sandbox, layout="daasity", sync_log=True))

    assert result.code == 0
    assert LOG not in result.tap.streams


def test_failures_and_skipped_streams_are_in_the_log(sandbox: Sandbox) -> None:
    accounts = sorted(
        account for _, account in rows(run(config(sandbox), *SELECTED)) if account != NO_ACCOUNT
    )
    sandbox.fail(f"/ad_accounts/{accounts[0]}/campaigns/analytics", status=500, times=None)
    sandbox.fail("/user_account", status=403, body={"code": 29, "message": "no"}, times=None)
    result = run(config(sandbox), *SELECTED)
    log = rows(result)

    assert result.code == 1
    failed, skipped = log["campaign_analytics", accounts[0]], log["user_account", NO_ACCOUNT]
    assert (failed["result"], failed["failed"], failed["complete_to"]) == ("failed", True, None)
    assert "500" in failed["reason"]
    assert failed["retries"] > 0
    assert (skipped["result"], skipped["failed"]) == ("skipped", False)
    others = [row for key, row in log.items() if row not in (failed, skipped)]
    assert {row["result"] for row in others} == {"complete"}


def test_a_run_without_a_token_writes_its_log(sandbox: Sandbox) -> None:
    wrong = config(sandbox) | {"refresh_token": "pinr.of-nobody", "client_secret": "wrong-secret"}
    result = run(wrong, *SELECTED)

    assert result.code == 1
    assert {row["stream"] for row in rows(result).values()} == {*STREAMS}
    assert {row["result"] for row in rows(result).values()} == {"failed"}


def test_a_stopped_run_writes_its_log_before_its_last_state(sandbox: Sandbox) -> None:
    def stop(message: dict[str, Any]) -> None:
        if message["type"] == "RECORD" and message["stream"] == "campaign_analytics":
            signal.raise_signal(signal.SIGTERM)

    result = run(config(sandbox), *SELECTED, on_message=stop)

    assert result.code == 128 + signal.SIGTERM
    assert result.messages[-1]["type"] == "STATE"
    reasons = {row["reason"] for row in rows(result).values() if row["result"] != "complete"}
    assert any("stopped by a signal" in reason for reason in reasons)


@pytest.mark.parametrize("status", [400, 401, 500])
def test_no_secret_is_in_the_log(sandbox: Sandbox, status: int) -> None:
    asked = config(sandbox)
    secrets = [asked[name] for name in ("client_secret", "refresh_token")]
    if status == 400:
        secrets = [sandbox.credentials["access_token"]]
        asked = {"api_url": sandbox.url, "access_token": secrets[0], "start_date": "yesterday"}
    body = {"code": 1, "message": f"not with {' or '.join(secrets)}"}
    sandbox.fail("/ad_accounts/*", status=status, body=body, times=None)
    result = run(asked, *SELECTED)

    written = json.dumps(result.records(LOG))
    assert result.code == 1
    assert "not with" in written
    assert [each for each in secrets if each in written] == []


@pytest.mark.parametrize(
    ("groups", "streams"),
    [
        (["ads", "organic", "boards"], ()),
        (["ads"], ("campaign_analytics", LOG)),
        (["ads", "organic"], ("pin_metrics_daily", "ad_creatives", LOG)),
        (["organic", "boards"], ("board_pins", "pins", LOG)),
    ],
)
@pytest.mark.parametrize("whose", ["token_user", "both"])
def test_each_call_is_in_one_row(
    sandbox: Sandbox, groups: list[str], streams: tuple[str, ...], whose: str
) -> None:
    asked = config(sandbox, stream_groups=groups, organic_accounts=whose, sync_log=True)
    sandbox.fail("/ad_accounts/*/campaigns", status=503, times=2)
    result = run(asked, *streams)
    log = rows(result)
    made = [each for each in sandbox.requests if "oauth" not in str(each.operation)]

    assert result.code == 0
    assert sum(row["calls"] for row in log.values()) == len(made)
    assert sum(row["retries"] for row in log.values()) == [each.status for each in made].count(503)


def test_stream_maps_apply_to_the_log_and_a_broken_one_fails_the_run(sandbox: Sandbox) -> None:
    renamed = {LOG: {"__alias__": "runs", "reason": "__NULL__", "version": None}}
    good = run(config(sandbox, stream_maps=renamed), *SELECTED)
    broken = run(config(sandbox, stream_maps={LOG: {"x": "1 / rows * 0 + int(stream)"}}), *SELECTED)

    assert good.records("runs")
    assert all("version" not in each for each in good.records("runs"))
    assert broken.code == 1
    assert broken.messages[-1]["type"] == "STATE"


def test_the_log_takes_no_call(sandbox: Sandbox) -> None:
    run(config(sandbox), *STREAMS)
    without = len(sandbox.requests)
    run(config(sandbox), *SELECTED)

    assert len(sandbox.requests) == 2 * without
    tap = PatientTap(config=config(sandbox, stream_groups=["organic"]), message_writer=Messages())
    assert LOG not in [each.stream for each in plan(tap.run).streams]
    tap.run.close()


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    with new_database() as db:
        yield db


def test_both_targets_keep_the_rows_of_all_runs(sandbox: Sandbox, db: Database) -> None:
    first = run(config(sandbox), *SELECTED)
    sandbox.today += timedelta(days=1)
    second = run(config(sandbox), *SELECTED, state=first.state)
    for each in (first, second):
        db.load_both(lines(each.messages).decode())

    query = "SELECT count(*), count(DISTINCT run_id) FROM {}.{}"
    assert db.execute(query, db.schema, LOG) == [(2 * len(rows(first)), 2)]


@pytest.fixture
def own_db() -> Iterator[Database]:
    """A database that no other test writes to."""
    with new_database() as db:
        yield db


def documented(db: Database, page: str, number: int, today: date) -> list[tuple[Any, ...]]:
    """The rows of a page's query of the log, as of a day."""
    queries = [each.text for each in blocks(page) if each.language == "sql" and LOG in each.text]
    own = queries[number].replace("pinterest.", f"{db.schema}.")
    dated = own.replace("current_date", f"date '{today}'").replace("now()", f"timestamp '{today}'")
    return db.execute(dated.rstrip().rstrip(";"))


def test_the_documented_queries_show_the_streams_and_accounts_of_the_last_run(
    sandbox: Sandbox, own_db: Database
) -> None:
    broken, excluded, _ = (each.id for each in sandbox.world.ad_accounts)
    sandbox.fail(f"/ad_accounts/{broken}/campaigns/analytics", status=500, times=None)
    asked = config(sandbox, stream_groups=["ads"], sync_log=True)
    first = run(asked)
    own_db.load(lines(first.messages).decode())
    how_fresh = documented(own_db, "docs/tables.md", 0, TODAY)
    sandbox.heal()
    clock = PatientClock()
    clock.sleep(60)
    asked["exclude_ad_account_ids"] = [excluded]
    later = run(asked, state=first.state, clock=clock)
    own_db.load(lines(later.messages).decode())

    in_a_week, in_two_months = TODAY + timedelta(days=7), TODAY + timedelta(days=60)
    old = documented(own_db, "docs/tables.md", 1, in_a_week)
    soon, late = (
        [alert for (alert,) in documented(own_db, "docs/alerts.md", 0, day) if " no row " in alert]
        for day in (in_a_week, in_two_months)
    )

    assert how_fresh[0] == ("campaign_analytics", broken, None, None)
    assert broken in {account for _, account, *_ in old}
    assert excluded not in {account for _, account, *_ in old}
    assert any(excluded in each for each in soon)
    assert late == []
