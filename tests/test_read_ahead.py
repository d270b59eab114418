from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from conftest import TODAY
from pinterest_sandbox import Sandbox, WorldSize
from scripts.fewest_calls import fewest_calls
from simulated import simulate
from singer_run import EVERYTHING, PatientClock, run, settings
from tap_pinterest.clock import Clock, Interrupted
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.patience import ATTEMPTS
from tap_pinterest.reading import inventory, pagination
from tap_pinterest.reading.lanes import MAX_BYTES, MOST_WAITING
from tap_pinterest.reading.pagination import BookmarkPaginator, EndlessListError
from tap_pinterest.reading.read_ahead import ReadAhead
from tap_pinterest.reading.tasks import Ahead, Task, Turn, with_pauses

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from singer_run import Run


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


def test_abandoned_requests_may_end_after_the_run(
    read_ahead: ReadAhead,
) -> None:
    """As the results of a context do that an error has ended, once Python collects them."""
    results = read_ahead.in_order([Task(partial(int, number)) for number in range(3)])
    next(results)
    read_ahead.close()

    results.close()  # type: ignore[attr-defined]


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
    paginator = BookmarkPaginator("GET /boards")

    assert paginator.next("a") == "a"
    assert paginator.next("b") == "b"
    assert paginator.next(None) is None
    assert paginator.next("") is None


def test_a_bookmark_that_comes_again_is_an_error() -> None:
    paginator = BookmarkPaginator("GET /boards")
    paginator.next("a")

    with pytest.raises(EndlessListError, match="followed before"):
        paginator.next("a")


@pytest.mark.parametrize(
    "page", [[], [{"id": "1"}, {"id": "2"}]], ids=["empty pages", "the same page"]
)
def test_bookmarks_that_lead_to_nothing_new_for_ever_are_an_error(
    monkeypatch: pytest.MonkeyPatch, page: list[dict[str, str]]
) -> None:
    monkeypatch.setattr(pagination, "MOST_IDLE_PAGES", 3)
    paginator = BookmarkPaginator("GET /boards")
    paginator.next("first", [{"id": "1"}, {"id": "2"}])
    paginator.next("second", page)
    paginator.next("something new", [{"id": "3"}])
    paginator.next("third", page)
    paginator.next("fourth", page)

    with pytest.raises(EndlessListError, match="GET /boards does not end: its last 3 pages"):
        paginator.next("fifth", page)


FIRST, SECOND, THIRD = (Turn(name) for name in ("first", "second", "third"))


def following(*ahead: Ahead[Any]) -> dict[str, Iterator[Ahead[Any]]]:
    return {"": iter(ahead)}


def numbers(count: int, done: list[int], start: int = 0) -> Iterator[Task[int]]:
    def note(number: int) -> int:
        done.append(number)
        return number

    for number in range(start, start + count):
        yield Task(partial(note, number))


def test_the_next_task_begins_while_the_first_is_under_way() -> None:
    both = threading.Barrier(2, timeout=10)
    read_ahead = ReadAhead(2, Clock())
    later = Ahead(SECOND, lambda: [Task(both.wait)])

    assert len(list(read_ahead.in_order([Task(both.wait)], FIRST, following(later)))) == 1
    read_ahead.close()


def test_tasks_begun_ahead_are_not_begun_again(read_ahead: ReadAhead) -> None:
    done: list[int] = []
    later = Ahead(SECOND, lambda: numbers(3, done, 10))

    first = list(read_ahead.in_order(numbers(3, done), FIRST, following(later)))
    second = list(read_ahead.in_order(numbers(3, done, 10), SECOND))

    assert (first, second) == ([0, 1, 2], [10, 11, 12])
    assert sorted(done) == [*first, *second]


