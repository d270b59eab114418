"""Counts the calls of a run before it makes them."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tap_pinterest import api
from tap_pinterest.api.naming import name_of
from tap_pinterest.http.errors import PART_ERRORS, AwayError, TokenRefusedError
from tap_pinterest.http.rate_limit import MINUTE, OF_ONE_AD_ACCOUNT, STANDARD, UNIVERSAL
from tap_pinterest.reading.calls import Expected, Precision
from tap_pinterest.run.run import Run
from tap_pinterest.run.stream import RunStream
from tap_pinterest.singer.sdk import EndOfRun

TRIAL_CALLS = UNIVERSAL["trial"].calls
"""Calls a day that an app with trial access has."""

_logger = logging.getLogger("tap-pinterest")

_NOTHING_ELSE = (TokenRefusedError, AwayError)


@dataclass
class StreamPlan:
    """The calls that one stream will make.

    Attributes:
        contexts: Number of ad accounts or users to read; 1 for a stream without either.
        ranges: Days to read, as `2026-01-01..2026-01-31`, each with how many contexts read them.
        calls: Calls still to be made, by rate category.
        listed: Calls that were made already, because other streams need the ids.
        precision: How exact the number of calls is; empty means exact.
        most: Calls in the worst case; 0 if there is no worse case.
        limited: Calls of operations with a limit for each ad account, by operation and ad account.
        faults: Why the calls of a context cannot be counted, by context.
    """

    stream: str
    contexts: int = 0
    ranges: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    listed: int = 0
    precision: Precision = ""
    most: int = 0
    limited: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All calls of the run for this stream."""
        return self.listed + self.calls.total()

    def add(self, expected: Expected, context: str) -> None:
        """Count calls of a context."""
        self.precision = _of_sum(self.precision, expected.precision)
        self.most += expected.most
        if expected.calls:
            self.calls[expected.category] += expected.calls
        if expected.operation in OF_ONE_AD_ACCOUNT:
            self.limited[expected.operation, context] += expected.calls


@dataclass(frozen=True)
class Plan:
    """The calls that a run will make.

    Attributes:
        streams: Its streams, in the order in which they are read.
        made: Calls that have been made already, such as those for the lists of entities, by
            rate category.
    """

    streams: tuple[StreamPlan, ...]
    made: Counter[str]

    @property
    def calls(self) -> Counter[str]:
        """Calls still to be made, by rate category."""
        return sum((each.calls for each in self.streams), Counter())

    @property
    def all_calls(self) -> Counter[str]:
        """All calls of the run by rate category, with the calls made already."""
        return self.made + self.calls

    @property
    def total(self) -> int:
        """All calls of the run, with the calls made already."""
        return self.all_calls.total()

    @property
    def lists(self) -> int:
        """Calls for lists that no selected stream writes."""
        return self.made.total() - sum(each.listed for each in self.streams)

    @property
    def precision(self) -> Precision:
        """How exact the number of calls is."""
        precision: Precision = "at least" if any(each.faults for each in self.streams) else ""
        for each in self.streams:
            precision = _of_sum(precision, each.precision)
        return precision

    @property
    def minutes(self) -> float:
        """Least minutes that the calls wait for quota, with standard access."""
        limited = sum((each.limited for each in self.streams), Counter[tuple[str, str]]())
        needed = [
            (self.total, UNIVERSAL["standard"]),
            *((n, STANDARD[name]) for name, n in self.all_calls.items() if name in STANDARD),
            *((n, OF_ONE_AD_ACCOUNT[operation]) for (operation, _), n in limited.items()),
        ]
        waits = (max(-(-calls // quota.calls) - 1, 0) * quota.seconds for calls, quota in needed)
        return max(waits) / MINUTE

    @property
    def trial_days(self) -> int:
        """Least number of days that the calls take with trial access."""
        return math.ceil(self.total / TRIAL_CALLS)

    def as_json(self) -> dict[str, Any]:
        """The whole plan for other programs."""
        return {
            "streams": {
                each.stream: {
                    "accounts": each.contexts,
                    "ranges": dict(each.ranges),
                    "calls": each.total,
                    "calls_by_category": dict(each.calls),
                    "calls_made_to_list": each.listed,
                    "precision": each.precision or "exact",
                    **({"at_most": each.most} if each.most else {}),
                    **({"faults": each.faults} if each.faults else {}),
                }
                for each in self.streams
            },
            "calls": self.total,
            "calls_by_category": dict(self.all_calls),
            "calls_made_to_list": self.made.total(),
            "precision": self.precision or "exact",
            "minutes": round(self.minutes, 1),
            "trial_days": self.trial_days,
            "trial_day_suffices": self.trial_days <= 1,
        }


def plan(run: Run) -> Plan:
    """Count the calls that the selected streams will make.

    Where streams need ids, the lists of these ids are read now and their answers are kept.
    """
    selected = run.selected
    # A list for one stream can be another stream's own calls: read all lists before counting.
    faults = {each.name: dict(_faults(each)) for each in selected}
    tallies = run.client.tallies
    totals = {path: tallies.total(path) for path in tallies.names}
    made = {path: total.calls - total.retries for path, total in totals.items() if total.calls}
    unassigned = dict(made)
    seen: set[bytes | None] = set()
    streams = []
    for stream in selected:
        planned = StreamPlan(stream.name, faults=faults[stream.name])
        planned.listed = unassigned.pop(stream.path, 0)
        if "" not in planned.faults:
            _count(stream, planned, seen)
        streams.append(planned)
    by_category: Counter[str] = Counter()
    for path, calls in made.items():
        by_category[api.operation(f"GET {path}").category] += calls
    return Plan(tuple(streams), by_category)


def warn_of_trial_calls(run: Run) -> None:
    """Warn if an app with trial access has fewer calls a day than the run needs."""
    planned = plan(run)
    if planned.total > TRIAL_CALLS:
        _logger.warning(
            "This run needs about %s calls, and trial access has %s a day: %s. Read fewer ad "
            "accounts, streams or days, or ask Pinterest for standard access.",
            f"{planned.total:,}",
            f"{TRIAL_CALLS:,}",
            ", ".join(
                f"{each.stream} {each.calls.total():,}" for each in planned.streams if each.calls
            ),
        )


def _of_sum(one: Precision, other: Precision) -> Precision:
    """How exact a sum is, given two parts of it."""
    return "about" if "about" in {one, other} else one or other


def _faults(stream: RunStream) -> Iterator[tuple[str, str]]:
    """Read the lists that a stream needs; yield each context that cannot be counted, and why."""
    try:
        contexts = stream.all_contexts
    except _NOTHING_ELSE as error:
        raise EndOfRun(str(error)) from error
    except PART_ERRORS as error:
        yield "", str(error)
        return
    yield from ((each, str(error)) for each, error in stream.unreadable.items())
    for context in contexts:
        try:
            for _ in stream.expected(context):
                pass
        except _NOTHING_ELSE as error:
            raise EndOfRun(str(error)) from error
        except PART_ERRORS as error:
            yield name_of(context), str(error)


def _count(stream: RunStream, planned: StreamPlan, seen: set[bytes | None]) -> None:
    for context in stream.all_contexts:
        name = name_of(context)
        if name in planned.faults:
            continue
        planned.contexts += 1
        planned.ranges.update(map(str, stream.ranges(context)))
        for expected in stream.expected(context):
            if expected.key is None or expected.key not in seen:
                planned.add(expected, name)
            seen.add(expected.key)
