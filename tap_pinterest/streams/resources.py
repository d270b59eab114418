"""Facts that Pinterest publishes for everybody."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import msgspec
from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_pinterest.api.periods import ONE_DAY, SYNCHRONOUS
from tap_pinterest.reading.call import Call
from tap_pinterest.reading.calls import Each, Expected, Values
from tap_pinterest.reading.contexts import Token
from tap_pinterest.reading.pages import Item
from tap_pinterest.reading.parts import Parts, Tried
from tap_pinterest.reading.tasks import Task
from tap_pinterest.run.readiness import ASKED_DAYS, READY_STATE, ReadyState
from tap_pinterest.singer.state import Progress
from tap_pinterest.streams.bases.dataset import DatasetStream
from tap_pinterest.streams.bases.stream import TaskStream


class MetricsReadyState(TaskStream):
    """Whether the numbers of a day (UTC) are complete: one record a day, the same for everybody.

    The first run reads the three days before today. Later runs read all days since the last
    complete one. Each day takes one call.
    """

    name = "metrics_ready_state"
    path = READY_STATE
    group = "ads"
    primary_keys = ("date",)
    replication_key = "date"

    @override
    def own_schema(self) -> dict[str, Any]:
        schema = super().own_schema()
        day = {"date": {"type": ["string"], "format": "date"}}
        return {**schema, "properties": day | schema["properties"], "required": ["date"]}

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        complete_to = self._complete_to
        are_all_ready, parts = True, Parts()
        for call, answer in parts.answers(self.answers(context)):
            day = call.part["date"]
            are_all_ready = are_all_ready and answer.is_ready
            complete_to = date.fromisoformat(day) if are_all_ready else complete_to
            yield self.finished({"date": day, **msgspec.structs.asdict(answer)})
        self.conclude(context, parts, Progress(bookmark=complete_to))

    @override
    def tasks(self, context: None) -> Iterator[Task[Tried[ReadyState]]]:
        for day in self._days():
            own = {"date": day.isoformat()}
            call = Call(self.path, query=own, part=own)
            ask = functools.partial(self.run.readiness.of, day)
            yield Task(functools.partial(Tried.by, call, ask))

    @override
    def expected(self, context: Context | None) -> Iterator[Expected]:
        unknown = [day for day in self._days() if not self.run.readiness.knows(day)]
        yield Expected(self.category, len(unknown))

    @property
    def _complete_to(self) -> date | None:
        entry = self.run.memory.get("bookmarks", {}).get(self.name, {})
        return Progress.of(entry).bookmark

    def _days(self) -> Iterator[date]:
        today, complete_to = self.clock.today, self._complete_to
        day = complete_to + ONE_DAY if complete_to else today - ASKED_DAYS * ONE_DAY
        day = max(day, today - SYNCHRONOUS.days_back * ONE_DAY)
        while day < today:
            yield day
            day += ONE_DAY


class DeliveryMetrics(DatasetStream):
    """Metrics of synchronous and of asynchronous reports."""

    name = "delivery_metrics"
    path = "/resources/delivery_metrics"
    group = "ads"
    # Pins and ads share some names, such as ENGAGEMENT_RATE.
    primary_keys = ("name", "category", "report_type")
    per = (Values("report_type"),)


class AdAccountCountries(DatasetStream):
    """Countries that an ad account can be in, with their currencies."""

    name = "ad_account_countries"
    path = "/resources/ad_account_countries"
    primary_keys = ("code",)


class TargetingOptions(DatasetStream):
    """Names of targeting values, such as the location with the code 500 in a report."""

    name = "targeting_options"
    path = "/resources/targeting/{targeting_type}"
    contexts = Token()  # its names are the same for every ad account
    primary_keys = ("targeting_type", "id")
    per = (Values("targeting_type"),)
    parent_fields = ("targeting_type",)
    texts = ("id", "name")

    @classmethod
    @override
    def unpacked(cls, item: Any) -> Iterable[Item]:
        return [{"id": key, "name": name} for key, name in item.items()]


class Interests(DatasetStream):
    """An interest that ads can be targeted at, with the interests below it."""

    name = "interests"
    path = "/resources/targeting/interests/{interest_id}"
    per = (Each(TargetingOptions, where={"targeting_type": ("INTEREST",)}, interest_id="id"),)
