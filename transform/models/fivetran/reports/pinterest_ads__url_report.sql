select
  source_relation,
  cast(date as timestamp) as date_day,
  ad_account_id as advertiser_id,
  ad_account_name as advertiser_name,
  campaign_id,
  campaign_name,
  campaign_status,
  ad_group_id,
  ad_group_name,
  ad_group_status,
  destination_url,
  creative_type,
  ad_id as pin_promotion_id,
  ad_name as pin_name,
  ad_status as pin_status,
  {{ tap_pinterest.fivetran_link_parts('destination_url') | indent(2) }},
  {{ tap_pinterest.fivetran_sums() }}
from {{ ref('pinterest__ad_daily') }}
{%- if var('ad_reporting__url_report__using_null_filter', true) %}
where destination_url is not null
{%- endif %}
