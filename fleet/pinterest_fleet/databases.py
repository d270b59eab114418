"""A connection to PostgreSQL whose errors are one line, without the password."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pinterest_fleet.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DRIVER = re.compile(r"^(postgres(?:ql)?)\+\w+:")
_OPTIONS = {
    "connect_timeout": 15,
    "keepalives_idle": 60,
    "keepalives_interval": 10,
    "keepalives_count": 6,
}
"""Options of an address that does not name them itself: no wait for a machine that is gone."""
_NO_ADDRESS = (
    "the address of the database is refused; allowed: postgresql://user:password@host:5432/database"
)


class DatabaseError(FleetError):
    """The database cannot be used."""


@contextmanager
def connected(address: str) -> Iterator[psycopg.Connection]:
    """A connection for a block; the address may name SQLAlchemy's driver.

    Raises:
        DatabaseError: The text is no address, or the database does not answer or refuses.
    """
    try:
        options: dict[str, Any] = {**_OPTIONS, **conninfo_to_dict(_DRIVER.sub(r"\1:", address))}
    except psycopg.Error:
        # The text of the error contains the whole address.
        raise DatabaseError(_NO_ADDRESS) from None
    try:
        # Without a transaction, a statement that fails stops no other.
        with psycopg.connect(make_conninfo(**options), autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        said = "does not answer" if isinstance(error, psycopg.OperationalError) else "refuses"
        password = options.get("password")
        text = " ".join(str(error).split())
        shown = text.replace(str(password), "***") if password else text
        msg = f"the database {said}: {shown}"
        # Two that replace one view at once get an internal error.
        may_pass = isinstance(error, (psycopg.OperationalError, psycopg.InternalError))
        raise DatabaseError(msg, may_pass=may_pass) from None
