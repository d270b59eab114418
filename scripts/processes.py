"""Processes that end with us, together with all processes that they have started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 10
LOG_LINES = 40
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a program to end."""

_WATCH = """
read -r _ && exit
kill -s "$1" -- "$2"
for _ in $(seq 50); do kill -s 0 -- "$2" || break; sleep 0.1; done
shift 2
[ $# -eq 0 ] || rm -rf -- "$@"
"""


def command(name: str) -> str:
    """A console script of the environment that runs us, without regard to PATH."""
    return str(Path(sys.executable).with_name(name))


@contextmanager
def running(
    *arguments: str,
    **options: Any,  # noqa: ANN401 - those of `Popen`
) -> Iterator[subprocess.Popen[str]]:
    """A process in a session of its own, ended with its whole group when the block ends.

    A terminal's Ctrl-C reaches only us, so that we decide what stops in which order.
    """
    with ExitStack() as stack:
        with signals_wait():
            process = subprocess.Popen(arguments, text=True, start_new_session=True, **options)
            stack.callback(_end, process)
            stack.enter_context(ends_with_us(f"-{process.pid}", signal.SIGKILL))
        yield process


@contextmanager
def ends_with_us(target: str, number: signal.Signals, *folders: Path) -> Iterator[None]:
    """During the block, a process or group gets a signal when our process has ended in any way.

    Args:
        target: Id of the process; of a group with a minus before it.
        number: The signal.
        folders: Folders to remove afterwards.
    """
    # Nobody can catch SIGKILL. A shell can see that the pipe from us has no writer any more.
    with subprocess.Popen(
        ["sh", "-c", _WATCH, "sh", number.name.removeprefix("SIG"), target, *map(str, folders)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as watch:
        try:
            yield
        finally:
            with suppress(BrokenPipeError):
                watch.communicate(b"all is well\n")


@contextmanager
def signals_wait() -> Iterator[None]:
    """Signals take effect at the end of the block, so no process is lost while it starts."""
    if threading.current_thread() is not threading.main_thread():
        # Signals only ever interrupt the main thread.
        yield
        return
    waiting: list[int] = []
    handlers = {
        number: signal.signal(number, lambda number, _frame: waiting.append(number))
        for number in SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for came in waiting:
            signal.raise_signal(came)


def end_of(log: Path) -> str:
    """The last lines of a log, where the reason of a failure is."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-LOG_LINES:])


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        _signal_group(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    # The leader may be gone and leave others behind.
    _signal_group(process, signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    # macOS answers a group of zombies with a refusal.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
