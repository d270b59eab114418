{{ config(alias='keyword_report') }}
select
  {{ tap_pinterest.fivetran_day() }},
  ad_account_id as advertiser_id,
  campaign_id,
  ad_group_id,
  ad_group_name,
  ad_group_entity_status as ad_group_status,
  cast(null as text) as pin_promotion_id,
  keyword_id,
  {{ tap_pinterest.fivetran_metrics() }},
  {{ tap_pinterest.fivetran_synced() }}
from {{ ref('stg_pinterest__keyword_daily') }}
