"""Measures builds of the dbt models over a year of an agency: their time, and the rows they read.

The script makes the tables in the database: 20 ad accounts, 5,000 ads, 365 days, and a row for each
ad and day. Further loads then restate the days that the tap reads again, and add a day. After each
load PostgreSQL cleans up, as it does by itself within a day.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

import click
import psycopg
from psycopg import sql
from rich import box
from rich.console import Console
from rich.table import Table

from scripts.dbt_project import Dbt
from scripts.embedded_postgres import EmbeddedPostgres
from scripts.spread import ROUNDS, spread
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection

    from scripts.dbt_project import Built

ACCOUNTS, ADS, DAYS = 20, 5_000, 365
RESTATED_DAYS = 32
LOADS = 2
TABLES = (
    *("ad_accounts", "campaigns", "ad_groups", "ads", "metrics_ready_state"),
    *("ad_account_analytics", "campaign_analytics", "ad_group_analytics", "ad_analytics"),
)
TYPES = {"integer": "bigint", "number": "numeric", "boolean": "boolean"}
LEVELS = {
    "ad_group_analytics": ("ad_group_id", "campaign_id", "ad_account_id"),
    "campaign_analytics": ("campaign_id", "ad_account_id"),
    "ad_account_analytics": ("ad_account_id",),
}
MEASURES = (
    *("spend_in_micro_dollar", "impression_1", "impression_2", "clickthrough_1", "clickthrough_2"),
    *("total_conversions", "total_checkout", "total_checkout_value_in_micro_dollar"),
    *("total_click_checkout", "total_click_checkout_value_in_micro_dollar"),
    *("total_view_checkout", "total_view_checkout_value_in_micro_dollar"),
)
SAME = ("date", "currency", "click_window_days", "engagement_window_days", "view_window_days")

ENTITIES: tuple[LiteralString, ...] = (
    """
    INSERT INTO ad_accounts (id, name, currency)
    SELECT n::text, 'Account ' || n, (ARRAY['USD', 'EUR', 'GBP'])[n %% 3 + 1]
      FROM generate_series(1, %(accounts)s) AS n
    """,
    """
    INSERT INTO ads (id, name, status, ad_group_id, campaign_id, ad_account_id, destination_url)
    SELECT n::text, 'Ad ' || n, 'ACTIVE', (n / 4)::text, (n / 20)::text,
           (n / 20 %% %(accounts)s + 1)::text,
           'https://shop.example.com/' || n %% 50 || '?utm_campaign=' || n / 20
      FROM generate_series(1, %(ads)s) AS n
    """,
    """
    INSERT INTO ad_groups (id, name, status, campaign_id, ad_account_id)
    SELECT DISTINCT ad_group_id, 'Ad group ' || ad_group_id, 'ACTIVE', campaign_id, ad_account_id
      FROM ads
    """,
    """
    INSERT INTO campaigns (id, name, status, ad_account_id)
    SELECT DISTINCT campaign_id, 'Campaign ' || campaign_id, 'ACTIVE', ad_account_id FROM ads
    """,
    """
    INSERT INTO metrics_ready_state
           (date, conversion_metrics_ready, non_conversion_metrics_ready)
    SELECT current_date - n, n > 1, true FROM generate_series(1, 4) AS n
    """,
)
ROWS: LiteralString = """
    INSERT INTO ad_analytics
           (ad_id, ad_group_id, campaign_id, ad_account_id, date, currency, click_window_days,
            engagement_window_days, view_window_days, spend_in_micro_dollar, impression_1,
            impression_2, clickthrough_1, clickthrough_2, total_conversions, total_checkout,
            total_checkout_value_in_micro_dollar, total_click_checkout,
            total_click_checkout_value_in_micro_dollar, total_view_checkout,
            total_view_checkout_value_in_micro_dollar, _sdc_extracted_at, _sdc_batched_at)
    SELECT ads.id, ad_group_id, campaign_id, ad_account_id, current_date - days, currency, 30, 30,
           1, spend * 1000, spend / 7, spend / 90, spend / 200, spend / 900, spend / 400, orders,
           orders * 25000000, orders / 2, (orders / 2) * 25000000, orders - orders / 2,
           (orders - orders / 2) * 25000000, made.loaded, made.loaded
      FROM generate_series(%(first)s::int, %(last)s::int) AS days
     CROSS JOIN ads
      JOIN ad_accounts ON ad_accounts.id = ads.ad_account_id
     CROSS JOIN LATERAL (
           SELECT (hashint4(ads.id::int * 1000 + days) & 65535) + 1 AS spend,
                  (hashint4(ads.id::int + days * 7919) & 7) AS orders,
                  %(loaded)s::timestamp - make_interval(secs => days * 10) AS loaded) AS made
