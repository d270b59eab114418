"""Datasets: streams that read all answers of one operation on every run."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, cast

from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.config import Settings
from tap_pinterest.http.answers import check_fields
from tap_pinterest.http.errors import UnreadableAnswerError
from tap_pinterest.reading.call import Call
from tap_pinterest.reading.calls import (
    Batches,
    Dataset,
    Expected,
    Listing,
    Scope,
    Setting,
    Source,
    page_decoder,
    product,
)
from tap_pinterest.reading.inventory import USER_ACCOUNT
from tap_pinterest.reading.pages import Decode, Item, Page
from tap_pinterest.reading.parts import Parts
from tap_pinterest.reading.tasks import Ahead
from tap_pinterest.records.conform import singer_schema
from tap_pinterest.records.instants import instant_of
from tap_pinterest.records.strays import EXTRA_FIELDS, KeptStrays, Strays
from tap_pinterest.run.listed import Reading
from tap_pinterest.singer import state
from tap_pinterest.singer.state import Progress
from tap_pinterest.streams.bases.stream import PinterestStream

LIST_READ = "list_read"
"""In the state: when a run began to read all of a stream, in Unix seconds, `/`, and `_shape`."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class DatasetStream(PinterestStream):
    """A stream whose records are the answers of one operation, read whole on every run.

    One call reads it, or one call for each row of `per`. The shape of the answer says where the
    records are.

    Attributes:
        query: Parameters that are the same in every call.
        per: Sources of the calls: one call for each of their values. Records carry the values.
        columns: Column names of these values, if not the parameter's name.
        renamed: Column names of fields, if not the field's name.
        lifted: Columns that are fields of an object in the record.
        left_out: Fields that records do not have.
        inside: The field of an answered item whose members are the records.
        texts: The fields of a record, all texts, if the API does not describe them.
        paged: Whether bookmarks of the operation work.
        id_field: The field with the id that other streams use.
        parent_fields: More fields of an item that other streams need.
        id_filters: Settings that narrow the dataset, the narrowest first, each with its field.
        is_sample: Whether its lists show only examples.
    """

    primary_keys: Sequence[str] = ("id",)
    query: ClassVar[Mapping[str, Any]] = _NOTHING
    per: ClassVar[Sequence[Source]] = ()
    columns: ClassVar[Mapping[str, str]] = _NOTHING
    renamed: ClassVar[Mapping[str, str]] = _NOTHING
    lifted: ClassVar[Mapping[str, tuple[str, str]]] = _NOTHING
    left_out: ClassVar[frozenset[str]] = frozenset()
    inside: ClassVar[str | None] = None
    texts: ClassVar[Sequence[str]] = ()
    paged: ClassVar[bool] = True
    id_field: ClassVar[str] = "id"
    parent_fields: ClassVar[Sequence[str]] = ()
    id_filters: ClassVar[Mapping[str, str]] = _NOTHING
    is_sample: ClassVar[bool] = False

    @classmethod
    def listing(cls, settings: Settings) -> Listing:
        """The dataset as the inventory reads it."""
        fields = (cls.id_field, *cls.parent_fields, *cls.id_filters.values())
        return Listing(
            path=cls.path,
            calls=cls.calls,
            fields=tuple(dict.fromkeys(fields)),
            filters=cls.filters_left(settings),
            decode=cls.decoder(),
        )

    @classmethod
    def decoder(cls) -> Decode:
        """The function that decodes an answer."""
        decode = page_decoder(cls.path)
        is_object = api.operation(f"GET {cls.path}").shape == "object"
        known = api.record_facts(cls.path)["properties"] if is_object else {}

        def decode_and_unpack(body: bytes) -> Page:
            page = decode(body)
            if is_object:
                # Without this check, an answer of another shape would become a record of nulls.
                check_fields(page.items[0], known)
            try:
                page.items = [record for item in page.items for record in cls.unpacked(item)]
            except (AttributeError, TypeError) as error:
                msg = f"the answer has another shape than the API describes: {error}"
                raise UnreadableAnswerError(msg) from None
            return page

        return decode_and_unpack

    @classmethod
    def unpacked(cls, item: Any) -> Iterable[Item]:  # noqa: ANN401 - an item may be a text
        """The records of one answered item."""
        if cls.inside is None:
            return (item,)
        outer = {name: value for name, value in item.items() if name != cls.inside}
        return [{**outer, **inner} for inner in item.get(cls.inside) or ()]

    @classmethod
    def parents(cls) -> Iterator[Dataset]:
        """Datasets whose items the calls are made for, and their parents."""
        for source in cls.per:
            for parent in source.parents:
                yield parent
                yield from parent.parents()

    @classmethod
    def sources(cls, settings: Settings) -> Sequence[Source]:
        """The sources of the calls, with the filters in force."""
        asked = cls._filter_in_the_call(settings)
        return (Batches(Setting(asked, asked)), *cls.per) if asked else cls.per

    @classmethod
    def parameters(cls, settings: Settings) -> Mapping[str, Any]:  # noqa: ARG003 - see subclasses
        """Parameters that are the same in every call."""
        return cls.query

    @classmethod
    def shows_all(cls, settings: Settings) -> bool:
        """Whether its lists show all items, if the lists of its parents do."""
        is_narrowed = any(getattr(settings, name) for name in cls.id_filters)
        return cls.paged and not cls.is_sample and not is_narrowed

    @classmethod
    def calls(cls, scope: Scope) -> Iterator[Call]:
        """The calls that read the dataset in a context."""
        known = api.operation(f"GET {cls.path}").parameters
        same, carried = cls.parameters(scope.settings), cls.column_names()
        context = cls.contexts.parameters(scope.context, scope.inventory.owners)
        for row in product(cls.sources(scope.settings), cls.path, scope):
            beside = {**context, **row}
            values = {**same, **beside}
            places = {name: known[name].location for name in values if name in known}
            yield Call(
                cls.path,
                ids={name: values[name] for name, place in places.items() if place == "path"},
                query={name: values[name] for name, place in places.items() if place == "query"},
                columns={
                    cls.columns.get(name, name): value
                    for name, value in beside.items()
                    if name in carried
                },
                pages=cls.paged,
                part=row,
            )

    @classmethod
    def column_names(cls) -> Sequence[str]:
        """Names of the parameters whose values records carry beside their own fields."""
        return [*cls.contexts.columns, *(name for source in cls.per for name in source.columns)]

    @classmethod
    def filters_left(cls, settings: Settings) -> Mapping[str, frozenset[str]]:
        """The wanted ids, by field, of the filters that the calls do not apply."""
        asked = cls._filter_in_the_call(settings)
        return {
            field: frozenset(ids)
            for name, field in cls.id_filters.items()
            if name != asked and (ids := getattr(settings, name))
        }

    @classmethod
    def _filter_in_the_call(cls, settings: Settings) -> str | None:
        """The narrowest filter that is a parameter; the API takes only one kind of id."""
        known = api.operation(f"GET {cls.path}").parameters
        return next(
            (name for name in cls.id_filters if name in known and getattr(settings, name)), None
        )

    @functools.cached_property
    @override
    def facts(self) -> Mapping[str, Any]:
        """The facts of a record: the fields of the answer, and the fields that the tap adds."""
        fields = {
            self.renamed.get(name, name): facts
            for name, facts in api.without(self.own_facts()["properties"], self.withheld).items()
            if name not in self.left_out
        }
        lifted = {
            column: fields[outer]["properties"][inner]
            for column, (outer, inner) in self.lifted.items()
        }
        beside = {**self.facts_beside(), **lifted}
        new = {name: facts for name, facts in beside.items() if name not in fields}
        return {"properties": {**new, **fields}}

    def facts_beside(self) -> Mapping[str, Any]:
        """The facts of the fields that the tap adds to records."""
        known = api.operation(f"GET {self.path}").parameters
        flags = {name for name, parameter in known.items() if parameter.type == "boolean"}
        return {
            self.columns.get(name, name): {"type": "boolean" if name in flags else "string"}
            for name in self.column_names()
        }

    def own_facts(self) -> Mapping[str, Any]:
        """The facts of an item of the answer, or of an item inside it."""
        if self.texts:
            return {"properties": {name: {"type": "string"} for name in self.texts}}
        facts = api.record_facts(self.path)
        if self.inside is None:
            return facts
        outer = {name: field for name, field in facts["properties"].items() if name != self.inside}
        return {"properties": {**outer, **facts["properties"][self.inside]["items"]["properties"]}}

    @functools.cached_property
    def withheld(self) -> frozenset[str]:
        """Fields that stay in the tap: secrets, and personal data that the config does not want."""
        personal = {"personal", "all"} & {*self.settings.stream_groups}
        return frozenset(api.SECRETS) | (frozenset() if personal else frozenset(api.PERSONAL))

    @property
    def has_extra_fields(self) -> bool:
        """Whether records keep fields that have no column."""
        return self.settings.extra_fields and self.table is None

    @override
    def own_schema(self) -> dict[str, Any]:
        return singer_schema(self.facts, self.natural_keys, extra_fields=self.has_extra_fields)

    @property
    @override
    def strays(self) -> Strays:
        kind = KeptStrays if self.has_extra_fields else Strays
        is_written = self.has_extra_fields and EXTRA_FIELDS not in self._deselected
        self.summary.keeps_extra_fields = is_written
        unknowns = self.summary.unknowns
        return kind(unknowns, withheld=self.withheld, is_flattened=self.is_flattened)

    @functools.cached_property
    def _has_withheld(self) -> bool:
        fields = self.own_facts()["properties"]
        return bool(api.without(fields, self.withheld) != fields)

    @functools.cached_property
    @override
    def missing_settings(self) -> Sequence[str]:
        needed = (name for source in self.per for name in source.settings)
        missing = [name for name in needed if not getattr(self.settings, name)]
        if missing:
            self.logger.info("%s reads nothing without %s", self.name, " and ".join(missing))
        return missing

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        """The contexts; none while a setting is missing or the last reading is recent enough."""
        return [] if self.missing_settings or self.is_young else super().partitions

    @functools.cached_property
    def is_young(self) -> bool:
        """Whether a run has read the whole stream so recently that this run leaves it out."""
        of_stream = self.run.memory.get("bookmarks", {}).get(self.name, {})
        at, _, shape = (of_stream.get(LIST_READ) or "").partition("/")
        age = self.clock.now() - int(at) if at.isdecimal() else -1
        return 0 <= age < self.settings.entities_max_age_seconds and shape == self._shape

    @property
    def _shape(self) -> str:
        """A fingerprint of everything in the run that the rows depend on."""
        shape = {
            "contexts": super().partitions,
            "settings": self.settings.about_rows,
            "left_out": sorted(self._deselected),
            "day": self.clock.likely_today.isoformat() if self.replication_key else None,
        }
        return state.fingerprint(shape)

    @property
    @override
    def why_nothing(self) -> str:
        if self.missing_settings or not self.is_young:
            return super().why_nothing
        return "a run has read all of it so recently that entities_max_age_hours leaves it out"

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], None, None]:
        began = int(self.clock.now())
        yield from super()._sync_records(context, write_messages=write_messages)
        part = self.summary
        missed = part.failures or part.skipped or part.left or self.missing_ids
        if part.contexts and not missed and self.settings.entities_max_age_seconds:
            state.entry(self.run.memory, self.name)[LIST_READ] = f"{began}/{self._shape}"

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        parts = Parts()
        scope = Scope(self.inventory, self.settings, context, parts)
        listing, following = self.listing(self.settings), self.run.order.following(self, context)
        seen: dict[object, Any] = {}
        id_column = self.renamed.get(self.id_field, self.id_field)
        pages = self.inventory.items(listing, scope, self.turn(context), following)
        reading = self._reading(context)
        for call, items in pages:
            records = self._converted(call, items, reading)
            for record in self.records_of_call(call, records, parts, seen):
                self.missing_ids.discard(record.get(id_column, ""))
                yield record
        if reading:
            self._keep(reading, parts)
        progress = Progress(bookmark=self.clock.today) if self.replication_key else None
        self.conclude(context, parts, progress, asked=parts.is_answered)

    def _converted(
        self, call: Call, items: Iterable[Item], reading: Reading | None
    ) -> Iterator[dict[str, Any]]:
        """The records of items, without those that another context has written."""
        records: Iterator[dict[str, Any]]
        records = (self.convert(self.complete(item, call)) for item in items)
        if reading:
            records = reading.noting(call, records, self.key_of)
        overlaps = self.contexts.may_overlap(self.inventory.owners)
        return filter(self._is_new, records) if overlaps else records

    def _reading(self, context: Context | None) -> Reading | None:
        """A reading of lists that show an item until it is removed; `None` for other lists."""
        if not (self.tells_removed and (owner := self._owner(context))):
            return None
        shared = {
            "stream": self.name,
            "account_id": "".join(owner.values()),
            "list_settings": self._list_settings(context),
            "listed_at": instant_of(self.clock.pinterest_time()),
        }
        is_of_all = all(each.shows_all(self.settings) for each in self.parents())
        return Reading(self.path, shared, owner, is_of_all=is_of_all)

    @functools.cached_property
    def tells_removed(self) -> bool:
        """Whether the run keeps the ids on its lists, so that the tables say which are gone."""
        operation = api.operation(f"GET {self.path}")
        has_pages = "bookmark" in operation.parameters
        # A list of the token without pages mostly has facts that are the same for everybody.
        is_of_account = bool(self.contexts.columns) and operation.shape != "object"
        return (
            self.run.tells_removed
            and (has_pages or is_of_account)
            and not self.replication_key
            and not any(source.settings for source in self.per)
            and self.shows_all(self.settings)
        )

    def _keep(self, reading: Reading, parts: Parts) -> None:
        """Keep a reading, unless a token that sees less may have read some of its lists."""
        if self.run.access_policy.visibility_is_unchanged:
            self.run.listed.keep(reading, parts)
            return
        self.run.warn_once(
            "A renewed token has other scopes than the run's first one: listed_items and "
            "complete_lists leave out what this run has listed since then."
        )

    def _owner(self, context: Context | None) -> Mapping[str, str] | None:
        """The owner of the lists of a context: two connections may load into the same tables."""
        if context:
            return cast("Mapping[str, str]", context)
        user_id = self.run.token_user
        return {"user_id": user_id} if user_id else None

    def _list_settings(self, context: Context | None) -> str:
        """A fingerprint of everything that decides which items the lists show."""
        lists: Sequence[Dataset] = (type(self), *self.parents())
        return state.fingerprint(
            {
                "asked": [dict(each.parameters(self.settings)) for each in lists],
                "through": dict(self.contexts.parameters(context, self.inventory.owners)),
                "secret": self.run.access_policy.visibility,
                "keys": list(self.natural_keys),
            }
        )

    @override
    def expected(self, context: Context | None) -> Iterator[Expected]:
        parts = Parts()
        scope = Scope(self.inventory, self.settings, context, parts)
        yield from self.inventory.expected(self.listing(self.settings), scope)
        if self.tells_removed and not context and not self.inventory.knows_token_user:
            user = api.operation(f"GET {USER_ACCOUNT}")
            yield Expected(user.category, key=Call(USER_ACCOUNT).key)
        parts.raise_if_any_failed()

    @property
    @override
    def written_lists(self) -> Sequence[str]:
        return (self.path,)

    @property
    @override
    def lists(self) -> Iterator[str]:
        return (parent.path for parent in self.parents())

    @override
    def ahead(self, context: Context | None) -> Ahead[Any] | None:
        if any(self.lists):
            return None
        scope = Scope(self.inventory, self.settings, context, Parts())
        listing = self.listing(self.settings)
        begin = functools.partial(self.inventory.beginnings, listing, scope, ahead=True)
        return Ahead(self.turn(context), begin)

    @classmethod
    def named(cls, settings: Settings) -> set[str]:
        """The ids of items of this dataset that the config names."""
        own = next((name for name, field in cls.id_filters.items() if field == cls.id_field), "")
        return set(getattr(settings, own)) if own else set()

    @functools.cached_property
    @override
    def missing_ids(self) -> set[str]:
        return set() if self.per else self.named(self.settings)

    @functools.cached_property
    @override
    def may_change(self) -> bool:
        # A page that shows an id twice shows one item; other keys may be of two.
        own_id = self.renamed.get(self.id_field, self.id_field)
        return own_id in self.natural_keys and super().may_change

    @functools.cached_property
    def _written(self) -> set[tuple[Any, ...]]:
        return set()

    def _is_new(self, record: Mapping[str, Any]) -> bool:
        """Whether the record is new: another context may have written it, as a shared board."""
        key = tuple(record.get(name) for name in self.natural_keys)
        known = key in self._written
        self._written.add(key)
        return not known

    def complete(self, record: Item, call: Call) -> dict[str, Any]:
        """A record of the answer with the values of its call, without withheld fields."""
        complete = dict(record)
        if self._has_withheld:
            complete = api.without(complete, self.withheld)
        for name in self.left_out:
            complete.pop(name, None)
        for name, column in self.renamed.items():
            if name in complete:
                complete[column] = complete.pop(name)
        for column, (outer, inner) in self.lifted.items():
            found = complete.get(outer)
            complete[column] = found.get(inner) if isinstance(found, dict) else None
        complete.update(call.columns)
        return complete


class SnapshotStream(DatasetStream):
    """A dataset with one version of its records for each day of a run (UTC).

    A later run on the same day overwrites the version of that day.
    """

    replication_key = "date"

    @override
    def facts_beside(self) -> Mapping[str, Any]:
        return {"date": {"type": "string", "format": "date"}, **super().facts_beside()}

    @override
    def complete(self, record: Item, call: Call) -> dict[str, Any]:
        return {**super().complete(record, call), "date": self.clock.today.isoformat()}


class DailyStream(SnapshotStream):
    """Some fields of each item of a list, on each day of a run.

    Pinterest does not keep this history. Another stream writes the whole items of the same list, so
    a run that reads both makes no call for this stream.

    Attributes:
        kept: The fields of an item.
    """

    kept: ClassVar[Sequence[str]] = ()

    @override
    def own_facts(self) -> Mapping[str, Any]:
        known = super().own_facts()["properties"]
        return {"properties": {name: known[name] for name in self.kept}}

    @override
    def complete(self, record: Item, call: Call) -> dict[str, Any]:
        kept = {name: record[name] for name in self.kept if name in record}
        return super().complete(kept, call)
