"""Facts that Pinterest publishes for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from tap_pinterest import state
from tap_pinterest.bodies import decoder
from tap_pinterest.display_names import DELIVERY_METRICS, REPORT_TYPES
from tap_pinterest.readiness import ASKED_DAYS, READY_STATE
from tap_pinterest.slices import ONE_DAY, SYNCHRONOUS
from tap_pinterest.state import Progress
from tap_pinterest.streams.base import PinterestStream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from singer_sdk.helpers.types import Context


_decode_metrics = decoder(dict[str, list[dict[str, Any]]])


class DeliveryMetrics(PinterestStream):
    """Metrics that reports can have, of synchronous and of asynchronous ones.

    Source: GET /resources/delivery_metrics.
    """

    name = "delivery_metrics"
    path = DELIVERY_METRICS
    group = "ads"
    primary_keys = ("name", "report_type")

    @override
    def own_schema(self) -> dict[str, Any]:
        schema = super().own_schema()
        properties = {**schema["properties"], "report_type": {"type": ["string"]}}
        return {**schema, "properties": properties, "required": ["name", "report_type"]}

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        for report_type in REPORT_TYPES:
            query = {"report_type": report_type}
            for item in self.tap.client.get(self.path, _decode_metrics, query=query)["items"]:
                yield self.finished({**self.convert(item), "report_type": report_type})
        self.summary.contexts += 1


class MetricsReadyState(PinterestStream):
    """Whether the numbers of a day (UTC) are complete: one record a day, the same for everybody.

    Of a first run the three days before today, later all days since the last one that was
    complete: one call a day.
    Source: GET /resources/metrics_ready_state.
    """

    name = "metrics_ready_state"
    path = READY_STATE
    group = "ads"
    primary_keys = ("date",)
    replication_key = "date"

    @override
    def own_schema(self) -> dict[str, Any]:
        schema = super().own_schema()
        day = {"date": {"type": "string", "format": "date"}}
        return {**schema, "properties": day | schema["properties"], "required": ["date"]}

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        today = self.clock.today
        entry = self.tap.memory.get("bookmarks", {}).get(self.name, {})
        complete_to = Progress.of(entry).bookmark
        day = complete_to + ONE_DAY if complete_to else today - ASKED_DAYS * ONE_DAY
        day = max(day, today - SYNCHRONOUS.days_back * ONE_DAY)
        unbroken = True
        while day < today:
            answer = self.tap.readiness.of(day)
            unbroken = unbroken and answer.is_ready
            complete_to = day if unbroken else complete_to
            yield self.finished({"date": day.isoformat(), **msgspec.structs.asdict(answer)})
            day += ONE_DAY
        self._keep(complete_to)
        self.summary.contexts += 1

    def _keep(self, complete_to: date | None) -> None:
        entry = state.entry(self.tap.memory, self.name)
        Progress(bookmark=complete_to).write_to(entry, self.replication_key)
