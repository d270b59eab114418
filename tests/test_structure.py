"""The size of the tap's classes and functions."""

from __future__ import annotations

import ast
import statistics
from typing import TYPE_CHECKING

import pytest

import tap_pinterest
from scripts.processes import ROOT
from tap_pinterest.streams import STREAM_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CLASSES = 7
MOST_LINES, MEDIAN_LINES = 45, 6
PACKAGE = tap_pinterest.__name__
SOURCES = {path: path.read_text(encoding="utf-8") for path in (ROOT / PACKAGE).rglob("*.py")}


@pytest.mark.parametrize("stream", STREAM_TYPES)
def test_no_stream_is_made_of_more_than_seven_classes_of_ours(stream: type) -> None:
    ours = [each.__name__ for each in stream.__mro__ if each.__module__.startswith(PACKAGE)]

    assert len(ours) <= MOST_CLASSES, ours


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
