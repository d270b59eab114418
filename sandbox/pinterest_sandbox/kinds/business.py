"""Businesses: who works in them and with them, and on which assets."""

# ruff: noqa: ARG001  every `details` is called with the same three arguments
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pinterest_sandbox import api, specimens
from pinterest_sandbox.chance import Draws
from pinterest_sandbox.collection import Kind, Owner
from pinterest_sandbox.kinds import catalogs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinterest_sandbox.collection import Details, Member
    from pinterest_sandbox.world import User, World

    OfBusiness = Member["Business"]

AD_ACCOUNT, PROFILE, ASSET_GROUP, CATALOG = "AD_ACCOUNT", "PROFILE", "ASSET_GROUP", "CATALOG"
INTERNAL, EXTERNAL = "INTERNAL", "EXTERNAL"
_AD_PERMISSIONS: Final = (
    ("ADMIN",),
    ("ANALYST",),
    ("CAMPAIGN_MANAGER", "AUDIENCE_MANAGER"),
    ("FINANCE_MANAGER",),
)
_PERMISSIONS: Final = {
    AD_ACCOUNT: _AD_PERMISSIONS,
    ASSET_GROUP: _AD_PERMISSIONS,
    PROFILE: (("PROFILE_PUBLISHER",), ("ADMIN",)),
    CATALOG: (("CATALOGS_MANAGER",), ("CATALOGS_VIEWER",)),
}
_GROUPS: Final = 2


class Asset(NamedTuple):
    """Something that people of a business may work on."""

    id: str
    type: str
    owned: bool
    """Whether the business owns it; otherwise it was shared with the business."""
    children: Sequence[Asset] = ()
    """The members of an asset group."""
    made_by: User | None = None
    """The user who made an asset group."""
    catalog: Member[Any] | None = None


class Business(Owner):
    """A business that the token's user is, or works for."""

    world: World

    def __init__(self, world: World, number: int, own_id: str) -> None:
        """Number 0 is the business of the user."""
        super().__init__(world, "business", number, facts={})
        self.number = number
        self.id = own_id
        self.assets = self._all_assets()

    def asset(self, asset_id: str) -> Asset | None:
        """The asset of an id."""
        return next((asset for asset in self.assets if asset.id == asset_id), None)

    def _all_assets(self) -> list[Asset]:
        world = self.world
        if self.number:
            draws = Draws(world.seed, *self.parts, "assets")
            alone = [Asset(str(549_800_000_000 + draws.below(10**9)), AD_ACCOUNT, owned=False)]
        else:
            alone = [
                *(Asset(each.id, AD_ACCOUNT, owned=not each.shared) for each in world.ad_accounts),
                Asset(world.user.id, PROFILE, owned=True),
                *(
                    Asset(each.id, CATALOG, owned=True, catalog=each)
                    for each in world.user.all(catalogs.CATALOGS)
                ),
            ]
        groups = [
            Asset(
                group.id,
                ASSET_GROUP,
                owned=True,
                children=alone[group.number :: _GROUPS],
                made_by=world.user,
            )
            for group in self.all(GROUPS)
        ]
        return [*alone, *groups]


def businesses(world: World) -> list[Business]:
    """The token's user as a business, and the businesses that the user works for."""
    return world.user.once(_businesses)


def _businesses(user: User) -> list[Business]:
    own = [user.id, *user.all(EMPLOYERS).ids]
    return [Business(user.world, number, each) for number, each in enumerate(own)]


def works_on(who: OfBusiness, asset: Asset) -> bool:
    """Whether a member or partner has access to an asset; the first has to all."""
    partner = who.kind is not MEMBERS and who.kind is not SYSTEM_USERS
    if partner and asset.owned != (who.kind is INTERNAL_PARTNERS):
        return False
    return who.number == 0 or Draws(who.world.seed, *who.parts, asset.id).chance(0.6)


def asset_record(schema: str, asset: Asset, owner: Owner) -> dict[str, Any]:
    """An asset and its permissions, in the form of one of the schemas that have them."""
    draws = Draws(owner.world.seed, *owner.parts, asset.id)
    made = specimens.record(schema, draws)
    made.update(asset_id=asset.id, asset_type=asset.type)
    made["permissions"] = list(draws.one_of(_PERMISSIONS[asset.type]))
    if asset.made_by:
        user = asset.made_by
        person = {"id": user.id, "username": user.username, "email": "owner@example.com"}
        info = _group_info(made.get("asset_group_info") or {}, asset)
        made["asset_group_info"] = {**info, "created_by": person, "owner": person}
    else:
        made["asset_group_info"] = None
    if "catalog_info" in api.schema(schema)["properties"]:
        made["catalog_info"] = asset.catalog and {
            "id": asset.id,
            "name": asset.catalog.label,
            "catalog_type": catalogs.type_of(asset.catalog),
        }
    return made


