"""Lists that several streams need, read once a run."""

from __future__ import annotations

import functools
import sys
import weakref
import zlib
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.exceptions import FatalAPIError, SkippableAPIError

from tap_pinterest.bodies import decoder
from tap_pinterest.pagination import BookmarkPaginator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_pinterest.client import PinterestClient, Query
    from tap_pinterest.config import Settings
    from tap_pinterest.read_ahead import ReadAhead

AD_ACCOUNT = "/ad_accounts/{ad_account_id}"
AD_ACCOUNTS = "/ad_accounts"
USER_ACCOUNT = "/user_account"
KEPT_IN_MEMORY = 16 * 1024 * 1024
PAGE_SIZE = 250


@dataclass(frozen=True)
class Listing:
    """A paged list of one ad account, or of none.

    Attributes:
        path: Its path in the description.
        query: Parameters beside the bookmark and the page size.
        fields: Fields of its items that reports need: the id first, then the parents' ids.
    """

    path: str
    query: Query = field(default_factory=dict, hash=False)
    fields: tuple[str, ...] = ()


class _Page(msgspec.Struct):
    items: list[dict[str, Any]]
    bookmark: str | None = None
    body: bytes = b""


_decode_page = decoder(_Page)
_decode_item = decoder(dict[str, Any])


