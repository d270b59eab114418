"""Gives the values of a config the types of their settings, and finds the credentials."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tap_pinterest.api import columns
from tap_pinterest.config import custom_reports
from tap_pinterest.config.environment import from_json, is_set, typed
from tap_pinterest.config.schema import CONFIG_SCHEMA, TOKENS


def normalised(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config without empty values, each value in the type of its setting if possible."""
    values = _fitted_members(config, CONFIG_SCHEMA["properties"])
    if isinstance(reports := values.get("custom_reports"), list):
        values["custom_reports"] = [
            {name: _listed(v) if name in custom_reports.LISTS else v for name, v in each.items()}
            if isinstance(each, dict)
            else each
            for each in reports
        ]
    # An object is not set if all its members are empty.
    return {name: value for name, value in values.items() if value != {}}


def _fitted_members(
    values: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        name: _fitted(value, schemas.get(name, {}))
        for name, value in values.items()
        if is_set(name, value)
    }


def _fitted(value: object, schema: Mapping[str, Any]) -> object:
    """A value in the type that its schema has, if possible."""
    types = schema.get("type", ())
    if isinstance(value, str):
        value = typed(value, types)
    if isinstance(value, dict):
        return _fitted_members(value, schema["properties"]) if "properties" in schema else value
    return _listed(value) if "array" in types and "string" in types else _whole(value)


def _whole(value: object) -> object:
    """A whole number as an integer; any other value unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _listed(value: object) -> object:
    """A list, a single id, or one comma-separated text, as a list of texts, if possible."""
    value = _whole(from_json(value) if isinstance(value, str) else value)
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list):
        return [str(item) if _is_whole(item) else item for item in value]
    return [str(value)] if _is_whole(value) else value


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def report_columns_of(value: object) -> str | tuple[str, ...]:
    """`default`, `all`, or the names in Pinterest's spelling."""
    names = _listed(value)
    return columns.setting_of(names if isinstance(names, list) else ())


def credentials_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens, from their own settings or from `oauth_credentials`."""
    oauth = values.get("oauth_credentials")
    oauth = oauth if isinstance(oauth, dict) else {}
    proxy = {name: oauth.get(name) for name in ("refresh_proxy_url", "refresh_proxy_url_auth")}
    return {name: values.get(name) or oauth.get(name) for name in TOKENS} | proxy


def auth_method_of(values: Mapping[str, Any]) -> str | None:
    """The kind of credentials to use; `None` if the config has no kind or several."""
    if values.get("auth_method"):
        return str(values["auth_method"])
    found = credentials_of(values)
    kinds = [kind for kind in TOKENS if found[kind]]
    if len(kinds) == 1 or (kinds and found["refresh_proxy_url"]):
        return kinds[0]
    if not kinds and values.get("client_id") and has_stored_tokens(values):
        return "refresh_token"
    return None


def has_stored_tokens(values: Mapping[str, Any]) -> bool:
    """Whether there is a token file from `tap-pinterest-login`."""
    try:
        path = token_path_of(values.get("token_file"), values.get("client_id"), None)
        return path is not None and path.is_file()
    except (OSError, RuntimeError, TypeError, ValueError):
        # Other checks refuse a text that is not a path.
        return False


def token_path_of(
    token_file: str | None, client_id: str | None, refresh_token: str | None
) -> Path | None:
    """The file for renewed tokens; `None` if the config wants no file."""
    if token_file is not None:
        return Path(token_file).expanduser() if token_file else None
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    except RuntimeError:
        # The user has no home, as in many containers.
        return None
    # The name depends on the token too: two users of one app must not share a file.
    origin = msgspec.json.encode((client_id, refresh_token))
    return state / "tap-pinterest" / f"{hashlib.sha256(origin).hexdigest()[:16]}.json"
