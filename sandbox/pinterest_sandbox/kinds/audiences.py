"""Audiences, customer lists, and with whom audiences are shared."""

# ruff: noqa: ARG001  every `details` is called with the same three arguments
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox.collection import Kind
from pinterest_sandbox.kinds.ads import per_account

if TYPE_CHECKING:
    from pinterest_sandbox.chance import Draws
    from pinterest_sandbox.collection import Details, Member, Owner
    from pinterest_sandbox.kinds.ads import OfAccount
    from pinterest_sandbox.world import AdAccount

_TYPES: Final = ("CUSTOMER_LIST", "VISITOR", "ENGAGEMENT", "ACTALIKE", "PERSONA")


def _audience(audience: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    kind = _TYPES[audience.number % len(_TYPES)]
    rule = made.get("rule")
    if rule:
        rule.update(ad_account_id=audience.owner.id, retention_days=1 + draws.below(540))
        for untyped in ("event_source", "ingestion_source"):
            rule[untyped] = {"=": [draws.one_of(("web", "mmp", "tag"))]}
        if kind == "VISITOR" and draws.chance(0.5):
            # All that a rule about every visitor has.
            shown = {"retention_days", "visitor_source_id"}
            made["rule"] = {name: value for name, value in rule.items() if name in shown}
    return {
        "audience_type": kind,
        "type": "audience",
        "status": draws.one_of(("READY", "INITIALIZING", "TOO_SMALL")),
    }


def _received(audience: Member[Any], made: dict[str, Any], draws: Draws) -> Details:
    """Owned by an account that the token does not know."""
    return {
        "ad_account_id": audience.owner.world.foreign_account_id,
        "audience_type": draws.one_of(_TYPES),
        "type": "audience",
        "status": "READY",
    }


def _shared_with(account: Member[Any], made: dict[str, Any], draws: Draws) -> Details:
    kind = "AD_ACCOUNT" if account.kind is SHARED_WITH_AD_ACCOUNTS else "BUSINESS_ACCOUNT"
    return {"account_id": account.id, "account_name": account.label, "account_type": kind}


def _customer_list(customers: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    return {"type": "customerlist", "exceptions": {} if customers.number % 2 else {"rows": [3, 9]}}


def _segment(segment: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    audiences = segment.owner.all(AUDIENCES).ids
    return {"name": segment.label, "audience_ids": audiences[: draws.below(len(audiences) + 1)]}


def _half(account: AdAccount) -> int:
    return per_account(account) // 2


def _received_by(owner: Owner) -> int:
    return owner.world.size.members // 2


def _sharers(audience: Member[Any]) -> int:
    return audience.number % 3


AUDIENCES: Final[Kind[AdAccount]] = Kind("audience", "Audience", per_account, _audience)
RECEIVED_AUDIENCES: Final[Kind[AdAccount]] = Kind("received audience", "Audience", _half, _received)
AUDIENCES_OF_BUSINESS: Final[Kind[Any]] = Kind(
    "business audience", "Audience", _received_by, _received
)
SHARED_WITH_AD_ACCOUNTS: Final[Kind[Any]] = Kind(
    "shared ad account", "SharedAudienceAccount", _sharers, _shared_with
)
SHARED_WITH_BUSINESSES: Final[Kind[Any]] = Kind(
    "shared business", "SharedAudienceAccount", lambda owner: owner.number % 2, _shared_with
)
CUSTOMER_LISTS: Final[Kind[AdAccount]] = Kind(
    "customer list", "CustomerList", per_account, _customer_list
)
CUSTOMER_SEGMENTS: Final[Kind[AdAccount]] = Kind(
    "customer segment", "CustomerSegment", _half, _segment
)
