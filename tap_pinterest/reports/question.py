"""The question of an ads report: the columns and settings of its calls, orders and rows."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tap_pinterest import api
from tap_pinterest.api import targeting
from tap_pinterest.api.columns import (
    NOT_ASKED,
    AccountColumns,
    columns_for,
    is_conversion,
    live_columns,
    only_asynchronous,
    report_facts,
)
from tap_pinterest.api.levels import Level
from tap_pinterest.api.periods import ASYNCHRONOUS, Granularity, ReportLimits, Slice
from tap_pinterest.config import Settings
from tap_pinterest.config.custom_reports import CustomReport
from tap_pinterest.singer import state

TARGETING = ("TARGETING_TYPE", "TARGETING_VALUE")
"""Columns that identify the rows of a targeting breakdown."""
_TEXT = {"type": ["string", "null"]}
_NEVER_ASKED = frozenset({"KEYWORD_ID", "PRODUCT_ITEM_ID"})
"""Ids that come with the rows, but that cannot be requested as columns."""
_BYTES_OF_COLUMNS = 5_500
"""Room for columns in a URL; Pinterest takes URLs of 7,500 bytes."""


@dataclass(frozen=True, eq=False)
class Question:
    """The question of an ads report, for synchronous calls and for asynchronous reports.

    Attributes:
        name: The name of the stream, for messages.
        level: The level of a row.
        dimensions: Columns that identify the rows of a breakdown, its type first. Empty without a
            breakdown.
        is_wanted: Says for the field of a record whether its column is read.
        account: Columns that Pinterest lists for the token, if the run has read the list.
    """

    name: str
    level: Level
    granularity: Granularity
    settings: Settings
    dimensions: tuple[str, ...] = ()
    custom: CustomReport | None = None
    is_wanted: Callable[[str], bool] = lambda _: True
    account: AccountColumns = NOT_ASKED

    @property
    def path(self) -> str:
        """Path of the synchronous calls; empty if the level has none."""
        return self.level.targeting_path if self.dimensions else self.level.path

    @property
    def order_level(self) -> str:
        """The level's name in an order; empty if the level has no asynchronous reports."""
        return self.level.targeting_report if self.dimensions else self.level.report

    @property
    def keys(self) -> tuple[str, ...]:
        """The key properties of a record in Pinterest's layout."""
        ids = (self.level.within, self.level.own_id.lower())
        return (
            *filter(None, ids),
            *(name.lower() for name in self.dimensions),
            *self.granularity.keys,
        )

    @functools.cached_property
    def columns(self) -> Sequence[str]:
        """Pinterest's names of the columns in the catalog."""
        names = self._fitting(columns_for(self.level, self.settings.report_columns, self.account))
        if self.custom and isinstance(self.custom.columns, tuple):
            # The config names them for this level, so Pinterest decides whether it has them.
            names = tuple(dict.fromkeys((*self.level.ids, *self.custom.columns)))
        missing = () if self.order_level else only_asynchronous(names, self.account)
        counts = self.granularity.has_conversions
        return [
            name for name in names if name not in missing and (counts or not is_conversion(name))
        ]

    def _fitting(self, names: Sequence[str]) -> Sequence[str]:
        """The names that a call has room for, if the config wants all columns.

        Live columns come last. Calls and orders of one history have the same columns, so only a
        report that never makes a call can have all of them.
        """
        by_calls = self.path and self.settings.report_transport != "async"
        if self.settings.report_columns != "all" or not by_calls:
            return names
        lengths = itertools.accumulate(len(name) + 1 for name in names)
        fitting = sum(length <= _BYTES_OF_COLUMNS for length in lengths)
        return names[: max(fitting, len(names) - len({*names} & {*live_columns()}))]

    @property
    def left_out(self) -> int:
        """The number of listed columns that a call has no room for."""
        listed = columns_for(self.level, self.settings.report_columns, self.account)
        return len(listed) - len(self._fitting(listed))

    @property
    def named_columns(self) -> frozenset[str]:
        """The columns that the config names one by one: they must arrive."""
        names = self.settings.report_columns
        by_layout = names == self.settings.layout.report_columns
        return frozenset() if isinstance(names, str) or by_layout else frozenset(names)

    @functools.cached_property
    def wanted(self) -> Sequence[str]:
        """The columns to read: selected columns, and columns that `__sync_key` needs.

        The level's own id comes with every row, and the ad account is known.
        """
        known = {"AD_ACCOUNT_ID", self.level.own_id}
        return [name for name in self.columns if name not in known and self.is_wanted(name.lower())]

    def requested(self, *, asynchronous: bool) -> Sequence[str]:
        """The columns that a call or an order names; at least one.

        The level's own id is one of them if rows would lack it otherwise.
        """
        known = api.enum("columns_async" if asynchronous else "columns_sync")
        own = [name for name in (self.level.own_id, "AD_ACCOUNT_ID") if name in known][:1]
        by_itself = not (asynchronous or self.dimensions)
        names = self.wanted if by_itself else [*own, *self.wanted]
        return [name for name in names if name not in _NEVER_ASKED] or own

    @functools.cached_property
    def types(self) -> Sequence[str]:
        """The targeting types to read; none without a breakdown."""
        if not self.dimensions:
            return ()
        return targeting.chosen(self.level, self.settings.targeting_types)

    @property
    def types_of_calls(self) -> Sequence[str]:
        """The types that synchronous calls have."""
        known = targeting.synchronous(self.level) if self.path else ()
        return [name for name in self.types if name in known]

    @property
    def types_of_reports(self) -> Sequence[str]:
        """The types that asynchronous reports have."""
        known = targeting.asynchronous(self.level)
        return [name for name in self.types if name in known]

    @property
    def _types_of_transport(self) -> Sequence[str]:
        """The types that are left if the settings allow only calls, or only reports."""
        if self.only_asynchronous:
            return self.types_of_reports
        by_calls = not self.order_level or self.settings.report_transport == "sync"
        return self.types_of_calls if by_calls else self.types

    def in_calls(self, types: Sequence[str]) -> Sequence[tuple[str, ...]]:
        """The types of each synchronous call; empty for a report without a breakdown."""
        if not self.dimensions:
            return [()]
        return targeting.groups(types, targeting.most_in_a_call(self.level)) if types else []

    def in_reports(self, types: Sequence[str]) -> Sequence[tuple[str, ...]]:
        """The types of each asynchronous report."""
        if not self.dimensions:
            return [()]
        if self.custom and self.custom.combines_types:
            return [tuple(types)] if types else []
        return targeting.groups(types, targeting.most_in_a_report())

    @functools.cached_property
    def only_asynchronous(self) -> bool:
        """Whether only asynchronous reports can answer the question."""
        if not self.path:
            return True
        if not self.order_level:
            return False
        if self.body:
            return True
        if self.settings.attribution_types and "attribution_types" not in self._known_to_calls:
            return True
        wanted = [name for name in self.columns if name not in self.level.ids]
        by_setting = self.settings.report_transport == "async"
        return by_setting or bool(only_asynchronous(wanted, self.account))

    @property
    def _known_to_calls(self) -> Mapping[str, Any]:
        """The parameters of synchronous calls."""
        return api.operation(f"GET {self.path}").parameters

    def limits(self, today: date, *, asynchronous: bool) -> ReportLimits:  # noqa: ARG002 - see subclasses
        """The limits of one call or one report."""
        of_level = self.level.report_limits if asynchronous else self.level.call_limits
        return self.granularity.limited(of_level)

    def kind(self, *, asynchronous: bool) -> str:
        """The kind of report, for messages that say how long Pinterest keeps it."""
        if self.granularity.kind:
            return self.granularity.kind
        if asynchronous and self.level.report_limits != ASYNCHRONOUS:
            return f"reports of {self.level.plural}"
        return "these reports" if asynchronous else "reports that are read synchronously"

    @property
    def lookback_days(self) -> int:
        """Days to read again before the bookmark."""
        settled_after = self.granularity.settled_after
        if settled_after is not None and self.settings.lookback_days is None:
            return settled_after
        return self.settings.attribution_lookback

    @property
    def body(self) -> Mapping[str, Any]:
        """Fields of an order that a call cannot have."""
        return self.custom.body if self.custom else {}

    @property
    def attribution(self) -> Mapping[str, Any]:
        """Attribution settings, as parameters."""
        return {**self.settings.attribution, **self.sent_if_set}

    @functools.cached_property
    def attribution_columns(self) -> Mapping[str, Any]:
        """Attribution settings, as columns of a record."""
        return {
            name: ",".join(sorted(value)) if isinstance(value, tuple) else value
            for name, value in self.attribution.items()
        }

    @functools.cached_property
    def sent_if_set(self) -> Mapping[str, Any]:
        """Settings that are sent only if they are set and if Pinterest takes them."""
        if self.only_asynchronous:
            known = api.schema("AdsAnalyticsCreateAsyncRequest")["properties"]
        else:
            known = self._known_to_calls
        return {name: value for name, value in self._set.items() if name in known}

    @property
    def not_sent(self) -> Sequence[str]:
        """Settings that are set, but that Pinterest does not take."""
        return [name for name in self._set if name not in self.sent_if_set]

    @property
    def _set(self) -> Mapping[str, Any]:
        names = ("attribution_types", "reporting_timezone")
        return {name: value for name in names if (value := getattr(self.settings, name))}

    def fingerprint(self, column: Callable[[str], str]) -> str:
        """A fingerprint of everything that shapes the rows; `column` gives a field's column."""
        columns = sorted(column(name.lower()) for name in self.wanted)
        filters = {name: sorted(ids) for name, ids in self.settings.filters.items()}
        shape = {**self.attribution_columns, **filters, "columns": columns}
        shape |= self.settings.sync_key_shape(self.name)
        if left_out := [name for name in self._beside if not self.is_wanted(name)]:
            shape["left_out"] = sorted(left_out)
        if self.types:
            shape["targeting_types"] = sorted(self._types_of_transport)
        if self.dimensions and self.settings.empty_key_value:
            shape["empty_key_value"] = self.settings.empty_key_value
        if self.custom:
            # An earlier report of the same name may have had another level.
            shape |= {"level": self.custom.level, "granularity": self.granularity.name}
        if self.body:
            shape["report"] = {
                name: sorted(value, key=str) if isinstance(value, (list, tuple)) else value
                for name, value in self.body.items()
            }
        return state.fingerprint(shape)

    @functools.cached_property
    def facts(self) -> Mapping[str, Any]:
        """The facts of a row, in the API's names."""
        facts = dict(report_facts(self.columns)["properties"])
        if "hour" in self.granularity.keys:
            facts["HOUR"] = {"type": "integer"}
        if "start_date" in self.granularity.keys:
            facts["START_DATE"] = {"type": "string", "format": "date"}
        for name in self.custom.event_columns if self.custom else ():
            facts[name] = {"type": "number"}
        facts |= {name: {"type": "string"} for name in self.dimensions}
        return {"type": "object", "properties": facts}

    @property
    def _beside(self) -> dict[str, Any]:
        """The schemas of the columns that the tap adds to a row."""
        ends = {"date_end": {**_TEXT, "format": "date"}} if self.granularity.is_longer else {}
        windows = {
            name: {"type": ["integer", "null"]} if isinstance(value, int) else _TEXT
            for name, value in self.attribution_columns.items()
        }
        return {"ad_account_id": _TEXT, **ends, "currency": _TEXT, **windows}

    def with_columns_beside(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema of a row, with the columns that the tap adds."""
        row = schema["properties"]
        first = {name: row[name] for name in self.keys}
        return {**schema, "properties": first | self._beside | row}

    def named(self, part: Slice) -> dict[str, Any]:
        """The values of a slice by which messages identify it."""
        named = {
            "days": str(part.dates),
            self.level.within: part.within,
            self.level.id_parameter or "ids": part.ids,
            "targeting_types": part.types,
        }
        return {name: value for name, value in named.items() if value}

    def query(self, part: Slice) -> dict[str, Any]:
        """The parameters of a synchronous call."""
        return self._asked(part, asynchronous=False)

    def order(self, part: Slice) -> dict[str, Any]:
        """The body of the order of an asynchronous report."""
        return {"level": self.order_level, **self._asked(part, asynchronous=True), **self.body}

    def _asked(self, part: Slice, *, asynchronous: bool) -> dict[str, Any]:
        asked = {
            **part.dates.query,
            "granularity": self.granularity.name,
            "columns": self.requested(asynchronous=asynchronous),
            **self.attribution,
        }
        if part.types:
            asked["targeting_types"] = part.types
        if part.within:
            asked[self.level.within] = part.within
        if part.ids and self.level.id_parameter:
            asked[self.level.id_parameter] = part.ids
        return asked
