"""`tap-pinterest-state`: shows the days that were read, and lets the next run read them again."""

from __future__ import annotations

import functools
import logging
import re
import stat
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import click
import msgspec

from tap_pinterest.api.likeness import hint
from tap_pinterest.api.periods import DAY, GRANULARITIES, DateRange, merged
from tap_pinterest.commands import dates
from tap_pinterest.http.token_file import replace_file
from tap_pinterest.singer.coverage import GIVEN_UP
from tap_pinterest.singer.process import checking_output, listen_to_ctrl_c, writing_to_stdout
from tap_pinterest.singer.state import Progress
from tap_pinterest.singer.state_checks import StateError, checked
from tap_pinterest.singer.updates import LAST_ID, UpdatesProgress
from tap_pinterest.streams import STREAM_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_pinterest.api.periods import Granularity

MELTANO_STATE = "dev:tap-pinterest-to-target-postgres"
_logger = logging.getLogger("tap-pinterest")
_ERRORS = re.compile(r"^(?:Error: |.*\[error *\] meltano +)(.*)", re.MULTILINE)


class StateFile(NamedTuple):
    """A file with the state as JSON; if it has several lines, the last one counts."""

    path: Path

    def read(self) -> dict[str, Any]:
        """The state in the file.

        Raises:
            ClickException: The file is missing, or its last line is not a JSON object.
        """
        try:
            text = self.path.read_text("utf-8-sig").strip()
            whole = text if "\n{" not in text else text.splitlines()[-1]
            return msgspec.json.decode(whole, type=dict[str, Any]) if whole else {}
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            message = f"{self.path} cannot be read: {reason}"
            raise click.ClickException(message) from None
        except msgspec.DecodeError as error:
            message = f"{self.path} is no state: {error}"
            raise click.ClickException(message) from None

    def write(self, state: dict[str, Any]) -> None:
        """Replace the file; it stays unchanged if that fails.

        Raises:
            ClickException: The file cannot be written.
        """
        path = self.path.resolve()
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            replace_file(path, msgspec.json.encode(state) + b"\n", mode)
        except OSError as error:
            message = f"{self.path} cannot be written: {error.strerror}"
            raise click.ClickException(message) from None

    def config(self) -> tuple[str, str | None]:
        """The option `--config` of the next run, and its standard input: the environment."""
        return "ENV", None


