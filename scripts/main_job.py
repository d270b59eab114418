"""The main job with its own settings, state and logs, apart from the user's own."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.processes import ROOT, command, end_of, running

if TYPE_CHECKING:
    from collections.abc import Mapping

JOB = ("run", "tap-pinterest")
LOADER = "target-postgres"
STATE_ID = f"dev:tap-pinterest-to-{LOADER}"
INSTALLED = Path(command("meltano")).parent

PREFIXES = ("MELTANO_", "TAP_PINTEREST_", "TARGET_POSTGRES_", "TARGET_DUCKDB_")
"""The beginning of the variables that are the user's own settings."""


class MainJobError(RuntimeError):
    """Meltano ended with a failure; the text has the end of its output."""


class MainJob:
    """`meltano run tap-pinterest` and a loader on this project's `meltano.yml`.

    The job does not use or change the caller's own Meltano settings and state: its settings come
    from an env file in `folder` in place of the project's `.env`, and its state is in a system
    database in `folder`.
    """

    def __init__(  # noqa: PLR0913 - those after `log` have defaults
        self,
        folder: Path,
        settings: Mapping[str, str],
        *,
        log: Path,
        project: Path = ROOT,
        loader: str = LOADER,
        programs: Path = INSTALLED,
    ) -> None:
        """Write the env file.

        Args:
            folder: The folder for settings and state; private, because the settings have secrets.
            settings: Environment variables of tap and target, by name.
            log: File that Meltano's output is added to.
            project: The folder that `meltano.yml` is in.
            loader: The loader of `meltano.yml` that the job runs.
            programs: The folder with Meltano, in which it looks for tap and loader first.
        """
        self._project = project
        self._loader = loader
        self._programs = programs
        self.env_file = folder / "job.env"
        lines = [f"{name}='{value}'\n" for name, value in settings.items()]
        self.env_file.write_text("".join(lines), encoding="utf-8")
        self.log = log
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(PREFIXES)},
            "MELTANO_DATABASE_URI": f"sqlite:///{folder}/meltano.db",
            "MELTANO_ENVIRONMENT": "dev",
            "MELTANO_SYS_DIR_ROOT": str(folder / "meltano"),
            "NO_COLOR": "1",
            "PATH": os.pathsep.join((str(programs), str(INSTALLED), os.environ["PATH"])),
        }

    @property
    def command(self) -> str:
        """The job as a command line."""
        return f"meltano {' '.join(JOB)} {self._loader}"

    def run(self) -> float:
        """Run the job once, from the last state, and return the seconds that it took.

        Raises:
            MainJobError: When Meltano ends with a failure.
        """
        started = time.monotonic()
        with (
            self.log.open("a", encoding="utf-8") as log,
            running(
                *self._arguments(*JOB, self._loader), **self._options(), stdout=log, stderr=log
            ) as process,
        ):
            code = process.wait()
        if code:
            message = f"{end_of(self.log)}\n`{self.command}` ended with exit code {code}"
            raise MainJobError(message)
        return time.monotonic() - started

    def state(self) -> dict[str, Any]:
        """The tap's state after the last run."""
        state: dict[str, Any] = json.loads(
            self.meltano("state", "get", STATE_ID.replace(LOADER, self._loader))
        )
        return state

    def meltano(self, *arguments: str) -> str:
        """Run a Meltano command with the job's settings and return what it printed.

        Raises:
            MainJobError: When Meltano ends with a failure.
        """
        with running(
            *self._arguments(*arguments),
            **self._options(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            output, errors = process.communicate()
        if process.returncode:
            message = f"`meltano {' '.join(arguments)}` failed:\n{errors}"
            raise MainJobError(message)
        return output

    def _arguments(self, *arguments: str) -> list[str]:
        return [str(self._programs / "meltano"), "--env-file", str(self.env_file), *arguments]

    def _options(self) -> dict[str, Any]:
        return {"cwd": self._project, "env": self._environment, "stdin": subprocess.DEVNULL}
