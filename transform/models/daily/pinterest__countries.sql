with clients as (

  {{ tap_pinterest.source_relations() }}

),

geo as (

  select source_relation, id as code, name from {{ ref('stg_pinterest__targeting_options') }} where targeting_type = 'GEO'

)

select
  clients.source_relation,
  seeded.code as country_code,
  coalesce(geo.name, listed.name, seeded.name) as name
from clients
cross join {{ ref('pinterest_countries') }} as seeded
left join geo on geo.source_relation = clients.source_relation and geo.code = seeded.code
left join {{ ref('stg_pinterest__ad_account_countries') }} as listed
  on listed.source_relation = clients.source_relation
  and listed.code = seeded.code
