"""The parts of a context: each of its calls is answered, refused, or fails by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from singer_sdk.exceptions import FatalAPIError, SkippableAPIError

from tap_pinterest.api import naming
from tap_pinterest.http.errors import (
    PART_ERRORS,
    PartError,
    affects_all_calls,
    refuses_operation,
)
from tap_pinterest.reading.call import Call

_T = TypeVar("_T")

MOST_NAMED = 10
"""Most parts that a message names."""
MOST_CAUSES = 3
"""Most reasons that a message gives."""
MOST_VALUES = 3
"""Most values of one parameter that a message names, such as ids of a batch."""
LONGEST_VALUE = 80


@dataclass(frozen=True)
class Tried(Generic[_T]):
    """A call that was made: its answer, or the error that it ended with."""

    call: Call
    answer: _T | None = None
    error: PartError | None = None

    @classmethod
    def by(cls, call: Call, ask: Callable[[], _T]) -> Tried[_T]:
        """Make a call."""
        try:
            return Tried(call, ask())
        except PART_ERRORS as error:
            return Tried(call, error=error)


class Parts:
    """The outcomes of the calls of a context."""

    def __init__(self) -> None:
        self.is_answered = False
        self._refusals: dict[bytes, tuple[Call, SkippableAPIError]] = {}
        self._failures: dict[bytes, tuple[Call, PartError]] = {}

    def answered(self) -> None:
        """Note that a call was answered."""
        self.is_answered = True

    def failed(self, call: Call, error: PartError) -> None:
        """Note that a call failed; the others may still be answered.

        Raises:
            FatalAPIError: The error affects all calls: the same error.
        """
        if affects_all_calls(error):
            raise error
        self._failures.setdefault(call.key, (call, error))

    def add_error(self, call: Call, error: PartError) -> None:
        """Note that a call was refused or failed; the others may still be answered.

        Raises:
            FatalAPIError: The error affects all calls: the same error.
        """
        if isinstance(error, SkippableAPIError):
            self._refusals.setdefault(call.key, (call, error))
        else:
            self.failed(call, error)

    @property
    def are_all_refused(self) -> bool:
        """Whether Pinterest refuses the operation: further calls would be refused, too."""
        refusals = (refusal for _, refusal in self._refusals.values())
        return not self.is_answered and any(map(refuses_operation, refusals))

    def answers(self, tried: Iterable[Tried[_T]]) -> Iterator[tuple[Call, _T]]:
        """The answers, each with its call; errors are noted."""
        for each in tried:
            if each.error is None:
                self.answered()
                yield each.call, cast("_T", each.answer)
                continue
            self.add_error(each.call, each.error)
            if self.are_all_refused:
                return

    def include(self, others: Parts) -> None:
        """Add the refusals and failures of other calls, such as those of lists of ids."""
        self._refusals = {**others._refusals, **self._refusals}
        self.include_failures(others)

    def include_failures(self, others: Parts) -> None:
        """Add the failures of other calls."""
        self._failures = {**others._failures, **self._failures}

    def has_failed(self, call: Call) -> bool:
        """Whether a call has failed: it is not made again."""
        return call.key in self._failures

    @property
    def refused_calls(self) -> Sequence[Call]:
        """The calls that were refused."""
        return [call for call, _ in self._refusals.values()]

    @property
    def failed_calls(self) -> Sequence[Call]:
        """The calls that failed."""
        return [call for call, _ in self._failures.values()]

    @property
    def refusal(self) -> SkippableAPIError | None:
        """The first refusal."""
        return next((refusal for _, refusal in self._refusals.values()), None)

    @property
    def names_left_out(self) -> Iterator[str]:
        """The names of the refused and failed calls that the messages leave out."""
        for found in (self._refusals, self._failures):
            for call, _ in list(found.values())[MOST_NAMED:]:
                yield _name(call)

    @property
    def refusals_in_words(self) -> str:
        """How many calls were refused, which ones, and why."""
        return _in_words(self._refusals.values(), "of its calls were refused")

    def raise_if_nothing_was_read(self) -> None:
        """Raise the first refusal if all calls were refused.

        Raises:
            SkippableAPIError: All calls were refused.
        """
        if self.refusal is not None and not (self.is_answered or self._failures):
            raise self.refusal

    def raise_if_any_failed(self) -> None:
        """Raise an error that names the failed parts; the others were read.

        Raises:
            FatalAPIError: Some parts have failed.
            RetriableAPIError: There is one call, and it has failed.
        """
        if not self._failures:
            return
        calls, errors = zip(*self._failures.values(), strict=True)
        if len(errors) == 1 and not _name(calls[0]):
            raise errors[0]
        raise FatalAPIError(_in_words(self._failures.values(), "of its parts failed"))


def _in_words(found: Iterable[tuple[Call, PartError]], what: str) -> str:
    """A sentence of bounded length about refused or failed calls."""
    calls, errors = zip(*found, strict=True)
    names = [name for name in map(_name, calls[: MOST_NAMED + 1]) if name][:MOST_NAMED]
    if len(calls) > len(names) and names:
        names.append(f"{len(calls) - len(names):,} more")
    causes = list(dict.fromkeys(map(str, errors)))
    reasons = " / ".join(causes[:MOST_CAUSES]) + (" / ..." if len(causes) > MOST_CAUSES else "")
    listed = f" ({'; '.join(names)})" if names else ""
    return f"{len(calls):,} {what}{listed}: {reasons}"


def _name(call: Call) -> str:
    """The parameters that distinguish a call from the others, such as `ad_group_id 123`."""
    return ", ".join(f"{name} {_value(value)}" for name, value in call.part.items())


def _value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return naming.listed([*map(_value, value)], MOST_VALUES)
    return str(value)[:LONGEST_VALUE]
