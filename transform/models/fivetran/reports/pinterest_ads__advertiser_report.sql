select
  days.source_relation,
  cast(days.date as timestamp) as date_day,
  days.ad_account_name as advertiser_name,
  days.ad_account_id as advertiser_id,
  days.currency as currency_code,
  accounts.country,
  {{ tap_pinterest.fivetran_sums() }}
from {{ ref('pinterest__account_daily') }} as days
left join {{ ref('stg_pinterest__ad_accounts') }} as accounts
  on accounts.source_relation = days.source_relation
  and accounts.ad_account_id = days.ad_account_id
