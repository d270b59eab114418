"""The allowed values and the defaults of the settings of reports in beta."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_pinterest import api
from tap_pinterest.config import CONFIG_SCHEMA, Settings, problems
from tap_pinterest.config.beta_reports import CATALOGS, MMM, PRODUCTS, SHAPES

if TYPE_CHECKING:
    from tap_pinterest.config.beta_reports import Shape

TOKEN = {"access_token": "pina_secret"}
SKUS = ["a1", "b2"]


def settings(**config: Any) -> Settings:
    assert problems(TOKEN | config) == []
    return Settings.from_config(TOKEN | config)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.setting)
def test_every_default_is_a_value_that_the_description_allows(shape: Shape) -> None:
    for member, value in shape.defaults.items():
        allowed = shape.allowed(member)
        values = value if isinstance(value, tuple) else (value,)
        assert member == "columns" or not allowed or set(values) <= set(allowed), member
    if "columns" in shape.members:
        assert set(shape.default_columns) <= set(shape.allowed("columns"))
    assert getattr(settings(), shape.setting) == shape.chosen({})


def test_the_defaults_of_reports_of_products_are_pinterests_own() -> None:
    for member, field in PRODUCTS.members.items():
        default = api.schema(PRODUCTS.body)["properties"][field].get("default")
        if default is not None:
            own = PRODUCTS.defaults[member]
            assert (own[0] if isinstance(own, tuple) else own) == default


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.setting)
def test_the_setting_has_the_members_of_the_report(shape: Shape) -> None:
    schema = CONFIG_SCHEMA["properties"][shape.setting]
    assert list(schema["properties"]) == list(shape.members) == list(shape.defaults)
    assert all(member in schema["description"] for member in shape.members)


def test_a_choice_takes_lists_texts_and_numbers_in_either_form() -> None:
    read = settings(
        mmm_report='{"levels": "AD_GROUP_TARGETING", "columns": ["ectr", "ECTR"], "countries": ""}',
        brand_category_sku_report={
            "granularities": ["MONTH"],
            "click_window_days": "7",
            "view_window_days": 14.0,
            "columns": "All",
        },
        catalogs_report={"report_types": "ALL_ITEMS"},
    )

    assert read.mmm_report == {
        **MMM.chosen({}),
        "levels": ("AD_GROUP_TARGETING",),
        "columns": ("ECTR",),
    }
    assert read.brand_category_sku_report == {
        **PRODUCTS.chosen({}),
        "granularities": ("MONTH",),
        "click_window_days": 7,
        "view_window_days": 14,
        "columns": tuple(PRODUCTS.allowed("columns")),
    }
    assert read.catalogs_report == {"report_types": ("ALL_ITEMS",)}


@pytest.mark.parametrize(
    ("setting", "choice", "member", "allowed"),
    [
        (MMM, {"levels": "CAMPAIGN"}, "levels", "CAMPAIGN_TARGETING, AD_GROUP_TARGETING"),
        (MMM, {"granularities": ["DAY", "MONTH"]}, "granularities", "allowed: DAY, WEEK"),
        (MMM, {"targeting_types": "AGE_BUCKET"}, "targeting_types", "GENDER, LOCATION"),
        (MMM, {"columns": "TOTAL_CHECKOUT"}, "columns", "TOTAL_CHECKOUT is no column"),
        (MMM, {"columns": ["SPEND"]}, "columns", "did you mean SPEND_IN_DOLLAR"),
        (MMM, {"columns": ["ECTR", "all"]}, "columns", "all is no column"),
        (MMM, {"columns": "QUIZ_PIN_RESULT_OPEN"}, "columns", "QUIZ_PIN_RESULT_OPEN is no column"),
        (MMM, {"countries": "XX"}, "countries", "US, GB"),
        (MMM, {"country": "US"}, "", "an object with levels, granularities"),
        (PRODUCTS, {"levels": "PIN_PROMOTION"}, "levels", "ADVERTISER, CAMPAIGN, AD_GROUP"),
        (PRODUCTS, {"granularities": "DAY"}, "granularities", "WEEK, MONTH, TOTAL"),
        (
            PRODUCTS,
            {"conversion_product_breakdowns": "SKU"},
            "conversion_product_breakdowns",
            "PRODUCT_SKU, PRODUCT_SKU_GROUP",
        ),
        (PRODUCTS, {"columns": "SPEND_IN_DOLLAR"}, "columns", "SPEND_IN_DOLLAR is no column"),
        (PRODUCTS, {"click_window_days": 45}, "click_window_days", "0, 1, 7, 14, 30, 60"),
        (PRODUCTS, {"view_window_days": "x"}, "view_window_days", "integer"),
        (PRODUCTS, {"conversion_report_time": "NOW"}, "conversion_report_time", "TIME_OF_AD"),
        (
            PRODUCTS,
            {"conversion_product_attribution_type": "BRAND"},
            "conversion_product_attribution_type",
            "DEFAULT, BRAND_ATTRIBUTION",
        ),
        (PRODUCTS, {"product_sku_ids": SKUS}, "product_sku_ids", "with the breakdown PRODUCT_SKU"),
        (
            PRODUCTS,
            {"conversion_product_breakdowns": "PRODUCT_SKU_GROUP"},
            "product_sku_ids",
            "0 are given; allowed: 2 to 500",
        ),
        (
            PRODUCTS,
            {"conversion_product_breakdowns": "PRODUCT_SKU_GROUP", "product_sku_ids": "a1,b-2"},
            "product_sku_ids",
            "'b-2' is refused; allowed: ^[a-zA-Z0-9]+$",
        ),
        (
            PRODUCTS,
            {"campaign_objective_types": list(PRODUCTS.allowed("campaign_objective_types"))},
            "campaign_objective_types",
            "at most 7",
        ),
        (CATALOGS, {"report_types": "ISSUES"}, "report_types", "FEED_INGESTION_ISSUES, DISTRIB"),
    ],
    ids=lambda each: getattr(each, "setting", None) or str(each)[:60],
)
def test_a_bad_choice_is_refused_in_one_line_with_its_name_and_allowed_values(
    setting: Shape, choice: dict[str, Any], member: str, allowed: str
) -> None:
    (fault,) = problems(TOKEN | {setting.setting: choice})

    assert fault.startswith(f"{setting.setting}.{member}: " if member else f"{setting.setting}: ")
    assert allowed in fault
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        pytest.param("2026-01-01", "2026-01-06", 6, id="too short"),
        pytest.param("2025-01-01", "2026-01-02", 367, id="too long"),
        pytest.param("earliest", "2024-03-20", 4, id="too early"),
        pytest.param("3 days ago", "yesterday", 3, id="relative"),
        pytest.param("2025-01-01", "2026-01-01", 366, id="a year"),
        pytest.param("2026-01-01", "2026-01-07", 7, id="a week"),
    ],
)
def test_a_total_of_products_is_of_a_week_to_a_year(start: str, end: str, days: int) -> None:
    total = {"granularities": ["WEEK", "TOTAL"]}
    config = {"start_date": start, "end_date": end, "brand_category_sku_report": total}
    faults = problems(TOKEN | config)

    allowed = "7 to 366 days from start_date (on or after 2024-03-17) to end_date"
    fault = f"TOTAL of {days} days is refused; allowed: {allowed}"
    expected = [] if 7 <= days <= 366 else [f"brand_category_sku_report.granularities: {fault}"]
    assert faults == expected
    assert problems(TOKEN | config | {"brand_category_sku_report": {}}) == []


def test_a_total_by_brand_attribution_begins_later() -> None:
    choice = {
        "granularities": "TOTAL",
        "conversion_product_attribution_type": "BRAND_ATTRIBUTION",
    }
    config = {"start_date": "2025-03-20", "end_date": "2025-04-07"}
    (fault,) = problems(TOKEN | config | {"brand_category_sku_report": choice})

    assert "6 days" in fault
    assert "2025-04-02" in fault
