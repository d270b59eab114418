"""Asynchronous reports: created, polled until Pinterest has prepared them, and downloaded."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
from singer_sdk.exceptions import FatalAPIError

from tap_pinterest import api
from tap_pinterest.clock import Clock
from tap_pinterest.config import Settings
from tap_pinterest.http.answers import decoder
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.errors import (
    GoneError,
    LinkExpiredError,
    ReportExpiredError,
    UnreadableAnswerError,
)
from tap_pinterest.http.redaction import Secrets
from tap_pinterest.reading.calls import Expected
from tap_pinterest.reports.download import downloaded

Steps: TypeAlias = Generator[float, None, Iterable[bytes]]
"""The steps that read a report: each yields seconds to wait, the last returns the rows."""

REPORTS = "/ad_accounts/{ad_account_id}/reports"
POLLS = 3
"""Polls that a report is expected to take."""
MOST_CREATIONS = 3
MOST_POLLS_WITHOUT_LINK = 4
"""Answers that a report is finished, but without a link, after which it is created again."""
MOST_LINKS = 4
"""Expired links to one report after which a slow download cannot be the cause."""
FIRST_PAUSE, GROWTH = 5.0, 4.0
"""Seconds before the first poll, and the factor by which each later pause grows. A report that is
ready within 105 s takes three polls, a slower report more. If every report took only three polls, a
small report would wait for many minutes."""
LONGEST_PAUSE = {"standard": 120.0, "trial": float("inf")}
"""Longest pause in seconds. Polling all open reports every two minutes takes a fiftieth of a
standard app's quota, but each poll takes a thousandth of a trial app's day."""

IN_PROGRESS, FINISHED = "IN_PROGRESS", "FINISHED"

_logger = logging.getLogger("tap-pinterest.reports")


class Answer(msgspec.Struct):
    """The state of a report; some operations answer it inside `data`."""

    report_status: str | None = None
    token: str | None = None
    url: str | None = None
    size: Any = None
    message: str | None = None
    data: Answer | None = None

    @property
    def own(self) -> Answer:
        """The part with the report's state."""
        return self.data or self

    def state(self, secrets: Secrets) -> str:
        """The state of the report as part of a message, without secrets."""
        message = f": {self.message}" if self.message else ""
        return secrets.hidden_in(f"{self.report_status}{message}")


_decode = decoder(Answer)


@dataclass(frozen=True)
class Operation:
    """The paths where a kind of report is created and polled."""

    create: str = REPORTS
    poll: str = REPORTS

    def expected(self, reports: int) -> Iterator[Expected]:
        """The calls that a number of reports take."""
        creation = f"POST {self.create}"
        yield Expected(api.operation(creation).category, reports, operation=creation)
        polled = api.operation(f"GET {self.poll}").category
        yield Expected(polled, reports * POLLS, precision="about")


@dataclass(frozen=True)
class Order:
    """A report to be created.

    Attributes:
        body: The content of the report, as a JSON body.
        query: The content of the report, for an operation that takes it as parameters.
        is_csv: Whether its file is a table with a header, not JSON; `None` if unknown.
    """

    ids: Mapping[str, str]
    body: Mapping[str, Any] | None
    query: Mapping[str, Any] | None = None
    is_csv: bool | None = False


@dataclass(frozen=True, eq=False)
class Ordering:
    """Creates the reports of one stream, and waits for them."""

    client: PinterestClient
    clock: Clock
    settings: Settings
    stream: str
    operation: Operation = Operation()

    def read(self, order: Order) -> Steps:
        """The steps that end with the report's file.

        Raises:
            FatalAPIError: Pinterest cannot make the report, or the file cannot be read.
            SkippableAPIError: Pinterest refuses such reports.
            TooLargeError: The rows are too many for one report.
        """
        for creation in itertools.count(1):
            token = self._create(order)
            if token is None:
                return ()
            try:
                return (yield from self._finished(order, token))
            except _UnfinishedError as error:
                if creation == MOST_CREATIONS:
                    msg = f"POST {self.operation.create}: {error}, {creation} times in a row"
                    raise FatalAPIError(msg) from None
                _logger.info("%s; creating it again", error)
        raise AssertionError  # pragma: no cover - counting does not end

    def _create(self, order: Order) -> str | None:
        """The token of a new report; `None` if Pinterest has no numbers of its days."""
        path, nothing = self.operation.create, Answer()
        answer = self.client.post(
            path,
            _decode,
            order.body,
            ids=order.ids,
            query=order.query,
            stream=self.stream,
            nothing=nothing,
        ).own
        if answer is nothing:
            return None
        if not answer.token:
            msg = f"POST {path}: no token for a report ({answer.state(self.client.secrets)})"
            raise FatalAPIError(msg)
        return answer.token

    def _finished(self, order: Order, token: str) -> Steps:
        """Wait for a report, and download it."""
        pauses = _pauses(LONGEST_PAUSE[self.settings.access_tier])
        deadline = self.clock.monotonic() + self.settings.max_wait_seconds
        links, without_link, what = 0, 0, f"GET {self.operation.poll}: the report"
        yield next(pauses)
        while True:
            try:
                answer = self._poll(order, token)
            except (GoneError, ReportExpiredError) as error:
                raise _UnfinishedError(str(error)) from None
            status = answer.report_status
            if status == FINISHED and answer.url:
                try:
                    return downloaded(
                        self.client, answer.url, what, is_csv=order.is_csv, size=answer.size
                    )
                except (LinkExpiredError, UnreadableAnswerError) as error:
                    links += 1
                    if links == MOST_LINKS:
                        msg = f"{error}, with {links} links to it"
                        raise FatalAPIError(msg) from None
                    _logger.info("%s; asking for a new link", error)
                    yield 0.0
                    continue
            elif status not in {IN_PROGRESS, FINISHED}:
                msg = f"a report is {answer.state(self.client.secrets)}"
                raise _UnfinishedError(msg)
            without_link += status == FINISHED
            if without_link == MOST_POLLS_WITHOUT_LINK:
                msg = f"a report is {answer.state(self.client.secrets)}, and has no link"
                raise _UnfinishedError(msg)
            left = deadline - self.clock.monotonic()
            if left <= 0:
                longest = f"{self.settings.max_wait_seconds} s (max_wait_seconds)"
                msg = f"GET {self.operation.poll}: a report is {status} after {longest}"
                raise FatalAPIError(msg)
            yield min(next(pauses), left)

    def _poll(self, order: Order, token: str) -> Answer:
        path = self.operation.poll
        ids = {name: value for name, value in order.ids.items() if f"{{{name}}}" in path}
        query: dict[str, Any] = {"token": token}
        if "ad_account_id" in order.ids and "ad_account_id" not in ids:
            query["ad_account_id"] = order.ids["ad_account_id"]
        return self.client.get(path, _decode, ids=ids, query=query, stream=self.stream).own


class _UnfinishedError(Exception):
    """The report is gone or will never be finished; a new order may succeed."""


def _pauses(longest: float) -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * GROWTH, longest)
