from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import Style, WorldSize

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client
    from pinterest_sandbox.style import LastPage

ALL_STATUSES = ["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT"]


def _ids(records: list[dict[str, Any]]) -> list[str]:
    return [record["id"] for record in records]


@pytest.mark.parametrize("page_size", [1, 7, 60, 250])
def test_paging_meets_every_ad_once(client: Client, account: str, page_size: int) -> None:
    query = {"entity_statuses": ALL_STATUSES, "page_size": page_size}

    pages = list(client.pages(f"{account}/ads", **query))

    met = _ids([ad for page in pages for ad in page])
    assert sorted(met, key=int) == met
    assert len(met) == len(set(met)) == 60
    assert len(pages) == -(-60 // page_size)


def test_a_page_has_25_items_by_default(client: Client, account: str) -> None:
    assert len(client.get(f"{account}/ads", entity_statuses=ALL_STATUSES)["items"]) == 25
    # Its description has no default.
    assert client.get(f"{account}/customer_segments")["items"]


def test_descending_is_ascending_backwards(client: Client, account: str) -> None:
    upwards = _ids(client.everything(f"{account}/ads"))

    assert _ids(client.everything(f"{account}/ads", order="DESCENDING")) == upwards[::-1]


def test_archived_and_draft_entities_are_hidden_by_default(client: Client, account: str) -> None:
    shown = client.everything(f"{account}/ads")
    everything = client.everything(f"{account}/ads", entity_statuses=ALL_STATUSES)

    assert {ad["status"] for ad in shown} == {"ACTIVE", "PAUSED"}
    assert {ad["status"] for ad in everything} >= {"ACTIVE", "PAUSED", "ARCHIVED", "DRAFT"}


def test_a_bookmark_is_good_for_its_own_query_only(client: Client, account: str) -> None:
    bookmark = client.get(f"{account}/ads", page_size=5)["bookmark"]

    assert client.get(f"{account}/ads", page_size=9, bookmark=bookmark)["items"]
    assert client.refused(f"{account}/ads", bookmark=bookmark, order="DESCENDING")[0] == 400
    assert client.refused(f"{account}/campaigns", bookmark=bookmark)[0] == 400


def test_pages_can_be_empty_and_go_on(serve: Callable[..., Client]) -> None:
    client = serve(empty_pages=2)
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}/ads"

    sizes = [len(page) for page in client.pages(path, entity_statuses=ALL_STATUSES, page_size=15)]

    assert sizes == [15, 0, 15, 0, 10]


@pytest.mark.parametrize(("last_page", "pages"), [("empty", 3), ("full", 2)])
def test_the_list_of_pins_can_end_with_an_empty_page(
    serve: Callable[..., Client], last_page: LastPage, pages: int
) -> None:
    client = serve(style=Style(last_page=last_page), size=WorldSize(pins=8))
    pins = len(client.sandbox.world.user.pin_ids)
    sizes = [len(page) for page in client.pages("/pins", page_size=pins - 1)]

    assert sizes == [pins - 1, 1, 0][:pages]
    assert [len(page) for page in client.pages("/boards", page_size=250)] == [8]


def test_an_empty_account_has_an_empty_list_and_no_rows(client: Client) -> None:
    empty = client.sandbox.world.ad_accounts[-1]
    path = f"/ad_accounts/{empty.id}"

    assert client.get(f"{path}/campaigns") == {"items": [], "bookmark": None}
    report = {"start_date": "2026-11-01", "end_date": "2026-11-19", "granularity": "DAY"}
    assert client.get(f"{path}/analytics", columns="SPEND_IN_DOLLAR", **report) == []


