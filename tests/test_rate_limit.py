"""How close calls come to Pinterest's limits, against servers that count in either way."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox.rate_limits import RateLimits
from singer_run import PatientClock
from tap_pinterest.http.errors import QuotaError
from tap_pinterest.http.rate_headers import Limit, limits_in
from tap_pinterest.http.rate_limit import STANDARD, Permit, RateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinterest_sandbox.rate_limits import AccessTier, Window

NUMBERS = count()
WINDOWS: tuple[Window, ...] = ("fixed", "sliding")
FORMS = pytest.mark.parametrize(
    "form",
    [partial(RateLimits, headers="plain"), RateLimits],
    ids=["plain headers", "live headers"],
)


class StoppedClock(PatientClock):
    """Time passes only while somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 1000.0

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


@dataclass
class Outcome:
    """How calls went: when each was accepted, in seconds from the start, and how many were not."""

    accepted: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def refused_share(self) -> float:
        return self.refused / (len(self.accepted) + self.refused)

    def share_of(self, quota: Limit, seconds: float) -> float:
        """The share of a quota that was used in the first `seconds` seconds."""
        return sum(time < seconds for time in self.accepted) * quota.seconds / quota.calls / seconds


class Simulation:
    """Workers that call a server as the client does, in a time that only this class moves.

    A call takes some time to the server, which counts it when it arrives, and longer back.
    """

    def __init__(  # noqa: PLR0913 - what a simulation is made of
        self,
        server: RateLimits,
        limiter: RateLimiter,
        clock: StoppedClock,
        *,
        workers: int = 8,
        way: tuple[float, float] = (0.01, 0.1),
        answering: tuple[float, float] = (0.05, 0.3),
    ) -> None:
        self.server = server
        self.limiter = limiter
        self.clock = clock
        self.workers = workers
        self._way = way
        self._answering = answering
        self._chance = random.Random(5)  # noqa: S311 - no secret
        self.events: list[tuple[float, int, Callable[[], None]]] = []

    def run(
        self,
        category: str,
        *,
        calls: int = 1_000_000,
        seconds: float = 1_000_000,
        others: Mapping[float, int] | None = None,
    ) -> Outcome:
        """Make `calls` calls of a category, or all that go out in `seconds` seconds.

        `others` are calls that somebody else makes, by their time from now on.
        """
        self.begin(category, calls=calls, seconds=seconds, others=others or {})
        while self.events:
            self.clock.time, _, act = heapq.heappop(self.events)
            act()
        return self.outcome

    def begin(
        self, category: str, *, calls: int, seconds: float, others: Mapping[float, int]
    ) -> None:
        """Begin what `run` ends."""
        self._category = category
        self.outcome = Outcome()
        self._start = self.clock.time
        self._end = self.clock.time + seconds
        self._left = calls
        for wait, times in others.items():
            self._after(wait, partial(self._interfere, times))
        for _ in range(self.workers):
            self._after(0, self._begin)

    def _after(self, wait: float, act: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.clock.time + wait, next(NUMBERS), act))

    def _begin(self) -> None:
        if self._left and self.clock.time < self._end:
            self._left -= 1
            self._send()

    def _send(self) -> None:
        permit = self.limiter.take(self._category)
        if isinstance(permit, float):
            self._after(permit, self._send)
        else:
            self._after(self._chance.uniform(*self._way), partial(self._arrive, permit))

    def _arrive(self, permit: Permit) -> None:
        accepted, headers = self.server.take(self._category)
        if accepted:
            self.outcome.accepted.append(self.clock.time - self._start)
        else:
            self.outcome.refused += 1
        back = self._chance.uniform(*self._way) + self._chance.uniform(*self._answering)
        self._after(back, partial(self._receive, permit, dict(headers), refused=not accepted))

    def _receive(self, permit: Permit, headers: Mapping[str, str], *, refused: bool) -> None:
        permit.headers, permit.refused = headers, refused
        self.limiter.settle(permit)
        if refused:
            self._after(float(headers["x-ratelimit-reset"]), self._send)
        else:
            self._begin()

    def _interfere(self, times: int) -> None:
        for _ in range(times):
            self.server.take(self._category)


def simulation(
    window: Window,
    tier: AccessTier = "standard",
    ours: AccessTier | None = None,
    form: Callable[..., RateLimits] = RateLimits,
    **more: object,
) -> Simulation:
    clock = StoppedClock()
    server = form(tier, window, clock=clock.monotonic)
    limiter = RateLimiter(ours or tier, clock, 3600)
    return Simulation(server, limiter, clock, **more)  # type: ignore[arg-type]


