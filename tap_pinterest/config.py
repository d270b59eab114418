"""Every setting of the tap, once: its type, default, allowed values and meaning.

`CONFIG_SCHEMA` is what `--about`, `meltano.yml` and the documents show; `Settings` is what the code
reads. Between the two stands `Settings.from_config`, which refuses a bad config with all its
faults at once, each naming the setting and what it allows, and never showing a secret.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import jsonschema
import msgspec
from dotenv import find_dotenv, load_dotenv
from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import FLATTENING_CONFIG, STREAM_MAPS_CONFIG

from tap_pinterest import api, custom_reports, daasity, targeting
from tap_pinterest.columns import only_asynchronous, unknown_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from urllib.parse import SplitResult

    from tap_pinterest.custom_reports import CustomReport
    from tap_pinterest.slices import Granularity

API_URL = "https://api.pinterest.com/v5"
ATTRIBUTION_WINDOWS = (0, 1, 7, 14, 30, 60)
SETTLING_DAYS = 2
"""How long numbers take to be final, whatever the attribution window."""
SLICE_ROWS = {"standard": 5_000, "trial": sys.maxsize}
LAYOUTS = ("pinterest", "daasity")
AUTH_METHODS = ("refresh_token", "access_token", "client_credentials")
STREAM_GROUPS = (
    *("ads", "organic", "boards", "targeting", "products", "keywords", "audiences"),
    *("conversions", "billing", "catalogs", "business", "resources", "trends"),
    *("beta", "personal", "all"),
)
ORGANIC_ACCOUNTS = ("token_user", "ad_account_owners", "both")
ENTITY_STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT")
TREND_REGIONS = (
    *("US", "CA", "DE", "FR", "ES", "IT", "DE+AT+CH", "GB+IE", "IT+ES+PT+GR+MT"),
    *("PL+RO+HU+SK+CZ", "SE+DK+FI+NO", "NL+BE+LU", "AR", "BR", "CO", "MX", "MX+AR+CO+CL"),
    "AU+NZ",
)
GRANULARITIES = ("DAY", "HOUR", "WEEK", "MONTH", "TOTAL")
USER_SPLIT_FIELDS = ("NO_SPLIT", "APP_TYPE", "OWNED_CONTENT", "SOURCE", "PIN_FORMAT")
TOP_PINS_SORTS = (
    *("ENGAGEMENT", "IMPRESSION", "OUTBOUND_CLICK", "PIN_CLICK", "SAVE", "VIDEO_MRC_VIEW"),
    *("VIDEO_AVG_WATCH_TIME", "VIDEO_V50_WATCH_TIME", "QUARTILE_95_PERCENT_VIEW"),
    *("VIDEO_10S_VIEW", "VIDEO_START"),
)
ORGANIC_FILTERS = {
    "app_types": ("ALL", "MOBILE", "TABLET", "WEB"),
    "content_type": ("ALL", "PAID", "ORGANIC"),
    "pin_format": (
        *("ALL", "ORGANIC_IMAGE", "ORGANIC_PRODUCT", "ORGANIC_VIDEO"),
        *("ADS_STANDARD", "ADS_PRODUCT", "ADS_VIDEO", "ADS_IDEA"),
    ),
    "source": ("ALL", "YOUR_PINS", "OTHER_PINS"),
    "from_claimed_content": ("BOTH", "CLAIMED", "OTHER"),
}
"""Parameters of the organic reports that narrow them; the first value is Pinterest's default."""
CONVERSION_QUALITY = {
    "lookback_period": ("1d", "14d"),
    "source_platform": (
        *("WEB", "MOBILE", "MOBILE_ANDROID", "MOBILE_IOS", "OFFLINE", "PINTEREST_WEB"),
        *("PINTEREST_ANDROID", "PINTEREST_IOS", "POINT_OF_SALE"),
    ),
    "ingestion_source": ("TAG", "MMP", "FILE_UPLOAD", "CONVERSIONS_API", "NATIVE"),
}
ORGANIC_LOOKBACK_DAYS = 14
READ_SCOPES = ("ads:read", "boards:read", "pins:read", "user_accounts:read")

_ID_LIST = th.CustomType(
    {"type": ["array", "string", "integer", "null"], "items": {"type": ["string", "integer"]}}
)
_NAME_LIST = th.CustomType({"type": ["array", "string", "null"], "items": {"type": "string"}})


def _list_of(values: Sequence[str]) -> th.CustomType:
    items = {"type": "string", "enum": list(values)}
    return th.CustomType({"type": ["array", "string", "null"], "items": items})


