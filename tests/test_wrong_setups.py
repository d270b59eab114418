"""Wrong set-ups of the tap, as a new user has them: one line for one cause, and no traceback.

The wrong set-ups of PostgreSQL are in `test_loader_wrong_setups.py`.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from loading import database, lines_of_failing, main_job
from singer_run import settings
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from pathlib import Path

    from pinterest_sandbox import Sandbox

CREDENTIALS = ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN")
BAD = re.compile(r"\[(?:warning|error) *\] (tap-pinterest|target-postgres) +(.*)")


def said_by_ours(lines: list[str]) -> list[tuple[str, ...]]:
    """The program and the text of each warning and each error that is not Meltano's."""
    return [match.groups() for line in lines if (match := BAD.search(line))]


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def test_without_credentials_and_without_a_database_one_line_is_of_the_credentials(
    sandbox: Sandbox, tmp_path: Path, closed_port: int
) -> None:
    url = f"postgresql://me:secret@127.0.0.1:{closed_port}/none"
    nothing = dict.fromkeys(CREDENTIALS, "")
    job = main_job(tmp_path, sandbox, url, "pinterest", **nothing)

    lines = lines_of_failing(job, "tap-pinterest", "target-postgres")

    ((program, text),) = said_by_ours(lines)
    assert program == "tap-pinterest"
    assert text.startswith("access_token: no credentials; allowed: ")
    assert "tap-pinterest-login" in text
    assert not [line for line in lines if "] target-postgres " in line]


def test_a_wrong_ad_account_id_is_one_line_with_the_accounts_that_there_are(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    with database() as (url, schema):
        job = main_job(
            tmp_path, sandbox, url, schema, ad_account_ids="549755885175", stream_groups="ads"
        )
        lines = lines_of_failing(job, "target-postgres")

    ((program, text),) = said_by_ours(lines)
    assert program == "tap-pinterest"
    assert "FAILED ad_account_analytics, ad_accounts, ad_analytics, " in text
    assert " of ad account 549755885175: ad_account_ids names it" in text
    assert all(account.id in text for account in sandbox.world.ad_accounts)


def test_a_misspelt_variable_ends_the_run_before_the_target_begins(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    job = main_job(tmp_path, sandbox, "postgresql://127.0.0.1/none", "pinterest", star_date="today")

    lines = lines_of_failing(job, "tap-pinterest", "target-postgres")

    ((_, text),) = said_by_ours(lines)
    assert text.endswith("did you mean TAP_PINTEREST_START_DATE?")
    assert not [line for line in lines if "] target-postgres " in line]


def test_spend_is_no_column_and_the_one_that_is_meant_is_named(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigValidationError) as refused:
        _ = TapPinterest(config=settings(sandbox, report_columns="spend")).streams

    (fault,) = refused.value.errors
    assert fault.startswith("report_columns: SPEND is no column; did you mean SPEND_IN_DOLLAR or ")


@pytest.mark.parametrize(
    ("config", "arguments", "named"),
    [
        ({"client_id": "1", "client_secret": "s"}, [], "run tap-pinterest-login"),
        ({"token_file": "{folder}/tokens.json"}, [], "{folder}/tokens.json"),
        ({"access_token": "x"}, ["--state", "{folder}/state.json"], "{folder}/state.json"),
        ({"access_token": "x"}, ["--catalog", "{folder}/catalog.json"], "{folder}/catalog.json"),
        ({}, ["--config", "{folder}/more.json"], "{folder}/more.json"),
    ],
    ids=["signed out", "no token file", "no state", "no catalog", "no config"],
)
def test_a_file_that_is_not_there_is_named_in_the_last_line(
    tmp_path: Path, config: dict[str, Any], arguments: list[str], named: str
) -> None:
    given = {name: value.format(folder=tmp_path) for name, value in config.items()}
    if "token_file" in given:
        given |= {"client_id": "1", "client_secret": "s"}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    more = [each.format(folder=tmp_path) for each in arguments]

    command = [sys.executable, "-m", "tap_pinterest", "--config", str(path), *more]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    *usage, last = ended.stderr.splitlines()
    assert ended.returncode in {1, 2}
    assert named.format(folder=tmp_path) in last
    assert len(usage) <= 3, usage
