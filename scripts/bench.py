"""Rows a second of the main job into PostgreSQL: our settings of the target against its defaults.

Both load the same 100,000 rows of `ad_analytics`, one after the other, by the same sandbox into
the same server.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
from psycopg import sql
from rich import box
from rich.console import Console
from rich.table import Table

from scripts.embedded_postgres import EmbeddedPostgres
from scripts.main_job import MainJob
from scripts.sandbox_process import sandbox_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WORLD = {"seed": 7, "accounts": 1, "empty_accounts": 0, "ads": 2300}
STREAM = "ad_analytics"
# By the schema that each is loaded into.
SETTINGS: Mapping[str, Mapping[str, str]] = {
    # The target's own, where meltano.yml says otherwise.
    "default": {
        "TARGET_POSTGRES_USE_COPY": "false",
        "TARGET_POSTGRES_VALIDATE_RECORDS": "true",
        "TARGET_POSTGRES_BATCH_SIZE_ROWS": "10000",
        "TARGET_POSTGRES_ACTIVATE_VERSION": "true",
    },
    "our": {},
}
SAMPLE_SECONDS = 0.05
MEGABYTE = 1_000_000
WATCHED = ("tap-pinterest", "target-postgres", "meltano")

console = Console(highlight=False)


@dataclass(frozen=True)
class Load:
    """One load of the stream into an empty table."""

    rows: int
    seconds: float
    peak_memory: Mapping[str, int]

    @property
    def rate(self) -> float:
        """Rows a second, Meltano's own start included."""
        return self.rows / self.seconds


def main() -> int:
    """Load twice, print both and their ratio, and return the exit code."""
    loads = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tap-pinterest-")))
        today = datetime.now(tz=UTC).date()
        sandbox = stack.enter_context(sandbox_process(today, folder / "sandbox.log", **WORLD))
        database = stack.enter_context(EmbeddedPostgres())
        for schema, changed in SETTINGS.items():
            place = folder / schema
            place.mkdir()
            settings = {
                **sandbox.settings(place),
                **changed,
                "TAP_PINTEREST__SELECT": f'["{STREAM}.*"]',
                "TARGET_POSTGRES_SQLALCHEMY_URL": database.url,
                "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
            }
            with console.status(f"Loading with {schema} settings ..."):
                loads[schema] = _load(MainJob(place, settings, log=place / "log"), database, schema)
    _show(loads)
    return 0


def _load(job: MainJob, database: EmbeddedPostgres, schema: str) -> Load:
    with _peak_memory() as peaks:
        seconds = job.run()
    with psycopg.connect(database.psql_url) as connection:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, STREAM))
        ((rows,),) = connection.execute(query).fetchall()
    return Load(rows, seconds, peaks)


@contextmanager
def _peak_memory() -> Iterator[dict[str, int]]:
    """The most resident memory of each watched program among our descendants, in bytes."""
    peaks = dict.fromkeys(WATCHED, 0)
    done = threading.Event()
    sampler = threading.Thread(target=_sample, args=(peaks, done))
    sampler.start()
    try:
        yield peaks
    finally:
        done.set()
        sampler.join()


def _sample(peaks: dict[str, int], done: threading.Event) -> None:
    ourselves = psutil.Process()
    while not done.wait(SAMPLE_SECONDS):
        for process in ourselves.children(recursive=True):
            with suppress(psutil.Error):
                # A console script is the second word, after its interpreter.
                name = Path((*process.cmdline(), "", "")[1]).name
                if name in peaks:
                    peaks[name] = max(peaks[name], process.memory_info().rss)


def _show(loads: Mapping[str, Load]) -> None:
    table = Table(title=f"{STREAM} into PostgreSQL", box=box.SIMPLE_HEAD, collapse_padding=True)
    table.add_column("settings")
    for column in ("rows", "seconds", "rows/s", *(f"peak MB\n{name}" for name in WATCHED)):
        table.add_column(column, justify="right", no_wrap=True)
    for schema, load in loads.items():
        memory = (f"{load.peak_memory[name] / MEGABYTE:,.0f}" for name in WATCHED)
        table.add_row(schema, f"{load.rows:,}", f"{load.seconds:.1f}", f"{load.rate:,.0f}", *memory)
    console.print(table)
    console.print(f"ours against the default: {loads['our'].rate / loads['default'].rate:.1f}")


if __name__ == "__main__":
    sys.exit(main())
