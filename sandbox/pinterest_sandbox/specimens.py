"""Records made from their schema alone: every property on some records, null where it may be.

What matters to a reader (ids, names, status, parents, times) is laid over these by `records`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

from pinterest_sandbox import api
from pinterest_sandbox.calendar import unix_seconds, utc_text
from pinterest_sandbox.names import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinterest_sandbox.chance import Draws

Maker: TypeAlias = "Callable[[Draws], Any]"

_ABSENT_SHARE = 0.12
_NULL_SHARE = 0.2
_FIRST_DAY = 738_000
_DAYS = 1_500
_MOST_ITEMS = 3
_WHOLE_EVERY = 4
_MOST_OF: Mapping[str, int] = {"targeting_template_ids": 1, "template_values": 2, "product_tags": 0}

_STRINGS: Mapping[str, Maker] = {
    "APP_TYPE": lambda draws: draws.one_of(("ipad", "iphone", "web")),
    "GEO": lambda draws: draws.one_of(("US-CA", "BE-VOV", "DE-BE")),
    "IMPRESSION_COUNT": lambda draws: str(1 + draws.below(9)),
    "LOCALE": lambda draws: draws.one_of(("en-US", "de", "pt-BR")),
    "LOCATION": lambda draws: draws.one_of(("US", "807", "FR")),
    "MAXIMUM_AGE": lambda draws: draws.one_of(("34", "64", "65+")),
    "MINIMUM_AGE": lambda draws: draws.one_of(("18", "21", "35")),
    "dominant_color": lambda draws: f"#{draws.below(1 << 24):06X}",
    "time": lambda draws: f"{draws.below(24):02}:{draws.below(60):02}",
    "time_zone": lambda draws: draws.one_of(("America/Los_Angeles", "Europe/Berlin", "UTC")),
}
_INTEGERS: Mapping[str, Maker] = {
    "click_window_days": lambda draws: draws.one_of((1, 7, 14, 30, 60)),
    "engagement_window_days": lambda draws: draws.one_of((1, 7, 14, 30, 60)),
    "view_window_days": lambda draws: draws.one_of((1, 7, 14, 30, 60)),
    "carting_platform_type": lambda draws: 1 + draws.below(2),
    "frequency": lambda draws: 2 + draws.below(19),
    "local_inventory_radius_in_miles": lambda draws: 1 + draws.below(50),
}

_REQUIRED: Mapping[str, frozenset[str]] = {
    "LeadFormResponse": frozenset({"has_accepted_terms", "questions"}),
    "OrderLine": frozenset({"status"}),
    "PromotionResponse": frozenset({"promotion_type"}),
    "SingleInterestTargetingOptionResponse": frozenset({"child_interests", "level", "name"}),
    "TargetingTemplateGetResponseData": frozenset({"targeting_attributes"}),
}
"""Fields that newer releases require and the description does not."""

_ID_ENDINGS = ("_id", "_ids", "audience_include", "audience_exclude", "interest")
_ADDRESS_ENDINGS = ("url", "urls", "link", "links", "image", "template")
_TRACKED_EVENTS = ("audience_verification", "buyable_button", "click", "engagement", "impression")


def record(schema: str, draws: Draws) -> dict[str, Any]:
    """A record of a named schema, the same for the same draws."""
    made: dict[str, Any] = _maker_of(schema)(draws)
    return made


@functools.cache
def _maker_of(schema: str) -> Maker:
    return _object(api.schema(schema), _REQUIRED.get(schema, frozenset()))


def _maker(name: str, facts: Mapping[str, Any]) -> Maker:
    allowed = facts.get("enum")
    if allowed:
        return lambda draws: draws.one_of(allowed)
    kind = facts.get("type")
    if kind == "object":
        return _map(facts) if facts.get("additionalProperties") else _object(facts)
    if kind == "array":
        return _array(name, facts.get("items", {}))
    return _scalar(name, facts)


def _scalar(name: str, facts: Mapping[str, Any]) -> Maker:
    kind = facts.get("type", "string")
    if kind == "boolean":
        return lambda draws: draws.chance(0.5)
    if "unit" in facts:
        factor = 1000 if facts["unit"] == "ms" else 1
        return lambda draws: _moment(draws) * factor
    if kind == "integer":
        return _integer(name)
    if kind == "number":
        return _number
    return _string(name, facts.get("format"))


def _number(draws: Draws) -> float:
    """A number; one in a few is whole, and then has no decimal point."""
    hundredths = 100 + draws.below(900)
    return hundredths / 100 if hundredths % _WHOLE_EVERY else hundredths // 100


def _integer(name: str) -> Maker:
    if name in _INTEGERS:
        return _INTEGERS[name]
    if name.endswith(("micro_currency", "spend_cap")):
        return lambda draws: (1 + draws.below(500)) * 1_000_000
    return lambda draws: 1 + draws.below(400)


def _string(name: str, form: str | None) -> Maker:
    if name in _STRINGS:
        return _STRINGS[name]
    if form == "date-time":
        return lambda draws: utc_text(_moment(draws))
    if form == "date":
        return lambda draws: utc_text(_moment(draws))[:10]
    return _text(name.lower())


def _text(name: str) -> Maker:
    if name == "id" or name.endswith(_ID_ENDINGS):
        return lambda draws: str(10**11 + draws.below(9 * 10**11))
    if "micro_currency" in name:
        return lambda draws: str((1 + draws.below(90)) * 1_000_000)
    if name.endswith(_ADDRESS_ENDINGS) or name in _TRACKED_EVENTS:
        return lambda draws: f"https://example.com/{name}/{draws.below(10**6)}?utm_source=pin"
    return sentence


def _array(name: str, items: Mapping[str, Any]) -> Maker:
    make = _maker(name, items)
    most = _MOST_OF.get(name, _MOST_ITEMS)
    return lambda draws: [make(draws) for _ in range(draws.below(most + 1))]


def _map(facts: Mapping[str, Any]) -> Maker:
    """An object whose keys are data; the facts say under a placeholder's name what they are."""
    name, keys = next(iter(facts.get("keys", {}).items()), ("AUDIENCE_ID", {"type": "string"}))
    make_key = _maker(name, keys)
    make_value: Maker = _tenths
    values = facts["additionalProperties"]
    if isinstance(values, dict) and values.get("type") in {"object", "integer"}:
        make_value = _maker(name, values)
    return lambda draws: {
        str(make_key(draws)).lower(): make_value(draws) for _ in range(draws.below(4))
    }


def _tenths(draws: Draws) -> Any:  # noqa: ANN401  a maker's answer
    return (1 + draws.below(100)) / 10


def _object(facts: Mapping[str, Any], always: frozenset[str] = frozenset()) -> Maker:
    required = always.union(facts.get("required", ()))
    makers = [
        (name, _maker(name, property_), name in required, bool(property_.get("nullable")))
        for name, property_ in facts.get("properties", {}).items()
    ]

    def make(draws: Draws) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, maker, is_required, nullable in makers:
            fate = draws.share()
            if fate < _ABSENT_SHARE and not is_required:
                continue
            null = nullable and fate > 1 - _NULL_SHARE
            made[name] = None if null else maker(draws)
        return made

    return make


def _moment(draws: Draws) -> int:
    return unix_seconds(_FIRST_DAY + draws.below(_DAYS), draws.below(86_400))
