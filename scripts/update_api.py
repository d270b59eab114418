"""Write `tap_pinterest/api/api.json`: the facts of the API that the tap reads.

The facts are taken from Pinterest's OpenAPI description and, for what newer releases add, from the
published client package `pinterestsdk`. Prose is left out. The same input gives the same bytes, one
operation, enum and schema a line, so that an update is a diff to review.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import json
import pkgutil
import re
import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import click
import pydantic

from scripts.corrections import CORRECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

    from scripts.corrections import Correction

Json: TypeAlias = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
API_JSON = ROOT / "tap_pinterest" / "api" / "api.json"
NEWEST = max((ROOT.parent / "shared" / "openapi").glob("*.json"), default=None)
"""Pinterest's newest description, if it is beside the repository."""
FILE = click.Path(dir_okay=False, path_type=Path)

POST_READS = (
    "/ad_accounts/{ad_account_id}/bulk/download",
    "/ad_accounts/{ad_account_id}/leads_export",
    "/ad_accounts/{ad_account_id}/mmm_reports",
    "/ad_accounts/{ad_account_id}/reports",
    "/ad_accounts/{ad_account_id}/reports/brand_category_sku",
    "/ad_accounts/{ad_account_id}/templates/{template_id}/reports",
    "/advanced_auction/items/get",
    "/catalogs/items",
    "/catalogs/reports",
    "/oauth/token",
)
"""POST operations that read, create a report, or get a token."""

ENUM_NAMES = {"query_columns": "columns_sync", "ReportingColumnAsync": "columns_async"}
"""Enums that the tap asks for by a name of its own; the others keep the description's name."""
INLINE_ENUM_VALUES = 40
"""Longer enums are stored once, by name."""

LIMITS = (
    *("default", "minimum", "maximum", "minLength", "maxLength"),
    *("minItems", "maxItems", "pattern"),
)
"""Limits for requests; answers do not need them."""
WORD_ORDER = (
    *("in", "required", "since", "type", "nullable", "format", "unit", "style", "explode"),
    *("enum", *LIMITS, "items", "properties", "additionalProperties"),
)

BETA = re.compile(r"\bbeta\b|\brestricted\b(?! to)|\bnot available\b", re.IGNORECASE)
TIME_NAME = re.compile(r"(_time|_timestamp|_at|_expiration|_date)$")
MILLISECONDS = re.compile(r"\bmilliseconds\b", re.IGNORECASE)
SECONDS = re.compile(r"\bunix\b|\bepoch\b", re.IGNORECASE)

ALTERNATIVE = re.compile(r"(one|any)of_schema_\d+_validator")
"""How the client names the variants of a schema."""
CLIENT_WORDS = {"const", "default", "properties"}
"""Words of the client's schemas that are translated, or mean nothing there."""
CLIENT_PARAMETER = re.compile(r"_(path|query)_params(?:\[|\.append\(\()'([^']+)'(?:\] =|,)\s+(\w+)")

NEWER_OPERATIONS = {
    "/ad_accounts": ("ads_read", ["ads:read"]),
    "/businesses": ("ads_read", ["biz_access:read"]),
    "/catalogs": ("catalogs_read", ["catalogs:read"]),
    "/pins": ("org_read", ["boards:read", "pins:read"]),
    "/trends": ("trends_read", ["user_accounts:read"]),
}
"""Rate category and scopes by the path's beginning, for operations that only the client knows: it
says neither, and the older operations beside them all share these."""


