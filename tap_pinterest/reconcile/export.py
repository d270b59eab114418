"""Reads an export of Ads Manager: a CSV file with displayed names and formatted numbers."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from tap_pinterest.api.columns import column
from tap_pinterest.api.levels import Level, exported
from tap_pinterest.api.periods import DateRange
from tap_pinterest.dictionary.metrics import metric
from tap_pinterest.reconcile import cells
from tap_pinterest.reconcile.findings import NOTHING, adds_up
from tap_pinterest.reconcile.request import RequestError

LABELS: Mapping[str, str] = {
    **dict.fromkeys(("spend", "spend in account currency", "amount spent"), "SPEND_IN_DOLLAR"),
    **dict.fromkeys(("impressions", "total impressions"), "TOTAL_IMPRESSION"),
    **dict.fromkeys(("pin clicks", "total pin clicks"), "TOTAL_CLICKTHROUGH"),
    "outbound clicks": "OUTBOUND_CLICK_1",
    "saves": "REPIN_1",
    "engagements": "TOTAL_ENGAGEMENT",
    "paid impressions": "IMPRESSION_1",
    "earned impressions": "IMPRESSION_2",
    "paid pin clicks": "CLICKTHROUGH_1",
    "earned pin clicks": "CLICKTHROUGH_2",
}
"""Labels of metrics, in lower case, that Pinterest's own list may lack."""
PLACES: Mapping[str, str] = {
    **dict.fromkeys(("ad account id", "account id", "advertiser id"), "account"),
    **dict.fromkeys(("date", "day", "reporting date"), "date"),
    **{
        f"{level.singular} {what}": f"{level.name}_{what}"
        for level in exported()
        for what in ("id", "name")
    },
}
"""Labels of the columns that name the account, the day or the entity of a row."""
PASSED_OVER = frozenset(
    {
        *("currency", "ad account name", "account name", "account", "advertiser name"),
        *("start date", "end date", "objective", "budget", "daily budget", "lifetime budget"),
        *(
            f"{level.singular} {what}"
            for level in exported()
            for what in ("status", "entity status", "budget", "objective", "type", "start date")
        ),
    }
)
"""Labels of columns that are not compared."""
MICROS = frozenset({"micro_currency", "micro_usd"})
"""Units of amounts that Ads Manager shows in whole units of the currency."""

Row: TypeAlias = Mapping[str, str]
"""The cells of a row by their heading."""
Numbered: TypeAlias = tuple[int, list[str]]
"""The cells of a row, and its line in the file."""
Readings: TypeAlias = Mapping[int, Mapping[str, Mapping[str, Any]]]
"""The possible values of cells, by line, by heading, and by the way of reading them."""


class Line(NamedTuple):
    """The numbers of one row of the file.

    Attributes:
        account: The ad account; empty if the file has no column for it.
        entity: The id or the name of the entity; empty in the row of an ad account.
        day: `None` if the file has no days.
        values: The numbers, by label.
    """

    account: str
    entity: str
    day: date | None
    values: Mapping[str, Decimal]


@dataclass
class Export:
    """An export of Ads Manager.

    Attributes:
        level: The level of the rows; `None` for ad accounts.
        by_id: Whether the file names entities by id, and not by name.
        metrics: The API's name of the metric in each column.
        unknown: Labels of columns that this module does not know.
        totals: Numbers of the lines that have totals and do not count.
        made_on: The day on which somebody made the file.
        rounding: The largest difference that rounding makes in one cell, by label.
    """

    name: str
    level: Level | None
    by_id: bool
    metrics: Mapping[str, str]
    unknown: Sequence[str]
    lines: list[Line]
    totals: Sequence[int]
    made_on: date
    rounding: Mapping[str, Decimal]

    def of(self, ad_account_id: str, days: DateRange) -> list[Line]:
        """The rows of an ad account on some days; a row that names no account or day counts."""
        return [
            each
            for each in self.lines
            if each.account in {"", ad_account_id}
            and (each.day is None or days.start <= each.day <= days.end)
        ]

    @property
    def accounts(self) -> set[str]:
        """The ad accounts that the rows name."""
        return {each.account for each in self.lines} - {""}


def read(path: Path, displayed: Mapping[str, str], made_on: date | None = None) -> Export:
    """The export in a file.

    Args:
        path: The file.
        displayed: Pinterest's label of each metric, by the API's name in lower case.
        made_on: The day of the export; by default the day of the file.

    Raises:
        RequestError: The file cannot be read as an export.
    """
    known = metrics_by_label(displayed)
    heading, rows = _table(_text(path), path.name, known)
    changed_on = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date()
    reader = _Reader(path.name, heading, _metrics(heading, known))
    return reader.export(rows, made_on or changed_on)


