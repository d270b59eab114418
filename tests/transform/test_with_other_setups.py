"""The models in other databases, layouts and set-ups."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy.engine import make_url

from built_models import MICRO, MODELS, ROUNDING, WORLD, total
from documents import all_blocks
from loading import database, main_job
from pinterest_sandbox import Sandbox
from scripts.dbt_project import DBT, ENDS_WELL, Dbt, DbtError
from test_postgres import Pinterest

if TYPE_CHECKING:
    from built_models import World

pytestmark = pytest.mark.dbt

SUMS = (
    "SELECT count(*) AS rows, sum(total_spend) AS spend, sum(vendor_reported_orders) AS orders"
    " FROM ums.vendor_performance"
)
EXACTLY = ("--indirect-selection", "cautious")
"""Only tests of models that are all selected."""
FIVETRAN = json.loads((Path(__file__).parent / "fivetran_columns.json").read_text(encoding="utf-8"))
"""Columns of Fivetran's package, and their types."""
TYPES = {
    "text": {"text"},
    "timestamp": {"timestamp without time zone"},
    "number": {"bigint", "integer", "numeric"},
    "boolean": {"boolean"},
}
FIVETRANS_SUMS = (
    *("spend", "clicks", "impressions"),
    *("total_conversions", "total_conversions_quantity", "total_conversions_value"),
)


@pytest.mark.parametrize("name", FIVETRAN["models"])
def test_a_user_of_fivetrans_models_finds_their_columns_and_rows(world: World, name: str) -> None:
    rows = world.rows(f"SELECT * FROM pinterest_ads__{name}")  # noqa: S608 - a name of ours
    assert rows
    assert {row["advertiser_name"] for row in rows} <= {
        row["name"] for row in world.rows("SELECT name FROM ad_accounts")
    }
    assert [row for row in rows if any(row[each] is None for each in FIVETRANS_SUMS)] == []
    assert_types(world, MODELS, f"pinterest_ads__{name}", {**FIVETRAN["models"][name]})


@pytest.mark.parametrize("name", FIVETRAN["tables"])
def test_fivetrans_tables_have_the_types_that_its_package_reads(world: World, name: str) -> None:
    more = FIVETRAN["of_reports"] if name.endswith("_report") else {}
    assert_types(world, "pinterest_ads", name, {**FIVETRAN["tables"][name], **more})


def assert_types(world: World, schema: str, table: str, wanted: dict[str, str]) -> None:
    rows = world.rows(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s",
        schema,
        table,
    )
    found = {row["column_name"]: row["data_type"] for row in rows}
    assert {name for name, kind in wanted.items() if found[name] not in TYPES[kind]} == set()


def test_fivetrans_links_stay_as_they_stand_there(world: World) -> None:
    rows = world.rows(
        "SELECT DISTINCT base_url, url_host, url_path, utm_term FROM pinterest_ads__url_report"
        " WHERE destination_url LIKE 'https://shop.example.com:8443/%%'"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("https://shop.example.com:8443/sale", "shop.example.com:8443", "/sale", "#top")
    ]


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


def test_duckdb_has_the_same_numbers(world: World, warehouse: Path) -> None:
    dbt = world.dbt_in(warehouse)
    dbt.build()
    again = dbt.build("--exclude-resource-type", "test")
    assert {status for status, _ in again.nodes.values()} <= ENDS_WELL
    with duckdb.connect(str(warehouse), read_only=True) as made:
        for query in (SUMS, *map(_measures, SUMMED_IN_BOTH)):
            (known,) = world.db.execute(query.encode()).fetchall()
            assert made.execute(query).fetchall() == [tuple(known.values())], query
        links = made.execute(LINKS).fetchall()
    assert sorted(links) == sorted(tuple(row.values()) for row in world.rows(LINKS))


LINKS = (
    "SELECT destination_url, base_url, url_host, url_path, utm_source, utm_campaign, utm_term"
    " FROM pinterest_models.int_pinterest__links"
)
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

    alone = world.dbt(schema="converted", pinterest_currency="GBP")
    output = alone.run("run", "--select", "stg_pinterest__days").output
    assert "pinterest_currency and pinterest_fx_rates have an effect only together" in output


