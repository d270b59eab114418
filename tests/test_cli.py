"""The command line, as a process of its own: exit codes, lines, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import forked_programs
from singer_run import settings

if TYPE_CHECKING:
    from pathlib import Path

    from pinterest_sandbox import Sandbox

TAP = (sys.executable, "-m", "tap_pinterest")
"""A start as users have it, for what lies in the process itself; it takes most of a second."""
FORKED = str(forked_programs.folder() / "tap-pinterest")


def tap(
    tmp_path: Path, config: dict[str, Any], *arguments: str, **files: str
) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    command = [FORKED, "--config", str(path), *arguments]
    for name, text in files.items():
        file = tmp_path / f"{name}.json"
        file.write_text(text)
        command += [f"--{name}", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def lines(output: str, level: str) -> list[str]:
    return [line for line in output.splitlines() if f"| {level}" in line]


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        pytest.param({}, "access_token", id="no credentials"),
        pytest.param({"start_date": "soon"}, "start_date", id="a bad date"),
        pytest.param({"colour": "red"}, "colour", id="an unknown setting"),
        pytest.param({"ad_account_ids": ["54x"]}, "ad_account_ids", id="letters in an id"),
    ],
)
def test_a_bad_config_is_one_clear_line_and_nothing_is_written(
    tmp_path: Path, config: dict[str, Any], setting: str
) -> None:
    credentials = {"access_token": "pina_secret"} if config else {}

    result = tap(tmp_path, credentials | config)

    assert result.returncode == 1
    assert result.stdout == ""
    (fault,) = lines(result.stderr, "ERROR")
    assert f"{setting}: " in fault
    assert "Traceback" not in result.stderr
    assert "pina_secret" not in result.stderr


def test_discovery_needs_no_config() -> None:
    result = subprocess.run([*TAP, "--discover"], capture_output=True, text=True, check=True)

    assert len(json.loads(result.stdout)["streams"]) >= 12


def test_discovery_with_a_bad_config_fails_and_names_the_setting(tmp_path: Path) -> None:
    result = tap(tmp_path, {"report_columns": ["NOTHING"]}, "--discover")

    assert result.returncode == 1
    assert "report_columns: NOTHING" in result.stderr


def test_about_shows_every_setting_without_values() -> None:
    command = [FORKED, "--about", "--format=json"]
    about = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert {"start_date", "stream_maps"} <= set(about["settings"]["properties"])
    assert not {"batch", "activate-version"} & set(about["capabilities"])


def test_settings_may_come_from_the_environment(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(sandbox, ad_account_ids="", stream_groups="organic", sync_key="false")
    config["sync_log"] = "false"
    for name, value in config.items():
        monkeypatch.setenv(f"TAP_PINTEREST_{name.upper()}", value)

    command = [FORKED, "--config", "ENV"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)

    messages = [json.loads(line) for line in result.stdout.splitlines()]
    assert {m["stream"] for m in messages if m["type"] == "RECORD"} == {
        "board_counts_daily",
        "boards",
        "pin_metrics_daily",
        "pins",
        "user_account",
        "user_account_analytics",
        "user_account_metrics",
    }
    assert not any("__sync_key" in m["record"] for m in messages if m["type"] == "RECORD")


def test_a_run_ends_with_a_summary_in_one_json_line(sandbox: Sandbox, tmp_path: Path) -> None:
    result = tap(tmp_path, settings(sandbox))

    assert result.returncode == 0
    (line,) = (line for line in result.stderr.splitlines() if "Summary: " in line)
    summary = json.loads(line.split("Summary: ", 1)[1])
    assert summary["failed"] is False
    summary["streams"]["ad_accounts"].pop("seconds", None)
    assert summary["streams"]["ad_accounts"] == {"accounts": 3, "rows": 3, "calls": 1}


@pytest.mark.parametrize("text", ["", "  \n", "{}"], ids=["empty", "blank", "an empty object"])
def test_an_empty_state_file_is_a_first_run(sandbox: Sandbox, tmp_path: Path, text: str) -> None:
    result = tap(tmp_path, settings(sandbox, stream_groups="organic"), state=text)

    assert result.returncode == 0


@pytest.mark.parametrize("text", ["{", "[1]", '{"bookmarks": 7}'], ids=["cut", "list", "number"])
def test_a_malformed_state_file_is_one_clear_line(
    sandbox: Sandbox, tmp_path: Path, text: str
) -> None:
    result = tap(tmp_path, settings(sandbox), state=text)

    assert result.returncode == 1
    assert result.stdout == ""
    assert len(lines(result.stderr, "ERROR")) == 1
    assert "malformed" in result.stderr


def test_wrong_credentials_are_one_clear_line(sandbox: Sandbox, tmp_path: Path) -> None:
    result = tap(tmp_path, settings(sandbox, refresh_token="pinr_wr0ng"))

    assert result.returncode == 1
    assert len(lines(result.stderr, "ERROR")) == 1
    assert "refuses the credentials" in result.stderr
    assert "Traceback" not in result.stderr
    assert "pinr_wr0ng" not in result.stderr
    records = [line for line in result.stdout.splitlines() if '"RECORD"' in line]
    assert all('"stream":"sync_log"' in line and "pinr_wr0ng" not in line for line in records)
    assert '"failed":true' in result.stderr


def test_the_test_option_says_by_its_exit_code_whether_everything_can_be_read(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    assert tap(tmp_path, settings(sandbox), "--test").returncode == 0
    sandbox.fail("/boards", status=400, times=None)
    assert tap(tmp_path, settings(sandbox, max_requests_in_flight=1), "--test").returncode == 1


def test_a_target_that_ends_early_ends_the_run_without_a_message(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings(sandbox)))
    with subprocess.Popen(
        [*TAP, "--config", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        log = process.stderr.read().decode()

    assert process.returncode == 128 + signal.SIGPIPE
    assert lines(log, "ERROR") == []
    assert "Traceback" not in log


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux")
def test_a_catalog_that_cannot_be_written_is_one_line() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - no path, a device
        result = subprocess.run(
            [*TAP, "--discover"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert result.returncode == 1
    assert "The output cannot be written: No space left on device" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="of POSIX shells")
@pytest.mark.parametrize(("closed", "code"), [("2>&-", 0), (">&-", 1)], ids=["stderr", "stdout"])
def test_a_process_without_an_output_runs_or_names_the_missing_output(
    sandbox: Sandbox, tmp_path: Path, closed: str, code: int
) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings(sandbox, stream_groups="organic")))
    command = f'"$@" --config "{path}" {closed}'
    result = subprocess.run(
        ["sh", "-c", command, "sh", *TAP], capture_output=True, text=True, timeout=60, check=False
    )

    assert result.returncode == code
    assert ('"RECORD"' in result.stdout) is (code == 0)
    assert ("There is no standard output" in result.stderr) is (code == 1)
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_that_waits_for_an_answer(
    sandbox: Sandbox, tmp_path: Path, number: int
) -> None:
    sandbox.fail("/boards", kind="hang", times=None)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings(sandbox)))
    with subprocess.Popen(
        [*TAP, "--config", str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        written = []
        for line in process.stdout:
            message = json.loads(line)
            written.append(message["type"])
            if message["type"] == "SCHEMA" and message["stream"] == "board_counts_daily":
                process.send_signal(number)

    assert process.returncode == 128 + number
    assert "STATE" in written


def test_a_config_file_that_is_no_object_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("[1]")

    command = [FORKED, "--config", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = lines(result.stderr, "ERROR")
    assert "cannot be read: it is not a JSON object" in line
    assert "Traceback" not in result.stderr


def test_an_env_file_that_is_not_utf_8_is_one_clear_line(tmp_path: Path) -> None:
    # As PowerShell writes it.
    (tmp_path / ".env").write_text("TAP_PINTEREST_ACCESS_TOKEN=pina_s3cret\n", "utf-16")

    command = [FORKED, "--config=ENV"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert result.returncode == 1
    (fault,) = lines(result.stderr, "ERROR")
    assert f"{tmp_path / '.env'}: it cannot be read (it is not UTF-8)" in fault
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_signal_ends_a_run_that_asks_for_the_names_of_its_columns(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.fail("/resources/delivery_metrics", kind="hang", times=None)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings(sandbox, column_names="display", request_timeout=1)))
    with subprocess.Popen(
        [*TAP, "--config", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        log = ""
        for line in process.stderr:
            log += line
            if "trying again" in line:
                process.send_signal(signal.SIGTERM)

    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in log


def test_no_secret_is_in_anything_that_a_run_leaves_at_its_most_talkative(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    secrets = {name: sandbox.credentials[name] for name in ("client_secret", "refresh_token")}
    broken = {"code": 2, "message": f"Bad: {secrets['refresh_token']} {secrets['client_secret']}"}
    sandbox.fail("/oauth/token", status=503, body=broken)
    sandbox.fail("/boards", status=401, body={"code": 2, "message": "Authentication failed."})
    sandbox.fail("*/campaigns", kind="reset")
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings(sandbox, token_file=str(tmp_path / "tokens.json"))))
    environment = {**os.environ, "TAP_PINTEREST_LOGLEVEL": "DEBUG", "LOGLEVEL": "DEBUG"}
    command = [*TAP, "--config", str(config)]

    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        arguments = " ".join(psutil.Process(process.pid).cmdline())
        written, log = process.communicate(timeout=60)
    about = subprocess.run(
        [FORKED, *command[3:], "--about", "--format=json"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )

    stored = json.loads((tmp_path / "tokens.json").read_text())
    secrets |= {name: stored[name] for name in ("access_token", "refresh_token")} | {
        "first": sandbox.credentials["refresh_token"]
    }
    assert process.returncode == 0
    assert "DEBUG" in log
    assert '"STATE"' in written
    everything = written + log + arguments + about.stdout + about.stderr
    assert [name for name, secret in secrets.items() if secret in everything] == []


@pytest.mark.parametrize(
    ("log_format", "has_table", "has_json"),
    [("text", True, False), ("json", False, True), ("auto", True, True)],
)
def test_the_end_of_a_run_is_written_in_the_requested_format(
    sandbox: Sandbox, tmp_path: Path, log_format: str, *, has_table: bool, has_json: bool
) -> None:
    config = settings(sandbox, stream_groups="organic", start_date="yesterday", log_format="text")

    result = tap(tmp_path, config, "--log-format", log_format)

    assert result.returncode == 0
    assert ("Stream  " in result.stderr) is has_table
    assert ("Next: nothing" in result.stderr) is has_table
    assert ("Summary: {" in result.stderr) is has_json
