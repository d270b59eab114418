-- The newest complete day of an ad account ended at most two days ago.
{{ config(severity='warn') }}
select * from {{ ref('pinterest__freshness') }} where age_hours > {{ var('pinterest_warn_hours', 48) }}
