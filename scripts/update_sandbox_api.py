"""Write `pinterest_sandbox/description.json`: Pinterest's own description, without its prose.

Operations, parameters and schemas stay as Pinterest wrote them, references included; the sandbox
follows those when it needs them. Two things are added: the unit of each number that counts from
1970, from its example, and the fields that the published client of a newer release has.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import typing
from collections import ChainMap
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click
import pydantic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Node: TypeAlias = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "sandbox" / "pinterest_sandbox" / "description.json"
NEWEST = max((ROOT.parent / "shared" / "openapi").glob("*.json"), default=None)
"""Pinterest's newest description, if it is beside the repository."""
FILE = click.Path(dir_okay=False, path_type=Path)
CLIENT = "pinterestsdk"

READING_POSTS = frozenset(
    {
        "POST /ad_accounts/{ad_account_id}/bulk/download",
        "POST /ad_accounts/{ad_account_id}/leads_export",
        "POST /ad_accounts/{ad_account_id}/mmm_reports",
        "POST /ad_accounts/{ad_account_id}/reports",
        "POST /ad_accounts/{ad_account_id}/reports/brand_category_sku",
        "POST /ad_accounts/{ad_account_id}/templates/{template_id}/reports",
        "POST /advanced_auction/items/get",
        "POST /catalogs/items",
        "POST /catalogs/reports",
        "POST /oauth/token",
    }
)
"""Beside every GET: nothing in them changes what a user has."""

CATEGORY_AND_SCOPE_OF_NEWER = (
    ("/ad_accounts/", "ads_read", "ads:read"),
    ("/catalogs/", "catalogs_read", "catalogs:read"),
    ("/pins/", "org_read", "boards:read pins:read"),
    ("/trends/", "trends_read", "user_accounts:read"),
)
"""The client names neither; all older operations below the same path have these."""

PLAIN_WORDS = [
    "$ref",
    "type",
    "nullable",
    "enum",
    "default",
    "pattern",
    "required",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
]
UNTYPED = {"dca_assets": {"type": "object", "nullable": True}}
"""Fields that the description gives no type; the text speaks of a bundle of assets."""
LIVE: dict[str, dict[str, Node]] = {
    "AdGroupResponse": {
        "enabled_catalog_expansion": {"type": "boolean", "nullable": True},
        "is_automated_campaign": {"type": "boolean", "nullable": True},
        "is_creative_expansion": {"type": "boolean", "nullable": True},
    },
    "Audience": {"is_ctv_enabled": {"type": "boolean", "nullable": True}},
    "CampaignResponse": {"ext_features": {"type": "object", "nullable": True}},
    "KeywordMetrics": {
        "KEYWORD_QUERY_VOLUME": {
            "type": "string",
            "nullable": True,
            "described_as": "keyword_query_volume",
        },
    },
    "Pin": {
        "is_removable": {"type": "boolean", "nullable": True},
        "product_tags": {"type": "array", "nullable": True, "items": {"type": "object"}},
    },
    "TargetingTemplateGetResponseData": {
        "placement_traffic_type": {"type": "string", "nullable": True}
    },
}
"""Fields by schema that answers of 2026-07-09 have and no description has, or under another name.

The lists of `product_tags` and the objects of `ext_features` were empty or null.
"""
LISTS_OF_SCHEMAS = ("allOf", "oneOf", "anyOf")
TIME = re.compile(r"_(time|time_ms|timestamp|at|expiration|expiry|date)$")
CLOSED = re.compile(r"\bbeta\b|\bnot available\b|\brestricted\b(?! to)", re.IGNORECASE)
FORMS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?"),
}
FROM_MILLISECONDS = 10**11
FROM_SECONDS = 10**8
CLIENT_VARIANT = "_validator"
"""The ending of the client's fields that stand for the variants of one schema."""
COMPOUND = frozenset({"properties", "items", "additionalProperties", "anyOf", "default"})
"""Words whose values are translated apart, or mean nothing in the client."""
CLIENT_REST = "additional_properties"
"""The client's field for all further members of an object."""


