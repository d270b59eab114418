"""Two dbt models for the page: spend by channel, and the spend of each level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import sql

from tap_pinterest.page.tables import AnyConnection, Tables

UMS, SPEND = "ums", "vendor_performance"
RECONCILIATION = "pinterest__reconciliation"
SPEND_COLUMNS = ("store", "channel", "vendor", "original_currency", "total_spend", "activity_date")
LEVEL_COLUMNS = ("source_relation", "level", "currency", "spend", "account_spend", "is_equal")

CHANNEL_HEADINGS = ("Channel", "Vendor", "Window", "Currency", "Campaigns", "Spend", "Orders")
LEVEL_HEADINGS = ("Level", "Currency", "Days", "Of accounts", "Of the level", "Days that differ")

_SCHEMAS = """
    SELECT table_schema FROM information_schema.tables WHERE table_name = %s ORDER BY 1
"""
_CHANNELS = """
    SELECT channel, vendor, attribution_window, original_currency, count(DISTINCT campaign_id),
           sum(total_spend), sum(vendor_reported_orders)
      FROM {spend}
     WHERE store = {schema}
       AND activity_date::date > (
            SELECT max(activity_date::date) FROM {spend} WHERE store = {schema}
           ) - {days}
     GROUP BY 1, 2, 3, 4
     ORDER BY 1, 2, 3, 4
"""
_LEVELS = """
    SELECT level, currency, count(*), sum(account_spend), sum(spend),
           count(*) FILTER (WHERE NOT is_equal)
      FROM {reconciliation}
     WHERE source_relation = {schema}
     GROUP BY 1, 2
     ORDER BY 1, 2
"""


class Models(NamedTuple):
    """The rows of the models about a schema; none if the models are not built.

    Attributes:
        channels: Spend and orders of each channel, with the cells of `CHANNEL_HEADINGS`.
        levels: The spend of each level and of its ad accounts, with the cells of `LEVEL_HEADINGS`.
    """

    channels: Sequence[Sequence[object]]
    levels: Sequence[Sequence[object]]


def models(connection: AnyConnection, schema: str, days: int) -> Models:
    """The rows about a schema; the models may be in any other schema."""
    ums, channels = Tables.of(connection, UMS), []
    if ums.has(SPEND, *SPEND_COLUMNS):
        spend = ums.identifier(SPEND)
        channels = ums.query(_CHANNELS, spend=spend, schema=schema, days=sql.Literal(days))
    return Models(channels, _levels(connection, schema))


def _levels(connection: AnyConnection, schema: str) -> list[Any]:
    for (name,) in connection.execute(_SCHEMAS, [RECONCILIATION]).fetchall():
        found = Tables.of(connection, name)
        if found.has(RECONCILIATION, *LEVEL_COLUMNS):
            table = found.identifier(RECONCILIATION)
            if rows := found.query(_LEVELS, reconciliation=table, schema=schema):
                return rows
    return []
