"""Serves a sandbox: in a thread of a test, or as a command of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

import click
import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pinterest_sandbox.app import BASE, REFRESH_PROXY, Web
from pinterest_sandbox.calendar import Calendar
from pinterest_sandbox.control import Controls
from pinterest_sandbox.faults import TRANSPORT, Fault
from pinterest_sandbox.options import options_of
from pinterest_sandbox.refusals import PASSING
from pinterest_sandbox.service import Service
from pinterest_sandbox.settings import Settings, fields_of
from pinterest_sandbox.size import WorldSize
from pinterest_sandbox.style import Style
from pinterest_sandbox.tokens import Tokens
from pinterest_sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from types import TracebackType

    from pinterest_sandbox.faults import Kind
    from pinterest_sandbox.requests_log import LoggedRequest

_START_SECONDS = 10
_STOP_SECONDS = 1
_STOP_TURNS = 10
_END_SECONDS = 5

Fields = ParamSpec("Fields")
Made = TypeVar("Made")
Owner = TypeVar("Owner")


def _with_fields_of(
    settings: Callable[Fields, Made],
) -> Callable[[Callable[[Owner, Made], None]], Callable[Concatenate[Owner, Fields], None]]:
    """Lets a constructor that takes settings be called with their fields instead."""

    def wrapped(
        construct: Callable[[Owner, Made], None],
    ) -> Callable[Concatenate[Owner, Fields], None]:
        def constructed(owner: Owner, /, *unnamed: Fields.args, **named: Fields.kwargs) -> None:
            construct(owner, settings(*unnamed, **named))

        return constructed

    return wrapped


class Sandbox:
    """A local Pinterest, made with the fields of `Settings`. Serves while its `with` block runs."""

    @_with_fields_of(Settings)
    def __init__(self, settings: Settings) -> None:
        """Makes the world; nothing is served yet."""
        self._calendar = Calendar(settings.today or datetime.now(UTC).date())
        self._world = World(settings.seed, settings.size, self._calendar.today)
        self._tokens = Tokens(
            settings.seed,
            self._calendar,
            scopes=tuple(settings.scopes),
            redirect_uris=tuple(settings.redirect_uris),
            rotation=settings.rotation,
            access_seconds=settings.access_seconds,
            refresh_seconds=settings.refresh_seconds,
        )
        self._service = Service(settings, self._world, self._calendar, self._tokens)
        controls = Controls(self).routes()
        self._web = Web(self._service, controls=controls, latency=settings.latency)
        self._listener = Listener(self._web.app, settings.host, settings.port)
        self._play_hiccups(settings.hiccups)

    def _play_hiccups(self, hiccups: float) -> None:
        """Lets a share of the calls be refused, each passing refusal for its part of it."""
        for number, (name, path) in enumerate(PASSING if hiccups else ()):
            share = hiccups / len(PASSING)
            self.fail(path, kind="refusal", refusal=name, share=share, times=None, seed=number)

    def __enter__(self) -> Self:
        """Serves from here on."""
        self._listener.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops; whatever is under way is cut off."""
        self._listener.stop()

    @property
    def url(self) -> str:
        """The API's base, to be used where Pinterest's would be."""
        return self._listener.address + BASE

    @property
    def control_url(self) -> str:
        """The base of the sandbox's own controls."""
        return self._listener.address + "/_sandbox"

    @property
    def consent_url(self) -> str:
        """The page where a user lets an app in."""
        return self._listener.address + "/oauth/"

    @property
    def credentials(self) -> dict[str, str]:
        """Client id and secret, a refresh token and an access token."""
        return self._tokens.credentials

    @property
    def oauth_credentials(self) -> dict[str, str]:
        """A refresh token, and the proxy that renews it for callers without the app's secret."""
        return {
            "refresh_token": self._tokens.refresh_token,
            "refresh_proxy_url": self._listener.address + REFRESH_PROXY,
            "refresh_proxy_url_auth": self._tokens.proxy_authorization,
        }

    @property
    def tokens(self) -> Tokens:
        """The book of tokens, to revoke one."""
        return self._tokens

    @property
    def world(self) -> World:
        """The accounts and their entities."""
        return self._world

    @property
    def today(self) -> date:
        """The world's day; set it to let days pass."""
        return self._calendar.today

    @today.setter
    def today(self, day: date) -> None:
        self._calendar.today = day

    def remove(self, *ids: str) -> None:
        """Lets a Pin, a board or another record of a list be gone, and what belongs to it."""
        self._service.removed.update(ids)

    def restore(self, *ids: str) -> None:
        """Lets what was removed be there again."""
        self._service.removed.difference_update(ids)

    def wait(self, seconds: float) -> None:
        """Lets seconds pass at once for all that runs out: links, reports, quotas."""
        self._calendar.wait(seconds)

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request to the API so far, in the order of the answers."""
        return self._web.requests

    def truth(self, operation: str, **fixed: Any) -> Iterator[tuple[dict[str, Any], Any]]:  # noqa: ANN401
        """Every record of an operation that the token can read, with what leads to it.

        `truth("GET /boards/{board_id}/sections")` gives pairs of `{"board_id": …}` and a section.
        Parameters that are fixed are not varied: `ad_account_id="…"` for another user's boards.
        Of reports the period, the columns, the level and so on are fixed, and the period may be as
        long as it likes: the rows are all that readers of any number of requests end up with.

        Raises:
            NeedsValueError: a parameter must be fixed, such as a search term.
        """
        return self._service.truth(operation, fixed)

    def fail(self, path: str = "*", *, kind: Kind = "status", **how: Any) -> Fault:  # noqa: ANN401
        """Lets matching requests fail; the fields of `Fault` say which, how and how often."""
        fault = Fault(path=path, kind=kind, **how)
        self.fail_with(fault)
        return fault

    def fail_with(self, fault: Fault) -> None:
        """Lets the requests that a fault matches fail."""
        self._web.faults.add(fault)

    def heal(self) -> None:
        """Ends all faults."""
        self._web.faults.clear()


class Listener:
    """A web server in a thread."""

    def __init__(self, app: Any, host: str, port: int) -> None:  # noqa: ANN401  an ASGI application
        self._host = host
        self._port = port
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._serve, name="pinterest-sandbox", daemon=True)
        self._socket: socket.socket | None = None

    @property
    def address(self) -> str:
        """The address and port that it listens on.

        Raises:
            RuntimeError: it does not yet.
        """
        if self._socket is None:
            msg = "The sandbox is not serving: use it in a with block."
            raise RuntimeError(msg)
        return f"http://{self._host}:{self._port}"

    def start(self) -> None:
        """Listens; the first request may come when this returns."""
        self._socket = socket.create_server((self._host, self._port), backlog=512)
        self._port = self._socket.getsockname()[1]
        self._thread.start()
        if not self._server.listening.wait(_START_SECONDS):
            msg = "The sandbox did not start."
            raise RuntimeError(msg)

    def stop(self) -> None:
        """Ends all connections, also those that hang, and the thread."""
        self._server.stop()
        # Now and then uvloop waits for ever while it closes its loop; nobody is to wait with it.
        self._thread.join(_END_SECONDS)
        if self._socket is not None:
            self._socket.close()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(self._server.serve(sockets=[self._socket] if self._socket else None))


class _Server(uvicorn.Server):
    """Says when it listens, and stops at once: uvicorn's own version sleeps in steps of 0.1 s."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Ends the server, from another thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.listening.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)  # which sets the headers of all answers
        await self._stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        for server in self.servers:
            server.close()
        for _ in range(_STOP_TURNS):
            await asyncio.sleep(0)  # connections become known, or learn that they are closed
            self._end_connections()
            if not self.server_state.connections:
                break
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_STOP_SECONDS)
        await asyncio.sleep(0)

    def _end_connections(self) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, _Protocol) and not connection.answered:
                connection.transport.abort()
            else:
                connection.shutdown()


