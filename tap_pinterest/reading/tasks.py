"""Requests to make, and the turns in which their results are wanted."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypeVar, cast

LEAST_BYTES = 64 * 1024
"""Expected bytes of an answer about which nothing is known."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Later(Generic[_T]):
    """Work that goes on after a pause; during the pause it does not use up a request slot."""

    seconds: float
    run: Callable[[], _T | Later[_T]]


@dataclass(frozen=True)
class Task(Generic[_T]):
    """A request to make, and about how many bytes its answer will hold.

    Attributes:
        expected_bytes: Bytes that we expect in its result.
        held: Measures the bytes that the result holds.
    """

    run: Callable[[], _T | Later[_T]]
    expected_bytes: int = LEAST_BYTES
    held: Callable[[_T], int] | None = None


@dataclass(frozen=True)
class Turn:
    """The purpose of tasks: a context of a stream, with the rate category of its calls."""

    stream: str
    context: tuple[Any, ...] = ()
    category: str = ""


@dataclass(frozen=True)
class Ahead(Generic[_T]):
    """Tasks whose turn comes later."""

    turn: Turn
    tasks: Callable[[], Iterable[Task[_T]]]


Following: TypeAlias = "Mapping[str, Iterator[Ahead[Any] | None]]"
"""Later work by rate category, in the order of the run; `None` if it is not known yet."""
NOTHING: Following = MappingProxyType({})


def with_pauses(steps: Generator[float, None, _T]) -> Callable[[], _T | Later[_T]]:
    """Make a task of a generator that yields its pauses in seconds and returns the result."""

    def go_on() -> _T | Later[_T]:
        try:
            return Later(next(steps), go_on)
        except StopIteration as end:
            return cast("_T", end.value)

    return go_on
