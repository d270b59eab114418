from __future__ import annotations

import errno
import json
import logging
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from conftest import TODAY
from pinterest_sandbox import Sandbox
from singer_run import PatientClock, run, settings
from tap_pinterest import api
from tap_pinterest.http import auth, token_file
from tap_pinterest.http.auth import AccessToken, RefreshToken, RenewedToken
from tap_pinterest.http.errors import TokenRefusedError
from tap_pinterest.http.token_file import TokenFile
from tap_pinterest.http.tokens import StoredTokens, TokenAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = 86_400


class Endpoint:
    """A token endpoint that replaces the refresh token each time."""

    def __init__(self, clock: PatientClock, *, expires_in: int = 3600, days_left: int = 60) -> None:
        self.asked: list[dict[str, str]] = []
        self._clock = clock
        self._expires_in = expires_in
        self._days_left = days_left

    def __call__(self, fields: Mapping[str, str]) -> TokenAnswer:
        self.asked.append(dict(fields))
        count = len(self.asked)
        return TokenAnswer(
            access_token=f"pina_{count}",
            expires_in=self._expires_in,
            refresh_token=f"pinr_{count}",
            refresh_token_expires_at=int(self._clock.now() + self._days_left * DAY),
        )

    @property
    def refresh_tokens(self) -> list[str]:
        return [fields["refresh_token"] for fields in self.asked]


@pytest.fixture
def clock() -> PatientClock:
    return PatientClock()


@pytest.fixture
def endpoint(clock: PatientClock) -> Endpoint:
    return Endpoint(clock)


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "deep" / "tokens.json")


def test_credentials_that_may_have_other_scopes_let_a_token_see_something_else(
    clock: PatientClock, endpoint: Endpoint
) -> None:
    def refreshed(refresh_token: str, known: str = "") -> RefreshToken:
        return RefreshToken(endpoint, refresh_token, clock, None, known)

    alike: list[tuple[AccessToken, AccessToken]] = [
        (AccessToken("pina_a"), AccessToken("pina_a")),
        (refreshed("pinr_a"), refreshed("pinr_a")),
        (
            RenewedToken(endpoint, {"scope": "a"}, clock),
            RenewedToken(endpoint, {"scope": "a"}, clock),
        ),
    ]
    others: list[tuple[AccessToken, AccessToken]] = [
        (AccessToken("pina_a"), AccessToken("pina_b")),
        (refreshed("pinr_a"), refreshed("pinr_b")),
        (refreshed("pinr_a", "pina_a"), refreshed("pinr_a", "pina_b")),
        (refreshed("pinr_a", "pina_a"), refreshed("pinr_a")),
        (
            RenewedToken(endpoint, {"scope": "a"}, clock),
            RenewedToken(endpoint, {"scope": "b"}, clock),
        ),
    ]
    for pairs, are_alike in ((alike, True), (others, False)):
        for one, other in pairs:
            one.token(), other.token()
            assert (one.visibility() == other.visibility()) is are_alike
            assert "_a" not in one.visibility()


def test_a_token_with_named_scopes_sees_more_by_those_for_secret_things(
    clock: PatientClock,
) -> None:
    scopes = iter(
        ["pins:read,pins:read_secret", "pins:read pins:read_secret ads:read", "pins:read"]
    )
    authenticator = RenewedToken(lambda _: TokenAnswer("pina", scope=next(scopes)), {}, clock)
    seen = []
    for _ in range(3):
        authenticator.refuse(authenticator.token())
        seen.append(authenticator.visibility())

    assert seen == [["pins:read_secret"], ["pins:read_secret"], []]