def test_an_error_of_a_later_task_waits_for_its_turn(read_ahead: ReadAhead) -> None:
    def fail(_: int) -> Task[int]:
        raise KeyError

    def failing() -> Iterator[Task[int]]:
        return map(fail, [1])

    def failing_later() -> Iterator[Task[int]]:
        yield from numbers(1, [])
        raise ValueError

    later = [Ahead(SECOND, failing), Ahead(THIRD, failing_later)]
    first = read_ahead.in_order(numbers(5, []), FIRST, following(*later))
    assert list(first) == [0, 1, 2, 3, 4]

    with pytest.raises(KeyError):
        list(read_ahead.in_order(failing(), SECOND, following(*later[1:])))
    third = read_ahead.in_order(failing_later(), THIRD)
    assert next(third) == 0
    with pytest.raises(ValueError):  # noqa: PT011 - it has no text
        next(third)


def test_a_task_that_is_passed_over_frees_its_places() -> None:
    done: list[int] = []
    read_ahead = ReadAhead(2, Clock())
    later = [
        Ahead(turn, partial(numbers, 5, done, start)) for turn, start in ((SECOND, 10), (THIRD, 20))
    ]
    list(read_ahead.in_order(numbers(1, done), FIRST, following(*later)))

    assert list(read_ahead.in_order(numbers(5, done, 20), THIRD)) == [20, 21, 22, 23, 24]
    read_ahead.close()


def test_all_lanes_together_keep_to_the_limit_of_requests_in_flight() -> None:
    lock = threading.Lock()
    under_way = most = 0

    def work() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        threading.Event().wait(0.002)
        with lock:
            under_way -= 1

    read_ahead = ReadAhead(3, Clock())
    turns = [Turn("stream", (number,)) for number in range(6)]
    ahead = [Ahead(turn, lambda: [Task(work)] * 4) for turn in turns]
    for position, each in enumerate(ahead):
        list(read_ahead.in_order(each.tasks(), each.turn, following(*ahead[position + 1 :])))

    assert most == 3
    read_ahead.close()


def test_with_one_request_in_flight_nothing_begins_before_its_turn() -> None:
    threads: list[int] = []
    read_ahead = ReadAhead(1, Clock())
    task = Task(lambda: threads.append(threading.get_ident()))
    later = Ahead(SECOND, lambda: [task])

    list(read_ahead.in_order([task], FIRST, following(later)))

    assert threads == [threading.get_ident()]
    assert read_ahead.run(threading.get_ident) == threading.get_ident()


def asked(sandbox: Sandbox) -> Counter[str]:
    """How often each request was made, but for those that ask whether a report is ready."""
    counted = Counter(
        f"{each.method} {each.path}?{each.query_string}"
        for each in sandbox.requests
        if not each.query_string.startswith(("token=", "X-Expires="))
    )
    sandbox.requests.clear()
    return counted


def messages(result: Run) -> list[dict[str, Any]]:
    """The messages without STATE: a longer run writes more of those."""
    return [
        {name: value for name, value in message.items() if name != "time_extracted"}
        for message in result.messages
        if message["type"] != "STATE"
    ]


def test_reading_ahead_makes_the_same_requests_of_all_streams_and_writes_the_same_messages() -> (
    None
):
    size = WorldSize(
        accounts=2, empty_accounts=0, campaigns=1, ad_groups=2, ads=6, boards=1, pins=2
    )
    with Sandbox(seed=7, today=TODAY, size=size, access_tier="unlimited") as sandbox:
        config = settings(sandbox, **{**EVERYTHING, "start_date": "2 days ago"})
        one_by_one = run({**config, "max_requests_in_flight": 1})
        requests = asked(sandbox)
        ahead = run({**config, "max_requests_in_flight": 8})
        calls = [each.as_dict() for each in sandbox.requests if each.category]
        requests_ahead = asked(sandbox)

    assert len(one_by_one.records("ad_analytics")) > 10
    assert messages(ahead) == messages(one_by_one)
    assert ahead.state == one_by_one.state
    assert requests_ahead == requests
    assert Counter(call["operation"] for call in calls) == fewest_calls(calls)
    twice = [name for name, times in requests.items() if times > 1]
    assert [name for name in twice if not name.startswith("POST ")] == []


