-- The newest complete day of an ad account ended at most two days ago; a report that has never come leaves none.
{{ config(severity='warn') }}
select * from {{ ref('pinterest__freshness') }}
where age_hours > {{ var('pinterest_warn_hours', 48) }} or (newest_delivery_date is null and told_by = 'sync_log')
