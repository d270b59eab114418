{%- set names = tap_pinterest.known_tables() + var('pinterest_ad_window_tables', []) -%}
{%- for schema in tap_pinterest.schemas() %}
  {%- set missing = tap_pinterest.missing_in(schema) if execute else [] %}
  {%- for name in names %}
{{ 'union all ' if not loop.first }}select
  cast('{{ schema }}' as text) as source_relation,
  cast('{{ name }}' as text) as table_name,
  {{ 'false' if name in missing else 'true' }} as is_loaded
  {%- endfor %}
{{ 'union all' if not loop.last }}
{%- endfor %}
