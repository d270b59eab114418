"""Programs such as `meltano` and `tap-pinterest` at the price of one import each.

To start Meltano costs as much as its run, because Python imports it anew. Here a server imports a
program when it is first called. Each call is a fork of that server. From there on it does what the
installed program does: the same entry point, with arguments, variables, folder, input, output and
exit code of its own.

`folder()` has a small program for each name, which a shell or Meltano finds on PATH. Two things
differ from the installed programs. Variables that begin with PYTHON have no effect. Each program is
in a session of its own: SIGINT, SIGTERM and SIGHUP of its caller are passed on to it alone. If its
caller is killed, the program is killed too, with all that it has started.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import importlib.metadata
import marshal
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "map-pinterest": (),
    "meltano": (
        *("alembic.command", "anyio._backends._asyncio", "meltano.migrations.utils.dialect_typing"),
        "sqlalchemy.dialects.sqlite",
    ),
    "tap-pinterest": (),
    "tap-pinterest-plan": (),
    "tap-pinterest-reconcile": (),
    "tap-pinterest-state": (),
    "target-duckdb-fast": (),
    "target-postgres": ("sqlalchemy.dialects.postgresql",),
    "target-postgres-fast": ("target_postgres_fast.postgres.target",),
}
"""The programs, with modules that most of their runs import later on."""

_CALLER = """\
#!{python} -IS
import marshal, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, frame: server.send(bytes([number])))
call = marshal.dumps((sys.argv[1:], os.getcwd(), dict(os.environb)))
socket.send_fds(server, [b"!"], [0, 1, 2])
server.sendall(call)
status = int.from_bytes(server.recv(4), "big")
if os.WIFSIGNALED(status):
    signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
    os.kill(os.getpid(), os.WTERMSIG(status))
os._exit(os.WEXITSTATUS(status))
"""


@functools.cache
def folder() -> Path:
    """A folder with the programs. The servers behind them end with this process."""
    made = Path(tempfile.mkdtemp(prefix="programs-"))
    atexit.register(shutil.rmtree, made)
    with ExitStack() as stack:
        numbers = []
        for name in PROGRAMS:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(made / f".{name}"))
            listener.listen()
            numbers.append(listener.fileno())
            text = _CALLER.format(python=sys.executable, address=str(made / f".{name}"))
            (made / name).write_text(text, encoding="utf-8")
            (made / name).chmod(0o755)
        server = subprocess.Popen(
            [sys.executable, __file__, *map(str, numbers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=numbers,
            start_new_session=True,
        )
    # The server ends when its input does: then too when we are killed.
    atexit.register(server.communicate)
    return made


def _first_call(listeners: Mapping[str, socket.socket]) -> str:
    """Return the name of each program that is called, each in a process of its own."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(0, selectors.EVENT_READ)
        for name, listener in listeners.items():
            waiting.register(listener, selectors.EVENT_READ, name)
        while True:
            for key, _ in waiting.select():
                if key.fd == 0:
                    with suppress(ChildProcessError):
                        while os.wait():
                            pass
                    sys.exit()
                waiting.unregister(key.fileobj)
                if os.fork() == 0:
                    return str(key.data)


class _Server:
    """The calls of one program, and the callers that wait for its end."""

    def __init__(self, listener: socket.socket) -> None:
        """Wait for calls, for programs that end, and for the end of the tests."""
        self._listener = listener
        self._callers: dict[int, socket.socket] = {}
        self._ends, self._wakeup = socket.socketpair()
        self._wakeup.setblocking(False)  # noqa: FBT003 - it takes no name
        signal.set_wakeup_fd(self._wakeup.fileno())
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self._waiting = selectors.DefaultSelector()
        for source, act in ((0, self._stop), (listener, self._accept), (self._ends, self._tell)):
            self._waiting.register(source, selectors.EVENT_READ, act)

    def call(self) -> Call:
        """Return each call in a process of its own."""
        while True:
            for key, _ in self._waiting.select():
                act: Callable[[], Call | None] = key.data
                if call := act():
                    return call

    def _accept(self) -> Call | None:
        """Begin a call: only in its own process it is returned."""
        caller, _ = self._listener.accept()
        _, files, _, _ = socket.recv_fds(caller, 1, 3)
        with caller.makefile("rb") as written:
            call = marshal.load(written)  # noqa: S302 - our own caller wrote it
        if (program := os.fork()) == 0:
            self._leave(caller)
            return Call(files, *call)
        for each in files:
            os.close(each)
        self._callers[program] = caller
        act = functools.partial(self._listen_to, caller, program)
        self._waiting.register(caller, selectors.EVENT_READ, act)
        return None

    def _listen_to(self, caller: socket.socket, program: int) -> None:
        """Pass a signal on; when the caller has gone, end the program and what it started."""
        number = caller.recv(1)
        with suppress(ProcessLookupError):
            if number:
                os.kill(program, number[0])
            else:
                self._waiting.unregister(caller)
                os.killpg(program, signal.SIGKILL)

    def _tell(self) -> None:
        """Tell the callers of programs that have ended."""
        self._ends.recv(1024)
        for program, caller in [*self._callers.items()]:
            ended, status = os.waitpid(program, os.WNOHANG)
            if ended:
                del self._callers[program]
                with suppress(KeyError):
                    self._waiting.unregister(caller)
                with caller, suppress(BrokenPipeError):
                    caller.sendall(status.to_bytes(4, "big"))

    def _stop(self) -> None:
        """End with the tests."""
        for program in self._callers:
            with suppress(ProcessLookupError):
                os.killpg(program, signal.SIGKILL)
        sys.exit()

    def _leave(self, caller: socket.socket) -> None:
        """Forget in the process of a call what is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._waiting.close()
        for each in (self._listener, self._ends, self._wakeup, caller, *self._callers.values()):
            each.close()


class Call(NamedTuple):
    """A call of a program.

    Attributes:
        files: Its input, output and errors.
        arguments: Those after the program's name.
        place: The folder to run in.
        variables: All that the program has.
    """

    files: list[int]
    arguments: list[str]
    place: str
    variables: dict[bytes, bytes]

    def begin(self, program: Path) -> None:
        """Make this process what the installed program finds at its start."""
        os.setsid()
        for number, file in enumerate(self.files):
            os.dup2(file, number)
            os.close(file)
        os.chdir(self.place)
        os.environb.clear()
        os.environb.update(self.variables)
        time.tzset()
        sys.argv = [str(program), *self.arguments]


def _main(numbers: list[str]) -> str | int | None:
    """Be the server; in its forks import a program, and in their forks run it."""
    installed = Path(sys.executable).parent
    sys.path[0] = str(installed)
    numbered = (socket.socket(fileno=int(each)) for each in numbers)
    listeners = dict(zip(PROGRAMS, numbered, strict=True))
    name = _first_call(listeners)
    for other in listeners.keys() - {name}:
        listeners[other].close()
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name=name)
    for module in (entry.module, *PROGRAMS[name]):
        importlib.import_module(module)
    # Objects that no collection looks at stay shared between the forks.
    gc.collect()
    gc.freeze()
    _Server(listeners[name]).call().begin(installed / name)
    # The SDK's programs set up their log when this looks their command up.
    program: Callable[[], str | int | None] = entry.load()
    return program()


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
