"""The facts against their sources: Pinterest's description, and the client of a newer release."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts import corrections
from tap_pinterest import api
from tap_pinterest.records.conform import singer_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "/ad_accounts/{ad_account_id}"
ENTITIES = {
    "/ad_accounts": ("AdAccount", "AdAccountsApi.ad_accounts_list"),
    f"{ACCOUNT}/campaigns": ("CampaignResponse", "CampaignsApi.campaigns_list"),
    f"{ACCOUNT}/ad_groups": ("AdGroupResponse", "AdGroupsApi.ad_groups_list"),
    f"{ACCOUNT}/ads": ("AdResponse", "AdsApi.ads_list"),
    "/user_account": ("Account", "UserAccountApi.user_account_get"),
    "/boards": ("Board", "BoardsApi.boards_list"),
    "/pins": ("Pin", "PinsApi.pins_list"),
}
REPORTS = {
    f"{ACCOUNT}/analytics": ("AD_ACCOUNT_ID", "AdAccountsApi.ad_account_analytics"),
    f"{ACCOUNT}/campaigns/analytics": ("CAMPAIGN_ID", "CampaignsApi.campaigns_analytics"),
    f"{ACCOUNT}/ad_groups/analytics": ("AD_GROUP_ID", "AdGroupsApi.ad_groups_analytics"),
    f"{ACCOUNT}/ads/analytics": ("AD_ID", "AdsApi.ads_analytics"),
}
RECORDS_AT = {"list": "items.[].", "items": "items.[].", "data": "data.[]."} | {
    "array": "[].",
    "map": "[].",
    "object": "",
}
UNSENT = {each.schema: {*each.fields} for each in corrections.CORRECTIONS if each.facts is None}
READY = {"/resources/metrics_ready_state": "ResourcesApi.metrics_ready_state_get"}
CLIENT_METHODS = {path: method for path, (_, method) in (ENTITIES | REPORTS).items()} | READY


@pytest.fixture(scope="session")
def description() -> dict[str, Any]:
    """Pinterest's own description, where it is at hand."""
    facts = json.loads((ROOT / "tap_pinterest" / "api" / api.FACTS_FILE).read_text("utf-8"))
    found = sorted((ROOT.parent / "shared" / "openapi").glob(f"*{facts['version']}.json"))
    if not found:
        pytest.skip("the description that the facts come from is not here")
    document: dict[str, Any] = json.loads(found[-1].read_text("utf-8"))
    return document


