"""How many random cases a test draws: the same few on each run, or many with `make worlds`."""

from __future__ import annotations

import os

FACTOR = int(os.environ.get("RANDOM_CASES", "1"))


def drawn(usual: int) -> int:
    """The number of cases; `RANDOM_CASES` says how many times as many as usual.

    The usual number is the least that finds each of the faults with which it was tried.
    """
    return usual * FACTOR
