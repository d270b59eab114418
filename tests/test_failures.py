"""Data that the token may not read, data that cannot be read, and the rest of such a run."""

from __future__ import annotations

import copy
import json
import logging
import re
import signal
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from conftest import SMALL, TODAY
from faulty_world import FORBIDDEN
from pinterest_sandbox import Sandbox, WorldSize
from singer_run import EVERYTHING, run, settings
from tap_pinterest import api
from tap_pinterest.http import auth
from tap_pinterest.http.transport import Transport
from tap_pinterest.singer import sdk
from tap_pinterest.singer.state_checks import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_run import Run
    from tap_pinterest.http.transport import Answer, Request
    from tap_pinterest.run.summary import StreamSummary

REPORT = "campaign_analytics"


def accounts(sandbox: Sandbox) -> list[str]:
    records = run(settings(sandbox), "ad_accounts").records("ad_accounts")
    sandbox.requests.clear()
    return [record["id"] for record in records]


def contexts(result: Run, stream: str) -> set[str]:
    entry = result.state.get("bookmarks", {}).get(stream, {})
    return {each["context"]["ad_account_id"] for each in entry.get("partitions", ())}


def test_one_account_failing_the_others_arrive_and_its_state_stays(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = accounts(sandbox)
    before = run(settings(sandbox), REPORT, "ad_accounts")
    sandbox.today += timedelta(days=1)
    sandbox.fail(f"/ad_accounts/{first}/campaigns/analytics", status=500, times=None)

    with caplog.at_level(logging.INFO):
        after = run(settings(sandbox), REPORT, "ad_accounts", state=before.state)

    assert after.code == 1
    assert after.partition(REPORT, first) == before.partition(REPORT, first)
    for other in others:
        assert after.partition(REPORT, other) != before.partition(REPORT, other)
    assert len(after.records("ad_accounts")) == 3
    line = next(each for each in caplog.messages if each.startswith("FAILED"))
    assert line.startswith(f"FAILED {REPORT} of ad account {first}: 1 of its parts failed (days ")
    assert "): GET /ad_accounts/{ad_account_id}/campaigns/analytics: 500" in line
    assert '"failed":true' in caplog.text


def test_the_run_after_a_failure_makes_up_for_it(sandbox: Sandbox) -> None:
    first, *_ = accounts(sandbox)
    sandbox.fail(f"/ad_accounts/{first}/campaigns/analytics", status=500, times=None)
    broken = run(settings(sandbox), REPORT)
    sandbox.heal()

    mended = run(settings(sandbox), REPORT, state=broken.state)

    whole = [
        r for r in run(settings(sandbox), REPORT).records(REPORT) if r["ad_account_id"] == first
    ]
    assert first not in contexts(broken, REPORT)
    assert [r for r in mended.records(REPORT) if r["ad_account_id"] == first] == whole
    assert mended.code == 0


@pytest.mark.parametrize(
    ("expression", "cause"),
    [
        pytest.param(
            "1 / (float(impression_1 or 1) - float(impression_1 or 1))", "Zero", id="raises"
        ),
        pytest.param("nothing_like_it", "'nothing_like_it' is not defined", id="an unknown name"),
        pytest.param("'x' * 10**9", "IterableTooLong", id="too much"),
    ],
)
def test_a_stream_map_that_fails_on_a_record_is_one_line_and_the_rest_arrives(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, expression: str, cause: str
) -> None:
    first, other, *_ = accounts(sandbox)
    whole = run(settings(sandbox), REPORT, "boards", "campaigns")
    expression = f"({expression}) if ad_account_id == '{first}' else 1"
    config = settings(sandbox, stream_maps={REPORT: {"ratio": expression}})

    result = run(config, REPORT, "boards", "campaigns")

    (line,) = (each for each in caplog.messages if each.startswith("FAILED"))
    assert line.startswith(f"FAILED {REPORT} of ad account {first}: the record of campaign_id ")
    assert "stream_maps" in line
    assert re.search(cause, line)
    assert "Traceback" not in caplog.text
    assert result.code == 1
    assert {r["ad_account_id"] for r in result.records(REPORT)} == {other}
    assert first not in contexts(result, REPORT)
    assert other in contexts(result, REPORT)
    for stream in ("boards", "campaigns"):
        assert result.records(stream) == whole.records(stream)
    mended = run(settings(sandbox), REPORT, state=result.state)
    assert mended.partition(REPORT, first) == whole.partition(REPORT, first)


def test_a_stream_map_that_fails_on_every_record_leaves_the_other_streams_alone(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    maps = {"boards": {"half": "name / 2"}}

    result = run(settings(sandbox, stream_maps=maps), "boards", "campaigns", REPORT)

    (line,) = (each for each in caplog.messages if each.startswith("FAILED"))
    assert line.startswith("FAILED boards: the record of id ")
    assert result.code == 1
    assert result.records("campaigns")
    assert REPORT in result.state["bookmarks"]
    assert "boards" not in result.state["bookmarks"]


def test_a_failure_in_the_middle_of_an_account_does_not_move_its_bookmark(
    sandbox: Sandbox,
) -> None:
    sandbox.fail("*/campaigns/analytics", status=500, after=1, times=None)

    result = run(settings(sandbox, slice_rows=90, max_requests_in_flight=1), REPORT)

    assert result.code == 1
    assert result.records(REPORT)
    assert len(contexts(result, REPORT)) == 1  # the account without campaigns needs no call


@pytest.fixture
def powerless() -> Iterator[Sandbox]:
    """A world with an account that the token sees and may not read."""
    size = WorldSize(accounts=3, empty_accounts=0, powerless_accounts=1, ads=8)
    with Sandbox(seed=4, today=TODAY, size=size) as sandbox:
        yield sandbox


def test_an_account_that_is_merely_discovered_and_may_not_be_read_is_skipped_with_a_warning(
    powerless: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    result = run(settings(powerless), REPORT, "campaigns")

    assert result.code == 0
    assert len(contexts(result, REPORT)) == 2
    assert re.search(r"Skipped .*\bcampaigns of ad account", caplog.text)
    assert "ads:read" in caplog.text


def test_an_account_that_the_config_names_must_arrive(
    powerless: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    result = run(settings(powerless, ad_account_ids=accounts(powerless)), REPORT)

    assert result.code == 1
    assert len(contexts(result, REPORT)) == 2
    assert "exclude_ad_account_ids" in caplog.text


def test_an_account_that_an_earlier_run_has_read_must_arrive(sandbox: Sandbox) -> None:
    first = run(settings(sandbox), REPORT)
    sandbox.fail(f"/ad_accounts/{accounts(sandbox)[0]}/*", **FORBIDDEN)

    again = run(settings(sandbox), REPORT, "campaigns", state=first.state)

    assert again.code == 1
    assert set(again.tap.run.summary.of("campaigns").failures) == {accounts(sandbox)[0]}


def test_an_excluded_account_is_not_asked_for(sandbox: Sandbox) -> None:
    first, *others = accounts(sandbox)
    result = run(settings(sandbox, exclude_ad_account_ids=first), REPORT, "ad_accounts")

    assert contexts(result, REPORT) == set(others)
    assert {record["id"] for record in result.records("ad_accounts")} == set(others)
    assert first not in {each.ad_account_id for each in sandbox.requests}


@pytest.mark.parametrize(
    ("report", "path"),
    [
        ("ad_account_analytics", "/ad_accounts/*/analytics"),
        ("user_account_analytics", "/user_account/analytics"),
    ],
)
def test_a_default_report_that_everybody_refuses_is_a_failure_on_the_first_run_too(
    report: str, path: str, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.fail(path, **FORBIDDEN)

    result = run(settings(sandbox), report, "ad_accounts")

    assert result.code == 1
    assert len(result.records("ad_accounts")) == 3
    assert "to do without, deselect the stream" in caplog.text


def test_an_organic_stream_without_its_scope_is_skipped_with_the_scopes_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Sandbox(seed=4, today=TODAY, scopes=("ads:read", "user_accounts:read")) as sandbox:
        result = run(settings(sandbox), "boards", "user_account")

    assert result.code == 0
    assert "Skipped boards" in caplog.text
    assert "boards:read" in caplog.text
    assert result.streams("SCHEMA") == ["boards", "user_account"]


def parts(result: Run) -> list[StreamSummary]:
    return [*result.tap.run.summary.streams.values()]


def test_a_default_report_without_its_scope_is_left_out_on_a_first_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Sandbox(seed=4, today=TODAY, scopes=("ads:read", "boards:read", "pins:read")) as sandbox:
        result = run(settings(sandbox), "user_account_analytics", "ad_accounts")

    assert result.code == 0
    assert "user_accounts:read" in caplog.text
    assert "FAILED" not in caplog.text


def test_an_organic_report_that_a_personal_account_does_not_have_is_left_out(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"code": 654, "message": "Business account required"}
    sandbox.fail("/user_account/analytics", status=403, body=body, times=None)

    result = run(settings(sandbox), "user_account_analytics", "ad_accounts")

    assert result.code == 0
    assert "Business account required" in caplog.text


def test_a_report_that_an_earlier_run_has_read_is_a_failure_whatever_refuses_it(
    sandbox: Sandbox,
) -> None:
    first = run(settings(sandbox), "user_account_analytics")
    body = {"code": 654, "message": "Business account required"}
    sandbox.fail("/user_account/analytics", status=403, body=body, times=None)

    again = run(settings(sandbox), "user_account_analytics", "ad_accounts", state=first.state)

    assert again.code == 1


def test_a_run_that_could_read_nothing_fails(caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox(seed=4, today=TODAY, scopes=("ads:read", "user_accounts:read")) as sandbox:
        result = run(settings(sandbox), "boards", "pins")

    assert result.code == 1
    assert "nothing could be read" in caplog.text


def test_an_ad_account_that_was_read_before_and_is_not_listed_now_fails_the_run_by_name(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    first = run(settings(sandbox), REPORT)
    state = copy.deepcopy(first.state)
    gone = {**state["bookmarks"][REPORT]["partitions"][0], "context": {"ad_account_id": "549999"}}
    state["bookmarks"][REPORT]["partitions"].append(gone)

    again = run(settings(sandbox), REPORT, "campaigns", state=state)

    assert again.code == 1
    assert again.records("campaigns")
    (line,) = (each for each in caplog.messages if "549999" in each and "FAILED" in each)
    assert "exclude_ad_account_ids" in line
    excluded = settings(sandbox, exclude_ad_account_ids="549999")
    assert run(excluded, REPORT, "campaigns", state=state).code == 0
    named = settings(sandbox, ad_account_ids=accounts(sandbox))
    assert run(named, REPORT, "campaigns", state=state).code == 0


def test_an_account_that_is_shared_is_not_gone_when_the_config_leaves_shared_ones_out(
    sandbox: Sandbox,
) -> None:
    first = run(settings(sandbox), REPORT)
    own = {"items": [{"id": accounts(sandbox)[0], "currency": "USD"}], "bookmark": None}
    sandbox.fail("/ad_accounts", status=200, body=own, times=None)

    again = run(settings(sandbox, include_shared_accounts=False), REPORT, state=first.state)

    assert again.code == 0
    assert run(settings(sandbox), REPORT, state=first.state).code == 1


def test_a_token_without_any_ad_account_fails_unless_no_stream_needs_one(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.fail("/ad_accounts", status=200, body={"items": [], "bookmark": None}, times=None)

    assert run(settings(sandbox), REPORT, "boards").code == 1
    assert "Pinterest lists no ad account for this token" in caplog.text
    assert run(settings(sandbox), "boards").code == 0


def test_an_app_whose_access_is_not_active_ends_the_run_at_once_in_one_line(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"code": 3, "message": "Your application consumer type is not supported"}
    sandbox.fail(method="GET", status=401, body=body, times=None)
    config = settings(sandbox, **EVERYTHING, max_requests_in_flight=4)

    result = run(config)

    (line,) = (each for each in caplog.messages if "refuses the app" in each)
    assert result.code == 1
    assert not result.streams("RECORD")
    assert "access is not active" in line
    assert "https://developers.pinterest.com/apps/" in line
    assert len([each for each in sandbox.requests if each.method == "GET"]) <= 5


def test_a_restricted_feature_is_skipped_in_pinterests_words_without_a_word_of_scopes(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    message = "Your application does not have access to this restricted feature: boards"
    sandbox.fail("/boards", status=401, body={"code": 3, "message": message}, times=None)
    caplog.set_level(logging.INFO)

    result = run(settings(sandbox), "boards", "ad_accounts")

    (line,) = (each for each in caplog.messages if each.startswith("Skipped boards"))
    assert result.code == 0
    assert message in line
    assert "scope" not in line


NO_ENDPOINT: dict[str, Any] = {
    "status": 404,
    "body": {"code": 11, "message": "API method not found.", "status": "failure"},
    "times": None,
}


def test_an_endpoint_that_is_not_there_is_left_out_with_a_warning(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    first, *_ = accounts(sandbox)
    before = run(settings(sandbox), "campaigns")
    for path in ("/boards", f"/ad_accounts/{first}/campaigns"):
        sandbox.fail(path, **NO_ENDPOINT)

    left_out = run(settings(sandbox, ad_account_ids=first), "boards", "campaigns", "ad_accounts")

    assert left_out.code == 0
    # The summary, which has the reason too, is logged if an earlier test has turned the level down.
    (line,) = (each for each in caplog.messages if each.startswith("Skipped "))
    assert line.startswith(f"Skipped boards; campaigns of ad account {first}: ")
    assert "no such endpoint" in line
    assert run(settings(sandbox), "campaigns", state=before.state).code == 1


def test_all_streams_are_no_failure_where_betas_are_closed(sandbox: Sandbox) -> None:
    betas = [key for key, each in api.operations().items() if each.beta or each.since]
    for operation in betas:
        sandbox.fail(operation=operation, **NO_ENDPOINT)

    result = run(settings(sandbox, **EVERYTHING))

    assert len(betas) > 10
    assert result.code == 0
    assert any("no such endpoint" in why for part in parts(result) for why in part.skipped.values())


def test_a_custom_report_whose_endpoint_is_not_there_is_a_failure(sandbox: Sandbox) -> None:
    report = {"name": "mine", "level": "CAMPAIGN", "columns": ["SPEND_IN_DOLLAR"]}
    sandbox.fail("*/campaigns/analytics", **NO_ENDPOINT)
    sandbox.fail("*/reports", **NO_ENDPOINT)

    assert run(settings(sandbox, custom_reports=[report]), "mine").code == 1


def test_a_stream_that_an_earlier_run_has_read_may_not_be_refused_now(sandbox: Sandbox) -> None:
    first = run(settings(sandbox), "boards")
    sandbox.fail("/boards", **FORBIDDEN)

    assert run(settings(sandbox), "boards", "ad_accounts").code == 0
    assert run(settings(sandbox), "boards", "ad_accounts", state=first.state).code == 1


def test_an_account_without_ads_does_not_make_up_for_a_report_that_all_others_refuse(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Sandbox(seed=7, today=TODAY, size=SMALL) as sandbox:
        sandbox.fail("/ad_accounts/*/ads/analytics", **FORBIDDEN)

        result = run(settings(sandbox), "ad_analytics")

        part = result.tap.run.summary.of("ad_analytics")
        assert (part.contexts, part.answered) == (1, 0)
        assert len(part.failures) == SMALL.accounts - SMALL.empty_accounts
        assert result.code == 1
        assert "FAILED ad_analytics" in caplog.text


def test_a_report_that_no_account_has_anything_for_is_no_failure() -> None:
    size = replace(SMALL, ads=0)
    with Sandbox(seed=7, today=TODAY, size=size) as sandbox:
        sandbox.fail("/ad_accounts/*/ads/analytics", **FORBIDDEN)

        assert run(settings(sandbox), "ad_analytics").code == 0


def test_ids_that_the_token_does_not_know_fail_the_run_and_are_named(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    known = accounts(sandbox)[0]
    result = run(settings(sandbox, ad_account_ids=[known, "123"]), "ad_accounts", REPORT)

    assert result.code == 1
    assert [record["id"] for record in result.records("ad_accounts")] == [known]
    assert contexts(result, REPORT) == {known}
    (line,) = (each for each in caplog.messages if each.startswith("FAILED"))
    assert line.startswith(
        f"FAILED ad_accounts, {REPORT} of ad account 123: ad_account_ids names it"
    )


def test_a_wrong_ad_account_id_is_one_failure_that_names_those_that_the_token_has(
    caplog: pytest.LogCaptureFixture,
) -> None:
    size = replace(SMALL, accounts=8, empty_accounts=0)
    with Sandbox(seed=7, today=TODAY, size=size) as sandbox:
        sandbox.fail("/ad_accounts/124", **FORBIDDEN)
        result = run(settings(sandbox, ad_account_ids=["123", "124"], start_date="2 days ago"))
        asked = {request.path for request in sandbox.requests}
        listed = [account for _, account in sandbox.truth("GET /ad_accounts")]

    assert result.code == 1
    unknown, forbidden = (each for each in caplog.messages if each.startswith("FAILED"))
    assert " of ad account 123: ad_account_ids names it" in unknown
    assert " of ad account 124: ad_account_ids names it" in forbidden
    for line in (unknown, forbidden):
        assert line.endswith(" and 3 more")
        for account in listed[:5]:
            assert f"{account['id']} ({account['name']})" in line
        assert all(stream in line for stream in ("ad_accounts", "campaigns", "ad_analytics"))
    assert not [path for path in asked if re.search("/12[34]/", path)]
    assert result.records("boards")


def test_a_token_without_any_ad_account_says_so_beside_the_wrong_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    size = replace(SMALL, accounts=0, empty_accounts=0)
    with Sandbox(seed=7, today=TODAY, size=size) as sandbox:
        assert run(settings(sandbox, ad_account_ids="123"), "campaigns", "ad_accounts").code == 1

    (line,) = (each for each in caplog.messages if each.startswith("FAILED"))
    assert line.endswith("This token has no ad account")


def test_a_named_account_that_cannot_be_looked_up_takes_no_other_along(sandbox: Sandbox) -> None:
    first, other, *_ = accounts(sandbox)
    listed = {"items": [account for key, account in sandbox.truth("GET /ad_accounts")][1:]}
    sandbox.fail("/ad_accounts", status=200, body=listed, times=None)
    sandbox.fail(f"/ad_accounts/{first}", status=500, times=None)

    result = run(settings(sandbox, ad_account_ids=[first, other]), REPORT)

    # Without its currency, what it spent would say nothing.
    part = result.tap.run.summary.of(REPORT)
    assert result.code == 1
    assert list(part.failures) == [first]
    assert "GET /ad_accounts/{ad_account_id}: 500" in part.failures[first]
    assert contexts(result, REPORT) == {other}
    assert {record["ad_account_id"] for record in result.records(REPORT)} == {other}


def test_one_named_account_takes_one_call_to_find(sandbox: Sandbox) -> None:
    known = accounts(sandbox)[1]
    result = run(settings(sandbox, ad_account_ids=known), "ad_accounts")

    assert [record["id"] for record in result.records("ad_accounts")] == [known]
    assert [each.path for each in sandbox.requests][1:] == [f"/ad_accounts/{known}"]


def test_a_list_of_accounts_that_cannot_be_read_leaves_the_other_streams_alone(
    sandbox: Sandbox,
) -> None:
    sandbox.fail("/ad_accounts", status=500, times=None)

    result = run(settings(sandbox), REPORT, "campaigns", "boards")

    assert result.code == 1
    assert len(result.records("boards")) == 3
    assert set(result.streams("SCHEMA")) == {REPORT, "campaigns", "boards"}


def test_a_401_for_an_unknown_reason_fails_only_its_own_stream(
    sandbox: Sandbox,
) -> None:
    body = {"code": 401, "message": "Sorry."}
    sandbox.fail("/ad_accounts", status=401, body=body, times=2)

    result = run(settings(sandbox), "ad_accounts", "boards")

    assert result.code == 1
    assert list(result.tap.run.summary.of("ad_accounts").failures) == [""]
    assert len(result.records("boards")) == 3


@pytest.mark.parametrize("token", ["renewed", "from the config"])
@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("*/campaigns", {"campaigns"}),
        ("/user_account", {"user_account"}),
        ("/boards", {"boards"}),
    ],
)
def test_a_call_that_refuses_a_token_good_for_others_ends_only_its_own_stream(
    sandbox: Sandbox, token: str, path: str, hidden: set[str]
) -> None:
    body = {"code": 2, "message": "Authentication failed.", "status": "failure"}
    sandbox.fail(path, status=401, body=body, times=None)
    config = settings(sandbox)
    if token == "from the config":
        config = {**config, "access_token": sandbox.credentials["access_token"]}
        del config["refresh_token"]
    streams = {"ad_accounts", "boards", "campaigns", "pins", "user_account"}

    result = run(config, *streams)

    assert result.code == 1
    assert {name for name in streams if not result.records(name)} == hidden
    (name,) = hidden
    reasons = result.tap.run.summary.of(name).failures.values()
    assert all("takes the same access token for another call" in each for each in reasons)
    renewed = [each for each in sandbox.requests if each.path == "/oauth/token"]
    assert len(renewed) <= (3 if token == "renewed" else 0)


def test_a_refused_call_ends_only_its_own_stream_while_nothing_shows_if_the_token_is_good(
    sandbox: Sandbox,
) -> None:
    body = {"code": 2, "message": "Authentication failed.", "status": "failure"}
    sandbox.fail("*/campaigns", status=401, body=body, times=None)
    sandbox.fail("/user_account", status=503, times=None)
    sandbox.fail("/ad_accounts", status=503, after=1, times=None)

    result = run(settings(sandbox), "ad_accounts", "boards", "campaigns", "pins")

    reasons = result.tap.run.summary.of("campaigns").failures.values()
    assert result.code == 1
    assert all("no other call shows if the access token is good" in each for each in reasons)
    assert all(result.records(each) for each in ("ad_accounts", "boards", "pins"))


def test_a_call_that_is_not_for_apps_of_this_type_leaves_the_others(sandbox: Sandbox) -> None:
    body = {"code": 3, "message": "Your application consumer type is not supported"}
    sandbox.fail("*/audiences", status=401, body=body, times=None)

    result = run(settings(sandbox, stream_groups="ads,audiences"), "audiences", "campaigns")

    part = result.tap.run.summary.of("audiences")
    assert result.code == 0
    assert result.records("campaigns")
    assert part.skipped
    assert all("consumer type is not supported" in reason for reason in part.skipped.values())
    assert len([each for each in sandbox.requests if each.path == "/user_account"]) == 1


def test_a_bookmark_that_repeats_for_ever_ends_in_an_error(sandbox: Sandbox) -> None:
    page = {"items": [], "bookmark": "again"}
    sandbox.fail("/boards", status=200, body=page, times=None)

    result = run(settings(sandbox), "boards")

    assert result.code == 1
    assert len(sandbox.requests) == 3


def test_pages_are_followed_also_where_an_operation_is_not_described_with_them(
    sandbox: Sandbox,
) -> None:
    page = {"items": [{"name": "A", "category": "ADS"}], "bookmark": "more"}
    sandbox.fail("/resources/delivery_metrics", status=200, body=page)

    result = run(settings(sandbox), "delivery_metrics")

    asked = [dict(each.query) for each in sandbox.requests if each.path.endswith("_metrics")]
    assert "A" in {each["name"] for each in result.records("delivery_metrics")}
    assert "more" in {each.get("bookmark") for each in asked}


def test_empty_pages_do_not_end_a_list() -> None:
    size = WorldSize(accounts=1, empty_accounts=0, ads=20, boards=600, pins=5)
    with Sandbox(seed=4, today=TODAY, empty_pages=2, size=size) as sandbox:
        assert len(run(settings(sandbox), "boards").records("boards")) == 600


def test_a_record_without_its_key_fails_the_stream_and_names_the_fields_it_has(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"items": [{"name": "Kitchen", "privacy": "PUBLIC"}], "bookmark": None}
    sandbox.fail("/boards", status=200, body=body, times=None)

    assert run(settings(sandbox), "boards").code == 1
    assert "has no id, which is part of its key; it has: privacy, name" in caplog.text


def test_a_field_and_a_value_that_the_schema_does_not_know_are_named_and_the_run_goes_on(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    board = {"id": "1", "name": "x", "privacy": "HIDDEN", "mood": "calm"}
    sandbox.fail("/boards", status=200, body={"items": [board], "bookmark": None})

    result = run(settings(sandbox), "boards")

    assert result.code == 0
    assert result.records("boards")[0]["privacy"] == "HIDDEN"
    assert "mood (1)" in caplog.text
    assert "privacy=HIDDEN (1)" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_with_its_number_and_keeps_the_state_of_completed_streams(
    sandbox: Sandbox, number: int
) -> None:
    seen: list[str] = []

    def interrupt(message: dict[str, Any]) -> None:
        if message["type"] == "RECORD":
            seen.append(message["record"]["ad_account_id"])
            if len(set(seen)) == 2:
                signal.raise_signal(number)
                # A second one ends at once.
                assert signal.getsignal(number) is signal.SIG_DFL

    whole = run(settings(sandbox), "ad_account_analytics")
    result = run(settings(sandbox), "ad_account_analytics", on_message=interrupt)

    assert result.code == 128 + number
    assert contexts(result, "ad_account_analytics") == {seen[0]}
    assert result.messages[-1]["type"] == "STATE"
    assert len(result.records("ad_account_analytics")) < len(whole.records("ad_account_analytics"))


@pytest.mark.parametrize(
    ("path", "config"),
    [("/oauth/token", {}), ("/ad_accounts/*", {"ad_account_ids": "549700000901"})],
    ids=["a token", "an ad account"],
)
def test_a_signal_does_not_wait_for_the_first_calls_of_a_run(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, path: str, config: dict[str, Any]
) -> None:
    sandbox.fail(path, kind="hang", times=None)
    monkeypatch.setattr(auth, "FINISH_SECONDS", 0)
    answered: list[str] = []
    exchange = Transport.exchange

    def interrupted(self: Transport, request: Request) -> Answer:
        if (request.method == "POST") is (path == "/oauth/token"):
            signal.raise_signal(signal.SIGTERM)
        try:
            return exchange(self, request)
        finally:
            answered.append(request.path)

    monkeypatch.setattr(Transport, "exchange", interrupted)
    result = run(settings(sandbox, request_timeout=5, **config), "campaigns")

    assert result.code == 128 + signal.SIGTERM
    assert answered == ([] if path == "/oauth/token" else ["/oauth/token"])


@pytest.mark.parametrize("state_seconds", [0, 15])
def test_no_state_is_ahead_of_the_records_written_before_it(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, state_seconds: int
) -> None:
    monkeypatch.setattr(sdk, "STATE_SECONDS", state_seconds)
    sandbox.fail("*/ads/analytics", status=500, after=2, times=None)
    result = run(settings(sandbox, slice_rows=60, max_requests_in_flight=1))
    settled: set[tuple[str, ...]] = set()
    bookmarks = 0
    for message in result.messages:
        if message["type"] == "RECORD":
            record = message["record"]
            whose = record.get("ad_account_id") or record.get("user_id", "")
            assert (message["stream"], whose) not in settled
            assert (message["stream"], "") not in settled
        if message["type"] == "STATE":
            for stream, entry in message["value"].get("bookmarks", {}).items():
                partitions = entry.get("partitions", ())
                settled |= {(stream, *each["context"].values()) for each in partitions}
                if "replication_key_value" in entry:
                    settled.add((stream, ""))
                bookmarks += len(partitions)

    assert result.code == 1
    assert bookmarks > len(settled)
    assert ("ad_analytics", accounts(sandbox)[0]) not in settled


@pytest.mark.parametrize(
    "state", [{"bookmarks": []}, {"tap_pinterest": {"state_version": 99}}], ids=["broken", "newer"]
)
def test_a_state_that_cannot_be_used_ends_the_run_before_it_begins(
    sandbox: Sandbox, state: dict[str, Any]
) -> None:
    with pytest.raises(StateError):
        run(settings(sandbox), "boards", state=state)
    assert sandbox.requests == []


def test_accounts_and_streams_of_the_state_that_are_gone_are_kept(sandbox: Sandbox) -> None:
    gone = {"context": {"ad_account_id": "1"}, "replication_key_value": "2026-01-01"}
    state = {"bookmarks": {"leads": {"x": 1}, REPORT: {"partitions": [gone]}}}

    result = run(settings(sandbox), REPORT, state=state)

    assert result.state["bookmarks"]["leads"] == {"x": 1}
    assert gone in result.state["bookmarks"][REPORT]["partitions"]


def test_a_state_partition_takes_at_most_250_bytes(sandbox: Sandbox) -> None:
    backfill = {"start_date": "2026-09-01", "end_date": "2026-09-30"}
    result = run(settings(sandbox, backfill=backfill), REPORT)

    for partition in result.state["bookmarks"][REPORT]["partitions"]:
        assert len(msgspec.json.encode(partition)) <= 250


def test_a_run_writes_one_state_for_each_stream_and_one_at_its_end(sandbox: Sandbox) -> None:
    result = run(settings(sandbox))

    assert len(result.states) <= len(set(result.streams("SCHEMA"))) + 1


def test_no_secret_is_in_any_message_or_log_line(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        result = run(settings(sandbox))

    written = caplog.text + json.dumps(result.messages)
    for name in ("client_secret", "refresh_token", "access_token"):
        assert sandbox.credentials[name] not in written
