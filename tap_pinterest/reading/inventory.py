"""Lists that several streams need, read once a run."""

from __future__ import annotations

import functools
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from singer_sdk.exceptions import FatalAPIError, SkippableAPIError

from tap_pinterest import api
from tap_pinterest.config import Settings
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.errors import (
    PART_ERRORS,
    NoCatalogError,
    PartError,
    may_be_about_one_id,
    refuses_operation,
)
from tap_pinterest.reading.call import Call
from tap_pinterest.reading.calls import Dataset, Expected, Listing, Precision, Scope, page_decoder
from tap_pinterest.reading.owners import Owners, id_of
from tap_pinterest.reading.page_store import PageStore
from tap_pinterest.reading.pages import Decode, Item, Page
from tap_pinterest.reading.pagination import BookmarkPaginator
from tap_pinterest.reading.parts import Parts, Tried
from tap_pinterest.reading.read_ahead import ReadAhead
from tap_pinterest.reading.refused_ids import Refused, Search
from tap_pinterest.reading.tasks import NOTHING, Following, Task, Turn

USER_ACCOUNT = "/user_account"
USER_FIELDS = ("id", "account_type")
KEPT_AHEAD = 64 * 1024 * 1024
"""Most compressed bytes to keep; beyond it, no more pages are read before their turn."""
PAGE_SIZE = 250

_Rows: TypeAlias = Mapping[str, tuple[str, ...]]
"""The fields of items that other streams need, by the id of the item."""
_ANY: Mapping[str, Sequence[str]] = MappingProxyType({})

_Pages: TypeAlias = Sequence[tuple[Call, Page]]
"""The first page of a call; or of each piece of it, if Pinterest refuses some of its ids. Empty if
the pages of the call are kept."""


@dataclass(eq=False)
class _List:
    """The list of one call, as the run has read it.

    Attributes:
        to_write: Streams that have still to write its pages.
        rows: The rows of the whole list; `None` until it was read to its end.
        rows_so_far: The rows up to the error that ended the last try.
        is_begun: Whether a page of it has been read for its rows.
        refusal: Pinterest's refusal of the call.
        lost: The pieces of the call that cannot be read, each with the reason.
    """

    to_write: int
    lock: threading.Lock
    rows: _Rows | None = None
    rows_so_far: _Rows = field(default_factory=dict)
    is_begun: bool = False
    refusal: SkippableAPIError | None = None
    lost: Sequence[tuple[Call, PartError]] = ()

    def note_lost(self, parts: Parts) -> None:
        """Add the errors of the pieces that cannot be read."""
        for call, error in self.lost:
            parts.add_error(call, error)


