"""The command `pinterest-fleet`, which every scheduler calls."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pinterest_fleet import checks, files, observations, runs
from pinterest_fleet.connections import ConnectionsError, read
from pinterest_fleet.databases import DatabaseError
from pinterest_fleet.errors import FAILED, NEEDS_A_PERSON, OK, FleetError, exit_code_of_all
from pinterest_fleet.logs import Log, tell
from pinterest_fleet.runs import Place
from pinterest_fleet.side_by_side import SideBySide

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from pinterest_fleet.connections import Connection, Fleet

FILE = "PINTEREST_FLEET_FILE"
PROJECT = "PINTEREST_FLEET_PROJECT"
ROOT = "PINTEREST_FLEET_ROOT"
FORMATS = ("text", "json", "matrix", "pools")


@dataclass(frozen=True)
class Settings:
    """The options that all commands share."""

    file: Path
    place: Place

    @property
    def fleet(self) -> Fleet:
        """The connections."""
        return read(self.file)


_file = click.Path(dir_okay=False, path_type=Path)
_folder = click.Path(file_okay=False, path_type=Path)
_day = click.DateTime(["%Y-%m-%d"])


_shown = partial(click.option, show_default=True, show_envvar=True)


class _Commands(click.Group):
    """Commands that end with the text and the exit code of an error."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except FleetError as error:
            click.echo(str(error), err=True)
            raise SystemExit(error.exit_code) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            msg = f"{error.filename or context.obj.place.root}: {error.strerror}"
            raise click.ClickException(msg) from None


@click.group(cls=_Commands)
@_shown(
    "--connections",
    "file",
    type=_file,
    envvar=FILE,
    default="connections.yml",
    help="The file of connections.",
)
@_shown("--project", type=_folder, envvar=PROJECT, default=".", help="The folder of meltano.yml.")
@_shown(
    "--root",
    type=_folder,
    envvar=ROOT,
    default=".fleet",
    help="The folder for Meltano's files, renewed tokens and the last result of each connection.",
)
@click.pass_context
def main(context: click.Context, file: Path, project: Path, root: Path) -> None:
    """Load many connections of tap-pinterest, one or several at once.

    Exit codes: 0, all data have arrived; 1, data are missing, and the next run reads them; 78, a
    person has to act, and a retry changes nothing for any connection; 128 plus its number after a
    signal.
    """
    context.obj = Settings(file.absolute(), Place(project.absolute(), root.absolute()))


@main.command()
@click.pass_obj
def check(settings: Settings) -> None:
    """Check the file of connections and the variables of each connection, without any call."""
    fleet = settings.fleet
    if faults := checks.faults(fleet, settings.place, os.environ):
        for fault in faults:
            click.echo(fault, err=True)
        raise SystemExit(exit_code_of_all(fault.exit_code for fault in faults))
    click.echo(f"{len(fleet.connections)} connections, {len(fleet.enabled)} of them enabled: fine")


@main.command("list")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text")
@click.option("--slots", default=4, show_default=True, help="Slots of each pool.")
@click.pass_obj
def list_connections(settings: Settings, form: str, slots: int) -> None:
    """Print the enabled connections: names and schemas, never secrets.

    `json` is for programs, `matrix` for GitHub Actions, `pools` for `airflow pools import`.
    """
    fleet = settings.fleet
    if form == "pools":
        click.echo(json.dumps(_pools(fleet, slots), indent=2))
    elif form == "matrix":
        click.echo(json.dumps({"connection": [each.name for each in fleet.enabled]}))
    elif form == "json":
        facts = [
            {"name": each.name, "schema": each.schema, "credential": each.credential}
            for each in fleet.enabled
        ]
        found = {"connections": facts, "shared_credentials": fleet.shared_credentials}
        click.echo(json.dumps(found))
    else:
        for each in fleet.enabled:
            click.echo(f"{each.name}\t{each.schema}\t{each.credential}")


def _pools(fleet: Fleet, slots: int) -> dict[str, dict[str, object]]:
    """A pool for all connections, and a pool for each credential that connections share.

    Pinterest counts calls by app and user. With more slots for a credential its calls only wait.
    """
    names = {"pinterest": "Connections with a credential of their own"} | {
        f"pinterest_{name}": f"Connections of the credential {name}"
        for name in fleet.shared_credentials
    }
    return {
        name: {"slots": slots, "description": text, "include_deferred": False}
        for name, text in names.items()
    }


@main.command()
@click.pass_obj
def prime(settings: Settings) -> None:
    """Prepare Meltano's database once, before connections start side by side."""
    raise SystemExit(runs.prime(settings.fleet, settings.place))


