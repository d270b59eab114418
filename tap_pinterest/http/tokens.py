"""Tokens in the answer of an endpoint, and in the token file."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress

import msgspec

from tap_pinterest.http.answers import decode_object
from tap_pinterest.http.errors import UnreadableAnswerError

USUAL_SECONDS = 3600.0
"""Life of an access token if the answer names none; a refresh proxy may leave it out."""


class TokenAnswer(msgspec.Struct):
    """The answer of a token endpoint, or of a proxy. Source: POST /oauth/token."""

    access_token: str
    expires_in: float = USUAL_SECONDS
    scope: str | None = None
    refresh_token: str | None = None
    refresh_token_expires_at: int | None = None
    refresh_token_expires_in: int | None = None


_TOKEN = re.compile(r"[!-~]+")


def decode_granted(body: bytes) -> TokenAnswer:
    """The tokens of a body.

    A time or a scope in another form does not matter: the refresh token beside it may be new, and
    the only one that is left.

    Raises:
        UnreadableAnswerError: There is no access token, or no request can carry a token.
    """
    found = decode_object(body)
    refresh_token = found.get("refresh_token")
    return TokenAnswer(
        access_token=_token(found.get("access_token")),
        expires_in=_seconds(found.get("expires_in")) or USUAL_SECONDS,
        scope=_scopes(found.get("scope")),
        refresh_token=_token(refresh_token) if refresh_token else None,
        refresh_token_expires_at=_seconds(found.get("refresh_token_expires_at")),
        refresh_token_expires_in=_seconds(found.get("refresh_token_expires_in")),
    )


def _token(value: object) -> str:
    if isinstance(value, str) and _TOKEN.fullmatch(value):
        return value
    msg = "the answer has no token that a request can carry"
    raise UnreadableAnswerError(msg)


def _seconds(value: object) -> int | None:
    """A number above 0, also one that comes as a text; `None` for anything else."""
    if isinstance(value, (int, float, str)):
        with suppress(ValueError, OverflowError):
            number = int(float(value))
            return number if number > 0 else None
    return None


def _scopes(value: object) -> str | None:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return value if isinstance(value, str) else None


class StoredTokens(msgspec.Struct):
    """The content of a token file; times are Unix seconds."""

    configured: str
    """Hash of the configured refresh token that these tokens descend from."""
    refresh_token: str
    access_token: str = ""
    expires_at: float = 0
    scope: str = ""
    refresh_token_expires_at: int | None = None

    @classmethod
    def of(cls, answer: TokenAnswer, before: StoredTokens, now: float) -> StoredTokens:
        """The tokens of an answer, which replace the tokens in `before`."""
        ends = answer.refresh_token_expires_at
        if ends is None and answer.refresh_token_expires_in is not None:
            ends = int(now + answer.refresh_token_expires_in)
        if ends is None and answer.refresh_token in {None, before.refresh_token}:
            ends = before.refresh_token_expires_at
        return cls(
            configured=before.configured,
            refresh_token=answer.refresh_token or before.refresh_token,
            access_token=answer.access_token,
            expires_at=now + answer.expires_in,
            scope=answer.scope or "",
            refresh_token_expires_at=ends,
        )

    @classmethod
    def configured_as(cls, refresh_token: str | None) -> StoredTokens:
        """The config's refresh token; an empty one if only the file has a token."""
        text = refresh_token or ""
        return cls(digest(text), text)


def digest(text: str) -> str:
    """A hash that identifies a token without revealing it."""
    return hashlib.sha256(text.encode()).hexdigest()
