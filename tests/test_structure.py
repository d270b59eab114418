"""The size of functions: of the tap, and of everything that runs beside it."""

from __future__ import annotations

import ast
import statistics
from typing import TYPE_CHECKING

import pytest

from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_LINES, MEDIAN_LINES = 45, 6
TAP = "tap_pinterest"
OTHERS = ("sandbox/pinterest_sandbox", "loader", "fleet", "scripts", "deploy")


def functions(folder: str) -> Iterator[tuple[int, str]]:
    """The lines of each function, and where it is."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno
                yield node.end_lineno - node.lineno + 1, f"{path.name}: {node.name}"


@pytest.mark.parametrize("folder", [TAP, *OTHERS])
def test_functions_are_short(folder: str) -> None:
    found = sorted(functions(folder))

    assert found
    assert [each for each in found if each[0] > MOST_LINES] == []


def test_most_functions_of_the_tap_are_very_short() -> None:
    assert statistics.median(lines for lines, _ in functions(TAP)) <= MEDIAN_LINES
