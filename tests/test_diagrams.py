"""The diagrams of the documents, as the site draws them."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from documents import all_blocks
from scripts import diagrams
from scripts.diagrams import Line, UnknownDiagramError, drawn, placed

GRAPHS = [each for each in all_blocks("mermaid") if not each.text.startswith("gantt")]


def lines_of(text: str) -> list[Line]:
    return [Line(found[0], found[2]) for found in diagrams._RELATION.findall(text)] + [
        Line(*found) for found in diagrams._ARROW.findall(text)
    ]


@pytest.mark.parametrize("block", all_blocks("mermaid"), ids=str)
def test_every_diagram_of_the_documents_can_be_drawn(block: object) -> None:
    text = getattr(block, "text", "")
    html = drawn(text)

    for name in re.findall(r"[a-z]+(?:_[a-z]+)+(?= [|:])", text):
        assert name in html


@pytest.mark.parametrize("text", [each.text for each in GRAPHS], ids=map(str, GRAPHS))
def test_boxes_do_not_touch_and_every_line_leads_to_the_right(text: str) -> None:
    lines = lines_of(text)
    boxes = placed(lines)

    assert {name for line in lines for name in line[:2]} == boxes.keys()
    for line in lines:
        left, right = boxes[line.start], boxes[line.end]
        assert left.x + left.width + diagrams.BEND < right.x
        # No column lies between, so that no line crosses a box.
        assert not [
            box
            for box in boxes.values()
            if left.x + left.width < box.x < right.x - right.width and box.x != right.x
        ]
    for one, other in combinations(boxes.values(), 2):
        apart = (
            one.x + one.width <= other.x
            or other.x + other.width <= one.x
            or one.y + one.height <= other.y
            or other.y + other.height <= one.y
        )
        assert apart, (one, other)


def test_a_line_that_may_lead_nowhere_is_dashed() -> None:
    html = drawn('erDiagram\n  a ||--o{ b : "id = a_id"\n  c |o--o{ b : "id = c_id"')

    assert html.count('class="maybe"') == 1


def test_arrows_are_drawn_too() -> None:
    assert drawn("flowchart LR\n  first --> second").count("<rect") == 2


def test_a_bar_is_as_long_as_its_days() -> None:
    html = drawn(
        "gantt\n section A\n all : 2026-01-01, 2026-01-11\n half : crit, 2026-01-06, 2026-01-11"
    )

    assert 'class="plain" style="left:0.00%;width:100.00%"' in html
    assert 'class="crit" style="left:50.00%;width:50.00%"' in html


@pytest.mark.parametrize(
    "text", ["pie", "erDiagram\n  a }|--|{ b : x", "gantt\n section A\n bar : after a, 3d"]
)
def test_something_that_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(UnknownDiagramError):
        drawn(text)
