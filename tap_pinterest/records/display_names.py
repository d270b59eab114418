"""The names of report columns as Ads Manager displays them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import msgspec

from tap_pinterest.api.columns import AccountColumns, offered_columns
from tap_pinterest.api.levels import CONVERSION_PRODUCT, LEVELS
from tap_pinterest.http.answers import decoder
from tap_pinterest.http.client import PinterestClient
from tap_pinterest.layouts.tables import ATTRIBUTION
from tap_pinterest.records.sync_key import SYNC_KEY

DELIVERY_METRICS = "/resources/delivery_metrics"
REPORT_TYPES = ("SYNC", "ASYNC")
ORGANIC = "ORGANIC"
"""The category of metrics of Pins and users: no report has them, so their names are free."""
LONGEST = 63
"""Longest name in PostgreSQL, in bytes."""

RESERVED_COLUMNS = frozenset(
    {
        *("date", "date_end", "start_date", "hour", "currency", SYNC_KEY, *ATTRIBUTION),
        *("attribution_types", "reporting_timezone", "targeting_type", "targeting_value"),
        *(name.lower() for level in LEVELS.values() for name in level.ids),
        *(name.lower() for name in CONVERSION_PRODUCT.texts),
    }
)
"""Columns that are not metrics: `column_names` does not change their names."""

_BETWEEN_WORDS = re.compile(r"[^a-z0-9]+")


class _Metric(msgspec.Struct):
    name: str
    display_name: str | None = None
    category: str | None = None


class _Answer(msgspec.Struct):
    items: list[_Metric]


_decode = decoder(_Answer)


Listed: TypeAlias = "Mapping[str, Sequence[_Metric]]"
"""The metrics of ads, by the type of the reports that have them."""


def listed_metrics(client: PinterestClient) -> Listed:
    """The metrics of ads that Pinterest lists for the token."""
    return {
        each: [
            metric
            for metric in client.get(DELIVERY_METRICS, _decode, query={"report_type": each}).items
            if metric.category != ORGANIC
        ]
        for each in REPORT_TYPES
    }


def account_columns(listed: Listed) -> AccountColumns:
    """The names of the listed metrics, as columns of reports."""
    return AccountColumns(
        *(frozenset(metric.name.upper() for metric in listed[each]) for each in REPORT_TYPES)
    )


def displayed_names(listed: Listed) -> dict[str, str]:
    """The displayed name of each ads metric, by the API's name in lower case.

    If both kinds of reports have a metric, the name in synchronous reports counts.
    """
    names: dict[str, str] = {}
    for metrics in listed.values():
        for metric in metrics:
            names.setdefault(metric.name.lower(), metric.display_name or "")
    return names


def snake_case(text: str) -> str:
    """A displayed name as the name of a column; empty if no valid name is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = _BETWEEN_WORDS.sub("_", plain.lower()).strip("_")
    return "" if name[:1].isdigit() or len(name) > LONGEST else name


def kept_names(
    displayed: Mapping[str, str], kept: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The column of each metric, and the new names of metrics that Pinterest has renamed.

    Args:
        displayed: The name of each metric in Ads Manager, by the API's name in lower case.
        kept: Columns of metrics that an earlier run has named.
    """
    metrics = {name: text for name, text in displayed.items() if name not in RESERVED_COLUMNS}
    reserved = {*RESERVED_COLUMNS, *(name.lower() for name in offered_columns(newer=True))}
    names = column_names(metrics, kept, reserved)
    today = column_names(metrics, {}, reserved)
    return names, {metric: name for metric, name in today.items() if name != names[metric]}


def column_names(
    displayed: Mapping[str, str], kept: Mapping[str, str], reserved: Collection[str]
) -> dict[str, str]:
    """The column of each metric: all different, and independent of the selection.

    No metric gets a name that is `reserved` for another column. See `kept_names`.
    """
    wanted = {metric: snake_case(text) for metric, text in displayed.items()}
    times = Counter(wanted.values())
    taken = {*reserved, *displayed, *kept, *kept.values()}
    # The API's name of a new metric may be the name that another one has kept.
    own = {metric: f"{metric}_metric" if metric in kept.values() else metric for metric in wanted}
    named = {
        metric: name if name and times[name] == 1 and name not in taken - {metric} else own[metric]
        for metric, name in wanted.items()
    }
    return {**named, **kept}
