"""Reads the definitions of custom reports in the config, and finds their faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema

from tap_pinterest import api
from tap_pinterest.api import targeting
from tap_pinterest.api.columns import (
    is_conversion,
    is_unheard_of,
    offered_columns,
    setting_of,
    unknown_columns,
)
from tap_pinterest.api.levels import ID_FILTERS, Level, Ordered, ordered
from tap_pinterest.api.likeness import hint
from tap_pinterest.api.periods import DAY, GRANULARITIES
from tap_pinterest.config.days import Day

OWN = ("name", "level", "granularity", "columns")
LIKE_SETTINGS = (
    *("start_date", "end_date", "lookback_days"),
    *("click_window_days", "engagement_window_days", "view_window_days"),
    *("conversion_report_time", "attribution_types", "reporting_timezone", "targeting_types"),
    *ID_FILTERS,
)
"""Keys that mean the same as the setting of that name; the setting is their default."""
IN_THE_BODY = (
    *("campaign_statuses", "campaign_objective_types"),
    *("campaign_brand_label", "campaign_custom_label"),
    *("ad_group_statuses", "ad_statuses", "product_group_statuses", "product_item_ids"),
    *("metrics_filters", "combine_targeting_types", "custom_conversion_event_metrics"),
)
"""Keys that only asynchronous reports have."""
LONGEST_NAME = 63
"""Bytes that PostgreSQL keeps of the name of a column."""
KEYS = (*OWN, *LIKE_SETTINGS, *IN_THE_BODY)
LISTS = (
    *("columns", *ID_FILTERS),
    *("attribution_types", "targeting_types", "product_item_ids", "campaign_objective_types"),
    *("campaign_statuses", "ad_group_statuses", "ad_statuses", "product_group_statuses"),
)
"""Keys of lists that may also be one text or number, as in the settings."""

BODY = "AdsAnalyticsCreateAsyncRequest"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_TARGETING = "_TARGETING"
_EVENT = {"custom_event_metrics_type", "custom_event_name"}
_CHECKED_ELSEWHERE = frozenset({"start_date", "end_date", "lookback_days", "targeting_types"})
_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("start_date", "end_date"), Day.parse),
    **dict.fromkeys(
        ("attribution_types", "targeting_types", *ID_FILTERS),
        lambda values: tuple(dict.fromkeys(values)),
    ),
}
"""Functions that convert a value in a custom report to a setting's value."""


@dataclass(frozen=True)
class CustomReport:
    """A report that the config defines.

    Attributes:
        level: Its level, by its name in the API.
        columns: Its columns; `None` for the columns of the setting.
        settings: Settings that differ from the tap's.
        body: Further fields of its order.
    """

    name: str
    level: str
    granularity: str
    columns: str | tuple[str, ...] | None
    settings: Mapping[str, Any]
    body: Mapping[str, Any]

    @property
    def at(self) -> Ordered:
        """Its level as orders name it, with the breakdown."""
        return ordered()[self.level]

    @property
    def combines_types(self) -> bool:
        """Whether its targeting types form one breakdown together."""
        return bool(self.body.get("combine_targeting_types"))

    @property
    def event_columns(self) -> Sequence[str]:
        """Columns of the metrics of advertiser-defined events."""
        return [_column_of(each) for each in self.body.get("custom_conversion_event_metrics") or ()]


def _column_of(event: Mapping[str, Any]) -> str:
    return event_column(f"{event['custom_event_metrics_type']}_{event['custom_event_name']}")


def event_column(text: str) -> str:
    """The name of a column from its name in a row: letters, digits and underscores."""
    return re.sub(r"\W+", "_", text).upper()