def bare(node: Node, name: str = "", example: Any = None) -> Node:  # noqa: ANN401  any JSON
    """A schema without its prose."""
    example = node.get("example", example)
    kept: Node = {word: node[word] for word in PLAIN_WORDS if word in node}
    kept = UNTYPED.get(name, {}) | kept
    take_values(kept)
    if form := form_of(node, example):
        kept["format"] = form
    if node.get("type") in {"integer", "number"} and TIME.search(name):
        kept |= {"unit": unit} if (unit := unit_of(example, node.get("description", ""))) else {}
    take_members(kept, node, example)
    for word in ("items", "additionalProperties"):
        if node.get(word):
            kept[word] = bare(node[word], name) if isinstance(node[word], dict) else node[word]
    for word in LISTS_OF_SCHEMAS:
        if word in node:
            kept[word] = [bare(part, name, example) for part in node[word]]
    return kept


def take_values(kept: Node) -> None:
    """Say of listed values whether they are texts, and whether null is one of them."""
    values = kept.get("enum", [])
    if None in values:
        kept["nullable"] = True
        kept["enum"] = values = [value for value in values if value is not None]
    if values and all(isinstance(value, str) for value in values):
        kept.setdefault("type", "string")


def take_members(kept: Node, node: Node, example: Any) -> None:  # noqa: ANN401  any JSON
    """Take the properties of an object; its example holds theirs."""
    if "properties" not in node:
        return
    examples = example if isinstance(example, dict) else {}
    members = node["properties"].items()
    kept["properties"] = {key: bare(field, key, examples.get(key)) for key, field in members}
    share_unit(kept["properties"])


def form_of(node: Node, example: Any) -> str | None:  # noqa: ANN401  any JSON
    """The format of a text that is a day or a moment: as named, else as its example has it."""
    if "format" in node:
        return node["format"] if node["format"] in {"date", "date-time"} else None
    if node.get("type") == "string" and isinstance(example, str):
        return next((form for form, text in FORMS.items() if text.fullmatch(example)), None)
    return None


def unit_of(example: Any, text: str) -> str | None:  # noqa: ANN401  any JSON
    """The unit of a number that counts from 1970, from the example or else from the text.

    Where both speak and differ, the text holds: `kinds/catalogs` answers in both units.
    """
    if "millisecond" in text:
        return "ms"
    if re.search(r"\bunix\b|\bepoch\b", text, re.IGNORECASE):
        return "s"
    if isinstance(example, int) and example >= FROM_SECONDS:
        return "ms" if example >= FROM_MILLISECONDS else "s"
    return None


def share_unit(fields: dict[str, Node]) -> None:
    """Give a time without example and text the unit of the times beside it."""
    units = {field["unit"] for field in fields.values() if "unit" in field}
    for name, field in fields.items():
        numeric = field.get("type") in {"integer", "number"}
        if numeric and TIME.search(name) and len(units) == 1:
            field.setdefault("unit", *units)


def operation(node: Node) -> Node:
    """The facts of an operation that the sandbox needs."""
    scopes = {name: scopes for way in node["security"] for name, scopes in way.items()}
    kept: Node = {
        "category": node["x-ratelimit-category"],
        "scopes": scopes.get("pinterest_oauth2", []),
        "client_credentials": "client_credentials" in scopes,
        "beta": bool(CLOSED.search(node["description"] + node["summary"])),
        "parameters": [parameter(each) for each in node.get("parameters", ())],
    }
    if body := json_of(node.get("requestBody", {})):
        kept["body"] = bare(body)
    good = next(node["responses"][code] for code in ("200", "201") if code in node["responses"])
    if answer := json_of(good):
        kept["answer"] = bare(answer)
    return kept


def parameter(node: Node) -> Node:
    """A parameter without its prose."""
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    words = ("name", "in", "required", "explode")
    kept: Node = {word: node[word] for word in words if word in node}
    if node.get("style") == "deepObject":
        kept["style"] = "deepObject"
    return {**kept, "schema": bare(node["schema"])}


def json_of(node: Node) -> Node | None:
    """The schema of a body or an answer, of any content type."""
    found = [content["schema"] for content in node.get("content", {}).values()]
    return found[0] if found else None


