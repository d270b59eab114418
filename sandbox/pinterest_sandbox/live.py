"""Fields that Pinterest sends and does not describe, and answers without them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from pinterest_sandbox import api
from pinterest_sandbox.paging import Listing

if TYPE_CHECKING:
    from pinterest_sandbox.api import Facts

FieldStyle: TypeAlias = Literal["live", "described"]
"""Whether records have the fields of recorded answers, or only those of the description."""


def as_described(key: str, answer: Any) -> Any:  # noqa: ANN401  any answer
    """The answer of an operation, its records without the fields that are not described."""
    record = api.operation(key).record
    if record is None or not _has_live(key):
        return answer
    if isinstance(answer, Listing):
        return answer.each(lambda made: _described(record, dict(made)))
    return _described(api.operation(key).answer or {}, msgspec.to_builtins(answer))


@functools.cache
def _has_live(key: str) -> bool:
    return _contains_live(api.operation(key).record or {})


def _contains_live(facts: Facts) -> bool:
    inside = [*facts.get("properties", {}).values(), facts.get("items"), _values(facts)]
    return bool(facts.get("live")) or any(_contains_live(each) for each in inside if each)


def _values(facts: Facts) -> Facts | None:
    more = facts.get("additionalProperties")
    return more if isinstance(more, dict) else None


def _described(facts: Facts, value: Any) -> Any:  # noqa: ANN401  any JSON
    if isinstance(value, list):
        return [_described(facts.get("items", {}), each) for each in value]
    if not isinstance(value, dict):
        return value
    made: dict[str, Any] = {}
    for name, member in value.items():
        known = facts.get("properties", {}).get(name) or _values(facts) or {}
        if not known.get("live"):
            made[name] = _described(known, member)
        elif "described_as" in known:
            made[known["described_as"]] = member
    return made
