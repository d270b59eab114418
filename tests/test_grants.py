"""One question for each ad account, and no waiting once it is answered."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from singer_sdk.exceptions import FatalAPIError

from tap_pinterest.clock import Clock
from tap_pinterest.http.errors import AccessRefusedError, NotOfferedError
from tap_pinterest.reading.read_ahead import ReadAhead
from tap_pinterest.run.grants import Grants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 10


@pytest.fixture
def grants() -> Grants:
    return Grants(ReadAhead(2, Clock()))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def refused(error: Exception = AccessRefusedError("no reports")) -> Callable[[], str]:  # noqa: B008 - never changed
    def order() -> str:
        raise error

    return order


def unasked() -> str:
    pytest.fail("asked in vain")


def test_an_order_that_waits_for_the_first_one_gets_the_same_refusal(
    grants: Grants, pool: ThreadPoolExecutor
) -> None:
    asked, answered = threading.Event(), threading.Event()

    def first() -> str:
        asked.set()
        assert answered.wait(SECONDS)
        return refused()()

    of_first = pool.submit(grants.ask, "1", first, for_all=True)
    assert asked.wait(SECONDS)
    of_second = pool.submit(grants.ask, "1", unasked, for_all=True)
    answered.set()

    assert isinstance(of_first.exception(SECONDS), AccessRefusedError)
    assert of_second.exception(SECONDS) is of_first.exception() is grants.refusal("1")


def test_where_reports_are_granted_nobody_waits(grants: Grants, pool: ThreadPoolExecutor) -> None:
    answered = threading.Event()
    grants.ask("1", lambda: "first", for_all=True)
    of_second = pool.submit(grants.ask, "1", lambda: answered.wait(SECONDS), for_all=True)

    assert grants.ask("1", lambda: "third", for_all=True) == "third"
    answered.set()
    assert of_second.result(SECONDS)


def test_one_ad_account_does_not_wait_for_another(grants: Grants, pool: ThreadPoolExecutor) -> None:
    answered = threading.Event()
    of_one = pool.submit(grants.ask, "1", lambda: answered.wait(SECONDS), for_all=True)

    assert grants.ask("2", lambda: "of another", for_all=True) == "of another"
    answered.set()
    assert of_one.result(SECONDS)


@pytest.mark.parametrize(
    ("order", "for_all"),
    [
        pytest.param(refused(), False, id="refused for what it asks for"),
        pytest.param(refused(NotOfferedError("not this level")), True, id="not offered"),
        pytest.param(refused(FatalAPIError("no such column")), True, id="wrong"),
    ],
)
def test_a_refusal_of_one_report_does_not_stand_for_all_reports(
    grants: Grants,
    order: Callable[[], str],
    for_all: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    with pytest.raises((AccessRefusedError, NotOfferedError, FatalAPIError)):
        grants.ask("1", order, for_all=for_all)

    assert grants.refusal("1") is None
    assert grants.ask("1", lambda: "another", for_all=True) == "another"
