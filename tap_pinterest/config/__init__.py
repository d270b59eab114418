"""The tap's settings: their schema, the faults of a config, and the settings in force.

Users see `CONFIG_SCHEMA`, and the code reads `Settings`. Between them, `problems` finds all faults
of a config at once.
"""

from __future__ import annotations

from tap_pinterest.config.days import Day
from tap_pinterest.config.effects import refused_windows, without_effect
from tap_pinterest.config.environment import (
    completed,
    from_environment,
    from_files,
    is_set,
    overruled,
    refusal,
)
from tap_pinterest.config.faults import problems, undescribed_columns, unknown_column
from tap_pinterest.config.schema import CONFIG_SCHEMA, STREAM_GROUPS
from tap_pinterest.config.settings import Settings

__all__ = [
    "CONFIG_SCHEMA",
    "STREAM_GROUPS",
    "Day",
    "Settings",
    "completed",
    "from_environment",
    "from_files",
    "is_set",
    "overruled",
    "problems",
    "refusal",
    "refused_windows",
    "undescribed_columns",
    "unknown_column",
    "without_effect",
]
