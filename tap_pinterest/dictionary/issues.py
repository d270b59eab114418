"""The meaning of Pinterest's codes for issues of catalog items.

The codes look like `AD_IMAGE_3_LINK_LENGTH_TOO_LONG`: an attribute and its fault.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_KNOWN: Mapping[str, str] = {
    "ACCOUNT_FLAGGED": "the account is under suspicion, and nothing is taken in",
    "BLOCKLISTED_IMAGE_SIGNATURE": "the picture is on Pinterest's list of refused ones",
    "COUNTRY_DOES_NOT_MAP_TO_CURRENCY": "the currency is not that of the country",
    "DELIMITER_ERROR": "the fields of the file are not separated as they should be",
    "DUPLICATE_HEADERS": "two columns of the file have the same title",
    "DUPLICATE_PRODUCTS": "the same item occurs twice",
    "ENCODING_ERROR": "the file is in an encoding that Pinterest cannot read",
    "FEED_LENGTH_TOO_LONG": "the file has more items than Pinterest takes",
    "FEED_TOO_SMALL": "the file has too few lines",
    "FETCH_ERROR": "the file could not be fetched",
    "FETCH_GOOGLE_SHEET_NOT_SHARED": "the Google sheet is not open to Pinterest",
    "FETCH_GOOGLE_SHEET_PUBLIC_CAN_EDIT": "anybody can edit the Google sheet",
    "FETCH_INACTIVE_FEED_ERROR": "the file has not changed for 90 days and is left alone",
    "FETCH_SAME_SIGNATURE": "the file is the same as last time",
    "HOTEL_PRICE_HEADER_IS_PRESENT": "the file of hotels has a price column of retail items",
    "INCONSISTENT_CURRENCY_VALUES": "prices of one item are in different currencies",
    "INDEXED_PRODUCT_COUNT_LARGE_DELTA": "the number of items changed by very much",
    "INTERNAL_SERVICE_ERROR": "Pinterest itself failed; the next run tries again",
    "INVALID_DOMAIN": "the link leads to a domain that the account has not claimed",
    "LARGE_PRODUCT_COUNT_DECREASE": "nearly all items would disappear, so the file is refused",
    "LINE_LEVEL_INTERNAL_ERROR": "Pinterest itself failed on the item, and tries again",
    "MALFORMED_XML": "the file is no proper XML",
    "MAX_ITEMS_PER_ITEM_GROUP_EXCEEDED": "the product has more variants than Pinterest takes",
    "NO_VERIFIED_DOMAIN": "the account has claimed no domain",
    "PARSE_LINE_ERROR": "the line of the item cannot be read",
    "PINJOIN_CONTENT_UNSAFE": "the item breaks Pinterest's rules for merchants",
    "PRICE_CANNOT_BE_DETERMINED": "the prices contradict each other",
    "PRODUCT_CATEGORY_DEPTH_WARNING": "the product category is too general",
    "REQUIRED_COLUMNS_MISSING": "the file lacks a column that it has to have",
    "SALES_PRICE_TOO_HIGH": "the reduced price is above the regular one",
    "SALES_PRICE_TOO_LOW": "the reduced price is suspiciously low",
    "TOO_MANY_ADDITIONAL_IMAGE_LINKS": "the item has more pictures than Pinterest takes",
    "UTM_SOURCE_AUTO_CORRECTED": "Pinterest has put right the UTM source in the link",
    "VIDEO_REQUIRED_WHEN_AD_VIDEO_PROVIDED": "the item has a video for ads and none of its own",
}
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
"""The first that fits counts."""


def issue(code: str) -> str:
    """The fault, as half a sentence.

    Example:
        >>> issue("AD_IMAGE_3_LINK_LENGTH_TOO_LONG")
        'the ad image 3 link has too many characters'
    """
    if code in _KNOWN:
        return _KNOWN[code]
    for pattern, text in _PATTERNS:
        if found := re.fullmatch(pattern, code):
            return text.format(*map(_words, found.groups()))
    return f"Pinterest says “{_words(code)}”"


def _words(name: str) -> str:
    return name.replace("_", " ").lower().replace("itemid", "item id")
