"""The items of lists, and the lists that were read whole: they show which items are gone."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_pinterest.streams.bases.about_the_run import COUNT, KEY, TEXT, TIME, AboutTheRun

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context


class ListedItems(AboutTheRun):
    """When a list last showed an item."""

    name = "listed_items"
    primary_keys = ("stream", "account_id", "parent_id", "id")
    columns = MappingProxyType({"list_settings": TEXT, "listed_at": TIME})

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        return self.run.listed.items()


class CompleteLists(AboutTheRun):
    """A list that a run has read whole, for one ad account or user."""

    name = "complete_lists"
    primary_keys = ("stream", "account_id", "parent_id", "listed_at")
    columns = MappingProxyType(
        {
            "listed_at": {**KEY, "format": "date-time"},
            "list_settings": TEXT,
            "items": COUNT,
            "ad_account_id": TEXT,
            "user_id": TEXT,
        }
    )

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        none = {"ad_account_id": None, "user_id": None}
        return ({**none, **row} for row in self.run.listed.complete)