CREDENTIALS = (
    th.Property("client_id", th.StringType, description="Id of your Pinterest app."),
    th.Property(
        "client_secret", th.StringType, secret=True, description="Secret of your Pinterest app."
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        description="Refresh token; with client_id and client_secret, new access tokens are "
        "fetched as needed. Not needed once tap-pinterest-login has stored one in token_file.",
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        description="Access token, instead of client_id, client_secret and refresh_token. "
        "It is not renewed when it expires.",
    ),
    th.Property(
        "oauth_credentials",
        th.ObjectType(
            th.Property(
                "access_token",
                th.StringType,
                secret=True,
                description="Access token to begin with.",
            ),
            th.Property(
                "refresh_token",
                th.StringType,
                secret=True,
                description="Refresh token that the proxy takes.",
            ),
            th.Property(
                "refresh_proxy_url",
                th.StringType,
                description="Where to POST the refresh token; https, unless on this machine.",
            ),
            th.Property(
                "refresh_proxy_url_auth",
                th.StringType,
                secret=True,
                description="Authorization header for the proxy, such as Bearer and its token.",
            ),
            additional_properties=False,
        ),
        description="Tokens that are renewed where somebody else holds the app's secret: "
        "access_token, refresh_token, refresh_proxy_url and refresh_proxy_url_auth.",
    ),
    th.Property(
        "auth_method",
        th.StringType,
        allowed_values=list(AUTH_METHODS),
        description="Which credentials to use. Derived when only one kind is given.",
    ),
    th.Property(
        "scopes",
        _NAME_LIST,
        default=list(READ_SCOPES),
        description="Scopes to ask for, with auth_method client_credentials and at "
        "tap-pinterest-login.",
    ),
    th.Property(
        "token_file",
        th.StringType,
        description="Where renewed tokens live between runs. Default: a file per client_id "
        "and configured refresh token in $XDG_STATE_HOME/tap-pinterest (or "
        '~/.local/state/tap-pinterest). An empty text ("") switches it off.',
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=API_URL,
        description="Base URL of the API; https, unless it is on this machine.",
    ),
)
SCOPE_OF_THE_SYNC = (
    th.Property(
        "ad_account_ids",
        _ID_LIST,
        description="Read only these ad accounts. Default: all that the token can read.",
    ),
    th.Property("exclude_ad_account_ids", _ID_LIST, description="Ad accounts to leave out."),
    th.Property(
        "include_shared_accounts",
        th.BooleanType,
        default=True,
        description="Also read ad accounts that others share with the token's user, when "
        "ad_account_ids is not given.",
    ),
    th.Property(
        "organic_accounts",
        th.StringType,
        default="token_user",
        allowed_values=list(ORGANIC_ACCOUNTS),
        description="Whose profile, boards, Pins and catalogs to read: the token's user, the "
        "owners of the ad accounts (each once), or both.",
    ),
    th.Property(
        "stream_groups",
        _list_of(STREAM_GROUPS),
        default=["ads", "organic"],
        description=f"Groups of streams that discovery lists: {', '.join(STREAM_GROUPS[:-1])}, or "
        "all. With personal, other groups' records have the names and e-mail addresses in them.",
    ),
)
FILTERS = (
    th.Property(
        "entity_statuses",
        _list_of(ENTITY_STATUSES),
        description="Read only campaigns, ad groups, ads and product group promotions of these "
        "statuses, and reports of them. Default: ACTIVE, PAUSED and ARCHIVED.",
    ),
    th.Property(
        "campaign_ids",
        _ID_LIST,
        description="Read only these campaigns, and what is in them.",
    ),
    th.Property(
        "ad_group_ids",
        _ID_LIST,
        description="Read only these ad groups, and what is in them.",
    ),
    th.Property("ad_ids", _ID_LIST, description="Read only these ads."),
    th.Property(
        "product_group_ids", _ID_LIST, description="Read only these product group promotions."
    ),
    th.Property("board_ids", _ID_LIST, description="Read only these boards, and what is on them."),
    th.Property("pin_ids", _ID_LIST, description="Read only these Pins."),
)
ASKED_FOR = (
    th.Property(
        "terms", _NAME_LIST, description="Search terms to read related and suggested terms of."
    ),
    th.Property(
        "keywords",
        _NAME_LIST,
        description="Keywords to read the search volume of, in each of the countries.",
    ),
    th.Property(
        "countries", _NAME_LIST, description="Countries of the keyword metrics, as US or GB."
    ),
    th.Property(
        "trend_regions",
        _list_of(TREND_REGIONS),
        description="Regions to read trends of. Topics, product categories and articles have "
        "US, GB+IE and CA only.",
    ),
    th.Property(
        "product_categories",
        _NAME_LIST,
        description="Product categories to read the trends of, in each of the trend_regions.",
    ),
    th.Property("usernames", _NAME_LIST, description="Users to read the followed interests of."),
)
ANALYTICS = (
    th.Property(
        "start_date",
        th.StringType,
        default="90 days ago",
        description="First day of the reports (UTC): YYYY-MM-DD, an ISO date-time, 'N days ago', "
        "'yesterday', 'today' or 'earliest'. Pinterest keeps 914 days for most reports.",
    ),
    th.Property(
        "end_date",
        th.StringType,
        default="yesterday",
        description="Last day of the reports (UTC), written like start_date.",
    ),
    th.Property(
        "lookback_days",
        th.IntegerType,
        minimum=0,
        maximum=1000,
        description="Days that are read again before the bookmark, because conversions are "
        "credited late. Default: the longest attribution window in force, plus 2; for organic "
        f"reports {ORGANIC_LOOKBACK_DAYS}.",
    ),
    th.Property(
        "backfill",
        th.ObjectType(
            th.Property("start_date", th.StringType, required=True),
            th.Property("end_date", th.StringType, required=True),
            additional_properties=False,
        ),
        description="A range of days to read as well, once per stream and account, "
        "whatever the state says.",
    ),
    th.Property(
        "report_columns",
        _NAME_LIST,
        default="default",
        description="Columns of the reports: 'default', 'all', or a list of Pinterest's names. "
        "Only these are in the catalog. One that only asynchronous reports have makes the report "
        "asynchronous.",
    ),
    th.Property(
        "granularities",
        _list_of(GRANULARITIES),
        default=["DAY"],
        description=f"Lengths of time that an ads report's row is about: "
        f"{', '.join(GRANULARITIES)}. Each but DAY gives streams of its own, such as "
        "ad_analytics_week.",
    ),
    th.Property(
        "targeting_types",
        _NAME_LIST,
        description="What the targeting streams break the numbers down by, such as GENDER. "
        "Default: all of the level that are not in beta.",
    ),
    th.Property(
        "click_window_days",
        th.IntegerType,
        default=30,
        allowed_values=list(ATTRIBUTION_WINDOWS),
        description="Attribution window after a click, in days.",
    ),
    th.Property(
        "engagement_window_days",
        th.IntegerType,
        default=30,
        allowed_values=list(ATTRIBUTION_WINDOWS),
        description="Attribution window after an engagement, in days.",
    ),
    th.Property(
        "view_window_days",
        th.IntegerType,
        default=1,
        allowed_values=list(ATTRIBUTION_WINDOWS),
        description="Attribution window after a view, in days.",
    ),
    th.Property(
        "conversion_report_time",
        th.StringType,
        default="TIME_OF_AD_ACTION",
        allowed_values=["TIME_OF_AD_ACTION", "TIME_OF_CONVERSION"],
        description="Whether a conversion counts on the day of the ad action or on its own day.",
    ),
    th.Property(
        "attribution_types",
        _list_of(("INDIVIDUAL", "HOUSEHOLD")),
        description="Whose conversions count, in reports that can tell: INDIVIDUAL, HOUSEHOLD. "
        "In beta; sent only when set.",
    ),
    th.Property(
        "reporting_timezone",
        th.StringType,
        allowed_values=["PINTEREST_TIME_ZONE", "AD_ACCOUNT_TIME_ZONE"],
        description="Whose days the reports' days are. In closed beta; sent only when set.",
    ),
    th.Property(
        "custom_reports",
        th.CustomType({"type": ["array", "null"], "items": {"type": "object"}}),
        description="Reports of your own, each a stream: an object with name, level "
        "(such as CAMPAIGN or AD_GROUP_TARGETING) and, where they are to differ from the settings, "
        "columns, granularity, dates, attribution, filters and targeting types.",
    ),
)
ORGANIC = (
    th.Property(
        "user_split_fields",
        _list_of(USER_SPLIT_FIELDS),
        default=["NO_SPLIT"],
        description="Ways to split user_account_analytics, one call for each: "
        f"{', '.join(USER_SPLIT_FIELDS)}.",
    ),
    th.Property(
        "pin_split_field",
        th.StringType,
        default="NO_SPLIT",
        allowed_values=["NO_SPLIT", "APP_TYPE"],
        description="How to split pin_analytics.",
    ),
    th.Property(
        "app_types",
        th.StringType,
        allowed_values=list(ORGANIC_FILTERS["app_types"]),
        description="Apps that the organic reports are about. Default: all.",
    ),
    th.Property(
        "content_type",
        th.StringType,
        allowed_values=list(ORGANIC_FILTERS["content_type"]),
        description="Whether the reports of users and their top Pins are about paid or organic "
        "activity. Default: both.",
    ),
    th.Property(
        "pin_format",
        th.StringType,
        allowed_values=list(ORGANIC_FILTERS["pin_format"]),
        description="Format of the Pins that the reports of users and their top Pins are about. "
        "Default: all.",
    ),
    th.Property(
        "source",
        th.StringType,
        allowed_values=list(ORGANIC_FILTERS["source"]),
        description="Whether the reports of users and their top Pins are about a user's own Pins, "
        "or about what others made from claimed accounts. Default: both.",
    ),
    th.Property(
        "from_claimed_content",
        th.StringType,
        allowed_values=list(ORGANIC_FILTERS["from_claimed_content"]),
        description="Whether the reports of users and their top Pins are about Pins of claimed "
        "domains, or about others. Default: both.",
    ),
    th.Property(
        "top_pins_sort_by",
        _list_of(TOP_PINS_SORTS),
        description="Metrics that the top Pins and top video Pins are sorted by, one call for "
        "each. Default: all that Pinterest has.",
    ),
    th.Property(
        "top_pins_days",
        th.IntegerType,
        default=30,
        minimum=1,
        maximum=90,
        description="Days that the top Pins and top video Pins are found for, up to end_date.",
    ),
    th.Property(
        "domains",
        _NAME_LIST,
        description="Domains, subdomains included, that the Pins of domain_top_pins link to. "
        "Default: each host that a Pin links to.",
    ),
    th.Property(
        "conversion_quality",
        th.ObjectType(
            *(th.Property(name, _list_of(values)) for name, values in CONVERSION_QUALITY.items()),
            additional_properties=False,
        ),
        description="What conversion_eqs is read for, a list each: lookback_period (default: 1d "
        "and 14d), source_platform and ingestion_source (default: all).",
    ),
)
TRANSPORT = (
    th.Property(
        "report_transport",
        th.StringType,
        default="auto",
        allowed_values=["auto", "sync", "async"],
        description="How ads reports are asked for: call by call (sync: at most 90 days back), as "
        "reports that Pinterest prepares and the tap downloads (async), or whichever suits.",
    ),
    th.Property(
        "access_tier",
        th.StringType,
        default="standard",
        allowed_values=["standard", "trial"],
        description="Access tier of your app: trial apps have 1,000 calls a day.",
    ),
    th.Property(
        "max_requests_in_flight",
        th.IntegerType,
        default=8,
        minimum=1,
        maximum=64,
        description="Requests under way at once; 1 means strictly one by one.",
    ),
    th.Property(
        "slice_rows",
        th.IntegerType,
        minimum=1,
        description="Rows (ids times days times targeting types) that one report call may ask "
        "for. Default: 5000; with access_tier trial, as many as Pinterest allows.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType,
        default=300,
        minimum=1,
        maximum=3600,
        description="Seconds to wait for an answer.",
    ),
    th.Property(
        "max_wait_seconds",
        th.IntegerType,
        default=3600,
        minimum=0,
        description="Longest wait for quota, in seconds, before the run fails.",
    ),
)
SYNC_KEY = (
    th.Property(
        "sync_key",
        th.BooleanType,
        default=True,
        description="Add the column __sync_key, the MD5 of a record's key fields.",
    ),
    th.Property(
        "sync_key_separator",
        th.StringType,
        default="",
        description="Text between the key fields in the MD5's input.",
    ),
    th.Property(
        "sync_key_fields",
        th.CustomType(
            {
                "type": ["object", "null"],
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            }
        ),
        description="Fields of __sync_key for a stream, instead of its own: "
        '{"stream": ["field", ...]}.',
    ),
)
LAYOUT = (
    th.Property(
        "layout",
        th.StringType,
        default="pinterest",
        allowed_values=list(LAYOUTS),
        description="Tables to write: Pinterest's own, or the eight of Daasity's integration, "
        "column for column.",
    ),
    th.Property(
        "column_names",
        th.StringType,
        default="api",
        allowed_values=["api", "display"],
        description="Names of the report columns: as in Pinterest's API, or as Ads Manager "
        "displays them.",
    ),
)

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    *(*CREDENTIALS, *SCOPE_OF_THE_SYNC, *FILTERS, *ASKED_FOR),
    *(*ANALYTICS, *ORGANIC, *TRANSPORT, *SYNC_KEY, *LAYOUT),
).to_dict()
OWN_SETTINGS = tuple(CONFIG_SCHEMA["properties"])

