"""A start of the tap imports only the modules that it needs, because each takes time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from singer_run import settings

if TYPE_CHECKING:
    from pinterest_sandbox import Sandbox

UNNEEDED = (
    *("numpy", "rich", "faker", "sqlalchemy", "meltano", "vcr", "pinterest_sandbox"),
    *("joblib", "psutil", "upath", "fsspec", "jsonpath_ng", "packaging.specifiers", "filelock"),
)

OTHER_COMMANDS = ("tap_pinterest.commands", "tap_pinterest.run.check", "tap_pinterest.run.cost")

LIST_MODULES = """
import json, os, runpy, sys
os._exit = sys.exit
sys.argv = json.loads(sys.argv[1])
try:
    runpy.run_module("tap_pinterest", run_name="__main__")
finally:
    sys.stderr.write("\\n" + json.dumps(sorted(sys.modules)))
"""


def imported(*arguments: str) -> set[str]:
    """Modules that the tap has imported when it ends."""
    result = subprocess.run(
        (sys.executable, "-c", LIST_MODULES, json.dumps(["tap-pinterest", *arguments])),
        capture_output=True,
        text=True,
        check=True,
    )
    return {*json.loads(result.stderr.splitlines()[-1])}


@pytest.mark.parametrize("argument", ["--version", "--discover", "--about"])
def test_a_start_imports_nothing_that_it_does_not_need(argument: str) -> None:
    modules = imported(argument)

    assert "singer_sdk" in modules
    assert {*UNNEEDED} & modules == set()


def test_a_run_imports_nothing_that_it_does_not_need(sandbox: Sandbox, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings(sandbox, start_date="2 days ago")))
    modules = imported("--config", str(config))

    assert "tap_pinterest.streams.pins" in modules
    assert {*UNNEEDED} & modules == set()
    assert [name for name in modules if name.startswith(OTHER_COMMANDS)] == []
    assert [each for each in sandbox.requests if each.path.endswith("/ads/analytics")]


USE_WHAT_TARGETS_NEED = """
import tap_pinterest.tap
from singer_sdk import target_base
from singer_sdk.helpers._batch import StorageTarget
print(target_base.Parallel()(target_base.delayed(abs)(number) for number in (-1, 2)))
print(StorageTarget.split_url("s3://bucket/prefix/file"))
import joblib, numpy, upath
print(numpy.zeros(1).size)
"""


def test_targets_and_batches_work_after_the_tap_in_the_same_process() -> None:
    result = subprocess.run(
        (sys.executable, "-c", USE_WHAT_TARGETS_NEED), capture_output=True, text=True, check=True
    )

    assert result.stdout == "[1, 2]\n('s3://bucket/prefix', 'file')\n1\n"


PRESS_CTRL_C = """
import signal, sys

class AtAnImport:
    def find_spec(self, name, path=None, target=None):
        if name == "singer_sdk.mapper":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, AtAnImport())
"""
CATCH_IT = """
try:
    import tap_pinterest.tap
except KeyboardInterrupt:
    print("stopped in order")
"""


def stopped(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A process in which somebody presses Ctrl-C while a module is imported."""
    (folder / "sitecustomize.py").write_text(PRESS_CTRL_C)
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("name", ["tap-pinterest", "map-pinterest", "tap-pinterest-login", "-m"])
def test_ctrl_c_during_the_start_ends_a_command_without_a_word(tmp_path: Path, name: str) -> None:
    program = (sys.executable, "-m", "tap_pinterest.commands.state")
    installed = (str(Path(sys.executable).with_name(name)),)

    ended = stopped(tmp_path, *(program if name == "-m" else installed))

    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_stays_with_a_program_that_imports_the_tap(tmp_path: Path) -> None:
    ended = stopped(tmp_path, sys.executable, "-c", CATCH_IT)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "stopped in order\n", "")
