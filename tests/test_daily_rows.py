"""Pins and boards by day, and the components of quality scores: from lists that are read anyway."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from both_targets import Database
from conftest import SMALL, TODAY
from loading import database
from pinterest_sandbox import Sandbox
from singer_pipes import lines
from singer_run import run, settings
from tap_pinterest.http.errors import GoneError
from tap_pinterest.streams import listed
from test_datasets import Answers, items, picked
from test_datasets import run as run_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loading import Row

STREAMS = ("pin_metrics_daily", "board_counts_daily", "conversion_eqs_components")
WHOLE = ("pins", "boards", "conversion_eqs")
"""The streams that write the whole records of the same lists."""
ONE_PIN = {"id": "5", "board_id": "7"}


class Day:
    """The counts on a day, and the requests of a run with the streams and without."""

    def __init__(self, sandbox: Sandbox) -> None:
        pins = {"include_protected_pins": True, "pin_metrics": True}
        self.pins = [pin for _, pin in sandbox.truth("GET /pins", **pins)]
        self.boards = [board for _, board in sandbox.truth("GET /boards")]
        scores = "GET /ad_accounts/{ad_account_id}/conversion_eqs"
        self.scores = [(shown["ad_account_id"], score) for shown, score in sandbox.truth(scores)]
        self.requests: list[Counter[tuple[str, str]]] = []

    def read(self, sandbox: Sandbox, *streams: str, state: Any = None) -> Any:
        """A run, whose requests are noted."""
        before = len(sandbox.requests)
        config = settings(sandbox, stream_groups=["organic", "conversions"])
        ended = run(config, *streams, state=state)
        assert ended.code == 0
        asked = ((each.method, each.path) for each in sandbox.requests[before:])
        self.requests.append(Counter(asked))
        return ended


@pytest.fixture(scope="module")
def two_days() -> Iterator[tuple[Database, list[Day]]]:
    with database() as found, Sandbox(seed=7, today=TODAY, size=SMALL) as sandbox:
        db, days, state = Database(*found), list[Day](), None
        for _ in range(2):
            day = Day(sandbox)
            day.read(sandbox, *WHOLE)
            ended = day.read(sandbox, *WHOLE, *STREAMS, state=state)
            db.load(lines(ended.messages).decode())
            days.append(day)
            state = ended.state
            sandbox.today += timedelta(days=1)
        yield db, days
        db.close()


def rows(db: Database, table: str, *columns: str) -> list[Row]:
    """The rows of a table; dates as texts, numbers as such."""
    text = ", ".join(f"{name}::text" if name == "date" else name for name in columns)
    found = db.execute(f"SELECT {text} FROM {{}}.{{}}", db.schema, table)  # noqa: S608 - our names
    return sorted((dict(zip(columns, row, strict=True)) for row in found), key=str)


def by_date(days: list[Day], made: dict[int, list[Row]]) -> list[Row]:
    dates = (TODAY + timedelta(days=number) for number in range(len(days)))
    rows = ({**row, "date": f"{day}"} for number, day in enumerate(dates) for row in made[number])
    return sorted(rows, key=str)


def test_each_pin_has_its_numbers_of_each_day(two_days: tuple[Database, list[Day]]) -> None:
    db, days = two_days
    sent = {
        number: [
            {
                "pin_id": pin["id"],
                "date": "",
                "board_id": pin["board_id"],
                "impression_90d": pin["pin_metrics"]["90d"]["impression"],
                "save_90d": pin["pin_metrics"]["90d"]["save"],
                "clickthrough_lifetime": pin["pin_metrics"]["lifetime_metrics"]["clickthrough"],
                "comment_lifetime": pin["pin_metrics"]["lifetime_metrics"]["comment"],
            }
            for pin in day.pins
        ]
        for number, day in enumerate(days)
    }
    assert sent[0] != sent[1]
    assert sent[0]
    assert rows(db, "pin_metrics_daily", *sent[0][0]) == by_date(days, sent)
    assert len(rows(db, "pins", "id")) == len(sent[1])


def test_each_board_has_its_counts_of_each_day(two_days: tuple[Database, list[Day]]) -> None:
    db, days = two_days
    names = ("pin_count", "follower_count", "collaborator_count")
    sent = {
        number: [
            {"board_id": board["id"], "date": "", **{name: board.get(name) for name in names}}
            for board in day.boards
        ]
        for number, day in enumerate(days)
    }
    assert len(sent[0]) == SMALL.boards
    assert rows(db, "board_counts_daily", *sent[0][0]) == by_date(days, sent)


def test_each_component_of_a_score_is_a_row_for_each_event(
    two_days: tuple[Database, list[Day]],
) -> None:
    db, days = two_days
    named = ("lookback_period", "source_platform", "ingestion_source")
    sent = {
        number: [
            {
                "ad_account_id": account,
                **{name: score[name] for name in named},
                "component": component,
                "event_name": event,
                "date": "",
                "coverage": found["coverage"],
                "overlap": found.get("overlap"),
                "issues": found.get("issues"),
            }
            for account, score in day.scores
            for component, events in score["quality_components"].items()
            for event, found in events.items()
        ]
        for number, day in enumerate(days)
    }
    assert len(sent[0]) > len(days[0].scores)
    loaded = rows(db, "conversion_eqs_components", *sent[0][0])
    for row in loaded:
        row.update({name: float(row[name]) for name in ("coverage", "overlap") if row[name]})
    assert loaded == by_date(days, sent)


def test_daily_rows_take_no_further_call(two_days: tuple[Database, list[Day]]) -> None:
    _, days = two_days
    for day in days:
        without, with_them = day.requests
        assert with_them == without


def test_a_default_run_makes_the_calls_that_it_made_before_but_for_creatives(
    sandbox: Sandbox,
) -> None:
    # The others were streams of the default groups before any of these.
    new = {*STREAMS, "ad_creatives", "sync_log", "listed_items", "complete_lists"}
    default = {each.name for each in listed(["ads", "organic"])}
    asked = []
    for streams in (default - new, default | new):
        sandbox.requests.clear()
        ended = run(settings(sandbox, start_date="5 days ago", removed_items=True), *streams)
        assert ended.code == 0
        asked.append(Counter(str(each.operation) for each in sandbox.requests))

    before, after = asked
    creatives = after - before
    assert before - after == Counter()
    assert creatives.keys() == {"GET /pins/{pin_id}"}
    own = {each["id"] for each in ended.records("pins")}
    promoted = {each["pin_id"] for each in ended.records("ads")}
    assert creatives.total() == len(promoted - own)


def test_daily_rows_read_the_lists_if_no_other_stream_does() -> None:
    answers = Answers({"/pins": items(ONE_PIN), "/boards": items({"id": "7", "pin_count": 1})})
    ended = run_with(answers, "pin_metrics_daily", "board_counts_daily")

    assert answers.calls == {"/pins": 1, "/boards": 1}
    assert picked(ended, "pin_metrics_daily", "pin_id", "impression_90d") == [("5", None)]
    assert picked(ended, "board_counts_daily", "board_id", "pin_count") == [("7", 1)]


@pytest.mark.parametrize(
    ("metrics", "kept"),
    [
        ({"90d": {"impression": 3, "video_start": 2}}, {"video_start_90d": 2}),
        ({"30d": {"impression": 3}, "90d": {"impression": 3}}, {"impression_30d": 3}),
        (
            {"90d": {"impression": 3}, "lifetime_metrics": [1]},
            {"pin_metrics.lifetime_metrics": [1]},
        ),
    ],
    ids=["a number", "a span", "another shape"],
)
def test_numbers_that_have_no_column_are_kept_and_counted(metrics: Any, kept: Any) -> None:
    answers = Answers({"/pins": items({**ONE_PIN, "pin_metrics": metrics})})
    ended = run_with(answers, "pin_metrics_daily")

    assert picked(ended, "pin_metrics_daily", "impression_90d", "extra_fields") == [(3, kept)]
    unknown = ended.tap.run.summary.streams["pin_metrics_daily"].unknown
    assert unknown == dict.fromkeys(kept, 1)


def test_daily_rows_fail_for_a_named_pin_that_is_not_listed() -> None:
    answers = Answers({"/pins": items(ONE_PIN)})

    assert run_with(answers, "pin_metrics_daily", pin_ids=["5"]).code == 0
    assert run_with(answers, "pin_metrics_daily", pin_ids=["5", "6"]).code == 1


def test_a_list_that_is_cut_short_has_the_rows_of_its_first_pages() -> None:
    def pins(bookmark: str = "", **_: Any) -> Any:
        return GoneError("gone") if bookmark else items(ONE_PIN, bookmark="next")

    ended = run_with(Answers({"/pins": pins}), "pins", "pin_metrics_daily")

    assert ended.code == 1
    for stream, key in (("pins", "id"), ("pin_metrics_daily", "pin_id")):
        assert picked(ended, stream, key) == [("5",)]
        reasons = ended.tap.run.summary.streams[stream].failures
        assert "first pages are answered" in str(reasons)
