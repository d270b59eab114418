"""The SQL of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from target_postgres_fast.rows import OF_THE_LOAD

if TYPE_CHECKING:
    from collections.abc import Sequence

COPY_OPTIONS = sql.SQL(r"FORMAT csv, NULL 'null', ESCAPE '\', ENCODING 'UTF8'")
"""With these, JSON's texts, numbers and null are fields as they stand."""

UNIQUE_COLUMNS = """
    SELECT ARRAY(
               SELECT attname::text FROM pg_attribute
                WHERE attrelid = indrelid AND attnum = ANY (indkey[0:indnkeyatts - 1])
           )
      FROM pg_index
     WHERE indrelid = to_regclass(%s) AND indisunique AND indisvalid AND indimmediate
       AND indpred IS NULL AND indexprs IS NULL
"""
"""Columns of each index of a table that ON CONFLICT can go by."""

PLAN = sql.SQL(
    "SELECT set_config(method, 'off', true)"
    " FROM unnest(ARRAY['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan', 'jit'])"
    " AS method"
)
"""A row of a batch is looked up by its key, in the batch's order, however large the table is.

Before PostgreSQL 18 a plan without its favourites looks costly enough to be compiled; it is not.
"""


def copy(into: sql.Composable, names: Sequence[str]) -> sql.Composed:
    """COPY of lines into a table."""
    return sql.SQL("COPY {} ({}) FROM STDIN WITH ({})").format(into, _list(names), COPY_OPTIONS)


def create_temporary(
    temporary: sql.Composable, table: sql.Composable, names: Sequence[str]
) -> sql.Composed:
    """A table for one batch, with columns as the table's.

    It ends with the transaction, so that a pooler may give the next one another connection.
    """
    text = "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
    return sql.SQL(text).format(temporary, _list(names), table)


def merge(
    temporary: sql.Composable, table: sql.Composable, names: Sequence[str], keys: Sequence[str]
) -> sql.Composed:
    """Insert rows that are new and update rows that differ; others are not even locked.

    Images of rows are compared, as no two values have the same that can be told apart.
    """
    compared = [name for name in names if name not in OF_THE_LOAD]
    updated = [name for name in names if name not in keys]
    text = """
        INSERT INTO {table} AS old ({names})
        SELECT {names} FROM {temporary} AS new
         WHERE NOT EXISTS (
                   SELECT FROM {table} AS old WHERE {same_key} AND {old} *= {new}
               )
        ON CONFLICT ({keys}) DO {action}
    """
    update = sql.SQL("UPDATE SET {} WHERE {} *<> {}").format(
        sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in updated
        ),
        _row("old", compared),
        _row("excluded", compared),
    )
    return sql.SQL(text).format(
        table=table,
        temporary=temporary,
        names=_list(names),
        keys=_list(keys),
        same_key=sql.SQL(" AND ").join(
            sql.SQL("old.{0} = new.{0}").format(sql.Identifier(name)) for name in keys
        ),
        old=_row("old", compared),
        new=_row("new", compared),
        action=update if updated else sql.SQL("NOTHING"),
    )


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _row(of: str, names: Sequence[str]) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.Identifier(of, name) for name in names)
    # As a record: two rows would be compared column by column, by each type's own operator.
    return sql.SQL("ROW({})::record").format(columns)
