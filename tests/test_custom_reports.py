"""Reports that the config defines: streams of their own, checked before the first call."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from pinterest_sandbox import Sandbox, WorldSize
from singer_run import run, settings
from tap_pinterest.api.levels import ordered
from tap_pinterest.config import Settings, problems
from tap_pinterest.streams.analytics import report_at
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_pinterest.streams.analytics import LevelReport


TODAY = date(2026, 11, 20)
WORLD = WorldSize(accounts=2, empty_accounts=1, campaigns=3, ad_groups=5, ads=9, boards=1, pins=3)
CREATE = "POST /ad_accounts/{ad_account_id}/reports"
LIST_ADS = "GET /ad_accounts/{ad_account_id}/ads"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Without quotas: a test's clock does not wait for those of the sandbox."""
    with Sandbox(seed=9, today=TODAY, size=WORLD, access_tier="unlimited") as sandbox:
        yield sandbox


def config_of(sandbox: Sandbox, *reports: dict[str, Any], **more: Any) -> dict[str, Any]:
    config = {"start_date": "10 days ago", "report_columns": ["TOTAL_IMPRESSION"], **more}
    return settings(sandbox, custom_reports=list(reports), **config)


def faults(*reports: Any) -> list[str]:
    return problems({"access_token": "x", "custom_reports": list(reports)})


def test_a_definition_is_a_stream_with_its_own_columns_windows_and_days(sandbox: Sandbox) -> None:
    report: dict[str, Any] = {
        "name": "last_click",
        "level": "CAMPAIGN",
        "columns": ["TOTAL_CHECKOUT", "SPEND_IN_MICRO_DOLLAR"],
        "click_window_days": 1,
        "engagement_window_days": 0,
        "view_window_days": 0,
        "start_date": "3 days ago",
    }
    result = run(config_of(sandbox, report), "last_click", "campaign_analytics")
    records = result.records("last_click")

    assert result.code == 0
    assert {each["date"] for each in records} <= {"2026-11-17", "2026-11-18", "2026-11-19"}
    assert {each["click_window_days"] for each in records} == {1}
    assert {each["view_window_days"] for each in records} == {0}
    assert "total_checkout" in records[0]
    assert "total_impression" not in records[0]
    others = result.records("campaign_analytics")
    assert {each["click_window_days"] for each in others} == {30}
    assert "last_click" in result.state["bookmarks"]


def test_several_windows_stand_side_by_side(sandbox: Sandbox) -> None:
    reports: list[dict[str, Any]] = [
        {"name": f"checkouts_{days}", "level": "ADVERTISER", "click_window_days": days}
        | {"engagement_window_days": days}
        | {"columns": ["TOTAL_CONVERSIONS"], "start_date": "60 days ago"}
        for days in (1, 30)
    ]
    result = run(config_of(sandbox, *reports), "checkouts_1", "checkouts_30")
    assert result.code == 0
    counts = [
        sum(each["total_conversions"] or 0 for each in result.records(report["name"]))
        for report in reports
    ]

    assert 0 < counts[0] < counts[1]


def test_columns_that_only_reports_have_make_a_custom_report_asynchronous(sandbox: Sandbox) -> None:
    report: dict[str, Any] = {
        "name": "running",
        "level": "AD_GROUP",
        "columns": ["AD_GROUP_STATUS"],
    }
    filtered: dict[str, Any] = {
        "name": "big",
        "level": "PIN_PROMOTION",
        "columns": ["SPEND_IN_DOLLAR"],
    }
    filtered["metrics_filters"] = [
        {"field": "SPEND_IN_DOLLAR", "operator": "GREATER_THAN", "values": [20]}
    ]
    result = run(config_of(sandbox, report, filtered), "running", "big")
    called = {each.operation for each in sandbox.requests if "analytics" in str(each.operation)}

    assert result.code == 0
    assert not called
    assert all(each["ad_group_status"] for each in result.records("running"))
    assert min(each["spend_in_dollar"] for each in result.records("big")) > 20


