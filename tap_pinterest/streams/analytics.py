"""Reports: metrics of an ad account and what is in it, by day, hour, week, month or in all."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias, cast

import msgspec
from singer_sdk.exceptions import FatalAPIError, SkippableAPIError
from typing_extensions import override

from tap_pinterest import api, state, targeting
from tap_pinterest.bodies import decoder
from tap_pinterest.calls import Expected
from tap_pinterest.client import NotOfferedError, SlowAnswerError, TooLargeError
from tap_pinterest.columns import (
    LEVELS,
    OWN_ID,
    SAME_ID,
    columns_for,
    ids,
    is_conversion,
    only_asynchronous,
    only_synchronous,
    report_facts,
)
from tap_pinterest.custom_reports import event_column
from tap_pinterest.daasity import ATTRIBUTION, SYNC_KEY_FIELDS
from tap_pinterest.mapper import SYNC_KEY, Table
from tap_pinterest.read_ahead import Ahead, Task, with_pauses
from tap_pinterest.slices import (
    ASYNCHRONOUS,
    ASYNCHRONOUS_HOURS,
    HOURS,
    ONE_DAY,
    PRODUCT_ITEMS,
    REPORT_ROWS,
    SYNCHRONOUS,
    SYNCHRONOUS_HOURS,
    DateRange,
    Slice,
    cut,
    first_day,
    last_day,
    merged,
    slices,
)
from tap_pinterest.state import Progress
from tap_pinterest.streams.ads import AdGroups, Ads, Campaigns, ProductGroupPromotions
from tap_pinterest.streams.base import AdAccountStream, ReportStream
from tap_pinterest.streams.reports import (
    POLLS,
    REPORTS,
    Operation,
    Order,
    Reports,
    upper_case,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from tap_pinterest.columns import Level
    from tap_pinterest.config import Settings
    from tap_pinterest.custom_reports import CustomReport
    from tap_pinterest.slices import Granularity, ReportLimits
    from tap_pinterest.state import ReportRange
    from tap_pinterest.streams.ads import AdsEntityStream
    from tap_pinterest.tap import TapPinterest

    _Steps: TypeAlias = Generator[float, None, "Answered"]

RESERVED_COLUMNS = frozenset(
    {
        *("date", "date_end", "start_date", "hour", "currency", SYNC_KEY, *ATTRIBUTION),
        *("attribution_types", "reporting_timezone", "targeting_type", "targeting_value"),
        *(name.lower() for level in LEVELS for name in ids(level)),
    }
)
"""Columns that are no metrics: they have the same name whatever `column_names` says."""
MOST_HALVINGS = 3
"""A slow call may be too large; one that is still slow at an eighth of the size is not."""
BYTES_PER_VALUE = 28
MOST_COLUMNS_TOLD = 25
MOST_CALLS = 100
"""A range of an account that takes more synchronous calls is asked for as reports."""
VALUES_OF_A_TYPE = 10
"""Rows for each entity and period that a targeting type is expected to have."""
SETTLED_HOURS_AFTER = 2
"""Days after which hours, which have no conversions, do not change any more."""

PERIOD_KEYS: Mapping[str, tuple[str, ...]] = {
    "DAY": ("date",),
    "HOUR": ("date", "hour"),
    "WEEK": ("date",),
    "MONTH": ("date",),
    "TOTAL": ("start_date", "date"),
}
"""Key properties that say which period a row is of."""

_NEVER_ASKED = frozenset({"KEYWORD_ID", "PRODUCT_ITEM_ID"})
"""Ids that come with the rows, and are no columns that one could ask for."""

_split = decoder(list[msgspec.Raw])
_decode_row = decoder(dict[str, Any])


class _Data(msgspec.Struct):
    data: list[msgspec.Raw]


_decode_data = decoder(_Data)


def _split_data(body: bytes) -> list[msgspec.Raw]:
    return _decode_data(body).data


def _taken(rows: list[msgspec.Raw]) -> Iterator[bytes]:
    """The rows in order; the list is empty at the end."""
    # Each row holds on to the whole body: none is kept longer than it takes to write it.
    rows.reverse()
    while rows:
        yield bytes(rows.pop())


@dataclass(frozen=True)
class Part:
    """What one call or one report reads."""

    slice: Slice
    asynchronous: bool = False


@dataclass(frozen=True)
class Answered:
    """The rows that came for a part of a report, as JSON."""

    part: Part
    rows: Iterable[bytes]


@dataclass
class Reading:
    """What a run reads of a report in one context.

    Attributes:
        progress: How far earlier runs have come.
        range: The days that this one wants.
        ranges: Those of them that it reads.
        entities: What is reported on, each with its parents' ids.
        parts: The calls and reports that read it, in order.
    """

    progress: Progress
    range: ReportRange
    ranges: Sequence[DateRange]
    entities: Mapping[str, tuple[str, ...]]
    parts: Sequence[Part]


class AnalyticsStream(ReportStream, AdAccountStream):
    """Metrics of the entities of one level, in the account's currency.

    A record also says the currency of its amounts and the attribution settings in force. Metrics
    without a value are null: Pinterest sends none, which is not the same as zero.

    Attributes:
        level: What a row is about: a level of `columns.py`.
        report_level: The same as asynchronous reports name it; empty if they do not have it.
        entities: The stream that lists the level's entities; `None` for the ad account itself,
            and for what cannot be listed.
        id_parameter: The parameter that takes their ids.
        operation: Where asynchronous reports are created and polled.
        broken_down: Whether rows are of a type of breakdown and a value of it.
        dimensions: Columns that say of which: the type first.
    """

    group = "ads"
    level: Level
    report_level: str = ""
    entities: type[AdsEntityStream] | None = None
    id_parameter: str = ""
    operation: ClassVar[Operation] = Operation()
    broken_down: ClassVar[bool] = False
    dimensions: ClassVar[Sequence[str]] = ()

    def __init__(
        self,
        tap: TapPinterest,
        name: str | None = None,
        granularity: Granularity = "DAY",
        custom: CustomReport | None = None,
    ) -> None:
        """A report by periods of a length; each but days has a stream of its own.

        One that the config defines has its own name, and settings that differ from the tap's.
        """
        self.granularity: Granularity = granularity
        self.custom = custom
        suffix = "" if granularity == "DAY" else f"_{granularity.lower()}"
        super().__init__(tap, name=name or f"{type(self).name}{suffix}")
        if self.table is None:
            self.primary_keys = self.natural_keys
        if granularity == "TOTAL":
            self.replication_key = None  # type: ignore[assignment]
        self._readings: dict[str, Reading] = {}
        self._refused_types: set[tuple[str, str]] = set()
        self._without_reports: set[str] = set()

    @functools.cached_property
    @override
    def settings(self) -> Settings:
        """The settings in force for this report."""
        if self.custom is None:
            return self.tap.settings
        columns = self.custom.columns or self.tap.settings.report_columns
        return replace(self.tap.settings, report_columns=columns, **self.custom.settings)

    @classmethod
    @override
    def variants(cls, tap: TapPinterest) -> Sequence[AnalyticsStream]:
        return [cls(tap, granularity=each) for each in tap.settings.granularities]

    @classmethod
    @override
    def possible_names(cls) -> Sequence[str]:
        return [cls.name, *(f"{cls.name}_{each.lower()}" for each in PERIOD_KEYS)]

    @property
    @override
    def natural_keys(self) -> Sequence[str]:
        *others, _ = cast("Sequence[str]", type(self).primary_keys)
        return (*others, *PERIOD_KEYS[self.granularity])

    @functools.cached_property
    def columns(self) -> Sequence[str]:
        """Pinterest's names of the columns in the catalog."""
        names = columns_for(self.level, self.settings.report_columns)
        if self.custom and isinstance(self.custom.columns, tuple):
            # Named for this level: whether it has them is for Pinterest to say.
            names = tuple(dict.fromkeys((*ids(self.level), *self.custom.columns)))
        if self.granularity == "HOUR":
            return [name for name in names if not is_conversion(name)]
        return names

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
            key=tuple(self.natural_keys),
            sync_key_fields=SYNC_KEY_FIELDS.get(self.name, ()),
            closed=False,
        )

    @functools.cached_property
    def requested_columns(self) -> Sequence[str]:
        """Columns that are wanted: the selected ones, and those that `__sync_key` is made of.

        The level's own id comes with every row, and the ad account is known.
        """
        known = {"AD_ACCOUNT_ID", self.id_column}
        return [
            column
            for column in self.columns
            if column not in known and self._is_needed(self.column(column.lower()))
        ]

    def _asked(self, *, asynchronous: bool) -> Sequence[str]:
        """Columns to ask for: of those that are wanted, the ones that the transport has.

        The level's own id is asked for where it is not said to come by itself; something has to
        be asked for in any case.
        """
        missing = (only_synchronous if asynchronous else only_asynchronous)(self.columns)
        known = api.enum("columns_async" if asynchronous else "columns_sync")
        asked = [name for name in self.requested_columns if name not in missing]
        own = [name for name in (self.id_column, "AD_ACCOUNT_ID") if name in known][:1]
        by_itself = not (asynchronous or self.broken_down)
        asked = asked if by_itself else [*own, *asked]
        return [name for name in asked if name not in _NEVER_ASKED] or own

    def _is_needed(self, name: str) -> bool:
        return name in self.hashed_fields or self.mask["properties", name]

    @property
    def id_column(self) -> str:
        """The column with the level's own id."""
        return OWN_ID[self.level]

    @functools.cached_property
    def types(self) -> Sequence[str]:
        """Targeting types to read; none but for breakdowns."""
        if not self.broken_down:
            return ()
        return targeting.chosen(self.level, self.settings.targeting_types)

    @functools.cached_property
    def only_asynchronous(self) -> bool:
        """Whether only asynchronous reports have what is wanted."""
        if self.path == self.operation.poll:
            return True
        if not self.report_level:
            return False
        if self.body:
            return True
        if self.settings.attribution_types and "attribution_types" not in self._known_to_calls:
            return True
        wanted = [name for name in self.columns if name not in ids(self.level)]
        return self.settings.report_transport == "async" or bool(only_asynchronous(wanted))

    @property
    def _known_to_calls(self) -> Mapping[str, Any]:
        """The parameters of synchronous calls."""
        return api.operation(f"GET {self.path}").parameters

    @property
    def body(self) -> Mapping[str, Any]:
        """What the order of a report says beside what synchronous calls say too."""
        return self.custom.body if self.custom else {}

    @functools.cached_property
    def in_force(self) -> Mapping[str, Any]:
        """Attribution settings, as columns of a record."""
        return {
            name: ",".join(sorted(value)) if isinstance(value, tuple) else value
            for name, value in self.attribution.items()
        }

    @property
    def attribution(self) -> Mapping[str, Any]:
        """Attribution settings, as parameters."""
        return {**self.settings.in_force, **self.sent_if_set}

    @functools.cached_property
    def sent_if_set(self) -> Mapping[str, Any]:
        """Settings that are sent only if they are set, and whichever way the report comes."""
        if self.only_asynchronous:
            known = api.schema("AdsAnalyticsCreateAsyncRequest")["properties"]
        else:
            known = self._known_to_calls
        names = ("attribution_types", "reporting_timezone")
        return {
            name: value
            for name in names
            if name in known and (value := getattr(self.settings, name))
        }

    @functools.cached_property
    @override
    def fingerprint(self) -> str:
        columns = sorted(self.column(name.lower()) for name in self.requested_columns)
        filters = {name: sorted(ids) for name, ids in self.settings.filters.items()}
        shape = {**self.in_force, **filters, "columns": columns}
        if self.types:
            shape["targeting_types"] = sorted(self.types)
        if self.body:
            shape["report"] = self.body
        return state.fingerprint(shape)

    @functools.cached_property
    @override
    def facts(self) -> Mapping[str, Any]:
        """The facts of a row, in the API's names."""
        day = {"type": "string", "format": "date"}
        facts = dict(report_facts(self.columns)["properties"])
        if self.granularity == "HOUR":
            facts["HOUR"] = {"type": "integer"}
        if self.granularity == "TOTAL":
            facts["START_DATE"] = day
        for name in self.custom.event_columns if self.custom else ():
            facts[name] = {"type": "number"}
        facts |= {name: {"type": "string"} for name in self.dimensions}
        return {"type": "object", "properties": facts}

    @override
    def own_schema(self) -> dict[str, Any]:
        keys = self.natural_keys
        row = super().own_schema()
        integer, text = {"type": ["integer", "null"]}, {"type": ["string", "null"]}
        beside: dict[str, Any] = {"currency": text}
        if self.granularity in {"WEEK", "MONTH"}:
            beside = {"date_end": {**text, "format": "date"}, **beside}
        beside |= {
            name: integer if isinstance(value, int) else text
            for name, value in self.in_force.items()
        }
        first = {name: row["properties"][name] for name in (*keys, "ad_account_id")}
        return {**row, "properties": first | beside | row["properties"]}

    @override
    def contexts(self) -> list[dict[str, Any]] | None:
        if self.broken_down and not self.types:
            self.logger.info("%s has none of the targeting_types", self.name)
            return []
        return super().contexts()

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        if context is None:
            return
        tasks, following = self.tasks(context), self.tap.following(self, context)
        for answered in self.tap.read_ahead.in_order(tasks, self.turn(context), following):
            yield from self.records(context, answered)
        self.summary.read(asked=bool(self.reading(context).parts))
        self._remember(context)

    @override
    def ranges(self, context: Context | None) -> Sequence[DateRange]:
        return self.reading(context or {}).ranges

    @override
    def expected(self, context: Context | None) -> Iterator[Expected]:
        parts = self.reading(context or {}).parts
        reports = sum(part.asynchronous for part in parts)
        if reports:
            yield Expected(api.operation(f"POST {self.operation.create}").category, reports)
            polled = api.operation(f"GET {self.operation.poll}").category
            yield Expected(polled, reports * POLLS, precision="about")
        if calls := len(parts) - reports:
            yield Expected(api.operation(f"GET {self.path}").category, calls)

    @override
    def ahead(self, context: Context | None) -> Ahead[Any] | None:
        if context is None:
            return None
        return Ahead(self.turn(context), functools.partial(self.tasks, context))

    @property
    @override
    def lists(self) -> Iterator[str]:
        if self.entities:
            yield self.entities.path
            yield from (parent.path for parent in self.entities.parents())
        elif self.settings.filters:
            yield AdGroups.path

    def tasks(self, context: Mapping[str, Any]) -> Iterator[Task[Answered]]:
        """What has to be done to read a context, in the order of its records."""
        ad_account_id = context["ad_account_id"]
        self._readings.pop(ad_account_id, None)
        begun = self._begun(ad_account_id, self.reading(context))
        reading = self.reading(context)
        self.warn_of_new_settings(reading.progress, reading.range.earliest)
        self._note_ranges(reading)
        for part in reading.parts:
            if part.asynchronous:
                steps = begun.pop(part, None) or self._report(ad_account_id, part)
                yield Task(with_pauses(steps))
            else:
                size = part.slice.rows * len(self.requested_columns) * BYTES_PER_VALUE
                run = functools.partial(self._call, ad_account_id, part)
                yield Task(run, expected_bytes=size)

    def records(self, context: Mapping[str, Any], answered: Answered) -> Iterator[dict[str, Any]]:
        """The records that the result of one of the tasks holds."""
        ad_account_id = context["ad_account_id"]
        part = answered.part
        if part.asynchronous or self.broken_down or part.slice.within or self.granularity != "DAY":
            shaped = functools.partial(self._shaped, part)
            converted = map(self.convert, map(shaped, map(_decode_row, answered.rows)))
        else:
            converted = map(self.convert.read, answered.rows)
        complete = self._completer(ad_account_id, self.reading(context).entities)
        yield from self.finished_once(map(complete, converted))

    def reading(self, context: Mapping[str, Any]) -> Reading:
        """What is read of a context in this run; the same until the context is read to its end."""
        ad_account_id = context["ad_account_id"]
        if ad_account_id not in self._readings:
            self._readings[ad_account_id] = self._planned(context)
        return self._readings[ad_account_id]

    def _planned(self, context: Mapping[str, Any]) -> Reading:
        ad_account_id = context["ad_account_id"]
        may_report = self._may_report(ad_account_id)
        wanted = self.tap.report_range(
            self,
            days_back=self._limits(asynchronous=may_report).days_back,
            lookback_days=self._lookback_days,
            granularity=self.granularity,
            what=self._what_is_kept(may_report=may_report),
        )
        if self.granularity == "TOTAL":
            progress, ranges = Progress(), [wanted.days]
        else:
            progress = Progress.of(self.remembered.of(context) or {})
            ranges = wanted.to_read(progress, self.fingerprint)
        entities = self._entities(ad_account_id)
        parts = [
            part
            for dates in ranges
            if dates.start <= dates.end
            for part in self._cut(ad_account_id, entities, dates, may_report=may_report)
        ]
        # What Pinterest takes a while to prepare is ordered first.
        parts.sort(key=lambda part: not part.asynchronous)
        return Reading(progress, wanted, ranges, entities, parts)

    @property
    def _lookback_days(self) -> int:
        if self.granularity == "HOUR" and self.settings.lookback_days is None:
            return SETTLED_HOURS_AFTER
        return self.settings.attribution_lookback

    def _limits(self, *, asynchronous: bool) -> ReportLimits:
        if self.granularity == "HOUR":
            return ASYNCHRONOUS_HOURS if asynchronous else SYNCHRONOUS_HOURS
        if self.level == "product_item":
            return PRODUCT_ITEMS
        return ASYNCHRONOUS if asynchronous else SYNCHRONOUS

    def _what_is_kept(self, *, may_report: bool) -> str:
        if self.granularity == "HOUR":
            return "reports by hour"
        if self.level == "product_item":
            return "reports of product items"
        return "these reports" if may_report else "reports that are read synchronously"

    def _may_report(self, ad_account_id: str) -> bool:
        """Whether asynchronous reports are an option."""
        if self.only_asynchronous:
            return True
        if not self.report_level or self.settings.report_transport == "sync":
            return False
        return ad_account_id not in self._without_reports and self.tap.offers_reports(ad_account_id)

    def _cut(
        self,
        ad_account_id: str,
        entities: Mapping[str, tuple[str, ...]],
        dates: DateRange,
        *,
        may_report: bool,
    ) -> list[Part]:
        """The parts that read a range of days, synchronous, asynchronous or both."""
        if not may_report:
            return self._calls(ad_account_id, entities, dates, self.types)
        reports = self._reports(ad_account_id, entities, dates)
        if self.only_asynchronous:
            return reports
        near, far = self._near_and_far(dates)
        calls = self._calls(ad_account_id, entities, near, self.types) if near else []
        older = self._reports(ad_account_id, entities, far) if far else []
        if self.settings.access_tier == "trial":
            cheaper = len(calls) + (1 + POLLS) * len(older) <= (1 + POLLS) * len(reports)
        else:
            cheaper = len(calls) <= MOST_CALLS
        if near and cheaper:
            return older + calls
        others = [name for name in self.types if name not in targeting.asynchronous(self.level)]
        if near and others:
            return reports + self._calls(ad_account_id, entities, near, others)
        return reports

    def _near_and_far(self, dates: DateRange) -> tuple[DateRange | None, DateRange | None]:
        """The periods within reach of synchronous calls, and those before them."""
        days_back = self._limits(asynchronous=False).days_back
        reach = self.clock.today - ONE_DAY * days_back
        if dates.start >= reach:
            return dates, None
        if self.granularity == "TOTAL" or dates.end < reach:
            return None, dates
        start = first_day(reach, self.granularity)
        if start < reach:
            start = last_day(reach, self.granularity) + ONE_DAY
        far = DateRange(dates.start, start - ONE_DAY)
        return (DateRange(start, dates.end) if start <= dates.end else None), far

    def _calls(
        self,
        ad_account_id: str,
        entities: Mapping[str, tuple[str, ...]],
        dates: DateRange,
        types: Sequence[str],
    ) -> list[Part]:
        """The synchronous calls for a range of days."""
        limits = self._limits(asynchronous=False)
        self._refuse_long_total(dates, limits)
        types = [name for name in types if name in targeting.synchronous(self.level)]
        groups = targeting.groups(types, targeting.most_in_a_call(self.level)) if types else [()]
        return [
            Part(replace(each, within=within))
            for group in groups
            for within, listed in self._batches(entities)
            for each in slices(
                dates,
                listed,
                rows=self.settings.slice_rows,
                max_ids=self._ids_in_a_call(ad_account_id, listed, group),
                max_days=limits.days,
                types=group,
                granularity=self.granularity,
            )
        ]

    def _batches(
        self, entities: Mapping[str, tuple[str, ...]]
    ) -> Iterable[tuple[str, Sequence[str]]]:
        """Ids that may share a call, with the id of what they are in if the call names it."""
        return [("", list(entities))]

    def _reports(
        self, ad_account_id: str, entities: Mapping[str, tuple[str, ...]], dates: DateRange
    ) -> list[Part]:
        """The asynchronous reports for a range of days.

        A report needs no ids; with filters in force it gets those that they leave.
        """
        limits = self._limits(asynchronous=True)
        self._refuse_long_total(dates, limits)
        groups = self.groups_of_types()
        types = [name for group in groups for name in group]
        self._warn_of_synchronous_types(types, dates)
        if self.broken_down and not types:
            return []
        listed = self._filtered(ad_account_id, entities)
        parts = []
        for group in groups:
            rows = REPORT_ROWS // (VALUES_OF_A_TYPE if group else 1)
            if listed is None:
                hours = HOURS if self.granularity == "HOUR" else 1
                of_a_period = max(len(entities), 1) * hours * max(len(group), 1)
                longest = max((cut(dates, 1, self.granularity)), key=lambda each: each.days).days
                days = min(limits.days, max(rows // of_a_period, 1) * longest)
                pieces = cut(dates, days, self.granularity)
                found = [Slice(each, (), group, self.granularity) for each in pieces]
            else:
                found = slices(
                    dates,
                    listed,
                    rows=rows,
                    max_ids=limits.ids,
                    max_days=limits.days,
                    types=group,
                    granularity=self.granularity,
                )
            parts += [Part(each, asynchronous=True) for each in found]
        return parts

    def groups_of_types(self) -> Sequence[tuple[str, ...]]:
        """The types of breakdown that reports have, as many as one takes in each group."""
        types = [name for name in self.types if name in targeting.asynchronous(self.level)]
        if self.custom and self.custom.combines_types:
            return [tuple(types)]
        return targeting.groups(types, targeting.most_in_a_report()) if types else [()]

    def _filtered(
        self, ad_account_id: str, entities: Mapping[str, tuple[str, ...]]
    ) -> Sequence[str] | None:
        """Ids that filters leave; `None` where they leave all."""
        if not self.settings.filters or not self.report_id_parameter:
            return None
        if self.entities is not None:
            return list(entities)
        return list(self.inventory.entities(AdGroups, self.settings, ad_account_id))

    @property
    def report_id_parameter(self) -> str:
        """The field of a report's order that takes ids."""
        return self.id_parameter

    def _refuse_long_total(self, dates: DateRange, limits: ReportLimits) -> None:
        if self.granularity == "TOTAL" and dates.days > limits.days:
            msg = (
                f"{self.name}: a total of {dates} is of {dates.days} days, and Pinterest adds up "
                f"{limits.days} at most; give another start_date or end_date"
            )
            raise NotOfferedError(msg)

    def _warn_of_synchronous_types(self, types: Sequence[str], dates: DateRange) -> None:
        others = [name for name in self.types if name not in types]
        near = None if self.only_asynchronous else self._near_and_far(dates)[0]
        if others and (near is None or near.start > dates.start):
            since = f"from {near.start} on only" if near else "not at all"
            self.tap.warn_once(
                f"{self.name}: asynchronous reports do not break down by {' and '.join(others)}; "
                f"of {dates} these are read {since}"
            )

    def _ids_in_a_call(
        self, ad_account_id: str, ids: Sequence[str], types: Sequence[str] = ()
    ) -> int:
        """As many ids as the parameter takes and the URL has room for."""
        if not self.id_parameter:
            return 1
        today = self.clock.today
        example = Slice(DateRange(today, today), (), tuple(types), within="9" * 18)
        query = self._query(example)
        rest = self.tap.client.url(self.path, ids={"ad_account_id": ad_account_id}, query=query)
        each = len(f"&{self.id_parameter}=") + max(map(len, ids), default=0)
        most = api.operation(f"GET {self.path}").parameters[self.id_parameter].max_items
        return max(min((SYNCHRONOUS.url_bytes - len(rest)) // each, most or SYNCHRONOUS.ids), 1)

    def _entities(self, ad_account_id: str) -> Mapping[str, tuple[str, ...]]:
        if self.level == "ad_account":
            return {ad_account_id: ()}
        if self.entities is None:
            return {}
        return self.inventory.entities(self.entities, self.settings, ad_account_id)

    def _query(self, part: Slice) -> dict[str, Any]:
        query = {
            "start_date": part.dates.start.isoformat(),
            "end_date": part.dates.end.isoformat(),
            "granularity": self.granularity,
            "columns": self._asked(asynchronous=False),
            **self.attribution,
        }
        if part.types:
            query["targeting_types"] = part.types
        if part.ids and self.id_parameter:
            query[self.id_parameter] = part.ids
        return query

    def order_of(self, part: Slice) -> dict[str, Any]:
        """What the order of a report says."""
        body = {
            "start_date": part.dates.start.isoformat(),
            "end_date": part.dates.end.isoformat(),
            "granularity": self.granularity,
            "level": self.report_level,
            "columns": self._asked(asynchronous=True),
            **self.attribution,
        }
        if part.types:
            body["targeting_types"] = part.types
        if part.ids:
            body[self.report_id_parameter] = part.ids
        return {**body, **self.body}

    def _begun(
        self, ad_account_id: str, reading: Reading
    ) -> dict[Part, Generator[float, None, Answered]]:
        """The first report, once Pinterest has taken the order; none if there is none.

        Where reports are refused, what is in reach of synchronous calls is read with these.

        Raises:
            SkippableAPIError: They are refused, and there is no other way.
        """
        first = next((part for part in reading.parts if part.asynchronous), None)
        if first is None:
            return {}
        steps = self._report(ad_account_id, first)
        order, for_all = functools.partial(next, steps), self._asks_for_what_all_have(first)
        try:
            if self.operation == Operation():
                pause = self.tap.grants.ask(ad_account_id, order, for_all=for_all)
            else:
                pause = order()
        except StopIteration as end:
            return {first: _again(0.0, _just(end.value))}
        except SkippableAPIError as refusal:
            if self.only_asynchronous:
                raise
            self._do_without_reports(ad_account_id, refusal)
            return {}
        return {first: _again(pause, steps)}

    def _asks_for_what_all_have(self, part: Part) -> bool:
        """Whether nothing in a report is of the kind that is refused by itself."""
        in_beta = {*part.slice.types} & {*targeting.BETA}
        return not (self.custom or self.sent_if_set or in_beta)

    def _do_without_reports(self, ad_account_id: str, refusal: SkippableAPIError) -> None:
        """Read an ad account by calls, as far as they reach, and say so once."""
        self._without_reports.add(ad_account_id)
        self._readings.pop(ad_account_id)
        whose = "" if self.tap.grants.refusal(ad_account_id) else f"{self.name} of "
        self.tap.say_reports_are_refused(f"{whose}ad account {ad_account_id} ({refusal})")

    def _report(self, ad_account_id: str, part: Part) -> _Steps:
        """The steps that read a report; one that is too large is read in halves."""
        try:
            ids = {"ad_account_id": ad_account_id}
            order = Order(ids, self.order_of(part.slice), operation=self.operation)
            download = yield from self._reports_of_stream.read(order)
        except TooLargeError as error:
            halves = self._halves(part.slice)
            if halves is None:
                msg = f"{error}; it is of {part.slice.dates} alone: select fewer columns"
                raise TooLargeError(msg) from None
            rows: list[Iterable[bytes]] = []
            for half in halves:
                answered = yield from self._report(ad_account_id, replace(part, slice=half))
                rows.append(answered.rows)
            return Answered(part, itertools.chain.from_iterable(rows))
        except (SkippableAPIError, FatalAPIError) as error:
            if self._is_refused_type(ad_account_id, part.slice, error):
                return Answered(part, ())
            raise self._told_with_columns(error, part) from None
        return Answered(part, download)

    def _halves(self, part: Slice) -> tuple[Slice, Slice] | None:
        """What a report asks for in two: by periods, then targeting types, then ids.

        Types that are one breakdown together stay together.
        """
        shorter = part.shorter()
        if shorter and self.custom and self.custom.combines_types:
            shorter = shorter if shorter[0].types == part.types else None
        return shorter or (part.halves() if len(part.ids) > 1 else None)

    @functools.cached_property
    def _reports_of_stream(self) -> Reports:
        return Reports(self.tap.client, self.clock, self.settings.max_wait_seconds, self.name)

    def _call(self, ad_account_id: str, part: Part) -> Answered:
        if any((ad_account_id, name) in self._refused_types for name in part.slice.types):
            return Answered(part, ())
        try:
            rows = self._request(ad_account_id, part.slice)
        except (SkippableAPIError, FatalAPIError) as error:
            if self._is_refused_type(ad_account_id, part.slice, error):
                return Answered(part, ())
            raise self._told_with_columns(error, part) from None
        return Answered(part, _taken(rows))

    def _told_with_columns(self, error: Exception, part: Part) -> Exception:
        """An error that may be about the columns, with these; which go together is not known."""
        if type(error) is not FatalAPIError:
            return error
        columns = self._asked(asynchronous=part.asynchronous)
        named, others = columns[:MOST_COLUMNS_TOLD], len(columns) - MOST_COLUMNS_TOLD
        more = f" and {others} others" if others > 0 else ""
        return FatalAPIError(f"{error}; the columns were {', '.join(named)}{more}")

    def _is_refused_type(self, ad_account_id: str, part: Slice, error: Exception) -> bool:
        """Whether a targeting type in beta is refused; the others are read without it."""
        refused = isinstance(error, SkippableAPIError) or type(error) is FatalAPIError
        if not refused or len(part.types) != 1 or part.types[0] not in targeting.BETA:
            return False
        self._refused_types.add((ad_account_id, part.types[0]))
        self.tap.warn_once(
            f"{self.name}: {part.types[0]} is in beta and refused, so its rows are missing: {error}"
        )
        return True

    def _request(self, ad_account_id: str, part: Slice, halvings: int = 0) -> list[msgspec.Raw]:
        """The rows of a slice; one that is too large or too slow is read in halves."""
        halves = part.halves()
        may_split = halves is not None and halvings < MOST_HALVINGS
        try:
            return self.tap.client.get(
                self.path,
                _split_data if self.broken_down else _split,
                ids={"ad_account_id": ad_account_id},
                query=self._query(part),
                split_instead=may_split,
                stream=self.name,
            )
        except (TooLargeError, SlowAnswerError) as error:
            if halves is None or (isinstance(error, SlowAnswerError) and not may_split):
                raise
            return [
                row for half in halves for row in self._request(ad_account_id, half, halvings + 1)
            ]

    def _shaped(self, part: Part, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row with the names and places that its facts have, whatever the API gave it.

        Raises:
            FatalAPIError: It does not say what it is about, or when.
        """
        shaped = upper_case(row)
        if isinstance(metrics := shaped.pop("METRICS", None), dict):
            shaped |= upper_case(metrics)
        if self.custom and self.custom.event_columns:
            shaped = {event_column(name): value for name, value in shaped.items()}
        if part.slice.within:
            shaped["CAMPAIGN_ID"] = shaped.get("CAMPAIGN_ID") or part.slice.within
        own = self.id_column
        if shaped.get(own) is None:
            names = (name for name in SAME_ID.get(own, ()) if shaped.get(name) is not None)
            shaped[own] = shaped.get(next(names, own))
        for name in self._other_ids:
            shaped.pop(name, None)
        if shaped[own] is None and self.level != "ad_account":
            self._fail_without(own.lower(), row)
        if self.granularity == "TOTAL":
            shaped["START_DATE"] = part.slice.dates.start.isoformat()
            shaped["DATE"] = part.slice.dates.end.isoformat()
        elif self.granularity == "HOUR":
            shaped["DATE"], shaped["HOUR"] = self._moment(shaped)
        return shaped

    @functools.cached_property
    def _other_ids(self) -> Sequence[str]:
        """Other names of the level's own id, where they are no columns of the catalog."""
        known = self.facts["properties"]
        return [name for name in SAME_ID.get(self.id_column, ()) if name not in known]

    def _moment(self, row: Mapping[str, Any]) -> tuple[str, int]:
        """The day and the hour (UTC) of a row, as its DATE says or a field beside it."""
        text, hour = str(row.get("DATE") or ""), row.get("HOUR")
        try:
            if hour is not None:
                return date.fromisoformat(text[:10]).isoformat(), int(hour)
            if len(text) > len("YYYY-MM-DD"):
                moment = datetime.fromisoformat(text)
                moment = moment.astimezone(UTC) if moment.tzinfo else moment
                return moment.date().isoformat(), moment.hour
        except ValueError:
            pass
        return self._fail_without("hour", row)

    def _fail_without(self, what: str, row: Mapping[str, Any]) -> NoReturn:
        msg = f"a row of {self.name} has no {what}; it has: {', '.join(sorted(row))}"
        raise FatalAPIError(msg)

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
            if self.column(field) in self.schema["properties"] and field != id_field
        ]
        values = [name.lower() for name in self.dimensions[1:]]
        periods = self.granularity in {"WEEK", "MONTH"}
        last = self._readings[ad_account_id].range.days.end if periods else None

        def complete(row: dict[str, Any]) -> dict[str, Any]:
            row.update(beside)
            known = entities.get(row[id_field])
            for index, field in parents:
                if row[field] is None and known:
                    row[field] = known[index] or None
            for field in values:
                if row[field] is None:
                    row[field] = ""
            if last is not None:
                row["date_end"] = self._end_of_period(row, last)
            return row

        return complete

    def _end_of_period(self, row: Mapping[str, Any], last: date) -> str:
        """The last day of a row's period that is counted in it.

        Raises:
            FatalAPIError: Its date is not the first day of a period.
        """
        day = date.fromisoformat(row["date"] or "")
        if day != first_day(day, self.granularity):
            msg = f"a row of {self.name} is dated {day}, which is not the first day of a period"
            raise FatalAPIError(msg)
        return min(last_day(day, self.granularity), last).isoformat()

    def _note_ranges(self, reading: Reading) -> None:
        for asynchronous in (True, False):
            dates = [
                part.slice.dates for part in reading.parts if part.asynchronous is asynchronous
            ]
            for each in merged(dates):
                self.summary.ranges[f"{each} (async)" if asynchronous else str(each)] += 1

    def _remember(self, context: Mapping[str, Any]) -> None:
        """Note in the state how far the context has been read."""
        reading = self._readings.pop(context["ad_account_id"])
        self._keep_column_names()
        if self.granularity == "TOTAL":
            return
        progress = reading.range.after(reading.progress, self.fingerprint)
        progress.write_to(self.remembered.made(context), self.replication_key or "")

    def _keep_column_names(self) -> None:
        if self.settings.column_names == "display":
            named = self.tap.column_names
            fields = (name.lower() for name in self.columns)
            names = {field: named[field] for field in fields if field in named}
            state.keep_column_names(self.tap.memory, names)


def _again(pause: float, steps: _Steps) -> _Steps:
    """Steps of which the first has been made, with the pause that it asks for."""
    yield pause
    return (yield from steps)


def _just(answered: Answered) -> _Steps:
    """No more steps."""
    yield from ()
    return answered


class AdAccountAnalytics(AnalyticsStream):
    """Metrics of an ad account on one day.

    Source: GET /ad_accounts/{ad_account_id}/analytics.
    """

    name = "ad_account_analytics"
    path = "/ad_accounts/{ad_account_id}/analytics"
    level = "ad_account"
    report_level = "ADVERTISER"
    primary_keys = ("ad_account_id", "date")


class CampaignAnalytics(AnalyticsStream):
    """Metrics of a campaign on one day.

    Source: GET /ad_accounts/{ad_account_id}/campaigns/analytics.
    """

    name = "campaign_analytics"
    path = "/ad_accounts/{ad_account_id}/campaigns/analytics"
    level = "campaign"
    report_level = "CAMPAIGN"
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
    report_level = "AD_GROUP"
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
    report_level = "PIN_PROMOTION"
    primary_keys = ("ad_id", "date")
    entities = Ads
    id_parameter = "ad_ids"


class ProductGroupAnalytics(AnalyticsStream):
    """Metrics of a product group promotion on one day.

    Source: GET /ad_accounts/{ad_account_id}/product_groups/analytics.
    """

    name = "product_group_analytics"
    path = "/ad_accounts/{ad_account_id}/product_groups/analytics"
    group = "products"
    level = "product_group"
    report_level = "PRODUCT_GROUP"
    primary_keys = ("product_group_id", "date")
    entities = ProductGroupPromotions
    id_parameter = "product_group_ids"


class ProductItemAnalytics(AnalyticsStream):
    """Metrics of an item of a catalog on one day, as an asynchronous report.

    Source: POST /ad_accounts/{ad_account_id}/reports, level PRODUCT_ITEM.
    """

    name = "product_item_analytics"
    path = REPORTS
    group = "products"
    level = "product_item"
    report_level = "PRODUCT_ITEM"
    primary_keys = ("product_item_id", "date")
    id_parameter = "ad_group_ids"


class KeywordAnalytics(AnalyticsStream):
    """Metrics of a keyword on one day, as an asynchronous report.

    Source: POST /ad_accounts/{ad_account_id}/reports, level KEYWORD.
    """

    name = "keyword_analytics"
    path = REPORTS
    group = "keywords"
    level = "keyword"
    report_level = "KEYWORD"
    primary_keys = ("keyword_id", "date")
    id_parameter = "ad_group_ids"


class AdPinAnalytics(AnalyticsStream):
    """Metrics of a Pin in a campaign on one day: of all ads that promote it there.

    Source: GET /ad_accounts/{ad_account_id}/pins/analytics.
    """

    name = "ad_pin_analytics"
    path = "/ad_accounts/{ad_account_id}/pins/analytics"
    group = "targeting"
    level = "ad_pin"
    primary_keys = ("campaign_id", "pin_id", "date")
    entities = Ads
    id_parameter = "pin_ids"

    @override
    def _batches(
        self, entities: Mapping[str, tuple[str, ...]]
    ) -> Iterable[tuple[str, Sequence[str]]]:
        pins: dict[str, dict[str, None]] = {}
        for _, campaign_id, _, pin_id in entities.values():
            if campaign_id and pin_id:
                pins.setdefault(campaign_id, {})[pin_id] = None
        return [(campaign_id, list(of_campaign)) for campaign_id, of_campaign in pins.items()]

    @override
    def _query(self, part: Slice) -> dict[str, Any]:
        return {**super()._query(part), "campaign_id": part.within}


class TargetingAnalyticsStream(AnalyticsStream):
    """Metrics broken down by targeting type: never add up rows of different types."""

    group = "targeting"
    broken_down = True
    dimensions = ("TARGETING_TYPE", "TARGETING_VALUE")


class AdAccountTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of an ad account on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/targeting_analytics.
    """

    name = "ad_account_targeting_analytics"
    path = "/ad_accounts/{ad_account_id}/targeting_analytics"
    level = "ad_account"
    report_level = "ADVERTISER_TARGETING"
    primary_keys = ("ad_account_id", "targeting_type", "targeting_value", "date")


class CampaignTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of a campaign on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/campaigns/targeting_analytics.
    """

    name = "campaign_targeting_analytics"
    path = "/ad_accounts/{ad_account_id}/campaigns/targeting_analytics"
    level = "campaign"
    report_level = "CAMPAIGN_TARGETING"
    primary_keys = ("campaign_id", "targeting_type", "targeting_value", "date")
    entities = Campaigns
    id_parameter = "campaign_ids"


class AdGroupTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of an ad group on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/ad_groups/targeting_analytics.
    """

    name = "ad_group_targeting_analytics"
    path = "/ad_accounts/{ad_account_id}/ad_groups/targeting_analytics"
    level = "ad_group"
    report_level = "AD_GROUP_TARGETING"
    primary_keys = ("ad_group_id", "targeting_type", "targeting_value", "date")
    entities = AdGroups
    id_parameter = "ad_group_ids"


class AdTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of an ad on one day, for one value of a targeting type.

    Source: GET /ad_accounts/{ad_account_id}/ads/targeting_analytics.
    """

    name = "ad_targeting_analytics"
    path = "/ad_accounts/{ad_account_id}/ads/targeting_analytics"
    level = "ad"
    report_level = "PIN_PROMOTION_TARGETING"
    primary_keys = ("ad_id", "targeting_type", "targeting_value", "date")
    entities = Ads
    id_parameter = "ad_ids"


class ProductGroupTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of a product group promotion on one day, for one value of a targeting type.

    Source: POST /ad_accounts/{ad_account_id}/reports, level PRODUCT_GROUP_TARGETING.
    """

    name = "product_group_targeting_analytics"
    path = REPORTS
    group = "products"
    level = "product_group"
    report_level = "PRODUCT_GROUP_TARGETING"
    primary_keys = ("product_group_id", "targeting_type", "targeting_value", "date")
    entities = ProductGroupPromotions
    id_parameter = "product_group_ids"


class ProductItemTargetingAnalytics(TargetingAnalyticsStream):
    """Metrics of an item of a catalog on one day, for one value of a targeting type.

    Source: POST /ad_accounts/{ad_account_id}/reports, level PRODUCT_ITEM_TARGETING.
    """

    name = "product_item_targeting_analytics"
    path = REPORTS
    group = "products"
    level = "product_item"
    report_level = "PRODUCT_ITEM_TARGETING"
    primary_keys = ("product_item_id", "targeting_type", "targeting_value", "date")
    id_parameter = "ad_group_ids"


BY_LEVEL: Mapping[str, type[AnalyticsStream]] = {
    each.report_level: each
    for each in (
        *(AdAccountAnalytics, CampaignAnalytics, AdGroupAnalytics, AdAnalytics),
        *(ProductGroupAnalytics, ProductItemAnalytics, KeywordAnalytics),
        *(AdAccountTargetingAnalytics, CampaignTargetingAnalytics, AdGroupTargetingAnalytics),
        *(AdTargetingAnalytics, ProductGroupTargetingAnalytics, ProductItemTargetingAnalytics),
    )
}
"""The reports that the config may define others like, by level as the API names it."""
