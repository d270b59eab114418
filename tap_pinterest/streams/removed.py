"""The items of lists and the lists that were read whole: the tables tell from them what is gone."""

from __future__ import annotations

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

    @override
    def own_schema(self) -> dict[str, Any]:
        keys = dict.fromkeys(self.natural_keys, KEY)
        return self.schema_of({**keys, "list_settings": TEXT, "listed_at": TIME})

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        return self.run.listed.items()


class CompleteLists(AboutTheRun):
    """A list that a run has read whole, for one ad account or user."""

    name = "complete_lists"
    primary_keys = ("stream", "account_id", "parent_id", "listed_at")

    @override
    def own_schema(self) -> dict[str, Any]:
        keys = {
            **dict.fromkeys(self.natural_keys, KEY),
            "listed_at": {**KEY, "format": "date-time"},
        }
        columns = {"list_settings": TEXT, "items": COUNT, "ad_account_id": TEXT, "user_id": TEXT}
        return self.schema_of({**keys, **columns})

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        none = {"ad_account_id": None, "user_id": None}
        return ({**none, **row} for row in self.run.listed.complete)
