"""The Pins of ads: from the list of Pins where there is one, else by one call each."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError

from both_targets import Database
from conftest import SMALL, TODAY
from loading import database, same
from pinterest_sandbox import Sandbox
from singer_pipes import lines
from singer_run import PatientClock, PatientTap, catalog_of, run, settings
from tap_pinterest.http.errors import AccessRefusedError, GoneError, QuotaError, ScopeRefusedError
from tap_pinterest.run.cost import plan
from tap_pinterest.singer import updates
from test_datasets import ACCOUNT, Answers, items, picked
from test_datasets import run as run_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from singer_run import Run


ONE_PIN = "/pins/{pin_id}"
ADS = f"{ACCOUNT}/ads"
ONE_CALL = f"GET {ONE_PIN}"
NOON = 1_790_000_000


def ad(number: int, pin: str | None = None, changed: int = NOON) -> dict[str, Any]:
    return {"id": f"{number}", "pin_id": pin or f"9{number}", "updated_time": changed}


def pin(pin_id: str, **more: Any) -> dict[str, Any]:
    return {"id": pin_id, "title": f"Pin {pin_id}", **more}


class Pinterest(Answers):
    """An ad account with some ads; each Pin is answered unless `wrong` has an error for it."""

    def __init__(self, *ads: dict[str, Any], **answers: Any) -> None:
        super().__init__({ADS: self._listed, ONE_PIN: self._pin, **answers})
        self.ads = [*ads]
        self.wrong: dict[str, Exception] = {}
        self.titles: dict[str, str] = {}

    def _listed(self, ad_ids: Sequence[str] = (), **_: Any) -> Any:
        return items(*(each for each in self.ads if not ad_ids or each["id"] in ad_ids))

    def _pin(self, pin_id: str, **_: Any) -> Any:
        title = self.titles.get(pin_id, f"Pin {pin_id}")
        return self.wrong.get(pin_id) or pin(pin_id, title=title)

    def read(self, *others: str, state: Any = None, **config: Any) -> Run:
        """A run, which notes only its own calls."""
        self.asked.clear()
        return run_with(self, "ad_creatives", *others, state=state, **config)

    @property
    def asked_pins(self) -> list[str]:
        """The Pins that the last run has asked for."""
        return [each["pin_id"] for each in self.to(ONE_PIN)]


def titles(ended: Run) -> dict[str, str | None]:
    return dict(picked(ended, "ad_creatives", "ad_id", "title"))


@pytest.fixture(scope="module")
def two_days() -> Iterator[tuple[Database, Sandbox, list[tuple[Counter[str], Counter[str]]]]]:
    """Two days in PostgreSQL, and the calls of each day without the stream and with it."""
    with database() as found, Sandbox(seed=7, today=TODAY, size=SMALL) as sandbox:
        db, states = Database(*found), list[Any]((None, None))
        calls: list[tuple[Counter[str], Counter[str]]] = []
        config = settings(sandbox, start_date="2 days ago")
        everything = [each["tap_stream_id"] for each in catalog(config)]
        others = [each for each in everything if each != "ad_creatives"]
        for _ in range(2):
            counted = []
            for number, streams in enumerate((others, everything)):
                before = len(sandbox.requests)
                ended = run(config, *streams, state=states[number])
                assert ended.code == 0
                states[number] = ended.state
                counted.append(Counter(str(each.operation) for each in sandbox.requests[before:]))
            calls.append((counted[0], counted[1]))
            db.load(lines(ended.messages).decode())
            sandbox.today += timedelta(days=1)
        sandbox.today -= timedelta(days=1)
        yield db, sandbox, calls
        db.close()


def catalog(config: Any) -> Any:

    return catalog_of(config, ())["streams"]


def test_each_ad_has_the_pin_that_pinterest_shows(
    two_days: tuple[Database, Sandbox, Any],
) -> None:
    db, sandbox, _ = two_days
    columns = (
        *("ad_id", "title", "link", "media_type", "cover_image_url", "duration"),
        *("image_url_600x", "carousel_cards", "dominant_color", "unavailable_reason"),
    )
    query = f"SELECT {', '.join(columns)} FROM {{}}.{{}}"  # noqa: S608 - our names
    loaded = {row[0]: row[1:] for row in db.execute(query, db.schema, "ad_creatives")}
    statuses = ["ACTIVE", "PAUSED", "ARCHIVED"]
    ads = [each for _, each in sandbox.truth(f"GET {ADS}", entity_statuses=statuses)]

    assert loaded.keys() == {each["id"] for each in ads}
    for each in ads:
        answer = requests.get(
            f"{sandbox.url}/pins/{each['pin_id']}",
            params={"ad_account_id": each["ad_account_id"]},
            headers={"Authorization": f"Bearer {sandbox.credentials['access_token']}"},
            timeout=60,
        )
        sent, media = answer.json(), answer.json()["media"]
        expected = (
            *(sent.get("title"), sent.get("link"), media["media_type"]),
            *(media.get("cover_image_url"), media.get("duration")),
            (media.get("images") or {}).get("600x", {}).get("url"),
            *(media.get("items"), sent.get("dominant_color"), None),
        )
        for value, was in zip(loaded[each["id"]], expected, strict=True):
            assert value == was or same(value, was), each["id"]


@pytest.mark.parametrize("form", [int, str], ids=["a number", "a text"])
def test_an_ad_whose_time_is_a_number_or_a_text_takes_one_call_for_all_runs(
    form: type[int | str],
) -> None:
    pinterest = Pinterest({**ad(1), "updated_time": form(NOON)})

    first = pinterest.read()
    assert pinterest.asked_pins == ["91"]
    assert picked(first, "ad_creatives", "updated_time") == [("2026-09-21T14:13:20Z",)]

    pinterest.read(state=first.state)
    assert pinterest.asked_pins == []


def test_every_ad_of_the_default_sandbox_has_its_row() -> None:
    with Sandbox(seed=7, today=TODAY) as sandbox:
        ended = run(settings(sandbox), "ads", "ad_creatives")

    assert {each["ad_id"] for each in ended.records("ad_creatives")} == {
        each["id"] for each in ended.records("ads")
    }
    assert len(ended.records("ads")) > 50


def test_only_pins_that_no_other_stream_lists_take_calls(
    two_days: tuple[Database, Sandbox, list[tuple[Counter[str], Counter[str]]]],
) -> None:
    _, sandbox, calls = two_days
    listed = {each["id"] for _, each in sandbox.truth("GET /pins", include_protected_pins=True)}
    statuses = ["ACTIVE", "PAUSED", "ARCHIVED"]
    promoted = {each["pin_id"] for _, each in sandbox.truth(f"GET {ADS}", entity_statuses=statuses)}
    (without, with_it), (without_later, with_it_later) = calls

    assert with_it - without == Counter({ONE_CALL: len(promoted - listed)})
    assert promoted & listed
    assert with_it[ONE_CALL] > with_it_later[ONE_CALL]
    assert with_it_later - without_later == Counter({ONE_CALL: with_it_later[ONE_CALL]})
    assert without - with_it == without_later - with_it_later == Counter()


def test_pins_that_are_listed_anyway_take_no_call_and_are_as_they_are_now() -> None:
    pinterest = Pinterest(ad(1), ad(2))
    pinterest.answers["/pins"] = lambda **_: items(pin("91", title=pinterest.titles["91"]))
    pinterest.titles = {"91": "before", "92": "before"}
    first = pinterest.read("pins")

    assert titles(first) == {"1": "before", "2": "before"}
    assert pinterest.asked_pins == ["92"]
    assert len(pinterest.to("/pins")) == len(pinterest.to(ADS)) == 1

    # The Pins change, and the ads do not.
    pinterest.titles = {"91": "after", "92": "after"}
    assert titles(pinterest.read("pins", state=first.state)) == {"1": "after"}
    assert pinterest.asked_pins == []


def test_filters_of_the_list_of_pins_do_not_hold_for_ads() -> None:
    pinterest = Pinterest(ad(1), ad(2))
    pinterest.answers["/pins"] = items(pin("91", board_id="5"), pin("92", board_id="6"))
    ended = pinterest.read("pins", board_ids=["5"])

    assert titles(ended) == {"1": "Pin 91", "2": "Pin 92"}
    assert picked(ended, "pins", "id") == [("91",)]
    assert pinterest.asked_pins == []


def test_a_pin_that_cannot_be_listed_is_asked_for() -> None:
    pinterest = Pinterest(ad(1))
    pinterest.answers["/pins"] = RetriableAPIError("away")
    ended = pinterest.read("pins")

    assert titles(ended) == {"1": "Pin 91"}
    assert ended.tap.run.summary.streams["ad_creatives"].failures == {}


def test_ads_that_share_a_pin_take_one_call() -> None:
    pinterest = Pinterest(*(ad(number, "90", NOON + number) for number in range(20)))
    ended = pinterest.read(creative_calls=1)

    assert pinterest.asked_pins == ["90"]
    assert len(titles(ended)) == 20
    assert ended.tap.run.summary.streams["ad_creatives"].left == 0


def test_ads_that_share_a_pin_take_one_call_wherever_they_stand() -> None:
    pinterest = Pinterest(
        *(ad(number, f"9{number % 3}", NOON + 60 * number) for number in range(12))
    )
    state, asked, read, left = None, list[str](), list[str](), []
    for _ in range(4):
        ended = pinterest.read(state=state, creative_calls=1)
        asked += pinterest.asked_pins
        read += titles(ended)
        left.append(ended.tap.run.summary.streams["ad_creatives"].left)
        state = ended.state

    assert asked == ["90", "91", "92"]
    assert sorted(read, key=int) == [each["id"] for each in pinterest.ads]
    assert left == [8, 4, 0, 0]
    assert "ahead" not in ended.partition("ad_creatives", "1")


def test_an_ad_that_was_read_before_its_turn_and_has_changed_since_is_asked_for() -> None:
    pinterest = Pinterest(ad(1, "90"), ad(2, changed=NOON + 1), ad(3, "90", NOON + 2))
    first = pinterest.read(creative_calls=1)
    assert {*titles(first)} == {"1", "3"}

    pinterest.ads[2] = ad(3, "90", NOON + 3)
    second = pinterest.read(state=first.state)
    assert {*titles(second)} == {"2", "3"}
    assert titles(pinterest.read(state=second.state)) == {}


def test_only_new_and_changed_ads_are_asked_for() -> None:
    pinterest = Pinterest(ad(1), ad(2), ad(3))
    first = pinterest.read()
    assert pinterest.asked_pins == ["91", "92", "93"]
    assert pinterest.read(state=first.state).records("ad_creatives") == []
    assert pinterest.asked_pins == []

    pinterest.ads[1] = ad(2, changed=NOON + 1)
    pinterest.ads.append(ad(4, changed=NOON + 1))
    second = pinterest.read(state=first.state)

    assert pinterest.asked_pins == ["92", "94"]
    assert second.partition("ad_creatives", "1") == {
        "context": {"ad_account_id": "1"},
        "replication_key": "updated_time",
        "replication_key_value": "2026-09-21T14:13:21Z",
        "last_id": "4",
        "settings": first.partition("ad_creatives", "1")["settings"],
    }
    assert len(str(second.partition("ad_creatives", "1"))) < 250


@pytest.mark.parametrize("apart", [0, 1], ids=["all changed at once", "one after the other"])
def test_ads_beyond_the_calls_of_a_run_come_with_the_next_runs(apart: int) -> None:
    pinterest = Pinterest(*(ad(number, changed=NOON + apart * number) for number in range(10, 35)))
    state, read, left = None, Counter[str](), []
    for _ in range(4):
        ended = pinterest.read(state=state, creative_calls=10)
        assert len(pinterest.asked_pins) <= 10
        read.update([*titles(ended)])
        left.append(ended.tap.run.summary.streams["ad_creatives"].left)
        state = ended.state

    assert left == [15, 5, 0, 0]
    assert read == Counter(each["id"] for each in pinterest.ads)


def test_the_summary_says_how_many_are_left(caplog: pytest.LogCaptureFixture) -> None:
    ended = Pinterest(ad(1), ad(2)).read(creative_calls=0)

    assert ended.code == 0
    assert "ad_creatives: 2 are left to the next runs; see creative_calls" in caplog.text
    assert ended.tap.run.summary.streams["ad_creatives"].as_json()["left"] == 2


def test_ads_that_are_left_come_on_the_same_day_where_lists_are_read_once_a_day() -> None:
    pinterest = Pinterest(ad(1), ad(2))
    state, read = None, []
    for _ in range(3):
        ended = pinterest.read(state=state, creative_calls=1, restate="daily")
        read.append([*titles(ended)])
        state = ended.state

    assert read == [["1"], ["2"], []]
    assert len(pinterest.asked) == 1


@pytest.mark.parametrize(
    "error", [GoneError("404 Pin not found. [request 1]"), AccessRefusedError("403")]
)
def test_a_pin_that_pinterest_refuses_leaves_a_row_that_says_why(error: Exception) -> None:
    pinterest = Pinterest(ad(1), ad(2))
    pinterest.wrong["91"] = error
    ended = pinterest.read()
    again = pinterest.read(state=ended.state)

    assert ended.code == 0
    reason = str(error).removesuffix(" [request 1]")
    assert picked(ended, "ad_creatives", "ad_id", "title", "unavailable_reason") == [
        ("1", None, reason),
        ("2", "Pin 92", None),
    ]
    assert again.records("ad_creatives") == []
    assert pinterest.asked_pins == []


def test_the_next_run_asks_only_for_the_pin_that_failed() -> None:
    pinterest = Pinterest(ad(1), ad(2), ad(3))
    pinterest.wrong["91"] = RetriableAPIError("500")
    first = pinterest.read()
    (failure,) = first.tap.run.summary.streams["ad_creatives"].failures.values()

    assert first.code == 1
    assert "pin_id 91" in failure
    assert titles(first) == {"2": "Pin 92", "3": "Pin 93"}
    assert first.partition("ad_creatives", "1")["pending"] == ["1"]

    pinterest.wrong.clear()
    second = pinterest.read(state=first.state)
    assert titles(second) == {"1": "Pin 91"}
    assert "pending" not in second.partition("ad_creatives", "1")
    pinterest.read(state=second.state)
    assert pinterest.asked_pins == []


def test_more_failures_than_the_state_has_room_for_are_asked_for_again_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(updates, "MOST_PENDING", 50)
    many = 55
    pinterest = Pinterest(*(ad(number, changed=NOON + number) for number in range(100, 100 + many)))
    pinterest.wrong = {
        f"9{number}": FatalAPIError(f"{number}") for number in range(100, 100 + many)
    }
    first = pinterest.read()
    assert len(first.partition("ad_creatives", "1")["pending"]) == 50

    pinterest.wrong.clear()
    assert len(titles(pinterest.read(state=first.state))) == many


def test_many_pins_that_fail_for_good_keep_no_other_from_being_read() -> None:
    ads = [ad(number, changed=NOON + number) for number in range(100, 560)]
    pinterest = Pinterest(*ads)
    pinterest.wrong = {f"9{number}": FatalAPIError("400") for number in range(100, 160)}
    state, read = None, Counter[str]()
    for _ in range(6):
        ended = pinterest.read(state=state, creative_calls=100)
        read.update([*titles(ended)])
        state = ended.state

    assert read == Counter(str(number) for number in range(160, 560))


def test_a_pin_that_fails_for_good_is_asked_for_after_all_others() -> None:
    of_accounts = {"1": [ad(1), ad(2), ad(3)], "2": [ad(4), ad(5, "91", NOON + 9)]}
    pinterest = Pinterest(**{"/ad_accounts": items({"id": "1"}, {"id": "2"})})
    pinterest.answers[ADS] = lambda ad_account_id, **_: items(*of_accounts[ad_account_id])
    pinterest.wrong["91"] = RetriableAPIError("500")
    state, read, asked = None, list[str](), list[list[str]]()
    for _ in range(6):
        ended = pinterest.read(state=state, creative_calls=1)
        read += titles(ended)
        asked.append(pinterest.asked_pins)
        state = ended.state

    assert read == ["2", "3", "4"]
    assert asked == [["91"], ["92"], ["93"], ["94"], ["91"], ["91"]]
    pinterest.wrong.clear()
    # Both ad accounts need it, and a call is left for one of them only.
    found = titles(pinterest.read(state=state, creative_calls=1))
    assert {"1"} <= {*found} <= {"1", "5"}


def test_an_ad_account_that_cannot_be_listed_holds_up_no_pin_of_another() -> None:
    pinterest = Pinterest(**{"/ad_accounts": items({"id": "1"}, {"id": "2"})})
    pinterest.answers[ADS] = lambda ad_account_id, **_: (
        items(ad(1)) if ad_account_id == "1" else RetriableAPIError("500")
    )
    pinterest.wrong["91"] = RetriableAPIError("500")
    first = pinterest.read(creative_calls=1)
    pinterest.wrong.clear()

    assert titles(pinterest.read(state=first.state, creative_calls=1)) == {"1": "Pin 91"}


def test_quota_that_ends_in_the_middle_keeps_what_was_read() -> None:
    pinterest = Pinterest(ad(1), ad(2), ad(3))
    pinterest.wrong["92"] = QuotaError("used up")
    first = pinterest.read(max_requests_in_flight=1)
    assert first.code == 1
    assert titles(first) == {"1": "Pin 91"}

    pinterest.wrong.clear()
    assert titles(pinterest.read(state=first.state)) == {"2": "Pin 92", "3": "Pin 93"}


def test_runs_that_are_stopped_lose_no_ad_and_get_on(sandbox: Sandbox) -> None:
    config = settings(sandbox, max_requests_in_flight=1)
    whole = run(config, "ad_creatives")
    state, read = None, set[str]()
    for _ in range(len(whole.records("ad_creatives"))):
        ended = stopped_after(3, config, state)
        read |= {each["ad_id"] for each in ended.records("ad_creatives")}
        state = ended.state

    assert ended.code == 0
    assert read == {each["ad_id"] for each in whole.records("ad_creatives")}


def stopped_after(records: int, config: Any, state: Any) -> Run:
    """A run that a signal ends after `records` records."""
    clock, left = PatientClock(), [records]

    def count(message: dict[str, Any]) -> None:
        if message["type"] == "RECORD":
            left[0] -= 1
            if not left[0]:
                clock.interrupted_by = 15

    return run(config, "ad_creatives", state=state, on_message=count, clock=clock)


def test_without_the_scope_nothing_is_asked_twice_and_the_run_is_well() -> None:
    pinterest = Pinterest(ad(1), ad(2), ad(3))
    pinterest.answers["/ad_accounts/{ad_account_id}"] = {"id": "1"}
    pinterest.answers[ONE_PIN] = ScopeRefusedError("missing scope pins:read")
    ended = pinterest.read("ads", ad_account_ids=["1"], max_requests_in_flight=1)

    assert ended.code == 0
    assert "missing scope" in ended.tap.run.summary.streams["ad_creatives"].skipped["1"]
    assert len(pinterest.asked_pins) == 1
    assert ended.records("ad_creatives") == []

    pinterest.answers[ONE_PIN] = pinterest._pin
    assert len(titles(pinterest.read(state=ended.state))) == 3


def test_ads_that_cannot_be_listed_leave_the_state_as_it_was() -> None:
    pinterest = Pinterest(ad(1))
    first = pinterest.read()
    pinterest.answers[ADS] = RetriableAPIError("500")
    second = pinterest.read(state=first.state)

    assert second.code == 1
    assert second.state == first.state


def test_another_filter_reads_all_ads_again() -> None:
    pinterest = Pinterest(ad(1), ad(2, changed=NOON + 1))
    first = pinterest.read(ad_ids=["2"])
    assert titles(first) == {"2": "Pin 92"}

    assert titles(pinterest.read(state=first.state)) == {"1": "Pin 91", "2": "Pin 92"}


@pytest.mark.parametrize("created", [None, NOON, "yesterday", {}])
def test_an_ad_without_the_time_of_its_last_update_is_read(created: Any) -> None:
    pinterest = Pinterest(ad(1), {"id": "2", "pin_id": "92", "created_time": created})
    first = pinterest.read(creative_calls=1)
    second = pinterest.read(state=first.state, creative_calls=1)

    assert {**titles(first), **titles(second)} == {"1": "Pin 91", "2": "Pin 92"}


def test_an_ad_that_changed_just_now_is_asked_for_again_once() -> None:
    now = int(datetime.fromisoformat(f"{TODAY}T00:00:00+00:00").timestamp())
    pinterest = Pinterest(ad(1, changed=now - 3600), ad(2, changed=now - 60))
    first = pinterest.read()
    # It changed before the other one, and the list did not have it yet.
    pinterest.ads.append(ad(3, changed=now - 120))

    assert titles(pinterest.read(state=first.state)) == {"2": "Pin 92", "3": "Pin 93"}


def test_an_ad_without_a_pin_has_a_row_that_says_so() -> None:
    ended = Pinterest({**ad(1), "pin_id": None}).read()

    assert picked(ended, "ad_creatives", "pin_id", "unavailable_reason") == [
        (None, "Pinterest names no Pin of the ad")
    ]


@pytest.mark.parametrize(
    ("media", "kept"),
    [
        ({"images": {"originals": {"url": "u"}}}, {"image_url_originals": "u"}),
        ({"images": {"600x": [1]}}, {"image_url_600x": [1]}),
        (["odd"], {"media": ["odd"]}),
    ],
    ids=["a new size", "an image of another shape", "media of another shape"],
)
def test_media_without_a_column_are_kept_in_extra_fields(media: Any, kept: Any) -> None:
    pinterest = Pinterest(ad(1))
    pinterest.answers[ONE_PIN] = pin("91", media=media)

    assert picked(pinterest.read(), "ad_creatives", "title", "extra_fields") == [("Pin 91", kept)]


def test_the_plan_counts_the_calls_that_a_run_makes(sandbox: Sandbox) -> None:
    config = settings(sandbox, start_date="2 days ago", creative_calls=3)
    for streams in (("ads", "ad_creatives"), ("ads", "pins", "ad_creatives")):
        before = len(sandbox.requests)
        run(config, *streams)
        made = sum(each.operation == ONE_CALL for each in sandbox.requests[before:])
        planned = plan(planned_run(config, streams))
        (of_stream,) = (each for each in planned.streams if each.stream == "ad_creatives")
        assert of_stream.calls["org_read"] == made == 3


def planned_run(config: Any, streams: tuple[str, ...]) -> Any:

    return PatientTap(config=dict(config), catalog=catalog_of(config, streams)).run


@pytest.mark.parametrize("seed", range(4))
def test_each_ad_gets_the_pin_of_its_last_change_after_any_history(
    seed: int,
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    pinterest, state, table, time = Pinterest(), None, dict[str, str | None](), NOON
    for day in range(7):
        time += 60
        for number in {chance.randrange(30) for _ in range(8)}:
            changed = ad(number, f"9{chance.randrange(20)}", time)
            others = [each for each in pinterest.ads if each["id"] != changed["id"]]
            pinterest.ads = [*others, changed]
        errors: list[Callable[[str], Exception]] = [RetriableAPIError, FatalAPIError]
        failing = {f"9{chance.randrange(20)}" for _ in range(chance.choice([0, 4]))}
        pinterest.wrong = {each: chance.choice(errors)("500") for each in failing}
        if day == 6:
            pinterest.wrong = {}
        chance.shuffle(pinterest.ads)
        ended = pinterest.read(
            state=state, creative_calls=40 if day == 6 else chance.choice([2, 5])
        )
        table.update(titles(ended))
        state = ended.state

    assert table == {each["id"]: f"Pin {each['pin_id']}" for each in pinterest.ads}
