"""The meaning of Pinterest's codes for issues of catalog items.

Most codes are an attribute and its fault, such as `AD_IMAGE_3_LINK_LENGTH_TOO_LONG`. `issues.json`
has the other codes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib import resources

import msgspec

_PATTERNS = (
    (r"(.+)_DOWNLOAD_HTTP_STATUS_(\d+)", "the server of the {0} answered with HTTP {1}"),
    (r"(.+)_DOWNLOAD_INTERNAL_(.+)", "Pinterest itself did not get the {0} ({1})"),
    (r"(.+)_DOWNLOAD_(.+)", "the {0} could not be fetched ({1})"),
    (r"(.+)_PROCESSING_(.+)", "the {0} cannot be used ({1})"),
    (r"(.+)_FILE_NOT_ACCESSIBLE", "the {0} cannot be opened"),
    (r"(.+)_FILE_NOT_FOUND", "the {0} is not where it should be"),
    (r"(.+)_INVALID_FILE", "the file of the {0} is damaged or of the wrong kind"),
    (r"(.+)_MALFORMED_URL", "the address of the {0} is no proper address"),
    (r"(.+)_LEVEL_INTERNAL_ERROR", "Pinterest itself failed on the {0}"),
    (r"(.+)_LENGTH_TOO_LONG", "the {0} has too many characters"),
    (r"(.+)_LENGTH_TOO_SHORT", "the {0} does not last long enough"),
    (r"(.+)_SAME_AS_LINK", "the {0} is no other than the item's link"),
    (r"(.+)_MISSING", "there is no {0}"),
    (r"(.+)_REQUIRED", "the {0} is absent, and another field needs it"),
    (r"(.+)_DUPLICATED", "the {0} occurs more than once"),
    (r"(.+)_FORMAT_(?:INVALID|WARNING)", "the {0} is badly formed"),
    (r"(.+)_INVALID", "the {0} has a value that Pinterest does not take"),
    (r"(.+)_WARNING", "the {0} looks wrong"),
)
"""The first pattern that fits counts."""


@functools.cache
def _other_codes() -> Mapping[str, str]:
    text = resources.files(__package__).joinpath("issues.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, str])


def issue(code: str) -> str:
    """The fault, as half a sentence.

    Example:
        >>> issue("AD_IMAGE_3_LINK_LENGTH_TOO_LONG")
        'the ad image 3 link has too many characters'
    """
    if text := _other_codes().get(code):
        return text
    for pattern, text in _PATTERNS:
        if found := re.fullmatch(pattern, code):
            return text.format(*map(_words, found.groups()))
    return f"Pinterest says “{_words(code)}”"


def _words(name: str) -> str:
    return name.replace("_", " ").lower().replace("itemid", "item id")
