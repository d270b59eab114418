"""Asynchronous reports: created, polled until Pinterest has prepared them, and downloaded."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import logging
import mmap
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

import msgspec
from singer_sdk.exceptions import FatalAPIError

from tap_pinterest import api
from tap_pinterest.http.answers import decoder
from tap_pinterest.http.errors import LinkExpiredError, ReportExpiredError, UnreadableAnswerError
from tap_pinterest.http.redaction import one_line
from tap_pinterest.reading.calls import Expected
from tap_pinterest.streams.bases.stream import TaskStream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from typing import TypeAlias

    from tap_pinterest.clock import Clock
    from tap_pinterest.config import Settings
    from tap_pinterest.http.client import PinterestClient

    Steps: TypeAlias = Generator[float, None, "Download"]
    """What a report takes: seconds to wait until it goes on, and in the end its file."""

REPORTS = "/ad_accounts/{ad_account_id}/reports"
POLLS = 3
"""Polls that a report takes, as far as one can tell before."""
MOST_CREATIONS = 3
MOST_LINKS = 4
"""Links to one report that turn out to be expired: then it is not our being slow."""
FIRST_PAUSE, GROWTH = 5.0, 4.0
"""Seconds before the first poll, and how much longer each later pause is: a report that is ready
within 105 s takes three polls. One that takes longer takes more: with three for all, a small one
would be left lying for many minutes."""
LONGEST_PAUSE = {"standard": 120.0, "trial": float("inf")}
"""Seconds that the pauses grow to: asking every other minute for all that are under way takes a
fiftieth of a standard app's quota, but each poll is a thousandth of a trial app's day."""
_A_BEGINNING = 64

IN_PROGRESS, FINISHED = "IN_PROGRESS", "FINISHED"

_logger = logging.getLogger("tap-pinterest.reports")


class Answer(msgspec.Struct):
    """What Pinterest says of a report; some operations say it inside `data`."""

    report_status: str | None = None
    token: str | None = None
    url: str | None = None
    message: str | None = None
    data: Answer | None = None

    @property
    def own(self) -> Answer:
        """The part that speaks of the report."""
        return self.data or self

    @property
    def told(self) -> str:
        """How the report is, as part of one line."""
        message = f": {self.message}" if self.message else ""
        return one_line(f"{self.report_status}{message}")


_decode = decoder(Answer)


@dataclass(frozen=True)
class Operation:
    """Where a kind of report is created and polled.

    Attributes:
        create: Path of the POST that creates one.
        poll: Path of the GET that tells how it is.
    """

    create: str = REPORTS
    poll: str = REPORTS

    def expected(self, reports: int) -> Iterator[Expected]:
        """The calls that so many reports take."""
        creation = f"POST {self.create}"
        yield Expected(api.operation(creation).category, reports, operation=creation)
        polled = api.operation(f"GET {self.poll}").category
        yield Expected(polled, reports * POLLS, precision="about")


@dataclass(frozen=True)
class Order:
    """A report to be created.

    Attributes:
        ids: Values of the paths' placeholders.
        body: What it is to hold.
        query: The same, where the operation takes it so.
        operation: Where it is created and polled.
        is_csv: Whether its file is a table with a header, not JSON; `None` if nothing says so.
    """

    ids: Mapping[str, str]
    body: Mapping[str, Any] | None
    query: Mapping[str, Any] | None = None
    operation: Operation = Operation()
    is_csv: bool | None = False


class OrderingStream(TaskStream):
    """A stream whose rows may come in asynchronous reports.

    Attributes:
        operation: Where these are created and polled.
    """

    operation: ClassVar[Operation] = Operation()

    @functools.cached_property
    def reports(self) -> Reports:
        """What creates the reports, and waits for them."""
        return Reports(self.run.client, self.clock, self.settings, self.name)


class Reports:
    """Creates reports of one stream, and waits for them."""

    def __init__(
        self, client: PinterestClient, clock: Clock, settings: Settings, stream: str
    ) -> None:
        """Nothing is created yet.

        Args:
            client: Calls the API.
            clock: Knows how long a report has taken.
            settings: Say how long one may take, and how often to ask.
            stream: The stream that the calls count for.
        """
        self._client = client
        self._clock = clock
        self._longest = settings.max_wait_seconds
        self._longest_pause = LONGEST_PAUSE[settings.access_tier]
        self._stream = stream

    def read(self, order: Order) -> Steps:
        """The steps that end with the report's file.

        Raises:
            FatalAPIError: Pinterest cannot make it, or it cannot be read.
            SkippableAPIError: Such reports are refused.
            TooLargeError: It is too large to be taken at once.
        """
        for creation in itertools.count(1):
            token = self._create(order)
            try:
                return (yield from self._finished(order, token))
            except _UnfinishedError as error:
                if creation == MOST_CREATIONS:
                    msg = f"POST {order.operation.create}: {error}, {creation} times in a row"
                    raise FatalAPIError(msg) from None
                _logger.info("%s; creating it again", error)
        raise AssertionError  # pragma: no cover - counting does not end

    def _create(self, order: Order) -> str:
        path = order.operation.create
        answer = self._client.post(
            path, _decode, order.body, ids=order.ids, query=order.query, stream=self._stream
        ).own
        if not answer.token:
            msg = f"POST {path}: no token for a report ({answer.told})"
            raise FatalAPIError(msg)
        return answer.token

    def _finished(self, order: Order, token: str) -> Steps:
        """Wait for a report, and take it."""
        pauses = _pauses(self._longest_pause)
        deadline = self._clock.monotonic() + self._longest
        links = 0
        yield next(pauses)
        while True:
            try:
                answer = self._poll(order, token)
            except ReportExpiredError as error:
                raise _UnfinishedError(str(error)) from None
            status = answer.report_status
            if status == FINISHED and answer.url:
                try:
                    return self._download(order, answer.url)
                except (LinkExpiredError, UnreadableAnswerError) as error:
                    links += 1
                    if links == MOST_LINKS:
                        msg = f"{error}, with {links} links to it"
                        raise FatalAPIError(msg) from None
                    _logger.info("%s; asking for a new link", error)
                    yield 0.0
                    continue
            elif status not in {IN_PROGRESS, FINISHED}:
                msg = f"a report is {answer.told}"
                raise _UnfinishedError(msg)
            left = deadline - self._clock.monotonic()
            if left <= 0:
                msg = (
                    f"GET {order.operation.poll}: a report is {status} after {self._longest} s "
                    "(max_wait_seconds)"
                )
                raise FatalAPIError(msg)
            yield min(next(pauses), left)

    def _poll(self, order: Order, token: str) -> Answer:
        path = order.operation.poll
        ids = {name: value for name, value in order.ids.items() if f"{{{name}}}" in path}
        query: dict[str, Any] = {"token": token}
        if "ad_account_id" in order.ids and "ad_account_id" not in ids:
            query["ad_account_id"] = order.ids["ad_account_id"]
        return self._client.get(path, _decode, ids=ids, query=query, stream=self._stream).own

    def _download(self, order: Order, url: str) -> Download:
        what = f"GET {order.operation.poll}: the report"
        # Closed by `Download`, which keeps what it maps.
        file = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._client.download(url, file, what)
            return Download(file, what, is_csv=order.is_csv)
        except BaseException:
            file.close()
            raise


class _UnfinishedError(Exception):
    """A report that will never be finished, or is gone: a new one may be."""


def _pauses(longest: float) -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * GROWTH, longest)


_SHAPES: tuple[Any, ...] = (dict[str, list[msgspec.Raw]], list[msgspec.Raw])
_STRICT = tuple(msgspec.json.Decoder(shape) for shape in _SHAPES)
_MENDING = tuple(decoder(shape) for shape in _SHAPES)


class Download:
    """The rows of a report in a temporary file: an array, arrays in an object, or a table.

    JSON is mapped into memory, not read, and a table is made into such a file: however large it is,
    no copy of it is in memory.
    """

    def __init__(self, file: IO[bytes], what: str, *, is_csv: bool | None = False) -> None:
        """Find the rows in a file that now belongs to this, and is read by its looks if need be.

        Raises:
            UnreadableAnswerError: It is no report.
        """
        with file:  # what is mapped stays, however early the rows are left alone
            self.size = file.seek(0, os.SEEK_END)
            if not self.size:
                msg = f"{what} is empty"
                raise UnreadableAnswerError(msg)
            is_csv = _looks_like_a_table(file) if is_csv is None else is_csv
            self._rows = _rows_of_table(file, what) if is_csv else _rows(file, what)

    def __iter__(self) -> Iterator[bytes]:
        """Each row once; the file is gone after the last."""
        rows, self._rows = self._rows, []
        rows.reverse()
        while rows:
            yield bytes(rows.pop())


def _looks_like_a_table(file: IO[bytes]) -> bool:
    file.seek(0)
    return file.read(_A_BEGINNING).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"{", b"["}


def _rows(file: IO[bytes], what: str) -> list[msgspec.Raw]:
    text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    for strict in _STRICT:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _flat(strict.decode(cast("bytes", text)))
    # A text that no report should have needs a copy that is mended, if that is what is wrong.
    body = text[:]
    faults = []
    for mending in _MENDING:
        try:
            return _flat(mending(body))
        except UnreadableAnswerError as error:
            faults.append(str(error))
    msg = f"{what} cannot be read: {faults[0]}"
    raise UnreadableAnswerError(msg)


def _rows_of_table(file: IO[bytes], what: str) -> list[msgspec.Raw]:
    """The rows of a table, as they would be in JSON, in a file as well; all values are texts."""
    file.seek(0)
    with (
        io.TextIOWrapper(file, "utf-8-sig", "replace", newline="") as text,
        tempfile.TemporaryFile() as copy,
    ):
        table = csv.reader(text, strict=True)
        before = b"["
        try:
            names = next(table, [])
            if "".join(names).lstrip().startswith("<"):
                msg = f"{what} cannot be read: it is a page or the like, and no table"
                raise UnreadableAnswerError(msg)
            for row in filter(None, table):
                copy.write(before + msgspec.json.encode(dict(zip(names, row, strict=True))))
                before = b","
        except (csv.Error, ValueError) as error:
            msg = f"{what} cannot be read: line {table.line_num}: {error}"
            raise UnreadableAnswerError(msg) from None
        copy.write(b"[]" if before == b"[" else b"]")
        copy.flush()
        return _rows(copy, what)


def _flat(found: dict[str, list[msgspec.Raw]] | list[msgspec.Raw]) -> list[msgspec.Raw]:
    if isinstance(found, dict):
        return list(itertools.chain.from_iterable(found.values()))
    return found


def upper_case(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with the names of its columns as the API's enums have them."""
    return {name.upper(): value for name, value in row.items()}
