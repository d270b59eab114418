"""The numbers of each ad on each day, as whole numbers, and as they are known on a later day.

Every fact is a function of the seed, the ad and the day. All levels and periods are sums of these,
so they agree. Two things depend on the day one looks from:

* Delivery (impressions, clicks, spend, ...) is partial on the day itself, nearly complete until the
  day is ready, then final.
* A conversion happens some days (its lag) after the ad was clicked, engaged with or seen. One sees
  those whose lag has passed and lies within the attribution window of the action; a window of 0
  keeps those of the same day. Until conversions are ready, a part is still missing.

Nothing ever shrinks as days pass.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from pinterest_sandbox.chance import drawn, key, mix_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pinterest_sandbox.world import AdAccount

Counts: TypeAlias = "NDArray[np.int64]"
Shares: TypeAlias = "NDArray[np.float64]"

ACTIONS: Final = ("click", "engagement", "view")
CLICK, ENGAGEMENT, VIEW = ACTIONS
LONGEST_WINDOW: Final = 60
CENTS: Final = 100
"""Money is counted in hundredths of a micro-currency: some amounts have a fraction."""
_PARTIAL_DAY = 0.45
_NOT_READY = 0.985
_CONVERSIONS_NOT_READY = 0.7
_FRACTION_EVERY = 1 / 400
_ODD_SPEND, _WORTH, _ODD_WORTH = 3, 400, 420
"""Purposes of draws with `share`."""
ROWS: Final = "rows"
"""The fact that there is a row at all, with numbers or without."""
_AMOUNTS: Final = frozenset({"spend", "video_spend", "ads_credit", "paid_spend"})

VIDEO_STEPS: Final = {
    "video_p0": 0.9,
    "video_3sec": 0.7,
    "video_mrc": 0.62,
    "video_p25": 0.5,
    "video_p50": 0.36,
    "video_p75": 0.27,
    "video_15sec": 0.2,
    "video_p95": 0.17,
    "video_p100": 0.12,
}
"""Steps of watching a video and how many get there, of those who saw the ad."""

CONVERSIONS: Final = {
    "page_visit": 0.006,
    "view_category": 0.0015,
    "search": 0.001,
    "add_to_cart": 0.0012,
    "add_to_wishlist": 0.0005,
    "signup": 0.0006,
    "lead": 0.0003,
    "subscribe": 0.0001,
    "watch_video": 0.0004,
    "custom": 0.0004,
    "unknown": 0.0002,
    "app_install": 0.0002,
    "inapp_app_install": 0.00015,
    "web_checkout": 0.0006,
    "inapp_checkout": 0.0002,
    "offline_checkout": 0.00015,
}
"""Kinds of conversion events and how many follow from one paid impression."""
VALUED: Final = {
    "page_visit": 300_000,
    "view_category": 250_000,
    "search": 200_000,
    "add_to_cart": 20_000_000,
    "signup": 4_000_000,
    "lead": 6_000_000,
    "watch_video": 100_000,
    "custom": 12_000_000,
    "unknown": 500_000,
    "app_install": 2_000_000,
    "inapp_app_install": 2_000_000,
    "web_checkout": 55_000_000,
    "inapp_checkout": 35_000_000,
    "offline_checkout": 70_000_000,
}
"""Conversions that have a value, in micro-currency."""
CHANNELS: Final = {"web": 0.6, "inapp": 0.25, "offline": 0.1, "pinterest": 0.05}
"""Where conversions happen, and about how many of them."""
DEVICES: Final = {"desktop": 0.25, "mobile": 0.6, "tablet": 0.1}
"""Devices on which people act and convert, and about how many do."""
CHANNELS_AND_DEVICES: Final = CHANNELS | {
    f"{first}_to_{then}": DEVICES[first] * DEVICES[then] for first in DEVICES for then in DEVICES
}
_BY_ACTION = {CLICK: 1.0, ENGAGEMENT: 0.5, VIEW: 0.7}

SHOWCASE: Final = {
    "showcase_pin_clickthrough": 0.01,
    "showcase_subpage_clickthrough": 0.006,
    "showcase_subpin_clickthrough": 0.004,
    "showcase_subpage_impression": 0.2,
    "showcase_subpin_impression": 0.15,
    "showcase_subpage_swipe_left": 0.03,
    "showcase_subpage_swipe_right": 0.05,
    "showcase_subpin_swipe_left": 0.02,
    "showcase_subpin_swipe_right": 0.03,
    "showcase_subpage_repin": 0.005,
    "showcase_subpin_repin": 0.004,
    "showcase_subpage_closeup": 0.02,
    "showcase_card_thumbnail_swipe_forward": 0.04,
    "showcase_card_thumbnail_swipe_backward": 0.02,
    "showcase_session": 0.015,
}
"""Actions on a showcase ad, per paid impression."""


@dataclass(frozen=True)
class View:
    """The day of a request, its attribution windows, and the days until numbers are ready."""

    today: int
    windows: tuple[int, int, int] = (30, 30, 1)
    """In days: click, engagement, view."""
    by_conversion_time: bool = False
    """Conversions on the day they happened, not on the day of the ad action."""
    ready_days: int = 1
    conversions_ready_days: int = 2
    hours_behind: int = 0
    """Hours from the beginning of a day in UTC to its beginning in the account's time zone."""

    def maturity(self, days: Counts) -> Shares:
        """The share of a day's delivery that is known."""
        age = self.today - days
        known = np.where(age < self.ready_days, _NOT_READY, 1.0)
        known = np.where(age == 0, _PARTIAL_DAY, known)
        return np.where(age < 0, 0.0, known)

    def credited(self, days: Counts, action: str) -> Shares:
        """The share of a day's conversions that is known and within the attribution window."""
        age = self.today - days
        window = self.windows[ACTIONS.index(action)]
        share = _within(np.clip(age, 0, window), action)
        share = np.where(age < self.conversions_ready_days, share * _CONVERSIONS_NOT_READY, share)
        return np.where(age < 0, 0.0, share)

    def fact_keys(self, fact: str, days: range) -> list[tuple[int, ...]]:
        """The key of a fact of each day besides the day: equal keys, equal values."""
        ages = [self.today - day for day in days]
        if self.hours_behind:
            same = (*self.windows, self.by_conversion_time, self.hours_behind)
            return [(age, *same) for age in ages]
        if not is_conversion(fact):
            return [(min(age, self.ready_days),) for age in ages]
        action = fact.rsplit(":", 1)[1]
        window = self.windows[ACTIONS.index(action)]
        if self.by_conversion_time:
            return [(window, -1)] * len(ages)
        ready = self.conversions_ready_days
        return [(min(age, window), min(age, ready)) for age in ages]


