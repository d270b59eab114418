"""Reports are read by several calls: one that fails or is refused hides no other one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from faulty_world import COLUMNS, records_are_unique, upsert
from pinterest_sandbox import Sandbox, WorldSize
from singer_run import run, settings
from tap_pinterest.reading import calls as calls_of_lists
from tap_pinterest.reading import inventory
from tap_pinterest.reports import plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from faulty_world import Table
    from pinterest_sandbox.requests_log import LoggedRequest
    from singer_run import Run

TODAY = date(2026, 11, 20)
SIZE = WorldSize(
    accounts=2, empty_accounts=0, campaigns=6, ad_groups=6, ads=8, boards=1, pins=3, days=60
)
REFUSAL = {"code": 29, "message": "You are not permitted to access that resource."}
STATUSES = {500: "500 (code 500)", 400: "400 (code 400)", 403: "403 (code 29)"}
SYNC = {"report_transport": "sync", "slice_rows": 20, "start_date": "10 days ago"}
ASYNC = {"report_transport": "async", "start_date": "10 days ago"}
TYPES = "GENDER,LOCATION,APPTYPE,KEYWORD,PLACEMENT,AGE_BUCKET,COUNTRY"
TYPES_OF_MIXES = ["APPTYPE", "COUNTRY", "CREATIVE_TYPE", "GENDER", "LOCATION", "PLACEMENT"]
SPLIT = {"user_split_fields": "NO_SPLIT,APP_TYPE,SOURCE", "start_date": "10 days ago"}
TOP = {"top_pins_sort_by": "IMPRESSION,SAVE", "stream_groups": "all"}


@dataclass(frozen=True)
class Case:
    """A report that takes several calls, one of which goes wrong.

    Attributes:
        stream: Its name.
        path: The end of the path of its calls.
        parameters: What tells one of its calls from the others.
        settings: The settings that make it take several calls.
        status: How the call is answered.
        posted: Whether its calls are orders.
    """

    stream: str
    path: str
    parameters: tuple[str, ...]
    settings: Mapping[str, Any]
    status: int = 500
    posted: bool = False

    @property
    def name(self) -> str:
        """The test's name."""
        return f"{self.status} to {self.stream} by {' and '.join(self.parameters)}"


