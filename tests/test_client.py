"""One call: its URL, its retries, and which error says what."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
import tracemalloc
import zlib
from collections import Counter
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

from singer_run import PatientClock, PatientTap, client_at, settings
from tap_pinterest.clock import Interrupted
from tap_pinterest.http import patience, transport
from tap_pinterest.http.answers import decoder
from tap_pinterest.http.auth import AccessToken
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.errors import (
    AccessRefusedError,
    AppRefusedError,
    FeatureRefusedError,
    GoneError,
    InvalidRequestError,
    NearbyAddressError,
    NoEndpointError,
    NotOfferedError,
    QuotaError,
    SlowAnswerError,
    TokenRefusedError,
    TooLargeError,
)
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from datetime import date

    from pinterest_sandbox import Sandbox

BOARDS = "/boards"
CAMPAIGNS = "/ad_accounts/{ad_account_id}/campaigns"
as_object = decoder(dict[str, Any])
REFUSED: dict[str, Any] = {
    "status": 401,
    "body": {"code": 2, "message": "Authentication failed."},
    "times": None,
}
PROBES = ("/user_account", "/ad_accounts")


def paths(sandbox: Sandbox) -> list[str]:
    """The paths of the requests since the last time."""
    found = [each.path for each in sandbox.requests]
    sandbox.requests.clear()
    return found


@pytest.fixture
def clock() -> PatientClock:
    return PatientClock()


@pytest.fixture
def client(sandbox: Sandbox, clock: PatientClock) -> PinterestClient:
    return client_at(sandbox.url, clock, sandbox.credentials["access_token"], timeout=30)


def test_each_list_is_written_in_the_style_of_its_parameter(client: PinterestClient) -> None:
    url = client.url(
        "/ad_accounts/{ad_account_id}/ads/analytics",
        ids={"ad_account_id": "1"},
        query={"ad_ids": ["2", "3"], "columns": ["AD_ID", "CTR"], "click_window_days": 0},
    )

    assert url.endswith(
        "/ad_accounts/1/ads/analytics?ad_ids=2&ad_ids=3&columns=AD_ID,CTR&click_window_days=0"
    )


def test_booleans_are_lower_case_and_odd_characters_are_escaped(client: PinterestClient) -> None:
    url = client.url("/ad_accounts", query={"include_shared_accounts": False, "bookmark": "a=&b/"})

    assert url.endswith("?include_shared_accounts=false&bookmark=a%3D%26b%2F")


def test_a_server_error_is_tried_again(client: PinterestClient, sandbox: Sandbox) -> None:
    sandbox.fail(BOARDS, status=503, times=2)

    assert client.get(BOARDS, as_object)["items"]
    assert [each.status for each in sandbox.requests] == [503, 503, 200]
    assert client.tallies.total(BOARDS).retries == 2


def test_a_server_error_that_stays_ends_after_seven_attempts(
    client: PinterestClient, sandbox: Sandbox
) -> None:
    sandbox.fail(BOARDS, status=500, times=None)

    with pytest.raises(RetriableAPIError, match=r"GET /boards: 500"):
        client.get(BOARDS, as_object)
    assert len(sandbox.requests) == 7


def test_a_429_waits_as_long_as_its_header_says(
    client: PinterestClient, sandbox: Sandbox, clock: PatientClock
) -> None:
    sandbox.fail(BOARDS, status=429, times=7, headers={"x-ratelimit-reset": "13"})

    client.get(BOARDS, as_object)

    assert clock.waits.count(13.0) == 7


def test_a_quota_that_comes_back_too_late_is_an_error_at_once(
    client: PinterestClient, sandbox: Sandbox
) -> None:
    sandbox.fail(BOARDS, status=429, headers={"x-ratelimit-reset": "86400"})

    with pytest.raises(QuotaError, match="max_wait_seconds"):
        client.get(BOARDS, as_object)


def test_a_429_that_does_not_say_when_to_come_back_waits_longer_each_time(
    client: PinterestClient, sandbox: Sandbox, clock: PatientClock
) -> None:
    sandbox.fail(BOARDS, status=429, times=7)

    client.get(BOARDS, as_object)

    own = [wait for wait in clock.waits if wait == int(wait)]
    assert own == [2, 4, 8, 16, 32, 60, 60]


def test_waits_that_a_server_names_take_no_longer_than_the_setting_allows(
    client: PinterestClient, sandbox: Sandbox, clock: PatientClock
) -> None:
    sandbox.fail(BOARDS, status=503, headers={"retry-after": "1700"}, times=14)
    for _ in range(2):
        with pytest.raises(RetriableAPIError, match="503"):
            client.get(BOARDS, as_object)

    assert [wait for wait in clock.waits if wait > 60] == [1700.0, 1700.0]

    assert client.get(BOARDS, as_object)["items"]
    sandbox.fail(BOARDS, status=503, headers={"retry-after": "1700"})
    client.get(BOARDS, as_object)
    assert clock.waits[-1] == 1700.0


def test_a_429_of_the_safety_net_costs_a_second_and_holds_no_other_call(
    client: PinterestClient, sandbox: Sandbox, clock: PatientClock
) -> None:
    headers = {
        "x-ratelimit-limit": '100, 100;w=1;name="safety_net_user", 1000;w=60;name="org_read_user"',
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1",
    }
    sandbox.fail(BOARDS, status=429, headers=headers)

    client.get(BOARDS, as_object)
    client.get(BOARDS, as_object)

    assert sum(clock.waits) < 1.1


def test_an_answer_resets_the_count_of_failed_calls(
    client: PinterestClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "MOST_GIVEN_UP", 2)
    for path in (BOARDS, "/pins"):
        sandbox.fail(path, status=500, times=patience.ATTEMPTS)
        with pytest.raises(RetriableAPIError, match="500"):
            client.get(path, as_object)
        assert client.get(path, as_object)["items"]


def test_a_minute_of_server_errors_is_outlasted(
    client: PinterestClient, sandbox: Sandbox, clock: PatientClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoff.full_jitter", float)
    sandbox.fail(BOARDS, status=503, times=6)

    assert client.get(BOARDS, as_object)["items"]

    assert sum(clock.waits) > 60


def test_an_operation_that_failed_twenty_times_is_tried_no_more(
    client: PinterestClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "MOST_GIVEN_UP", 1)
    sandbox.fail(BOARDS, status=500, times=None)
    for _ in range(2):
        with pytest.raises(RetriableAPIError, match="500"):
            client.get(BOARDS, as_object)

    assert len(sandbox.requests) == patience.ATTEMPTS + 1


def test_very_short_waits_come_to_an_end_too(
    client: PinterestClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client._patience, "_max_wait", 10)
    sandbox.fail(BOARDS, status=429, headers={"x-ratelimit-reset": "0.01"}, times=50)

    with pytest.raises(QuotaError, match="max_wait_seconds"):
        client.get(BOARDS, as_object)


def test_a_400_that_says_retry_after_is_waited_for(
    client: PinterestClient, sandbox: Sandbox, clock: PatientClock
) -> None:
    body = {"code": 1, "message": "Too busy. Retry after 21 seconds."}
    sandbox.fail(BOARDS, status=400, body=body)

    client.get(BOARDS, as_object)

    assert clock.waits == [21.0]


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        pytest.param(400, 12, "", id="code 12"),
        pytest.param(400, 1, "Something went wrong on our end.", id="the words"),
        pytest.param(403, 29, "Sorry! something went wrong", id="the words with another status"),
    ],
)
def test_a_fault_that_pinterest_calls_its_own_is_tried_again_whatever_its_status(
    client: PinterestClient, sandbox: Sandbox, status: int, code: int, message: str
) -> None:
    sandbox.fail(BOARDS, status=status, body={"code": code, "message": message}, times=2)

    assert client.get(BOARDS, as_object)["items"]
    assert [each.status for each in sandbox.requests] == [status, status, 200]


ANALYTICS = "/user_account/analytics"
OUT_OF_REACH = {"code": 1, "message": "You can only get data from the last 90 days."}


def days(first: date, last: date) -> dict[str, str]:
    return {"start_date": first.isoformat(), "end_date": last.isoformat()}


def first_days(sandbox: Sandbox) -> list[str]:
    return [dict(each.query)["start_date"] for each in sandbox.requests if each.path == ANALYTICS]


def test_a_range_that_is_refused_at_random_is_asked_for_again(
    client: PinterestClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    client.get(BOARDS, as_object)  # which tells the day
    sandbox.fail(ANALYTICS, status=400, body=OUT_OF_REACH, times=2)
    first = sandbox.today - timedelta(days=90)

    assert client.get(ANALYTICS, as_object, query=days(first, sandbox.today))

    assert first_days(sandbox) == [first.isoformat()] * 3
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


def test_a_first_day_that_stays_refused_is_left_out_with_one_warning(
    client: PinterestClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    client.get(BOARDS, as_object)
    first, second = (sandbox.today - timedelta(days=ago) for ago in (90, 89))
    refused = {"start_date": first.isoformat()}
    sandbox.fail(ANALYTICS, status=400, body=OUT_OF_REACH, query=refused, times=None)

    for _ in range(2):
        assert client.get(ANALYTICS, as_object, query=days(first, sandbox.today))
    nothing: dict[str, Any] = {}
    answer = client.get(ANALYTICS, as_object, query=days(first, first), nothing=nothing)

    again = [first.isoformat(), second.isoformat(), first.isoformat()]
    assert first_days(sandbox) == [first.isoformat()] * 2 + [first.isoformat(), *again[1:2], *again]
    assert answer is nothing
    (warning,) = (each for each in caplog.records if each.levelno == logging.WARNING)
    assert f"reports start on {second}" in warning.getMessage()


ORDERS = "/ad_accounts/{ad_account_id}/reports"


def test_an_order_whose_first_day_stays_refused_is_placed_without_it_with_one_warning(
    client: PinterestClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    client.get(BOARDS, as_object)
    ids = {"ad_account_id": sandbox.world.ad_accounts[0].id}
    first, second = (sandbox.today - timedelta(days=ago) for ago in (90, 89))
    content = {"level": "CAMPAIGN", "granularity": "DAY", "columns": ["SPEND_IN_DOLLAR"]}
    sent = {"start_date": first.isoformat()}
    sandbox.fail("*/reports", status=400, body=OUT_OF_REACH, sent=sent, times=None)

    for _ in range(2):
        order = {**days(first, sandbox.today), **content}
        assert client.post(ORDERS, as_object, order, ids=ids)["token"]
    nothing: dict[str, Any] = {}
    order = {**days(first, first), **content}
    answer = client.post(ORDERS, as_object, order, ids=ids, nothing=nothing)

    asked = [each.body["start_date"] for each in sandbox.requests if each.method == "POST"]
    again = [first.isoformat(), second.isoformat()]
    assert asked == [first.isoformat()] * 2 + again * 2 + [first.isoformat()]
    assert answer is nothing
    (warning,) = (each for each in caplog.records if each.levelno == logging.WARNING)
    assert f"reports start on {second}" in warning.getMessage()


def test_a_range_that_is_really_out_of_reach_is_asked_for_once(
    client: PinterestClient, sandbox: Sandbox
) -> None:
    client.get(BOARDS, as_object)
    first = sandbox.today - timedelta(days=91)
    sandbox.fail(ANALYTICS, status=400, body=OUT_OF_REACH, times=None)

    with pytest.raises(InvalidRequestError, match="last 90 days"):
        client.get(ANALYTICS, as_object, query=days(first, sandbox.today))
    assert len(first_days(sandbox)) == 1


@pytest.mark.parametrize("kind", ["reset", "truncate", "html", "empty"])
def test_an_answer_that_is_broken_is_asked_for_again(
    client: PinterestClient, sandbox: Sandbox, kind: Any
) -> None:
    sandbox.fail(BOARDS, kind=kind)

    assert client.get(BOARDS, as_object)["items"]
    assert len(sandbox.requests) == 2


@pytest.fixture
def impatient(client: PinterestClient, monkeypatch: pytest.MonkeyPatch) -> PinterestClient:
    """The client, which waits only briefly for an answer."""
    monkeypatch.setattr(client._transport, "_timeout", 0.2)
    return client


def test_a_call_that_hangs_is_asked_again_unless_the_caller_can_ask_for_less(
    impatient: PinterestClient, sandbox: Sandbox
) -> None:
    sandbox.fail(BOARDS, kind="hang", times=2)

    with pytest.raises(SlowAnswerError, match="request_timeout"):
        impatient.get(BOARDS, as_object, split_instead=True)
    assert impatient.get(BOARDS, as_object)["items"]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        pytest.param(403, 29, AccessRefusedError, id="no access"),
        pytest.param(401, 3, AccessRefusedError, id="no scope"),
        pytest.param(401, 99, FatalAPIError, id="a reason that is not the token's"),
        pytest.param(404, 50, GoneError, id="not there"),
        pytest.param(414, None, TooLargeError, id="URL too long"),
        pytest.param(413, None, TooLargeError, id="too much"),
        pytest.param(431, None, TooLargeError, id="too long a line"),
        pytest.param(400, 1, FatalAPIError, id="a bad request"),
        pytest.param(302, 302, FatalAPIError, id="a redirect, which is not followed"),
    ],
)
def test_a_refusal_is_known_by_its_error_and_not_repeated(
    client: PinterestClient, sandbox: Sandbox, status: int, code: int, error: type[Exception]
) -> None:
    headers = {"Location": "http://127.0.0.1:1/"} if status == 302 else {}
    body = {"code": code, "message": "Sorry."}
    sandbox.fail(BOARDS, status=status, body=body, headers=headers)

    with pytest.raises(error, match=f"GET /boards: {status}"):
        client.get(BOARDS, as_object)
    assert paths(sandbox).count(BOARDS) == 1


CONSUMER_TYPE = "Your application consumer type is not supported"
FEATURE = "Your application does not have access to this restricted feature: pin_search"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        pytest.param(401, {"code": 3, "message": FEATURE}, FeatureRefusedError, id="feature"),
        pytest.param(404, {"code": 11, "message": "API method not found."}, NoEndpointError),
        pytest.param(404, {"code": 404, "message": "Endpoint not found"}, NoEndpointError),
        pytest.param(404, {"code": 404, "message": "Resource not found."}, NoEndpointError),
        pytest.param(404, {"code": 4180, "message": "We could not find your feed."}, GoneError),
        pytest.param(404, {"code": 404, "message": "Campaign not found."}, GoneError),
    ],
)
def test_the_words_of_an_error_show_whether_it_is_a_refusal(
    client: PinterestClient, sandbox: Sandbox, status: int, body: Any, error: type[Exception]
) -> None:
    sandbox.fail(BOARDS, status=status, body=body, times=None)

    with pytest.raises(error) as caught:
        client.get(BOARDS, as_object)
    assert type(caught.value) is error
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("body", ["<h1>Sorry</h1>", "", '"Sorry"', "[]", {"message": "Forbidden"}])
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, AccessRefusedError),
        (404, NoEndpointError),
        (400, InvalidRequestError),
        (405, FatalAPIError),
        (501, NotOfferedError),
        (302, FatalAPIError),
    ],
)
def test_a_refusal_without_pinterest_s_body_is_believed_the_third_time(
    client: PinterestClient, sandbox: Sandbox, status: int, body: Any, error: type[Exception]
) -> None:
    sandbox.fail(BOARDS, status=status, body=body, times=3)

    with pytest.raises(error, match=f"GET /boards: {status}") as caught:
        client.get(BOARDS, as_object)
    assert type(caught.value) is error
    assert len(sandbox.requests) == 3
    assert client.get(BOARDS, as_object)["items"]


def test_an_error_with_a_good_status_is_told_in_its_own_words(
    client: PinterestClient, sandbox: Sandbox
) -> None:
    body = {"code": 8, "message": f"Slow down, {sandbox.credentials['access_token']}."}
    sandbox.fail(BOARDS, status=200, body=body, times=None)

    with pytest.raises(RetriableAPIError, match=r"GET /boards: 200 \(code 8\) Slow down, \*\*\*\."):
        client.get(BOARDS, decoder(list[Any]))


BREAKDOWN = "/ad_accounts/{ad_account_id}/campaigns/targeting_analytics"


class Rows(msgspec.Struct):
    """The answer of a breakdown."""

    data: list[Any] | None = None


def breakdown(client: PinterestClient, ad_account_id: str, stream: str = "by_type") -> Rows:
    """The answer of a call for a breakdown; its parameters do not matter."""
    ids = {"ad_account_id": ad_account_id}
    return client.get(BREAKDOWN, decoder(Rows), ids=ids, stream=stream)


@pytest.mark.parametrize("body", ["{}", " { }\n"])
def test_an_empty_object_is_asked_for_again(
    client: PinterestClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    path = BREAKDOWN.format(ad_account_id="1")
    sandbox.fail(path, status=200, body=body, times=2)
    sandbox.fail(path, status=200, body={"data": [{"a": 1}]})

    assert breakdown(client, "1").data == [{"a": 1}]
    assert len(sandbox.requests) == 3
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


def test_an_object_that_stays_empty_has_no_rows_with_a_warning_for_each_stream_and_account(
    client: PinterestClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.fail("*/targeting_analytics", status=200, body={}, times=None)

    for account in ("1", "1", "2"):
        assert breakdown(client, account) == Rows()
    breakdown(client, "2", stream="others")

    warned = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert [each.partition(":")[0] for each in warned] == [
        "by_type of ad account 1",
        "by_type of ad account 2",
        "others of ad account 2",
    ]
    assert all("backfill" in each for each in warned)
    assert len(sandbox.requests) == 4 * 3


def test_an_empty_object_of_an_operation_that_says_none_with_it_is_asked_for_once(
    client: PinterestClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    path = "/ad_accounts/{ad_account_id}/conversion_tags/ocpm_eligible"
    sandbox.fail("*/ocpm_eligible", status=200, body={}, times=None)

    assert client.get(path, as_object, ids={"ad_account_id": "1"}) == {}
    assert len(sandbox.requests) == 1
    assert caplog.messages == []


def test_an_app_that_is_refused_for_one_call_only_lacks_a_feature(
    client: PinterestClient, sandbox: Sandbox
) -> None:
    refusal: dict[str, Any] = {"status": 401, "body": {"code": 3, "message": CONSUMER_TYPE}}
    sandbox.fail(BOARDS, **refusal, times=None)
    with pytest.raises(FeatureRefusedError, match="consumer type"):
        client.get(BOARDS, as_object)

    sandbox.heal()
    sandbox.fail("/*", **refusal, times=None)
    with pytest.raises(AppRefusedError, match="access is not active"):
        client.get(CAMPAIGNS, as_object, ids={"ad_account_id": "1"})


def test_a_404_on_a_path_with_an_id_is_about_the_id(
    client: PinterestClient, sandbox: Sandbox
) -> None:
    body = {"code": 404, "message": "Resource not found."}
    sandbox.fail("/boards/7", status=404, body=body)

    with pytest.raises(GoneError):
        client.get("/boards/{board_id}", as_object, ids={"board_id": "7"})


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_status_from_200_to_299_is_a_good_answer(
    client: PinterestClient, sandbox: Sandbox, status: int
) -> None:
    sandbox.fail("*/reports", status=status, body={"token": "t"})
    path, ids = "/ad_accounts/{ad_account_id}/reports", {"ad_account_id": "1"}

    assert client.post(path, as_object, {}, ids=ids) == {"token": "t"}


@pytest.mark.parametrize("status", [408, 429, 500, 503, 599])
def test_a_download_that_stumbles_is_tried_again(
    client: PinterestClient, sandbox: Sandbox, status: int
) -> None:
    sandbox.fail(BOARDS, status=status)
    sandbox.fail(BOARDS, kind="reset")
    sandbox.fail(BOARDS, status=200, body="[1]")
    file = BytesIO(b"what an earlier try has left behind")

    client.downloads.write(f"{sandbox.url}{BOARDS}", file, "the report")

    assert file.getvalue() == b"[1]"
    assert len(sandbox.requests) == 3


NEARBY = (
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0.0.0.0",  # noqa: S104 - it is to be refused
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.100.100.200",
    "169.254.169.254",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "localhost",
)


@pytest.fixture
def elsewhere(clock: PatientClock) -> PinterestClient:
    """A client of Pinterest itself."""
    return client_at("https://api.pinterest.com/v5", clock, timeout=0.2)


@pytest.mark.parametrize("host", NEARBY)
def test_a_link_to_this_machine_or_a_network_near_it_is_refused(
    elsewhere: PinterestClient, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(socket.socket, "connect", pytest.fail)

    with pytest.raises(NearbyAddressError, match="the report: the link leads to") as refused:
        elsewhere.downloads.write(f"https://{host}/report?secret", BytesIO(), "the report")
    assert "secret" not in str(refused.value)


def resolved_as(*addresses: str) -> Any:
    """A resolver that gives one address after the other for any name."""
    answers = iter(addresses)

    def resolve(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        place = (next(answers), port)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place)]

    return resolve


def test_a_name_that_resolves_to_a_near_address_is_refused(
    elsewhere: PinterestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolved_as("169.254.169.254"))

    with pytest.raises(NearbyAddressError):
        elsewhere.downloads.write("https://metadata.example/report", BytesIO(), "the report")


def test_a_name_that_resolves_to_a_near_address_only_for_the_connection_is_refused(
    elsewhere: PinterestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as near:
        near.settimeout(2)
        monkeypatch.setattr(socket, "getaddrinfo", resolved_as("93.184.215.14", "127.0.0.1"))
        link = f"https://rebound.example:{near.getsockname()[1]}/report"

        with pytest.raises(NearbyAddressError):
            elsewhere.downloads.write(link, BytesIO(), "the report")
        connection, _ = near.accept()
        with connection:
            assert connection.recv(1) == b""


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/v5", "http://localhost:1/v5"])
def test_links_lead_anywhere_while_pinterest_itself_is_on_this_machine(
    clock: PatientClock, sandbox: Sandbox, url: str
) -> None:
    client = client_at(url, clock)
    sandbox.fail(BOARDS, status=200, body="[1]")
    file = BytesIO()

    client.downloads.write(f"{sandbox.url}{BOARDS}", file, "the report")

    assert file.getvalue() == b"[1]"


@pytest.mark.parametrize(
    "link", ["file:///etc/passwd", "ftp://127.0.0.1/x", "https:///x", "//x", "http://[::1", ""]
)
def test_a_link_without_a_host_is_refused_and_not_shown(client: PinterestClient, link: str) -> None:
    with pytest.raises(FatalAPIError, match="the report: the link") as refused:
        client.downloads.write(link, BytesIO(), "the report")
    assert not link or link not in str(refused.value)


def test_a_plain_link_is_followed_only_where_pinterest_itself_is_on_this_machine(
    elsewhere: PinterestClient, sandbox: Sandbox
) -> None:
    with pytest.raises(FatalAPIError, match="https"):
        elsewhere.downloads.write(f"{sandbox.url}{BOARDS}", BytesIO(), "the report")
    assert sandbox.requests == []


def test_a_redirect_of_a_download_is_not_followed(
    client: PinterestClient, sandbox: Sandbox
) -> None:
    headers = {"location": f"{sandbox.url}/pins"}
    sandbox.fail(BOARDS, status=302, headers=headers)

    with pytest.raises(FatalAPIError, match="answered with 302"):
        client.downloads.write(f"{sandbox.url}{BOARDS}", BytesIO(), "the report")
    assert len(sandbox.requests) == 1


def test_an_error_names_path_and_request_but_no_query_and_no_token(
    client: PinterestClient, sandbox: Sandbox
) -> None:
    with pytest.raises(FatalAPIError) as caught:
        client.get(CAMPAIGNS, as_object, ids={"ad_account_id": "1"}, query={"page_size": 251})

    assert "GET /ad_accounts/{ad_account_id}/campaigns: 400" in str(caught.value)
    assert "[request " in str(caught.value)
    assert "page_size=" not in str(caught.value)
    assert sandbox.credentials["access_token"] not in str(caught.value)


def test_a_refused_access_token_that_cannot_be_renewed_ends_in_one_clear_error(
    client: PinterestClient,
) -> None:
    client.authenticator = AccessToken("pina_wrong")

    with pytest.raises(TokenRefusedError, match="refuses the access token") as caught:
        client.get(BOARDS, as_object)
    assert "pina_wrong" not in str(caught.value)


def test_a_token_that_expires_under_way_is_renewed_and_the_call_repeated(sandbox: Sandbox) -> None:
    tap = TapPinterest(config=settings(sandbox))
    tap.run.client.get(BOARDS, as_object)
    sandbox.fail(BOARDS, status=401, body={"code": 2, "message": "Authentication failed."})

    assert tap.run.client.get(BOARDS, as_object)["items"]
    paths = [each.path for each in sandbox.requests]
    assert paths == ["/oauth/token", "/boards", "/boards", "/oauth/token", "/boards"]


def test_a_new_token_that_is_refused_at_once_is_not_renewed_again(sandbox: Sandbox) -> None:
    tap = TapPinterest(config=settings(sandbox))
    message = {"code": 2, "message": "Authentication failed."}
    sandbox.fail(method="GET", status=401, body=message, times=9)

    with pytest.raises(TokenRefusedError, match="refuses the access token"):
        tap.run.client.get(BOARDS, as_object)
    *paths, probe = [each.path for each in sandbox.requests]
    assert paths == ["/oauth/token", "/boards"] * 2
    assert probe == "/user_account"


@pytest.fixture
def tap(sandbox: Sandbox) -> PatientTap:
    """A tap whose tokens are renewed, and whose boards Pinterest has refused alone."""
    tap = PatientTap(config=settings(sandbox))
    sandbox.fail(BOARDS, **REFUSED)
    with pytest.raises(FatalAPIError, match="takes the same access token for another call"):
        tap.run.client.get(BOARDS, as_object)
    assert paths(sandbox) == ["/oauth/token", BOARDS] * 2 + ["/user_account"]
    return tap


def revoke_token(tap: PatientTap, sandbox: Sandbox) -> None:
    sandbox.tokens.revoke(tap.run.client.authenticator.token())


def assert_answered_with_a_renewed_token(tap: PatientTap, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    assert tap.run.client.get(BOARDS, as_object)["items"]
    assert paths(sandbox) == [BOARDS, "/user_account", "/oauth/token", BOARDS]


def test_an_operation_that_was_refused_alone_is_answered_with_a_renewed_token(
    tap: PatientTap, sandbox: Sandbox
) -> None:
    sandbox.heal()
    revoke_token(tap, sandbox)
    assert tap.run.client.get("/pins", as_object)["items"]
    revoke_token(tap, sandbox)

    assert_answered_with_a_renewed_token(tap, sandbox)


def test_a_token_that_expires_after_one_operation_refused_it_is_renewed_for_this_operation(
    tap: PatientTap, sandbox: Sandbox
) -> None:
    sandbox.heal()
    tap.clock.sleep(61)
    revoke_token(tap, sandbox)

    assert_answered_with_a_renewed_token(tap, sandbox)


def test_operations_that_are_refused_alone_have_the_token_renewed_only_once_each(
    tap: PatientTap, sandbox: Sandbox
) -> None:
    sandbox.fail("/pins", **REFUSED)

    for path in ("/pins", BOARDS) * 5:
        with pytest.raises(FatalAPIError, match="takes the same access token for another call"):
            tap.run.client.get(path, as_object)

    asked = Counter(paths(sandbox))
    assert asked["/oauth/token"] == 1
    assert asked["/user_account"] == 2
    assert asked[BOARDS] == 5


def test_a_401_for_another_reason_has_the_token_renewed_only_once(sandbox: Sandbox) -> None:
    tap = PatientTap(config=settings(sandbox))
    sandbox.fail(BOARDS, **REFUSED | {"body": {"code": 99, "message": "Another reason."}})

    for _ in range(5):
        with pytest.raises(FatalAPIError, match="Another reason"):
            tap.run.client.get(BOARDS, as_object)

    assert paths(sandbox).count("/oauth/token") == 2


@pytest.mark.parametrize("fault", [{"status": 503}, {"kind": "hang"}, {"kind": "html"}], ids=str)
def test_a_refused_call_fails_alone_while_no_call_shows_if_the_token_is_good(
    impatient: PinterestClient, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    sandbox.fail(BOARDS, **REFUSED)
    for path in PROBES:
        sandbox.fail(path, **fault)

    with pytest.raises(FatalAPIError, match="no other call shows if the access token") as caught:
        impatient.get(BOARDS, as_object)
    assert not isinstance(caught.value, TokenRefusedError)

    # The next refused call asks again.
    with pytest.raises(FatalAPIError, match="takes the same access token for another call"):
        impatient.get(BOARDS, as_object)


def test_a_second_call_shows_if_a_token_is_good_where_the_first_has_no_answer(
    client: PinterestClient, sandbox: Sandbox
) -> None:
    sandbox.fail(BOARDS, **REFUSED)
    sandbox.fail("/user_account", status=503, times=None)

    with pytest.raises(FatalAPIError, match="takes the same access token for another call"):
        client.get(BOARDS, as_object)


def test_a_bad_token_is_found_out_once_another_call_is_answered(
    client: PinterestClient, sandbox: Sandbox
) -> None:
    client.authenticator = AccessToken("pina_wrong")
    for path in PROBES:
        sandbox.fail(path, status=503)

    with pytest.raises(FatalAPIError, match="no other call shows if the access token is good"):
        client.get(BOARDS, as_object)
    with pytest.raises(TokenRefusedError, match="refuses the access token"):
        client.get(BOARDS, as_object)


def test_threads_that_outlive_a_run_make_no_calls(sandbox: Sandbox) -> None:
    tap = TapPinterest(config=settings(sandbox))
    tap.run.client.get(BOARDS, as_object)
    other = TapPinterest(config=settings(sandbox))
    before = list(sandbox.requests)
    for each in (tap, other):
        each.run.close()

    for ask in (
        lambda: tap.run.client.get(BOARDS, as_object),
        lambda: other.run.client.get(BOARDS, as_object),  # which has no token yet
        lambda: tap.run.client.downloads.write(sandbox.url, BytesIO(), "a report"),
        lambda: tap.clock.sleep(3600),
    ):
        with pytest.raises(Interrupted):
            ask()
    assert sandbox.requests == before


def test_calls_carry_a_bearer_token_and_credentials_of_a_netrc_file_stay_out(
    client: PinterestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))

    assert client.get(BOARDS, as_object)["items"]


def test_today_is_the_day_of_pinterests_first_answer(
    client: PinterestClient, sandbox: Sandbox, clock: PatientClock
) -> None:
    clock.sleep(24 * 3600)
    assert clock.likely_today == sandbox.today + timedelta(days=1)
    client.get(BOARDS, as_object)
    assert clock.today == clock.likely_today == sandbox.today

    sandbox.today = sandbox.today.replace(day=25)
    client.get(BOARDS, as_object)
    assert clock.today.day == 20


def bomb(*encodings: str) -> bytes:
    """Sixty-four MiB of zeros, in some dozen kB or less."""
    body = bytes(64 * 1024 * 1024)
    for encoding in encodings:
        body = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    return body


@pytest.mark.parametrize("encodings", [("gzip",), ("deflate",), ("gzip", "gzip")], ids=", ".join)
@pytest.mark.parametrize("status", [200, 302, 500])
def test_a_decompression_bomb_takes_no_more_memory_than_an_answer_may_have(
    client: PinterestClient,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    encodings: tuple[str, ...],
    status: int,
) -> None:
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 1024 * 1024)
    headers = {"content-encoding": ", ".join(encodings), "content-type": "application/json"}
    if status == 302:
        headers["location"] = f"{sandbox.url}/pins"
    sandbox.fail(BOARDS, status=status, body=bomb(*encodings), headers=headers, times=None)
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError, match="larger than"):
            client.get(BOARDS, as_object)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 8 * 1024 * 1024


def test_memory_is_bounded_however_many_compressed_bodies_are_refused_at_once(
    client: PinterestClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, small = 8 * 1024 * 1024, 256 * 1024
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", most)
    monkeypatch.setattr(transport, "SMALL_BODY_BYTES", small)
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    sandbox.fail(BOARDS, status=200, body=bomb("gzip"), headers=headers, times=None)
    refused = []

    def ask() -> None:
        with pytest.raises(TooLargeError):
            client.get(BOARDS, as_object)
        refused.append(True)

    tracemalloc.start()
    threads = [threading.Thread(target=ask) for _ in range(8)]
    try:
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(refused) == 8
    # One large body as it grows, and of each of the others the beginning.
    assert peak < 2 * most + 8 * 1024 * 1024


def test_each_host_has_the_proxy_and_the_certificates_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variables = {
        "https_proxy": "http://proxy.invalid:1",
        "no_proxy": "near.invalid",
        "REQUESTS_CA_BUNDLE": "/a/bundle.pem",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    session = transport.Session()

    def asked(url: str) -> Any:
        return session.merge_environment_settings(url, {}, stream=True, verify=None, cert=None)

    for _ in range(2):
        far, near = asked("https://far.invalid/v5/ads?a=b"), asked("https://near.invalid/v5/ads")
        assert (far["proxies"]["https"], near["proxies"]) == (variables["https_proxy"], {})
        assert far["verify"] == near["verify"] == variables["REQUESTS_CA_BUNDLE"]
        assert far["stream"] is True
