"""Makes requests while earlier answers are written. This is the only module with threads."""

from __future__ import annotations

import threading
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from concurrent.futures import Future

    from tap_pinterest.clock import Clock

MAX_BYTES = 32 * 1024 * 1024
SHARE_AHEAD = 4
"""Work ahead of its turn gets a quarter of the bytes, as long as the current work needs them."""
LEAST_BYTES = 64 * 1024
"""Bytes that we expect of an answer if nothing is known about it."""
MOST_AHEAD = 256
"""Most contexts, and most answers, of a rate category that may be ahead of their turn."""
MOST_WAITING = 12
"""Most reports that Pinterest prepares at once; more would wait for each other there."""

_T = TypeVar("_T")
_LOOK_UP_SECONDS = 0.25
_THREADS = 8
"""Threads for each request in flight; most threads wait, for quota or for each other."""


@dataclass(frozen=True)
class Later(Generic[_T]):
    """Work that goes on after a pause; until then it does not use up a request slot."""

    seconds: float
    run: Callable[[], _T | Later[_T]]


@dataclass(frozen=True)
class Task(Generic[_T]):
    """A request to make, and about how many bytes its answer will hold.

    Attributes:
        expected_bytes: Bytes that we expect in its result.
        held: Measures the bytes that the result holds.
    """

    run: Callable[[], _T | Later[_T]]
    expected_bytes: int = LEAST_BYTES
    held: Callable[[_T], int] | None = None


@dataclass(frozen=True)
class Turn:
    """The purpose of tasks: a context of a stream, with the rate category of its calls."""

    stream: str
    context: tuple[Any, ...] = ()
    category: str = ""


@dataclass(frozen=True)
class Ahead(Generic[_T]):
    """Tasks whose turn comes later."""

    turn: Turn
    tasks: Callable[[], Iterable[Task[_T]]]


Following: TypeAlias = "Mapping[str, Iterator[Ahead[Any] | None]]"
"""Later work by rate category, in the order of the run; `None` if it is not known yet."""

NOTHING: Following = MappingProxyType({})


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
        self._lanes: list[_Lane[Any]] = []
        self._ahead: dict[Turn, _Lane[Any]] = {}
        self._active: list[_Lane[Any]] = []
        """The lanes ahead of their turn that have tasks left."""
        self._finished = _Held()
        """The results that finished lanes hold."""
        self._known: set[str] = set()
        """Streams whose first context has read the lists that all contexts share."""

    def in_order(
        self, tasks: Iterable[Task[_T]], turn: Turn | None = None, following: Following = NOTHING
    ) -> Iterator[_T]:
        """The results of the tasks, in their order; the first error ends them.

        Args:
            tasks: The tasks; ignored if they were begun ahead of this turn.
            turn: The context that the tasks are for.
            following: Later work that may begin early.
        """
        if self._in_flight == 1:
            yield from (self._to_its_end(task) for task in tasks)
            return
        lane = self._taken(turn) or _Lane(tasks, turn or Turn(""))
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

        The next task runs while the last result is used.
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
        """The result of some work; a signal need not wait for it."""
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
        """Whether work stays in this thread: a thread of the pool must not wait for another one."""
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

    def _taken(self, turn: Turn | None) -> _Lane[Any] | None:
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

    def _results(self, lane: _Lane[_T], following: Following) -> Iterator[_T]:
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

    def _fill(self, lane: _Lane[Any], following: Following) -> None:
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
                    self._ahead[ahead.turn] = opened = _Lane(ahead.tasks(), ahead.turn)
                    self._active.append(opened)
                    load.lanes[category] += 1
                    self._advance(opened, load)

    def _advance(self, lane: _Lane[Any], load: _Load) -> None:
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

    def _is_held_up(self, lane: _Lane[Any]) -> bool:
        """Whether the first context of the stream still reads the lists that all contexts share."""
        stream = lane.turn.stream
        if stream in self._known:
            return False
        others = (each for each in (*self._lanes, *self._active) if each is not lane)
        return any(each.turn.stream == stream and each.is_opening() for each in others)

    def _load(self, lane: _Lane[Any]) -> _Load:
        """The tasks under way and the results held now, while a lane has its turn."""
        rest = self._finished
        load = _Load(self._in_flight, lane, self._clock.idle, Counter(rest.lanes))
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


@dataclass
class _Held:
    """The results of contexts that were finished ahead of their turn."""

    lanes: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def add(self, lane: _Lane[Any], times: int = 1) -> None:
        """Add a context to the count, or remove it with -1."""
        self.lanes[lane.turn.category] += times
        self.places[lane.turn.category] += times * len(lane.places)
        self.bytes += times * sum(place.bytes for place in lane.places)


@dataclass
class _Load:
    """Counts tasks under way and bytes held, and decides whether there is room for more.

    Attributes:
        lane: The tasks whose turn it is.
        idle: Threads that wait, but not for Pinterest.
        lanes: Contexts ahead of their turn, by rate category.
        waiting: Reports that Pinterest is preparing, by rate category.
        running: Tasks under way, by rate category.
        places: Tasks under way, and results that are not read yet.
        bytes_ahead: Bytes of these that are ahead of their turn.
        may_use_all: Whether work ahead of its turn may use all bytes.
    """

    in_flight: int
    lane: _Lane[Any]
    idle: int
    lanes: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    running: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    bytes_ahead: int = 0
    may_use_all: bool = False

    def add(self, lane: _Lane[Any], *, ahead: bool) -> None:
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


class _Lane(Generic[_T]):
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
        return cast("_T", self.places[0].future.result())

    def drop_oldest(self) -> None:
        # If the run has ended meanwhile, the lane holds nothing any more.
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
