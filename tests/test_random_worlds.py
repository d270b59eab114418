"""Runs of all groups in which random parts of lists and reports fail, and the runs after them.

`make worlds` plays 300 of them.
"""

from __future__ import annotations

import functools
import os
import random
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from faulty_world import COLUMNS, FAULTS, records_are_unique, upsert
from pinterest_sandbox import Sandbox, WorldSize
from singer_run import EVERYTHING, run, settings
from tap_pinterest.reading.parts import MOST_NAMED
from tap_pinterest.streams.bases.report import AdsReport
from tap_pinterest.streams.pins import BULK
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from faulty_world import Tables
    from pinterest_sandbox.requests_log import LoggedRequest
    from singer_run import Run

FIRST_SEED = int(os.environ.get("RANDOM_WORLDS_FROM", "0"))
WORLDS = int(os.environ.get("RANDOM_WORLDS", "3"))
TODAY = date(2026, 11, 20)
SIZE = WorldSize(
    accounts=2,
    empty_accounts=0,
    campaigns=3,
    ad_groups=3,
    ads=4,
    days=30,
    boards=3,
    pins=4,
    members=2,
    account_records=2,
    followers=3,
    following=3,
    product_groups=2,
    products=2,
    processing_results=2,
    item_issues=2,
    media=2,
)
OF_A_GROUP = 1
"""Streams of each group that a run reads."""
WAYS: tuple[dict[str, Any], ...] = (
    {"slice_rows": 6, "user_split_fields": "NO_SPLIT,APP_TYPE,SOURCE", "start_date": "9 days ago"},
    {"report_transport": "async", "granularities": "DAY,WEEK", "start_date": "40 days ago"},
    {"report_transport": "sync", "slice_rows": 12, "organic_accounts": "both"},
)
COLUMN_OF = {"term": "input_term", "terms": "input_term", "targeting_types": "targeting_type"}
"""Columns that a parameter's value is written as, where they have another name."""
POLLS = ("/reports", "/mmm_reports", "/reports/brand_category_sku")
"""Ends of paths whose GET asks for the state of an order, by a token that is new in each run."""


@dataclass
class Way:
    """Settings to run with, and the tables of an undisturbed run.

    Attributes:
        config: The settings.
        tables: The rows of each stream.
        calls: The calls, each once.
        groups: The streams of each group.
        lists: By stream, the operations of the lists that its calls take ids from.
        own: By stream, the operations that it reads.
        orders: By stream, level and granularity of its orders.
    """

    config: dict[str, Any]
    tables: Tables
    calls: list[LoggedRequest]
    groups: dict[str, list[str]]
    lists: dict[str, set[str]]
    own: dict[str, set[str]]
    orders: dict[str, tuple[str, str]]

    def is_of(self, stream: str, call: LoggedRequest) -> bool:
        """Whether a stream makes a call for its own rows; several order reports by one path."""
        if call.operation not in self.own[stream]:
            return False
        level = (call.body or {}).get("level")
        ordered = (level, (call.body or {}).get("granularity"))
        return level is None or ordered == self.orders.get(stream)


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with Sandbox(seed=7, today=TODAY, size=SIZE, access_tier="unlimited") as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _well_again(world: Sandbox) -> Iterator[None]:
    yield
    world.heal()


@functools.cache
def undisturbed(world: Sandbox, number: int) -> Way:
    # Without a lookback the next run reads only what the state does not have.
    given = {"report_columns": COLUMNS, "lookback_days": 0}
    config = settings(world, **EVERYTHING | given | WAYS[number])
    world.requests.clear()
    result = run(config, *_streams(config))
    assert result.code == 0
    calls = {
        (each.method, each.path, each.query_string, str(each.body)): each
        for each in world.requests
        if each.operation and not each.path.startswith("/oauth") and not _is_poll(each)
    }
    streams = result.tap.run.streams
    groups: dict[str, list[str]] = {}
    for name, stream in streams.items():
        groups.setdefault(stream.group, []).append(name)
    return Way(
        config,
        upsert({}, result.messages),
        [calls[key] for key in sorted(calls)],
        groups,
        {name: _lists(result.tap, name) for name in streams},
        {name: _operations(stream) for name, stream in streams.items()},
        {name: _order(stream) for name, stream in streams.items() if isinstance(stream, AdsReport)},
    )


