"""The log of a run: it shows no secret, and a log that cannot be written ends no run."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

_SENSITIVE = re.compile(r"SECRET|TOKEN|PASSWORD|KEY|URL|URI")
_LOCATION = re.compile(r"_(FILE|PATH)$|^TAP_PINTEREST_API_URL$")
_PASSWORD = re.compile(r"://[^:/@]*:([^@/]+)@|\bpassword=([^&\s]+)")
_SHORTEST_SECRET = 6


class Log:
    """Takes the lines of a run, and goes on if a disk is full or a reader has left.

    Attributes:
        fault: Why lines are missing at its end; an empty text if none are.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open it.

        Args:
            path: A file to replace; without one the lines go to the standard output.

        Raises:
            OSError: The file cannot be written.
        """
        self.fault = ""
        self._is_ours = path is not None
        self._file = path.open("w", encoding="utf-8") if path else sys.stdout
        self._secrets: re.Pattern[str] | None = None

    def __enter__(self) -> Self:
        """Close it at the end of the block, if it is a file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        if self._is_ours:
            self._file.close()

    def hide(self, variables: Mapping[str, str]) -> None:
        """Show the values of variables that are named like secrets as `***` from now on."""
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
        """Let the text that is still in the buffer not fail again when the file is closed."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._file.fileno())
        os.close(nowhere)


def tell(text: str) -> None:
    """Print a line about a run to the standard error, if anybody reads it."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command's output


def secrets(variables: Mapping[str, str]) -> re.Pattern[str] | None:
    """The values that a log must not show: those of variables that are named like secrets."""
    values = {
        value
        for name, value in variables.items()
        if _SENSITIVE.search(name) and not _LOCATION.search(name) and len(value) >= _SHORTEST_SECRET
    }
    written = {found[1] or found[2] for value in values for found in _PASSWORD.finditer(value)}
    passwords = written | {unquote(each) for each in written}
    hidden = sorted(values | passwords, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, hidden))) if hidden else None
