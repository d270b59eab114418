"""Reports that are ordered, polled and downloaded."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from pinterest_sandbox import BETA_PARAMETERS, Style, WorldSize, api
from pinterest_sandbox.answers.ordered import LEVELS
from pinterest_sandbox.attributes import LEVELS as ATTRIBUTES
from pinterest_sandbox.columns import COLUMNS, Count, Money
from pinterest_sandbox.targeting import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client

BODY: dict[str, Any] = {
    "start_date": "2026-10-25",
    "end_date": "2026-11-19",
    "granularity": "DAY",
    "level": "CAMPAIGN",
    "columns": ["SPEND_IN_DOLLAR", "TOTAL_CHECKOUT", "PAID_IMPRESSION"],
}
SYNC = {
    "ADVERTISER": ("analytics", "AD_ACCOUNT_ID"),
    "CAMPAIGN": ("campaigns/analytics", "CAMPAIGN_ID"),
    "AD_GROUP": ("ad_groups/analytics", "AD_GROUP_ID"),
    "PIN_PROMOTION": ("ads/analytics", "AD_ID"),
    "PRODUCT_GROUP": ("product_groups/analytics", "PRODUCT_GROUP_ID"),
}
OFFERED = api.operation("GET /ad_accounts/{ad_account_id}/analytics").parameters["columns"].allowed
ASYNC = api.columns(ordered=True)
ADDITIVE = [name for name in ASYNC if isinstance(COLUMNS.get(name), Count | Money)]


@pytest.fixture(scope="module")
def path(account: str) -> str:
    """Where reports are ordered."""
    return f"{account}/reports"


def _rows(report: Any) -> list[dict[str, Any]]:
    if isinstance(report, dict):
        return [row for rows in report.values() for row in rows]
    rows: list[dict[str, Any]] = report
    return rows


def _report(client: Client, path: str, **body: Any) -> list[dict[str, Any]]:
    return _rows(client.report(path, **(BODY | body)))


def _refused(client: Client, path: str, **body: Any) -> str:
    response = client.post(path, BODY | body)
    assert response.status_code == 400, response.text
    assert response.json()["code"] == 1
    message: str = response.json()["message"]
    return message


@pytest.mark.parametrize("level", SYNC)
def test_both_transports_have_the_same_numbers(
    client: Client, account: str, path: str, level: str
) -> None:
    of_sync, id_column = SYNC[level]
    columns = [name for name in OFFERED if name in ASYNC and name != "ADVERTISER_ID"]
    own_id = LEVELS[level].id_column

    ordered = _report(client, path, level=level, columns=columns)
    truth = client.sandbox.truth(
        f"GET /ad_accounts/{{ad_account_id}}/{of_sync}",
        ad_account_id=account.rpartition("/")[2],
        columns=columns,
        **{name: BODY[name] for name in ("start_date", "end_date", "granularity")},
    )

    metrics = COLUMNS.keys()
    expected = {
        (str(row[id_column]), row["DATE"]): {key: row[key] for key in row.keys() & metrics}
        for _, row in truth
        if row.keys() & metrics
    }
    found = {
        (str(row[own_id]), row["DATE"]): {key: row[key] for key in row.keys() & metrics}
        for row in ordered
    }
    assert len(found) == len(ordered)
    assert found == expected != {}


@pytest.mark.parametrize("level", ["KEYWORD", "PRODUCT_GROUP", "PRODUCT_ITEM"])
def test_parts_of_ad_groups_add_up_to_them(client: Client, path: str, level: str) -> None:
    columns = ["AD_GROUP_ID", *(name for name in ADDITIVE if not name.endswith("_DOLLAR"))]
    parts = _report(client, path, level=level, columns=columns)
    wholes = _report(client, path, level="AD_GROUP", columns=columns)

    def sums(rows: list[dict[str, Any]]) -> dict[Any, float]:
        found: dict[Any, float] = defaultdict(float)
        for row in rows:
            for name in row.keys() & set(columns[1:]):
                found[str(row["AD_GROUP_ID"]), row["DATE"], name] += row[name]
        return found

    of_parts = sums(parts)
    divided = {group for group, _, _ in of_parts}
    assert of_parts == {key: value for key, value in sums(wholes).items() if key[0] in divided}
    assert len({str(row[LEVELS[level].id_column]) for row in parts}) > len(divided) > 1


@pytest.mark.parametrize("level", ["ADVERTISER", "CAMPAIGN", "PIN_PROMOTION", "PRODUCT_ITEM"])
def test_targeting_adds_up_to_the_level_it_breaks_down(
    client: Client, path: str, level: str
) -> None:
    id_column = LEVELS[level].id_column
    whole = {
        (str(row[id_column]), row["DATE"]): row.get("PAID_IMPRESSION", 0)
        for row in _report(client, path, level=level)
    }

    broken_down = _report(
        client, path, level=f"{level}_TARGETING", targeting_types=["GENDER", "COUNTRY", "LOCATION"]
    )

    sums: dict[str, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
    for row in broken_down:
        key = (str(row[id_column]), row["DATE"])
        sums[row["TARGETING_TYPE"]][key] += row.get("PAID_IMPRESSION", 0)
    for of_type in sums.values():
        assert of_type == {key: value for key, value in whole.items() if key in of_type}
        assert sum(of_type.values()) == sum(whole.values()) > 0
    assert set(sums) == {"GENDER", "COUNTRY", "LOCATION"}


def test_every_column_that_is_offered_is_a_metric_or_an_attribute_of_some_level(
    client: Client,
) -> None:
    account = client.sandbox.world.ad_accounts[0]
    today = client.sandbox.today.toordinal()
    attributes = {
        name
        for level, facts in ATTRIBUTES.items()
        for name in facts.describe(account, (0, "1") if level == "pin" else 0, today)
    }

    assert set(ASYNC) - COLUMNS.keys() - attributes == {"STANDARD_AD_FEED_ITEM_ID"}


def test_every_metric_that_is_offered_counts_something(client: Client, path: str) -> None:
    wanted = [name for name in ASYNC if name in COLUMNS]
    found: set[str] = set()
    for start in range(0, len(wanted), 200):
        for row in _report(client, path, columns=wanted[start : start + 200], level="ADVERTISER"):
            found |= row.keys()

    assert found >= set(wanted)


def test_a_report_is_in_progress_before_it_is_finished(client: Client, path: str) -> None:
    first = []
    for _ in range(12):
        token = client.order(path, **BODY)
        answers = [client.get(path, token=token) for _ in range(4)]
        statuses = [answer["report_status"] for answer in answers]
        assert statuses == sorted(statuses, key=["IN_PROGRESS", "FINISHED"].index)
        assert statuses[-1] == "FINISHED"
        links = [answer["url"] for answer in answers]
        assert [link is None for link in links] == [each == "IN_PROGRESS" for each in statuses]
        first.append(statuses[0])

    assert set(first) == {"IN_PROGRESS", "FINISHED"}


def test_a_link_is_good_for_five_minutes_and_a_report_for_an_hour(
    serve: Callable[..., Client],
) -> None:
    client = serve()
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}/reports"
    token = client.order(path, **BODY)
    url = client.poll(path, token)["url"]
    assert url.startswith(client.sandbox.url.removesuffix("/v5") + "/downloads/")

    client.sandbox.wait(299)
    assert client.download(url).status_code == 200
    client.sandbox.wait(2)
    assert client.download(url).status_code == 403
    fresh = client.get(path, token=token)["url"]
    assert client.download(fresh).status_code == 200
    client.sandbox.wait(3_300)
    assert client.get(path, token=token) == {"report_status": "EXPIRED", "url": None, "size": None}


def test_another_process_can_let_time_pass_and_reports_fail(
    serve: Callable[..., Client],
) -> None:
    client = serve()
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}/reports"
    control = client.sandbox.control_url
    fault = {"kind": "report", "method": "POST", "path": path, "report_status": "CANCELLED"}
    token = client.order(path, **BODY)

    requests.post(f"{control}/wait", json={"seconds": 3600}, timeout=9).raise_for_status()
    requests.post(f"{control}/faults", json=fault, timeout=9).raise_for_status()

    assert client.get(path, token=token)["report_status"] == "EXPIRED"
    assert client.poll(path, client.order(path, **BODY))["report_status"] == "CANCELLED"


def test_a_link_takes_no_token_and_no_other_signature(client: Client, path: str) -> None:
    url = client.poll(path, client.order(path, **BODY))["url"]

    assert client.download(url, headers={"Authorization": "Bearer x"}).status_code == 400
    assert client.download(url[:-1] + "x").status_code == 403
    assert client.download(url.partition("?")[0]).status_code == 403


def test_the_size_is_that_of_the_download(client: Client, path: str) -> None:
    answer = client.poll(path, client.order(path, **BODY))

    assert answer["size"] == len(client.download(answer["url"]).content) > 1000


def test_many_reports_can_wait_to_be_downloaded(client: Client, path: str) -> None:
    levels = [*SYNC, "KEYWORD", "PRODUCT_ITEM"]
    tokens = [client.order(path, **(BODY | {"level": level})) for level in levels]
    urls = [client.poll(path, token)["url"] for token in tokens]

    bodies = [_rows(client.download(url).json()) for url in urls]

    assert [
        LEVELS[level].id_column in rows[0] for level, rows in zip(levels, bodies, strict=True)
    ] == [True] * len(levels)


def test_a_token_is_known_only_where_it_was_given(client: Client, path: str) -> None:
    token = client.order(path, **BODY)
    other = client.sandbox.world.ad_accounts[1].id

    unknown = client.get(path, token="no such token")
    elsewhere = client.get(f"/ad_accounts/{other}/reports", token=token)

    assert unknown["report_status"] == elsewhere["report_status"] == "DOES_NOT_EXIST"


def test_a_report_is_of_the_day_on_which_it_was_ordered(serve: Callable[..., Client]) -> None:
    client = serve()
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}/reports"
    body = BODY | {"level": "ADVERTISER"}
    before = client.report(path, **body)
    token = client.order(path, **body)
    client.sandbox.today += timedelta(days=1)
    client.sandbox.wait(-86_400)

    assert client.download(client.poll(path, token)["url"]).json() == before
    assert client.report(path, **body) != before


def test_one_account_groups_rows_by_entity_and_the_next_lists_them(
    client: Client, path: str
) -> None:
    other = f"/ad_accounts/{client.sandbox.world.ad_accounts[1].id}/reports"

    grouped = client.report(path, **BODY)
    listed = client.report(other, **BODY)

    assert all(
        {str(row["CAMPAIGN_ID"]) for row in rows} == {own_id} for own_id, rows in grouped.items()
    )
    assert isinstance(listed, list)
    assert {"CAMPAIGN_ID", "DATE"} <= listed[0].keys()


@pytest.mark.parametrize(("layout", "kind"), [("object", dict), ("array", list)])
def test_the_layout_can_be_fixed(serve: Callable[..., Client], layout: Any, kind: type) -> None:
    client = serve(style=Style(layout=layout))

    for account in client.sandbox.world.ad_accounts[:2]:
        assert isinstance(client.report(f"/ad_accounts/{account.id}/reports", **BODY), kind)


def test_ids_are_text_and_numbers_in_one_download(client: Client, path: str) -> None:
    rows = _report(client, path, level="PIN_PROMOTION")

    assert {type(row["PIN_PROMOTION_ID"]) for row in rows} == {str, int}


def test_targeting_columns_are_in_capitals_or_small_letters(client: Client, path: str) -> None:
    other = f"/ad_accounts/{client.sandbox.world.ad_accounts[1].id}/reports"
    body = {"level": "CAMPAIGN_TARGETING", "targeting_types": ["GENDER", "PLACEMENT"]}

    capitals, small = _report(client, path, **body), _report(client, other, **body)

    assert all("TARGETING_TYPE" in row for row in capitals)
    assert any("TARGETING_VALUE" not in row for row in capitals)
    assert all("targeting_type" in row for row in small)


@pytest.mark.parametrize("number", [0, 1], ids=["grouped", "listed"])
def test_the_records_of_a_download_can_be_distorted(
    serve: Callable[..., Client], number: int
) -> None:
    client = serve()
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[number].id}/reports"
    client.sandbox.fail("/downloads/*", kind="distort", change="unknown_field")

    rows = _report(client, path)

    assert rows
    assert all("mood_of_the_day" in row for row in rows)


def test_rows_without_metrics_are_left_out_and_no_metric_is_zero(client: Client, path: str) -> None:
    for row in _report(client, path, level="PIN_PROMOTION"):
        metrics = row.keys() & COLUMNS.keys()
        assert metrics
        assert all(row[name] for name in metrics)


def test_a_table_has_zeros_and_the_same_rows(client: Client, path: str) -> None:
    body = {"level": "PIN_PROMOTION", "columns": ["AD_NAME", *BODY["columns"]]}
    expected = {
        (str(row["PIN_PROMOTION_ID"]), row["DATE"]): row.get("TOTAL_CHECKOUT", 0)
        for row in _report(client, path, **body)
    }

    answer = client.poll(path, client.order(path, **(BODY | body | {"report_format": "CSV"})))
    response = client.download(answer["url"])

    assert response.headers["content-type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(response.content.decode(), newline="")))
    found = {(row["PIN_PROMOTION_ID"], row["DATE"]): int(row["TOTAL_CHECKOUT"]) for row in rows}
    assert found == expected
    assert 0 in found.values()


def test_rows_come_by_id_or_by_date(client: Client, path: str) -> None:
    by_id = _report(client, path, level="PIN_PROMOTION")
    other = f"/ad_accounts/{client.sandbox.world.ad_accounts[1].id}/reports"
    by_date = _report(client, other, level="PIN_PROMOTION", primary_sort="BY_DATE")

    ids = [int(row["PIN_PROMOTION_ID"]) for row in by_id]
    dates = [row["DATE"] for row in by_date]
    assert ids == sorted(ids)
    assert dates == sorted(dates)


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ("914 days back", {"start_date": "2024-05-19", "end_date": "2024-06-01"}),
        ("186 days", {"start_date": "2026-05-16"}),
        ("after today", {"end_date": "2026-11-21"}),
        ("before start_date", {"start_date": "2026-11-20"}),
        ("3 days", {"granularity": "HOUR", "start_date": "2026-11-15"}),
        ("8 days back", {"granularity": "HOUR", "start_date": "2026-11-11"}),
        ("92 days back", {"level": "PRODUCT_ITEM", "start_date": "2026-08-19"}),
        ("31 days", {"level": "PRODUCT_ITEM", "start_date": "2026-10-18"}),
        ("ad_ids", {"level": "PRODUCT_ITEM", "ad_ids": ["1"]}),
        ("ad_statuses", {"level": "PRODUCT_ITEM", "ad_statuses": ["PAUSED"]}),
        ("AD_NAME", {"level": "PRODUCT_ITEM", "columns": ["AD_NAME"]}),
        ("ending in _TARGETING", {"targeting_types": ["GENDER"]}),
        ("needs targeting_types", {"level": "CAMPAIGN_TARGETING"}),
        ("at most 5", {"level": "CAMPAIGN_TARGETING", "targeting_types": list(TYPES)[:6]}),
        (
            "only available in level CAMPAIGN_TARGETING",
            {"level": "AD_GROUP_TARGETING", "targeting_types": ["AUDIENCE_MULTIPLIER"]},
        ),
        (
            "only available in level PRODUCT_ITEM_TARGETING",
            {"level": "CAMPAIGN_TARGETING", "targeting_types": ["MEDIA_TYPE"]},
        ),
        ("At least one column", {"columns": []}),
        ("at most 500", {"campaign_ids": [str(number) for number in range(501)]}),
        ("at least 1", {"campaign_ids": []}),
        ("of type string", {"campaign_ids": [626700000249]}),
        ("of the form", {"campaign_ids": ["C1"]}),
        ("of type integer", {"click_window_days": "30"}),
        ("is not one of", {"click_window_days": 5}),
        ("not supported", {"click_window_days": 1, "engagement_window_days": 60}),
        ("between 0 and 23", {"granularity": "HOUR", "end_hour": 24}),
        ("needs granularity HOUR", {"start_hour": 3}),
        ("Unknown property of body: 'page_size'", {"page_size": 25}),
        (
            "Missing required property of metrics_filters: 'operator'",
            {"metrics_filters": [{"field": "SPEND_IN_DOLLAR", "values": [1]}]},
        ),
        ("a date", {"start_date": "2026-02-30"}),
        ("of the form", {"start_date": "yesterday"}),
    ],
)
def test_what_the_description_rules_out_is_refused(
    client: Client, path: str, rule: str, body: dict[str, Any]
) -> None:
    assert rule in _refused(client, path, **body)


@pytest.mark.parametrize("missing", ["start_date", "end_date", "granularity", "level", "columns"])
def test_a_missing_required_property_is_named(client: Client, path: str, missing: str) -> None:
    body = {name: value for name, value in BODY.items() if name != missing}

    response = client.post(path, body)

    assert response.status_code == 400
    assert f"{missing!r}" in response.json()["message"]


def test_parameters_go_into_the_body_as_json(client: Client, path: str) -> None:
    in_query = client.post(path, BODY, params={"level": "CAMPAIGN"})
    as_form = client.post(path, None, data=BODY)

    assert (in_query.status_code, as_form.status_code) == (400, 400)
    assert "Unknown parameter" in in_query.json()["message"]
    assert "application/json" in as_form.json()["message"]


def test_the_limits_themselves_are_answered(client: Client, path: str) -> None:
    first = client.sandbox.today - timedelta(days=914)
    for body in (
        {"start_date": first.isoformat(), "end_date": (first + timedelta(days=186)).isoformat()},
        {"level": "PRODUCT_ITEM", "start_date": "2026-08-20", "end_date": "2026-09-20"},
        {"granularity": "HOUR", "start_date": "2026-11-16"},
    ):
        assert client.post(path, BODY | body).status_code == 201


def test_columns_that_are_not_offered_are_named_in_a_refusal_without_a_number(
    client: Client, path: str
) -> None:
    columns = ["QUIZ_PIN_RESULT_OPEN", "SPEND_IN_DOLLAR", "SHARES"]

    answer = client.post(path, BODY | {"columns": columns})

    assert answer.status_code == 400
    assert answer.json() == {
        "message": "Columns QUIZ_PIN_RESULT_OPEN, SHARES are not available.",
    }


def test_a_report_needs_a_role_and_a_token_of_a_user(serve: Callable[..., Client]) -> None:
    client = serve(size=WorldSize(accounts=2, empty_accounts=0, powerless_accounts=1))
    first, powerless = client.sandbox.world.ad_accounts

    assert client.post(f"/ad_accounts/{powerless.id}/reports", BODY).status_code == 403
    answer = client.post_form({"grant_type": "client_credentials", "scope": "ads:read"})
    client.token = answer.json()["access_token"]
    refused = client.post(f"/ad_accounts/{first.id}/reports", BODY)
    assert (refused.status_code, refused.json()["code"]) == (403, 29)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("campaign_statuses", "CAMPAIGN_STATUS"),
        ("ad_group_statuses", "AD_GROUP_STATUS"),
        ("ad_statuses", "AD_STATUS"),
        ("campaign_objective_types", "CAMPAIGN_OBJECTIVE_TYPE"),
        ("campaign_brand_label", "CAMPAIGN_BRAND_LABEL"),
    ],
)
def test_filters_keep_what_has_the_attribute(
    client: Client, path: str, name: str, column: str
) -> None:
    body = {
        "level": "PIN_PROMOTION",
        "columns": [column, "PAID_IMPRESSION"],
        "start_date": "2026-05-20",
    }
    everything = _report(client, path, **body)
    wanted = next(row[column] for row in everything if column in row)

    some = _report(client, path, **body, **{name: wanted if name.endswith("label") else [wanted]})

    assert some == [row for row in everything if row.get(column) == wanted]
    assert 0 < len(some) < len(everything)


def test_ids_filter_whatever_the_level(client: Client, path: str) -> None:
    body = {"columns": ["CAMPAIGN_ID", "PAID_IMPRESSION"]}
    campaigns = _report(client, path, **body)
    wanted = str(campaigns[0]["CAMPAIGN_ID"])
    expected = [row for row in campaigns if str(row["CAMPAIGN_ID"]) == wanted]

    account = _report(client, path, level="ADVERTISER", campaign_ids=[wanted])
    ads = _report(client, path, level="PIN_PROMOTION", campaign_ids=[wanted], **body)

    impressions = [row.get("PAID_IMPRESSION") for row in account]
    assert impressions == [row.get("PAID_IMPRESSION") for row in expected]
    assert {str(row["CAMPAIGN_ID"]) for row in ads} == {wanted}


def test_product_groups_and_items_are_filtered_by_id_and_status(client: Client, path: str) -> None:
    body = {"columns": ["PRODUCT_GROUP_ID", "PRODUCT_GROUP_STATUS", "PAID_IMPRESSION"]}
    groups = _report(client, path, level="PRODUCT_GROUP", **body)
    own_id = str(groups[0]["PRODUCT_GROUP_ID"])

    running = _report(
        client, path, level="PRODUCT_GROUP", product_group_statuses=["RUNNING"], **body
    )
    items = _report(client, path, level="PRODUCT_ITEM", product_group_ids=[own_id], **body)
    item = str(items[0]["PRODUCT_ITEM_ID"])
    one = _report(client, path, level="PRODUCT_ITEM", product_item_ids=[item], **body)

    assert running == [row for row in groups if row["PRODUCT_GROUP_STATUS"] == "RUNNING"] != groups
    assert {str(row["PRODUCT_GROUP_ID"]) for row in items} == {own_id}
    assert one == [row for row in items if str(row["PRODUCT_ITEM_ID"]) == item]


def test_rows_are_filtered_by_what_they_count(client: Client, path: str) -> None:
    everything = _report(client, path, columns=["SPEND_IN_DOLLAR", "TOTAL_IMPRESSION"])
    limits = [
        {"field": "TOTAL_IMPRESSION", "operator": "GREATER_THAN", "values": [3000]},
        {"field": "SPEND_IN_DOLLAR", "operator": "LESS_THAN", "values": [40]},
    ]

    some = _report(client, path, columns=["SPEND_IN_DOLLAR"], metrics_filters=limits)

    assert some == [
        {name: value for name, value in row.items() if name != "TOTAL_IMPRESSION"}
        for row in everything
        if row["TOTAL_IMPRESSION"] > 3000 and row["SPEND_IN_DOLLAR"] < 40
    ]
    assert 0 < len(some) < len(everything)


def test_hours_begin_and_end_within_the_days(client: Client, path: str) -> None:
    rows = _report(
        client,
        path,
        level="ADVERTISER",
        granularity="HOUR",
        start_date="2026-11-18",
        start_hour=20,
        end_hour=15,
    )

    dates = [row["DATE"] for row in rows]
    assert dates[0] == "2026-11-18T20:00:00"
    assert dates[-1] == "2026-11-19T14:00:00"
    assert not any("TOTAL_CHECKOUT" in row for row in rows)


def test_types_can_be_broken_down_together(serve: Callable[..., Client]) -> None:
    closed = serve()
    opened = serve(withheld=set(BETA_PARAMETERS) - {"combine_targeting_types"})
    path = f"/ad_accounts/{closed.sandbox.world.ad_accounts[0].id}/reports"
    body = BODY | {
        "level": "CAMPAIGN_TARGETING",
        "targeting_types": ["GENDER", "COUNTRY"],
        "combine_targeting_types": True,
    }

    assert closed.post(path, body).status_code == 401
    rows = _rows(opened.report(path, **body))
    assert {row["TARGETING_TYPE"] for row in rows} == {"GENDER_AND_COUNTRY"}
    assert "female&US" in {row["TARGETING_VALUE"] for row in rows}
    whole = sum(row.get("PAID_IMPRESSION", 0) for row in _rows(opened.report(path, **BODY)))
    assert sum(row.get("PAID_IMPRESSION", 0) for row in rows) == whole


def test_own_events_have_columns_of_their_own(client: Client, path: str) -> None:
    events = [
        {"custom_event_metrics_type": "ADE_TOTAL_CLICK", "custom_event_name": "my_event"},
        {"custom_event_metrics_type": "ADE_WEB_ROAS", "custom_event_name": "my_event"},
    ]

    rows = _report(client, path, level="ADVERTISER", custom_conversion_event_metrics=events)

    names = {"ADE_TOTAL_CLICK_my_event", "ADE_WEB_ROAS_my_event"}
    assert any(names <= row.keys() for row in rows)
    assert not any("TOTAL_CLICK_CUSTOM" in row for row in rows)


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED", "EXPIRED", "DOES_NOT_EXIST"])
def test_a_fault_can_make_a_report_end_badly(serve: Callable[..., Client], status: Any) -> None:
    client = serve()
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}/reports"
    client.sandbox.fail("*/reports", kind="report", method="POST", report_status=status)

    first, second = client.order(path, **BODY), client.order(path, **BODY)

    assert client.poll(path, first) == {"report_status": status, "url": None, "size": None}
    assert client.poll(path, second)["report_status"] == "FINISHED"


def test_a_fault_can_make_a_report_take_long(serve: Callable[..., Client]) -> None:
    client = serve()
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}/reports"
    client.sandbox.fail(
        "*/reports", kind="report", method="POST", report_status="FINISHED", polls=7
    )

    token = client.order(path, **BODY)

    statuses = [client.get(path, token=token)["report_status"] for _ in range(8)]
    assert statuses == ["IN_PROGRESS"] * 7 + ["FINISHED"]


def test_reports_can_take_seconds_instead_of_polls(serve: Callable[..., Client]) -> None:
    client = serve(report_seconds=(30.0, 90.0))
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}/reports"
    tokens = [client.order(path, **BODY) for _ in range(6)]

    def ready() -> int:
        statuses = [client.get(path, token=token)["report_status"] for token in tokens]
        return statuses.count("FINISHED")

    at_once = ready()
    client.sandbox.wait(60)
    after_a_minute = ready()
    client.sandbox.wait(30)

    assert at_once == 0 < after_a_minute < ready() == len(tokens)
    assert client.sandbox.requests[0].body == BODY
    assert client.sandbox.requests[-1].body is None


def test_a_download_can_be_cut_short_or_refused(serve: Callable[..., Client]) -> None:
    client = serve()
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}/reports"
    url = client.poll(path, client.order(path, **BODY))["url"]
    client.sandbox.fail("/downloads/*", status=403, body="<Error/>")
    client.sandbox.fail("/downloads/*", kind="truncate")

    assert client.download(url).status_code == 403
    with pytest.raises(OSError, match="IncompleteRead"):
        client.download(url)
    assert client.download(url).status_code == 200
    assert [request.path[:11] for request in client.sandbox.requests[-3:]] == ["/downloads/"] * 3


@pytest.mark.parametrize(
    "size",
    [
        WorldSize(accounts=2, empty_accounts=1),
        WorldSize(accounts=1, keywords=0, product_group_promotions=0, account_records=0, pins=0),
    ],
    ids=["no campaigns", "no children"],
)
@pytest.mark.parametrize("level", [*LEVELS, "CAMPAIGN_TARGETING", "PRODUCT_ITEM_TARGETING"])
def test_unknown_ids_have_no_rows(
    serve: Callable[..., Client], size: WorldSize, level: str
) -> None:
    client = serve(size=size, style=Style(layout="array"))
    account = client.sandbox.world.ad_accounts[-1]
    body = BODY | {"level": level}
    if level.endswith("TARGETING"):
        body["targeting_types"] = ["GENDER", "AUDIENCE_INCLUDE"]

    rows = client.report(f"/ad_accounts/{account.id}/reports", **body)

    without = account.empty or level.startswith(("KEYWORD", "PRODUCT"))
    assert bool(rows) != without
