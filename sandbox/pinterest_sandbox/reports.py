"""Reports: the facts of ads summed up to entities and periods, as the rows that the API answers."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from pinterest_sandbox.attributes import ID_OF_LEVEL, OF_LEVEL
from pinterest_sandbox.columns import COLUMNS, facts_of, total
from pinterest_sandbox.numbers import ACTIONS, CONVERSIONS, Cells

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from pinterest_sandbox.numbers import View
    from pinterest_sandbox.world import AdAccount

_CHUNK_CELLS: Final = 32_768
_ANY_CONVERSION = tuple(f"{kind}:{action}" for kind in CONVERSIONS for action in ACTIONS)


class Sums:
    """The facts of some ads, summed up to the entities they belong to and to periods."""

    def __init__(
        self, account: AdAccount, owners: Sequence[NDArray[np.int64]], days: range, view: View
    ) -> None:
        """Takes the ads of each entity, in any number."""
        self._account = account
        self._ads = np.concatenate([np.empty(0, np.int64), *owners])
        sizes = [len(ads) for ads in owners]
        self._owner = np.repeat(np.arange(len(owners)), sizes)
        self._entities = len(owners)
        self._days = np.arange(days.start, days.stop)
        self._view = view

    def of(self, facts: Sequence[str], period_starts: Sequence[int]) -> dict[str, Any]:
        """Every fact as an array of entities by periods."""
        shape = (self._entities, len(period_starts))
        sums = {fact: np.zeros(shape, np.int64) for fact in facts}
        step = max(1, _CHUNK_CELLS // max(1, len(self._days)))
        for start in range(0, len(self._ads), step):
            ads, owner = self._ads[start : start + step], self._owner[start : start + step]
            runs = np.flatnonzero(np.diff(owner, prepend=-1))
            cells = Cells(self._account, ads, self._days, self._view)
            for fact, into in sums.items():
                of_entity = np.add.reduceat(cells[fact], runs, axis=0)
                into[owner[runs]] += np.add.reduceat(of_entity, period_starts, axis=1)
        return sums


class AccountTotals:
    """An ad account's facts per day, remembered: a large account takes a while to add up."""

    def __init__(self) -> None:
        """Starts with nothing known."""
        self._known: dict[tuple[Any, ...], int] = {}

    def of(
        self, account: AdAccount, facts: Sequence[str], days: range, view: View
    ) -> dict[str, Any]:
        """Every fact as an array of one entity by days."""
        missing = [
            (fact, day)
            for day in days
            for fact in facts
            if self._place(account, fact, day, view) not in self._known
        ]
        if missing:
            wanted = list(dict.fromkeys(fact for fact, _ in missing))
            self._add_up(account, wanted, range(missing[0][1], missing[-1][1] + 1), view)
        return {
            fact: np.array(
                [[self._known[self._place(account, fact, day, view)] for day in days]], np.int64
            )
            for fact in facts
        }

    def _add_up(self, account: AdAccount, facts: Sequence[str], days: range, view: View) -> None:
        everything = [np.arange(account.ads.count)]
        sums = Sums(account, everything, days, view).of(facts, range(len(days)))
        for fact, found in sums.items():
            for day, value in zip(days, found[0].tolist(), strict=True):
                self._known[self._place(account, fact, day, view)] = value

    @staticmethod
    def _place(account: AdAccount, fact: str, day: int, view: View) -> tuple[Any, ...]:
        return (account.number, fact, day, *view.fact_key(fact, day))


class Report(msgspec.Struct, frozen=True):
    """What a request for synchronous analytics asks for."""

    account: AdAccount
    level: str
    entities: Sequence[int]
    """Running numbers, of the level; for the account itself, just one."""
    columns: tuple[str, ...]
    granularity: str
    start: date
    end: date
    view: View


