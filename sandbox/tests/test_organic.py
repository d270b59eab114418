from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import Sandbox, WorldSize, api
from pinterest_sandbox.organic import APPS, FORMATS, ODD
from pinterest_sandbox.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Client

TODAY = date(2026, 11, 20)
RANGE = {"start_date": "2026-08-22", "end_date": "2026-11-20"}
COUNTS = ("IMPRESSION", "SAVE", "PIN_CLICK", "OUTBOUND_CLICK", "ENGAGEMENT")
USER, TOP, TOP_VIDEO = (
    f"/user_account/analytics{path}" for path in ("", "/top_pins", "/top_video_pins")
)
STATUSES = api.schema("AnalyticsMetricsResponse")["properties"]["daily_metrics"]["items"][
    "properties"
]["data_status"]["enum"]


@pytest.fixture(scope="module")
def pinterest(connect: Callable[[Sandbox], Client]) -> Iterator[Client]:
    size = WorldSize(boards=6, pins=120, campaigns=1, ad_groups=1, ads=1)
    with Sandbox(seed=7, today=TODAY, size=size, access_tier="unlimited") as sandbox:
        yield connect(sandbox)


def _listed(client: Client, **how: Any) -> list[dict[str, Any]]:
    return client.everything("/pins", **how)


def _own(client: Client) -> list[dict[str, Any]]:
    return [pin for pin in _listed(client) if not pin["parent_pin_id"]]


