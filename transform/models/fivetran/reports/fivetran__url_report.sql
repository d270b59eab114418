{{ config(alias='pinterest_ads__url_report') }}
with linked as (

  select
    *,
    {{ tap_pinterest.link_parts('destination_url') | indent(2) }}
  from {{ ref('pinterest__ad_daily') }}

)

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
  base_url,
  url_host,
  url_path,
  utm_source,
  utm_medium,
  utm_campaign,
  utm_content,
  utm_term,
  {{ tap_pinterest.fivetran_sums() }}
from linked
where destination_url is not null
