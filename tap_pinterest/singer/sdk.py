"""The few private methods of the Singer SDK that the tap overrides, each with its reason.

A test compares their signatures with the SDK's, and their output with the stock path's.
"""

from __future__ import annotations

import functools
import logging
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from types import FrameType
from typing import Any, ClassVar, Protocol, cast

from singer_sdk import Stream, Tap, singerlib
from singer_sdk.exceptions import (
    ConfigValidationError,
    SingerSDKError,
)
from singer_sdk.helpers._catalog import pop_deselected_record_properties
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers._flattening import (
    FlatteningOptions,
    PluginFlatteningConfig,
    flatten_key,
    get_flattening_options,
)
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.types import Context, Record
from singer_sdk.mapper import SameRecordTransform, StreamMap
from singer_sdk.singerlib.catalog import SelectionMask
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from typing_extensions import override

from tap_pinterest import config
from tap_pinterest.clock import Clock
from tap_pinterest.singer import state
from tap_pinterest.singer.state_checks import checked
from tap_pinterest.singer.writer import LineWriter

LONGEST_NAME = 63
"""Bytes that PostgreSQL keeps of the name of a column."""
STATE_SECONDS = 15
SMALL_STATE = 100
"""Partitions, each about as long as a record; a state with more of them is written less often."""
LOOK_AT_THE_TIME_EVERY = 100
"""Records between two checks whether a metric is due."""

