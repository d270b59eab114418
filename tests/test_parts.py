"""Lists that are read part by part: a part that fails or is refused hides no other part."""

from __future__ import annotations

import logging
import random
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from faulty_world import BROKEN, FAULTS, REFUSED, records_are_unique, upsert
from pinterest_sandbox import Sandbox, WorldSize
from singer_run import EVERYTHING, run, settings
from tap_pinterest.http.patience import ATTEMPTS
from tap_pinterest.reading import inventory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from faulty_world import Table, Tables
    from pinterest_sandbox.requests_log import LoggedRequest
    from singer_run import Run

TODAY = date(2026, 11, 20)
SIZE = WorldSize(
    accounts=1, empty_accounts=0, campaigns=3, ad_groups=4, ads=4, boards=6, pins=6, days=30
)
MORE_AD_GROUPS = replace(SIZE, ad_groups=24, campaigns=8)
STREAMS = (
    "ad_group_dynamic_titles_status",
    "audience_insights",
    "audience_shared_accounts",
    "audiences",
    "board_pins",
    "board_section_pins",
    "board_sections",
    "business_asset_members",
    "business_asset_partners",
    "business_assets",
    "business_audiences",
    "business_invites",
    "business_member_assets",
    "business_members",
    "catalogs_available_filter_values",
    "catalogs_feed_processing_results",
    "catalogs_item_issues",
    "catalogs_local_stores",
    "catalogs_product_group_product_counts",
    "catalogs_product_group_products",
    "conversion_eqs",
    "delivery_metrics",
    "interests",
    "keywords",
    "pin_product_tags",
    "product_group_promotions",
    "suggested_terms",
    "targeting_options",
    "trending_keywords",
    "trending_product_categories",
)
COLUMNS = {"term": "input_term"}
"""Columns that a parameter's value is written as, where they have another name."""


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with Sandbox(seed=7, today=TODAY, size=SIZE, access_tier="unlimited") as sandbox:
        yield sandbox


@dataclass
class Undisturbed:
    """The result of a run that nothing disturbs.

    Attributes:
        tables: The rows of each stream.
        calls: The calls of each stream's own operation, each once.
    """

    tables: Tables
    calls: dict[str, list[LoggedRequest]]


@pytest.fixture(scope="module")
def undisturbed(world: Sandbox) -> Undisturbed:
    result = read(world, *STREAMS)
    assert result.code == 0
    streams = {f"GET {result.tap.run.streams[name].path}": name for name in STREAMS}
    calls: dict[str, dict[tuple[str, str], LoggedRequest]] = {name: {} for name in STREAMS}
    for each in world.requests:
        if each.operation in streams:
            calls[streams[each.operation]][each.path, each.query_string] = each
    return Undisturbed(
        upsert({}, result.messages),
        {name: [found[key] for key in sorted(found)] for name, found in calls.items()},
    )


@pytest.fixture(autouse=True)
def _well_again(world: Sandbox) -> Iterator[None]:
    yield
    world.heal()


def read(world: Sandbox, *streams: str, state: dict[str, Any] | None = None, **more: Any) -> Run:
    world.requests.clear()
    return run(settings(world, **EVERYTHING, **more), *streams, state=state)


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("trending_keywords", "/trends/keywords/US/top/growing"),
        ("catalogs_product_group_product_counts", "/catalogs/product_groups/*/product_counts"),
    ],
)
def test_a_snapshot_whose_parts_are_refused_in_part_has_no_bookmark(
    world: Sandbox, stream: str, path: str
) -> None:
    world.fail(path, **REFUSED | {"times": 1})
    refused = read(world, stream)
    world.heal()
    whole = read(world, stream)

    assert 0 < len(refused.records(stream)) < len(whole.records(stream))
    assert "replication_key_value" not in refused.state["bookmarks"][stream]
    assert whole.state["bookmarks"][stream]["replication_key_value"] == str(TODAY)


