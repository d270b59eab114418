from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tap_pinterest.clock import Clock, Interrupted
from tap_pinterest.pagination import BookmarkPaginator, RepeatedBookmarkError
from tap_pinterest.read_ahead import MAX_BYTES, ReadAhead, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(params=[1, 4], ids=["one by one", "four at once"])
def read_ahead(request: pytest.FixtureRequest) -> Iterator[ReadAhead]:
    read_ahead = ReadAhead(request.param, Clock())
    yield read_ahead
    read_ahead.close()


def test_results_come_in_the_order_of_their_tasks(read_ahead: ReadAhead) -> None:
    tasks = [Task(partial(int, number)) for number in range(20)]

    assert list(read_ahead.in_order(tasks)) == list(range(20))


def test_the_next_tasks_are_under_way_while_the_first_is_waited_for() -> None:
    both = threading.Barrier(2, timeout=10)
    read_ahead = ReadAhead(2, Clock())

    assert len(list(read_ahead.in_order([Task(both.wait), Task(both.wait)]))) == 2
    read_ahead.close()


def test_no_more_tasks_are_started_than_may_be_in_flight() -> None:
    started: list[int] = []
    read_ahead = ReadAhead(3, Clock())
    results = read_ahead.in_order(Task(partial(started.append, n)) for n in range(10))
    next(results)

    assert len(started) <= 4
    results.close()  # type: ignore[attr-defined]
    read_ahead.close()


def test_answers_that_are_expected_to_be_large_are_not_fetched_together() -> None:
    started: list[int] = []
    read_ahead = ReadAhead(8, Clock())
    tasks = [Task(partial(started.append, n), MAX_BYTES) for n in range(4)]
    results = read_ahead.in_order(tasks)

    next(results)

    assert started == [0]
    results.close()  # type: ignore[attr-defined]
    read_ahead.close()


def test_an_error_comes_in_its_place(read_ahead: ReadAhead) -> None:
    def fail() -> int:
        raise ValueError

    results = read_ahead.in_order([Task(lambda: 1), Task(fail), Task(lambda: 3)])

    assert next(results) == 1
    with pytest.raises(ValueError):  # noqa: PT011 - it has no text
        next(results)


def test_a_chain_goes_on_until_there_is_no_next_task(read_ahead: ReadAhead) -> None:
    def following(number: int) -> Callable[[], int] | None:
        return (lambda: number + 1) if number < 5 else None

    assert list(read_ahead.chained(lambda: 1, following)) == [1, 2, 3, 4, 5]


def test_a_signal_ends_the_wait_for_an_answer() -> None:
    clock = Clock()
    never = threading.Event()
    read_ahead = ReadAhead(2, clock)
    clock.interrupted_by = 15

    with pytest.raises(Interrupted):
        next(read_ahead.in_order([Task(lambda: never.wait(10)), Task(lambda: True)]))
    never.set()
    read_ahead.close()


def test_bookmarks_are_followed_until_there_is_none() -> None:
    paginator = BookmarkPaginator()

    assert paginator.next("a") == "a"
    assert paginator.next("b") == "b"
    assert paginator.next(None) is None
    assert paginator.next("") is None


def test_a_bookmark_that_comes_again_is_an_error() -> None:
    paginator = BookmarkPaginator()
    paginator.next("a")

    with pytest.raises(RepeatedBookmarkError, match="followed before"):
        paginator.next("a")
