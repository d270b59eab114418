"""Facts about Pinterest's API v5: operations, parameters, records, enums.

The facts live in `api.json`, which `scripts/update_api.py` writes from Pinterest's description.
They are read at first use, never at import.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import msgspec

Shape: TypeAlias = Literal["list", "items", "array", "object", "map", "data"]
"""The shape of an answer's records: `{items, bookmark}`, `{items}`, a bare array, one object, an
object of records (or lists of them) keyed by id or split, `{data: [...]}`."""

FACTS_FILE = "api.json"
DOCUMENTATION = "https://developers.pinterest.com/docs/api/v5/"


SECRETS: Mapping[str, str] = {
    "credentials": "User name and password of a catalog feed's server.",
    "cryptographic_key": "Decrypts the leads that Pinterest sends to a subscription.",
    "partner_access_token": "Acts for the partner of an integration.",
    "partner_refresh_token": "Acts for the partner of an integration.",
}
"""Fields that never leave the tap, wherever they are."""

PERSONAL: Mapping[str, str] = {
    "email": "Of the people in a business.",
    "partner_primary_email": "Of the partner of an integration.",
    "billing_contact_email": "Of the contact for an order's bills.",
    "billing_contact_firstname": "Of the contact for an order's bills.",
    "billing_contact_lastname": "Of the contact for an order's bills.",
    "media_contact_email": "Of the contact for an order's media.",
    "media_contact_firstname": "Of the contact for an order's media.",
    "media_contact_lastname": "Of the contact for an order's media.",
}
"""Fields with the name or the address of a person: only the group `personal` shows them."""


class Parameter(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One parameter of an operation and the values that the API accepts."""

    type: str = "string"
    location: Literal["path", "query"] = msgspec.field(default="query", name="in")
    required: bool = False
    explode: bool = True
    """For arrays: repeat the name (true) or join the values with commas (false)."""
    style: str | None = None
    format: str | None = None
    enum: str | tuple[Any, ...] | None = None
    """Allowed values, or the name of a long list of values."""
    nullable: bool = False
    default: Any = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    min_items: int | None = None
    max_items: int | None = None
    items: Parameter | None = None
    properties: Mapping[str, Any] | None = None
    since: str | None = None
    """The release that added it, if the description is older."""

    @property
    def allowed(self) -> tuple[Any, ...]:
        """The allowed values, of the items for an array; empty when they are not listed."""
        if self.items is not None:
            return self.items.allowed
        return enum(self.enum) if isinstance(self.enum, str) else self.enum or ()


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One operation: its parameters and its answer."""

    category: str
    """The rate-limit category that a call counts against."""
    scopes: tuple[str, ...] = ()
    client_credentials: bool = False
    sandbox: bool = False
    """Whether Pinterest's own sandbox host answers it."""
    parameters: Mapping[str, Parameter] = {}
    body: str | None = None
    shape: Shape | None = None
    record: str | None = None
    beta: bool = False
    since: str | None = None
    id: str | None = None
    """Pinterest's name for it; unknown for operations newer than the description."""

    @property
    def page(self) -> str:
        """Pinterest's page about it, or about all operations."""
        return f"{DOCUMENTATION}{self.id.replace('/', '-')}/" if self.id else DOCUMENTATION


class _Facts(msgspec.Struct, frozen=True):
    operations: dict[str, msgspec.Raw]
    enums: dict[str, tuple[str, ...]]
    since: dict[str, dict[str, tuple[str, ...]]]
    schemas: dict[str, msgspec.Raw]


@functools.cache
def _facts() -> _Facts:
    text = resources.files(__package__).joinpath(FACTS_FILE).read_bytes()
    return msgspec.json.decode(text, type=_Facts)


@functools.cache
def operation(key: str) -> Operation:
    """The operation of a key such as `GET /boards`.

    Raises:
        KeyError: the API has no such operation.
    """
    return msgspec.json.decode(_facts().operations[key], type=Operation)


@functools.cache
def operations() -> Mapping[str, Operation]:
    """All operations by key, in the order of the description."""
    return MappingProxyType({key: operation(key) for key in _facts().operations})


@functools.cache
def schema(name: str) -> Mapping[str, Any]:
    """The raw facts of a record or body, in the API's own names and types.

    Raises:
        KeyError: there is no such schema.
    """
    facts: dict[str, Any] = msgspec.json.decode(_facts().schemas[name])
    return facts


def enum(name: str, *, newer: bool = False) -> tuple[str, ...]:
    """The values of a named enum; `newer` adds values of releases after the description.

    Raises:
        KeyError: there is no such enum.
    """
    values = _facts().enums[name]
    if newer:
        for added in _facts().since.get(name, {}).values():
            values += added
    return values


@functools.cache
def record_facts(path: str) -> Mapping[str, Any]:
    """The facts of one record that `GET path` answers, with the values of its enums.

    The values of newer releases are among them.

    Raises:
        KeyError: the API has no such operation, or does not describe its answer.
    """
    record = operation(f"GET {path}").record
    if record is None:
        msg = f"GET {path} has no description of its answer"
        raise KeyError(msg)
    facts: Mapping[str, Any] = _with_values(schema(record))
    return facts


def _with_values(node: Any) -> Any:  # noqa: ANN401
    if isinstance(node, list):
        return [_with_values(part) for part in node]
    if not isinstance(node, dict):
        return node
    node = {word: _with_values(value) for word, value in node.items()}
    if isinstance(node.get("enum"), str):
        node["enum"] = enum(node["enum"], newer=True)
    return node


def without(node: Any, names: Collection[str]) -> Any:  # noqa: ANN401
    """A record, or the facts of its fields, without fields of these names at any depth."""
    if isinstance(node, dict):
        return {key: without(member, names) for key, member in node.items() if key not in names}
    if isinstance(node, list):
        return [without(member, names) for member in node]
    return node
