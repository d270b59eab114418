"""Every setting, once: its type, default, allowed values and meaning, from `settings.json`.

Values that are objects of the tap, such as its layouts, come from where these objects are.
`--about`, `meltano.yml` and the documents show `CONFIG_SCHEMA`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import resources
from typing import Any

import msgspec

from tap_pinterest.api.levels import ID_FILTERS
from tap_pinterest.api.periods import GRANULARITIES
from tap_pinterest.layouts import LAYOUTS, NAMINGS

GROUPS = msgspec.json.decode(
    resources.files(__package__).joinpath("settings.json").read_bytes(),
    type=dict[str, dict[str, dict[str, Any]]],
)
"""The JSON schema of each setting, under the heading that the documents give it."""
_PROPERTIES = {name: schema for group in GROUPS.values() for name, schema in group.items()}
_PROPERTIES["granularities"]["items"]["enum"] = [*GRANULARITIES]
_PROPERTIES["layout"]["enum"] = [*LAYOUTS]
_PROPERTIES["column_names"]["enum"] = [*NAMINGS]
READ_BY: Mapping[str, tuple[str, ...]] = {
    name: tuple(schema.pop("read_by"))
    for name, schema in _PROPERTIES.items()
    if "read_by" in schema
}
"""The groups of streams that read a setting. Settings that all groups read are left out."""
CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": _PROPERTIES,
    "$schema": "https://json-schema.org/draft/2020-12/schema",
}
OWN_SETTINGS = tuple(_PROPERTIES)

API_URL: str = _PROPERTIES["api_url"]["default"]
STREAM_GROUPS = tuple(_PROPERTIES["stream_groups"]["items"]["enum"])
SETTLING_DAYS = 2
"""Days that Pinterest needs to finish counting, in addition to any attribution window."""
ORGANIC_LOOKBACK_DAYS = 14
DAILY_MAX_AGE_HOURS = 12
SLICE_ROWS = {"standard": 5_000, "trial": sys.maxsize}
CREATIVE_CALLS = {"standard": 1_000, "trial": 100}
ORGANIC_FILTERS = ("app_types", "content_type", "pin_format", "source", "from_claimed_content")
"""Parameters that narrow the organic reports."""

TOKENS = ("refresh_token", "access_token")
ORGANIC_ID_FILTERS = ("board_ids", "pin_ids")
AD_ACCOUNT_LISTS = ("ad_account_ids", "exclude_ad_account_ids")
ID_LISTS = (*AD_ACCOUNT_LISTS, *ID_FILTERS, *ORGANIC_ID_FILTERS)
LISTS = tuple(
    name for name, schema in _PROPERTIES.items() if {"array", "string"} <= {*schema["type"]}
)
"""Settings that are lists of texts; one text with commas is a list too."""
SECRETS = frozenset(
    name
    for name, schema in _PROPERTIES.items()
    if any(each.get("secret") for each in (schema, *schema.get("properties", {}).values()))
)

NAMES_ELSEWHERE = {
    "account_id": "ad_account_ids",
    "account_ids": "ad_account_ids",
    "analytics_columns": "report_columns",
    "analytics_granularity": "granularities",
    "granularity": "granularities",
    "lookback_window": "lookback_days",
    "refresh_proxy_url": "oauth_credentials",
    "refresh_proxy_url_auth": "oauth_credentials",
    "status": "entity_statuses",
}
"""Names of our settings in other taps for Pinterest."""
