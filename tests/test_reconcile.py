"""Loaded tables and exports against Pinterest: equal, or different for a proven reason."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from both_targets import Database
from conftest import TODAY
from loading import database
from pinterest_sandbox import Sandbox, WorldSize
from singer_pipes import lines
from singer_run import PatientTap, run, settings
from tap_pinterest.api.periods import DateRange
from tap_pinterest.reconcile import export
from tap_pinterest.reconcile.comparison import compared
from tap_pinterest.reconcile.findings import Cause, Finding, Report, Totals, added_up, as_number
from tap_pinterest.reconcile.request import Request, RequestError
from tap_pinterest.reconcile.text import lines as lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path

REPORTS = ("ad_account_analytics", "campaign_analytics", "ad_group_analytics", "ad_analytics")
COLUMNS = (
    *("SPEND_IN_MICRO_DOLLAR", "SPEND_IN_DOLLAR", "IMPRESSION_1", "IMPRESSION_2"),
    *("TOTAL_IMPRESSION", "CLICKTHROUGH_1", "TOTAL_CHECKOUT", "TOTAL_CLICK_CHECKOUT"),
    *("TOTAL_IMPRESSION_USER", "CTR"),
)
WORLD = WorldSize(accounts=2, empty_accounts=0, campaigns=6, ad_groups=10, ads=30)
FIRST, LAST = TODAY - timedelta(days=12), TODAY - timedelta(days=6)
SPEND = "SPEND_IN_MICRO_DOLLAR"
READ = "UPDATE {}.{} SET _sdc_extracted_at = %s"
READ_AT = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=7, today=TODAY, size=WORLD, access_tier="unlimited", withheld=()) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with database() as (url, _):
        yield url


class Loaded:
    """The tables of one load, and what the command says of them."""

    def __init__(self, url: str, schema: str, sandbox: Sandbox, **config: Any) -> None:
        self.db = Database(url, schema)
        self.config = settings(sandbox, start_date=FIRST.isoformat(), report_columns=list(COLUMNS))
        self.config["end_date"] = "today"
        result = run(self.config | config, *REPORTS)
        assert result.code == 0
        self.db.load(lines(result.messages).decode())
        for table in REPORTS:
            self.execute(READ, table, READ_AT)

    def execute(self, query: str, table: str, *values: object) -> list[Any]:
        return self.db.execute(query, self.db.schema, table, values=values)

    def report(self, *, first: date = FIRST, last: date = LAST, **config: Any) -> Report:
        return reconciled(self.config | config, self.request(first=first, last=last))

    def request(self, **more: Any) -> Request:
        return request(database=self.db.url, schema=self.db.schema, **more)


def request(**more: Any) -> Request:
    options: dict[str, Any] = {
        **dict.fromkeys(("database", "export", "exported_on", "store")),
        "schema": "pinterest",
        "accounts": (),
        "first": FIRST,
        "last": LAST,
    }
    return Request(**options | more)


def reconciled(config: Mapping[str, Any], asked: Request) -> Report:
    tap = PatientTap(config=dict(config))
    try:
        return compared(tap.run, asked)
    finally:
        tap.run.close()


@pytest.fixture(scope="module")
def loaded(sandbox: Sandbox, url: str) -> Iterator[Loaded]:
    found = Loaded(url, "clean", sandbox)
    yield found
    found.db.close()


@contextmanager
def shown_as(loaded: Loaded, table: str, query: str) -> Iterator[None]:
    """A view in place of a table; its query reads the table as `{0}.{2}`."""
    schema, away = loaded.db.schema, f"away_{table}"
    loaded.db.execute("ALTER TABLE {}.{} RENAME TO {}", schema, table, away)
    loaded.db.execute(f"CREATE VIEW {{0}}.{{1}} AS {query}", schema, table, away)
    try:
        yield
    finally:
        loaded.db.execute("DROP VIEW {}.{}", schema, table)
        loaded.db.execute("ALTER TABLE {}.{} RENAME TO {}", schema, away, table)


@contextmanager
def without(loaded: Loaded, *tables: str) -> Iterator[None]:
    """The block has only the other tables."""
    for each in tables:
        loaded.db.execute("ALTER TABLE {}.{} RENAME TO {}", loaded.db.schema, each, f"away_{each}")
    try:
        yield
    finally:
        for each in tables:
            names = (loaded.db.schema, f"away_{each}", each)
            loaded.db.execute("ALTER TABLE {}.{} RENAME TO {}", *names)


@contextmanager
def read_by_runs(
    loaded: Loaded, stream: str, account: str, days: str, complete_to: date
) -> Iterator[None]:
    """The log says that runs have read these days of a stream."""
    create = """CREATE TABLE {}.{} AS SELECT %s::text AS stream, %s::text AS ad_account_id,
        'complete'::text AS result, %s::text AS ranges, %s::text AS complete_to"""
    loaded.execute(create, "sync_log", stream, account, days, str(complete_to))
    try:
        yield
    finally:
        loaded.execute("DROP TABLE {}.{}", "sync_log")


@contextmanager
def later(sandbox: Sandbox, days: int = 20) -> Iterator[None]:
    """The block runs some days after the tables were read."""
    sandbox.today = TODAY + timedelta(days=days)
    try:
        yield
    finally:
        sandbox.today = TODAY


def different(report: Report) -> list[Finding]:
    return [each for each in report.findings if each.outcome == "differs"]


def causes(report: Report) -> set[str]:
    return {cause.name for each in report.findings for cause in each.causes}


def test_after_a_clean_load_everything_is_equal(sandbox: Sandbox, loaded: Loaded) -> None:
    sandbox.requests.clear()
    report = loaded.report()

    asked = [each for each in sandbox.requests if str(each.operation).endswith("analytics")]
    outcomes = {(each.source, each.metric): each.outcome for each in report.findings}
    assert not report.failed
    assert different(report) == []
    assert len(asked) == 2
    assert {source for source, _ in outcomes} == {*REPORTS}
    assert outcomes["ad_analytics", SPEND] == "equal"
    assert outcomes["ad_analytics", "CTR"] == "not comparable"
    assert all(each.here for each in report.findings if each.metric == SPEND)
    assert [*lines_of(report)][-1] == "All that can be compared is equal."


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        ({"click_window_days": 7, "engagement_window_days": 7}, "windows"),
        ({"conversion_report_time": "TIME_OF_CONVERSION"}, "report time"),
        ({"reporting_timezone": "AD_ACCOUNT_TIME_ZONE"}, "time zone"),
    ],
    ids=["windows", "report time", "time zone"],
)
def test_other_settings_explain_a_difference(
    loaded: Loaded, config: dict[str, Any], cause: str
) -> None:
    report = loaded.report(**config)

    assert different(report)
    assert causes(report) == {cause}
    assert [each for each in report.findings if each.unexplained] == []
    assert not report.failed


@pytest.mark.parametrize(
    ("statuses", "cause"),
    [(["ACTIVE", "PAUSED"], "archived"), (["ACTIVE"], "filtered statuses")],
    ids=["archived", "filtered"],
)
def test_statuses_that_the_settings_leave_out_explain_a_difference(
    sandbox: Sandbox, url: str, statuses: list[str], cause: str
) -> None:
    of_some = Loaded(url, cause, sandbox, entity_statuses=statuses)
    report = of_some.report(entity_statuses=statuses)
    unfiltered = of_some.report()
    of_some.db.close()

    spend = [each for each in different(report) if each.metric == SPEND]
    assert {each.source for each in spend} == {"ad_analytics"}
    assert all(each.difference < 0 for each in spend)
    assert {cause} <= causes(report) <= {cause, "archived"}
    assert not report.failed
    assert unfiltered.failed
    assert causes(unfiltered) == set()


def test_numbers_that_pinterest_has_restated_since_explain_a_difference(
    sandbox: Sandbox, loaded: Loaded
) -> None:
    with later(sandbox):
        report = loaded.report(last=TODAY)

    assert {each.metric for each in different(report)} >= {SPEND, "TOTAL_CHECKOUT"}
    assert causes(report) == {"restated since"}
    assert not report.failed


def test_a_row_that_somebody_has_changed_is_found(loaded: Loaded) -> None:
    where = "spend_in_micro_dollar = (SELECT max(spend_in_micro_dollar) FROM {}.{} WHERE date = %s)"
    select = f"SELECT ad_id, spend_in_micro_dollar FROM {{}}.{{}} WHERE {where}"  # noqa: S608
    names = (loaded.db.schema, "ad_analytics") * 2
    ((ad_id, spend),) = loaded.db.execute(select, *names, values=[FIRST])
    change = "UPDATE {}.{} SET spend_in_micro_dollar = %s WHERE ad_id = %s AND date = %s"
    loaded.execute(change, "ad_analytics", spend + 1_000_000, ad_id, FIRST)
    try:
        report = loaded.report()
    finally:
        loaded.execute(change, "ad_analytics", spend, ad_id, FIRST)

    (finding,) = different(report)
    assert report.failed
    assert (finding.source, finding.metric) == ("ad_analytics", SPEND)
    assert finding.unexplained == 1_000_000
    (example,) = finding.examples
    assert example.startswith(f"{ad_id} on {FIRST}: ")
    assert [*lines_of(report)][-1] == "Spend differs, and nothing explains all of it."


def test_the_log_of_runs_says_that_a_row_was_read_again(sandbox: Sandbox, loaded: Loaded) -> None:
    """A loader that leaves unchanged rows as they are keeps the time of an earlier reading."""
    account = loaded.execute("SELECT ad_account_id FROM {}.{} LIMIT 1", "ad_analytics")[0][0]
    days, complete_to = f"2026-01-01..2026-01-02, {FIRST}..{TODAY}", TODAY + timedelta(days=60)
    with later(sandbox), read_by_runs(loaded, "ad_analytics", account, days, complete_to):
        report = loaded.report(last=TODAY)

    rest = [each for each in different(report) if each.unexplained]
    assert {(each.source, each.ad_account_id) for each in rest} == {("ad_analytics", account)}
    assert report.failed


def test_days_that_were_never_read_are_not_restated(sandbox: Sandbox, loaded: Loaded) -> None:
    with later(sandbox, days=6):
        report = loaded.report(first=TODAY, last=TODAY + timedelta(days=4))

    unsettled = f"{TODAY}..{TODAY} had not settled when last read"
    proofs = {each.text for found in report.findings for each in found.causes}
    assert proofs <= {unsettled}
    assert {each.source for each in report.findings if each.failed} == {*REPORTS}
    assert any(str(TODAY + timedelta(days=1)) in each for each in different(report)[0].examples)


@pytest.mark.parametrize(
    ("change", "undo"),
    [
        (
            "spend_in_micro_dollar = spend_in_micro_dollar + 9000000 WHERE date = %s",
            "spend_in_micro_dollar = spend_in_micro_dollar - 9000000 WHERE date = %s",
        ),
        ("date = date + 1000 WHERE date = %s", "date = date - 1000 WHERE date = %s::date + 1000"),
    ],
    ids=["changed", "lost"],
)
def test_a_difference_that_only_one_table_shows_is_not_restated(
    loaded: Loaded, change: str, undo: str
) -> None:
    day = TODAY - timedelta(days=1)
    update = "UPDATE {}.{} SET "
    loaded.execute(update + change, "campaign_analytics", day)
    try:
        report = loaded.report(first=day, last=day)
    finally:
        loaded.execute(update + undo, "campaign_analytics", day)

    assert report.failed
    assert causes(report) == set()
    assert {each.source for each in different(report)} == {"campaign_analytics"}


@pytest.mark.parametrize(
    ("table", "key"),
    [("campaign_analytics", "campaign_id"), ("ad_account_analytics", "ad_account_id")],
)
def test_a_table_that_disagrees_with_the_others_of_its_run_is_not_restated(
    sandbox: Sandbox, loaded: Loaded, table: str, key: str
) -> None:
    change = f"""UPDATE {{}}.{{}} SET spend_in_micro_dollar = spend_in_micro_dollar + %s
        WHERE date = %s AND {key} = (SELECT min({key}) FROM {{}}.{{}} WHERE date = %s)"""  # noqa: S608
    names = (loaded.db.schema, table) * 2
    loaded.db.execute(change, *names, values=[9_000_000, TODAY, TODAY])
    try:
        with later(sandbox):
            report = loaded.report(first=TODAY, last=TODAY)
    finally:
        loaded.db.execute(change, *names, values=[-9_000_000, TODAY, TODAY])

    spend = [each for each in different(report) if each.metric == SPEND]
    assert {each.source for each in spend} == {*REPORTS}
    assert {each.source for each in spend if each.failed} == {table}
    assert {each.source for each in report.findings if each.unexplained} == {table}


@contextmanager
def lost(loaded: Loaded, table: str, key: str, day: date) -> Iterator[None]:
    """The table has no row of the entity that spent most on a day."""
    most = f"""(SELECT {key} FROM {{0}}.{{2}} AS most WHERE most.date = kept.date
        ORDER BY spend_in_micro_dollar DESC NULLS LAST LIMIT 1)"""  # noqa: S608
    query = f"""SELECT * FROM {{0}}.{{2}} AS kept
        WHERE date <> '{day}' OR {key} <> {most}"""  # noqa: S608
    with shown_as(loaded, table, query):
        yield


@pytest.mark.parametrize(
    ("levels", "failed", "others_are_restated"),
    [
        (("ad_analytics",), {"ad_analytics"}, True),
        (("campaign_analytics", "ad_analytics"), {"campaign_analytics", "ad_analytics"}, False),
        (REPORTS, {"ad_analytics"}, False),
    ],
    ids=["one level", "two levels", "all levels"],
)
def test_a_lost_row_of_a_day_that_had_not_settled_is_not_restated(
    sandbox: Sandbox,
    loaded: Loaded,
    levels: tuple[str, ...],
    failed: set[str],
    *,
    others_are_restated: bool,
) -> None:
    """Without a second table of the same run nobody knows whether the row was there."""
    missing = [each for each in REPORTS if each not in levels]
    with later(sandbox), without(loaded, *missing), lost(loaded, "ad_analytics", "ad_id", TODAY):
        report = loaded.report(last=TODAY)

    found = [each for each in report.findings if each.failed and each.metric == SPEND]
    unsure = f"{TODAY}..{TODAY} had not settled when last read, and no other table shows"
    assert {each.source for each in found} == failed
    assert all(each.examples[-1].startswith(unsure) for each in found)
    restated = [cause.text for each in found for cause in each.causes]
    assert any(str(TODAY) in each for each in restated) is others_are_restated


def test_two_levels_that_agree_are_restated(sandbox: Sandbox, loaded: Loaded) -> None:
    with later(sandbox), without(loaded, *REPORTS[:2]):
        report = loaded.report(first=TODAY, last=TODAY)

    assert {each.source for each in different(report)} == {*REPORTS[2:]}
    assert causes(report) == {"restated since"}
    assert not report.failed


def test_rows_that_are_there_twice_are_not_restated(loaded: Loaded) -> None:
    query = "SELECT * FROM {0}.{2} UNION ALL SELECT * FROM {0}.{2}"
    with shown_as(loaded, "campaign_analytics", query):
        report = loaded.report(last=TODAY)

    spend = [each for each in report.findings if each.failed]
    assert {each.source for each in spend} == {"campaign_analytics"}
    assert all("rows repeat the entity and day of another" in each.examples[-1] for each in spend)
    assert causes(report) == set()


def test_the_time_zone_of_the_database_moves_no_time_of_reading(loaded: Loaded) -> None:
    """Two hours after the numbers had settled in UTC, it is still the day before elsewhere."""
    table, schema = "campaign_analytics", loaded.db.schema
    read = """ALTER TABLE {}.{} ALTER COLUMN _sdc_extracted_at TYPE timestamptz
        USING ((date + 2)::timestamp + interval '2 hours') AT TIME ZONE 'UTC'"""
    change = "UPDATE {}.{} SET spend_in_micro_dollar = spend_in_micro_dollar + %s WHERE date = %s"
    loaded.execute(read, table)
    loaded.execute(change, table, 9_000_000, FIRST)
    joined = "&" if "?" in loaded.db.url else "?"
    elsewhere = f"{loaded.db.url}{joined}options=-c%20timezone%3DAmerica/Los_Angeles"
    try:
        report = reconciled(loaded.config, request(database=elsewhere, schema=schema))
    finally:
        loaded.execute(change, table, -9_000_000, FIRST)
        loaded.execute("ALTER TABLE {}.{} ALTER COLUMN _sdc_extracted_at TYPE timestamp", table)
        loaded.execute(READ, table, READ_AT)

    assert {each.source for each in report.findings if each.failed} == {table}
    assert causes(report) == set()


def test_rows_that_are_older_than_the_columns_of_settings_have_the_present_ones(
    loaded: Loaded,
) -> None:
    table = "ad_account_analytics"
    forget = "UPDATE {}.{} SET click_window_days = %s, total_checkout = total_checkout + %s"
    loaded.execute(forget, table, None, 1)
    try:
        report = loaded.report()
    finally:
        loaded.execute(forget, table, 30, -1)

    assert {each.metric for each in different(report)} == {"TOTAL_CHECKOUT"}
    assert causes(report) == set()


def test_an_ad_account_of_the_config_that_cannot_be_read_fails(loaded: Loaded) -> None:
    account = loaded.execute("SELECT ad_account_id FROM {}.{} LIMIT 1", "ad_analytics")[0][0]
    both = loaded.report(ad_account_ids=[account, "999"])
    one = reconciled(
        loaded.config | {"ad_account_ids": [account, "999"]}, loaded.request(accounts=(account,))
    )

    assert [each.partition(":")[0] for each in both.notes] == ["ad account 999 cannot be compared"]
    assert both.failed
    assert [*lines_of(both)][-1] == "Not everything could be compared."
    assert not one.failed


def test_a_column_that_a_table_lacks_is_named(loaded: Loaded) -> None:
    loaded.execute("ALTER TABLE {}.{} RENAME COLUMN total_checkout TO gone", "campaign_analytics")
    try:
        report = loaded.report()
    finally:
        loaded.execute(
            "ALTER TABLE {}.{} RENAME COLUMN gone TO total_checkout", "campaign_analytics"
        )

    assert report.notes == ["campaign_analytics has no column total_checkout"]
    assert not report.failed


def test_an_ad_account_that_is_named_twice_is_compared_once(loaded: Loaded) -> None:
    account = loaded.execute("SELECT ad_account_id FROM {}.{} LIMIT 1", "ad_analytics")[0][0]
    once = reconciled(loaded.config, loaded.request(accounts=(account,)))
    twice = reconciled(loaded.config, loaded.request(accounts=(account, account)))

    assert len(twice.findings) == len(once.findings)


def test_a_row_that_a_loader_has_marked_as_deleted_does_not_count(loaded: Loaded) -> None:
    columns = "ad_id, ad_account_id, date, spend_in_micro_dollar"
    query = f"""SELECT {columns}, NULL::timestamp AS _sdc_deleted_at FROM {{0}}.{{2}}
        UNION ALL SELECT {columns}, now()::timestamp FROM {{0}}.{{2}}"""  # noqa: S608
    with shown_as(loaded, "ad_analytics", query):
        report = loaded.report()

    spend = [each for each in report.findings if each.metric == SPEND]
    assert {each.source for each in spend} == {*REPORTS}
    assert {each.outcome for each in spend} == {"equal"}


def test_a_row_that_is_missing_is_found(loaded: Loaded) -> None:
    copy = "CREATE TEMPORARY TABLE kept AS SELECT * FROM {}.{} WHERE date = %s"
    loaded.execute(copy, "campaign_analytics", FIRST)
    loaded.execute("DELETE FROM {}.{} WHERE date = %s", "campaign_analytics", FIRST)
    try:
        report = loaded.report()
    finally:
        loaded.execute("INSERT INTO {}.{} SELECT * FROM kept", "campaign_analytics")

    assert report.failed
    assert {each.source for each in different(report)} == {"campaign_analytics"}
    assert all(str(FIRST) in example for each in different(report) for example in each.examples)


@pytest.mark.parametrize(
    ("path", "verdict"),
    [("*/analytics", "Not every"), ("*/ad_groups/analytics", "Spend differs")],
    ids=["totals", "causes"],
)
def test_a_failed_call_explains_no_difference(
    sandbox: Sandbox, loaded: Loaded, path: str, verdict: str
) -> None:
    change = "UPDATE {}.{} SET spend_in_micro_dollar = spend_in_micro_dollar + %s WHERE date = %s"
    loaded.execute(change, "ad_group_analytics", 5_000_000, FIRST)
    sandbox.fail(f"/ad_accounts{path}", status=500, times=None)
    try:
        report = loaded.report()
    finally:
        sandbox.heal()
        loaded.execute(change, "ad_group_analytics", -5_000_000, FIRST)

    assert report.failed
    assert [*lines_of(report)][-1].startswith(verdict)


def test_statuses_do_not_explain_a_table_without_rows(loaded: Loaded) -> None:
    copy = "CREATE TEMPORARY TABLE all_rows AS SELECT * FROM {}.{}"
    loaded.execute(copy, "ad_group_analytics")
    loaded.execute("DELETE FROM {}.{}", "ad_group_analytics")
    try:
        report = loaded.report()
    finally:
        loaded.execute("INSERT INTO {}.{} SELECT * FROM all_rows", "ad_group_analytics")

    assert report.failed
    assert causes(report) == set()
    assert {each.source for each in different(report)} == {"ad_group_analytics"}


def test_a_metric_that_pinterest_refuses_is_not_compared(url: str) -> None:
    with Sandbox(
        seed=7, today=TODAY, size=WORLD, access_tier="unlimited", unavailable=["TOTAL_CHECKOUT"]
    ) as sandbox:
        refused = Loaded(url, "refused", sandbox, report_columns=["SPEND_IN_MICRO_DOLLAR"])
        change = "ALTER TABLE {}.{} ADD COLUMN total_checkout numeric DEFAULT 1"
        refused.execute(change, "ad_account_analytics")
        report = refused.report()
        refused.db.close()

    (finding,) = {each.obstacle for each in report.findings if each.metric == "TOTAL_CHECKOUT"}
    assert finding == "Pinterest refuses it for the ad account"
    assert not report.failed


def test_the_table_of_daasity_is_compared_too(sandbox: Sandbox, url: str) -> None:
    config = settings(sandbox, layout="daasity", start_date=FIRST.isoformat())
    db = Database(url, "daasity")
    db.load(lines(run(config, "ad_analytics").messages).decode())
    report = reconciled(config, request(database=url, schema="daasity"))
    db.close()

    assert {each.source for each in report.findings} == {"ad_analytics"}
    assert different(report) == []
    assert not report.failed


def test_results_are_added_to_a_table(loaded: Loaded) -> None:
    reconciled(loaded.config, loaded.request(store="reconciliation"))
    reconciled(loaded.config, loaded.request(store="reconciliation"))

    query = "SELECT checked_at, source, metric, outcome, difference FROM {}.{} WHERE metric = %s"
    rows = loaded.execute(query, "reconciliation", SPEND.lower())
    assert len({row[0] for row in rows}) == 2
    assert {row[1] for row in rows} == {*REPORTS}
    assert {row[3:] for row in rows} == {("equal", 0)}


@pytest.mark.parametrize(("store", "code"), [([], 0), (["--store", "ad_analytics"], 2)])
def test_the_command_prints_json_and_ends_with_its_verdict(
    loaded: Loaded, tmp_path: Path, store: list[str], code: int
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(loaded.config))
    arguments = ["--config", str(config), "--schema", loaded.db.schema, "--format", "json"]
    days = ["--from", str(FIRST), "--to", str(LAST)]
    program = "from tap_pinterest.commands.reconcile import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments, *days, *store],
        env={**os.environ, "TARGET_POSTGRES_SQLALCHEMY_URL": loaded.db.url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code, done.stderr
    report = json.loads(done.stdout)
    assert (report["start_date"], report["failed"]) == (str(FIRST), False)
    assert {each["outcome"] for each in report["findings"]} == {"equal", "not comparable"}


READER = "reads_only"


@pytest.fixture
def read_only(loaded: Loaded) -> Iterator[str]:
    """The address of the database for a role that may read all but one of the tables."""
    schema = loaded.db.schema
    loaded.db.execute("CREATE ROLE {} LOGIN PASSWORD 'x'", READER)
    loaded.db.execute("GRANT USAGE ON SCHEMA {} TO {}", schema, READER)
    for table in REPORTS[1:]:
        loaded.db.execute("GRANT SELECT ON {}.{} TO {}", schema, table, READER)
    yield re.sub("//[^@]*@", f"//{READER}:x@", loaded.db.url)
    loaded.db.execute("DROP OWNED BY {}", READER)
    loaded.db.execute("DROP ROLE {}", READER)


def test_a_table_that_the_role_may_not_read_fails(loaded: Loaded, read_only: str) -> None:
    report = reconciled(
        loaded.config, request(database=read_only, schema=loaded.db.schema, store="mine")
    )

    assert report.failed
    assert {each.source for each in report.findings if each.metric == SPEND} == {*REPORTS[1:]}
    assert any("permission denied for table ad_account_analytics" in n for n in report.notes)
    assert [*lines_of(report)][-1] == "Not everything could be compared."
    assert not report.is_stored


def test_a_missing_table_fails_if_the_log_of_runs_knows_its_days(loaded: Loaded) -> None:
    account = loaded.execute("SELECT ad_account_id FROM {}.{} LIMIT 1", "ad_analytics")[0][0]
    with without(loaded, "ad_analytics"):
        unknown = loaded.report()
        with read_by_runs(loaded, "ad_analytics", account, f"{FIRST}..{TODAY}", TODAY):
            known = loaded.report()

    assert unknown.notes == ["there is no table ad_analytics"]
    assert not unknown.failed
    assert known.failed
    assert any(account in each for each in known.notes)


def test_a_column_of_text_fails_and_the_other_tables_are_compared(loaded: Loaded) -> None:
    query = "SELECT ad_id, ad_account_id, date, 'much' AS spend_in_micro_dollar FROM {0}.{2}"
    with shown_as(loaded, "ad_analytics", query):
        report = loaded.report()

    assert report.failed
    assert {each.source for each in report.findings if each.metric == SPEND} == {*REPORTS[:3]}
    assert any(each.startswith("ad_analytics of ad account ") for each in report.notes)


@pytest.mark.parametrize("kind", ["numeric", "float"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_column_that_has_no_sum_fails_and_the_others_are_compared(
    loaded: Loaded, kind: str, number: str
) -> None:
    query = f"""SELECT ad_id, ad_account_id, date, impression_1,
        CASE WHEN date = '{FIRST}' THEN '{number}'::{kind} ELSE spend_in_micro_dollar END
        AS spend_in_micro_dollar FROM {{0}}.{{2}}"""  # noqa: S608
    with shown_as(loaded, "ad_analytics", query):
        report = loaded.report()

    outcomes = {(each.source, each.metric): each.outcome for each in report.findings}
    assert report.failed
    assert outcomes["ad_analytics", SPEND] == "not comparable"
    assert outcomes["ad_analytics", "IMPRESSION_1"] == "equal"
    assert outcomes["campaign_analytics", SPEND] == "equal"
    assert any("spend_in_micro_dollar: rows have NaN or Infinity" in each for each in report.notes)
    assert [*lines_of(report)][-1] == "Not everything could be compared."
    assert ": NaN" not in json.dumps([each.as_json() for each in report.findings])


def test_a_column_that_has_no_sum_says_nothing_about_other_tables(
    sandbox: Sandbox, loaded: Loaded
) -> None:
    query = """SELECT ad_id, ad_account_id, date, _sdc_extracted_at,
        spend_in_micro_dollar + 'NaN'::numeric AS spend_in_micro_dollar FROM {0}.{2}"""
    with later(sandbox), shown_as(loaded, "ad_analytics", query):
        report = loaded.report(last=TODAY)

    assert {each.source for each in different(report)} == {*REPORTS[:3]}
    assert causes(report) == {"restated since"}
    assert [each for each in report.findings if each.failed] == []


def test_a_window_without_a_number_is_a_table_that_cannot_be_read(loaded: Loaded) -> None:
    query = """SELECT ad_id, ad_account_id, date, spend_in_micro_dollar,
        'NaN'::float AS click_window_days FROM {0}.{2}"""
    with shown_as(loaded, "ad_analytics", query):
        report = loaded.report()

    assert report.failed
    assert any(each.startswith("ad_analytics of ad account ") for each in report.notes)
    assert {each.source for each in report.findings if each.metric == SPEND} == {*REPORTS[:3]}


def test_a_table_without_ids_says_in_one_line_why_no_cause_is_found(loaded: Loaded) -> None:
    query = """SELECT ad_account_id, date, spend_in_micro_dollar + 1000 AS spend_in_micro_dollar
        FROM {0}.{2}"""
    with shown_as(loaded, "ad_analytics", query):
        report = loaded.report()

    reason = 'the cause could not be looked for: column "ad_id" does not exist'
    assert [each.examples for each in different(report)] == [[reason], [reason]]


def test_windows_may_be_numbers_with_fractions(loaded: Loaded) -> None:
    query = """SELECT ad_id, ad_account_id, date, total_checkout, engagement_window_days,
        click_window_days::float AS click_window_days FROM {0}.{2}"""
    with shown_as(loaded, "ad_analytics", query):
        report = loaded.report(click_window_days=7, engagement_window_days=7)

    of_ads = [each for each in different(report) if each.source == "ad_analytics"]
    assert {cause.name for each in of_ads for cause in each.causes} == {"windows"}
    assert [each for each in of_ads if each.unexplained] == []


@pytest.mark.parametrize(
    "written",
    [
        "'HOUSEHOLD,INDIVIDUAL'",
        "string_to_array('HOUSEHOLD,INDIVIDUAL', ',')",
        "'[\"HOUSEHOLD\"]'::jsonb",
    ],
    ids=["text", "array", "JSON"],
)
def test_attribution_types_are_read_in_each_form_that_a_loader_writes(
    sandbox: Sandbox, loaded: Loaded, written: str
) -> None:
    query = f"""SELECT ad_id, ad_account_id, date, total_checkout + 1 AS total_checkout,
        {written} AS attribution_types FROM {{0}}.{{2}}"""  # noqa: S608
    sandbox.requests.clear()
    with shown_as(loaded, "ad_analytics", query):
        loaded.report()

    asked = [each.body["attribution_types"] for each in sandbox.requests if each.body]
    assert asked
    assert all(each == re.findall("[A-Z]{2,}", written) for each in asked)


@pytest.mark.parametrize("ranges", ["", "all", "2026-11-01.."])
def test_a_log_without_days_says_nothing(loaded: Loaded, ranges: str) -> None:
    account = loaded.execute("SELECT ad_account_id FROM {}.{} LIMIT 1", "ad_analytics")[0][0]
    with (
        without(loaded, "ad_analytics"),
        read_by_runs(loaded, "ad_analytics", account, ranges, TODAY),
    ):
        report = loaded.report()

    assert report.notes == ["there is no table ad_analytics"]


def test_results_that_cannot_be_stored_are_printed_all_the_same(loaded: Loaded) -> None:
    report = reconciled(loaded.config, loaded.request(store="ad_analytics"))

    assert (report.failed, report.is_stored) == (False, False)
    assert report.findings
    assert "--store" in report.notes[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Name a database"),
        ({"database": "postgresql://127.0.0.1:1/x", "accounts": ("7",)}, "does not list 7"),
        ({"database": "postgresql://127.0.0.1:1/x"}, "there is no connection"),
        ({"database": "mysql://127.0.0.1/x"}, "--database: the address of the database is not of"),
        ({"database": "postgresql://127.0.0.1:1/x", "first": LAST, "last": FIRST}, "refused"),
        ({"database": "x", "first": TODAY - timedelta(days=100)}, "at most 90 days"),
        ({"export": "x", "store": "y"}, "--store needs a database"),
    ],
)
def test_a_request_that_cannot_be_fulfilled_is_refused(
    sandbox: Sandbox, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        reconciled(settings(sandbox), request(**options))


# Exports.


def numbers(sandbox: Sandbox, account: str, **asked: Any) -> list[dict[str, Any]]:
    """Pinterest's rows by ad over the days, without the tap."""
    query = {
        "ad_account_id": account,
        "granularity": "TOTAL",
        "columns": [*COLUMNS[:-2]],
        "start_date": FIRST.isoformat(),
        "end_date": LAST.isoformat(),
        "click_window_days": 30,
        "engagement_window_days": 30,
        "view_window_days": 1,
    }
    items = sandbox.truth("GET /ad_accounts/{ad_account_id}/ads", ad_account_id=account)
    ids = [item["id"] for _, item in items]
    path = "GET /ad_accounts/{ad_account_id}/ads/analytics"
    found = sandbox.truth(path, **query | {"ad_ids": ids} | asked)
    return [row for _, row in found]


