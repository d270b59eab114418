"""Faults mixed at random: the tables equal the truth, or the run has said that it failed."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from drawn_cases import drawn
from faulty_world import STREAMS, config_of, records_are_unique, tiny, truth, upsert
from pinterest_sandbox.faults import Kind
from singer_run import run
from tap_pinterest.reading import inventory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from faulty_world import Tables
    from pinterest_sandbox import Sandbox

PATHS = ("/ad_accounts", "/boards", "*/campaigns", "*/campaigns/analytics", "/resources/*", "*")
SEEDS = st.integers(min_value=0, max_value=2**32)

STATUSES = st.builds(
    lambda number, reset: {
        "kind": "status",
        "status": number,
        "headers": {} if reset is None else {"x-ratelimit-reset": str(reset)},
    },
    st.sampled_from([302, 400, 401, 404, 408, 409, 413, 414, 429, 429, 500, 502, 503, 504]),
    st.sampled_from([None, 0, 1, 60, 4000]),
)
BREAKS = st.sampled_from(
    [
        {"kind": "reset"},
        {"kind": "reset", "after_bytes": 0},
        {"kind": "reset", "after_bytes": 30},
        {"kind": "half_headers"},
        {"kind": "truncate"},
        {"kind": "truncate", "after_bytes": 0},
        {"kind": "html"},
        {"kind": "html", "status": 503},
        {"kind": "empty"},
        {"kind": "status", "status": 200, "body": "[{}, null, 7]"},
        {"kind": "status", "status": 200, "body": {"items": [], "bookmark": "again"}, "after": 3},
        {"kind": "distort", "change": "numeric_ids"},
        {"kind": "distort", "change": "unknown_field"},
        {"kind": "distort", "change": "textual_numbers"},
        {"kind": "distort", "change": "no_ids"},
    ]
)
HOW_OFTEN = st.fixed_dictionaries(
    {
        "path": st.sampled_from(PATHS),
        "times": st.sampled_from([1, 2, 5, None]),
        "share": st.sampled_from([0.1, 0.3, 1.0]),
        "seed": SEEDS,
    }
)
REFUSED_PART = st.builds(
    lambda after: {"path": "*/campaigns/analytics", "status": 404, "after": after},
    st.integers(min_value=0, max_value=11),
)
"""One refused call of the twelve that read a report."""
FAULTS = st.builds(lambda what, how: {**how, **what}, STATUSES | BREAKS, HOW_OFTEN) | REFUSED_PART


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with tiny(seed=5) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def tables(world: Sandbox) -> Tables:
    return truth(world)


def without_news(tables: Tables) -> Tables:
    """Tables without the fields that no schema knows, which a fault may have added."""
    for table in tables.values():
        for row in table.values():
            if "extra_fields" in row:
                row["extra_fields"] = None
    return tables


@hypothesis_settings(
    max_examples=drawn(100),
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(faults=st.lists(FAULTS, min_size=1, max_size=5), in_flight=st.sampled_from([1, 4]))
def test_after_any_mix_of_faults_the_tables_are_true_or_the_run_says_it_failed(
    world: Sandbox,
    tables: Tables,
    caplog: pytest.LogCaptureFixture,
    faults: list[dict[str, Any]],
    in_flight: int,
) -> None:
    caplog.clear()
    # Without a lookback the next run reads only what the state does not have.
    config = config_of(world, max_requests_in_flight=in_flight, slice_rows=4, lookback_days=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inventory, "PAGE_SIZE", 2)
        for fault in faults:
            world.fail(method="GET", **fault)
        result = run(config, *STREAMS)
        world.heal()
        arrived = without_news(upsert({}, result.messages))

        assert "Traceback" not in caplog.text
        assert records_are_unique(result.messages)
        assert all(rows.items() <= tables[name].items() for name, rows in arrived.items())
        if result.code == 0:
            assert arrived == tables
            return
        assert any(each.levelno >= logging.WARNING for each in caplog.records)
        mended = run(config, *STREAMS, state=result.state or None)
        assert mended.code == 0
        assert upsert(arrived, mended.messages) == tables


REFUSALS = [{"kind": "status", "status": number} for number in (302, 400, 403, 404, 413, 414)]
MISHAPS: list[dict[str, Any]] = [
    *({"kind": "status", "status": number} for number in (401, 408, 429, 500, 502, 503, 504)),
    {"kind": "status", "status": 400, "body": {"code": 1, "message": "Retry after 9 seconds."}},
    {"kind": "status", "status": 200, "body": '{"items": [{"id": "1", "na'},
    {"kind": "status", "status": 200, "body": {"data": 7}},
    *({"kind": kind} for kind in get_args(Kind) if kind not in {"status", "slow"}),
    {"kind": "slow", "seconds": 0.05},
    {"kind": "reset", "after_bytes": 0},
    {"kind": "reset", "after_bytes": 30},
    *({"kind": "distort", "change": change} for change in ("numeric_ids", "repeat", "no_ids")),
    # Each of these fails the run: together they come as often as any other alone.
    *({"share": 0.02 / len(REFUSALS), **refusal} for refusal in REFUSALS),
]


def test_after_a_week_of_runs_with_failures_no_row_is_missing_or_stale(
    tmp_path: Path,
) -> None:
    state: dict[str, Any] | None = None
    tables: Tables = {}
    failed = 0
    with tiny(seed=11, rotation="revoke", access_seconds=3_000) as sandbox:
        config = config_of(
            sandbox, token_file=str(tmp_path / "tokens.json"), slice_rows=20, request_timeout=1
        )
        for day in range(7):
            for number, mishap in enumerate(MISHAPS):
                seed = 100 * day + number
                sandbox.fail(method="GET", times=None, **{"share": 0.02, "seed": seed} | mishap)
            for _attempt in range(6):
                result = run(config, *STREAMS, "ad_analytics", state=state)
                state = result.state or state
                upsert(tables, result.messages)
                if result.code == 0:
                    break
                failed += 1
            else:
                pytest.fail("six runs in a row failed")
            sandbox.heal()
            if day < 6:
                sandbox.today += timedelta(days=1)
        played = [request.fault for request in sandbox.requests if request.fault]
        refreshes = [each for each in sandbox.requests if each.path == "/oauth/token"]
        final = run(config, *STREAMS, "ad_analytics")

    assert without_news(tables) == without_news(upsert({}, final.messages))
    assert len(played) > 20
    assert len(refreshes) >= 7
    assert failed < 20
