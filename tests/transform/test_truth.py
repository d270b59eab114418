"""The models equal Pinterest's own numbers, on two days."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from built_models import DAY_1, DAY_2, ENCODED, ROUNDING, WEEK, sums
from scripts.dbt_project import ENDS_WELL, PROJECT
from test_transform import properties

if TYPE_CHECKING:
    from decimal import Decimal
    from typing import LiteralString

    from built_models import World

pytestmark = pytest.mark.dbt

ALL = "SELECT * FROM "
BY_LEVEL = {
    "pinterest__account_daily": "ad_account_analytics",
    "pinterest__campaign_daily": "campaign_analytics",
    "pinterest__ad_group_daily": "ad_group_analytics",
    "pinterest__ad_daily": "ad_analytics",
    "pinterest__url_daily": "ad_analytics",
    # Every ad's numbers are divided over countries and regions, without remainder.
    "pinterest__country_daily": "campaign_analytics",
    "pinterest__region_daily": "campaign_analytics",
}


def same(found: dict[str, Any], known: dict[str, Decimal]) -> bool:
    """Whether sums agree to the rounding of each row to millionths."""
    return all(abs((found[name] or 0) - value) < ROUNDING for name, value in known.items())


@pytest.mark.parametrize("day", [DAY_1, DAY_2], ids=["day 1", "day 2"])
@pytest.mark.parametrize("model", BY_LEVEL)
def test_a_report_adds_up_to_pinterests_numbers(world: World, model: str, day: Any) -> None:
    known = sums(world.truth[day][BY_LEVEL[model]])
    assert known["spend"] > 0
    assert same(world.sums[day][model], known), (world.sums[day][model], known)


@pytest.mark.parametrize("level", ["campaign", "ad_group", "ad"])
def test_every_row_has_pinterests_numbers(world: World, level: str) -> None:
    rows = world.rows(ALL + f"pinterest__{level}_daily")
    found = {(row[f"{level}_id"], row["date"].isoformat()): row for row in rows}
    known = world.truth[DAY_2][f"{level}_analytics"]
    name = {"campaign": "CAMPAIGN_ID", "ad_group": "AD_GROUP_ID", "ad": "AD_ID"}[level]
    assert len(found) == len(known)
    for row in known:
        assert same(found[str(row[name]), row["DATE"]], sums([row])), row


def test_conversions_that_came_late_are_in_the_second_build(world: World) -> None:
    before, after = (
        sums([row for row in world.truth[day]["ad_analytics"] if row["DATE"] < "2026-11-19"])
        for day in (DAY_1, DAY_2)
    )
    assert after["conversions"] > before["conversions"]
    found = world.one(
        "SELECT sum(conversions) AS conversions FROM pinterest__ad_daily WHERE date < '2026-11-19'"
    )
    assert found["conversions"] == after["conversions"]


def test_the_second_build_writes_only_part_of_the_rows(world: World) -> None:
    status, message = world.built[DAY_2].nodes["model.tap_pinterest.int_pinterest__ad_daily"]
    assert status == "success"
    assert message.startswith("INSERT")


def test_archived_ads_have_their_numbers(world: World) -> None:
    found = world.one(
        "SELECT sum(spend) AS spend FROM pinterest__ad_daily WHERE ad_status = 'ARCHIVED'"
    )
    archived = {row["id"] for row in world.rows("SELECT id FROM ads WHERE status = 'ARCHIVED'")}
    rows = [row for row in world.truth[DAY_2]["ad_analytics"] if str(row["AD_ID"]) in archived]
    assert found["spend"] == sums(rows)["spend"] > 0


def test_each_currency_adds_up_alone(world: World) -> None:
    of_account = {
        row["id"]: row["currency"] for row in world.rows("SELECT id, currency FROM ad_accounts")
    }
    known: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in world.truth[DAY_2]["ad_analytics"]:
        known[of_account[str(row["AD_ACCOUNT_ID"])]].append(row)
    by_currency = {name: sums(rows)["spend"] for name, rows in known.items()}
    assert len(by_currency) == 2
    for query in (
        "SELECT currency, sum(spend) AS spend FROM pinterest__ad_daily GROUP BY 1",
        "SELECT currency, sum(spend) AS spend FROM pinterest__url_daily GROUP BY 1",
        (
            "SELECT original_currency AS currency, sum(total_spend) AS spend"
            " FROM vendor_performance WHERE attribution_window = '30/30/1' GROUP BY 1"
        ),
    ):
        found = {row["currency"]: row["spend"] for row in world.rows(query)}
        assert found.keys() == by_currency.keys()
        assert all(abs(found[name] - spend) < ROUNDING for name, spend in by_currency.items())


def test_an_account_without_rows_has_freshness_and_no_report(world: World) -> None:
    accounts = {row["id"] for row in world.rows("SELECT id FROM ad_accounts")}
    (empty,) = accounts - {
        row["ad_account_id"] for row in world.rows("SELECT * FROM pinterest__account_daily")
    }
    fresh = world.one("SELECT * FROM pinterest__freshness WHERE ad_account_id = %s", empty)
    assert fresh["newest_date"] is None
    assert fresh["newest_delivery_date"] == DAY_1
    # The conversions of a day are complete a day later.
    assert fresh["newest_complete_date"] == DAY_1 - timedelta(days=1)
    assert fresh["age_hours"] == 6
    assert fresh["told_by"] == "sync_log"


FRESH = (
    "SELECT DISTINCT newest_delivery_date, newest_complete_date, told_by FROM pinterest__freshness"
)
NEVER_CAME: LiteralString = """
    UPDATE sync_log SET result = 'failed', failed = true WHERE stream = 'campaign_analytics'
