"""Calls per time, for each of Pinterest's rate categories."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, islice, takewhile

from tap_pinterest.clock import Clock
from tap_pinterest.http.errors import QuotaError
from tap_pinterest.http.rate_headers import Limit, Stated, limits_in, seconds_asked

MINUTE = 60.0

_DAY = 86_400.0
_EARLY = 0.001
_DELAY_SHARE = 0.04
"""Longest time from sending a call until Pinterest counts it, as a share of the window."""
_LOOK_AGAIN_SECONDS = 0.1
_OLD_SHARE = 1 / 30
"""Time for which the calls left at the last answer count as free, as a share of the window."""
_FEW = 16
"""Number of the last calls of a window, which go out one by one if others make calls, too."""
_SOME = 8
"""If others use up the quota, we wait until one in eight of our calls no longer counts."""
_SAFETY_NET = "safety_net"
"""The beginning of the names of windows that all categories share."""
_SHORT_SECONDS = 10.0
_PAUSE_SECONDS = 2.0
"""First pause after a refusal that does not say when to come back; each further one doubles it."""


STANDARD = {
    "ads_analytics": Limit(300, MINUTE),
    "ads_read": Limit(1_000, MINUTE),
    "catalogs_read": Limit(100, MINUTE),
    "org_analytics": Limit(60, MINUTE),
    "org_read": Limit(1_000, MINUTE),
    "trends_read": Limit(60, MINUTE),
}
TRIAL = dict.fromkeys(STANDARD, Limit(1_000, _DAY))
OF_ONE_AD_ACCOUNT = {"POST /ad_accounts/{ad_account_id}/mmm_reports": Limit(5, MINUTE)}
"""Limits of an operation for one ad account, in addition to its category's limit."""
UNIVERSAL = {"standard": Limit(100, 1.0), "trial": Limit(1_000, _DAY)}


@dataclass(eq=False)
class Permit:
    """A call that may go out.

    Attributes:
        number: Number of calls that went out before it.
        sent: When it went out, in the clock's monotonic seconds.
        before: Number of calls that each window held before it.
        answered: When its answer came, if it has come.
        headers: The headers of the answer, until the limiter has learnt from them.
        refused: Whether the answer said that there were too many calls.
    """

    number: int
    sent: float
    category: str
    operation: str
    windows: tuple[_Window, ...] = field(repr=False)
    before: tuple[int, ...] = ()
    answered: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    refused: bool = False

    def counted_by(self, delay: float) -> float:
        """The latest moment at which Pinterest counts the call, which is when the call arrives."""
        latest = self.sent + delay
        return latest if self.answered is None else min(self.answered, latest)


