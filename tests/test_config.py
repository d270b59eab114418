from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from singer_sdk.exceptions import ConfigValidationError

from drawn_cases import drawn
from faulty_world import config_of, tiny
from singer_run import run
from tap_pinterest import api
from tap_pinterest.config import CONFIG_SCHEMA, Day, Settings, from_environment, problems
from tap_pinterest.config.beta_reports import SHAPES
from tap_pinterest.config.days import FORMS
from tap_pinterest.config.schema import (
    DAILY_MAX_AGE_HOURS,
    ORGANIC_FILTERS,
    ORGANIC_LOOKBACK_DAYS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pinterest_sandbox import Sandbox

TODAY = date(2026, 11, 20)
EARLIEST = date(2026, 8, 22)
TOKEN = {"access_token": "pina_secret"}


def settings(**config: Any) -> Settings:
    assert problems(TOKEN | config) == []
    return Settings.from_config(TOKEN | config)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param("2026-01-31", date(2026, 1, 31), id="a date"),
        pytest.param("2026-01-31T00:00:00Z", date(2026, 1, 31), id="a date-time"),
        pytest.param("2026-01-31T23:30:00-05:00", date(2026, 2, 1), id="its day in UTC"),
        pytest.param("today", TODAY, id="today"),
        pytest.param("yesterday", date(2026, 11, 19), id="yesterday"),
        pytest.param("30 days ago", date(2026, 10, 21), id="days ago"),
        pytest.param("1 day ago", date(2026, 11, 19), id="one day ago"),
        pytest.param("earliest", EARLIEST, id="earliest"),
        pytest.param(" Yesterday ", date(2026, 11, 19), id="case and spaces do not matter"),
        pytest.param("99999 days ago", date(1753, 2, 5), id="long ago"),
        pytest.param("2 weeks ago", date(2026, 11, 6), id="weeks ago"),
        pytest.param("1 year ago", date(2025, 11, 20), id="a year ago"),
        pytest.param("12 months ago", date(2025, 11, 20), id="months ago"),
        pytest.param("11 months ago", date(2025, 12, 20), id="months over the turn of the year"),
        pytest.param("99999 years ago", date(1, 1, 20), id="years before the calendar begins"),
    ],
)
def test_a_day_is_read_in_each_form(text: str, day: date) -> None:
    assert Day.parse(text).resolve(today=TODAY, earliest=EARLIEST) == day


def test_months_ago_ends_on_the_last_day_of_a_shorter_month() -> None:
    day = Day.parse("1 month ago").resolve(today=date(2026, 3, 31), earliest=EARLIEST)

    assert day == date(2026, 2, 28)


def test_defaults_are_those_of_the_contract() -> None:
    default = settings()

    assert default.auth_method == "access_token"
    assert default.api_url == "https://api.pinterest.com/v5"
    assert default.start_date == Day(days_ago=90)
    assert default.end_date == Day(days_ago=1)
    assert default.attribution_lookback == 32
    assert default.stream_groups == ("ads", "organic")
    assert default.report_columns == "default"
    assert (default.slice_rows, default.max_requests_in_flight) == (5000, 8)
    assert default.sync_key
    assert default.sync_key_separator == ""


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        pytest.param(["1", "2"], ("1", "2"), id="texts"),
        pytest.param([1, 2], ("1", "2"), id="integers"),
        pytest.param("1, 2,", ("1", "2"), id="one text"),
        pytest.param('["1", 2]', ("1", "2"), id="JSON in a text"),
        pytest.param(12, ("12",), id="one integer"),
        pytest.param(["1", "1"], ("1",), id="each once"),
        pytest.param("", (), id="empty is unset"),
        pytest.param(None, (), id="null is unset"),
    ],
)
def test_id_lists_take_texts_integers_and_one_comma_separated_text(
    value: Any, ids: tuple[str, ...]
) -> None:
    assert settings(ad_account_ids=value).ad_account_ids == ids


