"""The state of a report: the days that earlier runs have read, and with which settings.

A report has one partition per ad account, a plain dict in the Singer state::

    {"context": {"ad_account_id": "549…"}, "replication_key": "date",
     "replication_key_value": "2026-11-20", "covered_from": "2026-08-24", "settings": "1a2b3c4d"}

That is one interval of days, the usual case. Other intervals, such as those of a backfill or of
earlier settings, are in `earlier`. `as_of` is there if the interval was read long after its end.
`pending` has the ids of entities whose days are left to the next run.
`granularity` is there if the bookmark is the first day of a longer period: WEEK or MONTH.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple, TypeAlias

import msgspec

from tap_pinterest.api.periods import DAY, ONE_DAY, DateRange, Granularity, merged
from tap_pinterest.singer.coverage import GIVEN_UP, MIXED, Interval, after, before, missing, painted
from tap_pinterest.singer.updates import LAST_ID

STATE_VERSION = 1
VERSION_KEY = "tap_pinterest"
_Identity: TypeAlias = frozenset[tuple[str, str]]


def contexts_by_stream(state: Mapping[str, Any]) -> Mapping[str, _Identity]:
    """The streams that earlier runs have read, each with its contexts.

    A context is a pair of a name and an id, such as `ad_account_id` and `549…`.
    """
    return {
        stream: frozenset(
            pair
            for partition in of_stream.get("partitions", ())
            for pair in identity_of(partition["context"])
        )
        for stream, of_stream in state.get("bookmarks", {}).items()
    }


def entry(state: dict[str, Any], stream: str) -> dict[str, Any]:
    """The part of the state for a stream; a new part if no run has read the stream."""
    state.setdefault(VERSION_KEY, {})["state_version"] = STATE_VERSION
    of_stream: dict[str, Any] = state.setdefault("bookmarks", {}).setdefault(stream, {})
    return of_stream


def size(state: Mapping[str, Any]) -> int:
    """The number of partitions in a state; each is about as long as a record."""
    bookmarks = state.get("bookmarks", {})
    return sum(len(of_stream.get("partitions", ())) for of_stream in bookmarks.values())


def column_names(state: Mapping[str, Any]) -> Mapping[str, str]:
    """The column names that earlier runs have written, by the API's name in lower case."""
    names: Mapping[str, str] = state.get(VERSION_KEY, {}).get("column_names", {})
    return names


def keep_column_names(state: dict[str, Any], names: Mapping[str, str]) -> None:
    """Keep the column names of a stream, so that later runs use the same names."""
    own = state.setdefault(VERSION_KEY, {"state_version": STATE_VERSION})
    own.setdefault("column_names", {}).update(names)