def test_lists_of_several_accounts_are_read_at_once(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first account finds out what all share; those after it do not wait for each other.
    others = threading.Barrier(2, timeout=10)
    seen: list[str] = []
    get = PinterestClient.get

    def get_together(self: PinterestClient, path: str, *arguments: Any, **more: Any) -> Any:
        if path.endswith("/campaigns"):
            seen.append(more["ids"]["ad_account_id"])
            if len(seen) in {2, 3}:
                others.wait()
        return get(self, path, *arguments, **more)

    monkeypatch.setattr(PinterestClient, "get", get_together)
    result = run(settings(sandbox, start_date="5 days ago"), "campaign_analytics")

    assert result.code == 0
    assert len(set(seen)) >= 3


def test_a_list_that_is_too_long_to_be_kept_goes_on_in_its_turn(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "PAGE_SIZE", 1)
    whole = run(settings(sandbox, max_requests_in_flight=1), "pins").records("pins")
    monkeypatch.setattr(inventory, "KEPT_AHEAD", 0)
    second_page, pages = threading.Event(), []
    get = PinterestClient.get

    def get_ahead(self: PinterestClient, path: str, *arguments: Any, **more: Any) -> Any:
        if path == "/pins":
            pages.append(more["query"])
            if len(pages) == 2:
                second_page.set()
        elif path == "/boards":
            assert second_page.wait(10)
        return get(self, path, *arguments, **more)

    monkeypatch.setattr(PinterestClient, "get", get_ahead)
    result = run(settings(sandbox), "boards", "pins")

    assert len(pages) > 3
    assert result.records("pins") == whole


def test_the_next_stream_begins_while_one_is_read(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=10)
    begun: set[str] = set()
    get = PinterestClient.get

    def get_together(self: PinterestClient, path: str, *arguments: Any, **more: Any) -> Any:
        if path in {"/boards", "/pins"} and path not in begun:
            begun.add(path)
            both.wait()
        return get(self, path, *arguments, **more)

    monkeypatch.setattr(PinterestClient, "get", get_together)
    result = run(settings(sandbox), "boards", "pins")

    assert result.code == 0
    assert result.records("boards")


def test_an_account_that_fails_ahead_of_its_turn_disturbs_no_other(sandbox: Sandbox) -> None:
    config = settings(sandbox)
    whole = run(config, "campaign_analytics").records("campaign_analytics")
    accounts = list(dict.fromkeys(record["ad_account_id"] for record in whole))
    sandbox.requests.clear()
    sandbox.fail(f"/ad_accounts/{accounts[1]}/campaigns", status=500, times=None)
    result = run(config, "campaign_analytics")

    kept = [record for record in whole if record["ad_account_id"] != accounts[1]]
    assert result.records("campaign_analytics") == kept
    assert list(result.tap.run.summary.streams["campaign_analytics"].failures) == [accounts[1]]
    tried = [each for each in sandbox.requests if each.path.endswith(f"{accounts[1]}/campaigns")]
    assert len(tried) == ATTEMPTS


def pausing(made: list[str], name: str, *pauses: float) -> Generator[float, None, str]:
    for number, pause in enumerate(pauses):
        made.append(f"{name}{number}")
        yield pause
    return name


@pytest.mark.parametrize("in_flight", [1, 3])
def test_a_task_that_pauses_gives_its_result_in_its_place(in_flight: int) -> None:
    read_ahead = ReadAhead(in_flight, PatientClock())
    made: list[str] = []
    tasks = [
        Task(with_pauses(pausing(made, "a", 30.0, 60.0))),
        Task(partial(str, "b")),
        Task(with_pauses(pausing(made, "c", 5.0))),
    ]

    assert list(read_ahead.in_order(tasks)) == ["a", "b", "c"]
    assert sorted(made) == ["a0", "a1", "c0"]
    read_ahead.close()


def test_a_pausing_task_takes_no_place_among_the_requests() -> None:
    read_ahead = ReadAhead(2, PatientClock())
    made: list[str] = []
    tasks = [Task(with_pauses(pausing(made, name, 60.0, 60.0))) for name in "abcdef"]

    assert list(read_ahead.in_order(tasks)) == list("abcdef")
    assert {name[0] for name in made[:4]} == {"a", "b", "c", "d"}
    read_ahead.close()


def test_an_error_after_a_pause_ends_the_results() -> None:
    def failing() -> Generator[float, None, str]:
        yield 1.0
        raise ValueError

    read_ahead = ReadAhead(2, PatientClock())
    with pytest.raises(ValueError):  # noqa: PT011 - it has no text
        list(read_ahead.in_order([Task(with_pauses(failing()))]))
    read_ahead.close()


def test_a_category_that_waits_for_quota_leaves_the_others_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time = simulate(monkeypatch)
    read_ahead = ReadAhead(2, time)
    done: list[float] = []

    def wait_for_quota() -> None:
        time.sleep(60)

    def answer() -> None:
        time.pass_by(1)
        done.append(time.time)

    begun = time.time
    lists = Ahead(Turn("lists", category="read"), lambda: [Task(answer)] * 10)
    reports = read_ahead.in_order(
        [Task(wait_for_quota)] * 4, Turn("reports", category="reports"), {"read": iter([lists])}
    )
    next(reports)

    assert len(done) == 10
    assert max(done) - begun < 6


def test_each_category_has_a_call_under_way_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    time = simulate(monkeypatch)
    read_ahead = ReadAhead(2, time)
    begun: list[float] = []

    def answer() -> None:
        begun.append(time.time)
        time.pass_by(1)

    first = time.time
    later = {
        name: iter([Ahead(Turn(name, category=name), lambda: [Task(answer)])]) for name in "abc"
    }
    tasks = [Task(partial(time.pass_by, 1))] * 20
    list(read_ahead.in_order(tasks, Turn("reports", category="reports"), later))

    assert begun == [first, first, first]


def test_work_ahead_holds_a_quarter_of_the_bytes_while_earlier_work_remains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time = simulate(monkeypatch)
    read_ahead = ReadAhead(8, time)
    ahead: list[float] = []
    now = Turn("now", category="now")
    tasks = [Task(partial(time.pass_by, 1), MAX_BYTES // 4)] * 9
    large = Task(lambda: ahead.append(time.time), MAX_BYTES // 16)
    later = Ahead(Turn("later", category="later"), lambda: [large] * 9)
    results = read_ahead.in_order(tasks, now, {"later": iter([later])})
    next(results)
    next(results)
    assert len(ahead) == 4

    results.close()  # type: ignore[attr-defined]
    read_ahead.close()


def test_a_finished_task_keeps_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    time = simulate(monkeypatch)
    read_ahead = ReadAhead(8, time)
    ahead: list[float] = []
    task = Task(lambda: ahead.append(time.time), MAX_BYTES // 4, held=lambda _: 0)
    later = Ahead(Turn("later", category="later"), lambda: [task] * 9)
    tasks = [Task(partial(time.pass_by, 1))] * 9
    list(read_ahead.in_order(tasks, Turn("now", category="now"), {"later": iter([later])}))

    assert len(ahead) == 9


def test_reports_in_preparation_do_not_delay_other_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time = simulate(monkeypatch)
    read_ahead = ReadAhead(8, time)
    done: list[float] = []

    def preparing() -> Generator[float, None, None]:
        yield 600.0

    begun = time.time
    reports = [Task(with_pauses(preparing())) for _ in range(MOST_WAITING)]
    lists = Ahead(
        Turn("lists", category="read"), lambda: [Task(lambda: done.append(time.time))] * 9
    )
    now = Turn("reports", category="reports")
    next(read_ahead.in_order(reports, now, {"read": iter([lists])}))

    assert done == [begun] * 9