class Enums:
    """The long enums, by name; an enum that occurs twice has one name."""

    def __init__(self, inline_values: int = INLINE_ENUM_VALUES) -> None:
        """Start empty; short enums are not stored here."""
        self._inline_values = inline_values
        self.by_name: dict[str, list[Any]] = {}
        self.newer: dict[str, dict[str, list[Any]]] = {}
        self._names: dict[tuple[Any, ...], str] = {}

    def stored(self, values: list[Any], name: str) -> str | list[Any]:
        """The form in the facts: the values of a short enum, the name of a long one."""
        if len(values) <= self._inline_values:
            return values
        key = tuple(values)
        if key not in self._names:
            wanted = ENUM_NAMES.get(name, name)
            if wanted in self.by_name:
                msg = f"two enums want the name {wanted}"
                raise ValueError(msg)
            self._names[key] = wanted
            self.by_name[wanted] = values
        return self._names[key]

    def add(self, facts: Json, values: Iterable[Any], release: str) -> None:
        """Add the values that a newer release knows."""
        stored = facts["enum"]
        if isinstance(stored, list):
            facts["enum"] = [*stored, *(value for value in values if value not in stored)]
            return
        known = [*self.by_name[stored], *self.newer.get(stored, {}).get(release, ())]
        if added := [value for value in values if value not in known]:
            self.newer.setdefault(stored, {}).setdefault(release, []).extend(added)


class Reducer:
    """Reduces the schemas of one document to facts."""

    def __init__(
        self, document: Json, enums: Enums, corrections: Sequence[Correction] = ()
    ) -> None:
        """Reduce schemas of a document, corrected."""
        self._document = document
        self._enums = enums
        self._corrections = corrections
        self.corrected: set[str] = set()
        """Schemas whose corrections have been applied."""

    def resolve(self, node: Json) -> tuple[str | None, Json]:
        """The end of a chain of references, and the name of its last link."""
        name = None
        while "$ref" in node:
            name, found = node["$ref"].rsplit("/", 1)[-1], self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return name, node

    def reduce(
        self, node: Json, *, name: str = "", request: bool = False, within: tuple[str, ...] = ()
    ) -> Json:
        """The facts of a schema: references and `allOf` merged, alternatives united."""
        nullable = node.get("nullable")
        component, node = self.resolve(node)
        if component in within:  # contains itself: open at the second turn
            return {"type": "object"}
        if component:
            within = (*within, component)
        name = component or name
        facts = self._own(node, name, request=request, within=within)
        for part in node.get("allOf", ()):
            merge(facts, self.reduce(part, name=name, request=request, within=within))
        for word in ("oneOf", "anyOf"):
            variants = [variant for variant in node.get(word, ()) if variant.get("type") != "null"]
            reduced = [
                self.reduce(variant, name=name, request=request, within=within)
                for variant in variants
            ]
            if reduced:
                merge(facts, united(reduced))
            if len(variants) < len(node.get(word, ())):
                facts["nullable"] = True
        if nullable:
            facts["nullable"] = True
        if component and not request:
            self._correct(component, facts)
        return ordered(facts)

    def _own(self, node: Json, name: str, *, request: bool, within: tuple[str, ...]) -> Json:
        facts: Json = {}
        if kind := node.get("type") or implied_type(node):
            facts["type"] = kind
        if node.get("nullable"):
            facts["nullable"] = True
        if node.get("format") in {"date", "date-time"}:
            facts["format"] = node["format"]
        if values := [value for value in node.get("enum", ()) if value is not None]:
            facts["enum"] = self._enums.stored(list(dict.fromkeys(values)), name)
            if None in node["enum"]:
                facts["nullable"] = True
        if request:
            facts |= {limit: node[limit] for limit in LIMITS if node.get(limit) is not None}
        self._take_members(facts, node, name, request=request, within=within)
        return facts

    def _take_members(
        self, facts: Json, node: Json, name: str, *, request: bool, within: tuple[str, ...]
    ) -> None:
        if properties := node.get("properties"):
            facts["properties"] = {
                key: self._field(key, value, f"{name}_{key}", request=request, within=within)
                for key, value in properties.items()
            }
            if required := [key for key in node.get("required", ()) if key in properties]:
                facts["required"] = required
        if isinstance(node.get("items"), dict):
            facts["items"] = self.reduce(node["items"], name=name, request=request, within=within)
        more = node.get("additionalProperties")
        if isinstance(more, dict) and more:
            more = self.reduce(more, name=name, request=request, within=within)
        if more:
            facts["additionalProperties"] = more

    def _field(
        self, key: str, node: Json, name: str, *, request: bool, within: tuple[str, ...]
    ) -> Json:
        facts = self.reduce(node, name=name, request=request, within=within)
        if not request and facts.get("type") in ("integer", "number"):
            text = node.get("description") or self.resolve(node)[1].get("description", "")
            if unit := time_unit(key, text):
                facts["unit"] = unit
        return ordered(facts)

    def _correct(self, component: str, facts: Json) -> None:
        for correction in self._corrections:
            if correction.schema == component and correction.facts is not None:
                for field in correction.fields:
                    correct(facts, correction, field)
                self.corrected.add(component)