def _streams(config: Mapping[str, Any]) -> Sequence[str]:
    return list(TapPinterest(config=dict(config)).streams)


def _is_poll(call: LoggedRequest) -> bool:
    return call.method == "GET" and call.path.endswith(POLLS)


def _operations(stream: Any) -> set[str]:
    paths = {stream.path, *([BULK] if stream.name == "pin_analytics" else [])}
    question, operation = getattr(stream, "question", None), getattr(stream, "operation", None)
    paths |= {question.path} if question else set()
    paths |= {operation.create} if operation else set()
    return {f"{method} {path}" for path in paths for method in ("GET", "POST")}


def _order(stream: AdsReport) -> tuple[str, str]:
    return stream.question.order_level, stream.question.granularity.name


def _lists(tap: TapPinterest, name: str) -> set[str]:
    """The operations that a stream needs ids of, also those behind its lists."""
    by_path = {each.path: each for each in tap.run.streams.values()}
    found: set[str] = set()
    left = [*tap.run.streams[name].lists]
    while left:
        path = left.pop()
        if f"GET {path}" not in found:
            found.add(f"GET {path}")
            left += by_path[path].lists if path in by_path else ()
    return found | {"GET /ad_accounts", "GET /ad_accounts/{ad_account_id}", "GET /user_account"}


def values_of(call: LoggedRequest) -> dict[str, set[str]]:
    """The ids in a call's path, its parameters and the members of its body, in lower case."""
    found: dict[str, set[str]] = {}
    names = str(call.operation).partition(" ")[2].split("/")
    ids = [
        (name.strip("{}"), value)
        for name, value in zip(names, call.path.split("/"), strict=True)
        if name != value
    ]
    sent = [
        (name, str(each))
        for name, value in (call.body or {}).items()
        for each in (value if isinstance(value, list) else [value])
    ]
    for name, value in (*ids, *call.query, *sent):
        found.setdefault(name, set()).update(value.lower().split(","))
    return {name: values for name, values in found.items() if values != {"true"}}


def may_lack(row: Mapping[str, Any], call: LoggedRequest, *, is_own: bool, by_day: bool) -> bool:
    """Whether a row may be missing because a call went wrong."""
    values = values_of(call)
    start, end = values.pop("start_date", None), values.pop("end_date", None)
    if start and end and by_day and not min(start) <= str(row["date"]) <= max(end):
        return False
    texts = {str(value).lower() for value in row.values()}
    for name, wanted in values.items():
        column = COLUMN_OF.get(name, name.removesuffix("s") if name.endswith("_ids") else name)
        if column in row:
            if str(row[column]).lower() not in wanted:
                return False
        elif is_own and f"{{{name}}}" in str(call.operation) and not wanted & texts:
            return False
    return True


def hit(world: Sandbox, call: LoggedRequest, fault: Mapping[str, Any]) -> None:
    sent = {name: call.body[name] for name in call.body} if isinstance(call.body, dict) else {}
    query = dict(call.query)
    world.fail(call.path, method=call.method, query=query, sent=sent, **fault)


@dataclass
class Played:
    """The result of a run with broken parts.

    Attributes:
        way: The settings of the run.
        streams: The streams that it read.
        result: The run.
        asked: The calls that were broken, as they were asked for.
        arrived: The rows.
    """

    way: Way
    streams: Sequence[str]
    result: Run
    asked: list[LoggedRequest]
    arrived: Tables = field(default_factory=dict)

    def reasons(self, stream: str) -> str:
        part = self.result.tap.run.summary.of(stream)
        return " ".join([*part.failures.values(), *part.skipped.values()]).lower()

    def accounts_without(self, stream: str) -> set[str]:
        """The ad accounts that a stream has no row of, and that its outcome names."""
        part = self.result.tap.run.summary.of(stream)
        arrived = self.arrived.get(stream, {}).values()
        return {*part.failures, *part.skipped} - {row.get("ad_account_id") for row in arrived}

    def lost(self, stream: str) -> list[dict[str, Any]]:
        """The rows that are not there."""
        whole, arrived = self.way.tables.get(stream, {}), self.arrived.get(stream, {})
        return [whole[key] for key in whole.keys() - arrived.keys()]

    def explains(self, stream: str, row: Mapping[str, Any]) -> bool:
        """Whether a part that was broken would have had the row."""
        by_day = self.result.tap.run.streams[stream].is_report
        return any(
            may_lack(row, call, is_own=self.way.is_of(stream, call), by_day=by_day)
            for call in self.asked
            if self.way.is_of(stream, call) or call.operation in self.way.lists[stream]
        )


