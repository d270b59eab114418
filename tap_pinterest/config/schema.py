"""Every setting, once: its type, default, allowed values and meaning.

`--about`, `meltano.yml` and the documents show `CONFIG_SCHEMA`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from singer_sdk import typing as th

from tap_pinterest.api.levels import ID_FILTERS
from tap_pinterest.api.periods import GRANULARITIES
from tap_pinterest.config import beta_reports
from tap_pinterest.config.days import FORMS
from tap_pinterest.layouts import LAYOUTS, NAMINGS, PINTEREST

API_URL = "https://api.pinterest.com/v5"
ATTRIBUTION_WINDOWS = (0, 1, 7, 14, 30, 60)
SETTLING_DAYS = 2
"""Days that Pinterest needs to finish counting, in addition to any attribution window."""
SLICE_ROWS = {"standard": 5_000, "trial": sys.maxsize}
CREATIVE_CALLS = {"standard": 1_000, "trial": 100}
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
"""Parameters that narrow the organic reports; the first value is Pinterest's default."""
CONVERSION_QUALITY = {
    "lookback_period": ("1d", "14d"),
    "source_platform": (
        *("WEB", "MOBILE", "MOBILE_ANDROID", "MOBILE_IOS", "OFFLINE", "PINTEREST_WEB"),
        *("PINTEREST_ANDROID", "PINTEREST_IOS", "POINT_OF_SALE"),
    ),
    "ingestion_source": ("TAG", "MMP", "FILE_UPLOAD", "CONVERSIONS_API", "NATIVE"),
}
ORGANIC_LOOKBACK_DAYS = 14
DAILY_MAX_AGE_HOURS = 12
LOG_FORMATS = ("auto", "text", "json")
SCOPES = (
    *("ads:read", "ads:write", "billing:read", "billing:write"),
    *("biz_access:read", "biz_access:write", "boards:read", "boards:read_secret"),
    *("boards:write", "boards:write_secret", "catalogs:read", "catalogs:write", "msot:write"),
    *("pins:read", "pins:read_secret", "pins:write", "pins:write_secret"),
    *("user_accounts:read", "user_accounts:write"),
)
"""Pinterest's scopes. No stream needs one that writes, but other programs may use the token too."""
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
        description="Refresh token. With client_id and client_secret, the tap fetches access "
        "tokens by itself. Leave it out if tap-pinterest-login has stored one in token_file.",
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        description="Access token, instead of client_id, client_secret and refresh_token. "
        "The tap cannot renew it.",
    ),
    th.Property(
        "oauth_credentials",
        th.ObjectType(
            th.Property(
                "access_token",
                th.StringType,
                secret=True,
                description="Access token for the start.",
            ),
            th.Property(
                "refresh_token",
                th.StringType,
                secret=True,
                description="Refresh token for the proxy.",
            ),
            th.Property(
                "refresh_proxy_url",
                th.StringType,
                description="URL to which the tap POSTs the refresh token: https, or http on "
                "this machine.",
            ),
            th.Property(
                "refresh_proxy_url_auth",
                th.StringType,
                secret=True,
                description="Authorization header for the proxy, such as Bearer and a token.",
            ),
            additional_properties=False,
        ),
        description="Tokens that a proxy renews, because another company has the app's secret: "
        "access_token, refresh_token, refresh_proxy_url and refresh_proxy_url_auth.",
    ),
    th.Property(
        "auth_method",
        th.StringType,
        allowed_values=list(AUTH_METHODS),
        description="Kind of credentials. Needed only if you give more than one kind.",
    ),
    th.Property(
        "scopes",
        _list_of(SCOPES),
        default=list(READ_SCOPES),
        description="Scopes to request, with auth_method client_credentials and in "
        "tap-pinterest-login.",
    ),
    th.Property(
        "token_file",
        th.StringType,
        description="File for renewed tokens. Default: one file for each client_id and "
        "configured refresh token in $XDG_STATE_HOME/tap-pinterest (or "
        '~/.local/state/tap-pinterest). An empty text ("") turns it off.',
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=API_URL,
        description="Base URL of the API: https, or http on this machine.",
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
        description="Users whose profile, boards, Pins and catalogs the tap reads: the token's "
        "user, the owners of the ad accounts (each once), or both.",
    ),
    th.Property(
        "stream_groups",
        _list_of(STREAM_GROUPS),
        default=["ads", "organic"],
        description=f"Groups of streams that discovery lists: {', '.join(STREAM_GROUPS[:-1])}, or "
        "all. With personal, records of other groups include names and e-mail addresses.",
    ),
)
FILTERS = (
    th.Property(
        "entity_statuses",
        _list_of(ENTITY_STATUSES),
        description="Read only campaigns, ad groups, ads and product group promotions with these "
        "statuses, and their reports. Default: ACTIVE, PAUSED and ARCHIVED.",
    ),
    th.Property(
        "campaign_ids", _ID_LIST, description="Read only these campaigns, their ad groups and ads."
    ),
    th.Property("ad_group_ids", _ID_LIST, description="Read only these ad groups and their ads."),
    th.Property("ad_ids", _ID_LIST, description="Read only these ads."),
    th.Property(
        "product_group_ids", _ID_LIST, description="Read only these product group promotions."
    ),
    th.Property(
        "board_ids", _ID_LIST, description="Read only these boards, their sections and Pins."
    ),
    th.Property("pin_ids", _ID_LIST, description="Read only these Pins."),
)
ASKED_FOR = (
    th.Property(
        "terms",
        _NAME_LIST,
        description="Search terms whose related and suggested terms the tap reads.",
    ),
    th.Property(
        "keywords",
        _NAME_LIST,
        description="Keywords whose search volume the tap reads, in each of the countries.",
    ),
    th.Property(
        "countries", _NAME_LIST, description="Countries of the keyword metrics, such as US or GB."
    ),
    th.Property(
        "trend_regions",
        _list_of(TREND_REGIONS),
        description="Regions whose trends the tap reads. Topics, product categories and articles "
        "exist for US, GB+IE and CA only.",
    ),
    th.Property(
        "product_categories",
        _NAME_LIST,
        description="Product categories whose trends the tap reads, in each of the trend_regions.",
    ),
    th.Property(
        "usernames", _NAME_LIST, description="Users whose followed interests the tap reads."
    ),
)
ANALYTICS = (
    th.Property(
        "start_date",
        th.StringType,
        default="90 days ago",
        description=f"First day of the reports (UTC): {FORMS} or earliest. Pinterest keeps 914 "
        "days for most reports.",
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
        description="Days before the bookmark that each run reads again, because Pinterest credits "
        "conversions late. Default: the longest attribution window plus 2; for organic reports "
        f"{ORGANIC_LOOKBACK_DAYS}.",
    ),
    th.Property(
        "restate",
        th.StringType,
        default="always",
        allowed_values=["always", "daily"],
        description="When a run reads the days of the lookback again: always, or daily, in the "
        "first run of a day (UTC). With daily, further runs of the day read only days that were "
        "not complete, and leave out recent lists; see entities_max_age_hours.",
    ),
    th.Property(
        "entities_max_age_hours",
        th.IntegerType,
        minimum=0,
        description="Hours for which a list, such as the campaigns, is not read again once a run "
        f"has read all of it; 0 reads it in each run. Default: 0, or {DAILY_MAX_AGE_HOURS} with "
        "restate daily. Reports still list the ids that their calls name.",
    ),
    th.Property(
        "backfill",
        th.ObjectType(
            th.Property("start_date", th.StringType, required=True),
            th.Property("end_date", th.StringType, required=True),
            additional_properties=False,
        ),
        description="A further range of days that the tap reads once for each stream and account, "
        "even if the state already has these days.",
    ),
    th.Property(
        "report_columns",
        _NAME_LIST,
        default="default",
        description="Columns of the reports: 'default', 'all', or a list of Pinterest's names. "
        "Only these are in the catalog. A name that the tap does not know is accepted if Pinterest "
        "lists it for your token. Some columns exist only in asynchronous reports; naming one "
        "makes the report asynchronous.",
    ),
    th.Property(
        "granularities",
        _list_of(tuple(GRANULARITIES)),
        default=["DAY"],
        description=f"Periods of the ads reports' rows: {', '.join(GRANULARITIES)}. Each one "
        "except DAY adds streams of its own, such as ad_analytics_week.",
    ),
    th.Property(
        "targeting_types",
        _NAME_LIST,
        description="Types by which the targeting streams break numbers down, such as GENDER. "
        "Default: all types of the level that are not in beta.",
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
        description="The day of a conversion: the day of the ad action, or of the conversion "
        "itself.",
    ),
    th.Property(
        "attribution_types",
        _list_of(("INDIVIDUAL", "HOUSEHOLD")),
        description="Conversions that count: INDIVIDUAL, HOUSEHOLD. In beta; sent only if set. "
        "It makes a report asynchronous if synchronous calls do not accept it.",
    ),
    th.Property(
        "reporting_timezone",
        th.StringType,
        allowed_values=["PINTEREST_TIME_ZONE", "AD_ACCOUNT_TIME_ZONE"],
        description="Time zone of the reports' days. In closed beta; sent only if set.",
    ),
    th.Property(
        "custom_reports",
        th.CustomType({"type": ["array", "null"], "items": {"type": "object"}}),
        description="Reports that you define. Each is a stream: an object with name, level (such "
        "as CAMPAIGN or AD_GROUP_TARGETING) and any of columns, granularity, dates, attribution, "
        "filters and targeting types. The settings apply to keys that you leave out.",
    ),
)
ORGANIC = (
    th.Property(
        "user_split_fields",
        _list_of(USER_SPLIT_FIELDS),
        default=["NO_SPLIT"],
        description="Splits of user_account_analytics, one call each: "
        f"{', '.join(USER_SPLIT_FIELDS)}.",
    ),
    th.Property(
        "pin_split_field",
        th.StringType,
        default="NO_SPLIT",
        allowed_values=["NO_SPLIT", "APP_TYPE"],
        description="Split of pin_analytics.",
    ),
    th.Property(
        "app_types",
        th.StringType,
        allowed_values=list(ORGANIC_FILTERS["app_types"]),
        description="Apps whose activity the organic reports count. Default: all.",
    ),
    th.Property(
        "content_type",
        th.StringType,
        allowed_values=list(ORGANIC_FILTERS["content_type"]),
        description="Activity that the reports of users and their top Pins count: paid, organic, "
        "or all. Default: both.",
    ),
    th.Property(
        "pin_format",
        th.StringType,
        allowed_values=list(ORGANIC_FILTERS["pin_format"]),
        description="Format of the Pins that the reports of users and their top Pins count. "
        "Default: all.",
    ),
    th.Property(
        "source",
        th.StringType,
        allowed_values=list(ORGANIC_FILTERS["source"]),
        description="Pins that the reports of users and their top Pins count: the user's own Pins, "
        "or Pins that other users made from claimed accounts. Default: both.",
    ),
    th.Property(
        "from_claimed_content",
        th.StringType,
        allowed_values=list(ORGANIC_FILTERS["from_claimed_content"]),
        description="Pins that the reports of users and their top Pins count: Pins of claimed "
        "domains, or other Pins. Default: both.",
    ),
    th.Property(
        "top_pins_sort_by",
        _list_of(TOP_PINS_SORTS),
        description="Metrics by which top Pins and top video Pins are sorted, one call each. "
        "Default: all of Pinterest's.",
    ),
    th.Property(
        "top_pins_days",
        th.IntegerType,
        default=30,
        minimum=1,
        maximum=90,
        description="Number of days, up to end_date, over which Pinterest finds the top Pins and "
        "top video Pins.",
    ),
    th.Property(
        "domains",
        _NAME_LIST,
        description="Domains to which the Pins of domain_top_pins link, subdomains included. "
        "Default: every host that a Pin links to.",
    ),
    th.Property(
        "conversion_quality",
        th.ObjectType(
            *(th.Property(name, _list_of(values)) for name, values in CONVERSION_QUALITY.items()),
            additional_properties=False,
        ),
        description="Values for which the tap reads conversion_eqs, as lists: lookback_period "
        "(default: 1d and 14d), source_platform and ingestion_source (default: all).",
    ),
)
IN_BETA = (
    th.Property(
        "mmm_report",
        th.ObjectType(
            *(th.Property(name, _NAME_LIST) for name in beta_reports.MMM.members),
            additional_properties=False,
        ),
        description="Marketing-mix reports, as lists: levels (CAMPAIGN_TARGETING, "
        "AD_GROUP_TARGETING) and granularities (DAY, WEEK), where each one after the first adds a "
        "stream of its own; targeting_types; columns (default, all, or names); countries, to "
        "read only these.",
    ),
    th.Property(
        "brand_category_sku_report",
        th.ObjectType(
            *(th.Property(name, _NAME_LIST) for name in beta_reports.PRODUCTS.lists),
            th.Property("conversion_product_attribution_type", th.StringType),
            th.Property("click_window_days", th.IntegerType),
            th.Property("view_window_days", th.IntegerType),
            th.Property("conversion_report_time", th.StringType),
            additional_properties=False,
        ),
        description="Reports of the products that people bought: levels (CAMPAIGN, ADVERTISER, "
        "AD_GROUP) and granularities (WEEK, MONTH, TOTAL), where each one after the first adds a "
        "stream of its own; conversion_product_breakdowns (PRODUCT_BRAND), columns (default, "
        "all, or names), product_sku_ids for PRODUCT_SKU_GROUP, campaign_objective_types, and "
        "the report's own attribution: conversion_product_attribution_type (DEFAULT), "
        "click_window_days (30), view_window_days (30), conversion_report_time "
        "(TIME_OF_AD_ACTION).",
    ),
    th.Property(
        "catalogs_report",
        th.ObjectType(
            th.Property("report_types", _NAME_LIST),
            additional_properties=False,
        ),
        description="Reports of catalogs and feeds: report_types (default: DISTRIBUTION_ISSUES and "
        "FEED_INGESTION_ISSUES; Pinterest opens ALL_ITEMS to some users only).",
    ),
)
TRANSPORT = (
    th.Property(
        "report_transport",
        th.StringType,
        default="auto",
        allowed_values=["auto", "sync", "async"],
        description="How the tap reads ads reports: sync (one call after another, at most 90 days "
        "back), async (Pinterest prepares a file, the tap downloads it), or auto (the better of "
        "the two).",
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
        description="Calls that run at the same time; 1 means strictly one after another.",
    ),
    th.Property(
        "slice_rows",
        th.IntegerType,
        minimum=1,
        description="Rows (ids times days times targeting types) that one report call may "
        "request. Default: 5000; with access_tier trial, as many as Pinterest allows.",
    ),
    th.Property(
        "creative_calls",
        th.IntegerType,
        minimum=0,
        description="Calls that a run may make for ad_creatives: one for the Pin of each ad that "
        "is new or has changed, unless another stream lists the Pin. The next runs read the rest. "
        "Default: 1000; with access_tier trial, 100.",
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
        description="Longest wait, in seconds, for quota or for a report that Pinterest prepares, "
        "before the run fails.",
    ),
    th.Property(
        "log_format",
        th.StringType,
        default="auto",
        allowed_values=list(LOG_FORMATS),
        description="Form of the results at the end of a run: text, a table for people; json, one "
        "line for programs; auto, the table at a terminal, otherwise both.",
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
        description="Text between the key fields before the MD5.",
    ),
    th.Property(
        "sync_key_fields",
        th.CustomType(
            {
                "type": ["object", "null"],
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            }
        ),
        description='Other fields for the __sync_key of a stream: {"stream": ["field", ...]}.',
    ),
)
LAYOUT = (
    th.Property(
        "sync_log",
        th.BooleanType,
        default=True,
        description="Add the stream sync_log with the result of each stream of a run: one row "
        "for each ad account or user, also if the run fails. The Daasity layout has none.",
    ),
    th.Property(
        "removed_items",
        th.BooleanType,
        default=False,
        description="Add the streams listed_items and complete_lists; a view of them shows the "
        "items that Pinterest no longer has. They have a row for each item of a list. They take no "
        "call, except one for the token's user if no other stream reads it. "
        "The Daasity layout has none.",
    ),
    th.Property(
        "extra_fields",
        th.BooleanType,
        default=True,
        description="Add the column extra_fields to datasets: an object with the fields that the "
        "tap does not know yet and the values that do not fit their column, or null.",
    ),
    th.Property(
        "empty_key_value",
        th.StringType,
        default="",
        description="Text that the tap writes into a key column without a value. Set (none) for a "
        "loader that turns an empty text into null.",
    ),
    th.Property(
        "layout",
        th.StringType,
        default=PINTEREST.name,
        allowed_values=list(LAYOUTS),
        description="Tables that the tap writes: Pinterest's streams, or the eight tables of "
        "Daasity's integration with exactly their columns.",
    ),
    th.Property(
        "column_names",
        th.StringType,
        default="api",
        allowed_values=list(NAMINGS),
        description="Names of the report columns: the names in Pinterest's API, or the names that "
        "Ads Manager displays.",
    ),
)

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    *(*CREDENTIALS, *SCOPE_OF_THE_SYNC, *FILTERS, *ASKED_FOR),
    *(*ANALYTICS, *ORGANIC, *IN_BETA, *TRANSPORT, *SYNC_KEY, *LAYOUT),
).to_dict()
OWN_SETTINGS = tuple(CONFIG_SCHEMA["properties"])

TOKENS = ("refresh_token", "access_token")
ORGANIC_ID_FILTERS = ("board_ids", "pin_ids")
AD_ACCOUNT_LISTS = ("ad_account_ids", "exclude_ad_account_ids")
ID_LISTS = (*AD_ACCOUNT_LISTS, *ID_FILTERS, *ORGANIC_ID_FILTERS)
LISTS = tuple(
    name
    for name, schema in CONFIG_SCHEMA["properties"].items()
    if {"array", "string"} <= {*schema["type"]}
)
"""Settings that are lists of texts; one text with commas is a list too."""
SECRETS = frozenset(
    name
    for name, schema in CONFIG_SCHEMA["properties"].items()
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
