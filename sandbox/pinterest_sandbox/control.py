"""The sandbox's own controls over HTTP: the day, the log, the faults, the world."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pinterest_sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from pinterest_sandbox.requests_log import LoggedRequest
    from pinterest_sandbox.world import World


class Controlled(Protocol):
    """A sandbox, as the controls know it."""

    today: date

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request so far."""

    @property
    def world(self) -> World:
        """The accounts and their entities."""

    @property
    def credentials(self) -> dict[str, str]:
        """The values to configure a tap with."""

    def remove(self, *ids: str) -> None:
        """Lets records of lists be gone."""

    def restore(self, *ids: str) -> None:
        """Lets what was removed be there again."""

    def wait(self, seconds: float) -> None:
        """Lets seconds pass at once."""

    def fail_with(self, fault: Fault) -> None:
        """Lets the requests that a fault matches fail."""

    def heal(self) -> None:
        """Ends all faults."""


class Controls:
    """Lets another process use the methods of a `Sandbox` over HTTP."""

    def __init__(self, sandbox: Controlled) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        """The endpoints, by path."""
        return [
            Route("/today", self.today, methods=["GET", "PUT"]),
            Route("/removed/{id}", self.removed, methods=["PUT", "DELETE"]),
            Route("/wait", self.wait, methods=["POST"]),
            Route("/requests", self.requests, methods=["GET", "DELETE"]),
            Route("/faults", self.faults, methods=["POST", "DELETE"]),
            Route("/world", self.world),
            Route("/credentials", self.credentials),
        ]

    async def today(self, request: Request) -> Response:
        """`{"today": "2026-11-20"}`: the world's day, to be read and to be set."""
        if request.method == "PUT":
            try:
                wanted = msgspec.json.decode(await request.body(), type=dict[str, date])
                self._sandbox.today = wanted["today"]
            except (msgspec.MsgspecError, KeyError) as error:
                return _refused(error)
        return JSONResponse({"today": self._sandbox.today.isoformat()})

    async def removed(self, request: Request) -> Response:
        """PUT removes the record of an id; DELETE lets it be there again."""
        act = self._sandbox.remove if request.method == "PUT" else self._sandbox.restore
        act(request.path_params["id"])
        return Response(status_code=204)

    async def wait(self, request: Request) -> Response:
        """`{"seconds": 300}`: lets them pass at once."""
        try:
            wanted = msgspec.json.decode(await request.body(), type=dict[str, float])
            self._sandbox.wait(wanted["seconds"])
        except (msgspec.MsgspecError, KeyError) as error:
            return _refused(error)
        return Response(status_code=204)

    async def requests(self, request: Request) -> Response:
        """Every request so far; DELETE forgets them."""
        if request.method == "DELETE":
            self._sandbox.requests.clear()
            return Response(status_code=204)
        return JSONResponse([logged.as_dict() for logged in self._sandbox.requests])

    async def faults(self, request: Request) -> Response:
        """POST the fields of a fault to have it played; DELETE ends all."""
        if request.method == "DELETE":
            self._sandbox.heal()
            return Response(status_code=204)
        try:
            self._sandbox.fail_with(msgspec.json.decode(await request.body(), type=Fault))
        except msgspec.MsgspecError as error:
            return _refused(error)
        return Response(status_code=204)

    async def world(self, _request: Request) -> Response:
        """Counts and ids of what there is."""
        return JSONResponse(self._sandbox.world.summary(self._sandbox.today.toordinal()))

    async def credentials(self, _request: Request) -> Response:
        """The values to configure a tap with."""
        return JSONResponse(self._sandbox.credentials)


def _refused(error: Exception) -> Response:
    body: Mapping[str, str] = {"message": str(error)}
    return JSONResponse(body, 400)
