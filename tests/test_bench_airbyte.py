from __future__ import annotations

import json

import pytest

from scripts.airbyte_at_sandbox import at
from scripts.bench_airbyte import (
    VARIABLE,
    Effort,
    NoSourceError,
    configured,
    installed,
    ratios,
    tally,
)

CATALOG = {
    "type": "CATALOG",
    "catalog": {
        "streams": [
            {"name": "ads", "supported_sync_modes": ["full_refresh"]},
            {"name": "boards", "supported_sync_modes": ["full_refresh"]},
            {"name": "ad_analytics", "supported_sync_modes": ["full_refresh", "incremental"]},
        ]
    },
}


def record(stream: str) -> str:
    return json.dumps({"type": "RECORD", "record": {"stream": stream, "data": {}}})


def status(stream: str, last: str) -> str:
    latest = {"stream_descriptor": {"name": stream}, "status": last}
    trace = {"type": "STREAM_STATUS", "stream_status": latest}
    return json.dumps({"type": "TRACE", "trace": trace})


def test_less_effort_is_more_times_better() -> None:
    ours = Effort(calls=30, records=20_000, seconds=5.0, cpu=1.0, memory=1)
    theirs = Effort(calls=900, records=10_000, seconds=100.0, cpu=5.0, memory=1)

    times = ratios(ours, theirs)

    assert (times.calls, times.seconds, times.rate) == (30, 20, 10)


def test_records_are_counted_by_stream_among_other_messages() -> None:
    lines = ["a warning\n", '{"type": "LOG"}', record("ads"), record("ad_analytics"), record("ads")]

    assert tally(lines).records == {"ads": 2, "ad_analytics": 1}


def test_a_stream_that_did_not_complete_is_known_by_its_last_status() -> None:
    lines = [
        status("ads", "STARTED"),
        status("ads", "RUNNING"),
        status("ads", "COMPLETE"),
        status("campaigns", "STARTED"),
        status("campaigns", "INCOMPLETE"),
    ]

    assert tally(lines).incomplete == ["campaigns: INCOMPLETE."]


def test_the_text_of_an_error_is_kept() -> None:
    trace = {"type": "ERROR", "error": {"message": "The token is not valid."}}

    assert tally([json.dumps({"type": "TRACE", "trace": trace})]).errors == [
        "The token is not valid."
    ]


def test_only_the_named_streams_are_read_incrementally_where_they_can_be() -> None:
    streams = configured([json.dumps(CATALOG)], ["ad_analytics", "ads"])["streams"]

    assert [(each["stream"]["name"], each["sync_mode"]) for each in streams] == [
        ("ad_analytics", "incremental"),
        ("ads", "full_refresh"),
    ]


def test_a_stream_that_airbyte_does_not_offer_is_named() -> None:
    with pytest.raises(NoSourceError, match=r"does not offer campaigns\."):
        configured([json.dumps(CATALOG)], ["ads", "campaigns"])


def test_without_the_package_the_reason_says_how_to_have_it() -> None:
    with pytest.raises(NoSourceError, match="`make bench-airbyte` installs it"):
        installed({VARIABLE: "/nowhere/python"})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.pinterest.com/v5/ads?a=1", "http://127.0.0.1:9/v5/ads?a=1"),
        ("https://example.com/v5/ads", "https://example.com/v5/ads"),
    ],
)
def test_only_calls_to_pinterest_go_to_the_other_address(url: str, expected: str) -> None:
    assert at("http://127.0.0.1:9/v5", url) == expected
