"""Assigns each call of a run to one of its streams."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from tap_pinterest.run.stream import RunStream

_OWNERS: tuple[Callable[[RunStream], Collection[str]], ...] = (
    lambda stream: (stream.name,),
    lambda stream: (stream.path,),
    lambda stream: tuple(stream.lists),
)
"""The names that calls of a stream may have counted for, its own name first."""


def calls_by_stream(
    streams: Sequence[RunStream], names: Iterable[str]
) -> Mapping[str, Sequence[str]]:
    """By stream, the names that its calls have counted for; no name has two streams.

    A list that several streams need belongs to the first stream that writes it, or else to the
    first one that needs its ids. Calls for no stream, such as those that find the ad accounts,
    belong to the first stream of the run.

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
