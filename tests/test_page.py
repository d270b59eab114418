"""The page of the loaded data: all in one file, readable on a phone and in the dark."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql

from chromium import chromium
from loading import database
from tap_pinterest.commands import report
from tap_pinterest.config import database as database_config
from tap_pinterest.page import Contents, NothingLoadedError, charts, log, page
from tap_pinterest.page.changes import Changed, RestatedDay
from tap_pinterest.page.charts import Day
from tap_pinterest.page.duckdb import DuckdbConnection
from tap_pinterest.page.totals import Total
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg import Connection

LAST = date(2026, 11, 29)
LONG = 'A campaign with a very long name & "quotes" <b>and more</b> than there is room for'
TABLES = """
    CREATE TABLE campaign_analytics (
        date date, campaign_id text, ad_account_id text, currency text,
        spend_in_dollar numeric, paid_impression numeric, clickthrough_1 numeric,
        total_conversions numeric, _sdc_sync_started_at bigint, _sdc_extracted_at timestamp,
        PRIMARY KEY (date, campaign_id)
    );
    CREATE TABLE campaigns (id text PRIMARY KEY, name text);
    CREATE TABLE ad_accounts (id text PRIMARY KEY, name text, currency text);
    CREATE TABLE metrics_ready_state (
        date date PRIMARY KEY, conversion_metrics_ready boolean,
        non_conversion_metrics_ready boolean
    );
    INSERT INTO ad_accounts VALUES ('a1', 'Shop', 'EUR');
    INSERT INTO metrics_ready_state VALUES
        ('2026-11-27', true, true), ('2026-11-28', false, true);
"""
INSERT = "INSERT INTO campaign_analytics VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
RESTATE = """
    UPDATE campaign_analytics SET total_conversions = 9, _sdc_sync_started_at = %s
     WHERE date = %s AND campaign_id = 'c1'
"""
FIRST_LOAD, SECOND_LOAD = 1_796_000_000_000, 1_796_086_400_000


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with database() as (url, _schema):
        yield url.replace("+psycopg", "")


@contextmanager
def within(connection: Connection[Any], schema: str, *, keep: bool = False) -> Iterator[None]:
    """A schema in which the block makes its tables; gone afterwards unless it is to be kept."""
    name = sql.Identifier(schema)
    connection.execute(sql.SQL("CREATE SCHEMA {0}; SET search_path TO {0}").format(name))
    try:
        yield
    finally:
        connection.execute("RESET search_path")
        if not keep:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(name))


@pytest.fixture(scope="module")
def db(url: str) -> Iterator[Connection[Any]]:
    """Two loads of two accounts, each in its currency, and a copy of the first load."""
    with psycopg.connect(url, autocommit=True) as connection:
        for schema in ("earlier", "pinterest"):
            with within(connection, schema, keep=True):
                connection.execute(TABLES)
                connection.execute("INSERT INTO campaigns VALUES ('c1', %s)", [LONG])
                load(connection, 2, FIRST_LOAD, 5)
                if schema == "pinterest":
                    # One day more, and more conversions on the day before it.
                    load(connection, 1, SECOND_LOAD, 1)
                    connection.execute(RESTATE, [SECOND_LOAD, LAST - timedelta(2)])
        yield connection


def load(connection: Connection[Any], newest: int, at: int, days: int) -> None:
    """Two campaigns on some days; the last of these is `newest` days before the last day."""
    campaigns = (("c1", "a1", "EUR", 10, 1000, 20, 3), ("c2", "a2", "USD", 5, 500, 10, 1))
    rows = [
        (LAST - timedelta(newest + back), *campaign, at, "2026-11-30")
        for back in range(days)
        for campaign in campaigns
    ]
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, rows)


@pytest.fixture(scope="module")
def contents(db: Connection[Any]) -> Contents:
    return Contents.read(db, "pinterest", days=90)


@pytest.fixture(scope="module")
def compared(db: Connection[Any]) -> Contents:
    return Contents.read(db, "pinterest", days=90, copy="earlier")


class Elements(HTMLParser):
    """The elements of a page, each with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def labels(html: str) -> list[str]:
    """The texts that describe the charts to users who do not see them."""
    return [str(given["aria-label"]) for tag, given in Elements(html).found if tag == "svg"]


