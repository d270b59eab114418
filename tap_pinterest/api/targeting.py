"""Targeting types: the breakdowns that each level offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tap_pinterest import api
from tap_pinterest.api.batches import batches
from tap_pinterest.api.levels import LEVELS, Level

BETA = ("AGE_BUCKET_AND_GENDER", "CREATIVE_ENHANCEMENTS")
"""Types that are not open to every app: each gets its own call, so a refusal costs nothing else."""

ONLY_WHEN_NAMED = frozenset({*BETA, "LOCAL_ADS_STORE_CODE"})


def synchronous(level: Level) -> tuple[str, ...]:
    """The types that a synchronous call takes; empty if there is no such call."""
    return _parameter(level).allowed if level.targeting_path else ()


def most_in_a_call(level: Level) -> int:
    """The most types in a synchronous call."""
    return _parameter(level).max_items or 1


def _parameter(level: Level) -> api.Parameter:
    return api.operation(f"GET {level.targeting_path}").parameters["targeting_types"]


def asynchronous(level: Level) -> tuple[str, ...]:
    """The types that an asynchronous report takes."""
    if not level.targeting_report:
        return ()
    of_others = {name for each in LEVELS.values() if each != level for name in each.own_types}
    return tuple(name for name in _facts()["items"]["enum"] if name not in of_others)


def most_in_a_report() -> int:
    """The most types in an asynchronous report."""
    return int(_facts()["maxItems"])


def _facts() -> Mapping[str, Any]:
    facts: Mapping[str, Any] = api.schema("AdsAnalyticsCreateAsyncRequest")["properties"]
    types: Mapping[str, Any] = facts["targeting_types"]
    return types


def known() -> tuple[str, ...]:
    """Every type that any level has."""
    types = (
        name for level in LEVELS.values() for name in (*synchronous(level), *asynchronous(level))
    )
    return tuple(dict.fromkeys(types))


def chosen(level: Level, named: Sequence[str]) -> tuple[str, ...]:
    """The types to read at a level: the named types, or all types that every app may read.

    Types that the level does not have are skipped, because one setting is for all levels.
    """
    types = dict.fromkeys((*synchronous(level), *asynchronous(level)))
    return tuple(
        name for name in types if (name in named if named else name not in ONLY_WHEN_NAMED)
    )


def groups(types: Iterable[str], most: int) -> list[tuple[str, ...]]:
    """Group targeting types into calls: as many as one call allows, each beta type alone.

    So the refusal of a beta type costs nothing else.
    """
    types = tuple(types)
    together = batches((name for name in types if name not in BETA), most)
    return [*together, *((name,) for name in types if name in BETA)]
