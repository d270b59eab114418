"""Every dataset of the API: which calls read it, and what its records carry."""

from __future__ import annotations

import logging
import re
from collections import Counter
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest

from pinterest_sandbox import Sandbox, WorldSize
from singer_run import Messages, PatientClock, PatientTap, Run, catalog_of, settings
from singer_run import run as sandbox_run
from tap_pinterest import api
from tap_pinterest.config import STREAM_GROUPS
from tap_pinterest.http.auth import AccessToken
from tap_pinterest.http.errors import (
    AccessRefusedError,
    GoneError,
    NoCatalogError,
    NotOfferedError,
    ScopeRefusedError,
)
from tap_pinterest.http.tally import Tallies
from tap_pinterest.reading.contexts import AdAccounts, Users
from tap_pinterest.streams import STREAM_TYPES
from tap_pinterest.streams.bases.dataset import DatasetStream
from tap_pinterest.streams.bases.report import AdsReport
from tap_pinterest.streams.creatives import AdCreatives
from tap_pinterest.streams.special_reports import NumberedReportStream
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_pinterest.streams.bases.stream import PinterestStream

ACCOUNT = "/ad_accounts/{ad_account_id}"
TODAY = "2026-11-20"
MOST_CALLS = 1_000


class Answers:
    """Pinterest inside the test: answers by path, and every call made, checked against the facts.

    An answer is what the operation answers in its shape, or a function of the call's ids and
    query, or an error to raise. A path without an answer has none of its records.
    """

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers: dict[str, Any] = {
            "/ad_accounts": items({"id": "1", "owner": {"id": "11", "username": "one"}}),
            "/user_account": {"id": "11", "username": "one", "account_type": "BUSINESS"},
        }
        self.answers |= answers or {}
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.authenticator = AccessToken("")
        self.calls: dict[str, int] = {}
        self.tallies = Tallies()

    def get(
        self,
        path: str,
        decode: Callable[[bytes], Any],
        *,
        ids: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        split_instead: bool = False,
    ) -> Any:
        assert not split_instead
        self.asked.append((path, dict(ids or {}), dict(query or {})))
        self.calls[path] = self.calls.get(path, 0) + 1
        self.tallies.of(path, "").calls += 1
        assert self.calls[path] < MOST_CALLS
        check(path, ids or {}, query or {})
        answer = self.answers.get(path, EMPTY.get(api.operation(f"GET {path}").shape, {}))
        if callable(answer):
            answer = answer(**(ids or {}), **(query or {}))
        if isinstance(answer, Exception):
            raise answer
        return decode(msgspec.json.encode(answer))

    def close(self) -> None:
        """There are no connections."""

    def to(self, path: str) -> list[dict[str, Any]]:
        """The parameters of the calls of a path, without the page size, in their own order.

        Calls that are in flight together arrive in any order, which no test may depend on.
        """
        found = (
            {**ids, **{name: value for name, value in query.items() if name != "page_size"}}
            for asked, ids, query in self.asked
            if asked == path
        )
        return sorted(found, key=lambda parameters: sorted(map(str, parameters.items())))


EMPTY: Mapping[str | None, Any] = {
    "list": {"items": []},
    "items": {"items": []},
    "array": [],
    "data": {"data": []},
}


def picked(ended: Run, stream: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(record[name] for name in columns) for record in ended.records(stream)]


def asks_for(stream: type[PinterestStream]) -> bool:
    """Whether it needs a setting."""
    sources = stream.per if issubclass(stream, DatasetStream) else ()
    return any(source.settings for source in sources)


def name_of(stream: type[PinterestStream]) -> str:
    return str(vars(stream)["name"])


def items(*records: dict[str, Any], bookmark: str | None = None) -> dict[str, Any]:
    return {"items": list(records), "bookmark": bookmark}


def check(path: str, ids: Mapping[str, str], query: Mapping[str, Any]) -> None:
    """The call is one that the description allows."""
    parameters = api.operation(f"GET {path}").parameters
    values = {**ids, **query}
    assert set(values) <= set(parameters), path
    assert {name for name, each in parameters.items() if each.required} <= set(values), path
    for name, value in values.items():
        parameter = parameters[name]
        assert (parameter.location == "path") == (name in ids)
        several = value if isinstance(value, (list, tuple)) else [value]
        assert len(several) <= (parameter.max_items or len(several))
        for one in several:
            assert not parameter.allowed or one in parameter.allowed, (path, name, one)
            pattern = parameter.items.pattern if parameter.items else parameter.pattern
            assert not pattern or re.search(pattern, one), (path, name, one)


def run(answers: Answers, *streams: str, state: Any = None, **config: Any) -> Run:
    """One run against the answers."""
    groups = sorted({each.group for each in STREAM_TYPES if name_of(each) in streams})
    config = {"access_token": "pina", "stream_groups": groups, "sync_key": False, **config}
    writer = Messages()
    clock = PatientClock()
    clock.hear(format_datetime(datetime.fromisoformat(TODAY).replace(tzinfo=UTC)))
    catalog = catalog_of(config, streams)
    tap = PatientTap(
        config=config, state=state, catalog=catalog, message_writer=writer, clock=clock
    )
    tap.run.client = answers  # type: ignore[assignment]
    return Run(tap.sync(), writer.read, tap, clock)


SETTINGS = {
    "terms": ["one"],
    "keywords": ["shoes"],
    "countries": ["US"],
    "trend_regions": ["US"],
    "product_categories": ["ANKLETS"],
    "usernames": ["someone"],
}
DATASETS = tuple(
    name_of(each)
    for each in STREAM_TYPES
    if issubclass(each, DatasetStream) and not issubclass(each, AdCreatives)
)
"""Streams that are read whole on every run."""