def metrics_by_label(displayed: Mapping[str, str]) -> dict[str, str]:
    """The API's name of each metric, by its labels in lower case.

    A label that several metrics share stands for the first that Pinterest lists.
    """
    shown = {
        name.upper(): cells.key(label)
        for name, label in displayed.items()
        if column(name.upper()).kind == "metric"
    }
    labels = {label: name for name, label in reversed(shown.items()) if label}
    return {**LABELS, **labels, **{name.lower(): name for name in shown}}


class _Reader:
    """Reads the rows under a heading."""

    def __init__(self, name: str, heading: Sequence[str], metrics: Mapping[str, str]) -> None:
        self._name = name
        self._heading = heading
        self._metrics = metrics
        self._places = {
            PLACES[place]: label for label in heading if (place := cells.place(label)) in PLACES
        }
        entities = ((each, f"{each.name}_{of}") for each in exported() for of in ("id", "name"))
        found = (each for each in entities if each[1] in self._places)
        self._level: Level | None
        self._level, self._entity = next(found, (None, ""))
        self._by_id = self._entity.endswith("_id")

    def export(self, rows: Iterable[Numbered], made_on: date) -> Export:
        """The rows; rows of totals are left out if there are other rows."""
        found = [
            (number, self._dict(number, row)) for number, row in rows if any(map(str.strip, row))
        ]
        named = {place for place in self._named if any(self._cell(row, place) for _, row in found)}
        totals = [number for number, row in found if self._is_total(row, named)]
        if len(totals) == len(found):
            totals = []
        lines = list(self._lines([each for each in found if each[0] not in totals]))
        facts = (self._name, self._level, self._by_id, self._metrics, self._unknown())
        return Export(*facts, lines, totals, made_on, self._rounding(lines))

    @property
    def _named(self) -> list[str]:
        """The places that each row should have."""
        return [each for each in ("account", "date", self._entity) if each in self._places]

    def _dict(self, number: int, row: Sequence[str]) -> Row:
        if any(map(str.strip, row[len(self._heading) :])):
            reason = f"{self._name}, line {number}: it has more cells than there are headings"
            raise _refusal(reason)
        found: dict[str, str] = {}
        for label, cell in zip(self._heading, row, strict=False):
            is_read = label in self._metrics or label in self._places.values()
            if found.setdefault(label, cell) != cell and is_read:
                raise self._error(number, label, "two columns of this name have different cells")
        return found

    def _cell(self, row: Row, place: str) -> str:
        # A file may have columns without a heading.
        text = row.get(self._places[place], "").strip() if place in self._places else ""
        return "" if text.lower() in cells.NONE or cells.is_total(text) else text

    def _is_total(self, row: Row, named: Iterable[str]) -> bool:
        """Whether a cell says it, or the entity, account or day that other rows have is missing."""
        texts = [text for label, text in row.items() if label not in self._metrics]
        says_so = any(map(cells.is_total, texts)) and not (
            self._by_id and self._cell(row, self._entity)
        )
        return says_so or not all(self._cell(row, place) for place in named)

    def _lines(self, rows: Sequence[tuple[int, Row]]) -> Iterator[Line]:
        numbers = {number: self._numbers(number, row) for number, row in rows}
        clash = "the decimals come after another mark than in the cells before"
        remedy = "export it with decimals, or without separators"
        mark = self._certain(numbers, cells.MARKS, clash, remedy)
        days = {number: self._days(number, row) for number, row in rows}
        clash = "month and day come in another order than in the cells before"
        order = self._certain(days, [*cells.ORDERS], clash, "write it as YYYY-MM-DD")
        for number, row in rows:
            with self._at(number, self._places.get("account", "")):
                account = cells.identifier(self._cell(row, "account"))
            with self._at(number, self._places.get(self._entity, "")):
                entity = self._cell(row, self._entity)
                entity = cells.identifier(entity) if self._by_id else entity
            day = next((each[order] for each in days[number].values()), None)
            values = {
                label: found[mark] * self._scale(label) for label, found in numbers[number].items()
            }
            yield Line(account, entity, day, values)

    def _numbers(self, number: int, row: Row) -> Mapping[str, Mapping[str, Decimal]]:
        """The possible numbers of the metrics that add up; other metrics are not compared."""
        found = {}
        for label, name in self._metrics.items():
            if adds_up(name):
                with self._at(number, label):
                    is_whole = self._is_whole(label)
                    found[label] = cells.readings(row.get(label, ""), is_whole=is_whole)
        return {label: each for label, each in found.items() if each}

    def _days(self, number: int, row: Row) -> Mapping[str, Mapping[str, date]]:
        """The possible days of the row; none if the file has no days."""
        label = self._places.get("date", "")
        with self._at(number, label):
            found = cells.days(self._cell(row, "date"))
        return {label: found} if found else {}

    def _certain(self, found: Readings, ways: Sequence[str], clash: str, remedy: str) -> str:
        """The one way to read all cells; it must be certain."""
        left = {*ways}
        for number, row in found.items():
            for label, cell in row.items():
                left &= cell.keys()
                if not left:
                    raise self._error(number, label, clash)
        for number, row in found.items():
            for label, cell in row.items():
                if len({cell[way] for way in left}) > 1:
                    several = " or ".join(str(cell[way]) for way in ways)
                    raise self._error(number, label, f"it may be {several}; {remedy}")
        return next(each for each in ways if each in left)

    def _is_whole(self, label: str) -> bool:
        """Whether the numbers of a column have no fractions."""
        unit = metric(self._metrics[label]).unit
        return unit == "count" or (unit in MICROS and self._scale(label) == 1)

    def _scale(self, label: str) -> int:
        """The factor of a column: Ads Manager shows amounts in millionths as whole amounts."""
        is_shown = metric(self._metrics[label]).unit in MICROS and "micro" not in label.lower()
        return 1_000_000 if is_shown else 1

    def _rounding(self, lines: Iterable[Line]) -> Mapping[str, Decimal]:
        """Half of the last digit that a column shows; spreadsheets leave out zeros at the end."""
        digits: dict[str, int] = defaultdict(int)
        for line in lines:
            for label, number in line.values.items():
                exponent = number.as_tuple().exponent
                digits[label] = min(digits[label], int(exponent))
        halves = {
            label: Decimal(self._scale(label)).scaleb(last) / 2
            for label, last in digits.items()
            if last or not self._is_whole(label)
        }
        return dict.fromkeys(digits, NOTHING) | halves

    @contextmanager
    def _at(self, number: int, label: str) -> Iterator[None]:
        """Add the line and the column to the error of a cell."""
        try:
            yield
        except cells.CellError as error:
            raise self._error(number, label, str(error)) from None

    def _error(self, number: int, label: str, text: str) -> RequestError:
        return _refusal(f"{self._name}, line {number}, column {label}: {text}")

    def _unknown(self) -> list[str]:
        known = {*PLACES, *PASSED_OVER}
        return [
            label
            for label in self._heading
            if label.strip() and label not in self._metrics and cells.place(label) not in known
        ]


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return content.decode(_encoding(content))
    except OSError as error:
        reason = f"{path.name} cannot be read: {error.strerror}"
        raise _refusal(reason) from None
    except UnicodeDecodeError:
        reason = f"{path.name} is neither UTF-8 nor UTF-16; save it as CSV UTF-8"
        raise _refusal(reason) from None


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" not in content:
        return "utf-8-sig"
    # Most characters of an export are ASCII, and one of their two bytes is zero.
    return "utf-16-le" if content[1::2].count(0) > content[::2].count(0) else "utf-16-be"


def _metrics(heading: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    return {label: known[key] for label in heading if (key := cells.key(label)) in known}


def _table(text: str, name: str, known: Mapping[str, str]) -> tuple[list[str], list[Numbered]]:
    """The heading and the rows under it, read with the delimiter that gives the most metrics."""
    found: list[tuple[list[str], list[Numbered]]] = []
    reason = f"{name}: no line of it names a metric as the API or an English Ads Manager does"
    for delimiter in "\t;,":
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            rows = [(reader.line_num, row) for row in reader]
        except csv.Error as error:
            reason = f"{name} is no CSV file: {error}"
            continue
        first = next((at for at, (_, row) in enumerate(rows) if _metrics(row, known)), None)
        if first is not None:
            found.append((rows[first][1], rows[first + 1 :]))
    if not found:
        raise _refusal(reason)
    return max(found, key=lambda each: (len(_metrics(each[0], known)), len(each[0])))


def _refusal(reason: str) -> RequestError:
    return RequestError(f"--export: {reason}.")