def gets(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        if "get" in methods:
            yield path, methods["get"]


def resolved(description: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """A schema's own words, `allOf` included: a second, simpler reading than the script's."""
    if "$ref" in node:
        _, _, kind, name = node["$ref"].split("/")
        return resolved(description, description["components"][kind][name])
    words: dict[str, Any] = {}
    for part in node.get("allOf", ()):
        words |= resolved(description, part)
    return words | {word: value for word, value in node.items() if word != "allOf"}


def variants(description: dict[str, Any], node: dict[str, Any]) -> list[dict[str, Any]]:
    node = resolved(description, node)
    return [
        resolved(description, variant)
        for variant in (*node.get("oneOf", ()), *node.get("anyOf", ()), node)
    ]


def has_placeholder(node: dict[str, Any]) -> bool:
    """Whether a map describes its free keys by a property that no answer has."""
    return bool(node.get("additionalProperties")) and len(node.get("properties", ())) == 1


def field_paths(
    description: dict[str, Any], node: dict[str, Any], seen: tuple[str, ...] = ()
) -> set[str]:
    """The dotted names of all fields in a schema; one that contains itself is read once."""
    if "$ref" in node:
        if node["$ref"] in seen:
            return set()
        _, _, kind, name = node["$ref"].split("/")
        return field_paths(
            description, description["components"][kind][name], (*seen, node["$ref"])
        )
    found: set[str] = set()
    for part in (*node.get("allOf", ()), *node.get("oneOf", ()), *node.get("anyOf", ())):
        found |= field_paths(description, part, seen)
    if not has_placeholder(node):
        for name, field in node.get("properties", {}).items():
            found |= {name} | {f"{name}.{path}" for path in field_paths(description, field, seen)}
    for word in ("items", "additionalProperties"):
        if isinstance(node.get(word), dict):
            found |= {f"[].{path}" for path in field_paths(description, node[word], seen)}
    return found


def fact_paths(facts: Any) -> set[str]:
    found = set()
    for name, field in facts.get("properties", {}).items():
        found |= {name} | {f"{name}.{path}" for path in fact_paths(field)}
    for word in ("items", "additionalProperties"):
        if isinstance(facts.get(word), dict):
            found |= {f"[].{path}" for path in fact_paths(facts[word])}
    return found


def test_every_get_of_the_description_is_known(description: dict[str, Any]) -> None:
    assert len(list(gets(description))) == 125
    for path, node in gets(description):
        operation = api.operation(f"GET {path}")
        assert operation.since is None
        assert operation.category == node["x-ratelimit-category"]
        assert operation.sandbox == (node["x-sandbox"] == "enabled")
        ways = {name: tuple(scopes) for way in node["security"] for name, scopes in way.items()}
        assert operation.scopes == ways["pinterest_oauth2"]
        assert operation.client_credentials == ("client_credentials" in ways)


def test_every_get_has_the_parameters_of_the_description(description: dict[str, Any]) -> None:
    for path, node in gets(description):
        ours = api.operation(f"GET {path}").parameters
        theirs = {
            parameter["name"]: parameter
            for parameter in (resolved(description, p) for p in node.get("parameters", ()))
        }
        assert [name for name, p in ours.items() if p.since is None] == list(theirs), path
        for name, parameter in theirs.items():
            assert ours[name].location == parameter["in"], (path, name)
            assert ours[name].required == parameter.get("required", False), (path, name)
            assert_same_values(description, ours[name], parameter["schema"])
            if ours[name].type == "array":
                assert ours[name].explode == parameter.get("explode", True), (path, name)


def assert_same_values(
    description: dict[str, Any], ours: api.Parameter, theirs: dict[str, Any]
) -> None:
    schema = resolved(description, theirs)
    assert ours.type == schema["type"]
    for word, value in (
        ("default", ours.default),
        ("minimum", ours.minimum),
        ("maximum", ours.maximum),
        ("minLength", ours.min_length),
        ("maxLength", ours.max_length),
        ("minItems", ours.min_items),
        ("maxItems", ours.max_items),
        ("pattern", ours.pattern),
    ):
        assert value == schema.get(word)
    if ours.items is None:
        allowed = {value for one in variants(description, theirs) for value in one.get("enum", ())}
        assert set(ours.allowed) == allowed - {None}
    else:
        allowed = {
            value for one in variants(description, schema["items"]) for value in one.get("enum", ())
        }
        assert set(ours.allowed) == allowed
        items = resolved(description, schema["items"])
        assert ours.items.pattern == items.get("pattern")
        assert ours.items.max_length == items.get("maxLength")


def test_every_field_of_every_answer_is_known(description: dict[str, Any]) -> None:
    for path, node in gets(description):
        content = node["responses"]["200"].get("content")
        operation = api.operation(f"GET {path}")
        if content is None:
            assert operation.record is None
            continue
        assert operation.record is not None
        prefix = RECORDS_AT[operation.shape or ""]
        answered = field_paths(description, content["application/json"]["schema"])
        fields = {name.removeprefix(prefix) for name in answered if name.startswith(prefix)}
        known = fact_paths(api.schema(operation.record))
        if operation.shape == "map":  # a member may be a list of records
            known |= {f"[].{name}" for name in known}
        assert fields - UNSENT.get(operation.record, set()) <= known, path


def test_reports_can_be_asked_for() -> None:
    report = api.operation(f"POST {ACCOUNT}/reports")
    assert report.category == "ads_analytics"
    assert report.body is not None
    body = api.schema(report.body)
    assert set(body["required"]) == {"start_date", "end_date", "granularity", "columns", "level"}
    assert body["properties"]["columns"]["items"]["enum"] == "columns_async"
    assert body["properties"]["campaign_ids"]["maxItems"] == 500
    assert api.operation("POST /oauth/token").body == "OauthAccessTokenRequest"


def test_an_unknown_operation_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        api.operation("GET /nothing")
    with pytest.raises(KeyError, match="has no description"):
        api.record_facts("/resources/lead_form_questions")


def test_column_enums_have_their_documented_size() -> None:
    assert len(api.enum("columns_sync")) == 175
    assert len(api.enum("columns_async")) == 613
    assert len(api.enum("columns_sync", newer=True)) == 185
    assert len(api.enum("columns_async", newer=True)) == 626
    columns = api.operation(f"GET {ACCOUNT}/analytics").parameters["columns"]
    assert not columns.explode
    assert columns.allowed == api.enum("columns_sync")


def test_only_wholly_gated_operations_are_in_beta() -> None:
    gated = {key for key, operation in api.operations().items() if operation.beta}
    assert {"GET /pins/analytics", f"GET {ACCOUNT}/labels", "GET /integrations"} <= gated
    assert not {"POST /catalogs/reports", f"GET {ACCOUNT}/campaigns", "GET /pins"} & gated


def test_operations_known_only_to_the_newer_client_are_marked() -> None:
    newer = {key for key, operation in api.operations().items() if operation.since}
    assert {f"GET {ACCOUNT}/schedules", "GET /trends/editorial_articles"} <= newer
    assert api.operation("GET /pins").parameters["domains"].since == "5.28"
    assert api.schema("AdAccount")["properties"]["time_zone"]["since"] == "5.28"


def test_campaign_ids_are_repeated_and_at_most_250() -> None:
    ids = api.operation(f"GET {ACCOUNT}/campaigns").parameters["campaign_ids"]
    assert (ids.explode, ids.min_items, ids.max_items) == (True, 1, 250)


@pytest.mark.parametrize("path", ENTITIES)
def test_keys_are_never_null_and_everything_else_may_be(path: str) -> None:
    schema = singer_schema(api.record_facts(path), ["id"])
    assert schema["required"] == ["id"]
    assert schema["properties"]["id"] == {"type": ["string"]}
    for name, field in schema["properties"].items():
        assert name == name.lower()
        assert "enum" not in field
        assert ("null" in field["type"]) == (name != "id")


@pytest.mark.parametrize("path", REPORTS)
def test_a_report_row_has_its_id_and_its_day(path: str) -> None:
    key = REPORTS[path][0].lower()
    schema = singer_schema(api.record_facts(path), [key, "date"])
    assert schema["properties"] == {
        key: {"type": ["string"]},
        "date": {"type": ["string"], "format": "date"},
    }


@pytest.mark.parametrize(
    ("record", "field", "unit"),
    [
        ("AdAccount", "created_time", "s"),
        ("AdAccount", "updated_time", "s"),
        ("CampaignResponse", "created_time", "s"),
        ("CampaignResponse", "updated_time", "s"),
        ("CampaignResponse", "start_time", "s"),
        ("CampaignResponse", "end_time", "s"),
        ("AdGroupResponse", "created_time", "s"),
        ("AdGroupResponse", "updated_time", "s"),
        ("AdGroupResponse", "start_time", "s"),
        ("AdGroupResponse", "end_time", "s"),
        ("AdResponse", "created_time", "s"),
        ("AdResponse", "updated_time", "s"),
        ("Audience", "updated_timestamp", "s"),
        ("CustomerList", "updated_time", "s"),
        ("ConversionTag", "last_fired_time_ms", "ms"),
        ("LeadSubscription", "created_time", "ms"),
        ("UserBusinessRoleBinding", "created_time", "ms"),
        ("IntegrationRecord", "updated_time", "ms"),
        ("CatalogsVerticalProductGroup", "created_at", "s|ms"),
    ],
)
def test_times_have_their_unit(record: str, field: str, unit: str) -> None:
    assert api.schema(record)["properties"][field]["unit"] == unit


def test_boards_and_pins_have_iso_times() -> None:
    for path in ("/boards", "/pins"):
        created = singer_schema(api.record_facts(path), ["id"])["properties"]["created_at"]
        assert created == {"type": ["string", "null"], "format": "date-time"}


def test_nothing_but_times_has_a_unit() -> None:
    def check(name: str, facts: Any) -> None:
        if "unit" in facts:
            assert facts["unit"] in {"s", "ms", "s|ms"}, name
            assert facts["type"] in {"integer", "number"}, name
        for key, field in facts.get("properties", {}).items():
            check(f"{name}.{key}", field)
        for word in ("items", "additionalProperties"):
            if isinstance(facts.get(word), dict):
                check(f"{name}.{word}", facts[word])

    for operation in api.operations().values():
        if operation.record:
            check(operation.record, api.schema(operation.record))


def test_every_schema_can_become_a_singer_schema() -> None:
    for key, operation in api.operations().items():
        if key.startswith("GET ") and operation.record and operation.shape != "array":
            facts = api.record_facts(key.removeprefix("GET "))
            if "properties" in facts:
                assert singer_schema(facts)["properties"]


def test_every_correction_says_why() -> None:
    for correction in corrections.CORRECTIONS:
        assert correction.reason.endswith(".")
        assert correction.fields
        assert correction.facts or correction.seen


def test_fields_that_only_live_answers_have_name_the_day_they_were_seen(
    description: dict[str, Any],
) -> None:
    schemas = description["components"]["schemas"]
    for correction in corrections.CORRECTIONS:
        if "." not in correction.fields[0] and correction.schema in schemas:
            known = field_paths(description, schemas[correction.schema])
            assert correction.seen or {*correction.fields} <= known, correction


@pytest.mark.parametrize(
    ("path", "column", "kind"),
    [
        ("/pins", "is_removable", "boolean"),
        ("/pins", "product_tags", "array"),
        (f"{ACCOUNT}/campaigns", "ext_features", "object"),
        (f"{ACCOUNT}/ad_groups", "is_automated_campaign", "boolean"),
        (f"{ACCOUNT}/ad_groups", "is_creative_expansion", "boolean"),
        (f"{ACCOUNT}/ad_groups", "enabled_catalog_expansion", "boolean"),
        (f"{ACCOUNT}/audiences", "is_ctv_enabled", "boolean"),
        (f"{ACCOUNT}/targeting_templates", "placement_traffic_type", "string"),
    ],
)
def test_a_field_that_only_live_answers_have_is_a_column(path: str, column: str, kind: str) -> None:
    schema = singer_schema(api.record_facts(path))
    assert schema["properties"][column]["type"] == [kind, "null"]


def test_the_query_volume_of_a_keyword_has_the_name_that_answers_give_it() -> None:
    schema = singer_schema(api.record_facts(f"{ACCOUNT}/keywords/metrics"))
    assert [*schema["properties"]["metrics"]["properties"]] == ["KEYWORD_QUERY_VOLUME"]


def test_the_free_keys_of_a_map_are_no_properties() -> None:
    campaigns = api.record_facts(f"{ACCOUNT}/campaigns")["properties"]["bid_options"]
    trends = api.record_facts("/trends/keywords/{region}/top/{trend_type}")
    keyword = trends["properties"]["trends"]["items"]["properties"]
    maps = [
        campaigns["properties"]["audience_multipliers"],
        campaigns["properties"]["age_bucket_multipliers"],
        keyword["time_series"],
        keyword["demographics"]["properties"]["age_distribution"],
    ]
    for each in maps:
        assert "properties" not in each
        assert each["additionalProperties"]


@pytest.mark.parametrize("path", CLIENT_METHODS)
def test_no_field_that_the_newer_client_knows_is_missing(path: str) -> None:
    client = pytest.importorskip("pinterestsdk", exc_type=ImportError)
    kind, _, method = CLIENT_METHODS[path].partition(".")
    model = model_in(getattr(getattr(client, kind), method).__annotations__["return"])
    if "items" in model.model_fields:
        model = model_in(model.model_fields["items"].annotation)
    fields = {field.alias or name for name, field in model.model_fields.items()}
    assert fields - {"additional_properties"} <= set(api.record_facts(path)["properties"])


def model_in(annotation: Any) -> Any:
    """The model that an annotation is, lists or wraps."""
    while not isinstance(annotation, type) or not hasattr(annotation, "model_fields"):
        annotation = annotation.__args__[0]
    return annotation


def test_the_file_is_up_to_date_with_its_script(description: dict[str, Any]) -> None:
    pytest.importorskip("pinterestsdk", exc_type=ImportError)
    path = ROOT.parent / "shared" / "openapi" / f"pinterest-v{description['info']['version']}.json"
    text = load_script().facts_text(path, "pinterestsdk")
    assert text == (ROOT / "tap_pinterest" / "api" / api.FACTS_FILE).read_text("utf-8")


def test_the_script_refuses_a_correction_that_is_no_longer_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, description: dict[str, Any]
) -> None:
    script = load_script()
    stale = corrections.Correction("Board", ("id",), {"type": "string"}, "It was a number once.")
    monkeypatch.setattr(script, "CORRECTIONS", (stale,))
    path = tmp_path / "description.json"
    path.write_text(json.dumps(description), "utf-8")
    with pytest.raises(ValueError, match=r"Board\.id is no longer needed"):
        script.facts_text(path, "")


def load_script() -> ModuleType:
    pytest.importorskip("pydantic", exc_type=ImportError)
    spec = importlib.util.spec_from_file_location("update_api", ROOT / "scripts" / "update_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_operation_links_to_its_page_at_pinterest() -> None:
    assert api.operation("GET /ad_accounts/{ad_account_id}/campaigns").page == (
        "https://developers.pinterest.com/docs/api/v5/campaigns-list/"
    )


def test_an_operation_newer_than_the_description_links_to_the_list_of_all() -> None:
    newer = api.operation("GET /trends/editorial_articles")
    assert (newer.since, newer.page) == ("5.28", "https://developers.pinterest.com/docs/api/v5/")