_HIDDEN_LINES = frozenset(
    {
        # Variables are always in force.
        "Parsing env var for settings config...",
        "Skipping parse of env var settings...",
        # The tap writes a line for each fault.
        "Config validation failed",
        # The progress and the table at the end name the streams that are read.
        "Beginning sync of '%s' in %s mode",
        "Skipping deselected stream '%s'.",
    }
)
"""Lines of the SDK that mislead, or repeat other lines."""


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Whether to keep a line of the SDK."""
    return record.msg not in _HIDDEN_LINES


class EndOfRun(BaseException):
    """Ends the whole run; the text is the reason.

    Not an `Exception`: the SDK would log it as unhandled before we can handle it.
    """


class BrokenOutput(BaseException):
    """A message cannot be written; not an `Exception`, like `EndOfRun`."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class SingerTap(Tap):
    """A tap with our checks of config and state, which stops at a signal."""

    message_writer_class: type[GenericSingerWriter[Any, Any]] = LineWriter
    # BATCH is slower than records here and drops fields; ACTIVATE_VERSION would delete the rows
    # of an account that was skipped.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    state_written_at = 0.0
    """When STATE was last written, in the clock's monotonic seconds."""
    records_since_state = 0
    """Records written since then."""

    def __init__(self, *, setup_mapper: bool = True, **how: Any) -> None:  # noqa: ANN401 - the SDK's
        # The SDK's version sets up the maps, and with them the columns, before it loads the state,
        # which has the column names of earlier runs.
        self.logger.addFilter(_is_worth_a_line)
        super().__init__(setup_mapper=False, **how)
        if self.metrics_logger.level == logging.INFO:
            # These lines are for programs, and the summary has the same numbers.
            self.metrics_logger.setLevel(logging.WARNING)
        if setup_mapper:
            self.setup_mapper()

    @functools.cached_property
    def clock(self) -> Clock:
        """The run's time."""
        return Clock()

    @property
    def memory(self) -> dict[str, Any]:
        """The Singer state as a plain dict, at the start of the run and later."""
        return cast("dict[str, Any]", self.state)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # The SDK's own messages show secrets, name no setting for an unknown one, and let
        # discovery go on with a config that the run will refuse.
        self.append_builtin_config(self.config_jsonschema)
        # Null and an empty text mean not set, but the SDK treats them as values.
        given = self._config
        self._config = {name: each for name, each in given.items() if config.is_set(name, each)}
        faults = config.problems(self.config, credentials=raise_errors)
        if faults:
            raise config.refusal(faults)
        return faults

    @property
    @override
    def catalog_dict(self) -> dict[str, Any]:
        catalog = cast("dict[str, Any]", super().catalog_dict)
        for entry in catalog["streams"]:
            stream = cast("SingerStream", self.streams[entry["tap_stream_id"]])
            entry["schema"] = stream.described(entry["schema"])
        return catalog

    @override
    def setup_mapper(self) -> None:
        if self.config.get("flattening_enabled"):
            self._config.setdefault("flattening_max_key_length", LONGEST_NAME + 1)
        try:
            # Not the direct parent's version, which applies maps to all listed streams.
            super(Tap, self).setup_mapper()
            self._register_streams()
        except ConfigValidationError:
            # This begins with discovery, which may refuse another setting.
            raise
        except Exception as error:
            # The SDK reads the maps without checking their types.
            fault = f"stream_maps: refused; allowed: what the SDK's documentation shows ({error})"
            raise config.refusal([fault]) from error

    def _register_streams(self) -> None:
        """Apply the stream maps to the selected streams, which are the only ones written.

        Raises:
            ConfigValidationError: A database would cut the name of a column, or mix up two names.
        """
        mapper, faults = self.mapper, list[str]()
        for name, stream in self.streams.items():
            if stream.selected:
                schema = _selected(stream.effective_schema, stream.mask)
                mapper.register_raw_stream_schema(name, schema, stream.primary_keys)
                faults += [
                    fault for each in mapper.stream_maps[name] for fault in _faults_of_columns(each)
                ]
        if faults:
            raise config.refusal(faults)

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        # The SDK's version orders them by name alone.
        if self._streams is None:
            found = super().streams
            late = {name for name, each in found.items() if getattr(each, "comes_late", False)}
            self._streams = dict(sorted(found.items(), key=lambda each: each[0] in late))
        return self._streams

    @override
    def load_state(self, state_dict: dict[str, Any]) -> None:
        # The SDK's version drops all keys beside the bookmarks, and checks nothing.
        self.memory.update(checked(state_dict))

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - a property of the class
        # The SDK's version reads a list of ids as an integer, and fails on an empty text.
        cls.append_builtin_config(cls.config_jsonschema)
        return config.from_environment(cls._env_var_prefix, cls.config_jsonschema["properties"])

    @classmethod
    def with_environment(cls, given: dict[str, Any]) -> dict[str, Any]:
        """A config file's settings, completed by settings of the environment.

        Raises:
            ConfigValidationError: A variable's name is almost a setting's.
        """
        variables: dict[str, Any] = cls._env_var_config
        for sentence in config.overruled(cls._env_var_prefix, given, variables):
            cls.logger.warning("%s", sentence)
        return config.completed(given, variables)

    def write_state(self) -> None:
        """Write STATE if it is not empty and has changed."""
        self.state_written_at = self.clock.monotonic()
        self.records_since_state = 0
        if self.state:
            self.state_writer.write_state(self.state)

    def write_last_state(self) -> None:
        """Write STATE after all rows, even if it has not changed since it was last written."""
        if self.state:
            self.message_writer.write_message(singerlib.StateMessage(value=self.state))

    def write_state_after(self, seconds: float) -> None:
        """Write STATE if the last STATE is at least this old.

        A large STATE waits longer: for twice as many records as it has partitions, or for a time
        that grows with the partitions. With hundreds of ad accounts, it would otherwise be most of
        the output.
        """
        partitions = state.size(self.memory)
        if partitions > SMALL_STATE and self.records_since_state < 2 * partitions:
            seconds = STATE_SECONDS * partitions / SMALL_STATE
        if self.clock.monotonic() - self.state_written_at >= seconds:
            self.write_state()

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK's version writes STATE inside the handler, in the middle of a line that is being
        # written, and exits 0.
        signal.signal(signum, signal.SIG_DFL)
        self.clock.interrupted_by = signum


class SingerRun(Protocol):
    """The parts of a run that its streams need to write Singer messages.

    Attributes:
        sdk_tap: The tap, which the SDK's `Stream` needs.
        memory: The Singer state, at the start of the run and later.
    """

    sdk_tap: Tap
    clock: Clock
    memory: dict[str, Any]

    def reading(self, stream: str) -> AbstractContextManager[None]:
        """Record that a stream is being read, during the block."""

    def failed(self, stream: str, context: Context | None, error: Exception) -> None:
        """Record an error that ended a context early.

        Raises:
            EndOfRun: No other context can be read either.
        """


