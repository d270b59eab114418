"""Pages of a list: one follows the other by Pinterest's bookmark."""

from __future__ import annotations

from singer_sdk.exceptions import FatalAPIError


class RepeatedBookmarkError(FatalAPIError):
    """The service sent a bookmark twice: following it would never end."""


class BookmarkPaginator:
    """Follows bookmarks until there is none; an empty page does not end a list."""

    def __init__(self) -> None:
        """A paginator before the first page."""
        self._seen: set[str] = set()

    def next(self, bookmark: object) -> str | None:
        """The bookmark to ask for next, given the one of the page just read.

        Raises:
            RepeatedBookmarkError: That page has been asked for before.
        """
        if not isinstance(bookmark, str) or not bookmark:
            return None
        if bookmark in self._seen:
            msg = f"page {len(self._seen) + 1} names a bookmark that was followed before"
            raise RepeatedBookmarkError(msg)
        self._seen.add(bookmark)
        return bookmark
