"""Requests under way while earlier answers are being written: the only module with threads."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterable, Iterator
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


@dataclass(frozen=True)
class Ahead(Generic[_T]):
    """Tasks whose turn comes later, and the key under which they will be asked for."""

    key: Hashable
    tasks: Callable[[], Iterable[Task[_T]]]


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

    Tasks of contexts whose turn has not come begin as soon as those before leave room. With one
    request in flight nothing runs in another thread, and nothing before its turn.
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
        self._owner = threading.get_ident()
        self._lanes: list[_Lane[Any]] = []
        self._ahead: dict[Hashable, _Lane[Any]] = {}

    def in_order(
        self,
        tasks: Iterable[Task[_T]],
        key: Hashable = None,
        following: Iterator[Ahead[Any]] = iter(()),  # noqa: B008 - it is empty for good
    ) -> Iterator[_T]:
        """The results of the tasks, in their order; the first error ends them.

        Args:
            tasks: What to do; not begun if that has happened already, under the same key.
            key: Names what the tasks are for.
            following: What comes after them, as far as it may begin before.
        """
        if self._in_flight == 1:
            yield from (self._to_its_end(task) for task in tasks)
            return
        lane = self._taken(key) or _Lane(tasks)
        self._lanes.append(lane)
        try:
            yield from self._results(lane, following)
        finally:
            self._lanes.remove(lane)
            lane.close()

    def chained(
        self, first: Callable[[], _T], then: Callable[[_T], Callable[[], _T] | None]
    ) -> Iterator[_T]:
        """The result of `first`, then of the task that `then` makes of each result.

        The next one is under way while the last is being used.
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
        """The result of some work, for which a signal need not wait."""
        return work() if self._is_alone else self._result(self._executor().submit(work))

    def close(self) -> None:
        """Let no task begin any more."""
        for lane in (*self._lanes, *self._ahead.values()):
            lane.close()
        self._ahead.clear()
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    @property
    def _is_alone(self) -> bool:
        """Whether nothing may be handed to another thread: a thread of ours waits for no other."""
        return self._in_flight == 1 or threading.get_ident() != self._owner

    def _executor(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._in_flight, thread_name_prefix="read-ahead")
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

    def _taken(self, key: Hashable) -> _Lane[Any] | None:
        """The lane that was begun under a key; those before it will not be asked for any more."""
        if key not in self._ahead:
            return None
        while self._ahead:
            first = next(iter(self._ahead))
            lane = self._ahead.pop(first)
            if first == key:
                return lane
            lane.close()
        return None

    def _results(self, lane: _Lane[_T], following: Iterator[Ahead[Any]]) -> Iterator[_T]:
        while True:
            self._fill(lane, following)
            if lane.is_ready():
                try:
                    yield lane.oldest()
                finally:
                    # It counts as held until the next one is asked for.
                    lane.drop_oldest()
            elif lane.is_over():
                return
            else:
                self._wait()
                self._clock.check()

    def _fill(self, lane: _Lane[Any], following: Iterator[Ahead[Any]]) -> None:
        """Begin what there is room for: what is asked for first, then what follows."""
        for each in (*self._lanes, *self._ahead.values()):
            each.go_on(self._executor(), self._clock)
        self._advance(lane, in_turn=True)
        if not lane.is_open():
            # What all contexts share is found out once.
            return
        for each in self._ahead.values():
            self._advance(each)
        while self._has_room() and len(self._ahead) < 2 * self._in_flight:
            ahead = next(following, None)
            if ahead is None:
                return
            if ahead.key not in self._ahead:
                self._ahead[ahead.key] = opened = _Lane(ahead.tasks())
                self._advance(opened)

    def _advance(self, lane: _Lane[Any], *, in_turn: bool = False) -> None:
        """Begin the tasks of a lane as far as there is room; one is always allowed in its turn."""
        if not lane.is_begun and ((in_turn and not lane.places) or self._has_room()):
            lane.open(self._executor())
        while (task := lane.coming()) and (
            (in_turn and not lane.places) or self._has_room(task.expected_bytes)
        ):
            lane.begin(self._executor())

    def _has_room(self, more_bytes: int = 0) -> bool:
        """Whether a further task may begin.

        What waits takes no place, but only so many in all wait.
        """
        lanes = (*self._lanes, *self._ahead.values())
        places = [place for lane in lanes for place in lane.places]
        waiting = sum(each.due is not None for each in places)
        busy = len(places) - waiting + sum(lane.is_opening() for lane in lanes)
        held = sum(each.expected_bytes for each in places)
        return (
            busy < self._in_flight
            and waiting < MOST_WAITING
            and (held + more_bytes <= MAX_BYTES or not places)
        )

    def _wait(self) -> None:
        """Wait a little for whatever ends first."""
        lanes = (*self._lanes, *self._ahead.values())
        running = [future for lane in lanes for future in lane.running()]
        if running:
            wait(running, timeout=_LOOK_UP_SECONDS, return_when=FIRST_COMPLETED)
            return
        dues = [each.due for lane in lanes for each in lane.places if each.due is not None]
        if dues:
            self._clock.sleep(max(min(dues) - self._clock.monotonic(), 0))


