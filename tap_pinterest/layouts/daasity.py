"""The tables of Daasity's Pinterest integration, column for column.

Two public documents list the columns. Where they contradict themselves or Pinterest, the tables
follow Pinterest; `docs/daasity.md` lists each such place. Columns that only API versions before v5
can fill are null.
"""

from __future__ import annotations

from collections.abc import Mapping

from tap_pinterest.layouts.tables import HostOf, InForce, Layout, Nowhere, Table

_TEXT = Nowhere("string")
_TIME = Nowhere("string", "date-time")

_AD_ANALYTICS = (
    *("ad_account_id", "ad_group_id", "ad_id", "campaign_id"),
    *("ad_group_entity_status", "campaign_daily_spend_cap", "campaign_entity_status"),
    *("campaign_name", "checkout_roas", "clickthrough_1", "clickthrough_1_gross"),
    *("clickthrough_2", "cpc_in_micro_dollar", "cpm_in_dollar", "cpm_in_micro_dollar"),
    *("ctr", "ctr_2", "date", "ecpcv_in_dollar", "ecpcv_p95_in_dollar", "ecpc_in_dollar"),
    *("ecpc_in_micro_dollar", "ecpe_in_dollar", "ecpm_in_micro_dollar", "ecpv_in_dollar"),
    *("ectr", "eengagement_rate", "engagement_1", "engagement_2", "engagement_rate"),
    *("impression_1", "impression_1_gross", "impression_2", "page_visit_cost_per_action"),
    *("page_visit_roas", "paid_impression", "pin_id", "repin_1", "repin_2", "repin_rate"),
    *("spend_in_dollar", "spend_in_micro_dollar", "total_checkout"),
    *("total_checkout_value_in_micro_dollar", "total_clickthrough", "total_click_checkout"),
    *("total_click_checkout_value_in_micro_dollar", "total_conversions", "total_engagement"),
    *("total_engagement_checkout", "total_engagement_checkout_value_in_micro_dollar"),
    *("total_engagement_signup", "total_engagement_signup_value_in_micro_dollar"),
    *("total_view_checkout", "total_view_checkout_value_in_micro_dollar"),
    *("web_checkout_cost_per_action", "web_checkout_roas"),
)
_AD_GROUPS = (
    *("id", "ad_account_id", "campaign_id", "feed_profile_id", "name", "status"),
    *("budget_in_micro_currency", "bid_in_micro_currency", "budget_type", "start_time"),
    *("end_time", "lifetime_frequency_cap", "auto_targeting_enabled", "placement_group"),
    *("pacing_delivery_type", "conversion_learning_mode_type", "summary_status"),
    *("billable_event", "type", "updated_time", "created_time"),
)
_ADS = (
    *("id", "ad_account_id", "campaign_id", "pin_id", "ad_group_id", "android_deep_link"),
    *("click_tracking_url", "creative_type", "destination_url", "ios_deep_link"),
    *("is_pin_deleted", "is_removable", "name", "status", "view_tracking_url"),
    *("collection_items_destination_url_template", "created_time", "review_status", "type"),
    *("updated_time", "summary_status"),
)
_CAMPAIGNS = (
    *("id", "ad_account_id", "name", "status", "lifetime_spend_cap", "daily_spend_cap"),
    *("order_line_id", "objective_type", "created_time", "updated_time", "type"),
)


TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            name="account",
            source="user_account",
            key=("pinterest_id",),
            columns={
                "pinterest_id": "id",
                "username": "username",
                "domain_url": HostOf("website_url"),
                "first_name": _TEXT,
                "last_name": _TEXT,
                "location": _TEXT,
                "gender": _TEXT,
                "is_active": Nowhere("boolean"),
                "last_pin_like_time": _TIME,
                "last_pin_save_time": _TIME,
                "created_at": _TIME,
            },
        ),
        Table(
            name="account_metrics",
            source="user_account_metrics",
            key=("pinterest_id", "metric_date"),
            columns={
                "pinterest_id": "id",
                "metric_date": "date",
                "board_count": "board_count",
                "following_count": "following_count",
                "user_following_count": "following_count",
                "follower_count": "follower_count",
                "pins_done_count": "pin_count",
                "profile_reach_count": "monthly_views",
                "like_count": Nowhere("integer"),
                "created_at": _TIME,
            },
        ),
        Table(
            name="delivery_metrics",
            source="delivery_metrics",
            key=("metric_id",),
            columns={"metric_id": "name", "metric_definition": "definition"},
            preferred=("report_type", "SYNC"),
        ),
        Table(
            name="ad_accounts",
            source="ad_accounts",
            key=("id",),
            sync_key_fields=("id", "country", "currency"),
            columns={
                "id": "id",
                "name": "name",
                "owner": "owner.username",
                "country": "country",
                "currency": "currency",
                "click_window_days": InForce("click_window_days", "integer"),
                "__engagement_window_days": InForce("engagement_window_days", "integer"),
                "__view_window_days": InForce("view_window_days", "integer"),
                "__conversion_report_time": InForce("conversion_report_time", "string"),
            },
        ),
        Table(
            name="ad_analytics",
            source="ad_analytics",
            key=("ad_id", "date"),
            sync_key_fields=(
                *("ad_account_id", "ad_group_id", "ad_id", "campaign_id", "pin_id", "date"),
            ),
            columns={name: name for name in _AD_ANALYTICS},
        ),
        Table(
            name="ad_groups",
            source="ad_groups",
            key=("id",),
            sync_key_fields=("id", "ad_account_id", "campaign_id", "feed_profile_id"),
            columns={name: name for name in _AD_GROUPS},
        ),
        Table(
            name="ads",
            source="ads",
            key=("id",),
            sync_key_fields=("id", "ad_account_id", "campaign_id", "pin_id", "ad_group_id"),
            columns={name: name for name in _ADS},
        ),
        Table(
            name="campaigns",
            source="campaigns",
            key=("id",),
            sync_key_fields=("id", "ad_account_id", "order_line_id"),
            columns={name: name for name in _CAMPAIGNS},
        ),
    )
}
"""The tables by name: the streams of `layout: daasity`."""

REPORT_COLUMNS = tuple(name.upper() for name in _AD_ANALYTICS if name != "date")
"""Pinterest's names of the report columns that `ad_analytics` has."""

DAASITY = Layout(
    "daasity",
    "Daasity",
    TABLES,
    report_columns=REPORT_COLUMNS,
    refuses=("report_columns", "column_names", "stream_groups", "granularities"),
)

SYNC_KEY_FIELDS: Mapping[str, tuple[str, ...]] = {
    table.source: fields
    for table in TABLES.values()
    if (fields := table.fields_of(table.sync_key_fields or table.key)) != table.record_key
}
"""The fields of `__sync_key` for Pinterest's streams whose fields are not their key properties."""
