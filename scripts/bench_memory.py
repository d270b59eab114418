"""The tap's memory over a run of ten million rows, with its defaults.

Our own server answers, because the sandbox would take an hour to make up ten million rows. Its rows
differ only in the ad and the day. Synchronous calls read the report, as many as the tap allows.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import psutil
from rich.console import Console
from typing_extensions import override

from scripts.bench_records import COLUMNS, rows
from scripts.bench_runs import MEGABYTE, catalog_of, summary_of
from scripts.processes import command
from scripts.spread import ROUNDS, spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STREAM = "ad_analytics"
ACCOUNTS, ADS, DAYS = 21, 5_500, 90
"""100 calls for each account: with more, reports would be ordered instead."""
PAGE = 250
SAMPLE_SECONDS = 0.2
PARTS = (0.25, 0.5, 1.0)
"""Of the rows, at which the memory is shown."""

console = Console(highlight=False)


class Account:
    """An ad account with numbered ads, whose rows are all alike."""

    def __init__(self, number: int, ads: int) -> None:
        """One of several with as many ads."""
        self.id = str(549_700_000_000 + number)
        self.size = ads
        self._first = 687_000_000_000 + number * ads

    def ads(self, first: int) -> list[dict[str, Any]]:
        """A page of its ads."""
        return [
            {
                "id": str(self._first + number),
                "ad_account_id": self.id,
                "ad_group_id": str(268_000_000_000 + number // 5),
                "campaign_id": str(626_000_000_000 + number // 50),
                "pin_id": str(99_900_000_000_000_000 + number),
                "status": "ACTIVE",
            }
            for number in range(first, min(first + PAGE, self.size))
        ]


class Answers:
    """The server's answers, and a count of their rows."""

    def __init__(self, accounts: int = ACCOUNTS, ads: int = ADS) -> None:
        """Make one row; all other rows are copies of it."""
        self.rows = 0
        self.accounts = {each.id: each for each in (Account(n, ads) for n in range(accounts))}
        row = next(iter(rows(1))) | {"AD_ID": "%b", "DATE": "%b"}
        text = msgspec.json.encode(row).replace(b"%", b"%%")
        self._row = text.replace(b"%%b", b"%b")

    def answer(self, path: str, query: Mapping[str, Sequence[str]]) -> bytes:
        """The body for a call.

        Raises:
            KeyError: A run has no reason to make this call.
        """
        match path.split("/")[2:]:
            case ["ad_accounts"]:
                items = [{"id": each, "currency": "EUR", "country": "DE"} for each in self.accounts]
                return msgspec.json.encode({"items": items, "bookmark": None})
            case ["ad_accounts", ad_account_id, "ads"]:
                first = int(query.get("bookmark", ["0"])[0])
                account = self.accounts[ad_account_id]
                after = str(first + PAGE) if first + PAGE < account.size else None
                items = account.ads(first)
                return msgspec.json.encode({"items": items, "bookmark": after})
            case ["ad_accounts", _, "ads", "analytics"]:
                return self.report(query)
            case _:
                raise KeyError(path)

    def report(self, query: Mapping[str, Sequence[str]]) -> bytes:
        """The rows of the ads and days that are asked for."""
        start, end = (date.fromisoformat(query[name][0]) for name in ("start_date", "end_date"))
        days = [
            (start + timedelta(number)).isoformat().encode()
            for number in range((end - start).days + 1)
        ]
        body = b",".join(self._row % (ad.encode(), day) for ad in query["ad_ids"] for day in days)
        self.rows += len(query["ad_ids"]) * len(days)
        return b"[%b]" % body


class Handler(BaseHTTPRequestHandler):
    """Answers over connections that stay open."""

    protocol_version = "HTTP/1.1"

    def __init__(self, answers: Answers, *args: Any) -> None:  # noqa: ANN401 - those of the base
        self._answers = answers
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer a call."""
        parts = urlsplit(self.path)
        try:
            status, body = 200, self._answers.answer(parts.path, parse_qs(parts.query))
        except KeyError:
            status, body = 404, b'{"code":50,"message":"There is no such thing here"}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@dataclass(frozen=True)
class Usage:
    """The needs of a run.

    Attributes:
        rows: Rows written.
        seconds: Wall time, the start included.
        peaks: The most resident memory in bytes, until each of `PARTS` of the rows were sent.
    """

    rows: int
    seconds: float
    peaks: Sequence[int]


def measure() -> None:
    """Read all rows in several rounds, and print the peak of memory after each part of the rows."""
    with console.status(f"Reading {ACCOUNTS * ADS * DAYS:,} rows, {ROUNDS} times ..."):
        usages = [read() for _ in range(ROUNDS)]
    peaks = [
        f"{spread([usage.peaks[place] / MEGABYTE for usage in usages], 0)} MB until {part:.0%}"
        for place, part in enumerate(PARTS)
    ]
    seconds = spread([usage.seconds for usage in usages], 0)
    console.print(f"{usages[0].rows:,} rows in {seconds} s: {', '.join(peaks)}")


def read() -> Usage:
    """Read all rows once."""
    answers = Answers()
    with tempfile.TemporaryDirectory(prefix="tap-pinterest-") as name, served(answers) as url:
        folder = Path(name)
        config = folder / "config.json"
        settings = {"access_token": "none", "api_url": url, "report_columns": COLUMNS}
        config.write_text(json.dumps(settings))
        tap = (command("tap-pinterest"), f"--config={config}")
        catalog = folder / "catalog.json"
        catalog.write_text(catalog_of(tap, os.environ, [STREAM]))
        log = folder / "tap.log"
        begun = time.monotonic()
        with log.open("w") as errors:
            process = subprocess.Popen(
                [*tap, f"--catalog={catalog}"], stdout=subprocess.DEVNULL, stderr=errors
            )
            peaks = _peaks(process, answers)
        if process.returncode:
            raise RuntimeError(log.read_text())
        rows_written = summary_of(log.read_text())["streams"][STREAM]["rows"]
        return Usage(rows_written, time.monotonic() - begun, peaks)


def _peaks(process: subprocess.Popen[bytes], answers: Answers) -> list[int]:
    """The most resident memory until each of `PARTS`, once the process has ended."""
    peaks = [0] * len(PARTS)
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            resident = watched.memory_info().rss
        except psutil.Error:
            break
        done = answers.rows / (ACCOUNTS * ADS * DAYS)
        for place, part in enumerate(PARTS):
            if done <= part:
                peaks[place] = max(peaks[place], resident)
        time.sleep(SAMPLE_SECONDS)
    process.wait()
    return peaks


@contextmanager
def served(answers: Answers) -> Iterator[str]:
    """The address of a server with these answers, during the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, answers))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v5"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    measure()
