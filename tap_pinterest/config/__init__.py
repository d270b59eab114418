"""The tap's settings: what they are, what is wrong with a config, and what is in force.

Between `CONFIG_SCHEMA`, which users see, and `Settings`, which the code reads, stands `problems`:
a bad config is refused with all its faults at once.
"""

from __future__ import annotations

from tap_pinterest.config.days import Day
from tap_pinterest.config.faults import problems
from tap_pinterest.config.schema import (
    API_URL,
    CONFIG_SCHEMA,
    CONVERSION_QUALITY,
    GRANULARITIES,
    ORGANIC_FILTERS,
    OWN_SETTINGS,
    SLICE_ROWS,
    STREAM_GROUPS,
    TOP_PINS_SORTS,
    USER_SPLIT_FIELDS,
)
from tap_pinterest.config.settings import Settings
from tap_pinterest.config.values import from_environment, refusal

__all__ = [
    "API_URL",
    "CONFIG_SCHEMA",
    "CONVERSION_QUALITY",
    "GRANULARITIES",
    "ORGANIC_FILTERS",
    "OWN_SETTINGS",
    "SLICE_ROWS",
    "STREAM_GROUPS",
    "TOP_PINS_SORTS",
    "USER_SPLIT_FIELDS",
    "Day",
    "Settings",
    "from_environment",
    "problems",
    "refusal",
]
