"""Two clients in one build, whose tables differ, and the builds after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from built_models import WEEK
from scripts.dbt_project import DbtError

if TYPE_CHECKING:
    from decimal import Decimal
    from typing import LiteralString

    from built_models import World
    from scripts.dbt_project import Built, Dbt

pytestmark = pytest.mark.dbt

SELECTED = (
    *(
        "--select",
        "+ums__vendor_performance",
        "+pinterest__reconciliation",
        "+pinterest__freshness",
    ),
    *("+pinterest__ad_history", "--indirect-selection", "cautious"),
)
LOADED_ON_TWO_DAYS: LiteralString = """
    UPDATE ad_analytics
       SET _sdc_batched_at = CASE WHEN date = '2026-11-20' THEN timestamp '2026-11-20 06:00'
                                  ELSE timestamp '2026-11-01 06:00' END
"""
RESTATED_BY_A_LONG_LOAD: LiteralString = """
    UPDATE ad_analytics
       SET spend_in_micro_dollar = 3000000, _sdc_batched_at = '2026-11-20 05:52'
     WHERE date = (SELECT min(date) FROM ad_analytics)
"""
"""By a load that began before the newest one, and ended after it."""
OF_OTHER_SETTINGS: LiteralString = """
    ALTER TABLE ad_analytics DROP COLUMN spend_in_micro_dollar, DROP COLUMN total_checkout,
          DROP COLUMN _sdc_batched_at, DROP COLUMN _sdc_extracted_at,
          ALTER COLUMN ad_id TYPE bigint USING ad_id::bigint;
    UPDATE ad_analytics
       SET currency = NULL,
           spend_in_dollar = CASE ad_id WHEN (SELECT min(ad_id) FROM ad_analytics) THEN -5
                                        WHEN (SELECT max(ad_id) FROM ad_analytics) THEN NULL
                                        ELSE spend_in_dollar END;
    DROP TABLE keyword_analytics;
"""


@dataclass(frozen=True)
class Clients:
    """Two schemas with tables, and the models over both."""

    world: World
    schemas: tuple[str, str]
    dbt: Dbt
    built: Built

    def change(self, schema: str, *queries: LiteralString) -> None:
        """Change tables of one client."""
        with self.world.db.transaction():
            path = sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema))
            self.world.db.execute(path)
            for query in queries:
                self.world.db.execute(query)

    def spend_in(self, schema: str, column: LiteralString) -> Decimal:
        """Spend in a table of one client."""
        query = sql.SQL("SELECT sum({}) AS spend FROM {}").format(
            sql.Identifier(column), sql.Identifier(schema, "ad_analytics")
        )
        ((spend,),) = (row.values() for row in self.world.db.execute(query).fetchall())
        return spend  # type: ignore[no-any-return]

    def stores(self) -> list[dict[str, Any]]:
        """The rows, ids and spend of each client in the models."""
        return self.world.rows(
            "SELECT store, count(*) AS rows, count(DISTINCT id) AS ids, sum(total_spend) AS spend,"
            " sum(vendor_reported_orders) AS orders, min(original_currency) AS currency"
            " FROM of_two.vendor_performance WHERE attribution_window = '30/30/1'"
            " GROUP BY store ORDER BY store"
        )


@pytest.fixture(scope="module")
def clients(world: World) -> Clients:
    """Two copies of the world's tables, the second one loaded with other settings."""
    schemas = (f"{world.schema}_A", f"{world.schema}_B")
    for schema in schemas:
        _copy(world, schema)
    dbt = world.dbt(
        schema="of_two",
        pinterest_schemas=[*schemas, schemas[0]],
        pinterest_ums_schema="of_two",
        pinterest_fivetran=False,
        pinterest_lookback_days=3,
        pinterest_index_megabytes=0,
        pinterest_reconciliation_severity="warn",
    )
    made = Clients(world, schemas, dbt, world.built[max(world.built)])
    first, second = schemas
    made.change(
        first,
        LOADED_ON_TWO_DAYS,
    )
    made.change(second, OF_OTHER_SETTINGS)
    return Clients(world, schemas, dbt, dbt.build(*SELECTED))


