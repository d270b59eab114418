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
    from collections.abc import Iterable, Iterator

    from documents import Block

PAGE = "CONTRIBUTING.md"
STEPS = re.findall(r"^## (Adding .+)$", text_of(PAGE), re.MULTILINE)
MADE_BY_TOOLS = (
    *(".git", ".venv*", ".meltano", ".*_cache", ".hypothesis"),
    *("*.egg-info", "dist", "output", "*.pyc.*"),
)
WRITTEN_BY_COMMANDS = (
    *("README.md", "meltano.yml", "docs/", "tests/__snapshots__/"),
    "tap_pinterest/dictionary/facts.json",
)
TESTS = ".venv/bin/python -m pytest"
STREAMS = "tap_pinterest/streams/__init__.py"
PATIENCE_SECONDS = 1_800


class Contributor:
    """Somebody with a clone of the repository in which `make test` has made `.venv`."""

    def __init__(self, clone: Path) -> None:
        # With compiled modules: a file that is edited is newer than its own, and compiled again.
        shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(*MADE_BY_TOOLS))
        self.clone = clone
        self._link_environment(clone / ".venv")
        self.run("git", "init", "--quiet")
        self.run("git", "add", "--all")
        self.run(
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
        """Edit the file that a block of the page names."""
        path = self.clone / (block.option("file") or "")
        lines = path.read_text(encoding="utf-8").splitlines()
        if block.option("outof"):
            at = _place_of(block.text, lines)
            assert at is not None, f"{path} has no {block.text}"
            del lines[at : at + len(block.text.splitlines())]
        elif target := block.option("into"):
            _put_into(lines, target, block)
        else:
            lines += ["", "", *block.text.splitlines()]
        path.write_text("\n".join((*lines, "")), encoding="utf-8")

    def changed(self) -> set[str]:
        """The files that differ from the clone's first commit, new ones included."""
        listed = self.run("git", "status", "--porcelain", "--untracked-files=all")
        return {line[3:] for line in listed.splitlines()}

    def run(self, *arguments: str) -> str:
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
def test_a_section_edits_files_writes_what_follows_from_them_and_runs_tests(heading: str) -> None:
    commands = commands_of(blocks_of(heading))
    assert any(block.option("file") for block in blocks_of(heading))
    assert commands[0] == "make settings"
    assert TESTS in commands[-1]
    # Streams are in the snapshot, settings are not.
    edited = {block.option("file") for block in blocks_of(heading)}
    assert any("UPDATE_SNAPSHOTS=1" in each for each in commands) is (STREAMS in edited)


def test_the_steps_of_all_sections_lead_to_green_tests(tmp_path: Path) -> None:
    contributor = Contributor(tmp_path / "clone")
    followed = [block for heading in STEPS for block in blocks_of(heading)]
    edits = [block for block in followed if block.option("file")]

    for block in edits:
        contributor.undo(block)
    for block in edits:
        contributor.follow(block)
    for command in each_once(commands_of(followed)):
        contributor.run("bash", "-euo", "pipefail", "-c", command)

    # Nothing else was edited: the commands of the page have written the rest.
    edited = {block.option("file") for block in edits}
    assert [
        name for name in contributor.changed() - edited if not name.startswith(WRITTEN_BY_COMMANDS)
    ] == []


def commands_of(followed: Iterable[Block]) -> list[str]:
    """The lines of the blocks that are commands."""
    return [line for each in followed if each.language == "sh" for line in each.text.splitlines()]


def each_once(commands: list[str]) -> list[str]:
    """Commands without those that a section has in common with others.

    They come in the order of a section: what writes files, then tests. Whole modules are run by one
    command, since sections name the same ones.
    """
    tests = [each for each in commands if each.startswith(TESTS)]
    whole = [each for each in tests if " -k " not in each]
    modules = [module for each in whole for module in each.removeprefix(TESTS).split()]
    others = [each for each in commands if each not in whole]
    writing = [each for each in others if each not in tests]
    testing = [each for each in others if each in tests]
    return [*dict.fromkeys((*writing, " ".join((TESTS, *dict.fromkeys(modules))), *testing))]
