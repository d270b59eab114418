"""Compares Airbyte's source with the tap: both read the same streams of the same world, alone.

Both read ACTIVE and PAUSED entities, the source's default. The source would join other statuses
with commas, but Pinterest's description repeats the parameter, and the sandbox refuses commas. The
source leaves out entities last updated before its start date, and all reports of them.
The source is measured if it is installed: in the environment of the interpreter that
AIRBYTE_SOURCE_PYTHON names, or in `.venv-airbyte`, which `make bench-airbyte` makes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from scripts import bench_runs
from scripts.bench_runs import MEGABYTE, timed
from scripts.processes import ROOT
from scripts.sandbox_process import sandbox_process
from scripts.spread import ROUNDS, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scripts.bench_runs import World
    from scripts.sandbox_process import SandboxProcess

PACKAGE = "airbyte-source-pinterest"
VARIABLE = "AIRBYTE_SOURCE_PYTHON"
ENVIRONMENT = ROOT / ".venv-airbyte"
LAUNCHER = ROOT / "scripts" / "airbyte_at_sandbox.py"
TRIES = 4
"""Runs of the source for each round: some end with an error of its own."""
WORLD = replace(
    bench_runs.STANDARD_WORLD,
    name="the standard world, ACTIVE and PAUSED",
    settings={"entity_statuses": ["ACTIVE", "PAUSED"]},
)

_VERSION = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"

console = Console(highlight=False, width=190)


class NoSourceError(RuntimeError):
    """Airbyte's source is not installed, or did not run to its end."""


@dataclass(frozen=True)
class Source:
    """Airbyte's source as it is installed.

    Attributes:
        python: The interpreter that has it.
        version: The release.
    """

    python: str
    version: str


@dataclass(frozen=True)
class Effort:
    """The calls, time and memory of a run.

    Attributes:
        calls: Calls made, without calls for tokens.
        records: Records written.
        seconds: Wall time, the start included.
        cpu: CPU seconds of the process.
        memory: Its most resident memory, in bytes.
    """

    calls: int
    records: int
    seconds: float
    cpu: float
    memory: int

    @property
    def rate(self) -> float:
        """Records a CPU second."""
        return self.records / self.cpu


@dataclass(frozen=True)
class Ratios:
    """The factors by which the tap needs less, and makes more records a second, than the source."""

    calls: float
    seconds: float
    rate: float


def ratios(ours: Effort, theirs: Effort) -> Ratios:
    """The tap against the other."""
    return Ratios(
        calls=theirs.calls / ours.calls,
        seconds=theirs.seconds / ours.seconds,
        rate=ours.rate / theirs.rate,
    )


def measure() -> None:
    """Read the world with the tap and Airbyte's source in turns, if that is installed."""
    try:
        source = installed(os.environ)
    except NoSourceError as error:
        console.print(f"Airbyte's source: skipped. {error}", markup=False)
        return
    ours, theirs = rounds(source)
    if theirs:
        console.print(_table(f"{PACKAGE} {source.version} and the tap: {WORLD.name}", ours, theirs))


def rounds(source: Source) -> tuple[list[Effort], list[Effort]]:
    """The efforts of the tap and of the source; a round in which the source fails is run again."""
    ours: list[Effort] = []
    theirs: list[Effort] = []
    for _ in range(ROUNDS * TRIES):
        if len(theirs) == ROUNDS:
            break
        try:
            with console.status(f"Reading {WORLD.name} with {PACKAGE} ..."):
                theirs.append(read(source, WORLD))
        except NoSourceError as error:
            console.print(f"Airbyte's source: a run is left out. {error}", markup=False)
            continue
        outcome = bench_runs.read(WORLD)
        effort = (outcome.seconds, outcome.cpu, outcome.memory)
        ours.append(Effort(outcome.calls, outcome.rows, *effort))
    return ours, theirs