def test_granularity_and_targeting_types_shape_the_key(sandbox: Sandbox) -> None:
    report: dict[str, Any] = {"name": "who", "level": "CAMPAIGN_TARGETING", "granularity": "TOTAL"}
    report["targeting_types"] = ["GENDER", "APPTYPE"]
    result = run(config_of(sandbox, report), "who")
    keys = result.tap.streams["who"].primary_keys

    assert tuple(keys) == ("campaign_id", "targeting_type", "targeting_value", "start_date", "date")
    found = [tuple(each[key] for key in keys) for each in result.records("who")]
    assert len(found) == len(set(found)) > 0
    assert {each["targeting_type"] for each in result.records("who")} == {"GENDER", "APPTYPE"}


@pytest.mark.parametrize("other", ["COUNTRY", "CREATIVE_ENHANCEMENTS"])
def test_combined_types_are_one_breakdown_also_if_one_is_in_beta(other: str) -> None:
    report: dict[str, Any] = {
        "name": "pairs",
        "level": "ADVERTISER_TARGETING",
        "combine_targeting_types": True,
    }
    report["targeting_types"] = ["GENDER", other]
    with Sandbox(seed=9, today=TODAY, size=WORLD, access_tier="unlimited", withheld=()) as sandbox:
        result = run(config_of(sandbox, report), "pairs")

    assert result.code == 0
    assert {each["targeting_type"] for each in result.records("pairs")} == {f"GENDER_AND_{other}"}
    assert all("&" in each["targeting_value"] for each in result.records("pairs"))