_SDK_SCHEMA = {**STREAM_MAPS_CONFIG["properties"], **FLATTENING_CONFIG["properties"]}
_SCHEMA = {**CONFIG_SCHEMA, "properties": {**_SDK_SCHEMA, **CONFIG_SCHEMA["properties"]}}
_NAMES_ELSEWHERE = {
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
_TOKENS = ("refresh_token", "access_token")
_EMPTY_IS_A_VALUE = frozenset({"token_file", "sync_key_separator"})
_ID_FILTERS = ("campaign_ids", "ad_group_ids", "ad_ids", "product_group_ids")
_ORGANIC_FILTERS = ("board_ids", "pin_ids")
_AD_ACCOUNT_LISTS = ("ad_account_ids", "exclude_ad_account_ids")
_ID_LISTS = (*_AD_ACCOUNT_LISTS, *_ID_FILTERS, *_ORGANIC_FILTERS)
_ASKED_FOR = tuple(setting.name for setting in ASKED_FOR)
_ORGANIC_LISTS = ("user_split_fields", "top_pins_sort_by", "domains")
_VALUE_LISTS = ("entity_statuses", *_ORGANIC_LISTS, *_ASKED_FOR)
_NAME_LISTS = (
    *("stream_groups", "scopes", "report_columns", "granularities", "targeting_types"),
    *("attribution_types", *_VALUE_LISTS),
)
_LISTS = (*_ID_LISTS, *_VALUE_LISTS)
_SECRETS = frozenset(
    name
    for name, schema in CONFIG_SCHEMA["properties"].items()
    if any(each.get("secret") for each in (schema, *schema.get("properties", {}).values()))
)
_AD_ACCOUNT_ID = re.compile(r"\d{1,18}")
_ID = re.compile(r"\d{1,20}")
_USERNAME = re.compile(r"(?!\d+$).+")
_DAMAGE = re.compile("[\x00\ud800-\udfff]")
_DOMAIN = re.compile(r"[\w-]+(\.[\w-]+)+")
_DAYS_AGO = re.compile(r"(\d{1,5}) days? ago")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class Day:
    """A day as a setting gives it: a date, or so many days before today, or the earliest."""

    on: date | None = None
    days_ago: int | None = None

    @classmethod
    def parse(cls, text: str) -> Day:
        """Read a day from a setting's text.

        Raises:
            ValueError: When the text is none of the forms that `start_date` allows.
        """
        words = text.strip().lower()
        if words == "earliest":
            return cls()
        if words in {"today", "yesterday"}:
            return cls(days_ago=("today", "yesterday").index(words))
        if match := _DAYS_AGO.fullmatch(words):
            return cls(days_ago=int(match[1]))
        moment = datetime.fromisoformat(text.strip())
        return cls(on=moment.astimezone(UTC).date() if moment.tzinfo else moment.date())

    def resolve(self, *, today: date, earliest: date) -> date:
        """The day itself, given today (UTC) and the first day that can be read."""
        if self.on is not None:
            return self.on
        if self.days_ago is None:
            return earliest
        return today - timedelta(days=min(self.days_ago, today.toordinal() - 1))


_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "start_date": Day.parse,
    "end_date": Day.parse,
    **dict.fromkeys(("attribution_types", "targeting_types", *_ID_FILTERS), tuple),
}
"""What makes a setting's value of what a custom report gives for it."""


