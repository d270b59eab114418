"""Check the values of a request against the description, strictly on purpose."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias
from urllib.parse import parse_qsl

from pinterest_sandbox import api
from pinterest_sandbox.refusals import not_listed, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pinterest_sandbox.api import Facts, Operation, Parameter

Reader: TypeAlias = "Callable[[str], Any]"

_SHOWN = 64
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Parameters:
    """The parameters of one operation; reads the values of a request or refuses them."""

    def __init__(self, operation: Operation, columns: Iterable[str] = ()) -> None:
        """Prepare one reader per parameter, once; `columns` are accepted beside the listed ones."""
        described = dict(operation.parameters)
        if columns and (listed := described.get("columns")):
            facts = api.accepting(listed.facts, columns)
            described["columns"] = listed._replace(facts=facts)
        parameters = described.values()
        query = [each for each in parameters if each.place == "query"]
        self._readers = {each.name: _values_reader(each) for each in parameters}
        self._query = {each.name for each in query}
        self._deep = {each.name for each in query if each.deep}
        self._required = [each.name for each in query if each.required]
        self.defaults = {each.name: each.facts.get("default") for each in parameters}

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


def _values_reader(parameter: Parameter) -> Callable[[Sequence[Any]], Any]:
    name = parameter.name
    if parameter.facts.get("type") == "array":
        return _array_reader(parameter)
    if parameter.deep:
        return _object_reader(parameter)
    read = _reader(name, parameter.facts)

    def read_one(texts: Sequence[str]) -> Any:  # noqa: ANN401  typed by the description
        if len(texts) > 1:
            refuse(f"Parameter {name!r} was sent {len(texts)} times.")
        return read(texts[0])

    return read_one


def _array_reader(parameter: Parameter) -> Callable[[Sequence[str]], list[Any]]:
    name, facts = parameter.name, parameter.facts
    read = _reader(name, facts.get("items", {}))
    most, least = facts.get("maxItems"), facts.get("minItems", 0)

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
    parameter: Parameter,
) -> Callable[[Sequence[tuple[str, str]]], dict[str, Any]]:
    """Reads `name[member]=…&name[other][deeper]=…`."""
    name = parameter.name
    fields = dict(_fields(name, parameter.facts.get("properties", {})))

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
            yield key, _reader(key, facts)


def _reader(name: str, facts: Facts) -> Reader:
    kind = facts.get("type")
    if kind in {"integer", "number"}:
        return _integer_reader(name, facts)
    if kind == "boolean":
        return _boolean_reader(name)
    if facts.get("format") == "date":
        return _date_reader(name)
    return _string_reader(name, facts)


def _integer_reader(name: str, facts: Facts) -> Callable[[str], int]:
    allowed = frozenset(facts.get("enum", ()))
    least, most = facts.get("minimum"), facts.get("maximum")

    def read_integer(text: str) -> int:
        if not _INTEGER.fullmatch(text):
            _refuse_value(name, "an integer")
        value = int(text)
        if allowed and value not in allowed:
            raise not_listed(name, text, facts["enum"])
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


def _string_reader(name: str, facts: Facts) -> Callable[[str], str]:
    allowed = frozenset(facts.get("enum", ()))
    pattern = re.compile(facts["pattern"], re.ASCII) if "pattern" in facts else None
    least, most = facts.get("minLength", 1), facts.get("maxLength")

    def read_string(text: str) -> str:
        if allowed and text not in allowed:
            raise not_listed(name, text[:_SHOWN], facts["enum"])
        if pattern and not pattern.fullmatch(text):
            _refuse_value(name, f"of the form {pattern.pattern}")
        if len(text) < least or (most is not None and len(text) > most):
            _refuse_value(name, f"of {least} to {most} characters")
        return text

    return read_string


def _refuse_value(name: str, wanted: str) -> NoReturn:
    refuse(f"Parameter {name!r} must be {wanted}.")