class SingerStream(Stream):
    """A stream whose contexts fail separately, and whose records arrive complete.

    `get_records` yields records that have every property of the schema, and moves the state of
    its context itself, after the last record.

    Attributes:
        comes_late: Whether it is read after the other streams, because it uses their lists.
    """

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    comes_late: ClassVar[bool] = False

    def __init__(self, run: SingerRun, name: str | None = None) -> None:
        # The SDK's constructor already needs the schema.
        self.run = run
        super().__init__(run.sdk_tap, name=name)
        self.logger.addFilter(_is_worth_a_line)

    def described(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema with descriptions of the stream and its properties."""
        return schema

    @override
    def _generate_schema_messages(self) -> Generator[singerlib.SchemaMessage, None, None]:
        # Only schemas that are written, here and at discovery, need descriptions.
        for message in super()._generate_schema_messages():
            message.schema = self.described(message.schema)
            yield message

    @property
    def flat_names(self) -> Mapping[str, str]:
        """The columns that flattening makes of members of objects, each with its dotted path."""
        options = get_flattening_options(cast("PluginFlatteningConfig", self.config))
        return dict(_flat_names(self.schema["properties"], options)) if options.enabled else {}

    @property
    def clock(self) -> Clock:
        """The run's time."""
        return self.run.clock

    @property
    def _singer_tap(self) -> SingerTap:
        return cast("SingerTap", self._tap)

    @property
    def _writer(self) -> LineWriter:
        return cast("LineWriter", self._singer_tap.message_writer)

    def write_state(self) -> None:
        """Write STATE now, if the state has changed."""
        self._singer_tap.write_state()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], None, None]:
        # The SDK's version lets one failing context end the run, moves a bookmark record by
        # record (back, when older days are read again) and writes no STATE between contexts.
        counter, timer = self.get_record_counter(), self.get_sync_timer()
        clock, index = self.clock, 0
        with counter, timer, self.run.reading(self.name), self._all_written():
            for each in self._contexts(context):
                written_before = index
                counter.with_context(each)
                timer.with_context(each)
                with closing(self._read(each)) as records:
                    for record in records:
                        if self.ABORT_AT_RECORD_COUNT is not None:
                            self._check_max_record_limit(current_record_index=index)
                        clock.check()
                        if write_messages and not self._is_written(record, each):
                            # Closed here, the context moves no bookmark.
                            break
                        counter.value += 1
                        index += 1
                        if index % LOOK_AT_THE_TIME_EVERY == 0:
                            counter.increment(0)
                        yield record
                self._singer_tap.records_since_state += index - written_before
                self._singer_tap.write_state_after(STATE_SECONDS)
            self._singer_tap.write_state_after(0)

    @contextmanager
    def _all_written(self) -> Iterator[None]:
        """Write all buffered records at the end of the block.

        Raises:
            BrokenOutput: The output fails. Errors of reading do not reach this block.
        """
        try:
            try:
                yield
            finally:
                self._writer.flush()
        except OSError as error:
            raise BrokenOutput(error) from error

    def _is_written(self, record: Record, context: Context | None) -> bool:
        """Write a record; False, and a failure, if a stream map cannot convert it."""
        try:
            self._write(record)
        except OSError:
            # The output is broken, not the record.
            raise
        except Exception as error:  # noqa: BLE001 - a map may raise anything
            key = ", ".join(f"{name} {record.get(name)}" for name in self.primary_keys)
            reason = f"{type(error.__cause__ or error).__name__}: {error.__cause__ or error}"
            msg = f"the record of {key} cannot be written with these stream_maps: {reason}"
            self.run.failed(self.name, context, SingerSDKError(msg))
            return False
        return True

    def _contexts(self, context: Context | None) -> Sequence[Context | None]:
        """The given context, or all contexts; empty if they cannot be listed."""
        if context is not None:
            return [context]
        try:
            return self.all_contexts
        except Exception as error:  # noqa: BLE001 - after any error, other streams can be read
            self.run.failed(self.name, None, error)
            return []

    @property
    def all_contexts(self) -> Sequence[Context | None]:
        """The contexts, one after the other; `None` alone for a stream that is not divided."""
        partitions = self.partitions
        return [None] if partitions is None else partitions

    def _read(self, context: Context | None) -> Generator[dict[str, Any], None, None]:
        """Records of a context up to its end or its first error."""
        try:
            yield from self.arranged(cast("Iterable[dict[str, Any]]", self.get_records(context)))
        except Exception as error:  # noqa: BLE001 - after any error, other contexts can be read
            self.run.failed(self.name, context, error)
        else:
            state.entry(self.run.memory, self.name)

    def arranged(self, records: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
        """Change the records, before the catalog's selection and the SDK's maps apply."""
        return records

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Return nothing: `get_records` moves the state, and the SDK's mark would stay in it."""

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Do nothing: there are no progress markers, and STATE has been written."""
        # The SDK's version would add an empty partition for each account that failed.

    @functools.cached_property
    def _deselected(self) -> tuple[str, ...]:
        """Top-level properties that the catalog deselects or does not have."""
        listed = self.effective_schema["properties"]
        return tuple(
            name
            for name in self.schema["properties"]
            if name not in listed or not self.mask[("properties", name)]
        )

    @functools.cached_property
    def _is_deselected_deeper(self) -> bool:
        """Whether the catalog deselects properties inside others."""
        return any(len(breadcrumb) > 2 and not kept for breadcrumb, kept in self.mask.items())  # noqa: PLR2004

    @functools.cached_property
    def _transforms(self) -> Sequence[tuple[str, Callable[[Record], Record | None] | None]]:
        """The streams that a record is written to: the name and the conversion of each."""
        return [
            (each.stream_alias, None if _changes_nothing(each) else each.transform)
            for each in self.stream_maps
        ]

    def _write_mapped(self, record: Record) -> None:
        """Write the records for a record: without deselected properties, after the maps."""
        for name in self._deselected:
            del record[name]
        if self._is_deselected_deeper:
            pop_deselected_record_properties(record, self.schema, self.mask)
        for alias, transform in self._transforms:
            mapped = transform(record) if transform else record
            if mapped is not None:
                self._writer.write_record(alias, mapped)

    @functools.cached_property
    def _write(self) -> Callable[[Record], None]:
        """The function that writes a record; the fast one if the record is written unchanged."""
        # The SDK's version walks the whole schema for every record, converts its types, and makes a
        # message of it, and a dict of the message.
        is_deselected = self._deselected or self._is_deselected_deeper
        if is_deselected or self._transforms != [(self.name, None)]:
            return self._write_mapped
        return functools.partial(self._writer.write_record, self.name)


def _selected(schema: dict[str, Any], mask: SelectionMask, *outer: str) -> dict[str, Any]:
    """The schema without its deselected properties. Unlike the SDK's version it copies little."""
    if "properties" not in schema:
        return schema
    kept = {
        name: _selected(shape, mask, *outer, "properties", name)
        for name, shape in schema["properties"].items()
        if mask[(*outer, "properties", name)]
    }
    found = {**schema, "properties": kept}
    if "required" in schema:
        found["required"] = [name for name in schema["required"] if name in kept]
    return found


def _flat_names(
    properties: Mapping[str, Any], options: FlatteningOptions, *outer: str
) -> Iterator[tuple[str, str]]:
    for name, shape in properties.items():
        if outer:
            longest = options.max_key_length
            flat = flatten_key(name, [*outer], options.separator, max_key_length=longest)
            yield flat, ".".join((*outer, name))
        yield from _flat_names(shape.get("properties", {}), options, *outer, name)


def _changes_nothing(stream_map: StreamMap) -> bool:
    return isinstance(stream_map, SameRecordTransform) and not stream_map.flattening_enabled


def _faults_of_columns(stream_map: StreamMap) -> Iterator[str]:
    """The faults of column names that a database would cut or mix up."""
    schema = getattr(stream_map, "transformed_schema", None) or {}
    known: dict[str, str] = {}
    for name in schema.get("properties", {}):
        if len(name.encode()) > LONGEST_NAME:
            yield (
                f"column {name:.200} of {stream_map.stream_alias}: refused; "
                f"allowed: names of at most {LONGEST_NAME} bytes"
            )
        other = known.setdefault(name.lower(), name)
        if other is not name:
            yield (
                f"column {name} of {stream_map.stream_alias}: refused beside {other}; "
                "allowed: names that differ by more than upper and lower case"
            )
