"""Allowed values and defaults of the settings for beta reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from importlib import resources
from typing import Any

import msgspec
from typing_extensions import override

from tap_pinterest import api
from tap_pinterest.api import columns
from tap_pinterest.api.likeness import hint

FIRST_DAYS: Mapping[str, date] = {
    "DEFAULT": date(2024, 3, 17),
    "BRAND_ATTRIBUTION": date(2025, 4, 2),
}
"""First days of reports of products, by their attribution type."""
LEAST_DAYS, MOST_DAYS = 7, 366
"""Least and most days in one report, with its first and last day."""
SKU_GROUP = "PRODUCT_SKU_GROUP"


class Shape(msgspec.Struct, frozen=True):
    """A kind of report, and the choices that a config has for it.

    Attributes:
        setting: The setting that holds the choice.
        body: Name of the schema of an order's body.
        members: Members of the setting, each with the field of the body for its values.
        defaults: The default of each member; a tuple for a list.
        default_columns: The columns behind `default` in the member `columns`.
    """

    setting: str
    body: str
    members: dict[str, str]
    defaults: dict[str, tuple[str, ...] | str | int]
    default_columns: tuple[str, ...] = ()

    @property
    def lists(self) -> Sequence[str]:
        """The members that are lists."""
        return [name for name, value in self.defaults.items() if isinstance(value, tuple)]

    def facts(self, member: str) -> Mapping[str, Any]:
        """The facts of a member's field in Pinterest's description."""
        facts: Mapping[str, Any] = api.schema(self.body)
        for name in self.members[member].split("."):
            facts = facts["properties"][name]
        return facts

    def allowed(self, member: str) -> Sequence[Any]:
        """The allowed values of a member or of its items; empty if all values are allowed."""
        facts = self.facts(member)
        values = facts.get("items", facts).get("enum", ())
        return api.enum(values, newer=True) if isinstance(values, str) else values

    def chosen(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The choice, from a part of the config that has no faults."""
        choice: dict[str, Any] = {**self.defaults}
        for name, value in given.items():
            if value != []:
                choice[name] = tuple(dict.fromkeys(value)) if name in self.lists else value
        if "columns" in choice:
            choice["columns"] = self._columns(choice["columns"])
        return choice

    def _columns(self, names: tuple[str, ...]) -> tuple[str, ...]:
        setting = columns.setting_of(names)
        if isinstance(setting, tuple):
            return setting
        return tuple(self.default_columns if setting == "default" else self.allowed("columns"))

    def faults_of(self, given: Mapping[str, Any]) -> Iterator[str]:
        """The faults of a choice in the config, each in one line that names the member."""
        for member, value in given.items():
            if value is None or member not in self.members:
                continue
            values = value if isinstance(value, list) else [value]
            faults = self._faults_of_columns if member == "columns" else self._faults_of_values
            yield from (f"{self.setting}.{member}: {fault}" for fault in faults(member, values))
        for fault in self.rules({name: value for name, value in given.items() if value}):
            yield f"{self.setting}.{fault}"

    def _faults_of_columns(self, member: str, names: Sequence[Any]) -> Sequence[str]:
        setting = columns.setting_of(names)
        if isinstance(setting, str):
            return ()
        return columns.unknown_columns(map(str, names), offered=self.allowed(member))

    def _faults_of_values(self, member: str, values: Sequence[Any]) -> Iterator[str]:
        allowed, facts = self.allowed(member), self.facts(member)
        pattern = facts.get("items", facts).get("pattern")
        for value in values:
            if allowed and value not in allowed:
                texts = [str(each) for each in allowed if each is not None]
                meant = hint(value, texts)
                yield f"{value!r:.60} is refused; allowed: {', '.join(texts)}{meant}"
            elif pattern and not re.search(pattern, str(value)):
                yield f"{value!r:.60} is refused; allowed: {pattern}"

    def rules(self, given: Mapping[str, Any]) -> Iterable[str]:  # noqa: ARG002 - see the subclass
        """The faults of a choice by rules that the description states only in words."""
        return ()


class _Products(Shape, frozen=True):
    @override
    def rules(self, given: Mapping[str, Any]) -> Iterator[str]:
        skus = given.get("product_sku_ids") or ()
        facts = self.facts("product_sku_ids")
        least, most = facts["minItems"], facts["maxItems"]
        grouped = SKU_GROUP in given.get("conversion_product_breakdowns", ())
        if grouped and not least <= len(skus) <= most:
            allowed = f"{least} to {most}, for {SKU_GROUP}"
            yield f"product_sku_ids: {len(skus)} are given; allowed: {allowed}"
        if skus and not grouped:
            yield f"product_sku_ids: refused; allowed: with the breakdown {SKU_GROUP}"
        objectives = given.get("campaign_objective_types") or ()
        most = self.facts("campaign_objective_types")["maxItems"]
        if len(objectives) > most:
            given_ones = f"{len(objectives)} are given"
            yield f"campaign_objective_types: {given_ones}; allowed: at most {most}"


SHAPES = msgspec.json.decode(
    resources.files(__package__).joinpath("beta_reports.json").read_bytes(),
    type=tuple[Shape, _Products, Shape],
)
MMM, PRODUCTS, CATALOGS = SHAPES
