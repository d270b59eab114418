"""Every stream and column explains itself, and does so in our own words."""

from __future__ import annotations

import difflib
import functools
import json
import re
import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any, cast

import pytest

from scripts import update_dictionary
from scripts.processes import ROOT
from singer_run import Messages, PatientTap, catalog_of, run, settings
from tap_pinterest import api, dictionary
from tap_pinterest.api.columns import column
from tap_pinterest.dictionary import AD_REPORTS, Described, texts
from tap_pinterest.dictionary.issues import issue
from tap_pinterest.dictionary.metrics import EVERYWHERE, HISTORY_UNTIL, UNITS, metric
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pinterest_sandbox import Sandbox
    from tap_pinterest.streams.bases.stream import PinterestStream

SHARED = ROOT.parent / "shared"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="no recorded facts here")

SHORTEST = 15
NEARLY_THE_SAME = 0.7
"""Words that two sentences share, of all that they have."""
FEW_WORDS = {"a", "an", "and", "as", "for", "in", "is", "it", "of", "on", "or", "that", "the", "to"}


@functools.cache
def streams() -> dict[str, PinterestStream]:
    config: dict[str, Any] = {
        "stream_groups": ["all"],
        "report_columns": ["ALL"],
        "granularities": ["DAY", "HOUR", "WEEK", "MONTH", "TOTAL"],
        "removed_items": True,
    }
    found = TapPinterest(config=config, validate_config=False).streams
    return {name: cast("PinterestStream", stream) for name, stream in found.items()}


def described(stream: PinterestStream) -> dict[str, Any]:
    return stream.described(stream.schema)


@functools.cache
def all_texts() -> dict[str, str | None]:
    """The text of every stream, column and member of an object, by its dotted name."""
    found: dict[str, str | None] = {}
    for name, stream in streams().items():
        schema = described(stream)
        found[name] = schema.get("description")
        found.update(texts_in(schema, name))
    return found


def texts_in(schema: Mapping[str, Any], name: str) -> Iterator[tuple[str, str | None]]:
    for member, shape in schema.get("properties", {}).items():
        yield f"{name}.{member}", shape.get("description")
        yield from texts_in(shape, f"{name}.{member}")
    for word in ("items", "additionalProperties"):
        if isinstance(inner := schema.get(word), dict):
            yield from texts_in(inner, name)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def ad_metrics() -> set[str]:
    """All names of metrics that a stream of the tap may have a column for."""
    return {name for name in update_dictionary.names_of_reports() if column(name).kind == "metric"}


def ad_attributes() -> set[str]:
    """The names of what ads reports say of an entity beside its metrics."""
    return {name for name in update_dictionary.names_of_reports() if column(name).kind != "metric"}


def test_every_stream_column_and_member_is_described() -> None:
    missing = [name for name, text in all_texts().items() if not text]
    assert missing == []


def test_no_text_is_too_short_to_say_anything() -> None:
    short = {name: text for name, text in all_texts().items() if len(text or "") < SHORTEST}
    assert short == {}


def test_no_text_only_repeats_the_name_of_its_column() -> None:
    def says_more(name: str, text: str) -> bool:
        known = {*words(name.rsplit(".", 1)[-1].replace("_", " ")), *FEW_WORDS}
        return bool({*words(text)} - known)

    assert [name for name, text in all_texts().items() if not says_more(name, text or "")] == []


def test_every_text_is_a_sentence() -> None:
    odd = [
        name for name, text in all_texts().items() if text and not re.fullmatch(r"[A-Z].*[.]", text)
    ]
    assert odd == []


def text_file() -> dict[str, Any]:
    """The file of texts."""
    file = ROOT / "tap_pinterest" / "dictionary" / texts.FILE
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def test_every_text_is_about_an_existing_stream() -> None:
    assert {*text_file()["streams"]} == {
        str(vars(type(each))["name"]) for each in streams().values()
    }


