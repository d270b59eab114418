"""The command `pinterest-fleet`, which every scheduler calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from pinterest_fleet import observations, runs
from pinterest_fleet.connections import ConnectionsError, read
from pinterest_fleet.references import SecretError
from pinterest_fleet.runs import FAILED, NEEDS_A_PERSON, Place

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
        """The connections; faults end the command."""
        try:
            return read(self.file)
        except ConnectionsError as error:
            _refuse(error)

    def connection(self, name: str) -> tuple[Fleet, Connection]:
        """The fleet, and a connection of it."""
        fleet = self.fleet
        try:
            return fleet, fleet.of(name)
        except ConnectionsError as error:
            _refuse(error)


def _refuse(error: ConnectionsError) -> NoReturn:
    for fault in error.faults:
        click.echo(fault, err=True)
    raise SystemExit(NEEDS_A_PERSON)


_folder = click.Path(file_okay=False, path_type=Path)
_day = click.DateTime(["%Y-%m-%d"])


@click.group()
@click.option(
    "--connections",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar=FILE,
    default="connections.yml",
    show_default=True,
    show_envvar=True,
    help="The file of connections.",
)
@click.option(
    "--project",
    type=_folder,
    envvar=PROJECT,
    default=".",
    show_default=True,
    show_envvar=True,
    help="The folder of meltano.yml.",
)
@click.option(
    "--root",
    type=_folder,
    envvar=ROOT,
    default=".fleet",
    show_default=True,
    show_envvar=True,
    help="Where each connection keeps Meltano's files, renewed tokens and its last result.",
)
@click.pass_context
def main(context: click.Context, file: Path, project: Path, root: Path) -> None:
    """Load many connections of tap-pinterest, one or several at once.

    Exit codes: 0, all has arrived; 1, something is missing and the next run reads it; 78, a person
    has to act, and a retry changes nothing; 128 plus its number after a signal.
    """
    context.obj = Settings(file.absolute(), Place(project.absolute(), root.absolute()))


@main.command()
@click.pass_obj
def check(settings: Settings) -> None:
    """Read the file of connections, and the variables of each, without any call."""
    fleet = settings.fleet
    faults = [fault for each in fleet.enabled if (fault := _fault(settings, fleet, each))]
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        raise SystemExit(NEEDS_A_PERSON)
    click.echo(f"{len(fleet.connections)} connections, {len(fleet.enabled)} of them enabled: fine")


def _fault(settings: Settings, fleet: Fleet, connection: Connection) -> str:
    try:
        runs.environment(fleet, connection, settings.place, os.environ)
    except SecretError as error:
        return f"{connection.name}: {error}"
    return ""


@main.command("list")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "matrix", "pools"]), default="text"
)
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
    """One pool for all, and one for each credential that connections share.

    Pinterest counts calls by app and user. More slots for one credential would only wait longer.
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
    try:
        code = runs.prime(settings.fleet, settings.place)
    except SecretError as error:
        click.echo(f"shared variables: {error}", err=True)
        code = NEEDS_A_PERSON
    raise SystemExit(code)


def _dates(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a backfill."""
    command = click.option("--to", "last", type=_day, help="Last day to read again.")(command)
    return click.option("--from", "first", type=_day, help="First day to read again.")(command)


def _backfill(first: datetime | None, last: datetime | None) -> tuple[date, date] | None:
    if first is None and last is None:
        return None
    if first is None or last is None:
        msg = "--from and --to belong together"
        raise click.UsageError(msg)
    days = (first.date(), last.date())
    if days[0] > days[1]:
        msg = "--from is later than --to"
        raise click.UsageError(msg)
    return days


@main.command()
@click.argument("name")
@_dates
@click.pass_obj
def run(settings: Settings, name: str, first: datetime | None, last: datetime | None) -> None:
    """Load one connection."""
    fleet, connection = settings.connection(name)
    result = runs.run(fleet, connection, settings.place, _backfill(first, last))
    if result.reason:
        click.echo(f"{name}: a person has to act; a retry changes nothing", err=True)
    raise SystemExit(result.exit_code)


@main.command("run-all")
@click.option("--at-once", default=1, show_default=True, type=click.IntRange(1))
@_dates
@click.pass_obj
def run_all(
    settings: Settings, at_once: int, first: datetime | None, last: datetime | None
) -> None:
    """Load all enabled connections; one that fails stops no other.

    Each connection writes its log to its own folder below --root.
    """
    fleet, place = settings.fleet, settings.place
    if code := runs.prime(fleet, place):
        raise SystemExit(code)
    days = _backfill(first, last)
    dates = [f"--from={days[0]}", f"--to={days[1]}"] if days else []

    def load(connection: Connection) -> int:
        log = place.folder(connection) / "last_run.log"
        # A process each: it passes signals on to its own run.
        command = [*_own_command(settings), "run", connection.name, *dates]
        with log.open("w", encoding="utf-8") as file:
            code = subprocess.run(command, stdout=file, stderr=file, check=False).returncode  # noqa: S603
        click.echo(f"{connection.name}\t{'ok' if code == 0 else f'exit code {code}, see {log}'}")
        return code

    with ThreadPoolExecutor(at_once) as pool:
        codes = list(pool.map(load, fleet.enabled))
    raise SystemExit(max(codes, default=0) and FAILED)


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
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to replace.")
@click.option("--push", "gateway", help="Address of a push gateway, with its job.")
@click.pass_obj
def metrics(
    settings: Settings, database: str | None, output: Path | None, gateway: str | None
) -> None:
    """Tell the newest complete day, rows, calls, waits and token days of each connection.

    The text is OpenMetrics. It goes to a file, to a push gateway, or to the standard output.
    """
    text = observations.open_metrics(
        observations.samples(settings.fleet, settings.place, _plain(database))
    )
    if gateway and not gateway.startswith(("http://", "https://")):
        msg = "--push takes an address that begins with http:// or https://"
        raise click.UsageError(msg)
    if output:
        observations.write(text, output)
    if gateway:
        try:
            observations.push(text, gateway)
        except OSError as error:
            msg = f"the push gateway does not answer: {error}"
            raise click.ClickException(msg) from None
    if not output and not gateway:
        click.echo(text, nl=False)


@main.command("view")
@click.option("--database", envvar="PINTEREST_FLEET_DATABASE", required=True)
@click.option("--schema", default="public", show_default=True, help="Schema of the view.")
@click.pass_obj
def view(settings: Settings, database: str, schema: str) -> None:
    """Make the view pinterest_freshness over the schemas of all connections."""
    missing = observations.make_view(_plain(database) or "", settings.fleet.enabled, schema)
    for name in missing:
        click.echo(f"{name}: nothing is loaded yet, so the view leaves it out", err=True)


def _plain(database: str | None) -> str | None:
    """The address as psycopg takes it, also if it names SQLAlchemy's driver."""
    return database and database.replace("postgresql+psycopg:", "postgresql:", 1)