def correct(facts: Json, correction: Correction, field: str) -> None:
    """Make one field of a schema as a correction says.

    Raises:
        ValueError: The description has come to say the same.
        KeyError: There is no such field, and the correction names no day on which it was seen.
    """
    *outer, name = field.split(".")
    for key in outer:
        facts = facts["items"] if key == "[]" else facts["properties"][key]
    fields = facts["properties"]
    if correction.facts is None:
        is_needed = fields.pop(name, None) is not None
    else:
        known = fields.get(name, {}) if correction.seen else fields[name]
        fields[name] = ordered({**known, **correction.facts})
        is_needed = fields[name] != known
    if not is_needed:
        msg = f"correction of {correction.schema}.{field} is no longer needed"
        raise ValueError(msg)


def with_free_keys(node: Any) -> Any:  # noqa: ANN401
    """The same facts, where a map that describes its keys by one placeholder has free keys.

    The description gives `{"2026-01-03": 82}` a property `date`, which no answer has. The facts
    keep it under the word `keys`, because it says what keys look like.
    """
    if isinstance(node, list):
        return [with_free_keys(part) for part in node]
    if not isinstance(node, dict):
        return node
    node = {word: with_free_keys(value) for word, value in node.items()}
    fields = node.get("properties")
    if node.get("type") == "object" and node.get("additionalProperties") and len(fields or ()) == 1:
        return {"keys" if word == "properties" else word: value for word, value in node.items()}
    return node


def implied_type(node: Json) -> str | None:
    """The type that a schema without one can only mean."""
    if "properties" in node or "additionalProperties" in node:
        return "object"
    if "items" in node:
        return "array"
    values = [value for value in node.get("enum", ()) if value is not None]
    return "string" if values and all(isinstance(value, str) for value in values) else None


def time_unit(key: str, text: str) -> str | None:
    """The unit of a number that counts from 1970, where name and text say that it does."""
    if key.endswith("_time_ms"):
        return "ms"
    if TIME_NAME.search(key) and MILLISECONDS.search(text):
        return "ms"
    return "s" if TIME_NAME.search(key) and SECONDS.search(text) else None


def ordered(facts: Json) -> Json:
    """The same facts, their words in a fixed order."""
    return {word: facts[word] for word in WORD_ORDER if word in facts}


def merge(facts: Json, more: Json) -> None:
    """Add facts that hold as well: those at hand win, members are united."""
    for word, value in more.items():
        if word == "properties":
            ours = facts.setdefault("properties", {})
            for key, field in value.items():
                merge(ours.setdefault(key, {}), copy.deepcopy(field))
        elif word == "required" and isinstance(value, list):
            ours = facts.setdefault("required", [])
            ours.extend(key for key in value if key not in ours)
        else:
            facts.setdefault(word, value)


