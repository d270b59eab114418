"""Ad accounts and users that a run leaves out: by its config, or because they are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import RetriableAPIError

from tap_pinterest.clock import Interrupted
from tap_pinterest.http.errors import GoneError
from test_datasets import Answers, items
from test_datasets import run as run_with

if TYPE_CHECKING:
    from singer_run import Run

STREAM = "board_counts_daily"
TOKEN, OWNER, OF_SHARED = "11", "22", "33"
BOTH = {"organic_accounts": "both"}
OWNERS = {"organic_accounts": "ad_account_owners"}
TOKEN_USER = {"organic_accounts": "token_user"}
WITHOUT_SHARED = {"include_shared_accounts": False}


def pinterest(*owners: str, user: str = TOKEN) -> Answers:
    """Ad accounts of some owners; that of `OF_SHARED` is shared with the token's user."""
    accounts = {owner: {"id": f"9{owner}", "owner": {"id": owner}} for owner in owners}

    def listed(include_shared_accounts: bool, **_: Any) -> Any:  # noqa: FBT001 - a parameter
        wanted = (
            each
            for owner, each in accounts.items()
            if include_shared_accounts or owner != OF_SHARED
        )
        return items(*wanted)

    def one(ad_account_id: str) -> Any:
        known = {each["id"]: each for each in accounts.values()}
        return known.get(ad_account_id) or GoneError("404")

    own = {"id": user, "username": "one", "account_type": "BUSINESS"}
    return Answers(
        {"/ad_accounts": listed, "/ad_accounts/{ad_account_id}": one, "/user_account": own}
    )


def read(answers: Answers, state: Any = None, *streams: str, **config: Any) -> Run:
    """A run that finds out who the token's user is, as the profile is one of its streams."""
    return run_with(answers, "user_account", *(streams or [STREAM]), state=state, **config)


def gone(ended: Run) -> set[str]:
    """The ad accounts and users that the run misses."""
    parts = ended.tap.run.summary.streams.values()
    found = {name: reason for part in parts for name, reason in part.failures.items()}
    assert all("Pinterest no longer lists it" in reason for reason in found.values())
    assert ended.code == bool(found)
    return {name.removeprefix("user ") for name in found}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OWNERS, TOKEN_USER),
        (BOTH, TOKEN_USER),
        (BOTH, OWNERS),
        (BOTH, BOTH | WITHOUT_SHARED),
        (OWNERS, OWNERS | WITHOUT_SHARED),
        (OWNERS, TOKEN_USER | WITHOUT_SHARED),
        (BOTH, BOTH | {"exclude_ad_account_ids": ["922"]}),
        (BOTH, OWNERS | {"ad_account_ids": ["922"]}),
    ],
)
def test_what_the_config_leaves_out_is_not_gone(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    answers = pinterest(OWNER, OF_SHARED)
    first = read(answers, **before)
    assert len(first.state["bookmarks"][STREAM]["partitions"]) > 1

    second = read(answers, first.state, **after)
    assert gone(second) == set()
    assert gone(read(answers, second.state, **after)) == set()


@pytest.mark.parametrize(
    ("setting", "there", "missed"),
    [
        (BOTH, pinterest(OWNER), {OF_SHARED}),
        (OWNERS, pinterest(OWNER), {OF_SHARED}),
        (TOKEN_USER, pinterest(OWNER), {OF_SHARED}),
        (TOKEN_USER, pinterest(OWNER, OF_SHARED, user="44"), {TOKEN}),
        (BOTH | WITHOUT_SHARED, pinterest(OF_SHARED), {OWNER}),
    ],
)
def test_a_user_whom_pinterest_no_longer_shows_is_missed_whatever_the_config_leaves_out(
    setting: dict[str, Any], there: Answers, missed: set[str]
) -> None:
    first = read(pinterest(OWNER, OF_SHARED), **BOTH)

    assert gone(read(there, first.state, **setting)) == missed


def test_nobody_is_missed_while_pinterest_does_not_say_who_is_there() -> None:
    first = read(pinterest(OWNER), **BOTH)
    silent = pinterest(OWNER)
    silent.answers["/ad_accounts"] = RetriableAPIError("500")

    assert gone(read(silent, first.state, **TOKEN_USER)) == set()


def test_a_run_that_leaves_nobody_out_lists_the_ad_accounts_once() -> None:
    first = read(pinterest(OWNER), **BOTH)
    again = pinterest(OWNER)
    read(again, first.state, **BOTH)

    assert again.calls["/ad_accounts"] == 1


@pytest.mark.parametrize("path", ["/ad_accounts/{ad_account_id}", "/ad_accounts"])
def test_a_signal_at_the_end_of_a_run_ends_the_search_for_what_is_gone(path: str) -> None:
    streams = (STREAM, "ad_creatives")
    first = read(pinterest(OWNER, OF_SHARED), None, *streams, **BOTH)
    stopped = pinterest(OWNER, OF_SHARED)
    known = stopped.answers[path]

    def interrupted(**how: Any) -> Any:
        if how.get("include_shared_accounts", True):
            raise Interrupted
        return known(**how)

    stopped.answers[path] = interrupted
    again = read(stopped, first.state, *streams, **BOTH | WITHOUT_SHARED)

    assert stopped.calls[path] > (path == "/ad_accounts")
    assert gone(again) == set()
