"""The sink of a stream for PostgreSQL: the stock sink with our loading."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from psycopg import sql
from psycopg.adapt import PyFormat, Transformer
from sqlalchemy.schema import CreateSchema
from target_postgres.sinks import PostgresSink
from typing_extensions import override

from target_postgres_fast import comments
from target_postgres_fast.postgres import faults, statements
from target_postgres_fast.postgres.columns import PostgresColumn, type_name
from target_postgres_fast.postgres.connector import FastPostgresConnector
from target_postgres_fast.postgres.keys import normal_form
from target_postgres_fast.postgres.table import Table
from target_postgres_fast.rows import RowFormat
from target_postgres_fast.sink import FastSink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Cursor
    from sqlalchemy.types import TypeEngine


class FastPostgresSink(FastSink, PostgresSink):
    """The stock sink, but with our way of loading a record."""

    connector_class = FastPostgresConnector

    @property
    @override
    def connector(self) -> FastPostgresConnector:
        return cast("FastPostgresConnector", self._connector)

    @override
    def setup(self) -> None:
        faults.require_short((self.schema_name or "", self.table_name, *self.schema["properties"]))
        with self.connector.one_at_a_time(self.schema_name or "") as connection:
            if self.schema_name and not sa.inspect(connection).has_schema(self.schema_name):
                connection.execute(CreateSchema(self.schema_name))
            if not self._is_ready(connection):
                # It makes the table, or refuses a column of another type.
                self.connector.prepare_table(
                    self.full_table_name, self.schema, self.key_properties, connection
                )
        for remark in self._remarks():
            self.logger.warning("%s", remark)

    def _remarks(self) -> Iterator[str]:
        """Write the comments on the table, and yield what people should know about it."""
        table, stream = self.table_name, self.stream_name
        other = self.connector.streams.setdefault((self.schema_name, table), stream)
        if other != stream:
            yield (
                f"The streams {other} and {stream} load into one table, {table}: a row of one"
                " replaces a row of the other with the same key. Give one of them another name,"
                " with __alias__ in stream_maps."
            )
        if not self._table.comment(comments.wanted(self.schema)):
            yield (
                f"The comments on the table {table} stay as they are: only its owner can change"
                " them."
            )
        if self.key_properties and not self._table.has_unique_keys:
            yield (
                f"The table {table} has no unique index on {', '.join(self.key_properties)}."
                " Loading it takes longer, and other programs cannot write into it during the load."
                " Add a primary key."
            )

    def _is_ready(self, connection: sa.Connection) -> bool:
        """Add the columns that the table lacks, and return whether it has each with its type.

        The stock check reads the catalog many times, and can add a column under another name or to
        another table, if a name contains a point or a percent sign.
        """
        cursor = cast("Cursor[Any]", connection.connection.cursor())
        there = dict(cursor.execute(statements.TYPES, [self._name.as_string(cursor)]).fetchall())
        wanted = {
            name: type_name(each, self.connector.dialect) for name, each in self._types.items()
        }
        if there and (missing := {name: wanted[name] for name in wanted if name not in there}):
            cursor.execute(statements.add_columns(self._name, missing))
            there |= missing
        return wanted.items() <= there.items()

    @property
    @override
    def process_activate_version_messages(self) -> bool:
        return super().process_activate_version_messages and self.config["activate_version"]

    @cached_property
    def _types(self) -> dict[str, TypeEngine[Any]]:
        return self._types_by(self.connector.to_sql_type)

    @property
    def _name(self) -> sql.Identifier:
        return sql.Identifier(*filter(None, (self.schema_name, self.table_name)))

    @cached_property
    def _table(self) -> Table:
        # PostgreSQL's messages about a batch name this table.
        temporary = sql.Identifier(f"_sdc_batch_of_{self.table_name}")
        return Table(self.connector, self._name, temporary, self.key_properties)

    @cached_property
    def _format(self) -> RowFormat:
        with self.connector.transaction() as cursor:
            # SQLAlchemy registers the same types on every connection.
            transformer = Transformer(cursor.connection)

        def dump(value: object) -> bytes | None:
            dumped = transformer.get_dumper(value, PyFormat.TEXT).dump(value)
            return None if dumped is None else bytes(dumped)

        columns = {}
        for name, schema in self.schema["properties"].items():
            kind = self._types[name]
            # SQLAlchemy's conversion would make floats of numbers. The stock target rounds numbers
            # in this way with COPY, but not with INSERT; we never do.
            is_number = isinstance(kind, sa.Numeric)
            process = None if is_number else kind.bind_processor(self.connector.dialect)
            columns[name] = PostgresColumn(
                f"{self.stream_name}.{name}", schema, kind, process, self._sanitized, dump
            )
        keys = {name: normal_form(self._table.facts.types[name]) for name in self.key_properties}
        return RowFormat(self.stream_name, columns, keys, self.sync_started_at)

    def _sanitized(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        return _without_nul(value) if self.connector.sanitize_null_text_characters else value


def _without_nul(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A value without NUL in its texts, at any depth; the stock target looks only at the first."""
    match value:
        case str():
            return value.replace("\0", "\ufffd")
        case list():
            return [_without_nul(each) for each in value]
        case dict():
            return {_without_nul(name): _without_nul(each) for name, each in value.items()}
    return value