@pytest.mark.parametrize("text", ['["ads", "billing"]', "['ads', 'billing']", "ads, billing"])
def test_a_list_from_the_environment_may_be_written_as_json_as_meltano_does_or_plainly(
    text: str,
) -> None:
    assert settings(stream_groups=text).stream_groups == ("ads", "billing")


@pytest.mark.parametrize("text", ["['ads'", "[__import__('os')]", "{1: ads}", "[" * 5000])
def test_a_text_with_brackets_that_is_no_list_is_refused(text: str) -> None:
    faults = problems(TOKEN | {"stream_groups": text})

    assert {fault.partition(".")[0].partition(":")[0] for fault in faults} == {"stream_groups"}


def test_texts_from_the_environment_become_the_type_of_their_setting() -> None:
    from_environment = settings(click_window_days="7", sync_key="false", slice_rows="100")

    assert from_environment.click_window_days == 7
    assert from_environment.sync_key is False
    assert from_environment.slice_rows == 100


def test_an_explicit_zero_does_not_become_the_default() -> None:
    zero = settings(view_window_days=0, lookback_days=0, max_wait_seconds=0)

    assert (zero.view_window_days, zero.lookback_days, zero.max_wait_seconds) == (0, 0, 0)


def test_the_lookback_follows_the_longest_attribution_window() -> None:
    for action in ("click", "engagement", "view"):
        assert settings(**{f"{action}_window_days": 60}).attribution_lookback == 62
    windows = dict.fromkeys(("click_window_days", "engagement_window_days", "view_window_days"), 7)
    assert settings(**windows).attribution_lookback == 9


def test_organic_reports_have_a_lookback_of_their_own_unless_it_is_set() -> None:
    assert settings(click_window_days=60).organic_lookback == 14
    assert settings(lookback_days=0).organic_lookback == 0


def test_values_of_organic_settings_are_those_of_the_description() -> None:
    def allowed(path: str, name: str) -> set[str]:
        return set(api.operation(f"GET {path}").parameters[name].allowed)

    users, top = "/user_account/analytics", "/user_account/analytics/top_pins"
    video, quality = f"{users}/top_video_pins", "/ad_accounts/{ad_account_id}/conversion_eqs"
    own = CONFIG_SCHEMA["properties"]
    sorts = {*own["top_pins_sort_by"]["items"]["enum"]}
    assert {*own["user_split_fields"]["items"]["enum"]} == allowed(users, "split_field")
    assert sorts == allowed(top, "sort_by") | allowed(video, "sort_by")
    for name in ORGANIC_FILTERS:
        values = own[name]["enum"]
        assert set(values) == allowed(users, name) == allowed(top, name) == allowed(video, name)
        assert values[0] == api.operation(f"GET {users}").parameters[name].default
    for name, each in own["conversion_quality"]["properties"].items():
        assert {*each["items"]["enum"]} == allowed(quality, name)


def test_settings_name_the_values_that_the_tap_has() -> None:
    own = CONFIG_SCHEMA["properties"]

    assert f"(UTC): {FORMS} or earliest. " in own["start_date"]["description"]
    assert own["lookback_days"]["description"].endswith(f"reports {ORGANIC_LOOKBACK_DAYS}.")
    assert f" {DAILY_MAX_AGE_HOURS} with" in own["entities_max_age_hours"]["description"]
    for shape in SHAPES:
        members = own[shape.setting]["properties"].items()
        assert [name for name, each in members if "array" in each["type"]] == [*shape.lists]
    for name in ("stream_groups", "granularities", "user_split_fields"):
        assert ", ".join(own[name]["items"]["enum"][:-1]) in own[name]["description"]


@pytest.mark.parametrize("value", ["WEB, OFFLINE", ["WEB", "OFFLINE"], '["WEB", "OFFLINE"]'])
def test_conversion_quality_sources_are_a_list_or_one_text(value: Any) -> None:
    read = settings(conversion_quality={"source_platform": value, "lookback_period": ""})

    assert read.conversion_quality == {"source_platform": ("WEB", "OFFLINE")}


