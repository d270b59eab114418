from __future__ import annotations

from typing import Any

import pytest

from scripts.fewest_calls import fewest_calls

ADS = "GET /ad_accounts/{ad_account_id}/ads"
REPORT = "GET /ad_accounts/{ad_account_id}/ads/analytics"
TARGETING = "GET /ad_accounts/{ad_account_id}/ads/targeting_analytics"
PINS = "GET /pins/analytics"


def call(operation: str, account: str = "1", **query: str | list[str]) -> dict[str, Any]:
    # As JSON has them.
    pairs = [
        [name, value]
        for name, values in query.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return {"operation": operation, "path": f"/ad_accounts/{account}/ads", "query": pairs}


def days(first: str, last: str) -> dict[str, str]:
    return {"start_date": f"2026-01-{first}", "end_date": f"2026-01-{last}"}


JANUARY = days("01", "09")


def ids(count: int, start: int = 0) -> list[str]:
    return [str(number) for number in range(start, start + count)]


@pytest.mark.parametrize(
    ("calls", "fewest"),
    [
        ([call(ADS), call(ADS)], 1),
        ([call(ADS), call(ADS, account="2")], 2),
        ([call(ADS, page_size="25", bookmark=str(page)) for page in range(21)], 3),
        ([call(ADS, page_size="250", bookmark=str(page)) for page in range(21)], 21),
        ([call(REPORT, ad_ids=[each], **days("01", "09")) for each in ids(20)], 1),
        ([call(REPORT, ad_ids=ids(2), **days("01", f"{day:02}")) for day in range(1, 10)], 1),
        ([call(REPORT, ad_ids=ids(2), columns=name, **days("01", "09")) for name in "AB"], 2),
        ([call(REPORT, ad_ids=ids(250, 250 * n), **days("01", "20")) for n in range(4)], 4),
        ([call(REPORT, ad_ids=ids(125, 125 * n), **days("01", "20")) for n in range(8)], 4),
        ([call(TARGETING, ad_ids=ids(9), targeting_types=each, **JANUARY) for each in "AB"], 1),
        ([call(PINS, pin_ids=[each], **days("01", "09")) for each in ids(150)], 2),
        ([call("POST /catalogs/reports"), call("POST /catalogs/reports")], 2),
        ([call("GET /catalogs/reports", token="x"), call("GET /catalogs/reports", token="x")], 2),
    ],
)  # fmt: skip
def test_the_fewest_calls_are_found_from_those_that_were_made(
    calls: list[dict[str, Any]], fewest: int
) -> None:
    assert fewest_calls(calls).total() == fewest
