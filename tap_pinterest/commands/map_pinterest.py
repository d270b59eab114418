"""`map-pinterest`: adds `__sync_key` to records between tap and target, or makes Daasity's tables.

All other messages pass unchanged, byte for byte.
"""

from __future__ import annotations

import re
import signal
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, TypedDict, cast

import click
import msgspec
from singer_sdk.cli import plugin_cli
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.plugin_base import PluginBase
from singer_sdk.plugin_base import _ConfigInput as ConfigInput
from typing_extensions import override

from tap_pinterest import dictionary
from tap_pinterest.config import CONFIG_SCHEMA, from_environment, from_files, is_set
from tap_pinterest.layouts import LAYOUTS, PINTEREST
from tap_pinterest.layouts.daasity import SYNC_KEY_FIELDS, TABLES
from tap_pinterest.layouts.tables import ATTRIBUTION, HostOf
from tap_pinterest.records.sync_key import SYNC_KEY, SYNC_KEY_SCHEMA, key_faults, key_maker
from tap_pinterest.singer.process import (
    check_log_level,
    checking_output,
    code_of_output_error,
    leave,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from tap_pinterest.layouts import Layout
    from tap_pinterest.layouts.tables import Table

CHUNK = 1 << 18
OWN_SETTINGS = ("sync_key", "sync_key_separator", "sync_key_fields", "layout")
_SETTINGS: Mapping[str, Any] = CONFIG_SCHEMA["properties"]

Message = dict[str, msgspec.Raw]

_LONE_SURROGATE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F]..)|.)",
    re.DOTALL,
)


class RefusedLineError(Exception):
    """A line cannot be mapped; the text says why, and what to do."""


_NULL = msgspec.Raw(b"null")
_text = msgspec.json.Decoder(str | None).decode
_decode_members = msgspec.json.Decoder(Message).decode
_decode_schema = msgspec.json.Decoder(dict[str, Any]).decode
_names = msgspec.json.Decoder(list[str] | None).decode
_encode = msgspec.json.encode


@dataclass(frozen=True)
class Options:
    """The settings in the config."""

    sync_key: bool = True
    separator: str = ""
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    layout: Layout = PINTEREST
    in_force: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Options:
        """The options of a valid config."""
        return cls(
            sync_key=config.get("sync_key", True) is not False,
            separator=config.get("sync_key_separator") or "",
            fields=config.get("sync_key_fields") or {},
            layout=LAYOUTS[config.get("layout") or PINTEREST.name],
            in_force={name: config.get(name) for name in ATTRIBUTION},
        )


