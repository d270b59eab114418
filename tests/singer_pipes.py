"""Messages of a run as lines, and a PostgreSQL that target-postgres has loaded them into."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from target_postgres.target import TargetPostgres

import forked_programs
from both_targets import listen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Row = dict[str, Any]


def lines(messages: Iterable[Mapping[str, Any]]) -> bytes:
    """Messages as a tap writes them."""
    return b"".join(msgspec.json.encode(message) + b"\n" for message in messages)


def map_pinterest(
    folder: Path, written: bytes, **config: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run `map-pinterest` on the output of a tap."""
    path = folder / "map.json"
    path.write_text(json.dumps(config))
    arguments = [str(forked_programs.folder() / "map-pinterest"), "--config", str(path)]
    return subprocess.run(arguments, input=written, capture_output=True, check=False, timeout=60)


class Loaded:
    """A schema that target-postgres loads into."""

    def __init__(self, url: str, schema: str) -> None:
        self._url, self._schema = url, schema
        self._config = {
            "sqlalchemy_url": url,
            "default_target_schema": schema,
            "use_copy": True,
            "validate_records": False,
            "add_record_metadata": False,
            "activate_version": False,
        }

    def load(self, written: bytes) -> None:
        """Load what a tap, or a mapper, has written."""
        listen(TargetPostgres(config=self._config), written.decode())

    def query(self, query: str, table: str) -> list[Row]:
        """Rows of a query in which `{}` is the table."""
        text: Any = query
        composed = sql.SQL(text).format(sql.Identifier(self._schema, table))
        address = self._url.replace("+psycopg", "")
        with psycopg.connect(address, row_factory=dict_row) as db:
            return db.execute(composed).fetchall()

    def tables(self) -> dict[str, list[str]]:
        """The tables, each with its columns in order."""
        query = """
            SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) AS columns
              FROM information_schema.columns WHERE table_schema = %s GROUP BY table_name
        """
        with psycopg.connect(self._url.replace("+psycopg", "")) as db:
            return dict(db.execute(query, [self._schema]).fetchall())

    def unlike_sql(self, table: str, fields: Iterable[str], separator: str = "") -> list[Row]:
        """Rows whose `__sync_key` is not what the documents' expression gives."""
        texts = f" || '{separator}' || ".join(f"coalesce(\"{each}\"::text, '')" for each in fields)
        query = f"SELECT * FROM {{}} WHERE __sync_key IS DISTINCT FROM md5({texts})"  # noqa: S608
        return self.query(query, table)
