"""The dbt project of `transform/`, as far as it can be held against the tap without dbt."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts import update_transform
from scripts.processes import ROOT

PROJECT = ROOT / "transform"
MODELS = sorted((PROJECT / "models").rglob("*.sql"))
CODE = [
    path
    for folder in ("macros", "models", "tests", "snapshots")
    for path in sorted((PROJECT / folder).rglob("*.sql"))
]
FIVETRANS_NAMES = ("pinterest_ads__", "stg_pinterest_ads__")
_yaml = YAML(typ="safe")


def properties() -> dict[str, dict[str, Any]]:
    """The properties of each model, by its name."""
    found = [
        model
        for path in (PROJECT / "models").rglob("*.yml")
        for model in _yaml.load(path.read_text(encoding="utf-8")).get("models", ())
    ]
    assert len({model["name"] for model in found}) == len(found)
    return {model["name"]: model for model in found}


@pytest.fixture(scope="module")
def described() -> dict[str, dict[str, Any]]:
    return properties()


def test_what_follows_from_the_tap_is_up_to_date() -> None:
    stale = [
        path.relative_to(ROOT)
        for path, text in update_transform.written().items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run: make settings"


def test_every_model_and_every_column_is_described(described: dict[str, dict[str, Any]]) -> None:
    assert {path.stem for path in MODELS} == described.keys()
    for name, model in described.items():
        assert model["description"], name
        assert model["columns"], name
        assert [each["name"] for each in model["columns"] if not each["description"]] == [], name


def test_every_report_has_a_test_of_its_grain(described: dict[str, dict[str, Any]]) -> None:
    without = {
        name
        for name, model in described.items()
        if name.startswith(("pinterest__", "int_", "ums__")) and "data_tests" not in model
    }
    assert without == set()


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.stem)
def test_money_is_never_a_float(path: Any) -> None:
    text = path.read_text(encoding="utf-8").lower()
    assert (
        re.findall(r"\b(?:float\w*|double|real)\b", re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL))
        == []
    )


def test_a_model_with_money_says_its_currency(described: dict[str, dict[str, Any]]) -> None:
    for name, model in described.items():
        columns = {each["name"] for each in model["columns"]}
        if name.startswith(("pinterest__", "int_")) and "spend" in columns:
            assert "currency" in columns, name


def test_no_model_has_a_name_of_fivetrans_package() -> None:
    assert [path.stem for path in MODELS if path.stem.startswith(FIVETRANS_NAMES)] == []
    assert (
        _yaml.load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["name"] != "pinterest"
    )


def test_the_project_needs_no_package() -> None:
    assert not (PROJECT / "packages.yml").exists()
    assert not (PROJECT / "dependencies.yml").exists()


def test_every_snapshot_compares_columns_that_its_model_has(
    described: dict[str, dict[str, Any]],
) -> None:
    snapshots = _yaml.load((PROJECT / "snapshots" / "history.yml").read_text(encoding="utf-8"))[
        "snapshots"
    ]
    assert len(snapshots) == 4
    for snapshot in snapshots:
        (model,) = re.findall(r"'(\w+)'", snapshot["relation"])
        columns = {each["name"] for each in described[model]["columns"]}
        assert {*snapshot["config"]["check_cols"], *snapshot["config"]["unique_key"]} <= columns
