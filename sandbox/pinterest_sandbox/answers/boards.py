"""Boards, their sections, Pins and uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pinterest_sandbox import records
from pinterest_sandbox.answers.entities import of
from pinterest_sandbox.kinds import boards as kinds
from pinterest_sandbox.kinds import users
from pinterest_sandbox.paging import Listing
from pinterest_sandbox.refusals import Refusal, not_found, scope_missing
from pinterest_sandbox.world import READER_ROLES

if TYPE_CHECKING:
    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.world import Board, User

_PRIVACY: Final = {
    None: {"PUBLIC", "PROTECTED", "SECRET"},
    "ALL": {"PUBLIC", "PROTECTED", "SECRET"},
    "PUBLIC": {"PUBLIC"},
    "PROTECTED": {"PROTECTED"},
    "SECRET": {"SECRET"},
    "PUBLIC_AND_SECRET": {"PUBLIC", "SECRET"},
}
_SECRET_ROLES: Final = frozenset({"OWNER", "ADMIN"})


def boards(call: Call) -> Listing[Any]:
    """Boards by privacy; the secret ones only for a token and a role that may see them."""
    user = call.user(READER_ROLES)
    wanted = _PRIVACY[call.values["privacy"]]
    if call.values["privacy"] == "SECRET" and "boards:read_secret" not in call.token.scopes:
        raise scope_missing(["boards:read_secret"])
    found = [board for board in user.boards if board.privacy in wanted and _is_seen(call, board)]
    return Listing(found, lambda board: records.board(user, board.number))


def board(call: Call) -> dict[str, Any]:
    """One board."""
    return records.board(call.user(READER_ROLES), _board(call).number)


def sections(call: Call) -> Listing[Any]:
    """Sections of a board."""
    return of(list(_board(call).all(kinds.SECTIONS)))


def board_pins(call: Call) -> Listing[Any]:
    """Pins on a board, whoever put them there."""
    return _pins_on(call, _board(call), set(call.values["creative_types"] or ()))


def section_pins(call: Call) -> Listing[Any]:
    """Pins in a section of a board."""
    board = _board(call)
    section = call.values["section_id"]
    if board.all(kinds.SECTIONS).get(section) is None:
        raise Refusal(404, 404, "Board or section not found.")
    return _pins_on(call, board, set(), section)


def pins(call: Call) -> Listing[Any]:
    """Pins, filtered by origin, format and visibility."""
    user, values = call.user(READER_ROLES), call.values
    wanted = {"PUBLIC"}
    if values["include_protected_pins"]:
        wanted.add("PROTECTED")
    if "pins:read_secret" in call.token.scopes and call.acts_as(_SECRET_ROLES):
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
    domains = {values["domain"], *(values["domains"] or ())} - {None}
    if domains:
        numbers = [
            number
            for number in numbers
            if urlsplit(_pin(call, user, number).get("link") or "").hostname in domains
        ]
    return Listing(numbers, lambda number: _pin(call, user, number))


def pin(call: Call) -> dict[str, Any]:
    """One Pin, of the user or on a board that is shared with it."""
    user, wanted = call.user(READER_ROLES), call.values["pin_id"]
    for board in user.boards:
        guest = board.all(kinds.GUEST_PINS).get(wanted)
        if guest is not None and _is_seen(call, board):
            metrics = call.values["pin_metrics"]
            return records.guest_pin(board, guest, call.today, metrics=metrics)
    return _pin(call, user, _own_pin(call, user))


def product_tags(call: Call) -> dict[str, Any]:
    """Products that are tagged in a Pin: other Pins."""
    user = call.world.user
    return {"product_tags": _product_tags(user, _own_pin(call, user))}


def media(call: Call) -> Listing[Any]:
    """Uploads of the token's user."""
    return of(list(call.world.user.all(users.MEDIA)))


