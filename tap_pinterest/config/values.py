"""Gives the values of a config the types of their settings, and finds the credentials."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tap_pinterest.api import columns
from tap_pinterest.config import beta_reports, custom_reports
from tap_pinterest.config.environment import from_json, is_set
from tap_pinterest.config.schema import CONFIG_SCHEMA, ID_LISTS, NAME_LISTS, TOKENS


def normalised(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config without empty values, each value in the type of its setting if possible."""
    values: dict[str, Any] = {
        name: from_json(value) if isinstance(value, str) else value
        for name, value in config.items()
        if is_set(name, value)
    }
    if isinstance(oauth := values.get("oauth_credentials"), dict):
        values["oauth_credentials"] = {
            name: value for name, value in oauth.items() if value is not None and value != ""
        }
    if isinstance(quality := values.get("conversion_quality"), dict):
        values["conversion_quality"] = _with_lists(quality, quality)
    if isinstance(reports := values.get("custom_reports"), list):
        values["custom_reports"] = [
            _with_lists(each, custom_reports.LISTS) if isinstance(each, dict) else each
            for each in reports
        ]
    for shape in beta_reports.SHAPES:
        if isinstance(given := values.get(shape.setting), dict):
            values[shape.setting] = _with_types(shape, given)
    values = _with_lists(values, (*ID_LISTS, *NAME_LISTS))
    for name, schema in CONFIG_SCHEMA["properties"].items():
        if isinstance(values.get(name), str):
            values[name] = _typed(values[name], schema["type"])
        elif name in values:
            values[name] = _whole(values[name])
    return values


def _with_lists(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The values; the values with these names become lists if possible."""
    given = {
        name: from_json(v) if isinstance(v := values[name], str) else v
        for name in names
        if name in values
    }
    lists = {name: listed for name, v in given.items() if (listed := _as_list(v)) is not None}
    return {**values, **lists}


def _with_types(shape: beta_reports.Shape, given: Mapping[str, Any]) -> dict[str, Any]:
    """A report's choice without empty values; texts become lists and numbers if possible."""
    types = CONFIG_SCHEMA["properties"][shape.setting]["properties"]
    values = {name: v for name, v in given.items() if v is not None and v not in ("", [])}
    listed = _with_lists(values, shape.lists)
    return {
        name: _typed(v, types[name]["type"]) if isinstance(v, str) and name in types else _whole(v)
        for name, v in listed.items()
    }


def _whole(value: object) -> object:
    """A whole number as an integer; any other value unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_list(value: object) -> list[Any] | None:
    """A list, a single id, or one comma-separated text, as a list of texts."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return [str(int(value))]
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list):
        return [
            str(item) if isinstance(item, int) and not isinstance(item, bool) else item
            for item in value
        ]
    return None


def _typed(text: str, types: Sequence[str]) -> object:
    """A text from the environment in the type of its setting."""
    if "integer" in types and "string" not in types and re.fullmatch(r"-?\d{1,9}", text.strip()):
        return int(text)
    if "boolean" in types and text.strip().lower() in {"true", "false", "1", "0"}:
        return text.strip().lower() in {"true", "1"}
    return text


def report_columns_of(value: object) -> str | tuple[str, ...]:
    """`default`, `all`, or the names in Pinterest's spelling."""
    return columns.setting_of(_as_list(value) or ())


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
