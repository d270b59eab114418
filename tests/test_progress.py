"""A run shows its progress at a terminal, and nowhere else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from logging import INFO, WARNING
from typing import TYPE_CHECKING

import pytest
from meltano.core.logging.parsers import SingerSDKLogParser
from meltano.core.plugin.singer.base import _get_sdk_logging

from simulated import simulate
from singer_run import run, settings
from tap_pinterest.run.progress import log_until

if TYPE_CHECKING:
    from pathlib import Path

    from pinterest_sandbox import Sandbox

pty = pytest.importorskip("pty", reason="terminals are POSIX")

# As Meltano writes it for a tap with the capability structured-logging.
STRUCTURED = {"()": "singer_sdk.logging.StructuredFormatter"}
STREAMS = ("boards", "pins", "user_account")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def shown_at_a_terminal(sandbox: Sandbox, tmp_path: Path, out: Path) -> str:
    """All that a run writes to a terminal, while its messages go to a file."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings(sandbox, stream_groups="organic")))
    ours, theirs = pty.openpty()
    with out.open("wb") as messages, os.fdopen(ours, "rb", buffering=0) as terminal:
        with subprocess.Popen(
            [sys.executable, "-m", "tap_pinterest", "--config", str(path)],
            stdout=messages,
            stderr=theirs,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": "140", "TERM": "xterm"},
        ) as process:
            os.close(theirs)
            shown = b""
            while True:
                try:
                    piece = terminal.read(65536)
                except OSError:
                    # What Linux says when the other side is closed.
                    break
                if not piece:
                    break
                shown += piece
        assert process.returncode == 0, shown
    return shown.decode()


def test_a_terminal_shows_a_line_for_each_stream_and_a_table(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    out = tmp_path / "messages"

    shown = shown_at_a_terminal(sandbox, tmp_path, out)

    lines = [line.strip() for line in re.split(r"[\r\n]+", CONTROL.sub("", shown))]
    for stream in STREAMS:
        assert [line for line in lines if re.search(rf"read +{stream}  \d+ rows  \d+ s$", line)]
        assert [line for line in lines if re.match(rf"{stream} +\d+ +\d+ +\d+ s +complete$", line)]
    assert not [line for line in lines if "Summary: " in line]
    assert [
        line for line in lines if line.endswith("Next: nothing; the next run goes on from here.")
    ]
    types = {json.loads(line)["type"] for line in out.read_text().splitlines()}
    assert types == {"SCHEMA", "RECORD", "STATE"}


def test_a_pipe_gets_lines_of_the_log_and_nothing_that_moves(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings(sandbox, stream_groups="organic")))

    command = [sys.executable, "-X", "importtime", "-m", "tap_pinterest", "--config", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    lines = [line for line in result.stderr.splitlines() if not line.startswith("import time:")]
    assert not CONTROL.search("\n".join(lines))
    assert all(" | " in line for line in lines), lines
    assert not re.search("METRIC|Skipping|Beginning sync", "\n".join(lines))
    assert "rich.live" not in result.stderr
    assert "rich.table" not in result.stderr


def test_a_log_says_now_and_then_how_far_the_stream_is(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(INFO)
    summary = run(settings(sandbox), "campaigns").tap.run.summary
    waits: list[float] = []

    class Over(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            summary.current = [None, "campaigns", "campaigns"][len(waits) - 1]
            return len(waits) == 3

    caplog.clear()
    log_until(Over(), summary)

    rows = summary.of("campaigns").rows
    assert caplog.messages == [f"Reading campaigns  3 of 3 accounts  {rows} rows"]
    assert waits == [30, 30, 30]


def test_the_summary_says_how_long_calls_waited(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.fail("/boards", status=429, headers={"x-ratelimit-reset": "7"}, times=2)

    result = run(settings(sandbox), "boards", "pins", clock=simulate(monkeypatch))

    parts = result.tap.run.summary.streams
    assert parts["boards"].as_json()["seconds_waited"] == pytest.approx(14, abs=0.1)
    assert parts["boards"].seconds == pytest.approx(14, abs=0.1)
    assert parts["boards"].tally.retries == 2
    # Begun ahead, and of the same quota.
    assert parts["pins"].tally.seconds_waited == pytest.approx(14, abs=0.1)
    assert parts["pins"].seconds == pytest.approx(0, abs=0.1)


def test_the_summary_knows_how_many_accounts_there_are(sandbox: Sandbox) -> None:
    result = run(settings(sandbox), "campaigns", "boards")

    parts = result.tap.run.summary.streams
    assert len(parts["campaigns"].parts) == len(sandbox.world.ad_accounts)
    assert len(parts["boards"].parts) == 1
    assert result.tap.run.summary.current is None


def test_every_log_line_is_one_that_meltano_can_read(sandbox: Sandbox, tmp_path: Path) -> None:
    logs = tmp_path / "logs.json"
    logs.write_text(json.dumps(_get_sdk_logging(level="INFO", formatter=STRUCTURED)))
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings(sandbox, stream_groups="organic")))
    sandbox.fail("/pins", status=400, times=None)
    sandbox.fail("/boards", kind="distort", change="unknown_field")

    result = subprocess.run(
        [sys.executable, "-m", "tap_pinterest", "--config", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "SINGER_SDK_LOG_CONFIG": str(logs)},
    )

    parser = SingerSDKLogParser()
    parsed = {line: parser.parse(line) for line in result.stderr.splitlines()}
    assert [line for line, record in parsed.items() if record is None] == []
    levels = {record.message: record.level for record in parsed.values() if record}
    (failed,) = (each for each in levels if re.match(r"FAILED [a-z_, ]*\bpins\b", each))
    (unknown,) = (
        message for message in levels if message.startswith("New from Pinterest in boards")
    )
    (summary,) = (message for message in levels if message.startswith("Summary: "))
    assert (levels[failed], levels[unknown], levels[summary]) == (WARNING, INFO, INFO)
    assert json.loads(summary.removeprefix("Summary: "))["failed"] is True
