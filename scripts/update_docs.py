"""Write the tables of streams and settings into the documents, from the tap's own descriptions."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from scripts import loader_messages
from scripts.processes import ROOT
from tap_pinterest import api, config
from tap_pinterest.api.levels import LEVELS
from tap_pinterest.api.periods import (
    ASYNCHRONOUS,
    GRANULARITIES,
    ONE_DAY,
    ORGANIC,
    SYNCHRONOUS,
    DateRange,
    cut,
    slices,
)
from tap_pinterest.config import schema
from tap_pinterest.http.rate_limit import STANDARD
from tap_pinterest.layouts.daasity import TABLES
from tap_pinterest.reports.plan import MOST_CALLS, REPORT_ROWS
from tap_pinterest.streams import STREAM_TYPES
from tap_pinterest.streams.bases.report import AdsReport
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_pinterest.streams.bases.stream import PinterestStream

DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

GROUPS = {
    "ads": "Ad accounts, campaigns, ad groups, ads, and their daily numbers",
    "organic": "The profile and its daily numbers, boards and Pins",
    "boards": "The contents of boards, uploaded videos, daily numbers of Pins, and top Pins",
    "products": "Product groups, their daily numbers, and promotions",
    "keywords": "Keywords and how often they are searched for",
    "targeting": "Daily numbers of Pins in ads and by targeting type; saved targeting",
    "audiences": "Audiences, customer lists, insights",
    "conversions": "Tags, events, and the quality of events",
    "billing": "Invoices, credit, order lines",
    "catalogs": "Catalogs, feeds, product groups, and their faults",
    "business": "Members, partners and assets of a business",
    "resources": "Facts that are the same for every user: countries, targeting options, interests",
    "trends": "Search terms and trends",
    "personal": "People: followers, and the people that a user follows",
    "beta": "Streams that Pinterest opens to some apps only",
}
"""Headings of `stream_groups`; another group has its name as the heading."""

ORDER_OF_REPORTS = "POST /ad_accounts/{ad_account_id}/reports"

UNFINISHED_DAYS = 2
"""Days up to yesterday that Pinterest has not finished; the bookmark is before them."""

_BLOCK = re.compile(
    r"<!-- (?P<name>[a-z ]+): written by make settings -->.*?<!-- end of (?P=name) -->", re.DOTALL
)


def groups() -> Iterator[str]:
    """The groups of streams as the rows of a Markdown table."""
    yield "| group | streams |"
    yield "|---|---|"
    on = config.CONFIG_SCHEMA["properties"]["stream_groups"]["default"]
    for group, members in _by_group().items():
        names = ", ".join(f"`{stream.name}`" for stream in members)
        yield f"| `{group}`{' (on)' if group in on else ''} | {names} |"


def streams() -> Iterator[str]:
    """A section with a table for each group of streams."""
    for group, members in _by_group().items():
        yield f"## {group}"
        yield ""
        yield f"{GROUPS.get(group, group.capitalize())}."
        yield ""
        titles = "one record is | key | replication | endpoint | scopes | calls a minute | needs"
        yield f"| stream | {titles} |"
        yield "|---|---|---|---|---|---|---|---|"
        for stream in members:
            yield _row(stream)
        yield ""


def _row(stream: PinterestStream) -> str:
    operation = api.operation(f"GET {stream.path}")
    cells = (
        f"`{stream.name}`",
        _meaning(type(stream)),
        ", ".join(f"`{key}`" for key in stream.primary_keys),
        f"by `{stream.replication_key}`" if stream.replication_key else "whole",
        ", ".join(f"`{each}`" for each in endpoints(stream)),
        ", ".join(operation.scopes),
        f"{STANDARD[operation.category].calls:,}",
        ", ".join(f"`{name}`" for name in _needed(stream)),
    )
    return f"| {' | '.join(cells)} |"


def endpoints(stream: PinterestStream) -> Iterator[str]:
    """The operations that answer the rows of a stream, such as `GET /boards`."""
    order = f"POST {stream.path}"
    is_only_ordered = order in api.operations()
    if is_only_ordered:
        yield order
    yield f"GET {stream.path}"
    if not is_only_ordered and isinstance(stream, AdsReport) and stream.question.order_level:
        yield ORDER_OF_REPORTS


def _needed(stream: PinterestStream) -> list[str]:
    """Settings that the stream needs to make any call."""
    sources = getattr(stream, "per", ())
    return list(dict.fromkeys(name for source in sources for name in source.settings))


def not_for_apps() -> Iterator[str]:
    """The streams that `client_credentials` cannot read, in one sentence."""
    refused = [
        f"`{stream.name}`"
        for members in _by_group().values()
        for stream in members
        if not api.operation(f"GET {stream.path}").client_credentials
    ]
    yield f"{', '.join(refused)}."


def showing_removed() -> Iterator[str]:
    """The streams whose lists show removed items, by group."""
    yield "| group | streams |"
    yield "|---|---|"
    for group, members in _by_group(removed_items=True).items():
        names = [f"`{each.name}`" for each in members if getattr(each, "tells_removed", False)]
        if names:
            yield f"| `{group}` | {', '.join(names)} |"


def _by_group(**more: bool) -> Mapping[str, list[PinterestStream]]:
    """All streams, in the order of `STREAM_TYPES`, by their group."""
    found = TapPinterest(config={"stream_groups": ["all"], **more}, validate_config=False).streams
    by_group: dict[str, list[PinterestStream]] = {
        group: [] for group in config.STREAM_GROUPS if group != "all"
    }
    for each in STREAM_TYPES:
        stream = cast("PinterestStream", found[str(vars(each)["name"])])
        by_group.setdefault(each.group, []).append(stream)
    return by_group


def _meaning(stream: type[PinterestStream]) -> str:
    """The first sentence of the docstring."""
    text = re.sub(r"\s+", " ", stream.__doc__ or "").strip()
    return re.split(r"(?<=\.) |: ", text, maxsplit=1)[0].rstrip(".")


def settings() -> Iterator[str]:
    """A section with a table for each group of the tap's own settings."""
    for heading, section in schema.GROUPS.items():
        yield f"## {heading}"
        yield ""
        yield "| setting | kind | default | meaning |"
        yield "|---|---|---|---|"
        yield from (_setting(name, each) for name, each in section.items())
        yield ""