class Inventory:
    """Reads each list once, whichever stream needs it first.

    A report needs the ids of a list that a later stream writes. The pages are then kept,
    compressed, and in a temporary file when they are many, until that stream has written them.
    """

    def __init__(
        self,
        client: PinterestClient,
        read_ahead: ReadAhead,
        settings: Settings,
        *,
        written: Iterable[str],
        referred: Iterable[str],
    ) -> None:
        """An inventory that has listed nothing yet.

        Args:
            client: Calls the API.
            read_ahead: Fetches the next page while one is being used.
            settings: Which ad accounts are wanted.
            written: Paths of the lists that a selected stream writes as records.
            referred: Paths of the lists whose ids a selected report needs.
        """
        self._client = client
        self._read_ahead = read_ahead
        self._settings = settings
        self._written = frozenset(written)
        self._referred = frozenset(referred)
        self._kept = PageStore()
        self._entities: dict[_Key, dict[str, tuple[str, ...]]] = {}
        self._refusals: dict[_Key, SkippableAPIError] = {}
        self._unreadable: dict[str, Exception] = {}

    @functools.cached_property
    def ad_accounts(self) -> Mapping[str, Mapping[str, Any]]:
        """The ad accounts of this run that the token can read, by id, as Pinterest sent them."""
        named = self._settings.ad_account_ids
        found: dict[str, Mapping[str, Any]] = {}
        if len(named) != 1:
            found |= self._listed_ad_accounts(frozenset(named))
        for ad_account_id in named:
            if ad_account_id not in found and (item := self._one_ad_account(ad_account_id)):
                found[ad_account_id] = item
        return found

    @functools.cached_property
    def user_account(self) -> Mapping[str, Any]:
        """The profile of the token's user, as Pinterest sent it."""
        return self._client.get(USER_ACCOUNT, _decode_item)

    @property
    def ad_account_ids(self) -> Sequence[str]:
        """Ids of this run's ad accounts: also of those that the config names in vain."""
        return [*self.ad_accounts, *self._unreadable]

    def check_named_ad_accounts(self) -> None:
        """Say which ad accounts the config names and the token cannot read.

        Raises:
            FatalAPIError: There is such an account.
        """
        if self.ad_account_ids and self._unreadable:
            ids = ", ".join(self._unreadable)
            reason = next(iter(self._unreadable.values()))
            msg = f"ad_account_ids names {ids}, which cannot be read: {reason}"
            raise FatalAPIError(msg)

    def entities(self, listing: Listing, ad_account_id: str) -> Mapping[str, tuple[str, ...]]:
        """Ids of a list's items, each with its parents' ids in the order of the listing's fields.

        Raises:
            SkippableAPIError: The list may not be read.
        """
        key = (listing.path, ad_account_id)
        if key not in self._entities:
            for page in self._fetched(listing, ad_account_id):
                if listing.path in self._written:
                    self._kept.add(key, page.body)
        return self._entities[key]

    def items(
        self, listing: Listing, ad_account_id: str | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """The list's items, from the pages kept (which are then forgotten), or else fresh.

        Raises:
            SkippableAPIError: The list may not be read.
        """
        key = (listing.path, ad_account_id)
        if self._kept.has(key):
            pages: Iterable[_Page] = map(_decode_page, self._kept.take(key))
        else:
            pages = self._fetched(listing, ad_account_id)
        for page in pages:
            yield from page.items

    def close(self) -> None:
        """Forget the pages kept."""
        self._kept.close()

    def _listed_ad_accounts(self, named: frozenset[str]) -> dict[str, Mapping[str, Any]]:
        shared = bool(named) or self._settings.include_shared_accounts
        found: dict[str, Mapping[str, Any]] = {}
        for item in self.items(Listing(AD_ACCOUNTS, {"include_shared_accounts": shared})):
            ad_account_id = str(item["id"])
            if ad_account_id in self._settings.exclude_ad_account_ids:
                continue
            if not named or ad_account_id in named:
                found[ad_account_id] = item
            if named and len(found) == len(named):
                break
        return found

    def _one_ad_account(self, ad_account_id: str) -> Mapping[str, Any] | None:
        try:
            return self._client.get(AD_ACCOUNT, _decode_item, ids={"ad_account_id": ad_account_id})
        except (FatalAPIError, SkippableAPIError) as error:
            self._unreadable[ad_account_id] = error
            return None

    def _fetched(self, listing: Listing, ad_account_id: str | None) -> Iterator[_Page]:
        """Pages from the API; ids that reports need are noted on the way."""
        key = (listing.path, ad_account_id)
        if key in self._refusals:
            raise self._refusals[key]
        entities: dict[str, tuple[str, ...]] = {}
        try:
            for page in self._requested(listing, ad_account_id):
                if listing.path in self._referred:
                    _note(entities, page.items, listing.fields)
                yield page
        except SkippableAPIError as refusal:
            self._refusals[key] = refusal
            raise
        self._entities[key] = entities

    def _requested(self, listing: Listing, ad_account_id: str | None) -> Iterator[_Page]:
        paginator = BookmarkPaginator()
        ids = {"ad_account_id": ad_account_id} if ad_account_id else {}

        def request(bookmark: str | None = None) -> _Page:
            cursor = {"bookmark": bookmark} if bookmark else {}
            query = {**listing.query, "page_size": PAGE_SIZE, **cursor}
            return self._client.get(listing.path, _keeping_body, ids=ids, query=query)

        def following(page: _Page) -> functools.partial[_Page] | None:
            bookmark = paginator.next(page.bookmark)
            return functools.partial(request, bookmark) if bookmark else None

        return self._read_ahead.chained(request, following)


_Key = tuple[str, str | None]


class PageStore:
    """Bodies of pages, compressed, one after the other in memory or in a temporary file."""

    def __init__(self) -> None:
        """An empty store."""
        self._file = SpooledTemporaryFile(max_size=KEPT_IN_MEMORY)  # noqa: SIM115 - see close
        weakref.finalize(self, self._file.close)
        self._places: dict[_Key, list[tuple[int, int]]] = {}

    def add(self, key: _Key, body: bytes) -> None:
        """Keep one more page of a list."""
        frame = zlib.compress(body, level=1)
        self._file.seek(0, 2)
        self._places.setdefault(key, []).append((self._file.tell(), len(frame)))
        self._file.write(frame)

    def has(self, key: _Key) -> bool:
        """Whether pages of the list are kept."""
        return key in self._places

    def take(self, key: _Key) -> Iterator[bytes]:
        """The pages of a list in order; they are not kept any longer."""
        for start, size in self._places.pop(key):
            self._file.seek(start)
            yield zlib.decompress(self._file.read(size))

    def close(self) -> None:
        """Give the memory or the file back."""
        self._places.clear()
        self._file.close()


def _keeping_body(body: bytes) -> _Page:
    page = _decode_page(body)
    page.body = body
    return page


def _note(
    entities: dict[str, tuple[str, ...]],
    items: Iterable[Mapping[str, Any]],
    fields: Sequence[str],
) -> None:
    """Add the ids of items; a parent's id is one object however often it comes."""
    own, *parents = fields
    for item in items:
        entities[str(item[own])] = tuple(
            sys.intern(str(item[parent])) if item.get(parent) is not None else ""
            for parent in parents
        )
