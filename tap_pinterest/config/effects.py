"""Finds settings that cannot have an effect, or that Pinterest is known to refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tap_pinterest.config.schema import CONFIG_SCHEMA, READ_BY
from tap_pinterest.config.settings import Settings
from tap_pinterest.config.values import normalised

_REPORTS_OF_ADS = frozenset({"ads", "products", "keywords", "targeting", "all"})
REFUSED_WINDOWS = frozenset(
    {(1, 30, 1), (1, 60, 1), (1, 60, 30), (14, 1, 1), (14, 1, 30), (14, 1, 60), (14, 30, 1)}
)
"""Click, engagement and view windows that Pinterest has refused to other users of the API. No
description names them, so the tap only warns."""
_BY_CUSTOM_REPORTS = frozenset({"product_group_ids", "targeting_types"})


def without_effect(config: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    """A sentence for each setting of the config that cannot have an effect.

    Args:
        config: The config as the user gave it.
        settings: The settings in force.
    """
    groups = {*settings.stream_groups}
    for name, value in normalised(config).items():
        readers = READ_BY.get(name)
        by_default = value == CONFIG_SCHEMA["properties"].get(name, {}).get("default")
        if readers is None or by_default or not value or groups & {*readers, "all"}:
            continue
        if not (settings.custom_reports and name in _BY_CUSTOM_REPORTS):
            listed = " or ".join(readers)
            yield f"{name} has no effect: stream_groups has no {listed}, whose streams read it."
    if settings.exclude_ad_account_ids and settings.ad_account_ids:
        yield "exclude_ad_account_ids has no effect: ad_account_ids names all accounts to read."
    if settings.lookback_days is not None and settings.granularities == ("TOTAL",):
        yield "lookback_days has no effect: granularities has TOTAL only, which has no bookmark."


def refused_windows(settings: Settings) -> Iterator[str]:
    """A sentence for each set of attribution windows that Pinterest is known to refuse."""
    if _REPORTS_OF_ADS.intersection(settings.stream_groups):
        yield from _refused_windows(settings, "")
    for report in settings.custom_reports:
        yield from _refused_windows(settings.of_report(report), f"custom_reports.{report.name}: ")


def _refused_windows(settings: Settings, where: str) -> Iterator[str]:
    windows = {
        f"{action}_window_days": getattr(settings, f"{action}_window_days")
        for action in ("click", "engagement", "view")
    }
    if tuple(windows.values()) in REFUSED_WINDOWS:
        named = ", ".join(f"{name} {days}" for name, days in windows.items())
        yield (
            f"{where}{named}: Pinterest is known to refuse these windows together; if it does, the "
            "reports fail. Equal windows go together, and so do the defaults 30, 30, 1."
        )
