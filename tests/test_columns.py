from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from scripts.update_live_columns import live_facts
from tap_pinterest import api
from tap_pinterest.api import columns
from tap_pinterest.api.levels import LEVELS, entities
from tap_pinterest.config.beta_reports import MMM, PRODUCTS
from tap_pinterest.dictionary.metrics import metric

if TYPE_CHECKING:
    from tap_pinterest.api.levels import Level

SIZES = {"ad_account": 108, "campaign": 114, "ad_group": 117, "ad": 121} | {
    "product_group": 118,
    "keyword": 118,
    "product_item": 109,
    "ad_pin": 115,
}
OWN_IDS = {"PRODUCT_GROUP_ID", "KEYWORD_ID", "PRODUCT_ITEM_ID"}
"""Ids that are in every row of their level, and no columns that both transports offer."""


def test_the_default_columns_can_be_asked_for_either_way() -> None:
    assert len(columns.DEFAULT_COLUMNS) == len(set(columns.DEFAULT_COLUMNS)) == 121
    assert set(columns.DEFAULT_COLUMNS) <= set(api.enum("columns_sync"))
    assert set(columns.DEFAULT_COLUMNS) <= set(api.enum("columns_async"))


def test_the_columns_on_offer_are_those_of_both_transports() -> None:
    assert len(columns.offered_columns()) == 174
    assert "QUIZ_PIN_RESULT_OPEN" not in columns.offered_columns()
    assert len(columns.offered_columns(newer=True)) == 184


def test_attributes_and_metrics_add_up() -> None:
    kinds = [columns.column(name).kind for name in api.enum("columns_sync")]
    assert (kinds.count("text"), kinds.count("number"), kinds.count("metric")) == (24, 4, 147)


def test_every_attribute_is_a_column_of_the_api() -> None:
    known = {*api.enum("columns_async", newer=True), *columns.offered_columns(), *OWN_IDS}
    known |= {*columns.live_columns()}
    known |= {name for shape in (MMM, PRODUCTS) for name in shape.allowed("columns")}
    for entity in entities():
        assert entity.columns <= known


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
def test_default_means_the_default_columns_that_the_level_has(level: Level) -> None:
    names = columns.columns_for(level, "default")
    assert len(names) == SIZES[level.name]
    assert set(names) - OWN_IDS <= set(columns.DEFAULT_COLUMNS)
    assert names[: len(level.ids)] == level.ids
    others = [name for name in names if name not in level.ids]
    assert others == [name for name in columns.DEFAULT_COLUMNS if name in others]


@pytest.mark.parametrize(
    ("level", "absent"),
    [
        ("ad_account", {"CAMPAIGN_ID", "CAMPAIGN_NAME", "AD_GROUP_ID", "AD_ID", "PIN_ID"}),
        ("campaign", {"AD_GROUP_ID", "AD_GROUP_NAME", "AD_ID", "AD_NAME", "PIN_ID"}),
        ("ad_group", {"AD_ID", "AD_NAME", "PIN_ID", "PIN_PROMOTION_ID"}),
    ],
)
@pytest.mark.parametrize("setting", ["default", "all"])
def test_a_level_has_no_attributes_of_lower_levels(
    level: str, absent: set[str], setting: columns.Setting
) -> None:
    assert not absent & set(columns.columns_for(LEVELS[level], setting))


def test_all_at_the_lowest_level_is_everything_on_offer() -> None:
    assert set(columns.columns_for(LEVELS["ad"], "all")) == set(columns.offered_columns())


def test_ids_are_in_every_row_and_other_levels_names_are_passed_over() -> None:
    assert columns.columns_for(
        LEVELS["campaign"], ["spend_in_dollar", "AD_ID", "SPEND_IN_DOLLAR"]
    ) == (
        "AD_ACCOUNT_ID",
        "CAMPAIGN_ID",
        "SPEND_IN_DOLLAR",
    )


def test_a_newer_column_may_be_named_but_is_no_part_of_all() -> None:
    newer = "INAPP_SKAN_APP_INSTALL"
    assert newer in columns.columns_for(LEVELS["ad"], [newer])
    assert newer not in columns.columns_for(LEVELS["ad"], "all")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("TOTAL_CHECKOUTS", "TOTAL_CHECKOUTS is no column; did you mean TOTAL_CHECKOUT or "),
        ("spend", "spend is no column; did you mean SPEND_IN_DOLLAR or "),
        (
            "total_checkout_value",
            "total_checkout_value is no column; did you mean TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR",
        ),
        ("qqqq", "qqqq is no column"),
        ("date", "date is in every row already"),
        ("QUIZ_PIN_RESULT_OPEN", "QUIZ_PIN_RESULT_OPEN is only in synchronous reports"),
    ],
)
def test_a_wrong_name_is_answered_with_the_reason(name: str, fault: str) -> None:
    (answered,) = columns.unknown_columns(["CTR", name, "ad_id"])
    assert answered.startswith(fault)
    with pytest.raises(ValueError, match="^" + fault.split(";", maxsplit=1)[0]):
        columns.columns_for(LEVELS["ad"], [name])


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (["Default"], "default"),
        (["ALL"], "all"),
        (["ctr", "CTR", "ad_id"], ("CTR", "AD_ID")),
        (["all", "CTR"], ("ALL", "CTR")),
        ([], ()),
    ],
)
def test_a_list_of_columns_is_a_choice_or_names(names: list[str], meant: object) -> None:
    assert columns.setting_of(names) == meant


