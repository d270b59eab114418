"""An export of Ads Manager as CSV: its columns by their displayed names, its numbers as written."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from tap_pinterest.api.columns import column
from tap_pinterest.reconcile.findings import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

LABELS: Mapping[str, str] = {
    "spend": "SPEND_IN_DOLLAR",
    "spend in account currency": "SPEND_IN_DOLLAR",
    "amount spent": "SPEND_IN_DOLLAR",
    "impressions": "IMPRESSION_1",
    "pin clicks": "CLICKTHROUGH_1",
    "outbound clicks": "OUTBOUND_CLICK_1",
    "saves": "REPIN_1",
    "engagements": "ENGAGEMENT_1",
    "paid impressions": "IMPRESSION_1",
    "earned impressions": "IMPRESSION_2",
    "total impressions": "TOTAL_IMPRESSION",
    "paid pin clicks": "CLICKTHROUGH_1",
    "earned pin clicks": "CLICKTHROUGH_2",
    "total pin clicks": "TOTAL_CLICKTHROUGH",
}
"""Labels of metrics that Pinterest's own list may lack, in lower case."""
PLACES: Mapping[str, str] = {
    **dict.fromkeys(("ad account id", "account id", "advertiser id"), "account"),
    **dict.fromkeys(("date", "day", "reporting date"), "date"),
    **{
        label: f"{level}_{what}"
        for level, word in (("campaign", "campaign"), ("ad_group", "ad group"), ("ad", "ad"))
        for label, what in ((f"{word} id", "id"), (f"{word} name", "name"))
    },
}
"""Labels of the columns that say what a row is about."""
PASSED_OVER = frozenset(
    {
        *("currency", "ad account name", "account name", "account", "advertiser name"),
        *("start date", "end date", "objective", "budget", "daily budget", "lifetime budget"),
        *(
            f"{level} {what}"
            for level in ("campaign", "ad group", "ad")
            for what in ("status", "entity status", "budget", "objective", "type", "start date")
        ),
    }
)
"""Labels that describe a row and need no comparison."""
LEVELS = ("ad", "ad_group", "campaign")
"""Levels of an export, the lowest first."""
DATES = ("%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d")
NONE = frozenset({"", "-", "--", "\N{EN DASH}", "\N{EM DASH}", "n/a", "null"})

_UNIT = re.compile(r"\s*\([^)]*\)\s*$")
_NUMBER = re.compile(r"-?\d[\d.,'\s]*")
_BETWEEN_THOUSANDS = re.compile(r"['\s]")
_COMMA_DECIMAL = re.compile(r"-?\d+(\.\d{3})*,(\d{1,2}|\d{4,})|-?\d{1,3}(\.\d{3})+,\d+")
_POINT_DECIMAL = re.compile(r"-?\d+(,\d{3})*\.(\d{1,2}|\d{4,})|-?\d{1,3}(,\d{3})+\.\d+")


class ExportError(Exception):
    """The file cannot be compared; the text says why."""


@dataclass
class Line:
    """The numbers of one row of the file.

    Attributes:
        account: The ad account; empty if the file does not say.
        entity: The id or the name of its entity; empty for an account's row.
        day: Its day; `None` if the file has no days.
        values: Its numbers, by label.
        units: By label, half of the last digit that is shown.
    """

    account: str
    entity: str
    day: date | None
    values: dict[str, Decimal] = field(default_factory=dict)
    units: dict[str, Decimal] = field(default_factory=dict)


@dataclass
class Export:
    """An export of Ads Manager.

    Attributes:
        level: The level of its rows: `campaign`, `ad_group`, `ad`, or empty for accounts.
        by_id: Whether its entities are named by id, and not by name.
        metrics: The API's name of the metric in each column.
        unknown: Labels that are no metric and no part of a row's place.
    """

    name: str
    level: str
    by_id: bool
    metrics: Mapping[str, str]
    unknown: Sequence[str]
    lines: list[Line]

    def of(self, ad_account_id: str) -> list[Line]:
        """The rows of one ad account; all rows if the file names none."""
        return [each for each in self.lines if each.account in {"", ad_account_id}]

    @property
    def names_accounts(self) -> bool:
        """Whether the rows say which ad account they are about."""
        return any(each.account for each in self.lines)


def read(path: Path, displayed: Mapping[str, str]) -> Export:
    """The export in a file.

    Args:
        path: The file.
        displayed: Pinterest's label of each metric, by the API's name in lower case.

    Raises:
        ExportError: It is no such export.
    """
    rows = list(_rows(_text(path), path.name))
    known = metrics_by_label(displayed)
    for number, heading in enumerate(rows):
        metrics = {label: known[key] for label in heading if (key := _key(label)) in known}
        if metrics:
            return _export(path.name, heading, rows[number + 1 :], metrics)
    msg = f"{path.name}: no line of it names a metric as Ads Manager or the API does"
    raise ExportError(msg)


