"""Each table that models are made from can be missing, in both databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import pytest
from psycopg import sql

from scripts.dbt_project import Dbt
from scripts.update_transform import STAGED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from built_models import World

pytestmark = pytest.mark.dbt

TABLES = sorted({*STAGED.values()})
HALVES = {"one half": TABLES[::2], "the other half": TABLES[1::2]}
"""Tables that are there; each is missing in one of the two builds."""
MODELS_ONLY = ("--exclude-resource-type", "test", "--exclude-resource-type", "snapshot")
COUNT = "SELECT count(*) AS rows FROM {}.stg_pinterest__{}"
TOLD = "SELECT table_name FROM {}.pinterest__tables WHERE NOT is_loaded ORDER BY table_name"
FRESHNESS = "SELECT DISTINCT tables_not_loaded FROM {}.pinterest__freshness"


class Half(NamedTuple):
    """A database with some of the tables, and the models over it."""

    schema: str
    rows_of: Callable[[str], list[Any]]
    """The values of the first column of a query."""
    run: Callable[[], object]


def in_postgres(world: World, _: Path, there: list[str]) -> Half:
    """Some of the world's tables in a schema of their own."""
    schema = f"half_{TABLES.index(there[0])}"
    world.db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    rows = world.rows("SELECT tablename FROM pg_tables WHERE schemaname = %s", world.schema)
    for name in {row["tablename"] for row in rows} & {*there}:
        copy = sql.SQL("CREATE TABLE {} AS TABLE {}")
        parts = sql.Identifier(schema, name), sql.Identifier(world.schema, name)
        world.db.execute(copy.format(*parts))
    dbt = world.dbt(
        schema=f"{schema}_models",
        pinterest_schemas=schema,
        pinterest_ums_schema=f"{schema}_models",
        pinterest_fivetran=False,
        pinterest_ad_window_tables=[],
    )

    def rows_of(query: str) -> list[Any]:
        return [next(iter(row.values())) for row in world.rows(query)]

    return Half(f"{schema}_models", rows_of, lambda: dbt.build(*MODELS_ONLY))


def in_duckdb(world: World, warehouse: Path, there: list[str]) -> Half:
    """Some of its tables in a file of their own, in a schema with a capital letter."""
    file = world.folder / f"half_{TABLES.index(there[0])}.duckdb"
    with duckdb.connect(str(file)) as made:
        made.execute(f"ATTACH '{warehouse}' AS whole (READ_ONLY)")
        made.execute('CREATE SCHEMA "Client_A"')
        rows = made.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'whole'"
            " AND schema_name = 'pinterest'"
        ).fetchall()
        for name in {name for (name,) in rows} & {*there}:
            made.execute(f'CREATE TABLE "Client_A".{name} AS FROM whole.pinterest.{name}')
    variables = {"pinterest_schemas": ["Client_A"]}
    dbt = Dbt(world.folder / "half", duckdb=file, schema="models", variables=variables)

    def rows_of(query: str) -> list[Any]:
        with duckdb.connect(str(file), read_only=True) as made:
            return [row[0] for row in made.execute(query).fetchall()]

    return Half("models", rows_of, lambda: dbt.build(*MODELS_ONLY))


@pytest.mark.parametrize("there", HALVES.values(), ids=HALVES)
@pytest.mark.parametrize("database", [in_postgres, in_duckdb])
def test_models_of_a_missing_table_are_empty_and_the_table_is_named(
    world: World, warehouse: Path, database: Any, there: list[str]
) -> None:
    half: Half = database(world, warehouse, there)
    half.run()
    has_rows = {
        table
        for model, table in STAGED.items()
        if model != "ad_window_daily" and half.rows_of(COUNT.format(half.schema, model)) != [0]
    }
    missing = half.rows_of(TOLD.format(half.schema))
    assert {*TABLES} - {*there} <= {*missing}
    assert has_rows == {*TABLES} - {*missing}
    if "ad_accounts" in there:
        assert half.rows_of(FRESHNESS.format(half.schema)) == [", ".join(missing)]


def test_tables_without_rows_are_tables(world: World) -> None:
    world.db.execute("CREATE SCHEMA of_nothing")
    for row in world.rows("SELECT tablename FROM pg_tables WHERE schemaname = %s", world.schema):
        copy = sql.SQL("CREATE TABLE {} AS TABLE {} WITH NO DATA")
        name = row["tablename"]
        parts = sql.Identifier("of_nothing", name), sql.Identifier(world.schema, name)
        world.db.execute(copy.format(*parts))
    dbt = world.dbt(
        schema="nothing",
        pinterest_schemas=["of_nothing"],
        pinterest_ums_schema="nothing",
        pinterest_fivetran_schema="nothing_fivetran",
    )
    built = dbt.build()
    assert built.statuses("test").keys() == {"pass"}
    assert world.rows("SELECT 1 FROM nothing.vendor_performance") == []


def test_the_tables_may_be_in_another_database(
    world: World, warehouse: Path, tmp_path: Path
) -> None:
    attached = {"type": "duckdb", "path": str(tmp_path / "marts.duckdb"), "schema": "reports"}
    attached |= {"attach": [{"path": str(warehouse), "alias": "lake", "read_only": True}]}  # type: ignore[dict-item]
    profile = {"tap_pinterest": {"target": "reports", "outputs": {"reports": attached}}}
    (tmp_path / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")
    variables = {"pinterest_tables_database": "lake"}
    dbt = Dbt(tmp_path, duckdb=warehouse, variables=variables)
    dbt.build("--profiles-dir", str(tmp_path), "--select", "+int_pinterest__ad_daily")
    with duckdb.connect(str(tmp_path / "marts.duckdb"), read_only=True) as made:
        found = made.execute("SELECT count(*), sum(spend) FROM reports.int_pinterest__ad_daily")
        rows, spend = found.fetchall()[0]
    known = world.sum_of("pinterest__ad_daily")
    assert (rows, spend) == (known["rows"], known["spend"])
