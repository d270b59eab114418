"""How answers look where the description leaves it open, or where live answers differ from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from pinterest_sandbox.files import Layout
    from pinterest_sandbox.refusals import ClosedStatus
    from pinterest_sandbox.reports import HourStyle

MixStyle: TypeAlias = Literal["wrapped", "flat"]
"""With `data` inside, as in 5.23, or without, as in 5.28."""
FieldStyle: TypeAlias = Literal["live", "described"]
"""Whether records have the fields of recorded answers, or only those of the description."""
TimeStyle: TypeAlias = Literal["described", "seconds", "milliseconds", "microseconds"]
"""In which unit numbers count from 1970: each in its own, or all in one."""
SavedPins: TypeAlias = Literal["refused", "counted"]
"""Whether a user's own Pins that were saved from another have numbers."""


class Style(msgspec.Struct, frozen=True):
    """How answers look."""

    hours: HourStyle = "iso"
    layout: Layout = "by account"
    """The layout of downloads in JSON."""
    mmm: MixStyle = "wrapped"
    """The form of answers about marketing-mix reports."""
    fields: FieldStyle = "live"
    times: TimeStyle = "described"
    saved_pins: SavedPins = "counted"
    closed: ClosedStatus = 401
    """The status that refuses what the app was not given."""
    created: Literal[200, 201] = 201
    """The status of an answer that something was created."""
