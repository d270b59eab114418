"""Corrections of Pinterest's description, which `scripts/update_api.py` applies to `api.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Correction(NamedTuple):
    """Fields that the description lacks or describes wrongly, and their right facts."""

    schema: str
    fields: tuple[str, ...]
    """Dotted paths inside the schema, `[]` for the items of an array."""
    facts: Mapping[str, Any] | None
    """The right facts of the fields; `None` for fields that Pinterest does not send."""
    reason: str
    seen: str = ""
    """The day of a live answer with the fields. Only such a correction may add a field."""


_EXPIRIES = ("partner_access_token_expiry", "partner_refresh_token_expiry")
_EXAMPLE_IN_MILLISECONDS = "No text; the example counts milliseconds."
_PRODUCT_GROUP_TIMES = (
    "The text says seconds, the example counts milliseconds: the size shows which."
)
_PATTERN_OF_AN_INSTANT = "Plain text in the description, with the pattern of an ISO date-time."
_PATTERN_OF_A_DAY = "Plain text in the description; the text or the pattern says YYYY-MM-DD."
_LIVE_ONLY = "Live answers have it. Neither description does."

CORRECTIONS: tuple[Correction, ...] = (
    Correction(
        "AdAccount",
        ("updated_time",),
        {"unit": "s"},
        "No text; created_time beside it counts seconds.",
    ),
    Correction(
        "CampaignResponse",
        ("updated_time",),
        {"unit": "s"},
        "The text names no unit; the example counts seconds.",
    ),
    Correction(
        "AdGroupResponse",
        ("dca_assets",),
        {"type": "object", "nullable": True},
        "No type; the text speaks of a bundle of assets.",
    ),
    Correction(
        "AssetGroupBinding",
        ("created_time", "updated_time"),
        {"unit": "ms"},
        _EXAMPLE_IN_MILLISECONDS,
    ),
    *(
        Correction(schema, (*times, *_EXPIRIES), {"unit": "ms"}, _EXAMPLE_IN_MILLISECONDS)
        for schema, times in (
            ("IntegrationRecord", ("created_time", "updated_time")),
            ("IntegrationMetadata", ("created_timestamp", "updated_timestamp")),
        )
    ),
    *(
        Correction(
            schema,
            ("date_availability.latest_available_timestamp",),
            {"unit": "ms"},
            _EXAMPLE_IN_MILLISECONDS,
        )
        for schema in ("TopPinsAnalyticsResponse", "TopVideoPinsAnalyticsResponse")
    ),
    *(
        Correction(schema, ("created_at", "updated_at"), {"unit": "s|ms"}, _PRODUCT_GROUP_TIMES)
        for schema in (
            "CatalogsRetailProductGroup",
            "CatalogsHotelProductGroup",
            "CatalogsCreativeAssetsProductGroup",
        )
    ),
    Correction(
        "SSIOInsertionOrderStatus",
        ("creation_time",),
        {"format": "date-time"},
        _PATTERN_OF_AN_INSTANT,
    ),
    Correction(
        "SSIOOrderLine",
        ("accepted_terms_time", "last_modified_date_time"),
        {"format": "date-time"},
        _PATTERN_OF_AN_INSTANT,
    ),
    Correction(
        "UserWebsiteSummary",
        ("verified_at",),
        {"format": "date-time"},
        "Plain text in the description, which calls it a UTC timestamp.",
    ),
    *(
        Correction(schema, (field,), {"format": "date"}, _PATTERN_OF_A_DAY)
        for schema, field in (
            ("AudienceInsightsResponse", "date"),
            ("AudienceDefinition", "date"),
            ("AnalyticsDailyMetrics", "date"),
            ("PinAnalyticsMetricsResponse", "daily_metrics.[].date"),
        )
    ),
    Correction(
        "Pin",
        ("is_removable",),
        {"type": "boolean", "nullable": True},
        _LIVE_ONLY,
        seen="2026-07-09",
    ),
    Correction(
        "Pin",
        ("product_tags",),
        {"type": "array", "nullable": True, "items": {"type": "object"}},
        f"{_LIVE_ONLY} The lists seen are empty, so nothing is known of a tag's fields.",
        seen="2026-07-09",
    ),
    Correction(
        "CampaignResponse",
        ("ext_features",),
        {"type": "object", "nullable": True},
        f"{_LIVE_ONLY} The values seen are null; the field of that name in ad groups is an object.",
        seen="2026-07-09",
    ),
    Correction(
        "AdGroupResponse",
        ("is_automated_campaign", "is_creative_expansion", "enabled_catalog_expansion"),
        {"type": "boolean", "nullable": True},
        _LIVE_ONLY,
        seen="2026-07-09",
    ),
    Correction(
        "Audience",
        ("is_ctv_enabled",),
        {"type": "boolean", "nullable": True},
        _LIVE_ONLY,
        seen="2026-07-09",
    ),
    Correction(
        "TargetingTemplateGetResponseData",
        ("placement_traffic_type",),
        {"type": "string", "nullable": True},
        f"{_LIVE_ONLY} The value seen is null; the field of that name in ad groups is text.",
        seen="2026-07-09",
    ),
    Correction(
        "KeywordMetricsResponse",
        ("metrics.KEYWORD_QUERY_VOLUME",),
        {"type": "string", "nullable": True},
        "Live answers have the value under this name.",
        seen="2026-07-09",
    ),
    Correction(
        "KeywordMetricsResponse",
        ("metrics.keyword_query_volume",),
        None,
        "Live answers have the value under the upper-case name instead.",
        seen="2026-07-09",
    ),
)
"""`scripts/update_api.py` fails when a correction is no longer needed."""