def united(variants: Sequence[Json]) -> Json:
    """The facts that hold for a value of any of the variants."""
    facts: Json = {}
    kinds = {kind for variant in variants for kind in types(variant)}
    if "number" in kinds:
        kinds.discard("integer")
    if kinds:
        facts["type"] = kinds.pop() if len(kinds) == 1 else sorted(kinds)
    if any(variant.get("nullable") for variant in variants):
        facts["nullable"] = True
    for word in ("format", "unit", "items", "additionalProperties"):
        values = [variant[word] for variant in variants if word in variant]
        if values and word in {"items", "additionalProperties"} and all_dicts(values):
            facts[word] = united(values)
        elif values and (word != "format" or len(values) == len(variants)):
            facts[word] = values[0]
    unite_enums(facts, variants)
    unite_limits(facts, variants)
    unite_properties(facts, variants)
    return facts


def types(facts: Json) -> list[str]:
    """The types that a value may have; none when the facts do not say."""
    found = facts.get("type", [])
    return found if isinstance(found, list) else [found]


def all_dicts(values: Sequence[Any]) -> bool:
    """Whether every value is a schema."""
    return all(isinstance(value, dict) for value in values)


def unite_enums(facts: Json, variants: Sequence[Json]) -> None:
    """List the values of all variants, if each of them lists its own."""
    enums = [variant.get("enum") for variant in variants]
    if all(isinstance(values, list) for values in enums):
        facts["enum"] = list(dict.fromkeys(value for values in enums for value in values or ()))
    elif enums[0] is not None and all(values == enums[0] for values in enums):
        facts["enum"] = enums[0]


def unite_limits(facts: Json, variants: Sequence[Json]) -> None:
    """Keep the limits that all variants agree on."""
    for limit in LIMITS:
        values = [variant.get(limit) for variant in variants]
        if values[0] is not None and all(value == values[0] for value in values):
            facts[limit] = values[0]


def unite_properties(facts: Json, variants: Sequence[Json]) -> None:
    """List the fields of all variants; a field is required if each variant requires it."""
    holders = [variant for variant in variants if "properties" in variant]
    keys = dict.fromkeys(key for variant in holders for key in variant["properties"])
    for key in keys:
        fields = [variant["properties"][key] for variant in holders if key in variant["properties"]]
        field = united(fields)
        if len(fields) < len(variants):
            field["nullable"] = True
        facts.setdefault("properties", {})[key] = ordered(field)
    required = [
        key for key in keys if all(key in variant.get("required", ()) for variant in variants)
    ]
    if required:
        facts["required"] = required


class Answer(NamedTuple):
    """The answer of an operation: its shape, and one record."""

    shape: str
    record: str
    facts: Json


def answer(reducer: Reducer, node: Json, fallback: str) -> Answer:
    """Find the record in the schema of an answer; `fallback` names one without a name."""
    shape, record = held(reducer, node)
    name = reducer.resolve(record)[0] or fallback
    return Answer(shape, name, reducer.reduce(record, name=name))


def held(reducer: Reducer, node: Json) -> tuple[str, Json]:
    """How an answer holds its records, and the schema of one."""
    top = opened(reducer, node)
    properties = top["properties"]
    for word in ("items", "data"):
        member = opened(reducer, properties.get(word, {}))
        if "items" in member and ("bookmark" in properties or set(properties) == {word}):
            return ("list" if "bookmark" in properties else word), member["items"]
    if top.get("type") == "array":
        return "array", top["items"]
    more = top.get("additionalProperties")
    if isinstance(more, dict) and more and not properties:
        return "map", opened(reducer, more).get("items", more)
    return "object", node


def opened(reducer: Reducer, node: Json) -> Json:
    """The outermost level of a schema, without references and `allOf`."""
    _, node = reducer.resolve(node)
    level: Json = {"properties": {}}
    for part in (*(opened(reducer, part) for part in node.get("allOf", ())), node):
        level |= {word: part[word] for word in ("type", "items") if word in part}
        level |= {word: part[word] for word in ("additionalProperties",) if part.get(word)}
        level["properties"].update(part.get("properties", {}))
    return level


