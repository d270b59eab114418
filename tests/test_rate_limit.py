from __future__ import annotations

import pytest

from singer_run import PatientClock
from tap_pinterest.rate_limit import STANDARD, QuotaError, RateLimiter


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


def sent(limiter: RateLimiter, clock: StoppedClock, category: str, calls: int) -> list[float]:
    times = []
    for _ in range(calls):
        limiter.acquire(category)
        times.append(clock.time)
    return times


@pytest.mark.parametrize("category", sorted(STANDARD))
def test_no_minute_holds_more_calls_than_its_quota_and_none_is_wasted(category: str) -> None:
    clock = StoppedClock()
    limit = STANDARD[category].calls
    times = sent(RateLimiter("standard", clock, 3600), clock, category, 3 * limit)

    busiest = max(sum(start <= other < start + 60 for other in times) for start in times)
    assert busiest <= limit
    assert times[-1] - times[0] <= 60 * 2 + 15


def test_no_second_holds_more_than_a_hundred_calls_of_all_categories() -> None:
    clock = StoppedClock()
    times = sent(RateLimiter("standard", clock, 3600), clock, "ads_read", 250)

    assert max(sum(start <= other < start + 1 for other in times) for start in times) <= 100


def test_an_answer_without_calls_left_holds_the_next_call_until_the_reset() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    limiter.learn("ads_read", {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "17"})

    limiter.acquire("ads_read")

    assert clock.time == 1017.0
    assert limiter.waited == 17.0


def test_a_lower_limit_in_the_headers_is_followed() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    limiter.learn("org_analytics", {"x-ratelimit-limit": "10"})

    assert sent(limiter, clock, "org_analytics", 11)[-1] > 1060


def test_headers_that_are_no_numbers_are_ignored() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("standard", clock, 3600)
    limiter.learn("ads_read", {"x-ratelimit-remaining": "none", "x-ratelimit-reset": "nan"})

    limiter.acquire("ads_read")

    assert clock.waits == []


def test_a_trial_app_has_a_thousand_calls_a_day() -> None:
    clock = StoppedClock()
    limiter = RateLimiter("trial", clock, 3600)
    assert sent(limiter, clock, "ads_read", 1000)[-1] == 1000.0

    with pytest.raises(QuotaError, match="max_wait_seconds"):
        limiter.acquire("org_read")
