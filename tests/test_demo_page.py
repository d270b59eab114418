"""The page that the demo ends with: all in one file, readable on a phone and in the dark."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from chromium import chromium
from scripts.arrivals import Changes, Measures, Totals
from scripts.demo_page import Contents, page

if TYPE_CHECKING:
    from pathlib import Path

LAST = date(2026, 11, 23)
LONG = 'A campaign with a very long name & "quotes" <b>and more</b> than there is room for'


def measures(spend: str, impressions: int, conversions: int) -> Measures:
    return Measures(Decimal(spend), Decimal(impressions), Decimal(conversions))


def day(back: int, currency: str = "EUR") -> Totals:
    """Day 2 has one conversion more on each of the newest five days that day 1 had."""
    now = measures(f"{100 + back}.5", 40_000 + back, 500)
    before = now._replace(conversions=now.conversions - (back <= 5))
    of = LAST - timedelta(days=back)
    return Totals(of, of.isoformat(), currency, before if back else None, now)


def campaign(number: int, name: str) -> Totals:
    now = measures(f"{1000 * number}", 10_000 * number, 30 * number)
    before = now._replace(conversions=now.conversions - number)
    return Totals(str(number), name, "EUR", before, now)


@pytest.fixture
def html() -> str:
    campaigns = [campaign(number, f"{LONG} {number}") for number in range(10, 0, -1)]
    days = [day(back) for back in range(89, -1, -1)] + [
        day(back, "USD") for back in range(89, 0, -1)
    ]
    changes = [Changes("ad_analytics", 1800, 1815, 15, 207), Changes("ads", 38, 38, 0, 0)]
    return page(Contents((LAST, LAST + timedelta(days=1)), changes, days, campaigns, campaigns))


class Elements(HTMLParser):
    """The elements of a page, each with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_needs_no_script_and_no_other_file(html: str) -> None:
    elements = Elements(html).found

    tags = {tag for tag, _ in elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "use"}
    named = [value for _, given in elements for name, value in given.items() if "href" in name]
    assert named == []
    assert "url(" not in html
    assert "@import" not in html


def test_every_chart_says_what_it_shows_without_being_seen(html: str) -> None:
    charts = [given for tag, given in Elements(html).found if tag == "svg"]

    assert len(charts) == 9
    labels = [str(given["aria-label"]) for given in charts]
    assert labels[0].startswith("Spend, EUR, by day: 13,0")
    assert labels[-2:] == [
        "Conversions by day, restated: +10",
        "Conversions by campaign, restated: +10",
    ]


def test_a_name_is_text_whatever_is_in_it(html: str) -> None:
    assert "<b>and more</b>" not in html
    assert "A campaign with a ver…" in html


def test_rows_that_day_2_did_not_change_are_described_in_words(html: str) -> None:
    assert "As they were on day 1: Spend, EUR; Spend, USD; Impressions." in html


def test_the_charts_leave_no_importer_behind_that_python_warns_of() -> None:
    assert all(hasattr(each, "find_spec") for each in sys.meta_path)


def test_a_page_of_nothing_is_a_page() -> None:
    assert "</html>" in page(Contents((LAST, LAST), [], [], [], []))


def test_a_browser_shows_it_on_a_phone_and_in_the_dark(html: str, tmp_path: Path) -> None:
    file = tmp_path / "demo.html"
    file.write_text(html, encoding="utf-8")
    papers = {}
    with chromium() as browser:
        for width, dark in ((390, False), (390, True), (1280, False)):
            browser.look_as(width=width, height=844, dark=dark)
            browser.open(file.as_uri())
            assert browser.complaints == []
            assert browser.requested == [file.as_uri()]
            # Nothing sticks out to the side, and no text is too small to read.
            assert browser.evaluate("document.documentElement.scrollWidth") == width
            smallest = browser.evaluate(
                "Math.min(...[...document.querySelectorAll('svg text')]"
                ".filter(each => each.textContent.trim())"
                ".map(each => each.getBoundingClientRect().height).filter(height => height))"
            )
            assert smallest >= 10
            papers[dark] = browser.evaluate("getComputedStyle(document.body).backgroundColor")
            ink = browser.evaluate(
                "getComputedStyle(document.querySelector('svg .axis text.major')).fill"
            )
            assert ink == browser.evaluate("getComputedStyle(document.body).color")
    assert papers == {False: "rgb(255, 255, 255)", True: "rgb(20, 20, 19)"}
