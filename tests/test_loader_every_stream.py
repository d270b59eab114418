"""Every stream of the tap, on two days, through the stock target and ours: no difference."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from both_targets import Database, new_database
from pinterest_sandbox import Sandbox
from scripts.main_job import STATE_ID, MainJob
from scripts.processes import ROOT
from singer_pipes import lines
from singer_run import EVERYTHING, run, settings
from test_every_stream import CATALOG, DAY_1, WORLD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    with new_database() as db:
        yield db


@pytest.fixture(scope="module")
def tables(db: Database) -> dict[str, tuple[Any, Any]]:
    """What ours and the stock target have made of the same two days, by table."""
    with Sandbox(seed=7, today=DAY_1, size=WORLD, access_tier="unlimited") as sandbox:
        config = settings(sandbox, sync_log=True, **EVERYTHING)
        first = run(config)
        sandbox.today += timedelta(days=1)
        second = run(config, state=first.state)
    for day in (first, second):
        messages = lines(day.messages).decode()
        db.load_with_stock(messages)
        db.load(messages)
    ours, stock = db.tables(), db.tables(f"{db.schema}_stock")
    return {name: (ours.get(name), stock.get(name)) for name in {*ours, *stock, *CATALOG}}


@pytest.mark.parametrize("stream", sorted(CATALOG))
def test_a_table_is_that_of_the_stock_target(
    tables: dict[str, tuple[Any, Any]], stream: str
) -> None:
    ours, stock = tables[stream]

    assert ours is not None
    assert ours == stock


def test_there_is_no_other_table(tables: dict[str, tuple[Any, Any]]) -> None:
    assert set(tables) == set(CATALOG)


@pytest.mark.parametrize("way", ["shipped", "stock"])
def test_meltano_runs_ours_and_one_line_changes_to_the_stock_target(
    sandbox: Sandbox, db: Database, tmp_path: Path, way: str
) -> None:
    shutil.copy(ROOT / "meltano.yml", tmp_path)
    if way == "stock":
        yaml = YAML()
        document = yaml.load(tmp_path / "meltano.yml")
        document["plugins"]["loaders"][0]["executable"] = "target-postgres"
        yaml.dump(document, tmp_path / "meltano.yml")
    secrets = ("client_id", "client_secret", "refresh_token")
    # The other tests load with the stock target into a schema that ends in _stock.
    loaded = Database(db.url, f"{db.schema}_by_meltano_{way}")
    environment = {
        **{f"TAP_PINTEREST_{each.upper()}": sandbox.credentials[each] for each in secrets},
        "TAP_PINTEREST_API_URL": sandbox.url,
        "TAP_PINTEREST_TOKEN_FILE": str(tmp_path / "tokens.json"),
        "TAP_PINTEREST_START_DATE": "5 days ago",
        # It has an id and times that no other run has.
        "TAP_PINTEREST_SYNC_LOG": "false",
        "TARGET_POSTGRES_SQLALCHEMY_URL": loaded.url,
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": loaded.schema,
    }
    job = MainJob(tmp_path, environment, log=tmp_path / "log", project=tmp_path)

    job.run()

    day = run(settings(sandbox, start_date="5 days ago"))
    with closing(loaded):
        loaded.load_with_stock(lines(day.messages).decode())
        loaded.assert_same()
    state = job.meltano("state", "get", STATE_ID)
    assert '"ad_analytics"' in state
