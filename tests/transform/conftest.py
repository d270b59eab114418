"""Fixtures that the tests of the dbt models share; they run with `make transform-test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from built_models import give_links, two_days
from scripts.dbt_project import DBT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from built_models import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two days of a small world, loaded and built after each."""
    if not DBT.exists():
        pytest.skip("dbt is not installed: make transform")
    with two_days(tmp_path_factory.mktemp("world")) as found:
        yield found


@pytest.fixture(scope="session")
def warehouse(world: World) -> Path:
    """A DuckDB with the same tables as the world's PostgreSQL."""
    file = world.folder / "warehouse.duckdb"
    world.job.meltano("run", "tap-pinterest", "target-duckdb")
    with duckdb.connect(str(file)) as made:
        give_links(made, "pinterest")
    return file
