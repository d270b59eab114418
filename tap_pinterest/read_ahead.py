"""Requests under way while earlier answers are being written: the only module with threads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from concurrent.futures import Future

    from tap_pinterest.clock import Clock

MAX_BYTES = 32 * 1024 * 1024
MOST_WAITING = 12
"""Reports that Pinterest prepares at once: more would wait for each other there."""

_T = TypeVar("_T")
_LOOK_UP_SECONDS = 0.25


@dataclass(frozen=True)
class Later(Generic[_T]):
    """Work that goes on after a while; until then it takes no place among the requests."""

    seconds: float
    run: Callable[[], _T | Later[_T]]


@dataclass(frozen=True)
class Task(Generic[_T]):
    """A request to make, and about how many bytes its answer will hold."""

    run: Callable[[], _T | Later[_T]]
    expected_bytes: int = 0


def with_pauses(steps: Generator[float, None, _T]) -> Callable[[], _T | Later[_T]]:
    """A task that yields how many seconds to wait before it goes on, and returns its result."""

    def go_on() -> _T | Later[_T]:
        try:
            return Later(next(steps), go_on)
        except StopIteration as end:
            return cast("_T", end.value)

    return go_on


class ReadAhead:
    """Runs tasks a few at a time and gives their results in order.

    With one request in flight nothing runs in another thread.
    """

    def __init__(self, in_flight: int, clock: Clock) -> None:
        """Start nothing yet.

        Args:
            in_flight: Most requests under way or waiting to be read.
            clock: Knows when to stop.
        """
        self._in_flight = in_flight
        self._clock = clock
        self._pool: ThreadPoolExecutor | None = None

    def in_order(self, tasks: Iterable[Task[_T]]) -> Iterator[_T]:
        """The results of the tasks, in their order; the first error ends them."""
        if self._in_flight == 1:
            yield from (self._to_its_end(task) for task in tasks)
            return
        with closing(_Queue[_T](self._executor(), self._clock)) as queue:
            for task in tasks:
                while queue.is_full(self._in_flight, task.expected_bytes):
                    yield from self._next(queue)
                queue.submit(task)
            while queue:
                yield from self._next(queue)

    def chained(
        self, first: Callable[[], _T], then: Callable[[_T], Callable[[], _T] | None]
    ) -> Iterator[_T]:
        """The result of `first`, then of the task that `then` makes of each result.

        The next one is under way while the last is being used.
        """
        if self._in_flight == 1:
            task: Callable[[], _T] | None = first
            while task:
                yield (result := task())
                task = then(result)
            return
        with closing(_Queue[_T](self._executor(), self._clock)) as queue:
            queue.submit(Task(first))
            while queue:
                for result in self._next(queue):
                    if task := then(result):
                        queue.submit(Task(task))
                    yield result

    def close(self) -> None:
        """Let no task begin any more."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _executor(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._in_flight, thread_name_prefix="read-ahead")
        return self._pool

    def _to_its_end(self, task: Task[_T]) -> _T:
        result = task.run()
        while isinstance(result, Later):
            self._clock.sleep(result.seconds)
            result = result.run()
        return result

    def _next(self, queue: _Queue[_T]) -> Iterator[_T]:
        """The oldest result, which counts as held until the next one is asked for."""
        while not queue.is_ready():
            # A signal does not end a wait.
            self._clock.check()
        try:
            yield queue.oldest()
        finally:
            queue.drop_oldest()


class _Queue(Generic[_T]):
    """Tasks under way, waiting or done, oldest first."""

    def __init__(self, executor: ThreadPoolExecutor, clock: Clock) -> None:
        self._executor = executor
        self._clock = clock
        self._places: deque[_Place[_T]] = deque()

    def __bool__(self) -> bool:
        return bool(self._places)

    def is_full(self, in_flight: int, more_bytes: int) -> bool:
        """Whether a further task has to wait; one is always allowed.

        What waits takes no place, but so many in all wait as may be under way.
        """
        if not self._places:
            return False
        self._go_on()
        waiting = sum(each.due is not None for each in self._places)
        held = sum(each.expected_bytes for each in self._places)
        busy = len(self._places) - waiting
        return busy >= in_flight or waiting >= MOST_WAITING or held + more_bytes > MAX_BYTES

    def submit(self, task: Task[_T]) -> None:
        future = self._executor.submit(task.run)
        self._places.append(_Place(future, task.expected_bytes))

    def is_ready(self) -> bool:
        """Whether the oldest task has a result; waits a little for it if not."""
        self._go_on()
        oldest = self._places[0]
        if oldest.due is None:
            return bool(wait([oldest.future], timeout=_LOOK_UP_SECONDS).done) and self._has_result(
                oldest
            )
        running = [each.future for each in self._places if not each.future.done()]
        if running:
            wait(running, timeout=_LOOK_UP_SECONDS, return_when=FIRST_COMPLETED)
        else:
            next_due = min(each.due for each in self._places if each.due is not None)
            self._clock.sleep(max(next_due - self._clock.monotonic(), 0))
        return False

    def _has_result(self, place: _Place[_T]) -> bool:
        self._go_on()
        return place.due is None and place.future.done()

    def _go_on(self) -> None:
        """Note which tasks wait now, and let those go on that have waited long enough."""
        for place in self._places:
            if not place.future.done() or place.future.exception():
                continue
            result = place.future.result()
            if not isinstance(result, Later):
                continue
            now = self._clock.monotonic()
            place.due = now + result.seconds if place.due is None else place.due
            if place.due <= now:
                place.due = None
                place.future = self._executor.submit(result.run)

    def oldest(self) -> _T:
        return cast("_T", self._places[0].future.result())

    def drop_oldest(self) -> None:
        self._places.popleft()

    def close(self) -> None:
        for place in self._places:
            place.future.cancel()
        self._places.clear()


@dataclass
class _Place(Generic[_T]):
    """A task in the queue: what runs for it, and until when it waits if it does."""

    future: Future[_T | Later[_T]]
    expected_bytes: int
    due: float | None = None
