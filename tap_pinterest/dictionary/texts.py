"""The texts of columns that are not metrics, by stream and by Pinterest's record.

They are in `texts.json`. Each table is read only when a stream needs it.
"""

from __future__ import annotations

import functools
from fnmatch import fnmatchcase
from importlib import resources
from typing import Literal, TypeAlias

import msgspec

from tap_pinterest.dictionary.issues import issue
from tap_pinterest.dictionary.metrics import Unit

FILE = "texts.json"


class Text(msgspec.Struct, frozen=True, omit_defaults=True):
    """The text about a column or a member of an object."""

    text: str
    unit: Unit | None = None
    adds_up: tuple[str, ...] = ()
    """The rows whose values may be added up."""
    parts: tuple[str, str] | None = None
    """The dividend and the divisor of a ratio, as columns."""
    members: str | dict[str, str | Text] | None = None
    """The members of an object: a table, or the name of a table."""
    codes: Literal["count", "issue"] | None = None
    """The kind of members whose names are codes of issues: numbers of items, or one item each."""

    @property
    def description(self) -> str:
        """The meaning in a few words."""
        over = {
            ("days", "entities"): " Adds up over days and entities.",
            ("entities",): " Adds up over entities, not over days, which overlap.",
        }
        return self.text + over.get(self.adds_up, "")


Entries: TypeAlias = dict[str, str | Text]


class Stream(msgspec.Struct, frozen=True):
    """A stream: the text about its rows, its own columns, and the tables of its other columns."""

    text: str
    columns: Entries = {}
    like: str | tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables."""
        return (self.like,) if isinstance(self.like, str) else self.like


class _File(msgspec.Struct, frozen=True):
    shared: msgspec.Raw
    tables: dict[str, msgspec.Raw]
    streams: dict[str, msgspec.Raw]
    nowhere: dict[str, msgspec.Raw]


@functools.cache
def _file() -> _File:
    text = resources.files(__package__).joinpath(FILE).read_bytes()
    return msgspec.json.decode(text, type=_File)


@functools.cache
def shared() -> Entries:
    """Columns with the same meaning in all streams."""
    return msgspec.json.decode(_file().shared, type=Entries)


@functools.cache
def table(name: str) -> Entries:
    """The table of columns of this name; empty if there is none."""
    raw = _file().tables.get(name)
    return {} if raw is None else msgspec.json.decode(raw, type=Entries)


@functools.cache
def stream(name: str) -> Stream | None:
    """A stream in Pinterest's layout."""
    raw = _file().streams.get(name)
    return None if raw is None else msgspec.json.decode(raw, type=Stream)


@functools.cache
def layout_table(name: str) -> Stream | None:
    """A table of another layout, with the columns that no field of Pinterest fills."""
    raw = _file().nowhere.get(name)
    return None if raw is None else msgspec.json.decode(raw, type=Stream)


def find(name: str, entries: Entries) -> Text | None:
    """The text of a name, or of the pattern that fits it."""
    # Most keys are no patterns; they need no call to be passed over.
    patterns = (e for key, e in entries.items() if "*" in key and fits(name, key))
    found = entries.get(name) or next(patterns, None)
    return Text(found) if isinstance(found, str) else found


def fits(name: str, key: str) -> bool:
    """Whether the entry of a key is about a name; a key may be a pattern with `*`."""
    return fnmatchcase(name, key) if "*" in key else name == key


def members(text: Text | None) -> Entries:
    """The table of an object's members; empty if it has none."""
    if text is None or text.members is None:
        return {}
    return table(text.members) if isinstance(text.members, str) else text.members


def code(name: str, kind: Literal["count", "issue"]) -> Text:
    """The text of a member whose name is the code of an issue."""
    if kind == "count":
        return Text(f"How many items: {issue(name)}.", unit="count")
    return Text(
        f"Set if {issue(name)}.",
        members={
            "attribute_name": "Attribute of the item that is at fault.",
            "provided_value": "Value that the merchant gave.",
        },
    )
