"""Draws the diagrams of the documents as SVG and HTML: the site needs no network for them.

A Sphinx extension. The pages have diagrams in Mermaid's language, which GitHub draws. This module
reads the parts of the language that the pages use: entities with their relations, arrows, and bars
in time.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from html import escape
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sphinx.application import Sphinx

LETTER, SMALL_LETTER = 7.3, 6.1
"""Widths of a letter in the name of a box, and on a line."""
BOX_HEIGHT, PORT_HEIGHT = 28, 17
SPACE = 12
"""Free height between two boxes."""
BEND = 18
"""Free width between a box and the bend of the lines that leave it."""
DAYS_BETWEEN = 28

_RELATION = re.compile(r"(\w+) (\|\||\|o)--o\{ (\w+) : \"([^\"]+)\"")
_ARROW = re.compile(r"(\w+) --> (\w+)")
_SECTION = re.compile(r"section (.+)")
_BAR = re.compile(r"(.+?) : (?:(active|crit), )?(\d{4}-\d\d-\d\d), (\d{4}-\d\d-\d\d)")
_MILESTONE = re.compile(r"(.+?) : milestone, (\d{4}-\d\d-\d\d), 0d")


class Line(NamedTuple):
    """A line between two boxes.

    Attributes:
        start: The name of the box on its left.
        end: The name of the box on its right.
        text: The text above the line.
        is_sure: Whether every row of the right table has a row in the left table.
    """

    start: str
    end: str
    text: str = ""
    is_sure: bool = True


class Box(NamedTuple):
    """A box with its place."""

    x: float
    y: float
    width: float
    height: float


class UnknownDiagramError(ValueError):
    """The text is a kind of diagram, or has a line, that this module cannot draw."""


def drawn(text: str) -> str:
    """A diagram as HTML.

    Raises:
        UnknownDiagramError: It has something that cannot be drawn.
    """
    first, *lines = (line.strip() for line in text.strip().splitlines())
    if first == "erDiagram":
        return _graph(list(map(_relation, lines)))
    if first == "flowchart LR":
        return _graph(list(map(_arrow, lines)))
    if first == "gantt":
        return _gantt(lines)
    raise UnknownDiagramError(first)


def _relation(line: str) -> Line:
    if found := _RELATION.fullmatch(line):
        return Line(found[1], found[3], found[4], is_sure=found[2] == "||")
    raise UnknownDiagramError(line)


def _arrow(line: str) -> Line:
    if found := _ARROW.fullmatch(line):
        return Line(found[1], found[2])
    raise UnknownDiagramError(line)


def _graph(lines: Sequence[Line]) -> str:
    boxes = placed(lines)
    width = max(box.x + box.width for box in boxes.values()) + 2
    height = max(box.y + box.height for box in boxes.values()) + 2
    parts = [*_lines(lines, boxes), *_boxes(boxes)]
    description = "; ".join(f"{line.start} to {line.end} {line.text}".strip() for line in lines)
    return (
        f'<div class="diagram"><svg width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="-1 -1 {width:.0f} {height:.0f}" role="img" aria-label="{escape(description)}">'
        f"{''.join(parts)}</svg></div>"
    )


def placed(lines: Sequence[Line]) -> dict[str, Box]:
    """The place of each box: columns from left to right, each line from one to the next."""
    columns = _columns(lines)
    incoming = Counter(line.end for line in lines)
    heights = {
        name: max(BOX_HEIGHT, PORT_HEIGHT * incoming[name] + 6)
        for column in columns
        for name in column
    }
    return _boxes_of(columns, lines, heights, _middles(columns, lines, heights))


def _columns(lines: Sequence[Line]) -> list[list[str]]:
    """The boxes by column: as far left as they must be, then as far right as they can be."""
    names = dict.fromkeys(name for line in lines for name in (line.start, line.end))
    place = dict.fromkeys(names, 0)
    for _ in names:
        for line in lines:
            place[line.end] = max(place[line.end], place[line.start] + 1)
    for _ in names:
        for name in names:
            if ends := [place[line.end] for line in lines if line.start == name]:
                place[name] = min(ends) - 1
    columns: list[list[str]] = [[] for _ in range(max(place.values()) + 1)]
    for name in names:
        columns[place[name]].append(name)
    return columns


def _middles(
    columns: Sequence[Sequence[str]], lines: Sequence[Line], heights: Mapping[str, float]
) -> dict[str, float]:
    """The heights of the boxes: trees below each other, each box beside its branches."""
    parents = {line.end: line.start for line in sorted(lines, key=lambda line: line.is_sure)}
    branches: dict[str, list[str]] = defaultdict(list)
    for end, start in parents.items():
        branches[start].append(end)
    middles: dict[str, float] = {}
    bottom = 0.0

    def place(name: str) -> None:
        nonlocal bottom
        for branch in branches[name]:
            place(branch)
        if inner := [middles[branch] for branch in branches[name]]:
            middles[name] = (inner[0] + inner[-1]) / 2
        else:
            middles[name] = bottom + heights[name] / 2
            bottom += heights[name] + SPACE

    others = []
    for name in (name for column in columns for name in column if name not in parents):
        if branches[name]:
            place(name)
        else:
            others.append(name)
    for name in others:
        wanted = next(middles[line.end] for line in lines if line.start == name)
        column = next(column for column in columns if name in column)
        taken = [(middles[each], heights[each]) for each in column if each in middles]
        middles[name] = _free(wanted, heights[name], taken)
    return middles


def _free(wanted: float, height: float, taken: Sequence[tuple[float, float]]) -> float:
    """The height next to the wanted one at which a box does not touch others of its column."""
    steps = (wanted + sign * step * SPACE for step in count() for sign in (-1, 1))
    return next(
        middle
        for middle in steps
        if all(abs(middle - other) >= (height + tall) / 2 + SPACE for other, tall in taken)
    )


def _boxes_of(
    columns: Sequence[Sequence[str]],
    lines: Sequence[Line],
    heights: Mapping[str, float],
    middles: Mapping[str, float],
) -> dict[str, Box]:
    top = min(middles[name] - heights[name] / 2 for name in middles)
    boxes: dict[str, Box] = {}
    x = 0.0
    for column in columns:
        width = max(map(len, column)) * LETTER + 20
        for name in column:
            y = middles[name] - heights[name] / 2 - top
            boxes[name] = Box(x, y, width, heights[name])
        texts = [len(line.text) for line in lines if line.start in column]
        x += width + BEND + max(texts, default=0) * SMALL_LETTER + 30
    return boxes


def _lines(lines: Sequence[Line], boxes: Mapping[str, Box]) -> Iterator[str]:
    ends: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        ends[line.end].append(line)
    # Boxes above each other must not share a bend: their lines would seem to be one.
    starts = sorted({line.start for line in lines}, key=lambda name: (boxes[name].x, boxes[name].y))
    for line in lines:
        start, end = boxes[line.start], boxes[line.end]
        others = sorted(ends[line.end], key=lambda each: boxes[each.start].y)
        port = others.index(line) - (len(others) - 1) / 2
        x, y = start.x + start.width, start.y + start.height / 2
        x2, y2 = end.x, end.y + end.height / 2 + port * PORT_HEIGHT
        kind = "" if line.is_sure else ' class="maybe"'
        foot = f"M{x2 - 9:.0f} {y2:.1f}l9 -5m-9 5l9 5" if line.text else ""
        head = "" if line.text else f"M{x2 - 7:.0f} {y2 - 4:.1f}l7 4l-7 4"
        bend = x + BEND - 6 * (starts.index(line.start) % 3)
        yield f'<path{kind} d="M{x:.0f} {y:.1f}H{bend:.0f}V{y2:.1f}H{x2:.0f}"/>'
        yield f'<path d="{foot}{head}"/>'
        if line.text:
            yield f'<text class="on" x="{x2 - 12:.0f}" y="{y2 - 4:.1f}">{escape(line.text)}</text>'


def _boxes(boxes: Mapping[str, Box]) -> Iterator[str]:
    for name, box in boxes.items():
        yield (
            f'<rect x="{box.x:.0f}" y="{box.y:.1f}" width="{box.width:.0f}"'
            f' height="{box.height:.0f}" rx="5"/>'
            f'<text x="{box.x + 10:.0f}" y="{box.y + box.height / 2 + 4:.1f}">{escape(name)}</text>'
        )


class Bar(NamedTuple):
    """A row of a picture of days: a bar, or a mark on one day."""

    text: str
    kind: str
    start: date
    end: date


def _gantt(lines: Sequence[str]) -> str:
    sections: list[tuple[str, list[Bar]]] = []
    title = ""
    for line in lines:
        if found := _SECTION.fullmatch(line):
            sections.append((found[1], []))
        elif line.startswith("title "):
            title = line.removeprefix("title ")
        elif ":" in line:
            sections[-1][1].append(_bar(line))
    return _timeline(title, sections)


def _bar(line: str) -> Bar:
    if found := _MILESTONE.fullmatch(line):
        day = date.fromisoformat(found[2])
        return Bar(found[1], "milestone", day, day + timedelta(1))
    if found := _BAR.fullmatch(line):
        start, end = map(date.fromisoformat, found.group(3, 4))
        return Bar(found[1], found[2] or "plain", start, end)
    raise UnknownDiagramError(line)


def _timeline(title: str, sections: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    bars = [bar for _, of in sections for bar in of]
    first, last = min(bar.start for bar in bars), max(bar.end for bar in bars)

    def percent(days: timedelta) -> str:
        return f"{days / (last - first) * 100:.2f}%"

    rows = "".join(
        f"<p><b>{escape(name)}</b></p>"
        + "".join(
            f'<div><span>{escape(bar.text)}</span><u><i class="{bar.kind}"'
            f' style="left:{percent(bar.start - first)};width:{percent(bar.end - bar.start)}"></i>'
            "</u></div>"
            for bar in of
        )
        for name, of in sections
    )
    days = range(0, (last - first).days, DAYS_BETWEEN)
    axis = "".join(
        f'<i style="left:{percent(timedelta(day))}">{_named(first + timedelta(day))}</i>'
        for day in days
    )
    return (
        f'<div class="timeline" role="img" aria-label="{escape(title)}"><p>{escape(title)}</p>'
        f'{rows}<div class="axis">{axis}</div></div>'
    )


def _named(day: date) -> str:
    return f"{day.day} {day:%b}"


class Diagram(SphinxDirective):
    """A fenced block of the language."""

    has_content = True

    @override
    def run(self) -> list[nodes.Node]:
        try:
            return [nodes.raw("", drawn("\n".join(self.content)), format="html")]
        except UnknownDiagramError as error:
            message = f"this cannot be drawn: {error}"
            raise self.error(message) from None


def setup(app: Sphinx) -> dict[str, Any]:
    """Draw the blocks of a site."""
    app.add_directive("mermaid", Diagram)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