def play(world: Sandbox, seed: int, draw: random.Random) -> Played:
    way = undisturbed(world, seed // 100 % len(WAYS))
    streams = [
        name
        for group in way.groups.values()
        for name in draw.sample(group, min(OF_A_GROUP, len(group)))
    ]
    theirs = set().union(*(way.own[name] | way.lists[name] for name in streams))
    calls = [each for each in way.calls if each.operation in theirs]
    for _ in range(draw.randint(1, 6)):
        hit(world, draw.choice(calls), draw.choice(FAULTS))
    world.requests.clear()
    config = {**way.config, "max_requests_in_flight": draw.choice([1, 4])}
    result = run(config, *streams)
    asked = [each for each in world.requests if each.fault]
    return Played(way, streams, result, asked, upsert({}, result.messages))


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + WORLDS))
def test_parts_that_answer_equal_the_truth_others_are_named_and_the_next_run_has_all(
    world: Sandbox, seed: int
) -> None:
    played = play(world, seed, random.Random(seed))  # noqa: S311 - a seed, not a secret
    way, result = played.way, played.result

    assert records_are_unique(result.messages)
    for stream in played.streams:
        truth = way.tables.get(stream, {})
        wrong = {k: r for k, r in played.arrived.get(stream, {}).items() if truth.get(k) != r}
        assert not wrong, stream
        lost = played.lost(stream)
        assert all(played.explains(stream, row) for row in lost), stream
        assert bool(lost) <= bool(played.reasons(stream)), stream
    assert_named(played)
    summary = result.tap.run.summary.streams
    assert result.code == int(any(part.failures for part in summary.values()))

    world.heal()
    state = result.state or None
    mended = run(way.config, *played.streams, state=state)
    assert mended.code == 0
    tables = upsert(played.arrived, mended.messages)
    assert {name: tables.get(name, {}) for name in played.streams} == {
        name: way.tables.get(name, {}) for name in played.streams
    }


def assert_named(played: Played) -> None:
    """Each part that was broken is named by the stream that lost rows of it."""
    for stream in played.streams:
        broken = [each for each in played.asked if played.way.is_of(stream, each)]
        parts = {(each.method, each.path, each.query_string, str(each.body)) for each in broken}
        if len(parts) > MOST_NAMED:
            continue
        by_day = played.result.tap.run.streams[stream].is_report
        for call in broken:
            how: Any = {"is_own": True, "by_day": by_day}
            if any(may_lack(row, call, **how) for row in played.lost(stream)):
                reasons = played.reasons(stream)
                if call.ad_account_id in played.accounts_without(stream):
                    # With all its calls refused, the account itself is named.
                    continue
                assert any(name in reasons for name in names_of(call)), (stream, call)


def names_of(call: LoggedRequest) -> list[str]:
    """The texts that a part may be named by: its ids, its days, or its only cause."""
    values = values_of(call)
    start, end = values.get("start_date"), values.get("end_date")
    if start and end:
        ids = [value for name in values if name.endswith("_ids") for value in values[name]]
        return [f"{min(start)}..{max(end)}", *ids]
    ids = [name for name in values if f"{{{name}}}" in str(call.operation)]
    others = [name for name in ids if name != "ad_account_id"] or list(values)
    return [str(call.operation).lower(), *(value for name in others for value in values[name])]
