"""The meaning of a metric of ads reports, read from its name.

Pinterest has thousands of metrics and builds their names from few parts:
`TOTAL_WEB_CLICK_CHECKOUT_VALUE_IN_MICRO_DOLLAR` is the value of checkouts on websites that were
credited to clicks. A new metric of known parts describes itself. `metrics.json` has the words for
the parts, and the metrics whose names follow no pattern.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib import resources
from typing import Literal, NamedTuple, TypeAlias

import msgspec

Unit: TypeAlias = Literal[
    "count",
    "currency",
    "micro_currency",
    "usd",
    "micro_usd",
    "ratio",
    "percent",
    "multiplier",
    "days",
    "minutes",
    "seconds",
    "milliseconds",
    "pixels",
    "miles",
    "degrees",
]
Traffic: TypeAlias = Literal["paid", "earned", "both"]
"""Paid: shown as an ad. Earned: seen after somebody saved the ad to a board."""
Interaction: TypeAlias = Literal["click", "engagement", "view", "any"]
Place: TypeAlias = Literal["web", "in_app", "offline", "pinterest", "any"]

EVERYWHERE = ("days", "entities")
"""The rows over which counts and amounts add up: days, and the entities of one level."""
HISTORY_UNTIL = "2027-09-30"
"""Last day on which Pinterest answers conversions credited to engagement; it adds no new ones."""


class Metric(msgspec.Struct, frozen=True, omit_defaults=True):
    """The facts about a metric; facts that do not apply are left out."""

    text: str
    unit: Unit | None = None
    adds_up: tuple[str, ...] = ()
    """The rows whose values may be added up."""
    traffic: Traffic | None = None
    interaction: Interaction | None = None
    """Interaction with the ad that a conversion is credited to."""
    place: Place | None = None
    """Where the conversion happened."""
    event: str | None = None
    """The kind of conversion, as Pinterest's names spell it in lower case."""
    device: str | None = None
    """The device of the interaction."""
    conversion_device: str | None = None
    parts: tuple[str, str] | None = None
    """The dividend and the divisor of a ratio, by Pinterest's names."""
    times: int = 1
    """The factor for the ratio of the parts."""
    history_until: str | None = None
    """The last day on which old values can be read, if Pinterest adds no new ones."""
    known: bool = True
    """Whether the grammar knows each part of the name."""

    @property
    def description(self) -> str:
        """The meaning in a few sentences."""
        return " ".join(filter(None, (self.text, self._sums, self._end, _NULL)))

    @property
    def _sums(self) -> str:
        if self.parts:
            above, below = (name.lower() for name in self.parts)
            thousand = ", times 1,000" if self.times != 1 else ""
            return f"For a total, divide the sum of {above} by that of {below}{thousand}."
        if self.adds_up == EVERYWHERE:
            return "Adds up over days and entities."
        if self.adds_up:
            return f"Adds up over {self.adds_up[0]} only."
        return "Does not add up." if self.unit and self.known else ""

    @property
    def _end(self) -> str:
        if not self.history_until:
            return ""
        return f"Pinterest adds no new values; old ones can be read until {self.history_until}."


_NULL = "Null: Pinterest reported nothing, which is not zero."


class _Words(msgspec.Struct, frozen=True):
    """The words for the parts of names; an empty part is one that a name does not have."""

    units: dict[Unit, str]
    events: dict[str, str]
    places: dict[str, tuple[Place, str]]
    interactions: dict[str, tuple[Interaction, str]]
    devices: dict[str, str]
    traffic: dict[str, Traffic]
    seen: dict[Traffic, str]
    """When the ad was seen."""
    money: dict[str, Unit]
    counts: dict[str, tuple[str, Unit, bool]]
    """Text and unit of each measure that is no money, and whether it adds up."""
    actions: dict[str, str]
    plays: dict[str, str]
    showcase_parts: dict[str, str]
    showcase_actions: dict[str, str]
    costs: dict[str, tuple[str, str | None, str | None]]
    """The paid action, and the metrics that count it: paid only, and paid with earned."""
    spend: dict[str, str]
    spend_in: dict[Unit, str]
    """The metric of all spend, by its unit."""
    rates: dict[str, tuple[str, str, str]]
    """Text, action and digit of the action's traffic: 1 paid, 2 earned, none for both."""
    single: dict[str, Metric]
    """Metrics whose names follow no pattern."""


