{{ config(alias='pin_promotion_history') }}
select
  ad_id as id,
  ad_account_id,
  ad_group_id,
  pin_id,
  name,
  status,
  review_status,
  creative_type,
  destination_url,
  android_deep_link,
  ios_deep_link,
  click_tracking_url,
  view_tracking_url,
  is_pin_deleted,
  is_removable,
  created_time,
  updated_time,
  {{ tap_pinterest.fivetran_synced() }}
from {{ ref('stg_pinterest__ads') }}
