"""Sections of boards, and the Pins that others put on shared ones."""

# ruff: noqa: ARG001  every `details` is called with the same three arguments
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox.collection import Kind

if TYPE_CHECKING:
    from pinterest_sandbox.chance import Draws
    from pinterest_sandbox.collection import Details, Member
    from pinterest_sandbox.world import Board


def _section(section: Member[Board], made: dict[str, Any], draws: Draws) -> Details:
    return {"name": section.label}


def section_of(board: Board, pin: int) -> str | None:
    """The section of a board that a Pin, by its running number, is in; every third is in none."""
    sections = board.all(SECTIONS).ids
    return sections[pin // 3 % len(sections)] if sections and pin % 3 else None


SECTIONS: Final[Kind[Board]] = Kind(
    "section",
    "BoardSection",
    lambda board: board.number % (board.world.size.sections + 1),
    _section,
    first_id=519_000_000_000_000_000,
)
GUEST_PINS: Final[Kind[Board]] = Kind(
    "guest pin",
    "Pin",
    lambda board: board.world.size.guest_pins if board.shared else 0,
    first_id=641_000_000_000_000_000,
)