class Inventory:
    """Reads each list once for all streams that need it.

    A report or a child may need the ids of a list that a later stream writes. The inventory then
    keeps the pages until that stream has written them: compressed, and if there are many, in a
    temporary file.

    Attributes:
        owners: The ad accounts and the users of the run.
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
            read_ahead: Fetches the next pages while one is being used.
            settings: Which ad accounts are wanted.
            written: Paths of the lists that selected streams write as records, one for each stream.
            referred: Paths of the lists whose ids a selected stream needs.
        """
        self._client = client
        self._read_ahead = read_ahead
        self._written = Counter(written)
        self._referred = frozenset(referred)
        self._kept = PageStore()
        self._lists: dict[bytes, _List] = {}
        self._refused: dict[bytes, Refused] = defaultdict(Refused)
        """What Pinterest has refused, by the key of the call without ids."""
        self.owners = Owners(
            client,
            read_ahead,
            settings,
            pages_of=lambda call: self._following(call, page_decoder(call.path)),
            token_user=self._token_user,
            knows_token_user=lambda: self.knows_token_user,
        )

    @property
    def knows_token_user(self) -> bool:
        """Whether the token's own user is known without a call."""
        return self._list_of(Call(USER_ACCOUNT)).rows is not None

    def entities(
        self, dataset: Dataset, settings: Settings, ad_account_id: str, parts: Parts
    ) -> _Rows:
        """The fields that other streams need of each wanted item, by its id; the id comes first.

        `parts` gets the errors of lists that cannot be read.
        """
        listing = dataset.listing(settings)
        scope = Scope(self, settings, {"ad_account_id": ad_account_id}, parts)
        found = [*self._rows_of_calls(listing, scope)]
        if len(found) == 1:
            return found[0]
        return {key: row for rows in found for key, row in rows.items()}

    def rows(
        self, listing: Listing, scope: Scope, where: Mapping[str, Sequence[str]]
    ) -> Iterator[Mapping[str, str]]:
        """The fields that a listing names, of each item that has one of the values asked for."""
        for rows in self._rows_of_calls(listing, scope, where):
            for row in rows.values():
                named = dict(zip(listing.fields, row, strict=True))
                if all(named[name] in kept for name, kept in where.items()):
                    yield named

    def _rows_of_calls(
        self, listing: Listing, scope: Scope, where: Mapping[str, Sequence[str]] = _ANY
    ) -> Iterator[_Rows]:
        """The rows of each call whose list may have one of the values asked for."""
        is_answered = False
        for call in listing.calls(scope):
            if not all(call.columns.get(name, kept[0]) in kept for name, kept in where.items()):
                continue
            yield self._readable_rows(call, listing, scope.parts)
            refusal = self._list_of(call).refusal
            is_answered = is_answered or refusal is None
            if refusal and not is_answered and refuses_operation(refusal):
                return

    def _readable_rows(self, call: Call, listing: Listing, parts: Parts) -> _Rows:
        """The rows of a call that can be read; `parts` gets the error if some cannot."""
        if not parts.has_failed(call):
            try:
                rows = self._listed(call, listing)
            except PART_ERRORS as error:
                parts.add_error(call, error)
                if isinstance(error, SkippableAPIError):
                    return {}
            else:
                self._list_of(call).note_lost(parts)
                return rows
        return _filtered(self._list_of(call).rows_so_far, listing)

    def items(
        self,
        listing: Listing,
        scope: Scope,
        turn: Turn | None = None,
        following: Following = NOTHING,
    ) -> Iterator[tuple[Call, Iterator[Item]]]:
        """The items of a list, page by page, each page with its call.

        They come from the kept pages, which are dropped after the last stream that writes them.
        Other pages are read now, for a few calls at once. `read_ahead` explains `turn` and
        `following`. Errors go to the parts of the scope.
        """
        for call, page in self._pages(listing, scope, turn, following):
            yield call, filter(listing.wants, page.items)

    def is_shared(self, path: str) -> bool:
        """Whether several streams read a list, or a stream that does not write it."""
        return path in self._referred or self._written[path] > 1

    def again(self, listing: Listing, scope: Scope) -> Iterator[tuple[Call, Item]]:
        """The items of a list that is read whole for several streams; its pages stay kept.

        A call that cannot be read whole has no items; its error goes to the parts of the scope.
        """
        for call in listing.calls(scope):
            try:
                self._listed(call, listing)
            except PART_ERRORS as error:
                scope.parts.add_error(call, error)
                continue
            scope.parts.answered()
            self._list_of(call).note_lost(scope.parts)
            for body in self._kept.read(call.key, forget=False):
                for item in _page_of(listing.decode, body).items:
                    if listing.wants(item):
                        yield call, item

    def expected(self, listing: Listing, scope: Scope) -> Iterator[Expected]:
        """The calls that `items` will make, without calls whose pages are kept already."""
        operation = api.operation(f"GET {listing.path}")
        paged = "bookmark" in operation.parameters
        for call in listing.calls(scope):
            if self._list_of(call).refusal is None and not self._kept.has(call.key):
                precision: Precision = "at least" if paged and call.pages else ""
                yield Expected(operation.category, precision=precision, key=call.key)

    def close(self) -> None:
        """Drop the kept pages."""
        self._kept.close()

    def _token_user(self) -> str:
        """The id of the token's own user."""
        rows = self._rows(Call(USER_ACCOUNT), USER_FIELDS, page_decoder(USER_ACCOUNT))
        (user_id,) = rows
        return user_id

    def _list_of(self, call: Call) -> _List:
        return self._lists.setdefault(call.key, _List(self._written[call.path], threading.Lock()))

    def _listed(self, call: Call, listing: Listing) -> _Rows:
        """The rows of a call that pass the listing's filters."""
        return _filtered(self._rows(call, listing.fields, listing.decode), listing)

    def _rows(self, call: Call, fields: Sequence[str], decode: Decode) -> _Rows:
        """All rows of a call; the pages are kept if a stream will write them."""
        found = self._list_of(call)
        if found.rows is None:
            self._read_ahead.run(functools.partial(self._list_once, call, fields, decode))
        return found.rows or {}

    def _list_once(self, call: Call, fields: Sequence[str], decode: Decode) -> None:
        """List a call's items; only the first thread makes the call."""
        found = self._list_of(call)
        with self._read_ahead.alone_with(found.lock):
            if found.rows is not None:
                return
            if found.refusal:
                raise found.refusal
            rows: dict[str, tuple[str, ...]] = {}
            is_written = found.to_write
            try:
                with self._kept.whole(call.key):
                    for page in self._whole(call, decode):
                        found.is_begun = True
                        if call.path in self._referred:
                            _note(rows, page.items, call, fields)
                        if is_written:
                            self._kept.add(call.key, page.body)
            except SkippableAPIError as refusal:
                found.rows_so_far = rows
                if found.is_begun:
                    raise _failure_after(refusal) from refusal
                found.refusal = refusal
                raise
            except PART_ERRORS:
                found.rows_so_far = rows
                raise
            found.rows = rows

    def beginnings(
        self, listing: Listing, scope: Scope, *, ahead: bool = False
    ) -> Iterator[Task[Tried[_Pages]]]:
        """Tasks that begin each call of a list: read its first page, or all pages if `ahead`.

        A list that other streams need too is always read whole, by the first stream.
        """
        alone = self._kept_whole if ahead else self._begun
        begin = self._listed_whole if self.is_shared(listing.path) else alone
        for call in listing.calls(scope):
            yield Task(functools.partial(begin, call, listing), held=_bytes_held)

    def _pages(
        self, listing: Listing, scope: Scope, turn: Turn | None, following: Following
    ) -> Iterator[tuple[Call, Page]]:
        """Pages for a stream that writes them; errors go to the parts of the scope."""
        tasks, parts, is_answered = self.beginnings(listing, scope), scope.parts, False
        for begun in self._read_ahead.in_order(tasks, turn, following):
            call, error = begun.call, begun.error
            if error is None:
                is_answered = True
                parts.answered()
                for each in self._pages_of(call, begun.answer or (), listing, parts):
                    yield call, each
                continue
            parts.add_error(call, error)
            if isinstance(error, SkippableAPIError):
                self._list_of(call).refusal = error
                if not is_answered and refuses_operation(error):
                    return

    def _pages_of(
        self, call: Call, pages: _Pages, listing: Listing, parts: Parts
    ) -> Iterator[Page]:
        """The kept pages of a call and the pages after them, up to the first that fails."""
        found = self._list_of(call)
        found.to_write = left = found.to_write - 1
        try:
            if self._kept.has(call.key):
                for body in self._kept.read(call.key, forget=left <= 0):
                    yield _page_of(listing.decode, body)
            for piece, page in pages:
                yield from self._following(piece, listing.decode, page)
        except SkippableAPIError as refusal:
            parts.add_error(call, _failure_after(refusal))
        except PART_ERRORS as error:
            parts.add_error(call, error)
        found.note_lost(parts)

    def _begun(self, call: Call, listing: Listing) -> Tried[_Pages]:
        """The first pages of a call; nothing if its pages are kept."""
        if refusal := self._list_of(call).refusal:
            return Tried(call, error=refusal)
        if self._kept.has(call.key):
            return Tried(call)
        return Tried.by(call, functools.partial(self._first_pages, call, listing.decode))

    def _kept_whole(self, call: Call, listing: Listing) -> Tried[_Pages]:
        """Keep the pages of a call, up to `KEPT_AHEAD`, if there is more than one."""
        begun = self._begun(call, listing)
        pages = begun.answer or ()
        if len(pages) != 1 or not pages[0][1].bookmark:
            return begun
        ((piece, first),) = pages
        try:
            with self._kept.whole(call.key):
                for page in self._following(piece, listing.decode, first):
                    if self._kept.size > KEPT_AHEAD and page.bookmark:
                        return Tried(call, [(piece, page)])
                    self._kept.add(call.key, page.body)
        except PART_ERRORS:
            # The stream reads it again in its turn, and then gets the error.
            return begun
        return Tried(call)

    def _listed_whole(self, call: Call, listing: Listing) -> Tried[_Pages]:
        """List a call's items, and keep the pages to be written."""
        try:
            self._listed(call, listing)
        except PART_ERRORS as error:
            if not self._list_of(call).is_begun:
                return Tried(call, error=error)
        return self._begun(call, listing)

    def _whole(self, call: Call, decode: Decode) -> Iterator[Page]:
        """All pages of a call."""
        for piece, page in self._first_pages(call, decode):
            yield from self._following(piece, decode, page)

    def _first_pages(self, call: Call, decode: Decode) -> _Pages:
        """The first page of a call; if it is refused for some of its ids, of its pieces."""
        try:
            return [(call, self._request(call, decode))]
        except PART_ERRORS as error:
            if len(call.batch) <= 1 or not may_be_about_one_id(error):
                raise
            refusal = error
        settled: list[Tried[Page]] = []
        search = Search(call.batch, self._refused[call.only(()).key])
        for ids in search:
            piece = call.only(ids)
            tried = Tried.by(piece, functools.partial(self._request, piece, decode))
            is_refused = tried.error is not None and may_be_about_one_id(tried.error)
            if search.settles(ids, is_refused=is_refused):
                settled.append(tried)
        if search.is_in_vain:
            raise refusal
        self._list_of(call).lost = [(each.call, each.error) for each in settled if each.error]
        return [(each.call, each.answer) for each in settled if each.answer]

    def _following(self, call: Call, decode: Decode, first: Page | None = None) -> Iterator[Page]:
        """All pages of a call, from the given first page on; the next one is fetched meanwhile."""
        paginator = BookmarkPaginator(f"GET {call.path}")

        def following(page: Page) -> functools.partial[Page] | None:
            bookmark = paginator.next(page.bookmark, page.items) if call.pages else None
            return functools.partial(self._request, call, decode, bookmark) if bookmark else None

        if first is None:
            yield from self._read_ahead.chained(
                functools.partial(self._request, call, decode), following
            )
        elif first.bookmark and call.pages:
            yield from self._read_ahead.chained(lambda: first, following)
        else:
            yield first

    def _request(self, call: Call, decode: Decode, bookmark: str | None = None) -> Page:
        cursor = {"bookmark": bookmark} if bookmark else {}
        pages = "page_size" in api.operation(f"GET {call.path}").parameters
        query = {**call.query, **({"page_size": PAGE_SIZE} if pages else {}), **cursor}
        kept = functools.partial(_keeping_body, decode)
        try:
            return self._client.get(call.path, kept, ids=call.ids, query=query)
        except NoCatalogError:
            return Page([])


