with campaigns as (

  {{ tap_pinterest.report(
    'campaign', ref('int_pinterest__campaign_targeting_daily'), dimensions=['targeting_value'],
    where="targeting_type = 'REGION'"
  ) | indent(2) }}

)

select
  campaigns.source_relation,
  campaigns.date,
  campaigns.targeting_value as region_code,
  regions.name as region_name,
  countries.country_code,
  countries.name as country_name,
  {{ tap_pinterest.rest_of_a_campaign() | indent(2) }}
from campaigns
left join {{ ref('pinterest__regions') }} as regions
  on regions.source_relation = campaigns.source_relation
  and regions.region_code = campaigns.targeting_value
left join {{ ref('pinterest__countries') }} as countries
  on countries.source_relation = campaigns.source_relation
  and countries.country_code = split_part(campaigns.targeting_value, '-', 1)
