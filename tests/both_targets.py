"""The stock target and ours, each loading the same messages into a schema of its own."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads
from singer_sdk.singerlib.json import deserialize_json
from target_postgres.target import TargetPostgres

from last_records import last_records
from loading import database
from target_postgres_fast.postgres.target import TargetPostgresFast
from target_postgres_fast.rows import OF_THE_LOAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Engine

    from last_records import Row

Message = dict[str, Any]
SETTINGS: Mapping[str, Any] = {
    "use_copy": True,
    "validate_records": False,
    "activate_version": False,
}

ENGINES: dict[tuple[type[Any], str], Engine] = {}
"""Each connector's engine for a database, without a connection between two loads.

With a new one for each load, SQLAlchemy would compile all statements anew, which is most of a load.
"""


class Database:
    """A PostgreSQL and the schemas in it that begin with ours."""

    command = "target-postgres-fast"

    def __init__(self, url: str, schema: str) -> None:
        self.url = url
        self.schema = schema
        self._connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)

    def close(self) -> None:
        """Drop the schemas, for the next test in this database."""
        for schema in (self.schema, f"{self.schema}_stock"):
            self.execute("DROP SCHEMA IF EXISTS {} CASCADE", schema)
        self.disconnect()

    def disconnect(self) -> None:
        self._connection.close()

    def execute(self, query: str, *names: str, values: Iterable[object] = ()) -> list[Any]:
        """Rows of a query; each `{}` in it is a name."""
        text: Any = query
        composed = sql.SQL(text).format(*map(sql.Identifier, names))
        cursor = self._connection.execute(composed, [*values] or None)
        return cursor.fetchall() if cursor.description else []

    def config(self, **more: Any) -> dict[str, Any]:
        schema = {"sqlalchemy_url": self.url, "default_target_schema": self.schema}
        return {**SETTINGS, **schema, **more}

    def load(self, messages: Iterable[Message] | str, **config: Any) -> None:
        """Load with our target."""
        listen(TargetPostgresFast(config=self.config(**config)), messages)

    def load_with_stock(self, messages: Iterable[Message] | str, **config: Any) -> None:
        """Load with the stock target, into a schema beside ours."""
        schema = {"default_target_schema": f"{self.schema}_stock"}
        listen(TargetPostgres(config=self.config(**schema, **config)), messages)

    def rows(self, table: str = "ads") -> list[Row]:
        return rows_of(self._connection, self.schema, table)

    def differences(self, messages: Iterable[Message]) -> list[str]:
        return differences(messages, self.rows())

    def tables(self, schema: str | None = None) -> dict[str, Any]:
        """Columns with their types, keys and rows of all tables, without the times of the load."""
        columns = """
            SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull,
                   EXISTS (
                       SELECT FROM pg_index
                        WHERE indrelid = pg_class.oid AND indisprimary AND attnum = ANY (indkey)
                   )
              FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
             WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r' AND attnum > 0
             ORDER BY relname, attnum
        """
        tables: dict[str, Any] = {}
        schema = schema or self.schema
        for table, *column in self.execute(columns, values=[f'"{schema}"']):
            tables.setdefault(table, ([], []))[0].append(tuple(column))
        for table, (described, rows) in tables.items():
            kinds = {name: kind for name, kind, *_ in described if name not in OF_THE_LOAD}
            # With COPY, the stock target writes 1 as 1.0 and 1.50 as 1.5.
            as_text = {"numeric": "trim_scale({})::text"}
            fields = ", ".join(as_text.get(kind, "{}::text") for kind in kinds.values())
            query = f"SELECT {fields} FROM {{}}.{{}}"  # noqa: S608 - names are composed
            rows.extend(sorted(self.execute(query, *kinds, schema, table), key=str))
        return tables

    def assert_same(self) -> None:
        """Both schemas hold the same."""
        ours, stock = self.tables(), self.tables(f"{self.schema}_stock")
        assert ours.keys() == stock.keys()
        for table, loaded in stock.items():
            assert ours[table] == loaded, table

    def load_both(self, messages: Iterable[Message] | str, **config: Any) -> None:
        """Load with both targets, and see that both hold the same."""
        messages = text(messages)
        self.load_with_stock(messages, **config)
        self.load(messages, **config)
        self.assert_same()


@contextmanager
def new_database() -> Iterator[Database]:
    """A database of its own, gone afterwards."""
    with database() as found:
        db = Database(*found)
        try:
            yield db
        finally:
            db.disconnect()


def rows_of(connection: psycopg.Connection[Any], schema: str, table: str) -> list[Row]:
    """The rows of a table, objects and lists as their JSON."""
    with connection.cursor(row_factory=dict_row) as cursor:
        set_json_loads(_as_text, cursor)
        name = sql.Identifier(schema, table)
        return cursor.execute(sql.SQL("SELECT * FROM {}").format(name)).fetchall()


def _as_text(json_text: str | bytes) -> str:
    return json_text.decode() if isinstance(json_text, bytes) else json_text


def differences(messages: Iterable[Message], rows: Iterable[Row]) -> list[str]:
    """How rows of `ads` differ from the last records of these messages."""
    # As the target reads them, with each digit.
    read = map(deserialize_json, text(messages).splitlines())
    return last_records(read)["ads"].differences(rows)


def listen(target: TargetPostgres, messages: Iterable[Message] | str) -> None:
    """Load, and leave no connection behind."""
    connector = target.target_connector
    key = (type(connector), str(connector.sqlalchemy_url))
    connector._cached_engine = ENGINES.setdefault(key, connector._engine)
    try:
        target.listen(io.StringIO(text(messages)))
    finally:
        if isinstance(target, TargetPostgresFast):
            # After a refused message it may still write what came before.
            target.writer.close()
        connector._engine.dispose()


def text(messages: Iterable[Message] | str) -> str:
    """Lines of messages, or these themselves."""
    if isinstance(messages, str):
        return messages
    return "".join(json.dumps(message) + "\n" for message in messages)


def schema(
    properties: Mapping[str, Any], keys: Iterable[str] = ("id",), stream: str = "ads"
) -> Message:
    types = {
        name: {"type": ["null", kind]} if isinstance(kind, str) else kind
        for name, kind in properties.items()
    }
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": types},
        "key_properties": [*keys],
    }


def record(stream: str = "ads", /, **values: Any) -> Message:
    return {
        "type": "RECORD",
        "stream": stream,
        "record": values,
        "time_extracted": "2026-11-24T06:00:00.123456+00:00",
    }


def state(**value: Any) -> Message:
    return {"type": "STATE", "value": value}
