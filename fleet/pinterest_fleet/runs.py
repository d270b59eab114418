"""Runs one connection: `meltano run` in an environment of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinterest_fleet import credentials, files
from pinterest_fleet.errors import FAILED, NEEDS_A_PERSON
from pinterest_fleet.logs import Log, tell
from pinterest_fleet.references import SecretError
from pinterest_fleet.turns import BusyError, running, turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date
    from types import FrameType

    from pinterest_fleet.connections import Connection, Fleet
    from pinterest_fleet.turns import Note, Turn

NOT_OURS = ("AIRFLOW", "DAGSTER", "MELTANO_", "TAP_", "TARGET_", "DBT_", "PYTHON", "VIRTUAL_ENV")
"""Beginnings of variables that a run does not take from its scheduler."""
_LOG_FORMAT = "MELTANO_CLI_LOG_FORMAT"
STOPS = (signal.SIGINT, signal.SIGTERM)
"""Signals that end a run in order."""
_FOR_A_PERSON = re.compile(
    # The tap's errors about a setting, and about a credential that Pinterest refuses.
    "refused; allowed: |tap-pinterest-login"
    # The loaders' errors about their address, their credential and their rights.
    "|No database is named|is not the URL of a database|but this target loads into"
    "|refuses the password|password authentication failed|has no (?:user|database) |demands TLS"
    "|does not let user |TLS certificate of|has an option after its|lacks a permission"
    "|refuses the token|There is no folder|Correct path|may not (?:create|use|make) "
    "|There is no schema|is read-only for user|there is no such setting"
    # The loaders' errors about a table that does not fit its stream.
    "|default_target_schema|bytes, and PostgreSQL keeps|ends in the same way until"
    "|sanitize_null_text_characters|ENCODING 'UTF8'"
    # Meltano's, about a loader or a tap that is not in meltano.yml.
    "|Block .* not found"
)
_ERROR = re.compile(r"""\[error\s*\]|"level": ?"error"|\blevel='error'|^Error: Block """)
"""Marks an error. Warnings do not count: they may also advise a new sign-in."""


@dataclass
class Result:
    """The last run of a connection.

    Attributes:
        connection: The name of the connection.
        started: The start, UTC.
        ended: The end, UTC.
        exit_code: 0, 1 or 78; 128 and more after a signal.
        reason: Why a person has to act; an empty text otherwise.
    """

    connection: str
    started: str
    ended: str = ""
    exit_code: int = FAILED
    reason: str = ""


@dataclass(frozen=True)
class Place:
    """The folders of a fleet.

    Attributes:
        project: The folder of `meltano.yml`.
        root: The folder with a folder for each connection, for Meltano's files and its result.
    """

    project: Path
    root: Path

    def folder(self, connection: Connection) -> Path:
        """The folder of a connection; only this user may read it."""
        folder = self.root / "connections" / connection.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def token_file(self, connection: Connection) -> Path:
        """The file for renewed tokens, one for each credential.

        If Pinterest replaces a refresh token for one connection, the other connections with the
        same credential need the new token too.
        """
        folder = self.root / "tokens"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / f"{connection.credential}.json"

    def running(self, name: str) -> Note | None:
        """The run of a connection that has not ended, or was killed."""
        return running(self.root / "connections" / name)

    def result(self, name: str) -> Result | None:
        """The last run of a connection; `None` before the first one."""
        try:
            text = (self.root / "connections" / name / "last_run.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            kept = json.loads(text)
            # Another version may have kept more.
            known = (each.name for each in fields(Result) if each.name in kept)
            datetime.fromisoformat(kept["ended"])
            return Result(**{name: kept[name] for name in known})
        except (LookupError, TypeError, ValueError):
            tell(f"{name}: its last result cannot be read; the next run replaces it")
            return None

    def keep(self, connection: Connection, result: Result) -> None:
        """Replace the result of a connection in one step."""
        files.replace(self.folder(connection) / "last_run.json", json.dumps(asdict(result)))


def environment(
    fleet: Fleet,
    connection: Connection | None,
    place: Place,
    parent: Mapping[str, str],
    dates: tuple[date, date] | None = None,
) -> dict[str, str]:
    """The variables of a run: from this process, without a scheduler's, and from the connection.

    A run gets its credential only from the connection or from the shared variables.

    Args:
        fleet: All connections.
        connection: The connection to run; `None` for commands on the whole project.
        place: The folders.
        parent: The variables of this process.
        dates: First and last day of a backfill.

    Raises:
        SecretError: Variables cannot be read, contradict the file of connections, or contain no
            credential.
    """
    variables = _of_all(fleet, parent)
    if connection is None:
        return variables
    own = _of_connection(fleet, connection, place)
    if credentials.token_of(own):
        # The tap would take a shared token of another kind once Pinterest refuses this one.
        variables |= dict.fromkeys(credentials.TOKENS, "")
    variables |= own
    if variables.get(_LOG_FORMAT) == "plain":
        # It has no levels, so warnings would look like errors.
        variables[_LOG_FORMAT] = "uncolored"
    return variables | (_backfill(*dates) if dates else {})


def _of_all(fleet: Fleet, parent: Mapping[str, str]) -> dict[str, str]:
    """The variables of all runs, without a credential of the parent."""
    variables = {name: value for name, value in parent.items() if not name.startswith(NOT_OURS)}
    # Colours would hide the errors for a person.
    variables |= {"NO_COLOR": "1", **credentials.NONE, **fleet.shared_variables}
    meltano = Path(_meltano()).parent
    variables["PATH"] = f"{meltano}{os.pathsep}{variables.get('PATH', os.defpath)}"
    return variables


def _of_connection(fleet: Fleet, connection: Connection, place: Place) -> dict[str, str]:
    """The variables of one connection: its own, its schema and its folder.

    Raises:
        SecretError: As in `environment`.
    """
    schema = f"{fleet.loader.upper().replace('-', '_')}_DEFAULT_TARGET_SCHEMA"
    own = connection.secret.variables()
    if own.get(schema, connection.schema) != connection.schema:
        msg = f"{schema} differs from the schema in the file of connections"
        raise SecretError(msg)
    own = {credentials.TOKEN_FILE: str(place.token_file(connection)), **own}
    credentials.require(
        own, fleet.shared_variables, place.project, is_shared=fleet.shares(connection)
    )
    return {
        **own,
        schema: connection.schema,
        # Two runs in one folder would overwrite each other's catalog.
        "MELTANO_SYS_DIR_ROOT": str(place.folder(connection) / "meltano"),
    }


def _backfill(first: date, last: date) -> dict[str, str]:
    days = {"start_date": first.isoformat(), "end_date": last.isoformat()}
    return {"TAP_PINTEREST_BACKFILL": json.dumps(days)}


def run(
    fleet: Fleet,
    connection: Connection,
    place: Place,
    dates: tuple[date, date] | None = None,
    log: Path | None = None,
) -> Result:
    """Load one connection, pass its log on, and keep its result.

    Args:
        fleet: All connections.
        connection: The connection to load.
        place: The folders.
        dates: First and last day to read again.
        log: The file for the log; by default the standard output.
    """
    result = Result(connection.name, started=_now())
    try:
        with turn(place.folder(connection)) as own, Log(log) as lines:
            if own.killed:
                lines.write(f"{connection.name}: {own.killed} was killed; this run completes it\n")
            try:
                variables = environment(fleet, connection, place, os.environ, dates)
            except SecretError as error:
                result.reason = f"its variables cannot be read: {error}"
                result.exit_code = error.exit_code
                lines.write(f"{connection.name}: {result.reason}\n")
            else:
                options = ["--force"] if own.is_forced else []
                options += ["--state-id-suffix", connection.name]
                lines.hide(variables)
                command = [*_command(), "run", *options, "tap-pinterest", fleet.loader]
                start = partial(_started, command, variables, place, own)
                _pass_on(start, lines, result, own)
            result.ended = _now()
            place.keep(connection, result)
    except BusyError as error:
        # The run that has not ended will keep its own result.
        tell(f"{connection.name}: not started: {error}")
    except OSError as error:
        tell(f"{connection.name}: {error.filename or place.root}: {error.strerror}")
        result.exit_code = result.exit_code or FAILED
    return result


def prime(fleet: Fleet, place: Place) -> int:
    """Prepare Meltano's database; otherwise connections that start together would all try to.

    Returns:
        The exit code.

    Raises:
        OSError: The root cannot be written, or Meltano is not there.
    """
    folder = place.root / "project"
    try:
        variables = environment(fleet, None, place, os.environ)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _primed({**variables, "MELTANO_SYS_DIR_ROOT": str(folder)}, place)
    except SecretError as error:
        tell(f"the shared variables cannot be read: {error}")
        return error.exit_code


def _primed(variables: Mapping[str, str], place: Place) -> int:
    done = subprocess.run(  # noqa: S603 - Meltano
        [*_command(), "state", "list"], env=dict(variables), check=False, **_piped(place)
    )
    if done.returncode:
        with Log() as lines:
            lines.hide(variables)
            lines.write(done.stdout)
    return _exit_code(done.returncode, "")


def _command() -> list[str]:
    """Meltano without the project's `.env`, which may have the settings of another client."""
    return [_meltano(), f"--env-file={os.devnull}"]


