"""A world small enough to be read in a blink, and what a target would hold after runs of it."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from pinterest_sandbox import Sandbox, WorldSize
from singer_run import run, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TODAY = date(2026, 11, 20)
TINY = WorldSize(
    accounts=2, empty_accounts=0, campaigns=3, ad_groups=3, ads=4, boards=5, pins=4, days=120
)
STREAMS = ("ad_accounts", "boards", "campaign_analytics", "campaigns")
KEYS = {
    "ad_analytics": ("ad_id", "date"),
    "campaign_analytics": ("campaign_id", "date"),
    "metrics_ready_state": ("date",),
}

Table: TypeAlias = "dict[tuple[str, ...], dict[str, Any]]"
Tables: TypeAlias = "dict[str, Table]"


def tiny(seed: int = 7, **how: Any) -> Sandbox:
    return Sandbox(seed=seed, today=TODAY, size=TINY, access_tier="unlimited", **how)


def config_of(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    return settings(sandbox, **{"start_date": "2026-11-12", "request_timeout": 30} | more)


def upsert(tables: Tables, messages: Iterable[Mapping[str, Any]]) -> Tables:
    """What a target makes of RECORDs: the last one with a key stays."""
    for message in messages:
        if message["type"] == "RECORD":
            record = message["record"]
            key = tuple(record[name] for name in KEYS.get(message["stream"], ("id",)))
            tables.setdefault(message["stream"], {})[key] = record
    return tables


def truth(sandbox: Sandbox, *streams: str, **more: Any) -> Tables:
    """What the tables hold after one run that nothing disturbed."""
    result = run(config_of(sandbox, **more), *(streams or STREAMS))
    assert result.code == 0
    sandbox.requests.clear()
    return upsert({}, result.messages)


def records_are_unique(messages: Iterable[Mapping[str, Any]]) -> bool:
    records = [m for m in messages if m["type"] == "RECORD"]
    return len(records) == sum(map(len, upsert({}, records).values()))


def without(tables: Tables, left_out: Mapping[str, str | None]) -> Tables:
    """The tables without some streams' rows of one ad account (`None`: all rows)."""
    return {
        stream: rows
        for stream, table in tables.items()
        if (
            rows := {
                key: row
                for key, row in table.items()
                if stream not in left_out
                or (left_out[stream] and row["ad_account_id"] != left_out[stream])
            }
        )
    }


def as_text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