def rows(report: Report, totals: AccountTotals) -> list[msgspec.Struct]:
    """The rows of a report, by entity and date; those without delivery are left out."""
    metrics = [name for name in report.columns if name in COLUMNS]
    facts = ["rows", *facts_of(COLUMNS[name] for name in metrics)]
    if report.view.by_conversion_time:
        facts = list(dict.fromkeys([*facts, *_ANY_CONVERSION]))
    starts, dates = periods(report.granularity, report.start, report.end)
    sums = _sums(report, totals, facts, starts)
    present = sums["rows"] > 0
    if report.view.by_conversion_time:
        # An ad that has stopped is still credited with what comes of its last days.
        present = present | (total(sums, _ANY_CONVERSION) > 0)
    kept = np.flatnonzero(present)
    flat = {fact: found.ravel()[kept] for fact, found in sums.items()}
    entities, days = (places.tolist() for places in np.divmod(kept, len(starts)))
    described = _described(report)
    columns: dict[str, list[Any]] = {}
    for name in dict.fromkeys((ID_OF_LEVEL[report.level], "DATE", *report.columns)):
        if name == "DATE":
            if dates:
                columns[name] = [dates[day] for day in days]
        elif name in COLUMNS:
            columns[name] = COLUMNS[name].values(flat)
        else:
            of_entity = [_or_absent(attributes.get(name)) for attributes in described]
            columns[name] = [of_entity[entity] for entity in entities]
    return list(map(_row_type(tuple(columns)), *columns.values()))


def periods(granularity: str, start: date, end: date) -> tuple[list[int], list[str] | None]:
    """Where each period begins, in days from `start`, and its date; none for a TOTAL.

    A week is dated by its Monday and a month by its first, also where the range begins later.
    """
    if granularity == "TOTAL":
        return [0], None
    begins: dict[date, int] = {}
    for offset in range((end - start).days + 1):
        day = start + timedelta(days=offset)
        if granularity == "WEEK":
            day -= timedelta(days=day.weekday())
        elif granularity == "MONTH":
            day = day.replace(day=1)
        begins.setdefault(day, offset)
    return list(begins.values()), [day.isoformat() for day in begins]


@functools.cache
def _row_type(fields: tuple[str, ...]) -> type[msgspec.Struct]:
    columns = [(name, Any, msgspec.UNSET) for name in fields]
    return msgspec.defstruct("Row", columns, gc=False)


def _sums(
    report: Report, totals: AccountTotals, facts: Sequence[str], starts: Sequence[int]
) -> dict[str, Any]:
    account = report.account
    days = range(report.start.toordinal(), report.end.toordinal() + 1)
    if report.level == "ad_account":
        if not account.ads.count:
            return {fact: np.zeros((1, len(starts)), np.int64) for fact in facts}
        daily = totals.of(account, facts, days, report.view)
        return {fact: np.add.reduceat(found, starts, axis=1) for fact, found in daily.items()}
    owners = [ads_of(account, report.level, number) for number in report.entities]
    return Sums(account, owners, days, report.view).of(facts, starts)


def ads_of(account: AdAccount, level: str, number: int) -> NDArray[np.int64]:
    """The running numbers of the ads under a campaign, an ad group, or the ad itself."""
    if level == "ad":
        return np.array([number])
    owner = account.ads.parent if level == "ad_group" else account.campaign_of_ad
    first, end = np.searchsorted(owner, [number, number + 1])
    return np.arange(first, end)


def _or_absent(value: Any) -> Any:  # noqa: ANN401  any attribute
    return msgspec.UNSET if value is None else value


def _described(report: Report) -> list[dict[str, Any]]:
    """The attributes of each entity of a report, its id as text."""
    account, today = report.account, report.view.today
    describe, id_column = OF_LEVEL[report.level], ID_OF_LEVEL[report.level]
    found = [describe(account, number, today) for number in report.entities]
    for attributes in found:
        attributes[id_column] = str(attributes[id_column])
    return found