class MeltanoState(NamedTuple):
    """The state that Meltano keeps for a job, through the command `meltano state`."""

    state_id: str

    def read(self) -> dict[str, Any]:
        """The tap's part of Meltano's state.

        Raises:
            ClickException: Meltano is not installed, fails, or answers with something else.
        """
        answer = self._meltano("state", "get", self.state_id)
        _, brace, text = answer.partition("{")
        try:
            found = msgspec.json.decode(brace + text, type=dict[str, Any]) if brace else {}
        except msgspec.DecodeError as error:
            message = f"meltano state get {self.state_id} answers with no state: {error}"
            raise click.ClickException(message) from None
        state: dict[str, Any] = found.get("singer_state") or {}
        return state

    def write(self, state: dict[str, Any]) -> None:
        """Replace the state of the job in Meltano."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "state.json"
            file.write_bytes(msgspec.json.encode({"singer_state": state}))
            self._meltano("state", "set", "--force", self.state_id, "--input-file", str(file))

    def config(self) -> tuple[str, str]:
        """The option `--config` of the next run, and its standard input: Meltano's config.

        It has secrets, so it goes into no file.

        Raises:
            ClickException: Meltano is not installed, or fails.
        """
        environment, _, job = self.state_id.partition(":")
        tap = job.partition("-to-")[0]
        options = ("--environment", environment, "invoke", "--dump=config")
        return "/dev/stdin", self._meltano(*options, tap)

    def _meltano(self, *arguments: str) -> str:
        command = ["meltano", *arguments]
        try:
            ended = subprocess.run(  # noqa: S603 - Meltano's own command
                command, capture_output=True, text=True, check=False
            )
        except OSError as error:
            reason = f"meltano cannot be started: {error.strerror}"
            message = f"{reason}; for a state file use --state FILE"
            raise click.ClickException(message) from None
        if ended.returncode != 0:
            # Meltano ends with a line about where to ask for help.
            reasons = _ERRORS.findall(ended.stderr) or ended.stderr.strip().splitlines()[-1:]
            message = f"meltano {' '.join(arguments)} failed: {(*reasons, 'it says nothing')[0]}"
            raise click.ClickException(message)
        return ended.stdout


Store: TypeAlias = StateFile | MeltanoState
"""The place that keeps the state between runs."""


class Part(NamedTuple):
    """The state of one stream, or of one of its contexts."""

    stream: str
    context: str
    entry: dict[str, Any]

    @property
    def granularity(self) -> Granularity:
        """The length of the report's periods; a day if neither the state nor the tap knows it."""
        # States of earlier versions do not say it.
        name = self.entry.get("granularity") or _granularities().get(self.stream)
        return GRANULARITIES.get(name or "", DAY)

    @property
    def progress(self) -> Progress:
        """The days that have been read."""
        return Progress.of(self.entry)

    def described(self) -> str:
        """One line: the context, the days, and notes about them."""
        if LAST_ID in self.entry:
            pending = self.entry.get("pending") or ()
            later = f"; {len(pending)} are pending" if pending else ""
            read = f"updates up to {self.entry.get('replication_key_value', 'no day')}"
            return f"  {self.context or 'all'}: {read}{later}"
        known = self.progress.known(self.granularity, 0)
        days = merged(DateRange(each.start, each.end) for each in known)
        texts = [", ".join(map(str, days)) or "no days"]
        newest = known[-1].settings if known else None
        if any(each.settings.endswith(GIVEN_UP) for each in known):
            texts.append("some days are out of reach and keep older settings")
        elif any(each.settings != newest for each in known):
            texts.append("the next run reads some days again")
        if backfilled := self.entry.get("backfilled"):
            texts.append(f"backfill {backfilled} is done")
        return f"  {self.context or 'all'}: {'; '.join(texts)}"


@functools.cache
def _granularities() -> Mapping[str, str]:
    """The granularity of each stream that the tap itself names."""
    return {name: period for each in STREAM_TYPES for name, period in each.possible_names().items()}


def parts_of(state: dict[str, Any]) -> Iterator[Part]:
    """The parts of a state, stream by stream."""
    for stream, of_stream in state.get("bookmarks", {}).items():
        partitions = of_stream.get("partitions", ())
        if not partitions:
            yield Part(stream, "", of_stream)
        for each in partitions:
            yield Part(stream, " ".join(map(str, each["context"].values())), each)


@checking_output
@click.group()
@click.option("--state", "file", type=click.Path(path_type=Path), help="A state file.")
@click.option("--state-id", default=MELTANO_STATE, show_default=True, help="Meltano's state id.")
@click.pass_context
def main(context: click.Context, file: Path | None, state_id: str) -> None:
    """Show the days that were read, and let the next run read them again."""
    listen_to_ctrl_c()
    context.obj = StateFile(file) if file else MeltanoState(state_id)


@checking_output
@main.command()
@click.argument("streams", nargs=-1)
@click.pass_obj
def show(store: Store, streams: Sequence[str]) -> None:
    """Show which days have been read, by stream and ad account or user."""
    parts = [*parts_of(_checked(store))]
    known = {part.stream for part in parts}
    with writing_to_stdout(_logger):
        for stream, of_stream in groupby(parts, attrgetter("stream")):
            if not streams or stream in streams:
                click.echo(stream)
                for part in of_stream:
                    click.echo(part.described())
        for each in streams or known or ("any stream",):
            if each not in known:
                then = f"the next run reads it from start_date on{hint(each, known) or '.'}"
                click.echo(f"The state has nothing of {each}: {then}")


