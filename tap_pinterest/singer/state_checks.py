"""Whether a state can be used: its form, its version and its days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from tap_pinterest.singer.coverage import Interval
from tap_pinterest.singer.state import STATE_VERSION, VERSION_KEY, Restated, identity_of
from tap_pinterest.singer.updates import LAST_ID

_OF_THE_SDK = "progress_markers"
_WRAPPERS = ("value", "singer_state", "completed")
_DAYS = ("replication_key_value", "covered_from", "as_of")


class StateError(Exception):
    """The state cannot be used; the text says why, and what to do."""


def checked(state: object) -> dict[str, Any]:
    """The state as given, once it has the form that this version of the tap writes.

    Streams and accounts that the tap does not know are kept. State from before the tap wrote its
    version, or of another tap, is accepted where it has the same form.

    Raises:
        StateError: It is malformed, or written by a newer version of the tap.
    """
    if not isinstance(state, dict):
        raise StateError(_malformed("it is not a JSON object"))
    if VERSION_KEY in state:
        _check_version(state[VERSION_KEY])
    if wrapper := next((key for key in _WRAPPERS if _is_wrapped(state, key)), None):
        raise StateError(_malformed(f"the file must have only the object inside its {wrapper}"))
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
    for key in _DAYS:
        value = entry.get(key)
        _check_day(stream, key, _day_in(value) if LAST_ID in entry else value)
    _check_intervals(stream, entry.get("earlier"))
    _check_restated(stream, entry.get("restated"))
    for key in ("settings", "backfilled"):
        if not isinstance(entry.get(key), (str, type(None))):
            raise StateError(_malformed(f"{key} in bookmarks.{stream} is not a text"))
    if not isinstance(entry.get(_OF_THE_SDK), (dict, type(None))):
        raise StateError(_malformed(f"{_OF_THE_SDK} in bookmarks.{stream} is not an object"))


def _check_intervals(stream: str, earlier: object) -> None:
    try:
        for each in earlier or ():  # type: ignore[attr-defined]
            Interval.parse(each)
    except (AttributeError, TypeError, ValueError):
        raise StateError(
            _malformed(f"earlier in bookmarks.{stream} is no list of ranges")
        ) from None


def _check_restated(stream: str, note: object) -> None:
    try:
        if note is not None:
            Restated.parse(note)  # type: ignore[arg-type]
    except (AttributeError, TypeError, ValueError):
        raise StateError(
            _malformed(f"restated in bookmarks.{stream} is no pair of dates")
        ) from None


def _day_in(value: object) -> object:
    """The day of a time; anything else unchanged."""
    try:
        return datetime.fromisoformat(value).date().isoformat()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return value


def _check_day(stream: str, key: str, value: object) -> None:
    if value is None:
        return
    try:
        date.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        reason = f"{key} in bookmarks.{stream} is not a date: {value!r:.40}"
        raise StateError(_malformed(reason)) from None


def _malformed(reason: str) -> str:
    return (
        f"The state is malformed: {reason}. Restore it from a copy, or start with an empty state."
    )


def refuse_future(state: Mapping[str, Any], streams: Iterable[str], today: date) -> None:
    """Refuse future days in the state: the days before them would never be read.

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
    """The last days that a part of the state names as read."""
    yield from (datetime.fromisoformat(entry[key]).date() for key in _DAYS if entry.get(key))
    for each in map(Interval.parse, entry.get("earlier") or ()):
        yield from (each.end, each.as_of)
