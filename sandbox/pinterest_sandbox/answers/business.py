"""Business access: who works in a business or with it, and on what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinterest_sandbox.answers.audiences import shared_with
from pinterest_sandbox.answers.entities import of
from pinterest_sandbox.kinds import audiences
from pinterest_sandbox.kinds import business as kinds
from pinterest_sandbox.paging import Listing
from pinterest_sandbox.refusals import not_found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinterest_sandbox.calls import Call
    from pinterest_sandbox.kinds.business import Asset, Business, OfBusiness


def employers(call: Call) -> Listing[Any]:
    """Businesses that the token's user works for; what for when asked."""
    found = call.world.user.all(kinds.EMPLOYERS)
    assets = kinds.businesses(call.world)[0].assets

    def made(employer: Any) -> dict[str, Any]:  # noqa: ANN401  a member of employers
        record: dict[str, Any] = employer.record()
        if call.values["assets_summary"]:
            record["assets_summary"] = kinds.summary(employer, assets)
        return record

    return Listing(list(found), made)


def members(call: Call) -> Listing[Any]:
    """Members by role and id, or the system users."""
    business, values = call.business(), call.values
    kind = kinds.SYSTEM_USERS if values["fetch_system_users"] else kinds.MEMBERS
    ids = _ids(values["member_ids"])
    roles = set(values["business_roles"] or ())
    found = [
        member
        for member in business.all(kind)
        if (not ids or member.id in ids)
        and (not roles or roles & set(member.record()["business_roles"]))
    ]
    return _people(call, business, found)


def partners(call: Call) -> Listing[Any]:
    """Partners that work on the business's assets, those that share theirs, or both."""
    business = call.business()
    ids = _ids(call.values["partner_ids"])
    found = [
        partner
        for kind in _partner_kinds(call.values["partner_type"])
        for partner in business.all(kind)
        if not ids or partner.id in ids
    ]
    return _people(call, business, found)


def assets(call: Call) -> Listing[Any]:
    """Assets of a type, those in a group, or the groups that an asset is in."""
    business, values = call.business(), call.values
    found = [asset for asset in business.assets if asset.type == values["asset_type"]]
    if values["child_asset_id"]:
        found = [
            asset
            for asset in business.assets
            if any(child.id == values["child_asset_id"] for child in asset.children)
        ]
    if values["asset_group_id"]:
        group = business.asset(values["asset_group_id"])
        inside = {child.id for child in group.children} if group else set[str]()
        found = [asset for asset in found if asset.id in inside]
    made = [kinds.asset_record("GetBusinessAssetsResponse", asset, business) for asset in found]
    wanted = set(values["permissions"] or ())
    made = [record for record in made if not wanted or wanted & set(record["permissions"])]
    return Listing(made[values["start_index"] :], dict)


def asset_members(call: Call) -> Listing[Any]:
    """Members, or system users, that work on an asset."""
    kind = kinds.SYSTEM_USERS if call.values["fetch_system_users"] else kinds.MEMBERS
    return _access(call, call.business().all(kind))


def asset_partners(call: Call) -> Listing[Any]:
    """Partners that work on an asset; nobody where the asset itself was shared."""
    return _access(call, call.business().all(kinds.INTERNAL_PARTNERS))


def member_assets(call: Call) -> Listing[Any]:
    """Assets of a type that a member works on."""
    business = call.business()
    for kind in (kinds.MEMBERS, kinds.SYSTEM_USERS):
        member = business.all(kind).get(call.values["member_id"])
        if member is not None:
            return _assets_of(call, business, member, "AssetIdPermissions")
    raise not_found(404, "business member")


def partner_assets(call: Call) -> Listing[Any]:
    """Assets of a type that a partner works on, or that it shares."""
    business = call.business()
    (kind,) = _partner_kinds(call.values["partner_type"])
    partner = business.all(kind).get(call.values["partner_id"])
    if partner is None:
        raise not_found(404, "business partner")
    return _assets_of(call, business, partner, "GetPartnerAssetsResponse")


def invites(call: Call) -> Listing[Any]:
    """Invitations and requests, of members or of partners, by status and kind."""
    values = call.values
    kind = kinds.MEMBER_INVITES if values["is_member"] else kinds.PARTNER_INVITES
    statuses, wanted = set(values["invite_status"] or ()), values["invite_type"]
    found = []
    for invite in call.business().all(kind):
        record = invite.record()
        data = record["invite_data"]
        if (not statuses or data["invite_status"] in statuses) and (
            wanted in (None, data["invite_type"])
        ):
            found.append(record)
    return Listing(found, dict)


def received_audiences(call: Call) -> Listing[Any]:
    """Audiences that others share with a business."""
    return of(call.in_order(call.business().all(audiences.AUDIENCES_OF_BUSINESS)))


def audience_shared_accounts(call: Call) -> Listing[Any]:
    """Who has access to an audience that is the business's or was shared with it."""
    business, account_type = call.business(), call.values["account_type"]
    wanted = call.values["audience_id"]
    received = business.all(audiences.AUDIENCES_OF_BUSINESS).get(wanted)
    if received is not None:
        # For audiences of others, the answer has only the business's own ad accounts.
        return of(list(shared_with(received, account_type)) if account_type == "AD_ACCOUNT" else [])
    for account in call.world.ad_accounts if business.number == 0 else ():
        owned = account.all(audiences.AUDIENCES).get(wanted)
        if owned is not None and not account.shared:
            return of(list(shared_with(owned, account_type)))
    raise not_found(404, "shared accounts")


def _ids(text: str | None) -> set[str]:
    return set(text.split(",")) if text else set()


def _partner_kinds(partner_type: str | None) -> list[Any]:
    kind = {kinds.INTERNAL: kinds.INTERNAL_PARTNERS, kinds.EXTERNAL: kinds.EXTERNAL_PARTNERS}
    return [kind[partner_type]] if partner_type else list(kind.values())


def _people(call: Call, business: Business, found: list[OfBusiness]) -> Listing[Any]:
    def made(who: OfBusiness) -> dict[str, Any]:
        record = who.record()
        if call.values["assets_summary"]:
            record["assets_summary"] = kinds.summary(who, business.assets)
        return record

    return Listing(found[call.values["start_index"] :], made)


def _access(call: Call, people: Iterable[OfBusiness]) -> Listing[Any]:
    asset = call.business().asset(call.values["asset_id"])
    if asset is None:
        raise not_found(404, "business asset")
    found = [who for who in people if kinds.works_on(who, asset)]
    return Listing(found[call.values["start_index"] :], lambda who: kinds.access_record(who, asset))


def _assets_of(call: Call, business: Business, who: OfBusiness, schema: str) -> Listing[Any]:
    def made(asset: Asset) -> dict[str, Any]:
        return kinds.asset_record(schema, asset, who)

    found = [
        asset
        for asset in business.assets
        if asset.type == call.values["asset_type"] and kinds.works_on(who, asset)
    ]
    return Listing(found[call.values["start_index"] :], made)
