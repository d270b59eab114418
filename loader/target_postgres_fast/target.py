"""The core of a target, for any database: its own reader, sinks and commits."""

from __future__ import annotations

import os
import sys
import time
from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.exceptions import ConfigValidationError, SingerSDKError
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.sql import SQLTarget
from typing_extensions import override

from target_postgres_fast import settings
from target_postgres_fast.errors import UnusableError
from target_postgres_fast.leaving import leave
from target_postgres_fast.loaded import Loaded
from target_postgres_fast.reader import LineReader
from target_postgres_fast.sink import FastSink
from target_postgres_fast.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from logging import LogRecord
    from types import FrameType

    from singer_sdk.sinks import Sink

_UNLOGGED = (
    "Parsing env var for settings config...",
    "Skipping parse of env var settings...",
    "Reader '%s' completed ",
)
"""Beginnings of log lines of the SDK that do not help people who load data."""
COMMIT_SECONDS = 30
"""Longest time that a record waits for a commit, also while the tap sends nothing."""


def _is_worth_a_line(record: LogRecord) -> bool:
    return not str(record.msg).startswith(_UNLOGGED)


class FastTarget(SQLTarget):
    """Reads messages, commits all streams together, and writes the state after each commit."""

    command: ClassVar[str]
    """The name of its command."""
    message_reader_class = LineReader

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's arguments
        self._signal: int | None = None
        self.logger.addFilter(_is_worth_a_line)
        self.loaded = Loaded(self.logger.getChild("loaded"))
        self.writer = Writer()
        super().__init__(*args, **kwargs)
        self.max_parallelism = 1
        self._written_state: dict[str, Any] | None = None
        self._waiting_since: float | None = None
        self._reader.before_lines = self.check_database
        self._reader.direct = self._taker
        self._reader.after_lines = self._commit_when_due
        self._reader.after_all = self.writer.close

    @abstractmethod
    def check_database(self) -> None:
        """Connect before the first line is read.

        Raises:
            UnusableError: No table could be loaded into the database.
        """

    @classmethod
    def database_fault(cls, error: Exception) -> str | None:
        """The line for an error of the database; `None` for another error."""
        raise NotImplementedError

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        given = dict(self.config)
        # The SDK adds the settings that every target has, and all defaults.
        errors = super()._validate_config(raise_errors=raise_errors)
        known = self.config_jsonschema["properties"]
        prefix = self._env_var_prefix
        faults = [
            *settings.misspelt(given, known),
            *settings.misspelt_variables(prefix, os.environ, known),
        ]
        if faults:
            raise UnusableError(" ".join(faults))
        for sentence in settings.without_effect(prefix, os.environ, given, known):
            self.logger.warning("%s", sentence)
        return errors

    @property
    def _reader(self) -> LineReader:
        return cast("LineReader", self.message_reader)

    @property
    def _sinks(self) -> Sequence[FastSink]:
        return cast("list[FastSink]", [*self._sinks_active.values()])

    @classmethod
    @override
    def print_version(cls, print_fn: Callable[[Any], None] = print) -> None:
        versions = f"v{cls.plugin_version}, Meltano SDK v{cls.sdk_version}"
        print_fn(f"{cls.command} {versions}")

    @classmethod
    @override
    def invoke(cls, **options: Any) -> None:
        try:
            super().invoke(**options)
        except Exception as error:
            if (line := cls._in_one_line(error)) is None:
                raise
            cls.logger.debug("Where it happened:", exc_info=True)
        else:
            return
        cls.logger.error("%s", line)
        leave()

    @classmethod
    def _in_one_line(cls, error: Exception) -> str | None:
        """The line for an error that needs no traceback; `None` for a fault in our code."""
        if line := cls.database_fault(error):
            return line
        if isinstance(error, ConfigValidationError):
            return " ".join([str(error), *map(str, error.errors)])
        if isinstance(
            error, (UnusableError, InvalidInputLine, SingerSDKError, NotImplementedError, OSError)
        ):
            return " ".join(str(error).split())
        return None

    def _taker(self, stream: str) -> Callable[[bytes], bool] | None:
        """The function that takes undecoded records of a stream, if they need no change."""
        maps = self.mapper.stream_maps.get(stream, [])
        sink = self._sinks_active.get(stream)
        if len(maps) != 1 or not isinstance(sink, FastSink) or not sink.takes_lines:
            return None
        (only,) = maps
        if type(only) is not SameRecordTransform or only.flattening_enabled:
            return None

        def take(line: bytes) -> bool:
            if not sink.take(line):
                return False
            if sink.has_full_batch:
                self.drain_all()
            return True

        return take

    # Every commit covers all streams, so all records before a state are committed before it.

    def _commit_when_due(self) -> None:
        """Commit if a batch is full, or if a record has waited for `COMMIT_SECONDS`."""
        self.writer.check()
        waiting = [sink for sink in self._sinks if sink.current_size]
        if not waiting:
            return
        for sink in waiting:
            sink.tell_progress()
        if self._waiting_since is None:
            self._waiting_since = time.monotonic()
        age = time.monotonic() - self._waiting_since
        if age >= COMMIT_SECONDS or any(sink.has_full_batch for sink in waiting):
            self.drain_all()

    @override
    def _handle_max_record_age(self) -> None:
        # The SDK calls this after each record that it has handled.
        self._commit_when_due()

    @override
    def _reset_max_record_age(self) -> None:
        super()._reset_max_record_age()
        self._waiting_since = None

    @override
    def get_sink(
        self,
        stream_name: str,
        *,
        record: dict[str, Any] | None = None,
        schema: dict[str, Any] | None = None,
        key_properties: Sequence[str] | None = None,
    ) -> Sink:
        sink = super().get_sink(
            stream_name, record=record, schema=schema, key_properties=key_properties
        )
        if self._sinks_to_clear:
            # Records of the old schema arrived before it.
            self.drain_all()
        return sink

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        super()._process_state_message(message_dict)
        if self._latest_state and not any(sink.current_size for sink in self._sinks):
            self._write_state_message(self._latest_state)

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        self._require_schema(message_dict["stream"])
        super()._process_activate_version_message(message_dict)

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        self._require_schema(message_dict["stream"])
        super()._process_batch_message(message_dict)

    def _require_schema(self, stream: str) -> None:
        # The SDK does so for a RECORD only.
        if stream not in self.mapper.stream_maps:
            self._assert_sink_exists(stream)

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        if state != self._written_state:
            self.writer.do(partial(super()._write_state_message, state))
            self._written_state = state

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        if self._signal is not None:
            sys.exit(128 + signum)
        self._signal = signum
        self.logger.info("Received signal %d: committing the records that have arrived.", signum)
        self._reader.stop()

    @override
    def process_endofpipe(self) -> None:
        super().process_endofpipe()
        self.writer.wait()
        self.loaded.tell_total()
        if self._signal is not None and not self._reader.is_complete:
            # The last written state belongs to the last commit, so the next run continues there.
            sys.exit(128 + self._signal)
