"""Pinterest's refusals: status, number and sentence."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NoReturn, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ClosedStatus: TypeAlias = Literal[401, 403]
"""The status of a restricted feature: as seen, or as described."""
RefusalName: TypeAlias = Literal[
    "code 12",
    "something went wrong",
    "last 90 days",
    "consumer type",
    "restricted feature",
    "no catalog",
    "no endpoint",
    "grant invalid",
    "cannot perform",
    "rate limited",
]
"""Refusals that were seen of the live API, to be played as faults."""


class Refusal(Exception):  # noqa: N818  a refusal is an answer, not a fault of ours
    """An answer that is not 200: a status, Pinterest's own number for it, and its sentence."""

    def __init__(
        self, status: int, code: int | None, message: str, more: Mapping[str, str] | None = None
    ) -> None:
        """Make it; raising it answers the request. Some refusals have no number, some say more."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.more = more

    @property
    def body(self) -> dict[str, object]:
        """The body that goes with the status."""
        code = {} if self.code is None else {"code": self.code}
        return {**code, "message": self.message, **(self.more or {})}


def refuse(message: str) -> NoReturn:
    """The request breaks a rule of the description.

    Raises:
        Refusal: 400, with this message.
    """
    raise Refusal(400, 1, message)


def unauthenticated() -> Refusal:
    """The bearer token is missing, unknown or expired."""
    return Refusal(401, 2, "Authentication failed.", {"status": "failure"})


def refresh_refused() -> Refusal:
    """The refresh token is unknown, used up or expired."""
    return seen("grant invalid")


def scope_missing(scopes: list[str]) -> Refusal:
    """The token lacks a scope that the operation needs."""
    return Refusal(401, 3, f"Your token is missing required scopes: {', '.join(scopes)}.")


def not_permitted() -> Refusal:
    """The token is fine, but not for this."""
    return Refusal(403, 29, "You are not permitted to access that resource.")


def restricted(feature: str, status: ClosedStatus = 401) -> Refusal:
    """A beta or restricted feature that this app was not given."""
    if status == 401:  # noqa: PLR2004  the status that was seen
        message = f"Your application does not have access to this restricted feature: {feature}"
        return Refusal(401, 3, message)
    return Refusal(403, 29, f"Your application does not have access to the feature {feature!r}.")


def ad_account_not_found() -> Refusal:
    """No ad account has that id."""
    return Refusal(404, 2, "AdAccount not found.")


def not_found(code: int, what: str) -> Refusal:
    """Nothing that the token may know has that id; the API has a number for each kind."""
    return Refusal(404, code, f"Sorry! We could not find your {what}.")


def no_catalog() -> Refusal:
    """The user has no catalog, and this is about one."""
    return Refusal(409, 4182, "Can't access this feature without an existing catalog")


def merchant_refused(merchant: str) -> Refusal:
    """The merchant is not, or not yet, approved."""
    code = {"disapproved": 2625, "under review": 2626}[merchant]
    return Refusal(403, code, f"You cannot do this: your account is {merchant}.")


def not_implemented() -> Refusal:
    """Parameters that Pinterest does not take together."""
    return Refusal(501, 4181, "Not implemented at the moment. Please, see documentation.")


def path_not_found() -> Refusal:
    """The API has no such path."""
    return Refusal(404, 404, "Resource not found.")


def method_not_allowed() -> Refusal:
    """The path is known, but not with this method."""
    return Refusal(405, 5, "Method not allowed.")


def rate_limited() -> Refusal:
    """The quota of a category, or of all together, is used up."""
    return Refusal(429, 8, "You have exceeded your rate limit. Try again later.")


def not_served(operation: str) -> Refusal:
    """Pinterest would answer this; the sandbox does not yet, and says so loudly."""
    return Refusal(501, 501, f"The sandbox does not answer {operation} yet.")


def not_listed(name: str, value: object, allowed: Iterable[object]) -> Refusal:
    """A parameter has a value that is not among those that it may have."""
    listed = ", ".join(map(str, allowed))
    return Refusal(400, 1, f"Parameter {name!r} (value {value}) is not one of {listed}.")


def columns_not_available(names: Iterable[str]) -> Refusal:
    """A report was ordered with columns that this app or account cannot have."""
    return Refusal(400, None, f"Columns {', '.join(names)} are not available.")


_LAST_DAYS: Final = "You can only get data from the last 90 days."
SEEN: Final[Mapping[RefusalName, tuple[int, int, str]]] = MappingProxyType(
    {
        "code 12": (400, 12, "Something went wrong on our end. Sorry about that."),
        "something went wrong": (400, 1, "Something went wrong. Please try again."),
        "last 90 days": (400, 1, _LAST_DAYS),
        "consumer type": (401, 3, "Your application consumer type is not supported"),
        "restricted feature": (
            401,
            3,
            "Your application does not have access to this restricted feature.",
        ),
        "no catalog": (409, 4182, "Can't access this feature without an existing catalog"),
        "no endpoint": (404, 11, "API method not found"),
        "grant invalid": (401, 283, "The authorization grant is invalid"),
        "cannot perform": (403, 2625, "Sorry, you cannot perform this action"),
        "rate limited": (429, 8, "You have exceeded your rate limit. Try again later."),
    }
)
"""Status, number and sentence of each."""
PASSING: Final[tuple[tuple[RefusalName, str], ...]] = (
    ("code 12", "*"),
    ("something went wrong", "*"),
    ("last 90 days", "*analytics*"),
)
"""Refusals that come at random, and the paths that they come for; the next call goes through."""


def no_endpoint() -> Refusal:
    """The path is that of a closed beta."""
    return seen("no endpoint")


def seen(name: RefusalName) -> Refusal:
    """A refusal that was seen of the live API."""
    return Refusal(*SEEN[name])
