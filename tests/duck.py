"""A DuckDB that our target loads into, and the rows in it afterwards."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import duckdb

from both_targets import differences, text
from target_postgres_fast.duckdb.target import TargetDuckdbFast

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from both_targets import Message
    from last_records import Row

SCHEMA = "pinterest"


def rows_of(cursor: duckdb.DuckDBPyConnection) -> list[Row]:
    """The rows of a query, by the names of its columns."""
    names = [name for name, *_ in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class DuckDatabase:
    """A file of DuckDB; it is open only while something is asked of it."""

    command = "target-duckdb-fast"

    def __init__(self, file: Path) -> None:
        self.file = file

    def config(self, **more: Any) -> dict[str, Any]:
        place = {"path": str(self.file), "default_target_schema": SCHEMA}
        return {"validate_records": False, "add_record_metadata": True, **place, **more}

    def load(self, messages: Iterable[Message] | str, **config: Any) -> TargetDuckdbFast:
        """Load with our target."""
        target = TargetDuckdbFast(config=self.config(**config))
        try:
            target.listen(io.StringIO(text(messages)))
        finally:
            target.writer.close()
            target.target_connector.close()  # type: ignore[attr-defined]
        return target

    def execute(self, query: str) -> list[Any]:
        with duckdb.connect(str(self.file)) as connection:
            rows: list[Any] = connection.execute(query).fetchall()
        return rows

    def tables(self) -> list[str]:
        found = self.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1")
        return [name for (name,) in found]

    def rows(self, table: str = "ads") -> list[Row]:
        with duckdb.connect(str(self.file)) as connection:
            return rows_of(connection.execute(f'FROM {SCHEMA}."{table}"'))

    def differences(self, messages: Iterable[Message]) -> list[str]:
        return differences(messages, self.rows())

    def types(self, table: str = "ads") -> dict[str, str]:
        """The types of a table's own columns."""
        query = f"SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '{table}'"  # noqa: S608
        return {name: kind for name, kind in self.execute(query) if not name.startswith("_sdc_")}
