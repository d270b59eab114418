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
from target_postgres_fast.postgres.columns import PostgresColumn, is_inexact, type_name
from target_postgres_fast.postgres.connector import FastPostgresConnector
from target_postgres_fast.postgres.keys import normal_form
from target_postgres_fast.postgres.table import Table
from target_postgres_fast.rows import RowFormat
from target_postgres_fast.sink import FastSink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psycopg import Cursor
    from sqlalchemy.types import TypeEngine

    Misfits = Mapping[str, tuple[str, str]]


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
            misfits = self._misfits(connection)
            if misfits is None or misfits:
                self._make_or_refuse(connection, misfits or {})
        for remark in self._remarks(misfits or {}):
            self.logger.warning("%s", remark)

    def _make_or_refuse(self, connection: sa.Connection, misfits: Misfits) -> None:
        """Make the table, or refuse columns that cannot hold the values of the stream."""
        try:
            self.connector.prepare_table(
                self.full_table_name, self.schema, self.key_properties, connection
            )
        except (NotImplementedError, ValueError) as error:
            if faults.ALTERING in str(error) or not misfits:
                raise
            # The stock target names no column if it does not know the type of one.
            message = f"{faults.ALTERING} In {self.table_name}, {_in_words(misfits)}"
            raise NotImplementedError(message) from error

    def _remarks(self, misfits: Misfits) -> Iterator[str]:
        """Write the comments on the table, and yield what people should know about it."""
        table, stream = self.table_name, self.stream_name
        if inexact := {name: misfits[name] for name in misfits if is_inexact(misfits[name][0])}:
            yield (
                f"In the table {table}, {_in_words(inexact)}. PostgreSQL converts the values, and"
                " can round them or cut them off."
            )
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

    def _misfits(self, connection: sa.Connection) -> Misfits | None:
        """Add the columns that the table lacks, and find those of other types.

        Returns:
            The type in the table and the wanted type, by column; `None` if there is no table.

        The stock check reads the catalog many times, and can add a column under another name or to
        another table, if a name contains a point or a percent sign.
        """
        cursor = cast("Cursor[Any]", connection.connection.cursor())
        there = dict(cursor.execute(statements.TYPES, [self._name.as_string(cursor)]).fetchall())
        wanted = {
            name: type_name(each, self.connector.dialect) for name, each in self._types.items()
        }
        if not there:
            return None
        if missing := {name: wanted[name] for name in wanted if name not in there}:
            cursor.execute(statements.add_columns(self._name, missing))
            there |= missing
        return {name: (there[name], kind) for name, kind in wanted.items() if there[name] != kind}

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


def _in_words(misfits: Misfits) -> str:
    return ", ".join(
        f"the column {name} is {there}, and values of {wanted} are to come"
        for name, (there, wanted) in misfits.items()
    )


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
