"""Pinterest's description of its API: operations, parameters and schemas, references followed.

The file beside this module is Pinterest's own description without its prose; the script
`scripts/update_sandbox_api.py` writes it. It is read at the first question.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Node: TypeAlias = dict[str, Any]
Facts: TypeAlias = Mapping[str, Any]
"""A schema as JSON Schema has it, every reference replaced by its target."""
Place: TypeAlias = Literal["list", "items", "data", "array", "map", "object"]
"""The shape of an answer: a list has pages, a map holds its records by name."""

_VARIANTS: Final = ("oneOf", "anyOf")
_COMPOUND: Final = ("$ref", "allOf", *_VARIANTS, "properties", "items", "additionalProperties")


class _Document(msgspec.Struct):
    release: str
    newer: str
    operations: dict[str, msgspec.Raw]
    parameters: dict[str, msgspec.Raw]
    schemas: dict[str, msgspec.Raw]


class Parameter(NamedTuple):
    """A parameter of an operation."""

    name: str
    place: Literal["path", "query"]
    facts: Facts
    required: bool
    explode: bool
    """Whether the values of a list are sent by repeating the name, else joined with commas."""
    deep: bool
    """Whether it is an object, sent as `name[member]=value`."""
    since: str | None

    @property
    def allowed(self) -> Sequence[Any]:
        """The values that are listed, of the items for a list; empty where none are."""
        found: Sequence[Any] = self.facts.get("items", self.facts).get("enum", ())
        return found


class Operation:
    """An operation: who may ask, for what, and what it answers."""

    def __init__(self, node: Node) -> None:
        """Take the operation as it is written."""
        self._node = node
        self.category: str = node["category"]
        self.scopes: tuple[str, ...] = tuple(node["scopes"])
        self.client_credentials: bool = node["client_credentials"]
        self.beta: bool = node["beta"]
        self.since: str | None = node.get("since")
        """The release that added it, where the description is older."""

    @functools.cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters by name, in the order of the description."""
        found = (_parameter(_target(node)) for node in self._node["parameters"])
        return {each.name: each for each in found}

    @functools.cached_property
    def body(self) -> Facts | None:
        """The schema of the body that it takes."""
        return _resolved(self._node["body"]) if "body" in self._node else None

    @functools.cached_property
    def answer(self) -> Facts | None:
        """The schema of a whole answer."""
        return _resolved(self._node["answer"]) if "answer" in self._node else None

    @functools.cached_property
    def record(self) -> Facts | None:
        """The schema of one record of its answers."""
        return _resolved(self._held[1]) if "answer" in self._node else None

    @property
    def record_name(self) -> str:
        """The name of the record's schema; empty where it has none."""
        return _named(self._held[1])[0] if "answer" in self._node else ""

    @property
    def holds(self) -> Place:
        """The shape of its answers."""
        return self._held[0] if "answer" in self._node else "object"

    @functools.cached_property
    def _held(self) -> tuple[Place, Node]:
        answer: Node = self._node["answer"]
        top = _top(answer)
        fields = top.get("properties", {})
        for word in ("items", "data"):
            inside = _top(fields.get(word, {}))
            if "items" in inside and "bookmark" in fields:
                return "list", inside["items"]
            if "items" in inside and len(fields) == 1:
                return word, inside["items"]
        if "items" in top:
            return "array", top["items"]
        if "additionalProperties" in top and not fields:
            values: Node = top["additionalProperties"]
            inside = _top(values)
            return "map", inside["items"] if inside.get("type") == "array" else values
        return "object", answer


@functools.cache
def _document() -> _Document:
    text = resources.files(__package__).joinpath("description.json").read_bytes()
    return msgspec.json.decode(text, type=_Document)


@functools.cache
def operation(key: str) -> Operation:
    """The operation of a key such as `GET /boards`.

    Raises:
        KeyError: the API has no such operation.
    """
    return Operation(msgspec.json.decode(_document().operations[key]))


@functools.cache
def operations() -> Mapping[str, Operation]:
    """All operations by key."""
    return MappingProxyType({key: operation(key) for key in _document().operations})


@functools.cache
def schema(name: str) -> Facts:
    """The schema of a name, or the record that an operation answers, such as `GET /boards`.

    Raises:
        KeyError: there is none.
    """
    if " " in name:
        return operation(name).record or {}
    return _resolved({"$ref": f"#/components/schemas/{name}"})


def columns(*, ordered: bool) -> Sequence[str]:
    """The columns of reports, of those that are ordered or of those that are answered at once."""
    if ordered:
        body = operation("POST /ad_accounts/{ad_account_id}/reports").body or {}
        found: Sequence[str] = body["properties"]["columns"]["items"]["enum"]
        return found
    return operation("GET /ad_accounts/{ad_account_id}/analytics").parameters["columns"].allowed


