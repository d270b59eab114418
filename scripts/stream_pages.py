"""Makes pages of the documentation from the tap: a page for each stream, a page of all columns.

A Sphinx extension. The pages are made while the site is built, and no file of them is kept.
"""

from __future__ import annotations

import functools
import json
import logging
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from docutils import nodes
from docutils.utils import new_document

from scripts.update_dictionary import names_of_reports
from scripts.update_docs import GROUPS, ORDER_OF_REPORTS, endpoints
from tap_pinterest import api
from tap_pinterest.api.columns import only_asynchronous
from tap_pinterest.api.periods import ORGANIC
from tap_pinterest.dictionary import AD_REPORTS, Described, texts
from tap_pinterest.http.rate_limit import STANDARD
from tap_pinterest.streams.bases.report import AdsReport
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sphinx.application import Sphinx
    from sphinx.builders.html import StandaloneHTMLBuilder

    from tap_pinterest.dictionary import Meaning
    from tap_pinterest.streams.bases.stream import PinterestStream

    Page = tuple[str, dict[str, Any], str]

FOLDER = "stream"
REPORT_COLUMNS = f"{FOLDER}/ads-report-columns"
SEARCH = "columns"
"""The document that gets the search below its text."""
INDEX_FILE = "column-index.js"
SCRIPT_FILE = "columns.js"
SWITCHES = dict.fromkeys(("listed_items", "complete_lists"), "removed_items")
"""The settings that turn streams about the run on; the others have the name of their stream."""
DEEPEST = 2
"""Members of members that the search looks through; the pages have all."""

_KINDS = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "object",
    "string": "text",
}
_FORMATS = {"date": "date", "date-time": "time (UTC)"}


class Column(NamedTuple):
    """A column, or a member of an object inside one."""

    name: str
    """Dotted for a member."""
    kind: str
    unit: str
    adds_up: str
    text: str


@functools.cache
def streams() -> Mapping[str, PinterestStream]:
    """All streams of Pinterest's layout, by name."""
    # Messages of the tap's start do not belong into the site's log.
    logging.disable(logging.INFO)
    config = {"stream_groups": ["all"], "removed_items": True}
    found = TapPinterest(config=config, validate_config=False).streams
    logging.disable(logging.NOTSET)
    return {name: cast("PinterestStream", each) for name, each in found.items()}


def columns_of(stream: PinterestStream) -> list[Column]:
    """The columns of a stream with their members, in the order of the schema."""
    known = Described(stream.name, stream.path)
    return list(_columns(stream.schema, known, ""))


def _columns(schema: Mapping[str, Any], known: Described, outer: str) -> Iterator[Column]:
    for name, shape in schema.get("properties", {}).items():
        path = f"{outer}{name}"
        yield column(path, _kind(shape), known.field(path))
        yield from _columns(shape, known, f"{path}.")
        for word in ("items", "additionalProperties"):
            if isinstance(inner := shape.get(word), dict):
                yield from _columns(inner, known, f"{path}.")


def column(name: str, kind: str, meaning: Meaning | None) -> Column:
    """A column with its text in the dictionary."""
    if meaning is None:
        msg = f"the dictionary does not know {name}"
        raise ValueError(msg)
    unit = (meaning.unit or "").replace("_", " ")
    return Column(name, kind, unit, ", ".join(meaning.adds_up), meaning.description)


def _kind(shape: Mapping[str, Any]) -> str:
    if shape.get("format") in _FORMATS:
        return _FORMATS[shape["format"]]
    kinds = [shape["type"]] if isinstance(shape["type"], str) else shape["type"]
    return " or ".join(_KINDS[kind] for kind in kinds if kind != "null")


def report_columns() -> list[Column]:
    """All columns that ads reports of any kind can have."""
    known = Described("ad_analytics")
    attributes = texts.table(AD_REPORTS)
    names = sorted({name.lower() for name in names_of_reports()} | attributes.keys())
    return [
        column(name, "text" if name in attributes else "number", known.field(name))
        for name in names
    ]


def facts_of(stream: PinterestStream) -> list[tuple[str, str]]:
    """The facts about a stream besides its columns, as HTML."""
    if stream.is_about_the_run:
        return list(_facts_about_the_run(stream))
    operation = api.operation(f"GET {stream.path}")
    settings = dict.fromkeys(
        name for source in getattr(stream, "per", ()) for name in source.settings
    )
    facts = [
        ("Key", _code(stream.primary_keys)),
        ("How it is read", reading(stream)),
        ("Source", ", ".join(_sources(stream))),
        ("Scopes", _code(operation.scopes)),
        ("Group", f"{_code([stream.group])} of <code>stream_groups</code>"),
        ("Calls a minute", f"{STANDARD[operation.category].calls:,} at the standard tier"),
        ("Empty without", _code(settings)),
        ("In beta", "Pinterest opens it to some apps only" if operation.beta else ""),
        ("Known since", f"release {operation.since} of the API" if operation.since else ""),
    ]
    return [(name, text) for name, text in facts if text]


