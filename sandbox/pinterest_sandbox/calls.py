"""One call of an operation, checked and authorised, as an answer sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from pinterest_sandbox.kinds.business import businesses
from pinterest_sandbox.refusals import ad_account_not_found, not_permitted
from pinterest_sandbox.world import READER_ROLES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pinterest_sandbox.kinds.business import Business
    from pinterest_sandbox.orders import Fate, Orders
    from pinterest_sandbox.reports import AccountTotals
    from pinterest_sandbox.settings import Settings
    from pinterest_sandbox.tokens import Token
    from pinterest_sandbox.world import AdAccount, User, World


Element = TypeVar("Element")

_DESCENDING: Final = "DESCENDING"


class Call(msgspec.Struct, frozen=True):
    """One call: its values, the world and the day."""

    values: dict[str, Any]
    world: World
    today: int
    """The proleptic ordinal of the day."""
    token: Token
    totals: AccountTotals
    orders: Orders
    settings: Settings
    host: str = ""
    """Where the sandbox serves, as the client knows it."""
    fate: Fate | None = None
    """How the ordered report ends, if a test decides it."""
    truth: bool = False
    """Whether the call is for all records, without the limits of one request."""

    def ad_account(self) -> AdAccount:
        """The ad account in the path.

        Raises:
            Refusal: 404 where there is none, 403 for one that the token may not know.
        """
        return self._ad_account(self.values["ad_account_id"])

    def readable_ad_account(self, roles: Collection[str] = READER_ROLES) -> AdAccount:
        """The ad account in the path, for what needs one of some roles.

        Raises:
            Refusal: as `ad_account`, and 403 where the token's user has none of the roles.
        """
        return _with_role(self.ad_account(), roles)

    def user(self, roles: Collection[str] | None = None) -> User:
        """The "operation user_account": the token's user or the owner of `ad_account_id`.

        Raises:
            Refusal: as `ad_account`, and 403 where one of some roles is needed to act for the owner
                and the token's user has none of them.
        """
        account_id = self.values["ad_account_id"]
        if not account_id:
            return self.world.user
        account = self._ad_account(account_id)
        return (_with_role(account, roles) if roles else account).owner

    def acts_as(self, roles: Collection[str]) -> bool:
        """Whether the token's user acts for itself, or for an owner with one of some roles."""
        account_id = self.values["ad_account_id"]
        return not account_id or not set(roles).isdisjoint(self._ad_account(account_id).permissions)

    def business(self) -> Business:
        """The business in the path.

        Raises:
            Refusal: 403 where the token's user is not of that business.
        """
        for business in businesses(self.world):
            if business.id == self.values["business_id"]:
                return business
        raise not_permitted()

    def in_order(self, collection: Iterable[Element]) -> list[Element]:
        """All of a collection, backwards when asked."""
        found = list(collection)
        if self.values["order"] == _DESCENDING:
            found.reverse()
        return found

    def _ad_account(self, account_id: str) -> AdAccount:
        account = self.world.ad_account(account_id)
        if account is not None:
            return account
        if account_id == self.world.foreign_account_id:
            raise not_permitted()
        raise ad_account_not_found()


def _with_role(account: AdAccount, roles: Collection[str]) -> AdAccount:
    if set(roles).isdisjoint(account.permissions):
        raise not_permitted()
    return account
