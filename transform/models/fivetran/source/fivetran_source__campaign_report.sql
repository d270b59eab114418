{{ config(alias='campaign_report') }}
select
  {{ tap_pinterest.fivetran_day() }},
  ad_account_id as advertiser_id,
  campaign_id,
  campaign_name,
  campaign_entity_status as campaign_status,
  {{ tap_pinterest.fivetran_metrics() }},
  {{ tap_pinterest.fivetran_synced() }}
from {{ ref('stg_pinterest__campaign_daily') }}
