with linked as (

  select
    *,
    {{ tap_pinterest.link_parts('destination_url') | indent(2) }}
  from {{ ref('pinterest__ad_daily') }}

)

{{ tap_pinterest.sums('linked', [
  'source_relation', 'date', 'ad_account_id', 'ad_account_name', 'destination_url', 'base_url', 'url_host',
  'url_path', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term',
] + tap_pinterest.settings() + ['is_complete'], counted='ad_id') }}
