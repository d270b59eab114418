"""Measures whole runs of the tap alone, against sandboxes of known sizes that answer with a delay.

The result shows the calls of a run beside the fewest calls that page sizes, batches, date ranges
and `slice_rows` allow, and the limit of the run: quota, latency or the tap's own CPU.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from rich import box
from rich.console import Console
from rich.table import Table

from scripts.bench_loading import seconds_to_load
from scripts.fewest_calls import fewest_calls
from scripts.processes import command
from scripts.sandbox_process import sandbox_process
from scripts.spread import ROUNDS, spread
from tap_pinterest.http.rate_limit import STANDARD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from scripts.sandbox_process import SandboxProcess

MEGABYTE = 1_000_000
SAMPLE_SECONDS = 0.02
LEVELS = {
    "ad_account_analytics": "/analytics",
    "campaign_analytics": "/campaigns/analytics",
    "ad_group_analytics": "/ad_groups/analytics",
    "ad_analytics": "/ads/analytics",
}
ENTITIES = {
    "campaign_analytics": "campaigns",
    "ad_group_analytics": "ad_groups",
    "ad_analytics": "ads",
}
ADS_STREAMS = ("ad_accounts", *ENTITIES.values(), *LEVELS)

console = Console(highlight=False, width=160)


@dataclass(frozen=True)
class World:
    """A sandbox, and the part of it that the tap reads.

    Attributes:
        name: Its name.
        size: The sandbox's options.
        accounts: Ad accounts.
        entities: Campaigns, ad groups and ads of each of them.
        days: Days that reports are read for.
        streams: Streams to read; the default ones if there are none.
        settings: Settings of the tap.
        keep: Whether the sandbox keeps its reports in a first run, which is not measured: making
            them up takes longer than the quota, and tap and sandbox share the machine. Such a
            world is loaded into PostgreSQL as well.
    """

    name: str
    size: Mapping[str, int]
    accounts: int
    entities: Mapping[str, int]
    days: int
    streams: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    keep: bool = False

    @property
    def config(self) -> dict[str, Any]:
        """The tap's config for it."""
        return {"start_date": f"{self.days} days ago", **self.settings}


def _world(  # noqa: PLR0913 - a world's numbers, by name
    name: str,
    *,
    accounts: int,
    campaigns: int,
    ad_groups: int,
    ads: int,
    days: int,
    latency: int,
    streams: Sequence[str] = ADS_STREAMS,
    keep: bool = False,
    **settings: str,
) -> World:
    entities = {"campaigns": campaigns, "ad_groups": ad_groups, "ads": ads}
    size = {"seed": 7, "accounts": accounts, "empty_accounts": 0, "latency": latency, **entities}
    return World(name, size, accounts, entities, days, streams, settings, keep)


STANDARD_WORLD = _world(
    "standard", accounts=3, campaigns=16, ad_groups=40, ads=160, days=89, latency=100
)
MANY_ROWS = _world(
    "many rows",
    accounts=1,
    campaigns=100,
    ad_groups=1_000,
    ads=12_000,
    days=90,
    latency=0,
    streams=("ad_analytics",),
    keep=True,
    report_transport="sync",
)
AGENCY = _world(
    "agency", accounts=20, campaigns=100, ad_groups=500, ads=2_500, days=90, latency=200, keep=True
)


@dataclass(frozen=True)
class Outcome:
    """The result of a run.

    Attributes:
        made: Calls by purpose, without calls for tokens.
        minimum: The fewest calls that would have been enough.
        rows: Records written.
        seconds: Wall time, the start included.
        cpu: CPU seconds of the tap.
        memory: Its most resident memory, in bytes.
        waited: Seconds waited for quota.
        rates: Calls by rate category.
        loaded: Seconds of the main job into PostgreSQL, by our loader, if it was measured.
    """

    made: Mapping[str, int]
    minimum: Mapping[str, int]
    rows: int
    seconds: float
    cpu: float
    memory: int
    waited: float
    rates: Mapping[str, int]
    loaded: float | None = None

    @property
    def calls(self) -> int:
        """All calls but those for tokens."""
        return sum(self.made.values())


@dataclass(frozen=True)
class Timed:
    """A process that ended.

    Attributes:
        code: Its exit code.
        seconds: Wall time.
        cpu: CPU seconds.
        memory: Its most resident memory, in bytes.
    """

    code: int
    seconds: float
    cpu: float
    memory: int


