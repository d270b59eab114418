"""The made-up accounts, campaigns, ads, boards and Pins; all of it follows from a seed and sizes.

Nothing is built before somebody asks: an account's entities are a few arrays over running numbers,
and a record is written only when its page is read.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from pinterest_sandbox.chance import Draws, drawn, key, mix_all
from pinterest_sandbox.collection import Ground, Owner

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from pinterest_sandbox.size import WorldSize

Element = TypeVar("Element")

STATUSES: Final = ("ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT")
_ACTIVE, _PAUSED, _ARCHIVED, _DRAFT, _DELETED_DRAFT = range(len(STATUSES))
CREATIVE_TYPES: Final = (
    "REGULAR",
    "SHOPPING",
    "CAROUSEL",
    "COLLECTION",
    "QUIZ",
    "SHOWCASE",
    "IDEA",
)
VIDEO_TYPES: Final = ("VIDEO", "MAX_VIDEO")
_PRIVACY: Final = ("PUBLIC", "PUBLIC", "PUBLIC", "PROTECTED", "SECRET")
_FATE_SCALE: Final = {"campaign": 0.4, "ad group": 0.6, "ad": 1.0}
_FEW: Final = 2
CHILDREN_WITHIN: Final = 45
"""Ad groups and ads are created at most this many days after their parent."""
NEVER: Final = 3_000_000
"""A day (proleptic ordinal) that does not come."""

READER_ROLES: Final = frozenset({"OWNER", "ADMIN", "ANALYST", "CAMPAIGN_MANAGER"})
"""One of these is needed to read an account's campaigns, ads and numbers."""
_SHARED_ROLES = (["ANALYST"], ["ADMIN", "CAMPAIGN_MANAGER"], ["CAMPAIGN_MANAGER", "FINANCE_VIEW"])