def test_the_page_needs_no_script_and_no_other_file(compared: Contents) -> None:
    html = page(compared)
    elements = Elements(html).found

    assert not {tag for tag, _ in elements} & {"script", "link", "img", "iframe", "object", "use"}
    named = [value for _, given in elements for name, value in given.items() if "href" in name]
    assert named == []
    assert "url(" not in html
    assert "@import" not in html


def test_money_has_a_chart_for_each_currency_and_counts_are_added_up(contents: Contents) -> None:
    assert labels(page(contents))[:5] == [
        "Spend, EUR by day: 60 EUR",
        "Spend, USD by day: 30 USD",
        "Paid impressions by day: 9,000",
        "Paid Pin clicks by day: 180",
        "Conversions by day: 30",
    ]


def test_campaigns_and_accounts_are_named_or_have_their_ids(contents: Contents) -> None:
    assert contents.ads
    html = page(contents)

    assert [(each.of, each.currency) for each in contents.ads.by_account] == [
        ("a1", "EUR"),
        ("a2", "USD"),
    ]
    for name in ("Shop", "a2", "c2", "A campaign with a very long name"):
        assert f'<span class="name" title="{name}' in html.replace("&lt;", "")


def test_a_name_is_text_whatever_is_in_it(contents: Contents) -> None:
    html = page(contents)

    assert "<b>and more</b>" not in html
    assert "&lt;b&gt;and more&lt;/b&gt;" in html


def test_a_name_is_written_in_its_own_direction(db: Connection[Any]) -> None:
    """Without it the exclamation mark would stand before the first word."""
    name = "\u05de\u05d1\u05e6\u05e2!"
    with within(db, "hebrew"):
        db.execute("""
            CREATE TABLE campaigns (id text, name text);
            CREATE TABLE campaign_analytics (date date, campaign_id text, impression_1 int);
            INSERT INTO campaign_analytics VALUES ('2026-11-20', '1', 7)
        """)
        db.execute("INSERT INTO campaigns VALUES ('1', %s)", [name])
        html = page(Contents.read(db, "hebrew", days=90))

    named = [
        (tag, given.get("dir"))
        for tag, given in Elements(html).found
        if str(given.get("title")).startswith(name)
    ]
    assert named == [("span", "auto"), ("th", "auto")]


def test_the_newest_complete_day_is_one_that_is_complete_in_both_ways(contents: Contents) -> None:
    assert contents.complete == LAST - timedelta(2)
    assert "<b>27 Nov</b><span>newest complete day</span>" in page(contents)


def test_rows_that_the_newest_load_changed_are_counted_apart_from_new_days(
    contents: Contents,
) -> None:
    assert contents.restated
    assert contents.restated[-1] == RestatedDay(LAST - timedelta(2), 2, 1)
    assert sum(each.changed for each in contents.restated) == 1
    assert "Rows that the newest load changed, by day: 1 of 10" in labels(page(contents))


def test_a_copy_shows_added_and_restated_rows(compared: Contents) -> None:
    html = page(compared)

    assert Changed("campaign_analytics", 10, 12, 2, 1) in compared.changed
    assert "Conversions, restated by day: +6" in labels(html)
    assert "Unchanged: Spend, EUR; Spend, USD; Paid impressions; Paid Pin clicks." in html
    assert compared.ads
    new = Total(LAST - timedelta(1), "EUR", (*map(Decimal, (10, 1000, 20, 3)),), None)
    assert new in compared.ads.by_day


def test_only_as_many_days_are_read_as_were_asked_for(db: Connection[Any]) -> None:
    contents = Contents.read(db, "pinterest", days=2)

    assert contents.ads
    assert {each.of for each in contents.ads.by_day} == {LAST - timedelta(1), LAST - timedelta(2)}


def test_a_table_that_the_page_cannot_read_is_named_with_the_reason(db: Connection[Any]) -> None:
    with within(db, "other"):
        db.execute("CREATE TABLE ad_analytics (date date, spend_in_dollar int, impression_1 int)")
        db.execute("INSERT INTO ad_analytics VALUES ('2026-11-20', 1, 7)")
        contents = Contents.read(db, "other", days=90)

    assert contents.missing == [
        "Spend: no column says the currency of ad_analytics.",
        "Paid Pin clicks: ad_analytics has no column clickthrough_1.",
        "Conversions: ad_analytics has no column total_conversions.",
        "Campaigns: ad_analytics has no column campaign_id.",
        "Ad accounts: ad_analytics has no column ad_account_id.",
        "Rows that the newest load changed: ad_analytics has no column _sdc_sync_started_at.",
        "The newest complete day: there is no table metrics_ready_state.",
        "The last run: there is no table sync_log.",
    ]
    html = page(contents)
    assert labels(html) == ["Paid impressions by day: 7"]
    assert "<li>Spend: no column" in html


