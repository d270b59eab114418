"""Chance without randomness: every draw is a function of the seed and of what it is drawn for."""

from __future__ import annotations

import functools
from random import Random
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Element = TypeVar("Element")

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB


def mix(word: int) -> int:
    """Splitmix64: 64 bits that look random, the same for the same word."""
    word = (word + _STEP) & _MASK
    word = ((word ^ (word >> 30)) * _FIRST) & _MASK
    word = ((word ^ (word >> 27)) * _SECOND) & _MASK
    return word ^ (word >> 31)


def key(*parts: int | str) -> int:
    """One word for several parts; their order matters."""
    word = 0
    for part in parts:
        number = part if isinstance(part, int) else int.from_bytes(part.encode(), "big")
        while True:
            word = mix(word ^ (number & _MASK))
            number >>= 64
            if number <= 0:
                break
    return word


def mix_all(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`mix` of every element."""
    words = words + np.uint64(_STEP)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(_FIRST)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(_SECOND)
    return words ^ (words >> np.uint64(31))


def shares(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Every word as a number from 0 to below 1."""
    part: NDArray[np.float64] = np.multiply(words >> np.uint64(11), 2.0**-53)
    return part


def drawn(words: NDArray[np.uint64], salt: str) -> NDArray[np.float64]:
    """One draw for every word, the same every time for the same salt."""
    return shares(mix_all(words ^ _salt(salt)))


@functools.cache
def _salt(text: str) -> np.uint64:
    return np.uint64(key(text))


class Draws:
    """A series of draws for one purpose."""

    __slots__ = ("share",)

    def __init__(self, *parts: int | str) -> None:
        """Start a series; the parts name its purpose."""
        self.share = Random(key(*parts)).random  # noqa: S311  made-up data
        """A number from 0 to below 1."""

    def below(self, limit: int) -> int:
        """A whole number from 0 to below `limit`, which is at most 2**53."""
        return int(self.share() * limit)

    def chance(self, probability: float) -> bool:
        """True this often."""
        return self.share() < probability

    def one_of(self, choices: Sequence[Element]) -> Element:
        """One of the choices."""
        return choices[int(self.share() * len(choices))]
