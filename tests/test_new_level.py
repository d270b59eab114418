"""A level that Pinterest does not have yet: one record, one class, one name, and all works."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import IO, TYPE_CHECKING, Any

import msgspec
import pytest

from singer_run import Messages, PatientClock, PatientTap, Run
from tap_pinterest import api, streams, tap
from tap_pinterest.api import columns
from tap_pinterest.api.levels import AD_ACCOUNT, LEVELS, Entity, Level
from tap_pinterest.http.auth import AccessToken
from tap_pinterest.http.tally import Tallies
from tap_pinterest.streams.ads import Campaigns
from tap_pinterest.streams.analytics import LevelReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ACCOUNT = "549700000001"
TODAY = datetime(2026, 11, 20, tzinfo=UTC)
CREATIVE = Level(
    name="creative",
    plural="creatives",
    own_id="CREATIVE_ID",
    entities=(AD_ACCOUNT, Entity(ids=("CREATIVE_ID",), texts=("CREATIVE_TITLE",))),
    other_ids=("ID",),
    filters=("campaign_ids",),
    id_parameter="creative_ids",
    path="/ad_accounts/{ad_account_id}/creatives/analytics",
    targeting_path="/ad_accounts/{ad_account_id}/creatives/targeting_analytics",
    report="CREATIVE",
    targeting_report="CREATIVE_TARGETING",
)
CUSTOM = [
    {"name": "titles", "level": "CREATIVE", "columns": ["CREATIVE_TITLE", "TOTAL_CLICKTHROUGH"]},
    {"name": "genders", "level": "CREATIVE_TARGETING", "targeting_types": ["GENDER"]},
]


class CreativeAnalytics(LevelReport):
    """Metrics of a creative on one day."""

    name = "creative_analytics"
    level = CREATIVE
    path = CREATIVE.path
    entities = Campaigns


class Pinterest:
    """Answers calls for one ad account with two creatives, and keeps what was asked."""

    acts_for_the_app = False
    authenticator = AccessToken("")

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}
        self.tallies = Tallies()
        self.queries: list[Mapping[str, Any]] = []
        self.orders: list[Mapping[str, Any]] = []

    def get(self, path: str, decode: Callable[[bytes], Any], **how: Any) -> Any:
        query = how.get("query") or {}
        if path in {CREATIVE.path, CREATIVE.targeting_path}:
            assert query.keys() <= api.operation(f"GET {path}").parameters.keys()
            self.queries.append(query)
        return decode(json.dumps(self._answer(path, query)).encode())

    def _answer(self, path: str, query: Mapping[str, Any]) -> Any:
        if path == CREATIVE.path:
            return rows(query["columns"])
        if path == CREATIVE.targeting_path:
            return {"data": rows(query["columns"], query["targeting_types"])}
        ready = {"conversion_metrics_ready": True, "non_conversion_metrics_ready": True}
        return {
            "/ad_accounts": {"items": [{"id": ACCOUNT, "currency": "EUR"}]},
            Campaigns.path: {"items": [{"id": "1"}, {"id": "2"}]},
            "/resources/metrics_ready_state": ready,
        }.get(path) or {"report_status": "FINISHED", "url": query["token"]}

    def post(self, path: str, decode: Callable[[bytes], Any], body: Any, **_: Any) -> Any:
        assert path == "/ad_accounts/{ad_account_id}/reports"
        self.orders.append(body)
        return decode(msgspec.json.encode({"token": str(len(self.orders) - 1)}))

    @property
    def downloads(self) -> Pinterest:
        return self

    def write(self, url: str, file: IO[bytes], what: str) -> None:
        assert what
        order = self.orders[int(url)]
        file.write(json.dumps(rows(order["columns"], order.get("targeting_types", ()))).encode())
        file.flush()

    def may_ask(self, operation: api.Operation) -> bool:
        return bool(operation)

    def close(self) -> None:
        """There are no connections."""


def rows(names: Any, types: Any = ()) -> list[dict[str, Any]]:
    """A row for each creative, and for each targeting type if there are any."""
    texts = {"CREATIVE_TITLE": "Spring"}
    metrics = {name: texts.get(name, 7) for name in names if name != "CREATIVE_ID"}
    kinds = [{"TARGETING_TYPE": each, "TARGETING_VALUE": "x"} for each in types] or [{}]
    return [
        {"CREATIVE_ID": creative, "DATE": "2026-11-19", **metrics, **each}
        for creative in ("1", "2")
        for each in kinds
    ]


@pytest.fixture(autouse=True)
def _a_new_level(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The record, the name in the list, and two operations in Pinterest's description."""
    monkeypatch.setitem(LEVELS, CREATIVE.name, CREATIVE)
    for module in (streams, tap):
        monkeypatch.setattr(module, "STREAM_TYPES", (*streams.STREAM_TYPES, CreativeAnalytics))
    facts, like = api._facts(), LEVELS["campaign"]
    for path, known in ((CREATIVE.path, like.path), (CREATIVE.targeting_path, like.targeting_path)):
        described = bytes(facts.operations[f"GET {known}"])
        described = described.replace(b"campaign_ids", b"creative_ids")
        monkeypatch.setitem(facts.operations, f"GET {path}", msgspec.Raw(described))
    for name in ("columns_sync", "columns_async"):
        monkeypatch.setitem(facts.enums, name, (*facts.enums[name], "CREATIVE_TITLE"))
    columns.column.cache_clear()
    columns.described.cache_clear()
    yield
    columns.column.cache_clear()
    columns.described.cache_clear()