class Api:
    """The facts that are collected."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.enums = Enums()
        self.operations: dict[str, Json] = {}
        self.schemas: dict[str, Json] = {}

    def add_description(self, document: Json) -> None:
        """Take the operations of an OpenAPI description."""
        reducer = Reducer(document, self.enums, CORRECTIONS)
        for path, methods in document["paths"].items():
            for method, node in methods.items():
                if method == "get" or (method == "post" and path in POST_READS):
                    self.operations[f"{method.upper()} {path}"] = self._described(reducer, node)
        if missed := {each.schema for each in CORRECTIONS if each.facts} - reducer.corrected:
            msg = f"corrections of schemas that no operation answers: {sorted(missed)}"
            raise ValueError(msg)

    def _described(self, reducer: Reducer, node: Json) -> Json:
        schemes = {name: scopes for way in node["security"] for name, scopes in way.items()}
        facts: Json = {"id": node["operationId"], "category": node["x-ratelimit-category"]}
        if scopes := schemes.get("pinterest_oauth2"):
            facts["scopes"] = scopes
        if "client_credentials" in schemes:
            facts["client_credentials"] = True
        if node["x-sandbox"] == "enabled":
            facts["sandbox"] = True
        if BETA.search(node["description"] + node["summary"]):
            facts["beta"] = True
        if parameters := node.get("parameters"):
            facts["parameters"] = dict(described(reducer, parameter) for parameter in parameters)
        fallback = "".join(word.title() for word in re.split(r"[/_]", node["operationId"]))
        if body := json_schema(node.get("requestBody", {})):
            name = reducer.resolve(body)[0] or f"{fallback}Body"
            self.schemas[name] = reducer.reduce(body, name=name, request=True)
            facts["body"] = name
        if schema := json_schema(node["responses"].get("200", {})):
            found = answer(reducer, schema, f"{fallback}Record")
            self.schemas[found.record] = found.facts
            facts |= {"shape": found.shape, "record": found.record}
        return facts

    def add_client(self, package: str) -> None:
        """Add the facts of a newer release, from the client package generated from it."""
        release = client_release(importlib.import_module(package))
        operations = list(client_operations(package, self._wants))
        new_names: dict[str, str] = {}
        for operation in operations:
            if facts := self.operations.get(operation.key):
                self._add_newer(facts, operation, release)
                new_names[operation.answer.record] = facts.get("record", "")
        for operation in operations:
            if operation.key not in self.operations:
                self._add_new(operation, new_names, release)

    def _wants(self, key: str) -> bool:
        return key in self.operations or key.startswith("GET ")

    def _add_newer(self, facts: Json, operation: ClientOperation, release: str) -> None:
        parameters = facts.get("parameters", {})
        for name, parameter in operation.parameters.items():
            if name not in parameters:
                parameters[name] = ordered({**parameter, "since": release})
            else:
                self._add_long_enum(parameters[name], parameter, release)
        if operation.body:
            self._add_fields(self.schemas[facts["body"]], operation.body, release)
        if facts.get("shape") == operation.answer.shape:
            self._add_fields(self.schemas[facts["record"]], operation.answer.facts, release)

    def _add_long_enum(self, ours: Json, theirs: Json, release: str) -> None:
        ours, theirs = ours.get("items", ours), theirs.get("items", theirs)
        if isinstance(ours.get("enum"), str) and "enum" in theirs:
            self.enums.add(ours, client_values(theirs), release)

    def _add_new(
        self, operation: ClientOperation, new_names: Mapping[str, str], release: str
    ) -> None:
        path = operation.key.removeprefix("GET ")
        category, scopes = next(
            facts for start, facts in NEWER_OPERATIONS.items() if path.startswith(start)
        )
        shape, name, record = operation.answer
        name = new_names.get(name) or name
        self.schemas.setdefault(name, record)
        new: Json = {"category": category, "scopes": scopes, "since": release}
        if operation.client_credentials:
            new["client_credentials"] = True
        new |= {"parameters": operation.parameters, "shape": shape, "record": name}
        self.operations[operation.key] = new

    def _add_fields(self, ours: Json, theirs: Json, release: str) -> None:
        if ours.get("type") != theirs.get("type"):
            return
        if "enum" in ours and "enum" in theirs:
            self.enums.add(ours, client_values(theirs), release)
        for word in ("items", "additionalProperties"):
            if isinstance(ours.get(word), dict) and isinstance(theirs.get(word), dict):
                self._add_fields(ours[word], theirs[word], release)
        if isinstance(ours.get("additionalProperties"), dict):
            return
        for key, field in theirs.get("properties", {}).items():
            fields = ours.setdefault("properties", {})
            if key in fields:
                self._add_fields(fields[key], field, release)
            elif "type" in field:  # anything at all is no fact
                fields[key] = ordered({**field, "nullable": True, "since": release})

    def leave_out_unsent(self) -> None:
        """Take fields away that both sources have and Pinterest does not send."""
        for correction in CORRECTIONS:
            if correction.facts is None:
                for field in correction.fields:
                    correct(self.schemas[correction.schema], correction, field)

    def text(self) -> str:
        """The file's text: one operation, enum and schema a line."""
        sections: dict[str, Json] = {
            "operations": self.operations,
            "enums": dict(sorted(self.enums.by_name.items())),
            "since": dict(sorted(self.enums.newer.items())),
            "schemas": with_free_keys(dict(sorted(self.schemas.items()))),
        }
        lines = ",\n".join(f'"{name}":{{\n{listing(part)}\n}}' for name, part in sections.items())
        return f'{{"version":"{self.version}",\n{lines}}}\n'


