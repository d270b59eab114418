"""Every stream of the tap, by product area. This is the only list of streams."""

from __future__ import annotations

from collections.abc import Collection

from tap_pinterest import api
from tap_pinterest.streams import (
    ads,
    analytics,
    audiences,
    billing,
    boards,
    business,
    catalogs,
    conversions,
    creatives,
    mix,
    organic,
    pins,
    resources,
    special_reports,
    trends,
    user,
)
from tap_pinterest.streams.bases.stream import PinterestStream

STREAM_TYPES: tuple[type[PinterestStream], ...] = (
    # The ads area, entities first.
    ads.AdAccounts,
    ads.Campaigns,
    ads.AdGroups,
    ads.Ads,
    # Its reports.
    analytics.AdAccountAnalytics,
    analytics.CampaignAnalytics,
    analytics.AdGroupAnalytics,
    analytics.AdAnalytics,
    analytics.ProductGroupAnalytics,
    analytics.ProductItemAnalytics,
    analytics.KeywordAnalytics,
    analytics.AdPinAnalytics,
    analytics.AdAccountTargetingAnalytics,
    analytics.CampaignTargetingAnalytics,
    analytics.AdGroupTargetingAnalytics,
    analytics.AdTargetingAnalytics,
    analytics.ProductGroupTargetingAnalytics,
    analytics.ProductItemTargetingAnalytics,
    resources.MetricsReadyState,
    resources.DeliveryMetrics,
    # The organic area.
    user.UserAccount,
    user.UserAccountMetrics,
    organic.UserAccountAnalytics,
    boards.Boards,
    boards.Pins,
    boards.BoardCountsDaily,
    boards.PinMetricsDaily,
    # After the list of Pins, which has its Pins if it is read.
    creatives.AdCreatives,
    # Boards in depth.
    boards.BoardSections,
    boards.BoardPins,
    boards.BoardSectionPins,
    boards.Media,
    pins.PinAnalytics,
    organic.UserAccountTopPinAnalytics,
    organic.UserAccountTopVideoPinAnalytics,
    organic.DomainTopPins,
    # Promotions, keywords, targeting and audiences.
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
    # Conversions and leads.
    conversions.ConversionTags,
    conversions.OcpmEligibleConversionTags,
    conversions.PageVisitConversionTags,
    conversions.AdvertiserDefinedEvents,
    conversions.ConversionEqs,
    conversions.ConversionEqsComponents,
    conversions.LeadAdsSubscriptions,
    # Billing.
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
    business.LinkedBusinesses,
    business.UserWebsites,
    # Facts that are the same for everybody.
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
    conversions.LeadForms,
    conversions.LeadFormQuestions,
    mix.MmmReport,
    mix.BrandCategorySkuReport,
    special_reports.TemplateReports,
    special_reports.CatalogsReport,
    trends.TrendsEditorialArticles,
)


def listed(groups: Collection[str]) -> list[type[PinterestStream]]:
    """The streams that `stream_groups` lists."""
    return [each for each in STREAM_TYPES if {each.group, "all"} & {*groups}]


def needed_scopes(groups: Collection[str]) -> list[str]:
    """The scopes that these streams need."""
    operations = (api.operation(f"GET {each.path}") for each in listed(groups))
    return sorted({scope for each in operations for scope in each.scopes})
