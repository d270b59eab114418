"""The tap: its identity, its streams, and its command line."""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Sequence
from typing import IO, Any, ClassVar, NoReturn, Self

import click
from singer_sdk.cli import plugin_cli
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import _ConfigInput as ConfigInput
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_pinterest import config
from tap_pinterest.api.likeness import hint
from tap_pinterest.clock import Interrupted
from tap_pinterest.config import CONFIG_SCHEMA, Settings
from tap_pinterest.layouts import LAYOUTS
from tap_pinterest.run.outcome import Outcome
from tap_pinterest.run.progress import shown
from tap_pinterest.run.results import write_results
from tap_pinterest.run.run import Run
from tap_pinterest.singer.memory import look_for_garbage_less_often
from tap_pinterest.singer.process import (
    BROKEN_PIPE,
    UnusableFileError,
    catalog_in,
    check_log_level,
    checking_output,
    code_of_output_error,
    leave,
    need_stdout,
    state_in,
    writing_to_stdout,
)
from tap_pinterest.singer.sdk import BrokenOutput, EndOfRun, SingerTap
from tap_pinterest.singer.state_checks import StateError
from tap_pinterest.streams import STREAM_TYPES, listed, needed_scopes
from tap_pinterest.streams.about_the_run import AboutTheRun, CompleteLists, ListedItems, SyncLog
from tap_pinterest.streams.analytics import report_at
from tap_pinterest.streams.bases.stream import PinterestStream

# A list comes after its items: if the output ends in between, items are there without their list.
WRITTEN_LAST: tuple[type[AboutTheRun], ...] = (ListedItems, CompleteLists, SyncLog)
"""The streams about the run, in the order in which they are written."""


