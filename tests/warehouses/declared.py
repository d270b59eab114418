"""The targets, with the packages and the settings of `meltano.yml`, and how to read back rows."""

from __future__ import annotations

import ast
import csv
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg

import both_targets
import duck
from last_records import kind_of
from scripts.processes import ROOT
from warehouses.place import (
    CSV,
    JSONL,
    PIPELINEWISE,
    STORAGE,
    UNQUOTED,
    Place,
    Target,
    TypedTarget,
    last_of_each_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from last_records import LastRecords, Row
    from warehouses.place import Place

SCHEMA = "pinterest"
STRUCTURES = {"object", "array", ""}
NO_EMPTY_KEYS = {"empty_key_value": "(none)"}
"""For loaders that take an empty text for null, which a key cannot be."""


def duckdb_place(place: Place) -> dict[str, Any]:
    return {"path": str(place.folder / "warehouse.duckdb")}


def duckdb_rows(place: Place, stream: str, _: LastRecords) -> list[Row]:
    with duckdb.connect(str(place.folder / "warehouse.duckdb"), read_only=True) as connection:
        return duck.rows_of(connection.execute(f'FROM {SCHEMA}."{stream}"'))


def jsonl_place(place: Place) -> dict[str, Any]:
    return {"destination_path": str(place.folder)}


def jsonl_rows(place: Place, stream: str, expected: LastRecords) -> Iterator[Row]:
    lines = (place.folder / f"{stream}.jsonl").read_text("utf-8").splitlines()
    return last_of_each_key(map(json.loads, lines), expected)


def csv_place(place: Place) -> dict[str, Any]:
    return {"output_path": str(place.folder)}


def csv_rows(place: Place, stream: str, expected: LastRecords) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    objects = {name for name, each in expected.properties.items() if kind_of(each) in STRUCTURES}

    def read(name: str, value: str) -> Any:
        if value == "":
            return None
        if name not in objects:
            return value
        # It writes objects as Python does, and not as JSON.
        return json.dumps(ast.literal_eval(re.sub(r"Decimal\('([^']*)'\)", r"\1", value)))

    rows = []
    for path in place.folder.glob(f"{stream}-[0-9]*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows += [{key: read(key, each[key]) for key in each} for each in csv.DictReader(file)]
    rows.sort(key=lambda row: (int(row["_sdc_sequence"]), row["_sdc_received_at"]))
    return last_of_each_key(rows, expected)


def pipelinewise_place(place: Place) -> dict[str, Any]:
    parts = psycopg.conninfo.conninfo_to_dict(place.postgres_url)
    return {
        **{name: parts[name] for name in ("host", "user", "password", "dbname")},
        "port": int(parts["port"] or 5432),
        "default_target_schema": place.postgres_schema,
    }


def postgres_place(place: Place) -> dict[str, Any]:
    return {
        "sqlalchemy_url": place.postgres_url.replace("postgresql:", "postgresql+psycopg:"),
        "default_target_schema": place.postgres_schema,
    }


def postgres_rows(place: Place, stream: str, _: LastRecords) -> list[Row]:
    with psycopg.connect(place.postgres_url) as connection:
        return both_targets.rows_of(connection, place.postgres_schema, stream)


def s3_place(place: Place) -> dict[str, Any]:
    aws = {
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
        "aws_region": "us-east-1",
        "aws_bucket": "pinterest",
        "aws_endpoint_override": place.storage_url,
    }
    return {f"cloud_provider.aws.{name}": value for name, value in aws.items()}


def s3_rows(place: Place, stream: str, expected: LastRecords) -> list[Row]:
    return rows_in_view("read_parquet", place.stored(f"pinterest/{stream}/"), expected.keys)


def rows_in_view(reader: str, files: Iterable[Path], keys: Iterable[str]) -> list[Row]:
    """Rows through a view of docs/warehouses.md, as its readers get them.

    Args:
        reader: The function of DuckDB that the view reads files with.
        files: The files instead of those on the page.
        keys: The key of the table instead of the one on the page.
    """
    page = (ROOT / "docs" / "warehouses.md").read_text("utf-8")
    views = re.findall(r"```sql parsed\n(.*?)```", page, re.DOTALL)
    (view,) = (each for each in views if reader in each)
    view, read = re.subn(rf"{reader}\('.*?'", f"{reader}({[*map(str, files)]}", view)
    view, partitioned = re.subn('"ad_id", "date"', ", ".join(map('"{}"'.format, keys)), view)
    assert (read, partitioned) == (1, 1)
    with duckdb.connect() as connection:
        connection.execute(view)
        return duck.rows_of(connection.execute("FROM ad_analytics"))


TARGETS = (
    Target(
        name="target-postgres-fast",
        loader="target-postgres",
        packages=("--editable", "./loader"),
        place=postgres_place,
        rows=postgres_rows,
    ),
    Target(
        name="target-duckdb-fast",
        loader="target-duckdb",
        packages=("--editable", "./loader[duckdb]"),
        place=duckdb_place,
        rows=duckdb_rows,
    ),
    Target(
        name="target-postgres",
        loader="target-postgres-stock",
        packages=("meltanolabs-target-postgres~=0.8.1", "psycopg[binary]>=3.2"),
        place=postgres_place,
        rows=postgres_rows,
    ),
    Target(
        name="target-duckdb",
        loader="target-duckdb-stock",
        keeps=UNQUOTED,
        place=duckdb_place,
        rows=duckdb_rows,
        tap=NO_EMPTY_KEYS,
    ),
    Target(
        name="pipelinewise-target-postgres",
        loader="target-postgres-pipelinewise",
        command="target-postgres",
        keeps=PIPELINEWISE,
        place=pipelinewise_place,
        rows=postgres_rows,
        tap=NO_EMPTY_KEYS,
    ),
    Target(
        name="target-jsonl",
        loader="target-jsonl",
        place=jsonl_place,
        rows=jsonl_rows,
        keeps=JSONL,
    ),
    Target(
        name="target-csv",
        loader="target-csv",
        place=csv_place,
        rows=csv_rows,
        tap=NO_EMPTY_KEYS,
        keeps=CSV,
    ),
    Target(
        name="target-s3",
        loader="target-s3",
        packages=("moto[server]>=5",),
        # A file of Parquet has no place for objects whose members can have any name. The target's
        # own flattening makes some of them null.
        tap={"flattening_enabled": True, "flattening_max_depth": 5},
        place=s3_place,
        rows=s3_rows,
        keeps=STORAGE,
    ),
)
"""Whatever loads all streams."""

SNOWFLAKE_TYPES = """
from target_snowflake.connector import SnowflakeConnector
connector = SnowflakeConnector({"account": "a", "user": "u", "password": "p", "database": "d"})
def types_of(schema):
    return {name: str(connector.to_sql_type(each)) for name, each in schema["properties"].items()}
"""
BIGQUERY_TYPES = """
from target_bigquery.core import SchemaTranslator
def types_of(schema):
    fields = SchemaTranslator(schema, {}).translated_schema
    return {field.name: field.field_type for field in fields}
"""
TYPED = (
    TypedTarget(
        name="target-snowflake",
        loader="target-snowflake",
        program=SNOWFLAKE_TYPES,
        types={
            "string": "VARCHAR",
            "integer": "DECIMAL",
            "number": "FLOAT",
            "boolean": "BOOLEAN",
            "date": "DATE",
            "date-time": "TIMESTAMP_NTZ",
            "object": "VARIANT",
        },
    ),
    TypedTarget(
        name="target-bigquery",
        loader="target-bigquery",
        program=BIGQUERY_TYPES,
        types={
            "string": "STRING",
            "integer": "INTEGER",
            "number": "FLOAT",
            "boolean": "BOOLEAN",
            "date": "DATE",
            "date-time": "TIMESTAMP",
        },
    ),
)
"""Targets that cannot run here; only their types are compared."""