def _table(title: str, ours: Sequence[Effort], theirs: Sequence[Effort]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD)
    table.add_column("source", no_wrap=True)
    headings = ("calls", "records", "seconds", "CPU s", "records/CPU s")
    for heading in (*headings, "peak MB"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, efforts in (("tap-pinterest", ours), (PACKAGE, theirs)):
        table.add_row(
            name,
            f"{efforts[0].calls:,}",
            f"{efforts[0].records:,}",
            spread([each.seconds for each in efforts]),
            spread([each.cpu for each in efforts]),
            spread([each.rate for each in efforts], 0),
            spread([each.memory / MEGABYTE for each in efforts], 0),
        )
    times = [ratios(*pair) for pair in zip(ours, theirs, strict=True)]
    table.add_section()
    better = {
        "calls": spread([each.calls for each in times]),
        "seconds": spread([each.seconds for each in times]),
        "records/CPU s": spread([each.rate for each in times]),
    }
    table.add_row("times better", *(better.get(name, "") for name in headings))
    return table


def installed(environment: Mapping[str, str]) -> Source:
    """Airbyte's source in the environment or in this project.

    Raises:
        NoSourceError: It is not installed; the text says how to install it.
    """
    python = environment.get(VARIABLE) or str(ENVIRONMENT / "bin" / "python")
    try:
        asked = subprocess.run(
            [python, "-I", "-c", _VERSION, PACKAGE], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        message = (
            f"{python} is not there or does not have {PACKAGE}: "
            f"`make bench-airbyte` installs it, {VARIABLE} names another interpreter."
        )
        raise NoSourceError(message) from error
    return Source(python, asked.stdout.strip())


def read(source: Source, world: World) -> Effort:
    """Read a world once, from a sandbox made like the one that the tap read.

    Raises:
        NoSourceError: When the source fails or leaves a stream unread.
    """
    today = datetime.now(tz=UTC).date()
    with tempfile.TemporaryDirectory(prefix="tap-pinterest-") as name:
        folder = Path(name)
        with sandbox_process(today, folder / "sandbox.log", **world.size) as sandbox:
            start = today - timedelta(days=world.days)
            (folder / "config.json").write_text(json.dumps(config(sandbox, start.isoformat())))
            return _read(source, world, sandbox, folder)


def _read(source: Source, world: World, sandbox: SandboxProcess, folder: Path) -> Effort:
    # Isolated: the interpreter is to see its own packages only, and not our scripts.
    launch = (source.python, "-I", str(LAUNCHER), sandbox.url)
    options = f"--config={folder / 'config.json'}"
    found = subprocess.run(
        [*launch, "discover", options], capture_output=True, text=True, check=False
    )
    catalog = folder / "catalog.json"
    catalog.write_text(json.dumps(configured(found.stdout.splitlines(), world.streams)))
    messages, log = folder / "messages.jsonl", folder / "source.log"
    process = timed((*launch, "read", options, f"--catalog={catalog}"), messages, log)
    with messages.open(encoding="utf-8") as lines:
        read = tally(lines)
    if process.code or read.incomplete:
        problems = [*read.incomplete, *read.errors, log.read_text()]
        message = f"It ended with code {process.code}. {' '.join(problems)}"
        raise NoSourceError(message.strip())
    return Effort(
        calls=len(sandbox.asked()),
        records=sum(read.records.values()),
        seconds=process.seconds,
        cpu=process.cpu,
        memory=process.memory,
    )


def config(sandbox: SandboxProcess, start: str) -> dict[str, Any]:
    """The source's settings for a sandbox, without optional ones."""
    return {
        "start_date": start,
        "credentials": {
            "auth_method": "oauth2.0",
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "refresh_token": sandbox.refresh_token,
        },
    }


def configured(lines: Iterable[str], streams: Sequence[str]) -> dict[str, Any]:
    """The catalog of the named streams, from the catalog that `discover` wrote.

    Raises:
        NoSourceError: A named stream is not in the catalog.
    """
    catalogs = [each["catalog"] for each in _messages(lines) if each["type"] == "CATALOG"]
    offered = {stream["name"]: stream for each in catalogs for stream in each["streams"]}
    if missing := [name for name in streams if name not in offered]:
        message = f"It does not offer {', '.join(missing)}."
        raise NoSourceError(message)
    return {
        "streams": [
            {
                "stream": offered[name],
                "sync_mode": _mode(offered[name]["supported_sync_modes"]),
                "destination_sync_mode": "append",
            }
            for name in streams
        ]
    }


def _mode(modes: Sequence[str]) -> str:
    return "incremental" if "incremental" in modes else modes[0]


@dataclass(frozen=True)
class Tally:
    """The messages that the source wrote.

    Attributes:
        records: Records by stream.
        incomplete: Streams whose last status was not complete.
        errors: Its messages about errors.
    """

    records: Mapping[str, int]
    incomplete: Sequence[str]
    errors: Sequence[str]


def tally(lines: Iterable[str]) -> Tally:
    """Count the messages of a run; only the last status of a stream counts."""
    records: Counter[str] = Counter()
    status: dict[str, str] = {}
    errors: list[str] = []
    for message in _messages(lines):
        if message["type"] == "RECORD":
            records[message["record"]["stream"]] += 1
        elif message["type"] == "TRACE":
            trace = message["trace"]
            if trace["type"] == "STREAM_STATUS":
                latest = trace["stream_status"]
                status[latest["stream_descriptor"]["name"]] = latest["status"]
            elif trace["type"] == "ERROR":
                errors.append(trace["error"]["message"])
    incomplete = [f"{name}: {last}." for name, last in status.items() if last != "COMPLETE"]
    return Tally(records, incomplete, errors)


def _messages(lines: Iterable[str]) -> Iterable[Any]:
    # Python's own warnings are on the same stream, and no messages.
    return (json.loads(line) for line in lines if line.startswith("{"))


def main() -> int:
    """Measure the tap and Airbyte's source alone, and return the exit code."""
    measure()
    return 0


if __name__ == "__main__":
    sys.exit(main())
