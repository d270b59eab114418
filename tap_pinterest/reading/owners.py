"""The ad accounts and the users of a run."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from singer_sdk.exceptions import FatalAPIError, SkippableAPIError

from tap_pinterest.api.naming import listed
from tap_pinterest.config import Settings
from tap_pinterest.http.answers import decode_object
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.errors import (
    PART_ERRORS,
    AwayError,
    InvalidRequestError,
    PartError,
    TokenRefusedError,
    affects_all_calls,
)
from tap_pinterest.http.redaction import in_one_line
from tap_pinterest.reading.call import Call
from tap_pinterest.reading.pages import Item, Page
from tap_pinterest.reading.read_ahead import ReadAhead

AD_ACCOUNT = "/ad_accounts/{ad_account_id}"
AD_ACCOUNTS = "/ad_accounts"
MOST_NAMED = 5
"""Ad accounts that a message names."""

_logger = logging.getLogger("tap-pinterest.inventory")


class Owners:
    """Finds the ad accounts and the users of a run, once.

    Attributes:
        cut_short: Why only the first pages of the ad accounts were read; `None` if all were.
    """

    def __init__(  # noqa: PLR0913 - the parts of a run that it needs, each named
        self,
        client: PinterestClient,
        read_ahead: ReadAhead,
        settings: Settings,
        *,
        pages_of: Callable[[Call], Iterator[Page]],
        token_user: Callable[[], str],
        knows_token_user: Callable[[], bool],
    ) -> None:
        """Call nothing yet.

        Args:
            client: Reads single ad accounts.
            read_ahead: Waits for answers in a way that a signal can end.
            settings: Say which ad accounts and users are wanted.
            pages_of: Reads the pages of a call.
            token_user: Reads the id of the token's own user.
            knows_token_user: Whether that id is known without a call.
        """
        self._client = client
        self._read_ahead = read_ahead
        self._settings = settings
        self._pages_of = pages_of
        self._token_user = token_user
        self._knows_token_user = knows_token_user
        self._lock = threading.Lock()
        self._ad_accounts: Mapping[str, Item] | None = None
        self._unreadable: dict[str, Exception] = {}
        self._users: Mapping[str, str | None] | None = None
        self.cut_short: PartError | None = None

    @property
    def ad_accounts(self) -> Mapping[str, Item]:
        """The ad accounts of this run that the token can read, by id."""
        if self._ad_accounts is None:
            # A signal ends neither a wait for a lock nor a wait for an answer.
            self._read_ahead.run(self._find_ad_accounts)
        return self._ad_accounts or {}

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
            return {self._token_user(): None}
        owners = self._users_of_ad_accounts()
        if self._settings.organic_accounts == "ad_account_owners":
            return owners
        return {self._token_user(): None, **owners, self._token_user(): None}

    def user_id(self, context: Mapping[str, str] | None) -> str:
        """The id of a context's user; of the token's user if there is no context."""
        return context["user_id"] if context else self._token_user()

    @property
    def knows_ad_accounts(self) -> bool:
        """Whether the ad accounts are known without a call."""
        return self._ad_accounts is not None

    @property
    def reads_only_token_user(self) -> bool:
        """Whether the run reads only the token's own user."""
        return self._settings.organic_accounts == "token_user"

    @property
    def knows_users(self) -> bool:
        """Whether the users are known without a call."""
        wanted = self._settings.organic_accounts
        return (wanted == "ad_account_owners" or self._knows_token_user()) and (
            wanted == "token_user" or self.knows_ad_accounts
        )

    def may_read(self, ad_account_id: str) -> bool:
        """Whether the token can read an ad account that is not one of this run's."""
        try:
            self._one_ad_account(ad_account_id)
        except PART_ERRORS:
            return False
        return True

    def shows_user(self, user_id: str) -> bool:
        """Whether the token can read a user who is not one of this run's.

        True if Pinterest does not say who the users are: then nobody knows that the user is gone.
        """
        return self._all_users is None or user_id in self._all_users

    @functools.cached_property
    def _all_users(self) -> frozenset[str] | None:
        """The token's own user and the owners of all ad accounts, whatever the config wants."""
        found: set[str] = set()
        try:
            for page in self._ad_account_pages(include_shared=True):
                found.update(filter(None, map(_owner_of, page.items)))
            # Pinterest names no user for some tokens.
            with suppress(SkippableAPIError):
                found.add(self._token_user())
        except PART_ERRORS:
            return None
        return frozenset(found)

    def _users_of_ad_accounts(self) -> dict[str, str | None]:
        """The owners of the ad accounts, each with the first ad account."""
        found: dict[str, str | None] = {}
        without = []
        for ad_account_id, item in self.ad_accounts.items():
            if user_id := _owner_of(item):
                found.setdefault(user_id, ad_account_id)
            else:
                without.append(ad_account_id)
        if without:
            _logger.warning(
                "Pinterest does not say who owns %s of the ad accounts (%s): the Pins and catalogs "
                "of these owners are read only if they own another ad account, too.",
                len(without),
                ", ".join(without[:MOST_NAMED]),
            )
        return found

    def _find_ad_accounts(self) -> None:
        """Find the ad accounts; only the first thread makes the calls."""
        with self._read_ahead.alone_with(self._lock):
            if self._ad_accounts is None:
                self._ad_accounts = self._found_ad_accounts()

    def _found_ad_accounts(self) -> Mapping[str, Item]:
        named = self._settings.ad_account_ids
        found: dict[str, Item] = {}
        if len(named) != 1:
            found |= self._listed_ad_accounts(frozenset(named))
        errors: dict[str, Exception] = {}
        for ad_account_id in named:
            if ad_account_id not in found:
                try:
                    found[ad_account_id] = self._one_ad_account(ad_account_id)
                except PART_ERRORS as error:
                    errors[ad_account_id] = error
        self._unreadable = {name: self._named_error(error) for name, error in errors.items()}
        return found

    def _listed_ad_accounts(self, named: frozenset[str]) -> dict[str, Item]:
        """The ad accounts that the config wants; of the named ones, those on the list."""
        include_shared = bool(named) or self._settings.include_shared_accounts
        found: dict[str, Item] = {}
        try:
            for page in self._ad_account_pages(include_shared=include_shared):
                for item in page.items:
                    ad_account_id = id_of(item, "id")
                    excluded = ad_account_id in self._settings.exclude_ad_account_ids
                    if not excluded and (not named or ad_account_id in named):
                        found[ad_account_id] = item
                if named and len(found) == len(named):
                    break
        except PART_ERRORS as error:
            if affects_all_calls(error) or not (found or named):
                raise
            # The tap asks for each ad account that the config names on its own.
            self.cut_short = None if named else error
        return found

    def _ad_account_pages(self, *, include_shared: bool) -> Iterator[Page]:
        query = {"include_shared_accounts": include_shared}
        return self._pages_of(Call(AD_ACCOUNTS, query=query))

    def _one_ad_account(self, ad_account_id: str) -> Item:
        return self._client.get(AD_ACCOUNT, decode_object, ids={"ad_account_id": ad_account_id})

    def _named_error(self, error: Exception) -> Exception:
        """The error of an ad account in the config, with the ad accounts that the token has."""
        if isinstance(error, (AwayError, TokenRefusedError)):
            return error
        text = f"ad_account_ids names it, and it cannot be read: {error}"
        if isinstance(error, (SkippableAPIError, InvalidRequestError)):
            with suppress(*PART_ERRORS):
                readable = [*self._listed_ad_accounts(frozenset()).values()]
                text += f". This token has {_listed(readable)}"
        return FatalAPIError(text)


def id_of(item: Item, field: str) -> str:
    """The id of an item.

    Raises:
        FatalAPIError: The item has none.
    """
    value = item.get(field)
    if value is None:
        msg = f"a listed item has no {field}; it has: {', '.join(item)}"
        raise FatalAPIError(msg)
    return str(value)


def _owner_of(ad_account: Item) -> str:
    """The id of the user who owns an ad account; empty if Pinterest does not say."""
    owner = ad_account.get("owner")
    known = owner if isinstance(owner, dict) else {}
    return str(known.get("id") or known.get("username") or "")


def _listed(accounts: Sequence[Item]) -> str:
    """The first ad accounts with their names, and how many more there are."""
    if not accounts:
        return "no ad account"
    return listed([*map(_in_words, accounts)], MOST_NAMED)


def _in_words(account: Item) -> str:
    name = account.get("name")
    return f"{in_one_line(account.get('id'))}{f' ({in_one_line(name)})' if name else ''}"