class Description:
    """The operations, parameters and schemas that are written."""

    def __init__(self, document: Node) -> None:
        """Take what reads from Pinterest's document."""
        self.release = document["info"]["version"]
        self.newer: str | None = None
        components = document["components"]
        self.parameters = {name: parameter(node) for name, node in components["parameters"].items()}
        own = {name: bare(node, name) for name, node in components["schemas"].items()}
        self.schemas = ChainMap(own)
        """Pinterest's own schemas first, then the schemas that only a newer client has."""
        self.operations = {
            key: operation(node)
            for path, methods in document["paths"].items()
            for method, node in methods.items()
            if method == "get" or f"{method.upper()} {path}" in READING_POSTS
            for key in [f"{method.upper()} {path}"]
        }

    def target(self, node: Node) -> Node:
        """The end of a chain of references."""
        while "$ref" in node:
            node = self.at(node["$ref"])
        return node

    def parts(self, node: Node) -> Iterator[Node]:
        """A schema and all that it is put together from, variants included."""
        node = self.target(node)
        yield node
        for word in LISTS_OF_SCHEMAS:
            for part in node.get(word, ()):
                yield from self.parts(part)

    def named_parts(self, node: Node) -> set[str]:
        """The references among the parts of a schema."""
        lists = [part.get(word, ()) for part in self.parts(node) for word in LISTS_OF_SCHEMAS]
        return {each["$ref"] for parts in lists for each in parts if "$ref" in each}

    def fields(self, node: Node) -> dict[str, Node]:
        """The properties of a schema and of all its parts, each where it stands last.

        What every list has stands first, and says nothing of the records of one.
        """
        return {
            name: field
            for part in self.parts(node)
            for name, field in part.get("properties", {}).items()
        }

    def at(self, reference: str) -> Node:
        """The parameter or schema that a reference names, which may be a reference itself."""
        _, _, kind, name = reference.split("/")
        found: Node = self.schemas[name] if kind == "schemas" else self.parameters[name]
        return found

    def used(self) -> set[str]:
        """The references that lead from the operations to all that they need."""
        found: set[str] = set()
        waiting = list(references(self.operations))
        while waiting:
            reference = waiting.pop()
            if reference not in found:
                found.add(reference)
                waiting.extend(references(self.at(reference)))
        return found

    def text(self) -> str:
        """The file: one operation, parameter and schema a line."""
        used = sorted(self.used())
        names = {
            kind: [each.rpartition("/")[2] for each in used if f"/{kind}/" in each]
            for kind in ("parameters", "schemas")
        }
        parts = (
            f'"release":{json.dumps(self.release)}',
            f'"newer":{json.dumps(self.newer)}',
            section("operations", self.operations),
            section("parameters", {name: self.parameters[name] for name in names["parameters"]}),
            section("schemas", {name: self.schemas[name] for name in names["schemas"]}),
        )
        return "{" + ",\n".join(parts) + "}\n"


def references(node: Any) -> Iterator[str]:  # noqa: ANN401  any JSON
    """All references in a piece of the description."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for part in node.values():
            yield from references(part)
    elif isinstance(node, list):
        for part in node:
            yield from references(part)


def section(name: str, nodes: Node) -> str:
    """One part of the file."""
    lines = ",\n".join(
        f"{json.dumps(key)}:{json.dumps(node, ensure_ascii=False, separators=(',', ':'))}"
        for key, node in nodes.items()
    )
    return f'"{name}":{{\n{lines}\n}}'


class Client:
    """The published client of a newer release, as the schemas of its models."""

    def __init__(self, package: str) -> None:
        """Import the package and list its reading calls."""
        root = importlib.import_module(package)
        found = re.search(r"OpenAPI document: (\d+\.\d+)", root.__doc__ or "")
        self.release = found[1] if found else ""
        self.schemas: dict[str, Node] = {}
        """All models that were met, in the words of OpenAPI 3.0."""
        api = importlib.import_module(f"{package}.api")
        modules = [
            importlib.import_module(f"{package}.api.{each.name}")
            for each in pkgutil.iter_modules(api.__path__)
        ]
        self.calls = {
            call.key: call
            for module in modules
            for name, kind in sorted(vars(module).items())
            if inspect.isclass(kind) and kind.__module__ == module.__name__
            for call in calls_of(kind)
        }

    def schema(self, annotation: Any) -> Node:  # noqa: ANN401  any annotation
        """The schema of an annotation of the client; models it refers to are kept by name."""
        place = "#/components/schemas/{model}"
        node = pydantic.TypeAdapter(annotation).json_schema(ref_template=place)
        for name, model in node.pop("$defs", {}).items():
            self.schemas.setdefault(name, openapi(model, name))
        if inspect.isclass(annotation) and issubclass(annotation, pydantic.BaseModel):
            name = annotation.__name__
            self.schemas.setdefault(name, openapi(node, name))
            return {"$ref": place.format(model=name)}
        return openapi(node)

    def operation(self, call: Call) -> Node:
        """An operation that the older description does not have."""
        category, scopes = next(
            (category, scopes)
            for start, category, scopes in CATEGORY_AND_SCOPE_OF_NEWER
            if f" {start}" in call.key
        )
        return {
            "category": category,
            "scopes": scopes.split(),
            "client_credentials": "'client_credentials'" in call.source,
            "beta": False,
            "since": self.release,
            "parameters": [self.parameter(call, name) for name in call.arguments],
            "answer": self.schema(call.hints["return"]),
        }

    def parameter(self, call: Call, name: str) -> Node:
        """A parameter of a call."""
        argument = call.arguments[name]
        node = self.schema(call.hints[argument])
        made: Node = {"name": name, "in": "path" if f"{{{name}}}" in call.key else "query"}
        if call.needs(argument):
            made["required"] = True
        if node.get("type") == "array":
            made["explode"] = f"'{name}': 'csv'" not in call.source
        return {**made, "schema": node}


class Call(typing.NamedTuple):
    """A method of the client that reads."""

    key: str
    method: Callable[..., Any]
    source: str
    """The code that builds its request."""

    @property
    def hints(self) -> dict[str, Any]:
        """The annotations of the method, including its result."""
        return typing.get_type_hints(self.method, include_extras=True)

    @property
    def arguments(self) -> dict[str, str]:
        """The parameters in path and query, with the method's argument for each."""
        return dict(
            re.findall(r"(?:path|query)_params[.\w\[(]+'(\w+)'(?:, |\] = )(\w+)", self.source)
        )

    def needs(self, argument: str) -> bool:
        """Whether the method must be called with an argument."""
        default: object = inspect.signature(self.method).parameters[argument].default
        return default is inspect.Parameter.empty