LOG = """
    CREATE TABLE sync_log (
        run_id text, run_started_at timestamp, stream text, ad_account_id text, user_id text,
        result text, failed boolean, reason text
    );
    INSERT INTO sync_log VALUES
        ('1', '2026-11-28 06:00', 'ads', 'a1', '', 'failed', true, 'an old reason'),
        ('2', '2026-11-29 06:00', 'ads', 'a1', '', 'complete', false, null),
        ('2', '2026-11-29 06:00', 'boards', '', 'u1', 'skipped', false, 'It needs <boards:read>'),
        ('2', '2026-11-29 06:00', 'pins', '', 'u1', 'failed', true, 'a new reason');
"""


def test_failures_of_the_last_run_come_first_with_their_reasons(db: Connection[Any]) -> None:
    with within(db, "logged"):
        db.execute(LOG)
        contents = Contents.read(db, "logged", days=90)

    assert contents.last_run
    assert contents.last_run.sentence == (
        "Started 29 Nov 2026, 06:00 UTC. Of 3 parts these are not complete:"
    )
    assert contents.last_run.incomplete == [
        ("pins", "u1", "failed, fails the run", "a new reason"),
        ("boards", "u1", "skipped", "It needs <boards:read>"),
    ]
    html = page(contents)
    assert "<b>1</b><span>failed in the last run</span>" in html
    assert "It needs &lt;boards:read&gt;" in html
    assert "old reason" not in html


def test_times_and_truth_may_be_text(db: Connection[Any]) -> None:
    """Some targets write each value of a type that they do not know as text."""
    with within(db, "texts"):
        db.execute("""
            CREATE TABLE sync_log (run_id text, run_started_at text, stream text,
                ad_account_id text, user_id text, result text, failed text, reason text);
            INSERT INTO sync_log VALUES ('1', NULL, 'ads', 'a', '', 'failed', 'true', 'old'),
                ('2', '2026-11-29T06:00:00Z', 'ads', 'a', '', 'failed', 'true', 'new');
            CREATE TABLE metrics_ready_state (date text, conversion_metrics_ready text,
                non_conversion_metrics_ready text);
            INSERT INTO metrics_ready_state VALUES ('2026-11-27', 'true', 'true')
        """)
        contents = Contents.read(db, "texts", days=90)
        db.execute("DELETE FROM sync_log WHERE run_id = '2'")
        without_time = Contents.read(db, "texts", days=90)

    assert contents.complete == LAST - timedelta(2)
    assert contents.last_run
    assert contents.last_run.sentence.startswith("Started 29 Nov 2026, 06:00 UTC.")
    assert [each.reason for each in contents.last_run.incomplete] == ["new"]
    assert without_time.last_run is None


def test_a_log_of_another_form_is_named_as_not_shown(db: Connection[Any]) -> None:
    with within(db, "logged"):
        db.execute("CREATE TABLE sync_log (run_id text, stream text)")
        contents = Contents.read(db, "logged", days=90)

    assert contents.missing[-1].startswith("The last run: sync_log has no column run_started")


def test_the_log_of_a_run_has_the_columns_that_the_page_reads() -> None:
    streams = TapPinterest(config={}, validate_config=False).streams

    assert {*log.COLUMNS} <= {*streams[log.TABLE].schema["properties"]}


@pytest.mark.parametrize(
    "names",
    [["Shop"], ["Shop", "Store"]],
    ids=["one row", "two rows, as targets write them that only add rows"],
)
def test_the_currency_of_a_report_without_it_is_that_of_its_account_and_spend_counts_once(
    db: Connection[Any], names: list[str]
) -> None:
    with within(db, "daasity"):
        db.execute("""
            CREATE TABLE ad_accounts (id text, name text, currency text);
            CREATE TABLE ad_analytics (date date, ad_account_id text, spend_in_micro_dollar int);
            INSERT INTO ad_analytics VALUES ('2026-11-20', 'a1', 2500000)
        """)
        for name in names:
            db.execute("INSERT INTO ad_accounts VALUES ('a1', %s, 'EUR')", [name])
        contents = Contents.read(db, "daasity", days=90)

    assert contents.ads
    assert contents.ads.by_account == [Total("a1", "EUR", (Decimal("2.5"),))]


