"""`tap-pinterest --test`, in words: what can be read, and why the rest cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import forked_programs
from conftest import SMALL, TODAY
from pinterest_sandbox import Sandbox, WorldSize
from singer_run import PatientTap, settings
from tap_pinterest.run.check import Check, asking
from tap_pinterest.streams import needed_scopes

if TYPE_CHECKING:
    from pathlib import Path


def tell(config: dict[str, Any]) -> tuple[int, dict[str, str], list[str]]:
    """The exit code, the outcome of each dataset, and all lines."""
    lines: list[str] = []
    tap = PatientTap(config=config, setup_mapper=False)
    tap.run = asking(tap.run)
    code = Check(tap.run, needed_scopes(tap.run.settings.stream_groups)).report(lines.append)
    outcomes = {name: text for name, _, text in (line.partition("  ") for line in lines) if name}
    return code, {name: text.strip() for name, text in outcomes.items()}, lines


def test_each_dataset_is_asked_once_and_no_list_is_read_to_its_end() -> None:
    size = WorldSize(accounts=2, campaigns=3, ad_groups=300, ads=600, boards=3, pins=300)
    with Sandbox(seed=7, today=TODAY, size=size) as sandbox:
        code, outcomes, lines = tell(settings(sandbox))

        calls = Counter(request.path for request in sandbox.requests)

    readable = [name for name, outcome in outcomes.items() if outcome == "can be read"]
    assert code == 0
    assert len(readable) >= 14
    assert lines[-1] == f"{len(readable)} of {len(readable)} datasets can be read."
    account = f"/ad_accounts/{sandbox.world.ad_accounts[0].id}"
    for path in ("campaigns", "ad_groups", "ads", "campaigns/analytics", "ads/analytics"):
        assert calls[f"{account}/{path}"] == 1
    # Its first page, for each of the three datasets that need it.
    assert calls["/pins"] == len({"pins", "pin_metrics_daily", "ad_creatives"})
    # Beside one for each dataset: a token, the user, which days are complete, and the list where
    # ad_creatives looks for Pins.
    assert calls.total() <= len(readable) + 6


def test_the_user_the_accounts_and_the_roles_come_first(sandbox: Sandbox) -> None:
    _, _, lines = tell(settings(sandbox))

    accounts = sandbox.world.ad_accounts
    assert "Scopes: ads:read, " in lines[0]
    assert lines[1].startswith(f"User: {sandbox.world.users[0].username} ")
    assert lines[2] == f"Ad accounts: {len(accounts)}"
    for account, line in zip(accounts, lines[3:], strict=False):
        assert line.split()[0] == account.id
        assert line.split()[-1] in {"OWNER", "ADMIN", "ANALYST"}


def test_a_scope_that_is_missing_is_named_and_no_second_account_is_asked() -> None:
    with Sandbox(seed=7, today=TODAY, size=SMALL, scopes=["ads:read", "pins:read"]) as sandbox:
        code, outcomes, lines = tell(settings(sandbox, stream_groups=["billing"]))

        asked = [each for each in sandbox.requests if each.path.endswith("/billing_profiles")]

    assert code == 0
    assert len(asked) == 1
    assert outcomes["billing_profiles"].endswith(
        "and is left out: the token lacks the scope billing:read"
    )
    assert outcomes["order_lines"] == "can be read"
    assert "Scopes not granted: billing:read" in lines


def test_a_role_that_is_missing_in_one_account_is_named_and_the_next_account_is_asked(
    sandbox: Sandbox,
) -> None:
    first = sandbox.world.ad_accounts[0].id
    body = {"code": 29, "message": "You are not permitted to access that resource."}
    sandbox.fail(f"/ad_accounts/{first}/order_lines", status=403, body=body, times=None)

    code, _, lines = tell(settings(sandbox, stream_groups=["billing"]))

    verdicts = [line for line in lines if line.startswith("order_lines")]
    assert code == 0
    assert f"of ad account {first}, and is left out: " in verdicts[0]
    assert "there the token's user is OWNER" in verdicts[0]
    assert verdicts[1].endswith("can be read")


def test_an_account_without_ads_does_not_answer_for_the_others() -> None:
    size = replace(SMALL, accounts=8, empty_accounts=7)
    with Sandbox(seed=7, today=TODAY, size=size) as sandbox:
        body = {"code": 29, "message": "You are not permitted to access that resource."}
        sandbox.fail("/ad_accounts/*/ads/analytics", status=403, body=body, times=None)

        code, outcomes, lines = tell(settings(sandbox))

    assert code == 1
    assert outcomes["ad_analytics"].startswith("CANNOT be read of ad account ")
    assert outcomes["campaign_analytics"] == "can be read"
    assert lines[-1].endswith("; required and not readable: 1.")


def test_a_report_without_anything_to_report_on_says_so() -> None:
    with Sandbox(seed=7, today=TODAY, size=replace(SMALL, ads=0)) as sandbox:
        code, outcomes, _ = tell(settings(sandbox))

    assert code == 0
    assert outcomes["ad_analytics"] == "has nothing to ask for: no account has any of it"


def test_a_stream_that_the_config_names_must_be_readable(sandbox: Sandbox) -> None:
    first, second = (account.id for account in sandbox.world.ad_accounts[:2])
    body = {"code": 29, "message": "You are not permitted to access that resource."}
    sandbox.fail(f"/ad_accounts/{second}/ads", status=403, body=body, times=None)

    code, outcomes, lines = tell(settings(sandbox, ad_account_ids=[first, second]))

    assert code == 1
    assert [line for line in lines if line.startswith("ads ") and f"of ad account {second}" in line]
    assert "and must be" in outcomes["ad_analytics"] or "must be" in " ".join(lines)
    assert "required and not readable" in lines[-1]


def test_an_account_that_is_not_there_is_named(sandbox: Sandbox) -> None:
    code, outcomes, _ = tell(settings(sandbox, ad_account_ids=["549000000000"]))

    assert code == 1
    assert "549000000000" in outcomes["ad_accounts"]


@pytest.mark.parametrize("there", [True, False])
def test_a_board_that_the_config_names_has_to_be_there(sandbox: Sandbox, *, there: bool) -> None:
    board = next(iter(sandbox.truth("GET /boards")))[1]["id"] if there else "1"

    code, outcomes, _ = tell(settings(sandbox, stream_groups="organic", board_ids=[board]))

    assert code == int(not there)
    assert ("can be read" in outcomes["boards"]) is there


def test_a_report_that_no_account_opens_fails() -> None:
    body = {"code": 29, "message": "You are not permitted to access that resource."}
    with Sandbox(seed=7, today=TODAY, size=replace(SMALL, empty_accounts=0)) as sandbox:
        sandbox.fail("/ad_accounts/*/ads/analytics", status=403, body=body, times=None)
        code, outcomes, _ = tell(settings(sandbox))

    assert code == 1
    assert "CANNOT be read" in outcomes["ad_analytics"]


def test_a_dataset_without_its_setting_says_which(sandbox: Sandbox) -> None:
    code, outcomes, lines = tell(settings(sandbox, stream_groups="trends"))

    assert code == 0
    assert outcomes["related_terms"] == "has nothing to ask for: set terms"
    assert "have nothing to ask for" in lines[-1]


def test_credentials_that_are_refused_are_one_line(sandbox: Sandbox) -> None:
    code, _, lines = tell(settings(sandbox, refresh_token="pinr_wr0ng"))

    assert code == 1
    (line,) = lines
    assert line.startswith("Nothing can be read: Pinterest refuses the credentials")
    assert "pinr_wr0ng" not in line


def test_the_option_writes_words_and_no_singer_messages(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings(sandbox)))

    command = [sys.executable, "-m", "tap_pinterest", "--config", str(path), "--test"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 0
    assert "can be read" in result.stdout
    assert "{" not in result.stdout
    assert "ERROR" not in result.stderr


def test_a_config_that_is_refused_is_explained_in_words(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"start_date": "soon", "colour": "red"}))

    command = [sys.executable, "-m", "tap_pinterest", "--config", str(path), "--test"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 1
    names = [line.split(": ")[1] for line in result.stdout.splitlines()]
    assert sorted(names) == ["access_token", "colour", "start_date"]
    assert "Traceback" not in result.stderr


def test_schemas_need_a_config_without_faults(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"start_date": "soon", "access_token": "x"}')
    command = [str(forked_programs.folder() / "tap-pinterest"), "--config", "config.json"]

    ended = subprocess.run(
        [*command, "--test=schema"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    (line,) = ended.stderr.splitlines()
    assert "start_date: 'soon' is refused" in line
    assert (ended.returncode, ended.stdout) == (1, "")


def test_another_word_after_the_option_is_refused() -> None:
    command = [str(forked_programs.folder() / "tap-pinterest"), "--test=records"]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "'records' is not one of 'all', 'schema'" in ended.stderr.splitlines()[-1]
    assert (ended.returncode, ended.stdout) == (2, "")


def test_the_help_describes_the_option() -> None:
    command = [sys.executable, "-m", "tap_pinterest", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "Say in words which datasets can be read" in " ".join(text.split())
