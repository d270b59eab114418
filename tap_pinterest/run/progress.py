"""Show the progress of a run."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from tap_pinterest.clock import Clock
from tap_pinterest.run.summary import StreamSummary, Summary
from tap_pinterest.singer.process import is_watched

if TYPE_CHECKING:
    from rich.console import Console


REFRESHES_PER_SECOND = 4
QUIET_SECONDS = 30
"""Seconds between two lines of progress in a log."""

_logger = logging.getLogger("tap-pinterest.progress")


def shown(summary: Summary, clock: Clock) -> AbstractContextManager[None]:
    """Show progress: a moving line if stderr is a terminal, else a line of the log at times.

    Nothing is shown if the messages go to a terminal.
    """
    if sys.stdout.isatty():
        return nullcontext()
    return _live(summary, clock) if is_watched() else _logged(summary)


@contextmanager
def _logged(summary: Summary) -> Iterator[None]:
    """Log the progress of the current stream, also while it waits for Pinterest."""
    is_over = threading.Event()
    thread = threading.Thread(target=log_until, args=(is_over, summary), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def log_until(is_over: threading.Event, summary: Summary) -> None:
    """Log a line every `QUIET_SECONDS`, until the event is set."""
    while not is_over.wait(QUIET_SECONDS):
        if name := summary.current:
            _logger.info("Reading %s", _in_words(name, summary.of(name)))


@contextmanager
def _live(summary: Summary, clock: Clock) -> Iterator[None]:
    """Show a moving line for the current stream, and a line for each finished stream."""
    # rich takes a while to import, and a run on a pipe never needs it.
    from rich.console import Console  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415
    from rich.spinner import Spinner  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    started = clock.monotonic()
    begun: dict[str, float] = {}
    spinner = Spinner("line")

    def moving() -> Spinner:
        name = summary.current
        since = begun.setdefault(name, clock.monotonic()) if name else started
        text = _in_words(name, summary.of(name)) if name else "starting"
        spinner.update(text=Text(f"{text}  {clock.monotonic() - since:.0f} s"))
        return spinner

    console = Console(stderr=True)
    live = Live(
        get_renderable=moving,
        console=console,
        refresh_per_second=REFRESHES_PER_SECOND,
        transient=True,
        # Records go to stdout; `_logs_above` handles the log lines on stderr.
        redirect_stdout=False,
        redirect_stderr=False,
    )

    def read(name: str) -> None:
        part = summary.of(name)
        console.print(Text(f"{_outcome(part)} {_in_words(name, part)}  {part.seconds:.0f} s"))

    summary.when_read = read
    with live, _logs_above(console):
        yield


class _AboveTheLine:
    """A stream for log lines: each stays whole and above the moving line."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        if text.strip("\n"):
            self._console.out(text.rstrip("\n"), highlight=False)
        return len(text)

    def flush(self) -> None:
        """Do nothing: each line is written at once."""


@contextmanager
def _logs_above(console: Console) -> Iterator[None]:
    handlers = [
        (handler, handler.stream)
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr
    ]
    for handler, _ in handlers:
        handler.setStream(_AboveTheLine(console))
    try:
        yield
    finally:
        for handler, stream in handlers:
            handler.setStream(stream)


def _in_words(name: str, part: StreamSummary) -> str:
    accounts = f"  {part.contexts} of {len(part.parts)} accounts" if len(part.parts) > 1 else ""
    return f"{name}{accounts}  {part.rows:,} rows"


def _outcome(part: StreamSummary) -> str:
    if part.failures:
        return "FAILED "
    return "skipped" if part.skipped and not part.contexts else "read   "
