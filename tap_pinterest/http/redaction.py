"""Texts of a service as part of one line, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_ERROR_CHARACTERS = 500


def redacted(text: str, secrets: Collection[str] = ()) -> str:
    """A text that the service sent, as part of one line, without the secrets that it repeats."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return "".join(each if each.isprintable() else " " for each in text)[:MAX_ERROR_CHARACTERS]
