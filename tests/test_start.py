"""What a start of the tap imports: every module takes time that a run has not got to spare."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

UNNEEDED = ("numpy", "rich", "faker", "sqlalchemy", "meltano", "vcr", "pinterest_sandbox")

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


def test_others_can_import_numpy_after_the_tap() -> None:
    program = "import tap_pinterest.tap, numpy; print(numpy.zeros(1).size)"
    result = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, check=True
    )

    assert result.stdout == "1\n"