def test_metrics_are_added_whether_staging_has_them_or_not(world: World) -> None:
    names = ["TOTAL_WEB_CHECKOUT", "spend_in_dollar", "total_web_checkout_value_in_micro_dollar"]
    dbt = world.dbt(schema="more", pinterest_metrics=[*names, "total_unknown"])
    with pytest.raises(DbtError, match="no report has: total_unknown"):
        dbt.run("run", "--select", "stg_pinterest__ad_daily")

    dbt = world.dbt(schema="more", pinterest_metrics=[*names, "total_web_lead"])
    dbt.run("run", "--select", "+pinterest__ad_daily")

    added = world.one(
        "SELECT sum(total_web_checkout) AS checkouts, count(total_web_lead) AS leads,"
        " sum(total_web_checkout_value) * 1000000 AS value, sum(spend) AS spend"
        " FROM more.pinterest__ad_daily"
    )
    loaded = world.one(
        "SELECT sum(total_web_checkout) AS checkouts, 0 AS leads,"
        " sum(total_web_checkout_value_in_micro_dollar) AS value,"
        " (SELECT sum(spend) FROM pinterest__ad_daily) AS spend FROM ad_analytics"
    )
    assert loaded["checkouts"]
    assert added == loaded


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        # As Pinterest displays them: some names are those of the API.
        ("spend numeric, spend_in_account_currency numeric", "spend_in_account_currency"),
        ("spend_in_micro_dollar numeric, spend numeric, new_metric bigint", "spend, new_metric"),
    ],
    ids=["no spend of the API", "a name that Pinterest lists"],
)
def test_names_of_ads_manager_are_refused_in_words(
    world: World, tmp_path: Path, columns: str, named: str
) -> None:
    schema = f"{world.schema} {named}"[:63]
    names = sql.Identifier(schema)
    world.db.execute(sql.SQL("CREATE SCHEMA {}").format(names))
    world.db.execute(
        sql.SQL(
            "CREATE TABLE {0}.ad_analytics (ad_id text, date date, currency text, _sdc_batched_at"  # noqa: S608
            f" timestamp, impression_1 bigint, {columns});"
            "CREATE TABLE {0}.delivery_metrics AS SELECT * FROM (VALUES"
            " ('SPEND_IN_DOLLAR', 'Spend'), ('NEW_METRIC', 'New metric'), ('OLD', NULL)"
            ") AS metrics (name, display_name)"
        ).format(names)
    )
    dbt = Dbt(tmp_path, url=world.url, variables={"pinterest_schemas": [schema]})
    with pytest.raises(DbtError, match=rf"(?s){named}.*column_names: display"):
        dbt.build("--select", "stg_pinterest__ad_daily")

    world.db.execute(sql.SQL("DELETE FROM {}.delivery_metrics WHERE name <> 'OLD'").format(names))
    if "micro" in columns:
        dbt.build("--select", "stg_pinterest__ad_daily", *EXACTLY)


def test_a_user_who_may_not_read_the_tables_sees_the_missing_grants(
    world: World, tmp_path: Path
) -> None:
    reader, schema = "reader_of_models", world.schema
    create = "CREATE ROLE {0} LOGIN PASSWORD 'x'; GRANT CREATE ON DATABASE {1} TO {0}"
    url = make_url(world.url)
    world.db.execute(
        sql.SQL(create).format(sql.Identifier(reader), sql.Identifier(url.database or ""))
    )
    text = url.set(username=reader, password="x").render_as_string(hide_password=False)
    dbt = Dbt(tmp_path, url=text, schema=reader, variables={"pinterest_schemas": [schema]})

    with pytest.raises(DbtError, match="may not read all tables") as refused:
        dbt.run("run", "--select", "stg_pinterest__ad_daily")

    grants = re.findall(r"GRANT [^;]*;", str(refused.value))
    assert len(grants) == 2
    for grant in grants:
        world.db.execute(grant.encode())
    dbt.run("run", "--select", "stg_pinterest__ad_daily")


def test_a_report_of_other_periods_is_not_taken_for_one_of_days(
    world: World, tmp_path: Path
) -> None:
    variables = {"pinterest_schemas": [world.schema], "pinterest_ad_window_tables": ["pin_weeks"]}
    world.db.execute("CREATE TABLE pin_weeks (ad_id text, date date, date_end date)")
    named = sql.SQL("ALTER TABLE pin_weeks SET SCHEMA {}").format(sql.Identifier(world.schema))
    world.db.execute(named)
    dbt = Dbt(tmp_path, url=world.url, variables=variables)
    with pytest.raises(DbtError, match=r"pin_weeks.* is not a report of ads by day"):
        dbt.build("--select", "stg_pinterest__ad_daily")


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"pinterest_shemas": ["x"]}, "pinterest_shemas"),
        ({"pinterest_schema": "x"}, "pinterest_schema"),
        ({"Pinterest_metrics": ["total_web_lead"]}, "Pinterest_metrics"),
        ({"pinterest_ums": {"chanel": "Paid"}}, "pinterest_ums.chanel"),
    ],
    ids=["misspelt", "Fivetran's", "a capital letter", "a member"],
)
def test_a_misspelt_variable_stops_the_build_and_the_known_ones_are_named(
    world: World, tmp_path: Path, variables: dict[str, Any], named: str
) -> None:
    dbt = Dbt(tmp_path, url=world.url, variables={"pinterest_schemas": [world.schema]})
    refusal = rf"no variable {re.escape(named)}\. .*The variables are pinterest_ad_window_tables, "
    with pytest.raises(DbtError, match=refusal):
        dbt.run("run", "--select", "stg_pinterest__days", **variables)


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
