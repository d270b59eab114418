from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client

TODAY = date(2026, 11, 20)
YEAR = 365 * 86_400
CONVERSIONS = [
    "TOTAL_CHECKOUT",
    "TOTAL_CLICK_CHECKOUT",
    "TOTAL_VIEW_CHECKOUT",
    "TOTAL_PAGE_VISIT",
    "TOTAL_CONVERSIONS",
    "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR",
]
DELIVERY = ["PAID_IMPRESSION", "CLICKTHROUGH_1", "SPEND_IN_MICRO_DOLLAR", "TOTAL_ENGAGEMENT"]


def _account(client: Client) -> str:
    return f"/ad_accounts/{client.sandbox.world.ad_accounts[0].id}"


def _day(client: Client, day: date, **how: Any) -> dict[str, Any]:
    rows = client.get(
        f"{_account(client)}/analytics",
        start_date=day,
        end_date=day,
        granularity="DAY",
        columns=",".join([*CONVERSIONS, *DELIVERY]),
        **how,
    )
    row: dict[str, Any] = rows[0]
    return row


def test_conversions_of_a_day_grow_until_their_window_has_passed(
    serve: Callable[..., Client],
) -> None:
    client = serve(access_seconds=YEAR)
    seen = []
    for age in range(40):
        client.sandbox.today = TODAY + timedelta(days=age)
        seen.append(_day(client, TODAY))

    for name in CONVERSIONS:
        values = [row.get(name, 0) for row in seen]
        assert values == sorted(values)
        assert values[30] == values[39]
        assert values[0] < values[30]
        assert "VIEW" in name or values[7] < values[30]


def test_delivery_is_final_once_it_is_ready(serve: Callable[..., Client]) -> None:
    client = serve(access_seconds=YEAR)
    partial = _day(client, TODAY)
    client.sandbox.today += timedelta(days=1)
    ready = _day(client, TODAY)
    client.sandbox.today += timedelta(days=20)
    later = _day(client, TODAY)

    for name in DELIVERY:
        assert partial[name] < ready[name] == later[name]


def test_a_view_counts_for_one_day_by_default(serve: Callable[..., Client]) -> None:
    client = serve(access_seconds=YEAR)
    day = TODAY - timedelta(days=5)
    before = _day(client, day)
    client.sandbox.today += timedelta(days=30)

    assert _day(client, day)["TOTAL_VIEW_CHECKOUT"] == before["TOTAL_VIEW_CHECKOUT"]


def test_wider_windows_credit_more(serve: Callable[..., Client]) -> None:
    client = serve(access_seconds=YEAR)
    day = TODAY - timedelta(days=70)

    counts = [
        _day(client, day, click_window_days=days, engagement_window_days=0)
        for days in (0, 1, 7, 14, 30, 60)
    ]

    clicks = [row["TOTAL_CLICK_CHECKOUT"] for row in counts]
    assert clicks == sorted(clicks)
    assert 0 < clicks[0] < clicks[2] < clicks[5]
    assert len({row["TOTAL_VIEW_CHECKOUT"] for row in counts}) == 1


def test_by_conversion_time_a_past_day_does_not_change(serve: Callable[..., Client]) -> None:
    client = serve(access_seconds=YEAR)
    day = TODAY - timedelta(days=3)
    before = _day(client, day, conversion_report_time="TIME_OF_CONVERSION")
    client.sandbox.today += timedelta(days=25)
    after = _day(client, day, conversion_report_time="TIME_OF_CONVERSION")

    assert after == before
    assert before != _day(client, day)


@pytest.mark.parametrize(
    ("age", "delivery", "conversions"),
    [(-1, False, False), (0, False, False), (1, True, False), (2, True, True), (400, True, True)],
)
def test_metrics_are_ready_some_days_later(
    client: Client, *, age: int, delivery: bool, conversions: bool
) -> None:
    day = client.sandbox.today - timedelta(days=age)

    assert client.get("/resources/metrics_ready_state", date=day) == {
        "conversion_metrics_ready": conversions,
        "non_conversion_metrics_ready": delivery,
    }


@pytest.mark.parametrize("text", ["2026-13-01", "2026-1-1", "yesterday"])
def test_the_ready_state_of_an_invalid_date_is_400(client: Client, text: str) -> None:
    assert client.refused("/resources/metrics_ready_state", date=text)[0] == 400


def test_a_day_on_changes_what_the_window_reaches_and_nothing_else(
    serve: Callable[..., Client],
) -> None:
    client = serve(access_seconds=YEAR)
    query = {
        "start_date": TODAY - timedelta(days=80),
        "end_date": TODAY - timedelta(days=1),
        "granularity": "DAY",
        "columns": ",".join([*CONVERSIONS, *DELIVERY]),
    }
    before = {row["DATE"]: row for row in client.get(f"{_account(client)}/analytics", **query)}
    client.sandbox.today += timedelta(days=1)
    after = {row["DATE"]: row for row in client.get(f"{_account(client)}/analytics", **query)}

    restated = {day for day, row in after.items() if row != before[day]}
    oldest = (TODAY - timedelta(days=30)).isoformat()
    assert before.keys() == after.keys()
    assert restated
    assert min(restated) >= oldest
