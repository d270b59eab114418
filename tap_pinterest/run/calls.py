"""Tells of each call of a run once, with one of its streams."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_pinterest.run.stream import RunStream

_OWNERS: tuple[Callable[[RunStream], Collection[str]], ...] = (
    lambda stream: (stream.name,),
    lambda stream: (stream.path,),
    lambda stream: tuple(stream.lists),
)
"""The names that calls of a stream may have counted for; the nearest to it come first."""


def told_of(streams: Sequence[RunStream], names: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """By stream, the streams and paths that its calls have counted for; each is of one stream.

    A list that several streams need is of the first one that writes it, or else of the first one
    that needs its ids. Calls for none of them, such as those that find the ad accounts, are of the
    first stream of all.

    Args:
        streams: The streams of the run, in the order in which they are read.
        names: The streams and paths that calls have counted for.
    """
    left = list(names)
    found: dict[str, list[str]] = {each.name: [] for each in streams}
    for names_of in _OWNERS:
        for each in streams:
            own = [name for name in left if name in names_of(each)]
            found[each.name] += own
            left = [name for name in left if name not in own]
    for each in streams[:1]:
        found[each.name] += left
    return found