def _copy(world: World, schema: str) -> None:
    world.db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    tables = world.rows("SELECT tablename FROM pg_tables WHERE schemaname = %s", world.schema)
    copy = sql.SQL("CREATE TABLE {} AS TABLE {}")
    for name in (table["tablename"] for table in tables):
        world.db.execute(
            copy.format(sql.Identifier(schema, name), sql.Identifier(world.schema, name))
        )


def test_clients_stay_apart_with_other_columns_and_types(clients: Clients) -> None:
    first, second = clients.stores()
    assert (first["store"], second["store"]) == clients.schemas
    assert first["rows"] == second["rows"] == first["ids"] == second["ids"]
    assert (first["orders"] > 0, second["orders"]) == (True, None)
    assert first["spend"] == clients.spend_in(first["store"], "spend_in_micro_dollar") / 1_000_000
    assert second["spend"] == clients.spend_in(second["store"], "spend_in_dollar")
    assert first["currency"] == second["currency"]


def test_a_build_names_the_tables_that_each_client_lacks(clients: Clients) -> None:
    first, second = clients.schemas
    lacks = "product_group_analytics, product_group_promotions, product_group_targeting_analytics"
    line = "Not loaded into {}, so their models have no rows of it: {}"
    assert line.format(first, lacks) in clients.built.output
    assert line.format(second, f"keyword_analytics, {lacks}") in clients.built.output
    assert WEEK not in clients.built.output.partition("Not loaded")[2]
    rows = clients.world.rows(
        "SELECT DISTINCT source_relation, tables_not_loaded FROM of_two.pinterest__freshness"
        " ORDER BY source_relation"
    )
    assert [row["tables_not_loaded"] for row in rows] == [lacks, f"keyword_analytics, {lacks}"]


def test_a_large_table_gets_the_index_that_finds_loads(clients: Clients) -> None:
    rows = clients.world.rows(
        "SELECT schemaname FROM pg_indexes WHERE tablename = 'ad_analytics' AND indexdef LIKE"
        " '%%brin%%(_sdc_batched_at)'"
    )
    # The second client's loader does not say when it loads.
    assert [row["schemaname"] for row in rows] == [clients.schemas[0]]


def test_an_incremental_build_reads_every_row_that_was_loaded_since(clients: Clients) -> None:
    first, second = clients.schemas
    clients.change(
        first,
        RESTATED_BY_A_LONG_LOAD,
        "UPDATE ads SET name = 'Its second name'",
    )
    clients.change(
        second,
        # Rows of the newest days do not say when they were loaded; one of an old day does, now.
        "ALTER TABLE ad_analytics ADD COLUMN _sdc_batched_at timestamp",
        "UPDATE ad_analytics SET spend_in_dollar = 7 WHERE date = '2026-11-19'",
        "UPDATE ad_analytics SET spend_in_dollar = 9, _sdc_batched_at = now() WHERE date ="
        " (SELECT min(date) FROM ad_analytics)",
    )

    built = clients.dbt.build(*SELECTED)

    of_first, of_second = clients.stores()
    assert of_first["spend"] == clients.spend_in(first, "spend_in_micro_dollar") / 1_000_000
    assert of_second["spend"] == clients.spend_in(second, "spend_in_dollar")
    _, said = built.nodes["model.tap_pinterest.int_pinterest__ad_daily"]
    assert 0 < int(said.split()[-1]) < of_first["rows"]


def test_a_row_that_is_gone_from_its_table_is_found_and_history_goes_on(clients: Clients) -> None:
    first, _ = clients.schemas
    clients.change(
        first,
        "DELETE FROM ad_analytics WHERE ad_id = (SELECT min(ad_id) FROM ad_analytics)",
        "UPDATE ads SET name = 'Its third name, on the same day'",
    )
    with pytest.raises(DbtError, match="has_the_rows_of_int_pinterest__ad_daily"):
        clients.dbt.build("--select", "int_pinterest__ad_daily", "pinterest__ad_history")
    states = clients.world.rows(
        "SELECT ad_id, count(*) AS states, count(DISTINCT name) AS names,"
        " count(*) FILTER (WHERE dbt_valid_to IS NULL) AS valid FROM of_two.pinterest__ad_history"
        " WHERE source_relation = %s GROUP BY ad_id",
        first,
    )
    assert {(row["states"], row["names"], row["valid"]) for row in states} == {(3, 3, 1)}