def described(reducer: Reducer, node: Json) -> tuple[str, Json]:
    """Name and facts of a parameter."""
    component, node = reducer.resolve(node)
    schema = reducer.reduce(node["schema"], name=component or node["name"], request=True)
    facts: Json = {"in": node["in"], **schema}
    facts.pop("required", None)
    if node.get("required"):
        facts["required"] = True
    if facts.get("type") == "array":
        facts["explode"] = node.get("explode", True)
    if node.get("style", "form") not in {"form", "simple"}:
        facts["style"] = node["style"]
    return node["name"], ordered(facts)


def json_schema(node: Json) -> Json | None:
    """The schema of a body or an answer."""
    for content in node.get("content", {}).values():
        schema: Json | None = content.get("schema")
        return schema
    return None


def listing(part: Mapping[str, Any]) -> str:
    """JSON members, one a line."""
    return ",\n".join(
        f"{json.dumps(key)}:{json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"
        for key, value in part.items()
    )


class ClientOperation(NamedTuple):
    """An operation as the client package knows it."""

    key: str
    parameters: dict[str, Json]
    client_credentials: bool
    body: Json | None
    answer: Answer


def client_release(package: ModuleType) -> str:
    """The release of the description that the client was generated from."""
    found = re.search(r"version of the OpenAPI document: (\d+\.\d+)", package.__doc__ or "")
    if not found:
        msg = f"{package.__name__} does not say which release it was generated from"
        raise ValueError(msg)
    return found[1]


def client_operations(package: str, wanted: Callable[[str], bool]) -> Iterator[ClientOperation]:
    """The wanted operations of the client, in the order of its modules and methods."""
    api = importlib.import_module(f"{package}.api")
    for module in sorted(found.name for found in pkgutil.iter_modules(api.__path__)):
        members = vars(importlib.import_module(f"{package}.api.{module}"))
        kinds = [kind for name, kind in members.items() if name.endswith("Api")]
        for name, function in ((name, f) for kind in kinds for name, f in vars(kind).items()):
            serializer = next((vars(kind).get(f"_{name}_serialize") for kind in kinds), None)
            if serializer is not None:
                request = inspect.getsource(serializer)
                key = " ".join(re.findall(r"(?:method|resource_path)='([^']+)'", request))
                if wanted(key):
                    yield client_operation(key, function, request)


