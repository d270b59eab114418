"""The plan of the code: rooms on floors, and the page that draws them."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import grimp
import pytest

import tap_pinterest
from comparisons import SOURCES
from scripts.processes import ROOT
from tap_pinterest.streams import STREAM_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / tap_pinterest.__name__
MOST_CLASSES = 7
BOXES = {
    "__init__": "from boxes.lid import Lid\n",
    "lid": "class Lid: ...\n",
    "nail": "def drive():\n    import boxes.lid\n",
}


def contracts() -> dict[str, Any]:
    """The rules of `make lint` by their type."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return {each["type"]: each for each in project["tool"]["importlinter"]["contracts"]}


def test_contributing_draws_the_floors_as_the_contract_keeps_them() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    _, _, table = page.partition("| floor, from the top | purpose |\n")
    drawn = [
        re.findall(r"`(\w+)`", line.split("|")[1]) for line in table.split("\n\n")[0].split("\n")
    ]
    layers = contracts()["layers"]

    kept = [re.findall(r"\w+", floor) for floor in layers["layers"]]
    assert list(filter(None, drawn)) == kept
    assert layers["exhaustive"]


def test_no_file_of_tap_loader_and_fleet_may_be_in_a_circle() -> None:
    packages = {"tap_pinterest", "target_postgres_fast", "pinterest_fleet"}

    assert {*contracts()["acyclic_siblings"]["ancestors"]} == packages


@pytest.mark.parametrize(
    "package", ["tap_pinterest", "target_postgres_fast", "pinterest_fleet", "pinterest_sandbox"]
)
def test_no_modules_of_a_package_import_each_other_in_a_circle(package: str) -> None:
    assert circle(package) == []


@pytest.mark.parametrize(
    ("module", "line", "found"),
    [
        ("lid", "", []),
        ("lid", "from boxes import Lid\n", ["boxes", "boxes.lid"]),
        ("lid", "if TYPE_CHECKING:\n    from boxes import Lid\n", ["boxes", "boxes.lid"]),
        ("lid", "def lock():\n    from boxes import Lid\n", ["boxes", "boxes.lid"]),
        ("lid", "from boxes.nail import drive\n", ["boxes.lid", "boxes.nail"]),
        ("nail", "from boxes import Lid\n", []),
    ],
)
def test_a_circle_is_found_also_through_a_package_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, line: str, found: list[str]
) -> None:
    (tmp_path / "boxes").mkdir()
    for name, text in BOXES.items():
        own = text + line if name == module else text
        (tmp_path / "boxes" / f"{name}.py").write_text(own)
    monkeypatch.syspath_prepend(tmp_path)

    assert sorted({*circle("boxes")}) == found


def circle(package: str) -> list[str]:
    """A circle of modules that import each other, for types too; empty if there is none.

    The contract of `make lint` knows no circle of a package and a module in it.
    """
    graph = grimp.build_graph(package, cache_dir=None)
    imports = {each: graph.find_modules_directly_imported_by(each) for each in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_a_class_has_at_most_seven_of_our_classes_in_its_resolution_order() -> None:
    lengths = {each: len([*filter(is_ours, each.__mro__)]) for each in classes()}

    assert {each: length for each, length in lengths.items() if length > MOST_CLASSES} == {}
    assert {*STREAM_TYPES} <= lengths.keys()


def classes() -> Iterator[type[object]]:
    """The classes of all modules of the tap."""
    for path in SOURCES:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if path.stem != "__main__":
            yield from filter(
                is_ours, filter(inspect.isclass, vars(importlib.import_module(name)).values())
            )


def is_ours(each: type[object]) -> bool:
    return each.__module__.startswith(f"{tap_pinterest.__name__}.")


def test_few_modules_lie_at_the_root_of_the_package() -> None:
    assert len([*PACKAGE.glob("*.py")]) <= 5
