"""How messages name ad accounts and users, and many names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST_CONTEXTS = 5
"""Ad accounts or users that a phrase names."""

_WORDS: Mapping[str, str] = {"ad_account_id": "ad account", "user_id": "user"}
_OF_USER = f"{_WORDS['user_id']} "


def name_of(context: Mapping[str, Any] | None) -> str:
    """The name of a context in a summary: its ad account or its user; empty for neither."""
    if not context:
        return ""
    return str(context.get("ad_account_id") or f"{_OF_USER}{context['user_id']}")


def context_of(name: str) -> Mapping[str, Any] | None:
    """The context with this name; the inverse of `name_of`."""
    if not name:
        return None
    user_id = name.removeprefix(_OF_USER)
    return {"ad_account_id": name} if user_id == name else {"user_id": user_id}


def in_words(*names: str) -> str:
    """Contexts in words, such as `ad accounts 1, 2` or `user 12`; empty without a name."""
    ids: Mapping[str, list[str]] = {kind: [] for kind in _WORDS}
    for name in names:
        for kind, each in (context_of(name) or {}).items():
            ids[kind].append(each)
    return " and ".join(
        f"{_WORDS[kind]}{'s' * (len(found) > 1)} {listed(found, MOST_CONTEXTS)}"
        for kind, found in ids.items()
        if found
    )


def of_context(*names: str) -> str:
    """The end of a phrase that names contexts, such as ` of user 12`; empty without a name."""
    words = in_words(*names)
    return f" of {words}" if words else ""


def listed(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
