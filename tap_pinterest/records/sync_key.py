"""`__sync_key`: one text that identifies a record.

The tap and `map-pinterest` both use this module, so both make the same key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

SYNC_KEY = "__sync_key"
SYNC_KEY_SCHEMA = {"type": ["string", "null"]}
KEY_TYPES = frozenset({"string", "integer", "boolean"})


def sync_key(record: Mapping[str, object], fields: Sequence[str], separator: str = "") -> str:
    """MD5, in lower-case hex, of the fields' texts in order.

    The texts are as with `::text` in PostgreSQL: a null is the empty text, a boolean is `true` or
    `false`, an integer is decimal, and a text (ids, dates) stays as it is. So in the loaded table
    `md5(coalesce(a::text, '') || coalesce(b::text, ''))` gives the same key.

    Raises:
        TypeError: A field has a value of another type, which has no fixed text.
    """
    text = separator.join(
        [
            value if isinstance(value := record.get(field), str) else _text(value, field)
            for field in fields
        ]
    )
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def key_maker(fields: Sequence[str], separator: str) -> Callable[[Mapping[str, object]], str]:
    """`sync_key` for many records with the same fields, faster if the values are texts."""
    if len(fields) == 1:
        return lambda record: sync_key(record, fields, separator)
    values = itemgetter(*fields)

    def make(record: Mapping[str, object]) -> str:
        try:
            text = separator.join(values(record))
        except (KeyError, TypeError):
            return sync_key(record, fields, separator)
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    return make


def _text(value: object, field: str) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            msg = f"{field} cannot be part of {SYNC_KEY}: {type(value).__name__} has no fixed text"
            raise TypeError(msg)


def key_faults(fields: Sequence[str], schema: Mapping[str, Any]) -> list[str]:
    """Faults of fields that cannot be part of the key: they are missing or have no fixed text."""
    properties = schema["properties"]
    missing = [f"there is no field {name}" for name in fields if name not in properties]
    return missing + [
        f"{name} has no fixed text"
        for name in fields
        if name in properties and not _is_key(properties[name])
    ]


def _is_key(schema: object) -> bool:
    if not isinstance(schema, dict):
        return True
    kinds = schema.get("type", ())
    # Each database shows a date-time in another form.
    others = {*([kinds] if isinstance(kinds, str) else kinds)} - KEY_TYPES - {"null"}
    return not others and schema.get("format") != "date-time"
