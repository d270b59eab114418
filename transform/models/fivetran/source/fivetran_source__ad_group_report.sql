{{ config(alias='ad_group_report') }}
select
  {{ tap_pinterest.fivetran_day() }},
  ad_account_id as advertiser_id,
  campaign_id,
  ad_group_id,
  ad_group_name,
  ad_group_entity_status as ad_group_status,
  {{ tap_pinterest.fivetran_metrics() }},
  {{ tap_pinterest.fivetran_synced() }}
from {{ ref('stg_pinterest__ad_group_daily') }}
