"""Makes Pinterest's records fit the columns and types that the tap promises.

`singer_schema` gives the columns and types of a record, and `Converter` converts the API's records
to them. A time is `YYYY-MM-DDTHH:MM:SSZ` whatever unit the API counts in. An id is text also if the
API sends a number. A whole number is written without a fraction. An unknown value of an enum is
counted and kept. Fields and values that do not fit the columns go to the `Strays` of the record.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Mapping
from functools import partial
from math import isfinite
from typing import Annotated, Any, TypeAlias

import msgspec

from tap_pinterest.http.answers import decode_object
from tap_pinterest.records.instants import day, instant, says_when_made
from tap_pinterest.records.strays import EXTRA_FIELDS, Strays, UnknownCounts

Facts: TypeAlias = "Mapping[str, Any]"
"""Facts about a value or a record, in the form of `api.json`."""

EXACT_FLOATS = 2**53
"""Up to this number, every whole float is exactly one integer."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NULL = type(None)


def singer_name(name: str) -> str:
    """The column of a field: lower snake case, camelCase split."""
    if name.isupper():
        return name.lower()
    return _HUMP.sub("_", name).lower()


def singer_schema(
    facts: Facts, keys: Collection[str] = (), *, extra_fields: bool = False
) -> dict[str, Any]:
    """The JSON schema of the records that a `Converter` of the same facts makes.

    Args:
        facts: The record's facts.
        keys: Columns that are required and never null.
        extra_fields: Whether there is the column `extra_fields`, for fields without a column.
    """
    properties = {singer_name(name): _singer_type(field) for name, field in _fields(facts).items()}
    if extra_fields:
        properties[EXTRA_FIELDS] = {"type": ["object", "null"]}
    for key in keys:
        if key in properties:
            properties[key]["type"] = [t for t in properties[key]["type"] if t != "null"]
    required = [key for key in properties if key in keys]
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    return schema | ({"required": required} if required else {})


def _fields(facts: Facts) -> dict[str, Facts]:
    """The fields of a record; an id is text, even if the API has a number."""
    return {
        name: {**field, "type": "string"}
        if field.get("type") == "integer" and _is_id(name)
        else field
        for name, field in facts["properties"].items()
    }


def _is_id(name: str) -> bool:
    return name == "id" or name.lower().endswith("_id")


def _singer_type(facts: Facts) -> dict[str, Any]:
    kind = facts.get("type", "object")
    kinds = [kind] if isinstance(kind, str) else list(kind)
    if "unit" in facts or facts.get("format") == "date-time":
        return {"type": ["string", "null"], "format": "date-time"}
    schema: dict[str, Any] = {"type": [*kinds, "null"]}
    if facts.get("format") == "date":
        schema["format"] = "date"
    if "items" in facts:
        schema["items"] = _singer_type(facts["items"])
    if "properties" in facts:
        schema["properties"] = {
            name: _singer_type(field) for name, field in facts["properties"].items()
        }
    if isinstance(more := facts.get("additionalProperties"), dict):
        schema["additionalProperties"] = _singer_type(more)
    return schema


