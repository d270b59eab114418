"""The web around the API: routes, the log of requests, faults, the consent page, the controls."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.responses import Response as WebAnswer
from starlette.routing import Mount, Route, Router

from pinterest_sandbox import api
from pinterest_sandbox.consent import Consent
from pinterest_sandbox.faults import Connection, Faults
from pinterest_sandbox.orders import DOWNLOADS
from pinterest_sandbox.refusals import Refusal, method_not_allowed, path_not_found
from pinterest_sandbox.requests_log import LoggedRequest
from pinterest_sandbox.responses import Response
from pinterest_sandbox.service import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request as WebRequest
    from starlette.types import Receive, Scope, Send

    from pinterest_sandbox.faults import Fault
    from pinterest_sandbox.service import Service

BASE = "/v5"
REFRESH_PROXY = "/refresh_proxy"
_ACCOUNT_PATHS = "/ad_accounts/"


class Web:
    """Everything that is served on the sandbox's port."""

    def __init__(
        self, service: Service, *, controls: Sequence[Route] = (), latency: float = 0.0
    ) -> None:
        """Serves a service; `latency` in seconds before each answer."""
        self.service = service
        self.faults = Faults()
        self.requests: list[LoggedRequest] = []
        self._latency = latency
        self._answered = 0
        app = Starlette(
            routes=[
                Mount(BASE, app=self._api_router()),
                Route(f"{DOWNLOADS}/{{name}}", _Path(self, None)),
                *Consent(service.tokens).routes(),
                Route(REFRESH_PROXY, self._refresh_proxy, methods=["POST"]),
                Mount("/_sandbox", routes=list(controls)),
            ]
        )
        app.router.redirect_slashes = False
        self.app = app

    def _api_router(self) -> Router:
        methods: dict[str, dict[str, str]] = {}
        for key in api.operations():
            method, _, path = key.partition(" ")
            methods.setdefault(path, {})[method] = key
        # "{" sorts behind every letter: `/pins/analytics` is tried before `/pins/{pin_id}`.
        routes = [Route(path, _Path(self, methods[path])) for path in sorted(methods)]
        return Router(routes, redirect_slashes=False, default=_Path(self, None))

    async def respond(
        self, scope: Scope, receive: Receive, send: Send, keys: Mapping[str, str] | None
    ) -> None:
        """Answers one request to the API, or plays a fault, and logs the request."""
        asked = _Asked(scope, keys)
        await asked.receive(receive)
        fault = self.faults.hit(asked)
        connection = Connection(scope, receive, send)
        at, status = time.monotonic(), 0
        try:
            if self._latency:
                await asyncio.sleep(self._latency)
            if fault is not None and fault.replaces:
                response = fault.response()
            elif asked.is_download:
                response = self.service.download(asked.name, asked.query, asked.headers)
            elif asked.key is not None:
                request = asked.request(asked.key)
                if fault is not None:
                    request = msgspec.structs.replace(request, fate=fault.fate)
                response = self.service.answer(request)
            else:
                response = _refused(path_not_found() if keys is None else method_not_allowed())
            self._sign(response)
            status = response.status
            if fault is not None:
                status = await fault.play(response, connection, asked.path)
        except Exception:
            # A fault of the sandbox itself: the web server answers 500 and logs the traceback.
            status = 500
            raise
        finally:
            # Before a good answer leaves: who has it may look here at once.
            self.requests.append(asked.logged(at, status, fault))
        if fault is None:
            await connection.answer(response)

    def _sign(self, response: Response) -> None:
        self._answered += 1
        response.headers.append(("x-pinterest-rid", str(1_000_000_000_000_000 + self._answered)))
        response.headers.append(("date", self.service.calendar.http_date()))

    async def _refresh_proxy(self, request: WebRequest) -> WebAnswer:
        """A proxy of the token endpoint, so that taps need not know the app's secret."""
        asked, at = _Asked(request.scope, None), time.monotonic()
        fault = self.faults.hit(asked)
        if fault is not None and fault.replaces:
            made = fault.response()
            answer = WebAnswer(made.body, made.status, dict(made.headers))
        else:
            header, body = request.headers.get("authorization"), await request.body()
            try:
                tokens = self.service.tokens.refresh_for_another(header, body)
                answer = JSONResponse(tokens)
            except Refusal as refusal:
                answer = JSONResponse(refusal.body, refusal.status)
        self.requests.append(asked.logged(at, answer.status_code, fault))
        return answer


class _Asked:
    """A request to the API."""

    def __init__(self, scope: Scope, keys: Mapping[str, str] | None) -> None:
        """Takes the operations that the path has, by method; None for an unknown path."""
        self._scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"].removeprefix(BASE)
        self.query: str = scope["query_string"].decode("latin-1")
        self.key = keys.get(self.method) if keys else None
        self._body = b""

    @property
    def headers(self) -> dict[str, str]:
        """The headers by name, in lower case."""
        pairs = self._scope["headers"]
        return {name.decode("latin-1"): text.decode("latin-1") for name, text in pairs}

    @property
    def is_download(self) -> bool:
        """Whether it follows the link to a report."""
        found: str = self._scope["path"]
        return found.startswith(DOWNLOADS)

    @property
    def name(self) -> str:
        """The name of the file to download."""
        return self.path.rpartition("/")[2]

    async def receive(self, receive: Receive) -> None:
        """Takes the body, if there is one."""
        if self.method != "GET":
            self._body = await _body(receive)

    def request(self, key: str) -> Request:
        """The request as the service takes it."""
        values = self._scope.get("path_params", {})
        return Request(key, api.operation(key), values, self.query, self.headers, self._body)

    @property
    def json(self) -> Any:  # noqa: ANN401  any JSON
        """The JSON that was sent, if any."""
        if self.headers.get("content-type") == "application/json":
            with suppress(msgspec.DecodeError):
                return msgspec.json.decode(self._body)
        return None

    def logged(self, at: float, status: int, fault: Fault | None) -> LoggedRequest:
        """The request as the log keeps it."""
        account = self.path[len(_ACCOUNT_PATHS) :].partition("/")[0]
        return LoggedRequest(
            at=at,
            method=self.method,
            path=self.path,
            query_string=self.query,
            operation=self.key,
            category=api.operation(self.key).category if self.key else None,
            ad_account_id=account if account and self.path.startswith(_ACCOUNT_PATHS) else None,
            status=status,
            fault=fault.kind if fault else None,
            body=self.json,
        )


class _Path:
    """One path of the API with the operations it has, by method; None for an unknown path."""

    def __init__(self, web: Web, keys: Mapping[str, str] | None) -> None:
        """Serves a path of a web."""
        self._web = web
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        await self._web.respond(scope, receive, send, self._keys)


def _refused(refusal: Refusal) -> Response:
    return Response(
        refusal.status, [("content-type", "application/json")], msgspec.json.encode(refusal.body)
    )


async def _body(receive: Receive) -> bytes:
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)
