"""References to secrets: where the variables of a connection are, never their values."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dotenv import dotenv_values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMAND_SECONDS = 60
PROVIDERS = ("file", "directory", "command", "environment")


class SecretError(Exception):
    """The variables of a connection cannot be read. The text has none of them."""


@dataclass(frozen=True)
class Reference:
    """Where variables are.

    `file:PATH` is an env file. `directory:PATH` has a file for each variable, as Kubernetes mounts
    a Secret. `command:WORDS` prints an env file, as the command lines of most secret stores can.
    `environment:PREFIXES` are the variables of this process that begin with one of the prefixes,
    which commas separate.

    Attributes:
        provider: One of `PROVIDERS`.
        rest: The path, the command or the prefixes.
        folder: Relative paths begin here.
    """

    provider: str
    rest: str
    folder: Path

    def fault(self) -> str:
        """The allowed form, if nothing can be read; an empty text if it can be tried."""
        path = self.folder / self.rest
        if self.provider == "file" and not path.is_file():
            return f"a file that is there; {self.rest} is not"
        if self.provider == "directory" and not path.is_dir():
            return f"a directory that is there; {self.rest} is not"
        if self.provider == "command":
            words = shlex.split(self.rest)
            if not words or not shutil.which(words[0]):
                return "a command on PATH"
        return ""

    def variables(self) -> Mapping[str, str]:
        """Read the variables.

        Raises:
            SecretError: They cannot be read.
        """
        try:
            if self.provider == "environment":
                prefixes = tuple(each.strip() for each in self.rest.split(","))
                found = os.environ.items()
                return {name: value for name, value in found if name.startswith(prefixes)}
            if self.provider == "directory":
                return _of_directory(self.folder / self.rest)
            text = (
                self._printed()
                if self.provider == "command"
                else (self.folder / self.rest).read_text(encoding="utf-8")
            )
        except OSError as error:
            msg = f"{self.provider}: {error.strerror}"
            raise SecretError(msg) from None
        except UnicodeDecodeError:
            msg = f"{self.provider}: not UTF-8"
            raise SecretError(msg) from None
        values = dotenv_values(stream=io.StringIO(text), interpolate=False)
        return {name: value for name, value in values.items() if value is not None}

    def _printed(self) -> str:
        words = shlex.split(self.rest)
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command
                words, capture_output=True, timeout=COMMAND_SECONDS, cwd=self.folder, check=False
            )
        except subprocess.TimeoutExpired:
            msg = f"{words[0]}: no answer within {COMMAND_SECONDS} s"
            raise SecretError(msg) from None
        if done.returncode:
            # What it printed may be a secret.
            msg = f"{words[0]} ended with exit code {done.returncode}"
            raise SecretError(msg)
        return done.stdout.decode()


def _of_directory(path: Path) -> Mapping[str, str]:
    files = [each for each in sorted(path.iterdir()) if each.is_file() and each.name[0] != "."]
    return {each.name: each.read_text(encoding="utf-8").rstrip("\n") for each in files}
