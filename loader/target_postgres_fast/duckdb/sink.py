"""A stream's sink for DuckDB."""

from __future__ import annotations

from functools import cached_property
from typing import Any, cast

from typing_extensions import override

from target_postgres_fast import comments
from target_postgres_fast.duckdb.columns import DuckdbColumn, column_type
from target_postgres_fast.duckdb.connector import DuckdbConnector
from target_postgres_fast.duckdb.table import Table
from target_postgres_fast.rows import RowFormat
from target_postgres_fast.sink import FastSink


class FastDuckdbSink(FastSink):
    """Loads a stream into a table of DuckDB."""

    # The SDK's own connectors need SQLAlchemy, which is not needed here.
    connector_class = cast("Any", DuckdbConnector)

    @override
    def setup(self) -> None:
        # A table cannot be altered while a batch is written into it.
        self._writer.wait()
        self._table.prepare(self._types, comments.wanted(self.schema))

    @override
    def conform_name(self, name: str, object_type: str | None = None) -> str:
        return name

    @cached_property
    def _types(self) -> dict[str, str]:
        return self._types_by(column_type)

    @cached_property
    def _table(self) -> Table:
        schema = self.schema_name or "main"
        self.connector.claim(schema, self.table_name, self.stream_name)
        return Table(self.connector, schema, self.table_name, self.key_properties)

    @cached_property
    def _format(self) -> RowFormat:
        keys = self.key_properties
        columns = {
            name: DuckdbColumn(
                f"{self.stream_name}.{name}", self._values(name, kind), is_key=name in keys
            )
            for name, kind in self._types.items()
        }
        return RowFormat(
            self.stream_name, columns, dict.fromkeys(keys, bytes), self.sync_started_at
        )

    def _values(self, name: str, kind: str) -> str:
        """The type of values as they are written: a DOUBLE also takes whole numbers."""
        return "DOUBLE" if (kind, self._table.types[name]) == ("BIGINT", "DOUBLE") else kind

    @property
    @override
    def process_activate_version_messages(self) -> bool:
        # Without metadata no row has a version, so all rows would count as older.
        return super().process_activate_version_messages and self.include_sdc_metadata_properties
