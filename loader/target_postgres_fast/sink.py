"""A stream's sink: turns records into lines for COPY, and loads these into the table."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from psycopg import sql
from psycopg.adapt import PyFormat, Transformer
from singer_sdk import metrics
from target_postgres.sinks import PostgresSink
from typing_extensions import override

from target_postgres_fast import comments
from target_postgres_fast.connector import FastPostgresConnector
from target_postgres_fast.rows import METADATA, Column, RowFormat
from target_postgres_fast.table import Batch, Table

if TYPE_CHECKING:
    from target_postgres_fast.loaded import Loaded
    from target_postgres_fast.writer import Writer

BATCH_BYTES = 32 << 20
"""Most bytes in a stream's batch, even if it has few rows."""


class _Untold(metrics.Counter):
    """A counter without log lines: the target logs the counts of each table."""

    @override
    def _pop(self) -> None:
        self.value = 0


class FastPostgresSink(PostgresSink):
    """The stock sink with another way from the message of a record into the table."""

    connector_class = FastPostgresConnector

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the stock sink's arguments
        """Start without records; see the stock sink."""
        super().__init__(*args, **kwargs)
        self._batch = Batch(has_keys=bool(self.key_properties))
        self._taken = 0
        self._has_had_records = False
        self._loaded: Loaded = kwargs["target"].loaded
        self._writer: Writer = kwargs["target"].writer
        self._batched_at = b""

    @property
    @override
    def connector(self) -> FastPostgresConnector:
        return cast("FastPostgresConnector", self._connector)

    @override
    def setup(self) -> None:
        with self.connector.one_at_a_time(self.schema_name or ""):
            super().setup()
        if not self._table.comment(comments.wanted(self.schema)):
            self.logger.warning(
                "The comments on the table %s stay as they are: only its owner can change them.",
                self.table_name,
            )
        if self._is_fast and not self.append_only and not self._table.has_unique_keys:
            self.logger.warning(
                "The table %s has no unique index on %s. Loading it takes longer, and nobody else"
                " can write into it meanwhile. Add a primary key.",
                self.table_name,
                ", ".join(self.key_properties),
            )

    @cached_property
    def takes_lines(self) -> bool:
        """Whether records can be taken undecoded."""
        return self._is_fast and self._validator is None

    def take(self, line: bytes) -> bool:
        """Take an undecoded record, if it belongs to this stream and has nothing unusual."""
        if not self._has_had_records:
            # The stock way logs fields that the schema lacks.
            return False
        if self._pending_batch is None:
            self._get_context({})
        row = self._format.from_message(line, self._batched_at)
        if row is None:
            return False
        self._taken += 1
        self._batch.add(row)
        return True

    def tell_progress(self) -> None:
        """Log the progress of the table, if a line is due."""
        self._loaded.tell_progress(self.stream_name, self._batch.arrived)

    @override
    def get_sink_record_counter(self) -> metrics.Counter:
        return _Untold(metrics.Metric.RECORD_COUNT)

    @property
    @override
    def batch_processing_timer(self) -> Any:
        return nullcontext()

    @override
    def start_batch(self, context: dict[str, Any]) -> None:
        self._batched_at = str(context["batch_start_time"]).encode()

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        self._has_had_records = True
        if self._is_fast:
            self._batch.add(self._format.from_record(record))
        else:
            super().process_record(record, context)

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
        """Whether its batch has reached its largest size."""
        return self.current_size >= self.max_size or self._batch.bytes >= BATCH_BYTES

    @override
    def start_drain(self) -> dict[str, Any]:
        self.tally_record_read(self._taken)
        self.record_counter_metric.increment(self._taken)
        self._taken = 0
        return super().start_drain()

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        records = context.get("records", ())
        if not self._is_fast:
            self._writer.wait()
            super().process_batch({**context, "records": records})
            self._loaded.of(self.stream_name).arrived += len(records)
            return
        for record in records:
            # Records of a BATCH file.
            self._batch.add(self._format.from_record(record))
        batch, self._batch = self._batch, Batch(has_keys=bool(self.key_properties))
        self._writer.do(partial(self._load, batch))

    def _load(self, batch: Batch) -> None:
        written = self._table.load(batch, self._format.names)
        self._loaded.of(self.stream_name).add(batch.arrived, written)

    @override
    def activate_version(self, new_version: int) -> None:
        if self._pending_batch:
            self.process_batch(self.start_drain())
            self.mark_drained()
        self._writer.wait()
        super().activate_version(new_version)

    @cached_property
    def _table(self) -> Table:
        name = sql.Identifier(*filter(None, (self.schema_name, self.table_name)))
        temporary = sql.Identifier(self.temp_table_name)
        return Table(self.connector, name, temporary, self.key_properties)

    @cached_property
    def _is_fast(self) -> bool:
        """Whether records take our way, not the stock target's."""
        return set(self.key_properties).isdisjoint(METADATA)

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
            columns[name] = Column(schema, kind, process, self._sanitized, dump)
        keys = {name: self._table.facts.types[name] for name in self.key_properties}
        return RowFormat(self.stream_name, columns, keys, self.sync_started_at)

    def _sanitized(self, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if self.connector.sanitize_null_text_characters:
            return self.sanitize_null_text_characters(value)
        return value
