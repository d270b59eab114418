"""Time, as the parts that wait and the parts that count days see it."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

_LONGEST_NAP = 0.25


class Interrupted(BaseException):
    """The run stops, or is over. Not an `Exception`: no account's error, and never retried."""


class Clock:
    """The run's time: Pinterest's days, this machine's seconds, and whether to stop.

    A report's days are Pinterest's, so today is read from the `Date` header of its first answer:
    a machine whose clock is wrong asks for the same days as any other.

    Attributes:
        interrupted_by: The signal that asked the run to stop, if one has.
        idle: Threads that wait for time to pass or for each other, and not for Pinterest.
    """

    def __init__(self) -> None:
        self._today: date | None = None
        self._lock = threading.Lock()
        self._is_over = False
        self.interrupted_by: int | None = None
        self.idle = 0

    @property
    def today(self) -> date:
        """Today in UTC, the same for the whole run."""
        if self._today is None:
            self._today = datetime.now(tz=UTC).date()
        return self._today

    def hear(self, date_header: str | None) -> None:
        """Take today from the first `Date` header that Pinterest sends."""
        if self._today is not None or not date_header:
            return
        try:
            self._today = parsedate_to_datetime(date_header).astimezone(UTC).date()
        except (OverflowError, ValueError):
            return

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never jump back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, unless a signal asks the run to stop meanwhile.

        Raises:
            Interrupted: A signal came.
        """
        until = self.monotonic() + seconds
        with self.idling():
            while (left := until - self.monotonic()) > 0:
                self.check()
                time.sleep(min(left, _LONGEST_NAP))

    @contextmanager
    def idling(self) -> Iterator[None]:
        """Count a thread as one that waits for nothing from Pinterest, while the block lasts."""
        with self._lock:
            self.idle += 1
        try:
            yield
        finally:
            with self._lock:
                self.idle -= 1

    def check(self) -> None:
        """Go on, unless a signal has asked the run to stop, or it is over.

        Raises:
            Interrupted: So it is.
        """
        if self._is_over or self.interrupted_by is not None:
            raise Interrupted

    def end(self) -> None:
        """Let threads that the run has left behind wait for nothing, and ask for nothing, more."""
        self._is_over = True
