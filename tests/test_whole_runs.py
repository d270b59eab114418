"""How long whole runs take, in simulated time: as long as quota or latency demand, not longer."""

from __future__ import annotations

import functools
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec
import pytest

from pinterest_sandbox.rate_limits import PER_MINUTE, RateLimits
from scripts.fewest_calls import fewest_calls
from simulated import simulate
from singer_run import run
from tap_pinterest import api
from tap_pinterest.http.transport import Answer, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinterest_sandbox.rate_limits import Window
    from simulated import SimulatedTime
    from singer_run import Run
    from tap_pinterest.http.transport import Request

EMPTY = {
    "list": {"items": []},
    "items": {"items": []},
    "array": [],
    "map": {"all": {}},
    "object": {},
}
"""Answers that hold nothing, by shape."""


@dataclass
class Pinterest:
    """Answers with as many ids as there are, no numbers, and after a while.

    Attributes:
        time: The time of the run.
        accounts: Ad accounts, each of another owner.
        ads: Ads in each of them, and a campaign and an ad group.
        pins: Pages of Pins.
        latency: Seconds that an answer takes, and a tenth more or less.
        window: How it counts calls.
        form: How it states its limits.
        busy: Share of the calls that it refuses without a header that says why.
        calls: Calls that it has answered, by rate category.
        asked: The same as a sandbox logs them.
        refused: Calls that were too many.
        in_flight: Calls under way.
        most_in_flight: Most that there have been.
    """

    time: SimulatedTime
    accounts: int = 1
    ads: int = 2
    pins: int = 1
    latency: float = 0.2
    window: Window = "fixed"
    form: Callable[..., RateLimits] = RateLimits
    busy: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    asked: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(3))  # noqa: S311 - no secret

    @functools.cached_property
    def limits(self) -> RateLimits:
        return self.form("standard", self.window, clock=self.time.monotonic)

    def exchange(self, request: Request) -> Answer:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        operation = api.operation(str(request))
        way = self.latency * self.chance.uniform(0.05, 0.15)
        self.time.pass_by(way)
        accepted, headers = False, list[tuple[str, str]]()
        if self.chance.random() >= self.busy:
            accepted, headers = self.limits.take(operation.category)
        self.time.pass_by(self.latency * self.chance.uniform(0.9, 1.1) - way)
        self.in_flight -= 1
        if not accepted:
            self.refused += 1
            return Answer(429, "", dict(headers), b"{}")
        self.calls[operation.category] += 1
        called = urlsplit(request.url)
        self.asked.append(
            {
                "operation": str(request),
                "path": called.path,
                "query": parse_qsl(called.query),
            }
        )
        answer = self._answer(request.path, request.url) or EMPTY[str(operation.shape)]
        return Answer(200, "OK", dict(headers), msgspec.json.encode(answer))

    def _answer(self, path: str, url: str) -> Any:
        """The answer to a path that has one; other paths are empty."""
        parts = urlsplit(url)
        account = parts.path.removeprefix("/v5/ad_accounts/").partition("/")[0]
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        page = int(asked.get("bookmark", 0)) + 1
        accounts = [{"id": f"{n}", "owner": {"id": f"9{n}"}} for n in range(self.accounts)]
        ready = {"conversion_metrics_ready": True, "non_conversion_metrics_ready": True}
        answers: dict[str, Any] = {
            "ad_accounts": {"items": accounts},
            "campaigns": {"items": [{"id": f"1{account}"}]},
            "ad_groups": {"items": [{"id": f"2{account}"}]},
            "ads": {"items": [{"id": f"{account}0{n}"} for n in range(self.ads)]},
            "metrics_ready_state": ready,
            "user_account": {"id": asked.get("ad_account_id", "7"), "account_type": "BUSINESS"},
            "pins": {
                "items": [{"id": f"{asked.get('ad_account_id', '7')}0{page}"}],
                "bookmark": str(page) if page < self.pins else None,
            },
        }
        return answers.get(path.rpartition("/")[2])

    def seconds_at_the_limits(self) -> float:
        """Seconds that the calls of the slowest rate category take at its limit."""
        return max(60 * calls / PER_MINUTE[name] for name, calls in self.calls.items())


