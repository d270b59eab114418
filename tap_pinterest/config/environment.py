"""Settings from environment variables and the file `.env`."""

from __future__ import annotations

import ast
import difflib
import functools
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from dotenv import find_dotenv, load_dotenv
from dotenv.parser import parse_stream
from singer_sdk.exceptions import ConfigValidationError

from tap_pinterest.config.schema import NAMES_ELSEWHERE, TOKENS

_logger = logging.getLogger("tap-pinterest.env")
_CREDENTIALS = (*TOKENS, "oauth_credentials", "auth_method")
_EMPTY_IS_A_VALUE = frozenset({"token_file", "sync_key_separator"})
_PREFIX = "TAP_PINTEREST_"
_NEAR = 0.8
"""Likeness from which a name counts as a misspelling of another; 1 is equal."""


def refusal(faults: list[str]) -> ConfigValidationError:
    """The error that names the faults of a config, in the SDK's form."""
    return ConfigValidationError("Config validation failed", errors=faults, schema={})


def load_env_file() -> None:
    """Put the variables of a file `.env` in the folder, or in one above it, into the environment.

    Raises:
        ConfigValidationError: The file cannot be read.
    """
    file = find_dotenv(usecwd=True)
    try:
        _check_lines(file)
        load_dotenv(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise refusal([f"{file}: it cannot be read ({reason})"]) from None


def _check_lines(file: str) -> None:
    """Refuse a line about the tap that sets no variable, and warn about any other such line."""
    if not file:
        return
    # The library's own warning names no file.
    logging.getLogger("dotenv.main").setLevel(logging.ERROR)
    with Path(file).open(encoding="utf-8") as stream:
        unread = [each.original for each in parse_stream(stream) if each.error]
    for text, line in unread:
        fault = f"{file}: line {line} cannot be read; write NAME=value, and close each quote"
        if _PREFIX in text:
            raise refusal([fault])
        _warn_once(fault)


@functools.cache
def _warn_once(text: str) -> None:
    _logger.warning("%s", text)


def from_environment(prefix: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in environment variables and in a file `.env` of the folder.

    Lists and objects are JSON. A list may also be one comma-separated text, and a member of an
    object may have its own variable.

    Args:
        prefix: The beginning of the variables' names, such as `TAP_PINTEREST_`.
        properties: The settings, as JSON schema.

    Raises:
        ConfigValidationError: The file cannot be read, or a variable's name is almost a setting's.
    """
    load_env_file()
    if misspelt := list(_misspelt(prefix, properties)):
        raise refusal(misspelt)
    return _from_variables(prefix, properties)


def completed(config: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A config file's settings, completed by settings of the environment.

    If the file has credentials, the environment adds no credentials of another kind.
    """
    has_credentials = any(config.get(name) for name in _CREDENTIALS)
    left_out = _CREDENTIALS if has_credentials else ()
    added = {name: value for name, value in given.items() if name not in left_out}
    own = {name: value for name, value in config.items() if is_set(name, value)}
    return {**config, **added, **own}


def is_set(name: str, value: object) -> bool:
    """Whether a config sets a setting; an empty text sets only a few of them."""
    return value is not None and (value != "" or name in _EMPTY_IS_A_VALUE)


def overruled(prefix: str, config: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """The variables without effect, because the config file has another value for the setting."""
    return [
        f"{prefix}{name.upper()} has no effect: the config file sets {name}"
        for name, value in given.items()
        if is_set(name, config.get(name)) and _text(config[name]) != _text(value)
    ]


def _text(value: object) -> str:
    """A value in the form of a variable; a list and its comma-separated text are the same."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _misspelt(prefix: str, properties: Mapping[str, Any]) -> Iterator[str]:
    """A fault for each variable whose name is almost a setting's.

    Other variables may share the prefix: Kubernetes makes TAP_PINTEREST_PORT for a service called
    tap-pinterest, and Meltano makes some whose names go on with an underscore.
    """
    known = {f"{prefix}{name.upper()}": name for name in properties}
    for variable in sorted(os.environ):
        rest = variable.removeprefix(prefix).lower()
        if variable in known or not variable.startswith(prefix) or rest.startswith("_"):
            continue
        if any(variable.startswith(f"{name}_") for name in known):
            continue  # a member of a setting that is an object
        ours = NAMES_ELSEWHERE.get(rest)
        near = difflib.get_close_matches(rest, properties, n=1, cutoff=_NEAR)
        if setting := ours if ours in properties else next(iter(near), None):
            yield f"{variable}: there is no such setting; did you mean {prefix}{setting.upper()}?"


def _from_variables(prefix: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: os.environ.get(f"{prefix}{name.upper()}") for name in properties}
    values = {name: from_json(text) for name, text in given.items() if text is not None}
    for name, schema in properties.items():
        members = _from_variables(f"{prefix}{name.upper()}_", schema.get("properties") or {})
        if members and isinstance(whole := values.get(name) or {}, dict):
            values[name] = {**whole, **members}
    return values


def from_json(text: str) -> object:
    """The list or object in a text; any other text unchanged."""
    if text.strip()[:1] not in {"[", "{"}:
        return text
    with suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(text)
    # Meltano writes lists in Python's form into the environment of a plugin's commands.
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        return ast.literal_eval(text.strip())
    return text
