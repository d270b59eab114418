"""Whatever a distribution imports, its pyproject.toml declares."""

from __future__ import annotations

import ast
import itertools
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

import pytest

from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISTRIBUTIONS = packages_distributions()
PACKAGES = [
    (".", "tap_pinterest"),
    ("sandbox", "pinterest_sandbox"),
    ("loader", "target_postgres_fast"),
    ("fleet", "pinterest_fleet"),
]


def imported(text: str) -> Iterator[str]:
    """The top-level packages that a module imports, for types as well."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                yield from (each.name.split(".")[0] for each in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.split(".")[0]


def normalised(requirement: str) -> str:
    """The name of a distribution that a requirement asks for."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def undeclared(folder: Path, package: str) -> dict[str, list[str]]:
    """Imported packages that no dependency brings, each with its distributions."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project.get("optional-dependencies", {}).values()
    declared = {*map(normalised, itertools.chain(project["dependencies"], *extras))}
    texts = (path.read_text("utf-8") for path in (folder / package).rglob("*.py"))
    others = {name for text in texts for name in imported(text)} - {package}
    found = {name: DISTRIBUTIONS.get(name, []) for name in others - sys.stdlib_module_names}
    return {
        name: sources
        for name, sources in found.items()
        if not declared & {*map(normalised, sources)}
    }


@pytest.mark.parametrize(("folder", "package"), PACKAGES, ids=[name for _, name in PACKAGES])
def test_every_import_is_declared(folder: str, package: str) -> None:
    assert undeclared(ROOT / folder, package) == {}


def test_an_import_that_is_not_declared_is_found(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["msgspec>=0.19"]\n')
    code = "import json\nimport msgspec.json\nfrom click.types import Choice\nfrom . import b\n"
    (tmp_path / "mine" / "a.py").write_text(code)

    assert undeclared(tmp_path, "mine") == {"click": ["click"]}


def test_every_import_of_tests_and_scripts_is_declared() -> None:
    ours = [ROOT / folder / "pyproject.toml" for folder, _ in PACKAGES]
    projects = [tomllib.loads(each.read_text("utf-8")) for each in ours]
    groups = itertools.chain(*projects[0]["dependency-groups"].values())
    declared = {normalised(each) for each in groups if isinstance(each, str)}
    for each in (project["project"] for project in projects):
        declared |= {normalised(each["name"]), *map(normalised, each["dependencies"])}
    texts = [
        path.read_text("utf-8")
        for folder in ("scripts", "tests", "sandbox/tests")
        for path in (ROOT / folder).rglob("*.py")
    ]
    found = {
        name: DISTRIBUTIONS[name]
        for text in texts
        for name in imported(text)
        if name in DISTRIBUTIONS
    }

    assert {
        name for name, sources in found.items() if not declared & {*map(normalised, sources)}
    } == set()
