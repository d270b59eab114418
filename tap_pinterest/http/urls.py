"""The URL of a call, with each parameter in the style that the description gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tap_pinterest.api import Operation

Query = Mapping[str, Any]


def path_with(path: str, ids: Mapping[str, str] | None) -> str:
    """A path of the description with its placeholders filled."""
    return path.format(**{name: quote(value, safe="") for name, value in (ids or {}).items()})


def query_string(operation: Operation, query: Query | None) -> str:
    """A query with its question mark: lists repeat their key or are joined by commas."""
    pairs = [
        f"{name}={text}"
        for parameter, given in (query or {}).items()
        for name, value in _members(parameter, given)
        for text in _texts(
            value,
            # An operation may have pages although its description does not name `bookmark`.
            explode=parameter != "bookmark" and operation.parameters[parameter].explode,
        )
    ]
    return f"?{'&'.join(pairs)}" if pairs else ""


def _members(name: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """A parameter and its value; of an object each member, as `name[member]`."""
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, member in value.items():
        yield from _members(f"{name}%5B{key}%5D", member)


def _texts(value: str | float | Sequence[str], *, explode: bool) -> list[str]:
    match value:
        case bool():
            return [str(value).lower()]
        case str() | int() | float():
            return [quote(str(value), safe=":")]
    texts = [quote(item, safe=":") for item in value]
    return texts if explode else [",".join(texts)]
