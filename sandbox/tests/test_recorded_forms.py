"""Recorded answers of the live API: the sandbox's answers have each form that they have.

The recordings are not part of the repository, and the tests skip where they are not at hand.
"""

from __future__ import annotations

import functools
import json
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pinterest_sandbox import Sandbox, WorldSize, api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conftest import Client

REAL = Path(__file__).resolve().parents[3] / "shared" / "real"
TODAY = date(2026, 11, 20)
SIZE = WorldSize(accounts=4, account_records=8)
DATE = re.compile(r"\d{4}-\d\d-\d\d")
TEXTS = {
    "digits": re.compile(r"\d+"),
    "day": DATE,
    "second": re.compile(rf"{DATE.pattern}T\d\d:\d\d:\d\d"),
    "fraction of a second": re.compile(rf"{DATE.pattern}T\d\d:\d\d:\d\d\.\d+"),
    "nothing": re.compile(r""),
}


Form = tuple[str, str]

WEEK = {"start_date": "2026-11-12", "end_date": "2026-11-19"}
FIXED: Mapping[str, dict[str, Any]] = {
    "GET /ad_accounts/{ad_account_id}/ad_groups/analytics": {
        **WEEK,
        "columns": ["SPEND_IN_MICRO_DOLLAR"],
        "granularity": "DAY",
    },
    "GET /ad_accounts/{ad_account_id}/campaigns/analytics": {
        **WEEK,
        "columns": ["SPEND_IN_MICRO_DOLLAR"],
        "granularity": "DAY",
    },
    "GET /resources/metrics_ready_state": {"date": "2026-11-18"},
    "GET /search/boards": {"query": "a"},
    "GET /terms/related": {"terms": ["coffee"]},
    "GET /terms/suggested": {"term": "sport"},
    "GET /trends/product_categories/details": {"product_categories": ["APRONS", "ANKLETS"]},
    "GET /user_account/analytics": WEEK,
    "GET /user_account/analytics/top_pins": {**WEEK, "sort_by": "ENGAGEMENT"},
    "GET /user_account/analytics/top_video_pins": {**WEEK, "sort_by": "IMPRESSION"},
}


class Recording(NamedTuple):
    """A recorded call: operation, parameters, status and body of the answer."""

    key: str
    query: dict[str, str]
    status: int
    body: Any


def recordings() -> Iterator[tuple[str, Recording]]:
    for file in sorted(REAL.glob("*.json")) if REAL.is_dir() else ():
        found = json.loads(file.read_text("utf-8"))
        if isinstance(found, dict) and "request" in found:
            request = found["request"]
            key = described(f"{request['method']} {request['path'].removeprefix('/v5')}")
            yield (
                file.stem,
                Recording(key, request["params"] or {}, found["status"], found["response"]),
            )


def described(call: str) -> str:
    """The operation that a call is one of."""
    patterns = {key: re.sub(r"\{\w+\}", "[^/]+", key) for key in api.operations()}
    return min(
        (key for key, pattern in patterns.items() if re.fullmatch(pattern, call)),
        key=lambda key: key.count("{"),
    )


def forms(value: Any, place: str = "") -> Iterator[Form]:
    """The places in an answer, each with the type of what is there."""
    if isinstance(value, dict):
        yield place, "object"
        for name, member in value.items():
            yield from forms(member, f"{place}.{'DATE' if DATE.fullmatch(name) else name}")
    elif isinstance(value, list):
        yield place, "list"
        for each in value:
            yield from forms(each, f"{place}[]")
    elif isinstance(value, str):
        kinds = (kind for kind, pattern in TEXTS.items() if pattern.fullmatch(value))
        yield place, next(kinds, "text")
    else:
        yield place, type(value).__name__


RECORDINGS = dict(recordings())
pytestmark = pytest.mark.skipif(not RECORDINGS, reason="the recorded answers are not here")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=7, size=SIZE, access_tier="unlimited", today=TODAY) as sandbox:
        yield sandbox


def calls_of(sandbox: Sandbox, key: str) -> Iterator[dict[str, Any]]:
    """The parameters of calls that have all records of an operation between them."""
    listed, _, name = key.rstrip("}").rpartition("/{")
    if name.endswith("_id") and listed in api.operations():
        for values, record in sandbox.truth(listed):
            yield {**values, name: record.get("id") or record[name]}
    else:
        accounts = [account.id for account in sandbox.world.ad_accounts]
        optional = "ad_account_id" in api.operation(key).parameters and "{ad" not in key
        for account in (None, *accounts) if optional else (None,):
            fixed = {**FIXED.get(key, {}), **({"ad_account_id": account} if account else {})}
            yield from (values for values, _ in sandbox.truth(key, **fixed))


@pytest.fixture(scope="module")
def shown(sandbox: Sandbox, connect: Callable[[Sandbox], Client]) -> Callable[[str], set[Form]]:
    """The forms in all answers of the sandbox to an operation."""
    client = connect(sandbox)

    @functools.cache
    def forms_in(key: str) -> set[Form]:
        calls = {json.dumps(values, default=str): values for values in calls_of(sandbox, key)}
        return {
            form
            for values in calls.values()
            for body in client.answers(key, values)
            for form in forms(body)
        }

    return forms_in


@pytest.mark.parametrize("name", [name for name, each in RECORDINGS.items() if each.status == 200])
def test_the_sandbox_answers_with_each_form_of_a_recorded_answer(
    shown: Callable[[str], set[Form]], name: str
) -> None:
    recording = RECORDINGS[name]

    assert set(forms(recording.body)) - shown(recording.key) == set()
