{{ config(alias='ad_group_history') }}
select
  ad_group_id as id,
  ad_account_id,
  campaign_id,
  name,
  status,
  summary_status,
  created_time,
  updated_time,
  start_time,
  end_time,
  pacing_delivery_type,
  placement_group,
  {{ tap_pinterest.fivetran_synced() }}
from {{ ref('stg_pinterest__ad_groups') }}
