"""`tap-pinterest-state`: a state is shown in words, and parts of it are read again."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import forked_programs
from singer_run import run, settings
from tap_pinterest.commands.state import main

if TYPE_CHECKING:
    from pinterest_sandbox import Sandbox

WEEKS = {
    "context": {"ad_account_id": "1"},
    "replication_key": "date",
    "replication_key_value": "2026-11-09",
    "covered_from": "2026-08-24",
    "settings": "aaaaaaaa",
}


def partition(account: str) -> dict[str, Any]:
    return {
        "context": {"ad_account_id": account},
        "replication_key": "date",
        "replication_key_value": "2026-11-18",
        "covered_from": "2026-08-22",
        "settings": "aaaaaaaa",
    }


def state() -> dict[str, Any]:
    return {
        "tap_pinterest": {"state_version": 1},
        "bookmarks": {
            "campaigns": {},
            "ad_analytics": {"partitions": [partition("1"), partition("2")]},
            "ad_analytics_week": {"partitions": [dict(WEEKS)]},
            "leads_of_another_tap": {"x": 1},
        },
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state()))
    return path


def tell(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_show_says_which_days_have_been_read(file: Path) -> None:
    shown = tell("--state", str(file), "show")

    assert "ad_analytics\n  1: 2026-08-22..2026-11-18\n  2: 2026-08-22..2026-11-18\n" in shown
    assert "ad_analytics_week\n  1: 2026-08-24..2026-11-15\n" in shown
    assert "campaigns" not in tell("--state", str(file), "show", "ad_analytics")


def test_a_misspelt_stream_is_shown_with_the_one_that_is_meant(file: Path) -> None:
    shown = tell("--state", str(file), "show", "ad_analytic")

    assert "The state has nothing of ad_analytic: " in shown
    assert "did you mean ad_analytics" in shown
    assert "nothing of ad_analytic: " in tell("--state", str(file), "show", "ads", "ad_analytic")


def test_a_range_is_forgotten_only_where_the_state_has_days_of_it(file: Path) -> None:
    output = tell("--state", str(file), "forget", "--all", "--from", "2026-11-16")

    assert "ad_analytics: " in output
    assert "for 2 of its contexts" in output
    assert "ad_analytics_week" not in output
    assert "campaigns" not in output


def test_a_stream_that_is_forgotten_leaves_the_state(file: Path) -> None:
    output = tell("--state", str(file), "forget", "ad_analytics")

    assert "ad_analytics: the next run reads everything from start_date on again" in output
    left = json.loads(file.read_text())
    assert left["bookmarks"].keys() == {"campaigns", "ad_analytics_week", "leads_of_another_tap"}
    assert left["tap_pinterest"] == {"state_version": 1}


def test_an_account_that_is_forgotten_leaves_all_streams(file: Path) -> None:
    tell("--state", str(file), "forget", "--account", "1")

    assert json.loads(file.read_text())["bookmarks"] == {
        "campaigns": {},
        "ad_analytics": {"partitions": [partition("2")]},
        "leads_of_another_tap": {"x": 1},
    }


def test_a_range_that_is_forgotten_is_marked_and_the_bookmark_stays(file: Path) -> None:
    tell(
        "--state", str(file), "forget", "ad_analytics", "--from", "2026-09-01", "--to", "2026-09-10"
    )

    first, second = json.loads(file.read_text())["bookmarks"]["ad_analytics"]["partitions"]
    assert first["replication_key_value"] == "2026-11-18"
    assert first["earlier"][1].startswith("2026-09-01/2026-09-10/mixed/")
    assert second["earlier"] == first["earlier"]
    assert "the next run reads some days again" in tell("--state", str(file), "show")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "name streams, --account or --all"),
        (("ads",), "the state has nothing of ads"),
        (("--account", "9"), "the state has nothing of 9"),
        (("ad_analytics", "--account", "9"), "the state has nothing of ad_analytics, 9\n"),
        (("ad_analytic",), "the state has nothing of ad_analytic; did you mean ad_analytics"),
        (
            ("ad_analytics", "--from", "2026-09-10", "--to", "2026-09-01"),
            "--from 2026-09-10 is after --to 2026-09-01",
        ),
        (("ad_analytics", "--from", "2027-01-01"), "the state has nothing of the days from 2027"),
        (("--all", "--to", "2020-01-01"), "to 2020-01-01; tap-pinterest-state show lists the days"),
        (("campaigns", "--from", "2026-09-01"), "the state has nothing of the days from 2026-09"),
        (("ad_analytics", "--from", "soon"), "'soon' is no date; allowed: YYYY-MM-DD"),
        (("ad_analytics", "--from", "yesterday"), "'yesterday' is no date"),
    ],
)
def test_a_mistake_changes_nothing_and_is_named(
    file: Path, arguments: tuple[str, ...], reason: str
) -> None:
    before = file.read_text()

    output = tell("--state", str(file), "forget", *arguments, code=2)

    assert reason in output
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{", "is no state"), ('{"bookmarks": []}', "bookmarks is not an object")],
)
def test_a_file_that_is_no_state_is_named(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)

    assert reason in tell("--state", str(path), "show", code=1)


def test_an_empty_state_has_nothing_of_any_stream(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"\xef\xbb\xbf{}\r\n")

    assert "The state has nothing of any stream" in tell("--state", str(path), "show")


def test_a_state_file_keeps_its_rights_and_its_place(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(file)

    tell("--state", str(link), "forget", "--all")

    assert link.is_symlink()
    assert json.loads(file.read_text())["bookmarks"] == {}
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert {each.name for each in tmp_path.iterdir()} == {"link.json", "state.json"}


def test_a_change_of_a_state_file_overwrites_no_file_beside_it(file: Path) -> None:
    beside = file.with_name(f"{file.name}.new")
    beside.write_text("somebody's own", encoding="utf-8")

    tell("--state", str(file), "forget", "--all")

    assert beside.read_text(encoding="utf-8") == "somebody's own"


def test_a_state_file_that_cannot_be_written_is_named_and_stays(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    before = file.read_text()
    monkeypatch.setattr(Path, "replace", refuse)

    told = tell("--state", str(file), "forget", "--all", code=1)

    assert f"{file} cannot be written: Permission denied" in told
    assert [each.read_text() for each in file.parent.iterdir()] == [before]


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux")
@pytest.mark.parametrize("command", ["show", "forget --all"])
def test_an_output_that_cannot_be_written_is_one_line(file: Path, command: str) -> None:
    program = forked_programs.folder() / "tap-pinterest-state"
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [str(program), "--state", str(file), *command.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert ended.returncode == 1
    assert ended.stderr == "The output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo '{broken'", "answers with no state"),
        ("echo 'no such project' >&2; exit 1", "failed: no such project"),
        (
            "echo '0 [error    ] meltano      Plugin a is not known.\n0 [info ] Help?' >&2; exit 1",
            "failed: Plugin a is not known.",
        ),
        ("exit 1", "failed: it says nothing"),
        (None, "meltano cannot be started: Permission denied; for a state file use --state FILE"),
    ],
    ids=[
        "no JSON",
        "a failure",
        "an error before other lines",
        "a silent failure",
        "not to be started",
    ],
)
def test_a_meltano_that_does_not_answer_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, reason: str
) -> None:
    program = tmp_path / "meltano"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755 if script else 0o644)
    monkeypatch.setenv("PATH", str(tmp_path))

    (line,) = tell("show", code=1).splitlines()

    assert reason in line


def test_the_last_line_of_a_state_file_counts(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    path.write_text("{}\n" + json.dumps(state()) + "\n")

    tell("--state", str(path), "forget", "--all")

    assert json.loads(path.read_text())["bookmarks"] == {}


def test_a_run_after_a_range_was_forgotten_reads_that_range_and_its_lookback(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    config = settings(sandbox, start_date="60 days ago")
    first = run(config, "campaign_analytics")
    path = tmp_path / "state.json"
    path.write_text(json.dumps(first.state))
    day = sandbox.today - timedelta(days=50)

    tell("--state", str(path), "forget", "campaign_analytics", "--from", str(day), "--to", str(day))
    sandbox.requests.clear()
    second = run(config, "campaign_analytics", state=json.loads(path.read_text()))

    days = {date.fromisoformat(each["date"]) for each in second.records("campaign_analytics")}
    assert day in days
    assert day + timedelta(days=1) not in days
    assert max(days) == sandbox.today - timedelta(days=1)
    assert second.state == first.state


@pytest.mark.parametrize(
    ("report", "days", "last"),
    [
        ({"name": "each_day", "granularity": "WEEK"}, "2026-08-17..2026-11-15", "2026-11-12"),
        ({"name": "per_month", "granularity": "DAY"}, "2026-08-22..2026-11-18", "2026-11-18"),
        ({"name": "spend_week", "granularity": "MONTH"}, "2026-08-01..2026-10-31", "2026-10-20"),
    ],
)
def test_the_name_of_a_custom_report_says_nothing_about_its_periods(
    sandbox: Sandbox, tmp_path: Path, report: dict[str, str], days: str, last: str
) -> None:
    name, reports = report["name"], [{"level": "CAMPAIGN", **report}]
    config = settings(sandbox, custom_reports=reports, report_columns=["SPEND_IN_DOLLAR"])
    first = run(config, name)
    path = tmp_path / "state.json"
    path.write_text(json.dumps(first.state))

    assert f": {days}\n" in tell("--state", str(path), "show")
    tell("--state", str(path), "forget", name, "--from", last)
    second = run(config, name, state=json.loads(path.read_text()))

    read = [each for part in second.tap.run.summary.of(name).parts.values() for each in part.ranges]
    assert second.code == 0
    assert any(dates.start <= date.fromisoformat(last) <= dates.end for dates, _ in read)
    assert second.state == first.state


@pytest.mark.parametrize(
    ("stream", "days"),
    [
        ("brand_category_sku_report", "2026-08-24..2026-11-15"),
        ("a_report_of_an_older_version", "2026-08-24..2026-11-09"),
    ],
)
def test_a_state_that_does_not_say_the_granularity_claims_no_day_that_was_not_read(
    tmp_path: Path, stream: str, days: str
) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"bookmarks": {stream: {"partitions": [WEEKS]}}}))

    assert tell("--state", str(path), "show") == f"{stream}\n  1: {days}\n"


def test_a_plan_counts_the_calls_of_the_next_run(
    sandbox: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = settings(sandbox, start_date="60 days ago", stream_groups="ads")
    path, file = tmp_path / "state.json", tmp_path / "config.json"
    path.write_text(json.dumps(run(config, "campaign_analytics").state))
    file.write_text(json.dumps(config))
    plan = ("--state", str(path), "plan", "--config", str(file))

    tell(*plan)
    short = days_of("campaign_analytics", capfd.readouterr().out)
    assert "tap-pinterest-state plan" in tell("--state", str(path), "forget", "campaign_analytics")
    tell(*plan)

    assert days_of("campaign_analytics", capfd.readouterr().out) > short > 0


def test_a_plan_writes_no_secret_into_a_file(tmp_path: Path) -> None:
    folder, meltano = tmp_path / "temporary", tmp_path / "meltano"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        config = json.dumps({"access_token": "pina_secret", "api_url": url})
        answers = f"*dump=config*) echo '{config}';; *) echo '{{}}';;"
        meltano.write_text(f'#!/bin/sh\ncase "$*" in {answers} esac\n')
        meltano.chmod(0o755)
        path = os.pathsep.join((str(tmp_path), os.environ["PATH"]))
        environment = os.environ | {"TMPDIR": str(folder), "PATH": path}
        command = [sys.executable, "-m", "tap_pinterest.commands.state", "plan"]
        with subprocess.Popen(command, env=environment, start_new_session=True) as process:
            server.accept()[0].close()
            texts = [each.read_text() for each in folder.rglob("*") if each.is_file()]
            os.killpg(process.pid, signal.SIGKILL)

    assert texts == ["{}"]


def days_of(stream: str, plan: str) -> int:
    """The days that a plan names for a stream."""
    (found,) = re.findall(rf"^{stream} .* (\S+)\.\.(\S+)$", plan, re.MULTILINE)
    first, last = map(date.fromisoformat, found)
    return (last - first).days + 1


def test_the_state_that_meltano_keeps_is_changed_through_meltano(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    config = settings(sandbox, stream_groups="ads", start_date="5 days ago")
    tap = {"name": "a", "namespace": "tap_pinterest", "executable": "tap-pinterest"}
    project = {
        "default_environment": "dev",
        "environments": [{"name": "dev"}],
        "plugins": {"extractors": [{**tap, "config": config}]},
    }
    (tmp_path / "meltano.yml").write_text(json.dumps(project))
    (tmp_path / "first.json").write_text(json.dumps({"singer_state": state()}))
    folder = str(forked_programs.folder())
    environment = os.environ | {
        "PATH": os.pathsep.join((folder, os.environ["PATH"])),
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MELTANO_CLI_LOG_LEVEL": "warning",
    }

    def command(*arguments: str) -> str:
        ended = subprocess.run(
            arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return ended.stdout

    command("meltano", "state", "set", "--force", "dev:a-to-b", "--input-file", "first.json")
    kept_by_meltano = ("tap-pinterest-state", "--state-id", "dev:a-to-b")
    command(*kept_by_meltano, "forget", "ad_analytics")

    assert "ad_analytics_week" in command(*kept_by_meltano, "show")
    kept = json.loads(command("meltano", "state", "get", "dev:a-to-b"))["singer_state"]
    assert kept["bookmarks"].keys() == state()["bookmarks"].keys() - {"ad_analytics"}
    assert days_of("ad_analytics", command(*kept_by_meltano, "plan")) == 5


def test_updates_are_shown_and_forgotten_from_a_day_on(tmp_path: Path) -> None:
    entry = {
        "context": {"ad_account_id": "1"},
        "replication_key": "updated_time",
        "replication_key_value": "2026-11-20T10:00:00Z",
        "last_id": "7",
        "settings": "1a2b3c4d",
    }
    file = tmp_path / "state.json"

    def after(*arguments: str, **more: Any) -> tuple[str, Any]:
        partition = {**entry, **more}
        state = {"bookmarks": {"ad_creatives": {"partitions": [partition]}}}
        file.write_text(json.dumps(state))
        shown = CliRunner().invoke(main, ["--state", str(file), *arguments])
        assert shown.exit_code == 0, shown.output
        return shown.output, json.loads(file.read_text())["bookmarks"].get("ad_creatives")

    assert (
        "1: updates up to 2026-11-20T10:00:00Z; 2 are pending"
        in after("show", pending=["3", "5"])[0]
    )
    _, kept = after("forget", "ad_creatives", "--from", "2026-11-01")
    assert kept["partitions"][0]["replication_key_value"] == "2026-11-01T00:00:00Z"
    with pytest.raises(AssertionError, match="nothing of the days from 2026-11-30"):
        after("forget", "ad_creatives", "--from", "2026-11-30")
    assert json.loads(file.read_text())["bookmarks"]["ad_creatives"]["partitions"] == [entry]
    assert after("forget", "ad_creatives")[1] is None