def test_a_number_that_has_moved_to_another_column_is_read_there(db: Connection[Any]) -> None:
    """The newer row has been read with other `report_columns`."""
    with within(db, "moved"):
        db.execute("""
            CREATE TABLE ad_analytics (date date, currency text, spend_in_dollar numeric,
                spend_in_micro_dollar bigint);
            INSERT INTO ad_analytics VALUES ('2026-11-20', 'EUR', 1.5, 1500000),
                ('2026-11-21', 'EUR', NULL, 2500000)
        """)
        contents = Contents.read(db, "moved", days=90)

    assert contents.ads
    assert [each.now for each in contents.ads.by_day] == [(Decimal("1.5"),), (Decimal("2.5"),)]


def test_the_page_reads_the_first_report_that_has_rows(db: Connection[Any]) -> None:
    with within(db, "partly"):
        db.execute("""
            CREATE TABLE campaign_analytics (date date, impression_1 int);
            CREATE TABLE ad_analytics (date date, impression_1 int)
        """)
        empty = Contents.read(db, "partly", days=90)
        db.execute("INSERT INTO ad_analytics VALUES ('2026-11-20', 7)")
        contents = Contents.read(db, "partly", days=90)

    assert contents.ads
    assert contents.ads.report == "ad_analytics"
    assert empty.ads is None
    assert empty.missing[0] == "Numbers of ads: campaign_analytics has no rows."


def test_rows_that_a_loader_has_marked_as_deleted_do_not_count(db: Connection[Any]) -> None:
    with within(db, "before"), within(db, "after"):
        for schema, day in (("before", "NULL"), ("after", "'2026-11-22'")):
            db.execute(f"""
                SET search_path TO {schema};
                CREATE TABLE campaign_analytics (date date, campaign_id text, impression_1 int,
                    _sdc_deleted_at timestamp, _sdc_sync_started_at bigint,
                    PRIMARY KEY (date, campaign_id));
                INSERT INTO campaign_analytics VALUES ('2026-11-20', 'c1', 7, NULL, 1),
                    ('2026-11-20', 'c2', 3, {day}, 2), ('2026-11-21', 'c2', 5, {day}, 1)
            """)  # noqa: S608
        contents = Contents.read(db, "after", days=90, copy="before")

    assert contents.ads
    assert [(each.of.day, each.now, each.before) for each in contents.ads.by_day] == [
        (20, (Decimal(7),), (Decimal(10),)),
        (21, (Decimal(0),), (Decimal(5),)),
    ]
    assert contents.tables == [("campaign_analytics", 1, date(2026, 11, 20), None)]
    assert contents.changed == [Changed("campaign_analytics", 3, 1, 0, 0)]
    assert contents.restated == []


@pytest.mark.parametrize("kind", ["numeric", "float"])
def test_rows_without_a_number_do_not_count_and_are_named(db: Connection[Any], kind: str) -> None:
    with within(db, "numbers"):
        db.execute(f"""
            CREATE TABLE campaign_analytics (date date, impression_1 {kind}, clickthrough_1 int);
            INSERT INTO campaign_analytics VALUES ('2026-11-20', 7, 1), ('2026-11-20', 'NaN', 2),
                ('2026-11-21', 'Infinity', 3), ('2026-11-21', '-Infinity', NULL)
        """)  # noqa: S608
        contents = Contents.read(db, "numbers", days=90)

    assert labels(page(contents)) == ["Paid impressions by day: 7", "Paid Pin clicks by day: 6"]
    named = "Paid impressions: 3 rows of campaign_analytics have NaN or Infinity."
    assert named in contents.missing