def specimen(facts: Mapping[str, Any], number: int) -> Any:
    """A value of a type, without nulls; texts that may be ids are numbers."""
    if facts.get("enum"):
        values = api.enum(facts["enum"]) if isinstance(facts["enum"], str) else facts["enum"]
        return next(value for value in values if value is not None)
    kind = facts.get("type", "object")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "array":
        return [specimen(facts.get("items", {}), number)]
    if kind == "object":
        free = facts.get("additionalProperties")
        named = {**facts.get("properties", {}), **({"one": free} if isinstance(free, dict) else {})}
        return {name: specimen(each, number) for name, each in named.items()}
    if kind == "string":
        return {"date": TODAY, "date-time": f"{TODAY}T10:00:00Z"}.get(
            facts.get("format", ""), str(number)
        )
    if "unit" in facts:
        return 1_783_587_041 + number
    return {"boolean": True, "number": 1.5}.get(kind, number)


OTHER_IN_THE_SECOND = {
    "/ad_accounts/{ad_account_id}/conversion_eqs": {"source_platform": "MOBILE"},
    "/resources/ad_account_countries": {"code": "AT"},
    "/trends/product_categories/details": {"product_category": "ANKLETS"},
    "/trends/product_categories/trending": {"product_category": "ANKLETS"},
}
"""Values of keys that are names in a list, so that two records of an answer have two keys."""


def answered(path: str) -> Any:
    """Two records of a path in its shape."""
    operation = api.operation(f"GET {path}")
    if operation.record is None:
        return ["FULL_NAME", "EMAIL"]
    one, two = (specimen(api.schema(operation.record), number) for number in (1, 2))
    if path in OTHER_IN_THE_SECOND:
        two |= OTHER_IN_THE_SECOND[path]
    if path == "/pins":
        # What the numbers of a Pin are called, the description shows in an example only.
        found = {"link": "https://example.com/1", "pin_metrics": {"90d": {"clickthrough": 3}}}
        one, two = one | found, two | found
    if path == "/resources/targeting/{targeting_type}":
        return [{"501": "Here", "502": "There"}]
    shapes = {
        "list": items(one, two),
        "items": items(one, two),
        "array": [one, two],
        "data": {"data": [one, two]},
        "map": {"9": [one], "8": [two]},
        "object": one,
    }
    return shapes[operation.shape or ""]


def test_every_dataset_can_be_read_and_keeps_its_promises() -> None:
    answers = Answers()
    answers.answers = {
        each.path: answered(each.path) for each in STREAM_TYPES if issubclass(each, DatasetStream)
    } | answers.answers

    ended = run(answers, *DATASETS, **SETTINGS)

    parts = ended.tap.run.summary.streams
    assert {name: part.failures | part.skipped for name, part in parts.items()} == {
        name: {} for name in DATASETS
    }
    assert {name: part.unknown for name, part in parts.items()} == {name: {} for name in DATASETS}
    for name in DATASETS:
        (schema,) = (m for m in ended.messages if m["type"] == "SCHEMA" and m["stream"] == name)
        # Once for each stream: to check a schema takes far longer than to check a record.
        jsonschema.Draft202012Validator.check_schema(schema["schema"])
        validator = jsonschema.Draft202012Validator(schema["schema"])
        records = ended.records(name)
        assert records, name
        for record in records:
            assert set(record) == set(schema["schema"]["properties"]), name
            validator.validate(record)


@pytest.mark.parametrize("answer", [{}, {"data": None}], ids=["no list", "null"])
def test_an_answer_without_a_list_of_keywords_has_no_records(answer: dict[str, Any]) -> None:
    answers = Answers({"/ad_accounts/{ad_account_id}/keywords/metrics": answer})

    ended = run(answers, "keyword_metrics", keywords="desk", countries="US")

    assert ended.code == 0
    assert not ended.records("keyword_metrics")


def test_a_child_is_asked_for_once_for_each_parent_and_carries_its_id() -> None:
    answers = Answers(
        {
            "/boards": items({"id": "1"}, {"id": "2"}),
            "/boards/{board_id}/sections": lambda board_id, **_: items({"id": f"{board_id}0"}),
            "/boards/{board_id}/sections/{section_id}/pins": items({"id": "7"}),
        }
    )
    ended = run(answers, "board_section_pins")

    assert answers.to("/boards/{board_id}/sections") == [{"board_id": "1"}, {"board_id": "2"}]
    assert picked(ended, "board_section_pins", "board_id", "board_section_id", "id") == [
        ("1", "10", "7"),
        ("2", "20", "7"),
    ]


@pytest.mark.parametrize("in_flight", [1, 8])
def test_a_list_is_read_once_for_all_streams_that_need_it(in_flight: int) -> None:
    answers = Answers(
        {
            "/boards": items({"id": "1", "name": "One"}, {"id": "2"}),
            "/boards/{board_id}/sections": lambda board_id, **_: items({"id": f"{board_id}0"}),
        }
    )
    names = ("board_section_pins", "board_pins", "board_sections", "boards")
    ended = run(answers, *names, max_requests_in_flight=in_flight)

    assert answers.calls == {
        "/boards": 1,
        "/boards/{board_id}/sections": 2,
        "/boards/{board_id}/pins": 2,
        "/boards/{board_id}/sections/{section_id}/pins": 2,
    }
    assert picked(ended, "boards", "id", "name") == [("1", "One"), ("2", None)]
    assert picked(ended, "board_sections", "board_id", "id") == [("1", "10"), ("2", "20")]


def test_a_profile_is_read_once_for_its_record_its_counts_and_its_id() -> None:
    answers = Answers()
    ended = run(answers, "user_account", "user_account_metrics", "following")

    assert answers.calls == {"/user_account": 1, "/user_account/following": 1}
    assert picked(ended, "user_account", "id", "account_type") == [("11", "BUSINESS")]
    assert picked(ended, "user_account_metrics", "id", "date") == [("11", TODAY)]


