"""What every stream and column is, in our own words.

Metrics of ads reports are described by the grammar of their names (`metrics.py`), codes of catalog
issues likewise (`issues.py`), everything else by the tables of `texts.json`. Nothing is read before
a stream asks for it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_pinterest import api
from tap_pinterest.dictionary import texts
from tap_pinterest.dictionary.metrics import Metric, metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_pinterest.dictionary.texts import Entries, Text

AD_REPORTS = "AdReports"
"""The table of the columns of ads reports that are no metrics."""

Meaning: TypeAlias = "Text | Metric"


PERIODS: Mapping[str, str] = MappingProxyType(
    {
        "HOUR": "by hour",
        "DAY": "by day",
        "WEEK": "by week",
        "MONTH": "by month",
        "TOTAL": "over the whole span",
    }
)
"""Words for what a row of an ads report is about."""


class Described:
    """The texts of one stream.

    Example:
        >>> Described("ad_analytics").field("spend_in_dollar").unit
        'currency'
    """

    def __init__(self, stream: str, path: str = "") -> None:
        """The texts of a stream by its name in Pinterest's layout.

        Args:
            stream: The stream's name.
            path: Its path in Pinterest's description, which tells the record.
        """
        self._stream = texts.stream(stream)
        like = self._stream.tables if self._stream else ()
        self.is_ad_report = AD_REPORTS in like
        """Whether its columns are those of ads reports."""
        own = self._stream.columns if self._stream else {}
        self._tables = (own, *map(texts.table, (*like, *_record_of(path))), texts.shared())

    @property
    def text(self) -> str | None:
        """What the rows are; `None` for a stream that the dictionary does not know."""
        return self._stream.text if self._stream else None

    def field(self, path: str) -> Meaning | None:
        """What a field is; a dotted path names a member of an object."""
        outer, *inner = path.split(".")
        *known, shared = self._tables
        found: Meaning | None = _first(outer, known)
        if found is None and self.is_ad_report and outer not in shared:
            # A report may have any name that Pinterest has for a metric.
            return metric(outer.upper())
        found = found or texts.find(outer, shared)
        for name in inner:
            found = member(name, found)
        return found


def described(  # noqa: PLR0913 - what a stream's texts depend on, named one by one
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
        columns: Where each column comes from: a field, or something else. Others stay as they are.
        table: The name of the other layout's table, if the rows go into one.
        period: How long a period is that a row of an ads report is about.
    """
    known, layout = Described(stream, path), texts.layout_table(table) if table else None

    def meaning(name: str) -> Meaning | None:
        source = columns.get(name)
        if isinstance(source, str):
            return known.field(source)
        return texts.find(name, layout.columns) if source is not None and layout else None

    properties = schema["properties"].items()
    made = {
        **schema,
        "properties": {name: _with_text(shape, meaning(name)) for name, shape in properties},
    }
    if text := layout.text if layout else known.text:
        made["description"] = text.replace("by period", PERIODS[period])
    return made


def member(name: str, of: Meaning | None) -> Text | None:
    """What a member of an object is."""
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
    """The shape of an object, a list or a map with the texts of the members inside."""
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


def _first(name: str, tables: Sequence[Entries]) -> Text | None:
    return next((found for each in tables if (found := texts.find(name, each))), None)


def _record_of(path: str) -> tuple[str, ...]:
    try:
        record = api.operation(f"GET {path}").record
    except KeyError:
        return ()
    return (record,) if record else ()
