"""The contents page: every stream of the tap, by product area. The only list of streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_pinterest.streams.accounts import AdAccounts
from tap_pinterest.streams.ads import AdGroups, Ads, Campaigns
from tap_pinterest.streams.analytics import (
    AdAccountAnalytics,
    AdAnalytics,
    AdGroupAnalytics,
    CampaignAnalytics,
)
from tap_pinterest.streams.organic import Boards, Pins, UserAccount, UserAccountMetrics
from tap_pinterest.streams.resources import DeliveryMetrics, MetricsReadyState

if TYPE_CHECKING:
    from tap_pinterest.streams.base import PinterestStream

STREAM_TYPES: tuple[type[PinterestStream], ...] = (
    # The ads area, entities first.
    AdAccounts,
    Campaigns,
    AdGroups,
    Ads,
    # Its reports.
    AdAccountAnalytics,
    CampaignAnalytics,
    AdGroupAnalytics,
    AdAnalytics,
    DeliveryMetrics,
    MetricsReadyState,
    # The organic area.
    UserAccount,
    UserAccountMetrics,
    Boards,
    Pins,
)
