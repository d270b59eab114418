"""What all streams have in common: their facts by path, their records, their keys."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.exceptions import FatalAPIError
from singer_sdk.singerlib.catalog import Metadata
from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.inventory import Listing
from tap_pinterest.mapper import SYNC_KEY, sync_key
from tap_pinterest.sdk import SingerStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib.catalog import MetadataMapping

    from tap_pinterest.config import Settings
    from tap_pinterest.conform import Converter
    from tap_pinterest.inventory import Inventory
    from tap_pinterest.summary import StreamSummary
    from tap_pinterest.tap import TapPinterest


class PinterestStream(SingerStream):
    """A stream of one path of the API.

    Attributes:
        path: The path in Pinterest's description; schema and rate category follow from it.
        group: The entry of `stream_groups` that lists it.
        sync_key_fields: Fields of `__sync_key` where they are not the key properties.
    """

    path: ClassVar[str]
    group: ClassVar[str]
    sync_key_fields: ClassVar[Sequence[str]] = ()

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
    @override
    def schema(self) -> dict[str, Any]:
        """JSON schema of the records: the facts of the path, and what the tap adds."""
        schema = self.own_schema()
        if self.settings.sync_key:
            schema["properties"][SYNC_KEY] = {"type": ["string", "null"]}
        return schema

    def own_schema(self) -> dict[str, Any]:
        """The schema without `__sync_key`."""
        return api.record_schema(self.path, keys=type(self).primary_keys)  # type: ignore[arg-type]

    @functools.cached_property
    def hashed_fields(self) -> Sequence[str]:
        """Fields that `__sync_key` is made of."""
        own = self.settings.sync_key_fields.get(self.name)
        return own or self.sync_key_fields or cast("Sequence[str]", type(self).primary_keys)

    @functools.cached_property
    @override
    def metadata(self) -> MetadataMapping:
        """Selection metadata; what `__sync_key` is made of is always selected."""
        metadata = super().metadata
        if self._tap_input_catalog is None:
            for name in (*self.hashed_fields, SYNC_KEY):
                if name in self.schema["properties"]:
                    metadata["properties", name].inclusion = Metadata.InclusionType.AUTOMATIC
        return metadata

    @functools.cached_property
    def convert(self) -> Converter:
        """Turns what Pinterest sends into records of the schema."""
        return api.record_converter(self.path, self.summary.unknowns)

    def finished_once(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The records finished, less those whose key has come before.

        A list that changes while it is read may show an item on two of its pages.
        """
        seen = set()
        for record in records:
            key = tuple(map(record.get, self.primary_keys))
            if key in seen:
                self.summary.duplicates += 1
            else:
                seen.add(key)
                yield self.finished(record)

    def finished(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with its `__sync_key`, once its key properties are known to be there.

        Raises:
            FatalAPIError: A key property is null.
        """
        for key in self.primary_keys:
            if record.get(key) is None:
                sent = ", ".join(name for name, value in record.items() if value is not None)
                msg = f"a record has no {key}, which is part of its key; it has: {sent}"
                raise FatalAPIError(msg)
        if self.settings.sync_key:
            separator = self.settings.sync_key_separator
            record[SYNC_KEY] = sync_key(record, self.hashed_fields, separator)
        self.summary.rows += 1
        return record


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
        items = self.inventory.items(self.listing(), ad_account_id)
        yield from self.finished_once(map(self.convert, items))
        self.summary.contexts += 1


class AdAccountStream(PinterestStream):
    """A stream with one context for each ad account of the run."""

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        """The ad accounts."""
        return [{"ad_account_id": each} for each in self.inventory.ad_account_ids]
