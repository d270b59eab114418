select
  days.source_relation,
  cast(days.date as timestamp) as date_day,
  days.country_code as country_id,
  days.country_name,
  days.campaign_id,
  days.campaign_name,
  days.campaign_status,
  days.ad_account_id as advertiser_id,
  days.ad_account_name as advertiser_name,
  {{ tap_pinterest.fivetran_campaign() }},
  {{ tap_pinterest.fivetran_sums() }}
from {{ ref('pinterest__country_daily') }} as days
left join {{ ref('stg_pinterest__campaigns') }} as campaigns
  on campaigns.source_relation = days.source_relation
  and campaigns.campaign_id = days.campaign_id
