select
  source_relation,
  id as region_code,
  split_part(id, '-', 1) as country_code,
  name
from {{ ref('stg_pinterest__targeting_options') }}
where targeting_type = 'GEO' and id like '__-%'
