"""The command: it first checks the database, in a tenth of the target's start time."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg

from target_postgres_fast import faults, lean, readiness
from target_postgres_fast.faults import Address, UnusableError
from target_postgres_fast.leaving import leave

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def main() -> None:
    """Load, if the database can take it."""
    try:
        if (config := _config(sys.argv[1:])) is not None:
            _check(config)
    except UnusableError as error:
        sys.stderr.write(f"ERROR {error}\n")
        leave()
    with lean.imports():
        # This import takes most of a second.
        from target_postgres_fast.target import TargetPostgresFast  # noqa: PLC0415

    TargetPostgresFast.cli()


def _config(arguments: Sequence[str]) -> dict[str, Any] | None:
    """The settings in the files of the command line; none if it has other arguments."""
    names, paths = arguments[::2], arguments[1::2]
    if len(names) != len(paths) or {*names} != {"--config"}:
        return None
    config: dict[str, Any] = {}
    for path in paths:
        try:
            config |= json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            # The target names the fault of the file.
            return None
    return config


def _check(config: Mapping[str, Any]) -> None:
    """Connect in the same way as the target.

    Raises:
        UnusableError: No table could be loaded there.
    """
    faults.require_address(config)
    url = config.get("sqlalchemy_url")
    if not isinstance(url, str) or config.get("ssh_tunnel", {}).get("enable"):
        return
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
    parts = urlsplit(url)
    if parts.scheme.partition("+")[0] not in faults.NAMES or not parts.hostname:
        raise ValueError
    user, password = (part and unquote(part) for part in (parts.username, parts.password))
    address = Address(parts.hostname, parts.port, unquote(parts.path[1:]) or None, user)
    options = {
        "connect_timeout": faults.CONNECT_SECONDS,
        **dict(parse_qsl(parts.query)),
        "host": address.host,
        "port": address.port,
        "dbname": address.database,
        "user": user,
        "password": password,
    }
    return {name: value for name, value in options.items() if value is not None}, address
