{# The database's type for a kind of column. Money is never a float. #}
{% macro type_of(kind) %}
  {%- set types = {
    'text': 'text', 'date': 'date', 'timestamp': 'timestamp', 'boolean': 'boolean', 'integer': 'bigint',
    'money': 'numeric(38, 6)', 'micro': 'numeric(38, 6)',
    'number': 'numeric(38, 6)' if target.type == 'duckdb' else 'numeric',
    'json': 'json' if target.type == 'duckdb' else 'jsonb',
  } -%}
  {{- types[kind] -}}
{% endmacro %}


{# A loaded column in the type of its kind; `was` is its type in the table. #}
{% macro value_as(kind, column, was) %}
  {%- if kind == 'micro' -%}
    {{ tap_pinterest.units(column) }}
  {%- elif kind == 'timestamp' and 'with time zone' in was -%}
    cast({{ column }} at time zone 'UTC' as timestamp)
  {%- elif kind == 'json' and not was.startswith('json') -%}
    {{ 'to_json' if target.type == 'duckdb' else 'to_jsonb' }}({{ column }})
  {%- else -%}
    cast({{ column }} as {{ tap_pinterest.type_of(kind) }})
  {%- endif -%}
{% endmacro %}


{# An amount in millionths as units. #}
{% macro units(amount) %}
  {{- adapter.dispatch('units', 'tap_pinterest')(amount) -}}
{% endmacro %}

{% macro default__units(amount) %}
  {{- 'cast(cast(' ~ amount ~ ' as numeric) / 1000000 as numeric(38, 6))' -}}
{% endmacro %}

{# In DuckDB a quotient is a float; a product is not. #}
{% macro duckdb__units(amount) %}
  {{- 'cast(cast(' ~ amount ~ ' as numeric(24, 6)) * cast(0.000001 as numeric(7, 6)) as numeric(38, 6))' -}}
{% endmacro %}


{# Units as millionths again, for tables that others made the models for. #}
{% macro millionths(amount) %}
  {{- 'cast(' ~ amount ~ ' as numeric(32, 6)) * 1000000' -}}
{% endmacro %}


{# A count summed up, in its type. #}
{% macro total(kind, expression) %}
  {{- 'cast(sum(' ~ expression ~ ') as ' ~ tap_pinterest.type_of(kind) ~ ')' -}}
{% endmacro %}


{# What is in the parentheses of a pattern, null where it does not fit or is empty. #}
{% macro part_of(column, pattern) %}
  {{- adapter.dispatch('part_of', 'tap_pinterest')(column, pattern) -}}
{% endmacro %}

{% macro default__part_of(column, pattern) %}
  {{- "nullif(substring(" ~ column ~ " from '" ~ pattern ~ "'), '')" -}}
{% endmacro %}

{% macro duckdb__part_of(column, pattern) %}
  {{- "nullif(regexp_extract(" ~ column ~ ", '" ~ pattern ~ "', 1), '')" -}}
{% endmacro %}


{# Now, in UTC. The variable pinterest_now stands in for it. #}
{% macro utc_now() %}
  {%- if var('pinterest_now', none) -%}
    cast('{{ var('pinterest_now') }}' as timestamp)
  {%- else -%}
    cast('{{ run_started_at.astimezone(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S') }}' as timestamp)
  {%- endif -%}
{% endmacro %}


{# Hours from one time to another. #}
{% macro hours_between(start, end) %}
  {{- adapter.dispatch('hours_between', 'tap_pinterest')(start, end) -}}
{% endmacro %}

{% macro default__hours_between(start, end) %}
  {{- 'cast(floor(extract(epoch from (' ~ end ~ ') - (' ~ start ~ ')) / 3600) as bigint)' -}}
{% endmacro %}

{% macro duckdb__hours_between(start, end) %}
  {{- "date_diff('hour', " ~ start ~ ', ' ~ end ~ ')' -}}
{% endmacro %}


{# Models of a schema of their own go into it, whatever the target's schema. #}
{% macro generate_schema_name(custom_schema_name, node) %}
  {{- (custom_schema_name or target.schema) | trim -}}
{% endmacro %}


{# Money is rounded to millionths in each row, so sums of rows may differ by so much. #}
{% macro rounding() %}{{ var('pinterest_rounding', 0.001) }}{% endmacro %}