"""
NOT_ASKED_FOR: LiteralString = """
    DELETE FROM sync_log
     WHERE stream = 'campaign_analytics' AND run_id = (SELECT max(run_id) FROM sync_log)
"""
REFUSED: LiteralString = """
    INSERT INTO sync_log (run_id, stream, account_id, result, failed)
    SELECT DISTINCT '20990101T000000Z-0', stream, '(none)', 'failed', true FROM sync_log
"""


@pytest.mark.parametrize(
    ("change", "freshness"),
    [
        (NEVER_CAME, (None, None, "sync_log")),
        (NOT_ASKED_FOR, (DAY_1, DAY_1 - timedelta(days=1), "sync_log")),
        (REFUSED, (DAY_1, DAY_1 - timedelta(days=1), "sync_log")),
    ],
    ids=["a report never came", "a report is not asked for any more", "a token is refused"],
)
def test_freshness_is_of_the_reports_that_the_last_run_asked_for(
    world: World, change: LiteralString, freshness: tuple[object, ...]
) -> None:
    with world.db.transaction(force_rollback=True):
        world.db.execute(change)
        found = world.rows(FRESH)
    assert [tuple(row.values()) for row in found] == [freshness]


def test_a_report_that_has_never_come_warns(world: World) -> None:
    test = (PROJECT / "tests" / "numbers_are_of_yesterday.sql").read_text("utf-8")
    text = test.replace("{{ config(severity='warn') }}", "")
    query = re.sub(r"{{ \w+\('(?:pinterest_warn_hours', )?(\w+)'?\) }}", r"\1", text)
    with world.db.transaction(force_rollback=True):
        world.db.execute(NEVER_CAME)
        found = world.rows(query)
    assert len(found) == len(world.rows("SELECT id FROM ad_accounts"))


@pytest.mark.parametrize("model", ["pinterest__ad_daily", "pinterest__keyword_daily"])
def test_a_campaign_that_is_gone_keeps_its_numbers_and_last_name(world: World, model: str) -> None:
    before = world.sum_of(model)
    with world.db.transaction(force_rollback=True):
        gone = world.one(
            "DELETE FROM campaigns WHERE id = (SELECT max(campaign_id) FROM"  # noqa: S608 - ours
            f" {model}) RETURNING id, name"
        )
        assert world.sum_of(model) == before
        rows = world.rows(
            f"SELECT DISTINCT campaign_name FROM {model} WHERE campaign_id = %s",  # noqa: S608
            gone["id"],
        )
    assert [row["campaign_name"] for row in rows] == [gone["name"]]


def test_a_link_is_taken_apart_and_one_without_parameters_stays(world: World) -> None:
    rows = world.rows(
        "SELECT DISTINCT destination_url, url_host, url_path, utm_source, utm_medium,"
        " utm_campaign, utm_term FROM pinterest__url_daily"
    )
    rows = [row for row in rows if row["url_host"] != "encoded.example.com"]
    with_utm = [row for row in rows if row["utm_source"]]
    assert [
        (row["url_host"], row["url_path"], row["utm_source"], row["utm_medium"]) for row in with_utm
    ] == [("shop.example.com", "/sale", "pinterest", "paid")]
    assert {row["utm_term"] for row in rows} == {row["utm_campaign"] for row in rows} == {None}
    assert any(row["url_host"] and not row["utm_source"] for row in rows)
    assert any(row["destination_url"] is None for row in rows)


def test_a_parameter_has_its_text_and_what_is_no_text_stays(world: World) -> None:
    rows = world.rows(
        "SELECT destination_url, utm_campaign FROM int_pinterest__links"
        " WHERE url_host = 'encoded.example.com'"
    )
    found = {row["destination_url"].partition("utm_campaign=")[2]: row for row in rows}
    assert {text: row["utm_campaign"] for text, row in found.items()} == ENCODED


def test_windows_stand_side_by_side_and_no_report_adds_them(world: World) -> None:
    rows = world.rows(
        "SELECT attribution_window, count(*) AS rows, sum(total_spend) AS spend,"
        " sum(vendor_reported_orders) AS orders FROM vendor_performance GROUP BY 1 ORDER BY 1"
    )
    month, week = rows
    assert (month["attribution_window"], week["attribution_window"]) == ("30/30/1", "7/7/0")
    known = sums(world.truth[DAY_2]["ad_analytics"])
    assert month["spend"] == week["spend"] == known["spend"]
    assert month["orders"] == known["checkouts"] > week["orders"] > 0
    assert month["rows"] + week["rows"] == len(
        world.rows("SELECT DISTINCT id FROM vendor_performance")
    )
    in_week = world.rows(ALL + "pinterest__ad_window_daily")
    assert {row["report"] for row in in_week} == {WEEK}
    assert sum(row["checkouts"] or 0 for row in in_week) == week["orders"]


def test_all_levels_agree(world: World) -> None:
    rows = world.rows(ALL + "pinterest__reconciliation")
    assert Counter(row["level"] for row in rows).keys() == {"campaign", "ad_group", "ad"}
    assert len(rows) > 60
    assert [row for row in rows if not row["is_equal"]] == []


def test_keywords_have_their_words_and_equal_their_table(world: World) -> None:
    found = world.sum_of("pinterest__keyword_daily")
    table = world.one(
        "SELECT count(*) AS rows, sum(spend_in_micro_dollar) / 1000000 AS spend"
        " FROM keyword_analytics"
    )
    assert found["rows"] == table["rows"] > 0
    assert abs(found["spend"] - table["spend"]) < ROUNDING
    assert world.rows("SELECT 1 FROM pinterest__keyword_daily WHERE keyword IS NULL") == []


def test_organic_numbers_equal_their_table(world: World) -> None:
    model = world.one(
        "SELECT sum(impressions) AS impressions, sum(saves) AS saves"
        " FROM pinterest__organic_account_daily"
    )
    table = world.one(
        "SELECT sum(impression) AS impressions, sum(save) AS saves FROM user_account_analytics"
        " WHERE split_field = 'NO_SPLIT'"
    )
    assert model == table
    assert model["impressions"] > 0


def test_history_keeps_earlier_states_of_an_entity(world: World) -> None:
    states: defaultdict[str, list[Any]] = defaultdict(list)
    for row in world.rows(ALL + "pinterest__ad_history ORDER BY dbt_valid_from"):
        states[row["ad_id"]].append(row["dbt_valid_to"])
    assert len(states) == world.one("SELECT count(*) FROM ads")["count"]
    for ends in states.values():
        assert ends[-1] is None
        assert None not in ends[:-1]
    assert max(map(len, states.values())) > 1


def test_a_removed_pin_is_listed_and_its_removal_ends_when_it_returns(world: World) -> None:
    (row,) = world.rows(ALL + "pinterest__removed WHERE stream = 'pins'")
    removed = {(each["stream"], each["id"]) for each in world.rows(ALL + "pinterest__removed")}
    (board,) = world.rows("SELECT board_id FROM pins WHERE id = %s", world.gone)
    history = ALL + "pinterest__removed_history WHERE stream = 'pins'"

    assert (row["id"], row["missed_lists"]) == (world.gone, 1)
    assert (row["last_listed_at"].date(), row["first_missed_at"].date()) == (DAY_1, DAY_2)
    assert {("pins", world.gone), ("board_pins", f"{board['board_id']}/{world.gone}")} <= removed
    assert {each.rpartition("/")[2] for _, each in removed} == {world.gone}
    assert world.one(history)["dbt_valid_to"] is None

    listed = "UPDATE listed_items SET listed_at = %s WHERE stream = 'pins' AND id = %s"
    world.db.execute(listed, (row["first_missed_at"], world.gone))
    world.dbt().build("--select", "pinterest__removed_history")
    assert world.rows(ALL + "pinterest__removed WHERE stream = 'pins'") == []
    assert world.one(history)["dbt_valid_to"] is not None
    world.db.execute(listed, (row["last_listed_at"], world.gone))


def test_every_model_has_the_columns_that_are_described_in_that_order(world: World) -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in world.rows(
        "SELECT table_schema, table_name, column_name FROM information_schema.columns"
        " WHERE table_schema IN (current_schema, 'ums', 'pinterest_ads') ORDER BY ordinal_position"
    ):
        found[row["table_name"]].append(row["column_name"])
    for name, model in properties().items():
        alias = {"ums__vendor_performance": "vendor_performance"}.get(name, name)
        alias = alias.removeprefix("fivetran_source__")
        assert found[alias] == [each["name"] for each in model["columns"]], name


def test_money_is_numeric_in_every_model(world: World) -> None:
    rows = world.rows(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema IN (current_schema, 'ums', 'pinterest_ads')"
        " AND data_type IN ('real', 'double precision')"
    )
    assert rows == []


def test_no_model_or_test_is_left_out(world: World) -> None:
    for day in (DAY_1, DAY_2):
        statuses = {status for status, _ in world.built[day].nodes.values()}
        assert statuses <= ENDS_WELL
    assert world.built[DAY_2].statuses("test")["pass"] > 80
