"""User accounts, whom they follow and what they have claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinterest_sandbox import records, specimens
from pinterest_sandbox.answers.entities import of
from pinterest_sandbox.chance import Draws
from pinterest_sandbox.kinds import users as kinds
from pinterest_sandbox.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.collection import Kind
    from pinterest_sandbox.paging import Listing
    from pinterest_sandbox.world import User


def user_account(call: Call) -> dict[str, Any]:
    """The account and its counts."""
    return records.user_account(call.user(), call.today)


def of_token(kind: Kind[User]) -> Callable[[Call], Listing[Any]]:
    """Answers with all of a kind that the token's user has."""
    return lambda call: of(list(call.world.user.all(kind)))


def linked_businesses(call: Call) -> list[dict[str, Any]]:
    """Business accounts that belong together with the token's user."""
    return [business.record() for business in call.world.user.all(kinds.LINKED_BUSINESSES)]


def following(call: Call) -> Listing[Any]:
    """Users that a user follows; on request only creators, or only those followed directly."""
    found = list(call.user().all(kinds.FOLLOWING))
    if call.values["feed_type"] in {"CREATOR_ONLY", "RANKED_CREATOR_ONLY"}:
        found = found[::2]
    return of(found[::3] if call.values["explicit_following"] else found)


def followed_boards(call: Call) -> Listing[Any]:
    """Boards that a user follows."""
    found = list(call.user().all(kinds.FOLLOWED_BOARDS))
    return of(found[::3] if call.values["explicit_following"] else found)


def followed_interests(call: Call) -> Listing[Any]:
    """The interests that a user follows, by the user's name."""
    for user in call.world.users:
        if user.username == call.values["username"]:
            return of(list(user.all(kinds.FOLLOWED_INTERESTS)))
    raise Refusal(404, 30, "User not found.")


def website_verification(call: Call) -> dict[str, Any]:
    """The code that proves that a website is the user's."""
    draws = Draws(call.world.seed, *call.user().parts, "verification")
    return specimens.record("UserWebsiteVerificationCode", draws)
