"""The tap: its identity, what one run shares, and how a run ends."""

from __future__ import annotations

import copy
import functools
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, ClassVar, Self, cast

import click
from singer_sdk.exceptions import (
    ConfigValidationError,
    FatalAPIError,
    RetriableAPIError,
    SingerSDKError,
    SkippableAPIError,
)
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_pinterest import config
from tap_pinterest.api.columns import offered_columns
from tap_pinterest.api.periods import ONE_DAY, SYNCHRONOUS, DateRange
from tap_pinterest.clock import Interrupted
from tap_pinterest.config import CONFIG_SCHEMA, Settings
from tap_pinterest.http.client import client_for
from tap_pinterest.http.errors import AwayError, TokenRefusedError
from tap_pinterest.http.rate_limit import RateLimiter
from tap_pinterest.reading.inventory import USER_ACCOUNT, Inventory
from tap_pinterest.reading.read_ahead import ReadAhead
from tap_pinterest.records import display_names
from tap_pinterest.records.daasity import TABLES
from tap_pinterest.run.access_policy import AccessPolicy
from tap_pinterest.run.grants import Grants
from tap_pinterest.run.order import RunOrder
from tap_pinterest.run.progress import shown
from tap_pinterest.run.readiness import Readiness
from tap_pinterest.run.summary import Summary
from tap_pinterest.singer import state
from tap_pinterest.singer.memory import give_back_large_blocks, look_for_garbage_less_often
from tap_pinterest.singer.process import (
    BROKEN_PIPE,
    UnusableFileError,
    catalog_in,
    code_of_output_error,
    leave,
    state_in,
    writing_to_stdout,
)
from tap_pinterest.singer.sdk import BrokenOutput, EndOfRun, SingerTap
from tap_pinterest.singer.state import ReadBefore, ReportRange, StateError, refuse_future
from tap_pinterest.streams import STREAM_TYPES
from tap_pinterest.streams.analytics import BY_LEVEL
from tap_pinterest.streams.bases.dataset import DatasetStream
from tap_pinterest.streams.bases.level_stream import RESERVED_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date

    from singer_sdk.helpers.types import Context
    from singer_sdk.plugin_base import _ConfigInput as ConfigInput

    from tap_pinterest.api.periods import Granularity
    from tap_pinterest.http.client import PinterestClient
    from tap_pinterest.streams.bases.stream import PinterestStream


