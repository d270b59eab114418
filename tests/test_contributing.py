"""Somebody follows the steps of CONTRIBUTING.md in a copy of the repository."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

import pytest

from documents import blocks, text_of
from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from documents import Block

PAGE = "CONTRIBUTING.md"
STEPS = re.findall(r"^## (Adding .+)$", text_of(PAGE), re.MULTILINE)
MADE_BY_TOOLS = (
    *(".git", ".venv*", ".meltano", ".*_cache", ".hypothesis"),
    *("__pycache__", "*.egg-info", "dist", "output"),
)
WRITTEN_BY_COMMANDS = (
    *("README.md", "meltano.yml", "docs/", "tests/__snapshots__/"),
    "tap_pinterest/dictionary/facts.json",
)
PATIENCE_SECONDS = 1_800


class Contributor:
    """Somebody with a clone of the repository in which `make test` has made `.venv`."""

    def __init__(self, clone: Path) -> None:
        shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(*MADE_BY_TOOLS))
        self.clone = clone
        self._link_environment(clone / ".venv")
        self._run("git", "init", "--quiet")
        self._run("git", "add", "--all")
        self._run(
            *("git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"),
            *("commit", "--quiet", "--message", "start"),
        )

    @staticmethod
    def _link_environment(folder: Path) -> None:
        """Use the environment that runs us. Its marks are newer than any file: make keeps it."""
        folder.mkdir()
        for each in Path(sys.prefix).iterdir():
            if not each.name.startswith("ready-for-"):
                (folder / each.name).symlink_to(each)
        for mark in ("ready-for-run", "ready-for-dev"):
            (folder / mark).touch()

    def undo(self, block: Block) -> None:
        """Take out of the clone what the page shows of something that is there already."""
        if (name := block.option("file")) and not block.option("outof"):
            path = self.clone / name
            lines = path.read_text(encoding="utf-8").splitlines()
            if (at := _place_of(block.text, lines)) is not None:
                del lines[at : at + len(block.text.splitlines())]
                path.write_text("\n".join((*lines, "")), encoding="utf-8")

    def follow(self, block: Block) -> None:
        """Do what a block of the page shows."""
        name = block.option("file")
        if name is None:
            self._run("bash", "-euo", "pipefail", "-c", block.text)
            return
        path = self.clone / name
        lines = path.read_text(encoding="utf-8").splitlines()
        if block.option("outof"):
            at = _place_of(block.text, lines)
            assert at is not None, f"{name} has no {block.text}"
            del lines[at : at + len(block.text.splitlines())]
        elif target := block.option("into"):
            _put_into(lines, target, block)
        else:
            lines += ["", "", *block.text.splitlines()]
        path.write_text("\n".join((*lines, "")), encoding="utf-8")

    def changed(self) -> set[str]:
        """The files that differ from the clone's first commit, new ones included."""
        listed = self._run("git", "status", "--porcelain", "--untracked-files=all")
        return {line[3:] for line in listed.splitlines()}

    def _run(self, *arguments: str) -> str:
        """Run a command in the clone, whose own packages come before the installed ones."""
        packages = (self.clone, self.clone / "sandbox", self.clone / "loader")
        environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
        ended = subprocess.run(
            arguments,
            cwd=self.clone,
            env=environment | {"PYTHONPATH": os.pathsep.join(map(str, packages))},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert ended.returncode == 0, f"{arguments}:\n{ended.stdout}"
        return ended.stdout


def _place_of(text: str, lines: list[str]) -> int | None:
    """Where a text stands, however far it is indented there."""
    sought = [line.strip() for line in text.splitlines()]
    stripped = [line.strip() for line in lines]
    places = range(len(lines) - len(sought) + 1)
    return next((at for at in places if stripped[at : at + len(sought)] == sought), None)


def _put_into(lines: list[str], target: str, block: Block) -> None:
    """Add a block to a class, a collection or an object that begins at the top of the file."""
    added = indent(block.text, "    ").splitlines()
    if block.language == "json":
        at = lines.index(f'  "{target}": {{') + 1
        added[-1] += ","
    elif block.text.startswith(("@", "def ")):
        at = _end_of(lines, target, (ast.AST,))
        added.insert(0, "")
    else:
        at = _end_of(lines, target, (ast.Assign, ast.AnnAssign))
    lines[at:at] = added


def _end_of(lines: list[str], name: str, kinds: tuple[type[ast.AST], ...]) -> int:
    """Where lines can be added to a collection, or to a class after its members of some kinds."""
    for node in ast.parse("\n".join(lines)).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return max(each.end_lineno or 0 for each in node.body if isinstance(each, kinds))
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return (node.end_lineno or 0) - 1
    msg = f"there is no {name} at the top of the module"
    raise AssertionError(msg)


def blocks_of(heading: str) -> Iterator[Block]:
    """The blocks of a section of the page, in order."""
    lines = text_of(PAGE).splitlines()
    start = lines.index(f"## {heading}") + 1
    ends = (n for n, line in enumerate(lines[start:], start) if line.startswith("## "))
    end = next(ends, len(lines))
    return (block for block in blocks(PAGE) if start <= block.line <= end)


def test_the_page_shows_how_to_add_a_stream_a_setting_and_a_level() -> None:
    assert {"Adding a stream", "Adding a setting", "Adding a level"} <= set(STEPS)


@pytest.mark.parametrize("heading", STEPS)
def test_the_steps_of_a_section_lead_to_green_tests(heading: str, tmp_path: Path) -> None:
    contributor = Contributor(tmp_path / "clone")
    followed = [block for block in blocks_of(heading) if block.language != "text"]
    edited = {name for block in followed if (name := block.option("file"))}

    for block in followed:
        contributor.undo(block)
    for block in followed:
        contributor.follow(block)

    assert edited
    assert any("pytest" in block.text for block in followed)
    # Nothing else was edited: the commands of the page have written the rest.
    assert [
        name for name in contributor.changed() - edited if not name.startswith(WRITTEN_BY_COMMANDS)
    ] == []
