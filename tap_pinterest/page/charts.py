"""Charts as HTML and SVG, without scripts; the page gives the colours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from html import escape
from typing import NamedTuple, TypeAlias

MOST_TICKS = 4
"""Most steps of the axis of values."""
MOST_DAYS_NAMED = 5
DAYS_BETWEEN = (1, 2, 7, 14, 28, 56, 91, 182, 364)
YEARS_FROM = 300
"""From this number of days on, the axis of days names years."""
WIDTH, HEIGHT = 1000, 100
"""The drawing's own units; the page stretches it."""
GAP = 0.22
"""The part of a day's width that stays free."""


Number: TypeAlias = Decimal | float


class Day(NamedTuple):
    """The column of a day.

    Attributes:
        base: The value before the change; `None` if the column shows no change.
    """

    day: date
    value: Number
    base: Number | None = None


class Bar(NamedTuple):
    """A bar with a name and a number."""

    name: str
    value: Number
    title: str


def by_day(days: Sequence[Day], label: str, *, whole: bool) -> str:
    """Columns for days; a day without a column has no rows.

    Args:
        days: At least one day, in order.
        label: The text for readers who cannot see the chart.
        whole: Whether the values are counts, without fractions.
    """
    values = [0.0, *(float(value) for each in days for value in (each.value, each.base or 0))]
    steps = ticks(min(values), max(values), whole=whole)
    low, high = steps[0], steps[-1]
    labels = [short(step, steps) for step in steps]
    lines = "".join(
        f'<i style="bottom:{_percent(step - low, high - low)}"><b>{text}</b></i>'
        for step, text in zip(steps, labels, strict=True)
    )
    drawn = "".join(_columns(days, low, high))
    return (
        f'<div class="days" style="--axis:{max(map(len, labels))}ch">'
        f'<div class="plot"><div class="ticks" aria-hidden="true">{lines}</div>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img"'
        f' aria-label="{escape(label)}">{drawn}</svg></div>'
        f'<div class="dates" aria-hidden="true">{"".join(_dates(days[0].day, days[-1].day))}</div>'
        "</div>"
    )


def _columns(days: Sequence[Day], low: float, high: float) -> Iterator[str]:
    first = days[0].day
    place = WIDTH / ((days[-1].day - first).days + 1)
    for each in days:
        left = (each.day - first).days * place
        # The title belongs to the whole height, because a mouse hardly hits a short column.
        hit = f'<rect class="hit" x="{left:.1f}" width="{place:.1f}" height="{HEIGHT}"/>'
        x, width = left + GAP / 2 * place, (1 - GAP) * place
        drawn = "".join(
            f'<rect class="{kind}" x="{x:.1f}" width="{width:.1f}"'
            f' y="{(high - upper) / (high - low) * HEIGHT:.2f}"'
            f' height="{(upper - lower) / (high - low) * HEIGHT:.2f}"/>'
            for kind, lower, upper in _pieces(each)
            if upper > lower
        )
        before = "" if each.base is None else f" ({exact(each.base)} before)"
        title = f"{day_name(each.day, year=True)}: {exact(each.value)}{before}"
        yield f"<g><title>{title}</title>{hit}{drawn}</g>"


def _pieces(each: Day) -> Iterator[tuple[str, float, float]]:
    """The pieces of a column: the value, and its gain or loss since the base."""
    value = float(each.value)
    base = value if each.base is None else float(each.base)
    kept = min(base, value, key=abs)
    yield "kept", min(kept, 0), max(kept, 0)
    yield "gained", base, value
    yield "lost", value, base


def _percent(part: float, whole: float) -> str:
    return f"{part / whole * 100:.4g}%"


def _dates(first: date, last: date) -> Iterator[str]:
    """Dates at even distances; the last date is always there."""
    count = (last - first).days + 1
    most = -(-count // MOST_DAYS_NAMED)
    step = next((each for each in DAYS_BETWEEN if each >= most), most)
    for back in range(0, count, step):
        day = last - timedelta(back)
        left = _percent(count - back - 0.5, count)
        yield f'<i style="left:{left}">{day_name(day, year=count > YEARS_FROM)}</i>'


def bars(rows: Sequence[Bar]) -> str:
    """Bars with names and numbers, the first on top."""
    largest = max((abs(float(each.value)) for each in rows), default=0.0) or 1.0
    items = "".join(
        f'<li><span class="name" title="{escape(each.title)}" dir="auto">{escape(each.name)}'
        f'</span><span class="bar"><i class="{"lost" if each.value < 0 else "kept"}"'
        f' style="width:{_percent(abs(float(each.value)), largest)}"></i>'
        f"</span><b>{exact(each.value)}</b></li>"
        for each in rows
    )
    return f'<ol class="bars">{items}</ol>'


def ticks(lowest: float, highest: float, *, whole: bool) -> list[float]:
    """Round numbers at even distances, from at most the lowest to at least the highest value."""
    step = max(_round_step((highest - lowest) / MOST_TICKS), 0.01)
    step = math.ceil(step) if whole else step
    first, last = math.floor(lowest / step), math.ceil(highest / step)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _round_step(smallest: float) -> float:
    """The next of 1, 2, 2.5, 5, 10, 20, 25, 50 and so on."""
    if smallest <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(smallest))
    return next((each * power for each in (1, 2, 2.5, 5) if each * power >= smallest), 10 * power)


def short(number: float, steps: Sequence[float]) -> str:
    """A number of an axis; all numbers of an axis have the same unit and number of decimals."""
    size, letter = _unit(max(map(abs, steps)))
    step = (steps[1] - steps[0]) / size
    decimals = next(places for places in range(4) if math.isclose(step, round(step, places)))
    return f"{number / size:,.{decimals}f}{letter}" if number else "0"


def rounded(number: float) -> str:
    """A number with three digits and a letter for its size; a number below 10,000 is whole."""
    size, letter = _unit(abs(number))
    digits = math.floor(math.log10(abs(number) / size)) if letter else 2
    return f"{number / size:,.{max(2 - digits, 0)}f}{letter}"


def _unit(largest: float) -> tuple[float, str]:
    """The unit for an axis that ends at this number, and its letter."""
    units = ((1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))
    return next(((size, letter) for least, size, letter in units if largest >= least), (1.0, ""))


def exact(number: Number) -> str:
    """A number of the data: whole, or with two decimals if it is below 100 and has a fraction."""
    few = -100 < number < 100 and number != round(number)  # noqa: PLR2004 - cents matter below
    return f"{number:,.2f}" if few else f"{number:,.0f}"


def day_name(day: date, *, year: bool = False) -> str:
    """A day for readers, such as 24 Nov."""
    return f"{day.day} {day:%b %Y}" if year else f"{day.day} {day:%b}"