@FORMS
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("category", sorted(STANDARD))
@pytest.mark.parametrize("minutes", [3, 10])
def test_a_category_is_used_up_and_never_overdrawn(
    category: str, window: Window, minutes: int, form: Callable[..., RateLimits]
) -> None:
    quota = STANDARD[category]

    outcome = simulation(window, form=form).run(category, seconds=minutes * 60)

    assert outcome.share_of(quota, minutes * 60) >= 0.95
    assert outcome.refused_share < 0.01


@FORMS
@pytest.mark.parametrize("window", WINDOWS)
def test_ten_thousand_pins_at_sixty_a_minute_take_hardly_longer_than_the_limit(
    window: Window, form: Callable[..., RateLimits]
) -> None:
    outcome = simulation(window, form=form).run("org_analytics", calls=10_000)

    assert outcome.accepted[-1] <= 10_000 / 0.95
    assert outcome.refused_share < 0.01


@FORMS
@pytest.mark.parametrize("window", WINDOWS)
def test_the_hundred_calls_a_second_of_all_categories_are_used_up(
    window: Window, form: Callable[..., RateLimits]
) -> None:
    fast = simulation(window, form=form, workers=20, way=(0.005, 0.02), answering=(0.005, 0.03))
    outcome = fast.run("ads_read", seconds=8)

    assert outcome.share_of(Limit(100, 1.0), 8) >= 0.95
    assert outcome.refused_share < 0.01


@FORMS
@pytest.mark.parametrize("window", WINDOWS)
def test_slow_answers_hardly_reduce_the_calls_a_minute(
    window: Window, form: Callable[..., RateLimits]
) -> None:
    slow = simulation(window, form=form, answering=(1.0, 12.0), workers=64)
    outcome = slow.run("org_analytics", seconds=600)

    assert outcome.share_of(Limit(60, 60.0), 600) >= 0.95
    assert outcome.refused_share < 0.01


@FORMS
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("limit", [7, 30, 90])
def test_another_limit_in_the_headers_is_followed(
    window: Window, limit: int, form: Callable[..., RateLimits]
) -> None:
    other = simulation(window, form=form)
    other.server._quotas["org_analytics"].limit = limit
    outcome = other.run("org_analytics", seconds=1200)

    assert outcome.share_of(Limit(limit, 60.0), 1200) >= 0.95
    assert outcome.refused <= other.workers


def at_random(rate: float, seconds: int) -> dict[float, int]:
    """Calls of others at random times, `rate` of them a minute."""
    chance, time, times = random.Random(1), 0.0, {}  # noqa: S311 - no secret
    while time < seconds:
        time += chance.expovariate(rate / 60)
        times[time] = 1
    return times


MINUTES = 20
OTHERS: Mapping[str, tuple[str, float, Mapping[float, int]]] = {
    "steadily": ("org_analytics", 30, {float(time): 1 for time in range(0, MINUTES * 60, 2)}),
    "in bursts": ("org_analytics", 30, {float(time): 30 for time in range(0, MINUTES * 60, 60)}),
    "large bursts": ("ads_analytics", 100, dict.fromkeys(map(float, range(7, 1200, 60)), 100)),
    "a few": ("org_analytics", 10, at_random(10, MINUTES * 60)),
    "half": ("org_analytics", 30, at_random(30, MINUTES * 60)),
    "most": ("org_analytics", 50, at_random(50, MINUTES * 60)),
    "more than there are": ("org_analytics", 60, at_random(120, MINUTES * 60)),
    "half of many": ("ads_read", 500, at_random(500, MINUTES * 60)),
}
"""Calls that others make in a category, and do not give way: how many a minute, and when."""


@FORMS
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("how", OTHERS)
def test_the_tap_uses_the_quota_that_others_leave_and_no_more(
    window: Window, how: str, form: Callable[..., RateLimits]
) -> None:
    category, theirs, others = OTHERS[how]
    outcome = simulation(window, form=form).run(category, seconds=MINUTES * 60, others=others)

    left = STANDARD[category].calls - theirs
    assert len(outcome.accepted) >= 0.95 * left * MINUTES
    # Where others would take more than all, each call that comes free is anybody's.
    assert outcome.refused_share < (0.01 if left else 0.02)


