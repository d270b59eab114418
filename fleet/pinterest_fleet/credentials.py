"""Makes sure that a connection reads with its own credential."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pinterest_fleet.references import SecretError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PREFIX = "TAP_PINTEREST_"
_OAUTH = f"{_PREFIX}OAUTH_CREDENTIALS_"
_APP = (f"{_PREFIX}CLIENT_ID", f"{_PREFIX}CLIENT_SECRET")
_METHOD = f"{_PREFIX}AUTH_METHOD"
TOKENS = tuple(
    f"{prefix}{kind}_TOKEN" for prefix in (_PREFIX, _OAUTH) for kind in ("REFRESH", "ACCESS")
)
"""Variables with a token; one of them is enough."""
TOKEN_FILE = f"{_PREFIX}TOKEN_FILE"
_PROXY = (f"{_OAUTH}REFRESH_PROXY_URL", f"{_OAUTH}REFRESH_PROXY_URL_AUTH")
NONE = dict.fromkeys((*_APP, *TOKENS, *_PROXY), "")
"""Every variable of a credential, without a value.

Meltano looks for missing variables in `meltano.yml` and in its database. It does not replace an
empty variable.
"""


def token_of(variables: Mapping[str, str]) -> str:
    """The token of a run; an empty text if it has none."""
    return next((variables[name] for name in TOKENS if variables.get(name)), "")


def require(
    own: Mapping[str, str], shared: Mapping[str, str], project: Path, *, is_shared: bool
) -> None:
    """Refuse a connection without a credential of its own.

    Args:
        own: The variables of the connection, its token file among them.
        shared: The variables of all connections.
        project: The folder in which the tap runs.
        is_shared: Whether the file of connections says that it shares its credential.

    Raises:
        SecretError: The connection has no credential, or the file does not say that it shares one.
    """
    both = {**shared, **own}
    if token_of(own) or _is_app(both):
        return
    if token_of(both):
        if not is_shared:
            msg = "the shared variables have a token; name its credential in each connection"
            raise SecretError(msg)
        return
    # Unlike those of `Path`, these raise nothing for an unknown user or a closed folder.
    stored = project / os.path.expanduser(own[TOKEN_FILE])  # noqa: PTH111
    if not (both.get(_APP[0]) and os.path.isfile(stored)):  # noqa: PTH113
        msg = (
            f"its variables have no credential: no {TOKENS[0]}, no {TOKENS[1]}, and no"
            f" {_APP[0]} with a token file of tap-pinterest-login"
        )
        raise SecretError(msg)


def _is_app(variables: Mapping[str, str]) -> bool:
    """Whether a run reads as the app itself, without a user's token."""
    is_chosen = variables.get(_METHOD) == "client_credentials"
    return is_chosen and all(variables.get(name) for name in _APP)