class Converter:
    """Turns records of the API into records of `singer_schema`.

    Every record has every column. A field that the API did not send is null: it may have had a
    value yesterday, which the target must overwrite.
    """

    def __init__(self, facts: Facts, strays: Strays) -> None:
        """Prepare the conversion of one stream's records.

        Args:
            facts: The record's facts; enums as values, not as names.
            strays: Handles fields and values that do not fit the columns.
        """
        self._strays = strays
        fields = _fields(facts)
        self._blank: dict[str, Any] = dict.fromkeys(map(singer_name, fields))
        if strays.has_column:
            self._blank[EXTRA_FIELDS] = None
        self._rules = {
            name: (singer_name(name), *_rule(field, name, strays, strays.misfit))
            for name, field in fields.items()
        }
        self._plain = _PlainRecords(fields, self._rules, strays)

    def __call__(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record with the columns and types of the schema."""
        try:
            return self._plain.convert(record)
        except msgspec.ValidationError:
            return self._loosened_or_field_by_field(record)

    def read(self, text: bytes) -> dict[str, Any]:
        """Convert a record from its JSON, which saves a second decoding.

        Raises:
            UnreadableAnswerError: The text is not a JSON object.
        """
        try:
            return self._plain.read(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._loosened_or_field_by_field(decode_object(text))

    def _loosened_or_field_by_field(self, record: Mapping[str, Any]) -> dict[str, Any]:
        if looser := self._plain.loosened_for(record):
            self._plain = looser
            return self(record)
        return self._field_by_field(record)

    def _field_by_field(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Convert a record with a value that does not fit, or with an unknown field."""
        converted = self._blank.copy()
        rules = self._rules
        for name, value in record.items():
            rule = rules.get(name)
            if rule is None:
                self._strays.field(name, value)
                continue
            column, fitting, convert = rule
            converted[column] = value if value.__class__ in fitting else convert(value)
        if self._strays.extra:
            converted[EXTRA_FIELDS] = self._strays.taken()
        return converted


_Finite: TypeAlias = Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
_PLAIN: Mapping[str, Any] = {
    "string": str | None,
    "integer": int | None,
    "number": int | None,
    "boolean": bool | None,
}
"""Types whose values need no conversion for their column."""
_WIDER: Mapping[type | None, Any] = {float: _Finite, int: int}
"""The type to add to a plain type, for values that need a check."""


def _is_plain(facts: Facts) -> bool:
    kind = facts.get("type")
    return kind.__class__ is str and kind in _PLAIN and not {"unit", "format", "enum"} & {*facts}


class _PlainRecords:
    """Records whose plain fields fit. msgspec checks this ten times as fast as our own code.

    The types are as narrow as the values so far: a number is a whole number until a fraction comes,
    an id is a text until a number comes. Only columns that had such a value are checked in every
    record. A record with any other difference does not match, and is converted field by field.
    """

    def __init__(
        self,
        fields: Mapping[str, Facts],
        rules: Mapping[str, tuple[str, frozenset[type], Fit]],
        strays: Strays,
        loose: frozenset[str] = frozenset(),
    ) -> None:
        """Prepare the types; fields in `loose` get the wider type."""
        self._fields = fields
        self._rules = rules
        self._strays = strays
        self._loose = loose
        self._wider = {name: _wider(name, facts) for name, facts in fields.items()}
        self._type = msgspec.defstruct(
            "Plain",
            [
                *((rules[name][0], self._type_of(name), None) for name in fields),
                *([(EXTRA_FIELDS, None, None)] if strays.has_column else []),
            ],
            # No field has an empty name, so a field called extra_fields cannot fill the column.
            rename={**{rules[name][0]: name for name in fields}, EXTRA_FIELDS: ""},
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decode = msgspec.json.Decoder(self._type).decode
        self._checked = [rule for name, rule in rules.items() if not _is_plain(fields[name])]
        self._numbered = self._columns_of(int)
        self._fractional = self._columns_of(float)

    def convert(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of a record.

        Raises:
            msgspec.ValidationError: The record does not match the types.
        """
        return self._finished(msgspec.convert(record, self._type))

    def read(self, text: bytes) -> dict[str, Any]:
        """The columns of a record, from its JSON.

        Raises:
            msgspec.DecodeError: The record does not match the types, or is not JSON.
            UnicodeDecodeError: The text is not UTF-8.
        """
        return self._finished(self._decode(text))

    def loosened_for(self, record: Mapping[str, Any]) -> _PlainRecords | None:
        """A converter whose types are wide enough for this record as well; `None` if none is."""
        wider = self._wider
        came = {name for name, value in record.items() if wider.get(name) is value.__class__}
        if came <= self._loose:
            return None
        return _PlainRecords(self._fields, self._rules, self._strays, self._loose | came)

    def _type_of(self, name: str) -> Any:  # noqa: ANN401 - msgspec takes any type
        if not _is_plain(self._fields[name]):
            return Any
        narrow = _PLAIN[self._fields[name]["type"]]
        return narrow | _WIDER[self._wider[name]] if name in self._loose else narrow

    def _columns_of(self, kind: type) -> list[str]:
        return [self._rules[name][0] for name in self._loose if self._wider[name] is kind]

    def _finished(self, record: msgspec.Struct) -> dict[str, Any]:
        converted = msgspec.structs.asdict(record)
        for column, fitting, convert in self._checked:
            value = converted[column]
            if value.__class__ not in fitting:
                converted[column] = convert(value)
        for column in self._numbered:
            value = converted[column]
            if value.__class__ is int:
                converted[column] = str(value)
        for column in self._fractional:
            value = converted[column]
            if value.__class__ is float and value.is_integer() and abs(value) <= EXACT_FLOATS:
                converted[column] = int(value)
        if self._strays.extra:
            converted[EXTRA_FIELDS] = self._strays.taken()
        return converted


def _wider(name: str, facts: Facts) -> type | None:
    """The second class that values of a plain field may have.

    In the same row, Pinterest sends one id as a text and another id as a number.
    """
    if not _is_plain(facts):
        return None
    if facts["type"] == "number":
        return float
    may_be_number = _is_id(name) or name.lower().endswith("_value")
    return int if facts["type"] == "string" and may_be_number else None


Fit: TypeAlias = "Callable[[Any], Any]"
"""Makes a value fit, or raises one of `_MISFITS`."""
Rule: TypeAlias = "tuple[frozenset[type], Fit]"
"""The classes whose values stay unchanged, and the conversion of other values."""

_MISFITS = (TypeError, ValueError, KeyError, OverflowError)


def _rule(facts: Facts, name: str, strays: Strays, instead: Callable[[str, Any], Any]) -> Rule:
    """The rule for a value; `instead` handles a value that cannot be converted."""
    fitting, fit = _kind_rule(facts, name, strays)

    def fit_or_else(value: Any) -> Any:  # noqa: ANN401
        try:
            return fit(value)
        except _MISFITS:
            return instead(name, value)

    if fit is _number:
        return fitting, _floats_first(fit_or_else)
    return fitting, fit_or_else


def _floats_first(fit: Fit) -> Fit:
    """A faster conversion for floats, because every row of a report has dozens."""

    def fit_float(value: Any) -> Any:  # noqa: ANN401
        if value.__class__ is not float or not isfinite(value):
            return fit(value)
        return int(value) if value.is_integer() and abs(value) <= EXACT_FLOATS else value

    return fit_float


def _kind_rule(facts: Facts, name: str, strays: Strays) -> Rule:
    kind = facts.get("type", "object")
    if fit := _special_fit(facts, kind, name, strays):
        return frozenset({_NULL}), fit
    if isinstance(kind, str):
        return _RULES[kind]
    return frozenset().union(*(_RULES[one][0] for one in kind)), _misfit


def _special_fit(facts: Facts, kind: object, name: str, strays: Strays) -> Fit | None:
    """The conversion of fields whose values must be checked, not only their class."""
    fit: Fit | None = None
    if "unit" in facts or facts.get("format") == "date-time":
        fit = partial(_instant, when_made=says_when_made(name))
    elif facts.get("format") == "date":
        fit = partial(day, when_made=says_when_made(name))
    elif kind == "string" and "enum" in facts:
        fit = _enum(frozenset(facts["enum"]), name, strays.unknowns)
    elif kind == "array" and "items" in facts:
        fit = _array(facts["items"], name, strays)
    elif kind == "object" and (
        "properties" in facts or isinstance(facts.get("additionalProperties"), dict)
    ):
        fit = _object(facts, name, strays)
    return fit


def _enum(known: Collection[str], name: str, unknowns: UnknownCounts) -> Fit:
    def fit(value: Any) -> str:  # noqa: ANN401
        text: str = value if value.__class__ is str else _text(value)
        if text not in known:
            unknowns.value(name, text)
        return text

    return fit


def _array(items: Facts, name: str, strays: Strays) -> Fit:
    fitting, fit_item = _rule(items, name, strays, strays.inner_misfit)

    def fit(value: Any) -> list[Any]:  # noqa: ANN401
        if value.__class__ is not list:
            raise TypeError
        return [item if item.__class__ in fitting else fit_item(item) for item in value]

    return fit


def _object(facts: Facts, name: str, strays: Strays) -> Fit:
    rules = {
        key: _rule(field, f"{name}.{key}", strays, strays.inner_misfit)
        for key, field in facts.get("properties", {}).items()
    }
    more: Any = facts.get("additionalProperties")
    other_rule = _rule(more, name, strays, strays.inner_misfit) if isinstance(more, dict) else None

    def fit(value: Any) -> dict[str, Any]:  # noqa: ANN401
        if value.__class__ is not dict:
            raise TypeError
        converted: dict[str, Any] = {}
        for key, member in value.items():
            if rule := rules.get(key, other_rule):
                converted[key] = member if member.__class__ in rule[0] else rule[1](member)
            elif more:
                converted[key] = member
            else:
                strays.inner_field(f"{name}.{key}", key, member, converted)
        return converted

    return fit


def _instant(value: Any, *, when_made: bool) -> str | None:  # noqa: ANN401
    if value.__class__ is not str:
        value = _number(value)
    return instant(value, when_made=when_made)


def _text(value: Any) -> str:  # noqa: ANN401
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ not in _NUMBERS:
        raise TypeError
    return str(_number(value))


def _number(value: Any) -> int | float:  # noqa: ANN401
    if value.__class__ is str:
        value = int(value) if value.lstrip("-").isdecimal() else float(value)
    if value.__class__ is int:
        return int(value)
    if value.__class__ is not float or not isfinite(value):
        raise TypeError
    return int(value) if value.is_integer() and abs(value) <= EXACT_FLOATS else float(value)


def _integer(value: Any) -> int:  # noqa: ANN401
    number = _number(value)
    if number.__class__ is not int:
        raise ValueError
    return int(number)


def _boolean(value: Any) -> bool:  # noqa: ANN401
    if value.__class__ is str:
        value = {"true": True, "false": False}[value.lower()]
    if value not in {0, 1}:
        raise ValueError
    return bool(value)


def _misfit(_: Any) -> None:  # noqa: ANN401
    raise TypeError


_NUMBERS = frozenset({int, float})
_RULES: Mapping[str, Rule] = {
    "string": (frozenset({str, _NULL}), _text),
    "integer": (frozenset({int, _NULL}), _integer),
    "number": (frozenset({int, _NULL}), _number),
    "boolean": (frozenset({bool, _NULL}), _boolean),
    "array": (frozenset({list, _NULL}), _misfit),
    "object": (frozenset({dict, _NULL}), _misfit),
}
