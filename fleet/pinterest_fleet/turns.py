"""Lets a connection have one run at a time, and notices a run that was killed."""

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
"""The time in which Meltano still counts a killed run as running."""


class BusyError(Exception):
    """Another run of the connection has not ended."""


@dataclass(frozen=True)
class Note:
    """A note about the process that runs a connection.

    Attributes:
        since: The start of the run, UTC.
        host: The machine.
        process: The id of the process on that machine.
        ended: Whether the run was stopped in order, or has ended after a run that was killed.
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
        handle: The locked file. The lock holds until all processes that have it open have ended.
        before: The note of the run before, if it was killed or stopped.
    """

    handle: int
    before: Note | None

    @property
    def killed(self) -> Note | None:
        """The run before, if it was killed."""
        return self.before if self.before and not self.before.ended else None

    @property
    def is_forced(self) -> bool:
        """Whether Meltano may still count a killed run as running."""
        if not self.before or not self.before.ended:
            return bool(self.before)
        return datetime.now(tz=UTC) - datetime.fromisoformat(self.before.since) < MELTANO_WAITS

    def begin(self, since: str) -> None:
        """Note that a run begins.

        Args:
            since: The start, UTC.

        Raises:
            OSError: The file cannot be written.
        """
        self._write(Note(since, socket.gethostname(), os.getpid()))

    def end(self, since: str) -> None:
        """Note that the run has ended.

        Args:
            since: The start of the run, UTC.
        """
        os.ftruncate(self.handle, 0)
        if self.before and self.is_forced:
            # The kill happened before the start of the first run after it.
            first = self.before.since if self.before.ended else since
            self._write(replace(self.before, since=first, ended=True))

    def cancel(self) -> None:
        """Remove the note of a run that could not be started."""
        os.ftruncate(self.handle, 0)
        if self.before:
            self._write(self.before)

    def stop(self, since: str) -> None:
        """Note that a signal stopped the run; Meltano may still count it as running.

        Args:
            since: The time of the signal, UTC.
        """
        self._write(Note(since, socket.gethostname(), os.getpid(), ended=True))

    def _write(self, note: Note) -> None:
        os.ftruncate(self.handle, 0)
        os.pwrite(self.handle, json.dumps(asdict(note)).encode(), 0)


@contextmanager
def turn(folder: Path) -> Iterator[Turn]:
    """Let no other run of a connection start during the block.

    The system removes the lock when the last process that has it ends, in any way. Only a run that
    ends in order removes its note from the file: a note without a lock belongs to a killed run.

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
    """The run that has not ended, or was killed."""
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
        Whether the file system has locks. Without locks, only Meltano looks for other runs, in its
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
    # A kill can come between the two steps of writing a note.
    with suppress(ValueError, TypeError):
        note = Note(**json.loads(text))
        datetime.fromisoformat(note.since)
        return note
    return None
