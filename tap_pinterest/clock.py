"""The run's time, for waiting and for counting days."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

_LONGEST_NAP = 0.25


class Interrupted(BaseException):
    """The run stops or is over. Not an `Exception`: it is never retried, and fails no account."""


class Clock:
    """The run's time: days by Pinterest's clock, and seconds by this machine's.

    Today comes from the `Date` header of Pinterest's first answer, so that a machine with a wrong
    clock asks for the right days. The clock also says when the run must stop.

    Attributes:
        interrupted_by: The signal that asked the run to stop, if there was one.
        idle: Number of threads that wait for a pause or for each other, not for Pinterest.
    """

    def __init__(self) -> None:
        self._today: date | None = None
        self._behind = 0.0
        """Seconds that this machine's clock is behind Pinterest's."""
        self._lock = threading.Lock()
        self._is_over = False
        self.interrupted_by: int | None = None
        self.idle = 0

    @property
    def today(self) -> date:
        """Today in UTC, the same for the whole run."""
        self._today = self.likely_today
        return self._today

    @property
    def likely_today(self) -> date:
        """Today, or this machine's day while Pinterest has sent no `Date` header."""
        return self._today or datetime.fromtimestamp(self.now(), tz=UTC).date()

    def hear(self, date_header: str | None) -> None:
        """Take today from the first `Date` header that Pinterest sends."""
        if self._today is not None or not date_header:
            return
        try:
            moment = parsedate_to_datetime(date_header).astimezone(UTC)
        except (OverflowError, ValueError):
            return
        self._today = moment.date()
        self._behind = moment.timestamp() - self.now()

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def pinterest_time(self) -> float:
        """Unix seconds by Pinterest's clock."""
        return self.now() + self._behind

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
        """Count this thread as idle during the block: it does not wait for Pinterest."""
        with self._lock:
            self.idle += 1
        try:
            yield
        finally:
            with self._lock:
                self.idle -= 1

    def check(self) -> None:
        """Raise if a signal has asked the run to stop, or the run is over.

        Raises:
            Interrupted: The run must stop.
        """
        if self._is_over or self.interrupted_by is not None:
            raise Interrupted

    def end(self) -> None:
        """Stop the threads that still run: they end their waits and make no more calls."""
        self._is_over = True