class LineMapper:
    """Maps the lines of one tap, one after the other.

    Attributes:
        number: The number of the last line.
    """

    def __init__(self, options: Options, warn: Callable[[str], None]) -> None:
        self.number = 0
        self._options = options
        self._warn_of = warn
        self._warned: set[str] = set()
        self._left_out: set[str] = set()
        self._streams: dict[str, KeyMapper | TableMapper | None] = {}
        """The mapper of each stream; `None` if its messages pass unchanged."""

    def __call__(self, line: bytes) -> bytes | None:
        """The line to write instead, without its end; `None` if nothing is to be written.

        Raises:
            RefusedLineError: The line is not a message, or it cannot be mapped.
        """
        self.number += 1
        try:
            readable, message = _read(line)
            mapped = self._mapped(readable, message)
        except msgspec.ValidationError as error:
            msg = f"it is no Singer message ({error})"
            raise RefusedLineError(msg) from None
        except RecursionError:
            msg = "its lists or objects are nested too deeply"
            raise RefusedLineError(msg) from None
        # A line without a mapper passes unchanged, even if it was mended for reading.
        return line if mapped is readable else mapped

    def _warn(self, message: str) -> None:
        """Warn once: a tap may repeat a SCHEMA for each of its contexts."""
        if message not in self._warned:
            self._warned.add(message)
            self._warn_of(message)

    def _mapped(self, line: bytes, message: Message) -> bytes | None:
        kind, stream = (_text(message.get(name, _NULL)) for name in ("type", "stream"))
        if stream is None:
            return line
        if kind == "SCHEMA":
            self._left_out.discard(stream)
            self._streams[stream] = self._mapper(stream, message)
        elif kind == "RECORD" and stream not in self._streams:
            msg = f"a record of {stream} comes before its SCHEMA"
            raise RefusedLineError(msg)
        if stream in self._left_out:
            return None
        mapper = self._streams.get(stream)
        if mapper is None:
            return line
        if kind == "SCHEMA":
            return mapper.schema(message)
        if kind == "RECORD":
            return mapper.record(line, message)
        if kind == "BATCH":
            msg = "BATCH messages cannot be mapped: switch batches off in the tap"
            raise RefusedLineError(msg)
        return mapper.other(line, message)

    def _mapper(self, stream: str, message: Message) -> KeyMapper | TableMapper | None:
        schema = _decode_schema(message.get("schema", b"{}"))
        if not isinstance(schema.get("properties"), dict):
            msg = f"the SCHEMA of {stream} has no properties"
            raise RefusedLineError(msg)
        keys = _names(message.get("key_properties", _NULL)) or []
        layout = self._options.layout
        is_arranged = _is_arranged(layout.tables.get(stream), schema)
        table = None if is_arranged else self._table(stream, schema)
        if layout.tables and table is None and not is_arranged:
            self._warn(f"{stream} has no table in {layout.title}'s layout, and is left out.")
            self._left_out.add(stream)
            return None
        if table is None:
            fields = self._fields(stream, schema, keys)
            return KeyMapper(fields, self._options.separator) if fields else None
        schema = table.schema(schema)
        fields = self._fields(table.name, schema, table.key)
        return TableMapper(table, schema, fields, self._options)

    def _table(self, stream: str, schema: Mapping[str, Any]) -> Table | None:
        tables = self._options.layout.tables.values()
        table = next((each for each in tables if each.source == stream), None)
        if table and (missing := table.missing(schema)):
            msg = (
                f"{self._options.layout.title}'s table {table.name} needs {', '.join(missing)} of "
                f"{stream}, which the tap does not send: select them"
            )
            raise RefusedLineError(msg)
        shown = table.settings if table else ()
        if table and (unset := [each for each in shown if self._options.in_force[each] is None]):
            self._warn(f"The config does not say {', '.join(unset)}: null in {table.name}.")
        return table

    def _fields(self, stream: str, schema: Mapping[str, Any], keys: Sequence[str]) -> Sequence[str]:
        """The fields of `__sync_key`; empty if the stream gets no key or has one already."""
        if not self._options.sync_key or SYNC_KEY in schema["properties"]:
            return ()
        fields = self._options.fields.get(stream) or _known_fields(stream, schema, keys) or keys
        if not fields:
            self._warn(
                f"{stream} has no key properties, and gets no {SYNC_KEY}: name fields of it in "
                "sync_key_fields."
            )
        if faults := key_faults(fields, schema):
            msg = (
                f"no {SYNC_KEY} can be made for {stream}: {'; '.join(faults)}. Name other fields "
                "in sync_key_fields"
            )
            raise RefusedLineError(msg)
        return fields


class KeyMapper:
    """Adds `__sync_key` to the messages of a stream."""

    def __init__(self, fields: Sequence[str], separator: str) -> None:
        self._make_key = key_maker(fields, separator)
        shape = dict.fromkeys((*fields, SYNC_KEY), Any)
        self._decode_record = msgspec.json.Decoder(_partial(shape)).decode

    def schema(self, message: Message) -> bytes:
        """The SCHEMA line with the property."""
        schema = _decode_members(message["schema"])
        properties = _decode_members(schema["properties"])
        added = _described({"properties": {SYNC_KEY: SYNC_KEY_SCHEMA}})
        properties[SYNC_KEY] = _raw(added["properties"][SYNC_KEY])
        schema["properties"] = _raw(properties)
        message["schema"] = _raw(schema)
        return _encode(message)

    def record(self, line: bytes, message: Message) -> bytes:
        """The RECORD line with the key, unless it has one.

        Raises:
            RefusedLineError: A key field has no fixed text.
        """
        record = _record(message)
        known: dict[str, Any] = self._decode_record(record)
        if SYNC_KEY in known:
            return line
        key = _made(self._make_key, known)
        comma = "," if known or _decode_members(record) else ""
        added = f'{comma}"{SYNC_KEY}":"{key}"}}'.encode()
        message["record"] = msgspec.Raw(b"".join((memoryview(record)[:-1], added)))
        return _encode(message)

    def other(self, line: bytes, _: Message) -> bytes:
        """The line of a message that is neither SCHEMA nor RECORD."""
        return line


