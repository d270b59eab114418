"""Reports whose rows the description does not lay down, value by value and as requests."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pinterest_sandbox import Sandbox, WorldSize
from pinterest_sandbox.style import Style
from simulated import simulate
from singer_run import PatientClock, PatientTap, catalog_of, run, settings
from tap_pinterest.config import beta_reports
from tap_pinterest.http.answers import decoder
from tap_pinterest.http.errors import UnreadableAnswerError
from tap_pinterest.reports.download import rows_of_report
from tap_pinterest.reports.ordering import POLLS, Answer
from tap_pinterest.run.cost import plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_run import Run

TODAY = date(2026, 11, 20)
WORLD = WorldSize(accounts=2, empty_accounts=0, campaigns=2, ad_groups=3, ads=6, boards=1, pins=2)
ACCOUNT = "/ad_accounts/{ad_account_id}"
TEMPLATE = f"POST {ACCOUNT}/templates/{{template_id}}/reports"
MMM = f"POST {ACCOUNT}/mmm_reports"
PRODUCTS = f"POST {ACCOUNT}/reports/brand_category_sku"
CATALOGS = "POST /catalogs/reports"
STREAMS = ("template_reports", "mmm_report", "brand_category_sku_report", "catalogs_report")
FOUR_WEEKS = {"start_date": "2026-10-19", "end_date": "2026-11-15"}
TWO_WEEKS = {"start_date": "2026-11-02", "end_date": "2026-11-15"}
TO_THE_MONTH = {**TWO_WEEKS, "start_date": "2026-11-01"}
SKUS = ["sku1", "sku2"]


def world(**how: Any) -> Sandbox:
    """A small one, without quotas."""
    return Sandbox(**{"seed": 7, "today": TODAY, "size": WORLD, "access_tier": "unlimited", **how})


@pytest.fixture(scope="module")
def pinterest() -> Iterator[Sandbox]:
    with world() as sandbox:
        yield sandbox


@pytest.fixture
def fragile() -> Iterator[Sandbox]:
    """A world of a test's own, which it may break."""
    with world() as sandbox:
        yield sandbox


def config(sandbox: Sandbox, **more: Any) -> Mapping[str, Any]:
    return settings(sandbox, **{"stream_groups": "beta,resources,catalogs", **FOUR_WEEKS, **more})


def bodies(sandbox: Sandbox, operation: str) -> list[dict[str, Any]]:
    """The bodies of the orders."""
    return [each.body for each in sandbox.requests if each.operation == operation]


def truth(sandbox: Sandbox, operation: str, **fixed: Any) -> list[dict[str, Any]]:
    """The rows that Pinterest has, each with its ad account, ids as texts."""
    rows = []
    for shown, row in sandbox.truth(operation, report_name="truth", **fixed):
        values = {name.upper(): value for name, value in msgspec.to_builtins(row).items()}
        ids = {
            name: str(value)
            for name, value in values.items()
            if name.endswith("_ID") or name == "TARGETING_VALUE"
        }
        rows.append({"AD_ACCOUNT_ID": shown["ad_account_id"], **values, **ids})
    return rows