def test_large_numbers_have_all_their_digits(db: Connection[Any]) -> None:
    with within(db, "large"):
        db.execute("""
            CREATE TABLE campaign_analytics (date date, campaign_id text, currency text,
                spend_in_dollar numeric, impression_1 bigint);
            INSERT INTO campaign_analytics VALUES ('2026-11-20', '1', 'EUR',
                123456789012345678.25, 9223372036854775807)
        """)
        html = page(Contents.read(db, "large", days=90))

    assert labels(html) == [
        "Spend, EUR by day: 123,456,789,012,345,678 EUR",
        "Paid impressions by day: 9,223,372,036,854,775,807",
    ]
    assert "<td>123,456,789,012,345,678.25</td><td>9,223,372,036,854,775,807</td>" in html


def test_rows_that_are_there_twice_are_named(db: Connection[Any]) -> None:
    """A target that only adds rows keeps the rows of earlier loads."""
    with within(db, "added"):
        db.execute("""
            CREATE TABLE ad_group_analytics (date date, ad_group_id text, impression_1 int);
            INSERT INTO ad_group_analytics VALUES ('2026-11-20', '1', 7), ('2026-11-20', '1', 9),
                ('2026-11-20', '2', 3), ('2026-11-20', '1', 5)
        """)
        contents = Contents.read(db, "added", days=90)

    named = (
        "Numbers of ads: ad_group_analytics has 2 rows with ad_group_id and date of another;"
        " they count, too."
    )
    assert named in contents.missing


def test_columns_of_other_types_in_a_foreign_table_do_no_harm(db: Connection[Any]) -> None:
    with within(db, "foreign"):
        db.execute("""
            CREATE TABLE plans (date text, _sdc_extracted_at text);
            INSERT INTO plans VALUES ('next week', 'never')
        """)
        contents = Contents.read(db, "foreign", days=90)

    assert contents.tables == [("plans", 1, None, None)]


def test_ids_may_be_numbers(db: Connection[Any]) -> None:
    with within(db, "numbers"):
        db.execute("""
            CREATE TABLE campaigns (id bigint, name text);
            CREATE TABLE campaign_analytics (date date, campaign_id bigint, impression_1 int);
            INSERT INTO campaigns VALUES (1, 'Autumn'), (2, '');
            INSERT INTO campaign_analytics VALUES ('2026-11-20', 1, 7), ('2026-11-20', 2, 3)
        """)
        html = page(Contents.read(db, "numbers", days=90))

    assert 'title="Autumn (1)"' in html
    assert '<span class="name" title="2" dir="auto">2</span>' in html


ONE_REPORT = """
    CREATE TABLE campaign_analytics (date date, campaign_id text, impression_1 int);
    INSERT INTO campaign_analytics VALUES
"""


def test_days_and_campaigns_that_only_the_copy_has_are_shown_as_lost(db: Connection[Any]) -> None:
    with within(db, "before"), within(db, "after"):
        db.execute(ONE_REPORT + "('2026-11-20', 'c1', 7), ('2026-11-21', 'c1', 5)")
        db.execute("SET search_path TO before")
        db.execute(
            ONE_REPORT + "('2026-11-20', 'c1', 7), ('2026-11-21', 'c1', 6),"
            " ('2026-11-21', 'c2', 30), ('2026-11-22', 'c1', 4)"
        )
        contents = Contents.read(db, "after", days=90, copy="before")

    html = page(contents)
    assert contents.ads
    assert Total(date(2026, 11, 22), "", (Decimal(0),), (Decimal(4),)) in contents.ads.by_day
    assert "Paid impressions, restated by day: -35" in labels(html)
    restated = html.partition("restated by campaign")[2]
    assert [n for n in ("c1", "c2") if f'title="{n}"' in restated] == ["c1", "c2"]
    assert restated.index('title="c2"') < restated.index('title="c1"')
    assert '<i class="lost" style="width:100%"></i></span><b>-30</b>' in restated


def test_a_copy_with_other_numbers_is_not_compared(db: Connection[Any]) -> None:
    with within(db, "before"), within(db, "after"):
        db.execute(ONE_REPORT + "('2026-11-20', 'c1', 7)")
        db.execute("CREATE TABLE before.campaign_analytics (date date, clickthrough_1 int)")
        contents = Contents.read(db, "after", days=90, copy="before")

    html = page(contents)
    assert "Unchanged" not in html
    assert 'class="gained"' not in html
    assert contents.missing[-1] == (
        "The change since before: there, campaign_analytics is missing or lacks columns."
    )


