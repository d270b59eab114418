"""Finds the rows that arrived in PostgreSQL, and the changes of a later run."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

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
        """Rows that did not change."""
        return self.after - self.added - self.restated


class Measures(NamedTuple):
    """The spend and the results of ads, in the currency of their account."""

    spend: Decimal
    impressions: Decimal
    conversions: Decimal


NOTHING = Measures(Decimal(0), Decimal(0), Decimal(0))


class Totals(NamedTuple):
    """The measures of a day or of a campaign, as loaded before and after a run.

    Attributes:
        of: The day, or the id of the campaign.
        name: The name of the campaign.
        currency: The currency of the spend.
        before: The measures after an earlier run; `None` if it had loaded none.
        after: The measures now.
    """

    of: date | str
    name: str
    currency: str
    before: Measures | None
    after: Measures


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


def by_campaign(connection: Connection, since: str, *, known_days: bool = False) -> list[Totals]:
    """The measures of each campaign over all days, the most expensive first.

    With `known_days`, only days that the earlier run had loaded count.
    """
    found = _totals(connection, since, "campaign_id", known_days=known_days)
    return sorted(found, key=lambda each: (-each.after.spend, each.of))


def by_day(connection: Connection, since: str) -> list[Totals]:
    """The measures of each day over all campaigns of a currency, the earliest first."""
    return sorted(_totals(connection, since, "date"), key=lambda each: (each.of, each.currency))


def _totals(
    connection: Connection, since: str, of: str, *, known_days: bool = False
) -> Iterator[Totals]:
    def part(schema: str) -> sql.Composed:
        return sql.SQL(
            """
            SELECT {of} AS "of", currency, max(campaigns.name) AS name,
                   coalesce(sum(spend_in_dollar), 0) AS spend,
                   coalesce(sum(paid_impression), 0) AS impressions,
                   coalesce(sum(total_conversions), 0) AS conversions
              FROM {rows} AS rows
              LEFT JOIN {campaigns} AS campaigns ON campaigns.id = rows.campaign_id
             WHERE date <= {last}
             GROUP BY 1, 2
            """
        ).format(
            of=sql.Identifier(of),
            rows=sql.Identifier(schema, "campaign_analytics"),
            campaigns=sql.Identifier(SCHEMA, "campaigns"),
            last=sql.SQL("(SELECT max(date) FROM {})").format(
                sql.Identifier(since, "campaign_analytics")
            )
            if known_days
            else sql.SQL("date"),
        )

    query = sql.SQL(
        """
        WITH before AS ({before}), after AS ({after})
        SELECT "of", currency, after.name, before.spend, before.impressions, before.conversions,
               after.spend, after.impressions, after.conversions
          FROM after LEFT JOIN before USING ("of", currency)
        """
    ).format(before=part(since), after=part(SCHEMA))
    for key, currency, name, *numbers in connection.execute(query):
        before = None if numbers[0] is None else Measures(*numbers[:3])
        yield Totals(key, name or str(key), currency or "", before, Measures(*numbers[3:]))
