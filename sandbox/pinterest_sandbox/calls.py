"""One call of an operation, checked and authorised, as an answer sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pinterest_sandbox.refusals import ad_account_not_found, not_permitted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinterest_sandbox.reports import AccountTotals
    from pinterest_sandbox.tokens import Token
    from pinterest_sandbox.world import AdAccount, User, World


class Readiness(msgspec.Struct, frozen=True):
    """After how many days the metrics of a day are final."""

    delivery_days: int = 1
    conversion_days: int = 2


class Call(msgspec.Struct, frozen=True):
    """What is asked, of which world, on which day."""

    values: Mapping[str, Any]
    world: World
    today: int
    """The proleptic ordinal of the day."""
    token: Token
    totals: AccountTotals
    readiness: Readiness

    def ad_account(self) -> AdAccount:
        """The ad account in the path.

        Raises:
            Refusal: 404 where there is none, 403 for one that the token may not know.
        """
        return self._ad_account(self.values["ad_account_id"])

    def readable_ad_account(self) -> AdAccount:
        """The ad account in the path, for what needs a role that reads ads.

        Raises:
            Refusal: as `ad_account`, and 403 where the role is missing.
        """
        account = self.ad_account()
        if not account.readable:
            raise not_permitted()
        return account

    def user(self) -> User:
        """The "operation user_account": the token's user or the owner of `ad_account_id`.

        Raises:
            Refusal: as `ad_account`.
        """
        account_id = self.values["ad_account_id"]
        return self._ad_account(account_id).owner if account_id else self.world.user

    def _ad_account(self, account_id: str) -> AdAccount:
        account = self.world.ad_account(account_id)
        if account is not None:
            return account
        if account_id == self.world.foreign_account_id:
            raise not_permitted()
        raise ad_account_not_found()
