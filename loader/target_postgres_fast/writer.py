"""Writes records while the target reads the next records."""

from __future__ import annotations

from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Task = Callable[[], object]

WAITING = 2
"""Most waiting tasks: a batch, and the state after the batch before it."""


class Writer:
    """Does its tasks one after the other in a thread: batches, and the states after them.

    After a failed task it does no other task, so no state is ahead of its records. The thread
    starts with the first task.
    """

    def __init__(self) -> None:
        self._tasks: Queue[Task | None] = Queue(WAITING)
        self._thread: Thread | None = None
        self._error: BaseException | None = None

    def do(self, task: Task) -> None:
        """Add a task after the others; wait while too many tasks wait.

        Raises:
            BaseException: A task has failed.
        """
        self.check()
        if self._thread is None:
            # As a daemon, the thread does not delay the exit after a second signal.
            self._thread = Thread(target=self._work, name="writer", daemon=True)
            self._thread.start()
        self._tasks.put(task)

    def check(self) -> None:
        """Raise the error of a task that has failed."""
        if self._error:
            raise self._error

    def wait(self) -> None:
        """Wait until all tasks are done.

        Raises:
            BaseException: A task has failed.
        """
        self.close()
        self.check()

    def close(self) -> None:
        """Wait for the tasks and end the thread."""
        if self._thread:
            self._tasks.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while task := self._tasks.get():
            if self._error:
                continue
            try:
                task()
            except BaseException as error:  # noqa: BLE001 - the caller of the next task gets the error
                self._error = error