def read(
    pinterest: Pinterest, monkeypatch: pytest.MonkeyPatch, *streams: str, **settings: Any
) -> tuple[Run, float]:
    """A run of the default streams, and the seconds that it takes."""
    monkeypatch.setattr(Transport, "exchange", lambda _, request: pinterest.exchange(request))
    begun = pinterest.time.time
    config = {"access_token": "token", "api_url": "http://127.0.0.1:1/v5", **settings}
    result = run(config, *streams, clock=pinterest.time)
    assert result.code == 0
    assert pinterest.most_in_flight <= 8
    return result, pinterest.time.time - begun


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> SimulatedTime:
    return simulate(monkeypatch)


def test_a_run_takes_as_long_as_the_quota_of_reports_while_pins_are_read_beside_them(
    time: SimulatedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinterest = Pinterest(time, accounts=12, ads=40, pins=300)
    _, seconds = read(pinterest, monkeypatch, slice_rows=50)

    assert pinterest.calls["ads_analytics"] > 3 * PER_MINUTE["ads_analytics"]
    assert seconds <= 1.1 * pinterest.seconds_at_the_limits()
    made = Counter(each["operation"] for each in pinterest.asked)
    assert made == fewest_calls(pinterest.asked, slice_rows=50)


def test_a_run_takes_as_long_as_the_quota_of_organic_numbers_while_ads_are_read_beside_them(
    time: SimulatedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinterest = Pinterest(time, accounts=170)
    result, seconds = read(pinterest, monkeypatch, organic_accounts="both")

    assert pinterest.calls["org_analytics"] == 171
    assert pinterest.calls["ads_analytics"] > 2 * PER_MINUTE["ads_analytics"]
    assert seconds <= 1.1 * pinterest.seconds_at_the_limits()
    assert len(result.state["bookmarks"]["ad_analytics"]["partitions"]) == 170


@pytest.mark.parametrize("pins", [1, 40], ids=["reports last", "Pins last"])
def test_a_run_within_quota_takes_as_long_as_calls_that_need_each_other(
    time: SimulatedTime, monkeypatch: pytest.MonkeyPatch, pins: int
) -> None:
    pinterest = Pinterest(time, accounts=3, ads=160, pins=pins, latency=0.1)
    columns = ["SPEND_IN_MICRO_DOLLAR", "TOTAL_IMPRESSION"]
    _, seconds = read(pinterest, monkeypatch, report_columns=columns)

    # Ad accounts, then their ids, then the reports: or page after page of Pins.
    chain = max(3, pins + 1) * pinterest.latency
    others = pinterest.calls.total() * pinterest.latency / 8
    assert seconds <= 1.1 * (chain + others)


FORMS = pytest.mark.parametrize(
    "form",
    [functools.partial(RateLimits, headers="plain"), RateLimits],
    ids=["plain headers", "live headers"],
)


@FORMS
@pytest.mark.parametrize("window", ["fixed", "sliding"])
@pytest.mark.parametrize("calls", [297, 600])
def test_reports_take_as_long_as_their_quota_however_the_headers_state_it(
    time: SimulatedTime,
    monkeypatch: pytest.MonkeyPatch,
    form: Callable[..., RateLimits],
    window: Window,
    calls: int,
) -> None:
    # One call more asks which days are complete.
    pinterest = Pinterest(time, accounts=calls - 1, window=window, form=form)
    _, seconds = read(pinterest, monkeypatch, "ad_account_analytics")

    assert pinterest.calls["ads_analytics"] == calls
    minutes, others = divmod(calls - 1, PER_MINUTE["ads_analytics"])
    # One list comes before the first report.
    at_the_quota = 60 * minutes + (1 + (others + 1) / 8) * pinterest.latency
    assert seconds <= 1.1 * at_the_quota
    assert pinterest.refused <= 0.01 * calls


def test_calls_that_are_refused_at_random_cost_seconds_and_not_minutes(
    time: SimulatedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinterest = Pinterest(time, accounts=100, busy=0.05)
    _, seconds = read(pinterest, monkeypatch, "ad_account_analytics")

    assert pinterest.refused >= 3
    assert seconds <= 30
