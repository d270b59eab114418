"""Reports whose rows the description does not lay down, as Singer messages and as requests."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pinterest_sandbox import Sandbox, WorldSize
from singer_run import run, settings
from tap_pinterest.bodies import UnreadableAnswerError
from tap_pinterest.streams.reports import Download

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TODAY = date(2026, 11, 20)
WORLD = WorldSize(accounts=2, campaigns=2, ad_groups=3, ads=6, boards=1, pins=2)
STREAM = "template_reports"
CREATE = "POST /ad_accounts/{ad_account_id}/templates/{template_id}/reports"


@pytest.fixture
def pinterest() -> Iterator[Sandbox]:
    """A world with saved reports, and no quotas."""
    with Sandbox(seed=7, today=TODAY, size=WORLD, access_tier="unlimited") as sandbox:
        yield sandbox


def config(sandbox: Sandbox) -> Mapping[str, Any]:
    return settings(sandbox, stream_groups="all")


def in_reach(date_range: Mapping[str, Any]) -> bool:
    fixed = date_range.get("absolute_date_range")
    first = datetime.fromtimestamp(fixed["start_date"], UTC).date() if fixed else TODAY
    return (TODAY - first).days <= 914


def table(text: bytes) -> Download:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by what reads it
    file.write(text)
    return Download(file, "the report", is_csv=True)


def test_each_saved_report_is_ordered_once_and_its_rows_are_numbered(pinterest: Sandbox) -> None:
    result = run(config(pinterest), STREAM, "report_templates")

    templates = {
        (each["ad_account_id"], each["id"])
        for each in result.records("report_templates")
        if not each["is_deleted"] and in_reach(each["date_range"])
    }
    records = result.records(STREAM)
    rows: dict[tuple[str, str], list[int]] = {each: [] for each in templates}
    for record in records:
        rows[record["ad_account_id"], record["template_id"]].append(record["row"])
    assert result.code == 0
    assert records
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in rows.values())
    assert {record["date"] for record in records} == {TODAY.isoformat()}
    ordered = [each for each in pinterest.requests if each.operation == CREATE]
    assert len(ordered) == len(templates)


def test_rows_of_a_table_are_those_of_json_as_texts() -> None:
    rows = [msgspec.json.decode(row) for row in table(b'\xef\xbb\xbfA,B\r\n1,"x, y"\r\n2,\r\n')]

    assert rows == [{"A": "1", "B": "x, y"}, {"A": "2", "B": ""}]


@pytest.mark.parametrize("text", [b"A,B\r\n1\r\n", b'A,B\r\n1,"x'])
def test_a_table_that_is_cut_off_is_not_read_in_part(text: bytes) -> None:
    with pytest.raises(UnreadableAnswerError, match="cannot be read: line"):
        table(text)
