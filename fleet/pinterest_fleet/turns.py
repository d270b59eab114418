"""One run of a connection at a time, and what a killed one leaves behind."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "running.json"
MELTANO_WAITS = timedelta(minutes=5)
"""How long Meltano takes a killed run for one that goes on."""


class BusyError(Exception):
    """Another run of the connection has not ended."""


@dataclass(frozen=True)
class Note:
    """Who runs a connection.

    Attributes:
        since: When its run began, UTC.
        host: The machine.
        process: The id of the process there.
        ended: Whether it was stopped in order, or has ended after one that was killed.
    """

    since: str
    host: str
    process: int
    ended: bool = False

    def __str__(self) -> str:
        """The run in words."""
        return f"the run that began at {self.since} on {self.host} (process {self.process})"


@dataclass(frozen=True)
class Turn:
    """The right to run a connection.

    Attributes:
        handle: The locked file. The lock holds until every process that has it open is gone.
        before: The note of a run before, if one was killed.
    """

    handle: int
    before: Note | None

    @property
    def killed(self) -> Note | None:
        """The run before, if it was killed."""
        return self.before if self.before and not self.before.ended else None

    @property
    def is_forced(self) -> bool:
        """Whether Meltano may still take a killed run for one that goes on."""
        if not self.before or not self.before.ended:
            return bool(self.before)
        return datetime.now(tz=UTC) - datetime.fromisoformat(self.before.since) < MELTANO_WAITS

    def begin(self, since: str) -> None:
        """Note that a run begins.

        Args:
            since: When, UTC.

        Raises:
            OSError: The file cannot be written.
        """
        self._write(Note(since, socket.gethostname(), os.getpid()))

    def end(self, since: str) -> None:
        """Note that the run has come to its end.

        Args:
            since: When it began, UTC.
        """
        os.ftruncate(self.handle, 0)
        if self.before and self.is_forced:
            # The kill was before the first run after it had begun.
            first = self.before.since if self.before.ended else since
            self._write(replace(self.before, since=first, ended=True))

    def cancel(self) -> None:
        """Forget that a run began, because nothing of it was started."""
        os.ftruncate(self.handle, 0)
        if self.before:
            self._write(self.before)

    def stop(self, since: str) -> None:
        """Note that a signal stopped the run, which Meltano may still take for one that goes on.

        Args:
            since: When, UTC.
        """
        self._write(Note(since, socket.gethostname(), os.getpid(), ended=True))

    def _write(self, note: Note) -> None:
        os.ftruncate(self.handle, 0)
        os.pwrite(self.handle, json.dumps(asdict(note)).encode(), 0)


@contextmanager
def turn(folder: Path) -> Iterator[Turn]:
    """Keep other runs of a connection out while the block lasts.

    The system takes the lock away when the last process that has it ends, however it ends. The note
    in the file goes at an orderly end only: a note without a lock is of a run that was killed.

    Args:
        folder: The folder of the connection.

    Raises:
        BusyError: Another run has not ended.
        OSError: The folder cannot be written.
    """
    handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield Turn(handle, _note(handle) if _is_locked(handle) else None)
    finally:
        os.close(handle)


def running(folder: Path) -> Note | None:
    """The run that has begun and not come to its end: it goes on, or was killed."""
    with suppress(FileNotFoundError):
        handle = os.open(folder / FILE, os.O_RDONLY)
        try:
            note = _note(handle)
            return note if note and not note.ended else None
        finally:
            os.close(handle)
    return None


def _is_locked(handle: int) -> bool:
    """Lock a file.

    Returns:
        Whether its file system has locks. Without them only Meltano looks for other runs, in its
        database.

    Raises:
        BusyError: Another process has the lock.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        msg = f"{_note(handle) or 'another run'} has not ended"
        raise BusyError(msg) from None
    except OSError:
        return False
    return True


def _note(handle: int) -> Note | None:
    text = os.pread(handle, os.fstat(handle).st_size, 0)
    # A kill can come between the two steps of writing it.
    with suppress(ValueError, TypeError):
        return Note(**json.loads(text))
    return None
