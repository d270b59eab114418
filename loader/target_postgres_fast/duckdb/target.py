"""The target for DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import duckdb
from singer_sdk import typing as th
from typing_extensions import override

from target_postgres_fast.duckdb import faults
from target_postgres_fast.duckdb.sink import FastDuckdbSink
from target_postgres_fast.target import FastTarget

if TYPE_CHECKING:
    from target_postgres_fast.duckdb.connector import DuckdbConnector


class TargetDuckdbFast(FastTarget):
    """Singer target for DuckDB: a file, or a database at MotherDuck."""

    name = "target-duckdb"
    package_name = "target-postgres-fast"
    command = "target-duckdb-fast"
    default_sink_class = FastDuckdbSink
    config_jsonschema = th.PropertiesList(
        th.Property(
            "path",
            th.StringType,
            description="File of the database, or md: and the name of one at MotherDuck.",
        ),
        th.Property(
            "motherduck_token",
            th.StringType,
            secret=True,
            description="Token for MotherDuck.",
        ),
    ).to_dict()

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        # Rows are always updated by their key.
        del config_jsonschema["properties"]["load_method"]

    @override
    def check_database(self) -> None:
        cast("DuckdbConnector", self.target_connector).check()

    @classmethod
    @override
    def database_fault(cls, error: Exception) -> str | None:
        return faults.loading(error) if isinstance(error, duckdb.Error) else None
