"""Metrics and the view of a fleet show the results in logs that the tap has written."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
import yaml

from conftest import TODAY
from loading import database
from pinterest_fleet import observations
from pinterest_sandbox.server import Sandbox
from pinterest_sandbox.settings import Readiness
from scripts.fleet_world import SMALL
from scripts.processes import ROOT
from singer_run import PatientClock, run, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from singer_run import Run

CREATE = """
CREATE TABLE sync_log (run_id text, stream text, account_id text, ad_account_id text, user_id text,
  run_started_at timestamptz, started_at timestamptz, ended_at timestamptz, start_date date,
  end_date date, ranges text, rows bigint, calls bigint, retries bigint, seconds_waited numeric,
  complete_to date, result text, failed boolean, reason text, version text)
"""
FILL = "INSERT INTO sync_log SELECT * FROM jsonb_populate_recordset(NULL::sync_log, %s)"
REPORT = "/ad_accounts/{}/campaigns/analytics"
CONNECTION = SimpleNamespace(name="client", schema="public")


class Client(NamedTuple):
    """A client with a Pinterest and a database of its own."""

    sandbox: Sandbox
    url: str

    @property
    def accounts(self) -> Sequence[str]:
        """Its two ad accounts."""
        return [each.id for each in self.sandbox.world.ad_accounts]

    def run(self, after: Run | None = None, **changed: Any) -> Run:
        """Run the tap, one day after the run before, and load its log."""
        if after:
            self.sandbox.today += timedelta(days=1)
        asked = settings(self.sandbox, start_date="5 days ago", sync_log=True)
        clock = PatientClock()
        clock.sleep((self.sandbox.today - TODAY).total_seconds())
        asked |= {"stream_groups": ["ads"]} | changed
        result = run(asked, state=after.state if after else None, clock=clock)
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(FILL, [json.dumps(result.records("sync_log"))])
        return result

    def rows(self, result: Run, account: str | None) -> int:
        """The rows of an ad account, or of no ad account, in the log of a run."""
        log = result.records("sync_log")
        return sum(each["rows"] for each in log if each["ad_account_id"] == account)

    def metrics(self, family: observations.Family) -> Mapping[str | None, float]:
        """The values of a family by ad account."""
        fleet = SimpleNamespace(enabled=[CONNECTION])
        return {
            labels.get("ad_account"): value
            for each, labels, value in observations.of_tables(fleet, self.url)  # type: ignore[arg-type]
            if each == family
        }

    def without_a_complete_day(self) -> set[str]:
        """The ad accounts for which PinterestNumbersAreNeverComplete holds."""
        text = (ROOT / "deploy/alerts/pinterest.rules.yml").read_text("utf-8")
        (group,) = yaml.safe_load(text)["groups"]
        rules = {rule["alert"]: rule["expr"] for rule in group["rules"]}
        form = r'(\w+)\{ad_account!=""\} > 0 unless on \(connection, ad_account\) (\w+)'
        found = re.fullmatch(form, rules["PinterestNumbersAreNeverComplete"])
        assert found
        families = {each.name: each for each in (observations.ROWS, observations.COMPLETE_TO)}
        rows, complete_to = (self.metrics(families[name]) for name in found.groups())
        return {each for each, count in rows.items() if each and count} - {*complete_to}

    def complete_to(self) -> Mapping[str | None, date]:
        """The newest complete days of the view, which the metrics have too."""
        observations.make_view(self.url, [CONNECTION], "public")  # type: ignore[list-item]
        with psycopg.connect(self.url) as connection:
            rows = connection.execute("TABLE pinterest_freshness").fetchall()
        found: dict[str | None, date | None] = {account: day for _, account, day, *_ in rows}
        days = {account: day for account, day in found.items() if day}
        assert self.metrics(observations.COMPLETE_TO).keys() == days.keys()
        assert self.metrics(observations.ROWS).keys() == found.keys()
        return days


@pytest.fixture
def client() -> Iterator[Client]:
    """A client without rows."""
    with database() as (url, _), Sandbox(seed=1, today=TODAY, size=SMALL) as sandbox:
        found = Client(sandbox, url.replace("+psycopg", ""))
        with psycopg.connect(found.url, autocommit=True) as connection:
            connection.execute(CREATE)
        yield found


def test_streams_and_accounts_that_are_not_read_any_more_do_not_count(client: Client) -> None:
    kept, excluded = client.accounts
    first = client.run(stream_groups=["ads", "targeting"])

    last = client.run(after=first, exclude_ad_account_ids=[excluded])

    assert client.complete_to() == {kept: TODAY - timedelta(days=1)}
    rows = client.metrics(observations.ROWS)
    assert rows == {kept: client.rows(last, kept), None: client.rows(last, None)}


def test_a_refused_token_is_missing_streams_of_the_accounts_known_before(client: Client) -> None:
    first = client.run()
    per_account = {each["stream"] for each in first.records("sync_log") if each["ad_account_id"]}

    last = client.run(after=first, refresh_token="pinr.of-nobody", client_secret="wrong-secret")

    every = len({each["stream"] for each in last.records("sync_log")})
    missing: dict[str | None, int] = dict.fromkeys(client.accounts, len(per_account))
    assert client.metrics(observations.MISSING) == {**missing, None: every}
    assert set(client.metrics(observations.ROWS).values()) == {0}
    assert set(client.metrics(observations.CALLS).values()) == {0}
    day = TODAY - timedelta(days=2)
    assert client.complete_to() == dict.fromkeys(client.accounts, day)


def test_a_client_whose_first_token_is_refused_has_missing_streams(client: Client) -> None:
    client.run(refresh_token="pinr.of-nobody", client_secret="wrong-secret")

    assert client.complete_to() == {}
    assert client.metrics(observations.MISSING)[None] > 1


def test_a_report_that_has_never_arrived_leaves_no_complete_day(client: Client) -> None:
    broken, whole = client.accounts
    client.sandbox.fail(REPORT.format(broken), status=500, times=None)

    first = client.run()

    assert client.complete_to() == {whole: TODAY - timedelta(days=2)}
    assert client.metrics(observations.MISSING)[broken] == 1
    client.sandbox.heal()
    client.run(after=first)
    assert client.complete_to() == dict.fromkeys(client.accounts, TODAY - timedelta(days=1))


def test_a_first_run_that_was_refused_half_way_leaves_no_complete_day(client: Client) -> None:
    first = client.run()
    with psycopg.connect(client.url, autocommit=True) as connection:
        # The log of a run that ended before it asked for the days of this report.
        connection.execute(
            "UPDATE sync_log SET start_date = NULL, end_date = NULL, complete_to = NULL,"
            " result = 'failed', failed = true WHERE stream = 'campaign_analytics'"
        )

    assert client.complete_to() == {}
    client.run(after=first)
    assert client.complete_to() == dict.fromkeys(client.accounts, TODAY - timedelta(days=1))


def test_an_account_whose_numbers_are_never_complete_has_an_alert(client: Client) -> None:
    late = Readiness(conversion_days=99)
    with Sandbox(seed=1, today=TODAY, size=SMALL, readiness=late) as sandbox:
        first = client._replace(sandbox=sandbox).run()

        assert client.complete_to() == {}
        assert client.without_a_complete_day() == set(client.accounts)

    client.run(after=first)

    assert client.without_a_complete_day() == set()