class _Protocol(HttpToolsProtocol):
    """Gives the application the connection, so that a fault can break it."""

    @property
    def answered(self) -> bool:
        """Whether nothing is under way on this connection."""
        return self.cycle is None or self.cycle.response_complete

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}


def _serve(*, env: Path | None, faults: Sequence[Fault], **options: Any) -> None:  # noqa: ANN401  as their types say
    """Serves until SIGTERM or SIGINT; the first line on stdout says where, as JSON."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    sandbox = Sandbox(**fields_of(options))
    for fault in faults:
        sandbox.fail_with(fault)
    with sandbox, contextlib.suppress(BrokenPipeError):
        if env:
            env.write_text(_environment(sandbox), encoding="utf-8")
        print(json.dumps(_greeting(sandbox)), flush=True)  # noqa: T201  its output
        stopped.wait()


def _environment(sandbox: Sandbox) -> str:
    """The settings of tap-pinterest for this sandbox, as environment variables."""
    token = sandbox.credentials["access_token"]
    return f"TAP_PINTEREST_API_URL={sandbox.url}\nTAP_PINTEREST_ACCESS_TOKEN={token}\n"


def _greeting(sandbox: Sandbox) -> dict[str, str]:
    return {
        "url": sandbox.url,
        "control": sandbox.control_url,
        "consent": sandbox.consent_url,
        **sandbox.credentials,
        "today": sandbox.today.isoformat(),
    }


def _fault(text: str) -> Fault:
    try:
        return msgspec.json.decode(text, type=Fault)
    except msgspec.MsgspecError as error:
        raise click.BadParameter(str(error)) from error


_ENV = click.Option(
    ["--env"],
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="write the settings with which tap-pinterest reads it, as environment variables",
)
_FAULTS = click.Option(
    ["--fault", "faults"],
    multiple=True,
    type=_fault,
    metavar="JSON",
    help='as the control takes it, such as {"kind": "refusal", "refusal": "consumer type"}; '
    "may be repeated",
)
main = click.Command(
    "pinterest-sandbox",
    params=[_ENV, _FAULTS, *options_of(Settings()), *options_of(Style()), *options_of(WorldSize())],
    callback=_serve,
    help=_serve.__doc__,
    context_settings={"show_default": True},
)
"""The command line."""
