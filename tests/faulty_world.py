"""A world small enough to be read in a blink, and what a target would hold after runs of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from pinterest_sandbox import Sandbox, WorldSize
from singer_run import run, settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

TODAY = date(2026, 11, 20)
TINY = WorldSize(
    accounts=2, empty_accounts=0, campaigns=3, ad_groups=3, ads=4, boards=5, pins=4, days=120
)
COLUMNS = ["IMPRESSION_1", "SPEND_IN_DOLLAR", "TOTAL_CONVERSIONS", "CAMPAIGN_NAME"]
STREAMS = ("ad_accounts", "boards", "campaign_analytics", "campaigns")

Table: TypeAlias = "dict[tuple[str, ...], dict[str, Any]]"
Tables: TypeAlias = "dict[str, Table]"

BROKEN: dict[str, Any] = {"status": 500, "times": None}
REFUSED: dict[str, Any] = {
    "status": 403,
    "times": None,
    "body": {"code": 29, "message": "You are not permitted to access that resource."},
}
FAULTS = (
    BROKEN,
    REFUSED,
    {"status": 400, "times": None},
    {"kind": "html", "times": None},
    {"kind": "empty", "times": None},
    {"kind": "reset", "times": None},
)
"""Answers to one part of a run; each comes as often as that part is asked for."""
FORBIDDEN: dict[str, Any] = {
    "status": 403,
    "body": {"code": 29, "message": "No access."},
    "times": None,
}


def tiny(seed: int = 7, **how: Any) -> Sandbox:
    return Sandbox(seed=seed, today=TODAY, size=TINY, access_tier="unlimited", **how)


def config_of(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    usual = {"start_date": "2026-11-12", "request_timeout": 30, "report_columns": COLUMNS}
    return settings(sandbox, **usual | more)


def upsert(tables: Tables, messages: Iterable[Mapping[str, Any]]) -> Tables:
    """The tables after a run's messages: the last RECORD with a key stays."""
    keys: dict[str, list[str]] = {}
    for message in messages:
        if message["type"] == "SCHEMA":
            keys[message["stream"]] = message["key_properties"]
        elif message["type"] == "RECORD":
            record = message["record"]
            key = tuple(record[name] for name in keys[message["stream"]])
            tables.setdefault(message["stream"], {})[key] = record
    return tables


def truth(sandbox: Sandbox, *streams: str, **more: Any) -> Tables:
    """The tables after one run that nothing disturbed."""
    result = run(config_of(sandbox, **more), *(streams or STREAMS))
    assert result.code == 0
    sandbox.requests.clear()
    return upsert({}, result.messages)


def records_are_unique(messages: Collection[Mapping[str, Any]]) -> bool:
    count = sum(message["type"] == "RECORD" for message in messages)
    return bool(count == sum(map(len, upsert({}, messages).values())))


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
