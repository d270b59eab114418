"""Measures the connections that a machine loads in an hour, 1 to 8 at once, and their needs.

Each connection reads a made-up Pinterest of its own, which runs on the same cores. All load into
one PostgreSQL. A first run loads everything; each measured round is a daily run after it.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psutil
import psycopg
from psutil import Process
from psycopg import sql
from rich import box
from rich.console import Console
from rich.table import Table

from scripts.fleet_world import fleet_world
from scripts.spread import ROUNDS, spread

CONNECTIONS = 8
MANY = 10_000
SAMPLE_SECONDS = 0.01
SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
AT_ONCE = (1, 2, 4, 8)

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from scripts.fleet_world import FleetWorld

console = Console(highlight=False)


def main() -> int:
    """Measure and print, and return the exit code."""
    table = Table(title=f"{CONNECTIONS} connections, daily runs", box=box.SIMPLE_HEAD)
    for heading in ("at once", "seconds", "connections/hour", "CPU s each"):
        table.add_column(heading, justify="right")
    with (
        tempfile.TemporaryDirectory(prefix="tap-pinterest-fleet-") as folder,
        fleet_world(Path(folder), CONNECTIONS) as world,
    ):
        _round(world, 2)
        for at_once in AT_ONCE:
            rounds = [_round(world, at_once) for _ in range(ROUNDS)]
            seconds, cpu = zip(*rounds, strict=True)
            table.add_row(
                str(at_once),
                spread(seconds),
                f"{CONNECTIONS / median(seconds) * 3600:,.0f}",
                f"{median(cpu) / CONNECTIONS:.1f}",
            )
        console.print(table)
        _print_sizes(world)
    return 0


def _print_sizes(world: FleetWorld) -> None:
    """Print the needs of one connection besides time."""
    name = world.names[0]
    megabytes, sessions = _peak_of_a_run(world, name)
    folder = world.folder / "fleet" / "connections" / name
    disk = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    sizes = {
        "tables": len(world.contents(f"pinterest_{name}")) + 1,
        "MB of memory, all processes of a run together": round(megabytes),
        "sessions of PostgreSQL, Meltano's among them": sessions,
        "MB below --root": round(disk / 1e6, 2),
        "kB of state": _kilobytes(world, "state"),
        "kB a run in Meltano's database": _kilobytes(world, "runs"),
        f"CPU s to list {MANY:,} connections": round(_listing(world), 1),
    }
    table = Table(title="One connection", box=box.SIMPLE_HEAD, show_header=False)
    for what, size in sizes.items():
        table.add_row(f"{size:,}", what)
    console.print(table)


def _kilobytes(world: FleetWorld, table: str) -> float:
    """The largest row of a table of Meltano's database."""
    query = sql.SQL("SELECT max(pg_column_size(row)) FROM {} AS row").format(sql.Identifier(table))
    with psycopg.connect(world.database.removesuffix("postgres") + "meltano") as connection:
        row = connection.execute(query).fetchone()
        return round(row[0] / 1e3, 1) if row else 0


def _listing(world: FleetWorld) -> float:
    """CPU seconds that a scheduler needs to list very many connections."""
    lines = [f"- name: c{each}\n  env_file: {world.names[0]}.env\n" for each in range(MANY)]
    many = world.folder / "many.yml"
    many.write_text("connections:\n" + "".join(lines), encoding="utf-8")
    before = _children()
    world.fleet("--connections", str(many), "list")
    return _children() - before


def _peak_of_a_run(world: FleetWorld, name: str) -> tuple[float, int]:
    """Megabytes of all processes of a run together, and its sessions in the database."""
    peak, sessions = 0.0, 0
    with (
        psycopg.connect(world.database, autocommit=True) as connection,
        ThreadPoolExecutor() as pool,
    ):
        run = pool.submit(world.fleet, "run", name)
        while not run.done():
            peak = max(peak, sum(_resident(each) for each in Process().children(recursive=True)))
            found = connection.execute(SESSIONS).fetchone()
            sessions = max(sessions, found[0] if found else 0)
            time.sleep(SAMPLE_SECONDS)
    _check(run.result())
    return peak / 1e6, sessions


def _resident(process: Process) -> int:
    with suppress(psutil.Error):
        return 0 if "postgres" in process.name() else process.memory_info().rss
    return 0


def _round(world: FleetWorld, at_once: int) -> tuple[float, float]:
    """Seconds and CPU seconds of one run of all, without sandboxes and PostgreSQL."""
    before, started = _children(), time.monotonic()
    _check(world.fleet("run-all", "--at-once", str(at_once)))
    return time.monotonic() - started, _children() - before


def _check(done: CompletedProcess[str]) -> None:
    if done.returncode:
        raise SystemExit(done.stdout)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
