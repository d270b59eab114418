"""Reports from templates, for marketing-mix models, of products, and of catalogs."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import BETA_PARAMETERS, Style, api, beta_operations
from pinterest_sandbox.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client

WEEKS = {"start_date": "2026-10-19", "end_date": "2026-11-15"}
MMM: dict[str, Any] = {
    **WEEKS,
    "report_name": "mix",
    "granularity": "WEEK",
    "level": "CAMPAIGN_TARGETING",
    "targeting_types": ["COUNTRY", "GENDER"],
    "columns": ["SPEND_IN_DOLLAR", "TOTAL_IMPRESSION", "CAMPAIGN_NAME"],
}
PRODUCTS: dict[str, Any] = {
    **WEEKS,
    "report_name": "brands",
    "granularity": "TOTAL",
    "level": "CAMPAIGN",
    "columns": ["CONVERSION_PRODUCT_BRAND", "TOTAL_CHECKOUT_CONVERSION_PRODUCT_QUANTITY"],
}


def _path(client: Client, number: int = 0) -> str:
    return f"/ad_accounts/{client.sandbox.world.ad_accounts[number].id}"


def _rows(report: Any) -> list[dict[str, Any]]:
    if isinstance(report, dict):
        return [row for rows in report.values() for row in rows]
    rows: list[dict[str, Any]] = report
    return rows


def _table(client: Client, url: str) -> list[dict[str, str]]:
    text = client.download(url).content.decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_template_orders_what_it_says(client: Client, account: str) -> None:
    (template,) = (
        each
        for each in client.everything(f"{account}/templates")
        if "relative_date_range" in each["date_range"]
    )

    response = client.post(f"{account}/templates/{template['id']}/reports", None)

    body = response.json()
    assert (body["template_id"], body["report_status"]) == (template["id"], "IN_PROGRESS")
    url = client.poll(f"{account}/reports", body["token"])["url"]
    rows: list[dict[str, Any]]
    if template["report_format"] == "CSV":
        rows = list(_table(client, url))
    else:
        rows = _rows(client.download(url).json())
    dates = {row["DATE"] for row in rows if "DATE" in row}
    today = client.sandbox.today
    assert any("SPEND_IN_DOLLAR" in row for row in rows)
    assert all(today - timedelta(days=40) <= today.fromisoformat(day) <= today for day in dates)


def test_a_template_takes_another_period(client: Client, account: str) -> None:
    template = client.everything(f"{account}/templates")[0]

    response = client.post(
        f"{account}/templates/{template['id']}/reports",
        None,
        params={**WEEKS, "granularity": "DAY"},
    )

    answer = client.poll(f"{account}/reports", response.json()["token"])
    text = client.download(answer["url"]).text
    assert "2026-10-19" in text
    assert "2026-11-16" not in text


def test_an_unknown_template_is_not_found(client: Client, account: str) -> None:
    assert client.post(f"{account}/templates/1/reports", None).status_code == 404


def test_a_mix_is_answered_inside_data_or_at_the_top(serve: Callable[..., Client]) -> None:
    wrapped, flat = serve(style=Style(mmm="wrapped")), serve(style=Style(mmm="flat"))
    path = f"{_path(wrapped)}/mmm_reports"

    created = wrapped.post(path, MMM).json()
    token = created["data"]["token"]
    answers = [wrapped.get(path, token=token) for _ in range(4)]
    assert created["data"]["report_status"] == "IN_PROGRESS"
    assert answers[-1]["data"]["report_status"] == "FINISHED"
    inside = wrapped.download(answers[-1]["data"]["url"]).json()

    assert flat.report(path, **MMM) == inside
    for answer, record in (
        (created, "CreateMMMReportResponse"),
        (answers[-1], "GetMMMReportResponse"),
    ):
        assert answer.keys() <= api.schema(record)["properties"].keys()


def test_a_mix_has_the_numbers_of_other_reports(serve: Callable[..., Client]) -> None:
    client = serve(style=Style(mmm="flat"))
    expected = client.report(
        f"{_path(client)}/reports",
        **{name: value for name, value in MMM.items() if name != "report_name"},
    )

    assert client.report(f"{_path(client)}/mmm_reports", **MMM) == expected


def test_a_mix_can_be_of_some_countries(serve: Callable[..., Client]) -> None:
    client = serve(style=Style(mmm="flat"))

    rows = _rows(client.report(f"{_path(client)}/mmm_reports", **MMM, countries=["US", "DE"]))

    by_country = {row["TARGETING_VALUE"] for row in rows if row["TARGETING_TYPE"] == "COUNTRY"}
    assert by_country == {"US", "DE"}


def test_five_mixes_a_minute_can_be_ordered(serve: Callable[..., Client]) -> None:
    client = serve()
    path = f"{_path(client)}/mmm_reports"

    statuses = [client.post(path, MMM).status_code for _ in range(6)]
    other = client.post(f"{_path(client, 1)}/mmm_reports", MMM).status_code
    client.sandbox.wait(61)

    assert statuses == [201] * 5 + [429]
    assert other == 201
    assert client.post(path, MMM).status_code == 201


@pytest.mark.parametrize(
    "field", [{"level": "CAMPAIGN"}, {"granularity": "DAILY"}, {"targeting_types": ["REGION"]}]
)
def test_a_mix_keeps_to_its_own_lists(client: Client, account: str, field: dict[str, Any]) -> None:
    assert client.post(f"{account}/mmm_reports", MMM | field).status_code == 400


def test_products_are_divided_by_brand_and_add_up_to_less_than_all(
    client: Client, account: str
) -> None:
    body = PRODUCTS | {"columns": [*PRODUCTS["columns"], "TOTAL_CHECKOUT_CONVERSION_PRODUCT_VALUE"]}

    rows = _rows(client.report(f"{account}/reports/brand_category_sku", **body))

    keys = {(str(row["CAMPAIGN_ID"]), row["CONVERSION_PRODUCT_BRAND"]) for row in rows}
    assert len(keys) == len(rows) > 0
    whole = client.get(
        f"{account}/analytics",
        **WEEKS,
        granularity="TOTAL",
        columns="TOTAL_CHECKOUT",
        view_window_days=30,
    )
    counted = sum(row.get("TOTAL_CHECKOUT_CONVERSION_PRODUCT_QUANTITY", 0) for row in rows)
    assert 0 < counted < whole[0]["TOTAL_CHECKOUT"]


@pytest.mark.parametrize(
    ("breakdown", "columns"),
    [
        ("PRODUCT_CATEGORY", ["CONVERSION_PRODUCT_CATEGORY"]),
        ("PRODUCT_BRAND_AND_CATEGORY", ["CONVERSION_PRODUCT_BRAND", "CONVERSION_PRODUCT_CATEGORY"]),
        ("PRODUCT_SKU", ["CONVERSION_PRODUCT_ID"]),
    ],
)
def test_products_can_be_divided_in_several_ways(
    client: Client, account: str, breakdown: str, columns: list[str]
) -> None:
    body = PRODUCTS | {
        "columns": [*columns, "TOTAL_CONVERSION_PRODUCT_QUANTITY"],
        "conversion_product_breakdown": breakdown,
        "granularity": "WEEK",
    }

    rows = _rows(client.report(f"{account}/reports/brand_category_sku", **body))

    keys = {
        (str(row["CAMPAIGN_ID"]), row["DATE"], *(row[name] for name in columns)) for row in rows
    }
    assert len(keys) == len(rows) > 0


def test_skus_can_be_counted_as_a_group(client: Client, account: str) -> None:
    count = "TOTAL_CONVERSION_PRODUCT_QUANTITY"
    path = f"{account}/reports/brand_category_sku"
    one_by_one = client.report(
        path,
        **PRODUCTS
        | {
            "columns": ["CONVERSION_PRODUCT_ID", count],
            "conversion_product_breakdown": "PRODUCT_SKU",
        },
    )
    grouped = client.report(
        path,
        **PRODUCTS
        | {
            "columns": ["CONVERSION_PRODUCT_ID_GROUP", count],
            "conversion_product_breakdown": "PRODUCT_SKU_GROUP",
            "product_sku_ids": ["sku1", "sku2"],
        },
    )

    expected: dict[str, int] = defaultdict(int)
    for row in _rows(one_by_one):
        if row["CONVERSION_PRODUCT_ID"] in {"sku1", "sku2"}:
            expected[str(row["CAMPAIGN_ID"])] += row[count]
    assert {str(row["CAMPAIGN_ID"]): row[count] for row in _rows(grouped)} == expected != {}


@pytest.mark.parametrize(
    "field",
    [
        {"start_date": "2024-03-16", "end_date": "2024-04-16"},
        {"start_date": "2026-11-10"},
        {"start_date": "2025-10-01"},
        {
            "conversion_product_attribution_type": "BRAND_ATTRIBUTION",
            "start_date": "2025-04-01",
            "end_date": "2025-06-01",
        },
        {"ad_group_ids": ["1"]},
        {"level": "AD_GROUP", "campaign_ids": ["1"]},
        {"conversion_product_breakdown": "PRODUCT_SKU_GROUP"},
        {"product_sku_ids": ["sku1", "sku2"]},
        {"granularity": "DAY"},
        {"level": "PIN_PROMOTION"},
    ],
    ids=lambda field: next(iter(field)),
)
def test_reports_of_products_keep_their_rules(
    client: Client, account: str, field: dict[str, Any]
) -> None:
    assert client.post(f"{account}/reports/brand_category_sku", PRODUCTS | field).status_code == 400


def test_every_column_of_products_counts_something_or_names_a_product() -> None:
    body = api.operation("POST /ad_accounts/{ad_account_id}/reports/brand_category_sku").body or {}
    offered = set(body["properties"]["columns"]["items"]["enum"])

    assert {name for name in offered - COLUMNS.keys() if "CONVERSION" in name} == {
        "CONVERSION_PRODUCT_ID",
        "CONVERSION_PRODUCT_BRAND",
        "CONVERSION_PRODUCT_CATEGORY",
        "CONVERSION_PRODUCT_ID_GROUP",
    }


def test_special_reports_can_be_withheld(serve: Callable[..., Client]) -> None:
    client = serve(withheld=beta_operations())

    assert client.post(f"{_path(client)}/mmm_reports", MMM).status_code == 401
    assert client.post(f"{_path(client)}/reports/brand_category_sku", PRODUCTS).status_code == 401


def _catalog(client: Client) -> tuple[dict[str, Any], str]:
    catalog = client.get("/catalogs")["items"][0]
    feed = client.get("/catalogs/feeds", catalog_id=catalog["id"])["items"][0]
    return catalog, feed["id"]


def test_a_catalog_report_is_the_same_all_day(serve: Callable[..., Client]) -> None:
    client = serve()
    catalog, feed = _catalog(client)
    of_feed = {
        "catalog_type": catalog["catalog_type"],
        "report": {"report_type": "FEED_INGESTION_ISSUES", "feed_id": feed},
    }
    of_catalog = {
        "catalog_type": catalog["catalog_type"],
        "report": {"report_type": "DISTRIBUTION_ISSUES", "catalog_id": catalog["id"]},
    }

    first = client.order("/catalogs/reports", **of_feed)
    assert client.order("/catalogs/reports", **of_feed) == first
    assert client.order("/catalogs/reports", **of_catalog) != first
    client.sandbox.today += timedelta(days=1)
    assert client.order("/catalogs/reports", **of_feed) != first


def test_a_catalog_report_lists_issues(client: Client) -> None:
    catalog, feed = _catalog(client)
    answer = client.poll(
        "/catalogs/reports",
        client.order(
            "/catalogs/reports",
            catalog_type=catalog["catalog_type"],
            report={"report_type": "FEED_INGESTION_ISSUES", "feed_id": feed},
        ),
    )
    results = client.get(f"/catalogs/feeds/{feed}/processing_results")["items"]
    issues = client.everything(f"/catalogs/processing_results/{results[-1]['id']}/item_issues")

    rows = _table(client, answer["url"])

    assert {int(row["item_number"]) for row in rows} == {
        each["item_number"] for each in issues if each["errors"] or each["warnings"]
    }
    assert {row["severity"] for row in rows} == {"ERROR", "WARNING"}


def test_an_old_token_of_a_catalog_report_is_refused(serve: Callable[..., Client]) -> None:
    client = serve()
    catalog, feed = _catalog(client)
    token = client.order(
        "/catalogs/reports",
        catalog_type=catalog["catalog_type"],
        report={"report_type": "FEED_INGESTION_ISSUES", "feed_id": feed},
    )
    client.sandbox.wait(3_601)

    assert client.refused("/catalogs/reports", token=token)[:2] == (400, 1104)
    assert client.refused("/catalogs/reports", token="unknown")[:2] == (400, 1104)


def test_a_report_of_all_items_is_for_some_only(serve: Callable[..., Client]) -> None:
    closed = serve()
    opened = serve(withheld=set(BETA_PARAMETERS) - {"report.report_type=ALL_ITEMS"})
    catalog, _ = _catalog(closed)
    body = {
        "catalog_type": catalog["catalog_type"],
        "report": {"report_type": "ALL_ITEMS", "catalog_id": catalog["id"]},
    }

    assert closed.post("/catalogs/reports", body).status_code == 401
    answer = opened.poll("/catalogs/reports", opened.order("/catalogs/reports", **body))
    assert len(_table(opened, answer["url"])) > 0


@pytest.mark.parametrize(
    ("report", "code"),
    [
        ({"report_type": "FEED_INGESTION_ISSUES", "feed_id": "1"}, 4161),
        ({"report_type": "DISTRIBUTION_ISSUES", "catalog_id": "1"}, 678),
    ],
)
def test_a_report_on_a_missing_catalog_or_feed_is_not_found(
    client: Client, report: dict[str, str], code: int
) -> None:
    response = client.post("/catalogs/reports", {"catalog_type": "RETAIL", "report": report})

    assert (response.status_code, response.json()["code"]) == (404, code)
