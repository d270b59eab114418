"""Answers of any shape as pages of items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from tap_pinterest.api import Shape
from tap_pinterest.http.answers import decode_object, decoder, listed

MAP_KEY = "map_key"
"""The field for the key of an item, if an answer is an object of items."""

Item: TypeAlias = Mapping[str, Any]
"""A record as Pinterest sent it."""


class Page(msgspec.Struct):
    """Items of one answer, and the bookmark of the next one.

    Attributes:
        items: The items; an item can be a text.
        bookmark: The bookmark of the next page, if there is one.
        body: The answer itself.
    """

    items: list[Any]
    bookmark: str | None = None
    body: bytes = b""


Decode: TypeAlias = Callable[[bytes], Page]


class _List(msgspec.Struct):
    items: list[dict[str, Any] | None]
    bookmark: str | None = None


class _Data(msgspec.Struct):
    data: list[dict[str, Any]] | None = None


_Array: TypeAlias = list[dict[str, Any] | str]

_decode_list = decoder(_List)
_decode_data = decoder(_Data)
_decode_array = decoder(_Array)
_decode_map = decoder(dict[str, dict[str, Any] | list[dict[str, Any]]])


def _of_list(body: bytes) -> Page:
    answer = _decode_list(body)
    return Page([item for item in answer.items if item is not None], answer.bookmark)


def _of_array(body: bytes) -> Page:
    return Page([] if body.strip() == b"null" else list(_decode_array(body)))


def _flattened(answer: Mapping[str, dict[str, Any] | list[dict[str, Any]]]) -> Iterator[Item]:
    for key, member in answer.items():
        for item in member if isinstance(member, list) else [member]:
            yield {MAP_KEY: key, **item}


PAGE_DECODERS: Mapping[Shape | None, Decode] = {
    "list": _of_list,
    "items": _of_list,
    "array": _of_array,
    "object": lambda body: Page([decode_object(body)]),
    "map": lambda body: Page(list(_flattened(_decode_map(body)))),
    "data": lambda body: Page(list(listed(_decode_data(body).data, body, "data"))),
}
"""How to read an answer of each shape."""
