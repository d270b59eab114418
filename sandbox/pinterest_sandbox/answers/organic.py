"""User accounts, boards and Pins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinterest_sandbox import records
from pinterest_sandbox.paging import Listing
from pinterest_sandbox.refusals import scope_missing

if TYPE_CHECKING:
    from pinterest_sandbox.calls import Call

_PRIVACY = {
    None: {"PUBLIC", "PROTECTED", "SECRET"},
    "ALL": {"PUBLIC", "PROTECTED", "SECRET"},
    "PUBLIC": {"PUBLIC"},
    "PROTECTED": {"PROTECTED"},
    "SECRET": {"SECRET"},
    "PUBLIC_AND_SECRET": {"PUBLIC", "SECRET"},
}


def user_account(call: Call) -> dict[str, Any]:
    """The account and its counts."""
    return records.user_account(call.user(), call.today)


def boards(call: Call) -> Listing[Any]:
    """Boards by privacy; the secret ones only for a token that may see them."""
    user = call.user()
    wanted = _PRIVACY[call.values["privacy"]]
    if call.values["privacy"] == "SECRET" and "boards:read_secret" not in call.token.scopes:
        raise scope_missing(["boards:read_secret"])
    if "boards:read_secret" not in call.token.scopes:
        wanted = wanted - {"SECRET"}
    numbers = [number for number in range(len(user.board_ids)) if user.privacy[number] in wanted]
    return Listing(numbers, lambda number: records.board(user, number))


def pins(call: Call) -> Listing[Any]:
    """Pins by origin, format and who may see them."""
    user, values = call.user(), call.values
    wanted = {"PUBLIC"}
    if values["include_protected_pins"]:
        wanted.add("PROTECTED")
    if "pins:read_secret" in call.token.scopes:
        wanted.add("SECRET")
    if values["pin_type"] == "PRIVATE":
        wanted &= {"SECRET"}
    formats = set(values["creative_types"] or ())
    origin: str | None = values["pin_filter"]

    def is_wanted(number: int) -> bool:
        privacy = user.privacy[user.board_of_pin[number]] if user.board_ids else "PUBLIC"
        if privacy not in wanted or (formats and user.pin_kinds[number] not in formats):
            return False
        if origin == "has_been_promoted":
            return user.promoted_pins[number]
        if origin:
            return user.saved_pins[number] == (origin == "exclude_native")
        return True

    numbers = list(filter(is_wanted, range(len(user.pin_ids))))
    metrics = values["pin_metrics"]
    return Listing(numbers, lambda number: records.pin(user, number, call.today, metrics=metrics))
