"""The contents page: every stream of the tap, by product area. The only list of streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_pinterest.streams import (
    accounts,
    ads,
    analytics,
    audiences,
    billing,
    boards,
    business,
    catalogs,
    conversions,
    leads,
    resources,
    trends,
    user,
)

if TYPE_CHECKING:
    from tap_pinterest.streams.base import PinterestStream

STREAM_TYPES: tuple[type[PinterestStream], ...] = (
    # The ads area, entities first.
    accounts.AdAccounts,
    ads.Campaigns,
    ads.AdGroups,
    ads.Ads,
    # Its reports.
    analytics.AdAccountAnalytics,
    analytics.CampaignAnalytics,
    analytics.AdGroupAnalytics,
    analytics.AdAnalytics,
    analytics.ProductGroupAnalytics,
    analytics.AdPinAnalytics,
    analytics.AdAccountTargetingAnalytics,
    analytics.CampaignTargetingAnalytics,
    analytics.AdGroupTargetingAnalytics,
    analytics.AdTargetingAnalytics,
    resources.MetricsReadyState,
    resources.DeliveryMetrics,
    # The organic area.
    user.UserAccount,
    user.UserAccountMetrics,
    boards.Boards,
    boards.Pins,
    # Boards in depth.
    boards.BoardSections,
    boards.BoardPins,
    boards.BoardSectionPins,
    boards.Media,
    # What ads are about, and whom they are for.
    ads.ProductGroupPromotions,
    ads.Promotions,
    ads.Keywords,
    ads.KeywordMetrics,
    ads.TargetingTemplates,
    audiences.Audiences,
    audiences.AudienceSharedAccounts,
    audiences.CustomerLists,
    audiences.AudienceInsights,
    audiences.AudienceInsightDefinitions,
    # What comes of them.
    conversions.ConversionTags,
    conversions.OcpmEligibleConversionTags,
    conversions.PageVisitConversionTags,
    conversions.AdvertiserDefinedEvents,
    conversions.ConversionEqs,
    leads.LeadAdsSubscriptions,
    # What they cost.
    billing.BillingProfiles,
    billing.BillingInvoices,
    billing.AdsCreditDiscounts,
    billing.OrderLines,
    billing.SsioAccounts,
    billing.SsioOrderLines,
    billing.SsioInsertionOrderStatus,
    billing.TermsOfService,
    # Catalogs.
    catalogs.Catalogs,
    catalogs.CatalogsFeeds,
    catalogs.CatalogsFeedProcessingResults,
    catalogs.CatalogsItemIssues,
    catalogs.CatalogsProductGroups,
    catalogs.CatalogsProductGroupProductCounts,
    catalogs.CatalogsProductGroupProducts,
    catalogs.CatalogsAvailableFilterValues,
    catalogs.CatalogsReportStats,
    # Business access.
    business.BusinessEmployers,
    business.BusinessMembers,
    business.BusinessPartners,
    business.BusinessAssets,
    business.BusinessAssetMembers,
    business.BusinessAssetPartners,
    business.BusinessMemberAssets,
    business.BusinessPartnerAssets,
    business.BusinessInvites,
    business.BusinessAudiences,
    business.BusinessAudienceSharedAccounts,
    user.LinkedBusinesses,
    user.UserWebsites,
    # What is the same for everybody.
    resources.AdAccountCountries,
    resources.TargetingOptions,
    resources.Interests,
    ads.ReportTemplates,
    # Terms and trends.
    trends.RelatedTerms,
    trends.SuggestedTerms,
    trends.TrendingKeywords,
    trends.FeaturedTopics,
    trends.TrendingProductCategories,
    trends.ProductCategoryDetails,
    # People.
    user.Followers,
    user.Following,
    user.FollowingBoards,
    user.UserFollowingInterests,
    # In beta, closed, or newer than the description.
    ads.Labels,
    ads.Schedules,
    ads.PromotionAppliedAdGroups,
    ads.AdGroupDynamicTitlesStatus,
    audiences.CustomerSegments,
    boards.PinProductTags,
    business.Integrations,
    catalogs.CatalogsLocalStores,
    conversions.ConversionDeletionRequests,
    leads.LeadForms,
    leads.LeadFormQuestions,
    trends.TrendsEditorialArticles,
)
