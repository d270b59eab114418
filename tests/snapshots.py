"""Catalog entries as short texts, one line for each property, and the entries back from them.

    group: ads
    key_properties: id
    replication_method: FULL_TABLE

    id: string, automatic
    labels: string[] or null
    tracking_urls: object or null
    tracking_urls.click: string[] or null
    history: object[] or null
    history[].changed: date-time or null
    values: object or null
    values.*: number or null

`[]` are the items of an array, and `*` stands for every further property of an object. A property
is available where nothing else is said. Descriptions are left out.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SNAPSHOTS = Path(__file__).parent / "__snapshots__"
FORMATS = ("date", "date-time")
OR_NULL = " or null"
REPLICATION = ("replication_method", "replication_key")


def compared(name: str, shown: str) -> tuple[str, str]:
    """A text and its snapshot; with UPDATE_SNAPSHOTS in the environment it is written first."""
    snapshot = SNAPSHOTS / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(shown, encoding="utf-8")
    return shown, snapshot.read_text(encoding="utf-8") if snapshot.exists() else ""


def shown(entry: Mapping[str, Any], group: str = "") -> str:
    """A catalog entry as a short text."""
    head = {
        **({"group": group} if group else {}),
        "key_properties": ", ".join(entry["key_properties"]),
        **{name: entry[name] for name in REPLICATION if name in entry},
    }
    automatic = {
        each["breadcrumb"][1]
        for each in entry["metadata"]
        if each["metadata"]["inclusion"] == "automatic" and each["breadcrumb"]
    }
    lines = (
        f"{path}: {kind}{', automatic' * (path in automatic)}"
        for path, kind in _lines(entry["schema"])
    )
    return "\n".join((*(f"{name}: {value}" for name, value in head.items()), "", *lines, ""))


def in_full(entry: Mapping[str, Any]) -> str:
    """A catalog entry as JSON, with each property and each breadcrumb on one line."""
    line = json.JSONEncoder(ensure_ascii=False).encode
    properties = entry["schema"]["properties"].items()
    rows = {
        "{}": [f"{line(name)}: {line(schema)}" for name, schema in properties],
        "[]": [line(each) for each in entry["metadata"]],
    }
    schema = {**entry["schema"], "properties": "{}"}
    text = json.dumps({**entry, "schema": schema, "metadata": "[]"}, indent=1)
    for brackets, each in rows.items():
        text = text.replace(
            f'"{brackets}"', "\n   ".join((brackets[0], ",\n   ".join(each), brackets[1]))
        )
    return text + "\n"


def compact(entry: Any) -> Any:
    """A catalog entry, or a part of it, without descriptions and with the required keys sorted.

    A property may itself be called `description`.
    """
    if isinstance(entry, list):
        return [compact(each) for each in entry]
    if not isinstance(entry, dict):
        return entry
    found = {name: compact(value) for name, value in entry.items() if name != "description"}
    if "properties" in entry:
        found["properties"] = {name: compact(value) for name, value in entry["properties"].items()}
    if "required" in entry:
        found["required"] = sorted(entry["required"])
    return found


def _lines(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The properties below a schema, each with its path and its type."""
    if "items" in schema:
        yield from _lines(schema["items"], f"{path}[]")
    properties = dict(schema.get("properties", {}))
    if "additionalProperties" in schema:
        properties["*"] = schema["additionalProperties"]
    for name, below in properties.items():
        here = f"{path}.{name}" if path else name
        yield here, _kind(below)
        yield from _lines(below, here)


def _kind(schema: Mapping[str, Any]) -> str:
    """The type as a short text: `date`, `integer or null`, `string[] or null`."""
    words = {"string": schema.get("format", "string")}
    if "items" in schema:
        words["array"] = _kind(schema["items"]).removesuffix(OR_NULL) + "[]"
    return " or ".join(words.get(name, name) for name in schema["type"])


def entry_of(stream: str, text: str) -> dict[str, Any]:
    """The compact catalog entry that follows from a stream's short text."""
    head, lines = (
        dict(line.split(": ") for line in part.splitlines()) for part in text.split("\n\n")
    )
    keys = head["key_properties"].split(", ")
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    for path, kind in lines.items():
        _add(schema, path, kind.removesuffix(", automatic"))
    schema["required"] = sorted(keys)
    return {
        "tap_stream_id": stream,
        "stream": stream,
        "key_properties": keys,
        **{name: head[name] for name in REPLICATION if name in head},
        "schema": schema,
        "metadata": [
            *(
                {"breadcrumb": breadcrumb, "metadata": {"inclusion": _inclusion(lines, breadcrumb)}}
                for breadcrumb in _breadcrumbs(schema)
            ),
            {"breadcrumb": [], "metadata": _of_stream(head, keys)},
        ],
    }


def _of_stream(head: Mapping[str, str], keys: list[str]) -> dict[str, Any]:
    """The metadata of the stream itself."""
    selected = {"inclusion": "available", "selected": True, "selected-by-default": True}
    key = head.get("replication_key")
    replication = {"replication-key": key, "valid-replication-keys": [key]} if key else {}
    return {**selected, "table-key-properties": keys, **replication}


def _add(schema: dict[str, Any], path: str, kind: str) -> None:
    """Add a property to the schema that its path begins in."""
    *above, name = path.split(".")
    for step in above:
        stem = step.rstrip("[]")
        schema = schema["additionalProperties"] if stem == "*" else schema["properties"][stem]
        for _ in range(step.count("[]")):
            schema = schema["items"]
    if name == "*":
        schema["additionalProperties"] = _schema(kind)
    else:
        schema.setdefault("properties", {})[name] = _schema(kind)


def _schema(kind: str) -> dict[str, Any]:
    """The schema of a type; items may be null, as all may but keys."""
    schema: dict[str, Any] = {"type": kind.split(" or ")}
    for at, name in enumerate(schema["type"]):
        if name.endswith("[]"):
            schema["type"][at] = "array"
            schema["items"] = _schema(name.removesuffix("[]") + OR_NULL)
        elif name in FORMATS:
            schema["type"][at] = "string"
            schema["format"] = name
    return schema


def _breadcrumbs(schema: Mapping[str, Any]) -> Iterator[list[str]]:
    """The way to each property that is not inside an array."""
    for name, below in schema.get("properties", {}).items():
        here = ["properties", name]
        yield here
        yield from (here + further for further in _breadcrumbs(below))


def _inclusion(lines: Mapping[str, str], breadcrumb: list[str]) -> str:
    kind = lines[".".join(breadcrumb[1::2])]
    return "automatic" if kind.endswith(", automatic") else "available"
