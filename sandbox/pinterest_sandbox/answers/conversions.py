"""Conversion tags, their events and how good those are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox import specimens
from pinterest_sandbox.answers.entities import of
from pinterest_sandbox.chance import Draws
from pinterest_sandbox.kinds import conversions as kinds

if TYPE_CHECKING:
    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.paging import Listing

_SCORE: Final = "EventQualityScore"
_SOURCES: Final = (("WEB", "TAG"), ("WEB", "CONVERSIONS_API"), ("MOBILE_IOS", "MMP"))
_DELETED: Final = "ARCHIVED"
_EVENTS: Final = ("checkout", "add_to_cart", "page_visit")


def tags(call: Call) -> dict[str, Any]:
    """Tags; archived ones too unless they are filtered out."""
    records = [tag.record() for tag in call.readable_ad_account().all(kinds.CONVERSION_TAGS)]
    if call.values["filter_deleted"]:
        records = [record for record in records if record["status"] != _DELETED]
    return {"items": records}


def eligible_events(call: Call) -> dict[str, list[dict[str, Any]]]:
    """By tag, the events that a campaign may be optimized for."""
    return {
        tag.id: [event.record() for event in tag.all(kinds.ELIGIBLE)]
        for tag in call.readable_ad_account().all(kinds.CONVERSION_TAGS)
    }


def page_visits(call: Call) -> Listing[Any]:
    """Page visit events of all tags."""
    tags = call.in_order(call.readable_ad_account().all(kinds.CONVERSION_TAGS))
    return of([event for tag in tags for event in tag.all(kinds.PAGE_VISITS)])


def quality_scores(call: Call) -> list[dict[str, Any]]:
    """Scores of how well events match people, by the events' source and way of sending."""
    account, values = call.readable_ad_account(), call.values
    if account.empty:
        return []
    period = values["lookback_period"]
    return [
        _score(Draws(call.world.seed, *account.parts, platform, way, period))
        | {"lookback_period": period, "source_platform": platform, "ingestion_source": way}
        for platform, way in _SOURCES
        if values["source_platform"] in (None, platform)
        and values["ingestion_source"] in (None, way)
    ]


def _score(draws: Draws) -> dict[str, Any]:
    """A score; its components have a part for each kind of event."""
    made = specimens.record(_SCORE, draws)
    made["quality_components"] = {
        component: dict(zip(_EVENTS, events.values(), strict=False))
        for component, events in made["quality_components"].items()
    }
    return made