_WORDS = msgspec.json.decode(
    resources.files(__package__).joinpath("metrics.json").read_bytes(), type=_Words
)
UNITS: Mapping[Unit, str] = _WORDS.units
_OWN_EVENTS = "events that the advertiser has defined"
_CURRENCY = "|".join(filter(None, _WORDS.money))
_MEASURES = (
    rf"VALUE(?P<value>{_CURRENCY})?|CONVERSION_PRODUCT_VALUE(?P<product_value>{_CURRENCY})?"
    rf"|COST_PER_ACTION(?P<cost>{_CURRENCY})?|CONVERSION_PRODUCT_QUANTITY"
    r"|CONVERSION_PRODUCT_COUNT_UNIQUE|PERCENT_CROSS_DEVICE_CONVERSIONS"
    r"|CONVERSION_RATE|QUANTITY|ROAS"
)


@functools.cache
def _conversions(event: str) -> str:
    """A pattern of the names of conversions, each part with an underscore before it."""
    return (
        r"(?P<own>_ADE)?(?P<total>_TOTAL)?(?P<average>_AVERAGE)?"
        r"(?:_(?P<place>WEB|INAPP_SKAN_ASSISTED|INAPP_SKAN|INAPP|OFFLINE|PINTEREST))?"
        rf"(?:_(?P<interaction>CLICK|ENGAGEMENT|VIEW))?(?:_(?P<event>{event}))?"
        r"(?:_(?P<device>DESKTOP|MOBILE|TABLET)_ACTION_TO_(?P<then>DESKTOP|MOBILE|TABLET)"
        rf"_CONVERSION)?(?:_(?P<measure>{_MEASURES}))?(?:_(?P<traffic>[12]))?"
    )


class _Measured(NamedTuple):
    """The measure of a conversion metric."""

    text: str
    unit: Unit
    adds_up: bool = True
    parts: tuple[str, str] | None = None


class _Conversion:
    """The parts of the name of a conversion metric, and the words for them."""

    def __init__(self, parts: Mapping[str, str | None]) -> None:
        self.parts = parts
        self.measure = parts["measure"] or ""
        self.place, self.where = _WORDS.places[parts["place"] or ""]
        self.interaction, self.after = _WORDS.interactions[parts["interaction"] or ""]
        self.traffic = _WORDS.traffic[parts["traffic"] or ""]

    @property
    def event(self) -> str:
        """The kind of conversion in Pinterest's spelling."""
        return "advertiser_defined" if self.parts["own"] else (self.parts["event"] or "CONVERSIONS")

    @property
    def events(self) -> str:
        """The event, and its place."""
        if self.parts["own"]:
            return _OWN_EVENTS + self.where
        return _WORDS.events.get(self.event, f"“{_as_words(self.event)}” conversions") + self.where

    @property
    def credited(self) -> str:
        """The event, its place, and the interaction that it is credited to."""
        traffic = "paid and earned" if self.traffic == "both" else f"{self.traffic} only"
        if device := self.parts["device"]:
            first, then = _WORDS.devices[device], _WORDS.devices[self.parts["then"] or ""]
            return f"{self.events} on {then}, after an ad was seen on {first}, {traffic}"
        return f"{self.events} credited to {self.after}, {traffic}"

    @property
    def count(self) -> str:
        """The metric that counts these conversions."""
        names = ("own", "place", "interaction", "event")
        own, *others = (self.parts[name] for name in names)
        if own:
            others[-1] = None if self.parts["interaction"] else "CONVERSIONS"
            return "_".join(filter(None, ("ADE_TOTAL", *others)))
        in_all = () if "SKAN" in (self.parts["place"] or "") else ("TOTAL",)
        return "_".join(filter(None, (*in_all, *others)))

    @property
    def value(self) -> str:
        """The metric with the value of these conversions."""
        return f"{self.count.removesuffix('_CONVERSIONS')}_VALUE_IN_MICRO_DOLLAR"

    def metric(self) -> Metric:
        """The meaning of the whole name."""
        measured = self._average() or self._money() or self._counted()
        facts = Metric(
            text=f"{measured.text[0].upper()}{measured.text[1:]}.",
            unit=measured.unit,
            adds_up=EVERYWHERE if measured.adds_up else (),
            traffic=self.traffic,
            interaction=self.interaction,
            place=self.place,
            event=self.event.lower(),
            parts=measured.parts,
        )
        return msgspec.structs.replace(facts, **self._devices(), **self._end())

    def _average(self) -> _Measured | None:
        if not self.parts["average"]:
            return None
        unit = _WORDS.money[self.parts["value"] or ""]
        text = f"average value of one of the {self.credited}, in {UNITS[unit]}"
        return _Measured(text, unit, adds_up=False)

    def _money(self) -> _Measured | None:
        for measure, group, text in (
            ("COST_PER_ACTION", "cost", f"spend for one of the {self.events}"),
            ("VALUE", "value", f"value of {self.credited}"),
            ("CONVERSION_PRODUCT_VALUE", "product_value", f"value of products in {self.credited}"),
        ):
            if self.measure.startswith(measure):
                unit = _WORDS.money[self.parts[group] or ""]
                is_cost = group == "cost"
                parts = ("SPEND_IN_DOLLAR", self.count) if is_cost and unit == "currency" else None
                return _Measured(f"{text}, in {UNITS[unit]}", unit, not is_cost, parts)
        return None

    def _counted(self) -> _Measured:
        if self.measure == "ROAS":
            parts = (self.value, "SPEND_IN_MICRO_DOLLAR")
            text = f"value of {self.events} for one unit of spend, as a ratio"
            return _Measured(text, "ratio", adds_up=False, parts=parts)
        text, unit, adds_up = _WORDS.counts[self.measure]
        text = text.format(events=self.events, credited=self.credited)
        return _Measured(text, unit, adds_up=adds_up)

    def _devices(self) -> dict[str, str]:
        if not (device := self.parts["device"]):
            return {}
        return {"device": device.lower(), "conversion_device": (self.parts["then"] or "").lower()}

    def _end(self) -> dict[str, str]:
        return {"history_until": HISTORY_UNTIL} if self.interaction == "engagement" else {}