class TableMapper:
    """Turns a stream's messages into a table of another layout."""

    def __init__(
        self, table: Table, schema: Mapping[str, Any], fields: Sequence[str], options: Options
    ) -> None:
        """Prepare the mapping of a stream.

        Args:
            table: The table.
            schema: The schema of its rows.
            fields: The columns of `__sync_key`; if empty, the rows get no key.
            options: The separator of the key, and the settings that are columns of the table.
        """
        self._table = table
        self._make_key = key_maker(fields, options.separator) if fields else None
        added = {SYNC_KEY: SYNC_KEY_SCHEMA} if fields else {}
        self._schema = _described(
            {**schema, "properties": {**schema["properties"], **added}}, table
        )
        self._arrange = table.arrange(options.in_force)
        self._decode_record = msgspec.json.Decoder(_partial(_shape(table, fields))).decode

    def schema(self, message: Message) -> bytes:
        """The SCHEMA line of the table."""
        message["stream"] = _raw(self._table.name)
        message["schema"] = _raw(self._schema)
        message["key_properties"] = _raw(self._table.key)
        if names := _names(message.get("bookmark_properties", _NULL)):
            columns = map(self._table.column, names)
            kept = [column for column in columns if column in self._table.columns]
            message["bookmark_properties"] = _raw(kept)
        return _encode(message)

    def record(self, _: bytes, message: Message) -> bytes | None:
        """The RECORD line of the table; `None` if the table has the row already."""
        row = self._arrange(self._decode_record(_record(message)))
        if row is None:
            return None
        if self._make_key:
            row[SYNC_KEY] = _made(self._make_key, row)
        message["stream"] = _raw(self._table.name)
        message["record"] = _raw(row)
        return _encode(message)

    def other(self, _: bytes, message: Message) -> bytes:
        """The line of a message that is neither SCHEMA nor RECORD."""
        message["stream"] = _raw(self._table.name)
        return _encode(message)


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encode(value))


def _record(message: Message) -> msgspec.Raw:
    if "record" not in message:
        msg = "a RECORD without a record"
        raise RefusedLineError(msg)
    return message["record"]


def _made(make_key: Callable[[Mapping[str, Any]], str], record: Mapping[str, Any]) -> str:
    try:
        return make_key(record)
    except TypeError as error:
        raise RefusedLineError(str(error)) from None
    except UnicodeEncodeError:
        # The texts of records are mended by now, so the separator is at fault.
        msg = "sync_key_separator is no text that UTF-8 can write"
        raise RefusedLineError(msg) from None


def _read(line: bytes) -> tuple[bytes, Message]:
    """A line and its message, after half characters in it have been replaced.

    Raises:
        RefusedLineError: The line is not JSON.
        ValidationError: The line is JSON, but not an object.
    """
    try:
        if not line.isascii():
            line.decode()
        return line, _decode_members(line)
    except msgspec.ValidationError:
        raise
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        mended = _LONE_SURROGATE.sub(lambda each: b"\\ufffd" if each[1] else each[0], line)
        if mended == line:
            msg = f"it is not JSON ({error})"
            raise RefusedLineError(msg) from None
        return _read(mended)


def _known_fields(
    stream: str, schema: Mapping[str, Any], keys: Sequence[str]
) -> Sequence[str] | None:
    """The fields that the tap itself hashes; `None` if the stream is not one of this tap."""
    fields = SYNC_KEY_FIELDS.get(stream)
    ours = fields and {*TABLES[stream].record_key} <= {*keys} and not key_faults(fields, schema)
    return fields if ours else None


def _described(schema: Mapping[str, Any], table: Table | None = None) -> dict[str, Any]:
    """The schema with descriptions of the columns that the mapper adds."""
    sources: Mapping[str, object] = table.columns if table else {}
    added = {
        name: each
        for name, each in sources.items()
        if isinstance(each, HostOf) or not isinstance(each, str)
    }
    return dictionary.described(
        schema,
        table.source if table else "",
        columns={SYNC_KEY: SYNC_KEY, **added},
        table=table.name if table else "",
    )


def _is_arranged(table: Table | None, schema: Mapping[str, Any]) -> bool:
    """Whether the tap has already written a stream as this table."""
    return table is not None and schema["properties"].keys() - {SYNC_KEY} == {*table.columns}


