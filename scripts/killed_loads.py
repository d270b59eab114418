"""Kills the processes of loads in the middle, and compares the tables after the next run."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from scripts.processes import running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.fleet_world import FleetWorld

SMALL_BATCHES = {"TARGET_POSTGRES_BATCH_SIZE_ROWS": "20"}
"""Loaded rows are there while others have yet to come."""


def kill_run_all(
    world: FleetWorld, names: Sequence[str], at_once: int
) -> Mapping[str, Mapping[str, int]]:
    """Kill `pinterest-fleet run-all` and all processes that it has started, during its loads.

    Returns:
        The rows of each connection's tables at that moment.
    """
    load_all = (*world.program, "run-all", "--at-once", str(at_once))
    with (
        world.in_the_middle(names),
        running(
            *load_all,
            env={**os.environ, **world.options},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        rows = world.wait_until_in_the_middle(names)
        os.killpg(process.pid, signal.SIGKILL)
        return rows


def kill_with_all(process: subprocess.Popen[str]) -> int:
    """Kill a process and all processes that it has started, in all groups, like a power cut.

    Returns:
        The number of processes.
    """
    tree: set[psutil.Process] = set()
    while more := {*_family(process)} - tree:
        # A process that is stopped starts no other.
        for each in more:
            with suppress(psutil.NoSuchProcess):
                each.suspend()
        tree |= more
    for each in tree:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()
    return len(tree)


def _family(process: subprocess.Popen[str]) -> Sequence[psutil.Process]:
    top = psutil.Process(process.pid)
    return [top, *top.children(recursive=True)]


def partial(
    before: Mapping[str, Mapping[str, int]], world: FleetWorld
) -> Mapping[str, Sequence[str]]:
    """The tables of each connection that had only a part of their present rows."""
    return {
        name: [
            table
            for table, now in world.rows(f"pinterest_{name}").items()
            if 0 < rows.get(table, 0) < now
        ]
        for name, rows in before.items()
    }
