"""Calls per time, for each of Pinterest's rate categories."""

from __future__ import annotations

import sys
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, islice, takewhile
from typing import TYPE_CHECKING

from tap_pinterest.http.errors import QuotaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_pinterest.clock import Clock

MINUTE = 60.0

_DAY = 86_400.0
_EARLY = 0.001
_WAY_SHARE = 0.04
"""Of a window: longest that a call is thought to be on its way before Pinterest counts it."""
_LOOK_AGAIN_SECONDS = 0.1
_OLD_SHARE = 1 / 30
"""Of a window: how long what others leave is thought to be still there."""
_FEW = 16
"""Calls, of those that are left by others, that go out one by one."""
_SOME = 8
"""One in so many of our calls has to be back before the next, where others make some too."""


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
TRIAL = dict.fromkeys(STANDARD, Quota(1_000, _DAY))
OF_ONE_AD_ACCOUNT = {"POST /ad_accounts/{ad_account_id}/mmm_reports": Quota(5, MINUTE)}
"""Calls of an operation for one ad account, however many its category allows."""
UNIVERSAL = {"standard": Quota(100, 1.0), "trial": Quota(1_000, _DAY)}


@dataclass(eq=False)
class Permit:
    """A call that may go out.

    Attributes:
        number: How many have gone out before it.
        sent: When it did, in the clock's monotonic seconds.
        answered: When its answer came, if it has.
        refused: Whether that said that there were too many.
    """

    number: int
    sent: float
    windows: tuple[_Window, ...] = field(repr=False)
    answered: float | None = None
    refused: bool = False

    def counted_by(self, way: float) -> float:
        """When Pinterest has counted it at the latest: it counts what arrives, not what is sent."""
        latest = self.sent + way
        return latest if self.answered is None else min(self.answered, latest)


@dataclass(eq=False)
class _Window:
    """The calls of one quota, as far back as they still count.

    Attributes:
        under_way: Calls that are not answered yet.
        left: Calls that may go out until `renewed_at`, as Pinterest's answer to `told_by` says.
        others: Most calls that others were seen to make of late: some room is left to them.
        seen_at: When they were.
        probe: A call that goes out alone, to learn how many may follow.
        is_told: Whether the headers of answers are about it.
    """

    quota: Quota
    is_told: bool = False
    calls: deque[Permit] = field(default_factory=deque)
    under_way: int = 0
    left: int | None = None
    renewed_at: float = 0.0
    told_by: Permit | None = None
    others: int = 0
    seen_at: float = 0.0
    probe: Permit | None = None

    @property
    def way(self) -> float:
        return self.quota.seconds * _WAY_SHARE

    @property
    def room(self) -> int:
        """Calls left to others: one, and what they make in a second, before we hear of it."""
        return 1 + int(self.others / self.quota.seconds) if self.others else 0

    def free_at(self, now: float) -> float:
        """When the next call may go out: now, or later."""
        seconds, way = self.quota.seconds, self.way
        while self.calls and self.calls[0].counted_by(way) <= now - seconds:
            self.calls.popleft()
        free = now
        if (over := len(self.calls) - self.quota.calls) >= 0:
            counted = max(each.counted_by(way) for each in islice(self.calls, over + 1))
            free = counted + seconds + _EARLY
        if self.left is None:
            return free
        if self.left > 0 and not self._is_old(now):
            one_by_one = self.others and self.left < _FEW and self.under_way
            return max(free, now + _LOOK_AGAIN_SECONDS) if one_by_one else free
        if self.probe or (self.under_way and now < self.renewed_at):
            # Their answers may say that there is more.
            return max(free, now + _LOOK_AGAIN_SECONDS)
        return max(free, self.renewed_at)

    def _is_old(self, now: float) -> bool:
        """Whether others may have taken what was left when we last heard of it."""
        if not (self.others and self.told_by) or self.under_way:
            return False
        return now > (self.told_by.answered or now) + self.quota.seconds * _OLD_SHARE

    def take(self, permit: Permit) -> None:
        """Count a call that goes out now."""
        self.calls.append(permit)
        self.under_way += 1
        if self.left is None:
            return
        if permit.sent < self.renewed_at:
            self.left -= 1
        elif self.left > 0 or not self.others:
            self.left = None
        else:
            self.probe = permit

    def settle(self, permit: Permit) -> None:
        """Take note that a call is under way no more."""
        self.under_way -= 1
        if self.probe is permit:
            self.probe = None

    def follow(self, permit: Permit, remaining: int, renewed_at: float) -> None:
        """Keep to what the answer to a call says, unless that to a later one has come before."""
        if self.told_by is not None and permit.number < self.told_by.number:
            return
        self.told_by, self.renewed_at = permit, renewed_at
        # All of ours may have come before it.
        self._see(self.quota.calls - remaining - len(self.calls), permit.answered or permit.sent)
        newer = takewhile(lambda each: each is not permit, reversed(self.calls))
        self.left = remaining - self.room - sum(each.answered is None for each in newer)
        if self.left <= 0:
            self._give_way()

    def close(self, permit: Permit, renewed_at: float, limit: float | None) -> None:
        """Let nothing through until then: a call has been refused, of this quota or of all."""
        self.told_by, self.renewed_at, self.left = permit, renewed_at, 0
        if limit is None or limit == self.quota.calls:
            self._see(max(self.quota.calls - len(self.calls), 1), permit.answered or permit.sent)
            self._give_way()

    def _give_way(self) -> None:
        """Wait until some of our own calls count no more: what comes back of others' is theirs."""
        ours = [each for each in self.calls if not each.refused]
        some = self.room + len(ours) // _SOME
        if self.others and some < len(ours):
            back = ours[some].counted_by(self.way) + self.quota.seconds + _EARLY
            self.renewed_at = max(self.renewed_at, back)

    def _see(self, others: int, now: float) -> None:
        """Take note of how many calls others have made, unless they made more of late."""
        if others >= self.others or now > self.seen_at + 2 * self.quota.seconds:
            self.others, self.seen_at = max(others, 0), now


