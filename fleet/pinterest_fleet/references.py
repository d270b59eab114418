"""References to secrets: the places of variables, never their values."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

from pinterest_fleet.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMAND_SECONDS = 60
PROVIDERS = ("file", "directory", "command", "environment")


class SecretError(FleetError):
    """The variables of a connection cannot be read. The text contains no value of them."""


@dataclass(frozen=True)
class Reference:
    """The place of variables.

    `file:PATH` is an env file. `directory:PATH` has a file for each variable, as Kubernetes mounts
    a Secret. `command:WORDS` is a command that prints an env file, as most secret stores have.
    `environment:PREFIXES` are the variables of this process that begin with one of the prefixes;
    commas separate the prefixes.

    Attributes:
        provider: One of `PROVIDERS`.
        rest: The path, the command or the prefixes.
        folder: Relative paths begin here.
    """

    provider: str
    rest: str
    folder: Path

    def fault(self) -> str:
        """The allowed form, if the reference cannot be read; otherwise an empty text."""
        path = self.folder / self.rest
        # Unlike those of `Path`, these raise nothing for a folder that may not be entered.
        if self.provider == "file" and not os.path.isfile(path):  # noqa: PTH113
            return f"a file that is there and may be read; {self.rest} is not"
        if self.provider == "directory" and not os.path.isdir(path):  # noqa: PTH112
            return f"a directory that is there and may be read; {self.rest} is not"
        if self.provider == "command":
            try:
                words = shlex.split(self.rest)
            except ValueError:
                return "a command whose quotes are closed"
            # It runs in this folder, so its path begins here too.
            program = self.folder / words[0] if os.sep in words[0] else words[0]
            if not shutil.which(program):
                return "a command on PATH, or a path from the file of connections"
        return ""

    def variables(self) -> Mapping[str, str]:
        """Read the variables.

        Raises:
            SecretError: They cannot be read.
        """
        if fault := self.fault():
            msg = f"it takes {fault}"
            raise SecretError(msg)
        try:
            if self.provider == "environment":
                return _of_environment(self.rest)
            if self.provider == "directory":
                return _of_directory(self.folder / self.rest)
            if self.provider == "command":
                return _parsed(self._printed(), shlex.split(self.rest)[0])
            return _parsed(_text(self.folder / self.rest), self.rest)
        except OSError as error:
            msg = f"{error.filename or self.provider}: {error.strerror}"
            raise SecretError(msg, may_pass=not isinstance(error, PermissionError)) from None

    def _printed(self) -> str:
        words = shlex.split(self.rest)
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command
                words,
                # The input may be the list of names of a loop around us.
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=COMMAND_SECONDS,
                cwd=self.folder,
                check=False,
            )
        except subprocess.TimeoutExpired:
            msg = f"{words[0]}: no answer within {COMMAND_SECONDS} s"
            raise SecretError(msg, may_pass=True) from None
        if done.returncode:
            # Its output is not shown, because it may be a secret.
            msg = f"{words[0]} ended with exit code {done.returncode}"
            raise SecretError(msg, may_pass=True)
        return _decoded(done.stdout, words[0])


def _of_environment(prefixes: str) -> Mapping[str, str]:
    wanted = tuple(each.strip() for each in prefixes.split(",") if each.strip())
    return {name: value for name, value in os.environ.items() if name.startswith(wanted)}


def _of_directory(path: Path) -> Mapping[str, str]:
    files = [each for each in sorted(path.iterdir()) if each.is_file() and each.name[0] != "."]
    return {each.name: _text(each).rstrip("\r\n") for each in files}


def _text(path: Path) -> str:
    return _decoded(path.read_bytes(), path.name)


def _decoded(content: bytes, place: str) -> str:
    """Bytes as text, without the byte order mark that editors on Windows write.

    Raises:
        SecretError: They are no text, or text in UTF-16.
    """
    with suppress(UnicodeDecodeError):
        text = content.decode("utf-8-sig")
        # No variable can contain it.
        if "\0" not in text:
            return text
    msg = f"{place}: not text in UTF-8"
    raise SecretError(msg)


def _parsed(text: str, place: str) -> Mapping[str, str]:
    """The variables of an env file.

    Raises:
        SecretError: A line cannot be read, so that its variable would be missing.
    """
    variables = {}
    for each in parse_stream(io.StringIO(text)):
        if each.error or (each.key and each.value is None):
            whole = each.original.string
            before = whole[: -len(whole.lstrip())].count("\n")
            msg = f"{place}:{each.original.line + before}: not of the form NAME=value"
            raise SecretError(msg)
        if each.key and each.value is not None:
            variables[each.key] = each.value
    return variables