def test_a_copy_without_a_column_of_the_key_is_named(db: Connection[Any]) -> None:
    with within(db, "before"), within(db, "after"):
        db.execute("CREATE TABLE metrics (name text, category text, PRIMARY KEY (name, category))")
        db.execute("CREATE TABLE before.metrics (name text PRIMARY KEY)")
        contents = Contents.read(db, "after", days=90, copy="before")

    assert contents.changed == []
    assert contents.missing[-1] == "metrics beside before: the copy lacks a column of the key."


def test_a_copy_may_have_other_types(db: Connection[Any]) -> None:
    with within(db, "before"), within(db, "after"):
        db.execute("""
            CREATE TABLE metrics (id text PRIMARY KEY, amount numeric, _sdc_batched_at text);
            INSERT INTO metrics VALUES ('1', 5, 'x'), ('2', 6, 'x'), ('3', 7, 'x');
            CREATE TABLE before.metrics (id bigint, amount text);
            INSERT INTO before.metrics VALUES (1, '5'), (2, '9')
        """)
        contents = Contents.read(db, "after", days=90, copy="before")

    assert contents.changed == [Changed("metrics", 2, 3, 1, 1)]


def test_tables_without_a_number_of_ads_are_still_listed(db: Connection[Any]) -> None:
    with within(db, "displayed"):
        db.execute("CREATE TABLE campaign_analytics (date date, spend numeric)")
        contents = Contents.read(db, "displayed", days=90)

    html = page(contents)
    assert "column_names: display" in html
    assert 'title="campaign_analytics"' in html


def test_duckdb_shows_the_same_page(db: Connection[Any], compared: Contents) -> None:
    tables = ("campaign_analytics", "campaigns")
    with duckdb.connect() as connection:
        for schema in ("earlier", "pinterest"):
            connection.execute(f"CREATE SCHEMA {schema}; USE {schema}; {TABLES}")
            for table in tables:
                names = [sql.Identifier(schema, table)]
                rows = db.execute(sql.SQL("SELECT * FROM {}").format(*names)).fetchall()
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
        there = DuckdbConnection(connection)
        found = Contents.read(there, "pinterest", days=90, copy="earlier")

    assert page(found) == page(compared)


MODELS = """
    CREATE TABLE ums.vendor_performance (
        store text, channel text, vendor text, attribution_window text, original_currency text,
        campaign_id text, total_spend numeric, vendor_reported_orders numeric, activity_date date
    );
    INSERT INTO ums.vendor_performance VALUES
        ('pinterest', 'Paid Social', 'Pinterest', '30/30/1', 'EUR', 'c1', 1234.5, 7, '2026-11-29'),
        ('pinterest', 'Paid Social', 'Pinterest', '30/30/1', 'EUR', 'c2', 0.25, NULL, '2026-11-28'),
        ('pinterest', 'Paid Social', 'Pinterest', '30/30/1', 'EUR', 'c2', 99, 1, '2026-01-01'),
        ('another', 'Paid Social', 'Pinterest', '30/30/1', 'EUR', 'c9', 77, 1, '2027-06-29');
    CREATE TABLE ums.pinterest__reconciliation (
        source_relation text, level text, currency text, spend numeric, account_spend numeric,
        is_equal boolean
    );
    INSERT INTO ums.pinterest__reconciliation VALUES
        ('pinterest', 'ad', 'EUR', 4, 4, true), ('pinterest', 'ad', 'EUR', 5, 6, false),
        ('another', 'ad', 'EUR', 8, 8, true);
"""


def test_built_models_show_spend_by_channel_and_the_reconciliation(db: Connection[Any]) -> None:
    assert "Reconciliation" not in page(Contents.read(db, "pinterest", days=90))
    with within(db, "ums"):
        db.execute(MODELS)
        html = page(Contents.read(db, "pinterest", days=90))

    row = "<td>Pinterest</td><td>30/30/1</td><td>EUR</td><td>2</td><td>1,234.75</td><td>7.00</td>"
    assert f'<th title="Paid Social" dir="auto">Paid Social</th>{row}' in html
    row = "<td>EUR</td><td>2</td><td>10.00</td><td>9.00</td><td>1</td>"
    assert f'<th title="ad" dir="auto">ad</th>{row}' in html


