"""Fresh numbers from Pinterest: totals of an ad account, and the rows of a level by day."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from tap_pinterest.api.columns import AccountColumns
from tap_pinterest.api.levels import ID_FILTERS, LEVELS, Level
from tap_pinterest.api.periods import GRANULARITIES, DateRange
from tap_pinterest.config import Settings
from tap_pinterest.reading.calls import Scope
from tap_pinterest.reading.pages import Item
from tap_pinterest.reading.parts import Parts
from tap_pinterest.reconcile.findings import Cells, Place, Totals
from tap_pinterest.records.conform import Converter
from tap_pinterest.records.strays import Strays, UnknownCounts
from tap_pinterest.reports.ordering import Ordering
from tap_pinterest.reports.plan import Entities, plan
from tap_pinterest.reports.question import Question
from tap_pinterest.reports.reader import Reader
from tap_pinterest.reports.rows import Rows
from tap_pinterest.run.run import Run
from tap_pinterest.streams.bases.dataset import DatasetStream

NO_FILTERS: Mapping[str, Any] = dict.fromkeys(
    (*ID_FILTERS, "entity_statuses", "targeting_types"), ()
)


class Detail(NamedTuple):
    """The detail of a question: the level and the granularity of its rows.

    Attributes:
        entities: The stream that lists the entities; `None` for the ad account itself.
    """

    level: Level
    entities: type[DatasetStream] | None
    granularity: str


_OF_ACCOUNT = Detail(LEVELS["ad_account"], None, "TOTAL")


class Fresh:
    """Asks Pinterest about one ad account with the tap's own calls, and remembers the answers.

    Attributes:
        settings: The settings in force, without filters.
        entity_statuses: The statuses that the config reads; empty for all but drafts.
    """

    def __init__(self, run: Run, ad_account_id: str, days: DateRange) -> None:
        self.ad_account_id = ad_account_id
        self.days = days
        self.settings = dataclasses.replace(run.settings, **NO_FILTERS)
        self.entity_statuses = run.settings.entity_statuses
        self._run = run
        self._known: dict[tuple[object, ...], Cells] = {}
        self._refused: frozenset[str] = frozenset()

    def totals(self, settings: Settings, metrics: Iterable[str]) -> Totals:
        """The numbers of the ad account over all days, entities of every status included."""
        found = self.cells(_OF_ACCOUNT, self.days, settings, metrics)
        return found.get((self.ad_account_id, None), {})

    def obstacle(self, metric: str) -> str:
        """Why a metric that was asked for cannot be compared; empty if it can."""
        return "Pinterest refuses it for the ad account" if metric in self._refused else ""

    def cells(
        self, of: Detail, days: DateRange, settings: Settings, metrics: Iterable[str]
    ) -> Cells:
        """The numbers of each entity of a level, by day or over all days."""
        asked = dataclasses.replace(settings, report_columns=tuple(metrics))
        key = (of.level.name, of.granularity, days, _attribution(asked), asked.report_columns)
        if key not in self._known:
            name = f"the {of.granularity} report of {of.level.plural}"
            # Pinterest may list metrics, and Ads Manager show them, that the tap does not know.
            known = AccountColumns(synchronous=frozenset(asked.report_columns))
            period = GRANULARITIES[of.granularity]
            question = Question(name, of.level, period, asked, account=known)
            self._known[key] = dict(self._read(question, self._entities(of.entities), days))
        return self._known[key]

    def items(self, entities: type[DatasetStream]) -> Mapping[str, Item]:
        """The entities of every status, by id.

        Raises:
            FatalAPIError: Not all of them can be listed.
        """
        inventory, context = self._run.inventory, {"ad_account_id": self.ad_account_id}
        with _all_parts() as parts:
            scope = Scope(inventory, self.settings, context, parts)
            pages = inventory.items(entities.listing(self.settings), scope)
            return {str(item["id"]): item for _, items in pages for item in items}

    def _entities(self, listing: type[DatasetStream] | None) -> Entities:
        account = self.ad_account_id
        if listing is None:
            return Entities(account, {account: ()})
        with _all_parts() as parts:
            found = self._run.inventory.entities(listing, self.settings, account, parts)
        return Entities(account, found, (listing.id_field, *listing.parent_fields))

    def _read(
        self, question: Question, entities: Entities, days: DateRange
    ) -> Iterator[tuple[Place, Totals]]:
        if question.level.is_listed and not entities.rows:
            return
        run, ad_account_id = self._run, self.ad_account_id
        is_sync = question.settings.report_transport == "sync"
        may_report = not is_sync and run.offers_reports(ad_account_id)
        ordering = Ordering(run.client, run.clock, question.settings, question.name)
        reader = Reader(question, run.client, ordering, run.warn_once)
        rows = Rows(question, Converter(question.facts, Strays(UnknownCounts())))
        parts = plan(question, entities, [days], may_report=may_report, today=run.clock.today)
        own_id, is_total = question.level.own_id.lower(), question.granularity.is_total
        names = [(name, name.lower()) for name in question.settings.report_columns]
        for part in parts:
            read = functools.partial(reader.read, ad_account_id, part, run.clock)
            answered = run.read_ahead.run(read)
            for row in rows.records(answered, entities, None, days.end):
                place = str(row[own_id]), None if is_total else date.fromisoformat(row["date"])
                yield place, {name: _number(row.get(field)) for name, field in names}
        self._refused |= reader.refused_columns(ad_account_id)


@contextmanager
def _all_parts() -> Iterator[Parts]:
    """Fail if any part of a list cannot be read."""
    parts = Parts()
    yield parts
    parts.raise_if_nothing_was_read()
    parts.raise_if_any_failed()


def _attribution(settings: Settings) -> tuple[object, ...]:
    beside = (settings.attribution_types, settings.reporting_timezone)
    return (*settings.attribution.values(), *beside)


def _number(value: Any) -> Decimal:  # noqa: ANN401 - a number of JSON, or nothing
    return Decimal(str(value or 0))
