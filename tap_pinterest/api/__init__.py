"""Facts about Pinterest's API v5: operations, parameters, records, enums.

The facts live in `api.json`, which `scripts/update_api.py` writes from Pinterest's description and
the faults listed here in `CORRECTIONS`. They are read at first use, never at import.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection

Shape: TypeAlias = Literal["list", "items", "array", "object", "map", "data"]
"""The shape of an answer's records: `{items, bookmark}`, `{items}`, a bare array, one object, an
object of records (or lists of them) keyed by id or split, `{data: [...]}`."""

FACTS_FILE = "api.json"
DOCUMENTATION = "https://developers.pinterest.com/docs/api/v5/"


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
_PRODUCT_GROUP_TIMES = "The text says seconds, the example counts milliseconds: told by size."
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
"""Applied by `scripts/update_api.py`, which fails when one is no longer needed."""


SECRETS: Mapping[str, str] = {
    "credentials": "User name and password of a catalog feed's server.",
    "cryptographic_key": "Decrypts the leads that Pinterest sends to a subscription.",
    "partner_access_token": "Acts for the partner of an integration.",
    "partner_refresh_token": "Acts for the partner of an integration.",
}
"""Fields that never leave the tap, wherever they occur."""

PERSONAL: Mapping[str, str] = {
    "email": "Of the people in a business.",
    "partner_primary_email": "Of the partner of an integration.",
    "billing_contact_email": "Of the contact for an order's bills.",
    "billing_contact_firstname": "Of the contact for an order's bills.",
    "billing_contact_lastname": "Of the contact for an order's bills.",
    "media_contact_email": "Of the contact for an order's media.",
    "media_contact_firstname": "Of the contact for an order's media.",
    "media_contact_lastname": "Of the contact for an order's media.",
}
"""Fields with the identity or the address of a person: only in the group `personal`."""


class Parameter(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One parameter of an operation and what the API accepts for it."""

    type: str = "string"
    location: Literal["path", "query"] = msgspec.field(default="query", name="in")
    required: bool = False
    explode: bool = True
    """For arrays: repeat the name (true) or join the values with commas (false)."""
    style: str | None = None
    format: str | None = None
    enum: str | tuple[Any, ...] | None = None
    """Allowed values, or the name of a long list of values."""
    nullable: bool = False
    default: Any = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    min_items: int | None = None
    max_items: int | None = None
    items: Parameter | None = None
    properties: Mapping[str, Any] | None = None
    since: str | None = None
    """The release that added it, if the description is older."""

    @property
    def allowed(self) -> tuple[Any, ...]:
        """The allowed values, of the items for an array; empty when they are not listed."""
        if self.items is not None:
            return self.items.allowed
        return enum(self.enum) if isinstance(self.enum, str) else self.enum or ()


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One operation: its parameters and its answer."""

    category: str
    """The rate-limit category that a call counts against."""
    scopes: tuple[str, ...] = ()
    client_credentials: bool = False
    sandbox: bool = False
    """Whether Pinterest's own sandbox host answers it."""
    parameters: Mapping[str, Parameter] = {}
    body: str | None = None
    shape: Shape | None = None
    record: str | None = None
    beta: bool = False
    since: str | None = None
    id: str | None = None
    """Pinterest's name for it; unknown for operations newer than the description."""

    @property
    def page(self) -> str:
        """Pinterest's page about it, or about all operations."""
        return f"{DOCUMENTATION}{self.id.replace('/', '-')}/" if self.id else DOCUMENTATION


class _Facts(msgspec.Struct, frozen=True):
    version: str
    operations: dict[str, msgspec.Raw]
    enums: dict[str, tuple[str, ...]]
    since: dict[str, dict[str, tuple[str, ...]]]
    schemas: dict[str, msgspec.Raw]


@functools.cache
def _facts() -> _Facts:
    text = resources.files(__package__).joinpath(FACTS_FILE).read_bytes()
    return msgspec.json.decode(text, type=_Facts)


def version() -> str:
    """The release of the description that the facts come from."""
    return _facts().version


@functools.cache
def operation(key: str) -> Operation:
    """The operation of a key such as `GET /boards`.

    Raises:
        KeyError: the API has no such operation.
    """
    return msgspec.json.decode(_facts().operations[key], type=Operation)


@functools.cache
def operations() -> Mapping[str, Operation]:
    """All operations by key, in the order of the description."""
    return MappingProxyType({key: operation(key) for key in _facts().operations})


@functools.cache
def schema(name: str) -> Mapping[str, Any]:
    """The raw facts of a record or body, in the API's own names and types.

    Raises:
        KeyError: there is no such schema.
    """
    facts: dict[str, Any] = msgspec.json.decode(_facts().schemas[name])
    return facts


def enum(name: str, *, newer: bool = False) -> tuple[str, ...]:
    """The values of a named enum; `newer` adds those of releases after the description.

    Raises:
        KeyError: there is no such enum.
    """
    values = _facts().enums[name]
    if newer:
        for added in _facts().since.get(name, {}).values():
            values += added
    return values


@functools.cache
def record_facts(path: str) -> Mapping[str, Any]:
    """The facts of one record that `GET path` answers, with the values of its enums.

    The values of newer releases are among them.

    Raises:
        KeyError: the API has no such operation, or does not describe its answer.
    """
    record = operation(f"GET {path}").record
    if record is None:
        msg = f"GET {path} does not say what it answers"
        raise KeyError(msg)
    facts: Mapping[str, Any] = _with_values(schema(record))
    return facts


def _with_values(node: Any) -> Any:  # noqa: ANN401
    if isinstance(node, list):
        return [_with_values(part) for part in node]
    if not isinstance(node, dict):
        return node
    node = {word: _with_values(value) for word, value in node.items()}
    if isinstance(node.get("enum"), str):
        node["enum"] = enum(node["enum"], newer=True)
    return node


def without(node: Any, names: Collection[str]) -> Any:  # noqa: ANN401
    """A record, or the facts of its fields, without fields of these names at any depth."""
    if isinstance(node, dict):
        return {key: without(member, names) for key, member in node.items() if key not in names}
    if isinstance(node, list):
        return [without(member, names) for member in node]
    return node
