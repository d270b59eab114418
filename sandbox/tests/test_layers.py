"""The sandbox is a witness of its own: it takes nothing from the tap."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pinterest_sandbox

SOURCES = sorted(Path(pinterest_sandbox.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_sandbox_knows_nothing_of_the_tap(path: Path) -> None:
    packages = {each.partition(".")[0] for each in imported(path.read_text("utf-8"))}

    assert "tap_pinterest" not in packages


def imported(source: str) -> set[str]:
    """Everything that a source imports, anywhere in it, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found
