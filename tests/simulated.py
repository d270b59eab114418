"""Runs of the tap in simulated time: its own threads, one at a time.

Time passes only while all of them wait, so that an hour of quota takes a moment, and comes out the
same whatever else the machine does.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from singer_run import PatientClock
from tap_pinterest.http import rate_limit
from tap_pinterest.reading import inventory, owners, read_ahead
from tap_pinterest.run import readiness
from tap_pinterest.streams import creatives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest


class _Thread:
    """A thread that runs only while it has the baton."""

    def __init__(self, work: Callable[[], None] | None = None) -> None:
        self.baton = threading.Semaphore(0)
        self.waits = 0
        self.work = work


class SimulatedTime(PatientClock):
    """A clock, and who may run: everybody else waits, for time or for another thread."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 1_000_000.0
        self._ready: deque[_Thread] = deque()
        self._without_work: list[_Thread] = []
        self._due: list[tuple[float, int, _Thread, int]] = []
        self._numbers = count()
        self._own = threading.local()
        self._own.thread = _Thread()

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.check()
        with self.idling():
            self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        """Wait while others go on."""
        self.block(seconds)

    def begin(self, work: Callable[[], None]) -> None:
        """Run some work in a thread of its own, as soon as this one waits."""
        if self._without_work:
            # To start a thread takes longer than most of its work.
            thread = self._without_work.pop()
            thread.work = work
        else:
            thread = _Thread(work)
            threading.Thread(target=self._work, args=(thread,), daemon=True).start()
        self._ready.append(thread)

    def _work(self, thread: _Thread) -> None:
        self._own.thread = thread
        while True:
            thread.baton.acquire()
            try:
                if thread.work:
                    thread.work()
            finally:
                self._without_work.append(thread)
                self._hand_on()

    def waiter(self) -> Callable[[], None]:
        """A function that ends the next `block` of the thread that asks for it."""
        thread, waits = self._own.thread, self._own.thread.waits

        def wake() -> None:
            if thread.waits == waits:
                thread.waits += 1
                self._ready.append(thread)

        return wake

    def block(self, seconds: float | None = None) -> None:
        """Wait until a waiter wakes this thread, or for this number of seconds."""
        thread = self._own.thread
        if seconds is not None:
            due = (self.time + max(seconds, 0), next(self._numbers), thread, thread.waits)
            heapq.heappush(self._due, due)
        self._hand_on()
        thread.baton.acquire()

    def _hand_on(self) -> None:
        while not self._ready:
            if not self._due:
                msg = "every thread waits for another"
                raise AssertionError(msg)
            time, _, thread, waits = heapq.heappop(self._due)
            if thread.waits == waits:
                thread.waits += 1
                self.time = max(self.time, time)
                self._ready.append(thread)
        self._ready.popleft().baton.release()


class Semaphore:
    """As many may hold it at once; who comes first is first."""

    def __init__(self, time: SimulatedTime, value: int = 1) -> None:
        self._time = time
        self._left = value
        self._waiting: deque[Callable[[], None]] = deque()

    def acquire(self, *, blocking: bool = True) -> bool:
        while self._left == 0:
            if not blocking:
                return False
            self._waiting.append(self._time.waiter())
            self._time.block()
        self._left -= 1
        return True

    def release(self) -> None:
        self._left += 1
        if self._waiting:
            self._waiting.popleft()()

    def __enter__(self) -> None:  # noqa: D105 - as a lock's
        self.acquire()

    def __exit__(self, *_: object) -> None:  # noqa: D105
        self.release()


class Future:
    """The result of some work, with the methods of a `concurrent.futures.Future`."""

    def __init__(self) -> None:
        self._is_done = False
        self._result: Any = None
        self._error: BaseException | None = None
        self.waiting: list[Callable[[], None]] = []

    def run(self, work: Callable[..., Any], *arguments: Any) -> None:
        if self._is_done:
            return
        try:
            self._result = work(*arguments)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever asks for the result
            self._error = error
        self._is_done = True
        for wake in self.waiting:
            wake()

    def done(self) -> bool:
        return self._is_done

    def cancel(self) -> bool:
        return False

    def exception(self) -> BaseException | None:
        return self._error

    def result(self) -> Any:
        if self._error:
            raise self._error
        return self._result


class Waited(NamedTuple):
    """Those that are done."""

    done: set[Future]


class Pool:
    """Runs work in at most `most` threads."""

    def __init__(self, time: SimulatedTime, most: int) -> None:
        self._time = time
        self._left = most
        self._queue: deque[Callable[[], None]] = deque()

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future:
        future = Future()
        self._queue.append(lambda: future.run(work, *arguments))
        if self._left:
            self._left -= 1
            self._time.begin(self._work_off)
        return future

    def shutdown(self, **_: object) -> None:
        self._queue.clear()

    def _work_off(self) -> None:
        while self._queue:
            self._queue.popleft()()
        self._left += 1


def simulate(monkeypatch: pytest.MonkeyPatch) -> SimulatedTime:
    """Let the tap's threads run in simulated time from now on."""
    time = SimulatedTime()

    def wait(futures: Iterable[Future], timeout: float, return_when: str = "") -> Waited:
        pending = [each for each in futures if not each.done()]
        if pending and not (return_when == FIRST_COMPLETED and len(pending) < len([*futures])):
            wake = time.waiter()
            for each in pending:
                each.waiting.append(wake)
            time.block(timeout)
            for each in pending:
                if wake in each.waiting:
                    each.waiting.remove(wake)
        return Waited({each for each in futures if each.done()})

    threads = SimpleNamespace(
        Lock=lambda: Semaphore(time),
        RLock=threading.RLock,
        Semaphore=lambda value: Semaphore(time, value),
        get_ident=threading.get_ident,
    )
    for module in (creatives, inventory, owners, rate_limit, readiness):
        monkeypatch.setattr(module, "threading", threads)
    monkeypatch.setattr(read_ahead, "ThreadPoolExecutor", lambda most, **_: Pool(time, most))
    monkeypatch.setattr(read_ahead, "wait", wait)
    return time
