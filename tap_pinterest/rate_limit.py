"""Calls per time, for each of Pinterest's rate categories."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from singer_sdk.exceptions import FatalAPIError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_pinterest.clock import Clock

MINUTE = 60.0

_DAY = 86_400.0
_SLACK_SECONDS = 0.05


class QuotaError(FatalAPIError):
    """Quota that will not come back within `max_wait_seconds`."""


@dataclass(frozen=True)
class Quota:
    """So many calls in any stretch of so many seconds."""

    calls: int
    seconds: float


STANDARD = {
    "ads_analytics": Quota(300, MINUTE),
    "ads_read": Quota(1_000, MINUTE),
    "catalogs_read": Quota(100, MINUTE),
    "org_analytics": Quota(60, MINUTE),
    "org_read": Quota(1_000, MINUTE),
    "trends_read": Quota(60, MINUTE),
}
UNIVERSAL = {"standard": Quota(100, 1.0), "trial": Quota(1_000, _DAY)}


@dataclass
class _Window:
    """The calls of one quota, as far back as they still count."""

    quota: Quota
    sent: deque[float] = field(default_factory=deque)
    blocked_until: float = 0.0

    def free_at(self, now: float) -> float:
        """When the next call may go out: now, or later."""
        while self.sent and self.sent[0] <= now - self.quota.seconds:
            self.sent.popleft()
        full = len(self.sent) >= self.quota.calls
        oldest = self.sent[len(self.sent) - self.quota.calls] if full else now
        free = oldest + self.quota.seconds + _SLACK_SECONDS if full else now
        return max(free, self.blocked_until)


class RateLimiter:
    """Lets calls through as fast as Pinterest's limits allow; safe to share between threads.

    No stretch of a window's length ever holds more calls than its quota, so the limit is kept
    whether Pinterest counts in fixed or in sliding windows. What the answers' headers say wins
    over the documented limits.
    """

    def __init__(self, access_tier: str, clock: Clock, max_wait_seconds: float) -> None:
        """A limiter that has let nothing through yet.

        Args:
            access_tier: `standard` or `trial`.
            clock: Where the time comes from.
            max_wait_seconds: Longest wait for one permit before it is refused.
        """
        self._clock = clock
        self._max_wait = max_wait_seconds
        self._lock = threading.Lock()
        self._universal = _Window(UNIVERSAL[access_tier])
        limits = STANDARD if access_tier == "standard" else {}
        self._windows = {name: _Window(quota) for name, quota in limits.items()}
        self.waited = 0.0

    def acquire(self, category: str) -> None:
        """Wait for a permit of a category, and use it.

        Raises:
            QuotaError: The permit is further away than `max_wait_seconds`.
        """
        while (wait := self._take(category)) > 0:
            if wait > self._max_wait:
                msg = (
                    f"The quota of {category} comes back in {wait:.0f} s, later than "
                    f"max_wait_seconds ({self._max_wait:.0f}) allows"
                )
                raise QuotaError(msg)
            self._clock.sleep(wait)
            with self._lock:
                self.waited += wait

    def _take(self, category: str) -> float:
        """Use a permit and return 0, or return the seconds until there may be one."""
        with self._lock:
            now = self._clock.monotonic()
            windows = [self._universal, *self._category(category)]
            free = max(window.free_at(now) for window in windows)
            if free <= now:
                for window in windows:
                    window.sent.append(now)
            return max(free - now, 0.0)

    def _category(self, category: str) -> list[_Window]:
        window = self._windows.get(category)
        return [window] if window else []

    def learn(self, category: str, headers: Mapping[str, str]) -> None:
        """Follow an answer's rate limit headers: a lower limit, or one that others use up too."""
        remaining, reset = _number(headers, "remaining"), _number(headers, "reset")
        limit = _number(headers, "limit")
        with self._lock:
            for window in self._category(category):
                if limit and limit < window.quota.calls:
                    window.quota = Quota(int(limit), window.quota.seconds)
                if remaining == 0 and reset:
                    window.blocked_until = self._clock.monotonic() + reset


def reset_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds until the quota comes back, as an answer's headers say."""
    return _number(headers, "reset")


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        value = float(headers.get(f"x-ratelimit-{name}", ""))
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
