"""Organic reports: metrics of a user's Pins on each day, and the top Pins."""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias, TypeVar
from urllib.parse import urlsplit

import msgspec
from singer_sdk.exceptions import FatalAPIError
from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.api.naming import name_of
from tap_pinterest.api.periods import ONE_DAY, ORGANIC, DateRange, cut
from tap_pinterest.http.answers import check_fields, decode_object, decoder
from tap_pinterest.reading.call import Call
from tap_pinterest.reading.calls import Scope
from tap_pinterest.reading.contexts import Users
from tap_pinterest.reading.pages import Item
from tap_pinterest.reading.parts import Parts, Tried
from tap_pinterest.reading.tasks import Task
from tap_pinterest.records.conform import singer_name
from tap_pinterest.singer import state
from tap_pinterest.singer.coverage import before
from tap_pinterest.singer.state import Progress, ReportRange
from tap_pinterest.streams.bases.dataset import SnapshotStream
from tap_pinterest.streams.bases.days import ReportStream
from tap_pinterest.streams.bases.stream import TaskStream
from tap_pinterest.streams.boards import Pins

NOT_FINAL = frozenset({"PROCESSING", "ESTIMATE"})
"""Values of `data_status` for days whose numbers will change."""
MOST_TOP_PINS = 50
BYTES_PER_DAY = 300
"""Expected size of an answer, for each day of a Pin or a user."""

_T = TypeVar("_T")

_TEXT: Mapping[str, Any] = MappingProxyType({"type": "string"})
_NUMBER: Mapping[str, Any] = MappingProxyType({"type": "number"})
_DATE: Mapping[str, Any] = MappingProxyType({"type": "string", "format": "date"})


class Split(msgspec.Struct):
    """The part of an answer for one part of a split, or for the whole."""

    daily_metrics: list[dict[str, Any]] | None = None
    summary_metrics: Any = None
    lifetime_metrics: Any = None


class Top(msgspec.Struct):
    """The top Pins in order of rank, and the last day that Pinterest has numbers for."""

    pins: list[dict[str, Any]] | None = None
    date_availability: dict[str, Any] | None = None
    sort_by: Any = None


Splits = dict[str, Split]

_decode_splits = decoder(Splits)
_decode_parts = decoder(dict[str, dict[str, Any]])
_decode_fields = decoder(Top)


def decode_splits(body: bytes) -> Splits:
    """The parts of an answer.

    Raises:
        UnreadableAnswerError: They have only fields that no part has, as in an error.
    """
    splits = _decode_splits(body)
    if all(each == Split() for each in splits.values()):
        parts = _decode_parts(body).values()
        check_fields(dict.fromkeys(itertools.chain(*parts)), Split.__struct_fields__)
    return splits


def _decode_top(body: bytes) -> Top:
    answer = _decode_fields(body)
    if answer == Top():
        check_fields(decode_object(body), Top.__struct_fields__)
    return answer