def test_an_empty_token_file_switches_it_off_and_an_absent_one_does_not() -> None:
    assert settings(token_file="").token_file == ""
    assert settings().token_file is None


@pytest.mark.parametrize(
    "name",
    [" ", "\n", "\t", "x\n", " x", "x ", "a\x00b", "a\x1bb", "\ud800", "/", "x/", ".", "~", "~/"],
)
def test_a_text_that_is_no_path_is_refused_as_token_file(name: str) -> None:
    (fault,) = problems(TOKEN | {"token_file": name})

    assert fault.startswith("token_file: ")
    assert "the path of a file" in fault


@pytest.mark.parametrize("name", ["x", "a b/é.json", "~/tokens.json", "/dev/null/x", "x" * 300])
def test_any_path_of_a_file_may_be_the_token_file(name: str) -> None:
    assert settings(token_file=name).token_file == name


@pytest.mark.parametrize(
    "config",
    [
        {"sync_key_separator": "\ud800"},
        {"keywords": ["shoes", "a\x00b"]},
        {"usernames": "\udc00"},
        {"countries": ["\ud800"]},
        {"stream_maps": {"boards": {"\ud800": "name"}}},
    ],
    ids="".join,
)
def test_texts_that_no_database_takes_are_refused(config: dict[str, Any]) -> None:
    (fault,) = problems(TOKEN | config)

    assert fault.startswith(f"{''.join(config)}: ")
    assert fault.endswith("allowed: Unicode text without NUL")
    assert fault.isprintable()


def test_an_unknown_setting_is_named_in_one_printable_line() -> None:
    (fault,) = problems(TOKEN | {"a\nb\ud800": 1})

    assert fault.isprintable()