@dataclass(frozen=True)
class Settings:
    """The settings in force: `CONFIG_SCHEMA` after defaults, with lists and days parsed."""

    client_id: str | None
    client_secret: str | None
    refresh_token: str | None
    access_token: str | None
    refresh_proxy_url: str | None
    refresh_proxy_url_auth: str | None
    auth_method: str
    scopes: tuple[str, ...]
    token_file: str | None
    api_url: str
    ad_account_ids: tuple[str, ...]
    exclude_ad_account_ids: tuple[str, ...]
    include_shared_accounts: bool
    organic_accounts: str
    stream_groups: tuple[str, ...]
    entity_statuses: tuple[str, ...]
    campaign_ids: tuple[str, ...]
    ad_group_ids: tuple[str, ...]
    ad_ids: tuple[str, ...]
    product_group_ids: tuple[str, ...]
    board_ids: tuple[str, ...]
    pin_ids: tuple[str, ...]
    terms: tuple[str, ...]
    keywords: tuple[str, ...]
    countries: tuple[str, ...]
    trend_regions: tuple[str, ...]
    product_categories: tuple[str, ...]
    usernames: tuple[str, ...]
    start_date: Day
    end_date: Day
    lookback_days: int | None
    backfill: tuple[Day, Day] | None
    report_columns: str | tuple[str, ...]
    granularities: tuple[Granularity, ...]
    targeting_types: tuple[str, ...]
    click_window_days: int
    engagement_window_days: int
    view_window_days: int
    conversion_report_time: str
    attribution_types: tuple[str, ...]
    reporting_timezone: str | None
    custom_reports: tuple[CustomReport, ...]
    report_transport: str
    user_split_fields: tuple[str, ...]
    pin_split_field: str
    app_types: str | None
    content_type: str | None
    pin_format: str | None
    source: str | None
    from_claimed_content: str | None
    top_pins_sort_by: tuple[str, ...]
    top_pins_days: int
    domains: tuple[str, ...]
    conversion_quality: Mapping[str, tuple[str, ...]]
    access_tier: str
    max_requests_in_flight: int
    slice_rows: int
    request_timeout: int
    max_wait_seconds: int
    sync_key: bool
    sync_key_separator: str
    sync_key_fields: Mapping[str, tuple[str, ...]]
    layout: str
    column_names: str

    @property
    def in_force(self) -> Mapping[str, Any]:
        """The attribution settings."""
        return {name: getattr(self, name) for name in daasity.ATTRIBUTION}

    @property
    def token_path(self) -> Path | None:
        """The file that renewed tokens live in; `None` where there is to be none."""
        return _token_path(self.token_file, self.client_id, self.refresh_token)

    @property
    def attribution_lookback(self) -> int:
        """Days to read again before the bookmark: until no conversion can be credited any more."""
        if self.lookback_days is not None:
            return self.lookback_days
        windows = (self.click_window_days, self.engagement_window_days, self.view_window_days)
        return max(windows) + SETTLING_DAYS

    @property
    def organic_lookback(self) -> int:
        """The same for organic reports, whose numbers settle within days."""
        return ORGANIC_LOOKBACK_DAYS if self.lookback_days is None else self.lookback_days

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Settings from a config that `problems` has nothing to say about."""
        values = {
            name: schema.get("default") for name, schema in CONFIG_SCHEMA["properties"].items()
        } | _normalised(config)
        values |= _credentials(values)
        days = {name: Day.parse(values[name]) for name in ("start_date", "end_date")}
        backfill = values["backfill"]
        return cls(
            **{field.name: values[field.name] for field in fields(cls)}
            | days
            | {
                "auth_method": _auth_method(values) or "refresh_token",
                "api_url": values["api_url"].rstrip("/"),
                "scopes": tuple(values["scopes"]),
                **{name: tuple(dict.fromkeys(values[name] or ())) for name in _LISTS},
                "stream_groups": tuple(values["stream_groups"]),
                "granularities": tuple(dict.fromkeys(values["granularities"])),
                "targeting_types": tuple(map(str.upper, values["targeting_types"] or ())),
                "attribution_types": tuple(dict.fromkeys(values["attribution_types"] or ())),
                "custom_reports": custom_reports.parsed(values["custom_reports"] or (), _PARSERS),
                "slice_rows": values["slice_rows"] or SLICE_ROWS[values["access_tier"]],
                "domains": tuple(dict.fromkeys(map(str.lower, values["domains"] or ()))),
                "conversion_quality": {
                    name: tuple(asked)
                    for name, asked in (values["conversion_quality"] or {}).items()
                    if asked
                },
                "backfill": backfill
                and (Day.parse(backfill["start_date"]), Day.parse(backfill["end_date"])),
                "report_columns": daasity.REPORT_COLUMNS
                if values["layout"] == "daasity"
                else _report_columns(values["report_columns"]),
                "sync_key_fields": {
                    stream: tuple(names)
                    for stream, names in (values["sync_key_fields"] or {}).items()
                },
            }
        )

    @property
    def filters(self) -> Mapping[str, tuple[str, ...]]:
        """The settings that narrow the ads entities, and with them the reports."""
        names = ("entity_statuses", *_ID_FILTERS)
        return {name: ids for name in names if (ids := getattr(self, name))}

    @property
    def organic_filters(self) -> Mapping[str, str]:
        """The settings that narrow the organic reports, as parameters."""
        given = {name: getattr(self, name) for name in ORGANIC_FILTERS}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def named_ids(self) -> frozenset[str]:
        """Ids that the config names: what they stand for has to arrive."""
        names = (*_ID_FILTERS, *_ORGANIC_FILTERS)
        return frozenset(value for name in names for value in getattr(self, name))


def from_environment(prefix: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that environment variables give, a file `.env` in the folder included.

    Lists and objects are JSON; a list may also be one comma-separated text, and a member of an
    object may have a variable of its own.
    """
    load_dotenv(find_dotenv(usecwd=True))
    given = {name: os.environ.get(f"{prefix}{name.upper()}") for name in properties}
    values = {name: _from_json(text) for name, text in given.items() if text is not None}
    for name, schema in properties.items():
        members = from_environment(f"{prefix}{name.upper()}_", schema.get("properties") or {})
        if members and isinstance(whole := values.get(name) or {}, dict):
            values[name] = {**whole, **members}
    return values


