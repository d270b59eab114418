"""The models in other databases, layouts and set-ups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from built_models import LINK, MICRO, MODELS, ROUNDING, WORLD, total
from documents import all_blocks
from loading import database, main_job
from pinterest_sandbox import Sandbox
from scripts.dbt_project import DBT, ENDS_WELL, Dbt, DbtError
from test_postgres import Pinterest

if TYPE_CHECKING:
    from pathlib import Path

    from built_models import World

pytestmark = pytest.mark.dbt

SUMS = (
    "SELECT count(*) AS rows, sum(total_spend) AS spend, sum(vendor_reported_orders) AS orders"
    " FROM ums.vendor_performance"
)
EXACTLY = ("--indirect-selection", "cautious")
"""Only tests of models that are all selected."""
FIVETRANS_MODELS = {
    "advertiser_report": "advertiser_id currency_code country",
    "campaign_report": "campaign_id campaign_name campaign_status",
    "ad_group_report": "ad_group_id ad_group_name created_at start_time end_time",
    "pin_promotion_report": "pin_promotion_id pin_name pin_status destination_url base_url",
    "keyword_report": "keyword_id keyword_value match_type parent_type",
    "url_report": "url_host url_path utm_source utm_medium utm_campaign utm_content utm_term",
    "campaign_country_report": "country_id country_name budget_spend_cap lifetime_spend_cap",
    "campaign_region_report": "region_id region_name country_id campaign_objective_type",
}
"""Fivetran's eight final models, with columns that only they have."""
FIVETRANS_SUMS = (
    *("spend", "clicks", "impressions"),
    *("total_conversions", "total_conversions_quantity", "total_conversions_value"),
)


@pytest.mark.parametrize("name", FIVETRANS_MODELS)
def test_a_user_of_fivetrans_models_finds_their_columns_and_rows(world: World, name: str) -> None:
    rows = world.rows(f"SELECT * FROM pinterest_ads__{name}")  # noqa: S608 - a name of ours
    assert rows
    wanted = {"source_relation", "date_day", "advertiser_name", *FIVETRANS_SUMS}
    assert wanted | {*FIVETRANS_MODELS[name].split()} <= rows[0].keys()
    assert {row["advertiser_name"] for row in rows} <= {
        row["name"] for row in world.rows("SELECT name FROM ad_accounts")
    }
    assert [row for row in rows if any(row[each] is None for each in FIVETRANS_SUMS)] == []


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("advertiser_report", "account_daily"),
        ("campaign_report", "campaign_daily"),
        ("ad_group_report", "ad_group_daily"),
        ("pin_promotion_report", "ad_daily"),
        ("campaign_country_report", "country_daily"),
        ("campaign_region_report", "region_daily"),
    ],
)
def test_fivetrans_models_add_up_to_ours(world: World, name: str, model: str) -> None:
    theirs = world.one(
        "SELECT count(*) AS rows, sum(spend) AS spend, sum(clicks) AS clicks,"  # noqa: S608
        f" sum(total_conversions) AS conversions FROM pinterest_ads__{name}"
    )
    ours = world.sum_of(f"pinterest__{model}")
    assert theirs == {key: ours[key] for key in theirs}


def test_fivetrans_tables_have_micro_currency(world: World) -> None:
    theirs = world.one(
        "SELECT count(*) AS rows, sum(spend_in_micro_dollar) AS spend"
        " FROM pinterest_ads.campaign_report"
    )
    table = world.one(
        "SELECT count(*) AS rows, sum(spend_in_micro_dollar) AS spend FROM campaign_analytics"
    )
    assert theirs["rows"] == table["rows"]
    assert abs(theirs["spend"] - table["spend"]) < theirs["rows"]


@pytest.mark.parametrize("block", all_blocks("sql", "models"), ids=str)
def test_every_question_of_the_documents_has_an_answer(world: World, block: Any) -> None:
    with world.db.transaction(force_rollback=True):
        text = block.text.replace("pinterest.", f"{world.schema}.")
        found = world.db.execute(text.encode())
        assert found.description is None or found.fetchall()


def test_duckdb_has_the_same_numbers(world: World) -> None:
    file = world.folder / "warehouse.duckdb"
    world.job.meltano("run", "tap-pinterest", "target-duckdb")
    with duckdb.connect(str(file)) as made:
        made.execute(LINK.format(schema="pinterest"))
    dbt = world.dbt_in(file)
    dbt.build()
    again = dbt.build()
    assert {status for status, _ in again.nodes.values()} <= ENDS_WELL
    with duckdb.connect(str(file), read_only=True) as made:
        for query in (SUMS, *map(_measures, SUMMED_IN_BOTH)):
            (known,) = world.db.execute(query.encode()).fetchall()
            assert made.execute(query).fetchall() == [tuple(known.values())], query


SUMMED_IN_BOTH = (
    "pinterest__campaign_daily",
    "pinterest__url_daily",
    "pinterest__country_daily",
    "pinterest__keyword_daily",
    "pinterest_ads__pin_promotion_report",
)


def _measures(model: str) -> str:
    return (
        "SELECT count(*) AS rows, sum(spend) AS spend, sum(clicks) AS clicks,"  # noqa: S608
        f" sum(impressions) AS impressions FROM {MODELS}.{model}"
    )


