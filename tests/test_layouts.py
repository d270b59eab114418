"""Layouts are objects in a registry: to add one is all that it takes."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from comparisons import SOURCES, chosen_by, compared, found_in
from scripts.processes import ROOT
from singer_run import settings
from tap_pinterest import layouts
from tap_pinterest.layouts import LAYOUTS, NAMINGS, Layout, Naming

if TYPE_CHECKING:
    from pathlib import Path

    from pinterest_sandbox import Sandbox

NAMES = {*LAYOUTS, *NAMINGS}
CONSTANTS = {name for name, each in vars(layouts).items() if isinstance(each, (Layout, Naming))}
WITH_A_LAYOUT_OF_ITS_OWN = """
import sys
from tap_pinterest import layouts
from tap_pinterest.layouts.tables import InForce, Table

table = Table(
    name="advertisers",
    source="ad_accounts",
    columns={"number": "id", "clicks": InForce("click_window_days", "integer")},
    key=("number",),
)
layouts.LAYOUTS["mine"] = layouts.Layout(
    "mine", "Mine", {table.name: table}, refuses=("stream_groups", "granularities")
)

from tap_pinterest.commands.map_pinterest import MapPinterest
from tap_pinterest.tap import TapPinterest

{"tap": TapPinterest, "mapper": MapPinterest}[sys.argv.pop(1)].cli()
"""


def ran(command: str, tmp_path: Path, text: str = "", **config: Any) -> tuple[int, str, str]:
    """The exit code of a command that knows one more layout, its output and its log."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    arguments = [sys.executable, "-c", WITH_A_LAYOUT_OF_ITS_OWN, command, f"--config={file}"]
    done = subprocess.run(
        arguments, input=text, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout, done.stderr


def messages(output: str, kind: str) -> list[dict[str, Any]]:
    read = map(json.loads, output.splitlines())
    return [each for each in read if each["type"] == kind]


def test_a_layout_that_is_in_the_registry_works_in_tap_and_mapper(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    config = settings(sandbox, sync_key=False)
    own, plain = ran("tap", tmp_path, **config, layout="mine"), ran("tap", tmp_path, **config)
    mapped = ran("mapper", tmp_path, plain[1], sync_key=False, layout="mine", click_window_days=30)

    assert (own[0], plain[0], mapped[0]) == (0, 0, 0), (own[2], plain[2], mapped[2])
    rows = [{"number": each.id, "clicks": 30} for each in sandbox.world.ad_accounts]
    for _, output, _ in (own, mapped):
        written = messages(output, "RECORD")
        assert {each["stream"] for each in written} == {"advertisers"}
        assert sorted((each["record"] for each in written), key=str) == sorted(rows, key=str)
    assert "campaigns has no table in Mine's layout" in mapped[2]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"layout": "yours"}, "layout"),
        ({"layout": "mine", "stream_groups": "boards"}, "stream_groups"),
        ({"layout": "mine", "custom_reports": [{"name": "a", "level": "AD"}]}, "custom_reports"),
        ({"column_names": "nice"}, "column_names"),
    ],
)
def test_the_tap_refuses_a_layout_that_is_not_in_the_registry(
    tmp_path: Path, more: dict[str, Any], fault: str
) -> None:
    code, output, log = ran("tap", tmp_path, access_token="pina", **more)

    assert (code, output) == (1, "")
    assert fault in log


def test_the_mapper_refuses_a_layout_that_is_not_in_the_registry(tmp_path: Path) -> None:
    code, output, log = ran("mapper", tmp_path, layout="yours")

    assert (code != 0, output) == (True, "")
    assert "yours" in log


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_compares_a_layout_or_its_name(path: Path) -> None:
    """Or chooses by the name from a dictionary; `comparisons` says what is not found."""
    assert found_in(path, is_about_a_name) == []


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ('layout == "daasity"', True),
        ('settings.column_names != "api"', True),
        ('layout in ("x", "daasity")', True),
        ("settings.layout.name == other", True),
        ('match layout:\n    case "pinterest": pass', True),
        ("settings.layout is DAASITY", True),
        ("layout == layouts.PINTEREST", True),
        ("layout not in (DAASITY, other)", True),
        ('layout is LAYOUTS["daasity"]', True),
        ("layout == layouts.LAYOUTS[name]", True),
        ("match layout:\n    case layouts.DAASITY: pass", True),
        ("TITLES[settings.layout.name]", True),
        ('{"daasity": 1}.get(layout)', True),
        ('{"pinterest": 1, "daasity": 2}', True),
        ('{"api": 1}', False),
        ("settings.layout == other.layout", False),
        ("Settings(layout=PINTEREST)", False),
        ('LAYOUTS["daasity"]', False),
        ("settings.column_names.are_displayed", False),
    ],
)
def test_a_comparison_with_the_name_of_a_layout_is_found(code: str, *, is_found: bool) -> None:
    assert any(map(is_about_a_name, ast.walk(ast.parse(code)))) is is_found


def is_about_a_name(node: ast.AST) -> bool:
    """Whether code compares a layout or a naming, or chooses by the name of one."""
    return any(map(names_a_layout, compared(node))) or chosen_by(node, NAMES)


def names_a_layout(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=str(text)):
            return text in NAMES
        case ast.Attribute(attr="name" | "title", value=of):
            return ast.unparse(of).endswith(("layout", "column_names"))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in CONSTANTS
        case ast.Subscript(value=of):
            return ast.unparse(of).endswith(("LAYOUTS", "NAMINGS"))
    return False
