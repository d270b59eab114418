"""Errors of the database in one line, each with the fault and the remedy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from target_postgres_fast.errors import (
    ENDS_AGAIN,
    GOES_ON,
    Advice,
    UnusableError,
    advice,
    first_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST_NAME = 63
"""Bytes that PostgreSQL keeps of a name."""
NAMES = ("postgres", "postgresql")
"""The beginning of a URL of PostgreSQL; a driver may follow."""
OPTIONS = {
    "connect_timeout": "15",
    "client_encoding": "UTF8",
    "keepalives_idle": "60",
    "keepalives_interval": "10",
    "keepalives_count": "6",
}
"""Options of a connection that does not name them itself.

Without client_encoding the client would use the encoding of the database, which may have no place
for a text, or no name for its letters (SQL_ASCII). The keepalives let the loader notice within two
minutes that the server's machine is gone, and a firewall does not forget a connection that waits
for the tap.
"""
URL = re.compile(
    r"(?P<name>[\w+]+)://(?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?"
    r"(?:\[(?P<ipv6>[^/?]+)\]|(?P<host>[^/:?]+))?(?::(?P<port>[^/?]*))?"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<options>.*))?"
)
"""A URL as SQLAlchemy reads it: a password goes on until the first @."""
EXAMPLE = "postgresql://user:password@host:5432/database"
NO_DATABASE = (
    "No database is named. Set sqlalchemy_url (TARGET_POSTGRES_SQLALCHEMY_URL in the environment"
    f" or in .env) to {EXAMPLE}."
)
NO_URL = (
    f"sqlalchemy_url is not the URL of a database. Write {EXAMPLE}; in user and password @ is"
    " written %40, : is %3A, / is %2F and % is %25."
)
LONG_NAME = (
    "The name {name} has {size} bytes, and PostgreSQL keeps only {most} of a name. Shorten it with"
    " stream_maps, or with flattening_max_key_length if flattening makes it."
)
NO_TUNNEL = "The SSH tunnel cannot be opened: {message}. Check the settings of ssh_tunnel."
OTHER_DATABASE = (
    f"sqlalchemy_url begins with {{name}}, but this target loads into PostgreSQL: {EXAMPLE}."
)


class Address(NamedTuple):
    """The address of a database, without the password."""

    host: str | None
    port: int | None
    database: str | None
    user: str | None


REFUSED = "PostgreSQL at {host}:{port} refuses the connection: {message}. Check sqlalchemy_url."
CONNECTING = (
    Advice(
        r"connection refused|no such file or directory",
        "No PostgreSQL answers at {host}:{port}. Start it, or correct host and port in"
        " sqlalchemy_url.",
    ),
    Advice(
        r"resolve host|translate host|name or service|nodename",
        "The host {host} is not known. Correct it in sqlalchemy_url.",
    ),
    Advice(
        r"timeout|timed out|unreachable|no route",
        "{host}:{port} does not answer. Check host and port in sqlalchemy_url; a firewall between"
        " here and there must let this machine in.",
    ),
    Advice(
        r"role .* does not exist",
        "PostgreSQL at {host}:{port} has no user {user}. Correct the user in sqlalchemy_url.",
    ),
    Advice(
        r"not permitted to log in",
        "PostgreSQL at {host}:{port} does not let user {user} log in. As an administrator: ALTER"
        " ROLE {user} LOGIN;",
    ),
    Advice(
        r"database .* does not exist",
        "PostgreSQL at {host}:{port} has no database {database}. Create it with CREATE DATABASE, or"
        " correct the end of sqlalchemy_url.",
    ),
    Advice(
        r"server does not support ssl",
        "sqlalchemy_url demands TLS, but PostgreSQL at {host}:{port} does not offer it. Turn TLS on"
        " there, or remove sslmode from sqlalchemy_url.",
    ),
    Advice(
        r"no encryption|ssl connection is required|sslmode=require|ssl off|insecure",
        "PostgreSQL at {host}:{port} demands TLS. Put sslmode=require into sqlalchemy_url, as in"
        " .../{database}?sslmode=require; if it is there, turn TLS on in the server.",
    ),
    Advice(
        r"no pg_hba.conf entry",
        "PostgreSQL at {host}:{port} does not let user {user} into database {database} from this"
        " machine. Add a line for this machine to the server's pg_hba.conf.",
    ),
    Advice(
        r"password|authentication failed",
        "PostgreSQL at {host}:{port} refuses the password of user {user}. Correct it in"
        " sqlalchemy_url; there @ is written %40, : is %3A, / is %2F and % is %25.",
    ),
    Advice(
        r"certificate",
        "The TLS certificate of {host}:{port} is not accepted ({message}). Name its authority with"
        " sslrootcert in sqlalchemy_url.",
    ),
    Advice(
        r"too many|connection slots",
        "PostgreSQL at {host}:{port} has no connection left. Close others, or raise"
        " max_connections.",
    ),
    Advice(
        r"starting up|shutting down|recovery mode|not yet accepting",
        "PostgreSQL at {host}:{port} is starting or stopping. Run again in a minute.",
    ),
    Advice(
        r"invalid connection option|invalid uri query",
        "sqlalchemy_url has an option after its ? that PostgreSQL does not know: {message}. Remove"
        " the option.",
    ),
)

WAYS_OUT = (
    "If another program made the table, load into another schema: set default_target_schema. If an"
    " older version made it, do what docs/upgrading.md says."
)
NO_TABLE = f"{{name}} is not a table. {WAYS_OUT}"
ALTERING = "Altering columns is not supported."
OTHER_TYPE = f"{ALTERING} {{message}}. {WAYS_OUT}"
LOADING: Mapping[str, str] = {
    "23502": "A record has no value for a column that must have one: {message}. " + WAYS_OUT,
    "23505": f"A table has another key than its stream: {{message}}. {WAYS_OUT}",
    "53100": "The disk of PostgreSQL is full ({message}). Make room there. {goes_on}",
    "53200": "PostgreSQL is out of memory ({message}). {goes_on}",
    "22P05": "The database cannot store a text: {message}. Make one that can: CREATE DATABASE name"
    " ENCODING 'UTF8' TEMPLATE template0. {goes_on}",
    "57014": "PostgreSQL has ended a statement: {message}. If the user has a time limit, lift it:"
    " ALTER ROLE name SET statement_timeout = 0. {goes_on}",
    "25006": "The database is read-only. Connect to the primary server, or to a user whose"
    " default_transaction_read_only is off.",
    "42501": "The user of the database lacks a permission: {message}. Grant it, or make the user"
    " the owner of the table.",
}
NUL = (
    "PostgreSQL cannot store a NUL in a text: {message}. Set sanitize_null_text_characters to true,"
    " and the loader writes U+FFFD in its place. {goes_on}"
)
LOST = "The connection to PostgreSQL was lost ({message}). {goes_on}"
OTHER = "PostgreSQL refuses the records: {message}. {goes_on}"
_NO_TABLE = re.compile(r"Could not reflect: .* schema '(.*)': \((.*)\)")
_WHOLE_ROW = "Failing row contains"
_OF_NUL = ("NUL (0x00)", r"\u0000 cannot be converted")
_LOST_STATES = ("08", "25P", "57")
_LASTING_STATES = ("0A", "22", "23", "3F", "42", "54")
_PASSING_STATES = ("42P01", "42P06", "42P07", "42703", "42710")
"""Something else made or dropped a schema, a table or a column during the load."""


def require_address(config: Mapping[str, Any]) -> None:
    """Refuse settings that name no database.

    Raises:
        UnusableError: The settings have neither a URL nor its parts.
    """
    if not config.get("sqlalchemy_url") and not all(
        config.get(name) for name in ("host", "user", "password", "database")
    ):
        raise UnusableError(NO_DATABASE)


def require_postgresql(url: str) -> None:
    """Refuse an address that is no URL, or the URL of another kind of database.

    Raises:
        UnusableError: The address does not begin with a name of PostgreSQL.
    """
    parts = URL.fullmatch(url.strip())
    # With a second @, the host would have a part of the password.
    if not parts or "@" in (parts["host"] or ""):
        raise UnusableError(NO_URL)
    name = parts["name"].partition("+")[0].lower()
    if name not in NAMES:
        raise UnusableError(OTHER_DATABASE.format(name=name))


def require_short(names: Iterable[str]) -> None:
    """Refuse names that PostgreSQL would cut off, because it would not find them again.

    Raises:
        UnusableError: A name of a schema, table or column is too long.
    """
    for name in names:
        if (size := len(name.encode())) > LONGEST_NAME:
            raise UnusableError(LONG_NAME.format(name=name, size=size, most=LONGEST_NAME))


def connecting(error: Exception, address: Address) -> UnusableError:
    """The error for a connection that cannot be made."""
    if isinstance(error, psycopg.Error) and error.sqlstate:
        # The server has answered; only then does an error have a state.
        return UnusableError(loading(error))
    parts = {
        "host": address.host or "localhost",
        "port": address.port or 5432,
        "database": address.database or address.user or "",
        "user": address.user or "",
        "message": _message(error),
    }
    text = advice(str(error), CONNECTING, REFUSED)
    return UnusableError(text.format_map(parts))


def other_type(error: NotImplementedError) -> str | None:
    """The line for a column that cannot hold the values of its stream; `None` for another error."""
    _, found, message = str(error).partition(ALTERING)
    return OTHER_TYPE.format(message=message.strip(" .")) if found else None


def other(text: str) -> str:
    """The line for an error of an unknown kind."""
    if found := _NO_TABLE.search(text):
        return NO_TABLE.format(name=".".join(found.groups()))
    return OTHER.format(message=first_line(text), goes_on=GOES_ON)


def loading(error: psycopg.Error) -> str:
    """The line for an error of PostgreSQL while records are loaded."""
    state, message = error.sqlstate or "", _message(error)
    # A DataError without a state is from psycopg or from our columns.
    lasts = isinstance(error, psycopg.DataError) or (
        state.startswith(_LASTING_STATES) and state not in _PASSING_STATES
    )
    text = _text(error, state, message)
    goes_on = ENDS_AGAIN if lasts and text is OTHER else GOES_ON
    return text.format(message=message, goes_on=goes_on)


def _text(error: psycopg.Error, state: str, message: str) -> str:
    if any(sign in message for sign in _OF_NUL):
        return NUL
    if text := LOADING.get(state):
        return text
    is_lost = isinstance(error, psycopg.OperationalError) and not state
    return LOST if is_lost or state.startswith(_LOST_STATES) else OTHER


def _message(error: Exception) -> str:
    if not isinstance(error, psycopg.Error) or not error.diag.message_primary:
        return first_line(str(error))
    detail, context = (error.diag.message_detail or "", error.diag.context or "")
    parts = [error.diag.message_primary]
    if not detail.startswith(_WHOLE_ROW):
        parts += [detail, *context.splitlines()]
    return "; ".join(first_line(part) for part in parts if part)
