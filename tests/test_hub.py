"""The definition for Meltano Hub, held against the tap and against what Meltano understands."""

from __future__ import annotations

import importlib.resources
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from ruamel.yaml import YAML

import forked_programs
from scripts import update_hub
from scripts.main_job import MainJob
from scripts.processes import ROOT
from singer_run import settings
from tap_pinterest.config import CONFIG_SCHEMA
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from pathlib import Path

    from pinterest_sandbox import Sandbox

# What the Hub's own schemas allow.
TOP_LEVEL = {
    *("name", "variant", "label", "namespace", "executable", "description", "pip_url", "repo"),
    *("domain_url", "logo_url", "maintenance_status", "keywords", "capabilities", "select"),
    *("settings_group_validation", "settings", "commands", "docs", "definition", "prereq"),
    *("settings_preamble", "next_steps", "usage", "requires", "schema", "metadata"),
}
REQUIRED = {"name", "namespace", "variant", "label"}
KINDS = {"string", "integer", "boolean", "array", "object", "options", "date_iso8601"}
OF_A_SETTING = {"name", "label", "kind", "value", "sensitive", "options", "description"}


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(update_hub.path())
    return loaded


@pytest.fixture(scope="module")
def plugin() -> dict[str, Any]:
    (tap,) = YAML(typ="safe").load(ROOT / "meltano.yml")["plugins"]["extractors"]
    return dict(tap)


def test_the_file_is_up_to_date_with_its_script() -> None:
    assert update_hub.path().read_text(encoding="utf-8") == update_hub.written(), "make settings"


def test_the_hub_file_has_all_fields_that_the_hub_wants_and_no_others(
    definition: dict[str, Any],
) -> None:
    assert REQUIRED <= definition.keys() <= TOP_LEVEL
    for setting in definition["settings"]:
        assert {"name", "label", "kind", "description"} <= setting.keys() <= OF_A_SETTING
        assert setting["kind"] in KINDS
        assert ("options" in setting) == (setting["kind"] == "options")


def test_the_hub_file_installs_from_the_repository(
    definition: dict[str, Any],
) -> None:
    address = definition.get("repo")
    assert definition["pip_url"] == (f"git+{address}" if address else ".")


def test_the_hub_file_and_meltano_yml_have_the_same_settings(
    definition: dict[str, Any], plugin: dict[str, Any]
) -> None:
    unlabelled = [
        {name: value for name, value in setting.items() if name != "label"}
        for setting in definition["settings"]
    ]
    assert unlabelled == plugin["settings"]
    for key in plugin.keys() & definition.keys() - {"settings"}:
        assert definition[key] == plugin[key]


def test_every_setting_of_the_tap_is_there_and_secrets_are_sensitive(
    definition: dict[str, Any],
) -> None:
    known = {each["name"]: each for each in definition["settings"]}
    for name, schema in CONFIG_SCHEMA["properties"].items():
        members = [each for each in known if each.partition(".")[0] == name]
        assert members
        if schema.get("secret"):
            assert known[name]["sensitive"] is True
    assert {name for group in definition["settings_group_validation"] for name in group} <= {*known}


def test_the_capabilities_are_those_of_the_tap(definition: dict[str, Any]) -> None:
    assert {*definition["capabilities"]} == {each.value for each in TapPinterest.capabilities}


def test_every_setting_has_a_readable_label(definition: dict[str, Any]) -> None:
    labels = {each["name"]: each["label"] for each in definition["settings"]}

    assert labels["client_id"] == "Client ID"
    assert labels["api_url"] == "API URL"
    assert labels["max_requests_in_flight"] == "Max Requests in Flight"
    assert labels["oauth_credentials.refresh_proxy_url"] == "Refresh Proxy URL"


def test_meltano_yml_follows_meltanos_own_schema_for_the_tap() -> None:
    file = importlib.resources.files("meltano") / "schemas" / "meltano.schema.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    document = YAML(typ="safe").load(ROOT / "meltano.yml")
    del document["plugins"]["loaders"], document["plugins"]["mappers"]

    validator = jsonschema.validators.validator_for(schema)(schema)
    faults = [(list(each.absolute_path), each.message) for each in validator.iter_errors(document)]
    assert faults == []


def project_of(sandbox: Sandbox, folder: Path) -> MainJob:
    """A Meltano project with the settings for a sandbox."""
    shutil.copy(ROOT / "meltano.yml", folder)
    given = settings(sandbox, token_file=str(folder / "tokens.json"))
    environment = {f"TAP_PINTEREST_{name.upper()}": value for name, value in given.items()}
    programs = forked_programs.folder()
    return MainJob(folder, environment, log=folder / "log", project=folder, programs=programs)


def test_the_command_that_tests_the_connection_runs_in_meltano(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    output = project_of(sandbox, tmp_path).meltano("invoke", "tap-pinterest:test")

    (good, every) = re.findall(r"(\d+) of (\d+) datasets can be read\.", output)[0]
    assert int(good) == int(every) > 10


def test_the_command_that_plans_runs_in_meltano(sandbox: Sandbox, tmp_path: Path) -> None:
    output = project_of(sandbox, tmp_path).meltano("invoke", "tap-pinterest:plan")

    assert "The 1,000 calls of a trial day suffice." in output
    assert not [each for each in sandbox.requests if each.path.endswith("/analytics")]
