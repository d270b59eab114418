"""Answers in another style: without the fields that only live answers have, times in one unit."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pinterest_sandbox import api
from pinterest_sandbox.paging import Listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinterest_sandbox.api import Facts
    from pinterest_sandbox.style import Style, TimeStyle

_PER_SECOND: Final[Mapping[TimeStyle, int]] = {
    "seconds": 1,
    "milliseconds": 1_000,
    "microseconds": 1_000_000,
}
_FROM_MILLISECONDS: Final = 10**11


def restyled(key: str, answer: Any, style: Style) -> Any:  # noqa: ANN401  any answer
    """The answer of an operation in a style."""
    if style.fields == "live" and style.times == "described":
        return answer
    record = api.operation(key).record
    if record is None or not _has_styles(key):
        return answer
    if isinstance(answer, Listing):
        return answer.each(lambda made: _restyled(record, dict(made), style))
    return _restyled(api.operation(key).answer or {}, msgspec.to_builtins(answer), style)


@functools.cache
def _has_styles(key: str) -> bool:
    """Whether there is anything in the records of an operation that a style changes."""
    return _is_styled(api.operation(key).record or {})


def _is_styled(facts: Facts) -> bool:
    inside = [*facts.get("properties", {}).values(), facts.get("items"), _values(facts)]
    return bool({"live", "unit"} & facts.keys()) or any(_is_styled(each) for each in inside if each)


def _values(facts: Facts) -> Facts | None:
    more = facts.get("additionalProperties")
    return more if isinstance(more, dict) else None


def _restyled(facts: Facts, value: Any, style: Style) -> Any:  # noqa: ANN401  any JSON
    if isinstance(value, list):
        return [_restyled(facts.get("items", {}), each, style) for each in value]
    if isinstance(value, int) and "unit" in facts:
        return _in_unit(value, style.times)
    if not isinstance(value, dict):
        return value
    made: dict[str, Any] = {}
    for name, member in value.items():
        known = facts.get("properties", {}).get(name) or _values(facts) or {}
        if style.fields == "live" or not known.get("live"):
            made[name] = _restyled(known, member, style)
        elif "described_as" in known:
            made[known["described_as"]] = member
    return made


def _in_unit(moment: int, unit: TimeStyle) -> int:
    if unit == "described":
        return moment
    seconds = moment // 1_000 if moment >= _FROM_MILLISECONDS else moment
    return seconds * _PER_SECOND[unit]
