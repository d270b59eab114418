with links as (

  select distinct destination_url from {{ ref('stg_pinterest__ads') }} where destination_url is not null

),

parts as (

  select
    destination_url,
    {{ tap_pinterest.link_parts('destination_url') | indent(2) }}
  from links

)

select
  destination_url,
  base_url,
  url_host,
  url_path
  {%- for name in tap_pinterest.utm_names() %},
  {{ tap_pinterest.decoded('utm_' ~ name) }} as utm_{{ name }}
  {%- endfor %}
from parts
