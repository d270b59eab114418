"""Analytics of user accounts and of Pins."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pinterest_sandbox import organic
from pinterest_sandbox.calendar import unix_seconds
from pinterest_sandbox.organic import APPS, CLAIMED, CONTENTS, FORMATS, READY, SOURCES
from pinterest_sandbox.refusals import Refusal, refuse
from pinterest_sandbox.world import READER_ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.organic import Counts, Pins

DAYS_BACK: Final = 90
DAYS_WIDE: Final = 90
_PIN_ROLES: Final = frozenset({"OWNER", "ADMIN", "ANALYST"})
_SECRET_ROLES: Final = frozenset({"OWNER", "ADMIN"})
_UNSPLIT: Final = "all"
_LIFETIME: Final = ("TOTAL_COMMENTS", "TOTAL_REACTIONS")
_ONLY_VIDEO: Final = ("VIDEO", "QUARTILE")
_ACCOUNT_METRICS: Final = (
    *("ENGAGEMENT", "ENGAGEMENT_RATE", "IMPRESSION", "OUTBOUND_CLICK", "OUTBOUND_CLICK_RATE"),
    *("PIN_CLICK", "PIN_CLICK_RATE", "SAVE", "SAVE_RATE"),
)
_VIDEO_METRICS: Final = (
    *("IMPRESSION", "SAVE", "VIDEO_MRC_VIEW", "VIDEO_AVG_WATCH_TIME", "VIDEO_V50_WATCH_TIME"),
    *("QUARTILE_95_PERCENT_VIEW", "VIDEO_10S_VIEW", "VIDEO_START", "OUTBOUND_CLICK"),
)
_NEW_DAYS: Final = 30
_DAY_MILLISECONDS: Final = 86_400_000


def user_account(call: Call) -> dict[str, Any]:
    """Metrics of a user by day, whole or split; those of all its Pins."""
    pins, days = _pins(call), _days(call)
    metrics = _metrics(call, _ACCOUNT_METRICS)
    groups = _split(call, pins)
    sums = pins.summed(groups, days, call.today, organic.facts_of(metrics))
    luck = pins.user.number
    statuses = [organic.status_of(day, call.today, created=0, luck=luck) for day in days]
    return {group: _by_day(days, statuses, counts, metrics) for group, counts in sums.items()}


def top_pins(call: Call) -> dict[str, Any]:
    """The Pins of a user that lead by a metric, up to 50, over the whole range."""
    everything = np.ones(_pins(call).own, np.bool_)
    return _top(call, everything, _ACCOUNT_METRICS)


def top_video_pins(call: Call) -> dict[str, Any]:
    """The same for Pins with a video."""
    pins = _pins(call)
    return _top(call, pins.video[: pins.own], _VIDEO_METRICS)


def pins(call: Call) -> dict[str, Any]:
    """Metrics of up to a hundred Pins by day; one Pin that may not be read refuses the call."""
    own = _pins(call, _PIN_ROLES)
    wanted = list(dict.fromkeys(call.values["pin_ids"]))
    numbers = [_number(call, own, pin_id, bulk=True) for pin_id in wanted]
    return dict(zip(wanted, _of_pins(call, own, numbers, "NO_SPLIT"), strict=True))


def pin(call: Call) -> dict[str, Any]:
    """Metrics of a Pin by day, whole or by kind of app."""
    own = _pins(call, _PIN_ROLES)
    number = _number(call, own, call.values["pin_id"], bulk=False)
    (found,) = _of_pins(call, own, [number], call.values["split_field"])
    return found


def _pins(call: Call, roles: frozenset[str] = READER_ROLES) -> Pins:
    return organic.pins_of(call.user(roles))


def _days(call: Call) -> range:
    start, end = call.values["start_date"], call.values["end_date"]
    today = date.fromordinal(call.today)
    if end < start:
        refuse("end_date must not be before start_date.")
    if (today - start).days > DAYS_BACK:
        refuse(f"start_date cannot be more than {DAYS_BACK} days back from today, {today}.")
    if (end - start).days > DAYS_WIDE:
        refuse(f"end_date cannot be more than {DAYS_WIDE} days past start_date.")
    if end > today:
        refuse(f"end_date cannot be after today, {today}.")
    return range(start.toordinal(), end.toordinal() + 1)


def _metrics(call: Call, offered: Sequence[str]) -> list[str]:
    """The metrics asked for, or all on offer."""
    return list(dict.fromkeys(call.values["metric_types"] or offered))


def _is(values: Counts, names: Sequence[str], wanted: str, everything: str) -> Counts:
    """1 for each wanted value, else 0; a value is a place in `names`."""
    if wanted == everything:
        return np.ones_like(values)
    chosen: Counts = (values == names.index(wanted)).astype(np.int64)
    return chosen


def _wanted(call: Call, pins: Pins) -> Counts:
    """The cells that pass the filters: a weight for each kind of Pin, content and app."""
    values, own = call.values, slice(0, pins.own)
    claimed = _is(1 - pins.claimed[own], CLAIMED, values["from_claimed_content"], "BOTH")
    source = _is(pins.saved[own].astype(np.int64), SOURCES, values["source"], "ALL")
    formats = _is(pins.formats[own], FORMATS, values["pin_format"], "ALL")
    content = _is(np.arange(2), CONTENTS, values["content_type"], "ALL")
    apps = _apps(values["app_types"])
    of_pins = (claimed * source)[:, None] * formats * content
    return of_pins[:, :, None] * apps


def _apps(wanted: str) -> Counts:
    return _is(np.arange(len(APPS)), APPS, wanted, "ALL")


def _split(call: Call, pins: Pins) -> dict[str, Counts]:
    wanted, own = _wanted(call, pins), slice(0, pins.own)
    each: dict[str, Callable[[], tuple[Sequence[str], Counts]]] = {
        "APP_TYPE": lambda: (APPS, np.arange(3)[None, None, :]),
        "OWNED_CONTENT": lambda: (CLAIMED, (1 - pins.claimed[own])[:, None, None]),
        "SOURCE": lambda: (SOURCES, pins.saved[own].astype(np.int64)[:, None, None]),
        "PIN_FORMAT": lambda: (FORMATS, pins.formats[own][:, :, None]),
    }
    field = call.values["split_field"]
    if field not in each:
        return {_UNSPLIT: wanted}
    names, values = each[field]()
    return {name: wanted * (values == place) for place, name in enumerate(names)}


def _by_day(
    days: range, statuses: Sequence[str], counts: Mapping[str, Counts], metrics: Iterable[str]
) -> dict[str, Any]:
    daily, whole = [], dict.fromkeys(counts, 0)
    for place, (day, status) in enumerate(zip(days, statuses, strict=True)):
        of_day: dict[str, float] = {}
        if organic.known(status):
            found = {fact: int(values[place]) for fact, values in counts.items()}
            whole = {fact: whole[fact] + count for fact, count in found.items()}
            of_day = organic.metrics_of(found, metrics)
        text = date.fromordinal(day).isoformat()
        daily.append({"date": text, "data_status": status, "metrics": of_day})
    return {"daily_metrics": daily, "summary_metrics": organic.metrics_of(whole, metrics)}


def _of_pins(call: Call, pins: Pins, numbers: Sequence[int], split: str) -> list[dict[str, Any]]:
    days, metrics = _days(call), _metrics(call, ())
    cells = pins.cells(numbers, days, call.today, organic.facts_of(metrics))
    apps = _apps(call.values["app_types"])
    groups = {_UNSPLIT: apps}
    if split == "APP_TYPE":
        groups = {name: apps * (np.arange(3) == place) for place, name in enumerate(APPS)}
    found = []
    for place, number in enumerate(numbers):
        created = int(pins.created[number])
        statuses = [
            organic.status_of(day, call.today, created=created, luck=number) for day in days
        ]
        offered = [name for name in metrics if _has(name, video=bool(pins.video[number]))]
        lifetime = {name: 2 + number % 7 for name in metrics if name in _LIFETIME}
        answer = {}
        for group, weights in groups.items():
            # Numbers of a Pin as an ad are in the reports of ads.
            counts = {
                fact: (values[place][:, 0, :] * weights).sum(axis=1)
                for fact, values in cells.items()
            }
            by_day = _by_day(days, statuses, counts, offered)
            answer[group] = {**by_day, "lifetime_metrics": lifetime}
        found.append(answer)
    return found


def _has(metric: str, *, video: bool) -> bool:
    """Whether a Pin can have a metric."""
    return video or not metric.startswith(_ONLY_VIDEO)


def _number(call: Call, pins: Pins, pin_id: str, *, bulk: bool) -> int:
    """The running number of a Pin whose numbers may be read.

    Raises:
        Refusal: It is not there, secret, or was saved from another.
    """
    number = pins.number_of.get(pin_id)
    if number is None:
        raise Refusal(404, 50 if bulk else 404, "Pin not found.")
    refused = call.settings.style.saved_pins == "refused" and pins.saved[number]
    if number < pins.own and (refused or not _is_seen(call, pins, number)):
        raise Refusal(*((401, 7) if bulk else (403, 403)), "Not authorized to access board or Pin.")
    return number


def _is_seen(call: Call, pins: Pins, number: int) -> bool:
    user = pins.user
    if not user.board_ids or user.privacy[user.board_of_pin[number]] != "SECRET":
        return True
    return "pins:read_secret" in call.token.scopes and call.acts_as(_SECRET_ROLES)


def _top(call: Call, eligible: NDArray[np.bool_], offered: Sequence[str]) -> dict[str, Any]:
    pins, days, sort_by = _pins(call), _days(call), call.values["sort_by"]
    metrics = _metrics(call, offered)
    facts = organic.facts_of([*metrics, sort_by])
    wanted = _wanted(call, pins)
    if call.values["created_in_last_n_days"]:
        eligible = eligible & (pins.created[: pins.own] > call.today - _NEW_DAYS)
    numbers = np.flatnonzero(eligible & wanted.any(axis=(1, 2))).tolist()
    cells = pins.cells(numbers, days, call.today, facts)
    ranked = []
    for place, number in enumerate(numbers):
        counts = {
            fact: int((values[place] * wanted[number]).sum()) for fact, values in cells.items()
        }
        value = organic.metrics_of(counts, [sort_by]).get(sort_by, 0)
        ranked.append((-value, number, organic.metrics_of(counts, metrics)))
    ranked.sort(key=lambda each: each[:2])
    status = organic.status_of(days[-1], call.today, created=0, luck=1)
    status = status if organic.known(status) else READY
    last = call.today - len(organic.YOUNG)
    available = {
        "is_realtime": False,
        "latest_available_timestamp": unix_seconds(last) * 1000 + _DAY_MILLISECONDS - 1,
    }
    return {
        "date_availability": available if ranked else {},
        "sort_by": sort_by,
        "pins": [
            {
                "pin_id": pins.ids[number],
                "metrics": of_pin,
                "data_status": dict.fromkeys(of_pin, status),
            }
            for negative, number, of_pin in ranked[: call.values["num_of_pins"]]
            if negative
        ],
    }
