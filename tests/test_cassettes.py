"""Recorded answers, one cassette for each shape: the tap with Pinterest's own address."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import vcr
from vcr.stubs.requests_stubs import VCRRequestsHTTPSConnection

from scripts.record_cassettes import STREAMS
from singer_run import run
from tap_pinterest.http import addresses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_run import Run

CASSETTES = Path(__file__).parent / "cassettes"
CONFIG = {
    "client_id": "1",
    "client_secret": "recorded",
    "refresh_token": "recorded",
    "token_file": "",
    "max_requests_in_flight": 1,  # vcrpy is not made for threads
    "start_date": "5 days ago",
    "stream_groups": "all",
    "targeting_types": "GENDER",
}


@pytest.fixture(params=sorted(STREAMS))
def played(request: pytest.FixtureRequest) -> Iterator[tuple[str, Run]]:
    """A stream, and a run that reads it from its cassette; any other call would fail."""
    stream = STREAMS[request.param]
    cassette = str(CASSETTES / f"{request.param}.yaml")
    with vcr.use_cassette(
        cassette,
        record_mode="none",
        match_on=["method", "uri"],
        # Connections for downloads look at the address they have; a tape has none.
        custom_patches=((addresses._PublicPool, "ConnectionCls", VCRRequestsHTTPSConnection),),
    ) as tape:
        yield stream, run(CONFIG, stream)
        assert tape.all_played


def test_a_recorded_run_arrives_whole(played: tuple[str, Run]) -> None:
    stream, result = played

    assert result.code == 0
    assert result.records(stream)


def test_every_shape_has_a_cassette_and_every_cassette_a_shape() -> None:
    assert {path.stem for path in CASSETTES.glob("*.yaml")} == set(STREAMS)


@pytest.mark.parametrize("path", sorted(CASSETTES.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_cassette_holds_a_secret_or_an_address(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"pin[ar]_\w|Bearer |Basic |[Aa]uthorization", text)
    assert set(re.findall(r"https?://([\w.-]+)", text)) <= {"api.pinterest.com", "example.com"}
