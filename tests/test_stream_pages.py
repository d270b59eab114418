"""Pages of streams and the search for columns, which the site gets from the tap itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from scripts import stream_pages
from scripts.processes import ROOT
from scripts.stream_pages import columns_of, index, page_of, reading, report_columns, streams
from tap_pinterest import api
from tap_pinterest.tap import WRITTEN_LAST

NODE = shutil.which("node")

BROWSER = """
const fs = require("fs"), vm = require("vm");
const made = () => ({
  rows: [], parts: [], textContent: "",
  append(...parts) { this.parts.push(...parts); },
  insertRow() { const row = made(); this.rows.push(row); return row; },
  insertCell() { const cell = made(); this.rows.push(cell); return cell; },
  replaceChildren() { this.rows = []; },
  addEventListener(_, listener) { this.listener = listener; },
});
const byId = { "column-query": made(), "column-results": made(), "column-count": made() };
const document = {
  getElementById: (id) => byId[id], createElement: made, createDocumentFragment: made,
};
const context = {
  document, window: {}, location: { hash: "", pathname: "/" },
  history: { replaceState() {} }, encodeURIComponent, decodeURIComponent,
};
vm.createContext(context);
for (const file of process.argv.slice(2, 4)) {
  vm.runInContext(fs.readFileSync(file, "utf8"), context);
}
byId["column-query"].value = process.argv[4];
byId["column-query"].listener();
const names = byId["column-results"].rows.map((row) => row.rows[0].parts[0].textContent);
console.log(JSON.stringify([byId["column-count"].textContent, names]));
"""


ABOUT_THE_RUN = {each.name for each in WRITTEN_LAST}


@pytest.mark.parametrize(
    ("name", "switch"),
    [
        ("sync_log", "<code>sync_log</code> turns it off"),
        ("listed_items", "<code>removed_items</code> turns it on"),
        ("complete_lists", "<code>removed_items</code> turns it on"),
    ],
)
def test_the_page_of_a_stream_about_the_run_lists_its_columns(name: str, switch: str) -> None:
    page = page_of(streams()[name])

    assert set(re.findall(r'<tr id="([^".]+)"', page)) == {*streams()[name].schema["properties"]}
    assert "The run itself" in page
    assert switch in page


@pytest.mark.parametrize("name", sorted({*streams()} - ABOUT_THE_RUN))
def test_the_page_of_a_stream_has_all_its_facts(name: str) -> None:
    stream = streams()[name]
    page = page_of(stream)
    operation = api.operation(f"GET {stream.path}")

    assert set(re.findall(r'<tr id="([^".]+)"', page)) == set(stream.schema["properties"])
    facts, _ = page.split("<h2>Columns</h2>")
    shown = re.findall(r"<th>(.+?)</th><td>(.+?)</td>", facts)
    assert {"Key", "How it is read", "Source", "Group", "Calls a minute"} <= {
        word for word, _ in shown
    }
    cells = dict(shown)
    assert re.findall(r"<code>(.+?)</code>", cells["Key"]) == list(stream.primary_keys)
    assert re.findall(r"<code>(.+?)</code>", cells.get("Scopes", "")) == list(operation.scopes)
    assert operation.page in cells["Source"]
    assert re.findall(r'href="(http[^"]+)"', page) == re.findall(r'href="([^"]+)"', cells["Source"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("campaigns", "whole: each run reads all rows"),
        ("ad_analytics", "914 days for asynchronous reports, 90 for calls"),
        ("ad_pin_analytics", "Pinterest keeps 90 days"),
        ("keyword_analytics", "Pinterest keeps 914 days"),
        ("product_item_analytics", "Pinterest keeps 92 days"),
        ("user_account_analytics", "<code>organic_lookback</code> are read again"),
        ("keyword_metrics", "as it is on the day of the run"),
        ("user_account_top_pin_analytics", "one list on each day of a run"),
        ("metrics_ready_state", "by days, from the bookmark"),
    ],
)
def test_a_page_says_how_its_stream_is_read(name: str, text: str) -> None:
    assert text in reading(streams()[name])


def test_a_page_says_whether_a_stream_is_read_whole_or_by_days() -> None:
    for stream in streams().values():
        whole = reading(stream).startswith("whole")
        assert whole is (stream.replication_key is None), stream.name


def test_a_report_that_is_ordered_links_to_the_order_too() -> None:
    shown = page_of(streams()["ad_analytics"])
    assert "https://developers.pinterest.com/docs/api/v5/ads-analytics/" in shown
    assert "https://developers.pinterest.com/docs/api/v5/analytics-create_report/" in shown


def test_all_columns_of_ads_reports_have_a_page() -> None:
    names = {column.name for column in report_columns()}
    assert {"total_checkout", "spend_in_dollar", "targeting_value", "product_item_name"} <= names
    assert len(names) > 800


def test_the_search_knows_every_column_and_leads_to_its_page() -> None:
    found = {(entry["name"], page) for entry in index() for page in entry["pages"]}
    columns = {(each.name, name) for name, one in streams().items() for each in columns_of(one)}
    assert {(name, page) for name, page in columns if "." not in name} <= found
    assert {page for _, page in found} == {*streams(), "ads-report-columns"}


def test_a_column_that_means_the_same_everywhere_is_in_the_search_once() -> None:
    spend = [entry for entry in index() if entry["name"] == "spend_in_dollar"]
    assert len(spend) == 1
    assert {"ad_analytics", "campaign_analytics", "mmm_report"} <= set(spend[0]["pages"])


@pytest.mark.skipif(NODE is None, reason="there is no Node here")
@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("spend_in_dollar", "spend_in_dollar"),
        ("checkout value websites clicks", "total_web_click_checkout_value_in_micro_dollar"),
        ("Daily Spend Cap", "daily_spend_cap"),
    ],
)
def test_the_search_finds_columns_by_words(
    query: str, first: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("search")
    (folder / "index.js").write_text(f"window.COLUMNS = {json.dumps(index())};", encoding="utf-8")
    (folder / "browser.js").write_text(BROWSER, encoding="utf-8")
    script = ROOT / "docs" / "_static" / stream_pages.SCRIPT_FILE
    command = [str(NODE), str(folder / "browser.js"), str(folder / "index.js"), str(script), query]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    count, names = json.loads(run.stdout)

    assert names[0] == first
    assert re.match(r"\d+ found", count)


@pytest.mark.skipif(NODE is None, reason="there is no Node here")
def test_the_search_says_that_it_found_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("search")
    (folder / "index.js").write_text("window.COLUMNS = [];", encoding="utf-8")
    (folder / "browser.js").write_text(BROWSER, encoding="utf-8")
    script = ROOT / "docs" / "_static" / stream_pages.SCRIPT_FILE
    command = [str(NODE), str(folder / "browser.js"), str(folder / "index.js"), str(script), "x"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)

    assert json.loads(run.stdout) == ["0 found", []]
