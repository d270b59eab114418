"""What the token's user has on Pinterest: profile, boards and Pins."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_pinterest import state
from tap_pinterest.inventory import USER_ACCOUNT
from tap_pinterest.state import Progress
from tap_pinterest.streams.base import ListStream, PinterestStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context


class UserAccount(PinterestStream):
    """The profile of the token's user, with its counts at the time of the run.

    Source: GET /user_account.
    """

    name = "user_account"
    path = USER_ACCOUNT
    group = "organic"
    primary_keys = ("id",)

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        yield self.finished(self.convert(self.inventory.user_account))
        self.summary.contexts += 1


class UserAccountMetrics(PinterestStream):
    """The counts of the user's profile on the day of the run (UTC): one record a day.

    Source: GET /user_account.
    """

    name = "user_account_metrics"
    path = USER_ACCOUNT
    group = "organic"
    primary_keys = ("id", "date")
    replication_key = "date"

    @override
    def own_schema(self) -> dict[str, Any]:
        schema = super().own_schema()
        kept = {
            name: shape
            for name, shape in schema["properties"].items()
            if shape["type"][0] == "integer" or name in {"id", "username"}
        }
        day = {"date": {"type": "string", "format": "date"}}
        return {**schema, "properties": kept | day, "required": ["id", "date"]}

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        record = self.convert(self.inventory.user_account)
        today = self.clock.today
        kept = {name: value for name, value in record.items() if name in self._fields}
        yield self.finished({**kept, "date": today.isoformat()})
        Progress(bookmark=today).write_to(state.entry(self.tap.memory, self.name), "date")
        self.summary.contexts += 1

    @functools.cached_property
    def _fields(self) -> frozenset[str]:
        return frozenset(self.own_schema()["properties"])


class Boards(ListStream):
    """Boards that the user owns or works on, secret ones if the token may see them.

    Source: GET /boards.
    """

    name = "boards"
    path = "/boards"
    group = "organic"
    primary_keys = ("id",)


class Pins(ListStream):
    """Pins that the user owns, whoever owns the board.

    Source: GET /pins.
    """

    name = "pins"
    path = "/pins"
    group = "organic"
    primary_keys = ("id",)
