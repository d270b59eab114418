select
  source_relation,
  cast(date as timestamp) as date_day,
  ad_account_name as advertiser_name,
  ad_account_id as advertiser_id,
  campaign_name,
  campaign_id,
  ad_group_name,
  ad_group_id,
  keyword_id,
  match_type,
  parent_type,
  keyword as keyword_value,
  {{ tap_pinterest.fivetran_sums() }}
from {{ ref('pinterest__keyword_daily') }}
