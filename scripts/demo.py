"""Loads a made-up Pinterest into a database on two successive days.

The demo needs no account, no Docker and no database. It leaves only a page with charts behind.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.demo_databases import DATABASES, SCHEMA
from scripts.embedded_postgres import PostgresUnavailableError
from scripts.main_job import MainJob, MainJobError
from scripts.processes import ROOT, SIGNALS
from scripts.sandbox_process import SandboxError, sandbox_process
from tap_pinterest.page import Contents
from tap_pinterest.page import page as drawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from types import FrameType

    from scripts.demo_databases import DemoDatabase
    from tap_pinterest.page.changes import Changed
    from tap_pinterest.page.contents import Ads
    from tap_pinterest.page.totals import Total

DAYS = 90
WORLD = {"seed": 7, "accounts": 3, "campaigns": 4, "ad_groups": 8, "ads": 20}
DAY_1 = "day_1"
PAGE = ROOT / "output" / "demo.html"
CAMPAIGNS_SHOWN = 12
NAME_WIDTH = 28

console = Console(highlight=False, soft_wrap=True)


@click.command("make demo")
@click.option("--keep", is_flag=True, help="Keep everything running until Ctrl-C.")
@click.option(
    "--database",
    type=click.Choice([*DATABASES]),
    default="postgres",
    show_default=True,
    help="The database to load.",
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    default=PAGE,
    show_default=True,
    help="The file for the page with charts.",
)
def main(*, keep: bool, database: str, page: Path) -> None:
    """Load a made-up Pinterest into a database on two successive days.

    The demo needs no account, no Docker and no database. The exit code is 0 if both runs succeed.
    """
    for number in SIGNALS:
        signal.signal(number, _leave)
    descriptor, name = tempfile.mkstemp(prefix="tap-pinterest-demo-", suffix=".log")
    os.close(descriptor)
    log = Path(name)
    try:
        _demo(DATABASES[database], log, page, keep=keep)
    except (MainJobError, PostgresUnavailableError, SandboxError) as error:
        # As text: the output of a process may look like markup.
        console.print(Text(str(error)))
        console.print(f"All that the processes said is in {log}")
        sys.exit(1)
    except SystemExit:
        console.print("Stopped; nothing is left running.")
        log.unlink()
        raise
    log.unlink()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """Exit normally, which stops all started processes; a second signal changes nothing."""
    for ignored in SIGNALS:
        signal.signal(ignored, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _demo(kind: type[DemoDatabase], log: Path, page: Path, *, keep: bool) -> None:
    today = datetime.now(tz=UTC).date()
    yesterday = today - timedelta(days=1)
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="tap-pinterest-demo-"))
        )
        with console.status(f"Starting a made-up Pinterest and a {kind.name} ..."):
            sandbox = stack.enter_context(sandbox_process(yesterday, log, **WORLD))
            database = kind(stack, folder)
        console.print(f"A made-up Pinterest at {sandbox.url}")
        console.print(f"An empty {kind.name} at {database.place}\n")
        settings = {**sandbox.settings(folder), **database.settings}
        job = MainJob(folder, settings, log=log, loader=kind.loader)
        _run(job, "Day 1", yesterday)
        database.keep_copy(DAY_1)
        sandbox.move_to(today)
        _run(job, "Day 2", today)
        console.print()
        with database.connection() as connection:
            contents = Contents.read(connection, SCHEMA, days=DAYS, copy=DAY_1)
        _show_rows(kind.name, contents.changed)
        if contents.ads:
            _show_spend(contents.ads, contents.names)
        _show_state(job.state())
        _write_page(page, contents, job.command, (yesterday, today))
        if keep:
            _wait(sandbox.url, database)
        else:
            console.print("To look around in it: make demo KEEP=1")


def _run(job: MainJob, day: str, today: date) -> None:
    with console.status(f"{day}, {today}: {job.command} ..."):
        seconds = job.run()
    console.print(f"{day}, {today}: [bold]{job.command}[/]  {seconds:.1f} s")


def _wait(sandbox_url: str, database: DemoDatabase) -> None:
    console.print(f"Both stay up until Ctrl-C.\n  {database.client}\n  {sandbox_url}")
    console.print(f"The tables are in the schema {SCHEMA}, and the tables of day 1 in {DAY_1}.")
    with suppress(SystemExit):
        signal.pause()


def _write_page(path: Path, contents: Contents, command: str, days: tuple[date, date]) -> None:
    intro = (
        f"A made-up Pinterest, loaded by <code>{command}</code> on day 1, {days[0]}, and again on"
        f" day 2, {days[1]}."
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(drawn(contents, intro), encoding="utf-8")
    except OSError as error:
        console.print(Text(f"The page with charts cannot be written: {error}"))
    else:
        console.print(Text(f"The same as a page with charts, for any browser: {path.resolve()}"))


def _show_rows(database: str, changes: Sequence[Changed]) -> None:
    columns = ("day 1", "day 2", "added", "restated", "unchanged")
    table = _table(f"Rows in {database}, schema {SCHEMA}", ("table",), columns)
    for change in changes:
        unchanged = change.after - change.added - change.restated
        counts = (change.before, change.after, change.added, change.restated, unchanged)
        table.add_row(change.table, *(f"{count:,}" for count in counts))
    console.print(table)


def _show_spend(ads: Ads, names: Mapping[str, str]) -> None:
    columns = ("spend\nday 1", "\nday 2", "conversions\nday 1", "\nday 2")
    table = _table("Spend and conversions per campaign, all days", ("campaign", ""), columns)
    spend, conversions = (
        next(place for place, each in enumerate(ads.measures) if each.title == title)
        for title in ("Spend", "Conversions")
    )
    campaigns = sorted(ads.by_campaign, key=lambda each: -each.now[spend])
    for campaign in campaigns[:CAMPAIGNS_SHOWN]:
        table.add_row(
            # As text: a name may look like markup.
            Text(names.get(campaign.of, campaign.of)),
            campaign.currency,
            *_both(campaign, spend, 2),
            *_both(campaign, conversions, 0),
        )
    if hidden := len(campaigns) - CAMPAIGNS_SHOWN:
        table.caption = f"and {hidden} more" if hidden > 0 else None
    console.print(table)


def _both(total: Total, place: int, decimals: int) -> Iterator[str]:
    """A value of day 1 and of day 2."""
    for values in (total.before, total.now):
        yield f"{values[place] if values else 0:,.{decimals}f}"


def _show_state(state: dict[str, Any]) -> None:
    columns = ("stream", "of", "read up to", "from")
    table = _table("State for the next run", columns, ())
    for stream, bookmark in state["singer_state"]["bookmarks"].items():
        for place, row in enumerate(_partitions(bookmark)):
            table.add_row("" if place else stream, *row)
    console.print(table)


def _partitions(bookmark: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for partition in bookmark.get("partitions", [bookmark]):
        if "replication_key_value" in partition:
            context = " ".join(map(str, partition.get("context", {}).values()))
            # To the minute, so that all columns have room in 80 characters.
            read_to = partition["replication_key_value"][:16].replace("T", " ")
            yield context, read_to, partition.get("covered_from", "")


def _table(title: str, texts: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
    )
    for name in texts:
        table.add_column(name, no_wrap=True, max_width=NAME_WIDTH)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


if __name__ == "__main__":
    main()
