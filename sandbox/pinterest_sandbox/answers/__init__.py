"""The operations that the sandbox answers, grouped as the API groups them: the contents page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pinterest_sandbox.answers import (
    ads,
    analytics,
    audiences,
    billing,
    boards,
    business,
    catalogs,
    conversions,
    integrations,
    mix,
    ordered,
    organic,
    resources,
    trends,
    users,
)
from pinterest_sandbox.answers.entities import listed, one, unpaged
from pinterest_sandbox.kinds import ads as of_ads
from pinterest_sandbox.kinds import audiences as of_audiences
from pinterest_sandbox.kinds import billing as of_billing
from pinterest_sandbox.kinds import conversions as of_conversions
from pinterest_sandbox.kinds import leads as of_leads
from pinterest_sandbox.kinds import users as of_users

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinterest_sandbox.calls import Call

Answer: TypeAlias = "Callable[[Call], Any]"
"""Makes the answer to a call: a `Listing` if the API answers in pages, else the body itself."""

_ACCOUNT = "/ad_accounts/{ad_account_id}"
_AD_GROUP = f"{_ACCOUNT}/ad_groups/{{ad_group_id}}"
_TAGS = f"{_ACCOUNT}/conversion_tags"
_LIST = f"{_ACCOUNT}/customer_lists/{{customer_list_id}}"
_ORDERS = f"{_ACCOUNT}/ssio/insertion_orders"
_BUSINESS = "/businesses/{business_id}"
_GROUP = "/catalogs/product_groups/{product_group_id}"
_LEADS_ROLES = frozenset({"OWNER", "ADMIN"})

ANSWERS: Mapping[str, Answer] = {
    "GET /ad_accounts": ads.ad_accounts,
    f"GET {_ACCOUNT}": ads.ad_account,
    f"GET {_ACCOUNT}/campaigns": ads.campaigns,
    f"GET {_ACCOUNT}/campaigns/{{campaign_id}}": ads.campaign,
    f"GET {_ACCOUNT}/ad_groups": ads.ad_groups,
    f"GET {_AD_GROUP}": ads.ad_group,
    f"GET {_AD_GROUP}/dynamic_titles/status": ads.dynamic_titles_status,
    f"GET {_AD_GROUP}/dynamic_titles/csv": ads.dynamic_titles_csv,
    f"GET {_AD_GROUP}/dynamic_titles/uploads": ads.dynamic_titles_upload,
    f"GET {_ACCOUNT}/ads": ads.ads,
    f"GET {_ACCOUNT}/ads/{{ad_id}}": ads.ad,
    f"GET {_ACCOUNT}/keywords": ads.keywords,
    f"GET {_ACCOUNT}/keywords/metrics": ads.keyword_metrics,
    f"GET {_ACCOUNT}/product_group_promotions": ads.product_group_promotions,
    f"GET {_ACCOUNT}/product_group_promotions/{{product_group_promotion_id}}": (
        ads.product_group_promotion
    ),
    f"GET {_ACCOUNT}/promotions": listed(of_ads.PROMOTIONS),
    f"GET {_ACCOUNT}/promotions/{{promotion_id}}": one(
        of_ads.PROMOTIONS, "promotion_id", code=4997
    ),
    f"GET {_ACCOUNT}/promotion_applied_entities": ads.promotion_applied_entities,
    f"GET {_ACCOUNT}/schedules": ads.schedules,
    f"GET {_ACCOUNT}/campaign_ad_preview": ads.previews,
    f"GET {_ACCOUNT}/labels": ads.labels,
    f"GET {_ACCOUNT}/targeting_templates": ads.targeting_templates,
    f"GET {_ACCOUNT}/templates": listed(of_ads.REPORT_TEMPLATES),
    f"GET {_ACCOUNT}/audiences": audiences.audiences,
    f"GET {_ACCOUNT}/audiences/{{audience_id}}": audiences.audience,
    f"GET {_ACCOUNT}/audiences/shared/accounts": audiences.shared_accounts,
    f"GET {_ACCOUNT}/audience_insights": audiences.insights,
    f"GET {_ACCOUNT}/insights/audiences": audiences.definitions,
    f"GET {_ACCOUNT}/customer_lists": audiences.customer_lists,
    f"GET {_LIST}": one(of_audiences.CUSTOMER_LISTS, "customer_list_id"),
    f"GET {_LIST}/uploads/{{customer_list_upload_id}}": audiences.customer_list_upload,
    f"GET {_ACCOUNT}/customer_segments": audiences.customer_segments,
    f"GET {_TAGS}": conversions.tags,
    f"GET {_TAGS}/{{conversion_tag_id}}": one(of_conversions.CONVERSION_TAGS, "conversion_tag_id"),
    f"GET {_TAGS}/ocpm_eligible": conversions.eligible_events,
    f"GET {_TAGS}/page_visit": conversions.page_visits,
    f"GET {_ACCOUNT}/advertiser_defined_events": unpaged(of_conversions.DEFINED_EVENTS),
    f"GET {_ACCOUNT}/conversion_eqs": conversions.quality_scores,
    f"GET {_ACCOUNT}/conversion_deletion_requests": listed(of_conversions.DELETION_REQUESTS),
    f"GET {_ACCOUNT}/conversion_deletion_requests/{{request_id}}": one(
        of_conversions.DELETION_REQUESTS, "request_id"
    ),
    f"GET {_ACCOUNT}/lead_forms": listed(of_leads.LEAD_FORMS),
    f"GET {_ACCOUNT}/lead_forms/{{lead_form_id}}": one(
        of_leads.LEAD_FORMS, "lead_form_id", code=4842
    ),
    f"GET {_ACCOUNT}/leads/subscriptions": listed(of_leads.SUBSCRIPTIONS, roles=_LEADS_ROLES),
    f"GET {_ACCOUNT}/leads/subscriptions/{{subscription_id}}": one(
        of_leads.SUBSCRIPTIONS, "subscription_id", roles=_LEADS_ROLES
    ),
    f"GET {_ACCOUNT}/ads_credit/discounts": listed(of_billing.DISCOUNTS),
    f"GET {_ACCOUNT}/billing_profiles": billing.profiles,
    f"GET {_ACCOUNT}/billing_invoices": billing.invoices,
    f"GET {_ACCOUNT}/billing_invoice/{{billing_invoice_id}}/download": billing.invoice_download,
    f"GET {_ACCOUNT}/order_lines": listed(of_billing.ORDER_LINES),
    f"GET {_ACCOUNT}/order_lines/{{order_line_id}}": one(of_billing.ORDER_LINES, "order_line_id"),
    f"GET {_ACCOUNT}/ssio/accounts": billing.ssio_account,
    f"GET {_ACCOUNT}/ssio/order_lines": billing.ssio_order_lines,
    f"GET {_ORDERS}/status": listed(of_billing.INSERTION_ORDERS, roles=billing.SSIO_ROLES),
    f"GET {_ORDERS}/{{pin_order_id}}/status": one(
        of_billing.INSERTION_ORDERS, "pin_order_id", roles=billing.SSIO_ROLES
    ),
    f"GET {_ACCOUNT}/terms_of_service": billing.terms_of_service,
    f"GET {_ACCOUNT}/analytics": analytics.ad_account,
    f"GET {_ACCOUNT}/campaigns/analytics": analytics.campaigns,
    f"GET {_ACCOUNT}/ad_groups/analytics": analytics.ad_groups,
    f"GET {_ACCOUNT}/ads/analytics": analytics.ads,
    f"GET {_ACCOUNT}/targeting_analytics": analytics.ad_account_targeting,
    f"GET {_ACCOUNT}/campaigns/targeting_analytics": analytics.campaign_targeting,
    f"GET {_ACCOUNT}/ad_groups/targeting_analytics": analytics.ad_group_targeting,
    f"GET {_ACCOUNT}/ads/targeting_analytics": analytics.ad_targeting,
    f"GET {_ACCOUNT}/pins/analytics": analytics.pins,
    f"POST {_ACCOUNT}/reports": ordered.create,
    f"GET {_ACCOUNT}/reports": ordered.status,
    f"POST {_ACCOUNT}/templates/{{template_id}}/reports": ordered.create_from_template,
    f"POST {_ACCOUNT}/mmm_reports": mix.create,
    f"GET {_ACCOUNT}/mmm_reports": mix.status,
    f"POST {_ACCOUNT}/reports/brand_category_sku": mix.create_of_products,
    f"GET {_ACCOUNT}/reports/brand_category_sku": mix.status_of_products,
    f"GET {_ACCOUNT}/product_groups/analytics": analytics.product_groups,
    "GET /user_account": users.user_account,
    "GET /user_account/analytics": organic.user_account,
    "GET /user_account/analytics/top_pins": organic.top_pins,
    "GET /user_account/analytics/top_video_pins": organic.top_video_pins,
    "GET /user_account/businesses": users.linked_businesses,
    "GET /user_account/followers": users.of_token(of_users.FOLLOWERS),
    "GET /user_account/following": users.following,
    "GET /user_account/following/boards": users.followed_boards,
    "GET /user_account/websites": users.of_token(of_users.WEBSITES),
    "GET /user_account/websites/verification": users.website_verification,
    "GET /users/{username}/interests/follow": users.followed_interests,
    "GET /boards": boards.boards,
    "GET /boards/{board_id}": boards.board,
    "GET /boards/{board_id}/pins": boards.board_pins,
    "GET /boards/{board_id}/sections": boards.sections,
    "GET /boards/{board_id}/sections/{section_id}/pins": boards.section_pins,
    "GET /pins": boards.pins,
    "GET /pins/analytics": organic.pins,
    "GET /pins/{pin_id}": boards.pin,
    "GET /pins/{pin_id}/analytics": organic.pin,
    "GET /pins/{pin_id}/product_tags": boards.product_tags,
    "GET /media": boards.media,
    "GET /media/{media_id}": boards.medium,
    "GET /catalogs": catalogs.catalogs,
    "GET /catalogs/feeds": catalogs.feeds,
    "GET /catalogs/feeds/{feed_id}": catalogs.feed,
    "GET /catalogs/feeds/{feed_id}/processing_results": catalogs.processing_results,
    "GET /catalogs/processing_results/{processing_result_id}/item_issues": catalogs.item_issues,
    "GET /catalogs/product_groups": catalogs.product_groups,
    f"GET {_GROUP}": catalogs.product_group,
    f"GET {_GROUP}/product_counts": catalogs.product_counts,
    f"GET {_GROUP}/products": catalogs.products,
    "GET /catalogs/available_filter_values": catalogs.filter_values,
    "POST /catalogs/reports": catalogs.create_report,
    "GET /catalogs/reports": catalogs.report,
    "GET /catalogs/reports/stats": catalogs.report_stats,
    "GET /catalogs/{catalog_id}/local_stores": catalogs.local_stores,
    "GET /businesses/employers": business.employers,
    f"GET {_BUSINESS}/members": business.members,
    f"GET {_BUSINESS}/members/{{member_id}}/assets": business.member_assets,
    f"GET {_BUSINESS}/partners": business.partners,
    f"GET {_BUSINESS}/partners/{{partner_id}}/assets": business.partner_assets,
    f"GET {_BUSINESS}/assets": business.assets,
    f"GET {_BUSINESS}/assets/{{asset_id}}/members": business.asset_members,
    f"GET {_BUSINESS}/assets/{{asset_id}}/partners": business.asset_partners,
    f"GET {_BUSINESS}/invites": business.invites,
    f"GET {_BUSINESS}/audiences": business.received_audiences,
    f"GET {_BUSINESS}/audiences/shared/accounts": business.audience_shared_accounts,
    "GET /integrations": users.of_token(of_users.INTEGRATIONS),
    "GET /integrations/{id}": integrations.integration,
    "GET /integrations/commerce/{external_business_id}": integrations.commerce,
    "GET /resources/metrics_ready_state": resources.metrics_ready_state,
    "GET /resources/delivery_metrics": resources.delivery_metrics,
    "GET /resources/ad_account_countries": resources.ad_account_countries,
    "GET /resources/lead_form_questions": resources.lead_form_questions,
    "GET /resources/targeting/{targeting_type}": resources.targeting_options,
    "GET /resources/targeting/interests/{interest_id}": resources.interest,
    "GET /terms/related": resources.related_terms,
    "GET /terms/suggested": resources.suggested_terms,
    "GET /trends/keywords/{region}/top/{trend_type}": trends.keywords,
    "GET /trends/topics/featured": trends.featured_topics,
    "GET /trends/product_categories/trending": trends.product_categories,
    "GET /trends/product_categories/details": trends.product_category_details,
    "GET /trends/editorial_articles": trends.editorial_articles,
    "GET /search/boards": boards.search_boards,
    "GET /search/pins": boards.search_pins,
    "GET /search/partner/pins": boards.search_partner_pins,
}
"""`POST /oauth/token` is not among them: it is asked before there is a token."""
