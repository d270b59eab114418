with rows_of_accounts as (

  select source_relation, ad_account_id, max(date) as newest_date, max(loaded_at) as last_changed_at
  from {{ ref('int_pinterest__ad_account_daily') }}
  group by source_relation, ad_account_id
  union all
  select source_relation, ad_account_id, max(date), max(loaded_at)
  from {{ ref('int_pinterest__ad_daily') }}
  group by source_relation, ad_account_id

),

newest_rows as (

  select source_relation, ad_account_id, max(newest_date) as newest_date, max(last_changed_at) as last_changed_at
  from rows_of_accounts
  group by source_relation, ad_account_id

),

complete_days as (

  -- Pinterest answers for a day whether it is complete, also where no ad was shown.
  select source_relation, max(date) as newest_complete_date
  from {{ ref('stg_pinterest__days') }}
  where is_delivery_complete
  group by source_relation

),

last_runs as (

  select
    source_relation,
    ad_account_id,
    max(ended_at) as last_run_at,
    max(complete_to) as complete_to
  from {{ ref('stg_pinterest__sync_log') }}
  where ad_account_id is not null and stream in ('ad_analytics', 'ad_account_analytics')
  group by source_relation, ad_account_id

),

days as (

  select
    accounts.source_relation,
    accounts.ad_account_id,
    accounts.name as ad_account_name,
    accounts.currency,
    newest_rows.newest_date,
    coalesce(last_runs.complete_to, complete_days.newest_complete_date, newest_rows.newest_date) as newest_complete_date,
    case
      when last_runs.complete_to is not null then 'sync_log'
      when complete_days.newest_complete_date is not null then 'metrics_ready_state'
      when newest_rows.newest_date is not null then 'rows'
    end as told_by,
    last_runs.last_run_at,
    newest_rows.last_changed_at
  from {{ ref('stg_pinterest__ad_accounts') }} as accounts
  left join newest_rows
    on newest_rows.source_relation = accounts.source_relation
    and newest_rows.ad_account_id = accounts.ad_account_id
  left join complete_days on complete_days.source_relation = accounts.source_relation
  left join last_runs
    on last_runs.source_relation = accounts.source_relation
    and last_runs.ad_account_id = accounts.ad_account_id

)

select
  days.*,
  {{ tap_pinterest.hours_between('cast(newest_complete_date as timestamp)', tap_pinterest.utc_now()) }} - 24 as age_hours
from days
