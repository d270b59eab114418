"""The layouts: each is an object, and no code compares its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tap_pinterest.layouts.daasity import DAASITY
from tap_pinterest.layouts.tables import Layout

__all__ = ["LAYOUTS", "NAMINGS", "PINTEREST", "Layout", "Naming"]


@dataclass(frozen=True)
class Naming:
    """The names of report columns, chosen by the setting `column_names`.

    Attributes:
        are_displayed: Whether they are the names in Ads Manager, which take a call.
    """

    name: str
    are_displayed: bool = False


PINTEREST = Layout("pinterest", "Pinterest")
LAYOUTS: Mapping[str, Layout] = {each.name: each for each in (PINTEREST, DAASITY)}
"""The values of the setting `layout`."""
NAMINGS: Mapping[str, Naming] = {
    each.name: each for each in (Naming("api"), Naming("display", are_displayed=True))
}
"""The values of the setting `column_names`."""
