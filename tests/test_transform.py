"""The dbt project of `transform/`, as far as it can be held against the tap without dbt."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment
from ruamel.yaml import YAML

from documents import all_blocks, text_of
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
FIVETRAN = json.loads((ROOT / "tests/transform/fivetran_columns.json").read_text(encoding="utf-8"))
_yaml = YAML(typ="safe")


def loaded(name: str) -> Any:
    """A YAML file of the project."""
    return _yaml.load((PROJECT / name).read_text(encoding="utf-8"))


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


def test_only_models_that_are_off_have_names_of_fivetrans_package(
    described: dict[str, dict[str, Any]],
) -> None:
    same = {name for name in described if name.startswith(FIVETRANS_NAMES)}
    assert same == {f"pinterest_ads__{name}" for name in FIVETRAN["models"]}
    for name in same:
        assert described[name]["config"]["enabled"] == "{{ var('pinterest_fivetran', false) }}"
    assert loaded("dbt_project.yml")["name"] != "pinterest"


@pytest.mark.parametrize("name", FIVETRAN["models"])
def test_a_model_of_fivetrans_package_has_its_columns(
    described: dict[str, dict[str, Any]], name: str
) -> None:
    columns = {each["name"] for each in described[f"pinterest_ads__{name}"]["columns"]}
    assert columns == {*FIVETRAN["models"][name], *FIVETRAN["of_models"]}


@pytest.mark.parametrize("name", FIVETRAN["tables"])
def test_a_table_of_fivetrans_has_the_columns_that_its_package_reads(
    described: dict[str, dict[str, Any]], name: str
) -> None:
    columns = {each["name"] for each in described[f"fivetran_source__{name}"]["columns"]}
    wanted = {*FIVETRAN["tables"][name]} | (
        {*FIVETRAN["of_reports"]} if "_report" in name else set()
    )
    assert wanted <= columns


def test_the_documents_say_which_version_of_fivetrans_package_the_columns_are_of() -> None:
    assert FIVETRAN["version"] in text_of("docs/models.md")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        (
            "postgresql+psycopg://us%65r%40corp:p%40ss%21%C3%A9%23%25+x%2f12@db.org:6543/my%20db?sslmode=require",
            ("db.org", "6543", "user@corp", "p@ss!é#%+x/12", "my db", "require", "None"),
        ),
        (
            "postgresql://postgres@localhost/postgres",
            ("localhost", "5432", "postgres", "", "postgres", "prefer", "None"),
        ),
        ("postgres://[::1]:5433", ("::1", "5433", "", "", "", "prefer", "None")),
        (
            "postgresql://me:x@db.org/shop?sslmode=verify-full&sslrootcert=/etc/my%20ca.pem",
            ("db.org", "5432", "me", "x", "shop", "verify-full", "/etc/my ca.pem"),
        ),
    ],
    ids=["everything", "the least", "without user and database", "an authority"],
)
def test_the_loaders_address_is_taken_apart_as_the_loader_does(
    url: str, parts: tuple[str, ...]
) -> None:
    output = loaded("profiles.yml")["tap_pinterest"]["outputs"]["postgres"]
    jinja = Environment(autoescape=False)  # noqa: S701 - no HTML
    jinja.filters |= {"as_text": str, "as_number": int}
    found = [
        jinja.from_string(output[name]).render(env_var=lambda *_: url, modules={"re": re})
        for name in ("host", "port", "user", "password", "dbname", "sslmode", "sslrootcert")
    ]
    assert tuple(found) == parts


def test_the_command_of_the_models_says_how_to_install_dbt_where_it_is_missing(
    tmp_path: Path,
) -> None:
    (tmp_path / "transform").mkdir()
    script = Path(shutil.copy(PROJECT / "dbt.sh", tmp_path / "transform"))
    ended = subprocess.run([script, "build"], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    for command in ("python3 -m venv .venv-transform", "pip install -r requirements/transform.txt"):
        assert command in line
        assert command in text_of("docs/models.md")
    assert (ROOT / "requirements/transform.txt").exists()

    dbt = tmp_path / ".venv-transform/bin/dbt"
    dbt.parent.mkdir(parents=True)
    dbt.write_text('#!/bin/sh\necho "$@"; exit 3\n', encoding="utf-8")
    dbt.chmod(0o755)
    ended = subprocess.run([script, "run", "a b"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (3, "run a b\n")


def test_the_known_variables_are_those_that_the_code_reads_and_the_documents_describe() -> None:
    macros = (PROJECT / "macros/variables.sql").read_text(encoding="utf-8")
    listed, _, _ = macros.partition("{% endmacro %}")
    known = re.findall(r"^    '(\w+)',$", listed, re.MULTILINE)
    code = "".join(path.read_text(encoding="utf-8") for path in PROJECT.rglob("*.[sy][qm]l"))
    rows = re.findall(r"^\| (`pinterest_[a-z]\w+`.*?) \|", text_of("docs/models.md"), re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert known == sorted({*re.findall(r"var\('(pinterest_\w+)'", code)})
    # Only tests set the time.
    assert {*known} - {"pinterest_now"} == described


def test_no_project_file_hides_a_variable() -> None:
    """A rendered `dbt_project.yml` would not see the variables of a project."""
    assert "var(" not in (PROJECT / "dbt_project.yml").read_text(encoding="utf-8")


def test_the_project_needs_no_package() -> None:
    assert not (PROJECT / "packages.yml").exists()
    assert not (PROJECT / "dependencies.yml").exists()


def test_every_snapshot_compares_columns_that_its_model_has(
    described: dict[str, dict[str, Any]],
) -> None:
    snapshots = loaded("snapshots/history.yml")["snapshots"]
    assert len(snapshots) == 5
    for snapshot in snapshots:
        (model,) = re.findall(r"'(\w+)'", snapshot["relation"])
        columns = {each["name"] for each in described[model]["columns"]}
        assert {*snapshot["config"]["check_cols"], *snapshot["config"]["unique_key"]} <= columns


GROUPS = {
    "stg_pinterest": r"stg_pinterest__\w+",
    "int_pinterest_daily": r"int_pinterest__\w+_daily",
    "url_daily": r"pinterest__url_daily",
    "organic_daily": r"pinterest__organic_\w+_daily",
    "pinterest_daily": r"pinterest__(?!url|organic)\w+_daily",
    "reconciliation": r"pinterest__reconciliation",
    "freshness": r"pinterest__freshness",
    "removed": r"pinterest__removed",
    "ums_vendor_performance": r"ums__vendor_performance",
    "fivetran": r"(?:fivetran_source|pinterest_ads)__\w+",
}
"""The boxes of the lineage in the documents, with the models in each."""


def group_of(model: str) -> str | None:
    return next((name for name, form in GROUPS.items() if re.fullmatch(form, model)), None)


def test_the_drawn_lineage_is_that_of_the_models() -> None:
    (block,) = (b for b in all_blocks("mermaid") if b.text.startswith("flowchart"))
    drawn = set(re.findall(r"(\w+) --> (\w+)", block.text))
    refs = {
        (group_of(ref), group_of(path.stem))
        for path in MODELS
        for ref in re.findall(r"ref\('(\w+)'\)", path.read_text(encoding="utf-8"))
    }
    links = {(a, b) for a, b in refs if a and b and a != b}
    links |= {("stg_pinterest", "snapshots"), ("tables", "stg_pinterest")}
    links |= {("removed", "removed_history")}
    assert drawn <= links
    # Every model takes names from staging.
    assert {link for link in links - drawn if link[0] != "stg_pinterest"} == set()


def test_every_question_of_the_page_is_asked_of_models() -> None:
    questions = [b for b in all_blocks("sql", "models") if b.text.startswith("SELECT")]
    assert len(questions) >= 10
    models = {path.stem for path in MODELS} | {"vendor_performance"}
    models |= {each["name"] for each in loaded("snapshots/history.yml")["snapshots"]}
    for block in questions:
        assert {*re.findall(r"(?:pinterest_models|ums)\.(\w+)", block.text)} <= models