def test_an_empty_page_does_not_end_the_pages_of_a_child() -> None:
    def pins(board_id: str, bookmark: str = "", **_: Any) -> Any:
        return items(
            *([{"id": f"{board_id}{bookmark}"}] if bookmark != "a" else []),
            bookmark={"": "a", "a": "b"}.get(bookmark),
        )

    answers = Answers({"/boards": items({"id": "1"}, {"id": "2"}), "/boards/{board_id}/pins": pins})
    ended = run(answers, "board_pins")

    assert [record["id"] for record in ended.records("board_pins")] == ["1", "1b", "2", "2b"]


def test_bookmarks_of_processing_results_are_not_followed() -> None:
    results = "/catalogs/feeds/{feed_id}/processing_results"
    answers = Answers(
        {"/catalogs/feeds": items({"id": "5"}), results: items({"id": "6"}, bookmark="again")}
    )
    run(answers, "catalogs_feed_processing_results")

    assert answers.calls[results] == 1


def test_keywords_are_asked_for_by_ad_account_campaign_and_ad_group() -> None:
    answers = Answers(
        {
            f"{ACCOUNT}/campaigns": items({"id": "2"}),
            f"{ACCOUNT}/ad_groups": items({"id": "3", "campaign_id": "2"}),
            f"{ACCOUNT}/keywords": lambda **asked: items(
                {"id": max(asked.get("campaign_id", "1"), asked.get("ad_group_id", "1"))}
            ),
        }
    )
    ended = run(answers, "keywords")

    assert answers.to(f"{ACCOUNT}/keywords") == [
        {"ad_account_id": "1"},
        {"ad_account_id": "1", "ad_group_id": "3"},
        {"ad_account_id": "1", "campaign_id": "2"},
    ]
    assert picked(ended, "keywords", "ad_account_id", "campaign_id", "ad_group_id") == [
        ("1", None, None),
        ("1", "2", None),
        ("1", None, "3"),
    ]


def test_only_owned_audiences_are_listed_for_those_they_are_shared_with() -> None:
    audiences, shared = f"{ACCOUNT}/audiences", f"{ACCOUNT}/audiences/shared/accounts"
    answers = Answers({audiences: items({"id": "4", "ad_account_id": "1"})})
    run(answers, "audience_shared_accounts")

    assert [each["ownership_type"] for each in answers.to(audiences)] == ["OWNED"]
    assert [(each["audience_id"], each["account_type"]) for each in answers.to(shared)] == [
        ("4", "AD_ACCOUNT"),
        ("4", "BUSINESS_ACCOUNT"),
    ]

    answers.answers[audiences] = lambda ownership_type, **_: items(
        {"OWNED": {"id": "4", "ad_account_id": "1"}, "RECEIVED": {"id": "5", "ad_account_id": "9"}}[
            ownership_type
        ]
    )
    both = run(answers, "audiences")
    assert picked(both, "audiences", "owner_ad_account_id") == [("1",), ("9",)]
    assert picked(both, "audiences", "ad_account_id", "id", "ownership_type") == [
        ("1", "4", "OWNED"),
        ("1", "5", "RECEIVED"),
    ]


def test_businesses_are_the_users_own_and_the_employers_each_once() -> None:
    answers = Answers({"/businesses/employers": items({"id": "11"}, {"id": "12"})})
    run(answers, "business_members")

    asked = answers.to("/businesses/{business_id}/members")
    assert [each["business_id"] for each in asked] == ["11", "12"]


def test_targeting_options_are_one_record_for_each_label() -> None:
    options = "/resources/targeting/{targeting_type}"
    answers = Answers({options: [{"US": "United States", "500": "Reno"}]})
    ended = run(answers, "targeting_options", "interests")

    assert len(answers.to(options)) == 10
    assert picked(ended, "targeting_options", "targeting_type", "id", "name")[:2] == [
        ("APPTYPE", "US", "United States"),
        ("APPTYPE", "500", "Reno"),
    ]
    assert answers.to("/resources/targeting/interests/{interest_id}") == [
        {"interest_id": "500"},
        {"interest_id": "US"},
    ]


def test_interests_need_one_list_of_targeting_options_only() -> None:
    options = "/resources/targeting/{targeting_type}"
    answers = Answers({options: [{"7": "Art"}]})
    run(answers, "interests")

    assert answers.to(options) == [{"targeting_type": "INTEREST"}]


def test_a_null_list_has_no_records() -> None:
    answers = Answers({"/resources/targeting/{targeting_type}": None})
    assert run(answers, "targeting_options").code == 0


def test_an_object_without_a_known_field_is_no_record() -> None:
    answers = Answers({f"{ACCOUNT}/terms_of_service": {"code": 7, "message": "No."}})
    ended = run(answers, "terms_of_service")

    (failure,) = ended.tap.run.summary.of("terms_of_service").failures.values()
    assert "another shape than the API describes: it has no known field" in failure
    assert not ended.records("terms_of_service")


def test_a_discount_whose_title_is_not_a_text_is_a_record_too() -> None:
    discounts: dict[str, Any] = {"items": [{"title": []}, {"title": []}]}
    answers = Answers({f"{ACCOUNT}/ads_credit/discounts": discounts})
    ended = run(answers, "ads_credit_discounts")

    assert len({each["discount_id"] for each in ended.records("ads_credit_discounts")}) == 2
    assert picked(ended, "ads_credit_discounts", "title") == [(None,), (None,)]


def test_an_item_that_is_null_is_passed_over() -> None:
    answers = Answers({"/media": {"items": [None, {"media_id": "1"}], "bookmark": None}})
    assert picked(run(answers, "media"), "media", "media_id") == [("1",)]


def test_an_item_of_another_shape_is_a_failure_that_says_so() -> None:
    answers = Answers({"/resources/targeting/{targeting_type}": ["a text"]})
    ended = run(answers, "targeting_options")

    (failure,) = ended.tap.run.summary.of("targeting_options").failures.values()
    assert "has another shape than the API describes" in failure


