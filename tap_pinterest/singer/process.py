"""What a command line deals with: files that may hold anything, and an output that may be gone."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, NoReturn

import msgspec
from singer_sdk.singerlib import Catalog

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

BROKEN_PIPE = 128 + getattr(signal, "SIGPIPE", 13)


class UnusableFileError(Exception):
    """A file of the command line cannot be used: which one, and what is wrong with it."""


def state_in(file: IO[str] | None) -> dict[str, Any] | None:
    """The state that a file holds; an empty one is none.

    Raises:
        UnusableFileError: It is not JSON.
    """
    return _json_in(file, "state")


def catalog_in(file: IO[str] | None) -> Catalog | None:
    """The catalog that a file holds; an empty one is none.

    Raises:
        UnusableFileError: It is no catalog.
    """
    found = _json_in(file, "catalog")
    if found is None:
        return None
    try:
        return Catalog.from_dict(_with_forced_methods(found))
    except Exception as error:  # noqa: BLE001 - the SDK takes it apart without having checked it
        reason = f"{type(error).__name__}: {error}"
        raise _unusable("catalog", reason) from None  # noqa: EM101 - no message


def _with_forced_methods(catalog: dict[str, Any]) -> dict[str, Any]:
    """The catalog, with the replication methods where the SDK looks for them first.

    Meltano's metadata rule `replication-method` sets a word of the metadata, and leaves the method
    that discovery has written beside it.
    """
    for entry in catalog["streams"]:
        for item in entry.get("metadata", ()):
            words = item.get("metadata", {})
            wanted = words.get("replication-method") or words.get("forced-replication-method")
            if wanted and not item.get("breadcrumb"):
                entry["replication_method"] = wanted
    return catalog


def _json_in(file: IO[str] | None, what: str) -> dict[str, Any] | None:
    try:
        text = file.read().lstrip("\ufeff").strip() if file else ""
        return msgspec.json.decode(text, type=dict[str, Any]) if text else None
    except UnicodeDecodeError:
        raise _unusable(what, "it is not UTF-8") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unusable(what, str(error)) from None


def _unusable(what: str, reason: str) -> UnusableFileError:
    return UnusableFileError(
        f"The {what} file is malformed: {reason}. Restore it from a copy, or leave it out."
    )


@contextmanager
def writing_to_stdout(logger: logging.Logger) -> Iterator[None]:
    """What the block prints is written whole; if it cannot be, that is one line and the end."""
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        leave(code_of_output_error(error, logger))


def code_of_output_error(error: OSError, logger: logging.Logger) -> int:
    """The exit code of a run whose output is broken; a reader that is gone needs no message."""
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE
    logger.error("The output cannot be written: %s", error.strerror)
    return 1


def is_watched() -> bool:
    """Whether somebody sees what goes to stderr."""
    # A process that was started without one has none.
    return sys.stderr is not None and sys.stderr.isatty()


def leave(code: int) -> NoReturn:
    """End the process without waiting for requests that are under way for nobody."""
    for stream in (sys.stdout, sys.stderr):
        # What cannot be written has been told.
        with suppress(OSError, AttributeError):
            stream.flush()
    os._exit(code)
