{# A day as Fivetran has it: a time. #}
{% macro fivetran_day() %}cast(date as timestamp) as date{% endmacro %}


{% macro fivetran_synced() -%}
  coalesce(loaded_at, synced_at, {{ tap_pinterest.utc_now() }}) as _fivetran_synced
{%- endmacro %}


{# The metrics of Fivetran's tables of reports. #}
{% macro fivetran_metrics() -%}
  impression_1,
  impression_2,
  clickthrough_1,
  clickthrough_2,
  {{ tap_pinterest.millionths('spend') }} as spend_in_micro_dollar,
  total_conversions,
  total_conversions_quantity,
  {{ tap_pinterest.millionths('total_conversions_value') }} as total_conversions_value_in_micro_dollar
{%- endmacro %}


{# The metrics of Fivetran's models, where nothing is zero. #}
{% macro fivetran_sums() -%}
  coalesce(spend, 0) as spend,
  coalesce(clicks, 0) as clicks,
  coalesce(impressions, 0) as impressions,
  coalesce(conversions, 0) as total_conversions,
  coalesce(conversion_quantity, 0) as total_conversions_quantity,
  coalesce(conversion_value, 0) as total_conversions_value
{%- endmacro %}


{# The facts about a campaign in Fivetran's models of countries and regions. #}
{% macro fivetran_campaign() -%}
  cast({{ tap_pinterest.millionths('campaigns.daily_spend_cap') }} as bigint) as budget_spend_cap,
  cast({{ tap_pinterest.millionths('campaigns.lifetime_spend_cap') }} as bigint) as lifetime_spend_cap,
  campaigns.created_time as campaign_created_at,
  cast({{ tap_pinterest.millionths('campaigns.default_ad_group_budget') }} as bigint) as default_ad_group_budget_in_micro_currency,
  campaigns.end_time as campaign_end_time,
  campaigns.is_campaign_budget_optimization,
  campaigns.is_flexible_daily_budgets,
  days.objective_type as campaign_objective_type,
  campaigns.start_time as campaign_start_time
{%- endmacro %}


{#
  The parts of a link in Fivetran's models: the host has its port, the path its fragment, and
  parameters stay encoded.
#}
{% macro fivetran_link_parts(url) %}
  {{ tap_pinterest.fivetran_base_url(url) }},
  {{ tap_pinterest.part_of(url, '^(?:[a-z-]+://)?([^/?]+)') }} as url_host,
  '/' || coalesce({{ tap_pinterest.part_of(url, '^(?:[a-z-]+://)?[^/?]+/([^?]*)') }}, '') as url_path
  {%- for name in tap_pinterest.utm_names() %},
  {{ tap_pinterest.part_of(url, 'utm_' ~ name ~ '=([^&]*)') }} as utm_{{ name }}
  {%- endfor %}
{% endmacro %}


{% macro fivetran_base_url(url) %}{{ tap_pinterest.part_of(url, '^([^?]+)') }} as base_url{% endmacro %}
