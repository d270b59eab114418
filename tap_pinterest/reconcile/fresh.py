"""Fresh numbers from Pinterest: totals of an ad account, and the rows of a level by day."""

from __future__ import annotations

import dataclasses
import functools
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_pinterest.api.levels import LEVELS
from tap_pinterest.api.periods import GRANULARITIES
from tap_pinterest.reading.calls import Scope
from tap_pinterest.reading.parts import Parts
from tap_pinterest.records.conform import Converter
from tap_pinterest.records.strays import Strays, UnknownCounts
from tap_pinterest.reports.ordering import Operation, Ordering
from tap_pinterest.reports.plan import Entities, plan
from tap_pinterest.reports.question import Question
from tap_pinterest.reports.reader import Reader
from tap_pinterest.reports.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_pinterest.api.levels import Level
    from tap_pinterest.api.periods import DateRange
    from tap_pinterest.config import Settings
    from tap_pinterest.reading.pages import Item
    from tap_pinterest.reconcile.findings import Cells, Place, Totals
    from tap_pinterest.run.run import Run
    from tap_pinterest.streams.bases.dataset import DatasetStream

NO_FILTERS: Mapping[str, Any] = {
    **dict.fromkeys(("entity_statuses", "campaign_ids", "ad_group_ids"), ()),
    **dict.fromkeys(("ad_ids", "product_group_ids", "targeting_types"), ()),
}
_ACCOUNT = LEVELS["ad_account"]


class Detail(NamedTuple):
    """The rows of a question.

    Attributes:
        entities: The stream that lists its entities; `None` for the ad account itself.
    """

    level: Level
    entities: type[DatasetStream] | None
    granularity: str


_OF_ACCOUNT = Detail(_ACCOUNT, None, "TOTAL")


class Fresh:
    """Asks Pinterest, with the tap's own calls, and remembers the answers."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: dict[tuple[object, ...], Cells] = {}
        self._refused: dict[str, frozenset[str]] = {}

    @property
    def settings(self) -> Settings:
        """The settings in force, without filters."""
        return dataclasses.replace(self._run.settings, **NO_FILTERS)

    @property
    def entity_statuses(self) -> Sequence[str]:
        """The statuses that the config reads; empty for all but drafts."""
        return self._run.settings.entity_statuses

    def totals(
        self, ad_account_id: str, days: DateRange, settings: Settings, metrics: Sequence[str]
    ) -> Totals:
        """The numbers of an ad account over the days, all statuses included."""
        found = self.cells(ad_account_id, _OF_ACCOUNT, days, settings, metrics)
        return found.get((ad_account_id, None), {})

    def obstacle(self, ad_account_id: str, metric: str) -> str:
        """Why the numbers of a metric that was asked for cannot be compared; empty if they can."""
        refused = self._refused.get(ad_account_id, frozenset())
        return "Pinterest refuses it for the ad account" if metric in refused else ""

    def cells(
        self,
        ad_account_id: str,
        of: Detail,
        days: DateRange,
        settings: Settings,
        metrics: Sequence[str],
    ) -> Cells:
        """The numbers of each entity of a level, by day or over all days."""
        asked = dataclasses.replace(settings, report_columns=tuple(metrics))
        key = (ad_account_id, of.level.name, of.granularity, days, _attribution(asked), *metrics)
        if key not in self._known:
            name = f"the {of.granularity} report of {of.level.plural}"
            question = Question(name, of.level, GRANULARITIES[of.granularity], asked)
            listed = self._entities(ad_account_id, of.entities)
            self._known[key] = dict(self._cells(question, listed, days))
        return self._known[key]

    def items(self, ad_account_id: str, entities: type[DatasetStream]) -> Mapping[str, Item]:
        """The entities of an ad account, whatever their status, by id.

        Raises:
            FatalAPIError: They cannot be listed to their end.
        """
        settings, parts = self.settings, Parts()
        scope = Scope(self._run.inventory, settings, {"ad_account_id": ad_account_id}, parts)
        pages = self._run.inventory.items(entities.listing(settings), scope)
        found = {str(item["id"]): item for _, items in pages for item in items}
        parts.raise_if_nothing_was_read()
        parts.raise_if_any_failed()
        return found

    def _entities(self, ad_account_id: str, listing: type[DatasetStream] | None) -> Entities:
        if listing is None:
            return Entities(ad_account_id, {ad_account_id: ()})
        parts = Parts()
        found = self._run.inventory.entities(listing, self.settings, ad_account_id, parts)
        parts.raise_if_nothing_was_read()
        parts.raise_if_any_failed()
        return Entities(ad_account_id, found, (listing.id_field, *listing.parent_fields))

    def _cells(
        self, question: Question, entities: Entities, days: DateRange
    ) -> Iterator[tuple[Place, Totals]]:
        run, today, ad_account_id = self._run, self._run.clock.today, entities.ad_account_id
        may_report = question.settings.report_transport != "sync" and run.offers_reports(
            ad_account_id
        )
        ordering = Ordering(run.client, run.clock, question.settings, question.name)
        reader = Reader(question, run.client, ordering, Operation(), run.warn_once)
        rows = Rows(question, Converter(question.facts, Strays(UnknownCounts())))
        if not (entities.rows or question.level is _ACCOUNT):
            return
        parts = plan(question, entities, [days], may_report=may_report, today=today)
        own_id, is_total = question.level.own_id.lower(), question.granularity.is_total
        names = [(name, name.lower()) for name in question.settings.report_columns]
        for part in parts:
            read = functools.partial(reader.read, ad_account_id, part, run.clock)
            answered = run.read_ahead.run(read)
            for row in rows.records(answered, entities, None, days.end):
                place = str(row[own_id]), None if is_total else date.fromisoformat(row["date"])
                yield place, {name: _number(row.get(field)) for name, field in names}
        refused = self._refused.get(ad_account_id, frozenset())
        self._refused[ad_account_id] = refused | reader.refused_columns(ad_account_id)


def _attribution(settings: Settings) -> tuple[object, ...]:
    beside = (settings.attribution_types, settings.reporting_timezone)
    return (*settings.in_force.values(), *beside)


def _number(value: Any) -> Decimal:  # noqa: ANN401 - a number of JSON, or nothing
    return Decimal(str(value or 0))