def _facts_about_the_run(stream: PinterestStream) -> Iterator[tuple[str, str]]:
    is_kept = {"run_id", "listed_at"} & {*stream.primary_keys}
    adds = "each run adds its own rows" if is_kept else "a run updates the rows of what it lists"
    switch = SWITCHES.get(stream.name)
    yield "Key", _code(stream.primary_keys)
    yield "How it is read", f"after all other streams: {adds}"
    yield "Source", "the run itself"
    yield "Group", f"none: {_code([switch or stream.name])} turns it {'on' if switch else 'off'}"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"<code>{escape(name)}</code>" for name in names)


def _sources(stream: PinterestStream) -> Iterator[str]:
    """Links to the operations that answer the rows."""
    for key in endpoints(stream):
        yield f'<a href="{escape(api.operation(key).page)}"><code>{escape(key)}</code></a>'


def reading(stream: PinterestStream) -> str:
    """How a run reads the stream: whole, or by days, and which days again, as HTML."""
    one = texts.stream(stream.name)
    like = one.tables if one else ()
    days = "by days, from the bookmark <code>date</code> on"
    if isinstance(stream, AdsReport):
        again = "the days of the longest attribution window are read again"
        return f"{days}; {again}" + ("" if _is_in_beta(stream) else f", and {_reach(stream)}")
    if "TopPins" in like:
        return f"one list on each day of a run; Pinterest keeps {ORGANIC.days_back} days"
    if "OrganicMetrics" in like:
        again = "the days of <code>organic_lookback</code> are read again"
        return f"{days}; {again}, and Pinterest keeps {ORGANIC.days_back} days"
    if "Snapshot" in like:
        own = "each day adds its own rows, under its <code>date</code>"
        return f"as it is on the day of the run: {own}"
    return days if stream.replication_key else "whole: each run reads all rows"


def _is_in_beta(stream: PinterestStream) -> bool:
    """Whether it is a report in beta, which has its own reach."""
    order = f"POST {stream.path}"
    return order != ORDER_OF_REPORTS and order in api.operations()


def _reach(report: AdsReport) -> str:
    """How far back Pinterest has the rows of an ads report."""
    question = report.question
    reports, calls = (
        limits.days_back for limits in (question.level.report_limits, question.level.call_limits)
    )
    if not question.path:
        return f"Pinterest keeps {reports} days"
    if not question.order_level:
        return f"Pinterest keeps {calls} days"
    return f"Pinterest keeps {reports} days for asynchronous reports, {calls} for calls"


def page_of(stream: PinterestStream) -> str:
    """The page of a stream, as HTML."""
    known = Described(stream.name, stream.path)
    facts = "".join(
        f"<tr><th>{name}</th><td>{text[0].upper()}{text[1:]}</td></tr>"
        for name, text in facts_of(stream)
    )
    more = ""
    if known.is_ad_report:
        link = '<a href="ads-report-columns.html">all columns of ads reports</a>'
        more = f"<p>These are the default columns; <code>report_columns</code> can name {link}.</p>"
    return (
        f"<h1>{stream.name}</h1><p>{escape(known.text or '')}</p>"
        f"{_wrapped('facts', f'<tbody>{facts}</tbody>')}"
        f"<h2>Columns</h2>{more}{table(columns_of(stream))}"
        '<p><a href="../streams.html">All streams</a>, '
        '<a href="../columns.html">all columns</a></p>'
    )


def page_of_report_columns() -> str:
    """The page of all columns of ads reports, as HTML."""
    asynchronous = {name.lower() for name in only_asynchronous(names_of_reports())}
    found = [
        each._replace(text=f"{each.text} Asynchronous reports only.")
        if each.name in asynchronous
        else each
        for each in report_columns()
    ]
    return (
        "<h1>Columns of ads reports</h1><p>Names that <code>report_columns</code>, "
        "<code>custom_reports</code> and the reports in beta can have, each where Pinterest "
        f"offers it.</p>{table(found)}"
    )


