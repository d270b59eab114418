"""The days that reports read, counted from today by Pinterest's clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, Protocol

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

from tap_pinterest.api.periods import DAY, ONE_DAY, DateRange, Granularity
from tap_pinterest.clock import Clock
from tap_pinterest.http.errors import PART_ERRORS, AwayError, TokenRefusedError
from tap_pinterest.run.readiness import Readiness
from tap_pinterest.run.stream import RunStream
from tap_pinterest.run.summary import Summary
from tap_pinterest.singer.sdk import EndOfRun
from tap_pinterest.singer.state import ReportRange
from tap_pinterest.singer.state_checks import StateError, refuse_future


class DatedRun(Protocol):
    """The parts of a run that `Ranges` needs."""

    clock: Clock
    memory: dict[str, Any]

    @property
    def streams(self) -> Mapping[str, RunStream]: ...  # noqa: D102 - see `Run`, as for all below
    @property
    def readiness(self) -> Readiness: ...  # noqa: D102
    @property
    def summary(self) -> Summary: ...  # noqa: D102
    def warn_once(self, message: str) -> None: ...  # noqa: D102


class Ranges:
    """Finds the days that reports read, after checking that the state has no future days."""

    def __init__(self, run: DatedRun) -> None:
        self._run = run
        self._state_is_checked = False

    def of(  # noqa: PLR0913 - the facts that reports differ in, each named
        self,
        stream: RunStream,
        *,
        days_back: int,
        lookback_days: int,
        granularity: Granularity = DAY,
        what: str = "these reports",
        tells_status: bool = False,
    ) -> ReportRange:
        """The days that a report reads, with today by Pinterest's clock.

        Args:
            stream: The report.
            days_back: How many days before today Pinterest reaches.
            lookback_days: Days to read again before the bookmark.
            granularity: The length of its periods.
            what: The name of such reports, for the warning about how far Pinterest reaches back.
            tells_status: Whether the report's own answers say which days are final.
        """
        self._refuse_future(self._run.clock.today)
        settings = stream.settings
        today = self._run.clock.today
        earliest = today - days_back * ONE_DAY
        start = settings.start_date.resolve(today=today, earliest=earliest)
        end = min(settings.end_date.resolve(today=today, earliest=earliest), today)
        self._warn_of_reach("start_date", start, earliest, stream, what)
        backfill = None
        if settings.backfill:
            first, last = (day.resolve(today=today, earliest=earliest) for day in settings.backfill)
            self._warn_of_reach("backfill.start_date", first, earliest, stream, what)
            backfill = DateRange(first, last)
        over = today - ONE_DAY
        return ReportRange(
            wanted=DateRange(max(start, earliest), end),
            earliest=earliest,
            lookback_days=lookback_days,
            complete_to=over if tells_status else self._complete_to(over, stream),
            backfill=backfill
            and DateRange(max(backfill.start, earliest), min(backfill.end, today)),
            backfill_name=f"{backfill.start}/{backfill.end}" if backfill else None,
            granularity=granularity,
            once_on=today if settings.restate == "daily" else None,
        )

    def _complete_to(self, last: date, stream: RunStream) -> date | None:
        """The newest complete day; `None`, and a failure, if Pinterest gives no answer.

        The rows are read nevertheless, and the next run reads their days again.
        """
        try:
            return self._run.readiness.complete_to(last, self._run.clock.today)
        except (AwayError, TokenRefusedError):
            raise
        except (FatalAPIError, RetriableAPIError) as error:
            why = f"{error}; rows are written, and no day is remembered as complete"
            self._run.summary.of(stream.name).failures[""] = why
            return None

    def _warn_of_reach(
        self, setting: str, start: date, earliest: date, stream: RunStream, what: str
    ) -> None:
        if start < earliest and stream.name not in self._run.memory.get("bookmarks", {}):
            days_back = (self._run.clock.today - earliest).days
            self._run.warn_once(
                f"{setting} is {start}, and Pinterest keeps {days_back} days for {what}: there are "
                f"data from {earliest} on."
            )

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
            self._refuse_future(self._run.clock.today)

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
        dated = [name for name, each in self._run.streams.items() if each.replication_key]
        refuse_future(self._run.memory, dated, today)