@FORMS
@pytest.mark.parametrize("window", WINDOWS)
def test_two_taps_that_share_a_quota_use_all_of_it(
    window: Window, form: Callable[..., RateLimits]
) -> None:
    first = simulation(window, form=form)
    limiter = RateLimiter("standard", first.clock, 3600)
    second = Simulation(first.server, limiter, first.clock)
    second.events = first.events
    second.begin("org_analytics", calls=1_000_000, seconds=MINUTES * 60, others={})
    first.run("org_analytics", seconds=MINUTES * 60)

    outcomes = (first.outcome, second.outcome)
    assert sum(len(each.accepted) for each in outcomes) >= 0.95 * 60 * MINUTES
    assert max(each.refused_share for each in outcomes) < 0.01


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("slowest", [0.05, 0.1, 0.2])
def test_two_taps_that_share_only_the_safety_net_hardly_slow_each_other(
    window: Window, slowest: float
) -> None:
    how: Any = {"way": (0.005, 0.03), "answering": (slowest / 2, slowest)}
    first = simulation(window, form=RateLimits, **how)
    limiter = RateLimiter("standard", first.clock, 3600)
    second = Simulation(first.server, limiter, first.clock, **how)
    second.events = first.events
    second.begin("org_read", calls=1_000_000, seconds=300, others={})
    first.run("ads_read", seconds=300)

    for each in (first.outcome, second.outcome):
        assert each.share_of(Limit(1_000, 60.0), 300) >= 0.95
        assert each.refused_share < 0.01


@FORMS
@pytest.mark.parametrize("window", WINDOWS)
def test_a_limit_that_was_lowered_for_a_while_rises_again(
    window: Window, form: Callable[..., RateLimits]
) -> None:
    changing = simulation(window, form=form)
    quota = changing.server._quotas["org_analytics"]
    quota.limit = 10
    changing.run("org_analytics", seconds=180)
    quota.limit = 60
    outcome = changing.run("org_analytics", seconds=600)

    assert outcome.share_of(Limit(60, 60.0), 600) >= 0.9


def test_quota_that_an_earlier_run_has_used_is_waited_for_only_until_it_is_free() -> None:
    late = simulation("fixed")
    late.clock.time = 1080.0 - 3  # windows end when the clock shows a full minute
    for _ in range(60):
        late.server.take("org_analytics")
    outcome = late.run("org_analytics", calls=20)

    assert outcome.accepted[-1] < 5


def test_no_second_holds_more_than_a_hundred_calls_of_all_categories() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    times = []
    for number in range(250):
        with limiter.call("ads_read" if number % 2 else "org_read"):
            times.append(clock.time)

    assert max(sum(start <= other < start + 1 for other in times) for start in times) == 100


def answered(limiter: RateLimiter, category: str, **headers: str) -> None:
    with limiter.call(category) as answer:
        answer.headers = {f"x-ratelimit-{name}": value for name, value in headers.items()}


def test_an_answer_without_calls_left_holds_the_next_call_until_the_reset() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    answered(limiter, "ads_read", remaining="0", reset="17")

    answered(limiter, "ads_read")

    assert clock.time == 1017.0
    assert limiter.waited == 17.0


def test_after_a_reset_one_call_asks_how_many_may_follow() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    answered(limiter, "ads_read", remaining="0", reset="17")

    with limiter.call("ads_read") as probe:
        assert isinstance(limiter.take("ads_read"), float)
        # Others have used the rest: one is left to them, and what they use in a second.
        probe.headers = {"x-ratelimit-remaining": "18", "x-ratelimit-reset": "60"}

    answered(limiter, "ads_read")
    assert clock.time == 1017.0
    answered(limiter, "ads_read")
    assert clock.time == 1077.0


def test_a_probe_without_an_answer_is_followed_by_another() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    answered(limiter, "ads_read", remaining="0", reset="17")
    answered(limiter, "ads_read")

    assert isinstance(limiter.take("ads_read"), Permit)


def test_the_headers_of_an_older_call_do_not_overrule_newer_ones() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    with limiter.call("ads_read") as first:
        clock.time += 1
        answered(limiter, "ads_read", remaining="0", reset="30")
        first.headers = {"x-ratelimit-remaining": "1", "x-ratelimit-reset": "31"}

    assert limiter.take("ads_read") == 30.0


def test_rate_headers_without_numbers_are_ignored() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    answered(limiter, "ads_read", remaining="none", reset="nan", limit="0")

    answered(limiter, "ads_read")

    assert clock.waits == []


LIVE = '60, 100;w=1;name="safety_net_app_id_user_id", 60;w=60;name="org_analytics_app_id_user_id"'


def test_a_reset_that_no_window_can_have_is_none() -> None:
    # Some services state the moment of a reset in Unix seconds, not the time until then.
    assert limits_in({"x-ratelimit-reset": "1795000000"}).reset is None
    assert limits_in({"x-ratelimit-reset": "86400"}).reset == 86_400


