"""Any target: through plain pipes and through Meltano, with and without the mapper."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

import forked_programs
from both_targets import new_database
from loading import database, main_job
from scripts.main_job import MainJob
from scripts.processes import ROOT, command
from singer_pipes import Loaded, lines
from singer_run import catalog_of, run, settings
from tap_pinterest.layouts.daasity import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pinterest_sandbox import Sandbox

SYNC = ROOT / "scripts" / "sync.sh"
SHOW_DUCKDB = """
import sys, json, duckdb
db = duckdb.connect(sys.argv[1])
tables = db.execute("SELECT table_name FROM information_schema.tables").fetchall()
rows = {t: db.execute(f'SELECT __sync_key FROM pinterest."{t}"').fetchall() for (t,) in tables}
print(json.dumps({table: [key for (key,) in keys] for table, keys in rows.items()}))
"""

PIPED = ("campaigns", "ads", "ad_analytics", "boards")

Installed = dict[str, "Path | None"]


@pytest.fixture(scope="session")
def environments() -> Installed:
    return {}


@pytest.fixture
def install(
    environments: Installed, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Puts a target into an environment of its own: their dependencies contradict each other."""

    def installed(name: str) -> Path:
        if name not in environments:
            folder = tmp_path_factory.mktemp(name)
            python = folder / "bin" / "python"
            make = [command("uv"), "venv", "--quiet", "--python", sys.executable, str(folder)]
            pip = [command("uv"), "pip", "install", "--quiet", "--python", str(python), name]
            subprocess.run(make, check=True)
            done = subprocess.run(pip, capture_output=True, check=False, timeout=300)
            environments[name] = folder / "bin" if done.returncode == 0 else None
        if (found := environments[name]) is None:
            pytest.skip(f"{name} cannot be installed here")
        return found

    return installed


@pytest.fixture
def tap(sandbox: Sandbox, tmp_path: Path) -> list[str]:
    """The command of the tap, with its config and a catalog of a few streams."""
    config = tmp_path / "tap.json"
    tokens = str(tmp_path / "tokens.json")
    full = settings(sandbox, start_date="5 days ago") | {"token_file": tokens}
    config.write_text(json.dumps(full))
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(catalog_of(full, PIPED)))
    program = str(forked_programs.folder() / "tap-pinterest")
    return [program, "--config", str(config), "--catalog", str(catalog)]


def jsonl_target(folder: Path, bin_folder: Path) -> list[str]:
    """The command of target-jsonl, with its config."""
    out = folder / "out"
    out.mkdir()
    config = folder / "target.json"
    config.write_text(json.dumps({"destination_path": str(out), "do_timestamp_file": False}))
    return [str(bin_folder / "target-jsonl"), "--config", str(config)]


