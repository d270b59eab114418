"""Reports: metrics a day of an ad account, its campaigns, ad groups and ads."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, cast

import msgspec
from typing_extensions import override

from tap_pinterest import state
from tap_pinterest.bodies import decoder
from tap_pinterest.client import SlowAnswerError, TooLargeError
from tap_pinterest.columns import LEVELS, columns_for, ids, report_facts
from tap_pinterest.conform import Converter, singer_schema
from tap_pinterest.daasity import ATTRIBUTION, SYNC_KEY_FIELDS
from tap_pinterest.mapper import SYNC_KEY, Table
from tap_pinterest.read_ahead import Task
from tap_pinterest.slices import SYNCHRONOUS, slices
from tap_pinterest.streams.ads import AdGroups, Ads, Campaigns
from tap_pinterest.streams.base import AdAccountStream, ReportStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from tap_pinterest.columns import Level
    from tap_pinterest.slices import Slice
    from tap_pinterest.state import Progress
    from tap_pinterest.streams.ads import AdsEntityStream

RESERVED_COLUMNS = frozenset(
    {
        *("date", "date_end", "start_date", "hour", "currency", SYNC_KEY, *ATTRIBUTION),
        *("targeting_type", "targeting_value"),
        *(name.lower() for level in LEVELS for name in ids(level)),
    }
)
"""Columns that are no metrics: they have the same name whatever `column_names` says."""
MOST_HALVINGS = 3
"""A slow call may be too large; one that is still slow at an eighth of the size is not."""
BYTES_PER_VALUE = 28

_split = decoder(list[msgspec.Raw])


def _taken(rows: list[msgspec.Raw]) -> Iterator[bytes]:
    """The rows in order; the list is empty at the end."""
    # Each row holds on to the whole body: none is kept longer than it takes to write it.
    rows.reverse()
    while rows:
        yield bytes(rows.pop())


class AnalyticsStream(ReportStream, AdAccountStream):
    """Metrics a day (UTC) of the entities of one level, in the account's currency.

    A record also says the currency of its amounts and the attribution settings in force. Metrics
    without a value are null: Pinterest sends none, which is not the same as zero.

    Attributes:
        level: What a row is about: a level of `columns.py`.
        entities: The stream that lists the level's entities; `None` for the ad account itself.
        id_parameter: The parameter that takes their ids.
    """

    group = "ads"
    level: ClassVar[Level]
    entities: ClassVar[type[AdsEntityStream] | None] = None
    id_parameter: ClassVar[str] = ""

    @functools.cached_property
    def columns(self) -> Sequence[str]:
        """Pinterest's names of the columns in the catalog."""
        return columns_for(self.level, self.settings.report_columns)

    @functools.cached_property
    @override
    def table(self) -> Table | None:
        if self.settings.column_names == "api":
            return super().table
        names = self.tap.column_names
        return Table(
            name=self.name,
            source=self.name,
            columns={names.get(field, field): field for field in self.own_schema()["properties"]},
            key=cast("tuple[str, ...]", type(self).primary_keys),
            sync_key_fields=SYNC_KEY_FIELDS.get(self.name, ()),
            closed=False,
        )

    @functools.cached_property
    def requested_columns(self) -> Sequence[str]:
        """Columns to ask for: the selected ones, and those that `__sync_key` is made of.

        The level's own id comes with every row, and the ad account is known.
        """
        known = {"AD_ACCOUNT_ID", self.id_column}
        wanted = [
            column
            for column in self.columns
            if column not in known and self._is_needed(self.column(column.lower()))
        ]
        return wanted or [self.id_column]

    def _is_needed(self, name: str) -> bool:
        return name in self.hashed_fields or self.mask["properties", name]

    @property
    def id_column(self) -> str:
        """The column with the level's own id."""
        return f"{self.level}_id".upper()

    @functools.cached_property
    def in_force(self) -> Mapping[str, Any]:
        """Attribution settings, as parameters of a call and as columns of a record."""
        return self.settings.in_force

    @functools.cached_property
    @override
    def fingerprint(self) -> str:
        columns = sorted(self.column(name.lower()) for name in self.requested_columns)
        return state.fingerprint({**self.in_force, **self.settings.filters, "columns": columns})

    @override
    def own_schema(self) -> dict[str, Any]:
        keys = cast("Sequence[str]", type(self).primary_keys)
        row = singer_schema(report_facts(self.columns), keys)
        beside = {
            "currency": {"type": ["string", "null"]},
            "click_window_days": {"type": ["integer", "null"]},
            "engagement_window_days": {"type": ["integer", "null"]},
            "view_window_days": {"type": ["integer", "null"]},
            "conversion_report_time": {"type": ["string", "null"]},
        }
        first = {name: row["properties"][name] for name in (*keys, "ad_account_id")}
        return {**row, "properties": first | beside | row["properties"]}

    @functools.cached_property
    @override
    def convert(self) -> Converter:
        return Converter(report_facts(self.columns), self.summary.unknowns)

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        yield from super().get_records(context)
        self._keep_column_names()

    def _keep_column_names(self) -> None:
        if self.settings.column_names == "display":
            named = self.tap.column_names
            fields = (name.lower() for name in self.columns)
            names = {field: named[field] for field in fields if field in named}
            state.keep_column_names(self.tap.memory, names)

    @override
    def rows(self, context: Context, progress: Progress) -> Iterator[dict[str, Any]]:
        ad_account_id = context["ad_account_id"]
        entities = self._entities(ad_account_id)
        completed = self._completer(ad_account_id, entities)
        for rows in self.tap.read_ahead.in_order(self._tasks(ad_account_id, entities, progress)):
            yield from self.finished_once(map(completed, map(self.convert.read, _taken(rows))))

    def _entities(self, ad_account_id: str) -> Mapping[str, tuple[str, ...]]:
        if self.entities is None:
            return {ad_account_id: ()}
        return self.inventory.entities(self.entities.listing(self.settings), ad_account_id)

    def _completer(
        self, ad_account_id: str, entities: Mapping[str, tuple[str, ...]]
    ) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """Adds to a row what is known beside it: account, currency, settings, parents' ids."""
        account = self.inventory.ad_accounts.get(ad_account_id, {})
        beside = {
            "ad_account_id": ad_account_id,
            "currency": account.get("currency"),
            **self.in_force,
        }
        id_field = self.id_column.lower()
        parents = [
            (index, field)
            for index, field in enumerate(self.entities.parent_fields if self.entities else (), 1)
            if self.column(field) in self.schema["properties"]
        ]

        def complete(row: dict[str, Any]) -> dict[str, Any]:
            row.update(beside)
            known = entities.get(row[id_field])
            for index, field in parents:
                if row[field] is None and known:
                    row[field] = known[index] or None
            return row

        return complete

    def _tasks(
        self, ad_account_id: str, entities: Mapping[str, tuple[str, ...]], progress: Progress
    ) -> Iterator[Task[list[msgspec.Raw]]]:
        ids = list(entities)
        for dates in self.days_to_read(progress):
            for each in slices(
                dates,
                ids,
                rows=self.settings.slice_rows,
                max_ids=self._ids_in_a_call(ad_account_id, ids),
                max_days=SYNCHRONOUS.days,
            ):
                yield Task(
                    functools.partial(self._request, ad_account_id, each),
                    expected_bytes=each.rows * len(self.requested_columns) * BYTES_PER_VALUE,
                )

    def _ids_in_a_call(self, ad_account_id: str, ids: Sequence[str]) -> int:
        """As many ids as the parameter takes and the URL has room for."""
        if self.entities is None:
            return 1
        today = self.clock.today.isoformat()
        query = {**self._query(), "start_date": today, "end_date": today}
        rest = self.tap.client.url(self.path, ids={"ad_account_id": ad_account_id}, query=query)
        each = len(f"&{self.id_parameter}=") + max(map(len, ids), default=0)
        return max(min((SYNCHRONOUS.url_bytes - len(rest)) // each, SYNCHRONOUS.ids), 1)

    def _query(self) -> dict[str, Any]:
        return {"granularity": "DAY", "columns": self.requested_columns, **self.in_force}

    def _request(self, ad_account_id: str, part: Slice, halvings: int = 0) -> list[msgspec.Raw]:
        """The rows of a slice; one that is too large or too slow is read in halves."""
        halves = part.halves()
        may_split = halves is not None and halvings < MOST_HALVINGS
        query = {
            **self._query(),
            "start_date": part.dates.start.isoformat(),
            "end_date": part.dates.end.isoformat(),
        }
        if self.entities is not None:
            query[self.id_parameter] = part.ids
        try:
            return self.tap.client.get(
                self.path,
                _split,
                ids={"ad_account_id": ad_account_id},
                query=query,
                split_instead=may_split,
            )
        except (TooLargeError, SlowAnswerError) as error:
            if halves is None or (isinstance(error, SlowAnswerError) and not may_split):
                raise
            return [
                row for half in halves for row in self._request(ad_account_id, half, halvings + 1)
            ]


class AdAccountAnalytics(AnalyticsStream):
    """Metrics of an ad account on one day.

    Source: GET /ad_accounts/{ad_account_id}/analytics.
    """

    name = "ad_account_analytics"
    path = "/ad_accounts/{ad_account_id}/analytics"
    level = "ad_account"
    primary_keys = ("ad_account_id", "date")


class CampaignAnalytics(AnalyticsStream):
    """Metrics of a campaign on one day.

    Source: GET /ad_accounts/{ad_account_id}/campaigns/analytics.
    """

    name = "campaign_analytics"
    path = "/ad_accounts/{ad_account_id}/campaigns/analytics"
    level = "campaign"
    primary_keys = ("campaign_id", "date")
    entities = Campaigns
    id_parameter = "campaign_ids"


class AdGroupAnalytics(AnalyticsStream):
    """Metrics of an ad group on one day.

    Source: GET /ad_accounts/{ad_account_id}/ad_groups/analytics.
    """

    name = "ad_group_analytics"
    path = "/ad_accounts/{ad_account_id}/ad_groups/analytics"
    level = "ad_group"
    primary_keys = ("ad_group_id", "date")
    entities = AdGroups
    id_parameter = "ad_group_ids"


class AdAnalytics(AnalyticsStream):
    """Metrics of an ad on one day.

    Source: GET /ad_accounts/{ad_account_id}/ads/analytics.
    """

    name = "ad_analytics"
    path = "/ad_accounts/{ad_account_id}/ads/analytics"
    level = "ad"
    primary_keys = ("ad_id", "date")
    entities = Ads
    id_parameter = "ad_ids"
