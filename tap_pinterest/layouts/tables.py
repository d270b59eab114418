"""Tables for the records of a stream, instead of the stream's own table.

The tap and `map-pinterest` both use this module, so both make the same tables.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

ATTRIBUTION = {
    "click_window_days": "integer",
    "engagement_window_days": "integer",
    "view_window_days": "integer",
    "conversion_report_time": "string",
}
"""Settings of the tap that a column can have, and their types."""


@dataclass(frozen=True)
class InForce:
    """A column with the value of a setting of the tap: the same value in every row."""

    setting: str
    type: str


@dataclass(frozen=True)
class Nowhere:
    """A column that Pinterest's API cannot fill: always null."""

    type: str
    format: str | None = None


class HostOf(str):
    """A field with a web address; the column has its host."""

    __slots__ = ()


Source: TypeAlias = "str | InForce | Nowhere"
"""The source of a column: a field, a member of an object (`owner.username`), or no field."""

Arrange: TypeAlias = "Callable[[Mapping[str, Any]], dict[str, Any] | None]"
"""Turns a stream's record into a row; `None` if the table already has the row."""


@dataclass(frozen=True)
class Table:
    """A table made of the records of a stream.

    Attributes:
        name: The stream that the table is written as.
        source: The stream with the records of the table.
        columns: The source of each column, in order.
        key: The natural key.
        sync_key_fields: Columns of `__sync_key`; if empty, the columns of the natural key.
        preferred: A field and its value: of records with the same key, the record with it wins.
        closed: Whether all columns are always there, even if the catalog does not select them.
    """

    name: str
    source: str
    columns: Mapping[str, Source]
    key: tuple[str, ...]
    sync_key_fields: tuple[str, ...] = ()
    preferred: tuple[str, str] | None = None
    closed: bool = True

    @functools.cached_property
    def _names(self) -> Mapping[str, str]:
        """The column that each field becomes."""
        return {source: name for name, source in self.columns.items() if isinstance(source, str)}

    def column(self, name: str) -> str:
        """The column that a field becomes, or the field's own name."""
        return self._names.get(name, name)

    @property
    def record_key(self) -> tuple[str, ...]:
        """The key of the records: the natural key, and the field of `preferred`."""
        return (*self.fields_of(self.key), *(self.preferred or ())[:1])

    def fields_of(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The fields that these columns come from."""
        sources = (self.columns[name] for name in columns)
        return tuple(source for source in sources if isinstance(source, str))

    @property
    def settings(self) -> list[str]:
        """Settings that are columns of the table."""
        return [each.setting for each in self.columns.values() if isinstance(each, InForce)]

    @property
    def fields(self) -> list[str]:
        """Fields that a record must have."""
        outer = (name.split(".")[0] for name in self._names)
        return list(dict.fromkeys((*outer, *(self.preferred or ())[:1])))

    def missing(self, schema: Mapping[str, Any]) -> list[str]:
        """Fields that the table needs and records of a schema do not have."""
        return [name for name in self.fields if name not in schema["properties"]]

    def schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema of the rows, from the schema of the records."""
        properties = {
            name: _schema_of(source, schema, is_key=name in self.key)
            for name, source in self.columns.items()
        }
        return {**schema, "properties": properties, "required": list(self.key)}

    def arrange(self, in_force: Mapping[str, Any]) -> Arrange:
        """A function for one run that turns records into rows, with the settings in force."""
        moved = [(name, source) for name, source in self.columns.items() if isinstance(source, str)]
        flat = [(name, source) for name, source in moved if "." not in source]
        nested = [(name, *source.split(".")) for name, source in moved if "." in source]
        addresses = [name for name, source in moved if isinstance(source, HostOf)]
        same = {
            name: in_force.get(source.setting) if isinstance(source, InForce) else None
            for name, source in self.columns.items()
        }
        repeats = self._repeats()

        def row(record: Mapping[str, Any]) -> dict[str, Any] | None:
            if repeats and repeats(record):
                return None
            made = same.copy()
            for name, source in flat:
                made[name] = record.get(source)
            for name, outer, inner in nested:
                made[name] = (record.get(outer) or {}).get(inner)
            for name in addresses:
                made[name] = host(made[name])
            return made

        return row

    def _repeats(self) -> Callable[[Mapping[str, Any]], bool] | None:
        """A function that is true of a record whose key came before, unless it is preferred."""
        if self.preferred is None:
            return None
        name, preferred = self.preferred
        key = [source for column in self.key if isinstance(source := self.columns[column], str)]
        seen: set[tuple[Any, ...]] = set()

        def repeats(record: Mapping[str, Any]) -> bool:
            values = tuple(record[each] for each in key)
            known = values in seen
            seen.add(values)
            return known and record.get(name) != preferred

        return repeats


@dataclass(frozen=True)
class Layout:
    """The tables that the tap writes, chosen by the setting `layout`.

    Attributes:
        tables: The tables by name; empty if each stream is its own table.
        report_columns: Pinterest's names of the report columns that the tables have.
        refuses: Settings that must keep their default.
    """

    name: str
    title: str
    tables: Mapping[str, Table] = field(default_factory=dict)
    report_columns: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()


def host(address: str | None) -> str | None:
    """The host of a web address, with or without its scheme; `None` for an empty address.

    Example:
        >>> host("https://Shop.example.com:8443/sale")
        'shop.example.com'
    """
    text = address or ""
    try:
        return urlsplit(text if "//" in text else f"//{text}").hostname or None
    except ValueError:
        # An odd address is more useful in the table than a null.
        return text


def _schema_of(source: Source, schema: Mapping[str, Any], *, is_key: bool) -> dict[str, Any]:
    if not isinstance(source, str):
        shape: dict[str, Any] = {"type": [source.type, "null"]}
        if isinstance(source, Nowhere) and source.format:
            shape["format"] = source.format
        return shape
    outer, _, inner = source.partition(".")
    shape = schema["properties"][outer]
    if inner:
        shape = shape.get("properties", {}).get(inner, {"type": ["string", "null"]})
    if is_key and isinstance(kinds := shape.get("type"), list):
        shape = {**shape, "type": [kind for kind in kinds if kind != "null"]}
    return dict(shape)
