"""Runs several connections at once, each in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pinterest_fleet.logs import tell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType


class SideBySide:
    """Processes that run at the same time, until a signal stops them.

    Each process passes signals on to its own run.

    Attributes:
        signal: The signal after which no process starts any more; 0 before a signal.
    """

    def __init__(self) -> None:
        self.signal = 0
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._starting = threading.RLock()

    def run(self, command: Sequence[str]) -> int | None:
        """Run a command to its end.

        Returns:
            The exit code, 128 and more after a signal; `None` if the command was not started.
        """
        with self._starting:
            if self.signal:
                return None
            try:
                process = subprocess.Popen(command)  # noqa: S603 - our own
            except OSError as error:
                # The machine has no memory or no process left; the others may still start.
                tell(f"{error.filename or command[0]}: {error.strerror}")
                return None
            self._processes.add(process)
        code = process.wait()
        self._processes.discard(process)
        return 128 - code if code < 0 else code

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """During the block, SIGTERM ends the processes in order, and no other process starts.

        After Ctrl-C the terminal itself sends SIGINT to all processes.
        """
        before = {each: signal.signal(each, self._stop) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        # With the lock, a process that starts at this moment is in the set.
        with self._starting:
            for each in [*self._processes] if number == signal.SIGTERM else ():
                each.send_signal(number)
