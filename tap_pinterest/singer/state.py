"""What the state remembers of a report: how far it was read, from when, and with what settings.

A report has one partition per ad account, a plain dict in the Singer state::

    {"context": {"ad_account_id": "549…"}, "replication_key": "date",
     "replication_key_value": "2026-11-20", "covered_from": "2026-08-24", "settings": "1a2b3c4d"}
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from tap_pinterest.api.periods import ONE_DAY, DateRange, first_day, last_day, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_pinterest.api.periods import Granularity

STATE_VERSION = 1
VERSION_KEY = "tap_pinterest"
_Identity: TypeAlias = frozenset[tuple[str, str]]
_OF_THE_SDK = "progress_markers"
_WRAPPERS = ("value", "singer_state", "completed")
_DAYS = ("replication_key_value", "covered_from")


class StateError(Exception):
    """The state cannot be used: what is wrong with it, and what to do."""


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
        raise StateError(
            _malformed(f"what belongs into the file is the object inside its {wrapper}")
        )
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict):
        raise StateError(_malformed("bookmarks is not an object"))
    for stream, of_stream in bookmarks.items():
        _check_stream(stream, of_stream)
    return state


def _is_wrapped(state: Mapping[str, Any], key: str) -> bool:
    """Whether the state is what a STATE message, or Meltano's file of it, holds."""
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
        identity = _identity(context)
        if identity in seen:
            raise StateError(_malformed(f"bookmarks.{stream} has two partitions for {context}"))
        seen.add(identity)
        _check_progress(stream, partition)


def _check_progress(stream: str, entry: Mapping[str, Any]) -> None:
    for key in _DAYS:
        _check_day(stream, key, entry.get(key))
    for key in ("settings", "backfilled"):
        if not isinstance(entry.get(key), (str, type(None))):
            raise StateError(_malformed(f"{key} in bookmarks.{stream} is not a text"))
    if not isinstance(entry.get(_OF_THE_SDK), (dict, type(None))):
        raise StateError(_malformed(f"{_OF_THE_SDK} in bookmarks.{stream} is not an object"))


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
    """Refuse days that Pinterest has not seen yet: what lies before them would never be read.

    Raises:
        StateError: One of these streams has been read to, or from, such a day.
    """
    for stream in streams:
        of_stream = state.get("bookmarks", {}).get(stream, {})
        for entry in (of_stream, *of_stream.get("partitions", ())):
            for day in (entry[key] for key in _DAYS if entry.get(key)):
                if date.fromisoformat(day) > today:
                    msg = (
                        f"The state is from the future: bookmarks.{stream} names {day}, and today "
                        f"is {today}. Restore it from a copy, or start with an empty state."
                    )
                    raise StateError(msg)


@dataclass(frozen=True)
class ReadBefore:
    """What earlier runs have read, as their state tells: streams, and ad accounts."""

    streams: frozenset[str]
    ad_accounts: frozenset[str]

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> ReadBefore:
        """What a state tells."""
        bookmarks = state.get("bookmarks", {})
        contexts = (
            partition["context"]
            for of_stream in bookmarks.values()
            for partition in of_stream.get("partitions", ())
        )
        ids = (context.get("ad_account_id") for context in contexts)
        return cls(frozenset(bookmarks), frozenset(str(each) for each in ids if each))


def entry(state: dict[str, Any], stream: str) -> dict[str, Any]:
    """The part of the state that belongs to a stream, made if there is none.

    Its being there says that a run has read the stream.
    """
    state.setdefault(VERSION_KEY, {})["state_version"] = STATE_VERSION
    of_stream: dict[str, Any] = state.setdefault("bookmarks", {}).setdefault(stream, {})
    return of_stream


def size(state: Mapping[str, Any]) -> int:
    """How many partitions a state has, of which each is about as long as a record."""
    bookmarks = state.get("bookmarks", {})
    return sum(len(of_stream.get("partitions", ())) for of_stream in bookmarks.values())


def column_names(state: Mapping[str, Any]) -> Mapping[str, str]:
    """The columns that earlier runs have named, by the API's name in lower case."""
    names: Mapping[str, str] = state.get(VERSION_KEY, {}).get("column_names", {})
    return names


def keep_column_names(state: dict[str, Any], names: Mapping[str, str]) -> None:
    """Remember the columns that a stream has written, so that later runs name them alike."""
    own = state.setdefault(VERSION_KEY, {"state_version": STATE_VERSION})
    own.setdefault("column_names", {}).update(names)


