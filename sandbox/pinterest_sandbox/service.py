"""The API itself, without the web around it: from a request to the whole answer."""

from __future__ import annotations

import gzip
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from pinterest_sandbox import api, bodies, truth
from pinterest_sandbox.access import Access
from pinterest_sandbox.answers import ANSWERS
from pinterest_sandbox.calls import Call
from pinterest_sandbox.kept import KeptReports
from pinterest_sandbox.live import restyled
from pinterest_sandbox.orders import Orders
from pinterest_sandbox.paging import Bookmarks, Listing
from pinterest_sandbox.parameters import Parameters
from pinterest_sandbox.rate_limits import RateLimits
from pinterest_sandbox.refusals import Refusal, not_found, not_served, rate_limited
from pinterest_sandbox.reports import AccountTotals
from pinterest_sandbox.responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pinterest_sandbox.api import Facts, Operation
    from pinterest_sandbox.calendar import Calendar
    from pinterest_sandbox.orders import Fate
    from pinterest_sandbox.settings import Settings
    from pinterest_sandbox.tokens import Token, Tokens
    from pinterest_sandbox.world import World

TOKEN_OPERATION = "POST /oauth/token"  # noqa: S105  no password
_GZIP_FROM = 1_000
_ENDS_EMPTY = ("GET /pins", "GET /search/boards")
"""Lists that were seen to have a bookmark beside their last record."""


class Request(msgspec.Struct, frozen=True):
    """A request of a client."""

    key: str
    """The operation, such as `GET /boards`."""
    operation: Operation
    path_values: Mapping[str, str]
    query: str
    headers: Mapping[str, str]
    body: bytes
    fate: Fate | None = None
    """How the ordered report ends, if a test decides it."""


