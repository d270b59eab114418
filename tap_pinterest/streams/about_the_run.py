"""Streams whose source is the run itself: its log, and the lists that it has read."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, cast

from singer_sdk.helpers.types import Context
from typing_extensions import override

import tap_pinterest
from tap_pinterest.reading.contexts import Token
from tap_pinterest.records.instants import instant_of
from tap_pinterest.run.outcome import Outcome
from tap_pinterest.run.summary import StreamSummary
from tap_pinterest.streams.bases.stream import PinterestStream

NO_ACCOUNT = "(none)"
"""The `account_id` of a stream that is read for the token; some loaders take "" for null."""
_TEXT: Mapping[str, Any] = MappingProxyType({"type": "string"})
_DAY: Mapping[str, Any] = MappingProxyType({**_TEXT, "format": "date"})
_TIME: Mapping[str, Any] = MappingProxyType({**_TEXT, "format": "date-time"})
_COUNT: Mapping[str, Any] = MappingProxyType({"type": "integer"})


class AboutTheRun(PinterestStream):
    """A stream that is written after all others, also by a run that fails or is stopped.

    Attributes:
        columns: The facts of the columns; a key property is a text unless it is named here.
    """

    path = ""
    contexts = Token()
    group = "ads"
    is_about_the_run = True
    columns: ClassVar[Mapping[str, Mapping[str, Any]]]

    @functools.cached_property
    @override
    def facts(self) -> Mapping[str, Any]:
        return {"properties": {**dict.fromkeys(self.natural_keys, _TEXT), **self.columns}}

    @functools.cached_property
    @override
    def summary(self) -> StreamSummary:
        # The summary of the run leaves these rows out.
        return StreamSummary()

    @override  # type: ignore[misc]
    def sync(self, context: Context | None = None) -> None:
        """Do nothing: the SDK calls this between other streams, before they have been read."""

    def write(self) -> None:
        """Write the records."""
        super().sync()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], None, None]:
        # Other streams stop at a signal and have a place in the state; this stream does neither.
        with self._all_written():
            for record in self.arranged(
                cast("Iterable[dict[str, Any]]", self.get_records(context))
            ):
                if write_messages and not self._is_written(record, None):
                    return
                yield record


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
            "ad_account_id": _TEXT,
            "user_id": _TEXT,
            "run_started_at": _TIME,
            "started_at": _TIME,
            "ended_at": _TIME,
            "start_date": _DAY,
            "end_date": _DAY,
            "ranges": _TEXT,
            **dict.fromkeys(("rows", "calls", "retries"), _COUNT),
            "seconds_waited": {"type": "number"},
            "complete_to": _DAY,
            "result": _TEXT,
            "failed": {"type": "boolean"},
            "reason": _TEXT,
            "version": _TEXT,
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


class ListedItems(AboutTheRun):
    """When a list last showed an item."""

    name = "listed_items"
    primary_keys = ("stream", "account_id", "parent_id", "id")
    columns = MappingProxyType({"list_settings": _TEXT, "listed_at": _TIME})

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        return self.run.listed.items()


class CompleteLists(AboutTheRun):
    """A list that a run has read whole, for one ad account or user."""

    name = "complete_lists"
    primary_keys = ("stream", "account_id", "parent_id", "listed_at")
    columns = MappingProxyType(
        {
            "listed_at": _TIME,
            "list_settings": _TEXT,
            "items": _COUNT,
            "ad_account_id": _TEXT,
            "user_id": _TEXT,
        }
    )

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        none = {"ad_account_id": None, "user_id": None}
        return ({**none, **row} for row in self.run.listed.complete)
