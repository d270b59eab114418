"""What the token's user has on Pinterest: profile, boards and Pins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_pinterest.bodies import decoder
from tap_pinterest.streams.base import ListStream, PinterestStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

_decode_account = decoder(dict[str, Any])


class UserAccount(PinterestStream):
    """The profile of the token's user, with its counts at the time of the run.

    Source: GET /user_account.
    """

    name = "user_account"
    path = "/user_account"
    group = "organic"
    primary_keys = ("id",)

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        yield self.finished(self.convert(self.tap.client.get(self.path, _decode_account)))
        self.summary.contexts += 1


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
