"""`tap-pinterest-login`: a user consents in the browser, and the tap gets tokens."""

from __future__ import annotations

import dataclasses
import getpass
import hmac
import secrets
import socket
import sys
import time
import webbrowser
from datetime import UTC, datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import click
from singer_sdk.exceptions import ConfigValidationError
from typing_extensions import override

from tap_pinterest import config
from tap_pinterest.clock import Clock
from tap_pinterest.config import CONFIG_SCHEMA, Settings
from tap_pinterest.http import auth
from tap_pinterest.http.client import client_for
from tap_pinterest.http.errors import TokenRefusedError
from tap_pinterest.http.rate_limit import RateLimiter
from tap_pinterest.http.redaction import in_one_line
from tap_pinterest.reading.inventory import Inventory
from tap_pinterest.reading.read_ahead import ReadAhead
from tap_pinterest.run.access import described
from tap_pinterest.singer.process import checking_output, listen_to_ctrl_c
from tap_pinterest.streams import needed_scopes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_pinterest.http.client import PinterestClient
    from tap_pinterest.http.tokens import TokenAnswer

CONSENT_PAGE = "https://www.pinterest.com/oauth/"
REDIRECT_URI = "http://localhost:8085/"
WAIT_SECONDS = 300

_PREFIX = "TAP_PINTEREST_"
_LOOPBACK = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "::1": "::1"}
_SLOW_BROWSER_SECONDS = 5
_LOOK_UP_SECONDS = 0.1
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>tap-pinterest</title>
<style>body {{ font: 18px/1.5 system-ui, sans-serif; max-width: 30rem; margin: 20vh auto;
padding: 0 1rem }}</style>
<p>{text}</p>
</html>
"""


class LoginError(Exception):
    """The sign-in has failed; the text says why, and what the user can do."""


class ForeignAnswerError(LoginError):
    """A request that is not the answer to this sign-in."""


class RedirectAddress(NamedTuple):
    """The address to which Pinterest sends the browser, with a code in the query.

    Attributes:
        uri: The address, exactly as it is registered for the app.
        host: The address of this machine to listen on; `None` if the redirect address is elsewhere.
        path: Requests for other paths are not answers.
    """

    uri: str
    host: str | None
    port: int
    path: str

    @classmethod
    def parse(cls, uri: str) -> RedirectAddress:
        """The parts of a redirect address.

        Raises:
            LoginError: The text is not a web address.
        """
        try:
            parts = urlsplit(uri)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment:
            msg = f"--redirect-uri: {uri!r} is refused; allowed: a web address of your app"
            raise LoginError(msg)
        here = _LOOPBACK.get(parts.hostname) if parts.scheme == "http" else None
        return cls(uri, here, port or 80, parts.path or "/")


class Redirect(ThreadingHTTPServer):
    """A server on a redirect address that waits for the answer to one sign-in.

    The server has threads, because browsers also open connections that they do not use.
    """

    daemon_threads = True

    def __init__(self, address: RedirectAddress, state: str) -> None:
        """Listen on the address.

        Raises:
            OSError: Another program listens there.
        """
        host = address.host or ""
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, address.port), _RedirectHandler)
        self.path = address.path
        self.state = state
        self.code = ""
        self.refusal: LoginError | None = None

    @override
    def server_bind(self) -> None:
        # HTTPServer's own method asks the name service for the name of this machine.
        TCPServer.server_bind(self)

    def wait(self, seconds: int) -> str:
        """Wait for the answer, and return its code.

        Raises:
            LoginError: The answer does not come in time, or it is a refusal.
        """
        deadline = time.monotonic() + seconds
        while not (self.code or self.refusal):
            left = deadline - time.monotonic()
            if left <= 0:
                msg = f"Nobody has consented within {seconds} s. Start again, or see --timeout."
                raise LoginError(msg)
            self.timeout = min(left, _LOOK_UP_SECONDS)
            self.handle_request()
        if self.refusal:
            raise self.refusal
        return self.code


class _RedirectHandler(BaseHTTPRequestHandler):
    server: Redirect
    timeout = _SLOW_BROWSER_SECONDS
    server_version = "tap-pinterest-login"
    sys_version = ""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path != self.server.path:
            self._page(404, "There is nothing here.")
            return
        if self.server.code or self.server.refusal:
            self._page(410, "This sign-in has been answered already.")
            return
        try:
            code = code_in(query, self.server.state)
        except ForeignAnswerError as error:
            self._page(400, str(error))
        except LoginError as refusal:
            self._page(200, str(refusal))
            self.server.refusal = refusal
        else:
            self._page(200, "Thank you. You may close this page and go back to the terminal.")
            self.server.code = code

    def _page(self, status: int, text: str) -> None:
        body = _PAGE.format(text=escape(text)).encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the address has the code in it."""


