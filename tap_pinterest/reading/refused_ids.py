"""Asks for the ids of a refused call in smaller pieces, so that a refused id costs no other one."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Ids: TypeAlias = tuple[str, ...]

SOME = 3
"""Single ids whose refusals show that the ids are not the reason."""


@dataclass
class Refused:
    """The ids that Pinterest has refused in calls that differ only in their ids.

    Attributes:
        ids: Ids that it has refused alone.
        is_all: Whether it refuses every id, as when the token has no right to such calls.
    """

    ids: set[str] = field(default_factory=set)
    is_all: bool = False


class Search:
    """The pieces of a refused call to ask for; after each one comes `settles`.

    Pinterest refuses the whole call for one id, or one other value of which a call has many, and
    does not say for which. If it refuses `SOME` single ids too, the ids are not the reason, and the
    search ends. Otherwise the pieces get smaller until each id is answered, or is refused alone.

    Attributes:
        is_in_vain: Whether every piece was refused.
    """

    def __init__(self, ids: Sequence[str], refused: Refused) -> None:
        """A search that has asked for nothing yet; `refused` has the findings of earlier ones."""
        self._ids = tuple(ids)
        self._refused = refused
        self._is_last_refused = False
        self.is_in_vain = True

    def settles(self, ids: Ids, *, is_refused: bool) -> bool:
        """Note whether the last piece was refused, and return whether its outcome is final."""
        is_alone = len(ids) == 1
        self._is_last_refused = is_refused
        if is_refused and is_alone:
            self._refused.ids.update(ids)
        return is_alone or not is_refused

    def __iter__(self) -> Iterator[Ids]:
        """The pieces; each depends on whether the one before it was refused."""
        if self._refused.is_all:
            return
        known = tuple(each for each in self._ids if each in self._refused.ids)
        others = tuple(each for each in self._ids if each not in known)
        if others and (not known or (yield from self._asked(others))):
            yield from self._some_alone(others)
            self._refused.is_all = self.is_in_vain and len(others) > SOME
        if not self._refused.is_all:
            for each in known:
                yield from self._asked((each,))

    def _some_alone(self, ids: Ids) -> Iterator[Ids]:
        """Pieces of refused ids: some single ids and, if one of them is answered, all others."""
        some = [*dict.fromkeys((ids[0], ids[-1], ids[len(ids) // 2]))]
        for tried, each in enumerate(some, 1):
            if not (yield from self._asked((each,))):
                others = tuple(other for other in ids if other not in some[:tried])
                yield from self._halved(others, is_refused=tried == 1)
                return

    def _halved(self, ids: Ids, *, is_refused: bool) -> Generator[Ids, None, bool]:
        """Pieces of ids; whether one of them is refused, which may be known before."""
        if not ids:
            return False
        if not is_refused or len(ids) == 1:
            is_refused = yield from self._asked(ids)
        if is_refused and (middle := len(ids) // 2):
            in_first = yield from self._halved(ids[:middle], is_refused=False)
            # If only the second half can be at fault, it is not asked for as a whole.
            yield from self._halved(ids[middle:], is_refused=not in_first)
        return is_refused

    def _asked(self, ids: Ids) -> Generator[Ids, None, bool]:
        """One piece; whether it was refused."""
        self._is_last_refused = False
        yield ids
        self.is_in_vain = self.is_in_vain and self._is_last_refused
        return self._is_last_refused
