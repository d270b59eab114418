"""The command: it first checks the database, in a tenth of the target's start time."""

from __future__ import annotations

import json
import os
import select
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


LONGEST_WAIT = 10
"""Seconds in which a tap that cannot start has ended."""


def main() -> None:
    """Load, if the database can take it."""
    try:
        if (config := _config(sys.argv[1:])) is not None:
            _check(config)
    except UnusableError as error:
        if sys.stdin is None or not _ends_without_a_byte(sys.stdin.fileno()):
            sys.stderr.write(f"ERROR {error}\n")
        leave()
    with lean.imports():
        # This import takes most of a second.
        from target_postgres_fast.target import TargetPostgresFast  # noqa: PLC0415

    TargetPostgresFast.cli()


def _ends_without_a_byte(descriptor: int) -> bool:
    """Whether the input ends, while it is waited for, before anything has come.

    Then the tap has failed, and has said why: that is to be mended first, and the next load says
    the rest. An input that is at its end already belongs to somebody who tries this command alone.
    """
    if _has_something(descriptor, 0):
        return False
    return _has_something(descriptor, LONGEST_WAIT) and not os.read(descriptor, 1)


def _has_something(descriptor: int, seconds: float) -> bool:
    """Whether there is a byte, or the end, within some seconds."""
    return os.isatty(descriptor) or bool(select.select([descriptor], [], [], seconds)[0])


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
