"""The command `target-postgres-fast`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import psycopg

from target_postgres_fast import start
from target_postgres_fast.postgres import faults, readiness
from target_postgres_fast.postgres.faults import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_postgres_fast.target import FastTarget


def main() -> None:
    """Load, if the database can take it."""
    start.run(_check, _target)


def _target() -> type[FastTarget]:
    from target_postgres_fast.postgres.target import TargetPostgresFast  # noqa: PLC0415 - see `run`

    return TargetPostgresFast


def _check(config: Mapping[str, Any]) -> None:
    """Connect in the same way as the target.

    Raises:
        UnusableError: No table could be loaded there.
    """
    faults.require_address(config)
    url = config.get("sqlalchemy_url")
    if not isinstance(url, str) or (config.get("ssh_tunnel") or {}).get("enable"):
        return
    faults.require_postgresql(url)
    try:
        options, address = _options(url.strip())
    except ValueError:
        return
    try:
        with psycopg.connect(**options) as connection, connection.cursor() as cursor:
            readiness.check(cursor, config.get("default_target_schema"))
    except psycopg.Error as error:
        raise faults.connecting(error, address) from error


def _options(url: str) -> tuple[dict[str, Any], Address]:
    """The options of a connection, and their part without secrets.

    Raises:
        ValueError: Only the target can parse this URL.
    """
    parts = faults.URL.fullmatch(url)
    host = parts and (parts["ipv6"] or parts["host"])
    if not parts or not host:
        raise ValueError
    user, password = (part and unquote(part) for part in (parts["user"], parts["password"]))
    port = int(parts["port"]) if parts["port"] else None
    address = Address(host, port, parts["database"] or None, user)
    options = {
        **faults.OPTIONS,
        **dict(parse_qsl(parts["options"] or "")),
        "host": address.host,
        "port": address.port,
        "dbname": address.database,
        "user": user,
        "password": password,
    }
    return {name: value for name, value in options.items() if value is not None}, address
