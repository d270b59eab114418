"""Ad accounts in the words of a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from singer_sdk.exceptions import FatalAPIError

if TYPE_CHECKING:
    from tap_pinterest.reading.pages import Item

MAX_CHARACTERS = 100
MOST_TOLD = 5
"""Ad accounts that a message names."""


class NamedAccountError(FatalAPIError):
    """The config names an ad account that the token cannot read."""


def in_one_line(text: object) -> str:
    """A text from elsewhere as part of one line of a terminal."""
    return "".join(each if each.isprintable() else " " for each in str(text))[:MAX_CHARACTERS]


def named(accounts: Sequence[Item]) -> str:
    """The first ad accounts with their names, and how many more there are."""
    if not accounts:
        return "no ad account"
    shown = ", ".join(map(_named, accounts[:MOST_TOLD]))
    more = len(accounts) - MOST_TOLD
    return f"{shown} and {more:,} more" if more > 0 else shown


def _named(account: Item) -> str:
    name = account.get("name")
    return f"{in_one_line(account.get('id'))}{f' ({in_one_line(name)})' if name else ''}"
