"""The log of runs: how each stream went, as a stream of its own."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from typing_extensions import override

import tap_pinterest
from tap_pinterest.records.instants import instant_of
from tap_pinterest.streams.bases.about_the_run import COUNT, DAY, TEXT, TIME, AboutTheRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_pinterest.run.outcome import Outcome

NO_ACCOUNT = "(none)"
"""The `account_id` of a stream that is read for the token; some loaders take "" for null."""


class SyncLog(AboutTheRun):
    """How a stream went in one run, for one ad account or user, or for the token alone.

    Attributes:
        outcomes: How the streams went; empty before they have been read.
    """

    name = "sync_log"
    primary_keys = ("run_id", "stream", "account_id")
    outcomes: Sequence[Outcome] = ()
    columns = MappingProxyType(
        {
            "ad_account_id": TEXT,
            "user_id": TEXT,
            "run_started_at": TIME,
            "started_at": TIME,
            "ended_at": TIME,
            "start_date": DAY,
            "end_date": DAY,
            "ranges": TEXT,
            **dict.fromkeys(("rows", "calls", "retries"), COUNT),
            "seconds_waited": {"type": ["number", "null"]},
            "complete_to": DAY,
            "result": TEXT,
            "failed": {"type": ["boolean", "null"]},
            "reason": TEXT,
            "version": TEXT,
        }
    )

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        run, hidden_in = self.run, self.run.client.secrets.hidden_in
        version = tap_pinterest.__version__
        for each in self.outcomes:
            yield {
                "run_id": run.id,
                "stream": each.stream,
                "account_id": each.ad_account_id or each.user_id or NO_ACCOUNT,
                "ad_account_id": each.ad_account_id,
                "user_id": each.user_id,
                "run_started_at": _text(run.started),
                "started_at": _text(each.started),
                "ended_at": _text(each.ended),
                "start_date": each.ranges[0].start.isoformat() if each.ranges else None,
                "end_date": each.ranges[-1].end.isoformat() if each.ranges else None,
                "ranges": ", ".join(map(str, each.ranges)) or None,
                "rows": each.rows,
                "calls": each.calls,
                "retries": each.retries,
                "seconds_waited": round(each.seconds_waited, 3),
                "complete_to": each.complete_to and each.complete_to.isoformat(),
                "result": each.result,
                "failed": each.has_failed,
                "reason": hidden_in(each.reason) or None,
                "version": version,
            }


def _text(moment: datetime | None) -> str | None:
    return instant_of(moment.timestamp()) if moment else None
