from __future__ import annotations

import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from ruamel.yaml import YAML

from scripts.processes import ROOT
from scripts.update_docs import BLOCKS, DOCUMENTS, written
from tap_pinterest.config import custom_reports
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from pathlib import Path

WITH_COMMANDS = (
    *(str(path.relative_to(ROOT)) for path in DOCUMENTS),
    "CHANGELOG.md",
    "sandbox/README.md",
    "loader/README.md",
)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", text("Makefile"), re.MULTILINE))


def workflows() -> list[Path]:
    return sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def setting_names(plugins: str) -> set[str]:
    plugin = YAML(typ="safe").load(ROOT / "meltano.yml")["plugins"][plugins][0]
    prefix = plugin["name"].replace("-", "_").upper()
    return {f"{prefix}_{setting['name'].upper()}" for setting in plugin["settings"]}


@pytest.mark.parametrize("document", WITH_COMMANDS)
def test_every_make_command_in_the_docs_exists(document: str) -> None:
    shown = set(re.findall(r"^make ([a-z-]+)", "\n".join(code_in(text(document))), re.MULTILINE))
    assert shown <= make_targets()


def code_in(markdown: str) -> list[str]:
    """The fenced blocks and the inline code of a document."""
    blocks = re.findall(r"^ *```[^\n`]*\n(.*?)^ *```", markdown, re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r"`([^`\n]+)`", markdown)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_tables_in_the_documents_are_those_of_the_tap(document: Path) -> None:
    shown = document.read_text(encoding="utf-8")
    assert written(shown) == shown, "run make settings"


def test_every_table_has_its_place_in_a_document() -> None:
    shown = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    for name in BLOCKS:
        assert f"<!-- {name}: written by make settings -->" in shown


def test_the_demo_in_the_quick_start_shows_every_table() -> None:
    shown = set(re.findall(r"^  (\w+) +[\d,]+ ", text("docs/quickstart.md"), re.MULTILINE))
    assert shown == set(TapPinterest(config={}, validate_config=False).streams)


def test_every_key_of_a_custom_report_is_explained() -> None:
    _, section = text("docs/numbers.md").split("## Reports of your own", maxsplit=1)
    explained = re.findall(r"`(\w+)`", section.split("\n## ", maxsplit=1)[0])
    assert set(custom_reports.KEYS) <= set(explained)


def test_every_variable_of_the_example_env_file_is_a_setting() -> None:
    names = set(re.findall(r"^([A-Z_]+)=", text(".env.example"), re.MULTILINE))
    assert names
    assert names <= setting_names("extractors") | setting_names("loaders")


def test_the_example_env_file_holds_no_secret() -> None:
    values = dict(re.findall(r"^(TAP_PINTEREST_[A-Z_]+)=(.*)$", text(".env.example"), re.MULTILINE))
    assert set(values.values()) == {""}


def test_make_alone_lists_every_command() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert set(re.findall(r"^  make ([a-z-]+)", shown.stdout, re.MULTILINE)) == make_targets()


def test_the_check_that_a_server_runs_is_make_test() -> None:
    assert re.search(r"^exec make test\b", text(".ci/run"), re.MULTILINE)
    assert "make test" in text(".github/workflows/test.yml")


@pytest.mark.parametrize("workflow", workflows(), ids=lambda path: path.name)
def test_actions_are_pinned_to_commits_and_may_only_read(workflow: Path) -> None:
    used = re.findall(r"uses: (.+)", workflow.read_text(encoding="utf-8"))
    assert [action for action in used if not PINNED.fullmatch(action)] == []
    document = YAML(typ="safe").load(workflow)
    assert document["permissions"] == {}
    for name, job in document["jobs"].items():
        allowed = {"id-token": "write"} if name == "publish" else {"contents": "read"}
        assert job.get("permissions", {}) in ({}, allowed)


def test_the_tested_build_is_published_without_a_stored_token() -> None:
    jobs = YAML(typ="safe").load(ROOT / ".github" / "workflows" / "release.yml")["jobs"]

    assert set(jobs["publish"]["needs"]) == {"build", "test"}
    assert [name for name, each in jobs.items() if "-m build" in commands(each)] == []
    assert [name for name, each in jobs.items() if "pipx run build" in commands(each)] == ["build"]
    # Nothing of its own runs where it could publish.
    assert commands(jobs["publish"]).strip() == ""
    assert "secrets." not in text(".github/workflows/release.yml")


def job(workflow: str, name: str) -> dict[str, Any]:
    document = YAML(typ="safe").load(ROOT / ".github" / "workflows" / workflow)
    assert "schedule" in document["on"]
    found: dict[str, Any] = document["jobs"][name]
    return found


def commands(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


def test_dependencies_are_audited_daily_and_after_each_change() -> None:
    audit = job("dependencies.yml", "audit")

    assert "pip-audit" in commands(audit)
    assert "continue-on-error" not in audit


def test_the_newest_sdk_is_tried_on_a_schedule_and_nothing_waits_for_it() -> None:
    newest = job("dependencies.yml", "newest-sdk")

    assert newest["continue-on-error"] is True
    assert "--upgrade --pre" in commands(newest)
    assert "-m pytest" in commands(newest)


def test_development_is_locked_and_users_get_ranges() -> None:
    project = tomllib.loads(text("pyproject.toml"))
    locked = {
        Requirement(line).name: Requirement(line)
        for line in text("requirements/dev.txt").splitlines()
        if line and not line.startswith("#")
    }
    wanted = [Requirement(each) for each in project["project"]["dependencies"]]
    groups = project["dependency-groups"].values()
    developing = [Requirement(each) for group in groups for each in group if isinstance(each, str)]

    assert all(str(each.specifier).startswith("==") for each in locked.values())
    for each in (*wanted, *developing):
        (version,) = locked[each.name].specifier
        assert each.specifier.contains(version.version)
    assert all({spec.operator for spec in each.specifier} <= {">=", "~=", "<"} for each in wanted)
    assert "--constraint requirements/dev.txt" in text("scripts/bootstrap.sh")
