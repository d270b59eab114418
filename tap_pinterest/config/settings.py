"""The settings in force, in the form that the code reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from tap_pinterest.api.levels import ID_FILTERS
from tap_pinterest.config import beta_reports, custom_reports
from tap_pinterest.config.custom_reports import CustomReport
from tap_pinterest.config.days import Day
from tap_pinterest.config.schema import (
    CONFIG_SCHEMA,
    CREATIVE_CALLS,
    DAILY_MAX_AGE_HOURS,
    GROUPS,
    LISTS,
    ORGANIC_FILTERS,
    ORGANIC_ID_FILTERS,
    ORGANIC_LOOKBACK_DAYS,
    SETTLING_DAYS,
    SLICE_ROWS,
)
from tap_pinterest.config.values import (
    auth_method_of,
    credentials_of,
    normalised,
    report_columns_of,
    token_path_of,
)
from tap_pinterest.layouts import LAYOUTS, NAMINGS, Layout, Naming
from tap_pinterest.layouts.tables import ATTRIBUTION

NOT_ABOUT_ROWS = (
    *("refresh_proxy_url", "refresh_proxy_url_auth", "sync_log", "removed_items", "restate"),
    *("log_format", "creative_calls"),
    *("entities_max_age_hours", "start_date", "end_date", "lookback_days", "backfill"),
)
"""Settings that do not change the rows of lists; nor do credentials and transport."""


def _of_tier(values: Mapping[str, Any], name: str, defaults: Mapping[str, int]) -> int:
    """The value of a setting whose default depends on the app's access tier."""
    given: int | None = values[name]
    return defaults[values["access_tier"]] if given is None else given


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
    restate: str
    entities_max_age_hours: int | None
    backfill: tuple[Day, Day] | None
    report_columns: str | tuple[str, ...]
    granularities: tuple[str, ...]
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
    mmm_report: Mapping[str, Any]
    brand_category_sku_report: Mapping[str, Any]
    catalogs_report: Mapping[str, Any]
    access_tier: str
    max_requests_in_flight: int
    slice_rows: int
    creative_calls: int
    request_timeout: int
    max_wait_seconds: int
    log_format: str
    extra_fields: bool
    empty_key_value: str
    sync_log: bool
    removed_items: bool
    sync_key: bool
    sync_key_separator: str
    sync_key_fields: Mapping[str, tuple[str, ...]]
    layout: Layout
    column_names: Naming

    @property
    def attribution(self) -> Mapping[str, Any]:
        """The attribution settings in force, by name."""
        return {name: getattr(self, name) for name in ATTRIBUTION}

    def sync_key_shape(self, stream: str) -> Mapping[str, Any]:
        """The settings that change the `__sync_key` of a stream."""
        if not self.sync_key:
            return {"sync_key": False}
        shape = {"sync_key_separator": self.sync_key_separator} if self.sync_key_separator else {}
        own = self.sync_key_fields.get(stream)
        return {**shape, "sync_key_fields": list(own)} if own else shape

    @property
    def token_path(self) -> Path | None:
        """The file for renewed tokens; `None` if the config wants no file."""
        return token_path_of(self.token_file, self.client_id, self.refresh_token)

    @property
    def attribution_lookback(self) -> int:
        """Days to read again before the bookmark, because they can still get conversions."""
        if self.lookback_days is not None:
            return self.lookback_days
        windows = (self.click_window_days, self.engagement_window_days, self.view_window_days)
        return max(windows) + SETTLING_DAYS

    @property
    def about_rows(self) -> Mapping[str, str]:
        """The settings that may change the rows of lists, as texts."""
        others = {*GROUPS["Credentials"], *GROUPS["Calls and quotas"], *NOT_ABOUT_ROWS}
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: str(getattr(value, "name", value))
            for name, value in values.items()
            if name not in others
        }

    @property
    def entities_max_age_seconds(self) -> int:
        """The age up to which a list is not read again; 0 if each run reads it."""
        hours = self.entities_max_age_hours
        if hours is None:
            hours = DAILY_MAX_AGE_HOURS if self.restate == "daily" else 0
        return hours * 3600

    @property
    def organic_lookback(self) -> int:
        """Days to read again for organic reports, whose numbers settle within days."""
        return ORGANIC_LOOKBACK_DAYS if self.lookback_days is None else self.lookback_days

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Settings from a config without faults."""
        values = {
            name: schema.get("default") for name, schema in CONFIG_SCHEMA["properties"].items()
        } | normalised(config)
        values |= credentials_of(values)
        backfill, layout = values["backfill"], LAYOUTS[values["layout"]]
        return cls(
            **{field.name: values[field.name] for field in fields(cls)}
            | {
                "start_date": Day.parse(values["start_date"]),
                "end_date": Day.parse(values["end_date"]),
                "auth_method": auth_method_of(values) or "refresh_token",
                "api_url": values["api_url"].rstrip("/"),
                **{name: tuple(dict.fromkeys(values[name] or ())) for name in LISTS},
                "targeting_types": tuple(map(str.upper, values["targeting_types"] or ())),
                "custom_reports": custom_reports.parsed(values["custom_reports"] or ()),
                "slice_rows": _of_tier(values, "slice_rows", SLICE_ROWS),
                "creative_calls": _of_tier(values, "creative_calls", CREATIVE_CALLS),
                "domains": tuple(dict.fromkeys(map(str.lower, values["domains"] or ()))),
                "conversion_quality": {
                    name: tuple(asked)
                    for name, asked in (values["conversion_quality"] or {}).items()
                    if asked
                },
                **{
                    each.setting: each.chosen(values[each.setting] or {})
                    for each in beta_reports.SHAPES
                },
                "backfill": backfill
                and (Day.parse(backfill["start_date"]), Day.parse(backfill["end_date"])),
                "layout": layout,
                "column_names": NAMINGS[values["column_names"]],
                "report_columns": layout.report_columns
                or report_columns_of(values["report_columns"]),
                "sync_key_fields": {
                    stream: tuple(names)
                    for stream, names in (values["sync_key_fields"] or {}).items()
                },
            }
        )

    def of_report(self, custom: CustomReport | None) -> Settings:
        """The settings in force for a report: its definition comes before the tap's settings."""
        if custom is None:
            return self
        columns = custom.columns or self.report_columns
        return replace(self, report_columns=columns, **custom.settings)

    @property
    def filters(self) -> Mapping[str, tuple[str, ...]]:
        """The settings that narrow the ads entities, and with them the reports."""
        names = ("entity_statuses", *ID_FILTERS)
        return {name: ids for name in names if (ids := getattr(self, name))}

    @property
    def organic_filters(self) -> Mapping[str, str]:
        """The settings that narrow the organic reports, as parameters."""
        given = {name: getattr(self, name) for name in ORGANIC_FILTERS}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def named_ids(self) -> frozenset[str]:
        """Ids in the config; what they name is required."""
        names = (*ID_FILTERS, *ORGANIC_ID_FILTERS)
        return frozenset(value for name in names for value in getattr(self, name))
