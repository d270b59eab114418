"""Decodes the bodies of answers, once, into the expected shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import msgspec

from tap_pinterest.http.errors import UnreadableAnswerError

_T = TypeVar("_T")

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_BAD_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})")
_SIGN_OF_ESCAPE = b"\\"
_SHORT = 16
_ERROR = frozenset({"code", "message"})
"""The fields of each of Pinterest's errors."""
_NUL = rb"\u0000"
_REPLACEMENT = rb"\ufffd"


class Key:
    """A key of an object. No two are equal, so an object may have the same key twice."""

    def __init__(self, text: str) -> None:
        self.text = text


def as_key(kind: type, value: Any) -> Any:  # noqa: ANN401 - values of any type pass
    """The hook with which msgspec makes keys."""
    return Key(value) if kind is Key else value


def decoder(shape: type[_T]) -> Callable[[bytes], _T]:
    """A function that reads a body as JSON of this shape.

    A NUL or half a surrogate pair in a text becomes U+FFFD, because no database takes them. For a
    body that is not JSON of this shape, the function raises `UnreadableAnswerError`.
    """
    strict = msgspec.json.Decoder(shape, dec_hook=as_key)

    def decode(body: bytes) -> _T:
        try:
            # A single byte is found fifty times as fast, and most bodies have no backslash.
            has_nul = _SIGN_OF_ESCAPE in body and _NUL in body
            return strict.decode(_mended(body) if has_nul else body)
        except msgspec.ValidationError as error:
            msg = f"the answer has another shape than the API describes: {error}"
            raise UnreadableAnswerError(msg) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return decode_mended(body)

    def decode_mended(body: bytes) -> _T:
        try:
            return strict.decode(_mended(body.decode("utf-8-sig", "replace").encode()))
        except (msgspec.DecodeError, RecursionError) as error:
            msg = f"the answer is not JSON: {error}"
            raise UnreadableAnswerError(msg) from None

    return decode


def is_empty_object(body: bytes) -> bool:
    """Whether a body is `{}`, with or without white space."""
    return len(body) < _SHORT and b"".join(body.split()) == b"{}"


def check_fields(answer: Mapping[str, Any], known: Collection[str]) -> None:
    """Accept an object that has a known field, or no field.

    Raises:
        UnreadableAnswerError: It is an error with a good status, or all its fields are unknown.
    """
    is_known = any(name in known for name in answer)
    # A record may have a field that errors have too, such as `status`.
    is_error = _ERROR.issubset(answer) and not _ERROR.issubset(known)
    if answer and (is_error or not is_known):
        found = "the fields of an error" if is_known else "no known field"
        msg = f"the answer has another shape than the API describes: it has {found}"
        raise UnreadableAnswerError(msg)


def listed(found: list[_T] | None, body: bytes, field: str) -> list[_T]:
    """The list in a field of a body; an empty one if the body has neither it nor other fields.

    Raises:
        UnreadableAnswerError: All its fields are others, as in an error with a good status.
    """
    if found is None:
        check_fields(decode_object(body), (field,))
        return []
    return found


decode_object = decoder(dict[str, Any])
"""Reads a body as one object."""


def _mended(body: bytes) -> bytes:
    """The JSON text with U+FFFD for each escape that no text should have."""
    return _ESCAPE.sub(
        lambda match: _REPLACEMENT if _BAD_ESCAPE.fullmatch(match[0]) else match[0], body
    )
