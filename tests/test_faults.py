"""Everything that can go wrong with an answer, one by one; docs/faults.md shows the same table."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, Literal

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from faulty_world import STREAMS, config_of, records_are_unique, tiny, truth, upsert, without
from scripts.processes import ROOT
from singer_run import PatientClock, run
from tap_pinterest.http import patience, transport
from tap_pinterest.reading import inventory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from faulty_world import Tables
    from pinterest_sandbox import Sandbox

ALWAYS = None
FIRST = "{first}"
LIST = f"/ad_accounts/{FIRST}/campaigns"
REPORT = f"/ad_accounts/{FIRST}/campaigns/analytics"
ARRIVES = "Asked again; all rows arrive."
FAILS = "All other rows arrive; the run fails, naming ad account, stream and cause."

Target = Literal["list", "report"]
PATHS: dict[Target, str] = {"list": LIST, "report": REPORT}
LOST: dict[Target, tuple[str, ...]] = {
    "list": ("campaigns", "campaign_analytics"),
    "report": ("campaign_analytics",),
}


@dataclass(frozen=True)
class Case:
    """A fault in the calls for one ad account's campaigns or their report.

    Attributes:
        name: What goes wrong, as the docs say it.
        fault: How the sandbox plays it.
        happens: What the docs promise.
        cause: Of a failure: what its line says. No cause: all rows arrive.
        targets: Which calls it is tried on.
        settings: Settings beside the usual ones.
    """

    name: str
    fault: dict[str, Any]
    happens: str = ARRIVES
    cause: str = ""
    targets: tuple[Target, ...] = ("list", "report")
    settings: dict[str, Any] = field(default_factory=dict)


def status(number: int, *, times: int | None = 1, **more: Any) -> dict[str, Any]:
    return {"status": number, "times": times, **more}


def error(code: int, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}


WAITS = "Waits as long as asked; all rows arrive."
HALVED = "The call is asked in two halves; all rows arrive."
SAFETY_NET = {
    "x-ratelimit-limit": '100, 100;w=1;name="safety_net_user", 300;w=60;name="analytics_user"',
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "1",
}
CASES = (
    Case("429 that says when to come back", status(429, headers={"x-ratelimit-reset": "7"}), WAITS),
    Case(
        "429 that does not",
        status(429, times=3),
        "Waits a few seconds, longer each time; all rows arrive.",
    ),
    Case("429 with `Retry-After`", status(429, headers={"retry-after": "7"}), WAITS),
    Case(
        "429 of the safety net, the limit of each second",
        status(429, headers=SAFETY_NET),
        "Waits a second; all rows arrive.",
    ),
    Case("429 thirty times over", status(429, times=30, headers={"x-ratelimit-reset": "1"}), WAITS),
    Case(
        "429 that ends later than `max_wait_seconds` allows",
        status(429, headers={"x-ratelimit-reset": "86400"}),
        FAILS,
        "max_wait_seconds",
    ),
    Case(
        "429 for ever, in small portions",
        status(429, times=ALWAYS, headers={"x-ratelimit-reset": "900"}),
        FAILS,
        "max_wait_seconds",
    ),
    Case(
        "429 for ever that asks for no wait",
        status(429, times=ALWAYS, headers={"x-ratelimit-reset": "0"}),
        FAILS,
        "429",
    ),
    Case(
        "400 with “Retry after N seconds”",
        status(400, times=3, body=error(1, "Please retry after 20 seconds.")),
        WAITS,
    ),
    Case("400 with code 12", status(400, times=2, body=error(12, "Try again."))),
    Case(
        "“Something went wrong”, with any status and code",
        status(400, times=2, body=error(1, "Something went wrong on our end.")),
    ),
    Case(
        "400 “You can only get data from the last 90 days”, for days within reach",
        status(400, times=2, body=error(1, "You can only get data from the last 90 days.")),
        targets=("report",),
    ),
    *(
        Case(f"{number} {name}", status(number, times=2))
        for number, name in (
            (408, "Request Timeout"),
            (500, "Internal Server Error"),
            (502, "Bad Gateway"),
            (503, "Service Unavailable"),
            (504, "Gateway Timeout"),
        )
    ),
    Case("503 with `Retry-After`", status(503, headers={"retry-after": "7"}), WAITS),
    Case(
        "503 with a `Retry-After` longer than `max_wait_seconds` allows",
        status(503, times=ALWAYS, headers={"retry-after": "80000"}),
        FAILS,
        "503",
    ),
    Case("500 for ever", status(500, times=ALWAYS), FAILS, "500"),
    Case(
        "400 for another reason",
        status(400, times=ALWAYS, body=error(1, "No.")),
        FAILS,
        "400 .code 1. No",
    ),
    Case("HTML with status 200", {"kind": "html"}),
    Case("HTML with status 502", {"kind": "html", "status": 502}),
    Case("HTML for ever", {"kind": "html", "times": ALWAYS}, FAILS, "not JSON"),
    Case("403 with HTML, as gateways answer", {"kind": "html", "status": 403, "times": 2}),
    Case("404 without a body", status(404, body="", times=2)),
    Case("400 with HTML", {"kind": "html", "status": 400, "times": 2}),
    Case("403 with JSON that has no code", status(403, body={"message": "Forbidden"}, times=2)),
    Case("an error with status 200", status(200, body=error(8, "Too fast."))),
    Case(
        "an error with status 200 for ever",
        status(200, body=error(8, "Too fast."), times=ALWAYS),
        FAILS,
        "200 .code 8. Too fast",
    ),
    Case(
        "JSON with a wrong content type",
        {"kind": "slow", "seconds": 0, "headers": {"content-type": "text/plain"}},
        "Read as JSON; all rows arrive.",
    ),
    Case("an empty body", {"kind": "empty"}),
    Case("an empty body for ever", {"kind": "empty", "times": ALWAYS}, FAILS, "not JSON"),
    Case("JSON cut short", status(200, body='{"items": [{"id": "1", "na')),
    Case("JSON of another shape", status(200, body='{"data": 7}')),
    Case(
        "JSON of another shape for ever",
        status(200, body='{"data": 7}', times=ALWAYS),
        FAILS,
        "another shape",
    ),
    Case("JSON nested a hundred thousand deep", status(200, body="[" * 100_000)),
    Case("a body shorter than announced", {"kind": "truncate"}),
    Case("the connection reset before the answer", {"kind": "reset"}),
    Case("the connection closed in the middle of the headers", {"kind": "half_headers"}),
    Case("the connection reset after the headers", {"kind": "reset", "after_bytes": 0}),
    Case("the connection reset in the middle of the body", {"kind": "reset", "after_bytes": 40}),
    Case(
        "the connection reset for ever",
        {"kind": "reset", "times": ALWAYS},
        FAILS,
        "the connection failed",
    ),
    Case("no answer within `request_timeout`", {"kind": "hang"}, settings={"request_timeout": 1}),
    Case(
        "an answer that drips in longer than `request_timeout`",
        {"kind": "slow", "seconds": 4},
        settings={"request_timeout": 1},
    ),
    Case(
        "an answer that drips in faster than that",
        {"kind": "slow", "seconds": 0.4},
        "Waits for it; all rows arrive.",
        settings={"request_timeout": 5},
    ),
    Case("413 to a report call", status(413), HALVED, targets=("report",)),
    Case("414 to a report call", status(414), HALVED, targets=("report",)),
    Case("413 to a list call", status(413), FAILS, "413", targets=("list",)),
    Case("414 to a list call", status(414), FAILS, "414", targets=("list",)),
    Case(
        "the same record on two pages of a list, or twice in a report",
        {"kind": "distort", "change": "repeat", "times": ALWAYS},
        "Written once, and counted in the summary; all rows arrive.",
    ),
    Case(
        "a bookmark that repeats for ever",
        status(200, times=ALWAYS, body={"items": [], "bookmark": "again"}),
        FAILS,
        "bookmark that was followed before",
        targets=("list",),
    ),
    Case(
        "an entity deleted between listing and reading",
        status(404, times=ALWAYS, body=error(404, "Campaign not found.")),
        FAILS,
        "404 .code 404. Campaign not found",
        targets=("report",),
    ),
    Case(
        "the access token expired in the middle of a list or report",
        status(401, after=1, body=error(2, "Authentication failed.")),
        "Renewed once for all calls under way, and asked again; all rows arrive.",
        settings={"slice_rows": 9},
    ),
    Case(
        "ids as numbers",
        {"kind": "distort", "change": "numeric_ids", "times": ALWAYS},
        "Written as texts; all rows arrive.",
    ),
    Case(
        "numbers as texts",
        {"kind": "distort", "change": "textual_numbers", "times": ALWAYS},
        "Written as numbers; all rows arrive.",
    ),
    Case(
        "records without an id",
        {"kind": "distort", "change": "no_ids", "times": ALWAYS},
        FAILS,
        "has no (id|campaign_id)",
    ),
)
IDS = [f"{case.name} ({target})" for case in CASES for target in case.targets]

OTHERS = {
    "such a 403 or 404 for ever": "Skipped with a warning, or a failure, by the rules of access.",
    "an interim answer, such as 103": "Asked again on another connection; all rows arrive.",
    "`{}` without the list or the parts that it should have": "Asked again; all rows arrive.",
    "such a `{}` for ever": (
        "Counts as an answer without rows, with one warning that names stream and ad account."
    ),
    "fractional values in any metric": "Written as they are; all rows arrive.",
    "unknown fields": "Counted, and named in the summary; all rows arrive.",
    "unknown enum values": "Written as they are, counted, and named in the summary.",
    "NUL and half a surrogate pair in a text": "U+FFFD instead; all rows arrive.",
    "the same 400, for a first day that stays refused, of a call or of an order": (
        "The range starts a day later, with one warning."
    ),
    "400 that refuses follows and profile visits of Pins with a video": (
        "Asked again for the metrics of videos alone, with a warning."
    ),
    "a column of the config that only the account's `delivery_metrics` lists": (
        "Read like others, with a warning."
    ),
    "400 that names columns which are not available": (
        "Asked again without them; they are null in all rows, with a warning."
    ),
    "the same, for columns that the config names": (
        "Asked again without them; the rows arrive, and the run fails, naming account and columns."
    ),
    "401 “consumer type is not supported”: the app's access is not active": (
        "The run ends at once with one line, which says where to ask for access."
    ),
    "the same to one operation, while others are answered": (
        "Skipped with a warning in Pinterest's words, by the rules of access."
    ),
    "401 “Authentication failed” to one operation, while others accept the token": (
        "All other rows arrive; the run fails, naming ad account, stream and cause."
    ),
    "the same, while no other call shows if the token is good": FAILS,
    "401 or 403 “restricted feature”": (
        "Skipped with a warning in Pinterest's words, by the rules of access."
    ),
    "404 about the path: the endpoint is not there": (
        "Skipped with a warning; a failure if an earlier run read it or a custom report needs it."
    ),
    "201 or another good status than 200": ("Read like 200; all rows arrive."),
    "a stored refresh token that Pinterest refuses": (
        "The configured one is tried once, with a warning; all rows arrive."
    ),
    "a stored and a configured refresh token that Pinterest refuses": (
        "The run ends with one line, which says what to check."
    ),
    "a list whose pages bring nothing new for ever": (
        "All other rows arrive; the run fails, naming ad account, stream and cause."
    ),
    "a link to a download that leads to this machine or a network near it": (
        "Not followed, unless `api_url` is on this machine too; the report fails with the cause."
    ),
    "an error that repeats a secret in any form": ("The message does not show the secret."),
    "a redirect to another host": (
        "Not followed, so that the token stays here; the run fails, naming stream and cause."
    ),
    "a host whose name does not resolve, or a port that refuses, from the start": (
        "Asked again for less than 45 seconds; then the run ends with one line."
    ),
    "the same after a first answer": FAILS,
    "a certificate that no authority has signed": (
        "Asked again; then the run fails, naming the cause."
    ),
    "no answer about which days are complete": (
        "All rows arrive, and their days are read again by the next run; the run fails, naming "
        "stream and cause."
    ),
    "no answer to one operation, for any number of ad accounts": FAILS,
    "500 for ever, or another failure, of one part of a list: an ad group, a board, a feed": (
        "All other parts arrive; the run fails, naming the part, and its state does not move."
    ),
    "the same, of one call or order of a report: some ids, some days, a split": (
        "All other rows of the ad account or user arrive; the run fails, naming the ids and days, "
        "and the next one reads all of them."
    ),
    "401, 403 or 404 to some calls or orders of a report": (
        "All other rows arrive; the run fails or skips by the rules of access, naming the ids and "
        "days, and the next one reads all of them."
    ),
    "400, 401, 403 or 404 to a call for many ids or targeting types, because of one of them": (
        "Asked again for fewer of them; all other rows arrive, and a message names the one."
    ),
    "the same, while three of them are refused alone, too": (
        "Asked for no more of them; then as for one call."
    ),
    "two rows of a report with one key that differ": (
        "All other calls have their rows; the run fails, naming the key and the columns that "
        "differ. Parts of a row of a breakdown are added up."
    ),
    "a page of the list of ad accounts": (
        "The ad accounts of the other pages are read; the run fails, naming the list."
    ),
    "an ad account or a user that Pinterest no longer lists, and that an earlier run has read": (
        "Everything else is read; the run fails, naming it and how to do without."
    ),
    "no ad account at all": (
        "Everything else is read; the run fails, unless no selected stream needs one."
    ),
    "a finished report without a link": "Asked again, then created again; all rows arrive.",
    "a report that is packed with gzip, even if its headers do not say so": (
        "Unpacked; all rows arrive."
    ),
    "a report of 0 bytes": (
        "Empty if Pinterest says that its size is 0; otherwise asked for again, then a failure."
    ),
    "a table without a length that ends in the middle of a line, or before its size": (
        "Asked for again, then a failure."
    ),
    "a page, a line of text or an archive instead of a table": "Asked for again, then a failure.",
    "one key twice in the object of arrays that a report is": "The rows of both arrive.",
    "a week or month that begins before the days asked for": (
        "The other calls have their rows; the run fails, because its numbers lack days."
    ),
    "a metric that is no number": (
        "The other calls have their rows; the run fails, naming the column."
    ),
    "a page of a list of entities that a report needs": (
        "The entities of the other pages have their numbers; the run fails, and the next one reads "
        "the same days."
    ),
    "401, 403 or 404 to some parts of a list, in any number and place": (
        "All other parts arrive; a message names the refused parts and their number."
    ),
    "the same, with Pinterest naming a scope, a closed feature or a missing path": (
        "Not asked of each part; skipped by the rules of access."
    ),
    "no answer to anything": "After 20 calls in a row the run ends with one line.",
    "a body larger than 512 MiB, compressed or not": "Read no further; as after 413.",
    "several of them at once": "Only one of them is read beyond 16 MiB at a time.",
}


def test_the_docs_name_every_case_and_its_outcome() -> None:
    first, _, _ = (ROOT / "docs" / "faults.md").read_text("utf-8").partition("\n## ")
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", first, re.MULTILINE)
    assert dict(rows[2:]) == {case.name: case.happens for case in CASES} | OTHERS


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with tiny() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def tables(world: Sandbox) -> Tables:
    return truth(world)


@pytest.fixture
def first(world: Sandbox, tables: Tables) -> Iterator[str]:
    """The ad account that is hit, one with numbers; it is well again afterwards."""
    yield next(iter(tables["campaign_analytics"].values()))["ad_account_id"]
    world.heal()


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "PAGE_SIZE", 2)


def hit(world: Sandbox, first: str, target: Target, fault: dict[str, Any]) -> None:
    world.fail(PATHS[target].replace(FIRST, first), **fault)


def check_failures(
    failures: dict[str, dict[str, str]], case: Case, target: Target, first: str
) -> None:
    """Streams of the target alone failed, and each names the ad account that was hit."""
    assert failures.keys() <= set(LOST[target])
    assert failures
    for reasons in failures.values():
        assert first in reasons
        assert all(re.search(case.cause, reason) for reason in reasons.values())
        # Quota that is gone is gone for the other ad account too, if it has not been asked by then.
        others = [reason for account, reason in reasons.items() if account != first]
        assert all("The quota of" in reason for reason in others)


@pytest.mark.parametrize(
    ("case", "target"),
    [(case, target) for case in CASES for target in case.targets],
    ids=IDS,
)
def test_all_rows_arrive_or_the_run_says_which_did_not(  # noqa: PLR0913, PLR0917 - fixtures
    world: Sandbox,
    tables: Tables,
    first: str,
    case: Case,
    target: Target,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = config_of(world, **case.settings)
    hit(world, first, target, case.fault)

    result = run(config, *STREAMS)

    broken = next(each for each in world.requests if each.fault)
    if case.happens == ARRIVES:
        alike = [each.query_string for each in world.requests if each.path == broken.path]
        # A report that comes too late is asked for in halves.
        assert (len(alike) if target == "report" else alike.count(broken.query_string)) > 1
    world.requests.clear()
    assert "Traceback" not in caplog.text
    assert records_are_unique(result.messages)
    arrived = upsert({}, result.messages)
    if not case.cause:
        assert (result.code, arrived) == (0, tables)
        return
    assert result.code == 1
    summary = result.tap.run.summary.streams
    failures = {name: part.failures for name, part in summary.items() if part.failures}
    check_failures(failures, case, target, first)
    lost = {name: first if len(reasons) == 1 else None for name, reasons in failures.items()}
    assert without(arrived, lost) == without(tables, lost)
    partitions = result.state["bookmarks"].get("campaign_analytics", {}).get("partitions", ())
    read = {each["context"]["ad_account_id"] for each in partitions}
    assert (first in read) is ("campaign_analytics" not in failures)

    world.heal()
    mended = run(config, *STREAMS, state=result.state)
    assert mended.code == 0
    assert upsert(arrived, mended.messages) == tables


def test_fractions_in_any_metric_are_kept(world: Sandbox, tables: Tables, first: str) -> None:
    hit(world, first, "report", {"kind": "distort", "change": "fractions", "times": None})

    result = run(config_of(world), *STREAMS)

    rows = upsert({}, result.messages)["campaign_analytics"]
    assert result.code == 0
    assert set(rows) == set(tables["campaign_analytics"])
    distorted = [row for row in rows.values() if row["ad_account_id"] == first]
    assert any(str(row["impression_1"]).endswith(".25") for row in distorted)


@pytest.mark.parametrize("target", PATHS)
def test_unknown_fields_are_named(
    world: Sandbox, tables: Tables, first: str, target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    hit(world, first, target, {"kind": "distort", "change": "unknown_field", "times": None})

    with caplog.at_level(logging.INFO):
        result = run(config_of(world), *STREAMS)

    written = upsert({}, result.messages)
    extra = [
        record.pop("extra_fields")
        for table in written.values()
        for record in table.values()
        if record.get("extra_fields")
    ]
    assert (result.code, without_extra_fields(written)) == (0, without_extra_fields(tables))
    assert all("mood_of_the_day" in each for each in extra)
    assert "mood_of_the_day" in caplog.text


def without_extra_fields(tables: Tables) -> Tables:
    return {
        name: {
            key: {column: row[column] for column in row if column != "extra_fields"}
            for key, row in table.items()
        }
        for name, table in tables.items()
    }


@pytest.mark.parametrize("target", PATHS)
def test_texts_that_no_database_takes_are_mended(
    world: Sandbox, tables: Tables, first: str, target: Target
) -> None:
    hit(world, first, target, {"kind": "distort", "change": "odd_text", "times": None})

    result = run(config_of(world), *STREAMS)

    arrived = upsert({}, result.messages)
    assert result.code == 0
    assert {name: set(table) for name, table in arrived.items()} == {
        name: set(table) for name, table in tables.items()
    }
    stream = LOST[target][0]
    column = "name" if target == "list" else "campaign_name"
    texts = [row[column] for row in arrived[stream].values() if row["ad_account_id"] == first]
    assert all(text.endswith("\ufffd\ufffd\u2028") for text in texts if text)
    assert any(texts)


@pytest.mark.parametrize("transport", ["sync", "async"])
def test_a_first_day_that_stays_refused_is_missing_and_named(
    world: Sandbox,
    tables: Tables,
    first: str,
    caplog: pytest.LogCaptureFixture,
    transport: str,
) -> None:
    body = error(1, "You can only get data from the last 90 days.")
    theirs = [r for r in tables["campaign_analytics"].values() if r["ad_account_id"] == first]
    oldest = min(row["date"] for row in theirs)
    whole = truth(world, start_date=oldest)
    refused = status(400, times=ALWAYS, body=body, query={"start_date": oldest})
    hit(world, first, "report", refused)
    ordered = status(400, times=ALWAYS, body=body, sent={"start_date": oldest})
    world.fail(f"/ad_accounts/{first}/reports", **ordered)

    result = run(config_of(world, start_date=oldest, report_transport=transport), *STREAMS)

    rows = {
        key: row
        for key, row in whole["campaign_analytics"].items()
        if (row["ad_account_id"], row["date"]) != (first, oldest)
    }
    assert len(rows) < len(whole["campaign_analytics"])
    assert (result.code, upsert({}, result.messages)) == (0, {**whole, "campaign_analytics": rows})
    (warning,) = (each for each in caplog.messages if "should be within its reach" in each)
    assert f"Pinterest refuses {oldest}" in warning


def test_a_redirect_to_another_host_is_not_followed(
    world: Sandbox, tables: Tables, first: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.2)
        address = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/v5/boards"
        world.fail("/boards", status=302, times=None, headers={"location": address})

        result = run(config_of(world), *STREAMS)

        with pytest.raises(TimeoutError):
            elsewhere.accept()
    assert result.code == 1
    assert "GET /boards: 302" in result.tap.run.summary.of("boards").failures[""]
    assert upsert({}, result.messages) == without(tables, {"boards": None})
    assert first


def test_a_bundle_of_certificates_that_is_not_there_is_named_as_the_cause(
    world: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    config = config_of(world, api_url="https://nothing.invalid/v5")

    result = run(config, "boards")

    (line,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    assert result.code == 1
    assert "gives no access token" in line.getMessage()
    assert "invalid path: /no/such/bundle.pem" in line.getMessage()


@pytest.mark.parametrize("seconds", [0.0, 9.0], ids=["at once", "after nine seconds"])
def test_a_name_that_does_not_resolve_ends_the_run_soon_and_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seconds: float
) -> None:
    clock = PatientClock()

    def resolve(*_: object, **__: object) -> None:
        clock.sleep(seconds)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    config = {"api_url": "https://nothing.invalid/v5", "access_token": "pina_1"}

    result = run({**config, "max_requests_in_flight": 1}, clock=clock)

    (line,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    assert result.code == 1
    assert not result.streams("RECORD")
    assert "Nobody is there to answer" in line.getMessage()
    assert "Name or service not known" in line.getMessage()
    assert 5 < sum(clock.waits) <= 45


@pytest.mark.parametrize("token", ["access_token", "refresh_token"])
def test_a_port_that_refuses_ends_the_run_in_one_line(
    caplog: pytest.LogCaptureFixture, token: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/v5"
    app = {} if token == "access_token" else {"client_id": "1", "client_secret": "s"}

    result = run({"api_url": address, token: "t", "token_file": "", **app})

    (line,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    assert result.code == 1
    assert "Nobody is there to answer" in line.getMessage()
    assert "Connection refused" in line.getMessage()


def test_a_host_without_good_tls_ends_the_run_soon_and_in_one_line(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    clock = PatientClock()
    config = {"api_url": sandbox.url.replace("http:", "https:"), "access_token": "pina_1"}

    result = run({**config, "max_requests_in_flight": 1}, clock=clock)

    (line,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    assert result.code == 1
    assert "Nobody is there to answer; check api_url and the network" in line.getMessage()
    assert "SSLError" in line.getMessage()
    assert sum(clock.waits) <= 45


def test_after_a_first_answer_a_port_that_refuses_is_a_failure_like_any_other(
    world: Sandbox, tables: Tables, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = requests.Session.request

    def refuse(self: requests.Session, method: str, url: str, **how: Any) -> requests.Response:
        if url.partition("?")[0].endswith(f"{first}/campaigns/analytics"):
            raise requests.ConnectionError(ConnectionRefusedError(111, "Connection refused"))
        return send(self, method, url, **how)

    monkeypatch.setattr(requests.Session, "request", refuse)

    result = run(config_of(world), *STREAMS)

    assert list(result.tap.run.summary.of("campaign_analytics").failures) == [first]
    assert upsert({}, result.messages) == without(tables, {"campaign_analytics": first})


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key, and a certificate for 127.0.0.1 that only its own key vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_certificate_that_nobody_vouches_for_is_not_believed(certificate: Path) -> None:
    heard: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with (
                    suppress(ssl.SSLError, OSError),
                    connection,
                    context.wrap_socket(connection, server_side=True) as secured,
                ):
                    heard.append(secured.recv(1))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        address = f"https://127.0.0.1:{listener.getsockname()[1]}/v5"
        result = run({"api_url": address, "access_token": "pina_1"}, "boards")
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()

    assert result.code == 1
    assert "self-signed certificate" in str(result.tap.run.summary.ended_by)
    assert not any(heard)


def test_an_operation_that_nobody_answers_takes_no_other_along(
    world: Sandbox, tables: Tables, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "MOST_GIVEN_UP", 1)
    world.fail("*/campaigns/analytics", status=500, times=None)

    result = run(config_of(world, max_requests_in_flight=1), *STREAMS)

    failures = result.tap.run.summary.of("campaign_analytics").failures
    assert result.code == 1
    assert first in failures
    assert len(failures) == 2
    assert all("500" in reason for reason in failures.values())
    assert upsert({}, result.messages) == without(tables, {"campaign_analytics": None})


def test_twenty_calls_in_vain_end_the_run_with_one_line(
    world: Sandbox, first: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patience, "MOST_GIVEN_UP", 3)
    world.fail(kind="reset", method="GET", times=None)

    result = run(config_of(world), *STREAMS)

    (line,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    # Those that others have begun meanwhile count as well.
    assert re.search(r"has not answered [3-9] calls in a row", line.getMessage())
    assert result.code == 1
    assert not result.streams("RECORD")
    assert first


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
def test_a_body_that_is_too_large_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
    compress: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 6_000)
    with tiny(compress=compress) as sandbox:
        result = run(config_of(sandbox, start_date="2026-09-25"), "campaigns", "campaign_analytics")

        asked = [each for each in sandbox.requests if each.path.endswith("/campaigns/analytics")]
        assert len(asked) > 4  # two in whole, and their halves

    assert result.code == 0
    assert upsert({}, result.messages)["campaign_analytics"]


def test_half_a_list_is_never_taken_for_the_whole(
    world: Sandbox, tables: Tables, first: str
) -> None:
    # The report lists the campaigns first, and keeps the pages for their own stream.
    world.fail(LIST.replace(FIRST, first), status=500, after=1, times=patience.ATTEMPTS)

    result = run(config_of(world, max_requests_in_flight=1), *STREAMS)

    assert list(result.tap.run.summary.of("campaign_analytics").failures) == [first]
    assert upsert({}, result.messages)["campaigns"] == tables["campaigns"]
    assert records_are_unique(result.messages)
    # Nor is it kept, to be read beside the whole.
    assert result.tap.run.summary.of("campaigns").duplicates == 0


def test_half_a_list_fails_only_the_first_stream_that_reads_it(
    world: Sandbox, tables: Tables, first: str
) -> None:
    world.fail(LIST.replace(FIRST, first), status=500, after=1, times=patience.ATTEMPTS)

    result = run(config_of(world), *STREAMS)

    arrived, summary = upsert({}, result.messages), result.tap.run.summary
    names = ("campaign_analytics", "campaigns")
    # The campaigns' own stream asks once more for what follows the first page.
    failed = [name for name in names if summary.of(name).failures]
    assert failed in ([], ["campaign_analytics"])
    assert arrived["campaigns"] == tables["campaigns"]
    # The rest of the report arrives.
    left_out = dict.fromkeys(failed, first)
    assert without(arrived, left_out) == without(tables, left_out)
    assert arrived["campaign_analytics"].items() <= tables["campaign_analytics"].items()
