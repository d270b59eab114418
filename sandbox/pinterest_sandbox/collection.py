"""Records that belong to something: a handful of a kind per owner, known by id, made when read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar

from pinterest_sandbox import api, specimens
from pinterest_sandbox.chance import Draws
from pinterest_sandbox.names import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pinterest_sandbox.size import WorldSize

_ID_SPREAD = 10**13
_STARTS_AND_ENDS = (("created", "updated"), ("start", "end"))


Details: TypeAlias = "Mapping[str, Any]"
"""Facts that a world adds to a record of its schema."""
Made = TypeVar("Made")
OwnerT = TypeVar("OwnerT", bound="Owner")


class Ground:
    """The base of a world: its seed, its size and the day that it was made on."""

    def __init__(self, seed: int, size: WorldSize, anchor: int) -> None:
        """Takes the day as its proleptic ordinal."""
        self.seed = seed
        self.size = size
        self.anchor = anchor


class Owner:
    """A user, an ad account, a board or a record that other records belong to."""

    def __init__(self, world: Ground, *parts: int | str, facts: Mapping[str, Any]) -> None:
        """`parts` identify the owner; every record below it has `facts`."""
        self.world = world
        self.parts = parts
        self.facts = facts
        self._kept: dict[Kind[Any], Collection[Any]] = {}
        self._made: dict[Callable[[Any], Any], Any] = {}

    def all(self, kind: Kind[OwnerT]) -> Collection[OwnerT]:
        """The records of a kind that belong to this owner, the same ones every time."""
        if kind not in self._kept:
            self._kept[kind] = Collection(kind, self)
        return self._kept[kind]

    def once(self, make: Callable[[Self], Made]) -> Made:
        """The result of a function of this owner; the function is called once."""
        if make not in self._made:
            self._made[make] = make(self)
        made: Made = self._made[make]
        return made


@dataclass(frozen=True, eq=False)
class Kind(Generic[OwnerT]):
    """A kind of records: schema, number and details."""

    name: str
    schema: str
    count: Callable[[OwnerT], int]
    details: Callable[[Member[OwnerT], dict[str, Any], Draws], Mapping[str, Any] | None] | None = (
        None
    )
    """A function that adds facts of this world to a record made from its schema alone."""
    id_field: str = "id"
    first_id: int = 3_000_000_000_000


class Member(Owner, Generic[OwnerT]):
    """One record of a collection; others may belong to it in turn."""

    def __init__(self, kind: Kind[OwnerT], owner: OwnerT, number: int, own_id: str) -> None:
        """Names the record of a running number; nothing is made yet."""
        super().__init__(owner.world, *owner.parts, kind.name, number, facts=owner.facts)
        self.kind = kind
        self.owner = owner
        self.number = number
        self.id = own_id

    def draws(self, salt: str) -> Draws:
        """Draws of this record for one purpose."""
        return Draws(self.world.seed, *self.parts, salt)

    @property
    def label(self) -> str:
        """Its name, an odd one now and then."""
        size = self.world.size
        return name_of(self.draws("name"), self.number, odd=size.odd_names, nul=size.nul)

    def record(self) -> dict[str, Any]:
        """The record as the API prints it."""
        draws = self.draws("record")
        made = specimens.record(self.kind.schema, draws)
        properties = api.schema(self.kind.schema)["properties"]
        if self.kind.id_field in properties:
            made[self.kind.id_field] = self.id
        if "name" in properties and made.get("name", "") is not None:
            made["name"] = self.label
        made.update({name: value for name, value in self.facts.items() if name in properties})
        if self.kind.details is not None:
            made.update(self.kind.details(self, made, draws) or {})
        _put_in_order(made)
        return made


class Collection(Generic[OwnerT]):
    """The records of one kind that belong to one owner, in the order of their ids."""

    def __init__(self, kind: Kind[OwnerT], owner: OwnerT) -> None:
        """Draws the ids; the members follow when they are asked for."""
        self._kind = kind
        self._owner = owner
        draws = Draws(owner.world.seed, *owner.parts, kind.name)
        drawn = (kind.first_id + draws.below(_ID_SPREAD) for _ in range(kind.count(owner)))
        self.ids = [str(number) for number in sorted(set(drawn))]

    @cached_property
    def members(self) -> list[Member[OwnerT]]:
        """All of them."""
        return [
            Member(self._kind, self._owner, number, own_id)
            for number, own_id in enumerate(self.ids)
        ]

    def __len__(self) -> int:
        """The number of records."""
        return len(self.ids)

    def __iter__(self) -> Iterator[Member[OwnerT]]:
        """One after the other."""
        return iter(self.members)

    def get(self, own_id: str) -> Member[OwnerT] | None:
        """The one of an id, if it is here."""
        return self._by_id.get(own_id)

    @cached_property
    def _by_id(self) -> dict[str, Member[OwnerT]]:
        return dict(zip(self.ids, self.members, strict=True))


def _put_in_order(made: dict[str, Any]) -> None:
    """Lets nothing be updated before it is created, nor end before it starts."""
    for first, then in _STARTS_AND_ENDS:
        for name in [name for name in made if name.startswith(f"{first}_")]:
            later = then + name.removeprefix(first)
            if made[name] is not None and made.get(later) is not None:
                made[name], made[later] = sorted((made[name], made[later]))