def _from_json(text: str) -> object:
    if text.strip()[:1] not in {"[", "{"}:
        return text
    with suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(text)
    # Meltano writes lists so into the environment of a plugin's commands.
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        return ast.literal_eval(text.strip())
    return text


def problems(config: Mapping[str, Any], *, credentials: bool = True) -> list[str]:
    """What is wrong with a config: one line a fault, naming the setting and what it allows.

    Args:
        config: The config as the user gave it.
        credentials: Whether missing credentials are a fault; discovery needs none.
    """
    values = _normalised(config)
    faults = [*_unknown_settings(values), *_schema_faults(values)]
    broken = {_root(fault) for fault in faults}
    checks: tuple[tuple[str, Callable[[Mapping[str, Any]], list[str]]], ...] = (
        ("start_date", _day_faults),
        ("ad_account_ids", _id_faults),
        ("usernames", _username_faults),
        ("product_categories", _category_faults),
        ("domains", _domain_faults),
        ("api_url", _api_url_faults),
        ("oauth_credentials", _oauth_faults),
        ("report_columns", _column_faults),
        ("targeting_types", _targeting_faults),
        ("report_transport", _transport_faults),
        ("custom_reports", _custom_report_faults),
        ("token_file", _token_file_faults),
        ("layout", _layout_faults),
    )
    faults += [
        fault
        for setting, check in checks
        if setting not in broken
        for fault in check(values)
        if _root(fault) not in broken
    ]
    faults += [fault for fault in _credential_text_faults(values) if _root(fault) not in broken]
    faults += _credential_faults(values, required=credentials)
    broken = {_root(fault) for fault in faults}
    return faults + [fault for fault in _text_faults(values) if _root(fault) not in broken]