@pytest.mark.parametrize(
    ("config", "setting", "allowed"),
    [
        pytest.param({"start_date": "last week"}, "start_date", "N days ago", id="a bad date"),
        pytest.param({"start_date": 20260101}, "start_date", "string", id="a date as a number"),
        pytest.param(
            {"start_date": "yesterday", "end_date": "30 days ago"},
            "start_date",
            "not after",
            id="start after end",
        ),
        pytest.param({"start_date": "2100-01-01"}, "start_date", "not after", id="in the future"),
        pytest.param(
            {"end_date": "2020-12-31"}, "start_date", "not after 2020-12-31", id="an end long ago"
        ),
        pytest.param(
            {"start_date": "2100-01-01", "end_date": "2100-01-31"},
            "start_date",
            "not after",
            id="both in the future",
        ),
        pytest.param(
            {"backfill": {"start_date": "2100-01-01", "end_date": "2100-01-31"}},
            "backfill.start_date",
            "not after",
            id="a backfill of days to come",
        ),
        pytest.param({"backfill": {"start_date": "x"}}, "backfill", "end_date", id="half backfill"),
        pytest.param(
            {"backfill": {"start_date": "today", "end_date": "yesterday"}},
            "backfill.start_date",
            "not after",
            id="backfill in the wrong order",
        ),
        pytest.param(
            {"ad_account_ids": ["54a"]}, "ad_account_ids", "digits", id="letters in an id"
        ),
        pytest.param({"ad_account_ids": "1" * 19}, "ad_account_ids", "18 digits", id="long id"),
        pytest.param({"ad_account_ids": {"a": 1}}, "ad_account_ids", "array", id="ids as object"),
        pytest.param(
            {"ad_account_ids": "1", "exclude_ad_account_ids": "1"},
            "exclude_ad_account_ids",
            "does not name",
            id="named and excluded",
        ),
        pytest.param({"click_window_days": 45}, "click_window_days", "0, 1, 7", id="a window"),
        pytest.param({"click_window_days": True}, "click_window_days", "", id="a boolean"),
        pytest.param({"lookback_days": -1}, "lookback_days", "at least 0", id="negative"),
        pytest.param({"stream_groups": ["adz"]}, "stream_groups.0", "ads", id="an unknown group"),
        pytest.param({"api_url": "http://example.com"}, "api_url", "https", id="not https"),
        pytest.param({"api_url": "nonsense"}, "api_url", "https", id="no URL"),
        pytest.param({"api_url": "https://[x"}, "api_url", "https", id="a broken URL"),
        pytest.param(
            {"report_columns": ["DATE"]},
            "report_columns",
            "in every row already",
            id="column",
        ),
        pytest.param(
            {"sync_key_fields": {"ads": "id"}}, "sync_key_fields.ads", "array", id="fields"
        ),
        pytest.param({"domains": "https://a.example"}, "domains", "example.com", id="an address"),
        pytest.param({"usernames": "123"}, "usernames", "not a number", id="an id for a name"),
        pytest.param(
            {"product_categories": "SH0ES"}, "product_categories", "such as", id="no category"
        ),
        pytest.param({"targeting_types": "SEX"}, "targeting_types", "GENDER", id="a breakdown"),
        pytest.param(
            {"report_transport": "sync", "report_columns": ["OUTBOUND_CTR"]},
            "report_transport",
            "auto, async",
            id="a column that only reports have",
        ),
        pytest.param({"user_split_fields": "AGE"}, "user_split_fields.0", "SOURCE", id="a split"),
        pytest.param({"top_pins_days": 91}, "top_pins_days", "at most 90", id="too many days"),
        pytest.param({"pin_format": "VIDEO"}, "pin_format", "ORGANIC_VIDEO", id="a format"),
        pytest.param(
            {"conversion_quality": {"source_platform": "TV"}},
            "conversion_quality.source_platform.0",
            "POINT_OF_SALE",
            id="a platform",
        ),
        pytest.param({"acount_ids": "1"}, "acount_ids", "ad_account_ids", id="a typing error"),
    ],
)
def test_a_bad_setting_is_refused_in_one_line_with_its_name_and_allowed_values(
    config: dict[str, Any], setting: str, allowed: str
) -> None:
    (fault,) = problems(TOKEN | config)

    assert fault.startswith(f"{setting}: ")
    assert allowed in fault
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("account_id", "ad_account_ids"),
        ("account_ids", "ad_account_ids"),
        ("analytics_columns", "report_columns"),
        ("analytics_granularity", "granularities"),
        ("granularity", "granularities"),
        ("lookback_window", "lookback_days"),
        ("refresh_proxy_url", "oauth_credentials"),
        ("refresh_proxy_url_auth", "oauth_credentials"),
        ("status", "entity_statuses"),
    ],
)
def test_a_name_that_other_taps_use_is_answered_with_ours(theirs: str, ours: str) -> None:
    (fault,) = problems(TOKEN | {theirs: "s3cr3t"})

    assert fault == f"{theirs}: there is no such setting; did you mean {ours}?"


def test_all_faults_are_named_at_once() -> None:
    faults = problems({"start_date": "soon", "view_window_days": 2, "colour": "red"})

    assert [fault.split(":")[0] for fault in faults] == [
        "colour",
        "view_window_days",
        "start_date",
        "access_token",
    ]


@pytest.mark.parametrize("config", [{}, {"auth_method": "refresh_token"}], ids=str)
def test_a_stored_sign_in_takes_the_place_of_a_refresh_token(
    config: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "tokens.json"
    app = {"client_id": "1", "client_secret": "s", "token_file": str(file), **config}
    assert problems(app)

    file.write_text("{}")

    assert problems(app) == []
    assert Settings.from_config(app).auth_method == "refresh_token"
    assert [fault.partition(":")[0] for fault in problems({**app, "client_secret": ""})] == [
        "client_secret"
    ]


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        pytest.param({}, ["access_token"], id="nothing"),
        pytest.param({"refresh_token": "r"}, ["client_id", "client_secret"], id="half"),
        pytest.param({"access_token": ""}, ["access_token"], id="an empty text"),
        pytest.param(
            {"auth_method": "client_credentials", "client_id": "1"},
            ["client_secret"],
            id="no secret",
        ),
        pytest.param({"access_token": "a", "refresh_token": "r"}, ["auth_method"], id="two kinds"),
    ],
)
def test_missing_or_ambiguous_credentials_are_named(
    config: dict[str, str], missing: list[str]
) -> None:
    assert [fault.split(":")[0] for fault in problems(config)] == missing