def test_keys_of_an_answer_and_of_a_list_in_it_become_records() -> None:
    eligible = {"9": [{"conversion_tag_id": "1", "conversion_event": "SEARCH"}], "8": []}
    answers = Answers({f"{ACCOUNT}/conversion_tags/ocpm_eligible": eligible})
    ended = run(answers, "ocpm_eligible_conversion_tags")

    assert picked(ended, "ocpm_eligible_conversion_tags", "ad_account_id", "conversion_tag_id") == [
        ("1", "1")
    ]


def test_labels_are_read_in_the_form_of_either_release() -> None:
    old = {"labels": [{"id": "1", "value": "Spring"}], "errors": []}
    answers = Answers({f"{ACCOUNT}/labels": items(old, {"id": "2", "value": "Autumn"})})
    ended = run(answers, "labels")

    assert picked(ended, "labels", "id", "value") == [("1", "Spring"), ("2", "Autumn")]


@pytest.mark.parametrize(
    "answer", [["EMAIL"], [{"name": "EMAIL"}], {"items": ["EMAIL"]}, {"data": [{"name": "EMAIL"}]}]
)
def test_lead_form_questions_are_read_in_whatever_list_they_come(answer: Any) -> None:
    ended = run(Answers({"/resources/lead_form_questions": answer}), "lead_form_questions")
    assert ended.records("lead_form_questions") == [{"name": "EMAIL", "extra_fields": None}]


def test_terms_are_asked_for_as_the_two_operations_take_them() -> None:
    related = {"related_terms_list": [{"term": "sun", "related_terms": ["sea", "sand"]}]}
    answers = Answers({"/terms/related": related, "/terms/suggested": ["sunset"]})
    ended = run(answers, "related_terms", "suggested_terms", terms=["sun", "moon"])

    assert answers.to("/terms/related") == [{"terms": ("sun", "moon")}]
    assert [each["term"] for each in answers.to("/terms/suggested")] == ["moon", "sun"]
    assert picked(ended, "related_terms", "input_term", "term") == [("sun", "sea"), ("sun", "sand")]
    assert picked(ended, "suggested_terms", "input_term", "term") == [
        ("sun", "sunset"),
        ("moon", "sunset"),
    ]


def test_long_lists_of_words_are_cut_before_the_url_is_too_long() -> None:
    keywords = [f"word number {number}" for number in range(2_500)]
    answers = Answers()
    run(answers, "keyword_metrics", keywords=keywords, countries="US")

    asked = [each["keywords"] for each in answers.to(f"{ACCOUNT}/keywords/metrics")]
    assert sorted(word for words in asked for word in words) == sorted(keywords)
    assert max(len(",".join(words)) for words in asked) < 7_000
    assert len(asked) < 15


def test_regions_that_an_operation_does_not_have_are_not_asked_for() -> None:
    answers = Answers()
    run(answers, "trending_keywords", "featured_topics", trend_regions=["US", "AR", "GB+IE"])

    trends = answers.to("/trends/keywords/{region}/top/{trend_type}")
    assert {each["region"] for each in trends} == {"US", "AR", "GB+IE"}
    assert len(trends) == 12
    assert [each["region"] for each in answers.to("/trends/topics/featured")] == ["GB+IE", "US"]


def test_report_stats_are_asked_for_by_catalog_and_by_feed() -> None:
    answers = Answers(
        {
            "/catalogs": items(
                {"id": "1", "catalog_type": "RETAIL"},
                {"id": "2", "catalog_type": "CREATIVE_ASSETS"},
            ),
            "/catalogs/feeds": items({"id": "3", "catalog_id": "1", "catalog_type": "RETAIL"}),
            "/catalogs/reports/stats": items({"report_type": "x", "code": 7}),
        }
    )
    ended = run(answers, "catalogs_report_stats")

    assert [each["parameters"] for each in answers.to("/catalogs/reports/stats")] == [
        {
            "catalog_type": "RETAIL",
            "report": {"report_type": "DISTRIBUTION_ISSUES", "catalog_id": "1"},
        },
        {
            "catalog_type": "RETAIL",
            "report": {"report_type": "FEED_INGESTION_ISSUES", "feed_id": "3"},
        },
    ]
    assert picked(
        ended, "catalogs_report_stats", "catalog_id", "report_type", "feed_id", "code"
    ) == [
        ("1", "DISTRIBUTION_ISSUES", "", 7),
        ("1", "FEED_INGESTION_ISSUES", "3", 7),
    ]


def test_an_object_in_a_query_is_written_member_by_member() -> None:
    client = TapPinterest(config={"access_token": "pina"}).run.client
    query = {"parameters": {"catalog_type": "HOTEL", "report": {"feed_id": "3"}}}

    assert client.url("/catalogs/reports/stats", query=query).endswith(
        "?parameters%5Bcatalog_type%5D=HOTEL&parameters%5Breport%5D%5Bfeed_id%5D=3"
    )


def test_discounts_that_are_alike_have_ids_of_their_own_which_last() -> None:
    discounts = f"{ACCOUNT}/ads_credit/discounts"
    credit = {"title": "Welcome", "discountInMicroCurrency": 100.0}
    first = run(Answers({discounts: items(credit, credit)}), "ads_credit_discounts")
    later = {**credit, "remainingDiscountInMicroCurrency": 5.0, "active": False}
    second = run(Answers({discounts: items(later, later)}), "ads_credit_discounts")

    ids = [record["discount_id"] for record in first.records("ads_credit_discounts")]
    assert len(set(ids)) == 2
    assert [record["discount_id"] for record in second.records("ads_credit_discounts")] == ids


