"""The items that a run's lists have shown, and the lists that it has read whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tap_pinterest.reading.call import Call
from tap_pinterest.reading.page_store import PageStore
from tap_pinterest.reading.parts import Parts

ALL = "(all)"
"""Instead of a parent: the row is about all lists of a stream for an ad account or user."""
NO_PARENT = "(none)"
"""Instead of a parent: the list has no parent."""

_decode = msgspec.json.Decoder(dict[str, list[str]]).decode


@dataclass
class Reading:
    """The items that a run reads from a stream's lists for one ad account or user.

    Attributes:
        path: The path of the lists.
        shared: The values that all its rows have.
        owner: The id of the ad account or the user, by its column.
        is_of_all: Whether it has all lists, because no filter leaves out parents.
        items: The keys of the items, by the parent of their list.
    """

    path: str
    shared: Mapping[str, str]
    owner: Mapping[str, str]
    is_of_all: bool
    items: dict[str, dict[str, None]] = field(default_factory=dict)

    def noting(
        self,
        call: Call,
        records: Iterator[dict[str, Any]],
        key_of: Callable[[Mapping[str, Any]], tuple[Any, ...]],
    ) -> Iterator[dict[str, Any]]:
        """The records of a call, whose keys are kept."""
        known = self.items.setdefault(_parent_of(call), {})
        for record in records:
            # A record without its key fails its list later: nobody could find its item again.
            if None not in (key := key_of(record)):
                known["/".join(map(str, key))] = None
            yield record

    def complete(self, parts: Parts) -> Iterator[dict[str, Any]]:
        """A row for each list that was read whole; a single row if all lists were."""
        missed = [*parts.failed_calls, *parts.refused_calls]
        if self.is_of_all and not missed:
            yield self._row(ALL, sum(map(len, self.items.values())))
            return
        partly = {_parent_of(call) for call in missed if call.path == self.path}
        for parent, items in self.items.items():
            if parent not in partly:
                yield self._row(parent, len(items))

    def _row(self, parent: str, count: int) -> dict[str, Any]:
        return {**self.shared, **self.owner, "parent_id": parent, "items": count}


class Listed:
    """The readings of a run: compressed, and if there are many, in a temporary file."""

    def __init__(self) -> None:
        self._kept = PageStore()
        self._shared: list[Mapping[str, str]] = []
        self._complete: list[dict[str, Any]] = []

    def keep(self, reading: Reading, parts: Parts) -> None:
        """Keep a reading that has ended; `parts` say which lists were not read whole."""
        self._complete += reading.complete(parts)
        items = {parent: list(keys) for parent, keys in reading.items.items()}
        self._kept.add(_place(len(self._shared)), msgspec.json.encode(items))
        self._shared.append(reading.shared)

    @property
    def complete(self) -> Sequence[dict[str, Any]]:
        """A row for each list that was read whole."""
        return self._complete

    def items(self) -> Iterator[dict[str, Any]]:
        """A row for each item; the items are dropped."""
        for number, shared in enumerate(self._shared):
            for body in self._kept.read(_place(number), forget=True):
                for parent, keys in _decode(body).items():
                    for key in keys:
                        yield {**shared, "parent_id": parent, "id": key}

    def close(self) -> None:
        """Drop the kept items."""
        self._kept.close()


def _parent_of(call: Call) -> str:
    """The items or values that a list belongs to; a batch of ids is no parent."""
    named = [str(value) for value in call.part.values() if isinstance(value, (str, bool))]
    return "/".join(named) or NO_PARENT


def _place(number: int) -> bytes:
    return str(number).encode()
