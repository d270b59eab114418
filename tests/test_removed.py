"""The documented view shows the items that Pinterest no longer has, from the rows of the runs."""

from __future__ import annotations

import random
import signal
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from both_targets import new_database
from conftest import SMALL, TODAY
from documents import blocks
from pinterest_sandbox import Sandbox
from removed_rows import Past, Tables, view
from singer_pipes import lines
from singer_run import EVERYTHING, PatientClock, PatientTap, catalog_of, run, settings
from tap_pinterest import api
from tap_pinterest.http.auth import RenewedToken
from tap_pinterest.http.tokens import TokenAnswer
from tap_pinterest.run.cost import plan
from tap_pinterest.run.listed import ALL
from tap_pinterest.singer.process import selected_in
from tap_pinterest.streams import STREAM_TYPES
from tap_pinterest.streams.bases.dataset import DatasetStream, SnapshotStream
from tap_pinterest.tap import TapPinterest
from test_datasets import Answers
from test_datasets import run as run_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from both_targets import Database
    from singer_run import Run

ORGANIC = ("boards", "pins", "board_pins", "board_sections")
STREAMS = (*ORGANIC, "campaigns")
TABLES = ("listed_items", "complete_lists")


def config(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    groups = {"stream_groups": ["ads", "organic", "boards"], "removed_items": True}
    return settings(sandbox, **groups | more)


class Warehouse:
    """A sandbox that a run reads each day, and the tables that the runs load."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.tables = Tables()

    def day(self, *streams: str, loads: bool = True, **more: Any) -> Run:
        """One more day, and its run; without `loads` the target is down."""
        self.sandbox.today += timedelta(days=1)
        selected = {*(streams or STREAMS), *TABLES}
        result = run(config(self.sandbox, **more), *selected)
        if loads:
            self.load(result)
        return result

    def load(self, result: Run) -> None:
        self.tables.load(*(result.records(name) for name in TABLES))

    def removed(self) -> set[tuple[str, str]]:
        """The stream and the key of all that is gone."""
        return {(row["stream"], row["id"]) for row in self.tables.removed()}

    def dates(self, stream: str, key: str) -> tuple[str, str, int]:
        """When it was last listed and first missed, and how many lists do not have it."""
        (row,) = (r for r in self.tables.removed() if (r["stream"], r["id"]) == (stream, key))
        times = (row["last_listed_at"], row["first_missed_at"])
        return (*(str(each.date()) for each in times), row["missed_lists"])


@pytest.fixture
def warehouse(sandbox: Sandbox) -> Iterator[Warehouse]:
    found = Warehouse(sandbox)
    with closing(found.tables):
        found.day()
        yield found


def pins_of(sandbox: Sandbox) -> dict[str, str]:
    """The board of each Pin that the token can read."""
    return {pin["id"]: pin["board_id"] for _, pin in sandbox.truth("GET /pins")}


def with_pins(sandbox: Sandbox) -> tuple[str, str]:
    """A Pin and its board."""
    (pin, board), *_ = pins_of(sandbox).items()
    return pin, board


def after(days: int) -> str:
    return str(TODAY + timedelta(days=days))


def test_a_removed_pin_is_listed_until_it_returns(warehouse: Warehouse) -> None:
    pin, board = with_pins(warehouse.sandbox)
    gone = {("pins", pin), ("board_pins", f"{board}/{pin}")}
    assert warehouse.removed() == set()

    warehouse.sandbox.remove(pin)
    warehouse.day()
    assert warehouse.removed() == gone
    warehouse.day()
    assert warehouse.removed() == gone
    assert warehouse.dates("pins", pin) == (after(1), after(2), 2)

    warehouse.sandbox.restore(pin)
    warehouse.day()
    assert warehouse.removed() == set()

    warehouse.sandbox.remove(pin)
    warehouse.day()
    assert warehouse.dates("pins", pin) == (after(4), after(5), 1)


def test_a_board_that_is_gone_takes_what_is_on_it_along(warehouse: Warehouse) -> None:
    sandbox = warehouse.sandbox
    pin, board = with_pins(sandbox)
    before = {each for _, each in keys_of(sandbox)}
    sandbox.remove(board)
    warehouse.day()

    known = {each for _, each in keys_of(sandbox)}
    assert {key for _, key in warehouse.removed()} == before - known
    assert {("boards", board), ("pins", pin)} <= warehouse.removed()
    assert any(stream == "board_pins" for stream, _ in warehouse.removed())


def keys_of(sandbox: Sandbox) -> set[tuple[str, str]]:
    """The stream and the key of all that Pinterest has."""
    found = {("boards", each["id"]) for _, each in sandbox.truth("GET /boards")}
    found |= {("pins", each["id"]) for _, each in sandbox.truth("GET /pins")}
    for name, path in (("board_pins", "pins"), ("board_sections", "sections")):
        for place, each in sandbox.truth(f"GET /boards/{{board_id}}/{path}"):
            found.add((name, f"{place['board_id']}/{each['id']}"))
    return found


def test_a_pin_that_moves_is_gone_from_its_old_board_only(warehouse: Warehouse) -> None:
    sandbox = warehouse.sandbox
    pin, board = with_pins(sandbox)
    user = sandbox.world.user
    number = user.pin_ids.index(pin)
    user.board_of_pin[number] = (user.board_of_pin[number] + 1) % len(user.boards)
    warehouse.day()

    assert warehouse.removed() == {("board_pins", f"{board}/{pin}")}


def test_a_failed_list_shows_no_removals_and_the_others_do(warehouse: Warehouse) -> None:
    sandbox = warehouse.sandbox
    before = keys_of(sandbox)
    boards = sorted({*pins_of(sandbox).values()})
    gone = [next(pin for pin, at in pins_of(sandbox).items() if at == board) for board in boards]
    assert len(gone) > 1
    sandbox.remove(*gone)
    failing = sandbox.fail(f"/boards/{boards[0]}/pins", status=500, times=None)
    assert failing
    sandbox.fail("/pins", status=403, body={"code": 29, "message": "no"}, times=None)
    warehouse.day()

    known = keys_of(sandbox)
    missing = {each for each in before - known if each[0] == "board_pins"}
    expected = {each for each in missing if not each[1].startswith(boards[0])}
    assert expected
    assert warehouse.removed() == expected

    sandbox.heal()
    warehouse.day()
    assert warehouse.removed() == before - known


@pytest.mark.parametrize("status", [500, 403])
def test_a_parents_list_that_fails_hides_no_removed_child(
    warehouse: Warehouse, status: int
) -> None:
    sandbox = warehouse.sandbox
    sandbox.remove(with_pins(sandbox)[0])
    body = {"code": 29, "message": "no"}
    sandbox.fail("/boards", status=status, body=body, times=None)
    warehouse.day()

    assert {stream for stream, _ in warehouse.removed()} == {"pins"}


@pytest.mark.parametrize(
    ("streams", "more"),
    [
        (("pins",), {"pin_ids": ["641000000000000001"]}),
        (("boards", "board_pins"), {"board_ids": ["549000000000000001"]}),
        (("campaigns",), {"entity_statuses": ["ACTIVE"]}),
        (("campaigns",), {"campaign_ids": ["626000000001"]}),
        (("boards",), {}),
    ],
)
def test_what_a_filter_or_a_catalog_leaves_out_is_not_gone(
    warehouse: Warehouse, streams: tuple[str, ...], more: dict[str, Any]
) -> None:
    warehouse.day(*streams, **more)

    assert warehouse.removed() == set()


def test_with_more_statuses_the_lists_are_whole_and_later_drafts_are_not_gone(
    warehouse: Warehouse,
) -> None:
    statuses = ["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT", "DELETED_DRAFT"]
    more = warehouse.day("campaigns", entity_statuses=statuses)
    warehouse.day("campaigns")

    assert len(more.records("complete_lists")) == 3
    assert warehouse.removed() == set()


def test_an_ad_account_that_is_no_longer_read_is_not_gone(warehouse: Warehouse) -> None:
    one = warehouse.sandbox.world.ad_accounts[0].id
    warehouse.day("campaigns", ad_account_ids=[one])
    warehouse.day("campaigns", exclude_ad_account_ids=[one])

    assert warehouse.removed() == set()


def test_secret_boards_out_of_sight_are_not_gone() -> None:
    secret = ("boards:read", "pins:read", "user_accounts:read", "ads:read")
    with Sandbox(seed=7, today=TODAY) as seeing:
        warehouse = Warehouse(seeing)
        before = warehouse.day("boards", "pins")
        boards = {each["id"] for each in before.records("boards")}
    with Sandbox(seed=7, today=TODAY, scopes=secret) as blind, closing(warehouse.tables):
        warehouse.sandbox = blind
        blind.today += timedelta(days=1)
        after = warehouse.day("boards", "pins")
        assert {each["id"] for each in after.records("boards")} < boards

        assert warehouse.removed() == set()


def test_what_another_access_token_cannot_see_is_not_gone() -> None:
    few = ("boards:read", "pins:read", "user_accounts:read", "ads:read")
    with Sandbox(seed=7, today=TODAY) as sandbox, closing(Warehouse(sandbox).tables) as tables:

        def read(access_token: str) -> Run:
            sandbox.today += timedelta(days=1)
            more = {"auth_method": "access_token", "refresh_token": ""}
            result = run(config(sandbox, **more, access_token=access_token), "boards", *TABLES)
            tables.load(*(result.records(name) for name in TABLES))
            return result

        def gone() -> set[str]:
            return {row["id"] for row in tables.removed()}

        book = sandbox.tokens
        blind = book._give(book._access, "pina", few, "refresh_token")
        before, after = read(book.access_token), read(blind)
        assert len(after.records("boards")) < len(before.records("boards"))
        assert gone() == set()

        board = after.records("boards")[0]["id"]
        sandbox.remove(board)
        read(book.access_token)
        assert gone() == set()
        read(blind)
        assert gone() == {board}


@pytest.mark.parametrize("renewed", ["pins:read,boards:read", "pins:read_secret,pins:read"])
def test_lists_read_after_a_renewal_with_fewer_scopes_say_nothing(renewed: str) -> None:
    scopes = iter(["pins:read pins:read_secret", renewed])
    authenticator = RenewedToken(
        lambda _: TokenAnswer("pina", scope=next(scopes)), {}, PatientClock()
    )

    def pins(**_: Any) -> Any:
        authenticator.refuse(authenticator.token())
        authenticator.token()
        return {"items": [{"id": "2"}]}

    answers = Answers({"/boards": {"items": [{"id": "1"}]}, "/pins": pins})
    answers.authenticator = authenticator
    result = run_with(
        answers, "boards", "pins", *TABLES, removed_items=True, max_requests_in_flight=1
    )

    listed = {"boards"} if renewed == "pins:read,boards:read" else {"boards", "pins"}
    assert len(result.records("pins")) == 1
    for table in TABLES:
        assert {row["stream"] for row in result.records(table)} == listed
    warned = any("other scopes" in each for each in result.tap.run._warned)
    assert warned is (listed == {"boards"})


def test_a_list_that_is_not_loaded_to_its_end_shows_no_removals(warehouse: Warehouse) -> None:
    pin, board = with_pins(warehouse.sandbox)
    warehouse.sandbox.remove(pin)
    result = warehouse.day(loads=False)
    items, complete = (result.records(name) for name in TABLES)
    of_pins = [row for row in items if row["stream"] == "pins"]

    warehouse.tables.load([row for row in items if row != of_pins[0]], complete)
    assert warehouse.removed() == {("board_pins", f"{board}/{pin}")}
    warehouse.tables.load(of_pins, ())
    assert warehouse.removed() == {("board_pins", f"{board}/{pin}"), ("pins", pin)}


def test_a_load_that_ends_before_the_lists_shows_no_removals(warehouse: Warehouse) -> None:
    warehouse.sandbox.remove(with_pins(warehouse.sandbox)[0])
    result = warehouse.day(loads=False)
    warehouse.tables.load(result.records("listed_items"), ())

    assert warehouse.removed() == set()


def test_a_stopped_run_shows_removals_of_the_lists_that_it_has_read_whole(
    warehouse: Warehouse,
) -> None:
    sandbox = warehouse.sandbox
    before = keys_of(sandbox)
    pin, board = with_pins(sandbox)
    sandbox.remove(pin, board)
    sandbox.today += timedelta(days=1)

    def stop(message: dict[str, Any]) -> None:
        if message["type"] == "RECORD" and message["stream"] == "boards":
            signal.raise_signal(signal.SIGTERM)

    result = run(config(sandbox), *STREAMS, *TABLES, on_message=stop)
    warehouse.load(result)

    assert result.code == 128 + signal.SIGTERM
    # The streams are read in the order of their names.
    assert {stream for stream, _ in warehouse.removed()} == {"board_pins", "board_sections"}
    assert warehouse.removed() <= before - keys_of(sandbox)


def test_a_run_that_leaves_a_young_list_out_says_nothing_of_it(warehouse: Warehouse) -> None:
    first = warehouse.day("boards", restate="daily")
    warehouse.sandbox.remove(warehouse.sandbox.world.user.boards[0].id)
    second = run(config(warehouse.sandbox, restate="daily"), "boards", *TABLES, state=first.state)
    warehouse.load(second)

    assert first.records("complete_lists")
    assert second.records("complete_lists") == []
    assert warehouse.removed() == set()


def test_two_connections_in_one_schema_stay_apart(warehouse: Warehouse) -> None:
    with Sandbox(seed=8, today=TODAY + timedelta(days=1)) as other:
        ours = len(warehouse.day().records("listed_items"))
        warehouse.sandbox, mine = other, warehouse.sandbox
        theirs = warehouse.day()
        warehouse.sandbox = mine

        assert ours
        assert theirs.records("listed_items")
        assert warehouse.removed() == set()


def test_each_user_has_lists_of_its_own(sandbox: Sandbox) -> None:
    warehouse = Warehouse(sandbox)
    with closing(warehouse.tables):
        first = warehouse.day("boards", "pins", organic_accounts="both")
        warehouse.day("boards", "pins", organic_accounts="token_user")
        assert warehouse.removed() == set()

        users = {row["user_id"] for row in first.records("complete_lists")}
        assert len(users) > 1
        assert {row["account_id"] for row in first.records("listed_items")} <= users


def test_a_list_without_anything_has_lost_all_that_was_in_it(warehouse: Warehouse) -> None:
    sandbox = warehouse.sandbox
    before = keys_of(sandbox)
    sandbox.remove(*(board.id for board in sandbox.world.user.boards))
    warehouse.day()

    assert keys_of(sandbox) == set()
    assert warehouse.removed() == before


def test_no_call_is_made_for_the_tables(sandbox: Sandbox) -> None:
    run(config(sandbox, removed_items=False), *STREAMS, "user_account")
    without = len(sandbox.requests)
    result = run(config(sandbox), *STREAMS, "user_account", *TABLES)

    assert {row["stream"] for row in result.records("complete_lists")} == {*STREAMS}
    assert len(sandbox.requests) == 2 * without


def test_the_plan_counts_the_call_that_finds_out_whose_lists_they_are(sandbox: Sandbox) -> None:
    def counted(*, wanted: bool) -> tuple[int, int]:
        asked = config(sandbox, removed_items=wanted)
        tap = PatientTap(config=asked, catalog=selected_in(catalog_of(asked, ["boards"])))
        planned = plan(tap.run).total
        tap.run.close()
        sandbox.requests.clear()
        run(asked, "boards")
        return planned, sum(str(each.operation).startswith("GET") for each in sandbox.requests)

    without, wanted = counted(wanted=False), counted(wanted=True)
    assert without[0] == without[1]
    assert wanted == (without[0] + 1, without[1] + 1)


def test_a_token_of_an_unknown_user_shows_no_removals_of_its_own_lists(sandbox: Sandbox) -> None:
    sandbox.fail("/user_account", status=403, body={"code": 29, "message": "no"}, times=None)
    result = run(config(sandbox), "boards", "campaigns", *TABLES)

    assert result.code == 0
    assert {row["stream"] for row in result.records("listed_items")} == {"campaigns"}
    assert any("listed_items lacks the lists of" in each for each in result.tap.run._warned)


def test_a_user_who_cannot_be_found_is_asked_for_once(sandbox: Sandbox) -> None:
    sandbox.fail("/user_account", status=500, times=None)
    asked = []
    for streams in (["boards"], ["boards", "pins", "media"]):
        sandbox.requests.clear()
        result = run(config(sandbox), *streams, *TABLES)
        asked.append([each.path for each in sandbox.requests].count("/user_account"))
        assert result.code == 0
        assert result.records("listed_items") == []

    assert asked[0] == asked[1] > 0


def test_both_streams_are_off_by_default_and_in_no_other_layout(sandbox: Sandbox) -> None:
    assert not {*TABLES} & {*run(settings(sandbox, stream_groups=["organic"])).streams("SCHEMA")}
    other = run(settings(sandbox, layout="daasity", removed_items=True))
    assert other.code == 0
    assert not {*TABLES} & {*other.tap.streams}


def test_the_rows_come_last_items_before_lists(sandbox: Sandbox) -> None:
    result = run(config(sandbox), "pins", *TABLES, "sync_log")
    kinds = [(each["type"], each.get("stream")) for each in result.messages]
    first = kinds.index(("SCHEMA", "listed_items"))

    order = list(dict.fromkeys(stream for _, stream in kinds[first:]))
    assert order == ["listed_items", "complete_lists", "sync_log", None]
    assert not {*TABLES} & {*result.state["bookmarks"]}


def test_lists_of_all_groups_lose_nothing_however_many_fail() -> None:
    lists = [
        each.name
        for each in STREAM_TYPES
        if issubclass(each, DatasetStream) and not issubclass(each, SnapshotStream)
    ]
    refusals = {400: 1, 403: 29, 404: 50}
    with (
        Sandbox(seed=7, today=TODAY, size=SMALL, access_tier="unlimited") as sandbox,
        closing(Tables()) as tables,
    ):
        asked = settings(sandbox, **EVERYTHING, removed_items=True, organic_accounts="both")
        whole = run(asked, *lists, *TABLES)
        for status, code in refusals.items():
            body = {"code": code, "message": "no"}
            sandbox.fail("*/*", status=status, body=body, share=0.06, times=None, seed=status)
        broken = run(asked, *lists, *TABLES)
        for each in (whole, broken):
            tables.load(*(each.records(name) for name in TABLES))

        assert tables.removed() == []
    assert {row["parent_id"] for row in whole.records("complete_lists")} == {ALL}
    assert {ALL} < {row["parent_id"] for row in broken.records("complete_lists")}
    for row in whole.records("complete_lists"):
        of = [row["stream"], row["account_id"]]
        items = [[each["stream"], each["account_id"]] for each in whole.records("listed_items")]
        assert row["items"] == items.count(of)


FACTS = (
    *("delivery_metrics", "ad_account_countries", "targeting_options"),
    *("lead_form_questions", "linked_businesses"),
)
ASKED_FOR = (
    *("suggested_terms", "product_category_details"),
    *("user_following_interests", "trends_editorial_articles"),
)
NOT_TOLD = {
    **dict.fromkeys(FACTS, "answers without pages, of nobody's account"),
    **dict.fromkeys(ASKED_FOR, "what the config asks for, not all there is"),
    "catalogs_feed_processing_results": "the first page of the list only",
    "catalogs_item_issues": "a sample",
}
"""Lists that do not tell what was removed, each with the reason."""


def test_every_list_shows_removals_or_there_is_a_reason() -> None:
    config = {"stream_groups": ["all"], "removed_items": True}
    streams = TapPinterest(config=config, validate_config=False).streams.values()
    lists = [
        each
        for each in streams
        if isinstance(each, DatasetStream) and not isinstance(each, SnapshotStream)
        if api.operation(f"GET {each.path}").shape != "object"
    ]

    assert len(lists) > 50
    assert {each.name for each in lists if not each.tells_removed} == {*NOT_TOLD}


def test_an_item_that_comes_twice_counts_once(sandbox: Sandbox) -> None:
    sandbox.fail("/pins", kind="distort", change="repeat", times=None)
    result = run(config(sandbox), "pins", *TABLES)
    (row,) = result.records("complete_lists")

    assert row["items"] == len(result.records("listed_items")) == len(pins_of(sandbox))


def test_an_item_without_an_id_is_not_listed(sandbox: Sandbox) -> None:
    sandbox.fail("/boards", kind="distort", change="no_ids", times=None)
    result = run(config(sandbox), "boards", "board_pins", *TABLES)

    assert result.code == 1
    assert [row for row in result.records("listed_items") if "None" in row["id"]] == []


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    with new_database() as db:
        yield db


def test_days_in_postgresql_equal_pinterests_truth(sandbox: Sandbox, db: Database) -> None:
    user, draw = sandbox.world.user, random.Random(19)  # noqa: S311 - a test case, drawn
    ever, gone = keys_of(sandbox), dict[tuple[str, str], str]()
    for day in range(1, 4):
        sandbox.today += timedelta(days=1)
        db.load_both(lines(run(config(sandbox), *ORGANIC, *TABLES).messages).decode())
        there = keys_of(sandbox)
        gone = {each: gone.get(each, after(day)) for each in ever - there}
        ever |= there

        assert removed_in(db) == gone
        sandbox.restore(*user.board_ids, *user.pin_ids)
        sandbox.remove(draw.choice(user.board_ids[1:]), *draw.sample(user.pin_ids, 2))
    assert gone
    queries = [each.text for each in blocks("docs/removed.md") if each.language == "sql"]
    answers = [db.execute(each.replace("pinterest.", f"{db.schema}.")) for each in queries]
    assert [bool(each) for each in answers] == [False, True, False]


def removed_in(db: Database) -> dict[tuple[str, str], str]:
    """The removed items in a database, with the day on which each was first missed."""
    db.execute(view().replace("pinterest.", f"{db.schema}."))
    query = "SELECT stream, id, first_missed_at::date::text FROM {}.removed"
    return {(stream, key): first for stream, key, first in db.execute(query, db.schema)}


@pytest.mark.parametrize("updates", [True, False], ids=["updates rows", "only adds rows"])
def test_view_and_model_show_the_removals_of_a_random_past(updates: bool) -> None:  # noqa: FBT001
    removed, returned = 0, 0
    for seed in range(9):
        past, before = Past(seed), set[str]()
        with closing(Tables(updates=updates)) as tables:
            for _ in range(3):
                for _ in range(5):
                    past.live()
                    tables.load(*past.read("u1" if past.happens(0.7) else "u2"))
                found = {
                    row["id"]: (row["last_listed_at"], row["first_missed_at"], row["missed_lists"])
                    for row in tables.removed()
                }
                assert found == past.gone(), seed
                removed += len(found)
                returned += len(before - found.keys())
                before = {*found}
            modelled = sorted(tables.modelled(), key=str)
            view = [{"source_relation": "pinterest", **row} for row in tables.removed()]
            assert modelled == sorted(view, key=str)
    assert removed > 40
    assert returned > 5