class TapPinterest(SingerTap):
    """Singer tap for Pinterest."""

    name = "tap-pinterest"
    package_name = "tap-pinterest"
    # A copy, because the SDK adds its own settings to it.
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(CONFIG_SCHEMA)

    @functools.cached_property
    def run(self) -> Run:
        """The parts that the streams share."""
        return Run(self, Settings.from_config(self.config), self.clock, self.memory)

    @override
    def discover_streams(self) -> Sequence[PinterestStream]:
        """The streams that the config lists.

        Raises:
            ConfigValidationError: The config names streams or columns that do not exist.
        """
        run, faults = self.run, self.run.column_faults()
        if faults:
            raise config.refusal(faults)
        if tables := run.settings.layout.tables.values():
            by_name = {each.name: each for each in STREAM_TYPES}
            streams = [by_name[each.source](run, name=each.name) for each in tables]
        else:
            types = listed(run.settings.stream_groups)
            streams = [stream for each in types for stream in each.variants(run)]
            taken = {name for each in STREAM_TYPES for name in each.possible_names()}
            taken |= {each.name for each in WRITTEN_LAST}
            for each in run.settings.custom_reports:
                if each.name in taken:
                    allowed = "allowed: one that no stream of the tap has"
                    faults.append(f"custom_reports.{each.name}.name: refused; {allowed}")
                else:
                    like = report_at(each.at)
                    streams.append(like(run, each.name, each.granularity, custom=each))
            if run.settings.sync_log:
                streams.append(SyncLog(run))
            if run.settings.removed_items:
                streams += [ListedItems(run), CompleteLists(run)]
        faults += self._sync_key_faults(streams)
        if faults:
            raise config.refusal(faults)
        return streams

    def _sync_key_faults(self, streams: Sequence[PinterestStream]) -> list[str]:
        """Faults of `sync_key_fields`: fields or streams that do not exist."""
        settings = self.run.settings
        known = {*(each.name for each in STREAM_TYPES), *(each.name for each in streams)}
        known |= {each.name for each in settings.custom_reports}
        known.update(*(each.tables for each in LAYOUTS.values()))
        unknown = sorted(settings.sync_key_fields.keys() - known)
        faults = [
            f"sync_key_fields.{name}: there is no such stream{hint(name, known)}"
            for name in unknown
        ]
        return faults + [fault for each in streams for fault in each.sync_key_faults()]

    def _warn_of_the_catalog(self) -> None:
        """Warn about selected streams that the tap does not have."""
        given = self.input_catalog.streams if self.input_catalog else []
        selected = (each.tap_stream_id for each in given if each.metadata.root.selected)
        groups = {name: each.group for each in STREAM_TYPES for name in each.possible_names()}
        if missing := [
            f"{name} (of {groups[name]})" if name in groups else name
            for name in sorted({*selected} - self.streams.keys())
        ]:
            self.run.warn_once(
                f"The catalog selects {', '.join(missing)}, which the config does not list; see "
                "stream_groups, granularities and custom_reports."
            )

    def sync(self) -> int:
        """Sync all selected streams, write the summary, and return the exit code."""
        run = self.run
        for sentence in (
            *config.without_effect(self.config, run.settings),
            *config.refused_windows(run.settings),
        ):
            run.warn_once(sentence)
        run.begin()
        self._warn_of_the_catalog()
        self.state_written_at = self.clock.monotonic()
        outcomes = None
        try:
            code = self._sync()
            outcomes = run.conclude()
            self._end(outcomes)
        except (OSError, BrokenOutput) as broken:
            # Errors of reading do not come here: this is an error of writing a message.
            error = broken.error if isinstance(broken, BrokenOutput) else broken
            code = code_of_output_error(error, self.logger)
            if code == BROKEN_PIPE:
                run.close()
                return code
            run.summary.ended_by = "the output cannot be written"
        write_results(run.summary, outcomes or run.conclude(), run.settings.log_format)
        run.close()
        return code or int(run.summary.failed)

    def _end(self, outcomes: Sequence[Outcome]) -> None:
        """Write the streams about the run, and STATE after them."""
        found = (self.streams.get(kind.name) for kind in WRITTEN_LAST)
        about = [each for each in found if isinstance(each, AboutTheRun) and each.selected]
        for stream in about:
            if isinstance(stream, SyncLog):
                stream.outcomes = outcomes
            stream.write()
        # Many targets forget the state at each record, and keep one that no record follows.
        self.write_last_state()

    def _sync(self) -> int:
        """Read all streams, and write their messages; return the exit code so far."""
        code = 0
        try:
            self.run.check()
            if self.run.settings.access_tier == "trial":
                from tap_pinterest.run.cost import warn_of_trial_calls  # noqa: PLC0415 - seldom needed

                warn_of_trial_calls(self.run)
            with shown(self.run.summary, self.clock):
                self.sync_all()
        except Interrupted:
            code = 128 + (self.clock.interrupted_by or 0)
            self.run.summary.ended_by = "stopped by a signal"
            self.logger.warning("Stopped by a signal; the next run goes on from the state.")
        except EndOfRun as reason:
            code = 1
            self.run.summary.ended_by = str(reason)
            self.logger.error("%s", reason)  # noqa: TRY400 - a traceback would say nothing more
        return code

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
        log_format: str | None = None,
    ) -> None:
        """Run the tap from the command line, and exit with its exit code."""
        if about:
            with writing_to_stdout(cls.logger):
                cls.print_about(about_format)
            return
        if config and log_format:
            config.config["log_format"] = log_format
        tap = cls.from_options(config, state, catalog)
        need_stdout(cls.logger)
        look_for_garbage_less_often()
        leave(tap.sync())

    @classmethod
    def from_options(
        cls, config: ConfigInput | None, state: IO[str] | None, catalog: IO[str] | None
    ) -> Self:
        """The tap for a command line; an unusable file ends the process."""
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
        """The settings of all files and of the environment.

        A fault ends the process with one line for it.
        """
        found = ConfigInput(parse_env="ENV" in value)
        try:
            found.config = config.from_files(value)
            # With `--config=ENV` the environment wins, and the SDK adds it itself.
            if not found.parse_env:
                found.config = cls.with_environment(found.config)
        except ConfigValidationError as error:
            cls._refuse(ctx, error)
        return found

    @classmethod
    def _refuse(cls, ctx: click.Context, error: ConfigValidationError) -> NoReturn:
        """Log the faults of a config, and end."""
        for fault in error.errors:
            cls.logger.error("%s", fault)
        ctx.exit(1)

    @classmethod
    @override
    def cb_discover(
        cls,
        ctx: click.Context,
        param: click.Option,
        value: bool,
    ) -> None:
        """Write the whole catalog."""
        if not value:
            return
        given: ConfigInput = ctx.params["config"]
        try:
            tap = cls(
                config=given.config,
                parse_env_config=given.parse_env,
                validate_config=False,
                setup_mapper=False,
            )
            tap.run_discovery()
        except ConfigValidationError as error:
            cls._refuse(ctx, error)
        ctx.exit()

    @plugin_cli
    def cli(cls) -> click.Command:  # noqa: N805 - a property of the class
        """The command line; its log begins here."""
        check_log_level(cls.name)
        return super().cli

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """The command line, with its own help for `--test`, and with `--log-format`."""
        command = checking_output(super().get_singer_command())
        log_format = cls.config_jsonschema["properties"]["log_format"]
        command.params.append(
            click.Option(
                ["--log-format"],
                type=click.Choice(log_format["enum"]),
                help=f"{log_format['description']} It comes before the setting of that name.",
            )
        )
        for option in command.params:
            if isinstance(option, click.Option) and "--test" in option.opts:
                option.type = click.Choice([each.value for each in CliTestOptionValue])
                option.help = (
                    "Say in words which datasets can be read, with one call for each; exit 1 if a "
                    "required one cannot. --test=schema writes the schemas."
                )
        return command

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Say which datasets can be read; the exit code is 1 if a required one cannot."""
        if value == CliTestOptionValue.All.value:
            leave(cls._test(ctx.params["config"]))
        if value == CliTestOptionValue.Schema.value:
            need_stdout(cls.logger)
        try:
            super().cb_test(ctx, param, value)
        except ConfigValidationError as error:
            cls._refuse(ctx, error)

    @classmethod
    def _test(cls, config: ConfigInput) -> int:
        from tap_pinterest.run.check import Check, asking  # noqa: PLC0415 - seldom needed

        try:
            tap = cls(config=config.config, parse_env_config=config.parse_env, setup_mapper=False)
            tap.run = asking(tap.run)
            tap.setup_mapper()
        except ConfigValidationError as error:
            for fault in error.errors:
                click.echo(f"The config is refused: {fault}")
            return 1
        try:
            groups = tap.run.settings.stream_groups
            return Check(tap.run, needed_scopes(groups)).report(click.echo)
        except Interrupted:
            return 128 + (tap.clock.interrupted_by or 0)
