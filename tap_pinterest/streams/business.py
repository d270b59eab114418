"""Business access: members, partners and assets of businesses; linked businesses and websites."""

from __future__ import annotations

from types import MappingProxyType

from tap_pinterest.reading.calls import Each, Either, Values
from tap_pinterest.streams.bases.dataset import DatasetStream
from tap_pinterest.streams.user import UserAccount


class BusinessEmployers(DatasetStream):
    """Businesses that the token's user works for; e-mail addresses with group `personal` only."""

    name = "business_employers"
    path = "/businesses/employers"


BUSINESSES = Either(
    Each(UserAccount, where={"account_type": ("BUSINESS",)}, business_id="id"),
    Each(BusinessEmployers, business_id="id"),
)
"""The token's user, if that is a business, and the businesses that the user works for."""


class BusinessMembers(DatasetStream):
    """Members of a business; e-mail addresses with group `personal` only."""

    name = "business_members"
    path = "/businesses/{business_id}/members"
    primary_keys = ("business_id", "id")
    query = MappingProxyType({"assets_summary": True})
    per = (BUSINESSES,)
    parent_fields = ("business_id",)


class BusinessPartners(DatasetStream):
    """Partners of a business, which have access to its assets or share assets with it."""

    name = "business_partners"
    path = "/businesses/{business_id}/partners"
    primary_keys = ("business_id", "partner_type", "id")
    query = MappingProxyType({"assets_summary": True})
    per = (BUSINESSES, Values("partner_type"))
    parent_fields = ("business_id", "partner_type")


class BusinessAssets(DatasetStream):
    """Assets that a business owns or has access to: ad accounts, profiles, catalogs and groups."""

    name = "business_assets"
    path = "/businesses/{business_id}/assets"
    primary_keys = ("business_id", "asset_id")
    per = (BUSINESSES, Values("asset_type"))
    id_field = "asset_id"
    parent_fields = ("business_id",)


class BusinessAssetMembers(DatasetStream):
    """Members of a business that have access to one of its assets, and their permissions."""

    name = "business_asset_members"
    path = "/businesses/{business_id}/assets/{asset_id}/members"
    primary_keys = ("business_id", "asset_id", "user_id")
    per = (Each(BusinessAssets, business_id="business_id", asset_id="asset_id"),)
    lifted = MappingProxyType({"user_id": ("user", "id")})


class BusinessAssetPartners(DatasetStream):
    """Partners of a business that have access to one of its assets, and their permissions."""

    name = "business_asset_partners"
    path = "/businesses/{business_id}/assets/{asset_id}/partners"
    primary_keys = ("business_id", "asset_id", "user_id")
    per = (Each(BusinessAssets, business_id="business_id", asset_id="asset_id"),)
    lifted = MappingProxyType({"user_id": ("user", "id")})


class BusinessMemberAssets(DatasetStream):
    """Assets that a member of a business has access to, and the permissions."""

    name = "business_member_assets"
    path = "/businesses/{business_id}/members/{member_id}/assets"
    primary_keys = ("business_id", "member_id", "asset_id")
    per = (Each(BusinessMembers, business_id="business_id", member_id="id"), Values("asset_type"))


class BusinessPartnerAssets(DatasetStream):
    """Assets that a business and a partner share, and the permissions."""

    name = "business_partner_assets"
    path = "/businesses/{business_id}/partners/{partner_id}/assets"
    primary_keys = ("business_id", "partner_id", "partner_type", "asset_id")
    per = (
        Each(
            BusinessPartners,
            business_id="business_id",
            partner_type="partner_type",
            partner_id="id",
        ),
        Values("asset_type"),
    )


class BusinessInvites(DatasetStream):
    """Invitations and requests to become a member or a partner of a business."""

    name = "business_invites"
    path = "/businesses/{business_id}/invites"
    primary_keys = ("business_id", "id")
    per = (BUSINESSES, Values("is_member", True, False))  # noqa: FBT003 - the parameter's values


class BusinessAudiences(DatasetStream):
    """Audiences that others share with a business."""

    name = "business_audiences"
    path = "/businesses/{business_id}/audiences"
    primary_keys = ("business_id", "id")
    per = (BUSINESSES,)
    parent_fields = ("business_id",)


class BusinessAudienceSharedAccounts(DatasetStream):
    """Ad accounts and businesses that have access to an audience shared with a business."""

    name = "business_audience_shared_accounts"
    path = "/businesses/{business_id}/audiences/shared/accounts"
    primary_keys = ("business_id", "audience_id", "account_type", "account_id")
    per = (
        Each(BusinessAudiences, business_id="business_id", audience_id="id"),
        Values("account_type"),
    )


class LinkedBusinesses(DatasetStream):
    """Businesses that the token's user has linked."""

    name = "linked_businesses"
    path = "/user_account/businesses"
    primary_keys = ("username",)


class UserWebsites(DatasetStream):
    """Websites that the token's user has claimed."""

    name = "user_websites"
    path = "/user_account/websites"
    primary_keys = ("website",)


class Integrations(DatasetStream):
    """Connections of partners' apps with Pinterest, without the partners' tokens. In beta."""

    name = "integrations"
    path = "/integrations"
    group = "beta"
