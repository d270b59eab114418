"""The address of the PostgreSQL with the loaded tables, in the loader's variables."""

from __future__ import annotations

import re

URL = "TARGET_POSTGRES_SQLALCHEMY_URL"
"""The variable with the address."""
SCHEMA = "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"
"""The variable with the schema of the tables."""
EXAMPLE = "postgresql://user:password@host:5432/database"
NO_URL = (
    f"the address of the database is not of the form {EXAMPLE}; in user and password @ is written"
    " %40, : is %3A, / is %2F and % is %25"
)

_REST = r"://(?:[^@/?\s]*@)?[\w.,:%\[\]-]*(?:[/?][^@\s]*)?"


def plain_url(address: str) -> str:
    """An address without the name of a driver, for psycopg.

    Raises:
        ValueError: The address has another form. The text repeats no part of it, because any part
            may be the password.
    """
    found = re.fullmatch(rf"postgres(?:ql)?(?:\+\w+)?({_REST})", address.strip())
    if not found:
        raise ValueError(NO_URL)
    return f"postgresql{found[1]}"
