"""The targets: their packages, their settings, and how to read back what they have loaded."""

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
    from collections.abc import Iterator

    from last_records import LastRecords, Row
    from warehouses.place import Place

SCHEMA = "pinterest"
STRUCTURES = {"object", "array", ""}
NO_EMPTY_KEYS = {"empty_key_value": "(none)"}
"""For loaders that take an empty text for null, which a key cannot be."""


def duckdb_settings(place: Place) -> dict[str, Any]:
    path = str(place.folder / "warehouse.duckdb")
    return {"path": path, "default_target_schema": SCHEMA, "validate_records": False}


def duckdb_rows(place: Place, stream: str, _: LastRecords) -> list[Row]:
    with duckdb.connect(str(place.folder / "warehouse.duckdb"), read_only=True) as connection:
        return duck.rows_of(connection.execute(f'FROM {SCHEMA}."{stream}"'))


def jsonl_settings(place: Place) -> dict[str, Any]:
    return {"destination_path": str(place.folder), "do_timestamp_file": False}


def jsonl_rows(place: Place, stream: str, expected: LastRecords) -> Iterator[Row]:
    lines = (place.folder / f"{stream}.jsonl").read_text("utf-8").splitlines()
    return last_of_each_key(map(json.loads, lines), expected)


def csv_settings(place: Place) -> dict[str, Any]:
    # One file for each day, as it is never appended to.
    name = f"{{stream_name}}-{place.day}.csv"
    return {"output_path": str(place.folder), "file_naming_scheme": name}


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

    def rows() -> Iterator[Row]:
        for path in sorted(place.folder.glob(f"{stream}-[0-9]*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    yield {name: read(name, value) for name, value in row.items()}

    return last_of_each_key(rows(), expected)


def pipelinewise_settings(place: Place) -> dict[str, Any]:
    parts = psycopg.conninfo.conninfo_to_dict(place.postgres_url)
    return {
        **{name: parts[name] for name in ("host", "user", "password", "dbname")},
        "port": int(parts["port"] or 5432),
        "default_target_schema": place.postgres_schema,
        "primary_key_required": False,
    }


def postgres_settings(place: Place) -> dict[str, Any]:
    return {
        "sqlalchemy_url": place.postgres_url.replace("postgresql:", "postgresql+psycopg:"),
        "default_target_schema": place.postgres_schema,
        "validate_records": False,
        "use_copy": True,
        "activate_version": False,
    }


def postgres_rows(place: Place, stream: str, _: LastRecords) -> list[Row]:
    with psycopg.connect(place.postgres_url) as connection:
        return both_targets.rows_of(connection, place.postgres_schema, stream)


def s3_settings(place: Place) -> dict[str, Any]:
    return {
        "format": {"format_type": "parquet"},
        "cloud_provider": {
            "cloud_provider_type": "aws",
            "aws": {
                "aws_access_key_id": "local",
                "aws_secret_access_key": "local",
                "aws_region": "us-east-1",
                "aws_bucket": "pinterest",
                "aws_endpoint_override": place.storage_url,
            },
        },
        "prefix": "pinterest",
        "add_record_metadata": True,
    }


def s3_rows(place: Place, stream: str, expected: LastRecords) -> list[Row]:
    """Through the view of docs/warehouses.md, as a reader would."""
    page = (ROOT / "docs" / "warehouses.md").read_text("utf-8")
    view = page.partition("```sql parsed\n")[2].partition("```")[0]
    files = str([str(each) for each in place.stored(f"pinterest/{stream}/")])
    made_for = {
        "'s3://bucket/pinterest/ad_analytics/**/*.parquet'": files,
        '"ad_id", "date"': ", ".join(f'"{key}"' for key in expected.keys),
    }
    for there, here in made_for.items():
        assert there in view
        view = view.replace(there, here)
    with duckdb.connect() as connection:
        connection.execute(view)
        return duck.rows_of(connection.execute("FROM ad_analytics"))


TARGETS = (
    Target(
        name="target-postgres-fast",
        packages=("--editable", "./loader"),
        settings=postgres_settings,
        rows=postgres_rows,
    ),
    Target(
        name="target-duckdb-fast",
        packages=("--editable", "./loader[duckdb]"),
        settings=duckdb_settings,
        rows=duckdb_rows,
    ),
    Target(
        name="target-postgres",
        packages=("meltanolabs-target-postgres~=0.8.1", "psycopg[binary]>=3.2"),
        settings=postgres_settings,
        rows=postgres_rows,
    ),
    Target(
        name="target-duckdb",
        packages=("target-duckdb==0.8.0", "duckdb==1.0.0"),
        keeps=UNQUOTED,
        settings=duckdb_settings,
        rows=duckdb_rows,
        tap=NO_EMPTY_KEYS,
    ),
    Target(
        name="pipelinewise-target-postgres",
        command="target-postgres",
        packages=("pipelinewise-target-postgres==2.1.2",),
        keeps=PIPELINEWISE,
        settings=pipelinewise_settings,
        rows=postgres_rows,
        tap=NO_EMPTY_KEYS,
    ),
    Target(
        name="target-jsonl",
        packages=("target-jsonl==0.1.4",),
        settings=jsonl_settings,
        rows=jsonl_rows,
        keeps=JSONL,
    ),
    Target(
        name="target-csv",
        packages=("meltanolabs-target-csv==0.5.0",),
        settings=csv_settings,
        rows=csv_rows,
        tap=NO_EMPTY_KEYS,
        keeps=CSV,
    ),
    Target(
        name="target-s3",
        packages=("plinxore-target-s3==0.1.7", "moto[server]>=5"),
        settings=s3_settings,
        rows=s3_rows,
        # A file of Parquet has no place for objects whose members can have any name.
        tap={"flattening_enabled": True, "flattening_max_depth": 5},
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
        packages=("meltanolabs-target-snowflake==0.20.4",),
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
        # Of these setuptools it needs a part that later ones do not have.
        packages=("z3-target-bigquery==0.7.2", "setuptools<81"),
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
"""What cannot run here; its types are compared."""
