"""Boards, their sections, and the Pins on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from tap_pinterest.reading.call import Call
from tap_pinterest.reading.calls import Each
from tap_pinterest.reading.pages import Item
from tap_pinterest.streams.bases.dataset import DailyStream, DatasetStream

PIN_METRICS = "pin_metrics"
COUNTED = ("impression", "pin_click", "clickthrough", "save")
"""Numbers of a Pin that Pinterest has for both spans."""
SPANS: Mapping[str, tuple[str, ...]] = {
    "90d": COUNTED,
    "lifetime_metrics": (*COUNTED, "reaction", "comment"),
}
"""The spans of days for which Pinterest has numbers of a Pin, and the names of these numbers."""


class Boards(DatasetStream):
    """Boards that a user owns or works on; secret boards if the token may see them."""

    name = "boards"
    path = "/boards"
    group = "organic"
    id_filters = MappingProxyType({"board_ids": "id"})


class BoardCountsDaily(DailyStream, Boards):
    """The numbers of Pins, followers and collaborators of a board on the day of the run."""

    name = "board_counts_daily"
    primary_keys = ("board_id", "date")
    kept = ("id", "pin_count", "follower_count", "collaborator_count")
    renamed = MappingProxyType({"id": "board_id"})


class BoardSections(DatasetStream):
    """Sections of a board."""

    name = "board_sections"
    path = "/boards/{board_id}/sections"
    primary_keys = ("board_id", "id")
    per = (Each(Boards, board_id="id"),)
    parent_fields = ("board_id",)


class Pins(DatasetStream):
    """Pins that a user owns, also on others' boards, with numbers of 90 days and of all time."""

    name = "pins"
    path = "/pins"
    group = "organic"
    query = MappingProxyType({"include_protected_pins": True, "pin_metrics": True})
    parent_fields = ("is_owner", "parent_pin_id", "media.media_type")
    id_filters = MappingProxyType({"pin_ids": "id", "board_ids": "board_id"})


class PinMetricsDaily(DailyStream, Pins):
    """Numbers of a Pin over the last 90 days and over its whole life, as of the day of the run."""

    name = "pin_metrics_daily"
    primary_keys = ("pin_id", "date")
    kept = ("id", "board_id")
    renamed = MappingProxyType({"id": "pin_id"})

    @override
    def own_facts(self) -> Mapping[str, Any]:
        numbers = {
            _column(name, span): {"type": "number"}
            for span, names in SPANS.items()
            for name in names
        }
        return {"properties": {**super().own_facts()["properties"], **numbers}}

    @override
    def complete(self, record: Item, call: Call) -> dict[str, Any]:
        return super().complete(record, call) | dict(_numbers(record.get(PIN_METRICS)))


def _numbers(metrics: object) -> Iterator[tuple[str, Any]]:
    """The numbers of a Pin by column; a value of another shape under Pinterest's own name."""
    if not isinstance(metrics, dict):
        if metrics is not None:
            yield PIN_METRICS, metrics
        return
    for span, numbers in metrics.items():
        if not isinstance(numbers, dict):
            yield f"{PIN_METRICS}.{span}", numbers
            continue
        for name, number in numbers.items():
            yield _column(name, span), number


def _column(metric: str, span: str) -> str:
    return f"{metric}_{span.removesuffix('_metrics')}"


class BoardPins(DatasetStream):
    """All Pins on a board, also those that another user owns."""

    name = "board_pins"
    path = "/boards/{board_id}/pins"
    primary_keys = ("board_id", "id")
    per = (Each(Boards, board_id="id"),)
    id_filters = MappingProxyType({"pin_ids": "id"})


class BoardSectionPins(DatasetStream):
    """Pins in a section of a board."""

    name = "board_section_pins"
    path = "/boards/{board_id}/sections/{section_id}/pins"
    primary_keys = ("board_id", "board_section_id", "id")
    per = (Each(BoardSections, board_id="board_id", section_id="id"),)
    columns = MappingProxyType({"section_id": "board_section_id"})
    id_filters = MappingProxyType({"pin_ids": "id"})


class PinProductTags(DatasetStream):
    """Products tagged in a Pin of the token's user. Unverified: known from API 5.28 only."""

    name = "pin_product_tags"
    path = "/pins/{pin_id}/product_tags"
    group = "beta"
    primary_keys = ("pin_id", "product_pin_id")
    per = (Each(Pins, pin_id="id"),)
    inside = "product_tags"
    renamed = MappingProxyType({"pin_id": "product_pin_id"})


class Media(DatasetStream):
    """Videos that the token's user has uploaded for Pins."""

    name = "media"
    path = "/media"
    primary_keys = ("media_id",)
