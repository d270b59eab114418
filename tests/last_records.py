"""The rows that a store must hold after some messages: the last record of each key."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Row = dict[str, Any]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Keeps:
    """Differences that a kind of store makes by its nature.

    Attributes:
        empty_texts: Whether an empty text stays one, and does not become null.
        absent_members: Whether a member that is not there stays so, and does not become null.
        line_breaks: Whether a line break in a text stays one.
        quoted_texts: Whether a text in a column of objects stays one if it looks like a number.
        is_decoded: Whether it keeps values of any kind, and not their JSON.
    """

    empty_texts: bool = True
    absent_members: bool = True
    line_breaks: bool = True
    quoted_texts: bool = True
    is_decoded: bool = False

    def plain(self, value: Any) -> Any:
        """A comparable value, without what the store does not keep."""
        if not self.absent_members:
            value = _without_nulls(value)
        if not self.quoted_texts and isinstance(value, int):
            value = str(value)
        if not self.line_breaks and isinstance(value, str):
            value = value.replace("\\n", "\n")
        return None if value == "" and not self.empty_texts else value


@dataclass
class LastRecords:
    """The records of one stream, by their keys."""

    properties: Mapping[str, Any] = field(default_factory=dict)
    keys: Sequence[str] = ()
    records: dict[Key, Row] = field(default_factory=dict)

    def add(self, record: Row) -> None:
        """Take a record; it replaces a record with the same key."""
        key = self._key(self._comparable(record, sent))
        self.records[key or (str(len(self.records)),)] = record

    def _key(self, row: Row) -> Key:
        return tuple(str(row[name]) for name in self.keys)

    def _comparable(self, row: Row, structure: Callable[..., Any]) -> Row:
        return {
            name: comparable(row.get(name), described, structure)
            for name, described in self.properties.items()
        }

    def differences(self, loaded: Iterable[Row], keeps: Keeps | None = None) -> list[str]:
        """Each key that is lost, unknown or there twice, and each value that differs."""
        keeps = keeps or Keeps()
        found: list[str] = []
        left = dict(self.records)
        for each in loaded:
            row = self._comparable(each, sent if keeps.is_decoded else stored)
            key = self._key(row)
            if (record := left.pop(key, None)) is None:
                found.append(f"{key} is there, but was not sent, or is there twice")
                continue
            found.extend(
                f"{key}: {name} is {row[name]!r}, sent was {value!r}"
                for name, value in self._comparable(record, sent).items()
                if keeps.plain(row[name]) != keeps.plain(value)
            )
        return [*found, *(f"{key} is lost" for key in left)]


def last_records(messages: Iterable[Mapping[str, Any]]) -> dict[str, LastRecords]:
    """The last record of each key, by stream."""
    streams: dict[str, LastRecords] = {}
    for message in messages:
        if message["type"] == "SCHEMA":
            stream = streams.setdefault(message["stream"], LastRecords())
            stream.properties = message["schema"]["properties"]
            stream.keys = message["key_properties"]
        elif message["type"] == "RECORD":
            streams[message["stream"]].add(message["record"])
    return streams


def comparable(
    value: Any, described: Mapping[str, Any], structure: Callable[[Any, Mapping[str, Any]], Any]
) -> Any:
    """A value as its schema means it: whichever way a store writes it, it is the same then.

    Args:
        value: The value.
        described: Its schema.
        structure: The form of a value that is more than a scalar: `sent` or `stored`.
    """
    if value is None:
        return None
    if form := _FORMS.get(kind_of(described)):
        return form(value)
    return structure(value, described)


def sent(value: Any, _: Mapping[str, Any]) -> Any:
    """An object, a list or any value, as a tap writes it."""
    return json.loads(json.dumps(value, default=_plain))


def stored(value: Any, described: Mapping[str, Any]) -> Any:
    """The same as a store returns it: the value, its JSON, or a list of JSON texts."""
    if isinstance(value, str):
        return json.loads(value)
    items = described.get("items", {})
    if isinstance(value, list) and kind_of(items) != "string":
        value = [json.loads(each) if isinstance(each, str) else each for each in value]
    return sent(value, described)


def _without_nulls(value: Any) -> Any:
    """A value whose members have a value; nothing, if none has."""
    if isinstance(value, list):
        return [_without_nulls(each) for each in value] or None
    if not isinstance(value, dict):
        return value
    members = {name: _without_nulls(each) for name, each in value.items()}
    return {name: each for name, each in members.items() if each is not None} or None


def kind_of(described: Mapping[str, Any]) -> str:
    """The format of a text, or else the type; empty for values of several types."""
    for each in described.get("anyOf", ()):
        described = each if each.get("type") != "null" else described
    if form := described.get("format"):
        return str(form)
    named = described.get("type", ())
    types = ({named} if isinstance(named, str) else {*named}) - {"null"}
    if types == {"integer", "number"}:
        return "number"
    if len(types) > 1 and "string" in types and not types & {"object", "array"}:
        return "string"
    return types.pop() if len(types) == 1 else ""


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value)


def _time(value: Any) -> time:
    moment = value if isinstance(value, time) else time.fromisoformat(value)
    return moment.replace(tzinfo=None)


def _truth(value: Any) -> bool:
    return str(value).lower() in {"true", "1"}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any) -> str:
    # As text, because NaN differs from itself.
    return repr(float(value) + 0.0)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


_FORMS: Mapping[str, Any] = {
    "date": _date,
    "date-time": _moment,
    "time": _time,
    "uuid": lambda value: value if isinstance(value, UUID) else UUID(value),
    "string": _text,
    "integer": int,
    "number": _number,
    "boolean": _truth,
}
