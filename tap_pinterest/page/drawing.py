"""Draws the page as one file of HTML that needs no other; it also fits phones and dark screens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from html import escape
from importlib.resources import files
from typing import Any

from tap_pinterest.page import charts
from tap_pinterest.page.changes import RestatedDay
from tap_pinterest.page.charts import Bar, Day, Number, day_name
from tap_pinterest.page.contents import Ads, Contents
from tap_pinterest.page.log import LastRun
from tap_pinterest.page.models import CHANNEL_HEADINGS, LEVEL_HEADINGS, Models
from tap_pinterest.page.totals import Measure, Total, merged

TITLE = "Your Pinterest data"
BARS_SHOWN = 8
ROWS_SHOWN = 200

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


class Shown:
    """A measure of the ads, in one currency if it is money.

    Attributes:
        title: The title of its charts.
        is_whole: Whether the measure has no fractions.
    """

    def __init__(self, place: int, measure: Measure, currency: str) -> None:
        self._place = place
        self._currency = currency
        self.is_whole = not measure.is_money
        in_currency = f", {currency or 'no currency'}" if measure.is_money else ""
        self.title = f"{measure.title}{in_currency}"

    def rows(self, totals: Sequence[Total]) -> list[Total]:
        """The totals of the currency; for counts, the sums of all currencies."""
        if self.is_whole:
            return merged(totals)
        return [each for each in totals if each.currency == self._currency]

    def now(self, total: Total) -> Decimal:
        """The value in the tables."""
        return total.now[self._place]

    def before(self, total: Total) -> Decimal | None:
        """The value in the copy; `None` if the copy has none."""
        return None if total.before is None else total.before[self._place]

    def restated(self, total: Total) -> Decimal:
        """The change since the copy; 0 for a total that the copy does not have."""
        before = self.before(total)
        return Decimal(0) if before is None else self.now(total) - before

    def text(self, number: Decimal | None) -> str:
        """A number of a table; empty if there is none."""
        return "" if number is None else f"{number:,.{0 if self.is_whole else 2}f}"

    def with_unit(self, number: Number, *, sign: bool = False) -> str:
        """A number with its currency."""
        text = f"{number:{'+' if sign else ''},.0f}"
        return f"{text} {self._currency}".strip()


def page(contents: Contents, intro: str = "") -> str:
    """The page as HTML.

    Args:
        contents: The contents of the page.
        intro: A sentence for below the title, as HTML.
    """
    style = files("tap_pinterest.page").joinpath("page.css").read_text("utf-8")
    return _PAGE.format(title=TITLE, style=style, body="\n".join(_body(contents, intro)))


def _body(contents: Contents, intro: str) -> Iterator[str]:
    ads = contents.ads
    copy = contents.copy if ads and ads.is_compared else None
    yield f"<h1>{TITLE}</h1>"
    yield f"<p>{intro or _intro(contents)}</p>"
    yield from _tiles(contents)
    if ads:
        yield from _by_day(ads, copy)
        yield from _by_name("campaign", ads, ads.by_campaign, contents.names)
        yield from _by_name("ad account", ads, ads.by_account, contents.names)
    yield from _models(contents.models)
    yield "<h2>Restated days</h2>"
    yield (
        "<p>Pinterest credits conversions late and completes the newest days, so each run reads the"
        " last weeks again.</p>"
    )
    if ads and copy:
        yield from _restated_since(ads, copy, contents.names)
    if contents.restated is not None:
        yield from _restated_rows(contents.restated)
    yield from _last_run(contents.last_run)
    yield from _tables(contents)
    if contents.missing:
        yield "<h2>Not shown</h2>"
        items = "".join(f"<li>{escape(text)}</li>" for text in contents.missing)
        yield f'<ul class="notes">{items}</ul>'


def _intro(contents: Contents) -> str:
    schema = f"The schema <code>{escape(contents.schema)}</code>"
    if not (contents.ads and contents.ads.by_day):
        return f"{schema}."
    days = [total.of for total in contents.ads.by_day]
    first, last = (day_name(day, year=True) for day in (days[0], days[-1]))
    return f"{schema}, {first} to {last}, from <code>{contents.ads.report}</code>."


def _shown(ads: Ads, totals: Sequence[Total]) -> Iterator[Shown]:
    """The measures to show; money once for each currency with an amount."""
    for place, measure in enumerate(ads.measures):
        currencies = {each.currency for each in totals if each.now[place]}
        for currency in sorted(currencies) if measure.is_money else [""]:
            yield Shown(place, measure, currency)


def _tiles(contents: Contents) -> Iterator[str]:
    tiles: list[tuple[str, str, str]] = []
    if contents.complete:
        tiles.append((day_name(contents.complete), "newest complete day", ""))
    if ads := contents.ads:
        for shown in _shown(ads, ads.by_day):
            total = sum(map(shown.now, shown.rows(ads.by_day)))
            tiles.append((charts.rounded(float(total)), shown.title, ""))
    if contents.changed:
        tiles.append((f"{sum(e.added for e in contents.changed):,}", "rows added", ""))
        tiles.append((f"{sum(e.restated for e in contents.changed):,}", "rows restated", ""))
    if run := contents.last_run:
        kind = "failed" if run.failed else ""
        tiles.append((str(run.failed), "failed in the last run", kind))
    yield '<div class="tiles">'
    for number, words, kind in tiles:
        yield (
            f'<div class="tile {kind}"><b>{escape(number)}</b><span>{escape(words)}</span></div>'
        )
    yield "</div>"


def _by_day(ads: Ads, copy: str | None) -> Iterator[str]:
    yield "<h2>By day</h2>"
    if copy:
        yield (
            f'<p><span class="key kept"></span>as in the schema <code>{escape(copy)}</code>'
            ' <span class="key gained"></span>more now <span class="key lost"></span>less now</p>'
        )
    yield '<div class="grid">'
    for shown in _shown(ads, ads.by_day):
        rows = shown.rows(ads.by_day)
        # A day that the copy does not have is new from zero on.
        days = [
            Day(row.of, shown.now(row), (shown.before(row) or 0) if copy else None) for row in rows
        ]
        yield _by_day_figure(shown, days, f"{shown.title} by day")
    yield "</div>"
    yield from _numbers("Day", ads, ads.by_day[::-1], partial(day_name, year=True))


def _by_day_figure(shown: Shown, days: Sequence[Day], label: str, *, sign: bool = False) -> str:
    total = shown.with_unit(sum(day.value for day in days), sign=sign)
    title = label.removesuffix(" by day")
    return _figure(title, total, charts.by_day(days, f"{label}: {total}", whole=shown.is_whole))


def _by_name(
    what: str, ads: Ads, totals: Sequence[Total], names: Mapping[str, str]
) -> Iterator[str]:
    """The largest campaigns or ad accounts of each measure, and the numbers of all."""
    if not totals:
        return
    yield f"<h2>By {what}</h2>"
    if len({each.of for each in totals}) > BARS_SHOWN:
        yield f"<p>The {BARS_SHOWN} largest.</p>"
    yield '<div class="grid">'
    for shown in _shown(ads, totals):
        rows = sorted(shown.rows(totals), key=lambda row: (-shown.now(row), row.of or ""))
        drawn = [_bar(row.of, shown.now(row), names) for row in rows[:BARS_SHOWN]]
        total = shown.with_unit(sum(map(shown.now, rows)))
        yield _figure(shown.title, total, charts.bars(drawn))
    yield "</div>"
    largest = sorted(totals, key=lambda row: [-value for value in row.now])
    yield from _numbers(what.capitalize(), ads, largest, lambda of: _name(of, names))


def _bar(of: str | None, value: Number, names: Mapping[str, str]) -> Bar:
    name = _name(of, names)
    return Bar(name, value, name if name == of else f"{name} ({of})")


def _name(of: str | None, names: Mapping[str, str]) -> str:
    return names.get(of or "", of or "none")


def _restated_since(ads: Ads, copy: str, names: Mapping[str, str]) -> Iterator[str]:
    """The change of each measure since the copy, by day and by campaign."""
    yield f"<p>The change since <code>{escape(copy)}</code>, on the days that it has.</p>"
    same = []
    yield '<div class="grid">'
    for shown in _shown(ads, ads.by_day):
        rows = [row for row in shown.rows(ads.by_day) if row.before is not None]
        changed = [place for place, row in enumerate(rows) if shown.restated(row)]
        if not changed:
            same.append(shown.title)
            continue
        days = [Day(row.of, shown.restated(row)) for row in rows[changed[0] :]]
        yield _by_day_figure(shown, days, f"{shown.title}, restated by day", sign=True)
        campaigns = filter(shown.restated, shown.rows(ads.known_days))
        largest = sorted(campaigns, key=lambda row: -abs(shown.restated(row)))[:BARS_SHOWN]
        drawn = [_bar(row.of, shown.restated(row), names) for row in largest]
        if drawn:
            title = f"{shown.title}, restated by campaign"
            yield _figure(title, "the largest", charts.bars(drawn))
    yield "</div>"
    if same:
        yield f"<p>Unchanged: {escape('; '.join(same))}.</p>"


def _restated_rows(days: Sequence[RestatedDay]) -> Iterator[str]:
    """Rows of older days that the newest load changed."""
    if not days:
        yield "<p>So far no load has changed a row of an earlier load.</p>"
        return
    changed = sum(each.changed for each in days)
    drawn = [Day(each.day, each.changed) for each in days]
    total = f"{changed:,} of {sum(each.rows for each in days):,}"
    title = "Rows that the newest load changed"
    yield '<div class="grid">'
    yield _figure(title, total, charts.by_day(drawn, f"{title}, by day: {total}", whole=True))
    yield "</div>"
    yield (
        "<p>Rows of days that an earlier load had loaded. <code>target-postgres-fast</code> writes"
        " a row only if it differs. The stock <code>target-postgres</code> writes every row, so its"
        " number is that of all rows that were read again.</p>"
    )


def _models(models: Models) -> Iterator[str]:
    if models.channels:
        yield "<h2>Spend by channel</h2>"
        yield "<p>From <code>ums.vendor_performance</code>, a dbt model; by attribution window.</p>"
        yield from _table(CHANNEL_HEADINGS, models.channels)
    if models.levels:
        yield "<h2>Reconciliation</h2>"
        yield "<p>The sum of each level beside the sum of its ad accounts.</p>"
        yield from _table(LEVEL_HEADINGS, models.levels)


def _last_run(run: LastRun | None) -> Iterator[str]:
    if run is None:
        return
    yield "<h2>The last run</h2>"
    yield f"<p>{escape(run.sentence)}</p>"
    if run.incomplete:
        headings = ("Stream", "Ad account or user", "Result", "Reason")
        yield from _table(headings, run.incomplete, texts=True)


def _tables(contents: Contents) -> Iterator[str]:
    yield "<h2>Tables</h2>"
    if contents.copy:
        yield f"<p>Beside the schema <code>{escape(contents.copy)}</code>.</p>"
        yield from _table(("Table", "Before", "Rows", "Added", "Restated"), contents.changed)
    else:
        headings = ("Table", "Rows", "Newest day", "Newest row read, UTC")
        yield from _table(headings, contents.tables)


def _numbers(
    heading: str, ads: Ads, totals: Sequence[Total], name: Callable[[Any], str]
) -> Iterator[str]:
    """The numbers of the charts, one row for each day, campaign or ad account."""
    shown = list(_shown(ads, totals))
    values = [{row.of: each.now(row) for row in each.rows(totals)} for each in shown]
    keys = list(dict.fromkeys(row.of for row in totals))
    rows = (
        (name(key), *(each.text(of.get(key)) for each, of in zip(shown, values, strict=True)))
        for key in keys[:ROWS_SHOWN]
    )
    yield f"<details><summary>The numbers by {heading.lower()}</summary>"
    yield from _table((heading, *(each.title for each in shown)), rows)
    if more := len(keys[ROWS_SHOWN:]):
        yield f"<p>And {more:,} more; the totals include them.</p>"
    yield "</details>"


def _figure(title: str, total: str, chart: str) -> str:
    return (
        f"<figure><figcaption><h3>{escape(title)}</h3><span>{escape(total)}</span></figcaption>"
        f"{chart}</figure>"
    )


def _table(
    headings: Sequence[str], rows: Iterable[Iterable[object]], *, texts: bool = False
) -> Iterator[str]:
    """A table that scrolls within the page if it is too wide; its first column stays in view."""
    cell = '<td class="text">' if texts else "<td>"
    yield f'<div class="scroll"><table{" class=texts" if texts else ""}><thead><tr>'
    yield "".join(f"<th>{escape(each)}</th>" for each in headings)
    yield "</tr></thead><tbody>"
    for row in rows:
        first, *others = map(_text, row)
        cells = "".join(f"{cell}{escape(each)}</td>" for each in others)
        # A narrow screen may break a long name between its words.
        name = escape(first).replace("_", "_<wbr>")
        yield f'<tr><th title="{escape(first)}" dir="auto">{name}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _text(value: object) -> str:
    """The text of a cell: counts are whole, amounts have two decimals, and moments have a time."""
    if isinstance(value, datetime):
        return f"{day_name(value, year=True)} {value:%H:%M}"
    if isinstance(value, date):
        return day_name(value, year=True)
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value or "")
