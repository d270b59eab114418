"""Audiences, customer lists, and insights into the people in them."""

from __future__ import annotations

from types import MappingProxyType

from tap_pinterest.reading.calls import Each, Values
from tap_pinterest.streams.bases.dataset import DatasetStream, SnapshotStream


class Audiences(DatasetStream):
    """Audiences that an ad account owns, and audiences that others share with it.

    `ad_account_id` is the account that sees the audience, `owner_ad_account_id` its owner.
    """

    name = "audiences"
    path = "/ad_accounts/{ad_account_id}/audiences"
    primary_keys = ("ad_account_id", "id")
    per = (Values("ownership_type"),)
    renamed = MappingProxyType({"ad_account_id": "owner_ad_account_id"})
    parent_fields = ("ownership_type",)


class AudienceSharedAccounts(DatasetStream):
    """Ad accounts and businesses that an ad account shares one of its audiences with."""

    name = "audience_shared_accounts"
    path = "/ad_accounts/{ad_account_id}/audiences/shared/accounts"
    primary_keys = ("ad_account_id", "audience_id", "account_type", "account_id")
    per = (
        Each(Audiences, where={"ownership_type": ("OWNED",)}, audience_id="id"),
        Values("account_type"),
    )


class CustomerLists(DatasetStream):
    """Uploaded lists of customers: their sizes and states, not the customers."""

    name = "customer_lists"
    path = "/ad_accounts/{ad_account_id}/customer_lists"


class AudienceInsights(SnapshotStream):
    """The people in one kind of audience, by age, gender, device and interest.

    `insight_date` is the day of Pinterest's numbers, `date` the day of the run.
    """

    name = "audience_insights"
    path = "/ad_accounts/{ad_account_id}/audience_insights"
    primary_keys = ("ad_account_id", "type", "date")
    per = (Values("audience_insight_type"),)
    columns = MappingProxyType({"audience_insight_type": "type"})
    renamed = MappingProxyType({"date": "insight_date"})


class AudienceInsightDefinitions(DatasetStream):
    """Audiences that an ad account can have insights into."""

    name = "audience_insight_definitions"
    path = "/ad_accounts/{ad_account_id}/insights/audiences"
    primary_keys = ("ad_account_id", "scope", "type")


class CustomerSegments(DatasetStream):
    """Segments made of several audiences. Unverified: known from API 5.28 only."""

    name = "customer_segments"
    path = "/ad_accounts/{ad_account_id}/customer_segments"
    group = "beta"
