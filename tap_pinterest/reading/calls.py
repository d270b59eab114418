"""The calls that read a dataset: one for each parent, value or batch of ids that it must name.

A stream says in `per` what its calls are made for; the sources here turn that into rows of
parameters, and a `Call` is one such row filled into the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias
from urllib.parse import quote

from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.api.batches import batches
from tap_pinterest.config import Settings
from tap_pinterest.reading.call import Call, Row
from tap_pinterest.reading.owners import Owners
from tap_pinterest.reading.pages import PAGE_DECODERS, Decode, Item
from tap_pinterest.reading.parts import Parts

Precision: TypeAlias = Literal["", "at least", "about"]

BATCH_BYTES = 6_000
"""Most bytes of one list of ids or words in a URL, which has 7,500 in all."""


@dataclass(frozen=True)
class Expected:
    """Calls that a run will make, in one rate category.

    Attributes:
        precision: `at least` if pages may follow, or `about`; empty means exact.
        most: Number of calls in the worst case; 0 if there is no worse case.
        key: Identifies a call that is made once a run for all streams that need it.
        operation: The operation of the calls, if it may have a limit of its own.
    """

    category: str
    calls: int = 1
    precision: Precision = ""
    most: int = 0
    key: bytes | None = None
    operation: str = ""


class Lists(Protocol):
    """The lists of a run that calls take ids from; `Inventory` reads them."""

    owners: Owners

    def rows(
        self, listing: Listing, scope: Scope, where: Mapping[str, Sequence[str]]
    ) -> Iterator[Mapping[str, str]]:
        """The fields that a listing names, of each item that has one of the values asked for."""


@dataclass(frozen=True)
class Scope:
    """The context and the objects that the calls of a dataset depend on.

    Attributes:
        context: The ad account or the user; `None` for neither.
        parts: Receives the outcome of each call.
    """

    inventory: Lists
    settings: Settings
    context: Mapping[str, str] | None
    parts: Parts


@dataclass(frozen=True)
class Listing:
    """A dataset as the inventory reads it.

    Attributes:
        fields: Fields of its items that other streams or filters need, the id first.
        filters: The wanted values by field, for filters that the calls do not apply.
    """

    path: str
    calls: Callable[[Scope], Iterable[Call]]
    fields: tuple[str, ...]
    filters: Mapping[str, frozenset[str]]
    decode: Decode

    def wants(self, item: Item) -> bool:
        """Whether an item passes the filters."""
        return all(str(item.get(name)) in values for name, values in self.filters.items())


class Dataset(Protocol):
    """The parts of a stream's class that sources use."""

    path: str

    @classmethod
    def listing(cls, settings: Settings) -> Listing:
        """The dataset as the inventory reads it."""

    @classmethod
    def parents(cls) -> Iterator[Dataset]:
        """Datasets whose items the calls are made for, and their parents."""

    @classmethod
    def parameters(cls, settings: Settings) -> Mapping[str, Any]:
        """Parameters that are the same in every call."""

    @classmethod
    def shows_all(cls, settings: Settings) -> bool:
        """Whether its lists leave no item out, except items of parents that are not read."""


class Source:
    """The values that calls are made for, such as ids of parents.

    Attributes:
        columns: Names of its values that records carry.
        parents: Datasets that it takes values from.
        settings: Settings without which it has no rows.
    """

    columns: Sequence[str] = ()
    parents: Sequence[Dataset] = ()
    settings: Sequence[str] = ()

    def rows(self, path: str, scope: Scope) -> Iterable[Row]:
        """The values for the calls of a path, one row for each call."""
        raise NotImplementedError


class Each(Source):
    """Each item of another dataset."""

    def __init__(
        self, parent: Dataset, where: Mapping[str, Sequence[str]] | None = None, **names: str
    ) -> None:
        """Items of a dataset.

        Args:
            parent: The dataset.
            where: Values that fields of an item must have.
            names: By name of a parameter or column, the field of the item that gives its value.
        """
        self.parents = (parent,)
        self.columns = tuple(names)
        self._where = where or {}
        self._names = names

    @override
    def rows(self, path: str, scope: Scope) -> Iterator[Row]:
        listing = self.parents[0].listing(scope.settings)
        for item in scope.inventory.rows(listing, scope, self._where):
            row = {name: item[field] for name, field in self._names.items()}
            if all(row.values()):
                yield row


class Values(Source):
    """Each of some values of a parameter; by default all that the description allows."""

    def __init__(self, name: str, *values: str | bool) -> None:
        self.columns = (name,)
        self._values = values

    @override
    def rows(self, path: str, scope: Scope) -> Iterator[Row]:
        (name,) = self.columns
        for value in self._values or api.operation(f"GET {path}").parameters[name].allowed:
            yield {name: value}


class Setting(Source):
    """Each value of a setting that the parameter allows; no row if the setting is not set."""

    def __init__(self, setting: str, name: str) -> None:
        self.settings = (setting,)
        self.columns = (name,)

    @override
    def rows(self, path: str, scope: Scope) -> Iterator[Row]:
        (setting,), (name,) = self.settings, self.columns
        allowed = api.operation(f"GET {path}").parameters[name].allowed
        for value in getattr(scope.settings, setting):
            if not allowed or value in allowed:
                yield {name: value}


class Batches(Source):
    """The values of another source, in batches: as many as the parameter of a call allows."""

    def __init__(self, source: Source, name: str | None = None) -> None:
        """Batches of a source with one column; `name` is the parameter, if it has another name."""
        (value,) = source.columns
        self.parents = source.parents
        self.settings = source.settings
        self._source = source
        self._value = value
        self._name = name or value

    @override
    def rows(self, path: str, scope: Scope) -> Iterator[Row]:
        most = api.operation(f"GET {path}").parameters[self._name].max_items
        values = (row[self._value] for row in self._source.rows(path, scope))
        separator = len(self._name) + 2

        def length(value: str) -> int:
            return len(quote(value)) + separator

        for batch in batches(values, most, length=length, longest=BATCH_BYTES):
            yield {self._name: batch}


class Either(Source):
    """All rows of the first source, then those of the next; no row twice."""

    def __init__(self, *sources: Source) -> None:
        self._sources = sources
        self.columns = tuple(dict.fromkeys(name for each in sources for name in each.columns))
        self.parents = tuple(parent for each in sources for parent in each.parents)

    @override
    def rows(self, path: str, scope: Scope) -> Iterator[Row]:
        seen: set[tuple[tuple[str, Any], ...]] = set()
        for source in self._sources:
            for row in source.rows(path, scope):
                identity = tuple(row.items())
                if identity not in seen:
                    seen.add(identity)
                    yield row


class Once(Source):
    """A single call without parameters of its own."""

    @override
    def rows(self, path: str, scope: Scope) -> Iterator[Row]:
        yield {}


class User(Source):
    """The user of the context."""

    columns = ("user_id",)

    @override
    def rows(self, path: str, scope: Scope) -> Iterator[Row]:
        yield {"user_id": scope.inventory.owners.user_id(scope.context)}


def product(sources: Sequence[Source], path: str, scope: Scope) -> Iterator[Row]:
    """Each combination of the sources' rows."""
    if not sources:
        yield {}
        return
    first, *others = sources
    for row in first.rows(path, scope):
        for more in product(others, path, scope):
            yield {**row, **more}


def page_decoder(path: str) -> Decode:
    """The function that decodes the answers of `GET path`."""
    return PAGE_DECODERS[api.operation(f"GET {path}").shape]
