"""Checks what a request sends against what the description allows, strictly on purpose."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from pinterest_sandbox.refusals import refuse
from tap_pinterest.api import Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_pinterest.api import Operation

Reader: TypeAlias = "Callable[[str], Any]"

_DEEP = "deepObject"
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Parameters:
    """The parameters of one operation; reads the values of a request or refuses them."""

    def __init__(self, operation: Operation) -> None:
        """Prepares one reader per parameter, once."""
        self._readers = {
            name: _values_reader(name, parameter)
            for name, parameter in operation.parameters.items()
        }
        query = {
            name: parameter
            for name, parameter in operation.parameters.items()
            if parameter.location == "query"
        }
        self._query = query.keys()
        self._deep = {name for name, each in query.items() if each.style == _DEEP}
        self._required = [name for name, parameter in query.items() if parameter.required]
        self.defaults = {
            name: parameter.default for name, parameter in operation.parameters.items()
        }

    def read(self, path: Mapping[str, str], query: str) -> dict[str, Any]:
        """Every parameter's value; the default, or None, where the request has none.

        Raises:
            Refusal: 400 when one is missing, unknown, or not as the description has it.
        """
        given: dict[str, list[Any]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            parameter, bracket, _ = name.partition("[")
            if bracket and parameter in self._deep:
                given.setdefault(parameter, []).append((name, value))
            else:
                given.setdefault(name, []).append(value)
        unknown = sorted(given.keys() - self._query)
        if unknown:
            refuse(f"Unknown parameter: {unknown[0]!r}.")
        for name in self._required:
            if name not in given:
                refuse(f"Missing required parameter: {name!r}.")
        values = self.defaults.copy()
        for name, value in path.items():
            values[name] = self._readers[name]([value])
        for name, texts in given.items():
            values[name] = self._readers[name](texts)
        return values


def read_date(text: str) -> date:
    """A date as `YYYY-MM-DD`, and only so.

    Raises:
        ValueError: it is none.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _values_reader(name: str, parameter: Parameter) -> Callable[[Sequence[Any]], Any]:
    if parameter.type == "array":
        return _array_reader(name, parameter)
    if parameter.style == _DEEP:
        return _object_reader(name, parameter)
    read = _reader(name, parameter)

    def read_one(texts: Sequence[str]) -> Any:  # noqa: ANN401  typed by the description
        if len(texts) > 1:
            refuse(f"Parameter {name!r} was sent {len(texts)} times.")
        return read(texts[0])

    return read_one


def _array_reader(name: str, parameter: Parameter) -> Callable[[Sequence[str]], list[Any]]:
    read = _reader(name, parameter.items) if parameter.items else str
    most, least = parameter.max_items, parameter.min_items or 0

    def read_array(texts: Sequence[str]) -> list[Any]:
        if parameter.explode:
            if any("," in text for text in texts):
                refuse(f"Values of {name!r} must be sent by repeating it, not joined with commas.")
        elif len(texts) > 1:
            refuse(f"Values of {name!r} must be joined with commas, not sent by repeating it.")
        else:
            texts = texts[0].split(",")
        if most is not None and len(texts) > most:
            refuse(f"Parameter {name!r} has {len(texts)} values; at most {most} are allowed.")
        if len(texts) < least:
            refuse(f"Parameter {name!r} must have at least {least} values.")
        return [read(text) for text in texts]

    return read_array


def _object_reader(
    name: str, parameter: Parameter
) -> Callable[[Sequence[tuple[str, str]]], dict[str, Any]]:
    """Reads `name[member]=…&name[other][deeper]=…`."""
    fields = dict(_fields(name, parameter.properties or {}))

    def read_object(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for pair in pairs:
            key, text = pair if isinstance(pair, tuple) else (name, pair)
            if key not in fields or not key.startswith(f"{name}["):
                refuse(f"Unknown parameter: {key!r}.")
            *above, last = key.removeprefix(f"{name}[").removesuffix("]").split("][")
            place = found
            for member in above:
                place = place.setdefault(member, {})
            if last in place:
                refuse(f"Parameter {key!r} was sent twice.")
            place[last] = fields[key](text)
        return found

    return read_object


def _fields(name: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, Reader]]:
    for member, facts in properties.items():
        key = f"{name}[{member}]"
        if facts.get("type") == "object":
            yield from _fields(key, facts.get("properties", {}))
        else:
            yield key, _reader(key, msgspec.convert(facts, Parameter))


def _reader(name: str, parameter: Parameter) -> Reader:
    if parameter.type in {"integer", "number"}:
        return _integer_reader(name, parameter)
    if parameter.type == "boolean":
        return _boolean_reader(name)
    if parameter.format == "date":
        return _date_reader(name)
    return _string_reader(name, parameter)


def _integer_reader(name: str, parameter: Parameter) -> Callable[[str], int]:
    allowed = frozenset(parameter.allowed)
    least, most = parameter.minimum, parameter.maximum

    def read_integer(text: str) -> int:
        if not _INTEGER.fullmatch(text):
            _refuse_value(name, "an integer")
        value = int(text)
        if allowed and value not in allowed:
            _refuse_value(name, f"one of {', '.join(map(str, sorted(allowed)))}")
        if (least is not None and value < least) or (most is not None and value > most):
            _refuse_value(name, f"between {least} and {most}")
        return value

    return read_integer


def _boolean_reader(name: str) -> Callable[[str], bool]:
    def read_boolean(text: str) -> bool:
        if text not in _BOOLEANS:
            _refuse_value(name, "true or false")
        return _BOOLEANS[text]

    return read_boolean


def _date_reader(name: str) -> Callable[[str], date]:
    def read(text: str) -> date:
        try:
            return read_date(text)
        except ValueError:
            _refuse_value(name, "a date of the form YYYY-MM-DD")

    return read


def _string_reader(name: str, parameter: Parameter) -> Callable[[str], str]:
    allowed = frozenset(parameter.allowed)
    pattern = re.compile(parameter.pattern, re.ASCII) if parameter.pattern else None
    least = 1 if parameter.min_length is None else parameter.min_length
    most = parameter.max_length

    def read_string(text: str) -> str:
        if allowed and text not in allowed:
            _refuse_value(name, f"a value that the description lists, not {text[:64]!r}")
        if pattern and not pattern.fullmatch(text):
            _refuse_value(name, f"of the form {pattern.pattern}")
        if len(text) < least or (most is not None and len(text) > most):
            _refuse_value(name, f"of {least} to {most} characters")
        return text

    return read_string


def _refuse_value(name: str, wanted: str) -> NoReturn:
    refuse(f"Parameter {name!r} must be {wanted}.")
