"""Records as the tap writes them: what the facts of a record promise, and how it is kept.

`singer_schema` says which columns and types a record has, `Converter` makes the API's records have
them. A time is `YYYY-MM-DDTHH:MM:SSZ` whatever the API counts in, an id is text also when the API
sends a number, a whole number is written as one. Enums stay open: what a schema does not know is
counted, and the record goes on.
"""

from __future__ import annotations

import functools
import re
import sys
from collections import Counter
from datetime import UTC, date, datetime
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeAlias

import msgspec

from tap_pinterest.http.answers import decoder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Facts: TypeAlias = "Mapping[str, Any]"
"""What is known of a value or a record, in the form of `api.json`."""

LATEST_SECOND = 253_402_300_799
"""The last second of the year 9999, beyond which there is no ISO date-time."""
EARLIEST_MILLISECONDS = 100_000_000_000
"""A count this large is of milliseconds (1973) where seconds (5138) would make no sense."""
EXACT_FLOATS = 2**53
"""Below this every whole float is exactly one integer."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NULL = type(None)


class Unknowns(Protocol):
    """Told of what a schema does not know."""

    def field(self, name: str) -> None:
        """A field that the schema lacks: left out of the record, kept inside an object."""

    def value(self, field: str, value: str) -> None:
        """A value that the enum lacks: kept."""

    def misfit(self, field: str, value: object) -> None:
        """A value that cannot be of the field's type: null instead."""


