"""Names that somebody may have meant."""

from __future__ import annotations

import pytest

from tap_pinterest import api
from tap_pinterest.api import targeting
from tap_pinterest.api.columns import unknown_columns
from tap_pinterest.api.levels import ordered
from tap_pinterest.api.likeness import _MEANT, names_near
from tap_pinterest.api.periods import GRANULARITIES
from tap_pinterest.config import CONFIG_SCHEMA, STREAM_GROUPS, problems
from tap_pinterest.streams import STREAM_TYPES

TOKEN = {"access_token": "pina_1"}
STREAMS = [each.name for each in STREAM_TYPES]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("spend", "SPEND_IN_DOLLAR"),
        ("cost", "SPEND_IN_DOLLAR"),
        ("SPENT_IN_DOLLAR", "SPEND_IN_DOLLAR"),
        ("impressions", "PAID_IMPRESSION"),
        ("clicks", "TOTAL_CLICKTHROUGH"),
        ("Outbound clicks", "OUTBOUND_CLICK_1"),
        ("revenue", "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR"),
        ("roas", "CHECKOUT_ROAS"),
        ("TOTAL_CHECKOUTS", "TOTAL_CHECKOUT"),
    ],
)
def test_a_column_is_found_by_its_meaning_and_by_its_spelling(given: str, meant: str) -> None:
    (fault,) = unknown_columns([given])
    assert f"; did you mean {meant}" in fault


@pytest.mark.parametrize(
    ("setting", "value", "meant"),
    [
        ("stream_groups", ["catalog"], "catalogs"),
        ("stream_groups", ["analytics"], "ads"),
        ("stream_groups", ["targetting"], "targeting"),
        ("granularities", ["daily"], "DAY"),
        ("entity_statuses", ["ENABLED"], "ACTIVE"),
        ("targeting_types", ["AGE"], "AGE_BUCKET"),
        ("targeting_types", ["device"], "APPTYPE"),
        ("product_categories", ["ACCENT_TABLE"], "ACCENT_TABLES"),
        ("access_tier", "Standart", "standard"),
        ("custom_reports", [{"name": "x", "level": "AD"}], "PIN_PROMOTION"),
        (
            "custom_reports",
            [{"name": "x", "level": "CAMPAIGN_TARGETING", "targeting_types": ["AGE"]}],
            "AGE_BUCKET",
        ),
        ("mmm_report", {"levels": ["CAMPAIGNS"]}, "CAMPAIGN"),
    ],
)
def test_a_wrong_name_in_a_setting_is_refused_with_the_one_that_is_meant(
    setting: str, value: object, meant: str
) -> None:
    (fault,) = problems({**TOKEN, setting: value})
    assert f"; did you mean {meant}" in fault


def test_a_stream_is_found_by_the_words_of_other_taps() -> None:
    assert names_near("campaign_report", STREAMS)[0] == "campaign_analytics"
    assert names_near("adgroups", STREAMS)[0] == "ad_groups"


def test_nothing_is_suggested_for_a_name_like_no_other() -> None:
    assert names_near("qqqq", STREAM_GROUPS) == []
    assert unknown_columns(["qqqq"]) == ["qqqq is no column"]


def test_each_name_that_a_word_stands_for_exists() -> None:
    known = {
        *api.enum("columns_async", newer=True),
        *(*ordered(), *targeting.known(), *GRANULARITIES),
        *(*STREAM_GROUPS, *STREAMS),
        *CONFIG_SCHEMA["properties"]["entity_statuses"]["items"]["enum"],
    }
    assert {name for names in _MEANT.values() for name in names} <= known
