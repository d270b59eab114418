"""The command `target-duckdb-fast`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_postgres_fast import start
from target_postgres_fast.duckdb.connector import DuckdbConnector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_postgres_fast.target import FastTarget


def main() -> None:
    """Load, if the database can take it."""
    start.run(_check, _target)


def _check(config: Mapping[str, Any]) -> None:
    connector = DuckdbConnector(config)
    connector.check()
    connector.close()


def _target() -> type[FastTarget]:
    from target_postgres_fast.duckdb.target import TargetDuckdbFast  # noqa: PLC0415 - see `run`

    return TargetDuckdbFast