def test_a_column_that_only_asynchronous_reports_have_may_be_named() -> None:
    named = columns.columns_for(LEVELS["campaign"], ["CAMPAIGN_STATUS", "CTR"])

    assert columns.only_asynchronous(named) == ["CAMPAIGN_STATUS"]
    assert "CAMPAIGN_STATUS" not in columns.columns_for(LEVELS["campaign"], "all")


@pytest.mark.parametrize(
    ("name", "conversion"),
    [
        ("TOTAL_CHECKOUT", True),
        ("PAGE_VISIT_ROAS", True),
        ("TOTAL_CONVERSIONS", True),
        ("COST_PER_LEAD", True),
        ("TOTAL_VIEW_ADD_TO_CART", True),
        ("SPEND_IN_DOLLAR", False),
        ("TOTAL_WEB_SESSIONS", False),
        ("CAMPAIGN_CUSTOM_LABELS", False),
        ("TOTAL_VIDEO_MRC_VIEWS", False),
    ],
)
def test_conversions_are_recognised_by_name(name: str, *, conversion: bool) -> None:
    assert columns.is_conversion(name) is conversion


def test_a_row_has_its_day_beside_its_columns() -> None:
    facts = columns.report_facts(("AD_ID", "CTR", "CAMPAIGN_DAILY_SPEND_CAP"))
    assert facts["properties"] == {
        "AD_ID": {"type": "string"},
        "CTR": {"type": "number"},
        "CAMPAIGN_DAILY_SPEND_CAP": {"type": "number"},
        "DATE": {"type": "string", "format": "date"},
    }


def test_live_columns_are_those_that_no_description_has() -> None:
    live = columns.live_columns()

    assert len(live) == 498
    assert list(live) == sorted(live)
    assert not columns.described() & {*live}


@pytest.mark.parametrize("setting", ["default", "all"])
def test_live_columns_are_in_all_only_where_pinterest_lists_them(setting: str) -> None:
    both, calls, orders = "CPW_IN_DOLLAR", "ADE_ROAS", "APP_INSTALL_ROAS"
    account = columns.AccountColumns(
        frozenset({both, calls, "NEW"}), frozenset({both, orders, "NEW"})
    )
    listed = columns.columns_for(LEVELS["campaign"], setting, account)

    extra = {*listed} - {*columns.columns_for(LEVELS["campaign"], setting)}
    assert extra == ({both} if setting == "all" else set())


def test_a_live_column_may_be_named_and_so_may_one_that_only_pinterest_lists() -> None:
    account = columns.AccountColumns(frozenset(), frozenset({"SHARES", "ADE_ROAS"}))
    names = columns.columns_for(LEVELS["campaign"], ["ade_roas", "shares", "CTR"], account)

    assert names[-3:] == ("ADE_ROAS", "SHARES", "CTR")
    assert columns.only_asynchronous(names, account) == ["ADE_ROAS", "SHARES"]
    assert columns.only_asynchronous(names) == []


@pytest.mark.parametrize(
    ("name", "kind", "level"),
    [
        ("CAMPAIGN_BOOKING_REFERENCE", "text", "campaign"),
        ("PROMOTED_CATALOG_PRODUCT_GROUP_SELECTED_IMAGE_TAG", "text", "ad"),
        ("CAMPAIGN_NEW_NAME", "text", "campaign"),
        ("AD_GROUP_NEW_STATUS", "text", "ad_group"),
        ("CPW_IN_DOLLAR", "metric", "ad_account"),
        ("SHARES", "metric", "ad_account"),
    ],
)
def test_the_name_of_an_undescribed_column_shows_its_kind_and_unit(
    name: str, kind: str, level: str
) -> None:
    found = columns.column(name)

    assert found.kind == kind
    assert LEVELS[level].has(found.entity)
    assert LEVELS["ad_account"].has(found.entity) is (kind == "metric")


def test_all_live_metrics_have_a_unit() -> None:
    live = [name for name in columns.live_columns() if columns.column(name).kind == "metric"]

    assert len(live) == 496
    assert [name for name in live if metric(name).unit is None] == []


@pytest.mark.parametrize(
    "answer",
    [
        ["CTR", "NEW_METRIC"],
        {"items": [{"name": "NEW_METRIC", "category": "ADS"}, {"name": "CTR"}]},
        {"response": {"items": [{"name": "NEW_METRIC"}, {"name": "X", "category": "ORGANIC"}]}},
    ],
    ids=["names", "an answer", "a recording"],
)
def test_live_columns_come_from_answers_and_from_lists_of_names(answer: Any) -> None:
    assert live_facts([answer], "2026-07-09") == {"seen": "2026-07-09", "names": ["NEW_METRIC"]}
