"""Descriptions of all streams and columns, in our own words.

`metrics.py` describes metrics of ads reports by the grammar of their names, and `issues.py` codes
of catalog issues. `texts.json` has tables for all other columns. A text is read only when a stream
needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from tap_pinterest import api
from tap_pinterest.dictionary import texts
from tap_pinterest.dictionary.metrics import Metric, metric
from tap_pinterest.dictionary.texts import Text

AD_REPORTS = "AdReports"
"""The table of the columns of ads reports that are not metrics."""

Meaning: TypeAlias = "Text | Metric"


PERIODS: Mapping[str, str] = {
    "HOUR": "by hour",
    "DAY": "by day",
    "WEEK": "by week",
    "MONTH": "by month",
    "TOTAL": "over the whole span",
}
"""Words for the granularity of an ads report."""


class Described:
    """The texts of one stream.

    Example:
        >>> Described("ad_analytics").field("spend_in_dollar").unit
        'currency'
    """

    def __init__(self, stream: str, path: str = "") -> None:
        """The texts of a stream by its name in Pinterest's layout."""
        self._stream = texts.stream(stream)
        like = self._stream.tables if self._stream else ()
        self.is_ad_report = AD_REPORTS in like
        """Whether the stream has the columns of ads reports."""
        own = self._stream.columns if self._stream else {}
        self._tables = (own, *map(texts.table, (*like, *_record_of(path))), texts.shared())

    @property
    def text(self) -> str | None:
        """The text about the rows; `None` for an unknown stream."""
        return self._stream.text if self._stream else None

    def field(self, path: str) -> Meaning | None:
        """The text about a field; a dotted path names a member of an object."""
        outer, *inner = path.split(".")
        *known, shared = self._tables
        own = (texts.find(outer, each) for each in known)
        found: Meaning | None = next(filter(None, own), None)
        if found is None and self.is_ad_report and outer not in shared:
            # A report can have every metric of Pinterest.
            return metric(outer.upper())
        found = found or texts.find(outer, shared)
        for name in inner:
            found = member(name, found)
        return found


def described(  # noqa: PLR0913 - the facts that a stream's texts depend on, each named
    schema: Mapping[str, Any],
    stream: str,
    path: str = "",
    *,
    columns: Mapping[str, object],
    table: str = "",
    period: str = "DAY",
) -> dict[str, Any]:
    """The schema of a stream with a description of the stream and of each property.

    Args:
        schema: The JSON schema of the rows.
        stream: The stream's name in Pinterest's layout.
        path: Its path in Pinterest's description.
        columns: The source of each column: a field or something else. Others stay unchanged.
        table: The name of the other layout's table, if the rows go into one.
        period: The length of a period in an ads report.
    """
    known, layout = Described(stream, path), texts.layout_table(table) if table else None

    def meaning(name: str) -> Meaning | None:
        source = columns.get(name)
        if layout and source is not None and (own := texts.find(name, layout.columns)):
            return own
        return known.field(source) if isinstance(source, str) else None

    properties = schema["properties"].items()
    made = {
        **schema,
        "properties": {name: _with_text(shape, meaning(name)) for name, shape in properties},
    }
    if text := layout.text if layout else known.text:
        made["description"] = text.replace("by period", PERIODS[period])
    return made


def member(name: str, of: Meaning | None) -> Text | None:
    """The text about a member of an object."""
    if of is None or isinstance(of, Metric):
        return None
    if of.codes:
        return texts.code(name, of.codes)
    return texts.find(name, texts.members(of)) or texts.find(name, texts.shared())


def _with_text(shape: Mapping[str, Any], meaning: Meaning | None) -> dict[str, Any]:
    if meaning is None:
        return dict(shape)
    return {**_with_members(shape, meaning), "description": meaning.description}


def _with_members(shape: Mapping[str, Any], meaning: Meaning | None) -> dict[str, Any]:
    """The shape of an object, a list or a map, with texts for its members."""
    made = dict(shape)
    if "properties" in shape:
        made["properties"] = {
            name: _with_text(inner, member(name, meaning))
            for name, inner in shape["properties"].items()
        }
    for word in ("items", "additionalProperties"):
        if isinstance(inner := shape.get(word), dict):
            made[word] = _with_members(inner, meaning)
    return made


def _record_of(path: str) -> tuple[str, ...]:
    try:
        record = api.operation(f"GET {path}").record
    except KeyError:
        return ()
    return (record,) if record else ()