def code_in(query: str, state: str) -> str:
    """The code in the query of the address to which Pinterest has sent the browser.

    Raises:
        ForeignAnswerError: It is not the answer to this sign-in.
        LoginError: The user or Pinterest refused.
    """
    answer = dict(parse_qsl(query))
    if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
        msg = "This is not the answer to this sign-in: its state is different."
        raise ForeignAnswerError(msg)
    if reason := answer.get("error"):
        more = in_one_line(answer.get("error_description", ""))
        msg = f"There was no consent: {in_one_line(reason)}{f', {more}' if more else ''}."
        raise LoginError(msg)
    if not answer.get("code"):
        msg = "This is not the answer to this sign-in: there is no code in it."
        raise ForeignAnswerError(msg)
    return answer["code"]


def consent_link(settings: Settings, redirect_uri: str, scopes: Iterable[str], state: str) -> str:
    """The address of the consent page for these scopes."""
    api_url = urlsplit(settings.api_url)
    host = api_url.hostname or ""
    is_pinterest = host == "pinterest.com" or host.endswith(".pinterest.com")
    page = CONSENT_PAGE if is_pinterest else f"{api_url.scheme}://{api_url.netloc}/oauth/"
    query = {
        "client_id": settings.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": ",".join(scopes),
        "state": state,
    }
    return f"{page}?{urlencode(query)}"


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of the command line; `command` describes them."""

    config: tuple[str, ...]
    redirect_uri: str
    scopes: str | None
    no_browser: bool
    paste: bool
    print_it: bool
    timeout: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Sign in, and return the exit code: 0 if the tap has tokens now."""
    listen_to_ctrl_c()
    try:
        code: int = command.main(arguments, command.name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return code


@checking_output
@click.command("tap-pinterest-login", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tap-pinterest", message="%(version)s")
@click.option("--config", multiple=True, metavar="FILE|ENV", help="As the tap's own option.")
@click.option(
    "--redirect-uri",
    default=REDIRECT_URI,
    metavar="URL",
    help=f"redirect address of your app, exactly as it is there; default: {REDIRECT_URI}",
)
@click.option(
    "--scopes",
    metavar="LIST",
    help="scopes to ask for, separated by commas; default: the scopes that stream_groups need",
)
@click.option("--no-browser", is_flag=True, help="print the link instead of opening it")
@click.option(
    "--paste",
    is_flag=True,
    help="do not listen on this machine: paste the address of the page that the browser ends on",
)
@click.option(
    "--print",
    "print_it",
    is_flag=True,
    help="print the line for .env with the refresh token, and do not store the token",
)
@click.option(
    "--timeout",
    type=click.IntRange(0),
    default=WAIT_SECONDS,
    metavar="SECONDS",
    help=f"the longest wait for the consent; default: {WAIT_SECONDS}",
)
def command(**given: Any) -> int:  # noqa: ANN401 - the options, each of its own type
    """Sign in to Pinterest in the browser, and store the tokens where tap-pinterest finds them.

    The settings come from --config, the environment (TAP_PINTEREST_*) and .env. The command asks
    for client_id and client_secret if they are missing.
    """
    options = Options(**given)
    kept = "nothing has been stored"
    try:
        settings = _settings(options)
        answer = _sign_in(settings, options)
        _hand_over(settings, answer, print_it=options.print_it)
        kept = "you are signed in"
        _show(settings, answer)
    except (LoginError, TokenRefusedError) as error:
        _tell(str(error))
        return 1
    except ConfigValidationError as error:
        _tell("\n".join(error.errors))
        return 1
    except KeyboardInterrupt:
        _tell(f"Stopped; {kept}.")
        return 130
    return 0


def _settings(options: Options) -> Settings:
    """The settings, always with the app's credentials.

    Raises:
        ConfigValidationError: A file cannot be read, or a setting has a fault.
        LoginError: The app's credentials are missing.
    """
    given = config.from_files(options.config)
    variables = config.from_environment(_PREFIX, CONFIG_SCHEMA["properties"])
    wins = "ENV" in options.config
    values = {**given, **variables} if wins else config.completed(given, variables)
    if options.scopes:
        values["scopes"] = options.scopes
    for name, ask in (("client_id", _ask), ("client_secret", getpass.getpass)):
        values[name] = values.get(name) or _asked_for(name, ask)
    if faults := config.problems(values, credentials=False):
        raise config.refusal(faults)
    return Settings.from_config(values)


def _ask(question: str) -> str:
    """Ask on stderr: stdout is for the line that belongs into `.env`."""
    _tell(question)
    return input()


def _asked_for(name: str, ask: Callable[[str], str]) -> str:
    text = ""
    if sys.stdin and sys.stdin.isatty():
        try:
            text = ask(f"{name} of your app: ").strip()
        except EOFError:
            text = ""
    if not text:
        msg = (
            f"{name}: missing; put {_PREFIX}{name.upper()} into .env or the environment. "
            "https://developers.pinterest.com/apps/ has it."
        )
        raise LoginError(msg)
    return text


def _sign_in(settings: Settings, options: Options) -> TokenAnswer:
    """Get a consent in the browser, and exchange it for tokens.

    Raises:
        LoginError: There is no consent.
        TokenRefusedError: Pinterest refuses the code.
    """
    address = RedirectAddress.parse(options.redirect_uri)
    state = secrets.token_urlsafe(32)
    is_named = options.scopes and settings.scopes
    needed = () if is_named else needed_scopes(settings.stream_groups)
    scopes = sorted({*settings.scopes, *needed})
    link = consent_link(settings, address.uri, scopes, state)
    paste = options.paste or address.host is None
    if paste:
        _open(link, in_browser=not options.no_browser)
        code = _pasted_code(state)
    else:
        try:
            redirect = Redirect(address, state)
        except OSError as error:
            msg = (
                f"{address.uri} cannot be listened on: {error.strerror}. Free the port, or name "
                "another redirect address of your app with --redirect-uri."
            )
            raise LoginError(msg) from None
        with redirect:
            _open(link, in_browser=not options.no_browser)
            code = redirect.wait(options.timeout)
    client = _client(settings, Clock())
    try:
        ask = client.tokens.of_pinterest(settings)
        return auth.redeem(ask, code, address.uri)
    finally:
        client.close()


def _open(link: str, *, in_browser: bool) -> None:
    opened = in_browser and webbrowser.open(link)
    _tell(
        "Waiting for your consent in the browser. If it has not opened, open this link:"
        if opened
        else "Open this link in a browser, signed in as the user whose data are to be read:"
    )
    _tell(f"\n  {link}\n")


def _pasted_code(state: str) -> str:
    _tell("Consent there. Then paste the address of the last page, even if that page is empty:")
    try:
        pasted = input().strip() if sys.stdin else ""
    except EOFError:
        pasted = ""
    return code_in(urlsplit(pasted).query, state)


def _hand_over(settings: Settings, answer: TokenAnswer, *, print_it: bool) -> None:
    """Store the tokens, or print them.

    Raises:
        LoginError: There is no refresh token, or the file cannot be written.
        TokenRefusedError: A run holds the lock of the file.
    """
    if not answer.refresh_token:
        msg = "Pinterest gave no refresh token. Is the app set up for this kind of sign-in?"
        raise LoginError(msg)
    if print_it or settings.token_path is None:
        _tell("Put this line into .env, or into your store of settings:")
        _print(f"{_PREFIX}REFRESH_TOKEN={answer.refresh_token}")
        return
    try:
        auth.keep(settings, answer, Clock())
    except OSError as error:
        msg = (
            f"token_file {settings.token_path} cannot be written: {error.strerror}. Set token_file "
            "to another place, or sign in again with --print."
        )
        raise LoginError(msg) from None
    _tell(f"The tokens are in {settings.token_path}, for you only; tap-pinterest finds them there.")
    if settings.auth_method != "refresh_token":
        _tell("Runs do not use them yet: access_token is set, or auth_method names another way.")


def _print(line: str) -> None:
    reason = "it is closed"
    try:
        if sys.stdout:
            print(line, flush=True)  # noqa: T201 - its output
            return
    except OSError as error:
        reason = str(error.strerror)
    msg = f"Standard output cannot be written: {reason}. Sign in again with another output."
    raise LoginError(msg)


def _show(settings: Settings, answer: TokenAnswer) -> None:
    """Print how long the tokens last, and which data they can read."""
    if answer.refresh_token_expires_at:
        ends = datetime.fromtimestamp(answer.refresh_token_expires_at, tz=UTC).date()
        _tell(f"The tokens expire on {ends} unless a run renews them first.")
    _tell("")
    # Settings that ask for everything: they show all that the token can read.
    everything = dataclasses.replace(
        settings,
        auth_method="access_token",
        access_token=answer.access_token,
        ad_account_ids=(),
        exclude_ad_account_ids=(),
        include_shared_accounts=True,
    )
    clock = Clock()
    client = _client(everything, clock)
    inventory = Inventory(client, ReadAhead(1, clock), everything, written=(), referred=())
    granted = (answer.scope or "").replace(",", " ").split()
    try:
        for line in described(granted, needed_scopes(settings.stream_groups), client, inventory):
            _tell(line)
    finally:
        inventory.close()
        client.close()


def _client(settings: Settings, clock: Clock) -> PinterestClient:
    limiter = RateLimiter(settings.access_tier, clock, settings.max_wait_seconds)
    return client_for(settings, limiter, clock)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - its output
