from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

import forked_programs
from scripts.main_job import MainJob
from scripts.processes import ROOT
from scripts.update_meltano_yml import described_settings
from tap_pinterest.config import CONFIG_SCHEMA, problems

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEFAULT_STREAMS = {
    "ad_accounts",
    "campaigns",
    "ad_groups",
    "ads",
    "ad_account_analytics",
    "campaign_analytics",
    "ad_group_analytics",
    "ad_analytics",
    "delivery_metrics",
    "metrics_ready_state",
    "sync_log",
    "user_account",
    "user_account_metrics",
    "user_account_analytics",
    "boards",
    "pins",
    "ad_creatives",
    "board_counts_daily",
    "pin_metrics_daily",
}
SECRETS = {
    "TAP_PINTEREST_CLIENT_ID": "1234567",
    "TAP_PINTEREST_CLIENT_SECRET": "the-client-secret",
    "TAP_PINTEREST_REFRESH_TOKEN": "pinr.the-refresh-token",
    "TARGET_POSTGRES_SQLALCHEMY_URL": "postgresql+psycopg://me:the-password@127.0.0.1/none",
}


@pytest.fixture
def project(tmp_path: Path) -> MainJob:
    """A project of its own with our `meltano.yml`, which commands may change."""
    return project_with(tmp_path, SECRETS)


def project_with(folder: Path, settings: Mapping[str, str]) -> MainJob:
    """A project with our `meltano.yml` and these settings."""
    shutil.copy(ROOT / "meltano.yml", folder)
    log, programs = folder / "log", forked_programs.folder()
    return MainJob(folder, settings, log=log, project=folder, programs=programs)


def meltano_yml() -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(ROOT / "meltano.yml")
    return document


def test_the_settings_in_meltano_yml_are_those_of_the_tap() -> None:
    (tap,) = meltano_yml()["plugins"]["extractors"]
    assert tap["settings"] == described_settings()


def test_only_secrets_are_sensitive() -> None:
    (tap,) = meltano_yml()["plugins"]["extractors"]
    sensitive = {setting["name"] for setting in tap["settings"] if setting.get("sensitive")}
    tokens = {"access_token", "refresh_token", "refresh_proxy_url_auth"}
    assert sensitive == {
        *("client_secret", "refresh_token", "access_token"),
        *(f"oauth_credentials.{name}" for name in tokens),
    }


def test_no_plugin_of_a_job_has_anything_to_install_and_others_are_pinned() -> None:
    document = meltano_yml()
    plugins = [plugin for kind in document["plugins"].values() for plugin in kind]
    in_jobs = {word for job in document["jobs"] for task in job["tasks"] for word in task.split()}
    assert plugins
    for plugin in plugins:
        assert "executable" in plugin
        assert {"namespace", "inherit_from"} & set(plugin)
        assert "variant" not in plugin
        if "pip_url" in plugin:
            assert plugin["name"] not in in_jobs
            assert all("==" in each or "<" in each for each in plugin["pip_url"].split())


def test_the_schedule_runs_the_job_that_is_the_main_job() -> None:
    document = meltano_yml()
    (schedule,) = document["schedules"]
    jobs = {job["name"]: job["tasks"] for job in document["jobs"]}
    assert jobs[schedule["job"]] == ["tap-pinterest target-postgres"]


def test_config_shows_every_setting_and_no_secret(project: MainJob) -> None:
    shown = project.meltano("config", "list", "tap-pinterest", "--all")
    for name in CONFIG_SCHEMA["properties"]:
        assert re.search(rf"^{name}[ .]", shown, re.MULTILINE)
    assert "the-client-secret" not in shown
    assert "the-refresh-token" not in shown


def test_a_list_may_be_a_comma_separated_text(tmp_path: Path) -> None:
    settings = {"TAP_PINTEREST_AD_ACCOUNT_IDS": "549755885175,549755885176"}
    project = project_with(tmp_path, settings)
    config = json.loads(project.meltano("config", "print", "tap-pinterest"))
    assert config["ad_account_ids"] == "549755885175,549755885176"


def test_members_of_oauth_credentials_are_settings_of_their_own(tmp_path: Path) -> None:
    settings = {
        "TAP_PINTEREST_OAUTH_CREDENTIALS_REFRESH_TOKEN": "pinr_1",
        "TAP_PINTEREST_OAUTH_CREDENTIALS_REFRESH_PROXY_URL": "https://proxy.example/token",
        "TAP_PINTEREST_OAUTH_CREDENTIALS_REFRESH_PROXY_URL_AUTH": "Bearer the-proxys-own",
    }
    project = project_with(tmp_path, settings)

    shown = project.meltano("config", "list", "tap-pinterest")
    config = json.loads(project.meltano("invoke", "--dump=config", "tap-pinterest"))

    assert "the-proxys-own" not in shown
    assert config["oauth_credentials"] == {
        "refresh_token": "pinr_1",
        "refresh_proxy_url": "https://proxy.example/token",
        "refresh_proxy_url_auth": "Bearer the-proxys-own",
    }
    assert problems(config) == []


def test_a_job_of_its_own_sees_nothing_of_the_users_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("TAP_PINTEREST_END_DATE=2026-01-31\n", encoding="utf-8")
    monkeypatch.setenv("TAP_PINTEREST_CLIENT_ID", "7")
    settings = {"TAP_PINTEREST_START_DATE": "2026-01-01"}
    job = project_with(tmp_path, settings)
    config = json.loads(job.meltano("config", "print", "tap-pinterest"))
    assert config["start_date"] == "2026-01-01"
    assert config["end_date"] == "yesterday"
    assert "client_id" not in config


def test_the_target_loads_with_the_settings_we_measured(project: MainJob) -> None:
    config = json.loads(project.meltano("config", "print", "target-postgres"))
    config.pop("sqlalchemy_url")
    assert config == {
        "default_target_schema": "pinterest",
        "use_copy": True,
        "validate_records": False,
        "batch_size_rows": 5000,
        "add_record_metadata": True,
        "activate_version": False,
    }


def test_about_names_the_tap(project: MainJob) -> None:
    shown = project.meltano("invoke", "tap-pinterest", "--about", "--format=json")
    assert json.loads(shown)["name"] == "tap-pinterest"


def test_discover_lists_the_default_streams(project: MainJob) -> None:
    catalog = json.loads(project.meltano("invoke", "tap-pinterest", "--discover"))
    assert {stream["tap_stream_id"] for stream in catalog["streams"]} == DEFAULT_STREAMS


def test_everything_listed_is_selected_until_select_says_otherwise(project: MainJob) -> None:
    assert selected_streams(project) == DEFAULT_STREAMS
    project.meltano("select", "tap-pinterest", "campaigns", "name")
    assert selected_streams(project) == {"campaigns"}


def selected_streams(project: MainJob) -> set[str]:
    shown = project.meltano("select", "tap-pinterest", "--list", "--json")
    return {entry["stream"] for entry in json.loads(shown)["streams"]}
