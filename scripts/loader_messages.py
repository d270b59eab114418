"""The messages of target-postgres-fast about a database that it cannot use.

The loader's own code writes them for an example of a database.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from target_postgres_fast.errors import ENDS_AGAIN, GOES_ON
from target_postgres_fast.postgres import faults, readiness
from target_postgres_fast.postgres.faults import Address
from target_postgres_fast.postgres.readiness import Rights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HOST, PORT, DATABASE, USER, SCHEMA = "db.example.com", 5432, "analytics", "pinterest", "pinterest"
OWN_WORDS = "…"
"""Stands for PostgreSQL's own words."""


def by_time() -> Mapping[str, Sequence[str]]:
    """The messages, by the part of the load in which they appear."""
    return {
        "About the address": [
            faults.NO_DATABASE,
            faults.NO_URL,
            faults.OTHER_DATABASE.format(name="mysql"),
            faults.NO_TUNNEL.format(message=OWN_WORDS),
        ],
        "When it connects": [*_connecting()],
        "About the user's rights": list(dict.fromkeys(_rights())),
        "While it loads": [*_loading()],
    }


def patterns() -> Iterator[str]:
    """The messages as patterns, for any database."""
    varying = rf"{re.escape(HOST)}|{PORT}|{DATABASE}|{USER}|{SCHEMA}|campaigns|mysql|{OWN_WORDS}"
    for message in itertools.chain(*by_time().values()):
        yield ".+".join(map(re.escape, re.split(varying, message)))


def _connecting() -> Iterator[str]:
    parts = Address(HOST, PORT, DATABASE, USER)._asdict() | {"message": OWN_WORDS}
    for advice in faults.CONNECTING:
        yield advice.text.format_map(parts)
    yield faults.REFUSED.format_map(parts)


def _rights() -> Iterator[str]:
    """The message for each right that can be missing."""
    either = (True, False)
    for flags in itertools.product(either, either, either, either, (None, True, False), either):
        standby, read_only, create, temporary, use, create_tables = flags
        rights = Rights(
            user=USER,
            database=DATABASE,
            is_standby=standby,
            is_read_only=read_only,
            may_create_schemas=create,
            may_use_temporary_tables=temporary,
            may_use_schema=use,
            may_create_tables=create_tables,
            has_tables=False,
        )
        if reason := readiness.reason(rights, SCHEMA):
            yield reason


def _loading() -> Iterator[str]:
    for text in (*faults.LOADING.values(), faults.NUL, faults.LOST, faults.OTHER):
        yield text.format(message=OWN_WORDS, goes_on=GOES_ON)
    yield faults.OTHER.format(message=OWN_WORDS, goes_on=ENDS_AGAIN)
    yield faults.LONG_NAME.format(name=OWN_WORDS, size=OWN_WORDS, most=faults.LONGEST_NAME)
    yield faults.OTHER_TYPE.format(message=OWN_WORDS)
    yield faults.NO_TABLE.format(name=f"{SCHEMA}.campaigns")
