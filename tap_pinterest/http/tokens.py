"""Tokens in the answer of an endpoint, and in the token file."""

from __future__ import annotations

import hashlib

import msgspec


class TokenAnswer(msgspec.Struct):
    """The answer of a token endpoint, or of a proxy. Source: POST /oauth/token."""

    access_token: str
    expires_in: float = 3600
    """Seconds; a refresh proxy may leave it out."""
    scope: str | None = None
    refresh_token: str | None = None
    refresh_token_expires_at: int | None = None
    refresh_token_expires_in: int | None = None


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