BY_IDS = Case("campaign_analytics", "/campaigns/analytics", ("campaign_ids",), SYNC)
BY_DAYS = Case("ad_account_analytics", "/analytics", ("start_date",), SYNC | {"slice_rows": 4})
BY_TYPES = Case(
    "campaign_targeting_analytics",
    "/campaigns/targeting_analytics",
    ("campaign_ids", "targeting_types", "start_date"),
    {**SYNC, "targeting_types": TYPES},
)
ORDERED = Case("campaign_analytics", "/reports", ("start_date",), ASYNC, posted=True)
MIX = Case(
    "mmm_report",
    "/mmm_reports",
    ("targeting_types",),
    {"mmm_report": {"targeting_types": TYPES_OF_MIXES}, "start_date": "1 days ago"},
    posted=True,
)
SPLITS = Case("user_account_analytics", "/user_account/analytics", ("split_field",), SPLIT)
CASES = (
    BY_IDS,
    replace(BY_IDS, status=400),
    replace(BY_IDS, status=403),
    BY_DAYS,
    Case("ad_pin_analytics", "/pins/analytics", ("campaign_id",), SYNC, status=400),
    BY_TYPES,
    ORDERED,
    replace(ORDERED, status=400),
    replace(ORDERED, status=403),
    MIX,
    replace(MIX, status=403),
    SPLITS,
    replace(SPLITS, status=403),
    Case("user_account_top_pin_analytics", "/analytics/top_pins", ("sort_by",), TOP),
    Case("metrics_ready_state", "/resources/metrics_ready_state", ("date",), {}),
)


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with Sandbox(seed=7, today=TODAY, size=SIZE, access_tier="unlimited") as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _short_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order asks for few days, so that ten days take several."""
    monkeypatch.setattr(plan, "REPORT_ROWS", 20)


@pytest.fixture(autouse=True)
def _well_again(world: Sandbox) -> Iterator[None]:
    world.requests.clear()
    yield
    world.heal()


def read(world: Sandbox, case: Case, state: dict[str, Any] | None = None, **more: Any) -> Run:
    if case.path == MIX.path:
        # Pinterest takes five orders a minute.
        world.wait(61)
    usual = {"stream_groups": "all", "report_columns": COLUMNS, "max_requests_in_flight": 1}
    config = settings(world, **usual | dict(case.settings) | more)
    return run(config, case.stream, state=state)


def table_of(case: Case, *runs: Run) -> Table:
    tables: dict[str, Table] = {}
    for each in runs:
        upsert(tables, each.messages)
    return tables[case.stream]


def calls(world: Sandbox, case: Case) -> list[dict[str, Any]]:
    """The different calls of a report for its first ad account: path, parameters and days."""
    made: dict[str, dict[str, Any]] = {}
    method = "POST" if case.posted else "GET"
    found = [each for each in world.requests if each.method == method]
    found = [each for each in found if each.path.endswith(case.path)]
    for each in found:
        said = each.body if case.posted else lists(each.query)
        asked = {name: said[name] for name in case.parameters}
        if each.ad_account_id == found[0].ad_account_id:
            dates = {name: said[name] for name in ("start_date", "end_date") if name in said}
            made[str(asked)] = {"path": each.path, "asked": asked, "days": dates}
    return list(made.values())


def lists(query: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in query:
        found.setdefault(name, []).append(value)
    return found


def fail(world: Sandbox, case: Case, call: Mapping[str, Any]) -> None:
    asked = call["asked"]
    where = {"sent": asked} if case.posted else {"query": {name: asked[name][0] for name in asked}}
    body = REFUSAL if case.status == 403 else None
    method = "POST" if case.posted else "GET"
    world.fail(call["path"], method=method, times=None, status=case.status, body=body, **where)


def hit(case: Case, call: dict[str, Any]) -> dict[str, Any]:
    """The part of a call that goes wrong: a refusal of ids is about the first of them."""
    ids = call["asked"].get("campaign_ids")
    if case.status == 500 or ids is None:
        return call
    return {**call, "asked": {**call["asked"], "campaign_ids": ids[:1]}}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_call_of_a_report_that_goes_wrong_hides_no_other(world: Sandbox, case: Case) -> None:
    undisturbed = read(world, case)
    truth = table_of(case, undisturbed)
    *others, last = calls(world, case)
    last = hit(case, last)
    fail(world, case, last)

    result = read(world, case)

    part = result.tap.run.summary.of(case.stream)
    ((account, reason),) = (part.failures or part.skipped).items()
    arrived = table_of(case, result)
    lost = [row for key, row in truth.items() if key not in arrived]
    assert others
    assert 0 < len(lost) < len(truth)
    assert arrived.items() <= truth.items()
    assert lost == [row for row in truth.values() if is_of(row, last)]
    assert records_are_unique(result.messages)
    assert STATUSES[case.status] in reason
    assert account in {last["path"].split("/")[2], f"user {world.world.user.id}", ""}
    assert all(value in reason for value in texts(last["asked"])[:3])
    assert result.code == int(case.status != 403 or bool(part.failures))
    assert not [each for each in partitions(result, case) if account and account in str(each)]
    world.heal()
    mended = read(world, case, state=result.state or None)
    assert mended.code == 0
    assert table_of(case, result, mended) == truth
    assert partitions(mended, case) == partitions(undisturbed, case)


def is_of(row: Mapping[str, Any], call: Mapping[str, Any]) -> bool:
    """Whether a call asks for a row."""
    account, days = call["path"].split("/")[2], texts(call["days"])
    if days and "start_date" not in row and not days[0] <= row["date"] <= days[1]:
        return False
    asked = {name.removesuffix("s"): texts({name: value}) for name, value in call["asked"].items()}
    return row.get("ad_account_id", account) == account and all(
        row[name] in values for name, values in asked.items() if name != "start_date"
    )


def texts(parameters: Mapping[str, Any]) -> list[str]:
    values = (value if isinstance(value, list) else [value] for value in parameters.values())
    return [text for value in values for each in value for text in str(each).split(",")]


def partitions(result: Run, case: Case) -> list[dict[str, Any]]:
    found = result.state.get("bookmarks", {}).get(case.stream, {}).get("partitions", [])
    return sorted(found, key=str)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_ids_that_are_all_refused_cost_three_calls_more_in_an_ad_account(
    world: Sandbox, status: int
) -> None:
    read(world, BY_IDS, slice_rows=30)
    calls_before = Counter(each.path for each in asked(world))
    path, *_ = calls_before
    body = {"code": 29, "message": "You are not permitted to access that resource."}
    world.fail(path, status=status, body=body, times=None)
    world.requests.clear()

    result = read(world, BY_IDS, slice_rows=30)

    assert calls_before[path] > 1
    assert Counter(each.path for each in asked(world)) == calls_before + Counter({path: 3})
    assert result.records(BY_IDS.stream)
    assert not [row for row in result.records(BY_IDS.stream) if row["ad_account_id"] in path]


def test_a_targeting_type_that_is_refused_hides_no_other_type(world: Sandbox) -> None:
    case = replace(BY_TYPES, stream="ad_account_targeting_analytics", path="/targeting_analytics")
    several: dict[str, Any] = {
        "targeting_types": "GENDER,LOCATION,APPTYPE,PLACEMENT",
        "slice_rows": 10_000,
    }
    truth = table_of(case, read(world, case, **several))
    together = lists(world.requests[-1].query)["targeting_types"][0]
    refused, *others = together.split(",")
    for types in (together, refused):
        world.fail(
            "*/targeting_analytics", query={"targeting_types": types}, status=400, times=None
        )

    result = read(world, case, **several)

    assert len(others) == 3
    assert result.code == 1
    assert table_of(case, result) == {
        key: row for key, row in truth.items() if row["targeting_type"] != refused
    }
    failures = result.tap.run.summary.of(case.stream).failures.values()
    assert len(failures) == 2
    assert all(f"targeting_types {refused}" in each for each in failures)
    assert not [each for each in failures if any(name in each for name in others)]


def asked(world: Sandbox) -> list[LoggedRequest]:
    """The calls for numbers of campaigns."""
    return [each for each in world.requests if each.path.endswith(BY_IDS.path)]


def test_refused_calls_of_a_list_and_of_its_report_are_both_named(
    world: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, *_ = table_of(BY_IDS, read(world, BY_IDS)).values()
    account = row["ad_account_id"]
    campaigns = [
        item["id"]
        for of, item in world.truth("GET /ad_accounts/{ad_account_id}/campaigns")
        if of["ad_account_id"] == account
    ]
    monkeypatch.setattr(calls_of_lists, "BATCH_BYTES", 90)
    for path, campaign in (("campaigns", campaigns[-1]), ("campaigns/analytics", campaigns[0])):
        asked = {"path": f"/ad_accounts/{account}/{path}", "asked": {"campaign_ids": [campaign]}}
        fail(world, replace(BY_IDS, status=403), asked)

    named: dict[str, Any] = {"ad_account_ids": [account], "campaign_ids": campaigns}
    result = read(world, BY_IDS, slice_rows=10, **named)

    told = result.tap.run.summary.of(BY_IDS.stream).failures[account]
    assert f"GET /ad_accounts/{{ad_account_id}}/campaigns: {STATUSES[403]}" in told
    assert f"GET /ad_accounts/{{ad_account_id}}/campaigns/analytics: {STATUSES[403]}" in told


def test_a_code_12_on_a_second_page_and_on_a_slice_costs_no_row(
    world: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(world, report_columns=COLUMNS, **SYNC)
    streams = ("campaigns", "campaign_analytics")
    truth = upsert({}, run(config, *streams).messages)
    monkeypatch.setattr(inventory, "PAGE_SIZE", 2)
    passing = {"code": 12, "message": "Something went wrong on our end. Sorry about that."}
    for path in ("*/campaigns", "*/campaigns/analytics"):
        world.fail(path, status=400, body=passing, after=1)

    result = run(config, *streams)

    assert [each.fault for each in world.requests].count("status") == 2
    assert (result.code, upsert({}, result.messages)) == (0, truth)
    assert records_are_unique(result.messages)


def test_a_code_1_that_stays_is_asked_once_for_each_call(world: Sandbox) -> None:
    body = {"code": 1, "message": "Parameter 'start_date' is wrong."}
    world.fail("*/analytics", status=400, body=body, times=None)

    result = run(settings(world, start_date="3 days ago"), "ad_account_analytics")

    asked = [each.path for each in world.requests if each.fault]
    assert result.code == 1
    assert len(asked) == len({*asked}) == len(world.world.ad_accounts)


def test_an_order_whose_days_are_all_out_of_reach_has_no_rows(
    world: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = table_of(ORDERED, read(world, ORDERED))
    monkeypatch.setattr(plan, "REPORT_ROWS", 6)
    last = {"start_date": "2026-11-19", "end_date": "2026-11-19"}
    body = {"code": 1, "message": "You can only get data from the last 90 days."}
    world.fail("*/reports", method="POST", status=400, body=body, sent=last, times=None)

    result = read(world, ORDERED)

    assert result.code == 0
    expected = {key: row for key, row in truth.items() if row["date"] != "2026-11-19"}
    assert table_of(ORDERED, result) == expected != truth
