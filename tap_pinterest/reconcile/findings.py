"""The result of a comparison: for each metric equal, different or not comparable, and why."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tap_pinterest.api.columns import is_conversion
from tap_pinterest.dictionary.metrics import metric
from tap_pinterest.reading.parts import PART_ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from tap_pinterest.api.periods import DateRange

Outcome: TypeAlias = Literal["equal", "differs", "not comparable"]
Totals: TypeAlias = "Mapping[str, Decimal]"
"""Numbers by the API's name of the metric."""
Place: TypeAlias = "tuple[str, date | None]"
"""The entity and the day of a number; no text and no day stand for all of them."""
Cells: TypeAlias = "Mapping[Place, Totals]"

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

_MONEY: Mapping[str | None, Decimal] = {
    **dict.fromkeys(("micro_currency", "micro_usd"), Decimal(1)),
    **dict.fromkeys(("currency", "usd"), Decimal("0.000001")),
}
"""Amounts that are too small to be told apart in one row."""


@dataclass(frozen=True)
class Cause:
    """A proven reason for a difference, or for a part of it.

    Attributes:
        name: What it is, such as `windows`.
        amount: The part of the difference that it explains.
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
        obstacle: Why it cannot be compared; empty if it can.
        causes: The proven reasons for the difference.
        examples: Where it differs for no proven reason.
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
        """Whether the numbers are equal."""
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
        """Whether spend differs and nothing explains all of it."""
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
        notes: What could not be looked at, in sentences.
        is_cut_short: Whether an ad account or a table could not be compared.
        is_stored: Whether the findings are where the user wants them.
    """

    days: DateRange
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_cut_short: bool = False
    is_stored: bool = True

    def cut_short(self, note: str) -> None:
        """Say what could not be compared."""
        self.is_cut_short = True
        self.notes.append(note)

    @property
    def failed(self) -> bool:
        """Whether spend differs for no proven reason, or could not be compared."""
        compared = any(each.metric in SPEND and not each.obstacle for each in self.findings)
        return self.is_cut_short or not compared or any(each.failed for each in self.findings)


@contextmanager
def looking_for_causes(findings: Iterable[Finding], *errors: type[Exception]) -> Iterator[None]:
    """Say in the findings if one of these errors, or Pinterest, stops the search for causes."""
    caught: tuple[type[Exception], ...] = (*PART_ERRORS, *errors)
    try:
        yield
    except caught as error:
        for each in findings:
            each.examples.append(f"the cause could not be looked for: {error}")


def as_number(value: Decimal) -> int | float:
    """A number for JSON."""
    return int(value) if value == value.to_integral_value() else float(value)


def adds_up(name: str) -> bool:
    """Whether a sum of the metric over days and entities makes sense."""
    return bool(metric(name).adds_up)


def tolerance(name: str, rows: int) -> Decimal:
    """The difference that rounding makes in so many rows."""
    return _MONEY.get(metric(name).unit, NOTHING) * rows


def settles_late(name: str) -> bool:
    """Whether the metric still changes weeks later."""
    return is_conversion(name)
