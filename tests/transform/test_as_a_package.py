"""The models as a package of somebody's own dbt project, in place of Fivetran's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from built_models import DAY_2, ROUNDING, sums
from documents import blocks
from scripts.dbt_project import PROJECT, DbtError

if TYPE_CHECKING:
    from built_models import World
    from scripts.dbt_project import Built, Dbt

pytestmark = pytest.mark.dbt

SELECTED = (
    *("--select", "+spend", "spend_of_tables", "+ums__vendor_performance"),
    *("--indirect-selection", "cautious"),
)
THEIR_PROJECT = """
name: shop
profile: shop
vars:
  pinterest__using_keywords: true
"""
THEIR_SQL = """
SELECT date_day, advertiser_name, campaign_name, sum(spend) AS spend,
       sum(total_conversions) AS conversions
  FROM {{ ref('pinterest_ads__campaign_report') }}
 GROUP BY 1, 2, 3
"""
THEIR_OTHER_SQL = """
SELECT sum(spend_in_micro_dollar) / 1000000.0 AS spend
  FROM {{ source('pinterest_ads', 'campaign_report') }}
"""
THEIR_SOURCE = """
version: 2
sources:
- name: pinterest_ads
  schema: "{{ var('pinterest_schema', 'fivetran_tables') }}"
  database: "{{ var('pinterest_database', 'elsewhere') }}"
  tables: [{name: campaign_report}]
"""


class Shop(NamedTuple):
    """A project of somebody else, and its build."""

    dbt: Dbt
    built: Built


@pytest.fixture(scope="module")
def shop(world: World) -> Shop:
    """A project that had Fivetran's package, with the lines that the documents tell to change."""
    folder = world.folder / "shop"
    (folder / "models").mkdir(parents=True)
    database = world.url.rpartition("/")[2]
    package, switch, place = (
        block.text for block in blocks("docs/models.md") if block.language == "yaml"
    )
    for name, text in {
        "packages.yml": package.replace("../tap-pinterest/transform", str(PROJECT)),
        "dbt_project.yml": THEIR_PROJECT
        + switch.removeprefix("vars:\n")
        + place.removeprefix("vars:\n").replace("your_database", database)
        + f"  pinterest_schemas: [{world.schema}]\n  pinterest_ums_schema: marketing\n",
        "profiles.yml": (PROJECT / "profiles.yml")
        .read_text(encoding="utf-8")
        .replace("tap_pinterest:", "shop:"),
        "models/spend.sql": THEIR_SQL,
        "models/spend_of_tables.sql": THEIR_OTHER_SQL,
        "models/source.yml": THEIR_SOURCE,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    dbt = world.dbt(schema="analytics").as_package_of(folder)
    dbt.run("deps")
    return Shop(dbt, dbt.build(*SELECTED))


def test_a_user_of_fivetrans_package_changes_two_lines_and_keeps_the_sql(
    world: World, shop: Shop
) -> None:
    assert shop.built.nodes["model.shop.spend"][0] == "success"
    known = sums(world.truth[DAY_2]["campaign_analytics"])
    found = world.one(
        "SELECT sum(spend) AS spend, sum(conversions) AS conversions FROM analytics.spend"
    )
    assert abs(found["spend"] - known["spend"]) < ROUNDING
    assert found["conversions"] == known["conversions"]


def test_a_user_who_keeps_the_package_names_another_schema(world: World, shop: Shop) -> None:
    assert shop.built.nodes["model.shop.spend_of_tables"][0] == "success"
    known = sums(world.truth[DAY_2]["campaign_analytics"])
    found = world.one("SELECT spend FROM analytics.spend_of_tables")
    assert abs(found["spend"] - known["spend"]) < ROUNDING


def test_variables_of_their_project_say_where_models_go(world: World, shop: Shop) -> None:
    assert shop.built.nodes["model.tap_pinterest.ums__vendor_performance"][0] == "success"
    assert world.rows("SELECT 1 FROM marketing.vendor_performance LIMIT 1")


def test_a_misspelt_variable_of_their_project_is_one_warning(shop: Shop) -> None:
    assert "The models have no variable" not in shop.built.output

    built = shop.dbt.run("run", "--select", "stg_pinterest__days", pinterest_metric=["x"])

    assert "The models have no variable pinterest_metric. Its value has no effect" in built.output


def test_a_misspelt_variable_below_the_name_of_the_package_stops_the_run(
    world: World, shop: Shop
) -> None:
    file = world.folder / "shop" / "dbt_project.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text}  tap_pinterest: {{metrics: [x]}}\n", encoding="utf-8")

    with pytest.raises(DbtError, match="The models have no variable metrics"):
        shop.dbt.run("run", "--select", "stg_pinterest__days")

    file.write_text(text, encoding="utf-8")


def test_a_run_of_their_own_models_needs_no_table_of_the_tap(world: World, shop: Shop) -> None:
    project = (world.folder / "shop" / "dbt_project.yml").read_text(encoding="utf-8")
    (world.folder / "shop" / "dbt_project.yml").write_text(
        project.replace(f"pinterest_schemas: [{world.schema}]", "pinterest_schemas: [nowhere]"),
        encoding="utf-8",
    )
    built = shop.dbt.run("run", "--select", "spend_of_tables")
    assert built.statuses("model") == {"success": 1}
