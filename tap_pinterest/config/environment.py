"""Settings from config files, environment variables and the file `.env`."""

from __future__ import annotations

import ast
import difflib
import functools
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from io import StringIO
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
_ENCODING = "utf-8-sig"
"""UTF-8, after the mark with which editors of Windows begin a file."""
_NEAR = 0.8
"""Likeness from which a name counts as a misspelling of another; 1 is equal."""


def refusal(faults: list[str]) -> ConfigValidationError:
    """The error that names the faults of a config, each in one line, in the SDK's form."""
    lines = ["".join(map(_printable, fault)) for fault in faults]
    return ConfigValidationError("Config validation failed", errors=lines, schema={})


def _printable(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def from_files(paths: Iterable[str]) -> dict[str, Any]:
    """The settings in JSON files; a later file overrules an earlier one. `ENV` is no file.

    Raises:
        ConfigValidationError: A file cannot be read, or has no JSON object.
    """
    found: dict[str, Any] = {}
    for path in paths:
        if path != "ENV":
            found |= _in_file(path)
    return found


def _in_file(path: str) -> dict[str, Any]:
    try:
        text = Path(path).read_text(_ENCODING)
        return msgspec.json.decode(text, type=dict[str, Any])
    except FileNotFoundError:
        reason = "there is no such file"
    except OSError as error:
        reason = str(error.strerror)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        reason = f"it is not a JSON object ({error})"
    raise refusal([f"The config {path} cannot be read: {reason}"])


def load_env_file() -> None:
    """Put the variables of a file `.env` in the folder, or in one above it, into the environment.

    Raises:
        ConfigValidationError: The file cannot be read.
    """
    file = ".env"
    try:
        file = find_dotenv(usecwd=True)
        text = Path(file).read_text(_ENCODING) if file else ""
        _check_lines(file, text)
        load_dotenv(stream=StringIO(text))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise refusal([f"{file}: it cannot be read ({reason})"]) from None


def _check_lines(file: str, text: str) -> None:
    """Refuse a line about the tap that sets no variable, and warn about any other such line."""
    # The library's own warning names no file.
    logging.getLogger("dotenv.main").setLevel(logging.ERROR)
    unread = [each.original for each in parse_stream(StringIO(text)) if each.error]
    for words, line in unread:
        fault = f"{file}: line {line} cannot be read; write NAME=value, and close each quote"
        if _PREFIX in words:
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
    """A fault for each variable whose name is almost a setting's, or almost a member's of one.

    Other variables may share the prefix: Kubernetes makes TAP_PINTEREST_PORT for a service called
    tap-pinterest, and Meltano makes some whose names go on with an underscore, and
    TAP_PINTEREST_ACME_START_DATE for a plugin called tap-pinterest-acme.
    """
    known = {f"{prefix}{name.upper()}": schema for name, schema in properties.items()}
    objects = {f"{name}_": each for name, each in known.items() if "object" in each.get("type", "")}
    for beginning, each in objects.items():
        yield from _misspelt(beginning, each.get("properties", {}))
    for variable in sorted(os.environ.keys() - known):
        upper, rest = variable.upper(), variable[len(prefix) :].lower()
        if not upper.startswith(prefix) or upper.startswith((f"{prefix}_", *objects)):
            continue
        ours = NAMES_ELSEWHERE.get(rest)
        near = difflib.get_close_matches(rest, properties, n=1, cutoff=_NEAR)
        setting = ours if ours in properties else next(iter(near), None)
        if setting and not rest.endswith(f"_{setting}"):
            yield f"{variable}: there is no such setting; did you mean {prefix}{setting.upper()}?"


def _from_variables(prefix: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        name: typed(text, schema.get("type", ()))
        for name, schema in properties.items()
        if (text := os.environ.get(f"{prefix}{name.upper()}")) is not None
    }
    for name, schema in properties.items():
        members = _from_variables(f"{prefix}{name.upper()}_", schema.get("properties") or {})
        if members and isinstance(whole := values.get(name) or {}, dict):
            values[name] = {**whole, **members}
    return values


def typed(text: str, types: Sequence[str]) -> object:
    """A text in the type of its setting, if possible."""
    words = text.strip()
    if "integer" in types and "string" not in types and re.fullmatch(r"-?\d{1,9}", words):
        return int(words)
    if "boolean" in types and words.lower() in {"true", "false", "1", "0"}:
        return words.lower() in {"true", "1"}
    return from_json(text)


def from_json(text: str) -> object:
    """The list or object in a text; any other text unchanged."""
    if text.strip()[:1] not in {"[", "{"}:
        return text
    with suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(text)
    # Meltano writes lists in Python's form into the environment of a plugin's commands.
    with suppress(ArithmeticError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError):
        value = ast.literal_eval(text.strip())
        # Python has more kinds of values, such as sets.
        return msgspec.json.decode(msgspec.json.encode(value))
    return text