def test_discovery_needs_no_credentials() -> None:
    assert problems({}, credentials=False) == []


def test_two_kinds_of_credentials_are_fine_when_the_method_is_named() -> None:
    both = {"access_token": "a", "refresh_token": "r", "auth_method": "access_token"}

    assert problems(both) == []


@pytest.mark.parametrize("setting", ["client_secret", "refresh_token", "access_token"])
def test_a_secret_of_the_wrong_type_is_refused_without_being_shown(setting: str) -> None:
    faults = problems({setting: ["s3cr3t"]})

    assert any(fault.startswith(f"{setting}: ") for fault in faults)
    assert "s3cr3t" not in "".join(faults)


def test_every_setting_has_one_line_of_description_and_secrets_are_marked() -> None:
    properties = CONFIG_SCHEMA["properties"]

    oauth = properties["oauth_credentials"]["properties"]
    assert all(each["description"].strip() for each in (*properties.values(), *oauth.values()))
    assert {name for name, schema in properties.items() if schema.get("secret")} == {
        "client_secret",
        "refresh_token",
        "access_token",
    }
    assert [name for name, schema in oauth.items() if not schema.get("secret")] == [
        "refresh_proxy_url"
    ]


PROXY = {"refresh_token": "s3cr3t", "refresh_proxy_url": "https://proxy.example/s3cr3t?a=b"}


@pytest.mark.parametrize(
    ("oauth", "method"),
    [
        pytest.param(PROXY, "refresh_token", id="a proxy"),
        pytest.param(PROXY | {"access_token": "a"}, "refresh_token", id="and a first token"),
        pytest.param(
            PROXY | {"refresh_proxy_url_auth": "Bearer x"}, "refresh_token", id="and auth"
        ),
        pytest.param(PROXY | {"access_token": "", "refresh_proxy_url_auth": None}, "refresh_token"),
        pytest.param({"access_token": "s3cr3t"}, "access_token", id="an access token alone"),
        pytest.param(json.dumps(PROXY), "refresh_token", id="as JSON"),
    ],
)
def test_oauth_credentials_are_taken_as_other_taps_take_them(oauth: Any, method: str) -> None:
    config = {"oauth_credentials": oauth}

    assert problems(config) == []
    in_force = Settings.from_config(config)
    assert in_force.auth_method == method
    assert "s3cr3t" in {in_force.refresh_token, in_force.access_token}


@pytest.mark.parametrize(
    ("config", "named", "allowed"),
    [
        pytest.param({"refresh_token": "s3cr3t"}, "client_id", "missing", id="no proxy"),
        pytest.param({"refresh_proxy_url": "https://x"}, "access_token", "oauth", id="no token"),
        pytest.param(
            PROXY | {"refresh_proxy_url": "http://proxy.example/s3cr3t"},
            "oauth_credentials.refresh_proxy_url",
            "https",
            id="not https",
        ),
        pytest.param(
            PROXY | {"refresh_proxy_url": "https://me:s3cr3t@proxy.example"},
            "oauth_credentials.refresh_proxy_url",
            "https",
            id="a password in it",
        ),
        pytest.param(
            {"access_token": "a", "refresh_proxy_url_auth": "s3cr3t"},
            "oauth_credentials.refresh_proxy_url",
            "missing",
            id="auth for nobody",
        ),
        pytest.param(
            PROXY | {"refresh_proxy_url_auth": "Bearer s3cr3t\n"},
            "oauth_credentials.refresh_proxy_url_auth",
            "printable",
            id="auth with the end of its line",
        ),
        pytest.param(
            PROXY | {"refresh_token": ["s3cr3t"]}, "oauth_credentials.refresh_token", "string"
        ),
        pytest.param(PROXY | {"s3cr3t": 1}, "oauth_credentials", "refresh_proxy_url", id="unknown"),
        pytest.param(["s3cr3t"], "oauth_credentials", "object", id="a list"),
        pytest.param('{"s3cr3t"', "oauth_credentials", "object", id="no JSON"),
    ],
)
def test_bad_oauth_credentials_are_refused_without_being_shown(
    config: Any, named: str, allowed: str
) -> None:
    faults = problems({"oauth_credentials": config})

    assert any(each.startswith(f"{named}: ") and allowed in each for each in faults)
    assert not any("s3cr3t" in each for each in faults)


