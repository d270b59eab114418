"""Checks the JSON body of a request against its schema, as strictly as `parameters` the query."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

import msgspec

from pinterest_sandbox.parameters import read_date
from pinterest_sandbox.refusals import columns_not_available, not_listed, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinterest_sandbox.api import Facts

_COLUMNS: Final = "columns"
_SHOWN: Final = 64
_JSON: Final = "application/json"
_DATES: Final = frozenset({"start_date", "end_date"})
_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def read(schema: Facts, content_type: str, body: bytes) -> dict[str, Any]:
    """Every property's value; the default, or None, where the body has none.

    Dates are read as dates.

    Raises:
        Refusal: 400 when one is missing, unknown, or not as the description has it.
    """
    if content_type.partition(";")[0].strip().lower() != _JSON:
        refuse(f"The body must be {_JSON}.")
    given: Any
    try:
        given = msgspec.json.decode(body)
    except msgspec.DecodeError:
        refuse("The body is not JSON.")
    _check("body", given, schema)
    values: dict[str, Any] = defaults(schema) | given
    for name in _DATES & given.keys():
        try:
            values[name] = read_date(given[name])
        except ValueError:
            _refuse(name, "a date of the form YYYY-MM-DD")
    return values


def defaults(schema: Facts) -> dict[str, Any]:
    """The default of each property."""
    return {name: each.get("default") for name, each in schema.get("properties", {}).items()}


def _check(name: str, value: Any, facts: Mapping[str, Any]) -> None:  # noqa: ANN401
    kind = facts.get("type", "object")
    if value is None and facts.get("nullable"):
        return
    if not _is_a(kind, value):
        _refuse(name, f"of type {kind}")
    if kind == "object":
        _check_object(name, value, facts)
    elif kind == "array":
        _check_length(name, len(value), facts.get("minItems"), facts.get("maxItems"), "values")
        items = facts.get("items", {})
        if name == _COLUMNS and (unknown := [each for each in value if each not in items["enum"]]):
            raise columns_not_available(map(str, unknown))
        for item in value:
            _check(name, item, items)
    else:
        _check_scalar(name, value, facts)


def _is_a(kind: str, value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _check_object(name: str, value: dict[str, Any], facts: Mapping[str, Any]) -> None:
    properties = facts.get("properties", {})
    unknown = sorted(value.keys() - properties.keys())
    if unknown and not facts.get("additionalProperties"):
        refuse(f"Unknown property of {name}: {unknown[0]!r}.")
    for required in facts.get("required", ()):
        if required not in value:
            refuse(f"Missing required property of {name}: {required!r}.")
    for member in value.keys() & properties.keys():
        _check(member, value[member], properties[member])


def _check_scalar(name: str, value: Any, facts: Mapping[str, Any]) -> None:  # noqa: ANN401
    allowed = facts.get("enum")
    if allowed and value not in allowed:
        raise not_listed(name, str(value)[:_SHOWN], allowed)
    if isinstance(value, str):
        _check_length(
            name, len(value), facts.get("minLength"), facts.get("maxLength"), "characters"
        )
        if "pattern" in facts and not re.fullmatch(facts["pattern"], value, re.ASCII):
            _refuse(name, f"of the form {facts['pattern']}")
        return
    least, most = facts.get("minimum"), facts.get("maximum")
    if (least is not None and value < least) or (most is not None and value > most):
        _refuse(name, f"between {least} and {most}")


def _check_length(name: str, length: int, least: int | None, most: int | None, of: str) -> None:
    if most is not None and length > most:
        refuse(f"Property {name!r} has {length} {of}; at most {most} are allowed.")
    if length < (least or 0):
        refuse(f"Property {name!r} must have at least {least} {of}.")


def _refuse(name: str, wanted: str) -> NoReturn:
    refuse(f"Property {name!r} must be {wanted}.")