@checking_output
@main.command()
@click.argument("streams", nargs=-1)
@click.option("--account", "accounts", multiple=True, help="Only of this ad account or user.")
@click.option("--from", "first", type=dates.date, help="Only days from this one on: YYYY-MM-DD.")
@click.option("--to", "last", type=dates.date, help="Only days up to this one: YYYY-MM-DD.")
@click.option("--all", "everything", is_flag=True, help="All streams.")
@click.pass_obj
def forget(  # noqa: PLR0913 - one parameter for each option
    store: Store,
    streams: Sequence[str],
    accounts: Sequence[str],
    first: date | None,
    last: date | None,
    *,
    everything: bool,
) -> None:
    """Let the next run read streams, ad accounts or days again."""
    if not (streams or accounts or everything):
        message = "name streams, --account or --all"
        raise click.UsageError(message)
    if first and last and first > last:
        message = f"--from {first} is after --to {last}"
        raise click.UsageError(message)
    state = _checked(store)
    everywhere = [*parts_of(state)]
    parts = [each for each in everywhere if not streams or each.stream in streams]
    parts = [each for each in parts if not accounts or each.context in accounts]
    _refuse_unknown(parts, everywhere, streams, accounts)
    days = "everything from start_date on"
    if first or last:
        days = f"the days from {first or 'the first'} to {last or 'the last'}"
        parts = [each for each in parts if _mark_outdated(each, first, last)]
        if not parts:
            message = f"the state has nothing of {days}; tap-pinterest-state show lists the days"
            raise click.UsageError(message)
    else:
        for part in parts:
            _remove(state, part)
    store.write(state)
    with writing_to_stdout(_logger):
        for stream, count in Counter(part.stream for part in parts).items():
            click.echo(f"{stream}: the next run reads {days} again, for {count} of its contexts.")
        click.echo("tap-pinterest-state plan counts the calls of that run.")


@checking_output
@main.command()
@click.option(
    "--config",
    "configs",
    multiple=True,
    metavar="FILE|ENV",
    help="As the tap's own. Default: the config that Meltano gives the tap; with --state, ENV.",
)
@click.pass_obj
def plan(store: Store, configs: Sequence[str]) -> None:
    """Count the calls of the next run. This lists the ids that the run needs."""
    with tempfile.NamedTemporaryFile("wb") as state:
        state.write(msgspec.json.encode(_checked(store)))
        state.flush()
        command = [sys.executable, "-m", "tap_pinterest.commands.plan", "--state", state.name]
        given = None
        if not configs:
            config, given = store.config()
            configs = (config,)
        for each in configs:
            command += ["--config", each]
        ended = subprocess.run(command, input=given, text=True, check=False)  # noqa: S603 - our own
    raise SystemExit(ended.returncode)


def _checked(store: Store) -> dict[str, Any]:
    try:
        return checked(store.read())
    except StateError as error:
        raise click.ClickException(str(error)) from None


def _refuse_unknown(
    parts: Sequence[Part],
    everywhere: Sequence[Part],
    streams: Sequence[str],
    accounts: Sequence[str],
) -> None:
    """Refuse names that are not in the state, before the state changes.

    Args:
        parts: The parts of these streams and accounts.
        everywhere: All parts of the state.
        streams: Names of streams.
        accounts: Ids of ad accounts or users.
    """
    known = {part.stream for part in everywhere}
    unknown = [each for each in streams if each not in {part.stream for part in parts}]
    hints = [hint(each, known) for each in unknown if each not in known]
    unknown += [each for each in accounts if each not in {part.context for part in parts}]
    if unknown:
        message = f"the state has nothing of {', '.join(unknown)}{''.join(hints)}"
        raise click.UsageError(message)


def _mark_outdated(part: Part, first: date | None, last: date | None) -> bool:
    """Mark days as such that the next run reads again; False if the state has none of them."""
    if LAST_ID in part.entry:
        read = UpdatesProgress.of(part.entry)
        updates = read.back_to(first or date.min)
        updates.write_to(part.entry, part.entry.get("replication_key", "updated_time"))
        return updates != read
    days = DateRange(first or date.min, last or date.max)
    progress = part.progress.outdated(days, part.granularity)
    if progress == part.progress:
        return False
    progress.write_to(part.entry, part.entry.get("replication_key", "date"), part.granularity)
    return True


def _remove(state: dict[str, Any], part: Part) -> None:
    of_stream = state["bookmarks"][part.stream]
    if part.entry is of_stream:
        del state["bookmarks"][part.stream]
        return
    of_stream["partitions"] = [each for each in of_stream["partitions"] if each is not part.entry]
    if not of_stream["partitions"]:
        del state["bookmarks"][part.stream]


if __name__ == "__main__":
    main()
