"""Rows a second of the main job: the stock loader and ours for PostgreSQL, and ours for DuckDB.

All load the same 100,000 rows of `ad_analytics` (87 columns and `__sync_key`), one after the other,
from the same sandbox, each into a new database: no load pays for what PostgreSQL still has to do
for another. Ours loads them twice: the second time there is nothing to write. Each figure is the
median of all rounds, with the least and the most; ratios are taken within a round, so that a busy
machine slows both sides.
"""

from __future__ import annotations

import itertools
import json
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psutil
import psycopg
from rich import box
from rich.console import Console
from rich.table import Table

from scripts.bench_records import COLUMNS
from scripts.embedded_postgres import EmbeddedPostgres
from scripts.fewest_calls import fewest_calls
from scripts.main_job import MainJob
from scripts.sandbox_process import sandbox_process
from scripts.spread import ROUNDS, spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.sandbox_process import SandboxProcess

STREAM = "ad_analytics"
WORLD = {"seed": 7, "accounts": 1, "empty_accounts": 0, "ads": 2300}
STOCK_DEFAULTS: Mapping[str, str] = {
    # The target's own, where meltano.yml says otherwise.
    "TARGET_POSTGRES_USE_COPY": "false",
    "TARGET_POSTGRES_VALIDATE_RECORDS": "true",
    "TARGET_POSTGRES_BATCH_SIZE_ROWS": "10000",
    "TARGET_POSTGRES_ACTIVATE_VERSION": "true",
}
SAMPLE_SECONDS = 0.1
MEGABYTE = 1_000_000
WATCHED = ("tap", "meltano", "target", "PostgreSQL")

console = Console(highlight=False, width=190)


@dataclass(frozen=True)
class Way:
    """A way to load: a loader of `meltano.yml`, and settings that differ from that file."""

    name: str
    loader: str
    schema: str
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)


DEFAULTS = Way("stock, its defaults", "target-postgres-stock", "defaults", STOCK_DEFAULTS)
SHIPPED = Way("stock, our settings", "target-postgres-stock", "shipped")
FAST = Way("ours", "target-postgres", "ours")
AGAIN = Way("ours, again", "target-postgres", "ours")
DUCKDB = Way("ours, DuckDB", "target-duckdb", "ours")
DUCKDB_AGAIN = Way("ours, DuckDB, again", "target-duckdb", "ours")
WAYS = (DEFAULTS, SHIPPED, FAST, AGAIN, DUCKDB, DUCKDB_AGAIN)
COMPARED = (
    *((SHIPPED, DEFAULTS), (FAST, DEFAULTS), (FAST, SHIPPED), (AGAIN, SHIPPED)),
    *((DUCKDB, FAST), (DUCKDB_AGAIN, AGAIN)),
)


@dataclass(frozen=True)
class Load:
    """One load of the stream."""

    calls: int
    fewest: int
    rows: int
    written: int
    seconds: float
    usage: Usage

    @property
    def cpu(self) -> float:
        """Seconds of processors, of all programs."""
        return sum(self.usage.cpu(name) for name in WATCHED)


def measure(rounds: int = ROUNDS, ways: Sequence[Way] = WAYS) -> None:
    """Load in each way, in each round, and print the results and their ratios."""
    loads: dict[Way, list[Load]] = {way: [] for way in ways}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tap-pinterest-")))
        today = datetime.now(tz=UTC).date()
        sandbox = stack.enter_context(sandbox_process(today, folder / "sandbox.log", **WORLD))
        for number in range(rounds):
            for _, of_loader in itertools.groupby(ways, lambda way: (way.loader, way.schema)):
                with EmbeddedPostgres() as database:
                    for way in of_loader:
                        # Each load has its own state, so that it reads everything.
                        place = folder / f"{number} {way.name}"
                        place.mkdir()
                        with console.status(f"Round {number + 1} of {rounds}: {way.name} ..."):
                            loads[way].append(_load(place, sandbox, database, way, number))
    _show(loads)


def seconds_to_load(
    sandbox: SandboxProcess, folder: Path, streams: Sequence[str], config: Mapping[str, str]
) -> float:
    """Load streams by the main job with our loader into a PostgreSQL of their own."""
    place = folder / "load"
    place.mkdir()
    with EmbeddedPostgres() as database:
        settings = {
            **sandbox.settings(place),
            **{f"TAP_PINTEREST_{name.upper()}": value for name, value in config.items()},
            "TAP_PINTEREST__SELECT": json.dumps([f"{stream}.*" for stream in streams]),
            "TARGET_POSTGRES_SQLALCHEMY_URL": database.url,
        }
        job = MainJob(place, settings, log=place / "log")
        started = time.monotonic()
        job.meltano("run", "tap-pinterest", FAST.loader)
        return time.monotonic() - started


