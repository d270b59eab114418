select
  source_relation,
  cast(date as timestamp) as date_day,
  ad_account_name as advertiser_name,
  ad_account_id as advertiser_id,
  campaign_name,
  campaign_id,
  campaign_status,
  {{ tap_pinterest.fivetran_sums() }}
from {{ ref('pinterest__campaign_daily') }}