def test_a_token_that_is_given_twice_is_refused() -> None:
    (fault,) = problems({"refresh_token": "s3cr3t", "oauth_credentials": PROXY})

    assert fault.startswith("oauth_credentials.refresh_token: refresh_token is given beside it")


def test_members_of_objects_have_variables_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_OAUTH_CREDENTIALS_REFRESH_TOKEN", "r")
    monkeypatch.setenv("A_OAUTH_CREDENTIALS", '{"refresh_token": "x", "refresh_proxy_url": "y"}')
    monkeypatch.setenv("A_BACKFILL_START_DATE", "yesterday")

    assert from_environment("A_", CONFIG_SCHEMA["properties"]) == {
        "oauth_credentials": {"refresh_token": "r", "refresh_proxy_url": "y"},
        "backfill": {"start_date": "yesterday"},
    }


@pytest.mark.parametrize(
    "backfill",
    [{}, {"start_date": "", "end_date": ""}, {"start_date": None, "end_date": None}],
    ids=["no member", "empty texts", "nulls"],
)
def test_an_object_whose_members_are_empty_is_not_set(backfill: dict[str, Any]) -> None:
    assert settings(backfill=backfill).backfill is None


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 0, 1, -1, 2.5, 1e300, 10**30, "", " ", "\x00", "x", "7", "2026-01-01"),
        *([], [None], [7], ["x"], [["x"]], [{}], {}, {"": None}, {"x": [1]}, {"name": "x"}),
    ],
    ids=repr,
)
def test_each_setting_refuses_a_value_or_can_be_used_with_it(value: Any) -> None:
    for other in ("access_token", "refresh_token"):  # which are refused together
        config = {name: value for name in CONFIG_SCHEMA["properties"] if name != other}

        while faults := problems(config, credentials=False):
            refused = {fault.partition(":")[0].partition(".")[0] for fault in faults}
            assert refused <= config.keys()
            config = {name: config[name] for name in config if name not in refused}

        Settings.from_config(config)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=3,
)


@hypothesis_settings(max_examples=drawn(100), derandomize=True, deadline=None, database=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(CONFIG_SCHEMA["properties"])) | st.text(max_size=12),
        _JSON,
        max_size=6,
    )
)
def test_no_json_crashes_the_check_and_every_accepted_config_can_be_used(
    config: dict[str, Any],
) -> None:
    if not problems(config):
        Settings.from_config(config)


