"""A connection to PostgreSQL whose errors are one line, without the password."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator

_DRIVER = re.compile(r"^(postgres(?:ql)?)\+\w+:")
_NO_ADDRESS = (
    "the address of the database is refused; allowed: postgresql://user:password@host:5432/database"
)


class DatabaseError(Exception):
    """The database cannot be used.

    Attributes:
        may_pass: Whether the next try may succeed.
    """

    def __init__(self, text: str, *, may_pass: bool = False) -> None:
        super().__init__(text)
        self.may_pass = may_pass


@contextmanager
def connected(address: str) -> Iterator[psycopg.Connection]:
    """A connection for a block; the address may name SQLAlchemy's driver.

    Raises:
        DatabaseError: The text is no address, or the database does not answer or refuses.
    """
    address = _DRIVER.sub(r"\1:", address)
    try:
        password = conninfo_to_dict(address).get("password")
    except psycopg.Error:
        # The text of the error contains the whole address.
        raise DatabaseError(_NO_ADDRESS) from None
    try:
        # Without a transaction, a statement that fails stops no other.
        with psycopg.connect(address, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        may_pass = isinstance(error, psycopg.OperationalError)
        said = "does not answer" if may_pass else "refuses"
        text = " ".join(str(error).split())
        shown = text.replace(str(password), "***") if password else text
        msg = f"the database {said}: {shown}"
        raise DatabaseError(msg, may_pass=may_pass) from None