def _setting(name: str, schema: Mapping[str, Any]) -> str:
    allowed = [f"`{value}`" for value in schema.get("enum", ()) if value is not None]
    values = f" One of {', '.join(allowed)}." if allowed else ""
    kind = _kind(schema)
    return f"| `{name}` | {kind} | {_default(schema)} | {schema['description']}{values} |"


def _kind(schema: Mapping[str, Any]) -> str:
    if schema.get("secret"):
        return "secret"
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    names = {"array": "list", "boolean": "true or false", "integer": "number", "string": "text"}
    kind = next(name for name in types if name != "null")
    return names.get(kind, kind)


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    if default is None or default == "":
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{', '.join(default)}`" if isinstance(default, list) else f"`{default}`"


def sync_key_fields() -> Iterator[str]:
    """The fields of `__sync_key` of the eight tables that Daasity has, as a Markdown table."""
    yield "| table | fields |"
    yield "|---|---|"
    for name, table in TABLES.items():
        fields = ", ".join(f"`{field}`" for field in table.sync_key_fields or table.key)
        yield f"| `{name}` | {fields} |"


def daasity_tables() -> Iterator[str]:
    """Daasity's tables as the rows of a Markdown table."""
    yield "| table | from the stream | key | columns |"
    yield "|---|---|---|---|"
    for name, table in TABLES.items():
        keys = ", ".join(f"`{field}`" for field in table.key)
        columns = ", ".join(f"`{column}`" for column in table.columns)
        yield f"| `{name}` | `{table.source}` | {keys} | {columns} |"


def calls() -> Iterator[str]:
    """Calls for the report of ads by number of ads, as the rows of a Markdown table."""
    near, far = SYNCHRONOUS.days_back, ASYNCHRONOUS.days_back
    yield f"| ads in an account | first run, {near} days | {far} days | each day after |"
    yield "|---|---|---|---|"
    lookback = config.Settings.from_config({"access_token": "-"}).attribution_lookback
    for ads in (10, 100, 1_000, 10_000):
        first, later = (_calls(days, ads) for days in (near, lookback + UNFINISHED_DAYS))
        older = _reports(far - near, ads)
        yield f"| {ads:,} | {first} | and {older} | {later} |"


def _calls(days: int, ads: int) -> str:
    """The number of calls that read these days of some ads, or of reports if that is too many."""
    ids = [f"{number:012}" for number in range(ads)]
    rows = schema.SLICE_ROWS["standard"]
    dates, (most_ids, most_days) = _last(days), (SYNCHRONOUS.ids, SYNCHRONOUS.days)
    count = len(slices(dates, ids, rows=rows, max_ids=most_ids, max_days=most_days))
    return f"{count:,}" if count <= MOST_CALLS else _reports(days, ads)


def _reports(days: int, ads: int) -> str:
    pieces = cut(_last(days), min(ASYNCHRONOUS.days, max(REPORT_ROWS // ads, 1)))
    return f"{len(pieces):,} asynchronous report{'s' if len(pieces) > 1 else ''}"


def _last(days: int) -> DateRange:
    """A range of this many days."""
    end = date(2026, 11, 19)
    return DateRange(end - ONE_DAY * (days - 1), end)


def reach() -> Iterator[str]:
    """How far back Pinterest reaches, as the rows of a Markdown table."""
    yield "| report | days back, asynchronous | days back, synchronous |"
    yield "|---|---|---|"
    both = (ASYNCHRONOUS, SYNCHRONOUS)
    yield f"| by day, week, month, in total | {' | '.join(str(each.days_back) for each in both)} |"
    hours = [GRANULARITIES["HOUR"].limited(each) for each in both]
    yield f"| by hour | {' | '.join(str(each.days_back) for each in hours)} |"
    for level in LEVELS.values():
        if level.report_limits != ASYNCHRONOUS:
            yield f"| of {level.plural} | {level.report_limits.days_back} | |"
    yield f"| organic | | {ORGANIC.days_back} |"


def messages_of_the_loader() -> Iterator[str]:
    """The loader's messages about a database, as Markdown lists."""
    for title, messages in loader_messages.by_time().items():
        yield f"### {title}"
        yield ""
        yield from (f"- `{message}`" for message in messages)
        yield ""


BLOCKS = {
    "messages of the loader": messages_of_the_loader,
    "calls": calls,
    "reach": reach,
    "daasity tables": daasity_tables,
    "groups": groups,
    "streams": streams,
    "streams that client credentials cannot read": not_for_apps,
    "streams that show removed items": showing_removed,
    "settings": settings,
    "sync key fields": sync_key_fields,
}


def written(text: str) -> str:
    """The text of a document with new tables."""

    def block(found: re.Match[str]) -> str:
        name = found["name"]
        lines = "\n".join(BLOCKS[name]()).rstrip()
        begin, end = f"<!-- {name}: written by make settings -->", f"<!-- end of {name} -->"
        return f"{begin}\n\n{lines}\n\n{end}"

    return _BLOCK.sub(block, text)


def main() -> None:
    """Replace the tables, and leave the rest of each file unchanged."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        document.write_text(written(text), encoding="utf-8")


if __name__ == "__main__":
    main()
