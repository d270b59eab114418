from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client

REDIRECT = "http://localhost:8085/callback"


def _refresh(client: Client, token: str | None = None, **fields: str) -> requests.Response:
    token = token or client.sandbox.credentials["refresh_token"]
    return client.post_form({"grant_type": "refresh_token", "refresh_token": token, **fields})


def _link(client: Client, **changes: str) -> str:
    """The address that an app opens for its user to consent."""
    query = {
        "client_id": client.sandbox.credentials["client_id"],
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "ads:read,boards:read",
        "state": "s t/1",
        **changes,
    }
    return f"{client.sandbox.consent_url}?{urlencode(query)}"


def _code(client: Client, decision: str = "approve", **changes: str) -> requests.Response:
    """The page's answer to the user's decision."""
    form, link = {"decision": decision}, _link(client, **changes)
    return requests.post(link, data=form, allow_redirects=False, timeout=10)


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer pina_wrong", "Basic abc"])
def test_without_a_known_token_nothing_is_answered(client: Client, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}

    answer = requests.get(client.sandbox.url + "/ad_accounts", headers=headers, timeout=10)

    assert answer.status_code == 401
    assert answer.json()["code"] == 2


def test_a_refresh_gives_a_token_that_works_and_a_new_refresh_token(
    serve: Callable[..., Client],
) -> None:
    client = serve()

    answer = _refresh(client, continuous_refresh="true").json()

    client.token = answer["access_token"]
    assert client.get("/ad_accounts")["items"]
    assert answer["token_type"] == "bearer"
    assert answer["expires_in"] == 2_592_000
    assert answer["refresh_token"] != client.sandbox.credentials["refresh_token"]
    assert answer["refresh_token_expires_in"] == 5_184_000
    assert "ads:read" in answer["scope"].split()


def test_a_used_refresh_token_goes_on_working_or_not(serve: Callable[..., Client]) -> None:
    keeping, revoking = serve(rotation="keep"), serve(rotation="revoke")

    assert _refresh(keeping).ok
    assert _refresh(keeping).ok
    rotated = _refresh(revoking).json()["refresh_token"]
    assert _refresh(revoking).status_code == 401
    assert _refresh(revoking, rotated).ok


def test_an_access_token_expires_by_the_sandboxs_day(serve: Callable[..., Client]) -> None:
    client = serve()
    client.sandbox.today += timedelta(days=31)

    assert client.refused("/ad_accounts")[:2] == (401, 2)
    client.token = _refresh(client).json()["access_token"]
    assert client.get("/ad_accounts")["items"]


def test_an_unknown_access_token_is_refused_in_pinterests_words(
    serve: Callable[..., Client],
) -> None:
    client = serve()
    client.token = "pina_unknown"

    answer = client.ask("/ad_accounts")

    assert answer.status_code == 401
    assert answer.json() == {
        "code": 2,
        "message": "Authentication failed.",
        "status": "failure",
    }


def test_a_refresh_token_expires_too(serve: Callable[..., Client]) -> None:
    client = serve()
    client.sandbox.today += timedelta(days=61)

    assert _refresh(client).status_code == 401


def test_a_refresh_may_narrow_the_scopes_and_not_widen_them(serve: Callable[..., Client]) -> None:
    client = serve(scopes=["ads:read", "boards:read"])

    client.token = _refresh(client, scope="ads:read").json()["access_token"]

    assert client.refused("/boards")[:2] == (401, 3)
    assert "boards:read" in client.refused("/boards")[2]
    assert _refresh(client, scope="catalogs:read").status_code == 400


def test_a_token_without_the_secret_scope_sees_no_secret_boards(
    serve: Callable[..., Client],
) -> None:
    client = serve(scopes=["boards:read", "pins:read"])

    privacy = {board["privacy"] for board in client.everything("/boards")}

    assert "SECRET" not in privacy
    assert client.refused("/boards", privacy="SECRET")[:2] == (401, 3)


def test_client_credentials_give_a_token_without_a_refresh_token(
    serve: Callable[..., Client],
) -> None:
    client = serve()

    answer = client.post_form({"grant_type": "client_credentials", "scope": "ads:read"}).json()

    client.token = answer["access_token"]
    assert "refresh_token" not in answer
    assert client.get("/ad_accounts")["items"]
    assert client.refused("/resources/metrics_ready_state", date="2026-11-01")[:2] == (403, 29)


def test_a_code_from_the_consent_page_is_good_once(serve: Callable[..., Client]) -> None:
    client = serve(redirect_uris=[REDIRECT])
    address = urlsplit(_code(client).headers["location"])
    answer = parse_qs(address.query)
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"][0],
        "redirect_uri": REDIRECT,
    }

    granted = client.post_form(form)

    assert address._replace(query="").geturl() == REDIRECT
    assert answer["state"] == ["s t/1"]
    assert granted.json()["scope"] == "ads:read boards:read"
    assert client.post_form(form).status_code == 400


