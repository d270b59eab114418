"""A run that ends in the middle, whatever ends it, and the run after it."""

from __future__ import annotations

import errno
import json
import logging
import os
import random
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from drawn_cases import drawn
from faulty_world import config_of, tiny, truth, upsert
from scripts.processes import ROOT
from singer_run import run
from tap_pinterest.clock import Clock
from tap_pinterest.reading import page_store
from tap_pinterest.singer import sdk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from faulty_world import Tables
    from pinterest_sandbox import Sandbox

STREAMS = (
    *("ad_accounts", "ad_analytics", "ad_creatives", "ads", "board_counts_daily", "boards"),
    *("campaign_analytics", "campaigns", "metrics_ready_state", "pin_metrics_daily", "pins"),
    *("user_account_analytics", "user_account_metrics"),
)
TAP = (sys.executable, "-m", "tap_pinterest")


INTERRUPTIONS = {
    "SIGTERM or SIGINT": "143 or 130",
    "SIGKILL": "At once",
    "the output's disk is full, or its file may not grow": "code is 1",
    "no room for temporary files": "code is 1",
    "the target dies": f"code is {128 + signal.SIGPIPE}",
    "the clock jumps back": "As usual",
}


def test_the_docs_name_every_interruption_and_how_the_run_ends() -> None:
    _, _, second = (ROOT / "docs" / "faults.md").read_text("utf-8").partition("\n## ")
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", second, re.MULTILINE)[2:])
    assert rows.keys() == INTERRUPTIONS.keys()
    assert all(end in rows[what] for what, end in INTERRUPTIONS.items())


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


class Yesterday(NamedTuple):
    """The output of a first run, and the tables that a second run must lead to."""

    messages: list[dict[str, Any]]
    state: dict[str, Any]
    tables: Tables
    written: int


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with tiny(seed=3) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def before(world: Sandbox) -> Yesterday:
    first = run(config_of(world), *STREAMS)
    world.today += timedelta(days=1)
    second = run(config_of(world), *STREAMS, state=first.state)
    assert (first.code, second.code) == (0, 0)
    tables = upsert(upsert({}, first.messages), second.messages)
    assert tables == upsert(upsert({}, first.messages), run(config_of(world), *STREAMS).messages)
    return Yesterday(first.messages, first.state, tables, len(second.messages))


