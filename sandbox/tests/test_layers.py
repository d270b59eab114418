"""The files of the sandbox import each other in one direction only, imports for types included."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pinterest_sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(pinterest_sandbox.__file__).parent
PACKAGE = ROOT.name


def test_no_files_of_the_sandbox_import_each_other_in_a_circle() -> None:
    assert circle(imports_below(ROOT)) == []


def test_a_circle_of_imports_for_types_is_found(tmp_path: Path) -> None:
    root = tmp_path / "boxes"
    root.mkdir()
    (root / "__init__.py").write_text("")
    (root / "lid.py").write_text("from boxes import box\n")
    (root / "box.py").write_text("if TYPE_CHECKING:\n    from boxes.lid import Lid\n")

    assert set(circle(imports_below(root))) == {"boxes.box", "boxes.lid"}


def test_the_sandbox_knows_nothing_of_the_tap() -> None:
    for path in ROOT.rglob("*.py"):
        imported = {each.partition(".")[0] for each in _imported(path.read_text("utf-8"))}
        assert "tap_pinterest" not in imported, path.name


@pytest.mark.parametrize("name", ["api", "world", "server"])
def test_the_modules_are_found(name: str) -> None:
    assert f"{PACKAGE}.{name}" in imports_below(ROOT)


def imports_below(root: Path) -> dict[str, set[str]]:
    """The modules of a package that each of its modules imports."""
    paths = {_name(root, path): path for path in root.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, path in paths.items():
        imported = _imported(path.read_text("utf-8"))
        whole = {each if each in paths else each.rpartition(".")[0] for each in imported}
        found[name] = (whole & paths.keys()) - {name}
    return found


def circle(imports: Mapping[str, set[str]]) -> list[str]:
    """A circle of modules that import each other; empty where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def _name(root: Path, path: Path) -> str:
    parts = (root.name, *path.relative_to(root).with_suffix("").parts)
    return ".".join(part for part in parts if part != "__init__")


def _imported(source: str) -> set[str]:
    """Everything that a source imports, anywhere in it, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found