def _bytes_held(begun: Tried[_Pages]) -> int:
    return sum(len(page.body) for _, page in begun.answer or ())


def _filtered(rows: _Rows, listing: Listing) -> _Rows:
    """The rows that pass the listing's filters; other streams may filter the same call's rows."""
    if not listing.filters:
        return rows
    return {
        key: row
        for key, row in rows.items()
        if listing.wants(dict(zip(listing.fields, row, strict=True)))
    }


def _page_of(decode: Decode, body: bytes) -> Page:
    """The page of a body; without a body, an empty page for something that does not exist."""
    return decode(body) if body else Page([])


def _keeping_body(decode: Decode, body: bytes) -> Page:
    page = decode(body)
    page.body = body
    return page


def _failure_after(refusal: SkippableAPIError) -> FatalAPIError:
    """The error for a refusal after answered pages: the token may read the list."""
    return FatalAPIError(f"its first pages are answered, and then: {refusal}")


def _note(
    rows: dict[str, tuple[str, ...]],
    items: Iterable[Item],
    call: Call,
    fields: Sequence[str],
) -> None:
    """Add the fields of items; equal values share one object.

    `media.media_type` is a field of an object in the item.
    """
    paths = [field.split(".") for field in fields]
    for item in items:
        row = tuple(_text(_at(item, path, call.columns)) for path in paths)
        rows[row[0] or id_of(item, fields[0])] = row


def _at(item: Item, path: Sequence[str], columns: Mapping[str, Any]) -> object:
    """The value at a path in an item, or else in the columns that the call adds."""
    value = item.get(path[0], columns.get(path[0]))
    for name in path[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str:
    return "" if value is None else sys.intern(str(value))