def days_of(splits: Splits) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each day of each part of a split, with its metrics beside its date and status.

    Raises:
        FatalAPIError: The metrics of a day have another shape than the API describes.
    """
    for part, found in splits.items():
        for day in found.daily_metrics or ():
            metrics = day.pop("metrics", None) or {}
            if not isinstance(metrics, dict):
                msg = f"the metrics of a day of {part} have another shape than the API describes"
                raise FatalAPIError(msg)
            yield part, {**day, **metrics}


class UserStream(TaskStream):
    """A stream with one context for each user that `organic_accounts` wants."""

    contexts = Users(always_named=True)

    @functools.cached_property
    def report_range(self) -> ReportRange:
        """The days that the config asks for, whatever the state says."""
        return self.run.ranges.of(
            self,
            days_back=ORGANIC.days_back,
            lookback_days=self.settings.organic_lookback,
            kind="organic reports",
            tells_status=True,
        )

    def call(
        self, user_id: str, dates: DateRange, query: Mapping[str, Any], own: Mapping[str, str]
    ) -> Call:
        """A call for some days of a user; `own` has the values that other calls for them lack."""
        account = self.contexts.parameters({"user_id": user_id}, self.inventory.owners)
        part = {**own, "days": str(dates)}
        return Call(self.path, query={**query, **account, **dates.query}, part=part)

    def asked(self, call: Call, decode: Callable[[bytes], _T], nothing: _T) -> Tried[_T]:
        """The answer of a call; `nothing` if Pinterest has no numbers of these days."""
        get = self.run.client.get
        return Tried.by(call, lambda: get(call.path, decode, query=call.query, nothing=nothing))


class OrganicReportStream(UserStream, ReportStream):
    """Metrics by day (UTC) of a user's Pins or profile, for each part of a split.

    Metrics without a value are null: Pinterest sends no number, which is not the same as zero.
    Days whose `data_status` is PROCESSING or ESTIMATE are read again until they are final.

    Attributes:
        split_columns: Columns that identify a record of a context, together with the date.
    """

    split_columns: ClassVar[Sequence[str]] = ()

    _not_final: date | None = None
    """The first day of the context whose numbers will change."""

    @property
    def metrics(self) -> Sequence[str]:
        """Pinterest's names of the metrics."""
        return api.operation(f"GET {self.path}").parameters["metric_types"].allowed

    @property
    def final_range(self) -> ReportRange:
        """`report_range` once a context has been read: complete up to the last final day."""
        days = self.report_range
        if self._not_final is None or days.complete_to is None:
            return days
        return replace(days, complete_to=min(days.complete_to, self._not_final - ONE_DAY))

    @functools.cached_property
    @override
    def facts(self) -> Mapping[str, Any]:
        day = api.record_facts(self.path)["properties"]["daily_metrics"]["items"]["properties"]
        split = dict.fromkeys(("user_id", *self.split_columns), _TEXT)
        own = {name: day[name] for name in ("date", "data_status")}
        return {"properties": {**split, **own, **dict.fromkeys(self.metrics, _NUMBER)}}

    @property
    def left_out(self) -> Mapping[str, Any]:
        """The columns beside the metrics that are not written, for the fingerprint."""
        names = {*self._deselected}.difference(map(singer_name, self.metrics))
        return {"left_out": sorted(names)} if names else {}

    def requested(self, offered: Sequence[str]) -> Sequence[str]:
        """The offered metrics whose columns are selected; at least one metric."""
        wanted = [name for name in offered if self.is_needed(singer_name(name))]
        return wanted or offered[:1]

    @override
    def ranges(self, context: Context | None) -> Sequence[DateRange]:
        progress = self.progress(context or {}, self.report_range)
        return self.report_range.to_read(progress, self.fingerprint)

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        if context is None:
            return
        progress = self.progress(context, self.report_range)
        self.begin_rewriting(context, progress, self.report_range)
        for dates in self.report_range.to_read(progress, self.fingerprint):
            self.summary.of(name_of(context)).note(dates)
        parts = Parts()
        self._not_final = None
        for call, items in self.answered(context, parts):
            yield from self.records_of_call(call, self._noted(map(self.convert, items)), parts)
        self.conclude(context, parts)
        if after := self.after(context, progress, parts):
            self.remember(context, after)

    def after(self, context: Context, progress: Progress, parts: Parts) -> Progress | None:  # noqa: ARG002 - see subclasses
        """The progress of a context that was read; `None` if the next run reads its days again."""
        return None if parts.refused_calls else self.final_range.after(progress, self.fingerprint)

    def answered(self, context: Context, parts: Parts) -> Iterator[tuple[Call, Iterable[Item]]]:
        """The records of a user as Pinterest sends them, by call."""
        raise NotImplementedError

    def _noted(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for record in records:
            if record["data_status"] in NOT_FINAL and record["date"]:
                day = date.fromisoformat(record["date"])
                self._not_final = min(self._not_final or day, day)
            yield record


class UserAccountAnalytics(OrganicReportStream):
    """Metrics of a user's Pins on one day, whole or split in one of the `user_split_fields`."""

    name = "user_account_analytics"
    path = "/user_account/analytics"
    group = "organic"
    primary_keys = ("user_id", "split_field", "split_value", "date")
    split_columns = ("split_field", "split_value")

    @functools.cached_property
    def query(self) -> Mapping[str, Any]:
        """Parameters that are the same in every call."""
        return {**self.settings.organic_filters, "metric_types": self.requested(self.metrics)}

    @functools.cached_property
    @override
    def fingerprint(self) -> str:
        fields = sorted(self.settings.user_split_fields)
        metrics = sorted(self.query["metric_types"])
        own = {**self.settings.sync_key_shape(self.name), **self.left_out}
        return state.fingerprint(
            {**self.query, "metric_types": metrics, "split_fields": fields, **own}
        )

    @override
    def tasks(self, context: Context) -> Iterator[Task[Tried[Splits]]]:
        for dates in self.ranges(context):
            for piece in cut(dates, ORGANIC.days):
                for split_field in self.settings.user_split_fields:
                    own = {"split_field": split_field}
                    call = self.call(context["user_id"], piece, {**self.query, **own}, own)
                    yield Task(
                        functools.partial(self.asked, call, decode_splits, Splits()),
                        expected_bytes=piece.days * BYTES_PER_DAY,
                    )

    @override
    def answered(self, context: Context, parts: Parts) -> Iterator[tuple[Call, Iterable[Item]]]:
        for call, splits in parts.answers(self.answers(context)):
            beside = {"user_id": context["user_id"], "split_field": call.part["split_field"]}
            days = days_of(splits)
            yield call, ({**beside, "split_value": part, **day} for part, day in days)


class TopPinsStream(UserStream):
    """Up to 50 Pins of a user with the highest values of a metric over the last days.

    Each run reads the `top_pins_days` that end at `end_date`, once for each metric in
    `top_pins_sort_by`. `rank` is the place of a Pin.
    """

    group = "boards"
    replication_key = "date"
    primary_keys = ("user_id", "sort_by", "start_date", "date", "pin_id")

    @functools.cached_property
    @override
    def facts(self) -> Mapping[str, Any]:
        answer = api.record_facts(self.path)["properties"]
        parameters = api.operation(f"GET {self.path}").parameters
        pin = answer["pins"]["items"]["properties"]
        return {
            "properties": {
                "user_id": _TEXT,
                "sort_by": answer["sort_by"],
                "start_date": _DATE,
                "date": _DATE,
                "pin_id": pin["pin_id"],
                "rank": {"type": "integer"},
                **dict.fromkeys(parameters["metric_types"].allowed, _NUMBER),
                "data_status": pin["data_status"],
                "date_availability": answer["date_availability"],
            }
        }

    @property
    def sorts(self) -> Sequence[str]:
        """The metrics to sort by."""
        allowed = api.operation(f"GET {self.path}").parameters["sort_by"].allowed
        asked = self.settings.top_pins_sort_by
        return [each for each in allowed if each in asked or not asked]

    @override
    def ranges(self, context: Context | None) -> Sequence[DateRange]:
        """The one range of days that a run reads; none if Pinterest no longer has any of them."""
        last = self.report_range.wanted.end
        first = before(last, self.settings.top_pins_days - 1)
        dates = DateRange(max(first, self.report_range.earliest), last)
        return [dates] if dates.start <= dates.end else []

    @override
    def tasks(self, context: Context) -> Iterator[Task[Tried[Top]]]:
        same = {**self.settings.organic_filters, "num_of_pins": MOST_TOP_PINS}
        for dates in self.ranges(context):
            for by in self.sorts:
                own = {"sort_by": by}
                call = self.call(context["user_id"], dates, {**same, **own}, own)
                yield Task(functools.partial(self.asked, call, _decode_top, Top()))

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        for dates in self.ranges(context):
            self.summary.of(name_of(context)).note(dates)
            parts = Parts()
            for call, answer in parts.answers(self.answers(context)):
                beside = {
                    **(context or {}),
                    "sort_by": call.part["sort_by"],
                    "start_date": dates.start.isoformat(),
                    "date": dates.end.isoformat(),
                    "date_availability": answer.date_availability,
                }
                records = map(self.convert, _ranked(beside, answer.pins or ()))
                yield from self.records_of_call(call, records, parts)
            self.conclude(context, parts, Progress(bookmark=dates.end))


def _ranked(beside: Item, pins: Iterable[dict[str, Any]]) -> Iterator[Item]:
    for rank, pin in enumerate(pins, 1):
        metrics = pin.pop("metrics", None) or {}
        yield {**beside, "rank": rank, **pin, **metrics}


class UserAccountTopPinAnalytics(TopPinsStream):
    """One of the up to 50 Pins that lead by a metric over the last `top_pins_days`."""

    name = "user_account_top_pin_analytics"
    path = "/user_account/analytics/top_pins"


class UserAccountTopVideoPinAnalytics(TopPinsStream):
    """One of the up to 50 Pins with a video that lead by a metric over the last `top_pins_days`."""

    name = "user_account_top_video_pin_analytics"
    path = "/user_account/analytics/top_video_pins"


_Ranked: TypeAlias = "dict[tuple[str, str], dict[str, dict[str, Any]]]"
"""By domain and sort, the records by the id of the Pin, without their ranks."""


class DomainTopPins(SnapshotStream, Pins):
    """One of the Pins with the most clicks or saves among the Pins that link to a domain.

    The user's own Pins, by their numbers of the last 90 days before the run. `domain` is one of
    the `domains`, or the host of the Pin's link if the config names no domains. `sort` is CLICKS
    or SAVES, `value` their number (Pins with zero are left out), `rank` the Pin's place.
    """

    name = "domain_top_pins"
    group = "boards"
    primary_keys = ("domain", "sort", "pin_id", "date")

    sorts: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"CLICKS": "clickthrough", "SAVES": "save"}
    )
    """The Pin metric behind each sort."""
    kept: ClassVar[Sequence[str]] = ("link", "title", "board_id", "created_at", "pin_metrics")
    """Fields of the Pin that a record keeps."""

    @functools.cached_property
    @override
    def facts(self) -> Mapping[str, Any]:
        pin = api.record_facts(self.path)["properties"]
        counted = {"type": "integer"}
        own = dict.fromkeys(("domain", "sort", "pin_id"), _TEXT)
        beside = {"date": _DATE, "user_id": _TEXT, "rank": counted, "value": _NUMBER}
        return {"properties": {**own, **beside, **{name: pin[name] for name in self.kept}}}

    @functools.cached_property
    @override
    def missing_ids(self) -> set[str]:
        return set()

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        parts = Parts()
        scope = Scope(self.inventory, self.settings, context, parts)
        ranked: _Ranked = defaultdict(dict)
        turn, following = self.turn(context), self.run.order.following(self, context)
        pages = self.inventory.items(self.listing(self.settings), scope, turn, following)
        for pin in itertools.chain.from_iterable(items for _, items in pages):
            self._rank(pin, ranked)
        # Without all Pins, the ranks would be wrong.
        parts.raise_if_nothing_was_read()
        parts.raise_if_any_failed()
        user_id = self.inventory.owners.user_id(context)
        yield from self.finished_once(self._records(ranked, user_id), {})
        progress = Progress(bookmark=self.clock.today)
        self.conclude(context, parts, progress, asked=parts.is_answered)

    def _rank(self, pin: Item, ranked: _Ranked) -> None:
        """Note the numbers of a Pin; if it is listed twice, the later numbers count."""
        recent = (pin.get("pin_metrics") or {}).get("90d") or {}
        pin_id, kept = str(pin.get("id")), {name: pin[name] for name in self.kept if name in pin}
        for domain in self._domains(pin):
            for sort, number in self.sorts.items():
                # A number may be sent as a text.
                value = float(recent.get(number) or 0)
                if value and pin.get("is_owner") is not False:
                    own = {"domain": domain, "sort": sort, "pin_id": pin_id, "value": value}
                    ranked[domain, sort][pin_id] = {**own, **kept}

    def _records(self, ranked: _Ranked, user_id: str) -> Iterator[dict[str, Any]]:
        same = {"date": self.clock.today.isoformat(), "user_id": user_id}
        for place in sorted(ranked):
            pins = sorted(ranked[place].values(), key=lambda pin: (-pin["value"], pin["pin_id"]))
            for rank, pin in enumerate(pins, 1):
                yield self.convert({**same, **pin, "rank": rank})

    def _domains(self, pin: Item) -> Sequence[str]:
        """The wanted domains that a Pin's link leads to."""
        try:
            host = urlsplit(pin.get("link") or "").hostname
        except ValueError:
            return ()
        if not host:
            return ()
        wanted = self.settings.domains or (host,)
        return [each for each in wanted if host == each or host.endswith(f".{each}")]
