from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_pinterest.api.periods import (
    GRANULARITIES,
    DateRange,
    Slice,
    cut,
    merged,
    periods,
    slices,
)

if TYPE_CHECKING:
    from tap_pinterest.api.periods import (
        Granularity,
    )

FIRST = date(2026, 1, 1)
DAY, HOUR, WEEK, MONTH, TOTAL = GRANULARITIES.values()


def days(count: int, start: date = FIRST) -> DateRange:
    return DateRange(start, start + timedelta(days=count - 1))


def ids(count: int) -> list[str]:
    return [str(687200000000 + index) for index in range(count)]


@pytest.mark.parametrize(
    ("entities", "span", "calls"),
    [
        pytest.param(1000, 89, 18, id="1,000 ads, 89 days: 56 ids a call"),
        pytest.param(250, 20, 1, id="250 ads, 20 days: exactly one call"),
        pytest.param(251, 20, 2, id="one ad more: two"),
        pytest.param(1, 90, 1, id="one ad"),
        pytest.param(10_000, 1, 40, id="many ads, one day: 250 ids a call"),
    ],
)
def test_a_report_takes_the_fewest_calls(entities: int, span: int, calls: int) -> None:
    shaped = slices(days(span), ids(entities), rows=5000, max_ids=250, max_days=90)

    assert len(shaped) == calls


def test_among_equally_few_slices_those_with_more_ids_are_chosen() -> None:
    shaped = slices(days(4), ids(4), rows=4, max_ids=250, max_days=90)

    assert [(len(each.ids), each.dates.days) for each in shaped] == [(4, 1)] * 4


def test_without_ids_there_is_no_slice() -> None:
    assert slices(days(90), [], rows=5000, max_ids=250, max_days=90) == []


@given(
    entities=st.integers(1, 600),
    span=st.integers(1, 90),
    rows=st.integers(1, 6000),
    max_ids=st.integers(1, 250),
    max_days=st.integers(1, 90),
)
def test_slices_cover_every_day_of_every_id_once_and_keep_the_limits(
    entities: int, span: int, rows: int, max_ids: int, max_days: int
) -> None:
    shaped = slices(days(span), ids(entities), rows=rows, max_ids=max_ids, max_days=max_days)

    assert sum(each.rows for each in shaped) == entities * span
    covered = {(id_, each.dates.start) for each in shaped for id_ in each.ids}
    assert len(covered) == sum(len(each.ids) for each in shaped)
    assert all(each.rows <= rows for each in shaped)
    assert all(len(each.ids) <= max_ids and each.dates.days <= max_days for each in shaped)


@given(span=st.integers(1, 400), size=st.integers(1, 90))
def test_a_range_is_cut_into_the_fewest_pieces_without_gap_or_overlap(span: int, size: int) -> None:
    pieces = cut(days(span), size)

    assert len(pieces) == -(-span // size)
    assert max(piece.days for piece in pieces) <= size
    assert merged(pieces) == [days(span)]
    assert sum(piece.days for piece in pieces) == span


def test_ranges_that_touch_or_overlap_become_one_and_empty_ones_vanish() -> None:
    day = timedelta(days=1)
    apart = days(2, FIRST + 10 * day)
    empty = DateRange(FIRST, FIRST - day)

    assert merged([apart, days(3, FIRST + 2 * day), empty, days(2)]) == [days(5), apart]


def test_a_slice_is_halved_by_ids_then_by_days_then_not_at_all() -> None:
    by_ids = Slice(days(3), ("1", "2", "3")).halves()
    by_days = Slice(days(3), ("1",)).halves()

    assert by_ids == (Slice(days(3), ("1",)), Slice(days(3), ("2", "3")))
    assert by_days == (
        Slice(days(1), ("1",)),
        Slice(days(2, FIRST + timedelta(days=1)), ("1",)),
    )
    assert Slice(days(1), ("1",)).halves() is None
    assert Slice(days(1)).halves() is None


@given(start=st.dates(FIRST, date(2027, 12, 31)), span=st.integers(1, 400))
@pytest.mark.parametrize("granularity", [DAY, WEEK, MONTH], ids=str)
def test_periods_cover_a_range_and_begin_where_a_period_does(
    granularity: Granularity, start: date, span: int
) -> None:
    dates = DateRange(granularity.first_day(start), start + timedelta(days=span))
    found = periods(dates, granularity)

    assert merged(found) == [dates]
    assert sum(each.days for each in found) == dates.days
    assert all(each.start == granularity.first_day(each.end) for each in found)
    assert all(each.end == granularity.last_day(each.start) for each in found[:-1])


@given(span=st.integers(1, 900), entities=st.integers(1, 60))
@pytest.mark.parametrize("granularity", [WEEK, MONTH], ids=str)
def test_a_call_for_weeks_or_months_cuts_none_of_them(
    granularity: Granularity, span: int, entities: int
) -> None:
    dates = days(span, date(2026, 6, 1))
    shaped = slices(
        dates, ids(entities), rows=200, max_ids=250, max_days=90, granularity=granularity
    )

    for each in shaped:
        assert each.dates.days <= 90
        assert each.dates.start == granularity.first_day(each.dates.start)
        assert each.dates.end in {granularity.last_day(each.dates.end), dates.end}
        assert each.rows <= 200


def test_targeting_types_and_hours_count_as_rows() -> None:
    by_type = slices(days(10), ids(10), rows=100, max_ids=250, max_days=90, types=("A", "B"))
    by_hour = slices(days(3), ids(2), rows=72, max_ids=9, max_days=3, granularity=HOUR)

    assert max(each.rows for each in by_type) <= 100
    assert len(by_type) == 2
    assert [each.rows for each in by_hour] == [72, 72]


def test_a_total_is_one_period_however_long() -> None:
    (total,) = slices(days(80), ids(3), rows=5000, max_ids=9, max_days=90, granularity=TOTAL)

    assert (total.dates, total.rows) == (days(80), 3)
    assert Slice(days(80), granularity=TOTAL).halves() is None
