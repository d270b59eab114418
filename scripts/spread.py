"""The figures of several rounds as one text: the median, with the least and the most."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS = 3
"""Fewest rounds of a figure that the documents state."""


def spread(values: Sequence[float], digits: int = 1) -> str:
    """The median with the least and the most, or the only value."""
    middle = f"{median(values):,.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"