def measure(*worlds: World) -> None:
    """Read each world in several rounds, and print the results."""
    table = Table(title="The tap alone", box=box.SIMPLE_HEAD, collapse_padding=True)
    table.add_column("world", no_wrap=True)
    headings = ("calls", "fewest", "rows", "seconds", "CPU s", "peak MB", "quota s", "waited s")
    for heading in (*headings, "loaded s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for world in worlds:
        with console.status(f"Reading the {world.name} world ..."):
            outcomes = read_again(world, ROUNDS)
        outcome = outcomes[0]
        loaded = [each.loaded for each in outcomes if each.loaded is not None]
        table.add_row(
            world.name,
            f"{outcome.calls:,}",
            f"{sum(outcome.minimum.values()):,}",
            f"{outcome.rows:,}",
            spread([each.seconds for each in outcomes]),
            spread([each.cpu for each in outcomes]),
            spread([each.memory / MEGABYTE for each in outcomes], 0),
            f"{_slowest(outcome.rates):.0f}",
            spread([each.waited for each in outcomes], 0),
            spread(loaded, 0) if loaded else "",
        )
        _show_calls(world, outcome)
    console.print(table)


def _show_calls(world: World, outcome: Outcome) -> None:
    more = {
        name: (made, outcome.minimum.get(name, 0))
        for name, made in outcome.made.items()
        if made > outcome.minimum.get(name, 0)
    }
    differences = ", ".join(f"{name} {made} ({least})" for name, (made, least) in more.items())
    console.print(f"{world.name}: more calls than the fewest: {differences or 'none'}")


def read(world: World) -> Outcome:
    """Read a world once."""
    (outcome,) = read_again(world, 1)
    return outcome


def read_again(world: World, rounds: int) -> list[Outcome]:
    """Read a world in several rounds, each from the beginning."""
    today = datetime.now(tz=UTC).date()
    with tempfile.TemporaryDirectory(prefix="tap-pinterest-") as name:
        folder = Path(name)
        places = [folder / str(number) for number in range(rounds)]
        if not world.keep:
            return [_read(world, place, today) for place in places]
        keep = str(folder / "kept")
        _read(world, folder / "first", today, keep=keep, latency=0, access_tier="unlimited")
        return [_read_and_load(world, place, today, keep) for place in places]


def _read_and_load(world: World, folder: Path, today: date, keep: str) -> Outcome:
    outcome = _read(world, folder, today, keep=keep)
    with sandbox_process(today, folder / "load.log", keep=keep, **world.size) as sandbox:
        loaded = seconds_to_load(sandbox, folder, world.streams, world.config)
    return replace(outcome, loaded=loaded)


def _read(world: World, folder: Path, today: date, **sandbox: int | str) -> Outcome:
    folder.mkdir(exist_ok=True)
    with sandbox_process(today, folder / "sandbox.log", **{**world.size, **sandbox}) as process:
        return _read_from(process, world, folder)


def _read_from(sandbox: SandboxProcess, world: World, folder: Path) -> Outcome:
    environment = {**os.environ, **sandbox.settings(folder)}
    # As after an installation: discovery compiles the modules that the run then loads.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    config = folder / "config.json"
    config.write_text(json.dumps(world.config))
    tap = (command("tap-pinterest"), "--config=ENV", f"--config={config}")
    arguments = [*tap]
    if world.streams:
        catalog = folder / "catalog.json"
        catalog.write_text(catalog_of(tap, environment, world.streams))
        arguments.append(f"--catalog={catalog}")
    log = folder / "tap.log"
    process = timed(arguments, Path(os.devnull), log, environment)
    if process.code:
        raise RuntimeError(log.read_text())
    summary = summary_of(log.read_text())
    asked = sandbox.asked()
    return Outcome(
        made=_by_stream(asked),
        minimum=_fewest(asked),
        rows=sum(part["rows"] for part in summary["streams"].values()),
        seconds=process.seconds,
        cpu=process.cpu,
        memory=process.memory,
        waited=summary["seconds_waited"],
        rates=Counter(each["category"] for each in asked),
    )


def timed(
    arguments: Sequence[str],
    output: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Timed:
    """Run a command to its end, with its output in files.

    Args:
        arguments: The command.
        output: File for its standard output.
        log: File for its standard error.
        environment: Its environment variables; ours if there are none.
    """
    with output.open("w") as written, log.open("w") as errors:
        begun = time.monotonic()
        process = subprocess.Popen(arguments, env=environment, stdout=written, stderr=errors)
        watched, memory, ended = psutil.Process(process.pid), 0, 0
        while not ended:
            # Not the system's own count, which begins with the memory of this process.
            with suppress(psutil.Error):
                memory = max(memory, watched.memory_info().rss)
            time.sleep(SAMPLE_SECONDS)
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        seconds = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    return Timed(
        code=process.returncode,
        seconds=seconds,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=memory,
    )


def catalog_of(tap: Sequence[str], environment: Mapping[str, str], streams: Sequence[str]) -> str:
    """A catalog with these streams selected."""
    found = subprocess.run(
        [*tap, "--discover"], env=environment, capture_output=True, text=True, check=True
    )
    catalog = json.loads(found.stdout)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = entry["tap_stream_id"] in streams
    return json.dumps(catalog)


def summary_of(log: str) -> dict[str, Any]:
    """The summary that a run has written into its log."""
    (line,) = (line for line in log.splitlines() if "Summary: {" in line)
    summary: dict[str, Any] = json.loads(line[line.index("{") :])
    return summary


def _by_stream(asked: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Calls by purpose: a level of reports, or the last part of the operation."""
    return Counter(_stream(each["operation"]) for each in asked)


def _stream(operation: str) -> str:
    for name, end in LEVELS.items():
        if operation == f"GET /ad_accounts/{{ad_account_id}}{end}":
            return name
    return operation.removeprefix("GET ").rsplit("/", 1)[-1]


def _fewest(asked: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """The fewest calls that would have been enough, by purpose."""
    fewest: Counter[str] = Counter()
    for operation, calls in fewest_calls(asked).items():
        fewest[_stream(operation)] += calls
    return fewest


def _slowest(rates: Mapping[str, int]) -> float:
    """Seconds that the calls of the slowest category take at its limit, the first minute free."""
    return max(
        max(calls / STANDARD[name].calls - 1, 0) * 60
        for name, calls in rates.items()
        if name in STANDARD
    )
