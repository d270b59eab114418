"""The log of a run, without secrets. If it cannot be written, the run goes on."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SENSITIVE = re.compile(r"SECRET|TOKEN|PASS|KEY|CREDENTIAL|URL|URI")
_LOCATION = re.compile(r"_(FILE|PATH)$|^TAP_PINTEREST_API_URL$")
_PASSWORD = re.compile(r"://[^:/@]*:([^@/]+)@|\bpassword=([^&\s]+)")
_SHORTEST_SECRET = 6


class Log:
    """Writes the lines of a run, until a disk is full or the reader of the output has left.

    Attributes:
        fault: Why the last lines are missing; an empty text if no line is missing.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open the log.

        Args:
            path: A file to replace; by default the lines go to the standard output.

        Raises:
            OSError: The file cannot be written.
        """
        self.fault = ""
        self._is_ours = path is not None
        self._file = path.open("w", encoding="utf-8") if path else sys.stdout
        if isinstance(self._file, io.TextIOWrapper):
            # The standard output may have an encoding without some letters of a line.
            self._file.reconfigure(errors="backslashreplace")
        self._secrets: re.Pattern[str] | None = None

    def __enter__(self) -> Self:
        """Use the log in a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the log if it is a file."""
        if self._is_ours:
            self._file.close()

    def hide(self, variables: Mapping[str, str]) -> None:
        """From now on, write `***` for the values of variables that are named like secrets."""
        self._secrets = secrets(variables)

    def write(self, line: str) -> str:
        """Write a line, and return it without secrets."""
        shown = self._secrets.sub("***", line) if self._secrets else line
        if not self.fault:
            try:
                self._file.write(shown)
                self._file.flush()
            except OSError as error:
                self.fault = error.strerror or type(error).__name__
                self._write_to_nowhere()
        return shown

    def _write_to_nowhere(self) -> None:
        """Drop the text in the buffer, so that closing the file does not fail again."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._file.fileno())
        os.close(nowhere)


def tell(text: str) -> None:
    """Print a line about a run to the standard error, even if nobody reads it."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command's output


def secrets(variables: Mapping[str, str]) -> re.Pattern[str] | None:
    """A pattern for the values of variables that are named like secrets."""
    values = {
        line
        for name, value in variables.items()
        if _SENSITIVE.search(name) and not _LOCATION.search(name)
        # A line of the log may be a line of a private key.
        for line in value.splitlines()
        if len(line) >= _SHORTEST_SECRET
    }
    written = {found[1] or found[2] for value in values for found in _PASSWORD.finditer(value)}
    passwords = written | {unquote(each) for each in written}
    hidden = sorted(values | passwords, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, hidden))) if hidden else None