def exported(
    sandbox: Sandbox,
    path: Path,
    *,
    but: frozenset[str] = frozenset(),
    label: str = "",
    **asked: Any,
) -> Report:
    """The comparison of an export by ad that somebody made with these settings."""
    account = next(iter(PatientTap(config=settings(sandbox)).run.inventory.owners.ad_account_ids))
    heading = label or "Paid impressions"
    rows = [f'"Ad ID","Spend in account currency","{heading}","TOTAL_CHECKOUT"']
    for each in numbers(sandbox, account, **asked):
        if each["AD_ID"] not in but:
            spend = Decimal(str(each.get("SPEND_IN_DOLLAR", 0)))
            shown = (each.get("IMPRESSION_1", 0), each.get("TOTAL_CHECKOUT", 0))
            cells = ("$" + f"{spend:,.2f}", *(f"{number:,}" for number in shown))
            rows.append(",".join([str(each["AD_ID"]), *(f'"{cell}"' for cell in cells)]))
    path.write_text("\n".join(rows), "utf-8-sig")
    return of_export(sandbox, path, exported_on=TODAY)


def of_export(sandbox: Sandbox, path: Path, text: str = "", **more: Any) -> Report:
    """The comparison of a file, to which the text is written, with the first ad account."""
    if text:
        path.write_text(text, "utf-8")
    config = settings(sandbox)
    account = next(iter(PatientTap(config=config).run.inventory.owners.ad_account_ids))
    return reconciled(config, request(export=path, accounts=(account,), **more))