def test_a_breakdown_by_types_that_its_level_lacks_is_logged(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    report: dict[str, Any] = {"name": "who", "level": "AD_GROUP_TARGETING"}
    result = run(config_of(sandbox, report, targeting_types=["CREATIVE_TYPE"]), "who")

    assert result.records("who") == []
    assert "who reads nothing: its level has none of the targeting_types (CREATIVE_TYPE)" in (
        caplog.text
    )


def test_a_metric_of_an_own_event_is_a_column(sandbox: Sandbox) -> None:
    event = {"custom_event_metrics_type": "ADE_TOTAL_CONVERSIONS", "custom_event_name": "Quiz done"}
    report: dict[str, Any] = {"name": "quiz", "level": "CAMPAIGN", "columns": ["SPEND_IN_DOLLAR"]}
    report["custom_conversion_event_metrics"] = [event]
    result = run(config_of(sandbox, report), "quiz")

    assert result.code == 0
    assert any(each["ade_total_conversions_quiz_done"] for each in result.records("quiz"))
    assert result.tap.run.summary.of("quiz").unknown == {}


def test_each_custom_report_may_have_all_or_the_default_columns(
    sandbox: Sandbox,
) -> None:
    reports = [
        {"name": name, "level": "CAMPAIGN", "columns": columns}
        for name, columns in (("few", None), ("some", ["default"]), ("most", "All"))
    ]
    streams = TapPinterest(config=config_of(sandbox, *reports)).streams
    few, some, most = (
        streams[each].schema["properties"].keys() for each in ("few", "some", "most")
    )

    assert few < some < most
    assert "total_impression" in few


def test_a_report_keeps_its_own_filters_whatever_list_it_shares(sandbox: Sandbox) -> None:
    ads = run(config_of(sandbox), "ads").records("ads")
    one = ads[0]
    other = next(each for each in ads if each["campaign_id"] != one["campaign_id"])
    both = {"level": "PIN_PROMOTION", "ad_ids": [one["id"], other["id"]]}
    reports: list[dict[str, Any]] = [
        {"name": "narrow", **both, "campaign_ids": [one["campaign_id"]]},
        {"name": "wide", **both},
        {"name": "narrow_again", **both, "campaign_ids": [other["campaign_id"]]},
    ]
    sandbox.requests.clear()
    result = run(
        config_of(sandbox, *reports, start_date="90 days ago"), *(each["name"] for each in reports)
    )
    found = {
        each["name"]: {row["ad_id"] for row in result.records(each["name"])} for each in reports
    }

    assert found == {
        "narrow": {one["id"]},
        "wide": {one["id"], other["id"]},
        "narrow_again": {other["id"]},
    }
    listed = [each for each in sandbox.requests if each.operation == LIST_ADS]
    accounts = {each.ad_account_id for each in listed}
    assert len(listed) == len(accounts)


@pytest.mark.parametrize(
    ("level", "key", "below"),
    [
        ("ADVERTISER", "ad_account_id", "campaign_id"),
        ("CAMPAIGN", "campaign_id", "ad_group_id"),
        ("AD_GROUP", "ad_group_id", "ad_id"),
    ],
)
def test_filters_below_the_level_narrow_the_numbers(
    sandbox: Sandbox, level: str, key: str, below: str
) -> None:
    days = {"start_date": "40 days ago"}
    ads = run(config_of(sandbox, **days), "ad_analytics").records("ad_analytics")
    above: dict[str, set[str]] = {}
    for each in ads:
        above.setdefault(each[key], set()).add(each[below])
    one = next(min(several) for several in above.values() if len(several) > 1)
    report: dict[str, Any] = {"name": "part", "level": level, f"{below}s": [one]}
    result = run(config_of(sandbox, report, **days), "part")
    found = Counter[str]()
    for each in result.records("part"):
        found[each["date"]] += each["total_impression"] or 0
    expected = Counter[str]()
    for each in ads:
        expected[each["date"]] += (each["total_impression"] or 0) * (each[below] == one)

    assert result.code == 0
    assert +found == +expected != Counter()


@pytest.mark.parametrize(
    ("column", "key"),
    [
        ("CAMPAIGN_BRAND_LABEL", "campaign_brand_label"),
        ("CAMPAIGN_CUSTOM_LABELS", "campaign_custom_label"),
        ("CAMPAIGN_STATUS", "campaign_statuses"),
        ("CAMPAIGN_OBJECTIVE_TYPE", "campaign_objective_types"),
        ("AD_GROUP_STATUS", "ad_group_statuses"),
        ("AD_STATUS", "ad_statuses"),
    ],
)
def test_a_report_can_be_filtered_by_label_status_or_objective(column: str, key: str) -> None:
    size = WorldSize(accounts=1, empty_accounts=0, campaigns=9, ad_groups=15, ads=45)
    own = {"level": "PIN_PROMOTION", "columns": [column], "start_date": "300 days ago"}
    field = column.lower()
    with Sandbox(seed=9, today=TODAY, size=size, access_tier="unlimited") as sandbox:
        rows = run(config_of(sandbox, {"name": "whole", **own}), "whole").records("whole")
        one, *others = sorted({each[field] or "" for each in rows}, reverse=True)
        result = run(config_of(sandbox, {"name": "part", **own, key: one}), "part")

    assert others
    assert result.code == 0
    found = {(each["ad_id"], each["date"]) for each in result.records("part")}
    assert found == {(each["ad_id"], each["date"]) for each in rows if each[field] == one}


@pytest.mark.parametrize("stream", [*map(report_at, ordered().values())], ids=ordered())
def test_an_order_names_the_ids_that_the_list_has_after_filters(
    stream: type[LevelReport],
) -> None:
    level = stream.level
    listed = stream.entities or stream.narrowed_by
    lists: list[Any] = [listed, *listed.parents()] if listed else []
    applied = {name for each in lists for name in each.id_filters}
    if stream.entities:
        applied.add(level.id_parameter)

    assert {*level.filters} == applied


def test_a_custom_report_that_is_refused_is_a_failure(sandbox: Sandbox) -> None:
    sandbox.fail("*/reports", status=403, times=None)
    report: dict[str, Any] = {"name": "words", "level": "KEYWORD"}
    result = run(config_of(sandbox, report), "words")

    assert result.code == 1
    assert result.tap.run.summary.of("words").failures


@pytest.mark.parametrize(
    ("report", "fault"),
    [
        ({"name": "x", "level": "PIN"}, "custom_reports.x.level: 'PIN' is refused; allowed: one"),
        ({"name": "X y", "level": "CAMPAIGN"}, "custom_reports.0.name: 'X y' is refused"),
        ({"name": "x"}, "custom_reports.x.level: None is refused"),
        (
            {"name": "x", "level": "CAMPAIGN", "colums": []},
            "custom_reports.x.colums: there is no such key; did you mean columns?",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "granularity": "HOUR", "columns": "CTR,total_lead"},
            "custom_reports.x.columns: total_lead is about conversions, which reports by HOUR do",
        ),
        (
            {
                "name": "x",
                "level": "CAMPAIGN",
                "granularity": "HOUR",
                "custom_conversion_event_metrics": [
                    {"custom_event_metrics_type": "ADE_TOTAL_CONVERSIONS", "custom_event_name": "a"}
                ],
            },
            "custom_reports.x.custom_conversion_event_metrics: refused; allowed: with any granul",
        ),
        (
            {
                "name": "x",
                "level": "CAMPAIGN",
                "custom_conversion_event_metrics": [
                    {
                        "custom_event_metrics_type": "ADE_TOTAL_CONVERSIONS",
                        "custom_event_name": name,
                    }
                    for name in ("Quiz done", "quiz-done")
                ],
            },
            "custom_reports.x.custom_conversion_event_metrics: 'quiz-done' is refused beside 'Quiz",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "ad_ids": list(range(501))},
            "custom_reports.x.ad_ids: 501 are given; allowed: at most 500 ids below the",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "columns": ["DATE"]},
            "custom_reports.x.columns: DATE is in every row already",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "targeting_types": ["GENDER"]},
            "custom_reports.x.targeting_types: refused; allowed: with a level whose name ends",
        ),
        (
            {"name": "x", "level": "AD_GROUP_TARGETING", "targeting_types": ["MEDIA_TYPE"]},
            "custom_reports.x.targeting_types: 'MEDIA_TYPE' is refused",
        ),
        (
            {"name": "x", "level": "PRODUCT_ITEM", "ad_ids": ["1"]},
            "custom_reports.x.ad_ids: refused; allowed: with any level but",
        ),
        (
            {"name": "x", "level": "PRODUCT_ITEM", "columns": ["PIN_PROMOTION_NAME"]},
            "custom_reports.x.columns: PIN_PROMOTION_NAME is not in reports of product items",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "campaign_statuses": ["AWAKE"]},
            "custom_reports.x.campaign_statuses.0: ",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "click_window_days": 3},
            "custom_reports.x.click_window_days: 3 is not one of",
        ),
        (
            {"name": "x", "level": "PRODUCT_ITEM", "ad_statuses": ["APPROVED"]},
            "custom_reports.x.ad_statuses: refused; allowed: with any level but",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "combine_targeting_types": True},
            "custom_reports.x.combine_targeting_types: refused; allowed: with a level whose name",
        ),
        (
            {"name": "x", "level": "CAMPAIGN_TARGETING", "combine_targeting_types": True},
            "custom_reports.x.targeting_types: refused; allowed: 1 to 5, to be combined",
        ),
        (
            {"name": "x", "level": "CAMPAIGN_TARGETING", "combine_targeting_types": True}
            | {"targeting_types": ["GENDER", "COUNTRY", "APPTYPE", "GEO", "REGION", "PLACEMENT"]},
            "custom_reports.x.targeting_types: refused; allowed: 1 to 5, to be combined",
        ),
        (
            {"name": "x", "level": "AD_TARGETING"},
            "custom_reports.x.level: 'AD_TARGETING' is refused; allowed: one of",
        ),
        (
            {"name": "x", "level": "PIN_PROMOTION_TARGETING", "ad_statuses": ["APPROVED"]}
            | {"targeting_types": ["QUIZ_RESULT"]},
            "custom_reports.x.targeting_types: 'QUIZ_RESULT' is refused; allowed: KEYWORD",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "ad_ids": ["mine"]},
            "custom_reports.x.ad_ids.0: 'mine' does not match",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "campaign_ids": []},
            "custom_reports.x.campaign_ids: [] should be non-empty",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "granularity": "YEAR"},
            "custom_reports.x.granularity: 'YEAR' is not one of",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "start_date": "soon"},
            "custom_reports.x.start_date: 'soon' is refused",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "start_date": "0001-01-01T00:00:00+14:00"},
            "custom_reports.x.start_date: '0001-01-01T00:00:00+14:00' is refused",
        ),
        (
            {"name": "x", "level": "CAMPAIGN", "targeting_types": False},
            "custom_reports.x.targeting_types: refused; allowed: with a level whose name ends in",
        ),
        (
            {"name": "x", "level": "CAMPAIGN_TARGETING", "targeting_types": [["GENDER"]]},
            "custom_reports.x.targeting_types: ['GENDER'] is refused; allowed: ",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_definition_is_refused_naming_report_and_key(
    report: dict[str, Any], fault: str
) -> None:
    (found,) = faults(report)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("given", "meant"),
    [(626700000001, ("626700000001",)), ("1, 2", ("1", "2")), ([1, "2"], ("1", "2"))],
    ids=str,
)
def test_ids_are_written_as_in_the_settings(given: Any, meant: tuple[str, ...]) -> None:
    report = {"name": "x", "level": "CAMPAIGN", "campaign_ids": given}
    config = {"access_token": "x", "custom_reports": [report]}

    assert problems(config) == []
    assert Settings.from_config(config).custom_reports[0].settings == {"campaign_ids": meant}