@dataclass(eq=False)
class _Window:
    """The calls of one quota that still count.

    Attributes:
        under_way: Calls that are not answered yet.
        left: Calls that may go out until `renewed_at`; the answer to `learnt_from` says so.
        others: Most calls that others made recently; some room is left to them.
        seen_at: When the calls of others were last counted.
        probe: A call that goes out alone, to learn how many may follow.
        pauses: Refusals in a row that did not say when to come back.
    """

    quota: Limit
    calls: deque[Permit] = field(default_factory=deque)
    under_way: int = 0
    left: int | None = None
    renewed_at: float = 0.0
    learnt_from: Permit | None = None
    others: int = 0
    seen_at: float = 0.0
    probe: Permit | None = None
    pauses: int = 0

    @property
    def delay(self) -> float:
        return self.quota.seconds * _DELAY_SHARE

    @property
    def is_short(self) -> bool:
        """Whether the window is too short for an answer to say how many calls are left now."""
        return self.quota.seconds < _SHORT_SECONDS

    @property
    def room(self) -> int:
        """Calls left to others: one, plus their calls of a second, which we see only later."""
        if self.is_short:
            return _FEW
        return 1 + int(self.others / self.quota.seconds) if self.others else 0

    def free_at(self, now: float) -> float:
        """When the next call may go out: now, or later."""
        seconds, delay = self.quota.seconds, self.delay
        while self.calls and self.calls[0].counted_by(delay) <= now - seconds:
            self.calls.popleft()
        free = now
        if (over := len(self.calls) - self.quota.calls) >= 0:
            counted = max(each.counted_by(delay) for each in islice(self.calls, over + 1))
            free = counted + seconds + _EARLY
        if self.left is None:
            return free
        if self.left > 0 and not self._is_old(now):
            one_by_one = self.others and self.left < _FEW and self.under_way
            return max(free, now + _LOOK_AGAIN_SECONDS) if one_by_one else free
        if self.probe or (self.under_way and now < self.renewed_at):
            # The answers of calls under way may show that more calls are left.
            return max(free, now + _LOOK_AGAIN_SECONDS)
        return max(free, self.renewed_at)

    def _is_old(self, now: float) -> bool:
        """Whether others may have used the calls that were left at the last answer."""
        if not (self.others and self.learnt_from) or self.under_way:
            return False
        return now > (self.learnt_from.answered or now) + self.quota.seconds * _OLD_SHARE

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
        """Note that a call is no longer under way."""
        self.under_way -= 1
        if self.probe is permit:
            self.probe = None

    def follow(self, permit: Permit, remaining: int, renewed_at: float) -> None:
        """Adopt the limits in a call's answer, unless a later call has been answered already."""
        # All our calls may have been counted before this answer.
        others = self.quota.calls - remaining - len(self.calls)
        if self._knows_later_than(permit) or (self.is_short and not self._is_busy(others, permit)):
            return
        self.learnt_from, self.renewed_at = permit, renewed_at
        if not self.is_short:
            self._note_others(others, permit.answered or permit.sent)
        self.left = remaining - self.room - self._unanswered_since(permit)
        if self.left <= 0:
            self._wait_for_own_calls()

    def relieve(self, permit: Permit, at_least: int) -> None:
        """Lift the limit if this window has more left: another window has the least left."""
        if self.left is None or self._knows_later_than(permit):
            return
        if self.left < at_least - self.room - self._unanswered_since(permit):
            self.left = None

    def close(self, permit: Permit, renewed_at: float, *, is_known: bool) -> None:
        """Let no call through until `renewed_at`: a call of this quota or of all was refused."""
        self.learnt_from, self.renewed_at, self.left = permit, renewed_at, 0
        if is_known:
            self._note_others(
                max(self.quota.calls - len(self.calls), 1), permit.answered or permit.sent
            )
            self._wait_for_own_calls()

    def pause(self, permit: Permit) -> None:
        """Let no call through for a moment: a call was refused without a reason."""
        if permit.sent < self.renewed_at:
            return
        pause = min(_PAUSE_SECONDS * 2**self.pauses, MINUTE)
        self.pauses += 1
        self.close(permit, (permit.answered or permit.sent) + pause, is_known=False)

    def _is_busy(self, others: int, permit: Permit) -> bool:
        """Whether others make many calls, without our own calls that no longer count."""
        before = dict(zip(permit.windows, permit.before, strict=True)).get(self, 0)
        return others - max(before - len(self.calls), 0) > _FEW

    def _knows_later_than(self, permit: Permit) -> bool:
        return self.learnt_from is not None and permit.number < self.learnt_from.number

    def _unanswered_since(self, permit: Permit) -> int:
        newer = takewhile(lambda each: each.number > permit.number, reversed(self.calls))
        return sum(each.answered is None for each in newer)

    def _wait_for_own_calls(self) -> None:
        """Wait until some of our own calls no longer count; others may use the rest."""
        ours = [each for each in self.calls if not each.refused]
        some = self.room + len(ours) // _SOME
        if self.others and some < len(ours):
            back = ours[some].counted_by(self.delay) + self.quota.seconds + _EARLY
            self.renewed_at = max(self.renewed_at, back)

    def _note_others(self, others: int, now: float) -> None:
        """Note the number of calls that others made, unless a recent number is higher."""
        if others >= self.others or now > self.seen_at + 2 * self.quota.seconds:
            self.others, self.seen_at = max(others, 0), now


