"""Settings from the environment: in force, misspelt, overruled, and without effect."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from pinterest_sandbox.answers.asked import REFUSED_WINDOWS
from singer_run import run, settings
from tap_pinterest.config import (
    CONFIG_SCHEMA,
    Settings,
    completed,
    effects,
    from_environment,
    overruled,
    refused_windows,
    without_effect,
)
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from pathlib import Path

    from pinterest_sandbox import Sandbox

PREFIX = "TAP_PINTEREST_"
TOKEN = {"access_token": "pina_secret"}


def variables() -> dict[str, Any]:
    return from_environment(PREFIX, CONFIG_SCHEMA["properties"])


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [each for each in os.environ if each.startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("TAP_PINTEREST_STRT_DATE", "START_DATE"),
        ("TAP_PINTEREST_STARTDATE", "START_DATE"),
        ("TAP_PINTEREST_AD_ACCOUNTS_IDS", "AD_ACCOUNT_IDS"),
        ("TAP_PINTEREST_ACCOUNT_ID", "AD_ACCOUNT_IDS"),
        ("TAP_PINTEREST_LOOKBACK_WINDOW", "LOOKBACK_DAYS"),
        ("TAP_PINTEREST_ACCES_TOKEN", "ACCESS_TOKEN"),
        ("TAP_PINTEREST_SYNC_KEY_SEPERATOR", "SYNC_KEY_SEPARATOR"),
        ("TAP_PINTEREST_EXCLUDED_AD_ACCOUNT_IDS", "EXCLUDE_AD_ACCOUNT_IDS"),
        ("TAP_PINTEREST_BACKFILL_STARTDATE", "BACKFILL_START_DATE"),
        ("TAP_PINTEREST_OAUTH_CREDENTIALS_REFRESH_TOKN", "OAUTH_CREDENTIALS_REFRESH_TOKEN"),
        ("TAP_PINTEREST_start_date", "START_DATE"),
        ("tap_pinterest_start_date", "START_DATE"),
    ],
)
def test_a_variable_whose_name_is_almost_a_settings_is_refused_naming_that_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str, setting: str
) -> None:
    monkeypatch.setenv(variable, "do-not-show")

    with pytest.raises(ConfigValidationError) as refused:
        variables()

    assert refused.value.errors == [
        f"{variable}: there is no such setting; did you mean {PREFIX}{setting}?"
    ]


@pytest.mark.parametrize(
    "variable",
    [
        *("PORT", "SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTPS", "PORT_443_TCP"),
        *(
            "PORT_443_TCP_ADDR",
            "PORT_443_TCP_PROTO",
            "PORT_443_TCP_PORT",
            "_SELECT",
            "_LOAD_SCHEMA",
        ),
        *("TEST_DATABASE_URL", "VERSION", "OAUTH_CREDENTIALS_REFRESH_TOKEN"),
        # Meltano's, for a plugin called tap-pinterest-acme, and for a member of an object.
        *("ACME_START_DATE", "ADS_ACCESS_TOKEN", "SYNC_KEY_FIELDS_CAMPAIGNS"),
    ],
)
def test_variables_that_share_only_the_prefix_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(f"{PREFIX}{variable}", "tcp://10.0.0.1:443")

    assert variables().keys() <= {"oauth_credentials"}


def test_the_environment_completes_a_config_file(tmp_path: Path) -> None:
    (tmp_path / "tap.json").write_text(json.dumps(TOKEN | {"stream_groups": ["trends"]}))
    (tmp_path / ".env").write_text("TAP_PINTEREST_TREND_REGIONS=US,CA\n")
    environment = os.environ | {"TAP_PINTEREST_STREAM_GROUPS": "ads"}
    command = [sys.executable, "-m", "tap_pinterest", "--config", "tap.json", "--discover"]

    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    streams = {each["stream"] for each in json.loads(found.stdout)["streams"]}
    assert "trending_keywords" in streams
    assert "campaigns" not in streams
    warning = "TAP_PINTEREST_STREAM_GROUPS has no effect: the config file sets stream_groups"
    assert warning in found.stderr


@pytest.mark.parametrize(
    "line",
    ["TAP_PINTEREST_AD_ACCOUNT_IDS: 549755885175", 'TAP_PINTEREST_START_DATE="2026-01-01'],
    ids=["a colon", "a quote that does not end"],
)
def test_a_line_of_the_env_file_that_sets_nothing_is_refused_if_it_is_meant_for_the_tap(
    tmp_path: Path, line: str
) -> None:
    (tmp_path / ".env").write_text(f"# Pinterest\n{line}\nOTHER=1\n")

    with pytest.raises(ConfigValidationError) as refused:
        variables()

    assert refused.value.errors == [
        f"{tmp_path / '.env'}: line 2 cannot be read; write NAME=value, and close each quote"
    ]


def test_another_line_of_the_env_file_that_sets_nothing_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".env").write_text('DATABASE: x\nTAP_PINTEREST_START_DATE="2026-01-01"\r\n')

    assert [variables(), variables()] == [{"start_date": "2026-01-01"}] * 2
    assert caplog.messages == [
        f"{tmp_path / '.env'}: line 1 cannot be read; write NAME=value, and close each quote"
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("\ufeffTAP_PINTEREST_START_DATE=2026-01-01\n", id="a mark before it"),
        pytest.param("TAP_PINTEREST_START_DATE='2026-01-01'\r\n\r\n", id="ends of Windows"),
        pytest.param("export TAP_PINTEREST_START_DATE = 2026-01-01 # day", id="as a shell has it"),
    ],
)
def test_an_env_file_may_be_written_on_any_system(tmp_path: Path, content: str) -> None:
    (tmp_path / ".env").write_bytes(content.encode())

    assert variables() == {"start_date": "2026-01-01"}


def test_an_env_file_in_two_bytes_for_each_character_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TAP_PINTEREST_START_DATE=2026-01-01\n", "utf-16-le")

    with pytest.raises(ConfigValidationError) as refused:
        variables()

    assert refused.value.errors == [f"{tmp_path / '.env'}: it cannot be read (it is not UTF-8)"]


def test_a_folder_that_is_gone_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with pytest.raises(ConfigValidationError) as refused:
        variables()

    assert refused.value.errors == [".env: it cannot be read (No such file or directory)"]


def test_variables_of_the_sdks_settings_have_their_types(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = TapPinterest.config_jsonschema
    TapPinterest.append_builtin_config(schema)
    monkeypatch.setenv("TAP_PINTEREST_FLATTENING_ENABLED", "true")
    monkeypatch.setenv("TAP_PINTEREST_FLATTENING_MAX_DEPTH", "1")
    monkeypatch.setenv("TAP_PINTEREST_STREAM_MAPS", '{"boards": {"title": "name"}}')

    assert from_environment(PREFIX, schema["properties"]) == {
        "flattening_enabled": True,
        "flattening_max_depth": 1,
        "stream_maps": {"boards": {"title": "name"}},
    }


def test_an_empty_variable_of_the_sdk_is_not_set(sandbox: Sandbox) -> None:
    empty = {"stream_maps": "", "flattening_enabled": "", "flattening_max_depth": ""}

    assert run(settings(sandbox, **empty), "boards").records("boards")


def test_values_that_only_python_has_become_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAP_PINTEREST_STREAM_GROUPS", "{'ads'}")
    monkeypatch.setenv("TAP_PINTEREST_SYNC_KEY_FIELDS", "{1: ['id'], 'ads': ('id',)}")
    monkeypatch.setenv("TAP_PINTEREST_AD_ACCOUNT_IDS", "[1j]")

    assert variables() == {
        "stream_groups": ["ads"],
        "sync_key_fields": {"1": ["id"], "ads": ["id"]},
        "ad_account_ids": "[1j]",
    }


def test_each_fault_is_one_line_whatever_a_value_has_in_it(tmp_path: Path) -> None:
    (tmp_path / "tap.json").write_text(json.dumps({"report_columns": ["a\nb"]}))
    command = [sys.executable, "-m", "tap_pinterest", "--config", "tap.json", "--discover"]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    (line,) = ended.stderr.splitlines()
    assert "report_columns: A\\nB is no column" in line
    assert ended.returncode == 1


def test_a_misspelt_variable_ends_a_command_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "tap.json").write_text(json.dumps(TOKEN))
    environment = os.environ | {"TAP_PINTEREST_STRT_DATE": "2026-01-01"}
    command = [sys.executable, "-m", "tap_pinterest", "--config", "tap.json"]

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    (line,) = ended.stderr.splitlines()
    assert "did you mean TAP_PINTEREST_START_DATE?" in line
    assert ended.returncode == 1


def test_a_config_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.json")
    command = [sys.executable, "-m", "tap_pinterest", "--config", missing]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert f"The config {missing} cannot be read: there is no such file" in ended.stderr
    assert ended.returncode == 1


def test_credentials_of_a_file_are_not_mixed_with_another_kind_of_the_environment() -> None:
    given = {"refresh_token": "pinr", "client_id": "1", "start_date": "today"}

    assert completed(TOKEN, given) == {**TOKEN, "client_id": "1", "start_date": "today"}
    assert completed({}, given) == given


def test_an_empty_text_in_a_file_leaves_the_setting_to_the_environment() -> None:
    given = {"start_date": "today", "token_file": "elsewhere.json"}
    file = {"start_date": "", "token_file": "", "ad_ids": None}

    assert completed(file, given) == {"start_date": "today", "token_file": "", "ad_ids": None}
    assert overruled(PREFIX, file, given) == [
        "TAP_PINTEREST_TOKEN_FILE has no effect: the config file sets token_file"
    ]


@pytest.mark.parametrize(
    ("file", "variable", "is_logged"),
    [
        pytest.param({"start_date": "today"}, {"start_date": "yesterday"}, True, id="another text"),
        pytest.param({"start_date": "today"}, {"start_date": "today"}, False, id="the same text"),
        pytest.param({"ad_ids": ["1", "2"]}, {"ad_ids": "1,2"}, False, id="the same list"),
        pytest.param({"sync_key": True}, {"sync_key": "true"}, False, id="the same boolean"),
        pytest.param({"start_date": ""}, {"start_date": "today"}, False, id="empty in the file"),
        pytest.param({}, {"start_date": "today"}, False, id="not in the file"),
    ],
)
def test_a_variable_that_the_file_overrules_is_logged(
    *, file: dict[str, Any], variable: dict[str, Any], is_logged: bool
) -> None:
    assert bool(overruled(PREFIX, file, variable)) is is_logged


@pytest.mark.parametrize(
    ("config", "beginning"),
    [
        ({"terms": ["shoes"]}, "terms has no effect: stream_groups has no trends or beta"),
        ({"keywords": "a,b"}, "keywords has no effect: stream_groups has no keywords"),
        ({"targeting_types": ["GENDER"]}, "targeting_types has no effect"),
        ({"mmm_report": {"levels": ["CAMPAIGN_TARGETING"]}}, "mmm_report has no effect"),
        (
            {"ad_account_ids": ["1"], "exclude_ad_account_ids": ["2"]},
            "exclude_ad_account_ids has no effect",
        ),
        ({"granularities": ["TOTAL"], "lookback_days": 3}, "lookback_days has no effect"),
    ],
)
def test_a_setting_without_effect_is_said(config: dict[str, Any], beginning: str) -> None:
    (sentence,) = without_effect(TOKEN | config, Settings.from_config(TOKEN | config))

    assert sentence.startswith(beginning)


@pytest.mark.parametrize(
    "config",
    [
        {"terms": ["shoes"], "stream_groups": ["trends"]},
        {"terms": ["shoes"], "stream_groups": ["all"]},
        {"user_split_fields": ["NO_SPLIT"], "stream_groups": ["ads"]},
        {
            "targeting_types": ["GENDER"],
            "custom_reports": [{"name": "mine", "level": "CAMPAIGN_TARGETING"}],
        },
        {"terms": ""},
    ],
    ids=["its group", "all groups", "the default", "read by a custom report", "empty"],
)
def test_a_setting_with_an_effect_is_not_said(config: dict[str, Any]) -> None:
    assert list(without_effect(TOKEN | config, Settings.from_config(TOKEN | config))) == []


def test_a_run_warns_of_a_setting_without_effect(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    run(settings(sandbox, terms=["shoes"]), "ad_accounts")

    assert "terms has no effect: stream_groups has no trends or beta" in caplog.text


def test_windows_that_pinterest_is_known_to_refuse_are_said_before_the_first_call(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    windows = {"click_window_days": 1, "engagement_window_days": 30, "view_window_days": 1}
    config = settings(sandbox, start_date="yesterday", **windows)
    result = run(config, "ad_account_analytics")

    warning = (
        "click_window_days 1, engagement_window_days 30, view_window_days 1: Pinterest is known"
    )
    place = next(number for number, text in enumerate(caplog.messages) if text.startswith(warning))
    assert result.code == 1
    assert not any("400" in text for text in caplog.messages[:place])


def test_every_combination_of_windows_that_the_sandbox_refuses_is_known() -> None:
    assert effects.REFUSED_WINDOWS == REFUSED_WINDOWS


@pytest.mark.parametrize("windows", [(7, 7, 7), (30, 30, 1), (1, 1, 1)])
def test_windows_that_go_together_are_not_said(windows: tuple[int, ...]) -> None:
    names = ("click_window_days", "engagement_window_days", "view_window_days")
    config = TOKEN | dict(zip(names, windows, strict=True))

    assert list(refused_windows(Settings.from_config(config))) == []


def test_only_reports_that_have_windows_are_said_to_be_refused() -> None:
    windows = {"click_window_days": 1, "engagement_window_days": 30, "view_window_days": 1}
    organic = TOKEN | windows | {"stream_groups": ["organic"]}
    report = {"name": "mine", "level": "CAMPAIGN", "engagement_window_days": 1}
    own = organic | {"custom_reports": [report, {"name": "other", "level": "CAMPAIGN"}]}

    assert list(refused_windows(Settings.from_config(organic))) == []
    (sentence,) = refused_windows(Settings.from_config(own))
    assert sentence.startswith("custom_reports.other: click_window_days 1")