def test_a_schema_without_tables_names_those_that_have_some(db: Connection[Any]) -> None:
    with pytest.raises(NothingLoadedError, match="these schemas have some: earlier, pinterest"):
        Contents.read(db, "pinterst", days=90)


@pytest.mark.parametrize(
    ("lowest", "highest", "whole", "expected"),
    [
        (0, 870, True, [0, 250, 500, 750, 1000]),
        (0, 3, True, [0, 1, 2, 3]),
        (0, 1, True, [0, 1]),
        (0, 0, True, [0, 1]),
        (0, 0.9, False, [0, 0.25, 0.5, 0.75, 1]),
        (-30, 100, True, [-50, 0, 50, 100]),
    ],
)
def test_the_ticks_of_an_axis_are_round_and_at_even_distances(
    lowest: float, highest: float, *, whole: bool, expected: list[float]
) -> None:
    assert charts.ticks(lowest, highest, whole=whole) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([0, 250, 500], ["0", "250", "500"]),
        ([0, 5_000, 10_000], ["0", "5k", "10k"]),
        ([0, 2_500, 5_000, 7_500, 10_000], ["0", "2.5k", "5.0k", "7.5k", "10.0k"]),
        ([0, 0.25, 0.5], ["0", "0.25", "0.50"]),
        ([0, 1e6, 2e6], ["0", "1M", "2M"]),
    ],
)
def test_the_numbers_of_an_axis_have_one_unit(steps: list[float], expected: list[str]) -> None:
    assert [charts.short(step, steps) for step in steps] == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0"), (9_999, "9,999"), (15_263, "15.3k"), (4_480_000, "4.48M")]
)
def test_a_large_number_has_three_digits(number: float, expected: str) -> None:
    assert charts.rounded(number) == expected


def test_days_are_named_at_even_distances_up_to_the_last() -> None:
    days = [Day(LAST - timedelta(back), 1) for back in range(89, -1, -1)]
    html = charts.by_day(days, "", whole=True)

    named = html.partition('class="dates"')[2]
    assert [text for text in ("6 Sep", "4 Oct", "1 Nov", "29 Nov") if f">{text}<" in named] == [
        *("6 Sep", "4 Oct", "1 Nov", "29 Nov")
    ]
    assert named.count("<i ") == 4


@pytest.mark.parametrize(("years", "named"), [(3, 4), (10, 5), (40, 5)])
def test_years_of_days_have_dates_at_even_distances_with_their_years(
    years: int, named: int
) -> None:
    first = LAST.replace(year=LAST.year - years)
    html = charts.by_day([Day(first, 1), Day(LAST, 1)], "", whole=True)

    dates = html.partition('class="dates"')[2]
    assert dates.count("<i ") == named
    assert ">29 Nov 2026<" in dates
    assert f"<title>29 Nov {first.year}: 1</title>" in html


def test_a_day_without_rows_leaves_its_place_free() -> None:
    html = charts.by_day([Day(LAST - timedelta(3), 1), Day(LAST, 1)], "", whole=True)

    assert [given["x"] for tag, given in Elements(html).found if given.get("class") == "hit"] == [
        "0.0",
        "750.0",
    ]
    assert html.count("<g>") == 2


@pytest.mark.parametrize(
    ("base", "pieces"),
    [(None, {"kept"}), (8, {"kept", "gained"}), (12, {"kept", "lost"}), (0, {"gained"})],
)
def test_a_column_shows_its_gain_or_loss(base: float | None, pieces: set[str]) -> None:
    html = charts.by_day([Day(LAST, 10, base)], "", whole=True)

    drawn = {given.get("class") for tag, given in Elements(html).found if tag == "rect"}
    assert drawn - {"hit"} == pieces