class UnknownCounts:
    """Counts what the schema of one stream does not know."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self.fields: Counter[str] = Counter()
        self.values: Counter[tuple[str, str]] = Counter()
        self.misfits: Counter[tuple[str, str]] = Counter()

    def __bool__(self) -> bool:
        """Whether anything has been counted."""
        return bool(self.fields or self.values or self.misfits)

    def field(self, name: str) -> None:
        """Count a field."""
        self.fields[name] += 1

    def value(self, field: str, value: str) -> None:
        """Count a value of an enum."""
        self.values[field, value] += 1

    def misfit(self, field: str, value: object) -> None:
        """Count a value by its type only: it may hold what logs must not."""
        self.misfits[field, type(value).__name__] += 1


def singer_name(name: str) -> str:
    """The column of a field: lower snake case, camelCase split."""
    if name.isupper():
        return name.lower()
    return _HUMP.sub("_", name).lower()


def singer_schema(facts: Facts, keys: Collection[str] = ()) -> dict[str, Any]:
    """The JSON schema of the records that a `Converter` of the same facts gives.

    All may be null but `keys`, which are required.
    """
    properties = {singer_name(name): _singer_type(field) for name, field in _fields(facts).items()}
    for key in keys:
        if key in properties:
            properties[key]["type"] = [t for t in properties[key]["type"] if t != "null"]
    required = [key for key in properties if key in keys]
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    return schema | ({"required": required} if required else {})


def _fields(facts: Facts) -> dict[str, Facts]:
    """The fields of a record; an id is text, also where the API counts."""
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

    Every column is in every record, null where the API sent none: what is absent today may have
    had a value yesterday, and has to be overwritten.
    """

    def __init__(self, facts: Facts, unknowns: Unknowns) -> None:
        """Prepare the conversion of one stream's records.

        Args:
            facts: The record's facts; enums as values, not as names.
            unknowns: Told of fields and values that the facts do not know.
        """
        self._unknowns = unknowns
        fields = _fields(facts)
        self._blank: dict[str, Any] = dict.fromkeys(map(singer_name, fields))
        self._rules = {
            name: (singer_name(name), *_rule(field, name, unknowns))
            for name, field in fields.items()
        }
        self._plain = _PlainRecords(fields, self._rules)

    def __call__(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record with the columns and types of the schema."""
        try:
            return self._plain.convert(record)
        except msgspec.ValidationError:
            return self._loosened_or_field_by_field(record)

    def read(self, text: bytes) -> dict[str, Any]:
        """The same for a record as it was sent, which is not decoded twice.

        Raises:
            UnreadableAnswerError: It is no JSON object.
        """
        try:
            return self._plain.read(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._loosened_or_field_by_field(_decode_members(text))

    def _loosened_or_field_by_field(self, record: Mapping[str, Any]) -> dict[str, Any]:
        if looser := self._plain.loosened_for(record):
            self._plain = looser
            return self(record)
        return self._field_by_field(record)

    def _field_by_field(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The same for a record in which something does not fit, or is not known."""
        converted = self._blank.copy()
        rules = self._rules
        for name, value in record.items():
            rule = rules.get(name)
            if rule is None:
                self._unknowns.field(name)
                continue
            column, fitting, convert = rule
            converted[column] = value if value.__class__ in fitting else convert(value)
        return converted


_Finite: TypeAlias = Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
_PLAIN: Mapping[str, Any] = {
    "string": str | None,
    "integer": int | None,
    "number": int | None,
    "boolean": bool | None,
}
"""Types whose values are what a column wants as soon as they are of that type."""
_WIDER: Mapping[type | None, Any] = {float: _Finite, int: int}
"""What one of them is widened by, for values of a class that has to be looked at."""
_decode_members = decoder(dict[str, Any])


def _is_plain(facts: Facts) -> bool:
    kind = facts.get("type")
    return kind.__class__ is str and kind in _PLAIN and not {"unit", "format", "enum"} & {*facts}


class _PlainRecords:
    """Records whose plain fields fit, which msgspec checks ten times as fast as we can.

    The types are as narrow as what has come so far: counts until a fraction comes, texts until an
    id comes as a number. So only columns in which that happens are looked at in every record.
    Whatever else a record has makes it a record of another type.
    """

    def __init__(
        self,
        fields: Mapping[str, Facts],
        rules: Mapping[str, tuple[str, frozenset[type], Fit]],
        loose: frozenset[str] = frozenset(),
    ) -> None:
        """Prepare the types.

        Args:
            fields: The fields' facts.
            rules: Their columns, and what to do with those that are not plain.
            loose: Fields of a wider type.
        """
        self._fields = fields
        self._rules = rules
        self._loose = loose
        self._wider = {name: _wider(name, facts) for name, facts in fields.items()}
        self._type = msgspec.defstruct(
            "Plain",
            [(rules[name][0], self._type_of(name), None) for name in fields],
            rename={rules[name][0]: name for name in fields},
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decode = msgspec.json.Decoder(self._type).decode
        self._looked_at = [rule for name, rule in rules.items() if not _is_plain(fields[name])]
        self._numbered = self._columns_of(int)
        self._fractional = self._columns_of(float)

    def convert(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of a record.

        Raises:
            msgspec.ValidationError: It is of another type.
        """
        return self._finished(msgspec.convert(record, self._type))

    def read(self, text: bytes) -> dict[str, Any]:
        """The same for a record as it was sent.

        Raises:
            msgspec.DecodeError: It is of another type, or no JSON.
            UnicodeDecodeError: It is not UTF-8.
        """
        return self._finished(self._decode(text))

    def loosened_for(self, record: Mapping[str, Any]) -> _PlainRecords | None:
        """Such records as this one is too, if the types can be wide enough."""
        wider = self._wider
        came = {name for name, value in record.items() if wider.get(name) is value.__class__}
        if came <= self._loose:
            return None
        return _PlainRecords(self._fields, self._rules, self._loose | came)

    def _type_of(self, name: str) -> Any:  # noqa: ANN401 - msgspec takes any type
        if not _is_plain(self._fields[name]):
            return Any
        narrow = _PLAIN[self._fields[name]["type"]]
        return narrow | _WIDER[self._wider[name]] if name in self._loose else narrow

    def _columns_of(self, kind: type) -> list[str]:
        return [self._rules[name][0] for name in self._loose if self._wider[name] is kind]

    def _finished(self, record: msgspec.Struct) -> dict[str, Any]:
        converted = msgspec.structs.asdict(record)
        for column, fitting, convert in self._looked_at:
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
        return converted


def _wider(name: str, facts: Facts) -> type | None:
    """The class that values of a plain field may have as well.

    Pinterest sends one id as text and another as a number, in one row.
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
"""The classes whose values stay as they are, and what makes others fit."""

_MISFITS = (TypeError, ValueError, KeyError, OverflowError)


def _rule(facts: Facts, name: str, unknowns: Unknowns) -> Rule:
    """How the values of a field are made to fit; those that cannot become null."""
    fitting, fit = _kind_rule(facts, name, unknowns)

    def fit_or_null(value: Any) -> Any:  # noqa: ANN401
        try:
            return fit(value)
        except _MISFITS:
            unknowns.misfit(name, value)
            return None

    if fit is _number:
        return fitting, _floats_first(fit_or_null)
    return fitting, fit_or_null


def _floats_first(fit: Fit) -> Fit:
    """The same, faster for floats: a report has dozens in every row."""

    def fit_float(value: Any) -> Any:  # noqa: ANN401
        if value.__class__ is not float or not isfinite(value):
            return fit(value)
        return int(value) if value.is_integer() and abs(value) <= EXACT_FLOATS else value

    return fit_float


def _kind_rule(facts: Facts, name: str, unknowns: Unknowns) -> Rule:
    kind = facts.get("type", "object")
    if fit := _special_fit(facts, kind, name, unknowns):
        return frozenset({_NULL}), fit
    if isinstance(kind, str):
        return _CLASSES[kind], _FITS[kind]
    return frozenset().union(*(_CLASSES[one] for one in kind)), _misfit


def _special_fit(facts: Facts, kind: object, name: str, unknowns: Unknowns) -> Fit | None:
    """What looks at every value of a field, where the class alone does not tell whether it fits."""
    fit = None
    if "unit" in facts or facts.get("format") == "date-time":
        fit = _instant(facts.get("unit", "s|ms"))
    elif facts.get("format") == "date":
        fit = _day
    elif kind == "string" and "enum" in facts:
        fit = _enum(frozenset(facts["enum"]), name, unknowns)
    elif kind == "array" and "items" in facts:
        fit = _array(facts["items"], name, unknowns)
    elif kind == "object" and ("properties" in facts or _typed_members(facts)):
        fit = _object(facts, name, unknowns)
    return fit


def _typed_members(facts: Facts) -> bool:
    return isinstance(facts.get("additionalProperties"), dict)


def _enum(known: Collection[str], name: str, unknowns: Unknowns) -> Fit:
    def fit(value: Any) -> str:  # noqa: ANN401
        text: str = value if value.__class__ is str else _text(value)
        if text not in known:
            unknowns.value(name, text)
        return text

    return fit


def _array(items: Facts, name: str, unknowns: Unknowns) -> Fit:
    fitting, fit_item = _rule(items, name, unknowns)

    def fit(value: Any) -> list[Any]:  # noqa: ANN401
        if value.__class__ is not list:
            raise TypeError
        return [item if item.__class__ in fitting else fit_item(item) for item in value]

    return fit


def _object(facts: Facts, name: str, unknowns: Unknowns) -> Fit:
    rules = {
        key: _rule(field, f"{name}.{key}", unknowns)
        for key, field in facts.get("properties", {}).items()
    }
    more: Any = facts.get("additionalProperties")
    other_rule = _rule(more, name, unknowns) if _typed_members(facts) else None

    def fit(value: Any) -> dict[str, Any]:  # noqa: ANN401
        if value.__class__ is not dict:
            raise TypeError
        converted = {}
        for key, member in value.items():
            rule = rules.get(key, other_rule)
            if rule is None:
                if not more:
                    unknowns.field(f"{name}.{key}")
                converted[key] = member
            else:
                converted[key] = member if member.__class__ in rule[0] else rule[1](member)
        return converted

    return fit


def _instant(unit: str) -> Fit:
    """A time as ISO date-time in UTC; zero and below, the API's "none", as null."""

    def fit(value: Any) -> str | None:  # noqa: ANN401
        if value.__class__ is str and not value.isdecimal():
            return _iso(datetime.fromisoformat(value)) if value else None
        count = _number(value)
        if unit == "ms" or (unit == "s|ms" and count >= EARLIEST_MILLISECONDS):
            count /= 1000
        if count > LATEST_SECOND:
            raise OverflowError
        return _iso(datetime.fromtimestamp(int(count), UTC)) if count > 0 else None

    return fit


def _iso(moment: datetime) -> str:
    if moment.tzinfo is not None and moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat()[:19] + "Z"


@functools.lru_cache
def _day(value: Any) -> str | None:  # noqa: ANN401
    if value.__class__ is not str or value[10:11] not in {"", "T", " "}:
        raise TypeError
    return date.fromisoformat(value[:10]).isoformat() if value else None


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
_CLASSES: Mapping[str, frozenset[type]] = {
    "string": frozenset({str, _NULL}),
    "integer": frozenset({int, _NULL}),
    "number": frozenset({int, _NULL}),
    "boolean": frozenset({bool, _NULL}),
    "array": frozenset({list, _NULL}),
    "object": frozenset({dict, _NULL}),
}
_FITS: Mapping[str, Fit] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "array": _misfit,
    "object": _misfit,
}