def _conversion(name: str) -> Metric | None:
    found = re.fullmatch(_conversions("|".join(_WORDS.events)), f"_{name}")
    if not found or not (found["event"] or found["own"] or found["measure"]):
        return None
    return _Conversion(found.groupdict()).metric()


def _action(name: str) -> Metric | None:
    actions = _WORDS.actions
    pattern = (
        rf"(?:TOTAL_)?(?P<action>{'|'.join(actions)})(?P<people>_USER)?"
        r"(?:_(?P<traffic>[12]))?(?P<gross>_GROSS)?"
    )
    found = re.fullmatch(pattern, name)
    if not found:
        return None
    traffic = _WORDS.traffic[found["traffic"] or ""]
    text = f"{actions[found['action']]}, {_WORDS.seen[traffic]}"
    if found["people"]:
        return Metric(f"People, each once, behind: {text}.", "count", traffic=traffic)
    gross = ", before Pinterest filters any out" if found["gross"] else ""
    return Metric(f"Number of {text}{gross}.", "count", EVERYWHERE, traffic)


_VIDEO = (
    r"(?P<both>TOTAL_)?VIDEO_(?P<what>3SEC_VIEWS|15SEC_UNIQUE_VIEWS|MRC_VIEWS|STARTS"
    r"|P(?P<percent>\d+)_(?:COMBINED|(?P<complete>COMPLETE)))(?:_(?P<traffic>1|2|PAID|EARNED))?"
)
_WATCHTIME = (
    r"(?:TOTAL_)?VIDEO_(?P<what>AVG|SUM_V50|V50)_WATCHTIME(?:_IN_(?P<unit>SECOND|MILLISECOND))?"
    r"(?:_VIDEO_STARTS)?(?:_(?P<traffic>1|2|PAID|EARNED))?"
)


def _video(name: str) -> Metric | None:
    if found := re.fullmatch(_WATCHTIME, name):
        return _watchtime(found)
    found = re.fullmatch(_VIDEO, name)
    if not found:
        return None
    traffic = _WORDS.traffic[found["traffic"] or ""]
    jumps = "without" if found["complete"] and found["percent"] != "100" else "with"
    reached = f"plays of the video that reached {found['percent']}% of it, {jumps} jumps ahead"
    text = _WORDS.plays.get(found["what"], reached)
    sums = () if "UNIQUE" in found["what"] else EVERYWHERE
    return Metric(f"Number of {text}, {_WORDS.seen[traffic]}.", "count", sums, traffic)


def _watchtime(found: re.Match[str]) -> Metric:
    units: Mapping[str | None, Unit] = {"SECOND": "seconds", "MILLISECOND": "milliseconds"}
    unit, traffic = units.get(found["unit"]), _WORDS.traffic[found["traffic"] or ""]
    counted = f", in {unit}" if unit else "; Pinterest does not name the unit"
    what = "Time that the video played with half of it in view"
    if is_average := found["what"] == "AVG":
        what = "Average time that a started video played"
    text = f"{what}{counted}, {_WORDS.seen[traffic]}."
    return Metric(text, unit, () if is_average else EVERYWHERE, traffic)


_SHOWCASE = (
    r"SHOWCASE_(?P<part>PIN|SUBPAGE|SUBPIN|CARD_THUMBNAIL)_"
    r"(?P<action>CLICKTHROUGH|IMPRESSION|REPIN|CLOSEUP|SWIPE_(?:LEFT|RIGHT|FORWARD|BACKWARD))"
)


def _showcase(name: str) -> Metric | None:
    found = re.fullmatch(_SHOWCASE, name)
    if not found:
        return None
    words = _WORDS
    text = f"{words.showcase_actions[found['action']]} {words.showcase_parts[found['part']]}"
    return Metric(f"Number of {text}, paid and earned together.", "count", EVERYWHERE, "both")