def by_place(definitions: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """The definitions, each with its place in the config: its name, or its number."""
    for number, definition in enumerate(definitions):
        name = definition.get("name") if isinstance(definition, dict) else None
        yield f"custom_reports.{name if _is_name(name) else number}", definition


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(_NAME.fullmatch(name))


def faults_of(definitions: Sequence[Any]) -> Iterator[str]:
    """The faults of definitions; each is one line and names the report and the key."""
    seen: set[str] = set()
    for place, definition in by_place(definitions):
        if not isinstance(definition, dict):
            yield f"{place}: refused; allowed: an object"
            continue
        if not _is_name(name := definition.get("name")):
            allowed = "small letters, digits and _, a letter first, at most 50"
            yield f"{place}.name: {name!r:.60} is refused; allowed: {allowed}"
        elif place in seen:
            yield f"{place}.name: refused; allowed: a name that no other report has"
        seen.add(place)
        yield from (f"{place}.{fault}" for fault in _faults(definition))


def _faults(definition: Mapping[str, Any]) -> Iterator[str]:
    for key in definition:
        if key not in KEYS:
            meant = hint(key, KEYS) or f"; the keys are {', '.join(KEYS)}"
            yield f"{key!s:.60}: there is no such key{meant}"
    given = {key: value for key, value in definition.items() if value is not None}
    name, levels = given.get("level"), ordered()
    if not isinstance(name, str) or name not in levels:
        allowed = f"one of {', '.join(levels)}{hint(name, levels)}"
        yield f"level: {name!r:.60} is refused; allowed: {allowed}"
    else:
        yield from _faults_at(levels[name], given)
        yield from _faults_of_ids(levels[name].level, given)
    yield from _faults_of_values(given)
    yield from _faults_of_columns(given.get("columns"))
    yield from _faults_of_events(given.get("custom_conversion_event_metrics"))
    granularity = GRANULARITIES.get(str(given.get("granularity", DAY.name)), DAY)
    if not granularity.has_conversions:
        yield from _faults_without_conversions(given, granularity.name)


def _faults_of_values(given: Mapping[str, Any]) -> Iterator[str]:
    for key in ("granularity", *LIKE_SETTINGS, *IN_THE_BODY):
        if key not in given or key in _CHECKED_ELSEWHERE:
            continue
        schema = _schema(api.schema(BODY)["properties"][key])
        if key in ID_FILTERS:
            # The tap divides the ids among reports; see `_faults_of_ids` for other filters.
            del schema["maxItems"]
        for error in jsonschema.Draft202012Validator(schema).iter_errors(given[key]):
            path = "".join(f".{part}" for part in error.absolute_path)
            yield f"{key}{path}: {error.message:.200}"


def _faults_of_events(events: object) -> Iterator[str]:
    """Faults of metrics of events: columns that are taken, too long or Pinterest's own."""
    names: dict[str, str] = {}
    for each in events if isinstance(events, list) else ():
        if not isinstance(each, dict) or not each.keys() >= _EVENT:
            continue
        column, name = _column_of(each), str(each["custom_event_name"])
        refused, shown = f"custom_conversion_event_metrics: {name!r:.60} is refused", column.lower()
        if column in names:
            allowed = f"one for each column, here {shown:.120}"
            yield f"{refused} beside {names[column]!r:.60}; allowed: {allowed}"
        names[column] = name
        if len(column.encode()) > LONGEST_NAME:
            allowed = f"a name whose column, here {shown:.120}, has at most {LONGEST_NAME} bytes"
            yield f"{refused}; allowed: {allowed}"
        if column in offered_columns(newer=True):
            allowed = f"a name whose column is not one of Pinterest's own, as {shown} is"
            yield f"{refused}; allowed: {allowed}"


def _schema(facts: Any) -> Any:  # noqa: ANN401
    """Facts as a JSON schema: named enums as their values."""
    if isinstance(facts, list):
        return [_schema(part) for part in facts]
    if not isinstance(facts, dict):
        return facts
    schema = {word: _schema(value) for word, value in facts.items() if word != "since"}
    if isinstance(schema.get("enum"), str):
        schema["enum"] = list(api.enum(schema["enum"], newer=True))
    return schema


def _faults_of_columns(columns: object) -> Iterator[str]:
    if columns is None:
        return
    if not (isinstance(columns, list) and columns and all(isinstance(c, str) for c in columns)):
        yield "columns: refused; allowed: default, all, or a list of Pinterest's names"
    elif isinstance(setting := setting_of(columns), tuple):
        known = (name for name in setting if not is_unheard_of(name))
        yield from (f"columns: {fault}" for fault in unknown_columns(known))


def _faults_without_conversions(given: Mapping[str, Any], by: str) -> Iterator[str]:
    """Faults of columns about conversions, which Pinterest does not credit to such a period."""
    columns = given.get("columns")
    for name in columns if isinstance(columns, list) else ():
        if is_conversion(str(name).upper()):
            yield f"columns: {name} is about conversions, which reports by {by} do not have"
    if given.get("custom_conversion_event_metrics"):
        yield f"custom_conversion_event_metrics: refused; allowed: with any granularity but {by}"


def _faults_at(at: Ordered, given: Mapping[str, Any]) -> Iterator[str]:
    """Faults by rules that the description states only in words."""
    if at.is_broken_down:
        yield from _faults_of_types(at.level, given.get("targeting_types"), given)
    else:
        for key, unset in (("targeting_types", []), ("combine_targeting_types", False)):
            if given.get(key, unset) != unset:
                yield f"{key}: refused; allowed: with a level whose name ends in {_TARGETING}"
    for key in at.level.refused_keys:
        if given.get(key):
            yield f"{key}: refused; allowed: with any level but those of {at.level.plural}"
    columns = given.get("columns")
    for name in columns if isinstance(columns, list) else ():
        if str(name).upper() in at.level.refused_columns:
            yield f"columns: {name} is not in reports of {at.level.plural}"


def _faults_of_ids(level: Level, given: Mapping[str, Any]) -> Iterator[str]:
    """Faults of filters with more ids than an order takes, if several orders cannot share them."""
    for key in level.other_filters:
        most, ids = api.schema(BODY)["properties"][key]["maxItems"], given.get(key)
        if isinstance(ids, list) and len(ids) > most:
            yield f"{key}: {len(ids)} are given; allowed: at most {most} ids below the level"


def _faults_of_types(level: Level, types: object, given: Mapping[str, Any]) -> Iterator[str]:
    combined = bool(given.get("combine_targeting_types"))
    only_reports = combined or any(given.get(key) for key in (*IN_THE_BODY, *level.other_filters))
    synchronous = () if only_reports else targeting.synchronous(level)
    known = dict.fromkeys((*targeting.asynchronous(level), *synchronous))
    most = targeting.most_in_a_report()
    if types is not None and not isinstance(types, list):
        yield f"targeting_types: refused; allowed: a list of {', '.join(known)}"
        return
    for name in types or ():
        if str(name) not in known:
            allowed = f"{', '.join(known)}{hint(name, known)}"
            yield f"targeting_types: {name!r:.60} is refused; allowed: {allowed}"
    if combined and not (types and len(types) <= most):
        yield f"targeting_types: refused; allowed: 1 to {most}, to be combined"


def parsed(definitions: Iterable[Mapping[str, Any]]) -> tuple[CustomReport, ...]:
    """Reports from definitions without faults."""
    reports, levels = [], ordered()
    for definition in definitions:
        given = {key: value for key, value in definition.items() if value is not None}
        columns = given.get("columns")
        in_the_order = {*IN_THE_BODY, *levels[given["level"]].level.other_filters}
        settings = {
            key: _PARSERS[key](given[key]) if key in _PARSERS else given[key]
            for key in LIKE_SETTINGS
            if key in given and key not in in_the_order
        }
        reports.append(
            CustomReport(
                name=given["name"],
                level=given["level"],
                granularity=given.get("granularity", DAY.name),
                columns=setting_of(columns) if columns else None,
                settings=settings,
                body={key: value for key, value in given.items() if value and key in in_the_order},
            )
        )
    return tuple(reports)
