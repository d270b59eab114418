"""Follows Pinterest's bookmarks from page to page of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from singer_sdk.exceptions import FatalAPIError

MOST_IDLE_PAGES = 1_000
"""Most pages in a row without a new item. Pinterest may send hundreds of empty pages of a long list
that it filters."""


class EndlessListError(FatalAPIError):
    """The bookmarks of a list never end."""


class BookmarkPaginator:
    """Follows bookmarks until there is none; an empty page does not end a list."""

    def __init__(self, what: str) -> None:
        """A paginator before the first page; `what` is the list, as errors name it."""
        self._what = what
        self._followed: set[str] = set()
        self._ends: set[int] = set()
        """Hashes of the first and last item of each page."""
        self._idle = 0

    def next(self, bookmark: object, items: Sequence[Any] = ()) -> str | None:
        """The bookmark to ask for next.

        Raises:
            EndlessListError: This bookmark has been asked for before, or page after page has
                brought nothing new.
        """
        if not isinstance(bookmark, str) or not bookmark:
            return None
        if bookmark in self._followed:
            msg = (
                f"{self._what}: page {len(self._followed) + 1} names a bookmark that was followed "
                "before"
            )
            raise EndlessListError(msg)
        self._followed.add(bookmark)
        self._count(items)
        return bookmark

    def _count(self, items: Sequence[Any]) -> None:
        ends = hash((str(items[0]), str(items[-1]))) if items else None
        if ends is not None and ends not in self._ends:
            self._ends.add(ends)
            self._idle = 0
            return
        self._idle += 1
        if self._idle >= MOST_IDLE_PAGES:
            msg = (
                f"{self._what} does not end: its last {self._idle:,} pages bring no new item, and "
                "yet each leads to another one"
            )
            raise EndlessListError(msg)
