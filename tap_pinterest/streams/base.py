"""What all streams have in common: their facts by path, their records, their keys."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.exceptions import FatalAPIError
from singer_sdk.singerlib.catalog import Metadata
from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.daasity import SYNC_KEY_FIELDS, TABLES
from tap_pinterest.inventory import Listing
from tap_pinterest.mapper import SYNC_KEY, SYNC_KEY_SCHEMA, key_faults, sync_key
from tap_pinterest.sdk import SingerStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib.catalog import MetadataMapping

    from tap_pinterest.config import Settings
    from tap_pinterest.conform import Converter
    from tap_pinterest.inventory import Inventory
    from tap_pinterest.mapper import Arrange, Table
    from tap_pinterest.summary import StreamSummary
    from tap_pinterest.tap import TapPinterest


class PinterestStream(SingerStream):
    """A stream of one path of the API.

    Attributes:
        path: The path in Pinterest's description; schema and rate category follow from it.
        group: The entry of `stream_groups` that lists it.
    """

    name: str
    path: ClassVar[str]
    group: ClassVar[str]

    def __init__(self, tap: TapPinterest, name: str | None = None) -> None:
        """A stream of the tap, under the name of a table of another layout if there is one."""
        super().__init__(tap, name=name)
        if self.table:
            self.primary_keys = self.table.key
            if self.replication_key:
                self.replication_key = self.column(self.replication_key)

    @property
    def tap(self) -> TapPinterest:
        """The tap, which holds what one run shares."""
        return cast("TapPinterest", self._tap)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.tap.settings

    @property
    def inventory(self) -> Inventory:
        """Lists that are read once a run."""
        return self.tap.inventory

    @property
    def summary(self) -> StreamSummary:
        """This stream's part of the summary."""
        return self.tap.summary.of(self.name)

    @functools.cached_property
    def table(self) -> Table | None:
        """The table that the records go into, if it is not the stream's own."""
        return TABLES[self.name] if self.settings.layout == "daasity" else None

    def column(self, field: str) -> str:
        """The column that a field of the records is written as."""
        return self.table.column(field) if self.table else field

    @functools.cached_property
    @override
    def schema(self) -> dict[str, Any]:
        """JSON schema of the records: the facts of the path, and what the tap adds."""
        schema = self.own_schema()
        if self.table:
            schema = self.table.schema(schema)
        if self.settings.sync_key:
            schema["properties"][SYNC_KEY] = dict(SYNC_KEY_SCHEMA)
        return schema

    def own_schema(self) -> dict[str, Any]:
        """The schema in Pinterest's layout, without `__sync_key`."""
        return api.record_schema(self.path, keys=type(self).primary_keys)  # type: ignore[arg-type]

    @functools.cached_property
    def hashed_fields(self) -> Sequence[str]:
        """Fields that `__sync_key` is made of."""
        own = self.settings.sync_key_fields.get(self.name)
        keys = self.table.key if self.table else cast("Sequence[str]", type(self).primary_keys)
        return own or SYNC_KEY_FIELDS.get(self.name) or keys

    def sync_key_faults(self) -> list[str]:
        """What is wrong with the fields that the config names for `__sync_key`."""
        own = self.settings.sync_key_fields.get(self.name)
        if own is None:
            return []
        faults = key_faults(own, self.schema) if own else ["it names no field"]
        return [f"sync_key_fields.{self.name}: {fault}" for fault in faults]

    @functools.cached_property
    @override
    def metadata(self) -> MetadataMapping:
        """Selection metadata; what `__sync_key` is made of is always selected.

        So are all columns of a layout that is not Pinterest's, whatever a catalog says.
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

    @functools.cached_property
    def convert(self) -> Converter:
        """Turns what Pinterest sends into records of the schema."""
        return api.record_converter(self.path, self.summary.unknowns)

    def finished(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record, once its key properties are known to be there.

        Raises:
            FatalAPIError: A key property is null.
        """
        for key in type(self).primary_keys:  # type: ignore[attr-defined]
            if record.get(key) is None:
                sent = ", ".join(name for name, value in record.items() if value is not None)
                msg = f"a record has no {key}, which is part of its key; it has: {sent}"
                raise FatalAPIError(msg)
        return record

    @override
    def arranged(self, records: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
        """The records in the columns of their table, and with their `__sync_key`."""
        hashed = self.hashed_fields if self.settings.sync_key else None
        separator = self.settings.sync_key_separator
        for record in records:
            row = self._arrange(record) if self._arrange else record
            if row is None:
                continue
            if hashed:
                row[SYNC_KEY] = sync_key(row, hashed, separator)
            self.summary.rows += 1
            yield row

    @functools.cached_property
    def _arrange(self) -> Arrange | None:
        return self.table.arrange(self.settings.in_force) if self.table else None


class ListStream(PinterestStream):
    """A stream whose records are the items of a list, read whole on every run.

    Attributes:
        query: Parameters of the list.
        parent_fields: Ids in an item that reports of its level need, beside its own.
    """

    query: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    parent_fields: ClassVar[Sequence[str]] = ()

    @classmethod
    def listing(cls) -> Listing:
        """The list that the records come from."""
        return Listing(cls.path, cls.query, ("id", *cls.parent_fields))

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        ad_account_id = context["ad_account_id"] if context else None
        for item in self.inventory.items(self.listing(), ad_account_id):
            yield self.finished(self.convert(item))
        self.summary.contexts += 1


class AdAccountStream(PinterestStream):
    """A stream with one context for each ad account of the run."""

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        """The ad accounts."""
        return [{"ad_account_id": each} for each in self.inventory.ad_account_ids]
