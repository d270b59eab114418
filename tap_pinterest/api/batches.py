"""Lists cut into the batches that one call takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator


def batches(
    values: Iterable[str],
    most: int | None,
    *,
    length: Callable[[str], int] = lambda _: 0,
    longest: int = 0,
) -> Iterator[tuple[str, ...]]:
    """The values in order, in as few batches as possible.

    Args:
        values: Ids, words or other texts.
        most: Most values in a batch; `None` for no limit.
        length: Measures a value in the call.
        longest: Longest batch. A longer value gets a batch for itself.
    """
    batch: list[str] = []
    left = longest
    for value in values:
        if batch and (len(batch) == most or length(value) > left):
            yield tuple(batch)
            batch, left = [], longest
        batch.append(value)
        left -= length(value)
    if batch:
        yield tuple(batch)
