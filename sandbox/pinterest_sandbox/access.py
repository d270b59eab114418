"""Features that Pinterest gives to some apps only, and those that this app lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox import api
from pinterest_sandbox.refusals import (
    columns_not_available,
    no_endpoint,
    not_listed,
    restricted,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pinterest_sandbox.refusals import ClosedStatus

_COLUMNS: Final = ("columns", "metric_types")
BETA_PARAMETERS: Final = (
    "aggregate_report_rows",
    "combine_targeting_types",
    "include_demographics",
    "include_prediction",
    "report.report_type=ALL_ITEMS",
    "reporting_timezone",
    "targeting_types=AGE_BUCKET_AND_GENDER",
    "targeting_types=CREATIVE_ENHANCEMENTS",
    "GET /ad_accounts/{ad_account_id}/keywords?ad_group_ids",
)
"""Parameters in beta, or values of theirs: by name where they have no other meaning anywhere."""


def beta_operations() -> tuple[str, ...]:
    """Operations in beta, closed or restricted, and those that only newer releases know."""
    return tuple(
        key for key, operation in api.operations().items() if operation.beta or operation.since
    )


class Access:
    """Refuses what was withheld: operations, parameters, or a parameter of one operation."""

    def __init__(
        self,
        withheld: Collection[str],
        *,
        status: ClosedStatus = 401,
        absent: Collection[str] = (),
        unavailable: Collection[str] = (),
    ) -> None:
        """Take `GET /labels`, `reporting_timezone`, `GET /labels?label_types` or `name=value`.

        Args:
            withheld: What the app was not given.
            status: The status that refuses it.
            absent: Operations whose path is not there.
            unavailable: Columns and metrics that this app does not get.
        """
        self._status = status
        self._absent = frozenset(absent)
        self._unavailable = frozenset(unavailable)
        self._withheld = frozenset(withheld)
        self._values: dict[str, set[str]] = {}
        for each in withheld:
            name, equals, value = each.partition("=")
            if equals:
                self._values.setdefault(name, set()).add(value)
        self._parameters: dict[str, list[str]] = {}

    def check(self, key: str, values: Mapping[str, Any]) -> None:
        """Let a call pass that asks for nothing withheld.

        Raises:
            Refusal: for another: 401 or 403 for what is withheld, 404 for a path that is not there,
                400 for a column that is not available.
        """
        if key in self._absent:
            raise no_endpoint()
        self._check_columns(key, values)
        if key in self._withheld:
            raise restricted(key, self._status)
        closed = self._parameters.get(key)
        if closed is None:
            closed = self._parameters[key] = [
                name for name in values if not self._withheld.isdisjoint((name, f"{key}?{name}"))
            ]
        for name in closed:
            if values[name]:
                raise restricted(name, self._status)
        for name, refused in self._values.items():
            found = refused.intersection(_at(values, name))
            if found:
                raise restricted(min(found), self._status)

    def _check_columns(self, key: str, values: Mapping[str, Any]) -> None:
        for name in _COLUMNS if self._unavailable else ():
            wanted = values.get(name) or ()
            refused = [each for each in wanted if each in self._unavailable]
            if refused and key.startswith("POST "):
                raise columns_not_available(refused)
            if refused:
                allowed = api.operation(key).parameters[name].allowed
                offered = [each for each in allowed if each not in self._unavailable]
                raise not_listed(name, refused[0], offered)


def _at(values: Mapping[str, Any], dotted: str) -> Sequence[str]:
    """The values at a place such as `targeting_types` or `report.report_type`."""
    found: Any = values
    for name in dotted.split("."):
        found = (found or {}).get(name)
    return [found] if isinstance(found, str) else found or ()