def _meltano() -> str:
    beside = Path(sys.executable).parent / "meltano"
    return str(beside) if beside.exists() else shutil.which("meltano") or "meltano"


def _piped(place: Place) -> dict[str, Any]:
    """The options of a process whose output we read."""
    return {
        "cwd": place.project,
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "encoding": "utf-8",
        "errors": "replace",
    }


def _started(
    command: Sequence[str], variables: Mapping[str, str], place: Place, own: Turn
) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603 - Meltano
            command,
            env=dict(variables),
            **_piped(place),
            # If only this process is killed, Meltano still holds the lock until it has ended.
            pass_fds=[own.handle],
        )
    except OSError:
        own.cancel()
        raise


def _pass_on(
    start: Callable[[], subprocess.Popen[str]], lines: Log, result: Result, own: Turn
) -> None:
    """Start Meltano, write its lines to the log, and note its end in the result."""
    with _signals_passed_on() as to:
        own.begin(result.started)
        with start() as process:
            to(process)
            for line in process.stdout or ():
                _note(line, lines.write(line), result)
    code = process.returncode
    if lines.fault:
        tell(f"{result.connection}: the end of its log is lost: {lines.fault}")
    if code >= 0:
        own.end(result.started)
    elif -code in STOPS:
        own.stop(_now())
    if code == 0:
        result.reason = ""
    result.exit_code = _exit_code(code, result.reason)


