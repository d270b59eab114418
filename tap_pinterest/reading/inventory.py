"""Lists that several streams need, read once a run."""

from __future__ import annotations

import functools
import logging
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SkippableAPIError

from tap_pinterest import api
from tap_pinterest.http.answers import decoder
from tap_pinterest.http.errors import (
    AwayError,
    InvalidRequestError,
    NoCatalogError,
    PartError,
    TokenRefusedError,
)
from tap_pinterest.reading import accounts
from tap_pinterest.reading.accounts import NamedAccountError
from tap_pinterest.reading.calls import (
    Call,
    Dataset,
    Expected,
    Listing,
    Outcomes,
    Precision,
    Scope,
    page_decoder,
)
from tap_pinterest.reading.page_store import PageStore
from tap_pinterest.reading.pages import Decode, Item, Page
from tap_pinterest.reading.pagination import BookmarkPaginator
from tap_pinterest.reading.parts import PART_ERRORS, is_of_more, is_said_of_all
from tap_pinterest.reading.tasks import NOTHING, Following, Task, Turn

if TYPE_CHECKING:
    from tap_pinterest.config import Settings
    from tap_pinterest.http.client import PinterestClient
    from tap_pinterest.reading.read_ahead import ReadAhead

AD_ACCOUNT = "/ad_accounts/{ad_account_id}"
AD_ACCOUNTS = "/ad_accounts"
USER_ACCOUNT = "/user_account"
USER_FIELDS = ("id", "account_type")
KEPT_AHEAD = 64 * 1024 * 1024
"""Most compressed bytes to keep; beyond it, no more pages are read before their turn."""
PAGE_SIZE = 250

_ANY: Mapping[str, Sequence[str]] = MappingProxyType({})
_logger = logging.getLogger("tap-pinterest.inventory")
_decode_item = decoder(dict[str, Any])


class Begun(NamedTuple):
    """How far a call has been read.

    Attributes:
        call: The call.
        page: The first page that is not kept; `None` if all are.
        error: Why the call cannot be read.
    """

    call: Call
    page: Page | None = None
    error: PartError | None = None

    @property
    def bytes(self) -> int:
        """Bytes of the page that is not kept."""
        return len(self.page.body) if self.page else 0