def test_the_id_of_a_discount_is_the_same_however_its_amount_is_sent() -> None:
    amounts = (100, 100.0, "100", "100.0")
    runs = [
        run(
            Answers({f"{ACCOUNT}/ads_credit/discounts": items({"discountInMicroCurrency": each})}),
            "ads_credit_discounts",
        )
        for each in amounts
    ]

    assert len({picked(each, "ads_credit_discounts", "discount_id")[0] for each in runs}) == 1


@pytest.mark.parametrize("stream", [name_of(each) for each in STREAM_TYPES if asks_for(each)])
def test_without_its_setting_a_stream_asks_nothing_and_says_so(
    stream: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answers = Answers()
    ended = run(answers, stream)

    assert ended.code == 0
    assert answers.asked == []
    assert ended.streams("SCHEMA") == [stream]
    assert len([line for line in caplog.messages if "reads nothing without" in line]) == 1


def test_a_snapshot_has_the_day_of_the_run_in_its_key_and_in_the_state() -> None:
    insights = {"type": "YOUR_TOTAL_AUDIENCE", "date": "2026-11-01", "size": 5}
    answers = Answers({f"{ACCOUNT}/audience_insights": insights})
    ended = run(answers, "audience_insights", "user_account_metrics")

    assert picked(ended, "audience_insights", "type", "date", "insight_date") == [
        ("YOUR_TOTAL_AUDIENCE", TODAY, "2026-11-01"),
        ("YOUR_ENGAGED_AUDIENCE", TODAY, "2026-11-01"),
        ("PINTEREST_TOTAL_AUDIENCE", TODAY, "2026-11-01"),
    ]
    read_to = {"replication_key": "date", "replication_key_value": TODAY}
    assert (
        ended.partition("audience_insights", "1") == {"context": {"ad_account_id": "1"}} | read_to
    )
    assert ended.state["bookmarks"]["user_account_metrics"] == read_to

    again = run(answers, "audience_insights", "user_account_metrics", state=ended.state)
    assert again.state == ended.state
    assert again.records("audience_insights") == ended.records("audience_insights")


FEED = {
    "id": "1",
    "credentials": {"username": "u", "password": "pw"},
    "location": "sftp://u:pw@example.com/feed.csv",
}
MEMBER = {"id": "2", "user": {"email": "me@example.com", "id": "3", "username": "me"}}


@pytest.mark.parametrize("groups", [["catalogs", "business", "billing"], ["all"]])
def test_secrets_leave_the_tap_never_and_personal_data_only_when_asked_for(
    groups: list[str],
) -> None:
    order = {"salesforce_order_line_id": "4", "media_contact_email": "her@example.com"}
    answers = Answers(
        {
            "/catalogs/feeds": items(FEED),
            "/businesses/employers": items(MEMBER),
            f"{ACCOUNT}/ssio/order_lines": items(order),
        }
    )
    names = ("catalogs_feeds", "business_employers", "ssio_order_lines")
    ended = run(answers, *names, stream_groups=groups)

    assert ended.code == 0
    assert not any(part.unknown for part in ended.tap.run.summary.streams.values())
    written = str(ended.messages)
    assert "pw" not in written
    assert "credentials" not in written
    assert picked(ended, "catalogs_feeds", "location") == [("sftp://example.com/feed.csv",)]
    assert ("me@example.com" in written) == ("all" in groups)
    assert ("her@example.com" in written) == ("all" in groups)
    assert ("media_contact_email" in written) == ("all" in groups)
    assert ended.records("business_employers")[0]["user"]["username"] == "me"


def gone_for(*ids: str) -> Callable[..., Any]:
    def answer(board_id: str, **_: Any) -> Any:
        return GoneError(f"no board {board_id}") if board_id in ids else items({"id": "9"})

    return answer


BOARDS = items(*({"id": str(number)} for number in range(1, 9)))


def test_a_parent_that_no_longer_exists_is_skipped_and_named() -> None:
    answers = Answers({"/boards": BOARDS, "/boards/{board_id}/sections": gone_for("1", "3")})
    ended = run(answers, "board_sections")

    assert ended.code == 0
    assert len(ended.records("board_sections")) == 6
    (reason,) = ended.tap.run.summary.of("board_sections").skipped.values()
    assert reason.startswith("2 of its calls were refused (board_id 1; board_id 3): no board 1 /")


def test_a_parent_that_the_config_names_may_not_be_missing() -> None:
    answers = Answers({"/boards": BOARDS, "/boards/{board_id}/sections": gone_for("3")})
    ended = run(answers, "board_sections", board_ids=["2", "3"])

    assert ended.code == 1
    assert len(ended.records("board_sections")) == 1
    assert "no board 3" in ended.tap.run.summary.of("board_sections").failures[""]


@pytest.mark.parametrize(
    ("refusal", "calls"),
    [
        (AccessRefusedError("403 (code 29) no access"), 8),
        (ScopeRefusedError("401 (code 3) the token lacks a scope"), 1),
    ],
    ids=["of each", "of all"],
)
def test_a_dataset_is_given_up_when_pinterest_refuses_all_of_it(
    refusal: AccessRefusedError, calls: int
) -> None:
    answers = Answers({"/boards": BOARDS, "/boards/{board_id}/pins": refusal})
    ended = run(answers, "boards", "board_pins", max_requests_in_flight=1)

    assert ended.code == 0
    assert answers.calls["/boards/{board_id}/pins"] == calls
    assert "boards:read and pins:read" in ended.tap.run.summary.of("board_pins").skipped[""]


def test_parents_that_may_not_be_read_skip_their_children() -> None:
    answers = Answers({"/boards": AccessRefusedError("403 no boards for you")})
    ended = run(answers, "board_pins", "board_section_pins")

    assert ended.code == 1  # nothing else could be read
    assert answers.calls == {"/boards": 1}
    for stream in ("board_pins", "board_section_pins"):
        assert "no boards for you" in ended.tap.run.summary.of(stream).skipped[""]


def test_a_user_without_a_catalog_has_no_records_and_no_failure() -> None:
    answers = Answers({"/catalogs": NoCatalogError("409 (code 4182)")})
    ended = run(answers, "catalogs", "catalogs_available_filter_values")

    assert ended.code == 0
    assert not ended.tap.run.summary.of("catalogs").skipped
    assert answers.calls == {"/catalogs": 1}


@pytest.mark.parametrize(
    ("status", "code", "skipped"), [(409, 4182, False), (409, 409, True), (501, 4181, True)]
)
def test_a_missing_catalog_is_empty_and_other_conflicts_are_skipped_at_once(
    sandbox: Sandbox, *, status: int, code: int, skipped: bool
) -> None:
    sandbox.fail("/media", status=status, body={"code": code, "message": "No."}, times=None)
    ended = sandbox_run(settings(sandbox, stream_groups="boards"), "media")

    assert ended.code == int(skipped)  # nothing else could be read
    assert bool(ended.tap.run.summary.of("media").skipped) == skipped
    assert [each.status for each in sandbox.requests if each.path == "/media"] == [status]


def test_a_conflict_in_a_dataset_that_all_accounts_have_is_a_failure(sandbox: Sandbox) -> None:
    sandbox.fail("/boards", status=409, body={"code": 409, "message": "No."}, times=None)

    assert sandbox_run(settings(sandbox), "boards").code == 1


def test_data_not_offered_for_one_parent_are_read_for_the_others() -> None:
    counts = "/catalogs/product_groups/{product_group_id}/product_counts"
    answers = Answers(
        {
            "/catalogs/product_groups": items({"id": "1"}, {"id": "2"}),
            counts: lambda product_group_id, **_: (
                {"catalog_type": "RETAIL", "total": 3}
                if product_group_id == "2"
                else NotOfferedError("501 (code 4181)")
            ),
        }
    )
    ended = run(answers, "catalogs_product_group_product_counts")

    assert ended.code == 0
    assert picked(ended, "catalogs_product_group_product_counts", "product_group_id", "total") == [
        ("2", 3)
    ]


def test_a_gated_dataset_of_a_named_ad_account_is_skipped_also_after_reports_were_read() -> None:
    state = {
        "bookmarks": {
            "campaign_analytics": {
                "partitions": [
                    {"context": {"ad_account_id": "1"}, "replication_key_value": "2026-11-01"}
                ]
            }
        }
    }
    answers = Answers(
        {ACCOUNT: {"id": "1"}, f"{ACCOUNT}/billing_profiles": AccessRefusedError("403")}
    )
    ended = run(answers, "ad_accounts", "billing_profiles", state=state, ad_account_ids=["1"])

    assert ended.code == 0
    assert (
        "does not open it to every app" in ended.tap.run.summary.of("billing_profiles").skipped["1"]
    )


def test_a_dataset_that_was_read_before_may_not_be_refused_for_every_ad_account() -> None:
    profiles = f"{ACCOUNT}/billing_profiles"
    first = run(Answers({profiles: items({"id": "5"})}), "billing_profiles")
    second = run(
        Answers({profiles: AccessRefusedError("403")}), "billing_profiles", state=first.state
    )

    assert (first.code, second.code) == (0, 1)


TWO_OWNERS = items(
    {"id": "1", "owner": {"id": "11", "username": "one"}},
    {"id": "2", "owner": {"id": "22", "username": "two"}},
    {"id": "3", "owner": {"id": "22", "username": "two"}},
)


ENTITIES = {
    f"{ACCOUNT}/campaigns": items({"id": "2"}),
    f"{ACCOUNT}/ad_groups": items({"id": "3", "campaign_id": "2"}, {"id": "4", "campaign_id": "9"}),
    f"{ACCOUNT}/ads": items({"id": "5", "campaign_id": "2", "ad_group_id": "3"}),
}


def test_id_filters_are_parameters_where_they_can_be_and_narrow_the_rest() -> None:
    answers = Answers(ENTITIES)
    ended = run(answers, "campaigns", "ad_groups", "ads", campaign_ids="2", ad_group_ids=["3", "4"])

    sent = {"ad_account_id": "1", "entity_statuses": ("ACTIVE", "PAUSED", "ARCHIVED")}
    sent["order"] = "ASCENDING"
    assert answers.to(f"{ACCOUNT}/campaigns") == [sent | {"campaign_ids": ("2",)}]
    assert answers.to(f"{ACCOUNT}/ad_groups") == [sent | {"ad_group_ids": ("3", "4")}]
    assert answers.to(f"{ACCOUNT}/ads") == [sent | {"ad_group_ids": ("3", "4")}]
    assert [record["id"] for record in ended.records("ad_groups")] == ["3"]


def test_many_ids_are_asked_for_in_batches_of_250() -> None:
    answers = Answers(ENTITIES)
    run(answers, "campaigns", campaign_ids=list(range(1, 602)))

    asked = [each["campaign_ids"] for each in answers.to(f"{ACCOUNT}/campaigns")]
    assert [len(ids) for ids in asked] == [250, 250, 101]


def test_an_unknown_id_in_the_config_is_a_failure_after_everything_was_read() -> None:
    answers = Answers({"/ad_accounts": TWO_OWNERS, "/boards": items({"id": "7"})})

    assert run(answers, "boards", board_ids="7").code == 0
    ended = run(answers, "boards", board_ids=["7", "8"])
    assert ended.code == 1
    assert "names 8, which" in ended.tap.run.summary.of("boards").failures[""]


def test_filters_hold_for_children_and_are_warned_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = Answers({**ENTITIES, f"{ACCOUNT}/ad_groups": items({"id": "3"})})
    run(answers, "product_group_promotions", entity_statuses="PAUSED", campaign_ids="2")

    assert [each["campaign_ids"] for each in answers.to(f"{ACCOUNT}/ad_groups")] == [("2",)]
    (asked,) = answers.to(f"{ACCOUNT}/product_group_promotions")
    assert (asked["ad_group_id"], asked["entity_statuses"]) == ("3", ("PAUSED",))
    warnings = [line for line in caplog.messages if "totals will differ" in line]
    assert len(warnings) == 1
    assert "entity_statuses and campaign_ids" in warnings[0]


def test_product_group_ids_are_asked_for_at_once() -> None:
    answers = Answers(ENTITIES)
    run(answers, "product_group_promotions", product_group_ids=["7", "8"])

    (asked,) = answers.to(f"{ACCOUNT}/product_group_promotions")
    assert asked["product_group_promotion_ids"] == ("7", "8")
    assert f"{ACCOUNT}/ad_groups" not in answers.calls


def test_a_filter_narrows_the_reports_of_the_same_run(sandbox: Sandbox) -> None:
    everything = sandbox_run(settings(sandbox, start_date="3 days ago"), "ads", "ad_analytics")
    busy = everything.records("ad_analytics")[0]["campaign_id"]
    config = settings(sandbox, start_date="3 days ago", campaign_ids=[busy])
    narrowed = sandbox_run(config, "ads", "ad_analytics")

    rows = everything.records("ad_analytics")
    assert narrowed.records("ad_analytics") == [row for row in rows if row["campaign_id"] == busy]
    fingerprints = {
        partition["settings"]
        for ended in (everything, narrowed)
        for partition in ended.state["bookmarks"]["ad_analytics"]["partitions"]
    }
    assert len(fingerprints) == 2


@pytest.mark.parametrize(
    ("accounts", "asked"),
    [
        ("token_user", [{}]),
        ("ad_account_owners", [{"ad_account_id": "1"}, {"ad_account_id": "2"}]),
        ("both", [{}, {"ad_account_id": "2"}]),
    ],
)
def test_organic_accounts_are_read_once_for_each_owner(
    accounts: str, asked: list[dict[str, str]]
) -> None:
    answers = Answers({"/ad_accounts": TWO_OWNERS, "/boards": items({"id": "7"}, {"id": "8"})})
    ended = run(answers, "boards", "board_sections", organic_accounts=accounts)

    assert answers.to("/boards") == asked
    assert [record["id"] for record in ended.records("boards")] == ["7", "8"]
    assert len(answers.to("/boards/{board_id}/sections")) == 2 * len(asked)


def test_ad_accounts_without_an_owner_are_named(caplog: pytest.LogCaptureFixture) -> None:
    owners = {"1": {"id": "7"}, "2": None, "3": "somebody", "4": {}, "5": {"id": "7"}}
    accounts = [{"id": each, "owner": owner} for each, owner in owners.items()]
    answers = Answers({"/ad_accounts": {"items": accounts}, "/boards": {"items": [{"id": "9"}]}})
    ended = run(answers, "boards", organic_accounts="ad_account_owners")

    assert picked(ended, "boards", "id") == [("9",)]
    assert "does not say who owns 3 of the ad accounts (2, 3, 4)" in caplog.text


def test_counts_of_two_users_have_a_partition_each() -> None:
    def profile(ad_account_id: str = "1") -> Any:
        return {"1": {"id": "11", "pin_count": 1}, "2": {"id": "22", "pin_count": 2}}[ad_account_id]

    answers = Answers({"/ad_accounts": TWO_OWNERS, "/user_account": profile})
    ended = run(answers, "user_account_metrics", organic_accounts="both")

    assert picked(ended, "user_account_metrics", "id", "pin_count") == [("11", 1), ("22", 2)]
    partitions = ended.state["bookmarks"]["user_account_metrics"]["partitions"]
    assert [each["context"] for each in partitions] == [{"user_id": "11"}, {"user_id": "22"}]
    assert answers.calls["/user_account"] == 2


LEFT_OUT = {
    "/ad_accounts/{ad_account_id}": "one of a list",
    f"{ACCOUNT}/ad_groups/{{ad_group_id}}": "one of a list",
    f"{ACCOUNT}/ads/{{ad_id}}": "one of a list",
    f"{ACCOUNT}/audiences/{{audience_id}}": "one of a list",
    f"{ACCOUNT}/billing_invoice/{{billing_invoice_id}}/download": "an address that expires",
    f"{ACCOUNT}/bulk/{{bulk_request_id}}": "the state of an export",
    f"{ACCOUNT}/campaigns/{{campaign_id}}": "one of a list",
    f"{ACCOUNT}/conversion_tags/{{conversion_tag_id}}": "one of a list",
    f"{ACCOUNT}/customer_lists/{{customer_list_id}}": "one of a list",
    f"{ACCOUNT}/customer_lists/{{customer_list_id}}/uploads/{{customer_list_upload_id}}": (
        "closed beta, and its ids cannot be listed"
    ),
    f"{ACCOUNT}/lead_forms/{{lead_form_id}}": "one of a list",
    f"{ACCOUNT}/leads/subscriptions/{{subscription_id}}": "one of a list",
    f"{ACCOUNT}/leads_export/{{leads_export_id}}": "people's answers to lead ads",
    f"{ACCOUNT}/order_lines/{{order_line_id}}": "one of a list",
    f"{ACCOUNT}/product_group_promotions/{{product_group_promotion_id}}": "one of a list",
    f"{ACCOUNT}/promotions/{{promotion_id}}": "one of a list",
    f"{ACCOUNT}/ssio/insertion_orders/{{pin_order_id}}/status": "one of a list",
    f"{ACCOUNT}/campaign_ad_preview": "addresses that let anybody see an ad, and expire",
    f"{ACCOUNT}/ad_groups/{{ad_group_id}}/dynamic_titles/csv": "an address that expires",
    f"{ACCOUNT}/ad_groups/{{ad_group_id}}/dynamic_titles/uploads": "an address to write to",
    f"{ACCOUNT}/conversion_deletion_requests/{{request_id}}": "one of a list",
    "/boards/{board_id}": "one of a list",
    "/catalogs/feeds/{feed_id}": "one of a list",
    "/catalogs/items/batch/{batch_id}": "the state of an upload",
    "/catalogs/product_groups/{product_group_id}": "one of a list",
    "/catalogs/{catalog_id}/supplemental_items/batch/{batch_id}": "the state of an upload",
    "/integrations/commerce/{external_business_id}": "one of a list",
    "/integrations/{id}": "one of a list",
    "/media/{media_id}": "one of a list",
    "/pins/analytics": "many of /pins/{pin_id}/analytics at once",
    "/search/boards": "boards again",
    "/search/pins": "Pins again",
    "/search/partner/pins": "other people's Pins",
    "/user_account/websites/verification": "a secret",
}


def test_every_readable_dataset_is_a_stream_or_left_out_for_a_reason() -> None:
    readable = {key.removeprefix("GET ") for key in api.operations() if key.startswith("GET ")}
    streams = {each.path for each in STREAM_TYPES}

    assert readable - streams == set(LEFT_OUT)
    assert not streams & set(LEFT_OUT)
    assert streams <= readable


def test_streams_are_in_groups_that_the_setting_knows() -> None:
    assert {each.group for each in STREAM_TYPES} == {*STREAM_GROUPS} - {"all"}
    newer = {each for each in STREAM_TYPES if api.operation(f"GET {each.path}").since}
    assert {each.group for each in newer} == {"beta"}
    assert {each for each in STREAM_TYPES if "5.28" in (each.__doc__ or "")} == newer


def test_streams_of_ordered_reports_name_operations_of_the_api() -> None:
    ordering = [each for each in STREAM_TYPES if issubclass(each, AdsReport | NumberedReportStream)]

    assert all(api.operation(f"POST {each.operation.create}") for each in ordering)
    assert all(api.operation(f"GET {each.operation.poll}") for each in ordering)


def test_streams_are_read_for_each_ad_account_if_their_path_names_one() -> None:
    named = {each for each in STREAM_TYPES if "{ad_account_id}" in each.path}

    assert named <= {each for each in STREAM_TYPES if isinstance(each.contexts, AdAccounts)}


def test_streams_are_read_for_each_user_if_a_call_may_name_an_ad_account() -> None:
    takes_an_account = {
        each.name
        for each in STREAM_TYPES
        if (found := api.operation(f"GET {each.path}").parameters.get("ad_account_id"))
        and found.location == "query"
    }
    others = {"ad_creatives", "targeting_options"}

    by_user = {each.name for each in STREAM_TYPES if isinstance(each.contexts, Users)}
    assert by_user == takes_an_account - others


@pytest.fixture(scope="module")
def first_run() -> Iterator[tuple[Sandbox, Run]]:
    """All streams of a world without limits whose lists have empty pages in between."""
    size = WorldSize(
        accounts=3, empty_accounts=1, campaigns=3, ad_groups=5, ads=9, boards=3, pins=6
    )
    with Sandbox(
        seed=7,
        today=date.fromisoformat(TODAY),
        size=size,
        access_tier="unlimited",
        empty_pages=2,
    ) as sandbox:
        yield sandbox, run_of_all_streams(sandbox)


@pytest.fixture(scope="module")
def two_runs(first_run: tuple[Sandbox, Run]) -> tuple[Run, Run]:
    """That run and the next one."""
    sandbox, first = first_run
    requests = list(sandbox.requests)
    second = run_of_all_streams(sandbox, first.state)
    sandbox.requests[:] = requests
    return first, second


def run_of_all_streams(sandbox: Sandbox, state: Any = None) -> Run:
    asked_for = {**SETTINGS, "usernames": [sandbox.world.user.username]}
    config = settings(sandbox, stream_groups=["all"], start_date="5 days ago", **asked_for)
    return sandbox_run(config, *map(name_of, STREAM_TYPES), state=state)


def keyed(ended: Run, stream: str) -> list[tuple[Any, ...]]:
    (schema,) = (m for m in ended.messages if m["type"] == "SCHEMA" and m["stream"] == stream)
    return picked(ended, stream, *schema["key_properties"])


def assert_all_read(ended: Run) -> None:
    """Each stream has records, and only fields that are known."""
    parts = ended.tap.run.summary.streams
    assert ended.code == 0, {name: part.failures for name, part in parts.items()}
    assert {name for name, part in parts.items() if not part.rows} == set()
    assert {name: part.unknown for name, part in parts.items() if part.unknown} == {}


def test_all_streams_read_the_sandbox_without_an_unknown_field(
    first_run: tuple[Sandbox, Run],
) -> None:
    _, first = first_run
    assert_all_read(first)


def test_the_next_run_reads_all_of_the_sandbox_again(two_runs: tuple[Run, Run]) -> None:
    _, second = two_runs
    assert_all_read(second)


@pytest.mark.parametrize("stream", DATASETS)
def test_every_record_comes_once_and_again_the_same_on_the_next_run(
    two_runs: tuple[Run, Run], stream: str
) -> None:
    first, second = two_runs
    keys = keyed(first, stream)

    assert len(set(keys)) == len(keys)
    assert second.records(stream) == first.records(stream)


def test_no_call_is_made_twice_and_none_is_one_that_the_sandbox_does_not_allow(
    first_run: tuple[Sandbox, Run],
) -> None:
    sandbox, _ = first_run
    # A report is asked for again until it is there.
    polls = {f"GET {key.removeprefix('POST ')}" for key in api.operations() if "POST" in key}
    calls = Counter(
        (each.path, tuple(each.query))
        for each in sandbox.requests
        if each.method == "GET" and each.operation not in polls
    )

    assert {call: count for call, count in calls.items() if count > 1} == {}
    assert {each.status for each in sandbox.requests} <= {200, 201, 401, 403}