def test_ids_filter_lists_and_follow_the_family(client: Client, account: str) -> None:
    campaigns = client.everything(f"{account}/campaigns", entity_statuses=ALL_STATUSES)
    wanted = _ids(campaigns)[2:5]

    picked = client.everything(f"{account}/campaigns", campaign_ids=wanted)
    groups = client.everything(
        f"{account}/ad_groups", campaign_ids=wanted, entity_statuses=ALL_STATUSES
    )
    of_campaigns = client.everything(
        f"{account}/ads", campaign_ids=wanted, entity_statuses=ALL_STATUSES
    )
    of_groups = client.everything(
        f"{account}/ads", ad_group_ids=_ids(groups), entity_statuses=ALL_STATUSES
    )

    assert set(_ids(picked)) <= set(wanted)
    assert {group["campaign_id"] for group in groups} <= set(wanted)
    assert of_campaigns == of_groups != []
    assert _ids(client.everything(f"{account}/ads", ad_ids=_ids(of_groups))) == _ids(
        [ad for ad in of_groups if ad["status"] in {"ACTIVE", "PAUSED"}]
    )


def test_ids_that_do_not_exist_select_nothing(client: Client, account: str) -> None:
    assert client.get(f"{account}/campaigns", campaign_ids=["1", "2"])["items"] == []


def test_shared_accounts_can_be_left_out(client: Client) -> None:
    everything = client.everything("/ad_accounts")
    own = client.everything("/ad_accounts", include_shared_accounts="false")

    assert len(everything) == 3
    assert {account["owner"]["id"] for account in own} == {client.sandbox.world.user.id}
    assert 0 < len(own) < len(everything)


def test_an_ad_account_id_switches_to_the_owners_boards(client: Client) -> None:
    shared = next(account for account in client.sandbox.world.ad_accounts if account.shared)

    own = client.everything("/boards")
    owners = client.everything("/boards", ad_account_id=shared.id)

    assert client.get("/user_account", ad_account_id=shared.id)["id"] == shared.owner.id
    assert not set(_ids(own)) & set(_ids(owners))


def test_boards_are_filtered_by_privacy(client: Client) -> None:
    everything = client.everything("/boards")

    for privacy in ("PUBLIC", "PROTECTED", "SECRET"):
        expected = [board for board in everything if board["privacy"] == privacy]
        assert client.everything("/boards", privacy=privacy) == expected
    assert client.everything("/boards", privacy="ALL") == everything


def test_pins_are_filtered_by_origin_format_and_promotion(client: Client) -> None:
    pins = client.everything("/pins")

    saved = client.everything("/pins", pin_filter="exclude_native")
    made = client.everything("/pins", pin_filter="exclude_repins")
    promoted = client.everything("/pins", pin_filter="has_been_promoted")
    videos = client.everything("/pins", creative_types=["VIDEO", "MAX_VIDEO"])

    assert sorted(_ids(saved + made)) == sorted(_ids(pins))
    assert all(pin["parent_pin_id"] for pin in saved)
    assert promoted == [pin for pin in pins if pin["has_been_promoted"]]
    assert {pin["media"]["media_type"] for pin in videos} == {"video"}


def test_what_is_removed_is_in_no_list_until_it_is_restored(client: Client) -> None:
    pins = {pin["id"]: pin["board_id"] for pin in client.everything("/pins")}
    (gone, board), *_ = pins.items()
    client.sandbox.remove(gone)

    assert {pin["id"] for pin in client.everything("/pins")} == {*pins} - {gone}
    assert gone not in _ids(client.everything(f"/boards/{board}/pins"))
    assert client.refused(f"/pins/{gone}") == (404, 404, "Sorry! We could not find your pin.")
    assert gone not in {pin["id"] for _, pin in client.sandbox.truth("GET /pins")}

    client.sandbox.remove(board)

    assert board not in _ids(client.everything("/boards"))
    assert board not in {pin["board_id"] for pin in client.everything("/pins")}
    assert client.refused(f"/boards/{board}/pins")[0] == 404

    client.sandbox.restore(gone, board)

    assert {pin["id"]: pin["board_id"] for pin in client.everything("/pins")} == pins


