"""Answers agree with each other: parents and children, filters, and lists."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import Sandbox, WorldSize, api, records
from pinterest_sandbox.calendar import unix_seconds
from pinterest_sandbox.kinds.business import businesses

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client

TODAY = date(2026, 11, 20)
_ACCOUNT = "/ad_accounts/{ad_account_id}"
_NO_END = 10**11
ALL_STATUSES = ["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT"]


def _ids(records: list[dict[str, Any]], name: str = "id") -> list[str]:
    return [record[name] for record in records]


def test_keywords_without_a_filter_are_those_of_the_account(client: Client, account: str) -> None:
    campaign = client.everything(f"{account}/campaigns")[0]["id"]
    groups = _ids(client.everything(f"{account}/ad_groups"))

    own = client.everything(f"{account}/keywords")
    of_campaign = client.everything(f"{account}/keywords", campaign_id=campaign)
    of_groups = [
        keyword
        for group in groups
        for keyword in client.everything(f"{account}/keywords", ad_group_id=group)
    ]

    assert {keyword["parent_id"] for keyword in own} == {account.rsplit("/", maxsplit=1)[-1]}
    assert {keyword["parent_id"] for keyword in of_campaign} <= {campaign}
    assert {keyword["parent_id"] for keyword in of_groups} <= set(groups)
    assert {keyword["match_type"] for keyword in own} <= {"EXACT_NEGATIVE", "PHRASE_NEGATIVE"}
    assert "BROAD" in {keyword["match_type"] for keyword in of_groups}


def test_product_group_promotions_need_a_filter(client: Client, account: str) -> None:
    path = f"{account}/product_group_promotions"
    assert client.refused(path)[0] == 400

    promotions = [
        promotion
        for group in _ids(client.everything(f"{account}/ad_groups", entity_statuses=ALL_STATUSES))
        for promotion in client.everything(path, ad_group_id=group, entity_statuses=ALL_STATUSES)
    ]
    wanted = _ids(promotions)[:3]

    by_id = client.everything(
        path, product_group_promotion_ids=wanted, ad_group_id="1", entity_statuses=ALL_STATUSES
    )
    assert sorted(_ids(by_id)) == sorted(wanted)
    groups = {group["id"] for _, group in client.sandbox.truth("GET /catalogs/product_groups")}
    own = {promotion["catalog_product_group_id"] for promotion in promotions}
    assert own <= groups


def test_owned_and_received_audiences_differ(client: Client, account: str) -> None:
    owned = client.everything(f"{account}/audiences")
    received = client.everything(f"{account}/audiences", ownership_type="RECEIVED")

    assert owned
    assert received
    assert not set(_ids(owned)) & set(_ids(received))
    shared = f"{account}/audiences/shared/accounts"
    query = {"audience_id": received[0]["id"], "account_type": "AD_ACCOUNT"}
    assert client.refused(shared, **query)[0] == 404


def test_pins_on_a_shared_board_are_not_all_the_users(client: Client) -> None:
    own = set(_ids(client.everything("/pins", include_protected_pins="true")))
    boards = client.everything("/boards")

    on_boards = {board["id"]: client.everything(f"/boards/{board['id']}/pins") for board in boards}

    others = [pin for pins in on_boards.values() for pin in pins if pin["id"] not in own]
    assert others
    assert not any(pin["is_owner"] for pin in others)
    assert own <= {pin["id"] for pins in on_boards.values() for pin in pins}
    for board in boards:
        assert board["pin_count"] == len(on_boards[board["id"]])


def test_section_pins_are_the_boards_pins_that_name_the_section(client: Client) -> None:
    for board in client.everything("/boards"):
        path = f"/boards/{board['id']}"
        pins = client.everything(f"{path}/pins")
        for section in client.everything(f"{path}/sections"):
            expected = [pin for pin in pins if pin.get("board_section_id") == section["id"]]
            assert client.everything(f"{path}/sections/{section['id']}/pins") == expected


def test_processing_results_have_one_page_only(serve: Callable[..., Client]) -> None:
    client = serve(size=WorldSize(processing_results=9))
    feed = client.everything("/catalogs/feeds")[0]["id"]
    path = f"/catalogs/feeds/{feed}/processing_results"

    assert client.get(path, page_size=4)["bookmark"] is None
    assert len(client.get(path, page_size=4)["items"]) == 4
    assert len(client.get(path, page_size=250)["items"]) == 9


def test_item_issues_are_filtered_by_one_thing_at_a_time(client: Client) -> None:
    issues = [
        (values["processing_result_id"], issue)
        for values, issue in client.sandbox.truth(
            "GET /catalogs/processing_results/{processing_result_id}/item_issues"
        )
        if issue["errors"]
    ]
    result, issue = issues[0]
    path = f"/catalogs/processing_results/{result}/item_issues"
    code, number = next(iter(issue["errors"])), issue["item_number"]

    assert issue in client.everything(path, item_validation_issue=code)
    assert client.everything(path, item_numbers=[number]) == [issue]
    both = client.refused(path, item_numbers=[number], item_validation_issue=code)
    assert both[:2] == (501, 4181)


def test_every_type_of_catalog_feed_and_group_occurs(client: Client) -> None:
    for path in ("/catalogs", "/catalogs/feeds", "/catalogs/product_groups"):
        types = {record["catalog_type"] for record in client.everything(path)}
        assert types == {"RETAIL", "HOTEL", "CREATIVE_ASSETS"}


def test_product_groups_are_filtered_by_catalog_and_id(client: Client) -> None:
    groups = client.everything("/catalogs/product_groups")
    catalog = groups[0]["catalog_id"]

    of_catalog = client.everything("/catalogs/product_groups", catalog_id=catalog)
    by_id = client.everything("/catalogs/product_groups", id=f"{groups[0]['id']},{groups[3]['id']}")

    assert of_catalog == [group for group in groups if group["catalog_id"] == catalog]
    assert by_id == [groups[0], groups[3]]


def test_members_and_their_assets_agree_with_assets_and_their_members(client: Client) -> None:
    by_member = {
        (values["business_id"], values["member_id"], asset["asset_id"])
        for values, asset in client.sandbox.truth(
            "GET /businesses/{business_id}/members/{member_id}/assets"
        )
    }
    by_asset = {
        (values["business_id"], access["user"]["id"], values["asset_id"])
        for values, access in client.sandbox.truth(
            "GET /businesses/{business_id}/assets/{asset_id}/members"
        )
    }

    assert by_member == by_asset != set()


def test_assets_that_were_shared_have_no_partners(client: Client) -> None:
    own, *_ = businesses(client.sandbox.world)
    shared = [asset for asset in own.assets if not asset.owned]

    assert shared
    for asset in shared:
        assert client.everything(f"/businesses/{own.id}/assets/{asset.id}/partners") == []


def test_start_index_skips(client: Client) -> None:
    path = f"/businesses/{businesses(client.sandbox.world)[0].id}/members"

    assert client.everything(path, start_index=2) == client.everything(path)[2:]


def test_order_lines_name_the_campaigns_that_name_them(client: Client, account: str) -> None:
    campaigns = client.everything(f"{account}/campaigns", entity_statuses=ALL_STATUSES)

    for line in client.everything(f"{account}/order_lines"):
        expected = [each["id"] for each in campaigns if each["order_line_id"] == line["id"]]
        assert line["campaign_ids"] == expected


def test_templates_and_forms_that_ads_name_exist(client: Client, account: str) -> None:
    forms = set(_ids(client.everything(f"{account}/lead_forms")))
    templates = set(_ids(client.everything(f"{account}/targeting_templates")))

    ads = client.everything(f"{account}/ads", entity_statuses=ALL_STATUSES)
    groups = client.everything(f"{account}/ad_groups", entity_statuses=ALL_STATUSES)

    named = {name for group in groups for name in group.get("targeting_template_ids") or ()}
    assert {ad.get("lead_form_id") for ad in ads} - {None} <= forms
    assert named <= templates


def test_ad_groups_run_within_the_time_of_their_campaign(client: Client) -> None:
    for account in client.sandbox.world.ad_accounts:
        path = {"ad_account_id": account.id}
        campaigns = {
            campaign["id"]: campaign
            for _, campaign in client.sandbox.truth(f"GET {_ACCOUNT}/campaigns", **path)
        }
        for _, group in client.sandbox.truth(f"GET {_ACCOUNT}/ad_groups", **path):
            campaign = campaigns[group["campaign_id"]]
            ends = [each["end_time"] or _NO_END for each in (group, campaign)]

            assert campaign["start_time"] <= group["start_time"] < ends[0]
            assert group["end_time"] is None or ends[0] <= ends[1]


def test_nothing_is_delivered_before_the_start_or_after_the_end(client: Client) -> None:
    for account in client.sandbox.world.ad_accounts:
        ads, groups = account.ads, account.ad_groups
        for number, last in zip(ads.parent.tolist(), ads.end_day.tolist(), strict=True):
            start, end = records.ad_group_times(account, number)
            campaign = records.campaign_end(account, int(groups.parent[number]))

            assert unix_seconds(int(groups.first_day[number]) + 1) > start
            assert unix_seconds(last) <= min(end or _NO_END, campaign or _NO_END)


def test_delivery_metrics_define_every_column(client: Client) -> None:
    for report_type, ordered in (("SYNC", False), ("ASYNC", True)):
        items = client.get("/resources/delivery_metrics", report_type=report_type)["items"]
        names = _ids(items, "name")

        assert len(names) == len(set(names))
        assert set(api.columns(ordered=ordered)) <= set(names)
        assert {item["category"] for item in items} == {"ADS", "ORGANIC"}
        assert not all("display_name" in item for item in items)


def test_interests_form_a_tree(client: Client) -> None:
    (options,) = client.get("/resources/targeting/INTEREST")
    read = {each: client.get(f"/resources/targeting/interests/{each}") for each in options}

    children = {child for interest in read.values() for child in interest["child_interests"]}
    assert children < set(options)
    assert {read[child]["level"] for child in children} == {2}


def test_suggested_terms_begin_with_the_term(client: Client) -> None:
    terms = client.get("/terms/suggested", term="sport", limit=3)

    assert 0 < len(terms) <= 3
    assert all(term.startswith("sport") for term in terms)


def test_trends_change_with_the_day(serve: Callable[..., Client]) -> None:
    client = serve()
    path = "/trends/keywords/DE+AT+CH/top/monthly"
    first = client.get(path)
    assert client.get(path) == first

    client.sandbox.today = client.sandbox.today.replace(day=21)

    assert client.get(path) != first


@pytest.mark.parametrize("report", [{}, {"report_type": "FEED_INGESTION_ISSUES"}])
def test_report_stats_need_a_complete_report_parameter(client: Client, report: Any) -> None:
    query = {f"parameters[report][{name}]": value for name, value in report.items()}

    status, _, message = client.refused(
        "/catalogs/reports/stats", **{"parameters[catalog_type]": "RETAIL"}, **query
    )

    assert status == 400
    assert "parameters[report]" in message


def test_names_hold_a_nul_if_the_size_says_so(serve: Callable[..., Client]) -> None:
    client = serve(size=WorldSize(nul=True))
    account = client.sandbox.world.ad_accounts[0].id

    assert "\x00" in client.everything(f"/ad_accounts/{account}/audiences")[0]["name"]


def test_empty_accounts_have_no_records(client: Client) -> None:
    empty = client.sandbox.world.ad_accounts[-1]

    for name in ("audiences", "promotions", "keywords", "order_lines", "customer_lists"):
        assert client.everything(f"/ad_accounts/{empty.id}/{name}") == []


def test_truth_takes_fixed_parameters_and_says_what_it_needs() -> None:
    sandbox = Sandbox(seed=7, today=TODAY)
    key = "GET /ad_accounts/{ad_account_id}/promotions"
    account = sandbox.world.ad_accounts[0].id

    only = list(sandbox.truth(key, ad_account_id=account))

    assert [values for values, _ in only] == [{"ad_account_id": account}] * len(only)
    with pytest.raises(ValueError, match="term"):
        next(sandbox.truth("GET /terms/suggested"))
