{{ config(alias='targeting_geo') }}
select
  country_code as country_id,
  name as country_name,
  {{ tap_pinterest.utc_now() }} as _fivetran_synced
from {{ ref('pinterest__countries') }}
where source_relation = '{{ tap_pinterest.schemas()[0] }}'
