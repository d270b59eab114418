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
    from psycopg import Cursor


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
        self.append_only = not self.key_properties
        with self.connector.one_at_a_time(self.schema_name or "") as connection:
            if self.schema_name and not sa.inspect(connection).has_schema(self.schema_name):
                connection.execute(CreateSchema(self.schema_name))
            if not self._is_ready(connection):
                # It makes the table, or refuses a column of another type.
                self.connector.prepare_table(
                    self.full_table_name, self.schema, self.key_properties, connection
                )
        if not self._table.comment(comments.wanted(self.schema)):
            self.logger.warning(
                "The comments on the table %s stay as they are: only its owner can change them.",
                self.table_name,
            )
        if self._is_fast and not self.append_only and not self._table.has_unique_keys:
            self.logger.warning(
                "The table %s has no unique index on %s. Loading it takes longer, and other"
                " programs cannot write into it during the load. Add a primary key.",
                self.table_name,
                ", ".join(self.key_properties),
            )

    def _is_ready(self, connection: sa.Connection) -> bool:
        """Add the columns that the table lacks, and return whether it has each with its type.

        The stock check reads the catalog many times, and can add a column under another name or to
        another table, if a name contains a point or a percent sign.
        """
        cursor = cast("Cursor[Any]", connection.connection.cursor())
        there = dict(cursor.execute(statements.TYPES, [self._name.as_string(cursor)]).fetchall())
        wanted = {
            name: type_name(self.connector.to_sql_type(each), self.connector.dialect)
            for name, each in self.schema["properties"].items()
        }
        if there and (missing := {name: wanted[name] for name in wanted if name not in there}):
            cursor.execute(statements.add_columns(self._name, missing))
            there |= missing
        return wanted.items() <= there.items()

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        if self._is_fast:
            super().process_record(record, context)
        else:
            PostgresSink.process_record(self, record, context)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        if self._is_fast:
            super().process_batch(context)
            return
        records = context.get("records", ())
        self._writer.wait()
        PostgresSink.process_batch(self, {**context, "records": records})
        self._loaded.of(self.stream_name).arrived += len(records)

    @property
    @override
    def process_activate_version_messages(self) -> bool:
        return super().process_activate_version_messages and self.config["activate_version"]

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
            kind = self.connector.to_sql_type(schema)
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
