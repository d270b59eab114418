{{ config(alias='pin_promotion_targeting_report') }}
select
  {{ tap_pinterest.fivetran_day() }},
  ad_account_id as advertiser_id,
  campaign_id,
  ad_group_id,
  ad_id as pin_promotion_id,
  targeting_type,
  targeting_value,
  {{ tap_pinterest.fivetran_metrics() }},
  {{ tap_pinterest.fivetran_synced() }}
from {{ ref('stg_pinterest__ad_targeting_daily') }}
