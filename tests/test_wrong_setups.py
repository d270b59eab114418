"""Each wrong set-up of a new user through `meltano run`: one line says it, and no traceback."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import forked_programs
from conftest import TODAY
from documents import all_blocks
from guarded_postgres import WRITTEN, fill_the_disk, guarded_postgres, url_of
from pinterest_sandbox import Sandbox, WorldSize
from scripts.loader_messages import patterns
from scripts.main_job import PREFIXES
from wrong_setups import ADDRESS, LOADER, SET_UPS, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scripts.embedded_postgres import EmbeddedPostgres
    from wrong_setups import SetUp

HAS_FULL_DEVICE = Path("/dev/full").exists()
SECRETS = re.compile(r"pass@word|pass%40word|topsecret|top@|secret:|pina_|the-secret")
SECONDS = 60
"""Longest time of a run, on a machine that is busy; a quiet one takes two."""
LINES = 15
OURS = re.compile(r"\[(?P<level>\w+) *\] (?P<program>tap-pinterest|target-postgres) +(?P<text>.*)")
(PROJECT,) = (
    each.text for each in all_blocks("yaml") if each.option("file") == "smallest/meltano.yml"
)
SMALL = WorldSize(accounts=2, campaigns=1, ad_groups=1, ads=1, boards=1, pins=1)


class Line(NamedTuple):
    """A line of the tap or of the loader in Meltano's log."""

    level: str
    program: str
    text: str


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with guarded_postgres() as server:
        if HAS_FULL_DEVICE:
            fill_the_disk(server)
        yield server


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[tuple[Sandbox, Sandbox]]:
    """A Pinterest for a token with all scopes, and one for a token with few.

    They take their time as a network does: a run that fails is over before all is read.
    """
    like: dict[str, Any] = {"seed": 7, "today": TODAY, "size": SMALL, "latency": 0.1}
    with Sandbox(**like) as whole, Sandbox(**like, scopes=["ads:read"]) as narrow:
        yield whole, narrow


@pytest.fixture(scope="module")
def varying(server: EmbeddedPostgres, sandboxes: tuple[Sandbox, Sandbox]) -> Mapping[str, str]:
    """The parts of the table's texts that differ from run to run."""
    whole, narrow = sandboxes
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = taken.getsockname()[1]
    return {
        "password": WRITTEN,
        "host": f"127.0.0.1:{server.port}",
        "closed": str(closed),
        "plain": url_of(server, "plain", ""),
        "owner": url_of(server, "owner", ""),
        "first_account": whole.world.ad_accounts[0].id,
        "second_account": whole.world.ad_accounts[1].id,
        "api": whole.url,
        "token": whole.credentials["access_token"],
        "narrow": narrow.url,
        "narrow_token": narrow.credentials["access_token"],
    }


@pytest.fixture(scope="module")
def meltano_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Meltano's own database as new: setting it up takes as long as the rest of a run.

    Tap and loader are imported too: in no run one of them is ready long before the other.
    """
    for name in ("tap-pinterest", "target-postgres-fast"):
        subprocess.run([forked_programs.folder() / name, "--version"], check=True)
    folder = tmp_path_factory.mktemp("new")
    (folder / "meltano.yml").write_text(PROJECT, encoding="utf-8")
    ended = meltano("state", "list", folder=folder)
    assert ended.returncode == 0, ended.stdout
    return folder / ".meltano" / "meltano.db"


def meltano(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Meltano to its end in a folder; all that it prints is in `stdout`."""
    return subprocess.run(
        [str(forked_programs.folder() / "meltano"), *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def environment() -> dict[str, str]:
    """The variables of a shell in which nothing is set for us."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(PREFIXES)}
    places = (str(forked_programs.folder()), os.environ["PATH"])
    return {**kept, "PATH": os.pathsep.join(places), "NO_COLOR": "1"}


def write_project(folder: Path, set_up: SetUp, varying: Mapping[str, str]) -> None:
    """Write `meltano.yml` as the README has it, and `.env`."""
    right = {TOKEN: "{token}", ADDRESS: "{owner}postgres", "TAP_PINTEREST_API_URL": "{api}"}
    lines = (
        f"{name}='{filled(text, varying)}'\n"
        for name, text in {**right, **set_up.variables}.items()
        if text is not None
    )
    (folder / "meltano.yml").write_text(PROJECT.replace(*set_up.edit), encoding="utf-8")
    (folder / ".env").write_text("".join(lines), encoding="utf-8")


def filled(text: str, varying: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: varying[found[1]], text)


@pytest.mark.parametrize("name", SET_UPS)
def test_a_run_says_in_one_line_what_is_wrong_and_what_to_do(
    varying: Mapping[str, str], meltano_database: Path, tmp_path: Path, name: str
) -> None:
    if name == "no room" and not HAS_FULL_DEVICE:
        pytest.skip("this system has no device that is always full")
    set_up, varying = SET_UPS[name], {**varying, "folder": str(tmp_path)}
    write_project(tmp_path, set_up, varying)
    (tmp_path / ".meltano").mkdir()
    shutil.copy(meltano_database, tmp_path / ".meltano")

    ended = meltano("run", "tap-pinterest", "target-postgres", folder=tmp_path)

    code, said = ended.returncode, ended.stdout
    ours = [Line(**found.groupdict()) for found in OURS.finditer(said)]
    bad = [
        each
        for each in ours
        if each.level in {"warning", "error", "critical"} and each.program != set_up.and_by
    ]
    assert code == set_up.code, said
    assert [each.program for each in bad] == [set_up.by] * bool(set_up.says), said
    for part in set_up.says:
        assert filled(part, varying) in bad[0].text, said
    if ADDRESS in set_up.variables and set_up.by == LOADER:
        assert [each for each in patterns() if re.fullmatch(each, bad[0].text)], bad
    assert set_up.code or [each for each in ours if each.text.startswith("Loaded ad_accounts: ")]
    assert not set_up.code or len(ours) <= LINES, said
    assert "Traceback" not in said
    assert not SECRETS.search(said)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--state", "{folder}/state.json"], "{folder}/state.json"),
        (["--catalog", "{folder}/catalog.json"], "{folder}/catalog.json"),
        (["--config", "{folder}/more.json"], "{folder}/more.json"),
    ],
    ids=["no state", "no catalog", "no config"],
)
def test_a_file_of_the_command_line_that_is_not_there_is_named_in_the_last_line(
    tmp_path: Path, arguments: list[str], named: str
) -> None:
    # Meltano writes these files itself.
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"access_token": "x"}), encoding="utf-8")
    more = [filled(each, {"folder": str(tmp_path)}) for each in arguments]

    run = [sys.executable, "-m", "tap_pinterest", "--config", str(path), *more]
    ended = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path)

    *usage, last = ended.stderr.splitlines()
    assert ended.returncode in {1, 2}
    assert filled(named, {"folder": str(tmp_path)}) in last
    assert len(usage) <= 3, usage
