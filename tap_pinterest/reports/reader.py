"""Reads the parts of a plan by calls and asynchronous reports; splits those that are too large."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

import msgspec
from singer_sdk.exceptions import FatalAPIError, SkippableAPIError

from tap_pinterest.api import targeting
from tap_pinterest.api.naming import of_context
from tap_pinterest.api.periods import Slice
from tap_pinterest.clock import Clock
from tap_pinterest.http.answers import decoder, listed
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.errors import (
    PART_ERRORS,
    InvalidRequestError,
    PartError,
    SlowAnswerError,
    TooLargeError,
    ValuesRefusedError,
    may_be_about_one_id,
)
from tap_pinterest.reading.refused_ids import Refused, Search
from tap_pinterest.reports.download import taken
from tap_pinterest.reports.ordering import Order, Ordering
from tap_pinterest.reports.plan import Part
from tap_pinterest.reports.question import Question

Steps: TypeAlias = Generator[float, None, "Answered"]

_split = decoder(list[msgspec.Raw])


class _Data(msgspec.Struct):
    data: list[msgspec.Raw] | None = None


_decode_data = decoder(_Data)


def _split_data(body: bytes) -> list[msgspec.Raw]:
    return listed(_decode_data(body).data, body, "data")


@dataclass(frozen=True)
class Answered:
    """The rows of a part of a report, as JSON, and the errors of pieces that could not be read.

    Attributes:
        failures: The pieces that could not be read (or the whole part), each with its error.
        was_read: Whether Pinterest has answered for any piece.
        is_given_up: Whether smaller pieces failed as well, so that no others are tried.
    """

    part: Part
    rows: Iterable[bytes] = ()
    failures: Sequence[tuple[Part, PartError]] = ()
    was_read: bool = True
    is_given_up: bool = False

    @classmethod
    def failed(cls, part: Part, error: PartError, *, is_given_up: bool = False) -> Answered:
        """A part that could not be read."""
        return cls(part, (), [(part, error)], was_read=False, is_given_up=is_given_up)

    @classmethod
    def joined(cls, part: Part, earlier: Answered, later: Answered) -> Answered:
        """A part that was read in two pieces."""
        rows = itertools.chain(earlier.rows, later.rows)
        failures = [*earlier.failures, *later.failures]
        return cls(part, rows, failures, was_read=earlier.was_read or later.was_read)

    def given_up(self, whole: Part) -> Answered | None:
        """The failure of the whole part, if two failed pieces show that size is not the cause."""
        errors = [error for _, error in self.failures]
        is_size = all(isinstance(each, (TooLargeError, SlowAnswerError)) for each in errors)
        if self.was_read or not is_size or not (len(errors) > 1 or self.is_given_up):
            return None
        return self.failed(whole, errors[0], is_given_up=True)

    @property
    def refusal(self) -> SkippableAPIError | None:
        """The first refusal among the errors."""
        errors = (error for _, error in self.failures)
        return next((each for each in errors if isinstance(each, SkippableAPIError)), None)


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads the parts of one report for all ad accounts."""

    MOST_HALVINGS: ClassVar[int] = 3
    """A slow call may be too large. If an eighth of it is still slow, the size is not the cause."""
    MOST_COLUMNS_NAMED: ClassVar[int] = 25
    ERRORS_OF_THE_QUESTION = frozenset({FatalAPIError, InvalidRequestError, ValuesRefusedError})
    """Errors in a call or order itself; subclasses of these errors have other causes."""

    question: Question
    client: PinterestClient
    ordering: Ordering
    warn: Callable[[str], None]
    _refused_types: set[tuple[str, str]] = field(default_factory=set, init=False)
    _refused_columns: dict[str, frozenset[str]] = field(default_factory=dict, init=False)
    _refused: dict[tuple[object, ...], Refused] = field(
        default_factory=lambda: defaultdict(Refused), init=False
    )

    def steps(self, ad_account_id: str, part: Part) -> Steps:
        """The steps that read a part; a refused id or type costs no other one its rows."""
        answered = yield from self._halved(ad_account_id, part)
        refused = [each for each in answered.failures if may_be_about_one_id(each[1])]
        if not refused:
            return answered
        others = [each for each in answered.failures if each not in refused]
        answered = replace(answered, failures=others)
        for piece, error in refused:
            more = yield from self._searched(ad_account_id, piece, error)
            answered = Answered.joined(part, answered, more)
        return answered

    def _searched(self, ad_account_id: str, refused: Part, error: PartError) -> Steps:
        """The steps that read a refused part without the ids or types that Pinterest refuses."""
        whole, custom = refused.slice, self.question.custom
        types = () if custom and custom.combines_types else whole.types
        for name, values, kind in (("ids", whole.ids, whole.types), ("types", types, ())):
            if len(values) <= 1:
                continue
            search = Search(values, self._refused[ad_account_id, refused.asynchronous, name, kind])
            found = Answered(refused, was_read=False)
            for some in search:
                asked: dict[str, Any] = {name: some}
                piece = replace(refused, slice=replace(whole, **asked))
                answered = yield from self._halved(ad_account_id, piece)
                is_refused = any(may_be_about_one_id(each) for _, each in answered.failures)
                if search.settles(some, is_refused=is_refused):
                    found = Answered.joined(refused, found, answered)
            if not search.is_in_vain:
                return found
        return Answered.failed(refused, error)

    def _halved(self, ad_account_id: str, part: Part, halvings: int = 0) -> Steps:
        """The steps that read a call or a report; one that is too large or too slow is halved."""
        if any((ad_account_id, name) in self._refused_types for name in part.slice.types):
            return Answered(part)
        halves = self._halves(part)
        may_split = halves is not None and halvings < self.MOST_HALVINGS
        split_instead = may_split and not part.asynchronous
        try:
            rows = yield from self._rows(ad_account_id, part, split_instead=split_instead)
            return Answered(part, rows)
        except (TooLargeError, SlowAnswerError) as error:
            if halves is None or (isinstance(error, SlowAnswerError) and not split_instead):
                return Answered.failed(part, _with_days(part, error))
        except PART_ERRORS as error:
            return self._without_rows(ad_account_id, part, error)
        first, second = (replace(part, slice=half) for half in halves)
        earlier = yield from self._halved(ad_account_id, first, halvings + 1)
        if end := earlier.given_up(part):
            return end
        later = yield from self._halved(ad_account_id, second, halvings + 1)
        return Answered.joined(part, earlier, later)

    def _halves(self, part: Part) -> tuple[Slice, Slice] | None:
        """The slice in two halves: of a call by ids first, of a report by periods first.

        Types that form one breakdown together stay together.
        """
        whole, custom = part.slice, self.question.custom
        if not part.asynchronous:
            return whole.halves()
        shorter = whole.shorter()
        if shorter and custom and custom.combines_types:
            shorter = shorter if shorter[0].types == whole.types else None
        return shorter or (whole.halves() if len(whole.ids) > 1 else None)

    def _rows(
        self, ad_account_id: str, part: Part, *, split_instead: bool
    ) -> Generator[float, None, Iterable[bytes]]:
        """The steps that end with the rows of one call or report, without refused columns."""
        question, ids = self.question, {"ad_account_id": ad_account_id}
        asked = question.order(part.slice) if part.asynchronous else question.query(part.slice)
        while True:
            asked = self._without_refused(ad_account_id, asked)
            try:
                if part.asynchronous:
                    return (yield from self.ordering.read(Order(ids, asked)))
                return taken(self._called(ids, asked, split_instead=split_instead))
            except ValuesRefusedError as error:
                self._leave_out(ad_account_id, asked["columns"], error)

    def _called(
        self, ids: Mapping[str, str], query: Mapping[str, Any], *, split_instead: bool
    ) -> list[msgspec.Raw]:
        return self.client.get(
            self.question.path,
            _split_data if self.question.dimensions else _split,
            ids=ids,
            query=query,
            split_instead=split_instead,
            stream=self.question.name,
            nothing=[],
        )

    def read(self, ad_account_id: str, part: Part, clock: Clock) -> Answered:
        """The answer of a part, from a call or a report; waits until it is there.

        Raises:
            Exception: The part or a piece of it could not be read.
        """
        steps = self.steps(ad_account_id, part)
        while True:
            try:
                clock.sleep(next(steps))
            except StopIteration as end:
                answered: Answered = end.value
                break
        for _, error in answered.failures:
            raise error
        return answered

    def refused_columns(self, ad_account_id: str) -> frozenset[str]:
        """The columns that Pinterest has refused for an ad account."""
        return self._refused_columns.get(ad_account_id, frozenset())

    def _without_refused(self, ad_account_id: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A call or an order without the refused columns; at least one column stays."""
        refused, columns = self.refused_columns(ad_account_id), asked["columns"]
        left = [name for name in columns if name not in refused]
        return {**asked, "columns": left or columns[:1]}

    def _leave_out(
        self, ad_account_id: str, asked: Sequence[str], error: ValuesRefusedError
    ) -> None:
        """Note the refused columns, so that the next call or order leaves them out.

        Raises:
            ValuesRefusedError: It names no requested column, or no column would be left.
        """
        refused = error.values.intersection(asked)
        if not refused or len(refused) == len(asked):
            raise error
        self._refused_columns[ad_account_id] = self.refused_columns(ad_account_id) | refused
        if others := refused - self.question.named_columns:
            self.warn(
                f"{self.question.name}{of_context(ad_account_id)}: Pinterest refuses "
                f"{', '.join(sorted(others))}; these columns are null, the others arrive"
            )

    def _without_rows(self, ad_account_id: str, part: Part, error: PartError) -> Answered:
        """An answer without rows: no failure if Pinterest refuses a targeting type in beta."""
        types = part.slice.types
        about_the_question = type(error) in self.ERRORS_OF_THE_QUESTION
        is_refused = isinstance(error, SkippableAPIError) or about_the_question
        if is_refused and len(types) == 1 and types[0] in targeting.BETA:
            self._refused_types.add((ad_account_id, types[0]))
            self.warn(
                f"{self.question.name}: {types[0]} is in beta and refused, so its rows are "
                f"missing: {error}"
            )
            return Answered(part)
        return Answered.failed(
            part, self._with_columns(part, error) if about_the_question else error
        )

    def _with_columns(self, part: Part, error: PartError) -> FatalAPIError:
        """The error with the columns, because Pinterest may not say which column is at fault."""
        columns = self.question.requested(asynchronous=part.asynchronous)
        named, others = columns[: self.MOST_COLUMNS_NAMED], len(columns) - self.MOST_COLUMNS_NAMED
        more = f" and {others} others" if others > 0 else ""
        msg = f"{error}; the columns were {', '.join(named)}{more}"
        kind = InvalidRequestError if isinstance(error, InvalidRequestError) else FatalAPIError
        return kind(msg)


def _with_days(part: Part, error: TooLargeError | SlowAnswerError) -> PartError:
    """The error with the days, if a report cannot have fewer."""
    if not part.asynchronous or isinstance(error, SlowAnswerError):
        return error
    msg = f"{error}; it has only the days {part.slice.dates}: select fewer columns"
    return TooLargeError(msg)