def client_operation(key: str, function: Callable[..., Any], request: str) -> ClientOperation:
    """One operation, from its method's signature and the code that builds its request."""
    hints = typing.get_type_hints(function, include_extras=True)
    signature = inspect.signature(function).parameters
    styles = dict(re.findall(r"'(\w+)': '(multi|csv)'", request))
    parameters: dict[str, Json] = {}
    for place, name, variable in re.findall(CLIENT_PARAMETER, request):
        facts = {**client_facts(hints[variable]), "in": place}
        facts.pop("nullable", None)
        if signature[variable].default is inspect.Parameter.empty:
            facts["required"] = True
        if facts.get("type") == "array":
            facts["explode"] = styles.get(name) != "csv"
        parameters[name] = ordered(facts)
    body = re.search(r"_body_params = (\w+)", request)
    answered = hints["return"]
    return ClientOperation(
        key,
        parameters,
        "'client_credentials'" in request,
        client_facts(hints[body[1]]) if body else None,
        answer(*client_schema(answered), getattr(answered, "__name__", "")),
    )


def client_facts(annotation: type[Any]) -> Json:
    """The facts of what an annotation asks for."""
    reducer, node = client_schema(annotation)
    return reducer.reduce(node, request=True)


def client_schema(annotation: type[Any]) -> tuple[Reducer, Json]:
    """The JSON schema of an annotation, and a reducer over what it refers to."""
    node = pydantic.TypeAdapter(annotation).json_schema()
    definitions = {name: plain(part) for name, part in node.pop("$defs", {}).items()}
    return Reducer({"$defs": definitions}, Enums(sys.maxsize)), plain(node)


def plain(node: Any) -> Any:  # noqa: ANN401
    """A schema of the client in the words of OpenAPI 3.0."""
    if isinstance(node, list):
        return [plain(part) for part in node]
    if not isinstance(node, dict):
        return node
    fields = dict(node.get("properties", {}))
    variants = [field for name, field in fields.items() if ALTERNATIVE.fullmatch(name)]
    if variants:
        return {"oneOf": [plain(not_null(variant)) for variant in variants]}
    words = {word: plain(value) for word, value in node.items() if word not in CLIENT_WORDS}
    # The client keeps unknown members in a field of this name.
    if fields.pop("additional_properties", None):
        words["additionalProperties"] = True
    if fields:
        words["properties"] = {name: plain(field) for name, field in fields.items()}
    if "const" in node:
        words["enum"] = [node["const"]]
    one = not_null(words)
    return {**{word: words[word] for word in words if word != "anyOf"}, **one}


def not_null(node: Json) -> Json:
    """A nullable schema without null."""
    variants = [one for one in node.get("anyOf", ()) if one.get("type") != "null"]
    return variants[0] if len(variants) == 1 else node


def client_values(facts: Json) -> list[Any]:
    """The values of an enum of the client; `NO`, Norway, became a false one there."""
    return [value for value in facts["enum"] if isinstance(value, str) and value.lower() != "false"]


@click.command()
@click.option("--description", type=FILE, default=NEWEST, required=NEWEST is None)
@click.option("--client", default="pinterestsdk", help="Python package; empty for none.")
@click.option("--output", type=FILE, default=API_JSON)
def main(description: Path, client: str, output: Path) -> None:
    """Write the facts of Pinterest's API."""
    output.write_text(facts_text(description, client), "utf-8")


def facts_text(description: Path, client: str) -> str:
    """The facts of a description and a client package, as the file holds them."""
    document = json.loads(description.read_text("utf-8"))
    api = Api(document["info"]["version"])
    api.add_description(document)
    if client:
        api.add_client(client)
    api.leave_out_unsent()
    return api.text()


if __name__ == "__main__":
    main()
