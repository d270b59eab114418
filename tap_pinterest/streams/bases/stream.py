"""The base of all streams: the facts of their path, their records, their keys."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, ClassVar, NoReturn, cast

import msgspec
from singer_sdk.exceptions import FatalAPIError
from singer_sdk.helpers.types import Context
from singer_sdk.singerlib import Catalog, CatalogEntry, Schema
from singer_sdk.singerlib.catalog import Metadata, MetadataMapping, SelectionMask, StreamMetadata
from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.api.naming import name_of, of_context
from tap_pinterest.api.periods import DAY, GRANULARITIES, DateRange
from tap_pinterest.config import Settings
from tap_pinterest.config.custom_reports import CustomReport
from tap_pinterest.http.errors import PART_ERRORS
from tap_pinterest.layouts.daasity import SYNC_KEY_FIELDS
from tap_pinterest.layouts.tables import Table
from tap_pinterest.reading.call import Call
from tap_pinterest.reading.calls import Expected
from tap_pinterest.reading.contexts import AdAccounts, Contexts, Token, Users
from tap_pinterest.reading.inventory import Inventory
from tap_pinterest.reading.parts import MOST_NAMED, Parts
from tap_pinterest.reading.tasks import Ahead, Task, Turn
from tap_pinterest.records.conform import Converter, singer_schema
from tap_pinterest.records.strays import RefusedStrays, Strays
from tap_pinterest.records.sync_key import SYNC_KEY, SYNC_KEY_SCHEMA, key_faults, key_maker
from tap_pinterest.reports.rows import differing
from tap_pinterest.run.run import Run
from tap_pinterest.run.summary import StreamSummary
from tap_pinterest.singer import state
from tap_pinterest.singer.process import is_selected
from tap_pinterest.singer.sdk import SingerStream
from tap_pinterest.singer.state import Partitions, Progress

_ENCODE = msgspec.json.Encoder().encode


class ContextsOfPath:
    """Finds the contexts of streams that name none in the description of their paths."""

    def __get__(self, stream: object, kind: type[PinterestStream]) -> Contexts:
        """The ad accounts if the path names one, the users if a call may name an ad account."""
        account = api.operation(f"GET {kind.path}").parameters.get("ad_account_id")
        if account is None:
            return Token()
        return AdAccounts() if account.location == "path" else Users()


class PinterestStream(SingerStream):
    """A stream of one path of the API.

    Attributes:
        path: The path in Pinterest's description; schema and rate category follow from it.
        group: The entry of `stream_groups` that lists it; by default its module's name.
        contexts: The stream is read once for the token, or for each ad account or user.
        run: The parts that all streams of the run share.
        is_report: Whether the records are metrics by day.
        is_about_the_run: Whether the records describe the run, and do not come from Pinterest.
        custom: The entry of `custom_reports` that defines the stream.
        period: Pinterest's name of the granularity of a row.
    """

    name: str
    path: ClassVar[str]
    group: ClassVar[str]
    contexts: ClassVar[Contexts] = cast("Contexts", ContextsOfPath())
    run: Run
    is_report: bool = False
    is_about_the_run: bool = False
    custom: CustomReport | None = None
    period: str = DAY.name

    def __init_subclass__(cls) -> None:
        """A stream that names no group is in the group of its module."""
        super().__init_subclass__()
        if "name" in vars(cls) and not hasattr(cls, "group"):
            cls.group = cls.__module__.rpartition(".")[2]

    def __init__(self, run: Run, name: str | None = None) -> None:
        """A stream of a run; in another layout its key is the key of its table."""
        super().__init__(run, name=name)
        if self.table:
            self.primary_keys = self.table.key
            if self.replication_key:
                self.replication_key = self.column(self.replication_key)

    @classmethod
    def possible_names(cls) -> Mapping[str, str]:
        """The names that streams of this class may have, each with its period."""
        return {cls.name: cls.period}

    @classmethod
    def variants(cls, run: Run) -> Sequence[PinterestStream]:
        """The streams of this class that discovery lists."""
        return [cls(run)]

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.run.settings

    @property
    def inventory(self) -> Inventory:
        """Lists that are read once a run."""
        return self.run.inventory

    @property
    def summary(self) -> StreamSummary:
        """This stream's part of the summary."""
        return self.run.summary.of(self.name)

    @override
    def _contexts(self, context: Context | None) -> Sequence[Context | None]:
        found = super()._contexts(context)
        for each in found:
            self.summary.of(name_of(each))
        self.run.fail_for_unreadable(self.name, self.unreadable)
        if not found:
            self.summary.nothing = self.why_nothing
        return found

    @override
    def _read(self, context: Context | None) -> Generator[dict[str, Any], None, None]:
        with self.summary.reading(name_of(context), self.clock):
            yield from super()._read(context)

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        return self.contexts.of(self.inventory.owners)

    @property
    def unreadable(self) -> Mapping[str, Exception]:
        """Ad accounts that the config names and the token cannot read, once this is known."""
        return self.contexts.unreadable(self.inventory.owners)

    @functools.cached_property
    def remembered(self) -> Partitions:
        """The contexts of this stream in the state."""
        return Partitions(self.run.memory, self.name)

    def remember(self, context: Context | None, progress: Progress) -> None:
        """Write the progress of a context into the state."""
        part = self.remembered.made(context) if context else state.entry(self.run.memory, self.name)
        progress.write_to(part, self.column("date"), GRANULARITIES[self.period])

    @property
    def lists(self) -> Iterator[str]:
        """Paths of the lists whose ids the calls need."""
        return iter(())

    @property
    def written_lists(self) -> Sequence[str]:
        """Paths of the lists whose items are the records."""
        return ()

    @property
    def why_nothing(self) -> str:
        """The reason why the stream has no context."""
        if self.missing_settings:
            return f"set {' and '.join(self.missing_settings)}"
        return "there is no such account"

    @property
    def missing_settings(self) -> Sequence[str]:
        """Settings that the stream needs and that are not set."""
        return ()

    def expected(self, context: Context | None) -> Iterator[Expected]:
        """The calls that read a context; to count them, the lists whose ids they need are read.

        Raises:
            SkippableAPIError: Pinterest refuses a list.
        """
        raise NotImplementedError

    def ranges(self, context: Context | None) -> Sequence[DateRange]:  # noqa: ARG002 - see subclasses
        """The days that a run reads for a context; empty for a stream without days."""
        return ()

    @property
    def knows_contexts(self) -> bool:
        """Whether the contexts are known without a call."""
        return self.contexts.are_known(self.inventory.owners)

    def found(self) -> Iterator[Task[Any]]:
        """Find the contexts; this yields no task."""
        _ = self.partitions
        yield from ()

    @functools.cached_property
    def category(self) -> str:
        """The rate category of the calls."""
        return api.operation(f"GET {self.path}").category

    @functools.cached_property
    def missing_ids(self) -> set[str]:
        """Ids that the config names for this stream and that Pinterest has not listed yet."""
        return set()

    def conclude(
        self,
        context: Context | None,
        parts: Parts,
        progress: Progress | None = None,
        *,
        asked: bool = True,
    ) -> None:
        """End the reading of a context, and report its parts that were refused or failed.

        The state gets the progress unless a part was refused. `asked` is false if there was nothing
        to ask for.

        Raises:
            SkippableAPIError: All parts were refused.
            FatalAPIError: Some parts failed.
            RetriableAPIError: The only part failed.
        """
        if not parts.is_answered:
            self.refuse_named(parts)
        parts.raise_if_nothing_was_read()
        self.log_unnamed(context, parts)
        if parts.refused_calls:
            self.run.access_policy.left_out(self, context, parts)
        parts.raise_if_any_failed()
        if progress and not parts.refused_calls:
            self.remember(context, progress)
        self.summary.read(asked=asked)

    def refuse_named(self, parts: Parts) -> None:
        """Fail if Pinterest refuses calls for single items that the config names.

        Raises:
            FatalAPIError: It refuses such calls, and not the whole operation.
        """
        operation, ids = api.operation(f"GET {self.path}"), self.settings.named_ids
        refused = (value for call in parts.refused_calls for value in call.ids.values())
        named = [value for value in refused if value in ids][:MOST_NAMED]
        if named and not (parts.are_all_refused or operation.beta or operation.since):
            listed = ", ".join(named)
            msg = f"Pinterest refuses {listed}, which the config names: {parts.refusals_in_words}"
            raise FatalAPIError(msg)

    def log_unnamed(self, context: Context | None, parts: Parts) -> None:
        """Log the refused and failed parts that the message has no room to name."""
        for name in parts.names_left_out:
            self.logger.info(
                "%s%s was not read for %s", self.name, of_context(name_of(context)), name
            )

    def turn(self, context: Context | None) -> Turn:
        """The turn of a context in the order of the run."""
        return Turn(self.name, tuple((context or {}).values()), self.category)

    def ahead(self, context: Context | None) -> Ahead[Any] | None:  # noqa: ARG002 - see subclasses
        """The tasks that may begin before the turn of a context; `None` if no task may."""
        return None

    @functools.cached_property
    def table(self) -> Table | None:
        """The table of another layout that the records are written into."""
        return self.settings.layout.tables.get(self.name)

    def column(self, field: str) -> str:
        """The column that a field of the records is written into."""
        return self.table.column(field) if self.table else field

    def is_needed(self, field: str) -> bool:
        """Whether the column of a field is written, or is part of `__sync_key`."""
        column = self.column(field)
        return column in self.hashed_fields or column not in self._deselected

    @functools.cached_property
    @override
    def schema(self) -> dict[str, Any]:
        """JSON schema of the records: the facts of the path, and the columns that the tap adds."""
        schema = self.own_schema()
        if self.table:
            schema = self.table.schema(schema)
        if self.settings.sync_key:
            schema["properties"][SYNC_KEY] = dict(SYNC_KEY_SCHEMA)
        return schema

    @override
    def described(self, schema: dict[str, Any]) -> dict[str, Any]:
        # Loaded late: only a schema that is written needs descriptions.
        from tap_pinterest import dictionary  # noqa: PLC0415

        own = {name: name for name in self.schema["properties"]}
        return dictionary.described(
            schema,
            type(self).name,
            self.path,
            columns={**self.flat_names, **own, **(self.table.columns if self.table else {})},
            table=self.table.name if self.table and self.table.closed else "",
            period=self.period,
        )

    @functools.cached_property
    def natural_keys(self) -> Sequence[str]:
        """The key properties of a record in Pinterest's layout, also if another is written."""
        return cast("Sequence[str]", type(self).primary_keys)

    @functools.cached_property
    def facts(self) -> Mapping[str, Any]:
        """The facts of a record."""
        return api.record_facts(self.path)

    def own_schema(self) -> dict[str, Any]:
        """The schema in Pinterest's layout, without `__sync_key`."""
        return singer_schema(self.facts, self.natural_keys)

    @functools.cached_property
    def hashed_fields(self) -> Sequence[str]:
        """The columns that `__sync_key` is made of."""
        own = self.settings.sync_key_fields.get(self.name)
        if self.table:
            return own or self.table.sync_key_fields or self.table.key
        return own or SYNC_KEY_FIELDS.get(self.name) or self.natural_keys

    def sync_key_faults(self) -> list[str]:
        """Faults of the fields that the config names for `__sync_key`."""
        own = self.settings.sync_key_fields.get(self.name)
        if own is None:
            return []
        faults = key_faults(own, self.schema) if own else ["it names no field"]
        return [f"sync_key_fields.{self.name}: {fault}" for fault in faults]

    @functools.cached_property
    @override
    def metadata(self) -> MetadataMapping:
        """Selection metadata; the fields of `__sync_key` are always selected.

        In a layout other than Pinterest's all columns are selected, even if a catalog differs.
        """
        metadata = super().metadata
        closed = self.table is not None and self.table.closed
        if closed or self._tap_input_catalog is None:
            properties = self.schema["properties"]
            for name in properties if closed else (*self.hashed_fields, SYNC_KEY):
                if name in properties:
                    item = metadata.setdefault(("properties", name), Metadata())
                    item.inclusion = Metadata.InclusionType.AUTOMATIC
        return metadata

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        entry = catalog.get_stream(self.name)
        if not (entry and is_selected(entry.metadata)):
            # Most catalogs select few streams, and only a selected stream needs its columns.
            self._tap_input_catalog, self._mask = catalog, SelectionMask({(): False})
            return
        # A catalog decides the selection, not the keys: a catalog that somebody edited, or that
        # another version wrote, may lack them.
        keys, replication_key = self.primary_keys, self.replication_key
        super().apply_catalog(catalog)
        self.primary_keys, self.replication_key = keys, replication_key
        self._complete(entry)
        self._input_schema = entry.schema.to_dict()

    def _complete(self, entry: CatalogEntry) -> None:
        """Add to the entry of a catalog the columns that each record must have."""
        own = self.schema["properties"]
        entry.stream = self.name
        entry.key_properties = list(self.primary_keys)
        entry.replication_key = self.replication_key
        if not entry.schema.properties or self.settings.column_names.are_displayed:
            # Discovery has no state, and the state keeps the column names of earlier runs.
            entry.schema = Schema.from_dict(self.schema)
        # Without it, a stream is selected and its columns, once one has metadata, are not.
        entry.metadata.setdefault((), StreamMetadata(selected=True))
        listed = cast("dict[str, Schema]", entry.schema.properties)
        needed = {*self.primary_keys, *self.hashed_fields, SYNC_KEY, self.replication_key or ""}
        for name in own:
            if name in needed:
                listed.setdefault(name, Schema.from_dict(own[name]))
                item = entry.metadata.setdefault(("properties", name), Metadata())
                item.inclusion = Metadata.InclusionType.AUTOMATIC

    @functools.cached_property
    def convert(self) -> Converter:
        """Turns Pinterest's records into records of the schema."""
        return Converter(self.facts, self.strays)

    @property
    def strays(self) -> Strays:
        """Handles fields and values that do not fit the columns of a record."""
        return RefusedStrays(self.summary.unknowns, is_flattened=self.is_flattened)

    @property
    def is_flattened(self) -> bool:
        """Whether members of objects become columns."""
        return bool(self.config.get("flattening_enabled"))

    def records_of_call(
        self,
        call: Call,
        records: Iterable[dict[str, Any]],
        parts: Parts,
        seen: dict[object, Any] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """The finished records of one call. A call whose records cannot be made fails alone.

        Calls that may answer the same record share `seen`.
        """
        try:
            yield from self.finished_once(records, {} if seen is None else seen)
        except PART_ERRORS as error:
            parts.failed(call, error)

    def finished_once(
        self, records: Iterable[dict[str, Any]], seen: dict[object, Any]
    ) -> Iterator[dict[str, Any]]:
        """The finished records, without exact repeats.

        An item that is on two pages or in two answers may have changed in between. Then its later
        state is a record as well.

        Raises:
            FatalAPIError: An answer without pages has two different records with the same key.
        """
        key_of = self.key_of
        of_this_answer: dict[object, dict[str, Any]] = {}
        for record in records:
            # A hash, so that the records of a long list need not stay in memory.
            key, content = key_of(record), hash(_ENCODE(record))
            if seen.get(key) == content:
                self.summary.duplicates += 1
                continue
            if not self.may_change:
                if key in of_this_answer:
                    self._fail_for_two((of_this_answer[key], record))
                of_this_answer[key] = dict(record)
            seen[key] = content
            yield record if None not in key else self.finished(record)

    def _fail_for_two(self, rows: Sequence[dict[str, Any]]) -> NoReturn:
        """Fail because different records have the same key."""
        key = ", ".join(f"{name} {rows[0][name]}" for name in self.natural_keys)
        columns = ", ".join(differing(rows))
        msg = f"Pinterest sent two different records for {key}; they differ in {columns}"
        raise FatalAPIError(msg)

    @functools.cached_property
    def may_change(self) -> bool:
        """Whether an item may change during the reading, because its list has several pages."""
        return "bookmark" in api.operation(f"GET {self.path}").parameters

    @functools.cached_property
    def key_of(self) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
        """The function that returns the key of a record as a tuple, also for a single field."""
        if len(self.natural_keys) == 1:
            (name,) = self.natural_keys
            return lambda record: (record[name],)
        return itemgetter(*self.natural_keys)

    def finished(self, record: dict[str, Any]) -> dict[str, Any]:
        """The same record, if it has all its key properties.

        Raises:
            FatalAPIError: A key property is null.
        """
        for key in self.natural_keys:
            if record.get(key) is None:
                sent = ", ".join(name for name, value in record.items() if value is not None)
                msg = f"a record has no {key}, which is part of its key; it has: {sent}"
                raise FatalAPIError(msg)
        return record

    @override
    def arranged(self, records: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
        """The records with the columns of their table and with `__sync_key`."""
        arrange = self.table.arrange(self.settings.attribution) if self.table else None
        part = self.summary.current
        keys, fill = self.primary_keys, self.settings.empty_key_value
        make_key = (
            key_maker(self.hashed_fields, self.settings.sync_key_separator)
            if self.settings.sync_key
            else None
        )
        for record in records:
            row = arrange(record) if arrange else record
            if row is None:
                continue
            if fill:
                for name in keys:
                    if row[name] == "":
                        row[name] = fill
            if make_key:
                row[SYNC_KEY] = make_key(row)
            yield row
            part.rows += 1


class TaskStream(PinterestStream):
    """A stream whose contexts are read by tasks, which may begin before their turn."""

    @functools.cached_property
    def outcomes_of_lists(self) -> dict[Turn, Parts]:
        """The outcomes of the calls that list what the tasks read, by context."""
        return {}

    def tasks(self, context: Any) -> Iterator[Task[Any]]:  # noqa: ANN401 - a stream may have none
        """The tasks that read a context, in the order of its records."""
        raise NotImplementedError

    def answers(self, context: Context | None) -> Iterator[Any]:
        """The results of the tasks, in order."""
        turn, following = self.turn(context), self.run.order.following(self, context)
        return self.run.read_ahead.in_order(self.tasks(context), turn, following)

    @override
    def ahead(self, context: Context | None) -> Ahead[Any] | None:
        return Ahead(self.turn(context), functools.partial(self.tasks, context))

    @override
    def expected(self, context: Context | None) -> Iterator[Expected]:
        yield Expected(self.category, sum(1 for _ in self.tasks(context)))