class TapPinterest(SingerTap):
    """Singer tap for Pinterest."""

    name = "tap-pinterest"
    package_name = "tap-pinterest"
    # A copy, because the SDK adds its own settings to it.
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(CONFIG_SCHEMA)

    _days_are_checked = False
    """Whether no day in the state is one that has yet to come."""

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings in force."""
        return Settings.from_config(self.config)

    @override
    def load_state(self, state_dict: dict[str, Any]) -> None:
        super().load_state(state_dict)
        self._read_before = ReadBefore.of(self.memory)

    @override
    def discover_streams(self) -> Sequence[PinterestStream]:
        """The streams that the config lists.

        Raises:
            ConfigValidationError: It names streams or columns as it cannot.
        """
        groups, faults = self.settings.stream_groups, []
        if self.settings.layout == "daasity":
            by_name = {each.name: each for each in STREAM_TYPES}
            streams = [by_name[each.source](self, name=each.name) for each in TABLES.values()]
        else:
            types = [each for each in STREAM_TYPES if {each.group, "all"} & {*groups}]
            streams = [stream for each in types for stream in each.variants(self)]
            taken = {name for each in STREAM_TYPES for name in each.possible_names()}
            for each in self.settings.custom_reports:
                if each.name in taken:
                    allowed = "allowed: one that no stream of the tap has"
                    faults.append(f"custom_reports.{each.name}.name: refused; {allowed}")
                else:
                    level = BY_LEVEL[each.level]
                    streams.append(level(self, each.name, each.granularity, custom=each))
        faults += self._sync_key_faults(streams)
        if faults:
            raise config.refusal(faults)
        return streams

    def _sync_key_faults(self, streams: Sequence[PinterestStream]) -> list[str]:
        """Fields of `__sync_key` that are not there, or of streams that do not exist."""
        known = {*TABLES, *(each.name for each in STREAM_TYPES), *(each.name for each in streams)}
        known |= {each.name for each in self.settings.custom_reports}
        unknown = sorted(self.settings.sync_key_fields.keys() - known)
        faults = [f"sync_key_fields.{name}: there is no such stream" for name in unknown]
        return faults + [fault for each in streams for fault in each.sync_key_faults()]

    @functools.cached_property
    def client(self) -> PinterestClient:
        """Calls to Pinterest, through one connection pool, rate limiter and authenticator."""
        return client_for(self.settings, self.rate_limiter, self.clock)

    @functools.cached_property
    def rate_limiter(self) -> RateLimiter:
        """Keeps all calls of the run within Pinterest's limits."""
        settings = self.settings
        return RateLimiter(
            settings.access_tier,
            self.clock,
            settings.max_wait_seconds,
            settings.max_requests_in_flight,
        )

    @functools.cached_property
    def read_ahead(self) -> ReadAhead:
        """Requests under way while earlier answers are written."""
        return ReadAhead(self.settings.max_requests_in_flight, self.clock)

    @functools.cached_property
    def inventory(self) -> Inventory:
        """Lists that are read once, whichever streams need them."""
        datasets = [each for each in self._selected if isinstance(each, DatasetStream)]
        return Inventory(
            self.client,
            self.read_ahead,
            self.settings,
            written=[each.path for each in datasets],
            referred={USER_ACCOUNT, *(path for each in self._selected for path in each.lists)},
        )

    @property
    def _selected(self) -> list[PinterestStream]:
        """The selected streams, in the order of the run."""
        streams = cast("Iterable[PinterestStream]", self.streams.values())
        return [each for each in streams if each.selected]

    @functools.cached_property
    def order(self) -> RunOrder:
        """What is read after what."""
        return RunOrder(self._selected)

    @functools.cached_property
    def column_names(self) -> Mapping[str, str]:
        """Columns of the metrics as Ads Manager displays them, by the API's lower-case name.

        A name that an earlier run has written stays, whatever Pinterest calls the metric now.

        Raises:
            ConfigValidationError: Pinterest does not tell.
        """
        if config.problems(self.config):
            self.warn_once("column_names: display needs credentials; these are the API's names.")
            return {}
        try:
            displayed = display_names.displayed_names(self.client)
        except (SingerSDKError, TokenRefusedError, EndOfRun) as error:
            fault = f"column_names: Pinterest does not tell the names it displays: {error}"
            raise config.refusal([fault]) from error
        except Interrupted:
            # Before a run has begun there is nobody else to end it.
            raise SystemExit(128 + (self.clock.interrupted_by or 0)) from None
        for name in RESERVED_COLUMNS:
            displayed.pop(name, None)
        kept = state.column_names(self.memory)
        reserved = {*RESERVED_COLUMNS, *(name.lower() for name in offered_columns(newer=True))}
        names = display_names.column_names(displayed, kept, reserved)
        for metric, name in display_names.column_names(displayed, {}, reserved).items():
            if name != names[metric]:
                self.warn_once(
                    f"{metric.upper()} would be called {name} now; its column stays {names[metric]}"
                )
        return names

    @functools.cached_property
    def readiness(self) -> Readiness:
        """Up to which day numbers are complete."""
        return Readiness(self.client)

    def report_range(  # noqa: PLR0913 - what reports differ in, named one by one
        self,
        stream: PinterestStream,
        *,
        days_back: int,
        lookback_days: int,
        granularity: Granularity = "DAY",
        what: str = "these reports",
        tells_status: bool = False,
    ) -> ReportRange:
        """The days that a report wants, with today as Pinterest has it.

        Args:
            stream: The report.
            days_back: How many days before today Pinterest reaches.
            lookback_days: Days to read again before the bookmark.
            granularity: How long its periods are.
            what: What Pinterest reaches so far back for, in words.
            tells_status: Whether its own answers say which days are final.
        """
        self._check_days_of_state()
        settings = stream.settings
        today = self.clock.today
        earliest = today - days_back * ONE_DAY
        start = settings.start_date.resolve(today=today, earliest=earliest)
        end = min(settings.end_date.resolve(today=today, earliest=earliest), today)
        self._warn_of_reach("start_date", start, earliest, stream, what)
        backfill = None
        if settings.backfill:
            first, last = (day.resolve(today=today, earliest=earliest) for day in settings.backfill)
            self._warn_of_reach("backfill.start_date", first, earliest, stream, what)
            backfill = DateRange(first, last)
        over = min(end, today - ONE_DAY)
        return ReportRange(
            wanted=DateRange(max(start, earliest), end),
            earliest=earliest,
            lookback_days=lookback_days,
            complete_to=over if tells_status else self._complete_to(over, stream),
            backfill=backfill
            and DateRange(max(backfill.start, earliest), min(backfill.end, today)),
            backfill_name=f"{backfill.start}/{backfill.end}" if backfill else None,
            granularity=granularity,
        )

    def _complete_to(self, last: date, stream: PinterestStream) -> date | None:
        """The newest complete day; `None` where Pinterest gives no answer, which is a failure.

        The rows are read nevertheless, and the next run reads their days again.
        """
        try:
            return self.readiness.complete_to(last, self.clock.today)
        except (AwayError, TokenRefusedError):
            raise
        except (FatalAPIError, RetriableAPIError) as error:
            why = f"{error}; rows are written, and no day is remembered as complete"
            self.summary.of(stream.name).failures[""] = why
            return None

    def _warn_of_reach(
        self, setting: str, start: date, earliest: date, stream: PinterestStream, what: str
    ) -> None:
        if start < earliest and stream.name not in self.memory.get("bookmarks", {}):
            days_back = (self.clock.today - earliest).days
            self.warn_once(
                f"{setting} is {start}, and Pinterest keeps {days_back} days for {what}: there are "
                f"data from {earliest} on."
            )

    @functools.cached_property
    def grants(self) -> Grants:
        """Which ad accounts grant asynchronous reports."""
        return Grants(self.read_ahead)

    def offers_reports(self, ad_account_id: str) -> bool:
        """Whether asynchronous reports of an ad account may be tried."""
        if self.client.acts_for_the_app:
            self.say_reports_are_refused("auth_method client_credentials")
            return False
        return self.grants.refusal(ad_account_id) is None

    def say_reports_are_refused(self, of: str) -> None:
        """Warn once that what could be a report is read by calls."""
        first = self.clock.today - SYNCHRONOUS.days_back * ONE_DAY
        self.warn_once(
            f"Pinterest refuses asynchronous reports with {of}: what has another way is read "
            f"synchronously, and has data from {first} on."
        )

    def _warn_of_the_catalog(self) -> None:
        """Say what it selects in vain."""
        given = self.input_catalog.streams if self.input_catalog else []
        selected = (each.tap_stream_id for each in given if each.metadata.root.selected)
        if missing := sorted({*selected} - self.streams.keys()):
            self.warn_once(
                f"The catalog selects {', '.join(missing)}, which the config does not list; see "
                "stream_groups, granularities and custom_reports."
            )
        if not self.summary.streams:
            self.warn_once("No stream is selected: there is nothing to read.")

    def _warn_of_filters(self) -> None:
        if self.settings.filters:
            self.warn_once(
                f"{' and '.join(self.settings.filters)} narrow what is read, reports included: "
                "their totals will differ from those of the ad account."
            )

    @functools.cached_property
    def summary(self) -> Summary:
        """What the run has to tell."""
        return Summary()

    @override
    def reading(self, stream: str) -> AbstractContextManager[None]:
        return self.summary.reading(stream, self.clock)

    @functools.cached_property
    def _warned(self) -> set[str]:
        return set()

    def warn_once(self, message: str) -> None:
        """Log a warning unless this run has logged it before."""
        if message not in self._warned:
            self._warned.add(message)
            self.logger.warning("%s", message)

    @override
    def failed(self, stream: str, context: Context | None, error: Exception) -> None:
        """Take note of an error that ended a context; the run goes on with the next one.

        What may not be read is skipped if nobody asked for it. What the config names, or an
        earlier run has read, must arrive: then it is a failure like any other.

        Raises:
            EndOfRun: Without a token, or without an answer to anything, no other context can be
                read either.
        """
        if isinstance(error, (TokenRefusedError, AwayError)):
            raise EndOfRun(str(error)) from error
        self.access_policy.judge(stream, context, error)

    @functools.cached_property
    def access_policy(self) -> AccessPolicy:
        """What may be skipped, and what must arrive."""
        return AccessPolicy(
            cast("Mapping[str, PinterestStream]", self.streams),
            settings=self.settings,
            summary=self.summary,
            read_before=self._read_before,
            client=self.client,
            inventory=self.inventory,
        )

    def run(self) -> int:
        """Sync all selected streams, tell what happened, and return the exit code."""
        for stream in self.streams.values():
            if stream.selected:
                self.summary.of(stream.name)
        if self.input_catalog:
            # The streams, which the state has a say in, have completed it.
            self.setup_mapper()
        self._warn_of_the_catalog()
        self._warn_of_filters()
        give_back_large_blocks()
        self.state_written_at = self.clock.monotonic()
        try:
            code = self._sync()
        except (OSError, BrokenOutput) as broken:
            # Whatever reading can raise has been noted: this came from writing a message.
            error = broken.error if isinstance(broken, BrokenOutput) else broken
            code = code_of_output_error(error, self.logger)
            if code == BROKEN_PIPE:
                self.close()
                return code
        self.summary.is_cut_short = code != 0
        self.end()
        self.close()
        return code or int(self.summary.failed)

    def _sync(self) -> int:
        """Write everything there is to write, STATE last; the exit code so far."""
        code = 0
        try:
            self._refuse_state_of_the_future()
            self._tell_missing_scopes()
            self._tell_what_is_too_much()
            with shown(self.summary, self.clock):
                self.sync_all()
        except Interrupted:
            code = 128 + (self.clock.interrupted_by or 0)
            self.logger.warning("Stopped by a signal; the next run goes on from the state.")
        except EndOfRun as reason:
            code = 1
            self.logger.error("%s", reason)  # noqa: TRY400 - a traceback would say nothing more
        self.write_state()
        return code

    def end(self) -> None:
        """Complete the summary, and tell it."""
        self.access_policy.refuse_what_is_missing()
        for name, part in self.summary.streams.items():
            path = cast("PinterestStream", self.streams[name]).path
            part.calls = self.client.calls.get(name, self.client.calls.get(path, 0))
            part.retries = self.client.retries.get(name, self.client.retries.get(path, 0))
            waited = self.client.waited
            part.seconds_waited = waited.get(name, waited.get(path, 0.0))
        self.summary.seconds_waited = self.rate_limiter.waited
        self.summary.tell()

    def close(self) -> None:
        """Give back what the run held: threads, kept pages, connections."""
        self.clock.end()
        self.read_ahead.close()
        if self.client.authenticator:
            self.client.authenticator.finish()
        self.inventory.close()
        self.client.close()

    def _refuse_state_of_the_future(self) -> None:
        """Before anything is written, if this machine's clock gives reason to.

        Its clock may be wrong: only Pinterest's counts.
        """
        dated = [name for name, each in self.streams.items() if each.replication_key]
        try:
            refuse_future(self.memory, dated, datetime.now(tz=UTC).date())
        except StateError:
            with suppress(FatalAPIError, RetriableAPIError, SkippableAPIError):
                _ = self.inventory.ad_accounts
            self._check_days_of_state()

    def _check_days_of_state(self) -> None:
        """Refuse days to come, once: what the run itself adds is of days that Pinterest has seen.

        Raises:
            EndOfRun: The state has such a day.
        """
        if self._days_are_checked:
            return
        dated = [name for name, each in self.streams.items() if each.replication_key]
        try:
            refuse_future(self.memory, dated, self.clock.today)
        except StateError as error:
            raise EndOfRun(str(error)) from None
        self._days_are_checked = True

    def _tell_what_is_too_much(self) -> None:
        """A warning if an app with trial access has fewer calls a day than the run needs."""
        if self.settings.access_tier != "trial":
            return
        from tap_pinterest.run.cost import TRIAL_CALLS, plan  # noqa: PLC0415 - not in each run

        planned = plan(self)
        if planned.total > TRIAL_CALLS:
            self.logger.warning(
                "This run needs about %s calls, and trial access has %s a day: %s. Read fewer ad "
                "accounts, streams or days, or ask Pinterest for standard access.",
                f"{planned.total:,}",
                f"{TRIAL_CALLS:,}",
                ", ".join(
                    f"{each.stream} {each.calls.total():,}"
                    for each in planned.streams
                    if each.calls
                ),
            )

    def _tell_missing_scopes(self) -> None:
        """One warning for all streams that the token's scopes do not reach."""
        selected = [each for each in self.streams.values() if each.selected]
        if not selected:
            return
        missing = self.access_policy.missing_scopes
        try:
            # It takes a token to tell, and a signal does not end the wait for one.
            lacking = self.read_ahead.run(
                lambda: {each.name: missing(each.name) for each in selected}
            )
        except TokenRefusedError as error:
            raise EndOfRun(str(error)) from error
        if told := [f"{name} ({', '.join(scopes)})" for name, scopes in lacking.items() if scopes]:
            self.logger.warning("The token lacks scopes; not to be read: %s", "; ".join(told))

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: ConfigInput | None = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Run the tap from the command line, and end with the exit code that says how it went."""
        if about:
            with writing_to_stdout(cls.logger):
                cls.print_about(about_format)
            return
        tap = cls.from_options(config, state, catalog)
        if sys.stdout is None:
            cls.logger.error("There is no standard output to write to.")
            leave(1)
        look_for_garbage_less_often()
        leave(tap.run())

    @classmethod
    def from_options(
        cls, config: ConfigInput | None, state: IO[str] | None, catalog: IO[str] | None
    ) -> Self:
        """The tap that a command line asks for; a file that is unusable ends the process."""
        try:
            return cls(
                config=config.config if config else {},
                state=state_in(state),
                catalog=catalog_in(catalog),
                parse_env_config=bool(config and config.parse_env),
            )
        except (StateError, UnusableFileError) as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - a traceback would say nothing more
            sys.exit(1)

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> ConfigInput:
        """The config of all files together; one that is no JSON object ends the run in one line."""
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, RecursionError, TypeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not a JSON object"
            if isinstance(error, FileNotFoundError):
                reason = "there is no such file"
            cls.logger.error("The config cannot be read: %s", reason)  # noqa: TRY400
            ctx.exit(1)

    @classmethod
    @override
    def cb_discover(
        cls,
        ctx: click.Context,
        param: click.Option,
        value: bool,
    ) -> None:
        """Write the catalog, whole."""
        with writing_to_stdout(cls.logger):
            super().cb_discover(ctx, param, value)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """The command line, whose `--test` does more than the SDK's help says."""
        command = super().get_singer_command()
        for option in command.params:
            if isinstance(option, click.Option) and "--test" in option.opts:
                option.help = (
                    "Say in words what can be read, for one call a dataset; exit 1 if something "
                    "that must arrive cannot. --test=schema writes the schemas."
                )
        return command

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Say which datasets can be read; the exit code is 1 if one that must arrive cannot."""
        if value != CliTestOptionValue.All.value:
            super().cb_test(ctx, param, value)
            return
        from tap_pinterest.commands.check import AskingTap  # noqa: PLC0415 - which is a tap itself

        config: ConfigInput = ctx.params["config"]
        try:
            tap = AskingTap(config=config.config, parse_env_config=config.parse_env)
        except ConfigValidationError as error:
            for fault in error.errors:
                click.echo(f"The config is refused: {fault}")
            leave(1)
        try:
            code = tap.tell(click.echo)
        except Interrupted:
            code = 128 + (tap.clock.interrupted_by or 0)
        leave(code)
