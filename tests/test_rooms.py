"""The plan of the code: rooms on floors, and the page that draws them."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

import tap_pinterest
from scripts.processes import ROOT
from tap_pinterest.streams import STREAM_TYPES

PACKAGE = ROOT / tap_pinterest.__name__


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


@pytest.mark.parametrize("stream", STREAM_TYPES)
def test_a_stream_has_at_most_seven_of_our_classes_in_its_resolution_order(
    stream: type[object],
) -> None:
    ours = [each for each in stream.__mro__ if each.__module__.startswith(tap_pinterest.__name__)]

    assert len(ours) <= 7


def test_few_modules_lie_at_the_root_of_the_package() -> None:
    assert len([*PACKAGE.glob("*.py")]) <= 5