def test_pin_metrics_come_when_asked_for(client: Client) -> None:
    assert client.get("/pins")["items"][0]["pin_metrics"] is None
    assert set(client.get("/pins", pin_metrics="true")["items"][0]["pin_metrics"]) == {
        "90d",
        "lifetime_metrics",
    }


def test_promoted_pins_of_ads_exist(client: Client, account: str) -> None:
    pins = set(client.sandbox.world.user.pin_ids)

    assert {ad["pin_id"] for ad in client.everything(f"{account}/ads")} <= pins


def test_the_same_seed_gives_the_same_bytes(serve: Callable[..., Client]) -> None:
    path = f"/ad_accounts/{serve(seed=3).sandbox.world.ad_accounts[0].id}/ads"

    first, second = (serve(seed=3).ask(path).content for _ in range(2))

    assert first == second
    assert serve(seed=4).ask("/ad_accounts").content != serve(seed=3).ask("/ad_accounts").content


def test_statuses_change_as_days_pass(serve: Callable[..., Client]) -> None:
    client = serve(size=WorldSize(ads=200))
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}/ads"
    before = {ad["id"]: ad for ad in client.everything(path)}

    client.sandbox.today += timedelta(days=10)
    after = {ad["id"]: ad for ad in client.everything(path)}

    changed = [ad for key, ad in after.items() if ad["status"] != before[key]["status"]]
    assert changed
    assert {ad["status"] for ad in changed} == {"PAUSED"}
    for ad in changed:
        assert ad["updated_time"] > before[ad["id"]]["updated_time"]


def test_names_have_unusual_characters_and_may_have_a_nul(serve: Callable[..., Client]) -> None:
    client = serve(size=WorldSize(nul=True, ads=80))
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}/ads"

    names = [ad["name"] for ad in client.everything(path, entity_statuses=ALL_STATUSES)]

    assert "\x00" in names[0]
    assert any("\N{BEACH WITH UMBRELLA}" in name for name in names)
    assert max(map(len, names)) > 200


def test_times_are_unix_seconds_and_in_order(client: Client, account: str) -> None:
    for ad in client.everything(f"{account}/ads", entity_statuses=ALL_STATUSES):
        assert 1_600_000_000 < ad["created_time"] <= ad["updated_time"] < 1_800_000_000


@pytest.mark.parametrize(
    "size",
    [
        WorldSize(accounts=1, empty_accounts=0, campaigns=1, ad_groups=1, ads=1),
        WorldSize(accounts=1, empty_accounts=0, ads=0),
        WorldSize(accounts=1, empty_accounts=0, ad_groups=0),
        WorldSize(accounts=2, boards=0, pins=0, days=2),
        WorldSize(accounts=0, empty_accounts=0, boards=0),
    ],
    ids=["one of each", "no ads", "no ad groups", "no Pins", "nothing"],
)
def test_a_world_may_be_tiny(serve: Callable[..., Client], size: WorldSize) -> None:
    client = serve(size=size)
    report = {"start_date": "2026-11-01", "end_date": "2026-11-19", "granularity": "DAY"}

    accounts = client.everything("/ad_accounts")

    assert len(accounts) == size.accounts
    assert len(client.everything("/boards")) == size.boards
    for account in accounts:
        path = f"/ad_accounts/{account['id']}"
        for level in ("campaigns", "ad_groups", "ads"):
            client.everything(f"{path}/{level}", entity_statuses=ALL_STATUSES)
        client.get(f"{path}/analytics", columns="SPEND_IN_DOLLAR,AD_ACCOUNT_ID", **report)


def test_days_before_the_first_one_of_the_world_have_no_rows(serve: Callable[..., Client]) -> None:
    client = serve()
    client.sandbox.today -= timedelta(days=300)
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}"
    report = {"start_date": "2026-01-01", "end_date": "2026-01-20", "granularity": "DAY"}

    assert client.everything(f"{path}/ads", entity_statuses=ALL_STATUSES) == []
    assert client.get(f"{path}/analytics", columns="SPEND_IN_DOLLAR", **report) == []
