{#
  Views on PostgreSQL, replaced in place. The usual way drops a view and all views on it, so that a
  build that fails halfway would leave reports missing.
#}
{% materialization view, adapter='postgres' %}
  {%- set there = load_cached_relation(this) -%}
  {%- if there is not none and not there.is_view -%}
    {{ return(materialization_view_default()) }}
  {%- endif -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% call statement('main') -%}
    {{ tap_pinterest.replace_view(this, sql) }}
  {%- endcall %}
  {% do apply_grants(this, config.get('grants'), should_revoke=true) %}
  {% do persist_docs(this, model) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [this.incorporate(type='view')]}) }}
{% endmaterialization %}


{# A view with other columns cannot be replaced; it is made anew. #}
{% macro replace_view(relation, sql) %}
do $build$
begin
  create or replace view {{ relation }} as (
{{ sql }}
  );
exception when invalid_table_definition then
  drop view {{ relation }} cascade;
  create view {{ relation }} as (
{{ sql }}
  );
end
$build$;
{% endmacro %}
