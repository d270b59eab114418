"""The parts that all streams of one run share."""

from __future__ import annotations

import functools
import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import Any, cast

from singer_sdk import Tap
from singer_sdk.exceptions import SingerSDKError, SkippableAPIError
from singer_sdk.helpers.types import Context

from tap_pinterest import config
from tap_pinterest.api.columns import NOT_ASKED, AccountColumns, column
from tap_pinterest.api.naming import context_of, name_of
from tap_pinterest.api.periods import GRANULARITIES, ONE_DAY, SYNCHRONOUS
from tap_pinterest.clock import Clock, Interrupted
from tap_pinterest.config import Settings
from tap_pinterest.http.client import PinterestClient, client_for
from tap_pinterest.http.errors import PART_ERRORS, AwayError, TokenRefusedError
from tap_pinterest.http.rate_limit import RateLimiter
from tap_pinterest.http.tally import Tally
from tap_pinterest.reading.inventory import USER_ACCOUNT, Inventory
from tap_pinterest.reading.read_ahead import ReadAhead
from tap_pinterest.records import display_names
from tap_pinterest.run.access_policy import AccessPolicy
from tap_pinterest.run.calls import calls_by_stream
from tap_pinterest.run.grants import Grants
from tap_pinterest.run.listed import Listed
from tap_pinterest.run.order import RunOrder
from tap_pinterest.run.outcome import Outcome, outcomes
from tap_pinterest.run.ranges import Ranges
from tap_pinterest.run.readiness import Readiness
from tap_pinterest.run.stream import RunStream
from tap_pinterest.run.summary import StreamSummary, Summary
from tap_pinterest.singer import state
from tap_pinterest.singer.memory import give_back_large_blocks
from tap_pinterest.singer.sdk import EndOfRun
from tap_pinterest.singer.state import Progress, contexts_by_stream

_logger = logging.getLogger("tap-pinterest")


