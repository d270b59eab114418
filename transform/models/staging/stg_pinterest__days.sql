with days as (

  {{ tap_pinterest.staged('metrics_ready_state') }}

)

select
  source_relation,
  date,
  non_conversion_metrics_ready as is_delivery_complete,
  conversion_metrics_ready and non_conversion_metrics_ready as is_complete,
  synced_at,
  loaded_at
from days
