"""The `__sync_key` of a record."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SYNC_KEY = "__sync_key"


def sync_key(record: Mapping[str, object], fields: Sequence[str], separator: str = "") -> str:
    """MD5, in lower-case hex, of the fields' texts in order.

    The same text that PostgreSQL's `::text` gives: a null is the empty text, a boolean is `true`
    or `false`, an integer is decimal, and a text (ids, dates) is itself. So over the loaded table
    `md5(coalesce(a::text, '') || coalesce(b::text, ''))` equals it.

    Raises:
        TypeError: A field holds a value of another type, which has no such text.
    """
    text = separator.join([_text(record.get(field), field) for field in fields])
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _text(value: object, field: str) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            msg = f"{field} cannot be part of {SYNC_KEY}: {type(value).__name__} has no fixed text"
            raise TypeError(msg)
