"""The loaders of `meltano.yml`: what the documented commands install and set."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from meltano.core.utils import nest_object
from ruamel.yaml import YAML

from scripts.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping


@functools.cache
def loaders() -> dict[str, dict[str, Any]]:
    """All loaders, by name."""
    document = YAML(typ="safe").load(ROOT / "meltano.yml")
    return {each["name"]: each for each in document["plugins"]["loaders"]}


def packages(loader: str) -> list[str]:
    """The packages that Meltano installs for a loader."""
    return str(loaders()[loader].get("pip_url", "")).split()


def settings(loader: str, place: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a loader gets from Meltano.

    Args:
        loader: Its name.
        place: What somebody sets who uses it: where to load, and as whom.
    """
    declared = _values(loader)
    unknown = place.keys() - declared.keys()
    assert not unknown, f"Meltano does not know {unknown} of {loader}"
    set_ = {name: value for name, value in {**declared, **place}.items() if value is not None}
    return dict(nest_object(set_))


def _values(loader: str) -> dict[str, Any]:
    plugin = loaders()[loader]
    inherited = _values(plugin["inherit_from"]) if "inherit_from" in plugin else {}
    own = {each["name"]: each.get("value") for each in plugin.get("settings", ())}
    return {**inherited, **own, **plugin.get("config", {})}