def test_a_refusal_that_only_a_gateway_dates_holds_the_next_call_until_then() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    with limiter.call("ads_read") as permit:
        permit.headers, permit.refused = {"Retry-After": "40"}, True

    assert limiter.take("ads_read") == 40.0
    assert isinstance(limiter.take("org_read"), Permit)


def test_the_reset_of_a_quota_counts_more_than_the_word_of_a_gateway() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    with limiter.call("ads_read") as permit:
        permit.headers = {"Retry-After": "40", "x-ratelimit-reset": "20"}
        permit.refused = True

    assert limiter.take("ads_read") == 20.0


@pytest.mark.parametrize("name", ["limit", "remaining", "reset"])
def test_numbers_of_any_length_in_a_header_are_no_error(name: str) -> None:
    long = "9" * 5_000
    limiter = RateLimiter("standard", StoppedClock(), 3600)

    answered(limiter, "ads_read", **{name: long})
    answered(limiter, "ads_read", **{name: f'60, {long};w=60;name="a", 60;w={long};name="b"'})

    assert isinstance(limiter.take("ads_read"), Permit)


@pytest.mark.parametrize("name", ['name="org"', "unit=second"])
def test_windows_of_one_name_or_without_a_name_stay_apart(name: str) -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    limit = f"59, 60;w=60;{name}, 1000;w=86400;{name}"
    answered(limiter, "org_analytics", limit=limit)

    sent = [limiter.take("org_analytics") for _ in range(70)]

    assert len([each for each in sent if isinstance(each, Permit)]) == 59


def test_live_headers_state_each_window_and_the_calls_left_in_the_tightest() -> None:
    stated = limits_in(
        {
            "x-ratelimit-limit": LIVE,
            "x-ratelimit-remaining": "12",
            "x-ratelimit-reset": "31",
        }
    )

    assert [(each.calls, each.seconds) for each in stated.limits] == [(100, 1.0), (60, 60.0)]
    assert (stated.calls, stated.remaining, stated.reset) == (60, 12, 31.0)
    assert stated.tightest == stated.limits[1]


def test_a_late_reset_belongs_to_the_longer_of_two_windows_with_one_limit() -> None:
    limit = '100, 100;w=1;name="safety_net", 100;w=60;name="catalogs_read"'
    late, soon = (
        limits_in({"x-ratelimit-limit": limit, "x-ratelimit-reset": reset}).tightest
        for reset in ("17", "1")
    )

    assert late
    assert soon
    assert (late.name, soon.name) == ("catalogs_read", "safety_net")


def test_limits_that_answers_name_are_learned_for_each_window() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    named = '5, 5;w=1;name="safety_net_a", 12;w=60;name="org_read_a"'
    times = []
    for category in ("org_read", "ads_read") * 12:
        answered(limiter, category, limit=named if category == "org_read" else "1000")
        times.append(clock.time)

    assert max(sum(start <= other < start + 1 for other in times) for start in times) == 5
    org_read = times[::2]
    assert org_read[11] < 1060
    answered(limiter, "org_read", limit=named)
    assert clock.time >= org_read[0] + 60


def test_operations_of_one_category_may_have_windows_of_their_own() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    narrow = '2, 100;w=1;name="safety_net", 2;w=60;name="narrow"'
    wide = '100, 100;w=1;name="safety_net", 300;w=60;name="wide"'
    for operation, limit in (("GET /b", wide), ("GET /a", narrow)) * 2:
        with limiter.call("ads_analytics", operation) as answer:
            answer.headers = {"x-ratelimit-limit": limit}

    assert isinstance(limiter.take("ads_analytics", "GET /b"), Permit)
    assert limiter.take("ads_analytics", "GET /a") == pytest.approx(60, abs=3)


@pytest.mark.parametrize("window", WINDOWS)
def test_a_trial_app_has_a_thousand_calls_a_day(window: Window) -> None:
    trial = simulation(window, tier="trial")
    assert trial.run("ads_read", calls=1000).refused == 0

    with pytest.raises(QuotaError, match="max_wait_seconds"):
        answered(trial.limiter, "org_read")


def test_headers_show_how_many_calls_a_trial_app_has_used_today() -> None:
    trial = simulation("fixed", tier="trial")
    for _ in range(990):
        trial.server.take("ads_read")
    # Whoever has made these may make one more.
    assert trial.run("ads_read", calls=9).refused == 0

    with pytest.raises(QuotaError, match="max_wait_seconds"):
        answered(trial.limiter, "ads_read")