class Entities:
    """The campaigns, ad groups or ads of one account as arrays over their running number."""

    def __init__(
        self,
        account: AdAccount,
        kind: str,
        base: int,
        count: int,
        parents: Entities | None,
    ) -> None:
        """Draws `count` of a kind; `base` is where their ids begin."""
        world = account.world
        self.account = account
        self.kind = kind
        self.count = count
        self.parents = parents
        numbers = np.arange(count, dtype=np.int64)
        seed = key(world.seed, kind, account.number)
        self.words: NDArray[np.uint64] = mix_all(numbers.astype(np.uint64) + np.uint64(seed >> 1))
        stride = 97
        self.ids: NDArray[np.int64] = base + (account.number * count + numbers) * stride
        self.ids += (self.words % np.uint64(stride)).astype(np.int64)
        self.parent = self._parent_numbers()
        self._live()

    def owner(self, number: int) -> Entity:
        """One of them, as something that records belong to."""
        return Entity(self, number)

    def draw(self, salt: str) -> NDArray[np.float64]:
        """A number from 0 to below 1 for each, the same every time for the same salt."""
        return drawn(self.words, salt)

    def numbers_of(self, ids: Collection[str]) -> list[int]:
        """The running numbers of ids, in order, without those that are not of this account."""
        if not self.count:
            return []
        wanted = np.unique(np.fromiter((int(text) for text in ids if len(text) < 19), np.int64))  # noqa: PLR2004  what an int64 holds
        places = np.minimum(np.searchsorted(self.ids, wanted), self.count - 1)
        found: list[int] = places[self.ids[places] == wanted].tolist()
        return found

    def statuses(self, today: int) -> NDArray[np.int64]:
        """The status of each entity on a day, as a place in `STATUSES`."""
        status = np.where(today >= self.paused, _PAUSED, _ACTIVE)
        status = np.where(today >= self.archived, _ARCHIVED, status)
        return np.where(self.draft >= 0, self.draft, status)

    def status(self, number: int, today: int) -> str:
        """The status of one on a day."""
        if self.draft[number] >= 0:
            return STATUSES[self.draft[number]]
        if today >= self.archived[number]:
            return STATUSES[_ARCHIVED]
        return STATUSES[_PAUSED if today >= self.paused[number] else _ACTIVE]

    def selected(self, today: int, statuses: Collection[str]) -> NDArray[np.bool_]:
        """Which entities exist on a day and have one of the statuses."""
        codes = [STATUSES.index(status) for status in statuses]
        wanted: NDArray[np.bool_] = np.isin(self.statuses(today), codes) & (self.created <= today)
        return wanted

    def changed(self, number: int, today: int) -> int:
        """The last day, up to `today`, on which one of them changed."""
        events = (self.edited[number], self.paused[number], self.archived[number])
        return max([int(self.created[number]), *(int(day) for day in events if day <= today)])

    @cached_property
    def first_day(self) -> NDArray[np.int64]:
        """The first day of delivery: when it and all above it exist."""
        if self.parents is None:
            return self.created
        return np.maximum(self.created, self.parents.first_day[self.parent])

    @cached_property
    def end_day(self) -> NDArray[np.int64]:
        """The day from which nothing is delivered any more; for drafts, any day."""
        own = np.where(self.draft >= 0, 0, self.paused)
        if self.parents is None:
            return own
        return np.minimum(own, self.parents.end_day[self.parent])

    def _parent_numbers(self) -> NDArray[np.int64]:
        if self.parents is None:
            return np.zeros(self.count, np.int64)
        # Sorted: the children of one parent are neighbours, and ids grow with their parents'.
        drawn = mix_all(self.words ^ np.uint64(key("parent"))) % np.uint64(self.parents.count)
        return np.sort(drawn.astype(np.int64))

    def _live(self) -> None:
        """Draws the days on which each entity is created, edited, paused and archived."""
        world = self.account.world
        if self.parents is None:
            began = world.began + (self.draw("created") * 0.4 * world.size.days).astype(np.int64)
        else:
            # Most soon after what they belong to, a few much later.
            later = (self.draw("created") ** 3 * CHILDREN_WITHIN).astype(np.int64)
            began = self.parents.created[self.parent] + later
        self.created: NDArray[np.int64] = np.minimum(began, world.anchor - 1)
        self.created_second = (self.draw("second") * 86_400).astype(np.int64)
        lived = world.anchor - self.created
        self.edited = self.created + (self.draw("edited") * (lived + 30)).astype(np.int64)
        place = np.argsort(np.argsort(self.draw("fate")))
        archived, paused, drafts = self._fates(place)
        # Those still active stop one by one as the days after the first today pass.
        lasts = 1 - 60 * np.log1p(-self.draw("lasts"))
        stop = world.anchor + lasts.astype(np.int64)
        stopped = self.created + 1 + (self.draw("stopped") * (lived - 1)).astype(np.int64)
        self.paused = np.where(archived | paused, stopped, stop)
        ended = np.where(paused, NEVER, stop + 5 + (self.draw("later") * 20).astype(np.int64))
        self.archived = np.where(archived, stopped, ended)
        deleted = self.draw("deleted") < 0.2  # noqa: PLR2004  one draft in five
        self.draft = np.where(drafts, np.where(deleted, _DELETED_DRAFT, _DRAFT), -1)

    def _fates(self, place: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
        """Which entities are archived, paused and drafts, by their place in a shuffled row.

        Dealt out evenly, so that a small world has its archived ones too; of what stands above
        others fewer, since all below stop with it.
        """
        size, scale = self.account.world.size, _FATE_SCALE[self.kind]
        fates: list[NDArray[np.bool_]] = []
        start = 0
        for share in (size.archived_share, size.paused_share, size.draft_share):
            count = round(share * scale * self.count)
            if not fates and share and self.count > _FEW:
                count = max(1, count)
            fates.append((place >= start) & (place < start + count))
            start += count
        return fates


class Entity(Owner):
    """A campaign or an ad group, to which keywords and more belong."""

    world: World

    def __init__(self, entities: Entities, number: int) -> None:
        self.account = entities.account
        self.number: int = number
        self.id: str = str(entities.ids[number])
        parts = (*self.account.parts, entities.kind, number)
        super().__init__(self.account.world, *parts, facts=self.account.facts)


class User(Owner):
    """A Pinterest account: it owns ad accounts, boards, Pins and catalogs."""

    world: World

    def __init__(self, world: World, number: int) -> None:
        """Makes up the user of a running number; the first is the token's."""
        super().__init__(world, "user", number, facts={})
        self.number: int = number
        draws = Draws(world.seed, "user", number)
        self.id: str = str(1_110_000_000_000_000_000 + number * 10**15 + draws.below(10**15))
        self.username: str = f"studio{number + 1}_{draws.below(10_000):04}"

    @cached_property
    def board_ids(self) -> list[str]:
        """Its boards."""
        return self._ids("board", 549_000_000_000_000_000, self.world.size.boards)

    @cached_property
    def boards(self) -> list[Board]:
        """Its boards, and those that are shared with it."""
        return [Board(self, number) for number in range(len(self.board_ids))]

    def board(self, number: int) -> Board:
        """The board of a running number."""
        return self.boards[number]

    @cached_property
    def privacy(self) -> list[str]:
        """Who sees each board; the first is public."""
        return ["PUBLIC", *self._picks("board", "privacy", _PRIVACY)[1:]]

    @cached_property
    def pin_ids(self) -> list[str]:
        """Its Pins."""
        return self._ids("pin", 642_000_000_000_000_000, self.world.size.pins)

    @cached_property
    def board_of_pin(self) -> list[int]:
        """The running number of the board that each Pin is on."""
        return self._picks("pin", "board", range(max(1, self.world.size.boards)))

    @cached_property
    def pins_on_board(self) -> Counter[int]:
        """How many Pins each board has."""
        return Counter(self.board_of_pin)

    @cached_property
    def pin_kinds(self) -> list[str]:
        """The creative type of each Pin."""
        kinds = ("REGULAR", "REGULAR", *VIDEO_TYPES, *CREATIVE_TYPES)
        return self._picks("pin", "creative", kinds)

    @cached_property
    def pin_created(self) -> NDArray[np.int64]:
        """The day on which each Pin was made; one in four during the last months."""
        words = self._words("pin")
        new = drawn(words, "new") < 0.25  # noqa: PLR2004  one in four
        age = np.where(new, 1 + drawn(words, "age") * 110, 110 + drawn(words, "age") * 2_500)
        return self.world.anchor - age.astype(np.int64)

    @cached_property
    def promoted_pins(self) -> list[bool]:
        """Which Pins were ever an ad."""
        return self._picks("pin", "promoted", (True, True, False, False, False))

    @cached_property
    def saved_pins(self) -> list[bool]:
        """Which Pins were saved from another; the others were made here."""
        return self._picks("pin", "saved", (True, False, False))

    def _words(self, kind: str) -> NDArray[np.uint64]:
        count = self.world.size.boards if kind == "board" else self.world.size.pins
        seed = np.uint64(key(self.world.seed, kind, self.number) >> 1)
        return mix_all(np.arange(count, dtype=np.uint64) + seed)

    def _picks(self, kind: str, salt: str, choices: Sequence[Element]) -> list[Element]:
        places = (drawn(self._words(kind), salt) * len(choices)).astype(np.int64)
        return [choices[place] for place in places.tolist()]

    def _ids(self, kind: str, base: int, count: int) -> list[str]:
        step = 10**10
        ids = base + self.number * 10**14 + np.arange(count, dtype=np.int64) * step
        ids += (self._words(kind) % np.uint64(step)).astype(np.int64)
        return [str(number) for number in ids.tolist()]


class Board(Owner):
    """A board that a user owns, or one of somebody else that is shared with the user."""

    world: World

    def __init__(self, user: User, number: int) -> None:
        """Takes the board of a running number."""
        super().__init__(user.world, *user.parts, "board", number, facts={})
        self.user = user
        self.number: int = number
        self.id: str = user.board_ids[number]
        self.privacy: str = user.privacy[number]
        self.shared: bool = number % 5 == 4  # noqa: PLR2004  every fifth
        self.owner_name: str = f"friend{number}" if self.shared else user.username


class AdAccount(Owner):
    """An ad account and everything under it."""

    world: World

    def __init__(self, world: World, number: int) -> None:
        """Makes up the account of a running number."""
        self.id: str = str(549_700_000_000 + number * 1_009 + key(world.seed, number) % 1_009)
        facts = {"ad_account_id": self.id, "advertiser_id": self.id}
        super().__init__(world, "ad account", number, facts=facts)
        self.number: int = number
        self.shared: bool = number % 3 == 1
        self.owner = world.users[1 + number // 3 if self.shared else 0]
        size = world.size
        full = max(1, size.accounts - size.empty_accounts)
        self.empty = number >= full
        self.powerless = full - size.powerless_accounts <= number < full
        self.currency = size.currencies[number % len(size.currencies)]
        if self.powerless:
            self.permissions = ["FINANCE_VIEW"]
        elif self.shared:
            self.permissions = _SHARED_ROLES[number // 3 % len(_SHARED_ROLES)]
        else:
            self.permissions = ["OWNER"]

    @property
    def readable(self) -> bool:
        """Whether the token's user has a role that reads ads and their numbers."""
        return not READER_ROLES.isdisjoint(self.permissions)

    @cached_property
    def campaigns(self) -> Entities:
        """Its campaigns."""
        return self._entities("campaign", 626_700_000_000, self.world.size.campaigns, None)

    @cached_property
    def ad_groups(self) -> Entities:
        """Its ad groups."""
        count = self.world.size.ad_groups
        return self._entities("ad group", 2_680_000_000_000, count, self.campaigns)

    @cached_property
    def ads(self) -> Entities:
        """Its ads."""
        return self._entities("ad", 687_200_000_000, self.world.size.ads, self.ad_groups)

    @cached_property
    def campaign_of_ad(self) -> NDArray[np.int64]:
        """The running number of each ad's campaign."""
        return self.ad_groups.parent[self.ads.parent]

    @cached_property
    def video_ads(self) -> NDArray[np.bool_]:
        """Which ads have a video."""
        wanted: NDArray[np.bool_] = self.ads.draw("video") < self.world.size.video_share
        return wanted

    @cached_property
    def pin_of_ad(self) -> NDArray[np.int64]:
        """The running number of each ad's Pin, among those of the account's owner."""
        pins = max(1, self.world.size.pins)
        return (self.ads.draw("pin") * pins).astype(np.int64)

    def pin_id(self, ad: int) -> str:
        """The Pin that an ad promotes."""
        if self.owner.pin_ids:
            return self.owner.pin_ids[int(self.pin_of_ad[ad])]
        return str(642_900_000_000_000_000 + self.number * 10**12 + ad)

    def _entities(self, kind: str, base: int, count: int, parents: Entities | None) -> Entities:
        none = self.empty or (parents is not None and not parents.count)
        return Entities(self, kind, base, 0 if none else count, parents)


class World(Ground):
    """Everything that the sandbox knows; `anchor` is the today it was made on."""

    def __init__(self, seed: int, size: WorldSize, today: date) -> None:
        """Makes the world as it is on a day; it lives on from there."""
        super().__init__(seed, size, today.toordinal())
        self.began = self.anchor - size.days
        self.users = [User(self, number) for number in range(2 + size.accounts // 3)]
        self.ad_accounts = [AdAccount(self, number) for number in range(size.accounts)]
        self.foreign_account_id = AdAccount(self, size.accounts + 2 - size.accounts % 3).id
        """An ad account that exists and that the token may not read."""
        self._by_id = {account.id: account for account in self.ad_accounts}

    @property
    def user(self) -> User:
        """The token's user."""
        return self.users[0]

    def ad_account(self, account_id: str) -> AdAccount | None:
        """The account of an id, if the token may know of it."""
        return self._by_id.get(account_id)

    def summary(self, today: int) -> dict[str, object]:
        """Counts and ids, for people and tests."""
        return {
            "seed": self.seed,
            "user_id": self.user.id,
            "foreign_account_id": self.foreign_account_id,
            "ad_accounts": [
                {
                    "id": account.id,
                    "currency": account.currency,
                    "shared": account.shared,
                    "readable": account.readable,
                    "campaigns": _counts(account.campaigns, today),
                    "ad_groups": _counts(account.ad_groups, today),
                    "ads": _counts(account.ads, today),
                }
                for account in self.ad_accounts
            ],
            "boards": self.size.boards,
            "pins": self.size.pins,
        }


def _counts(entities: Entities, today: int) -> dict[str, int]:
    statuses = entities.statuses(today)[entities.created <= today]
    return {name: int((statuses == code).sum()) for code, name in enumerate(STATUSES)}
