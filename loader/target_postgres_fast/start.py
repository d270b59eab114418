"""The start of a command: a check of the database, which takes a tenth of the target's start."""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_postgres_fast import lean
from target_postgres_fast.errors import UnusableError
from target_postgres_fast.leaving import leave

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_postgres_fast.target import FastTarget


LONGEST_WAIT = 10
"""Seconds in which a tap that cannot start has ended."""


def run(check: Callable[[Mapping[str, Any]], None], target: Callable[[], type[FastTarget]]) -> None:
    """Check the database, and load if the check succeeds.

    Args:
        check: Raises `UnusableError` if no table could be loaded with these settings.
        target: Imports the target, which takes most of a second.
    """
    try:
        if (config := _config(sys.argv[1:])) is not None:
            check(config)
    except UnusableError as error:
        if sys.stdin is None or not _ends_without_a_byte(sys.stdin.fileno()):
            sys.stderr.write(f"{_log_line(str(error))}\n")
        leave()
    with lean.imports():
        loaded = target()
    loaded.cli()


def _log_line(text: str) -> str:
    """An error as a line of the log, in the SDK's form.

    Meltano asks for JSON. A line in another form would not be an error in Meltano's log.
    """
    if not _is_log_structured():
        return f"ERROR {text}"
    fields = {
        "level": "error",
        "pid": os.getpid(),
        "logger_name": "start",
        "ts": time.time(),
        "thread_name": "MainThread",
        "app_name": "singer-sdk",
        "message": text,
    }
    return json.dumps(fields)


def _is_log_structured() -> bool:
    """Whether the log configuration of the SDK asks for lines of JSON."""
    file = os.environ.get("SINGER_SDK_LOG_CONFIG")
    try:
        return file is not None and "StructuredFormatter" in Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _ends_without_a_byte(descriptor: int) -> bool:
    """Whether the input ends without a byte during the wait.

    Then the tap has failed and named the reason, which comes first; the next load will name the
    fault of the database. If the input has already ended before the wait, there is no tap, because
    a user tries this command alone.
    """
    if _has_something(descriptor, 0):
        return False
    return _has_something(descriptor, LONGEST_WAIT) and not os.read(descriptor, 1)


def _has_something(descriptor: int, seconds: float) -> bool:
    """Whether there is a byte, or the end, within some seconds."""
    return os.isatty(descriptor) or bool(select.select([descriptor], [], [], seconds)[0])


def _config(arguments: Sequence[str]) -> dict[str, Any] | None:
    """The settings in the files of the command line; `None` if there are other arguments."""
    names, paths = arguments[::2], arguments[1::2]
    if len(names) != len(paths) or {*names} != {"--config"}:
        return None
    config: dict[str, Any] = {}
    for path in paths:
        try:
            config |= json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, TypeError, ValueError):
            # The target itself names the fault of the file.
            return None
    return config
