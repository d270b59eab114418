"""What has arrived in PostgreSQL, and what a later run has changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg import sql

if TYPE_CHECKING:
    from decimal import Decimal

    from psycopg import Connection

SCHEMA = "pinterest"


class Changes(NamedTuple):
    """A table before and after a run, in rows."""

    table: str
    before: int
    after: int
    added: int
    restated: int

    @property
    def unchanged(self) -> int:
        """Rows that are as they were."""
        return self.after - self.added - self.restated


class CampaignSpend(NamedTuple):
    """What a campaign has cost and brought in all days, as loaded before and after a run."""

    campaign: str
    currency: str
    spend_before: Decimal
    spend_after: Decimal
    conversions_before: Decimal
    conversions_after: Decimal


def tables(connection: Connection) -> list[str]:
    """The tables of the schema, by name."""
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [SCHEMA]
    )
    return [name for (name,) in rows]


def keep_copy(connection: Connection, schema: str) -> None:
    """Copy every table to a schema of its own, to compare with later."""
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    for table in tables(connection):
        connection.execute(
            sql.SQL("CREATE TABLE {} AS TABLE {}").format(
                sql.Identifier(schema, table), sql.Identifier(SCHEMA, table)
            )
        )


def changes(connection: Connection, since: str) -> list[Changes]:
    """Every table against its copy in the schema `since`."""
    return [_changes(connection, since, table) for table in tables(connection)]


def _changes(connection: Connection, since: str, table: str) -> Changes:
    keys = primary_key(connection, table)
    query = sql.SQL(
        """
        SELECT (SELECT count(*) FROM {old}),
               count(*),
               count(*) FILTER (WHERE old.{key} IS NULL),
               count(*) FILTER (WHERE old.{key} IS NOT NULL AND {new_values} <> {old_values})
          FROM {new} AS new LEFT JOIN {old} AS old USING ({keys})
        """
    ).format(
        old=sql.Identifier(since, table),
        new=sql.Identifier(SCHEMA, table),
        key=sql.Identifier(keys[0]),
        keys=sql.SQL(", ").join(map(sql.Identifier, keys)),
        new_values=_values("new", metadata_columns(connection, table)),
        old_values=_values("old", metadata_columns(connection, table)),
    )
    (row,) = connection.execute(query).fetchall()
    return Changes(table, *row)


def _values(row: str, without: list[str]) -> sql.Composed:
    """A row as one value without the columns that say when it was loaded."""
    return sql.SQL("to_jsonb({}) - {}::text[]").format(sql.Identifier(row), sql.Literal(without))


def primary_key(connection: Connection, table: str) -> list[str]:
    """The columns of a table's key, in their order."""
    rows = connection.execute(
        """
        SELECT column_name
          FROM information_schema.key_column_usage
         WHERE table_schema = %s AND table_name = %s
         ORDER BY ordinal_position
        """,
        [SCHEMA, table],
    )
    return [name for (name,) in rows]


def metadata_columns(connection: Connection, table: str) -> list[str]:
    """The columns that the target adds: when a row was extracted and loaded."""
    return [name for name in column_types(connection, table) if name.startswith("_sdc_")]


def column_types(connection: Connection, table: str) -> dict[str, str]:
    """The columns of a table with PostgreSQL's names of their types."""
    rows = connection.execute(
        """
        SELECT column_name, data_type
          FROM information_schema.columns
         WHERE table_schema = %s AND table_name = %s
         ORDER BY ordinal_position
        """,
        [SCHEMA, table],
    )
    return dict(rows.fetchall())


def campaign_spend(connection: Connection, since: str) -> list[CampaignSpend]:
    """Spend and conversions of each campaign over all days, the most expensive first."""
    query = sql.SQL(
        """
        WITH before AS ({before}), after AS ({after})
        SELECT coalesce(campaigns.name, campaign_id), currency,
               coalesce(before.spend, 0), coalesce(after.spend, 0),
               coalesce(before.conversions, 0), coalesce(after.conversions, 0)
          FROM after
          LEFT JOIN before USING (campaign_id, currency)
          LEFT JOIN {campaigns} AS campaigns ON campaigns.id = campaign_id
         ORDER BY after.spend DESC NULLS LAST, campaign_id
        """
    ).format(
        before=_totals(since),
        after=_totals(SCHEMA),
        campaigns=sql.Identifier(SCHEMA, "campaigns"),
    )
    return [CampaignSpend(*row) for row in connection.execute(query)]


def _totals(schema: str) -> sql.Composed:
    return sql.SQL(
        """
        SELECT campaign_id, currency,
               sum(spend_in_dollar) AS spend, sum(total_conversions) AS conversions
          FROM {} GROUP BY campaign_id, currency
        """
    ).format(sql.Identifier(schema, "campaign_analytics"))