class Partitions:
    """The partitions that a stream has in the state, found by their context."""

    def __init__(self, state: dict[str, Any], stream: str) -> None:
        self._state = state
        self._stream = stream
        listed = state.get("bookmarks", {}).get(stream, {}).get("partitions", ())
        self._by_context: dict[_Identity, dict[str, Any]] = {
            identity_of(each["context"]): each for each in listed
        }

    def of(self, context: Mapping[str, Any]) -> dict[str, Any] | None:
        """The part of the state for a context, if there is one."""
        return self._by_context.get(identity_of(context))

    def made(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """The part of the state for a context; a new part if there is none."""
        identity = identity_of(context)
        if identity not in self._by_context:
            added: dict[str, Any] = {"context": dict(context)}
            entry(self._state, self._stream).setdefault("partitions", []).append(added)
            self._by_context[identity] = added
        return self._by_context[identity]


def identity_of(context: Mapping[str, Any]) -> _Identity:
    """The ids of a context as texts: edited by hand, they may have become numbers."""
    return frozenset((name, str(value)) for name, value in context.items())


def fingerprint(shape: Mapping[str, object]) -> str:
    """Eight hex digits of the settings that shape a report's rows; the order does not matter."""
    text = msgspec.json.encode(shape, order="deterministic")
    return hashlib.md5(text, usedforsecurity=False).hexdigest()[:8]


class Restated(NamedTuple):
    """The last time that the days of the lookback were read, if they are read once a day.

    Attributes:
        on: The day of the run.
        as_of: The last complete day on that day.
    """

    on: date
    as_of: date

    @classmethod
    def parse(cls, text: str) -> Restated:
        """Read it from the state, such as `2026-11-20/2026-11-18`.

        Raises:
            ValueError: The text has another form.
        """
        on, as_of = map(date.fromisoformat, text.split("/"))
        return cls(on, as_of)

    def __str__(self) -> str:
        """The form in the state."""
        return f"{self.on}/{self.as_of}"


@dataclass(frozen=True)
class Progress:
    """The days of a report that earlier runs have read in one context.

    Attributes:
        bookmark: Last complete day that was read; for weeks and months, the first day of the last
            complete period.
        covered_from: First day of the interval that ends with the bookmark.
        settings: Fingerprint of the settings that shaped the interval's rows.
        backfilled: The backfill that was read, such as `2026-01-01/2026-03-31`.
        as_of: The last complete day when the interval was read; by default the bookmark.
        earlier: The other intervals, sorted.
        restated: When the lookback was read, if it is read once a day.
        pending: Entities that could not be read: the next run reads all these days of them.
    """

    bookmark: date | None = None
    covered_from: date | None = None
    settings: str | None = None
    backfilled: str | None = None
    as_of: date | None = None
    earlier: tuple[Interval, ...] = ()
    restated: Restated | None = None
    pending: tuple[str, ...] = ()

    @classmethod
    def of(cls, partition: Mapping[str, Any]) -> Progress:
        """Progress from a partition of the state; empty if the partition has no days."""
        if LAST_ID in partition:
            return cls()

        def day(key: str) -> date | None:
            return date.fromisoformat(partition[key]) if partition.get(key) else None

        return cls(
            bookmark=day("replication_key_value"),
            covered_from=day("covered_from"),
            settings=partition.get("settings"),
            backfilled=partition.get("backfilled"),
            as_of=day("as_of"),
            earlier=tuple(sorted(map(Interval.parse, partition.get("earlier") or ()))),
            restated=Restated.parse(text) if (text := partition.get("restated")) else None,
            pending=tuple(map(str, partition.get("pending") or ())),
        )

    def write_to(
        self, partition: dict[str, Any], replication_key: str, granularity: Granularity = DAY
    ) -> None:
        """Write the progress into a partition of the state, next to its context."""
        values = {
            "replication_key": replication_key if self.bookmark else None,
            "replication_key_value": self.bookmark and self.bookmark.isoformat(),
            "granularity": granularity.name if self.bookmark and granularity.is_longer else None,
            "covered_from": self.covered_from and self.covered_from.isoformat(),
            "settings": self.settings,
            "backfilled": self.backfilled,
            "as_of": self.as_of and self.as_of.isoformat(),
            "earlier": list(map(str, self.earlier)),
            "restated": self.restated and str(self.restated),
            "pending": list(self.pending),
        }
        for name in ("granularity", "as_of", "earlier", "restated", "pending"):
            partition.pop(name, None)
        partition.update({key: value for key, value in values.items() if value})

    def known(self, granularity: Granularity, lookback_days: int) -> list[Interval]:
        """The intervals in the state, sorted and without overlaps."""
        found = list(self.earlier)
        if self.bookmark and self.covered_from:
            end = granularity.last_day(self.bookmark)
            as_of = self.as_of or self.bookmark
            if self.covered_from <= end:
                found.append(Interval(self.covered_from, end, self.settings or MIXED, as_of))
        return painted((), found, lookback_days)

    def with_known(self, known: Sequence[Interval], granularity: Granularity) -> Progress:
        """Progress with these intervals, in the form of the state.

        The last interval with a complete period gets the bookmark. Its days after the bookmark are
        always read again, so they are left out.
        """
        complete = [(each, end) for each in known if (end := _complete_end(each, granularity))]
        if not complete:
            return replace(self, earlier=tuple(known))
        main, end = complete[-1]
        bookmark = granularity.first_day(end)
        return replace(
            self,
            bookmark=bookmark,
            covered_from=main.start,
            settings=main.settings,
            as_of=None if main.as_of == bookmark else main.as_of,
            earlier=tuple(each for each in known if each is not main),
        )

    def outdated(self, dates: DateRange, granularity: Granularity) -> Progress:
        """Progress that makes a run read these days again if earlier runs have read them."""
        # The lookback of the report is not known here, so no day counts as final.
        lookback_days = date.max.toordinal()
        known = self.known(granularity, lookback_days)
        old = [
            replace(each, start=start, end=end, settings=MIXED)
            for each in known
            if (start := max(each.start, dates.start)) <= (end := min(each.end, dates.end))
        ]
        marked = painted(known, old, lookback_days)
        return self.with_known(marked, granularity) if old else self


@dataclass(frozen=True)
class ReportRange:
    """The days of a report that a run wants, whatever the state says.

    A run reads whole periods only. It leaves out a first period that is partly out of reach. It
    reads a last period that has not ended, but does not bookmark it.

    `start_date` says where the first read begins. Days that have been read stay wanted: a later
    `start_date` does not end their restatement, and a gap after an outage is read.

    Attributes:
        wanted: From `start_date` to `end_date`, today at the latest.
        earliest: First day that the API reaches.
        lookback_days: Days to read again before the bookmark.
        complete_to: Last day that a bookmark may name: it is over, and its numbers are complete.
            `None` if no day is known to be complete.
        backfill: A further range to read once, which ends today at the latest.
        once_on: The day of the run, if the lookback is read only once a day.
        kind: The name of such reports, for messages that say how long Pinterest keeps them.
    """

    wanted: DateRange
    earliest: date
    lookback_days: int
    complete_to: date | None
    backfill: DateRange | None = None
    granularity: Granularity = DAY
    once_on: date | None = None
    kind: str = "these reports"

    @property
    def days(self) -> DateRange:
        """The wanted days, in whole periods."""
        return self._whole(self.wanted)

    def to_read(self, progress: Progress, settings: str) -> list[DateRange]:
        """The ranges to read now, the earliest days first.

        They are: wanted days that were not read; read days that are not final or have other
        settings; the days since the last day that was read; and a backfill that was not read.
        """
        known = progress.known(self.granularity, self.lookback_days)
        ranges = [self.wanted]
        if known:
            stale = self._stale(known, progress.restated, settings)
            ranges = [*missing(known, self.days), *stale, self._gap(known, progress)]
        if backfill := self._pending_backfill(progress):
            ranges.append(backfill)
        return merged(map(self._whole, ranges))

    def too_early(self, progress: Progress) -> Iterator[tuple[str, date]]:
        """Settings whose first day is out of reach, and that day.

        A setting is left out once a run has read all that Pinterest keeps from that day on.
        """
        known = progress.known(self.granularity, self.lookback_days)
        is_read = known and known[0].start <= self.days.start
        if self.wanted.start < self.earliest and not is_read:
            yield "start_date", self.wanted.start
        backfill = self._pending_backfill(progress)
        if backfill and backfill.start < self.earliest:
            yield "backfill.start_date", backfill.start

    def out_of_reach(self, progress: Progress, settings: str) -> list[DateRange]:
        """Days that were read with other settings, before they were final, or not at all.

        Pinterest no longer has these days, so their rows stay unchanged. Days that an earlier run
        has given up are left out.
        """
        known = progress.known(self.granularity, self.lookback_days)
        outdated = (each for each in known if not each.settings.endswith(GIVEN_UP))
        lost = [each.stale(settings, self.lookback_days) for each in outdated]
        if known:
            lost.append(self._gap(known, progress))
        first_in_reach = self._whole(DateRange(self.earliest, self.earliest)).start
        last = before(first_in_reach, 1)
        return merged(DateRange(each.start, min(each.end, last)) for each in lost)

    def before_rewriting(self, progress: Progress, settings: str) -> Progress:
        """Progress while days are read again with other settings.

        An interrupted run leaves rows of both kinds; the next run reads all of them again.
        """
        known = progress.known(self.granularity, self.lookback_days)
        other = [
            Interval(max(old.start, new.start), min(old.end, new.end), MIXED, old.as_of)
            for new in self.to_read(progress, settings)
            for old in known
            if old.settings != settings and old.start <= new.end and new.start <= old.end
        ]
        if not other:
            return progress
        return progress.with_known(painted(known, other, self.lookback_days), self.granularity)

    def after(self, progress: Progress, settings: str) -> Progress:
        """Progress after the ranges of `to_read` were read. The bookmark never moves back.

        While no day is known to be complete, the next run reads all of them again.
        """
        as_of = self._as_of(progress)
        if as_of is None:
            return self.before_rewriting(progress, settings)
        known = progress.known(self.granularity, self.lookback_days)
        given_up = [
            replace(each, start=start, end=end, settings=f"{each.settings}{GIVEN_UP}")
            for each in known
            for lost in self.out_of_reach(progress, settings)
            if (start := max(each.start, lost.start)) <= (end := min(each.end, lost.end))
        ]
        read = [
            Interval(each.start, each.end, settings, as_of)
            for each in self.to_read(progress, settings)
        ]
        known = painted(known, [*given_up, *read], self.lookback_days)
        return replace(
            progress.with_known(known, self.granularity),
            backfilled=self._backfill_name or progress.backfilled,
            restated=self._restated(progress, as_of),
        )

    def _as_of(self, progress: Progress) -> date | None:
        """The last complete day of the days that are read now; `None` if none is known."""
        if self.complete_to is None:
            return None
        complete = self.granularity.first_day(_end_of_whole(self.complete_to, self.granularity))
        # Pinterest may call a day complete, and later incomplete again.
        return max(complete, progress.bookmark or complete)

    def _restated(self, progress: Progress, as_of: date) -> Restated | None:
        """The note that the lookback has been read; it stays if an earlier run of the day has."""
        if self.once_on is None:
            return None
        note = progress.restated
        return note if note and note.on == self.once_on else Restated(self.once_on, as_of)

    def _gap(self, known: Sequence[Interval], progress: Progress) -> DateRange:
        """The days since the last known day; some may have been read before they were over."""
        backfill = self._pending_backfill(progress)
        end = max(self.wanted.end, before(backfill.start, 1)) if backfill else self.wanted.end
        return DateRange(after(known[-1].end, 1), end)

    @property
    def _backfill_name(self) -> str | None:
        """The backfill as the state names it. Days that have not come yet are not part of it."""
        return f"{self.backfill.start}/{self.backfill.end}" if self.backfill else None

    def _pending_backfill(self, progress: Progress) -> DateRange | None:
        """The backfill, unless it was read."""
        return self.backfill if self._backfill_name != progress.backfilled else None

    def _stale(
        self, known: Iterable[Interval], restated: Restated | None, settings: str
    ) -> Iterator[DateRange]:
        """Known days to read again; none of an interval whose lookback was read today."""
        today = restated if restated and restated.on == self.once_on else None
        for each in known:
            if not (today and each.settings == settings and each.as_of >= today.as_of):
                stale = each.stale(settings, self.lookback_days)
                yield DateRange(stale.start, min(stale.end, self.wanted.end))

    def _whole(self, dates: DateRange) -> DateRange:
        """The periods of these days that are wholly within reach."""
        first = max(dates.start, self.earliest)
        start = self.granularity.first_day(first)
        if start < self.earliest:
            start = self.granularity.last_day(first) + ONE_DAY
        end = self.granularity.last_day(dates.end)
        return DateRange(start, min(end, max(dates.end, self.wanted.end)))


def _complete_end(interval: Interval, granularity: Granularity) -> date | None:
    """The last day of an interval's last complete period; `None` if it has none."""
    end = _end_of_whole(min(interval.end, granularity.last_day(interval.as_of)), granularity)
    return end if end >= interval.start else None


def _end_of_whole(day: date, granularity: Granularity) -> date:
    """The day, if a period ends with it; otherwise the last day of the period before."""
    if granularity.last_day(day) > day:
        return before(granularity.first_day(day), 1)
    return day