def test_a_list_of_a_custom_report_may_be_one_text_or_two_thousand_ids() -> None:
    report = {
        "name": "x",
        "level": "PIN_PROMOTION_TARGETING",
        "ad_ids": list(range(1, 2001)),
        "targeting_types": "GENDER,COUNTRY",
        "ad_statuses": "APPROVED",
        "columns": "ctr, CTR, spend_in_dollar",
    }
    config = {"access_token": "x", "custom_reports": [report]}

    assert problems(config) == []
    (parsed,) = Settings.from_config(config).custom_reports
    assert parsed.settings["targeting_types"] == ("GENDER", "COUNTRY")
    assert len(parsed.settings["ad_ids"]) == 2000
    assert parsed.columns == ("CTR", "SPEND_IN_DOLLAR")
    assert parsed.body == {"ad_statuses": ["APPROVED"]}


def test_faults_of_a_report_without_a_usable_name_have_its_number() -> None:
    report = {"name": "a\nb", "level": "CAMPAIGN", "start_date": "soon"}

    assert [each.partition(": ")[0] for each in faults(report)] == [
        "custom_reports.0.name",
        "custom_reports.0.start_date",
    ]


def test_all_faults_are_named_at_once() -> None:
    found = faults(
        {"name": "x", "level": "PIN", "columns": ["SPENT"], "view_window_days": 2},
        {"name": "x", "level": "CAMPAIGN"},
    )

    assert [each.split(":")[0] for each in found] == [
        *("custom_reports.x.level", "custom_reports.x.view_window_days"),
        *("custom_reports.x.name", "custom_reports.x.columns"),
    ]


