"""Products: Pins that a catalog's item became."""

# ruff: noqa: ARG001  every `details` is called with the same three arguments
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox import records
from pinterest_sandbox.collection import Kind
from pinterest_sandbox.kinds import catalogs

if TYPE_CHECKING:
    from pinterest_sandbox.chance import Draws
    from pinterest_sandbox.collection import Details, Member
    from pinterest_sandbox.kinds.catalogs import OfCatalog


def _product(product: Member[OfCatalog], made: dict[str, Any], draws: Draws) -> Details:
    catalog = product.owner.owner
    pin = records.other_pin(catalog.owner, product.draws("pin"), product.id, product.number)
    pin.update(board_owner={"username": catalog.owner.username}, is_owner=True)
    return {
        "catalog_type": catalogs.type_of(catalog),
        "metadata": catalogs.metadata(catalog, made["metadata"], product.id),
        "pin": pin,
    }


PRODUCTS: Final[Kind[OfCatalog]] = Kind(
    "product",
    "CatalogsProduct",
    lambda group: group.number * 3 % (group.world.size.products + 1),
    _product,
    id_field="",
    first_id=645_000_000_000_000_000,
)