def values_of(call: LoggedRequest) -> dict[str, str]:
    """The ids in a call's path and its parameters, in lower case."""
    names = str(call.operation).removeprefix("GET ").split("/")
    ids = {
        name.strip("{}"): value
        for name, value in zip(names, call.path.split("/"), strict=True)
        if name != value
    }
    return {name: value.lower() for name, value in {**ids, **dict(call.query)}.items()}


def own_values(call: LoggedRequest, others: Iterable[LoggedRequest]) -> dict[str, str]:
    """Those of a call's values that are not the same in all."""
    values = [values_of(each) for each in others]
    return {
        name: value
        for name, value in values_of(call).items()
        if any(each.get(name) != value for each in values)
    }


def hit(world: Sandbox, call: LoggedRequest, fault: dict[str, Any]) -> None:
    world.fail(call.path, query=dict(call.query), **fault)


def rows_of_others(table: Table, own: Mapping[str, str]) -> Table:
    """The rows that do not carry the values by which a call differs from the others."""

    def is_own(row: Mapping[str, Any]) -> bool:
        values = {str(value).lower() for value in row.values()}
        return all(
            value == str(row[column]).lower() if column in row else value in values
            for column, value in ((COLUMNS.get(name, name), own[name]) for name in own)
        )

    return {key: row for key, row in table.items() if not is_own(row)}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_part_that_fails_for_ever_is_named_and_the_others_arrive(
    world: Sandbox, undisturbed: Undisturbed, stream: str
) -> None:
    first, *_ = calls = undisturbed.calls[stream]
    own = own_values(first, calls)
    hit(world, first, BROKEN)

    result = read(world, stream)

    (reason,) = result.tap.run.summary.of(stream).failures.values()
    assert result.code == 1
    assert "500" in reason
    assert all(value in reason.lower() for value in own.values())
    others = rows_of_others(undisturbed.tables[stream], own)
    assert upsert({}, result.messages)[stream] == others
    assert records_are_unique(result.messages)
    assert stream not in result.state.get("bookmarks", {})


@pytest.mark.parametrize("in_flight", [1, 8])
def test_refused_boards_at_the_front_hide_none_of_those_behind_them(
    world: Sandbox, undisturbed: Undisturbed, in_flight: int
) -> None:
    calls = undisturbed.calls["board_sections"]
    *refused, last = [each.path for each in read_calls(world, "board_sections")]
    assert len(refused) == len(calls) - 1 >= 5
    for path in refused:
        world.fail(path, **REFUSED)

    result = read(world, "board_sections", max_requests_in_flight=in_flight)

    reason = result.tap.run.summary.of("board_sections").skipped[""]
    boards = {board for board in last.split("/") if board.isdigit()}
    table = undisturbed.tables["board_sections"]
    expected = {key: row for key, row in table.items() if row["board_id"] in boards}
    assert result.code == 0
    assert expected
    assert upsert({}, result.messages)["board_sections"] == expected
    assert reason.startswith(f"{len(refused)} of its calls were refused (board_id ")
    assert all(path.split("/")[2] in reason for path in refused)


@pytest.mark.parametrize("in_flight", [1, 8])
@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize("others", [(), ("campaign_analytics",)], ids=["alone", "shared"])
def test_an_id_for_which_a_list_is_refused_hides_no_other_id(
    world: Sandbox, status: int, others: tuple[str, ...], in_flight: int
) -> None:
    ids = [item["id"] for _, item in world.truth("GET /ad_accounts/{ad_account_id}/campaigns")]
    refused = ids.pop(1)
    fault = REFUSED | {"status": status}
    world.fail("*/campaigns", query={"campaign_ids": refused}, **fault)

    named = [*ids, refused]
    result = read(world, "campaigns", *others, campaign_ids=named, max_requests_in_flight=in_flight)

    (reason,) = result.tap.run.summary.of("campaigns").failures.values()
    assert result.code == 1
    assert [row["id"] for row in result.records("campaigns")] == ids
    assert refused in reason
    assert not [each for each in ids if each in reason]
    assert {row["campaign_id"] for row in result.records("campaign_analytics")} <= {*ids}
    assert not others or result.records("campaign_analytics")