def _root(fault: str) -> str:
    """The setting that a fault is about."""
    return re.split(r"[.:]", fault, maxsplit=1)[0]


def _normalised(config: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: _from_json(value) if isinstance(value, str) else value
        for name, value in config.items()
        if value is not None and (value != "" or name in _EMPTY_IS_A_VALUE)
    }
    if isinstance(oauth := values.get("oauth_credentials"), dict):
        values["oauth_credentials"] = {
            name: value for name, value in oauth.items() if value is not None and value != ""
        }
    if isinstance(quality := values.get("conversion_quality"), dict):
        values["conversion_quality"] = _with_lists(quality, quality)
    values = _with_lists(values, (*_ID_LISTS, *_NAME_LISTS))
    for name, schema in CONFIG_SCHEMA["properties"].items():
        if isinstance(values.get(name), str):
            values[name] = _typed(values[name], schema["type"])
        elif isinstance(value := values.get(name), float) and value.is_integer():
            values[name] = int(value)
    return values


def _with_lists(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The values, those of these names as lists where they can be."""
    given = {
        name: _from_json(v) if isinstance(v := values[name], str) else v
        for name in names
        if name in values
    }
    lists = {name: listed for name, v in given.items() if (listed := _as_list(v)) is not None}
    return {**values, **lists}


def _as_list(value: object) -> list[Any] | None:
    """A list, a single id, or one comma-separated text, as a list of texts."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return [str(int(value))]
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list):
        return [
            str(item) if isinstance(item, int) and not isinstance(item, bool) else item
            for item in value
        ]
    return None


def _typed(text: str, types: Sequence[str]) -> object:
    """A text from the environment as the type that the setting has."""
    if "integer" in types and "string" not in types and re.fullmatch(r"-?\d{1,9}", text.strip()):
        return int(text)
    if "boolean" in types and text.strip().lower() in {"true", "false", "1", "0"}:
        return text.strip().lower() in {"true", "1"}
    return text


def _unknown_settings(values: Mapping[str, Any]) -> list[str]:
    return [_unknown_setting(name) for name in values if name not in _SCHEMA["properties"]]


def _unknown_setting(name: str) -> str:
    ours = _NAMES_ELSEWHERE.get(name) or next(
        iter(difflib.get_close_matches(name, OWN_SETTINGS, n=1, cutoff=0.75)), None
    )
    hint = f"did you mean {ours}?" if ours else f"the settings are {', '.join(OWN_SETTINGS)}"
    return f"{name[:80] if name.isprintable() else _shown(name)}: there is no such setting; {hint}"


def _schema_faults(values: Mapping[str, Any]) -> list[str]:
    known = {name: value for name, value in values.items() if name in _SCHEMA["properties"]}
    errors = jsonschema.Draft202012Validator(_SCHEMA).iter_errors(known)
    # A value may break several rules; one line for each is no news.
    return list({tuple(error.absolute_path): _schema_fault(error) for error in errors}.values())


def _schema_fault(error: jsonschema.ValidationError) -> str:
    setting = str(error.absolute_path[0])
    path = ".".join(str(part) for part in error.absolute_path)
    given = "" if setting in _SECRETS else f"{_shown(error.instance)} is refused; "
    match error.validator:
        case "enum":
            allowed = f"one of {', '.join(_listed(error.validator_value))}"
        case "type":
            types = [kind for kind in _listed(error.validator_value) if kind != "null"]
            allowed = " or ".join(types)
        case "minimum" | "maximum":
            word = "at least" if error.validator == "minimum" else "at most"
            allowed = f"{word} {error.validator_value}"
        case "required" | "additionalProperties":
            schema = cast("dict[str, Any]", error.schema)
            allowed = f"an object with {', '.join(schema['properties'])}"
        case _:
            allowed = f"{error.validator} {error.validator_value}"
    return f"{path}: {given}allowed: {allowed}"