_NUMBERS = st.sampled_from([0, 1, 2, 7, 30, 1e3, 2.0, 2.5, 10**6, 10**9, 10**30, -1, "7", True])
_DAYS = st.sampled_from(
    [
        *("0001-01-01", "9999-12-31", "2026-11-01T23:00:00-12:00", "2026-W47-1", "20261101"),
        *("99999 days ago", "3 days ago", "today", "earliest", "", 5, None),
    ]
)
_TEXTS = st.sampled_from(
    ["", " ", "\x00", "\n", "x", "~nobody-here/x", "/dev/null/x", "\ud800", "é"]
)
_ODD_VALUES = {
    **dict.fromkeys(
        CONFIG_SCHEMA["properties"],
        _NUMBERS | _TEXTS | st.sampled_from([[], ["x"], [None], [["x"]], {}, {"x": [1]}, [{}]]),
    ),
    "granularities": st.sampled_from(["DAY", "week", ["DAY", "HOUR"], ["MONTH"], "TOTAL,DAY", []]),
    "start_date": _DAYS,
    "end_date": _DAYS,
    "backfill": st.fixed_dictionaries({"start_date": _DAYS, "end_date": _DAYS}),
    "lookback_days": _NUMBERS,
    "slice_rows": _NUMBERS,
    "request_timeout": _NUMBERS,
    "max_wait_seconds": _NUMBERS,
    "max_requests_in_flight": _NUMBERS,
    "click_window_days": _NUMBERS,
    "token_file": _TEXTS,
    "refresh_token": _TEXTS,
    "client_id": _TEXTS,
    "access_token": _TEXTS,
    "oauth_credentials": st.dictionaries(
        st.sampled_from(["access_token", "refresh_token", "refresh_proxy_url", "x"]),
        _TEXTS | _NUMBERS,
    ),
    "sync_key_separator": _TEXTS,
    "sync_key_fields": st.sampled_from(
        [{"boards": []}, {"boards": ["nothing"]}, {"nothing": ["id"]}, {}]
    ),
    "report_columns": st.sampled_from([[], "all", "SPEND_IN_DOLLAR", ["spend_in_dollar"] * 2]),
    "scopes": st.sampled_from([[], "boards:read", ["\n"]]),
    **dict.fromkeys(("terms", "keywords", "countries", "usernames"), _TEXTS | st.lists(_TEXTS)),
    "product_categories": _TEXTS,
    "trend_regions": st.sampled_from(["US", "x", ["US", "US"], []]),
    "entity_statuses": st.sampled_from(["ACTIVE", "active", ["ACTIVE", "PAUSED"], []]),
    **dict.fromkeys(
        ("exclude_ad_account_ids", "campaign_ids", "board_ids", "pin_ids"),
        st.sampled_from([[], "1", 5, ["0"], "1" * 25, [None], {"a": 1}]),
    ),
    "organic_accounts": st.sampled_from(["both", "ad_account_owners", "x"]),
    "layout": st.sampled_from(["daasity", "x"]),
    "column_names": st.sampled_from(["display", "x"]),
    "api_url": st.sampled_from(["https://", "http://[", "x", 5]),
    "access_tier": st.sampled_from(["trial", "x"]),
    "stream_groups": st.sampled_from([[], "organic", ["organic", "organic"]]),
    "auth_method": st.sampled_from(["client_credentials", "access_token", "refresh_token"]),
    "ad_account_ids": st.sampled_from([[], "1", 5, ["0"]]),
    "flattening_enabled": st.booleans() | _TEXTS,
    "flattening_max_depth": _NUMBERS,
    "stream_maps": st.sampled_from([{}, {"boards": {"name": None}}, 5, "x", {"boards": 7}]),
}


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with tiny() as sandbox:
        yield sandbox


def _some_of(values: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Few at once: of many odd values there is always one to be refused for."""
    names = st.lists(st.sampled_from(sorted(values)), max_size=3, unique=True)
    return names.flatmap(lambda some: st.fixed_dictionaries({name: values[name] for name in some}))


@hypothesis_settings(
    max_examples=drawn(400),
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(odd=_some_of(_ODD_VALUES))
def test_a_config_is_refused_at_the_start_or_its_run_ends_without_a_crash(
    world: Sandbox,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    odd: dict[str, Any],
) -> None:
    caplog.clear()
    monkeypatch.chdir(tmp_path)
    world.requests.clear()
    written: list[dict[str, Any]] = []
    config = config_of(world, start_date="3 days ago", stream_groups="organic") | odd
    result = None
    with suppress(ConfigValidationError):
        result = run(config, on_message=written.append)

    if result is None:
        assert (written, world.requests) == ([], [])
        return
    assert problems(config) == []
    assert result.code in {0, 1}
    assert "Traceback" not in caplog.text
    assert {each.name for each in tmp_path.iterdir()} <= {"x", "x.lock", "é", "é.lock"}