LATER = TODAY + timedelta(days=80)
"""A day on which all numbers have settled."""


def test_an_export_is_equal(sandbox: Sandbox, tmp_path: Path) -> None:
    report = exported(sandbox, tmp_path / "export.csv")

    assert different(report) == []
    assert {each.metric for each in report.findings} == {
        *("SPEND_IN_DOLLAR", "PAID_IMPRESSION", "TOTAL_CHECKOUT")
    }
    assert not report.failed


@pytest.mark.parametrize(
    ("label", "asked", "cause"),
    [
        ("Total impression", {}, "paid against total"),
        ("", {"view_window_days": 30}, "windows"),
        ("", {"conversion_report_time": "TIME_OF_CONVERSION"}, "report time"),
        ("", {"reporting_timezone": "AD_ACCOUNT_TIME_ZONE"}, "time zone"),
    ],
    ids=["kinds", "windows", "report time", "time zone"],
)
def test_an_export_with_other_settings_is_explained(
    sandbox: Sandbox, tmp_path: Path, label: str, asked: dict[str, Any], cause: str
) -> None:
    report = exported(sandbox, tmp_path / "export.csv", label=label, **asked)

    assert different(report)
    assert causes(report) == {cause}
    assert not report.failed


def test_an_export_without_archived_ads_is_explained(sandbox: Sandbox, tmp_path: Path) -> None:
    account = next(iter(PatientTap(config=settings(sandbox)).run.inventory.owners.ad_account_ids))
    path = "GET /ad_accounts/{ad_account_id}/ads"
    items = sandbox.truth(path, ad_account_id=account)
    archived = frozenset(item["id"] for _, item in items if item["status"] == "ARCHIVED")
    report = exported(sandbox, tmp_path / "export.csv", but=archived)

    assert archived
    assert causes(report) == {"archived"}
    assert not report.failed