def metrics_by_label(displayed: Mapping[str, str]) -> dict[str, str]:
    """The API's name of a metric by each label of it, in lower case.

    Where metrics share a label, ours decides; otherwise the metric that Pinterest lists first.
    """
    shown = {
        name.upper(): _key(label)
        for name, label in displayed.items()
        if column(name.upper()).kind == "metric"
    }
    times = Counter(shown.values())
    shared: dict[str, str] = {}
    own: dict[str, str] = {}
    for name, label in shown.items():
        shared.setdefault(label, name)
        if times[label] == 1:
            own[label] = name
    found = {**shared, **LABELS, **own, **{name.lower(): name for name in shown}}
    found.pop("", None)
    return found


def _export(
    name: str, heading: Sequence[str], rows: Iterable[Sequence[str]], metrics: Mapping[str, str]
) -> Export:
    places = {PLACES[key]: label for label in heading if (key := _key(label)) in PLACES}
    level = next((each for each in LEVELS if {f"{each}_id", f"{each}_name"} & {*places}), "")
    by_id = f"{level}_id" in places
    entity = places.get(f"{level}_id" if by_id else f"{level}_name", "")
    dicts = [dict(zip(heading, row, strict=False)) for row in rows if any(map(str.strip, row))]
    decimal_comma = _has_decimal_comma(each.get(label, "") for each in dicts for label in metrics)
    lines = []
    for row in dicts:
        line = Line(
            account=row.get(places.get("account", ""), "").strip().lstrip("'"),
            entity=row.get(entity, "").strip().lstrip("'"),
            day=_date(row.get(places["date"], ""), name) if "date" in places else None,
        )
        for label in metrics:
            number = _number(row.get(label, ""), name, decimal_comma=decimal_comma)
            if number is not None:
                line.values[label] = number
                line.units[label] = _unit(number)
        lines.append(line)
    unknown = [
        label
        for label in heading
        if label.strip() and label not in metrics and _key(label) not in {*PLACES, *PASSED_OVER}
    ]
    return Export(name, level, by_id, metrics, unknown, _without_totals(lines, level))


def _without_totals(lines: list[Line], level: str) -> list[Line]:
    """The rows without the row of totals, which names no entity or no day."""
    named = [each for each in lines if each.entity or not level]
    dated = [each for each in named if each.day] if any(each.day for each in named) else named
    return dated or lines


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        return content.decode("utf-16" if wide else "utf-8-sig")
    except OSError as error:
        msg = f"{path.name} cannot be read: {error.strerror}"
        raise ExportError(msg) from None
    except UnicodeDecodeError:
        msg = f"{path.name} is neither UTF-8 nor UTF-16; save it as CSV UTF-8"
        raise ExportError(msg) from None


def _rows(text: str, name: str) -> Iterator[list[str]]:
    first = next(filter(None, text.splitlines()), "")
    delimiter = max(",;\t", key=first.count)
    try:
        yield from csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    except csv.Error as error:
        msg = f"{name} is no CSV file: {error}"
        raise ExportError(msg) from None


def _key(label: str) -> str:
    """A label without its unit, in lower case."""
    return " ".join(_UNIT.sub("", label.strip().lower()).split())


def _date(text: str, name: str) -> date | None:
    text = text.strip()
    if text.lower() in {*NONE, "total"}:
        return None
    for form in DATES:
        try:
            return datetime.strptime(text[:10], form).date()  # noqa: DTZ007 - a day, not a moment
        except ValueError:
            continue
    msg = f"{name}: {text!r} is no date; allowed: YYYY-MM-DD, MM/DD/YYYY, DD.MM.YYYY"
    raise ExportError(msg)


def _bare(text: str) -> str:
    """A number without currency, percent sign and quotes; empty if there is none."""
    found = _NUMBER.search(text.replace("\N{MINUS SIGN}", "-"))
    bare = _BETWEEN_THOUSANDS.sub("", found[0]).rstrip(".,") if found else ""
    return f"-{bare}" if found and text[: found.start()].rstrip().endswith("-") else bare


def _has_decimal_comma(texts: Iterable[str]) -> bool:
    """Whether the fractions of a file come after a comma; in doubt, commas are for thousands."""
    bare = [_bare(text) for text in texts]
    commas = sum(bool(_COMMA_DECIMAL.fullmatch(each)) for each in bare)
    points = sum(bool(_POINT_DECIMAL.fullmatch(each)) for each in bare)
    return commas > points


def _number(text: str, name: str, *, decimal_comma: bool) -> Decimal | None:
    """The number in a cell."""
    if text.strip().lower() in NONE:
        return None
    thousands, point = (".", ",") if decimal_comma else (",", ".")
    bare = _bare(text).replace(thousands, "").replace(point, ".")
    try:
        return Decimal(bare)
    except InvalidOperation:
        msg = f"{name}: {text!r} is no number"
        raise ExportError(msg) from None


def _unit(number: Decimal) -> Decimal:
    """Half of the last digit of a number with a fraction."""
    exponent = number.as_tuple().exponent
    has_fraction = isinstance(exponent, int) and exponent < 0
    return Decimal(1).scaleb(int(exponent)) / 2 if has_fraction else NOTHING


def sums(lines: Iterable[Line], attribute: str) -> Mapping[str, Decimal]:
    """The sum of the values or of the units of some rows, by label."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        for label, number in getattr(line, attribute).items():
            found[label] += number
    return found
