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
  select
    source_relation,
    max(case when is_delivery_complete then date end) as newest_delivery_date,
    max(case when is_complete then date end) as newest_complete_date
  from {{ ref('stg_pinterest__days') }}
  group by source_relation

),

runs_of_reports as (

  select source_relation, ad_account_id, stream, run_id, ended_at, result, end_date, complete_to
  from {{ ref('stg_pinterest__sync_log') }}
  where stream in ('ad_account_analytics', 'campaign_analytics', 'ad_group_analytics', 'ad_analytics')

),

newest_runs as (

  select source_relation, max(run_id) as run_id
  from runs_of_reports
  group by source_relation

),

reports_asked_for as (

  -- A report that is not read any more does not hold back the others.
  select distinct runs_of_reports.source_relation, runs_of_reports.stream
  from runs_of_reports
  inner join newest_runs
    on newest_runs.source_relation = runs_of_reports.source_relation
    and newest_runs.run_id = runs_of_reports.run_id

),

runs_of_streams as (

  -- A stream that failed is as new as its last run that did not.
  select
    runs_of_reports.source_relation,
    runs_of_reports.ad_account_id,
    runs_of_reports.stream,
    max(runs_of_reports.ended_at) as last_run_at,
    max(case when runs_of_reports.result = 'complete' then runs_of_reports.end_date end) as read_to,
    max(runs_of_reports.complete_to) as complete_to,
    max(case when runs_of_reports.result <> 'skipped' then 1 end) as was_asked_for,
    max(case when runs_of_reports.result = 'complete' then 1 end) as has_come
  from runs_of_reports
  inner join reports_asked_for
    on reports_asked_for.source_relation = runs_of_reports.source_relation
    and reports_asked_for.stream = runs_of_reports.stream
  group by runs_of_reports.source_relation, runs_of_reports.ad_account_id, runs_of_reports.stream

),

last_runs as (

  select
    source_relation,
    ad_account_id,
    max(last_run_at) as last_run_at,
    min(read_to) as read_to,
    min(complete_to) as complete_to,
    max(case when was_asked_for = 1 and has_come is null then 1 end) as has_never_come
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
      when last_runs.has_never_come = 1 then null
      when complete_days.newest_delivery_date <= last_runs.read_to then complete_days.newest_delivery_date
      else coalesce(last_runs.read_to, complete_days.newest_delivery_date, newest_rows.newest_date)
    end as newest_delivery_date,
    case
      when last_runs.has_never_come = 1 then null
      else coalesce(last_runs.complete_to, complete_days.newest_complete_date)
    end as newest_complete_date,
    case
      when last_runs.has_never_come = 1 or last_runs.read_to is not null then 'sync_log'
      when complete_days.newest_delivery_date is not null then 'metrics_ready_state'
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
  {{ tap_pinterest.hours_between('cast(newest_delivery_date as timestamp)', tap_pinterest.utc_now()) }} - 24 as age_hours,
  missing.tables_not_loaded
from days
left join missing on missing.source_relation = days.source_relation
