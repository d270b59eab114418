"""The numbers of Pins on each day, and of the users who made them.

A cell is one Pin on one day, once as an ad and once not, seen in one kind of app. Every number is a
sum of cells, so that splits add up to the whole, days to their summary, and Pins to their user.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from pinterest_sandbox import api
from pinterest_sandbox.chance import drawn, key, mix_all, shares
from pinterest_sandbox.kinds import boards
from pinterest_sandbox.world import VIDEO_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pinterest_sandbox.world import User

Counts: TypeAlias = "NDArray[np.int64]"

APPS: Final = ("MOBILE", "TABLET", "WEB")
CONTENTS: Final = ("ORGANIC", "PAID")
FORMATS: Final = (
    *("ORGANIC_IMAGE", "ORGANIC_PRODUCT", "ORGANIC_VIDEO"),
    *("ADS_STANDARD", "ADS_PRODUCT", "ADS_VIDEO", "ADS_IDEA"),
)
CLAIMED: Final = ("CLAIMED", "OTHER")
SOURCES: Final = ("YOUR_PINS", "OTHER_PINS")

_OF_IMPRESSIONS: Final = {
    "SAVE": 0.03,
    "PIN_CLICK": 0.05,
    "OUTBOUND_CLICK": 0.02,
    "USER_FOLLOW": 0.004,
    "PROFILE_VISIT": 0.01,
}
_OF_VIDEOS: Final = {
    "VIDEO_START": 0.8,
    "VIDEO_MRC_VIEW": 0.5,
    "VIDEO_10S_VIEW": 0.25,
    "QUARTILE_95_PERCENT_VIEW": 0.12,
}
COUNTED: Final = ("IMPRESSION", *_OF_IMPRESSIONS, *_OF_VIDEOS, "VIDEO_V50_WATCH_TIME")
"""Facts that each cell counts; watch time in milliseconds."""
RATES: Final = {
    "ENGAGEMENT_RATE": ("ENGAGEMENT", "IMPRESSION"),
    "OUTBOUND_CLICK_RATE": ("OUTBOUND_CLICK", "IMPRESSION"),
    "PIN_CLICK_RATE": ("PIN_CLICK", "IMPRESSION"),
    "SAVE_RATE": ("SAVE", "IMPRESSION"),
    "VIDEO_AVG_WATCH_TIME": ("VIDEO_V50_WATCH_TIME", "VIDEO_START"),
}
SUMS: Final = {"ENGAGEMENT": ("SAVE", "PIN_CLICK", "OUTBOUND_CLICK")}

READY: Final = "READY"
YOUNG: Final = (("PROCESSING", 0.45), ("PROCESSING", 0.9), ("ESTIMATE", 0.985))
"""The status of a day by its age, and the share that is known; older days are ready."""
_ODD_EVERY: Final = 30
_NATURAL: Final = frozenset({READY, "PROCESSING", "ESTIMATE", "BEFORE_PIN_CREATED"})
ODD: Final[tuple[str, ...]] = tuple(
    status
    for status in api.schema("PinAnalyticsMetricsResponse")["properties"]["daily_metrics"]["items"][
        "properties"
    ]["data_status"]["enum"]
    if status not in _NATURAL
)
"""Reasons why a day has no numbers; a day in thirty has one of them."""
_BLOCK: Final = 256
_APP_SHARES = np.array([0.6, 0.1, 0.3])


def status_of(day: int, today: int, *, created: int, luck: int) -> str:
    """The status of the numbers of a day."""
    if day < created:
        return "BEFORE_PIN_CREATED"
    if today - day < len(YOUNG):
        return YOUNG[today - day][0]
    if (day + luck) % _ODD_EVERY == 0:
        return ODD[(day // _ODD_EVERY + luck) % len(ODD)]
    return READY


def known(status: str) -> bool:
    """Whether a day of this status has numbers."""
    return status not in ODD and status != "BEFORE_PIN_CREATED"


class Pins:
    """Pins of a user, and those of others on boards that are shared with it, as arrays."""

    def __init__(self, user: User) -> None:
        """Takes a user's own Pins first, then the guests'."""
        self.user = user
        guests = [guest.id for board in user.boards for guest in board.all(boards.GUEST_PINS)]
        own = len(user.pin_ids)
        self.own = own
        self.ids = [*user.pin_ids, *guests]
        seed = np.uint64(key(user.world.seed, "organic", user.number) >> 1)
        self.words = mix_all(np.arange(len(self.ids), dtype=np.uint64) + seed)
        none = np.full(len(guests), user.world.anchor - 400)
        self.created: Counts = np.concatenate([user.pin_created, none]).astype(np.int64)
        kinds = np.array([*user.pin_kinds, *["REGULAR"] * len(guests)], dtype=object)
        self.video: NDArray[np.bool_] = np.isin(kinds, VIDEO_TYPES)
        promoted = np.array([*user.promoted_pins, *[False] * len(guests)], dtype=bool)
        self.paid_share = np.where(promoted, 0.5, 0.0)
        saved = np.array([*user.saved_pins, *[False] * len(guests)], dtype=bool)
        self.saved: NDArray[np.bool_] = saved
        self.claimed: Counts = (drawn(self.words, "claimed") < 0.5).astype(np.int64)  # noqa: PLR2004
        product, idea = kinds == "SHOPPING", kinds == "IDEA"
        organic = np.where(self.video, 2, np.where(product, 1, 0))
        paid = np.where(self.video, 5, np.where(product, 4, np.where(idea, 6, 3)))
        self.formats: Counts = np.stack([organic, paid], axis=1)

    @functools.cached_property
    def number_of(self) -> Mapping[str, int]:
        """The running number of each Pin."""
        return {pin_id: number for number, pin_id in enumerate(self.ids)}

    def cells(
        self, numbers: Sequence[int], days: range, today: int, facts: Iterable[str]
    ) -> dict[str, Counts]:
        """Facts of some Pins, each as an array of Pins by days by contents by apps."""
        pins = np.array(numbers, dtype=np.int64)
        words = self.words[pins][:, None, None, None]
        dates = np.arange(days.start, days.stop)
        of_day = mix_all(dates.astype(np.uint64))[None, :, None, None]
        lanes = mix_all(np.arange(6, dtype=np.uint64)).reshape(1, 1, 2, 3)
        words = mix_all(words ^ of_day ^ lanes)
        reach = np.exp(1.5 + 5.0 * drawn(self.words[pins], "reach"))[:, None, None, None]
        paid = self.paid_share[pins][:, None]
        contents = np.concatenate([np.ones_like(paid), paid], axis=1)[:, None, :, None]
        full = reach * contents * _APP_SHARES * (0.3 + 1.4 * shares(words))
        age = today - dates
        part = np.ones(len(dates))
        for days_old, (_, share) in enumerate(YOUNG):
            part[age == days_old] = share
        lives = (dates[None, :] >= self.created[pins][:, None]) & (age >= 0)
        shown = np.floor(full) * part[None, :, None, None] * lives[:, :, None, None]
        shown = np.floor(shown).astype(np.int64)
        video = self.video[pins][:, None, None, None]
        return {fact: self._counted(fact, shown, words, video) for fact in facts}

    @staticmethod
    def _counted(
        fact: str, shown: Counts, words: NDArray[np.uint64], video: NDArray[np.bool_]
    ) -> Counts:
        if fact == "IMPRESSION":
            return shown
        luck = 0.5 + drawn(words, fact)
        if fact in _OF_IMPRESSIONS:
            return np.floor(shown * _OF_IMPRESSIONS[fact] * luck).astype(np.int64)
        rate = _OF_VIDEOS.get(fact)
        if rate is not None:
            return np.floor(shown * rate * 0.6 * luck).astype(np.int64) * video
        return np.floor(shown * 4_000 * luck).astype(np.int64) * video

    def summed(
        self, groups: Mapping[str, Counts], days: range, today: int, facts: Sequence[str]
    ) -> dict[str, dict[str, Counts]]:
        """Facts of each group by day; a group is a weight of Pins by contents by apps."""
        found = {group: {fact: np.zeros(len(days), np.int64) for fact in facts} for group in groups}
        for start in range(0, self.own, _BLOCK):
            block = range(start, min(start + _BLOCK, self.own))
            cells = self.cells(block, days, today, facts)
            for group, weights in groups.items():
                wanted = weights[block.start : block.stop, None]
                for fact, counts in cells.items():
                    found[group][fact] += (counts * wanted).sum(axis=(0, 2, 3))
        return found


@functools.lru_cache(maxsize=8)
def pins_of(user: User) -> Pins:
    """The Pins of a user, made up once."""
    return Pins(user)


def facts_of(metrics: Iterable[str]) -> list[str]:
    """The facts that metrics are made of."""
    found: dict[str, None] = {}
    for metric in metrics:
        for part in RATES.get(metric, (metric,)):
            found |= dict.fromkeys(SUMS.get(part, (part,)))
    return [fact for fact in found if fact in COUNTED]


def metrics_of(counts: Mapping[str, int], metrics: Iterable[str]) -> dict[str, float]:
    """The metrics that some counts give; nothing at all where nobody saw the Pin."""
    if not any(counts.values()):
        return {}
    whole = {**counts} | {
        name: sum(counts[part] for part in parts)
        for name, parts in SUMS.items()
        if all(part in counts for part in parts)
    }
    made: dict[str, float] = {}
    for metric in metrics:
        if metric in RATES:
            above, below = RATES[metric]
            if whole[below]:
                made[metric] = whole[above] / whole[below]
        elif metric in whole:
            made[metric] = whole[metric]
    return made
