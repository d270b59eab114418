"""One line for each cause, however many streams and ad accounts it affects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

MOST_STREAMS = 20
"""Streams that a line names."""
MOST_CONTEXTS = 5
"""Ad accounts or users that a line names."""

_OF_ONE_CALL = re.compile(
    r"[\d,]+ of its (?:parts failed|calls were refused)(?: \(.*?\))?: "
    r"|\b(?:GET|POST) /\S*: | \[request [^\]]*\]|.*(?=the token lacks )"
)
"""The parts of a text that differ between calls with the same cause."""


class Remark(NamedTuple):
    """The reason why a stream is not complete for one of its ad accounts or users.

    Attributes:
        context: The name of the context, as `name_of` gives it.
    """

    stream: str
    context: str
    reason: str


def phrases(remarks: Iterable[Remark]) -> Iterator[str]:
    """A phrase for each cause: its streams with their ad accounts, and the text of the first."""
    by_cause: dict[str, list[Remark]] = {}
    for each in remarks:
        by_cause.setdefault(_OF_ONE_CALL.sub("", each.reason), []).append(each)
    for alike in by_cause.values():
        yield f"{_whose(alike)}: {alike[0].reason}"


def _whose(remarks: Sequence[Remark]) -> str:
    """The streams with their ad accounts; streams with the same ad accounts together."""
    contexts: dict[str, list[str]] = {}
    for each in remarks:
        contexts.setdefault(each.stream, []).append(each.context)
    streams: dict[tuple[str, ...], list[str]] = {}
    for stream, names in contexts.items():
        streams.setdefault(tuple(names), []).append(stream)
    return "; ".join(
        f"{listed(named, MOST_STREAMS)}{_of(names)}" for names, named in streams.items()
    )


def _of(names: Sequence[str]) -> str:
    accounts = [name for name in names if name and not name.startswith("user ")]
    users = [name for name in names if name.startswith("user ")]
    found = []
    if accounts:
        found.append(f"ad account{'s' * (len(accounts) > 1)} {listed(accounts, MOST_CONTEXTS)}")
    if users:
        found.append(listed(users, MOST_CONTEXTS))
    return f" of {' and '.join(found)}" if found else ""


def listed(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