def _shape(table: Table, fields: Sequence[str]) -> dict[str, Any]:
    """The types of a record's fields: raw bytes, except for fields whose values the table needs."""
    looked_at = {
        *(source for name in (*fields, *table.key) if (source := table.columns.get(name))),
        *(table.preferred or ())[:1],
        *(source for source in table.columns.values() if isinstance(source, HostOf)),
    }
    shape = {name: Any if name in looked_at else msgspec.Raw for name in table.fields}
    for source in table.columns.values():
        if isinstance(source, str) and "." in source:
            outer, inner = source.split(".")
            shape[outer] = _partial({inner: msgspec.Raw}) | None
    return shape


def _partial(shape: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """The type that decodes only these members of an object; each is optional."""
    return cast("Any", TypedDict)("Fields", dict(shape), total=False)


class MapPinterest(PluginBase):
    """Singer mapper that adds `__sync_key` to records, or makes Daasity's tables of them."""

    name = "map-pinterest"
    package_name = "tap-pinterest"
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    config_jsonschema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            **{name: _SETTINGS[name] for name in OWN_SETTINGS},
            # No default: the mapper cannot know the settings of the tap.
            **{
                name: {k: v for k, v in _SETTINGS[name].items() if k != "default"}
                for name in ATTRIBUTION
            },
        },
        "additionalProperties": False,
    }

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - a property of the class
        # The SDK's version ends with a traceback if a text is empty or has another type.
        found = from_environment(cls._env_var_prefix, cls.config_jsonschema["properties"])
        return {name: value for name, value in found.items() if is_set(name, value)}

    def map_lines(self, source: BinaryIO, sink: BinaryIO) -> int:
        """Map all lines from the source to the sink, and return the exit code."""
        map_line = LineMapper(Options.from_config(self.config), self.logger.warning)
        for lines in _whole_lines(source):
            written: list[bytes] = []
            try:
                for line in lines:
                    if mapped := map_line(line):
                        written += (mapped, b"\n")
            except RefusedLineError as error:
                self.logger.error("Line %d is refused: %s.", map_line.number, error)  # noqa: TRY400
                return 1
            finally:
                # Flush after every batch, so that no line waits here while the tap waits.
                sink.write(b"".join(written))
                sink.flush()
        return 0

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: ConfigInput | None = None,
        file_input: BinaryIO | None = None,
    ) -> None:
        """Run the mapper from the command line, and end with its exit code."""
        super().invoke(about=about, about_format=about_format)
        mapper = cls(
            config=config.config if config else {},
            parse_env_config=bool(config and config.parse_env),
        )
        if not (sys.stdout and (file_input or sys.stdin)):
            cls.logger.error("There is no standard input or no standard output.")
            leave(1)
        # Ctrl-C stops the tap too; the mapper must still pass on the tap's last messages.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            code = mapper.map_lines(file_input or sys.stdin.buffer, sys.stdout.buffer)
        except OSError as error:
            code = code_of_output_error(error, cls.logger)
        leave(code)

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> ConfigInput:
        """The settings of all files; a file that has none ends the process with one line."""
        try:
            return ConfigInput(from_files(value), parse_env="ENV" in value)
        except ConfigValidationError as error:
            cls.logger.error("%s", *error.errors)  # noqa: TRY400 - a traceback says no more
            ctx.exit(1)

    @plugin_cli
    def cli(cls) -> click.Command:  # noqa: N805 - a property of the class
        """The command line; its log begins here."""
        check_log_level(cls.name)
        return super().cli

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = checking_output(super().get_singer_command())
        command.help = "Add __sync_key to the records of a Singer tap, or make Daasity's tables."
        file = click.Option(
            ["--input", "file_input"],
            help="A file of messages to read instead of standard input.",
            type=click.File("rb"),
        )
        command.params.append(file)
        return command


def _whole_lines(source: BinaryIO) -> Iterator[list[bytes]]:
    """Lines without their ends, in lists of all lines that have arrived."""
    begun: list[bytes] = []
    while chunk := source.read1(CHUNK):  # type: ignore[attr-defined]
        first, *others = chunk.split(b"\n")
        begun.append(first)
        if others:
            yield [b"".join(begun), *others[:-1]]
            begun = others[-1:]
    if rest := b"".join(begun):
        yield [rest]
