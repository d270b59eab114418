"""Reports: the facts of ads summed up to entities and periods, as the rows that the API answers."""

from __future__ import annotations

import functools
import itertools
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec
import numpy as np

from pinterest_sandbox import targeting
from pinterest_sandbox.attributes import LEVELS
from pinterest_sandbox.columns import COLUMNS, alike, facts_of, total
from pinterest_sandbox.numbers import ACTIONS, CONVERSIONS, ROWS, Cells, is_conversion
from pinterest_sandbox.parts import HOURS, Hours, Some

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from pinterest_sandbox.columns import Column
    from pinterest_sandbox.numbers import Counts, View
    from pinterest_sandbox.parts import Division, Parting
    from pinterest_sandbox.world import AdAccount

_CHUNK_CELLS: Final = 32_768
_ANY_CONVERSION = tuple(f"{kind}:{action}" for kind in CONVERSIONS for action in ACTIONS)
HourStyle: TypeAlias = Literal["iso", "space", "column"]
"""The form of the hour in a row, which the description leaves open: DATE is `2026-11-20T05:00:00`,
or has a space instead of the T, or DATE is the day and HOUR the hour."""


class Sums:
    """The facts of some ads, summed up to what they are counted for and to periods."""

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

    def of(
        self,
        facts: Sequence[str],
        period_starts: Sequence[int],
        breakdowns: Sequence[Sequence[Parting]] = ((),),
    ) -> list[dict[str, Any]]:
        """For each breakdown every fact as an array: entities and parts of them, by periods.

        The parts of one entity are neighbours, and so on within the parts.
        """
        sizes = [math.prod(parting.size for parting in partings) for partings in breakdowns]
        found = [
            {
                fact: np.zeros((self._entities * size, len(period_starts)), np.int64)
                for fact in facts
            }
            for size in sizes
        ]
        periods = np.repeat(
            np.arange(len(period_starts)), np.diff([*period_starts, len(self._days)])
        )
        step = max(1, _CHUNK_CELLS // max(1, len(self._days)))
        for start in range(0, len(self._ads), step):
            cells = Cells(self._account, self._ads[start : start + step], self._days, self._view)
            owner = self._owner[start : start + step]
            for partings, sums in zip(breakdowns, found, strict=True):
                if partings:
                    _add_parts(sums, cells, owner, partings, periods)
                else:
                    _add(sums, cells, owner, period_starts)
        return found


def _add(
    sums: dict[str, Any], cells: Cells, owner: NDArray[np.int64], period_starts: Sequence[int]
) -> None:
    """Adds each ad to its owner; the ads of one owner are neighbours."""
    runs = np.flatnonzero(np.diff(owner, prepend=-1))
    for fact, into in sums.items():
        of_owner = np.add.reduceat(cells.local(fact), runs, axis=0)
        into[owner[runs]] += np.add.reduceat(of_owner, period_starts, axis=1)


def _add_parts(
    sums: dict[str, Any],
    cells: Cells,
    owner: NDArray[np.int64],
    partings: Sequence[Parting],
    periods: NDArray[np.int64],
) -> None:
    """Adds each part of each ad to its bucket."""
    divisions = [parting.divided(cells) for parting in partings]
    for fact, into in sums.items():
        amounts = cells.local(fact).ravel()
        places = np.flatnonzero(amounts)
        whole = Some(places, amounts[places], owner[places // len(periods)])
        for part in _parts(divisions, fact, whole):
            at = part.buckets * into.shape[1] + periods[part.places % len(periods)]
            np.add.at(into.reshape(-1), at, part.amounts)


def _parts(divisions: Sequence[Division], fact: str, whole: Some) -> Iterator[Some]:
    if not divisions:
        yield whole
        return
    for part in divisions[0].parts(fact, whole):
        yield from _parts(divisions[1:], fact, part)


class AccountTotals:
    """An ad account's facts per day, remembered: a large account takes a while to add up."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], int] = {}

    def of(
        self, account: AdAccount, facts: Sequence[str], days: range, view: View
    ) -> dict[str, Any]:
        """Every fact as an array of one entity by days."""
        places = {fact: self._places(account, fact, days, view) for fact in facts}
        known = self._known
        missing = {
            fact: [day for day, place in zip(days, of_fact, strict=True) if place not in known]
            for fact, of_fact in places.items()
        }
        if wanted := [fact for fact in facts if missing[fact]]:
            first = min(missing[fact][0] for fact in wanted)
            last = max(missing[fact][-1] for fact in wanted)
            self._add_up(account, wanted, range(first, last + 1), view)
        return {
            fact: np.array([[known[place] for place in of_fact]], np.int64)
            for fact, of_fact in places.items()
        }

    def _add_up(self, account: AdAccount, facts: Sequence[str], days: range, view: View) -> None:
        everything = [np.arange(account.ads.count)]
        (sums,) = Sums(account, everything, days, view).of(facts, range(len(days)))
        for fact, found in sums.items():
            places = self._places(account, fact, days, view)
            self._known.update(zip(places, found[0].tolist(), strict=True))

    @staticmethod
    def _places(account: AdAccount, fact: str, days: range, view: View) -> list[tuple[Any, ...]]:
        keys = view.fact_keys(fact, days)
        return [(account.number, fact, day, *key) for day, key in zip(days, keys, strict=True)]


class Report(msgspec.Struct, frozen=True):
    """A request for analytics."""

    account: AdAccount
    level: str
    entities: Sequence[Any]
    """Running numbers, of the level; campaigns and Pin ids for Pins; for the account, just 0."""
    columns: tuple[str, ...]
    granularity: str
    start: date
    end: date
    view: View
    hours: HourStyle = "iso"
    breakdowns: tuple[tuple[str, ...], ...] = ()
    """Targeting types, each by itself or some together."""
    only: NDArray[np.bool_] | None = None
    """Which ads are counted; by default all."""
    id_as: str | None = None
    """The column with the entity's id, where it is not that of the level."""
    more: Collection[str] = ()
    """Columns that this account has and nobody describes."""

    def column(self, name: str) -> Column | None:
        """The metric of a name; nothing for an attribute."""
        return alike(name) if name in self.more else COLUMNS.get(name)

    @property
    def id_column(self) -> str:
        """The column that is in every row."""
        return self.id_as or LEVELS[self.level].id_column

    @property
    def hourly(self) -> bool:
        """Whether days are divided into hours."""
        return self.granularity == "HOUR"


class Table(msgspec.Struct, frozen=True):
    """The rows of a report, or of one of its breakdowns, column by column."""

    columns: dict[str, list[Any]]
    """All of the same length; `msgspec.UNSET` where a row has no value."""
    metrics: list[str]
    """The columns that count or measure."""
    targeting: list[Any] = []
    """The targeting value of each row; `msgspec.UNSET` where it has none."""

    def rows(self) -> list[msgspec.Struct]:
        """One after the other."""
        return list(map(_row_type(tuple(self.columns)), *self.columns.values()))


def rows(report: Report, totals: AccountTotals) -> list[msgspec.Struct]:
    """The rows of a report, by entity and date; those without delivery are left out."""
    (table,) = tables(report, totals)
    return table.rows()


def tables(report: Report, totals: AccountTotals) -> list[Table]:
    """A report's rows by entity, targeting value and date, a table for each breakdown."""
    wanted = {name: column for name in report.columns if (column := report.column(name))}
    metrics = {name: column for name, column in wanted.items() if _has(report, column)}
    facts = [ROWS, *facts_of(metrics.values())]
    if report.view.by_conversion_time and not report.hourly:
        facts = list(dict.fromkeys([*facts, *_ANY_CONVERSION]))
    starts, dates = periods(report.granularity, report.start, report.end)
    form = _Form(report, metrics, _described(report), _dated(report, dates))
    breakdowns = [_targeting_values(report, types) for types in report.breakdowns] or [[None]]
    return [
        form.table(sums, values)
        for sums, values in zip(_sums(report, totals, facts, starts), breakdowns, strict=True)
    ]


class _Form(msgspec.Struct, frozen=True):
    """The parts that all tables of a report share."""

    report: Report
    metrics: dict[str, Column]
    described: list[dict[str, Any]]
    """The attributes of each entity."""
    dated: dict[str, list[Any]]
    """The columns that name the period, for each period."""

    def table(self, sums: dict[str, Any], values: list[Any]) -> Table:
        """The rows of the sums of all entities and values, by periods."""
        report = self.report
        present = sums[ROWS] > 0
        if report.view.by_conversion_time and not report.hourly:
            # An ad that has stopped is still credited with what comes of its last days.
            present = present | (total(sums, _ANY_CONVERSION) > 0)
        kept = np.flatnonzero(present)
        flat = {fact: found.ravel()[kept] for fact, found in sums.items()}
        parts, places = np.divmod(kept, present.shape[1])
        entities, of_values = (found.tolist() for found in np.divmod(parts, max(1, len(values))))
        id_column = report.id_column
        columns: dict[str, list[Any]] = {id_column: []}
        for name, of_period in self.dated.items():
            columns[name] = [of_period[place] for place in places.tolist()]
        for name in (id_column, *report.columns):
            if name in self.metrics:
                columns[name] = self.metrics[name].values(flat)
            elif report.column(name) is None:
                of_entity = [_or_absent(attributes.get(name)) for attributes in self.described]
                columns[name] = [of_entity[entity] for entity in entities]
        in_rows = [_or_absent(values[value]) for value in of_values]
        return Table(columns, list(self.metrics), in_rows)


def _targeting_values(report: Report, types: tuple[str, ...]) -> list[Any]:
    """The values of a breakdown, in the order of its parts; of several types each with each."""
    of_types = [targeting.values_of(report.account, name) for name in types]
    if len(of_types) == 1:
        return list(of_types[0])
    return [
        "&".join("" if value is None else str(value) for value in values)
        for values in itertools.product(*of_types)
    ]


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


def _dated(report: Report, dates: list[str] | None) -> dict[str, list[Any]]:
    """The columns that name the period, for each period of one entity."""
    if dates is None:
        return {}
    if not report.hourly:
        return {"DATE": dates}
    hours = [(day, hour) for day in dates for hour in range(HOURS)]
    if report.hours == "column":
        return {"DATE": [day for day, _ in hours], "HOUR": [hour for _, hour in hours]}
    between = {"iso": "T", "space": " "}[report.hours]
    return {"DATE": [f"{day}{between}{hour:02}:00:00" for day, hour in hours]}


def _has(report: Report, column: Column) -> bool:
    """Whether a report has a metric: hourly reports have no conversions."""
    return not report.hourly or not any(map(is_conversion, facts_of([column])))


@functools.cache
def _row_type(fields: tuple[str, ...]) -> type[msgspec.Struct]:
    columns = [(name, Any, msgspec.UNSET) for name in fields]
    return msgspec.defstruct("Row", columns, gc=False)


def _sums(
    report: Report, totals: AccountTotals, facts: Sequence[str], starts: Sequence[int]
) -> list[dict[str, Any]]:
    """The facts of each breakdown, or of the whole."""
    account = report.account
    days = range(report.start.toordinal(), report.end.toordinal() + 1)
    whole = report.level == "ad_account" and report.only is None
    if whole and not report.hourly and not report.breakdowns:
        if not account.ads.count:
            return [{fact: np.zeros((1, len(starts)), np.int64) for fact in facts}]
        daily = totals.of(account, facts, days, report.view)
        return [{fact: np.add.reduceat(found, starts, axis=1) for fact, found in daily.items()}]
    children = LEVELS[report.level].children
    of_all: list[Parting] = []
    if children is None:
        owners = [ads_of(account, report.level, entity) for entity in report.entities]
    else:
        of_all.append(children(account).parting(report.entities))
        owners = [np.arange(account.ads.count)]
    if report.only is not None:
        owners = [ads[report.only[ads]] for ads in owners]
    hours = [Hours(account.ads.count)] if report.hourly else []
    partings = [
        [*of_all, *(targeting.parting(account, name) for name in types), *hours]
        for types in report.breakdowns or ((),)
    ]
    found = Sums(account, owners, days, report.view).of(facts, starts, partings)
    if not report.hourly:
        return found
    return [{fact: _hour_by_hour(each) for fact, each in sums.items()} for sums in found]


def _hour_by_hour(found: Counts) -> Counts:
    """Rows of entities and hours, by days, as rows of entities, by days and hours."""
    entities, days = len(found) // HOURS, found.shape[1]
    by_hour = found.reshape(entities, HOURS, days).transpose(0, 2, 1)
    return np.ascontiguousarray(by_hour).reshape(entities, days * HOURS)


def ads_of(account: AdAccount, level: str, entity: Any) -> NDArray[np.int64]:  # noqa: ANN401
    """The running numbers of the ads under the account, a campaign, an ad group, and so on."""
    if level == "ad_account":
        return np.arange(account.ads.count)
    if level == "ad":
        return np.array([entity])
    if level == "pin":
        campaign, pin_id = entity
        ads = ads_of(account, "campaign", campaign)
        return ads[[account.pin_id(ad) == pin_id for ad in ads.tolist()]]
    owner = account.ads.parent if level == "ad_group" else account.campaign_of_ad
    first, end = np.searchsorted(owner, [entity, entity + 1])
    return np.arange(first, end)


def _or_absent(value: Any) -> Any:  # noqa: ANN401  any attribute
    return msgspec.UNSET if value is None else value


def _described(report: Report) -> list[dict[str, Any]]:
    """The attributes of each entity of a report, its id as text."""
    account, today, id_column = report.account, report.view.today, report.id_column
    describe = LEVELS[report.level].describe
    found = [describe(account, entity, today) for entity in report.entities]
    for attributes in found:
        attributes[id_column] = str(attributes[id_column])
    return found