def _dates(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a backfill."""
    command = click.option("--to", "last", type=_day, help="Last day to read again.")(command)
    return click.option("--from", "first", type=_day, help="First day to read again.")(command)


def _backfill(first: datetime | None, last: datetime | None) -> tuple[date, date] | None:
    if first is None and last is None:
        return None
    if first is None or last is None:
        msg = "--from and --to belong together"
        raise FleetError(msg)
    days = (first.date(), last.date())
    if days[0] > days[1]:
        msg = "--from is later than --to"
        raise FleetError(msg)
    return days


@main.command()
@click.argument("name")
@_dates
@click.option(
    "--log", type=_file, help="File for the log of the run. Default: the standard output."
)
@click.pass_obj
def run(
    settings: Settings, name: str, first: datetime | None, last: datetime | None, log: Path | None
) -> None:
    """Load one connection, unless it is being loaded already."""
    fleet = settings.fleet
    result = runs.run(fleet, fleet.of(name), settings.place, _backfill(first, last), log)
    if result.exit_code == NEEDS_A_PERSON:
        tell(f"{name}: a person has to act; a retry changes nothing")
    raise SystemExit(result.exit_code)


@main.command("run-all")
@click.option("--at-once", default=1, show_default=True, type=click.IntRange(1))
@_dates
@click.pass_obj
def run_all(
    settings: Settings, at_once: int, first: datetime | None, last: datetime | None
) -> None:
    """Load all enabled connections. A connection that fails does not stop the others.

    Each connection writes its log to its own folder below --root. After SIGTERM or Ctrl-C the
    running loads end in order, and no other load starts.
    """
    fleet, place = settings.fleet, settings.place
    days = _backfill(first, last)
    dates = [f"--from={days[0]}", f"--to={days[1]}"] if days else []
    if runs.prime(fleet, place) == NEEDS_A_PERSON:
        raise SystemExit(NEEDS_A_PERSON)
    # Otherwise Meltano's database may be back for the next connection.
    processes = SideBySide()

    def load(connection: Connection) -> int:
        name = connection.name
        log = place.root / "connections" / name / "last_run.log"
        code = processes.run([*_own_command(settings), "run", name, f"--log={log}", *dates])
        if code is None:
            outcome, code = "not started", FAILED
        elif code == NEEDS_A_PERSON and _was_taken_out(settings, name):
            outcome, code = "not loaded: it is not enabled any more", OK
        else:
            outcome = "ok" if code == OK else f"exit code {code}, see {log}"
        lines.write(f"{name}\t{outcome}\n")
        return code

    # An output that cannot be written stops no load.
    with Log() as lines, processes.stoppable(), ThreadPoolExecutor(at_once) as pool:
        codes = list(pool.map(load, fleet.enabled))
        if lines.fault:
            tell(f"the end of this list is lost: {lines.fault}")
    if processes.signal:
        raise SystemExit(128 + processes.signal)
    raise SystemExit(exit_code_of_all(codes))


def _was_taken_out(settings: Settings, name: str) -> bool:
    """Whether a connection was disabled or removed while others were loaded."""
    try:
        return name not in {each.name for each in read(settings.file).enabled}
    except ConnectionsError:
        return False


def _own_command(settings: Settings) -> list[str]:
    place = settings.place
    return [
        *(sys.executable, "-m", "pinterest_fleet"),
        f"--connections={settings.file}",
        f"--project={place.project}",
        f"--root={place.root}",
    ]


@main.command()
@click.option("--database", envvar="PINTEREST_FLEET_DATABASE", help="Address of the PostgreSQL.")
@click.option("--output", type=_file, help="File to replace.")
@click.option("--push", "gateway", help="Address of a push gateway, with its job.")
@click.pass_obj
def metrics(
    settings: Settings, database: str | None, output: Path | None, gateway: str | None
) -> None:
    """Write metrics of each connection: newest complete day, rows, calls, waits, token days.

    The text is OpenMetrics. It goes to a file, to a push gateway, or to the standard output.
    """
    fleet = settings.fleet
    found = list(observations.of_files(fleet, settings.place))
    unanswered = None
    try:
        found += observations.of_tables(fleet, database) if database else ()
    except DatabaseError as error:
        unanswered = error
    text = observations.open_metrics(found)
    if gateway and not gateway.startswith(("http://", "https://")):
        msg = "--push takes an address that begins with http:// or https://"
        raise click.UsageError(msg)
    if output:
        _write(text, output)
    if gateway:
        _push(text, gateway)
    if not output and not gateway:
        click.echo(text, nl=False)
    if unanswered:
        # The metrics of the files have been written.
        raise unanswered


def _write(text: str, output: Path) -> None:
    try:
        files.replace(output, text, 0o644)
    except OSError as error:
        msg = f"{output} cannot be written: {error.strerror}"
        raise click.ClickException(msg) from None


def _push(text: str, gateway: str) -> None:
    try:
        observations.push(text, gateway)
    except OSError as error:
        msg = f"the push gateway does not answer: {error}"
        raise click.ClickException(msg) from None
    except (HTTPException, ValueError):
        # The text of the error may contain a password of the address.
        msg = "--push takes an address of the form http://host:9091/metrics/job/name"
        raise click.UsageError(msg) from None


@main.command("view")
@click.option("--database", envvar="PINTEREST_FLEET_DATABASE", required=True)
@click.option("--schema", default="public", show_default=True, help="Schema of the view.")
@click.pass_obj
def view(settings: Settings, database: str, schema: str) -> None:
    """Make the view pinterest_freshness over the schemas of all connections."""
    missing, refused = observations.make_view(database, settings.fleet.enabled, schema)
    for name in missing:
        click.echo(f"{name}: nothing is loaded yet, so the view leaves it out", err=True)
    if refused:
        raise FleetError("\n".join(f"{each}; the view leaves it out" for each in refused))
