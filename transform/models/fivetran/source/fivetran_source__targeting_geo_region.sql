{{ config(alias='targeting_geo_region') }}
select
  region_code as region_id,
  country_code as country_id,
  name as region_name,
  {{ tap_pinterest.utc_now() }} as _fivetran_synced
from {{ ref('pinterest__regions') }}
where source_relation = '{{ tap_pinterest.schemas()[0] }}'
