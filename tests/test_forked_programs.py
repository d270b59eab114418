"""A forked program cannot be told from the installed one by what it reads, prints and returns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psutil
import pytest

import forked_programs
from scripts.processes import command

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 60
LOADER = "target-duckdb-fast"
SCHEMA = {
    "type": "SCHEMA",
    "stream": "pins",
    "schema": {"type": "object", "properties": {"id": {"type": "string"}}},
    "key_properties": ["id"],
}
RECORD = {"type": "RECORD", "stream": "pins", "record": {"id": "1"}}
STATE = {"type": "STATE", "value": {"of": "the run"}}


def ended(program: str | Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A program that has run; `more` are its variables, and `input`."""
    return subprocess.run(
        [program, *arguments],
        env={**os.environ, "NO_COLOR": "1", **more},
        input=f"{json.dumps(SCHEMA)}\n{json.dumps(RECORD)}\n{json.dumps(STATE)}\n",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["meltano", "tap-pinterest"])
def test_a_forked_program_says_what_the_installed_one_says(name: str) -> None:
    forked = ended(forked_programs.folder() / name, "--no-such-option")
    installed = ended(command(name), "--no-such-option")
    assert forked.stderr.splitlines()[-1:] == installed.stderr.splitlines()[-1:] != []
    assert forked.stdout == installed.stdout
    assert forked.returncode == installed.returncode != 0


def test_a_forked_program_has_the_folder_the_variables_and_the_input_of_its_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("path.json").write_text('{"path": "here.duckdb"}', encoding="utf-8")

    forked = forked_programs.folder() / LOADER
    settings = {"TARGET_DUCKDB_DEFAULT_TARGET_SCHEMA": "own"}
    loaded = ended(forked, "--config=path.json", "--config=ENV", **settings)

    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout) == STATE["value"]
    with duckdb.connect(tmp_path / "here.duckdb") as database:
        assert database.execute("SELECT id FROM own.pins").fetchall() == [("1",)]


@contextmanager
def reading(program: Path | str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A loader that has begun to read, and waits for more."""
    with subprocess.Popen(
        [program, "--config=ENV"],
        cwd=folder,
        env={**os.environ, "TARGET_DUCKDB_PATH": "here.duckdb"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as loader:
        assert loader.stdin
        # A pipe has no room for that: it returns when the loader reads.
        loader.stdin.write(f"{json.dumps(SCHEMA)}\n" * 1000)
        loader.stdin.flush()
        try:
            yield loader
        finally:
            loader.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_forked_program_like_the_installed_one(
    number: signal.Signals, tmp_path: Path
) -> None:
    codes = []
    for program in (forked_programs.folder() / LOADER, command(LOADER)):
        with reading(program, tmp_path) as loader:
            loader.send_signal(number)
            codes.append(loader.wait(PATIENCE_SECONDS))
        assert running_in(tmp_path) == []
    assert codes == [128 + number, 128 + number]


def test_a_forked_program_does_not_outlive_a_caller_that_is_killed(tmp_path: Path) -> None:
    with reading(forked_programs.folder() / LOADER, tmp_path) as loader:
        assert {loader.pid} < {*running_in(tmp_path)}
        loader.kill()
        until = time.monotonic() + PATIENCE_SECONDS
        while running_in(tmp_path):
            assert time.monotonic() < until


def running_in(folder: Path) -> list[int]:
    """The processes whose folder this is."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(folder):
                found.append(process.pid)
    return found
