-- The newest complete day of an ad account ended at most a week ago.
select * from {{ ref('pinterest__freshness') }} where age_hours > {{ var('pinterest_error_hours', 168) }}
