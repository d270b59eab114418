"""Boards, their sections, and the Pins on them."""

from __future__ import annotations

from types import MappingProxyType

from tap_pinterest.reading.calls import Each
from tap_pinterest.reading.contexts import Users
from tap_pinterest.streams.bases.dataset import DatasetStream


class Boards(DatasetStream):
    """Boards that a user owns or works on, secret ones if the token may see them.

    Source: GET /boards.
    """

    name = "boards"
    path = "/boards"
    contexts = Users()
    group = "organic"
    primary_keys = ("id",)
    id_filters = MappingProxyType({"board_ids": "id"})


class BoardSections(DatasetStream):
    """Sections of a board.

    Source: GET /boards/{board_id}/sections.
    """

    name = "board_sections"
    path = "/boards/{board_id}/sections"
    contexts = Users()
    group = "boards"
    primary_keys = ("board_id", "id")
    per = (Each(Boards, board_id="id"),)
    parent_fields = ("board_id",)


class PinListStream(DatasetStream):
    """The list of the Pins that a user owns, including Pins on protected boards."""

    path = "/pins"
    contexts = Users()
    query = MappingProxyType({"include_protected_pins": True, "pin_metrics": True})
    parent_fields = ("is_owner", "parent_pin_id", "media.media_type")
    id_filters = MappingProxyType({"pin_ids": "id", "board_ids": "board_id"})


class Pins(PinListStream):
    """Pins that a user owns, also on others' boards, with numbers of 90 days and of all time.

    Source: GET /pins.
    """

    name = "pins"
    group = "organic"
    primary_keys = ("id",)


class BoardPins(DatasetStream):
    """All Pins on a board, also those that another user owns.

    Source: GET /boards/{board_id}/pins.
    """

    name = "board_pins"
    path = "/boards/{board_id}/pins"
    contexts = Users()
    group = "boards"
    primary_keys = ("board_id", "id")
    per = (Each(Boards, board_id="id"),)
    id_filters = MappingProxyType({"pin_ids": "id"})


class BoardSectionPins(DatasetStream):
    """Pins in a section of a board.

    Source: GET /boards/{board_id}/sections/{section_id}/pins.
    """

    name = "board_section_pins"
    path = "/boards/{board_id}/sections/{section_id}/pins"
    contexts = Users()
    group = "boards"
    primary_keys = ("board_id", "board_section_id", "id")
    per = (Each(BoardSections, board_id="board_id", section_id="id"),)
    columns = MappingProxyType({"section_id": "board_section_id"})
    id_filters = MappingProxyType({"pin_ids": "id"})


class PinProductTags(DatasetStream):
    """Products tagged in a Pin of the token's user. Unverified: known from API 5.28 only.

    Source: GET /pins/{pin_id}/product_tags.
    """

    name = "pin_product_tags"
    path = "/pins/{pin_id}/product_tags"
    group = "beta"
    primary_keys = ("pin_id", "product_pin_id")
    per = (Each(Pins, pin_id="id"),)
    inside = "product_tags"
    renamed = MappingProxyType({"pin_id": "product_pin_id"})


class Media(DatasetStream):
    """Videos that the token's user has uploaded for Pins.

    Source: GET /media.
    """

    name = "media"
    path = "/media"
    group = "boards"
    primary_keys = ("media_id",)
