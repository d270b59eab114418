"""Followers, followed users, boards and interests, claimed websites and uploads of users."""

# ruff: noqa: ARG001  every `details` is called with the same three arguments
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox import records
from pinterest_sandbox.collection import Kind
from pinterest_sandbox.names import slug

if TYPE_CHECKING:
    from pinterest_sandbox.chance import Draws
    from pinterest_sandbox.collection import Details, Member
    from pinterest_sandbox.world import User

    OfUser = Member[User]


def _follower(follower: OfUser, made: dict[str, Any], draws: Draws) -> Details:
    return {"type": "user", "username": f"follower{follower.owner.number}_{follower.number}"}


def _followee(followee: OfUser, made: dict[str, Any], draws: Draws) -> Details:
    return {"type": "user", "username": f"creator{followee.owner.number}_{followee.number}"}


def _followed_board(board: OfUser, made: dict[str, Any], draws: Draws) -> Details:
    return {
        "name": board.label,
        "privacy": "PUBLIC",
        "owner": {"username": f"creator{board.owner.number}_{board.number}"},
    }


def _interest(interest: OfUser, made: dict[str, Any], draws: Draws) -> Details:
    key = slug(interest.label)
    return {"key": key, "name": interest.label, "canonical_url": f"/explore/{key}-{interest.id}/"}


def _website(website: OfUser, made: dict[str, Any], draws: Draws) -> Details:
    names = ("shop.example.com", "example.org/blog", "пример.example")
    claimed = made.get("verified_at") is not None
    name = names[website.number % len(names)]
    return {
        "website": f"{name}{website.number or ''}",
        "status": "success" if claimed else "pending",
    }


def _business(business: OfUser, made: dict[str, Any], draws: Draws) -> Details:
    return {"username": f"business{business.owner.number}_{business.number}"}


def _upload(upload: OfUser, made: dict[str, Any], draws: Draws) -> Details:
    statuses = ("registered", "processing", "succeeded", "failed")
    return {"media_type": "video", "status": statuses[upload.number % len(statuses)]}


def _summary_pin(pin: OfUser, made: dict[str, Any], draws: Draws) -> Details:
    return {"title": pin.label, "media": records.media(draws, "REGULAR", pin.number)}


def _partners_pins(user: User) -> int:
    return user.world.size.pins // 4


FOLLOWERS: Final[Kind[User]] = Kind(
    "follower", "UserSummary", lambda user: user.world.size.followers, _follower
)
FOLLOWING: Final[Kind[User]] = Kind(
    "followee", "UserSummary", lambda user: user.world.size.following, _followee
)
FOLLOWED_BOARDS: Final[Kind[User]] = Kind(
    "followed board", "Board", lambda user: user.world.size.following, _followed_board
)
FOLLOWED_INTERESTS: Final[Kind[User]] = Kind(
    "followed interest", "Interest", lambda user: user.world.size.following // 2, _interest
)
WEBSITES: Final[Kind[User]] = Kind("website", "UserWebsiteSummary", lambda _: 4, _website)
LINKED_BUSINESSES: Final[Kind[User]] = Kind(
    "linked business", "LinkedBusiness", lambda _: 2, _business
)
MEDIA: Final[Kind[User]] = Kind(
    "upload", "Media", lambda user: user.world.size.media, _upload, id_field="media_id"
)
PARTNERS_PINS: Final[Kind[User]] = Kind(
    "partner pin", "SummaryPin", _partners_pins, _summary_pin, first_id=646_000_000_000_000_000
)
INTEGRATIONS: Final[Kind[User]] = Kind(
    "integration", "IntegrationRecord", lambda user: user.world.size.account_records
)
