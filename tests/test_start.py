"""What a start of the tap imports: every module takes time that a run has not got to spare."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

UNNEEDED = (
    *("numpy", "rich", "faker", "sqlalchemy", "meltano", "vcr", "pinterest_sandbox"),
    *("joblib", "psutil", "upath", "fsspec"),
)

LIST_MODULES = """
import json, runpy, sys
sys.argv = json.loads(sys.argv[1])
try:
    runpy.run_module("tap_pinterest", run_name="__main__")
finally:
    sys.stderr.write("\\n" + json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize("argument", ["--version", "--discover", "--about"])
def test_a_start_imports_nothing_that_it_does_not_need(argument: str) -> None:
    arguments = json.dumps(["tap-pinterest", argument])
    result = subprocess.run(
        (sys.executable, "-c", LIST_MODULES, arguments), capture_output=True, text=True, check=True
    )

    imported = json.loads(result.stderr.splitlines()[-1])
    assert "singer_sdk" in imported
    assert {*UNNEEDED} & {*imported} == set()


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
