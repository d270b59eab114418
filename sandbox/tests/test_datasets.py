"""Every dataset: its records against the description, the published client and each other."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from pinterest_sandbox import Sandbox, WorldSize, api
from pinterest_sandbox.answers import ANSWERS
from pinterest_sandbox.truth import NeedsValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from conftest import Client

TODAY = date(2026, 11, 20)

_ACCOUNT = "GET /ad_accounts/{ad_account_id}"
_METRICS = {"pin_metrics": True}
_SUMMARY = {"assets_summary": True}
FIXED: dict[str, dict[str, Any]] = {
    f"{_ACCOUNT}/targeting_templates": {"include_sizing": True},
    f"{_ACCOUNT}/terms_of_service": {"include_html": True},
    "GET /boards/{board_id}/pins": _METRICS,
    "GET /pins": _METRICS,
    "GET /pins/{pin_id}": _METRICS,
    "GET /businesses/{business_id}/members": _SUMMARY,
    "GET /businesses/{business_id}/partners": _SUMMARY,
    "GET /businesses/employers": _SUMMARY,
    f"{_ACCOUNT}/keywords/metrics": {
        "country_code": "NO",
        "keywords": [f"word {number}" for number in range(12)],
    },
    "GET /resources/metrics_ready_state": {"date": "2026-11-18"},
    "GET /search/pins": {"query": "ideas"},
    "GET /search/partner/pins": {"term": "shoes", "country_code": "US"},
    "GET /terms/related": {"terms": ["clothes", "workout"]},
    "GET /terms/suggested": {"term": "sport"},
    "GET /trends/product_categories/details": {"product_categories": ["APRONS", "ANKLETS"]},
}
MODELS: Mapping[str, str] = {
    "AdGroupResponse": "AdGroup",
    "AdResponse": "Ad",
    f"{_ACCOUNT}/advertiser_defined_events": "AdvertiserDefinedEvent",
    "AdAccountsCountryResponseData": "AdAccountsCountry",
    "AudienceInsightsResponse": "AudienceInsights",
    "BillingInvoiceResponse": "BillingInvoice",
    "BookClosedResponse": "BookClosed",
    "GET /resources/delivery_metrics": "DeliveryMetricsResponseItemsItems",
    "GetBusinessAssetsResponse": "BusinessAssets",
    "UserWebsiteSummary": "UserWebsite",
    "UserWebsiteVerificationCode": "UserWebsiteVerification",
    "CampaignResponse": "Campaign",
    "LeadFormResponse": "LeadForm",
    "PromotionResponse": "Promotion",
    "SSIOAccountResponse": "SSIOAccount",
    "SingleInterestTargetingOptionResponse": "SingleInterestTargetingOption",
    "TargetingTemplateGetResponseData": "TargetingTemplate",
    "TemplateResponse": "AccountTemplate",
}
"""Records that the published client calls otherwise."""
SECRETS = {"cryptographic_key", "credentials", "partner_access_token", "partner_refresh_token"}


NEVER = {"Keyword": {"bid"}}
"""Properties that have no value any more."""
MOST_ASKED = 6
"""Most parents or values that a test reads of each dataset."""
FEW = 3
"""With fewer records, a property may be missing from all of them."""


def _datasets() -> list[str]:
    """The operations whose records are found by following what other operations list."""
    world = Sandbox(seed=7, today=TODAY)
    found = []
    for key in ANSWERS:
        if "analytics" not in key:
            with contextlib.suppress(NeedsValueError):
                next(world.truth(key, **FIXED.get(key, {})), None)
                found.append(key)
    return found


DATASETS = _datasets()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    size = WorldSize(accounts=6, account_records=8, members=8, products=20, item_issues=30)
    with Sandbox(seed=7, size=size, access_tier="unlimited", today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def reader(sandbox: Sandbox, connect: Callable[[Sandbox], Client]) -> Client:
    return connect(sandbox)


def _truth(sandbox: Sandbox, key: str) -> list[tuple[dict[str, Any], Any]]:
    return list(sandbox.truth(key, **FIXED.get(key, {})))


def test_only_bulks_batches_and_exports_are_not_answered_yet() -> None:
    missing = {key for key in api.operations() if key.startswith("GET")} - ANSWERS.keys()

    words = ("bulk", "batch", "leads_export")
    assert all(any(word in key for word in words) for key in missing)
    assert set(ANSWERS) <= set(api.operations())


@pytest.mark.parametrize("key", DATASETS)
def test_every_documented_property_has_a_value_somewhere(sandbox: Sandbox, key: str) -> None:
    operation = api.operation(key)
    documented = set((operation.record or {}).get("properties", {}))
    items = [item for _, item in _truth(sandbox, key) if isinstance(item, dict)]
    if not FIXED.get(key, {}).get("pin_metrics"):
        documented.discard("pin_metrics")

    found = {name for item in items for name, value in item.items() if value is not None}

    assert len(items) < FEW or documented - found == NEVER.get(operation.record_name, set())


@pytest.mark.parametrize("key", DATASETS)
def test_every_value_is_of_its_documented_type(sandbox: Sandbox, key: str) -> None:
    record = api.operation(key).record
    items = [item for _, item in _truth(sandbox, key)]

    assert items
    if record:
        for item in items:
            assert list(_faults(record, item, key)) == []


@pytest.mark.parametrize("key", DATASETS)
def test_every_record_is_one_of_the_published_model(
    sandbox: Sandbox, models: Any, key: str
) -> None:
    record = api.operation(key).record_name or key
    model = getattr(models, MODELS.get(record, record), None)
    if model is None:
        pytest.skip("the client has no model of its own for it")
    for _, item in _truth(sandbox, key):
        # Labels of 5.23 hold a list; and the client takes Norway for a boolean.
        if "labels" not in item and item.get("code") != "NO":
            model.from_dict(item)


@pytest.mark.parametrize("key", DATASETS)
def test_over_http_every_record_of_the_truth_arrives_once(
    sandbox: Sandbox, reader: Client, key: str
) -> None:
    records: dict[str, list[Any]] = {}
    for values, record in _truth(sandbox, key):
        records.setdefault(json.dumps(values, default=str), []).append(record)

    for text, expected in list(records.items())[:MOST_ASKED]:
        query = {**_widest(key), **json.loads(text)}
        place = api.operation(key).holds
        found = [each for body in reader.answers(key, query) for each in _records_in(body, place)]
        assert found == json.loads(json.dumps(expected))


def _faults(facts: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    """Where a value is not what the facts say."""
    kinds = facts.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if value is None:
        if not facts.get("nullable"):
            yield f"{path} is null"
        return
    if kinds and not any(_is_a(kind, value) for kind in kinds):
        yield f"{path} is {value!r:.50}, not {kinds}"
    if value not in facts.get("enum", [value]):
        yield f"{path} is {value!r:.50}, which is not listed"
    if isinstance(value, list):
        for item in value:
            yield from _faults(facts.get("items", {}), item, f"{path}[]")
    if isinstance(value, dict) and not facts.get("additionalProperties"):
        yield from _member_faults(facts, value, path)


def _member_faults(facts: Mapping[str, Any], value: Mapping[str, Any], path: str) -> Iterator[str]:
    properties = facts.get("properties")
    if properties is None:
        return
    for name in facts.get("required", ()):
        if name not in value:
            yield f"{path}.{name} is missing"
    for name, member in value.items():
        if name not in properties:
            yield f"{path}.{name} is not documented"
        else:
            yield from _faults(properties[name], member, f"{path}.{name}")


def _is_a(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    types: dict[str, Any] = {
        "integer": int,
        "number": (int, float),
        "string": str,
        "array": list,
        "object": dict,
        "boolean": bool,
    }
    return isinstance(value, types[kind])


def _widest(key: str) -> dict[str, Any]:
    """The parameters that show all of a list, in small pages."""
    parameters = api.operation(key).parameters
    widest: dict[str, Any] = {"page_size": 7, "include_protected_pins": True}
    if "entity_statuses" in parameters:
        widest["entity_statuses"] = list(parameters["entity_statuses"].allowed)
    return {name: value for name, value in widest.items() if name in parameters}


def _records_in(answer: Any, shape: str | None) -> Iterable[Any]:
    if shape == "map":
        return [record for records in answer.values() for record in records]
    if isinstance(answer, list):
        return answer
    for name in ("items", "data"):
        if name in answer:
            found: Iterable[Any] = answer[name]
            return found
    return [answer]
