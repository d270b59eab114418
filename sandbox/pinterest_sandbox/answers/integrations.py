"""Integrations of shops with Pinterest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinterest_sandbox import specimens
from pinterest_sandbox.kinds.users import INTEGRATIONS
from pinterest_sandbox.refusals import not_found

if TYPE_CHECKING:
    from pinterest_sandbox.calls import Call


def integration(call: Call) -> dict[str, Any]:
    """One integration."""
    found = call.world.user.all(INTEGRATIONS).get(call.values["id"])
    if found is None:
        raise not_found(4517, "integration")
    return found.record()


def commerce(call: Call) -> dict[str, Any]:
    """The metadata of the integration of an external business."""
    wanted = call.values["external_business_id"]
    for each in call.world.user.all(INTEGRATIONS):
        if each.record().get("external_business_id") == wanted:
            made = specimens.record("IntegrationMetadata", each.draws("metadata"))
            return {**made, "id": each.id, "external_business_id": wanted}
    raise not_found(4180, "integration")