class Partitions:
    """The partitions that a stream has in the state, found by their context."""

    def __init__(self, state: dict[str, Any], stream: str) -> None:
        """Look at a state that `checked` has let pass."""
        self._state = state
        self._stream = stream
        listed = state.get("bookmarks", {}).get(stream, {}).get("partitions", ())
        self._by_context: dict[_Identity, dict[str, Any]] = {
            _identity(each["context"]): each for each in listed
        }

    def of(self, context: Mapping[str, Any]) -> dict[str, Any] | None:
        """The part of the state that belongs to a context, if there is one."""
        return self._by_context.get(_identity(context))

    def made(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """The part of the state that belongs to a context, a new one if there is none."""
        identity = _identity(context)
        if identity not in self._by_context:
            added: dict[str, Any] = {"context": dict(context)}
            entry(self._state, self._stream).setdefault("partitions", []).append(added)
            self._by_context[identity] = added
        return self._by_context[identity]


def _identity(context: Mapping[str, Any]) -> _Identity:
    # Ids are texts; edited by hand, they may have become numbers.
    return frozenset((name, str(value)) for name, value in context.items())


def fingerprint(shape: Mapping[str, object]) -> str:
    """Eight hex digits of what shapes a report's rows, the same whatever the order of names."""
    text = msgspec.json.encode(shape, order="deterministic")
    return hashlib.md5(text, usedforsecurity=False).hexdigest()[:8]


@dataclass(frozen=True)
class Progress:
    """How far a report of one context has been read.

    Attributes:
        bookmark: Last day that is complete and final enough not to be the first to read again; of
            weeks and months, the first day of the last such period.
        covered_from: First day that has been read.
        settings: Fingerprint of what shaped the rows.
        backfilled: The backfill that has been done, as `2026-01-01/2026-03-31`.
    """

    bookmark: date | None = None
    covered_from: date | None = None
    settings: str | None = None
    backfilled: str | None = None

    @classmethod
    def of(cls, partition: Mapping[str, Any]) -> Progress:
        """Progress from a partition of the state; of an empty one, none."""

        def day(key: str) -> date | None:
            return date.fromisoformat(partition[key]) if partition.get(key) else None

        return cls(
            bookmark=day("replication_key_value"),
            covered_from=day("covered_from"),
            settings=partition.get("settings"),
            backfilled=partition.get("backfilled"),
        )

    def write_to(self, partition: dict[str, Any], replication_key: str) -> None:
        """Put it into a partition of the state, next to its context."""
        values = {
            "replication_key": replication_key if self.bookmark else None,
            "replication_key_value": self.bookmark and self.bookmark.isoformat(),
            "covered_from": self.covered_from and self.covered_from.isoformat(),
            "settings": self.settings,
            "backfilled": self.backfilled,
        }
        partition.update({key: value for key, value in values.items() if value})


@dataclass(frozen=True)
class ReportRange:
    """The days that a run wants of a report, whatever has been read before.

    Only whole periods are read: a first one that is not wholly in reach is left out. The last one
    may be running; it is read, and not bookmarked.

    Attributes:
        wanted: From `start_date` to `end_date`, as far as the API reaches.
        earliest: First day that the API reaches.
        lookback_days: Days to read again before the bookmark.
        complete_to: Last day that a bookmark may name: over, and said to be ready.
        backfill: A further range, to be read once, as far as the API reaches.
        backfill_name: How the state names it.
        granularity: How long a period is.
    """

    wanted: DateRange
    earliest: date
    lookback_days: int
    complete_to: date | None
    backfill: DateRange | None = None
    backfill_name: str | None = None
    granularity: Granularity = "DAY"

    @property
    def days(self) -> DateRange:
        """The days wanted, in whole periods."""
        return self._whole(self.wanted)

    def to_read(self, progress: Progress, settings: str) -> list[DateRange]:
        """The ranges to read now.

        Days since the bookmark less the lookback, days before the covered range, everything that
        is covered when the settings have changed, and the backfill if it has not been done.
        """
        first, last = self.days.start, self.days.end
        ranges: list[DateRange] = []
        if progress.bookmark is None or progress.covered_from is None:
            ranges.append(self.wanted)
        else:
            again = _before(progress.bookmark, self.lookback_days)
            ranges.append(DateRange(max(first, again), last))
            ranges.append(DateRange(first, min(_before(progress.covered_from, 1), last)))
            if progress.settings != settings:
                ranges.append(DateRange(max(self.earliest, progress.covered_from), last))
        if self.backfill and self.backfill_name != progress.backfilled:
            ranges.append(self.backfill)
        return merged(map(self._whole, ranges))

    def _whole(self, dates: DateRange) -> DateRange:
        """The periods that these days are in, as far as they are in reach."""
        start = first_day(dates.start, self.granularity)
        if start < self.earliest:
            start = last_day(dates.start, self.granularity) + ONE_DAY
        end = last_day(dates.end, self.granularity)
        return DateRange(start, min(end, max(dates.end, self.wanted.end)))

    def after(self, progress: Progress, settings: str) -> Progress:
        """Progress once those ranges have been read completely: the bookmark never moves back."""
        backfilled = self.backfill_name or progress.backfilled
        if self.days.start > self.days.end:
            return replace(progress, backfilled=backfilled)
        reached = [day for day in (progress.bookmark, self._reached()) if day]
        return Progress(
            bookmark=max(reached, default=None),
            covered_from=self._covered_from(progress),
            settings=settings,
            backfilled=backfilled,
        )

    def _covered_from(self, progress: Progress) -> date:
        """Where the days without a gap begin that end at the last day read."""
        start = self.days.start
        if progress.bookmark is None or progress.covered_from is None:
            return start
        if start > last_day(progress.bookmark, self.granularity) + ONE_DAY:
            return start
        return min(progress.covered_from, start)

    def _reached(self) -> date | None:
        """The last complete day, or the first day of the last complete period."""
        if self.complete_to is None:
            return None
        day = min(self.days.end, self.complete_to)
        if last_day(day, self.granularity) > day:
            day = first_day(day, self.granularity) - ONE_DAY
        day = first_day(day, self.granularity)
        return day if day >= self.days.start else None


def _before(day: date, days: int) -> date:
    """So many days before a day, or as many as there are: a state may name the first of all."""
    return day - timedelta(days=min(days, (day - date.min).days))
