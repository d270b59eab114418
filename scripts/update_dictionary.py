"""Write the facts about each column for programs: unit, sums, and the actions that it counts.

The file is part of the package. Documents and models use it. It has no texts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import msgspec

from scripts.processes import ROOT
from tap_pinterest import api
from tap_pinterest.dictionary import AD_REPORTS, Described, texts
from tap_pinterest.dictionary.metrics import UNITS, Metric
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_pinterest.dictionary import Meaning
    from tap_pinterest.streams.bases.stream import PinterestStream

FILE = ROOT / "tap_pinterest" / "dictionary" / "facts.json"

_TEXTS = frozenset({"text", "members", "codes", "known"})


def report_columns() -> dict[str, dict[str, Any]]:
    """The facts of every column that ads reports of any kind have, by its name in lower case."""
    known = Described("ad_analytics")
    names = sorted({name.lower() for name in names_of_reports()} | texts.table(AD_REPORTS).keys())
    return {name: found for name in names if (found := facts(known.field(name)))}


def names_of_reports() -> Iterator[str]:
    """Pinterest's names of the columns of all kinds of ads reports."""
    for enum in ("columns_sync", "columns_async"):
        yield from api.enum(enum, newer=True)
    yield from api.enum("ConversionProductReportingColumn")
    yield from api.schema("CreateMMMReportRequest")["properties"]["columns"]["items"]["enum"]


def stream_columns() -> dict[str, dict[str, dict[str, Any]]]:
    """The facts of the columns of all other streams that have any, by stream and column."""
    config = {"stream_groups": ["all"], "removed_items": True}
    tap = TapPinterest(config=config, validate_config=False)
    streams = {name: cast("PinterestStream", each) for name, each in tap.streams.items()}
    return {
        name: columns for name, each in sorted(streams.items()) if (columns := _columns_of(each))
    }


def _columns_of(stream: PinterestStream) -> dict[str, dict[str, Any]]:
    known = Described(stream.name, stream.path)
    if known.is_ad_report:
        return {}
    fields = stream.schema["properties"]
    return {name: found for name in fields if (found := facts(known.field(name)))}


def facts(meaning: Meaning | None) -> dict[str, Any]:
    """The facts about a column besides its text; empty if there are none."""
    found: Mapping[str, Any] = msgspec.to_builtins(meaning) if meaning else {}
    made = {word: value for word, value in found.items() if word not in _TEXTS}
    if isinstance(meaning, Metric) and "parts" in made:
        made["parts"] = [name.lower() for name in made["parts"]]
    return made


def written() -> str:
    """The whole file: one line for each column."""
    sections: tuple[tuple[str, Mapping[Any, Any]], ...] = (
        ("units", UNITS),
        ("report_columns", report_columns()),
    )
    lines = ['"version": 1', *(_section(name, entries) for name, entries in sections)]
    streams = [
        f"{json.dumps(name)}: {_object(columns, 2)}" for name, columns in stream_columns().items()
    ]
    inner = ",\n  ".join(streams)
    lines.append(f'"streams": {{\n  {inner}\n }}')
    body = ",\n ".join(lines)
    return f"{{\n {body}\n}}\n"


def _section(name: str, entries: Mapping[Any, Any]) -> str:
    return f"{json.dumps(name)}: {_object(entries, 1)}"


def _object(entries: Mapping[Any, Any], depth: int) -> str:
    margin = " " * depth
    lines = f",\n{margin} ".join(
        f"{json.dumps(name)}: {json.dumps(value)}" for name, value in entries.items()
    )
    return f"{{\n{margin} {lines}\n{margin}}}"


def main() -> None:
    """Write the file."""
    FILE.write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main()