def _listed(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - what fits one line


def _day_faults(values: Mapping[str, Any]) -> list[str]:
    texts = {name: values[name] for name in ("start_date", "end_date") if name in values}
    backfill = values.get("backfill")
    if isinstance(backfill, dict):
        texts |= {f"backfill.{name}": text for name, text in backfill.items()}
    faults: list[str] = []
    days: dict[str, date] = {}
    today = datetime.now(tz=UTC).date()
    for name, text in texts.items():
        try:
            days[name] = Day.parse(text).resolve(today=today, earliest=date.min)
        except (ValueError, TypeError, OverflowError, AttributeError):
            faults.append(
                f"{name}: {_shown(text)} is refused; allowed: YYYY-MM-DD, an ISO date-time, "
                "'N days ago', yesterday, today, earliest"
            )
    for prefix in ("", "backfill."):
        start, end = days.get(f"{prefix}start_date"), days.get(f"{prefix}end_date")
        end = end or (today if not prefix and "end_date" not in texts else None)
        if start and end and start > end:
            faults.append(f"{prefix}start_date: {start} is refused; allowed: not after {end}")
    return faults


def _id_faults(values: Mapping[str, Any]) -> list[str]:
    given = {name: values[name] for name in _ID_LISTS if isinstance(values.get(name), list)}
    forms = dict.fromkeys(_ID_LISTS, (_ID, "ids of digits"))
    forms |= dict.fromkeys(
        _AD_ACCOUNT_LISTS, (_AD_ACCOUNT_ID, "ad account ids, 1 to 18 digits each")
    )
    faults = [
        f"{name}: {_shown(item)} is refused; allowed: {forms[name][1]}"
        for name, items in given.items()
        for item in items
        if not (isinstance(item, str) and forms[name][0].fullmatch(item))
    ]
    wanted = given.get("ad_account_ids", ())
    excluded = [item for item in given.get("exclude_ad_account_ids", ()) if item in wanted]
    return faults + [
        f"exclude_ad_account_ids: {item} is refused; allowed: ids that ad_account_ids does not name"
        for item in excluded
    ]


def _username_faults(values: Mapping[str, Any]) -> list[str]:
    return [
        f"usernames: {_shown(item)} is refused; allowed: names that are not a number"
        for item in values.get("usernames", ())
        if not (isinstance(item, str) and _USERNAME.fullmatch(item))
    ]


def _category_faults(values: Mapping[str, Any]) -> list[str]:
    details = api.operation("GET /trends/product_categories/details")
    known = details.parameters["product_categories"].allowed
    return [
        f"product_categories: {_shown(item)} is refused; allowed: Pinterest's names of them, "
        f"such as {', '.join(known[:3])}"
        for item in values.get("product_categories", ())
        if item not in known
    ]


def _domain_faults(values: Mapping[str, Any]) -> list[str]:
    return [
        f"domains: {_shown(item)} is refused; allowed: names of domains, such as example.com"
        for item in values.get("domains", ())
        if not (isinstance(item, str) and _DOMAIN.fullmatch(item))
    ]


def _api_url_faults(values: Mapping[str, Any]) -> list[str]:
    parts = _split_url(values.get("api_url", API_URL))
    good = parts and not (parts.query or parts.fragment)
    return [] if good else ["api_url: refused; allowed: an https URL, or http on this machine"]


def _split_url(url: str) -> SplitResult | None:
    """The parts of a URL that secrets may be sent to; `None` if it is none."""
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and safe and parts.username is None else None


def _oauth_faults(values: Mapping[str, Any]) -> list[str]:
    oauth = values.get("oauth_credentials") or {}
    faults = [
        f"oauth_credentials.{name}: {name} is given beside it; allowed: one of the two"
        for name in _TOKENS
        if oauth.get(name) and values.get(name)
    ]
    if "refresh_proxy_url" in oauth and not (
        _is_plain(oauth["refresh_proxy_url"]) and _split_url(oauth["refresh_proxy_url"])
    ):
        allowed = "allowed: an https URL, or http on this machine"
        faults.append(f"oauth_credentials.refresh_proxy_url: refused; {allowed}")
    if "refresh_proxy_url_auth" in oauth and "refresh_proxy_url" not in oauth:
        needed = "missing; it is needed with refresh_proxy_url_auth"
        faults.append(f"oauth_credentials.refresh_proxy_url: {needed}")
    return faults


def _token_file_faults(values: Mapping[str, Any]) -> list[str]:
    name = values.get("token_file") or ""
    if not name or (_is_plain(name) and _names_a_file(name)):
        return []
    allowed = "the path of a file, without blanks around it or control characters in it"
    return [f"token_file: {_shown(name)} is refused; allowed: {allowed}"]


def _is_plain(text: str) -> bool:
    return text.isprintable() and text == text.strip()


def _names_a_file(name: str) -> bool:
    try:
        path = os.fsencode(Path(name).expanduser())
    except (RuntimeError, ValueError):
        return False
    # Of os.path, because Path.is_dir raises where a name is too long.
    return not (name.endswith(("/", os.sep)) or os.path.isdir(path))  # noqa: PTH112


def _credential_text_faults(values: Mapping[str, Any]) -> list[str]:
    """Credentials that no HTTP header can carry, such as one with the end of its line."""
    oauth = values.get("oauth_credentials")
    oauth = oauth if isinstance(oauth, dict) else {}
    texts = {name: values.get(name, "") for name in ("client_id", "client_secret", *_TOKENS)}
    texts |= {f"oauth_credentials.{name}": oauth.get(name, "") for name in _TOKENS}
    header = oauth.get("refresh_proxy_url_auth", "")
    texts["oauth_credentials.refresh_proxy_url_auth"] = (
        # A scheme and a token, which one blank stands between.
        header.replace(" ", "", 1) if isinstance(header, str) and _is_plain(header) else header
    )
    return [
        f"{name}: refused; allowed: printable ASCII characters without spaces"
        for name, text in texts.items()
        if isinstance(text, str)
        if not (text.isascii() and text.isprintable() and " " not in text)
    ]


def _text_faults(values: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: refused; allowed: Unicode text without NUL"
        for name, value in values.items()
        if name in _SCHEMA["properties"]
        if any(_DAMAGE.search(text) for text in _texts_in(value))
    ]


def _texts_in(value: object) -> Iterator[str]:
    """A text, or all texts inside a list or an object."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for each in pair for text in _texts_in(each))
    elif isinstance(value, list):
        yield from (text for each in value for text in _texts_in(each))


def _column_faults(values: Mapping[str, Any]) -> list[str]:
    columns = _report_columns(values.get("report_columns", "default"))
    if isinstance(columns, str):
        return []
    return [f"report_columns: {fault}" for fault in unknown_columns(columns)]


def _targeting_faults(values: Mapping[str, Any]) -> list[str]:
    known = targeting.known()
    return [
        f"targeting_types: {_shown(item)} is refused; allowed: {', '.join(known)}"
        for item in values.get("targeting_types", ())
        if str(item).upper() not in known
    ]


def _transport_faults(values: Mapping[str, Any]) -> list[str]:
    columns = _report_columns(values.get("report_columns", "default"))
    only = [] if isinstance(columns, str) else only_asynchronous(columns)
    if values.get("report_transport") != "sync" or not only:
        return []
    fault = (
        f"report_transport: sync is refused; allowed: auto, async, because report_columns names "
        f"{', '.join(only)}, which only asynchronous reports have"
    )
    return [fault]


def _custom_report_faults(values: Mapping[str, Any]) -> list[str]:
    definitions = values.get("custom_reports", ())
    faults = custom_reports.faults_of(definitions)
    for definition in definitions:
        if not isinstance(definition, dict):
            continue
        prefix = f"custom_reports.{definition.get('name')}"
        names = ("start_date", "end_date", "lookback_days")
        given = {name: definition[name] for name in names if definition.get(name) is not None}
        days = given.pop("lookback_days", 0)
        faults += [f"{prefix}.{fault}" for fault in _day_faults(given)]
        if not isinstance(days, int) or isinstance(days, bool) or days < 0:
            faults.append(f"{prefix}.lookback_days: {_shown(days)} is refused; allowed: at least 0")
    if definitions and values.get("layout") == "daasity":
        faults.append("custom_reports: refused; allowed: none, with layout daasity")
    return faults


def _layout_faults(values: Mapping[str, Any]) -> list[str]:
    if values.get("layout") != "daasity":
        return []
    defaults = {"report_columns": ["default"], "column_names": "api", "stream_groups": None}
    defaults["granularities"] = ["DAY"]
    defaults["stream_groups"] = CONFIG_SCHEMA["properties"]["stream_groups"]["default"]
    return [
        f"{name}: {_shown(values[name])} is refused; allowed: its default, because layout daasity "
        "says which tables and columns there are"
        for name, default in defaults.items()
        if values.get(name, default) != default
    ]


def _report_columns(value: object) -> str | tuple[str, ...]:
    names = tuple(_as_list(value) or ())
    if len(names) == 1 and str(names[0]).lower() in {"default", "all"}:
        return str(names[0]).lower()
    return tuple(str(name).upper() for name in names)


def _credentials(values: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens wherever they stand: by themselves, or in `oauth_credentials`."""
    oauth = values.get("oauth_credentials")
    oauth = oauth if isinstance(oauth, dict) else {}
    proxy = {name: oauth.get(name) for name in ("refresh_proxy_url", "refresh_proxy_url_auth")}
    return {name: values.get(name) or oauth.get(name) for name in _TOKENS} | proxy


def _auth_method(values: Mapping[str, Any]) -> str | None:
    if values.get("auth_method"):
        return str(values["auth_method"])
    found = _credentials(values)
    kinds = [kind for kind in _TOKENS if found[kind]]
    if len(kinds) == 1 or (kinds and found["refresh_proxy_url"]):
        return kinds[0]
    if not kinds and values.get("client_id") and _has_stored_tokens(values):
        return "refresh_token"
    return None


def _has_stored_tokens(values: Mapping[str, Any]) -> bool:
    """Whether there is a token file, as `tap-pinterest-login` writes it."""
    try:
        path = _token_path(values.get("token_file"), values.get("client_id"), None)
        return path is not None and path.is_file()
    except (OSError, RuntimeError, TypeError, ValueError):
        # Other checks refuse what is no path.
        return False


def _token_path(
    token_file: str | None, client_id: str | None, refresh_token: str | None
) -> Path | None:
    if token_file is not None:
        return Path(token_file).expanduser() if token_file else None
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    except RuntimeError:
        # A user without a home, as in many containers.
        return None
    # Of the token too: two users of one app would take each other's for an older config.
    origin = msgspec.json.encode((client_id, refresh_token))
    return state / "tap-pinterest" / f"{hashlib.sha256(origin).hexdigest()[:16]}.json"


def _credential_faults(values: Mapping[str, Any], *, required: bool) -> list[str]:
    method = _auth_method(values)
    found = _credentials(values)
    if method is None and all(found[kind] for kind in _TOKENS):
        fault = (
            "auth_method: access_token and refresh_token are both given; allowed: leave one out, "
            "or name one of refresh_token, access_token"
        )
        return [fault]
    if not required:
        return []
    if method is None:
        fault = (
            "access_token: no credentials; allowed: access_token, or client_id with client_secret "
            "and refresh_token, or client_id with client_secret and auth_method "
            "client_credentials, or oauth_credentials with refresh_token and refresh_proxy_url. "
            "tap-pinterest-login gets a refresh token"
        )
        return [fault]
    app = ("client_id", "client_secret")
    stored = () if found["refresh_token"] or _has_stored_tokens(values) else ("refresh_token",)
    needed = {
        "access_token": ("access_token",),
        "refresh_token": ("refresh_token",) if found["refresh_proxy_url"] else (*app, *stored),
        "client_credentials": app,
    }.get(method, ())
    return [
        f"{name}: missing; it is needed with auth_method {method}"
        for name in needed
        if not (found.get(name) or values.get(name))
    ]
