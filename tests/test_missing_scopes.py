"""A missing scope, or an account of another kind: `--test` and a run say the same of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from conftest import SMALL, TODAY
from pinterest_sandbox import Sandbox
from singer_run import PatientTap, run, settings
from tap_pinterest.run.check import Check, asking
from tap_pinterest.streams import needed_scopes

if TYPE_CHECKING:
    from collections.abc import Callable

ALL = ("ads:read", "boards:read", "pins:read", "user_accounts:read")
SIZE = replace(SMALL, accounts=2, empty_accounts=0)
OF_BOARDS = {"boards", "board_counts_daily"}
OF_PINS = {"pins", "pin_metrics_daily"}
ORGANIC = OF_BOARDS | OF_PINS
ORGANIC |= {"user_account", "user_account_analytics", "user_account_metrics"}
CREATIVES = {"ad_creatives"}
ADS = {
    *("ad_account_analytics", "ad_accounts", "ad_analytics", "ad_group_analytics", "ad_groups"),
    *("ads", "campaign_analytics", "campaigns"),
}
FOR_ALL = {"delivery_metrics", "metrics_ready_state"}
NO_ANALYTICS = "Only business accounts have analytics."
PERSONAL = {"code": 654, "message": NO_ANALYTICS}


@dataclass(frozen=True)
class Case:
    """A token that may not read everything.

    Attributes:
        name: What it lacks.
        left_out: The streams that a run does without.
        missing: The streams that must arrive, and do not.
        reason: A text in the reason for each of these streams.
        scopes: The scopes of the token.
        code: The exit code.
        config: Settings beside the usual ones.
        personal: Whether the account has no analytics.
        before: Streams that an earlier run has read.
    """

    name: str
    left_out: frozenset[str] | set[str]
    missing: frozenset[str] | set[str] = frozenset()
    reason: str = "the token lacks"
    scopes: tuple[str, ...] = ALL
    code: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    personal: bool = False
    before: tuple[str, ...] = ()


WITHOUT_BOARDS = ("ads:read", "pins:read", "user_accounts:read")
WITHOUT_ADS = ("boards:read", "pins:read", "user_accounts:read")
ADS_ALONE = ("ads:read",)
CASES = (
    Case("one scope", OF_BOARDS | OF_PINS | CREATIVES, scopes=WITHOUT_BOARDS),
    Case("all scopes but one", ORGANIC | CREATIVES | {"delivery_metrics"}, scopes=ADS_ALONE),
    Case("the scope of ads", ADS | CREATIVES | FOR_ALL, scopes=WITHOUT_ADS),
    Case(
        "a scope of what an earlier run has read",
        OF_PINS | CREATIVES | {"board_counts_daily"},
        {"boards"},
        scopes=WITHOUT_BOARDS,
        before=("boards",),
        code=1,
    ),
    Case(
        "a scope of a report that an earlier run has read",
        ORGANIC - {"user_account_analytics"} | CREATIVES | {"delivery_metrics"},
        {"user_account_analytics"},
        scopes=ADS_ALONE,
        before=("user_account_analytics",),
        code=1,
    ),
    Case(
        "every scope that is asked for",
        ORGANIC - {"board_counts_daily"},
        {"board_counts_daily"},
        scopes=("catalogs:read",),
        config={"stream_groups": "organic"},
        code=1,
    ),
    Case("analytics", {"user_account_analytics"}, reason=NO_ANALYTICS, personal=True),
    Case(
        "analytics that an earlier run has read",
        set(),
        {"user_account_analytics"},
        reason=NO_ANALYTICS,
        personal=True,
        before=("user_account_analytics",),
        code=1,
    ),
)


def with_named_scopes(sandbox: Sandbox) -> dict[str, Any]:
    return settings(sandbox)


def without_named_scopes(sandbox: Sandbox) -> dict[str, Any]:
    """With an access token alone, only Pinterest's refusals say that it lacks a scope."""
    token = sandbox.credentials["access_token"]
    return {"api_url": sandbox.url, "token_file": "", "access_token": token}


@pytest.mark.parametrize("signed_in", [with_named_scopes, without_named_scopes])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_test_and_a_run_say_the_same_of_what_a_token_may_not_read(
    case: Case, signed_in: Callable[[Sandbox], dict[str, Any]]
) -> None:
    with Sandbox(
        seed=7, today=TODAY, size=SIZE, scopes=case.scopes, access_tier="unlimited"
    ) as sandbox:
        if case.personal:
            sandbox.fail("/user_account/analytics", status=403, body=PERSONAL, times=None)
        config = {**signed_in(sandbox), "start_date": "2 days ago", **case.config}
        state: dict[str, Any] = {"bookmarks": {name: {} for name in case.before}}

        outcomes, code = checked(config, state)
        result = run(config, state=state)

    parts = result.tap.run.summary.streams
    assert (code, result.code) == (case.code, case.code)
    assert outcomes == {
        **dict.fromkeys(case.left_out, "left out"),
        **dict.fromkeys(case.missing, "must be"),
    }
    assert {name for name, part in parts.items() if part.failures} == case.missing
    assert {name for name, part in parts.items() if part.skipped and not part.failures} == (
        case.left_out
    )
    for name in case.missing | case.left_out:
        reasons = [*parts[name].failures.values(), *parts[name].skipped.values()]
        assert any(case.reason in each for each in reasons), (name, reasons)


def checked(config: dict[str, Any], state: dict[str, Any]) -> tuple[dict[str, str], int]:
    """The line of `--test` for each stream that cannot be read, and its exit code."""
    lines: list[str] = []
    tap = PatientTap(config=config, state=state, setup_mapper=False)
    tap.run = asking(tap.run)
    code = Check(tap.run, needed_scopes(tap.run.settings.stream_groups)).report(lines.append)
    outcomes: dict[str, str] = {}
    for line in lines:
        name = line.partition(" ")[0]
        if "cannot be read" in line and "left out" in line:
            outcomes.setdefault(name, "left out")
        elif "CANNOT be read" in line:
            outcomes[name] = "must be"
    return outcomes, code
