"""Random histories of runs against a model: no day stays unread or outdated without a word."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from drawn_cases import drawn
from tap_pinterest.api.periods import GRANULARITIES, DateRange
from tap_pinterest.singer.state import Progress, ReportRange
from tap_pinterest.singer.state_checks import checked

if TYPE_CHECKING:
    from tap_pinterest.api.periods import Granularity

SEED = 20261130
DAY = timedelta(days=1)
LOOKBACKS = {"aaaaaaaa": 9, "bbbbbbbb": 9, "cccccccc": 3}
"""Settings and the lookback that follows from their windows."""
CHANGES: dict[int, tuple[str, tuple[object, ...]]] = {
    0: ("start", (5, 20, 40, 80)),
    2: ("end", (0, 1, 1, 4)),
    4: ("settings", tuple(LOOKBACKS)),
    5: ("settings", tuple(LOOKBACKS)),
    6: ("reach", (15, 60, 150)),
    8: ("restate", ("always", "daily", "daily")),
    9: ("lag", (None, 1, 2, 5)),
    10: ("is_whole", (False, True)),
}
"""What a user changes now and then, by the number that chance draws: a setting and its values."""


@dataclass
class Config:
    """The settings of one run, as a user may change them between runs."""

    start: int | date = 20
    """Days before today, or a date."""
    end: int | date = 1
    settings: str = "aaaaaaaa"
    reach: int = 60
    backfill: DateRange | None = None
    restate: str = "always"
    is_whole: bool = False
    lag: int | None = 2
    """Days until Pinterest calls a day complete; `None` if it does not answer."""


@dataclass
class Table:
    """The rows of the database: for each period's first day, the settings and when it was read."""

    rows: dict[date, tuple[str, date]] = field(default_factory=dict)


