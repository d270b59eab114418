"""Makes requests while earlier answers are written, in threads of its own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

from tap_pinterest.clock import Clock
from tap_pinterest.reading.lanes import MOST_AHEAD, Held, Lane, Load
from tap_pinterest.reading.tasks import NOTHING, Following, Later, Task, Turn

_T = TypeVar("_T")
_LOOK_UP_SECONDS = 0.25
_THREADS = 8
"""Threads for each request in flight: most of them wait for quota or for another thread."""


class ReadAhead:
    """Runs tasks a few at a time and gives their results in order.

    Tasks of later contexts begin as soon as there is room, so that every rate category stays busy:
    a task that waits for quota does not use up a request slot. With one request in flight, there
    are no other threads, and nothing begins before its turn.
    """

    def __init__(self, in_flight: int, clock: Clock) -> None:
        """Start nothing yet.

        Args:
            in_flight: Most requests under way. In the category whose turn it is, unread answers
                count as well.
            clock: Knows when to stop, and which threads are idle.
        """
        self._in_flight = in_flight
        self._clock = clock
        self._pool: ThreadPoolExecutor | None = None
        self._owner = threading.get_ident()
        self._lanes: list[Lane[Any]] = []
        self._ahead: dict[Turn, Lane[Any]] = {}
        self._active: list[Lane[Any]] = []
        """The lanes ahead of their turn that have tasks left."""
        self._finished = Held()
        """The results that finished lanes hold."""
        self._known: set[str] = set()
        """Streams whose first context has read the lists that all contexts share."""

    def in_order(
        self, tasks: Iterable[Task[_T]], turn: Turn | None = None, following: Following = NOTHING
    ) -> Iterator[_T]:
        """The results of the tasks, in their order, up to the first error.

        Args:
            tasks: The tasks; ignored if they were begun ahead of this turn.
            turn: The context that the tasks are for.
            following: Later work that may begin early.
        """
        if self._in_flight == 1:
            yield from (self._to_its_end(task) for task in tasks)
            return
        lane = self._taken(turn) or Lane(tasks, turn or Turn(""))
        self._lanes.append(lane)
        try:
            yield from self._results(lane, following)
        finally:
            self._lanes.remove(lane)
            lane.close()

    def chained(
        self, first: Callable[[], _T], then: Callable[[_T], Callable[[], _T] | None]
    ) -> Iterator[_T]:
        """The result of `first`, then the result of each task that `then` makes of the one before.

        The next task runs while the caller uses the last result.
        """
        task: Callable[[], _T] | None = first
        if self._is_alone:
            while task:
                yield (result := task())
                task = then(result)
            return
        future: Future[_T] | None = self._executor().submit(first)
        try:
            while future:
                result = self._result(future)
                task = then(result)
                future = self._executor().submit(task) if task else None
                yield result
        finally:
            if future:
                future.cancel()

    def run(self, work: Callable[[], _T]) -> _T:
        """The result of some work; a signal can end the wait for it."""
        return work() if self._is_alone else self._result(self._executor().submit(work))

    @contextmanager
    def alone_with(self, lock: threading.Lock) -> Iterator[None]:
        """Hold a lock; a thread that waits for it does not use up a request slot."""
        if not lock.acquire(blocking=False):
            with self._clock.idling():
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def close(self) -> None:
        """Begin no more tasks."""
        for lane in (*self._lanes, *self._ahead.values()):
            lane.close()
        self._ahead.clear()
        self._active.clear()
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    @property
    def _is_alone(self) -> bool:
        """Whether this thread does all work itself: a pool's thread must not wait for another."""
        return self._in_flight == 1 or threading.get_ident() != self._owner

    def _executor(self) -> ThreadPoolExecutor:
        if self._pool is None:
            threads = self._in_flight * _THREADS
            self._pool = ThreadPoolExecutor(threads, thread_name_prefix="read-ahead")
        return self._pool

    def _result(self, future: Future[_T]) -> _T:
        while not wait([future], timeout=_LOOK_UP_SECONDS).done:
            # A signal does not end a wait.
            self._clock.check()
        return future.result()

    def _to_its_end(self, task: Task[_T]) -> _T:
        result = task.run()
        while isinstance(result, Later):
            self._clock.sleep(result.seconds)
            result = result.run()
        return result

    def _taken(self, turn: Turn | None) -> Lane[Any] | None:
        """The lane that was begun ahead of this turn.

        Each category takes its lanes in order, so earlier lanes of the category are closed.
        """
        if turn is None or turn not in self._ahead:
            return None
        for other in [each for each in self._ahead if each.category == turn.category]:
            lane = self._ahead.pop(other)
            if lane in self._active:
                self._active.remove(lane)
            else:
                self._finished.add(lane, -1)
            if other == turn:
                return lane
            lane.close()
        return None

    def _results(self, lane: Lane[_T], following: Following) -> Iterator[_T]:
        while True:
            self._fill(lane, following)
            if lane.is_ready():
                try:
                    yield lane.oldest()
                finally:
                    # The result counts as held until the next one is asked for.
                    lane.drop_oldest()
            elif lane.is_over():
                return
            else:
                self._wait()
                self._clock.check()

    def _fill(self, lane: Lane[Any], following: Following) -> None:
        """Begin tasks while there is room: tasks of this turn first, then later work."""
        for each in (*self._lanes, *self._active):
            each.go_on(self._executor(), self._clock)
            if each.is_open():
                self._known.add(each.turn.stream)
        for each in [each for each in self._active if each.is_finished()]:
            self._active.remove(each)
            self._finished.add(each)
        load = self._load(lane)
        self._advance(lane, load)
        load.may_use_all = lane.is_open() and lane.coming() is None
        for each in self._active:
            self._advance(each, load)
        for category, coming in following.items():
            while load.has_room(category) and load.lanes[category] < MOST_AHEAD:
                active = sum(each.turn.category == category for each in self._active)
                ahead = next(coming, None) if active < self._in_flight else None
                if ahead is None:
                    break
                if ahead.turn not in self._ahead:
                    self._ahead[ahead.turn] = opened = Lane(ahead.tasks(), ahead.turn)
                    self._active.append(opened)
                    load.lanes[category] += 1
                    self._advance(opened, load)

    def _advance(self, lane: Lane[Any], load: Load) -> None:
        """Begin tasks of a lane while there is room; in its turn, one task may always begin."""
        category, ahead = lane.turn.category, lane is not load.lane
        if not lane.is_begun:
            if ahead and (self._is_held_up(lane) or not load.has_room(category)):
                return
            lane.open(self._executor())
            load.count(category, running=True)
        while (task := lane.coming()) and (
            not (ahead or lane.places) or load.has_room(category, task.expected_bytes, ahead=ahead)
        ):
            lane.begin(self._executor())
            load.count(category, task.expected_bytes, ahead=ahead, running=True)

    def _is_held_up(self, lane: Lane[Any]) -> bool:
        """Whether the first context of the stream still reads the lists that all contexts share."""
        stream = lane.turn.stream
        if stream in self._known:
            return False
        others = (each for each in (*self._lanes, *self._active) if each is not lane)
        return any(each.turn.stream == stream and each.is_opening() for each in others)

    def _load(self, lane: Lane[Any]) -> Load:
        """The tasks under way and the results held now, while a lane has its turn."""
        rest = self._finished
        load = Load(self._in_flight, lane, self._clock.idle, Counter(rest.lanes))
        load.places.update(rest.places)
        load.bytes = load.bytes_ahead = rest.bytes
        for each in self._active:
            load.lanes[each.turn.category] += 1
            load.add(each, ahead=True)
        for each in self._lanes:
            load.add(each, ahead=False)
        return load

    def _wait(self) -> None:
        """Wait a little until any task ends."""
        lanes = (*self._lanes, *self._active)
        running = [future for lane in lanes for future in lane.running()]
        if running:
            wait(running, timeout=_LOOK_UP_SECONDS, return_when=FIRST_COMPLETED)
            return
        dues = [each.due for lane in lanes for each in lane.places if each.due is not None]
        if dues:
            self._clock.sleep(max(min(dues) - self._clock.monotonic(), 0))
