"""Who may read which dataset: features, scopes, roles and catalogs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import BETA_PARAMETERS, WorldSize, api, beta_operations
from pinterest_sandbox.tokens import READ_SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client

ROLE_OF_SECOND = ["ANALYST"]


def test_beta_datasets_are_read_unless_withheld(serve: Callable[..., Client]) -> None:
    granted = serve()
    withheld = serve(withheld=beta_operations())

    assert granted.everything("/integrations")
    assert withheld.refused("/integrations")[:2] == (401, 3)
    assert withheld.everything("/boards")


def test_beta_parameters_are_refused_unless_granted(serve: Callable[..., Client]) -> None:
    path = "/trends/keywords/US/top/growing"

    assert serve().refused(path, include_demographics="true")[:2] == (401, 3)
    trends = serve(withheld=()).get(path, include_demographics="true")["trends"]

    assert all(trend["demographics"] for trend in trends)
    assert {trend["demographics"] for trend in serve().get(path)["trends"]} == {None}


def test_keywords_of_several_ad_groups_are_a_beta(serve: Callable[..., Client]) -> None:
    path = "/ad_accounts/{}/keywords"
    closed, opened = serve(), serve(withheld=set(BETA_PARAMETERS) - {BETA_PARAMETERS[-1]})
    ids = [str(number) for number in opened.sandbox.world.ad_accounts[0].ad_groups.ids]

    account = opened.sandbox.world.ad_accounts[0].id
    assert closed.refused(path.format(account), ad_group_ids=ids)[:2] == (401, 3)
    assert opened.everything(path.format(account), ad_group_ids=ids)


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/catalogs", "catalogs:read"),
        ("/businesses/employers", "biz_access:read"),
        ("/ad_accounts/{}/billing_invoices", "billing:read"),
        ("/search/boards", "boards:read_secret"),
        ("/resources/delivery_metrics", "user_accounts:read"),
    ],
)
def test_a_missing_scope_is_named(serve: Callable[..., Client], path: str, scope: str) -> None:
    client = serve(scopes=[each for each in READ_SCOPES if each != scope])
    account = client.sandbox.world.ad_accounts[0].id

    status, code, message = client.refused(path.format(account))

    assert (status, code) == (401, 3)
    assert scope in message


@pytest.mark.parametrize("path", ["leads/subscriptions", "ssio/accounts", "ssio/order_lines"])
def test_some_datasets_need_another_role_than_analyst(client: Client, path: str) -> None:
    own, shared = client.sandbox.world.ad_accounts[:2]

    assert shared.permissions == ROLE_OF_SECOND
    assert client.get(f"/ad_accounts/{own.id}/{path}")
    assert client.refused(f"/ad_accounts/{shared.id}/{path}")[:2] == (403, 29)


def test_a_finance_role_reads_insertion_orders(serve: Callable[..., Client]) -> None:
    client = serve(size=WorldSize(accounts=2, empty_accounts=0, powerless_accounts=1))
    account_id = client.sandbox.world.ad_accounts[1].id
    account = f"/ad_accounts/{account_id}"

    assert client.everything(f"{account}/ssio/order_lines")
    assert client.refused(f"{account}/audiences")[:2] == (403, 29)
    assert client.refused("/pins", ad_account_id=account_id)[:2] == (
        403,
        29,
    )


def test_an_owners_catalogs_need_a_catalogs_role(serve: Callable[..., Client]) -> None:
    client = serve(size=WorldSize(accounts=6))
    _, analyst, _, _, admin, _ = client.sandbox.world.ad_accounts

    own = client.everything("/catalogs")
    theirs = client.everything("/catalogs", ad_account_id=admin.id)

    assert client.refused("/catalogs", ad_account_id=analyst.id)[:2] == (401, 29)
    assert {catalog["id"] for catalog in own}.isdisjoint(catalog["id"] for catalog in theirs)


def test_secret_boards_of_an_owner_need_owner_or_admin(serve: Callable[..., Client]) -> None:
    client = serve(size=WorldSize(accounts=6, boards=30))
    _, analyst, _, _, admin, _ = client.sandbox.world.ad_accounts

    def privacies(account_id: str) -> set[str]:
        return {
            board["privacy"] for board in client.everything("/boards", ad_account_id=account_id)
        }

    assert privacies(analyst.id) == {"PUBLIC", "PROTECTED"}
    assert privacies(admin.id) == {"PUBLIC", "PROTECTED", "SECRET"}


def test_without_a_catalog_lists_are_empty_and_the_rest_is_409(
    serve: Callable[..., Client],
) -> None:
    client = serve(size=WorldSize(catalogs=0))

    assert client.everything("/catalogs") == client.everything("/catalogs/feeds") == []
    assert client.refused("/catalogs/product_groups")[:2] == (409, 4182)
    assert client.refused("/catalogs/available_filter_values", catalog_id="1")[:2] == (409, 4182)
    assert client.refused("/catalogs/product_groups/1/product_counts")[:2] == (409, 4182)


@pytest.mark.parametrize(("merchant", "code"), [("disapproved", 2625), ("under review", 2626)])
def test_catalogs_of_a_merchant_who_is_not_approved_are_403(
    serve: Callable[..., Client], merchant: str, code: int
) -> None:
    client = serve(merchant=merchant)

    assert client.refused("/catalogs/product_groups")[:2] == (403, code)
    assert client.everything("/catalogs/feeds")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/ad_accounts/{}/promotions/1", 4997),
        ("/ad_accounts/{}/lead_forms/1", 4842),
        ("/boards/1/pins", 404),
        ("/catalogs/feeds/1/processing_results", 4161),
        ("/catalogs/processing_results/1/item_issues", 4184),
        ("/catalogs/product_groups/1/products", 4180),
        ("/integrations/1", 4517),
        ("/users/nobody/interests/follow", 30),
    ],
)
def test_what_does_not_exist_is_404_with_its_own_number(
    client: Client, path: str, code: int
) -> None:
    account = client.sandbox.world.ad_accounts[0].id

    assert client.refused(path.format(account))[:2] == (404, code)


def test_every_required_parameter_is_required(client: Client) -> None:
    account = client.sandbox.world.ad_accounts[0].id
    for key, operation in api.operations().items():
        if key.startswith("GET") and "analytics" not in key and key.count("{") < 2:
            query = [
                name
                for name, each in operation.parameters.items()
                if each.required and each.place == "query"
            ]
            path: str = key.removeprefix("GET ").replace("{ad_account_id}", account)
            if query and "{" not in path:
                status, _, message = client.refused(path)
                assert (status, query[0] in message) == (400, True), key


def _first(client: Client, path: str, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get(path, **query)["items"][0]
    return found


def test_a_business_of_others_is_403(client: Client) -> None:
    assert client.refused("/businesses/1234567/members")[:2] == (403, 29)
    employer = _first(client, "/businesses/employers")
    assert client.everything(f"/businesses/{employer['id']}/members")