class Inventory:
    """Reads each list once for all streams that need it.

    A report or a child may need the ids of a list that a later stream writes. The inventory then
    keeps the pages until that stream has written them: compressed, and if there are many, in a
    temporary file.

    Attributes:
        cut_short: Why the list of ad accounts has been read in part only; `None` if it has not.
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
        self._settings = settings
        self._written = Counter(written)
        self._referred = frozenset(referred)
        self._kept = PageStore()
        self._to_write: dict[bytes, int] = {}
        self._rows: dict[bytes, dict[str, tuple[str, ...]]] = {}
        self._read_so_far: dict[bytes, dict[str, tuple[str, ...]]] = {}
        """The rows of lists that could not be read to their end."""
        self._partly_read: set[bytes] = set()
        self._refusals: dict[bytes, SkippableAPIError] = {}
        self._unreadable: dict[str, Exception] = {}
        self._locks: dict[bytes, threading.Lock] = {}
        self._ad_accounts: Mapping[str, Item] | None = None
        self._of_ad_accounts = threading.Lock()
        self._users: Mapping[str, str | None] | None = None
        self.cut_short: PartError | None = None

    @property
    def ad_accounts(self) -> Mapping[str, Item]:
        """The ad accounts of this run that the token can read, by id."""
        if self._ad_accounts is None:
            # A signal ends neither a wait for a lock nor a wait for an answer.
            self._read_ahead.run(self._find_ad_accounts)
        return self._ad_accounts or {}

    def _find_ad_accounts(self) -> None:
        """Find the ad accounts; only the first thread makes the calls."""
        with self._read_ahead.alone_with(self._of_ad_accounts):
            if self._ad_accounts is None:
                self._ad_accounts = self._found_ad_accounts()

    @property
    def knows_ad_accounts(self) -> bool:
        """Whether the ad accounts are known without a call."""
        return self._ad_accounts is not None

    @property
    def reads_only_token_user(self) -> bool:
        """Whether the run reads only the token's own user."""
        return self._settings.organic_accounts == "token_user"

    @property
    def knows_token_user(self) -> bool:
        """Whether the token's own user is known without a call."""
        return Call(USER_ACCOUNT).key in self._rows

    @property
    def knows_users(self) -> bool:
        """Whether the users are known without a call."""
        wanted = self._settings.organic_accounts
        return (wanted == "ad_account_owners" or self.knows_token_user) and (
            wanted == "token_user" or self.knows_ad_accounts
        )

    def _found_ad_accounts(self) -> Mapping[str, Item]:
        named = self._settings.ad_account_ids
        found: dict[str, Item] = {}
        if len(named) != 1:
            found |= self._listed_ad_accounts(frozenset(named))
        for ad_account_id in named:
            if ad_account_id not in found and (item := self._one_ad_account(ad_account_id)):
                found[ad_account_id] = item
        self._unreadable = {each: self._told(why) for each, why in self._unreadable.items()}
        return found

    def _told(self, error: Exception) -> Exception:
        """The error for an ad account in the config, with the ad accounts that the token has."""
        if isinstance(error, (AwayError, TokenRefusedError)):
            return error
        told = f"ad_account_ids names it, and it cannot be read: {error}"
        if isinstance(error, (SkippableAPIError, InvalidRequestError)):
            with suppress(*PART_ERRORS):
                there_are = [*self._listed_ad_accounts(frozenset()).values()]
                told += f". This token has {accounts.named(there_are)}"
        return NamedAccountError(told)

    @property
    def ad_account_ids(self) -> Sequence[str]:
        """Ids of this run's ad accounts."""
        return [*self.ad_accounts]

    @property
    def unreadable(self) -> Mapping[str, Exception]:
        """Ad accounts that the config names and the token cannot read, each with the reason.

        They are known once the ad accounts are.
        """
        return self._unreadable

    def ad_account(self, ad_account_id: str) -> Item:
        """One of this run's ad accounts."""
        return self.ad_accounts.get(ad_account_id, {})

    @property
    def users(self) -> Mapping[str, str | None]:
        """Users whose boards, Pins and catalogs the run reads.

        Each user id has the ad account through which the user is read; `None` for the token's user.
        """
        if self._users is None:
            self._users = self._found_users()
        return self._users

    def _found_users(self) -> Mapping[str, str | None]:
        if self.reads_only_token_user:
            return {self.user_id(None): None}
        of_owners: dict[str, str | None] = {}
        without = []
        for ad_account_id, item in self.ad_accounts.items():
            if user_id := _owner_of(item):
                of_owners.setdefault(user_id, ad_account_id)
            else:
                without.append(ad_account_id)
        if without:
            _logger.warning(
                "Pinterest does not tell who owns %s of the ad accounts (%s): Pins and catalogs of "
                "their owners are read only if these own another one, too.",
                len(without),
                ", ".join(without[: accounts.MOST_TOLD]),
            )
        if self._settings.organic_accounts == "ad_account_owners":
            return of_owners
        return {self.user_id(None): None, **of_owners, self.user_id(None): None}

    def user_id(self, context: Mapping[str, str] | None) -> str:
        """The id of a context's user; of the token's user if there is no context."""
        return context["user_id"] if context else self._token_user_id

    @property
    def _token_user_id(self) -> str:
        call = Call(USER_ACCOUNT)
        self._list(call, USER_FIELDS, page_decoder(USER_ACCOUNT))
        (user_id,) = self._rows[call.key]
        return user_id

    def entities(
        self, dataset: Dataset, settings: Settings, ad_account_id: str, outcomes: Outcomes
    ) -> Mapping[str, tuple[str, ...]]:
        """The fields that other streams need of each wanted item, by its id; the id comes first.

        `outcomes` gets the errors of lists that cannot be read.
        """
        listing = dataset.listing(settings)
        scope = Scope(self, settings, {"ad_account_id": ad_account_id}, outcomes)
        found = [rows for _, rows in self._of_each_call(listing, scope)]
        if len(found) == 1:
            return found[0]
        return {key: row for rows in found for key, row in rows.items()}

    def rows(
        self, listing: Listing, scope: Scope, where: Mapping[str, Sequence[str]]
    ) -> Iterator[Mapping[str, str]]:
        """The fields that a listing names, of each item that has one of the values asked for."""
        for _, rows in self._of_each_call(listing, scope, where):
            for row in rows.values():
                named = dict(zip(listing.fields, row, strict=True))
                if all(named[name] in kept for name, kept in where.items()):
                    yield named

    def _of_each_call(
        self, listing: Listing, scope: Scope, where: Mapping[str, Sequence[str]] = _ANY
    ) -> Iterator[tuple[Call, Mapping[str, tuple[str, ...]]]]:
        """The rows of each call of a list that may have what is asked for."""
        is_answered = False
        for call in listing.calls(scope):
            if not all(call.columns.get(name, kept[0]) in kept for name, kept in where.items()):
                continue
            yield call, self._known(call, listing, scope.outcomes)
            refusal = self._refusals.get(call.key)
            is_answered = is_answered or refusal is None
            if refusal and not is_answered and is_said_of_all(refusal):
                return

    def _known(
        self, call: Call, listing: Listing, outcomes: Outcomes
    ) -> Mapping[str, tuple[str, ...]]:
        """The rows of a call that can be read; `outcomes` gets the error if some cannot."""
        if not outcomes.has_failed(call):
            try:
                return self._listed(call, listing)
            except PART_ERRORS as error:
                outcomes.went_wrong(call, error)
                if isinstance(error, SkippableAPIError):
                    return {}
        return self._filtered(self._read_so_far.get(call.key, {}), listing)

    def items(
        self,
        listing: Listing,
        scope: Scope,
        turn: Turn | None = None,
        following: Following = NOTHING,
    ) -> Iterator[tuple[Call, Iterator[Item]]]:
        """The items of a list, page by page, each page with its call.

        They come from the pages kept (which are forgotten after the last stream that writes them),
        or else fresh, and a few calls at once. `turn` and `following` are those of `read_ahead`.
        Errors go to the outcomes of the scope.
        """
        for call, page in self._pages(listing, scope, turn, following):
            yield call, filter(listing.wants, page.items)

    def is_shared(self, path: str) -> bool:
        """Whether several streams read a list, or one that does not write it."""
        return path in self._referred or self._written[path] > 1

    def again(self, listing: Listing, scope: Scope) -> Iterator[tuple[Call, Item]]:
        """The items of a list that is read whole for several streams; its pages stay kept.

        A call that cannot be read whole has no items; its error goes to the outcomes of the scope.
        """
        for call in listing.calls(scope):
            try:
                self._listed(call, listing)
            except PART_ERRORS as error:
                scope.outcomes.went_wrong(call, error)
                continue
            scope.outcomes.answered()
            for body in self._kept.read(call.key, forget=False):
                for item in _reading(listing.decode, body).items:
                    if listing.wants(item):
                        yield call, item

    def expected(self, listing: Listing, scope: Scope) -> Iterator[Expected]:
        """The calls that `items` will make, without calls whose pages are kept already."""
        operation = api.operation(f"GET {listing.path}")
        paged = "bookmark" in operation.parameters
        for call in listing.calls(scope):
            if call.key not in self._refusals and not self._kept.has(call.key):
                precision: Precision = "at least" if paged and call.pages else ""
                yield Expected(operation.category, precision=precision, key=call.key)

    def close(self) -> None:
        """Drop the kept pages."""
        self._kept.close()

    def _listed_ad_accounts(self, named: frozenset[str]) -> dict[str, Item]:
        shared = bool(named) or self._settings.include_shared_accounts
        call = Call(AD_ACCOUNTS, query={"include_shared_accounts": shared})
        found: dict[str, Item] = {}
        try:
            for page in self._following(call, page_decoder(AD_ACCOUNTS)):
                for item in page.items:
                    ad_account_id = _id(item, "id")
                    excluded = ad_account_id in self._settings.exclude_ad_account_ids
                    if not excluded and (not named or ad_account_id in named):
                        found[ad_account_id] = item
                if named and len(found) == len(named):
                    break
        except PART_ERRORS as error:
            if is_of_more(error) or not (found or named):
                raise
            # Those that the config names are asked for one by one.
            self.cut_short = None if named else error
        return found

    def may_read(self, ad_account_id: str) -> bool:
        """Whether the token can read an ad account that is not one of this run's."""
        try:
            self._client.get(AD_ACCOUNT, _decode_item, ids={"ad_account_id": ad_account_id})
        except (FatalAPIError, RetriableAPIError, SkippableAPIError):
            return False
        return True

    def shows_user(self, user_id: str) -> bool:
        """Whether the token can read a user who is not one of this run's.

        True if Pinterest does not tell: then nobody knows that the user is gone.
        """
        return self._all_users is None or user_id in self._all_users

    @functools.cached_property
    def _all_users(self) -> frozenset[str] | None:
        """The token's own user and the owners of all ad accounts, whatever the config wants."""
        call = Call(AD_ACCOUNTS, query={"include_shared_accounts": True})
        found: set[str] = set()
        try:
            for page in self._following(call, page_decoder(AD_ACCOUNTS)):
                found.update(filter(None, map(_owner_of, page.items)))
            # Some tokens have no user of their own to tell.
            with suppress(SkippableAPIError):
                found.add(self.user_id(None))
        except PART_ERRORS:
            return None
        return frozenset(found)

    def _one_ad_account(self, ad_account_id: str) -> Item | None:
        try:
            return self._client.get(AD_ACCOUNT, _decode_item, ids={"ad_account_id": ad_account_id})
        except (FatalAPIError, RetriableAPIError, SkippableAPIError) as error:
            self._unreadable[ad_account_id] = error
            return None

    def _listed(self, call: Call, listing: Listing) -> Mapping[str, tuple[str, ...]]:
        """The named fields of those of a call's items that the listing's filters leave."""
        return self._filtered(self._list(call, listing.fields, listing.decode), listing)

    @staticmethod
    def _filtered(
        rows: Mapping[str, tuple[str, ...]], listing: Listing
    ) -> Mapping[str, tuple[str, ...]]:
        if not listing.filters:
            return rows
        # Streams with other filters may share the call, so its rows are noted unfiltered.
        return {
            key: row
            for key, row in rows.items()
            if listing.wants(dict(zip(listing.fields, row, strict=True)))
        }

    def _list(
        self, call: Call, fields: Sequence[str], decode: Decode
    ) -> Mapping[str, tuple[str, ...]]:
        """The named fields of a call's items; the pages are kept if a stream will write them."""
        if call.key not in self._rows:
            self._read_ahead.run(functools.partial(self._list_once, call, fields, decode))
        return self._rows[call.key]

    def _list_once(self, call: Call, fields: Sequence[str], decode: Decode) -> None:
        """List a call's items; only the first thread makes the call."""
        lock = self._locks.setdefault(call.key, threading.Lock())
        with self._read_ahead.alone_with(lock):
            if call.key in self._rows:
                return
            if call.key in self._refusals:
                raise self._refusals[call.key]
            rows: dict[str, tuple[str, ...]] = {}
            to_write = self._to_write.setdefault(call.key, self._written[call.path])
            try:
                with self._kept.whole(call.key):
                    for page in self._following(call, decode):
                        self._partly_read.add(call.key)
                        if call.path in self._referred:
                            _note(rows, page.items, call, fields)
                        if to_write:
                            self._kept.add(call.key, page.body)
            except SkippableAPIError as refusal:
                self._read_so_far[call.key] = rows
                if call.key in self._partly_read:
                    raise FatalAPIError(_cut_short(refusal)) from refusal
                self._refusals[call.key] = refusal
                raise
            except PART_ERRORS:
                self._read_so_far[call.key] = rows
                raise
            self._rows[call.key] = rows

    def beginnings(
        self, listing: Listing, scope: Scope, *, ahead: bool = False
    ) -> Iterator[Task[Begun]]:
        """Tasks that begin each call of a list: read its first page, or all pages if `ahead`.

        A list that other streams need too is always read whole, by the first stream.
        """
        alone = self._kept_whole if ahead else self._begun
        begin = self._listed_whole if self.is_shared(listing.path) else alone
        for call in listing.calls(scope):
            yield Task(functools.partial(begin, call, listing), held=lambda begun: begun.bytes)

    def _pages(
        self, listing: Listing, scope: Scope, turn: Turn | None, following: Following
    ) -> Iterator[tuple[Call, Page]]:
        """Pages for a stream that writes them; errors go to the outcomes of the scope."""
        tasks, outcomes, is_answered = self.beginnings(listing, scope), scope.outcomes, False
        for call, page, error in self._read_ahead.in_order(tasks, turn, following):
            if error is None:
                is_answered = True
                outcomes.answered()
                for each in self._pages_of(call, page, listing, outcomes):
                    yield call, each
                continue
            outcomes.went_wrong(call, error)
            if isinstance(error, SkippableAPIError):
                self._refusals[call.key] = error
                if not is_answered and is_said_of_all(error):
                    return

    def _pages_of(
        self, call: Call, page: Page | None, listing: Listing, outcomes: Outcomes
    ) -> Iterator[Page]:
        """The pages of a call that are kept, and those that follow, up to the first that fails."""
        left = self._to_write.setdefault(call.key, self._written[call.path]) - 1
        self._to_write[call.key] = left
        try:
            if self._kept.has(call.key):
                for body in self._kept.read(call.key, forget=left <= 0):
                    yield _reading(listing.decode, body)
            if page:
                yield from self._following(call, listing.decode, page)
        except SkippableAPIError as refusal:
            outcomes.went_wrong(call, FatalAPIError(_cut_short(refusal)))
        except PART_ERRORS as error:
            outcomes.went_wrong(call, error)

    def _begun(self, call: Call, listing: Listing) -> Begun:
        """The first page of a call; nothing if its pages are kept."""
        if call.key in self._refusals:
            return Begun(call, error=self._refusals[call.key])
        if self._kept.has(call.key):
            return Begun(call)
        try:
            return Begun(call, self._request(call, listing.decode))
        except PART_ERRORS as error:
            return Begun(call, error=error)

    def _kept_whole(self, call: Call, listing: Listing) -> Begun:
        """Keep the pages of a call, up to `KEPT_AHEAD`, if there is more than one."""
        begun = self._begun(call, listing)
        if begun.page is None or not begun.page.bookmark:
            return begun
        try:
            with self._kept.whole(call.key):
                for page in self._following(call, listing.decode, begun.page):
                    if self._kept.size > KEPT_AHEAD and page.bookmark:
                        return Begun(call, page)
                    self._kept.add(call.key, page.body)
        except PART_ERRORS:
            # Its turn shows how far it can be read.
            return begun
        return Begun(call)

    def _listed_whole(self, call: Call, listing: Listing) -> Begun:
        """List a call's items, and keep the pages to be written."""
        try:
            self._listed(call, listing)
        except PART_ERRORS as error:
            if call.key not in self._partly_read:
                return Begun(call, error=error)
        return self._begun(call, listing)

    def _following(self, call: Call, decode: Decode, first: Page | None = None) -> Iterator[Page]:
        """All pages of a call, with or without the first given; the next is fetched meanwhile."""
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


