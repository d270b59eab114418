{# The schemas that the tap has loaded, one for each client. #}
{% macro schemas() %}
  {% set loader = 'TARGET_DUCKDB' if target.type == 'duckdb' else 'TARGET_POSTGRES' %}
  {% set named = var('pinterest_schemas', env_var(loader ~ '_DEFAULT_TARGET_SCHEMA', '') or 'pinterest') %}
  {% do return(([named] if named is string else named) | unique(case_sensitive=true) | list) %}
{% endmacro %}


{# The tables of a name, each with its schema, in the schemas that have one. #}
{% macro tables_called(name) %}
  {% set found = [] %}
  {% if execute %}
    {% for schema in tap_pinterest.schemas() %}
      {% set relation = adapter.get_relation(
        database=var('pinterest_tables_database', target.database), schema=schema, identifier=name
      ) %}
      {% if relation %}{% do found.append([schema, relation]) %}{% endif %}
    {% endfor %}
  {% endif %}
  {% do return(found) %}
{% endmacro %}


{# The types of a table's columns, by name. #}
{% macro types_of(relation) %}
  {% set types = {} %}
  {% for column in adapter.get_columns_in_relation(relation) %}
    {% do types.update({column.name: column.dtype | lower}) %}
  {% endfor %}
  {% do return(types) %}
{% endmacro %}


{# Columns of a staging model: of its table, and when a row was read and loaded. #}
{% macro staged_columns(table) %}
  {% do return(tap_pinterest.columns_of(table) + [
    ['synced_at', [['_sdc_extracted_at', 'timestamp']]],
    ['loaded_at', [['_sdc_batched_at', 'timestamp']]],
  ]) %}
{% endmacro %}


{% macro names_staged(table) %}
  {% do return(tap_pinterest.staged_columns(table) | map('first') | list) %}
{% endmacro %}


{#
  The rows of a table in all schemas, typed. A column that a schema does not have is null. Without
  the table in any schema there are no rows.

  With `names`, the rows of tables of these names, which have the columns of `table`; the column
  `report` says which.
#}
{% macro staged(table, names=none) %}
  {%- if not execute -%}{{ return('') }}{%- endif -%}
  {%- set columns = tap_pinterest.staged_columns(table) -%}
  {%- set tables = [] -%}
  {%- for name in (names if names is not none else [table]) -%}
    {%- do tables.extend(tap_pinterest.tables_called(name)) -%}
  {%- endfor -%}
  {%- for schema, relation in tables %}
    {%- set types = tap_pinterest.types_of(relation) %}
{{ 'union all' if not loop.first }}
select
  cast('{{ schema }}' as text) as source_relation
  {%- if names is not none %},
  cast('{{ relation.identifier }}' as text) as report
  {%- endif %}
  {%- for name, sources in columns %},
  {{ tap_pinterest.typed(sources, types) }} as {{ name }}
  {%- endfor %}
from {{ relation }}
    {%- if '_sdc_deleted_at' in types %}
where _sdc_deleted_at is null
    {%- endif %}
  {%- else %}
select
  cast(null as text) as source_relation
  {%- if names is not none %},
  cast(null as text) as report
  {%- endif %}
  {%- for name, sources in columns %},
  {{ tap_pinterest.typed(sources, {}) }} as {{ name }}
  {%- endfor %}
where false
  {%- endfor %}
{% endmacro %}


{# The first of some columns that has a value, in the type of the model. #}
{% macro typed(sources, types) %}
  {%- set made = [] -%}
  {%- for column, kind in sources if column in types -%}
    {%- do made.append(tap_pinterest.value_as(kind, adapter.quote(column), types[column])) -%}
  {%- endfor -%}
  {%- if made | length > 1 -%}
    coalesce({{ made | join(', ') }})
  {%- elif made -%}
    {{ made[0] }}
  {%- else -%}
    cast(null as {{ tap_pinterest.type_of(sources[0][1]) }})
  {%- endif -%}
{% endmacro %}
