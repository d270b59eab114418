"""`make warehouses`: load all streams into each target, and print what is not as it was sent."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from loading import SERVERS
from warehouses.declared import TARGETS, TYPED
from warehouses.place import Result

if TYPE_CHECKING:
    from warehouses.place import Installed

SHOWN = 5
"""Differences of a target to show."""

EVERY: tuple[Installed, ...] = (*TARGETS, *TYPED)
"""All targets: those that get every stream, and those that only get every type."""

console = Console(highlight=False, width=120)


@click.command("make warehouses", help=f"{__doc__} Without NAMES, try every target.")
@click.argument(
    "names", nargs=-1, type=click.Choice([each.name for each in EVERY]), metavar="[NAMES]..."
)
def main(names: tuple[str, ...]) -> None:
    """Exit with 0 if every target has every value."""
    # The tap's own warnings, about streams that this account cannot read, say nothing of a target.
    logging.disable(logging.WARNING)
    table = Table("target", "streams", "rows", "differences", "seconds")
    with SERVERS:
        results = {each.name: _result(each) for each in EVERY if each.name in names or not names}
    for name, result in results.items():
        if result is None:
            table.add_row(name, "", "", "not installed", "")
            continue
        rows = f"{result.rows:,}" if result.rows else "types only"
        counts = (str(result.streams), rows, f"{len(result.differences):,}")
        table.add_row(name, *counts, f"{result.seconds:.0f}")
    console.print(table)
    sys.exit(int(any(result is None or result.differences for result in results.values())))


def _result(target: Installed) -> Result | None:
    with console.status(f"{target.name} ..."), tempfile.TemporaryDirectory() as folder:
        try:
            target.install()
        except subprocess.CalledProcessError:
            console.print(f"{target.name} cannot be installed here.")
            return None
        try:
            result = target.load(Path(folder))
        except AssertionError as error:
            result = Result(0, 0, [str(error)], 0)
    for each in result.differences[:SHOWN]:
        console.print(f"{target.name}: {each}", markup=False)
    return result


if __name__ == "__main__":
    main()