def test_an_export_that_lacks_an_ad_has_not_been_restated(sandbox: Sandbox, tmp_path: Path) -> None:
    account = next(iter(PatientTap(config=settings(sandbox)).run.inventory.owners.ad_account_ids))
    items = sandbox.truth("GET /ad_accounts/{ad_account_id}/ads", ad_account_id=account)
    active = {item["id"] for _, item in items if item["status"] == "ACTIVE"}
    sold = (e["AD_ID"] for e in numbers(sandbox, account) if e.get("TOTAL_CHECKOUT"))
    lost = next(str(each) for each in sold if str(each) in active)
    report = exported(sandbox, tmp_path / "export.csv", but=frozenset({lost}))

    assert "TOTAL_CHECKOUT" in {each.metric for each in different(report)}
    assert causes(report) == set()
    assert report.failed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TOTAL_CHECKOUT\n1\n", {"restated since"}),
        (f"Date,TOTAL_CHECKOUT\n{FIRST},1\n", set()),
        ("Ad account ID,TOTAL_CHECKOUT\n5,1\n", set()),
    ],
    ids=["whole", "without some of the days", "without a row of the ad account"],
)
def test_an_export_was_restated_only_if_it_has_all_rows(
    sandbox: Sandbox, tmp_path: Path, text: str, expected: set[str]
) -> None:
    report = of_export(sandbox, tmp_path / "export.csv", text, exported_on=TODAY)

    assert different(report)
    assert causes(report) == expected