def test_every_text_is_about_an_existing_column(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[tuple[int, str]] = set()

    def find(name: str, entries: texts.Entries) -> texts.Text | None:
        asked.update((id(entries), key) for key in entries if texts.fits(name, key))
        return original(name, entries)

    original = texts.find
    monkeypatch.setattr(texts, "find", find)
    for stream in streams().values():
        described(stream)

    tables = [texts.table(name) for name in text_file()["tables"] if name != AD_REPORTS]
    own = [one.columns for name in text_file()["streams"] if (one := texts.stream(name))]
    entries = [texts.shared(), *tables, *own]
    assert [
        key for each in with_inner(entries) for key in each if (id(each), key) not in asked
    ] == []


def with_inner(found: Iterable[texts.Entries]) -> Iterator[texts.Entries]:
    """Tables and the tables of members that are written inside them."""
    for entries in found:
        yield entries
        inner = (each.members for each in entries.values() if isinstance(each, texts.Text))
        yield from with_inner(each for each in inner if isinstance(each, dict))


def test_the_documents_list_the_entity_columns_of_each_report() -> None:
    assert {name.lower() for name in ad_attributes()} <= texts.table(AD_REPORTS).keys()


def test_no_metric_is_in_the_table_of_attributes() -> None:
    assert {name for name in ad_metrics() if name.lower() in texts.table(AD_REPORTS)} == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "TOTAL_CHECKOUT",
            "Number of checkouts credited to ads by click, engagement or view, paid and earned.",
        ),
        (
            "TOTAL_WEB_CLICK_CHECKOUT",
            "Number of checkouts on websites credited to clicks on ads, paid and earned.",
        ),
        (
            "TOTAL_VIEW_SIGNUP_VALUE_IN_MICRO_DOLLAR",
            (
                "Value of sign-ups credited to views of ads, paid and earned, in millionths of"
                " the ad account's currency."
            ),
        ),
        (
            "TOTAL_LEAD_DESKTOP_ACTION_TO_MOBILE_CONVERSION",
            (
                "Number of leads on a mobile phone, after an ad was seen on a desktop"
                " computer, paid and earned."
            ),
        ),
        (
            "OFFLINE_LEAD_ROAS",
            "Value of leads offline, such as in shops for one unit of spend, as a ratio.",
        ),
        (
            "IMPRESSION_2",
            (
                "Number of times the ad was on screen, after somebody had saved the ad to a"
                " board (earned)."
            ),
        ),
        (
            "CPM_IN_DOLLAR",
            (
                "Average spend for a thousand impressions, paid only, in units of the ad"
                " account's currency."
            ),
        ),
        (
            "VIDEO_P75_COMBINED_1",
            (
                "Number of plays of the video that reached 75% of it, with jumps ahead, while"
                " it was shown as an ad (paid)."
            ),
        ),
        ("CLICK_SUBSCRIBE_1", "Number of subscriptions credited to clicks on ads, paid only."),
    ],
)
def test_a_metric_is_described_by_the_parts_of_its_name(name: str, text: str) -> None:
    assert metric(name).text == text


def test_views_of_content_differ_from_results_of_ad_views() -> None:
    assert metric("TOTAL_VIEW_CONTENT").interaction == "any"
    assert metric("TOTAL_VIEW_VIEW_CONTENT").interaction == "view"
    assert (
        metric("TOTAL_VIEW_CONTENT").event
        == metric("TOTAL_VIEW_VIEW_CONTENT").event
        == "view_content"
    )


def test_a_conversion_that_pinterest_adds_describes_itself() -> None:
    new = metric("TOTAL_INAPP_CLICK_RENEW_MEMBERSHIP_VALUE_IN_MICRO_DOLLAR")

    assert new.text == (
        "Value of “renew membership” conversions in apps credited to clicks on ads, paid and"
        " earned, in millionths of the ad account's currency."
    )
    assert (new.unit, new.adds_up) == ("micro_currency", EVERYWHERE)
    assert (new.place, new.interaction) == ("in_app", "click")


def test_a_rate_that_pinterest_adds_does_not_add_up() -> None:
    assert metric("TOTAL_WEB_BOUNCE_RATE").adds_up == ()
    assert metric("TOTAL_WEB_GENERATE_QUOTE").adds_up == EVERYWHERE


def test_the_text_of_a_conversion_names_the_advertisers_own_event() -> None:
    assert "“big order”" in metric("ADE_TOTAL_WEB_CLICK_BIG_ORDER").text
    assert metric("ADE_TOTAL_WEB_CLICK_BIG_ORDER").place == "web"


def test_a_metric_whose_name_has_no_known_part_gets_no_description() -> None:
    unknown = metric("SPARKLE_FACTOR")

    assert not unknown.known
    assert unknown.unit is None
    assert unknown.adds_up == ()
    assert "sparkle factor" in unknown.description


def test_all_metrics_that_pinterest_describes_are_known() -> None:
    assert sorted(name for name in ad_metrics() if not metric(name).known) == []


