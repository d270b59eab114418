"""The result of a comparison: for each metric equal, different or not comparable, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from tap_pinterest.api.periods import DateRange
from tap_pinterest.dictionary.metrics import metric
from tap_pinterest.http.errors import PART_ERRORS

Outcome: TypeAlias = Literal["equal", "differs", "not comparable"]
Totals: TypeAlias = Mapping[str, Decimal]
"""Numbers by the API's name of the metric."""
Place: TypeAlias = tuple[str, date | None]
"""The entity and the day of a number; an empty text and no day stand for all of them."""
Cells: TypeAlias = Mapping[Place, Totals]

NOTHING = Decimal(0)
SPEND = frozenset({"SPEND_IN_MICRO_DOLLAR", "SPEND_IN_DOLLAR"})
WINDOWS = "windows"
REPORT_TIME = "report time"
TIME_ZONE = "time zone"
FILTERED = "filtered statuses"
ARCHIVED = "archived"
RESTATED = "restated since"
KINDS = "paid against total"
LEVELS_DIFFER = "Pinterest's levels differ"
NO_SUM = "it does not add up over rows"
"""The obstacle of a metric such as a rate."""
NO_NUMBER = "rows have NaN or Infinity"
"""The obstacle of a column that has no sum."""

_MONEY: Mapping[str | None, Decimal] = {
    **dict.fromkeys(("micro_currency", "micro_usd"), Decimal(1)),
    **dict.fromkeys(("currency", "usd"), Decimal("0.000001")),
}
"""The largest difference that rounding can make in one row, by unit."""


@dataclass(frozen=True)
class Cause:
    """A proven reason for a difference, or for a part of it.

    Attributes:
        name: A short name, such as `windows`.
        amount: The part of the difference that the cause explains.
        text: The proof, in words.
    """

    name: str
    amount: Decimal
    text: str


@dataclass
class Finding:
    """The comparison of one metric of one ad account.

    Attributes:
        source: The table, or the name of the export.
        metric: The metric, by the API's name.
        here: The sum in the table or the export.
        pinterest: Pinterest's total for the same days.
        tolerance: A difference that rounding explains.
        obstacle: Why the metric cannot be compared; empty if it can.
        causes: The proven reasons for the difference.
        examples: Rows that differ for no proven reason.
    """

    source: str
    ad_account_id: str
    metric: str
    here: Decimal = NOTHING
    pinterest: Decimal = NOTHING
    tolerance: Decimal = NOTHING
    obstacle: str = ""
    causes: list[Cause] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)

    @property
    def difference(self) -> Decimal:
        """How much more the table or the export has than Pinterest."""
        return self.here - self.pinterest

    @property
    def outcome(self) -> Outcome:
        """The result in a word."""
        if self.obstacle:
            return "not comparable"
        return "equal" if abs(self.difference) <= self.tolerance else "differs"

    @property
    def unexplained(self) -> Decimal:
        """The part of the difference that no cause explains."""
        if self.outcome != "differs":
            return NOTHING
        rest = self.difference - sum((each.amount for each in self.causes), NOTHING)
        return rest if abs(rest) > self.tolerance or self.examples else NOTHING

    @property
    def failed(self) -> bool:
        """Whether spend differs and the causes do not explain all of it."""
        return self.metric in SPEND and (bool(self.unexplained) or bool(self.examples))

    def as_json(self) -> dict[str, Any]:
        """The finding for other programs."""
        facts: dict[str, Any] = {
            "source": self.source,
            "ad_account_id": self.ad_account_id,
            "metric": self.metric.lower(),
            "outcome": self.outcome,
        }
        if self.obstacle:
            return {**facts, "obstacle": self.obstacle}
        numbers = {"here": self.here, "pinterest": self.pinterest, "difference": self.difference}
        facts |= {name: as_number(value) for name, value in numbers.items()}
        if self.outcome == "differs":
            facts["unexplained"] = as_number(self.unexplained)
            facts["causes"] = [
                {"cause": each.name, "amount": as_number(each.amount), "text": each.text}
                for each in self.causes
            ]
            facts["examples"] = self.examples
        return facts


@dataclass
class Report:
    """All findings of one comparison.

    Attributes:
        notes: Sentences about tables, columns and lines that were not compared.
        is_cut_short: Whether an ad account or a table could not be compared.
        is_stored: False if the user wants the findings stored and the database refused them.
    """

    days: DateRange
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_cut_short: bool = False
    is_stored: bool = True

    def cut_short(self, note: str) -> None:
        """Note an ad account or a table that could not be compared."""
        self.is_cut_short = True
        self.notes.append(note)

    @property
    def failed(self) -> bool:
        """Whether spend differs for no proven reason, or could not be compared."""
        compared = any(each.metric in SPEND and not each.obstacle for each in self.findings)
        return self.is_cut_short or not compared or any(each.failed for each in self.findings)


@contextmanager
def looking_for_causes(findings: Iterable[Finding], *errors: type[Exception]) -> Iterator[None]:
    """Note it in the findings if one of these errors, or Pinterest, stops the search for causes."""
    caught: tuple[type[Exception], ...] = (*PART_ERRORS, *errors)
    try:
        yield
    except caught as error:
        # Further lines of a database's message repeat the query.
        reason = str(error).partition("\n")[0]
        for each in findings:
            each.examples.append(f"the cause could not be looked for: {reason}")


def as_number(value: Decimal) -> int | float:
    """A number for JSON."""
    return int(value) if value == value.to_integral_value() else float(value)


def added_up(parts: Iterable[Totals]) -> Totals:
    """The sums of numbers of the same name."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for part in parts:
        for name, number in part.items():
            found[name] += number
    return found


def adds_up(name: str) -> bool:
    """Whether a sum of the metric over days and entities makes sense."""
    return bool(metric(name).adds_up)


def tolerance(name: str, rows: int) -> Decimal:
    """The largest difference that rounding can make in this number of rows."""
    return _MONEY.get(metric(name).unit, NOTHING) * rows
