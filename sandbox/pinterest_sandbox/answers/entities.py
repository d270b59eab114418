"""Records of ad accounts that are read as they are: whole lists, and one by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinterest_sandbox.paging import Listing
from pinterest_sandbox.refusals import not_found
from pinterest_sandbox.world import READER_ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.collection import Kind, Member
    from pinterest_sandbox.world import AdAccount


def listed(
    kind: Kind[AdAccount], *, roles: Collection[str] = READER_ROLES
) -> Callable[[Call], Listing[Any]]:
    """Answers with all of a kind that an ad account has, in pages."""

    def answer(call: Call) -> Listing[Any]:
        account = call.readable_ad_account(roles)
        members = account.all(kind)
        return of(call.in_order(members) if "order" in call.values else list(members))

    return answer


def unpaged(kind: Kind[AdAccount]) -> Callable[[Call], dict[str, Any]]:
    """Answers with all of a kind that an ad account has, at once."""

    def answer(call: Call) -> dict[str, Any]:
        return {"items": [member.record() for member in call.readable_ad_account().all(kind)]}

    return answer


def one(
    kind: Kind[AdAccount],
    parameter: str,
    *,
    code: int = 404,
    roles: Collection[str] = READER_ROLES,
) -> Callable[[Call], dict[str, Any]]:
    """An answer to a call for one record: the record of a kind whose id is in the path."""

    def answer(call: Call) -> dict[str, Any]:
        member = call.readable_ad_account(roles).all(kind).get(call.values[parameter])
        if member is None:
            raise not_found(code, kind.name)
        return member.record()

    return answer


def of(members: list[Member[Any]]) -> Listing[Any]:
    """A listing of members; each record is made when its page is read."""
    return Listing(members, lambda member: member.record())


def where(members: list[Member[Any]], **wanted: Collection[Any] | None) -> Listing[Any]:
    """A listing of the members whose records have one of the wanted values; all for None."""
    records = [member.record() for member in members]
    found = [
        record
        for record in records
        if all(values is None or record.get(name) in values for name, values in wanted.items())
    ]
    return Listing(found, dict)