def medium(call: Call) -> dict[str, Any]:
    """One upload."""
    found = call.world.user.all(users.MEDIA).get(call.values["media_id"])
    if found is None:
        raise not_found(404, "media upload")
    return found.record()


def search_boards(call: Call) -> Listing[Any]:
    """Boards that have a text in their name, or one of some Pins on them."""
    user, query = call.user(READER_ROLES), call.values["query"] or ""
    found = [board for board in user.boards if _is_seen(call, board)]
    ids = _pin_ids(query)
    if ids:
        with_pins = {
            user.board_of_pin[number] for number, pin_id in enumerate(user.pin_ids) if pin_id in ids
        }
        found = [board for board in found if board.number in with_pins]
    made = [records.board(user, board.number) for board in found]
    matching = [record for record in made if ids or query.lower() in record["name"].lower()]
    return Listing(matching, dict)


def search_pins(call: Call) -> Listing[Any]:
    """Pins that have a text in their title or description, or one of some ids."""
    user, query = call.user(READER_ROLES), call.values["query"]
    ids = _pin_ids(query)
    found = []
    for number, pin_id in enumerate(user.pin_ids):
        record = records.pin(user, number, call.today)
        text = f"{record.get('title')} {record.get('description')}".lower()
        if (pin_id in ids) if ids else (query.lower() in text):
            found.append(record)
    return Listing(found, dict)


def search_partner_pins(call: Call) -> Listing[Any]:
    """Pins of partners for a term, the first few of them."""
    found = list(call.world.users[-1].all(users.PARTNERS_PINS))
    begin = len(call.values["term"]) % max(1, len(found))
    return of(found[begin : begin + call.values["limit"]])


def _pin_ids(query: str) -> set[str]:
    ids = query.split(",")
    return set(ids) if all(text.isdecimal() for text in ids) else set()


def _pins_on(
    call: Call, board: Board, formats: set[str], section: str | None = None
) -> Listing[Any]:
    user, metrics = board.user, bool(call.values.get("pin_metrics"))
    keys: list[Any] = [
        number
        for number, place in enumerate(user.board_of_pin)
        if place == board.number and (not formats or user.pin_kinds[number] in formats)
    ]
    for guest in board.all(kinds.GUEST_PINS):
        record = records.guest_pin(board, guest, call.today, metrics=metrics)
        if not formats or record["creative_type"] in formats:
            keys.append(record)
    if section:
        keys = [key for key in keys if _section(board, key) == section]

    def made(key: Any) -> dict[str, Any]:  # noqa: ANN401  own Pins by number, guests' as records
        if isinstance(key, dict):
            return key
        return records.pin(user, key, call.today, metrics=metrics)

    return Listing(keys, made)


def _section(board: Board, key: Any) -> str | None:  # noqa: ANN401  as in `_pins_on`
    found: str | None = (
        key["board_section_id"] if isinstance(key, dict) else kinds.section_of(board, key)
    )
    return found


def _is_seen(call: Call, board: Board) -> bool:
    if board.privacy != "SECRET":
        return True
    return "boards:read_secret" in call.token.scopes and call.acts_as(_SECRET_ROLES)


def _board(call: Call) -> Board:
    for board in call.user(READER_ROLES).boards:
        if board.id == call.values["board_id"] and _is_seen(call, board):
            return board
    raise Refusal(404, 404, "Board not found.")


def _own_pin(call: Call, user: User) -> int:
    wanted = call.values["pin_id"]
    if wanted not in user.pin_ids:
        raise Refusal(404, 404, "Pin not found.")
    return user.pin_ids.index(wanted)


def _pin(call: Call, user: User, number: int) -> dict[str, Any]:
    return records.pin(user, number, call.today, metrics=bool(call.values["pin_metrics"]))


def _product_tags(user: User, number: int) -> list[dict[str, str]]:
    count = number % 3
    return [{"pin_id": pin_id} for pin_id in user.pin_ids[:count]]
