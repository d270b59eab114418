"""Conversion tags and their events."""

# ruff: noqa: ARG001  every `details` is called with the same three arguments
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox import api
from pinterest_sandbox.collection import Kind
from pinterest_sandbox.kinds.ads import STATUSES, per_account

if TYPE_CHECKING:
    from pinterest_sandbox.chance import Draws
    from pinterest_sandbox.collection import Details, Member
    from pinterest_sandbox.kinds.ads import OfAccount
    from pinterest_sandbox.world import AdAccount

    OfTag = Member[Member[AdAccount]]

_MOST_EVENTS: Final = 4


def _tag(tag: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    return {
        "status": STATUSES[(tag.number + 1) % len(STATUSES)],
        "name": tag.label,
        "version": "3",
        "code_snippet": f"<script>pintrk('load', '{tag.id}');</script>\n",
    }


def _event(event: OfTag, made: dict[str, Any], draws: Draws) -> Details:
    """Each event of a tag is another one."""
    allowed = api.schema("ConversionEventResponse")["properties"]["conversion_event"]["enum"]
    kind = allowed[(event.owner.number + event.number) % len(allowed)]
    return {"conversion_tag_id": event.owner.id, "conversion_event": kind}


def _defined_event(event: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    kind = draws.one_of(("CHECKOUT", "LEAD", "SIGNUP")) if event.number % 3 else None
    return {"name": f"{event.label[:40]} #{event.number}", "mapped_conversion_type": kind}


def _deletion(request: OfAccount, made: dict[str, Any], draws: Draws) -> Details:
    processed = made.get("processed_time")
    if processed is None:
        return {"status": "PENDING"}
    created = made["created_time"]
    return {"created_time": min(created, processed), "processed_time": max(created, processed)}


CONVERSION_TAGS: Final[Kind[AdAccount]] = Kind("conversion tag", "ConversionTag", per_account, _tag)
PAGE_VISITS: Final[Kind[Member[AdAccount]]] = Kind(
    "page visit event", "ConversionEventResponse", lambda tag: tag.number % _MOST_EVENTS, _event
)
ELIGIBLE: Final[Kind[Member[AdAccount]]] = Kind(
    "eligible event", "ConversionEventResponse", lambda tag: 1 + tag.number % _MOST_EVENTS, _event
)
DEFINED_EVENTS: Final[Kind[AdAccount]] = Kind(
    "advertiser defined event",
    "GET /ad_accounts/{ad_account_id}/advertiser_defined_events",
    per_account,
    _defined_event,
)
DELETION_REQUESTS: Final[Kind[AdAccount]] = Kind(
    "deletion request",
    "ConversionDeletionRequest",
    per_account,
    _deletion,
    id_field="request_id",
)
