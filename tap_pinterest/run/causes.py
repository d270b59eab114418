"""One line for each cause, however many streams and ad accounts it affects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tap_pinterest.api.naming import listed, of_context

MOST_STREAMS = 20
"""Streams that a line names."""

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
        f"{listed(named, MOST_STREAMS)}{of_context(*names)}" for names, named in streams.items()
    )
