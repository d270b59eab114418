"""Ways for the service to misbehave on request."""

from __future__ import annotations

import asyncio
import socket
import struct
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from pinterest_sandbox.chance import Draws
from pinterest_sandbox.distortions import Change, Distortion
from pinterest_sandbox.orders import Fate, ReportStatus
from pinterest_sandbox.refusals import RefusalName, seen
from pinterest_sandbox.responses import Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Kind: TypeAlias = Literal[
    "status",
    "reset",
    "hang",
    "truncate",
    "slow",
    "html",
    "empty",
    "half_headers",
    "distort",
    "report",
    "refusal",
]

TRANSPORT = "pinterest_sandbox.transport"
"""The extension through which the web server hands out a connection's transport."""

_REPLACING = frozenset({"status", "hang", "html", "empty", "half_headers", "refusal"})
_HTML = b"<!DOCTYPE html><html><head><title>Pinterest</title></head><body>Oops!</body></html>"
_NO_LINGER = struct.pack("ii", 1, 0)
_HALF_HEADERS = b"HTTP/1.1 200 OK\r\ncontent-type: appl"
_OK = 200
_PIECES = 8


class Hittable(Protocol):
    """A request as faults look at it.

    Attributes:
        method: Such as GET.
        path: Below the API's base.
        query: Its parameters as they were sent.
        key: The key of its operation, if the API has one.
    """

    method: str
    path: str
    query: str
    key: str | None

    @property
    def json(self) -> Any:  # noqa: ANN401  any JSON
        """The JSON that was sent, if any."""


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, dict=True):
    """One way to fail: which requests, how, and how often."""

    kind: Kind = "status"
    path: str = "*"
    """The path of the request below `/v5`; `*` stands for anything."""
    method: str | None = None
    operation: str | None = None
    """The key of an operation, such as `GET /boards`."""
    query: dict[str, str] = {}
    """Parameters that the request must have among its own."""
    sent: dict[str, Any] = {}
    """Members that the request's body, an object, must have among its own."""
    after: int = 0
    """Matching requests that are left alone first."""
    times: int | None = 1
    """Number of requests that it hits; None: every request."""
    share: float = 1.0
    """The share of matching requests that it hits, drawn from `seed`."""
    seed: int = 0
    status: int | None = None
    """The status of `status` (by default 500), `html` and `empty` (by default 200)."""
    body: Any = None
    """The body of `status`: JSON, or text or bytes as they are; by default an error of Pinterest's
    form."""
    headers: dict[str, str] = {}
    """Added to the answer."""
    after_bytes: int | None = None
    """For `reset` and `truncate`: bytes of the real answer's body that are sent first. A reset
    without it comes before anything is sent; a truncated answer stops halfway."""
    seconds: float = 1.0
    """For `slow`: the seconds that the answer takes."""
    change: Change = "unknown_field"
    """For `distort`: the change to the records of the real answer."""
    report_status: ReportStatus = "FAILED"
    """For `report`: the final status of the ordered report."""
    refusal: RefusalName = "code 12"
    """For `refusal`: its name; `status`, `body` and `headers` hold here too."""
    polls: int | None = None
    """For `report`: the number of polls that find it in progress; by default as usual."""
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        """Prepares what remembers earlier answers."""
        self._distorted = Distortion(self.change)

    def applies(self, request: Hittable) -> bool:
        """Whether this request is hit; counts it."""
        if self.times is not None and self.hits >= self.times:
            return False
        if not self._matches(request):
            return False
        self.seen += 1
        if self.seen <= self.after or not Draws(self.seed, self.seen).chance(self.share):
            return False
        self.hits += 1
        return True

    def _matches(self, request: Hittable) -> bool:
        if self.method not in {None, request.method} or self.operation not in {None, request.key}:
            return False
        if not fnmatchcase(request.path, self.path):
            return False
        if self.query and not self.query.items() <= set(parse_qsl(request.query)):
            return False
        sent = request.json if self.sent else {}
        return isinstance(sent, dict) and all(
            name in sent and sent[name] == value for name, value in self.sent.items()
        )

    @property
    def replaces(self) -> bool:
        """Whether the operation is not carried out at all."""
        early_reset = self.kind == "reset" and self.after_bytes is None
        return early_reset or self.kind in _REPLACING

    def response(self) -> Response:
        """The answer that replaces the real one."""
        if self.kind == "html":
            headers = {"content-type": "text/html; charset=utf-8", **self.headers}
            return Response(self.status or 200, list(headers.items()), _HTML)
        if self.kind == "empty":
            return Response(self.status or 200, list(self.headers.items()), b"")
        status, body = self.status or 500, self.body
        if self.kind == "refusal":
            refusal = seen(self.refusal)
            status, body = self.status or refusal.status, body or refusal.body
        if body is None:
            body = {"code": status, "message": "A fault that the sandbox was told to play."}
        if isinstance(body, bytes):
            return Response(status, list(self.headers.items()), body)
        text = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
        headers = {"content-type": "application/json", **self.headers}
        return Response(status, list(headers.items()), text)

    @property
    def fate(self) -> Fate | None:
        """The fate of the ordered report."""
        return Fate(self.report_status, self.polls) if self.kind == "report" else None

    async def play(self, response: Response, connection: Connection, path: str) -> int:
        """Sends an answer as the fault changes it, and returns the status; 0 if none was sent."""
        if self.kind == "hang":
            await connection.closed()
            return 0
        if self.kind == "reset" and self.after_bytes is None:
            await connection.reset()
            return 0
        if self.kind == "half_headers":
            await connection.break_off(_HALF_HEADERS)
            return 0
        response.headers.extend(self.headers.items() if not self.replaces else ())
        if self.kind in {"reset", "truncate"}:
            sent = len(response.body) // 2 if self.after_bytes is None else self.after_bytes
            await connection.start(response)
            await connection.write(response.body[:sent])
            if self.kind == "reset":
                await connection.reset()
            else:
                await connection.close()
        elif self.kind == "slow":
            await connection.start(response)
            step = max(1, -(-len(response.body) // _PIECES))
            for begin in range(0, len(response.body), step):
                if not await connection.open_for(self.seconds / _PIECES):
                    return response.status
                await connection.write(response.body[begin : begin + step])
            await connection.end()
        else:
            if self.kind == "distort" and response.status == _OK:
                response.body = self._distorted(response.body, path)
            await connection.answer(response)
        return response.status


class Connection:
    """The connection to the client, on which a fault can do things that no good server does."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._transport = scope["extensions"][TRANSPORT]["transport"]

    async def answer(self, response: Response) -> None:
        """Sends a whole answer."""
        await self.start(response)
        await self._send({"type": "http.response.body", "body": response.body})

    async def start(self, response: Response) -> None:
        """Sends status and headers, with the length that the whole body has."""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers]
        headers.append((b"content-length", str(len(response.body)).encode()))
        await self._send(
            {"type": "http.response.start", "status": response.status, "headers": headers}
        )

    async def write(self, piece: bytes) -> None:
        """Sends a piece of the body."""
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end(self) -> None:
        """Ends a body that was sent in pieces."""
        await self._send({"type": "http.response.body", "body": b""})

    async def open_for(self, seconds: float) -> bool:
        """Waits; whether the client is still there then."""
        try:
            await asyncio.wait_for(self.closed(), seconds)
        except TimeoutError:
            return True
        return False

    async def closed(self) -> None:
        """Waits until the client, or the sandbox, gives up."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def close(self) -> None:
        """Closes the connection in an orderly way, whatever was promised."""
        self._transport.close()
        await self.closed()

    async def break_off(self, beginning: bytes) -> None:
        """Sends the beginning of an answer as it is, and closes the connection."""
        self._transport.write(beginning)
        await self.close()

    async def reset(self) -> None:
        """Drops the connection so that the client sees it reset."""
        connection: socket.socket = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()
        await self.closed()


class Faults:
    """The faults to be played, the first that applies wins."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Play this fault, too, from now on."""
        self._faults.append(fault)

    def clear(self) -> None:
        """No more faults."""
        self._faults.clear()

    def hit(self, request: Hittable) -> Fault | None:
        """The fault to play for a request."""
        return next((fault for fault in self._faults if fault.applies(request)), None)
