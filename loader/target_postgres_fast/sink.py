"""A stream's way into its table: COPY into a temporary table, and one statement from there."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from psycopg import sql
from psycopg.adapt import PyFormat, Transformer
from sqlalchemy.engine import make_url
from target_postgres.connector import PostgresConnector
from target_postgres.sinks import PostgresSink
from typing_extensions import override

from target_postgres_fast import statements
from target_postgres_fast.rows import METADATA, Column, RowFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from psycopg import Cursor

    from target_postgres_fast.rows import Line

BATCH_BYTES = 32 << 20
"""Most that a stream's batch holds, however few rows that is."""
COPY_ROWS = 500
LOCKS = 0x54504746
"""Advisory locks of ours, apart from those of others."""
OTHER_DRIVERS = ("postgres", "postgresql", "postgresql+psycopg2")


class FastPostgresConnector(PostgresConnector):
    """The stock connector, which always uses psycopg 3: COPY needs it."""

    @override
    def get_sqlalchemy_url(self, config: Mapping[str, Any]) -> str:
        url = make_url(super().get_sqlalchemy_url(config))
        if url.drivername in OTHER_DRIVERS:
            url = url.set(drivername="postgresql+psycopg")
        return url.render_as_string(hide_password=False)

    @contextmanager
    def transaction(self) -> Iterator[Cursor[Any]]:
        """A cursor, and a commit at the end of the block."""
        with self._connect() as connection, connection.begin():
            yield cast("Cursor[Any]", connection.connection.cursor())

    @contextmanager
    def one_at_a_time(self, name: str) -> Iterator[None]:
        """Nobody else of ours is in a block of this name meanwhile, in this database."""
        lock = sa.text("SELECT pg_advisory_xact_lock(:locks, hashtext(:name))")
        with self._connect() as connection, connection.begin():
            connection.execute(lock, {"locks": LOCKS, "name": name})
            yield

    @property
    def dialect(self) -> sa.Dialect:
        """SQLAlchemy's, of the database and the driver."""
        return self._engine.dialect


class FastPostgresSink(PostgresSink):
    """The stock sink, but for how records get from their messages into the table."""

    connector_class = FastPostgresConnector

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - those of the stock sink
        """Nothing has been read yet; see the stock sink."""
        super().__init__(*args, **kwargs)
        self._rows: dict[bytes | int, bytes] = {}
        self._bytes = 0
        self._taken = 0
        self._has_had_records = False
        self._batched_at = b""

    @property
    @override
    def connector(self) -> FastPostgresConnector:
        return cast("FastPostgresConnector", self._connector)

    @override
    def setup(self) -> None:
        with self.connector.one_at_a_time(self.schema_name or ""):
            super().setup()

    @cached_property
    def takes_lines(self) -> bool:
        """Whether records can be taken as they were read."""
        return self._is_fast and self._validator is None

    def take(self, line: bytes) -> bool:
        """Take a record as it was read, if it is one of this stream and nothing in it is odd."""
        if not self._has_had_records:
            # The stock way tells of fields that the schema lacks.
            return False
        if self._pending_batch is None:
            self._get_context({})
        row = self._format.from_message(line, self._batched_at)
        if row is None:
            return False
        self._taken += 1
        self._keep(row)
        return True

    @override
    def start_batch(self, context: dict[str, Any]) -> None:
        self._batched_at = str(context["batch_start_time"]).encode()

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        self._has_had_records = True
        if self._is_fast:
            self._keep(self._format.from_record(record))
        else:
            super().process_record(record, context)

    def _keep(self, row: Line) -> None:
        # The last record of a key wins.
        self._rows[len(self._rows) if self.append_only else row.key] = row.text
        self._bytes += len(row.text)

    @property
    @override
    def current_size(self) -> int:
        return super().current_size + self._taken

    @property
    @override
    def is_full(self) -> bool:
        """Never: the target decides when to commit, for all its streams together."""
        return False

    @property
    def has_full_batch(self) -> bool:
        """Whether its batch is as large as it may be."""
        return self.current_size >= self.max_size or self._bytes >= BATCH_BYTES

    @override
    def start_drain(self) -> dict[str, Any]:
        self.tally_record_read(self._taken)
        self.record_counter_metric.increment(self._taken)
        self._taken = 0
        return super().start_drain()

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        if "records" in context:
            # Of a file, or for a table that ON CONFLICT does not work for.
            super().process_batch(context)
            return
        with self.connector.transaction() as cursor:
            names, keys = self._format.names, self.key_properties
            if self.append_only:
                self._copy(cursor, self._table, self._rows.values())
            else:
                temporary = sql.Identifier(self.temp_table_name)
                cursor.execute(statements.create_temporary(temporary, self._table, names))
                # In one order, so that no two of us wait for each other's rows.
                self._copy(cursor, temporary, (row for _, row in sorted(self._rows.items())))
                cursor.execute(statements.PLAN)
                merge = statements.merge(temporary, self._table, names, keys)
                # Not prepared: the table that it was planned for grows.
                cursor.execute(merge, prepare=False)
                self.logger.info(
                    "Of %d rows, %d were new or changed.", len(self._rows), cursor.rowcount
                )
        self._rows, self._bytes = {}, 0

    @property
    def _table(self) -> sql.Identifier:
        return sql.Identifier(*filter(None, (self.schema_name, self.table_name)))

    def _copy(self, cursor: Cursor[Any], into: sql.Identifier, rows: Iterable[bytes]) -> None:
        with cursor.copy(statements.copy(into, self._format.names)) as copy:
            for many in _batched(rows):
                copy.write(b"\n".join((*many, b"")))

    @cached_property
    def _is_fast(self) -> bool:
        """Whether records take our way, for which the table has to be unique in its key."""
        if self.connector.dialect.driver != "psycopg":
            return False
        if self.append_only:
            return True
        if not set(self.key_properties).isdisjoint(METADATA):
            return False
        with self.connector.transaction() as cursor:
            found = cursor.execute(statements.UNIQUE_COLUMNS, [self._table.as_string(cursor)])
            unique = [set(columns) for (columns,) in found]
        if set(self.key_properties) in unique:
            return True
        self.logger.warning(
            "The table has no unique index on %s: it is loaded as by target-postgres.",
            ", ".join(self.key_properties),
        )
        return False

    @cached_property
    def _format(self) -> RowFormat:
        with self.connector.transaction() as cursor:
            # What SQLAlchemy has told this connection about types, it tells every other.
            transformer = Transformer(cursor.connection)

        def dump(value: object) -> bytes | None:
            dumped = transformer.get_dumper(value, PyFormat.TEXT).dump(value)
            return None if dumped is None else bytes(dumped)

        columns = {}
        for name, schema in self.schema["properties"].items():
            kind = self.connector.to_sql_type(schema)
            # SQLAlchemy's would make floats of numbers. The stock target rounds them so with
            # COPY, but not with INSERT; we never do.
            is_number = isinstance(kind, sa.Numeric)
            process = None if is_number else kind.bind_processor(self.connector.dialect)
            columns[name] = Column(schema, kind, process, self._sanitized, dump)
        return RowFormat(self.stream_name, columns, self.key_properties, self.sync_started_at)

    def _sanitized(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if self.connector.sanitize_null_text_characters:
            return self.sanitize_null_text_characters(value)
        return value


def _batched(rows: Iterable[bytes]) -> Iterator[tuple[bytes, ...]]:
    """Rows, as many at once as COPY is told of."""
    iterator = iter(rows)
    while many := tuple(islice(iterator, COPY_ROWS)):
        yield many