def _owner_of(ad_account: Item) -> str:
    """The id of the user who owns an ad account; empty if Pinterest does not tell."""
    owner = ad_account.get("owner")
    known = owner if isinstance(owner, dict) else {}
    return str(known.get("id") or known.get("username") or "")


def _reading(decode: Decode, body: bytes) -> Page:
    """The page of a body; without a body, an empty page for something that does not exist."""
    return decode(body) if body else Page([])


def _keeping_body(decode: Decode, body: bytes) -> Page:
    page = decode(body)
    page.body = body
    return page


def _cut_short(refusal: SkippableAPIError) -> str:
    """The words for a refusal after pages that were answered: no matter of access."""
    return f"its first pages are answered, and then: {refusal}"


def _note(
    rows: dict[str, tuple[str, ...]],
    items: Iterable[Item],
    call: Call,
    fields: Sequence[str],
) -> None:
    """Add the fields of items; a value is one object however often it comes.

    `media.media_type` is a field of an object in the item.
    """
    paths = [field.split(".") for field in fields]
    for item in items:
        row = tuple(_text(_at(item, path, call.columns)) for path in paths)
        rows[row[0] or _id(item, fields[0])] = row


def _at(item: Item, path: Sequence[str], beside: Mapping[str, Any]) -> object:
    """The value at a path in an item, or else the value that its call carries under the name."""
    value = item.get(path[0], beside.get(path[0]))
    for name in path[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str:
    return "" if value is None else sys.intern(str(value))


def _id(item: Item, field: str) -> str:
    """The id of an item."""
    value = item.get(field)
    if value is None:
        msg = f"a listed item has no {field}; it has: {', '.join(item)}"
        raise FatalAPIError(msg)
    return str(value)