def test_an_ad_for_which_the_list_is_refused_is_named_and_its_creative_comes_later(
    world: Sandbox,
) -> None:
    ids = [item["id"] for _, item in world.truth("GET /ad_accounts/{ad_account_id}/ads")][:4]
    refused = ids[1]
    world.fail("*/ads", query={"ad_ids": refused}, **REFUSED)

    result = read(world, "ad_creatives", ad_ids=ids)
    world.heal()
    mended = read(world, "ad_creatives", ad_ids=ids, state=result.state)

    (reason,) = result.tap.run.summary.of("ad_creatives").failures.values()
    assert result.code == 1
    assert refused in reason
    assert {row["ad_id"] for row in result.records("ad_creatives")} == {*ids} - {refused}
    assert refused in {row["ad_id"] for row in mended.records("ad_creatives")}


def read_calls(world: Sandbox, stream: str) -> list[LoggedRequest]:
    """The calls that a stream makes, in their order."""
    path = read(world, stream, max_requests_in_flight=1).tap.run.streams[stream].path
    return [each for each in world.requests if each.operation == f"GET {path}"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"code": 3, "message": "This is a restricted feature."}, id="the feature"),
        pytest.param(
            {"code": 3, "message": "Your token is missing required scopes: boards:read."},
            id="the scope",
        ),
        pytest.param({"code": 11, "message": "API method not found."}, id="the path"),
    ],
)
def test_a_refusal_for_all_parts_ends_the_calls_for_single_parts(
    world: Sandbox, body: dict[str, Any]
) -> None:
    status = 404 if body["code"] == 11 else 401
    world.fail("/boards/*/sections", status=status, body=body, times=None)

    result = read(world, "board_sections", max_requests_in_flight=1)

    asked = [each for each in world.requests if each.operation == "GET /boards/{board_id}/sections"]
    assert len(asked) == 1
    assert body["message"] in result.tap.run.summary.of("board_sections").skipped[""]


@pytest.mark.parametrize("stream", ["board_pins", "board_sections", "board_section_pins"])
def test_a_board_that_the_config_names_must_arrive_also_if_it_is_the_only_one(
    world: Sandbox, stream: str
) -> None:
    board = world.world.user.board_ids[0]
    world.fail(f"/boards/{board}/*", **REFUSED)
    result = read(world, stream, board_ids=[board])

    (reason,) = result.tap.run.summary.of(stream).failures.values()
    assert result.code == 1
    assert f"Pinterest refuses {board}, which the config names: 1 of its calls" in reason


def test_children_of_the_parents_that_could_be_listed_arrive(
    world: Sandbox, undisturbed: Undisturbed
) -> None:
    (first, *_) = undisturbed.calls["board_sections"]
    hit(world, first, BROKEN)

    result = read(world, "board_section_pins")

    (reason,) = result.tap.run.summary.of("board_section_pins").failures.values()
    own = own_values(first, undisturbed.calls["board_sections"])
    table = undisturbed.tables["board_section_pins"]
    others = {key: row for key, row in table.items() if row["board_id"] != own["board_id"]}
    assert result.code == 1
    assert f"board_id {own['board_id']}" in reason
    assert upsert({}, result.messages)["board_section_pins"] == others
    asked = [each for each in world.requests if each.path == first.path]
    assert len(asked) == ATTEMPTS


