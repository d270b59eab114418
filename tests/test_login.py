"""Signing in: a process of its own, a browser that consents, and a run with what came of it."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
import threading
import webbrowser
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import psutil
import pytest
import requests

from chromium import chromium
from conftest import SMALL, TODAY
from pinterest_sandbox import Sandbox
from pinterest_sandbox.tokens import READ_SCOPES
from tap_pinterest import api
from tap_pinterest.commands import login
from tap_pinterest.config import CONFIG_SCHEMA, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOGIN = (
    sys.executable,
    "-c",
    "import sys; from tap_pinterest.commands import login; sys.exit(login.main())",
)
TAP = (sys.executable, "-m", "tap_pinterest")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class App:
    """An app at the sandbox, and a folder in which its user signs in."""

    def __init__(self, sandbox: Sandbox, redirect_uri: str, folder: Path) -> None:
        self.sandbox = sandbox
        self.redirect_uri = redirect_uri
        self.token_file = folder / "state" / "tokens.json"
        self.config = {
            "api_url": sandbox.url,
            "client_id": sandbox.credentials["client_id"],
            "client_secret": sandbox.credentials["client_secret"],
            "token_file": str(self.token_file),
        }
        self.config_file = folder / "config.json"
        self.configure()

    def configure(self, **more: Any) -> None:
        self.config |= more
        self.config_file.write_text(json.dumps(self.config))

    @property
    def arguments(self) -> list[str]:
        return ["--config", str(self.config_file), "--redirect-uri", self.redirect_uri]

    def link(self, **changes: str) -> str:
        """The address of the consent page, as another program might make it up."""
        query = {
            "client_id": self.config["client_id"],
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "ads:read",
            "state": "made up",
            **changes,
        }
        return f"{self.sandbox.consent_url}?{urlencode(query)}"

    def read(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*TAP, "--config", str(self.config_file), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    redirect_uri = f"http://localhost:{free_port()}/callback"
    with Sandbox(seed=7, today=TODAY, size=SMALL, redirect_uris=[redirect_uri]) as sandbox:
        yield App(sandbox, redirect_uri, tmp_path)


class Form(HTMLParser):
    """The buttons of the form on a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.method = ""
        self.buttons: list[dict[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.method = given["method"]
        if tag == "button":
            self.buttons.append({given["name"]: given["value"]})


def press(link: str, button: int = 0) -> requests.Response:
    """Press a button of the page as a user does in a browser, with plain HTTP."""
    page = requests.get(link, timeout=30)
    form = Form(page.text)
    assert form.method == "post", page.text
    return requests.post(page.url, data=form.buttons[button], timeout=30)


def press_in_chromium(link: str) -> str:
    with chromium() as browser:
        browser.open(link)
        assert "asks for access" in browser.evaluate("document.body.innerText")
        browser.click("button[value=approve]")
        return str(browser.evaluate("document.body.innerText"))


@contextmanager
def signing_in(app: App, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, once it has printed the link."""
    command = [*LOGIN, *app.arguments, "--no-browser", *more]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        try:
            link = next(line.strip() for line in process.stderr if line.startswith("  http"))
            yield process, link
        finally:
            process.kill()


@pytest.mark.parametrize(
    "consent",
    [
        pytest.param(lambda link: press(link).text, id="plain HTTP"),
        pytest.param(press_in_chromium, id="Chromium"),
    ],
)
def test_who_consents_in_a_browser_can_run_the_tap(app: App, consent: Callable[[str], str]) -> None:
    with signing_in(app) as (process, link):
        arguments = " ".join(psutil.Process(process.pid).cmdline())
        page = consent(link)
        printed, log = process.communicate(timeout=60)

    assert process.returncode == 0, log
    assert "Thank you" in page
    assert stat.S_IMODE(app.token_file.stat().st_mode) == 0o600
    stored = json.loads(app.token_file.read_text())
    assert stored["scope"] == "ads:read boards:read pins:read user_accounts:read"
    for account in app.sandbox.world.ad_accounts:
        assert account.id in log
    secrets = (stored["access_token"], stored["refresh_token"], app.config["client_secret"])
    assert not [each for each in secrets if each in printed + log + arguments + page + link]

    result = app.read()

    assert result.returncode == 0, result.stderr
    assert '"RECORD"' in result.stdout
    before = json.loads(app.token_file.read_text())
    app.sandbox.today = app.sandbox.today.replace(month=12)
    assert app.read().returncode == 0
    after = json.loads(app.token_file.read_text())
    assert after["refresh_token"] != before["refresh_token"]


def test_the_browser_opens_a_link_that_asks_for_the_scopes_of_the_streams(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = []

    def open_browser(link: str) -> bool:
        links.append(link)
        threading.Thread(target=press, args=[link], daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_browser)
    app.configure(stream_groups=["ads", "billing"])

    assert login.main(app.arguments) == 0

    query = parse_qs(urlsplit(links[0]).query)
    assert {"ads:read", "billing:read"} <= {*query["scope"][0].split(",")} <= {*READ_SCOPES}
    assert query["redirect_uri"] == [app.redirect_uri]
    assert query["client_id"] == [app.config["client_id"]]


def test_the_line_for_the_env_file_is_all_that_is_printed(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", consenting)

    assert login.main([*app.arguments, "--print"]) == 0

    printed = capsys.readouterr().out
    assert re.fullmatch(r"TAP_PINTEREST_REFRESH_TOKEN=pinr_\w+\n", printed)
    assert not app.token_file.exists()
    app.configure(refresh_token=printed.strip().partition("=")[2], token_file="")
    assert app.read("--test").returncode == 0


def consenting(link: str) -> bool:
    threading.Thread(target=press, args=[link], daemon=True).start()
    return True


def declining(link: str) -> bool:
    threading.Thread(target=press, args=[link, 1], daemon=True).start()
    return True


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        pytest.param(
            ">/dev/full",
            "No space left on device",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux"),
        ),
        (">&-", "it is closed"),
    ],
    ids=["full", "closed"],
)
def test_a_refresh_token_that_cannot_be_printed_is_one_line(
    app: App, output: str, reason: str
) -> None:
    command = [*LOGIN, *app.arguments, "--no-browser", "--print"]
    with subprocess.Popen(
        ["sh", "-c", f'exec "$@" {output}', "sh", *command], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        link = next(line.strip() for line in process.stderr if line.startswith("  http"))
        press(link)
        told = process.stderr.read()

    assert process.returncode == 1
    assert f"Standard output cannot be written: {reason}" in told
    assert "Traceback" not in told


def test_scopes_that_pinterest_does_not_have_are_refused_with_its_own(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    assert login.main([*app.arguments, "--scopes", "ads:read,ads:raed"]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("scopes.1: 'ads:raed' is refused; allowed: one of ads:read, ads:write, ")
    assert "; did you mean ads:read or " in line


def test_all_scopes_of_operations_and_of_the_sandbox_are_known() -> None:
    needed = {scope for each in api.operations().values() for scope in each.scopes}

    known = CONFIG_SCHEMA["properties"]["scopes"]["items"]["enum"]
    assert needed | {*READ_SCOPES} <= {*known}


def test_a_config_file_is_completed_by_the_environment_as_for_the_tap(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: True)
    monkeypatch.setenv("TAP_PINTEREST_CLIENT_SECRET", str(app.config.pop("client_secret")))
    monkeypatch.setenv("TAP_PINTEREST_CLIENT_ID", "another")
    app.configure()

    assert login.main([*app.arguments, "--timeout", "0"]) == 1

    told = capsys.readouterr().err
    assert "Nobody has consented within 0 s." in told
    assert f"client_id={app.config['client_id']}" in told


def test_who_stops_after_the_sign_in_is_told_that_it_holds(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(webbrowser, "open", consenting)
    monkeypatch.setattr(login, "described", stop)

    assert login.main(app.arguments) == 130

    assert capsys.readouterr().err.endswith("Stopped; you are signed in.\n")
    assert app.token_file.exists()


def test_who_stops_before_the_consent_has_no_tokens(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(_: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(webbrowser, "open", stop)

    assert login.main(app.arguments) == 130

    assert capsys.readouterr().err == "Stopped; nothing has been stored.\n"
    assert not app.token_file.exists()


@pytest.mark.parametrize("seconds", ["-1", "nan", "soon"])
def test_a_timeout_that_is_no_number_of_seconds_is_refused(
    app: App, capsys: pytest.CaptureFixture[str], seconds: str
) -> None:
    assert login.main([*app.arguments, "--timeout", seconds]) == 2

    assert "Invalid value for '--timeout'" in capsys.readouterr().err


def test_who_declines_gets_no_tokens(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", declining)

    assert login.main(app.arguments) == 1

    assert "There was no consent: access_denied." in capsys.readouterr().err
    assert not app.token_file.exists()


def test_a_code_from_elsewhere_is_refused_and_the_right_one_counts_once(app: App) -> None:
    with signing_in(app) as (process, link):
        (right,) = parse_qs(urlsplit(link).query)["state"]
        forged = [
            press(app.link()),
            press(app.link(state="")),
            requests.get(f"{app.redirect_uri}?state={right}", timeout=30),
            requests.get(f"{app.redirect_uri}/more?state={right}&code=1", timeout=30),
            requests.get(app.redirect_uri.replace("callback", "favicon.ico"), timeout=30),
        ]
        answered = press(link)
        _, log = process.communicate(timeout=60)

    assert [each.status_code for each in forged] == [400, 400, 400, 404, 404]
    assert answered.status_code == 200
    assert process.returncode == 0, log
    with pytest.raises(requests.ConnectionError):
        requests.get(app.redirect_uri, timeout=30)


def test_a_silent_connection_does_not_block_the_login(app: App) -> None:
    with signing_in(app) as (process, link):
        port = urlsplit(app.redirect_uri).port
        with socket.create_connection(("127.0.0.1", port or 0)):
            press(link)
            _, log = process.communicate(timeout=60)

    assert process.returncode == 0, log


def test_the_command_waits_for_the_consent_only_until_its_timeout(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: True)

    assert login.main([*app.arguments, "--timeout", "0"]) == 1

    assert "Nobody has consented" in capsys.readouterr().err


def test_an_address_that_is_in_use_is_named(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    port = urlsplit(app.redirect_uri).port or 0
    with socket.create_server(("127.0.0.1", port)):
        assert login.main(app.arguments) == 1

    error = capsys.readouterr().err
    assert app.redirect_uri in error
    assert "--redirect-uri" in error


def test_a_browser_on_another_machine_hands_over_its_address(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def read_the_address_bar() -> str:
        link = next(line for line in capsys.readouterr().err.splitlines() if "http" in line)
        page = requests.get(link.strip(), timeout=30)
        form = Form(page.text).buttons[0]
        answer = requests.post(page.url, data=form, allow_redirects=False, timeout=30)
        return answer.headers["location"]

    monkeypatch.setattr("builtins.input", read_the_address_bar)

    assert login.main([*app.arguments, "--no-browser", "--paste"]) == 0

    assert app.token_file.exists()


@pytest.mark.parametrize("pasted", ["", "http://localhost/callback?code=1&state=other", "\x00"])
def test_an_address_of_another_sign_in_is_refused(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pasted: str
) -> None:
    monkeypatch.setattr("builtins.input", lambda: pasted)

    assert login.main([*app.arguments, "--no-browser", "--paste"]) == 1

    assert "not the answer to this sign-in" in capsys.readouterr().err


def test_a_code_that_pinterest_does_not_take_is_one_clear_line(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", consenting)
    app.configure(client_secret="wr0ng")

    assert login.main(app.arguments) == 1

    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "Pinterest refuses the credentials" in error
    assert "sign in again" in error
    assert "wr0ng" not in error


def test_a_sign_in_takes_the_place_of_a_refresh_token_in_the_config(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", consenting)
    old = app.sandbox.credentials["refresh_token"]
    app.configure(refresh_token=old)
    app.sandbox.tokens.revoke(old)
    assert app.read("--test").returncode == 1

    assert login.main(app.arguments) == 0

    assert app.read("--test").returncode == 0


def test_without_credentials_of_the_app_nothing_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TAP_PINTEREST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TAP_PINTEREST_CLIENT_ID", "1480000")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)

    assert login.main([]) == 1

    assert "client_secret: missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("uri", "host", "port", "path"),
    [
        ("http://localhost:8085/", "127.0.0.1", 8085, "/"),
        ("http://127.0.0.1:9/a/b", "127.0.0.1", 9, "/a/b"),
        ("http://[::1]:9", "::1", 9, "/"),
        ("http://localhost", "127.0.0.1", 80, "/"),
        ("https://localhost:9/", None, 9, "/"),
        ("https://example.com/cb", None, 80, "/cb"),
    ],
)
def test_only_plain_http_on_this_machine_can_be_listened_on(
    uri: str, host: str | None, port: int, path: str
) -> None:
    assert login.RedirectAddress.parse(uri) == (uri, host, port, path)


@pytest.mark.parametrize("uri", ["", "localhost:8085", "ftp://x/", "http://[", "http://a:b/"])
def test_an_invalid_redirect_address_is_refused(uri: str) -> None:
    with pytest.raises(login.LoginError, match="--redirect-uri"):
        login.RedirectAddress.parse(uri)


@pytest.mark.parametrize(
    ("api_url", "page"),
    [
        ("https://api.pinterest.com/v5", "https://www.pinterest.com/oauth/"),
        ("https://api-sandbox.pinterest.com/v5", "https://www.pinterest.com/oauth/"),
        ("http://127.0.0.1:9/v5", "http://127.0.0.1:9/oauth/"),
        ("https://notpinterest.com/v5", "https://notpinterest.com/oauth/"),
    ],
)
def test_the_consent_page_is_pinterests_own_or_the_sandboxs(api_url: str, page: str) -> None:
    settings = Settings.from_config({"api_url": api_url, "client_id": "1"})

    link = login.consent_link(settings, "http://localhost:8085/", ["ads:read"], "s")

    assert link.partition("?")[0] == page
