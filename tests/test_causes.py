"""One line for each cause at the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conftest import TODAY
from pinterest_sandbox import Sandbox
from singer_run import run, settings
from tap_pinterest.run.causes import Remark, phrases

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

AWAY: dict[str, Any] = {"status": 500, "times": None}


def of(remarks: Sequence[tuple[str, str, str]]) -> list[str]:
    return list(phrases(Remark(*each) for each in remarks))


def test_streams_and_accounts_with_one_cause_share_a_line() -> None:
    causes = [
        ("ads", "1", "GET /ads: 500 Oops. [request 7]"),
        ("campaigns", "1", "GET /campaigns: 500 Oops. [request 8]"),
        ("ads", "2", "GET /ads: 500 Oops. [request 9]"),
        ("campaigns", "2", "GET /campaigns: 500 Oops."),
        ("boards", "user 12", "1 of its parts failed (days 1; id 2): GET /boards: 500 Oops."),
        ("pins", "", "GET /pins: 403 No access. [request 4]"),
    ]

    assert of(causes) == [
        "ads, campaigns of ad accounts 1, 2; boards of user 12: GET /ads: 500 Oops. [request 7]",
        "pins: GET /pins: 403 No access. [request 4]",
    ]


def test_a_scope_that_the_token_lacks_is_one_cause_whatever_else_streams_need() -> None:
    causes = [
        ("ads", "", "GET /ads: 401 No. It needs the scope a; the token lacks a"),
        ("metrics", "", "GET /metrics: 401 No. It needs the scope a and b; the token lacks a"),
        ("boards", "", "GET /boards: 401 No. It needs the scope b; the token lacks b"),
    ]

    assert [line.partition(":")[0] for line in of(causes)] == ["ads, metrics", "boards"]


def test_a_line_of_many_streams_and_accounts_says_how_many_more_there_are() -> None:
    causes = [(f"s{n}", f"{account}", "No.") for n in range(25) for account in range(9)]

    (line,) = of(causes)
    assert line.startswith("s0, s1, s2, ")
    assert line.endswith(" and 5 more of ad accounts 0, 1, 2, 3, 4 and 4 more: No.")


def test_several_users_are_named_like_several_ad_accounts() -> None:
    causes = [("boards", f"user {number}", "No.") for number in range(7)]

    assert of(causes) == ["boards of users 0, 1, 2, 3, 4 and 2 more: No."]


def test_what_fails_for_all_streams_of_an_account_is_one_line(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    first = sandbox.world.ad_accounts[0].id
    sandbox.fail(f"/ad_accounts/{first}/*", **AWAY)

    result = run(settings(sandbox, start_date="2 days ago", stream_groups="ads"))

    assert result.code == 1
    (line,) = (each for each in caplog.messages if each.startswith("FAILED"))
    failed = [name for name, part in result.tap.run.summary.streams.items() if part.failures]
    assert len(failed) > 4
    assert line.startswith(f"FAILED {', '.join(failed)} of ad account {first}: ")


def test_a_missing_scope_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    scopes = ("boards:read", "pins:read", "user_accounts:read")
    with Sandbox(seed=4, today=TODAY, scopes=scopes) as sandbox:
        run(settings(sandbox, start_date="2 days ago"))

    (line,) = (each for each in caplog.messages if each.startswith(("FAILED", "Skipped")))
    assert line.startswith("Skipped ad_account_analytics, ad_accounts, ad_analytics, ")
    assert line.endswith(
        "the token lacks ads:read: sign in with tap-pinterest-login, which asks for it"
    )
