"""A stream's sink: turns records into rows, and loads these into the table."""

from __future__ import annotations

import zlib
from abc import abstractmethod
from contextlib import nullcontext
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from singer_sdk import metrics
from singer_sdk.exceptions import InvalidJSONSchema, InvalidRecord
from singer_sdk.sql import SQLSink
from typing_extensions import override

from target_postgres_fast.batch import Batch
from target_postgres_fast.comments import UNSTORABLE
from target_postgres_fast.errors import UnusableError, first_line
from target_postgres_fast.rows import METADATA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_postgres_fast.batch import Written
    from target_postgres_fast.loaded import Loaded
    from target_postgres_fast.rows import RowFormat
    from target_postgres_fast.writer import Writer

Type = TypeVar("Type")
BATCH_BYTES = 32 << 20
"""Most bytes in a stream's batch, even if it has few rows."""


class Loads(Protocol):
    """A table that takes batches."""

    def load(self, batch: Batch, names: Sequence[str]) -> Written:
        """Write a batch in one transaction.

        Args:
            batch: The rows.
            names: Columns of the rows' fields.
        """

    def delete_older(self, version: int, *, hard: bool) -> None:
        """Delete rows of older versions, or mark them as deleted."""


class _SilentCounter(metrics.Counter):
    """A counter that logs nothing, because the target logs the counts of each table."""

    @override
    def _pop(self) -> None:
        self.value = 0


class FastSink(SQLSink[Any]):
    """Takes the records of a stream and loads them in batches, for any database."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's arguments
        super().__init__(*args, **kwargs)
        self._check_names()
        self._batch = Batch(has_keys=bool(self.key_properties))
        self._taken = 0
        self._loaded: Loaded = kwargs["target"].loaded
        self._writer: Writer = kwargs["target"].writer
        self._batched_at = b""

    def _check_names(self) -> None:
        """Refuse names that no table can have.

        Raises:
            InvalidJSONSchema: A column of the key is missing, or a name is not storable.
        """
        names = {*self.schema["properties"]}
        if missing := sorted({*self.key_properties} - names):
            message = f"The schema of {self.stream_name} lacks its key {', '.join(missing)}."
            raise InvalidJSONSchema(message)
        # The stock target takes what is after the last hyphen for the table.
        for name in (self.stream_name.rpartition("-")[2], *names):
            if not name or UNSTORABLE.search(name):
                message = f"No table and no column can have the name {name!a}."
                raise InvalidJSONSchema(message)

    def _types_by(self, type_of: Callable[[dict[str, Any]], Type]) -> dict[str, Type]:
        """The type of each column.

        Args:
            type_of: Returns the type for the schema of a property.

        Raises:
            InvalidJSONSchema: A schema has a part of a wrong type.
        """
        types = {}
        for name, schema in self.schema["properties"].items():
            try:
                types[name] = type_of(schema)
            except (AttributeError, TypeError, ValueError) as error:
                message = f"The schema of {self.stream_name}.{name} cannot be read: {error}"
                raise InvalidJSONSchema(message) from error
        return types

    @property
    @abstractmethod
    def _table(self) -> Loads:
        """The table for the rows."""

    @property
    @abstractmethod
    def _format(self) -> RowFormat:
        """Turns records into rows of the table."""

    @cached_property
    def takes_lines(self) -> bool:
        """Whether records can be taken undecoded: they contain all columns of the key."""
        return self._validator is None and {*self.key_properties}.isdisjoint(METADATA)

    def take(self, line: bytes) -> bool:
        """Take an undecoded record, if it belongs to this stream and has only usual values."""
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
        return _SilentCounter(metrics.Metric.RECORD_COUNT)

    @property
    @override
    def batch_processing_timer(self) -> Any:
        return nullcontext()

    @override
    def start_batch(self, context: dict[str, Any]) -> None:
        self._batched_at = b'"%b"' % str(context["batch_start_time"]).encode()

    @override
    def _parse_timestamps_in_record(self, record: Any, schema: Any, treatment: Any) -> None:
        try:
            super()._parse_timestamps_in_record(record, schema, treatment)
        except (ValueError, TypeError) as error:
            message = f"{self.stream_name} has no date or time where one must be: {error}"
            raise InvalidRecord(message, record) from error

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        self._batch.add(self._format.from_record(record))

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
    def process_batch_files(self, encoding: Any, files: Sequence[str]) -> None:
        try:
            super().process_batch_files(encoding, files)
        except (EOFError, ValueError, zlib.error) as error:
            reason = first_line(str(error))
            message = f"A BATCH file of {self.stream_name} cannot be read: {reason}"
            raise UnusableError(message) from error

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        for record in context.get("records", ()):
            # Records of a BATCH file.
            if not isinstance(record, dict):
                message = f"a record is not an object: {record!r}"
                raise ValueError(message)  # noqa: TRY004 - the value is at fault, as in other lines
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
        self._table.delete_older(new_version, hard=bool(self.config.get("hard_delete")))
