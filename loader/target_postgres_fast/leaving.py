"""The end of a load that cannot go on."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn

DRAIN = """
import os, select, time
end = time.monotonic() + 5
while (left := end - time.monotonic()) > 0 and select.select([0], [], [], left)[0]:
    if not os.read(0, 1 << 20):
        break
"""
"""Reads the rest of the input, for a few seconds."""


def leave() -> NoReturn:
    """End with code 1, while another process reads the rest of the input.

    If Meltano cannot write to the target, it prints a long traceback. It stops the tap when the
    target has ended. In a shell's pipe the tap ends after five seconds.
    """
    # Windows does not have this call.
    with suppress(OSError, AttributeError):
        nothing = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
        arguments = [sys.executable, "-S", "-E", "-c", DRAIN]
        os.posix_spawn(sys.executable, arguments, os.environ, file_actions=nothing)
    sys.exit(1)
