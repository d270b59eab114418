{{ config(alias='campaign_history') }}
select
  campaign_id as id,
  ad_account_id as advertiser_id,
  name,
  status,
  created_time,
  updated_time,
  start_time,
  end_time,
  cast({{ tap_pinterest.millionths('daily_spend_cap') }} as bigint) as budget_spend_cap,
  cast({{ tap_pinterest.millionths('lifetime_spend_cap') }} as bigint) as lifetime_spend_cap,
  cast({{ tap_pinterest.millionths('default_ad_group_budget') }} as bigint) as default_ad_group_budget_in_micro_currency,
  objective_type,
  is_automated_campaign,
  is_campaign_budget_optimization,
  is_flexible_daily_budgets,
  {{ tap_pinterest.fivetran_synced() }}
from {{ ref('stg_pinterest__campaigns') }}