def test_a_code_ends_after_ten_minutes(serve: Callable[..., Client]) -> None:
    client = serve(redirect_uris=[REDIRECT])
    code = parse_qs(urlsplit(_code(client).headers["location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    client.sandbox.today += timedelta(days=1)

    assert client.post_form(form).status_code == 400


def test_the_consent_page_shows_the_scopes_and_gives_no_code_by_itself(
    serve: Callable[..., Client],
) -> None:
    client = serve(redirect_uris=[REDIRECT])

    page = requests.get(_link(client), allow_redirects=False, timeout=10)

    assert page.status_code == 200
    assert "<li>ads:read<li>boards:read</ul>" in page.text
    assert 'value="approve"' in page.text
    assert "code=" not in page.text


def test_a_cancelled_consent_sends_no_code(serve: Callable[..., Client]) -> None:
    client = serve(redirect_uris=[REDIRECT])

    query = parse_qs(urlsplit(_code(client, "cancel").headers["location"]).query)

    assert query == {"error": ["access_denied"], "state": ["s t/1"]}
    assert _code(client, "perhaps").status_code == 400


def test_a_redirect_uri_must_be_the_apps_character_by_character(
    serve: Callable[..., Client],
) -> None:
    client = serve(redirect_uris=[REDIRECT])

    for other in (REDIRECT + "/", REDIRECT.replace("localhost", "127.0.0.1"), "https://evil.test/"):
        for decision in ("approve", "cancel"):
            refused = _code(client, decision, redirect_uri=other)
            assert refused.status_code == 400
            assert "location" not in refused.headers


def test_a_code_is_bound_to_its_redirect_uri(serve: Callable[..., Client]) -> None:
    client = serve(redirect_uris=[REDIRECT])
    code = parse_qs(urlsplit(_code(client).headers["location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT + "/"}

    assert client.post_form(form).status_code == 400


@pytest.mark.parametrize(
    "change",
    [{"client_id": "1"}, {"response_type": "token"}, {"redirect_uri": ""}, {"scope": "root"}],
    ids=str,
)
def test_the_consent_page_refuses_a_link_that_is_wrong(
    serve: Callable[..., Client], change: dict[str, str]
) -> None:
    client = serve(redirect_uris=[REDIRECT])

    assert _code(client, **change).status_code == 400
    assert requests.get(_link(client, **change), timeout=10).status_code == 400


def test_another_client_gets_no_token(client: Client) -> None:
    form = {"grant_type": "client_credentials", "scope": "ads:read"}

    for how in ({"auth": ("1", "2")}, {"auth": None}, {"headers": {"Authorization": "Basic ?"}}):
        answer = client.post_form(form, **{"auth": None, **how})
        assert (answer.status_code, answer.json()["code"]) == (401, 2)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"grant_type": "password"},
        {"grant_type": "refresh_token"},
        {"grant_type": "client_credentials", "scope": ""},
        {"grant_type": "client_credentials", "scope": "ads:read", "user": "me"},
        {"grant_type": "authorization_code", "code": "x", "redirect_uri": REDIRECT},
    ],
    ids=str,
)
def test_a_form_that_is_wrong_is_400(client: Client, form: dict[str, str]) -> None:
    assert client.post_form(form).status_code == 400


def test_json_is_no_form(client: Client) -> None:
    kwargs: dict[str, Any] = {"headers": {"Content-Type": "application/json"}}

    answer = client.post_form({"grant_type": "client_credentials", "scope": "ads:read"}, **kwargs)

    assert answer.status_code == 400


def test_a_revoked_token_is_unknown(serve: Callable[..., Client]) -> None:
    client = serve()
    client.sandbox.tokens.revoke(client.token)

    assert client.refused("/ad_accounts")[:2] == (401, 2)


@pytest.mark.parametrize(
    ("authorization", "body", "status"),
    [
        pytest.param("ours", {"grant_type": "refresh_token", "refresh_token": "ours"}, 200),
        pytest.param("Bearer x", {"grant_type": "refresh_token", "refresh_token": "ours"}, 401),
        pytest.param("", {"grant_type": "refresh_token", "refresh_token": "ours"}, 401),
        pytest.param("ours", {"grant_type": "refresh_token", "refresh_token": "pinr_x"}, 401),
        pytest.param("ours", {"grant_type": "refresh_token"}, 400),
        pytest.param("ours", {"grant_type": "x", "refresh_token": "ours"}, 400),
        pytest.param("ours", ["refresh_token"], 400),
    ],
)
def test_a_refresh_proxy_renews_for_its_own_callers_only(
    client: Client, authorization: str, body: Any, status: int
) -> None:
    known = client.sandbox.oauth_credentials
    if isinstance(body, dict) and body.get("refresh_token") == "ours":
        body = body | {"refresh_token": known["refresh_token"]}
    header = known["refresh_proxy_url_auth"] if authorization == "ours" else authorization

    answer = requests.post(
        known["refresh_proxy_url"], json=body, headers={"Authorization": header}, timeout=10
    )

    assert answer.status_code == status, answer.text
    if status == 200:
        client.token = answer.json()["access_token"]
        assert client.get("/user_account")["username"]
