"""Every setting, once: its type, default, allowed values and meaning.

`CONFIG_SCHEMA` is what `--about`, `meltano.yml` and the documents show.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_pinterest.config import beta_reports

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        "campaign_ids", _ID_LIST, description="Read only these campaigns, and what is in them."
    ),
    th.Property(
        "ad_group_ids", _ID_LIST, description="Read only these ad groups, and what is in them."
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
        description="Whose conversions count: INDIVIDUAL, HOUSEHOLD. In beta; sent only when set. "
        "It makes a report asynchronous where calls do not take it.",
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
IN_BETA = (
    th.Property(
        "mmm_report",
        th.ObjectType(
            *(th.Property(name, _NAME_LIST) for name in beta_reports.MMM.members),
            additional_properties=False,
        ),
        description="Marketing-mix reports, lists: levels (CAMPAIGN_TARGETING, AD_GROUP_TARGETING) "
        "and granularities (DAY, WEEK), each but the first a stream of its own, targeting_types, "
        "columns (default, all, or names), and countries to leave all others out.",
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
        "AD_GROUP) and granularities (WEEK, MONTH, TOTAL), each but the first a stream of its own, "
        "conversion_product_breakdowns (PRODUCT_BRAND), columns (default, all, or names), "
        "product_sku_ids for PRODUCT_SKU_GROUP, campaign_objective_types, and the report's own "
        "attribution: conversion_product_attribution_type (DEFAULT), click_window_days (30), "
        "view_window_days (30), conversion_report_time (TIME_OF_AD_ACTION).",
    ),
    th.Property(
        "catalogs_report",
        th.ObjectType(
            th.Property("report_types", _NAME_LIST),
            additional_properties=False,
        ),
        description="Reports of catalogs and feeds: report_types (default: DISTRIBUTION_ISSUES and "
        "FEED_INGESTION_ISSUES; ALL_ITEMS is open to some users only).",
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
        description="Longest wait, in seconds, for quota or for a report that Pinterest prepares, "
        "before the run fails.",
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
    *(*ANALYTICS, *ORGANIC, *IN_BETA, *TRANSPORT, *SYNC_KEY, *LAYOUT),
).to_dict()
OWN_SETTINGS = tuple(CONFIG_SCHEMA["properties"])

TOKENS = ("refresh_token", "access_token")
ADS_ID_FILTERS = ("campaign_ids", "ad_group_ids", "ad_ids", "product_group_ids")
ORGANIC_ID_FILTERS = ("board_ids", "pin_ids")
AD_ACCOUNT_LISTS = ("ad_account_ids", "exclude_ad_account_ids")
ID_LISTS = (*AD_ACCOUNT_LISTS, *ADS_ID_FILTERS, *ORGANIC_ID_FILTERS)
_ASKED_FOR = tuple(setting.name for setting in ASKED_FOR)
_ORGANIC_LISTS = ("user_split_fields", "top_pins_sort_by", "domains")
_VALUE_LISTS = ("entity_statuses", *_ORGANIC_LISTS, *_ASKED_FOR)
NAME_LISTS = (
    *("stream_groups", "scopes", "report_columns", "granularities", "targeting_types"),
    *("attribution_types", *_VALUE_LISTS),
)
LISTS = (*ID_LISTS, *_VALUE_LISTS)
SECRETS = frozenset(
    name
    for name, schema in CONFIG_SCHEMA["properties"].items()
    if any(each.get("secret") for each in (schema, *schema.get("properties", {}).values()))
)
