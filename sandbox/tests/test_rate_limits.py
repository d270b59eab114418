from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pinterest_sandbox.rate_limits import RateLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client
    from pinterest_sandbox.rate_limits import AccessTier, Window


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        """Starts at an odd moment."""
        self.now = 1_000_000.0

    def __call__(self) -> float:
        """The moment."""
        return self.now


def _limits(clock: Clock, window: Window = "fixed", tier: AccessTier = "standard") -> RateLimits:
    return RateLimits(tier, window, clock=clock)


def _taken(limits: RateLimits, category: str, calls: int) -> int:
    return sum(limits.take(category)[0] for _ in range(calls))


def test_a_category_lets_its_limit_through_each_minute() -> None:
    clock = Clock()
    limits = _limits(clock)

    assert _taken(limits, "org_analytics", 80) == 60
    clock.now += 60
    assert _taken(limits, "org_analytics", 80) == 60


def test_categories_do_not_share_a_quota() -> None:
    limits = _limits(Clock())
    _taken(limits, "org_analytics", 60)

    assert limits.take("ads_read")[0]
    assert not limits.take("org_analytics")[0]


def test_a_fixed_window_forgets_all_at_once_and_a_sliding_one_call_by_call() -> None:
    for window, allowed in (("fixed", 60), ("sliding", 30)):
        clock = Clock()
        clock.now -= clock.now % 60
        limits = RateLimits("standard", window, clock=clock)  # type: ignore[arg-type]
        _taken(limits, "trends_read", 30)
        clock.now += 59
        assert _taken(limits, "trends_read", 40) == 30
        clock.now += 1.5
        assert _taken(limits, "trends_read", 100) == allowed


def test_headers_name_each_window_and_state_the_one_with_least_left() -> None:
    clock = Clock()
    clock.now -= clock.now % 60
    limits = _limits(clock)
    clock.now += 12.5

    windows = (
        '100;w=1;name="safety_net_app_id_user_id", 60;w=60;name="org_analytics_app_id_user_id"'
    )
    assert limits.take("org_analytics") == (
        True,
        [
            ("x-ratelimit-limit", f"60, {windows}"),
            ("x-ratelimit-remaining", "59"),
            ("x-ratelimit-reset", "48"),
        ],
    )
    for _ in range(40):
        _, headers = limits.take("org_read")
    assert dict(headers)["x-ratelimit-limit"].startswith("100, 100;w=1;")
    assert (dict(headers)["x-ratelimit-remaining"], dict(headers)["x-ratelimit-reset"]) == (
        "59",
        "1",
    )


def test_a_call_that_the_safety_net_refuses_has_to_wait_a_second() -> None:
    clock = Clock()
    clock.now -= clock.now % 60
    limits = _limits(clock)
    _taken(limits, "org_read", 100)

    allowed, headers = limits.take("org_read")

    assert not allowed
    assert [text for _, text in headers[1:]] == ["0", "1"]
    clock.now += 1
    assert limits.take("org_read")[0]


def test_headers_can_be_left_out_also_of_a_refusal() -> None:
    clock = Clock()
    limits = RateLimits(clock=clock, headers="none")

    assert [limits.take("org_analytics") for _ in range(61)] == [(True, [])] * 60 + [(False, [])]


def test_plain_headers_say_limit_remaining_and_seconds_to_wait() -> None:
    clock = Clock()
    clock.now -= clock.now % 60
    limits = RateLimits(clock=clock, headers="plain")
    clock.now += 12.5

    assert limits.take("ads_analytics") == (
        True,
        [
            ("x-ratelimit-limit", "300"),
            ("x-ratelimit-remaining", "299"),
            ("x-ratelimit-reset", "48"),
        ],
    )


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_a_call_after_the_reset_is_let_through(window: Window) -> None:
    clock = Clock()
    limits = _limits(clock, window)
    _taken(limits, "org_analytics", 60)

    allowed, headers = limits.take("org_analytics")
    clock.now += int(dict(headers)["x-ratelimit-reset"])

    assert not allowed
    assert limits.take("org_analytics")[0]


def test_all_categories_together_have_100_calls_a_second() -> None:
    clock = Clock()
    limits = _limits(clock)

    assert _taken(limits, "ads_read", 70) + _taken(limits, "org_read", 70) == 100
    assert dict(limits.take("org_read")[1])["x-ratelimit-limit"].startswith("100, ")
    clock.now += 1
    assert _taken(limits, "org_read", 70) == 70


def test_a_trial_app_has_1000_calls_a_day_in_all() -> None:
    clock = Clock()
    limits = _limits(clock, tier="trial")

    assert _taken(limits, "ads_read", 900) + _taken(limits, "org_read", 900) == 1000
    clock.now += 3600
    assert not limits.take("ads_analytics")[0]
    clock.now += 86_400
    assert limits.take("ads_analytics")[0]


def test_a_minute_can_be_shorter() -> None:
    clock = Clock()
    limits = RateLimits("standard", "sliding", minute=0.6, clock=clock)
    _taken(limits, "org_analytics", 60)

    assert dict(limits.take("org_analytics")[1])["x-ratelimit-reset"] == "0.600"
    clock.now += 0.601
    assert limits.take("org_analytics")[0]


def test_a_call_too_many_is_429_with_code_8(serve: Callable[..., Client]) -> None:
    client = serve(access_tier="trial")
    for _ in range(1000):
        client.sandbox.requests.clear()
        client.get("/user_account")

    answer = client.ask("/user_account")

    assert answer.status_code == 429
    assert answer.json()["code"] == 8
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert 0 < int(answer.headers["x-ratelimit-reset"]) <= 86_400


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_a_day_on_the_trial_quota_is_new(serve: Callable[..., Client], window: Window) -> None:
    client = serve(access_tier="trial", rate_window=window)
    for _ in range(5):
        client.ask("/boards")

    left = client.ask("/boards").headers["x-ratelimit-remaining"]
    client.sandbox.today += timedelta(days=1)
    renewed = client.ask("/boards").headers["x-ratelimit-remaining"]
    client.sandbox.today -= timedelta(days=1)
    back = client.ask("/boards").headers["x-ratelimit-remaining"]

    assert [left, renewed, back] == ["994", "999", "999"]


def test_a_request_that_is_refused_counts_too(serve: Callable[..., Client]) -> None:
    client = serve(access_tier="trial")

    before = client.ask("/boards").headers["x-ratelimit-remaining"]
    client.ask("/boards", page_size=0)
    after = client.ask("/boards").headers["x-ratelimit-remaining"]

    assert int(before) - int(after) == 2
