"""Product groups, items and keywords of ad groups, which divide their ads' numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from pinterest_sandbox.chance import Draws
from pinterest_sandbox.kinds import ads as kinds
from pinterest_sandbox.parts import Parting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pinterest_sandbox.collection import Member
    from pinterest_sandbox.world import AdAccount, Entity

_DRAFTS: Final = frozenset({"DRAFT", "DELETED_DRAFT"})
_FIRST_ITEM: Final = 4_100_000_000_000_000
_MOST_ITEMS: Final = 3


class Child(msgspec.Struct, frozen=True):
    """A product group, a keyword or a product item of an ad group."""

    id: str
    group: int
    """The ad group's running number."""
    of: Member[Entity]
    """The record that it is, or belongs to."""


class Children:
    """Children of one kind in an ad account, numbered; those of one ad group are neighbours."""

    def __init__(self, name: str, account: AdAccount, found: Iterable[Child]) -> None:
        """Takes them in the order of the ad groups."""
        self._name = name
        self._account = account
        self.members = list(found)
        self._by_id = {child.id: number for number, child in enumerate(self.members)}
        groups = account.ad_groups.count
        owners = np.array([child.group for child in self.members], np.int64)
        self._counts = np.bincount(owners, minlength=groups)
        self._first = np.searchsorted(owners, np.arange(groups))

    def numbers_of(self, ids: Collection[str]) -> list[int]:
        """The running numbers of ids, in order, without those that are not of this account."""
        return sorted(self._by_id[each] for each in set(ids) if each in self._by_id)

    def parting(self, wanted: Sequence[int]) -> Parting:
        """The division of each ad group's numbers among its children; only `wanted` ones count."""
        group = self._account.ads.parent
        counts, first = self._counts[group], self._first[group]
        place_of = np.full(len(self.members) + 1, -1)
        place_of[list(wanted)] = np.arange(len(wanted))
        slots = np.arange(max([1, *self._counts.tolist()]))
        numbers = np.where(slots < counts[:, None], first[:, None] + slots, len(self.members))
        return Parting(self._name, counts, place_of[numbers], len(wanted))


def product_groups(account: AdAccount) -> Children:
    """Promotions of product groups that are not drafts."""
    return account.once(_product_groups)


def product_items(account: AdAccount) -> Children:
    """A few items of each of those."""
    return account.once(_product_items)


def keywords(account: AdAccount) -> Children:
    """Keywords of ad groups, but the negative ones, which bring nothing."""
    return account.once(_keywords)


def _product_groups(account: AdAccount) -> Children:
    return Children("product group", account, _promotions(account))


def _product_items(account: AdAccount) -> Children:
    found = (
        Child(str(_FIRST_ITEM + draws.below(10**14)), promotion.group, promotion.of)
        for promotion in _promotions(account)
        for draws in [Draws(account.world.seed, "product item", promotion.id)]
        for _ in range(1 + draws.below(_MOST_ITEMS))
    )
    return Children("product item", account, found)


def _keywords(account: AdAccount) -> Children:
    found = (
        Child(keyword.id, group, keyword)
        for group in range(account.ad_groups.count)
        for keyword in account.ad_groups.owner(group).all(kinds.KEYWORDS)
        if not str(keyword.record()["match_type"]).endswith("NEGATIVE")
    )
    return Children("keyword", account, found)


def _promotions(account: AdAccount) -> Iterable[Child]:
    return (
        Child(promotion.id, promotion.owner.number, promotion)
        for promotion in kinds.promoted_groups(account)
        if kinds.promotion_status(promotion) not in _DRAFTS
    )
