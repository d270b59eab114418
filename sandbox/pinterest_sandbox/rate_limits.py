"""Quotas for calls: one for each category, and one for all calls together."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Window: TypeAlias = Literal["fixed", "sliding"]
HeaderStyle: TypeAlias = Literal["windows", "plain", "none"]
"""Whether headers name all windows, as since 2026, only give one number each, or are left out."""
AccessTier: TypeAlias = Literal["standard", "trial", "unlimited"]

SECOND, MINUTE, DAY = 1.0, 60.0, 86_400.0
PER_MINUTE = {
    "ads_analytics": 300,
    "ads_read": 1000,
    "ads_write": 400,
    "advanced_auction_read": 50,
    "catalogs_read": 100,
    "org_analytics": 60,
    "org_read": 1000,
    "trends_read": 60,
}
"""Calls a minute in the standard tier, per user and app."""
_SAFETY_NET = "safety_net_app_id_user_id"
"""The name of the window that all categories share."""
PER_SECOND = 100
"""Calls a second in the standard tier, all categories together."""
PER_DAY = 1000
"""Calls a day in the trial tier, for each category and for all together, per app."""


class Quota:
    """A number of calls in a number of seconds."""

    def __init__(self, limit: int, seconds: float, window: Window) -> None:
        self.limit = limit
        self.seconds = seconds
        self._sliding = window == "sliding"
        self._calls: deque[float] = deque()
        self._opened = -math.inf
        self._count = 0

    def remaining(self, now: float) -> int:
        """Calls that are left at this moment."""
        if self._sliding:
            if self._calls and self._calls[-1] > now:  # the clock was set back
                self._calls.clear()
            while self._calls and self._calls[0] <= now - self.seconds:
                self._calls.popleft()
            return self.limit - len(self._calls)
        if not self._is_open(now):
            self._count = 0
        return self.limit - self._count

    def take(self, now: float) -> None:
        """Counts one call."""
        if self._sliding:
            self._calls.append(now)
            return
        if not self._is_open(now):
            # Windows are aligned to the clock, as a counter per minute is.
            self._opened = now - now % self.seconds
            self._count = 0
        self._count += 1

    def _is_open(self, now: float) -> bool:
        return self._opened <= now < self._opened + self.seconds

    def reset(self, now: float) -> float:
        """Seconds until a call that is refused now would be let through."""
        if self._sliding:
            return self._calls[0] + self.seconds - now if self._calls else 0.0
        return max(0.0, self._opened + self.seconds - now)


class RateLimits:
    """The quotas of an access tier; `minute` shrinks all windows, for tests."""

    def __init__(
        self,
        tier: AccessTier = "standard",
        window: Window = "fixed",
        *,
        minute: float = MINUTE,
        headers: HeaderStyle = "windows",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start all quotas of a tier."""
        scale = minute / MINUTE
        self._clock = clock
        self._whole = scale == 1
        self._unlimited = tier == "unlimited"
        self._style = headers
        if tier == "trial":
            self._quotas = {name: Quota(PER_DAY, DAY * scale, window) for name in PER_MINUTE}
            self._all = Quota(PER_DAY, DAY * scale, window)
        else:
            self._quotas = {
                name: Quota(limit, MINUTE * scale, window) for name, limit in PER_MINUTE.items()
            }
            self._all = Quota(PER_SECOND, SECOND * scale, window)

    def take(self, category: str) -> tuple[bool, list[tuple[str, str]]]:
        """Counts a call unless a quota is used up: whether it may go on, and the headers."""
        if self._unlimited:
            return True, []
        now = self._clock()
        quotas = {_SAFETY_NET: self._all, f"{category}_app_id_user_id": self._quotas[category]}
        spent = next((each for each in quotas.values() if each.remaining(now) <= 0), None)
        if spent is None:
            for quota in quotas.values():
                quota.take(now)
        return spent is None, self._headers(quotas, category, spent, now)

    def _headers(
        self, quotas: Mapping[str, Quota], category: str, spent: Quota | None, now: float
    ) -> list[tuple[str, str]]:
        if self._style == "none":
            return []
        stated, limit = spent or self._quotas[category], ""
        if self._style == "windows":
            stated = min(quotas.values(), key=lambda each: (each.remaining(now), -each.seconds))
            named = (
                f'{each.limit};w={each.seconds:g};name="{name}"' for name, each in quotas.items()
            )
            limit = "".join(f", {each}" for each in named)
        seconds = stated.reset(now)
        reset = str(math.ceil(seconds)) if self._whole else f"{seconds:.3f}"
        return [
            ("x-ratelimit-limit", f"{stated.limit}{limit}"),
            ("x-ratelimit-remaining", str(max(0, stated.remaining(now)))),
            ("x-ratelimit-reset", reset),
        ]
