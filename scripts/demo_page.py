"""Shows the tables in PostgreSQL after the demo: one HTML file that needs no other file.

The charts are SVG without scripts, their colours follow the reader's light or dark mode.
"""

from __future__ import annotations

import functools
import sys
from collections import defaultdict
from decimal import Decimal
from html import escape
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

import pygal
from pygal.style import Style

from scripts import arrivals
from scripts.arrivals import Measures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from psycopg import Connection

    from scripts.arrivals import Changes, Totals

# Without its maps, pygal needs no importer; Python 3.11 warns of it at each later import of others.
sys.meta_path[:] = [each for each in sys.meta_path if type(each).__module__ != "pygal"]

CAMPAIGNS_SHOWN = 8
NAME_LENGTH = 22
LABELS = 4
WIDTH, HEIGHT = 420, 210
BAR_HEIGHT = 28

_SVG = "http://www.w3.org/2000/svg"
_NEW, _OLD = "var(--new)", "var(--old)"
_STYLE = {
    "background": "transparent",
    "plot_background": "transparent",
    "foreground": "var(--soft)",
    "foreground_strong": "var(--ink)",
    "foreground_subtle": "var(--line)",
    "guide_stroke_color": "var(--line)",
    "major_guide_stroke_color": "var(--line)",
    "guide_stroke_dasharray": "none",
    "major_guide_stroke_dasharray": "none",
    "font_family": "system-ui, sans-serif",
    "label_font_size": 13,
    "major_label_font_size": 13,
    "value_font_size": 13,
    "value_label_font_size": 13,
    "opacity": "1",
    "opacity_hover": "1",
    "stroke_opacity": "1",
    "stroke_width": "2",
    "stroke_width_hover": "2",
    "transition": "0s",
}
_LAYOUT = {
    "css": ["file://style.css", "file://graph.css"],
    "disable_xml_declaration": True,
    "js": [],
    "margin": 4,
    "margin_right": 26,
    "show_legend": False,
    "width": WIDTH,
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ --paper: #fff; --card: #f6f6f4; --ink: #1c1c1a; --soft: #5d5d58; --line: #dddcd6;
  --new: #c4001d; --old: #8f8f88 }}
@media (prefers-color-scheme: dark) {{ :root {{ --paper: #141413; --card: #1f1f1d; --ink: #f1f0ea;
  --soft: #aaa9a1; --line: #3a3a36; --new: #ff5c72; --old: #85857d }} }}
* {{ box-sizing: border-box }}
body {{ margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; -webkit-text-size-adjust: 100% }}
main {{ max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }}
h1 {{ font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem }}
h2 {{ font-size: 1.25rem; margin: 2.75rem 0 .25rem }}
h3 {{ font-size: .95rem; margin: 0; font-weight: 600 }}
.grid + p {{ margin-top: .75rem }}
p {{ margin: 0 0 .75rem; color: var(--soft); max-width: 46rem }}
code {{ font-size: .9em; overflow-wrap: anywhere }}
.grid {{ display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)) }}
.tiles {{ display: grid; gap: .75rem; margin-top: 1.25rem;
  grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)) }}
.tile, figure {{ background: var(--card); border-radius: .75rem; padding: .9rem 1rem; margin: 0 }}
.tile b {{ display: block; font-size: 1.4rem; line-height: 1.3;
  font-variant-numeric: tabular-nums }}
.tile span, figcaption span {{ color: var(--soft); font-size: .85rem }}
figcaption {{ display: flex; justify-content: space-between; align-items: baseline; gap: .75rem }}
/* The library centres them on the end of the bar. */
.text-overlay text {{ text-anchor: start !important; transform: translate(.3rem, 0) }}
figure svg {{ display: block; width: 100%; height: auto; margin-top: .5rem }}
.key {{ display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem;
  vertical-align: -.05rem; margin-right: .3rem }}
.key:not(:first-child) {{ margin-left: .9rem }}
.scroll {{ overflow-x: auto; border-radius: .75rem; background: var(--card) }}
table {{ border-collapse: collapse; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums }}
th, td {{ padding: .45rem .75rem; text-align: right; white-space: nowrap;
  border-top: 1px solid var(--line) }}
thead th {{ border-top: 0; color: var(--soft); font-weight: 600 }}
th:first-child {{ text-align: left; font-weight: 400; position: sticky; left: 0;
  background: var(--card) }}
td.changed {{ color: var(--new); font-weight: 600 }}
@media (max-width: 30rem) {{ .tile:first-child {{ grid-column: 1 / -1 }}
  th, td {{ padding: .4rem .5rem }} table {{ font-size: .82rem }}
  .rows :is(td, th):is(:nth-child(2), :nth-child(6)) {{ display: none }} }}
summary {{ cursor: pointer; color: var(--soft); margin: .75rem 0 }}
</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


class Contents(NamedTuple):
    """The contents of the page.

    Attributes:
        days: The days on which the two runs took place.
        changes: The tables.
        by_day: The measures of each day.
        by_campaign: The measures of each campaign.
        known_days: The measures of each campaign, only for days that the first run had loaded.
    """

    days: tuple[date, date]
    changes: Sequence[Changes]
    by_day: Sequence[Totals]
    by_campaign: Sequence[Totals]
    known_days: Sequence[Totals]

    @classmethod
    def of(cls, connection: Connection, since: str, days: tuple[date, date]) -> Contents:
        """The contents of a database, with the tables of the first run in the schema `since`."""
        return cls(
            days,
            arrivals.changes(connection, since),
            arrivals.by_day(connection, since),
            arrivals.by_campaign(connection, since),
            arrivals.by_campaign(connection, since, known_days=True),
        )


def page(contents: Contents) -> str:
    """The page as HTML."""
    return _PAGE.format(title="Pinterest in PostgreSQL", body="\n".join(_body(contents)))


def _body(contents: Contents) -> Iterator[str]:
    days, changes, by_day, by_campaign, known_days = contents
    yield "<h1>Pinterest in PostgreSQL</h1>"
    yield (
        "<p>A made-up Pinterest, loaded by <code>meltano run tap-pinterest target-postgres</code> "
        f"on day 1, {_day(days[0])}, and again on day 2, {_day(days[1])}.</p>"
    )
    yield from _tiles(changes, by_day)
    yield "<h2>By day</h2>"
    yield f"<p>{_key(_NEW)}as of day 2 {_key(_OLD)}as of day 1, where day 2 has changed it</p>"
    yield '<div class="grid">'
    for title, unit, rows, of in _measured(by_day):
        yield _figure(title, _total(rows, of, unit), _lines(rows, of), "by day")
    yield "</div>"
    yield from _numbers(by_day)
    yield "<h2>By campaign</h2>"
    yield f"<p>The {CAMPAIGNS_SHOWN} largest, over all days, as of day 2.</p>"
    yield '<div class="grid">'
    for title, unit, rows, of in _measured(by_campaign):
        yield _figure(title, _total(rows, of, unit), _bars(rows, _after(of)), "by campaign")
    yield "</div>"
    yield "<h2>What day 2 restated</h2>"
    yield (
        "<p>Pinterest credits conversions late and completes the newest days, so the tap reads "
        "them again. So much did day 2 add to each day that day 1 had loaded.</p>"
    )
    same = []
    yield '<div class="grid">'
    for title, unit, rows, of in _measured(by_day):
        changed = [index for index, row in enumerate(rows) if _restated(row, of)]
        if not changed:
            same.append(title)
            continue
        total = f"{sum(_restated(row, of) for row in rows):+,.0f} {unit}"
        yield _figure(f"{title} by day", total, _differences(rows[changed[0] :], of), "restated")
        campaigns = next(found for name, _, found, _ in _measured(known_days) if name == title)
        bars = _bars(campaigns, functools.partial(_restated, of=of))
        yield _figure(f"{title} by campaign", total, bars, "restated")
    yield "</div>"
    if same:
        yield f"<p>As they were on day 1: {escape('; '.join(same))}.</p>"
    yield "<h2>Tables</h2>"
    yield f"<p>Rows in the schema <code>{arrivals.SCHEMA}</code>.</p>"
    yield from _table(changes)


def _spend(measures: Measures) -> float:
    return float(measures.spend)


def _impressions(measures: Measures) -> float:
    return float(measures.impressions)


def _conversions(measures: Measures) -> float:
    return float(measures.conversions)


def _measured(
    totals: Sequence[Totals],
) -> Iterator[tuple[str, str, Sequence[Totals], Callable[[Measures], float]]]:
    """The charts: title, unit, rows and measure of each; spend has a chart for each currency."""
    currencies = sorted({each.currency for each in totals if each.after.spend})
    for currency in currencies:
        yield f"Spend, {currency}", currency, _in(totals, currency), _spend
    everything = _merged(totals)
    yield "Impressions", "", everything, _impressions
    yield "Conversions", "", everything, _conversions


def _in(totals: Iterable[Totals], currency: str) -> list[Totals]:
    return [each for each in totals if each.currency == currency]


def _merged(totals: Iterable[Totals]) -> list[Totals]:
    """One row for each day or campaign over all currencies; its spend has no meaning."""
    merged: dict[Any, Totals] = {}
    for each in totals:
        known = merged.get(each.of)
        if known is None:
            merged[each.of] = each
            continue
        befores = [part for part in (known.before, each.before) if part is not None]
        merged[each.of] = each._replace(
            before=_sum(befores) if befores else None, after=_sum((known.after, each.after))
        )
    return list(merged.values())


def _sum(parts: Iterable[Measures]) -> Measures:
    return Measures(*(sum(each, Decimal(0)) for each in zip(*parts, strict=True)))


def _after(of: Callable[[Measures], float]) -> Callable[[Totals], float]:
    return lambda row: of(row.after)


def _restated(row: Totals, of: Callable[[Measures], float]) -> float:
    return of(row.after) - of(row.before) if row.before is not None else 0.0


def _tiles(changes: Sequence[Changes], by_day: Sequence[Totals]) -> Iterator[str]:
    facts: list[tuple[str, str]] = [
        (f"{sum(each.after for each in changes):,}", f"rows in {len(changes)} tables"),
        (f"{sum(each.added for each in changes):,}", "rows that day 2 added"),
        (f"{sum(each.restated for each in changes):,}", "rows that day 2 restated"),
    ]
    for title, unit, rows, of in _measured(by_day):
        facts.append((_short(sum(of(row.after) for row in rows)), title if unit else title.lower()))
    yield '<div class="tiles">'
    for number, words in facts:
        yield f'<div class="tile"><b>{escape(number)}</b><span>{escape(words)}</span></div>'
    yield "</div>"


def _figure(title: str, total: str, chart: pygal.Graph, what: str) -> str:
    label = f"{title}, {what}: {total.strip()}"
    return (
        f"<figure><figcaption><h3>{escape(title)}</h3><span>{escape(total.strip())}</span>"
        f"</figcaption>{_svg(chart, label)}</figure>"
    )


def _total(rows: Iterable[Totals], of: Callable[[Measures], float], unit: str) -> str:
    return f"{sum(of(row.after) for row in rows):,.0f} {unit}"


def _lines(rows: Sequence[Totals], of: Callable[[Measures], float]) -> pygal.Graph:
    chart = pygal.Line(
        style=Style(**_STYLE, colors=(_OLD, _NEW)),
        height=HEIGHT,
        dots_size=1.5,
        include_x_axis=True,
        value_formatter=_short,
        **_by_day(rows),
        **_LAYOUT,
    )
    chart.add("day 1", [of(row.before) if row.before else None for row in rows])
    chart.add("day 2", [of(row.after) for row in rows])
    return chart


def _differences(rows: Sequence[Totals], of: Callable[[Measures], float]) -> pygal.Graph:
    chart = pygal.Bar(
        style=Style(**_STYLE, colors=(_NEW,)),
        height=HEIGHT,
        include_x_axis=True,
        value_formatter=lambda value: f"+{_short(value)}" if value > 0 else _short(value),
        **_by_day(rows),
        **_LAYOUT,
    )
    chart.add("restated", [_restated(row, of) for row in rows])
    return chart


def _by_day(rows: Sequence[Totals]) -> dict[str, Any]:
    """Labels for every day; the chart shows only the last one and some before it."""
    labels = [_day(row.of) for row in rows]
    return {
        "x_labels": labels,
        "x_labels_major": labels[::-1][:: max(len(labels) // LABELS, 1)],
        "show_minor_x_labels": False,
        "y_labels_major_count": 5,
        "show_minor_y_labels": False,
        "truncate_label": -1,
    }


def _bars(rows: Sequence[Totals], value: Callable[[Totals], float]) -> pygal.Graph:
    largest = sorted(rows, key=value)[-CAMPAIGNS_SHOWN:]
    values = (0.0, *map(value, largest))
    chart = pygal.HorizontalBar(
        style=Style(**_STYLE, colors=(_NEW,), value_colors=("var(--ink)",)),
        height=BAR_HEIGHT * len(largest) + 12,
        include_x_axis=True,
        print_values=True,
        print_values_position="top",
        range=(min(values), 1.2 * max(values)),
        show_x_labels=False,
        value_formatter=_short,
        x_labels=[_shortened(row.name) for row in largest],
        truncate_label=-1,
        **_LAYOUT,
    )
    chart.add("", list(map(value, largest)))
    return chart


def _svg(chart: pygal.Graph, label: str) -> str:
    """The chart as an element of the page: without scripts, with values to hover over."""
    ET.register_namespace("", _SVG)
    root = chart.render_tree()
    for parent in list(root.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag.endswith("script"):
                parent.remove(child)
        described = [child for child in parent if str(child.tag).endswith("desc")]
        if texts := {child.get("class"): child.text for child in described}:
            title = ET.SubElement(parent, "title")
            name = texts.get("x_label")
            title.text = ": ".join(text for text in (name, texts.get("value")) if text)
        for child in described:
            parent.remove(child)
    root.set("role", "img")
    root.set("aria-label", label)
    return ET.tostring(root, encoding="unicode")


def _numbers(by_day: Sequence[Totals]) -> Iterator[str]:
    """The numbers of the charts by day."""
    columns: list[str] = []
    cells: defaultdict[Any, list[str]] = defaultdict(list)
    for title, unit, rows, of in _measured(by_day):
        columns.append(title)
        values = {row.of: of(row.after) for row in rows}
        for day in sorted({row.of for row in by_day}, key=str):
            value = values.get(day)
            cells[day].append("" if value is None else f"{value:,.{2 if unit else 0}f}")
    yield "<details><summary>The numbers by day</summary>"
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(f"<th>{escape(name)}</th>" for name in ("Day", *columns))
    yield "</tr></thead><tbody>"
    for day, texts in reversed(list(cells.items())):
        numbers = "".join(f"<td>{text}</td>" for text in texts)
        yield f"<tr><th>{_day(day)}</th>{numbers}</tr>"
    yield "</tbody></table></div></details>"


def _table(changes: Sequence[Changes]) -> Iterator[str]:
    yield '<div class="scroll"><table class="rows"><thead><tr>'
    headings = ("Table", "Day 1", "Day 2", "Added", "Restated", "Unchanged")
    yield "".join(f"<th>{name}</th>" for name in headings)
    yield "</tr></thead><tbody>"
    for each in changes:
        cells = chain(
            ((each.before, False), (each.after, False)),
            ((each.added, True), (each.restated, True), (each.unchanged, False)),
        )
        numbers = "".join(
            f'<td class="changed">{number:,}</td>' if marked and number else f"<td>{number:,}</td>"
            for number, marked in cells
        )
        yield f"<tr><th>{escape(each.table)}</th>{numbers}</tr>"
    yield "</tbody></table></div>"


def _key(colour: str) -> str:
    return f'<span class="key" style="background: {colour}"></span>'


def _day(day: Any) -> str:  # noqa: ANN401 - a date, which pygal takes as a text
    return f"{day:%-d %b %Y}" if day.month == 1 and day.day == 1 else f"{day:%-d %b}"


def _short(number: float | None) -> str:
    """A number short enough for an axis or a bar."""
    if number is None:
        return ""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}" if number % 1 else f"{number:.0f}"


def _shortened(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1].rstrip()}…"
