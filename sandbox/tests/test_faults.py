from __future__ import annotations

import time
from typing import TYPE_CHECKING, get_args

import pytest
import requests

from pinterest_sandbox.distortions import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client


@pytest.fixture
def client(serve: Callable[..., Client]) -> Client:
    return serve()


def test_a_status_is_answered_the_given_number_of_times(client: Client) -> None:
    client.sandbox.fail("/boards", status=503, times=2)

    statuses = [client.ask("/boards").status_code for _ in range(3)]

    assert statuses == [503, 503, 200]


def test_a_fault_may_begin_later_and_hit_some_requests_only(client: Client) -> None:
    client.sandbox.fail("/ad_accounts/*", status=500, after=1, query={"page_size": "2"})
    path = f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}/campaigns"

    statuses = [client.ask(path, page_size=size).status_code for size in (3, 2, 3, 2, 2)]

    assert statuses == [200, 200, 200, 500, 200]


def test_a_fault_may_hit_an_operation(client: Client) -> None:
    client.sandbox.fail(operation="GET /user_account", status=500, times=None)

    assert client.ask("/boards").status_code == 200
    assert client.ask("/user_account").status_code == 500
    client.sandbox.heal()
    assert client.ask("/user_account").status_code == 200


def test_a_fault_may_hit_a_share_of_requests(client: Client) -> None:
    client.sandbox.fail(status=500, times=None, share=0.3, seed=5)

    statuses = [client.ask("/boards").status_code for _ in range(100)]

    assert 15 < statuses.count(500) < 45


def test_body_and_headers_are_those_of_the_fault(client: Client) -> None:
    body = {"code": 8, "message": "Retry after 7 seconds"}
    client.sandbox.fail(status=400, body=body, headers={"x-ratelimit-reset": "7"})

    answer = client.ask("/boards")

    assert (answer.status_code, answer.json()) == (400, body)
    assert answer.headers["x-ratelimit-reset"] == "7"
    assert answer.headers["x-pinterest-rid"]


def test_html_and_nothing_can_come_instead_of_json(client: Client) -> None:
    client.sandbox.fail(kind="html", status=502)
    client.sandbox.fail(kind="empty")

    html, empty = client.ask("/boards"), client.ask("/boards")

    assert (html.status_code, html.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert html.text.startswith("<!DOCTYPE html>")
    assert (empty.status_code, empty.content) == (200, b"")


def test_a_connection_can_be_reset_before_anything_is_sent(client: Client) -> None:
    client.sandbox.fail(kind="reset")

    with pytest.raises(requests.ConnectionError):
        client.ask("/boards")
    assert client.ask("/boards").status_code == 200


@pytest.mark.parametrize("sent", [0, 100])
def test_a_connection_can_be_reset_in_the_middle(client: Client, sent: int) -> None:
    client.sandbox.fail(kind="reset", after_bytes=sent)

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.ask("/boards")


def test_an_answer_can_be_truncated(client: Client) -> None:
    client.sandbox.fail(kind="truncate", after_bytes=50)

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="50 bytes read"):
        client.ask("/boards")


def test_an_answer_can_be_slow_and_complete(client: Client) -> None:
    whole = client.ask("/boards").content
    client.sandbox.fail(kind="slow", seconds=0.2)

    begun = time.monotonic()
    answer = client.ask("/boards")

    assert time.monotonic() - begun >= 0.2
    assert answer.content == whole


def test_a_request_can_hang_and_the_sandbox_still_stops(client: Client) -> None:
    client.sandbox.fail(kind="hang")

    with pytest.raises(requests.Timeout):
        requests.get(client.sandbox.url + "/boards", timeout=0.1)


def test_no_fault_leaves_a_traceback_in_the_log(
    serve: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    client = serve()
    for fault in (
        {"kind": "reset"},
        {"kind": "reset", "after_bytes": 9},
        {"kind": "truncate"},
        {"kind": "hang"},
        {"kind": "slow", "seconds": 5.0},
    ):
        client.sandbox.fail(**fault)
        with pytest.raises(requests.RequestException):
            requests.get(client.sandbox.url + "/user_account", timeout=0.1)

    client.sandbox.__exit__(None, None, None)

    assert [request.fault for request in client.sandbox.requests] == [
        "reset",
        "reset",
        "truncate",
        "hang",
        "slow",
    ]
    assert caplog.text == ""


def test_faults_are_in_the_log(client: Client) -> None:
    client.sandbox.fail(kind="reset")
    client.sandbox.fail(status=503)
    with pytest.raises(requests.ConnectionError):
        client.ask("/boards")
    client.ask("/boards")

    logged = [(request.status, request.fault) for request in client.sandbox.requests]

    assert logged == [(0, "reset"), (503, "status")]


@pytest.mark.parametrize("change", get_args(Change))
def test_a_good_answer_can_be_made_odd(client: Client, change: Change) -> None:
    plain = client.ask("/boards").json()
    client.sandbox.fail("/boards", kind="distort", change=change)

    odd = client.ask("/boards").json()

    assert odd.keys() == plain.keys()
    assert odd["bookmark"] == plain["bookmark"]
    assert odd["items"] != plain["items"] or change == "fractions"  # which only metrics get


def test_a_record_can_come_again_on_the_next_page(client: Client) -> None:
    client.sandbox.fail("/boards", kind="distort", change="repeat", times=2)
    first = client.ask("/boards", page_size=2).json()

    second = client.ask("/boards", page_size=2, bookmark=first["bookmark"]).json()

    assert second["items"][0] == first["items"][-1]


def test_no_record_comes_again_in_the_answer_to_another_path(client: Client) -> None:
    client.sandbox.fail(kind="distort", change="repeat", times=2)
    accounts = client.ask("/ad_accounts").json()["items"]
    boards = client.ask("/boards").json()["items"]

    assert accounts[-1] not in boards


def test_a_connection_can_be_closed_in_the_middle_of_the_headers(client: Client) -> None:
    client.sandbox.fail(kind="half_headers")

    # Python's HTTP client takes that for an answer without a body.
    assert client.ask("/boards").content == b""
