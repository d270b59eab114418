"""The size of the tap's functions."""

from __future__ import annotations

import ast
import statistics
from typing import TYPE_CHECKING

import tap_pinterest
from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_LINES, MEDIAN_LINES = 45, 6
PACKAGE = tap_pinterest.__name__
SOURCES = {path: path.read_text(encoding="utf-8") for path in (ROOT / PACKAGE).rglob("*.py")}


def functions() -> Iterator[tuple[int, str]]:
    """The lines of each function, and where it is."""
    for path, text in SOURCES.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno
                yield node.end_lineno - node.lineno + 1, f"{path.name}: {node.name}"


def test_functions_are_short() -> None:
    found = sorted(functions())

    assert [each for each in found if each[0] > MOST_LINES] == []
    assert statistics.median(lines for lines, _ in found) <= MEDIAN_LINES
