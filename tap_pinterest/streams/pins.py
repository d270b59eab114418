"""Reports of Pins: what people did with each of them on each day."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SkippableAPIError
from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.api.batches import batches
from tap_pinterest.api.periods import ORGANIC, DateRange, Slice, cut, merged
from tap_pinterest.http.answers import decoder
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.http.errors import (
    PART_ERRORS,
    InvalidRequestError,
    PartError,
    SlowAnswerError,
    TooLargeError,
)
from tap_pinterest.reading.call import Call
from tap_pinterest.reading.calls import Expected, Scope
from tap_pinterest.reading.pages import Item
from tap_pinterest.reading.parts import Parts
from tap_pinterest.reading.refused_ids import Refused, Search
from tap_pinterest.reading.tasks import Task
from tap_pinterest.singer import state
from tap_pinterest.singer.state import Progress
from tap_pinterest.streams.boards import Pins
from tap_pinterest.streams.organic import (
    BYTES_PER_DAY,
    OrganicReportStream,
    Splits,
    days_of,
    decode_splits,
)

PIN = "/pins/{pin_id}/analytics"
BULK = "/pins/analytics"
STANDARD_METRICS = (
    *("IMPRESSION", "OUTBOUND_CLICK", "PIN_CLICK", "SAVE", "SAVE_RATE"),
    *("USER_FOLLOW", "PROFILE_VISIT"),
)
VIDEO_METRICS = (
    *("IMPRESSION", "OUTBOUND_CLICK", "PIN_CLICK", "SAVE", "SAVE_RATE", "VIDEO_MRC_VIEW"),
    *("VIDEO_10S_VIEW", "QUARTILE_95_PERCENT_VIEW", "VIDEO_V50_WATCH_TIME", "VIDEO_START"),
    "VIDEO_AVG_WATCH_TIME",
)
ALL_METRICS = tuple(dict.fromkeys((*STANDARD_METRICS, *VIDEO_METRICS)))
"""Daily metrics of a Pin, standard or video. TOTAL_COMMENTS and TOTAL_REACTIONS are not here: they
count the lifetime of a Pin, not a day; `pins.pin_metrics` has them."""
MOST_HALVINGS = 3
MOST_TRIED_ALONE = 5
"""Pins that get a call of their own, to find out if Pinterest refuses the app or one Pin."""
MOST_PENDING = 1_000
"""Most refused Pins of a user that are remembered; if there are more, the bookmark stays."""
MOST_REFUSED_IN_A_ROW = 5
"""Refusals of standard metrics of videos after which calls name only the video metrics."""

_Kind: TypeAlias = "tuple[bool, bool, tuple[str, ...]]"
"""Whether Pins are pending, whether they were saved from other Pins, and their metrics."""

_decode_pins = decoder(dict[str, Splits])


@dataclass
class OfPins:
    """Answers, refusals and failures of some Pins.

    Attributes:
        app_type: The kind of app that the call named; `None` if the answers name it.
        answers: Answers, each with its Pin; a Pin may have several, for different days.
        errors: Refusals and failures, by Pin.
    """

    app_type: str | None
    answers: Sequence[tuple[str, Splits]] = ()
    errors: dict[str, PartError] = field(default_factory=dict)

    def joined(self, other: OfPins) -> OfPins:
        """These answers and errors, and those for other Pins or other days."""
        answers, errors = [*self.answers, *other.answers], {**self.errors, **other.errors}
        return OfPins(self.app_type, answers, errors)


class PinAnalytics(OrganicReportStream):
    """Metrics of a Pin on one day, whole or by kind of app.

    Only Pins that a user owns have these numbers. The stream also asks for Pins that the user saved
    from others; Pinterest may refuse some of them. One call asks for 100 Pins if Pinterest allows
    that to the app, else for one Pin (60 calls a minute). Ads reports have the numbers of a Pin as
    an ad.
    """

    name = "pin_analytics"
    path = PIN
    group = "boards"
    primary_keys = ("pin_id", "app_type", "date")
    split_columns = ("pin_id", "app_type")

    @property
    @override
    def lists(self) -> Iterator[str]:
        yield Pins.path

    @property
    @override
    def metrics(self) -> Sequence[str]:
        return ALL_METRICS

    @functools.cached_property
    @override
    def fingerprint(self) -> str:
        settings = self.settings
        return state.fingerprint(
            {
                "app_types": settings.app_types,
                "split_field": settings.pin_split_field,
                # Earlier versions left out saved Pins and some metrics of videos.
                "saved_pins": True,
                "pin_ids": sorted(settings.pin_ids),
                "board_ids": sorted(settings.board_ids),
                "metric_types": sorted(self.requested(self.metrics)),
                **settings.sync_key_shape(self.name),
                **self.left_out,
            }
        )

    @functools.cached_property
    def calls(self) -> PinCalls:
        """The calls that read Pins."""
        split_field = self.settings.pin_split_field
        return PinCalls(self.run.client, self.app_types, split_field, self.run.warn_once)

    @property
    def app_types(self) -> Sequence[str]:
        """The kinds of apps, one call each, because a call for many Pins cannot be split."""
        asked = self.settings.app_types or "ALL"
        if self.settings.pin_split_field == "NO_SPLIT" or asked != "ALL":
            return (asked,)
        allowed = api.operation(f"GET {BULK}").parameters["app_types"].allowed
        return [each for each in allowed if each != "ALL"]

    @override
    def tasks(self, context: Context) -> Iterator[Task[OfPins]]:
        parts = self.outcomes_of_lists[self.turn(context)] = Parts()
        account = self.contexts.parameters(context, self.inventory.owners)
        for metrics, dates, ids in self._asked(context, parts):
            query = {**account, "metric_types": self.requested(metrics)}
            for batch in batches(ids, ORGANIC.ids):
                yield from self.calls.tasks(Slice(dates, batch), query)

    @override
    def answered(self, context: Context, parts: Parts) -> Iterator[tuple[Call, Iterable[Item]]]:
        for found in self.answers(context):
            for pin_id, splits in found.answers:
                parts.answered()
                beside = {**context, "pin_id": pin_id}
                yield self._of_pin(pin_id), _days_beside(beside, found.app_type, splits)
            for pin_id, error in found.errors.items():
                parts.add_error(self._of_pin(pin_id), error)
            if parts.are_all_refused:
                break
        parts.include(self.outcomes_of_lists.pop(self.turn(context)))
        self.refuse_named(parts)

    def _of_pin(self, pin_id: str) -> Call:
        """All calls for a Pin, as one part."""
        ids = {"pin_id": pin_id}
        return Call(self.path, ids, part=ids)

    @override
    def after(self, context: Context, progress: Progress, parts: Parts) -> Progress | None:
        after = self.final_range.after(progress, self.fingerprint)
        if not self.report_range.to_read(progress, self.fingerprint):
            return after
        refused = {call.ids["pin_id"] for call in parts.refused_calls}
        # A Pin that was saved from another user mostly has no numbers, and is skipped.
        originals = (pin["id"] for pin in self._listed(context, parts) if not pin["parent_pin_id"])
        pending = tuple(pin_id for pin_id in originals if pin_id in refused)
        return replace(after, pending=pending) if len(pending) <= MOST_PENDING else None

    @override
    def expected(self, context: Context | None) -> Iterator[Expected]:
        parts = Parts()
        asked = [ids for _, _, ids in self._asked(context or {}, parts)]
        parts.raise_if_any_failed()
        yield Expected(
            api.operation(f"GET {BULK}").category,
            sum(len(list(batches(ids, ORGANIC.ids))) for ids in asked) * len(self.app_types),
            precision="at least" if asked else "",
            most=sum(map(len, asked)),
        )

    def _asked(
        self, context: Context, parts: Parts
    ) -> Iterator[tuple[Sequence[str], DateRange, Sequence[str]]]:
        """The metrics, days and Pins to ask for: of pending Pins all days of earlier runs too."""
        days, progress = self.report_range, self.progress(context, self.report_range)
        if not (ranges := days.to_read(progress, self.fingerprint)):
            return
        known = progress.known(days.granularity, days.lookback_days)
        earlier = [DateRange(max(each.start, days.earliest), each.end) for each in known]
        kinds = self._pins(context, progress.pending, parts)
        for (is_pending, _, metrics), ids in kinds.items():
            for dates in merged([*ranges, *earlier]) if is_pending else ranges:
                for piece in cut(dates, ORGANIC.days):
                    yield metrics, piece, ids

    def _pins(
        self, context: Context, pending: Collection[str], parts: Parts
    ) -> Mapping[_Kind, Sequence[str]]:
        """Ids of Pins that can have numbers, by the kind of Pin, originals first.

        Pending Pins and Pins saved from others get calls of their own, so that a refused one costs
        no other a call.
        """
        kinds: dict[_Kind, list[str]] = defaultdict(list)
        others = 0
        for pin in self._listed(context, parts):
            is_video = pin["media.media_type"] == "video"
            if self.settings.pin_ids or pin["is_owner"] != "False":
                metrics = ALL_METRICS if is_video else STANDARD_METRICS
                kind = (pin["id"] in pending, bool(pin["parent_pin_id"]), metrics)
                kinds[kind].append(pin["id"])
            else:
                others += 1
        if others:
            self.logger.info("%s leaves out %s Pins of others", self.name, f"{others:,}")
        parts.raise_if_nothing_was_read()
        return dict(sorted(kinds.items()))

    def _listed(self, context: Context, parts: Parts) -> Iterator[Mapping[str, str]]:
        """The fields of a user's Pins that the calls depend on."""
        scope = Scope(self.inventory, self.settings, context, parts)
        return self.inventory.rows(Pins.listing(self.settings), scope, {})


