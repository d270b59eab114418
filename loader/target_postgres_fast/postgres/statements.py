"""The SQL of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

from target_postgres_fast.rows import DELETED_AT, OF_THE_LOAD, VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Cursor

COPY_OPTIONS = sql.SQL(r"FORMAT csv, NULL 'null', ESCAPE E'\\', ENCODING 'UTF8'")
"""With these options, JSON's texts, numbers and null are already fields."""

ARRIVAL = "_sdc_arrival"
"""Column of a temporary table: the number of a row in its batch."""

FACTS = """
    SELECT json_build_object(
               'is_empty', NOT EXISTS (SELECT FROM {table}),
               'takes_copy', relkind IN ('r', 'p') AND NOT relrowsecurity AND NOT relhasrules,
               'is_ours', pg_has_role(relowner, 'USAGE'),
               'comment', obj_description(pg_class.oid, 'pg_class'),
               'comments', (
                   SELECT coalesce(json_object_agg(attname, description), '{{}}')
                     FROM pg_description
                     JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid
                    WHERE objoid = pg_class.oid AND classoid = 'pg_class'::regclass
               ),
               'types', (
                   SELECT json_object_agg(
                              attname,
                              CASE WHEN collisdeterministic IS FALSE THEN 'unknown'
                                   ELSE format_type(atttypid, atttypmod) END
                          )
                     FROM pg_attribute LEFT JOIN pg_collation ON attcollation = pg_collation.oid
                    WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
               ),
               'unique', (
                   SELECT coalesce(json_agg(ARRAY(
                              SELECT attname FROM pg_attribute
                               WHERE attrelid = indrelid
                                 AND attnum = ANY (indkey[0:indnkeyatts - 1])
                          )), '[]')
                     FROM pg_index
                    WHERE indrelid = pg_class.oid AND indisunique AND indisvalid
                      AND indimmediate AND indpred IS NULL AND indexprs IS NULL
               )
           )
      FROM pg_class WHERE oid = {name}::regclass
"""

TYPES = """
    SELECT attname, format_type(atttypid, atttypmod)
      FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
     WHERE pg_class.oid = to_regclass(%s) AND relkind IN ('r', 'p')
       AND attnum > 0 AND NOT attisdropped
"""
"""The type of each column of a table; nothing for a view, or if there is no table."""

PLAN = sql.SQL(
    "SELECT set_config(method, 'off', true)"
    " FROM unnest(ARRAY['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan', 'jit'])"
    " AS method"
)
"""A row of a batch is looked up by its key, in the batch's order, however large the table is.

Before PostgreSQL 18 a plan without its favourites looks costly enough to be compiled; it is not.
"""


def facts(table: sql.Composable, name: str) -> sql.Composed:
    """The query for the catalog's facts about a table."""
    return sql.SQL(FACTS).format(table=table, name=sql.Literal(name))


def comments(table: sql.Composable, texts: Mapping[str | None, str]) -> sql.Composed:
    """Statements for comments: by column, and the table's comment under None."""
    return sql.SQL("; ").join(
        sql.SQL("COMMENT ON TABLE {} IS {}").format(table, text)
        if column is None
        else sql.SQL("COMMENT ON COLUMN {}.{} IS {}").format(table, sql.Identifier(column), text)
        for column, text in texts.items()
    )


def add_columns(table: sql.Composable, types: Mapping[str, str]) -> sql.Composed:
    """New columns, by name."""
    kinds: Mapping[str, Any] = types
    columns = (
        sql.SQL("ADD COLUMN {} {}").format(sql.Identifier(name), sql.SQL(kinds[name]))
        for name in kinds
    )
    return sql.SQL("ALTER TABLE {} {}").format(table, sql.SQL(", ").join(columns))


def delete_older(table: sql.Composable, version: int) -> sql.Composed:
    """Delete the rows before a version."""
    return sql.SQL("DELETE FROM {} WHERE {}").format(table, _is_older(version))


def mark_older(table: sql.Composable, version: int) -> sql.Composed:
    """Say of the rows before a version that they are deleted, in UTC whatever the type is."""
    text = "SET LOCAL TIME ZONE 'UTC'; UPDATE {0} SET {1} = now() WHERE {1} IS NULL AND {2}"
    return sql.SQL(text).format(table, sql.Identifier(DELETED_AT), _is_older(version))


