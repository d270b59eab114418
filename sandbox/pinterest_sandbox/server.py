"""Serves a sandbox: in a thread of a test, or as a command of its own."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import signal
import socket
import threading
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pinterest_sandbox.access import BETA_PARAMETERS
from pinterest_sandbox.app import BASE, REFRESH_PROXY, Web
from pinterest_sandbox.calendar import Calendar
from pinterest_sandbox.calls import Merchant
from pinterest_sandbox.control import Controls
from pinterest_sandbox.faults import TRANSPORT, Fault
from pinterest_sandbox.kept import KeptReports
from pinterest_sandbox.options import OPTIONS
from pinterest_sandbox.rate_limits import MINUTE, AccessTier, HeaderStyle, RateLimits, Window
from pinterest_sandbox.refusals import PASSING
from pinterest_sandbox.service import Service
from pinterest_sandbox.size import WorldSize
from pinterest_sandbox.style import Style
from pinterest_sandbox.tokens import (
    ACCESS_SECONDS,
    READ_SCOPES,
    REDIRECT_URIS,
    REFRESH_SECONDS,
    Rotation,
    Tokens,
)
from pinterest_sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from types import TracebackType

    from pinterest_sandbox.calls import Readiness
    from pinterest_sandbox.faults import Kind
    from pinterest_sandbox.requests_log import LoggedRequest

_START_SECONDS = 10
_STOP_SECONDS = 1
_STOP_TURNS = 10
_END_SECONDS = 5


class Sandbox:
    """A local Pinterest. Serves while its `with` block runs."""

    def __init__(  # noqa: PLR0913  its knobs
        self,
        *,
        seed: int = 1,
        today: date | None = None,
        size: WorldSize | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        access_tier: AccessTier = "standard",
        rate_window: Window = "fixed",
        rate_minute: float = MINUTE,
        rate_headers: HeaderStyle = "windows",
        scopes: Sequence[str] = READ_SCOPES,
        redirect_uris: Sequence[str] = REDIRECT_URIS,
        rotation: Rotation = "keep",
        access_seconds: int = ACCESS_SECONDS,
        refresh_seconds: int = REFRESH_SECONDS,
        empty_pages: int = 0,
        readiness: Readiness | None = None,
        withheld: Collection[str] = BETA_PARAMETERS,
        absent: Collection[str] = (),
        unavailable: Collection[str] = (),
        columns: Collection[str] = (),
        hiccups: float = 0.0,
        merchant: Merchant = "approved",
        style: Style | None = None,
        report_seconds: tuple[float, float] | None = None,
        latency: float = 0.0,
        compress: bool = False,
        keep: Path | None = None,
    ) -> None:
        """Makes the world; nothing is served yet.

        Args:
            seed: another seed, another world; the same seed, the same bytes.
            today: the world's day; by default the real one, UTC.
            size: how much there is.
            host: the address to listen on.
            port: 0 takes a free one.
            access_tier: whose rate limits hold; `unlimited` for none.
            rate_window: whether a quota is of fixed windows or of a sliding one.
            rate_minute: seconds that the limits take for a minute (and a day in proportion).
            rate_headers: whether headers name all windows, give one number each, or are left out.
            scopes: what the app was granted.
            redirect_uris: the app's addresses, one of which a sign-in must name exactly.
            rotation: whether a refresh token still works after it was used.
            access_seconds: how long an access token lives.
            refresh_seconds: how long a refresh token lives.
            empty_pages: every N-th page of a list is empty and has a bookmark; 0: never.
            readiness: after how many days metrics are final.
            withheld: features that the app was not given, as `Access` takes them; everything in
                beta: `(*BETA_PARAMETERS, *beta_operations())`.
            absent: operations in a closed beta: the path is answered with 404.
            unavailable: columns and metrics that calls are refused for.
            columns: columns that the accounts have and nobody describes.
            hiccups: the share of calls that Pinterest refuses by mistake, and answers when they are
                sent again.
            merchant: whether the users' catalogs were approved.
            style: how answers look where the description leaves it open.
            report_seconds: between how many seconds an ordered report takes to be ready; by default
                it takes up to two polls in vain.
            latency: seconds before each answer.
            compress: gzip for clients that accept it.
            keep: a folder in which reports are kept, and found if the same is asked of the same
                world again.
        """
        self._calendar = Calendar(today or datetime.now(UTC).date())
        self._world = World(seed, size or WorldSize(), self._calendar.today)
        self._tokens = Tokens(
            seed,
            self._calendar,
            scopes=tuple(scopes),
            redirect_uris=tuple(redirect_uris),
            rotation=rotation,
            access_seconds=access_seconds,
            refresh_seconds=refresh_seconds,
        )
        service = Service(
            world=self._world,
            calendar=self._calendar,
            tokens=self._tokens,
            limits=RateLimits(
                access_tier,
                rate_window,
                minute=rate_minute,
                headers=rate_headers,
                clock=self._calendar.elapsed,
            ),
            empty_pages=empty_pages,
            readiness=readiness,
            withheld=withheld,
            absent=absent,
            unavailable=unavailable,
            columns=columns,
            merchant=merchant,
            style=style,
            report_seconds=report_seconds,
            compress=compress,
            kept=KeptReports(keep) if keep else None,
        )
        self._service = service
        self._web = Web(service, controls=Controls(self).routes(), latency=latency)
        self._listener = Listener(self._web.app, host, port)
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


def _serve(
    *,
    env: Path | None,
    latency: float,
    withheld: Sequence[str],
    redirect_uris: Sequence[str],
    faults: Sequence[Fault],
    **knobs: Any,  # noqa: ANN401  as their types say
) -> None:
    """Serves until SIGTERM or SIGINT; the first line on stdout says where, as JSON."""
    size = WorldSize(**{knob.name: knobs.pop(knob.name) for knob in dataclasses.fields(WorldSize)})
    style = Style(**{name: knobs.pop(name) for name in Style.__struct_fields__})
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    sandbox = Sandbox(
        size=size,
        style=style,
        withheld=(*BETA_PARAMETERS, *withheld),
        redirect_uris=redirect_uris or REDIRECT_URIS,
        latency=latency / 1000,
        **knobs,
    )
    for fault in faults:
        sandbox.fail_with(fault)
    with sandbox, contextlib.suppress(BrokenPipeError):
        if env:
            env.write_text(_settings(sandbox), encoding="utf-8")
        print(json.dumps(_greeting(sandbox)), flush=True)  # noqa: T201  its output
        stopped.wait()


def _settings(sandbox: Sandbox) -> str:
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


main = click.Command(
    "pinterest-sandbox",
    params=[*OPTIONS],
    callback=_serve,
    help=_serve.__doc__,
    context_settings={"show_default": True},
)
"""The command line."""