def test_two_clients_in_one_build_stay_apart(world: World) -> None:
    other = f"{world.schema}_b"
    _copy(world, other)
    dbt = world.dbt(
        schema="of_two",
        pinterest_schemas=[world.schema, other],
        pinterest_ums_schema="of_two",
        pinterest_fivetran=False,
    )
    built = dbt.build(
        "--select", "+ums__vendor_performance", "+pinterest__reconciliation", *EXACTLY
    )
    assert built.statuses("test")["pass"] > 5
    rows = world.rows(
        "SELECT store, count(*) AS rows, sum(total_spend) AS spend, count(DISTINCT id) AS ids"
        " FROM of_two.vendor_performance GROUP BY store"
    )
    assert {row["store"] for row in rows} == {world.schema, other}
    first, second = ({**row, "store": ""} for row in rows)
    assert first == second
    assert first["ids"] == first["rows"]


def _copy(world: World, schema: str) -> None:
    world.db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    tables = world.rows("SELECT tablename FROM pg_tables WHERE schemaname = %s", world.schema)
    for table in tables:
        copy = sql.SQL("CREATE TABLE {} AS TABLE {}")
        name = table["tablename"]
        world.db.execute(
            copy.format(sql.Identifier(schema, name), sql.Identifier(world.schema, name))
        )


def test_money_is_converted_and_a_missing_rate_is_found(world: World) -> None:
    world.db.execute(
        sql.SQL(
            "CREATE TABLE {}.rates AS SELECT DISTINCT date, currency AS from_currency,"
            " 'GBP' AS to_currency, 0.5 AS rate FROM ad_analytics"
        ).format(sql.Identifier(world.schema))
    )
    dbt = world.dbt(
        schema="converted",
        pinterest_fx_rates=f"{world.schema}.rates",
        pinterest_currency="GBP",
        pinterest_fivetran=False,
    )
    dbt.build("--select", "+pinterest__ad_daily", *EXACTLY)
    rows = world.one(
        "SELECT sum(spend) AS spend, sum(spend_converted) AS converted"
        " FROM converted.pinterest__ad_daily"
    )
    assert abs(rows["converted"] - rows["spend"] / 2) < Decimal("0.01")
    world.db.execute("DELETE FROM rates WHERE date = (SELECT max(date) FROM ad_analytics)")
    with pytest.raises(DbtError, match="no_exchange_rate_is_missing"):
        dbt.run("test", "--select", "no_exchange_rate_is_missing")
    nothing = world.one(
        "SELECT count(spend_converted) AS rows FROM converted.pinterest__ad_daily"
        " WHERE date = (SELECT max(date) FROM ad_analytics)"
    )
    assert nothing["rows"] == 0


def test_names_of_ads_manager_are_refused_in_words(world: World, tmp_path: Path) -> None:
    schema = f"{world.schema}_display"
    names = sql.Identifier(schema)
    world.db.execute(sql.SQL("CREATE SCHEMA {}").format(names))
    world.db.execute(
        sql.SQL("CREATE TABLE {}.ad_analytics (ad_id text, date date, spend numeric)").format(names)
    )
    dbt = Dbt(tmp_path, url=world.url, variables={"pinterest_schemas": [schema]})
    with pytest.raises(DbtError, match="column_names: display"):
        dbt.build("--select", "stg_pinterest__ad_daily")


def test_a_schema_without_tables_is_named(world: World, tmp_path: Path) -> None:
    dbt = Dbt(tmp_path, url=world.url, variables={"pinterest_schemas": ["nowhere"]})
    with pytest.raises(DbtError, match="No table of tap-pinterest is in nowhere"):
        dbt.build("--select", "stg_pinterest__ad_daily")


def test_meltano_loads_daasitys_tables_and_builds_the_models(tmp_path: Path) -> None:
    if not DBT.exists():
        pytest.skip("dbt is not installed: make transform")
    today = datetime.now(tz=UTC).date()
    start = today - timedelta(days=20)
    with (
        database() as (url, schema),
        Sandbox(seed=7, today=today, size=WORLD) as sandbox,
        psycopg.connect(url.replace("+psycopg", ""), row_factory=dict_row, autocommit=True) as db,
    ):
        job = main_job(
            tmp_path, sandbox, url, schema, start_date=start.isoformat(), layout="daasity"
        )
        job.meltano("run", "tap-pinterest", "target-postgres", "dbt-postgres:build")
        (found,) = db.execute(
            "SELECT sum(total_spend) AS spend, sum(vendor_reported_orders) AS orders,"
            " count(DISTINCT original_currency) AS currencies, min(attribution_window) AS windows"
            " FROM ums.vendor_performance"
        ).fetchall()
        pinterest = Pinterest(sandbox.url, sandbox.credentials["access_token"])
        rows = pinterest.report("ad_analytics", start, today - timedelta(days=1)).values()
    assert abs(found["spend"] - total(rows, "SPEND_IN_MICRO_DOLLAR") / MICRO) < ROUNDING
    assert found["orders"] == total(rows, "TOTAL_CHECKOUT")
    assert (found["currencies"], found["windows"]) == (2, "30/30/1")
