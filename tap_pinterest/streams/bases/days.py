"""Reports by day, for the days that the state does not cover yet."""

from __future__ import annotations

from singer_sdk.helpers.types import Context

from tap_pinterest.singer.coverage import MIXED
from tap_pinterest.singer.state import Progress, ReportRange
from tap_pinterest.streams.bases.stream import PinterestStream


class ReportStream(PinterestStream):
    """Metrics by day of each context, for the days that the state does not cover yet.

    The bookmark of a context moves once all its rows have been written.
    """

    replication_key = "date"
    is_report = True

    @property
    def fingerprint(self) -> str:
        """A fingerprint of the settings that shape the rows, for the state."""
        raise NotImplementedError

    def progress(self, context: Context, days: ReportRange) -> Progress:
        """The progress of earlier runs; a warning says what differs from it.

        If the catalog wants the whole range in every run, these days of the progress are outdated.
        """
        found = self._remembered_progress(context)
        self.warn(found, days)
        if self.forced_replication_method == "FULL_TABLE":
            return found.outdated(days.days, days.granularity)
        return found

    def _remembered_progress(self, context: Context) -> Progress:
        return Progress.of(self.remembered.of(context) or {})

    def warn(self, progress: Progress, days: ReportRange) -> None:
        """Warn once that settings have changed, and of days that Pinterest does not have."""
        days_back = (self.clock.today - days.earliest).days
        for setting, first in days.too_early(progress):
            self.run.warn_once(
                f"{setting} is {first}, and Pinterest keeps {days_back} days for {days.kind}: "
                f"there are data from {days.earliest} on."
            )
        if progress.covered_from and progress.settings not in {None, MIXED, self.fingerprint}:
            self.run.warn_once(
                f"{self.name}: columns or other settings have changed since the last run; the days "
                f"from {progress.covered_from} are read again, if Pinterest still has "
                f"them ({days_back} days)."
            )
        if lost := days.out_of_reach(progress, self.fingerprint):
            listed = ", ".join(map(str, lost))
            self.run.warn_once(
                f"{self.name}: {listed} can no longer be read, since Pinterest keeps {days_back} "
                "days; the rows of these days stay as they are, with older settings or numbers."
            )

    def begin_rewriting(self, context: Context, progress: Progress, days: ReportRange) -> None:
        """Note in the state, before the first row, that days get rows with other settings.

        A run that ends early leaves rows with old and with new settings, also if somebody changes
        the settings back before the next run.
        """
        during = days.before_rewriting(progress, self.fingerprint)
        if during != self._remembered_progress(context):
            self.remember(context, during)
            self.write_state()