def calls_of(kind: type) -> Iterator[Call]:
    """The reading calls of one class of the client."""
    for name, method in vars(kind).items():
        builder = vars(kind).get(f"_{name}_serialize")
        if builder is not None:
            source = inspect.getsource(builder)
            words = dict(re.findall(r"(method|resource_path)='([^']+)'", source))
            key = f"{words['method']} {words['resource_path']}"
            if words["method"] == "GET" or key in READING_POSTS:
                yield Call(key, method, source)


def openapi(node: Node, name: str = "") -> Node:
    """A schema of the client in the words of OpenAPI 3.0, without its prose.

    Every field that may be left out may be null in the client, so null has no meaning there.
    """
    fields = node.get("properties", {})
    variants = [field for key, field in fields.items() if key.endswith(CLIENT_VARIANT)]
    if variants:
        return {"oneOf": [openapi({**field, "description": ""}) for field in variants]}
    alternatives = node.get("anyOf", [])
    others = [each for each in alternatives if each.get("type") != "null"]
    if len(others) == 1:
        node = {**node, **others[0]}
    kept = bare({word: node[word] for word in node if word not in COMPOUND}, name)
    if "const" in node:
        kept["enum"] = [node["const"]]
    if members := {key: openapi(each, key) for key, each in fields.items() if key != CLIENT_REST}:
        kept["properties"] = members
        share_unit(members)
    if CLIENT_REST in fields or node.get("additionalProperties") is True:
        kept["additionalProperties"] = True
    for word in ("items", "additionalProperties"):
        if isinstance(node.get(word), dict):
            kept[word] = openapi(node[word], name)
    if len(others) > 1:
        kept["oneOf"] = [openapi(each, name) for each in others]
    return kept