class Run:
    """One run of the tap; all its streams share it.

    Attributes:
        sdk_tap: The tap, which has the streams and which the SDK's `Stream` needs.
        memory: The Singer state, at the start of the run and later.
        read_before: Streams and contexts that earlier runs have read, from the state at the start.
        rate_limiter: Keeps all calls of the run within Pinterest's limits.
        read_ahead: Makes requests while earlier answers are written.
        grants: Knows which ad accounts grant asynchronous reports.
        summary: The results of the run so far.
        listed: The items that its lists have shown, and the lists that it has read whole.
    """

    def __init__(
        self,
        sdk_tap: Tap,
        settings: Settings,
        clock: Clock,
        memory: dict[str, Any],
        client_type: type[PinterestClient] = PinterestClient,
    ) -> None:
        self.sdk_tap = sdk_tap
        self.settings = settings
        self.clock = clock
        self.memory = memory
        self.read_before = contexts_by_stream(memory)
        self._client_type = client_type
        self._warned: set[str] = set()
        self.started = datetime.fromtimestamp(clock.now(), tz=UTC)
        self.rate_limiter = RateLimiter(
            settings.access_tier, clock, settings.max_wait_seconds, settings.max_requests_in_flight
        )
        self.read_ahead = ReadAhead(settings.max_requests_in_flight, clock)
        self.grants = Grants(self.read_ahead)
        self.summary = Summary()
        self.listed = Listed()

    @functools.cached_property
    def id(self) -> str:
        """A text that no other run has; later runs have texts that sort after it."""
        return f"{self.started:%Y%m%dT%H%M%SZ}-{os.urandom(4).hex()}"

    @functools.cached_property
    def client(self) -> PinterestClient:
        """Calls to Pinterest, through one connection pool, rate limiter and authenticator."""
        return client_for(self.settings, self.rate_limiter, self.clock, self._client_type)

    @property
    def streams(self) -> Mapping[str, RunStream]:
        """All streams of Pinterest by their names, in the order in which they are read."""
        streams = cast("Mapping[str, RunStream]", self.sdk_tap.streams)
        return {name: each for name, each in streams.items() if not each.is_about_the_run}

    @property
    def selected(self) -> Sequence[RunStream]:
        """The selected streams, in the order in which they are read."""
        return [each for each in self.streams.values() if each.selected]

    @functools.cached_property
    def inventory(self) -> Inventory:
        """Lists that are read once for all streams that need them."""
        selected = self.selected
        return Inventory(
            self.client,
            self.read_ahead,
            self.settings,
            written=[path for each in selected for path in each.written_lists],
            referred={USER_ACCOUNT, *(path for each in selected for path in each.lists)},
        )

    @functools.cached_property
    def order(self) -> RunOrder:
        """The order in which the run reads its streams."""
        return RunOrder(self.selected)

    @functools.cached_property
    def readiness(self) -> Readiness:
        """Finds the last day whose numbers are complete."""
        return Readiness(self.client)

    @property
    def tells_removed(self) -> bool:
        """Whether the run keeps the items of its lists, so that the tables show what is gone."""
        return self.settings.removed_items and not self.settings.layout.tables

    @functools.cached_property
    def token_user(self) -> str | None:
        """The token's own user; `None` if Pinterest does not say. It is asked once."""
        try:
            return self.inventory.owners.user_id(None)
        except PART_ERRORS as error:
            self.warn_once(
                "listed_items lacks the lists of the token's own user, because Pinterest does not "
                f"name this user: {error}"
            )
            return None

    @functools.cached_property
    def access_policy(self) -> AccessPolicy:
        """Decides which errors are failures, and which the run may skip."""
        return AccessPolicy(
            self.streams,
            settings=self.settings,
            summary=self.summary,
            read_before=self.read_before,
            client=self.client,
            owners=self.inventory.owners,
        )

    @functools.cached_property
    def ranges(self) -> Ranges:
        """Finds the days that reports read."""
        return Ranges(self.clock, self.memory, self.streams, self.readiness, self.summary)

    @functools.cached_property
    def column_names(self) -> Mapping[str, str]:
        """Column names as Ads Manager displays the metrics, by the API's lower-case name.

        A name that an earlier run has written stays, even if Pinterest has renamed the metric.

        Raises:
            ConfigValidationError: Pinterest does not answer with the names.
        """
        if config.problems(self.sdk_tap.config):
            self.warn_once("column_names: display needs credentials; these are the API's names.")
            return {}
        try:
            displayed = display_names.displayed_names(self._listed_metrics)
        except (SingerSDKError, EndOfRun) as error:
            fault = f"column_names: Pinterest does not list the names it displays: {error}"
            raise config.refusal([fault]) from error
        names, changed = display_names.kept_names(displayed, state.column_names(self.memory))
        for metric, name in changed.items():
            self.warn_once(
                f"{metric.upper()} would be called {name} now; its column stays {names[metric]}"
            )
        return names

    @functools.cached_property
    def _listed_metrics(self) -> display_names.Listed:
        try:
            return display_names.listed_metrics(self.client)
        except Interrupted:
            # Before a run has begun, nothing else ends it after a signal.
            raise SystemExit(128 + (self.clock.interrupted_by or 0)) from None

    @functools.cached_property
    def account_columns(self) -> AccountColumns:
        """The columns that Pinterest lists for the token.

        They are asked for only with `report_columns: all`, and for columns without a description.

        Raises:
            ConfigValidationError: Pinterest does not answer.
        """
        given, settings = self.sdk_tap.config, self.settings
        chosen = (settings.report_columns, *(each.columns for each in settings.custom_reports))
        matters = "all" in chosen or config.undescribed_columns(given)
        if not matters or config.problems(given):
            return NOT_ASKED
        try:
            return display_names.account_columns(self._listed_metrics)
        except SkippableAPIError as refusal:
            self.warn_once(
                f"report_columns: columns that are newer than this version of the tap are not "
                f"looked up, because Pinterest does not list them: {refusal}"
            )
        except (SingerSDKError, EndOfRun) as error:
            fault = f"report_columns: Pinterest does not list its columns: {error}"
            raise config.refusal([fault]) from error
        return NOT_ASKED

    def column_faults(self) -> list[str]:
        """The faults of columns in the config that neither the tap nor Pinterest has.

        A column that only Pinterest has is read, with a warning.
        """
        faults = []
        for setting, name in config.undescribed_columns(self.sdk_tap.config):
            fault = config.unknown_column(setting, name)
            if fault and name in self.account_columns.all:
                kind = column(name).kind
                self.warn_once(
                    f"{setting}: {name} is newer than this version of the tap; Pinterest lists it, "
                    f"so it is read, as a {'number' if kind == 'metric' else kind}."
                )
            elif fault:
                faults.append(fault)
        return faults

    def offers_reports(self, ad_account_id: str) -> bool:
        """Whether asynchronous reports of an ad account may be tried."""
        if self.client.acts_for_the_app:
            self.warn_of_refused_reports("auth_method client_credentials")
            return False
        return self.grants.refusal(ad_account_id) is None

    def warn_of_refused_reports(self, of: str) -> None:
        """Warn once that synchronous calls replace reports that Pinterest refuses."""
        first = self.clock.today - SYNCHRONOUS.days_back * ONE_DAY
        self.warn_once(
            f"Pinterest refuses asynchronous reports with {of}: the tap makes synchronous calls "
            f"where it can, and these have data from {first} on."
        )

    def warn_once(self, message: str) -> None:
        """Log a warning unless this run has logged it before."""
        if message not in self._warned:
            self._warned.add(message)
            _logger.warning("%s", message)

    def reading(self, stream: str) -> AbstractContextManager[None]:
        """Take note of a stream while it is being read."""
        return self.summary.reading(stream, self.clock)

    def failed(self, stream: str, context: Context | None, error: Exception) -> None:
        """Record an error that ended a context; the run goes on with the next one.

        A refusal is a failure if the config names the part or an earlier run has read it. Other
        refused parts are skipped.

        Raises:
            EndOfRun: There is no token, or Pinterest answers no call: no context can be read.
        """
        if isinstance(error, (TokenRefusedError, AwayError)):
            raise EndOfRun(str(error)) from error
        self.access_policy.judge(stream, context, error)

    def fail_for_unreadable(self, stream: str, unreadable: Mapping[str, Exception]) -> None:
        """Fail a stream for the ad accounts that the config names and the token cannot read.

        Raises:
            EndOfRun: No context can be read.
        """
        for ad_account_id, error in unreadable.items():
            self.failed(stream, {"ad_account_id": ad_account_id}, error)

    def begin(self) -> None:
        """Prepare the summary, and warn of settings that narrow the run."""
        for stream in self.selected:
            self.summary.of(stream.name)
        if self.settings.filters:
            self.warn_once(
                f"{' and '.join(self.settings.filters)} narrow what is read, reports included: "
                "their totals will differ from those of the ad account."
            )
        give_back_large_blocks()

    def check(self) -> None:
        """Check state and token before the first record, and warn about streams without scopes.

        Raises:
            EndOfRun: No stream is selected, the state has a future day, or there is no token.
        """
        if not self.selected:
            # A misspelt rule would otherwise read nothing night after night.
            msg = (
                "No stream is selected, so nothing is read. A rule of select is misspelt, or names "
                "streams that stream_groups leaves out: meltano select tap-pinterest --list --all"
            )
            raise EndOfRun(msg)
        self.ranges.refuse_future_state(lambda: self.inventory.owners.ad_accounts)
        try:
            # This needs a token. In another thread, because a signal does not end the wait for one.
            self.read_ahead.run(self.access_policy.warn_of_missing_scopes)
        except TokenRefusedError as error:
            raise EndOfRun(str(error)) from error

    def conclude(self) -> Sequence[Outcome]:
        """Judge what is missing, and return the outcomes; no stream may be read after this."""
        self.access_policy.fail_for_missing_parts()
        self.summary.seconds_waited = self.rate_limiter.waited
        found: list[Outcome] = []
        read = [self.streams[name] for name in self.summary.streams]
        counted = calls_by_stream(read, self.client.tallies.names)
        for name, part in self.summary.streams.items():
            if self.summary.ended_by:
                for context in self.order.contexts_of(self.streams[name]) or ():
                    part.of(name_of(context))
            self._measure(self.streams[name], part, counted[name])
            found += outcomes(name, part, self.summary.ended_by)
        return found

    def _measure(self, stream: RunStream, part: StreamSummary, names: Iterable[str]) -> None:
        """Note the cost of a stream's calls, and the day up to which it is complete."""
        taken: dict[str, Tally] = defaultdict(Tally)
        for name in names:
            for account, tally in self.client.tallies.by_account(name).items():
                taken[account] += tally
        part.tally = sum(taken.values(), Tally())
        for context, each in part.parts.items():
            each.tally = taken.pop(self._ad_account_of(context), Tally())
            each.complete_to = self._complete_to(stream, context)
        part.add(sum(taken.values(), Tally()))

    def _ad_account_of(self, context: str) -> str:
        """The ad account that the calls of a context name; empty for none."""
        named = context_of(context) or {}
        if "user_id" not in named:
            return context
        known = self.inventory.owners.users if self.inventory.owners.knows_users else {}
        return known.get(named["user_id"]) or ""

    def _complete_to(self, stream: RunStream, context: str) -> date | None:
        """The last day of complete numbers in the state."""
        named = context_of(context)
        of_stream = self.memory.get("bookmarks", {}).get(stream.name)
        found = stream.remembered.of(named) if named else of_stream
        bookmark = Progress.of(found or {}).bookmark
        return bookmark and GRANULARITIES[stream.period].last_day(bookmark)

    def close(self) -> None:
        """End the run's threads, drop its kept pages, and close its connections."""
        self.clock.end()
        self.read_ahead.close()
        self.client.authenticator.finish()
        self.inventory.close()
        self.listed.close()
        self.client.close()
