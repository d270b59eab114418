from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

import forked_programs
from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "TEST_DEMO_MARK"
PATIENCE_SECONDS = 120
FORKED = """
import functools, pathlib, sys
from scripts import demo, main_job
demo.MainJob = functools.partial(main_job.MainJob, programs=pathlib.Path({programs!r}))
sys.exit(demo.main())
"""
FAILING = "from scripts import main_job; main_job.JOB = ('run', 'nothing')\n"


def forked() -> str:
    """The demo with programs that are imported once."""
    return FORKED.format(programs=str(forked_programs.folder()))


class RunningDemo:
    """`make demo`'s program in a session of its own, and all processes that came of it."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        """Start it, with `folder` for its temporary files."""
        self._mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(folder), MARK: self._mark, "CI": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def read_until(self, pattern: str) -> tuple[re.Match[str], str]:
        """The first match in a line that the demo prints, and all lines up to it."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if match := re.search(pattern, line):
                return match, "".join(lines)
        pytest.fail(f"the demo never printed {pattern}")

    def press_ctrl_c(self) -> None:
        """Send what a terminal sends to everything that runs in the foreground."""
        os.killpg(self.process.pid, signal.SIGINT)

    def rest(self) -> str:
        """The output until the program ends."""
        output, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return output

    def run_until(self, begun: str) -> None:
        """Let it run until it has started such a command."""
        while not any(begun in command for command in self.left_behind()):
            # To look without a pause would take the time that the demo needs.
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"the demo ended with {self.process.wait(0.05)}")

    def left_behind(self) -> list[str]:
        """Commands of the processes that the demo has started and that still run."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self._mark:
                    found.append(" ".join(process.cmdline()))
        return found


@contextmanager
def running_demo(*arguments: str, folder: Path) -> Iterator[RunningDemo]:
    # Not into the project's own folder, nor where nothing must be left.
    page = folder.with_name(f"{folder.name}-page") / "demo.html"
    arguments = arguments or ("-m", "scripts.demo")
    demo = RunningDemo(*arguments, f"--page={page}", folder=folder)
    try:
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.press_ctrl_c()
        demo.process.communicate(timeout=PATIENCE_SECONDS)


def test_two_days_are_loaded_and_shown(tmp_path: Path) -> None:
    with running_demo("-c", forked(), "--database=duckdb", folder=tmp_path) as demo:
        shown = demo.rest()
        assert demo.process.returncode == 0, shown
        assert demo.left_behind() == []
    check_what_is_shown(shown, "DuckDB")
    assert list(tmp_path.iterdir()) == []


def test_keep_leaves_a_database_to_look_at_until_ctrl_c(tmp_path: Path) -> None:
    with running_demo("-m", "scripts.demo", "--keep", folder=tmp_path) as demo:
        found, shown = demo.read_until(r"psql '(\S+)'")
        with psycopg.connect(found[1]) as connection:
            rows = connection.execute("SELECT count(*) FROM pinterest.campaigns").fetchall()
        assert rows[0][0] > 0
        demo.press_ctrl_c()
        demo.rest()
        assert demo.process.returncode == 0
        assert demo.left_behind() == []
    check_what_is_shown(shown, "PostgreSQL")
    assert list(tmp_path.iterdir()) == []


def check_what_is_shown(shown: str, database: str) -> None:
    """Two days and their difference, in the terminal as on the page."""
    for part in ("Day 1", "Day 2", f"Rows in {database}", "Spend and conversions", "State"):
        assert part in shown
    before, after, added, restated, unchanged = counts(shown, "ad_analytics")
    page = re.search(r"page with charts, for any browser: (\S+)$", shown, re.MULTILINE)
    assert page
    html = Path(page[1]).read_text(encoding="utf-8")
    row = "".join(re.findall(r'<tr><th title="ad_analytics"[^>]*>.*?</th>(.*)</tr>', html))
    numbers = [int(text.replace(",", "")) for text in re.findall(r">([\d,]+)<", row)]
    assert numbers == [before, after, added, restated]
    assert before > 0
    assert added == after - before
    assert restated > 0
    assert unchanged > 0


def counts(shown: str, table: str) -> list[int]:
    match = re.search(rf"^\s*{table}\s+([\d, ]+)$", shown, re.MULTILINE)
    assert match, shown
    return [int(number.replace(",", "")) for number in match[1].split()]


@pytest.mark.parametrize(
    "begun", ["bin/pinterest-sandbox", "bin/initdb", "bin/meltano", "bin/target-postgres"]
)
def test_ctrl_c_stops_everything_whatever_has_begun(begun: str, tmp_path: Path) -> None:
    with running_demo(folder=tmp_path) as demo:
        demo.run_until(begun)
        demo.press_ctrl_c()
        shown = demo.rest()
        assert demo.process.returncode == 128 + signal.SIGINT
        assert "Stopped" in shown
        assert demo.left_behind() == []
    assert list(tmp_path.iterdir()) == []


def test_nothing_outlives_a_demo_that_was_killed(tmp_path: Path) -> None:
    with running_demo(folder=tmp_path) as demo:
        demo.run_until("bin/target-postgres")
        demo.process.kill()
        demo.process.wait()
        until = time.monotonic() + PATIENCE_SECONDS
        while demo.left_behind():
            assert time.monotonic() < until, demo.left_behind()
    assert not any("postgres" in path.name for path in tmp_path.iterdir())


def test_a_failing_run_shows_its_log_and_stops_everything(tmp_path: Path) -> None:
    with running_demo("-c", FAILING + forked(), folder=tmp_path) as demo:
        shown = demo.rest()
        assert demo.process.returncode == 1
        assert demo.left_behind() == []
    log = re.search(r"is in (\S+\.log)", shown)
    assert log
    assert "nothing" in Path(log[1]).read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == [Path(log[1]).name]
