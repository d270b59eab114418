"""Facts of ads divided into parts, such as hours or product groups; the parts add up to the whole.

A part never shrinks when the whole grows, and what is less in the whole is not more in a part.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pinterest_sandbox.chance import Draws
from pinterest_sandbox.numbers import CENTS, ROWS, is_money

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pinterest_sandbox.numbers import Cells, Counts

HOURS: Final = 24
_RUNNING_HOURS: Final = 11
"""How many hours of the running day have passed, as `numbers` has it: less than half a day."""
_UNITS: Final = 96
_VARIANTS: Final = 8
_NOTHING_SHARE: Final = 0.1
_PARTS_AT_ONCE: Final = 65_536


@dataclass(frozen=True, eq=False)
class Parting:
    """How each ad's facts are divided, anew each day, among some of the same few parts."""

    salt: str
    counts: NDArray[np.int64]
    """Into how many parts, by the ad's running number; none where nothing goes to any part."""
    buckets: NDArray[np.int64]
    """The bucket of each part (column) of each ad (row): a number below `size`, or -1."""
    size: int

    def active(self, cells: Cells) -> NDArray[np.int64]:
        """Into how many parts each cell goes."""
        return self.counts[cells.ads][:, None]

    def divided(self, cells: Cells) -> Division:
        """The division of some cells."""
        return Division(self, cells)


class Hours(Parting):
    """Days as hours; of the running one there are no more than have passed."""

    def __init__(self, ads: int) -> None:
        """Divide the days of some ads."""
        buckets = np.tile(np.arange(HOURS), (ads, 1))
        super().__init__("hour", np.full(ads, HOURS), buckets, HOURS)

    def active(self, cells: Cells) -> NDArray[np.int64]:
        """All hours of a day that is over."""
        running = cells.days == cells.view.today
        return np.where(running, _RUNNING_HOURS, HOURS)[None, :]


class Some(NamedTuple):
    """Some cells with what they hold; the others hold nothing."""

    places: NDArray[np.int64]
    """The places of the cells: ad by ad, day by day."""
    amounts: Counts
    buckets: NDArray[np.int64]
    """The bucket of each cell."""


class Division:
    """The parts of some cells."""

    def __init__(self, parting: Parting, cells: Cells) -> None:
        """Draws how each cell is divided."""
        slots = parting.buckets.shape[1]
        variants = cells.picks(parting.salt, _VARIANTS)
        self._base = ((parting.active(cells) * _VARIANTS + variants) * (_UNITS + 1)).ravel()
        self._first_units = _table(slots)
        self._per_round = self._first_units[:, self._base + _UNITS]
        self._buckets = parting.buckets[cells.ads].T.copy()
        self._size = parting.size
        self._days = len(cells.days)
        self._cells = cells

    def parts(self, fact: str, whole: Some) -> Iterator[Some]:
        """The parts of a fact that belong to a bucket; not too many of them at once."""
        step = max(1, _PARTS_AT_ONCE // max(1, len(self._buckets)))
        for start in range(0, len(whole.places), step):
            yield self._parts(fact, Some(*(each[start : start + step] for each in whole)))

    def _parts(self, fact: str, whole: Some) -> Some:
        unit = self._unit(fact, whole)
        amount = whole.amounts // unit
        rounds = amount // _UNITS
        place = self._base[whole.places] + (amount - rounds * _UNITS)
        per_round = self._per_round[:, whole.places]
        if fact == ROWS:
            amounts = whole.amounts * (per_round > 0)
        else:
            amounts = (rounds * per_round + self._first_units[:, place]) * unit
        buckets = self._buckets[:, whole.places // self._days]
        kept = (amounts > 0) & (buckets >= 0)
        _, of_whole = np.nonzero(kept)
        return Some(
            whole.places[of_whole],
            amounts[kept],
            whole.buckets[of_whole] * self._size + buckets[kept],
        )

    def _unit(self, fact: str, whole: Some) -> Counts | int:
        """The smallest unit of a fact: one micro-currency for amounts without a fraction."""
        if not is_money(fact):
            return 1
        fractional = self._cells.fractional(fact).ravel()[whole.places]
        return np.where(fractional | (whole.amounts % CENTS > 0), 1, CENTS)


@functools.cache
def _table(slots: int) -> NDArray[np.int64]:
    """For each slot how many of the first units go to it, by the number of slots and the variant.

    Units are dealt out in rounds of `_UNITS`, evenly mixed. The first slot always gets some.
    """
    table = np.zeros((slots + 1, _VARIANTS, _UNITS + 1, slots), np.int64)
    for count in range(1, slots + 1):
        for variant in range(_VARIANTS):
            draws = Draws("parts", count, variant)
            weights = np.array(
                [
                    0.2 + draws.share() if draws.share() >= _NOTHING_SHARE or not slot else 0.0
                    for slot in range(count)
                ]
            )
            due = np.zeros(count)
            for unit in range(_UNITS):
                due += weights
                taken = int(np.argmax(due))
                due[taken] -= weights.sum()
                table[count, variant, unit + 1] = table[count, variant, unit]
                table[count, variant, unit + 1, taken] += 1
    return np.ascontiguousarray(table.reshape(-1, slots).T)
