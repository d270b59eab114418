"""The meaning of Pinterest's codes for issues of catalog items.

Most codes are an attribute and its fault, such as `AD_IMAGE_3_LINK_LENGTH_TOO_LONG`. `issues.json`
has the words for these faults, and the other codes.
"""

from __future__ import annotations

import functools
import re
from importlib import resources

import msgspec


class _Issues(msgspec.Struct, frozen=True):
    """The words for codes.

    Attributes:
        codes: Codes that no pattern fits.
        patterns: Patterns, each with its words; the first one that fits counts.
    """

    codes: dict[str, str]
    patterns: dict[str, str]


@functools.cache
def _issues() -> _Issues:
    text = resources.files(__package__).joinpath("issues.json").read_bytes()
    return msgspec.json.decode(text, type=_Issues)


def issue(code: str) -> str:
    """The fault, as half a sentence.

    Example:
        >>> issue("AD_IMAGE_3_LINK_LENGTH_TOO_LONG")
        'the ad image 3 link has too many characters'
    """
    issues = _issues()
    if text := issues.codes.get(code):
        return text
    for pattern, text in issues.patterns.items():
        if found := re.fullmatch(pattern, code):
            return text.format(*map(_words, found.groups()))
    return f"Pinterest says “{_words(code)}”"


def _words(name: str) -> str:
    return name.replace("_", " ").lower().replace("itemid", "item id")
