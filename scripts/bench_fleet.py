"""How many connections a machine loads in an hour, with 1 to 8 at once.

The connections read made-up Pinterests of their own, which run on the same cores, and load into one
PostgreSQL. Each measured round is a daily run: a first run has loaded everything before.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from scripts.fleet_world import fleet_world

CONNECTIONS = 8
AT_ONCE = (1, 2, 4, 8)
ROUNDS = 3

if TYPE_CHECKING:
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
            seconds, cpu = (sorted(each) for each in zip(*rounds, strict=True))
            middle = median(seconds)
            table.add_row(
                str(at_once),
                f"{middle:.1f} ({seconds[0]:.1f} to {seconds[-1]:.1f})",
                f"{CONNECTIONS / middle * 3600:,.0f}",
                f"{median(cpu) / CONNECTIONS:.1f}",
            )
    console.print(table)
    return 0


def _round(world: FleetWorld, at_once: int) -> tuple[float, float]:
    """Seconds and CPU seconds of one run of all, without sandboxes and PostgreSQL."""
    before, started = _children(), time.monotonic()
    done = world.fleet("run-all", "--at-once", str(at_once))
    if done.returncode:
        raise SystemExit(done.stdout)
    return time.monotonic() - started, _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
