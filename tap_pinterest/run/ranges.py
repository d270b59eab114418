"""The days that reports read, counted from today by Pinterest's clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

from tap_pinterest.api.periods import DAY, ONE_DAY, DateRange, Granularity
from tap_pinterest.clock import Clock
from tap_pinterest.config import Day
from tap_pinterest.http.errors import PART_ERRORS, AwayError, TokenRefusedError
from tap_pinterest.run.readiness import Readiness
from tap_pinterest.run.stream import RunStream
from tap_pinterest.run.summary import Summary
from tap_pinterest.singer.sdk import EndOfRun
from tap_pinterest.singer.state import ReportRange
from tap_pinterest.singer.state_checks import StateError, refuse_future


class Ranges:
    """Finds the days that reports read, after checking that the state has no future days."""

    def __init__(
        self,
        clock: Clock,
        memory: Mapping[str, Any],
        streams: Mapping[str, RunStream],
        readiness: Readiness,
        summary: Summary,
    ) -> None:
        self._clock = clock
        self._memory = memory
        self._streams = streams
        self._readiness = readiness
        self._summary = summary
        self._state_is_checked = False

    def of(  # noqa: PLR0913 - the facts that reports differ in, each named
        self,
        stream: RunStream,
        *,
        days_back: int,
        lookback_days: int,
        kind: str,
        granularity: Granularity = DAY,
        tells_status: bool = False,
    ) -> ReportRange:
        """The days that a report reads, with today by Pinterest's clock.

        Args:
            stream: The report.
            days_back: How many days before today Pinterest reaches.
            lookback_days: Days to read again before the bookmark.
            kind: The name of such reports, for messages that say how far Pinterest reaches back.
            granularity: The length of its periods.
            tells_status: Whether the report's own answers say which days are final.
        """
        today, settings = self._clock.today, stream.settings
        self._refuse_future(today)
        earliest = today - days_back * ONE_DAY

        def resolved(first: Day, last: Day) -> DateRange:
            start, end = (day.resolve(today=today, earliest=earliest) for day in (first, last))
            return DateRange(start, min(end, today))

        over = today - ONE_DAY
        return ReportRange(
            wanted=resolved(settings.start_date, settings.end_date),
            earliest=earliest,
            lookback_days=lookback_days,
            complete_to=over if tells_status else self._complete_to(over, stream),
            backfill=resolved(*settings.backfill) if settings.backfill else None,
            granularity=granularity,
            once_on=today if settings.restate == "daily" else None,
            kind=kind,
        )

    def _complete_to(self, last: date, stream: RunStream) -> date | None:
        """The newest complete day; `None`, and a failure, if Pinterest gives no answer.

        The rows are read nevertheless, and the next run reads their days again.
        """
        try:
            return self._readiness.complete_to(last, self._clock.today)
        except (AwayError, TokenRefusedError):
            raise
        except (FatalAPIError, RetriableAPIError) as error:
            why = f"{error}; rows are written, and no day is remembered as complete"
            self._summary.of(stream.name).failures[""] = why
            return None

    def refuse_future_state(self, ask: Callable[[], object]) -> None:
        """Refuse a state with future days before anything is written.

        This machine's clock may be wrong. If the state has such days by this clock, `ask` makes a
        call, whose answer carries Pinterest's time. That time decides.

        Raises:
            EndOfRun: The state has a future day.
        """
        try:
            self._compare_with(datetime.now(tz=UTC).date())
        except StateError:
            with suppress(*PART_ERRORS):
                ask()
            self._refuse_future(self._clock.today)

    def _refuse_future(self, today: date) -> None:
        """Refuse future days in the state as it was before the run added days."""
        if self._state_is_checked:
            return
        try:
            self._compare_with(today)
        except StateError as error:
            raise EndOfRun(str(error)) from None
        self._state_is_checked = True

    def _compare_with(self, today: date) -> None:
        dated = [name for name, each in self._streams.items() if each.replication_key]
        refuse_future(self._memory, dated, today)
