"""The dbt models over the tables, once they are built: spend by channel, and what adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import sql

from tap_pinterest.page.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from psycopg import Connection

    from tap_pinterest.page.duckdb import DuckdbConnection

UMS, SPEND = "ums", "vendor_performance"
RECONCILIATION = "pinterest__reconciliation"
SPEND_COLUMNS = ("store", "channel", "vendor", "original_currency", "total_spend", "activity_date")
LEVEL_COLUMNS = ("source_relation", "level", "currency", "spend", "account_spend", "is_equal")

_SCHEMAS = """
    SELECT table_schema FROM information_schema.tables WHERE table_name = %s ORDER BY 1
"""
_CHANNELS = """
    SELECT channel, vendor, attribution_window, original_currency, count(DISTINCT campaign_id),
           sum(total_spend), sum(vendor_reported_orders)
      FROM {spend}
     WHERE store = {schema}
       AND activity_date > (SELECT max(activity_date) FROM {spend}) - {days}
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


class Channel(NamedTuple):
    """Spend and orders of a channel, as the Unified Marketing Schema has them."""

    channel: str
    vendor: str
    window: str
    currency: str
    campaigns: int
    spend: Decimal | None
    orders: Decimal | None


class Level(NamedTuple):
    """The spend of a level beside that of its ad accounts.

    Attributes:
        days: The number of days, each ad account's own.
        differing: On how many of them the level does not add up to its ad account.
    """

    level: str
    currency: str
    days: int
    of_accounts: Decimal
    spend: Decimal
    differing: int


class Models(NamedTuple):
    """What the models say about a schema."""

    channels: Sequence[Channel]
    levels: Sequence[Level]


def models(connection: Connection[Any] | DuckdbConnection, schema: str, days: int) -> Models:
    """What the models of any schema say; nothing if they are not built."""
    return Models(_channels(Tables.of(connection, UMS), schema, days), _levels(connection, schema))


def _channels(ums: Tables, schema: str, days: int) -> list[Channel]:
    if not ums.has(SPEND, *SPEND_COLUMNS):
        return []
    rows = ums.query(_CHANNELS, spend=ums.identifier(SPEND), schema=schema, days=sql.Literal(days))
    return [Channel(*row) for row in rows]


def _levels(connection: Connection[Any] | DuckdbConnection, schema: str) -> list[Level]:
    for (name,) in connection.execute(_SCHEMAS, [RECONCILIATION]):
        found = Tables.of(connection, name)
        if found.has(RECONCILIATION, *LEVEL_COLUMNS):
            table = found.identifier(RECONCILIATION)
            if rows := found.query(_LEVELS, reconciliation=table, schema=schema):
                return [Level(*row) for row in rows]
    return []
