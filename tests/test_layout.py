"""Other columns than Pinterest's: Daasity's tables, and displayed names; and what comes after."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinterest_sandbox.answers import resources
from singer_run import catalog_of, run, settings
from tap_pinterest.api.columns import columns_for
from tap_pinterest.api.levels import LEVELS
from tap_pinterest.config import problems
from tap_pinterest.layouts.daasity import REPORT_COLUMNS, TABLES
from tap_pinterest.records.display_names import LONGEST, column_names, snake_case
from tap_pinterest.records.sync_key import sync_key
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinterest_sandbox import Sandbox

DOCUMENTS = Path(__file__).parents[2] / "shared" / "seeds"
SYNC_KEY_PAGE = Path(__file__).parents[1] / "docs" / "sync-key.md"
BUDGET_ERRATUM = ("ad_groups", 6)
"""Where a document lists `bid_in_micro_currency` twice, first for the budget."""


def catalog(**config: Any) -> dict[str, Any]:
    entries = catalog_of({"layout": "daasity", **config}, ())["streams"]
    return {entry["tap_stream_id"]: entry for entry in entries}


def documented_columns() -> dict[str, list[str]]:
    """The tables of the two documents, as printed, each with `__sync_key` last."""
    first, second = (next(DOCUMENTS.glob(f"{number}_*")) for number in ("000", "001"))
    tables = {}
    parts = first.read_text(encoding="utf-8").split("JSON Element |")[1:]
    for name, part in zip(("account", "account_metrics", "delivery_metrics"), parts, strict=True):
        cells = [line.strip(" |") for line in part.split("Incremental")[0].strip().splitlines()]
        tables[name] = [*cells[::2], "__sync_key"]
    text = second.read_text(encoding="utf-8").replace("\\", "")
    for part in text.split("### **")[1:]:
        (name,) = re.findall(r"\[`pinterest\.(\w+)`\]", part)
        rows = [line.split("|") for line in part.splitlines() if line.startswith("|")]
        tables[name] = [row[2].strip() for row in rows[2:]]
    return tables


@pytest.mark.skipif(not DOCUMENTS.exists(), reason="the two documents are not here")
@pytest.mark.parametrize("table", TABLES)
def test_the_columns_are_those_of_the_documents(table: str) -> None:
    printed = documented_columns()[table]
    if table == BUDGET_ERRATUM[0]:
        printed[BUDGET_ERRATUM[1]] = "budget_in_micro_currency"

    assert list(catalog()[table]["schema"]["properties"]) == printed


def test_the_eight_tables_are_all_that_can_be_discovered() -> None:
    assert set(catalog()) == set(TABLES)
    assert len(TABLES) == 8


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_upserted_by_its_natural_key(table: str) -> None:
    entry = catalog()[table]

    properties = entry["schema"]["properties"]
    assert tuple(entry["key_properties"]) == TABLES[table].key
    assert all("null" not in properties[key]["type"] for key in entry["key_properties"])
    assert properties["__sync_key"]["type"] == ["string", "null"]


@pytest.mark.parametrize("table", TABLES)
def test_the_documents_list_the_fields_of_each_tables_key(table: str) -> None:
    fields = TABLES[table].sync_key_fields or TABLES[table].key

    assert (
        f"| `{table}` | {', '.join(f'`{field}`' for field in fields)} |"
        in SYNC_KEY_PAGE.read_text(encoding="utf-8")
    )


def test_the_columns_of_the_report_are_asked_for_and_no_others(sandbox: Sandbox) -> None:
    run(settings(sandbox, layout="daasity"), "ad_analytics")

    asked = {
        tuple(sorted(value.split(",")))
        for request in sandbox.requests
        if request.path.endswith("/ads/analytics")
        for name, value in request.query
        if name == "columns"
    }
    known = {"AD_ACCOUNT_ID", "AD_ID"}
    assert asked == {tuple(sorted(set(REPORT_COLUMNS) - known))}
    assert set(REPORT_COLUMNS) <= set(columns_for(LEVELS["ad"], "all"))


def test_accounts_carry_the_attribution_settings_in_force(sandbox: Sandbox) -> None:
    more = {"click_window_days": 7, "view_window_days": 0}
    records = run(settings(sandbox, layout="daasity", **more), "ad_accounts").records("ad_accounts")

    shown = [{name: record[name] for name in list(record)[5:-1]} for record in records]
    assert shown == [
        {
            "click_window_days": 7,
            "__engagement_window_days": 30,
            "__view_window_days": 0,
            "__conversion_report_time": "TIME_OF_AD_ACTION",
        }
    ] * len(records)
    assert all(record["owner"] for record in records)


def test_columns_that_api_v5_lacks_are_null(sandbox: Sandbox) -> None:
    (account,) = run(settings(sandbox, layout="daasity"), "account").records("account")

    # An account at Pinterest need not name a website.
    absent = [name for name in account if account[name] is None and name != "domain_url"]
    assert absent == [
        *("first_name", "last_name", "location", "gender", "is_active"),
        *("last_pin_like_time", "last_pin_save_time", "created_at"),
    ]


@pytest.mark.parametrize(
    ("website", "host"),
    [
        ("https://Shop.example.com:8443/sale?utm_source=pin", "shop.example.com"),
        ("www.example.com/about", "www.example.com"),
        ("example.com", "example.com"),
        ("", None),
        (None, None),
        ("http://[::1", "http://[::1"),
    ],
)
def test_the_domain_of_an_account_is_the_host_of_its_website(
    website: str | None, host: str | None
) -> None:
    arrange = TABLES["account"].arrange({})

    row = arrange({"id": "7", "username": "studio", "website_url": website})

    assert row is not None
    assert row["domain_url"] == host


def test_the_table_of_accounts_has_hosts_instead_of_addresses(sandbox: Sandbox) -> None:
    plain = run(settings(sandbox), "user_account")
    (record,) = plain.records("user_account")
    (row,) = run(settings(sandbox, layout="daasity"), "account").records("account")

    assert urlsplit(record["website_url"]).hostname == row["domain_url"] != record["website_url"]


def test_account_metrics_are_one_row_a_day(sandbox: Sandbox) -> None:
    config = settings(sandbox, layout="daasity")
    (row,) = run(config, "account_metrics").records("account_metrics")

    assert row["metric_date"] == sandbox.today.isoformat()
    assert row["__sync_key"] == sync_key(row, ["pinterest_id", "metric_date"])


def test_accounts_of_several_users_are_a_row_each(sandbox: Sandbox) -> None:
    both = {"organic_accounts": "both"}
    plain = run(settings(sandbox, **both), "user_account")
    ended = run(settings(sandbox, layout="daasity", **both), "account", "account_metrics")

    ids = [record["id"] for record in plain.records("user_account")]
    assert len(ids) > 1
    for table in ("account", "account_metrics"):
        assert [row["pinterest_id"] for row in ended.records(table)] == ids
    partitions = ended.state["bookmarks"]["account_metrics"]["partitions"]
    assert {each["replication_key"] for each in partitions} == {"metric_date"}


def test_filters_narrow_the_tables(sandbox: Sandbox) -> None:
    plain = run(settings(sandbox), "ads").records("ads")
    wanted = plain[0]["campaign_id"]

    ended = run(
        settings(sandbox, layout="daasity", campaign_ids=wanted), "ads", "campaigns", "ad_analytics"
    )

    assert [row["id"] for row in ended.records("campaigns")] == [wanted]
    for table in ("ads", "ad_analytics"):
        assert {row["campaign_id"] for row in ended.records(table)} == {wanted}


def test_a_metric_of_both_transports_has_its_synchronous_row(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        resources, "_metric", lambda _, name, category: {"name": name, "category": category}
    )
    rows = run(settings(sandbox, layout="daasity"), "delivery_metrics").records("delivery_metrics")
    plain = run(settings(sandbox), "delivery_metrics").records("delivery_metrics")

    assert [row["metric_id"] for row in rows] == list(dict.fromkeys(r["name"] for r in plain))
    assert len(plain) > len(rows)


def test_the_preferred_row_wins_in_any_order() -> None:
    arrange = TABLES["delivery_metrics"].arrange({})
    kinds = [("A", "ASYNC"), ("A", "SYNC"), ("B", "SYNC"), ("B", "ASYNC"), ("A", "ASYNC")]
    records = [{"name": name, "report_type": kind, "definition": kind} for name, kind in kinds]

    rows = [row for record in records if (row := arrange(record))]

    assert {row["metric_id"]: row["metric_definition"] for row in rows} == {
        "A": "SYNC",
        "B": "SYNC",
    }


def test_selection_removes_no_column_of_the_tables(sandbox: Sandbox) -> None:
    config = settings(sandbox, layout="daasity")
    everything = [f"campaigns.{name}" for name in TABLES["campaigns"].columns]

    records = run(config, "campaigns", without=everything).records("campaigns")

    assert [list(record) for record in records] == [
        [*TABLES["campaigns"].columns, "__sync_key"]
    ] * len(records)


def test_without_the_sync_key_its_column_is_not_in_the_tables() -> None:
    entries = catalog(sync_key=False)

    assert not any("__sync_key" in entry["schema"]["properties"] for entry in entries.values())


@pytest.mark.parametrize(
    "more",
    [{"report_columns": "all"}, {"column_names": "display"}, {"stream_groups": ["ads"]}],
    ids=str,
)
def test_a_setting_that_the_layout_decides_is_refused(more: dict[str, Any]) -> None:
    config = {"layout": "daasity", "access_token": "pina_x", **more}

    (fault,) = problems(config)

    assert fault.startswith(next(iter(more)))
    assert problems({**config, "layout": "pinterest"}) == []


# What comes after the layout: the key, the selection, the SDK's flattening and stream maps.


def test_the_key_is_made_of_the_tables_columns_not_of_pinterests_fields(sandbox: Sandbox) -> None:
    fields = {"ad_accounts": ["owner", "__view_window_days"]}
    config = settings(sandbox, layout="daasity", sync_key_fields=fields, sync_key_separator="/")

    for record in run(config, "ad_accounts").records("ad_accounts"):
        assert record["__sync_key"] == sync_key({"key": f"{record['owner']}/1"}, ["key"])


@pytest.mark.parametrize("layout", ["pinterest", "daasity"])
def test_deselecting_a_column_never_changes_a_key(sandbox: Sandbox, layout: str) -> None:
    config = settings(sandbox, layout=layout, start_date="10 days ago")
    whole = run(config, "ads", "ad_analytics")
    names = [f"{s}.{n}" for s in ("ads", "ad_analytics") for n in whole.records(s)[0]]

    bare = run(config, "ads", "ad_analytics", without=names)

    for stream in ("ads", "ad_analytics"):
        keys = [record["__sync_key"] for record in whole.records(stream)]
        assert [record["__sync_key"] for record in bare.records(stream)] == keys
        assert keys


def test_stream_maps_see_the_tables_columns_and_the_key(sandbox: Sandbox) -> None:
    maps = {"account": {"key": "__sync_key[:4]", "site": "domain_url", "__sync_key": None}}
    config = settings(sandbox, layout="daasity", stream_maps=maps)
    (whole,) = run(settings(sandbox, layout="daasity"), "account").records("account")

    (record,) = run(config, "account").records("account")

    assert record["key"] == whole["__sync_key"][:4]
    assert record["site"] == whole["domain_url"]
    assert "__sync_key" not in record


def test_stream_maps_cannot_change_a_key_that_has_been_made(sandbox: Sandbox) -> None:
    maps = {"campaigns": {"id": "'x' + id"}}
    before = run(settings(sandbox), "campaigns").records("campaigns")

    after = run(settings(sandbox, stream_maps=maps), "campaigns").records("campaigns")

    assert [r["__sync_key"] for r in after] == [r["__sync_key"] for r in before]
    assert [r["id"] for r in after] == [f"x{r['id']}" for r in before]


def test_flattening_comes_after_the_selection_and_leaves_keys_alone(sandbox: Sandbox) -> None:
    flat = {"flattening_enabled": True, "flattening_max_depth": 1}
    before = run(settings(sandbox), "ad_accounts").records("ad_accounts")

    after = run(settings(sandbox, **flat), "ad_accounts", without=["ad_accounts.owner.id"])

    records = after.records("ad_accounts")
    assert [r["__sync_key"] for r in records] == [r["__sync_key"] for r in before]
    assert [r["owner__username"] for r in records] == [r["owner"]["username"] for r in before]
    assert not any("owner__id" in record for record in records)


def test_flattening_changes_nothing_of_the_tables(sandbox: Sandbox) -> None:
    flat = {"flattening_enabled": True, "flattening_max_depth": 3}

    config = settings(sandbox, layout="daasity", start_date="10 days ago")

    before, after = run(config), run({**config, **flat})
    for table in TABLES:
        assert after.records(table) == before.records(table)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        pytest.param({"ads": ["id", "colour"]}, "there is no field colour", id="an unknown field"),
        pytest.param({"ads": []}, "names no field", id="no field"),
        pytest.param({"ads": ["tracking_urls"]}, "tracking_urls has no fixed text", id="an object"),
        pytest.param({"ads": ["created_time"]}, "created_time has no fixed", id="a time"),
        pytest.param({"campaign_analytics": ["ctr"]}, "ctr has no fixed text", id="a number"),
        pytest.param({"adz": ["id"]}, "there is no such stream", id="an unknown stream"),
    ],
)
def test_fields_that_no_key_can_be_made_of_are_refused_at_the_start(
    sandbox: Sandbox, fields: dict[str, list[str]], fault: str
) -> None:
    with pytest.raises(Exception, match="validation failed") as refused:
        TapPinterest(config=settings(sandbox, sync_key_fields=fields)).catalog_dict  # noqa: B018

    (error,) = refused.value.errors  # type: ignore[attr-defined]
    assert error.startswith(f"sync_key_fields.{next(iter(fields))}: ")
    assert fault in error


# Displayed names.


def names_of(records: Sequence[dict[str, Any]]) -> set[str]:
    return set(records[0])


def test_metrics_are_named_as_ads_manager_displays_them(sandbox: Sandbox) -> None:
    config = settings(sandbox, start_date="10 days ago")
    plain = run(config, "ad_analytics").records("ad_analytics")

    shown = run({**config, "column_names": "display"}, "ad_analytics").records("ad_analytics")

    new = {"paid_impression": "paid_impressions", "spend_in_dollar": "spend"}
    new |= {"ecpm_in_micro_dollar": "cpm"}
    assert shown == [{new.get(n, n): value for n, value in record.items()} for record in plain]


def test_a_name_that_changes_later_stays_with_a_warning(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    config = settings(sandbox, start_date="10 days ago", column_names="display")
    first = run(config, "ad_analytics")
    monkeypatch.setitem(resources.DISPLAY_NAMES, "SPEND_IN_DOLLAR", "Amount spent")
    monkeypatch.setitem(resources.DISPLAY_NAMES, "CTR_2", "Earned CTR")

    second = run(config, "ad_analytics", state=first.state)

    before, after = (names_of(each.records("ad_analytics")) for each in (first, second))
    (schema,) = (each["schema"] for each in second.messages if each["type"] == "SCHEMA")
    assert before == after == set(schema["properties"])
    assert "spend" in after
    assert "SPEND_IN_DOLLAR would be called amount_spent now; its column stays spend" in caplog.text
    assert second.state["tap_pinterest"]["column_names"]["spend_in_dollar"] == "spend"
    fresh = run(config, "ad_analytics").records("ad_analytics")
    assert {"amount_spent", "earned_ctr"} <= names_of(fresh)


def test_a_metric_of_ads_may_have_the_displayed_name_of_a_metric_of_pins(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(resources.DISPLAY_NAMES, "OUTBOUND_CLICK", "Spend")
    config = settings(sandbox, start_date="10 days ago", column_names="display")

    assert "spend" in names_of(run(config, "ad_analytics").records("ad_analytics"))


def test_a_metric_is_deselected_by_its_displayed_name(sandbox: Sandbox) -> None:
    config = settings(sandbox, start_date="10 days ago", column_names="display")

    records = run(config, "ad_analytics", without=["ad_analytics.spend"]).records("ad_analytics")

    assert "spend" not in names_of(records)
    asked = [v for r in sandbox.requests for n, v in r.query if n == "columns"]
    assert asked
    assert not any("SPEND_IN_DOLLAR" in value.split(",") for value in asked)


def test_rows_are_read_again_when_columns_get_other_names(sandbox: Sandbox) -> None:
    config = settings(sandbox, start_date="60 days ago")
    first = run(config, "ad_account_analytics")

    second = run({**config, "column_names": "display"}, "ad_account_analytics", state=first.state)

    days = [{r["date"] for r in each.records("ad_account_analytics")} for each in (first, second)]
    assert days[0] == days[1]


def test_without_credentials_discovery_shows_the_apis_names() -> None:
    entries = catalog_of({"column_names": "display"}, ())["streams"]

    (entry,) = (each for each in entries if each["tap_stream_id"] == "ad_analytics")
    assert "spend_in_dollar" in entry["schema"]["properties"]


def test_names_that_pinterest_does_not_list_end_the_run_at_its_start(sandbox: Sandbox) -> None:
    sandbox.fail("/resources/delivery_metrics", status=403, times=None)

    with pytest.raises(Exception, match="validation failed") as refused:
        TapPinterest(config=settings(sandbox, column_names="display")).catalog_dict  # noqa: B018

    assert "column_names: Pinterest does not list" in refused.value.errors[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CTR (%)", "ctr"),
        ("  Pin clicks / CPC \u2013 paid ", "pin_clicks_cpc_paid"),
        ("Coût moyen", "cout_moyen"),
        ("", ""),
        ("支出", ""),
        ("3-second views", ""),
        ("x" * 64, ""),
    ],
)
def test_a_displayed_name_becomes_snake_case(text: str, name: str) -> None:
    assert snake_case(text) == name


metrics = st.dictionaries(
    st.sampled_from(["a", "b", "c", "spend", "ctr", "spend_usd"]),
    st.sampled_from(["", "Spend", "spend!", "CTR", "A", "date", "Spend USD", "é", "x" * 80])
    | st.text(max_size=70),
)


@given(
    metrics,
    st.dictionaries(
        st.sampled_from(["a", "b", "gone"]), st.sampled_from(["kept", "spend", "ctr"]), max_size=1
    ),
)
def test_columns_are_unique_short_and_kept(displayed: dict[str, str], kept: dict[str, str]) -> None:
    names = column_names(displayed, kept, {"date"})

    assert names.keys() == {*displayed, *kept}
    assert len(set(names.values())) == len(names)
    assert all(0 < len(name.encode()) <= LONGEST for name in names.values())
    assert kept.items() <= names.items()
    assert "date" not in names.values()
    assert column_names(displayed, names, {"date"}) == names
