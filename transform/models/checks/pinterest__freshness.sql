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

runs_of_streams as (

  -- A stream that failed is as new as its last run that did not.
  select
    source_relation,
    ad_account_id,
    stream,
    max(ended_at) as last_run_at,
    max(case when result = 'complete' then end_date end) as read_to
  from {{ ref('stg_pinterest__sync_log') }}
  where stream in ('ad_account_analytics', 'campaign_analytics', 'ad_group_analytics', 'ad_analytics')
  group by source_relation, ad_account_id, stream

),

last_runs as (

  select source_relation, ad_account_id, max(last_run_at) as last_run_at, min(read_to) as read_to
  from runs_of_streams
  group by source_relation, ad_account_id

),

days as (

  select
    accounts.source_relation,
    accounts.ad_account_id,
    accounts.name as ad_account_name,
    accounts.currency,
    newest_rows.newest_date,
    case
      when complete_days.newest_complete_date <= last_runs.read_to then complete_days.newest_complete_date
      else coalesce(last_runs.read_to, complete_days.newest_complete_date, newest_rows.newest_date)
    end as newest_complete_date,
    case
      when last_runs.read_to is not null then 'sync_log'
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

),

missing as (

  select source_relation, string_agg(table_name, ', ' order by table_name) as tables_not_loaded
  from {{ ref('pinterest__tables') }}
  where not is_loaded
  group by source_relation

)

select
  days.*,
  {{ tap_pinterest.hours_between('cast(newest_complete_date as timestamp)', tap_pinterest.utc_now()) }} - 24 as age_hours,
  missing.tables_not_loaded
from days
left join missing on missing.source_relation = days.source_relation
