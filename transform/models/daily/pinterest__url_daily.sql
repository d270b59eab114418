with linked as (

  select
    days.*,
    links.base_url,
    links.url_host,
    links.url_path
    {%- for name in tap_pinterest.utm_names() %},
    links.utm_{{ name }}
    {%- endfor %}
  from {{ ref('pinterest__ad_daily') }} as days
  left join {{ ref('int_pinterest__links') }} as links
    on links.destination_url = days.destination_url

)

{{ tap_pinterest.sums('linked', [
  'source_relation', 'date', 'ad_account_id', 'ad_account_name', 'destination_url', 'base_url', 'url_host',
  'url_path', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term',
] + tap_pinterest.settings() + ['is_complete'], counted='ad_id') }}