def test_metrics_of_events_of_the_advertisers_own_are_known() -> None:
    enum = (
        "AdsAnalyticsCreateAsyncRequest_custom_conversion_event_metrics_custom_event_metrics_type"
    )
    assert [name for name in api.enum(enum) if not metric(name).known] == []


@needs_shared
def test_all_metrics_that_the_live_api_lists_are_known() -> None:
    names = json.loads((SHARED / "real" / "columns-live-2026-07-09.json").read_text())
    attributes = texts.table(AD_REPORTS)

    assert len(names) == 498
    assert [n for n in names if n.lower() not in attributes and not metric(n).known] == []


def test_money_is_in_the_unit_that_the_name_says() -> None:
    for name in ad_metrics():
        if "_IN_MICRO_" in name and "_US" not in name:
            assert metric(name).unit == "micro_currency", name
        elif "_IN_DOLLAR" in name:
            assert metric(name).unit == "currency", name


def test_ratios_and_counts_of_people_do_not_add_up() -> None:
    for name in ad_metrics():
        if re.search(r"RATE|ROAS|COST_PER|FREQUENCY|_USER\b|^E?CP[CMEV]|^E?CTR|AVG|AVERAGE", name):
            assert metric(name).adds_up == (), name


def test_counts_and_money_add_up() -> None:
    summed = ("TOTAL_IMPRESSION", "SPEND_IN_DOLLAR", "TOTAL_CLICK_CHECKOUT", "VIDEO_MRC_VIEWS_1")
    assert {metric(name).adds_up for name in summed} == {EVERYWHERE}


def test_the_parts_of_a_ratio_are_metrics_of_pinterests() -> None:
    listed = {*api.enum("TemplateResponse_columns"), *update_dictionary.names_of_reports()}
    parts = {part for name in ad_metrics() for part in metric(name).parts or ()}

    assert parts
    assert parts - listed == set()
    assert {metric(part).adds_up for part in parts} == {EVERYWHERE}


def test_conversions_by_engagement_say_until_when_they_can_be_read() -> None:
    ended = {name for name in ad_metrics() if metric(name).history_until}

    assert ended == {name for name in ad_metrics() if re.search(r"_ENGAGEMENT_[A-Z]", name)}
    assert HISTORY_UNTIL in metric("TOTAL_ENGAGEMENT_LEAD").description
    assert not metric("TOTAL_ENGAGEMENT").history_until


def test_clicks_engagements_and_views_are_parts_of_the_total() -> None:
    for event in ("CHECKOUT", "SIGNUP", "LEAD", "PAGE_VISIT"):
        total = metric(f"TOTAL_{event}")
        by = [metric(f"TOTAL_{each}_{event}") for each in ("CLICK", "ENGAGEMENT", "VIEW")]
        assert [each.interaction for each in by] == ["click", "engagement", "view"]
        assert {(each.event, each.place, each.unit) for each in by} == {
            (total.event, total.place, total.unit)
        }


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("AD_IMAGE_3_LINK_LENGTH_TOO_LONG", "the ad image 3 link has too many characters"),
        ("TITLE_MISSING", "there is no title"),
        ("VIDEO_MALFORMED_URL", "the address of the video is no proper address"),
        ("AD_VIDEO_DOWNLOAD_HTTP_STATUS_503", "the server of the ad video answered with HTTP 503"),
        ("NO_VERIFIED_DOMAIN", "the account has claimed no domain"),
        ("SPARKLES_GONE", "Pinterest says “sparkles gone”"),
    ],
)
def test_a_code_of_an_issue_is_described_by_its_parts(code: str, text: str) -> None:
    assert issue(code) == text


def test_every_code_that_pinterest_describes_is_known() -> None:
    codes = api.enum("CatalogsItemValidationIssue")
    assert [code for code in codes if issue(code).startswith("Pinterest says")] == []


def test_texts_follow_columns_that_have_other_names() -> None:
    schema = {
        "properties": {"spend": {"type": ["number", "null"]}, "own": {"type": ["string", "null"]}}
    }
    found = dictionary.described(
        schema, "ad_analytics", "", columns={"spend": "spend_in_dollar", "own": "ad_name"}
    )

    of = Described("ad_analytics")
    for name, field in (("spend", "spend_in_dollar"), ("own", "ad_name")):
        meaning = of.field(field)
        assert meaning
        assert found["properties"][name]["description"] == meaning.description