def jsonl_rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {
        path.stem: [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for path in (folder / "out").glob("*.jsonl")
    }


def sync(states: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SYNC), str(states), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_stock_loader_runs_in_meltano_and_writes_no_statement_into_the_log(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """It differs from the main job's loader in its program and its log alone."""
    loaders = YAML(typ="safe").load(ROOT / "meltano.yml")["plugins"]["loaders"]
    (stock,) = (each for each in loaders if each["name"] == "target-postgres-stock")
    assert stock.keys() == {"name", "inherit_from", "executable", "env"}
    assert (stock["inherit_from"], stock["executable"]) == ("target-postgres", "target-postgres")
    # The log of a run has an id and times that no other run has.
    more = {"start_date": "5 days ago", "sync_log": "false", "stream_groups": "ads"}
    with new_database() as db:
        schema = f"{db.schema}_by_meltano"
        job = main_job(tmp_path, sandbox, db.url, schema, loader=stock["name"], **more)
        job.run()
        state = job.state()

        db.load_with_stock(lines(run(settings(sandbox, **more)).messages).decode())
        assert db.tables(schema) == db.tables(f"{db.schema}_stock")
        assert {"ads", "ad_analytics"} < {*db.tables(schema)}

    assert "ad_analytics" in state["singer_state"]["bookmarks"]
    said = job.log.read_text(encoding="utf-8")
    assert "] target-postgres-stock " not in said, said


def test_two_days_through_a_pipe_into_files(
    sandbox: Sandbox, tap: list[str], install: Callable[[str], Path], tmp_path: Path
) -> None:
    target = jsonl_target(tmp_path, install("target-jsonl"))
    states = tmp_path / "state.jsonl"

    first = sync(states, *tap, "--", *target)
    assert first.returncode == 0, first.stderr
    (before,) = states.read_text().splitlines()
    sandbox.today = sandbox.today.replace(day=sandbox.today.day + 1)
    second = sync(states, *tap, "--", *target)

    assert second.returncode == 0, second.stderr
    (after,) = states.read_text().splitlines()
    days = [
        json.loads(state)["bookmarks"]["ad_analytics"]["partitions"][0]["replication_key_value"]
        for state in (before, after)
    ]
    assert days == sorted(set(days))
    rows = jsonl_rows(tmp_path)
    assert all(record["__sync_key"] for records in rows.values() for record in records)
    assert set(Counter(row["id"] for row in rows["boards"]).values()) == {2}


def test_a_pipe_into_duckdb_updates_rows_by_their_key(
    sandbox: Sandbox, tap: list[str], install: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = install("target-duckdb")
    file = tmp_path / "numbers.duckdb"
    config = tmp_path / "target.json"
    config.write_text(json.dumps({"filepath": str(file), "default_target_schema": "pinterest"}))
    target = [str(folder / "target-duckdb"), "--config", str(config)]

    for _ in range(2):
        done = sync(tmp_path / "state.jsonl", *tap, "--", *target)
        assert done.returncode == 0, done.stderr
        sandbox.today = sandbox.today.replace(day=sandbox.today.day + 1)

    show = [str(folder / "python"), "-c", SHOW_DUCKDB, str(file)]
    shown = subprocess.run(show, check=True, capture_output=True, text=True)
    tables = json.loads(shown.stdout)
    assert set(tables) == {*PIPED}
    for keys in tables.values():
        assert len(set(keys)) == len(keys) > 0


def test_a_tap_that_fails_fails_the_pipe_and_the_state_stays(tmp_path: Path) -> None:
    states = tmp_path / "state.jsonl"
    states.write_text('{"bookmarks": {}}\n')

    done = sync(states, "sh", "-c", "exit 3", "--", "cat")

    assert done.returncode == 3
    assert states.read_text() == '{"bookmarks": {}}\n'


def test_a_target_that_fails_fails_the_pipe(tmp_path: Path) -> None:
    assert sync(tmp_path / "state.jsonl", "true", "--", "sh", "-c", "exit 4").returncode == 4


def test_the_last_state_that_is_not_empty_is_the_next_runs(tmp_path: Path) -> None:
    states = tmp_path / "state.jsonl"
    states.write_text('{"a": 1}\n{"a": 2}\n\n{"a"')

    tap = ["sh", "-c", 'cat "$2"', "tap"]
    done = sync(states, *tap, "--", "sh", "-c", "cat; echo")

    assert done.returncode == 0
    assert states.read_text() == '{"a": 2}\n'


@pytest.mark.parametrize("arguments", [(), ("tap",), ("tap", "--"), ("--", "target", "x")], ids=str)
def test_a_pipe_without_a_tap_or_a_target_says_how_it_is_used(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = sync(tmp_path / "state.jsonl", *arguments)

    assert done.returncode == 2
    assert "TARGET" in done.stderr


def project(
    folder: Path, sandbox: Sandbox, more: Mapping[str, str], loader: Mapping[str, Any] | None
) -> MainJob:
    """A Meltano project with our `meltano.yml`, and one more loader."""
    shutil.copy(ROOT / "meltano.yml", folder)
    if loader:
        yaml = YAML()
        document = yaml.load(folder / "meltano.yml")
        document["plugins"]["loaders"].append(loader)
        yaml.dump(document, folder / "meltano.yml")
    names = ("client_id", "client_secret", "refresh_token")
    secrets = {f"TAP_PINTEREST_{name.upper()}": sandbox.credentials[name] for name in names}
    environment = {
        **secrets,
        "TAP_PINTEREST_API_URL": sandbox.url,
        "TAP_PINTEREST_TOKEN_FILE": str(folder / "tokens.json"),
        "TAP_PINTEREST_START_DATE": "5 days ago",
        **more,
    }
    programs = forked_programs.folder()
    return MainJob(folder, environment, log=folder / "log", project=folder, programs=programs)


def test_meltano_runs_the_mapper_between_tap_and_postgresql(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    with database() as (url, schema):
        more = {
            "TAP_PINTEREST_SYNC_KEY": "false",
            "TARGET_POSTGRES_SQLALCHEMY_URL": url,
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
        }
        job = project(tmp_path, sandbox, more, None)

        job.meltano("run", "tap-pinterest", "sync-key", "target-postgres")

        loaded = Loaded(url, schema)
        assert "__sync_key" in loaded.tables()["ad_analytics"]
        for table in ("ad_accounts", "ads", "ad_groups", "campaigns", "ad_analytics"):
            assert loaded.unlike_sql(table, TABLES[table].sync_key_fields) == []
            assert loaded.query("SELECT * FROM {} LIMIT 1", table)


def test_meltano_runs_the_mapper_for_daasitys_tables(
    sandbox: Sandbox, install: Callable[[str], Path], tmp_path: Path
) -> None:
    program, *_ = jsonl_target(tmp_path, install("target-jsonl"))
    loader = {
        "name": "target-lines",
        "namespace": "target_lines",
        "executable": program,
        "settings": [{"name": "destination_path"}, {"name": "do_timestamp_file"}],
        "config": {"destination_path": str(tmp_path / "out"), "do_timestamp_file": False},
    }
    job = project(tmp_path, sandbox, {}, loader)

    job.meltano("run", "tap-pinterest", "daasity", "target-lines")

    rows = jsonl_rows(tmp_path)
    assert set(rows) == set(TABLES)
    for name, table in TABLES.items():
        assert [list(row) for row in rows[name]] == [[*table.columns, "__sync_key"]] * len(
            rows[name]
        )
    assert {row["__view_window_days"] for row in rows["ad_accounts"]} == {1}


def test_the_script_is_there_to_be_run() -> None:
    assert os.access(SYNC, os.X_OK)
