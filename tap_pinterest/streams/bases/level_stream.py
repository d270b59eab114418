"""What a report of one level is about: its columns and keys, and what it asks for."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.api import targeting
from tap_pinterest.api.columns import (
    columns_for,
    is_conversion,
    only_asynchronous,
    report_facts,
)
from tap_pinterest.layouts.daasity import SYNC_KEY_FIELDS
from tap_pinterest.layouts.tables import Table
from tap_pinterest.reading.contexts import AdAccounts
from tap_pinterest.singer import state
from tap_pinterest.streams.bases.ordering import OrderingStream
from tap_pinterest.streams.bases.stream import ReportStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_pinterest.api.levels import Level
    from tap_pinterest.api.periods import Granularity, Slice
    from tap_pinterest.config import Settings
    from tap_pinterest.config.custom_reports import CustomReport
    from tap_pinterest.streams.bases.dataset import DatasetStream

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


class LevelStream(OrderingStream, ReportStream):
    """A report on the entities of one level.

    Attributes:
        granularity: How long a period is that a row is about.
        custom: The definition in the config, if it is one of those.
        level: What a row is about.
        entities: The stream that lists the level's entities; `None` for the ad account itself,
            and for what cannot be listed.
        broken_down: Whether rows are of a type of breakdown and a value of it.
        dimensions: Columns that say of which: the type first.
    """

    group = "ads"
    contexts = AdAccounts()
    granularity: Granularity
    custom: CustomReport | None
    level: Level
    entities: type[DatasetStream] | None = None
    broken_down: ClassVar[bool] = False
    dimensions: ClassVar[Sequence[str]] = ()

    @functools.cached_property
    @override
    def settings(self) -> Settings:
        """The settings in force for this report."""
        if self.custom is None:
            return self.run.settings
        columns = self.custom.columns or self.run.settings.report_columns
        return replace(self.run.settings, report_columns=columns, **self.custom.settings)

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
            names = tuple(dict.fromkeys((*self.level.ids, *self.custom.columns)))
        missing = () if self.report_level else only_asynchronous(names)
        by_hour = self.granularity == "HOUR"
        return [
            name for name in names if name not in missing and not (by_hour and is_conversion(name))
        ]

    @functools.cached_property
    @override
    def table(self) -> Table | None:
        if not self.settings.column_names.are_displayed:
            return super().table
        names = self.run.column_names
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
        """Columns to ask for: those that are wanted.

        The level's own id is asked for where it is not said to come by itself; something has to
        be asked for in any case.
        """
        known = api.enum("columns_async" if asynchronous else "columns_sync")
        own = [name for name in (self.id_column, "AD_ACCOUNT_ID") if name in known][:1]
        by_itself = not (asynchronous or self.broken_down)
        asked = self.requested_columns if by_itself else [*own, *self.requested_columns]
        return [name for name in asked if name not in _NEVER_ASKED] or own

    def _is_needed(self, name: str) -> bool:
        return name in self.hashed_fields or self.mask["properties", name]

    @property
    def id_column(self) -> str:
        """The column with the level's own id."""
        return self.level.own_id

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
        wanted = [name for name in self.columns if name not in self.level.ids]
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
        return {name: value for name, value in self._set.items() if name in known}

    @property
    def _set(self) -> Mapping[str, Any]:
        names = ("attribution_types", "reporting_timezone")
        return {name: value for name in names if (value := getattr(self.settings, name))}

    @functools.cached_property
    @override
    def fingerprint(self) -> str:
        columns = sorted(self.column(name.lower()) for name in self.requested_columns)
        filters = {name: sorted(ids) for name, ids in self.settings.filters.items()}
        shape = {**self.in_force, **filters, "columns": columns}
        if self.types:
            shape["targeting_types"] = sorted(self.types)
        if self.custom:
            # Under the same name it may have been about something else.
            shape |= {"level": self.custom.level, "granularity": self.granularity}
        if self.body:
            shape["report"] = {
                name: sorted(value, key=str) if isinstance(value, (list, tuple)) else value
                for name, value in self.body.items()
            }
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

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        if self.broken_down and not self.types:
            types = ", ".join(self.settings.targeting_types)
            told = f"{self.name} reads nothing: its level has none of the targeting_types ({types})"
            if self.custom:
                self.run.warn_once(told)
            else:
                self.logger.info("%s", told)
            return []
        for name in self._set.keys() - self.sent_if_set.keys():
            self.run.warn_once(f"{self.name} is read without {name}: Pinterest takes none for it.")
        return super().partitions

    @property
    def report_level(self) -> str:
        """The level as the order of a report names it; empty if there are no such reports."""
        return self.level.targeting_report if self.broken_down else self.level.report

    def groups_of_types(self) -> Sequence[tuple[str, ...]]:
        """The types of breakdown that reports have, as many as one takes in each group."""
        types = [name for name in self.types if name in targeting.asynchronous(self.level)]
        if self.custom and self.custom.combines_types:
            return [tuple(types)]
        return targeting.groups(types, targeting.most_in_a_report()) if types else [()]

    @property
    def report_id_parameter(self) -> str:
        """The field of a report's order that takes ids."""
        return self.level.id_parameter

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
        if part.within:
            query[self.level.within] = part.within
        if part.ids and self.level.id_parameter:
            query[self.level.id_parameter] = part.ids
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