class _Lane(Generic[_T]):
    """Tasks of one context: under way, waiting or done, oldest first, and those to come."""

    def __init__(self, tasks: Iterable[Task[_T]]) -> None:
        self.places: deque[_Place[_T]] = deque()
        self._tasks = iter(tasks)
        self._opening: Future[Task[_T] | None] | None = None
        self._coming: Task[_T] | None = None
        self._error: BaseException | None = None
        self._is_exhausted = False
        self.is_begun = False

    def open(self, executor: ThreadPoolExecutor) -> None:
        """Find out what the first task is, which may take calls of its own."""
        self.is_begun = True
        self._opening = executor.submit(next, self._tasks, None)

    def is_opening(self) -> bool:
        """Whether that is under way."""
        return self._opening is not None

    def is_open(self) -> bool:
        """Whether that is known."""
        return self.is_begun and self._opening is None

    def coming(self) -> Task[_T] | None:
        """The next task that has not begun; `None` if there is none, or it is not known yet."""
        if self._coming is None and self.is_open() and not self._is_exhausted:
            self._take(lambda: next(self._tasks, None))
        return self._coming

    def begin(self, executor: ThreadPoolExecutor) -> None:
        """Begin it."""
        if self._coming is not None:
            future = executor.submit(self._coming.run)
            self.places.append(_Place(future, self._coming.expected_bytes))
            self._coming = None

    def go_on(self, executor: ThreadPoolExecutor, clock: Clock) -> None:
        """Note which tasks wait now, and let those go on that have waited long enough."""
        if self._opening and self._opening.done():
            opening, self._opening = self._opening, None
            self._take(opening.result)
        for place in self.places:
            place.go_on(executor, clock)

    def _take(self, find: Callable[[], Task[_T] | None]) -> None:
        """Note the next task; an error in finding it is raised when its turn comes."""
        try:
            self._coming = find()
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this context
            self._error = error
        self._is_exhausted = self._coming is None

    def is_ready(self) -> bool:
        """Whether the oldest task has a result."""
        return bool(self.places) and self.places[0].is_done()

    def is_over(self) -> bool:
        """Whether there is nothing more to come.

        Raises:
            Exception: Because of an error in finding out what.
        """
        if self.places or self._coming or not (self.is_open() and self._is_exhausted):
            return False
        if self._error:
            raise self._error
        return True

    def running(self) -> Iterator[Future[Any]]:
        """What has not ended yet."""
        futures = (self._opening, *(each.future for each in self.places))
        return (each for each in futures if each and not each.done())

    def oldest(self) -> _T:
        return cast("_T", self.places[0].future.result())

    def drop_oldest(self) -> None:
        # The end of the run may have come first: then nothing is held any more.
        if self.places:
            self.places.popleft()

    def close(self) -> None:
        for future in self.running():
            future.cancel()
        self.places.clear()
        self._opening = self._coming = None
        self._is_exhausted = True


@dataclass
class _Place(Generic[_T]):
    """A task in a lane: what runs for it, and until when it waits if it does."""

    future: Future[_T | Later[_T]]
    expected_bytes: int
    due: float | None = None

    def is_done(self) -> bool:
        return self.future.done() and self._later() is None

    def go_on(self, executor: ThreadPoolExecutor, clock: Clock) -> None:
        if not self.future.done() or (later := self._later()) is None:
            return
        now = clock.monotonic()
        self.due = now + later.seconds if self.due is None else self.due
        if self.due <= now:
            self.due = None
            self.future = executor.submit(later.run)

    def _later(self) -> Later[_T] | None:
        if self.future.exception():
            return None
        result = self.future.result()
        return result if isinstance(result, Later) else None
