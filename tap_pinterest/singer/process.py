"""The process of a command line: its files, its output and its end."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, NoReturn, TypeVar

import click
import msgspec
from singer_sdk.singerlib import Catalog
from singer_sdk.singerlib.catalog import MetadataMapping

BROKEN_PIPE = 128 + getattr(signal, "SIGPIPE", 13)

_Command = TypeVar("_Command", bound=click.Command)
_logger = logging.getLogger("tap-pinterest")


class UnusableFileError(Exception):
    """A file of the command line cannot be used; the text names the file and the fault."""


def state_in(file: IO[str] | None) -> dict[str, Any] | None:
    """The state in a file; an empty file has no state.

    Raises:
        UnusableFileError: The file is not JSON.
    """
    return _json_in(file, "state")


def catalog_in(file: IO[str] | None) -> Catalog | None:
    """The catalog in a file; an empty file has no catalog.

    Raises:
        UnusableFileError: The file is not a catalog.
    """
    found = _json_in(file, "catalog")
    if found is None:
        return None
    try:
        return Catalog.from_dict(_with_forced_methods(selected_in(found)))
    except Exception as error:  # noqa: BLE001 - the SDK reads the catalog without checking it
        reason = f"{type(error).__name__}: {error}"
        raise _unusable("catalog", reason) from None  # noqa: EM101 - no message


def selected_in(catalog: dict[str, Any]) -> dict[str, Any]:
    """The catalog without the streams that it deselects, whose columns take long to read."""
    streams = [
        entry
        for entry in catalog["streams"]
        if is_selected(MetadataMapping.from_iterable(_roots(entry)))
    ]
    return {**catalog, "streams": streams}


def is_selected(metadata: MetadataMapping) -> bool:
    """Whether the metadata selects the stream as a whole."""
    root = {breadcrumb: each for breadcrumb, each in metadata.items() if not breadcrumb}
    return MetadataMapping(root).resolve_selection().get((), True)


def _roots(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The metadata about the stream itself."""
    return [item for item in entry.get("metadata", ()) if not item.get("breadcrumb")]


def _with_forced_methods(catalog: dict[str, Any]) -> dict[str, Any]:
    """The catalog, with the replication methods in the place that the SDK reads first.

    Meltano's metadata rule `replication-method` changes the metadata only, and not the method that
    discovery has written beside it.
    """
    for entry in catalog["streams"]:
        for item in _roots(entry):
            words = item.get("metadata", {})
            if wanted := words.get("replication-method") or words.get("forced-replication-method"):
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
    """Flush the output after the block; if the output fails, log one line and end the process."""
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        leave(code_of_output_error(error, logger))


def checking_output(command: _Command) -> _Command:
    """The command, whose options that write, such as `--help`, log one line if the output fails."""
    make_context = command.make_context

    def checked(*arguments: Any, **how: Any) -> click.Context:  # noqa: ANN401 - as click's
        with writing_to_stdout(_logger):
            return make_context(*arguments, **how)

    command.make_context = checked  # type: ignore[method-assign]
    return command


def check_log_level(plugin: str) -> None:
    """End the process with one line if a variable names a log level that does not exist."""
    variables = (f"{plugin.upper().replace('-', '_')}_LOGLEVEL", "LOGLEVEL")
    name = next((each for each in variables if os.environ.get(each)), None)
    if name and os.environ[name].upper() not in logging.getLevelNamesMapping():
        allowed = "allowed: DEBUG, INFO, WARNING, ERROR, CRITICAL"
        _logger.error("%s: %r is refused; %s", name, os.environ[name], allowed)
        leave(1)


def need_stdout(logger: logging.Logger) -> None:
    """End the process with one line if it was started without a standard output."""
    if sys.stdout is None:
        logger.error("There is no standard output to write to.")
        leave(1)


def code_of_output_error(error: OSError, logger: logging.Logger) -> int:
    """The exit code after an output error; if the reader is gone, there is no message."""
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE
    logger.error("The output cannot be written: %s", error.strerror)
    return 1


def listen_to_ctrl_c() -> None:
    """Raise `KeyboardInterrupt` at Ctrl-C again: while it imports, a command just ends."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def is_watched() -> bool:
    """Whether stderr is a terminal."""
    # A process can be started without stderr.
    return sys.stderr is not None and sys.stderr.isatty()


def leave(code: int) -> NoReturn:
    """End the process without waiting for requests whose answers nobody needs."""
    for stream in (sys.stdout, sys.stderr):
        # Output errors have been logged already.
        with suppress(OSError, AttributeError):
            stream.flush()
    os._exit(code)
