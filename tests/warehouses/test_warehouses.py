"""Any warehouse: every stream on two days, every key and value against its last record."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from meltano.core.plugin.base import PluginType
from meltano.core.project import Project

from scripts.processes import ROOT
from warehouses import in_meltano
from warehouses.declared import TARGETS, TYPED, rows_in_view

if TYPE_CHECKING:
    from pathlib import Path

    from warehouses.place import Installed


OF_THE_PROJECT = {"target-postgres", "target-postgres-stock", "target-duckdb"}
"""Loaders that pip installs together with the tap or from `loader/`."""


def test_every_loader_of_meltano_yml_is_tested_with_its_settings() -> None:
    assert {each.loader for each in (*TARGETS, *TYPED)} == in_meltano.loaders().keys()


def test_meltano_installs_each_loader_that_the_page_says_it_does(tmp_path: Path) -> None:
    shutil.copy(ROOT / "meltano.yml", tmp_path)
    plugins = Project(tmp_path).plugins.get_plugins_of_type(PluginType.LOADERS)

    installed = {each.name for each in plugins if each.is_installable()}

    assert installed == in_meltano.loaders().keys() - OF_THE_PROJECT


def test_each_setting_of_the_tap_that_a_target_needs_is_on_the_page() -> None:
    page = (ROOT / "docs" / "warehouses.md").read_text("utf-8")

    for target in TARGETS:
        (row,) = re.findall(rf"^\| `{target.loader}` .*", page, re.MULTILINE)
        assert set(re.findall(r"the tap's `(\w+)`", row)) == target.tap.keys(), target.name


def test_each_run_writes_files_of_csv_of_its_own() -> None:
    """The target empties a file that it finds: a second run under one name loses the first."""
    settings = in_meltano.settings("target-csv", {})

    assert "{timestamp}" in settings["file_naming_scheme"]
    assert "%f" in settings["timestamp_format"]


def test_the_view_of_json_lines_has_the_last_line_of_each_key(tmp_path: Path) -> None:
    lines = [{"ad_id": str(at % 1000), "date": "2026-11-24", "clicks": at} for at in range(30_000)]
    file = tmp_path / "ad_analytics.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")

    rows = rows_in_view("read_json", [file], ["ad_id", "date"])

    assert sorted(row["clicks"] for row in rows) == [*range(29_000, 30_000)]
    assert {*rows[0]} == {"ad_id", "date", "clicks"}


@pytest.mark.parametrize("target", [*TARGETS, *TYPED], ids=lambda target: target.name)
def test_every_value_of_two_days_is_there_with_its_type(target: Installed, tmp_path: Path) -> None:
    if not target.is_installed:
        pytest.skip("make warehouses installs it")

    result = target.load(tmp_path)

    assert result.differences == []
    assert result.streams > 100
