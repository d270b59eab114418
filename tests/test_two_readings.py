"""The tap and the sandbox read Pinterest's description apart; here both readings are compared.

A fact that one of them read wrongly is a difference, and fails. Each difference that stays has its
reason below; a reason that no longer has its difference fails as well.
"""

from __future__ import annotations

import runpy
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pinterest_sandbox import api as sandbox
from tap_pinterest import api as tap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
OF_ANSWERS = ("type", "format", "unit", "nullable")
OF_REQUESTS = (
    *("type", "default", "pattern", "minLength", "maxLength"),
    *("minimum", "maximum", "minItems", "maxItems"),
)

EXPLAINED = {
    "*GET /ad_accounts/{ad_account_id}/advertiser_defined_events.mapped_conversion_type: enum": (
        "The description lists the values beside null; the sandbox keeps the list."
    ),
    "*?creative_types.[]: enum": "The sandbox takes APP from the newer client; nobody sends it.",
    "CatalogsVerticalProductGroup.*ated_at: unit": (
        "The text says seconds, the example milliseconds: the sandbox sends both."
    ),
    "LocalStore.*itude: nullable": "The client marks whatever may be left out as nullable.",
    "LocalStore.country: enum": "The client reads NO, the country, as false; the tap ignores it.",
    "Schedule.delta_value.*: nullable": ("The client marks whatever may be left out as nullable."),
    "TrendsEditorial.related_keywords.[].pct_growth_mom: nullable": (
        "The client marks whatever may be left out as nullable."
    ),
    "ItemResponse.attributes.last_updated_time: unit": (
        "The sandbox does not answer for items; the tap does not read them."
    ),
    "body of POST /catalogs/items.language: enum": (
        "The sandbox joins the lists of all types of catalogs."
    ),
}
"""Differences by their path, and why they stay."""


def test_both_readings_of_the_description_agree() -> None:
    found = sorted(set(_differences()))

    assert [one for one in found if not any(_matches(one, each) for each in EXPLAINED)] == []


def test_every_explained_difference_is_still_there() -> None:
    found = set(_differences())

    assert [each for each in EXPLAINED if not any(_matches(one, each) for one in found)] == []


def test_a_unit_that_one_reading_has_wrong_is_a_difference() -> None:
    right = {"type": "object", "properties": {"spend": {"type": "integer", "unit": "s"}}}
    wrong = {"type": "object", "properties": {"spend": {"type": "integer", "unit": "ms"}}}

    assert list(_of_facts("Record", right, wrong, OF_ANSWERS)) == ["Record.spend: unit"]


@pytest.mark.parametrize("word", ["category", "scopes", "since", "beta", "client_credentials"])
def test_every_operation_has_the_same_rules_in_both_readings(word: str) -> None:
    assert tap.operations().keys() == sandbox.operations().keys()
    for key, ours in tap.operations().items():
        assert getattr(sandbox.operation(key), word) == getattr(ours, word), key


def test_the_file_of_the_sandbox_is_what_its_script_writes() -> None:
    pytest.importorskip("pydantic", exc_type=ImportError)
    newest = max((ROOT.parent / "shared" / "openapi").glob("*.json"), default=None)
    if newest is None:
        pytest.skip("Pinterest's description is not here")
    script = runpy.run_path(str(ROOT / "scripts" / "update_sandbox_api.py"))

    assert script["description_text"](newest) == script["WRITTEN"].read_text("utf-8")


def _matches(difference: str, explained: str) -> bool:
    return fnmatchcase(difference, explained.replace("[", "[[]"))


def _differences() -> Iterator[str]:
    for key, ours in tap.operations().items():
        theirs = sandbox.operation(key)
        yield from _of_parameters(key, ours.parameters, theirs.parameters)
        if (ours.shape or "object") != theirs.holds:
            yield f"{key}: holds"
        if ours.record:
            name = theirs.record_name or key
            yield from _of_facts(name, tap.schema(ours.record), theirs.record or {}, OF_ANSWERS)
        if ours.body:
            name = f"body of {key}"
            yield from _of_facts(name, tap.schema(ours.body), theirs.body or {}, OF_REQUESTS)


def _of_parameters(
    key: str, ours: Mapping[str, tap.Parameter], theirs: Mapping[str, sandbox.Parameter]
) -> Iterator[str]:
    for name in sorted(ours.keys() ^ theirs.keys()):
        yield f"{key}?{name}: missing"
    for name in sorted(ours.keys() & theirs.keys()):
        one, other = ours[name], theirs[name]
        if (one.location, one.required, one.since) != (other.place, other.required, other.since):
            yield f"{key}?{name}: place"
        if one.type == "array" and one.explode != other.explode:
            yield f"{key}?{name}: explode"
        facts = msgspec.to_builtins(one)
        facts.pop("required", None)
        facts["type"] = one.type
        yield from _of_facts(f"{key}?{name}", facts, {**other.facts, "required": None}, OF_REQUESTS)


def _of_facts(
    path: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], words: tuple[str, ...]
) -> Iterator[str]:
    for word in words:
        one, other = ours.get(word), theirs.get(word)
        if one != other and (one or other):
            yield f"{path}: {word}"
    if _values(ours) != _values(theirs):
        yield f"{path}: enum"
    fields, others = ours.get("properties", {}), theirs.get("properties", {})
    if ours.get("additionalProperties"):
        # The description names the keys of a map by a placeholder; the tap leaves that out.
        others = {name: facts for name, facts in others.items() if name in fields}
    for name in fields.keys() ^ others.keys():
        yield f"{path}.{name}: missing"
    for name in fields.keys() & others.keys():
        yield from _of_facts(f"{path}.{name}", fields[name], others[name], words)
    for word, end in (("items", "[]"), ("additionalProperties", "*")):
        inside, other = ours.get(word), theirs.get(word)
        if isinstance(inside, dict) and isinstance(other, dict):
            yield from _of_facts(f"{path}.{end}", inside, other, words)
        elif bool(inside) != bool(other):
            yield f"{path}.{end}: missing"


def _values(facts: Mapping[str, Any]) -> set[str]:
    values = facts.get("enum") or ()
    return set(map(str, tap.enum(values, newer=True) if isinstance(values, str) else values))
