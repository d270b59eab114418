"""`tap-pinterest-plan`: what a run will cost, before it makes the calls.

Counted from the very parts that a run reads.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, cast

import click
import msgspec
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SkippableAPIError
from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.auth import TokenRefusedError
from tap_pinterest.client import AwayError
from tap_pinterest.clock import Interrupted
from tap_pinterest.rate_limit import MINUTE, STANDARD, UNIVERSAL
from tap_pinterest.sdk import EndOfRun
from tap_pinterest.state import StateError
from tap_pinterest.tap import TapPinterest, leave, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context
    from singer_sdk.plugin_base import _ConfigInput as ConfigInput

    from tap_pinterest.calls import Expected, Precision
    from tap_pinterest.streams.base import PinterestStream

TRIAL_CALLS = UNIVERSAL["trial"].calls
"""Calls a day that an app with trial access has."""
OPTIONS = {"--version", "--config", "--catalog", "--state"}
"""Options of the tap that the command has too."""

_NOTHING_ELSE = (TokenRefusedError, AwayError)
_NOT_LISTED = (FatalAPIError, RetriableAPIError, SkippableAPIError)


@dataclass
class StreamPlan:
    """What one stream will cost.

    Attributes:
        stream: The stream's name.
        contexts: How many ad accounts or users are read; 1 for a stream that has neither.
        ranges: Days to read, as `2026-01-01..2026-01-31`, each with how many contexts read them.
        calls: Calls still to be made, by rate category.
        listed: Calls that have been made already, because other streams need the ids.
        precision: Of the number of calls: exactly so many if empty.
        most: Calls if it goes badly; 0 where nothing goes badly.
        faults: Why some of it cannot be told, by context.
    """

    stream: str
    contexts: int = 0
    ranges: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    listed: int = 0
    precision: Precision = ""
    most: int = 0
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All calls of the run for this stream."""
        return self.listed + self.calls.total()

    def add(self, expected: Expected) -> None:
        """Count calls."""
        self.precision = _of_sum(self.precision, expected.precision)
        self.most += expected.most
        if expected.calls:
            self.calls[expected.category] += expected.calls


@dataclass(frozen=True)
class Plan:
    """What a run will cost.

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
        """All calls of the run, those made already included, by rate category."""
        return self.made + self.calls

    @property
    def total(self) -> int:
        """All calls of the run, those made already included."""
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
        """How long the calls take at least at the standard tier's limits."""
        by_category = [
            calls / STANDARD[category].calls * STANDARD[category].seconds
            for category, calls in self.all_calls.items()
            if category in STANDARD
        ]
        universal = UNIVERSAL["standard"]
        return max(*by_category, self.total / universal.calls * universal.seconds, 0) / MINUTE

    @property
    def trial_days(self) -> int:
        """How many days of trial access the calls take at least."""
        return math.ceil(self.total / TRIAL_CALLS)

    def as_json(self) -> dict[str, Any]:
        """All there is to tell, for machines."""
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


def plan(tap: TapPinterest) -> Plan:
    """Count the calls that the selected streams will make.

    What ids are needed of has to be listed for that: those calls are made, and their answers kept.
    """
    selected = cast(
        "list[PinterestStream]", [each for each in tap.streams.values() if each.selected]
    )
    # Listing for one stream makes calls that another one counts as its own: first all is listed.
    faults = {each.name: dict(_faults(each)) for each in selected}
    made = {
        path: calls - tap.client.retries.get(path, 0) for path, calls in tap.client.calls.items()
    }
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


def _of_sum(one: Precision, other: Precision) -> Precision:
    """How exact a sum is, given two parts of it."""
    return "about" if "about" in {one, other} else one or other


def _faults(stream: PinterestStream) -> Iterator[tuple[str, str]]:
    """List what a stream needs; what cannot be told of it, by context, and why.

    Raises:
        EndOfRun: Nothing else can be listed either.
    """
    try:
        contexts = _contexts(stream)
    except _NOTHING_ELSE as error:
        raise EndOfRun(str(error)) from error
    except _NOT_LISTED as error:
        yield "", str(error)
        return
    for context in contexts:
        try:
            for _ in stream.expected(context):
                pass
        except _NOTHING_ELSE as error:
            raise EndOfRun(str(error)) from error
        except _NOT_LISTED as error:
            yield _name_of(context), str(error)