"""
RESTATE: LiteralString = """
    UPDATE ad_analytics
       SET total_conversions = total_conversions + 1, _sdc_batched_at = %(loaded)s,
           _sdc_extracted_at = %(loaded)s
     WHERE date > current_date - %(days)s::int
"""
READ = """
    SELECT seq_tup_read + coalesce(idx_tup_fetch, 0), heap_blks_read + heap_blks_hit,
           pg_relation_size(relid) / 8192
      FROM pg_stat_user_tables JOIN pg_statio_user_tables USING (relid)
     WHERE relid = %s::regclass
"""
console = Console(highlight=False, width=120)


@dataclass(frozen=True)
class Build:
    """One build of the models, and what it did to the rows of ads by day.

    Attributes:
        seconds: The time of the build.
        said: What dbt said of the rows that it wrote.
        rows: Rows of ads that PostgreSQL read for it.
        blocks: Blocks of the table that it read for it.
        size: Blocks of the table.
    """

    seconds: float
    said: str
    rows: int
    blocks: int
    size: int


@click.command("make bench-transform")
@click.option("--ads", default=ADS, show_default=True)
@click.option("--days", default=DAYS, show_default=True)
@click.option("--rounds", default=ROUNDS, show_default=True, help="Each in a database of its own.")
def main(ads: int, days: int, rounds: int) -> None:
    """Measure builds of the dbt models over a year of an agency."""
    builds: dict[str, list[Build]] = defaultdict(list)
    tests: list[Built] = []
    for number in range(rounds):
        with console.status(f"Round {number + 1} of {rounds} ..."):
            tests.append(_round(ads, days, builds))
    table = Table(title=f"{ads * days:,} rows of ads, by build", box=box.SIMPLE_HEAD)
    table.add_column("build", no_wrap=True)
    for column in ("seconds", "rows written", "rows read", "blocks read", "blocks of the table"):
        table.add_column(column, justify="right")
    for title, of_title in builds.items():
        table.add_row(
            title,
            spread([each.seconds for each in of_title], 0),
            ", ".join(sorted({each.said for each in of_title})),
            spread([each.rows for each in of_title], 0),
            spread([each.blocks for each in of_title], 0),
            spread([each.size for each in of_title], 0),
        )
    console.print(table)
    ends = sorted({_counts(each) for each in tests})
    console.print(f"Tests: {'; '.join(ends)}, {spread([each.seconds for each in tests], 0)} s")


def _round(ads: int, days: int, builds: Mapping[str, list[Build]]) -> Built:
    """Build after each load, add the builds by their titles, and run dbt's tests at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(EmbeddedPostgres())
        db = stack.enter_context(psycopg.connect(database.psql_url, autocommit=True))
        _make(db, ads, days)
        dbt = Dbt(folder, url=database.url)
        builds["first"].append(_build(db, dbt))
        for count in range(LOADS):
            _load_again(db)
            builds[f"after load {count + 2}"].append(_build(db, dbt))
        return dbt.run("test")


