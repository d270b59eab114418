select
  days.source_relation,
  cast(days.date as timestamp) as date_day,
  days.ad_account_name as advertiser_name,
  days.ad_account_id as advertiser_id,
  days.campaign_name,
  days.campaign_id,
  days.campaign_status,
  days.ad_group_name,
  days.ad_group_id,
  days.ad_group_status,
  ad_groups.created_time as created_at,
  ad_groups.start_time,
  ad_groups.end_time,
  {{ tap_pinterest.fivetran_sums() }}
from {{ ref('pinterest__ad_group_daily') }} as days
left join {{ ref('stg_pinterest__ad_groups') }} as ad_groups
  on ad_groups.source_relation = days.source_relation
  and ad_groups.ad_group_id = days.ad_group_id
