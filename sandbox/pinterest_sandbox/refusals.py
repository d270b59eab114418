"""What Pinterest says when it does not answer."""

from __future__ import annotations

from typing import NoReturn


class Refusal(Exception):  # noqa: N818  a refusal is an answer, not a fault of ours
    """An answer that is not 200: a status, Pinterest's own number for it, and its sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        """Makes it; raising it answers the request."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @property
    def body(self) -> dict[str, object]:
        """The body that goes with the status."""
        return {"code": self.code, "message": self.message}


def refuse(message: str) -> NoReturn:
    """The request breaks a rule of the description.

    Raises:
        Refusal: 400, with this message.
    """
    raise Refusal(400, 1, message)


def unauthenticated() -> Refusal:
    """The bearer token is missing, unknown or expired."""
    return Refusal(401, 2, "Authentication failed.")


def refresh_refused() -> Refusal:
    """The refresh token is unknown, used up or expired."""
    return Refusal(401, 2, "Authentication failed. The refresh token is invalid or expired.")


def scope_missing(scopes: list[str]) -> Refusal:
    """The token was not granted what the operation needs."""
    return Refusal(401, 3, f"Your token is missing required scopes: {', '.join(scopes)}.")


def not_permitted() -> Refusal:
    """The token is fine, but not for this."""
    return Refusal(403, 29, "You are not permitted to access that resource.")


def restricted(feature: str) -> Refusal:
    """A beta or restricted feature that this app was not given."""
    return Refusal(403, 29, f"Your application does not have access to the feature {feature!r}.")


def ad_account_not_found() -> Refusal:
    """No ad account has that id."""
    return Refusal(404, 2, "AdAccount not found.")


def not_found(code: int, what: str) -> Refusal:
    """Nothing that the token may know has that id; the API has a number for each kind."""
    return Refusal(404, code, f"Sorry! We could not find your {what}.")


def no_catalog() -> Refusal:
    """The user has no catalog, and this is about one."""
    return Refusal(409, 4182, "Can't access this feature without an existing catalog.")


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
