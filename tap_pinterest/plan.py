"""What a run will cost, before it makes the calls: counted from the very parts that it reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SkippableAPIError

from tap_pinterest import api
from tap_pinterest.streams.analytics import AnalyticsStream
from tap_pinterest.streams.reports import POLLS, REPORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_pinterest.streams.base import PinterestStream
    from tap_pinterest.tap import TapPinterest

TRIAL_CALLS = 1_000
"""Calls a day that an app with trial access has."""


@dataclass
class StreamPlan:
    """What one stream will cost.

    Attributes:
        stream: The stream's name.
        contexts: How many ad accounts or users are read; 1 for a stream that has neither.
        ranges: Days to read, as `2026-01-01..2026-01-31`, each with how many contexts read them.
        calls: Calls by rate category: of reports as many as are needed, of lists at least these.
        faults: Why some of it cannot be told, by context.
    """

    stream: str
    contexts: int = 0
    ranges: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What a run will cost.

    Attributes:
        streams: Its streams, in the order in which they are read.
        made: Calls that have been made already, such as those for the lists of entities.
    """

    streams: tuple[StreamPlan, ...]
    made: int

    @property
    def calls(self) -> Counter[str]:
        """Calls still to be made, by rate category."""
        return sum((each.calls for each in self.streams), Counter())

    @property
    def total(self) -> int:
        """All calls of the run, those made already included."""
        return self.made + self.calls.total()


def plan(tap: TapPinterest) -> Plan:
    """Count the calls that the selected streams will make.

    What is reported on has to be listed for that: those calls are made, and their answers kept.
    """
    selected = [each for each in tap.streams.values() if each.selected]
    streams = tuple(_planned(stream) for stream in selected)  # type: ignore[arg-type]
    return Plan(streams, sum(tap.client.calls.values()))


def _planned(stream: PinterestStream) -> StreamPlan:
    planned = StreamPlan(stream.name)
    try:
        contexts = stream.partitions
    except (FatalAPIError, RetriableAPIError, SkippableAPIError) as error:
        planned.faults[""] = str(error)
        return planned
    for context in [None] if contexts is None else contexts:
        planned.contexts += 1
        if not isinstance(stream, AnalyticsStream):
            planned.calls[api.operation(f"GET {stream.path}").category] += 1
            continue
        try:
            _count(stream, context or {}, planned)
        except (FatalAPIError, RetriableAPIError, SkippableAPIError) as error:
            planned.faults[", ".join(map(str, (context or {}).values()))] = str(error)
    return planned


def _count(stream: AnalyticsStream, context: Mapping[str, str], planned: StreamPlan) -> None:
    reading = stream.reading(context)
    planned.ranges.update(map(str, reading.ranges))
    synchronous = api.operation(f"GET {stream.path}").category
    for part in reading.parts:
        if part.asynchronous:
            planned.calls.update(_report_calls())
        else:
            planned.calls[synchronous] += 1


def _report_calls() -> Iterable[str]:
    """The categories of the calls that one report takes."""
    created = api.operation(f"POST {REPORTS}").category
    polled = api.operation(f"GET {REPORTS}").category
    return [created, *[polled] * POLLS]
