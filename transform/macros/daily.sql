{# The metrics of the daily models: name, kind, and the columns of staging that they are the sum of. #}
{% macro metrics() %}
  {% set metrics = [
    ['impressions', 'number', ['impression_1', 'impression_2']],
    ['paid_impressions', 'number', ['impression_1']],
    ['clicks', 'number', ['clickthrough_1', 'clickthrough_2']],
    ['paid_clicks', 'number', ['clickthrough_1']],
    ['outbound_clicks', 'number', ['outbound_click_1', 'outbound_click_2']],
    ['saves', 'number', ['repin_1', 'repin_2']],
    ['engagements', 'number', ['engagement_1', 'engagement_2']],
    ['spend', 'money', ['spend']],
    ['conversions', 'number', ['total_conversions']],
    ['conversion_quantity', 'number', ['total_conversions_quantity']],
    ['conversion_value', 'money', ['total_conversions_value']],
    ['page_visits', 'number', ['total_page_visit']],
    ['signups', 'number', ['total_signup']],
    ['leads', 'number', ['total_lead']],
    ['checkouts', 'number', ['total_checkout']],
    ['checkout_value', 'money', ['total_checkout_value']],
    ['click_checkouts', 'number', ['total_click_checkout']],
    ['click_checkout_value', 'money', ['total_click_checkout_value']],
    ['engagement_checkouts', 'number', ['total_engagement_checkout']],
    ['engagement_checkout_value', 'money', ['total_engagement_checkout_value']],
    ['view_checkouts', 'number', ['total_view_checkout']],
    ['view_checkout_value', 'money', ['total_view_checkout_value']],
    ['video_views', 'number', ['total_video_mrc_views']],
    ['video_views_25', 'number', ['total_video_p25_combined']],
    ['video_views_50', 'number', ['total_video_p50_combined']],
    ['video_views_75', 'number', ['total_video_p75_combined']],
    ['video_views_100', 'number', ['total_video_p100_complete']],
  ] %}
  {% do return(metrics + tap_pinterest.more_metrics(metrics | map('first') | list)) %}
{% endmacro %}


{# The columns that the variable pinterest_metrics names, in lower case. #}
{% macro added_metrics() %}
  {% do return(var('pinterest_metrics', []) | map('lower') | unique | list) %}
{% endmacro %}


{# The metrics that the variable pinterest_metrics adds to `names`. #}
{% macro more_metrics(names) %}
  {% set more = [] %}
  {% for name in tap_pinterest.added_metrics() %}
    {% set kind = 'money' if name.endswith('_in_micro_dollar') or name.endswith('_in_dollar') else 'number' %}
    {% set short = tap_pinterest.short_name(name) %}
    {% if short not in names + (more | map('first') | list) %}{% do more.append([short, kind, [short]]) %}{% endif %}
  {% endfor %}
  {% do return(more) %}
{% endmacro %}


{% macro short_name(name) %}
  {% do return(name | replace('_in_micro_dollar', '') | replace('_in_dollar', '')) %}
{% endmacro %}


{# Pinterest's names of what the metrics are made from; a report has at least one of them. #}
{% macro metric_sources() %}
  {% set names = [] %}
  {% for name, sources in tap_pinterest.columns_of('ad_account_analytics') %}
    {% for column, kind in sources if kind in ('number', 'money', 'micro') %}{% do names.append(column) %}{% endfor %}
  {% endfor %}
  {% do return(names) %}
{% endmacro %}


{# Ids and dimensions that a report may have. #}
{% macro dimensions() %}
  {% do return([
    'ad_account_id', 'campaign_id', 'ad_group_id', 'ad_id', 'pin_id', 'keyword_id', 'product_group_id',
    'targeting_type', 'targeting_value', 'date', 'currency', 'click_window_days', 'engagement_window_days',
    'view_window_days', 'conversion_report_time', 'campaign_name', 'campaign_entity_status',
    'ad_group_name', 'ad_group_entity_status',
  ]) %}
{% endmacro %}


{# A sum of columns that counts null as nothing, and is null where all of them are. #}
{% macro plus(columns) %}
  {%- if columns | length == 1 -%}
    {{ columns[0] }}
  {%- else -%}
    case when coalesce({{ columns | join(', ') }}) is not null
      then {% for column in columns %}coalesce({{ column }}, 0){{ ' + ' if not loop.last }}{% endfor %} end
  {%- endif -%}
{% endmacro %}


{#
  The facts of a report by day, kept as a table that grows. A build reads only the rows that were
  loaded since the last one, or the days of `pinterest_lookback_days` where rows do not say when.
#}
{% macro facts(table, key, staging=none, by=[]) %}
  {%- set unique = ['source_relation'] + by + key + ['date'] -%}
  {%- set tables = "var('pinterest_ad_window_tables', [])" if by else "['" ~ table ~ "']" -%}
  {{- config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=unique,
    on_schema_change='fail',
    pre_hook={'sql': "{{ tap_pinterest.index_loads(" ~ tables ~ ") }}", 'transaction': false},
    indexes=[{'columns': unique, 'unique': true}, {'columns': ['source_relation', 'loaded_at']}]
      if target.type == 'postgres' else [],
  ) -}}
  {%- if not execute -%}{{ return('') }}{%- endif -%}
  {%- set names = tap_pinterest.names_staged(table) -%}
select
  source_relation
  {%- for name in by %},
  {{ name }}
  {%- endfor %}
  {%- for name in tap_pinterest.dimensions() if name in names %},
  {{ name }}
  {%- endfor %}
  {%- for name, kind, columns in tap_pinterest.metrics() %},
    {%- set there = columns | select('in', names) | list %}
  {% if there -%} {{ tap_pinterest.plus(there) }} {%- else -%} cast(null as {{ tap_pinterest.type_of(kind) }}) {%- endif %} as {{ name }}
  {%- endfor %},
  synced_at,
  loaded_at
from {{ staging }} as loaded
where {{ tap_pinterest.changed_since_the_last_build(unique) }}
{% endmacro %}


{# The rows of staging that the table does not have yet, or has with older numbers. #}
{% macro changed_since_the_last_build(key) %}
  {%- if not is_incremental() -%}
    true
  {%- else -%}
    {%- for schema in tap_pinterest.schemas() %}
  {{ 'or ' if not loop.first }}(
    source_relation = '{{ schema }}'
    and ({{ tap_pinterest.changed_in(schema, key) }})
  )
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}


{#
  Rows that the loader has written since; rows of a load beside the newest one, which began before it
  and ended after it, if the table does not have them; and the newest days where rows do not say when
  they were loaded, because the loader adds no such column, or no longer does.
#}
{% macro changed_in(schema, key) %}
  {%- set newest, loaded = tap_pinterest.marks_of(schema) -%}
  {%- set days = "date > cast('" ~ newest ~ "' as date) - " ~ var('pinterest_lookback_days', 32) -%}
  {%- if newest is none -%}
    true
  {%- elif loaded is none -%}
    loaded_at is not null or {{ days }}
  {%- else -%}
    loaded_at > cast('{{ loaded }}' as timestamp) - interval '{{ var('pinterest_overlap_minutes', 10) }} minutes'
    and (
      loaded_at > cast('{{ loaded }}' as timestamp)
      or not exists (
        select 1
        from {{ this }} as known
        where known.loaded_at = loaded.loaded_at
        {%- for name in key %}
          and known.{{ name }} = loaded.{{ name }}
        {%- endfor %}
      )
    )
    {%- set says_not_when = "select 1 from " ~ this ~ " where source_relation = '" ~ schema ~ "' and loaded_at is null and " ~ days %}
    or {{ days if run_query(says_not_when ~ ' limit 1').rows else 'loaded_at is null and ' ~ days }}
  {%- endif -%}
{% endmacro %}


{# The newest day of a schema that the table has, and when the newest row was loaded. #}
{% macro marks_of(schema) %}
  {% set found = run_query(
    "select (select max(date) from " ~ this ~ " where source_relation = '" ~ schema ~ "'), "
    ~ "(select max(loaded_at) from " ~ this ~ " where source_relation = '" ~ schema ~ "')"
  ).rows[0] %}
  {% do return([found[0], found[1]]) %}
{% endmacro %}


{# The columns that these metrics add to a table of staging with the columns `names`. #}
{% macro more_columns(names) %}
  {% set more = [] %}
  {% for name in tap_pinterest.added_metrics() %}
    {% set kind = 'micro' if name.endswith('_in_micro_dollar') else 'money' if name.endswith('_in_dollar') else 'number' %}
    {% set short = tap_pinterest.short_name(name) %}
    {% if short not in names + (more | map('first') | list) %}{% do more.append([short, [[name, kind]]]) %}{% endif %}
  {% endfor %}
  {% do return(more) %}
{% endmacro %}