def test_an_export_that_is_older_than_its_days_was_not_restated(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    for text, made_on in (
        ("TOTAL_CHECKOUT\n1\n", FIRST - timedelta(days=2)),
        (f"Date,TOTAL_CHECKOUT\n{FIRST},1\n", FIRST - timedelta(days=2)),
    ):
        report = of_export(sandbox, tmp_path / "export.csv", text, exported_on=made_on)
        assert different(report)
        assert causes(report) == set()


@pytest.mark.parametrize(
    ("change", "expected"),
    [("smaller", {"restated since"}), ("lost", set()), ("in two rows", set())],
)
def test_an_export_with_a_lost_row_of_an_ad_was_not_restated(
    sandbox: Sandbox, tmp_path: Path, change: str, expected: set[str]
) -> None:
    """The ad and the day have other rows. Of several rows for both, nobody knows the number."""
    account = next(iter(PatientTap(config=settings(sandbox)).run.inventory.owners.ad_account_ids))
    rows = [
        (each["AD_ID"], each["DATE"], each.get("TOTAL_CHECKOUT", 0))
        for each in numbers(sandbox, account, granularity="DAY")
    ]
    most = max(rows, key=lambda row: row[2])
    ad_id, day, checkouts = most
    instead = {
        "smaller": [(ad_id, day, checkouts - 1)],
        "lost": [],
        "in two rows": [(ad_id, day, 0), (ad_id, day, checkouts - 1)],
    }
    rows = [each for each in rows if each != most] + instead[change]
    text = "\n".join(["Ad ID,Date,TOTAL_CHECKOUT", *(",".join(map(str, row)) for row in rows)])
    report = of_export(sandbox, tmp_path / "export.csv", text, exported_on=TODAY)

    assert {ad_id} & {row[0] for row in rows}
    assert {day} & {row[1] for row in rows}
    assert different(report)
    assert causes(report) == expected


@pytest.mark.parametrize(("is_lost", "expected"), [(False, {"windows"}), (True, set())])
def test_windows_do_not_explain_an_export_that_lacks_an_ad(
    sandbox: Sandbox, tmp_path: Path, *, is_lost: bool, expected: set[str]
) -> None:
    """The rows that are left happen to add up to the number with other windows."""
    account = next(iter(PatientTap(config=settings(sandbox)).run.inventory.owners.ad_account_ids))
    week = {"click_window_days": 7, "engagement_window_days": 7}
    found = numbers(sandbox, account, **week)
    rows = {str(each["AD_ID"]): each.get("TOTAL_CHECKOUT", 0) for each in found}
    most, next_most = sorted(rows, key=lambda ad_id: -rows[ad_id])[:2]
    if is_lost:
        rows[next_most] += rows.pop(most)
    text = "\n".join(["Ad ID,TOTAL_CHECKOUT", *(f"{ad_id},{n}" for ad_id, n in rows.items())])
    report = of_export(sandbox, tmp_path / "export.csv", text, exported_on=LATER)

    assert different(report)
    assert causes(report) == expected


def test_the_settings_of_an_export_must_fit_all_its_numbers(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    account = next(iter(PatientTap(config=settings(sandbox)).run.inventory.owners.ad_account_ids))

    def total(metric: str, **asked: Any) -> int:
        return sum(each.get(metric, 0) for each in numbers(sandbox, account, **asked))

    week = {"click_window_days": 7, "engagement_window_days": 7}
    click = total("TOTAL_CLICK_CHECKOUT", **week)
    for checkouts, expected in (
        (total("TOTAL_CHECKOUT", **week), {"windows"}),
        (total("TOTAL_CHECKOUT"), set()),
    ):
        text = f"TOTAL_CHECKOUT,TOTAL_CLICK_CHECKOUT\n{checkouts},{click}\n"
        report = of_export(sandbox, tmp_path / "export.csv", text, exported_on=LATER)
        assert different(report)
        assert causes(report) == expected


def test_an_export_may_have_metrics_that_the_tap_cannot_load(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Only synchronous calls have this metric, so that no table has it."""
    report = of_export(sandbox, tmp_path / "export.csv", "Spend,QUIZ_PIN_RESULT_OPEN\n1,2\n")

    assert {each.metric for each in report.findings} == {"SPEND_IN_DOLLAR", "QUIZ_PIN_RESULT_OPEN"}


def test_an_export_of_an_ad_account_that_is_not_read_is_refused(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "export.csv"
    path.write_text("Ad account ID,Spend\n549755885175000000,12.34\n")
    with pytest.raises(RequestError, match="does not read, such as 549755885175000000"):
        reconciled(settings(sandbox), request(export=path))


def test_an_export_that_differs_for_no_reason_fails(sandbox: Sandbox, tmp_path: Path) -> None:
    text = "Spend,Shop sales\n12.34,5\n"
    report = of_export(sandbox, tmp_path / "export.csv", text, exported_on=LATER)

    (finding,) = report.findings
    assert report.failed
    assert finding.unexplained == finding.difference
    assert report.notes == ["export.csv: Shop sales is no metric that Pinterest displays"]


def sums(found: export.Export) -> Totals:
    return added_up(line.values for line in found.lines)


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ('Day,Spend\n2026-11-09,"$1,234.50"\n2026-11-10,"€ 2,000"\n', "3234.50"),
        ("Day;Spend\n09.11.2026;1.234,50 €\n10.11.2026;2.000\n", "3234.50"),
        ("Date\tSpend (USD)\n11/09/2026\t-\n11/13/2026\t1 234.5\n", "1234.5"),
        ("Report of November\n\nDate,Spend\n2026-11-09,5\nTotal,5\n", "5"),
    ],
    ids=["dollars", "euros", "tabs", "a title and a total"],
)
def test_numbers_are_read_as_they_are_written(tmp_path: Path, text: str, total: str) -> None:
    path = tmp_path / "export.csv"
    path.write_text(text, "utf-8-sig")
    found = export.read(path, {"spend_in_dollar": "Spend"})

    assert sum(sums(found).values()) == Decimal(total)
    assert len(found.lines) == text.count("2026")


DISPLAYED = {
    "total_conversions": "Total conversions",
    "total_checkout": "Total conversions (Checkout)",
    "total_signup": "Total conversions (Signup)",
    "total_checkout_value_in_micro_dollar": "Total order value (Checkout)",
    "spend_in_micro_dollar": "Spend in account currency",
}


def written(folder: Path, text: str, displayed: Mapping[str, str] = DISPLAYED) -> export.Export:
    path = folder / "export.csv"
    path.write_text(text, "utf-8")
    return export.read(path, displayed)


def test_the_brackets_of_a_heading_name_its_event(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        "Total conversions (Checkout),Total conversions (Signup),Total conversions (Quiz),"
        "Total conversions,Spend in account currency (EUR)\n1,2,3,4,5\n",
    )

    assert found.metrics == {
        "Total conversions (Checkout)": "TOTAL_CHECKOUT",
        "Total conversions (Signup)": "TOTAL_SIGNUP",
        "Total conversions": "TOTAL_CONVERSIONS",
        "Spend in account currency (EUR)": "SPEND_IN_MICRO_DOLLAR",
    }
    assert found.unknown == ["Total conversions (Quiz)"]


def test_amounts_are_in_millionths_only_where_the_heading_says_it(tmp_path: Path) -> None:
    label, name = "Spend in account currency", "SPEND_IN_MICRO_DOLLAR"
    found = written(tmp_path, f"{label},{name}\n12.5,12500000\n2.25,2250000\n")

    assert sums(found) == {label: 14_750_000, name: 14_750_000}
    assert found.rounding == {label: 5_000, name: 0}


def test_a_column_is_as_exact_as_its_most_exact_cell(tmp_path: Path) -> None:
    found = written(tmp_path, "Spend,Saves\n1.50,3\n2,4\n1.5,5\n")

    assert found.rounding == {"Spend": Decimal("0.005"), "Saves": 0}


def test_amounts_without_decimals_are_rounded(tmp_path: Path) -> None:
    assert written(tmp_path, "Spend,Saves\n15,3\n2,4\n").rounding["Spend"] == Decimal("0.5")


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["09/11/2026", "13/11/2026"], ["2026-11-09", "2026-11-13"]),
        (["11/09/2026", "11/13/2026"], ["2026-11-09", "2026-11-13"]),
        (["11/11/2026"], ["2026-11-11"]),
        (["2026-11-09 00:00:00", "2026-11-10T23:30"], ["2026-11-09", "2026-11-10"]),
        (["11/13/2026 0:00"], ["2026-11-13"]),
    ],
)
def test_the_dates_of_a_file_say_whether_the_day_comes_first(
    tmp_path: Path, cells: list[str], days: list[str]
) -> None:
    found = written(tmp_path, "\n".join(["Date,Spend", *(f"{each},1.5" for each in cells)]))

    assert [str(line.day) for line in found.lines] == days


def test_a_column_without_a_heading_is_neither_an_account_nor_a_day(tmp_path: Path) -> None:
    """Data frames are often written with such a column, which counts the rows."""
    found = written(tmp_path, ",Campaign ID,Spend\n0,7,1.5\n1,8,2.5\n")

    assert [(line.account, line.entity, line.day) for line in found.lines] == [
        ("", "7", None),
        ("", "8", None),
    ]


def test_two_columns_of_one_name_may_have_the_same_cells(tmp_path: Path) -> None:
    found = written(tmp_path, "Ad ID,Ad ID,,,Spend\n7,7,x,y,1.5\n")

    assert [line.entity for line in found.lines] == ["7"]


def test_a_name_with_a_separator_of_lines_is_one_name(tmp_path: Path) -> None:
    found = written(tmp_path, "Campaign name,Spend\nAutumn\u2028sale,5.5\n")

    assert [(line.entity, *line.values.values()) for line in found.lines] == [
        ("Autumn\u2028sale", Decimal("5.5"))
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Campaign ID,Spend\n1,5\n2,6\nTotal,11\n",
        "Campaign name,Spend\nTotal,11\nAutumn,5\nWinter,6\n",
        "Ad account ID,Spend\n1,5\n2,6\n,11\n",
        "Date,Spend\n2026-11-09,5\n2026-11-10,6\nTotals,11\n",
        "Date,Spend\n2026-11-09,5\n2026-11-10,6\nGrand total,11\n",
        "Account name,Ad account ID,Spend\nShop,1,5\nShop,2,6\nTotal: ,,11\n",
    ],
)
def test_a_row_of_totals_does_not_count(tmp_path: Path, text: str) -> None:
    path = tmp_path / "export.csv"
    path.write_text(text)
    found = export.read(path, {})

    assert sums(found) == {"Spend": 11}
    assert [text.splitlines()[line - 1][-2:] for line in found.totals] == ["11"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_with_a_title_is_read(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "export.csv"
    rows = (("Date", "Spend", "Impressions"), ("2026-11-09", "5.5", "3"))
    text = "\n".join(["R\xe9sum\xe9, with a comma; and more", *map(delimiter.join, rows)])
    path.write_bytes(text.encode(encoding))

    (line,) = export.read(path, {}).lines
    assert line.values == {"Spend": Decimal("5.5"), "Impressions": 3}


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        *(("(12.50)", "-12.50"), ("-$1.50", "-1.50"), ("$-1.50", "-1.50"), ("1.50-", "-1.50")),
        *(("\N{MINUS SIGN}2.5", "-2.5"), ("1\u2019234.50", "1234.50"), ("CHF 1'234.50", "1234.50")),
        *(("0,123", "0.123"), ("1.234.567", "1234567"), ("1\u202f234,5 \u20ac", "1234.5")),
        *(
            ("Rs.50", "50"),
            ("12,34,567.50", "1234567.50"),
            ("US$ 7", "7"),
            ("1234,567", "1234.567"),
        ),
    ],
)
def test_a_number_is_what_is_written(tmp_path: Path, cell: str, number: str) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"Campaign ID;Spend\n1;{cell}\n", "utf-8")

    (line,) = export.read(path, {}).lines
    assert line.values == {"Spend": Decimal(number)}


def test_a_count_shows_which_mark_separates_thousands(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("Spend;Impressions\n1.234;12.345\n")

    (line,) = export.read(path, {}).lines
    assert line.values == {"Spend": 1234, "Impressions": 12345}


@pytest.mark.parametrize(
    "cell",
    ["1.234", "1,234", "1.5E+05", "1.2K", "3 Mio", "3 MIO", "--5", "(5", "1,23,4", "1.2.3", "5/6"],
)
def test_a_number_that_is_not_sure_is_refused(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"Campaign ID;Spend\n7;2\n1;{cell}\n")

    with pytest.raises(RequestError, match=r"export\.csv, line 3, column Spend: "):
        export.read(path, {})


def test_an_export_of_another_ad_account_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    report = of_export(sandbox, tmp_path / "export.csv", "Ad account ID,Spend\n5,12.34\n")

    (finding,) = report.findings
    assert report.failed
    assert report.notes == [
        f"export.csv has no row of ad account {finding.ad_account_id}, {report.days}"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"Ad account ID,Spend\n5.497E+11,5\n",
            "line 2, column Ad account ID: '5.497E.11' is no id",
        ),
        (b"Campaign ID,Spend\n1,234.50,5\n", "line 2: it has more cells than there are headings"),
        (b"Spend;Saves\n1,5;2\n1.5;2\n", "line 3, column Spend: the decimals come after another"),
        (b"Campaign,Colour\na,b\n", "no line of it names a metric"),
        (b"Spend\nmuch\n", "'much' is no number"),
        (b"Day,Spend\nyesterday,5\n", "'yesterday' is no date"),
        (b"Day,Spend\n2026-11-09 - 2026-11-15,5\n", "line 2, column Day: .* is no date"),
        (b"Day,Spend\n11/09/2026,5\n", "it may be 2026-11-09 or 2026-09-11"),
        (b"Day,Spend\n13/11/2026,5\n11/13/2026,5\n", "line 3, column Day: month and day"),
        (b"Spend,Spend\n5,6\n", "line 2, column Spend: two columns of this name"),
        (b"Spend\n\xff5\n", "neither UTF-8 nor UTF-16"),
    ],
)
def test_a_file_that_is_no_export_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(content)

    with pytest.raises(RequestError, match=message):
        export.read(path, {"spend_in_dollar": "Spend"})


def test_the_causes_and_the_rest_add_up_to_the_difference() -> None:
    finding = Finding("t", "1", SPEND, here=Decimal(10), pinterest=Decimal(16))
    finding.causes.append(Cause("windows", Decimal(-4), "why"))

    assert finding.difference == Decimal(-6)
    assert finding.unexplained == Decimal(-2)
    assert finding.failed
    assert as_number(Decimal("2.50")) == 2.5


def test_small_and_large_numbers_are_written_with_all_their_digits() -> None:
    report = Report(DateRange(FIRST, LAST))
    whole = Decimal(123_456_789_012_345_678)
    report.findings.append(Finding("t", "1", SPEND, whole + Decimal("0.00001"), whole))

    text = "\n".join(lines_of(report))
    assert "123,456,789,012,345,678.00001  123,456,789,012,345,678  differs by 0.00001" in text


def test_a_rounded_sum_says_within_what_it_is_equal() -> None:
    report = Report(DateRange(FIRST, LAST))
    report.findings.append(
        Finding("export.csv", "1", SPEND, Decimal(996), Decimal(1000), tolerance=Decimal(5))
    )

    assert any(line.endswith("equal within 5") for line in lines_of(report))