def accepting(columns: Facts, more: Iterable[str]) -> Facts:
    """The facts of a list of columns, with further ones among its values."""
    items = columns["items"]
    return {**columns, "items": {**items, "enum": [*items.get("enum", ()), *more]}}


@functools.cache
def _at(reference: str) -> Node:
    _, _, kind, name = reference.split("/")
    document = _document()
    raw = document.schemas if kind == "schemas" else document.parameters
    node: Node = msgspec.json.decode(raw[name])
    return node


def _named(node: Node) -> tuple[str, Node]:
    """The end of a chain of references, and its name."""
    name = ""
    while "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        node = _at(node["$ref"])
    return name, node


def _target(node: Node) -> Node:
    return _named(node)[1]


def _top(node: Node) -> Node:
    """A schema with its parts put together; inside it references stay."""
    found: Node = {}
    for part in _parts(node):
        fields = {**found.get("properties", {}), **part.get("properties", {})}
        found.update(part)
        if fields:
            found["properties"] = fields
    return found


def _parts(node: Node) -> Iterator[Node]:
    node = _target(node)
    for part in node.get("allOf", ()):
        yield from _parts(part)
    yield node


def _parameter(node: Node) -> Parameter:
    return Parameter(
        name=node["name"],
        place=node["in"],
        facts=_resolved(node["schema"]),
        required=node.get("required", False),
        explode=node.get("explode", True),
        deep=node.get("style") == "deepObject",
        since=node.get("since"),
    )


def _resolved(node: Node, within: tuple[str, ...] = ()) -> Node:
    """A schema with everything that it refers to; one inside itself is any object."""
    name, target = _named(node)
    if name in within:
        return {"type": "object"}
    within = (*within, name) if name else within
    found = {word: value for word, value in target.items() if word not in _COMPOUND}
    if "properties" in target:
        members = target["properties"].items()
        found["properties"] = {key: _resolved(member, within) for key, member in members}
    for word in ("items", "additionalProperties"):
        if word in target:
            inside = target[word]
            found[word] = _resolved(inside, within) if isinstance(inside, dict) else inside
    for part in target.get("allOf", ()):
        _add(found, _resolved(part, within))
    for word in _VARIANTS:
        variants = [_resolved(part, within) for part in target.get(word, ())]
        if variants:
            _add(found, _any_of(variants))
    found |= {word: node[word] for word in ("nullable", "since", "enum") if node.get(word)}
    if "properties" in found:
        found.setdefault("type", "object")
    return found


def _add(facts: Node, more: Node) -> None:
    """Add the facts of a further part: fields and required ones are joined, else the first hold."""
    if "properties" in more:
        fields = facts.setdefault("properties", {})
        for name, field in more["properties"].items():
            _add(fields.setdefault(name, {}), field)
    if "required" in more:
        facts["required"] = list(dict.fromkeys([*facts.get("required", ()), *more["required"]]))
    for word in ("items", "additionalProperties"):
        if isinstance(facts.get(word), dict) and isinstance(more.get(word), dict):
            _add(facts[word], more[word])
    for word, value in more.items():
        facts.setdefault(word, value)


def _any_of(variants: Sequence[Node]) -> Node:
    """Facts that hold for a value of any of the variants."""
    found: Node = {}
    if kinds := sorted(set(_kinds(variants))):
        found["type"] = kinds[0] if len(kinds) == 1 else kinds
    if any(each.get("nullable") for each in variants):
        found["nullable"] = True
    for word in set(variants[0]).difference(found, _COMPOUND, ("required", "enum")):
        values = [each.get(word) for each in variants]
        if all(value == values[0] for value in values):
            found[word] = values[0]
    units = [each["unit"] for each in variants if "unit" in each]
    found |= {"unit": units[0]} if units else {}
    if all("enum" in each for each in variants):
        found["enum"] = list(dict.fromkeys(value for each in variants for value in each["enum"]))
    for word in ("items", "additionalProperties"):
        inside = [each[word] for each in variants if isinstance(each.get(word), dict)]
        if inside:
            found[word] = _any_of(inside)
    _add_fields_of_any(found, variants)
    return found


def _kinds(variants: Iterable[Node]) -> Iterator[str]:
    found = [each.get("type", []) for each in variants]
    kinds = {kind for each in found for kind in ([each] if isinstance(each, str) else each)}
    return iter(kinds - {"integer"} if "number" in kinds else kinds)


def _add_fields_of_any(found: Node, variants: Sequence[Node]) -> None:
    """Add the fields of all variants; one that some lack may be null."""
    names = dict.fromkeys(name for each in variants for name in each.get("properties", ()))
    for name in names:
        fields = [
            each["properties"][name] for each in variants if name in each.get("properties", {})
        ]
        field = _any_of(fields)
        if len(fields) < len(variants):
            field["nullable"] = True
        found.setdefault("properties", {})[name] = field
    required = [
        name for name in names if all(name in each.get("required", ()) for each in variants)
    ]
    if required:
        found["required"] = required