def _load(
    place: Path, sandbox: SandboxProcess, database: EmbeddedPostgres, way: Way, number: int
) -> Load:
    schema = f"{way.schema}_{number}"
    settings = {
        **sandbox.settings(place),
        **way.settings,
        "TAP_PINTEREST__SELECT": f'["{STREAM}.*"]',
        "TAP_PINTEREST_REPORT_COLUMNS": json.dumps(COLUMNS),
        "TARGET_POSTGRES_SQLALCHEMY_URL": database.url,
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
        "TARGET_DUCKDB_PATH": str(file := place.parent / "warehouse.duckdb"),
        "TARGET_DUCKDB_DEFAULT_TARGET_SCHEMA": schema,
    }
    job = MainJob(place, settings, log=place / "log")
    before_it = len(sandbox.asked())
    began_at = int(time.time() * 1000)
    started = time.monotonic()
    with _used() as usage:
        job.meltano("run", "tap-pinterest", way.loader)
    seconds = time.monotonic() - started
    # A row says when the load that wrote it began.
    query = f"""
        SELECT count(*), count(*) FILTER (WHERE _sdc_sync_started_at >= {began_at})
          FROM {schema}.{STREAM}
    """  # noqa: S608 - our own names
    with _connection(way, database, file) as connection:
        ((rows, written),) = connection.execute(query).fetchall()
    asked = sandbox.asked()[before_it:]
    return Load(len(asked), fewest_calls(asked).total(), rows, written, seconds, usage)


def _connection(way: Way, database: EmbeddedPostgres, file: Path) -> Any:  # noqa: ANN401 - of either driver
    if way.loader == DUCKDB.loader:
        return duckdb.connect(str(file))
    return psycopg.connect(database.psql_url)


class Usage:
    """The CPU and memory that the watched programs among our descendants use, by program."""

    def __init__(self) -> None:
        """Start with the CPU time used so far."""
        self.memory = dict.fromkeys(WATCHED, 0)
        """The most resident memory, in bytes."""
        self._cpu: dict[tuple[str, int], tuple[float, float]] = {}
        self._started = time.time()

    def cpu(self, program: str) -> float:
        """Seconds of processors."""
        return sum(
            last - first for (name, _), (first, last) in self._cpu.items() if name == program
        )

    def sample(self) -> None:
        """Add the present use of all watched processes."""
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error), process.oneshot():
                if (program := _program(process.cmdline())) is None:
                    continue
                times = process.cpu_times()
                used = times.user + times.system
                since = 0.0 if process.create_time() >= self._started else used
                first, _ = self._cpu.get((program, process.pid), (since, used))
                self._cpu[program, process.pid] = (first, used)
                resident = process.memory_info().rss
                self.memory[program] = max(self.memory[program], resident)


def _program(arguments: Sequence[str]) -> str | None:
    """Which of the watched programs a process runs, if any."""
    first, second, *_ = (*arguments, "", "")
    if first.startswith("postgres:") or Path(first).name == "postgres":
        return "PostgreSQL"
    # A console script is the second word, after its interpreter.
    name = Path(second).name
    name = name.split("-")[0]
    return name if name in WATCHED else None


@contextmanager
def _used() -> Iterator[Usage]:
    """The CPU and memory that the block uses."""
    usage = Usage()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(SAMPLE_SECONDS):
            usage.sample()

    usage.sample()
    sampler = threading.Thread(target=watch)
    sampler.start()
    try:
        yield usage
    finally:
        done.set()
        sampler.join()


def _show(loads: Mapping[Way, Sequence[Load]]) -> None:
    (rows,) = {load.rows for of_way in loads.values() for load in of_way}
    calls = sorted(
        {f"{load.calls} (fewest {load.fewest})" for of_way in loads.values() for load in of_way}
    )
    title = f"{rows:,} rows of {STREAM} by loader; calls: {', '.join(calls)}"
    table = Table(title=title, box=box.SIMPLE_HEAD, collapse_padding=True)
    table.add_column("target", no_wrap=True)
    programs = [f"CPU s: {name}" for name in WATCHED]
    for column in ("written", "seconds", *programs, "µs/row", "peak MB"):
        table.add_column(column, justify="right")
    for way, of_way in loads.items():
        table.add_row(
            way.name,
            f"{of_way[0].written:,}",
            spread([load.seconds for load in of_way]),
            *(spread([load.usage.cpu(name) for load in of_way]) for name in WATCHED),
            spread([load.cpu / rows * 1e6 for load in of_way], 0),
            spread([load.usage.memory["target"] / MEGABYTE for load in of_way], 0),
        )
    console.print(table)
    for way, than in COMPARED:
        if way in loads and than in loads:
            pairs = [*zip(loads[way], loads[than], strict=True)]
            seconds = spread([other.seconds / one.seconds for one, other in pairs])
            cpu = spread([other.cpu / one.cpu for one, other in pairs])
            console.print(
                f"{way.name}: {seconds} times as fast as {than.name}, with {cpu} times less CPU"
            )
