"""Requests under way while earlier answers are being written: the only module with threads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from tap_pinterest.clock import Clock

MAX_BYTES = 32 * 1024 * 1024

_T = TypeVar("_T")
_LOOK_UP_SECONDS = 0.25


@dataclass(frozen=True)
class Task(Generic[_T]):
    """A request to make, and about how many bytes its answer will hold."""

    run: Callable[[], _T]
    expected_bytes: int = 0


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
            yield from (task.run() for task in tasks)
            return
        with closing(_Queue[_T](self._executor())) as queue:
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
        with closing(_Queue[_T](self._executor())) as queue:
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

    def _next(self, queue: _Queue[_T]) -> Iterator[_T]:
        """The oldest result, which counts as held until the next one is asked for."""
        while not wait([queue.oldest], timeout=_LOOK_UP_SECONDS).done:
            # A signal does not end a wait.
            self._clock.check()
        try:
            yield queue.oldest.result()
        finally:
            queue.drop_oldest()


class _Queue(Generic[_T]):
    """Tasks under way or done, oldest first."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._futures: deque[tuple[Future[_T], int]] = deque()
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._futures)

    def is_full(self, in_flight: int, more_bytes: int) -> bool:
        """Whether a further task has to wait; one is always allowed."""
        over = self._bytes + more_bytes > MAX_BYTES
        return bool(self._futures) and (len(self._futures) >= in_flight or over)

    def submit(self, task: Task[_T]) -> None:
        self._bytes += task.expected_bytes
        self._futures.append((self._executor.submit(task.run), task.expected_bytes))

    @property
    def oldest(self) -> Future[_T]:
        return self._futures[0][0]

    def drop_oldest(self) -> None:
        _, expected = self._futures.popleft()
        self._bytes -= expected

    def close(self) -> None:
        for future, _ in self._futures:
            future.cancel()
        self._futures.clear()
