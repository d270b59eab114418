"""Checks whether a state can be used: its form, its version and its days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from tap_pinterest.singer.coverage import Interval
from tap_pinterest.singer.state import STATE_VERSION, VERSION_KEY, Restated, identity_of
from tap_pinterest.singer.updates import LAST_ID

_WRAPPERS = ("value", "singer_state", "completed")
_DAYS = ("replication_key_value", "covered_from", "as_of")
_TYPES: Mapping[str, tuple[type, str]] = {
    "granularity": (str, "a text"),
    "settings": (str, "a text"),
    "backfilled": (str, "a text"),
    "list_read": (str, "a text"),
    "pending": (list, "a list"),
    "ahead": (dict, "an object"),
    "progress_markers": (dict, "an object"),
}
"""Types of other members, in Python and in words; the SDK writes `progress_markers`."""


class StateError(Exception):
    """The state cannot be used; the text says why, and what to do."""


def checked(state: object) -> dict[str, Any]:
    """The state as given, if it has the form that this version of the tap writes.

    Streams and accounts that the tap does not know are kept. A state without a version, such as
    that of another tap, is accepted if it has this form.

    Raises:
        StateError: The state is malformed, or a newer version of the tap has written it.
    """
    if not isinstance(state, dict):
        raise StateError(_malformed("it is not a JSON object"))
    if VERSION_KEY in state:
        _check_version(state[VERSION_KEY])
    if wrapper := next((key for key in _WRAPPERS if _is_wrapped(state, key)), None):
        raise StateError(_malformed(f"the file must have only the object inside its {wrapper}"))
    if state and "bookmarks" not in state and VERSION_KEY not in state:
        # Such as a config, whose secrets would go into STATE.
        raise StateError(_malformed("it has no bookmarks"))
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict):
        raise StateError(_malformed("bookmarks is not an object"))
    for stream, of_stream in bookmarks.items():
        _check_stream(stream, of_stream)
    return state


def _is_wrapped(state: Mapping[str, Any], key: str) -> bool:
    """Whether the state is still inside a STATE message or inside Meltano's file."""
    inside = state.get(key)
    return "bookmarks" not in state and isinstance(inside, dict) and "bookmarks" in inside


def _check_version(own: object) -> None:
    version = own.get("state_version") if isinstance(own, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StateError(_malformed(f"{VERSION_KEY}.state_version is not a whole number"))
    if version > STATE_VERSION:
        msg = (
            f"The state was written by a newer tap-pinterest (state version {version}; this one "
            f"knows {STATE_VERSION}). Upgrade tap-pinterest, or start with an empty state."
        )
        raise StateError(msg)
    names = own.get("column_names", {}) if isinstance(own, dict) else {}
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise StateError(_malformed(f"{VERSION_KEY}.column_names is not an object of texts"))
    if len({*names.values()}) < len(names):
        raise StateError(_malformed(f"{VERSION_KEY}.column_names has one name for two columns"))


def _check_stream(stream: str, of_stream: object) -> None:
    partitions = of_stream.get("partitions", []) if isinstance(of_stream, dict) else None
    if not isinstance(of_stream, dict) or not isinstance(partitions, list):
        raise StateError(_malformed(f"bookmarks.{stream} has no list of partitions"))
    _check_progress(stream, of_stream)
    seen: set[object] = set()
    for partition in partitions:
        context = partition.get("context") if isinstance(partition, dict) else None
        if not isinstance(context, dict) or not all(
            isinstance(value, (str, int)) for value in context.values()
        ):
            raise StateError(_malformed(f"a partition of bookmarks.{stream} has no context"))
        identity = identity_of(context)
        if identity in seen:
            raise StateError(_malformed(f"bookmarks.{stream} has two partitions for {context}"))
        seen.add(identity)
        _check_progress(stream, partition)


def _check_progress(stream: str, entry: Mapping[str, Any]) -> None:
    where = f"in bookmarks.{stream}"
    for key in _DAYS:
        day = _day_in(entry.get(key)) if LAST_ID in entry else entry.get(key)
        _check_parsed(date.fromisoformat, day, f"{key} {where} is not a date: {day!r:.40}")
    _check_parsed(
        lambda earlier: [Interval.parse(each) for each in earlier],
        entry.get("earlier") or (),
        f"earlier {where} is no list of ranges",
    )
    _check_parsed(Restated.parse, entry.get("restated"), f"restated {where} is no pair of dates")
    for key, (kind, words) in _TYPES.items():
        if not isinstance(entry.get(key), (kind, type(None))):
            raise StateError(_malformed(f"{key} {where} is not {words}"))


def _check_parsed(parse: Callable[[Any], object], value: object, fault: str) -> None:
    """Refuse a value that cannot be parsed; `None` is accepted."""
    try:
        if value is not None:
            parse(value)
    except (AttributeError, TypeError, ValueError):
        raise StateError(_malformed(fault)) from None


def _day_in(value: object) -> object:
    """The day of a time; anything else unchanged."""
    try:
        return datetime.fromisoformat(value).date().isoformat()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return value


def _malformed(reason: str) -> str:
    return (
        f"The state is malformed: {reason}. Restore it from a copy, or start with an empty state."
    )


def refuse_future(state: Mapping[str, Any], streams: Iterable[str], today: date) -> None:
    """Refuse future days in the state, because the days before them would never be read.

    Raises:
        StateError: The state of one of these streams has a future day.
    """
    for stream in streams:
        of_stream = state.get("bookmarks", {}).get(stream, {})
        for entry in (of_stream, *of_stream.get("partitions", ())):
            for day in _days_in(entry):
                if day > today:
                    msg = (
                        f"The state is from the future: bookmarks.{stream} names {day}, and today "
                        f"is {today}. Restore it from a copy, or start with an empty state."
                    )
                    raise StateError(msg)


def _days_in(entry: Mapping[str, Any]) -> Iterator[date]:
    """The last days that were read, according to a part of the state."""
    yield from (datetime.fromisoformat(entry[key]).date() for key in _DAYS if entry.get(key))
    for each in map(Interval.parse, entry.get("earlier") or ()):
        yield from (each.end, each.as_of)