_COST = (
    r"(?P<own>ADVERTISER_PAID_)?(?P<both>E)?CP(?P<per>M|C|E|V|I|W|CV_P95|CV|3SV)"
    rf"(?P<money>{_CURRENCY})"
)


def _cost(name: str) -> Metric | None:
    found = re.fullmatch(_COST, name)
    if not found:
        return None
    what, paid, both = _WORDS.costs[found["per"]]
    unit, traffic = _WORDS.money[found["money"]], _WORDS.traffic["" if found["both"] else "1"]
    below = both if found["both"] else paid
    spend = "ADVERTISER_PAID_SPEND_IN_DOLLAR" if found["own"] else _WORDS.spend_in.get(unit)
    without = " without ads credit" if found["own"] else ""
    counted = "paid and earned" if found["both"] else "paid only"
    return Metric(
        f"Average spend{without} for {what}, {counted}, in {UNITS[unit]}.",
        unit,
        traffic=traffic,
        parts=(spend, below) if spend and below else None,
        times=1000 if found["per"] == "M" and below else 1,
    )


_SPEND = rf"(?P<kind>ADS_CREDIT_|VIDEO_|ADVERTISER_PAID_|BONUS_)?SPEND(?P<money>{_CURRENCY})"


def _spend(name: str) -> Metric | None:
    found = re.fullmatch(_SPEND, name)
    if not found:
        return None
    unit = _WORDS.money[found["money"]]
    return Metric(
        f"{_WORDS.spend[found['kind'] or '']}, in {UNITS[unit]}.", unit, EVERYWHERE, "paid"
    )


_SUMMED = frozenset({"OUTBOUND_CLICK", "REPIN"})
"""Actions that ads reports have paid and earned, and not in total."""


def _rate(name: str) -> Metric | None:
    rates = _WORDS.rates
    if name not in rates:
        return None
    what, action, digit = rates[name]
    traffic = _WORDS.traffic[digit]
    counted = "paid and earned" if traffic == "both" else f"{traffic} only"
    parts = None
    if digit:
        parts = (f"{action}_{digit}", f"IMPRESSION_{digit}")
    elif action not in _SUMMED:
        parts = (f"TOTAL_{action}", "TOTAL_IMPRESSION")
    text = f"{what[0].upper()}{what[1:]}, {counted}, as a ratio."
    return Metric(text, "ratio", traffic=traffic, parts=parts)


def _single(name: str) -> Metric | None:
    return _WORDS.single.get(name)


_NO_COUNT = re.compile(
    r"(?:^|_)(?:AVERAGE|AVG|CPA|FREQUENCY|INDEX|PERCENT|RATE|RATIO|REACH|ROAS|SCORE|SHARE|USERS?)(?:_|$)"
)
"""Words in the name of a number that does not add up."""


def _new_conversion(name: str) -> Metric | None:
    """A conversion of an unknown event, if another part of its name is known."""
    found = re.fullmatch(_conversions("[A-Z][A-Z0-9_]*?"), f"_{name}")
    others = ("place", "interaction", "device", "measure")
    if not found or not found["event"] or not any(found[part] for part in others):
        return None
    if _NO_COUNT.search(found["event"]):
        return None
    return _Conversion(found.groupdict()).metric()


def _own_event(name: str) -> Metric | None:
    """A conversion of an event that the advertiser has named: `ADE_TOTAL_CLICK_BIG_ORDER`."""
    words = name.split("_")
    for length in range(len(words) - 1, 1, -1):
        found = _conversion("_".join(words[:length])) if words[0] == "ADE" else None
        if found:
            event = " ".join(words[length:]).lower()
            text = found.text.replace(_OWN_EVENTS, f"the advertiser's events “{event}”")
            text = text.replace(_OWN_EVENTS.capitalize(), f"The advertiser's events “{event}”")
            return msgspec.structs.replace(found, text=text, parts=None)
    return None


_READERS = (
    _single,
    _spend,
    _cost,
    _rate,
    _action,
    _video,
    _showcase,
    _conversion,
    _own_event,
    _new_conversion,
)


@functools.cache
def metric(name: str) -> Metric:
    """The meaning of a metric of ads reports.

    Example:
        >>> metric("TOTAL_WEB_CLICK_CHECKOUT").text
        'Number of checkouts on websites credited to clicks on ads, paid and earned.'

    Args:
        name: Pinterest's name of it, in upper case.
    """
    for read in _READERS:
        if found := read(name):
            return found
    text = f"Metric “{_as_words(name)}”, which is newer than this version of the tap."
    return Metric(text, known=False)


def _as_words(name: str) -> str:
    return name.replace("_", " ").lower()
