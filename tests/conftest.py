from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from pinterest_sandbox import Sandbox, WorldSize
from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# The same examples on each run, however slow the machine is.
hypothesis_settings.register_profile(
    "offline", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("offline")

TODAY = date(2026, 11, 20)
SMALL = WorldSize(accounts=3, empty_accounts=1, campaigns=3, ad_groups=5, ads=9, boards=3, pins=4)

FEW_COLLECTIONS = (50_000, 20, 100)
"""Thresholds of the garbage collector.

With those of the tap's and of the loader's runs, the collector took a tenth of the tests' time.
"""

LONGEST_FIRST = (
    *("test_documents", "test_demo", "test_every_stream", "test_wrong_setups"),
    *("test_contributing", "test_fleet", "test_plan", "test_targets", "test_loader"),
    *("test_loader_either", "test_removed", "test_core", "test_datasets", "test_transport"),
    *("test_rate_limit", "test_whole_runs", "test_state", "test_sync_key_postgres"),
    *("test_analytics", "test_organic", "test_reconcile", "test_intraday", "test_meltano"),
    *("test_postgres", "test_loader_any_records", "test_thirty_days", "test_special_reports"),
    *("test_failures", "test_config", "test_faults", "test_interruptions", "test_cli"),
    *("test_parts", "test_random_worlds", "test_report_parts", "test_mixed_faults"),
    *("test_read_ahead", "test_menus", "test_creatives", "test_reports"),
)
"""Modules that take long, the longest first.

Each worker takes the next module when it is done with one: what is short has to come last, or one
worker still has minutes to go when the others have nothing left.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the modules, and leave the tests within a module as they are."""
    place = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_sessionstart() -> None:
    """Look for garbage rarely: what pytest collects and what tests import stays to the end."""
    gc.set_threshold(*FEW_COLLECTIONS)


def pytest_collection_finish() -> None:
    """Look for garbage only among what tests make, and rarely, which a loader may have changed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*FEW_COLLECTIONS)


def pytest_sessionfinish() -> None:
    """End the PostgreSQL server, if a test has started one."""
    if loading := sys.modules.get("loading"):
        loading.SERVERS.close()


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests keep tokens away from the user's own, and leave no file in the tree."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        before = _untracked()
        yield
        assert _untracked() <= before


def _untracked() -> set[str]:
    """Files that are neither in the repository nor ignored; none where there is no repository.

    A snapshot that UPDATE_SNAPSHOTS writes is meant to stay.
    """
    command = ["git", "ls-files", "--others", "--exclude-standard", "-z"]
    if not (ROOT / ".git").exists():
        return set()
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    kept = "tests/__snapshots__/" if os.environ.get("UPDATE_SNAPSHOTS") else None
    return {path for path in listed.stdout.split("\0") if not (kept and path.startswith(kept))}


@pytest.fixture(autouse=True)
def _signals_and_variables() -> Iterator[None]:
    """The tap takes signals over, and the variables of `.env`; a test gives both back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    variables = _variables()
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    # To set each variable again for each of ten thousand tests would take seconds.
    changed = {name for name, _ in variables.items() ^ _variables().items()}
    for name in changed - variables.keys():
        del os.environb[name]
    os.environb.update({name: variables[name] for name in changed & variables.keys()})


def _variables() -> dict[bytes, bytes]:
    """The environment without what pytest itself changes during each test."""
    found = dict(os.environb)
    found.pop(b"PYTEST_CURRENT_TEST", None)
    return found


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A small world of its own for each test, so that a test may move its day or break it."""
    with Sandbox(seed=7, today=TODAY, size=SMALL) as sandbox:
        yield sandbox