def table(columns: Sequence[Column]) -> str:
    """Columns as a table, in HTML."""
    rows = "".join(
        f'<tr id="{escape(each.name)}"><td><code>{escape(each.name)}</code></td>'
        f"<td>{each.kind}</td><td>{each.unit}</td><td>{each.adds_up}</td>"
        f"<td>{escape(each.text)}</td></tr>"
        for each in columns
    )
    titles = ("column", "type", "unit", "adds up over", "meaning")
    head = "".join(f"<th>{title}</th>" for title in titles)
    return _wrapped("columns", f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>")


def _wrapped(kind: str, content: str, name: str = "") -> str:
    """A table that scrolls alone if it is too wide."""
    own = f' id="{name}"' if name else ""
    return f'<div class="table-wrapper"><table class="docutils {kind}"{own}>{content}</table></div>'


def groups() -> str:
    """Links to the pages of all streams, by group, as HTML."""
    by_group: dict[str, list[str]] = {}
    for name, stream in sorted(streams().items()):
        by_group.setdefault(stream.group, []).append(name)
    parts = [
        f"<h3>{escape(group)}</h3><p>{escape(GROUPS.get(group, group))}.</p><p>{_links(names)}</p>"
        for group in GROUPS
        if (names := by_group.get(group))
    ]
    return f"<h2>Pages of the streams</h2>{''.join(parts)}"


def _links(names: Iterable[str]) -> str:
    return ", ".join(f'<a href="{FOLDER}/{name}.html"><code>{name}</code></a>' for name in names)


def index() -> list[dict[str, Any]]:
    """The index of the search; it has a column with the same meaning in several streams once."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    by_page = {name: columns_of(stream) for name, stream in streams().items()}
    by_page["ads-report-columns"] = report_columns()
    for page, columns in by_page.items():
        for each in columns:
            if each.name.count(".") <= DEEPEST:
                entry = {"name": each.name, "unit": each.unit, "text": each.text, "pages": []}
                found.setdefault((each.name, each.text), entry)["pages"].append(page)
    return sorted(found.values(), key=lambda entry: str(entry["name"]))


def search() -> str:
    """The search with its scripts, as HTML."""
    example = "for example: spend, checkout value, ratio"
    scripts = "".join(
        f'<script src="_static/{name}"></script>' for name in (INDEX_FILE, SCRIPT_FILE)
    )
    return (
        f'<h2>Find a column</h2><p><input type="search" id="column-query" placeholder="{example}"'
        ' aria-label="Find a column"> <span id="column-count"></span></p>'
        "<noscript><p>The search needs JavaScript; the pages below need none.</p></noscript>"
        f"{_wrapped('columns', '', 'column-results')}{scripts}{groups()}"
    )


def _pages(app: Sphinx) -> Iterator[Page]:
    builder = cast("StandaloneHTMLBuilder", app.builder)
    titles = {f"{FOLDER}/{name}": (name, page_of(each)) for name, each in streams().items()}
    titles[REPORT_COLUMNS] = ("Columns of ads reports", page_of_report_columns())
    for name, (title, body) in titles.items():
        _make_findable(builder, name, title)
        context = {"title": title, "body": f"<section>{body}</section>", "toc": ""}
        yield name, {**context, "display_toc": False}, "page.html"


def _make_findable(builder: StandaloneHTMLBuilder, name: str, title: str) -> None:
    """Let the site's own search find a page by the names of its stream and columns.

    The texts of columns are only in the search of columns: here they would double the time of the
    build.
    """
    if builder.indexer is None:
        return
    found = streams().get(title)
    columns = columns_of(found) if found else report_columns()
    names = [each.name for each in columns if "." not in each.name]
    document = new_document(name)
    document += nodes.title(text=title)
    document += nodes.paragraph(text=" ".join(names))
    builder.indexer.feed(name, f"{name}.html", title, document)


def _add_search(
    _app: Sphinx,
    page: str,
    _template: str,
    context: dict[str, Any],
    _doctree: nodes.document | None,
) -> None:
    if page == SEARCH:
        context["body"] += search()


def _link_streams(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Lead from the names in the tables of streams to their pages."""
    if name != "streams" or app.builder.format != "html":
        return
    for literal in list(doctree.findall(nodes.literal)):
        if literal.astext() in streams() and isinstance(literal.parent.parent, nodes.entry):
            link = nodes.reference(refuri=f"{FOLDER}/{literal.astext()}.html", internal=True)
            literal.replace_self(link)
            link += literal


def _write_index(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        path = Path(app.outdir) / "_static" / INDEX_FILE
        path.write_text(f"window.COLUMNS = {json.dumps(index())};\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the pages to a site."""
    app.connect("html-collect-pages", _pages)
    app.connect("html-page-context", _add_search)
    app.connect("doctree-resolved", _link_streams)
    app.connect("build-finished", _write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
