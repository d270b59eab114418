"""Lanes: the tasks of one context each. Decides whether there is room for one more task."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from tap_pinterest.clock import Clock
from tap_pinterest.reading.tasks import Later, Task, Turn

_T = TypeVar("_T")

MAX_BYTES = 32 * 1024 * 1024
SHARE_AHEAD = 4
"""While the current work needs the bytes, work ahead of its turn gets a quarter of them."""
MOST_AHEAD = 256
"""Most contexts, and most answers, that may be ahead of their turn in one rate category."""
MOST_WAITING = 12
"""Most reports that Pinterest prepares at once; more would wait for each other there."""


@dataclass
class Held:
    """The results of contexts that were finished ahead of their turn."""

    lanes: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def add(self, lane: Lane[Any], times: int = 1) -> None:
        """Add a context to the count, or remove it with -1."""
        self.lanes[lane.turn.category] += times
        self.places[lane.turn.category] += times * len(lane.places)
        self.bytes += times * sum(place.bytes for place in lane.places)


@dataclass
class Load:
    """Counts tasks under way and bytes held, and decides whether there is room for more.

    Attributes:
        lane: The tasks whose turn it is.
        idle: Threads that wait, but not for Pinterest.
        lanes: Contexts ahead of their turn, by rate category.
        waiting: Reports that Pinterest is preparing, by rate category.
        running: Tasks under way, by rate category.
        places: Tasks under way, and results that are not read yet.
        bytes: Bytes of their results.
        bytes_ahead: The part of `bytes` that is ahead of its turn.
        may_use_all: Whether work ahead of its turn may use all bytes.
    """

    in_flight: int
    lane: Lane[Any]
    idle: int
    lanes: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    running: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    bytes_ahead: int = 0
    may_use_all: bool = False

    def add(self, lane: Lane[Any], *, ahead: bool) -> None:
        """Count the tasks of a lane."""
        category = lane.turn.category
        if lane.is_opening():
            self.count(category, running=True)
        for place in lane.places:
            if place.due is None:
                running = not place.future.done()
                self.count(category, place.bytes, ahead=ahead, running=running)
            else:
                self.waiting[category] += 1

    def count(
        self, category: str, size: int = 0, *, ahead: bool = False, running: bool = False
    ) -> None:
        """Count a task and its bytes."""
        self.running[category] += running
        self.places[category] += 1
        self.bytes += size
        self.bytes_ahead += size * ahead

    def has_room(self, category: str, size: int = 0, *, ahead: bool = True) -> bool:
        """Whether a task of a category may begin, in the turn of the lane or `ahead` of its own.

        A category without quota begins no more tasks than could be under way. One task of each
        category may always begin, because Pinterest counts its quota from the first call.
        """
        most, in_turn = self.in_flight, category == self.lane.turn.category
        return (
            (self.running.total() - self.idle < most or not self.running[category])
            and self.waiting[category] < MOST_WAITING
            and (self.places if in_turn else self.running)[category] < most
            and self.places[category] < MOST_AHEAD
            and self._has_bytes(size, ahead=ahead)
        )

    def _has_bytes(self, size: int, *, ahead: bool) -> bool:
        if ahead and not self.may_use_all:
            return self.bytes_ahead + size <= MAX_BYTES // SHARE_AHEAD
        return self.bytes + size <= MAX_BYTES or not self.bytes


class Lane(Generic[_T]):
    """Tasks of one context: under way, waiting or done, oldest first, and those to come."""

    def __init__(self, tasks: Iterable[Task[_T]], turn: Turn) -> None:
        self.turn = turn
        self.places: deque[_Place[_T]] = deque()
        self._tasks = iter(tasks)
        self._opening: Future[Task[_T] | None] | None = None
        self._coming: Task[_T] | None = None
        self._error: BaseException | None = None
        self._is_exhausted = False
        self.is_begun = False

    def open(self, executor: ThreadPoolExecutor) -> None:
        """Begin to find the first task, which may take calls."""
        self.is_begun = True
        self._opening = executor.submit(next, self._tasks, None)

    def is_opening(self) -> bool:
        """Whether the first task is being found."""
        return self._opening is not None

    def is_open(self) -> bool:
        """Whether the first task is known."""
        return self.is_begun and self._opening is None

    def coming(self) -> Task[_T] | None:
        """The next task that has not begun; `None` if no task is left or known yet."""
        if self._coming is None and self.is_open() and not self._is_exhausted:
            self._take(lambda: next(self._tasks, None))
        return self._coming

    def begin(self, executor: ThreadPoolExecutor) -> None:
        """Begin the next task."""
        if self._coming is not None:
            future = executor.submit(self._coming.run)
            task = self._coming
            self.places.append(_Place(future, task.expected_bytes, task.held))
            self._coming = None

    def go_on(self, executor: ThreadPoolExecutor, clock: Clock) -> None:
        """Note which tasks wait now, and continue tasks that have waited long enough."""
        if self._opening and self._opening.done():
            opening, self._opening = self._opening, None
            self._take(opening.result)
        for place in self.places:
            place.go_on(executor, clock)

    def _take(self, find: Callable[[], Task[_T] | None]) -> None:
        """Note the next task; an error in finding it is raised when its turn comes."""
        try:
            self._coming = find()
        except Exception as error:  # noqa: BLE001 - any error belongs to this context
            self._error = error
        self._is_exhausted = self._coming is None

    def is_ready(self) -> bool:
        """Whether the oldest task has a result."""
        return bool(self.places) and self.places[0].is_done()

    def is_over(self) -> bool:
        """Whether all results have been read.

        Raises:
            Exception: The next task could not be found.
        """
        if self.places or self._coming or not (self.is_open() and self._is_exhausted):
            return False
        if self._error:
            raise self._error
        return True

    def is_finished(self) -> bool:
        """Whether no task is left or under way."""
        exhausted = self.is_open() and self._is_exhausted
        return exhausted and all(each.is_done() for each in self.places)

    def running(self) -> Iterator[Future[Any]]:
        """The work that has not ended yet."""
        futures = (self._opening, *(each.future for each in self.places))
        return (each for each in futures if each and not each.done())

    def oldest(self) -> _T:
        """The result of the oldest task."""
        return cast("_T", self.places[0].future.result())

    def drop_oldest(self) -> None:
        """Free the place of the oldest task."""
        # If the run has ended meanwhile, the lane holds nothing any more.
        if self.places:
            self.places.popleft()

    def close(self) -> None:
        """Begin no more tasks, and drop all results."""
        for future in self.running():
            future.cancel()
        self.places.clear()
        self._opening = self._coming = None
        self._is_exhausted = True


@dataclass
class _Place(Generic[_T]):
    """A task in a lane: its running work, and the end of its pause if it waits."""

    future: Future[_T | Later[_T]]
    bytes: int
    held: Callable[[_T], int] | None = None
    due: float | None = None

    def is_done(self) -> bool:
        return self.future.done() and self._later() is None

    def go_on(self, executor: ThreadPoolExecutor, clock: Clock) -> None:
        if not self.future.done():
            return
        if (later := self._later()) is None:
            if self.held and not self.future.exception():
                self.bytes = self.held(cast("_T", self.future.result()))
                self.held = None
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
