from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import date, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from pinterest_sandbox import BETA_PARAMETERS, Sandbox, WorldSize, calendar, server
from pinterest_sandbox.settings import Settings, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Client


def test_the_log_has_operation_query_category_and_account(serve: Callable[..., Client]) -> None:
    client = serve()
    account = client.sandbox.world.ad_accounts[0].id
    client.ask(f"/ad_accounts/{account}/ads", entity_statuses=["ACTIVE", "ARCHIVED"], page_size=9)
    client.ask("/nowhere")

    ads, nowhere = client.sandbox.requests

    assert (ads.method, ads.path, ads.status) == ("GET", f"/ad_accounts/{account}/ads", 200)
    assert ads.operation == "GET /ad_accounts/{ad_account_id}/ads"
    assert ads.category == "ads_read"
    assert ads.ad_account_id == account
    assert ads.query == [
        ("entity_statuses", "ACTIVE"),
        ("entity_statuses", "ARCHIVED"),
        ("page_size", "9"),
    ]
    assert (nowhere.operation, nowhere.category, nowhere.status) == (None, None, 404)


def test_every_answer_has_a_request_id_and_the_sandboxs_date(serve: Callable[..., Client]) -> None:
    client = serve()
    answers = [client.ask(path) for path in ("/boards", "/nowhere", "/boards?page_size=0")]

    assert len({answer.headers["x-pinterest-rid"] for answer in answers}) == 3
    assert {answer.headers["date"][:16] for answer in answers} == {"Fri, 20 Nov 2026"}


def test_the_time_of_a_day_goes_on_from_noon_and_never_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = [1_000.0]
    monkeypatch.setattr(calendar, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    world = calendar.Calendar(date(2026, 11, 20))
    moments = [world.now()]
    for hours in (1, 11, 24):
        seconds[0] += hours * 3600
        moments.append(world.now())
    world.today += timedelta(days=1)

    assert [str(each)[:19] for each in (*moments, world.now())] == [
        *("2026-11-20 12:00:00", "2026-11-20 13:00:00", "2026-11-20 23:59:59"),
        *("2026-11-20 23:59:59", "2026-11-21 23:59:59"),
    ]


def test_answers_are_compressed_when_wanted(serve: Callable[..., Client]) -> None:
    assert "content-encoding" not in serve().ask("/pins").headers
    assert serve(compress=True).ask("/pins").headers["content-encoding"] == "gzip"
    assert serve(compress=True).ask("/pins").json() == serve().ask("/pins").json()


def test_a_report_that_is_kept_is_made_once_for_a_world_and_a_day(
    serve: Callable[..., Client], tmp_path: Path
) -> None:
    def asked(**knobs: Any) -> Any:
        client = serve(**knobs)
        account = client.sandbox.world.ad_accounts[0].id
        period = {"start_date": "2026-11-01", "end_date": "2026-11-02", "granularity": "DAY"}
        return client.get(f"/ad_accounts/{account}/analytics", columns="SPEND_IN_DOLLAR", **period)

    fresh = asked()
    assert asked(keep=tmp_path) == fresh
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(gzip.compress(b"[]"))

    assert asked(keep=tmp_path) == []
    assert asked(keep=tmp_path, seed=2) != []
    assert asked(keep=tmp_path, today=date(2026, 11, 21)) != []
    assert len([*tmp_path.iterdir()]) == 3


def test_the_controls_do_over_http_what_a_test_does(serve: Callable[..., Client]) -> None:
    client = serve()
    control = client.sandbox.control_url

    assert requests.get(control + "/today", timeout=9).json() == {"today": "2026-11-20"}
    requests.put(control + "/today", json={"today": "2026-11-21"}, timeout=9)
    assert client.sandbox.today == date(2026, 11, 21)
    requests.post(control + "/faults", json={"path": "/boards", "status": 500}, timeout=9)
    assert client.ask("/boards").status_code == 500
    requests.post(control + "/faults", json={"path": "/boards", "status": 500}, timeout=9)
    requests.delete(control + "/faults", timeout=9)
    assert client.ask("/boards").status_code == 200
    logged = requests.get(control + "/requests", timeout=9).json()
    assert [request["status"] for request in logged] == [500, 200]
    requests.delete(control + "/requests", timeout=9)
    assert client.sandbox.requests == []
    world = requests.get(control + "/world", timeout=9).json()
    assert [account["id"] for account in world["ad_accounts"]] == [
        account.id for account in client.sandbox.world.ad_accounts
    ]
    board = client.sandbox.world.user.boards[0].id
    requests.put(f"{control}/removed/{board}", timeout=9)
    assert client.refused(f"/boards/{board}")[0] == 404
    requests.delete(f"{control}/removed/{board}", timeout=9)
    assert client.get(f"/boards/{board}")["id"] == board
    credentials = requests.get(control + "/credentials", timeout=9).json()
    assert credentials == client.sandbox.credentials


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/today", {"today": "soon"}),
        ("/today", {}),
        ("/wait", {"seconds": "long"}),
        ("/faults", {"kind": "explode"}),
    ],
)
def test_a_wrong_control_is_refused(
    serve: Callable[..., Client], path: str, body: dict[str, str]
) -> None:
    method = "PUT" if path == "/today" else "POST"
    url = serve().sandbox.control_url + path

    assert requests.request(method, url, json=body, timeout=9).status_code == 400