class Answer:
    """What came back for a call, for the limiter to learn from.

    Attributes:
        headers: The answer's headers; empty while there is none.
        refused: Whether it says that there were too many calls.
    """

    headers: Mapping[str, str]
    refused: bool

    def __init__(self) -> None:
        """There is none yet."""
        self.headers = {}
        self.refused = False


class RateLimiter:
    """Lets calls through as fast as Pinterest's limits allow; safe to share between threads.

    No stretch of a window's length ever holds more calls than its quota, from the moment that
    Pinterest may have counted the first of them, so that the limit is kept whether it counts in
    fixed or in sliding windows. What the answers' headers say wins over the documented limits: how
    many calls there are, and how many are left where others make some too.
    """

    def __init__(
        self,
        access_tier: str,
        clock: Clock,
        max_wait_seconds: float,
        in_flight: int = sys.maxsize,
    ) -> None:
        """A limiter that has let nothing through yet.

        Args:
            access_tier: `standard` or `trial`.
            clock: Where the time comes from.
            max_wait_seconds: Longest wait for one permit before it is refused.
            in_flight: Most calls under way at once; one that waits for a permit is none of them.
        """
        self._clock = clock
        self._places = threading.Semaphore(in_flight)
        self._max_wait = max_wait_seconds
        self._lock = threading.Lock()
        self._universal = _Window(UNIVERSAL[access_tier])
        limits = STANDARD if access_tier == "standard" else TRIAL
        self._windows = {name: _Window(quota, is_told=True) for name, quota in limits.items()}
        self._of_one_ad_account: dict[str, _Window] = {}
        self._numbers = count()
        self.waited = 0.0

    @contextmanager
    def call(self, category: str, operation: str = "", url: str = "") -> Iterator[Answer]:
        """Wait for a permit of a category, use it in the block, and learn from what came back.

        Args:
            category: The call's rate category.
            operation: Its operation, which may have a limit of its own.
            url: Where it goes, without a query.

        Raises:
            QuotaError: The permit is further away than `max_wait_seconds`.
        """
        permit, answer = self._acquired(category, operation, url), Answer()
        try:
            yield answer
        finally:
            self._places.release()
            self.settle(permit, answer)

    def _acquired(self, category: str, operation: str, url: str) -> Permit:
        """A permit to call now, and a place among the calls under way."""
        while True:
            self._places.acquire()
            if not isinstance(wait := self.take(category, operation, url), float):
                return wait
            self._places.release()
            if wait > self._max_wait:
                msg = (
                    f"The quota of {category} comes back in {wait:.0f} s, later than "
                    f"max_wait_seconds ({self._max_wait:.0f}) allows"
                )
                raise QuotaError(msg)
            self._clock.sleep(wait)
            with self._lock:
                self.waited += wait

    def take(self, category: str, operation: str = "", url: str = "") -> Permit | float:
        """A permit to call now, or the seconds until there may be one."""
        with self._lock:
            now = self._clock.monotonic()
            windows = (self._universal, *self._category(category), *self._own(operation, url))
            free = max(window.free_at(now) for window in windows)
            if free > now:
                return free - now
            permit = Permit(next(self._numbers), now, windows)
            for window in windows:
                window.take(permit)
            return permit

    def settle(self, permit: Permit, answer: Answer) -> None:
        """Learn from an answer's headers: another limit, or one that others use up too."""
        remaining, reset, limit = (
            _number(answer.headers, name) for name in ("remaining", "reset", "limit")
        )
        with self._lock:
            permit.answered, permit.refused = self._clock.monotonic(), answer.refused
            for window in permit.windows:
                window.settle(permit)
            for window in permit.windows:
                if not window.is_told:
                    continue
                told_at = permit.counted_by(window.way)
                if answer.refused:
                    # Its limit may be the universal one.
                    window.close(permit, told_at + (MINUTE if reset is None else reset), limit)
                    continue
                if limit and limit >= 1:
                    window.quota = Quota(int(limit), window.quota.seconds)
                if remaining is not None and reset is not None:
                    window.follow(permit, int(remaining), told_at + reset)

    def _category(self, category: str) -> list[_Window]:
        window = self._windows.get(category)
        return [window] if window else []

    def _own(self, operation: str, url: str) -> list[_Window]:
        quota = OF_ONE_AD_ACCOUNT.get(operation)
        return [self._of_one_ad_account.setdefault(url, _Window(quota))] if quota else []


def reset_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds until the quota comes back, as an answer's headers say."""
    return _number(headers, "reset")


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        value = float(headers.get(f"x-ratelimit-{name}", ""))
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
