"""The sandbox's own day, which can be set, and its time of day."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from email.utils import format_datetime

EPOCH = date(1970, 1, 1).toordinal()
DAY_SECONDS = 86_400
NOON = clock(12, tzinfo=UTC)
LONGEST = timedelta(hours=12) - timedelta(seconds=1)
"""Time from noon to the last second of a day."""


class Calendar:
    """Today as the world sees it."""

    def __init__(self, today: date) -> None:
        self.today = today
        self._first = today
        self._began = time.monotonic()
        self._waited = 0.0

    def elapsed(self) -> float:
        """Seconds of a clock that runs evenly and jumps along when the day is set."""
        days = (self.today - self._first).days
        return time.monotonic() + self._waited + days * DAY_SECONDS

    def wait(self, seconds: float) -> None:
        """Lets seconds pass at once for all that runs out."""
        self._waited += seconds

    def now(self) -> datetime:
        """The moment in UTC: a sandbox begins at noon, and its time stops before midnight.

        Only its user moves the day; with the real time of day it would go back at midnight.
        """
        since = timedelta(seconds=time.monotonic() - self._began)
        return datetime.combine(self.today, NOON) + min(since, LONGEST)

    def timestamp(self) -> int:
        """`now` in Unix seconds."""
        return int(self.now().timestamp())

    def http_date(self) -> str:
        """`now` as a Date header has it."""
        return format_datetime(self.now(), usegmt=True)


def unix_seconds(ordinal: int, second: int = 0) -> int:
    """The moment a day began (by its proleptic ordinal), and some seconds on."""
    return (ordinal - EPOCH) * DAY_SECONDS + second


def utc_text(seconds: int) -> str:
    """Unix seconds as organic records print them: ISO, UTC, no zone."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