def _exit_code(code: int, reason: str) -> int:
    """The exit code of the run for Meltano's exit code."""
    if code < 0:
        return 128 - code
    if code and reason:
        return NEEDS_A_PERSON
    return code if code >= 128 else min(code, FAILED)  # noqa: PLR2004 - 128 and more: a signal


def _note(line: str, shown: str, result: Result) -> None:
    """Note the reason for a person to act that a line has.

    Args:
        line: The line as Meltano wrote it.
        shown: The line without secrets; only this form is kept.
        result: The result to note it in.
    """
    is_error = _ERROR.search(line)
    if is_error and not result.reason and _FOR_A_PERSON.search(line):
        result.reason = shown.strip()


@contextmanager
def _signals_passed_on() -> Iterator[Callable[[subprocess.Popen[str]], None]]:
    """Pass SIGINT and SIGTERM on, so that the tap stops in order and writes its state.

    Yields:
        A function that names the process. Signals that came before reach it too.
    """
    came: list[int] = []
    processes: list[subprocess.Popen[str]] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if not processes:
            came.append(number)
        for process in processes:
            process.send_signal(number)

    def to(process: subprocess.Popen[str]) -> None:
        # From here on the handler sends new ones itself: a second signal would end a load at once.
        processes.append(process)
        for number in came:
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in STOPS}
    try:
        yield to
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _now() -> str:
    return datetime.now(tz=UTC).isoformat(timespec="seconds")