def test_the_world_shows_how_much_there_is(serve: Callable[..., Client]) -> None:
    client = serve(size=WorldSize(accounts=2, empty_accounts=1, ads=50))
    summary: dict[str, Any] = client.sandbox.world.summary(client.sandbox.today.toordinal())
    full, empty = summary["ad_accounts"]

    assert sum(full["ads"].values()) == 50
    assert full["ads"]["ARCHIVED"] == 10
    assert sum(empty["ads"].values()) == 0


def test_a_sandbox_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with Sandbox() as sandbox:
        assert requests.get(sandbox.url + "/boards", timeout=9).status_code == 401

    assert threading.active_count() == before
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.url + "/boards", timeout=9)


def test_a_sandbox_that_stops_ends_connections_that_nobody_has_used_yet() -> None:
    with Sandbox() as sandbox:
        where = urlsplit(sandbox.url)
        clients = [socket.create_connection((where.hostname or "", where.port or 0)) for _ in "123"]

    for client in clients:
        with client, suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_a_fault_of_the_sandbox_itself_is_loud(
    serve: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = serve()
    monkeypatch.setattr(client.sandbox.world, "ad_accounts", None)

    assert client.ask("/ad_accounts").status_code == 500
    client.sandbox.__exit__(None, None, None)
    assert client.sandbox.requests[-1].status == 500
    assert "TypeError" in caplog.text


def test_an_address_is_known_while_it_serves_only() -> None:
    with pytest.raises(RuntimeError, match="with block"):
        _ = Sandbox().url


def test_the_command_without_options_has_the_settings_of_a_test_without_any() -> None:
    assert _settings() == Settings()


def test_options_that_differ_from_their_settings_become_them(tmp_path: Path) -> None:
    settings = _settings(
        *("--latency", "250", "--currencies", "EUR,JPY", "--keep", str(tmp_path / "kept")),
        *("--withhold", "GET /integrations", "--redirect-uri", "http://localhost:9/"),
        *(
            "--column",
            "SHARES",
            "--report-seconds",
            "5",
            "60",
            "--compress",
            "--today",
            "2026-11-20",
        ),
    )

    assert settings == Settings(
        latency=0.25,
        size=WorldSize(currencies=("EUR", "JPY")),
        keep=tmp_path / "kept",
        withheld=(*BETA_PARAMETERS, "GET /integrations"),
        redirect_uris=("http://localhost:9/",),
        columns=("SHARES",),
        report_seconds=(5.0, 60.0),
        compress=True,
        today=date(2026, 11, 20),
    )


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_it_serves_and_stops_at_a_signal(
    number: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-W", "error", "-m", "pinterest_sandbox", "--today", "2026-11-20"]
    command += ["--accounts", "2", "--ad-groups", "3", "--archived-share", "0.5", "--no-odd-names"]
    command += ["--env", str(tmp_path / "env")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        greeting = json.loads(process.stdout.readline())
        headers = {"Authorization": f"Bearer {greeting['access_token']}"}
        accounts = requests.get(greeting["url"] + "/ad_accounts", headers=headers, timeout=9)
        world = requests.get(greeting["control"] + "/world", timeout=9).json()
        process.send_signal(number)
        _, complaints = process.communicate(timeout=10)

    assert len(accounts.json()["items"]) == 2
    assert sum(world["ad_accounts"][0]["ad_groups"].values()) == 3
    assert set(greeting) == {
        "url",
        "control",
        "client_id",
        "client_secret",
        "refresh_token",
        "access_token",
        "consent",
        "today",
    }
    assert greeting["today"] == "2026-11-20"
    assert (tmp_path / "env").read_text(encoding="utf-8").splitlines() == [
        f"TAP_PINTEREST_API_URL={greeting['url']}",
        f"TAP_PINTEREST_ACCESS_TOKEN={greeting['access_token']}",
    ]
    assert (process.returncode, complaints) == (0, "")


def _settings(*options: str) -> Settings:
    """The settings that options of the command make."""
    return Settings(**fields_of(server.main.make_context("pinterest-sandbox", [*options]).params))
