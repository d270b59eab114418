"""One call of a dataset."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import msgspec

Row: TypeAlias = Mapping[str, Any]
"""Values by the name of a parameter, or of a column if the operation has no such parameter."""


@dataclass(frozen=True)
class Call:
    """One call, before any bookmark.

    Attributes:
        columns: Values that the tap adds to the records of the answer, by column.
        pages: Whether to follow the answer's bookmark.
        part: The values that distinguish it from the other calls of its context.
    """

    path: str
    ids: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    pages: bool = True
    part: Row = field(default_factory=dict)

    @functools.cached_property
    def key(self) -> bytes:
        """A key that two calls share if they have the same answer."""
        return msgspec.json.encode((self.path, self.ids, self.query), order="deterministic")

    @property
    def batch(self) -> tuple[str, ...]:
        """The ids or words that the call asks for at once; empty if it does not ask for many."""
        return next((value for value in self.part.values() if isinstance(value, tuple)), ())

    def only(self, ids: tuple[str, ...]) -> Call:
        """The call for other ids than its `batch`."""
        batch = {name: ids for name, value in self.part.items() if value is self.batch}
        return replace(self, query={**self.query, **batch}, part={**self.part, **batch})

    @property
    def values(self) -> Iterator[str]:
        """The ids and other texts that the call names."""
        for value in (*self.ids.values(), *self.query.values()):
            if isinstance(value, str):
                yield value
            elif isinstance(value, Sequence):
                yield from value