def is_conversion(fact: str) -> bool:
    """Whether a fact counts conversions or their value."""
    return ":" in fact


def is_money(fact: str) -> bool:
    """Whether a fact is an amount, in `CENTS` of micro-currency."""
    return "=" in fact or fact in _AMOUNTS


class Cells:
    """The facts of some ads (rows) on some days (columns), each computed when asked for."""

    def __init__(self, account: AdAccount, ads: Counts, days: Counts, view: View) -> None:
        """Takes ads by running number and days by proleptic ordinal, one after the other."""
        self._account = account
        self.ads = ads
        self.days = days
        self.view = view
        self._words = account.ads.words[ads]
        seed = np.uint64(key(account.world.seed, "day"))
        dates = mix_all(days.astype(np.uint64) + seed)
        self._cell_words = mix_all(self._words[:, None] ^ dates[None, :])
        self._drawn: dict[int, NDArray[np.uint64]] = {}
        self._facts: dict[str, Counts] = {}

    def __getitem__(self, fact: str) -> Counts:
        """A fact by its name."""
        found = self._facts.get(fact)
        if found is None:
            found = self._facts[fact] = self._compute(fact)
        return found

    def local(self, fact: str) -> Counts:
        """A fact by the days of the zone that one looks from: they end in the next day of UTC."""
        here, behind = self[fact], self.view.hours_behind
        if not behind:
            return here
        later = self._a_day_later[fact]
        if fact == ROWS:
            return np.maximum(here, later)
        moved: Counts = here - here * behind // 24 + later * behind // 24
        return moved

    @functools.cached_property
    def _a_day_later(self) -> Cells:
        return Cells(self._account, self.ads, self.days + 1, self.view)

    def _compute(self, fact: str) -> Counts:
        if is_conversion(fact):
            name, action = fact.rsplit(":", 1)
            return self._conversions(name, action)
        return _FACTS[fact](self)

    def share(self, salt: int) -> Shares:
        """A number from 0 to below 1 per cell, the same every time for the same salt."""
        place, lane = divmod(salt, 4)
        drawn = self._drawn.get(place)
        if drawn is None:
            words = self._cell_words + np.uint64(place * 0x632BE59BD9B4E019 & (2**64 - 1))
            drawn = self._drawn[place] = mix_all(words)
        sixteen = (drawn >> np.uint64(16 * lane)) & np.uint64(0xFFFF)
        part: Shares = np.multiply(sixteen, 2.0**-16)
        return part

    def picks(self, salt: str, choices: int) -> Counts:
        """A number from 0 to below `choices` per cell, the same every time for the same salt."""
        drawn = mix_all(self._cell_words ^ np.uint64(key(salt))) >> np.uint64(32)
        return (drawn % np.uint64(choices)).astype(np.int64)

    def ad_share(self, salt: str) -> Shares:
        """A number from 0 to below 1 per ad."""
        return drawn(self._words, salt)[:, None]

    def fractional(self, amount: str) -> NDArray[np.bool_]:
        """Which amounts have a fraction of a micro-currency, or may get one."""
        if "=" not in amount:
            return self.share(_ODD_SPEND) < _FRACTION_EVERY
        kind = amount.partition("=")[0].partition("@")[0]
        return self.share(_ODD_WORTH + _KINDS[kind]) < _FRACTION_EVERY

    def of(self, fact: str, rate: float, salt: int) -> Counts:
        """About `rate` of another fact; never more of it when that is less."""
        part = self[fact] * (rate * (0.5 + self.ad_share(fact))) * (0.4 + 1.2 * self.share(salt))
        least: Counts = np.minimum(part.astype(np.int64), self[fact])
        return least

    def delivered(self) -> NDArray[np.bool_]:
        """On which cells the ad ran, so that there is a row."""
        size = self._account.world.size
        ads = self._account.ads
        first, end = ads.first_day[self.ads][:, None], ads.end_day[self.ads][:, None]
        runs = (self.days >= first) & (self.days < end) & (self.days <= self.view.today)
        return runs & (self.share(0) >= size.idle_share)

    def full_impressions(self) -> Counts:
        """Paid impressions once the day is final."""
        size = self._account.world.size
        shown = self.delivered() & (self.share(0) >= size.idle_share + size.zero_share)
        volume = np.exp(5.0 + 4.0 * self.ad_share("volume"))
        weekday = 0.8 + 0.4 * (self.days % 7 / 6)
        return np.where(shown, volume * weekday * (0.5 + self.share(1)), 0.0).astype(np.int64)

    def impressions(self) -> Counts:
        """The paid impressions that are known so far."""
        full = self["full_impressions"]
        return np.ceil(full * self.view.maturity(self.days)).astype(np.int64)

    def spend(self) -> Counts:
        """Hundredths of micro-currency."""
        price = (2_000 + 6_000 * self.ad_share("price")) * (0.7 + 0.6 * self.share(2))
        micro = (self["impression_1"] * price).astype(np.int64) * CENTS
        odd = self.fractional("spend") & (micro > 0)
        return micro + odd.astype(np.int64) * 67

    def video(self, *, earned: bool, step: str) -> Counts:
        """How often a video was watched up to a step."""
        base = self["impression_2" if earned else "impression_1"]
        watched = 0.3 + 0.7 * self.share(10 + earned)
        has_video = self._account.video_ads[self.ads][:, None]
        return np.where(has_video, base * watched * VIDEO_STEPS[step], 0.0).astype(np.int64)

    def video_length(self) -> Shares:
        """The length of each ad's video in seconds."""
        length: Shares = np.floor(6 + 54 * self.ad_share("length"))
        return length

    def only(self, creative: str, fact: str, rate: float, salt: int) -> Counts:
        """`of`, for the ads of a rarer kind."""
        rare = self.ad_share(creative) < 0.25  # noqa: PLR2004  one ad in four
        return np.where(rare, self.of(fact, rate, salt), 0)

    def _conversions(self, name: str, action: str) -> Counts:
        kind, _, value = name.partition("=")
        kind, _, channel = kind.partition("@")
        if channel:
            return self._through(channel, f"{kind}={value}" if value else kind, action)
        if value:
            worth = VALUED[kind] * CENTS
            if self.view.by_conversion_time:
                # A conversion keeps the worth of its own day, whichever day it is reported on.
                return self._by_conversion_time(kind, action, worth)
            return self[f"{kind}:{action}"] * self._worth(kind, worth)
        if self.view.by_conversion_time:
            return self._by_conversion_time(kind, action, 0)
        share = self.view.credited(self.days, action)
        return self._counted(kind, action, share)

    def _through(self, channel: str, name: str, action: str) -> Counts:
        """Conversions of a channel, or from one device to another; never more than all together."""
        everything = self[f"{name}:{action}"]
        unit = CENTS if is_money(name) else 1
        share = CHANNELS_AND_DEVICES[channel] * (0.5 + 0.5 * self.ad_share(channel))
        phase = self.share(440 + _CHANNEL_PLACES[channel])
        found = (everything // unit * share + phase * (everything > 0)).astype(np.int64)
        return found * unit

    def _worth(self, kind: str, worth: int) -> Counts:
        varied = worth // CENTS * (0.5 + self.share(_WORTH + _KINDS[kind]))
        return varied.astype(np.int64) * CENTS + np.where(self.fractional(f"{kind}="), 33, 0)

    def _counted(self, kind: str, action: str, share: Shares) -> Counts:
        salt = 100 + 2 * (_KINDS[kind] * len(ACTIONS) + ACTIONS.index(action))
        rate = CONVERSIONS[kind] * _BY_ACTION[action] * (0.3 + 1.4 * self.ad_share(kind))
        expected = self["full_impressions"] * rate
        # The final number; the phase says at which share each conversion becomes visible.
        final = np.floor(expected + self.share(salt)) * (self["full_impressions"] > 0)
        return np.floor(final * share + self.share(salt + 1) * (final > 0) * (share > 0)).astype(
            np.int64
        )

    def _by_conversion_time(self, kind: str, action: str, worth: int) -> Counts:
        window = self.view.windows[ACTIONS.index(action)]
        first, last = int(self.days[0]), int(self.days[-1])
        earlier = np.arange(first - window, last + 1)
        actions = Cells(self._account, self.ads, earlier, self.view)
        each = actions._worth(kind, worth) if worth else np.int64(1)
        found = np.zeros((len(self.ads), last - first + 1), np.int64)
        before: Counts | int = 0
        for lag in range(window + 1):
            share = _within(np.full(len(earlier), lag), action)
            until = actions._counted(kind, action, share)
            happened = ((until - before) * each)[:, window - lag :]
            found += happened[:, : found.shape[1]]
            before = until
        found = np.where(np.arange(first, last + 1) > self.view.today, 0, found)
        return found[:, self.days - first]


def _within(lags: Counts, action: str) -> Shares:
    """The share of conversions that happen within some days of the action."""
    slowness = {CLICK: 9.0, ENGAGEMENT: 12.0, VIEW: 5.0}[action]
    at_once = 0.45
    rest = -np.expm1(-lags / slowness) / -np.expm1(-LONGEST_WINDOW / slowness)
    share: Shares = at_once + (1 - at_once) * rest
    return share


_CHANNEL_PLACES = {channel: place for place, channel in enumerate(CHANNELS_AND_DEVICES)}
_KINDS = {kind: place for place, kind in enumerate(CONVERSIONS)}


def _engagements(cells: Cells, suffix: str) -> Counts:
    closeups = cells.of(f"impression_{suffix}", 0.02, 12 + int(suffix))
    return cells[f"clickthrough_{suffix}"] + cells[f"repin_{suffix}"] + closeups


def _users(cells: Cells) -> Counts:
    total = cells["impression_1"] + cells["impression_2"]
    return np.ceil(total / (1.0 + 1.5 * cells.ad_share("frequency"))).astype(np.int64)


def _watch_milliseconds(cells: Cells, suffix: str) -> Counts:
    seconds = cells.video_length() * (0.2 + 0.5 * cells.ad_share("watch"))
    return (cells[f"video_p0{suffix}"] * seconds * 1000).astype(np.int64)


_FACTS: dict[str, Callable[[Cells], Counts]] = {
    ROWS: lambda cells: cells.delivered().astype(np.int64),
    "full_impressions": Cells.full_impressions,
    "impression_1": Cells.impressions,
    "impression_2": lambda cells: cells.of("impression_1", 0.15, 4),
    "impression_1_gross": lambda cells: cells["impression_1"] + cells.of("impression_1", 0.02, 5),
    "clickthrough_1": lambda cells: cells.of("impression_1", 0.012, 6),
    "clickthrough_2": lambda cells: cells.of("impression_2", 0.015, 7),
    "clickthrough_1_gross": lambda cells: (
        cells["clickthrough_1"] + cells.of("clickthrough_1", 0.1, 8)
    ),
    "outbound_click_1": lambda cells: cells.of("clickthrough_1", 0.5, 9),
    "outbound_click_2": lambda cells: cells.of("clickthrough_2", 0.5, 15),
    "repin_1": lambda cells: cells.of("impression_1", 0.004, 16),
    "repin_2": lambda cells: cells.of("impression_2", 0.01, 17),
    "engagement_1": lambda cells: _engagements(cells, "1"),
    "engagement_2": lambda cells: _engagements(cells, "2"),
    "users": _users,
    "spend": Cells.spend,
    # Of some ads Pinterest pays a part.
    "ads_credit": lambda cells: (
        cells["spend"] // CENTS // 4 * CENTS * (cells.ad_share("ads credit") < 0.2)  # noqa: PLR2004
    ),
    "paid_spend": lambda cells: cells["spend"] - cells["ads_credit"],
    "video_spend": lambda cells: cells["spend"] * (cells["video_p0_1"] > 0),
    "watch_milliseconds_1": lambda cells: _watch_milliseconds(cells, "_1"),
    "watch_milliseconds_2": lambda cells: _watch_milliseconds(cells, "_2"),
    "video_length_seconds": lambda cells: (
        (cells["video_p0_1"] + cells["video_p0_2"]) * cells.video_length()
    ).astype(np.int64),
    "web_sessions_1": lambda cells: cells.of("outbound_click_1", 0.8, 18),
    "web_sessions_2": lambda cells: cells.of("outbound_click_2", 0.8, 19),
    "idea_pin_product_tag_visit_1": lambda cells: cells.only("idea", "impression_1", 0.002, 20),
    "idea_pin_product_tag_visit_2": lambda cells: cells.only("idea", "impression_2", 0.003, 21),
    "leads": lambda cells: cells.only("lead ad", "clickthrough_1", 0.08, 22),
    "quiz_started": lambda cells: cells.only("quiz", "clickthrough_1", 0.4, 23),
    "quiz_completed": lambda cells: cells.only("quiz", "quiz_started", 0.6, 24),
    "page_forward_1": lambda cells: cells.only("idea", "impression_1", 0.05, 26),
    "page_forward_2": lambda cells: cells.only("idea", "impression_2", 0.06, 27),
    "page_backward_1": lambda cells: cells.only("idea", "impression_1", 0.02, 28),
    "page_backward_2": lambda cells: cells.only("idea", "impression_2", 0.03, 29),
    "destination_views": lambda cells: cells.of("outbound_click_1", 0.6, 48),
    "collection_pin_item_impression_1": lambda cells: cells.only(
        "collection", "impression_1", 0.3, 45
    ),
    "collection_pin_item_impression_2": lambda cells: cells.only(
        "collection", "impression_2", 0.4, 46
    ),
    "collection_pin_item_clickthrough_1": lambda cells: cells.only(
        "collection", "collection_pin_item_impression_1", 0.02, 47
    ),
    "collection_pin_item_clickthrough_2": lambda cells: cells.only(
        "collection", "collection_pin_item_impression_2", 0.03, 49
    ),
    "quiz_pin_result_open": lambda cells: cells.only("quiz", "quiz_completed", 0.5, 25),
}


def _watched(*, earned: bool, step: str) -> Callable[[Cells], Counts]:
    return lambda cells: cells.video(earned=earned, step=step)


def _showcased(rate: float, salt: int) -> Callable[[Cells], Counts]:
    return lambda cells: cells.only("showcase", "impression_1", rate, salt)


_FACTS.update({f"{step}_1": _watched(earned=False, step=step) for step in VIDEO_STEPS})
_FACTS.update({f"{step}_2": _watched(earned=True, step=step) for step in VIDEO_STEPS})
_FACTS.update(
    {name: _showcased(rate, 30 + place) for place, (name, rate) in enumerate(SHOWCASE.items())}
)
