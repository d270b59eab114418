"""Counts the fewest calls that could have replaced the calls of a run.

It looks only at the calls, for all streams. Calls that differ only in page, ids, targeting types
and days could be one call, within the limits of Pinterest and `slice_rows`. The number of orders
and polls of asynchronous reports is not in the query, so these calls count unchanged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from math import ceil
from typing import TYPE_CHECKING, Any

from tap_pinterest import api
from tap_pinterest.api.periods import ONE_DAY, ORGANIC, SYNCHRONOUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SLICE_ROWS = 5_000
DAYS = {"ads_analytics": SYNCHRONOUS.days, "org_analytics": ORGANIC.days}
"""Most days in a report call, by rate category."""
TYPES = "targeting_types"
ONE_BY_ONE = frozenset({"promotion_ids"})
"""Ids that answers do not repeat: a call with two of them would have an unclear answer."""
RANGE = ("start_date", "end_date")
TOKEN = "token"  # noqa: S105 - of a report


@dataclass
class _Asked:
    """The parameters in which calls differ that are otherwise equal.

    Attributes:
        bookmarks: The bookmarks of the pages.
        page_size: Items on a page.
        ids: Ids.
        types: Targeting types.
        days: Days.
    """

    bookmarks: set[str] = field(default_factory=set)
    page_size: int = 0
    ids: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    days: set[date] = field(default_factory=set)


def fewest_calls(asked: Iterable[Mapping[str, Any]], slice_rows: int = SLICE_ROWS) -> Counter[str]:
    """The fewest calls of each operation.

    Args:
        asked: Calls as the sandbox logs them: `operation`, `path` and the pairs of the `query`.
        slice_rows: Most ids times days times targeting types in a call.
    """
    fewest: Counter[str] = Counter()
    groups: dict[tuple[Any, ...], _Asked] = defaultdict(_Asked)
    for call in asked:
        operation, query = call["operation"], call["query"]
        if not operation.startswith("GET ") or TOKEN in dict(query):
            fewest[operation] += 1
        else:
            same = tuple((name, value) for name, value in query if not _differs(name))
            _add(groups[operation, call["path"], same], operation, query)
    for (operation, *_), group in groups.items():
        fewest[operation] += _least(operation, group, slice_rows)
    return fewest


def _differs(name: str) -> bool:
    """Whether calls of one list or one report may differ in a parameter."""
    return _is_batch(name) or name in {TYPES, "bookmark", "page_size", *RANGE}


def _is_batch(name: str) -> bool:
    return name.endswith("_ids") and name not in ONE_BY_ONE


def _add(group: _Asked, operation: str, query: Sequence[tuple[str, str]]) -> None:
    parameters = api.operation(operation).parameters
    values = dict(query)
    size = parameters.get("page_size")
    group.bookmarks.add(values.get("bookmark", ""))
    group.page_size = int(values.get("page_size") or (size.default if size else 1))
    for name, value in query:
        listed = [value] if name in parameters and parameters[name].explode else value.split(",")
        if _is_batch(name):
            group.ids.update(listed)
        elif name == TYPES:
            group.types.update(listed)
    if RANGE[0] in values:
        first, last = (date.fromisoformat(values[name]) for name in RANGE)
        group.days.update(first + ONE_DAY * day for day in range((last - first).days + 1))


def _least(operation: str, group: _Asked, slice_rows: int) -> int:
    facts = api.operation(operation)
    if not group.days:
        size = facts.parameters.get("page_size")
        largest = int(size.maximum or group.page_size) if size else group.page_size
        pages = ceil(len(group.bookmarks) * group.page_size / largest)
        return pages * max(ceil(len(group.ids) / _most_ids(facts)), 1)
    ids, days, types = (max(len(each), 1) for each in (group.ids, group.days, group.types))
    most_days = DAYS[facts.category]
    most_types = (facts.parameters[TYPES].max_items or 1) if TYPES in facts.parameters else 1
    # Pins have no such bound.
    rows = slice_rows if facts.category == "ads_analytics" else ids * days
    return min(
        ceil(ids / some) * ceil(days / min(most_days, rows // (some * kinds))) * ceil(types / kinds)
        for some in range(1, min(_most_ids(facts), ids) + 1)
        for kinds in range(1, min(most_types, types) + 1)
        if some * kinds <= rows
    )


def _most_ids(facts: api.Operation) -> int:
    found = [each.max_items for name, each in facts.parameters.items() if _is_batch(name)]
    return max((each for each in found if each), default=SYNCHRONOUS.ids)
