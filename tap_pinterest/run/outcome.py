"""The outcome of each stream in a run, for each ad account and each user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, TypeAlias

from tap_pinterest.api.naming import context_of
from tap_pinterest.api.periods import DateRange, merged
from tap_pinterest.run.summary import ContextSummary, StreamSummary

Result: TypeAlias = Literal["complete", "partial", "failed", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """The outcome of a stream in a run, for one ad account or user, or for the token alone.

    Attributes:
        ad_account_id: The ad account; `None` for a stream that is not read by ad account.
        user_id: The user; `None` for a stream that is not read by user.
        started: When its reading began; `None` if it did not begin.
        ended: When its reading ended.
        ranges: The days that were asked for, as sorted ranges that do not touch.
        calls: Calls made, retries included.
        retries: Tries beyond the first.
        seconds_waited: How long its calls waited; several may have waited at once.
        complete_to: The last day with complete numbers in the state after the run; `None` for a
            stream without days.
        result: `complete`; `partial` if rows came and others are missing; `failed` or `skipped` if
            no rows came.
        has_failed: Whether required data is missing: the run then ends with exit code 1.
        reason: Why it is not complete; empty if it is.
    """

    stream: str
    ad_account_id: str | None
    user_id: str | None
    started: datetime | None
    ended: datetime | None
    ranges: tuple[DateRange, ...]
    rows: int
    calls: int
    retries: int
    seconds_waited: float
    complete_to: date | None
    result: Result
    has_failed: bool
    reason: str


def left_to_later_runs(count: int) -> str:
    """The words for entities that a run had no calls left for."""
    return f"{count:,} are left to the next runs; see creative_calls"


def outcomes(stream: str, summary: StreamSummary, ended_by: str) -> Iterator[Outcome]:
    """The outcomes of one stream.

    Args:
        stream: Its name.
        summary: Its results.
        ended_by: Why the run ended before everything was read; empty if it did not.
    """
    named = dict.fromkeys((*summary.parts, *summary.failures, *summary.skipped))
    if summary.parts and "" not in summary.parts:
        # A reason without an ad account goes to each ad account.
        named.pop("", None)
    for name in named or ("",):
        yield _outcome(stream, name, summary, ended_by)


def _outcome(stream: str, name: str, summary: StreamSummary, ended_by: str) -> Outcome:
    part = summary.parts.get(name, ContextSummary())
    context = context_of(name) or {}
    failure, skip = (
        found.get(name) or found.get("", "") for found in (summary.failures, summary.skipped)
    )
    if ended_by and not (part.is_read or failure or skip):
        failure = f"the run ended before it was read: {ended_by}"
    left = left_to_later_runs(part.left) if part.left else ""
    reason = "; ".join(filter(None, (failure, skip, left)))
    if not (reason or part.is_read):
        reason = summary.nothing or "there was nothing to ask for"
    return Outcome(
        stream=stream,
        ad_account_id=context.get("ad_account_id"),
        user_id=context.get("user_id"),
        started=_moment(part.started),
        ended=_moment(part.ended),
        ranges=tuple(merged(dates for dates, _ in part.ranges)),
        rows=part.rows,
        calls=part.tally.calls,
        retries=part.tally.retries,
        seconds_waited=part.tally.seconds_waited,
        complete_to=part.complete_to,
        result=_result(part, failure, reason),
        has_failed=bool(failure),
        reason=reason,
    )


def _result(part: ContextSummary, failure: str, reason: str) -> Result:
    if not reason:
        return "complete"
    if part.is_read or part.rows:
        return "partial"
    return "failed" if failure else "skipped"


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, tz=UTC) if seconds else None