class Service:
    """Answers the operations: who asks, how often, with what; then the answer."""

    def __init__(
        self, settings: Settings, world: World, calendar: Calendar, tokens: Tokens
    ) -> None:
        self.world = world
        self.calendar = calendar
        self.tokens = tokens
        self._settings = settings
        self._limits = RateLimits(
            settings.access_tier,
            settings.rate_window,
            minute=settings.rate_minute,
            headers=settings.rate_headers,
            clock=calendar.elapsed,
        )
        self._bookmarks = Bookmarks(
            world.seed,
            empty_pages=settings.empty_pages,
            ends_empty=_ENDS_EMPTY if settings.style.last_page == "empty" else (),
        )
        self._access = Access(
            settings.withheld,
            status=settings.style.closed,
            absent=settings.absent,
            unavailable=settings.unavailable,
        )
        self._kept = KeptReports(settings.keep) if settings.keep else None
        self._totals = AccountTotals()
        self.orders = Orders(world.seed, calendar, settings.report_seconds)
        self.removed: set[str] = set()
        """Ids of what somebody has removed."""
        self._parameters: dict[str, Parameters] = {}
        self._encoder = msgspec.json.Encoder()

    def answer(self, request: Request) -> Response:
        """The whole answer, whatever the request."""
        headers: list[tuple[str, str]] = []
        status: int
        try:
            body = self._body(request, headers)
            status = self._settings.style.created if _creates(request.key) else 200
        except Refusal as refusal:
            body, status = refusal.body, refusal.status
        headers.append(("content-type", "application/json"))
        response = Response(status, headers, self._encoder.encode(body))
        return self._compressed(response, request.headers)

    def download(self, name: str, query: str, headers: Mapping[str, str]) -> Response:
        """The file behind a link to a report."""
        return self._compressed(self.orders.answer(name, query, headers), headers)

    def truth(self, key: str, fixed: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
        """Every record of an operation that the app's own token can read; see `truth.records`."""
        token = self.tokens.authorize(f"Bearer {self.tokens.access_token}", api.operation(key))

        def ask(key: str, values: dict[str, Any]) -> Any:  # noqa: ANN401  any answer
            operation = api.operation(key)
            defaults = self._parameters_of(key).defaults
            if operation.body is not None:
                defaults = defaults | bodies.defaults(operation.body)
            return self._made(key, {**defaults, **values}, token, truth=True)

        dates = {
            name: date.fromisoformat(fixed[name])
            for name in ("start_date", "end_date", "date")
            if isinstance(fixed.get(name), str)
        }
        return truth.records(self.world, ask, key, {**fixed, **dates})

    def _body(self, request: Request, headers: list[tuple[str, str]]) -> Any:  # noqa: ANN401
        if request.key == TOKEN_OPERATION:
            return self._grant(request, headers)
        token = self.tokens.authorize(request.headers.get("authorization"), request.operation)
        self._count(request, headers)
        values = self._read(request)
        schema = request.operation.body
        if schema is not None and request.key in ANSWERS:
            content_type = request.headers.get("content-type", "")
            values |= bodies.read(self._accepting(schema), content_type, request.body)
        host = f"http://{request.headers.get('host', '')}"
        made = self._made(request.key, values, token, host=host, fate=request.fate)
        if isinstance(made, Listing):
            return self._bookmarks.page(request.key, values, made)
        return made

    def _made(
        self,
        key: str,
        values: dict[str, Any],
        token: Token,
        **how: Any,  # noqa: ANN401  fields of a call
    ) -> Any:  # noqa: ANN401
        self._access.check(key, values)
        make = ANSWERS.get(key)
        if make is None:
            raise not_served(key)
        call = Call(
            values=values,
            world=self.world,
            today=self.calendar.today.toordinal(),
            token=token,
            totals=self._totals,
            orders=self.orders,
            settings=self._settings,
            **how,
        )
        self._refuse_removed(call)
        answer = self._kept.report(key, call, make) if self._kept else make(call)
        if self.removed and isinstance(answer, Listing):
            answer = answer.where(lambda record: not self._is_removed(record))
        return restyled(key, answer, self._settings.style)

    def _refuse_removed(self, call: Call) -> None:
        """Refuse what names something that was removed.

        Raises:
            Refusal: 404, as for an id that never was.
        """
        for name, value in call.values.items():
            if isinstance(value, str) and value in self.removed:
                raise not_found(404, name.removesuffix("_id").replace("_", " "))

    def _is_removed(self, record: Mapping[str, Any]) -> bool:
        """Whether a record was removed, or the board, the catalog or the Pin that it goes with."""
        ids = {record.get(name) for name in ("id", "board_id", "catalog_id")}
        return not self.removed.isdisjoint(ids | {(record.get("pin") or {}).get("id")})

    def _accepting(self, body: Facts) -> Facts:
        """The schema of a body that takes the columns which nobody describes as well."""
        fields = body["properties"]
        if not self._settings.columns or "columns" not in fields:
            return body
        return {
            **body,
            "properties": {
                **fields,
                "columns": api.accepting(fields["columns"], self._settings.columns),
            },
        }

    def _compressed(self, response: Response, asked: Mapping[str, str]) -> Response:
        if (
            self._settings.compress
            and len(response.body) >= _GZIP_FROM
            and "gzip" in asked.get("accept-encoding", "")
        ):
            response.body = gzip.compress(response.body, compresslevel=1)
            response.headers.append(("content-encoding", "gzip"))
        return response

    def _grant(self, request: Request, headers: list[tuple[str, str]]) -> dict[str, object]:
        self._count(request, headers)
        self._read(request)
        return self.tokens.grant(
            request.headers.get("authorization"),
            request.headers.get("content-type", ""),
            request.body,
        )

    def _count(self, request: Request, headers: list[tuple[str, str]]) -> None:
        allowed, limits = self._limits.take(request.operation.category)
        headers.extend(limits)
        if not allowed:
            raise rate_limited()

    def _read(self, request: Request) -> dict[str, Any]:
        return self._parameters_of(request.key).read(request.path_values, request.query)

    def _parameters_of(self, key: str) -> Parameters:
        known = self._parameters.get(key)
        if known is None:
            known = self._parameters[key] = Parameters(api.operation(key), self._settings.columns)
        return known


def _creates(key: str) -> bool:
    return key.startswith("POST ") and key != TOKEN_OPERATION
