"""`meltano run` many times at the price of one import of Meltano.

A server process has imported Meltano. Each run is a fork of it, and from there on what the command
`meltano` does: the same entry point, with arguments, environment, folder and output of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["meltano.cli"])
SECONDS = 90
"""Longest time of a run, on a machine that is busy."""


def meltano(*arguments: str, folder: Path, environment: Mapping[str, str], log: Path) -> int:
    """Run Meltano to its end, and return the exit code.

    Args:
        arguments: Those of the command line.
        folder: Where it runs.
        environment: All variables that it has.
        log: The file that gets its output.
    """
    child = FORKS.Process(target=_run, args=(arguments, folder, dict(environment), log))
    child.start()
    child.join(SECONDS)
    if child.is_alive():
        with suppress(ProcessLookupError):
            os.killpg(child.pid or 0, signal.SIGKILL)
        child.join()
    return child.exitcode or 0


def _run(
    arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], log: Path
) -> None:
    """Become the command `meltano`."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.argv = ["meltano", *arguments]
    from meltano.cli import main  # noqa: PLC0415 - this module is for the tests' process too

    main()