@dataclass
class PinCalls:
    """The calls that read Pins: 100 Pins in a call if Pinterest allows it, else one."""

    client: PinterestClient
    app_types: Sequence[str]
    split_field: str
    warn: Callable[[str], None]
    _may_ask_for_many: bool | None = field(default=None, init=False)
    _refused_in_a_row: int = field(default=0, init=False)
    _invalid: dict[str, Refused] = field(default_factory=lambda: defaultdict(Refused), init=False)

    def tasks(self, part: Slice, query: Mapping[str, Any]) -> Iterator[Task[OfPins]]:
        """The calls for some Pins on some days.

        The first calls are made at once. Their answers show whether Pinterest allows the app to ask
        for many Pins in one call.
        """
        found = self._find_out(part, query) if self._may_ask_for_many is None else {}
        if self._may_ask_for_many:
            for app_type in self.app_types:
                run = functools.partial(self.many, part, query, app_type)
                if app_type in found:
                    run = functools.partial(found.get, app_type)
                yield Task(run, expected_bytes=part.rows * BYTES_PER_DAY)
        else:
            for pin_id in part.ids:
                run = functools.partial(self.one, pin_id, part.dates, query)
                if pin_id in found:
                    run = functools.partial(found.get, pin_id)
                yield Task(run, expected_bytes=part.dates.days * BYTES_PER_DAY)

    def many(self, part: Slice, query: Mapping[str, Any], app_type: str) -> OfPins:
        """Ask for many Pins in one call; one that makes it invalid costs no other its rows."""
        found = self._halved(part, query, app_type)
        invalid = [pin_id for pin_id, error in found.errors.items() if _is_invalid(error)]
        if len(invalid) <= 1:
            return found
        search = Search(invalid, self._invalid[app_type])
        errors = {pin_id: error for pin_id, error in found.errors.items() if pin_id not in invalid}
        pieces = OfPins(app_type, found.answers, errors)
        for ids in search:
            piece = self._halved(replace(part, ids=ids), query, app_type)
            if search.settles(ids, is_refused=any(map(_is_invalid, piece.errors.values()))):
                pieces = pieces.joined(piece)
        return found if search.is_in_vain else pieces

    def _halved(
        self, part: Slice, query: Mapping[str, Any], app_type: str, halvings: int = 0
    ) -> OfPins:
        """Ask for many Pins in one call.

        A call that is too large or too slow is split in halves. A refused call is split too, until
        the refused Pins are found.
        """
        halves = part.halves()
        may_split = halves is not None and halvings < MOST_HALVINGS
        try:
            return self._ask(part, query, app_type, split_instead=may_split)
        except SkippableAPIError as refusal:
            if len(part.ids) == 1 or halves is None:
                return OfPins(app_type, errors=dict.fromkeys(part.ids, refusal))
        except (TooLargeError, SlowAnswerError) as error:
            if halves is None or (isinstance(error, SlowAnswerError) and not may_split):
                return OfPins(app_type, errors=dict.fromkeys(part.ids, error))
        except (FatalAPIError, RetriableAPIError) as error:
            return OfPins(app_type, errors=dict.fromkeys(part.ids, error))
        first, second = (self._halved(half, query, app_type, halvings + 1) for half in halves)
        return first.joined(second)

    def one(self, pin_id: str, dates: DateRange, query: Mapping[str, Any]) -> OfPins:
        """Ask for one Pin."""
        is_split = self.split_field != "NO_SPLIT"
        asked = {**query, **dates.query, "split_field": self.split_field}
        if len(self.app_types) == 1:
            asked["app_types"] = self.app_types[0]
        app_type = None if is_split else self.app_types[0]
        try:
            splits: Splits = self._answer(PIN, decode_splits, asked, ids={"pin_id": pin_id})
        except PART_ERRORS as error:
            return OfPins(app_type, errors={pin_id: error})
        return OfPins(app_type, [(pin_id, splits)])

    def _ask(
        self, part: Slice, query: Mapping[str, Any], app_type: str, *, split_instead: bool
    ) -> OfPins:
        asked = {**query, **part.dates.query, "app_types": app_type, "pin_ids": part.ids}
        answers: dict[str, Splits] = self._answer(
            BULK, _decode_pins, asked, split_instead=split_instead
        )
        return OfPins(app_type, list(answers.items()))

    def _answer(
        self,
        path: str,
        decode: Callable[[bytes], Any],
        asked: Mapping[str, Any],
        **how: Any,  # noqa: ANN401 - as the client takes it
    ) -> Any:  # noqa: ANN401 - whatever the decoder makes
        """The answer to a call; for videos without the standard metrics if these are refused."""
        get = functools.partial(
            self.client.get, path, decode, stream=PinAnalytics.name, nothing={}, **how
        )
        narrower = _narrower(asked["metric_types"])
        if narrower and self._refused_in_a_row >= MOST_REFUSED_IN_A_ROW:
            return get(query={**asked, "metric_types": narrower})
        try:
            answer: Any = get(query=asked)
        except InvalidRequestError as refusal:
            if not narrower:
                raise
            answer = get(query={**asked, "metric_types": narrower})
            self._refused_in_a_row += 1
            self._warn_of_metrics(asked["metric_types"], narrower, refusal)
        else:
            self._refused_in_a_row = 0 if narrower else self._refused_in_a_row
        return answer

    def _warn_of_metrics(
        self, asked: Sequence[str], narrower: Sequence[str], refusal: InvalidRequestError
    ) -> None:
        missing = ", ".join(name for name in asked if name not in narrower)
        self.warn(
            f"{PinAnalytics.name}: Pinterest refuses {missing} beside the metrics of videos, so "
            f"they are null for some Pins with a video: {refusal}"
        )

    def _find_out(self, part: Slice, query: Mapping[str, Any]) -> dict[str, OfPins]:
        """Find out whether the app may ask for many Pins, and return the answers, by app or Pin.

        Pinterest may refuse the app, or only one of the Pins. So after a refusal the first Pins get
        a call of their own.
        """
        app_type = self.app_types[0]
        for ids in (part.ids, *((pin_id,) for pin_id in part.ids[:MOST_TRIED_ALONE])):
            some = Slice(part.dates, ids)
            try:
                answer = self._ask(some, query, app_type, split_instead=True)
            except SkippableAPIError:
                if ids != part.ids and (alone := self.one(ids[0], part.dates, query)).answers:
                    self._may_ask_for_many = False
                    return {ids[0]: alone}
            except (FatalAPIError, RetriableAPIError) as error:
                if not isinstance(error, (TooLargeError, SlowAnswerError)):
                    return {}
                self._may_ask_for_many = True
                break
            else:
                self._may_ask_for_many = True
                return {app_type: answer} if ids == part.ids else {}
        return {}


def _days_beside(beside: Item, app_type: str | None, splits: Splits) -> Iterator[Item]:
    for part, day in days_of(splits):
        yield {**beside, "app_type": app_type or part.upper(), **day}


def _is_invalid(error: PartError) -> bool:
    return type(error) is InvalidRequestError


def _narrower(metrics: Sequence[str]) -> Sequence[str]:
    """The metrics of videos alone; empty if the call names no other metrics."""
    has_both = {*metrics}.difference(VIDEO_METRICS) and {*metrics}.difference(STANDARD_METRICS)
    return [name for name in metrics if name in VIDEO_METRICS] if has_both else []