def picked(
    each: Mapping[str, Any], keys: Sequence[str], columns: Sequence[str], *, row: bool
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The key of a row or a record, and its values by column."""
    found = {name: each.get(name if row else name.lower()) for name in (*keys, *columns)}
    return tuple(found[name] or "" for name in keys), {name: found[name] for name in columns}


def same(
    records: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    columns: Sequence[str],
) -> None:
    """The records are these rows, each once, with all values and no other ones."""
    expected = dict(picked(row, keys, columns, row=True) for row in rows)
    found = dict(picked(record, keys, columns, row=False) for record in records)

    assert len(expected) == len(rows) > 0
    assert len(found) == len(records)
    assert found == expected


def test_each_saved_report_is_ordered_once_and_its_rows_come_as_they_are() -> None:
    with world(seed=6) as sandbox:
        result = run(config(sandbox), "template_reports", "report_templates")
        ordered = {
            each.path.split("/")[4]: each.status
            for each in sandbox.requests
            if each.operation == TEMPLATE
        }
        templates = {each["id"]: each for each in result.records("report_templates")}
        expected: dict[str, list[dict[str, Any]]] = {}
        for name in ordered:
            ids = {"ad_account_id": templates[name]["ad_account_id"], "template_id": name}
            found = [msgspec.to_builtins(row) for _, row in sandbox.truth(TEMPLATE, **ids)]
            expected[name] = [{c.upper(): value for c, value in row.items()} for row in found]

    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ordered}
    for record in result.records("template_reports"):
        of_template = rows[record["template_id"]]
        of_template.append(record["values"])
        assert record["ad_account_id"] == templates[record["template_id"]]["ad_account_id"]
        assert (record["date"], record["row"]) == (TODAY.isoformat(), len(of_template))
    formats = {name: templates[name]["report_format"] for name in ordered}
    tables = [name for name in ordered if formats[name] == "CSV"]
    for name in tables:
        assert all(isinstance(text, str) for row in rows[name] for text in row.values())
        # A table has something in every column: zero for a metric, else nothing.
        rows[name] = [
            {c: text for c, text in row.items() if text not in {"0", ""}} for row in rows[name]
        ]
        expected[name] = [{c: str(value) for c, value in row.items()} for row in expected[name]]
    assert result.code == 0
    assert {*ordered.values()} == {201}
    assert {*formats.values()} == {"JSON", "CSV", None}
    assert all(not templates[name]["is_deleted"] for name in ordered)
    assert {name: by_row(found) for name, found in rows.items()} == {
        name: by_row(found) for name, found in expected.items()
    }
    assert all(rows[name] for name in tables)


def test_a_saved_report_that_pinterest_cannot_make_does_not_take_others_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with world(seed=6) as sandbox:
        whole = run(config(sandbox), "template_reports").records("template_reports")
        bad = whole[0]["template_id"]
        sandbox.fail(f"*/templates/{bad}/reports", status=400, times=None)
        result = run(config(sandbox), "template_reports")

    kept = [each for each in whole if each["template_id"] != bad]
    assert result.code == 0
    assert result.records("template_reports") == kept != []
    assert f"1 of its calls were refused (template_id {bad})" in caplog.text


@pytest.mark.parametrize(
    ("day", "rows"),
    [
        pytest.param(1_783_587_041, "kept", id="seconds"),
        pytest.param(1_783_587_041_000.0, "kept", id="milliseconds"),
        pytest.param("2026-07-01", "kept", id="a date"),
        pytest.param("last spring", "kept", id="no date"),
        pytest.param(1_583_587_041_000, "left out", id="old milliseconds"),
        pytest.param("2023-07-01T00:00:00", "left out", id="an old date-time"),
    ],
)
def test_the_first_day_of_a_saved_report_may_be_in_any_unit(
    caplog: pytest.LogCaptureFixture, day: object, rows: str
) -> None:
    with world(seed=6) as sandbox:
        row, *_ = run(config(sandbox), "template_reports").records("template_reports")
        caplog.clear()
        account, template = row["ad_account_id"], row["template_id"]
        dates = {"absolute_date_range": {"start_date": day}}
        item = {"id": template, "ad_account_id": account, "is_deleted": False, "date_range": dates}
        path = f"/ad_accounts/{account}/templates"
        sandbox.fail(path, status=200, body={"items": [item]}, times=None)
        result = run(config(sandbox, ad_account_ids=[account]), "template_reports")

    assert result.code == 0
    assert bool(result.records("template_reports")) is (rows == "kept")
    assert ("more than 914 days back" in caplog.text) is (rows == "left out")


def by_row(rows: Sequence[Mapping[str, Any]]) -> Counter[str]:
    return Counter(msgspec.json.encode(row, order="sorted").decode() for row in rows)


MIX = {
    "levels": ["CAMPAIGN_TARGETING", "AD_GROUP_TARGETING"],
    "granularities": ["DAY", "WEEK"],
    "columns": "all",
}


@pytest.mark.parametrize("style", ["wrapped", "flat"])
def test_a_mix_has_all_values_in_either_form_of_answer(style: Any) -> None:
    types = beta_reports.MMM.defaults["targeting_types"]
    with world(style=Style(mmm=style)) as sandbox:
        result = run(
            config(sandbox, mmm_report=MIX),
            *("mmm_report", "mmm_report_week", "mmm_report_ad_group", "mmm_report_ad_group_week"),
        )
        for level, granularity, stream in (
            ("CAMPAIGN", "DAY", "mmm_report"),
            ("CAMPAIGN", "WEEK", "mmm_report_week"),
            ("AD_GROUP", "DAY", "mmm_report_ad_group"),
            ("AD_GROUP", "WEEK", "mmm_report_ad_group_week"),
        ):
            asked = {"level": f"{level}_TARGETING", "granularity": granularity}
            others = {"AD_GROUP_ID", "AD_GROUP_NAME"} if level == "CAMPAIGN" else set()
            columns = [c for c in beta_reports.MMM.allowed("columns") if c not in others]
            same(
                result.records(stream),
                truth(sandbox, MMM, **FOUR_WEEKS, **asked, targeting_types=types, columns=columns),
                (f"{level}_ID", "TARGETING_TYPE", "TARGETING_VALUE", "DATE"),
                ("AD_ACCOUNT_ID", *columns),
            )

    assert result.code == 0
    assert {part.unknown != {} for part in result.tap.run.summary.streams.values()} == {False}


BREAKDOWNS = {
    "PRODUCT_BRAND": ["CONVERSION_PRODUCT_BRAND"],
    "PRODUCT_CATEGORY": ["CONVERSION_PRODUCT_CATEGORY"],
    "PRODUCT_BRAND_AND_CATEGORY": ["CONVERSION_PRODUCT_BRAND", "CONVERSION_PRODUCT_CATEGORY"],
    "PRODUCT_SKU": ["CONVERSION_PRODUCT_ID"],
    "PRODUCT_SKU_GROUP": ["CONVERSION_PRODUCT_ID_GROUP"],
}
PRODUCT_KEYS = [f"CONVERSION_PRODUCT_{name}" for name in ("BREAKDOWN", "BRAND", "CATEGORY", "ID")]


@pytest.fixture(scope="module")
def products(pinterest: Sandbox) -> Run:
    """All breakdowns of one account, by all levels and granularities."""
    choice = {
        "levels": ["CAMPAIGN", "ADVERTISER", "AD_GROUP"],
        "granularities": ["WEEK", "MONTH", "TOTAL"],
        "conversion_product_breakdowns": list(BREAKDOWNS),
        "product_sku_ids": SKUS,
        "view_window_days": 1,
        "columns": "all",
    }
    account = pinterest.world.ad_accounts[0].id
    parts = ("", "_month", "_total", "_ad_account", "_ad_group")
    return run(
        config(pinterest, brand_category_sku_report=choice, ad_account_ids=[account], **TWO_WEEKS),
        *(f"brand_category_sku_report{part}" for part in parts),
    )


@pytest.mark.parametrize(
    ("level", "granularity", "stream"),
    [
        ("CAMPAIGN", "WEEK", "brand_category_sku_report"),
        ("CAMPAIGN", "MONTH", "brand_category_sku_report_month"),
        ("CAMPAIGN", "TOTAL", "brand_category_sku_report_total"),
        ("ADVERTISER", "WEEK", "brand_category_sku_report_ad_account"),
        ("AD_GROUP", "WEEK", "brand_category_sku_report_ad_group"),
    ],
)
def test_products_have_all_values_by_each_breakdown(
    pinterest: Sandbox, products: Run, level: str, granularity: str, stream: str
) -> None:
    account = pinterest.world.ad_accounts[0].id
    own = {"ADVERTISER": "AD_ACCOUNT_ID"}.get(level, f"{level}_ID")
    dates = TO_THE_MONTH if granularity == "MONTH" else TWO_WEEKS
    dated = {"START_DATE": dates["start_date"], "DATE": dates["end_date"]}
    lower = {"CAMPAIGN": ("AD_GROUP",), "ADVERTISER": ("CAMPAIGN", "AD_GROUP")}.get(level, ())
    columns = [
        name
        for name in beta_reports.PRODUCTS.allowed("columns")
        if not name.startswith(("CONVERSION_PRODUCT", *lower))
    ]
    rows = []
    for breakdown, names in BREAKDOWNS.items():
        skus = {"product_sku_ids": SKUS} if breakdown == "PRODUCT_SKU_GROUP" else {}
        found = truth(
            pinterest,
            PRODUCTS,
            **{**dates, **skus, "granularity": granularity, "level": level},
            ad_account_id=account,
            columns=[*columns, *names],
            conversion_product_breakdown=breakdown,
            view_window_days=1,
        )
        beside = {"CONVERSION_PRODUCT_BREAKDOWN": breakdown}
        rows += [{**row, **beside, **(dated if granularity == "TOTAL" else {})} for row in found]
    periods = ("START_DATE", "DATE") if granularity == "TOTAL" else ("DATE",)

    assert products.code == 0
    assert products.tap.run.summary.of(stream).unknown == {}
    same(
        products.records(stream),
        rows,
        (own, *PRODUCT_KEYS, *periods),
        ("AD_ACCOUNT_ID", *columns, "CONVERSION_PRODUCT_ID_GROUP"),
    )


def test_reports_on_catalogs_come_as_they_are_all_values_texts() -> None:
    types = ["DISTRIBUTION_ISSUES", "FEED_INGESTION_ISSUES", "ALL_ITEMS"]
    with world(withheld=()) as sandbox:
        result = run(
            config(sandbox, catalogs_report={"report_types": types}),
            *("catalogs_report", "catalogs", "catalogs_feeds"),
        )
        expected: dict[tuple[str, str, str], list[dict[str, str]]] = {}
        wanted = [
            (each["catalog_type"], {"report_type": kind, "catalog_id": each["id"]})
            for each in result.records("catalogs")
            for kind in ("DISTRIBUTION_ISSUES", "ALL_ITEMS")
        ] + [
            (each["catalog_type"], {"report_type": types[1], "feed_id": each["id"]})
            for each in result.records("catalogs_feeds")
        ]
        catalogs = {each["id"]: each["catalog_id"] for each in result.records("catalogs_feeds")}
        for kind, report in wanted:
            if kind not in {"RETAIL", "HOTEL"}:
                continue
            feed = report.get("feed_id", "")
            rows = [
                {name.upper(): "" if value is None else str(value) for name, value in row.items()}
                for _, row in sandbox.truth(CATALOGS, catalog_type=kind, report=report)
            ]
            names = {name for row in rows for name in row}
            whole = [{name: row.get(name, "") for name in names} for row in rows]
            catalog = report.get("catalog_id") or catalogs[feed] or ""
            expected[catalog, report["report_type"], feed] = whole
        count = Counter(each.operation for each in sandbox.requests)[CATALOGS]

    found: dict[tuple[str, str, str], list[dict[str, str]]] = {key: [] for key in expected}
    for record in result.records("catalogs_report"):
        of_report = found[record["catalog_id"], record["report_type"], record["feed_id"]]
        of_report.append(record["values"])
        assert record["row"] == len(of_report)
        assert record["date"] == TODAY.isoformat()
    assert result.code == 0
    assert found == expected
    assert {kind for _, kind, _ in expected} == set(types)
    assert all(rows for (_, kind, _), rows in expected.items() if kind != types[1])
    assert count == len(expected)


def test_by_default_one_mix_of_five_targeting_types_is_ordered_for_each_account(
    fragile: Sandbox,
) -> None:
    run(config(fragile), "mmm_report")

    for body in bodies(fragile, MMM):
        assert (body["level"], body["granularity"]) == ("CAMPAIGN_TARGETING", "DAY")
        assert body["targeting_types"] == list(beta_reports.MMM.chosen({})["targeting_types"])
        assert body["columns"][0] == "CAMPAIGN_ID"
        assert not {"click_window_days", "countries"} & body.keys()
    assert len(bodies(fragile, MMM)) == 2


def test_a_mix_can_be_of_some_types_and_countries_only(fragile: Sandbox) -> None:
    choice = {"targeting_types": "COUNTRY,GENDER", "countries": "US,DE", "columns": "CAMPAIGN_NAME"}
    result = run(config(fragile, mmm_report=choice), "mmm_report")
    records = result.records("mmm_report")

    kinds = {(each["targeting_type"], each["targeting_value"]) for each in records}
    assert {value for kind, value in kinds if kind == "COUNTRY"} == {"US", "DE"}
    assert {kind for kind, _ in kinds} == {"COUNTRY", "GENDER"}
    assert {tuple(each["countries"]) for each in bodies(fragile, MMM)} == {("US", "DE")}
    assert "spend_in_dollar" not in records[0]


def test_a_row_with_several_types_belongs_to_all_of_them_together(fragile: Sandbox) -> None:
    account = fragile.world.ad_accounts[0].id
    row = {"CAMPAIGN_ID": 1, "DATE": "2026-11-02", "SPEND_IN_DOLLAR": 2}
    rows = [
        {**row, "APP_TYPE": "iphone", "GENDER": "female", "LOCATION_CODE": 500},
        {**row, "APP_TYPE": "iphone", "GENDER": None, "LOCATION_CODE": 501},
    ]
    fragile.fail("/downloads/*", status=200, body=rows)
    choice = {"targeting_types": ["APPTYPE", "GENDER", "LOCATION"]}
    result = run(config(fragile, mmm_report=choice, ad_account_ids=[account]), "mmm_report")

    assert [(r["targeting_type"], r["targeting_value"]) for r in result.records("mmm_report")] == [
        ("APPTYPE_AND_GENDER_AND_LOCATION", "iphone&female&500"),
        ("APPTYPE_AND_GENDER_AND_LOCATION", "iphone&&501"),
    ]
    assert {r["spend_in_dollar"] for r in result.records("mmm_report")} == {2}


@pytest.mark.parametrize("lost", ["CAMPAIGN_ID", "TARGETING_TYPE"])
def test_a_row_without_its_key_fails_and_the_error_lists_its_columns(
    fragile: Sandbox, lost: str
) -> None:
    row = {"CAMPAIGN_ID": 1, "TARGETING_TYPE": "GENDER", "DATE": "2026-11-02", "ECTR": 1}
    del row[lost]
    fragile.fail("/downloads/*", status=200, body=[row], times=None)
    result = run(config(fragile), "mmm_report")
    failures = result.tap.run.summary.of("mmm_report").failures

    assert result.code == 1
    assert len(failures) == 2
    assert all(f"no {lost.lower()}" in each for each in failures.values())
    assert all("ectr" in each.lower() for each in failures.values())


def test_the_plan_counts_the_calls_of_special_reports(fragile: Sandbox) -> None:
    catalog = catalog_of(config(fragile), STREAMS)
    tap = PatientTap(config=dict(config(fragile)), catalog=catalog)
    planned = {each.stream: each.calls for each in plan(tap.run).streams}
    tap.run.close()
    run(config(fragile), *STREAMS)
    made = Counter(each.operation for each in fragile.requests)

    orders = zip(STREAMS, (TEMPLATE, MMM, PRODUCTS, CATALOGS), strict=True)
    ordered = {stream: made[operation] for stream, operation in orders}
    assert all(ordered.values())
    for stream, both in (
        ("template_reports", {"ads_analytics": 1 + POLLS}),
        ("mmm_report", {"ads_analytics": 1, "ads_read": POLLS}),
        ("brand_category_sku_report", {"ads_analytics": 1, "ads_read": POLLS}),
        ("catalogs_report", {"catalogs_read": 1 + POLLS}),
    ):
        expected = {category: count * ordered[stream] for category, count in both.items()}
        assert {name: planned[stream][name] for name in both} == expected


def test_a_plan_counts_five_mixes_a_minute_of_an_account_whichever_stream_orders_them(
    fragile: Sandbox,
) -> None:
    types = list(beta_reports.MMM.allowed("targeting_types"))
    choice = {**MIX, "targeting_types": types}
    two_years = config(fragile, start_date="2024-11-20", mmm_report=choice)
    catalog = catalog_of(two_years, ("mmm_report", "mmm_report_ad_group"))
    tap = PatientTap(config=dict(two_years), catalog=catalog)
    planned = plan(tap.run)
    tap.run.close()
    reports = planned.calls["ads_analytics"]

    assert reports % len(fragile.world.ad_accounts) == 0
    assert planned.minutes == (reports // len(fragile.world.ad_accounts) - 1) // 5 > 2


def test_seven_targeting_types_are_two_mixes(fragile: Sandbox) -> None:
    types = beta_reports.MMM.allowed("targeting_types")
    choice = {"targeting_types": list(types), "columns": ["SPEND_IN_DOLLAR"]}
    account = fragile.world.ad_accounts[0].id
    more = {"mmm_report": choice, "ad_account_ids": [account]}
    result = run(config(fragile, **more), "mmm_report")

    ordered = [len(each["targeting_types"]) for each in bodies(fragile, MMM)]
    assert sorted(ordered) == [2, 5]
    assert {each["targeting_type"] for each in result.records("mmm_report")} == set(types)


class SharedClock(PatientClock):
    """A clock whose waits pass in the sandbox as well."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = sandbox

    def sleep(self, seconds: float) -> None:
        self._sandbox.wait(seconds)
        super().sleep(seconds)


def test_no_more_than_five_mixes_a_minute_are_ordered_for_an_account(fragile: Sandbox) -> None:
    clock = SharedClock(fragile)
    tap = PatientTap(config=dict(config(fragile)), clock=clock)
    body = {
        "report_name": "mix",
        "level": "CAMPAIGN_TARGETING",
        "granularity": "DAY",
        "targeting_types": ["GENDER"],
        "columns": ["SPEND_IN_DOLLAR"],
        **FOUR_WEEKS,
    }
    one, other = ({"ad_account_id": each.id} for each in fragile.world.ad_accounts)
    waits = []
    for ids in (one, one, one, one, one, other, one, other):
        tap.run.client.post(f"{ACCOUNT}/mmm_reports", decoder(Answer), body, ids=ids)
        waits.append(sum(clock.waits))
    tap.run.close()

    assert {each.status for each in fragile.requests} <= {200, 201}
    assert waits[:6] == [0] * 6
    assert 50 < waits[6] == waits[7] < 70


def test_filters_leave_out_rows_of_other_campaigns(fragile: Sandbox) -> None:
    streams = ("mmm_report", "brand_category_sku_report")
    account = fragile.world.ad_accounts[1].id
    everything = run(config(fragile, ad_account_ids=[account]), *streams)
    campaign = everything.records(streams[1])[0]["campaign_id"]
    more = {"campaign_ids": [campaign]}
    fragile.requests.clear()
    some = run(config(fragile, **more), *streams)

    for stream in streams:
        of_campaign = [
            each for each in everything.records(stream) if each["campaign_id"] == campaign
        ]
        assert some.records(stream) == of_campaign
    assert len(some.records("mmm_report")) < len(everything.records("mmm_report"))
    assert [each.get("campaign_ids") for each in bodies(fragile, PRODUCTS)] == [[campaign]]
    assert [each.get("campaign_ids") for each in bodies(fragile, MMM)] == [None]


def test_products_have_an_attribution_of_their_own_on_each_row(fragile: Sandbox) -> None:
    choice = {"click_window_days": 7, "conversion_report_time": "TIME_OF_CONVERSION"}
    result = run(
        config(fragile, view_window_days=14, brand_category_sku_report=choice),
        "brand_category_sku_report",
    )

    in_force = {**choice, "view_window_days": 30}
    for each in (*bodies(fragile, PRODUCTS), *result.records("brand_category_sku_report")):
        assert {name: each[name] for name in in_force} == in_force
    assert "engagement_window_days" not in result.records("brand_category_sku_report")[0]


@pytest.mark.parametrize(
    ("start", "end", "ordered", "dates"),
    [
        pytest.param("2026-11-17", "2026-11-19", "2026-11-09", {"2026-11-16"}, id="three days"),
        pytest.param("2026-11-10", "2026-11-10", "2026-11-02", {"2026-11-09"}, id="one day"),
    ],
)
def test_a_report_of_products_asks_for_a_week_and_writes_only_the_wanted_days(
    fragile: Sandbox, start: str, end: str, ordered: str, dates: set[str]
) -> None:
    result = run(config(fragile, start_date=start, end_date=end), "brand_category_sku_report")

    assert {each["date"] for each in result.records("brand_category_sku_report")} == dates
    assert {(b["start_date"], b["end_date"]) for b in bodies(fragile, PRODUCTS)} == {(ordered, end)}
    assert {each.status for each in fragile.requests} <= {200, 201}


def test_products_of_less_than_their_first_week_are_not_asked_for(fragile: Sandbox) -> None:
    days = {"start_date": "2024-03-01", "end_date": "2024-03-20"}
    result = run(config(fragile, **days), "brand_category_sku_report")

    reasons = result.tap.run.summary.of("brand_category_sku_report").skipped.values()
    assert result.code == 1  # nothing else could be read
    assert len(reasons) == len(fragile.world.ad_accounts)
    assert all("7 days or more, from 2024-03-17 on" in each for each in reasons)
    assert all(each.endswith("2024-03-20 is too short: give a later end_date") for each in reasons)
    assert bodies(fragile, PRODUCTS) == []


@pytest.mark.parametrize(
    ("attribution", "first"), [("DEFAULT", "2024-03-18"), ("BRAND_ATTRIBUTION", "2025-04-07")]
)
def test_products_are_read_from_their_first_week_on_in_pieces_of_a_year(
    fragile: Sandbox, caplog: pytest.LogCaptureFixture, attribution: str, first: str
) -> None:
    choice = {"conversion_product_attribution_type": attribution}
    account = fragile.world.ad_accounts[0].id
    more = {"start_date": "2023-01-01", "ad_account_ids": [account]}
    run(config(fragile, brand_category_sku_report=choice, **more), "brand_category_sku_report")

    ranges = sorted((b["start_date"], b["end_date"]) for b in bodies(fragile, PRODUCTS))
    days = [tuple(map(date.fromisoformat, each)) for each in ranges]
    assert ranges[0][0] == first
    assert ranges[-1][1] == FOUR_WEEKS["end_date"]
    assert all((end - start).days <= 365 for start, end in days)
    assert all(b[0] - a[1] == timedelta(days=1) for a, b in pairwise(days))
    assert {each.status for each in fragile.requests} <= {200, 201}
    assert "days for reports of brands, categories and SKUs" in caplog.text


def test_all_of_them_are_ordered_while_the_first_is_prepared(
    fragile: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(config(fragile), *STREAMS, clock=simulate(monkeypatch))
    first_poll = next(
        number for number, each in enumerate(fragile.requests) if "token=" in each.query_string
    )
    ordered = {each.operation for each in fragile.requests[:first_poll]}

    assert result.code == 0
    assert {TEMPLATE, MMM, PRODUCTS, CATALOGS} <= ordered


@pytest.mark.parametrize("stream", ["mmm_report", "mmm_report_week", "brand_category_sku_report"])
def test_daily_runs_end_with_the_same_rows_as_one_full_read(fragile: Sandbox, stream: str) -> None:
    days = {"start_date": "2026-10-19", "end_date": "yesterday"}
    choice = {"granularities": ["DAY", "WEEK"], "targeting_types": "GENDER"}
    more = config(fragile, **days, mmm_report=choice)
    *_, keys = (  # the key properties are in the schema message
        m["key_properties"] for m in run(more, stream).messages if m["type"] == "SCHEMA"
    )
    state: Any = None
    table: dict[tuple[Any, ...], dict[str, Any]] = {}
    for _ in range(4):
        result = run(more, stream, state=state)
        found = [tuple(record[key] for key in keys) for record in result.records(stream)]
        assert len(found) == len(set(found))
        table |= dict(zip(found, result.records(stream), strict=True))
        state = result.state
        fragile.today += timedelta(days=3)
    fragile.today -= timedelta(days=3)
    whole = {tuple(r[key] for key in keys): r for r in run(more, stream).records(stream)}

    assert table == whole
    ordered = bodies(fragile, PRODUCTS if "sku" in stream else MMM)
    assert max(each["start_date"] for each in ordered) > "2026-10-19" or stream != "mmm_report"


def test_a_changed_setting_reads_covered_days_again(
    fragile: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    days = {"start_date": "2026-08-01", "end_date": "2026-11-18", "lookback_days": 3}
    first = run(config(fragile, **days), "mmm_report")
    more = config(fragile, **days, mmm_report={"countries": "US"})
    fragile.requests.clear()
    run(more, "mmm_report", state=first.state)

    assert {each["start_date"] for each in bodies(fragile, MMM)} == {"2026-08-01"}
    assert "mmm_report: columns or other settings have changed" in caplog.text


@pytest.mark.parametrize("stream", STREAMS)
def test_a_refused_stream_is_skipped_with_a_warning_and_the_rest_is_read(
    fragile: Sandbox, caplog: pytest.LogCaptureFixture, stream: str
) -> None:
    whole = run(config(fragile), stream)
    kept = fragile.world.ad_accounts[1].id
    refused = {
        "template_reports": f"{fragile.world.ad_accounts[0].id}/templates/*",
        "mmm_report": f"{fragile.world.ad_accounts[0].id}/mmm_reports",
        "brand_category_sku_report": f"{fragile.world.ad_accounts[0].id}/reports/brand_*",
    }
    if stream == "catalogs_report":
        fragile.fail("/catalogs/reports", method="POST", status=403, times=1)
    else:
        fragile.fail(f"/ad_accounts/{refused[stream]}", method="POST", status=403, times=None)
    result = run(config(fragile, max_requests_in_flight=1), stream)

    if stream == "catalogs_report":
        first = next(iter(whole.records(stream)))["catalog_id"], "DISTRIBUTION_ISSUES"
        rest = [
            each
            for each in whole.records(stream)
            if (each["catalog_id"], each["report_type"]) != first
        ]
    else:
        rest = [each for each in whole.records(stream) if each["ad_account_id"] == kept]
    assert result.code == 0
    assert result.records(stream) == rest != whole.records(stream)
    assert rest
    assert f"Skipped {stream}" in caplog.text
    assert "403" in caplog.text


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_refused_for_all_accounts_is_skipped_with_its_table(
    fragile: Sandbox, stream: str
) -> None:
    fragile.fail(method="POST", path="*report*", status=403, times=None)
    result = run(config(fragile), stream)

    assert result.code == 1  # nothing else could be read
    assert result.streams("SCHEMA") == [stream]
    assert result.records(stream) == []
    assert result.tap.run.summary.of(stream).skipped


def test_a_report_on_a_catalog_that_has_expired_is_ordered_again(fragile: Sandbox) -> None:
    expired = {"code": 1104, "message": "The token you provided is not valid or has expired."}
    whole = run(config(fragile), "catalogs_report")
    before = len(bodies(fragile, CATALOGS))
    fragile.fail("/catalogs/reports", method="GET", status=400, body=expired, times=1)
    result = run(config(fragile), "catalogs_report")

    assert result.code == 0
    assert result.records("catalogs_report") == whole.records("catalogs_report")
    assert len(bodies(fragile, CATALOGS)) == 2 * before + 1


def test_a_mix_that_fails_is_ordered_again_and_is_never_an_empty_success(
    fragile: Sandbox,
) -> None:
    account = fragile.world.ad_accounts[0].id
    fragile.fail("*/mmm_reports", kind="report", report_status="FAILED", times=None, method="POST")
    result = run(config(fragile, ad_account_ids=[account]), "mmm_report")

    assert result.code == 1
    assert "FAILED" in result.tap.run.summary.of("mmm_report").failures[account]
    assert len(bodies(fragile, MMM)) == 3
    assert result.state.get("bookmarks", {}).get("mmm_report") is None


def table(text: bytes, *, is_csv: bool | None = True) -> Iterator[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by what reads it
    file.write(text)
    return rows_of_report(file, "the report", is_csv=is_csv)


def test_rows_of_a_table_are_those_of_json_as_texts() -> None:
    rows = [msgspec.json.decode(row) for row in table(b'\xef\xbb\xbfA,B\r\n1,"x, y"\r\n2,\r\n')]

    assert rows == [{"A": "1", "B": "x, y"}, {"A": "2", "B": ""}]


def test_the_rows_of_a_table_are_not_held_in_memory() -> None:
    rows = 20_000
    text = b"A,B\r\n" + b"1,some words that a row may have in it\r\n" * rows
    tracemalloc.start()
    try:
        read = table(text)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 100 * rows
    assert sum(1 for _ in read) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param(b"A,B\r\n1,[x]\r\n", [{"A": "1", "B": "[x]"}], id="a table"),
        pytest.param(b"\xef\xbb\xbfA\r\n1\r\n", [{"A": "1"}], id="a table with a mark"),
        pytest.param(b'\n [{"A": 1}]', [{"A": 1}], id="an array"),
        pytest.param(b'{"x": [{"A": 1}], "y": []}', [{"A": 1}], id="an object of arrays"),
        pytest.param(
            b'{"x": [{"A": 1}], "y": [{"A": 2}], "x": [{"A": 3}]}',
            [{"A": 1}, {"A": 2}, {"A": 3}],
            id="an object with one key twice",
        ),
    ],
)
def test_a_file_of_unknown_format_is_read_by_its_first_bytes(
    text: bytes, rows: list[dict[str, Any]]
) -> None:
    assert [msgspec.json.decode(row) for row in table(text, is_csv=None)] == rows


@pytest.mark.parametrize("is_csv", [True, None])
def test_a_page_is_no_table_without_rows(is_csv: bool | None) -> None:  # noqa: FBT001 - of the case
    with pytest.raises(UnreadableAnswerError, match="no table"):
        table(b" <!DOCTYPE html><title>Oops, an error</title>", is_csv=is_csv)


@pytest.mark.parametrize("text", [b"A,B\r\n1\r\n", b'A,B\r\n1,"x'])
def test_a_table_that_is_cut_off_is_not_read_in_part(text: bytes) -> None:
    with pytest.raises(UnreadableAnswerError, match="cannot be read: line"):
        table(text)
