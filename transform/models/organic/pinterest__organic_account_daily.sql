select
  days.source_relation,
  days.date,
  days.user_id,
  coalesce(counts.username, users.username) as username,
  days.data_status,
  days.impression as impressions,
  days.engagement as engagements,
  days.pin_click as pin_clicks,
  days.outbound_click as outbound_clicks,
  days.save as saves,
  counts.follower_count as followers,
  counts.following_count as following,
  counts.pin_count as pins,
  counts.monthly_views,
  days.synced_at
from {{ ref('stg_pinterest__user_account_daily') }} as days
left join {{ ref('stg_pinterest__user_account_metrics') }} as counts
  on counts.source_relation = days.source_relation
  and counts.user_id = days.user_id
  and counts.date = days.date
left join {{ ref('stg_pinterest__user_accounts') }} as users
  on users.source_relation = days.source_relation
  and users.user_id = days.user_id
where days.split_field = 'NO_SPLIT'
