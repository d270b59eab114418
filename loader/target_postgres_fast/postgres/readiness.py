"""Checks whether the database can take the records, before the first is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_postgres_fast.errors import UnusableError

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Cursor

RIGHTS = """
    SELECT current_user,
           current_database(),
           pg_is_in_recovery(),
           current_setting('transaction_read_only') = 'on',
           has_database_privilege(current_database(), 'CREATE'),
           has_database_privilege(current_database(), 'TEMPORARY'),
           has_schema_privilege(pg_namespace.oid, 'USAGE'),
           has_schema_privilege(pg_namespace.oid, 'CREATE'),
           EXISTS (
               SELECT FROM pg_class WHERE relnamespace = pg_namespace.oid AND relkind IN ('r', 'p')
           )
      FROM (SELECT) AS one LEFT JOIN pg_namespace ON nspname = %s
"""


class Rights(NamedTuple):
    """Rights of the user; null for a schema that does not exist."""

    user: str
    database: str
    is_standby: bool
    is_read_only: bool
    may_create_schemas: bool
    may_use_temporary_tables: bool
    may_use_schema: bool | None
    may_create_tables: bool | None
    has_tables: bool


def check(cursor: Cursor[Any], schema: str | None) -> None:
    """Check the user's rights.

    Args:
        cursor: A cursor of the database.
        schema: The schema for the tables; none if the streams name their own schemas.

    Raises:
        UnusableError: No table could be loaded there.
    """
    row = cursor.execute(RIGHTS, [schema or "public"]).fetchone()
    assert row is not None  # noqa: S101 - a query without WHERE on one row
    if fault := reason(Rights(*row), schema):
        raise UnusableError(fault)


def reason(rights: Rights, schema: str | None) -> str | None:
    """The reason why no table could be loaded, with the remedy; `None` if there is no reason."""
    user, database = f'"{rights.user}"', f'"{rights.database}"'
    if rights.is_standby:
        return f"Database {database} is on a standby, which is read-only. Connect to the primary."
    if rights.is_read_only:
        return (
            f"Database {database} is read-only for user {user}. Take another user, or ALTER ROLE"
            f" {user} SET default_transaction_read_only = off;"
        )
    if not rights.may_use_temporary_tables:
        return (
            f"User {user} may not make temporary tables. As the owner of the database: GRANT"
            f" TEMPORARY ON DATABASE {database} TO {user};"
        )
    return _reason_of_schema(rights, user, schema) if schema else None


def _reason_of_schema(rights: Rights, user: str, schema: str) -> str | None:
    if rights.may_use_schema is None and not rights.may_create_schemas:
        return (
            f'There is no schema "{schema}", and user {user} may not create it. As the owner of the'
            f' database: CREATE SCHEMA "{schema}" AUTHORIZATION {user};'
        )
    if rights.may_use_schema is False:
        return (
            f'User {user} may not use the schema "{schema}". As its owner: GRANT USAGE, CREATE ON'
            f' SCHEMA "{schema}" TO {user};'
        )
    # The existing tables may be enough.
    if rights.may_create_tables is False and not rights.has_tables:
        return (
            f'User {user} may not create tables in the schema "{schema}". As its owner: GRANT'
            f' CREATE ON SCHEMA "{schema}" TO {user};'
        )
    return None
