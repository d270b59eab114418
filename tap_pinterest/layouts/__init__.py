"""The layouts: each is an object, and no code compares its name."""

from __future__ import annotations

from collections.abc import Mapping

from tap_pinterest.layouts.daasity import DAASITY
from tap_pinterest.layouts.layout import Layout, Naming

__all__ = ["LAYOUTS", "NAMINGS", "PINTEREST", "Layout", "Naming"]

PINTEREST = Layout("pinterest", "Pinterest")
LAYOUTS: Mapping[str, Layout] = {each.name: each for each in (PINTEREST, DAASITY)}
"""The values of the setting `layout`."""
NAMINGS: Mapping[str, Naming] = {
    each.name: each for each in (Naming("api"), Naming("display", are_displayed=True))
}
"""The values of the setting `column_names`."""
