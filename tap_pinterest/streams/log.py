"""The log of runs: how each stream went, as a stream of its own."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from typing_extensions import override

import tap_pinterest
from tap_pinterest.run.summary import StreamSummary
from tap_pinterest.streams.bases.stream import PinterestStream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_pinterest.run.outcome import Outcome

_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_DAY: dict[str, Any] = {**_TEXT, "format": "date"}
_TIME: dict[str, Any] = {**_TEXT, "format": "date-time"}
_COUNT: dict[str, Any] = {"type": ["integer", "null"]}
_KEY: dict[str, Any] = {"type": ["string"]}
NO_ACCOUNT = "(none)"
"""In the key of a stream that is read for the token alone; some loaders take "" for null."""


class SyncLog(PinterestStream):
    """How a stream went in one run, for one ad account or user, or for the token alone.

    It is written after all other streams, also by a run that fails or is stopped.
    """

    name = "sync_log"
    path = ""
    group = "ads"
    primary_keys = ("run_id", "stream", "account_id")
    is_about_the_run = True
    _outcomes: Sequence[Outcome] = ()

    @override
    def own_schema(self) -> dict[str, Any]:
        properties = {
            **dict.fromkeys(self.natural_keys, _KEY),
            "ad_account_id": _TEXT,
            "user_id": _TEXT,
            "run_started_at": _TIME,
            "started_at": _TIME,
            "ended_at": _TIME,
            "start_date": _DAY,
            "end_date": _DAY,
            "ranges": _TEXT,
            **dict.fromkeys(("rows", "calls", "retries"), _COUNT),
            "seconds_waited": {"type": ["number", "null"]},
            "complete_to": _DAY,
            "result": _TEXT,
            "failed": {"type": ["boolean", "null"]},
            "reason": _TEXT,
            "version": _TEXT,
        }
        made = {name: dict(schema) for name, schema in properties.items()}
        return {"type": "object", "properties": made, "required": list(self.natural_keys)}

    @functools.cached_property
    @override
    def summary(self) -> StreamSummary:
        # The log does not tell of itself.
        return StreamSummary()

    @override  # type: ignore[misc]
    def sync(self, context: Context | None = None) -> None:
        # The SDK calls it between other streams, and there is no log before they have been read.
        """Do nothing."""

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Write a record for each outcome."""
        self._outcomes = outcomes
        super().sync()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], None, None]:
        # The other streams' version ends at a signal, and notes the stream in the state.
        with self._all_written():
            for record in self.arranged(self.get_records(context)):
                try:
                    if write_messages:
                        self._write(record)
                except OSError:
                    # The output is broken, not the record.
                    raise
                except Exception as error:  # noqa: BLE001 - a map may raise anything
                    self._fail_to_write(record, None, error)
                    return
                yield record

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        run, hidden_in = self.run, self.run.client.secrets.hidden_in
        version = tap_pinterest.__version__
        for each in self._outcomes:
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
    """A time as the other streams write it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
