"""Reports as streams: what is planned is called for or ordered, written, and remembered."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from singer_sdk.exceptions import FatalAPIError, SkippableAPIError
from typing_extensions import override

from tap_pinterest.api import targeting
from tap_pinterest.http.answers import decoder
from tap_pinterest.http.errors import InvalidRequestError, SlowAnswerError, TooLargeError
from tap_pinterest.reading.read_ahead import Task, with_pauses
from tap_pinterest.singer import state
from tap_pinterest.streams.bases.level_stream import PERIOD_KEYS
from tap_pinterest.streams.bases.ordering import Operation, Order
from tap_pinterest.streams.bases.row_stream import RowStream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from tap_pinterest.api.periods import Granularity, Slice
    from tap_pinterest.config.custom_reports import CustomReport
    from tap_pinterest.run.run import Run
    from tap_pinterest.streams.bases.planned_stream import Part, Reading

    _Steps: TypeAlias = Generator[float, None, "Answered"]

MOST_HALVINGS = 3
"""A slow call may be too large; one that is still slow at an eighth of the size is not."""
BYTES_PER_VALUE = 28
MOST_COLUMNS_TOLD = 25

_WRONG = frozenset({FatalAPIError, InvalidRequestError})
"""Errors of what a call or an order asks for; those derived from them are of something else."""

_split = decoder(list[msgspec.Raw])
_decode_row = decoder(dict[str, Any])


class _Data(msgspec.Struct):
    data: list[msgspec.Raw]


_decode_data = decoder(_Data)


def _split_data(body: bytes) -> list[msgspec.Raw]:
    return _decode_data(body).data


def _taken(rows: list[msgspec.Raw]) -> Iterator[bytes]:
    """The rows in order; the list is empty at the end."""
    # Each row holds on to the whole body: none is kept longer than it takes to write it.
    rows.reverse()
    while rows:
        yield bytes(rows.pop())


@dataclass(frozen=True)
class Answered:
    """The rows that came for a part of a report, as JSON."""

    part: Part
    rows: Iterable[bytes]


class AnalyticsStream(RowStream):
    """Metrics of the entities of one level, in the account's currency.

    A record also says the currency of its amounts and the attribution settings in force. Metrics
    without a value are null: Pinterest sends none, which is not the same as zero.
    """

    def __init__(
        self,
        run: Run,
        name: str | None = None,
        granularity: Granularity = "DAY",
        custom: CustomReport | None = None,
    ) -> None:
        """A report by periods of a length; each but days has a stream of its own.

        One that the config defines has its own name, and settings that differ from the tap's.
        """
        self.granularity = granularity
        self.custom = custom
        suffix = "" if granularity == "DAY" else f"_{granularity.lower()}"
        super().__init__(run, name=name or f"{type(self).name}{suffix}")
        if self.table is None:
            self.primary_keys = self.natural_keys
        if granularity == "TOTAL":
            self.replication_key = None  # type: ignore[assignment]
        self._readings = {}
        self._refused_types: set[tuple[str, str]] = set()
        self._without_reports = set()

    @classmethod
    @override
    def variants(cls, run: Run) -> Sequence[AnalyticsStream]:
        return [cls(run, granularity=each) for each in run.settings.granularities]

    @classmethod
    @override
    def possible_names(cls) -> Sequence[str]:
        return [cls.name, *(f"{cls.name}_{each.lower()}" for each in PERIOD_KEYS)]

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        if context is None:
            return
        for place, answered in enumerate(self.answers(context)):
            if place == 0:
                reading = self.reading(context)
                self.begin_rewriting(context, reading.progress, reading.range)
            yield from self.records(context, answered)
        self.summary.read(asked=bool(self.reading(context).parts))
        self._remember(context)

    @override
    def tasks(self, context: Context) -> Iterator[Task[Answered]]:
        ad_account_id = context["ad_account_id"]
        self._readings.pop(ad_account_id, None)
        begun = self._begun(ad_account_id, self.reading(context))
        reading = self.reading(context)
        self.warn_of_new_settings(reading.progress, reading.range)
        self._note_ranges(reading)
        for part in reading.parts:
            if part.asynchronous:
                steps = begun.pop(part, None) or self._report(ad_account_id, part)
                yield Task(with_pauses(steps))
            else:
                size = part.slice.rows * len(self.requested_columns) * BYTES_PER_VALUE
                run = functools.partial(self._call, ad_account_id, part)
                yield Task(run, expected_bytes=size)

    def records(self, context: Mapping[str, Any], answered: Answered) -> Iterator[dict[str, Any]]:
        """The records that the result of one of the tasks holds."""
        ad_account_id = context["ad_account_id"]
        part = answered.part
        if part.asynchronous or self.broken_down or part.slice.within or self.granularity != "DAY":
            shaped = functools.partial(self._shaped, part)
            converted = map(self.convert, map(shaped, map(_decode_row, answered.rows)))
        else:
            converted = map(self.convert.read, answered.rows)
        complete = self._completer(ad_account_id, self.reading(context).entities)
        yield from self.finished_once(map(complete, converted))

    def _begun(
        self, ad_account_id: str, reading: Reading
    ) -> dict[Part, Generator[float, None, Answered]]:
        """The first report, once Pinterest has taken the order; none if there is none.

        Where reports are refused, what is in reach of synchronous calls is read with these.

        Raises:
            SkippableAPIError: They are refused, and there is no other way.
        """
        first = next((part for part in reading.parts if part.asynchronous), None)
        if first is None:
            return {}
        steps = self._report(ad_account_id, first)
        order, for_all = functools.partial(next, steps), self._asks_for_what_all_have(first)
        try:
            if self.operation == Operation():
                pause = self.run.grants.ask(ad_account_id, order, for_all=for_all)
            else:
                pause = order()
        except StopIteration as end:
            return {first: _again(0.0, _just(end.value))}
        except SkippableAPIError as refusal:
            if self.only_asynchronous:
                raise
            self._do_without_reports(ad_account_id, refusal)
            return {}
        return {first: _again(pause, steps)}

    def _asks_for_what_all_have(self, part: Part) -> bool:
        """Whether nothing in a report is of the kind that is refused by itself."""
        in_beta = {*part.slice.types} & {*targeting.BETA}
        return not (self.custom or self.sent_if_set or in_beta)

    def _do_without_reports(self, ad_account_id: str, refusal: SkippableAPIError) -> None:
        """Read an ad account by calls, as far as they reach, and say so once."""
        self._without_reports.add(ad_account_id)
        self._readings.pop(ad_account_id)
        whose = "" if self.run.grants.refusal(ad_account_id) else f"{self.name} of "
        self.run.say_reports_are_refused(f"{whose}ad account {ad_account_id} ({refusal})")

    def _report(self, ad_account_id: str, part: Part) -> _Steps:
        """The steps that read a report; one that is too large is read in halves."""
        if self._is_known_to_be_refused(ad_account_id, part):
            return Answered(part, ())
        try:
            ids = {"ad_account_id": ad_account_id}
            order = Order(ids, self.order_of(part.slice), operation=self.operation)
            download = yield from self.reports.read(order)
        except TooLargeError as error:
            halves = self._halves(part.slice)
            if halves is None:
                msg = f"{error}; it is of {part.slice.dates} alone: select fewer columns"
                raise TooLargeError(msg) from None
            rows: list[Iterable[bytes]] = []
            for half in halves:
                answered = yield from self._report(ad_account_id, replace(part, slice=half))
                rows.append(answered.rows)
            return Answered(part, itertools.chain.from_iterable(rows))
        except (SkippableAPIError, FatalAPIError) as error:
            if self._is_refused_type(ad_account_id, part.slice, error):
                return Answered(part, ())
            raise self._told_with_columns(error, part) from None
        return Answered(part, download)

    def _halves(self, part: Slice) -> tuple[Slice, Slice] | None:
        """What a report asks for in two: by periods, then targeting types, then ids.

        Types that are one breakdown together stay together.
        """
        shorter = part.shorter()
        if shorter and self.custom and self.custom.combines_types:
            shorter = shorter if shorter[0].types == part.types else None
        return shorter or (part.halves() if len(part.ids) > 1 else None)

    def _call(self, ad_account_id: str, part: Part) -> Answered:
        if self._is_known_to_be_refused(ad_account_id, part):
            return Answered(part, ())
        try:
            rows = self._request(ad_account_id, part.slice)
        except (SkippableAPIError, FatalAPIError) as error:
            if self._is_refused_type(ad_account_id, part.slice, error):
                return Answered(part, ())
            raise self._told_with_columns(error, part) from None
        return Answered(part, _taken(rows))

    def _told_with_columns(self, error: Exception, part: Part) -> Exception:
        """An error that may be about the columns, with these; which go together is not known."""
        if type(error) not in _WRONG:
            return error
        columns = self._asked(asynchronous=part.asynchronous)
        named, others = columns[:MOST_COLUMNS_TOLD], len(columns) - MOST_COLUMNS_TOLD
        more = f" and {others} others" if others > 0 else ""
        return type(error)(f"{error}; the columns were {', '.join(named)}{more}")

    def _is_known_to_be_refused(self, ad_account_id: str, part: Part) -> bool:
        return any((ad_account_id, name) in self._refused_types for name in part.slice.types)

    def _is_refused_type(self, ad_account_id: str, part: Slice, error: Exception) -> bool:
        """Whether a targeting type in beta is refused; the others are read without it."""
        refused = isinstance(error, SkippableAPIError) or type(error) in _WRONG
        if not refused or len(part.types) != 1 or part.types[0] not in targeting.BETA:
            return False
        self._refused_types.add((ad_account_id, part.types[0]))
        self.run.warn_once(
            f"{self.name}: {part.types[0]} is in beta and refused, so its rows are missing: {error}"
        )
        return True

    def _request(self, ad_account_id: str, part: Slice, halvings: int = 0) -> list[msgspec.Raw]:
        """The rows of a slice; one that is too large or too slow is read in halves."""
        halves = part.halves()
        may_split = halves is not None and halvings < MOST_HALVINGS
        try:
            return self.run.client.get(
                self.path,
                _split_data if self.broken_down else _split,
                ids={"ad_account_id": ad_account_id},
                query=self._query(part),
                split_instead=may_split,
                stream=self.name,
                nothing=[],
            )
        except (TooLargeError, SlowAnswerError) as error:
            if halves is None or (isinstance(error, SlowAnswerError) and not may_split):
                raise
            return [
                row for half in halves for row in self._request(ad_account_id, half, halvings + 1)
            ]

    def _remember(self, context: Mapping[str, Any]) -> None:
        """Note in the state how far the context has been read."""
        reading = self._readings.pop(context["ad_account_id"])
        self.named_and_missing.difference_update(reading.entities)
        self._keep_column_names()
        if self.granularity == "TOTAL":
            return
        progress = reading.range.after(reading.progress, self.fingerprint)
        progress.write_to(self.remembered.made(context), self.replication_key or "")

    @functools.cached_property
    @override
    def named_and_missing(self) -> set[str]:
        # Several filters may well have nothing in common.
        alone = self.entities and len(self.settings.filters) == 1
        return self.entities.named(self.settings) if self.entities and alone else set()

    def _keep_column_names(self) -> None:
        if self.settings.column_names.are_displayed:
            named = self.run.column_names
            fields = (name.lower() for name in self.columns)
            names = {field: named[field] for field in fields if field in named}
            state.keep_column_names(self.run.memory, names)


def _again(pause: float, steps: _Steps) -> _Steps:
    """Steps of which the first has been made, with the pause that it asks for."""
    yield pause
    return (yield from steps)


def _just(answered: Answered) -> _Steps:
    """No more steps."""
    yield from ()
    return answered