def _sums(days: list[dict[str, Any]]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for day in days:
        for name, value in day["metrics"].items():
            sums[name] += value
    return sums


@pytest.mark.parametrize("field", ["APP_TYPE", "OWNED_CONTENT", "SOURCE", "PIN_FORMAT"])
def test_the_parts_of_a_split_add_up_to_the_whole(pinterest: Client, field: str) -> None:
    (whole,) = pinterest.get(USER, **RANGE).values()
    parts = pinterest.get(USER, **RANGE, split_field=field)

    assert len(parts) > 1
    for place, day in enumerate(whole["daily_metrics"]):
        found = _sums([part["daily_metrics"][place] for part in parts.values()])
        assert {name: found[name] for name in COUNTS} == {
            name: day["metrics"].get(name, 0) for name in COUNTS
        }


def test_days_add_up_to_their_summary(pinterest: Client) -> None:
    (whole,) = pinterest.get(USER, **RANGE).values()

    found, summary = _sums(whole["daily_metrics"]), whole["summary_metrics"]
    assert {name: found[name] for name in COUNTS} == {name: summary[name] for name in COUNTS}
    assert summary["SAVE_RATE"] == summary["SAVE"] / summary["IMPRESSION"]


@pytest.mark.parametrize(
    ("field", "parameter", "values"),
    [
        ("APP_TYPE", "app_types", APPS),
        ("PIN_FORMAT", "pin_format", FORMATS),
        ("OWNED_CONTENT", "from_claimed_content", ("CLAIMED", "OTHER")),
        ("SOURCE", "source", ("YOUR_PINS", "OTHER_PINS")),
    ],
)
def test_a_filter_gives_what_its_part_of_the_split_has(
    pinterest: Client, field: str, parameter: str, values: tuple[str, ...]
) -> None:
    parts = pinterest.get(USER, **RANGE, split_field=field)

    for value in values:
        assert pinterest.get(USER, **RANGE, **{parameter: value}) == {"all": parts[value]}


def test_every_documented_status_occurs_and_the_newest_days_are_not_final(
    pinterest: Client,
) -> None:
    ids = [pin["id"] for pin in _own(pinterest)][:100]
    answer = pinterest.get("/pins/analytics", **RANGE, pin_ids=ids, metric_types="IMPRESSION")

    days = [day for splits in answer.values() for day in splits["all"]["daily_metrics"]]
    assert {day["data_status"] for day in days} == set(STATUSES)
    for splits in answer.values():
        *_, third, second, first = (d["data_status"] for d in splits["all"]["daily_metrics"])
        assert {third, second, first} & {"READY", *ODD} == set()
    before = [day for day in days if day["data_status"] == "BEFORE_PIN_CREATED"]
    assert all(day["metrics"] == {} for day in before)


def test_a_pin_has_no_numbers_before_the_day_it_was_made(pinterest: Client) -> None:
    young = [pin for pin in _own(pinterest) if pin["created_at"] > "2026-09"]
    assert young
    for pin in young:
        how = {**RANGE, "metric_types": "IMPRESSION"}
        answer = pinterest.get(f"/pins/{pin['id']}/analytics", **how)
        for day in answer["all"]["daily_metrics"]:
            made = day["date"] >= pin["created_at"][:10]
            assert (day["data_status"] != "BEFORE_PIN_CREATED") == made


def test_numbers_of_a_day_only_grow_until_it_is_ready() -> None:
    with Sandbox(seed=7, today=TODAY, access_tier="unlimited") as sandbox:
        fixed = {"start_date": TODAY, "end_date": TODAY, "split_field": "NO_SPLIT"}
        seen = []
        for _ in range(6):
            ((_, answer),) = sandbox.truth("GET /user_account/analytics", **fixed)
            (day,) = answer["all"]["daily_metrics"]
            seen.append((day["data_status"], day["metrics"].get("IMPRESSION")))
            sandbox.today += timedelta(days=1)

    assert [status for status, _ in seen[:4]] == ["PROCESSING", "PROCESSING", "ESTIMATE", "READY"]
    counts = [count for _, count in seen[:4]]
    assert counts == sorted(counts)
    assert counts[0] < counts[3]
    assert {count for _, count in seen[3:]} == {counts[3]}


def test_one_call_for_many_pins_says_what_one_for_each_says(pinterest: Client) -> None:
    ids = [pin["id"] for pin in _own(pinterest)][:5]
    how = {**RANGE, "metric_types": "IMPRESSION,SAVE_RATE,VIDEO_START,TOTAL_COMMENTS"}

    many = pinterest.get("/pins/analytics", **how, pin_ids=ids)

    assert many == {each: pinterest.get(f"/pins/{each}/analytics", **how) for each in ids}


def test_only_pins_with_a_video_have_its_metrics(pinterest: Client) -> None:
    how = {**RANGE, "metric_types": "VIDEO_START,USER_FOLLOW"}
    for pin in _own(pinterest)[:20]:
        summary = pinterest.get(f"/pins/{pin['id']}/analytics", **how)["all"]["summary_metrics"]
        is_video = pin["media"]["media_type"] == "video"
        offered = {"VIDEO_START", "USER_FOLLOW"} if is_video else {"USER_FOLLOW"}
        assert not summary or set(summary) == offered


def test_a_pin_saved_from_another_may_be_refused_and_takes_a_whole_call_along(
    serve: Callable[..., Client],
) -> None:
    pinterest = serve(style=Style(saved_pins="refused"))
    saved = next(pin["id"] for pin in _listed(pinterest) if pin["parent_pin_id"])
    ids = [*(pin["id"] for pin in _own(pinterest)[:3]), saved]
    how = {**RANGE, "metric_types": "IMPRESSION"}

    assert pinterest.refused("/pins/analytics", **how, pin_ids=ids)[:2] == (401, 7)
    assert pinterest.refused(f"/pins/{saved}/analytics", **how)[:2] == (403, 403)


def test_a_pin_that_is_not_there_is_not_found(pinterest: Client) -> None:
    how = {**RANGE, "metric_types": "IMPRESSION"}

    assert pinterest.refused("/pins/analytics", **how, pin_ids=["5"])[:2] == (404, 50)
    assert pinterest.refused("/pins/5/analytics", **how)[:2] == (404, 404)


@pytest.mark.parametrize(
    ("path", "how"),
    [
        (USER, {"start_date": "2026-08-21"}),
        (USER, {"end_date": "2026-11-21"}),
        (USER, {"start_date": "2026-11-20", "end_date": "2026-11-19"}),
        (USER, {"split_field": "AGE"}),
        (USER, {"metric_types": "TOTAL_COMMENTS"}),
        (TOP, {}),
        (TOP, {"sort_by": "SAVE", "num_of_pins": 51}),
        (TOP, {"sort_by": "VIDEO_START"}),
        (TOP, {"sort_by": "SAVE", "created_in_last_n_days": 7}),
        (TOP_VIDEO, {"sort_by": "ENGAGEMENT"}),
        ("/pins/analytics", {"pin_ids": ["1"]}),
        ("/pins/analytics", {"metric_types": "SAVE"}),
        ("/pins/analytics", {"metric_types": "SAVE", "pin_ids": ["1"] * 101}),
        ("/pins/analytics", {"metric_types": "SAVE", "pin_ids": ["1"], "split_field": "APP_TYPE"}),
        ("/pins/1/analytics", {"metric_types": "ALL"}),
    ],
)
def test_what_the_description_does_not_allow_is_refused(
    pinterest: Client, path: str, how: dict[str, Any]
) -> None:
    assert pinterest.refused(path, **{**RANGE, **how})[:2] == (400, 1)


@pytest.mark.parametrize(
    ("path", "sort_by"), [(TOP, "SAVE"), (TOP, "ENGAGEMENT"), (TOP_VIDEO, "VIDEO_AVG_WATCH_TIME")]
)
def test_top_pins_lead_by_the_metric_over_the_range(
    pinterest: Client, path: str, sort_by: str
) -> None:
    how = {"start_date": "2026-10-21", "end_date": "2026-11-19", "sort_by": sort_by}
    answer = pinterest.get(path, **how, num_of_pins=50)

    values = [pin["metrics"][sort_by] for pin in answer["pins"]]
    assert values == sorted(values, reverse=True)
    assert values
    assert len(pinterest.get(path, **how)["pins"]) == 10
    assert answer["sort_by"] == sort_by
    assert answer["date_availability"]["latest_available_timestamp"] % 1000 == 999


def test_a_user_without_pins_has_no_top_pins_and_no_day_from_which_there_are_any(
    serve: Callable[..., Client],
) -> None:
    client = serve(size=WorldSize(pins=0))

    answer = client.get(TOP, **RANGE, sort_by="SAVE")

    assert answer == {"sort_by": "SAVE", "pins": [], "date_availability": {}}


def test_the_call_for_many_pins_can_be_withheld() -> None:
    with Sandbox(seed=7, today=TODAY, withheld=["GET /pins/analytics"]) as sandbox:
        assert not list(sandbox.truth("GET /pins/analytics", **_fixed(sandbox)))
    with Sandbox(seed=7, today=TODAY) as sandbox:
        assert list(sandbox.truth("GET /pins/analytics", **_fixed(sandbox)))


def _fixed(sandbox: Sandbox) -> dict[str, Any]:
    pins = (pin for _, pin in sandbox.truth("GET /pins"))
    own = [pin["id"] for pin in pins if not pin["parent_pin_id"]]
    days = {"start_date": sandbox.today, "end_date": sandbox.today}
    return {**days, "pin_ids": own[:2], "metric_types": ["IMPRESSION"]}
