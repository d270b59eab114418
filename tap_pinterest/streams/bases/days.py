"""Reports by day, for the days that the state does not cover yet."""

from __future__ import annotations

from singer_sdk.helpers.types import Context

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

    def progress(self, context: Context) -> Progress:
        """The progress of earlier runs; empty if the catalog wants the whole range in every run."""
        if self.forced_replication_method == "FULL_TABLE":
            return Progress()
        return Progress.of(self.remembered.of(context) or {})

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
