"""Errors in one line, each with the fault and the remedy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN = 300
"""Most characters to show of another program's text."""
GOES_ON = "Committed rows stay; the next run goes on from there."
ENDS_AGAIN = (
    "Committed rows stay. The next run continues there, and ends in the same way until the table or"
    " the records are corrected."
)


class UnusableError(Exception):
    """The target cannot load; the text says why and what to do."""


class Advice(NamedTuple):
    """The message about an error.

    Attributes:
        pattern: Matches the error's own text.
        text: The fault and the remedy, with the parts of the address in braces.
    """

    pattern: str
    text: str


def advice(error: str, table: Iterable[Advice], otherwise: str) -> str:
    """The text of the first advice that matches an error."""
    found = (each.text for each in table if re.search(each.pattern, error, re.IGNORECASE))
    return next(found, otherwise)


def first_line(text: str) -> str:
    """The first line of another program's text, shortened."""
    line = next(iter(text.splitlines()), "").strip().rstrip(".!")
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."