def read(transport: str, **config: Any) -> tuple[Run, Pinterest]:
    """Read the stream of the level and the two reports that the config defines."""
    pinterest, writer, clock = Pinterest(), Messages(), PatientClock()
    clock.hear(format_datetime(TODAY))
    given = {
        "access_token": "pina",
        "start_date": "2026-11-19",
        "end_date": "2026-11-19",
        "report_columns": ["SPEND_IN_DOLLAR"],
        "report_transport": transport,
        "custom_reports": CUSTOM,
        **config,
    }
    names = {CreativeAnalytics.name, *(each["name"] for each in CUSTOM)}
    catalog = PatientTap(config=given).catalog_dict
    for entry in catalog["streams"]:
        entry["metadata"][-1]["metadata"]["selected"] = entry["tap_stream_id"] in names
    patient = PatientTap(config=given, catalog=catalog, message_writer=writer, clock=clock)
    patient.run.client = pinterest  # type: ignore[assignment]
    return Run(patient.sync(), writer.read, patient, clock), pinterest


@pytest.mark.parametrize("transport", ["sync", "async"])
def test_a_new_level_is_read_either_way(transport: str) -> None:
    result, pinterest = read(transport)

    assert result.code == 0
    assert [
        (each["creative_id"], each["date"], each["spend_in_dollar"], each["currency"])
        for each in result.records(CreativeAnalytics.name)
    ] == [("1", "2026-11-19", 7, "EUR"), ("2", "2026-11-19", 7, "EUR")]
    assert [each["creative_title"] for each in result.records("titles")] == ["Spring"] * 2
    assert bool(pinterest.queries) is (transport == "sync")
    assert {each["level"] for each in pinterest.orders} == (
        set() if transport == "sync" else {"CREATIVE", "CREATIVE_TARGETING"}
    )


@pytest.mark.parametrize("transport", ["sync", "async"])
def test_a_new_level_is_broken_down_by_a_custom_report(transport: str) -> None:
    result, _ = read(transport)
    keys = ("creative_id", "targeting_type", "targeting_value", "date")

    assert tuple(result.tap.streams["genders"].primary_keys) == keys
    assert [tuple(each[key] for key in keys) for each in result.records("genders")] == [
        ("1", "GENDER", "x", "2026-11-19"),
        ("2", "GENDER", "x", "2026-11-19"),
    ]


def test_a_filter_of_a_new_level_is_named_by_its_parameter() -> None:
    _, pinterest = read("async", campaign_ids=["1", "2"])

    assert {tuple(each["creative_ids"]) for each in pinterest.orders} == {("1", "2")}
