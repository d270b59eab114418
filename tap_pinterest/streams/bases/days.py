"""Reports by day, for the days that the state does not cover yet."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_pinterest.api.periods import SYNCHRONOUS
from tap_pinterest.reading.contexts import name_of
from tap_pinterest.reading.parts import Parts
from tap_pinterest.singer.state import Progress
from tap_pinterest.streams.bases.stream import PinterestStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context

    from tap_pinterest.api.periods import DateRange
    from tap_pinterest.singer.state import ReportRange


class ReportStream(PinterestStream):
    """Metrics by day of each context, for the days that the state does not cover yet.

    The bookmark of a context moves once all its rows have been written.
    """

    replication_key = "date"
    is_report = True

    @functools.cached_property
    def report_range(self) -> ReportRange:
        """The days that the config asks for, whatever the state says."""
        return self.run.ranges.of(
            self,
            days_back=SYNCHRONOUS.days_back,
            lookback_days=self.settings.attribution_lookback,
        )

    @property
    def final_range(self) -> ReportRange:
        """`report_range` once a context has been read: complete up to the last final row."""
        return self.report_range

    @property
    def fingerprint(self) -> str:
        """A fingerprint of the settings that shape the rows, for the state."""
        raise NotImplementedError

    def progress(self, context: Context) -> Progress:
        """The progress of earlier runs; empty if every run reads the whole range."""
        if self.is_read_whole:
            return Progress()
        return Progress.of(self.remembered.of(context) or {})

    @override
    def ranges(self, context: Context | None) -> Sequence[DateRange]:
        return self.report_range.to_read(self.progress(context or {}), self.fingerprint)

    def rows(self, context: Context, parts: Parts) -> Iterator[dict[str, Any]]:
        """The finished records of a context for all days that this run reads."""
        raise NotImplementedError

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        if context is None:
            return
        progress = self.progress(context)
        self.warn_of_new_settings(progress, self.report_range)
        self.begin_rewriting(context, progress, self.report_range)
        parts = Parts()
        yield from self.rows(context, parts)
        self.judge_parts(context, parts)
        if self.is_whole(parts):
            self.remember(context, self.final_range.after(progress, self.fingerprint))
        self.summary.read()

    def is_whole(self, parts: Parts) -> bool:
        """Whether a context has been read whole, so that the next run goes on from here."""
        return not parts.refused_calls

    def days_to_read(self, context: Context) -> Iterator[DateRange]:
        """The ranges of days that this run reads; the summary notes them."""
        for dates in self.ranges(context):
            self.summary.of(name_of(context)).note(dates)
            yield dates

    def warn_of_new_settings(self, progress: Progress, days: ReportRange) -> None:
        """Warn once that settings have changed, and of days that Pinterest no longer has."""
        reach = f"{(self.clock.today - days.earliest).days} days"
        if progress.covered_from and progress.settings not in {None, self.fingerprint}:
            self.run.warn_once(
                f"{self.name}: columns or other settings have changed since the last run; the days "
                f"from {progress.covered_from} are read again, if Pinterest still has "
                f"them ({reach})."
            )
        if lost := days.out_of_reach(progress, self.fingerprint):
            listed = ", ".join(map(str, lost))
            self.run.warn_once(
                f"{self.name}: {listed} can no longer be read, since Pinterest keeps {reach}; the "
                "rows of these days stay as they are, with older settings or numbers."
            )

    def begin_rewriting(self, context: Context, progress: Progress, days: ReportRange) -> None:
        """Note in the state, before the first row, that days get rows with other settings.

        A run that ends early leaves rows with old and with new settings, also if somebody changes
        the settings back before the next run.
        """
        during = days.before_rewriting(progress, self.fingerprint)
        if during != progress:
            self.remember(context, during)
            self.write_state()