def run(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(report.main, arguments)
    return ended.exit_code, ended.output.strip()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_command_writes_the_page_of_any_postgresql_url(
    url: str, tmp_path: Path, scheme: str
) -> None:
    file = tmp_path / "new" / "page.html"
    address = url.replace("postgresql", scheme, 1)
    code, output = run("--database", address, "--output", str(file))

    assert (code, output) == (0, f"Open it in a browser: {file}")
    assert "Spend, EUR" in file.read_text("utf-8")


@pytest.mark.usefixtures("db")
def test_the_command_finds_database_and_schema_where_the_loader_does(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(database_config.URL, raising=False)
    monkeypatch.setenv(database_config.SCHEMA, "earlier")
    (tmp_path / ".env").write_text(f"{database_config.URL}={url}\n")
    try:
        code, _ = run()
    finally:
        monkeypatch.setenv(database_config.URL, "")

    assert code == 0
    assert "<code>earlier</code>" in (tmp_path / "pinterest.html").read_text("utf-8")


@pytest.mark.parametrize(
    "address",
    [
        "mysql://a:secret@host/db",
        "host=localhost password=secret",
        "postgresql://a:top@secret:x@host/db",
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(address: str) -> None:
    code, output = run("--database", address)

    assert code == 1
    assert "is not of the form postgresql://" in output
    assert "secret" not in output.replace(database_config.EXAMPLE, "")


def test_a_database_that_cannot_be_reached_is_one_line() -> None:
    code, output = run("--database", "postgresql://a:secret@127.0.0.1:1/db")

    assert code == 1
    assert output.count("\n") == 0
    assert output.startswith("Error: PostgreSQL: connection")
    assert "secret" not in output


@pytest.mark.usefixtures("db")
def test_times_are_in_utc_whatever_the_time_zone_of_the_database(url: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    with psycopg.connect(url, autocommit=True) as connection, within(connection, "zoned"):
        connection.execute("CREATE TABLE pins (_sdc_extracted_at timestamptz)")
        connection.execute("INSERT INTO pins VALUES ('2026-11-30 02:00:00+00')")
        address = f"{url}{'&' if '?' in url else '?'}options=-c%20timezone%3DAmerica/New_York"
        code, _ = run("--database", address, "--schema", "zoned", "--output", str(file))

    assert code == 0
    assert "<td>30 Nov 2026 02:00</td>" in file.read_text("utf-8")


def test_more_days_than_a_calendar_has_are_refused() -> None:
    code, output = run("--database", "postgresql://h/d", "--days", "9999999")

    assert code == 2
    assert "9999999 is not in the range" in output


def test_no_database_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(database_config.URL, "")

    assert run() == (1, f"Error: {report.NO_DATABASE}")


def test_a_file_that_cannot_be_written_is_named(
    url: str, db: Connection[Any], tmp_path: Path
) -> None:
    assert db
    (tmp_path / "file").write_text("")
    code, output = run("--database", url, "--output", str(tmp_path / "file" / "page.html"))

    assert code == 1
    assert "page.html cannot be written" in output


def test_without_the_extra_the_command_names_the_package_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from tap_pinterest.commands.report import main\n"
        "main(['--database', 'postgresql://host/db'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr == f"Error: {report.NEEDS}\n"


def test_a_browser_shows_it_on_a_phone_and_in_the_dark(compared: Contents, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(compared), encoding="utf-8")
    colours = set()
    with chromium() as browser:
        for width, dark in ((390, False), (390, True), (1280, False), (1280, True)):
            browser.look_as(width=width, height=844, dark=dark)
            browser.open(file.as_uri())
            picture = tmp_path / f"{width}-{dark}.png"
            browser.screenshot(picture, whole=True)
            assert picture.read_bytes().startswith(b"\x89PNG")
            assert browser.complaints == []
            assert browser.requested == [file.as_uri()]
            # Nothing sticks out to the side, and no text is too small to read.
            assert browser.evaluate("document.documentElement.scrollWidth") == width
            assert browser.evaluate(SMALLEST_TEXT) >= 12
            assert browser.evaluate(TICKS_APART) == 1
            colours.add((dark, browser.evaluate("getComputedStyle(document.body).backgroundColor")))
    assert colours == {(False, "rgb(255, 255, 255)"), (True, "rgb(20, 20, 19)")}


SMALLEST_TEXT = """
    Math.min(...[...document.querySelectorAll("main *")]
      .filter(each => each.childElementCount == 0 && each.textContent.trim())
      .map(each => parseFloat(getComputedStyle(each).fontSize)))
"""
TICKS_APART = """
    Math.max(...[...document.querySelectorAll(".ticks")].map(each => {
      const places = [...each.children].map(tick => tick.getBoundingClientRect().top);
      const gaps = places.slice(1).map((place, at) => Math.round(places[at] - place));
      return Math.max(...gaps) - Math.min(...gaps) <= 1 ? 1 : 0 }))
"""