def test_many_parts_that_fail_are_counted_and_the_log_names_the_rest(
    world: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world.fail("/catalogs/processing_results/*", status=400, times=None)

    result = read(world, "catalogs_item_issues")

    (reason,) = result.tap.run.summary.of("catalogs_item_issues").failures.values()
    assert re.match(r"18 of its parts failed \(.*; 8 more\): GET ", reason)
    assert reason.count("processing_result_id") == 10 + 3
    assert len(reason) < 2_000
    rest = [each for each in caplog.messages if "was not read for processing_result_id" in each]
    assert len({*rest}) == 8
    assert not [each for each in rest if re.findall(r"\d+", each)[0] in reason]


def test_a_page_of_a_part_that_fails_takes_no_other_page_along(
    world: Sandbox, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "PAGE_SIZE", 1)
    table = undisturbed.tables["board_pins"]
    ((board, pins),) = Counter(row["board_id"] for row in table.values()).most_common(1)
    world.fail(f"/boards/{board}/pins", after=1, **BROKEN)

    result = read(world, "board_pins")

    arrived = upsert({}, result.messages)["board_pins"]
    lost = [table[key] for key in table.keys() - arrived.keys()]
    assert result.code == 1
    assert [row["board_id"] for row in lost] == [board] * (pins - 1)
    assert arrived.items() <= table.items()


@pytest.mark.parametrize("named", [False, True])
def test_a_page_of_ad_accounts_that_fails_takes_no_other_account_along(
    monkeypatch: pytest.MonkeyPatch,
    named: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    with Sandbox(seed=7, today=TODAY, size=replace(SIZE, accounts=3)) as world:
        ids = [account.id for account in world.world.ad_accounts]
        config = settings(world, ad_account_ids=ids if named else [], start_date="3 days ago")
        streams = ("campaigns", "ad_account_analytics")
        before = run(config, *streams)
        monkeypatch.setattr(inventory, "PAGE_SIZE", 1)
        world.fail("/ad_accounts", after=1, **BROKEN)

        result = run(config, *streams, state=before.state)

    read = {row["ad_account_id"] for row in result.records("campaigns")}
    parts = result.tap.run.summary.streams.values()
    failures = [each for part in parts for each in part.failures.items()]
    assert not before.code
    if named:
        assert (result.code, read) == (0, set(ids))
        return
    assert (result.code, read) == (1, {ids[0]})
    ((account, reason),) = failures
    assert not account
    assert "those on the later ones are not read: GET /ad_accounts: 500" in reason


def test_a_report_has_the_numbers_of_the_entities_that_could_be_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inventory, "PAGE_SIZE", 12)
    with Sandbox(seed=7, today=TODAY, size=MORE_AD_GROUPS, access_tier="unlimited") as world:
        before = run(settings(world, start_date="80 days ago"), "ad_group_analytics")
        table = upsert({}, before.messages)["ad_group_analytics"]
        world.fail("*/ad_groups", after=1, **BROKEN)
        world.requests.clear()

        result = run(settings(world, start_date="80 days ago"), "ad_group_analytics")

        arrived = upsert({}, result.messages)["ad_group_analytics"]
        (reason,) = result.tap.run.summary.of("ad_group_analytics").failures.values()
        assert result.code == 1
        assert "GET /ad_accounts/{ad_account_id}/ad_groups: 500" in reason
        assert 0 < len(arrived) < len(table)
        assert arrived.items() <= table.items()
        assert "ad_group_analytics" not in result.state.get("bookmarks", {})
        world.heal()
        mended = run(
            settings(world, start_date="80 days ago"), "ad_group_analytics", state=result.state
        )
        assert mended.code == 0
        assert upsert({"ad_group_analytics": arrived}, mended.messages) == {
            "ad_group_analytics": table
        }


def test_a_report_of_promotions_has_those_of_the_ad_groups_that_could_be_read(
    world: Sandbox, undisturbed: Undisturbed
) -> None:
    first, *_ = calls = undisturbed.calls["product_group_promotions"]
    own = own_values(first, calls)
    table = upsert({}, read(world, "product_group_analytics").messages)["product_group_analytics"]
    hit(world, first, BROKEN)

    result = read(world, "product_group_analytics")

    (reason,) = result.tap.run.summary.of("product_group_analytics").failures.values()
    assert result.code == 1
    assert f"ad_group_id {own['ad_group_id']}" in reason
    assert upsert({}, result.messages)["product_group_analytics"] == rows_of_others(table, own)


@pytest.mark.parametrize("fault", [BROKEN, REFUSED], ids=["fails", "is refused"])
def test_a_pin_whose_numbers_cannot_be_read_hides_no_other_pin(
    world: Sandbox, fault: dict[str, Any]
) -> None:
    world.fail("/pins/analytics", **REFUSED)
    whole = upsert({}, read(world, "pin_analytics").messages)["pin_analytics"]
    pin = min(row["pin_id"] for row in whole.values())
    world.fail(f"/pins/{pin}/analytics", **fault)

    result = read(world, "pin_analytics")

    arrived = upsert({}, result.messages)["pin_analytics"]
    part = result.tap.run.summary.of("pin_analytics")
    (reason,) = (part.failures if fault is BROKEN else part.skipped).values()
    assert result.code == int(fault is BROKEN)
    assert f"pin_id {pin}" in reason
    assert arrived == {key: row for key, row in whole.items() if row["pin_id"] != pin}


def test_a_token_that_is_refused_in_the_middle_still_ends_the_run(world: Sandbox) -> None:
    body = {"code": 3, "message": "Your application consumer type is not supported"}
    world.fail("/boards/*/sections", after=2, status=401, body=body, times=None)
    world.fail("/user_account", status=401, body=body, times=None)

    result = read(world, "board_sections", "campaigns", max_requests_in_flight=1)

    assert result.code == 1
    assert result.records("board_sections")
    assert len([each for each in world.requests if each.fault]) == 2
    assert result.tap.run.summary.ended_by


PARENTS = {
    "board_pins": (),
    "board_section_pins": ("board_sections",),
    "board_sections": (),
    "catalogs_feed_processing_results": (),
    "catalogs_item_issues": ("catalogs_feed_processing_results",),
    "keywords": (),
    "product_group_promotions": (),
}
"""Streams whose parts are broken at random, with those that list their parts."""


@pytest.mark.parametrize("seed", range(4))
def test_with_random_parts_broken_the_others_equal_the_truth_and_the_next_run_has_all(
    world: Sandbox, undisturbed: Undisturbed, seed: int
) -> None:
    draw = random.Random(seed)  # noqa: S311 - no secret
    missing: dict[str, list[dict[str, str]]] = {stream: [] for stream in PARENTS}
    failed: dict[str, list[dict[str, str]]] = {stream: [] for stream in PARENTS}
    # A part is not asked for if its parent is broken: so parents are, or children.
    parents = {parent for names in PARENTS.values() for parent in names}
    are_parents = draw.random() < 0.5
    broken_streams = [
        name for name in PARENTS if not (PARENTS[name] if are_parents else name in parents)
    ]
    for _ in range(draw.randint(1, 5)):
        stream = draw.choice(broken_streams)
        calls = undisturbed.calls[stream]
        call, fault = draw.choice(calls), draw.choice(FAULTS)
        if own := own_values(call, calls):
            hit(world, call, fault)
            for each in (stream, *(name for name in PARENTS if stream in PARENTS[name])):
                missing[each].append(own)
                failed[each] += [own] if fault is not REFUSED else []

    result = read(world, *PARENTS, max_requests_in_flight=draw.choice([1, 4]))

    arrived = upsert({}, result.messages)
    assert records_are_unique(result.messages)
    for stream, broken in missing.items():
        expected = undisturbed.tables[stream]
        for own in broken:
            expected = rows_of_others(expected, own)
        assert arrived.get(stream, {}) == expected
        part = result.tap.run.summary.of(stream)
        reasons = " ".join([*part.failures.values(), *part.skipped.values()]).lower()
        assert all(value in reasons for own in broken for value in own.values())
    assert result.code == int(any(failed.values()))
    world.heal()
    mended = read(world, *PARENTS, state=result.state)
    assert mended.code == 0
    assert upsert(arrived, mended.messages) == {name: undisturbed.tables[name] for name in PARENTS}