class RateLimiter:
    """Lets calls through as fast as Pinterest's limits allow; safe to share between threads.

    No span of a window's length ever holds more calls than its quota, from the moment that
    Pinterest may have counted the first of them. So the limit holds for fixed and for sliding
    windows. The headers of answers win over the documented limits. They name the windows of an
    operation and the calls that are left, also if others make calls.
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
            in_flight: Most calls under way at once; calls that wait for a permit do not count.
        """
        self._clock = clock
        self._places = threading.Semaphore(in_flight)
        self._max_wait = max_wait_seconds
        self._lock = threading.Lock()
        self._all = _Window(UNIVERSAL[access_tier])
        limits = STANDARD if access_tier == "standard" else TRIAL
        self._documented = {name: _Window(quota) for name, quota in limits.items()}
        self._named: dict[tuple[str, float], _Window] = {}
        """Windows that an answer has named, by name and seconds."""
        self._of_operation: dict[tuple[str, str], tuple[_Window, ...]] = {}
        """Those that the last answer to an operation has named."""
        self._of_one_ad_account: dict[str, _Window] = {}
        self._numbers = count()
        self.waited = 0.0

    @contextmanager
    def call(self, category: str, operation: str = "", url: str = "") -> Iterator[Permit]:
        """Wait for a permit of a category, and learn from the answer that the block puts into it.

        Args:
            category: The call's rate category.
            operation: Its operation, which may have a limit of its own.
            url: Where it goes, without a query.

        Raises:
            QuotaError: The permit is further away than `max_wait_seconds`.
        """
        permit = self._acquired(category, operation, url)
        try:
            yield permit
        finally:
            self._places.release()
            self.settle(permit)

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
            windows = self._windows(category, operation, url)
            free = max(window.free_at(now) for window in windows)
            if free > now:
                return free - now
            before = tuple(len(window.calls) for window in windows)
            permit = Permit(next(self._numbers), now, category, operation, windows, before)
            for window in windows:
                window.take(permit)
            return permit

    def _windows(self, category: str, operation: str, url: str) -> tuple[_Window, ...]:
        """The windows that count a call, as answers have named them or as documented."""
        documented = self._documented.get(category)
        windows = self._of_operation.get((category, operation), (documented,))
        if quota := OF_ONE_AD_ACCOUNT.get(operation):
            windows = (*windows, self._of_one_ad_account.setdefault(url, _Window(quota)))
        return (self._all, *filter(None, windows))

    def settle(self, permit: Permit) -> None:
        """Learn the limits from an answer's headers, and how much of them others use."""
        stated = limits_in(permit.headers)
        back = seconds_asked(permit.headers) if permit.refused else stated.reset
        permit.headers = {}
        with self._lock:
            permit.answered = self._clock.monotonic()
            for window in permit.windows:
                window.settle(permit)
            self._learn(permit, stated)
            if (tightest := self._tightest(permit, stated)) is None:
                return
            renewed_at = permit.counted_by(tightest.delay) + (back or 0.0)
            if not permit.refused:
                self._follow(permit, stated, tightest, renewed_at)
            elif back is None:
                tightest.pause(permit)
            else:
                is_its_reset = stated.reset is not None and not tightest.is_short
                is_known = is_its_reset and stated.calls in {None, tightest.quota.calls}
                tightest.close(permit, renewed_at, is_known=is_known)

    def _follow(self, permit: Permit, stated: Stated, tightest: _Window, renewed_at: float) -> None:
        tightest.pauses = 0
        if stated.remaining is None or stated.reset is None:
            return
        tightest.follow(permit, stated.remaining, renewed_at)
        for window in permit.windows:
            if stated.limits and window is not tightest:
                window.relieve(permit, stated.remaining)

    def _learn(self, permit: Permit, stated: Stated) -> None:
        """Take over the limits that an answer states."""
        if not stated.limits:
            category = self._documented.get(permit.category)
            if category and stated.calls and not permit.refused:
                category.quota = category.quota._replace(calls=stated.calls)
            return
        named = [self._window(permit, limit) for limit in stated.limits]
        for window, limit in zip(named, stated.limits, strict=True):
            window.quota = limit
        own = tuple(each for each in named if each is not self._all)
        self._of_operation[permit.category, permit.operation] = own

    def _window(self, permit: Permit, limit: Limit) -> _Window:
        """The window of a name; a new name is the documented window's if both agree.

        One name may have several windows, and a window without a name belongs to a category.
        """
        name = (limit.name or permit.category, limit.seconds)
        if known := self._named.get(name):
            return known
        is_shared = limit.name.startswith(_SAFETY_NET)
        found = self._all if is_shared else self._documented.get(permit.category)
        if found is None or found.quota.seconds != limit.seconds or found in self._named.values():
            counted = [*permit.windows, self._all][1].calls
            own = [each for each in counted if each.operation == permit.operation]
            found = _Window(limit, deque(own))
        self._named[name] = found
        return found

    def _tightest(self, permit: Permit, stated: Stated) -> _Window | None:
        """The window that `remaining` and `reset` are about."""
        if limit := stated.tightest:
            return self._window(permit, limit)
        category = self._documented.get(permit.category)
        if category and not stated.limits and self._is_about_all(stated, category.quota):
            return self._all
        return category

    def _is_about_all(self, stated: Stated, category: Limit) -> bool:
        """Whether plain headers state the limit that all categories share."""
        shared = self._all.quota
        is_short = stated.reset is not None and stated.reset <= shared.seconds < category.seconds
        return is_short and stated.calls == shared.calls != category.calls