def access_record(who: OfBusiness, asset: Asset) -> dict[str, Any]:
    """Who may do what with an asset."""
    permissions = asset_record("AssetIdPermissions", asset, who)["permissions"]
    return {"permissions": permissions, "user": _person(who)}


def summary(who: OfBusiness, assets: Sequence[Asset]) -> dict[str, Any]:
    """The ad accounts and profiles that somebody works on."""

    def of_type(wanted: str) -> list[dict[str, Any]]:
        records = (
            asset_record("AssetIdPermissions", asset, who)
            for asset in assets
            if asset.type == wanted and works_on(who, asset)
        )
        return [{"id": each["asset_id"], "permissions": each["permissions"]} for each in records]

    return {"ad_accounts": of_type(AD_ACCOUNT), "profiles": of_type(PROFILE)}


def _group_info(made: dict[str, Any], asset: Asset) -> dict[str, Any]:
    def ids(wanted: str) -> list[str]:
        return [child.id for child in asset.children if child.type == wanted]

    return {
        **made,
        "id": asset.id,
        "ad_accounts_ids": ids(AD_ACCOUNT),
        "profiles_ids": ids(PROFILE),
        "catalogs_ids": ids(CATALOG),
        "asset_group_types": ["BRAND"],
    }


def _person(who: Member[Any]) -> dict[str, Any]:
    name = f"person{who.number}_{who.id[-4:]}"
    return {"id": who.id, "username": name, "email": f"{name}@example.com"}


def _binding(who: Member[Any], made: dict[str, Any], draws: Draws) -> Details:
    partner = who.kind is INTERNAL_PARTNERS or who.kind is EXTERNAL_PARTNERS
    made.pop("assets_summary", None)
    return {
        "user": _person(who) if made.get("user") else made.get("user"),
        "business_roles": ["PARTNER"] if partner else [("BIZ_ADMIN", "EMPLOYEE")[who.number % 2]],
        "is_shared_partner": who.kind is EXTERNAL_PARTNERS,
    }


def _invite(invite: OfBusiness, made: dict[str, Any], draws: Draws) -> Details:
    if invite.kind is MEMBER_INVITES:
        kind = "MEMBER_INVITE"
    else:
        kind = ("PARTNER_INVITE", "PARTNER_REQUEST")[invite.number % 2]
    made.setdefault("created_time", 1_700_000_000_000 + draws.below(10**9))
    data = {
        "invite_expiration": made["created_time"] + 30 * 86_400_000,
        "invite_status": ("PENDING", "EXPIRED")[invite.number // 2 % 2],
        "invite_type": kind,
        "last_updated_time": made["created_time"] + 1,
        "sent_at": made["created_time"],
    }
    return {"invite_data": data, "business_roles": ["EMPLOYEE"]}


def _people(business: Business) -> int:
    return business.world.size.members


def _few(business: Business) -> int:
    return business.world.size.members // 2


_FIRST_PERSON: Final = 112_000_000_000_000_000
_BINDING: Final = "UserBusinessRoleBinding"

EMPLOYERS: Final[Kind[User]] = Kind(
    "employer", _BINDING, lambda user: 1 if user.number == 0 else 0, _binding
)
GROUPS: Final[Kind[Business]] = Kind("asset group", "AssetIdPermissions", lambda _: _GROUPS)
MEMBERS: Final[Kind[Business]] = Kind("member", _BINDING, _people, _binding, first_id=_FIRST_PERSON)
SYSTEM_USERS: Final[Kind[Business]] = Kind("system user", _BINDING, lambda _: 1, _binding)
INTERNAL_PARTNERS: Final[Kind[Business]] = Kind("internal partner", _BINDING, _few, _binding)
EXTERNAL_PARTNERS: Final[Kind[Business]] = Kind("external partner", _BINDING, _few, _binding)
MEMBER_INVITES: Final[Kind[Business]] = Kind("member invite", "InviteResponse", _people, _invite)
PARTNER_INVITES: Final[Kind[Business]] = Kind("partner invite", "InviteResponse", _people, _invite)