def test_a_token_is_fetched_once_for_all_threads(clock: PatientClock, endpoint: Endpoint) -> None:
    authenticator = RenewedToken(endpoint, {}, clock)
    threads = [threading.Thread(target=authenticator.token) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(endpoint.asked) == 1


def test_a_token_is_renewed_a_minute_before_it_expires(
    clock: PatientClock, endpoint: Endpoint
) -> None:
    authenticator = RenewedToken(endpoint, {}, clock)
    assert authenticator.token() == "pina_1"

    clock.sleep(3600 - 90)
    assert authenticator.token() == "pina_1"
    clock.sleep(31)
    assert authenticator.token() == "pina_2"


def test_a_refused_token_is_not_given_out_again(clock: PatientClock, endpoint: Endpoint) -> None:
    authenticator = RefreshToken(endpoint, "pinr_0", clock, None)

    assert authenticator.refuse(authenticator.token())
    assert authenticator.token() == "pina_2"


def test_the_newest_refresh_token_is_used_for_the_next_renewal(
    clock: PatientClock, endpoint: Endpoint
) -> None:
    authenticator = RefreshToken(endpoint, "pinr_0", clock, None)
    authenticator.token()
    clock.sleep(4000)
    authenticator.token()

    assert endpoint.refresh_tokens == ["pinr_0", "pinr_1"]
    # An app from before 2025-09-25 gets one that can be renewed again only if it says so.
    assert all(each["continuous_refresh"] == "true" for each in endpoint.asked)


def test_the_next_run_uses_the_tokens_of_the_file(
    clock: PatientClock, endpoint: Endpoint, file: TokenFile
) -> None:
    RefreshToken(endpoint, "pinr_0", clock, file).token()

    assert RefreshToken(endpoint, "pinr_0", clock, file).token() == "pina_1"
    assert len(endpoint.asked) == 1
    clock.sleep(4000)
    assert RefreshToken(endpoint, "pinr_0", clock, file).token() == "pina_2"
    assert endpoint.refresh_tokens == ["pinr_0", "pinr_1"]


def test_a_token_that_was_refused_is_not_taken_from_the_file_again(
    clock: PatientClock, endpoint: Endpoint, file: TokenFile
) -> None:
    RefreshToken(endpoint, "pinr_0", clock, file).token()
    authenticator = RefreshToken(endpoint, "pinr_0", clock, file)

    authenticator.refuse(authenticator.token())

    assert authenticator.token() == "pina_2"


def test_a_token_that_another_process_has_renewed_meanwhile_is_taken_over(
    clock: PatientClock, endpoint: Endpoint, file: TokenFile
) -> None:
    first = RefreshToken(endpoint, "pinr_0", clock, file)
    second = RefreshToken(endpoint, "pinr_0", clock, file)
    refused = first.token()
    second.refuse(second.token())
    second.token()

    first.refuse(refused)

    assert first.token() == "pina_2"
    assert len(endpoint.asked) == 2


def test_another_configured_token_wins_over_the_file(
    clock: PatientClock, endpoint: Endpoint, file: TokenFile
) -> None:
    RefreshToken(endpoint, "pinr_0", clock, file).token()
    RefreshToken(endpoint, "pinr_new", clock, file).token()

    assert endpoint.refresh_tokens == ["pinr_0", "pinr_new"]


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX")
def test_the_file_is_readable_by_its_owner_only(
    clock: PatientClock, endpoint: Endpoint, file: TokenFile, tmp_path: Path
) -> None:
    RefreshToken(endpoint, "pinr_0", clock, file).token()

    path = tmp_path / "deep" / "tokens.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "pinr_0" not in path.read_text()


def test_a_broken_file_is_refused_with_its_name(
    clock: PatientClock, endpoint: Endpoint, tmp_path: Path
) -> None:
    path = tmp_path / "tokens.json"
    path.write_text("{")

    with pytest.raises(TokenRefusedError, match=r"tokens\.json cannot be read"):
        RefreshToken(endpoint, "pinr_0", clock, TokenFile(path)).token()
    assert endpoint.asked == []


def test_a_place_that_cannot_be_written_is_a_warning(
    clock: PatientClock, endpoint: Endpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")

    token = RefreshToken(endpoint, "pinr_0", clock, TokenFile(occupied / "tokens.json")).token()

    assert token == "pina_1"
    assert "cannot be written" in caplog.text
    assert "pinr_1" not in caplog.text


def test_a_replaced_refresh_token_that_is_kept_nowhere_is_a_warning(
    clock: PatientClock, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    RefreshToken(endpoint, "pinr_0", clock, None).token()

    assert "Set token_file" in caplog.text


@pytest.mark.parametrize(
    ("kind", "times"), [("ext4", 0), ("overlay", 1), ("fuse.fuse-overlayfs", 1), ("tmpfs", 1)]
)
def test_a_place_that_does_not_last_is_one_warning(  # noqa: PLR0913, PLR0917 - fixtures
    clock: PatientClock,
    endpoint: Endpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    times: int,
) -> None:
    other = "tmpfs" if kind == "ext4" else "ext4"
    folder = tmp_path / "a b"
    mounts = tmp_path / "mounts"
    escaped = str(folder.resolve()).replace(" ", "\\040")
    lines = (f"x / {other} rw 0 0", f"y {escaped} {kind} rw 0 0", f"z {escaped}/c {other} rw", "")
    mounts.write_text("\n".join((*lines, "w /odd\u2028place", "")))
    monkeypatch.setattr(token_file, "_MOUNTS", mounts)
    authenticator = RefreshToken(endpoint, "pinr_0", clock, TokenFile(folder / "tokens.json"))

    authenticator.token()
    clock.sleep(4000)
    authenticator.token()

    assert caplog.text.count("Set token_file to a place that is kept") == times


@pytest.mark.parametrize(("days_left", "warned"), [(60, False), (13, True), (1, True)])
def test_the_end_of_the_refresh_token_is_announced(
    clock: PatientClock,
    file: TokenFile,
    days_left: int,
    warned: bool,  # noqa: FBT001 - a parameter of the case
    caplog: pytest.LogCaptureFixture,
) -> None:
    RefreshToken(Endpoint(clock, days_left=days_left), "pinr_0", clock, file).token()

    assert ("The refresh token ends in" in caplog.text) is warned


def test_the_end_of_a_refresh_token_that_stays_is_remembered(
    clock: PatientClock, file: TokenFile, caplog: pytest.LogCaptureFixture
) -> None:
    before = TokenAnswer("pina_0", 60, refresh_token="pinr_0", refresh_token_expires_in=20 * DAY)
    replaced = StoredTokens.of(before, StoredTokens.configured_as("pinr_0"), clock.now())
    with file.lock():
        file.replace(replaced)
    clock.sleep(10 * DAY)

    RefreshToken(lambda _: TokenAnswer("pina_1"), "pinr_0", clock, file).token()

    assert "The refresh token ends in 10.0 days" in caplog.text


def test_a_run_with_wrong_credentials_ends_with_one_clear_line(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    config = settings(sandbox, client_secret="wr0ng_s3cret")

    with caplog.at_level(logging.INFO):
        result = run(config, "campaigns", "boards")

    errors = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert result.code == 1
    assert len(errors) == 1
    assert "refuses the credentials" in errors[0].getMessage()
    assert errors[0].exc_info is None
    assert result.streams("RECORD") == []
    assert "wr0ng_s3cret" not in caplog.text
    assert sandbox.credentials["refresh_token"] not in caplog.text


def test_client_credentials_ask_for_the_scopes_that_are_configured(sandbox: Sandbox) -> None:
    config = settings(
        sandbox, refresh_token="", auth_method="client_credentials", scopes="boards:read"
    )

    assert run(config, "boards").code == 0
    assert run(config, "user_account").records("user_account") == []


def test_a_token_file_holds_the_tokens_for_the_next_run(sandbox: Sandbox, tmp_path: Path) -> None:
    config: dict[str, Any] = settings(sandbox, token_file=str(tmp_path / "tokens.json"))

    assert run(config, "boards").code == 0
    assert run(config, "boards").code == 0
    assert [each.path for each in sandbox.requests] == ["/oauth/token", "/boards", "/boards"]


def test_missing_scopes_are_named_once_and_at_the_start(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with Sandbox(seed=4, today=TODAY, scopes=("boards:read", "pins:read")) as sandbox:
        config = settings(sandbox, token_file=str(tmp_path / "tokens.json"))
        for _ in range(2):  # the second time from the file
            caplog.clear()
            result = run(config, "boards", "campaigns", "user_account")
            (warning,) = (each for each in caplog.messages if "lacks scopes" in each)
            assert "campaigns (ads:read); user_account (user_accounts:read)" in warning
            assert "boards" not in warning.partition("read: ")[2]
            assert result.records("boards")


def test_with_all_scopes_there_is_no_warning(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    run(settings(sandbox), "boards", "campaigns")

    assert "lacks scopes" not in caplog.text


def test_streams_that_client_credentials_cannot_read_are_named_without_a_call(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards = msgspec.structs.replace(api.operation("GET /boards"), client_credentials=False)
    original = api.operation
    monkeypatch.setattr(
        api, "operation", lambda key: boards if key == "GET /boards" else original(key)
    )
    config = settings(sandbox, refresh_token="", auth_method="client_credentials")

    result = run(config, "boards", "pins")

    assert "client_credentials" in result.tap.run.summary.of("boards").skipped[""]
    assert "/boards" not in {each.path for each in sandbox.requests}
    assert result.records("pins")


def test_two_processes_on_one_file_never_use_a_token_that_the_other_has_replaced(
    tmp_path: Path,
) -> None:
    file, path = tmp_path / "tokens.json", tmp_path / "config.json"
    # Tokens that are about to end when they come: each call asks for another.
    with Sandbox(
        seed=7, today=TODAY, rotation="revoke", access_seconds=auth.LEEWAY_SECONDS
    ) as sandbox:
        path.write_text(
            json.dumps(settings(sandbox, token_file=str(file), stream_groups="organic"))
        )
        command = [sys.executable, "-m", "tap_pinterest", "--config", str(path)]
        both = [
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        logs = [process.communicate(timeout=60)[1] for process in both]
        asked = [(each.path, each.status) for each in sandbox.requests]
        newest = json.loads(file.read_text())["refresh_token"]

        assert [process.returncode for process in both] == [0, 0], logs
        refreshes = [status for name, status in asked if name == "/oauth/token"]
        assert set(refreshes) == {200}
        assert len(refreshes) >= len(asked) // 2
        assert sandbox.tokens.refresh_tokens == [newest]


def test_a_run_that_is_stopped_keeps_the_token_that_is_being_renewed(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    # Tokens that are about to end when they come: each call asks for another.
    with Sandbox(
        seed=7, today=TODAY, rotation="revoke", access_seconds=auth.LEEWAY_SECONDS
    ) as sandbox:
        config = settings(sandbox, token_file=str(file), max_requests_in_flight=4)
        stopped: list[dict[str, Any]] = []
        sandbox.fail("/oauth/token", kind="slow", seconds=0.2, times=None)

        def stop(message: dict[str, Any]) -> None:
            if message["type"] == "RECORD" and not stopped:
                stopped.append(message)
                signal.raise_signal(signal.SIGTERM)

        result = run(config, on_message=stop)

        assert result.code == 128 + signal.SIGTERM
        assert sandbox.tokens.refresh_tokens == [json.loads(file.read_text())["refresh_token"]]


def test_two_runs_at_once_refresh_once(
    clock: PatientClock, endpoint: Endpoint, tmp_path: Path
) -> None:
    path = tmp_path / "tokens.json"
    both = [RefreshToken(endpoint, "pinr_0", clock, TokenFile(path)) for _ in range(8)]
    threads = [threading.Thread(target=each.token) for each in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert endpoint.refresh_tokens == ["pinr_0"]
    assert {each.token() for each in both} == {"pina_1"}


def test_a_file_that_another_run_does_not_let_go_of_is_one_clear_error(
    clock: PatientClock, endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_file, "LOCK_SECONDS", 0.1)
    file = TokenFile(tmp_path / "tokens.json")

    with (
        TokenFile(tmp_path / "tokens.json").lock(),
        pytest.raises(TokenRefusedError, match="in use by another run"),
    ):
        RefreshToken(endpoint, "pinr_0", clock, file).token()
    assert endpoint.asked == []
    assert RefreshToken(endpoint, "pinr_0", clock, file).token() == "pina_1"


def test_tokens_that_could_not_be_stored_leave_nothing_behind(
    clock: PatientClock, endpoint: Endpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tokens.json"
    file = TokenFile(path)
    authenticator = RefreshToken(endpoint, "pinr_0", clock, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", _full_disk)
        assert authenticator.token() == "pina_1"

    assert "cannot be written (No space left on device)" in caplog.text
    assert {each.name for each in tmp_path.iterdir()} <= {"tokens.json.lock"}


def _full_disk(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_user_without_a_home_runs_without_a_token_file(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    config = settings(sandbox)
    del config["token_file"]

    assert run(config, "boards").code == 0


def test_a_revoked_refresh_token_is_one_clear_line(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.tokens.revoke(sandbox.credentials["refresh_token"])

    result = run(settings(sandbox), "boards", "campaigns")

    (line,) = (each for each in caplog.records if each.levelno >= logging.ERROR)
    assert result.code == 1
    assert "run tap-pinterest-login if the token was revoked" in line.getMessage()


def stored_and_revoked(sandbox: Sandbox, path: Path) -> None:
    """Leave a token file behind whose refresh token Pinterest refuses, as on a restored disk."""
    run(settings(sandbox, token_file=str(path)), "boards")
    kept = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**kept, "refresh_token": "pinr_old", "expires_at": 0}))
    sandbox.requests.clear()


def test_a_stored_refresh_token_that_is_refused_gives_way_to_the_configured_one(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tokens.json"
    stored_and_revoked(sandbox, path)

    result = run(settings(sandbox, token_file=str(path)), "boards")

    asked = [each.status for each in sandbox.requests if each.path == "/oauth/token"]
    (warning,) = (each for each in caplog.records if each.levelno == logging.WARNING)
    assert result.code == 0
    assert result.records("boards")
    assert asked == [401, 200]
    assert "the configured one is tried" in warning.getMessage()
    assert "pinr_old" not in caplog.text
    assert "pinr_old" not in path.read_text()


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_stored_refresh_token_is_not_given_up_for_a_refusal_by_a_gateway(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    path = tmp_path / "tokens.json"
    run(settings(sandbox, token_file=str(path)), "boards")
    kept = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**kept, "expires_at": 0}))
    sandbox.requests.clear()
    sandbox.fail("/oauth/token", kind="html", status=status, times=2)

    assert run(settings(sandbox, token_file=str(path)), "boards").records("boards")
    assert "the configured one is tried" not in caplog.text
    assert [each.status for each in sandbox.requests] == [status, status, 200, 200]


def test_a_stored_and_a_configured_refresh_token_that_are_refused_end_in_one_line(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tokens.json"
    stored_and_revoked(sandbox, path)
    sandbox.tokens.revoke(sandbox.credentials["refresh_token"])

    result = run(settings(sandbox, token_file=str(path)), "boards", "campaigns")

    (line,) = (each for each in caplog.records if each.levelno >= logging.ERROR)
    assert result.code == 1
    assert "run tap-pinterest-login if the token was revoked" in line.getMessage()
    assert [each.status for each in sandbox.requests] == [401, 401]


def test_a_stored_refresh_token_is_kept_while_the_endpoint_is_away(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "tokens.json"
    stored_and_revoked(sandbox, path)
    sandbox.fail("/oauth/token", status=503, times=None)

    assert run(settings(sandbox, token_file=str(path)), "boards").code == 1
    assert "pinr_old" in path.read_text()


def test_a_token_endpoint_that_is_away_is_not_taken_for_wrong_credentials(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.fail("/oauth/token", status=429, headers={"x-ratelimit-reset": "86400"}, times=None)

    assert run(settings(sandbox), "boards").code == 1
    assert "gives no access token" in caplog.text
    assert "refuses the credentials" not in caplog.text


STUMBLES: list[dict[str, Any]] = [
    *({"status": number} for number in (408, 429, 500, 502, 503, 504)),
    *({"kind": kind} for kind in ("html", "empty", "truncate", "reset", "half_headers", "hang")),
    *({"kind": "html", "status": number} for number in (302, 400, 401, 403, 404)),
    {"status": 200, "body": '{"access_token": "pina_'},
    {"status": 200, "body": {"token_type": "bearer"}},
    *(
        {"status": 200, "body": {"access_token": text}}
        for text in ("", "pina_\n", "pina_\u201d", 7)
    ),
    {"kind": "slow", "seconds": 3},
]


@pytest.mark.parametrize("stumble", STUMBLES, ids=str)
def test_a_token_endpoint_that_stumbles_is_asked_again(
    sandbox: Sandbox, stumble: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.fail("/oauth/token", **stumble)

    assert run(settings(sandbox, request_timeout=1), "boards").records("boards")
    # One that was too slow is written down late.
    assert [each.path for each in sandbox.requests].count("/oauth/token") == 2
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "stumble", [{"kind": "html"}, {"status": 500}, {"kind": "reset"}, {"status": 302}], ids=str
)
def test_a_token_endpoint_that_never_answers_is_one_line(
    sandbox: Sandbox, stumble: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.fail("/oauth/token", times=None, **stumble)

    result = run(settings(sandbox), "boards", "campaigns")

    (line,) = (each for each in caplog.records if each.levelno >= logging.ERROR)
    assert "POST /oauth/token" in line.getMessage()
    assert line.exc_info is None
    assert result.code == 1
    assert not result.streams("RECORD")


def test_an_error_that_repeats_a_secret_is_logged_without_it(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    secret = sandbox.credentials["refresh_token"]
    message = f"Bad token {secret}.\nNext line {'x' * 10_000}"
    sandbox.fail("/oauth/token", status=400, body={"code": 1, "message": message}, times=None)

    assert run(settings(sandbox), "boards").code == 1
    line = next(each for each in caplog.messages if "Bad token" in each)
    assert "Bad token ***. Next line" in line
    assert len(line) < 1_000
    assert secret not in caplog.text


def proxied(sandbox: Sandbox, **more: str) -> dict[str, Any]:
    return {
        "api_url": sandbox.url,
        "oauth_credentials": sandbox.oauth_credentials | more,
        "token_file": "",
    }


def asked_for_tokens(sandbox: Sandbox) -> list[tuple[str, int]]:
    return [(each.path, each.status) for each in sandbox.requests if each.method == "POST"]


def test_a_refresh_proxy_renews_tokens_for_a_tap_without_the_apps_secret(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        result = run(proxied(sandbox), "boards", "campaigns")

    assert result.code == 0
    assert result.records("boards")
    assert asked_for_tokens(sandbox) == [("/refresh_proxy", 200)]
    for secret in sandbox.oauth_credentials.values():
        assert secret not in caplog.text


def test_secrets_in_the_url_of_a_refresh_proxy_stay_hidden(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"{sandbox.oauth_credentials['refresh_proxy_url']}?key=s3cr3t"

    with caplog.at_level(logging.DEBUG):
        assert run(proxied(sandbox, refresh_proxy_url=url), "boards").code == 0
        sandbox.fail("/refresh_proxy", kind="reset", times=None)
        assert run(proxied(sandbox, refresh_proxy_url=url), "boards").code == 1

    assert "s3cr3t" not in caplog.text


def test_an_access_token_beside_a_refresh_proxy_is_used_until_it_is_refused(
    sandbox: Sandbox,
) -> None:
    config = proxied(sandbox, access_token=sandbox.credentials["access_token"])

    assert run(config, "boards").code == 0
    assert asked_for_tokens(sandbox) == []
    sandbox.tokens.revoke(sandbox.credentials["access_token"])
    assert run(config, "boards").code == 0
    assert asked_for_tokens(sandbox) == [("/refresh_proxy", 200)]


def test_a_token_that_a_proxy_has_replaced_is_kept_for_the_next_run(tmp_path: Path) -> None:
    with Sandbox(seed=7, today=TODAY, rotation="revoke") as sandbox:
        config = proxied(sandbox) | {"token_file": str(tmp_path / "tokens.json")}
        for _ in range(3):
            assert run(config, "boards").code == 0
            tokens = json.loads((tmp_path / "tokens.json").read_text())
            sandbox.tokens.revoke(tokens["access_token"])
        assert asked_for_tokens(sandbox) == [("/refresh_proxy", 200)] * 3


def test_a_refresh_proxy_that_refuses_is_one_clear_line_without_secrets(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = sandbox.oauth_credentials
    message = f"Bad: {secrets['refresh_proxy_url_auth']} for {secrets['refresh_token']}"
    sandbox.fail("/refresh_proxy", status=403, body={"message": message}, times=None)

    with caplog.at_level(logging.DEBUG):
        result = run(proxied(sandbox), "boards")

    (line,) = (each for each in caplog.records if each.levelno >= logging.ERROR)
    assert result.code == 1
    assert "The refresh proxy refuses the credentials: POST refresh_proxy_url: 403" in line.msg % (
        line.args
    )
    for secret in secrets.values():
        assert secret.removeprefix("Bearer ") not in caplog.text


def test_the_error_names_a_wrong_authorisation_for_the_proxy(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    config = proxied(sandbox, refresh_proxy_url_auth="Bearer wr0ng")

    assert run(config, "boards").code == 1
    assert "Check oauth_credentials" in caplog.text
    assert "wr0ng" not in caplog.text


def test_a_proxy_that_says_no_life_of_a_token_is_asked_once(sandbox: Sandbox) -> None:
    tokens = {"access_token": sandbox.credentials["access_token"], "refresh_token": ""}
    sandbox.fail("/refresh_proxy", status=200, body={**tokens, "expires_in": 0}, times=None)

    assert run(proxied(sandbox), "boards", "campaigns").records("boards")
    assert asked_for_tokens(sandbox) == [("/refresh_proxy", 200)]


def test_a_refusal_in_the_words_of_oauth_is_shown(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"error": "invalid_grant", "error_description": "The token is too old."}
    sandbox.fail("/refresh_proxy", status=400, body=body, times=None)

    assert run(proxied(sandbox), "boards").code == 1
    assert "POST refresh_proxy_url: 400 The token is too old." in caplog.text


def test_a_refresh_proxy_may_answer_null(sandbox: Sandbox) -> None:
    answer = {
        "access_token": sandbox.credentials["access_token"],
        "expires_in": 3600.5,
        "scope": None,
        "refresh_token": None,
        "refresh_token_expires_at": None,
    }
    sandbox.fail("/refresh_proxy", status=200, body=answer, times=None)

    assert run(proxied(sandbox), "boards").code == 0


@pytest.mark.parametrize(
    "beside",
    [
        {"expires_in": "2592000", "refresh_token_expires_in": 5184000.5},
        {"expires_in": None, "refresh_token_expires_at": "2026-12-01", "scope": ["boards:read"]},
        {"expires_in": "soon", "refresh_token_expires_in": "later", "scope": {"boards": "read"}},
    ],
    ids=["texts and fractions", "null and a list", "anything"],
)
def test_a_new_refresh_token_is_kept_whatever_stands_beside_it(
    sandbox: Sandbox, tmp_path: Path, beside: dict[str, Any]
) -> None:
    path = tmp_path / "tokens.json"
    tokens = {"access_token": sandbox.credentials["access_token"], "refresh_token": "pinr_new"}
    sandbox.fail("/oauth/token", status=200, body=tokens | beside, times=None)

    result = run(settings(sandbox, token_file=str(path)), "boards")

    assert result.code == 0
    assert result.records("boards")
    assert "pinr_new" in path.read_text()
    assert [status for _, status in asked_for_tokens(sandbox)] == [200]


def test_a_refresh_proxy_that_stumbles_is_asked_again(sandbox: Sandbox) -> None:
    sandbox.fail("/refresh_proxy", status=503, times=2)

    assert run(proxied(sandbox), "boards").code == 0
    assert [status for _, status in asked_for_tokens(sandbox)] == [503, 503, 200]


def test_a_redirect_of_the_refresh_proxy_is_not_followed(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.2)
        address = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/"
        sandbox.fail("/refresh_proxy", status=307, times=None, headers={"location": address})

        assert run(proxied(sandbox), "boards").code == 1

        with pytest.raises(TimeoutError):
            elsewhere.accept()
    assert "POST refresh_proxy_url: 307" in caplog.text


def test_the_default_token_file_is_one_for_each_app_and_refresh_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with Sandbox(seed=7, today=TODAY, rotation="revoke") as sandbox:
        config = settings(sandbox)
        del config["token_file"]
        other = config | {"refresh_token": sandbox.tokens.give_refresh_token()}
        for each in (config, other, config, other):
            assert run(each, "boards").code == 0

    assert len(list((tmp_path / "tap-pinterest").glob("*.json"))) == 2
