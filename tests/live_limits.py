"""A server that states its limits in the live form: all windows, and how much the tightest has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pinterest_sandbox.rate_limits import RateLimits

if TYPE_CHECKING:
    from pinterest_sandbox.rate_limits import Quota

SAFETY_NET = "safety_net_app_id_user_id"


class LiveRateLimits(RateLimits):
    """Counts as the sandbox does; only the headers have another form."""

    def take(self, category: str) -> tuple[bool, list[tuple[str, str]]]:
        now = self._clock()
        windows = {SAFETY_NET: self._all, f"{category}_app_id_user_id": self._quotas[category]}
        spent = [each for each in windows.values() if each.remaining(now) <= 0]
        if not spent:
            for each in windows.values():
                each.take(now)
        return not spent, self._stated(windows, now)

    def _stated(self, windows: dict[str, Quota], now: float) -> list[tuple[str, str]]:
        tightest = min(windows.values(), key=lambda each: each.remaining(now))
        named = [
            f'{each.limit};w={each.seconds:.0f};name="{name}"' for name, each in windows.items()
        ]
        return [
            ("x-ratelimit-limit", f"{tightest.limit}, {', '.join(named)}"),
            ("x-ratelimit-remaining", str(max(0, tightest.remaining(now)))),
            ("x-ratelimit-reset", str(math.ceil(tightest.reset(now)))),
        ]