def _count(stream: PinterestStream, planned: StreamPlan, seen: set[bytes | None]) -> None:
    for context in _contexts(stream):
        if _name_of(context) in planned.faults:
            continue
        planned.contexts += 1
        planned.ranges.update(map(str, stream.ranges(context)))
        for expected in stream.expected(context):
            if expected.key is None or expected.key not in seen:
                planned.add(expected)
            seen.add(expected.key)


def _contexts(stream: PinterestStream) -> list[Context | None]:
    contexts = stream.partitions
    return [None] if contexts is None else list(contexts)


def _name_of(context: Context | None) -> str:
    return ", ".join(map(str, (context or {}).values()))


class PlanningTap(TapPinterest):
    """A tap that counts what a run would take, and neither reads a report nor writes a message."""

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.name = "tap-pinterest-plan"
        command.help = (
            "Say what a run would cost: for each stream ad accounts, days and calls, and how long "
            "these take. Ids are listed for that; no report is asked for, and nothing is written."
        )
        command.params = [each for each in command.params if OPTIONS & {*each.opts}]
        json = click.Option(["--json", "as_json"], is_flag=True, help="Write one JSON object.")
        command.params.append(json)
        return command

    @classmethod
    @override
    def invoke(
        cls,
        *,
        as_json: bool = False,
        config: ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        **_: Any,
    ) -> None:
        """Count, tell, and end with the exit code 0."""
        try:
            tap = cls(
                config=config.config if config else {},
                state=read_json(state, "state"),
                catalog=read_json(catalog, "catalog"),
                parse_env_config=bool(config and config.parse_env),
            )
        except StateError as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - a traceback would say nothing more
            leave(1)
        try:
            planned = plan(tap)
        except (EndOfRun, TokenRefusedError) as reason:
            cls.logger.error("Nothing can be counted: %s", reason)  # noqa: TRY400
            leave(1)
        except Interrupted:
            leave(128 + (tap.clock.interrupted_by or 0))
        finally:
            tap.close()
        if as_json:
            click.echo(msgspec.json.encode(planned.as_json()))
        else:
            for line in described(planned, tap.settings.access_tier):
                click.echo(line)
        leave(0)


def described(planned: Plan, access_tier: str) -> Iterator[str]:
    """The plan in words and a table."""
    yield from _table(planned)
    yield ""
    for each in planned.streams:
        for context, reason in each.faults.items():
            yield f"{each.stream}{f' of {context}' if context else ''} cannot be told: {reason}"
        if each.most > each.total:
            yield (
                f"{each.stream}: {each.most:,} calls where Pinterest does not let the app ask for "
                "many at once."
            )
    made = planned.made.total()
    yield f"Counting took {made:,} of these calls, to list ids; a run makes them again."
    categories = ", ".join(f"{name} {calls:,}" for name, calls in planned.all_calls.most_common())
    precision = f"{planned.precision} " if planned.precision else ""
    yield f"A run takes {precision}{planned.total:,} calls: {categories or 'none'}."
    yield f"At the limits of standard access that is {_minutes(planned.minutes)}."
    days = planned.trial_days
    enough = "suffice" if days <= 1 else f"do not suffice: it takes {days:,} days"
    tier = " (access_tier: trial)" if access_tier == "trial" else ""
    yield f"The {TRIAL_CALLS:,} calls of a trial day{tier} {enough}."


def _minutes(minutes: float) -> str:
    return "less than a minute" if minutes < 1 else f"{math.ceil(minutes):,} minutes or more"


def _table(planned: Plan) -> Iterator[str]:
    rows = [("Stream", "Accounts", "Calls", "Days")]
    for each in planned.streams:
        calls = f"{each.precision} {each.total:,}".strip()
        days = ", ".join(each.ranges)
        rows.append((each.stream, f"{each.contexts:,}", calls, days))
    if planned.lists:
        rows.append(("(other lists of ids)", "", f"{planned.lists:,}", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        name, accounts, calls, days = row
        cells = (name.ljust(widths[0]), accounts.rjust(widths[1]), calls.rjust(widths[2]), days)
        yield "  ".join(cells).rstrip()