def _is_older(version: int) -> sql.Composed:
    return sql.SQL("({0} < {1} OR {0} IS NULL)").format(sql.Identifier(VERSION), version)


def copy(into: sql.Composable, names: Sequence[str]) -> sql.Composed:
    """COPY of lines into a table."""
    return sql.SQL("COPY {} ({}) FROM STDIN WITH ({})").format(into, _list(names), COPY_OPTIONS)


def create_temporary(
    temporary: sql.Composable, table: sql.Composable, names: Sequence[str]
) -> sql.Composed:
    """A table for one batch, with the columns of the table.

    It ends with the transaction, so a pooler may give the next transaction another connection.
    """
    text = "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
    columns = sql.SQL(", ").join(
        sql.SQL("0::bigint AS {}" if name == ARRIVAL else "{}").format(sql.Identifier(name))
        for name in names
    )
    return sql.SQL(text).format(temporary, columns, table)


def lock(table: sql.Composable) -> sql.Composed:
    """Keep others from writing into a table until the end of the transaction."""
    return sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table)


def keep_last(temporary: sql.Composable, keys: Sequence[str]) -> sql.Composed:
    """Delete each row that a later row with the same key replaces."""
    text = "DELETE FROM {0} AS old USING {0} AS new WHERE {1} AND old.{2} < new.{2}"
    return sql.SQL(text).format(temporary, _same_key(keys), sql.Identifier(ARRIVAL))


def update(
    temporary: sql.Composable, table: sql.Composable, names: Sequence[str], keys: Sequence[str]
) -> sql.Composed:
    """Update the rows that differ, in a table without a unique index on its keys.

    One row of the batch can change several rows of the table; the result is a count of the keys.
    """
    text = """
        WITH changed AS (
            UPDATE {} AS old SET {} FROM {} AS new WHERE {} AND {} *<> {} RETURNING {}
        )
        SELECT count(*) FROM (SELECT DISTINCT * FROM changed) AS keys
    """
    compared = _compared(names)
    return sql.SQL(text).format(
        table,
        _assignments(names, "new"),
        temporary,
        _same_key(keys),
        _row("old", compared),
        _row("new", compared),
        sql.SQL(", ").join(sql.Identifier("new", name) for name in keys),
    )


def insert(
    temporary: sql.Composable, table: sql.Composable, names: Sequence[str], keys: Sequence[str]
) -> sql.Composed:
    """Insert the rows whose key is new, into a table without a unique index on its keys."""
    text = """
        INSERT INTO {table} ({names}) SELECT {names} FROM {temporary} AS new
         WHERE NOT EXISTS (SELECT FROM {table} AS old WHERE {same_key})
    """
    return sql.SQL(text).format(
        table=table, names=_list(names), temporary=temporary, same_key=_same_key(keys)
    )


def merge(
    temporary: sql.Composable, table: sql.Composable, names: Sequence[str], keys: Sequence[str]
) -> sql.Composed:
    """Insert new rows and update rows that differ; other rows are not even locked.

    It compares the images of rows, because different values never have the same image.
    """
    compared = _compared(names)
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
        _assignments(updated, "excluded"), _row("old", compared), _row("excluded", compared)
    )
    return sql.SQL(text).format(
        table=table,
        temporary=temporary,
        names=_list(names),
        keys=_list(keys),
        same_key=_same_key(keys),
        old=_row("old", compared),
        new=_row("new", compared),
        action=update if updated else sql.SQL("NOTHING"),
    )


def changed(table: sql.Composable, context: Cursor[Any]) -> sql.Composed:
    """The query for how many rows of a table and its partitions the transaction has updated."""
    text = """
        SELECT sum(pg_stat_get_xact_tuples_updated(part))::bigint
          FROM (SELECT {0}::regclass UNION SELECT relid FROM pg_partition_tree({0})) AS parts (part)
    """
    return sql.SQL(text).format(sql.Literal(table.as_string(context)))


def _compared(names: Sequence[str]) -> list[str]:
    return [name for name in names if name not in OF_THE_LOAD]


def _same_key(keys: Sequence[str]) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("old.{0} = new.{0}").format(sql.Identifier(name)) for name in keys
    )


def _assignments(names: Sequence[str], source: str) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier(source, name))
        for name in names
    )


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _row(of: str, names: Sequence[str]) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.Identifier(of, name) for name in names)
    # As records: rows would be compared column by column, by each type's own operator.
    return sql.SQL("ROW({})::record").format(columns)