def _make(db: Connection, ads: int, days: int) -> None:
    db.execute("CREATE SCHEMA pinterest")
    db.execute("SET search_path TO pinterest")
    tap = TapPinterest(config={"stream_groups": ["all"]}, validate_config=False)
    for table in TABLES:
        _create(db, table, tap.streams[table].schema["properties"], tap.streams[table].primary_keys)
    for query in ENTITIES:
        db.execute(query, {"accounts": ACCOUNTS, "ads": ads})
    loaded = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    db.execute(ROWS, {"first": 2, "last": days + 1, "loaded": loaded})
    _sum_up(db)
    db.execute("VACUUM ANALYZE")


def _create(db: Connection, table: str, properties: Mapping[str, Any], keys: Any) -> None:  # noqa: ANN401 - the SDK's
    columns = {name: _type(shape) for name, shape in properties.items()}
    columns |= dict.fromkeys(("_sdc_extracted_at", "_sdc_batched_at"), "timestamp")
    listed = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in columns.items()
    ]
    db.execute(
        sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(
            sql.Identifier(table),
            sql.SQL(", ").join(listed),
            sql.SQL(", ").join(map(sql.Identifier, keys)),
        )
    )


def _type(shape: Mapping[str, Any]) -> str:
    kind = (
        next(each for each in shape["type"] if each != "null")
        if isinstance(shape["type"], list)
        else shape["type"]
    )
    if kind in {"object", "array"}:
        return "jsonb"
    return {"date-time": "timestamp", "date": "date"}.get(
        shape.get("format", ""), TYPES.get(kind, "text")
    )


def _sum_up(db: Connection) -> None:
    """Make the levels above ads from their rows."""
    for table, ids in LEVELS.items():
        same = sql.SQL(", ").join(map(sql.Identifier, (*ids, *SAME)))
        measures = sql.SQL(", ").join(map(sql.Identifier, MEASURES))
        sums = sql.SQL(", ").join(
            sql.SQL("sum({})").format(sql.Identifier(name)) for name in MEASURES
        )
        stamps = sql.SQL("max(_sdc_extracted_at), max(_sdc_batched_at)")
        db.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
        db.execute(
            sql.SQL(
                "INSERT INTO {} ({}, {}, _sdc_extracted_at, _sdc_batched_at)"
                " SELECT {}, {}, {} FROM ad_analytics GROUP BY {}"
            ).format(sql.Identifier(table), same, measures, same, sums, stamps, same)
        )


def _load_again(db: Connection) -> None:
    """Restate the days that the tap reads again, and add the newest."""
    loaded = datetime.now(tz=UTC).replace(tzinfo=None)
    db.execute("DELETE FROM ad_analytics WHERE date = current_date - 1")
    db.execute(ROWS, {"first": 1, "last": 1, "loaded": loaded})
    db.execute(RESTATE, {"days": RESTATED_DAYS, "loaded": loaded})
    _sum_up(db)
    db.execute("VACUUM ANALYZE")


def _build(db: Connection, dbt: Dbt) -> Build:
    before, blocks_before, _ = _read(db)
    models = dbt.build("--exclude-resource-type", "test")
    rows, blocks, size = _read(db)
    _, said = models.nodes["model.tap_pinterest.int_pinterest__ad_daily"]
    return Build(models.seconds, said, rows - before, blocks - blocks_before, size)


def _counts(built: Built) -> str:
    return ", ".join(f"{count} {status}" for status, count in built.statuses("test").items())


def _read(db: Connection) -> tuple[int, int, int]:
    """Rows and blocks of ads that PostgreSQL has read, by its own count, and the table's blocks."""
    time.sleep(1)
    db.execute("SELECT pg_stat_clear_snapshot()")
    ((rows, blocks, size),) = db.execute(READ, ["pinterest.ad_analytics"]).fetchall()
    return int(rows), int(blocks), int(size)


if __name__ == "__main__":
    main()
