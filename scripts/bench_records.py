"""Records a CPU second: from Pinterest's answers to lines of Singer messages.

Rows of `ad_analytics` with 87 columns and `__sync_key` become lines in three ways: the tap makes
them from the bytes of answers and from decoded objects, and the SDK's own methods make them from
records that need no change. Then the mapper reads the lines. Each figure is the median of the
rounds, with the least and the most; a ratio compares the ways of one round.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import sys
import time
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.io_base import SingerWriter
from typing_extensions import override

from scripts.spread import ROUNDS, spread
from tap_pinterest.api.columns import column, offered_columns
from tap_pinterest.commands.map_pinterest import MapPinterest
from tap_pinterest.singer.memory import look_for_garbage_less_often
from tap_pinterest.streams.analytics import AdAnalytics
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

ROWS = 5_000
TIMES = 10
METRICS = [name for name in offered_columns() if column(name).kind == "metric"][:74]
COLUMNS = [
    *("AD_ID", "AD_ACCOUNT_ID", "CAMPAIGN_ID", "AD_GROUP_ID", "AD_NAME", "CAMPAIGN_NAME"),
    *METRICS,
]
"""With what stands beside them, 87 columns and `__sync_key`."""
FLOATS_THAT_ARE_WHOLE = 0.1
ACCOUNT = "549700000001"
STOCK = "the SDK's own path"

console = Console(highlight=False)


def measure() -> None:
    """Measure each way on one core, and print records a CPU second."""
    # As the command does before it runs.
    look_for_garbage_less_often()
    table = Table(title="Rows of 87 columns, with __sync_key", box=box.SIMPLE_HEAD)
    table.add_column("way")
    for heading in ("rows/CPU s", "against the SDK's"):
        table.add_column(heading, justify="right")
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    mapped = []
    with _one_core():
        for _ in range(ROUNDS):
            for name, way in WAYS.items():
                rates[name].append(way())
            mapped.append(_mapped())
    stock = rates[STOCK]
    for name, found in rates.items():
        times = [ours / theirs for ours, theirs in zip(found, stock, strict=True)]
        table.add_row(name, spread(found, 0), "1.0" if name == STOCK else spread(times))
    table.add_row("map-pinterest adds __sync_key", spread(mapped, 0), "")
    console.print(table)


@contextmanager
def _one_core() -> Iterator[None]:
    """Stay on one core during the block, if the system lets a process choose."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def rows(count: int = ROWS) -> list[dict[str, Any]]:
    """Rows as Pinterest sends them: half the metrics counts, half rates."""
    chance = random.Random(7)  # noqa: S311 - no secret
    first = datetime.now(tz=UTC).date() - timedelta(days=90)
    days = [(first + timedelta(days=number)).isoformat() for number in range(90)]

    def metric(place: int) -> float:
        if place % 2:
            return chance.randrange(1, 1_000_000)
        whole = chance.random() < FLOATS_THAT_ARE_WHOLE
        return float(chance.randrange(1000)) if whole else chance.random() * 100

    return [
        {
            "AD_ID": str(687_000_000_000 + number // 90),
            "DATE": days[number % 90],
            "AD_ACCOUNT_ID": ACCOUNT,
            # A number, as in Pinterest's own example.
            "CAMPAIGN_ID": 626_000_000_000 + number // 900,
            "AD_GROUP_ID": str(268_000_000_000 + number // 450),
            "PIN_ID": str(99_900_000_000_000_000 + number // 90),
            "AD_NAME": f"Ad {number // 90}, autumn",
            "CAMPAIGN_NAME": f"Campaign {number // 900}",
            **{name: metric(place) for place, name in enumerate(METRICS)},
        }
        for number in range(count)
    ]


class Measured(AdAnalytics):
    """The report of ads, from rows that are already in memory."""

    batches: Sequence[Iterable[dict[str, Any]]] = ()

    @override
    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
        beside = {"ad_account_id": ACCOUNT, "currency": "EUR", **self.question.attribution_columns}
        for batch in self.batches:
            for record in self.first_of_each_key(batch, set()):
                record.update(beside)
                yield record


class MeasuredTap(TapPinterest):
    """The tap with the measured stream only."""

    @override
    def discover_streams(self) -> Sequence[Any]:
        return [Measured(self.run)]

    @cached_property
    def stream(self) -> Measured:
        """The stream."""
        (stream,) = self.streams.values()
        assert isinstance(stream, Measured)  # noqa: S101 - it is the only one
        return stream


class StockWriter(SingerWriter):
    """The SDK's own writer, which has no buffer."""

    def flush(self) -> None:
        """Do nothing."""


class StockTap(MeasuredTap):
    """The tap with the SDK's own methods from a record to its line."""

    message_writer_class = StockWriter

    @override
    def discover_streams(self) -> Sequence[Any]:
        streams = super().discover_streams()
        for stream in streams:
            stream._write = stream._write_record_message  # noqa: SLF001 - the SDK's own way
            stream.TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.RECURSIVE
        return streams


def _tap(kind: type[MeasuredTap], **settings: bool) -> MeasuredTap:
    config = {"access_token": "none", "report_columns": COLUMNS, "max_requests_in_flight": 1}
    return kind(config={**config, **settings})


def _rate(tap: MeasuredTap, batches: Sequence[Iterable[dict[str, Any]]], times: int) -> float:
    tap.stream.batches = batches
    context = {"ad_account_id": ACCOUNT}
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
        begun = time.process_time()
        count = sum(1 for _ in tap.stream._sync_records(context))  # noqa: SLF001 - what sync() calls
        return count / (time.process_time() - begun) if count == ROWS * times else 0.0


def _from_bytes() -> float:
    tap = _tap(MeasuredTap)
    body = msgspec.json.encode(rows())
    split = msgspec.json.Decoder(list[msgspec.Raw]).decode
    read = tap.stream.convert.read

    def batch() -> Iterable[dict[str, Any]]:
        yield from (read(bytes(row)) for row in split(body))

    return _rate(tap, [batch() for _ in range(TIMES)], TIMES)


def _from_objects() -> float:
    tap = _tap(MeasuredTap)
    answered = rows()
    return _rate(tap, [map(tap.stream.convert, answered) for _ in range(TIMES)], TIMES)


def _stock() -> float:
    # One batch: it takes as long as ten of ours. Its key is made as the tap did it at first.
    tap = _tap(StockTap, sync_key=False)
    fields = ("ad_account_id", "ad_group_id", "ad_id", "campaign_id", "pin_id", "date")

    def record(row: dict[str, Any]) -> dict[str, Any]:
        made = {name.lower(): value for name, value in row.items()}
        made["campaign_id"] = str(made["campaign_id"])
        text = "".join(made[name] for name in fields)
        made["__sync_key"] = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        return made

    tap.stream.schema["properties"]["__sync_key"] = {"type": ["string", "null"]}
    return _rate(tap, [map(record, rows())], 1)


def _mapped() -> float:
    tap = _tap(MeasuredTap, sync_key=False)
    schema = {
        "type": "SCHEMA",
        "stream": tap.stream.name,
        "schema": tap.stream.schema,
        "key_properties": list(tap.stream.natural_keys),
    }
    convert = tap.stream.convert
    stamp = datetime.now(tz=UTC)
    records = [
        {
            "type": "RECORD",
            "stream": tap.stream.name,
            "record": {**convert(row), "currency": "EUR"},
            "time_extracted": stamp,
        }
        for row in rows()
    ]
    source = io.BytesIO(b"\n".join(map(msgspec.json.encode, (schema, *records * TIMES))))
    mapper = MapPinterest(config={})
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        begun = time.process_time()
        mapper.map_lines(source, nowhere)
        return ROWS * TIMES / (time.process_time() - begun)


WAYS: dict[str, Callable[[], float]] = {
    "from the bytes of answers": _from_bytes,
    "from decoded objects": _from_objects,
    STOCK: _stock,
}

if __name__ == "__main__":
    measure()
    sys.exit(0)
