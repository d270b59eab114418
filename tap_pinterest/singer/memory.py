"""What C library and interpreter do with memory that is no longer needed."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress

_M_MMAP_THRESHOLD = -3
_ONE_MEBIBYTE = 1024 * 1024
_NEW_OBJECTS = 10_000
"""So many more than have gone, and the interpreter looks for garbage; by itself, 700 of them."""


def give_back_large_blocks() -> None:
    """Have glibc return a freed body to the system at once.

    By itself it begins to keep blocks of that size after the first one, for each thread: a run of
    100,000 report rows then takes 100 MB instead of 85.
    """
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - only here

    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _ONE_MEBIBYTE)


def look_for_garbage_less_often() -> None:
    """Have the interpreter leave alone what there is at the start, and wait longer each time.

    A record is no part of a cycle: it goes when it has been written.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
