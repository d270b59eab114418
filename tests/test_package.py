"""A release has a version and its files, and the wheel works without the rest."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tap_pinterest
from scripts.processes import ROOT
from singer_run import settings

if TYPE_CHECKING:
    from pinterest_sandbox import Sandbox

DIST = "TAP_PINTEREST_TEST_DIST"
"""Names a folder with a wheel and an sdist that were built already."""


def hatchling(*arguments: str, folder: Path = ROOT) -> str:
    command = [sys.executable, "-m", "hatchling", *arguments]
    # Only the folder's own Git counts, not one above it.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    result = subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return result.stdout.strip()


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if given := os.environ.get(DIST):
        return ROOT / given
    folder = tmp_path_factory.mktemp("dist")
    hatchling("build", "-d", str(folder))
    return folder


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's files, as pip would put them."""
    folder = tmp_path_factory.mktemp("installed")
    (wheel,) = dist.glob("*.whl")
    shutil.unpack_archive(wheel, folder, "zip")
    return folder


def run_from(installed: Path, *arguments: str, folder: Path) -> str:
    """The output of Python with the wheel first on its path."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, *arguments]
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_wheel_has_the_package_whole_and_nothing_else(installed: Path) -> None:
    names = {path.name for path in installed.iterdir()}
    (info,) = (name for name in names if name.endswith(".dist-info"))
    assert names == {"tap_pinterest", info}
    there = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tap_pinterest").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {
        str(path.relative_to(installed))
        for path in (installed / "tap_pinterest").rglob("*")
        if path.is_file()
    }
    assert packed == there
    assert {"tap_pinterest/py.typed", "tap_pinterest/api/api.json"} <= packed
    commands = (installed / info / "entry_points.txt").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\S+) =", commands, re.MULTILINE)) == {
        "map-pinterest",
        "tap-pinterest",
        "tap-pinterest-login",
        "tap-pinterest-plan",
        "tap-pinterest-report",
        "tap-pinterest-state",
        "tap-pinterest-reconcile",
    }


def test_the_sdist_has_all_files_of_the_wheel(dist: Path, tmp_path: Path) -> None:
    (file,) = dist.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()

    hatchling("build", "-t", "wheel", "-d", str(tmp_path / "again"), folder=folder)

    (first,) = dist.glob("*.whl")
    (again,) = (tmp_path / "again").iterdir()
    assert again.name == first.name
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(again) as other:
        assert one.namelist() == other.namelist()
    assert not (folder / ".env").exists()


def test_the_wheel_loads_from_the_sandbox(
    installed: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings(sandbox, stream_groups="organic")))

    where = run_from(
        installed, "-c", "import tap_pinterest; print(tap_pinterest.__file__)", folder=tmp_path
    )
    written = run_from(installed, "-m", "tap_pinterest", "--config", str(config), folder=tmp_path)

    assert Path(where.strip()).is_relative_to(installed)
    assert {json.loads(line)["type"] for line in written.splitlines()} == {
        "SCHEMA",
        "RECORD",
        "STATE",
    }


def test_the_version_is_the_tags_and_without_git_there_is_one_too(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    assert hatchling("version", folder=tmp_path) == "0.1.0.dev0"

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
        command = ["git", *identity, *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "all")
    git("tag", "v1.2.3")

    assert hatchling("version", folder=tmp_path) == "1.2.3"


def test_the_package_knows_its_version() -> None:
    assert re.match(r"\d+\.\d+", tap_pinterest.__version__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = tap_pinterest.nothing


def test_the_container_runs_the_main_job_without_root_and_holds_no_secret() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    steps = [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]

    of = {word: [rest for each, rest in steps if each == word] for word, _ in steps}
    assert {image.split()[0] for image in of["FROM"]} == {"python:3.13-slim"}
    assert of["USER"] == ["tap"]
    assert of["ENTRYPOINT"] == ['["meltano"]']
    assert json.loads(of["CMD"][0]) == ["run", "tap-pinterest", "target-postgres"]
    assert of["VOLUME"] == ["/state"]
    # State and tokens are what has to outlive it.
    environment = dict(each.split("=", 1) for each in " ".join(of["ENV"]).split())
    kept = ("MELTANO_DATABASE_URI", "MELTANO_SYS_DIR_ROOT", "TAP_PINTEREST_TOKEN_FILE")
    assert all("/state/" in environment[name] for name in kept)
    assert not re.search(r"secret|access_token|refresh_token|password", text, re.IGNORECASE)
    # Whatever it copies is there, and nothing else gets in.
    copied = [each.split()[:-1] for each in of["COPY"] if "--from=" not in each]
    names = [name for each in copied for name in each if not name.startswith("--")]
    assert all((ROOT / name).exists() for name in names)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == set(names)
