"""How answers look where the description leaves it open, or where live answers differ from it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from pinterest_sandbox.files import Layout
from pinterest_sandbox.options import Option
from pinterest_sandbox.refusals import ClosedStatus
from pinterest_sandbox.reports import HourStyle

MixStyle: TypeAlias = Literal["wrapped", "flat"]
"""With `data` inside, as in 5.23, or without, as in 5.28."""
FieldStyle: TypeAlias = Literal["live", "described"]
"""Whether records have the fields of recorded answers, or only those of the description."""
TimeStyle: TypeAlias = Literal["described", "seconds", "milliseconds", "microseconds"]
"""In which unit numbers count from 1970: each in its own, or all in one."""
LastPage: TypeAlias = Literal["empty", "full"]
"""What ends lists of Pins and of found boards: a page without records, or the last with some."""
SavedPins: TypeAlias = Literal["refused", "counted"]
"""Whether a user's own Pins that were saved from another have numbers."""


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """How answers look."""

    hours: Annotated[HourStyle, Option("how rows name their hour")] = "iso"
    layout: Annotated[Layout, Option("of downloads in JSON")] = "by account"
    mmm: Annotated[MixStyle, Option("of answers about marketing-mix reports")] = "wrapped"
    times: Annotated[TimeStyle, Option("of numbers that count from 1970")] = "described"
    saved_pins: Annotated[
        SavedPins, Option("whether own Pins that were saved from another user have numbers")
    ] = "counted"
    last_page: Annotated[LastPage, Option("of the lists of Pins and of found boards")] = "empty"
    closed: Annotated[
        ClosedStatus,
        Option("the status that refuses an operation or parameter that the app was not given"),
    ] = 401
    created: Annotated[
        Literal[200, 201], Option("the status of an answer that something was created")
    ] = 201
    fields: Annotated[
        FieldStyle, Option("of records: as live answers have them, or only the described ones")
    ] = "live"
