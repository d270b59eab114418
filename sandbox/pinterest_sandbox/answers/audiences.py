"""Audiences of ad accounts, their sharing, and insights about their people."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from pinterest_sandbox import specimens
from pinterest_sandbox.answers.entities import of
from pinterest_sandbox.chance import Draws
from pinterest_sandbox.kinds import audiences as kinds
from pinterest_sandbox.refusals import not_found

if TYPE_CHECKING:
    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.collection import Collection, Member
    from pinterest_sandbox.paging import Listing

_INSIGHTS: Final = "AudienceInsightsResponse"


def audiences(call: Call) -> Listing[Any]:
    """Audiences that the account owns, or those that were shared with it."""
    owned = call.values["ownership_type"] == "OWNED"
    kind = kinds.AUDIENCES if owned else kinds.RECEIVED_AUDIENCES
    found = call.in_order(call.readable_ad_account().all(kind))
    if call.values["exclude_nca"]:
        found = [audience for audience in found if not audience.record().get("is_nca")]
    return of(found)


def audience(call: Call) -> dict[str, Any]:
    """One audience, owned or received."""
    account, wanted = call.readable_ad_account(), call.values["audience_id"]
    for kind in (kinds.AUDIENCES, kinds.RECEIVED_AUDIENCES):
        found = account.all(kind).get(wanted)
        if found is not None:
            made = found.record()
            made.pop("is_ctv_enabled", None)  # which was seen in lists alone
            return made
    raise not_found(404, "audience")


def shared_accounts(call: Call) -> Listing[Any]:
    """Who has access to an audience of the account."""
    owned = call.readable_ad_account().all(kinds.AUDIENCES).get(call.values["audience_id"])
    if owned is None:
        raise not_found(404, "shared accounts")
    return of(list(shared_with(owned, call.values["account_type"])))


def shared_with(audience: Member[Any], account_type: str) -> Collection[Any]:
    """The accounts of a type that an audience is shared with."""
    of_accounts = account_type == "AD_ACCOUNT"
    return audience.all(
        kinds.SHARED_WITH_AD_ACCOUNTS if of_accounts else kinds.SHARED_WITH_BUSINESSES
    )


def customer_lists(call: Call) -> Listing[Any]:
    """Customer lists; without new-customer ones when those are not wanted."""
    found = call.in_order(call.readable_ad_account().all(kinds.CUSTOMER_LISTS))
    if call.values["exclude_nca"]:
        found = [customers for customers in found if not customers.record().get("is_nca")]
    return of(found)


def customer_list_upload(call: Call) -> dict[str, Any]:
    """The upload of a customer list: each has one, with the id of the list."""
    account, values = call.readable_ad_account(), call.values
    customers = account.all(kinds.CUSTOMER_LISTS).get(values["customer_list_id"])
    if customers is None or values["customer_list_upload_id"] != customers.id:
        raise not_found(404, "customer list upload")
    made = specimens.record("CustomerListUploadResponse", customers.draws("upload"))
    made.update(id=customers.id, customer_list_id=customers.id, ad_account_id=account.id)
    return made


def customer_segments(call: Call) -> Listing[Any]:
    """Segments whose name has a text in it."""
    search = (call.values["search_query"] or "").lower()
    found = call.in_order(call.readable_ad_account().all(kinds.CUSTOMER_SEGMENTS))
    return of([segment for segment in found if search in segment.label.lower()])


def insights(call: Call) -> dict[str, Any]:
    """The insights of an audience as of yesterday; the smallest account has none with a date."""
    account = call.readable_ad_account()
    kind = call.values["audience_insight_type"]
    draws = Draws(call.world.seed, *account.parts, _INSIGHTS, kind, call.today)
    made = specimens.record(_INSIGHTS, draws)
    for category in made.get("categories", ()):
        category.setdefault("subcategories", [])
    day = date.fromordinal(call.today - 1).isoformat()
    return {**made, "type": kind, "date": None if account.empty else day}


def definitions(call: Call) -> dict[str, Any]:
    """The audiences that have insights, and the day since which they have them."""
    account = call.readable_ad_account()
    day = date.fromordinal(call.today - 1).isoformat()
    items = [
        {"scope": scope, "type": kind, "date": None if account.empty else day}
        for scope in ("partner", "pinterest")
        for kind in ("click", "engagement", "impression", "save")
    ]
    return {"items": items}