@pytest.mark.parametrize("seed", range(drawn(24)))
def test_the_run_after_a_kill_comes_to_the_same_tables(
    world: Sandbox, before: Yesterday, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test case, drawn
    # Every other run writes STATE after each account, as a long one does.
    monkeypatch.setattr(sdk, "STATE_SECONDS", [0, 15][seed % 2])
    way = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT][seed // 2 % 3]
    slice_rows = [4, 5000][seed // 6 % 2]
    end = chance.randrange(1, before.written)
    written: list[dict[str, Any]] = []

    def interrupt(message: dict[str, Any]) -> None:
        written.append(message)
        if len(written) == end:
            if way is signal.SIGKILL:
                raise Killed
            signal.raise_signal(way)

    config = config_of(world, slice_rows=slice_rows, max_requests_in_flight=4)
    try:
        code = run(config, *STREAMS, state=before.state, on_message=interrupt).code
    except Killed:
        code = 128 + signal.SIGKILL
    states = [message["value"] for message in written if message["type"] == "STATE"]
    after = run(config, *STREAMS, state=states[-1] if states else before.state)

    assert code in {128 + way, 0}  # after the last record nobody looks for a signal
    assert after.code == 0
    tables = upsert({}, before.messages)
    assert upsert(upsert(tables, written), after.messages) == before.tables


@pytest.mark.parametrize("lines", [3, 40])
def test_the_run_after_a_kill_of_the_process_does_too(
    world: Sandbox, before: Yesterday, tmp_path: Path, lines: int
) -> None:
    config, state = tmp_path / "config.json", tmp_path / "state.json"
    config.write_text(json.dumps(config_of(world)))
    state.write_text(json.dumps(before.state))
    command = [*TAP, "--config", str(config), "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        read = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        read += process.stdout.readlines()
    written = [json.loads(line) for line in read if line.endswith(b"\n")]
    states = [message["value"] for message in written if message["type"] == "STATE"]

    after = run(config_of(world), *STREAMS, state=states[-1] if states else before.state)

    tables = upsert(upsert(upsert({}, before.messages), written), after.messages)
    assert {name: tables[name] for name in STREAMS} == before.tables


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux")
def test_a_full_disk_ends_the_run_with_one_line(world: Sandbox, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(config_of(world)))
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - no path, a device
        result = subprocess.run(
            [*TAP, "--config", str(config)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert result.returncode == 1
    assert "The output cannot be written: No space left on device" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX")
def test_a_file_that_may_not_grow_ends_the_run_with_one_line(
    world: Sandbox, before: Yesterday, tmp_path: Path
) -> None:
    config, output = tmp_path / "config.json", tmp_path / "output"
    config.write_text(json.dumps(config_of(world)))
    limited = "import resource as r, runpy; r.setrlimit(r.RLIMIT_FSIZE, (30_000, 30_000)); "
    limited += "runpy.run_module('tap_pinterest', run_name='__main__')"
    with output.open("wb") as file:
        result = subprocess.run(
            [sys.executable, "-c", limited, "--config", str(config)],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    whole = output.read_bytes().splitlines(keepends=True)
    written = [json.loads(line) for line in whole if line.endswith(b"\n")]
    states = [message["value"] for message in written if message["type"] == "STATE"]

    assert result.returncode == 1
    assert "The output cannot be written: File too large" in result.stderr
    assert "Traceback" not in result.stderr
    after = run(config_of(world), *STREAMS, state=states[-1] if states else None)
    tables = upsert(upsert({}, written), after.messages)
    assert {name: tables[name] for name in STREAMS} == truth(world, *STREAMS)
    assert before


class FullDisk:
    """A temporary file on a disk without room."""

    def __init__(self, **_: Any) -> None:
        pass

    def seek(self, *_: int) -> None:
        pass

    def tell(self) -> int:
        return 0

    def close(self) -> None:
        pass

    def write(self, _: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_too_full_for_kept_pages_is_one_line_and_the_next_run_makes_up_for_it(
    world: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(page_store, "SpooledTemporaryFile", FullDisk)
        result = run(config_of(world), *STREAMS)
    after = run(config_of(world), *STREAMS, state=result.state)

    assert result.code == 1
    assert result.records("metrics_ready_state")
    for reason in result.tap.run.summary.of("campaign_analytics").failures.values():
        assert reason == "[Errno 28] No space left on device"
    assert "Traceback" not in caplog.text
    assert upsert(upsert({}, result.messages), after.messages) == truth(world, *STREAMS)


@pytest.mark.parametrize("number", [5, 20, 40])
def test_a_target_that_dies_ends_the_run_quietly(
    world: Sandbox, before: Yesterday, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    count = 0

    def write(_: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        if count >= number:
            raise BrokenPipeError

    result = run(config_of(world), *STREAMS, state=before.state, on_message=write)

    assert result.code == 128 + signal.SIGPIPE
    assert count == number
    assert not any(each.levelno >= logging.ERROR for each in caplog.records)


def test_a_target_that_is_gone_when_a_signal_comes_is_no_traceback(world: Sandbox) -> None:
    def write(message: dict[str, Any]) -> None:
        if message["type"] == "STATE":
            raise BrokenPipeError
        signal.raise_signal(signal.SIGTERM)

    assert run(config_of(world), "boards", "campaigns", on_message=write).code != 0


def test_a_clock_that_jumps_back_changes_no_record(
    world: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = truth(world, *STREAMS)
    real, calls = time.time, iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: real() - 86_400 * next(calls))
    written: list[dict[str, Any]] = []

    result = run(config_of(world), *STREAMS, clock=Clock(), on_message=written.append)

    assert result.code == 0
    assert upsert({}, written) == expected
