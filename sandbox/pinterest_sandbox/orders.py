"""Reports that were ordered: how far each is, and the links where it can be downloaded."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from urllib.parse import parse_qs, urlencode

import msgspec

from pinterest_sandbox.chance import Draws
from pinterest_sandbox.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinterest_sandbox.calendar import Calendar

ReportStatus: TypeAlias = Literal[
    "DOES_NOT_EXIST", "FINISHED", "IN_PROGRESS", "EXPIRED", "FAILED", "CANCELLED"
]
DOWNLOADS: Final = "/downloads"
LINK_SECONDS: Final = 5 * 60
REPORT_SECONDS: Final = 60 * 60
_MOST_POLLS_IN_VAIN: Final = 2
_MOST_KEPT: Final = 3
"""Reports whose content is kept: those of long periods are large."""
_SIGNATURE: Final = "X-Signature"
_EXPIRES: Final = "X-Expires"


class Download(msgspec.Struct, frozen=True):
    """The file behind a report's link."""

    content_type: str
    body: bytes


class Fate(msgspec.Struct, frozen=True):
    """The fate that a test wants for a report."""

    status: ReportStatus
    polls: int | None
    """Number of polls that find it in progress; None: as without a fault."""


@dataclass
class Order:
    """One report that was ordered."""

    token: str
    owner: str
    """The path that it was ordered below: others do not find it."""
    made: Callable[[], Download]
    expires: float
    status: ReportStatus
    """The status once it is no longer in progress."""
    polls: int
    """Number of polls that still find it in progress."""
    ready: float
    """The time until which it is in progress, whatever the number of polls."""


class Orders:
    """All reports that were ordered."""

    def __init__(
        self, seed: int, calendar: Calendar, seconds: tuple[float, float] | None = None
    ) -> None:
        """Starts with none; each takes some seconds between these, or else a few polls."""
        self._seed = seed
        self._calendar = calendar
        self._seconds = seconds
        self._orders: dict[str, Order] = {}
        self._of_day: dict[tuple[Any, ...], Order] = {}
        self._kept: dict[str, Download] = {}

    def create(self, owner: str, made: Callable[[], Download], fate: Fate | None = None) -> Order:
        """A new report, in progress for a while."""
        number = len(self._orders) + 1
        draws = Draws(self._seed, "report", number)
        polls = 0 if self._seconds else draws.below(_MOST_POLLS_IN_VAIN + 1)
        shortest, longest = self._seconds or (0.0, 0.0)
        seconds = shortest + (longest - shortest) * draws.share()
        order = Order(
            token=self._signed(f"report {number}"),
            owner=owner,
            made=made,
            expires=self._calendar.elapsed() + REPORT_SECONDS,
            status=fate.status if fate else "FINISHED",
            polls=polls if fate is None or fate.polls is None else fate.polls,
            ready=self._calendar.elapsed() + seconds,
        )
        self._orders[order.token] = order
        return order

    def create_once_a_day(
        self, key: tuple[Any, ...], owner: str, made: Callable[[], Download], fate: Fate | None
    ) -> Order:
        """The report that was ordered with the same key today, else a new one."""
        key = (self._calendar.today, owner, *key)
        known = self._of_day.get(key)
        if known is None or self._calendar.elapsed() >= known.expires:
            known = self._of_day[key] = self.create(owner, made, fate)
        return known

    def count_recent(self, owner: str, seconds: float) -> int:
        """Number of reports that were ordered on this path in the last seconds."""
        since = self._calendar.elapsed() - seconds + REPORT_SECONDS
        return sum(
            order.owner == owner and order.expires > since for order in self._orders.values()
        )

    def find(self, token: str, owner: str) -> Order | None:
        """The report of a token, if it was ordered there."""
        order = self._orders.get(token)
        return order if order is not None and order.owner == owner else None

    def poll(self, order: Order) -> ReportStatus:
        """The status of a report; each poll brings it closer to its end."""
        if self._calendar.elapsed() >= order.expires:
            return "EXPIRED"
        if order.polls > 0:
            order.polls -= 1
            return "IN_PROGRESS"
        if self._calendar.elapsed() < order.ready:
            return "IN_PROGRESS"
        return order.status

    def download(self, order: Order) -> Download:
        """The report of the day on which it was ordered; made again if it was not kept."""
        if order.token not in self._kept:
            while len(self._kept) >= _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[order.token] = order.made()
        return self._kept[order.token]

    def link(self, order: Order, host: str) -> str:
        """The link to the download of a report, good for five minutes."""
        expires = str(int(self._calendar.elapsed() * 1000) + LINK_SECONDS * 1000)
        query = {_EXPIRES: expires, _SIGNATURE: self._signed(order.token + expires)}
        suffix = "csv" if self.download(order).content_type == "text/csv" else "json"
        return f"{host}{DOWNLOADS}/{order.token}.{suffix}?{urlencode(query)}"

    def answer(self, name: str, query: str, headers: Mapping[str, str]) -> Response:
        """The answer of an object store to a link."""
        given = {key: values[0] for key, values in parse_qs(query).items()}
        expires, token = given.get(_EXPIRES, ""), name.partition(".")[0]
        order = self._orders.get(token)
        if "authorization" in headers:
            return _xml(
                400, "InvalidArgument", "Only one auth mechanism allowed; a signature is one."
            )
        if order is None or given.get(_SIGNATURE) != self._signed(token + expires):
            return _xml(403, "SignatureDoesNotMatch", "The signature does not match.")
        if self._calendar.elapsed() * 1000 >= int(expires):
            return _xml(403, "AccessDenied", "Request has expired")
        download = self.download(order)
        return Response(200, [("content-type", download.content_type)], download.body)

    def _signed(self, text: str) -> str:
        return hmac.new(str(self._seed).encode(), text.encode(), hashlib.sha256).hexdigest()


def _xml(status: int, code: str, message: str) -> Response:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
        f"<Message>{message}</Message></Error>"
    )
    return Response(status, [("content-type", "application/xml")], body.encode())