def test_a_taken_name_and_an_unknown_field_are_named_at_once() -> None:
    reports = [{"name": "pins", "level": "CAMPAIGN"}]
    config = {"custom_reports": reports, "sync_key_fields": {"boards": ["nothing"]}}

    with pytest.raises(ConfigValidationError) as refused:
        TapPinterest(config=config, validate_config=False).catalog_dict  # noqa: B018

    assert [fault.split(":")[0] for fault in refused.value.errors] == [
        "custom_reports.pins.name",
        "sync_key_fields.boards",
    ]


def test_dates_of_a_report_have_to_go_with_those_of_the_settings() -> None:
    report = {"name": "mine", "level": "CAMPAIGN", "start_date": "2026-03-01"}
    config = {"start_date": "2026-01-01", "end_date": "2026-01-31", "custom_reports": [report]}

    (fault,) = problems(config, credentials=False)

    assert fault == (
        "custom_reports.mine.start_date: 2026-03-01 is refused; allowed: not after 2026-01-31"
    )


@pytest.mark.parametrize("name", ["campaigns", "ad_analytics_week"])
def test_a_name_of_another_stream_is_refused(name: str) -> None:
    config = {"access_token": "x", "custom_reports": [{"name": name, "level": "CAMPAIGN"}]}
    with pytest.raises(ConfigValidationError) as refused:
        TapPinterest(config=config).catalog_dict  # noqa: B018

    assert refused.value.errors == [
        f"custom_reports.{name}.name: refused; allowed: one that no stream of the tap has"
    ]
