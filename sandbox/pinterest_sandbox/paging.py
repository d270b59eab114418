"""Pages of a listing, and the opaque bookmarks between them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pinterest_sandbox.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

Key = TypeVar("Key")

_SIGNATURE_BYTES = 9
_PAGING = ("bookmark", "page_size")
_PAGE_SIZE = 25
_NOT_OURS = "The bookmark is not one of this query."


class Listing(Generic[Key]):
    """Everything a query selects, in order; a record is only made when its page is read."""

    def __init__(self, keys: Sequence[Key], record: Callable[[Key], Mapping[str, Any]]) -> None:
        """Takes keys, such as running numbers, and what makes a record of one."""
        self.keys = keys
        self._record = record

    def each(self, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Listing[Key]:
        """The same listing with every record changed."""
        return Listing(self.keys, lambda key: change(self._record(key)))

    def where(self, is_kept: Callable[[Mapping[str, Any]], bool]) -> Listing[Key]:
        """The same listing with some of its records; all are made to find out."""
        return Listing([key for key in self.keys if is_kept(self._record(key))], self._record)

    def records(self, start: int, count: int) -> list[Mapping[str, Any]]:
        """The records of one page."""
        return [self._record(key) for key in self.keys[start : start + count]]


class Bookmarks:
    """Reads and writes bookmarks; each is good for the query it came from and no other."""

    def __init__(
        self, seed: int, *, empty_pages: int = 0, ends_empty: Collection[str] = ()
    ) -> None:
        """Takes how often pages are empty, and the lists that end with an empty page.

        Args:
            seed: the seed of the world.
            empty_pages: every N-th page is empty; 0 for none.
            ends_empty: operations whose last page with records still has a bookmark.
        """
        if empty_pages == 1:
            msg = "With every page empty no listing would end: empty_pages must be 0 or above 1."
            raise ValueError(msg)
        self._secret = f"bookmarks {seed}".encode()
        self._empty_pages = empty_pages
        self._ends_empty = frozenset(ends_empty)

    def page(
        self, operation: str, values: Mapping[str, Any], listing: Listing[Any]
    ) -> dict[str, Any]:
        """One page: `items`, and the `bookmark` of the next or null.

        Every `empty_pages`-th page is empty and still has a bookmark, as Pinterest's may.

        Raises:
            Refusal: 400 for a bookmark that is not of this query.
        """
        query = self._query(operation, values)
        number, start = self._read(query, values["bookmark"]) if values["bookmark"] else (1, 0)
        size = values.get("page_size") or _PAGE_SIZE
        if self._empty_pages and number % self._empty_pages == 0:
            size = 0
        end = start + size
        items = listing.records(start, size)
        more = end < len(listing.keys) or (bool(items) and operation in self._ends_empty)
        return {
            "items": items,
            "bookmark": self._write(query, number + 1, end) if more else None,
        }

    def _query(self, operation: str, values: Mapping[str, Any]) -> bytes:
        filters = [(name, values[name]) for name in sorted(values) if name not in _PAGING]
        return repr((operation, filters)).encode()

    def _write(self, query: bytes, number: int, start: int) -> str:
        place = f"{number}|{start}|".encode()
        return base64.urlsafe_b64encode(place + self._sign(query, place)).decode()

    def _read(self, query: bytes, bookmark: str) -> tuple[int, int]:
        try:
            text = base64.urlsafe_b64decode(bookmark)
        except (binascii.Error, ValueError):
            refuse(_NOT_OURS)
        place, signature = text[:-_SIGNATURE_BYTES], text[-_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(query, place)):
            refuse(_NOT_OURS)
        number, start, _ = place.split(b"|")
        return int(number), int(start)

    def _sign(self, query: bytes, place: bytes) -> bytes:
        digest = hmac.new(self._secret, query + b"\n" + place, hashlib.sha256).digest()
        return digest[:_SIGNATURE_BYTES]
