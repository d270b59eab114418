"""Errors of DuckDB in one line, each with the fault and the remedy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from target_postgres_fast.errors import (
    ENDS_AGAIN,
    GOES_ON,
    Advice,
    UnusableError,
    advice,
    first_line,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MOTHERDUCK = ("md:", "motherduck:")
SQLALCHEMY = "duckdb:///"
NO_PATH = (
    "No database is named. Set path (TARGET_DUCKDB_PATH in the environment or in .env) to a file,"
    " such as warehouse.duckdb, or to a database at MotherDuck, such as md:pinterest."
)
IN_MEMORY = (
    "path is :memory:, so all rows are lost when the target ends. Name a file, such as"
    " warehouse.duckdb."
)
OTHER_DATABASE = (
    "path begins with {name}, but this target loads into DuckDB: a file, such as warehouse.duckdb,"
    " or a database at MotherDuck, such as md:pinterest."
)

CONNECTING = (
    Advice(
        r"could not set lock.*held in (?P<holder>.*?\))",
        "{path} is open in another program: {holder}. Close it there; while one program writes,"
        " no other program can open the file.",
    ),
    Advice(
        r"no such file or directory",
        "There is no folder {folder}. Make it, or correct path.",
    ),
    Advice(
        r"permission denied",
        "This user may not write {path}. Give the user the right to write it and the folder"
        " {folder}, or correct path.",
    ),
    Advice(
        r"read-only",
        "{path} is on a file system that is read-only. Correct path.",
    ),
    Advice(
        r"is a directory",
        "{path} is a folder. Name a file in it, such as {path}/warehouse.duckdb.",
    ),
    Advice(
        r"not a valid duckdb database",
        "{path} is a file of another kind, not of DuckDB. Correct path.",
    ),
    Advice(
        r"version number|storage version|newer version",
        "Another version of DuckDB has written {path}: {message}. Install a version that can read"
        " the file.",
    ),
    Advice(
        r"no space left|disk full",
        "The disk with {path} is full. Make room there.",
    ),
    Advice(
        r"extension",
        "DuckDB cannot get its extension for MotherDuck: {message}. This machine must reach"
        " extensions.duckdb.org, and MotherDuck must know this version of DuckDB.",
    ),
    Advice(
        r"authenticat|jwt|token .*(invalid|expired|missing)|(invalid|expired|no) .*token",
        "MotherDuck refuses the token: {message}. Set motherduck_token"
        " (TARGET_DUCKDB_MOTHERDUCK_TOKEN).",
    ),
)
REFUSED = "DuckDB cannot open {path}: {message}."

LOADING = (
    Advice(
        r"no space left|disk full|out of disk|file too large",
        "The disk of the database is full ({message}). Make room there. {goes_on}",
    ),
    Advice(r"out of memory", "DuckDB is out of memory ({message}). {goes_on}"),
    Advice(
        r"read-only",
        "The database is read-only ({message}). Name a database that can be written.",
    ),
)
NO_ROOM = (
    "A batch cannot be written to {file}: {reason}. Make room there, or name another folder for"
    f" temporary files: set TMPDIR. {GOES_ON}"
)
OTHER = "DuckDB refuses the records: {message}. {goes_on}"

_KIND = re.compile(r"^\w+(?: \w+)* Error: ", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][\w+.-]+)://", re.IGNORECASE)
_TOKEN = re.compile(r"(motherduck_token=)[^&\s]+", re.IGNORECASE)


class Address(NamedTuple):
    """The address of a database.

    Attributes:
        path: A file, or a database at MotherDuck.
        token: The token for MotherDuck, if it is not part of the path.
    """

    path: str
    token: str | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Address:
        """The address in the settings.

        Raises:
            UnusableError: They name no database that could be loaded.
        """
        path = str(config.get("path") or "").strip().removeprefix(SQLALCHEMY)
        if not path:
            raise UnusableError(NO_PATH)
        if path.startswith(":memory:"):
            raise UnusableError(IN_MEMORY)
        if scheme := _SCHEME.match(path):
            raise UnusableError(OTHER_DATABASE.format(name=scheme[1]))
        return cls(path, config.get("motherduck_token"))

    @property
    def is_at_motherduck(self) -> bool:
        """Whether it is not a file."""
        return self.path.startswith(MOTHERDUCK)

    @property
    def shown(self) -> str:
        """The address without secrets."""
        return self.path.partition("?")[0] if self.is_at_motherduck else self.path


def connecting(error: Exception, address: Address) -> UnusableError:
    """The error for a database that cannot be opened."""
    found = re.search(CONNECTING[0].pattern, str(error), re.IGNORECASE)
    return UnusableError(
        advice(str(error), CONNECTING, REFUSED).format(
            path=address.shown,
            folder=Path(address.shown).absolute().parent,
            holder=found["holder"] if found else "",
            message=_message(error),
        )
    )


def loading(error: Exception) -> str:
    """The line for an error of DuckDB while records are loaded."""
    lasts = isinstance(error, (duckdb.DataError, duckdb.IntegrityError, duckdb.ProgrammingError))
    text = advice(str(error), LOADING, OTHER)
    goes_on = ENDS_AGAIN if lasts and text is OTHER else GOES_ON
    return text.format(message=_message(error), goes_on=goes_on)


def _message(error: Exception) -> str:
    return first_line(_TOKEN.sub(r"\1...", _KIND.sub("", str(error))))