class Newer:
    """Adds the operations and fields of a newer client to a description."""

    def __init__(self, description: Description, client: Client) -> None:
        self._description = description
        self._client = client
        self._seen: dict[tuple[int, int], tuple[Node, Node]] = {}
        self._names: dict[str, str] = {}
        """The schemas of the client, each with the schema of the description in its place."""
        description.newer = client.release
        description.schemas.maps.append(client.schemas)
        for key, call in client.calls.items():
            if ours := description.operations.get(key):
                self._add_parameters(ours, call)
                if "answer" in ours:
                    self._add(ours["answer"], client.schema(call.hints["return"]))
        for key, body in self._bodies():
            self._add(description.operations[key]["body"], body)
        for key, call in client.calls.items():
            if key.startswith("GET ") and key not in description.operations:
                description.operations[key] = client.operation(call)
        for name, schema in client.schemas.items():
            client.schemas[name] = self._in_our_words(schema)

    def _bodies(self) -> Iterator[tuple[str, Node]]:
        for key, call in self._client.calls.items():
            found = re.search(r"_body_params = (\w+)", call.source)
            if found and "body" in self._description.operations.get(key, {}):
                yield key, self._client.schema(call.hints[found[1]])

    def _in_our_words(self, node: Any) -> Any:  # noqa: ANN401  any JSON
        """The same, with the references to schemas that have another name in the description."""
        if isinstance(node, list):
            return [self._in_our_words(part) for part in node]
        if not isinstance(node, dict):
            return node
        made = {word: self._in_our_words(part) for word, part in node.items()}
        start, _, name = str(node.get("$ref", "")).rpartition("/")
        return {**made, "$ref": f"{start}/{self._names.get(name, name)}"} if start else made

    def _add_parameters(self, ours: Node, call: Call) -> None:
        known = {each["name"]: each for each in map(self._description.target, ours["parameters"])}
        for name in call.arguments:
            theirs = self._client.parameter(call, name)
            if name in known:
                self._add(known[name]["schema"], theirs["schema"])
            else:
                ours["parameters"].append({**theirs, "since": self._client.release})

    def _add(self, ours: Node, theirs: Node) -> None:
        """Add the fields and values that only the newer schema has, at any depth."""
        names = [node.get("$ref", "").rpartition("/")[2] for node in (ours, theirs)]
        reference = ours
        ours, theirs = self._description.target(ours), self._target(theirs)
        self._add_values(reference if names[0] != names[1] else ours, ours, theirs)
        if (id(ours), id(theirs)) in self._seen:
            return
        self._seen[id(ours), id(theirs)] = (ours, theirs)
        if all(names) and "properties" in theirs:
            self._names.setdefault(names[1], names[0])
        same = {each["$ref"]: each for each in theirs.get("oneOf", ()) if "$ref" in each}
        for name in same.keys() & self._description.named_parts(ours):
            self._add({"$ref": name}, same[name])
        fields = self._description.fields(ours)
        for name, field in self._fields(theirs).items():
            if name in fields:
                self._add(fields[name], field)
            elif self._is_typed(field) and not isinstance(ours.get("additionalProperties"), dict):
                added = {**field, "nullable": True, "since": self._client.release}
                ours.setdefault("properties", {})[name] = added
        for word in ("items", "additionalProperties"):
            if isinstance(ours.get(word), dict) and isinstance(theirs.get(word), dict):
                self._add(ours[word], theirs[word])

    def _add_values(self, place: Node, ours: Node, theirs: Node) -> None:
        """Add values of an enum at a place; the client reads NO, the country, as a false one."""
        enums = [part["enum"] for part in self._description.parts(ours) if "enum" in part]
        known = enums[0] if enums else []
        newer = [each for each in theirs.get("enum", ()) if isinstance(each, str)]
        added = [each for each in newer if each not in known and each.lower() != "false"]
        if known and added:
            place["enum"] = [*known, *added]

    def _target(self, node: Node) -> Node:
        while "$ref" in node:
            node = self._client.schemas[node["$ref"].rpartition("/")[2]]
        return node

    def _fields(self, node: Node) -> dict[str, Node]:
        node = self._target(node)
        found: dict[str, Node] = dict(node.get("properties", {}))
        for part in node.get("oneOf", ()):
            for name, field in self._fields(part).items():
                found.setdefault(name, field)
        return found

    def _is_typed(self, node: Node) -> bool:
        return bool(self._target(node).keys() & {"type", "enum", "oneOf", "properties"})


def add_live(description: Description) -> None:
    """Add the fields that only live answers have, after all others."""
    for name, fields in LIVE.items():
        schema = description.schemas[name]
        added = {field: {**facts, "live": True} for field, facts in fields.items()}
        for facts in added.values():
            schema.get("properties", {}).pop(facts.get("described_as"), None)
        if "allOf" in schema:
            schema["allOf"].append({"type": "object", "properties": added})
        else:
            schema["properties"] |= added


@click.command()
@click.option("--description", type=FILE, default=NEWEST, required=NEWEST is None)
@click.option("--output", type=FILE, default=WRITTEN)
def main(description: Path, output: Path) -> None:
    """Write the description that the sandbox serves."""
    output.write_text(description_text(description), "utf-8")


def description_text(path: Path) -> str:
    """The text of the file for a description of Pinterest's."""
    description = Description(json.loads(path.read_text("utf-8")))
    Newer(description, Client(CLIENT))
    add_live(description)
    return description.text()


if __name__ == "__main__":
    main()