def test_a_member_that_became_a_column_keeps_its_text() -> None:
    schema = {"properties": {"owner": {"type": ["string", "null"]}}}
    found = dictionary.described(
        schema, "ad_accounts", "/ad_accounts", columns={"owner": "owner.username"}
    )

    assert found["properties"]["owner"]["description"] == "Public name of the owner."


def test_describing_a_schema_does_not_change_the_given_one() -> None:
    stream = streams()["pins"]
    before = json.dumps(stream.schema)
    described(stream)
    assert json.dumps(stream.schema) == before


def test_the_schema_of_an_unknown_stream_stays_the_same() -> None:
    schema = {"type": "object", "properties": {"sparkle": {"type": ["string", "null"]}}}
    columns = {"sparkle": "sparkle"}
    assert dictionary.described(schema, "sparkles", "/sparkles", columns=columns) == schema


def test_a_column_that_a_stream_map_made_is_left_as_it_is() -> None:
    schema = {"properties": {"spend_rank": {"type": ["string", "null"]}}}
    found = dictionary.described(schema, "ad_analytics", columns={"ad_id": "ad_id"})

    assert found["properties"] == schema["properties"]


def test_the_text_of_a_report_says_its_period() -> None:
    found = {name: described(stream)["description"] for name, stream in streams().items()}

    assert found["ad_analytics"] == "Numbers of each ad by day."
    assert found["ad_analytics_week"] == "Numbers of each ad by week."
    assert found["ad_targeting_analytics_total"] == (
        "Numbers of each ad over the whole span, broken down by targeting."
    )


def test_texts_of_other_streams_are_not_read() -> None:
    code = (
        "from tap_pinterest import dictionary; from tap_pinterest.dictionary import texts;"
        "schema, columns = {'properties': {'id': {}}}, {'id': 'id'};"
        "dictionary.described(schema, 'boards', '/boards', columns=columns);"
        "print(texts.stream.cache_info().currsize, texts.table.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"]


def test_the_file_of_facts_is_that_of_the_dictionary() -> None:
    written = update_dictionary.FILE.read_text(encoding="utf-8")
    assert update_dictionary.written() == written, "run make settings"


def test_the_file_of_facts_has_all_columns_that_add_up() -> None:
    facts = json.loads(update_dictionary.FILE.read_text(encoding="utf-8"))
    columns = [facts["report_columns"], *facts["streams"].values()]
    units = {fact["unit"] for each in columns for fact in each.values() if "unit" in fact}

    assert units <= facts["units"].keys() == UNITS.keys()
    assert facts["report_columns"]["spend_in_micro_dollar"] == {
        "unit": "micro_currency",
        "adds_up": ["days", "entities"],
        "traffic": "paid",
    }
    assert {name.lower() for name in ad_metrics() if metric(name).adds_up} <= facts[
        "report_columns"
    ].keys()


def schemas(messages: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["stream"]: each["schema"] for each in messages if each["type"] == "SCHEMA"}


def without_text(schema: Mapping[str, Any]) -> list[str]:
    return [name for name, text in texts_in(schema, "") if not text]


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({}, id="as it is"),
        pytest.param({"layout": "daasity"}, id="in Daasity's layout"),
        pytest.param({"column_names": "display"}, id="with the names that are displayed"),
        pytest.param({"flattening_enabled": True, "flattening_max_depth": 1}, id="flattened"),
        pytest.param({"granularities": ["WEEK"]}, id="by week"),
    ],
)
def test_every_schema_that_a_run_writes_is_described(
    sandbox: Sandbox, config: dict[str, Any]
) -> None:
    written = schemas(run(settings(sandbox, start_date="3 days ago", **config)).messages)

    assert len(written) > 5
    assert {name: left for name, each in written.items() if (left := without_text(each))} == {}
    assert [name for name, each in written.items() if not each.get("description")] == []


def test_a_catalog_without_texts_gets_those_of_today(sandbox: Sandbox) -> None:
    config = settings(sandbox, start_date="3 days ago")
    catalog = catalog_of(config, ["campaigns"])
    for entry in catalog["streams"]:
        entry["schema"] = {"type": "object", "properties": plain(entry["schema"]["properties"])}
    writer = Messages()
    PatientTap(config=config, catalog=catalog, message_writer=writer).sync()

    written = schemas(writer.read)
    assert list(written) == ["campaigns"]
    assert without_text(written["campaigns"]) == []


def plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {word: value for word, value in each.items() if word != "description"}
        for name, each in properties.items()
    }


def test_the_texts_of_a_displayed_name_are_those_of_its_metric(sandbox: Sandbox) -> None:
    config = settings(sandbox, start_date="3 days ago", column_names="display")
    written = schemas(run(config, "ad_analytics").messages)["ad_analytics"]["properties"]

    assert "spend_in_dollar" not in written
    assert written["spend"]["description"] == metric("SPEND_IN_DOLLAR").description


def test_a_column_that_pinterest_fills_no_more_says_so_in_another_layout(sandbox: Sandbox) -> None:
    written = schemas(run(settings(sandbox, layout="daasity"), "account").messages)["account"]

    assert written["description"].endswith("in Daasity's table of that name.")
    assert written["properties"]["gender"]["description"].startswith("Always null")
    assert written["properties"]["username"]["description"].startswith("Public name")


def test_discovery_describes_every_stream_and_property() -> None:
    config = {"stream_groups": ["all"], "removed_items": True}
    catalog = TapPinterest(config=config, validate_config=False).catalog_dict
    left = {each["stream"]: without_text(each["schema"]) for each in catalog["streams"]}

    assert len(left) > 100
    assert {name: found for name, found in left.items() if found} == {}
    assert all(each["schema"]["description"] for each in catalog["streams"])


def test_the_texts_of_a_stream_that_is_not_selected_are_not_read(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    config = settings(sandbox)
    run(config, "boards")  # what follows takes the same catalog
    monkeypatch.setattr(texts, "stream", asked.append)
    run(config, "boards")

    assert set(asked) == {"boards"}


def test_the_tap_starts_without_the_dictionary() -> None:
    code = (
        "import sys; from tap_pinterest.tap import TapPinterest;"
        "print([name for name in sys.modules if name.startswith('tap_pinterest.dictionary')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@needs_shared
def test_no_sentence_is_one_of_pinterests_or_nearly() -> None:
    theirs = Sentences(official_texts())
    ours = {sentence for text in all_texts().values() for sentence in sentences(text or "")}
    near = {each: found for each in sorted(ours) if (found := theirs.near(each))}

    assert near == {}


@needs_shared
def test_a_copied_sentence_would_be_found() -> None:
    theirs = Sentences(official_texts())
    assert theirs.near(
        "Total number of checkout events that resulted from interactions with your ad."
    )
    assert theirs.near(
        "The total number of checkout events resulting from interactions with your ads."
    )


def sentences(text: str) -> list[str]:
    plain = re.sub(r"<[^>]+>", " ", text)
    return [part.strip() for part in re.split(r"(?<=[.!?;:])\s+|\n", plain) if part.strip()]


def official_texts() -> Iterator[str]:
    yield from descriptions(json.loads((SHARED / "openapi" / "pinterest-v5.23.0.json").read_text()))
    recorded = json.loads((SHARED / "real" / "resources-delivery-metrics-0.json").read_text())
    yield from (
        item["definition"] for item in recorded["response"]["items"] if item.get("definition")
    )


def descriptions(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from descriptions(each)
    if isinstance(node, dict):
        for word, value in node.items():
            if word in {"description", "summary", "title"} and isinstance(value, str):
                yield value
            yield from descriptions(value)


class Sentences:
    """Sentences that ours must not be near to, found by their rarest words."""

    def __init__(self, found: Iterable[str]) -> None:
        by_words = {frozenset(words(each)): each for text in found for each in sentences(text)}
        self._by_words = {key: each for key, each in by_words.items() if len(key) > 2}
        self._of: dict[str, set[frozenset[str]]] = defaultdict(set)
        for key in self._by_words:
            for word in key:
                self._of[word].add(key)

    def near(self, sentence: str) -> str | None:
        own = frozenset(words(sentence))
        if len(own) <= 2:
            return None
        # Who shares enough words with it shares one of these.
        rarest = sorted(own, key=lambda word: len(self._of.get(word, ())))
        telling = rarest[: len(own) - int(NEARLY_THE_SAME * len(own)) + 1]
        for key in {key for word in telling for key in self._of.get(word, ())}:
            alike = len(own & key) / len(own | key)
            text = self._by_words[key]
            if (
                alike >= NEARLY_THE_SAME
                and difflib.SequenceMatcher(a=sentence, b=text).ratio() > 0.6
            ):
                return text
        return None