@dataclass
class History:
    """One report of one account, its table and its state, over the runs of a connection."""

    chance: random.Random
    granularity: Granularity
    today: date = date(2026, 1, 31)
    config: Config = field(default_factory=Config)
    partition: dict[str, object] = field(default_factory=dict)
    table: Table = field(default_factory=Table)
    wanted: set[date] = field(default_factory=set)
    """First days of the periods that a run that ended well has read or that its config wants."""
    said: set[date] = field(default_factory=set)
    last_known: date | None = None
    """The last of the wanted periods before the last run."""

    def change(self) -> None:
        """Change a setting, as users do now and then."""
        chance, config = self.chance, self.config
        match chance.randrange(12):
            case 1:
                config.start = self.today - DAY * chance.randrange(2, 100)
            case 3:
                config.end = self.today - DAY * chance.randrange(0, 30)
            case 7:
                first = self.today - DAY * chance.randrange(1, 120)
                config.backfill = DateRange(first, first + DAY * chance.randrange(30))
            case 11:
                config.backfill = None
            case number:
                name, values = CHANGES[number]
                setattr(config, name, chance.choice(values))

    def run(self, outcome: str) -> None:
        """One run: it ends well, is killed between two rows, or is refused."""
        days = self.range()
        self.last_known = max(self.wanted, default=None)
        settings = self.config.settings
        progress = Progress.of(checked_partition(self.partition))
        if self.config.is_whole:
            progress = progress.outdated(days.days, self.granularity)
        ranges = days.to_read(progress, settings)
        for each in days.out_of_reach(progress, settings):
            self.said |= set(self.periods(each))
        if outcome == "refused":
            return
        days.before_rewriting(progress, settings).write_to(self.partition, "date")
        read = [period for each in ranges for period in self.periods(each)]
        assert all(period >= days.earliest for period in read)
        assert len(read) == len(set(read))
        if outcome == "killed":
            read = read[: self.chance.randrange(len(read) + 1)]
        for period in read:
            self.table.rows[period] = (settings, self.today)
        if outcome == "well":
            days.after(progress, settings).write_to(self.partition, "date")
            # Without an answer about complete days a run fails.
            if self.config.lag is not None:
                self.wanted |= {*read, *self.periods(days.days)}

    def range(self) -> ReportRange:
        """The days that a run wants, as the tap finds them."""
        config = self.config
        earliest = self.today - DAY * config.reach
        start = config.start if isinstance(config.start, date) else self.today - DAY * config.start
        end = config.end if isinstance(config.end, date) else self.today - DAY * config.end
        backfill = config.backfill
        return ReportRange(
            wanted=DateRange(start, min(end, self.today)),
            earliest=earliest,
            lookback_days=LOOKBACKS[config.settings],
            complete_to=self.complete,
            backfill=backfill and DateRange(backfill.start, min(backfill.end, self.today)),
            granularity=self.granularity,
            once_on=self.today if config.restate == "daily" else None,
        )

    @property
    def complete(self) -> date | None:
        return None if self.config.lag is None else self.today - self.config.lag * DAY

    def periods(self, dates: DateRange) -> list[date]:
        """The first days of the periods in a range."""
        count = (dates.end - dates.start).days + 1
        found = (self.granularity.first_day(dates.start + DAY * day) for day in range(count))
        return list(dict.fromkeys(found))

    def end_of(self, period: date) -> date:
        return self.granularity.last_day(period)

    def faults(self) -> list[str]:
        """The complete days within reach that are not as they should be, and nobody was told."""
        days = self.range()
        assert days.complete_to
        newest = min(days.wanted.end, days.complete_to)
        wanted = set(self.wanted)
        if self.last_known:
            # An outage leaves no gap.
            wanted |= {*self.periods(DateRange(self.last_known, newest))}
        faults = []
        for period in sorted(wanted):
            if self.end_of(period) > newest or period in self.said:
                continue
            settings, when = self.table.rows.get(period, ("", date.min))
            if settings != self.config.settings:
                faults.append(f"{period} was read with {settings or 'nothing'}")
            elif self.is_outdated(period, when):
                faults.append(f"{period} was read on {when} for the last time")
        return faults

    def is_outdated(self, period: date, when: date) -> bool:
        """Whether numbers may have changed since they were read."""
        final = self.end_of(period) + DAY * (LOOKBACKS[self.config.settings] + 2)
        return when < min(final, self.today)


def checked_partition(partition: dict[str, object]) -> dict[str, object]:
    """The partition after its way through a state file."""
    state = {"bookmarks": {"x": {"partitions": [{"context": {"a": "1"}, **partition}]}}}
    (found,) = checked(json.loads(json.dumps(state)))["bookmarks"]["x"]["partitions"]
    return dict(found)


def history_of(seed: int, granularity: Granularity) -> History:
    history = History(random.Random(seed), granularity)  # noqa: S311 - a seed, not a secret
    chance = history.chance
    for _ in range(chance.randrange(2, 14)):
        for _ in range(chance.choice((0, 0, 1, 1, 2))):
            history.change()
        history.run(chance.choice(("well", "well", "well", "killed", "refused")))
        history.today += DAY * chance.choice((0, 1, 1, 1, 2, 7, 30, 70))
    history.config.lag = 2
    history.run("well")
    return history


@pytest.mark.parametrize(
    ("granularity", "histories"), [("DAY", drawn(500)), ("WEEK", drawn(150)), ("MONTH", drawn(150))]
)
def test_after_any_history_each_day_is_newest_or_was_said_to_be_missing(
    granularity: str, histories: int
) -> None:
    for number in range(histories):
        history = history_of(SEED + number, GRANULARITIES[granularity])

        assert history.faults() == [], f"seed {SEED + number}"


def test_usual_histories_need_one_interval() -> None:
    history = History(random.Random(SEED), GRANULARITIES["DAY"])  # noqa: S311 - see above
    for _ in range(60):
        history.run("well")
        history.today += DAY

    assert history.partition.keys() == {
        *("replication_key", "replication_key_value", "covered_from", "settings"),
    }
    assert history.partition["covered_from"] == "2026-01-11"
